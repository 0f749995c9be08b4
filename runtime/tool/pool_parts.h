/* What pool.c, profile.c and ask.c share: the pool's insides. */
#ifndef ERRAND_TOOL_POOL_PARTS_H
#define ERRAND_TOOL_POOL_PARTS_H

#include "base/spin.h"
#include "tool/code.h"
#include "tool/pool.h"
#include "tool/spawner.h"
#include "tool/watcher.h"

enum er_slot_state {
    ER_SLOT_IDLE = 0,
    ER_SLOT_BUSY = 1,
    ER_SLOT_LENT = 2,  /* to er_pool_ask */
    ER_SLOT_DYING = 3, /* killed, or its socket is closed; to be reaped */
};

struct er_line {
    struct er_job *first, *last;
};

struct er_profile {
    struct er_profile *next;
    struct er_pool *pool;
    char *key;  /* the members of its lock frame, sorted, as an object */
    char **paths; /* its roots, from the pool's folder */
    size_t path_count;
    bool is_lua;
    bool is_script; /* its jobs wait for others: they take no place */
    bool is_single; /* what its workers start may outlive a call: each ends,
                       with its process group, after the first */
    struct er_line waiting;
    int deaths; /* in a row, without a good answer between */
    int64_t not_before_ms; /* of er_mono_ms: no start earlier */
    struct er_timer retry; /* a start was put off */
    struct er_spin spin;   /* while its only worker works */
};

enum { ER_PATHS_MOST = 48 /* roots that are watched */ };

/* What a path led to: a worker holds that open, not the path. */
struct er_seen {
    uint64_t device, inode; /* 0, 0: nothing was there */
};

struct er_slot {
    struct er_slot *next;
    struct er_pool *pool;
    struct er_profile *profile;
    enum er_slot_state state;
    struct er_process process;
    struct er_watch watch, err_watch;
    struct er_timer deadline;
    struct er_job *job;
    int64_t given_ns; /* the job, and it is looked for; 0: it is not */
    int64_t dying_ms; /* since when */
    bool locked; /* it answered to its lock frame */
    uint64_t guard; /* the pool's when it was started */
    struct er_seen seen[ER_PATHS_MOST]; /* the profile's paths, then */
    struct er_code_ring codes;
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
    struct er_spawner *spawner; /* NULL: nothing was started yet */
    struct er_watcher watcher;  /* over what workers may have started */
    struct er_slot *slots;
    struct er_profile *profiles;
    struct er_line ended;
    struct er_kick *kick;   /* jobs have ended: tell their owners */
    struct er_timer reaper; /* workers are dying */
    int64_t last_id;
    uint64_t turns; /* jobs submitted so far */
    uint64_t last_code;
    char *guard;  /* members of every lock frame, as an object; or NULL */
    uint64_t guards; /* how often it was set */
    json_t *cage; /* of Lua workers: {"enforced","missing"}; NULL: not yet */
    json_t *told; /* what is missing and was logged; or NULL */
};

/* A new worker that is watched and told to lock itself in, or NULL. Errors
 * WORKER, NOMEM. */
struct er_slot *er_pool_start(struct er_pool *pool,
    struct er_profile *profile, struct errand_error *err);

/* An idle worker of the profile, or NULL. */
struct er_slot *er_pool_idle(
    struct er_pool *pool, const struct er_profile *profile);

/* May the profile have one worker more? If the processes are at their limit
 * and one of another profile, with nothing to do, could make room: *spare is
 * it (else NULL). */
bool er_pool_has_room(struct er_pool *pool, const struct er_profile *profile,
    struct er_slot **spare);

/* Kill it and close its socket; the reaper collects it. */
void er_pool_end_slot(struct er_slot *slot);

/* Count a worker that died or could not start. */
void er_pool_count_death(struct er_profile *profile);

/* What the profile's paths lead to now. */
void er_profile_look(const struct er_profile *profile, struct er_seen *seen);

/* Does the worker hold what it would hold if it were started now? */
bool er_profile_is_current(const struct er_slot *slot);

/* The frame "lock" of a profile, at the end of out. False: no memory. */
bool er_profile_lock(const struct er_profile *profile, struct er_buf *out);

/* Take the answer to it; the frame is the first after the hello. Errors
 * WORKER: the worker cannot be locked as it must be. */
int er_profile_locked(
    struct er_slot *slot, const json_t *frame, struct errand_error *err);

void er_profiles_free(struct er_pool *pool);

/* Give waiting jobs to workers. */
void er_pool_dispatch(struct er_pool *pool);

#endif
