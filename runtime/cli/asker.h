/* Asking a person in the terminal whether a call may run.
 *
 * The question stands on standard error, the answer comes line by line from
 * the terminal, and the loop goes on meanwhile: other calls of the reply
 * work, leases are kept. What was typed before the question is thrown away,
 * so that nobody answers what was not shown yet.
 */
#ifndef ERRAND_CLI_ASKER_H
#define ERRAND_CLI_ASKER_H

#include "cli.h"

struct er_question; /* one call that waits */

struct er_asker {
    struct er_cli *cli;
    int fd;                    /* of the terminal; -1: nobody can be asked */
    bool opened;               /* fd is ours */
    struct er_question *first; /* the one that is asked now, then others */
    bool shown;
    struct er_buf line;        /* what was typed of the answer */
};

/* Look for a person: standard error is a terminal, and standard input or
 * /dev/tty is one. cli->rt is open. */
void er_asker_init(struct er_asker *a, struct er_cli *cli);
void er_asker_release(struct er_asker *a);
bool er_asker_is_there(const struct er_asker *a);

/* A further question. */
void er_asker_add(struct er_asker *a, const struct errand_approval *what);

/* Show what is to be asked, take what was answered; often. True if a
 * question stands on the screen. */
bool er_asker_tick(struct er_asker *a);

/* A value of arguments as a person must see it: JSON, with what a terminal
 * hides or turns round as \uXXXX. */
void er_asker_show_value(struct er_buf *out, const json_t *value);

#endif
