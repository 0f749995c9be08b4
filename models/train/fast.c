/* What a training step on the CPU does beside the matrix products, for
 * AVX-512 with bfloat16: attention, norms, the gated unit, cross entropy.
 *
 * Activations are bfloat16, the residual stream and all sums float. Sequences
 * lie one after another without padding: starts[i] is where the i-th begins
 * and starts[n] the end. Heads have 32 numbers, which are two vectors: the
 * two halves that the rotary embedding turns against each other.
 * fast.py builds and calls it; nothing of it goes into errand.
 */
#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef uint16_t half;
typedef __m512 vec;

enum { DIM = 32, ROWS = 8, LANES = 16 };

static inline vec load(const half *p)
{
    __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const void *)p));
    return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
}

static inline void store(half *p, vec v)
{
    _mm256_storeu_si256((void *)p, (__m256i)_mm512_cvtneps_pbh(v));
}

static inline vec each(float x)
{
    return _mm512_set1_ps(x);
}

static inline vec fma_(vec a, vec b, vec c)
{
    return _mm512_fmadd_ps(a, b, c);
}

/* e to the x, to about 2e-6 of it. */
static inline vec expv(vec x)
{
    vec y = _mm512_mul_ps(_mm512_max_ps(x, each(-87.0f)), each(1.44269504f));
    vec n = _mm512_roundscale_ps(y, 0);
    vec f = _mm512_sub_ps(y, n);
    vec p = each(1.3333558e-3f);
    p = fma_(p, f, each(9.6181291e-3f));
    p = fma_(p, f, each(5.5504109e-2f));
    p = fma_(p, f, each(2.4022651e-1f));
    p = fma_(p, f, each(6.9314718e-1f));
    p = fma_(p, f, each(1.0f));
    return _mm512_scalef_ps(p, n);
}

/* ------------------------------------------------------------ attention */

/* Products of bfloat16 take two numbers of a pair at once, so everything is
 * laid out in pairs of 32 bits: of dimensions for queries times keys, of
 * positions for weights times values, of rows for what flows back. */

struct shape {
    int32_t heads, kv_heads;
    const float *cos, *sin; /* [position][16] */
};

static void turn(const half *at, const struct shape *s, int t, float scale,
                 half *out)
{
    vec a = load(at), b = load(at + 16);
    vec c = _mm512_loadu_ps(s->cos + 16 * t);
    vec n = _mm512_loadu_ps(s->sin + 16 * t);
    vec k = each(scale);
    store(out, _mm512_mul_ps(k, _mm512_fmsub_ps(
        a, c, _mm512_mul_ps(b, n))));
    store(out + 16, _mm512_mul_ps(k, _mm512_fmadd_ps(
        b, c, _mm512_mul_ps(a, n))));
}

/* The reverse of turn, for gradients. */
static void turn_back(const float *g, const struct shape *s, int t,
                      float scale, half *out)
{
    vec a = _mm512_loadu_ps(g), b = _mm512_loadu_ps(g + 16);
    vec c = _mm512_loadu_ps(s->cos + 16 * t);
    vec n = _mm512_loadu_ps(s->sin + 16 * t);
    vec k = each(scale);
    store(out, _mm512_mul_ps(k, _mm512_fmadd_ps(a, c, _mm512_mul_ps(b, n))));
    store(out + 16, _mm512_mul_ps(k, _mm512_fmsub_ps(
        b, c, _mm512_mul_ps(a, n))));
}

static inline vec dot2(vec sum, uint32_t one, __m512i many)
{
    return _mm512_dpbf16_ps(sum, (__m512bh)_mm512_set1_epi32((int)one),
                            (__m512bh)many);
}

