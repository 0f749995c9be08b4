/* Calls: their life from start to close, and when libcurl may be entered.
 * See http.h. Sockets are http_socket.c's, reasons http_error.c's. */
#include "base/http.h"

#include "base/clock.h"
#include "base/text.h"
#include "base/http_error.h"
#include "base/http_socket.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>

enum {
    MOST_CALLS = 65536,    /* at once */
    KEPT_FOR_OTHERS = 128, /* descriptors */
    KEPT_CONNECTIONS = 2048,
    KEPT_EASIES = 256, /* idle handles; each holds some 20 KiB */
    MAX_HEADER_BYTES = 256 * 1024,
    LINGER_MS = 1000,
    LINGER_BYTES = 64 * 1024,
};

enum phase {
    IDLE = 0,       /* not sent, or its answer is over */
    CONNECTING = 1, /* libcurl keeps the time */
    WAITING = 2,    /* for the first byte of the body */
    READING = 3,    /* bytes come */
    LINGERING = 4,  /* the owner is gone, only the connection matters */
};

struct er_http_call {
    struct er_http *http;
    struct er_http_call *prev, *next; /* all calls */
    struct er_http_call *later;       /* put off, or waiting */
    bool put_off, begin_later, close_later, enough, waiting;
    CURL *easy; /* while it is sent and its answer can be asked */
    enum phase phase;
    int64_t since_ms, end_ms; /* of the phase's time, of the whole */
    size_t body_bytes, header_bytes;
    int fault; /* why a callback broke the transfer off, or OK */
    char length[24]; /* the content-length that was seen, or "" */
    char *url;
    struct curl_slist extra; /* in front of the endpoint's headers */
    struct er_http_request req;
    char text[CURL_ERROR_SIZE];
};

struct er_http {
    struct er_loop *loop;
    CURLM *multi;
    struct er_http_sockets sockets;
    struct er_http_call *calls;
    struct er_http_call *first_later, **last_later;
    /* for a descriptor: no more calls at once than there are */
    struct er_http_call *first_waiting, **last_waiting;
    long running, most;
    CURL *easies[KEPT_EASIES];
    size_t easy_count;
    struct er_timer clock;
    int64_t clock_ms; /* when it fires; INT64_MAX: not set */
    int inside;       /* libcurl is running */
    bool settling;
};

static void settle(struct er_http *h);

/* ------------------------------------------------- time limits
 *
 * One timer for all calls: it fires at the earliest end of any phase, looks
 * at every call and is set again. A byte that arrives moves only a number. */

static int64_t due_ms(const struct er_http_call *c)
{
    const struct er_http_timeouts *t = &c->req.timeouts;
    int64_t due = c->end_ms;
    if (c->phase == WAITING && c->since_ms + t->first_byte_ms < due)
        due = c->since_ms + t->first_byte_ms;
    if (c->phase == READING && c->since_ms + t->idle_ms < due)
        due = c->since_ms + t->idle_ms;
    return due;
}

static void on_clock(void *ctx);

static void set_clock(struct er_http *h, int64_t due, int64_t now)
{
    if (due >= h->clock_ms)
        return;
    h->clock_ms = due;
    /* Without memory for the timer libcurl's own limit still holds. */
    (void)er_timer_start(
        h->loop, &h->clock, due > now ? due - now : 0, on_clock, h, NULL);
}

static void enter(struct er_http_call *c, enum phase phase)
{
    int64_t now = er_mono_ms();
    c->phase = phase;
    c->since_ms = now;
    if (phase == LINGERING)
        c->end_ms = now + LINGER_MS;
    if (phase != IDLE)
        set_clock(c->http, due_ms(c), now);
}

/* ------------------------------------------------- libcurl's callbacks */

static bool dropped(struct er_http_call *c, size_t len)
{
    c->body_bytes += len;
    return c->body_bytes <= LINGER_BYTES;
}

