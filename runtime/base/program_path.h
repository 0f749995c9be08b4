/* Where the running program lies; platform code by file. */
#ifndef ERRAND_BASE_PROGRAM_PATH_H
#define ERRAND_BASE_PROGRAM_PATH_H

#include <sys/types.h>

/* Absolute path of the running program into out[size], NUL-terminated. The
 * length, or -1 if this system does not tell. [any] */
ssize_t er_program_path(char *out, size_t size);

#endif
