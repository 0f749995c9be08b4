/* The providers that are reached over HTTP. */
#ifndef ERRAND_MODEL_REMOTE_H
#define ERRAND_MODEL_REMOTE_H

#include "model/exchange.h"

struct er_remote;

/* Start an exchange with an endpoint that er_endpoint_ready has passed.
 * model is "provider:name", name the part behind the colon. Errors as
 * er_model_start. [owner] */
int er_remote_start(struct er_models *models, struct er_endpoint *ep,
    const char *model, const char *name, const struct er_model_request *req,
    er_model_event_fn event, void *ctx, struct er_exchange **out,
    struct errand_error *err);

#endif
