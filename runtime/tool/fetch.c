/* Requests of tools: each a chain of hops that ends in one answer.
 *
 * A hop is checked, sent and heard out. A redirect makes the next hop, which
 * is checked as the first was: nothing is carried over but the wish itself,
 * and to another origin not even its headers. */
#include "fetch_parts.h"

#include "base/clock.h"
#include "base/text.h"
#include "parts.h"
#include "tool/address.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CONNECT_MS = 10 * 1000, REASON_SIZE = 200 };

struct request {
    struct er_fetch *fetch;
    struct er_ask *ask;
    struct er_holder who;
    struct er_fetch_wish wish;
    er_http_call *call;
    struct curl_slist *headers;
    char *url; /* of the hop, as it is sent; freed with curl_free */
    struct er_origin first, origin; /* of the wish, of the hop */
    bool bare; /* another origin was entered: no headers any more */
    int hops;
    int64_t until_ms;
    struct er_buf body; /* of the answer */
    char blocked[REASON_SIZE]; /* why an address was refused, or "" */
};

static void release(struct request *r)
{
    er_http_close(r->call);
    curl_slist_free_all(r->headers);
    curl_free(r->url);
    er_buf_release(&r->wish.body);
    er_buf_release(&r->body);
    free(r);
}

/* Refuse in words that hold no secret, and be done. */
static void refuse(struct request *r, const char *text)
{
    struct er_ask *ask = r->ask;
    char shown[1000];
    size_t n = er_utf8_cut(text, strlen(text), sizeof shown - 1);
    memcpy(shown, text, n);
    shown[n] = '\0';
    er_vault_hide(r->fetch->settings.vault, shown, n);
    release(r);
    er_ask_refuse(ask, "%s", shown);
}

/* ------------------------------------------------------------- the guard */

static bool on_allow(void *ctx, const struct sockaddr *to)
{
    struct request *r = ctx;
    const char *why = r->fetch->settings.why(to);
    if (!why || er_fetch_is_opened(r->fetch, &r->origin))
        return true;
    struct er_buf text;
    er_buf_init(&text, REASON_SIZE - 1);
    er_buf_addf(&text, "%.80s leads to an address that is not public (%s)",
        r->origin.host, why);
    memcpy(r->blocked, er_buf_str(&text), text.len + 1);
    er_buf_release(&text);
    return false;
}

/* --------------------------------------------------------------- one hop */

static bool has_header(const struct request *r, const char *name)
{
    const char *key;
    json_t *v;
    if (!r->bare)
        json_object_foreach((json_t *)(uintptr_t)r->wish.headers, key, v)
            if (strcasecmp(key, name) == 0)
                return true;
    return false;
}

static int add_line(struct request *r, const char *line)
{
    struct curl_slist *more = curl_slist_append(r->headers, line);
    if (!more)
        return ERRAND_NOMEM;
    r->headers = more;
    return ERRAND_OK;
}

/* "name: value" with its secrets put in. An empty value is sent as such,
 * which libcurl wants to be told with a semicolon. */
static int add_header(struct request *r, const char *name, const json_t *v,
    size_t *size, struct errand_error *err)
{
    struct er_buf line;
    const char *value = json_string_value(v);
    er_buf_init(&line, ER_FETCH_HEADER_BYTES);
    er_buf_addf(&line, "%s%s", name, *value ? ": " : ";");
    int rc = er_vault_fill(r->fetch->settings.vault, &r->who, &r->origin,
        false, value, json_string_length(v), &line, err);
    if (rc == ERRAND_OK && line.len > ER_FETCH_HEADER_BYTES - *size)
        rc = er_fail(err, ERRAND_TOO_LARGE, "the headers are over %d KiB",
            ER_FETCH_HEADER_BYTES / 1024);
    if (rc == ERRAND_OK && add_line(r, er_buf_str(&line)) != ERRAND_OK)
        rc = er_nomem(err);
    *size += line.len;
    if (line.data)
        explicit_bzero(line.data, line.len);
    er_buf_release(&line);
    return rc;
}

static int build_headers(struct request *r, struct errand_error *err)
{
    const char *name, *type = r->wish.type;
    json_t *v;
    size_t size = 0;
    int rc = ERRAND_OK;
    curl_slist_free_all(r->headers);
    r->headers = NULL;
    if (!r->bare) {
        json_object_foreach((json_t *)(uintptr_t)r->wish.headers, name, v)
        {
            rc = add_header(r, name, v, &size, err);
            if (rc != ERRAND_OK)
                return rc;
        }
    }
    if (!has_header(r, "user-agent"))
        rc = add_line(r, "User-Agent: errand/" ERRAND_VERSION);
    if (rc == ERRAND_OK && r->wish.body.len > 0 && type &&
        !has_header(r, "content-type"))
        rc = add_line(r, "Content-Type: application/json");
    else if (rc == ERRAND_OK && !has_header(r, "content-type"))
        rc = add_line(r, "Content-Type:"); /* libcurl would invent one */
    if (rc == ERRAND_OK)
        rc = add_line(r, "Expect:");
    return rc == ERRAND_OK ? rc : er_nomem(err);
}

