/* errand_policy_*: the policy, for people. */
#include "agent/consent.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static const char *const levels[] = {
    "answer", "request", "always", "configuration"};

static json_t *rule_json(const struct er_policy_rule *r)
{
    return json_pack("{s:s, s:s, s:s}", "kind", er_policy_kind_name(r->kind),
        "rule", er_rule_text(r->rule), "from", levels[r->level]);
}

static int hand_out(json_t *v, char **json, struct errand_error *err)
{
    *json = v ? er_json_text(v) : NULL;
    json_decref(v);
    return *json ? ERRAND_OK : er_nomem(err);
}

int errand_policy_list(errand *rt, char **json, struct errand_error *err)
{
    struct errand_error mine = {0};
    err = err ? err : &mine;
    int rc = er_consent_need(rt, err);
    if (rc != ERRAND_OK)
        return rc;
    json_t *rows = json_array();
    const struct er_policy_rule *r;
    for (int kind = 0; rows && kind < 3; kind++)
        for (size_t i = 0; (r = er_policy_at(rt->policy, i)); i++)
            if ((int)r->kind == kind)
                json_array_append_new(rows, rule_json(r));
    return hand_out(rows, json, err);
}

/* {"decision","why","rule"?,"from"?} */
static json_t *answer_json(const struct er_policy_answer *a)
{
    char why[400];
    er_policy_say(a, why, sizeof why);
    bool plain = a->kind == ER_POLICY_ALLOW && !a->by;
    json_t *v = json_pack("{s:s, s:s}", "decision",
        er_policy_kind_name(a->kind), "why", plain ? "no rule is about it"
                                                   : why);
    if (v && a->by) {
        json_object_set_new(v, "kind",
            json_string(er_policy_kind_name(a->by->kind)));
        json_object_set_new(
            v, "rule", json_string(er_rule_text(a->by->rule)));
        json_object_set_new(v, "from", json_string(levels[a->by->level]));
    }
    return v;
}

static int add_flags(
    er_policy *p, const json_t *options, struct errand_error *err)
{
    static const char *const keys[] = {"deny", "ask", "allow"};
    const json_t *rules = json_object_get(options, "policy");
    int rc = ERRAND_OK;
    for (int i = 0; i < 3 && rc == ERRAND_OK; i++)
        rc = er_policy_add_all(p, (enum er_policy_kind)i, ER_POLICY_FLAG,
            json_object_get(rules, keys[i]), keys[i], err);
    return rc == ERRAND_SYNTAX ? (err->code = ERRAND_USAGE) : rc;
}

static json_t *judge(errand *rt, const struct er_tool *tool, json_t **args,
    const json_t *options, struct errand_error *err)
{
    struct er_policy_place place = {.cwd = rt->cwd, .home = getenv("HOME")};
    er_policy *p = er_policy_new(&place, rt->policy, err);
    json_t *v = NULL;
    er_schema_coerce(tool->schema, args);
    struct er_policy_question q = {.tool = tool->name,
        .effect = tool->effect,
        .egress = er_consent_sends(tool),
        .tainted = json_is_true(json_object_get(options, "tainted")),
        .args = *args};
    if (p && add_flags(p, options, err) == ERRAND_OK) {
        struct er_policy_answer a = er_policy_decide(p, &q);
        v = answer_json(&a);
        if (!v)
            er_nomem(err);
    }
    er_policy_free(p);
    return v;
}

int errand_policy_check(errand *rt, const char *tool, const char *args,
    const char *options, char **json, struct errand_error *err)
{
    struct errand_error mine = {0};
    err = err ? err : &mine;
    int rc = er_runtime_need_tools(rt, err);
    if (rc == ERRAND_OK)
        rc = er_consent_need(rt, err);
    if (rc != ERRAND_OK)
        return rc;
    const struct er_tool *t = er_tools_find(rt->tools, tool);
    if (!t)
        return er_fail(err, ERRAND_NOT_FOUND,
            "there is no tool \"%.64s\"; `errand tools list` shows all",
            tool);
    json_t *a = er_json_parse(args, strlen(args), ER_JSON_STRICT, err);
    json_t *o = a && options
        ? er_json_parse(options, strlen(options), ER_JSON_STRICT, err)
        : json_object();
    json_t *v = NULL;
    if (!a)
        er_while(err, "the arguments");
    else if (!json_is_object(a))
        er_fail(err, ERRAND_USAGE, "the arguments must be a JSON object");
    else if (o)
        v = judge(rt, t, &a, o, err);
    json_decref(a);
    json_decref(o);
    return v ? hand_out(v, json, err) : err->code;
}

static int store_rule(
    errand *rt, const char *rule, struct errand_error *err)
{
    struct er_op *op = er_op_new(ER_OP_RULE);
    if (!op)
        return er_nomem(err);
    op->in.rule.rule = er_arena_str(&op->arena, rule);
    op->in.rule.remove = true;
    int rc = er_store_call(rt->store, op);
    if (rc != ERRAND_OK)
        *err = op->err;
    er_op_free(op);
    return rc;
}

int errand_policy_forget(
    errand *rt, const char *rule, struct errand_error *err)
{
    struct errand_error mine = {0};
    err = err ? err : &mine;
    int rc = er_consent_need(rt, err);
    if (rc == ERRAND_OK &&
        !er_policy_drop(rt->policy, ER_POLICY_ALWAYS, rule))
        rc = er_fail(err, ERRAND_NOT_FOUND,
            "no rule \"%.100s\" was kept; `errand policy list` shows all",
            rule);
    return rc == ERRAND_OK ? store_rule(rt, rule, err) : rc;
}