static size_t on_write(char *bytes, size_t one, size_t len, void *ctx)
{
    struct er_http_call *c = ctx;
    (void)one;
    if (c->close_later)
        return CURL_WRITEFUNC_ERROR;
    if (c->phase == LINGERING || c->enough)
        return dropped(c, len) ? len : CURL_WRITEFUNC_ERROR;
    if (len > c->req.max_bytes - c->body_bytes) {
        c->fault = ERRAND_TOO_LARGE;
        return CURL_WRITEFUNC_ERROR;
    }
    c->body_bytes += len;
    if (c->phase == READING)
        c->since_ms = er_mono_ms();
    else
        enter(c, READING);
    c->req.on_body(c->req.ctx, bytes, len);
    return c->close_later ? CURL_WRITEFUNC_ERROR : len;
}

/* Two lengths that differ: whoever stands between us and the server may
 * have seen another answer than we do. libcurl would take the last. */
static bool contradicts(
    struct er_http_call *c, const char *line, size_t len)
{
    static const char name[] = "content-length:";
    size_t n = sizeof name - 1;
    if (len >= 5 && memcmp(line, "HTTP/", 5) == 0)
        c->length[0] = '\0'; /* a further block of headers */
    if (len <= n || strncasecmp(line, name, n) != 0)
        return false;
    while (n < len && (line[n] == ' ' || line[n] == '\t'))
        n++;
    while (len > n && strchr(" \t\r\n", line[len - 1]))
        len--;
    char value[sizeof c->length];
    snprintf(value, sizeof value, "%.*s", (int)(len - n), line + n);
    if (c->length[0] && strcmp(c->length, value) != 0)
        return true;
    memcpy(c->length, value, sizeof value);
    return false;
}

static size_t on_header(char *bytes, size_t one, size_t len, void *ctx)
{
    struct er_http_call *c = ctx;
    (void)one;
    c->header_bytes += len;
    if (c->header_bytes > MAX_HEADER_BYTES)
        c->fault = ERRAND_TOO_LARGE;
    else if (contradicts(c, bytes, len))
        c->fault = ERRAND_PROTOCOL;
    return c->fault == ERRAND_OK ? len : CURL_WRITEFUNC_ERROR;
}

/* May the address in ip, as libcurl writes it, be spoken to? */
static bool is_allowed(const struct er_http_call *c, const char *ip, int port)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    v4.sin_port = v6.sin6_port = htons((uint16_t)port);
    if (inet_pton(AF_INET, ip, &v4.sin_addr) == 1)
        return c->req.allow(c->req.ctx, (struct sockaddr *)&v4);
    if (inet_pton(AF_INET6, ip, &v6.sin6_addr) == 1)
        return c->req.allow(c->req.ctx, (struct sockaddr *)&v6);
    return false;
}

static curl_socket_t on_open(
    void *ctx, curlsocktype purpose, struct curl_sockaddr *addr)
{
    struct er_http_call *c = ctx;
    bool fits = purpose == CURLSOCKTYPE_IPCXN &&
                c->req.allow(c->req.ctx, &addr->addr);
    return fits ? er_http_sockets_open(&c->http->sockets, addr)
                : CURL_SOCKET_BAD;
}

static int on_connected(void *ctx, char *ip, char *own_ip, int port,
    int own_port)
{
    struct er_http_call *c = ctx;
    (void)own_ip;
    (void)own_port;
    if (c->req.allow && !is_allowed(c, ip, port))
        return CURL_PREREQFUNC_ABORT;
    if (c->phase == CONNECTING)
        enter(c, WAITING);
    return CURL_PREREQFUNC_OK;
}

/* ------------------------------------------------- easy handles */

/* Whom to trust besides the system's own list, named as for curl. */
static const char *certificates(void)
{
    const char *file = getenv("CURL_CA_BUNDLE");
    if (!file || !*file)
        file = getenv("SSL_CERT_FILE");
    return file && *file ? file : NULL;
}

