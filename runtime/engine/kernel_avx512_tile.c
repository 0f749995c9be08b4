/* Matrix products with AVX-512 and VNNI, sixteen rows at once.
 *
 * A vector register holds four weights of each of sixteen rows (pack.h); a
 * token's four numbers are broadcast against it. So lane r of a register
 * belongs to row r, and nothing is ever added across lanes. For each unit of
 * 32 weights, eight registers are unpacked and meet all tokens before the
 * next eight are loaded; the sums of a unit are exact integers, and
 *
 *   y += d * (s * sum(u * q) - m * sum(q))          as (sum * s + m * -q) * d
 *
 * is what floats see, unit by unit in order. That is the whole meaning of a
 * product here: how many tokens meet a register, and whether weights come
 * packed, unpacked on the way or by way of a panel, changes no bit.
 *
 * Few tokens take the weights right from the tile, which is read once. More
 * tokens first unpack a tile into a *panel* of bytes and float scales, and
 * then go over it sixteen at a time.
 */
#if defined(__x86_64__) && defined(__AVX512VNNI__)

#include "engine/kernel_avx512.h"
#include "engine/kernel_tile.h"
#include "engine/kernel_unpack.h"
#include "engine/pack.h"

#include <immintrin.h>
#include <string.h>

#define ALWAYS static inline __attribute__((always_inline))
#ifdef __clang__
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

/* How u stands for a weight: less a power of two (the integers take care of
 * it), or less a minimum of its unit; units of 32 or 16. */
enum kind { LESS_4_OF_16, LESS_32_OF_16, MIN_OF_16, LESS_8, LESS_16, LESS_128,
    MIN };

ALWAYS bool is_of_16(enum kind k) { return k <= MIN_OF_16; }

enum { DIRECT_MOST = 8 }; /* tokens that meet a packed tile itself */

/* A tile unpacked: u [n / 4][16][4], s and m [units][16]. */
struct panel {
    uint8_t *u;
    float *s, *m;
};

/* Where unpacked units go: into a panel, or against tokens. */
struct sink {
    enum kind kind;
    const struct panel *panel; /* NULL: tokens t0 .. t0 + T - 1 of g */
    const struct er_group *g;
    size_t t0;
    int T;
};

/* ---------------------------------------------------- units and tokens */

ALWAYS __m512i four(const int8_t *q)
{
    int32_t v;
    memcpy(&v, q, sizeof v);
    return _mm512_set1_epi32(v);
}

/* A sum that begins with what all u are too large by. */
ALWAYS __m512i less(enum kind kind, __m512i negative)
{
    switch (kind) {
    case LESS_4_OF_16: return _mm512_slli_epi32(negative, 2);
    case LESS_8: return _mm512_slli_epi32(negative, 3);
    case LESS_16: return _mm512_slli_epi32(negative, 4);
    case LESS_32_OF_16: return _mm512_slli_epi32(negative, 5);
    case LESS_128: return _mm512_slli_epi32(negative, 7);
    default: return _mm512_setzero_si512();
    }
}

ALWAYS __m512 token_32(enum kind kind, const __m512i *w, __m512 s, __m512 m,
    const struct er_group *g, size_t at)
{
    const int8_t *q = g->q + at * 32;
    __m512i negative = _mm512_set1_epi32(g->sums[at]);
    __m512i a = less(kind, negative), b = _mm512_setzero_si512();
    UNROLL
    for (int k = 0; k < 8; k += 2) {
        a = _mm512_dpbusd_epi32(a, w[k], four(q + 4 * k));
        b = _mm512_dpbusd_epi32(b, w[k + 1], four(q + 4 * k + 4));
    }
    __m512 f = _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_add_epi32(a, b)), s);
    return kind == MIN ? _mm512_fmadd_ps(m, _mm512_cvtepi32_ps(negative), f)
                       : f;
}

