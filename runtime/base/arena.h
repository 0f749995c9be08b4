/* An arena: many small copies that die together.
 *
 * For what lives as long as one transition or one turn: allocate, never
 * free a single piece, release the whole.
 */
#ifndef ERRAND_BASE_ARENA_H
#define ERRAND_BASE_ARENA_H

#include <stddef.h>

struct er_arena_block;

struct er_arena {
    struct er_arena_block *last; /* newest block; older ones hang on it */
};

void er_arena_init(struct er_arena *a);
void er_arena_release(struct er_arena *a);

/* Forget what is in it and keep its largest block. */
void er_arena_reset(struct er_arena *a);

/* Zeroed memory, aligned for any type; NULL if out of memory. Borrowed until
 * the arena is released. */
void *er_arena_alloc(struct er_arena *a, size_t size);

/* Copies with a NUL behind them; NULL for NULL. */
char *er_arena_str(struct er_arena *a, const char *s);
char *er_arena_strn(struct er_arena *a, const char *s, size_t len);

#endif
