/* Ranking a few hundred candidates by all that is known of them.
 *
 * The index finds candidates by BM25 and gives them in a rough order. Their
 * texts are read again here, and three things decide:
 *   words     BM25 (k1 1.2, b 0.75) over head and text: a word in a heading
 *             counts once more than in the text
 *   pairs     words that stand side by side in the query and in the text
 *   feedback  the best five are taken for right, and the words that they have
 *             and other candidates lack are looked for too, at half the
 *             weight (RM3, Lavrenko and Croft 2001; with frequencies among
 *             the candidates, which need no lookup)
 * All settings are the same for every query and every collection.
 */
#ifndef ERRAND_SEARCH_RANK_H
#define ERRAND_SEARCH_RANK_H

#include "search/query.h"

#include <stddef.h>
#include <stdint.h>

struct er_candidate {
    int64_t id;
    const char *path, *collection, *title, *kind, *heading, *text;
    size_t len; /* of text */
    int64_t line, start, end;
    bool converted;
    bool by_words, by_names; /* who found it */
    double score;            /* in: of names; out: of words */
    double fused;            /* of all rankings together */
    /* the ranker's own */
    size_t from, n_head, n_text; /* in its array of words */
    double words, pairs;
};

struct er_collection {
    double chunks;  /* how many there are */
    double average; /* words of one */
};

/* Score the candidates, and sort them best first. Terms need their df. False:
 * no memory. */
bool er_rank_words(struct er_candidate *c, size_t n,
    const struct er_query *q, const struct er_collection *all,
    struct er_words *w);

#endif
