/* The memory of Lua states: counted, limited, and put back in one step.
 *
 * A state is made once. What it then consists of, some 20 KiB, is kept as an
 * image; before each call the image is copied back, at the same addresses.
 * That is a fresh state, exactly as it was before any tool ran, for the price
 * of a memcpy: making one anew costs twenty times as much, and closing one
 * has to visit every object.
 *
 * Small blocks lie in a region of addresses and are kept in lists by size;
 * Lua gives the size of what it frees, so they need no header. Blocks over
 * 1 KiB come from malloc, and going back frees them.
 */
#ifndef ERRAND_WORKER_HEAP_H
#define ERRAND_WORKER_HEAP_H

#include <stdbool.h>
#include <stddef.h>

enum {
    ER_HEAP_UNIT = 16,   /* sizes of small blocks are multiples of it */
    ER_HEAP_CLASSES = 64 /* sizes there are: up to 1 KiB */
};

struct er_heap_block { /* a small block that is free */
    struct er_heap_block *next;
};

struct er_heap_large { /* before each block over 1 KiB */
    struct er_heap_large *next, *prev;
};

struct er_heap_mark { /* what going back restores, beside the bytes */
    size_t used;      /* bytes Lua holds */
    size_t top;       /* bytes of the region that were handed out */
    struct er_heap_block *free[ER_HEAP_CLASSES + 1];
};

struct er_heap {
    char *region;
    size_t room, limit;
    struct er_heap_mark now, kept;
    struct er_heap_large *large;
    char *image; /* the first kept.top bytes of the region; NULL: none yet */
};

/* limit: bytes that may be held at once. False: out of memory. */
bool er_heap_open(struct er_heap *heap, size_t limit);
void er_heap_close(struct er_heap *heap);

/* A lua_Alloc whose ud is the heap. */
void *er_heap_alloc(void *ud, void *ptr, size_t osize, size_t nsize);

/* Keep what is there as the image. False: out of memory. */
bool er_heap_keep(struct er_heap *heap);

/* Make everything as it was when the image was kept. */
void er_heap_back(struct er_heap *heap);

#endif
