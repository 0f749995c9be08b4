/* Jobs and workers. */
#include "pool.h"

#include "base/clock.h"
#include "base/text.h"
#include "pool_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    GRACE_MS = 100,       /* the worker stops itself first */
    LISTEN_MS = 2000,     /* more, for a tool that listens (worker/wire.h) */
    DELAY_FIRST_MS = 10,  /* after the second death in a row */
    DELAY_MOST_MS = 1000,
    REAP_MS = 2,          /* between looks at a dying worker */
    REAP_SLOW_MS = 100,   /* when it takes long */
    DEATH_MOST_MS = 1000, /* a job waits so long for how it ended */
    LEAVE_MS = 500,       /* idle workers may take so long to end */
    PATIENCE_MS = 20,     /* a job waits so long for a process of another
                             profile that has work of its own */
};

/* ------------------------------------------------------------ the lines */

static void append(struct er_line *line, struct er_job *job)
{
    job->next = NULL;
    job->prev = line->last;
    if (line->last)
        line->last->next = job;
    else
        line->first = job;
    line->last = job;
}

static void take_out(struct er_line *line, struct er_job *job)
{
    if (job->prev)
        job->prev->next = job->next;
    else
        line->first = job->next;
    if (job->next)
        job->next->prev = job->prev;
    else
        line->last = job->prev;
    job->next = job->prev = NULL;
}

/* Tell the owner; the job is the owner's again afterwards. */
static void finish(struct er_job *job, const json_t *answer)
{
    struct er_job_end end = {.status = job->status,
        .started = job->started,
        .answer = answer,
        .detail = job->detail};
    if (job->began_ms)
        end.took_ms = er_mono_ms() - job->began_ms;
    er_buf_release(&job->frame);
    er_code_drop(job->code);
    job->code = NULL;
    job->done(job, &end);
}

/* Have the ended told, soon and from the loop. Posting never fails. */
static void kick(struct er_pool *pool)
{
    struct er_kick *k = pool->kick;
    if (k->posted)
        return;
    k->posted = true;
    er_loop_post(pool->loop, &k->post);
}

/* Mark a job as ended; its owner hears of it from the loop. */
static void end_later(struct er_pool *pool, struct er_job *job,
    enum er_tool_status status, const char *detail)
{
    job->ended = true;
    job->status = status;
    job->slot = NULL;
    size_t n = er_utf8_cut(detail, strlen(detail), sizeof job->detail - 1);
    memmove(job->detail, detail, n);
    job->detail[n] = '\0';
    append(&pool->ended, job);
    kick(pool);
}

static void end_line(struct er_pool *pool, struct er_profile *profile,
    enum er_tool_status status, const char *detail)
{
    struct er_job *job;
    while ((job = profile->waiting.first) != NULL) {
        take_out(&profile->waiting, job);
        end_later(pool, job, status, detail);
    }
}

/* No worker can be started: the next job would fare the same. */
static void fail_waiting(struct er_pool *pool, const char *detail)
{
    for (struct er_profile *p = pool->profiles; p; p = p->next)
        end_line(pool, p, ER_TOOL_NOT_RUN, detail);
}

/* ------------------------------------------------------- workers that end */

void er_pool_count_death(struct er_profile *profile)
{
    int64_t delay = 0;
    int n = ++profile->deaths;
    if (n > 1)
        delay = (int64_t)DELAY_FIRST_MS << (n > 9 ? 7 : n - 2);
    if (delay > DELAY_MOST_MS)
        delay = DELAY_MOST_MS;
    profile->not_before_ms = er_mono_ms() + delay;
}

static void free_slot(struct er_slot *slot)
{
    er_watch_stop(&slot->watch);
    er_watch_stop(&slot->err_watch);
    er_timer_stop(&slot->deadline);
    er_process_release(&slot->process);
    free(slot);
}

