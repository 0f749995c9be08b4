/* The thread and its rounds. */
#include "model/local_host.h"

#include "base/text.h"
#include "engine/memory.h"
#include "model/local_adapters.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum {
    PIECE = 256,      /* tokens of a prompt that are read in one round */
    PIECE_BESIDE = 64 /* the same, while answers are being written */
};

struct er_host {
    char *path;
    struct er_local_settings settings;
    pthread_t thread;
    pthread_mutex_t lock; /* of what stands up to the next line */
    pthread_cond_t news;
    struct er_job *first, **last; /* the queue */
    bool stop, failed;
    struct errand_error why; /* failed: what loading said */
    /* --- the thread's own */
    struct er_voice voice;
    struct er_warm *warm;
    struct er_adapters adapters;
    struct er_job *waiting, **waiting_last;
    struct er_job *active[ER_PARALLEL_MAX];
    size_t n_active;
    uint64_t room;  /* tokens that timelines under way may have */
    uint64_t taken; /* by them */
};

/* ------------------------------------------------------------- the queue */

static void push(struct er_job ***last, struct er_job *j)
{
    j->next = NULL;
    **last = j;
    *last = &j->next;
}

static struct er_job *pop(struct er_job **first, struct er_job ***last)
{
    struct er_job *j = *first;
    *first = j->next;
    if (!*first)
        *last = first;
    j->next = NULL;
    return j;
}

static void finish(struct er_job *j, const struct errand_error *why)
{
    if (why)
        er_job_fail(j, why);
    else
        er_job_end(j);
    er_job_free(j);
}

/* ------------------------------------------------------------- letting in */

static uint64_t need_of(const struct er_job *j)
{
    return j->prompt.n + j->limit;
}

/* Beside one full context, which was reckoned with when the model was loaded,
 * timelines under way may take a quarter of what memory there is, and those
 * that are kept warm another. */
static void find_room(struct er_host *h)
{
    struct er_local_info info;
    er_local_info(h->voice.model, &info);
    uint64_t each = info.cache_bytes / info.context + 1;
    uint64_t there = er_memory_available();
    h->room = info.context;
    if (there != UINT64_MAX)
        h->room += there / 4 / each;
    else
        h->room *= 4;
}

static int let_in(struct er_host *h, struct er_job *j,
    struct errand_error *err)
{
    struct er_warm_adapters with = {0};
    int rc = er_adapters_find(
        &h->adapters, h->voice.model, j->ask.sampling.lora, &with, err);
    return rc ? rc : er_job_begin(j, h->warm, &with, err);
}

/* Prompts are read one after the other, so that each finds what the one
 * before has in common with it: nobody is let in while one is read. */
static void let_next_in(struct er_host *h)
{
    struct errand_error err = {0};
    for (size_t i = 0; i < h->n_active; i++)
        if (er_job_is_reading(h->active[i]))
            return;
    while (h->waiting && h->n_active < h->settings.parallel) {
        struct er_job *j = h->waiting;
        int rc = er_job_is_left(j) ? ERRAND_CANCELLED : ERRAND_OK;
        if (rc == ERRAND_OK && !j->v)
            rc = er_job_prepare(j, &h->voice, &err);
        if (rc == ERRAND_OK && h->n_active > 0 &&
            h->taken + need_of(j) > h->room)
            return;
        pop(&h->waiting, &h->waiting_last);
        if (rc == ERRAND_OK)
            rc = let_in(h, j, &err);
        if (rc != ERRAND_OK) {
            finish(j, &err);
            continue;
        }
        h->taken += need_of(j);
        h->active[h->n_active++] = j;
        return;
    }
}

/* ------------------------------------------------------------- the rounds */

/* Answer i is over; why: what went wrong, or NULL. */
static void let_out(
    struct er_host *h, size_t i, const struct errand_error *why)
{
    struct er_job *j = h->active[i];
    h->taken -= need_of(j);
    er_warm_return(h->warm, j->line);
    j->line = NULL;
    finish(j, why);
    h->n_active--;
    memmove(&h->active[i], &h->active[i + 1],
        (h->n_active - i) * sizeof h->active[0]);
}

