/* The program's own path. Linux tells it under /proc; a system without that
 * falls back to the installed paths. */
#include "program_path.h"

#include <unistd.h>

ssize_t er_program_path(char *out, size_t size)
{
    if (size == 0)
        return -1;
    ssize_t n = readlink("/proc/self/exe", out, size - 1);
    if (n < 0 || (size_t)n >= size - 1)
        return -1;
    out[n] = '\0';
    return n;
}
