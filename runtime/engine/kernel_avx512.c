/* Kernels for machines with AVX-512 and VNNI: integers, 64 at once.
 *
 * A few rows are unpacked into bytes and scales (kernel_unpack.h) and then
 * meet all tokens. Sixteen tokens at a time lie side by side, four numbers
 * of each together, so that one VNNI instruction takes four numbers of all
 * sixteen and no sum goes across lanes; what is left of a batch, and single
 * tokens, go along the row.
 *
 * Both ways give the same bits: a unit (16 or 32 weights of one scale) is an
 * exact integer sum; unit i goes, times its scales, into partial sum i % 16;
 * the sixteen are added as a tree.
 */
#if defined(__x86_64__) && defined(__AVX512VNNI__)

#include "engine/kernel.h"
#include "engine/kernel_unpack.h"
#include "engine/kv.h"

#include <immintrin.h>
#include <string.h>

enum { GROUP = 16, ROWS = 8 };

/* One row, unpacked. */
struct row {
    uint8_t *u;
    float *s, *m;
};

static void unpack(const struct er_matrix *m, size_t i, struct row r)
{
    er_unpack_avx2(m->type, (const char *)m->data + i * m->row_bytes,
        m->n_in, r.u, r.s, r.m);
}

static float half(uint16_t h)
{
    return _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(h)));
}

/* ------------------------------------------------------------ rounding */

/* Tokens of whole groups of 16 lie as q [width / 4][16][4], d
 * [width / 32][16], sums [width / 16][16] from their group's first token on;
 * those behind the last group as q [width], d and sums likewise. */
static void round_token(const struct er_acts *a, size_t t)
{
    size_t n = a->width, first = t / GROUP * GROUP, in = t - first;
    bool grouped = first + GROUP <= a->n;
    int8_t *q = a->q + (grouped ? first : t) * n, block[32];
    float *d = a->d + (grouped ? first : t) * (n / 32), sums[2];
    float *out = a->sums + (grouped ? first : t) * (n / 16);
    for (size_t b = 0; b < n / 32; b++) {
        const float *x = a->f + t * n + 32 * b;
        if (!grouped) {
            er_round_block(x, q + 32 * b, &d[b], &out[2 * b]);
            continue;
        }
        er_round_block(x, block, &d[b * GROUP + in], sums);
        out[2 * b * GROUP + in] = sums[0];
        out[(2 * b + 1) * GROUP + in] = sums[1];
        for (size_t k = 0; k < 8; k++)
            memcpy(q + (8 * b + k) * 64 + 4 * in, block + 4 * k, 4);
    }
}

/* -------------------------------------------------- sixteen tokens, rows */

/* One group's vectors. */
struct group {
    const int8_t *q;
    const float *d, *sums;
    size_t n_units, unit;
};

/* Unit i of n rows against the sixteen tokens, added to acc. */
static inline __attribute__((always_inline)) void unit_of_group(
    const struct group *g, const struct row *rows, size_t i, size_t n,
    size_t unit, __m512 *acc)
{
    __m512i sum[ROWS];
    const int8_t *q = g->q + i * unit * GROUP;
    for (size_t r = 0; r < n; r++)
        sum[r] = _mm512_setzero_si512();
    for (size_t k = 0; k < unit / 4; k++) {
        __m512i a = _mm512_loadu_si512(q + 64 * k);
        for (size_t r = 0; r < n; r++) {
            int32_t w;
            memcpy(&w, rows[r].u + i * unit + 4 * k, 4);
            sum[r] =
                _mm512_dpbusd_epi32(sum[r], _mm512_set1_epi32(w), a);
        }
    }
    __m512 d = _mm512_loadu_ps(g->d + i * unit / 32 * GROUP);
    __m512 total = _mm512_loadu_ps(g->sums + i * (unit / 16) * GROUP);
    if (unit == 32)
        total = _mm512_add_ps(
            total, _mm512_loadu_ps(g->sums + (2 * i + 1) * GROUP));
    for (size_t r = 0; r < n; r++) {
        __m512 by = _mm512_mul_ps(_mm512_set1_ps(rows[r].s[i]), d);
        acc[r] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum[r]), by, acc[r]);
        acc[r] = _mm512_fnmadd_ps(
            _mm512_set1_ps(rows[r].m[i]), total, acc[r]);
    }
}

