/* The event loop: descriptors, timers, work posted from other threads.
 *
 * A thin layer over libevent, so that the rest of the house depends on these
 * few verbs. One thread drives a loop; er_loop_post is the one door for all
 * others. Watches and timers belong to the caller, live in its structs, and
 * must be stopped before they go away.
 */
#ifndef ERRAND_BASE_LOOP_H
#define ERRAND_BASE_LOOP_H

#include "error.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

struct er_loop;

/* Errors NOMEM, IO. [any]; whoever drives it owns it */
struct er_loop *er_loop_new(struct errand_error *err);

/* Free a loop that nobody drives; posted work that has not run is dropped
 * through its cancel. NULL is harmless. [owner] */
void er_loop_free(struct er_loop *loop);

/* Run until er_loop_stop, or timeout_ms is over (-1: none; 0: what is ready
 * now). True if stopped, false if the time is over. [owner] */
bool er_loop_run(struct er_loop *loop, int64_t timeout_ms);

/* Something is about to come from another core: look for it until this time
 * of er_mono_ns before sleeping (spin.h). 0: it came. [owner] */
void er_loop_expect(struct er_loop *loop, int64_t until_ns);

/* Make er_loop_run return soon. [owner]; others post a stop. */
void er_loop_stop(struct er_loop *loop);

/* True on the thread that is inside er_loop_run. [any] */
bool er_loop_is_mine(const struct er_loop *loop);

/* Milliseconds since the loop began. [owner] */
int64_t er_loop_now_ms(const struct er_loop *loop);

/* Version of libevent that runs, as text. [any] */
const char *er_loop_library(void);

/* libevent's base, for libcurl's sockets and for evhttp. [owner] */
struct event_base *er_loop_base(struct er_loop *loop);

/* --- timers: one shot. A zeroed struct is a timer that is not set. */

struct er_timer {
    struct event *ev;
    void (*fire)(void *ctx);
    void *ctx;
};

/* (Re)arm to fire once after delay_ms (at least 0). [owner] */
int er_timer_start(struct er_loop *loop, struct er_timer *t,
    int64_t delay_ms, void (*fire)(void *ctx), void *ctx,
    struct errand_error *err);

/* Disarm and free; harmless on a timer that is not set. [owner] */
void er_timer_stop(struct er_timer *t);

/* --- descriptors. A zeroed struct watches nothing. */

enum er_watch_flag { ER_READABLE = 1, ER_WRITABLE = 2 };

struct er_watch {
    struct event *ev;
    int fd;
    unsigned flags;
    void (*ready)(void *ctx, int fd, unsigned flags);
    void *ctx;
};

/* Watch fd until stopped (level-triggered); calling again changes what is
 * watched. [owner] */
int er_watch_start(struct er_loop *loop, struct er_watch *w, int fd,
    unsigned flags, void (*ready)(void *ctx, int fd, unsigned flags),
    void *ctx, struct errand_error *err);

/* Stop watching; fd stays open. [owner] */
void er_watch_stop(struct er_watch *w);

/* --- posted work: run once on the loop's thread, in order.
 *
 * The node is embedded in the caller's struct and must stay until it ran. */

struct er_post {
    struct er_post *next;
    void (*run)(void *ctx);    /* on the loop's thread */
    void (*cancel)(void *ctx); /* the loop is freed first; may be NULL */
    void *ctx;
};

/* Queue work and wake the loop. Never fails, never blocks. [any] */
void er_loop_post(struct er_loop *loop, struct er_post *post);

/* Ask the loop to call wake's function soon, however often it is called
 * before. Async-signal-safe. One per loop. */
void er_loop_on_wake(
    struct er_loop *loop, void (*wake)(void *ctx), void *ctx);
void er_loop_wake(struct er_loop *loop);

#endif
