/* Running the calls of a reply: intent (T2), the tool, its outcome (T3). */
#include "agent/cap.h"
#include "agent/functions.h"
#include "agent/consent.h"
#include "agent/history.h"
#include "agent/read_more.h"
#include "agent/run.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SINGLE_MOST = 64 * 1024 * 1024 }; /* bytes, scrubbed */

static bool is_rerunnable(int effect) { return effect != ERRAND_UNSAFE; }

/* Side effects outside: its start must be stored before it starts. */
static bool needs_intent(int effect)
{
    return effect != ERRAND_PURE && effect != ERRAND_READ;
}

void er_run_free_calls(errand_run *run)
{
    er_timer_stop(&run->soon);
    for (size_t i = 0; i < run->n_calls; i++) {
        struct run_call *c = &run->calls[i];
        free(c->name);
        free(c->arguments);
        free(c->raw);
        free(c->why);
        json_decref(c->args);
        json_decref(c->result);
    }
    free(run->calls);
    run->calls = NULL;
    run->n_calls = run->running = 0;
}

/* --- T3 */

static void all_done(errand_run *run)
{
    for (size_t i = 0; i < run->n_calls; i++) {
        json_array_append(run->messages, run->calls[i].result);
        run->tainted |= er_consent_is_external(run->calls[i].result);
        run->single_state = run->calls[i].state;
    }
    er_run_free_calls(run);
    er_run_turn(run);
}

/* Pause because calls have no outcome; true if so. */
static bool pause_for_unknown(errand_run *run)
{
    struct errand_error err = {0};
    for (size_t i = 0; i < run->n_calls; i++) {
        struct run_call *c = &run->calls[i];
        if (c->state != ER_CALL_UNKNOWN)
            continue;
        er_fail(&err, ERRAND_PAUSED,
            "call %s to \"%.40s\" may or may not have taken effect; look, "
            "then `errand log resolve %s --done` or `--not-done`, and resume",
            c->id, c->name, c->id);
        er_run_pause(run, "unknown", &err);
        return true;
    }
    return false;
}

static void pause_cancelled(errand_run *run)
{
    struct errand_error err = {0};
    er_fail(&err, ERRAND_CANCELLED, "interrupted; `errand resume %s` goes on",
        er_run_root(run));
    er_run_pause(run, "interrupted", &err);
}

/* Store a state of a call; text is its whole result where it has one. */
static void store_outcome(struct run_call *c, const char *text, size_t len,
    const char *error)
{
    errand_run *run = c->run;
    struct er_op *op = er_run_op(run, ER_OP_FINISH);
    if (!op)
        return;
    struct er_outcome *o = &op->in.outcome;
    *o = (struct er_outcome){.claim = run->claim,
        .call_id = er_arena_str(&op->arena, c->id),
        .state = c->state,
        .error = er_arena_str(&op->arena, error),
        .asked = {er_arena_str(&op->arena, c->about),
            er_arena_str(&op->arena, c->why)},
        .decision = c->decision};
    if (c->result) {
        const char *shown = er_json_str(c->result, "content");
        char *content = er_json_text(c->result);
        struct er_new_message *m = er_arena_alloc(&op->arena, sizeof *m);
        if (m)
            *m = (struct er_new_message){.role = "tool",
                .content = er_arena_str(&op->arena, content),
                .text = er_arena_str(&op->arena, shown)};
        free(content);
        o->message = m;
        if (text && shown && (strlen(shown) != len ||
                memcmp(shown, text, len) != 0)) {
            o->result = er_arena_strn(&op->arena, text, len);
            o->result_len = len;
        }
    }
    op->level = needs_intent(c->effect) ? ER_DURABLE : ER_COMMITTED;
    op->patient = op->level == ER_COMMITTED;
    er_run_submit(run, op, NULL);
}

void er_run_store_call(struct run_call *c, const char *error)
{
    store_outcome(c, NULL, 0, error);
}

