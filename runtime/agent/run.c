/* A run's life: made from its settings, ended once, freed when nothing will
 * call back any more. */
#include "agent/consent.h"
#include "agent/functions.h"
#include "agent/grant.h"
#include "agent/run.h"
#include "agent/script.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_MAX = 64 * 1024 * 1024, LOGPROBS_MAX = 256 * 1024 * 1024 };

/* --- making */

static int read_schema(
    errand_run *run, const json_t *schema, struct errand_error *err)
{
    if (!schema)
        return ERRAND_OK;
    run->schema = json_incref((json_t *)schema);
    run->answer_schema =
        er_schema_compile(schema, ER_DRAFT_2020_12, 0, NULL, err);
    return run->answer_schema
        ? ERRAND_OK : er_while(err, "the answer's schema");
}

static int add_tool(
    errand_run *run, const struct er_tool *t, struct errand_error *err)
{
    json_t *v = json_pack("{s:s, s:s, s:O}", "name", t->name, "description",
        t->description, "parameters", t->parameters);
    return json_array_append_new(run->tools, v) == 0 ? ERRAND_OK
                                                     : er_nomem(err);
}

static bool is_named(const json_t *names, const char *name)
{
    size_t i;
    json_t *v;
    json_array_foreach(names, i, v)
    {
        const char *s = json_string_value(v);
        if (s && (strcmp(s, name) == 0 || strcmp(s, "*") == 0))
            return true;
    }
    return false;
}

static int check_names(
    errand_run *run, const json_t *names, struct errand_error *err)
{
    size_t i;
    json_t *v;
    json_array_foreach(names, i, v)
    {
        const char *s = json_string_value(v), *near = NULL;
        if (!s)
            return er_fail(err, ERRAND_USAGE, "a tool's name is no text");
        if (strcmp(s, "*") != 0 && er_policy_hides(run->policy, s))
            return er_consent_hidden(run->policy, s, err);
        if (strcmp(s, "*") == 0 || er_tools_find(run->rt->tools, s))
            continue;
        er_tools_similar(run->rt->tools, s, &near, 1);
        return er_fail(err, ERRAND_NOT_FOUND,
            "there is no tool \"%.64s\"%s%.64s%s; `errand tools list` shows "
            "all", s, near ? ", did you mean \"" : "", near ? near : "",
            near ? "\"" : "");
    }
    return ERRAND_OK;
}

/* The tools asked for, by name in the registry's sorted order; read_more
 * comes along as soon as there is one. */
static int read_tools(
    errand_run *run, const json_t *names, struct errand_error *err)
{
    run->tools = json_array();
    if (!run->tools)
        return er_nomem(err);
    if (json_array_size(names) == 0 && run->n_functions == 0)
        return ERRAND_OK;
    int rc = ERRAND_OK;
    if (json_array_size(names) > 0)
        rc = er_runtime_need_tools(run->rt, err);
    if (rc == ERRAND_OK)
        rc = check_names(run, names, err);
    size_t n = rc == ERRAND_OK ? er_tools_count(run->rt->tools) : 0;
    for (size_t i = 0; i < n && rc == ERRAND_OK; i++) {
        const struct er_tool *t = er_tools_at(run->rt->tools, i);
        if (strcmp(t->source, "builtin") != 0 && !is_named(names, t->name))
            continue;
        if (er_policy_hides(run->policy, t->name))
            continue;
        rc = er_grant_check(run->rt, t, err);
        if (rc == ERRAND_OK)
            rc = add_tool(run, t, err);
    }
    return rc == ERRAND_OK ? er_functions_offer(run, err) : rc;
}

