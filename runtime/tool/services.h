/* Services: what a tool may ask the runtime for while it runs.
 *
 * A worker asks with a frame (worker/protocol.md) and waits; the runtime
 * looks the service up here, sees whether the tool was granted it, and
 * starts it. A service works on the loop, answers now or later, exactly
 * once, or is told that nobody waits any more. It never sees a question of
 * a tool that lacks its permission.
 *
 * HTTP is a service of this floor (fetch.h); others are added by the floors
 * above, where what they need lives. Everything is [owner]: the loop's
 * thread.
 */
#ifndef ERRAND_TOOL_SERVICES_H
#define ERRAND_TOOL_SERVICES_H

#include "base/json.h"
#include "tool/tools.h"

enum {
    ER_SERVICES_MOST = 16,
    ER_ASK_AT_ONCE = 8,             /* questions of one call, open */
    ER_ASK_MOST = 10000,            /* questions of one call, all in all */
    ER_ASK_BYTES = 4 * 1024 * 1024, /* of one question's frame */
};

struct er_service;

/* A question under way. Gone as soon as it is answered, or its call ended. */
struct er_ask {
    const struct er_tool *tool; /* who asks */
    const json_t *params;       /* an object; borrowed with the question */
    int64_t until_ms;           /* of er_mono_ms: nobody waits longer */
    bool tainted; /* what is asked may be made of text from outside */
    void *state;                /* the service's own */

    /* services.c alone */
    const struct er_service *service;
    er_tool_call *call;
    struct er_ask *next;
    json_t *frame;
    json_int_t n;
};

/* Fields name, start and, if start may answer later, cancel. */
struct er_service {
    const char *name;       /* as asked: "http", "kv" */
    const char *permission; /* the member of permissions that it needs */
    const char *example;    /* how it is declared, for messages */
    void (*start)(void *ctx, struct er_ask *ask);
    void (*cancel)(void *ctx, struct er_ask *ask); /* free ask->state */
    void *ctx;
};

/* Add one; its texts are borrowed, it lives as long as the tools do. Errors
 * EXISTS, TOO_LARGE (the table is full). */
int er_services_add(er_tools *t, const struct er_service *service,
    struct errand_error *err);

/* Answer with value, which is taken; NULL counts as out of memory. The
 * question is gone then. From start or any time later. */
void er_ask_reply(struct er_ask *ask, json_t *value);

/* What it will be answered with came from outside once: the call's outcome
 * says so. */
void er_ask_is_external(struct er_ask *ask);

/* Answer that it cannot be: the tool gets message as an error. */
void er_ask_refuse(struct er_ask *ask, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* --- for call.c */

/* A worker's frame {"id","ask","n","params"} of len bytes. False: it breaks
 * the protocol. */
bool er_services_ask(
    er_tool_call *call, const json_t *frame, size_t len);

/* The call is over: tell the services. */
void er_services_drop(er_tool_call *call);

#endif
