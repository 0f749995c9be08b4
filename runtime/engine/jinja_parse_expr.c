/* Expressions to trees, with jinja2's precedence. */
#include "engine/jinja_node.h"

#include <string.h>

static struct er_jnode *unary(struct er_jparse *p, bool filters);

static struct er_jnode *node1(
    struct er_jparse *p, enum er_jnode_kind kind, struct er_jnode *a)
{
    struct er_jnode *n = er_jparse_node(p, kind);
    if (n)
        n->a = a;
    return a ? n : NULL;
}

static struct er_jnode *node2(struct er_jparse *p, enum er_jnode_kind kind,
    struct er_jnode *a, struct er_jnode *b)
{
    struct er_jnode *n = node1(p, kind, a);
    if (n)
        n->b = b;
    return b ? n : NULL;
}

static struct er_jnode *constant(struct er_jparse *p, struct er_jv v)
{
    struct er_jnode *n = er_jparse_node(p, ER_JN_CONST);
    if (n)
        n->value = v;
    return n;
}

/* --- what a value begins with */

static struct er_jnode *name_node(struct er_jparse *p)
{
    static const struct {
        const char *name;
        enum er_jkind kind;
        bool b;
    } words[] = {{"true", ER_J_BOOL, true}, {"True", ER_J_BOOL, true},
        {"false", ER_J_BOOL, false}, {"False", ER_J_BOOL, false},
        {"none", ER_J_NONE, false}, {"None", ER_J_NONE, false}};
    const struct er_jtok *t = er_jparse_peek(p);
    p->at++;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(t->s, words[i].name) == 0)
            return constant(p, words[i].kind == ER_J_NONE
                    ? er_jv_none() : er_jv_bool(words[i].b));
    struct er_jnode *n = er_jparse_node(p, ER_JN_NAME);
    if (n)
        n->name = t->s;
    return n;
}

static struct er_jnode *string_node(struct er_jparse *p)
{
    struct er_jbuild b = {0};
    for (const struct er_jtok *t = er_jparse_peek(p);
         t->kind == ER_JT_STRING; t = er_jparse_peek(p)) {
        er_jb_add(p->r, &b, t->s, t->n, true);
        p->at++;
    }
    return constant(p, er_jb_done(p->r, &b));
}

static struct er_jnode *list_node(struct er_jparse *p)
{
    struct er_jnode *n = er_jparse_node(p, ER_JN_LIST);
    bool more = n && !er_jparse_op(p, "]");
    while (more) {
        if (!er_jparse_push(p, &n->list, &n->n, er_jparse_expr(p, true)))
            return NULL;
        more = er_jparse_op(p, ",") && !er_jparse_sees_op(p, "]");
        if (!more && !er_jparse_need_op(p, "]"))
            return NULL;
    }
    return n;
}

static struct er_jnode *dict_node(struct er_jparse *p)
{
    struct er_jnode *n = er_jparse_node(p, ER_JN_DICT);
    bool more = n && !er_jparse_op(p, "}");
    while (more) {
        if (!er_jparse_push(p, &n->list, &n->n, er_jparse_expr(p, true)) ||
            !er_jparse_need_op(p, ":") ||
            !er_jparse_push(
                p, &n->more, &n->n_more, er_jparse_expr(p, true)))
            return NULL;
        more = er_jparse_op(p, ",") && !er_jparse_sees_op(p, "}");
        if (!more && !er_jparse_need_op(p, "}"))
            return NULL;
    }
    return n;
}

static struct er_jnode *primary(struct er_jparse *p)
{
    const struct er_jtok *t = er_jparse_peek(p);
    if (t->kind == ER_JT_NAME)
        return name_node(p);
    if (t->kind == ER_JT_STRING)
        return string_node(p);
    if (t->kind == ER_JT_INT || t->kind == ER_JT_FLOAT) {
        p->at++;
        return constant(p, t->kind == ER_JT_INT ? er_jv_int(t->i)
                                                : er_jv_float(t->f));
    }
    if (er_jparse_op(p, "(")) {
        if (er_jparse_op(p, ")"))
            return er_jparse_node(p, ER_JN_TUPLE);
        struct er_jnode *n = er_jparse_tuple(p, true);
        return n && er_jparse_need_op(p, ")") ? n : NULL;
    }
    if (er_jparse_op(p, "["))
        return list_node(p);
    if (er_jparse_op(p, "{"))
        return dict_node(p);
    return er_jparse_want(p, "a value");
}

