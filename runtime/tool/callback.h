/* A call of the embedding program's own tools, or of a plugin in this
 * process: what callback.c and callback_ask.c share. */
#ifndef ERRAND_TOOL_CALLBACK_H
#define ERRAND_TOOL_CALLBACK_H

#include "parts.h"

#include <pthread.h>
#include <stdatomic.h>

struct er_hub {
    atomic_int holders;   /* the registry, and every call */
    pthread_mutex_t lock; /* over loop and over posting to it */
    struct er_loop *loop; /* NULL once closed */
    errand_call *calls;   /* not ended; the loop's thread alone */
};

struct errand_call {
    atomic_int holders;
    struct er_hub *hub;
    errand_call *next, *prev; /* among the hub's calls */
    char *key, *args;
    size_t args_len;
    int64_t timeout_ms, began_ms;

    er_tool_call *call; /* NULL once the outcome was told */
    struct er_post start, answer;
    struct er_timer deadline; /* also tells of a cancel */
    bool cancelled;
    struct er_question *question; /* under way; the loop's thread alone */
    atomic_bool over; /* nobody waits for the answer any more */
    uint32_t attempt;

    char *text; /* the answer; written before it is posted */
    size_t len;
    bool failed;
};

/* --- callback_ask.c */

/* Ask a service on behalf of a call that is under way, and wait: from every
 * thread but the loop's, by one at a time. params is taken. The answer's
 * value, which the caller drops; NULL and why. */
json_t *er_callback_ask(errand_call *c, const char *service, json_t *params,
    struct er_buf *why);

/* The call's question is answered: with value, which is copied, or NULL and
 * why. Harmless if there is none. [the loop's thread] */
void er_callback_end_question(
    errand_call *c, const json_t *value, const char *why);

#endif
