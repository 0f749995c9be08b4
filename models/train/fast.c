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

struct shape {
    int32_t heads, kv_heads;
    const float *cos, *sin; /* [position][16] */
};

/* One head of one sequence, turned and laid out for use. */
struct side {
    float *rows;  /* [time][32] */
    float *turned; /* [time / 16][32][16]: 16 positions side by side */
};

static void turn(const half *at, const struct shape *s, int t, float scale,
                 float *out)
{
    vec a = load(at), b = load(at + 16);
    vec c = _mm512_loadu_ps(s->cos + 16 * t);
    vec n = _mm512_loadu_ps(s->sin + 16 * t);
    vec k = each(scale);
    _mm512_storeu_ps(out, _mm512_mul_ps(k, _mm512_fmsub_ps(
        a, c, _mm512_mul_ps(b, n))));
    _mm512_storeu_ps(out + 16, _mm512_mul_ps(k, _mm512_fmadd_ps(
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

static void transpose(const float *rows, int time, float *out)
{
    for (int t = 0; t < time; t++)
        for (int d = 0; d < DIM; d++)
            out[(t / LANES * DIM + d) * LANES + t % LANES] =
                rows[t * DIM + d];
}

/* dots[r][0..15] = rows r of q times 16 positions of a transposed side */
static inline void products(const float *q, const float *turned, vec *dots)
{
    for (int r = 0; r < ROWS; r++)
        dots[r] = _mm512_setzero_ps();
    for (int d = 0; d < DIM; d++) {
        vec k = _mm512_loadu_ps(turned + d * LANES);
        for (int r = 0; r < ROWS; r++)
            dots[r] = fma_(each(q[r * DIM + d]), k, dots[r]);
    }
}

/* out[r] += sum over j of weights[r][j] * rows[j] */
static void mix(const float *weights, int stride, int n, const float *rows,
                float *out)
{
    vec low[ROWS], high[ROWS];
    for (int r = 0; r < ROWS; r++)
        low[r] = high[r] = _mm512_setzero_ps();
    for (int j = 0; j < n; j++) {
        vec a = _mm512_loadu_ps(rows + j * DIM);
        vec b = _mm512_loadu_ps(rows + j * DIM + 16);
        for (int r = 0; r < ROWS; r++) {
            vec w = each(weights[r * stride + j]);
            low[r] = fma_(w, a, low[r]);
            high[r] = fma_(w, b, high[r]);
        }
    }
    for (int r = 0; r < ROWS; r++) {
        _mm512_storeu_ps(out + r * DIM, low[r]);
        _mm512_storeu_ps(out + r * DIM + 16, high[r]);
    }
}

/* out[j] += sum over r of weights[r][j] * rows[r] */
static void spread(const float *weights, int stride, int n,
                   const float *rows, float *out)
{
    vec low[ROWS], high[ROWS];
    for (int r = 0; r < ROWS; r++) {
        low[r] = _mm512_loadu_ps(rows + r * DIM);
        high[r] = _mm512_loadu_ps(rows + r * DIM + 16);
    }
    for (int j = 0; j < n; j++) {
        vec a = _mm512_loadu_ps(out + j * DIM);
        vec b = _mm512_loadu_ps(out + j * DIM + 16);
        for (int r = 0; r < ROWS; r++) {
            vec w = each(weights[r * stride + j]);
            a = fma_(w, low[r], a);
            b = fma_(w, high[r], b);
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

struct work {
    int wide; /* positions, rounded up to blocks */
    float *q, *k, *v, *kt, *vt, *p, *ds, *dq, *dk, *dv, *dout, *out;
};

static int work_make(struct work *w, int longest)
{
    memset(w, 0, sizeof *w);
    w->wide = (longest + LANES - 1) / LANES * LANES;
    size_t side = (size_t)w->wide * DIM, row = (size_t)w->wide * ROWS;
    float **all[] = {&w->q, &w->k, &w->v, &w->kt, &w->vt, &w->dq, &w->dk,
                     &w->dv, &w->dout, &w->out};
    size_t total = side * 10 + row * 2;
    float *at = aligned_alloc(64, (total * sizeof(float) + 63) / 64 * 64);
    if (!at)
        return -1;
    memset(at, 0, total * sizeof(float));
    for (int i = 0; i < 10; i++, at += side)
        *all[i] = at;
    w->p = at;
    w->ds = at + row;
    return 0;
}

static void work_keys(struct work *w, const half *qkv, int stride, int head,
                      const struct shape *s, int time)
{
    for (int t = 0; t < time; t++) {
        const half *at = qkv + (size_t)t * stride;
        turn(at + (s->heads + head) * DIM, s, t, 1.0f, w->k + t * DIM);
        at += (s->heads + s->kv_heads + head) * DIM;
        _mm512_storeu_ps(w->v + t * DIM, load(at));
        _mm512_storeu_ps(w->v + t * DIM + 16, load(at + 16));
    }
    transpose(w->k, time, w->kt);
    transpose(w->v, time, w->vt);
}

static void work_queries(struct work *w, const half *qkv, int stride,
                         int head, const struct shape *s, int time)
{
    for (int t = 0; t < time; t++)
        turn(qkv + (size_t)t * stride + head * DIM, s, t, 0.17677669f,
             w->q + t * DIM);
    int padded = (time + ROWS - 1) / ROWS * ROWS;
    memset(w->q + time * DIM, 0,
           (size_t)(padded - time) * DIM * sizeof(float));
}

static void forward_rows(struct work *w, int i, int time, float *lse,
                         int lse_stride)
{
    int last = i + ROWS - 1;
    int blocks = (last < time ? last : time - 1) / LANES + 1;
    vec most[ROWS], sum[ROWS], dots[ROWS];
    for (int r = 0; r < ROWS; r++) {
        most[r] = each(-1e30f);
        sum[r] = _mm512_setzero_ps();
    }
    for (int b = 0; b < blocks; b++) {
        products(w->q + i * DIM, w->kt + b * DIM * LANES, dots);
        for (int r = 0; r < ROWS; r++) {
            vec x = _mm512_mask_blend_ps(seen(i + r, b), each(-1e30f),
                                         dots[r]);
            most[r] = _mm512_max_ps(most[r], x);
            _mm512_storeu_ps(w->p + r * w->wide + b * LANES, x);
        }
    }
    for (int r = 0; r < ROWS; r++) {
        float top = _mm512_reduce_max_ps(most[r]);
        float *row = w->p + r * w->wide;
        for (int b = 0; b < blocks; b++) {
            vec x = _mm512_loadu_ps(row + b * LANES);
            vec e = _mm512_maskz_mov_ps(seen(i + r, b),
                                        expv(_mm512_sub_ps(x, each(top))));
            sum[r] = _mm512_add_ps(sum[r], e);
            _mm512_storeu_ps(row + b * LANES, e);
        }
        float all = _mm512_reduce_add_ps(sum[r]);
        if (i + r < time)
            lse[(size_t)(i + r) * lse_stride] = top + logf(all);
        vec scale = each(1.0f / all);
        for (int b = 0; b < blocks; b++)
            _mm512_storeu_ps(row + b * LANES, _mm512_mul_ps(
                scale, _mm512_loadu_ps(row + b * LANES)));
    }
    int n = blocks * LANES < time ? blocks * LANES : time;
    mix(w->p, w->wide, n, w->v, w->out);
}

int attention(const half *qkv, const int32_t *starts, int count, int longest,
              int heads, int kv_heads, const float *cos, const float *sin,
              half *out, float *lse)
{
    struct shape s = {heads, kv_heads, cos, sin};
    struct work w;
    if (work_make(&w, longest + ROWS))
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
    free(w.q);
    return 0;
}

static void backward_rows(struct work *w, int i, int time, const float *lse,
                          const float *delta)
{
    int last = i + ROWS - 1;
    int blocks = (last < time ? last : time - 1) / LANES + 1;
    vec s[ROWS], dp[ROWS];
    for (int b = 0; b < blocks; b++) {
        products(w->q + i * DIM, w->kt + b * DIM * LANES, s);
        products(w->dout + i * DIM, w->vt + b * DIM * LANES, dp);
        for (int r = 0; r < ROWS; r++) {
            vec p = _mm512_maskz_mov_ps(seen(i + r, b), expv(_mm512_sub_ps(
                s[r], each(lse[r]))));
            vec ds = _mm512_mul_ps(p, _mm512_sub_ps(dp[r], each(delta[r])));
            _mm512_storeu_ps(w->p + r * w->wide + b * LANES, p);
            _mm512_storeu_ps(w->ds + r * w->wide + b * LANES, ds);
        }
    }
    int n = blocks * LANES < time ? blocks * LANES : time;
    mix(w->ds, w->wide, n, w->k, w->dq + i * DIM);
    spread(w->ds, w->wide, n, w->q + i * DIM, w->dk);
    spread(w->p, w->wide, n, w->dout + i * DIM, w->dv);
}

/* The gradient of the output, and what each row of it is with the output:
 * rows past the end are nought, so that they add nothing. */
static void work_gradient(struct work *w, const half *dout, const half *out,
                          int stride, int time, float *delta)
{
    for (int t = 0; t < time; t++) {
        vec a = load(dout + (size_t)t * stride);
        vec b = load(dout + (size_t)t * stride + 16);
        _mm512_storeu_ps(w->dout + t * DIM, a);
        _mm512_storeu_ps(w->dout + t * DIM + 16, b);
        vec x = _mm512_mul_ps(a, load(out + (size_t)t * stride));
        x = fma_(b, load(out + (size_t)t * stride + 16), x);
        delta[t] = _mm512_reduce_add_ps(x);
    }
    for (int t = time; t % ROWS; t++) {
        memset(w->dout + t * DIM, 0, DIM * sizeof(float));
        delta[t] = 0;
    }
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
    if (!delta || work_make(&w, longest + ROWS)) {
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
    free(w.q);
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
