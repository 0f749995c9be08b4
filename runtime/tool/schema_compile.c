/* From a JSON value to nodes.
 *
 * References may go anywhere and in circles, so nodes are made first and
 * filled later: er_schema_node hands out the node of a value and queues it,
 * and the queue is worked off without recursion. Subschemas that nothing
 * refers to are compiled as well: a mistake in them is told at once, not on
 * the day somebody uses them.
 */
#include "tool/schema_compile.h"

#include "base/buf.h"
#include "tool/schema_idna.h"
#include "tool/schema_regex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool er_schema_nomem(struct er_compile *c)
{
    if (!c->failed)
        er_nomem(c->err);
    c->failed = true;
    return false;
}

bool er_schema_bad(struct er_compile *c, const char *where, const char *key,
    const char *fmt, ...)
{
    if (c->failed)
        return false;
    c->failed = true;
    va_list ap;
    va_start(ap, fmt);
    er_vfail(c->err, ERRAND_SCHEMA, fmt, ap);
    va_end(ap);
    (void)er_while(c->err, "schema at %.100s%s%s", where, key ? "/" : "",
        key ? key : "");
    return false;
}

void *er_schema_take(struct er_compile *c, size_t n, size_t size)
{
    if (n == 0)
        n = 1;
    void *p = n > SIZE_MAX / size ? NULL : er_arena_alloc(&c->s->arena,
                                               n * size);
    if (!p)
        er_schema_nomem(c);
    return p;
}

const char *er_schema_below(
    struct er_compile *c, const char *where, const char *key, size_t len)
{
    size_t n = strlen(where);
    char *s = er_schema_take(c, n + 2 * len + 2, 1);
    if (!s)
        return NULL;
    memcpy(s, where, n);
    char *to = s + n;
    *to++ = '/';
    for (size_t i = 0; i < len; i++) {
        if (key[i] == '~' || key[i] == '/') {
            *to++ = '~';
            *to++ = key[i] == '~' ? '0' : '1';
        } else {
            *to++ = key[i];
        }
    }
    return s;
}

const char *er_schema_item(
    struct er_compile *c, const char *where, size_t index)
{
    char text[24];
    int n = snprintf(text, sizeof text, "%zu", index);
    return er_schema_below(c, where, text, (size_t)n);
}

struct er_node *er_schema_node(struct er_compile *c, const json_t *value,
    struct er_resource *res, const char *where)
{
    struct er_resource *own = er_map_get(&c->roots, value, NULL);
    if (own)
        res = own;
    struct er_node *n = er_map_get(&c->nodes, value, res);
    if (n)
        return n;
    if (c->nnodes++ > ER_SCHEMA_MAX_NODES) {
        er_schema_bad(c, where, NULL, "more than %d schemas in one",
            ER_SCHEMA_MAX_NODES);
        return NULL;
    }
    n = er_schema_take(c, 1, sizeof *n);
    if (!n || !er_map_put(&c->nodes, value, res, n)) {
        er_schema_nomem(c);
        return NULL;
    }
    n->value = value;
    n->res = res;
    n->where = where;
    n->types = ER_T_ANY;
    res->entered = true;
    *c->last = n;
    c->last = &n->next;
    return n;
}

struct er_node *er_build_child(struct er_compile *c, struct er_build *b,
    const char *where, const json_t *value)
{
    return where ? er_schema_node(c, value, b->node->res, where) : NULL;
}

static unsigned types_of(enum er_rule_kind kind)
{
    switch (kind) {
    case ER_RULE_MINIMUM:
    case ER_RULE_MAXIMUM:
    case ER_RULE_ABOVE:
    case ER_RULE_BELOW:
    case ER_RULE_MULTIPLE:
        return ER_T_NUMBER;
    case ER_RULE_MIN_LENGTH:
    case ER_RULE_MAX_LENGTH:
    case ER_RULE_PATTERN:
    case ER_RULE_FORMAT:
        return ER_T_STRING;
    case ER_RULE_MIN_ITEMS:
    case ER_RULE_MAX_ITEMS:
    case ER_RULE_ARRAY:
    case ER_RULE_UNIQUE:
    case ER_RULE_CONTAINS:
    case ER_RULE_UNEV_ITEMS:
        return ER_T_ARRAY;
    case ER_RULE_MIN_PROPS:
    case ER_RULE_MAX_PROPS:
    case ER_RULE_REQUIRED:
    case ER_RULE_OBJECT:
    case ER_RULE_NAMES:
    case ER_RULE_DEP_REQUIRED:
    case ER_RULE_DEP_SCHEMAS:
    case ER_RULE_DEPENDENCIES:
    case ER_RULE_UNEV_PROPS:
        return ER_T_OBJECT;
    default:
        return ER_T_ANY;
    }
}

struct er_rule *er_build_rule(struct er_build *b, enum er_rule_kind kind)
{
    struct er_rule *r = &b->rules[kind];
    if (!b->used[kind]) {
        *r = (struct er_rule){.kind = kind, .types = types_of(kind)};
        b->used[kind] = true;
    }
    return r;
}

const struct er_rule *er_node_rule(
    const struct er_node *n, enum er_rule_kind kind)
{
    for (unsigned i = 0; i < n->nrules; i++)
        if (n->rules[i].kind == kind)
            return &n->rules[i];
    return NULL;
}

/* Rules that only say how another is meant go; the rest moves into the node
 * in the order of their kinds. */