static inline __m512i pairs(__m512i both)
{
    const __m512i order = _mm512_set_epi16(
        31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7,
        22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    return _mm512_permutexvar_epi16(order, both);
}

/* 16 numbers of a and of b, side by side */
static inline __m512i pair_halves(const half *a, const half *b)
{
    return pairs(_mm512_inserti64x4(
        _mm512_castsi256_si512(_mm256_loadu_si256((const void *)a)),
        _mm256_loadu_si256((const void *)b), 1));
}

static inline __m512i pair_floats(vec a, vec b)
{
    return pairs((__m512i)_mm512_cvtne2ps_pbh(b, a));
}

struct work {
    int wide; /* positions, rounded up to blocks */
    half *q, *k, *v, *dout;          /* [time][32] */
    uint32_t *kt, *vt;               /* [block][16 pairs of dims][16] */
    uint32_t *kp, *vp;               /* [time / 2][2 halves][16] */
    float *score;                    /* [ROWS][wide] */
    half *weight;                    /* [ROWS][wide] */
    uint32_t *p, *ds;                /* [ROWS / 2][wide]: pairs of rows */
    float *dq, *dk, *dv;             /* [time][32] */
    float out[ROWS * DIM];
    void *all;
};

static int work_make(struct work *w, int longest)
{
    memset(w, 0, sizeof *w);
    w->wide = (longest + LANES - 1) / LANES * LANES;
    size_t side = (size_t)w->wide * DIM, row = (size_t)w->wide * ROWS;
    size_t bytes = side * (4 * 2 + 4 * 2 + 3 * 4) + row * (4 + 2 + 2 + 2);
    char *at = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!at)
        return -1;
    memset(at, 0, bytes);
    w->all = at;
    half **halves[] = {&w->q, &w->k, &w->v, &w->dout};
    uint32_t **words[] = {&w->kt, &w->vt, &w->kp, &w->vp};
    float **floats[] = {&w->dq, &w->dk, &w->dv};
    for (int i = 0; i < 4; i++, at += side * 2)
        *halves[i] = (half *)at;
    for (int i = 0; i < 4; i++, at += side * 2)
        *words[i] = (uint32_t *)at;
    for (int i = 0; i < 3; i++, at += side * 4)
        *floats[i] = (float *)at;
    w->score = (float *)at;
    w->weight = (half *)(at + row * 4);
    w->p = (uint32_t *)(at + row * 6);
    w->ds = (uint32_t *)(at + row * 8);
    return 0;
}

/* Positions side by side, for 16 products at once. */
static void transpose(const half *rows, int time, uint32_t *out)
{
    for (int t = 0; t < time; t++) {
        uint32_t words[DIM / 2];
        memcpy(words, rows + t * DIM, sizeof words);
        for (int d = 0; d < DIM / 2; d++)
            out[(t / LANES * (DIM / 2) + d) * LANES + t % LANES] = words[d];
    }
}

/* Two positions in each word, for sums over positions. */
static void pair_up(const half *rows, int time, uint32_t *out)
{
    static const half nought[DIM];
    for (int t = 0; t < time; t += 2) {
        const half *a = rows + t * DIM, *b = t + 1 < time ? a + DIM : nought;
        _mm512_storeu_si512(out + t * LANES, pair_halves(a, b));
        _mm512_storeu_si512(out + (t + 1) * LANES,
                            pair_halves(a + 16, b + 16));
    }
}

/* dots[r][0..15] = rows r of q times 16 positions of a transposed side */
static inline void products(const half *q, const uint32_t *turned, vec *dots)
{
    uint32_t words[ROWS][DIM / 2];
    memcpy(words, q, sizeof words);
    for (int r = 0; r < ROWS; r++)
        dots[r] = _mm512_setzero_ps();
    for (int d = 0; d < DIM / 2; d++) {
        __m512i k = _mm512_loadu_si512(turned + d * LANES);
        for (int r = 0; r < ROWS; r++)
            dots[r] = dot2(dots[r], words[r][d], k);
    }
}

/* out[r] = sum over j < n of weights[r][j] * rows[j]; n is even */
static void mix(const half *weights, int stride, int n, const uint32_t *rows,
                float *out)
{
    vec low[ROWS], high[ROWS];
    for (int r = 0; r < ROWS; r++)
        low[r] = high[r] = _mm512_setzero_ps();
    for (int j = 0; j < n; j += 2) {
        __m512i a = _mm512_loadu_si512(rows + j * LANES);
        __m512i b = _mm512_loadu_si512(rows + (j + 1) * LANES);
        for (int r = 0; r < ROWS; r++) {
            uint32_t w;
            memcpy(&w, weights + r * stride + j, sizeof w);
            low[r] = dot2(low[r], w, a);
            high[r] = dot2(high[r], w, b);
        }
    }
    for (int r = 0; r < ROWS; r++) {
        _mm512_storeu_ps(out + r * DIM, low[r]);
        _mm512_storeu_ps(out + r * DIM + 16, high[r]);
    }
}

