/* errand agents: see, test and start agents. */
#include "cli.h"
#include "new_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *or_empty(const char *text) { return text ? text : ""; }

/* ------------------------------------------------------------------ list */

static void show_row(struct er_cli *cli, const json_t *agent)
{
    const json_t *problem = json_object_get(agent, "problem");
    const char *about = or_empty(er_json_str(agent, "description"));
    bool script = json_is_true(json_object_get(agent, "script"));
    er_term_outf(&cli->term, "%-20s ", or_empty(er_json_str(agent, "name")));
    if (problem)
        er_term_outf(&cli->term, "(wrong) %s:%lld: %s\n",
            or_empty(er_json_str(agent, "path")),
            (long long)er_json_int(problem, "line", 0),
            or_empty(er_json_str(problem, "message")));
    else
        er_term_outf(&cli->term, "%-8s %.*s\n", script ? "script" : "",
            (int)strcspn(about, "\r\n"), about);
}

int er_cmd_agents_list(struct er_cli *cli)
{
    struct errand_error err = {0};
    char *text = NULL;
    int status = er_cli_open(cli);
    if (status)
        return status;
    if (errand_agents_list(cli->rt, &text, &err))
        return er_cli_fail(cli, &err);
    if (cli->args.json)
        return er_cli_print_json(cli, text);
    json_t *agents = er_cli_answer(cli, text), *agent;
    size_t i;
    if (!agents)
        return ER_EXIT_FAILED;
    json_array_foreach(agents, i, agent)
        show_row(cli, agent);
    if (json_array_size(agents) == 0)
        er_term_note(&cli->term, ER_PLAIN, "there are no agents; errand "
            "agents new NAME writes one to start from");
    json_decref(agents);
    return ER_EXIT_DONE;
}

/* ------------------------------------------------------------------ show */

static bool is_required(const json_t *schema, const char *key)
{
    size_t i;
    json_t *name;
    json_array_foreach(json_object_get(schema, "required"), i, name)
        if (strcmp(or_empty(json_string_value(name)), key) == 0)
            return true;
    return false;
}

/* "  folder  text  (docs)  what it is" for each parameter. */
static void show_parameters(struct er_cli *cli, const json_t *schema)
{
    const char *key;
    json_t *p, *properties = json_object_get(schema, "properties");
    if (json_object_size(properties) == 0) {
        er_term_outs(&cli->term, "parameters   none\n");
        return;
    }
    er_term_outs(&cli->term, "parameters   (-p NAME=VALUE)\n");
    json_object_foreach(properties, key, p) {
        const char *type = er_json_str(p, "type");
        const json_t *value = json_object_get(p, "default");
        char *text = value ? er_json_text(value) : NULL;
        er_term_outf(&cli->term, "  %-16s %-8s %s%s%s%s\n", key,
            type ? type : "any",
            is_required(schema, key) ? "(must be given) " : "",
            text ? text : "", text ? "  " : "",
            or_empty(er_json_str(p, "description")));
        free(text);
    }
}

static void show_agent(struct er_cli *cli, const json_t *agent)
{
    static const char *const rows[] = {"name", "description", "path",
        "model", "system", "prompt"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *value = er_json_str(agent, rows[i]);
        if (value && *value)
            er_term_outf(&cli->term, "%-12s %s\n", rows[i], value);
    }
    bool script = json_is_true(json_object_get(agent, "script"));
    er_term_outf(&cli->term, "%-12s %s\n", "script", script ? "yes" : "no");
    const json_t *tools = json_object_get(agent, "tools"), *name;
    size_t i;
    er_term_outf(&cli->term, "%-12s", "tools");
    json_array_foreach(tools, i, name)
        er_term_outf(&cli->term, "%s%s", i ? ", " : " ",
            or_empty(json_string_value(name)));
    er_term_outs(&cli->term, json_array_size(tools) ? "\n" : " none\n");
    show_parameters(cli, json_object_get(agent, "parameters"));
}

