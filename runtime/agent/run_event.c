/* Events of a run, for the embedder's callback. Details are JSON in the
 * shapes of schemas/event.schema.json. */
#include "agent/run.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- details: written member by member, for a run emits many and most
 * embedders look at few */

enum { DETAILS_MAX = 1 << 30 };

static void add_key(struct er_buf *b, const char *key)
{
    er_buf_adds(b, b->len > 1 ? ",\"" : "\"");
    er_buf_adds(b, key);
    er_buf_adds(b, "\":");
}

static void add_text(struct er_buf *b, const char *key, const char *text)
{
    add_key(b, key);
    er_json_add_string(b, text ? text : "", text ? strlen(text) : 0);
}

static void add_int(struct er_buf *b, const char *key, int64_t n)
{
    add_key(b, key);
    er_buf_addi(b, n);
}

static void add_bool(struct er_buf *b, const char *key, bool yes)
{
    add_key(b, key);
    er_buf_adds(b, yes ? "true" : "false");
}

static void begin(struct er_buf *b)
{
    er_buf_init(b, DETAILS_MAX);
    er_buf_reserve(b, 511);
    er_buf_addc(b, '{');
}

static void tell(errand_run *run, int type, const char *text, size_t len,
    const char *json, int code)
{
    struct errand_event ev = {.size = sizeof ev, .type = (uint32_t)type,
        .run = run, .text = text ? text : "", .text_len = len,
        .json = json, .code = code};
    run->on_event(run->user, &ev);
}

/* What was said before the run was accepted. */
struct run_said {
    struct run_said *next;
    int type, code;
    size_t len;
    char *text, *json; /* json may be NULL */
};

static void free_said(struct run_said *s)
{
    if (!s)
        return;
    free(s->text);
    free(s->json);
    free(s);
}

void er_run_forget_said(errand_run *run)
{
    struct run_said *s;
    while ((s = run->said) != NULL) {
        run->said = s->next;
        free_said(s);
    }
    run->last_said = NULL;
}

static void keep(errand_run *run, int type, const char *text, size_t len,
    const char *json, int code)
{
    struct run_said *s = calloc(1, sizeof *s);
    struct errand_error err = {0};
    if (s) {
        *s = (struct run_said){.type = type, .code = code, .len = len,
            .text = er_strndup(text ? text : "", len),
            .json = er_strdup(json)};
    }
    if (!s || !s->text || (json && !s->json)) {
        free_said(s);
        er_nomem(&err);
        er_run_abandon(run, &err);
        return;
    }
    if (run->last_said)
        run->last_said->next = s;
    else
        run->said = s;
    run->last_said = s;
}

/* Callbacks may say more meanwhile: it takes its place at the end. */
static void tell_kept(errand_run *run)
{
    struct run_said *s;
    while ((s = run->said) != NULL) {
        run->said = s->next;
        if (!s->next)
            run->last_said = NULL;
        tell(run, s->type, s->text, s->len, s->json, s->code);
        free_said(s);
    }
}

static void emit_plain(errand_run *run, int type, const char *text,
    size_t len, const char *json, int code)
{
    if (!run->on_event)
        return;
    if (run->accepted || run->told)
        tell(run, type, text, len, json, code);
    else
        keep(run, type, text, len, json, code);
}

/* With its details, which end here. Without memory for them it goes out
 * without. */
static void emit(errand_run *run, int type, const char *text,
    struct er_buf *details, int code)
{
    add_text(details, "run", run->claim.run_id);
    er_buf_addc(details, '}');
    emit_plain(run, type, text, text ? strlen(text) : 0,
        details->failed ? NULL : er_buf_str(details), code);
    er_buf_release(details);
}

void er_emit_text(errand_run *run, int type, const char *text, size_t len)
{
    emit_plain(run, type, text, len, NULL, 0);
}

