/* Expressions at work. */
#include "engine/jinja_node.h"

#include <math.h>
#include <string.h>

/* --- arithmetic */

static struct er_jv overflow(struct er_jrun *r)
{
    return er_jv_fail(r, "the number is too large");
}

static struct er_jv power(struct er_jrun *r, int64_t a, int64_t b)
{
    int64_t out = 1;
    if (b < 0)
        return er_jv_float(pow((double)a, (double)b));
    for (; b > 0; b--)
        if (!er_jv_step(r, 1) || __builtin_mul_overflow(out, a, &out))
            return overflow(r);
    return er_jv_int(out);
}

static struct er_jv whole_op(
    struct er_jrun *r, enum er_jop op, int64_t a, int64_t b)
{
    int64_t out = 0;
    if ((op == ER_JO_FLOOR || op == ER_JO_MOD) && b == 0)
        return er_jv_fail(r, "division by zero");
    switch (op) {
    case ER_JO_ADD:
        return __builtin_add_overflow(a, b, &out) ? overflow(r)
                                                  : er_jv_int(out);
    case ER_JO_SUB:
        return __builtin_sub_overflow(a, b, &out) ? overflow(r)
                                                  : er_jv_int(out);
    case ER_JO_MUL:
        return __builtin_mul_overflow(a, b, &out) ? overflow(r)
                                                  : er_jv_int(out);
    case ER_JO_FLOOR:
        if (b == -1)
            return a == INT64_MIN ? overflow(r) : er_jv_int(-a);
        out = a / b;
        return er_jv_int(out - ((a % b != 0) && ((a < 0) != (b < 0))));
    case ER_JO_MOD:
        if (b == -1)
            return er_jv_int(0);
        out = a % b;
        return er_jv_int(out && (out < 0) != (b < 0) ? out + b : out);
    default:
        return power(r, a, b);
    }
}

static struct er_jv real_op(
    struct er_jrun *r, enum er_jop op, double a, double b)
{
    bool zero = !(b < 0) && !(b > 0);
    if (zero && (op == ER_JO_DIV || op == ER_JO_FLOOR || op == ER_JO_MOD))
        return er_jv_fail(r, "division by zero");
    switch (op) {
    case ER_JO_ADD:
        return er_jv_float(a + b);
    case ER_JO_SUB:
        return er_jv_float(a - b);
    case ER_JO_MUL:
        return er_jv_float(a * b);
    case ER_JO_DIV:
        return er_jv_float(a / b);
    case ER_JO_FLOOR:
        return er_jv_float(floor(a / b));
    case ER_JO_MOD:
        return er_jv_float(a - floor(a / b) * b);
    default:
        return er_jv_float(pow(a, b));
    }
}

static struct er_jv repeat(struct er_jrun *r, struct er_jv v, int64_t times)
{
    struct er_jbuild b = {0};
    if (v.kind == ER_J_STR) {
        for (int64_t i = 0; i < times && er_jv_step(r, 1); i++)
            er_jb_str(r, &b, v.u.s);
        return er_jb_done(r, &b);
    }
    struct er_jv out = er_jv_list(r, v.kind);
    for (int64_t i = 0; i < times && er_jv_step(r, 1); i++)
        for (size_t k = 0; k < v.u.l->n && er_jv_step(r, 1); k++)
            er_jv_push(r, out, v.u.l->v[k]);
    return out;
}

/* What is "safe" stays so, and escapes what is added to it: functionary's
 * templates show their tools so. */
static struct er_jv joined_texts(
    struct er_jrun *r, struct er_jv a, struct er_jv b)
{
    struct er_jargs none = {0};
    struct er_jbuild out = {0};
    bool safe = a.u.s->safe || b.u.s->safe;
    if (safe && !a.u.s->safe)
        a = er_jinja_filter(r, "escape", a, &none);
    if (safe && !b.u.s->safe)
        b = er_jinja_filter(r, "escape", b, &none);
    if (r->failed)
        return a;
    er_jb_str(r, &out, a.u.s);
    er_jb_str(r, &out, b.u.s);
    struct er_jv v = er_jb_done(r, &out);
    return safe ? er_jinja_filter(r, "safe", v, &none) : v;
}

static struct er_jv joined(struct er_jrun *r, struct er_jv a, struct er_jv b)
{
    if (a.kind == ER_J_STR)
        return joined_texts(r, a, b);
    struct er_jv out = er_jv_list(r, a.kind);
    for (size_t i = 0; i < a.u.l->n && er_jv_step(r, 1); i++)
        er_jv_push(r, out, a.u.l->v[i]);
    for (size_t i = 0; i < b.u.l->n && er_jv_step(r, 1); i++)
        er_jv_push(r, out, b.u.l->v[i]);
    return out;
}

