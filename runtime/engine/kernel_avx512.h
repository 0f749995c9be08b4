/* What the files of the AVX-512 table share. */
#ifndef ERRAND_ENGINE_KERNEL_AVX512_H
#define ERRAND_ENGINE_KERNEL_AVX512_H

#include "engine/kernel.h"

/* Rounded products of every quantized format, packed or not. Packed:
 * from is a multiple of 16. */
void er_rows_avx512(const struct er_matrix *m, size_t from, size_t to,
    const struct er_acts *x, float *y, size_t stride, float *scratch);

#endif
