/* Keywords that hold schemas, and references. */
#include "tool/schema_compile.h"

#include "tool/schema_regex.h"

#include <stdlib.h>
#include <string.h>

static const char *below(struct er_compile *c, const struct er_build *b,
    const struct er_keyword *k)
{
    return er_schema_below(c, b->node->where, k->name, strlen(k->name));
}

static struct er_node *child(struct er_compile *c, struct er_build *b,
    const struct er_keyword *k, const json_t *value)
{
    return er_build_child(c, b, below(c, b, k), value);
}

static bool resolve(struct er_compile *c, struct er_build *b,
    const struct er_keyword *k, const json_t *value, struct er_target *t,
    struct er_node **node)
{
    if (!json_is_string(value))
        return er_kw_wrong(c, b, k, "a reference", value);
    if (!er_schema_ref(c, b->node, k->name, json_string_value(value), t))
        return false;
    *node = er_schema_node(c, t->value, t->res, t->where);
    return *node;
}

bool er_kw_ref(struct er_compile *c, struct er_build *b,
    const struct er_keyword *k, const json_t *value)
{
    struct er_target t;
    struct er_rule *r = er_build_rule(b, k->kind);
    r->value = value;
    return resolve(c, b, k, value, &t, &r->u.node);
}

static bool want_dynamic(struct er_compile *c, const char *name)
{
    for (size_t i = 0; i < c->ndynamic; i++)
        if (strcmp(c->dynamic[i], name) == 0)
            return true;
    if (c->ndynamic == c->dynamic_cap) {
        size_t cap = c->dynamic_cap ? c->dynamic_cap * 2 : 8;
        const char **more = realloc(c->dynamic, cap * sizeof *more);
        if (!more)
            return er_schema_nomem(c);
        c->dynamic = more;
        c->dynamic_cap = cap;
    }
    c->dynamic[c->ndynamic++] = name;
    return true;
}

bool er_kw_dynamic_ref(struct er_compile *c, struct er_build *b,
    const struct er_keyword *k, const json_t *value)
{
    struct er_target t;
    struct er_rule *r = er_build_rule(b, k->kind);
    r->value = value;
    if (!resolve(c, b, k, value, &t, &r->u.dynamic.node))
        return false;
    r->u.dynamic.anchor = t.dynamic;
    return !t.dynamic || want_dynamic(c, t.dynamic);
}

bool er_kw_recursive_ref(struct er_compile *c, struct er_build *b,
    const struct er_keyword *k, const json_t *value)
{
    (void)value;
    return er_schema_bad(c, b->node->where, k->name,
        "is of draft 2019-09 alone; write \"$dynamicRef\" of 2020-12");
}

static bool add_nodes(struct er_compile *c, struct er_build *b,
    const struct er_keyword *k, const json_t *value, struct er_nodes *out)
{
    const char *where = below(c, b, k);
    out->n = json_array_size(value);
    out->at = er_schema_take(c, out->n, sizeof(struct er_node *));
    if (!where || !out->at)
        return false;
    for (size_t i = 0; i < out->n; i++) {
        out->at[i] = er_build_child(c, b, er_schema_item(c, where, i),
            json_array_get(value, i));
        if (!out->at[i])
            return false;
    }
    return true;
}

bool er_kw_list(struct er_compile *c, struct er_build *b,
    const struct er_keyword *k, const json_t *value)
{
    if (!json_is_array(value))
        return er_kw_wrong(c, b, k, "a list of schemas", value);
    if (json_array_size(value) == 0)
        return er_schema_bad(c, b->node->where, k->name, "must not be empty");
    struct er_rule *r = er_build_rule(b, k->kind);
    r->value = value;
    return add_nodes(c, b, k, value, &r->u.nodes);
}

bool er_kw_one(struct er_compile *c, struct er_build *b,
    const struct er_keyword *k, const json_t *value)
{
    struct er_rule *r = er_build_rule(b, k->kind);
    r->value = value;
    r->u.node = child(c, b, k, value);
    return r->u.node;
}

bool er_kw_content(struct er_compile *c, struct er_build *b,
    const struct er_keyword *k, const json_t *value)
{
    return child(c, b, k, value);
}

static bool need_map(struct er_compile *c, const struct er_build *b,
    const struct er_keyword *k, const json_t *value)
{
    return json_is_object(value) ||
           er_kw_wrong(c, b, k, "an object whose values are schemas", value);
}

bool er_kw_defs(struct er_compile *c, struct er_build *b,
    const struct er_keyword *k, const json_t *value)
{
    const char *where = below(c, b, k);
    if (!where || !need_map(c, b, k, value))
        return false;
    void *it = json_object_iter((json_t *)value);
    for (; it; it = json_object_iter_next((json_t *)value, it)) {
        const char *at = er_schema_below(c, where, json_object_iter_key(it),
            json_object_iter_key_len(it));
        if (!er_build_child(c, b, at, json_object_iter_value(it)))
            return false;
    }
    return true;
}

