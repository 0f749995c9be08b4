/* What a tool may say about a request, and what is for the runtime alone. */
#include "fetch_parts.h"

#include "base/base64.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const methods[] = {
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", NULL};

/* Headers that say how the message itself is cut, or whom it is for. */
static const char *const ours[] = {"host", "content-length",
    "transfer-encoding", "connection", "keep-alive", "upgrade", "te",
    "trailer", "expect", "accept-encoding", NULL};

static int read_method(struct er_fetch_wish *w, const json_t *params,
    struct errand_error *err)
{
    const json_t *v = json_object_get(params, "method");
    const char *name = json_string_value(v);
    w->method = w->body.len > 0 ? "POST" : "GET";
    if (!v || json_is_null(v))
        return ERRAND_OK;
    for (size_t i = 0; name && methods[i]; i++) {
        if (strcasecmp(name, methods[i]) == 0) {
            w->method = methods[i];
            return ERRAND_OK;
        }
    }
    return er_fail(err, ERRAND_USAGE,
        "method '%.20s' must be GET, HEAD, POST, PUT, PATCH, DELETE or "
        "OPTIONS",
        name ? name : "");
}

static bool is_field_name(const char *name)
{
    if (!*name || strlen(name) > 200)
        return false;
    for (; *name; name++)
        if (!isalnum((unsigned char)*name) &&
            !strchr("!#$%&'*+-.^_`|~", *name))
            return false;
    return true;
}

static bool is_ours(const char *name)
{
    for (size_t i = 0; ours[i]; i++)
        if (strcasecmp(name, ours[i]) == 0)
            return true;
    return strncasecmp(name, "proxy-", 6) == 0;
}

static bool is_field_value(const json_t *v)
{
    const char *s = json_string_value(v);
    size_t len = json_string_length(v);
    for (size_t i = 0; s && i < len; i++)
        if (((unsigned char)s[i] < ' ' && s[i] != '\t') || s[i] == 0x7f)
            return false;
    return s != NULL;
}

static int read_headers(struct er_fetch_wish *w, const json_t *params,
    struct errand_error *err)
{
    json_t *headers = json_object_get(params, "headers"), *v;
    const char *name;
    if (!headers || json_is_null(headers))
        return ERRAND_OK;
    if (!json_is_object(headers))
        return er_fail(err, ERRAND_USAGE,
            "headers must be a table of texts, such as "
            "{ accept = \"text/html\" }");
    if (json_object_size(headers) > ER_FETCH_HEADERS_MOST)
        return er_fail(err, ERRAND_USAGE, "more than %d headers",
            ER_FETCH_HEADERS_MOST);
    json_object_foreach(headers, name, v)
    {
        if (!is_field_name(name) || !is_field_value(v))
            return er_fail(err, ERRAND_USAGE,
                "header '%.60s' must be a name with a text of one line",
                name);
        if (is_ours(name))
            return er_fail(err, ERRAND_USAGE,
                "the header %.60s is set by errand itself", name);
    }
    w->headers = headers;
    return ERRAND_OK;
}

/* body, body64 or json; at most one of them. */
static int read_body(struct er_fetch_wish *w, const json_t *params,
    struct errand_error *err)
{
    const json_t *text = json_object_get(params, "body");
    const json_t *coded = json_object_get(params, "body64");
    const json_t *value = json_object_get(params, "json");
    if ((text != NULL) + (coded != NULL) + (value != NULL) > 1)
        return er_fail(
            err, ERRAND_USAGE, "body and json: only one of them");
    if ((text && !json_is_string(text)) || (coded && !json_is_string(coded)))
        return er_fail(err, ERRAND_USAGE, "body must be a text");
    if (text) {
        er_buf_add(&w->body, json_string_value(text),
            json_string_length(text));
    } else if (value) {
        er_json_add(&w->body, value);
        w->type = "application/json";
    } else if (coded) {
        size_t len = json_string_length(coded), got = 0;
        char *bytes = malloc(er_base64_room(len));
        bool ok = bytes && er_base64_read(json_string_value(coded), len,
                               bytes, &got);
        if (ok)
            er_buf_add(&w->body, bytes, got);
        bool starved = !bytes;
        free(bytes);
        if (!ok)
            return starved ? er_nomem(err)
                           : er_fail(err, ERRAND_USAGE,
                                 "body64 is no base64");
    }
    if (!w->body.failed)
        return ERRAND_OK;
    return w->body.no_memory ? er_nomem(err)
                             : er_fail(err, ERRAND_TOO_LARGE,
                                   "the body is over %d MiB",
                                   ER_FETCH_BODY_MOST / (1024 * 1024));
}

static int read_number(const json_t *params, const char *name, int64_t least,
    int64_t most, int64_t *out, struct errand_error *err)
{
    const json_t *v = json_object_get(params, name);
    if (!v || json_is_null(v))
        return ERRAND_OK;
    int64_t n = er_json_int(params, name, least - 1);
    if (n < least || n > most)
        return er_fail(err, ERRAND_USAGE, "%s must be %lld to %lld", name,
            (long long)least, (long long)most);
    *out = n;
    return ERRAND_OK;
}

static int read_limits(struct er_fetch_wish *w, const json_t *params,
    struct errand_error *err)
{
    int64_t redirects = ER_FETCH_REDIRECTS;
    w->timeout_ms = ER_FETCH_TIMEOUT_MS;
    w->max_bytes = ER_FETCH_BYTES;
    int rc = read_number(
        params, "timeout_ms", 1, 3600 * 1000, &w->timeout_ms, err);
    if (rc == ERRAND_OK)
        rc = read_number(params, "max_bytes", 1, ER_FETCH_BYTES_MOST,
            &w->max_bytes, err);
    if (rc == ERRAND_OK)
        rc = read_number(
            params, "redirects", 0, ER_FETCH_REDIRECTS, &redirects, err);
    w->redirects = (int)redirects;
    return rc;
}

int er_fetch_read_wish(struct er_fetch_wish *w, const json_t *params,
    struct errand_error *err)
{
    const json_t *url = json_object_get(params, "url");
    *w = (struct er_fetch_wish){.url = json_string_value(url)};
    er_buf_init(&w->body, ER_FETCH_BODY_MOST);
    if (!w->url || strlen(w->url) != json_string_length(url))
        return er_fail(err, ERRAND_USAGE, "url must be a text");
    int rc = read_body(w, params, err);
    if (rc == ERRAND_OK)
        rc = read_method(w, params, err);
    if (rc == ERRAND_OK)
        rc = read_headers(w, params, err);
    return rc == ERRAND_OK ? read_limits(w, params, err) : rc;
}
