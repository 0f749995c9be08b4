/* The front: compile, render, and the global functions. */
#include "engine/jinja.h"

#include "base/text.h"
#include "engine/jinja_node.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

er_jinja *er_jinja_compile(
    const char *text, size_t len, struct errand_error *err)
{
    if (len > ER_JINJA_MAX_SOURCE) {
        er_fail(err, ERRAND_TOO_LARGE,
            "a template of %zu bytes: at most %d are read", len,
            ER_JINJA_MAX_SOURCE);
        return NULL;
    }
    er_jinja *t = calloc(1, sizeof *t);
    if (!t) {
        er_nomem(err);
        return NULL;
    }
    er_arena_init(&t->keep.arena);
    t->keep.err = err;
    struct er_jparse p = {.r = &t->keep};
    p.tok = er_jinja_lex(&t->keep, text, len, &p.n);
    t->body = p.tok ? er_jparse_template(&p) : NULL;
    t->keep.err = NULL;
    if (t->body)
        return t;
    er_jinja_free(t);
    return NULL;
}

void er_jinja_free(er_jinja *t)
{
    if (!t)
        return;
    er_arena_release(&t->keep.arena);
    free(t);
}

static bool is_trusted(const char *const *names, const char *name)
{
    for (; names && *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

static bool set_vars(struct er_jrun *r, const struct er_jinja_input *in)
{
    const char *key;
    json_t *item;
    r->top = r->frame = er_jrun_push(r, NULL);
    json_object_foreach((json_t *)(uintptr_t)in->vars, key, item)
        er_jrun_set(r, r->top, key,
            er_jv_json(r, item, is_trusted(in->trusted, key)));
    /* Variables stand below the template's own, in a frame of theirs. */
    r->frame = er_jrun_push(r, r->top);
    return !r->failed;
}

static int hand_out(struct er_jrun *r, const struct er_jbuild *b,
    struct er_prompt *out)
{
    size_t from = 0;
    for (size_t at = 1; at <= b->n; at++) {
        if (at < b->n && b->t[at] == b->t[from])
            continue;
        if (!er_prompt_add(out, b->s + from, at - from, b->t[from]))
            return out->text.no_memory
                ? er_nomem(r->err)
                : er_fail(r->err, ERRAND_TOO_LARGE,
                      "a prompt of more than %d bytes", ER_PROMPT_MAX);
        from = at;
    }
    return ERRAND_OK;
}

int er_jinja_render(const er_jinja *t, const struct er_jinja_input *in,
    struct er_prompt *out, struct errand_error *err)
{
    struct errand_error mine = {0};
    struct er_jbuild b = {0};
    struct er_jrun r = {.err = err ? err : &mine, .now_s = in->now_s,
        .out = &b, .line = 1};
    er_arena_init(&r.arena);
    int rc = ERRAND_OK;
    if (set_vars(&r, in))
        er_jrun_body(&r, t->body->list, t->body->n);
    if (r.failed)
        rc = r.err->code;
    else
        rc = hand_out(&r, &b, out);
    er_arena_release(&r.arena);
    return rc;
}

/* --- global functions */

static struct er_jv range(struct er_jrun *r, const struct er_jargs *a)
{
    int64_t at[3] = {0, 0, 1};
    for (size_t i = 0; i < a->n && i < 3; i++) {
        if (a->v[i].kind != ER_J_INT)
            return er_jv_fail(r, "range: a '%s' is no whole number",
                er_jv_type(a->v[i]));
        at[i] = a->v[i].u.i;
    }
    if (a->n < 2) {
        at[1] = a->n ? at[0] : 0;
        at[0] = 0;
    }
    if (at[2] == 0)
        return er_jv_fail(r, "range: the step cannot be zero");
    struct er_jv out = er_jv_list(r, ER_J_LIST);
    if (fabs((double)at[1] - (double)at[0]) / fabs((double)at[2]) > 1e5)
        return er_jv_fail(r, "range: more than 100000 numbers");
    for (int64_t i = at[0];
         (at[2] > 0 ? i < at[1] : i > at[1]) && er_jv_step(r, 1);) {
        er_jv_push(r, out, er_jv_int(i));
        if (__builtin_add_overflow(i, at[2], &i))
            break;
    }
    return out;
}

/* A dict or namespace of named arguments, or of one dict. */
static struct er_jv dict_of(
    struct er_jrun *r, const struct er_jargs *a, enum er_jkind kind)
{
    struct er_jv out = er_jv_dict(r, kind);
    if (a->n && a->v[0].kind == ER_J_DICT)
        for (size_t i = 0; i < a->v[0].u.d->n; i++)
            er_jv_put(r, out, a->v[0].u.d->p[i].key,
                a->v[0].u.d->p[i].value);
    for (size_t i = 0; a->named && i < a->named->n; i++)
        er_jv_put(r, out, a->named->p[i].key, a->named->p[i].value);
    return out;
}

static struct er_jv now(struct er_jrun *r, const struct er_jargs *a)
{
    struct er_jv v = er_jargs_get(a, 0, "format", er_jv_none());
    time_t t = (time_t)r->now_s;
    struct tm tm;
    char fmt[64], text[256];
    if (v.kind != ER_J_STR || v.u.s->n >= sizeof fmt || !gmtime_r(&t, &tm))
        return er_jv_fail(r, "strftime_now needs a short format");
    memcpy(fmt, v.u.s->s, v.u.s->n);
    fmt[v.u.s->n] = '\0';
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    size_t n = strftime(text, sizeof text, fmt, &tm);
#pragma GCC diagnostic pop
    return er_jv_str(r, text, n, true);
}

static struct er_jv raise(struct er_jrun *r, const struct er_jargs *a)
{
    struct er_jv v = er_jv_string(
        r, er_jargs_get(a, 0, "message", er_jv_text(r, "")));
    struct er_buf b;
    if (r->failed)
        return v;
    er_buf_init(&b, 4096);
    er_text_plain(&b, v.u.s->s, v.u.s->n > 150 ? 150 : v.u.s->n);
    v = b.no_memory ? er_jv_nomem(r) : er_jv_fail(r, "%s", er_buf_str(&b));
    er_buf_release(&b);
    return v;
}

int er_jinja_native_named(const char *name)
{
    static const char *const names[] = {"range", "dict", "namespace",
        "strftime_now", "raise_exception"};
    for (int i = 0; i < 5; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return -1;
}

struct er_jv er_jinja_native(
    struct er_jrun *r, int which, const struct er_jargs *a)
{
    switch (which) {
    case 0:
        return range(r, a);
    case 1:
        return dict_of(r, a, ER_J_DICT);
    case 2:
        return dict_of(r, a, ER_J_SPACE);
    case 3:
        return now(r, a);
    default:
        return raise(r, a);
    }
}
