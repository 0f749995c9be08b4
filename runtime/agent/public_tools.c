/* errand_add_tool, errand_tools_list: tools, for people and embedders. */
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
