/* Asking a worker and waiting for it, beside the loop: for loading tools and
 * the configuration, when nothing runs yet. The worker stays in the pool. */
#include "pool.h"

#include "base/clock.h"
#include "pool_parts.h"

#include <errno.h>
#include <poll.h>

enum {
    GRACE_MS = 500,
    WAKE_MS = 5000,
    AHEAD = 4, /* questions on their way: each may bring 6 MiB of code */
};

static struct er_slot *borrow(struct er_pool *pool,
    struct er_profile *profile, struct errand_error *err)
{
    struct er_slot *slot = er_pool_idle(pool, profile), *spare;
    if (!slot) { /* busy ones are not waited for: one more for a moment */
        if (!er_pool_has_room(pool, profile, &spare) && spare)
            er_pool_end_slot(spare);
        slot = er_pool_start(pool, profile, err);
    }
    if (slot)
        slot->state = ER_SLOT_LENT;
    return slot;
}

/* Wait until the socket or standard error has something to say. */
static int wait_for(struct er_process *p, const struct er_log *log,
    int64_t until_ms, struct errand_error *err)
{
    short out = p->out.len ? POLLOUT : 0;
    struct pollfd fds[2] = {{.fd = p->sock, .events = (short)(POLLIN | out)},
        {.fd = p->err_over ? -1 : p->err, .events = POLLIN}};
    int64_t left = until_ms - er_mono_ms();
    if (left <= 0)
        return er_fail(err, ERRAND_TIMEOUT, "the worker gave no answer");
    int n = poll(fds, 2, left > 1000 ? 1000 : (int)left);
    if (n < 0 && errno != EINTR)
        return er_fail_errno(err, ERRAND_WORKER, "cannot wait for a worker");
    if (n > 0 && fds[1].revents)
        er_process_hear(p, log);
    return ERRAND_OK;
}

/* How a worker that closed its socket came to its end. */
static int fail_gone(struct er_slot *slot, struct errand_error *err)
{
    struct er_process *p = &slot->process;
    struct er_buf text;
    er_buf_init(&text, 600);
    er_process_kill(p);
    er_process_reap(p, true);
    er_process_hear(p, slot->pool->log);
    er_process_say_end(p, &text);
    er_fail(err, ERRAND_WORKER, "%s %s: %s", slot->pool->program,
        slot->locked ? "died" : "could not start", er_buf_str(&text));
    er_buf_release(&text);
    return ERRAND_WORKER;
}

/* The frame that answers id among those that came; NULL: not yet, or *rc. */
static json_t *take_answer(
    struct er_slot *slot, int64_t id, int *rc, struct errand_error *err)
{
    struct er_process *p = &slot->process;
    const char *text;
    size_t len;
    int got;
    while ((got = er_frame_next(&p->in, &text, &len)) > 0) {
        struct errand_error why = {0};
        json_t *frame = er_json_parse(text, len, ER_JSON_STRICT, &why);
        if (!frame && why.code == ERRAND_NOMEM) {
            *rc = er_nomem(err);
        } else if (!json_is_object(frame)) {
            *rc = er_fail(err, ERRAND_PROTOCOL,
                "the worker sent something that is no JSON object");
        } else if (!p->greeted) {
            *rc = er_process_greet(p, frame, err);
        } else if (!slot->locked) {
            *rc = er_profile_locked(slot, frame, err);
        } else if (er_json_int(frame, "id", 0) != id) {
            *rc = er_fail(err, ERRAND_PROTOCOL,
                "the worker answered what it was not asked");
        } else if (json_object_get(frame, "ask")) {
            *rc = er_fail(err, ERRAND_PROTOCOL,
                "nothing can be asked while a file is loaded");
        } else if (!er_pool_log(slot->pool->log, frame)) {
            return frame;
        }
        json_decref(frame);
        if (*rc != ERRAND_OK)
            return NULL;
    }
    if (got < 0)
        *rc = er_fail(err, ERRAND_PROTOCOL,
            "the worker sent a frame over 16 MiB");
    return NULL;
}