/* The job of a worker that is gone: say how it went. */
static void end_orphan(struct er_slot *slot)
{
    struct er_job *job = slot->job;
    struct er_process *p = &slot->process;
    struct er_buf text;
    if (!job)
        return;
    slot->job = NULL;
    er_buf_init(&text, sizeof job->detail * 2);
    er_buf_adds(&text, slot->locked ? "the worker died: "
                                    : "the worker could not start: ");
    er_process_say_end(p, &text);
    job->started = slot->locked;
    end_later(slot->pool, job, slot->locked ? ER_TOOL_DIED : ER_TOOL_NOT_RUN,
        er_buf_str(&text));
    if (!p->greeted) /* the next would fare the same */
        fail_waiting(slot->pool, er_buf_str(&text));
    else if (!slot->locked)
        end_line(slot->pool, slot->profile, ER_TOOL_NOT_RUN,
            er_buf_str(&text));
    er_buf_release(&text);
}

/* Before it is reaped, when its number is still its own: its group was
 * killed with it. */
static void forget_group(struct er_slot *slot)
{
    if (slot->profile->is_single && slot->process.pid > 0)
        er_watcher_remove(&slot->pool->watcher, slot->process.pid);
}

static void on_reap(void *ctx)
{
    struct er_pool *pool = ctx;
    int64_t now = er_mono_ms(), wait = 0;
    for (struct er_slot **at = &pool->slots, *slot; (slot = *at) != NULL;) {
        if (slot->state != ER_SLOT_DYING) {
            at = &slot->next;
            continue;
        }
        forget_group(slot);
        bool gone = er_process_reap(&slot->process, false);
        bool long_ago = now - slot->dying_ms >= DEATH_MOST_MS;
        if (gone || long_ago) {
            er_process_hear(&slot->process, pool->log);
            end_orphan(slot);
        }
        if (gone) {
            *at = slot->next;
            free_slot(slot);
            continue;
        }
        if (wait == 0 || !long_ago)
            wait = long_ago ? REAP_SLOW_MS : REAP_MS;
        at = &slot->next;
    }
    if (wait)
        er_timer_start(pool->loop, &pool->reaper, wait, on_reap, pool, NULL);
    er_pool_dispatch(pool);
}

void er_pool_end_slot(struct er_slot *slot)
{
    struct er_pool *pool = slot->pool;
    if (slot->state == ER_SLOT_DYING)
        return;
    er_process_kill(&slot->process);
    er_watch_stop(&slot->watch);
    er_timer_stop(&slot->deadline);
    close(slot->process.sock);
    slot->process.sock = -1;
    slot->state = ER_SLOT_DYING;
    slot->dying_ms = er_mono_ms();
    if (er_timer_start(pool->loop, &pool->reaper, 0, on_reap, pool, NULL) ==
        ERRAND_OK)
        return;
    forget_group(slot);
    er_process_reap(&slot->process, true); /* no memory: wait, it is short */
    end_orphan(slot);
}

/* It broke the protocol: its job ends now, for a reason we know. */
static void end_for(struct er_slot *slot, const char *reason)
{
    struct er_job *job = slot->job;
    er_log(slot->pool->log, ERRAND_LOG_ERROR, "worker %ld is killed: %s",
        (long)slot->process.pid, reason);
    slot->job = NULL;
    er_pool_count_death(slot->profile);
    er_pool_end_slot(slot);
    if (!job)
        return;
    bool ran = slot->locked;
    job->started = ran;
    end_later(slot->pool, job, ran ? ER_TOOL_DIED : ER_TOOL_NOT_RUN, reason);
    if (!slot->process.greeted)
        fail_waiting(slot->pool, reason);
    else if (!ran)
        end_line(slot->pool, slot->profile, ER_TOOL_NOT_RUN, reason);
}

/* Its socket is closed. How it ended is known once it is reaped. */
static void on_gone(struct er_slot *slot)
{
    er_pool_count_death(slot->profile);
    er_pool_end_slot(slot);
}

/* -------------------------------------------------- frames from a worker */

bool er_pool_log(const struct er_log *log, const json_t *frame)
{
    const char *text = er_json_str(frame, "log");
    json_int_t level = er_json_int(frame, "level", ERRAND_LOG_INFO);
    if (!text)
        return false;
    if (level < ERRAND_LOG_ERROR || level > ERRAND_LOG_DEBUG)
        level = ERRAND_LOG_INFO;
    struct er_buf plain;
    er_buf_init(&plain, 4000);
    if (er_text_plain(&plain, text, strlen(text)))
        er_log(log, (int)level, "tool: %s", er_buf_str(&plain));
    er_buf_release(&plain);
    return true;
}

