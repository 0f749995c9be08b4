/* Writes a model file with random weights in the exact shapes of Llama 3.2,
 * for measuring: how fast it computes does not depend on what it says.
 *
 *     make_model 1b|3b Q4_K_M|Q4_0|Q8_0 OUT [VOCABULARY.gguf]
 *
 * The vocabulary's pairs are copied from a file that has them; without one
 * it is 128,256 made-up words.
 */
#include "base/text.h"
#include "engine/gguf.h"
#include "engine/quant.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TENSORS = 400, VOCABULARY = 128256, ALIGN = 32 };

struct tensor {
    char name[64];
    uint32_t type;
    uint64_t n_in, rows; /* rows 0: a vector */
    uint64_t at;
};

static struct tensor tensors[TENSORS];
static size_t n_tensors;
static uint64_t n_pairs, data_bytes;
static FILE *out;
static uint32_t seed = 1;

static const struct shape {
    const char *name;
    uint32_t n_layer, n_embd, n_ff, n_head, n_head_kv, head_dim;
} shapes[] = {
    {"1b", 16, 2048, 8192, 32, 8, 64},
    {"3b", 28, 3072, 8192, 24, 8, 128},
};

static void die(const char *what)
{
    fprintf(stderr, "make_model: %s\n", what);
    exit(1);
}

static uint32_t draw(void)
{
    seed = seed * 1664525u + 1013904223u;
    return seed >> 8;
}

static void put(const void *p, size_t n)
{
    if (fwrite(p, 1, n, out) != n)
        die("cannot write");
}

static void put_u32(uint32_t v) { put(&v, sizeof v); }
static void put_u64(uint64_t v) { put(&v, sizeof v); }

static void put_text(const char *s, size_t n)
{
    put_u64(n);
    put(s, n);
}

/* --- pairs */

static void key(const char *name, uint32_t type)
{
    put_text(name, strlen(name));
    put_u32(type);
    n_pairs++;
}

static void number(const char *name, uint32_t v)
{
    key(name, 4);
    put_u32(v);
}

static void real(const char *name, float v)
{
    key(name, 6);
    put(&v, sizeof v);
}

static void text(const char *name, const char *v)
{
    key(name, 8);
    put_text(v, strlen(v));
}

static void head(const struct shape *s)
{
    text("general.architecture", "llama");
    text("general.name", "random");
    number("llama.block_count", s->n_layer);
    number("llama.embedding_length", s->n_embd);
    number("llama.feed_forward_length", s->n_ff);
    number("llama.attention.head_count", s->n_head);
    number("llama.attention.head_count_kv", s->n_head_kv);
    number("llama.attention.key_length", s->head_dim);
    number("llama.attention.value_length", s->head_dim);
    number("llama.rope.dimension_count", s->head_dim);
    number("llama.context_length", 131072);
    number("llama.vocab_size", VOCABULARY);
    real("llama.rope.freq_base", 500000);
    real("llama.attention.layer_norm_rms_epsilon", 1e-5f);
    number("general.alignment", ALIGN);
}

static void made_up_words(void)
{
    char word[16];
    text("tokenizer.ggml.model", "gpt2");
    text("tokenizer.ggml.pre", "llama-bpe");
    key("tokenizer.ggml.tokens", 9);
    put_u32(8);
    put_u64(VOCABULARY);
    for (uint32_t i = 0; i < VOCABULARY; i++) {
        int n = i < 94 ? snprintf(word, sizeof word, "%c", (char)(33 + i))
                       : snprintf(word, sizeof word, "w%u", i);
        put_text(word, (size_t)n);
    }
    key("tokenizer.ggml.token_type", 9);
    put_u32(5);
    put_u64(VOCABULARY);
    for (uint32_t i = 0; i < VOCABULARY; i++)
        put_u32(1);
    key("tokenizer.ggml.merges", 9);
    put_u32(8);
    put_u64(1);
    put_text("! \"", 3);
    number("tokenizer.ggml.bos_token_id", 0);
    number("tokenizer.ggml.eos_token_id", 1);
}

