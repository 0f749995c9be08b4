/* Scanning and rewriting of values: JSON with Python's liberties. */
#include "chat_literal.h"

#include "base/json.h"

#include <string.h>

enum { MAX_DEPTH = 64 };

/* --- where a value ends */

/* At a quote in s: 3 if it is a triple one, 1 if not, 0 if that cannot be
 * seen yet. "" is an empty string unless a third quote follows. */
static size_t quotes_at(const char *s, size_t n, size_t at)
{
    char q = s[at];
    if (at + 1 >= n)
        return 0;
    if (s[at + 1] != q)
        return 1;
    if (at + 2 >= n)
        return 0;
    return s[at + 2] == q ? 3 : 1;
}

/* One step inside a string; false if more bytes are needed. */
static bool scan_string(struct er_chat_scan *scan, const char *s, size_t n)
{
    char c = s[scan->at];
    if (scan->escaped) {
        scan->escaped = false;
    } else if (c == '\\') {
        scan->escaped = true;
    } else if (c == scan->quote) {
        size_t left = n - scan->at;
        if (scan->quotes == 3 && left < 3)
            return false;
        if (scan->quotes == 1 ||
            (s[scan->at + 1] == c && s[scan->at + 2] == c)) {
            scan->at += scan->quotes;
            scan->quotes = 0;
            return true;
        }
    }
    scan->at++;
    return true;
}

/* One step outside of strings; false if more bytes are needed. */
static bool scan_outside(struct er_chat_scan *scan, const char *s, size_t n)
{
    char c = s[scan->at];
    if (c == '"' || c == '\'') {
        size_t quotes = quotes_at(s, n, scan->at);
        if (quotes == 0)
            return false;
        scan->quote = c;
        scan->quotes = quotes;
        scan->at += quotes;
        return true;
    }
    if (c == '{' || c == '[' || c == '(')
        scan->depth++;
    else if (c == '}' || c == ']' || c == ')')
        scan->depth -= scan->depth > 0;
    scan->at++;
    return true;
}

size_t er_chat_scan(struct er_chat_scan *scan, const char *s, size_t n)
{
    while (scan->at < n) {
        bool went = scan->quotes ? scan_string(scan, s, n)
                                 : scan_outside(scan, s, n);
        if (!went)
            return 0;
        if (scan->depth == 0 && scan->quotes == 0)
            return scan->at;
    }
    return 0;
}

/* --- the cursor */

static char peek(const struct er_chat_cursor *c)
{
    return c->at < c->n ? c->s[c->at] : '\0';
}

void er_chat_space(struct er_chat_cursor *c)
{
    while (c->at < c->n && strchr(" \t\r\n", c->s[c->at]) && c->s[c->at])
        c->at++;
}

bool er_chat_take(struct er_chat_cursor *c, char want)
{
    if (c->at >= c->n || c->s[c->at] != want)
        return false;
    c->at++;
    return true;
}

static bool letter(char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '_';
}

static bool digit(char ch) { return ch >= '0' && ch <= '9'; }

size_t er_chat_name(const struct er_chat_cursor *c)
{
    size_t i = c->at;
    if (!letter(peek(c)))
        return 0;
    while (i < c->n && (letter(c->s[i]) || digit(c->s[i]) ||
                           c->s[i] == '.' || c->s[i] == '-'))
        i++;
    return i - c->at;
}

/* --- strings */

static void add_utf8(struct er_buf *out, unsigned long u)
{
    if (u > 0x10FFFF || (u >= 0xD800 && u <= 0xDFFF))
        u = 0xFFFD;
    if (u < 0x80) {
        er_buf_addc(out, (char)u);
    } else if (u < 0x800) {
        er_buf_addc(out, (char)(0xC0 | u >> 6));
        er_buf_addc(out, (char)(0x80 | (u & 63)));
    } else if (u < 0x10000) {
        er_buf_addc(out, (char)(0xE0 | u >> 12));
        er_buf_addc(out, (char)(0x80 | (u >> 6 & 63)));
        er_buf_addc(out, (char)(0x80 | (u & 63)));
    } else {
        er_buf_addc(out, (char)(0xF0 | u >> 18));
        er_buf_addc(out, (char)(0x80 | (u >> 12 & 63)));
        er_buf_addc(out, (char)(0x80 | (u >> 6 & 63)));
        er_buf_addc(out, (char)(0x80 | (u & 63)));
    }
}

