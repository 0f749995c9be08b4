/* What every command is given: its arguments, the terminal, the runtime. */
#ifndef ERRAND_CLI_CLI_H
#define ERRAND_CLI_CLI_H

#include "base/json.h"
#include "commands.h"
#include "term.h"

#include <errand/errand.h>

/* Exit statuses; others come from the table of errors. */
enum er_exit {
    ER_EXIT_DONE = 0,
    ER_EXIT_FAILED = 1,
    ER_EXIT_USAGE = 2,
    ER_EXIT_PAUSED = 3,
    ER_EXIT_INTERRUPTED = 130,
};

struct er_cli {
    const struct er_command *command;
    struct er_args args;
    char **words; /* those that are no options, from argv */
    int n_words;
    struct er_term term;
    errand *rt; /* NULL until er_cli_open */
    errand_debug_model *model; /* of debug commands; NULL until opened */
    bool told_bundled; /* what the model is that came with errand */
};

/* Open the runtime as the options say. 0, or the exit status after the
 * reason was said. */
int er_cli_open(struct er_cli *cli);

/* The same without saying anything. Returns an errand_code. */
int er_cli_try_open(struct er_cli *cli, struct errand_error *err);

/* Close the runtime: what still runs is interrupted and tells so through its
 * events. Harmless if none is open. */
void er_cli_close(struct er_cli *cli);

/* Say what failed; returns the exit status of its code. */
int er_cli_fail(struct er_cli *cli, const struct errand_error *err);

/* Say what is wrong with the words given; returns ER_EXIT_USAGE. */
int er_cli_usage(struct er_cli *cli, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Drive the loop until *ended or until no run is active, letting text out
 * and calling on_tick (may be NULL) every few milliseconds where somebody
 * looks on. Errors are said; returns an exit status. */
int er_cli_drive(struct er_cli *cli, const bool *ended,
    void (*on_tick)(void *ctx), void *ctx);

/* Parse JSON that the library answered, and free its text. NULL after
 * saying what failed: the caller gives back ER_EXIT_FAILED. */
json_t *er_cli_answer(struct er_cli *cli, char *text);

/* Print a JSON text as it is, with a newline, and free it; gives 0. */
int er_cli_print_json(struct er_cli *cli, char *text);

#endif