/* Does any worker but this one work, or any job wait? */
static bool is_crowded(const struct er_slot *slot)
{
    for (struct er_slot *s = slot->pool->slots; s; s = s->next)
        if (s != slot && s->state == ER_SLOT_BUSY)
            return true;
    for (struct er_profile *p = slot->pool->profiles; p; p = p->next)
        if (p->waiting.first)
            return true;
    return false;
}

/* The worker has a job: its answer may be there before we sleep. */
static void begin_look(struct er_slot *slot)
{
    slot->given_ns = 0;
    if (is_crowded(slot) || !er_spin_begin(&slot->profile->spin))
        return;
    slot->given_ns = er_mono_ns();
    er_loop_expect(slot->pool->loop, slot->given_ns + ER_SPIN_ANSWER_NS);
}

static void end_look(struct er_slot *slot)
{
    if (slot->given_ns == 0)
        return;
    er_spin_end(&slot->profile->spin,
        er_mono_ns() - slot->given_ns <= ER_SPIN_ANSWER_NS);
    slot->given_ns = 0;
    er_loop_expect(slot->pool->loop, 0);
}

static void on_answer(struct er_slot *slot, const json_t *frame)
{
    struct er_pool *pool = slot->pool;
    struct er_job *job = slot->job;
    er_timer_stop(&slot->deadline);
    end_look(slot);
    slot->job = NULL;
    slot->state = ER_SLOT_IDLE;
    slot->profile->deaths = 0;
    slot->profile->not_before_ms = 0;
    job->slot = NULL;
    job->ended = true;
    job->status = ER_TOOL_OK;
    if (slot->profile->is_single)
        er_pool_end_slot(slot);
    er_pool_dispatch(pool); /* first: the worker has work again */
    finish(job, frame);
}

/* False: the worker was killed. */
static bool on_frame(struct er_slot *slot, const char *text, size_t len)
{
    struct errand_error err = {0};
    json_t *frame = er_json_parse(text, len, ER_JSON_STRICT, &err);
    struct er_job *job = slot->job;
    if (!json_is_object(frame)) {
        end_for(slot, frame ? "the worker sent JSON that is no object"
                            : "the worker sent something that is no JSON");
    } else if (!slot->process.greeted) {
        if (er_process_greet(&slot->process, frame, &err) != ERRAND_OK)
            end_for(slot, err.msg);
    } else if (!slot->locked) {
        if (er_profile_locked(slot, frame, &err) != ERRAND_OK)
            end_for(slot, err.msg);
    } else if (!job || er_json_int(frame, "id", 0) != job->id) {
        end_for(slot, "the worker answered what it was not asked");
    } else if (json_object_get(frame, "ask")) {
        if (!job->ask || !job->ask(job, frame, len))
            end_for(slot, "the worker asked what cannot be asked");
    } else if (json_is_true(json_object_get(frame, "listens"))) {
        job->listens = true;
    } else if (!er_pool_log(slot->pool->log, frame)) {
        on_answer(slot, frame);
    } else if (job->note) {
        job->note(job, json_pack("{s:s, s:O, s:O?}", "step", "log", "text",
            json_object_get(frame, "log"), "level",
            json_object_get(frame, "level")));
    }
    json_decref(frame);
    return slot->state != ER_SLOT_DYING;
}

static void write_more(struct er_slot *slot);

static void read_some(struct er_slot *slot)
{
    struct er_process *p = &slot->process;
    const char *text;
    size_t len;
    int got;
    ssize_t n = er_frame_recv(&p->in, p->sock);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return;
    if (n <= 0) {
        on_gone(slot);
        return;
    }
    while ((got = er_frame_next(&p->in, &text, &len)) > 0)
        if (!on_frame(slot, text, len))
            return;
    if (got < 0)
        end_for(slot, "the worker sent a frame over 16 MiB");
}

static void on_ready(void *ctx, int fd, unsigned flags)
{
    struct er_slot *slot = ctx;
    (void)fd;
    if (flags & ER_READABLE)
        read_some(slot);
    if ((flags & ER_WRITABLE) && slot->state != ER_SLOT_DYING)
        write_more(slot);
}

static void on_words(void *ctx, int fd, unsigned flags)
{
    struct er_slot *slot = ctx;
    (void)fd;
    (void)flags;
    er_process_hear(&slot->process, slot->pool->log);
    if (slot->process.err_over)
        er_watch_stop(&slot->err_watch);
}