static void drop_left(struct er_host *h)
{
    struct errand_error err = {.code = ERRAND_CANCELLED};
    for (size_t i = h->n_active; i-- > 0;)
        if (er_job_is_left(h->active[i]))
            let_out(h, i, &err);
}

/* What was read of a long prompt is written at once if nobody waits: the
 * next process has use for it, whatever becomes of this one. */
static void read_on(struct er_host *h)
{
    struct errand_error err = {0};
    for (size_t i = 0; i < h->n_active; i++) {
        struct er_job *j = h->active[i];
        bool over = false;
        if (!er_job_is_reading(j))
            continue;
        int rc = er_job_read(
            j, h->n_active > 1 ? PIECE_BESIDE : PIECE, &over, &err);
        if (!rc && !er_job_is_reading(j) && h->n_active == 1 &&
            !h->waiting && er_warm_wants(h->warm, j->line))
            er_warm_keep(h->warm, j->line, er_job_common(j));
        if (rc || over)
            let_out(h, i, rc ? &err : NULL);
        return;
    }
}

/* Put what was chosen into the timelines: single tokens in one step. */
static void append_all(struct er_host *h)
{
    er_session *sessions[ER_PARALLEL_MAX];
    int32_t ids[ER_PARALLEL_MAX];
    struct er_job *jobs[ER_PARALLEL_MAX];
    struct errand_error err = {0};
    size_t n = 0;
    for (size_t i = h->n_active; i-- > 0;) {
        struct er_job *j = h->active[i];
        if (er_job_is_reading(j))
            continue;
        if (j->next_ids.n > 1) {
            if (er_job_append(j, &err) != ERRAND_OK)
                let_out(h, i, &err);
            continue;
        }
        sessions[n] = er_warm_session(j->line);
        ids[n] = j->next_ids.ids[0];
        jobs[n++] = j;
    }
    if (n == 0)
        return;
    int rc = er_session_step(sessions, ids, n, NULL, &err);
    for (size_t i = 0; i < n && rc == ERRAND_OK; i++)
        er_job_stepped(jobs[i]);
    for (size_t i = h->n_active; i-- > 0 && rc != ERRAND_OK;)
        if (h->active[i]->next_ids.n == 1)
            let_out(h, i, &err);
}

static void choose_all(struct er_host *h)
{
    struct errand_error err = {0};
    for (size_t i = h->n_active; i-- > 0;) {
        struct er_job *j = h->active[i];
        bool over = false;
        if (er_job_is_reading(j) || j->next_ids.n > 0)
            continue;
        int rc = er_job_choose(j, &over, &err);
        if (rc != ERRAND_OK || over)
            let_out(h, i, rc ? &err : NULL);
    }
}

static void round_of(struct er_host *h)
{
    drop_left(h);
    let_next_in(h);
    read_on(h);
    drop_left(h);
    append_all(h);
    choose_all(h);
}

/* ------------------------------------------------------------- the thread */

/* Take what came; wait if there is nothing to do. False: stop. */
static bool take_news(struct er_host *h)
{
    bool idle = h->n_active == 0 && !h->waiting;
    pthread_mutex_lock(&h->lock);
    while (idle && !h->first && !h->stop) {
        pthread_mutex_unlock(&h->lock);
        bool kept = er_warm_keep_one(h->warm);
        pthread_mutex_lock(&h->lock);
        if (!kept && !h->first && !h->stop)
            pthread_cond_wait(&h->news, &h->lock);
    }
    while (h->first)
        push(&h->waiting_last, pop(&h->first, &h->last));
    bool go_on = !h->stop;
    pthread_mutex_unlock(&h->lock);
    return go_on;
}

