/* --grant, and the question in the terminal. */
#include "granter.h"

#include "asker.h"
#include "base/text.h"
#include "input.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int grant_flags(struct er_cli *cli)
{
    struct errand_error err = {0};
    int code = ERRAND_OK;
    for (size_t i = 0; i < cli->args.grant.n && !code; i++) {
        char *names = er_strdup(cli->args.grant.v[i]), *rest = names, *name;
        while (!code && (name = strsep(&rest, ",")))
            if (*name)
                code = errand_tools_grant(cli->rt, name, 1, &err);
        free(names);
    }
    return code ? er_cli_fail(cli, &err) : ER_EXIT_DONE;
}

static bool is_wanted(const char *const *tools, const char *name)
{
    for (size_t i = 0; tools && tools[i]; i++)
        if (strcmp(tools[i], "*") == 0 || strcmp(tools[i], name) == 0)
            return true;
    return false;
}

static void show(struct er_cli *cli, const json_t *tool, const char *name)
{
    struct er_term *t = &cli->term;
    const char *path = er_json_str(tool, "path"), *key;
    json_t *v;
    er_term_note(t, ER_BOLD, "The tool %s (%s) asks for:", name,
        path ? path : "no file");
    json_object_foreach(json_object_get(tool, "permissions"), key, v)
    {
        struct er_buf b;
        er_buf_init(&b, 1 << 20);
        er_asker_show_value(&b, v);
        er_term_note(t, ER_PLAIN, "    %-8s %s", key, er_buf_str(&b));
        er_buf_release(&b);
    }
}

/* y: once, a: always, n: not. False: no more questions. */
static bool ask_about(struct er_cli *cli, const json_t *tool)
{
    static const char prompt[] =
        "  y for now, a always (until the file changes), n no > ";
    const char *name = er_json_str(tool, "name");
    struct errand_error err = {0};
    char line[32] = "";
    show(cli, tool, name);
    er_term_aside(&cli->term, ER_BOLD, prompt, sizeof prompt - 1);
    if (!fgets(line, sizeof line, stdin))
        return false;
    if (line[0] != 'y' && line[0] != 'a')
        return true;
    if (errand_tools_grant(cli->rt, name, line[0] == 'y', &err))
        er_cli_fail(cli, &err);
    return true;
}

static int ask_person(struct er_cli *cli, const char *const *tools)
{
    struct errand_error err = {0};
    char *text = NULL;
    size_t i;
    json_t *list, *tool;
    if (errand_tools_list(cli->rt, &text, &err))
        return er_cli_fail(cli, &err);
    list = er_cli_answer(cli, text);
    json_array_foreach(list, i, tool)
    {
        const char *name = er_json_str(tool, "name");
        if (!json_is_true(json_object_get(tool, "granted")) && name &&
            is_wanted(tools, name) && !ask_about(cli, tool))
            break;
    }
    json_decref(list);
    return ER_EXIT_DONE;
}

int er_granter_run(struct er_cli *cli, const char *const *tools, bool ask)
{
    int status = grant_flags(cli);
    if (status || !ask || !tools || !tools[0])
        return status;
    if (!cli->term.err_tty || er_input_is_piped())
        return ER_EXIT_DONE;
    return ask_person(cli, tools);
}