/* Exactly count hexadecimal digits. */
static bool hex(struct er_chat_cursor *c, int count, unsigned long *out)
{
    *out = 0;
    for (int i = 0; i < count; i++) {
        static const char digits[] = "0123456789abcdef0123456789ABCDEF";
        char ch = peek(c);
        const char *at = ch ? strchr(digits, ch) : NULL;
        if (!at)
            return false;
        *out = *out * 16 + (unsigned long)(at - digits) % 16;
        c->at++;
    }
    return true;
}

/* \u with its partner, where it is one half of a pair. */
static bool escape_u(struct er_chat_cursor *c, struct er_buf *out)
{
    unsigned long u, low;
    if (!hex(c, 4, &u))
        return false;
    struct er_chat_cursor next = *c;
    if (u >= 0xD800 && u < 0xDC00 && er_chat_take(&next, '\\') &&
        er_chat_take(&next, 'u') && hex(&next, 4, &low) && low >= 0xDC00 &&
        low <= 0xDFFF) {
        *c = next;
        u = 0x10000 + ((u - 0xD800) << 10) + (low - 0xDC00);
    }
    add_utf8(out, u);
    return true;
}

/* Behind a backslash. One that neither language knows stays as it is, as in
 * Python. */
static bool escape(struct er_chat_cursor *c, struct er_buf *out)
{
    static const char from[] = "nrtbfav0\\'\"/";
    static const char to[] = "\n\r\t\b\f\a\v\0\\'\"/";
    unsigned long u;
    char ch = peek(c);
    if (c->at >= c->n)
        return false;
    c->at++;
    if (ch == 'u')
        return escape_u(c, out);
    if (ch == 'x' || ch == 'U') {
        if (!hex(c, ch == 'x' ? 2 : 8, &u))
            return false;
        add_utf8(out, u);
        return true;
    }
    if (ch == '\n')
        return true;
    const char *at = ch ? strchr(from, ch) : NULL;
    if (!at)
        er_buf_addc(out, '\\');
    er_buf_addc(out, at ? to[at - from] : ch);
    return true;
}

bool er_chat_string(struct er_chat_cursor *c, struct er_buf *out)
{
    char q = peek(c);
    if (q != '"' && q != '\'')
        return false;
    size_t quotes = quotes_at(c->s, c->n, c->at);
    if (quotes == 0) /* the text is whole: two quotes at its end */
        quotes = 1;
    c->at += quotes;
    while (c->at < c->n) {
        char ch = c->s[c->at];
        if (ch == q && (quotes == 1 || (c->n - c->at >= 3 &&
                c->s[c->at + 1] == q && c->s[c->at + 2] == q))) {
            c->at += quotes;
            return !out->failed;
        }
        c->at++;
        if (ch != '\\')
            er_buf_addc(out, ch);
        else if (!escape(c, out))
            return false;
    }
    return false;
}

/* --- stepping over */

static bool skip_string(struct er_chat_cursor *c)
{
    char q = peek(c);
    size_t quotes = quotes_at(c->s, c->n, c->at);
    struct er_chat_scan scan = {
        .at = c->at + (quotes == 3 ? 3 : 1),
        .quotes = quotes == 3 ? 3 : 1,
        .quote = q};
    while (scan.at < c->n && scan.quotes)
        if (!scan_string(&scan, c->s, c->n))
            return false;
    c->at = scan.at;
    return scan.quotes == 0;
}

bool er_chat_skip(struct er_chat_cursor *c)
{
    char ch = peek(c);
    if (ch == '"' || ch == '\'')
        return skip_string(c);
    if (ch == '{' || ch == '[' || ch == '(') {
        struct er_chat_scan scan = {0};
        size_t len = er_chat_scan(&scan, c->s + c->at, c->n - c->at);
        c->at += len;
        return len > 0;
    }
    size_t from = c->at;
    while (c->at < c->n && c->s[c->at] && !strchr(",}]) \t\r\n", c->s[c->at]))
        c->at++;
    return c->at > from;
}

/* --- rewriting as JSON */

static bool value(struct er_chat_cursor *c, struct er_buf *out, int depth);

