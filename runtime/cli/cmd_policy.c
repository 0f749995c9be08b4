/* errand policy: which rules there are, and what they do. */
#include "cli.h"
#include "request.h"

#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = er_json_str(object, key);
    return text ? text : "";
}

int er_cmd_policy_list(struct er_cli *cli)
{
    struct errand_error err = {0};
    char *text = NULL;
    int status = er_cli_open(cli);
    if (status)
        return status;
    if (errand_policy_list(cli->rt, &text, &err))
        return er_cli_fail(cli, &err);
    if (cli->args.json)
        return er_cli_print_json(cli, text);
    json_t *rows = er_cli_answer(cli, text), *row;
    size_t i;
    if (!rows)
        return ER_EXIT_FAILED;
    json_array_foreach(rows, i, row)
        er_term_outf(&cli->term, "%-6s %-14s %s\n", text_of(row, "kind"),
            text_of(row, "from"), text_of(row, "rule"));
    if (json_array_size(rows) == 0)
        er_term_note(&cli->term, ER_PLAIN,
            "there are no rules; docs/policy.md says what they can be");
    json_decref(rows);
    return ER_EXIT_DONE;
}

/* --approve, --ask, --deny, --tainted as options; caller frees. */
static char *options_of(const struct er_args *args)
{
    json_t *o = json_object();
    json_object_set_new(o, "policy", er_request_policy(args));
    json_object_set_new(o, "tainted", json_boolean(args->tainted));
    char *text = o ? er_json_text(o) : NULL;
    json_decref(o);
    return text;
}

int er_cmd_policy_check(struct er_cli *cli)
{
    struct errand_error err = {0};
    const char *args = cli->n_words > 1 ? cli->words[1] : "{}";
    char *text = NULL;
    int status = er_cli_open(cli);
    if (status)
        return status;
    char *options = options_of(&cli->args);
    int code = errand_policy_check(
        cli->rt, cli->words[0], args, options, &text, &err);
    free(options);
    if (code)
        return er_cli_fail(cli, &err);
    if (cli->args.json)
        return er_cli_print_json(cli, text);
    json_t *answer = er_cli_answer(cli, text);
    if (!answer)
        return ER_EXIT_FAILED;
    er_term_outf(&cli->term, "%s: %s\n", text_of(answer, "decision"),
        text_of(answer, "why"));
    json_decref(answer);
    return ER_EXIT_DONE;
}

int er_cmd_policy_forget(struct er_cli *cli)
{
    struct errand_error err = {0};
    int status = er_cli_open(cli);
    if (status)
        return status;
    if (errand_policy_forget(cli->rt, cli->words[0], &err))
        return er_cli_fail(cli, &err);
    er_term_note(&cli->term, ER_DIM, "forgotten: it is asked about again");
    return ER_EXIT_DONE;
}
