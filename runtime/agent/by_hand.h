/* Calling one tool and waiting for it, beside any run. */
#ifndef ERRAND_AGENT_BY_HAND_H
#define ERRAND_AGENT_BY_HAND_H

#include "agent/runtime.h"

/* Hold args against the tool's schema, call it and drive the loop: {"ok",
 * "result" or "error"}; the caller drops it. Whether it is granted what it
 * asks for has been looked at. NULL and NOMEM, TOO_LARGE, STATE. */
json_t *er_by_hand_call(errand *rt, const struct er_tool *tool,
    const json_t *args, struct errand_error *err);

#endif
