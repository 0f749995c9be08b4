/* One pass over the text, inside and outside of strings. */
#include "json_repair.h"

#include "text.h"

#include <stdlib.h>
#include <string.h>

struct cursor {
    const char *s;
    size_t len, i;
};

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* Four hex digits at p, or -1. */
static int hex4(const char *p, size_t left)
{
    int value = 0;
    if (left < 4)
        return -1;
    for (int k = 0; k < 4; k++) {
        char c = p[k];
        int d = is_digit(c) ? c - '0'
            : c >= 'a' && c <= 'f' ? c - 'a' + 10
            : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
        if (d < 0)
            return -1;
        value = value * 16 + d;
    }
    return value;
}

/* At a backslash: copy one escape, a surrogate only with its partner. */
static void copy_escape(struct er_buf *out, struct cursor *c)
{
    size_t left = c->len - c->i;
    int unit = left >= 6 && c->s[c->i + 1] == 'u'
        ? hex4(c->s + c->i + 2, left - 2) : -1;
    if (unit < 0xD800 || unit > 0xDFFF) {
        size_t n = left < 2 ? left : 2;
        er_buf_add(out, c->s + c->i, n);
        c->i += n;
        return;
    }
    const char *next = c->s + c->i + 6;
    int low = unit < 0xDC00 && left >= 12 && next[0] == '\\' &&
            next[1] == 'u' ? hex4(next + 2, left - 8) : -1;
    if (low >= 0xDC00 && low <= 0xDFFF) {
        er_buf_add(out, c->s + c->i, 12);
        c->i += 12;
    } else {
        er_buf_adds(out, "\\ufffd");
        c->i += 6;
    }
}

static void copy_string(struct er_buf *out, struct cursor *c)
{
    er_buf_addc(out, '"');
    c->i++;
    size_t from = c->i;
    while (c->i < c->len && c->s[c->i] != '"') {
        if (c->s[c->i] != '\\') {
            c->i++;
            continue;
        }
        er_text_scrub(out, c->s + from, c->i - from);
        copy_escape(out, c);
        from = c->i;
    }
    er_text_scrub(out, c->s + from, c->i - from);
    if (c->i < c->len) {
        er_buf_addc(out, '"');
        c->i++;
    }
}

static bool fits_64(const char *digits, size_t n, bool negative)
{
    const char *max = negative ? "9223372036854775808" : "9223372036854775807";
    return n < 19 || (n == 19 && memcmp(digits, max, 19) <= 0);
}

static void copy_number(struct er_buf *out, struct cursor *c)
{
    size_t from = c->i;
    bool negative = c->s[c->i] == '-';
    if (negative)
        c->i++;
    size_t digits = c->i;
    while (c->i < c->len && is_digit(c->s[c->i]))
        c->i++;
    size_t n = c->i - digits;
    bool integer = c->i == c->len || !strchr(".eE", c->s[c->i]) ||
                   c->s[c->i] == '\0';
    er_buf_add(out, c->s + from, c->i - from);
    if (integer && n > 0 && !fits_64(c->s + digits, n, negative)) {
        er_buf_adds(out, ".0");
    } else if (!integer) { /* the rest, so that it is not taken for one */
        from = c->i;
        while (c->i < c->len && c->s[c->i] &&
               strchr("0123456789.eE+-", c->s[c->i]))
            c->i++;
        er_buf_add(out, c->s + from, c->i - from);
    }
}

bool er_json_repair(struct er_buf *out, const char *text, size_t len)
{
    struct cursor c = {.s = text, .len = len};
    if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
        c.i = 3;
    while (c.i < len && !out->failed) {
        char ch = text[c.i];
        if (ch == '"')
            copy_string(out, &c);
        else if (ch == '-' || is_digit(ch))
            copy_number(out, &c);
        else
            er_buf_addc(out, text[c.i++]);
    }
    return !out->failed;
}
