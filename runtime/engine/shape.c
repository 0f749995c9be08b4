/* Reading a model's shape. Limits are far above any model and small enough
 * that no product of two of them overflows 64 bits. */
#include "engine/shape.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    MAX_LAYERS = 1024,
    MAX_WIDTH = 1 << 20,
    MAX_HEADS = 4096,
    MAX_HEAD = 4096,
};

static const struct {
    const char *name;
    enum er_arch arch;
    bool halves;
} archs[] = {
    {"llama", ER_ARCH_LLAMA, false},
    {"qwen2", ER_ARCH_QWEN2, true},
    {"qwen3", ER_ARCH_QWEN3, true},
};

struct reading {
    const struct er_gguf *g;
    struct er_shape *s;
    struct errand_error *err;
    char key[100];
};

static const char *key(struct reading *r, const char *name)
{
    snprintf(r->key, sizeof r->key, "%s.%s", r->s->arch_name, name);
    return r->key;
}

/* A whole number; 0 as the value set before means that it must be there. */
static int number(struct reading *r, const char *name, uint64_t min,
    uint64_t max, uint32_t *value)
{
    uint64_t n = *value;
    int rc = er_gguf_get_u64(r->g, key(r, name), min, max, &n, r->err);
    if (!rc && n == 0)
        return er_fail(r->err, ERRAND_SYNTAX,
            "the file has no \"%s\"", r->key);
    *value = (uint32_t)n;
    return rc;
}

static int real(struct reading *r, const char *name, float min, float *value)
{
    int rc = er_gguf_get_f32(r->g, key(r, name), value, r->err);
    if (!rc && !(isfinite(*value) && *value >= min))
        return er_fail(r->err, ERRAND_SYNTAX,
            "\"%s\" is %g; it must be at least %g", r->key, (double)*value,
            (double)min);
    return rc;
}

static int read_arch(struct reading *r)
{
    struct er_gguf_str name = {"", 0};
    int rc =
        er_gguf_get_str(r->g, "general.architecture", &name, r->err);
    if (rc)
        return rc;
    if (name.len == 0)
        return er_fail(r->err, ERRAND_SYNTAX,
            "the file does not say its architecture: no model");
    for (size_t i = 0; i < sizeof archs / sizeof archs[0]; i++)
        if (strlen(archs[i].name) == name.len &&
            memcmp(archs[i].name, name.s, name.len) == 0) {
            r->s->arch = archs[i].arch;
            r->s->arch_name = archs[i].name;
            r->s->rope_halves = archs[i].halves;
            return ERRAND_OK;
        }
    return er_fail(r->err, ERRAND_UNSUPPORTED,
        "the architecture \"%.*s\" is not supported; supported are llama, "
        "qwen2 and qwen3", (int)(name.len < 40 ? name.len : 40), name.s);
}

static int read_widths(struct reading *r)
{
    struct er_shape *s = r->s;
    int rc = number(r, "block_count", 1, MAX_LAYERS, &s->n_layer);
    if (!rc)
        rc = number(r, "embedding_length", 1, MAX_WIDTH, &s->n_embd);
    if (!rc)
        rc = number(r, "feed_forward_length", 1, MAX_WIDTH, &s->n_ff);
    if (!rc)
        rc = number(r, "context_length", 1, UINT32_MAX, &s->n_context);
    if (!rc)
        rc = real(r, "attention.layer_norm_rms_epsilon", 0, &s->norm_eps);
    return rc;
}