static CURL *new_easy(void)
{
    CURL *e = curl_easy_init();
    if (!e)
        return NULL;
    const char *trusted = certificates();
    if (curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https") !=
            CURLE_OK ||
        curl_easy_setopt(e, CURLOPT_REDIR_PROTOCOLS_STR, "http,https") !=
            CURLE_OK ||
        /* all that it decodes */
        curl_easy_setopt(e, CURLOPT_ACCEPT_ENCODING, "") != CURLE_OK ||
        (trusted &&
            curl_easy_setopt(e, CURLOPT_CAINFO, trusted) != CURLE_OK)) {
        curl_easy_cleanup(e);
        return NULL;
    }
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
    /* Cancelling must not wait for a resolver that hangs. */
    curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_write);
    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, on_connected);
    return e;
}

static CURL *take_easy(struct er_http *h)
{
    return h->easy_count ? h->easies[--h->easy_count] : new_easy();
}

static void give_easy(struct er_http_call *c)
{
    struct er_http *h = c->http;
    if (!c->easy)
        return;
    curl_easy_setopt(c->easy, CURLOPT_ERRORBUFFER, NULL);
    if (h->easy_count < KEPT_EASIES)
        h->easies[h->easy_count++] = c->easy;
    else
        curl_easy_cleanup(c->easy);
    c->easy = NULL;
}

/* The method; a handle that was used before keeps nothing of its last. */
static bool set_method(struct er_http_call *c)
{
    CURL *e = c->easy;
    const struct er_http_request *r = &c->req;
    const char *custom = NULL;
    if (!r->method || strcmp(r->method, "POST") == 0) {
        curl_easy_setopt(e, CURLOPT_POST, 1L);
    } else if (strcmp(r->method, "HEAD") == 0) {
        curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
    } else {
        bool body = r->body.len > 0 || r->method[0] == 'P'; /* PUT, PATCH */
        curl_easy_setopt(e, body ? CURLOPT_POST : CURLOPT_HTTPGET, 1L);
        if (body || strcmp(r->method, "GET") != 0)
            custom = r->method;
    }
    return curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, custom) == CURLE_OK;
}

/* A guarded call opens its sockets itself and knows no proxy. Whoever
 * closes them is asked after the call is gone. */
static bool set_guard(struct er_http_call *c)
{
    CURL *e = c->easy;
    er_http_sockets_use(&c->http->sockets, e);
    if (c->req.allow) {
        curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, on_open);
        curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, c);
    }
    curl_easy_setopt(e, CURLOPT_RESOLVE, c->req.resolve);
    return curl_easy_setopt(e, CURLOPT_PROXY,
               c->req.allow ? "" : NULL) == CURLE_OK;
}

/* False: no memory for libcurl's copies. */
static bool set_up(struct er_http_call *c)
{
    CURL *e = c->easy;
    const struct er_http_request *r = &c->req;
    struct curl_slist *headers = r->headers;
    if (c->extra.data) {
        c->extra.next = headers;
        headers = &c->extra;
    }
    c->text[0] = '\0';
    if (curl_easy_setopt(e, CURLOPT_URL, c->url) != CURLE_OK ||
        curl_easy_setopt(e, CURLOPT_NOPROXY, r->direct ? "*" : NULL) !=
            CURLE_OK ||
        !set_guard(c))
        return false;
    curl_easy_setopt(e, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE,
        (curl_off_t)r->body.len);
    curl_easy_setopt(e, CURLOPT_POSTFIELDS, er_buf_str(&r->body));
    if (!set_method(c)) /* after the body, which implies POST */
        return false;
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS,
        (long)r->timeouts.connect_ms);
    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, c->text);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, c);
    curl_easy_setopt(e, CURLOPT_HEADERDATA, c);
    curl_easy_setopt(e, CURLOPT_PREREQDATA, c);
    curl_easy_setopt(e, CURLOPT_PRIVATE, c);
    return true;
}

/* ------------------------------------------------- descriptors
 *
 * Each call needs one, and the process has a limit; what is above it waits
 * here instead of failing. */

static long most_calls(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0 ||
        files.rlim_cur > MOST_CALLS)
        return MOST_CALLS;
    long all = (long)files.rlim_cur;
    long others = all / 4 < KEPT_FOR_OTHERS ? all / 4 : KEPT_FOR_OTHERS;
    return all - others > 0 ? all - others : 1;
}

