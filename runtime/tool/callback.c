/* Tools of the embedding program: run on the loop's thread, answered from
 * any thread, now or later or too late.
 *
 * A call is held by two sides: the runtime until it told the outcome, the
 * embedding program until it answered. Whoever lets go last frees it; so an
 * answer after the deadline, or after the runtime was closed, is harmless.
 * The hub is what outlives the runtime for such answers: it knows whether
 * there still is a loop to post to.
 */
#include "callback.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* ----------------------------------------------------------- holding on */

void er_hub_let_go(struct er_hub *hub)
{
    if (atomic_fetch_sub(&hub->holders, 1) != 1)
        return;
    pthread_mutex_destroy(&hub->lock);
    free(hub);
}

void er_hub_hold(struct er_hub *hub)
{
    atomic_fetch_add(&hub->holders, 1);
}

static void release(errand_call *c)
{
    if (atomic_fetch_sub(&c->holders, 1) != 1)
        return;
    er_hub_let_go(c->hub);
    free(c->key);
    free(c->args);
    free(c->text);
    free(c);
}

struct er_hub *er_hub_new(struct er_loop *loop)
{
    struct er_hub *hub = calloc(1, sizeof *hub);
    if (!hub)
        return NULL;
    atomic_init(&hub->holders, 1);
    pthread_mutex_init(&hub->lock, NULL);
    hub->loop = loop;
    return hub;
}

/* Post to the loop, if there still is one. */
bool er_hub_post(struct er_hub *hub, struct er_post *node)
{
    pthread_mutex_lock(&hub->lock);
    bool open = hub->loop != NULL;
    if (open)
        er_loop_post(hub->loop, node);
    pthread_mutex_unlock(&hub->lock);
    return open;
}

/* --------------------------------------------------------- telling, once */

static void unlink_call(errand_call *c)
{
    if (c->prev)
        c->prev->next = c->next;
    else
        c->hub->calls = c->next;
    if (c->next)
        c->next->prev = c->prev;
    c->next = c->prev = NULL;
}

/* Tell the outcome and let go. [the loop's thread] */
static void tell(errand_call *c, enum er_tool_status status,
    const char *text, size_t len, const char *detail)
{
    er_tool_call *call = c->call;
    struct er_tool_outcome o = {.status = status,
        .text = text,
        .len = len,
        .detail = detail,
        .started = c->began_ms > 0};
    if (c->began_ms)
        o.took_ms = er_mono_ms() - c->began_ms;
    c->call = NULL;
    atomic_store(&c->over, true);
    er_timer_stop(&c->deadline);
    unlink_call(c);
    er_services_drop(call);
    er_callback_end_question(c, NULL, "the call is over");
    er_call_hand_over(call, &o);
    release(c);
}

static void tell_text(errand_call *c, enum er_tool_status status,
    const char *text, const char *detail)
{
    tell(c, status, text, strlen(text), detail);
}

/* -------------------------------------------------- answers, any thread */

static void on_answer(void *ctx)
{
    errand_call *c = ctx;
    if (c->call && !c->cancelled) {
        if (!c->text)
            tell_text(c, ER_TOOL_FAILED,
                "the result is over 16 MiB, or memory ran out", "");
        else
            tell(c, c->failed ? ER_TOOL_FAILED : ER_TOOL_OK, c->text,
                c->len, "");
    }
    release(c); /* the answering side's hold */
}

/* The loop went away with the answer under way. */
static void on_answer_dropped(void *ctx) { release(ctx); }

/* A copy that is valid UTF-8; NULL if it is too long. */
static char *copy_text(const char *text, size_t len, size_t *out_len)
{
    struct er_buf b;
    er_buf_init(&b, ER_TOOL_RESULT_MOST);
    er_text_scrub(&b, text, len);
    return er_buf_take(&b, out_len);
}

static void answer(
    errand_call *c, const char *text, size_t len, bool failed)
{
    c->text = copy_text(text, len, &c->len);
    c->failed = failed;
    c->answer = (struct er_post){
        .run = on_answer, .cancel = on_answer_dropped, .ctx = c};
    if (!er_hub_post(c->hub, &c->answer))
        release(c);
}

