/* A short story that is told to a SQLite store op by op, always with the same
 * ids, and the text of what the database holds after each op: so a test can
 * say exactly how far the story got in a database it finds. */
#ifndef ERRAND_TESTS_SUPPORT_STORE_STORY_H
#define ERRAND_TESTS_SUPPORT_STORE_STORY_H

#include "support/store_kit.h"

enum { STORY_RUNS = 3, STORY_OPS_PER_RUN = 7,
    STORY_OPS = STORY_RUNS * STORY_OPS_PER_RUN };

/* The op number k (from 0), ready to be submitted. */
struct er_op *story_op(int k);

/* Is op number k one that asks for no flush? */
bool story_is_committed_only(int k);

/* What the file holds, without times; the caller frees. Also checks it:
 * NULL if it cannot be read or SQLite finds it damaged. */
char *story_dump(const char *path);

/* After how many ops (first to STORY_OPS) the dump is what it is; -1: it is
 * none of them. Dumps of a faultless telling, made by story_tell. */
struct story_pages {
    char *text[STORY_OPS + 1];
};
bool story_tell(struct story_pages *pages);
int story_find(const struct story_pages *pages, const char *dump);
void story_free(struct story_pages *pages);

#endif
