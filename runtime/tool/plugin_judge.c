/* What is said of a plugin, held against our own eyes: a worker ran its code,
 * so it is believed no more than the plugin is. */
#include "plugin.h"

#include <stdlib.h>
#include <string.h>

static void add_problem(
    struct er_plugin_verdict *v, const char *who, const char *what)
{
    struct er_buf text;
    er_buf_init(&text, 4000);
    er_buf_addf(&text, "%.64s: %s", who, what);
    json_array_append_new(v->problems,
        json_pack("{s:i,s:s}", "line", 0, "message", er_buf_str(&text)));
    er_buf_release(&text);
    v->ok = false;
}

/* Warnings and problems that another added: with the tool's name before. */
static void adopt(
    struct er_plugin_verdict *v, const char *who, const json_t *list)
{
    size_t i;
    json_t *problem;
    json_array_foreach(list, i, problem)
    {
        struct er_buf text;
        const char *message = er_json_str(problem, "message");
        json_t *copy = json_copy(problem);
        er_buf_init(&text, 4000);
        er_buf_addf(&text, "%.64s: %s", who, message ? message : "");
        json_object_set_new(copy, "message", json_string(er_buf_str(&text)));
        json_array_append_new(v->problems, copy);
        er_buf_release(&text);
    }
}

static er_schema *compile(const json_t *schema, struct errand_error *why)
{
    return er_schema_compile(schema, ER_DRAFT_2020_12, 0, NULL, why);
}

/* One tool, in place. Errors NOMEM. */
static int judge_tool(struct er_plugin_verdict *v, size_t i,
    const json_t *answer, const json_t *config, struct errand_error *err)
{
    struct errand_error why = {0};
    struct er_tool_parts parts;
    json_t *tool = json_array_get(v->tools, i);
    const char *who = er_json_str(tool, "name");
    json_object_set(tool, "version", json_object_get(answer, "version"));
    if (!er_tool_read_parts(tool, "", &parts)) {
        add_problem(v, who ? who : "plugin", "it is described wrongly");
        return ERRAND_OK;
    }
    v->schemas[i] = compile(parts.parameters, &why);
    if (!v->schemas[i] && why.code == ERRAND_NOMEM)
        return er_nomem(err);
    if (!v->schemas[i]) {
        v->code = ERRAND_SCHEMA;
        er_while(&why, "parameters");
        add_problem(v, who, why.msg);
    }
    json_t *warnings = json_array();
    er_tool_warn(parts.parameters, warnings);
    adopt(v, who, warnings);
    json_decref(warnings);
    size_t before = json_array_size(v->problems);
    json_t *granted = er_plugin_permissions(
        json_object_get(tool, "permissions"), config, who, v->problems);
    if (json_array_size(v->problems) > before)
        v->ok = false;
    if (granted)
        json_object_set_new(tool, "permissions", granted);
    else
        json_object_del(tool, "permissions");
    return ERRAND_OK;
}

/* The first thing that is wrong with the configuration, as a problem. */
static void say_misfit(
    struct er_plugin_verdict *v, const char *name, const json_t *errors)
{
    struct er_buf text;
    const json_t *first = json_array_get(errors, 0);
    const char *at = er_json_str(first, "path");
    const char *what = er_json_str(first, "message");
    er_buf_init(&text, 2000);
    er_buf_addf(&text, "plugins.%.64s%s%s", name, at && *at ? "." : "",
        at && *at ? at + 1 : "");
    add_problem(v, er_buf_str(&text),
        what ? what : "does not fit the plugin's schema");
    v->code = ERRAND_CONFIG;
    er_buf_release(&text);
}

static int judge_config(struct er_plugin_verdict *v, const json_t *schema,
    const json_t *config, bool with_config, struct errand_error *err)
{
    struct errand_error why = {0};
    const char *name = er_json_str(v->plugin, "name");
    if (!schema) {
        if (with_config && json_object_size(config) > 0) {
            add_problem(v, name ? name : "plugin",
                "it takes no configuration");
            v->code = ERRAND_CONFIG;
        }
        return ERRAND_OK;
    }
    er_schema *s = compile(schema, &why);
    if (!s && why.code == ERRAND_NOMEM)
        return er_nomem(err);
    if (!s) {
        er_while(&why, "configuration");
        add_problem(v, name ? name : "plugin", why.msg);
        return ERRAND_OK;
    }
    json_t *errors = json_array();
    json_t *none = config ? NULL : json_object();
    if (with_config && !er_schema_check(s, config ? config : none, errors, 1))
        say_misfit(v, name ? name : "", errors);
    json_decref(none);
    json_decref(errors);
    er_schema_free(s);
    return ERRAND_OK;
}

int er_plugin_judge(struct er_plugin_verdict *v, const json_t *answer,
    const json_t *config, bool with_config, struct errand_error *err)
{
    const json_t *about = json_object_get(answer, "plugin");
    json_t *tools = json_object_get(answer, "tools");
    json_t *problems = json_object_get(answer, "problems");
    *v = (struct er_plugin_verdict){
        .ok = json_is_true(json_object_get(answer, "ok")),
        .code = (int)er_json_int(answer, "code", ERRAND_SYNTAX)};
    v->problems = json_is_array(problems) ? json_deep_copy(problems)
                                          : json_array();
    v->tools = json_is_array(tools) ? json_deep_copy(tools) : json_array();
    v->plugin = json_is_object(about) ? json_deep_copy(about) : NULL;
    size_t n = json_array_size(v->tools);
    v->schemas = calloc(n + 1, sizeof *v->schemas);
    if (!v->problems || !v->tools || !v->schemas)
        return er_nomem(err);
    if (v->ok && (!v->plugin || n == 0 || n > ER_PLUGIN_TOOLS))
        add_problem(v, "plugin", "the worker described it wrongly");
    for (size_t i = 0; i < n; i++) {
        int rc = judge_tool(v, i, answer, config, err);
        if (rc != ERRAND_OK)
            return rc;
    }
    int rc = judge_config(v, json_object_get(about, "configuration"), config,
        with_config, err);
    if (v->plugin)
        json_object_del(v->plugin, "configuration");
    if (!v->ok && json_array_size(v->problems) == 0)
        add_problem(v, "plugin", "the worker does not say what is wrong");
    return rc;
}

void er_plugin_verdict_release(struct er_plugin_verdict *v)
{
    size_t n = json_array_size(v->tools);
    for (size_t i = 0; v->schemas && i < n; i++)
        er_schema_free(v->schemas[i]);
    free(v->schemas);
    json_decref(v->problems);
    json_decref(v->plugin);
    json_decref(v->tools);
    *v = (struct er_plugin_verdict){0};
}
