/* Fetching over HTTP for somebody who waits: one request after the other, to
 * its end, with redirects followed.
 *
 * It drives a loop of its own, so it blocks; every few hundred milliseconds
 * it asks whether to go on. The token goes to the hub that it is for, and
 * not to where that redirects; a redirect from https to http is refused.
 */
#ifndef ERRAND_MODEL_DOWNLOAD_H
#define ERRAND_MODEL_DOWNLOAD_H

#include "base/error.h"
#include "base/http.h"

#include <stdbool.h>
#include <stdint.h>

struct er_download {
    struct er_loop *loop;
    er_http *http;
    const char *hub;   /* whose origin alone gets the token; borrowed */
    const char *token; /* or NULL; borrowed */
    bool (*go_on)(void *ctx); /* may be NULL; false ends it, CANCELLED */
    void *ctx;
};

/* Errors NOMEM, IO. [owner] */
int er_download_open(struct er_download *d, struct errand_error *err);
void er_download_close(struct er_download *d);

struct er_reply {
    long status;
    int64_t from;    /* the first byte that comes: 0, or as the server says */
    int64_t total;   /* bytes of the whole; -1: unknown */
    char etag[100];  /* of the last hop, "" if none or weak */
    char sha256[65]; /* that the hub announces of a large file, or "" */
    bool retriable;  /* of a failure: another attempt may heal it */
};

struct er_wish {
    const char *url;
    int64_t from;      /* ask for what stands from here; 0: all */
    const char *etag;  /* as long as it is still this; NULL or "": any */
    bool one_byte;     /* only to learn size and etag: no more than a byte */
    /* What came, in pieces; false ends it: the caller knows why. */
    bool (*on_bytes)(void *ctx, const struct er_reply *reply,
        const char *bytes, size_t len);
    void *ctx;
};

/* Get it. OK if it came whole, or if on_bytes said that it is enough.
 * Errors  AUTH, NOT_FOUND, RANGE (nothing there from that byte on),
 *         RATE_LIMIT, PROVIDER, PROTOCOL, NETWORK, TIMEOUT, CANCELLED,
 *         NOMEM  [owner] */
int er_download_get(struct er_download *d, const struct er_wish *wish,
    struct er_reply *reply, struct errand_error *err);

/* Wait so long, asking go_on. False if it said no. [owner] */
bool er_download_pause(struct er_download *d, int64_t ms);

#endif
