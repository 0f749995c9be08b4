/* What the files of the AVX-512 table share. */
#ifndef ERRAND_ENGINE_KERNEL_AVX512_H
#define ERRAND_ENGINE_KERNEL_AVX512_H

#include "engine/kernel.h"

/* Rounded products of every quantized format, packed or not. Packed:
 * from is a multiple of 16. */
void er_rows_avx512(const struct er_matrix *m, size_t from, size_t to,
    const struct er_acts *x, float *y, size_t stride, float *scratch);

void er_attend_avx512(const struct er_attend *a);

#if defined(__x86_64__) && defined(__AVX512F__)

#include <immintrin.h>

/* Sixteen lanes added as a tree. */
static inline float er_tree16(__m512 x)
{
    __m256 a = _mm256_add_ps(
        _mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
    __m128 b = _mm_add_ps(
        _mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    b = _mm_add_ps(b, _mm_movehl_ps(b, b));
    return _mm_cvtss_f32(_mm_add_ss(b, _mm_shuffle_ps(b, b, 1)));
}

/* The lanes of 16 numbers from i on that lie before n. */
static inline __mmask16 er_lanes_from(size_t i, size_t n)
{
    return (__mmask16)(n - i >= 16 ? 0xFFFFu : (1u << (n - i)) - 1);
}

/* exp(x) for x <= 88, within 2 units of the last place: 2^n times a
 * polynomial on [-ln 2 / 2, ln 2 / 2]. */
static inline __m512 er_exp16(__m512 x)
{
    x = _mm512_max_ps(x, _mm512_set1_ps(-87.0f));
    x = _mm512_min_ps(x, _mm512_set1_ps(88.0f));
    __m512 n = _mm512_roundscale_ps(
        _mm512_mul_ps(x, _mm512_set1_ps(1.44269504f)),
        _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    x = _mm512_fnmadd_ps(n, _mm512_set1_ps(0.693359375f), x);
    x = _mm512_fnmadd_ps(n, _mm512_set1_ps(-2.12194440e-4f), x);
    __m512 p = _mm512_set1_ps(1.0f / 5040);
    p = _mm512_fmadd_ps(p, x, _mm512_set1_ps(1.0f / 720));
    p = _mm512_fmadd_ps(p, x, _mm512_set1_ps(1.0f / 120));
    p = _mm512_fmadd_ps(p, x, _mm512_set1_ps(1.0f / 24));
    p = _mm512_fmadd_ps(p, x, _mm512_set1_ps(1.0f / 6));
    p = _mm512_fmadd_ps(p, x, _mm512_set1_ps(0.5f));
    p = _mm512_fmadd_ps(p, x, _mm512_set1_ps(1.0f));
    p = _mm512_fmadd_ps(p, x, _mm512_set1_ps(1.0f));
    return _mm512_scalef_ps(p, n);
}

#endif

#endif
