/* Statements to trees. */
#include "engine/jinja_node.h"

#include <string.h>

const struct er_jtok *er_jparse_peek(const struct er_jparse *p)
{
    return &p->tok[p->at];
}

bool er_jparse_sees_op(const struct er_jparse *p, const char *op)
{
    const struct er_jtok *t = er_jparse_peek(p);
    return t->kind == ER_JT_OP && strcmp(t->s, op) == 0;
}

bool er_jparse_sees_name(const struct er_jparse *p, const char *name)
{
    const struct er_jtok *t = er_jparse_peek(p);
    return t->kind == ER_JT_NAME && strcmp(t->s, name) == 0;
}

bool er_jparse_op(struct er_jparse *p, const char *op)
{
    bool yes = !p->r->failed && er_jparse_sees_op(p, op);
    p->at += yes;
    return yes;
}

bool er_jparse_name(struct er_jparse *p, const char *name)
{
    bool yes = !p->r->failed && er_jparse_sees_name(p, name);
    p->at += yes;
    return yes;
}

void *er_jparse_want(struct er_jparse *p, const char *what)
{
    static const char *const kinds[] = {"the template's end", "text", "{{",
        "}}", "{%", "%}"};
    const struct er_jtok *t = er_jparse_peek(p);
    p->r->line = t->line;
    if (t->kind <= ER_JT_BLOCK_END)
        er_jv_fail(p->r, "expected %s, got %s", what, kinds[t->kind]);
    else if (t->kind == ER_JT_INT || t->kind == ER_JT_FLOAT)
        er_jv_fail(p->r, "expected %s, got a number", what);
    else
        er_jv_fail(p->r, "expected %s, got '%.*s'", what,
            t->n > 40 ? 40 : (int)t->n, t->s);
    return NULL;
}

bool er_jparse_need_op(struct er_jparse *p, const char *op)
{
    char what[8] = "'";
    if (p->r->failed || er_jparse_op(p, op))
        return !p->r->failed;
    memcpy(what + 1, op, strlen(op));
    what[strlen(op) + 1] = '\'';
    er_jparse_want(p, what);
    return false;
}

struct er_jnode *er_jparse_node(
    struct er_jparse *p, enum er_jnode_kind kind)
{
    struct er_jnode *n = er_jv_alloc(p->r, 1, sizeof *n);
    if (n) {
        n->kind = kind;
        n->line = er_jparse_peek(p)->line;
    }
    return n;
}

/* Arrays grow at powers of two. */
bool er_jparse_push(struct er_jparse *p, struct er_jnode ***list, size_t *n,
    struct er_jnode *node)
{
    if (!node || p->r->failed)
        return false;
    if ((*n & (*n - 1)) == 0) {
        struct er_jnode **more =
            er_jv_alloc(p->r, *n ? *n * 2 : 1, sizeof *more);
        if (!more)
            return false;
        if (*n)
            memcpy(more, *list, *n * sizeof *more);
        *list = more;
    }
    (*list)[(*n)++] = node;
    return true;
}

static bool block_end(struct er_jparse *p)
{
    if (p->r->failed)
        return false;
    if (er_jparse_peek(p)->kind != ER_JT_BLOCK_END) {
        er_jparse_want(p, "%}");
        return false;
    }
    p->at++;
    return true;
}

/* At {% and one of the names, separated by a blank? */
static bool at_end(const struct er_jparse *p, const char *ends)
{
    const struct er_jtok *t = er_jparse_peek(p);
    if (t->kind != ER_JT_BLOCK || t[1].kind != ER_JT_NAME)
        return false;
    for (const char *e = ends; *e; e += strcspn(e, " ") + (*e != '\0')) {
        size_t n = strcspn(e, " ");
        if (n == t[1].n && memcmp(e, t[1].s, n) == 0)
            return true;
        if (e[n] == '\0')
            break;
    }
    return false;
}

static struct er_jnode *statement(struct er_jparse *p);

static struct er_jnode *one(struct er_jparse *p)
{
    const struct er_jtok *t = er_jparse_peek(p);
    if (t->kind == ER_JT_DATA) {
        struct er_jnode *n = er_jparse_node(p, ER_JN_DATA);
        if (n)
            n->value = er_jv_str(p->r, t->s, t->n, true);
        p->at++;
        return n;
    }
    if (t->kind == ER_JT_VAR) {
        struct er_jnode *n = er_jparse_node(p, ER_JN_OUTPUT);
        p->at++;
        if (!n || !(n->a = er_jparse_tuple(p, true)))
            return NULL;
        if (er_jparse_peek(p)->kind != ER_JT_VAR_END)
            return er_jparse_want(p, "}}");
        p->at++;
        return n;
    }
    p->at++;
    return statement(p);
}