/* What the model reads: the capped result and the guard's remark. */
static json_t *shown_result(
    struct run_call *c, const char *text, size_t len, bool failed)
{
    errand_run *run = c->run;
    const struct er_config *cfg = &run->rt->config;
    char note[200] = "";
    struct er_buf shown;
    er_buf_init(&shown, run->is_single ? SINGLE_MOST : 256 * 1024);
    enum er_verdict v = c->tool && c->tool->polls ? ER_GUARD_FINE
        : er_guard_see(&run->guard, c->name, c->arguments, text, len, failed,
              note, sizeof note);
    if (v == ER_GUARD_PAUSE) {
        run->guard_pause = true;
        snprintf(run->guard_note, sizeof run->guard_note, "%s", note);
    }
    size_t most = er_cap_bytes(cfg->window_tokens, cfg->result_share);
    if (run->is_single) /* no model reads it */
        most = SIZE_MAX;
    er_cap_add(&shown, text, len, most, c->id);
    if (v == ER_GUARD_WARN)
        er_buf_addf(&shown, "\n[%s]", note);
    json_t *m = er_message_result(
        c->id, c->name, er_buf_str(&shown), shown.len);
    er_buf_release(&shown);
    er_consent_mark(c, m);
    if (m && c->is_json)
        json_object_set_new(m, "json", json_true());
    return m;
}

void er_run_finish_call(struct run_call *c, int state, const char *text,
    size_t len, const char *error)
{
    errand_run *run = c->run;
    c->state = state;
    c->result = shown_result(c, text, len, state != ER_CALL_DONE);
    if (!c->result) {
        struct errand_error err = {0};
        er_nomem(&err);
        er_run_fail(run, &err);
        return;
    }
    store_outcome(c, text, len, error);
    er_emit_result(run, c, er_json_str(c->result, "content"),
        c->started_ms ? er_mono_ms() - c->started_ms : 0);
}

/* A call whose start is stored shall start once more. An unsafe one passes
 * through "unknown", so that the store sees the decision. */
static void plan_again(struct run_call *c)
{
    if (c->begun && !is_rerunnable(c->effect) &&
        c->state == ER_CALL_RUNNING) {
        c->state = ER_CALL_UNKNOWN;
        store_outcome(c, NULL, 0, "to be run again");
    }
    c->state = ER_CALL_PLANNED;
    if (c->begun)
        store_outcome(c, NULL, 0, NULL);
    c->begun = false;
}

static void set_unknown(struct run_call *c, const char *why);

/* The tool looked: it took effect, it did not, or it cannot tell either. */
static void on_probe(void *ctx, const struct er_tool_outcome *o)
{
    struct run_call *c = ctx;
    errand_run *run = c->run;
    bool looked = o->status == ER_TOOL_OK;
    static const char lost[] = "it took effect; its result is lost";
    c->live = NULL;
    c->external = o->external;
    run->pending--;
    run->running--;
    if (!run->dead && !run->ending) {
        if (looked && o->probe == ER_PROBE_DONE)
            er_run_finish_call(c, ER_CALL_DONE, o->len ? o->text : lost,
                o->len ? o->len : sizeof lost - 1, NULL);
        else if (looked && o->probe == ER_PROBE_NOT_DONE)
            plan_again(c);
        else
            set_unknown(c, c->doubt);
        er_run_dispatch(run);
    }
    er_run_collect(run);
}

/* Ask the tool itself, once, before a person is asked. True: it is asked. */
static bool probe(struct run_call *c, const char *why)
{
    errand_run *run = c->run;
    if (c->probed || !c->tool || !c->tool->probes || run->cancelled)
        return false;
    c->probed = true;
    snprintf(c->doubt, sizeof c->doubt, "%s", why);
    er_text_trim_utf8(c->doubt);
    struct er_tool_request req = {.tool = c->tool, .arguments = c->args,
        .idem_key = c->idem_key, .attempt = c->attempt > 0 ? c->attempt : 1,
        .timeout_ms = ER_PROBE_MS, .probe = true};
    if (er_tools_call(
            run->rt->tools, &req, on_probe, c, &c->live, NULL) != ERRAND_OK)
        return false;
    run->pending++;
    run->running++;
    return true;
}

static void set_unknown(struct run_call *c, const char *why)
{
    if (probe(c, why))
        return;
    static const char note[] =
        "{\"status\":\"unknown\",\"note\":\"interrupted; may have taken "
        "effect; verify before repeating\"}";
    errand_run *run = c->run;
    const char *policy = run->on_unknown ? run->on_unknown : "ask";
    if (strcmp(policy, "fail") == 0) {
        char text[300];
        snprintf(text, sizeof text, "unknown outcome: %s", why);
        er_run_finish_call(c, ER_CALL_FAILED, note, sizeof note - 1, text);
        return;
    }
    if (strcmp(policy, "retry") == 0 && !run->cancelled) {
        plan_again(c);
        return;
    }
    if (c->state != ER_CALL_UNKNOWN) {
        c->state = ER_CALL_UNKNOWN;
        store_outcome(c, NULL, 0, why);
    }
    er_emit_note(run, "the outcome of \"%.64s\" is unknown: %.200s", c->name,
        why);
}

