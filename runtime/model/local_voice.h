/* A loaded model and all that is needed to speak with it, made once and
 * shared by its answers: template, families, vocabulary for grammars, and
 * the control tokens that are part of what it says. */
#ifndef ERRAND_MODEL_LOCAL_VOICE_H
#define ERRAND_MODEL_LOCAL_VOICE_H

#include "engine/chat_format.h"
#include "engine/engine.h"
#include "engine/grammar.h"

enum { ER_SPOKEN = 12, ER_ENDS = 32 };

struct er_voice {
    er_local *model;
    const struct er_tokenizer *tokenizer;
    er_chat_format *format;
    enum er_chat_family family;
    er_gvocab *vocab; /* NULL until er_voice_vocab */
    uint32_t n_vocab;
    struct {
        const char *name; /* "<tool_call>" */
        int32_t id;
    } spoken[ER_SPOKEN];  /* control tokens with a meaning in an answer */
    size_t n_spoken;
    int32_t ends[ER_ENDS]; /* tokens that end an answer */
    size_t n_ends;
};

/* Load. Errors as er_local_open and er_chat_format_read. The engine's
 * thread, as all here. */
int er_voice_init(struct er_voice *v, const char *path,
    const struct er_local_options *opt, struct errand_error *err);
void er_voice_release(struct er_voice *v); /* zeroed is harmless */

/* The vocabulary for grammars, made when it is first needed; NULL: no
 * memory. */
const er_gvocab *er_voice_vocab(struct er_voice *v);

/* What a token says: its bytes, a control token's name where that has a
 * meaning, else nothing. *control says which of both. */
struct er_gguf_str er_voice_says(
    const struct er_voice *v, int32_t id, bool *control);

/* Tokens of bytes that stand in the middle of an answer, as the model would
 * have written them. Appends. */
int er_voice_tokens(const struct er_voice *v, const char *s, size_t n,
    struct er_tokens *out, struct errand_error *err);

#endif
