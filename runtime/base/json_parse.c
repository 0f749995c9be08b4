/* Parsing with the decided answers of json.h, into jansson's values.
 *
 * Our own, where jansson has a parser: it cannot be told to take what an
 * endpoint may send (a lone surrogate, an integer of 30 digits), says
 * "syntax" where memory ended, and aborts the process if memory ends inside
 * a long number. Recursion is bounded by ER_JSON_DEPTH.
 */
#include "base/json.h"
#include "base/json_string.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct parser {
    struct er_json_cursor c;
    int depth;
    struct er_buf keys;    /* of the objects that are open, one on another */
    struct er_buf scratch; /* the string that is read */
};

static json_t *parse_value(struct parser *p);

static json_t *fail_at(struct parser *p, size_t at, const char *wrong)
{
    p->c.at = at;
    p->c.wrong = wrong;
    return NULL;
}

static json_t *fail(struct parser *p, const char *wrong)
{
    return fail_at(p, p->c.at, wrong);
}

static char peek(struct parser *p) { return er_json_peek(&p->c); }

static bool take(struct parser *p, char want)
{
    if (peek(p) != want)
        return false;
    p->c.at++;
    return true;
}

/* ------------------------------------------------------------- numbers */

/* The decimal point as the locale of the process has it, which is what
 * strtod reads. */
static bool copy_number(struct er_buf *out, const char *s, size_t len)
{
    char probe[16];
    const char *dot = memchr(s, '.', len);
    er_buf_reset(out);
    if (!dot)
        return er_buf_add(out, s, len);
    int n = snprintf(probe, sizeof probe, "%.1f", 1.5); /* 1<point>5 */
    return er_buf_add(out, s, (size_t)(dot - s)) &&
           er_buf_add(out, probe + 1, n > 2 ? (size_t)n - 2 : 0) &&
           er_buf_add(out, dot + 1, len - (size_t)(dot - s) - 1);
}

/* A whole number of up to 18 digits, which always fits. */
static json_t *short_integer(const char *s, size_t len)
{
    bool minus = *s == '-';
    json_int_t n = 0;
    for (size_t i = minus; i < len; i++)
        n = n * 10 + (s[i] - '0');
    return json_integer(minus ? -n : n);
}

static json_t *parse_number(struct parser *p)
{
    bool whole = false;
    size_t from = p->c.at, end = er_json_number_end(&p->c, &whole);
    if (end == 0)
        return fail(p, "not a number");
    if (whole && end - from <= 18) {
        p->c.at = end;
        return short_integer(p->c.text + from, end - from);
    }
    if (!copy_number(&p->scratch, p->c.text + from, end - from))
        return NULL;
    p->c.at = end;
    if (whole) {
        errno = 0;
        long long n = strtoll(p->scratch.data, NULL, 10);
        if (errno == 0)
            return json_integer(n);
        if (p->c.mode != ER_JSON_LENIENT)
            return fail_at(p, from,
                "a number that does not fit; write it as a string");
    }
    double d = strtod(p->scratch.data, NULL);
    if (!isfinite(d))
        return fail_at(
            p, from, "a number that does not fit; write it as a string");
    return json_real(d);
}

/* ------------------------------------------------- strings and the rest */

static json_t *parse_string(struct parser *p)
{
    size_t n = er_json_plain_string(&p->c);
    if (n != SIZE_MAX) {
        const char *s = p->c.text + p->c.at + 1;
        p->c.at += n + 2;
        return json_stringn_nocheck(s, n);
    }
    er_buf_reset(&p->scratch);
    if (!er_json_string_read(&p->c, &p->scratch))
        return NULL;
    return json_stringn_nocheck(er_buf_str(&p->scratch), p->scratch.len);
}

static json_t *parse_word(struct parser *p, const char *word, json_t *value)
{
    size_t n = strlen(word);
    if (p->c.len - p->c.at < n ||
        memcmp(p->c.text + p->c.at, word, n) != 0)
        return fail(p, "a value was expected");
    p->c.at += n;
    return value;
}

static json_t *parse_array(struct parser *p)
{
    json_t *array = json_array();
    p->c.at++;
    if (!array || take(p, ']'))
        return array;
    do {
        json_t *item = parse_value(p);
        if (!item || json_array_append_new(array, item) != 0)
            goto failed;
    } while (take(p, ','));
    if (take(p, ']'))
        return array;
    fail(p, "',' or ']' was expected");
failed:
    json_decref(array);
    return NULL;
}

enum { SHORT_KEY = 48 };

