/* The forward pass: a batch of tokens through all layers.
 *
 * A batch may hold tokens of several timelines, each with its own cache and
 * adapters. All of its matrix products are done at once; attention sees the
 * own timeline alone. What comes out for a token does not depend on what
 * else is in the batch.
 */
#ifndef ERRAND_ENGINE_FORWARD_H
#define ERRAND_ENGINE_FORWARD_H

#include "engine/kernel.h"
#include "engine/kv.h"
#include "engine/lora.h"
#include "engine/rope.h"
#include "engine/threads.h"

enum { ER_BATCH = 256 }; /* tokens of one batch, at most */

/* A run of neighbouring tokens of one timeline. */
struct er_run {
    const struct er_kv_view *kv; /* positions pos .. pos + n - 1 writable */
    const struct er_lora_use *loras;
    size_t n_loras;
    uint32_t pos; /* of the first token */
    uint32_t n;   /* tokens */
};

struct er_batch {
    const int32_t *ids; /* [n] each inside of the vocabulary */
    size_t n;           /* 1 to ER_BATCH */
    const struct er_run *runs; /* [n_runs]; together n tokens */
    size_t n_runs;
    const bool *wanted; /* [n] whose logits are wanted; NULL: none */
};

struct er_forward; /* what a pass needs: buffers for one batch */

/* All borrowed until it is freed. context: the longest timeline.
 * exact: weights as they are, activations as f32. Errors NOMEM. */
int er_forward_new(const struct er_shape *s, const struct er_weights *w,
    const struct er_rope *rope, const struct er_kernels *kernels,
    struct er_threads *threads, uint32_t context, bool exact,
    struct er_forward **out, struct errand_error *err);
void er_forward_free(struct er_forward *f); /* NULL is harmless */

/* Bytes that er_forward_new would allocate. */
uint64_t er_forward_bytes(const struct er_shape *s,
    const struct er_kernels *kernels, unsigned threads, uint32_t context);

/* One pass. logits: [number wanted][n_vocab], in order; borrowed until the
 * next pass. After a failure the cache of the batch's positions is of no
 * use, and nothing else was touched. [owner]
 * Errors  NOMEM, CANCELLED (*cancel became true); without words */
int er_forward_run(struct er_forward *f, const struct er_batch *b,
    const atomic_bool *cancel, const float **logits);

#endif