static struct er_jv bad_operands(
    struct er_jrun *r, struct er_jv a, struct er_jv b)
{
    struct er_jv u = a.kind == ER_J_UNDEFINED ? a : b;
    if (u.kind == ER_J_UNDEFINED)
        return er_jv_fail(r, "'%.80s' is undefined",
            u.u.name ? u.u.name : "the value");
    return er_jv_fail(r, "'%s' and '%s' do not go together here",
        er_jv_type(a), er_jv_type(b));
}

static int64_t whole(struct er_jv v)
{
    return v.kind == ER_J_BOOL ? (int64_t)v.u.b : v.u.i;
}

struct er_jv er_jrun_binary(
    struct er_jrun *r, enum er_jop op, struct er_jv a, struct er_jv b)
{
    bool a_whole = a.kind == ER_J_INT || a.kind == ER_J_BOOL;
    bool b_whole = b.kind == ER_J_INT || b.kind == ER_J_BOOL;
    bool a_many = a.kind == ER_J_STR || er_jv_is_seq(a);
    bool b_many = b.kind == ER_J_STR || er_jv_is_seq(b);
    if (r->failed)
        return er_jv_undefined(NULL);
    if (a_whole && b_whole && op != ER_JO_DIV)
        return whole_op(r, op, whole(a), whole(b));
    if (er_jv_is_number(a) && er_jv_is_number(b))
        return real_op(r, op, er_jv_double(a), er_jv_double(b));
    if (op == ER_JO_ADD && a_many && a.kind == b.kind)
        return joined(r, a, b);
    if (op == ER_JO_MUL && a_many && b_whole)
        return repeat(r, a, whole(b));
    if (op == ER_JO_MUL && b_many && a_whole)
        return repeat(r, b, whole(a));
    if (op == ER_JO_MOD && a.kind == ER_J_STR) {
        struct er_jv one = b;
        struct er_jargs args = {.v = &one, .n = 1};
        if (b.kind == ER_J_TUPLE)
            args = (struct er_jargs){.v = b.u.l->v, .n = b.u.l->n};
        return er_jtext_percent(r, a.u.s, &args);
    }
    return bad_operands(r, a, b);
}

static bool contains(struct er_jrun *r, struct er_jv all, struct er_jv v)
{
    if (all.kind == ER_J_STR) {
        if (v.kind != ER_J_STR) {
            bad_operands(r, v, all);
            return false;
        }
        return er_jtext_find(all.u.s, v.u.s, 0) != SIZE_MAX;
    }
    if (all.kind == ER_J_DICT || all.kind == ER_J_SPACE)
        return er_jv_find(r, all.u.d, v) != NULL;
    const struct er_jlist *l = er_jv_items(r, all);
    for (size_t i = 0; l && i < l->n && er_jv_step(r, 1); i++)
        if (er_jv_equal(r, l->v[i], v))
            return true;
    return false;
}

bool er_jrun_compare(
    struct er_jrun *r, enum er_jop op, struct er_jv a, struct er_jv b)
{
    if (r->failed)
        return false;
    switch (op) {
    case ER_JO_EQ:
        return er_jv_equal(r, a, b);
    case ER_JO_NE:
        return !er_jv_equal(r, a, b);
    case ER_JO_IN:
        return contains(r, b, a);
    case ER_JO_NOT_IN:
        return !contains(r, b, a);
    case ER_JO_LT:
        return er_jv_compare(r, a, b) < 0;
    case ER_JO_LE:
        return er_jv_compare(r, a, b) <= 0;
    case ER_JO_GT:
        return er_jv_compare(r, a, b) > 0;
    default:
        return er_jv_compare(r, a, b) >= 0;
    }
}

/* --- nodes */

static struct er_jv eval_list(
    struct er_jrun *r, const struct er_jnode *n, enum er_jkind kind)
{
    struct er_jv out = er_jv_list(r, kind);
    for (size_t i = 0; i < n->n && !r->failed; i++)
        er_jv_push(r, out, er_jrun_eval(r, n->list[i]));
    return out;
}

static bool hashable(struct er_jv v)
{
    if (v.kind == ER_J_TUPLE) {
        for (size_t i = 0; i < v.u.l->n; i++)
            if (!hashable(v.u.l->v[i]))
                return false;
        return true;
    }
    return v.kind != ER_J_LIST && v.kind != ER_J_DICT;
}

static struct er_jv eval_dict(struct er_jrun *r, const struct er_jnode *n)
{
    struct er_jv out = er_jv_dict(r, ER_J_DICT);
    for (size_t i = 0; i < n->n && !r->failed; i++) {
        struct er_jv key = er_jrun_eval(r, n->list[i]);
        struct er_jv v = er_jrun_eval(r, n->more[i]);
        if (!r->failed && !hashable(key))
            return er_jv_fail(
                r, "a '%s' cannot be a key", er_jv_type(key));
        er_jv_put(r, out, key, v);
    }
    return out;
}

