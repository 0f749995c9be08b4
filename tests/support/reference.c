/* The forward pass as one would write it down, in double precision: no
 * batches, no cache, no kernels, every number computed from the definition.
 * It shares with the engine only the reading of files and rows. */
#include "support/model_kit.h"

#include "engine/quant.h"
#include "engine/weights.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pass {
    struct er_gguf *g;
    struct er_shape s;
    struct er_weights w;
    uint32_t n;
    double *x, *a, *b; /* [n][widest] */
    double *q, *k, *v; /* [n][widest] */
};

static void *must(void *p)
{
    if (!p)
        abort();
    return p;
}

/* y [n][n_out] = W x [n][n_in] */
static void times(
    const struct er_matrix *m, const double *x, double *y, uint32_t n)
{
    float *row = must(malloc(m->n_in * sizeof *row));
    for (uint32_t i = 0; i < m->n_out; i++) {
        er_quant_get(m->type)->decode(
            (const char *)m->data + i * m->row_bytes, row, m->n_in);
        for (uint32_t t = 0; t < n; t++) {
            double sum = 0;
            for (uint32_t k = 0; k < m->n_in; k++)
                sum += (double)row[k] * x[(size_t)t * m->n_in + k];
            y[(size_t)t * m->n_out + i] = sum;
        }
    }
    free(row);
}

static void plus(double *y, const float *bias, uint32_t n, uint32_t width)
{
    for (size_t i = 0; bias && i < (size_t)n * width; i++)
        y[i] += (double)bias[i % width];
}

static void norm(const double *x, const float *w, double *out, uint32_t n,
    double eps)
{
    double sum = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += x[i] * x[i];
    double by = 1 / sqrt(sum / n + eps);
    for (uint32_t i = 0; i < n; i++)
        out[i] = x[i] * by * (double)w[i];
}

/* Radians per position of pair i, and YaRN's amplitude. */
static double speed(const struct pass *p, uint32_t i, double *amplitude)
{
    const struct er_shape *s = &p->s;
    double base = (double)s->rope_base, f = (double)s->rope_factor;
    double own = 1 / pow(base, 2.0 * i / s->n_rot);
    if (p->w.rope_factors)
        own /= (double)p->w.rope_factors[i];
    *amplitude = 1;
    if (s->rope_scaling == ER_ROPE_LINEAR)
        return own / f;
    if (s->rope_scaling != ER_ROPE_YARN)
        return own;
    double edge[2], turns[2] = {32, 1};
    for (int k = 0; k < 2; k++)
        edge[k] = s->n_rot *
                  log(s->rope_context / (turns[k] * 2 * acos(-1.0))) /
                  (2 * log(base));
    double low = fmax(0, floor(edge[0]));
    double high = fmin(s->n_rot - 1, ceil(edge[1]));
    double keep = 1 - fmin(1, fmax(0, (i - low) / fmax(0.001, high - low)));
    *amplitude = 1 + 0.1 * log(f);
    return own / f * (1 - keep) + own * keep;
}

static void rotate(const struct pass *p, double *head, uint32_t pos)
{
    uint32_t pairs = p->s.n_rot / 2;
    for (uint32_t i = 0; i < pairs; i++) {
        double size, angle = pos * speed(p, i, &size);
        uint32_t a = p->s.rope_halves ? i : 2 * i;
        uint32_t b = p->s.rope_halves ? i + pairs : 2 * i + 1;
        double x = head[a], y = head[b];
        head[a] = (x * cos(angle) - y * sin(angle)) * size;
        head[b] = (x * sin(angle) + y * cos(angle)) * size;
    }
}

static void turn(const struct pass *p, double *x, const float *w,
    uint32_t heads)
{
    uint32_t d = p->s.head_dim;
    for (uint32_t t = 0; t < p->n; t++)
        for (uint32_t h = 0; h < heads; h++) {
            double *at = x + ((size_t)t * heads + h) * d;
            if (w)
                norm(at, w, at, d, (double)p->s.norm_eps);
            rotate(p, at, t);
        }
}

