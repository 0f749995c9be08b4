/* Keys of endpoints: out of a variable's value or a file. */
#ifndef ERRAND_MODEL_KEY_H
#define ERRAND_MODEL_KEY_H

#include "base/error.h"

enum { ER_KEY_MAX = 8192 };

/* Copy a key without the space around it. One that could not stand in a
 * header is an error, which names source and never the key. Caller frees
 * *out with free(). Errors AUTH, NOMEM. [any] */
int er_key_take(const char *text, const char *source, char **out,
    struct errand_error *err);

/* The same from a file; "~/" at the beginning is the home folder. [any] */
int er_key_read(const char *file, char **out, struct errand_error *err);

#endif
