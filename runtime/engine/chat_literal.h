/* Values as models write them: JSON, and Python's literals.
 *
 * Two tools. The scanner finds where a bracketed value ends, over bytes that
 * come in pieces, without reading anything twice. The cursor walks a text
 * that is whole and rewrites Python's literals as JSON.
 */
#ifndef ERRAND_ENGINE_CHAT_LITERAL_H
#define ERRAND_ENGINE_CHAT_LITERAL_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/* Zeroed: nothing scanned yet. */
struct er_chat_scan {
    size_t at;     /* bytes seen */
    size_t depth;  /* open brackets of any kind */
    size_t quotes; /* of the string we are in: 1, 3, or 0 outside */
    char quote;    /* " or ' */
    bool escaped;  /* the last byte was a backslash in a string */
};

/* Scan on in s[0..n), which begins with the value's bracket and has grown
 * since the last call. Length of the value once it is closed, else 0. */
size_t er_chat_scan(struct er_chat_scan *scan, const char *s, size_t n);

struct er_chat_cursor {
    const char *s;
    size_t n, at;
};

void er_chat_space(struct er_chat_cursor *c);

/* Take one byte if it is next. */
bool er_chat_take(struct er_chat_cursor *c, char want);

/* Append the bytes of a quoted string, escapes resolved. */
bool er_chat_string(struct er_chat_cursor *c, struct er_buf *out);

/* Step over a value of any kind; false if there is none. */
bool er_chat_skip(struct er_chat_cursor *c);

/* Append a value as JSON. False if it is no literal, or out failed. */
bool er_chat_value(struct er_chat_cursor *c, struct er_buf *out);

/* Length of the name (letters, digits, _ . -) at the cursor, 0 if none. */
size_t er_chat_name(const struct er_chat_cursor *c);

#endif
