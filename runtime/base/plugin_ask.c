/* The extensions of errand/tool.h: each function turns what the plugin gave
 * into a question for a service (worker/protocol.md, "Services"), and the
 * answer into C. What is handed out lies in the call until the next one. */
#include "base/plugin_call.h"

#include "base/base64.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

enum { BODY_MOST = 4 * 1024 * 1024, PAIRS_MOST = 1000 };

static struct er_plugin_call *of(struct errand_tool_call *shown)
{
    return (struct er_plugin_call *)(void *)shown;
}

static void forget(struct er_plugin_heard *h)
{
    json_decref(h->value);
    free(h->text);
    free(h->list);
    h->value = NULL;
    h->text = NULL;
    h->list = NULL;
    er_buf_reset(&h->why);
}

void er_plugin_heard_release(struct er_plugin_heard *h)
{
    forget(h);
    er_buf_release(&h->why);
}

/* --------------------------------------------------------------- asking */

static const json_t *fail(
    struct er_plugin_heard *h, const char **why, const char *text)
{
    if (h->why.len == 0)
        er_buf_adds(&h->why, text);
    if (why)
        *why = er_buf_str(&h->why);
    return NULL;
}

/* Forget the last answer. True: somebody can be asked. */
static bool begin(struct er_plugin_call *c, const char **why)
{
    forget(&c->heard);
    if (why)
        *why = NULL;
    if (!c->ask)
        fail(&c->heard, why, "errand can be asked while a call is run, not "
            "at the plugin's start");
    return c->ask != NULL;
}

/* Ask; params is taken, NULL: it could not be made. The value is held. */
static const json_t *ask(struct er_plugin_call *c, const char *service,
    json_t *params, const char **why)
{
    struct er_plugin_heard *h = &c->heard;
    if (!params)
        return fail(h, why, "the question is not UTF-8, or memory ran out");
    h->value = c->ask(c->ask_ctx, service, params, &h->why);
    return h->value ? h->value : fail(h, why, "errand gave no answer");
}

/* ------------------------------------------------------------------- http */

static json_t *headers_of(const char *const *list)
{
    json_t *headers = json_object();
    for (size_t i = 0; headers && list && list[i]; i += 2) {
        if (!list[i + 1] || i > 2 * (size_t)PAIRS_MOST ||
            json_object_set_new(
                headers, list[i], json_string(list[i + 1])) != 0) {
            json_decref(headers);
            return NULL;
        }
    }
    return headers;
}

static bool put_body(
    json_t *params, const struct errand_tool_http_request *r)
{
    struct er_buf coded;
    if (r->body_len == 0)
        return true;
    er_buf_init(&coded, 2 * (size_t)BODY_MOST);
    bool ok = er_base64_add(&coded, r->body, r->body_len) &&
              json_object_set_new(params, "body64",
                  json_stringn(coded.data, coded.len)) == 0;
    er_buf_release(&coded);
    return ok;
}

static json_t *http_params(const struct errand_tool_http_request *r)
{
    json_t *headers = headers_of(r->headers);
    json_t *params = json_pack("{s:s,s:o}", "url", r->url ? r->url : "",
        "headers", headers);
    bool ok = params && put_body(params, r);
    if (ok && r->method)
        ok = er_json_put(params, "method", r->method);
    if (ok && r->timeout_ms)
        ok = json_object_set_new(params, "timeout_ms",
                 json_integer((json_int_t)r->timeout_ms)) == 0;
    if (ok && r->max_bytes)
        ok = json_object_set_new(params, "max_bytes",
                 json_integer((json_int_t)r->max_bytes)) == 0;
    if (ok && r->flags & ERRAND_TOOL_HTTP_STAY)
        ok = json_object_set_new(params, "redirects", json_integer(0)) == 0;
    if (ok)
        return params;
    json_decref(params);
    return NULL;
}

/* What of the request its size covers; the rest counts as 0. */
static bool copy_request(const struct errand_tool_http_request *from,
    struct errand_tool_http_request *out)
{
    static const size_t least =
        offsetof(struct errand_tool_http_request, method);
    *out = (struct errand_tool_http_request){0};
    if (!from || from->size < least || from->size > 65536)
        return false;
    memcpy(out, from, from->size < sizeof *out ? from->size : sizeof *out);
    return out->body_len == 0 || out->body;
}

static bool take_body(struct er_plugin_heard *h)
{
    const json_t *text = json_object_get(h->value, "body");
    const json_t *coded = json_object_get(h->value, "body64");
    size_t len = json_string_length(coded), got = 0;
    h->http.body = text ? json_string_value(text) : "";
    h->http.body_len = (uint32_t)json_string_length(text);
    if (!coded)
        return true;
    h->text = malloc(er_base64_room(len) + 1);
    if (!h->text ||
        !er_base64_read(json_string_value(coded), len, h->text, &got))
        return false;
    h->text[got] = '\0';
    h->http.body = h->text;
    h->http.body_len = (uint32_t)got;
    return true;
}

static bool take_headers(struct er_plugin_heard *h)
{
    json_t *headers = json_object_get(h->value, "headers"), *v;
    size_t n = 0;
    const char *name;
    h->list = calloc(2 * json_object_size(headers) + 1, sizeof *h->list);
    if (!h->list)
        return false;
    json_object_foreach(headers, name, v)
    {
        h->list[n++] = name;
        h->list[n++] = json_is_string(v) ? json_string_value(v) : "";
    }
    h->http.headers = h->list;
    return true;
}

