/* URI references, as far as $id and $ref need them (RFC 3986, 5.2). */
#ifndef ERRAND_TOOL_SCHEMA_URI_H
#define ERRAND_TOOL_SCHEMA_URI_H

#include "base/arena.h"

/* ref made absolute against base, without its fragment; *fragment gets what
 * stands behind '#', still percent-encoded, or NULL if there is none. base
 * may be "" or relative: then as much as can be said is said. In the arena;
 * NULL: no memory. [any] */
char *er_uri_resolve(struct er_arena *a, const char *base, const char *ref,
    const char **fragment);

/* Percent-decoding; %zz stays as it is. In the arena; NULL: no memory. A
 * decoded NUL ends the text, so that it names nothing. */
char *er_uri_decode(struct er_arena *a, const char *s);

#endif
