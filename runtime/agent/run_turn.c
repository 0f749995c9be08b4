/* One turn of the model: ask, gather what it says, store it (T1). */
#include "agent/answer.h"
#include "agent/compact.h"
#include "agent/history.h"
#include "agent/run.h"
#include "agent/script.h"

#include <stdlib.h>
#include <string.h>

static void fail_nomem(errand_run *run)
{
    struct errand_error err = {0};
    er_nomem(&err);
    er_run_fail(run, &err);
}

void er_run_begin_reply(errand_run *run)
{
    struct run_reply *r = &run->reply;
    er_buf_reset(&r->text);
    er_buf_reset(&r->reasoning);
    er_buf_reset(&r->logprobs);
    json_decref(r->calls);
    json_decref(r->extra);
    r->calls = json_array();
    r->extra = NULL;
    r->usage = (struct er_usage){0};
    r->finish = ER_FINISH_STOP;
    r->started_ms = er_now_ms();
}

/* --- T1 */

static json_t *call_for_message(const struct run_call *c, const json_t *said)
{
    json_t *v = json_object();
    if (!er_json_put(v, "id", c->id) || !er_json_put(v, "name", c->name) ||
        !er_json_put(v, "arguments", c->arguments)) {
        json_decref(v);
        return NULL;
    }
    if (!json_is_true(json_object_get(said, "made")))
        json_object_set(v, "provider_id", json_object_get(said, "id"));
    return v;
}

/* The assistant's message in model.h's form; NULL: no memory. */
static json_t *assistant_message(errand_run *run)
{
    struct run_reply *r = &run->reply;
    json_t *m = er_message_text("assistant", er_buf_str(&r->text),
        r->text.len);
    json_t *calls = json_array();
    if (!m || !calls) {
        json_decref(m);
        json_decref(calls);
        return NULL;
    }
    if (r->reasoning.len > 0)
        json_object_set_new(m, "reasoning", json_stringn_nocheck(
            er_buf_str(&r->reasoning), r->reasoning.len));
    for (size_t i = 0; i < run->n_calls; i++)
        json_array_append_new(calls, call_for_message(&run->calls[i],
            json_array_get(r->calls, i)));
    if (run->n_calls > 0)
        json_object_set(m, "tool_calls", calls);
    json_decref(calls);
    if (r->extra)
        json_object_set(m, "extra", r->extra);
    return m;
}

/* JSON text of a value in the operation's arena; NULL: no memory. */
static const char *text_in(struct er_op *op, const json_t *v)
{
    char *text = er_json_text(v);
    const char *copy = er_arena_str(&op->arena, text);
    free(text);
    return copy;
}

static struct er_new_message *result_in(
    struct er_op *op, const struct run_call *c)
{
    struct er_new_message *m = er_arena_alloc(&op->arena, sizeof *m);
    if (!m)
        return NULL;
    m->role = "tool";
    m->content = text_in(op, c->result);
    m->text = er_arena_str(&op->arena, er_json_str(c->result, "content"));
    return m->content ? m : NULL;
}

static bool fill_calls(errand_run *run, struct er_op *op)
{
    struct er_new_call *calls = er_arena_alloc(
        &op->arena, (run->n_calls ? run->n_calls : 1) * sizeof *calls);
    for (size_t i = 0; calls && i < run->n_calls; i++) {
        struct run_call *c = &run->calls[i];
        er_idem_key(run->conv_id, run->next_seq, (int)i, c->name,
            c->idem_key);
        calls[i] = (struct er_new_call){
            .call_id = er_arena_str(&op->arena, c->id),
            .tool = er_arena_str(&op->arena, c->name),
            .arguments = er_arena_str(&op->arena, c->arguments),
            .raw = er_arena_str(&op->arena, c->raw),
            .effect = c->effect,
            .idem_key = er_arena_str(&op->arena, c->idem_key),
            .state = c->state,
            .asked = {c->about, er_arena_str(&op->arena, c->why)},
            .result = c->result ? result_in(op, c) : NULL};
        if (c->result && !calls[i].result)
            return false;
        if (c->effect != ERRAND_PURE && c->effect != ERRAND_READ &&
            (c->state == ER_CALL_PLANNED || c->state == ER_CALL_WAITING))
            op->level = ER_DURABLE;
    }
    op->in.step.calls = calls;
    op->in.step.n_calls = run->n_calls;
    return calls != NULL;
}

static void fill_attempt(
    errand_run *run, struct er_op *op, struct er_attempt *a)
{
    const struct er_usage *u = &run->reply.usage;
    *a = (struct er_attempt){.model = er_arena_str(&op->arena, run->model),
        .started_ms = run->reply.started_ms,
        .ended_ms = er_now_ms(),
        .prompt_tokens = u->prompt_tokens,
        .completion_tokens = u->completion_tokens,
        .cached_tokens = u->cached_tokens,
        .cost_micros = er_models_cost(run->rt->models, run->model, u)};
}

