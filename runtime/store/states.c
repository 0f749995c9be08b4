/* The arrows of store.h's diagram, as data that every backend asks, so that
 * two databases cannot come to differ about what a run or a call may do. */
#include "store/states.h"

#include <string.h>

static const char *const run_names[] = {
    [ER_RUN_READY] = "ready",
    [ER_RUN_TOOLS] = "tools",
    [ER_RUN_PAUSED] = "paused",
    [ER_RUN_DONE] = "done",
    [ER_RUN_FAILED] = "failed",
};

static const char *const call_names[] = {
    [ER_CALL_PLANNED] = "planned",
    [ER_CALL_WAITING] = "waiting_approval",
    [ER_CALL_RUNNING] = "running",
    [ER_CALL_DONE] = "done",
    [ER_CALL_FAILED] = "failed",
    [ER_CALL_UNKNOWN] = "unknown",
    [ER_CALL_DENIED] = "denied",
};

enum {
    N_RUN = sizeof run_names / sizeof run_names[0],
    N_CALL = sizeof call_names / sizeof call_names[0],
};

const char *er_run_state_name(int state)
{
    return state >= 0 && state < N_RUN ? run_names[state] : "?";
}

const char *er_call_state_name(int state)
{
    return state >= 0 && state < N_CALL ? call_names[state] : "?";
}

static int find(const char *const *names, int n, const char *name)
{
    for (int i = 0; name && i < n; i++) {
        if (strcmp(names[i], name) == 0)
            return i;
    }
    return -1;
}

int er_run_state_of(const char *name)
{
    return find(run_names, N_RUN, name);
}

int er_call_state_of(const char *name)
{
    return find(call_names, N_CALL, name);
}

bool er_run_is_live(int state)
{
    return state == ER_RUN_READY || state == ER_RUN_TOOLS;
}

bool er_call_is_closed(int state)
{
    return state == ER_CALL_DONE || state == ER_CALL_FAILED ||
           state == ER_CALL_DENIED;
}

/* Running it a second time does no harm. */
static bool may_repeat(int effect)
{
    return effect == ERRAND_PURE || effect == ERRAND_READ ||
           effect == ERRAND_IDEMPOTENT || effect == ERRAND_KEYED;
}

static bool from_planned(int to, int effect)
{
    if (to == ER_CALL_DONE) /* no need to say first that it runs */
        return effect == ERRAND_PURE || effect == ERRAND_READ;
    return to == ER_CALL_WAITING || to == ER_CALL_DENIED ||
           to == ER_CALL_FAILED;
}

bool er_call_may_finish(int from, int to, int effect)
{
    switch (from) {
    case ER_CALL_PLANNED:
        return from_planned(to, effect);
    case ER_CALL_WAITING:
        return to == ER_CALL_PLANNED || to == ER_CALL_DENIED;
    case ER_CALL_RUNNING:
        return to == ER_CALL_DONE || to == ER_CALL_FAILED ||
               to == ER_CALL_UNKNOWN ||
               (to == ER_CALL_PLANNED && may_repeat(effect));
    case ER_CALL_UNKNOWN:
        return to == ER_CALL_DONE || to == ER_CALL_FAILED ||
               to == ER_CALL_PLANNED;
    default:
        return false;
    }
}

bool er_call_may_resolve(int from, int to)
{
    if (from == ER_CALL_WAITING)
        return to == ER_CALL_PLANNED || to == ER_CALL_DENIED;
    return from == ER_CALL_UNKNOWN &&
           (to == ER_CALL_DONE || to == ER_CALL_FAILED ||
               to == ER_CALL_PLANNED);
}
