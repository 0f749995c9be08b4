/* Kernels for machines with AVX2, FMA and F16C: integers, 32 at once.
 *
 * A row is unpacked into bytes and scales (kernel_unpack.h) and goes along
 * each token's vector in one way, so that a batch changes no bit. Bytes up
 * to 127 meet a token's as they are; those of formats around 128 are made
 * signed first, since pairs of products must fit 16 bits.
 */
#if defined(__x86_64__) && defined(__AVX2__) && defined(__F16C__)

#include "engine/kernel.h"
#include "engine/kernel_unpack.h"
#include "engine/kv.h"

#include <immintrin.h>
#include <string.h>

struct row {
    uint8_t *u;
    float *s, *m;
};

static float half(uint16_t h)
{
    return _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(h)));
}

static float tree(__m256 x)
{
    __m128 b = _mm_add_ps(
        _mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    b = _mm_add_ps(b, _mm_movehl_ps(b, b));
    return _mm_cvtss_f32(_mm_add_ss(b, _mm_shuffle_ps(b, b, 1)));
}

/* q [width], d and sums likewise, one token behind the other. */
static void round_token(const struct er_acts *a, size_t t)
{
    size_t n = a->width;
    for (size_t b = 0; b < n / 32; b++)
        er_round_block(a->f + t * n + 32 * b, a->q + t * n + 32 * b,
            a->d + t * (n / 32) + b, a->sums + t * (n / 16) + 2 * b);
}

static bool is_around_128(uint32_t type)
{
    return type == ER_Q8_0 || type == ER_IQ4_NL || type == ER_IQ4_XS;
}

/* 32 products, sums of four neighbours: lanes 0 to 3 of the first half. */
static inline __m256i products(const uint8_t *u, const int8_t *q, bool around)
{
    __m256i w = _mm256_loadu_si256((const void *)u);
    __m256i a = _mm256_loadu_si256((const void *)q);
    if (around) {
        w = _mm256_xor_si256(w, _mm256_set1_epi8((char)0x80));
        a = _mm256_sign_epi8(a, w);
        w = _mm256_abs_epi8(w);
    }
    return _mm256_madd_epi16(
        _mm256_maddubs_epi16(w, a), _mm256_set1_epi16(1));
}

static inline __attribute__((always_inline)) float row_times_token(
    const struct row *r, const struct er_acts *x, size_t t, size_t unit,
    bool around)
{
    size_t n = x->width;
    const int8_t *q = x->q + t * n;
    const float *d = x->d + t * (n / 32);
    const int32_t *sums = x->sums + t * (n / 16);
    __m256 acc = _mm256_setzero_ps();
    float less = 0;
    for (size_t b = 0; b < n / 32; b++) {
        __m256 sum = _mm256_cvtepi32_ps(
            products(r->u + 32 * b, q + 32 * b, around));
        __m256 by = unit == 32
                        ? _mm256_set1_ps(r->s[b] * d[b])
                        : _mm256_set_m128(_mm_set1_ps(r->s[2 * b + 1] * d[b]),
                              _mm_set1_ps(r->s[2 * b] * d[b]));
        acc = _mm256_fmadd_ps(sum, by, acc);
        if (!around && unit == 32)
            less += r->m[b] * (d[b] * (float)(sums[2 * b] + sums[2 * b + 1]));
        if (!around && unit == 16)
            less += r->m[2 * b] * (d[b] * (float)sums[2 * b]) +
                    r->m[2 * b + 1] * (d[b] * (float)sums[2 * b + 1]);
    }
    return tree(acc) - less;
}

static void rows_rounded(const struct er_matrix *m, size_t from, size_t to,
    const struct er_acts *x, float *y, size_t stride, float *scratch)
{
    size_t n = m->n_in, unit = er_unpack_unit(m->type);
    bool around = is_around_128(m->type);
    struct row r = {
        (uint8_t *)(scratch + n / 8), scratch, scratch + n / 16};
    for (size_t i = from; i < to; i++) {
        er_unpack_avx2(m->type, (const char *)m->data + i * m->row_bytes, n,
            r.u, r.s, r.m);
        for (size_t t = 0; t < x->n; t++)
            y[t * stride + i] =
                unit == 16 ? row_times_token(&r, x, t, 16, false)
                : around   ? row_times_token(&r, x, t, 32, true)
                           : row_times_token(&r, x, t, 32, false);
    }
}

static float dot(const float *a, const float *b, size_t n)
{
    __m256 acc = _mm256_setzero_ps();
    float rest = 0;
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        acc = _mm256_fmadd_ps(
            _mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i), acc);
    for (; i < n; i++)
        rest += a[i] * b[i];
    return tree(acc) + rest;
}