bool er_kw_properties(struct er_compile *c, struct er_build *b,
    const struct er_keyword *k, const json_t *value)
{
    const char *where = below(c, b, k);
    if (!where || !need_map(c, b, k, value))
        return false;
    struct er_object *o = &er_build_rule(b, k->kind)->u.object;
    o->known = value;
    o->props = er_schema_take(c, json_object_size(value), sizeof *o->props);
    if (!o->props)
        return false;
    void *it = json_object_iter((json_t *)value);
    for (; it; it = json_object_iter_next((json_t *)value, it)) {
        struct er_prop *p = &o->props[o->nprops];
        p->key = (struct er_key){
            json_object_iter_key(it), json_object_iter_key_len(it)};
        b->key_bytes += p->key.len;
        const char *at = er_schema_below(c, where, p->key.s, p->key.len);
        p->node = er_build_child(c, b, at, json_object_iter_value(it));
        if (!p->node)
            return false;
        o->nprops++;
    }
    return true;
}

bool er_kw_patterns(struct er_compile *c, struct er_build *b,
    const struct er_keyword *k, const json_t *value)
{
    const char *where = below(c, b, k);
    if (!where || !need_map(c, b, k, value))
        return false;
    struct er_object *o = &er_build_rule(b, k->kind)->u.object;
    o->patterns =
        er_schema_take(c, json_object_size(value), sizeof *o->patterns);
    if (!o->patterns)
        return false;
    void *it = json_object_iter((json_t *)value);
    for (; it; it = json_object_iter_next((json_t *)value, it)) {
        const char *key = json_object_iter_key(it);
        size_t len = json_object_iter_key_len(it);
        struct er_pattern *p = &o->patterns[o->npatterns];
        const char *at = er_schema_below(c, where, key, len);
        p->regex = er_regex_compile(c, b->node->where, k->name, key, len);
        p->node = p->regex ? er_build_child(c, b, at,
                                 json_object_iter_value(it)) : NULL;
        if (!p->node)
            return false;
        o->npatterns++;
    }
    return true;
}

bool er_kw_additional(struct er_compile *c, struct er_build *b,
    const struct er_keyword *k, const json_t *value)
{
    struct er_object *o = &er_build_rule(b, k->kind)->u.object;
    o->rest = child(c, b, k, value);
    return o->rest;
}

bool er_kw_prefix(struct er_compile *c, struct er_build *b,
    const struct er_keyword *k, const json_t *value)
{
    if (!json_is_array(value))
        return er_kw_wrong(c, b, k, "a list of schemas", value);
    struct er_array *a = &er_build_rule(b, k->kind)->u.array;
    return add_nodes(c, b, k, value, &a->prefix);
}

bool er_kw_items(struct er_compile *c, struct er_build *b,
    const struct er_keyword *k, const json_t *value)
{
    if (json_is_array(value)) {
        if (b->node->res->draft != ER_D2020)
            return er_kw_prefix(c, b, k, value);
        return er_schema_bad(c, b->node->where, k->name,
            "must be one schema for all items; a list of schemas is called "
            "\"prefixItems\" in draft 2020-12");
    }
    struct er_array *a = &er_build_rule(b, k->kind)->u.array;
    a->rest = child(c, b, k, value);
    return a->rest;
}

bool er_kw_additional_items(struct er_compile *c, struct er_build *b,
    const struct er_keyword *k, const json_t *value)
{
    struct er_node *node = child(c, b, k, value);
    if (json_is_array(json_object_get(b->node->value, "items")))
        er_build_rule(b, k->kind)->u.array.rest = node;
    return node;
}

bool er_kw_condition(struct er_compile *c, struct er_build *b,
    const struct er_keyword *k, const json_t *value)
{
    struct er_condition *cond = &er_build_rule(b, k->kind)->u.condition;
    struct er_node *node = child(c, b, k, value);
    if (k->name[0] == 'i')
        cond->test = node;
    else if (k->name[0] == 't')
        cond->then = node;
    else
        cond->other = node;
    return node;
}

static bool add_dependent(struct er_compile *c, struct er_build *b,
    const struct er_keyword *k, const char *where, const json_t *value,
    struct er_dependent *d)
{
    bool names = k->shape == ER_SHAPE_VALUE ||
                 (k->shape == ER_SHAPE_DEPS && json_is_array(value));
    if (names)
        return er_kw_names(c, b, k, value, &d->names);
    const char *at = er_schema_below(c, where, d->key.s, d->key.len);
    d->node = er_build_child(c, b, at, value);
    return d->node;
}

bool er_kw_dependents(struct er_compile *c, struct er_build *b,
    const struct er_keyword *k, const json_t *value)
{
    const char *where = below(c, b, k);
    if (!json_is_object(value))
        return er_kw_wrong(c, b, k, "an object", value);
    struct er_dependents *d = &er_build_rule(b, k->kind)->u.dependents;
    d->at = er_schema_take(c, json_object_size(value), sizeof *d->at);
    if (!where || !d->at)
        return false;
    void *it = json_object_iter((json_t *)value);
    for (; it; it = json_object_iter_next((json_t *)value, it)) {
        struct er_dependent *one = &d->at[d->n++];
        one->key = (struct er_key){
            json_object_iter_key(it), json_object_iter_key_len(it)};
        b->key_bytes += one->key.len;
        if (!add_dependent(c, b, k, where, json_object_iter_value(it), one))
            return false;
    }
    return true;
}
