/* Base64 (RFC 4648), for bytes that must travel as text. */
#ifndef ERRAND_BASE_BASE64_H
#define ERRAND_BASE_BASE64_H

#include "base/buf.h"

/* Append bytes with padding, in the usual alphabet. False if out failed. */
bool er_base64_add(struct er_buf *out, const void *bytes, size_t len);

/* Bytes that len characters stand for at most. */
size_t er_base64_room(size_t len);

/* Decode text into out, which has er_base64_room(len) bytes; *got is how
 * many there are. False: it is no base64 with its padding. */
bool er_base64_read(
    const char *text, size_t len, char *out, size_t *got);

#endif
