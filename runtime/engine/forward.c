/* One batch through the layers.
 *
 * Shapes, n tokens: x [n][n_embd] runs along the layers; each layer adds
 * attention's and the feed-forward's output to it.
 */
#include "engine/forward.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 64 }; /* rows of a matrix that are one piece of work */

struct buffers {
    float *x;      /* [n][n_embd] the residual stream */
    float *norm;   /* [n][n_embd] */
    float *q;      /* [n][n_head * head_dim] */
    float *k, *v;  /* [n][kv] */
    float *heads;  /* [n][n_head * head_dim] */
    float *gate, *up; /* [n][n_ff] */
    float *out;    /* [n][n_embd] */
    float *angles; /* [n][n_rot] */
    float *r;      /* [n][widest] rounded and back */
    int8_t *q8;    /* [n][widest] */
    float *d;      /* [n][widest / 32] */
    int32_t *sums; /* [n][3 * widest / 32] */
    float *logits; /* [n_logits][n_vocab], grown on demand */
    float *scratch; /* [threads][scratch_n] */
};

struct er_forward {
    const struct er_shape *s;
    const struct er_weights *w;
    const struct er_rope *rope;
    const struct er_kernels *kernels;
    struct er_threads *threads;
    bool exact;
    uint32_t context;
    size_t widest, scratch_n;
    size_t n_logits;
    struct buffers b;
    char *memory;
    /* --- the pass under way */
    const struct er_batch *batch;
    const atomic_bool *cancel;
};

/* ------------------------------------------------------------- buffers */

static size_t widest_of(const struct er_shape *s)
{
    size_t q = (size_t)s->n_head * s->head_dim, w = s->n_embd;
    w = s->n_ff > w ? s->n_ff : w;
    return q > w ? q : w;
}

/* Scores of one group of heads; or rows of weights as kernels unpack them
 * (at most 8 rows of floats); or one and an adapter's low numbers. */
static size_t scratch_of(const struct er_shape *s, uint32_t context)
{
    size_t scores = s->n_head / s->n_head_kv * er_kv_round_up(context);
    size_t rows = 8 * widest_of(s);
    return ((scores > rows ? scores : rows) + 63) / 64 * 64;
}

/* Lay the buffers out from memory on; the bytes they take. memory may be
 * NULL. */
static size_t lay_out(const struct er_shape *s, unsigned threads,
    uint32_t context, char *memory, struct buffers *b)
{
    size_t n = ER_BATCH, wide = widest_of(s), at = 0;
    size_t q = (size_t)s->n_head * s->head_dim, kv = er_shape_kv(s);
#define PART(field, count)                                                \
    do {                                                                  \
        if (memory)                                                       \
            b->field = (void *)(memory + at);                             \
        at += ((count) * sizeof *b->field + 63) / 64 * 64;                \
    } while (0)
    PART(x, n * s->n_embd);
    PART(norm, n * s->n_embd);
    PART(q, n * q);
    PART(k, n * kv);
    PART(v, n * kv);
    PART(heads, n * q);
    PART(gate, n * s->n_ff);
    PART(up, n * s->n_ff);
    PART(out, n * s->n_embd);
    PART(angles, n * s->n_rot);
    PART(r, n * wide);
    PART(q8, n * wide);
    PART(d, n * (wide / 32 + 1));
    PART(sums, n * 3 * (wide / 32 + 1));
    PART(scratch, threads * scratch_of(s, context));
#undef PART
    return at;
}

uint64_t er_forward_bytes(const struct er_shape *s,
    const struct er_kernels *kernels, unsigned threads, uint32_t context)
{
    struct buffers b;
    (void)kernels;
    return lay_out(s, threads, context, NULL, &b) +
           (uint64_t)s->n_vocab * sizeof(float);
}

int er_forward_new(const struct er_shape *s, const struct er_weights *w,
    const struct er_rope *rope, const struct er_kernels *kernels,
    struct er_threads *threads, uint32_t context, bool exact,
    struct er_forward **out, struct errand_error *err)
{
    struct er_forward *f = calloc(1, sizeof *f);
    unsigned n = er_threads_count(threads);
    void *memory = NULL;
    if (!f)
        return er_nomem(err);
    *f = (struct er_forward){.s = s, .w = w, .rope = rope,
        .kernels = kernels, .threads = threads, .exact = exact,
        .context = context, .widest = widest_of(s),
        .scratch_n = scratch_of(s, context)};
    size_t bytes = lay_out(s, n, context, NULL, &f->b);
    if (posix_memalign(&memory, 64, bytes)) {
        free(f);
        return er_nomem(err);
    }
    f->memory = memory;
    lay_out(s, n, context, f->memory, &f->b);
    *out = f;
    return ERRAND_OK;
}

