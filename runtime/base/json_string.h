/* The leaves of JSON, strings and numbers, for json_parse.c and
 * json_tree.c. */
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

/* At a quote: how long the string is if it stands there as it means, and
 * ends; else SIZE_MAX. */
size_t er_json_plain_string(const struct er_json_cursor *c);

/* End of the number at the cursor, 0 if it is none; *whole: no fraction and
 * no exponent. */
size_t er_json_number_end(const struct er_json_cursor *c, bool *whole);

/* The next byte that is not white space; '\0' at the end, and for a NUL,
 * which is an error everywhere. */
static inline char er_json_peek(struct er_json_cursor *c)
{
    while (c->at < c->len) {
        char ch = c->text[c->at];
        if (ch != ' ' && ch != '\n' && ch != '\r' && ch != '\t')
            return ch;
        c->at++;
    }
    return '\0';
}

/* At a quote: read on behind the closing one and append the bytes that the
 * string means to out. False, with wrong set, if it is not a string. */
bool er_json_string_read(struct er_json_cursor *c, struct er_buf *out);

#endif
