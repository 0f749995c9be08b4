/* What became of a run: gathered from its events, told as JSON. */
#ifndef ERRAND_CLI_OUTCOME_H
#define ERRAND_CLI_OUTCOME_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"

#include <errand/errand.h>
#include <stdbool.h>
#include <stdint.h>

struct er_outcome {
    bool ended;
    uint32_t type; /* ERRAND_EV_DONE, PAUSED or FAILED once ended */
    int32_t code;  /* its errand_code */
    char run[ER_ID_SIZE], conversation[ER_ID_SIZE], model[128];
    char reason[32];    /* why it stopped: budget, unknown ...; or "" */
    struct er_buf text; /* the answer, or what went wrong */
    int64_t turns, calls, cost_micros;
    int64_t prompt_tokens, completion_tokens, cached_tokens;
};

void er_outcome_init(struct er_outcome *o);
void er_outcome_release(struct er_outcome *o);

/* Take in one event. */
void er_outcome_event(struct er_outcome *o, const struct errand_event *ev);

/* A run that could not even start: ended, failed. */
void er_outcome_refused(struct er_outcome *o, const struct errand_error *err);

/* {"run","conversation","state","answer" or "error","usage"...} as a new
 * reference; structured: the answer is JSON and stands parsed under "value"
 * as well. NULL: no memory. */
json_t *er_outcome_json(const struct er_outcome *o, bool structured);

/* What went wrong, for people at the command line: a budget is called as the
 * option that raises it. Borrowed until o or out changes. */
const char *er_outcome_text(const struct er_outcome *o, struct er_buf *out);

/* Exit status of the program for this outcome. */
int er_outcome_status(const struct er_outcome *o);

/* "done", "paused", "failed". */
const char *er_outcome_state(const struct er_outcome *o);

#endif
