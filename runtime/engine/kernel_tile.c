/* Rounding a batch's vectors into groups. */
#include "engine/kernel_tile.h"

void er_round_grouped_by(
    const struct er_acts *a, size_t t, er_round32_fn *fn)
{
    size_t n = a->width, units = n / 32;
    size_t first = t / ER_GROUP * ER_GROUP, in = t - first;
    size_t g = er_group_at(a, first).n;
    int8_t *q = a->q + first * n;
    float *d = a->d + first * units;
    int32_t *sums = a->sums + 3 * first * units, *halves = sums + g * units;
    for (size_t u = 0; u < units; u++) {
        int32_t half[2];
        size_t at = u * g + in;
        fn(a->f + t * n + 32 * u, q + 32 * at, &d[at], half);
        sums[at] = -(half[0] + half[1]);
        halves[2 * u * g + in] = -half[0];
        halves[(2 * u + 1) * g + in] = -half[1];
    }
}
