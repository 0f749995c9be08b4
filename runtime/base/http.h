/* HTTP requests on the loop: libcurl's multi interface, its sockets and its
 * timer driven by libevent.
 *
 * Knows nothing of what is asked or answered. A call is one request, which
 * can be sent again with the same body; its answer goes to on_body piece by
 * piece. Redirects are answers like others. Connections are kept and used
 * again, for a thousand calls at once if need be.
 *
 * A call with an allow function is guarded: it is asked about the address
 * of each socket before that is opened, and of each connection before the
 * request goes out on it, a used one too; and no proxy stands between. A
 * name that leads elsewhere the second time changes nothing about that.
 *
 * libcurl must not be entered from inside its own callbacks, but owners may
 * do anything at any moment: what would enter it then is put off until it
 * has returned. on_done always comes from the loop, outside of libcurl.
 */
#ifndef ERRAND_BASE_HTTP_H
#define ERRAND_BASE_HTTP_H

#include "base/buf.h"
#include "base/error.h"
#include "base/loop.h"

#include <curl/curl.h>
#include <sys/socket.h>

typedef struct er_http er_http;
typedef struct er_http_call er_http_call;

struct er_http_timeouts { /* milliseconds, each above 0 */
    int64_t connect_ms;
    int64_t first_byte_ms;
    int64_t idle_ms; /* between chunks */
    int64_t total_ms;
};

struct er_http_result {
    int code;       /* OK: the answer is whole, whatever its status is */
    bool early;     /* er_http_enough: the rest was not waited for */
    bool retriable; /* the kind of failure that another attempt may heal */
    const struct errand_error *error; /* if code is not OK */
};

struct er_http_request {
    const char *url;            /* copied */
    const char *method; /* NULL: POST; borrowed until the call is closed */
    struct curl_slist *headers; /* borrowed until the call is closed */
    const char *extra_header;   /* "name: value", copied; or NULL */
    struct er_buf body;         /* taken, in every case */
    struct er_http_timeouts timeouts;
    size_t max_bytes;                  /* of the answer, decoded */
    bool direct;                       /* past every proxy */
    /* NULL: no guard. May this address be connected to? */
    bool (*allow)(void *ctx, const struct sockaddr *to);
    /* "host:port:address", past the resolver; borrowed; for tests */
    struct curl_slist *resolve;
    void (*on_body)(void *ctx, const char *bytes, size_t len);
    void (*on_done)(void *ctx, const struct er_http_result *result);
    void *ctx;
};

/* Errors NOMEM, IO. [owner] */
er_http *er_http_new(struct er_loop *loop, struct errand_error *err);

/* Breaks off what is under way, without on_done. NULL is harmless; never
 * from inside a callback. [owner] */
void er_http_free(er_http *h);

/* Send; on_done comes once. NULL on failure. Errors NOMEM. [owner] */
er_http_call *er_http_start(er_http *h, const struct er_http_request *req,
    struct errand_error *err);

/* After on_done: send the same once more; total_ms replaces the time that
 * the whole may take, headers the headers. Errors NOMEM. [owner] */
int er_http_again(er_http_call *c, struct curl_slist *headers,
    int64_t total_ms, struct errand_error *err);

/* Status of the answer, 0 before there is one. [owner] */
long er_http_status(const er_http_call *c);

/* A header of the answer, NULL if it is not there; borrowed until the call
 * is sent again or closed. [owner] */
const char *er_http_header(const er_http_call *c, const char *name);

/* Each header of the answer in its order, as long as fn says true. */
void er_http_each_header(const er_http_call *c,
    bool (*fn)(void *ctx, const char *name, const char *value), void *ctx);

/* From on_body: all that matters has come. on_done follows as soon as
 * libcurl has returned; further bytes are dropped. [owner] */
void er_http_enough(er_http_call *c);

/* Be done with a call, at any moment; no callback comes any more. After
 * er_http_enough the rest of the answer is read for a moment, so that the
 * connection can be used again. NULL is harmless. [owner] */
void er_http_close(er_http_call *c);

#endif
