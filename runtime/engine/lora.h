/* LoRA adapters: small matrices beside a model's own, added with a scale.
 *
 *   y = W x + scale * alpha / rank * B (A x)
 *
 * Shapes  A [rank][n_in], B [n_out][rank]
 *
 * An adapter is read-only and shared; which ones are on, and how strongly,
 * belongs to the session.
 */
#ifndef ERRAND_ENGINE_LORA_H
#define ERRAND_ENGINE_LORA_H

#include "engine/kernel.h"

/* Where an adapter may be added. */
enum er_lora_site {
    ER_LORA_Q = 0,
    ER_LORA_K = 1,
    ER_LORA_V = 2,
    ER_LORA_O = 3,
    ER_LORA_GATE = 4,
    ER_LORA_UP = 5,
    ER_LORA_DOWN = 6,
    ER_LORA_OUTPUT = 7, /* of layer 0 */
    ER_LORA_SITES = 8,
};

struct er_lora_pair {
    struct er_matrix a, b; /* data NULL: nothing here */
};

struct er_lora {
    struct er_gguf *file;
    float alpha;
    uint32_t max_rank;
    struct er_lora_pair *pairs; /* [n_layer][ER_LORA_SITES] */
    char id[65];
};

/* An adapter that is on. */
struct er_lora_use {
    const struct er_lora *lora;
    float scale;
};

/* Open an adapter and hold it against the model. Tensors that fit nowhere
 * are errors.
 * Errors  as er_gguf_open; SYNTAX (shapes), UNSUPPORTED (no adapter, other
 *         architecture) */
int er_lora_open(const char *path, const struct er_shape *s,
    const struct er_weights *w, struct er_lora **out,
    struct errand_error *err);
void er_lora_close(struct er_lora *l); /* NULL is harmless */

/* Add to y what the adapters give at a place.
 *
 * Shapes  x [n][n_in], y [n] at stride; scratch [n_in + max rank] */
void er_lora_add(const struct er_lora_use *uses, size_t n_uses,
    uint32_t layer, enum er_lora_site site, const float *x, size_t n,
    float *y, size_t stride, float *scratch);

#endif
