/* What a model is: numbers and texts for people. */
#include "engine/engine_parts.h"

#include "base/json.h"
#include "engine/quant.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct er_gguf_str text(const struct er_gguf *g, const char *key)
{
    struct er_gguf_str s = {"", 0};
    er_gguf_get_str(g, key, &s, NULL); /* of another type: as none */
    return s;
}

/* The format that holds most weights; their number into *total. */
static void quantization(const struct er_gguf *g, char out[32],
    uint64_t *total)
{
    uint64_t by[ER_QUANT_TYPES] = {0};
    uint32_t best = 0;
    *total = 0;
    for (size_t i = 0; i < er_gguf_tensors(g); i++) {
        const struct er_tensor *t = er_gguf_tensor_at(g, i);
        by[t->type] += t->rows * t->ne[0];
        *total += t->rows * t->ne[0];
    }
    for (uint32_t i = 0; i < ER_QUANT_TYPES; i++)
        best = by[i] > by[best] ? i : best;
    snprintf(out, 32, "%s", er_quant_get(best)->name);
}

static void fill(const struct er_gguf *g, const struct er_shape *s,
    struct er_local_info *out)
{
    *out = (struct er_local_info){.name = text(g, "general.name"),
        .arch = {s->arch_name, strlen(s->arch_name)},
        .license = text(g, "general.license"),
        .chat_template = text(g, "tokenizer.chat_template"),
        .n_layer = s->n_layer, .n_embd = s->n_embd, .n_ff = s->n_ff,
        .n_head = s->n_head, .n_head_kv = s->n_head_kv,
        .head_dim = s->head_dim, .n_vocab = s->n_vocab,
        .context_trained = s->n_context, .file_bytes = er_gguf_bytes(g)};
    quantization(g, out->quantization, &out->parameters);
}

void er_local_info(const er_local *m, struct er_local_info *out)
{
    fill(m->file, &m->shape, out);
    out->context = m->context;
    out->cache_bytes = er_kv_bytes(&m->layout, m->context);
    out->work_bytes = er_forward_bytes(&m->shape, m->kernels,
        er_threads_count(m->threads), m->context);
    out->kernels = m->kernels->name;
    out->threads = er_threads_count(m->threads);
}

static json_t *json_text(struct er_gguf_str s)
{
    return json_stringn(s.s, s.len); /* NULL if it is not UTF-8 */
}

static json_t *as_json(const struct er_local_info *i)
{
    uint64_t need = i->file_bytes + i->cache_bytes + i->work_bytes;
    return json_pack("{s:o?, s:o?, s:o?, s:s, s:I, s:i, s:i, s:i, s:i, s:i, "
                     "s:i, s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:o?}",
        "name", json_text(i->name), "architecture", json_text(i->arch),
        "license", i->license.len ? json_text(i->license) : json_null(),
        "quantization", i->quantization, "parameters",
        (json_int_t)i->parameters, "layers", (int)i->n_layer, "embedding",
        (int)i->n_embd, "feed_forward", (int)i->n_ff, "heads",
        (int)i->n_head, "kv_heads", (int)i->n_head_kv, "head_size",
        (int)i->head_dim, "vocabulary", (int)i->n_vocab, "context_trained",
        (json_int_t)i->context_trained, "context", (json_int_t)i->context,
        "file_bytes", (json_int_t)i->file_bytes, "cache_bytes",
        (json_int_t)i->cache_bytes, "work_bytes", (json_int_t)i->work_bytes,
        "memory_bytes", (json_int_t)need, "chat_template",
        i->chat_template.len ? json_text(i->chat_template) : json_null());
}

static int describe(struct er_gguf *g, uint32_t context,
    enum er_cache_type cache, char **json, struct errand_error *err)
{
    struct er_shape s;
    struct er_weights w = {0};
    struct er_kv_layout layout;
    struct er_local_info info;
    int rc = er_shape_read(g, &s, err);
    if (!rc)
        rc = er_weights_bind(g, &s, &w, err);
    if (!rc)
        rc = er_kv_layout_make(&s, (enum er_kv_type)cache, &layout, err);
    er_weights_release(&w);
    if (rc)
        return rc;
    fill(g, &s, &info);
    info.context = er_local_context(&s, context);
    info.cache_bytes = er_kv_bytes(&layout, info.context);
    info.work_bytes = er_forward_bytes(
        &s, er_kernels_best(), er_threads_cores(), info.context);
    json_t *v = as_json(&info);
    *json = v ? er_json_text(v) : NULL;
    json_decref(v);
    return *json ? ERRAND_OK : er_nomem(err);
}

int er_local_describe(const char *path, uint32_t context,
    enum er_cache_type cache, char **json, struct errand_error *err)
{
    struct er_gguf *g = NULL;
    int rc = er_gguf_open(path, &g, err);
    if (!rc)
        rc = describe(g, context, cache, json, err);
    er_gguf_close(g);
    return rc;
}
