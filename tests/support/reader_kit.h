/* What a reader gives, as JSON, so that two readings can be compared.
 *
 *   {"text"}, {"reasoning"}, {"call":{"id","id_made","name","arguments"}},
 *   {"usage":{"prompt","completion","cached","reasoning"}},
 *   {"done":"stop"|"calls"|"length"|"filter","extra"?},
 *   {"error":"PROTOCOL","message","detail","retriable"}
 */
#ifndef TESTS_READER_KIT_H
#define TESTS_READER_KIT_H

#include "base/error.h"
#include "model/wire.h"

#include <stdlib.h>
#include <string.h>

static inline json_t *kit_call(const struct er_model_call *c)
{
    return json_pack("{ss sb ss ss%}", "id", c->id, "id_made", c->id_made,
        "name", c->name, "arguments", c->arguments, c->arguments_len);
}

static inline json_t *kit_usage(const struct er_usage *u)
{
    return json_pack("{sI sI sI sI}", "prompt", (json_int_t)u->prompt_tokens,
        "completion", (json_int_t)u->completion_tokens, "cached",
        (json_int_t)u->cached_tokens, "reasoning",
        (json_int_t)u->reasoning_tokens);
}

static inline json_t *kit_done(const struct er_model_event *ev)
{
    static const char *const names[] = {"stop", "calls", "length", "filter"};
    json_t *done = json_pack("{ss}", "done", names[ev->finish]);
    if (ev->extra)
        json_object_set_new(done, "extra", json_deep_copy(ev->extra));
    return done;
}

static inline json_t *kit_event(const struct er_model_event *ev)
{
    switch (ev->type) {
    case ER_MODEL_TEXT:
        return json_pack("{ss%}", "text", ev->text, ev->len);
    case ER_MODEL_REASONING:
        return json_pack("{ss%}", "reasoning", ev->text, ev->len);
    case ER_MODEL_CALL:
        return json_pack("{so}", "call", kit_call(ev->call));
    case ER_MODEL_USAGE:
        return json_pack("{so}", "usage", kit_usage(ev->usage));
    case ER_MODEL_DONE:
        return kit_done(ev);
    case ER_MODEL_ERROR:
        return json_pack("{ss ss si}", "error",
            errand_code_name(ev->error->code), "message", ev->error->msg,
            "detail", (int)ev->error->detail);
    default:
        return NULL;
    }
}

static inline void kit_on_event(void *ctx, const struct er_model_event *ev)
{
    json_t *event = kit_event(ev);
    if (!event || json_array_append_new(ctx, event) != 0)
        abort(); /* an event that is no valid text, or no memory */
}

/* The events of one answer, fed in pieces of step bytes (0: whole) after a
 * first piece of head bytes. The caller drops them. */
static inline json_t *kit_read(enum er_dialect dialect,
    enum er_framing framing, size_t max_bytes, const char *bytes, size_t len,
    size_t head, size_t step)
{
    json_t *events = json_array();
    er_reader *r = er_reader_new(
        dialect, framing, max_bytes, kit_on_event, events);
    size_t at = 0;
    while (r && at < len) {
        size_t n = at == 0 && head ? head : step ? step : len;
        if (n > len - at)
            n = len - at;
        char *piece = malloc(n); /* its own block: ASan sees every step */
        if (!piece)
            abort();
        memcpy(piece, bytes + at, n);
        er_reader_feed(r, piece, n);
        free(piece);
        at += n;
    }
    if (r) {
        er_reader_end(r);
        json_t *last = json_array_get(events, json_array_size(events) - 1);
        if (json_object_get(last, "error"))
            json_object_set_new(last, "retriable",
                json_boolean(er_reader_retriable(r)));
    }
    er_reader_free(r);
    return events;
}

#endif
