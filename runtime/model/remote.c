/* Exchanges with an endpoint: from the request to the last event, over as
 * many attempts as it takes.
 *
 * An attempt ends in one of two ways: the reader said how the answer ends
 * (DONE or ERROR), or the transport or the status said that it failed. What
 * the reader says is kept until libcurl has returned, so that the last event
 * finds a connection ready for the next request. A failed attempt is
 * repeated while nothing was delivered and the time allows (retry.h).
 */
#include "model/remote.h"

#include "base/clock.h"
#include "base/text.h"
#include "model/endpoint.h"
#include "model/retry.h"
#include "model/wire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

enum {
    BODY_MAX = 256 << 20,
    KEPT_MAX = 32 << 20, /* of an answer, in the reader */
    REFUSAL_MAX = 64 * 1024,
    SESSION_MAX = 200,
    NOBODY_RETRIES = 2,   /* where nobody listens on this machine */
    NOBODY_WAIT_MS = 200, /* and twice that before the second */
};

struct er_remote {
    struct er_exchange base;
    struct er_endpoint *ep;
    struct er_remote *next_waiting; /* for a place at the endpoint */
    bool waiting, active;
    struct er_http_request req; /* its body is gone once call is there */
    er_http_call *call;
    er_reader *reader;
    struct er_timer timer; /* until the next attempt */
    int attempt;           /* 0 for the first */
    struct er_buf unstreamed; /* the body that asks for no stream, or "" */
    bool plainly;             /* the next attempt sends that one */
    int64_t deadline_ms, retry_ms; /* the end of all; of the wait */
    struct er_buf refusal; /* the body of an answer that is no 2xx */
    bool delivered;        /* text, reasoning or a call */
    bool has_usage;
    struct er_usage usage;
    struct { /* what the reader ended with */
        bool is, ok, retriable;
        enum er_finish finish;
        json_t *extra;
        struct errand_error error;
    } end;
    char shown[80]; /* its URL, for people */
    char *url, *session;
};

static void on_body(void *ctx, const char *bytes, size_t len);
static void on_done(void *ctx, const struct er_http_result *result);

/* ------------------------------------------------- life */

static void drop_answer(struct er_remote *r)
{
    er_reader_free(r->reader);
    r->reader = NULL;
    er_buf_reset(&r->refusal);
    json_decref(r->end.extra);
    memset(&r->end, 0, sizeof r->end);
    r->has_usage = false;
}

static void on_turn(void *ctx);

/* A place at the endpoint is free: the first that waits takes it, from the
 * loop. */
static void leave_endpoint(struct er_remote *r)
{
    struct er_endpoint *ep = r->ep;
    struct er_remote **at = &ep->waiting;
    for (; r->waiting && *at; at = &(*at)->next_waiting) {
        if (*at != r)
            continue;
        *at = r->next_waiting;
        if (!*at)
            ep->waiting_last = at;
        break;
    }
    if (!r->active)
        return;
    ep->active--;
    struct er_remote *next = ep->waiting;
    if (!next)
        return;
    ep->waiting = next->next_waiting;
    if (!ep->waiting)
        ep->waiting_last = &ep->waiting;
    next->waiting = false;
    next->active = true;
    ep->active++;
    /* Its timer was made when it began to wait: this cannot fail. */
    (void)er_timer_start(
        next->base.models->loop, &next->timer, 0, on_turn, next, NULL);
}

static void destroy(struct er_exchange *x)
{
    struct er_remote *r = (struct er_remote *)x;
    er_timer_stop(&r->timer);
    er_http_close(r->call);
    leave_endpoint(r);
    drop_answer(r);
    er_buf_release(&r->refusal);
    er_buf_release(&r->req.body);
    er_buf_release(&r->unstreamed);
    er_exchange_release(x);
    free(r->session);
    free(r->url);
    free(r);
}

/* ------------------------------------------------- errors for people */

/* "ollama (http://127.0.0.1:11434/v1/chat/completions): why; hint", the
 * hint kept whole, every secret hidden. */
