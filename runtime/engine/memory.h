/* How much memory this machine can still give; platform code by file. */
#ifndef ERRAND_ENGINE_MEMORY_H
#define ERRAND_ENGINE_MEMORY_H

#include <stdint.h>

/* Bytes that can be taken without pushing out what runs; a container's limit
 * counts. UINT64_MAX: not known. [any] */
uint64_t er_memory_available(void);

#endif
