/* What the tokenizer files share. */
#ifndef ERRAND_ENGINE_TOKENIZER_PARTS_H
#define ERRAND_ENGINE_TOKENIZER_PARTS_H

#include "engine/tokenizer.h"

#include <stdatomic.h>

/* Kinds of tokens; numbers are those of the file. */
enum er_token_kind {
    ER_TOKEN_NORMAL = 1,
    ER_TOKEN_UNKNOWN = 2,
    ER_TOKEN_CONTROL = 3,
    ER_TOKEN_USER = 4,
    ER_TOKEN_UNUSED = 5,
    ER_TOKEN_BYTE = 6,
};

enum er_class { ER_OTHER = 0, ER_LETTER = 1, ER_NUMBER = 2, ER_SPACE = 3 };

enum er_pre { ER_PRE_GPT2, ER_PRE_LLAMA3, ER_PRE_QWEN2, ER_PRE_SMOLLM };

struct er_pair {
    uint64_t key;  /* left id << 32 | right id; UINT64_MAX: free */
    uint32_t rank; /* the lower, the earlier it is merged */
    int32_t id;    /* what it becomes */
};

struct er_special {
    int32_t id;
    uint32_t len;
    const char *s;
};

struct er_tokenizer {
    bool spm;
    bool add_bos, add_eos, space_prefix;
    bool whole_words; /* a word that is a token is never merged otherwise */
    enum er_pre pre;
    int32_t n;
    int32_t bos, eos, unknown;
    char *bytes;        /* the pieces, one behind the other */
    uint32_t *starts;   /* [n + 1] */
    uint8_t *kinds;     /* [n] er_token_kind */
    uint8_t *ends;      /* [n] 1: ends an answer */
    float *scores;      /* [n], spm */
    int32_t byte_ids[256]; /* -1: no token */

    int32_t *words;     /* open addressing: id or -1, by bytes */
    uint32_t words_mask;
    struct er_pair *pairs; /* open addressing, bpe */
    uint32_t pairs_mask;
    _Atomic uint8_t *whole; /* [n] bpe: do merges of the piece's bytes give
                               the token itself? 0 not yet known, 1, 2 no */

    struct er_special *specials; /* by first byte, longer first */
    uint32_t special_at[257];    /* first byte -> its run in specials */
    uint8_t *classes; /* [65536] er_class of the basic plane */
    char id[65];
};

extern const uint32_t er_class_changes[];
extern const size_t er_n_class_changes;

static inline size_t er_piece_len(const struct er_tokenizer *t, int32_t id)
{
    return t->starts[id + 1] - t->starts[id];
}

static inline const char *er_piece(const struct er_tokenizer *t, int32_t id)
{
    return t->bytes + t->starts[id];
}

/* --- tokenizer_map.c */

/* The token that text may become, or -1. */
int32_t er_word_find(const struct er_tokenizer *t, const char *s, size_t len);
/* NULL: the two are never merged. */
const struct er_pair *er_pair_find(
    const struct er_tokenizer *t, int32_t left, int32_t right);
/* Make the table of words from the pieces. False: no memory. */
bool er_words_build(struct er_tokenizer *t);
bool er_pairs_make(struct er_tokenizer *t, uint64_t n);
void er_pairs_add(struct er_tokenizer *t, int32_t left, int32_t right,
    uint32_t rank, int32_t id);

/* --- tokenizer_classes.c */

bool er_classes_build(struct er_tokenizer *t);

/* The character at s (len > 0): its class, and its bytes into *n. A byte
 * that begins no valid character is a character of its own, of no class. */
enum er_class er_class_at(
    const struct er_tokenizer *t, const char *s, size_t len, size_t *n);

/* --- tokenizer_split.c: length of the word at the beginning of s (len > 0),
 * by the tokenizer's own pattern. */
size_t er_split_next(const struct er_tokenizer *t, const char *s, size_t len);

/* --- one word, one text. UNSUPPORTED: a byte has no token. */
int er_bpe_word(const struct er_tokenizer *t, const char *s, size_t len,
    struct er_tokens *out);
int er_spm_text(const struct er_tokenizer *t, const char *s, size_t len,
    bool prefix, struct er_tokens *out);

/* --- tokenizer_pre.c: the pattern that a name stands for. */
int er_pre_find(struct er_tokenizer *t, struct er_gguf_str name,
    struct errand_error *err);

#endif
