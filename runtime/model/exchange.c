/* The shared life of exchanges: listed, emitting, cancelled. */
#include "model/exchange.h"

#include "model/record.h"

int er_exchange_init(struct er_exchange *x, struct er_models *models,
    const char *model, const struct er_model_request *req,
    const struct er_secrets *secrets, er_model_event_fn on_event, void *ctx,
    struct errand_error *err)
{
    x->models = models;
    x->on_event = on_event;
    x->ctx = ctx;
    if (models->recorder) {
        x->take = er_take_new(models->recorder, model, req, secrets);
        if (!x->take)
            return er_nomem(err);
    }
    x->prev = NULL;
    x->next = models->exchanges;
    if (x->next)
        x->next->prev = x;
    models->exchanges = x;
    return ERRAND_OK;
}

void er_exchange_release(struct er_exchange *x)
{
    if (x->prev)
        x->prev->next = x->next;
    else
        x->models->exchanges = x->next;
    if (x->next)
        x->next->prev = x->prev;
    er_take_free(x->take);
    x->take = NULL;
}

bool er_exchange_emit(
    struct er_exchange *x, const struct er_model_event *ev)
{
    if (x->cancelled)
        return false;
    if (x->take)
        er_take_event(x->take, ev);
    x->emitting++;
    x->on_event(x->ctx, ev);
    x->emitting--;
    return !x->cancelled;
}

void er_model_cancel(er_exchange *x)
{
    if (!x || x->cancelled)
        return;
    x->cancelled = true;
    if (x->emitting == 0)
        x->destroy(x);
}
