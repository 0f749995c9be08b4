/* Statements at work: output, conditions, loops, assignments, macros. */
#include "engine/jinja_node.h"

#include <string.h>

static void exec(struct er_jrun *r, const struct er_jnode *n);

struct er_jframe *er_jrun_push(struct er_jrun *r, struct er_jframe *outer)
{
    struct er_jframe *f = er_jv_alloc(r, 1, sizeof *f);
    struct er_jv vars = er_jv_dict(r, ER_J_SPACE);
    if (!f || r->failed)
        return NULL;
    f->outer = outer;
    f->vars = vars.u.d;
    return f;
}

void er_jrun_set(struct er_jrun *r, struct er_jframe *f, const char *name,
    struct er_jv v)
{
    if (r->failed || !f)
        return;
    struct er_jv vars = {.kind = ER_J_SPACE, .u.d = f->vars};
    struct er_jv *old =
        (struct er_jv *)(uintptr_t)er_jv_find_name(f->vars, name);
    if (old)
        *old = v;
    else
        er_jv_put(r, vars, er_jv_text(r, name), v);
}

struct er_jv er_jrun_get(struct er_jrun *r, const char *name)
{
    for (const struct er_jframe *f = r->frame; f; f = f->outer) {
        if (!er_jv_step(r, f->vars->n / 8 + 1))
            break;
        const struct er_jv *v = er_jv_find_name(f->vars, name);
        if (v)
            return *v;
    }
    int native = er_jinja_native_named(name);
    if (native >= 0)
        return (struct er_jv){.kind = ER_J_NATIVE, .u.native = native};
    return er_jv_undefined(name);
}

void er_jrun_body(
    struct er_jrun *r, struct er_jnode *const *list, size_t n)
{
    for (size_t i = 0; i < n && !r->failed && r->flow == ER_JF_ON; i++)
        exec(r, list[i]);
}

struct er_jv er_jrun_capture(
    struct er_jrun *r, struct er_jnode *const *list, size_t n)
{
    struct er_jbuild b = {0}, *outer = r->out;
    r->out = &b;
    er_jrun_body(r, list, n);
    r->out = outer;
    return er_jb_done(r, &b);
}

static void set_attribute(
    struct er_jrun *r, const struct er_jnode *target, struct er_jv v)
{
    struct er_jv space = er_jrun_eval(r, target->a);
    if (r->failed)
        return;
    if (space.kind != ER_J_SPACE) {
        er_jv_fail(r, "cannot set '%.60s' of a '%s': only of a namespace",
            target->name ? target->name : "", er_jv_type(space));
        return;
    }
    er_jv_put(r, space, er_jv_text(r, target->name), v);
}

void er_jrun_bind(
    struct er_jrun *r, const struct er_jnode *target, struct er_jv v)
{
    if (target->kind == ER_JN_NAME) {
        er_jrun_set(r, r->frame, target->name, v);
        return;
    }
    if (target->kind == ER_JN_ATTR) {
        set_attribute(r, target, v);
        return;
    }
    if (target->kind != ER_JN_TUPLE) {
        er_jv_fail(r, "nothing can be assigned here");
        return;
    }
    const struct er_jlist *items = er_jv_items(r, v);
    if (items && items->n != target->n)
        er_jv_fail(r, "%zu values for %zu names", items->n, target->n);
    for (size_t i = 0; i < target->n && !r->failed; i++)
        er_jrun_bind(r, target->list[i], items->v[i]);
}

/* --- loops */

/* What passes the loop's condition; the target is bound to ask it. */
static const struct er_jlist *filtered(struct er_jrun *r,
    const struct er_jnode *n, const struct er_jlist *items)
{
    if (!n->c)
        return items;
    struct er_jv out = er_jv_list(r, ER_J_LIST);
    struct er_jframe *outer = r->frame;
    for (size_t i = 0; i < items->n && er_jv_step(r, 1); i++) {
        r->frame = er_jrun_push(r, outer);
        er_jrun_bind(r, n->a, items->v[i]);
        if (!r->failed && er_jv_truth(er_jrun_eval(r, n->c)))
            er_jv_push(r, out, items->v[i]);
    }
    r->frame = outer;
    return r->failed ? NULL : out.u.l;
}

static void turn(struct er_jrun *r, const struct er_jnode *n,
    struct er_jloop *loop, struct er_jframe *outer)
{
    struct er_jv v = {.kind = ER_J_LOOP, .u.loop = loop};
    r->frame = er_jrun_push(r, outer);
    er_jrun_bind(r, n->a, loop->items->v[loop->at]);
    er_jrun_set(r, r->frame, "loop", v);
    if (!r->failed)
        er_jrun_body(r, n->list, n->n);
}

