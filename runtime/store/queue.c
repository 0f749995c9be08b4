/* The queue in front of a backend, and the one thread that empties it.
 *
 * What one callback of the loop submits becomes one batch: the thread is
 * woken when the callback is over, or a little later if all that waits is
 * patient. It applies what waits as one transaction, answers what is content
 * with a commit, flushes once, answers the rest. While it flushes, new ops
 * wait and become the next batch: the slower the disk, the larger the
 * batches. A batch that cannot commit is tried again op by op, so that one
 * that is too large for the disk takes no other with it.
 */
#include "base/clock.h"
#include "base/crash.h"
#include "store/backend.h"
#include "store/queue.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    BATCH_MOST = 512,
    PATIENT_MOST = 64, /* so many do not wait for more */
};

/* --- crash points: the transitions T0..T3 of a batch, as bits */

enum { T0 = 1, T1 = 2, T2 = 4, T3 = 8 };

static unsigned transition_of(const struct er_op *op)
{
    switch (op->kind) {
    case ER_OP_ACCEPT:
        return T0;
    case ER_OP_STEP:
        return T1;
    case ER_OP_BEGIN:
        return T2;
    case ER_OP_FINISH:
        return T3;
    default:
        return 0;
    }
}

static void crash_before_commit(unsigned kinds)
{
    if (kinds & T0)
        ER_CRASH("T0.before_commit");
    if (kinds & T1)
        ER_CRASH("T1.before_commit");
    if (kinds & T2)
        ER_CRASH("T2.before_commit");
    if (kinds & T3)
        ER_CRASH("T3.before_commit");
}

static void crash_after_commit(unsigned kinds)
{
    if (kinds & T0)
        ER_CRASH("T0.after_commit");
    if (kinds & T1)
        ER_CRASH("T1.after_commit");
    if (kinds & T2)
        ER_CRASH("T2.after_commit");
    if (kinds & T3)
        ER_CRASH("T3.after_commit");
}

static void crash_after_flush(unsigned kinds)
{
    if (kinds & T0)
        ER_CRASH("T0.after_flush");
    if (kinds & T1)
        ER_CRASH("T1.after_flush");
    if (kinds & T2)
        ER_CRASH("T2.after_flush");
    if (kinds & T3)
        ER_CRASH("T3.after_flush");
}

/* --- answers */

struct waiter { /* of er_store_call */
    pthread_cond_t answered;
    bool done;
};

/* Let the store thread begin on what waits, if any of it is in a hurry.
 * Called with the lock, which it gives back: a thread that is woken under it
 * would only wait for it. */
static void unlock_and_wake(struct er_store *s)
{
    s->ready = s->hurry;
    bool wake = s->ready && s->idle;
    pthread_mutex_unlock(&s->lock);
    if (wake)
        pthread_cond_signal(&s->work);
}

/* Call what was answered, then start on what those calls submitted. */
static void deliver(struct er_store *s)
{
    pthread_mutex_lock(&s->lock);
    s->delivering = true;
    struct er_op *op = s->answered;
    s->answered = NULL;
    s->last_answered = &s->answered;
    pthread_mutex_unlock(&s->lock);
    while (op) {
        struct er_op *next = op->next; /* done frees the op */
        op->done(op->ctx, op);
        op = next;
    }
    pthread_mutex_lock(&s->lock);
    s->delivering = false;
    unlock_and_wake(s);
}

static void door_run(void *ctx)
{
    struct er_door *door = ctx;
    struct er_store *s = door->store;
    if (!s) {
        free(door);
        return;
    }
    pthread_mutex_lock(&s->lock);
    door->posted = false;
    pthread_mutex_unlock(&s->lock);
    deliver(s); /* also when there is nothing: it wakes the thread */
}

/* The loop went first: closing the store delivers. */
static void door_cancel(void *ctx)
{
    struct er_door *door = ctx;
    if (door->store)
        door->posted = false;
    else
        free(door);
}

/* Have the door run soon on the loop's thread. Called with the lock, which
 * it gives back. */
static void unlock_and_knock(struct er_store *s)
{
    bool knock = !s->door->posted;
    s->door->posted = true;
    pthread_mutex_unlock(&s->lock);
    if (knock)
        er_loop_post(s->loop, &s->door->post);
}

/* Hand a list of ops back to whoever waits for each. */
static void answer(struct er_store *s, struct er_op *first)
{
    bool knock = false;
    pthread_mutex_lock(&s->lock);
    while (first) {
        struct er_op *op = first;
        struct waiter *w = op->post.ctx;
        first = op->next;
        op->next = NULL;
        if (w) {
            w->done = true;
            pthread_cond_signal(&w->answered);
        } else {
            *s->last_answered = op;
            s->last_answered = &op->next;
            knock = true;
        }
    }
    if (knock)
        unlock_and_knock(s);
    else
        pthread_mutex_unlock(&s->lock);
}

