/* Tool files and the configuration: a worker reads them, so that nothing a
 * file does can hurt the runtime; what it says is checked here again. */
#include "base/text.h"
#include "parts.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Ask a worker about one file. NULL on failure. */
static json_t *ask(er_tools *t, const char *op, const char *path,
    struct errand_error *err)
{
    int64_t id = er_pool_next_id(t->pool);
    struct er_buf frame;
    er_buf_init(&frame, 64 * 1024);
    size_t token = er_frame_begin(&frame);
    er_buf_addf(&frame, "{\"id\":%lld,\"op\":\"%s\",\"path\":",
        (long long)id, op);
    er_json_add_string(&frame, path, strlen(path));
    er_buf_addf(&frame, ",\"timeout_ms\":%d}", ER_TOOL_LOAD_MS);
    json_t *answer = NULL;
    if (er_frame_end(&frame, token))
        answer = er_pool_ask(t->pool, &frame, id, ER_TOOL_LOAD_MS, err);
    else
        er_nomem(err);
    if (!answer)
        er_while(err, "%s", path);
    er_buf_release(&frame);
    return answer;
}

/* --------------------------------------------------------------- problems */

static bool is_warning(const json_t *problem)
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

/* What describe said of a tool that is right. False: it is not whole. */
static bool read_parts(const json_t *tool, const char *path,
    struct er_tool_parts *parts)
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
            .timeout_ms = timeout}};
    return parts->name && parts->description && parts->version &&
           json_is_object(parts->parameters) && timeout >= 1 &&
           timeout <= ER_TOOL_TIMEOUT_MOST;
}

/* Does the schema compile? If not, it is a problem. Errors SCHEMA, NOMEM. */
static int check_schema(
    const json_t *tool, json_t *problems, struct errand_error *err)
{
    struct errand_error why = {0};
    const json_t *parameters = json_object_get(tool, "parameters");
    er_schema *schema =
        er_schema_compile(parameters, ER_DRAFT_2020_12, 0, NULL, &why);
    er_schema_free(schema);
    if (schema)
        return ERRAND_OK;
    if (why.code == ERRAND_NOMEM)
        return er_nomem(err);
    er_while(&why, "parameters");
    add_problem(problems, why.msg);
    return ERRAND_SCHEMA;
}

/* What the worker's answer to describe comes to, once the schema is held
 * against its own: {"ok","problems","tool"}. problems is taken. *code is of
 * what kind the errors are. */
static json_t *judge(const json_t *answer, json_t *problems,
    const char *path, int *code, struct errand_error *err)
{
    json_t *tool = json_object_get(answer, "tool");
    bool ok = json_is_true(json_object_get(answer, "ok"));
    struct er_tool_parts parts;
    *code = ERRAND_SYNTAX;
    if (ok && !read_parts(tool, path, &parts)) {
        add_problem(problems, "the worker described it wrongly");
        ok = false;
    }
    if (ok) {
        int rc = check_schema(tool, problems, err);
        if (rc == ERRAND_NOMEM) {
            json_decref(problems);
            return NULL;
        }
        ok = rc == ERRAND_OK;
        *code = ERRAND_SCHEMA;
        er_tool_warn(json_object_get(tool, "parameters"), problems);
    }
    json_t *result = json_pack("{s:b,s:o}", "ok", ok ? 1 : 0, "problems",
        sort_problems(problems));
    if (ok && result)
        json_object_set(result, "tool", tool);
    if (!result)
        er_nomem(err);
    return result;
}

/* Describe one file. NULL if no worker answers, or without memory. */
static json_t *describe(
    er_tools *t, const char *path, int *code, struct errand_error *err)
{
    json_t *answer = ask(t, "describe", path, err);
    if (!answer)
        return NULL;
    json_t *problems = json_incref(json_object_get(answer, "problems"));
    if (!json_is_array(problems)) {
        json_decref(problems);
        problems = json_array();
    }
    json_t *result = judge(answer, problems, path, code, err);
    json_decref(answer);
    return result;
}

json_t *er_tools_check(
    er_tools *t, const char *path, struct errand_error *err)
{
    int code;
    return describe(t, path, &code, err);
}

/* --------------------------------------------------------------- folders */

struct loading {
    er_tools *t;
    json_t *problems; /* or NULL */
    struct errand_error *err;
    int rc;    /* the first error's code */
    int count; /* of errors */
};

