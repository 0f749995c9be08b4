/* Questions from threads of this process to the services on the loop: posted
 * there, and waited for. What goes between the threads is copied, so that
 * each holds values of its own. */
#include "callback.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* On the asking thread's stack until it is done. */
struct er_question {
    struct er_post post;
    errand_call *call;
    json_t *frame; /* {"ask","n","params"} */
    size_t len;
    pthread_mutex_t lock; /* over what follows */
    pthread_cond_t changed;
    bool done;
    json_t *value;
    struct er_buf *why;
};

static void end(struct er_question *q, const json_t *value, const char *why)
{
    json_t *copy = value ? json_deep_copy(value) : NULL;
    pthread_mutex_lock(&q->lock);
    q->value = copy;
    if (value && !copy)
        why = "out of memory for the answer";
    if (!copy && why)
        er_buf_add(q->why, why, er_utf8_cut(why, strlen(why), 3000));
    json_decref(q->frame);
    q->frame = NULL;
    q->done = true;
    pthread_cond_signal(&q->changed); /* the lock is held: q is still there */
    pthread_mutex_unlock(&q->lock);
}

void er_callback_end_question(
    errand_call *c, const json_t *value, const char *why)
{
    struct er_question *q = c->question;
    c->question = NULL;
    if (q)
        end(q, value, why);
}

static void on_question(void *ctx)
{
    struct er_question *q = ctx;
    errand_call *c = q->call;
    if (!c->call || c->cancelled) {
        end(q, NULL, "the call was cancelled");
        return;
    }
    c->question = q;
    json_t *frame = json_incref(q->frame); /* the answer may come at once */
    if (!er_services_ask(c->call, frame, q->len))
        er_callback_end_question(c, NULL, "it cannot be asked so");
    json_decref(frame);
}

static void on_dropped(void *ctx)
{
    end(ctx, NULL, "the runtime was closed");
}

static void wait_for(struct er_question *q)
{
    pthread_mutex_lock(&q->lock);
    while (!q->done)
        pthread_cond_wait(&q->changed, &q->lock);
    pthread_mutex_unlock(&q->lock);
}

json_t *er_callback_ask(errand_call *c, const char *service, json_t *params,
    struct er_buf *why)
{
    char *text = er_json_text(params);
    struct er_question q = {.call = c, .why = why};
    q.len = text ? strlen(text) : 0;
    q.frame = json_pack("{s:s,s:i,s:o}", "ask", service, "n", 1, "params",
        params);
    q.post = (struct er_post){
        .run = on_question, .cancel = on_dropped, .ctx = &q};
    free(text);
    if (!q.frame || q.len == 0) {
        json_decref(q.frame);
        er_buf_adds(why, "out of memory for the question");
        return NULL;
    }
    pthread_mutex_init(&q.lock, NULL);
    pthread_cond_init(&q.changed, NULL);
    if (er_hub_post(c->hub, &q.post))
        wait_for(&q);
    else
        end(&q, NULL, "the runtime was closed");
    pthread_cond_destroy(&q.changed);
    pthread_mutex_destroy(&q.lock);
    return q.value;
}