/* Nodes up to one of the ends; the end's name is taken. */
static bool body(struct er_jparse *p, const char *ends,
    struct er_jnode ***list, size_t *n)
{
    bool ok = er_jv_enter(p->r);
    while (ok && !at_end(p, ends)) {
        if (er_jparse_peek(p)->kind == ER_JT_END) {
            char what[64] = "{% ";
            size_t len = strcspn(ends, " ");
            memcpy(what + 3, ends, len);
            memcpy(what + 3 + len, " %}", 4);
            er_jparse_want(p, what);
            ok = false;
        } else {
            ok = er_jparse_push(p, list, n, one(p));
        }
    }
    er_jv_leave(p->r);
    p->at += ok ? 2 : 0;
    return ok;
}

static bool ended_by(const struct er_jparse *p, const char *name)
{
    return strcmp(p->tok[p->at - 1].s, name) == 0;
}

static struct er_jnode *if_statement(struct er_jparse *p)
{
    struct er_jnode *first = NULL, *last = NULL;
    do {
        struct er_jnode *n = er_jparse_node(p, ER_JN_IF);
        if (!n || !(n->a = er_jparse_tuple(p, true)) || !block_end(p) ||
            !body(p, "endif else elif", &n->list, &n->n))
            return NULL;
        if (last && !er_jparse_push(p, &last->more, &last->n_more, n))
            return NULL;
        first = first ? first : n;
        last = n;
    } while (ended_by(p, "elif"));
    if (ended_by(p, "else") &&
        (!block_end(p) || !body(p, "endif", &last->more, &last->n_more)))
        return NULL;
    return block_end(p) ? first : NULL;
}

static struct er_jnode *for_statement(struct er_jparse *p)
{
    struct er_jnode *n = er_jparse_node(p, ER_JN_FOR);
    if (!n || !(n->a = er_jparse_target(p, false)))
        return NULL;
    if (!er_jparse_name(p, "in"))
        return er_jparse_want(p, "in");
    if (!(n->b = er_jparse_tuple(p, false)))
        return NULL;
    if (er_jparse_name(p, "if") && !(n->c = er_jparse_expr(p, true)))
        return NULL;
    n->recursive = er_jparse_name(p, "recursive");
    if (!block_end(p) || !body(p, "endfor else", &n->list, &n->n))
        return NULL;
    if (ended_by(p, "else") &&
        (!block_end(p) || !body(p, "endfor", &n->more, &n->n_more)))
        return NULL;
    return block_end(p) ? n : NULL;
}

static struct er_jnode *set_statement(struct er_jparse *p)
{
    struct er_jnode *n = er_jparse_node(p, ER_JN_SET);
    if (!n || !(n->a = er_jparse_target(p, true)))
        return NULL;
    if (er_jparse_op(p, "=")) {
        n->b = er_jparse_tuple(p, true);
        return n->b && block_end(p) ? n : NULL;
    }
    if (er_jparse_op(p, "|") &&
        !er_jparse_push(
            p, &n->more, &n->n_more, er_jparse_filters(p, NULL)))
        return NULL;
    if (!block_end(p) || !body(p, "endset", &n->list, &n->n))
        return NULL;
    return block_end(p) ? n : NULL;
}

/* (a, b=1) */
static bool parameters(struct er_jparse *p, struct er_jnode *macro)
{
    bool more = !er_jparse_op(p, ")");
    while (more) {
        const struct er_jtok *t = er_jparse_peek(p);
        struct er_jnode *n = er_jparse_node(p, ER_JN_KEYWORD);
        if (!n)
            return false;
        if (t->kind != ER_JT_NAME) {
            er_jparse_want(p, "a parameter's name");
            return false;
        }
        n->name = t->s;
        p->at++;
        if (er_jparse_op(p, "=") && !(n->a = er_jparse_expr(p, true)))
            return false;
        if (!er_jparse_push(p, &macro->more, &macro->n_more, n))
            return false;
        more = er_jparse_op(p, ",") && !er_jparse_sees_op(p, ")");
        if (!more && !er_jparse_need_op(p, ")"))
            return false;
    }
    return true;
}