static void set_error(struct er_op *op, int code,
    const struct errand_error *err)
{
    op->code = code;
    op->err = *err;
}

/* --- one batch */

static int apply_all(struct er_store *s, struct er_op *first)
{
    const struct er_backend *b = &s->backend;
    struct errand_error err = {0};
    unsigned kinds = 0;
    int code = b->ops->begin(b->self, &err);
    for (struct er_op *op = first; op && code == ERRAND_OK; op = op->next) {
        memset(&op->err, 0, sizeof op->err);
        op->err.at = -1;
        b->ops->apply(b->self, op);
        kinds |= transition_of(op);
    }
    if (code == ERRAND_OK) {
        crash_before_commit(kinds);
        code = b->ops->commit(b->self, &err);
    }
    if (code == ERRAND_OK)
        crash_after_commit(kinds);
    for (struct er_op *op = first; op && code != ERRAND_OK; op = op->next)
        set_error(op, code, &err);
    return code;
}

/* Each alone, after they failed together. */
static void apply_singly(struct er_store *s, struct er_op *first)
{
    for (struct er_op *op = first; op; op = op->next) {
        struct er_op *rest = op->next;
        op->next = NULL;
        apply_all(s, op);
        op->next = rest;
    }
}

static bool is_early(const struct er_store *s, const struct er_op *op)
{
    return s->sync == ERRAND_SYNC_NORMAL || op->level == ER_COMMITTED;
}

/* Answer those that wait for this level; returns the others. */
static struct er_op *answer_early(struct er_store *s, struct er_op *first)
{
    struct er_op *lists[2] = {NULL, NULL}; /* later, early */
    struct er_op **ends[2] = {&lists[0], &lists[1]};
    while (first) {
        struct er_op *op = first;
        bool early = is_early(s, op);
        first = op->next;
        op->next = NULL;
        *ends[early] = op;
        ends[early] = &op->next;
    }
    if (lists[1])
        answer(s, lists[1]);
    return lists[0];
}

static void flush_and_answer(struct er_store *s, struct er_op *first)
{
    struct errand_error err = {0};
    unsigned kinds = 0;
    int code = s->backend.ops->flush(s->backend.self, &err);
    for (struct er_op *op = first; op; op = op->next) {
        kinds |= transition_of(op);
        if (code != ERRAND_OK && op->code == ERRAND_OK)
            set_error(op, code, &err);
    }
    if (code == ERRAND_OK)
        crash_after_flush(kinds);
    answer(s, first);
}

static void do_batch(struct er_store *s, struct er_op *first)
{
    int code = apply_all(s, first);
    if (code != ERRAND_OK && code != ERRAND_BUSY && first->next)
        apply_singly(s, first);
    struct er_op *later = answer_early(s, first);
    if (later)
        flush_and_answer(s, later);
}

/* --- the thread */

/* Take at most BATCH_MOST of what waits; the lock is held. */
static struct er_op *take(struct er_store *s)
{
    struct er_op *first = s->first, **end = &s->first;
    for (int i = 0; i < BATCH_MOST && *end; i++)
        end = &(*end)->next;
    s->first = *end;
    *end = NULL;
    if (!s->first) {
        s->last = &s->first;
        s->ready = s->hurry = false;
        s->waiting = 0;
    }
    return first;
}

static void sleep_until_work(struct er_store *s, int64_t ms)
{
    if (ms < 0) {
        pthread_cond_wait(&s->work, &s->lock);
        return;
    }
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += ms % 1000 * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    pthread_cond_timedwait(&s->work, &s->lock, &t);
}

/* Nothing waits: let the backend do what it put off; the lock is held. */
static void rest(struct er_store *s, int64_t quiet_since)
{
    const struct er_backend *b = &s->backend;
    pthread_mutex_unlock(&s->lock);
    int64_t ms = b->ops->rest
                     ? b->ops->rest(b->self, er_mono_ms() - quiet_since)
                     : -1;
    pthread_mutex_lock(&s->lock);
    s->idle = true;
    if (!s->ready && !s->closing && ms != 0)
        sleep_until_work(s, ms);
    s->idle = false;
}