/* Watch for reading, and for writing while something is queued. */
static bool watch(struct er_slot *slot)
{
    unsigned flags =
        ER_READABLE | (slot->process.out.len ? ER_WRITABLE : 0u);
    return er_watch_start(slot->pool->loop, &slot->watch,
               slot->process.sock, flags, on_ready, slot,
               NULL) == ERRAND_OK;
}

static void write_more(struct er_slot *slot)
{
    if (!er_process_flush(&slot->process)) {
        on_gone(slot);
        return;
    }
    if (!watch(slot))
        end_for(slot, "out of memory");
}

/* ------------------------------------------------------------ dispatching */

/* The first frame: what it may touch. It is sent without waiting. */
static bool send_lock(struct er_slot *slot)
{
    struct er_buf frame;
    er_buf_init(&frame, (size_t)ER_FRAME_MAX + ER_FRAME_HEAD);
    bool ok = er_profile_lock(slot->profile, &frame);
    if (ok) /* if it is gone already its socket says so */
        er_process_send(&slot->process, frame.data, frame.len);
    er_buf_release(&frame);
    return ok;
}

struct starting {
    struct er_slot *slot;
    struct errand_error *err;
    int rc;
};

static void start_process(void *arg)
{
    struct starting *s = arg;
    struct er_pool *pool = s->slot->pool;
    s->rc = er_process_start(
        &s->slot->process, pool->program, pool->cwd, s->err);
}

/* See that all that this worker may start ends with us. A watcher that has
 * gone is replaced, and told of the others too. */
static int watch_group(struct er_slot *slot, struct errand_error *err)
{
    struct er_pool *pool = slot->pool;
    if (!slot->profile->is_single ||
        er_watcher_add(&pool->watcher, slot->process.pid))
        return ERRAND_OK;
    er_watcher_end(&pool->watcher);
    int rc = er_watcher_start(&pool->watcher, pool->program, err);
    for (struct er_slot *s = pool->slots; rc == ERRAND_OK && s; s = s->next)
        if (s->profile->is_single && s->process.pid > 0)
            er_watcher_add(&pool->watcher, s->process.pid);
    if (rc == ERRAND_OK &&
        !er_watcher_add(&pool->watcher, slot->process.pid))
        rc = er_fail(err, ERRAND_WORKER, "the watcher over what workers "
            "start has ended");
    return rc;
}

static int start(struct er_slot *slot, struct errand_error *err)
{
    struct er_pool *pool = slot->pool;
    struct starting s = {.slot = slot, .err = err, .rc = ERRAND_OK};
    if (!pool->spawner)
        pool->spawner = er_spawner_new(err);
    if (!pool->spawner)
        return err->code;
    er_spawner_run(pool->spawner, start_process, &s);
    if (s.rc != ERRAND_OK)
        return s.rc;
    s.rc = watch_group(slot, err);
    if (s.rc != ERRAND_OK) { /* it has done nothing yet */
        er_process_kill(&slot->process);
        er_process_reap(&slot->process, true);
        er_process_release(&slot->process);
    }
    return s.rc;
}

struct er_slot *er_pool_start(struct er_pool *pool,
    struct er_profile *profile, struct errand_error *err)
{
    struct errand_error mine = {0};
    err = err ? err : &mine;
    struct er_slot *slot = calloc(1, sizeof *slot);
    if (!slot) {
        er_nomem(err);
        return NULL;
    }
    slot->pool = pool;
    slot->profile = profile;
    slot->guard = pool->guards;
    er_profile_look(profile, slot->seen);
    if (start(slot, err) != ERRAND_OK) {
        free(slot);
        return NULL;
    }
    slot->next = pool->slots;
    pool->slots = slot;
    if (!send_lock(slot) || !watch(slot) ||
        er_watch_start(pool->loop, &slot->err_watch, slot->process.err,
            ER_READABLE, on_words, slot, NULL) != ERRAND_OK) {
        er_pool_end_slot(slot);
        er_nomem(err);
        return NULL;
    }
    return slot;
}

static void on_deadline(void *ctx);

/* Give a tool that listens a moment to end by itself, once. */
static bool warn(struct er_slot *slot)
{
    struct er_job *job = slot->job;
    if (job->warned)
        return false;
    job->warned = true;
    return er_timer_start(slot->pool->loop, &slot->deadline, LISTEN_MS,
               on_deadline, slot, NULL) == ERRAND_OK;
}