void er_forward_free(struct er_forward *f)
{
    if (!f)
        return;
    free(f->b.logits);
    free(f->memory);
    free(f);
}

/* ------------------------------------------------------ matrix products */

/* Up to three matrices on the same vectors. */
struct product {
    struct er_forward *f;
    struct er_acts acts;
    struct {
        const struct er_matrix *m;
        float *y;
        size_t stride;
        size_t pieces;
    } of[3];
    int n;
    size_t pieces;
};

static bool is_rounded(const struct er_forward *f, const struct er_matrix *m)
{
    return !f->exact && f->kernels->rounded[m->type];
}

static void product_piece(void *ctx, size_t piece, unsigned thread)
{
    struct product *p = ctx;
    struct er_forward *f = p->f;
    int i = 0;
    while (piece >= p->of[i].pieces)
        piece -= p->of[i++].pieces;
    const struct er_matrix *m = p->of[i].m;
    size_t from = piece * ROWS, to = from + ROWS;
    er_rows_fn *fn = is_rounded(f, m) ? f->kernels->rounded[m->type]
                                      : f->kernels->exact;
    fn(m, from, to < m->n_out ? to : m->n_out, &p->acts, p->of[i].y,
        p->of[i].stride, f->b.scratch + thread * f->scratch_n);
}

static void round_piece(void *ctx, size_t t, unsigned thread)
{
    struct product *p = ctx;
    (void)thread;
    p->f->kernels->round(&p->acts, t);
}

static struct product product_of(
    struct er_forward *f, const float *x, size_t width, size_t n)
{
    return (struct product){.f = f,
        .acts = {.n = n, .width = width, .f = x, .r = f->b.r, .q = f->b.q8,
            .d = f->b.d, .sums = f->b.sums}};
}

static void product_add(
    struct product *p, const struct er_matrix *m, float *y, size_t stride)
{
    size_t pieces = (m->n_out + ROWS - 1) / ROWS;
    p->of[p->n].m = m;
    p->of[p->n].y = y;
    p->of[p->n].stride = stride;
    p->of[p->n++].pieces = pieces;
    p->pieces += pieces;
}

static bool product_run(struct product *p)
{
    struct er_forward *f = p->f;
    bool rounded = false, ok = true;
    for (int i = 0; i < p->n; i++)
        rounded = rounded || is_rounded(f, p->of[i].m);
    if (rounded)
        ok = er_threads_run(
            f->threads, p->acts.n, round_piece, p, f->cancel);
    return ok &&
           er_threads_run(f->threads, p->pieces, product_piece, p, f->cancel);
}

/* What the adapters of each timeline add to y = W x. */
static void adapt(struct er_forward *f, uint32_t layer,
    enum er_lora_site site, const float *x, size_t width, float *y,
    size_t stride)
{
    for (size_t i = 0; i < f->batch->n_runs; i++) {
        const struct er_run *r = &f->batch->runs[i];
        if (r->n_loras)
            er_lora_add(r->loras, r->n_loras, layer, site, x, r->n, y,
                stride, f->b.scratch);
        x += r->n * width;
        y += r->n * stride;
    }
}

/* --------------------------------------------------- pieces of a layer */

/* out = x / sqrt(mean(x^2) + eps) * weight */
static void rms_norm(const float *x, const float *weight, float *out,
    size_t n, float eps)
{
    enum { LANES = 8 };
    double lane[LANES] = {0}, sum = 0;
    size_t at = 0;
    for (; at + LANES <= n; at += LANES)
        for (size_t i = 0; i < LANES; i++)
            lane[i] += (double)x[at + i] * (double)x[at + i];
    for (; at < n; at++)
        sum += (double)x[at] * (double)x[at];
    for (size_t i = 0; i < LANES; i++)
        sum += lane[i];
    float scale = (float)(1.0 / sqrt(sum / (double)n + (double)eps));
    for (size_t i = 0; i < n; i++)
        out[i] = x[i] * scale * weight[i];
}

/* What is added to the residual stream before a norm, and the norm. */
struct norm {
    struct er_forward *f;
    const float *weight;
    bool add; /* out is added to x first */
};

static void norm_piece(void *ctx, size_t t, unsigned thread)
{
    const struct norm *g = ctx;
    struct er_forward *f = g->f;
    size_t n = f->s->n_embd;
    float *x = f->b.x + t * n;
    const float *out = f->b.out + t * n;
    (void)thread;
    for (size_t i = 0; g->add && i < n; i++)
        x[i] += out[i];
    if (g->weight)
        rms_norm(x, g->weight, f->b.norm + t * n, n, f->s->norm_eps);
}