ALWAYS __m512 token_16(enum kind kind, const __m512i *w, const __m512 *s,
    const __m512 *m, const struct er_group *g, size_t u, size_t t)
{
    const int8_t *q = g->q + (u * g->n + t) * 32;
    const int32_t *halves = g->halves + 2 * u * g->n + t;
    __m512i na = _mm512_set1_epi32(halves[0]);
    __m512i nb = _mm512_set1_epi32(halves[g->n]);
    __m512i a = less(kind, na), b = less(kind, nb);
    UNROLL
    for (int k = 0; k < 4; k++) {
        a = _mm512_dpbusd_epi32(a, w[k], four(q + 4 * k));
        b = _mm512_dpbusd_epi32(b, w[k + 4], four(q + 4 * k + 16));
    }
    __m512 f = _mm512_mul_ps(_mm512_cvtepi32_ps(a), s[0]);
    f = _mm512_fmadd_ps(_mm512_cvtepi32_ps(b), s[1], f);
    if (kind == MIN_OF_16) {
        f = _mm512_fmadd_ps(m[0], _mm512_cvtepi32_ps(na), f);
        f = _mm512_fmadd_ps(m[1], _mm512_cvtepi32_ps(nb), f);
    }
    return f;
}

/* Unit u (32 weights of 16 rows): w [8]; s and m one or two vectors. */
ALWAYS void take(const struct sink *to, __m512 *acc, size_t u,
    const __m512i *w, const __m512 *s, const __m512 *m)
{
    size_t scales = is_of_16(to->kind) ? 2 : 1;
    if (to->panel) {
        for (size_t k = 0; k < 8; k++)
            _mm512_store_si512(to->panel->u + (u * 8 + k) * 64, w[k]);
        for (size_t i = 0; i < scales; i++) {
            _mm512_store_ps(to->panel->s + (u * scales + i) * 16, s[i]);
            if (to->kind == MIN || to->kind == MIN_OF_16)
                _mm512_store_ps(to->panel->m + (u * scales + i) * 16, m[i]);
        }
        return;
    }
    UNROLL
    for (int t = 0; t < to->T; t++) {
        size_t in = to->t0 + (size_t)t, at = u * to->g->n + in;
        __m512 f = is_of_16(to->kind)
                       ? token_16(to->kind, w, s, m, to->g, u, in)
                       : token_32(to->kind, w, s[0], m[0], to->g, at);
        acc[t] = _mm512_fmadd_ps(f, _mm512_set1_ps(to->g->d[at]), acc[t]);
    }
}

/* ------------------------------------------------------------ unpacking */

ALWAYS __m512i words(const unsigned char *at)
{
    return _mm512_loadu_si512((const void *)at);
}

ALWAYS __m512i low(__m512i x)
{
    return _mm512_and_si512(x, _mm512_set1_epi8(15));
}

ALWAYS __m512i high(__m512i x)
{
    return low(_mm512_srli_epi16(x, 4));
}

/* a with those bits of b that mask has. */
ALWAYS __m512i with(__m512i a, __m512i b, int mask)
{
    return _mm512_ternarylogic_epi32(
        a, b, _mm512_set1_epi8((char)mask), 0xF8); /* a | (b & mask) */
}

ALWAYS __m512 halves16(const unsigned char *at)
{
    return _mm512_cvtph_ps(_mm256_loadu_si256((const void *)at));
}

ALWAYS __m512 bytes16(const unsigned char *at, bool is_signed)
{
    __m128i b = _mm_loadu_si128((const void *)at);
    return _mm512_cvtepi32_ps(
        is_signed ? _mm512_cvtepi8_epi32(b) : _mm512_cvtepu8_epi32(b));
}

ALWAYS void block_q4_0(const struct sink *to, __m512 *acc, size_t b,
    const unsigned char *d, const unsigned char *at)
{
    __m512 s = halves16(d);
    __m512i w[8];
    for (int k = 0; k < 4; k++) {
        __m512i x = words(at + 64 * k);
        w[k] = low(x);
        w[k + 4] = high(x);
    }
    take(to, acc, b, w, &s, &s);
}