static void *run_thread(void *ctx)
{
    struct er_store *s = ctx;
    int64_t quiet_since = er_mono_ms();
    pthread_mutex_lock(&s->lock);
    while (s->first || !s->closing) {
        if (!s->ready && !s->closing) {
            rest(s, quiet_since);
            continue;
        }
        struct er_op *first = take(s);
        pthread_mutex_unlock(&s->lock);
        do_batch(s, first);
        quiet_since = er_mono_ms();
        pthread_mutex_lock(&s->lock);
    }
    pthread_mutex_unlock(&s->lock);
    s->backend.ops->close(s->backend.self);
    return NULL;
}

/* --- submitting */

static void push(struct er_store *s, struct er_op *op)
{
    op->next = NULL;
    *s->last = op;
    s->last = &op->next;
    if (!op->patient || ++s->waiting >= PATIENT_MOST)
        s->hurry = true;
}

static void on_patience_over(void *ctx)
{
    struct er_store *s = ctx;
    s->timing = false;
    pthread_mutex_lock(&s->lock);
    s->hurry = s->first != NULL;
    unlock_and_wake(s);
}

/* Only patient ops wait: set the time at which they go all the same. False:
 * no memory for it. */
static bool start_timing(struct er_store *s)
{
    if (!s->timing)
        s->timing = er_timer_start(s->loop, &s->patience, ER_PATIENCE_MS,
                        on_patience_over, s, NULL) == ERRAND_OK;
    return s->timing;
}

/* The thread is not woken at once but when the loop has run what it is
 * running: what is submitted together is committed together. */
void er_store_submit(er_store *s, struct er_op *op)
{
    op->post = (struct er_post){.ctx = NULL};
    if (op->patient && !start_timing(s))
        op->patient = false;
    pthread_mutex_lock(&s->lock);
    push(s, op);
    if (s->hurry && !s->delivering && !s->ready)
        unlock_and_knock(s);
    else
        pthread_mutex_unlock(&s->lock);
}

int er_store_call(er_store *s, struct er_op *op)
{
    struct waiter w = {.done = false};
    pthread_cond_init(&w.answered, NULL);
    op->post = (struct er_post){.ctx = &w};
    pthread_mutex_lock(&s->lock);
    push(s, op);
    s->hurry = true;
    unlock_and_wake(s);
    pthread_mutex_lock(&s->lock);
    while (!w.done)
        pthread_cond_wait(&w.answered, &s->lock);
    pthread_mutex_unlock(&s->lock);
    pthread_cond_destroy(&w.answered);
    return op->code;
}

/* --- life */

static int init_queue(struct er_store *s, struct errand_error *err)
{
    s->door = calloc(1, sizeof *s->door);
    if (!s->door)
        return er_nomem(err);
    s->door->store = s;
    s->door->post = (struct er_post){
        .run = door_run, .cancel = door_cancel, .ctx = s->door};
    s->last = &s->first;
    s->last_answered = &s->answered;
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&s->work, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&s->lock, NULL);
    return ERRAND_OK;
}

static void release(struct er_store *s)
{
    er_store_reader_close(s);
    if (s->door) {
        pthread_cond_destroy(&s->work);
        pthread_mutex_destroy(&s->lock);
        if (s->door->posted)
            s->door->store = NULL; /* the loop frees it */
        else
            free(s->door);
    }
    free(s);
}

er_store *er_store_over(struct er_loop *loop, struct er_backend backend,
    const struct er_store_options *opt, struct errand_error *err)
{
    struct er_store *s = calloc(1, sizeof *s);
    if (!s) {
        backend.ops->close(backend.self);
        er_nomem(err);
        return NULL;
    }
    s->loop = loop;
    s->backend = backend;
    s->sync = opt->sync;
    s->log = opt->log;
    int code = init_queue(s, err);
    if (code == ERRAND_OK)
        code = er_store_reader_init(s, opt->path, err);
    if (code == ERRAND_OK && pthread_create(&s->thread, NULL, run_thread, s))
        code =
            er_fail_errno(err, ERRAND_IO, "cannot start the store's thread");
    if (code == ERRAND_OK)
        return s;
    backend.ops->close(backend.self);
    release(s);
    return NULL;
}

er_store *er_store_open(struct er_loop *loop,
    const struct er_store_options *opt, struct errand_error *err)
{
    struct er_backend backend;
    if (er_sqlite_open(opt->path, NULL, opt->log, &backend, err) !=
        ERRAND_OK)
        return NULL;
    return er_store_over(loop, backend, opt, err);
}

void er_store_close(er_store *s)
{
    if (!s)
        return;
    er_timer_stop(&s->patience);
    er_store_reader_close(s); /* the writer is to be the last connection */
    pthread_mutex_lock(&s->lock);
    s->closing = true;
    pthread_cond_signal(&s->work);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    deliver(s);
    release(s);
}
