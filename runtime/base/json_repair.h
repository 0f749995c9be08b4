/* Rewriting of JSON that jansson refuses and an endpoint may still send. */
#ifndef ERRAND_BASE_JSON_REPAIR_H
#define ERRAND_BASE_JSON_REPAIR_H

#include "buf.h"

/* Append text to out with: a byte order mark dropped, integers beyond 64
 * bits written as reals, lone surrogate escapes and bytes that are no UTF-8
 * replaced by U+FFFD. Everything else stands as it was, errors included.
 * False if out failed. [any] */
bool er_json_repair(struct er_buf *out, const char *text, size_t len);

#endif
