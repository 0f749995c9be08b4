/* Text to tokens and back, from a model file's own vocabulary.
 *
 * Two kinds: byte-level BPE (Llama 3, Qwen, GPT-2, SmolLM) and SentencePiece
 * (Llama 2, Mistral, TinyLlama). Texts may hold any byte; what a tokenizer
 * made of a text, it makes back into the same bytes.
 *
 * Control tokens (<|eot_id|>, </s> ...) are made of text only where the
 * caller asks for it: what users and tools write can never become one.
 */
#ifndef ERRAND_ENGINE_TOKENIZER_H
#define ERRAND_ENGINE_TOKENIZER_H

#include "base/buf.h"
#include "engine/gguf.h"

struct er_tokenizer;

/* Read-only once made: one may serve all threads. It copies what it needs,
 * so the file may be closed.
 * Errors  SYNTAX, UNSUPPORTED, NOMEM. [any] */
int er_tokenizer_new(const struct er_gguf *g, struct er_tokenizer **out,
    struct errand_error *err);
void er_tokenizer_free(struct er_tokenizer *t); /* NULL is harmless */

enum er_tokenize_flag {
    ER_TOKENIZE_SPECIAL = 1,  /* control tokens in the text count */
    ER_TOKENIZE_LITERAL = 2,  /* not even tokens that the file calls user
                                 defined (<tool_call>) count */
    ER_TOKENIZE_CONTINUE = 4, /* the text goes on behind another: no space
                                 is put in front (SentencePiece) */
};

/* A growing list; zeroed is empty. */
struct er_tokens {
    int32_t *ids;
    size_t n, room;
};

void er_tokens_release(struct er_tokens *list);
/* False if out of memory. */
bool er_tokens_add(struct er_tokens *list, int32_t id);

/* Append the tokens of a text; no BOS is added. The list keeps what it had
 * on failure. [any]
 * Errors  NOMEM, TOO_LARGE (2 GiB), UNSUPPORTED (a byte has no token) */
int er_tokenizer_encode(const struct er_tokenizer *t, const char *text,
    size_t len, unsigned flags, struct er_tokens *out,
    struct errand_error *err);

int32_t er_tokenizer_count(const struct er_tokenizer *t);
/* -1: the file names none. */
int32_t er_tokenizer_bos(const struct er_tokenizer *t);
int32_t er_tokenizer_eos(const struct er_tokenizer *t);
/* Does a prompt begin with BOS, end with EOS, where no template says? */
bool er_tokenizer_adds_bos(const struct er_tokenizer *t);
bool er_tokenizer_adds_eos(const struct er_tokenizer *t);

/* What the token is; false for ids outside of the vocabulary. */
bool er_tokenizer_is_control(const struct er_tokenizer *t, int32_t id);
/* One that ends an answer: EOS, end of turn, end of message ... */
bool er_tokenizer_is_end(const struct er_tokenizer *t, int32_t id);
/* The control token of this name, or -1. */
int32_t er_tokenizer_control(const struct er_tokenizer *t, const char *name);

/* The bytes of a token; a control token's are its name. Empty for ids
 * outside of the vocabulary. Borrowed from the tokenizer. [any] */
struct er_gguf_str er_tokenizer_piece(
    const struct er_tokenizer *t, int32_t id);

/* Append the bytes of tokens; the space that encode put in front is taken
 * away. special: control tokens give their names, else nothing. */
bool er_tokenizer_decode(const struct er_tokenizer *t, const int32_t *ids,
    size_t n, bool special, struct er_buf *out);

/* Text token by token: what is given out ends on a character's border and
 * is valid UTF-8 (U+FFFD for what cannot be). Zeroed is the beginning. */
struct er_detok {
    char held[4]; /* begin of a character */
    uint32_t n;
};

/* Append what token id adds to out; control tokens add nothing. */
bool er_detok_add(struct er_detok *d, const struct er_tokenizer *t,
    int32_t id, struct er_buf *out);
/* What is still held is no character: U+FFFD. */
bool er_detok_end(struct er_detok *d, struct er_buf *out);

/* SHA-256 of all that decides how text becomes tokens, as 64 hex digits.
 * Borrowed from the tokenizer. */
const char *er_tokenizer_id(const struct er_tokenizer *t);

#endif
