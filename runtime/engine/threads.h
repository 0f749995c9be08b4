/* Compute threads: one loop's iterations shared among a few threads.
 *
 * The caller works too. Between two loops the others spin for a moment,
 * since the next layer comes within microseconds, and then sleep. Which
 * thread does which piece is left to chance: pieces must not depend on it.
 */
#ifndef ERRAND_ENGINE_THREADS_H
#define ERRAND_ENGINE_THREADS_H

#include "base/error.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct er_threads;

/* Piece number piece, done by thread number thread (0: the caller). */
typedef void er_piece_fn(void *ctx, size_t piece, unsigned thread);

/* n: threads, the caller among them; at least 1, at most 256. [any] */
int er_threads_new(
    unsigned n, struct er_threads **out, struct errand_error *err);
void er_threads_free(struct er_threads *t); /* NULL is harmless */
unsigned er_threads_count(const struct er_threads *t);

/* Cores that are online, at most 256. [any] */
unsigned er_threads_cores(void);

/* Do pieces 0 to n - 1, return when all are done. Where *cancel (may be
 * NULL) becomes true the rest is left out and false comes back. [owner] */
bool er_threads_run(struct er_threads *t, size_t n, er_piece_fn *fn,
    void *ctx, const atomic_bool *cancel);

#endif