static void run_calls(errand_run *run)
{
    for (size_t i = 0; i < run->n_calls; i++) /* those born finished */
        if (run->calls[i].result) {
            er_emit_call(run, &run->calls[i]);
            er_emit_result(run, &run->calls[i],
                er_json_str(run->calls[i].result, "content"), 0);
        }
    er_run_dispatch(run);
}

static void on_stepped(errand_run *run, struct er_op *op)
{
    if (op->in.step.done)
        er_run_done(run, op->in.step.answer);
    else if (op->level == ER_DURABLE)
        run_calls(run);
}

/* Store the turn. answer: the run's, if it ends here. */
bool er_run_store_reply(errand_run *run, const char *answer)
{
    struct er_op *op = er_run_op(run, ER_OP_STEP);
    json_t *m = assistant_message(run);
    if (!op || !m) {
        er_op_free(op);
        json_decref(m);
        fail_nomem(run);
        return false;
    }
    struct er_model_step *step = &op->in.step;
    op->level = answer && !run->is_step ? ER_DURABLE : ER_COMMITTED;
    *step = (struct er_model_step){.claim = run->claim, .done = answer != NULL,
        .answer = er_arena_str(&op->arena, answer)};
    step->message.role = "assistant";
    step->message.content = text_in(op, m);
    step->message.text =
        er_arena_str(&op->arena, er_json_str(m, "content"));
    fill_attempt(run, op, &step->attempt);
    bool ok = fill_calls(run, op) && step->message.content &&
              json_array_append(run->messages, m) == 0;
    json_decref(m);
    if (!ok) {
        er_op_free(op);
        fail_nomem(run);
        return false;
    }
    bool at_once = !answer && op->level == ER_COMMITTED && run->n_calls > 0;
    run->next_seq += 1 + (int64_t)run->n_calls;
    op->patient = at_once;
    er_run_submit(run, op, on_stepped);
    if (at_once)
        run_calls(run);
    return true;
}

/* --- a reply without calls */

static void on_appended(errand_run *run, struct er_op *op)
{
    (void)op;
    er_run_turn(run);
}

/* Tell the model what is wrong with its answer, once. */
static void ask_for_repair(errand_run *run, const char *what)
{
    struct er_op *op = er_run_op(run, ER_OP_APPEND);
    if (!op)
        return;
    json_t *m = er_message_text("user", what, strlen(what));
    struct er_new_message *row = er_arena_alloc(&op->arena, sizeof *row);
    if (!m || !row || json_array_append(run->messages, m) != 0) {
        json_decref(m);
        er_op_free(op);
        fail_nomem(run);
        return;
    }
    *row = (struct er_new_message){
        .role = "user", .content = text_in(op, m)};
    json_decref(m);
    op->level = ER_COMMITTED;
    op->in.append.claim = run->claim;
    op->in.append.n = 1;
    op->in.append.messages = row;
    run->next_seq++;
    er_emit_text(run, ERRAND_EV_DISCARD, "", 0);
    er_emit_note(run, "the answer does not fit the schema; asking again");
    er_run_submit(run, op, on_appended);
}

static void finish_checked(errand_run *run)
{
    struct er_buf problem;
    er_buf_init(&problem, 4096);
    char *answer = er_answer_check(run->answer_schema,
        er_buf_str(&run->reply.text), run->reply.text.len, &problem);
    if (answer) {
        er_run_store_reply(run, answer);
    } else if (er_run_store_reply(run, NULL)) {
        if (run->repairs++ == 0) {
            ask_for_repair(run, er_buf_str(&problem));
        } else {
            struct errand_error err = {0};
            er_fail(&err, ERRAND_SCHEMA,
                "the answer does not fit the schema, also when asked again: "
                "%.100s", er_buf_str(&problem));
            er_run_fail(run, &err);
        }
    }
    free(answer);
    er_buf_release(&problem);
}

static void finish_plain(errand_run *run)
{
    if (run->reply.finish == ER_FINISH_LENGTH)
        er_emit_note(run,
            "the answer was cut at max_tokens (%lld); ask for more with "
            "-p max_tokens=N", (long long)run->sampling.max_tokens);
    else if (run->reply.text.len == 0)
        er_emit_note(run, "the model answered with nothing");
    er_run_store_reply(run, er_buf_str(&run->reply.text));
}

/* --- the model's events */

static void on_reply(errand_run *run)
{
    struct run_reply *r = &run->reply;
    int64_t cost = er_models_cost(run->rt->models, run->model, &r->usage);
    struct errand_error err = {0};
    run->spent.turns++;
    run->spent.tokens += r->usage.prompt_tokens + r->usage.completion_tokens;
    run->spent.cost_micro += cost;
    er_emit_usage(run, &r->usage, cost);
    er_run_free_calls(run);
    if (r->text.failed || r->reasoning.failed) {
        er_fail(&err, ERRAND_TOO_LARGE,
            "the model's answer is longer than 64 MiB; lower max_tokens");
        er_run_fail(run, &err);
    } else if (r->finish == ER_FINISH_FILTER) {
        er_fail(&err, ERRAND_PROVIDER,
            "%.80s withheld its answer (content filter)", run->model);
        er_run_fail(run, &err);
    } else if (json_array_size(r->calls) == 0) {
        if (run->answer_schema)
            finish_checked(run);
        else
            finish_plain(run);
    } else if (er_run_plan(run, &err) != ERRAND_OK) {
        er_run_fail(run, &err);
    } else {
        er_run_store_reply(run, NULL);
    }
}

