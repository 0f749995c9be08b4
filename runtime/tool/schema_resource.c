/* Which parts of a document have names of their own.
 *
 * Before anything is compiled, a document is walked through the keywords
 * that hold schemas, and only through those: an "$id" inside an enum, a
 * default or an unknown keyword is data. What is found goes into one table
 * from URI ("…#anchor" for anchors) to the value.
 */
#include "tool/schema_compile.h"

#include "tool/schema_uri.h"

#include <stdlib.h>
#include <string.h>

struct er_target *er_schema_known(struct er_compile *c, const char *uri)
{
    const json_t *index = json_object_get(c->by_uri, uri);
    return index ? &c->targets[json_integer_value(index)] : NULL;
}

static bool same_value(const json_t *a, const json_t *b)
{
    size_t steps = 100000;
    return a == b || er_value_same(a, b, &steps);
}

static bool grow(struct er_compile *c)
{
    if (c->ntargets < c->targets_cap)
        return true;
    size_t cap = c->targets_cap ? c->targets_cap * 2 : 16;
    struct er_target *more = realloc(c->targets, cap * sizeof *more);
    if (!more)
        return er_schema_nomem(c);
    c->targets = more;
    c->targets_cap = cap;
    return true;
}

/* Two equal schemas under one name are one; two different ones are not. */
static bool name_target(struct er_compile *c, const char *uri,
    const char *key, struct er_target t)
{
    const struct er_target *old = er_schema_known(c, uri);
    if (old && same_value(old->value, t.value))
        return true;
    if (old)
        return er_schema_bad(c, t.where, key,
            "%.80s is the name of another schema already, at %.60s", uri,
            old->where);
    if (!grow(c))
        return false;
    json_t *index = json_integer((json_int_t)c->ntargets);
    if (json_object_set_new_nocheck(c->by_uri, uri, index))
        return er_schema_nomem(c);
    c->targets[c->ntargets++] = t;
    return true;
}

static bool add_dynamic(struct er_compile *c, struct er_resource *res,
    const char *name, const json_t *value, const char *where)
{
    struct er_dynamic_anchor *a = er_schema_take(c, 1, sizeof *a);
    if (!a)
        return false;
    *a = (struct er_dynamic_anchor){
        .name = name, .value = value, .where = where, .next = res->anchors};
    res->anchors = a;
    return true;
}

static bool add_anchor(struct er_compile *c, struct er_resource *res,
    const json_t *value, const char *where, const char *key,
    const char *name, bool dynamic)
{
    size_t n = strlen(res->uri), m = strlen(name);
    char *uri = er_schema_take(c, n + m + 2, 1);
    if (!uri)
        return false;
    memcpy(uri, res->uri, n);
    uri[n] = '#';
    memcpy(uri + n + 1, name, m);
    struct er_target t = {value, res, where, dynamic ? name : NULL};
    return name_target(c, uri, key, t) &&
           (!dynamic || add_dynamic(c, res, name, value, where));
}

static struct er_resource *add_resource(struct er_compile *c,
    const json_t *value, const char *uri, const char *where, unsigned draft,
    unsigned vocab)
{
    struct er_resource *res = er_schema_take(c, 1, sizeof *res);
    if (!res)
        return NULL;
    const char *schema = er_json_str(value, "$schema");
    res->uri = uri;
    res->root = value;
    res->where = where;
    res->draft = draft;
    res->vocab = vocab;
    if (schema && !er_schema_dialect(c, where, schema, &res->draft,
                      &res->vocab))
        return NULL;
    struct er_target t = {value, res, where, NULL};
    if (json_is_object(value) && !er_map_put(&c->roots, value, NULL, res)) {
        er_schema_nomem(c);
        return NULL;
    }
    if (!name_target(c, uri, "$id", t))
        return NULL;
    res->next = c->resources;
    c->resources = res;
    return res;
}

/* The resource that an $id opens; res itself if it opens none. */
static struct er_resource *open_id(struct er_compile *c, const json_t *value,
    struct er_resource *res, const char *where)
{
    const char *id = er_json_str(value, "$id"), *fragment;
    if (!id || er_schema_only_ref(res, value))
        return res;
    char *uri = er_uri_resolve(&c->s->arena, res->uri, id, &fragment);
    if (!uri) {
        er_schema_nomem(c);
        return NULL;
    }
    bool anchor = fragment && *fragment;
    if (anchor && res->draft != ER_D7) {
        er_schema_bad(c, where, "$id", "%.100s has a fragment; name it with "
            "$anchor", id);
        return NULL;
    }
    if (*id != '#' && value != res->root)
        res = add_resource(c, value, uri, where, res->draft, res->vocab);
    if (res && anchor &&
        !add_anchor(c, res, value, where, "$id", fragment, false))
        return NULL;
    return res;
}

