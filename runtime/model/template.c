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

/* The end of the digits at p, and their value; NULL unless they are 1 to 15
 * and begin with no 0. */
static const char *number_end(
    const char *p, const char *end, int64_t *value)
{
    const char *from = p;
    int64_t n = 0;
    for (; p < end && *p >= '0' && *p <= '9' && p - from < 16; p++)
        n = n * 10 + (*p - '0');
    *value = n;
    return p > from && p - from < 16 && *from != '0' ? p : NULL;
}

static bool take_text(const char *from, const char *to, int holds,
    struct er_buf *scratch, struct er_filling *filling)
{
    size_t len = (size_t)(to - from);
    if ((holds & HAS_HIGH) && er_utf8_valid_prefix(from, len) != len)
        return false;
    filling->text = from;
    filling->text_len = len;
    if (holds & HAS_ESCAPE) {
        if (!decode(scratch, from, to))
            return false;
        filling->text = scratch->data;
        filling->text_len = scratch->len;
    }
    return true;
}

bool er_template_match(const struct er_template *t, const char *data,
    size_t len, struct er_buf *scratch, struct er_filling *filling)
{
    const char *p = data, *end = data + len, *fixed = t->fixed.data;
    const char *from = NULL, *to = NULL;
    int text_holds = 0, holds;
    for (size_t i = 0; i < t->holes; i++) {
        size_t n = t->piece[i];
        if ((size_t)(end - p) < n || memcmp(p, fixed, n) != 0)
            return false;
        fixed += n;
        from = t->hole[i] == ER_HOLE_TEXT ? p + n : from;
        if (t->hole[i] == ER_HOLE_NUMBER)
            p = number_end(p + n, end, &filling->number[i]);
        else
            p = literal_end(p + n, end, &holds);
        if (!p || (t->hole[i] == ER_HOLE_PADDING && holds))
            return false;
        if (t->hole[i] == ER_HOLE_TEXT) {
            to = p;
            text_holds = holds;
        }
    }
    size_t last = t->piece[t->holes];
    if (!from || (size_t)(end - p) != last || memcmp(p, fixed, last) != 0)
        return false;
    return take_text(from, to, text_holds, scratch, filling);
}

/* ------------------------------------------------------------- learning */

struct place {
    const char *from, *to; /* what stands in the hole */
    enum er_hole kind;
};

/* The holes of one event, in their order. */
struct places {
    struct place list[ER_TEMPLATE_HOLES];
    size_t n;
    bool full_text; /* one is the text, with something in it */
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

static void add_place(struct places *all, struct place place)
{
    if (all->n < ER_TEMPLATE_HOLES)
        all->list[all->n++] = place;
}

/* The first text that is not empty is the hole for it. */
static void add_text(struct places *all, struct place place)
{
    if (place.from == place.to || all->full_text)
        return;
    all->full_text = all->n < ER_TEMPLATE_HOLES;
    add_place(all, place);
}

/* A member with its key and the place where its value begins. Returns where
 * to go on, NULL if the event is no JSON. */
static const char *see_member(struct places *all, const char *key,
    const char *key_end, const char *value, const char *end)
{
    static const char *const texts[] = {"content", "response", "arguments",
        "reasoning_content", "reasoning", "text", NULL};
    static const char *const paddings[] = {"p", "obfuscation", NULL};
    static const char *const numbers[] = {"prompt_tokens",
        "completion_tokens", "total_tokens", "cached_tokens",
        "reasoning_tokens", "created", NULL};
    int holds;
    if (value < end && *value == '"') {
        const char *close = literal_end(value + 1, end, &holds);
        if (close && is_one_of(key, key_end, texts))
            add_text(all, (struct place){value + 1, close, ER_HOLE_TEXT});
        else if (close && is_one_of(key, key_end, paddings))
            add_place(all,
                (struct place){value + 1, close, ER_HOLE_PADDING});
        return close ? close + 1 : NULL;
    }
    int64_t n;
    const char *stop = number_end(value, end, &n);
    if (stop && stop < end && !strchr(".eE", *stop) &&
        is_one_of(key, key_end, numbers))
        add_place(all, (struct place){value, stop, ER_HOLE_NUMBER});
    return value;
}

static void find_places(const char *data, size_t len, struct places *all)
{
    const char *p = data, *end = data + len;
    int holds;
    while (p && (p = memchr(p, '"', (size_t)(end - p)))) {
        const char *key = p + 1, *quote = literal_end(key, end, &holds);
        if (!quote)
            return;
        p = skip_space(quote + 1, end);
        if (p < end && *p == ':')
            p = see_member(all, key, quote, skip_space(p + 1, end), end);
    }
}

/* Lay out the template that this event has. */
static bool lay_out(struct er_template *t, const char *data, size_t len)
{
    struct places all = {0};
    const char *p = data, *end = data + len;
    find_places(data, len, &all);
    if (!all.full_text)
        return false;
    t->holes = all.n;
    for (size_t i = 0; i < all.n; i++) {
        t->hole[i] = all.list[i].kind;
        t->piece[i] = (size_t)(all.list[i].from - p);
        er_buf_add(&t->fixed, p, t->piece[i]);
        p = all.list[i].to;
    }
    t->piece[t->holes] = (size_t)(end - p);
    return er_buf_add(&t->fixed, p, (size_t)(end - p));
}

static bool alike(const struct er_template *a, const struct er_template *b)
{
    return a->holes == b->holes && a->fixed.len == b->fixed.len &&
           memcmp(a->hole, b->hole, sizeof a->hole) == 0 &&
           memcmp(a->piece, b->piece, sizeof a->piece) == 0 &&
           memcmp(a->fixed.data, b->fixed.data, a->fixed.len) == 0;
}

void er_template_learn(
    struct er_template *t, const char *data, size_t len)
{
    struct er_template now;
    if (len > ER_TEMPLATE_MAX)
        return;
    er_template_init(&now);
    if (!lay_out(&now, data, len)) {
        er_template_release(&now);
        return;
    }
    if (t->holes > 0 && alike(t, &now)) {
        er_template_release(&now);
    } else {
        er_template_release(t);
        *t = now;
    }
    t->seen++;
}

bool er_template_fill(const struct er_template *t, const char *text,
    const char *padding, unsigned base, struct er_buf *out)
{
    const char *fixed = t->fixed.data;
    for (size_t i = 0; i < t->holes; i++) {
        er_buf_add(out, fixed, t->piece[i]);
        fixed += t->piece[i];
        if (t->hole[i] == ER_HOLE_NUMBER)
            er_buf_addf(out, "%u", base + (unsigned)i);
        else
            er_buf_adds(out, t->hole[i] == ER_HOLE_TEXT ? text : padding);
    }
    return er_buf_add(out, fixed, t->piece[t->holes]);
}