static struct er_jnode *macro_statement(struct er_jparse *p)
{
    struct er_jnode *n = er_jparse_node(p, ER_JN_MACRO);
    const struct er_jtok *t = er_jparse_peek(p);
    if (t->kind != ER_JT_NAME)
        return er_jparse_want(p, "a macro's name");
    p->at++;
    if (!n || !er_jparse_need_op(p, "(") || !parameters(p, n) ||
        !block_end(p) || !body(p, "endmacro", &n->list, &n->n))
        return NULL;
    n->name = t->s;
    return block_end(p) ? n : NULL;
}

static struct er_jnode *call_statement(struct er_jparse *p)
{
    struct er_jnode *n = er_jparse_node(p, ER_JN_CALL_BLOCK);
    struct er_jnode *caller = er_jparse_node(p, ER_JN_MACRO);
    if (!n || !caller || (er_jparse_op(p, "(") && !parameters(p, caller)) ||
        !(n->a = er_jparse_expr(p, true)))
        return NULL;
    if (n->a->kind != ER_JN_CALL)
        return er_jparse_want(p, "a call of a macro before it");
    caller->name = "caller";
    n->b = caller;
    if (!block_end(p) || !body(p, "endcall", &caller->list, &caller->n))
        return NULL;
    return block_end(p) ? n : NULL;
}

static struct er_jnode *filter_statement(struct er_jparse *p)
{
    struct er_jnode *n = er_jparse_node(p, ER_JN_FILTER_BLOCK);
    if (!n ||
        !er_jparse_push(
            p, &n->more, &n->n_more, er_jparse_filters(p, NULL)) ||
        !block_end(p) || !body(p, "endfilter", &n->list, &n->n))
        return NULL;
    return block_end(p) ? n : NULL;
}

static struct er_jnode *with_statement(struct er_jparse *p)
{
    struct er_jnode *n = er_jparse_node(p, ER_JN_WITH);
    bool more = n && er_jparse_peek(p)->kind != ER_JT_BLOCK_END;
    while (more) {
        struct er_jnode *set = er_jparse_node(p, ER_JN_SET);
        if (!set || !(set->a = er_jparse_target(p, false)) ||
            !er_jparse_need_op(p, "=") ||
            !(set->b = er_jparse_expr(p, true)) ||
            !er_jparse_push(p, &n->more, &n->n_more, set))
            return NULL;
        more = er_jparse_op(p, ",");
    }
    if (!n || !block_end(p) || !body(p, "endwith", &n->list, &n->n))
        return NULL;
    return block_end(p) ? n : NULL;
}

/* {% generation %}: transformers marks what the model wrote. */
static struct er_jnode *generation(struct er_jparse *p)
{
    struct er_jnode *n = er_jparse_node(p, ER_JN_BODY);
    if (!n || !block_end(p) || !body(p, "endgeneration", &n->list, &n->n))
        return NULL;
    return block_end(p) ? n : NULL;
}

static struct er_jnode *jump(struct er_jparse *p, enum er_jnode_kind kind)
{
    struct er_jnode *n = er_jparse_node(p, kind);
    return n && block_end(p) ? n : NULL;
}

static struct er_jnode *statement(struct er_jparse *p)
{
    if (er_jparse_name(p, "if"))
        return if_statement(p);
    if (er_jparse_name(p, "for"))
        return for_statement(p);
    if (er_jparse_name(p, "set"))
        return set_statement(p);
    if (er_jparse_name(p, "macro"))
        return macro_statement(p);
    if (er_jparse_name(p, "call"))
        return call_statement(p);
    if (er_jparse_name(p, "filter"))
        return filter_statement(p);
    if (er_jparse_name(p, "with"))
        return with_statement(p);
    if (er_jparse_name(p, "generation"))
        return generation(p);
    if (er_jparse_name(p, "break"))
        return jump(p, ER_JN_BREAK);
    if (er_jparse_name(p, "continue"))
        return jump(p, ER_JN_CONTINUE);
    return er_jparse_want(p, "a statement that chat templates use");
}

struct er_jnode *er_jparse_template(struct er_jparse *p)
{
    struct er_jnode *n = er_jparse_node(p, ER_JN_BODY);
    while (n && !p->r->failed && er_jparse_peek(p)->kind != ER_JT_END)
        if (!er_jparse_push(p, &n->list, &n->n, one(p)))
            return NULL;
    return p->r->failed ? NULL : n;
}
