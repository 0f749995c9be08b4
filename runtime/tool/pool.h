/* The pool: warm worker processes, and a line of jobs before them.
 *
 * Every worker belongs to a profile: what it may touch. It is told at its
 * start, locks itself in, and can never be told otherwise; jobs with equal
 * grants share workers, others never do.
 *
 * A job is one request frame and the wait for its answer. It goes to an
 * idle worker of its profile, to a new one while there are fewer than the
 * maximum, or waits in line; its time runs from the moment a worker gets it.
 * At the maximum an idle worker of another profile makes room. A worker
 * that overruns its time, breaks the protocol or closes its socket is killed
 * with its process group and replaced when there is work. Workers of a
 * profile that keep dying are replaced with growing delay.
 *
 * Everything is [owner]: the loop's thread.
 */
#ifndef ERRAND_TOOL_POOL_H
#define ERRAND_TOOL_POOL_H

#include "base/loop.h"
#include "tool/code.h"
#include "tool/process.h"
#include "tool/tools.h"

struct er_pool;
struct er_slot;    /* a worker's place in the pool */
struct er_profile; /* what workers may touch; lives as long as the pool */

/* How a job ended. */
struct er_job_end {
    enum er_tool_status status;
    bool started;         /* a worker may have run it */
    const json_t *answer; /* OK: the frame; else NULL */
    const char *detail;   /* for the user, never NULL */
    int64_t took_ms;
};

/* Lives in its owner's struct until done, which comes exactly once, from
 * the loop or from er_pool_free. */
struct er_job {
    struct er_job *next, *prev; /* in line, or among the ended */
    struct er_profile *profile; /* whose workers may have it */
    struct er_slot *slot;       /* the worker that has it */
    struct er_code *code;       /* the worker needs it, or NULL; held */
    struct er_buf frame;        /* the request; released by the pool */
    int64_t id;                 /* of the frame */
    int64_t timeout_ms; /* 0: none, a script */
    int64_t queued_ms, began_ms;
    uint64_t turn; /* its place in the order of submission */
    enum er_tool_status status; /* once ended */
    bool started, ended;
    bool listens; /* it looks whether it was cancelled: it has time to end */
    bool warned;  /* that time runs */
    bool cancelled;
    char detail[600];
    void (*done)(struct er_job *job, const struct er_job_end *end);
    /* The worker asks something (services.h): its frame, of len bytes.
     * False: it breaks the protocol. NULL: nothing may be asked. */
    bool (*ask)(struct er_job *job, const json_t *frame, size_t len);
    /* Steps of struct er_tool_trace: the worker, lines of the log; taken.
     * NULL: nobody looks. */
    void (*note)(struct er_job *job, json_t *step);
};

/* max: processes of the kind "lua" at once; each profile of another kind
 * has one of its own beside them.
 * Errors NOMEM. log may be NULL and is borrowed. program and cwd are
 * borrowed for the pool's life. */
struct er_pool *er_pool_new(struct er_loop *loop, const char *program,
    const char *cwd, int max, const struct er_log *log,
    struct errand_error *err);

/* Jobs that are not done end as CANCELLED before this returns. Idle workers
 * may end by themselves, the others are killed; all are reaped. */
void er_pool_free(struct er_pool *pool);

/* The profile whose workers are locked with these members of a frame "lock"
 * (worker/protocol.md), equal ones shared: "kind" and, as they are granted,
 * "read", "write", "run", "files", "memory_mb". lock is borrowed for the
 * call. Errors NOMEM. */
struct er_profile *er_pool_profile(
    struct er_pool *pool, const json_t *lock, struct errand_error *err);

/* The profile of Lua code with these permissions (read, write and run of
 * them count here); NULL or empty: it may touch nothing. Errors NOMEM. */
struct er_profile *er_pool_lua(struct er_pool *pool,
    const json_t *permissions, struct errand_error *err);

/* End the workers of a profile that have nothing to do: it will not be used
 * again soon. */
void er_pool_retire(struct er_pool *pool, struct er_profile *profile);

/* See that a worker of the profile runs and has locked itself in, and wait
 * for it, without the loop. Reasons as for er_pool_ask. */
int er_pool_wake(struct er_pool *pool, struct er_profile *profile,
    struct errand_error *err);

/* What holds Lua code here: {"enforced":{…},"missing":[texts]}, as a worker
 * says it (worker/protocol.md). The caller drops it. Errors as for
 * er_pool_wake. */
json_t *er_pool_cage(struct er_pool *pool, struct errand_error *err);

/* Files no worker may touch, whatever is granted to it: {"secret":[paths],
 * "fixed":[paths]} (worker/protocol.md). Workers that were told otherwise
 * end when they are idle. Errors NOMEM. */
int er_pool_guard(
    struct er_pool *pool, const json_t *guard, struct errand_error *err);

/* A number that no other frame of this pool has. */
int64_t er_pool_next_id(struct er_pool *pool);

/* Put a job in line. done never comes from within. */
void er_pool_submit(struct er_pool *pool, struct er_job *job);

/* End it as CANCELLED, from the loop; one that listens is told and given a
 * moment: what it answers then counts. A second time it has none. Harmless
 * once it has ended. */
void er_pool_cancel(struct er_pool *pool, struct er_job *job);

/* Send frames to the worker that has the job; dropped if none has it. */
void er_pool_tell(struct er_pool *pool, struct er_job *job,
    const char *frames, size_t len);

/* Questions that are asked together: frames one behind the other, with ids
 * that follow each other. */
struct er_questions {
    struct er_buf frames;
    struct er_profile *profile; /* of the worker that is asked */
    size_t *ends; /* where each ends in frames */
    struct er_code **codes; /* that of each, its frame before it; borrowed */
    size_t n;
    int64_t first_id;
    int64_t timeout_ms; /* for each */
};

/* The answer to question i, or NULL and why there is none. Borrowed. */
typedef void (*er_answer_fn)(void *ctx, size_t i, const json_t *answer,
    const struct errand_error *why);

/* Ask a worker and wait for all answers, without the loop: they come in
 * order, each exactly once. A worker that dies costs the one question it was
 * working on. Reasons WORKER, NOT_FOUND (no program), TIMEOUT, PROTOCOL,
 * NOMEM. */
void er_pool_ask(struct er_pool *pool, const struct er_questions *q,
    er_answer_fn fn, void *ctx);

/* Log line of a worker's frame {"id","log","level"}; false if it is none. */
bool er_pool_log(const struct er_log *log, const json_t *frame);

#endif
