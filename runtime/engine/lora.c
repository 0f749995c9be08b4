/* Reading and applying adapters. */
#include "engine/lora.h"

#include "base/sha256.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const sites[ER_LORA_SITES] = {"attn_q", "attn_k",
    "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down", "output"};

struct opening {
    struct er_lora *l;
    const struct er_shape *s;
    const struct er_weights *w;
    struct errand_error *err;
};

static const struct er_matrix *target(
    const struct opening *o, uint32_t layer, int site)
{
    const struct er_layer *l = &o->w->layers[layer];
    const struct er_matrix *all[ER_LORA_SITES] = {&l->q, &l->k, &l->v, &l->o,
        &l->gate, &l->up, &l->down, &o->w->output};
    return all[site];
}

static int check_kind(struct opening *o)
{
    const struct er_gguf *g = o->l->file;
    struct er_gguf_str type = {"", 0}, arch = {"", 0};
    int rc = er_gguf_get_str(g, "adapter.type", &type, o->err);
    if (!rc)
        rc = er_gguf_get_str(g, "general.architecture", &arch, o->err);
    if (!rc)
        rc = er_gguf_get_f32(g, "adapter.lora.alpha", &o->l->alpha, o->err);
    if (rc)
        return rc;
    if (type.len != 4 || memcmp(type.s, "lora", 4) != 0)
        return er_fail(o->err, ERRAND_UNSUPPORTED,
            "the file is not a LoRA adapter (adapter.type is \"%.*s\")",
            (int)(type.len < 40 ? type.len : 40), type.s);
    if (arch.len != strlen(o->s->arch_name) ||
        memcmp(arch.s, o->s->arch_name, arch.len) != 0)
        return er_fail(o->err, ERRAND_UNSUPPORTED,
            "the adapter is for %.*s, the model is %s",
            (int)(arch.len < 40 ? arch.len : 40), arch.s, o->s->arch_name);
    if (!isfinite(o->l->alpha))
        return er_fail(o->err, ERRAND_SYNTAX,
            "adapter.lora.alpha is %g", (double)o->l->alpha);
    return ERRAND_OK;
}

static struct er_matrix as_matrix(const struct er_tensor *t)
{
    return (struct er_matrix){.data = t->data, .type = t->type,
        .n_out = (uint32_t)t->rows, .n_in = (uint32_t)t->ne[0],
        .row_bytes = t->row_bytes};
}

/* The pair of one place, if the file has it; counts its tensors. */
static int bind(struct opening *o, uint32_t layer, int site, size_t *found)
{
    char name[2][80];
    const struct er_tensor *t[2];
    const struct er_matrix *m = target(o, layer, site);
    for (int i = 0; i < 2; i++) {
        if (site == ER_LORA_OUTPUT)
            snprintf(name[i], sizeof name[i], "output.weight.lora_%c",
                "ab"[i]);
        else
            snprintf(name[i], sizeof name[i], "blk.%u.%s.weight.lora_%c",
                layer, sites[site], "ab"[i]);
        t[i] = er_gguf_tensor(o->l->file, name[i]);
    }
    if (!t[0] && !t[1])
        return ERRAND_OK;
    if (!t[0] || !t[1])
        return er_fail(o->err, ERRAND_SYNTAX,
            "the adapter has only one of %s and its fellow",
            t[0] ? name[0] : name[1]);
    if (t[0]->ne[0] != m->n_in || t[1]->rows != m->n_out ||
        t[0]->rows != t[1]->ne[0] || t[0]->rows > m->n_in)
        return er_fail(o->err, ERRAND_SYNTAX,
            "%s does not fit the model's [%u][%u]; the adapter is for "
            "another model", name[0], m->n_out, m->n_in);
    *found += 2;
    o->l->pairs[layer * ER_LORA_SITES + (uint32_t)site] =
        (struct er_lora_pair){as_matrix(t[0]), as_matrix(t[1])};
    if (t[0]->rows > o->l->max_rank)
        o->l->max_rank = (uint32_t)t[0]->rows;
    return ERRAND_OK;
}