static void record_attempt(errand_run *run, const struct errand_error *why)
{
    struct er_op *op = er_run_op(run, ER_OP_ATTEMPT);
    if (!op)
        return;
    op->level = ER_COMMITTED;
    op->patient = true;
    op->in.attempt.claim = run->claim;
    fill_attempt(run, op, &op->in.attempt.attempt);
    op->in.attempt.attempt.code = why->code;
    op->in.attempt.attempt.error = er_arena_str(&op->arena, why->msg);
    er_run_submit(run, op, NULL);
}

static void keep_call(errand_run *run, const struct er_model_call *c)
{
    json_t *v = json_object();
    er_json_put(v, "id", c->id);
    er_json_put(v, "name", c->name);
    er_json_putn(v, "arguments", c->arguments, c->arguments_len);
    json_object_set_new_nocheck(v, "made", json_boolean(c->id_made));
    json_array_append_new(run->reply.calls, v);
}

static void on_text(errand_run *run, const struct er_model_event *ev)
{
    bool answer = ev->type == ER_MODEL_TEXT;
    er_buf_add(answer ? &run->reply.text : &run->reply.reasoning, ev->text,
        ev->len);
    er_emit_text(run, answer ? ERRAND_EV_TEXT : ERRAND_EV_REASONING,
        ev->text, ev->len);
}

static void on_model_error(errand_run *run, const struct errand_error *why)
{
    struct errand_error err = *why;
    run->exchange = NULL;
    record_attempt(run, &err);
    if (err.code == ERRAND_CONTEXT && er_compact_overflow(run))
        return;
    er_run_fail(run, &err);
}

static void on_event(void *ctx, const struct er_model_event *ev)
{
    errand_run *run = ctx;
    switch (ev->type) {
    case ER_MODEL_TEXT:
    case ER_MODEL_REASONING:
        on_text(run, ev);
        break;
    case ER_MODEL_CALL:
        keep_call(run, ev->call);
        break;
    case ER_MODEL_LOGPROBS:
        er_buf_add(&run->reply.logprobs, ev->text, ev->len);
        break;
    case ER_MODEL_USAGE:
        run->reply.usage = *ev->usage;
        run->took_tokens = ev->usage->prompt_tokens;
        break;
    case ER_MODEL_RETRY:
        record_attempt(run, ev->error);
        er_emit_retry(run, ev->error, ev->delay_ms);
        run->reply.started_ms = er_now_ms();
        break;
    case ER_MODEL_ERROR:
        on_model_error(run, ev->error);
        break;
    case ER_MODEL_DONE:
        run->exchange = NULL;
        run->reply.finish = ev->finish;
        run->reply.extra = json_incref((json_t *)ev->extra);
        on_reply(run);
        break;
    }
}

static bool may_go_on(errand_run *run)
{
    struct errand_error err = {0};
    if (run->ending || run->cancelled)
        return false;
    run->spent.ms = er_mono_ms() - run->leg_began_ms;
    if (run->guard_pause) {
        er_fail(&err, ERRAND_PAUSED,
            "%.140s; `errand resume` lets it go on", run->guard_note);
        er_run_pause(run, "guard", &err);
        return false;
    }
    if (!er_budget_left(&run->budgets, &run->spent, 0, &err)) {
        er_run_pause(run, "budget", &err);
        return false;
    }
    return true;
}

void er_run_turn(errand_run *run)
{
    struct errand_error err = {0};
    if (run->is_script || run->is_single) {
        if (run->is_script)
            er_script_go(run);
        else
            er_single_go(run);
        return;
    }
    if (!may_go_on(run))
        return;
    if (run->pending > ER_PENDING_MAX) {
        run->held = true;
        return;
    }
    if (er_compact_first(run))
        return;
    run->asked_tokens = er_compact_estimate(run->messages);
    run->took_tokens = 0;
    er_run_begin_reply(run);
    if (!run->prompt)
        run->prompt = er_prompt_new(); /* without it is slower, no more */
    struct er_model_request req = {.messages = run->messages,
        .tools = run->tools,
        .tool_choice = run->tool_choice,
        .schema = run->schema,
        .sampling = &run->sampling,
        .stream = run->stream,
        .prompt_form = run->prompt_form,
        .session_key = run->conv_id,
        .prompt = run->prompt};
    if (!run->reply.calls)
        er_nomem(&err);
    else if (er_model_start(run->rt->models, run->model, &req, on_event, run,
                 &run->exchange, &err) == ERRAND_OK)
        return;
    er_run_fail(run, &err);
}