static int read_settings(errand_run *run, struct errand_error *err)
{
    const json_t *s = run->settings, *v;
    int rc = ERRAND_OK;
    const char *model = er_json_str(s, "model");
    run->model = er_strdup(model ? model : ""); /* "": none is asked */
    if (!run->model)
        return er_nomem(err);
    const json_t *agent = json_object_get(s, "agent");
    const char *root = er_json_str(s, "root");
    run->is_script = json_is_true(json_object_get(agent, "script"));
    run->is_single = json_object_get(s, "call") != NULL;
    run->is_confirm = json_is_true(json_object_get(s, "confirm"));
    run->is_step = root != NULL;
    run->tainted = json_is_true(json_object_get(s, "tainted"));
    if (root)
        snprintf(run->root, sizeof run->root, "%s", root);
    run->sampling = run->rt->config.sampling;
    if (!run->is_script) /* its steps have theirs */
        run->budgets = run->rt->config.budgets;
    run->tool_choice = er_json_str(s, "tool_choice");
    run->on_unknown = er_json_str(s, "on_unknown");
    run->stream = json_is_true(json_object_get(s, "stream"));
    run->prompt_form = json_is_true(json_object_get(s, "prompt_form"));
    if ((v = json_object_get(s, "params")))
        rc = er_sampling_parse(v, &run->sampling, err);
    if (rc == ERRAND_OK && (v = json_object_get(s, "budgets")))
        rc = er_budgets_parse(v, &run->budgets, err);
    if (rc == ERRAND_OK)
        rc = read_schema(run, json_object_get(s, "schema"), err);
    if (rc == ERRAND_OK)
        rc = er_run_read_policy(run, err);
    if (rc == ERRAND_OK)
        rc = er_functions_read(run, json_object_get(s, "functions"), err);
    if (rc == ERRAND_OK)
        rc = read_tools(run, json_object_get(s, "tools"), err);
    if (rc == ERRAND_OK)
        rc = run->model[0] || (!run->is_script && !run->is_single)
            ? er_models_check(run->rt->models, run->model, err) : ERRAND_OK;
    return rc;
}

errand_run *er_run_new(errand *rt, json_t *settings, errand_event_fn on_event,
    void *user, struct errand_error *err)
{
    errand_run *run = calloc(1, sizeof *run);
    if (!run) {
        er_nomem(err);
        return NULL;
    }
    run->rt = rt;
    run->settings = json_incref(settings);
    run->on_event = on_event;
    run->user = user;
    run->on_approval = rt->on_approval;
    run->approval_user = rt->approval_user;
    run->leg_began_ms = er_mono_ms();
    er_buf_init(&run->reply.text, ANSWER_MAX);
    er_buf_init(&run->reply.logprobs, LOGPROBS_MAX);
    er_buf_init(&run->reply.reasoning, ANSWER_MAX);
    if (read_settings(run, err) != ERRAND_OK) {
        er_run_free(run);
        return NULL;
    }
    return run;
}

void er_run_link(errand_run *run)
{
    errand *rt = run->rt;
    run->next = rt->runs;
    if (rt->runs)
        rt->runs->prev = run;
    rt->runs = run;
    er_runtime_run_began(rt);
}

static void unlink_run(errand_run *run)
{
    if (run->prev)
        run->prev->next = run->next;
    else if (run->rt->runs == run)
        run->rt->runs = run->next;
    if (run->next)
        run->next->prev = run->prev;
    run->prev = run->next = NULL;
}

void er_run_free(errand_run *run)
{
    if (!run)
        return;
    er_timer_stop(&run->timer);
    er_run_free_calls(run);
    er_run_forget_said(run);
    er_buf_release(&run->reply.text);
    er_buf_release(&run->reply.logprobs);
    er_buf_release(&run->reply.reasoning);
    json_decref(run->reply.calls);
    json_decref(run->reply.extra);
    json_decref(run->settings);
    json_decref(run->tools);
    er_functions_free(run);
    json_decref(run->schema);
    er_schema_free(run->answer_schema);
    json_decref(run->messages);
    er_prompt_free(run->prompt);
    er_compact_free(run->compacting);
    er_policy_free(run->policy);
    er_script_free(run);
    free(run->model);
    free(run);
}

void er_run_collect(errand_run *run)
{
    if (!run->told || run->pending > 0 || run->exchange)
        return;
    unlink_run(run);
    er_run_free(run);
}

/* --- the store */

struct run_op { /* what must be known when an operation comes back */
    errand_run *run;
    void (*done)(errand_run *run, struct er_op *op);
};

struct er_op *er_run_op(errand_run *run, enum er_op_kind kind)
{
    struct er_op *op = er_op_new(kind);
    if (!op) {
        struct errand_error err = {0};
        er_nomem(&err);
        er_run_abandon(run, &err);
    }
    return op;
}

