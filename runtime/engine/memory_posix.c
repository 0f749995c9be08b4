/* POSIX alone tells nothing about free memory. */
#ifndef __linux__

#include "engine/memory.h"

uint64_t er_memory_available(void)
{
    return UINT64_MAX;
}

#else
typedef int er_memory_posix_unused; /* C forbids an empty file */
#endif
