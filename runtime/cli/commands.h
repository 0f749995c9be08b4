/* The commands: one table that main, help, completions and tests read. */
#ifndef ERRAND_CLI_COMMANDS_H
#define ERRAND_CLI_COMMANDS_H

#include "options.h"

#include <stddef.h>

struct er_cli;

enum { ER_COMMAND_GROUPS = 8 };

struct er_command {
    const char *name;    /* "run", "tools list" */
    const char *words;   /* what follows it, as the usage line shows it */
    const char *summary; /* one line */
    const char *detail;  /* further text for its help, wrapped there; or
                            NULL */
    const char *examples; /* lines to try, each ended by \n; or NULL */
    int min_words, max_words; /* max -1: as many as one likes */
    const struct er_opt_group *groups[ER_COMMAND_GROUPS];
    int (*run)(struct er_cli *cli); /* gives the exit status */
};

/* All commands; families ("tools", "log", "debug") stand together. */
const struct er_command *er_commands(size_t *n);

/* The command that argv[0..argc) begins with; *used gets 1 or 2. NULL if
 * there is none. */
const struct er_command *er_command_find(
    int argc, char *const *argv, int *used);

/* True if commands of this family exist: "tools list" makes "tools" one. */
bool er_command_is_family(const char *name);

/* The nearest command to a wrong name; NULL if none is near. family: NULL,
 * or the family it should be in; then the name within it is returned. */
const char *er_command_similar(const char *family, const char *wrong);

/* The first command with this second word ("search": "log search"), NULL if
 * there is none. */
const char *er_command_within(const char *word);

int er_cmd_run(struct er_cli *cli);
int er_cmd_chat(struct er_cli *cli);
int er_cmd_resume(struct er_cli *cli);
int er_cmd_batch(struct er_cli *cli);
int er_cmd_tools_list(struct er_cli *cli);
int er_cmd_tools_show(struct er_cli *cli);
int er_cmd_tools_check(struct er_cli *cli);
int er_cmd_tools_call(struct er_cli *cli);
int er_cmd_tools_new(struct er_cli *cli);
int er_cmd_index(struct er_cli *cli);
int er_cmd_search(struct er_cli *cli);
int er_cmd_agents_list(struct er_cli *cli);
int er_cmd_agents_show(struct er_cli *cli);
int er_cmd_agents_check(struct er_cli *cli);
int er_cmd_agents_new(struct er_cli *cli);
int er_cmd_log_list(struct er_cli *cli);
int er_cmd_log_show(struct er_cli *cli);
int er_cmd_log_search(struct er_cli *cli);
int er_cmd_log_export(struct er_cli *cli);
int er_cmd_log_fork(struct er_cli *cli);
int er_cmd_log_resolve(struct er_cli *cli);
int er_cmd_log_rm(struct er_cli *cli);
int er_cmd_tools_grant(struct er_cli *cli);
int er_cmd_tools_revoke(struct er_cli *cli);
int er_cmd_policy_list(struct er_cli *cli);
int er_cmd_policy_check(struct er_cli *cli);
int er_cmd_policy_forget(struct er_cli *cli);
int er_cmd_doctor(struct er_cli *cli);
int er_cmd_debug_parse(struct er_cli *cli);
int er_cmd_debug_schema(struct er_cli *cli);
int er_cmd_debug_grammar(struct er_cli *cli);
int er_cmd_debug_render(struct er_cli *cli);
int er_cmd_debug_tokenize(struct er_cli *cli);
int er_cmd_debug_logits(struct er_cli *cli);
int er_cmd_models_list(struct er_cli *cli);
int er_cmd_models_info(struct er_cli *cli);
int er_cmd_models_bench(struct er_cli *cli);
int er_cmd_models_pull(struct er_cli *cli);
int er_cmd_version(struct er_cli *cli);
int er_cmd_help(struct er_cli *cli);

#endif
