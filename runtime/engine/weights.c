/* Binding tensors by name. */
#include "engine/weights.h"

#include "engine/memory.h"
#include "engine/quant.h"

#include <stdio.h>
#include <stdlib.h>

struct binding {
    const struct er_gguf *g;
    const struct er_shape *s;
    struct errand_error *err;
    int rc;         /* of the first failure; the rest does nothing */
    uint32_t layer; /* UINT32_MAX: not of a layer */
    char name[80];
};

static const struct er_tensor *find(
    struct binding *b, const char *name, bool must)
{
    if (b->layer == UINT32_MAX)
        snprintf(b->name, sizeof b->name, "%s", name);
    else
        snprintf(b->name, sizeof b->name, "blk.%u.%s", b->layer, name);
    const struct er_tensor *t =
        b->rc ? NULL : er_gguf_tensor(b->g, b->name);
    if (!t && must && !b->rc)
        b->rc = er_fail(b->err, ERRAND_SYNTAX,
            "the tensor \"%s\" is missing; the file is not complete",
            b->name);
    return t;
}

/* A vector of n floats; NULL if it is missing and need not be there. */
static const float *vector(
    struct binding *b, const char *name, uint32_t n, bool must)
{
    const struct er_tensor *t = find(b, name, must);
    if (!t)
        return NULL;
    if (t->type == ER_F32 && t->ne[0] == n && t->rows == 1)
        return t->data;
    b->rc = er_fail(b->err, ERRAND_SYNTAX,
        "the tensor \"%s\" is [%llu][%llu] of %s; it must be [%u] of F32",
        b->name, (unsigned long long)t->rows, (unsigned long long)t->ne[0],
        er_quant_get(t->type)->name, n);
    return NULL;
}

static struct er_matrix matrix(
    struct binding *b, const char *name, uint32_t n_out, uint32_t n_in)
{
    const struct er_tensor *t = find(b, name, true);
    if (!t)
        return (struct er_matrix){0};
    if (t->n_dims != 2 || t->ne[0] != n_in || t->rows != n_out)
        b->rc = er_fail(b->err, ERRAND_SYNTAX,
            "the tensor \"%s\" is [%llu][%llu]; by the file's own numbers it "
            "must be [%u][%u]", b->name, (unsigned long long)t->rows,
            (unsigned long long)t->ne[0], n_out, n_in);
    return (struct er_matrix){.data = t->data, .type = t->type,
        .n_out = n_out, .n_in = n_in, .row_bytes = t->row_bytes};
}

static void bind_layer(struct binding *b, struct er_layer *l)
{
    const struct er_shape *s = b->s;
    uint32_t q = s->n_head * s->head_dim, kv = er_shape_kv(s);
    bool qk = s->arch == ER_ARCH_QWEN3, bias = s->arch == ER_ARCH_QWEN2;
    l->attn_norm = vector(b, "attn_norm.weight", s->n_embd, true);
    l->ffn_norm = vector(b, "ffn_norm.weight", s->n_embd, true);
    l->q_norm = vector(b, "attn_q_norm.weight", s->head_dim, qk);
    l->k_norm = vector(b, "attn_k_norm.weight", s->head_dim, qk);
    l->q_bias = vector(b, "attn_q.bias", q, bias);
    l->k_bias = vector(b, "attn_k.bias", kv, bias);
    l->v_bias = vector(b, "attn_v.bias", kv, bias);
    l->o_bias = vector(b, "attn_output.bias", s->n_embd, false);
    l->q = matrix(b, "attn_q.weight", q, s->n_embd);
    l->k = matrix(b, "attn_k.weight", kv, s->n_embd);
    l->v = matrix(b, "attn_v.weight", kv, s->n_embd);
    l->o = matrix(b, "attn_output.weight", s->n_embd, q);
    l->gate = matrix(b, "ffn_gate.weight", s->n_ff, s->n_embd);
    l->up = matrix(b, "ffn_up.weight", s->n_ff, s->n_embd);
    l->down = matrix(b, "ffn_down.weight", s->n_embd, s->n_ff);
}

static void bind_ends(
    struct binding *b, struct er_shape *s, struct er_weights *w)
{
    const struct er_tensor *t = find(b, "token_embd.weight", true);
    if (t && (t->n_dims != 2 || t->rows > INT32_MAX / 2))
        b->rc = er_fail(b->err, ERRAND_SYNTAX,
            "the tensor \"token_embd.weight\" has %llu rows; it must be a "
            "table of tokens", (unsigned long long)t->rows);
    s->n_vocab = t && !b->rc ? (uint32_t)t->rows : 0;
    w->embd = matrix(b, "token_embd.weight", s->n_vocab, s->n_embd);
    w->output_norm = vector(b, "output_norm.weight", s->n_embd, true);
    w->rope_factors =
        vector(b, "rope_freqs.weight", s->n_rot / 2, false);
    w->tied = !find(b, "output.weight", false);
    w->output = w->tied
                    ? w->embd
                    : matrix(b, "output.weight", s->n_vocab, s->n_embd);
}

static int check_factors(const struct er_shape *s,
    const struct er_weights *w, struct errand_error *err)
{
    for (uint32_t i = 0; w->rope_factors && i < s->n_rot / 2; i++)
        if (!(w->rope_factors[i] > 0))
            return er_fail(err, ERRAND_SYNTAX,
                "rope_freqs.weight[%u] is %g; factors must be above 0", i,
                (double)w->rope_factors[i]);
    return ERRAND_OK;
}

int er_weights_bind(const struct er_gguf *g, struct er_shape *s,
    struct er_weights *w, struct errand_error *err)
{
    struct binding b = {.g = g, .s = s, .err = err, .layer = UINT32_MAX};
    *w = (struct er_weights){0};
    bind_ends(&b, s, w);
    if (b.rc)
        return b.rc;
    /* At least one tensor stands behind each layer that is allowed for. */
    if (s->n_layer > er_gguf_tensors(g))
        return er_fail(err, ERRAND_SYNTAX,
            "the file has %zu tensors for %u layers", er_gguf_tensors(g),
            s->n_layer);
    w->layers = calloc(s->n_layer, sizeof *w->layers);
    if (!w->layers)
        return er_nomem(err);
    for (b.layer = 0; b.layer < s->n_layer && !b.rc; b.layer++)
        bind_layer(&b, &w->layers[b.layer]);
    if (!b.rc)
        b.rc = check_factors(s, w, err);
    if (b.rc)
        er_weights_release(w);
    return b.rc;
}

void er_weights_release(struct er_weights *w)
{
    free(w->layers);
    er_memory_give(w->tiles, w->tiles_bytes);
    *w = (struct er_weights){0};
}
