/* errand tools: see, test and start tools by hand. */
#include "cli.h"
#include "granter.h"
#include "input.h"
#include "new_file.h"
#include "new_plugin.h"
#include "similar.h"
#include "trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Open the runtime and get its tools as JSON text. */
static int load(struct er_cli *cli, char **text)
{
    struct errand_error err = {0};
    int status = er_cli_open(cli);
    if (status)
        return status;
    if (errand_tools_list(cli->rt, text, &err))
        return er_cli_fail(cli, &err);
    return ER_EXIT_DONE;
}

static const char *or_empty(const char *text) { return text ? text : ""; }

/* ------------------------------------------------------------------ list */

static void show_row(struct er_cli *cli, const json_t *tool)
{
    const char *about = or_empty(er_json_str(tool, "description"));
    bool granted = json_is_true(json_object_get(tool, "granted"));
    er_term_outf(&cli->term, "%-20s %-10s %s%.*s\n",
        or_empty(er_json_str(tool, "name")),
        or_empty(er_json_str(tool, "effect")),
        granted ? "" : "(not granted) ", (int)strcspn(about, "\r\n"),
        about);
}

int er_cmd_tools_list(struct er_cli *cli)
{
    char *text = NULL;
    int status = load(cli, &text);
    if (status)
        return status;
    if (cli->args.json)
        return er_cli_print_json(cli, text);
    json_t *tools = er_cli_answer(cli, text), *tool;
    size_t i;
    if (!tools)
        return ER_EXIT_FAILED;
    json_array_foreach(tools, i, tool)
        show_row(cli, tool);
    if (json_array_size(tools) == 0)
        er_term_note(&cli->term, ER_PLAIN, "there are no tools; errand tools "
            "new NAME writes one to start from");
    json_decref(tools);
    return ER_EXIT_DONE;
}

/* ------------------------------------------------------------------ show */

/* "  path string (required)  file to read" for each argument. */
static void show_arguments(struct er_cli *cli, const json_t *schema)
{
    json_t *properties = json_object_get(schema, "properties"), *property;
    const json_t *required = json_object_get(schema, "required"), *name;
    const char *key;
    if (json_object_size(properties) == 0) {
        er_term_outs(&cli->term, "arguments    none\n");
        return;
    }
    er_term_outs(&cli->term, "arguments\n");
    json_object_foreach(properties, key, property) {
        size_t i;
        bool must = false;
        json_array_foreach(required, i, name)
            must = must || strcmp(or_empty(json_string_value(name)), key) == 0;
        const char *type = er_json_str(property, "type");
        er_term_outf(&cli->term, "  %-16s %-8s %s%s\n", key,
            type ? type : "any", must ? "" : "(may be missing) ",
            or_empty(er_json_str(property, "description")));
    }
}

static void show_tool(struct er_cli *cli, const json_t *tool)
{
    static const char *const rows[] = {
        "name", "description", "effect", "source", "path", "version"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *value = er_json_str(tool, rows[i]);
        if (value && *value)
            er_term_outf(&cli->term, "%-12s %s\n", rows[i], value);
    }
    const json_t *permissions = json_object_get(tool, "permissions");
    char *text = permissions ? er_json_text(permissions) : NULL;
    if (text && !json_is_null(permissions))
        er_term_outf(&cli->term, "%-12s %s\n", "permissions", text);
    free(text);
    show_arguments(cli, json_object_get(tool, "parameters"));
}

static int no_such_tool(
    struct er_cli *cli, const json_t *tools, const char *name)
{
    struct er_similar near;
    struct errand_error err = {0};
    json_t *tool;
    size_t i;
    er_similar_init(&near, name);
    json_array_foreach(tools, i, tool)
        er_similar_offer(&near, or_empty(er_json_str(tool, "name")));
    const char *best = er_similar_best(&near);
    if (best)
        er_fail(&err, ERRAND_NOT_FOUND,
            "there is no tool \"%.64s\"; did you mean %.64s?", name, best);
    else
        er_fail(&err, ERRAND_NOT_FOUND,
            "there is no tool \"%.64s\"; errand tools list shows those there "
            "are, --tools-dir DIR adds a folder", name);
    return er_cli_fail(cli, &err);
}

