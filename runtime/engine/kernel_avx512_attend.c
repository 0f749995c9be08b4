/* Attention with AVX-512: one token in the heads of one key-value head.
 *
 * Keys and values are turned into floats sixteen positions at a time, once
 * for all heads that share them. A score is the sum of its lanes, and
 * sixteen of them are added up together; a head's result takes positions
 * one after the other. So neither depends on how many heads or tokens are
 * computed at once.
 */
#if defined(__x86_64__) && defined(__AVX512F__)

#include "engine/kernel_avx512.h"
#include "engine/kv.h"

#include <string.h>

#define ALWAYS static inline __attribute__((always_inline))

enum { BLOCK = 16, WIDEST = 512 /* numbers of a head, here */ };

/* A head of one position as floats; f16 caches are read in place of it. */
ALWAYS __m512 number16(const struct er_kv_layout *l, const unsigned char *at,
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

/* Sixteen positions of the head from p on as floats: out [16][head_dim]. They
 * lie in one page; what is behind the last position is never used. */
static void load_block(
    const struct er_attend *a, int which, uint32_t p, float *out)
{
    const struct er_kv_layout *l = a->kv->layout;
    const struct er_kv_page *page = a->kv->pages[p / ER_KV_PAGE];
    size_t in = p % ER_KV_PAGE, width = a->head_dim;
    const unsigned char *at =
        er_kv_head(l, page, a->layer, which, a->head) + in * width * l->width;
    const float *scales = NULL;
    if (l->type == ER_KV_Q8)
        scales = er_kv_scales(l, page, a->layer, which, a->head) + in;
    for (size_t k = 0; k < BLOCK; k++, at += width * l->width)
        for (size_t i = 0; i < width; i += 16)
            _mm512_store_ps(out + k * width + i,
                number16(l, at, scales ? scales[k] : 1, i));
}

/* Lane j: the sum of the lanes of x[j]. */
static __m512 sums16(__m512 x[BLOCK])
{
    const __m512i order = _mm512_setr_epi32(
        0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    __m512 four[4], a, b;
    for (int i = 0; i < 4; i++) {
        __m512 *y = x + 4 * i;
        a = _mm512_add_ps(_mm512_unpacklo_ps(y[0], y[1]),
            _mm512_unpackhi_ps(y[0], y[1]));
        b = _mm512_add_ps(_mm512_unpacklo_ps(y[2], y[3]),
            _mm512_unpackhi_ps(y[2], y[3]));
        __m512d c = _mm512_castps_pd(a), d = _mm512_castps_pd(b);
        a = _mm512_castpd_ps(_mm512_unpacklo_pd(c, d));
        b = _mm512_castpd_ps(_mm512_unpackhi_pd(c, d));
        /* lane 4q + j: quarter q of y[j]; then all quarters of y[j] in
         * lanes 4j to 4j + 3 */
        four[i] = _mm512_permutexvar_ps(order, _mm512_add_ps(a, b));
    }
    for (int i = 0; i < 4; i++) { /* halves of quarters, then quarters */
        __m512 y = four[i];
        y = _mm512_add_ps(y, _mm512_permute_ps(y, 0xB1));
        four[i] = _mm512_add_ps(y, _mm512_permute_ps(y, 0x4E));
    }
    /* lanes 4j of four[i]: the sum of x[4i + j] */
    const __m512i pick = _mm512_setr_epi32(
        0, 4, 8, 12, 16, 20, 24, 28, 0, 4, 8, 12, 16, 20, 24, 28);
    a = _mm512_permutex2var_ps(four[0], pick, four[1]);
    b = _mm512_permutex2var_ps(four[2], pick, four[3]);
    return _mm512_mask_blend_ps(0xFF00, a, b);
}

static void score(const struct er_attend *a, size_t stride, float *block)
{
    size_t width = a->head_dim;
    for (uint32_t p = 0; p < a->n_pos; p += BLOCK) {
        load_block(a, 0, p, block);
        for (uint32_t g = 0; g < a->n_group; g++) {
            __m512 sum[BLOCK];
            for (int k = 0; k < BLOCK; k++)
                sum[k] = _mm512_setzero_ps();
            for (size_t i = 0; i < width; i += 16) {
                __m512 q = _mm512_loadu_ps(a->q + g * width + i);
                for (int k = 0; k < BLOCK; k++)
                    sum[k] = _mm512_fmadd_ps(q,
                        _mm512_load_ps(block + (size_t)k * width + i),
                        sum[k]);
            }
            _mm512_storeu_ps(a->scores + g * stride + p,
                _mm512_mul_ps(sums16(sum), _mm512_set1_ps(a->scale)));
        }
    }
}

static void softmax(float *s, size_t n)
{
    __m512 top = _mm512_set1_ps(s[0]), sum = _mm512_setzero_ps();
    for (size_t i = 0; i < n; i += 16) {
        __mmask16 lanes = er_lanes_from(i, n);
        top = _mm512_mask_max_ps(
            top, lanes, top, _mm512_maskz_loadu_ps(lanes, s + i));
    }
    top = _mm512_set1_ps(_mm512_reduce_max_ps(top));
    for (size_t i = 0; i < n; i += 16) {
        __mmask16 lanes = er_lanes_from(i, n);
        __m512 e = er_exp16(
            _mm512_sub_ps(_mm512_maskz_loadu_ps(lanes, s + i), top));
        _mm512_mask_storeu_ps(s + i, lanes, e);
        sum = _mm512_mask_add_ps(sum, lanes, sum, e);
    }
    float by = 1 / er_tree16(sum);
    for (size_t i = 0; i < n; i++)
        s[i] *= by;
}

/* n numbers of G heads' results, from number from on: positions in order. */
ALWAYS void weigh(const struct er_attend *a, uint32_t g0, int G,
    const float *block, uint32_t p, size_t from, size_t n, size_t stride)
{
    size_t width = a->head_dim;
    uint32_t many = a->n_pos - p < BLOCK ? a->n_pos - p : BLOCK;
    __m512 acc[4][4];
    for (int g = 0; g < G; g++)
        for (size_t i = 0; i < n; i++)
            acc[g][i] = _mm512_loadu_ps(
                a->out + (g0 + (uint32_t)g) * width + from + 16 * i);
    for (uint32_t k = 0; k < many; k++) {
        __m512 v[4];
        for (size_t i = 0; i < n; i++)
            v[i] = _mm512_load_ps(block + k * width + from + 16 * i);
        for (int g = 0; g < G; g++) {
            __m512 w = _mm512_set1_ps(
                a->scores[(g0 + (uint32_t)g) * stride + p + k]);
            for (size_t i = 0; i < n; i++)
                acc[g][i] = _mm512_fmadd_ps(w, v[i], acc[g][i]);
        }
    }
    for (int g = 0; g < G; g++)
        for (size_t i = 0; i < n; i++)
            _mm512_storeu_ps(
                a->out + (g0 + (uint32_t)g) * width + from + 16 * i,
                acc[g][i]);
}

static void weigh_block(const struct er_attend *a, const float *block,
    uint32_t p, size_t stride)
{
    for (size_t from = 0; from < a->head_dim;) {
        size_t left = (a->head_dim - from) / 16;
        uint32_t g = 0;
        size_t n = left >= 4 ? 4 : 1;
        for (; n == 4 && g + 4 <= a->n_group; g += 4)
            weigh(a, g, 4, block, p, from, 4, stride);
        for (; n == 4 && g < a->n_group; g++)
            weigh(a, g, 1, block, p, from, 4, stride);
        for (; g < a->n_group; g++)
            weigh(a, g, 1, block, p, from, 1, stride);
        from += 16 * n;
    }
}

void er_attend_avx512(const struct er_attend *a)
{
    _Alignas(64) float block[BLOCK * WIDEST];
    size_t stride = er_kv_round_up(a->n_pos);
    if (a->head_dim % 16 || a->head_dim > WIDEST) {
        er_attend_plain(a);
        return;
    }
    score(a, stride, block);
    for (uint32_t g = 0; g < a->n_group; g++)
        softmax(a->scores + g * stride, a->n_pos);
    memset(a->out, 0, a->n_group * a->head_dim * sizeof *a->out);
    for (uint32_t p = 0; p < a->n_pos; p += BLOCK) {
        load_block(a, 1, p, block);
        weigh_block(a, block, p, stride);
    }
}

#else
typedef int er_kernel_avx512_attend_unused; /* C forbids an empty file */
#endif