/* --- what may stand behind one */

static struct er_jnode *slice_part(struct er_jparse *p, bool *fail)
{
    if (er_jparse_sees_op(p, ":") || er_jparse_sees_op(p, "]") ||
        er_jparse_sees_op(p, ","))
        return NULL;
    struct er_jnode *n = er_jparse_expr(p, true);
    *fail = *fail || !n;
    return n;
}

/* One entry of [...]: a value, or a slice. */
static struct er_jnode *subscript_item(struct er_jparse *p, bool *slice)
{
    bool fail = false;
    struct er_jnode *first = slice_part(p, &fail);
    *slice = !fail && er_jparse_op(p, ":");
    if (!*slice)
        return first ? first : er_jparse_want(p, "an index");
    struct er_jnode *n = er_jparse_node(p, ER_JN_SLICE);
    if (!n)
        return NULL;
    n->b = first;
    n->c = slice_part(p, &fail);
    if (er_jparse_op(p, ":")) {
        struct er_jnode *step = slice_part(p, &fail);
        if (step && !er_jparse_push(p, &n->list, &n->n, step))
            return NULL;
    }
    return fail ? NULL : n;
}

static struct er_jnode *subscript(struct er_jparse *p, struct er_jnode *a)
{
    struct er_jnode *tuple = er_jparse_node(p, ER_JN_TUPLE);
    bool slice = false, more = tuple && !er_jparse_op(p, "]");
    while (more) {
        struct er_jnode *item = subscript_item(p, &slice);
        if (slice && (tuple->n || er_jparse_sees_op(p, ",")))
            return er_jparse_want(p, "a slice that stands alone");
        if (!er_jparse_push(p, &tuple->list, &tuple->n, item))
            return NULL;
        more = er_jparse_op(p, ",") && !er_jparse_sees_op(p, "]");
        if (!more && !er_jparse_need_op(p, "]"))
            return NULL;
    }
    if (!tuple)
        return NULL;
    if (tuple->n == 1 && slice) {
        tuple->list[0]->a = a;
        return tuple->list[0];
    }
    return node2(p, ER_JN_ITEM, a, tuple->n == 1 ? tuple->list[0] : tuple);
}

static struct er_jnode *member(struct er_jparse *p, struct er_jnode *a)
{
    const struct er_jtok *t = er_jparse_peek(p);
    p->at++;
    if (t->kind == ER_JT_INT)
        return node2(p, ER_JN_ITEM, a, constant(p, er_jv_int(t->i)));
    if (t->kind != ER_JT_NAME) {
        p->at--;
        return er_jparse_want(p, "a name behind '.'");
    }
    struct er_jnode *n = node1(p, ER_JN_ATTR, a);
    if (n)
        n->name = t->s;
    return n;
}

static struct er_jnode *one_arg(struct er_jparse *p)
{
    const struct er_jtok *t = er_jparse_peek(p);
    if (er_jparse_op(p, "*"))
        return node1(p, ER_JN_STAR, er_jparse_expr(p, true));
    if (er_jparse_op(p, "**"))
        return node1(p, ER_JN_STARSTAR, er_jparse_expr(p, true));
    if (t->kind == ER_JT_NAME && t[1].kind == ER_JT_OP &&
        strcmp(t[1].s, "=") == 0) {
        p->at += 2;
        struct er_jnode *n =
            node1(p, ER_JN_KEYWORD, er_jparse_expr(p, true));
        if (n)
            n->name = t->s;
        return n;
    }
    return er_jparse_expr(p, true);
}

