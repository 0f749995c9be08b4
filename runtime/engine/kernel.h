/* The table of kernels: what takes the time, one implementation per kind of
 * machine, chosen once when a model is opened.
 *
 * A matrix product has two meanings. *Exact*: weights as the file says,
 * activations as f32. *Rounded*: activations in 8 bits, blocks of 32 with an
 * f32 scale each; this is what fast kernels compute, for the formats below 16
 * bits. Every table can do both for every format: what has no fast kernel is
 * computed plainly.
 *
 * One result y[t][row] is always the same sum in the same order, however
 * rows and tokens are grouped: that is why batches, splits of a prompt and
 * threads do not change a bit.
 */
#ifndef ERRAND_ENGINE_KERNEL_H
#define ERRAND_ENGINE_KERNEL_H

#include "engine/quant.h"
#include "engine/weights.h"

#include <stdbool.h>

/* Vectors of a batch, one per token. How q, d and sums lie is the table's
 * own affair: what its round writes, its rounded kernels read. */
struct er_acts {
    size_t n;       /* tokens */
    size_t width;   /* numbers of a vector */
    const float *f; /* [n][width] exact */
    float *r;       /* [n][width] rounded and back, where a table wants it */
    int8_t *q;      /* [n][width] rounded */
    float *d;       /* [n][width / 32] scales of q */
    int32_t *sums;  /* [n][3 * width / 32] sums of numbers of q */
};

/* Rows from..to of y = W x for all tokens: y[t * stride + row].
 *
 * Shapes    W [n_out][n_in]; x [n][n_in]; scratch [8 * n_in] of this thread,
 *           aligned to 64
 * Requires  x has what the kernel reads (exact: f; else the table's choice);
 *           from is a multiple of 16 where m is packed
 */
typedef void er_rows_fn(const struct er_matrix *m, size_t from, size_t to,
    const struct er_acts *x, float *y, size_t stride, float *scratch);

/* One token's attention in the heads of one key-value head.
 *
 * Shapes    q, out [n_group][head_dim]; k, v per page, see kv.h
 *           scores [n_group][n_pos rounded up to a page]
 */
struct er_kv_view;
struct er_attend {
    const float *q;
    float *out;
    float *scores;
    const struct er_kv_view *kv;
    uint32_t layer, head; /* key-value head */
    uint32_t n_group, head_dim;
    uint32_t n_pos; /* positions seen: 0 to n_pos - 1 */
    float scale;
};
typedef void er_attend_fn(const struct er_attend *a);

struct er_kernels {
    const char *name;
    bool tiles; /* wants matrices packed where they can be, see pack.h */
    er_rows_fn *exact;
    er_rows_fn *rounded[ER_QUANT_TYPES]; /* NULL: exact */
    er_attend_fn *attend;
    /* Token t of the batch from f to q, d, sums (and r); width is a multiple
     * of 32. Tokens are rounded in any order, by several threads. */
    void (*round)(const struct er_acts *a, size_t t);
    /* gate = silu(gate) * up, [n] */
    void (*silu)(float *gate, const float *up, size_t n);
    /* Nearest f16, ties to even. */
    void (*to_f16)(const float *x, uint16_t *out, size_t n);
};

/* The best table for this machine, or one by name ("plain", "avx2",
 * "avx512"); NULL: this machine has no such. [any] */
const struct er_kernels *er_kernels_best(void);
const struct er_kernels *er_kernels_named(const char *name);

/* Plain pieces, for other tables to fill their gaps with. */
void er_rows_exact(const struct er_matrix *m, size_t from, size_t to,
    const struct er_acts *x, float *y, size_t stride, float *scratch);
void er_rows_rounded(const struct er_matrix *m, size_t from, size_t to,
    const struct er_acts *x, float *y, size_t stride, float *scratch);
void er_attend_plain(const struct er_attend *a);
void er_round_plain(const struct er_acts *a, size_t t);
void er_silu_plain(float *gate, const float *up, size_t n);
void er_to_f16_plain(const float *x, uint16_t *out, size_t n);
void er_softmax_plain(float *s, size_t n); /* in place; n above 0 */

/* One block of 32: q = x / d rounded to nearest, d = the largest |x| / 127;
 * sums of the halves of q. */
void er_round_block(
    const float *x, int8_t *q, float *d, int32_t sums[2]);

/* Tables of single machines, NULL where this is not one. */
const struct er_kernels *er_kernels_avx512(void);
const struct er_kernels *er_kernels_avx2(void);

/* Sum of a[i] * b[i], in a fixed order. */
float er_dot_f32(const float *a, const float *b, size_t n);

#endif
