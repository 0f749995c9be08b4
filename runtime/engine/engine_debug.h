/* debug tokenize and debug logits: what the model really sees. */
#ifndef ERRAND_ENGINE_ENGINE_DEBUG_H
#define ERRAND_ENGINE_ENGINE_DEBUG_H

#include "base/json.h"

/* One opened model file for many cases. adapters: "FILE=SCALE" texts, ended
 * by NULL; may be NULL. weights false: the vocabulary alone is read.
 * Errors  as er_local_open, USAGE (a SCALE) */
struct er_debug_model;
int er_debug_model_open(const char *path, const char *const *adapters,
    bool weights, struct er_debug_model **out, struct errand_error *err);
void er_debug_model_close(struct er_debug_model *d); /* NULL is harmless */

/* {"text"} -> {"tokens"}; NULL on failure. */
json_t *er_debug_tokenize(struct er_debug_model *d, const json_t *input,
    bool special, struct errand_error *err);

/* {"tokens","positions"} -> {"logits"}, a row per position. */
json_t *er_debug_logits(struct er_debug_model *d, const json_t *input,
    struct errand_error *err);

#endif