ALWAYS void block_q8_0(const struct sink *to, __m512 *acc, size_t b,
    const unsigned char *d, const unsigned char *at)
{
    __m512 s = halves16(d);
    __m512i w[8];
    for (int k = 0; k < 8; k++)
        w[k] = words(at + 64 * k);
    take(to, acc, b, w, &s, &s);
}

/* The eight scales and mins of q4_k and q5_k: bytes [12][16] to [8][16]. */
struct scales_k {
    unsigned char scale[128], min[128];
    __m512 d, dmin;
};

ALWAYS void scales_k(const unsigned char *at, struct scales_k *k)
{
    __m512i a = words(at + 64), b = words(at + 128), c = words(at + 192);
    __m512i six = _mm512_set1_epi8(63);
    k->d = halves16(at);
    k->dmin = halves16(at + 32);
    _mm512_storeu_si512(k->scale, _mm512_and_si512(a, six));
    _mm512_storeu_si512(k->min, _mm512_and_si512(b, six));
    _mm512_storeu_si512(
        k->scale + 64, with(low(c), _mm512_srli_epi16(a, 2), 48));
    _mm512_storeu_si512(
        k->min + 64, with(high(c), _mm512_srli_epi16(b, 2), 48));
}

ALWAYS void take_k(const struct sink *to, __m512 *acc, size_t b, size_t j,
    const __m512i *w, const struct scales_k *k)
{
    __m512 s = _mm512_mul_ps(k->d, bytes16(k->scale + 16 * j, false));
    __m512 m = _mm512_mul_ps(k->dmin, bytes16(k->min + 16 * j, false));
    take(to, acc, 8 * b + j, w, &s, &m);
}

ALWAYS void block_q4_k(const struct sink *to, __m512 *acc, size_t b,
    const unsigned char *at)
{
    struct scales_k k;
    scales_k(at, &k);
    for (size_t j = 0; j < 8; j += 2) {
        const unsigned char *qs = at + 256 + 256 * j;
        __m512i w[8];
        for (size_t i = 0; i < 8; i++)
            w[i] = low(words(qs + 64 * i));
        take_k(to, acc, b, j, w, &k);
        for (size_t i = 0; i < 8; i++)
            w[i] = high(words(qs + 64 * i));
        take_k(to, acc, b, j + 1, w, &k);
    }
}

ALWAYS void block_q5_k(const struct sink *to, __m512 *acc, size_t b,
    const unsigned char *at)
{
    const unsigned char *fifth = at + 256, *qs = fifth + 512;
    struct scales_k k;
    scales_k(at, &k);
    for (size_t j = 0; j < 8; j++) {
        __m512i w[8];
        __m128i by = _mm_cvtsi32_si128((int)j);
        for (size_t i = 0; i < 8; i++) {
            __m512i x = words(qs + 512 * (j / 2) + 64 * i);
            __m512i h = _mm512_srl_epi16(words(fifth + 64 * i), by);
            w[i] = with(j % 2 ? high(x) : low(x), _mm512_slli_epi16(h, 4), 16);
        }
        take_k(to, acc, b, j, w, &k);
    }
}

ALWAYS void quarter_q6_k(const unsigned char *ql, const unsigned char *qh,
    size_t g, __m512i *w)
{
    for (size_t k = 0; k < 8; k++) {
        __m512i x = words(ql + 512 * (g % 2) + 64 * k);
        __m512i h = words(qh + 64 * k);
        x = g < 2 ? low(x) : high(x);
        h = g == 0   ? _mm512_slli_epi16(h, 4)
            : g == 1 ? _mm512_slli_epi16(h, 2)
            : g == 2 ? h
                     : _mm512_srli_epi16(h, 2);
        w[k] = with(x, h, 48);
    }
}