/* out[j] += sum over r of weights[r][j] * rows[r] */
static void spread(const uint32_t *weights, int stride, int n,
                   const half *rows, float *out)
{
    __m512i low[ROWS / 2], high[ROWS / 2];
    for (int r = 0; r < ROWS / 2; r++) {
        const half *a = rows + 2 * r * DIM;
        low[r] = pair_halves(a, a + DIM);
        high[r] = pair_halves(a + 16, a + DIM + 16);
    }
    for (int j = 0; j < n; j++) {
        vec a = _mm512_loadu_ps(out + j * DIM);
        vec b = _mm512_loadu_ps(out + j * DIM + 16);
        for (int r = 0; r < ROWS / 2; r++) {
            uint32_t w = weights[r * stride + j];
            a = dot2(a, w, low[r]);
            b = dot2(b, w, high[r]);
        }
        _mm512_storeu_ps(out + j * DIM, a);
        _mm512_storeu_ps(out + j * DIM + 16, b);
    }
}

/* Only the positions up to i count for row i. */
static inline __mmask16 seen(int i, int block)
{
    int n = i + 1 - block * LANES;
    return n >= LANES ? 0xffff : n <= 0 ? 0 : (__mmask16)((1u << n) - 1);
}

static void copy_head(half *out, const half *at, size_t stride, int time)
{
    int padded = (time + ROWS - 1) / ROWS * ROWS;
    for (int t = 0; t < time; t++)
        memcpy(out + t * DIM, at + (size_t)t * stride, DIM * sizeof(half));
    memset(out + time * DIM, 0, (size_t)(padded - time) * DIM * sizeof(half));
}

static void work_keys(struct work *w, const half *qkv, int stride, int head,
                      const struct shape *s, int time)
{
    for (int t = 0; t < time; t++)
        turn(qkv + (size_t)t * stride + (s->heads + head) * DIM, s, t, 1.0f,
             w->k + t * DIM);
    copy_head(w->v, qkv + (s->heads + s->kv_heads + head) * DIM,
              (size_t)stride, time);
    transpose(w->k, time, w->kt);
    transpose(w->v, time, w->vt);
    pair_up(w->k, time, w->kp);
    pair_up(w->v, time, w->vp);
}

static void work_queries(struct work *w, const half *qkv, int stride,
                         int head, const struct shape *s, int time)
{
    for (int t = 0; t < time; t++)
        turn(qkv + (size_t)t * stride + head * DIM, s, t, 0.17677669f,
             w->q + t * DIM);
    int padded = (time + ROWS - 1) / ROWS * ROWS;
    memset(w->q + time * DIM, 0,
           (size_t)(padded - time) * DIM * sizeof(half));
}

static int blocks_for(int i, int time)
{
    int last = i + ROWS - 1;
    return (last < time ? last : time - 1) / LANES + 1;
}

static void forward_rows(struct work *w, int i, int time, float *lse,
                         int lse_stride)
{
    int blocks = blocks_for(i, time);
    vec most[ROWS], dots[ROWS];
    float scale[ROWS];
    for (int r = 0; r < ROWS; r++)
        most[r] = each(-1e30f);
    for (int b = 0; b < blocks; b++) {
        products(w->q + i * DIM, w->kt + b * DIM / 2 * LANES, dots);
        for (int r = 0; r < ROWS; r++) {
            vec x = _mm512_mask_blend_ps(seen(i + r, b), each(-1e30f),
                                         dots[r]);
            most[r] = _mm512_max_ps(most[r], x);
            _mm512_storeu_ps(w->score + r * w->wide + b * LANES, x);
        }
    }
    for (int r = 0; r < ROWS; r++) {
        float top = _mm512_reduce_max_ps(most[r]);
        vec sum = _mm512_setzero_ps();
        for (int b = 0; b < blocks; b++) {
            vec x = _mm512_loadu_ps(w->score + r * w->wide + b * LANES);
            vec e = _mm512_maskz_mov_ps(seen(i + r, b),
                                        expv(_mm512_sub_ps(x, each(top))));
            sum = _mm512_add_ps(sum, e);
            store(w->weight + r * w->wide + b * LANES, e);
        }
        float all = _mm512_reduce_add_ps(sum);
        if (i + r < time)
            lse[(size_t)(i + r) * lse_stride] = top + logf(all);
        scale[r] = 1.0f / all;
    }
    mix(w->weight, w->wide, blocks * LANES, w->vp, w->out);
    for (int d = 0; d < ROWS * DIM; d += LANES)
        _mm512_storeu_ps(w->out + d, _mm512_mul_ps(
            each(scale[d / DIM]), _mm512_loadu_ps(w->out + d)));
}

