/* What is made once per model: read from its file, kept as long. */
#include "model/local_voice.h"

#include <stdlib.h>
#include <string.h>

/* Control tokens of some files, text or user-defined ones of others. */
static const char *const spoken[] = {"<|python_tag|>", "<tool_call>",
    "</tool_call>", "[TOOL_CALLS]", "[ARGS]", "[CALL_ID]", "<think>",
    "</think>", "[THINK]", "[/THINK]"};

_Static_assert(sizeof spoken / sizeof spoken[0] <= ER_SPOKEN, "spoken");

static void find_spoken(struct er_voice *v)
{
    for (int32_t i = 0; i < (int32_t)v->n_vocab && v->n_ends < ER_ENDS; i++)
        if (er_tokenizer_is_end(v->tokenizer, i))
            v->ends[v->n_ends++] = i;
    for (size_t i = 0; i < sizeof spoken / sizeof spoken[0]; i++) {
        int32_t id = er_tokenizer_control(v->tokenizer, spoken[i]);
        if (id < 0)
            continue;
        v->spoken[v->n_spoken].name = spoken[i];
        v->spoken[v->n_spoken++].id = id;
    }
}

int er_voice_init(struct er_voice *v, const char *path,
    const struct er_local_options *opt, struct errand_error *err)
{
    *v = (struct er_voice){0};
    int rc = er_local_open(path, opt, &v->model, err);
    if (rc != ERRAND_OK)
        return rc;
    v->tokenizer = er_local_tokenizer(v->model);
    v->n_vocab = (uint32_t)er_tokenizer_count(v->tokenizer);
    rc = er_chat_format_read(er_local_file(v->model), &v->format, err);
    if (rc != ERRAND_OK) {
        er_voice_release(v);
        return er_while(err, "%.100s", path);
    }
    v->family = er_chat_format_family(v->format);
    find_spoken(v);
    return ERRAND_OK;
}

void er_voice_release(struct er_voice *v)
{
    er_gvocab_free(v->vocab);
    er_chat_format_free(v->format);
    er_local_close(v->model);
    *v = (struct er_voice){0};
}

const er_gvocab *er_voice_vocab(struct er_voice *v)
{
    if (v->vocab)
        return v->vocab;
    const char **pieces = calloc(v->n_vocab + 1, sizeof *pieces);
    size_t *lens = calloc(v->n_vocab + 1, sizeof *lens);
    for (uint32_t i = 0; pieces && lens && i < v->n_vocab; i++) {
        struct er_gguf_str s = er_tokenizer_piece(v->tokenizer, (int32_t)i);
        pieces[i] = s.s;
        lens[i] = er_tokenizer_is_control(v->tokenizer, (int32_t)i)
                      ? 0 : s.len;
    }
    if (pieces && lens)
        v->vocab = er_gvocab_new(pieces, lens, v->n_vocab);
    free(pieces);
    free(lens);
    return v->vocab;
}

struct er_gguf_str er_voice_says(
    const struct er_voice *v, int32_t id, bool *control)
{
    *control = er_tokenizer_is_control(v->tokenizer, id);
    if (!*control)
        return er_tokenizer_piece(v->tokenizer, id);
    for (size_t i = 0; i < v->n_spoken; i++)
        if (v->spoken[i].id == id)
            return (struct er_gguf_str){
                v->spoken[i].name, strlen(v->spoken[i].name)};
    return (struct er_gguf_str){"", 0};
}

/* The first spoken control token in s; *at is where, n if there is none. */
static int32_t next_spoken(
    const struct er_voice *v, const char *s, size_t n, size_t *at)
{
    for (*at = 0; *at < n; ++*at)
        for (size_t i = 0; i < v->n_spoken; i++) {
            size_t len = strlen(v->spoken[i].name);
            if (len <= n - *at &&
                memcmp(s + *at, v->spoken[i].name, len) == 0)
                return v->spoken[i].id;
        }
    return -1;
}

int er_voice_tokens(const struct er_voice *v, const char *s, size_t n,
    struct er_tokens *out, struct errand_error *err)
{
    int rc = ERRAND_OK;
    while (n > 0 && rc == ERRAND_OK) {
        size_t at;
        bool control;
        int32_t id = next_spoken(v, s, n, &at);
        if (at > 0)
            rc = er_tokenizer_encode(
                v->tokenizer, s, at, ER_TOKENIZE_CONTINUE, out, err);
        if (rc == ERRAND_OK && id >= 0 && !er_tokens_add(out, id))
            rc = er_nomem(err);
        at += id >= 0 ? er_voice_says(v, id, &control).len : 0;
        s += at;
        n -= at;
    }
    return rc;
}
