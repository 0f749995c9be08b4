/* Finding the holes, comparing around them, decoding what is in them. */
#include "model/template.h"

#include "base/text.h"

#include <stdint.h>
#include <string.h>

void er_template_init(struct er_template *t)
{
    *t = (struct er_template){0};
    er_buf_init(&t->fixed, ER_TEMPLATE_MAX);
}

void er_template_release(struct er_template *t)
{
    er_buf_release(&t->fixed);
    er_template_init(t);
}

/* ------------------------------------------------------------- decoding */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The code unit of \uXXXX at p, or -1. */
static int32_t unit_at(const char *p, const char *end)
{
    int32_t value = 0;
    if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
        return -1;
    for (int i = 2; i < 6; i++) {
        int d = hex_digit(p[i]);
        if (d < 0)
            return -1;
        value = value * 16 + d;
    }
    return value;
}

static char *put_utf8(char *out, uint32_t c)
{
    if (c < 0x80) {
        *out++ = (char)c;
    } else if (c < 0x800) {
        *out++ = (char)(0xC0 | c >> 6);
        *out++ = (char)(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        *out++ = (char)(0xE0 | c >> 12);
        *out++ = (char)(0x80 | (c >> 6 & 0x3F));
        *out++ = (char)(0x80 | (c & 0x3F));
    } else {
        *out++ = (char)(0xF0 | c >> 18);
        *out++ = (char)(0x80 | (c >> 12 & 0x3F));
        *out++ = (char)(0x80 | (c >> 6 & 0x3F));
        *out++ = (char)(0x80 | (c & 0x3F));
    }
    return out;
}

/* One \uXXXX, or a pair of them, at *p. False if it is not plain. */
static bool decode_unit(const char **p, const char *end, char **out)
{
    int32_t high = unit_at(*p, end);
    uint32_t c = (uint32_t)high;
    if (high <= 0 || (high >= 0xDC00 && high <= 0xDFFF))
        return false;
    *p += 6;
    if (high >= 0xD800 && high <= 0xDBFF) {
        int32_t low = unit_at(*p, end);
        if (low < 0xDC00 || low > 0xDFFF)
            return false;
        c = 0x10000 + ((uint32_t)(high - 0xD800) << 10) +
            (uint32_t)(low - 0xDC00);
        *p += 6;
    }
    *out = put_utf8(*out, c);
    return true;
}

static bool decode_escape(const char **p, const char *end, char **out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (end - *p < 2)
        return false;
    char c = (*p)[1];
    if (c == 'u')
        return decode_unit(p, end, out);
    const char *at = c ? strchr(from, c) : NULL;
    if (!at)
        return false;
    *(*out)++ = to[at - from];
    *p += 2;
    return true;
}

/* No literal is longer decoded than written. */
static bool decode(
    struct er_buf *scratch, const char *p, const char *end)
{
    er_buf_reset(scratch);
    if (!er_buf_reserve(scratch, (size_t)(end - p)))
        return false;
    char *out = scratch->data;
    while (p < end) {
        const char *escape = memchr(p, '\\', (size_t)(end - p));
        const char *stop = escape ? escape : end;
        memcpy(out, p, (size_t)(stop - p));
        out += stop - p;
        p = stop;
        if (escape && !decode_escape(&p, end, &out))
            return false;
    }
    scratch->len = (size_t)(out - scratch->data);
    *out = '\0';
    return true;
}

/* ------------------------------------------------------------- matching */

/* What a literal's bytes may hold besides plain ASCII. */
enum { HAS_ESCAPE = 1, HAS_HIGH = 2 };

/* The quote that ends the literal whose contents begin at p; NULL if there
 * is none or a control character stands before it. */
static const char *literal_end(const char *p, const char *end, int *holds)
{
    *holds = 0;
    for (; p < end; p++) {
        unsigned char c = (unsigned char)*p;
        if (c == '"')
            return p;
        if (c == '\\') {
            *holds |= HAS_ESCAPE;
            if (++p == end)
                return NULL;
            c = (unsigned char)*p;
        }
        if (c < 0x20)
            return NULL;
        if (c >= 0x80)
            *holds |= HAS_HIGH;
    }
    return NULL;
}

bool er_template_match(const struct er_template *t, const char *data,
    size_t len, struct er_buf *scratch, const char **text, size_t *text_len)
{
    const char *p = data, *end = data + len, *from = NULL, *to = NULL;
    const char *fixed = t->fixed.data;
    int text_holds = 0;
    for (size_t i = 0; i < t->holes; i++) {
        size_t n = t->piece[i];
        int holds;
        if ((size_t)(end - p) < n || memcmp(p, fixed, n) != 0)
            return false;
        p += n;
        fixed += n;
        const char *quote = literal_end(p, end, &holds);
        if (!quote)
            return false;
        if (i == t->text_hole) {
            from = p;
            to = quote;
            text_holds = holds;
        } else if (holds) {
            return false;
        }
        p = quote;
    }
    size_t last = t->piece[t->holes];
    if ((size_t)(end - p) != last || memcmp(p, fixed, last) != 0)
        return false;
    *text = from;
    *text_len = (size_t)(to - from);
    if ((text_holds & HAS_HIGH) &&
        er_utf8_valid_prefix(from, *text_len) != *text_len)
        return false;
    if (text_holds & HAS_ESCAPE) {
        if (!decode(scratch, from, to))
            return false;
        *text = scratch->data;
        *text_len = scratch->len;
    }
    return true;
}

/* ------------------------------------------------------------- learning */

struct hole {
    const char *from, *to; /* the literal's contents; NULL: none found */
};

static bool is_one_of(
    const char *from, const char *to, const char *const *names)
{
    size_t len = (size_t)(to - from);
    for (; *names; names++)
        if (strlen(*names) == len && memcmp(from, *names, len) == 0)
            return true;
    return false;
}

static const char *skip_space(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
        p++;
    return p;
}

/* Find the literals worth trying. What is found is only a guess: the proof
 * decides. */
static void find_holes(const char *data, size_t len, struct hole *text,
    struct hole *padding)
{
    static const char *const texts[] = {"content", "response",
        "reasoning_content", "reasoning", "text", NULL};
    static const char *const paddings[] = {"p", "obfuscation", NULL};
    const char *p = data, *end = data + len;
    int holds;
    while ((p = memchr(p, '"', (size_t)(end - p)))) {
        const char *key = p + 1, *quote = literal_end(key, end, &holds);
        if (!quote)
            return;
        p = skip_space(quote + 1, end);
        if (p == end || *p != ':')
            continue;
        p = skip_space(p + 1, end);
        if (p == end || *p != '"')
            continue;
        const char *value = p + 1, *close = literal_end(value, end, &holds);
        if (!close)
            return;
        if (is_one_of(key, quote, texts) &&
            (!text->from || text->from == text->to))
            *text = (struct hole){value, close};
        else if (is_one_of(key, quote, paddings) && !padding->from)
            *padding = (struct hole){value, close};
        p = close + 1;
    }
}

/* Lay out the template that this event has. */
static bool lay_out(
    struct er_template *t, const char *data, size_t len, bool reasoning)
{
    struct hole text = {0}, padding = {0};
    find_holes(data, len, &text, &padding);
    if (!text.from || text.from == text.to)
        return false;
    bool first = !padding.from || text.from < padding.from;
    struct hole order[] = {first ? text : padding, first ? padding : text};
    const char *p = data, *end = data + len;
    t->holes = padding.from ? 2 : 1;
    t->text_hole = first ? 0 : 1;
    t->reasoning = reasoning;
    for (size_t i = 0; i < t->holes; i++) {
        t->piece[i] = (size_t)(order[i].from - p);
        er_buf_add(&t->fixed, p, t->piece[i]);
        p = order[i].to;
    }
    t->piece[t->holes] = (size_t)(end - p);
    return er_buf_add(&t->fixed, p, (size_t)(end - p));
}

static bool alike(const struct er_template *a, const struct er_template *b)
{
    return a->holes == b->holes && a->text_hole == b->text_hole &&
           a->reasoning == b->reasoning &&
           memcmp(a->piece, b->piece, sizeof a->piece) == 0 &&
           a->fixed.len == b->fixed.len &&
           memcmp(a->fixed.data, b->fixed.data, a->fixed.len) == 0;
}

bool er_template_learn(
    struct er_template *t, const char *data, size_t len, bool reasoning)
{
    struct er_template now;
    if (len > ER_TEMPLATE_MAX)
        return false;
    er_template_init(&now);
    if (!lay_out(&now, data, len, reasoning)) {
        er_template_release(&now);
        return false;
    }
    if (t->holes > 0 && alike(t, &now)) {
        er_template_release(&now);
        return !t->proven && !t->refuted;
    }
    er_template_release(t);
    *t = now;
    return false;
}

bool er_template_fill(const struct er_template *t, const char *text,
    const char *padding, struct er_buf *out)
{
    const char *fixed = t->fixed.data;
    for (size_t i = 0; i < t->holes; i++) {
        er_buf_add(out, fixed, t->piece[i]);
        er_buf_adds(out, i == t->text_hole ? text : padding);
        fixed += t->piece[i];
    }
    return er_buf_add(out, fixed, t->piece[t->holes]);
}