static void copy_text(const struct er_gguf *g, const char *name)
{
    struct er_gguf_str s = {0};
    if (!er_gguf_has(g, name) || er_gguf_get_str(g, name, &s, NULL))
        return;
    key(name, 8);
    put_text(s.s, s.len);
}

static void copy_array(const struct er_gguf *g, const char *name)
{
    struct er_gguf_array a;
    if (er_gguf_get_array(g, name, &a, NULL) || a.count == 0)
        die("the vocabulary is not complete");
    key(name, 9);
    put_u32(a.type);
    put_u64(a.count);
    while (a.left > 0)
        if (a.type == 8) {
            struct er_gguf_str s = er_gguf_next_str(&a);
            put_text(s.s, s.len);
        } else {
            put_u32((uint32_t)er_gguf_next_number(&a));
        }
}

static void copy_words(const char *path)
{
    struct er_gguf *g = NULL;
    struct errand_error err = {0};
    uint64_t bos = 0, eos = 0;
    if (er_gguf_open(path, &g, &err))
        die(err.msg);
    copy_text(g, "tokenizer.ggml.model");
    copy_text(g, "tokenizer.ggml.pre");
    copy_text(g, "tokenizer.chat_template");
    copy_array(g, "tokenizer.ggml.tokens");
    copy_array(g, "tokenizer.ggml.token_type");
    copy_array(g, "tokenizer.ggml.merges");
    er_gguf_get_u64(
        g, "tokenizer.ggml.bos_token_id", 0, VOCABULARY, &bos, NULL);
    er_gguf_get_u64(
        g, "tokenizer.ggml.eos_token_id", 0, VOCABULARY, &eos, NULL);
    number("tokenizer.ggml.bos_token_id", (uint32_t)bos);
    number("tokenizer.ggml.eos_token_id", (uint32_t)eos);
    er_gguf_close(g);
}

/* --- tensors */

static uint64_t bytes_of(const struct tensor *t)
{
    const struct er_quant *q = er_quant_get(t->type);
    return t->n_in / q->block * q->bytes * (t->rows ? t->rows : 1);
}

static void add(uint32_t type, uint64_t n_in, uint64_t rows,
    const char *name)
{
    struct tensor *t = &tensors[n_tensors++];
    *t = (struct tensor){
        .type = type, .n_in = n_in, .rows = rows, .at = data_bytes};
    snprintf(t->name, sizeof t->name, "%s", name);
    data_bytes += (bytes_of(t) + ALIGN - 1) / ALIGN * ALIGN;
}

static void add_layer(const struct shape *s, uint32_t i, uint32_t type,
    uint32_t more)
{
    uint32_t q = s->n_head * s->head_dim, kv = s->n_head_kv * s->head_dim;
    char name[64];
#define ADD(t, n_in, rows, what)                                          \
    (snprintf(name, sizeof name, "blk.%u." what ".weight", i),            \
        add(t, n_in, rows, name))
    ADD(ER_F32, s->n_embd, 0, "attn_norm");
    ADD(ER_F32, s->n_embd, 0, "ffn_norm");
    ADD(type, s->n_embd, q, "attn_q");
    ADD(type, s->n_embd, kv, "attn_k");
    ADD(more, s->n_embd, kv, "attn_v");
    ADD(type, q, s->n_embd, "attn_output");
    ADD(type, s->n_embd, s->n_ff, "ffn_gate");
    ADD(type, s->n_embd, s->n_ff, "ffn_up");
    ADD(more, s->n_ff, s->n_embd, "ffn_down");
#undef ADD
}

/* Which layers of a Q4_K_M file have Q6_K values. */
static bool is_finer(uint32_t i, uint32_t n)
{
    return i < n / 8 || i >= 7 * n / 8 || (i - n / 8) % 3 == 2;
}

