/* Asking a person about a call, and taking the answer.
 *
 * The answer is stored in the same transition that lets the call go on or
 * closes it, so a kill at any instant leaves either a question that is asked
 * again or an answer that is kept. */
#include "agent/consent.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ----------------------------------------------------------------- asking */

static void ask_about(struct run_call *c)
{
    errand_run *run = c->run;
    char *rule = er_rule_exact(c->name, c->args);
    struct errand_approval what = {.size = sizeof what,
        .tainted = run->tainted,
        .run = run,
        .call = c->id,
        .tool = c->name,
        .arguments = c->arguments,
        .why = c->why ? c->why : "",
        .rule = rule ? rule : ""};
    char id[ER_ID_SIZE];
    memcpy(id, c->id, sizeof id);
    what.call = id; /* the answer may come from within */
    c->asked = true;
    if (run->asking_since == 0)
        run->asking_since = er_mono_ms();
    er_emit_approval(run, &what);
    if (run->on_approval)
        run->on_approval(run->approval_user, &what);
    free(rule);
}

void er_run_ask(errand_run *run)
{
    for (size_t i = 0; i < run->n_calls && !run->ending; i++) {
        struct run_call *c = &run->calls[i];
        if (c->state == ER_CALL_WAITING && !c->asked)
            ask_about(c);
    }
}

static struct run_call *first_waiting(errand_run *run)
{
    for (size_t i = 0; i < run->n_calls; i++)
        if (run->calls[i].state == ER_CALL_WAITING)
            return &run->calls[i];
    return NULL;
}

bool er_run_has_waiting(errand_run *run)
{
    return first_waiting(run) != NULL;
}

bool er_run_waits_for_approval(errand_run *run)
{
    struct run_call *c = first_waiting(run);
    struct errand_error why = {0};
    if (!c)
        return false;
    if (run->on_approval)
        return true;
    er_fail(&why, ERRAND_PAUSED,
        "call %s to \"%.40s\" waits for approval; `errand log resolve %s "
        "--approve` or `--refuse`, then `errand resume`",
        c->id, c->name, c->id);
    er_run_pause(run, "approval", &why);
    return true;
}

/* ---------------------------------------------------------------- answers */

struct answer {
    errand_run *run;
    const char *call, *text;
    int decision;
    struct errand_error *err;
};

static int find_waiting(struct answer *a, struct run_call **out)
{
    errand_run *run = a->run;
    for (size_t i = 0; i < run->n_calls; i++) {
        struct run_call *c = &run->calls[i];
        if (strcmp(c->id, a->call) != 0)
            continue;
        *out = c;
        if (c->state == ER_CALL_WAITING && !run->ending && !run->dead)
            return ERRAND_OK;
        return er_fail(a->err, ERRAND_STATE,
            "call %.40s does not wait for approval any more", a->call);
    }
    return er_fail(a->err, ERRAND_NOT_FOUND,
        "the run has no open call %.40s", a->call);
}

static void refuse(struct run_call *c, const char *text)
{
    struct er_buf b;
    er_buf_init(&b, 70000);
    er_buf_adds(&b, "error: a person refused this call; it was not run.");
    if (text && text[0])
        er_buf_addf(&b, " The reason: %.60000s", text);
    else
        er_buf_adds(&b, " Do not try again; ask what to do instead, or go "
            "on without it.");
    c->decision = "no";
    er_emit_call(c->run, c);
    er_run_finish_call(c, ER_CALL_DENIED, er_buf_str(&b), b.len, "refused");
    er_buf_release(&b);
}

static void plan(struct run_call *c, const char *decision)
{
    c->decision = decision;
    c->state = ER_CALL_PLANNED;
    er_run_store_call(c, NULL);
    c->decision = NULL;
}

static void rule_stored(errand_run *run, struct er_op *op)
{
    (void)run;
    (void)op; /* what follows in the queue relies on it: order is kept */
}

/* The rule must have conditions and fit the call: then it is what the person
 * meant, also where the conversation is tainted. */
static int check_rule(const struct run_call *c, const char *text,
    struct errand_error *err)
{
    struct er_policy_place place = {
        .cwd = c->run->rt->cwd, .home = getenv("HOME")};
    er_rule *rule = er_rule_parse(text, &place, err);
    if (!rule)
        return err->code = ERRAND_USAGE;
    bool fits = er_rule_matches(rule, ER_POLICY_ALLOW, c->name, c->args);
    bool bare = er_rule_is_bare(rule);
    er_rule_free(rule);
    if (!fits)
        return er_fail(err, ERRAND_USAGE,
            "the rule \"%.100s\" does not fit this call", text);
    if (bare)
        return er_fail(err, ERRAND_USAGE,
            "the rule \"%.100s\" has no conditions; %.64s(*) is whatever the "
            "arguments", text, c->name);
    return ERRAND_OK;
}

