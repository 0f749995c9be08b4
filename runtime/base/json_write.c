/* Canonical JSON text. Our own because jansson writes 0.6 as
 * 0.59999999999999998: a prompt must be short and the same each time. */
#include "json.h"

#include "buf.h"
#include "json_string.h"
#include "text.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const size_t MAX_TEXT = (size_t)1 << 30;

enum { FIRST_TEXT = 255 };

/* Shortest of the three precisions that reads back as the same double. */
static bool add_real(struct er_buf *out, double d)
{
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, d);
        if (strtod(text, NULL) == d)
            break;
    }
    for (char *p = text; *p; p++) /* a locale may write a comma */
        if (*p == ',')
            *p = '.';
    const char *end = strpbrk(text, ".eE") ? "" : ".0"; /* stays a real */
    return er_buf_adds(out, text) && er_buf_adds(out, end);
}

static void add_escaped(struct er_buf *out, unsigned char c)
{
    switch (c) {
    case '"': er_buf_adds(out, "\\\""); break;
    case '\\': er_buf_adds(out, "\\\\"); break;
    case '\b': er_buf_adds(out, "\\b"); break;
    case '\f': er_buf_adds(out, "\\f"); break;
    case '\n': er_buf_adds(out, "\\n"); break;
    case '\r': er_buf_adds(out, "\\r"); break;
    case '\t': er_buf_adds(out, "\\t"); break;
    default: er_buf_addf(out, "\\u%04x", c); break;
    }
}

static bool add_valid_string(struct er_buf *out, const char *s, size_t len)
{
    if (len < SIZE_MAX - 2)
        er_buf_reserve(out, len + 2);
    er_buf_addc(out, '"');
    for (;;) {
        size_t n = er_json_plain_len(s, len);
        er_buf_add(out, s, n);
        if (n == len)
            break;
        add_escaped(out, (unsigned char)s[n]);
        s += n + 1;
        len -= n + 1;
    }
    return er_buf_addc(out, '"');
}

bool er_json_add_string(struct er_buf *out, const char *s, size_t len)
{
    if (er_utf8_valid_prefix(s, len) == len)
        return add_valid_string(out, s, len);
    struct er_buf clean;
    er_buf_init(&clean, MAX_TEXT);
    bool ok = er_text_scrub(&clean, s, len) &&
              add_valid_string(out, er_buf_str(&clean), clean.len);
    er_buf_release(&clean);
    return ok;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool add_value(struct er_buf *out, const json_t *v, bool sorted);

static bool add_member(
    struct er_buf *out, const char *key, const json_t *v, bool sorted)
{
    return add_valid_string(out, key, strlen(key)) && er_buf_addc(out, ':') &&
           add_value(out, v, sorted);
}

static bool add_sorted_object(struct er_buf *out, const json_t *v)
{
    size_t n = json_object_size(v), i = 0;
    const char **keys = calloc(n ? n : 1, sizeof *keys);
    const char *key;
    json_t *member;
    if (!keys)
        return false;
    json_object_foreach((json_t *)v, key, member)
        keys[i++] = key;
    qsort(keys, n, sizeof *keys, by_name);
    er_buf_addc(out, '{');
    for (i = 0; i < n; i++) {
        if (i)
            er_buf_addc(out, ',');
        if (!add_member(out, keys[i], json_object_get(v, keys[i]), true))
            break;
    }
    free(keys);
    return i == n && er_buf_addc(out, '}');
}

static bool add_object(struct er_buf *out, const json_t *v)
{
    const char *key;
    json_t *member;
    bool first = true;
    er_buf_addc(out, '{');
    json_object_foreach((json_t *)v, key, member)
    {
        if (!first)
            er_buf_addc(out, ',');
        first = false;
        if (!add_member(out, key, member, false))
            return false;
    }
    return er_buf_addc(out, '}');
}

static bool add_array(struct er_buf *out, const json_t *v, bool sorted)
{
    er_buf_addc(out, '[');
    for (size_t i = 0; i < json_array_size(v); i++) {
        if (i)
            er_buf_addc(out, ',');
        if (!add_value(out, json_array_get(v, i), sorted))
            return false;
    }
    return er_buf_addc(out, ']');
}

static bool add_value(struct er_buf *out, const json_t *v, bool sorted)
{
    if (!v)
        return er_buf_adds(out, "null");
    switch (json_typeof(v)) {
    case JSON_OBJECT:
        return sorted ? add_sorted_object(out, v) : add_object(out, v);
    case JSON_ARRAY:
        return add_array(out, v, sorted);
    case JSON_STRING:
        return add_valid_string(
            out, json_string_value(v), json_string_length(v));
    case JSON_INTEGER:
        return er_buf_addi(out, json_integer_value(v));
    case JSON_REAL:
        return add_real(out, json_real_value(v));
    case JSON_TRUE:
        return er_buf_adds(out, "true");
    case JSON_FALSE:
        return er_buf_adds(out, "false");
    case JSON_NULL:
        return er_buf_adds(out, "null");
    }
    return false;
}

bool er_json_add(struct er_buf *out, const json_t *value)
{
    return add_value(out, value, false);
}

static char *write_text(const json_t *value, bool sorted)
{
    struct er_buf out;
    er_buf_init(&out, MAX_TEXT);
    er_buf_reserve(&out, FIRST_TEXT);
    if (!add_value(&out, value, sorted)) {
        er_buf_release(&out);
        return NULL;
    }
    return er_buf_take(&out, NULL);
}

char *er_json_text(const json_t *value) { return write_text(value, false); }

char *er_json_sorted(const json_t *value) { return write_text(value, true); }