/* The tool did not answer: dead, late or cancelled. One that it was never
 * handed to has certainly done nothing, whatever its effect. */
static void no_answer(struct run_call *c, enum er_tool_status status,
    bool started, const char *why)
{
    errand_run *run = c->run;
    bool again = status == ER_TOOL_CANCELLED ||
                 (status == ER_TOOL_DIED && c->attempt < ER_CALL_TRIES);
    if (!started && (again || run->cancelled)) {
        plan_again(c);
    } else if (started && !is_rerunnable(c->effect)) {
        set_unknown(c, why);
    } else if (again || run->cancelled) {
        plan_again(c);
    } else {
        char text[300];
        snprintf(text, sizeof text, "the tool did not answer: %.200s", why);
        er_run_finish_call(c, ER_CALL_FAILED, text, strlen(text), why);
    }
}

static void on_outcome(void *ctx, const struct er_tool_outcome *o)
{
    struct run_call *c = ctx;
    errand_run *run = c->run;
    c->live = NULL;
    c->external = o->external;
    run->pending--;
    run->running--;
    if (!run->dead && !run->ending) {
        if (o->detail && o->detail[0] && o->status != ER_TOOL_OK)
            er_emit_note(run, "%.64s: %.300s", c->name, o->detail);
        c->is_json = o->is_json && run->is_single;
        if (o->status == ER_TOOL_OK || o->status == ER_TOOL_FAILED)
            er_run_finish_call(c, o->status == ER_TOOL_OK ? ER_CALL_DONE
                                                   : ER_CALL_FAILED,
                o->text, o->len, o->status == ER_TOOL_OK ? NULL : o->detail);
        else if (o->status == ER_TOOL_NOT_RUN)
            er_run_finish_call(c, ER_CALL_FAILED, o->text, o->len, o->detail);
        else
            no_answer(c, o->status, o->started,
                o->detail && o->detail[0] ? o->detail : o->text);
        er_run_dispatch(run);
    }
    er_run_collect(run);
}

/* --- T2 and the start */

static void start_tool(struct run_call *c)
{
    errand_run *run = c->run;
    struct errand_error err = {0};
    c->started_ms = er_mono_ms();
    c->attempt++;
    run->pending++;
    run->running++;
    struct er_tool_request req = {.tool = c->tool, .arguments = c->args,
        .idem_key = c->idem_key, .attempt = c->attempt,
        .tainted = run->tainted};
    int rc = er_read_more_is(c->tool)
        ? er_read_more(run->rt, run->conv_id, c->args, on_outcome, c, &err)
        : er_tools_call(run->rt->tools, &req, on_outcome, c, &c->live, &err);
    if (rc == ERRAND_OK)
        return;
    run->pending--;
    run->running--;
    er_run_fail(run, &err);
}

static void on_begun(errand_run *run, struct er_op *op)
{
    struct run_call *c = NULL;
    for (size_t i = 0; i < run->n_calls; i++)
        if (strcmp(run->calls[i].id, op->in.call.call_id) == 0)
            c = &run->calls[i];
    run->running--;
    if (!c || run->ending)
        return;
    c->begun = true;
    if (run->cancelled) { /* stored as running, but it never ran */
        plan_again(c);
        er_run_dispatch(run);
        return;
    }
    c->attempt = (int32_t)op->out.attempt - 1;
    start_tool(c);
}

static void start_call(struct run_call *c)
{
    errand_run *run = c->run;
    c->state = ER_CALL_RUNNING;
    if (!needs_intent(c->effect)) {
        start_tool(c);
        return;
    }
    struct er_op *op = er_run_op(run, ER_OP_BEGIN);
    if (!op)
        return;
    op->in.call.claim = run->claim;
    op->in.call.call_id = er_arena_str(&op->arena, c->id);
    run->running++;
    er_run_submit(run, op, on_begun);
}

/* Calls of this reply that were not counted against the budget yet. */
static bool pay_for_calls(errand_run *run)
{
    struct errand_error err = {0};
    int64_t n = 0;
    for (size_t i = 0; i < run->n_calls; i++)
        if (run->calls[i].state == ER_CALL_PLANNED &&
            run->calls[i].attempt == 0)
            n++;
    if (er_budget_left(&run->budgets, &(struct er_spent){
            .calls = run->spent.calls}, n, &err))
        return true;
    er_run_pause(run, "budget", &err);
    return false;
}

static bool is_finished(const struct run_call *c)
{
    return c->result != NULL;
}