static int wait_for_one(struct er_http_call *c)
{
    struct er_http *h = c->http;
    c->waiting = true;
    c->later = NULL;
    *h->last_waiting = c;
    h->last_waiting = &c->later;
    return ERRAND_OK;
}

static void stop_waiting(struct er_http_call *c)
{
    struct er_http *h = c->http;
    struct er_http_call **at = &h->first_waiting;
    if (!c->waiting)
        return;
    while (*at != c)
        at = &(*at)->later;
    *at = c->later;
    if (!*at)
        h->last_waiting = at;
    c->waiting = false;
}

static void put_off(struct er_http_call *c);

/* The first that waits begins, from the loop: nobody may be called here. */
static void let_one_begin(struct er_http *h)
{
    struct er_http_call *c = h->first_waiting;
    if (!c || h->running >= h->most)
        return;
    stop_waiting(c);
    c->begin_later = true;
    put_off(c);
    int64_t now = er_mono_ms();
    set_clock(h, now, now);
}

/* ------------------------------------------------- a call's life */

static int begin(struct er_http_call *c, struct errand_error *err)
{
    struct er_http *h = c->http;
    if (h->running >= h->most)
        return wait_for_one(c);
    c->body_bytes = c->header_bytes = 0;
    c->fault = ERRAND_OK;
    c->length[0] = '\0';
    c->enough = false;
    if (!c->easy)
        c->easy = take_easy(h);
    if (!c->easy)
        return er_nomem(err);
    if (!set_up(c)) {
        give_easy(c);
        return er_nomem(err);
    }
    CURLMcode mc = er_http_sockets_add(&h->sockets, c->easy);
    if (mc != CURLM_OK) {
        give_easy(c);
        return er_fail(err, ERRAND_NOMEM, "cannot start a request: %s",
            curl_multi_strerror(mc));
    }
    h->running++;
    c->end_ms = er_mono_ms() + c->req.timeouts.total_ms;
    enter(c, CONNECTING);
    return ERRAND_OK;
}

static void unlink_call(struct er_http_call *c)
{
    if (c->prev)
        c->prev->next = c->next;
    else
        c->http->calls = c->next;
    if (c->next)
        c->next->prev = c->prev;
}

/* The transfer ends, finished or broken off; its answer can be asked. */
static void halt(struct er_http_call *c)
{
    if (c->phase == IDLE)
        return;
    curl_multi_remove_handle(c->http->multi, c->easy);
    c->phase = IDLE;
    c->http->running--;
    let_one_begin(c->http);
}

static void dispose(struct er_http_call *c)
{
    halt(c);
    stop_waiting(c);
    give_easy(c);
    unlink_call(c);
    er_buf_release(&c->req.body);
    free(c->extra.data);
    free(c->url);
    free(c);
}

static void put_off(struct er_http_call *c)
{
    struct er_http *h = c->http;
    if (c->put_off)
        return;
    c->put_off = true;
    c->later = NULL;
    *h->last_later = c;
    h->last_later = &c->later;
}

/* c may be gone afterwards. */
static void report(struct er_http_call *c, int code, bool retriable,
    const struct errand_error *err)
{
    struct er_http_result result = {.code = code,
        .retriable = retriable,
        .early = code == ERRAND_OK && c->phase != IDLE,
        .error = err};
    c->req.on_done(c->req.ctx, &result);
}

static int fail_fault(
    const struct er_http_call *c, struct errand_error *err)
{
    if (c->fault == ERRAND_PROTOCOL)
        return er_fail(err, c->fault,
            "the answer has two different lengths; is there a broken proxy "
            "between?");
    bool body = c->body_bytes > 0;
    return er_fail(err, c->fault,
        body ? "the answer is larger than %zu bytes; raise max_bytes if that "
               "is right"
             : "the answer has more than %zu bytes of headers",
        body ? c->req.max_bytes : (size_t)MAX_HEADER_BYTES);
}