static void explain(
    const struct er_remote *r, const char *hint, struct errand_error *err)
{
    char why[sizeof err->msg];
    er_secrets_hide_error(&r->ep->secrets, err);
    memcpy(why, err->msg, sizeof why);
    size_t taken = strlen(r->ep->name) + strlen(r->shown) + 5 +
                   (hint ? strlen(hint) + 2 : 0);
    size_t room = sizeof err->msg > taken + 1
                      ? sizeof err->msg - 1 - taken : 0;
    size_t cut = er_utf8_cut(why, strlen(why), room);
    int32_t detail = err->detail;
    er_fail(err, err->code, "%s (%s): %.*s%s%s", r->ep->name, r->shown,
        (int)cut, why, hint ? "; " : "", hint ? hint : "");
    err->detail = detail;
}

static void end_with_error(
    struct er_remote *r, const char *hint, struct errand_error *err)
{
    explain(r, hint, err);
    if (r->has_usage &&
        !er_exchange_emit(&r->base,
            &(struct er_model_event){
                .type = ER_MODEL_USAGE, .usage = &r->usage})) {
        destroy(&r->base);
        return;
    }
    er_exchange_emit(&r->base,
        &(struct er_model_event){.type = ER_MODEL_ERROR, .error = err});
    destroy(&r->base);
}

static void end_well(struct er_remote *r)
{
    bool on = true;
    if (r->has_usage)
        on = er_exchange_emit(&r->base,
            &(struct er_model_event){
                .type = ER_MODEL_USAGE, .usage = &r->usage});
    if (on)
        er_exchange_emit(&r->base,
            &(struct er_model_event){.type = ER_MODEL_DONE,
                .finish = r->end.finish,
                .extra = r->end.extra});
    destroy(&r->base);
}

/* ------------------------------------------------- attempts */

static struct er_retry_headers retry_headers(const struct er_remote *r)
{
    return (struct er_retry_headers){
        .should_retry = er_http_header(r->call, "x-should-retry"),
        .retry_after_ms = er_http_header(r->call, "retry-after-ms"),
        .retry_after = er_http_header(r->call, "retry-after")};
}

static uint32_t dice(void)
{
    uint32_t n = 0;
    if (getrandom(&n, sizeof n, GRND_NONBLOCK) != sizeof n)
        n = (uint32_t)er_mono_ms() * 2654435761u;
    return n;
}

static int send_request(struct er_remote *r, struct errand_error *err)
{
    struct er_http_request req = r->req;
    r->req.body = (struct er_buf){.max = 1};
    r->call = er_http_start(r->base.models->http, &req, err);
    return r->call ? ERRAND_OK : err ? err->code : ERRAND_NOMEM;
}

/* The same once more, or without a stream. */
static int send_again(struct er_remote *r, struct curl_slist *headers,
    struct errand_error *err)
{
    int64_t left = r->deadline_ms - er_mono_ms();
    left = left > 1 ? left : 1;
    if (!r->plainly)
        return er_http_again(r->call, headers, left, err);
    r->plainly = false;
    er_http_close(r->call);
    r->req.headers = headers;
    r->req.timeouts.total_ms = left;
    r->req.body = r->unstreamed;
    r->unstreamed = (struct er_buf){.max = 1};
    return send_request(r, err);
}

static void on_retry(void *ctx)
{
    struct er_remote *r = ctx;
    struct errand_error err = {0};
    int64_t early_ms = r->retry_ms - er_mono_ms();
    if (early_ms > 0) { /* libevent's clock is coarse */
        (void)er_timer_start(r->base.models->loop, &r->timer, early_ms,
            on_retry, r, NULL);
        return;
    }
    int rc = er_endpoint_look_for_key(r->ep, &err);
    struct curl_slist *headers =
        rc == ERRAND_OK ? er_endpoint_headers(r->ep) : NULL;
    if (rc == ERRAND_OK && !headers)
        rc = er_nomem(&err);
    if (rc == ERRAND_OK)
        rc = send_again(r, headers, &err);
    if (rc != ERRAND_OK)
        end_with_error(r, NULL, &err);
}

/* Nobody listens there on this machine: a server that is just starting gets
 * a moment, and nobody waits for one that was not started. */
static bool nobody_listens(
    const struct er_remote *r, const struct errand_error *why)
{
    return why->code == ERRAND_NETWORK && why->detail == ECONNREFUSED &&
           r->ep->facts.loopback;
}

/* True if another attempt will be made; then r may be gone, cancelled by
 * whoever heard of it. */
