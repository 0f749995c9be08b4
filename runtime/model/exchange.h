/* What all providers share: an exchange is one request under way.
 *
 * A provider embeds struct er_exchange as its first member, gives its events
 * through er_exchange_emit and ends with er_exchange_free. Between the
 * provider and the agent stands one place where events are recorded.
 */
#ifndef ERRAND_MODEL_EXCHANGE_H
#define ERRAND_MODEL_EXCHANGE_H

#include "base/http.h"
#include "model/model.h"

struct er_endpoint;
struct er_locals;
struct er_recorder;
struct er_replay;
struct er_secrets;
struct er_take;

struct er_models {
    struct er_loop *loop;
    const struct er_log *log;      /* or NULL */
    struct er_endpoint *endpoints; /* made so far */
    struct er_replay *replays;     /* recordings read so far */
    struct er_replay *replay_all;  /* answers every model, or NULL */
    struct er_recorder *recorder;  /* or NULL */
    struct er_locals *locals;      /* models of this process */
    er_http *http;                 /* NULL until something is sent */
    struct er_exchange *exchanges;
};

struct er_exchange {
    struct er_models *models;
    struct er_exchange *prev, *next;
    /* Stop and free, at any moment but inside er_exchange_emit. */
    void (*destroy)(struct er_exchange *x);
    er_model_event_fn on_event;
    void *ctx;
    struct er_take *take; /* what is recorded of it, or NULL */
    int emitting;         /* depth of er_exchange_emit */
    bool cancelled;       /* from inside an event: destroy when it returns */
};

/* Set up the shared part and list it. secrets are hidden in what is
 * recorded, borrowed as long as the exchange; or NULL. On failure nothing is
 * listed. Errors NOMEM. [owner] */
int er_exchange_init(struct er_exchange *x, struct er_models *models,
    const char *model, const struct er_model_request *req,
    const struct er_secrets *secrets, er_model_event_fn on_event, void *ctx,
    struct errand_error *err);

/* Unlist it and free what init made; the provider frees the rest. */
void er_exchange_release(struct er_exchange *x);

/* Record and hand over an event. False: it was cancelled meanwhile; the
 * provider must return to where it can destroy the exchange. DONE and ERROR
 * are the provider's last; it destroys the exchange afterwards. */
bool er_exchange_emit(
    struct er_exchange *x, const struct er_model_event *ev);

/* Start an exchange that a recording answers; on success it is listed. */
int er_replay_start(struct er_models *models, struct er_replay *replay,
    const char *model, const struct er_model_request *req,
    er_model_event_fn on_event, void *ctx, struct er_exchange **out,
    struct errand_error *err);

#endif
