/* Work on texts for filters and methods; who wrote which byte is kept. */
#include "engine/jinja_node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Latin, Greek and Cyrillic letters whose cases lie side by side; what else
 * Unicode knows stays as it is. */
static uint32_t other_case(uint32_t c, bool upper)
{
    if (c < 0x80) {
        uint32_t low = c | 32;
        return low >= 'a' && low <= 'z' ? (upper ? low - 32 : low) : c;
    }
    if (c >= 0xC0 && c <= 0xFE && (c | 32) != 0xF7)
        return upper ? (c >= 0xE0 ? c - 32 : c) : c | 32;
    if (upper && ((c >= 0x3B1 && c <= 0x3C9 && c != 0x3C2) ||
                     (c >= 0x430 && c <= 0x44F)))
        return c - 32;
    if (!upper && ((c >= 0x391 && c <= 0x3A9) ||
                      (c >= 0x410 && c <= 0x42F)))
        return c + 32;
    if (c >= 0x400 && c <= 0x45F && (c < 0x410 || c >= 0x450))
        return upper ? (c >= 0x450 ? c - 80 : c) : (c < 0x410 ? c + 80 : c);
    if (c >= 0x100 && c <= 0x137 && c != 0x130 && c != 0x131)
        return upper ? c & ~1u : c | 1;
    return c;
}

static bool is_upper(uint32_t c)
{
    return other_case(c, false) != c;
}

static bool is_letter(uint32_t c)
{
    return other_case(c, false) != c || other_case(c, true) != c;
}

struct er_jv er_jtext_case(
    struct er_jrun *r, const struct er_jstr *s, enum er_jcase how)
{
    struct er_jbuild b = {0};
    bool inside = false;
    for (size_t at = 0, len; at < s->n && er_jv_step(r, 1); at += len) {
        len = er_ju_len(s->s, s->n, at);
        uint32_t c = er_ju_code(s->s + at, len);
        bool upper = how == ER_JC_UPPER ||
                     (how == ER_JC_TITLE && !inside) ||
                     (how == ER_JC_CAPITALIZE && at == 0) ||
                     (how == ER_JC_SWAP && !is_upper(c));
        uint32_t d = other_case(c, upper);
        inside = is_letter(c);
        if (d == c || len > 2) {
            er_jb_part(r, &b, s, at, at + len);
            continue;
        }
        char u[2] = {(char)d, 0};
        if (len == 2) {
            u[0] = (char)(0xC0 | d >> 6);
            u[1] = (char)(0x80 | (d & 0x3F));
        }
        er_jb_add(r, &b, u, len, s->t[at]);
    }
    return er_jb_done(r, &b);
}

bool er_jtext_space(const char *s, size_t n, size_t at, size_t *len)
{
    *len = er_ju_len(s, n, at);
    uint32_t c = er_ju_code(s + at, *len);
    return (c >= 9 && c <= 13) || (c >= 28 && c <= 32) || c == 0x85 ||
           c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
           c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
           c == 0x3000;
}

static bool strips(const struct er_jstr *s, size_t at, size_t len,
    const struct er_jstr *chars)
{
    size_t n;
    if (!chars)
        return er_jtext_space(s->s, s->n, at, &n);
    for (size_t i = 0; i < chars->n; i += n) {
        n = er_ju_len(chars->s, chars->n, i);
        if (n == len && memcmp(chars->s + i, s->s + at, n) == 0)
            return true;
    }
    return false;
}

struct er_jv er_jtext_strip(struct er_jrun *r, const struct er_jstr *s,
    const struct er_jstr *chars, int side)
{
    size_t from = 0, to = s->n, len;
    while ((side & 1) && from < to) {
        len = er_ju_len(s->s, s->n, from);
        if (!strips(s, from, len, chars))
            break;
        from += len;
    }
    while ((side & 2) && to > from) {
        size_t at = to - 1;
        while (at > from && ((unsigned char)s->s[at] & 0xC0) == 0x80)
            at--;
        if (!strips(s, at, to - at, chars))
            break;
        to = at;
    }
    return er_jv_part(r, s, from, to);
}

size_t er_jtext_find(
    const struct er_jstr *s, const struct er_jstr *needle, size_t from)
{
    if (needle->n == 0)
        return from <= s->n ? from : SIZE_MAX;
    while (from < s->n && needle->n <= s->n - from) {
        const char *p = memchr(
            s->s + from, needle->s[0], s->n - from - needle->n + 1);
        if (!p)
            break;
        from = (size_t)(p - s->s);
        if (memcmp(p, needle->s, needle->n) == 0)
            return from;
        from++;
    }
    return SIZE_MAX;
}