static bool try_again(struct er_remote *r, bool retriable,
    const struct errand_error *why)
{
    bool nobody = nobody_listens(r, why);
    int64_t most = r->ep->retries;
    if (nobody && most > NOBODY_RETRIES)
        most = NOBODY_RETRIES;
    if (r->delivered || r->attempt >= most)
        return false;
    struct er_retry_headers headers = retry_headers(r);
    if (!er_retry_wanted(&headers, retriable))
        return false;
    int64_t delay = er_retry_delay_ms(
        &headers, r->attempt + 1, er_now_ms() / 1000, dice());
    if (nobody || r->plainly)
        delay = nobody ? NOBODY_WAIT_MS * (r->attempt + INT64_C(1)) : 0;
    r->retry_ms = er_mono_ms() + delay;
    if (r->retry_ms >= r->deadline_ms)
        return false;
    struct errand_error err = *why;
    struct er_models *models = r->base.models;
    if (er_timer_start(models->loop, &r->timer, delay, on_retry, r, NULL) !=
        ERRAND_OK)
        return false;
    explain(r, NULL, &err);
    drop_answer(r);
    r->attempt++;
    er_log(models->log, ERRAND_LOG_DEBUG, "%s; attempt %d in %lld ms",
        err.msg, r->attempt + 1, (long long)delay);
    if (!er_exchange_emit(&r->base,
            &(struct er_model_event){.type = ER_MODEL_RETRY,
                .error = &err,
                .delay_ms = delay}))
        destroy(&r->base);
    return true;
}

static void fail(struct er_remote *r, bool retriable, const char *hint,
    struct errand_error *err)
{
    char key_hint[120];
    if (err->code == ERRAND_AUTH && er_http_status(r->call) == 401) {
        er_endpoint_key_refused(r->ep);
        const char *from =
            r->ep->key_file ? r->ep->key_file : r->ep->key_env;
        snprintf(key_hint, sizeof key_hint,
            r->ep->key ? "is the key in %.60s right?"
                       : "it wants a key: set %.60s",
            from ? from : "api_key_env");
        hint = key_hint;
    }
    if (try_again(r, retriable, err))
        return;
    end_with_error(r, r->delivered ? "the answer is incomplete" : hint, err);
}

/* ------------------------------------------------- answers */

static void on_event(void *ctx, const struct er_model_event *ev)
{
    struct er_remote *r = ctx;
    switch (ev->type) {
    case ER_MODEL_DONE:
        r->end.is = r->end.ok = true;
        r->end.finish = ev->finish;
        r->end.extra = json_incref((json_t *)ev->extra);
        if (r->end.extra && json_object_set_new(r->end.extra, "provider",
                                json_string(r->ep->name)) != 0) {
            r->end.ok = false;
            er_nomem(&r->end.error);
        }
        return;
    case ER_MODEL_ERROR:
        r->end.is = true;
        r->end.error = *ev->error;
        return;
    case ER_MODEL_USAGE:
        r->usage = *ev->usage;
        r->has_usage = true;
        return;
    default:
        r->delivered = true;
        er_exchange_emit(&r->base, ev);
    }
}

static void end_reading(struct er_remote *r, int code, const char *text)
{
    r->end.is = true;
    r->end.ok = r->end.retriable = false;
    er_fail(&r->end.error, code, "%s", text);
}

/* A web page where an answer was wanted: a portal, a wrong path. */
static bool is_page(const char *bytes, size_t len)
{
    while (len > 0 && strchr(" \t\r\n\xEF\xBB\xBF", *bytes) && *bytes) {
        bytes++;
        len--;
    }
    return len > 0 && *bytes == '<';
}

static bool is_type(const char *type, const char *want)
{
    return type && strncasecmp(type, want, strlen(want)) == 0;
}

static void begin_reading(struct er_remote *r, const char *bytes, size_t len)
{
    const char *type = er_http_header(r->call, "content-type");
    enum er_framing framing =
        is_type(type, "text/event-stream") ? ER_SSE : ER_WHOLE;
    size_t max = (size_t)r->ep->max_bytes;
    if (is_page(bytes, len)) {
        end_reading(r, ERRAND_PROTOCOL,
            "answered with a web page; is base_url right?");
        return;
    }
    r->reader = er_reader_new(r->ep->dialect, framing,
        max < KEPT_MAX ? max : KEPT_MAX, on_event, r);
    if (!r->reader)
        end_reading(r, ERRAND_NOMEM, "out of memory");
}

