/* What pool.c and ask.c share: the pool's insides. */
#ifndef ERRAND_TOOL_POOL_PARTS_H
#define ERRAND_TOOL_POOL_PARTS_H

#include "tool/pool.h"

enum er_slot_state {
    ER_SLOT_IDLE = 0,
    ER_SLOT_BUSY = 1,
    ER_SLOT_LENT = 2,  /* to er_pool_ask */
    ER_SLOT_DYING = 3, /* killed, or its socket is closed; to be reaped */
};

struct er_slot {
    struct er_slot *next;
    struct er_pool *pool;
    enum er_slot_state state;
    struct er_process process;
    struct er_watch watch, err_watch;
    struct er_timer deadline;
    struct er_job *job;
    int64_t dying_ms; /* since when */
};

struct er_line {
    struct er_job *first, *last;
};

/* A post that may outlive the pool: whoever comes last frees it. */
struct er_kick {
    struct er_post post;
    struct er_pool *pool; /* NULL: gone */
    bool posted;
};

struct er_pool {
    struct er_loop *loop;
    const char *program, *cwd;
    int max;
    const struct er_log *log;
    struct er_slot *slots;
    struct er_line waiting, ended;
    struct er_kick *kick;   /* jobs have ended: tell their owners */
    struct er_timer retry;  /* a start was put off */
    struct er_timer reaper; /* workers are dying */
    int64_t last_id;
    int deaths; /* in a row, without a good answer between */
    int64_t not_before_ms; /* of er_mono_ms: no start earlier */
};

/* A new worker that is watched, or NULL. Errors WORKER, NOMEM. */
struct er_slot *er_pool_start(
    struct er_pool *pool, struct errand_error *err);

/* Kill it and close its socket; the reaper collects it. */
void er_pool_end_slot(struct er_slot *slot);

/* Count a worker that died or could not start. */
void er_pool_count_death(struct er_pool *pool);

/* Give waiting jobs to workers. */
void er_pool_dispatch(struct er_pool *pool);

#endif
