/* Packing a model's matrices for kernels that want tiles (pack.h). */
#ifndef ERRAND_ENGINE_WEIGHTS_PACK_H
#define ERRAND_ENGINE_WEIGHTS_PACK_H

#include "engine/threads.h"
#include "engine/weights.h"

/* Pack what can be packed, in memory that w owns from now on. What the
 * mapped file has of it need not stay in memory; only rows of the embedding
 * are read again, one by one.
 * Errors  NOMEM: nothing was packed. [owner of threads] */
int er_weights_pack(struct er_weights *w, uint32_t n_layer,
    struct er_threads *threads, struct errand_error *err);

#endif
