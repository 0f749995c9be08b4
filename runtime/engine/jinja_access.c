/* Reaching into values: attributes, items, slices; and calling what can be
 * called. An attribute that is not there is undefined; an attribute of what
 * is itself undefined is an error, as in jinja2. */
#include "engine/jinja_node.h"

#include <string.h>

static struct er_jv loop_item(const struct er_jloop *l, size_t at)
{
    return at < l->items->n ? l->items->v[at]
                            : er_jv_undefined("the loop's neighbour");
}

static struct er_jv loop_attr(
    struct er_jrun *r, struct er_jloop *l, const char *name)
{
    int64_t at = (int64_t)l->at, n = (int64_t)l->items->n;
    const struct {
        const char *name;
        int64_t i;
    } numbers[] = {{"index", at + 1}, {"index0", at}, {"revindex", n - at},
        {"revindex0", n - at - 1}, {"length", n},
        {"depth", (int64_t)l->depth}, {"depth0", (int64_t)l->depth - 1}};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (strcmp(name, numbers[i].name) == 0)
            return er_jv_int(numbers[i].i);
    if (strcmp(name, "first") == 0)
        return er_jv_bool(at == 0);
    if (strcmp(name, "last") == 0)
        return er_jv_bool(at + 1 == n);
    if (strcmp(name, "previtem") == 0)
        return loop_item(l, l->at - 1);
    if (strcmp(name, "nextitem") == 0)
        return loop_item(l, l->at + 1);
    struct er_jmethod *m = er_jv_alloc(r, 1, sizeof *m);
    if (!m || (strcmp(name, "cycle") != 0 && strcmp(name, "changed") != 0))
        return er_jv_undefined(name);
    m->self = (struct er_jv){.kind = ER_J_LOOP, .u.loop = l};
    m->name = name;
    return (struct er_jv){.kind = ER_J_METHOD, .u.method = m};
}

struct er_jv er_jrun_attr(
    struct er_jrun *r, struct er_jv v, const char *name)
{
    if (r->failed)
        return er_jv_undefined(NULL);
    if (v.kind == ER_J_UNDEFINED)
        return er_jv_fail(r, "'%.80s' is undefined",
            v.u.name ? v.u.name : "the value");
    if (v.kind == ER_J_LOOP)
        return loop_attr(r, v.u.loop, name);
    if (er_jinja_has_method(v, name)) {
        struct er_jmethod *m = er_jv_alloc(r, 1, sizeof *m);
        if (!m)
            return er_jv_undefined(NULL);
        m->self = v;
        m->name = name;
        return (struct er_jv){.kind = ER_J_METHOD, .u.method = m};
    }
    if (v.kind == ER_J_MACRO && strcmp(name, "name") == 0)
        return er_jv_text(r, v.u.macro->node->name);
    if (v.kind == ER_J_DICT || v.kind == ER_J_SPACE) {
        const struct er_jv *item = er_jv_find_name(v.u.d, name);
        if (item)
            return *item;
    }
    return er_jv_undefined(name);
}

static struct er_jv str_item(
    struct er_jrun *r, const struct er_jstr *s, int64_t i)
{
    int64_t n = (int64_t)er_ju_count(s->s, s->n);
    i = i < 0 ? i + n : i;
    if (i < 0 || i >= n)
        return er_jv_undefined("the character");
    size_t at = er_ju_at(s->s, s->n, (size_t)i);
    return er_jv_part(r, s, at, at + er_ju_len(s->s, s->n, at));
}

struct er_jv er_jrun_item(
    struct er_jrun *r, struct er_jv v, struct er_jv key)
{
    if (v.kind == ER_J_UNDEFINED)
        return er_jv_fail(r, "'%.80s' is undefined",
            v.u.name ? v.u.name : "the value");
    if (v.kind == ER_J_DICT || v.kind == ER_J_SPACE) {
        const struct er_jv *item = er_jv_find(r, v.u.d, key);
        if (item)
            return *item;
    }
    bool whole = key.kind == ER_J_INT || key.kind == ER_J_BOOL;
    int64_t i = key.kind == ER_J_BOOL ? (int64_t)key.u.b
        : whole ? key.u.i : 0;
    if (whole && er_jv_is_seq(v)) {
        i = i < 0 ? i + (int64_t)v.u.l->n : i;
        return i >= 0 && i < (int64_t)v.u.l->n
            ? v.u.l->v[i] : er_jv_undefined("the item");
    }
    if (whole && v.kind == ER_J_STR)
        return str_item(r, v.u.s, i);
    if (key.kind != ER_J_STR)
        return er_jv_undefined("the item");
    char *name = er_jv_alloc(r, key.u.s->n + 1, 1);
    if (!name)
        return er_jv_undefined(NULL);
    memcpy(name, key.u.s->s, key.u.s->n);
    return v.kind == ER_J_DICT ? er_jv_undefined(name)
                               : er_jrun_attr(r, v, name);
}

