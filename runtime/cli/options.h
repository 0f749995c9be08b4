/* Options: one table per command drives parsing, help and completions.
 *
 * Every value of every option lives in one struct er_args; a table row says
 * at which offset. So tables are constant, groups of options are shared
 * between commands, and nothing is allocated: texts point into argv.
 *
 * Forms     --name VALUE, --name=VALUE, -nVALUE, -n VALUE, -abc for flags;
 *           -- ends the options; options may stand between words. A flag is
 *           undone by its opposite: --stream after --no-stream.
 * Unknown   an error that names the nearest option. No abbreviations: a
 *           script must not break when an option is added.
 */
#ifndef ERRAND_CLI_OPTIONS_H
#define ERRAND_CLI_OPTIONS_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ER_LIST_MAX = 64 };

/* An option that may be given again and again. */
struct er_list {
    size_t n;
    const char *v[ER_LIST_MAX + 1]; /* ended by NULL */
};

/* Numbers: 0 is "not given", but at and prefix_bytes, which are -1. */
struct er_args {
    /* runtime */
    const char *store, *config, *sync, *record, *replay;
    struct er_list tools_dirs, plugins, plugins_dirs;
    int no_config;
    /* request */
    const char *model, *conversation, *system, *schema, *tool_choice;
    const char *functions; /* FILE */
    const char *agent;
    const char *key, *on_unknown;
    struct er_list tools, files, params;
    int last, no_stream, prompt_form;
    /* budgets */
    int64_t max_turns, max_calls, max_tokens_total, max_seconds;
    double max_cost;
    /* policy */
    struct er_list approve, ask, deny, grant;
    int wait_approval, tainted, trace;
    /* output */
    int json, events, quiet, verbose, help;
    /* of single commands */
    const char *output, *state, *format, *draft, *dir, *completion;
    const char *sha256;
    int tree, html; /* how a run is drawn */
    int all, done, not_done, accept, refuse, yes, jsonl, formats, table;
    int special, exact, c_source;
    int64_t jobs, limit, at, context;
    int64_t prompt_tokens, answer_tokens, rounds, threads;
    const char *collection, *path, *kind; /* documents */
    int list, remove, again, hidden, answer;
    int64_t per_document;
    struct er_list loras;
    /* local models */
    const char *kv;
    int64_t prefix_bytes; /* -1: not given */
};

enum er_opt_kind {
    ER_OPT_FLAG = 0,   /* int */
    ER_OPT_TEXT = 1,   /* const char * */
    ER_OPT_FILE = 2,   /* const char *; completed as a file's name */
    ER_OPT_CHOICE = 3, /* const char *, one of those in arg: "a|b" */
    ER_OPT_INT = 4,    /* int64_t within [min, max] */
    ER_OPT_REAL = 5,   /* double > 0 */
    ER_OPT_LIST = 6,   /* struct er_list */
    ER_OPT_FILES = 7,  /* struct er_list of files' names */
};

struct er_opt {
    const char *name; /* long name, as the help shows it; NULL ends a table */
    char letter;      /* or 0 */
    enum er_opt_kind kind;
    size_t offset;    /* into struct er_args */
    const char *arg;  /* what stands for the value in the help */
    const char *help;
    int64_t min, max; /* of ER_OPT_INT */
};

/* Options that belong together; several commands may have them. */
struct er_opt_group {
    const char *title;
    const struct er_opt *options;
};

struct er_command;

/* Everything "not given". */
void er_args_init(struct er_args *args);

/* Read argv[0..argc) over *args. The words that are no options are moved to
 * the front of argv, *n_words says how many. Everything borrowed from argv.
 * Errors  USAGE, RANGE. */
int er_options_parse(const struct er_command *cmd, int argc, char **argv,
    struct er_args *args, int *n_words, struct errand_error *err);

/* Call fn for each option of a command, group by group, until it returns
 * false. */
void er_options_each(const struct er_command *cmd,
    bool (*fn)(void *ctx, const struct er_opt *opt), void *ctx);

#endif
