/* A run's events, shown: to people, as lines of JSON, or as one object.
 *
 * For people the answer's text streams to a terminal as it comes. Where
 * standard output is no terminal it holds the answer, whole, or nothing:
 * what a model says between two calls, and text that a retry made void, is
 * no part of an answer and cannot be taken back from a pipe.
 */
#ifndef ERRAND_CLI_PRINT_H
#define ERRAND_CLI_PRINT_H

#include "asker.h"
#include "cli.h"
#include "outcome.h"

struct er_printer {
    struct er_cli *cli;
    struct er_outcome outcome;
    struct er_asker asker; /* of a person, if there is one */
    struct er_buf turn;  /* text shown since the last turn of the model */
    bool turn_over;      /* the next text belongs to another turn */
    bool in_reasoning;   /* a line of reasoning was begun */
    bool waiting;        /* for the model or a tool: show a progress line */
    bool chat;           /* say less: the next prompt follows anyway */
    int64_t since_ms;    /* of the waiting */
    char doing[96];      /* what it waits for */
};

void er_printer_init(struct er_printer *p, struct er_cli *cli);
void er_printer_release(struct er_printer *p);

/* An errand_event_fn; user is the printer. */
void er_printer_event(void *user, const struct errand_event *ev);

/* For er_cli_drive: draws the progress line; ctx is the printer. */
void er_printer_tick(void *ctx);

/* Drive until the run ends, say how it ended; gives the exit status. */
int er_printer_drive(struct er_printer *p);

/* Say that the run could not even start, with --json as an object as well;
 * gives the exit status. */
int er_printer_refused(
    struct er_printer *p, const struct errand_error *err);

/* "started", "text" ... as --events names them. */
const char *er_event_name(uint32_t type);

#endif
