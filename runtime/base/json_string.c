/* The leaves of JSON. Strings: runs of plain bytes are checked and copied
 * whole, escapes one by one. Where lenient reading takes what strict reading
 * refuses, U+FFFD stands for it. */
#include "base/json_string.h"

#include "base/text.h"

#include <endian.h>
#include <stdint.h>
#include <string.h>

static bool fail(struct er_json_cursor *c, size_t at, const char *wrong)
{
    c->at = at;
    c->wrong = wrong;
    return false;
}

/* Four hexadecimal digits at p, or -1. */
static int hex4(const char *p, size_t left)
{
    int value = 0;
    if (left < 4)
        return -1;
    for (int k = 0; k < 4; k++) {
        static const char digits[] = "0123456789abcdef0123456789ABCDEF";
        const char *d = p[k] ? strchr(digits, p[k]) : NULL;
        if (!d)
            return -1;
        value = value * 16 + (int)((d - digits) % 16);
    }
    return value;
}

static bool add_utf8(struct er_buf *out, unsigned u)
{
    char b[4];
    size_t n = u < 0x80 ? 1 : u < 0x800 ? 2 : u < 0x10000 ? 3 : 4;
    for (size_t i = n; i-- > 1; u >>= 6)
        b[i] = (char)(0x80 | (u & 0x3F));
    b[0] = (char)(n == 1 ? u : (0xF00u >> n & 0xF0) | u);
    return er_buf_add(out, b, n);
}

/* At a backslash before u: one unit, or two that make a pair. */
static bool read_unicode(struct er_json_cursor *c, struct er_buf *out)
{
    const char *p = c->text + c->at;
    size_t left = c->len - c->at;
    int unit = hex4(p + 2, left - 2), low = -1;
    if (unit < 0)
        return fail(c, c->at, "\\u wants four hexadecimal digits");
    c->at += 6;
    if (unit < 0xD800 || unit > 0xDFFF)
        return add_utf8(out, (unsigned)unit);
    if (unit < 0xDC00 && left >= 12 && p[6] == '\\' && p[7] == 'u')
        low = hex4(p + 8, left - 8);
    if (low >= 0xDC00 && low <= 0xDFFF) {
        c->at += 6;
        return add_utf8(out, 0x10000u + ((unsigned)(unit - 0xD800) << 10) +
                                 (unsigned)(low - 0xDC00));
    }
    if (c->mode != ER_JSON_LENIENT)
        return fail(c, c->at - 6, "half of a surrogate pair");
    return add_utf8(out, 0xFFFD);
}

static bool read_escape(struct er_json_cursor *c, struct er_buf *out)
{
    static const char names[] = "\"\\/bfnrt", means[] = "\"\\/\b\f\n\r\t";
    char name = c->at + 1 < c->len ? c->text[c->at + 1] : '\0';
    if (name == 'u')
        return read_unicode(c, out);
    const char *found = name ? strchr(names, name) : NULL;
    if (!found)
        return fail(c, c->at,
            c->at + 1 < c->len ? "no such escape; a backslash is written \\\\"
                               : "the text ends inside a string");
    c->at += 2;
    return er_buf_addc(out, means[found - names]);
}

/* The highest bit of each of the eight bytes that is below 0x20, a quote or a
 * backslash. A borrow may mark a byte above one of these as well: the lowest
 * mark is always right. */
static uint64_t special_bytes(uint64_t w)
{
    const uint64_t ones = 0x0101010101010101u, highs = ones << 7;
    uint64_t quote = w ^ ones * '"', slash = w ^ ones * '\\';
    return (((w - ones * 0x20) & ~w) | ((quote - ones) & ~quote) |
               ((slash - ones) & ~slash)) & highs;
}

static uint64_t load_eight(const char *s)
{
    uint64_t w;
    memcpy(&w, s, sizeof w);
    return le64toh(w); /* the first byte is the lowest */
}

static size_t first_mark(uint64_t marks)
{
    return (size_t)__builtin_ctzll(marks) / 8;
}

static bool is_plain(char c)
{
    return c != '"' && c != '\\' && (unsigned char)c >= 0x20;
}

size_t er_json_plain_len(const char *s, size_t len)
{
    size_t n = 0;
    for (; len - n >= 8; n += 8) {
        uint64_t marks = special_bytes(load_eight(s + n));
        if (marks)
            return n + first_mark(marks);
    }
    while (n < len && is_plain(s[n]))
        n++;
    return n;
}

/* The same, and up to what is no ASCII. */
static size_t ascii_len(const char *s, size_t len)
{
    const uint64_t highs = 0x8080808080808080u;
    size_t n = 0;
    for (; len - n >= 8; n += 8) {
        uint64_t w = load_eight(s + n), marks = special_bytes(w) | (w & highs);
        if (marks)
            return n + first_mark(marks);
    }
    while (n < len && is_plain(s[n]) && (unsigned char)s[n] < 0x80)
        n++;
    return n;
}

static bool read_plain(struct er_json_cursor *c, struct er_buf *out)
{
    const char *s = c->text + c->at;
    size_t n = er_json_plain_len(s, c->len - c->at);
    size_t good = er_utf8_valid_prefix(s, n);
    if (good < n && c->mode != ER_JSON_LENIENT)
        return fail(c, c->at + good, "bytes that are not UTF-8");
    c->at += n;
    return good == n ? er_buf_add(out, s, n) : er_text_scrub(out, s, n);
}

bool er_json_string_read(struct er_json_cursor *c, struct er_buf *out)
{
    size_t begin = c->at++;
    for (;;) {
        if (c->at >= c->len)
            return fail(c, begin, "a string without end");
        char ch = c->text[c->at];
        if (ch == '"')
            break;
        if ((unsigned char)ch < 0x20)
            return fail(c, c->at,
                "a control character in a string; a line break is \\n");
        if (ch == '\\' ? !read_escape(c, out) : !read_plain(c, out))
            return false;
    }
    c->at++;
    return er_buf_add(out, "", 0);
}

size_t er_json_plain_string(const struct er_json_cursor *c)
{
    const char *s = c->text + c->at + 1;
    size_t left = c->len - c->at - 1, n = ascii_len(s, left);
    if (n < left && s[n] == '"')
        return n;
    n += er_json_plain_len(s + n, left - n);
    bool plain = n < left && s[n] == '"' && er_utf8_valid_prefix(s, n) == n;
    return plain ? n : SIZE_MAX;
}

/* ------------------------------------------------------------- numbers */

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static size_t skip_digits(const struct er_json_cursor *c, size_t at)
{
    while (at < c->len && is_digit(c->text[at]))
        at++;
    return at;
}

size_t er_json_number_end(const struct er_json_cursor *c, bool *whole)
{
    size_t at = c->at, from;
    if (c->text[at] == '-')
        at++;
    from = at;
    at = skip_digits(c, at);
    if (at == from || (c->text[from] == '0' && at > from + 1))
        return 0;
    *whole = true;
    if (at < c->len && c->text[at] == '.') {
        *whole = false;
        from = ++at;
        if ((at = skip_digits(c, at)) == from)
            return 0;
    }
    if (at < c->len && (c->text[at] == 'e' || c->text[at] == 'E')) {
        *whole = false;
        at++;
        if (at < c->len && (c->text[at] == '+' || c->text[at] == '-'))
            at++;
        from = at;
        if ((at = skip_digits(c, at)) == from)
            return 0;
    }
    return at;
}
