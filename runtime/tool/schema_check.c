/* Running a compiled schema over a value. */
#include "tool/schema_check.h"

#include <stdlib.h>

static er_check_fn *const checks[ER_RULE_KINDS] = {
    [ER_RULE_TYPE] = er_check_type,
    [ER_RULE_CONST] = er_check_const,
    [ER_RULE_ENUM] = er_check_enum,
    [ER_RULE_MINIMUM] = er_check_limit,
    [ER_RULE_MAXIMUM] = er_check_limit,
    [ER_RULE_ABOVE] = er_check_limit,
    [ER_RULE_BELOW] = er_check_limit,
    [ER_RULE_MULTIPLE] = er_check_multiple,
    [ER_RULE_MIN_LENGTH] = er_check_length,
    [ER_RULE_MAX_LENGTH] = er_check_length,
    [ER_RULE_MIN_ITEMS] = er_check_count,
    [ER_RULE_MAX_ITEMS] = er_check_count,
    [ER_RULE_MIN_PROPS] = er_check_count,
    [ER_RULE_MAX_PROPS] = er_check_count,
    [ER_RULE_REQUIRED] = er_check_required,
    [ER_RULE_DEP_REQUIRED] = er_check_dependents,
    [ER_RULE_OBJECT] = er_check_object,
    [ER_RULE_ARRAY] = er_check_array,
    [ER_RULE_PATTERN] = er_check_pattern,
    [ER_RULE_FORMAT] = er_check_format,
    [ER_RULE_UNIQUE] = er_check_unique,
    [ER_RULE_CONTAINS] = er_check_contains,
    [ER_RULE_NAMES] = er_check_names,
    [ER_RULE_DEPENDENCIES] = er_check_dependents,
    [ER_RULE_DEP_SCHEMAS] = er_check_dependents,
    [ER_RULE_REF] = er_check_ref,
    [ER_RULE_DYNAMIC_REF] = er_check_dynamic,
    [ER_RULE_ALL] = er_check_all,
    [ER_RULE_ANY] = er_check_any,
    [ER_RULE_ONE] = er_check_one,
    [ER_RULE_NOT] = er_check_not,
    [ER_RULE_IF] = er_check_if,
    [ER_RULE_UNEV_ITEMS] = er_check_unev_items,
    [ER_RULE_UNEV_PROPS] = er_check_unev_props,
};

bool er_check_over(struct er_check *c, const char *limit)
{
    if (!c->over)
        c->over = limit;
    return false;
}

bool er_check_steps(struct er_check *c, size_t n)
{
    if (c->over)
        return false;
    if (c->steps < n)
        return er_check_over(c,
            "checking was given up, because it would take too long: the "
            "schema or the value is too intricate");
    c->steps -= n;
    return true;
}

bool er_check_match(struct er_check *c, const struct er_regex *re,
    const char *s, size_t len)
{
    if (!er_check_steps(c, 1))
        return false;
    c->matcher.steps = &c->steps;
    enum er_match m = er_regex_match(re, &c->matcher, s, len);
    if (m == ER_MATCH_GAVE_UP)
        return er_check_over(c,
            "checking was given up, because a pattern takes too long on "
            "this text; use a simpler pattern");
    return m == ER_MATCH_YES;
}

static bool eval_rules(struct er_check *c, const struct er_node *n,
    const json_t *v, const struct er_path *at, bool track)
{
    unsigned type = er_type_of(v);
    bool ok = true;
    for (unsigned i = 0; i < n->nrules; i++) {
        const struct er_rule *r = &n->rules[i];
        if (!(r->types & type))
            continue;
        /* what failed schemas saw does not count: say nothing of the rest */
        if (!ok && r->kind >= ER_RULE_UNEV_ITEMS)
            break;
        if (checks[r->kind](c, n, r, v, at, track))
            continue;
        ok = false;
        if (er_check_done(c) || r->kind == ER_RULE_TYPE)
            break;
    }
    return ok && !c->over;
}

bool er_eval(struct er_check *c, const struct er_node *n, const json_t *v,
    const struct er_path *at, bool track)
{
    if (n->nrules == 0)
        return n->never ? er_say(c, at, "%s is not allowed",
                              at && at->key ? "this property" : "a value")
                        : !c->over;
    if (!er_check_steps(c, n->cost))
        return false;
    if (c->depth >= ER_CHECK_DEPTH)
        return er_check_over(c,
            "checking was given up, because schema and value are nested too "
            "deep");
    struct er_scope here = {c->scope, n->res};
    const struct er_scope *outer = c->scope;
    size_t marks = c->nmarks, base = c->base;
    if (!outer || outer->res != n->res)
        c->scope = &here;
    c->base = marks;
    c->depth++;
    bool ok = eval_rules(c, n, v, at, track || n->tracks);
    c->depth--;
    c->base = base;
    c->scope = outer;
    if (!ok || !track)
        c->nmarks = marks;
    return ok;
}

bool er_eval_quiet(struct er_check *c, const struct er_node *n,
    const json_t *v, const struct er_path *at, bool track)
{
    struct er_report *report = c->report;
    c->report = NULL;
    bool ok = er_eval(c, n, v, at, track);
    c->report = report;
    return ok;
}

void er_check_begin(struct er_check *c, const er_schema *s)
{
    *c = (struct er_check){.schema = s, .steps = ER_CHECK_STEPS};
}

void er_check_end(struct er_check *c)
{
    er_matcher_release(&c->matcher);
    free(c->marks);
}

/* Once more, and say what is wrong. */
static void explain(struct er_check *c, const json_t *instance,
    json_t *errors, size_t max)
{
    size_t had = json_array_size(errors);
    struct er_report report = {.errors = errors, .max = max};
    const char *over = c->over;
    c->steps = ER_CHECK_STEPS;
    c->over = NULL;
    c->nmarks = c->base = 0;
    c->report = &report;
    if (!over)
        er_eval(c, c->schema->root, instance, NULL, false);
    if (c->over)
        over = c->over;
    c->over = NULL;
    if (over && (report.count < max || json_array_size(errors) == had))
        er_say(c, NULL, "%s", over);
    c->report = NULL;
}

bool er_schema_check(const er_schema *s, const json_t *instance,
    json_t *errors, size_t max_errors)
{
    struct er_check c;
    er_check_begin(&c, s);
    bool ok = instance && er_eval(&c, s->root, instance, NULL, false);
    if (!instance)
        er_check_over(&c, "there is no value");
    ok = ok && !c.over;
    if (!ok && errors && max_errors)
        explain(&c, instance, errors, max_errors);
    er_check_end(&c);
    return ok;
}
