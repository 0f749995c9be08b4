/* Values of a running template: memory, kinds, order and equality. */
#include "engine/jinja_value.h"

#include "base/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct er_jv er_jv_fail(struct er_jrun *r, const char *fmt, ...)
{
    char text[200];
    va_list ap;
    if (r->failed)
        return er_jv_undefined(NULL);
    r->failed = true;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    er_text_trim_utf8(text);
    er_fail(r->err, ERRAND_SYNTAX, "template line %u: %s", r->line, text);
    if (r->err)
        r->err->at = r->line;
    return er_jv_undefined(NULL);
}

struct er_jv er_jv_nomem(struct er_jrun *r)
{
    if (!r->failed) {
        r->failed = true;
        er_nomem(r->err);
    }
    return er_jv_undefined(NULL);
}

static void too_much(struct er_jrun *r, const char *what, size_t limit)
{
    if (r->failed)
        return;
    er_jv_fail(r, "more than %zu %s; the template is not one for chats",
        limit, what);
    if (r->err)
        r->err->code = ERRAND_TOO_LARGE;
}

void *er_jv_alloc(struct er_jrun *r, size_t count, size_t size)
{
    if (r->failed)
        return NULL;
    size_t room = ER_JINJA_MAX_MEMORY - r->memory;
    if (size && count > room / size) {
        too_much(r, "bytes of memory", ER_JINJA_MAX_MEMORY);
        return NULL;
    }
    void *p = er_arena_alloc(&r->arena, count * size);
    if (!p)
        er_jv_nomem(r);
    r->memory += count * size + 16 > room ? room : count * size + 16;
    return p;
}

bool er_jv_step(struct er_jrun *r, size_t n)
{
    if (r->failed)
        return false;
    if (n > ER_JINJA_MAX_STEPS - r->steps) {
        too_much(r, "steps", ER_JINJA_MAX_STEPS);
        return false;
    }
    r->steps += n;
    return true;
}

bool er_jv_enter(struct er_jrun *r)
{
    r->depth++;
    if (r->depth > ER_JINJA_MAX_DEPTH)
        too_much(r, "levels of nesting", ER_JINJA_MAX_DEPTH);
    return !r->failed;
}

void er_jv_leave(struct er_jrun *r)
{
    r->depth--;
}

/* --- constructors */

struct er_jv er_jv_undefined(const char *name)
{
    return (struct er_jv){.kind = ER_J_UNDEFINED, .u.name = name};
}

struct er_jv er_jv_none(void)
{
    return (struct er_jv){.kind = ER_J_NONE};
}

struct er_jv er_jv_bool(bool b)
{
    return (struct er_jv){.kind = ER_J_BOOL, .u.b = b};
}

struct er_jv er_jv_int(int64_t i)
{
    return (struct er_jv){.kind = ER_J_INT, .u.i = i};
}

struct er_jv er_jv_float(double f)
{
    return (struct er_jv){.kind = ER_J_FLOAT, .u.f = f};
}

static struct er_jv str_of(struct er_jrun *r, const char *s,
    const unsigned char *t, size_t n)
{
    struct er_jstr *str = er_jv_alloc(r, 1, sizeof *str);
    if (!str)
        return er_jv_undefined(NULL);
    str->s = s;
    str->t = t;
    str->n = n;
    return (struct er_jv){.kind = ER_J_STR, .u.s = str};
}

struct er_jv er_jv_str(
    struct er_jrun *r, const char *s, size_t n, bool trusted)
{
    char *copy = er_jv_alloc(r, n + 1, 1);
    unsigned char *t = er_jv_alloc(r, n + 1, 1);
    if (!copy || !t)
        return er_jv_undefined(NULL);
    memcpy(copy, s, n);
    memset(t, trusted, n);
    return str_of(r, copy, t, n);
}

struct er_jv er_jv_text(struct er_jrun *r, const char *s)
{
    return er_jv_str(r, s, strlen(s), true);
}

struct er_jv er_jv_part(
    struct er_jrun *r, const struct er_jstr *s, size_t from, size_t to)
{
    to = to > s->n ? s->n : to;
    from = from > to ? to : from;
    return str_of(r, s->s + from, s->t + from, to - from);
}

struct er_jv er_jv_list(struct er_jrun *r, enum er_jkind kind)
{
    struct er_jlist *l = er_jv_alloc(r, 1, sizeof *l);
    if (!l)
        return er_jv_undefined(NULL);
    return (struct er_jv){.kind = kind, .u.l = l};
}

bool er_jv_push(struct er_jrun *r, struct er_jv list, struct er_jv v)
{
    if (r->failed)
        return false;
    /* The list is still being built, by whoever calls this. */
    struct er_jlist *l = (struct er_jlist *)(uintptr_t)list.u.l;
    if (l->n == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 8;
        struct er_jv *more = er_jv_alloc(r, cap, sizeof *more);
        if (!more)
            return false;
        if (l->n)
            memcpy(more, l->v, l->n * sizeof *more);
        l->v = more;
        l->cap = cap;
    }
    l->v[l->n++] = v;
    return true;
}