/* '' is found before every character and at the end. */
static struct er_jv replace_empty(struct er_jrun *r, const struct er_jstr *s,
    const struct er_jstr *to, int64_t limit)
{
    struct er_jbuild b = {0};
    size_t at = 0, len;
    for (; at < s->n && er_jv_step(r, 1); at += len) {
        len = er_ju_len(s->s, s->n, at);
        if (limit < 0 || limit-- > 0)
            er_jb_str(r, &b, to);
        er_jb_part(r, &b, s, at, at + len);
    }
    if (limit != 0)
        er_jb_str(r, &b, to);
    return er_jb_done(r, &b);
}

struct er_jv er_jtext_replace(struct er_jrun *r, const struct er_jstr *s,
    const struct er_jstr *from, const struct er_jstr *to, int64_t limit)
{
    struct er_jbuild b = {0};
    size_t at = 0, next;
    if (from->n == 0)
        return replace_empty(r, s, to, limit);
    while (limit != 0 && er_jv_step(r, 1) &&
           (next = er_jtext_find(s, from, at)) != SIZE_MAX) {
        er_jb_part(r, &b, s, at, next);
        er_jb_str(r, &b, to);
        at = next + from->n;
        limit -= limit > 0;
    }
    er_jb_part(r, &b, s, at, s->n);
    return er_jb_done(r, &b);
}

/* --- splitting */

/* Pieces between runs of white space, at most limit cuts. */
static struct er_jv split_space(
    struct er_jrun *r, const struct er_jstr *s, int64_t limit)
{
    struct er_jv out = er_jv_list(r, ER_J_LIST);
    size_t at = 0, len = 0;
    while (er_jv_step(r, 1)) {
        while (at < s->n && er_jtext_space(s->s, s->n, at, &len))
            at += len;
        if (at >= s->n)
            break;
        size_t end = at;
        if (limit == 0)
            end = s->n;
        while (end < s->n && !er_jtext_space(s->s, s->n, end, &len))
            end += len;
        er_jv_push(r, out, er_jv_part(r, s, at, end));
        limit -= limit > 0;
        at = end;
    }
    return out;
}

static size_t find_last(
    const struct er_jstr *s, const struct er_jstr *sep, size_t end)
{
    if (sep->n > end)
        return SIZE_MAX;
    for (size_t at = end - sep->n + 1; at-- > 0;)
        if (memcmp(s->s + at, sep->s, sep->n) == 0)
            return at;
    return SIZE_MAX;
}

static struct er_jv split_right(struct er_jrun *r, const struct er_jstr *s,
    const struct er_jstr *sep, int64_t limit)
{
    struct er_jv back = er_jv_list(r, ER_J_LIST);
    struct er_jv out = er_jv_list(r, ER_J_LIST);
    size_t end = s->n, at;
    while (limit != 0 && er_jv_step(r, 1) &&
           (at = find_last(s, sep, end)) != SIZE_MAX) {
        er_jv_push(r, back, er_jv_part(r, s, at + sep->n, end));
        end = at;
        limit -= limit > 0;
    }
    er_jv_push(r, back, er_jv_part(r, s, 0, end));
    for (size_t i = r->failed ? 0 : back.u.l->n; i-- > 0;)
        er_jv_push(r, out, back.u.l->v[i]);
    return out;
}

struct er_jv er_jtext_split(struct er_jrun *r, const struct er_jstr *s,
    const struct er_jstr *sep, int64_t limit, bool from_right)
{
    if (!sep)
        return split_space(r, s, limit);
    if (sep->n == 0)
        return er_jv_fail(r, "split: the separator is empty");
    if (from_right)
        return split_right(r, s, sep, limit);
    struct er_jv out = er_jv_list(r, ER_J_LIST);
    size_t at = 0, next;
    while (limit != 0 && er_jv_step(r, 1) &&
           (next = er_jtext_find(s, sep, at)) != SIZE_MAX) {
        er_jv_push(r, out, er_jv_part(r, s, at, next));
        at = next + sep->n;
        limit -= limit > 0;
    }
    er_jv_push(r, out, er_jv_part(r, s, at, s->n));
    return out;
}

struct er_jv er_jtext_lines(
    struct er_jrun *r, const struct er_jstr *s, bool keep_ends)
{
    struct er_jv out = er_jv_list(r, ER_J_LIST);
    size_t at = 0;
    while (at < s->n && er_jv_step(r, 1)) {
        size_t end = at;
        while (end < s->n && s->s[end] != '\n' && s->s[end] != '\r')
            end++;
        size_t next = end + (end < s->n);
        if (next < s->n && s->s[end] == '\r' && s->s[next] == '\n')
            next++;
        er_jv_push(r, out, er_jv_part(r, s, at, keep_ends ? next : end));
        at = next;
    }
    return out;
}

