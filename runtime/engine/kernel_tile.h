/* What the tables that compute by tiles share: how a batch's rounded vectors
 * lie.
 *
 * Tokens are taken in groups of 16; the last group has what is left. In a
 * group of g tokens, of width n, from its first token on:
 *
 *   q     [n / 32][g][32]      int8
 *   d     [n / 32][g]          the scale of those 32
 *   sums  [n / 32][g]          their sum, negative; behind all of these
 *         [n / 32][2][g]       the sums of their halves, negative
 *
 * so that what meets one column of weights lies together, and the tokens of
 * a group never fall into the same lines of a cache.
 */
#ifndef ERRAND_ENGINE_KERNEL_TILE_H
#define ERRAND_ENGINE_KERNEL_TILE_H

#include "engine/kernel.h"

enum { ER_GROUP = 16 };

/* One group of a batch. */
struct er_group {
    const int8_t *q;
    const float *d;
    const int32_t *sums, *halves;
    size_t n; /* tokens */
};

static inline struct er_group er_group_at(const struct er_acts *x,
    size_t first)
{
    size_t units = x->width / 32, left = x->n - first;
    size_t n = left < ER_GROUP ? left : ER_GROUP;
    return (struct er_group){.q = x->q + first * x->width,
        .d = x->d + first * units, .sums = x->sums + 3 * first * units,
        .halves = x->sums + 3 * first * units + n * units, .n = n};
}

/* Token t of a batch from f to q, d and sums; fn is er_round_block, or the
 * same by other means. */
typedef void er_round32_fn(
    const float *x, int8_t *q, float *d, int32_t halves[2]);
void er_round_grouped_by(
    const struct er_acts *a, size_t t, er_round32_fn *fn);

#endif
