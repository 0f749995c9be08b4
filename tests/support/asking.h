/* Asking a model in tests: start an exchange, drive the loop to its end,
 * keep what came. */
#ifndef ERRAND_TESTS_SUPPORT_ASKING_H
#define ERRAND_TESTS_SUPPORT_ASKING_H

#include "base/buf.h"
#include "base/clock.h"
#include "model/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* For whatever ends by itself: busy machines are slow. */
enum { ASKING_MOST_MS = 60000 };

struct asking {
    struct er_loop *loop;
    er_models *models;
    er_exchange *x;
    struct er_buf text, reasoning, calls; /* calls: "name(arguments)id;" */
    int pieces, call_count, usages, retries, ends;
    bool id_made;
    int64_t began_ms, took_ms; /* of the whole */
    int64_t delay_ms;          /* of the last retry */
    struct er_usage usage;
    enum er_finish finish;
    char extra[400];
    struct errand_error error, retry_error;
    int cancel_at; /* cancel in the n-th event, from 1; 0: never */
    int events;
    bool cancelled;
    bool stream; /* of the next request */
};

static inline void asking_event(void *ctx, const struct er_model_event *ev)
{
    struct asking *a = ctx;
    if (a->ends > 0)
        abort(); /* nothing comes after the end */
    if (ev->type == ER_MODEL_TEXT) {
        a->pieces++;
        er_buf_add(&a->text, ev->text, ev->len);
    } else if (ev->type == ER_MODEL_REASONING) {
        er_buf_add(&a->reasoning, ev->text, ev->len);
    } else if (ev->type == ER_MODEL_CALL) {
        a->call_count++;
        a->id_made = ev->call->id_made;
        er_buf_addf(&a->calls, "%s(%.*s)%s;", ev->call->name,
            (int)ev->call->arguments_len, ev->call->arguments,
            ev->call->id);
    } else if (ev->type == ER_MODEL_USAGE) {
        a->usages++;
        a->usage = *ev->usage;
    } else if (ev->type == ER_MODEL_RETRY) {
        a->retries++;
        a->delay_ms = ev->delay_ms;
        a->retry_error = *ev->error;
    } else {
        a->ends++;
        a->took_ms = er_mono_ms() - a->began_ms;
        if (ev->type == ER_MODEL_ERROR) {
            a->error = *ev->error;
        } else {
            a->finish = ev->finish;
            char *extra = ev->extra ? er_json_text(ev->extra) : NULL;
            snprintf(a->extra, sizeof a->extra, "%s", extra ? extra : "");
            free(extra);
        }
        er_loop_stop(a->loop);
    }
    if (++a->events == a->cancel_at) {
        er_model_cancel(a->x);
        a->cancelled = true;
        er_loop_stop(a->loop);
    }
}

static inline void asking_reset(struct asking *a)
{
    struct asking fresh = {.loop = a->loop,
        .models = a->models,
        .cancel_at = a->cancel_at,
        .stream = a->stream};
    er_buf_release(&a->text);
    er_buf_release(&a->reasoning);
    er_buf_release(&a->calls);
    *a = fresh;
    er_buf_init(&a->text, 64 << 20);
    er_buf_init(&a->reasoning, 64 << 20);
    er_buf_init(&a->calls, 64 << 20);
}

static inline int asking_begin(struct asking *a, const char *model,
    const char *messages, const char *tools)
{
    struct er_sampling s = {.max_tokens = 256,
        .temperature = 0.6,
        .top_p = -1,
        .top_k = -1,
        .repetition_penalty = -1,
        .frequency_penalty = -1,
        .presence_penalty = -1};
    asking_reset(a);
    struct er_model_request req = {.sampling = &s,
        .stream = a->stream,
        .session_key = "conversation-1"};
    req.messages = er_json_parse(
        messages, strlen(messages), ER_JSON_STRICT, &a->error);
    if (tools)
        req.tools =
            er_json_parse(tools, strlen(tools), ER_JSON_STRICT, &a->error);
    a->began_ms = er_mono_ms();
    int rc = er_model_start(
        a->models, model, &req, asking_event, a, &a->x, &a->error);
    json_decref(req.messages);
    json_decref(req.tools);
    if (a->events > 0)
        abort(); /* nothing from inside the start */
    return rc;
}

/* To the end or for limit_ms; true if it ended. */
static inline bool asking_end(struct asking *a, int64_t limit_ms)
{
    int64_t began = er_mono_ms();
    while (a->ends == 0 && !a->cancelled &&
           er_mono_ms() - began < limit_ms)
        er_loop_run(a->loop, limit_ms);
    return a->ends > 0;
}

static inline bool ask(
    struct asking *a, const char *model, const char *messages)
{
    return asking_begin(a, model, messages, NULL) == 0 &&
           asking_end(a, ASKING_MOST_MS);
}

static inline void asking_open(struct asking *a, const char *config,
    const char *replay, const char *record)
{
    json_t *c = NULL;
    *a = (struct asking){.loop = er_loop_new(&a->error)};
    if (config)
        c = er_json_parse(config, strlen(config), ER_JSON_STRICT, &a->error);
    a->models =
        er_models_new(a->loop, c, replay, record, NULL, &a->error);
    json_decref(c);
}

static inline void asking_close(struct asking *a)
{
    er_models_free(a->models);
    a->models = NULL;
    asking_reset(a);
    er_buf_release(&a->text);
    er_buf_release(&a->reasoning);
    er_buf_release(&a->calls);
    er_loop_free(a->loop);
    a->loop = NULL;
}

#endif
