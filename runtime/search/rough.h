/* The first, rough order of what the index finds.
 *
 * FTS5's own ranking looks up the length of each row and counts each word's
 * rows again for every search; most of a search's time goes there. Candidates
 * are ranked again from their texts anyhow, so here a row's weight is the sum
 * of its words' (their rarity times how often they stand there, saturated),
 * and the best are kept in a heap while the rows go by.
 */
#ifndef ERRAND_SEARCH_ROUGH_H
#define ERRAND_SEARCH_ROUGH_H

#include "base/error.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ER_ROUGH_WORDS = 64, ER_ROUGH_BEST = 1000 };

struct er_rough {
    /* in: what the phrases of the query weigh, in their order; others count
     * nothing */
    size_t n;
    double weight[ER_ROUGH_WORDS];
    size_t most; /* to keep, ER_ROUGH_BEST at most */
    /* documents that may be found, a bit for each number; NULL: all */
    unsigned char *allowed;
    int64_t n_allowed; /* numbers below this have a bit */
    /* out: the best, in the order of a heap */
    size_t kept;
    struct {
        double score;
        int64_t id;
    } best[ER_ROUGH_BEST];
};

/* Make er_rough(word_index) known to a connection; it fills in rough, which
 * must live as long. Errors STORE. */
int er_rough_register(
    sqlite3 *db, struct er_rough *rough, struct errand_error *err);

/* True if a chunk's document may be found. */
bool er_rough_allows(const struct er_rough *rough, int64_t id);

#endif
