/* What somebody typed into a search, as words to look for.
 *
 *   word          should occur (any of several will do, more are better)
 *   "some words"  must occur, in this order
 *   -word         must not occur
 * Nothing is a syntax error: a quote without its other one ends at the end, a
 * minus alone is nothing.
 */
#ifndef ERRAND_SEARCH_QUERY_H
#define ERRAND_SEARCH_QUERY_H

#include "base/arena.h"
#include "search/token.h"

enum {
    ER_QUERY_BYTES = 16384, /* of a query; the rest is not read */
    ER_QUERY_TERMS = 64,
    ER_QUERY_PHRASES = 8,
    ER_PHRASE_WORDS = 32,
    ER_QUERY_NAMES = 8,
};

struct er_term {
    er_word word;
    int count;    /* how often it stands in the query */
    bool must_not;
    double df;    /* chunks that have it; filled in by the search */
};

struct er_phrase {
    size_t n;
    er_word words[ER_PHRASE_WORDS];
};

struct er_name { /* a word to look for letter by letter */
    const char *text; /* lower case */
    size_t len;
    bool odd; /* it looks like a name, as it was typed */
};

struct er_query {
    size_t n_terms;
    struct er_term terms[ER_QUERY_TERMS];
    size_t n_pairs; /* words that stand side by side in the query */
    struct {
        er_word first, second;
    } pairs[ER_QUERY_TERMS];
    size_t n_phrases;
    struct er_phrase phrases[ER_QUERY_PHRASES];
    size_t n_names;
    struct er_name names[ER_QUERY_NAMES];
    struct er_arena arena;
};

/* Read a query, which is valid UTF-8. Small words are left out if there are
 * others. False: no memory. Release in any case. */
bool er_query_read(struct er_query *q, struct er_words *w, const char *text);
void er_query_release(struct er_query *q);

#endif
