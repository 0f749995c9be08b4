/* Results that are too large for the model: head, tail and a handle. */
#ifndef ERRAND_AGENT_CAP_H
#define ERRAND_AGENT_CAP_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of one result that may go to the model, for a context window and the
 * share of it that one result may take: about three bytes a token, at most
 * 32 KiB, at least 1 KiB. [any] */
size_t er_cap_bytes(int64_t window_tokens, double share);

/* Append text to out: whole if it fits in max bytes, else its first two
 * thirds, a line that says what is missing and how to read on with read_more
 * and this handle, and its last part. Invalid UTF-8 becomes U+FFFD. True if
 * it was cut. False on failure too: see out->failed. [any] */
bool er_cap_add(struct er_buf *out, const char *text, size_t len, size_t max,
    const char *handle);

#endif