static bool is_good(long status) { return status >= 200 && status < 300; }

static void keep_refusal(struct er_remote *r, const char *bytes, size_t len)
{
    size_t room = REFUSAL_MAX - r->refusal.len;
    er_buf_add(&r->refusal, bytes, len < room ? len : room);
}

static void on_body(void *ctx, const char *bytes, size_t len)
{
    struct er_remote *r = ctx;
    if (!r->reader && !is_good(er_http_status(r->call))) {
        keep_refusal(r, bytes, len);
        return;
    }
    if (!r->reader)
        begin_reading(r, bytes, len);
    if (!r->end.is)
        er_reader_feed(r->reader, bytes, len);
    if (r->base.cancelled)
        destroy(&r->base);
    else if (r->end.is)
        er_http_enough(r->call);
}

static void fail_status(struct er_remote *r, long status)
{
    struct errand_error err = {0};
    bool retriable = false;
    struct er_buf *body = &r->refusal;
    if (er_buf_reserve(body, 0))
        body->len = er_secrets_hide(
            &r->ep->secrets, ER_SECRET_IN_ERRORS, body->data, body->len);
    er_wire_error(r->ep->dialect, status, er_buf_str(body), body->len,
        &retriable, &err);
    if (err.detail == 0)
        err.detail = (int32_t)status;
    fail(r, retriable, NULL, &err);
}

/* Let the reader say what the answer amounts to. False: it was cancelled
 * meanwhile, and r is gone. */
static bool end_reading_all(struct er_remote *r)
{
    if (!r->reader)
        begin_reading(r, "", 0);
    if (!r->end.is)
        er_reader_end(r->reader);
    if (r->base.cancelled) {
        destroy(&r->base);
        return false;
    }
    if (!r->end.is)
        end_reading(r, ERRAND_BUG, "the answer was read and has no end");
    return true;
}

/* The connection failed, but perhaps behind the answer's last word. */
static bool is_whole_already(struct er_remote *r, int code)
{
    return r->reader && !r->end.is &&
           (code == ERRAND_NETWORK || code == ERRAND_TIMEOUT);
}

/* Workers AI answers some requests with an empty stream, and with a text if
 * no stream is asked for. True if that is tried, and r may be gone. */
static bool try_unstreamed(struct er_remote *r)
{
    struct errand_error err = {0};
    if (r->delivered || r->unstreamed.len == 0)
        return false;
    er_fail(&err, ERRAND_PROTOCOL,
        "the stream ended without an answer; asking without a stream");
    r->plainly = true;
    bool tried = try_again(r, true, &err);
    if (!tried)
        r->plainly = false;
    return tried;
}

static void on_done(void *ctx, const struct er_http_result *result)
{
    struct er_remote *r = ctx;
    struct errand_error err = {0};
    long status = er_http_status(r->call);
    if (is_whole_already(r, result->code)) {
        if (!end_reading_all(r))
            return;
        r->end.is = r->end.ok;
    }
    if (!r->end.is && result->code != ERRAND_OK) {
        err = *result->error;
        fail(r, result->retriable, NULL, &err);
        return;
    }
    if (!r->end.is && !is_good(status)) {
        fail_status(r, status);
        return;
    }
    if (!r->end.is && !end_reading_all(r))
        return;
    if (r->end.ok) {
        if (!try_unstreamed(r))
            end_well(r);
        return;
    }
    err = r->end.error;
    fail(r, r->reader && er_reader_retriable(r->reader), NULL, &err);
}

/* ------------------------------------------------- starting */

static int send_first(struct er_remote *r, struct errand_error *err)
{
    struct er_models *models = r->base.models;
    if (!models->http)
        models->http = er_http_new(models->loop, err);
    if (!models->http)
        return err ? err->code : ERRAND_NOMEM;
    r->req.headers = er_endpoint_headers(r->ep);
    if (!r->req.headers)
        return er_nomem(err);
    r->deadline_ms = er_mono_ms() + r->ep->timeouts.total_ms;
    return send_request(r, err);
}