static void on_deadline(void *ctx)
{
    struct er_slot *slot = ctx;
    struct er_job *job = slot->job;
    if (job && job->listens && warn(slot))
        return;
    slot->job = NULL;
    er_pool_end_slot(slot);
    if (job && job->cancelled)
        end_later(slot->pool, job, ER_TOOL_CANCELLED, "cancelled and killed");
    else if (job)
        end_later(slot->pool, job, ER_TOOL_TIMEOUT,
            "killed at its deadline, where is not known");
}

/* The code that the job needs, unless the worker has it. */
static bool send_code(struct er_slot *slot, const struct er_job *job)
{
    const struct er_code *code = job->code;
    if (!code || er_code_is_kept(&slot->codes, code->number))
        return true;
    er_code_sent(&slot->codes, code->number);
    return er_process_send(
        &slot->process, code->frame.data, code->frame.len);
}

/* Hand the job over. False: the worker is gone and never saw it. */
static bool give(struct er_slot *slot, struct er_job *job)
{
    struct er_pool *pool = slot->pool;
    if (!send_code(slot, job) ||
        !er_process_send(&slot->process, job->frame.data, job->frame.len))
        return false;
    er_buf_release(&job->frame);
    if (job->note)
        job->note(job, json_pack("{s:s, s:I, s:b, s:I}", "step", "worker",
            "pid", (json_int_t)slot->process.pid, "started", !slot->locked,
            "waited_ms", (json_int_t)(er_mono_ms() - job->queued_ms)));
    slot->process.lines = 0;
    job->slot = slot;
    job->started = true;
    job->began_ms = er_mono_ms();
    slot->job = job;
    slot->state = ER_SLOT_BUSY;
    if (!watch(slot) ||
        (job->timeout_ms > 0 &&
            er_timer_start(pool->loop, &slot->deadline,
                job->timeout_ms + GRACE_MS, on_deadline, slot,
                NULL) != ERRAND_OK))
        end_for(slot, "out of memory");
    else
        begin_look(slot);
    return true;
}

void er_pool_tell(struct er_pool *pool, struct er_job *job,
    const char *frames, size_t len)
{
    struct er_slot *slot = job->slot;
    (void)pool;
    if (!slot || slot->job != job || slot->state != ER_SLOT_BUSY)
        return;
    if (!er_process_send(&slot->process, frames, len))
        on_gone(slot);
    else if (!watch(slot))
        end_for(slot, "out of memory");
}

struct er_slot *er_pool_idle(
    struct er_pool *pool, const struct er_profile *profile)
{
    for (struct er_slot *s = pool->slots; s; s = s->next) {
        if (s->state != ER_SLOT_IDLE || s->profile != profile)
            continue;
        if (er_profile_is_current(s))
            return s;
        er_pool_end_slot(s); /* a root of it was replaced, or came to be */
    }
    return NULL;
}

bool er_pool_has_room(struct er_pool *pool, const struct er_profile *profile,
    struct er_slot **spare)
{
    int own = 0, lua = 0;
    *spare = NULL;
    for (struct er_slot *s = pool->slots; s; s = s->next) {
        if (s->state == ER_SLOT_DYING)
            continue;
        own += s->profile == profile;
        bool counts = s->profile->is_lua && !s->profile->is_script;
        lua += counts;
        bool other = s->profile != profile && counts;
        if (other && s->state == ER_SLOT_IDLE &&
            (!*spare || !s->profile->waiting.first))
            *spare = s; /* the last is the one that began first */
    }
    if (profile->is_script)
        return true;
    if (!profile->is_lua)
        return own == 0;
    return lua < pool->max;
}

static void on_retry(void *ctx)
{
    struct er_profile *profile = ctx;
    er_timer_stop(&profile->retry);
    er_pool_dispatch(profile->pool);
}

/* Is the profile to wait before it starts another worker? */
static bool is_early(struct er_profile *profile)
{
    int64_t early = profile->not_before_ms - er_mono_ms();
    if (early <= 0)
        return false;
    if (er_timer_start(profile->pool->loop, &profile->retry, early, on_retry,
            profile, NULL) != ERRAND_OK)
        end_line(profile->pool, profile, ER_TOOL_NOT_RUN, "out of memory");
    return true;
}