ALWAYS void block_q6_k(const struct sink *to, __m512 *acc, size_t b,
    const unsigned char *head, const unsigned char *at)
{
    __m512 d = halves16(head);
    for (size_t half = 0; half < 2; half++) {
        const unsigned char *ql = at + 256 + 1024 * half;
        const unsigned char *qh = at + 256 + 2048 + 512 * half;
        UNROLL
        for (size_t g = 0; g < 4; g++) {
            const unsigned char *scales = at + 128 * half + 32 * g;
            __m512i w[8];
            __m512 s[2] = {_mm512_mul_ps(d, bytes16(scales, true)),
                _mm512_mul_ps(d, bytes16(scales + 16, true))};
            quarter_q6_k(ql, qh, g, w);
            take(to, acc, 8 * b + 4 * half + g, w, s, s);
        }
    }
}

/* Ask for a whole block at once. Machines follow one stream by themselves,
 * but not the parts of a block that are read in turns. */
ALWAYS void ask_for(const unsigned char *at, size_t bytes)
{
    for (size_t i = 0; i < bytes; i += 64)
        _mm_prefetch((const char *)at + i, _MM_HINT_T0);
}

/* Blocks of 32 weights, by eights. */
ALWAYS void small_blocks(const struct sink *to, __m512 *acc, uint32_t type,
    size_t n_blocks, const unsigned char *at)
{
    size_t block = type == ER_Q4_0 ? 256 : 512;
    for (size_t b = 0; b < n_blocks;) {
        size_t k = n_blocks - b < ER_PACK_EIGHT ? n_blocks - b : ER_PACK_EIGHT;
        const unsigned char *d = at;
        at += er_pack_head(k);
        for (; k > 0; k--, b++, d += 32, at += block)
            if (type == ER_Q4_0)
                block_q4_0(to, acc, b, d, at);
            else
                block_q8_0(to, acc, b, d, at);
    }
}

/* A whole tile of a packed format. */
ALWAYS void tile(const struct sink *to, __m512 *acc, uint32_t type, size_t n,
    const unsigned char *at)
{
    size_t block = type == ER_Q4_K   ? 2304
                   : type == ER_Q5_K ? 2816
                                     : 3328;
    const unsigned char *d = at;
    if (type == ER_Q4_0 || type == ER_Q8_0) {
        small_blocks(to, acc, type, n / 32, at);
        return;
    }
    at += type == ER_Q6_K ? er_pack_head(n / 256) : 0;
    for (size_t b = 0; b < n / 256; b++, d += 32, at += block) {
        ask_for(at, block);
        if (type == ER_Q4_K)
            block_q4_k(to, acc, b, at);
        else if (type == ER_Q5_K)
            block_q5_k(to, acc, b, at);
        else
            block_q6_k(to, acc, b, d, at);
    }
}

/* --------------------------------------------------- tiles and tokens */

/* Where a tile's results go: lane r to y[r] of each token. */
struct target {
    float *y;
    size_t stride;
    __mmask16 rows;
};

ALWAYS void put(const struct target *to, size_t t, __m512 v)
{
    _mm512_mask_storeu_ps(to->y + t * to->stride, to->rows, v);
}

ALWAYS void direct(uint32_t type, enum kind kind, const unsigned char *at,
    size_t n, const struct er_group *g, int T, const struct target *out)
{
    struct sink to = {.kind = kind, .g = g, .T = T};
    __m512 acc[DIRECT_MOST];
    UNROLL
    for (int t = 0; t < T; t++)
        acc[t] = _mm512_setzero_ps();
    tile(&to, acc, type, n, at);
    UNROLL
    for (int t = 0; t < T; t++)
        put(out, (size_t)t, acc[t]);
}

