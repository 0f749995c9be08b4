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

/* Sixteen lanes added as a tree. */
static float tree(__m512 x)
{
    __m256 a = _mm256_add_ps(
        _mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
    __m128 b = _mm_add_ps(
        _mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    b = _mm_add_ps(b, _mm_movehl_ps(b, b));
    return _mm_cvtss_f32(_mm_add_ss(b, _mm_shuffle_ps(b, b, 1)));
}

/* The lanes of 16 numbers from i on that lie before n. */
static __mmask16 lanes_from(size_t i, size_t n)
{
    return (__mmask16)(n - i >= 16 ? 0xFFFFu : (1u << (n - i)) - 1);
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
    return tree(acc);
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

/* ------------------------------------------------- exponentials, silu */

/* exp(x) for x <= 88, within 2 units of the last place: 2^n times a
 * polynomial on [-ln 2 / 2, ln 2 / 2]. */
static __m512 exp16(__m512 x)
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

static void silu(float *gate, const float *up, size_t n)
{
    const __m512 one = _mm512_set1_ps(1);
    for (size_t i = 0; i < n; i += 16) {
        __mmask16 lanes = lanes_from(i, n);
        __m512 g = _mm512_maskz_loadu_ps(lanes, gate + i);
        __m512 e = exp16(_mm512_sub_ps(_mm512_setzero_ps(), g));
        __m512 v = _mm512_div_ps(g, _mm512_add_ps(one, e));
        _mm512_mask_storeu_ps(gate + i, lanes,
            _mm512_mul_ps(v, _mm512_maskz_loadu_ps(lanes, up + i)));
    }
}

/* ------------------------------------------------------------ attention */

/* A head of one position as floats; f16 caches are read in place of it. */
static __m512 number16(const struct er_kv_layout *l, const unsigned char *at,
    float scale, size_t i)
{
    if (l->type == ER_KV_F16)
        return _mm512_cvtph_ps(
            _mm256_loadu_si256((const void *)(at + 2 * i)));
    if (l->type == ER_KV_F32)
        return _mm512_loadu_ps((const void *)(at + 4 * i));
    return _mm512_mul_ps(_mm512_set1_ps(scale),
        _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(
            _mm_loadu_si128((const void *)(at + i)))));
}

struct place {
    const unsigned char *at;
    float scale;
};

static struct place place_of(const struct er_attend *a, int which, uint32_t p)
{
    const struct er_kv_layout *l = a->kv->layout;
    const struct er_kv_page *page = a->kv->pages[p / ER_KV_PAGE];
    size_t in = p % ER_KV_PAGE;
    return (struct place){er_kv_head(l, page, a->layer, which, a->head) +
                              in * a->head_dim * l->width,
        l->type == ER_KV_Q8
            ? er_kv_scales(l, page, a->layer, which, a->head)[in]
            : 1};
}

static void score(const struct er_attend *a, size_t stride)
{
    const struct er_kv_layout *l = a->kv->layout;
    for (uint32_t p = 0; p < a->n_pos; p++) {
        struct place k = place_of(a, 0, p);
        for (uint32_t g = 0; g < a->n_group; g++) {
            const float *q = a->q + g * a->head_dim;
            __m512 acc = _mm512_setzero_ps();
            for (size_t i = 0; i < a->head_dim; i += 16)
                acc = _mm512_fmadd_ps(_mm512_loadu_ps(q + i),
                    number16(l, k.at, k.scale, i), acc);
            a->scores[g * stride + p] = tree(acc) * a->scale;
        }
    }
}

static void softmax(float *s, size_t n)
{
    __m512 top = _mm512_set1_ps(s[0]), sum = _mm512_setzero_ps();
    for (size_t i = 0; i < n; i += 16) {
        __mmask16 lanes = lanes_from(i, n);
        top = _mm512_mask_max_ps(
            top, lanes, top, _mm512_maskz_loadu_ps(lanes, s + i));
    }
    top = _mm512_set1_ps(_mm512_reduce_max_ps(top));
    for (size_t i = 0; i < n; i += 16) {
        __mmask16 lanes = lanes_from(i, n);
        __m512 e = exp16(
            _mm512_sub_ps(_mm512_maskz_loadu_ps(lanes, s + i), top));
        _mm512_mask_storeu_ps(s + i, lanes, e);
        sum = _mm512_mask_add_ps(sum, lanes, sum, e);
    }
    float by = 1 / tree(sum);
    for (size_t i = 0; i < n; i++)
        s[i] *= by;
}

/* out [head_dim] of one head: 64 numbers at a time, positions in order. */
static void weigh(const struct er_attend *a, const float *scores, float *out)
{
    const struct er_kv_layout *l = a->kv->layout;
    for (size_t from = 0; from < a->head_dim; from += 64) {
        size_t n = (a->head_dim - from) / 16;
        n = n < 4 ? n : 4;
        __m512 acc[4] = {0};
        for (uint32_t p = 0; p < a->n_pos; p++) {
            struct place v = place_of(a, 1, p);
            __m512 w = _mm512_set1_ps(scores[p]);
            for (size_t i = 0; i < n; i++)
                acc[i] = _mm512_fmadd_ps(
                    w, number16(l, v.at, v.scale, from + 16 * i), acc[i]);
        }
        for (size_t i = 0; i < n; i++)
            _mm512_storeu_ps(out + from + 16 * i, acc[i]);
    }
}

static void attend(const struct er_attend *a)
{
    size_t stride = er_kv_round_up(a->n_pos);
    if (a->head_dim % 16) {
        er_attend_plain(a);
        return;
    }
    score(a, stride);
    for (uint32_t g = 0; g < a->n_group; g++) {
        softmax(a->scores + g * stride, a->n_pos);
        weigh(a, a->scores + g * stride, a->out + g * a->head_dim);
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
        .attend = attend,
        .round = round_token,
        .silu = silu,
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