bool er_jparse_args(struct er_jparse *p, struct er_jnode *call)
{
    bool more = !er_jparse_op(p, ")");
    while (more) {
        struct er_jnode *n = one_arg(p);
        bool named = n && n->kind >= ER_JN_KEYWORD &&
                     n->kind <= ER_JN_STARSTAR;
        if (!n || !(named ? er_jparse_push(p, &call->more, &call->n_more, n)
                          : er_jparse_push(p, &call->list, &call->n, n)))
            return false;
        more = er_jparse_op(p, ",") && !er_jparse_sees_op(p, ")");
        if (!more && !er_jparse_need_op(p, ")"))
            return false;
    }
    return true;
}

static struct er_jnode *call_node(struct er_jparse *p, struct er_jnode *a)
{
    struct er_jnode *n = node1(p, ER_JN_CALL, a);
    return n && er_jparse_args(p, n) ? n : NULL;
}

static struct er_jnode *postfix(struct er_jparse *p, struct er_jnode *n)
{
    while (n && !p->r->failed) {
        if (er_jparse_op(p, "."))
            n = member(p, n);
        else if (er_jparse_op(p, "["))
            n = subscript(p, n);
        else if (er_jparse_op(p, "("))
            n = call_node(p, n);
        else
            break;
    }
    return n;
}

static struct er_jnode *filter(struct er_jparse *p, struct er_jnode *a)
{
    const struct er_jtok *t = er_jparse_peek(p);
    if (t->kind != ER_JT_NAME)
        return er_jparse_want(p, "a filter's name");
    p->at++;
    if (!er_jinja_has_filter(t->s)) {
        p->r->line = t->line;
        er_jv_fail(p->r, "there is no filter named '%.60s'", t->s);
        return NULL;
    }
    struct er_jnode *n = er_jparse_node(p, ER_JN_FILTER);
    if (!n)
        return NULL;
    n->name = t->s;
    n->a = a;
    return !er_jparse_op(p, "(") || er_jparse_args(p, n) ? n : NULL;
}

struct er_jnode *er_jparse_filters(
    struct er_jparse *p, struct er_jnode *value)
{
    do
        value = filter(p, value);
    while (value && er_jparse_op(p, "|"));
    return value;
}

/* May a test's argument without brackets begin here? */
static bool argument_follows(const struct er_jparse *p)
{
    static const char *const no[] = {"else", "or", "and", "is", "if", "not"};
    const struct er_jtok *t = er_jparse_peek(p);
    if (t->kind == ER_JT_OP)
        return strcmp(t->s, "[") == 0 || strcmp(t->s, "{") == 0;
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
        if (er_jparse_sees_name(p, no[i]))
            return false;
    return t->kind >= ER_JT_NAME && t->kind <= ER_JT_FLOAT;
}

static struct er_jnode *test(struct er_jparse *p, struct er_jnode *a)
{
    bool negated = er_jparse_name(p, "not");
    const struct er_jtok *t = er_jparse_peek(p);
    if (t->kind != ER_JT_NAME)
        return er_jparse_want(p, "a test's name");
    p->at++;
    if (!er_jinja_has_test(t->s)) {
        p->r->line = t->line;
        er_jv_fail(p->r, "there is no test named '%.60s'", t->s);
        return NULL;
    }
    struct er_jnode *n = node1(p, ER_JN_TEST, a);
    if (!n)
        return NULL;
    n->name = t->s;
    if (er_jparse_op(p, "(")) {
        if (!er_jparse_args(p, n))
            return NULL;
    } else if (argument_follows(p)) {
        struct er_jnode *arg = postfix(p, primary(p));
        if (!er_jparse_push(p, &n->list, &n->n, arg))
            return NULL;
    }
    return negated ? node1(p, ER_JN_NOT, n) : n;
}

static struct er_jnode *filtered(struct er_jparse *p, struct er_jnode *n)
{
    while (n && !p->r->failed) {
        if (er_jparse_op(p, "|"))
            n = filter(p, n);
        else if (er_jparse_name(p, "is"))
            n = test(p, n);
        else if (er_jparse_op(p, "("))
            n = call_node(p, n);
        else
            break;
    }
    return n;
}