struct er_jv er_jv_dict(struct er_jrun *r, enum er_jkind kind)
{
    struct er_jdict *d = er_jv_alloc(r, 1, sizeof *d);
    if (!d)
        return er_jv_undefined(NULL);
    return (struct er_jv){.kind = kind, .u.d = d};
}

const struct er_jv *er_jv_find_name(
    const struct er_jdict *d, const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i < d->n; i++) {
        struct er_jv k = d->p[i].key;
        if (k.kind == ER_J_STR && k.u.s->n == n &&
            memcmp(k.u.s->s, name, n) == 0)
            return &d->p[i].value;
    }
    return NULL;
}

const struct er_jv *er_jv_find(
    struct er_jrun *r, const struct er_jdict *d, struct er_jv key)
{
    if (!er_jv_step(r, d->n / 8 + 1))
        return NULL;
    for (size_t i = 0; i < d->n; i++)
        if (er_jv_equal(r, d->p[i].key, key))
            return &d->p[i].value;
    return NULL;
}

bool er_jv_put(struct er_jrun *r, struct er_jv dict, struct er_jv key,
    struct er_jv value)
{
    if (r->failed)
        return false;
    struct er_jdict *d = dict.u.d;
    for (size_t i = 0; i < d->n; i++)
        if (er_jv_equal(r, d->p[i].key, key)) {
            d->p[i].value = value;
            return true;
        }
    if (!er_jv_step(r, d->n / 8 + 1))
        return false;
    if (d->n == d->cap) {
        size_t cap = d->cap ? d->cap * 2 : 8;
        struct er_jpair *more = er_jv_alloc(r, cap, sizeof *more);
        if (!more)
            return false;
        if (d->n)
            memcpy(more, d->p, d->n * sizeof *more);
        d->p = more;
        d->cap = cap;
    }
    d->p[d->n++] = (struct er_jpair){key, value};
    return true;
}

static struct er_jv json_object_of(
    struct er_jrun *r, const json_t *v, bool trusted)
{
    const char *key;
    json_t *item;
    struct er_jv out = er_jv_dict(r, ER_J_DICT);
    json_object_foreach((json_t *)(uintptr_t)v, key, item) {
        struct er_jv k = er_jv_str(r, key, strlen(key), trusted);
        if (!er_jv_put(r, out, k, er_jv_json(r, item, trusted)))
            break;
    }
    return out;
}

static struct er_jv json_array_of(
    struct er_jrun *r, const json_t *v, bool trusted)
{
    size_t i;
    json_t *item;
    struct er_jv out = er_jv_list(r, ER_J_LIST);
    json_array_foreach(v, i, item)
        if (!er_jv_push(r, out, er_jv_json(r, item, trusted)))
            break;
    return out;
}

struct er_jv er_jv_json(struct er_jrun *r, const json_t *v, bool trusted)
{
    struct er_jv out = er_jv_none();
    if (!er_jv_enter(r) || !er_jv_step(r, 1)) {
        er_jv_leave(r);
        return out;
    }
    if (json_is_boolean(v))
        out = er_jv_bool(json_is_true(v));
    else if (json_is_integer(v))
        out = er_jv_int(json_integer_value(v));
    else if (json_is_real(v))
        out = er_jv_float(json_real_value(v));
    else if (json_is_string(v))
        out = er_jv_str(
            r, json_string_value(v), json_string_length(v), trusted);
    else if (json_is_array(v))
        out = json_array_of(r, v, trusted);
    else if (json_is_object(v))
        out = json_object_of(r, v, trusted);
    er_jv_leave(r);
    return out;
}

/* --- questions */

bool er_jv_is(struct er_jv v, const char *text)
{
    return v.kind == ER_J_STR && v.u.s->n == strlen(text) &&
           memcmp(v.u.s->s, text, v.u.s->n) == 0;
}

bool er_jv_is_seq(struct er_jv v)
{
    return v.kind == ER_J_LIST || v.kind == ER_J_TUPLE;
}

bool er_jv_is_number(struct er_jv v)
{
    return v.kind == ER_J_BOOL || v.kind == ER_J_INT ||
           v.kind == ER_J_FLOAT;
}

double er_jv_double(struct er_jv v)
{
    return v.kind == ER_J_FLOAT ? v.u.f
        : v.kind == ER_J_BOOL   ? (double)v.u.b
                                : (double)v.u.i;
}

bool er_jv_truth(struct er_jv v)
{
    switch (v.kind) {
    case ER_J_UNDEFINED:
    case ER_J_NONE:
        return false;
    case ER_J_BOOL:
        return v.u.b;
    case ER_J_INT:
        return v.u.i != 0;
    case ER_J_FLOAT:
        return v.u.f < 0 || v.u.f > 0 || isnan(v.u.f);
    case ER_J_STR:
        return v.u.s->n > 0;
    case ER_J_LIST:
    case ER_J_TUPLE:
        return v.u.l->n > 0;
    case ER_J_DICT:
        return v.u.d->n > 0;
    default:
        return true;
    }
}