void errand_call_reply(errand_call *call, const char *text, size_t len)
{
    answer(call, text ? text : "", text ? len : 0, false);
}

void errand_call_fail(errand_call *call, const char *message)
{
    if (!message || !*message)
        message = "the tool failed";
    answer(call, message, strlen(message), true);
}

const char *errand_call_key(const errand_call *call) { return call->key; }

int64_t er_callback_timeout_ms(const errand_call *c)
{
    return c->timeout_ms;
}

uint32_t er_callback_attempt(const errand_call *c) { return c->attempt; }

bool er_callback_is_over(const errand_call *c)
{
    return atomic_load(&c->over);
}

/* -------------------------------------------------- starting, on the loop */

static void on_deadline(void *ctx)
{
    errand_call *c = ctx;
    if (c->cancelled)
        tell_text(c, ER_TOOL_CANCELLED, "the call was cancelled",
            c->began_ms ? "cancelled" : "cancelled before it began");
    else
        tell_text(c, ER_TOOL_TIMEOUT,
            "the tool took too long and is not waited for any more",
            "the callback did not answer in time");
}

/* The start was posted and will not come: both sides let go. */
static void on_start_dropped(void *ctx) { release(ctx); }

static void on_start(void *ctx)
{
    errand_call *c = ctx;
    if (!c->call || c->cancelled) { /* the embedder never heard of it */
        release(c);
        return;
    }
    const struct er_entry *entry = (const struct er_entry *)c->call->tool;
    char *args = c->args;
    c->args = NULL; /* c may be gone when run returns */
    c->began_ms = er_mono_ms();
    if (er_timer_start(c->hub->loop, &c->deadline, c->timeout_ms,
            on_deadline, c, NULL) != ERRAND_OK) {
        c->began_ms = 0;
        tell_text(c, ER_TOOL_NOT_RUN, "out of memory", "no timer");
        release(c);
    } else {
        entry->run(entry->user, c, args, c->args_len);
    }
    free(args);
}

int er_callback_start(struct er_hub *hub, er_tool_call *call,
    const struct er_tool_request *req, struct errand_error *err)
{
    errand_call *c = calloc(1, sizeof *c);
    if (!c)
        return er_nomem(err);
    c->key = er_strdup(req->idem_key ? req->idem_key : "");
    c->args = req->arguments ? er_json_text(req->arguments)
                             : er_strdup("{}");
    if (!c->key || !c->args) {
        free(c->key);
        free(c->args);
        free(c);
        return er_nomem(err);
    }
    c->args_len = strlen(c->args);
    c->attempt = req->attempt > 0 ? (uint32_t)req->attempt : 1;
    atomic_init(&c->over, false);
    atomic_init(&c->holders, 2);
    er_hub_hold(hub);
    c->hub = hub;
    c->call = call;
    c->timeout_ms =
        req->timeout_ms > 0 ? req->timeout_ms : req->tool->timeout_ms;
    call->callback = c;
    c->next = hub->calls;
    if (hub->calls)
        hub->calls->prev = c;
    hub->calls = c;
    c->start = (struct er_post){
        .run = on_start, .cancel = on_start_dropped, .ctx = c};
    er_loop_post(hub->loop, &c->start);
    return ERRAND_OK;
}

void er_callback_cancel(errand_call *c)
{
    c->cancelled = true;
    atomic_store(&c->over, true);
    if (er_timer_start(c->hub->loop, &c->deadline, 0, on_deadline, c,
            NULL) != ERRAND_OK)
        on_deadline(c); /* no memory for a timer: at once, then */
}

void er_hub_close(struct er_hub *hub)
{
    if (!hub)
        return;
    pthread_mutex_lock(&hub->lock);
    hub->loop = NULL;
    pthread_mutex_unlock(&hub->lock);
    while (hub->calls)
        tell_text(hub->calls, ER_TOOL_CANCELLED, "the call was cancelled",
            hub->calls->began_ms ? "the runtime was closed"
                                 : "cancelled before it began");
    er_hub_let_go(hub);
}