static void add_all(const struct shape *s, const char *mix)
{
    bool k_m = strcmp(mix, "Q4_K_M") == 0;
    bool q8 = strcmp(mix, "Q8_0") == 0;
    uint32_t type = k_m ? ER_Q4_K : q8 ? ER_Q8_0 : ER_Q4_0;
    add(q8 ? ER_Q8_0 : ER_Q6_K, s->n_embd, VOCABULARY, "token_embd.weight");
    add(ER_F32, s->n_embd, 0, "output_norm.weight");
    add(ER_F32, s->head_dim / 2, 0, "rope_freqs.weight");
    for (uint32_t i = 0; i < s->n_layer; i++)
        add_layer(s, i, type,
            k_m && is_finer(i, s->n_layer) ? ER_Q6_K : type);
}

static void put_half(unsigned char *at, float v)
{
    uint16_t h = er_f32_to_f16(v);
    memcpy(at, &h, sizeof h);
}

/* Random bits, with scales that keep the weights small. */
static void fill(const struct tensor *t, unsigned char *row)
{
    const struct er_quant *q = er_quant_get(t->type);
    float size = 2.0f / sqrtf((float)t->n_in);
    for (uint64_t i = 0; i < t->n_in / q->block; i++, row += q->bytes) {
        float one = 1;
        for (uint32_t k = 0; k + 2 < q->bytes; k += 2) {
            uint32_t bits = draw();
            memcpy(row + k, &bits, 2);
        }
        if (t->type == ER_F32)
            memcpy(row, &one, sizeof one);
        else if (t->type == ER_Q6_K)
            put_half(row + 208, size / 4064);
        else
            put_half(row, size / (t->type == ER_Q4_K   ? 945
                                     : t->type == ER_Q8_0 ? 127
                                                          : 8));
        if (t->type == ER_Q4_K)
            put_half(row + 2, size / 126);
    }
}

static void put_tensor(const struct tensor *t)
{
    static const char zeros[ALIGN];
    uint64_t rows = t->rows ? t->rows : 1, bytes = bytes_of(t) / rows;
    unsigned char *row = calloc(1, bytes + 8);
    if (!row)
        die("no memory");
    for (uint64_t i = 0; i < rows; i++) {
        if (i < 64)
            fill(t, row);
        put(row, bytes);
    }
    put(zeros, (ALIGN - bytes_of(t) % ALIGN) % ALIGN);
    free(row);
}

static void put_table(void)
{
    for (size_t i = 0; i < n_tensors; i++) {
        const struct tensor *t = &tensors[i];
        put_text(t->name, strlen(t->name));
        put_u32(t->rows ? 2 : 1);
        put_u64(t->n_in);
        if (t->rows)
            put_u64(t->rows);
        put_u32(t->type);
        put_u64(t->at);
    }
}

static void write_all(
    const struct shape *s, const char *mix, const char *words)
{
    put("GGUF", 4);
    put_u32(3);
    put_u64(0); /* tensors and pairs: known at the end */
    put_u64(0);
    add_all(s, mix);
    head(s);
    if (words)
        copy_words(words);
    else
        made_up_words();
    put_table();
    while (ftell(out) % ALIGN)
        put("", 1);
    for (size_t i = 0; i < n_tensors; i++)
        put_tensor(&tensors[i]);
    if (fseek(out, 8, SEEK_SET))
        die("cannot write");
    put_u64(n_tensors);
    put_u64(n_pairs);
}

int main(int argc, char **argv)
{
    const struct shape *s = NULL;
    for (size_t i = 0; argc > 3 && i < 2; i++)
        if (strcmp(argv[1], shapes[i].name) == 0)
            s = &shapes[i];
    if (!s)
        die("usage: make_model 1b|3b Q4_K_M|Q4_0|Q8_0 OUT [VOCABULARY]");
    out = fopen(argv[3], "wb");
    if (!out)
        die("cannot open the file to write");
    write_all(s, argv[2], argc > 4 ? argv[4] : NULL);
    if (fclose(out))
        die("cannot write");
    return 0;
}
