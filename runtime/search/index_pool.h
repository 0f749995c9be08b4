/* The threads that prepare documents: they are handed out in the order of
 * the files, whichever thread was done first, so that the same folder gives
 * the same numbers every time. */
#ifndef ERRAND_SEARCH_INDEX_POOL_H
#define ERRAND_SEARCH_INDEX_POOL_H

#include "search/prepare.h"

struct er_index_task {
    const struct er_file *file;
    const unsigned char *known_hash; /* or NULL */
};

struct er_index_pool;

/* Begin; tasks are borrowed until the pool is freed. Errors NOMEM, IO,
 * UNSUPPORTED. */
struct er_index_pool *er_index_pool_new(const struct er_index_task *tasks,
    size_t n, int threads, struct errand_error *err);

/* The next document, in order, into *out (the caller releases it). 1; 0: it
 * is not ready after wait_ms; -1: there is none any more. */
int er_index_pool_next(
    struct er_index_pool *pool, int wait_ms, struct er_prepared *out);

/* End the threads, whatever they are at. NULL is harmless. */
void er_index_pool_free(struct er_index_pool *pool);

#endif