/* Head h of token t into out [head_dim]. */
static void attend(struct pass *p, uint32_t t, uint32_t h, double *out)
{
    uint32_t d = p->s.head_dim, g = h / (p->s.n_head / p->s.n_head_kv);
    const double *q = p->q + ((size_t)t * p->s.n_head + h) * d;
    double *w = must(malloc((t + 1) * sizeof *w)), most = -1e300, sum = 0;
    for (uint32_t k = 0; k <= t; k++) {
        const double *key = p->k + ((size_t)k * p->s.n_head_kv + g) * d;
        w[k] = 0;
        for (uint32_t i = 0; i < d; i++)
            w[k] += q[i] * key[i];
        w[k] /= sqrt(d);
        most = fmax(most, w[k]);
    }
    for (uint32_t k = 0; k <= t; k++)
        sum += w[k] = exp(w[k] - most);
    for (uint32_t i = 0; i < d; i++) {
        out[i] = 0;
        for (uint32_t k = 0; k <= t; k++)
            out[i] += w[k] / sum *
                      p->v[((size_t)k * p->s.n_head_kv + g) * d + i];
    }
    free(w);
}

static void norm_all(struct pass *p, const float *w)
{
    size_t n = p->s.n_embd;
    for (uint32_t t = 0; t < p->n; t++)
        norm(p->x + t * n, w, p->a + t * n, p->s.n_embd,
            (double)p->s.norm_eps);
}

static void layer(struct pass *p, const struct er_layer *l)
{
    uint32_t n = p->n, kv = er_shape_kv(&p->s), e = p->s.n_embd;
    uint32_t q = p->s.n_head * p->s.head_dim;
    norm_all(p, l->attn_norm);
    times(&l->q, p->a, p->q, n);
    times(&l->k, p->a, p->k, n);
    times(&l->v, p->a, p->v, n);
    plus(p->q, l->q_bias, n, q);
    plus(p->k, l->k_bias, n, kv);
    plus(p->v, l->v_bias, n, kv);
    turn(p, p->q, l->q_norm, p->s.n_head);
    turn(p, p->k, l->k_norm, p->s.n_head_kv);
    for (uint32_t t = 0; t < n; t++)
        for (uint32_t h = 0; h < p->s.n_head; h++)
            attend(p, t, h, p->a + ((size_t)t * q) + h * p->s.head_dim);
    times(&l->o, p->a, p->b, n);
    for (size_t i = 0; i < (size_t)n * e; i++)
        p->x[i] += p->b[i];
    norm_all(p, l->ffn_norm);
    times(&l->gate, p->a, p->b, n);
    times(&l->up, p->a, p->q, n);
    for (size_t i = 0; i < (size_t)n * p->s.n_ff; i++)
        p->b[i] = p->b[i] / (1 + exp(-p->b[i])) * p->q[i];
    times(&l->down, p->b, p->a, n);
    for (size_t i = 0; i < (size_t)n * e; i++)
        p->x[i] += p->a[i];
}

static void take(struct pass *p)
{
    size_t wide = p->s.n_embd, q = (size_t)p->s.n_head * p->s.head_dim;
    wide = p->s.n_ff > wide ? p->s.n_ff : wide;
    wide = (q > wide ? q : wide) * p->n * sizeof(double);
    p->x = must(malloc(wide));
    p->a = must(malloc(wide));
    p->b = must(malloc(wide));
    p->q = must(malloc(wide));
    p->k = must(malloc(wide));
    p->v = must(malloc(wide));
}

double *reference_logits(const char *path, const int32_t *ids, uint32_t n)
{
    struct pass p = {.n = n};
    struct errand_error err = {0};
    if (er_gguf_open(path, &p.g, &err) ||
        er_shape_read(p.g, &p.s, &err) ||
        er_weights_bind(p.g, &p.s, &p.w, &err)) {
        fprintf(stderr, "reference: %s\n", err.msg);
        abort();
    }
    take(&p);
    float *row = must(malloc(p.s.n_embd * sizeof *row));
    for (uint32_t t = 0; t < n; t++) {
        er_quant_get(p.w.embd.type)->decode((const char *)p.w.embd.data +
            (size_t)ids[t] * p.w.embd.row_bytes, row, p.s.n_embd);
        for (uint32_t i = 0; i < p.s.n_embd; i++)
            p.x[(size_t)t * p.s.n_embd + i] = (double)row[i];
    }
    for (uint32_t i = 0; i < p.s.n_layer; i++)
        layer(&p, &p.w.layers[i]);
    norm_all(&p, p.w.output_norm);
    double *out = must(malloc((size_t)n * p.s.n_vocab * sizeof *out));
    times(&p.w.output, p.a, out, n);
    free(row);
    free(p.x);
    free(p.a);
    free(p.b);
    free(p.q);
    free(p.k);
    free(p.v);
    er_weights_release(&p.w);
    er_gguf_close(p.g);
    return out;
}
