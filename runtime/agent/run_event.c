/* Events of a run, for the embedder's callback. Details are JSON in the
 * shapes of schemas/event.schema.json. */
#include "agent/run.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void emit(errand_run *run, int type, const char *text, size_t len,
    json_t *details, int code)
{
    char *json = NULL;
    if (run->on_event && details) {
        json_object_set_new(
            details, "run", json_string(run->claim.run_id));
        json = er_json_text(details);
    }
    json_decref(details);
    if (run->on_event) {
        struct errand_event ev = {.size = sizeof ev, .type = (uint32_t)type,
            .run = run, .text = text ? text : "", .text_len = len,
            .json = json, .code = code};
        run->on_event(run->user, &ev);
    }
    free(json);
}

void er_emit_text(errand_run *run, int type, const char *text, size_t len)
{
    emit(run, type, text, len, NULL, 0);
}

void er_emit_note(errand_run *run, const char *fmt, ...)
{
    char text[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    emit(run, ERRAND_EV_NOTICE, text, strlen(text), NULL, 0);
}

void er_emit_started(errand_run *run)
{
    emit(run, ERRAND_EV_STARTED, run->claim.run_id,
        strlen(run->claim.run_id),
        json_pack("{s:s, s:s}", "conversation", run->conv_id, "model",
            run->model), 0);
}

void er_emit_call(errand_run *run, const struct run_call *call)
{
    char line[160];
    if (!run->on_event)
        return;
    int n = snprintf(line, sizeof line, "%.64s %.80s", call->name,
        call->raw ? call->raw : call->arguments);
    emit(run, ERRAND_EV_CALL, line, n < 0 ? 0 : strlen(line),
        json_pack("{s:s, s:s, s:s, s:o}", "call", call->id, "name",
            call->name, "arguments", call->raw ? call->raw : call->arguments,
            "valid", json_boolean(call->args != NULL)), 0);
}

void er_emit_result(errand_run *run, const struct run_call *call,
    const char *text, int64_t took_ms)
{
    if (!run->on_event)
        return;
    emit(run, ERRAND_EV_RESULT, text, strlen(text),
        json_pack("{s:s, s:s, s:s, s:s, s:I}", "call", call->id, "name",
            call->name, "state", er_call_state_name(call->state), "result",
            text, "took_ms", (json_int_t)took_ms), 0);
}

void er_emit_approval(errand_run *run, const struct errand_approval *what)
{
    char line[160];
    if (!run->on_event)
        return;
    int n = snprintf(
        line, sizeof line, "%.64s %.80s", what->tool, what->arguments);
    emit(run, ERRAND_EV_APPROVAL, line, n < 0 ? 0 : strlen(line),
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:b}", "call", what->call,
            "name", what->tool, "arguments", what->arguments, "why",
            what->why, "rule", what->rule, "tainted", (int)what->tainted),
        0);
}

void er_emit_usage(errand_run *run, const struct er_usage *u, int64_t cost)
{
    char line[96];
    if (!run->on_event)
        return;
    snprintf(line, sizeof line, "%lld tokens in, %lld out",
        (long long)u->prompt_tokens, (long long)u->completion_tokens);
    emit(run, ERRAND_EV_USAGE, line, strlen(line),
        json_pack("{s:I, s:I, s:I, s:I, s:I}", "prompt_tokens",
            (json_int_t)u->prompt_tokens, "completion_tokens",
            (json_int_t)u->completion_tokens, "cached_tokens",
            (json_int_t)u->cached_tokens, "reasoning_tokens",
            (json_int_t)u->reasoning_tokens, "cost_micros",
            (json_int_t)cost), 0);
}

void er_emit_retry(
    errand_run *run, const struct errand_error *why, int64_t delay_ms)
{
    emit(run, ERRAND_EV_RETRY, why->msg, strlen(why->msg),
        json_pack("{s:s, s:s, s:I}", "code", errand_code_name(why->code),
            "error", why->msg, "delay_ms", (json_int_t)delay_ms), 0);
}

void er_emit_end(errand_run *run, int type, const char *reason,
    const char *text, const struct errand_error *why)
{
    json_t *details = json_pack("{s:s, s:I, s:I, s:I, s:I}", "conversation",
        run->conv_id, "turns", (json_int_t)run->spent.turns, "calls",
        (json_int_t)run->spent.calls, "tokens", (json_int_t)run->spent.tokens,
        "cost_micros", (json_int_t)run->spent.cost_micro);
    if (details && reason)
        json_object_set_new(details, "reason", json_string(reason));
    if (details && why) {
        json_object_set_new(
            details, "code", json_string(errand_code_name(why->code)));
        json_object_set_new(details, "error", json_string(why->msg));
    }
    if (details && type == ERRAND_EV_DONE)
        json_object_set_new(details, "answer", json_string(text));
    emit(run, type, text, strlen(text), details, why ? why->code : 0);
}
