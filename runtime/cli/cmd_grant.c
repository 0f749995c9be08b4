/* errand tools grant, revoke. */
#include "cli.h"

#include <string.h>

int er_cmd_tools_grant(struct er_cli *cli)
{
    struct errand_error err = {0};
    int status = er_cli_open(cli);
    for (int i = 0; i < cli->n_words && !status; i++) {
        if (errand_tools_grant(cli->rt, cli->words[i], 0, &err))
            status = er_cli_fail(cli, &err);
        else
            er_term_note(&cli->term, ER_DIM, "granted, until its file "
                "changes: %s", cli->words[i]);
    }
    return status;
}

int er_cmd_tools_revoke(struct er_cli *cli)
{
    struct errand_error err = {0};
    int status = er_cli_open(cli);
    for (int i = 0; i < cli->n_words && !status; i++) {
        if (errand_tools_revoke(cli->rt, cli->words[i], &err))
            status = er_cli_fail(cli, &err);
        else
            er_term_note(
                &cli->term, ER_DIM, "taken back: %s", cli->words[i]);
    }
    return status;
}