int attention(const half *qkv, const int32_t *starts, int count, int longest,
              int heads, int kv_heads, const float *cos, const float *sin,
              half *out, float *lse)
{
    struct shape s = {heads, kv_heads, cos, sin};
    struct work w;
    if (work_make(&w, longest + LANES))
        return -1;
    int stride = (heads + 2 * kv_heads) * DIM, group = heads / kv_heads;
    for (int q = 0; q < count; q++) {
        int time = starts[q + 1] - starts[q];
        const half *at = qkv + (size_t)starts[q] * stride;
        for (int h = 0; h < heads; h++) {
            if (h % group == 0)
                work_keys(&w, at, stride, h / group, &s, time);
            work_queries(&w, at, stride, h, &s, time);
            for (int i = 0; i < time; i += ROWS) {
                forward_rows(&w, i, time,
                             lse + (size_t)starts[q] * heads + h, heads);
                for (int r = 0; r < ROWS && i + r < time; r++) {
                    half *to = out + ((size_t)(starts[q] + i + r) * heads
                                      + h) * DIM;
                    store(to, _mm512_loadu_ps(w.out + r * DIM));
                    store(to + 16, _mm512_loadu_ps(w.out + r * DIM + 16));
                }
            }
        }
    }
    free(w.all);
    return 0;
}

/* Weights of the rows r and r + 1 for 16 positions, and what flows back. */
static void backward_pair(struct work *w, int i, int r, int b, const vec *s,
                          const vec *dp, const float *lse,
                          const float *delta)
{
    vec p[2], ds[2];
    for (int k = 0; k < 2; k++) {
        p[k] = _mm512_maskz_mov_ps(seen(i + r + k, b), expv(_mm512_sub_ps(
            s[r + k], each(lse[r + k]))));
        ds[k] = _mm512_mul_ps(p[k], _mm512_sub_ps(dp[r + k],
                                                  each(delta[r + k])));
        store(w->weight + (r + k) * w->wide + b * LANES, ds[k]);
    }
    size_t at = (size_t)(r / 2 * w->wide + b * LANES);
    _mm512_storeu_si512(w->p + at, pair_floats(p[0], p[1]));
    _mm512_storeu_si512(w->ds + at, pair_floats(ds[0], ds[1]));
}

static void backward_rows(struct work *w, int i, int time, const float *lse,
                          const float *delta)
{
    int blocks = blocks_for(i, time);
    vec s[ROWS], dp[ROWS];
    for (int b = 0; b < blocks; b++) {
        products(w->q + i * DIM, w->kt + b * DIM / 2 * LANES, s);
        products(w->dout + i * DIM, w->vt + b * DIM / 2 * LANES, dp);
        for (int r = 0; r < ROWS; r += 2)
            backward_pair(w, i, r, b, s, dp, lse, delta);
    }
    int n = blocks * LANES < time ? blocks * LANES : time;
    mix(w->weight, w->wide, blocks * LANES, w->kp, w->dq + i * DIM);
    spread(w->ds, w->wide, n, w->q + i * DIM, w->dk);
    spread(w->p, w->wide, n, w->dout + i * DIM, w->dv);
}

/* What each row of the output's gradient is with the output: 0 past the
 * end, where nothing must be added. */
static void work_gradient(struct work *w, const half *dout, const half *out,
                          int stride, int time, float *delta)
{
    copy_head(w->dout, dout, (size_t)stride, time);
    for (int t = 0; t < time; t++) {
        const half *a = dout + (size_t)t * stride;
        const half *b = out + (size_t)t * stride;
        vec x = _mm512_mul_ps(load(a), load(b));
        delta[t] = _mm512_reduce_add_ps(fma_(load(a + 16), load(b + 16), x));
    }
    for (int t = time; t % ROWS; t++)
        delta[t] = 0;
}