static void finish(struct er_http_call *c, CURLcode result)
{
    struct errand_error err = {0};
    bool retriable = false, lingered = c->phase == LINGERING;
    long os_errno = 0;
    curl_easy_getinfo(c->easy, CURLINFO_OS_ERRNO, &os_errno);
    halt(c);
    if (lingered || c->close_later) {
        if (!c->put_off)
            dispose(c);
        else
            c->close_later = true;
        return;
    }
    int code = ERRAND_OK;
    if (c->fault != ERRAND_OK)
        code = fail_fault(c, &err);
    else if (result != CURLE_OK && !c->enough)
        code = er_http_explain(
            result, os_errno, c->text, &retriable, &err);
    report(c, code, retriable, &err);
}

static void time_out(struct er_http_call *c, int64_t now)
{
    struct errand_error err = {0};
    const struct er_http_timeouts *t = &c->req.timeouts;
    enum phase phase = c->phase;
    bool whole = now >= c->end_ms;
    if (phase == LINGERING) {
        dispose(c);
        return;
    }
    halt(c);
    if (whole)
        er_fail(&err, ERRAND_TIMEOUT,
            "no whole answer in the time allowed; raise total_ms if it "
            "needs longer");
    else if (phase == WAITING)
        er_fail(&err, ERRAND_TIMEOUT,
            "no answer within %lld ms; raise first_byte_ms if it needs "
            "longer",
            (long long)t->first_byte_ms);
    else
        er_fail(&err, ERRAND_TIMEOUT,
            "the answer stopped: nothing for %lld ms; raise idle_ms if it "
            "needs longer",
            (long long)t->idle_ms);
    report(c, ERRAND_TIMEOUT, !whole, &err);
}

/* One that is over, looked for anew each time: its report may change the
 * list in any way. */
static struct er_http_call *find_over(struct er_http *h, int64_t now)
{
    struct er_http_call *c = h->calls;
    while (c && (c->phase == IDLE || c->put_off || due_ms(c) > now))
        c = c->next;
    return c;
}

static void on_clock(void *ctx)
{
    struct er_http *h = ctx;
    int64_t now = er_mono_ms(), next = INT64_MAX;
    h->clock_ms = INT64_MAX;
    struct er_http_call *over;
    while ((over = find_over(h, now)))
        time_out(over, now);
    for (struct er_http_call *c = h->calls; c; c = c->next) {
        if (c->phase != IDLE && due_ms(c) < next)
            next = due_ms(c);
    }
    if (next != INT64_MAX)
        set_clock(h, next, now);
    settle(h);
}

/* ------------------------------------------------- entering libcurl */

static bool read_messages(struct er_http *h)
{
    CURLMsg *msg;
    int left;
    bool any = false;
    while ((msg = curl_multi_info_read(h->multi, &left))) {
        struct er_http_call *c = NULL;
        CURLcode result = msg->data.result; /* msg dies with the handle */
        curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &c);
        finish(c, result);
        any = true;
    }
    return any;
}

static bool do_later(struct er_http *h)
{
    struct er_http_call *c = h->first_later;
    if (!c)
        return false;
    h->first_later = c->later;
    if (!h->first_later)
        h->last_later = &h->first_later;
    c->put_off = false;
    struct errand_error err = {0};
    if (c->close_later) {
        dispose(c);
    } else if (c->begin_later) {
        c->begin_later = false;
        if (begin(c, &err) != ERRAND_OK)
            report(c, err.code, false, &err);
    } else if (c->enough && c->phase != IDLE) {
        report(c, ERRAND_OK, false, NULL);
    }
    return true;
}

/* All that waited for libcurl to return: ends first, because they free
 * connections for those that begin. */
static void settle(struct er_http *h)
{
    if (h->inside > 0 || h->settling)
        return;
    h->settling = true;
    while (read_messages(h) || do_later(h))
        ;
    h->settling = false;
}

static void act(void *ctx, curl_socket_t fd, int flags)
{
    struct er_http *h = ctx;
    int running;
    h->inside++;
    curl_multi_socket_action(h->multi, fd, flags, &running);
    h->inside--;
    settle(h);
}

/* ------------------------------------------------- the interface */