static void on_turn(void *ctx)
{
    struct er_remote *r = ctx;
    struct errand_error err = {0};
    if (send_first(r, &err) != ERRAND_OK)
        end_with_error(r, NULL, &err);
}

/* Take a place at the endpoint, or wait for one. */
static int enter_endpoint(struct er_remote *r, struct errand_error *err)
{
    struct er_endpoint *ep = r->ep;
    if (ep->max_parallel == 0 || ep->active < ep->max_parallel) {
        r->active = true;
        ep->active++;
        return send_first(r, err);
    }
    /* Make the timer now, so that setting it later needs no memory. */
    int rc = er_timer_start(
        r->base.models->loop, &r->timer, INT32_MAX, on_turn, r, err);
    if (rc != ERRAND_OK)
        return rc;
    r->waiting = true;
    *ep->waiting_last = r;
    ep->waiting_last = &r->next_waiting;
    return ERRAND_OK;
}

/* "x-session-affinity: key"; a key that cannot stand in a header is left
 * out: it only helps a cache. */
static int set_session(struct er_remote *r, const char *key,
    struct errand_error *err)
{
    const char *name = r->ep->session_header;
    if (!name || !key || !*key || strlen(key) > SESSION_MAX)
        return ERRAND_OK;
    for (const char *c = key; *c; c++) {
        if (*c <= ' ' || *c >= 0x7f)
            return ERRAND_OK;
    }
    struct er_buf line;
    er_buf_init(&line, 1024);
    er_buf_addf(&line, "%s: %s", name, key);
    r->session = er_buf_take(&line, NULL);
    r->req.extra_header = r->session;
    return r->session ? ERRAND_OK : er_nomem(err);
}

static int prepare(struct er_remote *r, const char *name,
    const struct er_model_request *given, struct errand_error *err)
{
    struct er_endpoint *ep = r->ep;
    struct er_buf url;
    er_buf_init(&url, 16384);
    if (er_endpoint_url(ep, name, &url))
        r->url = er_buf_take(&url, NULL);
    er_buf_release(&url);
    if (!r->url)
        return er_nomem(err);
    er_url_show(r->url, r->shown, sizeof r->shown);
    struct er_model_request req = *given;
    req.model = name;
    req.provider = ep->name;
    r->req = (struct er_http_request){.url = r->url,
        .timeouts = ep->timeouts,
        .max_bytes = (size_t)ep->max_bytes,
        .direct = ep->facts.loopback,
        .on_body = on_body,
        .on_done = on_done,
        .ctx = r};
    er_buf_init(&r->req.body, BODY_MAX);
    er_buf_init(&r->refusal, REFUSAL_MAX);
    er_buf_init(&r->unstreamed, BODY_MAX);
    int rc =
        er_wire_body(ep->dialect, &ep->quirks, &req, &r->req.body, err);
    req.stream = false;
    if (rc == ERRAND_OK && given->stream && ep->dialect == ER_WORKERS_AI)
        rc = er_wire_body(
            ep->dialect, &ep->quirks, &req, &r->unstreamed, err);
    if (rc == ERRAND_OK)
        rc = set_session(r, req.session_key, err);
    return rc;
}

int er_remote_start(struct er_models *models, struct er_endpoint *ep,
    const char *model, const char *name, const struct er_model_request *req,
    er_model_event_fn event, void *ctx, struct er_exchange **out,
    struct errand_error *err)
{
    struct errand_error own = {0};
    err = err ? err : &own;
    struct er_remote *r = calloc(1, sizeof *r);
    if (!r)
        return er_nomem(err);
    r->ep = ep;
    r->base.destroy = destroy;
    r->refusal.max = r->req.body.max = r->unstreamed.max = 1;
    int rc = prepare(r, name, req, err);
    if (rc == ERRAND_OK)
        rc = er_exchange_init(
            &r->base, models, model, req, &ep->secrets, event, ctx, err);
    if (rc != ERRAND_OK) {
        er_buf_release(&r->req.body);
        er_buf_release(&r->unstreamed);
        free(r->session);
        free(r->url);
        free(r);
        return rc;
    }
    rc = enter_endpoint(r, err);
    if (rc != ERRAND_OK) {
        destroy(&r->base);
        return rc;
    }
    *out = &r->base;
    return ERRAND_OK;
}
