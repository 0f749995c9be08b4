/* Two tables with open addressing: bytes to token, pair to merge. */
#include "engine/tokenizer_parts.h"

#include <stdlib.h>
#include <string.h>

static uint64_t mix(uint64_t x)
{
    x ^= x >> 32;
    x *= 0x9E3779B97F4A7C15u;
    x ^= x >> 29;
    return x * 0xBF58476D1CE4E5B9u;
}

static uint32_t hash(const char *s, size_t len)
{
    uint64_t h = len * 0x9E3779B97F4A7C15u, part;
    for (; len >= 8; s += 8, len -= 8) {
        memcpy(&part, s, 8);
        h = mix(h ^ part);
    }
    if (len > 0) {
        part = 0;
        memcpy(&part, s, len);
        h = mix(h ^ part);
    }
    return (uint32_t)(h >> 32);
}

int32_t er_word_find(const struct er_tokenizer *t, const char *s, size_t len)
{
    for (uint32_t at = hash(s, len) & t->words_mask;;
         at = (at + 1) & t->words_mask) {
        int32_t id = t->words[at];
        if (id < 0)
            return -1;
        if (er_piece_len(t, id) == len &&
            memcmp(er_piece(t, id), s, len) == 0)
            return id;
    }
}

/* Twice as many slots as entries, at least: a search always ends. */
static uint32_t slots(uint64_t n)
{
    uint32_t size = 16;
    while (size < n * 2)
        size *= 2;
    return size;
}

/* Of tokens with the same bytes the last one counts. */
static void add_word(struct er_tokenizer *t, int32_t id)
{
    size_t len = er_piece_len(t, id);
    uint32_t at = hash(er_piece(t, id), len) & t->words_mask;
    for (; t->words[at] >= 0; at = (at + 1) & t->words_mask) {
        int32_t old = t->words[at];
        if (er_piece_len(t, old) == len &&
            memcmp(er_piece(t, old), er_piece(t, id), len) == 0)
            break;
    }
    t->words[at] = id;
}

bool er_words_build(struct er_tokenizer *t)
{
    uint32_t size = slots((uint64_t)t->n);
    t->words = malloc(size * sizeof *t->words);
    if (!t->words)
        return false;
    memset(t->words, 0xFF, size * sizeof *t->words);
    t->words_mask = size - 1;
    for (int32_t id = 0; id < t->n; id++)
        if ((t->kinds[id] == ER_TOKEN_NORMAL ||
                t->kinds[id] == ER_TOKEN_USER) && er_piece_len(t, id) > 0)
            add_word(t, id);
    return true;
}

static uint64_t pair_key(int32_t left, int32_t right)
{
    return (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
}

const struct er_pair *er_pair_find(
    const struct er_tokenizer *t, int32_t left, int32_t right)
{
    uint64_t key = pair_key(left, right);
    uint32_t at = (uint32_t)(mix(key) >> 32) & t->pairs_mask;
    for (; t->pairs[at].key != UINT64_MAX; at = (at + 1) & t->pairs_mask)
        if (t->pairs[at].key == key)
            return &t->pairs[at];
    return NULL;
}

bool er_pairs_make(struct er_tokenizer *t, uint64_t n)
{
    uint32_t size = slots(n);
    t->pairs = malloc(size * sizeof *t->pairs);
    if (!t->pairs)
        return false;
    for (uint32_t i = 0; i < size; i++)
        t->pairs[i].key = UINT64_MAX;
    t->pairs_mask = size - 1;
    return true;
}

/* Of a pair that stands twice the first one counts. */
void er_pairs_add(struct er_tokenizer *t, int32_t left, int32_t right,
    uint32_t rank, int32_t id)
{
    uint64_t key = pair_key(left, right);
    uint32_t at = (uint32_t)(mix(key) >> 32) & t->pairs_mask;
    for (; t->pairs[at].key != UINT64_MAX; at = (at + 1) & t->pairs_mask)
        if (t->pairs[at].key == key)
            return;
    t->pairs[at] = (struct er_pair){key, rank, id};
}
