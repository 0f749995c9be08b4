/* Feed the chat reader and write down what it says, for tests and fuzzing. */
#ifndef ERRAND_TESTS_SUPPORT_CHAT_KIT_H
#define ERRAND_TESTS_SUPPORT_CHAT_KIT_H

#include "base/buf.h"
#include "engine/chat_parse.h"

#include <stdlib.h>
#include <string.h>

struct chat_log {
    struct er_buf content, reasoning, calls; /* calls: "name args id\n" */
    size_t n_calls;
    bool empty_text; /* an event without bytes came */
};

static inline void chat_log_init(struct chat_log *l)
{
    memset(l, 0, sizeof *l);
    er_buf_init(&l->content, 1u << 28);
    er_buf_init(&l->reasoning, 1u << 28);
    er_buf_init(&l->calls, 1u << 28);
}

static inline void chat_log_release(struct chat_log *l)
{
    er_buf_release(&l->content);
    er_buf_release(&l->reasoning);
    er_buf_release(&l->calls);
}

static inline void chat_log_text(void *ctx, const char *text, size_t len)
{
    struct chat_log *l = ctx;
    er_buf_add(&l->content, text, len);
    l->empty_text = l->empty_text || len == 0;
}

static inline void chat_log_reasoning(void *ctx, const char *text, size_t len)
{
    struct chat_log *l = ctx;
    er_buf_add(&l->reasoning, text, len);
    l->empty_text = l->empty_text || len == 0;
}

static inline void chat_log_call(void *ctx, const struct er_chat_call *call)
{
    struct chat_log *l = ctx;
    er_buf_adds(&l->calls, call->name);
    er_buf_addc(&l->calls, ' ');
    er_buf_add(&l->calls, call->arguments, call->arguments_len);
    if (call->id) {
        er_buf_addc(&l->calls, ' ');
        er_buf_adds(&l->calls, call->id);
    }
    er_buf_addc(&l->calls, '\n');
    l->n_calls++;
}

static const struct er_chat_events chat_log_events = {
    .text = chat_log_text,
    .reasoning = chat_log_reasoning,
    .call = chat_log_call,
};

static inline bool chat_same(const struct er_buf *a, const struct er_buf *b)
{
    return a->len == b->len &&
           (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

/* Is a the beginning of b? */
static inline bool chat_begins(const struct er_buf *a, const struct er_buf *b)
{
    return a->len <= b->len &&
           (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

static inline bool chat_log_same(
    const struct chat_log *a, const struct chat_log *b)
{
    return chat_same(&a->content, &b->content) &&
           chat_same(&a->reasoning, &b->reasoning) &&
           chat_same(&a->calls, &b->calls) && !a->empty_text;
}

/* All of b's events so far are a beginning of a's. */
static inline bool chat_log_begins(
    const struct chat_log *part, const struct chat_log *whole)
{
    return chat_begins(&part->content, &whole->content) &&
           chat_begins(&part->reasoning, &whole->reasoning) &&
           chat_begins(&part->calls, &whole->calls);
}

#endif
