/* Model files with random weights, of any shape and block format. */
#ifndef TESTS_MODEL_KIT_H
#define TESTS_MODEL_KIT_H

#include <stdbool.h>
#include <stdint.h>

struct model_kit {
    const char *arch;  /* "llama", "qwen2", "qwen3" */
    uint32_t type;     /* of all matrices: an er_quant_type */
    uint32_t n_layer, n_embd, n_ff, n_head, n_head_kv;
    uint32_t head_dim; /* 0: n_embd / n_head */
    uint32_t n_rot;    /* 0: head_dim */
    uint32_t n_vocab;  /* 256 or more */
    uint32_t context;
    bool tied;
    const char *scaling; /* NULL, "linear", "yarn" */
    float factor;
    uint32_t original; /* context before stretching; 0: none */
    bool factors;      /* rope_freqs.weight */
    const char *const *controls; /* names of control tokens from 256 on, the
                                    first ends answers; ended by NULL; or
                                    NULL: they have no names */
    const char *const *words;    /* behind those, tokens of several bytes as
                                    the file writes them, which no text is
                                    read as; ended by NULL; or NULL */
    const char *chat_template;   /* NULL: none */
};

/* Write the file; the same seed gives the same weights. */
void model_kit_write(
    const struct model_kit *m, uint32_t seed, const char *path);

/* A plain forward pass in double precision over the file's dequantized
 * weights: logits of every token, [n][n_vocab], caller frees. */
double *reference_logits(const char *path, const int32_t *ids, uint32_t n);

#endif
