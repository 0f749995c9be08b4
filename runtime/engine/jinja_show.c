/* Values as text: Python's str() and repr(), and json.dumps. */
#include "engine/jinja_value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- UTF-8 */

size_t er_ju_len(const char *s, size_t n, size_t at)
{
    unsigned char c = (unsigned char)s[at];
    size_t len = c < 0xC0 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
    return len > n - at ? n - at : len;
}

size_t er_ju_count(const char *s, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += ((unsigned char)s[i] & 0xC0) != 0x80;
    return count;
}

size_t er_ju_at(const char *s, size_t n, size_t k)
{
    size_t at = 0;
    while (k-- > 0 && at < n)
        at += er_ju_len(s, n, at);
    return at;
}

uint32_t er_ju_code(const char *s, size_t len)
{
    static const unsigned char mask[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    if (len == 0 || len > 4)
        return 0;
    uint32_t c = (unsigned char)s[0] & mask[len];
    for (size_t i = 1; i < len; i++)
        c = c << 6 | ((unsigned char)s[i] & 0x3F);
    return c;
}

/* --- building */

static bool make_room(struct er_jrun *r, struct er_jbuild *b, size_t n)
{
    if (r->failed)
        return false;
    if (n > ER_JINJA_MAX_OUTPUT - b->n) {
        er_jv_fail(r, "a text of more than %d bytes", ER_JINJA_MAX_OUTPUT);
        if (r->err)
            r->err->code = ERRAND_TOO_LARGE;
        return false;
    }
    if (b->n + n <= b->cap)
        return true;
    size_t cap = b->cap ? b->cap * 2 : 64;
    while (cap < b->n + n)
        cap *= 2;
    char *s = er_jv_alloc(r, cap, 1);
    unsigned char *t = er_jv_alloc(r, cap, 1);
    if (!s || !t)
        return false;
    if (b->n) {
        memcpy(s, b->s, b->n);
        memcpy(t, b->t, b->n);
    }
    b->s = s;
    b->t = t;
    b->cap = cap;
    return true;
}

bool er_jb_add(struct er_jrun *r, struct er_jbuild *b, const char *s,
    size_t n, bool trusted)
{
    if (n == 0 || !make_room(r, b, n))
        return !r->failed;
    memcpy(b->s + b->n, s, n);
    memset(b->t + b->n, trusted, n);
    b->n += n;
    return true;
}

bool er_jb_part(struct er_jrun *r, struct er_jbuild *b,
    const struct er_jstr *s, size_t from, size_t to)
{
    size_t n = to - from;
    if (n == 0 || !make_room(r, b, n))
        return !r->failed;
    memcpy(b->s + b->n, s->s + from, n);
    memcpy(b->t + b->n, s->t + from, n);
    b->n += n;
    return true;
}

bool er_jb_str(
    struct er_jrun *r, struct er_jbuild *b, const struct er_jstr *s)
{
    return er_jb_part(r, b, s, 0, s->n);
}

bool er_jb_text(struct er_jrun *r, struct er_jbuild *b, const char *s)
{
    return er_jb_add(r, b, s, strlen(s), true);
}

struct er_jv er_jb_done(struct er_jrun *r, const struct er_jbuild *b)
{
    struct er_jstr whole = {.s = b->s ? b->s : "",
        .t = b->t ? b->t : (const unsigned char *)"", .n = b->n};
    return er_jv_part(r, &whole, 0, whole.n);
}

/* --- numbers */

/* The shortest digits that read back as f, and the decimal exponent of the
 * first one. */
static size_t digits_of(double f, char digits[24], int *exponent)
{
    char text[48];
    size_t n = 0;
    for (int precision = 0; precision < 17; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, f);
        double back = strtod(text, NULL);
        if (!(back < f) && !(back > f))
            break;
    }
    for (const char *c = text; *c && *c != 'e'; c++)
        if (*c >= '0' && *c <= '9' && n < 23)
            digits[n++] = *c;
    digits[n] = '\0';
    *exponent = atoi(strchr(text, 'e') + 1);
    while (n > 1 && digits[n - 1] == '0')
        digits[--n] = '\0';
    return n;
}

void er_jv_float_text(double f, char out[40])
{
    char d[24];
    int e = 0;
    if (isnan(f) || isinf(f)) {
        snprintf(out, 40, "%s", isnan(f) ? "nan" : f < 0 ? "-inf" : "inf");
        return;
    }
    const char *sign = signbit(f) ? "-" : "";
    int n = (int)digits_of(fabs(f), d, &e);
    if (e < -4 || e >= 16)
        snprintf(out, 40, "%s%c%s%se%c%02d", sign, d[0], n > 1 ? "." : "",
            d + 1, e < 0 ? '-' : '+', abs(e));
    else if (e < 0)
        snprintf(out, 40, "%s0.%.*s%s", sign, -e - 1, "0000", d);
    else if (n <= e + 1)
        snprintf(out, 40, "%s%s%.*s.0", sign, d, e + 1 - n,
            "0000000000000000");
    else
        snprintf(out, 40, "%s%.*s.%s", sign, e + 1, d, d + e + 1);
}