static inline __attribute__((always_inline)) void rows_of_group(
    const struct group *g, const struct row *rows, size_t n, size_t unit,
    float *y, size_t stride)
{
    __m512 part[16][ROWS];
    float out[GROUP];
    for (size_t p = 0; p < 16; p++) {
        __m512 acc[ROWS];
        for (size_t r = 0; r < n; r++)
            acc[r] = _mm512_setzero_ps();
        for (size_t i = p; i < g->n_units; i += 16)
            unit_of_group(g, rows, i, n, unit, acc);
        for (size_t r = 0; r < n; r++)
            part[p][r] = acc[r];
    }
    for (size_t r = 0; r < n; r++) {
        for (size_t by = 8; by > 0; by /= 2)
            for (size_t p = 0; p < by; p++)
                part[p][r] = _mm512_add_ps(part[p][r], part[p + by][r]);
        _mm512_storeu_ps(out, part[0][r]);
        for (size_t t = 0; t < GROUP; t++)
            y[t * stride + r] = out[t];
    }
}

static void group_times_rows(const struct group *g, const struct row *rows,
    size_t n, float *y, size_t stride)
{
    if (g->unit == 32 && n == ROWS)
        rows_of_group(g, rows, ROWS, 32, y, stride);
    else if (g->unit == 16 && n == ROWS)
        rows_of_group(g, rows, ROWS, 16, y, stride);
    else
        for (size_t r = 0; r < n; r++)
            rows_of_group(g, rows + r, 1, g->unit, y + r, stride);
}

/* ------------------------------------------------------ one token, a row */

/* x[i] holds the sums of four neighbours; lane j of the result is the sum of
 * lanes 4j .. 4j + 3 of x[0] | x[1] | x[2] | x[3]: unit 16. */
