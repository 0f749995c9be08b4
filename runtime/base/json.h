/* JSON: what errand asks of jansson, in one place.
 *
 * Decided answers to what jansson alone cannot do
 *   Numbers      integers beyond 64 bits and reals beyond double: strict
 *                parsing refuses them and says so; lenient parsing turns such
 *                an integer into the nearest real and still refuses 1e400.
 *   \u0000       kept in string values (their length counts), refused in
 *                keys.
 *   Keys twice   strict parsing refuses; lenient parsing lets the last win.
 *   Surrogates   a lone \uD800..\uDFFF is refused by strict parsing and
 *                becomes U+FFFD in lenient parsing; the same for bytes that
 *                are not UTF-8.
 *   Depth        at most 512 (ER_JSON_DEPTH).
 * Strict is for what a model or a person wrote and can write again: its
 * arguments. Lenient is for what an endpoint sent. Last is strict but for
 * keys that stand twice, for what a grammar held a model to: no automaton
 * remembers every key.
 */
#ifndef ERRAND_BASE_JSON_H
#define ERRAND_BASE_JSON_H

#include "error.h"

#include <jansson.h>
#include <stdbool.h>

enum { ER_JSON_DEPTH = 512 };

enum er_json_mode {
    ER_JSON_STRICT = 0,
    ER_JSON_LENIENT = 1,
    ER_JSON_LAST = 2, /* strict, and of a repeated key the last wins */
};

/* Parse a whole text, any value at the top. NULL on failure, with the byte
 * offset in err->at. Caller drops with json_decref. [any]
 * Errors  SYNTAX, NOMEM */
json_t *er_json_parse(const char *text, size_t len, enum er_json_mode mode,
    struct errand_error *err);

/* Canonical text: compact, keys in the order of the object, so that the same
 * value gives the same bytes. Caller frees with free(); NULL: no memory. */
char *er_json_text(const json_t *value);

/* The same with keys sorted: for hashes and comparisons. */
char *er_json_sorted(const json_t *value);

/* Append value to out as er_json_text does. */
struct er_buf;
bool er_json_add(struct er_buf *out, const json_t *value);

/* Append text as a JSON string with its quotes. Invalid UTF-8 becomes
 * U+FFFD. */
bool er_json_add_string(struct er_buf *out, const char *s, size_t len);

/* Put a text into an object: valid UTF-8, under a key that is. False: no
 * memory, or object is NULL. */
bool er_json_put(json_t *object, const char *key, const char *text);
bool er_json_putn(
    json_t *object, const char *key, const char *text, size_t len);

/* Member of an object as a text: "" kept, NULL if missing or no string.
 * Borrowed as long as the object. */
const char *er_json_str(const json_t *object, const char *key);

/* Member as an integer, or fallback if missing or no number. Reals with an
 * integral value count. */
json_int_t er_json_int(
    const json_t *object, const char *key, json_int_t fallback);

#endif
