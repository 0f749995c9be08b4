/* What a worker says of a tool file, held against our own eyes: the worker
 * ran the file, so it is believed no more than the file is. */
#include "base/text.h"
#include "parts.h"

#include <stdlib.h>
#include <string.h>

bool er_tool_is_warning(const json_t *problem)
{
    const char *level = er_json_str(problem, "level");
    return level && strcmp(level, "warning") == 0;
}

static void add_problem(json_t *problems, const char *message)
{
    json_array_append_new(problems,
        json_pack("{s:i,s:s}", "line", 0, "message", message));
}

static int by_line(const void *a, const void *b)
{
    const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
    json_int_t p = er_json_int(x, "line", 0), q = er_json_int(y, "line", 0);
    if (p != q)
        return p < q ? -1 : 1;
    const char *s = er_json_str(x, "message"), *u = er_json_str(y, "message");
    return strcmp(s ? s : "", u ? u : "");
}

/* In the order of lines, so that the same file always says the same. */
static json_t *sort_problems(json_t *problems)
{
    size_t n = json_array_size(problems);
    json_t **list = calloc(n ? n : 1, sizeof *list);
    json_t *sorted = json_array();
    for (size_t i = 0; list && i < n; i++)
        list[i] = json_array_get(problems, i);
    if (list)
        qsort(list, n, sizeof *list, by_line);
    for (size_t i = 0; list && i < n; i++)
        json_array_append(sorted, list[i]);
    free(list);
    json_decref(problems);
    return sorted;
}

/* ------------------------------------------------------ from JSON to tools */

static int32_t effect_of(const char *name)
{
    static const char *const names[] = {[ERRAND_UNSAFE] = "unsafe",
        [ERRAND_PURE] = "pure",
        [ERRAND_READ] = "read",
        [ERRAND_IDEMPOTENT] = "idempotent",
        [ERRAND_KEYED] = "keyed"};
    for (int32_t i = 0; name && i <= ERRAND_KEYED; i++)
        if (strcmp(name, names[i]) == 0)
            return i;
    return ERRAND_UNSAFE;
}

bool er_tool_read_parts(
    const json_t *tool, const char *path, struct er_tool_parts *parts)
{
    int64_t timeout =
        er_json_int(tool, "timeout_ms", ER_TOOL_TIMEOUT_MS);
    *parts = (struct er_tool_parts){.name = er_json_str(tool, "name"),
        .description = er_json_str(tool, "description"),
        .source = "lua",
        .path = path,
        .version = er_json_str(tool, "version"),
        .parameters = json_object_get(tool, "parameters"),
        .permissions = json_object_get(tool, "permissions"),
        .tool = {.effect = effect_of(er_json_str(tool, "effect")),
            .sequential = json_is_true(json_object_get(tool, "sequential")),
            .polls = json_is_true(json_object_get(tool, "polls")),
            .external = json_is_true(json_object_get(tool, "external")),
            .egress = json_is_true(json_object_get(tool, "egress")),
            .timeout_ms = timeout}};
    return parts->name && parts->description && parts->version &&
           json_is_object(parts->parameters) && timeout >= 1 &&
           timeout <= ER_TOOL_TIMEOUT_MOST;
}

/* Compile its schema; NULL: not ok, and a problem says why. Errors NOMEM. */
static er_schema *compile(
    const json_t *tool, json_t *problems, struct errand_error *err)
{
    struct errand_error why = {0};
    const json_t *parameters = json_object_get(tool, "parameters");
    er_schema *schema =
        er_schema_compile(parameters, ER_DRAFT_2020_12, 0, NULL, &why);
    if (schema)
        return schema;
    if (why.code == ERRAND_NOMEM) {
        er_nomem(err);
        return NULL;
    }
    er_while(&why, "parameters");
    add_problem(problems, why.msg);
    return NULL;
}

/* {"ok","problems","tool"}; problems is taken. */
static json_t *verdict(
    bool ok, json_t *problems, json_t *tool, struct errand_error *err)
{
    json_t *result = json_pack("{s:b,s:o}", "ok", ok ? 1 : 0, "problems",
        sort_problems(problems));
    if (ok && result && json_object_set(result, "tool", tool) != 0) {
        json_decref(result);
        result = NULL;
    }
    if (!result)
        er_nomem(err);
    return result;
}

/* The version is the hash of the text that was sent, not what a worker says
 * it is. */
static bool set_version(json_t *tool, const struct er_code *text)
{
    return text && json_object_set_new(tool, "version",
                       json_stringn(text->sha256, 16)) == 0;
}

json_t *er_tool_judge(const json_t *answer, const char *path,
    const struct er_code *text, er_schema **schema, int *code,
    struct errand_error *err)
{
    struct errand_error why = {0};
    struct er_tool_parts parts;
    json_t *problems = json_incref(json_object_get(answer, "problems"));
    json_t *tool = json_object_get(answer, "tool");
    bool ok = json_is_true(json_object_get(answer, "ok"));
    *schema = NULL;
    *code = ERRAND_SYNTAX;
    if (!json_is_array(problems)) {
        json_decref(problems);
        problems = json_array();
    }
    ok = ok && set_version(tool, text);
    if (ok && !er_tool_read_parts(tool, path, &parts)) {
        add_problem(problems, "the worker described it wrongly");
    } else if (ok) {
        *code = ERRAND_SCHEMA;
        *schema = compile(tool, problems, &why);
        er_tool_warn(json_object_get(tool, "parameters"), problems);
    }
    if (why.code == ERRAND_NOMEM) {
        json_decref(problems);
        er_nomem(err);
        return NULL;
    }
    json_t *result = verdict(*schema != NULL, problems, tool, err);
    if (!result) {
        er_schema_free(*schema);
        *schema = NULL;
    }
    return result;
}
