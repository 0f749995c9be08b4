/* text/event-stream framing (WHATWG HTML 9.2.6), for bytes cut anywhere. */
#ifndef ERRAND_MODEL_SSE_H
#define ERRAND_MODEL_SSE_H

#include "base/buf.h"

#include <stdint.h>

/* One event. data holds the joined data lines without the last newline;
 * event is "message" if none was named; all borrowed until the callback
 * returns. Return false to stop. */
typedef bool (*er_sse_fn)(void *ctx, const char *event, const char *data,
    size_t data_len, const char *id);

struct er_sse {
    struct er_buf line;  /* the line so far */
    struct er_buf data;  /* data lines so far */
    struct er_buf event; /* its name */
    struct er_buf id;    /* last event id, kept over events */
    int64_t retry_ms;    /* -1: none was sent */
    bool began, saw_cr, has_data, stopped, too_large;
    er_sse_fn on_event;
    void *ctx;
};

/* max_bytes bounds a line and an event's data. [any] */
void er_sse_init(
    struct er_sse *s, size_t max_bytes, er_sse_fn on_event, void *ctx);
void er_sse_release(struct er_sse *s);

/* False once a callback stopped, or something was too large. */
bool er_sse_feed(struct er_sse *s, const char *bytes, size_t len);

/* End of stream. With lenient, an event that lacks its blank line is given
 * (endpoints forget it); the standard drops it. */
bool er_sse_end(struct er_sse *s, bool lenient);

#endif
