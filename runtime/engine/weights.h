/* A model's tensors, by what they do, with shapes that fit one another.
 *
 * Shapes are written as C arrays: [n_out][n_in] is n_out rows of n_in
 * weights, and y = W x takes n_in numbers to n_out.
 */
#ifndef ERRAND_ENGINE_WEIGHTS_H
#define ERRAND_ENGINE_WEIGHTS_H

#include "engine/shape.h"

/* A matrix in one of the block formats; data borrowed from the mapping. */
struct er_matrix {
    const void *data;
    const unsigned char *packed; /* tiles, see pack.h; NULL: as the file */
    uint32_t type; /* er_quant_type */
    uint32_t n_out, n_in;
    size_t row_bytes;
};

struct er_layer {
    const float *attn_norm; /* [n_embd] */
    const float *ffn_norm;  /* [n_embd] */
    const float *q_norm;    /* [head_dim], or NULL */
    const float *k_norm;    /* [head_dim], or NULL */
    const float *q_bias;    /* [n_head * head_dim], or NULL */
    const float *k_bias;    /* [kv], or NULL */
    const float *v_bias;    /* [kv], or NULL */
    const float *o_bias;    /* [n_embd], or NULL */
    struct er_matrix q;     /* [n_head * head_dim][n_embd] */
    struct er_matrix k, v;  /* [kv][n_embd] */
    struct er_matrix o;     /* [n_embd][n_head * head_dim] */
    struct er_matrix gate, up; /* [n_ff][n_embd] */
    struct er_matrix down;  /* [n_embd][n_ff] */
};

struct er_weights {
    struct er_matrix embd;     /* [n_vocab][n_embd] */
    struct er_matrix output;   /* [n_vocab][n_embd]; embd's, if tied */
    const float *output_norm;  /* [n_embd] */
    const float *rope_factors; /* [n_rot / 2], or NULL */
    struct er_layer *layers;   /* [n_layer] */
    bool tied;
    unsigned char *tiles; /* what was packed; NULL: nothing */
    size_t tiles_bytes;
};

/* Find and check all tensors; sets s->n_vocab. The weights are borrowed from
 * g; release frees the table, and what was packed.
 * Errors  SYNTAX (missing, of another shape), NOMEM. [any] */
int er_weights_bind(const struct er_gguf *g, struct er_shape *s,
    struct er_weights *w, struct errand_error *err);
void er_weights_release(struct er_weights *w);

#endif
