/* errand help, errand version. */
#include "help.h"

#include <string.h>

int er_cmd_version(struct er_cli *cli)
{
    er_term_outf(&cli->term, "errand %s\n", ERRAND_VERSION);
    if (strcmp(errand_version(), ERRAND_VERSION) != 0)
        er_term_outf(&cli->term, "library %s\n", errand_version());
    return ER_EXIT_DONE;
}

int er_cmd_help(struct er_cli *cli)
{
    int used = 0;
    if (cli->args.completion) {
        er_complete(cli, cli->args.completion);
        return ER_EXIT_DONE;
    }
    if (cli->args.table) {
        er_help_table(cli);
        return ER_EXIT_DONE;
    }
    if (cli->n_words == 0) {
        er_help_overview(cli, NULL);
        return ER_EXIT_DONE;
    }
    const struct er_command *cmd =
        er_command_find(cli->n_words, cli->words, &used);
    if (cmd && used == cli->n_words) {
        er_help_command(cli, cmd);
        return ER_EXIT_DONE;
    }
    if (cli->n_words == 1 && er_command_is_family(cli->words[0])) {
        er_help_overview(cli, cli->words[0]);
        return ER_EXIT_DONE;
    }
    return er_help_unknown(cli, cli->n_words, cli->words);
}
