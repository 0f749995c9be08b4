/* Random models: blocks of random bits with scales that keep the weights
 * small. */
#include "support/model_kit.h"

#include "engine/quant.h"
#include "support/gguf_kit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct maker {
    const struct model_kit *m;
    struct gguf_kit k;
    uint32_t seed;
};

static uint32_t draw(struct maker *mk)
{
    mk->seed = mk->seed * 1664525u + 1013904223u;
    return mk->seed >> 8;
}

static float unit(struct maker *mk) /* -1 to 1 */
{
    return (float)draw(mk) / 8388608.0f - 1.0f;
}

/* Where a block's f16 scales lie, and what makes its weights at most 1. */
static const struct {
    uint32_t type;
    size_t d, m; /* SIZE_MAX: none */
    float of_d, of_m;
} scales[] = {
    {ER_Q4_0, 0, SIZE_MAX, 1.0f / 8, 0},
    {ER_Q4_1, 0, 2, 1.0f / 15, -0.5f},
    {ER_Q5_0, 0, SIZE_MAX, 1.0f / 16, 0},
    {ER_Q5_1, 0, 2, 1.0f / 31, -0.5f},
    {ER_Q8_0, 0, SIZE_MAX, 1.0f / 127, 0},
    {ER_Q2_K, 80, 82, 1.0f / 45, 1.0f / 30},
    {ER_Q3_K, 108, SIZE_MAX, 1.0f / 128, 0},
    {ER_Q4_K, 0, 2, 1.0f / 945, 1.0f / 126},
    {ER_Q5_K, 0, 2, 1.0f / 1953, 1.0f / 126},
    {ER_Q6_K, 208, SIZE_MAX, 1.0f / 4064, 0},
    {ER_IQ4_NL, 0, SIZE_MAX, 1.0f / 127, 0},
    {ER_IQ4_XS, 0, SIZE_MAX, 1.0f / 4064, 0},
};

static void put_half(unsigned char *at, float v)
{
    uint16_t h = er_f32_to_f16(v);
    memcpy(at, &h, sizeof h);
}

static void fill_block(struct maker *mk, unsigned char *at, uint32_t type,
    size_t bytes, float size)
{
    for (size_t i = 0; i < bytes; i++)
        at[i] = (unsigned char)draw(mk);
    for (size_t i = 0; i < sizeof scales / sizeof scales[0]; i++) {
        if (scales[i].type != type)
            continue;
        float by = size * (1 + 0.3f * unit(mk));
        put_half(at + scales[i].d, by * scales[i].of_d);
        if (scales[i].m != SIZE_MAX)
            put_half(at + scales[i].m, by * scales[i].of_m);
    }
}

static void fill(struct maker *mk, unsigned char *at, uint32_t type,
    size_t n, float size)
{
    const struct er_quant *q = er_quant_get(type);
    for (size_t i = 0; i < n / q->block; i++, at += q->bytes) {
        float v = size * unit(mk);
        uint32_t bits;
        memcpy(&bits, &v, sizeof bits);
        if (type == ER_F32)
            memcpy(at, &v, sizeof v);
        else if (type == ER_F16)
            put_half(at, v);
        else if (type == ER_BF16)
            memcpy(at, (char *)&bits + 2, 2);
        else
            fill_block(mk, at, type, q->bytes, size);
    }
}

static void matrix(
    struct maker *mk, const char *name, uint32_t n_out, uint32_t n_in)
{
    const struct er_quant *q = er_quant_get(mk->m->type);
    size_t bytes = (size_t)n_out * n_in / q->block * q->bytes;
    unsigned char *data = malloc(bytes);
    if (!data || n_in % q->block)
        abort();
    fill(mk, data, mk->m->type, (size_t)n_out * n_in,
        2.0f / sqrtf((float)n_in));
    gguf_kit_tensor(&mk->k, name, mk->m->type, n_in, n_out, data, bytes);
    free(data);
}

static void vector(
    struct maker *mk, const char *name, uint32_t n, float mid, float spread)
{
    float *data = malloc(n * sizeof *data);
    if (!data)
        abort();
    for (uint32_t i = 0; i < n; i++)
        data[i] = mid + spread * unit(mk);
    gguf_kit_tensor(&mk->k, name, ER_F32, n, 0, data, n * sizeof *data);
    free(data);
}

static const char *name_of(char out[64], uint32_t layer, const char *name)
{
    snprintf(out, 64, "blk.%u.%s", layer, name);
    return out;
}

static void layer(struct maker *mk, uint32_t i)
{
    const struct model_kit *m = mk->m;
    uint32_t head = m->head_dim ? m->head_dim : m->n_embd / m->n_head;
    uint32_t q = m->n_head * head, kv = m->n_head_kv * head;
    char s[64];
    vector(mk, name_of(s, i, "attn_norm.weight"), m->n_embd, 1, 0.3f);
    vector(mk, name_of(s, i, "ffn_norm.weight"), m->n_embd, 1, 0.3f);
    if (strcmp(m->arch, "qwen3") == 0) {
        vector(mk, name_of(s, i, "attn_q_norm.weight"), head, 1, 0.3f);
        vector(mk, name_of(s, i, "attn_k_norm.weight"), head, 1, 0.3f);
    }
    if (strcmp(m->arch, "qwen2") == 0) {
        vector(mk, name_of(s, i, "attn_q.bias"), q, 0, 0.5f);
        vector(mk, name_of(s, i, "attn_k.bias"), kv, 0, 0.5f);
        vector(mk, name_of(s, i, "attn_v.bias"), kv, 0, 0.5f);
    }
    matrix(mk, name_of(s, i, "attn_q.weight"), q, m->n_embd);
    matrix(mk, name_of(s, i, "attn_k.weight"), kv, m->n_embd);
    matrix(mk, name_of(s, i, "attn_v.weight"), kv, m->n_embd);
    matrix(mk, name_of(s, i, "attn_output.weight"), m->n_embd, q);
    matrix(mk, name_of(s, i, "ffn_gate.weight"), m->n_ff, m->n_embd);
    matrix(mk, name_of(s, i, "ffn_up.weight"), m->n_ff, m->n_embd);
    matrix(mk, name_of(s, i, "ffn_down.weight"), m->n_embd, m->n_ff);
}

