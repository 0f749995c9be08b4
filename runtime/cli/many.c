/* Keeping many runs under way. */
#include "many.h"

#include "base/clock.h"
#include "signals.h"

#include <stdio.h>
#include <stdlib.h>

enum { TICK_MS = 50, STRIKES = 3 };

static void push(struct er_many *m, struct er_job *job)
{
    *m->last = job;
    m->last = &job->next;
}

void er_many_event(void *user, const struct errand_event *ev)
{
    struct er_job *job = user;
    if (job->outcome.ended)
        return;
    er_outcome_event(&job->outcome, ev);
    if (!job->outcome.ended)
        return;
    push(job->many, job);
    errand_stop(job->many->cli->rt);
}

/* Start one more. False if there is none, or no memory for it. */
static bool start_one(struct er_many *m, struct errand_error *err)
{
    struct er_job *job = calloc(1, sizeof *job);
    if (!job) {
        er_nomem(err);
        return false;
    }
    job->many = m;
    job->index = m->started;
    er_outcome_init(&job->outcome);
    int got = m->source.start(m->source.ctx, job);
    if (got == 0) {
        m->exhausted = true;
        er_outcome_release(&job->outcome);
        free(job);
        return false;
    }
    m->started++;
    m->active++;
    if (got < 0)
        push(m, job);
    return true;
}

/* Hand back what ended; true if anything did. */
static bool reap(struct er_many *m)
{
    struct er_job *job = m->first;
    m->first = NULL;
    m->last = &m->first;
    bool any = job != NULL;
    while (job) {
        struct er_job *next = job->next;
        m->active--;
        m->done += job->outcome.type == ERRAND_EV_DONE;
        m->failed += job->outcome.type == ERRAND_EV_FAILED;
        m->paused += job->outcome.type == ERRAND_EV_PAUSED;
        m->source.ended(m->source.ctx, job);
        er_outcome_release(&job->outcome);
        free(job);
        job = next;
    }
    return any;
}

/* "[#####.....] 120/300 requests, 2 failed, 8 under way, 14 s" */
static void draw(struct er_many *m)
{
    enum { BAR = 20 };
    char bar[BAR + 4] = "";
    int64_t ended = m->done + m->failed + m->paused;
    int64_t seconds = (er_mono_ms() - m->begun_ms) / 1000;
    char total[24] = "";
    if (m->total > 0) {
        int full = (int)(ended * BAR / (m->total > ended ? m->total : ended));
        bar[0] = '[';
        for (int i = 0; i < BAR; i++)
            bar[1 + i] = i < full ? '#' : '.';
        bar[BAR + 1] = ']';
        bar[BAR + 2] = ' ';
        snprintf(total, sizeof total, "/%lld", (long long)m->total);
    }
    er_term_progress(&m->cli->term,
        "%s%lld%s %s, %lld failed, %lld under way, %lld s", bar,
        (long long)ended, total, m->what, (long long)m->failed,
        (long long)m->active, (long long)seconds);
}

/* One turn: start, drive, hand back. False when all is over. */
static bool turn(struct er_many *m, int *strikes, struct errand_error *err)
{
    m->interrupted = m->interrupted || er_signals_came();
    while (!m->exhausted && !m->interrupted && m->active < m->limit)
        if (!start_one(m, err))
            break;
    if (err->code)
        m->interrupted = true;
    if (reap(m))
        return true;
    if (m->active == 0)
        return !m->exhausted && !m->interrupted;
    struct errand_error driving = {0};
    int code = errand_drive(m->cli->rt, TICK_MS, &driving);
    draw(m);
    er_term_tick(&m->cli->term);
    *strikes = code == ERRAND_OK && !m->first ? *strikes + 1 : 0;
    if (code != ERRAND_OK && code != ERRAND_TIMEOUT)
        *err = driving;
    else if (*strikes >= STRIKES)
        er_fail(err, ERRAND_BUG,
            "the loop ended and %lld runs did not; errand resume goes on "
            "with them", (long long)m->active);
    return err->code == 0 || m->active == 0;
}

int er_many_run(struct er_many *m)
{
    struct errand_error err = {0};
    int strikes = 0;
    m->last = &m->first;
    m->begun_ms = er_mono_ms();
    er_signals_watch(ER_SIGNAL_RUN, m->cli->rt);
    while (turn(m, &strikes, &err))
        continue;
    bool stopped = er_signals_came();
    er_signals_unwatch();
    er_term_clear(&m->cli->term);
    if (err.code) {
        er_cli_close(m->cli); /* the last events come now */
        reap(m);
        return er_cli_fail(m->cli, &err);
    }
    if (stopped)
        return ER_EXIT_INTERRUPTED;
    if (m->failed > 0)
        return ER_EXIT_FAILED;
    return m->paused > 0 ? ER_EXIT_PAUSED : ER_EXIT_DONE;
}