static void run_loop(struct er_jrun *r, const struct er_jnode *n,
    const struct er_jlist *all, size_t depth)
{
    struct er_jframe *outer = r->frame;
    struct er_jloop *loop = er_jv_alloc(r, 1, sizeof *loop);
    const struct er_jlist *items = all ? filtered(r, n, all) : NULL;
    if (!loop || !items)
        return;
    loop->items = items;
    loop->depth = depth;
    loop->node = n;
    loop->frame = outer;
    for (; loop->at < items->n && er_jv_step(r, 1); loop->at++) {
        turn(r, n, loop, outer);
        int flow = r->flow;
        r->flow = ER_JF_ON;
        if (flow == ER_JF_BREAK)
            break;
    }
    r->frame = outer;
    if (items->n == 0)
        er_jrun_body(r, n->more, n->n_more);
}

struct er_jv er_jrun_loop(
    struct er_jrun *r, struct er_jloop *outer, struct er_jv items)
{
    struct er_jbuild b = {0}, *out = r->out;
    struct er_jframe *frame = r->frame;
    if (!outer->node->recursive)
        return er_jv_fail(r, "loop() needs a loop that is 'recursive'");
    if (er_jv_enter(r)) {
        r->out = &b;
        r->frame = outer->frame;
        run_loop(r, outer->node, er_jv_items(r, items), outer->depth + 1);
        r->out = out;
        r->frame = frame;
    }
    er_jv_leave(r);
    return er_jb_done(r, &b);
}

/* --- the other statements */

static void exec_if(struct er_jrun *r, const struct er_jnode *n)
{
    bool yes = er_jv_truth(er_jrun_eval(r, n->a));
    if (r->failed)
        return;
    if (yes)
        er_jrun_body(r, n->list, n->n);
    else
        er_jrun_body(r, n->more, n->n_more);
}

/* Body, then the filters that stand over it. */
static struct er_jv captured(struct er_jrun *r, const struct er_jnode *n)
{
    struct er_jframe *outer = r->frame;
    r->frame = er_jrun_push(r, outer);
    struct er_jv v = er_jrun_capture(r, n->list, n->n);
    r->frame = outer;
    if (n->n_more && !r->failed) {
        r->captured = v;
        v = er_jrun_eval(r, n->more[0]);
    }
    return v;
}

static void exec_set(struct er_jrun *r, const struct er_jnode *n)
{
    struct er_jv v = n->b ? er_jrun_eval(r, n->b) : captured(r, n);
    if (!r->failed)
        er_jrun_bind(r, n->a, v);
}

static void exec_macro(struct er_jrun *r, const struct er_jnode *n)
{
    struct er_jmacro *m = er_jv_alloc(r, 1, sizeof *m);
    if (!m)
        return;
    m->node = n;
    m->frame = r->frame;
    er_jrun_set(r, r->frame, n->name,
        (struct er_jv){.kind = ER_J_MACRO, .u.macro = m});
}

static void exec_call(struct er_jrun *r, const struct er_jnode *n)
{
    struct er_jmacro *caller = er_jv_alloc(r, 1, sizeof *caller);
    if (!caller)
        return;
    caller->node = n->b;
    caller->frame = r->frame;
    struct er_jv v = er_jrun_call_node(r, n->a, caller);
    if (!r->failed)
        er_jb_show(r, r->out, v);
}

static void exec_with(struct er_jrun *r, const struct er_jnode *n)
{
    struct er_jframe *outer = r->frame;
    r->frame = er_jrun_push(r, outer);
    for (size_t i = 0; i < n->n_more && !r->failed; i++)
        exec_set(r, n->more[i]);
    if (!r->failed)
        er_jrun_body(r, n->list, n->n);
    r->frame = outer;
}

static void exec_kind(struct er_jrun *r, const struct er_jnode *n)
{
    switch (n->kind) {
    case ER_JN_DATA:
        er_jb_str(r, r->out, n->value.u.s);
        break;
    case ER_JN_OUTPUT:
        er_jb_show(r, r->out, er_jrun_eval(r, n->a));
        break;
    case ER_JN_IF:
        exec_if(r, n);
        break;
    case ER_JN_FOR:
        run_loop(r, n, er_jv_items(r, er_jrun_eval(r, n->b)), 1);
        break;
    case ER_JN_SET:
        exec_set(r, n);
        break;
    case ER_JN_MACRO:
        exec_macro(r, n);
        break;
    case ER_JN_CALL_BLOCK:
        exec_call(r, n);
        break;
    case ER_JN_FILTER_BLOCK:
        er_jb_show(r, r->out, captured(r, n));
        break;
    case ER_JN_WITH:
        exec_with(r, n);
        break;
    case ER_JN_BREAK:
        r->flow = ER_JF_BREAK;
        break;
    case ER_JN_CONTINUE:
        r->flow = ER_JF_CONTINUE;
        break;
    default:
        er_jrun_body(r, n->list, n->n);
    }
}

static void exec(struct er_jrun *r, const struct er_jnode *n)
{
    r->line = n->line;
    if (er_jv_enter(r) && er_jv_step(r, 1))
        exec_kind(r, n);
    er_jv_leave(r);
}