static int keep_rule(
    struct run_call *c, const char *text, struct errand_error *err)
{
    errand_run *run = c->run;
    char *exact = text ? NULL : er_rule_exact(c->name, c->args);
    const char *rule = text ? text : exact;
    int rc = rule ? check_rule(c, rule, err) : er_nomem(err);
    if (rc == ERRAND_OK)
        rc = er_policy_add(
            run->policy, ER_POLICY_ALLOW, ER_POLICY_ANSWER, rule, err);
    if (rc == ERRAND_OK)
        rc = er_policy_add(run->rt->policy, ER_POLICY_ALLOW,
            ER_POLICY_ALWAYS, rule, err);
    struct er_op *op = rc == ERRAND_OK ? er_run_op(run, ER_OP_RULE) : NULL;
    if (op) {
        op->in.rule.rule = er_arena_str(&op->arena, rule);
        er_run_submit(run, op, rule_stored);
    }
    free(exact);
    return rc;
}

static int allow_for_run(struct run_call *c, struct errand_error *err)
{
    char rule[80];
    snprintf(rule, sizeof rule, "%.64s(*)", c->name);
    return er_policy_add(
        c->run->policy, ER_POLICY_ALLOW, ER_POLICY_ANSWER, rule, err);
}

/* An answer may be one to the other calls that wait as well. */
static void allow_others(errand_run *run)
{
    for (size_t i = 0; i < run->n_calls; i++) {
        struct run_call *c = &run->calls[i];
        struct er_policy_question q = {.tool = c->name,
            .effect = c->effect,
            .tainted = run->tainted,
            .args = c->args};
        if (c->state != ER_CALL_WAITING)
            continue;
        q.egress = er_consent_sends(c->tool);
        if (er_policy_decide(run->policy, &q).kind == ER_POLICY_ALLOW)
            plan(c, "run");
    }
}

static void on_soon(void *ctx)
{
    er_run_dispatch(ctx);
}

/* Not from within: the answer may come from a callback that was called in
 * the middle of anything. The timer goes with the calls. */
static void dispatch_soon(errand_run *run)
{
    struct errand_error err = {0};
    er_timer_stop(&run->soon);
    if (er_timer_start(run->rt->loop, &run->soon, 0, on_soon, run, &err) !=
        ERRAND_OK)
        er_run_fail(run, &err);
}

static int approve(void *arg)
{
    struct answer *a = arg;
    errand_run *run = a->run;
    struct run_call *c = NULL;
    int rc = find_waiting(a, &c);
    if (rc == ERRAND_OK && a->decision == ERRAND_FOR_RUN)
        rc = allow_for_run(c, a->err);
    if (rc == ERRAND_OK && a->decision == ERRAND_ALWAYS)
        rc = keep_rule(c, a->text, a->err);
    if (rc != ERRAND_OK)
        return rc;
    if (a->decision == ERRAND_REFUSE)
        refuse(c, a->text);
    else
        plan(c, a->decision == ERRAND_ONCE ? "once"
             : a->decision == ERRAND_FOR_RUN ? "run" : "always");
    if (a->decision == ERRAND_FOR_RUN || a->decision == ERRAND_ALWAYS)
        allow_others(run);
    if (!first_waiting(run) && run->asking_since) {
        run->leg_began_ms += er_mono_ms() - run->asking_since;
        run->asking_since = 0; /* a person's time is not the run's */
    }
    dispatch_soon(run);
    return ERRAND_OK;
}

int errand_approve(errand_run *run, const char *call_id, int decision,
    const char *text, struct errand_error *err)
{
    struct errand_error mine = {0};
    struct answer a = {.run = run, .call = call_id, .text = text,
        .decision = decision, .err = err ? err : &mine};
    if (decision < ERRAND_REFUSE || decision > ERRAND_ALWAYS)
        return er_fail(a.err, ERRAND_USAGE,
            "decision %d is no errand_decision", decision);
    return er_runtime_call(run->rt, approve, &a);
}

void errand_on_approval(errand *rt, errand_approval_fn fn, void *user)
{
    rt->on_approval = fn;
    rt->approval_user = user;
}