/* The key at the cursor: in place if it is short and plain, else onto the
 * pile of keys. NULL: it is none. */
static const char *read_key(struct parser *p, char place[SHORT_KEY])
{
    size_t at = p->c.at, n = er_json_plain_string(&p->c), pile = p->keys.len;
    if (n < SHORT_KEY) {
        memcpy(place, p->c.text + at + 1, n);
        place[n] = '\0';
        p->c.at += n + 2;
        return place;
    }
    if (!er_json_string_read(&p->c, &p->keys) || !er_buf_addc(&p->keys, '\0'))
        return NULL;
    const char *key = p->keys.data + pile;
    if (strlen(key) == p->keys.len - pile - 1)
        return key;
    fail_at(p, at, "a key with \\u0000 in it");
    return NULL;
}

/* What is decided about keys, and the colon. */
static bool check_key(
    struct parser *p, json_t *object, const char *key, size_t at)
{
    if (p->c.mode == ER_JSON_STRICT && json_object_get(object, key))
        return fail_at(p, at, "a key that stands twice in one object");
    return take(p, ':') || fail(p, "':' was expected");
}

/* keys may move while the value is read: then its key is looked for anew. */
static bool parse_member(struct parser *p, json_t *object)
{
    char place[SHORT_KEY];
    size_t pile = p->keys.len;
    if (peek(p) != '"')
        return fail(p, "a key in quotes was expected");
    size_t at = p->c.at;
    const char *key = read_key(p, place);
    if (!key || !check_key(p, object, key, at))
        return false;
    json_t *value = parse_value(p);
    if (!value)
        return false;
    key = key == place ? place : p->keys.data + pile;
    if (json_object_set_new_nocheck(object, key, value) != 0)
        return false;
    if (p->keys.len > pile)
        p->keys.data[p->keys.len = pile] = '\0';
    return true;
}

static json_t *parse_object(struct parser *p)
{
    json_t *object = json_object();
    p->c.at++;
    if (!object || take(p, '}'))
        return object;
    do {
        if (!parse_member(p, object))
            goto failed;
    } while (take(p, ','));
    if (take(p, '}'))
        return object;
    fail(p, "',' or '}' was expected");
failed:
    json_decref(object);
    return NULL;
}

static json_t *parse_value(struct parser *p)
{
    json_t *value;
    char c = peek(p);
    switch (c) {
    case '{':
    case '[':
        if (p->depth == ER_JSON_DEPTH)
            return fail(p, "nested too deep, at most 512 levels");
        p->depth++;
        value = c == '{' ? parse_object(p) : parse_array(p);
        p->depth--;
        return value;
    case '"':
        return parse_string(p);
    case 't':
        return parse_word(p, "true", json_true());
    case 'f':
        return parse_word(p, "false", json_false());
    case 'n':
        return parse_word(p, "null", json_null());
    default:
        if (c == '-' || (c >= '0' && c <= '9'))
            return parse_number(p);
        return fail(p, p->c.at < p->c.len ? "a value was expected"
                                          : "the text ends too early");
    }
}

static void report(const struct parser *p, struct errand_error *err)
{
    const struct er_json_cursor *c = &p->c;
    char found[16] = "";
    if (!c->wrong) {
        er_nomem(err);
        return;
    }
    if (c->at < c->len && c->text[c->at] > ' ' && c->text[c->at] < 0x7f)
        snprintf(found, sizeof found, ", found '%c'", c->text[c->at]);
    er_fail(err, ERRAND_SYNTAX, "not valid JSON at byte %zu: %s%s", c->at,
        c->wrong, strstr(c->wrong, "expected") ? found : "");
    if (err)
        err->at = (int64_t)c->at;
}

json_t *er_json_parse(const char *text, size_t len, enum er_json_mode mode,
    struct errand_error *err)
{
    struct parser p = {.c = {.text = text, .len = len, .mode = mode}};
    size_t most = len > SIZE_MAX / 4 ? SIZE_MAX - 1 : len * 3 + 16;
    er_buf_init(&p.keys, most); /* a byte may become U+FFFD: three */
    er_buf_init(&p.scratch, most);
    if (mode == ER_JSON_LENIENT && len >= 3 &&
        memcmp(text, "\xEF\xBB\xBF", 3) == 0)
        p.c.at = 3;
    json_t *value = parse_value(&p);
    if (value) {
        peek(&p);
        if (p.c.at < len) {
            json_decref(value);
            value = fail(&p, "the end was expected");
        }
    }
    if (!value)
        report(&p, err);
    er_buf_release(&p.keys);
    er_buf_release(&p.scratch);
    return value;
}
