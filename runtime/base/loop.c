/* The loop over libevent. Other threads push on a list under a mutex and
 * write one byte to a pipe; a signal handler writes to the same pipe, which
 * is all that it may do. */
#include "loop.h"

#include "clock.h"

#include <errno.h>
#include <event2/event_struct.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

struct er_loop {
    struct event_base *base;
    struct event *pipe_event;
    int pipe_read, pipe_write;
    pthread_mutex_t lock; /* over the list of posts */
    struct er_post *first, **last;
    atomic_bool pipe_full; /* a byte is under way: no second needed */
    atomic_bool woken;
    void (*wake)(void *ctx);
    void *wake_ctx;
    atomic_bool running;
    pthread_t thread; /* meaningful while running */
    bool stop;
    int64_t look_until_ns; /* instead of sleeping */
    int64_t began_ms;
};

static struct er_post *take_posts(struct er_loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    struct er_post *first = loop->first;
    loop->first = NULL;
    loop->last = &loop->first;
    pthread_mutex_unlock(&loop->lock);
    return first;
}

static void on_pipe(evutil_socket_t fd, short what, void *ctx)
{
    struct er_loop *loop = ctx;
    char bytes[64];
    (void)what;
    while (read(fd, bytes, sizeof bytes) > 0)
        ;
    atomic_store(&loop->pipe_full, false);
    if (atomic_exchange(&loop->woken, false) && loop->wake)
        loop->wake(loop->wake_ctx);
    struct er_post *post = take_posts(loop);
    while (post) {
        struct er_post *next = post->next; /* run may free the node */
        post->run(post->ctx);
        post = next;
    }
}

static int open_pipe(struct er_loop *loop, struct errand_error *err)
{
    int fds[2];
    if (pipe(fds) != 0)
        return er_fail_errno(err, ERRAND_IO, "cannot make a pipe");
    loop->pipe_read = fds[0];
    loop->pipe_write = fds[1];
    for (int i = 0; i < 2; i++) {
        if (fcntl(fds[i], F_SETFL, O_NONBLOCK) != 0 ||
            fcntl(fds[i], F_SETFD, FD_CLOEXEC) != 0)
            return er_fail_errno(err, ERRAND_IO, "cannot set up a pipe");
    }
    return ERRAND_OK;
}

static struct event_base *new_base(void)
{
    struct event_config *cfg = event_config_new();
    if (!cfg)
        return NULL;
    event_config_set_flag(cfg, EVENT_BASE_FLAG_NOLOCK);
    struct event_base *base = event_base_new_with_config(cfg);
    event_config_free(cfg);
    return base;
}

struct er_loop *er_loop_new(struct errand_error *err)
{
    struct er_loop *loop = calloc(1, sizeof *loop);
    if (!loop) {
        er_nomem(err);
        return NULL;
    }
    loop->pipe_read = loop->pipe_write = -1;
    loop->last = &loop->first;
    loop->began_ms = er_mono_ms();
    pthread_mutex_init(&loop->lock, NULL);
    if (open_pipe(loop, err) != ERRAND_OK)
        goto failed;
    loop->base = new_base();
    if (loop->base)
        loop->pipe_event = event_new(loop->base, loop->pipe_read,
            EV_READ | EV_PERSIST, on_pipe, loop);
    if (!loop->pipe_event || event_add(loop->pipe_event, NULL) != 0) {
        er_fail(err, ERRAND_NOMEM, "cannot set up the event loop");
        goto failed;
    }
    return loop;
failed:
    er_loop_free(loop);
    return NULL;
}

void er_loop_free(struct er_loop *loop)
{
    if (!loop)
        return;
    struct er_post *post = take_posts(loop);
    while (post) {
        struct er_post *next = post->next;
        if (post->cancel)
            post->cancel(post->ctx);
        post = next;
    }
    if (loop->pipe_event)
        event_free(loop->pipe_event);
    if (loop->base)
        event_base_free(loop->base);
    if (loop->pipe_read >= 0)
        close(loop->pipe_read);
    if (loop->pipe_write >= 0)
        close(loop->pipe_write);
    pthread_mutex_destroy(&loop->lock);
    free(loop);
}

static void on_time_over(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    (void)ctx;
}

void er_loop_expect(struct er_loop *loop, int64_t until_ns)
{
    loop->look_until_ns = until_ns;
}

/* Turn without sleeping as long as something is expected. False: libevent
 * failed. */
static bool look(struct er_loop *loop)
{
    while (loop->look_until_ns && !loop->stop) {
        if (event_base_loop(loop->base, EVLOOP_ONCE | EVLOOP_NONBLOCK) < 0)
            return false;
        if (er_mono_ns() >= loop->look_until_ns)
            loop->look_until_ns = 0;
    }
    return true;
}

