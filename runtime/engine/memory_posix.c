/* POSIX alone tells nothing about free memory, and knows no large pages. */
#ifndef __linux__

#include "engine/memory.h"

#include <stdlib.h>
#include <string.h>

uint64_t er_memory_available(void)
{
    return UINT64_MAX;
}

void *er_memory_take(size_t bytes)
{
    void *p = NULL;
    if (posix_memalign(&p, 64, bytes))
        return NULL;
    return memset(p, 0, bytes);
}

void er_memory_give(void *p, size_t bytes)
{
    (void)bytes;
    free(p);
}

void er_memory_let_go(const void *p, size_t bytes)
{
    (void)p;
    (void)bytes;
}

#else
typedef int er_memory_posix_unused; /* C forbids an empty file */
#endif