void er_emit_note(errand_run *run, const char *fmt, ...)
{
    char text[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    emit_plain(run, ERRAND_EV_NOTICE, text, strlen(text), NULL, 0);
}

void er_emit_started(errand_run *run)
{
    const char *id = run->claim.run_id;
    struct er_buf b;
    if (run->on_event) {
        begin(&b);
        add_text(&b, "conversation", run->conv_id);
        add_text(&b, "model", run->model);
        add_text(&b, "run", id);
        er_buf_addc(&b, '}');
        tell(run, ERRAND_EV_STARTED, id, strlen(id),
            b.failed ? NULL : er_buf_str(&b), 0);
        er_buf_release(&b);
        tell_kept(run);
    }
    run->accepted = true;
}

void er_emit_call(errand_run *run, const struct run_call *call)
{
    const char *arguments = call->raw ? call->raw : call->arguments;
    char line[160];
    struct er_buf b;
    if (!run->on_event)
        return;
    snprintf(line, sizeof line, "%.64s %.80s", call->name, arguments);
    begin(&b);
    add_text(&b, "call", call->id);
    add_text(&b, "name", call->name);
    add_text(&b, "arguments", arguments);
    add_bool(&b, "valid", call->args != NULL);
    emit(run, ERRAND_EV_CALL, line, &b, 0);
}

void er_emit_result(errand_run *run, const struct run_call *call,
    const char *text, int64_t took_ms)
{
    struct er_buf b;
    if (!run->on_event)
        return;
    begin(&b);
    add_text(&b, "call", call->id);
    add_text(&b, "name", call->name);
    add_text(&b, "state", er_call_state_name(call->state));
    add_text(&b, "result", text);
    add_int(&b, "took_ms", took_ms);
    emit(run, ERRAND_EV_RESULT, text, &b, 0);
}

void er_emit_approval(errand_run *run, const struct errand_approval *what)
{
    char line[160];
    struct er_buf b;
    if (!run->on_event)
        return;
    snprintf(line, sizeof line, "%.64s %.80s", what->tool, what->arguments);
    begin(&b);
    add_text(&b, "call", what->call);
    add_text(&b, "name", what->tool);
    add_text(&b, "arguments", what->arguments);
    add_text(&b, "why", what->why);
    add_text(&b, "rule", what->rule);
    add_bool(&b, "tainted", what->tainted);
    emit(run, ERRAND_EV_APPROVAL, line, &b, 0);
}

void er_emit_usage(errand_run *run, const struct er_usage *u, int64_t cost)
{
    char line[96];
    struct er_buf b;
    if (!run->on_event)
        return;
    snprintf(line, sizeof line, "%lld tokens in, %lld out",
        (long long)u->prompt_tokens, (long long)u->completion_tokens);
    begin(&b);
    add_int(&b, "prompt_tokens", u->prompt_tokens);
    add_int(&b, "completion_tokens", u->completion_tokens);
    add_int(&b, "cached_tokens", u->cached_tokens);
    add_int(&b, "reasoning_tokens", u->reasoning_tokens);
    add_int(&b, "cost_micros", cost);
    if (run->reply.logprobs.len > 0) {
        add_key(&b, "logprobs");
        er_buf_add(&b, run->reply.logprobs.data, run->reply.logprobs.len);
    }
    emit(run, ERRAND_EV_USAGE, line, &b, 0);
}

void er_emit_retry(
    errand_run *run, const struct errand_error *why, int64_t delay_ms)
{
    struct er_buf b;
    if (!run->on_event)
        return;
    begin(&b);
    add_text(&b, "code", errand_code_name(why->code));
    add_text(&b, "error", why->msg);
    add_int(&b, "delay_ms", delay_ms);
    emit(run, ERRAND_EV_RETRY, why->msg, &b, 0);
}

void er_emit_step(errand_run *run, const char *details)
{
    emit_plain(run, ERRAND_EV_STEP, "", 0, details, 0);
}

void er_emit_forward(errand_run *run, const struct errand_event *ev)
{
    struct errand_event out = *ev;
    out.run = run;
    if (run->on_event)
        run->on_event(run->user, &out);
}

void er_emit_end(errand_run *run, int type, const char *reason,
    const char *text, const struct errand_error *why)
{
    struct er_buf b;
    if (!run->on_event)
        return;
    begin(&b);
    add_text(&b, "conversation", run->conv_id);
    add_int(&b, "turns", run->spent.turns);
    add_int(&b, "calls", run->spent.calls);
    add_int(&b, "tokens", run->spent.tokens);
    add_int(&b, "cost_micros", run->spent.cost_micro);
    if (reason)
        add_text(&b, "reason", reason);
    if (why) {
        add_text(&b, "code", errand_code_name(why->code));
        add_text(&b, "error", text ? text : why->msg);
    }
    if (type == ERRAND_EV_DONE)
        add_text(&b, "answer", text);
    emit(run, type, text, &b, why ? why->code : 0);
}