void er_run_dispatch(errand_run *run)
{
    size_t finished = 0;
    if (run->ending || run->dead)
        return;
    if (run->cancelled) {
        if (run->running == 0)
            pause_cancelled(run);
        return;
    }
    if (run->running == 0 && !pay_for_calls(run))
        return;
    if (run->accepted)
        er_run_ask(run);
    else
        run->asks_later = er_run_has_waiting(run);
    if (run->cancelled)
        return;
    for (size_t i = 0; i < run->n_calls && !run->ending; i++) {
        struct run_call *c = &run->calls[i];
        if (is_finished(c)) {
            finished++;
        } else if (c->state == ER_CALL_PLANNED &&
                   !(run->one_by_one && run->running > 0)) {
            if (c->attempt == 0)
                run->spent.calls++;
            er_emit_call(run, c);
            start_call(c);
        }
    }
    if (run->ending || run->running > 0)
        return;
    if (finished == run->n_calls)
        all_done(run);
    else if (!run->asks_later && !er_run_waits_for_approval(run))
        pause_for_unknown(run);
}

/* --- calls of a loaded run */

static int take_call(struct run_call *c, const struct er_call_row *row,
    struct errand_error *err)
{
    snprintf(c->id, sizeof c->id, "%s", row->call_id);
    snprintf(c->idem_key, sizeof c->idem_key, "%s", row->idem_key);
    c->name = er_strdup(row->tool);
    c->arguments = er_strdup(row->arguments);
    c->effect = row->effect;
    c->state = row->state;
    c->begun = row->state == ER_CALL_RUNNING || row->state == ER_CALL_UNKNOWN;
    c->attempt = row->attempt;
    if (!c->name || !c->arguments)
        return er_nomem(err);
    c->args = er_json_parse(
        c->arguments, strlen(c->arguments), ER_JSON_LENIENT, err);
    return c->args ? ERRAND_OK : ERRAND_STORE;
}

static int attach_result(struct run_call *c, const struct er_loaded *l,
    int64_t seq, struct errand_error *err)
{
    for (size_t i = 0; i < l->n_messages; i++) {
        if (l->messages[i].seq != seq)
            continue;
        const char *text = l->messages[i].content;
        c->result = er_json_parse(text, strlen(text), ER_JSON_LENIENT, err);
        return c->result ? ERRAND_OK : ERRAND_STORE;
    }
    return ERRAND_OK;
}

/* Its tool as it is now; a tool that is gone is answered, not fatal. */
static void find_tool(struct run_call *c)
{
    c->tool = er_functions_find(c->run, c->name);
    if (c->tool)
        return;
    static const char text[] = "this tool does not exist any more";
    if (c->state == ER_CALL_PLANNED || c->state == ER_CALL_RUNNING)
        er_run_finish_call(c, ER_CALL_FAILED, text, sizeof text - 1, text);
}

static void judge_interrupted(struct run_call *c)
{
    if (c->state == ER_CALL_UNKNOWN) {
        const char *policy = c->run->on_unknown;
        if (policy && strcmp(policy, "ask") != 0)
            set_unknown(c, "interrupted while it ran");
    } else if (c->state == ER_CALL_RUNNING) {
        if (!is_rerunnable(c->effect)) {
            set_unknown(c, "interrupted while it ran");
        } else {
            plan_again(c);
        }
    }
}

int er_run_take_calls(errand_run *run, const struct er_loaded *l,
    struct errand_error *err)
{
    int64_t last = -1;
    size_t first = 0, n = 0;
    for (size_t i = 0; i < l->n_calls; i++) { /* those of the last reply */
        if (l->calls[i].asst_seq != last) {
            last = l->calls[i].asst_seq;
            first = i;
        }
        n = i - first + 1;
    }
    run->calls = calloc(n ? n : 1, sizeof *run->calls);
    if (!run->calls)
        return er_nomem(err);
    run->n_calls = n;
    for (size_t i = 0; i < n; i++) {
        struct run_call *c = &run->calls[i];
        c->run = run;
        c->index = i;
        int rc = take_call(c, &l->calls[first + i], err);
        if (rc == ERRAND_OK)
            rc = attach_result(c, l, l->calls[first + i].result_seq, err);
        if (rc != ERRAND_OK)
            return er_while(err, "call %s of the run", c->id);
    }
    for (size_t i = 0; i < n; i++) {
        struct run_call *c = &run->calls[i];
        if (c->result)
            continue;
        find_tool(c);
        if (!c->result)
            judge_interrupted(c);
        if (!c->result)
            er_run_judge_again(c, &l->calls[first + i]);
        if (c->tool && c->tool->sequential)
            run->one_by_one = true;
    }
    return ERRAND_OK;
}
