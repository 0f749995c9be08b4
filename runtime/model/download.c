/* Requests one after the other. See download.h. */
#include "model/download.h"

#include "base/clock.h"
#include "base/text.h"
#include "model/retry.h"
#include "model/url.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    TICK_MS = 100,
    MOST_HOPS = 8,
    SHOWN = 120, /* of an address, in messages */
    WAIT_MS = 60000,
};

struct one {
    struct er_download *d;
    const struct er_wish *wish;
    struct er_reply *reply;
    er_http_call *call;
    bool begun, over, enough;
    int code;
    struct errand_error *err;
};

int er_download_open(struct er_download *d, struct errand_error *err)
{
    d->loop = er_loop_new(err);
    d->http = d->loop ? er_http_new(d->loop, err) : NULL;
    return d->http ? ERRAND_OK : (err ? err->code : ERRAND_NOMEM);
}

void er_download_close(struct er_download *d)
{
    er_http_free(d->http);
    er_loop_free(d->loop);
    d->http = NULL;
    d->loop = NULL;
}

bool er_download_pause(struct er_download *d, int64_t ms)
{
    int64_t end = er_mono_ms() + ms;
    for (int64_t left; (left = end - er_mono_ms()) > 0;) {
        if (d->go_on && !d->go_on(d->ctx))
            return false;
        er_loop_run(d->loop, left < TICK_MS ? left : TICK_MS);
    }
    return !d->go_on || d->go_on(d->ctx);
}

/* ------------------------------------------------------ reading the head */

static bool is_redirect(long status)
{
    return (status >= 301 && status <= 303) || status == 307 || status == 308;
}

/* "bytes 5-9/100" */
static void read_range(const char *text, struct er_reply *r)
{
    int64_t from = 0, to = 0, total = -1;
    if (sscanf(text, "bytes %" SCNd64 "-%" SCNd64 "/%" SCNd64, &from, &to,
            &total) >= 2) {
        r->from = from;
        r->total = total;
    }
}

/* An etag without its quotes; a weak one says nothing about bytes. */
static void read_etag(const char *text, char *out, size_t size)
{
    size_t n = text ? strlen(text) : 0;
    out[0] = '\0';
    if (n < 2 || n - 2 >= size || text[0] != '"' || text[n - 1] != '"')
        return;
    memcpy(out, text + 1, n - 2);
    out[n - 2] = '\0';
}

static bool is_sha256(const char *s)
{
    return strspn(s, "0123456789abcdefABCDEF") == 64 && s[64] == '\0';
}

/* What the hub says of a large file stands in the answer that redirects. */
static void read_sum(const er_http_call *c, struct er_reply *r)
{
    char etag[sizeof r->etag];
    read_etag(er_http_header(c, "x-linked-etag"), etag, sizeof etag);
    if (r->sha256[0] == '\0' && is_sha256(etag))
        memcpy(r->sha256, etag, 65);
}

static void read_head(struct one *o)
{
    struct er_reply *r = o->reply;
    const char *length = er_http_header(o->call, "content-length");
    const char *range = er_http_header(o->call, "content-range");
    r->status = er_http_status(o->call);
    r->from = 0;
    r->total = length ? strtoll(length, NULL, 10) : -1;
    if (r->status == 206) {
        r->total = -1;
        if (range)
            read_range(range, r);
    }
    read_etag(er_http_header(o->call, "etag"), r->etag, sizeof r->etag);
    read_sum(o->call, r);
    o->begun = true;
}

/* ------------------------------------------------------------- one request */

static void on_body(void *ctx, const char *bytes, size_t len)
{
    struct one *o = ctx;
    if (o->enough)
        return;
    if (!o->begun)
        read_head(o);
    if (o->reply->status != 200 && o->reply->status != 206)
        return;
    if (!o->wish->on_bytes(o->wish->ctx, o->reply, bytes, len)) {
        o->enough = true;
        er_http_enough(o->call);
    }
}

static void on_done(void *ctx, const struct er_http_result *result)
{
    struct one *o = ctx;
    o->over = true;
    o->code = result->code;
    o->reply->retriable = result->retriable;
    if (result->code != ERRAND_OK && o->err)
        *o->err = *result->error;
    er_loop_stop(o->d->loop);
}

static bool add(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);
    *list = longer ? longer : *list;
    return longer != NULL;
}

/* Scheme, host and port of both are the same. */
static bool same_origin(const char *a, const char *b)
{
    size_t n = strlen("https://"), m = n;
    n += strcspn(a + (strlen(a) < n ? strlen(a) : n), "/?#");
    m += strcspn(b + (strlen(b) < m ? strlen(b) : m), "/?#");
    return n == m && strncasecmp(a, b, n) == 0;
}

static bool headers_for(const struct one *o, const char *url,
    struct curl_slist **out)
{
    const struct er_wish *w = o->wish;
    char line[2048];
    /* compressed, bytes would not stand where ranges say */
    bool ok = add(out, "Accept-Encoding: identity") &&
              add(out, "User-Agent: errand/" ERRAND_VERSION);
    if (w->one_byte)
        ok = ok && add(out, "Range: bytes=0-0");
    else if (w->from > 0) {
        snprintf(line, sizeof line, "Range: bytes=%" PRId64 "-", w->from);
        ok = ok && add(out, line);
        if (w->etag && w->etag[0]) {
            snprintf(line, sizeof line, "If-Range: \"%s\"", w->etag);
            ok = ok && add(out, line);
        }
    }
    if (o->d->token && o->d->hub && same_origin(o->d->hub, url)) {
        snprintf(line, sizeof line, "Authorization: Bearer %.2000s",
            o->d->token);
        ok = ok && add(out, line);
    }
    return ok;
}