/* weight NULL: only add. */
static bool norm_all(struct er_forward *f, const float *weight, bool add)
{
    struct norm g = {f, weight, add};
    return er_threads_run(
        f->threads, f->batch->n, norm_piece, &g, f->cancel);
}

static void add_bias(float *y, const float *bias, size_t n, size_t width)
{
    for (size_t t = 0; bias && t < n; t++)
        for (size_t i = 0; i < width; i++)
            y[t * width + i] += bias[i];
}

struct stage {
    struct er_forward *f;
    const struct er_layer *l;
    uint32_t layer;
};

/* Norm (where the model has it) and rotation of one vector's heads. */
static void turn_heads(const struct er_forward *f, const float *norm,
    float *x, uint32_t heads, const float *angles)
{
    for (uint32_t h = 0; h < heads; h++, x += f->s->head_dim) {
        if (norm)
            rms_norm(x, norm, x, f->s->head_dim, f->s->norm_eps);
        er_rope_turn(f->rope, angles, x);
    }
}

/* Token t of the batch: its run and its position. */
static const struct er_run *run_of(
    const struct er_batch *b, size_t t, uint32_t *pos)
{
    const struct er_run *r = b->runs;
    while (t >= r->n)
        t -= r++->n;
    *pos = r->pos + (uint32_t)t;
    return r;
}

static void store_piece(void *ctx, size_t t, unsigned thread)
{
    const struct stage *g = ctx;
    struct er_forward *f = g->f;
    const struct er_shape *s = f->s;
    size_t q = (size_t)s->n_head * s->head_dim, kv = er_shape_kv(s);
    const float *angles = f->b.angles + t * s->n_rot;
    uint32_t pos;
    const struct er_run *r = run_of(f->batch, t, &pos);
    (void)thread;
    turn_heads(f, g->l->q_norm, f->b.q + t * q, s->n_head, angles);
    turn_heads(f, g->l->k_norm, f->b.k + t * kv, s->n_head_kv, angles);
    er_kv_write(r->kv, g->layer, 0, pos, f->b.k + t * kv,
        f->kernels->to_f16);
    er_kv_write(r->kv, g->layer, 1, pos, f->b.v + t * kv,
        f->kernels->to_f16);
}

/* Piece: one token in one key-value head; a head's tokens follow one another,
 * since they read the same keys and values. */
static void attend_piece(void *ctx, size_t piece, unsigned thread)
{
    const struct stage *g = ctx;
    struct er_forward *f = g->f;
    const struct er_shape *s = f->s;
    size_t t = piece % f->batch->n, head = piece / f->batch->n;
    size_t group = s->n_head / s->n_head_kv;
    size_t at = (t * s->n_head + head * group) * s->head_dim;
    uint32_t pos;
    const struct er_run *r = run_of(f->batch, t, &pos);
    struct er_attend a = {.q = f->b.q + at, .out = f->b.heads + at,
        .scores = f->b.scratch + thread * f->scratch_n, .kv = r->kv,
        .layer = g->layer, .head = (uint32_t)head,
        .n_group = (uint32_t)group, .head_dim = s->head_dim,
        .n_pos = pos + 1, .scale = 1.0f / sqrtf((float)s->head_dim)};
    f->kernels->attend(&a);
}

static bool attention(struct stage *g)
{
    struct er_forward *f = g->f;
    const struct er_shape *s = f->s;
    const struct er_layer *l = g->l;
    struct buffers *b = &f->b;
    size_t n = f->batch->n, q = (size_t)s->n_head * s->head_dim;
    size_t kv = er_shape_kv(s);
    if (!norm_all(f, l->attn_norm, g->layer > 0))
        return false;
    struct product p = product_of(f, b->norm, s->n_embd, n);
    product_add(&p, &l->q, b->q, q);
    product_add(&p, &l->k, b->k, kv);
    product_add(&p, &l->v, b->v, kv);
    if (!product_run(&p))
        return false;
    adapt(f, g->layer, ER_LORA_Q, b->norm, s->n_embd, b->q, q);
    adapt(f, g->layer, ER_LORA_K, b->norm, s->n_embd, b->k, kv);
    adapt(f, g->layer, ER_LORA_V, b->norm, s->n_embd, b->v, kv);
    add_bias(b->q, l->q_bias, n, q);
    add_bias(b->k, l->k_bias, n, kv);
    add_bias(b->v, l->v_bias, n, kv);
    if (!er_threads_run(f->threads, n, store_piece, g, f->cancel) ||
        !er_threads_run(
            f->threads, n * s->n_head_kv, attend_piece, g, f->cancel))
        return false;
    p = product_of(f, b->heads, q, n);
    product_add(&p, &l->o, b->out, s->n_embd);
    if (!product_run(&p))
        return false;
    adapt(f, g->layer, ER_LORA_O, b->heads, q, b->out, s->n_embd);
    add_bias(b->out, l->o_bias, n, s->n_embd);
    return true;
}

