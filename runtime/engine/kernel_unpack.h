/* Rows of every quantized format in one form, for kernels of integers.
 *
 *   w[i] = s[i / unit] * u[i] - m[i / unit]
 *
 * with u a byte from 0 to 255 and unit 16 or 32, the format's own. So one
 * integer kernel serves all formats; a format costs only its unpacking.
 */
#ifndef ERRAND_ENGINE_KERNEL_UNPACK_H
#define ERRAND_ENGINE_KERNEL_UNPACK_H

#include "engine/quant.h"

/* Weights that share a scale: 16 or 32. */
unsigned er_unpack_unit(uint32_t type);

/* A row of n weights: u [n], s and m [n / unit]. type is quantized. */
void er_unpack(uint32_t type, const void *row, size_t n, uint8_t *u,
    float *s, float *m);

/* The same with AVX2; only where the machine has it. */
void er_unpack_avx2(uint32_t type, const void *row, size_t n, uint8_t *u,
    float *s, float *m);

#endif