/* Send and wait; the call stays for its headers. */
static int ask(struct one *o, const char *url, struct curl_slist *headers,
    struct errand_error *err)
{
    struct er_url_facts facts = {0};
    int rc = er_url_check(url, &facts, err);
    if (rc != ERRAND_OK)
        return rc;
    struct er_http_request req = {.url = url, .method = "GET",
        .direct = facts.loopback,
        .headers = headers, .max_bytes = SIZE_MAX / 2, .on_body = on_body,
        .on_done = on_done, .ctx = o,
        .timeouts = {.connect_ms = 15000, .first_byte_ms = WAIT_MS,
            .idle_ms = WAIT_MS, .total_ms = (int64_t)7 * 86400 * 1000}};
    er_buf_init(&req.body, 1);
    o->begun = o->over = false;
    o->code = ERRAND_OK;
    o->err = err;
    o->call = er_http_start(o->d->http, &req, err);
    if (!o->call)
        return err->code;
    while (!o->over) {
        if (o->d->go_on && !o->d->go_on(o->d->ctx))
            return er_fail(err, ERRAND_CANCELLED, "interrupted");
        er_loop_run(o->d->loop, TICK_MS);
    }
    if (!o->begun)
        read_head(o);
    return o->code;
}

/* ------------------------------------------------------------- redirects */

/* Where the answer sends us to, as a whole address; caller frees with
 * free(). NULL after er_fail. */
static char *next_url(const struct one *o, const char *from,
    struct errand_error *err)
{
    const char *to = er_http_header(o->call, "location");
    CURLU *u = curl_url();
    char *text = NULL, *out = NULL, shown[SHOWN];
    er_url_show(from, shown, sizeof shown);
    if (!to || !u || curl_url_set(u, CURLUPART_URL, from, 0) ||
        curl_url_set(u, CURLUPART_URL, to, 0) ||
        curl_url_get(u, CURLUPART_URL, &text, 0))
        er_fail(err, ERRAND_PROTOCOL,
            "%s sends elsewhere without saying where to", shown);
    else if (strncasecmp(from, "https:", 6) == 0 &&
             strncasecmp(text, "https:", 6) != 0)
        er_fail(err, ERRAND_PROTOCOL,
            "%s sends to an address that is not https; that is refused",
            shown);
    else if (!(out = er_strdup(text)))
        er_nomem(err);
    curl_free(text);
    curl_url_cleanup(u);
    return out;
}

/* ---------------------------------------------------------- what it means */

static int refused(const struct one *o, const char *url,
    struct errand_error *err)
{
    char shown[SHOWN];
    long status = o->reply->status;
    er_url_show(url, shown, sizeof shown);
    o->reply->retriable = er_retry_status(status);
    if (status == 401 || status == 403)
        return er_fail(err, ERRAND_AUTH, o->d->token
            ? "%s refuses the token (status %ld); has its owner accepted the "
              "model's licence there?"
            : "%s wants a token (status %ld); set HF_TOKEN, after its owner "
              "has accepted the model's licence there", shown, status);
    if (status == 404 || status == 410)
        return er_fail(err, ERRAND_NOT_FOUND, "%s is not there (status %ld); "
            "is its name right?", shown, status);
    if (status == 416)
        return er_fail(err, ERRAND_RANGE, "%s has nothing from byte %lld on",
            shown, (long long)o->wish->from);
    return er_fail(err, status == 429 ? ERRAND_RATE_LIMIT : ERRAND_PROVIDER,
        "%s answers with status %ld; try again later", shown, status);
}

static int judge(struct one *o, const char *url, int code,
    struct errand_error *err)
{
    char shown[SHOWN];
    if (code == ERRAND_CANCELLED)
        return code;
    if (code != ERRAND_OK && !o->enough) {
        er_url_show(url, shown, sizeof shown);
        return er_while(err, "%s", shown);
    }
    if (o->reply->status != 200 && o->reply->status != 206)
        return refused(o, url, err);
    return ERRAND_OK;
}

/* One hop; *next is where to go on, NULL when it is over. */
static int hop(struct one *o, const char *url, char **next,
    struct errand_error *err)
{
    struct curl_slist *headers = NULL;
    *next = NULL;
    if (!headers_for(o, url, &headers)) {
        curl_slist_free_all(headers);
        return er_nomem(err);
    }
    int rc = ask(o, url, headers, err);
    if (rc == ERRAND_OK && is_redirect(o->reply->status)) {
        *next = next_url(o, url, err);
        rc = *next ? ERRAND_OK : err->code;
    } else {
        rc = judge(o, url, rc, err);
    }
    er_http_close(o->call);
    o->call = NULL;
    curl_slist_free_all(headers);
    return rc;
}

int er_download_get(struct er_download *d, const struct er_wish *wish,
    struct er_reply *reply, struct errand_error *err)
{
    struct one o = {.d = d, .wish = wish, .reply = reply};
    struct errand_error mine = {0};
    char *url = er_strdup(wish->url), *next = NULL;
    int rc = url ? ERRAND_OK : er_nomem(&mine);
    *reply = (struct er_reply){.total = -1};
    for (int i = 0; rc == ERRAND_OK; i++) {
        if (i == MOST_HOPS) {
            rc = er_fail(&mine, ERRAND_PROTOCOL, "more than %d redirects",
                MOST_HOPS);
            break;
        }
        rc = hop(&o, url, &next, &mine);
        if (!next)
            break;
        free(url);
        url = next;
    }
    free(url);
    if (rc != ERRAND_OK && err)
        *err = mine;
    return rc;
}
