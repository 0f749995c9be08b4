/* Schemas that come back to themselves without going deeper into the value.
 *
 * {"$ref": "#"} means nothing and would never end. Such loops are told when
 * the schema is compiled. Only the ways that are always taken are walked:
 * what stands behind "then", or a $dynamicRef with several targets, may loop
 * all the same, and ends at the depth limit of a check.
 */
#include "tool/schema_compile.h"

#include <stdlib.h>

enum { WHITE, GREY, BLACK };

struct stop {
    struct er_node *node;
    size_t next; /* edge to follow */
};

static struct er_node *edge_of_rule(const struct er_rule *r, size_t i)
{
    switch (r->kind) {
    case ER_RULE_REF:
    case ER_RULE_NOT:
        return i == 0 ? r->u.node : NULL;
    case ER_RULE_IF:
        return i == 0 ? r->u.condition.test : NULL;
    case ER_RULE_ALL:
    case ER_RULE_ANY:
    case ER_RULE_ONE:
        return i < r->u.nodes.n ? r->u.nodes.at[i] : NULL;
    case ER_RULE_DYNAMIC_REF:
        return i == 0 && !r->u.dynamic.anchor ? r->u.dynamic.node : NULL;
    default:
        return NULL;
    }
}

/* The i-th node that sees the same value; NULL: no more. */
static struct er_node *edge(const struct er_node *n, size_t i)
{
    for (unsigned k = 0; k < n->nrules; k++) {
        const struct er_rule *r = &n->rules[k];
        size_t count = 0;
        if (r->kind >= ER_RULE_ALL && r->kind <= ER_RULE_ONE)
            count = r->u.nodes.n;
        else
            count = edge_of_rule(r, 0) != NULL;
        if (i < count)
            return edge_of_rule(r, i);
        i -= count;
    }
    return NULL;
}

static bool walk(struct er_compile *c, struct stop *stack, struct er_node *n)
{
    size_t depth = 0;
    stack[0] = (struct stop){n, 0};
    n->color = GREY;
    for (;;) {
        struct stop *top = &stack[depth];
        struct er_node *to = edge(top->node, top->next++);
        if (to && to->color == GREY)
            return er_schema_bad(c, to->where, NULL,
                "refers back to itself (from %.60s) without going deeper "
                "into the value, which would never end", top->node->where);
        if (to && to->color == WHITE) {
            to->color = GREY;
            stack[++depth] = (struct stop){to, 0};
        } else if (!to) {
            top->node->color = BLACK;
            if (depth-- == 0)
                return true;
        }
    }
}

bool er_schema_no_loops(struct er_compile *c)
{
    struct stop *stack = calloc(c->nnodes + 1, sizeof *stack);
    if (!stack)
        return er_schema_nomem(c);
    bool ok = true;
    for (struct er_node *n = c->first; n && ok; n = n->next)
        if (n->color == WHITE)
            ok = walk(c, stack, n);
    free(stack);
    return ok;
}