/* Python's slice.indices(): from, to and step for n items. */
static bool slice_range(struct er_jrun *r, const struct er_jv part[3],
    int64_t n, int64_t out[3])
{
    for (int i = 0; i < 3; i++)
        if (part[i].kind != ER_J_NONE && part[i].kind != ER_J_INT) {
            er_jv_fail(r, "a slice needs whole numbers, not '%s'",
                er_jv_type(part[i]));
            return false;
        }
    int64_t step = part[2].kind == ER_J_INT ? part[2].u.i : 1;
    int64_t low = step < 0 ? -1 : 0, high = step < 0 ? n - 1 : n;
    if (step == 0 || step == INT64_MIN) {
        er_jv_fail(r, "a slice's step cannot be zero");
        return false;
    }
    for (int i = 0; i < 2; i++) {
        int64_t x = (i == 0) == (step > 0) ? low : high;
        if (part[i].kind == ER_J_INT) {
            x = part[i].u.i;
            x = x < 0 ? (x < -n ? low : x + n) : x;
            x = x < low ? low : x > high ? high : x;
        }
        out[i] = x;
    }
    out[2] = step;
    return true;
}

struct er_jv er_jrun_slice(
    struct er_jrun *r, struct er_jv v, const struct er_jv part[3])
{
    int64_t at[3];
    if (v.kind == ER_J_UNDEFINED)
        return er_jv_fail(r, "'%.80s' is undefined",
            v.u.name ? v.u.name : "the value");
    if (v.kind != ER_J_STR && !er_jv_is_seq(v))
        return er_jv_fail(r, "a '%s' cannot be sliced", er_jv_type(v));
    const struct er_jlist *l = er_jv_items(r, v);
    if (!l || !slice_range(r, part, (int64_t)l->n, at))
        return er_jv_undefined(NULL);
    struct er_jv out = er_jv_list(r, v.kind == ER_J_STR ? ER_J_LIST : v.kind);
    struct er_jbuild b = {0};
    for (int64_t i = at[0];
         (at[2] > 0 ? i < at[1] : i > at[1]) && er_jv_step(r, 1);) {
        if (v.kind == ER_J_STR)
            er_jb_str(r, &b, l->v[i].u.s);
        else
            er_jv_push(r, out, l->v[i]);
        if (__builtin_add_overflow(i, at[2], &i))
            break;
    }
    return v.kind == ER_J_STR ? er_jb_done(r, &b) : out;
}

/* --- calls */

struct er_jv er_jargs_get(const struct er_jargs *a, size_t i,
    const char *name, struct er_jv fallback)
{
    if (i < a->n)
        return a->v[i];
    const struct er_jv *v =
        a->named && name ? er_jv_find_name(a->named, name) : NULL;
    return v ? *v : fallback;
}

static void named_arg(struct er_jrun *r, const struct er_jnode *n,
    struct er_jv list, struct er_jv dict)
{
    struct er_jv v = er_jrun_eval(r, n->a);
    if (r->failed)
        return;
    if (n->kind == ER_JN_KEYWORD) {
        er_jv_put(r, dict, er_jv_text(r, n->name), v);
    } else if (n->kind == ER_JN_STAR) {
        const struct er_jlist *l = er_jv_items(r, v);
        for (size_t i = 0; l && i < l->n; i++)
            er_jv_push(r, list, l->v[i]);
    } else if (v.kind == ER_J_DICT) {
        for (size_t i = 0; i < v.u.d->n; i++)
            er_jv_put(r, dict, v.u.d->p[i].key, v.u.d->p[i].value);
    } else {
        er_jv_fail(r, "** needs a dict, not '%s'", er_jv_type(v));
    }
}

bool er_jrun_args(
    struct er_jrun *r, const struct er_jnode *n, struct er_jargs *a)
{
    if (n->n == 0 && n->n_more == 0)
        return true;
    struct er_jv list = er_jv_list(r, ER_J_LIST);
    struct er_jv dict = er_jv_dict(r, ER_J_DICT);
    for (size_t i = 0; i < n->n && !r->failed; i++)
        er_jv_push(r, list, er_jrun_eval(r, n->list[i]));
    for (size_t i = 0; i < n->n_more && !r->failed; i++)
        named_arg(r, n->more[i], list, dict);
    if (r->failed)
        return false;
    a->v = list.u.l->v;
    a->n = list.u.l->n;
    a->named = dict.u.d->n ? dict.u.d : NULL;
    return true;
}