static struct er_jv eval_compare(struct er_jrun *r, const struct er_jnode *n)
{
    struct er_jv left = er_jrun_eval(r, n->a);
    bool yes = true;
    for (size_t i = 0; yes && i < n->n_more && !r->failed; i++) {
        struct er_jv right = er_jrun_eval(r, n->more[i]->a);
        yes = er_jrun_compare(r, n->more[i]->op, left, right);
        left = right;
    }
    return er_jv_bool(yes);
}

static struct er_jv eval_concat(struct er_jrun *r, const struct er_jnode *n)
{
    struct er_jbuild b = {0};
    for (size_t i = 0; i < n->n && !r->failed; i++)
        er_jb_show(r, &b, er_jrun_eval(r, n->list[i]));
    return er_jb_done(r, &b);
}

static struct er_jv eval_slice(struct er_jrun *r, const struct er_jnode *n)
{
    struct er_jv v = er_jrun_eval(r, n->a);
    struct er_jv part[3] = {
        n->b ? er_jrun_eval(r, n->b) : er_jv_none(),
        n->c ? er_jrun_eval(r, n->c) : er_jv_none(),
        n->n ? er_jrun_eval(r, n->list[0]) : er_jv_none()};
    return r->failed ? er_jv_undefined(NULL) : er_jrun_slice(r, v, part);
}

static struct er_jv eval_applied(struct er_jrun *r, const struct er_jnode *n)
{
    struct er_jv v = n->a ? er_jrun_eval(r, n->a) : r->captured;
    struct er_jargs args = {0};
    if (r->failed || !er_jrun_args(r, n, &args))
        return er_jv_undefined(NULL);
    r->line = n->line;
    return n->kind == ER_JN_FILTER
        ? er_jinja_filter(r, n->name, v, &args)
        : er_jv_bool(er_jinja_test(r, n->name, v, &args));
}

static struct er_jv eval_sign(struct er_jrun *r, const struct er_jnode *n)
{
    struct er_jv v = er_jrun_eval(r, n->a);
    if (n->kind == ER_JN_POS && er_jv_is_number(v))
        return v;
    if (v.kind == ER_J_FLOAT)
        return er_jv_float(-v.u.f);
    return er_jrun_binary(r, ER_JO_SUB, er_jv_int(0), v);
}

static struct er_jv eval_cond(struct er_jrun *r, const struct er_jnode *n)
{
    if (er_jv_truth(er_jrun_eval(r, n->b)))
        return er_jrun_eval(r, n->a);
    return n->c && !r->failed ? er_jrun_eval(r, n->c)
                              : er_jv_undefined(NULL);
}

static struct er_jv eval_op(struct er_jrun *r, const struct er_jnode *n)
{
    struct er_jv a = er_jrun_eval(r, n->a);
    if (n->kind == ER_JN_NOT)
        return er_jv_bool(!er_jv_truth(a));
    if (n->kind == ER_JN_AND)
        return er_jv_truth(a) && !r->failed ? er_jrun_eval(r, n->b) : a;
    if (n->kind == ER_JN_OR)
        return er_jv_truth(a) || r->failed ? a : er_jrun_eval(r, n->b);
    struct er_jv b = er_jrun_eval(r, n->b);
    r->line = n->line;
    if (n->kind == ER_JN_ITEM)
        return r->failed ? b : er_jrun_item(r, a, b);
    return er_jrun_binary(r, n->op, a, b);
}

static struct er_jv eval_kind(struct er_jrun *r, const struct er_jnode *n)
{
    switch (n->kind) {
    case ER_JN_CONST:
        return n->value;
    case ER_JN_NAME:
        return er_jrun_get(r, n->name);
    case ER_JN_LIST:
        return eval_list(r, n, ER_J_LIST);
    case ER_JN_TUPLE:
        return eval_list(r, n, ER_J_TUPLE);
    case ER_JN_DICT:
        return eval_dict(r, n);
    case ER_JN_ATTR:
        return er_jrun_attr(r, er_jrun_eval(r, n->a), n->name);
    case ER_JN_SLICE:
        return eval_slice(r, n);
    case ER_JN_CALL:
        return er_jrun_call_node(r, n, NULL);
    case ER_JN_FILTER:
    case ER_JN_TEST:
        return eval_applied(r, n);
    case ER_JN_NEG:
    case ER_JN_POS:
        return eval_sign(r, n);
    case ER_JN_COMPARE:
        return eval_compare(r, n);
    case ER_JN_COND:
        return eval_cond(r, n);
    case ER_JN_CONCAT:
        return eval_concat(r, n);
    default:
        return eval_op(r, n);
    }
}

struct er_jv er_jrun_eval(struct er_jrun *r, const struct er_jnode *n)
{
    struct er_jv v = er_jv_undefined(NULL);
    r->line = n->line;
    if (er_jv_enter(r) && er_jv_step(r, 1))
        v = eval_kind(r, n);
    er_jv_leave(r);
    return r->failed ? er_jv_undefined(NULL) : v;
}
