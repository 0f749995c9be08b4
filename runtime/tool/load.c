/* Tool files and the configuration: a worker runs them, so that nothing a
 * file does can hurt the runtime. The files of a folder are asked for all at
 * once: while the worker runs one, the answer to the one before is judged. */
#include "base/text.h"
#include "parts.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------- asking a worker */

static void questions_release(struct er_questions *q)
{
    er_buf_release(&q->frames);
    free(q->ends);
    free(q->codes);
    *q = (struct er_questions){0};
}

/* Room for n questions. Errors NOMEM. */
static int questions_init(er_tools *t, struct er_questions *q, size_t n,
    struct errand_error *err)
{
    *q = (struct er_questions){.timeout_ms = ER_TOOL_LOAD_MS};
    er_buf_init(&q->frames, (n + 1) * (size_t)ER_CODE_MOST * 8);
    q->profile = er_pool_lua(t->pool, NULL, err);
    if (!q->profile)
        return ERRAND_NOMEM;
    q->ends = calloc(n ? n : 1, sizeof *q->ends);
    q->codes = calloc(n ? n : 1, sizeof *q->codes);
    return q->ends && q->codes ? ERRAND_OK : er_nomem(err);
}

/* Errors NOMEM (the frames' bound counts as that). */
static int questions_add(er_tools *t, struct er_questions *q, const char *op,
    struct er_code *code, struct errand_error *err)
{
    int64_t id = er_pool_next_id(t->pool);
    er_buf_add(&q->frames, code->frame.data, code->frame.len);
    size_t token = er_frame_begin(&q->frames);
    er_buf_addf(&q->frames,
        "{\"id\":%lld,\"op\":\"%s\",\"code\":%llu,\"timeout_ms\":%d}",
        (long long)id, op, (unsigned long long)code->number,
        ER_TOOL_LOAD_MS);
    if (!er_frame_end(&q->frames, token))
        return er_nomem(err);
    if (q->n == 0)
        q->first_id = id;
    q->codes[q->n] = code;
    q->ends[q->n++] = q->frames.len;
    return ERRAND_OK;
}

/* One question and its answer, kept. */
struct kept {
    json_t *answer;
    struct errand_error *err;
};

static void keep(void *ctx, size_t i, const json_t *answer,
    const struct errand_error *why)
{
    struct kept *k = ctx;
    (void)i;
    k->answer = json_incref((json_t *)answer);
    if (!answer && k->err)
        *k->err = *why;
}

/* Ask a worker about one file. NULL on failure. */
json_t *er_tools_ask_code(er_tools *t, const char *op, struct er_code *code,
    const char *path, struct errand_error *err)
{
    struct er_questions q;
    struct kept k = {.err = err};
    if (questions_init(t, &q, 1, err) == ERRAND_OK &&
        questions_add(t, &q, op, code, err) == ERRAND_OK)
        er_pool_ask(t->pool, &q, keep, &k);
    questions_release(&q);
    if (!k.answer)
        er_while(err, "%s", path);
    return k.answer;
}

/* A file that cannot be read, as if a worker had said it. */
static json_t *unreadable(
    const struct errand_error *why, struct errand_error *err)
{
    json_t *answer = NULL;
    if (why->code != ERRAND_NOMEM)
        answer = json_pack("{s:b,s:[{s:i,s:s}]}", "ok", 0, "problems",
            "line", 0, "message", why->msg);
    if (!answer)
        er_nomem(err);
    return answer;
}

json_t *er_tools_check(
    er_tools *t, const char *path, struct errand_error *err)
{
    int kind;
    struct errand_error why = {0};
    er_schema *schema = NULL;
    if (er_tool_is_plugin(path))
        return er_plugin_check(t, path, err);
    struct er_code *code = er_code_read(t->pool, path, &why);
    json_t *judged = NULL;
    json_t *answer = code ? er_tools_ask_code(t, "describe", code, path, err)
                          : unreadable(&why, err);
    if (answer)
        judged = er_tool_judge(answer, path, code, &schema, &kind, err);
    er_schema_free(schema);
    er_code_drop(code);
    json_decref(answer);
    return judged;
}

const struct er_tool *er_tools_open_file(
    er_tools *t, const char *path, struct errand_error *err)
{
    int kind = ERRAND_SYNTAX;
    struct errand_error why = {0};
    struct er_tool_parts parts;
    struct er_entry *entry = NULL;
    er_schema *schema = NULL;
    struct er_code *code = er_code_read(t->pool, path, &why);
    json_t *answer = code ? er_tools_ask_code(t, "describe", code, path, err)
                          : unreadable(&why, err);
    json_t *judged = answer
        ? er_tool_judge(answer, path, code, &schema, &kind, err) : NULL;
    const json_t *tool = json_object_get(judged, "tool");
    if (tool && schema && er_tool_read_parts(tool, path, &parts)) {
        parts.schema = schema; /* taken, whatever comes */
        parts.code = code;
        entry = er_tools_entry(&parts, err);
    } else if (judged) {
        er_schema_free(schema);
        er_fail(err, kind, "%s is no tool that can be used", path);
    }
    er_code_drop(code);
    json_decref(answer);
    json_decref(judged);
    return entry ? &entry->tool : NULL;
}

void er_tools_close_file(const struct er_tool *tool)
{
    er_tools_entry_free((struct er_entry *)(uintptr_t)tool);
}

/* --------------------------------------------------------------- folders */