/* --- operators */

static struct er_jnode *unary_inner(struct er_jparse *p, bool filters)
{
    struct er_jnode *n;
    if (er_jparse_op(p, "-"))
        n = node1(p, ER_JN_NEG, unary(p, false));
    else if (er_jparse_op(p, "+"))
        n = node1(p, ER_JN_POS, unary(p, false));
    else
        n = primary(p);
    n = postfix(p, n);
    return filters ? filtered(p, n) : n;
}

static struct er_jnode *unary(struct er_jparse *p, bool filters)
{
    struct er_jnode *n = NULL;
    if (er_jv_enter(p->r))
        n = unary_inner(p, filters);
    er_jv_leave(p->r);
    return n;
}

/* The operators of a level; level 0 binds most tightly. */
static enum er_jop take_op(struct er_jparse *p, int level)
{
    static const struct {
        const char *op;
        int level;
        enum er_jop code;
    } ops[] = {{"**", 0, ER_JO_POW}, {"*", 1, ER_JO_MUL},
        {"/", 1, ER_JO_DIV}, {"//", 1, ER_JO_FLOOR}, {"%", 1, ER_JO_MOD},
        {"+", 3, ER_JO_ADD}, {"-", 3, ER_JO_SUB}, {"==", 4, ER_JO_EQ},
        {"!=", 4, ER_JO_NE}, {"<", 4, ER_JO_LT}, {"<=", 4, ER_JO_LE},
        {">", 4, ER_JO_GT}, {">=", 4, ER_JO_GE}};
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
        if (ops[i].level == level && er_jparse_op(p, ops[i].op))
            return ops[i].code;
    return ER_JO_NONE;
}

static struct er_jnode *binary(struct er_jparse *p, int level);

static struct er_jnode *concat(struct er_jparse *p)
{
    struct er_jnode *n = binary(p, 1);
    if (!n || !er_jparse_sees_op(p, "~"))
        return n;
    struct er_jnode *all = er_jparse_node(p, ER_JN_CONCAT);
    if (!all || !er_jparse_push(p, &all->list, &all->n, n))
        return NULL;
    while (er_jparse_op(p, "~"))
        if (!er_jparse_push(p, &all->list, &all->n, binary(p, 1)))
            return NULL;
    return all;
}

static struct er_jnode *below(struct er_jparse *p, int level)
{
    return level == 0 ? unary(p, true)
        : level == 1  ? binary(p, 0) : concat(p);
}

static struct er_jnode *binary(struct er_jparse *p, int level)
{
    struct er_jnode *n = below(p, level);
    enum er_jop op;
    while (n && !p->r->failed && (op = take_op(p, level)) != ER_JO_NONE) {
        n = node2(p, ER_JN_BINARY, n, below(p, level));
        if (n)
            n->op = op;
    }
    return n;
}

static enum er_jop compare_op(struct er_jparse *p)
{
    enum er_jop op = take_op(p, 4);
    if (op == ER_JO_NONE && er_jparse_name(p, "in"))
        return ER_JO_IN;
    if (op == ER_JO_NONE && er_jparse_sees_name(p, "not") &&
        p->tok[p->at + 1].kind == ER_JT_NAME &&
        strcmp(p->tok[p->at + 1].s, "in") == 0) {
        p->at += 2;
        return ER_JO_NOT_IN;
    }
    return op;
}

static struct er_jnode *compare(struct er_jparse *p)
{
    struct er_jnode *n = binary(p, 3), *all = NULL;
    enum er_jop op;
    while (n && !p->r->failed && (op = compare_op(p)) != ER_JO_NONE) {
        struct er_jnode *item =
            node1(p, ER_JN_COMPARE_ITEM, binary(p, 3));
        if (!all)
            all = node1(p, ER_JN_COMPARE, n);
        if (!item || !all)
            return NULL;
        item->op = op;
        if (!er_jparse_push(p, &all->more, &all->n_more, item))
            return NULL;
    }
    return all ? all : n;
}