/* Parameters into the macro's frame; a default may use those before it. */
static void bind_parameters(struct er_jrun *r, const struct er_jnode *m,
    const struct er_jargs *a)
{
    size_t used = 0;
    for (size_t i = 0; i < m->n_more && !r->failed; i++) {
        const struct er_jnode *p = m->more[i];
        const struct er_jv *named =
            a->named ? er_jv_find_name(a->named, p->name) : NULL;
        struct er_jv v = er_jv_undefined(p->name);
        if (i < a->n)
            v = a->v[i];
        else if (named)
            v = *named;
        else if (p->a)
            v = er_jrun_eval(r, p->a);
        used += named != NULL;
        er_jrun_set(r, r->frame, p->name, v);
    }
    struct er_jv rest = er_jv_list(r, ER_J_TUPLE);
    for (size_t i = m->n_more; i < a->n && !r->failed; i++)
        er_jv_push(r, rest, a->v[i]);
    er_jrun_set(r, r->frame, "varargs", rest);
    struct er_jv kw = er_jv_dict(r, ER_J_DICT);
    if (!r->failed && a->named && used < a->named->n)
        for (size_t i = 0; i < a->named->n; i++)
            er_jv_put(r, kw, a->named->p[i].key, a->named->p[i].value);
    er_jrun_set(r, r->frame, "kwargs", kw);
}

static struct er_jv call_macro(struct er_jrun *r, const struct er_jmacro *m,
    const struct er_jargs *a, const struct er_jmacro *caller)
{
    struct er_jframe *outer = r->frame;
    struct er_jv v = er_jv_undefined(NULL);
    int flow = r->flow;
    if (er_jv_enter(r)) {
        r->frame = er_jrun_push(r, m->frame);
        bind_parameters(r, m->node, a);
        if (caller)
            er_jrun_set(r, r->frame, "caller",
                (struct er_jv){.kind = ER_J_MACRO, .u.macro = caller});
        if (!r->failed)
            v = er_jrun_capture(r, m->node->list, m->node->n);
        r->frame = outer;
        r->flow = flow;
    }
    er_jv_leave(r);
    return v;
}

static struct er_jv loop_method(struct er_jrun *r, struct er_jloop *l,
    const char *name, const struct er_jargs *a)
{
    if (strcmp(name, "cycle") == 0)
        return a->n ? a->v[l->at % a->n]
                    : er_jv_fail(r, "loop.cycle() needs a value");
    struct er_jv v = er_jargs_get(a, 0, NULL, er_jv_none());
    bool changed = !l->has_last || !er_jv_equal(r, l->last, v);
    l->has_last = true;
    l->last = v;
    return er_jv_bool(changed);
}

static struct er_jv call(struct er_jrun *r, struct er_jv fn,
    const struct er_jargs *a, const struct er_jmacro *caller)
{
    switch (fn.kind) {
    case ER_J_MACRO:
        return call_macro(r, fn.u.macro, a, caller);
    case ER_J_NATIVE:
        return er_jinja_native(r, fn.u.native, a);
    case ER_J_METHOD:
        if (fn.u.method->self.kind == ER_J_LOOP)
            return loop_method(
                r, fn.u.method->self.u.loop, fn.u.method->name, a);
        return er_jinja_method(r, fn.u.method->self, fn.u.method->name, a);
    case ER_J_LOOP:
        return er_jrun_loop(r, fn.u.loop,
            er_jargs_get(a, 0, NULL, er_jv_undefined(NULL)));
    case ER_J_UNDEFINED:
        return er_jv_fail(r, "'%.80s' is undefined",
            fn.u.name ? fn.u.name : "the function");
    default:
        return er_jv_fail(
            r, "a '%s' cannot be called", er_jv_type(fn));
    }
}

struct er_jv er_jrun_call(
    struct er_jrun *r, struct er_jv fn, const struct er_jargs *a)
{
    return call(r, fn, a, NULL);
}

struct er_jv er_jrun_call_node(struct er_jrun *r, const struct er_jnode *n,
    const struct er_jmacro *caller)
{
    struct er_jargs args = {0};
    struct er_jv fn = er_jrun_eval(r, n->a);
    if (r->failed || !er_jrun_args(r, n, &args))
        return er_jv_undefined(NULL);
    r->line = n->line;
    return call(r, fn, &args, caller);
}