er_http *er_http_new(struct er_loop *loop, struct errand_error *err)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        er_fail(err, ERRAND_NOMEM, "cannot set up libcurl");
        return NULL;
    }
    struct er_http *h = calloc(1, sizeof *h);
    if (h)
        h->multi = curl_multi_init();
    if (!h || !h->multi) {
        free(h);
        curl_global_cleanup();
        er_nomem(err);
        return NULL;
    }
    h->loop = loop;
    h->clock_ms = INT64_MAX;
    h->last_later = &h->first_later;
    h->last_waiting = &h->first_waiting;
    h->most = most_calls();
    h->sockets.act = act;
    h->sockets.ctx = h;
    er_http_sockets_init(&h->sockets, loop, h->multi);
    curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS,
        h->most < KEPT_CONNECTIONS ? h->most : (long)KEPT_CONNECTIONS);
    /* Idle ones make room: calls themselves never exceed it. */
    curl_multi_setopt(h->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, h->most);
    return h;
}

void er_http_free(er_http *h)
{
    if (!h)
        return;
    assert(h->inside == 0 && !h->settling);
    while (h->calls)
        dispose(h->calls);
    while (h->easy_count)
        curl_easy_cleanup(h->easies[--h->easy_count]);
    curl_multi_cleanup(h->multi);
    er_http_sockets_release(&h->sockets);
    er_timer_stop(&h->clock);
    free(h);
    curl_global_cleanup();
}

static int begin_or_put_off(
    struct er_http_call *c, struct errand_error *err)
{
    if (c->http->inside == 0)
        return begin(c, err);
    c->begin_later = true;
    put_off(c);
    return ERRAND_OK;
}

er_http_call *er_http_start(er_http *h, const struct er_http_request *req,
    struct errand_error *err)
{
    struct er_http_call *c = calloc(1, sizeof *c);
    if (!c) {
        struct er_buf body = req->body;
        er_buf_release(&body);
        er_nomem(err);
        return NULL;
    }
    c->http = h;
    c->req = *req;
    c->url = er_strdup(req->url);
    c->extra.data = er_strdup(req->extra_header);
    c->req.url = c->req.extra_header = NULL;
    c->next = h->calls;
    if (c->next)
        c->next->prev = c;
    h->calls = c;
    int rc = ERRAND_OK;
    if (!c->url || (req->extra_header && !c->extra.data))
        rc = er_nomem(err);
    if (rc == ERRAND_OK)
        rc = begin_or_put_off(c, err);
    if (rc != ERRAND_OK) {
        dispose(c);
        return NULL;
    }
    return c;
}

int er_http_again(er_http_call *c, struct curl_slist *headers,
    int64_t total_ms, struct errand_error *err)
{
    assert(c->phase == IDLE);
    c->req.headers = headers;
    c->req.timeouts.total_ms = total_ms;
    return begin_or_put_off(c, err);
}

long er_http_status(const er_http_call *c)
{
    long status = 0;
    if (c->easy)
        curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

const char *er_http_header(const er_http_call *c, const char *name)
{
    struct curl_header *h = NULL;
    if (!c->easy ||
        curl_easy_header(c->easy, name, 0, CURLH_HEADER, -1, &h) != CURLHE_OK)
        return NULL;
    return h->value;
}

void er_http_each_header(const er_http_call *c,
    bool (*fn)(void *ctx, const char *name, const char *value), void *ctx)
{
    struct curl_header *h = NULL;
    while (c->easy &&
           (h = curl_easy_nextheader(c->easy, CURLH_HEADER, -1, h)) &&
           fn(ctx, h->name, h->value))
        ;
}

void er_http_enough(er_http_call *c)
{
    c->enough = true;
    c->body_bytes = 0; /* now counts what is dropped */
    put_off(c);
}

void er_http_close(er_http_call *c)
{
    if (!c)
        return;
    struct er_http *h = c->http;
    bool put_off_before = c->put_off;
    if (c->enough && c->phase != IDLE && h->inside == 0 && !put_off_before) {
        enter(c, LINGERING);
        return;
    }
    c->close_later = true;
    if (h->inside > 0)
        put_off(c);
    else if (!put_off_before)
        dispose(c);
}