/* Has the profile a worker at all? Then its jobs' turn will come. */
static bool has_worker(struct er_pool *pool, const struct er_profile *profile)
{
    for (struct er_slot *s = pool->slots; s; s = s->next)
        if (s->profile == profile && s->state != ER_SLOT_DYING)
            return true;
    return false;
}

/* A worker for the profile's next job; NULL: none now. */
static struct er_slot *find_worker(
    struct er_pool *pool, struct er_profile *profile)
{
    struct errand_error err = {0};
    struct er_slot *slot = er_pool_idle(pool, profile), *spare;
    if (slot)
        return slot;
    bool room = er_pool_has_room(pool, profile, &spare);
    if (!room && !(spare && profile->is_lua))
        return NULL;
    if (!room && spare->profile->waiting.first &&
        er_mono_ms() - profile->waiting.first->queued_ms < PATIENCE_MS)
        return NULL; /* it has work: soon it answers again */
    if (is_early(profile))
        return NULL;
    if (!room)
        er_pool_end_slot(spare);
    slot = er_pool_start(pool, profile, &err);
    if (slot)
        return slot;
    er_pool_count_death(profile);
    if (!has_worker(pool, profile))
        end_line(pool, profile, ER_TOOL_NOT_RUN, err.msg);
    else
        is_early(profile);
    return NULL;
}

/* Give the profile's jobs to workers as long as there are some. True: one
 * was given. */
static bool serve(struct er_pool *pool, struct er_profile *profile)
{
    struct er_line *line = &profile->waiting;
    struct er_slot *slot = find_worker(pool, profile);
    struct er_job *job = line->first;
    if (!slot || !job)
        return false;
    take_out(line, job);
    if (give(slot, job))
        return true;
    on_gone(slot); /* an idle worker died: the job goes to another */
    job->next = line->first;
    if (job->next)
        job->next->prev = job;
    else
        line->last = job;
    line->first = job;
    return true;
}

/* Of those profiles with jobs whose first was submitted after turn: the one
 * whose was submitted first. */
static struct er_profile *next_in_turn(struct er_pool *pool, uint64_t turn)
{
    struct er_profile *next = NULL;
    for (struct er_profile *p = pool->profiles; p; p = p->next) {
        const struct er_job *job = p->waiting.first;
        if (job && job->turn > turn &&
            (!next || job->turn < next->waiting.first->turn))
            next = p;
    }
    return next;
}

void er_pool_dispatch(struct er_pool *pool)
{
    uint64_t turn = 0;
    struct er_profile *p;
    while ((p = next_in_turn(pool, turn)) != NULL) {
        uint64_t own = p->waiting.first->turn;
        if (!serve(pool, p))
            turn = own; /* those behind may have workers */
    }
}

/* Tell those that have ended; those that end meanwhile come next time. */
static void tell_ended(struct er_pool *pool)
{
    struct er_job *last = pool->ended.last, *job;
    while (last && (job = pool->ended.first) != NULL) {
        bool was_last = job == last;
        take_out(&pool->ended, job);
        finish(job, NULL);
        if (was_last)
            break;
    }
    if (pool->ended.first)
        kick(pool);
    er_pool_dispatch(pool);
}

static void on_kick(void *ctx)
{
    struct er_kick *k = ctx;
    k->posted = false;
    if (k->pool)
        tell_ended(k->pool);
    else
        free(k); /* the pool went away meanwhile */
}

/* The loop goes away with the kick under way; the pool went before. */
static void on_kick_dropped(void *ctx) { free(ctx); }

int64_t er_pool_next_id(struct er_pool *pool) { return ++pool->last_id; }

void er_pool_submit(struct er_pool *pool, struct er_job *job)
{
    job->slot = NULL;
    job->started = job->ended = false;
    job->listens = job->warned = job->cancelled = false;
    job->began_ms = 0;
    job->detail[0] = '\0';
    job->queued_ms = er_mono_ms();
    job->turn = ++pool->turns;
    append(&job->profile->waiting, job);
    er_pool_dispatch(pool);
}