static struct er_jnode *negation(struct er_jparse *p)
{
    struct er_jnode *n = NULL;
    if (!er_jv_enter(p->r))
        n = NULL;
    else if (er_jparse_name(p, "not"))
        n = node1(p, ER_JN_NOT, negation(p));
    else
        n = compare(p);
    er_jv_leave(p->r);
    return n;
}

static struct er_jnode *both(struct er_jparse *p)
{
    struct er_jnode *n = negation(p);
    while (n && er_jparse_name(p, "and"))
        n = node2(p, ER_JN_AND, n, negation(p));
    return n;
}

static struct er_jnode *either(struct er_jparse *p)
{
    struct er_jnode *n = both(p);
    while (n && er_jparse_name(p, "or"))
        n = node2(p, ER_JN_OR, n, both(p));
    return n;
}

static struct er_jnode *condition(struct er_jparse *p, bool with_condition)
{
    struct er_jnode *n = either(p);
    while (with_condition && n && er_jparse_name(p, "if")) {
        struct er_jnode *cond = node2(p, ER_JN_COND, n, either(p));
        if (cond && er_jparse_name(p, "else")) {
            cond->c = er_jparse_expr(p, true);
            if (!cond->c)
                return NULL;
        }
        n = cond;
    }
    return n;
}

struct er_jnode *er_jparse_expr(struct er_jparse *p, bool with_condition)
{
    struct er_jnode *n = NULL;
    if (er_jv_enter(p->r))
        n = condition(p, with_condition);
    er_jv_leave(p->r);
    return n;
}

struct er_jnode *er_jparse_tuple(struct er_jparse *p, bool with_condition)
{
    struct er_jnode *n = er_jparse_expr(p, with_condition);
    if (!n || !er_jparse_sees_op(p, ","))
        return n;
    struct er_jnode *all = er_jparse_node(p, ER_JN_TUPLE);
    if (!all || !er_jparse_push(p, &all->list, &all->n, n))
        return NULL;
    while (er_jparse_op(p, ",")) {
        enum er_jtok_kind k = er_jparse_peek(p)->kind;
        if (k == ER_JT_VAR_END || k == ER_JT_BLOCK_END ||
            er_jparse_sees_op(p, ")") || er_jparse_sees_op(p, "="))
            break;
        if (!er_jparse_push(p, &all->list, &all->n,
                er_jparse_expr(p, with_condition)))
            return NULL;
    }
    return all;
}

static struct er_jnode *target_name(struct er_jparse *p)
{
    const struct er_jtok *t = er_jparse_peek(p);
    if (er_jparse_op(p, "(")) {
        struct er_jnode *n = er_jparse_target(p, false);
        return n && er_jparse_need_op(p, ")") ? n : NULL;
    }
    if (t->kind != ER_JT_NAME)
        return er_jparse_want(p, "a variable's name");
    p->at++;
    struct er_jnode *n = er_jparse_node(p, ER_JN_NAME);
    if (n)
        n->name = t->s;
    return n;
}

static struct er_jnode *target_inner(struct er_jparse *p, bool attributes)
{
    struct er_jnode *n = target_name(p);
    if (n && attributes && n->kind == ER_JN_NAME && er_jparse_op(p, "."))
        return member(p, n);
    if (!n || !er_jparse_sees_op(p, ","))
        return n;
    struct er_jnode *all = er_jparse_node(p, ER_JN_TUPLE);
    if (!all || !er_jparse_push(p, &all->list, &all->n, n))
        return NULL;
    while (er_jparse_op(p, ",") && !er_jparse_sees_name(p, "in") &&
           !er_jparse_sees_op(p, "="))
        if (!er_jparse_push(p, &all->list, &all->n, target_name(p)))
            return NULL;
    return all;
}

struct er_jnode *er_jparse_target(struct er_jparse *p, bool attributes)
{
    struct er_jnode *n = NULL;
    if (er_jv_enter(p->r))
        n = target_inner(p, attributes);
    er_jv_leave(p->r);
    return n;
}
