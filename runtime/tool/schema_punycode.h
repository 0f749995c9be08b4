/* Punycode (RFC 3492), for the labels of host names. */
#ifndef ERRAND_TOOL_SCHEMA_PUNYCODE_H
#define ERRAND_TOOL_SCHEMA_PUNYCODE_H

#include <stddef.h>

/* Decode what stands behind "xn--" into UTF-8. 0 if it is not the one
 * proper spelling of a label with some character beyond ASCII, or does not
 * fit. [any] */
size_t er_punycode_decode(
    const char *s, size_t len, char *out, size_t out_size);

/* Length of the Punycode of a label in UTF-8; a huge number if it cannot be
 * written. [any] */
size_t er_punycode_length(const char *s, size_t len);

#endif
