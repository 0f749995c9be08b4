/* What the engine's own files share: the insides of model and session. */
#ifndef ERRAND_ENGINE_ENGINE_PARTS_H
#define ERRAND_ENGINE_ENGINE_PARTS_H

#include "engine/engine.h"
#include "engine/forward.h"

enum {
    ER_ENGINE_ABI = 2, /* raised when kept prefixes get another meaning */
    ER_ADAPTERS = 8,   /* that are on in one session */
    ER_CONTEXT_DEFAULT = 8192,
};

struct er_local {
    struct er_gguf *file;
    struct er_tokenizer *tokenizer;
    struct er_shape shape;
    struct er_weights weights;
    struct er_rope rope;
    struct er_kv_layout layout;
    const struct er_kernels *kernels;
    struct er_threads *threads;
    struct er_forward *forward;
    uint32_t context;
    bool exact;
    pthread_mutex_t lock; /* one pass at a time */
    bool has_lock;
    char weights_id[65];
};

struct er_adapter {
    struct er_lora *lora;
};

struct er_session {
    er_local *model;
    struct er_kv kv;
    struct er_tokens tokens;
    struct er_lora_use loras[ER_ADAPTERS];
    size_t n_loras;
    float *logits; /* [n_vocab] */
    bool has_logits;
};

/* A digest of the metadata, the table of tensors and samples of each. */
void er_local_weights_id(const struct er_gguf *g, char out[65]);

/* The smaller of what was asked for and what makes sense. */
uint32_t er_local_context(const struct er_shape *s, uint32_t wanted);

#endif