/* Wait until the worker has said more, and take it in. */
static int hear_more(
    struct er_slot *slot, int64_t until_ms, struct errand_error *err)
{
    struct er_process *p = &slot->process;
    int rc = wait_for(p, slot->pool->log, until_ms, err);
    if (rc != ERRAND_OK)
        return rc;
    ssize_t n = er_frame_recv(&p->in, p->sock);
    bool later = n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    if ((n <= 0 && !later) || !er_process_flush(p))
        return fail_gone(slot, err);
    return ERRAND_OK;
}

/* Wait for the answer to one question. NULL: *rc says why not. */
static json_t *wait_answer(struct er_slot *slot, int64_t id,
    int64_t until_ms, int *rc, struct errand_error *err)
{
    json_t *answer = take_answer(slot, id, rc, err); /* came already? */
    while (!answer && *rc == ERRAND_OK) {
        *rc = hear_more(slot, until_ms, err);
        if (*rc == ERRAND_OK)
            answer = take_answer(slot, id, rc, err);
    }
    return answer;
}

int er_pool_wake(struct er_pool *pool, struct er_profile *profile,
    struct errand_error *err)
{
    int rc = ERRAND_OK;
    int64_t until = er_mono_ms() + WAKE_MS;
    struct er_slot *slot = borrow(pool, profile, err);
    if (!slot)
        return ERRAND_WORKER;
    while (rc == ERRAND_OK && !slot->locked) {
        rc = hear_more(slot, until, err);
        if (rc == ERRAND_OK) /* nothing was asked: no answer is ours */
            json_decref(take_answer(slot, -1, &rc, err));
    }
    if (rc == ERRAND_OK)
        slot->state = ER_SLOT_IDLE;
    else
        er_pool_end_slot(slot);
    er_pool_dispatch(pool);
    return rc;
}

/* Send the question and the code it is about. False: the worker is gone. */
static bool send_question(
    struct er_slot *slot, const struct er_questions *q, size_t i)
{
    size_t from = i ? q->ends[i - 1] : 0;
    if (q->codes)
        er_code_sent(&slot->codes, q->codes[i]->number);
    return er_process_send(
        &slot->process, q->frames.data + from, q->ends[i] - from);
}

/* Ask one worker from question at on, some ahead of the answers. Where it
 * stopped answering: n, or the question that did it, and err. One that takes
 * no more questions may have answered those before: they are read first. */
static size_t ask_slot(struct er_slot *slot, const struct er_questions *q,
    size_t at, er_answer_fn fn, void *ctx, struct errand_error *err)
{
    bool hears = true;
    for (size_t sent = at; at < q->n; at++) {
        int rc = ERRAND_OK;
        while (hears && sent < q->n && sent < at + AHEAD) {
            hears = send_question(slot, q, sent);
            sent += hears;
        }
        if (sent == at) {
            fail_gone(slot, err);
            return at;
        }
        int64_t until = er_mono_ms() + q->timeout_ms + GRACE_MS;
        json_t *answer = wait_answer(
            slot, q->first_id + (int64_t)at, until, &rc, err);
        if (!answer)
            break;
        fn(ctx, at, answer, NULL);
        json_decref(answer);
    }
    return at;
}

void er_pool_ask(struct er_pool *pool, const struct er_questions *q,
    er_answer_fn fn, void *ctx)
{
    size_t at = 0;
    while (at < q->n) {
        struct errand_error err = {0};
        struct er_slot *slot = borrow(pool, q->profile, &err);
        bool locked = false;
        if (slot) {
            at = ask_slot(slot, q, at, fn, ctx, &err);
            locked = slot->locked;
            if (at < q->n)
                er_pool_end_slot(slot);
            else
                slot->state = ER_SLOT_IDLE;
        }
        if (at < q->n)
            fn(ctx, at++, NULL, &err);
        while (!locked && at < q->n) /* the next would fare the same */
            fn(ctx, at++, NULL, &err);
    }
    er_pool_dispatch(pool); /* jobs may have come in line meanwhile */
}
