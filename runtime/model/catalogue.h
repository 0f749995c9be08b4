/* The short names that errand models pull knows, and what they stand for. */
#ifndef ERRAND_MODEL_CATALOGUE_H
#define ERRAND_MODEL_CATALOGUE_H

#include <stddef.h>

struct er_known {
    const char *name;    /* "llama-3.2-3b-instruct" */
    const char *repo;    /* "owner/name" at the hub */
    const char *file;    /* a part of the file's name, upper and lower case
                            alike: its quantization */
    const char *license; /* the model's, as its card names it */
};

/* The i-th, NULL behind the last. Static storage. [any] */
const struct er_known *er_known_at(size_t i);

/* By its name, upper and lower case alike; NULL if there is none. *nearest
 * (may be NULL) gets the name that looks most like it. [any] */
const struct er_known *er_known_find(const char *name, const char **nearest);

#endif
