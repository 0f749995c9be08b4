/* debug tokenize and debug logits: what the model really sees. */
#ifndef ERRAND_ENGINE_ENGINE_DEBUG_H
#define ERRAND_ENGINE_ENGINE_DEBUG_H

#include "base/json.h"

enum er_debug_flag {
    ER_DEBUG_VOCABULARY = 1, /* read the vocabulary alone */
    ER_DEBUG_EXACT = 2,      /* compute in f32, and keep the cache in f32 */
};

/* One opened model file for many cases. adapters: "FILE=SCALE" texts, ended
 * by NULL; may be NULL.
 * Errors  as er_local_open, USAGE (a SCALE) */
struct er_debug_model;
int er_debug_model_open(const char *path, const char *const *adapters,
    unsigned flags, struct er_debug_model **out, struct errand_error *err);
void er_debug_model_close(struct er_debug_model *d); /* NULL is harmless */

/* {"text"} -> {"tokens"}; NULL on failure. */
json_t *er_debug_tokenize(struct er_debug_model *d, const json_t *input,
    bool special, struct errand_error *err);

/* {"tokens","positions"} -> {"logits"}, a row per position. */
json_t *er_debug_logits(struct er_debug_model *d, const json_t *input,
    struct errand_error *err);

#endif