static const struct errand_tool_http_answer *http_send(
    struct errand_tool_call *call,
    const struct errand_tool_http_request *request, const char **why)
{
    struct er_plugin_call *c = of(call);
    struct er_plugin_heard *h = &c->heard;
    struct errand_tool_http_request r;
    if (!begin(c, why))
        return NULL;
    if (!copy_request(request, &r)) {
        fail(h, why, "the request's size is wrong; set it to sizeof(struct "
            "errand_tool_http_request)");
        return NULL;
    }
    if (r.body_len > BODY_MOST) {
        fail(h, why, "the body is over 4 MiB");
        return NULL;
    }
    if (!ask(c, "http", http_params(&r), why))
        return NULL;
    const char *url = er_json_str(h->value, "url");
    h->http = (struct errand_tool_http_answer){.size = sizeof h->http,
        .status = (uint32_t)er_json_int(h->value, "status", 0),
        .url = url ? url : ""};
    if (take_body(h) && take_headers(h))
        return &h->http;
    fail(h, why, "out of memory for the answer");
    return NULL;
}

/* --------------------------------------------------------------------- kv */

static json_t *kv_params(const char *op, const char *name, const char *text)
{
    return json_pack("{s:s,s:s}", "op", op, name, text ? text : "");
}

static int32_t kv_get(struct errand_tool_call *call, const char *key,
    const char **json, const char **why)
{
    struct er_plugin_call *c = of(call);
    *json = NULL;
    if (!begin(c, why) || !ask(c, "kv", kv_params("get", "key", key), why))
        return -1;
    const json_t *value = json_object_get(c->heard.value, "value");
    if (!value)
        return 0;
    *json = c->heard.text = er_json_text(value);
    if (*json)
        return 1;
    fail(&c->heard, why, "out of memory for the answer");
    return -1;
}

static int32_t kv_set(struct errand_tool_call *call, const char *key,
    const char *json, const char **why)
{
    struct er_plugin_call *c = of(call);
    struct errand_error err = {0};
    if (!begin(c, why))
        return -1;
    json_t *value = json ? er_json_parse(json, strlen(json), ER_JSON_STRICT,
                               &err) : NULL;
    if (!value) {
        er_buf_addf(&c->heard.why, "kv: the value is no JSON: %s",
            json ? err.msg : "it is NULL");
        fail(&c->heard, why, "");
        return -1;
    }
    json_t *params = kv_params("set", "key", key);
    if (!params)
        json_decref(value);
    else
        json_object_set_new(params, "value", value);
    return ask(c, "kv", params, why) ? 0 : -1;
}

static int32_t kv_remove(
    struct errand_tool_call *call, const char *key, const char **why)
{
    struct er_plugin_call *c = of(call);
    if (!begin(c, why) ||
        !ask(c, "kv", kv_params("delete", "key", key), why))
        return -1;
    return json_is_true(json_object_get(c->heard.value, "deleted"));
}

static int32_t kv_list(struct errand_tool_call *call, const char *prefix,
    const char *after, const char *const **keys, const char **why)
{
    struct er_plugin_call *c = of(call);
    struct er_plugin_heard *h = &c->heard;
    *keys = NULL;
    if (!begin(c, why))
        return -1;
    json_t *params = kv_params("list", "prefix", prefix);
    if (params && after && !er_json_put(params, "after", after)) {
        json_decref(params);
        params = NULL;
    }
    if (!ask(c, "kv", params, why))
        return -1;
    const json_t *list = json_object_get(h->value, "keys");
    size_t n = 0, most = json_array_size(list);
    h->list = calloc(most + 1, sizeof *h->list);
    if (!h->list) {
        fail(h, why, "out of memory for the answer");
        return -1;
    }
    for (size_t i = 0; i < most; i++)
        if (json_is_string(json_array_get(list, i)))
            h->list[n++] = json_string_value(json_array_get(list, i));
    *keys = h->list;
    return (int32_t)n;
}

/* ----------------------------------------------------------------- secret */

static const char *secret_get(
    struct errand_tool_call *call, const char *name, const char **why)
{
    struct er_plugin_call *c = of(call);
    if (!begin(c, why))
        return NULL;
    json_t *params = json_pack("{s:s}", "name", name ? name : "");
    const json_t *value = ask(c, "secret", params, why);
    if (value && !json_is_string(value))
        fail(&c->heard, why, "errand gave no answer");
    return json_string_value(value);
}

/* ------------------------------------------------------------- the table */

static const struct errand_tool_http http = {
    .size = sizeof http, .abi = ERRAND_TOOL_ABI, .send = http_send};
static const struct errand_tool_kv kv = {.size = sizeof kv,
    .abi = ERRAND_TOOL_ABI,
    .get = kv_get,
    .set = kv_set,
    .remove = kv_remove,
    .list = kv_list};
static const struct errand_tool_secret secret = {
    .size = sizeof secret, .abi = ERRAND_TOOL_ABI, .get = secret_get};

const void *er_plugin_extension(const char *id)
{
    static const struct {
        const char *id;
        const void *table;
    } rows[] = {{ERRAND_TOOL_HTTP, &http}, {ERRAND_TOOL_KV, &kv},
        {ERRAND_TOOL_SECRET, &secret}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(id, rows[i].id) == 0)
            return rows[i].table;
    return NULL;
}