/* T tokens of a group, from t0 on, against a panel. */
ALWAYS void panel_times(enum kind kind, const struct panel *p, size_t n,
    const struct er_group *g, size_t t0, int T, const struct target *out)
{
    struct sink to = {.kind = kind, .g = g, .t0 = t0, .T = T};
    size_t scales = is_of_16(kind) ? 2 : 1;
    __m512 acc[ER_GROUP];
    UNROLL
    for (int t = 0; t < T; t++)
        acc[t] = _mm512_setzero_ps();
    for (size_t u = 0; u < n / 32; u++) {
        __m512i w[8];
        __m512 s[2], m[2];
        for (size_t k = 0; k < 8; k++)
            w[k] = _mm512_load_si512(p->u + (u * 8 + k) * 64);
        for (size_t i = 0; i < 2; i++) {
            size_t in = u * scales + (i < scales ? i : 0);
            s[i] = _mm512_load_ps(p->s + in * 16);
            m[i] = kind == MIN || kind == MIN_OF_16
                       ? _mm512_load_ps(p->m + in * 16)
                       : s[i];
        }
        take(&to, acc, u, w, s, m);
    }
    UNROLL
    for (int t = 0; t < T; t++)
        put(out, t0 + (size_t)t, acc[t]);
}

ALWAYS void panel_times_group(enum kind kind, const struct panel *p, size_t n,
    const struct er_group *g, const struct target *out)
{
    size_t t = 0;
    if (g->n == 16) {
        panel_times(kind, p, n, g, 0, 16, out);
        return;
    }
    for (; t + 8 <= g->n; t += 8)
        panel_times(kind, p, n, g, t, 8, out);
    for (; t + 4 <= g->n; t += 4)
        panel_times(kind, p, n, g, t, 4, out);
    for (; t < g->n; t++)
        panel_times(kind, p, n, g, t, 1, out);
}

/* --------------------------------------------------- formats by number */

static enum kind kind_of(uint32_t type)
{
    switch (type) {
    case ER_Q4_0: return LESS_8;
    case ER_Q5_0: return LESS_16;
    case ER_Q8_0:
    case ER_IQ4_NL:
    case ER_IQ4_XS: return LESS_128;
    case ER_Q2_K: return MIN_OF_16;
    case ER_Q3_K: return LESS_4_OF_16;
    case ER_Q6_K: return LESS_32_OF_16;
    default: return MIN;
    }
}

static void times_group(enum kind kind, const struct panel *p, size_t n,
    const struct er_group *g, const struct target *out)
{
    switch (kind) {
    case LESS_4_OF_16: panel_times_group(LESS_4_OF_16, p, n, g, out); break;
    case LESS_32_OF_16: panel_times_group(LESS_32_OF_16, p, n, g, out); break;
    case MIN_OF_16: panel_times_group(MIN_OF_16, p, n, g, out); break;
    case LESS_8: panel_times_group(LESS_8, p, n, g, out); break;
    case LESS_16: panel_times_group(LESS_16, p, n, g, out); break;
    case LESS_128: panel_times_group(LESS_128, p, n, g, out); break;
    default: panel_times_group(MIN, p, n, g, out); break;
    }
}