static void on_body(void *ctx, const char *bytes, size_t len)
{
    struct request *r = ctx;
    er_buf_add(&r->body, bytes, len);
}

static void on_done(void *ctx, const struct er_http_result *result);

/* The request of this hop; body is taken. */
static int send_hop(
    struct request *r, struct er_buf *body, struct errand_error *err)
{
    int64_t left = r->until_ms - er_mono_ms();
    if (left <= 0) {
        er_buf_release(body);
        return er_fail(err, ERRAND_TIMEOUT, "no time is left for it");
    }
    struct er_http_request req = {.url = r->url,
        .method = r->wish.method,
        .headers = r->headers,
        .body = *body,
        .timeouts = {.connect_ms = left < CONNECT_MS ? left : CONNECT_MS,
            .first_byte_ms = left,
            .idle_ms = left,
            .total_ms = left},
        .max_bytes = (size_t)r->wish.max_bytes,
        .allow = on_allow,
        .resolve = r->fetch->settings.resolve,
        .on_body = on_body,
        .on_done = on_done,
        .ctx = r};
    r->blocked[0] = '\0';
    er_buf_reset(&r->body);
    r->call = er_http_start(r->fetch->http, &req, err);
    return r->call ? ERRAND_OK : ERRAND_NOMEM;
}

/* Go to url, in which no placeholder counts any more: look where it leads,
 * and send. */
static int go(struct request *r, const char *url, struct errand_error *err)
{
    struct er_buf body;
    char *normal = NULL;
    int rc = er_fetch_read_url(url, &r->origin, &normal, err);
    curl_free(r->url);
    r->url = normal;
    if (rc == ERRAND_OK)
        rc = er_fetch_permit(r->fetch, r->ask->tool, &r->origin, err);
    if (rc == ERRAND_OK && !er_origin_same(&r->first, &r->origin))
        r->bare = true;
    er_buf_init(&body, ER_FETCH_BODY_MOST * 2);
    if (rc == ERRAND_OK)
        rc = build_headers(r, err);
    if (rc == ERRAND_OK)
        rc = er_vault_fill(r->fetch->settings.vault, &r->who, &r->origin,
            false, er_buf_str(&r->wish.body), r->wish.body.len, &body, err);
    if (rc != ERRAND_OK) {
        er_buf_release(&body);
        return rc;
    }
    return send_hop(r, &body, err);
}

/* --------------------------------------------------------- what comes back */

static bool is_redirect(long status)
{
    return status == 301 || status == 302 || status == 303 ||
           status == 307 || status == 308;
}

/* 303 means "now GET that"; 301 and 302 mean it to everybody who posts. */
static void change_method(struct request *r, long status)
{
    bool was_post = strcmp(r->wish.method, "POST") == 0;
    bool was_head = strcmp(r->wish.method, "HEAD") == 0;
    if ((status == 303 && !was_head) || (status < 303 && was_post)) {
        r->wish.method = "GET";
        r->wish.type = NULL;
        er_buf_release(&r->wish.body);
    }
}

/* The next hop, if the answer is a redirect. False: it is the answer. */
static bool follow(struct request *r)
{
    struct errand_error err = {0};
    long status = er_http_status(r->call);
    const char *location = er_http_header(r->call, "location");
    if (!is_redirect(status) || !location || r->wish.redirects == 0)
        return false;
    if (r->hops >= r->wish.redirects) {
        refuse(r, "it was redirected too often; 5 times is the most");
        return true;
    }
    char *to = er_fetch_redirect(r->url, location);
    er_http_close(r->call);
    r->call = NULL;
    r->hops++;
    if (!to) {
        refuse(r, "it was redirected to something that is no url");
        return true;
    }
    change_method(r, status);
    int rc = go(r, to, &err);
    curl_free(to);
    if (rc != ERRAND_OK) {
        er_while(&err, "redirected");
        refuse(r, err.msg);
    }
    return true;
}

static void answer(struct request *r)
{
    struct er_ask *ask = r->ask;
    if (r->body.failed) {
        refuse(r, "out of memory for the answer");
        return;
    }
    json_t *value = er_fetch_answer(
        r->fetch->settings.vault, r->call, r->url, &r->body);
    release(r);
    er_ask_reply(ask, value);
}

static void fail(struct request *r, const struct er_http_result *result)
{
    struct er_buf text;
    char shown[ER_HOST_SIZE + 32];
    er_origin_show(&r->origin, shown, sizeof shown);
    er_buf_init(&text, 990);
    if (r->blocked[0] && result->code == ERRAND_NETWORK)
        er_buf_addf(&text, "%s; only the user can open it, in errand.lua: "
            "http = { private = { \"%.80s:%d\" } }",
            r->blocked, r->origin.host, r->origin.port);
    else if (result->code == ERRAND_TIMEOUT)
        er_buf_addf(&text, "%.100s gave no whole answer in time", shown);
    else if (result->code == ERRAND_TOO_LARGE)
        er_buf_addf(&text, "the answer of %.100s is over %lld bytes; "
            "max_bytes can raise that to %d",
            shown, (long long)r->wish.max_bytes, ER_FETCH_BYTES_MOST);
    else
        er_buf_addf(&text, "%.100s: %s", shown, result->error->msg);
    refuse(r, er_buf_str(&text));
    er_buf_release(&text);
}