static void write_keys(struct work *w, half *at, int stride, int head,
                       const struct shape *s, int time)
{
    for (int t = 0; t < time; t++) {
        half *to = at + (size_t)t * stride;
        turn_back(w->dk + t * DIM, s, t, 1.0f, to + (s->heads + head) * DIM);
        to += (s->heads + s->kv_heads + head) * DIM;
        store(to, _mm512_loadu_ps(w->dv + t * DIM));
        store(to + 16, _mm512_loadu_ps(w->dv + t * DIM + 16));
    }
}

int attention_back(const half *qkv, const int32_t *starts, int count,
                   int longest, int heads, int kv_heads, const float *cos,
                   const float *sin, const half *out, const float *lse,
                   const half *dout, half *dqkv)
{
    struct shape s = {heads, kv_heads, cos, sin};
    struct work w;
    float *delta = calloc((size_t)longest + 2 * ROWS, sizeof *delta);
    if (!delta || work_make(&w, longest + LANES)) {
        free(delta);
        return -1;
    }
    int stride = (heads + 2 * kv_heads) * DIM, group = heads / kv_heads;
    for (int q = 0; q < count; q++) {
        int time = starts[q + 1] - starts[q];
        size_t first = (size_t)starts[q];
        const half *at = qkv + first * stride;
        for (int h = 0; h < heads; h++) {
            if (h % group == 0) {
                work_keys(&w, at, stride, h / group, &s, time);
                memset(w.dk, 0, (size_t)time * DIM * sizeof(float));
                memset(w.dv, 0, (size_t)time * DIM * sizeof(float));
            }
            work_queries(&w, at, stride, h, &s, time);
            size_t place = first * heads * DIM + (size_t)h * DIM;
            work_gradient(&w, dout + place, out + place, heads * DIM, time,
                          delta);
            for (int i = 0; i < time; i += ROWS) {
                float norms[ROWS] = {0};
                for (int r = 0; r < ROWS && i + r < time; r++)
                    norms[r] = lse[(first + i + r) * heads + h];
                backward_rows(&w, i, time, norms, delta + i);
            }
            for (int t = 0; t < time; t++)
                turn_back(w.dq + t * DIM, &s, t, 0.17677669f,
                          dqkv + (first + t) * stride + h * DIM);
            if (h % group == group - 1)
                write_keys(&w, dqkv + first * stride, stride, h / group, &s,
                           time);
        }
    }
    free(w.all);
    free(delta);
    return 0;
}

/* ---------------------------------------------------- norms, gated unit */

/* x += more (if there is any); out = x / rms(x) * w */
void norm(float *x, const half *more, const float *w, half *out, float *rms,
          int rows, int dim, float eps)
{
    for (int i = 0; i < rows; i++) {
        float *at = x + (size_t)i * dim;
        vec sum = _mm512_setzero_ps();
        for (int d = 0; d < dim; d += 16) {
            vec v = _mm512_loadu_ps(at + d);
            if (more) {
                v = _mm512_add_ps(v, load(more + (size_t)i * dim + d));
                _mm512_storeu_ps(at + d, v);
            }
            sum = fma_(v, v, sum);
        }
        rms[i] = 1.0f / sqrtf(_mm512_reduce_add_ps(sum) / dim + eps);
        vec k = each(rms[i]);
        for (int d = 0; d < dim; d += 16)
            store(out + (size_t)i * dim + d, _mm512_mul_ps(
                _mm512_loadu_ps(w + d), _mm512_mul_ps(
                    k, _mm512_loadu_ps(at + d))));
    }
}

/* dx += the gradient through the norm; dw += its weights' gradient;
 * low = dx as bfloat16, for the products that follow */
void norm_back(const float *x, const float *w, const float *rms,
               const half *dout, float *dx, float *dw, half *low, int rows,
               int dim)
{
    for (int i = 0; i < rows; i++) {
        size_t at = (size_t)i * dim;
        vec k = each(rms[i]), sum = _mm512_setzero_ps();
        for (int d = 0; d < dim; d += 16) {
            vec y = _mm512_mul_ps(k, _mm512_loadu_ps(x + at + d));
            vec g = load(dout + at + d);
            _mm512_storeu_ps(dw + d, fma_(g, y, _mm512_loadu_ps(dw + d)));
            sum = fma_(_mm512_mul_ps(g, _mm512_loadu_ps(w + d)), y, sum);
        }
        vec mean = each(_mm512_reduce_add_ps(sum) / dim);
        for (int d = 0; d < dim; d += 16) {
            vec y = _mm512_mul_ps(k, _mm512_loadu_ps(x + at + d));
            vec g = _mm512_mul_ps(load(dout + at + d),
                                  _mm512_loadu_ps(w + d));
            vec new = fma_(k, _mm512_fnmadd_ps(mean, y, g),
                           _mm512_loadu_ps(dx + at + d));
            _mm512_storeu_ps(dx + at + d, new);
            store(low + at + d, new);
        }
    }
}