/* A few tokens right against a packed tile. */
#define DIRECT(type, kind)                                                \
    static void direct_##type(const unsigned char *at, size_t n,          \
        const struct er_group *g, const struct target *out)               \
    {                                                                     \
        switch (g->n) {                                                   \
        case 1: direct(ER_##type, kind, at, n, g, 1, out); break;         \
        case 2: direct(ER_##type, kind, at, n, g, 2, out); break;         \
        case 3: direct(ER_##type, kind, at, n, g, 3, out); break;         \
        case 4: direct(ER_##type, kind, at, n, g, 4, out); break;         \
        case 5: direct(ER_##type, kind, at, n, g, 5, out); break;         \
        case 6: direct(ER_##type, kind, at, n, g, 6, out); break;         \
        case 7: direct(ER_##type, kind, at, n, g, 7, out); break;         \
        default: direct(ER_##type, kind, at, n, g, 8, out); break;        \
        }                                                                 \
    }
DIRECT(Q4_0, LESS_8)
DIRECT(Q8_0, LESS_128)
DIRECT(Q4_K, MIN)
DIRECT(Q5_K, MIN)
DIRECT(Q6_K, LESS_32_OF_16)

static void times_directly(uint32_t type, const unsigned char *at, size_t n,
    const struct er_group *g, const struct target *out)
{
    switch (type) {
    case ER_Q4_0: direct_Q4_0(at, n, g, out); break;
    case ER_Q8_0: direct_Q8_0(at, n, g, out); break;
    case ER_Q4_K: direct_Q4_K(at, n, g, out); break;
    case ER_Q5_K: direct_Q5_K(at, n, g, out); break;
    default: direct_Q6_K(at, n, g, out); break;
    }
}

static void fill_packed(uint32_t type, const unsigned char *at, size_t n,
    const struct panel *p)
{
    switch (type) {
    case ER_Q4_0:
        tile(&(struct sink){.kind = LESS_8, .panel = p}, NULL, ER_Q4_0, n,
            at);
        break;
    case ER_Q8_0:
        tile(&(struct sink){.kind = LESS_128, .panel = p}, NULL, ER_Q8_0, n,
            at);
        break;
    case ER_Q4_K:
        tile(&(struct sink){.kind = MIN, .panel = p}, NULL, ER_Q4_K, n, at);
        break;
    case ER_Q5_K:
        tile(&(struct sink){.kind = MIN, .panel = p}, NULL, ER_Q5_K, n, at);
        break;
    default:
        tile(&(struct sink){.kind = LESS_32_OF_16, .panel = p}, NULL,
            ER_Q6_K, n, at);
        break;
    }
}

/* Sixteen rows as the file has them, or fewer; the last ones are zeros.
 * row: room for one unpacked row. */
static void fill_rows(const struct er_matrix *m, size_t from, size_t rows,
    const struct panel *p, float *row)
{
    size_t n = m->n_in, unit = er_unpack_unit(m->type), units = n / unit;
    float *s = row, *min = row + units;
    uint8_t *u = (uint8_t *)(row + 2 * units);
    memset(p->s, 0, units * 16 * sizeof *p->s);
    memset(p->m, 0, units * 16 * sizeof *p->m);
    for (size_t r = 0; r < rows; r++) {
        er_unpack_avx2(m->type,
            (const char *)m->data + (from + r) * m->row_bytes, n, u, s, min);
        for (size_t k = 0; k < n / 4; k++)
            memcpy(p->u + k * 64 + r * 4, u + 4 * k, 4);
        for (size_t i = 0; i < units; i++) {
            p->s[i * 16 + r] = s[i];
            p->m[i * 16 + r] = min[i];
        }
    }
}

void er_rows_avx512(const struct er_matrix *m, size_t from, size_t to,
    const struct er_acts *x, float *y, size_t stride, float *scratch)
{
    size_t n = m->n_in, unit = er_unpack_unit(m->type);
    size_t bytes = m->packed ? er_pack_tile_bytes(m->type, n) : 0;
    struct panel p = {.s = scratch, .m = scratch + n / unit * ER_TILE,
        .u = (uint8_t *)(scratch + 2 * (n / unit) * ER_TILE)};
    enum kind kind = kind_of(m->type);
    for (size_t at = from; at < to; at += ER_TILE) {
        size_t rows = to - at < ER_TILE ? to - at : ER_TILE;
        const unsigned char *packed =
            bytes ? m->packed + at / ER_TILE * bytes : NULL;
        struct target out = {.y = y + at, .stride = stride,
            .rows = (__mmask16)((1u << rows) - 1)};
        if (bytes && x->n <= DIRECT_MOST) {
            struct er_group g = er_group_at(x, 0);
            times_directly(m->type, packed, n, &g, &out);
            continue;
        }
        if (bytes)
            fill_packed(m->type, packed, n, &p);
        else
            fill_rows(m, at, rows, &p, (float *)(void *)(p.u + 16 * n));
        for (size_t t = 0; t < x->n; t += ER_GROUP, out.y += 16 * stride) {
            struct er_group g = er_group_at(x, t);
            times_group(kind, &p, n, &g, &out);
        }
    }
}

#else
typedef int er_kernel_avx512_tile_unused; /* C forbids an empty file */
#endif
