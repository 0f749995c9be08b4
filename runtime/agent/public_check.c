/* errand_tools_check: a file, and its examples, which are run.
 *
 * An example is a call and what it gives: {arguments, result}, or {arguments,
 * error} with words of the message. They are run as calls by hand are, in the
 * cage and with what the file was granted. What could change something is
 * not run: looking at a file must never send a mail.
 */
#include "agent/by_hand.h"
#include "agent/consent.h"
#include "agent/grant.h"

#include "base/buf.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN_MOST = 300 }; /* bytes of a value in a message */

struct checking {
    errand *rt;
    json_t *report, *problems; /* borrowed from it */
    json_int_t line;
    struct errand_error *err;
};

static void add(struct checking *c, const char *level, const char *text)
{
    json_t *problem = json_pack(
        "{s:I, s:s}", "line", c->line, "message", text);
    if (level)
        json_object_set_new(problem, "level", json_string(level));
    else
        json_object_set_new(c->report, "ok", json_false());
    json_array_append_new(c->problems, problem);
}

static void add_value(struct er_buf *b, const json_t *value)
{
    char *text = er_json_text(value);
    size_t len = text ? strlen(text) : 0;
    size_t shown = er_utf8_cut(text ? text : "", len, SHOWN_MOST);
    er_buf_add(b, text ? text : "", shown);
    if (shown < len)
        er_buf_adds(b, "...");
    free(text);
}

/* Is it one? Says what is wrong. */
static bool is_example(struct checking *c, size_t i, const json_t *example)
{
    const json_t *arguments = json_object_get(example, "arguments");
    bool result = json_object_get(example, "result") != NULL;
    bool error = er_json_str(example, "error") != NULL;
    char text[160];
    if ((!arguments || json_is_object(arguments)) && result != error &&
        json_object_size(example) == 1u + (arguments != NULL))
        return true;
    snprintf(text, sizeof text, "example %zu must have arguments, and either "
        "result or error, which is a text; and no more", i + 1);
    add(c, NULL, text);
    return false;
}

/* A text is what the model reads; any other value went over as JSON. */
static bool is_same(const json_t *expected, const json_t *result)
{
    const char *text = json_string_value(result);
    if (json_equal(expected, result))
        return true;
    json_t *value = text && !json_is_string(expected)
        ? er_json_parse(text, json_string_length(result), ER_JSON_STRICT,
              NULL)
        : NULL;
    bool same = value && json_equal(expected, value);
    json_decref(value);
    return same;
}

static void compare(
    struct checking *c, size_t i, const json_t *example, const json_t *answer)
{
    const json_t *expected = json_object_get(example, "result");
    const json_t *result = json_object_get(answer, "result");
    const char *words = er_json_str(example, "error");
    const char *error = er_json_str(answer, "error");
    struct er_buf b;
    if (expected && result && is_same(expected, result))
        return;
    if (words && error && strstr(error, words))
        return;
    er_buf_init(&b, 8192);
    er_buf_addf(&b, "example %zu gave ", i + 1);
    if (error)
        er_buf_addf(&b, "the error \"%.300s\"", error);
    else
        add_value(&b, result);
    er_buf_adds(&b, ", not ");
    if (words)
        er_buf_addf(&b, "an error with \"%.300s\"", words);
    else
        add_value(&b, expected);
    add(c, NULL, er_buf_str(&b));
    er_buf_release(&b);
}

/* Why they cannot be run, as a warning. True: they can. */
static bool may_run(struct checking *c, const struct er_tool *tool)
{
    char text[300];
    bool harmless = !tool->permissions || tool->effect == ERRAND_PURE ||
                    tool->effect == ERRAND_READ;
    if (c->rt->threaded)
        return false;
    if (harmless && er_grant_of(c->rt, tool))
        return true;
    if (!harmless)
        snprintf(text, sizeof text, "its examples were not run: a call of "
            "it may change something (errand tools call runs one)");
    else
        snprintf(text, sizeof text, "its examples were not run: grant what "
            "it asks for first, errand tools grant %.64s", tool->name);
    add(c, "warning", text);
    return false;
}

static int run_all(struct checking *c, const struct er_tool *tool,
    const json_t *examples)
{
    size_t i;
    json_t *example, *none = json_object();
    int rc = ERRAND_OK;
    json_array_foreach(examples, i, example)
    {
        const json_t *args = json_object_get(example, "arguments");
        if (!is_example(c, i, example))
            continue;
        json_t *answer =
            er_by_hand_call(c->rt, tool, args ? args : none, c->err);
        rc = answer ? ERRAND_OK : c->err->code;
        if (!answer)
            break;
        compare(c, i, example, answer);
        json_decref(answer);
    }
    json_decref(none);
    return rc;
}

static int try_examples(
    struct checking *c, const char *path, const json_t *tool)
{
    const json_t *examples = json_object_get(tool, "examples");
    c->line = er_json_int(tool, "examples_line", 0);
    if (!json_is_array(examples)) {
        if (examples)
            add(c, NULL, "examples must be a list");
        return ERRAND_OK;
    }
    int rc = er_consent_need(c->rt, c->err);
    const struct er_tool *own =
        rc == ERRAND_OK ? er_tools_open_file(c->rt->tools, path, c->err)
                        : NULL;
    if (!own)
        return c->err->code;
    if (may_run(c, own))
        rc = run_all(c, own, examples);
    er_tools_close_file(own);
    return rc;
}

int errand_tools_check(
    errand *rt, const char *path, char **json, struct errand_error *err)
{
    struct errand_error mine = {0};
    struct checking c = {.rt = rt, .err = err ? err : &mine};
    int rc = ERRAND_OK;
    c.report = er_tools_check(rt->tools, path, c.err);
    if (!c.report)
        return c.err->code;
    c.problems = json_object_get(c.report, "problems");
    json_t *tool = json_object_get(c.report, "tool");
    if (json_object_get(tool, "examples"))
        rc = try_examples(&c, path, tool);
    json_object_del(tool, "examples_line");
    if (!json_is_true(json_object_get(c.report, "ok")))
        json_object_del(c.report, "tool");
    *json = rc == ERRAND_OK ? er_json_text(c.report) : NULL;
    json_decref(c.report);
    if (rc != ERRAND_OK)
        return rc;
    return *json ? ERRAND_OK : er_nomem(c.err);
}
