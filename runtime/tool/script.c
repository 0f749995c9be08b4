/* Scripts: a job of the pool that asks and is answered while it runs. */
#include "tool/script.h"

#include "base/text.h"
#include "tool/parts.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct er_script_file {
    int holders;
    struct er_code *code;
};

struct er_script_job {
    struct er_job job;
    er_tools *tools;
    struct er_script_owner owner;
};

/* ---------------------------------------------------------------- files */

er_script_file *er_script_read(er_tools *t, const char *path, json_t **what,
    struct errand_error *err)
{
    er_script_file *file = calloc(1, sizeof *file);
    *what = NULL;
    if (!file) {
        er_nomem(err);
        return NULL;
    }
    file->holders = 1;
    file->code = er_code_read(t->pool, path, err);
    if (file->code)
        *what = er_tools_ask_code(t, "agent", file->code, path, err);
    if (*what)
        return file;
    er_script_drop(file);
    return NULL;
}

er_script_file *er_script_hold(er_script_file *file)
{
    file->holders++;
    return file;
}

void er_script_drop(er_script_file *file)
{
    if (!file || --file->holders > 0)
        return;
    er_code_drop(file->code);
    free(file);
}

const char *er_script_sha256(const er_script_file *file)
{
    return file->code->sha256;
}

/* ------------------------------------------------------------- answering */

static void begin(struct er_buf *out, const er_script_job *s, int64_t n,
    bool ok)
{
    er_buf_init(out, (size_t)ER_FRAME_MAX * 2);
    er_frame_begin(out);
    er_buf_addf(out, "{\"id\":%lld,\"n\":%lld,\"ok\":%s",
        (long long)s->job.id, (long long)n, ok ? "true" : "false");
}

static bool send_frame(er_script_job *s, struct er_buf *out)
{
    er_buf_addc(out, '}');
    bool ok = er_frame_end(out, 0);
    if (ok)
        er_pool_tell(s->tools->pool, &s->job, out->data, out->len);
    er_buf_release(out);
    return ok;
}

void er_script_refuse(er_script_job *s, int64_t n, const char *message)
{
    struct er_buf out;
    begin(&out, s, n, false);
    er_buf_adds(&out, ",\"message\":");
    er_json_add_string(&out, message, strlen(message));
    send_frame(s, &out);
}

void er_script_reply(er_script_job *s, int64_t n, const json_t *value)
{
    struct er_buf out;
    begin(&out, s, n, true);
    er_buf_adds(&out, ",\"value\":");
    er_json_add(&out, value);
    if (!send_frame(s, &out))
        er_script_refuse(s, n, "the value of the step is over 16 MiB");
}

/* ---------------------------------------------------------------- the job */

static er_script_job *script_of(struct er_job *job)
{
    return (er_script_job *)((char *)job - offsetof(er_script_job, job));
}

static bool on_ask(struct er_job *job, const json_t *frame, size_t len)
{
    er_script_job *s = script_of(job);
    const char *kind = er_json_str(frame, "ask");
    const char *step = er_json_str(frame, "step");
    const json_t *params = json_object_get(frame, "params");
    int64_t n = er_json_int(frame, "n", -1);
    (void)len;
    if (!kind || !step || n < 0 || !json_is_object(params))
        return false;
    return s->owner.ask(s->owner.ctx, n, kind, step, params);
}

static void say(struct er_tool_outcome *o, int status, const char *text)
{
    o->status = (enum er_tool_status)status;
    o->text = text;
    o->len = strlen(text);
}

static void on_done(struct er_job *job, const struct er_job_end *end)
{
    er_script_job *s = script_of(job);
    struct er_tool_outcome o = {.status = end->status,
        .detail = end->detail, .took_ms = end->took_ms,
        .started = end->started};
    const json_t *result = json_object_get(end->answer, "result");
    const char *message = er_json_str(end->answer, "message");
    const char *detail = er_json_str(end->answer, "detail");
    char *text = NULL;
    if (result)
        text = er_json_text(result);
    if (text)
        say(&o, ER_TOOL_OK, text);
    else if (message)
        say(&o, ER_TOOL_FAILED, message);
    else
        say(&o, end->answer ? ER_TOOL_DIED : (int)end->status,
            end->answer ? "the worker's answer has neither result nor message"
                        : end->detail);
    if (detail)
        o.detail = detail;
    s->owner.done(s->owner.ctx, &o);
    free(text);
    free(s);
}

static struct er_profile *profile_of(er_tools *t, struct errand_error *err)
{
    json_t *lock = json_pack("{s:s, s:b}", "kind", "lua", "script", 1);
    if (!lock) {
        er_nomem(err);
        return NULL;
    }
    struct er_profile *p = er_pool_profile(t->pool, lock, err);
    json_decref(lock);
    return p;
}

static bool write_request(er_script_job *s, const er_script_file *file,
    const json_t *input)
{
    struct er_buf *out = &s->job.frame;
    er_buf_init(out, (size_t)ER_FRAME_MAX * 2);
    size_t token = er_frame_begin(out);
    er_buf_addf(out, "{\"id\":%lld,\"op\":\"script\",\"code\":%llu,"
        "\"input\":", (long long)s->job.id,
        (unsigned long long)file->code->number);
    er_json_add(out, input);
    er_buf_addc(out, '}');
    return er_frame_end(out, token);
}

int er_script_start(er_tools *t, er_script_file *file, const json_t *input,
    const struct er_script_owner *owner, er_script_job **out,
    struct errand_error *err)
{
    if (t->closing)
        return er_fail(err, ERRAND_STATE,
            "the script is not run: the runtime is being closed");
    struct er_profile *profile = profile_of(t, err);
    er_script_job *s = profile ? calloc(1, sizeof *s) : NULL;
    if (!s)
        return er_nomem(err);
    s->tools = t;
    s->owner = *owner;
    s->job.profile = profile;
    s->job.id = er_pool_next_id(t->pool);
    s->job.done = on_done;
    s->job.ask = on_ask;
    if (!write_request(s, file, input)) {
        bool starved = s->job.frame.no_memory;
        er_buf_release(&s->job.frame);
        free(s);
        return starved ? er_nomem(err) : er_fail(err, ERRAND_TOO_LARGE,
            "the input of the script is over 16 MiB");
    }
    s->job.code = er_code_hold(file->code);
    *out = s;
    er_pool_submit(t->pool, &s->job);
    return ERRAND_OK;
}

void er_script_cancel(er_script_job *s)
{
    if (s)
        er_pool_cancel(s->tools->pool, &s->job);
}
