/* Processes where there is no /proc: nothing is certain but that a number is
 * not in use, and a number alone may be of another process; so no owner is
 * ever called dead, and its lease decides. */
#ifndef __linux__

#include "store/owner.h"

#include <stdio.h>

void er_system_boot(char *out, size_t size) { snprintf(out, size, "-"); }

uint64_t er_system_process_start(int64_t pid)
{
    (void)pid;
    return 0;
}

enum er_alive er_system_process(int64_t pid, uint64_t start)
{
    (void)pid;
    (void)start;
    return ER_ALIVE_UNKNOWN;
}

#else
typedef int er_owner_posix_unused; /* C forbids an empty file */
#endif
