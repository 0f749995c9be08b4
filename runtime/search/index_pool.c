/* A ring of places. A thread takes the next task if there is a place for it
 * and not too many bytes are under way; the place that is handed out next is
 * always under way or ready, so nobody waits for ever. */
#include "search/index_pool.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum { RING = 64, THREADS_MOST = 64 };

static const int64_t BYTES_MOST = (int64_t)128 << 20;

struct er_index_pool {
    const struct er_index_task *tasks;
    size_t n, taken, given;
    struct er_prepared ring[RING];
    bool ready[RING];
    int64_t bytes; /* of the files under way or ready */
    bool ending;
    pthread_mutex_t lock;
    pthread_cond_t room, done;
    pthread_t threads[THREADS_MOST];
    struct er_words *words[THREADS_MOST];
    int started;
    int next_words;
};

static bool may_take(const struct er_index_pool *p)
{
    if (p->taken >= p->n || p->taken - p->given >= RING)
        return false;
    int64_t size = p->tasks[p->taken].file->size;
    return p->taken == p->given || p->bytes + size <= BYTES_MOST;
}

static void *work(void *ctx)
{
    struct er_index_pool *p = ctx;
    pthread_mutex_lock(&p->lock);
    struct er_words *words = p->words[p->next_words++];
    while (!p->ending && p->taken < p->n) {
        if (!may_take(p)) {
            pthread_cond_wait(&p->room, &p->lock);
            continue;
        }
        size_t i = p->taken++;
        p->bytes += p->tasks[i].file->size;
        pthread_mutex_unlock(&p->lock);
        er_prepare(&p->ring[i % RING], p->tasks[i].file,
            p->tasks[i].known_hash, words);
        pthread_mutex_lock(&p->lock);
        p->ready[i % RING] = true;
        if (i == p->given)
            pthread_cond_signal(&p->done);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

static int start(struct er_index_pool *p, int threads,
    struct errand_error *err)
{
    for (int i = 0; i < threads; i++) {
        p->words[i] = er_words_new(err);
        if (!p->words[i])
            return err->code;
        int rc = pthread_create(&p->threads[i], NULL, work, p);
        if (rc != 0) {
            errno = rc;
            return er_fail_errno(err, ERRAND_IO, "cannot start a thread");
        }
        p->started++;
    }
    return ERRAND_OK;
}

struct er_index_pool *er_index_pool_new(const struct er_index_task *tasks,
    size_t n, int threads, struct errand_error *err)
{
    struct er_index_pool *p = calloc(1, sizeof *p);
    pthread_condattr_t attr;
    if (!p) {
        er_nomem(err);
        return NULL;
    }
    p->tasks = tasks;
    p->n = n;
    pthread_mutex_init(&p->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&p->done, &attr);
    pthread_condattr_destroy(&attr);
    pthread_cond_init(&p->room, NULL);
    threads = threads > THREADS_MOST ? THREADS_MOST : threads;
    if (start(p, threads < 1 ? 1 : threads, err) == ERRAND_OK)
        return p;
    er_index_pool_free(p);
    return NULL;
}

static bool wait_for(struct er_index_pool *p, int wait_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += wait_ms / 1000;
    until.tv_nsec += (long)(wait_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    while (!p->ready[p->given % RING])
        if (pthread_cond_timedwait(&p->done, &p->lock, &until) == ETIMEDOUT)
            break;
    return p->ready[p->given % RING];
}

int er_index_pool_next(
    struct er_index_pool *p, int wait_ms, struct er_prepared *out)
{
    int got = -1;
    pthread_mutex_lock(&p->lock);
    if (p->given < p->n) {
        size_t at = p->given % RING;
        got = wait_for(p, wait_ms) ? 1 : 0;
        if (got) {
            *out = p->ring[at];
            p->ready[at] = false;
            p->given++;
            p->bytes -= out->file->size;
            pthread_cond_broadcast(&p->room);
        }
    }
    pthread_mutex_unlock(&p->lock);
    /* doc.title may be extract's own array, which has moved */
    if (got > 0 && out->extract.title[0])
        out->doc.title = out->extract.title;
    return got;
}

void er_index_pool_free(struct er_index_pool *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->ending = true;
    pthread_cond_broadcast(&p->room);
    pthread_mutex_unlock(&p->lock);
    for (int i = 0; i < p->started; i++)
        pthread_join(p->threads[i], NULL);
    for (int i = 0; i < RING; i++)
        if (p->ready[i])
            er_prepared_release(&p->ring[i]);
    for (int i = 0; i < THREADS_MOST; i++)
        er_words_free(p->words[i]);
    pthread_cond_destroy(&p->room);
    pthread_cond_destroy(&p->done);
    pthread_mutex_destroy(&p->lock);
    free(p);
}
