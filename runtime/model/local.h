/* The provider "local": models of this process, from GGUF files. */
#ifndef ERRAND_MODEL_LOCAL_H
#define ERRAND_MODEL_LOCAL_H

#include "model/exchange.h"

/* Loaded models and the settings for them. NULL: no memory. [owner] */
struct er_locals *er_locals_new(struct er_loop *loop);
/* No exchange may be left. NULL is harmless. */
void er_locals_free(struct er_locals *l);

/* See er_models_engine. */
int er_locals_settings(struct er_locals *l, const json_t *settings,
    const char *folder, struct errand_error *err);

/* The file that a name means: as er_find_model, then in the installed
 * folder. Caller frees. */
int er_locals_find(struct er_locals *l, const char *name, char **path,
    struct errand_error *err);

/* What its file is and needs with the settings, as er_local_describe. */
int er_locals_describe(struct er_locals *l, const char *name, char **json,
    struct errand_error *err);

/* Start an exchange; on success it is listed. Errors NOT_FOUND, USAGE,
 * NOMEM, IO; what loading the model says comes as an event. */
int er_locals_start(struct er_models *models, struct er_locals *l,
    const char *model, const char *name, const struct er_model_request *req,
    er_model_event_fn on_event, void *ctx, struct er_exchange **out,
    struct errand_error *err);

#endif
