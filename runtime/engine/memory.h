/* How much memory this machine can still give, and large pieces of it;
 * platform code by file. */
#ifndef ERRAND_ENGINE_MEMORY_H
#define ERRAND_ENGINE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/* Bytes that can be taken without pushing out what runs; a container's limit
 * counts. UINT64_MAX: not known. [any] */
uint64_t er_memory_available(void);

/* Pages of zeros, large ones where the machine has them; aligned to 64. NULL:
 * none are left. Given back with er_memory_give. [any] */
void *er_memory_take(size_t bytes);
void er_memory_give(void *p, size_t bytes); /* NULL is harmless */

/* These bytes of a mapped file are not needed for now: they need not stay in
 * memory, and come back from the file when they are touched. [any] */
void er_memory_let_go(const void *p, size_t bytes);

#endif
