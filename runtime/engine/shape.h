/* The shape of a model: what its metadata says about its layers, checked to
 * be possible before any tensor is looked at. */
#ifndef ERRAND_ENGINE_SHAPE_H
#define ERRAND_ENGINE_SHAPE_H

#include "engine/gguf.h"

enum er_arch { ER_ARCH_LLAMA = 0, ER_ARCH_QWEN2 = 1, ER_ARCH_QWEN3 = 2 };

enum er_rope_scaling {
    ER_ROPE_PLAIN = 0,
    ER_ROPE_LINEAR = 1, /* positions divided by factor */
    ER_ROPE_YARN = 2,
};

struct er_shape {
    enum er_arch arch;
    const char *arch_name;
    uint32_t n_layer, n_embd, n_ff;
    uint32_t n_head, n_head_kv; /* n_head is a multiple of n_head_kv */
    uint32_t head_dim;          /* even */
    uint32_t n_vocab;           /* rows of the embedding */
    uint32_t n_context;         /* positions it was trained for */
    float norm_eps;
    /* --- rotary embedding */
    uint32_t n_rot;   /* numbers of a head that turn; even */
    bool rope_halves; /* pairs (i, i + n_rot/2), else (2i, 2i + 1) */
    float rope_base;
    enum er_rope_scaling rope_scaling;
    float rope_factor;         /* at least 1 where it counts */
    uint32_t rope_context;     /* YaRN: positions before it was stretched */
    float rope_attn;           /* YaRN: further factor of the amplitude */
    float rope_beta_fast, rope_beta_slow;
};

/* Errors  SYNTAX, UNSUPPORTED. [any] */
int er_shape_read(const struct er_gguf *g, struct er_shape *s,
    struct errand_error *err);

/* Numbers of one position's keys (or values) in one layer. */
static inline uint32_t er_shape_kv(const struct er_shape *s)
{
    return s->n_head_kv * s->head_dim;
}

#endif