static bool string_value(struct er_chat_cursor *c, struct er_buf *out)
{
    struct er_buf text;
    er_buf_init(&text, c->n + 1);
    bool ok = er_chat_string(c, &text) &&
              er_json_add_string(out, er_buf_str(&text), text.len);
    if (text.failed) { /* no memory: not the same as no string */
        er_buf_release(out);
        out->failed = true;
    }
    er_buf_release(&text);
    return ok;
}

static size_t digits(struct er_chat_cursor *c, struct er_buf *out)
{
    size_t n = 0;
    for (; digit(peek(c)) || (n > 0 && peek(c) == '_'); c->at++)
        if (c->s[c->at] != '_') {
            er_buf_addc(out, c->s[c->at]);
            n++;
        }
    return n;
}

/* Zeros in front of other digits are not JSON's, nor Python's. */
static bool number_value(struct er_chat_cursor *c, struct er_buf *out)
{
    if (er_chat_take(c, '-'))
        er_buf_addc(out, '-');
    else
        er_chat_take(c, '+');
    bool zero = peek(c) == '0';
    size_t whole = digits(c, out), part = 0;
    if (whole == 0)
        er_buf_addc(out, '0');
    if (zero && whole > 1)
        return false;
    if (er_chat_take(c, '.')) {
        er_buf_addc(out, '.');
        part = digits(c, out);
        if (part == 0)
            er_buf_addc(out, '0');
    }
    if (whole + part == 0)
        return false;
    if (er_chat_take(c, 'e') || er_chat_take(c, 'E')) {
        er_buf_addc(out, 'e');
        if (er_chat_take(c, '-'))
            er_buf_addc(out, '-');
        else
            er_chat_take(c, '+');
        return digits(c, out) > 0;
    }
    return true;
}

static bool word_value(struct er_chat_cursor *c, struct er_buf *out)
{
    static const char *const words[][2] = {{"True", "true"},
        {"False", "false"}, {"None", "null"}, {"true", "true"},
        {"false", "false"}, {"null", "null"}};
    size_t len = er_chat_name(c);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (len == strlen(words[i][0]) &&
            memcmp(c->s + c->at, words[i][0], len) == 0) {
            c->at += len;
            return er_buf_adds(out, words[i][1]);
        }
    return false;
}

/* Elements up to the closing bracket; a comma may stand behind the last. */
static bool list_value(
    struct er_chat_cursor *c, struct er_buf *out, char close, int depth)
{
    c->at++;
    er_buf_addc(out, '[');
    for (size_t n = 0;; n++) {
        er_chat_space(c);
        if (er_chat_take(c, close))
            return er_buf_addc(out, ']');
        if (n > 0)
            er_buf_addc(out, ',');
        if (!value(c, out, depth))
            return false;
        er_chat_space(c);
        if (!er_chat_take(c, ',') && peek(c) != close)
            return false;
    }
}

static bool object_value(
    struct er_chat_cursor *c, struct er_buf *out, int depth)
{
    c->at++;
    er_buf_addc(out, '{');
    for (size_t n = 0;; n++) {
        er_chat_space(c);
        if (er_chat_take(c, '}'))
            return er_buf_addc(out, '}');
        if (n > 0)
            er_buf_addc(out, ',');
        if (!string_value(c, out))
            return false;
        er_chat_space(c);
        if (!er_chat_take(c, ':'))
            return false;
        er_buf_addc(out, ':');
        er_chat_space(c);
        if (!value(c, out, depth))
            return false;
        er_chat_space(c);
        if (!er_chat_take(c, ',') && peek(c) != '}')
            return false;
    }
}

static bool value(struct er_chat_cursor *c, struct er_buf *out, int depth)
{
    char ch = peek(c);
    if (depth >= MAX_DEPTH || out->failed)
        return false;
    if (ch == '"' || ch == '\'')
        return string_value(c, out);
    if (ch == '{')
        return object_value(c, out, depth + 1);
    if (ch == '[' || ch == '(')
        return list_value(c, out, ch == '[' ? ']' : ')', depth + 1);
    if (digit(ch) || (ch && strchr("+-.", ch)))
        return number_value(c, out);
    return word_value(c, out);
}

bool er_chat_value(struct er_chat_cursor *c, struct er_buf *out)
{
    return value(c, out, 0) && !out->failed;
}
