/* A vocabulary as a trie: floor-private to grammar_vocab.c, grammar_mask.c
 * and grammar_inside.c.
 *
 * The trie lies flat, in depth-first order: a node says how far its own
 * subtree reaches, so leaving a branch is one addition, and the tokens below
 * a node lie side by side in `order`. Inside of a string almost every token
 * is allowed: those that are text, and the few that can leave it, are told
 * apart beforehand.
 */
#ifndef ERRAND_ENGINE_GRAMMAR_VOCAB_H
#define ERRAND_ENGINE_GRAMMAR_VOCAB_H

#include "engine/grammar.h"

struct er_gtrie_node {
    uint32_t reach; /* nodes of the subtree, this one included */
    uint32_t token; /* + 1; 0: none ends here */
    uint32_t first; /* in order: of the tokens of the subtree */
    uint8_t byte;
    uint8_t depth;  /* bytes down to here, at most ER_G_PIECE */
    uint8_t kinds;  /* er_gkind of the bytes below this node, or-ed */
    uint8_t below;  /* bytes of the longest token below, counted from here */
    bool plain;     /* its tokens, and those below, are plain text */
};

/* What bytes are: a state that takes every byte of some kinds as if nothing
 * had come needs no look at subtrees of them. */
enum er_gkind {
    ER_GK_LOWER = 1,  /* a-z */
    ER_GK_UPPER = 2,  /* A-Z */
    ER_GK_DIGIT = 4,
    ER_GK_SPACE = 8,  /* the space alone */
    ER_GK_DASH = 16,  /* - and _ */
    ER_GK_PUNCT = 32, /* other ASCII but quote, backslash, controls */
    ER_GK_WIDE = 64,  /* 0x80 and above */
    ER_GK_REST = 128, /* quote, backslash, controls */
};

enum { ER_G_PIECE = 250, ER_G_LENGTHS = 32 };

struct er_gtrie {
    struct er_gtrie_node *node;
    uint32_t *order; /* tokens, depth first */
    size_t n, cap, n_order;
};

struct er_gvocab {
    size_t n;
    struct er_gtrie all;
    struct er_gtrie leave; /* tokens with a quote or a backslash, and nothing
                              before it that a string cannot hold */
    uint64_t *plain; /* whole characters that a string holds as they are */
    uint64_t *text[ER_G_LENGTHS + 1]; /* the same, and those that end within
                        a character, of at most k + 1 characters; the last:
                        of any number */
    size_t words;
    uint32_t *same;  /* per token: another with the same bytes, + 1 */
};

enum er_gkind er_gvocab_kind(uint8_t byte);

static inline void er_gvocab_allow(
    const struct er_gvocab *v, uint64_t *bits, uint32_t token)
{
    for (; token; token = v->same[token - 1])
        bits[(token - 1) / 64] |= 1ull << (token - 1) % 64;
}

/* Allow every token of the subtree of node i. */
static inline void er_gvocab_allow_all(const struct er_gvocab *v,
    const struct er_gtrie *t, size_t i, uint64_t *bits)
{
    size_t end = i + t->node[i].reach;
    uint32_t to = end < t->n ? t->node[end].first : (uint32_t)t->n_order;
    for (uint32_t k = t->node[i].first; k < to; k++)
        er_gvocab_allow(v, bits, t->order[k]);
}

#endif
