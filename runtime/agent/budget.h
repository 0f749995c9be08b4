/* Budgets: what a run may use before it pauses and a person decides. */
#ifndef ERRAND_AGENT_BUDGET_H
#define ERRAND_AGENT_BUDGET_H

#include "base/error.h"
#include "base/json.h"

#include <stdbool.h>
#include <stdint.h>

struct er_budgets { /* 0: no limit */
    int64_t max_turns;      /* model requests, default 50 */
    int64_t max_calls;      /* tool calls, default 200 */
    int64_t max_tokens;     /* prompt and completion, summed over turns */
    int64_t max_seconds;    /* wall clock of this leg */
    int64_t max_cost_micro; /* millionths of the configured currency */
};

struct er_spent { /* since the run began or was resumed */
    int64_t turns, calls, tokens, cost_micro, ms;
};

void er_budgets_defaults(struct er_budgets *b);

/* Read {"max_turns","max_calls","max_tokens","max_seconds","max_cost"} over
 * *b; max_cost is in whole currency units, a real. Errors USAGE, RANGE */
int er_budgets_parse(
    const json_t *object, struct er_budgets *b, struct errand_error *err);

/* May another model turn with calls_next more calls begin? If not, err gets
 * PAUSED and says which budget, how much was used and how to go on. */
bool er_budget_left(const struct er_budgets *b, const struct er_spent *s,
    int64_t calls_next, struct errand_error *err);

#endif