static int bind_all(struct opening *o)
{
    size_t found = 0, n = er_gguf_tensors(o->l->file);
    int rc = ERRAND_OK;
    o->l->pairs =
        calloc(o->s->n_layer * ER_LORA_SITES, sizeof *o->l->pairs);
    if (!o->l->pairs)
        return er_nomem(o->err);
    for (uint32_t layer = 0; layer < o->s->n_layer && !rc; layer++)
        for (int site = 0; site < ER_LORA_SITES && !rc; site++)
            if (site != ER_LORA_OUTPUT || layer == 0)
                rc = bind(o, layer, site, &found);
    if (!rc && found != n)
        return er_fail(o->err, ERRAND_UNSUPPORTED,
            "%zu of the adapter's %zu tensors belong to places that errand "
            "does not adapt", n - found, n);
    return rc;
}

/* What the adapter is: all its bytes, they are few. */
static void make_id(struct er_lora *l)
{
    struct er_sha256 h;
    unsigned char digest[32];
    er_sha256_init(&h);
    er_sha256_add(&h, &l->alpha, sizeof l->alpha);
    for (size_t i = 0; i < er_gguf_tensors(l->file); i++) {
        const struct er_tensor *t = er_gguf_tensor_at(l->file, i);
        er_sha256_add(&h, t->name.s, t->name.len);
        er_sha256_add(&h, t->data, t->bytes);
    }
    er_sha256_end(&h, digest);
    er_hex(digest, sizeof digest, l->id);
}

int er_lora_open(const char *path, const struct er_shape *s,
    const struct er_weights *w, struct er_lora **out,
    struct errand_error *err)
{
    struct opening o = {.s = s, .w = w, .err = err};
    o.l = calloc(1, sizeof *o.l);
    if (!o.l)
        return er_nomem(err);
    int rc = er_gguf_open(path, &o.l->file, err);
    if (!rc)
        rc = check_kind(&o);
    if (!rc)
        rc = bind_all(&o);
    if (rc) {
        er_lora_close(o.l);
        return rc;
    }
    make_id(o.l);
    *out = o.l;
    return ERRAND_OK;
}

void er_lora_close(struct er_lora *l)
{
    if (!l)
        return;
    er_gguf_close(l->file);
    free(l->pairs);
    free(l);
}

static void rows(const struct er_matrix *m, const float *x, size_t n,
    float *y, size_t stride, float *scratch)
{
    struct er_acts acts = {.n = n, .width = m->n_in, .f = x};
    er_rows_exact(m, 0, m->n_out, &acts, y, stride, scratch);
}

/* One adapter at one place; low [rank], row [n_in]. */
static void add_one(const struct er_lora_pair *p, float scale,
    const float *x, size_t n, float *y, size_t stride, float *low,
    float *row)
{
    const struct er_quant *q = er_quant_get(p->b.type);
    for (size_t t = 0; t < n; t++) {
        rows(&p->a, x + t * p->a.n_in, 1, low, 0, row);
        for (uint32_t i = 0; i < p->b.n_out; i++) {
            const char *at = (const char *)p->b.data + i * p->b.row_bytes;
            q->decode(at, row, p->b.n_in);
            y[t * stride + i] += scale * er_dot_f32(row, low, p->b.n_in);
        }
    }
}

void er_lora_add(const struct er_lora_use *uses, size_t n_uses,
    uint32_t layer, enum er_lora_site site, const float *x, size_t n,
    float *y, size_t stride, float *scratch)
{
    for (size_t i = 0; i < n_uses; i++) {
        const struct er_lora *l = uses[i].lora;
        const struct er_lora_pair *p =
            &l->pairs[layer * ER_LORA_SITES + (uint32_t)site];
        if (!p->a.data)
            continue;
        float scale = uses[i].scale * l->alpha / (float)p->a.n_out;
        add_one(p, scale, x, n, y, stride, scratch, scratch + l->max_rank);
    }
}