/* Note an error: the first is what the function returns with. */
static void note(struct loading *l, const char *path, json_int_t line,
    int code, const char *message)
{
    if (l->count++ > 0)
        return;
    l->rc = code;
    if (line > 0)
        er_fail(l->err, code, "%s:%lld: %s", path, (long long)line, message);
    else
        er_fail(l->err, code, "%s: %s", path, message);
    if (l->err)
        l->err->at = line > 0 ? line : -1;
}

static void report(struct loading *l, const char *path, json_t *problem)
{
    if (!l->problems)
        return;
    json_t *copy = json_copy(problem);
    json_object_set_new(copy, "path", json_string(path));
    json_array_append_new(l->problems, copy);
}

static void report_error(struct loading *l, const char *path,
    const struct errand_error *why)
{
    json_t *problem =
        json_pack("{s:i,s:s}", "line", 0, "message", why->msg);
    report(l, path, problem);
    json_decref(problem);
    if (l->count++ == 0) {
        l->rc = why->code;
        if (l->err)
            *l->err = *why;
    }
}

static void load_file(struct loading *l, const char *path)
{
    struct errand_error why = {0};
    size_t i;
    int code;
    json_t *problem, *answer = describe(l->t, path, &code, &why);
    if (!answer) {
        report_error(l, path, &why);
        return;
    }
    json_array_foreach(json_object_get(answer, "problems"), i, problem)
    {
        const char *message = er_json_str(problem, "message");
        report(l, path, problem);
        if (!is_warning(problem))
            note(l, path, er_json_int(problem, "line", 0), code,
                message ? message : "is wrong");
    }
    struct er_tool_parts parts;
    if (json_is_true(json_object_get(answer, "ok")) &&
        read_parts(json_object_get(answer, "tool"), path, &parts) &&
        er_tools_insert(l->t, &parts, &why) != ERRAND_OK)
        report_error(l, path, &why);
    json_decref(answer);
}

static int is_tool_file(const struct dirent *entry)
{
    const char *name = entry->d_name;
    size_t n = strlen(name);
    return n > 4 && strcmp(name + n - 4, ".lua") == 0 && name[0] != '.' &&
           name[0] != '_' && strcmp(name, "template.lua") != 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void load_entry(struct loading *l, const char *dir, const char *name)
{
    struct er_buf path;
    er_buf_init(&path, 64 * 1024);
    size_t n = strlen(dir);
    er_buf_adds(&path, dir);
    if (n && dir[n - 1] != '/')
        er_buf_addc(&path, '/');
    er_buf_adds(&path, name);
    if (!path.failed)
        load_file(l, path.data);
    er_buf_release(&path);
}

int er_tools_load_dir(er_tools *t, const char *dir, json_t *problems,
    struct errand_error *err)
{
    struct loading l = {.t = t, .problems = problems, .err = err};
    struct dirent **entries = NULL;
    int n = scandir(dir, &entries, is_tool_file, by_name);
    if (n < 0 && errno == ENOENT)
        return ERRAND_OK;
    if (n < 0 && errno == ENOMEM)
        return er_nomem(err);
    if (n < 0)
        return er_fail_errno(
            err, ERRAND_IO, "cannot read the folder of tools %s", dir);
    for (int i = 0; i < n; i++) {
        load_entry(&l, dir, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return l.rc;
}

/* ---------------------------------------------------------- configuration */

json_t *er_tools_eval_config(
    er_tools *t, const char *path, struct errand_error *err)
{
    json_t *answer = ask(t, "config", path, err), *value = NULL;
    if (!answer)
        return NULL;
    if (json_is_true(json_object_get(answer, "ok")))
        value = json_incref(json_object_get(answer, "value"));
    if (!json_is_object(value) && !json_is_array(value)) {
        const json_t *problem =
            json_array_get(json_object_get(answer, "problems"), 0);
        const char *message = er_json_str(problem, "message");
        bool missing = json_is_true(json_object_get(answer, "missing"));
        struct loading l = {.err = err};
        note(&l, path, er_json_int(problem, "line", 0),
            missing ? ERRAND_NOT_FOUND : ERRAND_SYNTAX,
            message ? message : "the worker did not read it");
        json_decref(value);
        value = NULL;
    }
    json_decref(answer);
    return value;
}