static __m512i gather16(const __m512i x[4])
{
    __m512i a = _mm512_add_epi32(_mm512_unpacklo_epi32(x[0], x[1]),
        _mm512_unpackhi_epi32(x[0], x[1]));
    __m512i b = _mm512_add_epi32(_mm512_unpacklo_epi32(x[2], x[3]),
        _mm512_unpackhi_epi32(x[2], x[3]));
    __m512i c = _mm512_add_epi32(
        _mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
    /* c: lane 4i + j is quarter i of x[j] */
    const __m512i order = _mm512_setr_epi32(
        0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    return _mm512_permutexvar_epi32(order, c);
}

/* Sums of sixteen units of 16 or 32, from 256 or 512 numbers. */
static inline __m512i sums_of(const uint8_t *u, const int8_t *q, size_t unit)
{
    __m512i x[4], y[4];
    for (size_t i = 0; i < 4; i++) {
        x[i] = _mm512_dpbusd_epi32(_mm512_setzero_si512(),
            _mm512_loadu_si512(u + 64 * i), _mm512_loadu_si512(q + 64 * i));
        if (unit == 32)
            y[i] = _mm512_dpbusd_epi32(_mm512_setzero_si512(),
                _mm512_loadu_si512(u + 256 + 64 * i),
                _mm512_loadu_si512(q + 256 + 64 * i));
    }
    if (unit == 16)
        return gather16(x);
    __m512i a = gather16(x), b = gather16(y); /* halves of units */
    const __m512i even = _mm512_setr_epi32(
        0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    const __m512i odd = _mm512_setr_epi32(
        1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
    return _mm512_add_epi32(_mm512_permutex2var_epi32(a, even, b),
        _mm512_permutex2var_epi32(a, odd, b));
}

/* The same of the last units of a row, one by one. */
static __m512i sums_of_rest(
    const uint8_t *u, const int8_t *q, size_t unit, size_t n)
{
    int32_t sum[16] = {0};
    for (size_t i = 0; i < n * unit; i++)
        sum[i / unit] += u[i] * q[i];
    return _mm512_loadu_si512(sum);
}

/* Scales of sixteen units from i on; lanes behind the mask are 0. */
static __m512 scales_at(const float *d, size_t i, size_t unit, __mmask16 lanes)
{
    if (unit == 32)
        return _mm512_maskz_loadu_ps(lanes, d + i);
    const __m512i twice = _mm512_setr_epi32(
        0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
    __mmask16 some = (__mmask16)((1u << (__builtin_popcount(lanes) / 2)) - 1);
    return _mm512_permutexvar_ps(
        twice, _mm512_maskz_loadu_ps(some, d + i / 2));
}

static __m512 totals_at(
    const float *sums, size_t i, size_t unit, __mmask16 lanes)
{
    if (unit == 16)
        return _mm512_maskz_loadu_ps(lanes, sums + i);
    uint32_t both = (uint32_t)((1ull << 2 * __builtin_popcount(lanes)) - 1);
    __m512 a = _mm512_maskz_loadu_ps((__mmask16)both, sums + 2 * i);
    __m512 b =
        _mm512_maskz_loadu_ps((__mmask16)(both >> 16), sums + 2 * i + 16);
    const __m512i even = _mm512_setr_epi32(
        0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    const __m512i odd = _mm512_setr_epi32(
        1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
    return _mm512_add_ps(_mm512_permutex2var_ps(a, even, b),
        _mm512_permutex2var_ps(a, odd, b));
}

/* The tree over sixteen lanes, as rows_of_group adds its parts. */
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

static inline __attribute__((always_inline)) float row_times_token(
    const struct row *r, const int8_t *q, const float *d, const float *sums,
    size_t n_units, size_t unit)
{
    __m512 acc = _mm512_setzero_ps();
    for (size_t i = 0; i < n_units; i += 16) {
        size_t left = n_units - i;
        __mmask16 lanes = lanes_from(i, n_units);
        __m512i sum =
            left >= 16
                ? sums_of(r->u + i * unit, q + i * unit, unit)
                : sums_of_rest(r->u + i * unit, q + i * unit, unit, left);
        __m512 by = _mm512_mul_ps(_mm512_maskz_loadu_ps(lanes, r->s + i),
            scales_at(d, i, unit, lanes));
        acc = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), by, acc);
        acc = _mm512_fnmadd_ps(_mm512_maskz_loadu_ps(lanes, r->m + i),
            totals_at(sums, i, unit, lanes), acc);
    }
    return tree(acc);
}

/* ------------------------------------------------------------- matrices */

static struct row row_at(float *scratch, size_t n, size_t i)
{
    float *at = scratch + i * (n / 4 + n / 8);
    return (struct row){(uint8_t *)(at + n / 8), at, at + n / 16};
}

static void rows_rounded(const struct er_matrix *m, size_t from, size_t to,
    const struct er_acts *x, float *y, size_t stride, float *scratch)
{
    size_t n = m->n_in, unit = er_unpack_unit(m->type);
    size_t step = x->n < GROUP ? 1 : ROWS; /* one row stays in the cache */
    struct row rows[ROWS];
    for (size_t at = from; at < to; at += step) {
        size_t many = to - at < step ? to - at : step, t = 0;
        for (size_t r = 0; r < many; r++) {
            rows[r] = row_at(scratch, n, r);
            unpack(m, at + r, rows[r]);
        }
        for (; t + GROUP <= x->n; t += GROUP) {
            struct group g = {x->q + t * n, x->d + t * (n / 32),
                x->sums + t * (n / 16), n / unit, unit};
            group_times_rows(&g, rows, many, y + t * stride + at, stride);
        }
        for (; t < x->n; t++)
            for (size_t r = 0; r < many; r++)
                y[t * stride + at + r] =
                    unit == 32 ? row_times_token(&rows[r], x->q + t * n,
                                     x->d + t * (n / 32),
                                     x->sums + t * (n / 16), n / 32, 32)
                               : row_times_token(&rows[r], x->q + t * n,
                                     x->d + t * (n / 32),
                                     x->sums + t * (n / 16), n / 16, 16);
    }
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
        .exact = rows_exact,
        .rounded = {[ER_Q4_0] = rows_rounded, [ER_Q4_1] = rows_rounded,
            [ER_Q5_0] = rows_rounded, [ER_Q5_1] = rows_rounded,
            [ER_Q8_0] = rows_rounded, [ER_Q2_K] = rows_rounded,
            [ER_Q3_K] = rows_rounded, [ER_Q4_K] = rows_rounded,
            [ER_Q5_K] = rows_rounded, [ER_Q6_K] = rows_rounded,
            [ER_IQ4_NL] = rows_rounded, [ER_IQ4_XS] = rows_rounded},
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
