/* Many runs at once: starts them, a few under way, in the order they come.
 *
 * New runs are started between two turns of the loop, never from inside an
 * event. An interrupt ends the starting; what is under way pauses and can be
 * resumed.
 */
#ifndef ERRAND_CLI_MANY_H
#define ERRAND_CLI_MANY_H

#include "cli.h"
#include "outcome.h"

struct er_many;

struct er_job {
    struct er_many *many;
    struct er_job *next; /* the one that ended after it */
    int64_t index;       /* in the order of starting, from 0 */
    struct er_outcome outcome;
    void *data; /* the source's own */
};

/* Where jobs come from and go to. */
struct er_many_source {
    /* Start the next: 1 started (its events go to er_many_event with the
     * job), 0 there are no more, -1 it was refused (the outcome says why)
     * and counts as ended. */
    int (*start)(void *ctx, struct er_job *job);
    /* A job ended. The job is freed afterwards. */
    void (*ended)(void *ctx, struct er_job *job);
    void *ctx;
};

struct er_many {
    struct er_cli *cli;
    struct er_many_source source;
    const char *what;      /* "requests", for the progress line */
    int64_t limit;         /* under way at once */
    int64_t total;         /* 0: not known */
    int64_t active, started, done, failed, paused;
    int64_t begun_ms;
    bool exhausted;         /* the source has no more */
    bool interrupted;       /* start no more */
    struct er_job *first, **last; /* ended, not yet handed back */
};

/* See all of them through, with cli, source, what, limit and total set.
 * Gives the exit status: 130 if interrupted, 1 if any failed, 3 if any
 * paused. */
int er_many_run(struct er_many *m);

/* An errand_event_fn; user is the job. */
void er_many_event(void *user, const struct errand_event *ev);

#endif
