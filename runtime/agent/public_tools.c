/* errand_add_tool and errand_tools_*: tools, for people and embedders. */
#include "agent/consent.h"
#include "agent/grant.h"

#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

struct adding {
    errand *rt;
    const struct errand_tool_def *def;
    struct errand_error *err;
};

static int add(void *arg)
{
    struct adding *a = arg;
    return er_tools_add(a->rt->tools, a->def, "callback", a->err);
}

int errand_add_tool(errand *rt, const struct errand_tool_def *def,
    struct errand_error *err)
{
    struct adding a = {.rt = rt, .def = def, .err = err};
    return er_runtime_call(rt, add, &a);
}

struct adding_plugin {
    errand *rt;
    const struct errand_plugin *(*main_fn)(void);
    const json_t *config;
    struct errand_error *err;
};

static int add_plugin(void *arg)
{
    struct adding_plugin *a = arg;
    return er_tools_add_plugin(a->rt->tools, a->main_fn, a->config, a->err);
}

int errand_add_plugin(errand *rt,
    const struct errand_plugin *(*main_fn)(void), const char *config,
    struct errand_error *err)
{
    struct errand_error mine = {0};
    struct adding_plugin a = {.rt = rt, .main_fn = main_fn,
        .err = err ? err : &mine};
    json_t *value = NULL;
    if (config) {
        value = er_json_parse(config, strlen(config), ER_JSON_STRICT, a.err);
        if (!value)
            return er_while(a.err, "the plugin's configuration");
    }
    a.config = value;
    int rc = er_runtime_call(rt, add_plugin, &a);
    json_decref(value);
    return rc;
}

static json_t *tool_json(const errand *rt, const struct er_tool *t)
{
    static const char *const effects[] = {
        "unsafe", "pure", "read", "idempotent", "keyed"};
    json_t *v = json_pack("{s:s, s:s, s:O, s:s, s:I, s:b, s:s, s:s}", "name",
        t->name, "description", t->description, "parameters", t->parameters,
        "effect", effects[t->effect], "timeout_ms",
        (json_int_t)t->timeout_ms, "sequential", t->sequential, "source",
        t->source, "version", t->version ? t->version : "");
    if (v && t->path)
        json_object_set_new(v, "path", json_string(t->path));
    if (v && t->permissions)
        json_object_set(v, "permissions", (json_t *)t->permissions);
    const char *grant = er_grant_of(rt, t);
    json_object_set_new(v, "granted", json_boolean(grant != NULL));
    if (grant)
        json_object_set_new(v, "grant", json_string(grant));
    json_object_set_new(v, "egress", json_boolean(er_consent_sends(t)));
    json_object_set_new(
        v, "external", json_boolean(er_consent_is_outside(rt, t)));
    return v;
}

int errand_tools_list(errand *rt, char **json, struct errand_error *err)
{
    int rc = er_runtime_need_tools(rt, err);
    if (rc == ERRAND_OK)
        rc = er_consent_need(rt, err);
    if (rc != ERRAND_OK)
        return rc;
    json_t *rows = json_array();
    for (size_t i = 0; rows && i < er_tools_count(rt->tools); i++)
        json_array_append_new(rows, tool_json(rt, er_tools_at(rt->tools, i)));
    *json = rows ? er_json_text(rows) : NULL;
    json_decref(rows);
    return *json ? ERRAND_OK : er_nomem(err);
}

int errand_tools_check(
    errand *rt, const char *path, char **json, struct errand_error *err)
{
    struct errand_error mine = {0};
    err = err ? err : &mine;
    json_t *v = er_tools_check(rt->tools, path, err);
    if (!v)
        return err->code;
    *json = er_json_text(v);
    json_decref(v);
    return *json ? ERRAND_OK : er_nomem(err);
}

/* --- one call by hand */

struct by_hand {
    errand *rt;
    json_t *answer;
    bool over;
};

static void on_outcome(void *ctx, const struct er_tool_outcome *o)
{
    struct by_hand *h = ctx;
    bool ok = o->status == ER_TOOL_OK;
    json_t *text = json_stringn_nocheck(o->text ? o->text : "", o->len);
    h->answer = json_pack("{s:b, s:o, s:I}", "ok", ok,
        ok ? "result" : "error", text, "took_ms", (json_int_t)o->took_ms);
    if (h->answer && o->detail && o->detail[0])
        json_object_set_new(
            h->answer, "detail", json_string(o->detail));
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

static json_t *call_and_wait(errand *rt, const struct er_tool *tool,
    const json_t *args, struct errand_error *err)
{
    struct by_hand h = {.rt = rt};
    struct er_tool_request req = {
        .tool = tool, .arguments = args, .idem_key = "by-hand", .attempt = 1};
    if (er_tools_call(rt->tools, &req, on_outcome, &h, NULL, err) !=
        ERRAND_OK)
        return NULL;
    while (!h.over)
        er_loop_run(rt->loop, -1);
    if (!h.answer)
        er_nomem(err);
    return h.answer;
}

static json_t *check_and_call(errand *rt, const struct er_tool *tool,
    json_t **args, struct errand_error *err)
{
    json_t *errors = json_array(), *answer;
    er_schema_coerce(tool->schema, args);
    answer = er_schema_check(tool->schema, *args, errors, 5)
        ? call_and_wait(rt, tool, *args, err) : misfit(errors);
    json_decref(errors);
    return answer;
}

int errand_tools_call(errand *rt, const char *name, const char *args,
    char **json, struct errand_error *err)
{
    struct errand_error mine = {0};
    err = err ? err : &mine;
    if (rt->threaded)
        return er_fail(err, ERRAND_STATE,
            "tools can be called by hand only where the loop has no thread");
    int rc = er_runtime_need_tools(rt, err);
    if (rc != ERRAND_OK)
        return rc;
    const struct er_tool *tool = er_tools_find(rt->tools, name);
    const char *near = NULL;
    if (!tool) {
        er_tools_similar(rt->tools, name, &near, 1);
        return er_fail(err, ERRAND_NOT_FOUND,
            "there is no tool \"%.64s\"%s%s%s; `errand tools list` shows all",
            name, near ? ", did you mean \"" : "", near ? near : "",
            near ? "\"" : "");
    }
    rc = er_consent_need(rt, err);
    if (rc == ERRAND_OK)
        rc = er_grant_check(rt, tool, err);
    if (rc != ERRAND_OK)
        return rc;
    json_t *v = er_json_parse(args, strlen(args), ER_JSON_STRICT, err);
    if (!v)
        return er_while(err, "the arguments");
    json_t *answer = check_and_call(rt, tool, &v, err);
    json_decref(v);
    *json = answer ? er_json_text(answer) : NULL;
    if (!answer)
        return err->code;
    json_decref(answer);
    return *json ? ERRAND_OK : er_nomem(err);
}