const char *er_jv_type(struct er_jv v)
{
    static const char *const names[] = {"Undefined", "NoneType", "bool",
        "int", "float", "str", "list", "tuple", "dict", "Namespace",
        "LoopContext", "Macro", "function", "method"};
    return names[v.kind];
}

static int64_t whole(struct er_jv v)
{
    return v.kind == ER_J_BOOL ? (int64_t)v.u.b : v.u.i;
}

static int number_order(struct er_jv a, struct er_jv b)
{
    if (a.kind != ER_J_FLOAT && b.kind != ER_J_FLOAT) {
        int64_t x = whole(a), y = whole(b);
        return (x > y) - (x < y);
    }
    double x = er_jv_double(a), y = er_jv_double(b);
    return (x > y) - (x < y);
}

static int str_order(const struct er_jstr *a, const struct er_jstr *b)
{
    size_t n = a->n < b->n ? a->n : b->n;
    int c = n ? memcmp(a->s, b->s, n) : 0;
    return c ? (c > 0) - (c < 0) : (a->n > b->n) - (a->n < b->n);
}

static bool dict_equal(
    struct er_jrun *r, const struct er_jdict *a, const struct er_jdict *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++) {
        const struct er_jv *other = er_jv_find(r, b, a->p[i].key);
        if (!other || !er_jv_equal(r, a->p[i].value, *other))
            return false;
    }
    return true;
}

static bool list_equal(
    struct er_jrun *r, const struct er_jlist *a, const struct er_jlist *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (!er_jv_equal(r, a->v[i], b->v[i]))
            return false;
    return true;
}

static bool deep_equal(struct er_jrun *r, struct er_jv a, struct er_jv b)
{
    bool yes = false;
    if (er_jv_enter(r) && er_jv_step(r, 1))
        yes = a.kind == ER_J_DICT ? dict_equal(r, a.u.d, b.u.d)
                                  : list_equal(r, a.u.l, b.u.l);
    er_jv_leave(r);
    return yes;
}

bool er_jv_equal(struct er_jrun *r, struct er_jv a, struct er_jv b)
{
    if (er_jv_is_number(a) && er_jv_is_number(b))
        return number_order(a, b) == 0 &&
               !(a.kind == ER_J_FLOAT && isnan(a.u.f)) &&
               !(b.kind == ER_J_FLOAT && isnan(b.u.f));
    if (a.kind != b.kind)
        return false;
    switch (a.kind) {
    case ER_J_UNDEFINED:
    case ER_J_NONE:
        return true;
    case ER_J_STR:
        return a.u.s->n == b.u.s->n &&
               (a.u.s->n == 0 ||
                   memcmp(a.u.s->s, b.u.s->s, a.u.s->n) == 0);
    case ER_J_LIST:
    case ER_J_TUPLE:
    case ER_J_DICT:
        return deep_equal(r, a, b);
    case ER_J_SPACE:
        return a.u.d == b.u.d;
    case ER_J_NATIVE:
        return a.u.native == b.u.native;
    default:
        return a.u.l == b.u.l;
    }
}

int er_jv_compare(struct er_jrun *r, struct er_jv a, struct er_jv b)
{
    int c = 0;
    if (er_jv_is_number(a) && er_jv_is_number(b))
        return number_order(a, b);
    if (a.kind == ER_J_STR && b.kind == ER_J_STR)
        return str_order(a.u.s, b.u.s);
    if (a.kind != b.kind || !er_jv_is_seq(a)) {
        er_jv_fail(r, "'%s' and '%s' have no order", er_jv_type(a),
            er_jv_type(b));
        return 0;
    }
    if (er_jv_enter(r))
        for (size_t i = 0; !c && i < a.u.l->n && i < b.u.l->n; i++)
            c = er_jv_compare(r, a.u.l->v[i], b.u.l->v[i]);
    er_jv_leave(r);
    return c ? c : (a.u.l->n > b.u.l->n) - (a.u.l->n < b.u.l->n);
}

const struct er_jlist *er_jv_items(struct er_jrun *r, struct er_jv v)
{
    struct er_jv out;
    if (er_jv_is_seq(v))
        return v.u.l;
    out = er_jv_list(r, ER_J_LIST);
    if (v.kind == ER_J_DICT || v.kind == ER_J_SPACE) {
        for (size_t i = 0; i < v.u.d->n; i++)
            er_jv_push(r, out, v.u.d->p[i].key);
    } else if (v.kind == ER_J_STR) {
        const struct er_jstr *s = v.u.s;
        for (size_t at = 0, len; at < s->n && !r->failed; at += len) {
            len = er_ju_len(s->s, s->n, at);
            er_jv_push(r, out, er_jv_part(r, s, at, at + len));
        }
    } else if (v.kind != ER_J_UNDEFINED) {
        er_jv_fail(r, "'%s' is not iterable", er_jv_type(v));
    }
    return r->failed ? NULL : out.u.l;
}
