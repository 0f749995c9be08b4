/* One call of a tool, from request to outcome: through the pool for Lua,
 * through callback.c for the embedding program's own. */
#include "base/text.h"
#include "parts.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static er_tool_call *call_of(struct er_job *job)
{
    return (er_tool_call *)((char *)job - offsetof(er_tool_call, job));
}

/* Without what nobody may see: in copies, for the answer is not ours. */
static void hide(const er_vault *vault, struct er_tool_outcome *o,
    char **text, char **detail)
{
    if (!er_vault_hides(vault))
        return;
    *text = er_strndup(o->text, o->len);
    *detail = er_strdup(o->detail);
    if (!*text || !*detail) {
        o->status = ER_TOOL_FAILED;
        o->text = "out of memory for the result";
        o->len = strlen(o->text);
        o->detail = "";
        return;
    }
    o->len = er_vault_hide(vault, *text, o->len);
    er_vault_hide(vault, *detail, strlen(*detail));
    o->text = *text;
    o->detail = *detail;
}

void er_call_hand_over(er_tool_call *call, const struct er_tool_outcome *o)
{
    struct er_tool_outcome shown = *o;
    shown.external = call->external;
    char *text = NULL, *detail = NULL;
    hide(call->tools->vault, &shown, &text, &detail);
    call->done(call->ctx, &shown);
    free(text);
    free(detail);
    free(call);
}

/* The text of a result: a string as it is, anything else as JSON. */
static bool set_text(
    struct er_tool_outcome *o, const json_t *result, char **made)
{
    if (json_is_string(result)) {
        o->text = json_string_value(result);
        o->len = json_string_length(result);
        return true;
    }
    *made = er_json_text(result);
    if (!*made)
        return false;
    o->text = *made;
    o->len = strlen(*made);
    o->is_json = true;
    return true;
}

static void say(
    struct er_tool_outcome *o, enum er_tool_status status, const char *text)
{
    o->status = status;
    o->text = text;
    o->len = strlen(text);
}

/* What the model reads if there was no answer. */
static const char *text_for(enum er_tool_status status)
{
    switch (status) {
    case ER_TOOL_TIMEOUT: return "the tool took too long and was stopped";
    case ER_TOOL_DIED: return "the tool's process died";
    case ER_TOOL_CANCELLED: return "the call was cancelled";
    case ER_TOOL_NOT_RUN:
        return "the tool could not be started, so it was not run";
    default: return "the tool failed";
    }
}

static void read_answer(
    struct er_tool_outcome *o, const json_t *answer, char **made)
{
    const json_t *result = json_object_get(answer, "result");
    const json_t *message = json_object_get(answer, "message");
    const char *detail = er_json_str(answer, "detail");
    const char *probe = er_json_str(answer, "probe");
    if (probe && strcmp(probe, "done") == 0)
        o->probe = ER_PROBE_DONE;
    else if (probe && strcmp(probe, "not-done") == 0)
        o->probe = ER_PROBE_NOT_DONE;
    if (json_is_true(json_object_get(answer, "ok")) && result) {
        if (!set_text(o, result, made))
            say(o, ER_TOOL_FAILED, "out of memory for the result");
        return;
    }
    o->detail = detail ? detail : "";
    if (json_is_true(json_object_get(answer, "timeout"))) {
        say(o, ER_TOOL_TIMEOUT, text_for(ER_TOOL_TIMEOUT));
    } else if (json_is_string(message)) {
        o->status = ER_TOOL_FAILED;
        o->text = json_string_value(message);
        o->len = json_string_length(message);
    } else {
        o->detail = "the worker's answer has neither result nor message";
        say(o, ER_TOOL_DIED, text_for(ER_TOOL_DIED));
    }
}

static void on_job_done(struct er_job *job, const struct er_job_end *end)
{
    struct er_tool_outcome o = {.status = end->status,
        .detail = end->detail,
        .took_ms = end->took_ms,
        .started = end->started};
    char *made = NULL;
    er_services_drop(call_of(job));
    if (end->answer)
        read_answer(&o, end->answer, &made);
    else
        say(&o, end->status, text_for(end->status));
    er_call_hand_over(call_of(job), &o);
    free(made);
}

void er_call_trace(const er_tool_call *call, json_t *step)
{
    if (step && er_vault_hide_json(call->tools->vault, &step))
        call->trace->step(call->trace->ctx, step);
    json_decref(step);
}

static void on_job_note(struct er_job *job, json_t *step)
{
    er_call_trace(call_of(job), step);
}