/* False: it has had its time, or is gone. */
static bool tell_cancelled(struct er_slot *slot)
{
    struct er_buf out;
    struct er_job *job = slot->job;
    job->warned = false; /* this time begins now */
    job->cancelled = true;
    er_buf_init(&out, 200);
    size_t token = er_frame_begin(&out);
    er_buf_addf(
        &out, "{\"id\":%lld,\"op\":\"cancel\"}", (long long)job->id);
    bool sent = er_frame_end(&out, token) &&
                er_process_send(&slot->process, out.data, out.len) &&
                watch(slot) && warn(slot);
    er_buf_release(&out);
    return sent;
}

void er_pool_cancel(struct er_pool *pool, struct er_job *job)
{
    struct er_slot *slot = job->slot;
    if (job->ended)
        return;
    if (!slot) {
        take_out(&job->profile->waiting, job);
        end_later(pool, job, ER_TOOL_CANCELLED, "cancelled before it began");
        return;
    }
    if (job->listens && !job->cancelled && tell_cancelled(slot))
        return;
    slot->job = NULL;
    er_pool_end_slot(slot);
    end_later(pool, job, ER_TOOL_CANCELLED, "cancelled and killed");
}

void er_pool_retire(struct er_pool *pool, struct er_profile *profile)
{
    for (struct er_slot *s = pool->slots; s; s = s->next)
        if (s->profile == profile && s->state == ER_SLOT_IDLE)
            er_pool_end_slot(s);
}

/* --------------------------------------------------------------- life */

struct er_pool *er_pool_new(struct er_loop *loop, const char *program,
    const char *cwd, int max, const struct er_log *log,
    struct errand_error *err)
{
    struct er_pool *pool = calloc(1, sizeof *pool);
    struct er_kick *k = calloc(1, sizeof *k);
    if (!pool || !k) {
        free(pool);
        free(k);
        er_nomem(err);
        return NULL;
    }
    k->pool = pool;
    k->post = (struct er_post){
        .run = on_kick, .cancel = on_kick_dropped, .ctx = k};
    pool->kick = k;
    pool->loop = loop;
    pool->program = program;
    pool->cwd = cwd;
    pool->max = max;
    pool->log = log;
    return pool;
}

/* Nothing waits any more: close the sockets of the idle, kill the busy. */
static void dismiss(struct er_pool *pool)
{
    for (struct er_slot *s = pool->slots; s; s = s->next) {
        struct er_job *job = s->job;
        if (s->state != ER_SLOT_IDLE)
            er_process_kill(&s->process);
        er_watch_stop(&s->watch);
        if (s->process.sock >= 0)
            close(s->process.sock);
        s->process.sock = -1;
        s->job = NULL;
        if (job)
            end_later(pool, job, ER_TOOL_CANCELLED, "cancelled and killed");
    }
}

static bool all_reaped(struct er_pool *pool)
{
    bool all = true;
    for (struct er_slot *s = pool->slots; s; s = s->next) {
        er_process_hear(&s->process, pool->log);
        all = er_process_reap(&s->process, false) && all;
    }
    return all;
}

static void wait_for_all(struct er_pool *pool)
{
    static const struct timespec tick = {.tv_nsec = 200 * 1000};
    int64_t until = er_mono_ms() + LEAVE_MS;
    while (!all_reaped(pool) && er_mono_ms() < until)
        nanosleep(&tick, NULL);
    for (struct er_slot *s = pool->slots; s; s = s->next) {
        er_process_kill(&s->process);
        er_process_reap(&s->process, true);
    }
}

void er_pool_free(struct er_pool *pool)
{
    struct er_job *job;
    if (!pool)
        return;
    for (struct er_profile *p = pool->profiles; p; p = p->next)
        end_line(pool, p, ER_TOOL_CANCELLED, "cancelled before it began");
    dismiss(pool);
    while ((job = pool->ended.first) != NULL) {
        take_out(&pool->ended, job);
        finish(job, NULL);
    }
    wait_for_all(pool);
    while (pool->slots) {
        struct er_slot *slot = pool->slots;
        pool->slots = slot->next;
        free_slot(slot);
    }
    er_spawner_free(pool->spawner);
    er_watcher_end(&pool->watcher);
    pool->kick->pool = NULL;
    if (!pool->kick->posted)
        free(pool->kick);
    er_timer_stop(&pool->reaper);
    er_profiles_free(pool);
    free(pool);
}