/* ----------------------------------------------------------------- check */

/* "FILE:LINE: message", as editors read it. */
static void show_problems(struct er_cli *cli, const json_t *report)
{
    size_t i;
    json_t *p;
    json_array_foreach(json_object_get(report, "problems"), i, p) {
        long long line = er_json_int(p, "line", 0);
        er_term_outf(&cli->term, "%s:", cli->words[0]);
        if (line > 0)
            er_term_outf(&cli->term, "%lld:", line);
        er_term_outf(
            &cli->term, " %s\n", or_empty(er_json_str(p, "message")));
    }
}

/* Ask the runtime; with show, the agent is shown where it is right. */
static int check(struct er_cli *cli, bool show)
{
    struct errand_error err = {0};
    char *text = NULL;
    int status = er_cli_open(cli);
    if (status)
        return status;
    if (errand_agents_check(cli->rt, cli->words[0], &text, &err))
        return er_cli_fail(cli, &err);
    json_t *report = er_json_parse(text, strlen(text), ER_JSON_LENIENT, &err);
    bool ok = json_is_true(json_object_get(report, "ok"));
    const json_t *agent = json_object_get(report, "agent");
    errand_free(text);
    if (cli->args.json)
        er_cli_print_json(cli, er_json_text(show && ok ? agent : report));
    else if (!ok)
        show_problems(cli, report);
    else if (show)
        show_agent(cli, agent);
    else
        er_term_outf(&cli->term, "%s: ok\n", cli->words[0]);
    json_decref(report);
    return ok ? ER_EXIT_DONE : ER_EXIT_FAILED;
}

int er_cmd_agents_show(struct er_cli *cli) { return check(cli, true); }

int er_cmd_agents_check(struct er_cli *cli) { return check(cli, false); }

/* ------------------------------------------------------------------- new */

static const char template[] =
    "-- %s: say here what it is for. `errand agents check %s` reads this\n"
    "-- file, `errand run -a %s -p topic=llamas` runs it.\n"
    "return {\n"
    "  description = \"Say three things about a topic\",\n"
    "  parameters = { -- what is given with -p, as JSON Schema\n"
    "    type = \"object\",\n"
    "    properties = {\n"
    "      topic = { type = \"string\", description = \"what about\" },\n"
    "    },\n"
    "    required = { \"topic\" },\n"
    "  },\n"
    "  system = \"Answer in one sentence.\",\n"
    "  -- Without run the model is asked the prompt; with it, this decides.\n"
    "  -- Each step is stored: killed, it goes on where it was.\n"
    "  run = function(ctx, input)\n"
    "    local sides = { \"what it is\", \"where it comes from\",\n"
    "      \"what few people know\" }\n"
    "    local said = ctx.map(sides, function(side)\n"
    "      return ctx.ask(input.topic .. \": \" .. side)\n"
    "    end)\n"
    "    return table.concat(said, \"\\n\")\n"
    "  end,\n"
    "}\n";

int er_cmd_agents_new(struct er_cli *cli)
{
    struct errand_error err = {0};
    const char *name = cli->words[0];
    const char *dir = cli->args.dir ? cli->args.dir : "agents";
    struct er_buf text, path;
    if (!er_cli_is_name(name))
        return er_cli_usage(cli, "\"%.80s\" cannot name an agent: use 1 to "
            "64 letters, digits, _ and -", name);
    er_buf_init(&text, 1 << 16);
    er_buf_addf(&text, template, name, name, name);
    int rc = er_cli_new_file(cli, dir, name, "lua", &text, &path, &err);
    if (rc == ERRAND_OK)
        er_term_note(&cli->term, ER_DIM,
            "edit it, then: errand agents check %s", er_buf_str(&path));
    er_buf_release(&text);
    er_buf_release(&path);
    return rc == ERRAND_OK ? ER_EXIT_DONE : er_cli_fail(cli, &err);
}