int er_cmd_tools_show(struct er_cli *cli)
{
    char *text = NULL;
    int status = load(cli, &text);
    if (status)
        return status;
    json_t *tools = er_cli_answer(cli, text), *tool, *found = NULL;
    size_t i;
    if (!tools)
        return ER_EXIT_FAILED;
    json_array_foreach(tools, i, tool)
        if (strcmp(or_empty(er_json_str(tool, "name")), cli->words[0]) == 0)
            found = tool;
    if (!found)
        status = no_such_tool(cli, tools, cli->words[0]);
    else if (cli->args.json)
        status = er_cli_print_json(cli, er_json_text(found));
    else
        show_tool(cli, found);
    json_decref(tools);
    return status;
}

/* ----------------------------------------------------------------- check */

/* "FILE:LINE: message", as editors read it. Plugins have no lines, and some
 * messages name the file themselves. */
static void show_problem(
    struct er_cli *cli, const char *path, const json_t *problem)
{
    const char *message = or_empty(er_json_str(problem, "message"));
    const char *level = er_json_str(problem, "level");
    json_int_t line = er_json_int(problem, "line", 0);
    if (line > 0)
        er_term_outf(&cli->term, "%s:%lld: ", path, (long long)line);
    else if (!strstr(message, path))
        er_term_outf(&cli->term, "%s: ", path);
    er_term_outf(&cli->term, "%s%s%s\n", level ? level : "",
        level ? ": " : "", message);
}

int er_cmd_tools_check(struct er_cli *cli)
{
    struct errand_error err = {0};
    const char *path = cli->words[0];
    char *text = NULL;
    int status = er_cli_open(cli);
    if (status)
        return status;
    if (errand_tools_check(cli->rt, path, &text, &err))
        return er_cli_fail(cli, &err);
    json_t *report = er_json_parse(text, strlen(text), ER_JSON_LENIENT, &err);
    bool ok = json_is_true(json_object_get(report, "ok"));
    if (cli->args.json) {
        er_cli_print_json(cli, text);
    } else {
        json_t *problem;
        size_t i;
        errand_free(text);
        json_array_foreach(json_object_get(report, "problems"), i, problem)
            show_problem(cli, path, problem);
        if (ok)
            er_term_outf(&cli->term, "%s: ok\n", path);
    }
    json_decref(report);
    return ok ? ER_EXIT_DONE : ER_EXIT_FAILED;
}

/* ------------------------------------------------------------------ call */

/* A text result as it is, any other as JSON. */
static int print_result(struct er_cli *cli, const json_t *report)
{
    const json_t *result = json_object_get(report, "result");
    if (!json_is_true(json_object_get(report, "ok"))) {
        const char *error = er_json_str(report, "error");
        const char *detail = er_json_str(report, "detail");
        er_term_error(&cli->term, "%s failed: %s", cli->words[0],
            error ? error : "it gave no reason");
        if (detail && *detail)
            er_term_note(&cli->term, ER_PLAIN, "  %s", detail);
        return ER_EXIT_FAILED;
    }
    if (!json_is_string(result))
        return er_cli_print_json(cli, er_json_text(result));
    size_t len = json_string_length(result);
    const char *text = json_string_value(result);
    er_term_out(&cli->term, text, len);
    if (len == 0 || text[len - 1] != '\n')
        er_term_outs(&cli->term, "\n");
    return ER_EXIT_DONE;
}

