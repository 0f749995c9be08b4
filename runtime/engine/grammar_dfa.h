/* Finite automata over bytes: what a string, a number or a key may be.
 *
 * A pattern becomes a nondeterministic automaton over the bytes of UTF-8 and
 * that a deterministic one, bounded in states; two of them can be met or
 * subtracted, which is how length, pattern, format, enum and "not" of one
 * schema become one automaton. Each state knows whether an end can still be
 * reached, and over how many characters, so that length bounds never lead
 * into a dead end.
 */
#ifndef ERRAND_ENGINE_GRAMMAR_DFA_H
#define ERRAND_ENGINE_GRAMMAR_DFA_H

#include "base/arena.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ER_DFA_DEAD = UINT16_MAX,   /* no such state */
    ER_DFA_MAX_STATES = 6000,   /* of one automaton */
    ER_DFA_MAX_NODES = 40000,   /* of one nondeterministic one */
    ER_DFA_ENDLESS = INT32_MAX, /* no longest text */
};

struct er_dfa_edge {
    uint8_t lo, hi;
    uint16_t to;
};

struct er_dfa_state {
    struct er_dfa_edge *edge; /* in order, apart */
    uint16_t n;
    bool accept;
    bool all;        /* whatever follows is accepted */
    int32_t shortest; /* characters to the nearest end; -1: none */
    int32_t longest;  /* to the farthest; ER_DFA_ENDLESS */
};

struct er_dfa {
    struct er_dfa_state *state; /* 0 is the start */
    size_t n;
};

/* Where automata are made. A bound that is hit sets refused, no memory sets
 * nomem; both give NULL. */
struct er_dfa_maker {
    struct er_arena *keep; /* of what is made */
    bool nomem, refused;
};

/* All texts that ECMAScript's pattern finds something in (search: true), or
 * that match it as a whole. NULL and refused if it needs more than a finite
 * automaton (groups looked back at, look-around but at the very front). */
const struct er_dfa *er_dfa_pattern(struct er_dfa_maker *m,
    const char *pattern, size_t len, bool search);

/* Exactly these texts. */
struct er_dfa_text {
    const char *s;
    size_t n;
};
const struct er_dfa *er_dfa_texts(
    struct er_dfa_maker *m, const struct er_dfa_text *texts, size_t n);

/* Texts of a that are in b too; or that are not. */
const struct er_dfa *er_dfa_meet(struct er_dfa_maker *m,
    const struct er_dfa *a, const struct er_dfa *b);
const struct er_dfa *er_dfa_without(struct er_dfa_maker *m,
    const struct er_dfa *a, const struct er_dfa *b);

/* Every text of valid UTF-8. */
const struct er_dfa *er_dfa_any(struct er_dfa_maker *m);

/* Digits whose value is a multiple of step / 10^scale. */
const struct er_dfa *er_dfa_multiple(
    struct er_dfa_maker *m, uint32_t step, unsigned scale);

/* The next state, or ER_DFA_DEAD. States no end is reached from are left out
 * when an automaton is made. */
static inline uint16_t er_dfa_step(
    const struct er_dfa *d, uint16_t state, uint8_t byte)
{
    const struct er_dfa_state *s = &d->state[state];
    for (uint16_t i = 0; i < s->n; i++)
        if (byte <= s->edge[i].hi)
            return byte >= s->edge[i].lo ? s->edge[i].to : ER_DFA_DEAD;
    return ER_DFA_DEAD;
}

uint16_t er_dfa_run(
    const struct er_dfa *d, uint16_t state, const char *s, size_t n);
bool er_dfa_accepts(const struct er_dfa *d, const char *s, size_t n);
bool er_dfa_empty(const struct er_dfa *d);

/* UTF-8 of code points lo..hi as sequences of byte ranges. */
struct er_utf8_range {
    uint8_t lo[4], hi[4];
    size_t n;
};
enum { ER_UTF8_RANGES = 24 };
size_t er_utf8_ranges(
    uint32_t lo, uint32_t hi, struct er_utf8_range out[ER_UTF8_RANGES]);
size_t er_utf8_put(uint32_t c, char out[4]);

/* The nondeterministic kind, for grammar_regex.c. */
enum er_nfa_kind {
    ER_NFA_BYTES = 0, /* lo..hi, to a */
    ER_NFA_SPLIT = 1, /* to a and b, without a byte */
    ER_NFA_BEGIN = 2, /* to a, at the text's beginning only */
    ER_NFA_END = 3,   /* to a, at the text's end only */
    ER_NFA_ACCEPT = 4,
    ER_NFA_ACCEPT_ALL = 5,
};

struct er_nfa_node {
    uint8_t kind, lo, hi;
    uint32_t a, b;
};

struct er_nfa {
    struct er_nfa_node *node;
    size_t n, cap;
    uint32_t all; /* where ACCEPT_ALL's own loop begins */
    bool refused, nomem;
};

uint32_t er_nfa_add(struct er_nfa *nfa, enum er_nfa_kind kind, uint8_t lo,
    uint8_t hi, uint32_t a, uint32_t b);
const struct er_dfa *er_dfa_make(
    struct er_dfa_maker *m, const struct er_nfa *nfa, uint32_t start);

/* Automata put together by hand: states and edges are added, then finished:
 * what leads nowhere goes, lengths are measured. */
struct er_dfa_build {
    struct er_dfa_maker *m;
    struct er_dfa_state *state;
    size_t n, cap;
};
uint16_t er_dfa_add_state(struct er_dfa_build *b, bool accept);
/* Edges of one state come in ascending order. */
bool er_dfa_add_edge(struct er_dfa_build *b, uint16_t from, uint8_t lo,
    uint8_t hi, uint16_t to);
const struct er_dfa *er_dfa_finish(struct er_dfa_build *b);

#endif
