/* Small blocks in a region, large ones from malloc. */
#include "heap.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    SMALL = ER_HEAP_UNIT * ER_HEAP_CLASSES,
    TOUCHED = 256 * 1024, /* pages above go back to the system */
};

bool er_heap_open(struct er_heap *heap, size_t limit)
{
    *heap = (struct er_heap){.limit = limit, .room = limit + limit / 4};
    void *p = mmap(NULL, heap->room, PROT_READ | PROT_WRITE,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED)
        return false;
    heap->region = p;
    return true;
}

static void free_large(struct er_heap *heap)
{
    while (heap->large) {
        struct er_heap_large *large = heap->large;
        heap->large = large->next;
        free(large);
    }
}

void er_heap_close(struct er_heap *heap)
{
    free_large(heap);
    free(heap->image);
    if (heap->region)
        munmap(heap->region, heap->room);
    *heap = (struct er_heap){0};
}

static size_t class_of(size_t size)
{
    return (size + ER_HEAP_UNIT - 1) / ER_HEAP_UNIT;
}

static bool is_inside(const struct er_heap *heap, const void *ptr)
{
    uintptr_t at = (uintptr_t)ptr, from = (uintptr_t)heap->region;
    return at >= from && at < from + heap->room;
}

/* The next bytes of the region. */
static void *take(struct er_heap *heap, size_t units)
{
    size_t size = units * ER_HEAP_UNIT;
    if (size > heap->room - heap->now.top)
        return NULL;
    void *p = heap->region + heap->now.top;
    heap->now.top += size;
    return p;
}

static void *new_large(struct er_heap *heap, size_t size)
{
    struct er_heap_large *large = malloc(sizeof *large + size);
    if (!large)
        return NULL;
    large->prev = NULL;
    large->next = heap->large;
    if (heap->large)
        heap->large->prev = large;
    heap->large = large;
    return large + 1;
}

static void *new_block(struct er_heap *heap, size_t size)
{
    size_t units = class_of(size);
    if (size > SMALL) /* before the image is kept all must lie in it */
        return heap->image ? new_large(heap, size) : take(heap, units);
    struct er_heap_block *block = heap->now.free[units];
    if (!block)
        return take(heap, units);
    heap->now.free[units] = block->next;
    return block;
}

static void free_block(struct er_heap *heap, void *ptr, size_t size)
{
    if (!is_inside(heap, ptr)) {
        struct er_heap_large *large = (struct er_heap_large *)ptr - 1;
        if (large->prev)
            large->prev->next = large->next;
        else
            heap->large = large->next;
        if (large->next)
            large->next->prev = large->prev;
        free(large);
    } else if (size > 0 && size <= SMALL) {
        struct er_heap_block *block = ptr;
        block->next = heap->now.free[class_of(size)];
        heap->now.free[class_of(size)] = block;
    } /* a large one of the image: it comes back when we go back */
}

static void *resize_large(struct er_heap *heap, void *ptr, size_t size)
{
    struct er_heap_large *large = (struct er_heap_large *)ptr - 1;
    large = realloc(large, sizeof *large + size);
    if (!large)
        return NULL;
    if (large->prev)
        large->prev->next = large;
    else
        heap->large = large;
    if (large->next)
        large->next->prev = large;
    return large + 1;
}

static void *resize(
    struct er_heap *heap, void *ptr, size_t osize, size_t nsize)
{
    bool inside = is_inside(heap, ptr);
    if (inside && osize <= SMALL && class_of(osize) == class_of(nsize))
        return ptr;
    if (!inside && nsize > SMALL)
        return resize_large(heap, ptr, nsize);
    void *p = new_block(heap, nsize);
    if (!p)
        return NULL;
    memcpy(p, ptr, osize < nsize ? osize : nsize);
    free_block(heap, ptr, osize);
    return p;
}

void *er_heap_alloc(void *ud, void *ptr, size_t osize, size_t nsize)
{
    struct er_heap *heap = ud;
    void *p = NULL;
    if (!ptr)
        osize = 0; /* Lua says there what it is for */
    if (nsize > osize && nsize - osize > heap->limit - heap->now.used)
        return NULL;
    if (nsize == 0) {
        if (ptr)
            free_block(heap, ptr, osize);
    } else {
        p = ptr ? resize(heap, ptr, osize, nsize) : new_block(heap, nsize);
        if (!p && nsize <= osize)
            p = ptr; /* Lua relies on shrinking never to fail */
        if (!p)
            return NULL;
    }
    heap->now.used = heap->now.used - osize + nsize;
    return p;
}

bool er_heap_keep(struct er_heap *heap)
{
    heap->image = malloc(heap->now.top ? heap->now.top : 1);
    if (!heap->image)
        return false;
    memcpy(heap->image, heap->region, heap->now.top);
    heap->kept = heap->now;
    return true;
}

void er_heap_back(struct er_heap *heap)
{
    free_large(heap);
    if (heap->now.top > TOUCHED && heap->now.top > heap->kept.top)
        madvise(heap->region, heap->now.top, MADV_DONTNEED);
    memcpy(heap->region, heap->image, heap->kept.top);
    heap->now = heap->kept;
}
