/* Reading one JSON string, for json_parse.c. */
#ifndef ERRAND_BASE_JSON_STRING_H
#define ERRAND_BASE_JSON_STRING_H

#include "base/buf.h"
#include "base/json.h"

/* A place in a text that is read. */
struct er_json_cursor {
    const char *text;
    size_t len, at;
    enum er_json_mode mode;
    const char *wrong; /* what is wrong at at; NULL: memory ended */
};

/* How many bytes from s on may stand in a JSON string as they are: up to a
 * quote, a backslash or a control character. [any] */
size_t er_json_plain_len(const char *s, size_t len);

/* At a quote: read on behind the closing one and append the bytes that the
 * string means to out. False, with wrong set, if it is not a string. */
bool er_json_string_read(struct er_json_cursor *c, struct er_buf *out);

#endif
