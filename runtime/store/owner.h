/* What an operating system knows of processes; owner_*.c, one per system. */
#ifndef ERRAND_STORE_OWNER_H
#define ERRAND_STORE_OWNER_H

#include <stddef.h>
#include <stdint.h>

enum er_alive { ER_ALIVE = 0, ER_GONE = 1, ER_ALIVE_UNKNOWN = 2 };

/* A text that changes when the machine starts anew; "-" if there is none.
 * [any] */
void er_system_boot(char *out, size_t size);

/* When process pid began, in units of the system's own; 0 if unknown or
 * there is no such process. [any] */
uint64_t er_system_process_start(int64_t pid);

/* [any] */
enum er_alive er_system_process(int64_t pid, uint64_t start);

#endif
