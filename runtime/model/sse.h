/* text/event-stream framing (WHATWG HTML 9.2.6), for bytes cut anywhere. */
#ifndef ERRAND_MODEL_SSE_H
#define ERRAND_MODEL_SSE_H

#include "base/buf.h"

#include <stdint.h>

/* One event. data holds the joined data lines without the last newline (it
 * has a length and no NUL behind it); event is "message" if none was named;
 * all borrowed until the callback returns. Return false to stop. */
typedef bool (*er_sse_fn)(void *ctx, const char *event, const char *data,
    size_t data_len, const char *id);

/* A line that begins with '{' and so belongs to no event: some endpoints
 * write an error as a line of JSON into the stream. Return false to stop. */
typedef bool (*er_sse_stray_fn)(void *ctx, const char *line, size_t len);

struct er_sse {
    struct er_buf line;  /* beginning of a line whose end has not come */
    struct er_buf data;  /* data lines so far, unless lone holds them */
    struct er_buf event; /* its name */
    struct er_buf id;    /* last event id, kept over events */
    const char *lone;    /* the only data line so far, still in the bytes
                            being fed: most events are never copied */
    size_t lone_len;
    size_t max_bytes;
    int64_t retry_ms; /* -1: none was sent */
    unsigned bom; /* bytes of a byte order mark seen */
    bool began, saw_cr, has_data, in_comment;
    bool stopped;   /* a callback said so */
    bool too_large; /* a line or an event's data is over max_bytes */
    bool no_memory;
    er_sse_fn on_event;
    er_sse_stray_fn on_stray; /* NULL: such lines are ignored */
    void *ctx;
};

/* max_bytes bounds a line and an event's data; comments are never kept.
 * Set on_stray afterwards if it is wanted. [any] */
void er_sse_init(
    struct er_sse *s, size_t max_bytes, er_sse_fn on_event, void *ctx);
void er_sse_release(struct er_sse *s);

/* False once a callback stopped, or something was too large. */
bool er_sse_feed(struct er_sse *s, const char *bytes, size_t len);

/* End of stream. With lenient, an event that lacks its blank line is given
 * (endpoints forget it); the standard drops it. */
bool er_sse_end(struct er_sse *s, bool lenient);

#endif