static bool on_job_ask(struct er_job *job, const json_t *frame, size_t len)
{
    return er_services_ask(call_of(job), frame, len);
}

/* A plugin's worker has loaded it, or will: it must be the same file. */
static void write_plugin(struct er_buf *out, const struct er_tool *tool)
{
    er_buf_adds(out, "\"path\":");
    er_json_add_string(out, tool->path, strlen(tool->path));
    er_buf_addf(out, ",\"version\":\"%s\",\"tool\":\"%s\"",
        tool->version, tool->name);
}

static bool write_request(struct er_buf *out, int64_t id,
    const struct er_tool_request *req, int64_t timeout_ms)
{
    const struct er_tool *tool = req->tool;
    const char *key = req->idem_key ? req->idem_key : "";
    size_t token = er_frame_begin(out);
    const struct er_entry *entry = (const struct er_entry *)tool;
    er_buf_addf(out, "{\"id\":%lld,\"op\":\"%s\",", (long long)id,
        req->probe ? "probe" : "call");
    if (entry->is_plugin)
        write_plugin(out, tool);
    else
        er_buf_addf(out, "\"code\":%llu%s",
            (unsigned long long)entry->code->number,
            entry->is_function ? ",\"function\":true" : "");
    er_buf_addf(out, ",\"attempt\":%d,\"timeout_ms\":%lld,\"key\":",
        (int)req->attempt, (long long)timeout_ms);
    er_json_add_string(out, key, strlen(key));
    if (tool->permissions && !entry->is_plugin) {
        er_buf_adds(out, ",\"permissions\":");
        er_json_add(out, tool->permissions);
    }
    er_buf_adds(out, ",\"arguments\":");
    if (req->arguments)
        er_json_add(out, req->arguments);
    else
        er_buf_adds(out, "{}");
    er_buf_addc(out, '}');
    return er_frame_end(out, token);
}

static int start_lua(er_tools *t, er_tool_call *call,
    const struct er_tool_request *req, struct errand_error *err)
{
    struct er_entry *entry = (struct er_entry *)(uintptr_t)req->tool;
    struct er_job *job = &call->job;
    if (!entry->profile)
        entry->profile = er_pool_lua(t->pool, entry->permissions, err);
    if (!entry->profile)
        return ERRAND_NOMEM;
    job->profile = entry->profile;
    job->timeout_ms =
        req->timeout_ms > 0 ? req->timeout_ms : req->tool->timeout_ms;
    job->code = entry->code ? er_code_hold(entry->code) : NULL;
    job->done = on_job_done;
    job->ask = on_job_ask;
    job->note = call->trace ? on_job_note : NULL;
    er_buf_init(&job->frame, (size_t)ER_FRAME_MAX * 8); /* as escaped */
    if (!write_request(&job->frame, job->id, req, job->timeout_ms)) {
        bool starved = job->frame.failed;
        er_buf_release(&job->frame);
        er_code_drop(job->code);
        if (starved)
            return er_nomem(err);
        return er_fail(err, ERRAND_TOO_LARGE,
            "the arguments for %s are over 16 MiB", req->tool->name);
    }
    er_pool_submit(t->pool, job);
    return ERRAND_OK;
}

int er_tools_call(er_tools *t, const struct er_tool_request *req,
    er_tool_done_fn done, void *ctx, er_tool_call **out,
    struct errand_error *err)
{
    const struct er_entry *entry = (const struct er_entry *)req->tool;
    if (t->closing)
        return er_fail(err, ERRAND_STATE,
            "%s is not called: the runtime is being closed", req->tool->name);
    er_tool_call *call = calloc(1, sizeof *call);
    if (!call)
        return er_nomem(err);
    call->kind = entry->run ? ER_CALL_CALLBACK : ER_CALL_LUA;
    call->job.id = er_pool_next_id(t->pool);
    call->tools = t;
    call->tool = req->tool;
    call->tainted = req->tainted;
    call->trace = req->trace;
    call->done = done;
    call->ctx = ctx;
    int rc = call->kind == ER_CALL_CALLBACK
                 ? er_callback_start(t->hub, call, req, err)
                 : start_lua(t, call, req, err);
    if (rc != ERRAND_OK) {
        free(call);
        return rc;
    }
    if (out)
        *out = call;
    return ERRAND_OK;
}

void er_tools_cancel(er_tool_call *call)
{
    if (!call)
        return;
    if (call->kind == ER_CALL_CALLBACK)
        er_callback_cancel(call->callback);
    else {
        er_services_drop(call); /* nobody waits for their answers */
        er_pool_cancel(call->tools->pool, &call->job);
    }
}