void gate(const half *gu, half *out, int rows, int wide)
{
    for (int i = 0; i < rows; i++)
        for (int d = 0; d < wide; d += 16) {
            vec g = load(gu + (size_t)i * 2 * wide + d);
            vec u = load(gu + (size_t)i * 2 * wide + wide + d);
            vec e = expv(_mm512_sub_ps(_mm512_setzero_ps(), _mm512_max_ps(
                g, each(-80.0f))));
            vec s = _mm512_div_ps(g, _mm512_add_ps(each(1.0f), e));
            store(out + (size_t)i * wide + d, _mm512_mul_ps(s, u));
        }
}

void gate_back(const half *gu, const half *dout, half *dgu, int rows,
               int wide)
{
    for (int i = 0; i < rows; i++)
        for (int d = 0; d < wide; d += 16) {
            size_t a = (size_t)i * 2 * wide + d;
            vec g = load(gu + a), u = load(gu + a + wide);
            vec o = load(dout + (size_t)i * wide + d);
            vec e = expv(_mm512_sub_ps(_mm512_setzero_ps(), _mm512_max_ps(
                g, each(-80.0f))));
            vec s = _mm512_div_ps(each(1.0f), _mm512_add_ps(each(1.0f), e));
            vec gs = _mm512_mul_ps(g, s);
            /* s + g s (1 - s) */
            vec slope = fma_(gs, _mm512_sub_ps(each(1.0f), s), s);
            store(dgu + a, _mm512_mul_ps(_mm512_mul_ps(o, u), slope));
            store(dgu + a + wide, _mm512_mul_ps(o, gs));
        }
}

/* ---------------------------------------------- the two ends of the net */

/* Weighted cross entropy: logits become their gradients; the sum of the
 * losses. scale: what a loss counts in the mean. */
double losses(half *logits, const int64_t *targets, const float *weights,
              float scale, int rows, int vocab)
{
    double total = 0;
    float *row = aligned_alloc(64, (size_t)vocab * sizeof *row);
    if (!row)
        return NAN;
    for (int i = 0; i < rows; i++) {
        half *at = logits + (size_t)i * vocab;
        vec most = each(-1e30f), sum = _mm512_setzero_ps();
        for (int d = 0; d < vocab; d += 16) {
            vec v = load(at + d);
            _mm512_storeu_ps(row + d, v);
            most = _mm512_max_ps(most, v);
        }
        vec top = each(_mm512_reduce_max_ps(most));
        float wanted = row[targets[i]];
        for (int d = 0; d < vocab; d += 16) {
            vec e = expv(_mm512_sub_ps(_mm512_loadu_ps(row + d), top));
            _mm512_storeu_ps(row + d, e);
            sum = _mm512_add_ps(sum, e);
        }
        float all = _mm512_reduce_add_ps(sum);
        total += weights[i] * (logf(all) + _mm512_cvtss_f32(top) - wanted);
        row[targets[i]] -= all;
        vec k = each(weights[i] * scale / all);
        for (int d = 0; d < vocab; d += 16)
            store(at + d, _mm512_mul_ps(k, _mm512_loadu_ps(row + d)));
    }
    free(row);
    return total;
}

void embed(const float *table, const int64_t *ids, float *out, int rows,
           int dim)
{
    for (int i = 0; i < rows; i++)
        memcpy(out + (size_t)i * dim, table + ids[i] * dim,
               (size_t)dim * sizeof(float));
}

void embed_back(const float *dx, const int64_t *ids, float *dtable, int rows,
                int dim)
{
    for (int i = 0; i < rows; i++)
        for (int d = 0; d < dim; d++)
            dtable[ids[i] * dim + d] += dx[(size_t)i * dim + d];
}