static bool scan(struct er_compile *c, const json_t *value,
    struct er_resource *res, const char *where, unsigned depth);

static bool scan_items(struct er_compile *c, const json_t *value,
    struct er_resource *res, const char *where, unsigned depth)
{
    for (size_t i = 0; i < json_array_size(value); i++) {
        const char *at = er_schema_item(c, where, i);
        if (!at || !scan(c, json_array_get(value, i), res, at, depth))
            return false;
    }
    return true;
}

static bool scan_map(struct er_compile *c, const json_t *value,
    struct er_resource *res, const char *where, unsigned depth)
{
    void *it = json_object_iter((json_t *)value);
    for (; it; it = json_object_iter_next((json_t *)value, it)) {
        const char *at = er_schema_below(c, where, json_object_iter_key(it),
            json_object_iter_key_len(it));
        if (!at || !scan(c, json_object_iter_value(it), res, at, depth))
            return false;
    }
    return true;
}

static bool scan_keyword(struct er_compile *c, const struct er_keyword *k,
    const json_t *value, struct er_resource *res, const char *where,
    unsigned depth)
{
    if (k->shape == ER_SHAPE_VALUE)
        return true;
    const char *at = er_schema_below(c, where, k->name, strlen(k->name));
    if (!at)
        return false;
    if (k->shape == ER_SHAPE_ONE)
        return scan(c, value, res, at, depth);
    if (k->shape == ER_SHAPE_EITHER && json_is_object(value))
        return scan(c, value, res, at, depth);
    if (k->shape == ER_SHAPE_MAP || k->shape == ER_SHAPE_DEPS)
        return !json_is_object(value) ||
               scan_map(c, value, res, at, depth);
    return !json_is_array(value) || scan_items(c, value, res, at, depth);
}

static bool scan_anchors(struct er_compile *c, const json_t *value,
    struct er_resource *res, const char *where)
{
    const char *name = er_json_str(value, "$anchor");
    if (res->draft == ER_D7)
        return true;
    if (name && !add_anchor(c, res, value, where, "$anchor", name, false))
        return false;
    name = er_json_str(value, "$dynamicAnchor");
    return !name || res->draft != ER_D2020 ||
           add_anchor(c, res, value, where, "$dynamicAnchor", name, true);
}

static bool scan(struct er_compile *c, const json_t *value,
    struct er_resource *res, const char *where, unsigned depth)
{
    if (!json_is_object(value))
        return true;
    if (depth > ER_SCHEMA_MAX_DEPTH)
        return er_schema_bad(c, res->where, NULL,
            "nested deeper than %d", ER_SCHEMA_MAX_DEPTH);
    res = open_id(c, value, res, where);
    if (!res || !scan_anchors(c, value, res, where))
        return false;
    void *it = json_object_iter((json_t *)value);
    for (; it; it = json_object_iter_next((json_t *)value, it)) {
        const struct er_keyword *k =
            er_keyword_find(res, json_object_iter_key(it));
        if (k && !scan_keyword(c, k, json_object_iter_value(it), res, where,
                     depth + 1))
            return false;
    }
    return true;
}

struct er_resource *er_schema_document(struct er_compile *c,
    const json_t *document, const char *uri, unsigned draft)
{
    const char *id = er_json_str(document, "$id"), *own = uri;
    const char *where = *uri ? NULL : "#";
    if (id && *id != '#') /* draft 7 hides it beside $ref: no harm in it */
        own = er_uri_resolve(&c->s->arena, uri, id, NULL);
    if (!where && own) {
        size_t n = strlen(uri);
        char *text = er_schema_take(c, n + 2, 1);
        if (text) {
            memcpy(text, uri, n);
            text[n] = '#';
        }
        where = text;
    }
    if (!own || !where) {
        er_schema_nomem(c);
        return NULL;
    }
    struct er_resource *res =
        add_resource(c, document, own, where, draft, ER_V_USUAL);
    struct er_target t = {document, res, where, NULL};
    if (!res || (strcmp(own, uri) != 0 && !name_target(c, uri, NULL, t)) ||
        !scan(c, document, res, where, 0))
        return NULL;
    return res;
}
