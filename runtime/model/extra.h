/* What a provider wants back, unread, with the next request: Gemini's
 * thought signatures and OpenRouter's reasoning details.
 *
 * Stored with the assistant's message as
 *   {"message":{"extra_content":{...},"reasoning_details":[...]},
 *    "calls":[null,{"extra_content":{...}}],     by place of the call
 *    "reasoning_as":"reasoning",                 not "reasoning_content"
 *    "provider":"gemini"}                        the endpoint's name
 * each part only if there is something in it. It goes back to that provider
 * only: others refuse it or, worse, read it.
 */
#ifndef ERRAND_MODEL_EXTRA_H
#define ERRAND_MODEL_EXTRA_H

#include "base/error.h"
#include "base/json.h"
#include "model/calls.h"

struct er_extra {
    json_t *content;    /* the message's extra_content, or NULL */
    json_t *details;    /* reasoning_details so far, or NULL */
    struct er_buf tail; /* text of the last detail that came after it */
    size_t held, max_bytes; /* bytes of all, as JSON, and their bound */
    bool as_reasoning;  /* reasoning came under the name "reasoning" */
};

void er_extra_init(struct er_extra *x, size_t max_bytes);
void er_extra_release(struct er_extra *x);

/* Take what a message or delta holds of it.
 * Errors TOO_LARGE, NOMEM. */
int er_extra_take(struct er_extra *x, const struct er_node *message,
    struct errand_error *err);

/* The whole, with the calls' parts; NULL if there is nothing to keep.
 * The caller drops it with json_decref. Errors NOMEM in *failed. */
json_t *er_extra_build(
    struct er_extra *x, const struct er_calls *calls, bool *failed);

#endif