/* --- repr */

static bool repr_char(struct er_jrun *r, struct er_jbuild *b,
    const struct er_jstr *s, size_t at, size_t len, char quote)
{
    char c = s->s[at], text[8];
    if (len > 1 || ((unsigned char)c >= 0x20 && c != 0x7F && c != '\\' &&
                       c != quote))
        return er_jb_part(r, b, s, at, at + len);
    if (c == '\n' || c == '\r' || c == '\t')
        snprintf(text, sizeof text, "\\%c",
            c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
    else if (c == '\\' || c == quote)
        snprintf(text, sizeof text, "\\%c", c);
    else
        snprintf(text, sizeof text, "\\x%02x", (unsigned char)c);
    return er_jb_add(r, b, text, strlen(text), s->t[at]);
}

static bool repr_str(
    struct er_jrun *r, struct er_jbuild *b, const struct er_jstr *s)
{
    bool single = s->n && memchr(s->s, '\'', s->n);
    bool both = single && memchr(s->s, '"', s->n);
    char quote = single && !both ? '"' : '\'';
    bool ok = er_jb_add(r, b, &quote, 1, true);
    for (size_t at = 0, len; ok && at < s->n; at += len) {
        len = er_ju_len(s->s, s->n, at);
        ok = repr_char(r, b, s, at, len, quote);
    }
    return ok && er_jb_add(r, b, &quote, 1, true);
}

static bool repr_dict(
    struct er_jrun *r, struct er_jbuild *b, const struct er_jdict *d)
{
    er_jb_text(r, b, "{");
    for (size_t i = 0; i < d->n && !r->failed; i++) {
        er_jb_text(r, b, i ? ", " : "");
        er_jb_repr(r, b, d->p[i].key);
        er_jb_text(r, b, ": ");
        er_jb_repr(r, b, d->p[i].value);
    }
    return er_jb_text(r, b, "}");
}

static bool repr_list(struct er_jrun *r, struct er_jbuild *b,
    const struct er_jlist *l, bool tuple)
{
    er_jb_text(r, b, tuple ? "(" : "[");
    for (size_t i = 0; i < l->n && !r->failed; i++) {
        er_jb_text(r, b, i ? ", " : "");
        er_jb_repr(r, b, l->v[i]);
    }
    return er_jb_text(r, b, !tuple ? "]" : l->n == 1 ? ",)" : ")");
}

static bool repr_plain(
    struct er_jrun *r, struct er_jbuild *b, struct er_jv v)
{
    char text[64];
    switch (v.kind) {
    case ER_J_UNDEFINED:
        return er_jb_text(r, b, "Undefined");
    case ER_J_NONE:
        return er_jb_text(r, b, "None");
    case ER_J_BOOL:
        return er_jb_text(r, b, v.u.b ? "True" : "False");
    case ER_J_INT:
        snprintf(text, sizeof text, "%lld", (long long)v.u.i);
        return er_jb_text(r, b, text);
    case ER_J_FLOAT:
        er_jv_float_text(v.u.f, text);
        return er_jb_text(r, b, text);
    default:
        snprintf(text, sizeof text, "<%s>", er_jv_type(v));
        return er_jb_text(r, b, text);
    }
}

bool er_jb_repr(struct er_jrun *r, struct er_jbuild *b, struct er_jv v)
{
    bool ok = false;
    if (er_jv_enter(r) && er_jv_step(r, 1)) {
        if (v.kind == ER_J_STR)
            ok = repr_str(r, b, v.u.s);
        else if (v.kind == ER_J_DICT)
            ok = repr_dict(r, b, v.u.d);
        else if (er_jv_is_seq(v))
            ok = repr_list(r, b, v.u.l, v.kind == ER_J_TUPLE);
        else
            ok = repr_plain(r, b, v);
    }
    er_jv_leave(r);
    return ok;
}

bool er_jb_show(struct er_jrun *r, struct er_jbuild *b, struct er_jv v)
{
    if (v.kind == ER_J_STR)
        return er_jb_str(r, b, v.u.s);
    if (v.kind == ER_J_UNDEFINED)
        return !r->failed;
    return er_jb_repr(r, b, v);
}

struct er_jv er_jv_string(struct er_jrun *r, struct er_jv v)
{
    struct er_jbuild b = {0};
    if (v.kind == ER_J_STR)
        return v;
    er_jb_show(r, &b, v);
    return er_jb_done(r, &b);
}
