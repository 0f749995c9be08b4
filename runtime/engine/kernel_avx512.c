/* The table for machines with AVX-512 and VNNI: everything but the products
 * of rounded vectors (kernel_avx512_tile.c). */
#if defined(__x86_64__) && defined(__AVX512VNNI__)

#include "engine/kernel_avx512.h"
#include "engine/kernel_tile.h"
#include "engine/kv.h"

#include <immintrin.h>
#include <string.h>

static float half(uint16_t h)
{
    return _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(h)));
}

/* ------------------------------------------------------------ rounding */

static int32_t sum16(__m128i q)
{
    __m512i w = _mm512_cvtepi8_epi32(q);
    return _mm512_reduce_add_epi32(w);
}

/* er_round_block, to the bit. */
static void round32(const float *x, int8_t *q, float *d, int32_t halves[2])
{
    const __m512i most = _mm512_set1_epi32(127);
    const __m512i least = _mm512_set1_epi32(-127);
    __m512 a = _mm512_loadu_ps(x), b = _mm512_loadu_ps(x + 16);
    float top = _mm512_reduce_max_ps(
        _mm512_max_ps(_mm512_abs_ps(a), _mm512_abs_ps(b)));
    __m512 back = _mm512_set1_ps(top > 0 ? 127.0f / top : 0);
    __m512i i = _mm512_cvtps_epi32(_mm512_mul_ps(a, back));
    __m512i k = _mm512_cvtps_epi32(_mm512_mul_ps(b, back));
    i = _mm512_max_epi32(_mm512_min_epi32(i, most), least);
    k = _mm512_max_epi32(_mm512_min_epi32(k, most), least);
    __m128i low = _mm512_cvtepi32_epi8(i), high = _mm512_cvtepi32_epi8(k);
    *d = top / 127.0f;
    halves[0] = sum16(low);
    halves[1] = sum16(high);
    _mm_storeu_si128((void *)q, low);
    _mm_storeu_si128((void *)(q + 16), high);
}

static void round_token(const struct er_acts *a, size_t t)
{
    er_round_grouped_by(a, t, round32);
}

static float dot(const float *a, const float *b, size_t n)
{
    __m512 acc = _mm512_setzero_ps();
    size_t i = 0;
    for (; i + 16 <= n; i += 16)
        acc = _mm512_fmadd_ps(
            _mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i), acc);
    __mmask16 rest = (__mmask16)((1u << (n - i)) - 1);
    acc = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(rest, a + i),
        _mm512_maskz_loadu_ps(rest, b + i), acc);
    return er_tree16(acc);
}

static void halves(const uint16_t *h, float *out, size_t n)
{
    size_t i = 0;
    for (; i + 16 <= n; i += 16)
        _mm512_storeu_ps(out + i, _mm512_cvtph_ps(_mm256_loadu_si256(
                                      (const void *)(h + i))));
    for (; i < n; i++)
        out[i] = half(h[i]);
}

static void rows_exact(const struct er_matrix *m, size_t from, size_t to,
    const struct er_acts *x, float *y, size_t stride, float *scratch)
{
    for (size_t row = from; row < to; row++) {
        const void *at = (const char *)m->data + row * m->row_bytes;
        const float *w = scratch;
        if (m->type == ER_F32)
            w = at;
        else if (m->type == ER_F16)
            halves(at, scratch, m->n_in);
        else
            er_quant_get(m->type)->decode(at, scratch, m->n_in);
        for (size_t t = 0; t < x->n; t++)
            y[t * stride + row] = dot(w, x->f + t * m->n_in, m->n_in);
    }
}

/* ---------------------------------------------------------------- silu */

static void silu(float *gate, const float *up, size_t n)
{
    const __m512 one = _mm512_set1_ps(1);
    for (size_t i = 0; i < n; i += 16) {
        __mmask16 lanes = er_lanes_from(i, n);
        __m512 g = _mm512_maskz_loadu_ps(lanes, gate + i);
        __m512 e = er_exp16(_mm512_sub_ps(_mm512_setzero_ps(), g));
        __m512 v = _mm512_div_ps(g, _mm512_add_ps(one, e));
        _mm512_mask_storeu_ps(gate + i, lanes,
            _mm512_mul_ps(v, _mm512_maskz_loadu_ps(lanes, up + i)));
    }
}

static void to_f16(const float *x, uint16_t *out, size_t n)
{
    for (size_t i = 0; i < n; i += 16) {
        __mmask16 lanes = er_lanes_from(i, n);
        _mm256_mask_storeu_epi16(out + i, lanes,
            _mm512_cvtps_ph(_mm512_maskz_loadu_ps(lanes, x + i),
                _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
    }
}

/* --------------------------------------------------------------- table */

const struct er_kernels *er_kernels_avx512(void)
{
    static const struct er_kernels table = {
        .name = "avx512",
        .tiles = true,
        .exact = rows_exact,
        .rounded = {[ER_Q4_0] = er_rows_avx512, [ER_Q4_1] = er_rows_avx512,
            [ER_Q5_0] = er_rows_avx512, [ER_Q5_1] = er_rows_avx512,
            [ER_Q8_0] = er_rows_avx512, [ER_Q2_K] = er_rows_avx512,
            [ER_Q3_K] = er_rows_avx512, [ER_Q4_K] = er_rows_avx512,
            [ER_Q5_K] = er_rows_avx512, [ER_Q6_K] = er_rows_avx512,
            [ER_IQ4_NL] = er_rows_avx512, [ER_IQ4_XS] = er_rows_avx512},
        .attend = er_attend_avx512,
        .round = round_token,
        .silu = silu,
        .to_f16 = to_f16,
    };
    return __builtin_cpu_supports("avx512f") &&
                   __builtin_cpu_supports("avx512bw") &&
                   __builtin_cpu_supports("avx512dq") &&
                   __builtin_cpu_supports("avx512vl") &&
                   __builtin_cpu_supports("avx512vnni") &&
                   __builtin_cpu_supports("fma")
               ? &table
               : NULL;
}

#else

#include "engine/kernel.h"

const struct er_kernels *er_kernels_avx512(void)
{
    return NULL;
}

#endif
