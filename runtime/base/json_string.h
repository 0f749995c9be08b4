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

/* At a quote: read on behind the closing one and append the bytes that the
 * string means to out. False, with wrong set, if it is not a string. */
bool er_json_string_read(struct er_json_cursor *c, struct er_buf *out);

#endif