static int read_heads(struct reading *r)
{
    struct er_shape *s = r->s;
    int rc = number(r, "attention.head_count", 1, MAX_HEADS, &s->n_head);
    if (rc)
        return rc;
    s->n_head_kv = s->n_head;
    rc = number(r, "attention.head_count_kv", 1, s->n_head, &s->n_head_kv);
    if (rc)
        return rc;
    if (s->n_head % s->n_head_kv)
        return er_fail(r->err, ERRAND_SYNTAX,
            "%u heads cannot share %u key-value heads evenly", s->n_head,
            s->n_head_kv);
    if (!er_gguf_has(r->g, key(r, "attention.key_length")) &&
        s->n_embd % s->n_head)
        return er_fail(r->err, ERRAND_SYNTAX,
            "an embedding of %u cannot be split into %u heads", s->n_embd,
            s->n_head);
    s->head_dim = s->n_embd / s->n_head;
    uint32_t value = 0;
    rc = number(r, "attention.key_length", 2, MAX_HEAD, &s->head_dim);
    value = s->head_dim;
    if (!rc)
        rc = number(r, "attention.value_length", 1, MAX_HEAD, &value);
    if (!rc && (value != s->head_dim || s->head_dim % 2 ||
                   s->head_dim > MAX_HEAD))
        return er_fail(r->err, ERRAND_UNSUPPORTED,
            "heads of %u (keys) and %u (values) numbers; they must be equal, "
            "even and at most %d", s->head_dim, value, MAX_HEAD);
    return rc;
}

static int read_scaling(struct reading *r)
{
    struct er_shape *s = r->s;
    struct er_gguf_str type = {"", 0};
    int rc =
        er_gguf_get_str(r->g, key(r, "rope.scaling.type"), &type, r->err);
    if (!rc)
        rc = real(r, "rope.scale_linear", 0, &s->rope_factor);
    if (!rc)
        rc = real(r, "rope.scaling.factor", 0, &s->rope_factor);
    if (rc)
        return rc;
    if (s->rope_factor <= 0)
        s->rope_factor = 1;
    if (type.len == 4 && memcmp(type.s, "yarn", 4) == 0)
        s->rope_scaling = ER_ROPE_YARN;
    else if (type.len == 4 && memcmp(type.s, "none", 4) == 0)
        s->rope_scaling = ER_ROPE_PLAIN;
    else if (type.len == 0 ||
             (type.len == 6 && memcmp(type.s, "linear", 6) == 0))
        s->rope_scaling =
            s->rope_factor == 1 ? ER_ROPE_PLAIN : ER_ROPE_LINEAR;
    else
        return er_fail(r->err, ERRAND_UNSUPPORTED,
            "the rope scaling \"%.*s\" is not supported; supported are "
            "linear and yarn", (int)(type.len < 40 ? type.len : 40), type.s);
    s->rope_context = s->n_context;
    rc = number(r, "rope.scaling.original_context_length", 0, UINT32_MAX,
        &s->rope_context);
    if (!rc)
        rc = real(r, "rope.scaling.attn_factor", 0, &s->rope_attn);
    if (!rc)
        rc = real(r, "rope.scaling.yarn_attn_factor", 0, &s->rope_attn);
    if (!rc)
        rc = real(r, "rope.scaling.yarn_beta_fast", 0, &s->rope_beta_fast);
    if (!rc)
        rc = real(r, "rope.scaling.yarn_beta_slow", 0, &s->rope_beta_slow);
    return rc;
}

static int read_rope(struct reading *r)
{
    struct er_shape *s = r->s;
    s->n_rot = s->head_dim;
    int rc = number(r, "rope.dimension_count", 2, s->head_dim, &s->n_rot);
    if (!rc && s->n_rot % 2)
        return er_fail(r->err, ERRAND_SYNTAX,
            "rope.dimension_count is %u; it must be even", s->n_rot);
    if (!rc)
        rc = real(r, "rope.freq_base", 0x1p-20f, &s->rope_base);
    return rc ? rc : read_scaling(r);
}

int er_shape_read(const struct er_gguf *g, struct er_shape *s,
    struct errand_error *err)
{
    struct reading r = {.g = g, .s = s, .err = err};
    *s = (struct er_shape){.norm_eps = -1, .rope_base = 10000,
        .rope_factor = 1, .rope_attn = 1, .rope_beta_fast = 32,
        .rope_beta_slow = 1};
    int rc = read_arch(&r);
    if (!rc && !er_gguf_has(
                   g, key(&r, "attention.layer_norm_rms_epsilon")))
        return er_fail(err, ERRAND_SYNTAX, "the file has no \"%s\"", r.key);
    if (!rc)
        rc = read_widths(&r);
    if (!rc)
        rc = read_heads(&r);
    return rc ? rc : read_rope(&r);
}