bool er_loop_run(struct er_loop *loop, int64_t timeout_ms)
{
    int64_t deadline = timeout_ms < 0 ? 0 : er_mono_ms() + timeout_ms;
    loop->thread = pthread_self();
    atomic_store(&loop->running, true);
    loop->stop = false;
    int flags = EVLOOP_ONCE | (timeout_ms == 0 ? EVLOOP_NONBLOCK : 0);
    bool over = false;
    struct event guard;
    event_assign(&guard, loop->base, -1, 0, on_time_over, NULL);
    while (!loop->stop && !over) {
        if (timeout_ms != 0 && (!look(loop) || loop->stop))
            break;
        if (timeout_ms > 0) {
            int64_t left = deadline - er_mono_ms();
            if (left < 0)
                left = 0;
            struct timeval tv = {left / 1000, (left % 1000) * 1000};
            event_add(&guard, &tv);
        }
        if (event_base_loop(loop->base, flags) < 0)
            break;
        if (timeout_ms >= 0)
            over = er_mono_ms() >= deadline;
    }
    event_del(&guard);
    atomic_store(&loop->running, false);
    return loop->stop;
}

void er_loop_stop(struct er_loop *loop) { loop->stop = true; }

bool er_loop_is_mine(const struct er_loop *loop)
{
    return atomic_load(&loop->running) &&
           pthread_equal(loop->thread, pthread_self());
}

int64_t er_loop_now_ms(const struct er_loop *loop)
{
    return er_mono_ms() - loop->began_ms;
}

const char *er_loop_library(void) { return event_get_version(); }

struct event_base *er_loop_base(struct er_loop *loop) { return loop->base; }

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
    struct er_timer *t = ctx;
    (void)fd;
    (void)what;
    t->fire(t->ctx); /* may free the timer's owner: touch nothing after */
}

int er_timer_start(struct er_loop *loop, struct er_timer *t,
    int64_t delay_ms, void (*fire)(void *ctx), void *ctx,
    struct errand_error *err)
{
    t->fire = fire;
    t->ctx = ctx;
    if (delay_ms < 0)
        delay_ms = 0;
    if (!t->ev)
        t->ev = event_new(loop->base, -1, 0, on_timer, t);
    struct timeval tv = {delay_ms / 1000, (delay_ms % 1000) * 1000};
    if (!t->ev || event_add(t->ev, &tv) != 0)
        return er_nomem(err);
    return ERRAND_OK;
}

void er_timer_stop(struct er_timer *t)
{
    if (t->ev)
        event_free(t->ev);
    t->ev = NULL;
}

static void on_watch(evutil_socket_t fd, short what, void *ctx)
{
    struct er_watch *w = ctx;
    unsigned flags = 0;
    if (what & EV_READ)
        flags |= ER_READABLE;
    if (what & EV_WRITE)
        flags |= ER_WRITABLE;
    w->ready(w->ctx, fd, flags);
}

int er_watch_start(struct er_loop *loop, struct er_watch *w, int fd,
    unsigned flags, void (*ready)(void *ctx, int fd, unsigned flags),
    void *ctx, struct errand_error *err)
{
    if (w->ev && w->fd == fd && w->flags == flags && w->ready == ready &&
        w->ctx == ctx)
        return ERRAND_OK;
    er_watch_stop(w);
    short what = EV_PERSIST;
    if (flags & ER_READABLE)
        what |= EV_READ;
    if (flags & ER_WRITABLE)
        what |= EV_WRITE;
    *w = (struct er_watch){
        .fd = fd, .flags = flags, .ready = ready, .ctx = ctx};
    w->ev = event_new(loop->base, fd, what, on_watch, w);
    if (!w->ev || event_add(w->ev, NULL) != 0) {
        er_watch_stop(w);
        return er_nomem(err);
    }
    return ERRAND_OK;
}

void er_watch_stop(struct er_watch *w)
{
    if (w->ev)
        event_free(w->ev);
    w->ev = NULL;
}

static void poke(struct er_loop *loop)
{
    if (atomic_exchange(&loop->pipe_full, true))
        return;
    int saved = errno;
    while (write(loop->pipe_write, "", 1) < 0 && errno == EINTR)
        ;
    errno = saved;
}

void er_loop_post(struct er_loop *loop, struct er_post *post)
{
    post->next = NULL;
    pthread_mutex_lock(&loop->lock);
    *loop->last = post;
    loop->last = &post->next;
    pthread_mutex_unlock(&loop->lock);
    poke(loop);
}

void er_loop_on_wake(
    struct er_loop *loop, void (*wake)(void *ctx), void *ctx)
{
    loop->wake = wake;
    loop->wake_ctx = ctx;
}

void er_loop_wake(struct er_loop *loop)
{
    atomic_store(&loop->woken, true);
    poke(loop);
}
