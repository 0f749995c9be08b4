/* errand_tools_call and errand_tools_trace: one tool, by hand. */
#include "agent/by_hand.h"
#include "agent/consent.h"
#include "agent/grant.h"

#include "base/buf.h"
#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

struct by_hand {
    errand *rt;
    json_t *answer;
    bool over;
    int64_t began_ms;
    void (*on_step)(void *user, const char *json); /* NULL: nobody looks */
    void *user;
};

/* A step with its time; taken. */
static void tell(struct by_hand *h, json_t *step)
{
    char *text = NULL;
    if (step && json_object_set_new(step, "at_ms",
                    json_integer(er_mono_ms() - h->began_ms)) == 0)
        text = er_json_text(step);
    if (text)
        h->on_step(h->user, text);
    free(text);
    json_decref(step);
}

static void on_step(void *ctx, const json_t *step)
{
    tell(ctx, json_copy((json_t *)(uintptr_t)step));
}

static void on_outcome(void *ctx, const struct er_tool_outcome *o)
{
    static const char *const statuses[] = {[ER_TOOL_OK] = "ok",
        [ER_TOOL_FAILED] = "failed", [ER_TOOL_TIMEOUT] = "timeout",
        [ER_TOOL_DIED] = "died", [ER_TOOL_CANCELLED] = "cancelled",
        [ER_TOOL_NOT_RUN] = "not run"};
    struct by_hand *h = ctx;
    bool ok = o->status == ER_TOOL_OK;
    json_t *text = json_stringn_nocheck(o->text ? o->text : "", o->len);
    h->answer = json_pack("{s:b, s:o, s:I}", "ok", ok,
        ok ? "result" : "error", text, "took_ms", (json_int_t)o->took_ms);
    if (h->answer && o->detail && o->detail[0])
        json_object_set_new(
            h->answer, "detail", json_string(o->detail));
    if (h->on_step)
        tell(h, json_pack("{s:s, s:s, s:I}", "step", "ended", "how",
            statuses[o->status], "took_ms", (json_int_t)o->took_ms));
    h->over = true;
    er_loop_stop(h->rt->loop);
}

static json_t *misfit(const json_t *errors)
{
    size_t i;
    json_t *e;
    struct er_buf b;
    er_buf_init(&b, 8192);
    er_buf_adds(&b, "the arguments do not fit: ");
    json_array_foreach(errors, i, e) {
        const char *path = er_json_str(e, "path");
        er_buf_addf(&b, "%s%.100s%s%.300s", i > 0 ? "; " : "", path,
            *path ? ": " : "", er_json_str(e, "message"));
    }
    json_t *v = json_pack("{s:b, s:s}", "ok", 0, "error", er_buf_str(&b));
    er_buf_release(&b);
    return v;
}

static json_t *call_and_wait(struct by_hand *h, const struct er_tool *tool,
    const json_t *args, struct errand_error *err)
{
    struct er_tool_trace trace = {.step = on_step, .ctx = h};
    struct er_tool_request req = {.tool = tool,
        .arguments = args,
        .idem_key = "by-hand",
        .attempt = 1,
        .trace = h->on_step ? &trace : NULL};
    if (er_tools_call(h->rt->tools, &req, on_outcome, h, NULL, err) !=
        ERRAND_OK)
        return NULL;
    while (!h->over)
        er_loop_run(h->rt->loop, -1);
    if (!h->answer)
        er_nomem(err);
    return h->answer;
}

/* What it is, and why it may. */
static void tell_tool(struct by_hand *h, const struct er_tool *tool)
{
    const char *grant = er_grant_of(h->rt, tool);
    tell(h, json_pack("{s:s, s:s, s:s, s:s?, s:s, s:I}", "step", "tool",
        "name", tool->name, "source", tool->source, "path", tool->path,
        "version", tool->version ? tool->version : "", "timeout_ms",
        (json_int_t)tool->timeout_ms));
    tell(h, json_pack("{s:s, s:s, s:O?}", "step", "grant", "why",
        grant ? grant : "", "permissions", tool->permissions));
}

static json_t *check_and_call(struct by_hand *h, const struct er_tool *tool,
    json_t **args, struct errand_error *err)
{
    json_t *errors = json_array(), *answer;
    json_t *given = h->on_step ? json_deep_copy(*args) : NULL;
    er_schema_coerce(tool->schema, args);
    bool fits = er_schema_check(tool->schema, *args, errors, 5);
    if (h->on_step)
        tell(h, json_pack("{s:s, s:O, s:b, s:b}", "step", "arguments",
            "arguments", *args, "coerced", !json_equal(given, *args), "fits",
            fits));
    answer = fits ? call_and_wait(h, tool, *args, err) : misfit(errors);
    json_decref(errors);
    json_decref(given);
    return answer;
}

json_t *er_by_hand_call(errand *rt, const struct er_tool *tool,
    const json_t *args, struct errand_error *err)
{
    struct by_hand h = {.rt = rt, .began_ms = er_mono_ms()};
    json_t *own = json_deep_copy(args), *answer = NULL;
    if (own)
        answer = check_and_call(&h, tool, &own, err);
    else
        er_nomem(err);
    json_decref(own);
    return answer;
}

static const struct er_tool *find_granted(
    errand *rt, const char *name, struct errand_error *err)
{
    const char *near = NULL;
    if (rt->threaded) {
        er_fail(err, ERRAND_STATE,
            "tools can be called by hand only where the loop has no thread");
        return NULL;
    }
    if (er_runtime_need_tools(rt, err) != ERRAND_OK)
        return NULL;
    const struct er_tool *tool = er_tools_find(rt->tools, name);
    if (!tool) {
        er_tools_similar(rt->tools, name, &near, 1);
        er_fail(err, ERRAND_NOT_FOUND,
            "there is no tool \"%.64s\"%s%s%s; `errand tools list` shows all",
            name, near ? ", did you mean \"" : "", near ? near : "",
            near ? "\"" : "");
        return NULL;
    }
    if (er_consent_need(rt, err) != ERRAND_OK ||
        er_grant_check(rt, tool, err) != ERRAND_OK)
        return NULL;
    return tool;
}

int errand_tools_trace(errand *rt, const char *name, const char *args,
    void (*step)(void *user, const char *json), void *user, char **json,
    struct errand_error *err)
{
    struct errand_error mine = {0};
    struct by_hand h = {
        .rt = rt, .on_step = step, .user = user, .began_ms = er_mono_ms()};
    err = err ? err : &mine;
    const struct er_tool *tool = find_granted(rt, name, err);
    if (!tool)
        return err->code;
    if (step)
        tell_tool(&h, tool);
    json_t *v = er_json_parse(args, strlen(args), ER_JSON_STRICT, err);
    if (!v)
        return er_while(err, "the arguments");
    json_t *answer = check_and_call(&h, tool, &v, err);
    json_decref(v);
    *json = answer ? er_json_text(answer) : NULL;
    if (!answer)
        return err->code;
    json_decref(answer);
    return *json ? ERRAND_OK : er_nomem(err);
}

int errand_tools_call(errand *rt, const char *name, const char *args,
    char **json, struct errand_error *err)
{
    return errand_tools_trace(rt, name, args, NULL, NULL, json, err);
}
