/* Help and completions, made from the tables. */
#ifndef ERRAND_CLI_HELP_H
#define ERRAND_CLI_HELP_H

#include "cli.h"

/* The commands there are, to standard output; family: those of it alone,
 * NULL: all. */
void er_help_overview(struct er_cli *cli, const char *family);

/* Help on one command. */
void er_help_command(struct er_cli *cli, const struct er_command *cmd);

/* Commands and options as lines with tabs, for tests and scripts:
 *   command NAME WORDS SUMMARY
 *   option NAME --long -s ARG HELP     ("-" where there is none) */
void er_help_table(struct er_cli *cli);

/* The completions of a shell: bash, zsh or fish. */
void er_complete(struct er_cli *cli, const char *shell);

/* Say that there is no such command, and which is near. */
int er_help_unknown(struct er_cli *cli, int argc, char *const *argv);

#endif
