/* Files that are part of the program: the JSON Schemas of schemas/, and the
 * source that a new plugin starts from. Their C is made by scripts/embed when
 * the library is built. */
#ifndef ERRAND_BASE_EMBEDDED_H
#define ERRAND_BASE_EMBEDDED_H

#include <stdbool.h>
#include <stddef.h>

/* Text of a file by its name ("config.schema.json"), ended by NUL; len (may
 * be NULL) gets its length without it. NULL if there is none. Static. [any] */
const char *er_embedded(const char *name, size_t *len);

/* Name of the i-th schema, NULL behind the last. [any] */
const char *er_embedded_name(size_t i);

/* Does a tool's file of this version (the first 16 hexadecimal digits of its
 * SHA-256) come with errand? Its C is made by scripts/shipped. [any] */
bool er_is_shipped(const char *version);

#endif
