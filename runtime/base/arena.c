/* Blocks of doubling size, a pointer bumped through the newest. */
#include "arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_BLOCK = 1024, LARGEST_STEP = 65536 };

struct er_arena_block {
    struct er_arena_block *older;
    size_t used, size;
    alignas(max_align_t) unsigned char bytes[];
};

void er_arena_init(struct er_arena *a) { a->last = NULL; }

void er_arena_release(struct er_arena *a)
{
    while (a->last) {
        struct er_arena_block *older = a->last->older;
        free(a->last);
        a->last = older;
    }
}

/* The newest is the largest, but for one that was made for a large piece. */
void er_arena_reset(struct er_arena *a)
{
    struct er_arena_block *kept = a->last;
    if (!kept)
        return;
    a->last = kept->older;
    er_arena_release(a);
    kept->older = NULL;
    kept->used = 0;
    a->last = kept;
}

static struct er_arena_block *grow(struct er_arena *a, size_t need)
{
    size_t size = a->last ? a->last->size : FIRST_BLOCK / 2;
    if (size < LARGEST_STEP)
        size *= 2;
    if (size < need)
        size = need;
    if (size > SIZE_MAX - sizeof(struct er_arena_block))
        return NULL;
    struct er_arena_block *b = malloc(sizeof *b + size);
    if (!b)
        return NULL;
    b->older = a->last;
    b->used = 0;
    b->size = size;
    a->last = b;
    return b;
}

void *er_arena_alloc(struct er_arena *a, size_t size)
{
    size_t align = alignof(max_align_t);
    if (size > SIZE_MAX - align)
        return NULL;
    size = (size + align - 1) / align * align;
    struct er_arena_block *b = a->last;
    if (!b || size > b->size - b->used)
        b = grow(a, size);
    if (!b)
        return NULL;
    void *p = b->bytes + b->used;
    b->used += size;
    return memset(p, 0, size);
}

char *er_arena_strn(struct er_arena *a, const char *s, size_t len)
{
    if (!s || len == SIZE_MAX)
        return NULL;
    char *copy = er_arena_alloc(a, len + 1);
    if (copy && len)
        memcpy(copy, s, len);
    return copy;
}

char *er_arena_str(struct er_arena *a, const char *s)
{
    return s ? er_arena_strn(a, s, strlen(s)) : NULL;
}