static int call(struct er_cli *cli, const char *args)
{
    struct errand_error err = {0};
    char *text = NULL;
    int status = er_cli_open(cli);
    if (status)
        return status;
    const char *const named[] = {cli->words[0], NULL};
    status = er_granter_run(cli, named, true);
    if (status)
        return status;
    struct er_tracer t = {.term = &cli->term,
        .steps = cli->args.json ? json_array() : NULL};
    int rc = errand_tools_trace(cli->rt, cli->words[0], args,
        cli->args.trace ? er_trace_step : NULL, &t, &text, &err);
    json_t *report = rc ? NULL : er_json_parse(text, strlen(text),
                                     ER_JSON_LENIENT, &err);
    errand_free(text);
    if (report && cli->args.trace && t.steps)
        json_object_set(report, "trace", t.steps);
    json_decref(t.steps);
    if (!report)
        return er_cli_fail(cli, &err);
    bool ok = json_is_true(json_object_get(report, "ok"));
    if (!cli->args.json)
        status = print_result(cli, report);
    else if (er_cli_print_json(cli, er_json_text(report)) == ER_EXIT_DONE)
        status = ok ? ER_EXIT_DONE : ER_EXIT_FAILED;
    json_decref(report);
    return status;
}

int er_cmd_tools_call(struct er_cli *cli)
{
    struct errand_error err = {0};
    struct er_buf args;
    int code = ERRAND_OK;
    er_buf_init(&args, ER_INPUT_MAX + 1);
    if (cli->n_words < 2)
        er_buf_adds(&args, "{}");
    else if (strcmp(cli->words[1], "-") == 0)
        code = er_input_stdin(cli, &args, &err);
    else
        er_buf_adds(&args, cli->words[1]);
    int status =
        code ? er_cli_fail(cli, &err) : call(cli, er_buf_str(&args));
    er_buf_release(&args);
    return status;
}

/* ------------------------------------------------------------------- new */

static const char template[] =
    "-- %s: say here what it is for. `errand tools check` reads this file,\n"
    "-- `errand tools call %s '{\"text\": \"hello\"}'` runs it.\n"
    "return {\n"
    "  name = \"%s\",\n"
    "  description = \"Repeat a text\", -- what the model reads\n"
    "  parameters = {                 -- JSON Schema of the arguments\n"
    "    type = \"object\",\n"
    "    properties = {\n"
    "      text = { type = \"string\", description = \"what to repeat\" },\n"
    "    },\n"
    "    required = { \"text\" },\n"
    "  },\n"
    "  -- pure, read, idempotent, keyed or unsafe: may it run twice?\n"
    "  effect = \"pure\",\n"
    "  run = function(args, ctx)\n"
    "    return args.text\n"
    "  end,\n"
    "  -- `errand tools check` runs these: calls, and what they give\n"
    "  examples = {\n"
    "    { arguments = { text = \"hello\" }, result = \"hello\" },\n"
    "    { arguments = {}, error = \"text\" },\n"
    "  },\n"
    "}\n";

int er_cmd_tools_new(struct er_cli *cli)
{
    struct errand_error err = {0};
    const char *name = cli->words[0];
    const char *dir = cli->args.dir ? cli->args.dir : "tools";
    struct er_buf text, path;
    if (!er_cli_is_name(name))
        return er_cli_usage(cli, "\"%.80s\" cannot name a tool: use 1 to 64 "
            "letters, digits, _ and -", name);
    if (cli->args.c_source)
        return er_cli_new_plugin(cli, name);
    er_buf_init(&text, 1 << 16);
    er_buf_addf(&text, template, name, name, name);
    int rc = er_cli_new_file(cli, dir, name, "lua", &text, &path, &err);
    if (rc == ERRAND_OK)
        er_term_note(&cli->term, ER_DIM, "edit it, then: errand tools check %s",
            er_buf_str(&path));
    er_buf_release(&text);
    er_buf_release(&path);
    return rc == ERRAND_OK ? ER_EXIT_DONE : er_cli_fail(cli, &err);
}
