/* Which kernels this machine can run. */
#include "engine/kernel.h"

#include <string.h>

#define ROUNDED(fn)                                                       \
    {[ER_Q4_0] = fn, [ER_Q4_1] = fn, [ER_Q5_0] = fn, [ER_Q5_1] = fn,      \
        [ER_Q8_0] = fn, [ER_Q2_K] = fn, [ER_Q3_K] = fn, [ER_Q4_K] = fn,   \
        [ER_Q5_K] = fn, [ER_Q6_K] = fn, [ER_IQ4_NL] = fn,                 \
        [ER_IQ4_XS] = fn}

static const struct er_kernels plain = {
    .name = "plain",
    .exact = er_rows_exact,
    .rounded = ROUNDED(er_rows_rounded),
    .attend = er_attend_plain,
    .round = er_round_plain,
    .silu = er_silu_plain,
    .to_f16 = er_to_f16_plain,
};

const struct er_kernels *er_kernels_named(const char *name)
{
    if (strcmp(name, "avx512") == 0)
        return er_kernels_avx512();
    if (strcmp(name, "avx2") == 0)
        return er_kernels_avx2();
    return strcmp(name, plain.name) == 0 ? &plain : NULL;
}

const struct er_kernels *er_kernels_best(void)
{
    const struct er_kernels *k = er_kernels_avx512();
    k = k ? k : er_kernels_avx2();
    return k ? k : &plain;
}
