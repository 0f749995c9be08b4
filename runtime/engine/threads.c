/* A pool that spins, then sleeps. */
#include "engine/threads.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

enum { MAX_THREADS = 256, SPINS = 4000 };

struct helper {
    struct er_threads *pool;
    pthread_t thread;
    unsigned number;
};

struct er_threads {
    unsigned n;
    unsigned started; /* helpers */
    struct helper *helpers;
    pthread_mutex_t lock;
    pthread_cond_t wake, rest;
    /* The loop under way: set before round is raised. */
    er_piece_fn *fn;
    void *ctx;
    size_t n_pieces;
    const atomic_bool *cancel;
    atomic_size_t next;    /* the next piece that nobody has */
    atomic_uint round;     /* raised for each loop */
    atomic_uint busy;      /* helpers that have not finished this round */
    atomic_uint sleepers;  /* helpers that sleep on wake */
    atomic_bool waiting;   /* the caller sleeps on rest */
    atomic_bool quit;
};

static void breathe(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

static bool cancelled(const struct er_threads *t)
{
    return t->cancel &&
           atomic_load_explicit(t->cancel, memory_order_relaxed);
}

static void work(struct er_threads *t, unsigned number)
{
    for (;;) {
        size_t piece = atomic_fetch_add(&t->next, 1);
        if (piece >= t->n_pieces || cancelled(t))
            return;
        t->fn(t->ctx, piece, number);
    }
}

/* Wait until round is not seen any more; the new one. */
static unsigned next_round(struct er_threads *t, unsigned seen)
{
    unsigned round;
    for (int i = 0; i < SPINS; i++) {
        round = atomic_load(&t->round);
        if (round != seen)
            return round;
        breathe();
    }
    pthread_mutex_lock(&t->lock);
    atomic_fetch_add(&t->sleepers, 1);
    while ((round = atomic_load(&t->round)) == seen)
        pthread_cond_wait(&t->wake, &t->lock);
    atomic_fetch_sub(&t->sleepers, 1);
    pthread_mutex_unlock(&t->lock);
    return round;
}

static void *help(void *arg)
{
    struct helper *h = arg;
    struct er_threads *t = h->pool;
    unsigned seen = 0;
    for (;;) {
        seen = next_round(t, seen);
        if (atomic_load(&t->quit))
            return NULL;
        work(t, h->number);
        if (atomic_fetch_sub(&t->busy, 1) != 1)
            continue;
        if (!atomic_load(&t->waiting))
            continue;
        pthread_mutex_lock(&t->lock);
        pthread_cond_signal(&t->rest);
        pthread_mutex_unlock(&t->lock);
    }
}

static void start_round(struct er_threads *t)
{
    atomic_store(&t->busy, t->started);
    atomic_fetch_add(&t->round, 1);
    if (atomic_load(&t->sleepers) == 0)
        return;
    pthread_mutex_lock(&t->lock);
    pthread_cond_broadcast(&t->wake);
    pthread_mutex_unlock(&t->lock);
}

static void wait_all(struct er_threads *t)
{
    for (int i = 0; i < SPINS; i++) {
        if (atomic_load(&t->busy) == 0)
            return;
        breathe();
    }
    pthread_mutex_lock(&t->lock);
    atomic_store(&t->waiting, true);
    while (atomic_load(&t->busy) != 0)
        pthread_cond_wait(&t->rest, &t->lock);
    atomic_store(&t->waiting, false);
    pthread_mutex_unlock(&t->lock);
}

bool er_threads_run(struct er_threads *t, size_t n, er_piece_fn *fn,
    void *ctx, const atomic_bool *cancel)
{
    t->fn = fn;
    t->ctx = ctx;
    t->n_pieces = n;
    t->cancel = cancel;
    atomic_store(&t->next, 0);
    if (n > 1 && t->started > 0) {
        start_round(t);
        work(t, 0);
        wait_all(t);
    } else {
        work(t, 0);
    }
    return !cancelled(t);
}

int er_threads_new(
    unsigned n, struct er_threads **out, struct errand_error *err)
{
    n = n < 1 ? 1 : n > MAX_THREADS ? MAX_THREADS : n;
    struct er_threads *t = calloc(1, sizeof *t);
    struct helper *helpers = calloc(n, sizeof *helpers);
    if (!t || !helpers) {
        free(t);
        free(helpers);
        return er_nomem(err);
    }
    t->n = n;
    t->helpers = helpers;
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->wake, NULL);
    pthread_cond_init(&t->rest, NULL);
    for (unsigned i = 0; i + 1 < n; i++) {
        helpers[i] = (struct helper){.pool = t, .number = i + 1};
        int rc = pthread_create(&helpers[i].thread, NULL, help, &helpers[i]);
        if (rc) {
            er_threads_free(t);
            return er_fail(err, ERRAND_NOMEM,
                "cannot start thread %u of %u; ask for fewer", i + 2, n);
        }
        t->started++;
    }
    *out = t;
    return ERRAND_OK;
}

void er_threads_free(struct er_threads *t)
{
    if (!t)
        return;
    atomic_store(&t->quit, true);
    pthread_mutex_lock(&t->lock);
    atomic_fetch_add(&t->round, 1);
    pthread_cond_broadcast(&t->wake);
    pthread_mutex_unlock(&t->lock);
    for (unsigned i = 0; i < t->started; i++)
        pthread_join(t->helpers[i].thread, NULL);
    pthread_mutex_destroy(&t->lock);
    pthread_cond_destroy(&t->wake);
    pthread_cond_destroy(&t->rest);
    free(t->helpers);
    free(t);
}

unsigned er_threads_count(const struct er_threads *t)
{
    return t->n;
}

unsigned er_threads_cores(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > MAX_THREADS ? MAX_THREADS : (unsigned)n;
}