static void on_done(void *ctx, const struct er_http_result *result)
{
    struct request *r = ctx;
    if (result->code != ERRAND_OK)
        fail(r, result);
    else if (!follow(r))
        answer(r);
}

/* ------------------------------------------------------------- the service */

/* Go to the wish's URL, its secrets put in: they cannot move its host. */
static int go_first(struct request *r, struct errand_error *err)
{
    struct er_buf url;
    struct er_origin origin;
    char *normal = NULL;
    const char *text = r->wish.url;
    int rc = er_fetch_read_url(text, &origin, &normal, err);
    curl_free(normal);
    if (rc == ERRAND_OK)
        rc = er_fetch_permit(r->fetch, r->ask->tool, &origin, err);
    if (rc != ERRAND_OK)
        return rc;
    er_buf_init(&url, ER_FETCH_URL_MOST + 3 * ER_VAULT_LONGEST);
    r->first = origin;
    rc = er_vault_fill(r->fetch->settings.vault, &r->who, &origin, true,
        text, strlen(text), &url, err);
    if (rc == ERRAND_OK)
        rc = go(r, er_buf_str(&url), err);
    if (url.data)
        explicit_bzero(url.data, url.len);
    er_buf_release(&url);
    return rc;
}

static int begin(struct request *r, struct errand_error *err)
{
    struct er_fetch *f = r->fetch;
    int rc = er_fetch_read_wish(&r->wish, r->ask->params, err);
    if (rc != ERRAND_OK)
        return rc;
    er_buf_init(&r->body, (size_t)r->wish.max_bytes);
    r->until_ms = er_mono_ms() + r->wish.timeout_ms;
    if (r->until_ms > r->ask->until_ms)
        r->until_ms = r->ask->until_ms;
    if (!f->http)
        f->http = er_http_new(f->loop, err);
    if (!f->http)
        return err->code;
    return go_first(r, err);
}

static void on_ask(void *ctx, struct er_ask *ask)
{
    struct errand_error err = {0};
    struct request *r = calloc(1, sizeof *r);
    if (!r) {
        er_ask_refuse(ask, "out of memory");
        return;
    }
    r->fetch = ctx;
    r->ask = ask;
    r->who = (struct er_holder){
        .tool = ask->tool->name, .call = ask->call->job.id};
    er_buf_init(&r->wish.body, 1);
    er_buf_init(&r->body, 1);
    ask->state = r;
    if (begin(r, &err) != ERRAND_OK)
        refuse(r, err.msg);
}

static void on_cancel(void *ctx, struct er_ask *ask)
{
    (void)ctx;
    release(ask->state);
}

static bool may_use(const struct er_tool *tool, const char *name)
{
    const json_t *list = json_object_get(tool->permissions, "secrets");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *one = json_string_value(json_array_get(list, i));
        if (one && strcmp(one, name) == 0)
            return true;
    }
    return false;
}

static void on_secret(void *ctx, struct er_ask *ask)
{
    struct er_fetch *f = ctx;
    struct errand_error err = {0};
    char token[ER_VAULT_TOKEN];
    struct er_holder who = {
        .tool = ask->tool->name, .call = ask->call->job.id};
    const char *name = er_json_str(ask->params, "name");
    if (!name || !may_use(ask->tool, name))
        er_ask_refuse(ask, "the secret '%.40s' is not granted to %.40s; "
            "declare permissions = { secrets = { \"%.40s\" } }",
            name ? name : "", ask->tool->name, name ? name : "name");
    else if (er_vault_token(f->settings.vault, &who, name, token, &err) !=
             ERRAND_OK)
        er_ask_refuse(ask, "%s", err.msg);
    else
        er_ask_reply(ask, json_string(token));
}

struct er_fetch *er_fetch_new(struct er_loop *loop,
    const struct er_fetch_settings *settings, struct errand_error *err)
{
    struct er_fetch *f = calloc(1, sizeof *f);
    if (!f) {
        er_nomem(err);
        return NULL;
    }
    f->loop = loop;
    f->settings = *settings;
    if (!f->settings.why)
        f->settings.why = er_address_why;
    return f;
}

void er_fetch_free(struct er_fetch *f)
{
    if (!f)
        return;
    er_http_free(f->http);
    free(f);
}

int er_fetch_serve(struct er_fetch *f, er_tools *t, struct errand_error *err)
{
    const struct er_service http = {.name = "http",
        .permission = "net",
        .example = "net = { \"api.example.com\" }",
        .start = on_ask,
        .cancel = on_cancel,
        .ctx = f};
    const struct er_service secret = {.name = "secret",
        .permission = "secrets",
        .example = "secrets = { \"name\" }",
        .start = on_secret,
        .ctx = f};
    int rc = er_services_add(t, &http, err);
    return rc == ERRAND_OK ? er_services_add(t, &secret, err) : rc;
}