static void number(
    struct maker *mk, const char *name, uint32_t value)
{
    char key[100];
    snprintf(key, sizeof key, "%s.%s", mk->m->arch, name);
    gguf_kit_u32(&mk->k, key, value);
}

static void head(struct maker *mk)
{
    const struct model_kit *m = mk->m;
    char key[100];
    gguf_kit_str(&mk->k, "general.architecture", m->arch);
    number(mk, "block_count", m->n_layer);
    number(mk, "embedding_length", m->n_embd);
    number(mk, "feed_forward_length", m->n_ff);
    number(mk, "attention.head_count", m->n_head);
    number(mk, "attention.head_count_kv", m->n_head_kv);
    number(mk, "context_length", m->context);
    if (m->head_dim) {
        number(mk, "attention.key_length", m->head_dim);
        number(mk, "attention.value_length", m->head_dim);
    }
    if (m->n_rot)
        number(mk, "rope.dimension_count", m->n_rot);
    snprintf(key, sizeof key, "%s.attention.layer_norm_rms_epsilon",
        m->arch);
    gguf_kit_f32(&mk->k, key, 1e-5f);
    if (!m->scaling)
        return;
    snprintf(key, sizeof key, "%s.rope.scaling.type", m->arch);
    gguf_kit_str(&mk->k, key, m->scaling);
    snprintf(key, sizeof key, "%s.rope.scaling.factor", m->arch);
    gguf_kit_f32(&mk->k, key, m->factor);
    if (m->original)
        number(mk, "rope.scaling.original_context_length", m->original);
}

/* The 256 bytes, control tokens, words, and more controls up to n_vocab. */
static void vocabulary(struct maker *mk)
{
    uint32_t n = mk->m->n_vocab, next = 256;
    const char *const *names = mk->m->controls, *const *words = mk->m->words;
    char (*texts)[24] = calloc(n, sizeof *texts);
    const char **pieces = calloc(n, sizeof(char *));
    uint32_t *kinds = calloc(n, sizeof *kinds);
    if (!texts || !pieces || !kinds)
        abort();
    for (uint32_t i = 0; i < n; i++) {
        bool visible = (i >= 33 && i <= 126) || (i >= 161 && i != 173);
        uint32_t c = i < 256 && visible ? i : next;
        next += i < 256 && !visible;
        bool word = i >= 256 && !(names && *names) && words && *words;
        if (i >= 256 && names && *names)
            snprintf(texts[i], sizeof texts[i], "%s", *names++);
        else if (word)
            snprintf(texts[i], sizeof texts[i], "%s", *words++);
        else if (i >= 256)
            snprintf(texts[i], sizeof texts[i], "<|%u|>", i);
        else if (c < 128)
            texts[i][0] = (char)c;
        else
            snprintf(texts[i], sizeof texts[i], "%c%c", (int)(0xC0 | c >> 6),
                (int)(0x80 | (c & 63)));
        pieces[i] = texts[i];
        kinds[i] = i < 256 || word ? 1 : 3;
    }
    gguf_kit_str(&mk->k, "tokenizer.ggml.model", "gpt2");
    gguf_kit_str(&mk->k, "tokenizer.ggml.pre", "gpt-2");
    gguf_kit_strs(&mk->k, "tokenizer.ggml.tokens", pieces, n);
    gguf_kit_u32s(&mk->k, "tokenizer.ggml.token_type", kinds, n);
    gguf_kit_strs(&mk->k, "tokenizer.ggml.merges", NULL, 0);
    if (mk->m->controls)
        gguf_kit_u32(&mk->k, "tokenizer.ggml.eos_token_id", 256);
    if (mk->m->chat_template)
        gguf_kit_str(
            &mk->k, "tokenizer.chat_template", mk->m->chat_template);
    free(texts);
    free((void *)pieces);
    free(kinds);
}

void model_kit_write(
    const struct model_kit *m, uint32_t seed, const char *path)
{
    struct maker mk = {.m = m, .seed = seed};
    uint32_t head_dim = m->head_dim ? m->head_dim : m->n_embd / m->n_head;
    gguf_kit_init(&mk.k);
    head(&mk);
    vocabulary(&mk);
    matrix(&mk, "token_embd.weight", m->n_vocab, m->n_embd);
    if (!m->tied)
        matrix(&mk, "output.weight", m->n_vocab, m->n_embd);
    vector(&mk, "output_norm.weight", m->n_embd, 1, 0.3f);
    if (m->factors)
        vector(&mk, "rope_freqs.weight",
            (m->n_rot ? m->n_rot : head_dim) / 2, 3, 2);
    for (uint32_t i = 0; i < m->n_layer; i++)
        layer(&mk, i);
    gguf_kit_write(&mk.k, path);
    gguf_kit_release(&mk.k);
}