static void fail_waiting(struct er_host *h, const struct errand_error *why)
{
    while (h->waiting)
        finish(pop(&h->waiting, &h->waiting_last), why);
    while (h->n_active > 0)
        let_out(h, h->n_active - 1, why);
}

static int load(struct er_host *h, struct errand_error *err)
{
    const struct er_local_settings *s = &h->settings;
    struct er_local_options opt = {.threads = s->threads,
        .context = s->context, .cache = s->cache};
    int rc = er_voice_init(&h->voice, h->path, &opt, err);
    if (rc != ERRAND_OK)
        return rc;
    find_room(h);
    struct er_warm_options w = {.folder = s->prefix_folder,
        .max_bytes = s->prefix_bytes, .max_tokens = h->room};
    h->warm = er_warm_new(h->voice.model, &w);
    return h->warm ? ERRAND_OK : er_nomem(err);
}

/* From now on er_host_submit refuses. */
static void give_up(struct er_host *h, const struct errand_error *why)
{
    pthread_mutex_lock(&h->lock);
    h->failed = true;
    while (h->first)
        push(&h->waiting_last, pop(&h->first, &h->last));
    pthread_mutex_unlock(&h->lock);
    fail_waiting(h, why);
}

static void *run(void *arg)
{
    struct er_host *h = arg;
    struct errand_error err = {0};
    if (load(h, &err) != ERRAND_OK) {
        give_up(h, &err);
    } else {
        while (take_news(h))
            round_of(h);
        er_fail(&err, ERRAND_CANCELLED, "the model was stopped");
        fail_waiting(h, &err);
        er_warm_keep_one(h->warm);
    }
    er_warm_free(h->warm);
    er_adapters_release(&h->adapters);
    er_voice_release(&h->voice);
    return NULL;
}

/* ------------------------------------------------------------------ life */

static int copy_settings(struct er_local_settings *to,
    const struct er_local_settings *from)
{
    *to = *from;
    to->prefix_folder = er_strdup(from->prefix_folder);
    return from->prefix_folder && !to->prefix_folder ? ERRAND_NOMEM
                                                     : ERRAND_OK;
}

/* Signals are the main thread's. */
static int start(struct er_host *h)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int rc = pthread_create(&h->thread, NULL, run, h);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

static void discard(struct er_host *h)
{
    er_local_settings_release(&h->settings);
    free(h->path);
    free(h);
}

int er_host_new(const char *path, const struct er_local_settings *settings,
    struct er_job *first, struct er_host **out, struct errand_error *err)
{
    struct er_host *h = calloc(1, sizeof *h);
    if (!h)
        return er_nomem(err);
    h->last = &h->first;
    h->waiting_last = &h->waiting;
    h->path = er_strdup(path);
    if (copy_settings(&h->settings, settings) || !h->path) {
        discard(h);
        return er_nomem(err);
    }
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->news, NULL);
    push(&h->last, first);
    errno = start(h);
    if (errno == 0) {
        *out = h;
        return ERRAND_OK;
    }
    er_fail_errno(err, ERRAND_IO, "cannot start the engine's thread");
    discard(h);
    return ERRAND_IO;
}

void er_host_free(struct er_host *h)
{
    if (!h)
        return;
    pthread_mutex_lock(&h->lock);
    h->stop = true;
    pthread_cond_signal(&h->news);
    pthread_mutex_unlock(&h->lock);
    pthread_join(h->thread, NULL);
    pthread_cond_destroy(&h->news);
    pthread_mutex_destroy(&h->lock);
    discard(h);
}

const char *er_host_path(const struct er_host *h)
{
    return h->path;
}

bool er_host_submit(struct er_host *h, struct er_job *j)
{
    pthread_mutex_lock(&h->lock);
    bool ok = !h->failed;
    if (ok) {
        push(&h->last, j);
        pthread_cond_signal(&h->news);
    }
    pthread_mutex_unlock(&h->lock);
    return ok;
}