struct loading {
    er_tools *t;
    json_t *problems; /* or NULL */
    struct errand_error *err;
    char **paths; /* of the files that were asked about */
    struct er_code **codes;
    size_t n;
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

/* Problems and errors of one judged file; a good one is registered. */
static void take_judged(struct loading *l, const char *path,
    struct er_code *text, json_t *judged, er_schema *schema, int code)
{
    struct errand_error why = {0};
    struct er_tool_parts parts;
    size_t i;
    json_t *problem;
    json_array_foreach(json_object_get(judged, "problems"), i, problem)
    {
        const char *message = er_json_str(problem, "message");
        report(l, path, problem);
        if (!er_tool_is_warning(problem))
            note(l, path, er_json_int(problem, "line", 0), code,
                message ? message : "is wrong");
    }
    if (!er_tool_read_parts(json_object_get(judged, "tool"), path, &parts)) {
        er_schema_free(schema);
        return;
    }
    parts.schema = schema;
    parts.code = text;
    if (er_tools_insert(l->t, &parts, &why) != ERRAND_OK)
        report_error(l, path, &why);
}

static void judge(struct loading *l, const char *path, const json_t *answer,
    struct er_code *text)
{
    struct errand_error why = {0};
    er_schema *schema = NULL;
    int code;
    json_t *judged =
        er_tool_judge(answer, path, text, &schema, &code, &why);
    if (judged)
        take_judged(l, path, text, judged, schema, code);
    else
        report_error(l, path, &why);
    json_decref(judged);
}

static void on_answer(void *ctx, size_t i, const json_t *answer,
    const struct errand_error *no_answer)
{
    struct loading *l = ctx;
    struct errand_error why;
    if (answer) {
        judge(l, l->paths[i], answer, l->codes[i]);
        return;
    }
    why = *no_answer;
    er_while(&why, "%s", l->paths[i]);
    report_error(l, l->paths[i], &why);
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

/* "dir/name"; NULL: out of memory. */
static char *join(const char *dir, const char *name)
{
    struct er_buf path;
    er_buf_init(&path, 64 * 1024);
    size_t n = strlen(dir);
    er_buf_adds(&path, dir);
    if (n && dir[n - 1] != '/')
        er_buf_addc(&path, '/');
    er_buf_adds(&path, name);
    return er_buf_take(&path, NULL);
}

/* Read one file and make its question. What is wrong with it is in l. Errors
 * NOMEM; path is taken. */
static int add_file(
    struct loading *l, struct er_questions *q, char *path)
{
    struct errand_error why = {0};
    struct er_code *code = er_code_read(l->t->pool, path, &why);
    if (!code) {
        json_t *answer = unreadable(&why, l->err);
        if (answer)
            judge(l, path, answer, NULL);
        json_decref(answer);
        free(path);
        return answer ? ERRAND_OK : ERRAND_NOMEM;
    }
    l->paths[l->n] = path;
    l->codes[l->n++] = code;
    return questions_add(l->t, q, "describe", code, l->err);
}

/* Ask for all of them. Errors NOMEM; the files' own are in l. */
static int load_all(struct loading *l, const char *dir,
    struct dirent **entries, size_t n)
{
    struct er_questions q = {0};
    l->paths = calloc(n ? n : 1, sizeof *l->paths);
    l->codes = calloc(n ? n : 1, sizeof *l->codes);
    int rc = l->paths && l->codes ? questions_init(l->t, &q, n, l->err)
                                  : er_nomem(l->err);
    for (size_t i = 0; rc == ERRAND_OK && i < n; i++) {
        char *path = join(dir, entries[i]->d_name);
        rc = path ? add_file(l, &q, path) : er_nomem(l->err);
    }
    if (rc == ERRAND_OK)
        er_pool_ask(l->t->pool, &q, on_answer, l);
    questions_release(&q);
    for (size_t i = 0; i < l->n; i++) {
        free(l->paths[i]);
        er_code_drop(l->codes[i]);
    }
    free(l->paths);
    free(l->codes);
    return rc;
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
    int rc = n > 0 ? load_all(&l, dir, entries, (size_t)n) : ERRAND_OK;
    for (int i = 0; i < n; i++)
        free(entries[i]);
    free(entries);
    return rc != ERRAND_OK ? rc : l.rc;
}

/* ---------------------------------------------------------- configuration */

json_t *er_tools_eval_config(
    er_tools *t, const char *path, struct errand_error *err)
{
    json_t *value = NULL;
    struct er_code *code = er_code_read(t->pool, path, err);
    json_t *answer = code
        ? er_tools_ask_code(t, "config", code, path, err) : NULL;
    er_code_drop(code);
    if (!answer)
        return NULL;
    if (json_is_true(json_object_get(answer, "ok")))
        value = json_incref(json_object_get(answer, "value"));
    if (!json_is_object(value) && !json_is_array(value)) {
        const json_t *problem =
            json_array_get(json_object_get(answer, "problems"), 0);
        const char *message = er_json_str(problem, "message");
        struct loading l = {.err = err};
        note(&l, path, er_json_int(problem, "line", 0),
            ERRAND_SYNTAX,
            message ? message : "the worker did not read it");
        json_decref(value);
        value = NULL;
    }
    json_decref(answer);
    return value;
}

json_t *er_tools_cage(er_tools *t, struct errand_error *err)
{
    return er_pool_cage(t->pool, err);
}

static json_t *list_of(const char *const *paths)
{
    json_t *list = json_array();
    for (size_t i = 0; list && paths && paths[i]; i++) {
        if (json_array_append_new(list, json_string(paths[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

int er_tools_guard(er_tools *t, const char *const *secret,
    const char *const *fixed, struct errand_error *err)
{
    json_t *guard = json_pack(
        "{s:o, s:o}", "secret", list_of(secret), "fixed", list_of(fixed));
    if (!guard)
        return er_nomem(err);
    int rc = er_pool_guard(t->pool, guard, err);
    json_decref(guard);
    return rc;
}
