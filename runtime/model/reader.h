/* The inside of a reader, for the files that make it up.
 *
 *   reader.c    bytes in, the end of an answer, events out
 *   answer.c    what one JSON document of an answer says
 *   calls.c     tool calls from their deltas
 *   extra.c     what a provider wants back with the next request
 *   shortcut.c  the short cut through streams, on template.c
 *   wire_error.c  what an endpoint says when it refuses
 */
#ifndef ERRAND_MODEL_READER_H
#define ERRAND_MODEL_READER_H

#include "model/calls.h"
#include "model/extra.h"
#include "model/half.h"
#include "model/shortcut.h"
#include "model/sse.h"
#include "model/wire.h"

/* How an answer ended, the graver the higher: choices may disagree. */
enum er_ending {
    ER_ENDING_NONE = 0,
    ER_ENDING_STOP = 1,
    ER_ENDING_CALLS = 2,
    ER_ENDING_FILTER = 3,
    ER_ENDING_LENGTH = 4,
};

struct er_reader {
    enum er_dialect dialect;
    enum er_framing framing; /* as asked for, until the first byte */
    size_t max_bytes;
    er_model_event_fn on_event;
    void *ctx;
    bool decided;   /* the first byte confirmed or corrected framing */
    bool over;      /* DONE or ERROR was given */
    bool delivered; /* TEXT, REASONING or CALL was given */
    bool retriable; /* of the error */
    int code;       /* of the error */
    struct er_sse sse;
    struct er_tree tree; /* the document that is read */
    struct er_buf whole; /* ER_WHOLE: the document so far */
    size_t chunks;       /* documents that said something */
    size_t broken;       /* documents of a stream that were no JSON */
    enum er_ending ending;
    bool saw_done; /* [DONE] */
    struct er_half half, half_thought; /* of the text, of the reasoning */
    struct er_usage usage;
    bool has_usage;
    struct er_calls calls;
    struct er_extra extra;
    struct er_shortcut fast;
    unsigned texts;      /* TEXT given so far */
    unsigned call_lists; /* tool_calls with something in them, so far */
};

/* For a reader that is part of something: er_reader_new without the
 * memory. */
void er_reader_init(struct er_reader *r, enum er_dialect dialect,
    enum er_framing framing, size_t max_bytes, er_model_event_fn on_event,
    void *ctx);
void er_reader_release(struct er_reader *r);

/* A string of the text or reasoning, whose characters may lie in two. */
void er_reader_string(
    struct er_reader *r, const struct er_node *s, bool reasoning);

/* Read one JSON document of a stream; named: its event was called "error".
 * False if it was no JSON. */
bool er_reader_document(
    struct er_reader *r, const char *data, size_t len, bool named);

/* Give events. Nothing is given once the reader is over. */
void er_reader_text(struct er_reader *r, const char *text, size_t len);
void er_reader_reasoning(struct er_reader *r, const char *text, size_t len);
void er_reader_arguments(struct er_reader *r,
    const struct er_call_owner *owner, const char *text, size_t len);
void er_reader_fail(
    struct er_reader *r, bool retriable, const struct errand_error *err);

/* Read one JSON document of an answer; whole: it is all of it. True if it
 * said anything an answer says. */
bool er_answer_read(
    struct er_reader *r, const struct er_node *doc, bool whole);

/* Does a document say that the endpoint failed? Then err is filled in.
 * status: of HTTP, 0 within a good answer. named: the event was called
 * "error", so anything in it is one. */
bool er_error_read(const json_t *doc, long status, bool named,
    bool *retriable, struct errand_error *err);

#endif