static void rows_exact(const struct er_matrix *m, size_t from, size_t to,
    const struct er_acts *x, float *y, size_t stride, float *scratch)
{
    for (size_t row = from; row < to; row++) {
        const void *at = (const char *)m->data + row * m->row_bytes;
        const float *w = scratch;
        const uint16_t *h = at;
        size_t i = 0;
        if (m->type == ER_F32)
            w = at;
        else if (m->type != ER_F16)
            er_quant_get(m->type)->decode(at, scratch, m->n_in);
        for (; m->type == ER_F16 && i + 8 <= m->n_in; i += 8)
            _mm256_storeu_ps(scratch + i,
                _mm256_cvtph_ps(_mm_loadu_si128((const void *)(h + i))));
        for (; m->type == ER_F16 && i < m->n_in; i++)
            scratch[i] = half(h[i]);
        for (size_t t = 0; t < x->n; t++)
            y[t * stride + row] = dot(w, x->f + t * m->n_in, m->n_in);
    }
}

/* ------------------------------------------------------------ attention */

static __m256 number8(const struct er_kv_layout *l, const unsigned char *at,
    float scale, size_t i)
{
    if (l->type == ER_KV_F16)
        return _mm256_cvtph_ps(_mm_loadu_si128((const void *)(at + 2 * i)));
    if (l->type == ER_KV_F32)
        return _mm256_loadu_ps((const void *)(at + 4 * i));
    return _mm256_mul_ps(_mm256_set1_ps(scale),
        _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(
            _mm_loadl_epi64((const void *)(at + i)))));
}

/* Position p of the head, and the scale of a q8 cache. */
static const unsigned char *place(
    const struct er_attend *a, int which, uint32_t p, float *scale)
{
    const struct er_kv_layout *l = a->kv->layout;
    const struct er_kv_page *page = a->kv->pages[p / ER_KV_PAGE];
    size_t in = p % ER_KV_PAGE;
    *scale = l->type == ER_KV_Q8
                 ? er_kv_scales(l, page, a->layer, which, a->head)[in]
                 : 1;
    return er_kv_head(l, page, a->layer, which, a->head) +
           in * a->head_dim * l->width;
}

static void score(const struct er_attend *a, size_t stride)
{
    float scale;
    for (uint32_t p = 0; p < a->n_pos; p++) {
        const unsigned char *k = place(a, 0, p, &scale);
        for (uint32_t g = 0; g < a->n_group; g++) {
            const float *q = a->q + g * a->head_dim;
            __m256 acc = _mm256_setzero_ps();
            for (size_t i = 0; i < a->head_dim; i += 8)
                acc = _mm256_fmadd_ps(_mm256_loadu_ps(q + i),
                    number8(a->kv->layout, k, scale, i), acc);
            a->scores[g * stride + p] = tree(acc) * a->scale;
        }
    }
}

/* out [head_dim] of one head: 32 numbers at a time, positions in order. */
static void weigh(const struct er_attend *a, const float *scores, float *out)
{
    float scale;
    for (size_t from = 0; from < a->head_dim; from += 32) {
        size_t n = (a->head_dim - from) / 8;
        n = n < 4 ? n : 4;
        __m256 acc[4] = {0};
        for (uint32_t p = 0; p < a->n_pos; p++) {
            const unsigned char *v = place(a, 1, p, &scale);
            for (size_t i = 0; i < n; i++)
                acc[i] = _mm256_fmadd_ps(_mm256_set1_ps(scores[p]),
                    number8(a->kv->layout, v, scale, from + 8 * i), acc[i]);
        }
        for (size_t i = 0; i < n; i++)
            _mm256_storeu_ps(out + from + 8 * i, acc[i]);
    }
}

static void attend(const struct er_attend *a)
{
    size_t stride = er_kv_round_up(a->n_pos);
    if (a->head_dim % 8) {
        er_attend_plain(a);
        return;
    }
    score(a, stride);
    for (uint32_t g = 0; g < a->n_group; g++) {
        er_softmax_plain(a->scores + g * stride, a->n_pos);
        weigh(a, a->scores + g * stride, a->out + g * a->head_dim);
    }
}

static void to_f16(const float *x, uint16_t *out, size_t n)
{
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        _mm_storeu_si128((void *)(out + i),
            _mm256_cvtps_ph(_mm256_loadu_ps(x + i),
                _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
    er_to_f16_plain(x + i, out + i, n - i);
}

const struct er_kernels *er_kernels_avx2(void)
{
    static const struct er_kernels table = {
        .name = "avx2",
        .exact = rows_exact,
        .rounded = {[ER_Q4_0] = rows_rounded, [ER_Q4_1] = rows_rounded,
            [ER_Q5_0] = rows_rounded, [ER_Q5_1] = rows_rounded,
            [ER_Q8_0] = rows_rounded, [ER_Q2_K] = rows_rounded,
            [ER_Q3_K] = rows_rounded, [ER_Q4_K] = rows_rounded,
            [ER_Q5_K] = rows_rounded, [ER_Q6_K] = rows_rounded,
            [ER_IQ4_NL] = rows_rounded, [ER_IQ4_XS] = rows_rounded},
        .attend = attend,
        .round = round_token,
        .silu = er_silu_plain,
        .to_f16 = to_f16,
    };
    /* Compilers cannot all ask for F16C; what has AVX2 has it. */
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")
               ? &table
               : NULL;
}

#else

#include "engine/kernel.h"

const struct er_kernels *er_kernels_avx2(void)
{
    return NULL;
}

#endif