static bool keep_rules(struct er_compile *c, struct er_build *b)
{
    struct er_node *n = b->node;
    struct er_rule *cond = &b->rules[ER_RULE_IF];
    if (b->used[ER_RULE_IF] && !cond->u.condition.test)
        b->used[ER_RULE_IF] = false;
    if (b->used[ER_RULE_CONTAINS] && !b->rules[ER_RULE_CONTAINS].value)
        b->used[ER_RULE_CONTAINS] = false;
    unsigned count = 0;
    for (int i = 0; i < ER_RULE_KINDS; i++)
        count += b->used[i];
    n->rules = er_schema_take(c, count, sizeof *n->rules);
    if (!n->rules)
        return false;
    for (int i = 0; i < ER_RULE_KINDS; i++)
        if (b->used[i])
            n->rules[n->nrules++] = b->rules[i];
    n->cost = 1 + count / 4 + b->key_bytes / 128;
    n->tracks = b->used[ER_RULE_UNEV_ITEMS] || b->used[ER_RULE_UNEV_PROPS];
    return true;
}

static bool fill(struct er_compile *c, struct er_node *n)
{
    if (json_is_boolean(n->value)) {
        n->never = json_is_false(n->value);
        return true;
    }
    if (!json_is_object(n->value))
        return er_schema_bad(c, n->where, NULL,
            "a schema must be an object or a boolean, not %s",
            er_type_name(er_type_of(n->value)));
    struct er_build b = {.node = n};
    bool only_ref = er_schema_only_ref(n->res, n->value);
    void *it = json_object_iter((json_t *)n->value);
    for (; it; it = json_object_iter_next((json_t *)n->value, it)) {
        const char *key = json_object_iter_key(it);
        b.keyword = er_keyword_find(n->res, key);
        if (!b.keyword || !b.keyword->compile)
            continue;
        if (only_ref && strcmp(key, "$ref") != 0 &&
            strcmp(key, "definitions") != 0)
            continue;
        if (!b.keyword->compile(c, &b, b.keyword, json_object_iter_value(it)))
            return false;
    }
    return keep_rules(c, &b);
}

static bool wanted(const struct er_compile *c, const char *name)
{
    for (size_t i = 0; i < c->ndynamic; i++)
        if (strcmp(c->dynamic[i], name) == 0)
            return true;
    return false;
}

/* Nodes for the anchors that a $dynamicRef may meet. True in *more if some
 * are new. */
static bool dynamic_nodes(struct er_compile *c, bool *more)
{
    *more = false;
    for (struct er_resource *r = c->resources; r; r = r->next) {
        struct er_dynamic_anchor *a = r->entered ? r->anchors : NULL;
        for (; a; a = a->next) {
            if (a->node || !wanted(c, a->name))
                continue;
            a->node = er_schema_node(c, a->value, r, a->where);
            if (!a->node)
                return false;
            *more = true;
        }
    }
    return true;
}

static bool has_anchor(const struct er_resource *r, const char *name)
{
    for (const struct er_dynamic_anchor *a = r->anchors; a; a = a->next)
        if (strcmp(a->name, name) == 0)
            return true;
    return false;
}

/* A $dynamicRef whose name only one resource has is a $ref. */
static void settle_dynamic(struct er_compile *c)
{
    for (struct er_node *n = c->ndynamic ? c->first : NULL; n; n = n->next) {
        struct er_rule *r =
            (struct er_rule *)er_node_rule(n, ER_RULE_DYNAMIC_REF);
        size_t found = 0;
        if (!r || !r->u.dynamic.anchor)
            continue;
        for (struct er_resource *s = c->resources; s; s = s->next)
            found += s->entered && has_anchor(s, r->u.dynamic.anchor);
        if (found == 1)
            r->u.dynamic.anchor = NULL;
    }
}

static bool run(struct er_compile *c, const json_t *schema)
{
    if (json_array_append(c->s->held, (json_t *)schema))
        return er_schema_nomem(c);
    struct er_resource *res = er_schema_document(c, schema, "", c->draft);
    if (!res)
        return false;
    c->s->root = er_schema_node(c, schema, res, "#");
    if (!c->s->root)
        return false;
    bool more = true;
    for (struct er_node *n = c->first; more; ) {
        for (; n; n = n->next)
            if (!fill(c, n))
                return false;
        struct er_node **behind = c->last;
        if (!dynamic_nodes(c, &more))
            return false;
        n = *behind;
    }
    settle_dynamic(c);
    return er_schema_no_loops(c);
}

static void release(struct er_compile *c)
{
    json_decref(c->by_uri);
    free(c->targets);
    free(c->dynamic);
    er_map_release(&c->nodes);
    er_map_release(&c->roots);
}

er_schema *er_schema_compile(const json_t *schema, enum er_draft draft,
    unsigned flags, const er_schema_registry *registry,
    struct errand_error *err)
{
    er_schema *s = calloc(1, sizeof *s);
    if (!s) {
        er_nomem(err);
        return NULL;
    }
    er_arena_init(&s->arena);
    s->flags = flags;
    s->held = json_array();
    struct er_compile c = {.s = s, .registry = registry, .err = err,
        .draft = draft == ER_DRAFT_7 ? ER_D7 : ER_D2020,
        .by_uri = json_object()};
    c.last = &c.first;
    bool ok;
    if (!s->held || !c.by_uri)
        ok = er_schema_nomem(&c);
    else if (!json_is_object(schema) && !json_is_boolean(schema))
        ok = er_schema_bad(&c, "#", NULL,
            "a schema must be an object or a boolean, not %s",
            schema ? er_type_name(er_type_of(schema)) : "nothing");
    else
        ok = run(&c, schema);
    release(&c);
    if (ok)
        return s;
    er_schema_free(s);
    return NULL;
}

void er_schema_free(er_schema *s)
{
    if (!s)
        return;
    er_regex_free_all(s->regexes);
    er_idna_free(s->idna);
    er_arena_release(&s->arena);
    json_decref(s->held);
    free(s);
}
