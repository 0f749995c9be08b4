/* One thread, one piece of work at a time. */
#include "spawner.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

struct er_spawner {
    pthread_t thread;
    pthread_mutex_t lock; /* over what follows */
    pthread_cond_t changed;
    void (*fn)(void *arg); /* NULL: nothing to do */
    void *arg;
    bool ends;
};

static void *work(void *ctx)
{
    struct er_spawner *s = ctx;
    pthread_mutex_lock(&s->lock);
    while (!s->ends) {
        if (!s->fn) {
            pthread_cond_wait(&s->changed, &s->lock);
            continue;
        }
        s->fn(s->arg);
        s->fn = NULL;
        pthread_cond_broadcast(&s->changed);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

struct er_spawner *er_spawner_new(struct errand_error *err)
{
    sigset_t all, before;
    struct er_spawner *s = calloc(1, sizeof *s);
    if (!s) {
        er_nomem(err);
        return NULL;
    }
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    sigfillset(&all); /* signals stay with the threads of the program */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&s->thread, NULL, work, s);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc == 0)
        return s;
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
    free(s);
    errno = rc;
    er_fail_errno(err, ERRAND_WORKER, "cannot start the thread that starts "
        "workers");
    return NULL;
}

void er_spawner_free(struct er_spawner *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->lock);
    s->ends = true;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

void er_spawner_run(struct er_spawner *s, void (*fn)(void *arg), void *arg)
{
    pthread_mutex_lock(&s->lock);
    s->arg = arg;
    s->fn = fn;
    pthread_cond_broadcast(&s->changed);
    while (s->fn)
        pthread_cond_wait(&s->changed, &s->lock);
    pthread_mutex_unlock(&s->lock);
}