static void on_op(void *ctx, struct er_op *op)
{
    struct run_op *r = ctx;
    errand_run *run = r->run;
    void (*done)(errand_run *, struct er_op *) = r->done;
    run->pending--;
    if (op->code != ERRAND_OK) {
        if (!run->dead)
            er_run_abandon(run, &op->err);
    } else if (!run->dead && done) {
        done(run, op);
    }
    er_op_free(op); /* r lies in its arena */
    if (run->held && run->pending <= ER_PENDING_MAX / 2) {
        run->held = false;
        er_run_turn(run);
    }
    er_run_collect(run);
}

void er_run_submit(errand_run *run, struct er_op *op,
    void (*done)(errand_run *run, struct er_op *op))
{
    struct run_op *r = er_arena_alloc(&op->arena, sizeof *r);
    if (!r) {
        struct errand_error err = {0};
        er_nomem(&err);
        er_op_free(op);
        er_run_abandon(run, &err);
        return;
    }
    *r = (struct run_op){.run = run, .done = done};
    op->done = on_op;
    op->ctx = r;
    run->pending++;
    er_store_submit(run->rt->store, op);
}

/* --- ends */

static void tell_end(errand_run *run, int type, const char *reason,
    const char *text, const struct errand_error *why)
{
    if (run->told)
        return;
    run->told = true;
    er_timer_stop(&run->timer);
    er_emit_end(run, type, reason, text, why);
    er_runtime_run_ended(run->rt);
}

void er_run_abandon(errand_run *run, const struct errand_error *why)
{
    if (run->dead)
        return;
    run->dead = run->ending = true;
    if (run->exchange)
        er_model_cancel(run->exchange);
    run->exchange = NULL;
    for (size_t i = 0; i < run->n_calls; i++)
        if (run->calls[i].live)
            er_tools_cancel(run->calls[i].live);
    er_script_abandon(run);
    tell_end(run, ERRAND_EV_FAILED, "error", why->msg, why);
}

static void on_stopped(errand_run *run, struct er_op *op)
{
    struct errand_error why = {.code = op->in.stop.code, .at = -1};
    bool paused = op->in.stop.state == ER_RUN_PAUSED;
    er_fail(&why, op->in.stop.code, "%s", op->in.stop.error);
    tell_end(run, paused ? ERRAND_EV_PAUSED : ERRAND_EV_FAILED,
        op->in.stop.reason, op->in.stop.error, &why);
}

void er_run_stop(errand_run *run, int state, const char *reason,
    const struct errand_error *why)
{
    er_run_stop_saying(run, state, reason, why->code, why->msg);
}

const char *er_run_root(const errand_run *run)
{
    return run->root[0] ? run->root : run->claim.run_id;
}

void er_run_stop_saying(errand_run *run, int state, const char *reason,
    int code, const char *text)
{
    if (run->ending)
        return;
    run->ending = true;
    er_timer_stop(&run->timer);
    struct er_op *op = er_run_op(run, ER_OP_STOP);
    if (!op)
        return;
    op->in.stop = (struct er_stop){.claim = run->claim, .state = state,
        .reason = er_arena_str(&op->arena, reason), .code = code,
        .error = er_arena_str(&op->arena, text)};
    if (!op->in.stop.error) {
        struct errand_error err = {0};
        er_nomem(&err);
        er_op_free(op);
        er_run_abandon(run, &err);
        return;
    }
    er_run_submit(run, op, on_stopped);
}

void er_run_fail(errand_run *run, const struct errand_error *why)
{
    er_run_stop(run, ER_RUN_FAILED, "error", why);
}

void er_run_pause(errand_run *run, const char *reason,
    const struct errand_error *why)
{
    er_run_stop(run, ER_RUN_PAUSED, reason, why);
}

void er_run_done(errand_run *run, const char *answer)
{
    run->ending = true;
    tell_end(run, ERRAND_EV_DONE, NULL, answer, NULL);
}

void er_run_cancel(errand_run *run)
{
    if (run->cancelled || run->ending)
        return;
    run->cancelled = true;
    if (run->script) {
        er_script_interrupt(run);
        return;
    }
    if (run->exchange)
        er_model_cancel(run->exchange);
    run->exchange = NULL;
    for (size_t i = 0; i < run->n_calls; i++)
        if (run->calls[i].live)
            er_tools_cancel(run->calls[i].live);
    if (run->running == 0) {
        struct errand_error why = {0};
        er_fail(&why, ERRAND_CANCELLED,
            "interrupted; `errand resume %s` goes on", er_run_root(run));
        er_run_pause(run, "interrupted", &why);
    }
}