/* gate = silu(gate) * up */
static void silu_piece(void *ctx, size_t t, unsigned thread)
{
    struct er_forward *f = ctx;
    size_t at = t * f->s->n_ff;
    (void)thread;
    f->kernels->silu(f->b.gate + at, f->b.up + at, f->s->n_ff);
}

static bool feed_forward(struct stage *g)
{
    struct er_forward *f = g->f;
    const struct er_shape *s = f->s;
    struct buffers *b = &f->b;
    size_t n = f->batch->n;
    if (!norm_all(f, g->l->ffn_norm, true))
        return false;
    struct product p = product_of(f, b->norm, s->n_embd, n);
    product_add(&p, &g->l->gate, b->gate, s->n_ff);
    product_add(&p, &g->l->up, b->up, s->n_ff);
    if (!product_run(&p))
        return false;
    adapt(f, g->layer, ER_LORA_GATE, b->norm, s->n_embd, b->gate, s->n_ff);
    adapt(f, g->layer, ER_LORA_UP, b->norm, s->n_embd, b->up, s->n_ff);
    if (!er_threads_run(f->threads, n, silu_piece, f, f->cancel))
        return false;
    p = product_of(f, b->gate, s->n_ff, n);
    product_add(&p, &g->l->down, b->out, s->n_embd);
    if (!product_run(&p))
        return false;
    adapt(f, g->layer, ER_LORA_DOWN, b->gate, s->n_ff, b->out, s->n_embd);
    return true;
}

static void embed(struct er_forward *f)
{
    const struct er_matrix *m = &f->w->embd;
    const struct er_quant *q = er_quant_get(m->type);
    for (size_t t = 0; t < f->batch->n; t++) {
        size_t row = (size_t)f->batch->ids[t];
        uint32_t pos;
        q->decode((const char *)m->data + row * m->row_bytes,
            f->b.x + t * m->n_in, m->n_in);
        run_of(f->batch, t, &pos);
        er_rope_angles(f->rope, pos, f->b.angles + t * f->s->n_rot);
    }
}

/* ------------------------------------------------------------- logits */

static bool grow_logits(struct er_forward *f, size_t n)
{
    if (n <= f->n_logits)
        return true;
    free(f->b.logits);
    f->n_logits = 0;
    f->b.logits = malloc(n * f->s->n_vocab * sizeof *f->b.logits);
    f->n_logits = f->b.logits ? n : 0;
    return f->b.logits != NULL;
}

/* Final norm of the wanted tokens, side by side at the front of norm; their
 * adapters, one run each. */
static size_t gather(struct er_forward *f, struct er_run *runs)
{
    size_t n = 0, width = f->s->n_embd;
    uint32_t pos;
    for (size_t t = 0; t < f->batch->n; t++) {
        if (!f->batch->wanted || !f->batch->wanted[t])
            continue;
        runs[n] = *run_of(f->batch, t, &pos);
        runs[n].n = 1;
        rms_norm(f->b.x + t * width, f->w->output_norm,
            f->b.norm + n++ * width, width, f->s->norm_eps);
    }
    return n;
}

static int compute_logits(struct er_forward *f)
{
    struct er_run runs[ER_BATCH];
    size_t n = gather(f, runs);
    if (n == 0)
        return ERRAND_OK;
    if (!grow_logits(f, n))
        return ERRAND_NOMEM;
    struct er_batch wanted = {.n = n, .runs = runs, .n_runs = n};
    const struct er_batch *whole = f->batch;
    struct product p = product_of(f, f->b.norm, f->s->n_embd, n);
    product_add(&p, &f->w->output, f->b.logits, f->s->n_vocab);
    bool ok = product_run(&p);
    f->batch = &wanted;
    if (ok)
        adapt(f, 0, ER_LORA_OUTPUT, f->b.norm, f->s->n_embd, f->b.logits,
            f->s->n_vocab);
    f->batch = whole;
    return ok ? ERRAND_OK : ERRAND_CANCELLED;
}

int er_forward_run(struct er_forward *f, const struct er_batch *b,
    const atomic_bool *cancel, const float **logits)
{
    bool ok = true;
    f->batch = b;
    f->cancel = cancel;
    embed(f);
    for (uint32_t i = 0; i < f->s->n_layer && ok; i++) {
        struct stage g = {f, &f->w->layers[i], i};
        ok = attention(&g) && feed_forward(&g);
    }
    ok = ok && norm_all(f, NULL, f->s->n_layer > 0);
    int rc = ok ? compute_logits(f) : ERRAND_CANCELLED;
    *logits = rc ? NULL : f->b.logits;
    return rc;
}
