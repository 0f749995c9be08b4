/* Limits that pause a run; resuming grants the same amount once more. */
#include "budget.h"

#include <math.h>
#include <string.h>

static const int64_t MAX_BUDGET = (int64_t)1 << 50;

void er_budgets_defaults(struct er_budgets *b)
{
    *b = (struct er_budgets){.max_turns = 50, .max_calls = 200};
}

static int64_t *field(struct er_budgets *b, const char *key)
{
    if (strcmp(key, "max_turns") == 0)
        return &b->max_turns;
    if (strcmp(key, "max_calls") == 0)
        return &b->max_calls;
    if (strcmp(key, "max_tokens") == 0)
        return &b->max_tokens;
    if (strcmp(key, "max_seconds") == 0)
        return &b->max_seconds;
    if (strcmp(key, "max_cost") == 0)
        return &b->max_cost_micro;
    return NULL;
}

int er_budgets_parse(
    const json_t *object, struct er_budgets *b, struct errand_error *err)
{
    const char *key;
    json_t *v;
    if (!json_is_object(object))
        return er_fail(err, ERRAND_USAGE, "budgets must be an object");
    json_object_foreach((json_t *)object, key, v)
    {
        int64_t *f = field(b, key);
        if (!f)
            return er_fail(err, ERRAND_USAGE,
                "unknown budget \"%.40s\"; known are max_turns, max_calls, "
                "max_tokens, max_seconds, max_cost", key);
        double d = json_number_value(v);
        if (f == &b->max_cost_micro)
            d *= 1e6;
        if (!json_is_number(v) || !(d >= 0) || d > (double)MAX_BUDGET)
            return er_fail(err, ERRAND_RANGE,
                "budget %.40s must be a number from 0 (no limit) up", key);
        *f = (int64_t)llround(d);
    }
    return ERRAND_OK;
}

static bool over(struct errand_error *err, const char *what, int64_t used,
    int64_t max, const char *option)
{
    er_fail(err, ERRAND_PAUSED,
        "budget reached: %lld of %lld %s; resume the run to allow as much "
        "again, or raise %s", (long long)used, (long long)max, what, option);
    return false;
}

bool er_budget_left(const struct er_budgets *b, const struct er_spent *s,
    int64_t calls_next, struct errand_error *err)
{
    if (b->max_turns && s->turns >= b->max_turns)
        return over(err, "model turns", s->turns, b->max_turns, "max_turns");
    if (b->max_calls && s->calls + calls_next > b->max_calls)
        return over(err, "tool calls", s->calls, b->max_calls, "max_calls");
    if (b->max_tokens && s->tokens >= b->max_tokens)
        return over(err, "tokens", s->tokens, b->max_tokens, "max_tokens");
    if (b->max_seconds && s->ms >= b->max_seconds * 1000)
        return over(err, "seconds", s->ms / 1000, b->max_seconds,
            "max_seconds");
    if (b->max_cost_micro && s->cost_micro >= b->max_cost_micro)
        return over(err, "millionths of cost", s->cost_micro,
            b->max_cost_micro, "max_cost");
    return true;
}