/* --- formatting */

static struct er_jv field_value(struct er_jrun *r, const struct er_jstr *s,
    size_t from, size_t to, size_t *next, const struct er_jargs *a)
{
    char name[64];
    if (from == to) {
        if (*next >= a->n)
            return er_jv_fail(r, "format: too few values");
        return a->v[(*next)++];
    }
    if (to - from >= sizeof name)
        return er_jv_fail(r, "format: a field's name is too long");
    memcpy(name, s->s + from, to - from);
    name[to - from] = '\0';
    if (strspn(name, "0123456789") == to - from && to - from < 9) {
        size_t i = (size_t)atoi(name);
        return i < a->n ? a->v[i]
                        : er_jv_fail(r, "format: there is no value %zu", i);
    }
    const struct er_jv *v =
        a->named ? er_jv_find_name(a->named, name) : NULL;
    return v ? *v : er_jv_fail(r, "format: there is no '%s'", name);
}

struct er_jv er_jtext_format(struct er_jrun *r, const struct er_jstr *s,
    const struct er_jargs *a)
{
    struct er_jbuild b = {0};
    size_t next = 0;
    for (size_t at = 0; at < s->n && er_jv_step(r, 1); at++) {
        char c = s->s[at];
        bool twice = at + 1 < s->n && s->s[at + 1] == c;
        if ((c != '{' && c != '}') || twice) {
            at += (c == '{' || c == '}');
            er_jb_part(r, &b, s, at, at + 1);
            continue;
        }
        const char *close = c == '{'
            ? memchr(s->s + at, '}', s->n - at) : NULL;
        if (!close)
            return er_jv_fail(r, "format: a brace stands alone");
        size_t end = (size_t)(close - s->s);
        if (memchr(s->s + at, ':', end - at) ||
            memchr(s->s + at, '!', end - at))
            return er_jv_fail(r, "format: only {} and {name} are known");
        er_jb_show(r, &b, field_value(r, s, at + 1, end, &next, a));
        at = end;
    }
    return er_jb_done(r, &b);
}

/* One conversion of %: flags and width are those of C. */
static void percent_one(struct er_jrun *r, struct er_jbuild *b,
    const char *spec, char kind, struct er_jv v)
{
    char fmt[24], text[400];
    if (kind == 's' || kind == 'r') {
        if (kind == 's')
            er_jb_show(r, b, v);
        else
            er_jb_repr(r, b, v);
        return;
    }
    if (!er_jv_is_number(v)) {
        er_jv_fail(r, "%%%c needs a number, not '%s'", kind, er_jv_type(v));
        return;
    }
    if (strchr("dixX", kind)) {
        long long i = v.kind == ER_J_FLOAT ? (long long)v.u.f
            : v.kind == ER_J_BOOL ? (long long)v.u.b : (long long)v.u.i;
        snprintf(fmt, sizeof fmt, "%%%sll%c", spec, kind == 'i' ? 'd' : kind);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(text, sizeof text, fmt, i);
    } else {
        snprintf(fmt, sizeof fmt, "%%%s%c", spec, kind);
        snprintf(text, sizeof text, fmt, er_jv_double(v));
#pragma GCC diagnostic pop
    }
    er_jb_text(r, b, text);
}

/* A width or precision of three digits or more? */
static bool too_wide(const char *spec)
{
    size_t run = 0;
    for (; *spec && run < 3; spec++)
        run = *spec >= '0' && *spec <= '9' ? run + 1 : 0;
    return run >= 3;
}

struct er_jv er_jtext_percent(struct er_jrun *r, const struct er_jstr *s,
    const struct er_jargs *a)
{
    struct er_jbuild b = {0};
    size_t next = 0;
    for (size_t at = 0; at < s->n && er_jv_step(r, 1); at++) {
        char spec[12];
        size_t n = 0;
        if (s->s[at] != '%') {
            er_jb_part(r, &b, s, at, at + 1);
            continue;
        }
        at++;
        while (at < s->n && n < 8 && strchr("-+ #0123456789.", s->s[at]) &&
               s->s[at])
            spec[n++] = s->s[at++];
        spec[n] = '\0';
        if (at < s->n && s->s[at] == '%') {
            er_jb_text(r, &b, "%");
            continue;
        }
        if (at >= s->n || !s->s[at] || !strchr("srdixXfeEgG", s->s[at]) ||
            too_wide(spec))
            return er_jv_fail(r, "a %% conversion is not known");
        if (next >= a->n)
            return er_jv_fail(r, "too few values for %%");
        percent_one(r, &b, spec, s->s[at], a->v[next++]);
    }
    return er_jb_done(r, &b);
}
