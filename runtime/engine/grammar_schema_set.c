/* Sets of schemas: references followed, choices multiplied out. */
#include "engine/grammar_schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ALTERNATIVES = 300, MAX_NESTED = 48 };

bool er_gs_add(struct er_gbuild *b, struct er_gschemas *set,
    const json_t *schema)
{
    for (size_t i = 0; i < set->n; i++)
        if (set->s[i] == schema)
            return true;
    if (set->n == set->cap) {
        size_t cap = set->cap ? set->cap * 2 : 4;
        const json_t **more =
            er_arena_alloc(&b->arena, cap * sizeof *more);
        if (!more) {
            b->g->nomem = true;
            return false;
        }
        if (set->n)
            memcpy(more, set->s, set->n * sizeof *more);
        set->s = more;
        set->cap = cap;
    }
    set->s[set->n++] = schema;
    return true;
}

void er_gs_unenforced(struct er_gbuild *b, const char *keyword)
{
    er_gprogram_unenforced(b->g, keyword);
}

/* --- references */

static const json_t *pointer(const json_t *at, const char *p)
{
    while (at && *p == '/') {
        char token[256];
        size_t n = 0;
        for (p++; *p && *p != '/' && n < sizeof token - 1; p++) {
            unsigned hex = 0;
            if (p[0] == '~' && (p[1] == '0' || p[1] == '1'))
                token[n++] = *++p == '0' ? '~' : '/';
            else if (p[0] == '%' && p[1] && p[2] &&
                     sscanf(p + 1, "%2x", &hex) == 1) {
                token[n++] = (char)hex;
                p += 2;
            } else {
                token[n++] = *p;
            }
        }
        token[n] = '\0';
        at = json_is_array(at)
            ? json_array_get(at, (size_t)strtoul(token, NULL, 10))
            : json_object_get(at, token);
    }
    return *p ? NULL : at;
}

/* The subschema that calls itself so; the whole document is searched. */
static const json_t *named(
    const json_t *v, const char *key, const char *name, unsigned depth)
{
    const char *k;
    size_t i;
    json_t *item;
    const json_t *found = NULL;
    const char *mine = json_is_object(v) ? er_json_str(v, key) : NULL;
    if (depth > 64)
        return NULL;
    if (mine && strcmp(mine, name) == 0)
        return v;
    if (json_is_object(v))
        json_object_foreach((json_t *)(uintptr_t)v, k, item)
            found = found ? found : named(item, key, name, depth + 1);
    else
        json_array_foreach(v, i, item)
            found = found ? found : named(item, key, name, depth + 1);
    return found;
}

const json_t *er_gs_resolve(struct er_gbuild *b, const char *ref)
{
    char base[512];
    const char *hash = strchr(ref, '#');
    size_t n = hash ? (size_t)(hash - ref) : strlen(ref);
    const json_t *at = b->root;
    if (n >= sizeof base)
        return NULL;
    memcpy(base, ref, n);
    base[n] = '\0';
    if (n > 0) {
        at = named(b->root, "$id", base, 0);
        at = at ? at : named(b->root, "id", base, 0);
    }
    if (!at || !hash || !hash[1])
        return at ? at : named(b->root, "$id", ref, 0);
    if (hash[1] == '/')
        return pointer(at, hash + 1);
    const json_t *v = named(at, "$anchor", hash + 1, 0);
    v = v ? v : named(at, "$dynamicAnchor", hash + 1, 0);
    return v ? v : named(at, "$id", hash, 0);
}

/* --- multiplying out */

struct expansion {
    struct er_gbuild *b;
    struct er_galternatives *out;
    unsigned depth;
};

/* Schemas on their way: to look at, done, and choices to make later. */
struct way {
    struct er_gschemas todo, done, choices;
};

static void go(struct expansion *x, struct way w);

static struct er_gschemas copy_set(
    struct er_gbuild *b, const struct er_gschemas *set)
{
    struct er_gschemas out = {0};
    for (size_t i = 0; i < set->n; i++)
        er_gs_add(b, &out, set->s[i]);
    return out;
}

/* A schema of our own, kept until the end. */
static const json_t *make(struct er_gbuild *b, json_t *v)
{
    if (!v || json_array_append_new(b->made, v) != 0) {
        b->g->nomem = true;
        return NULL;
    }
    return v;
}

static const json_t *choice_of(struct er_gbuild *b, json_t *options)
{
    return make(b, json_pack("{s:o}", "anyOf", options));
}

/* not {type}: the others. */
static const json_t *not_type(struct er_gbuild *b, const json_t *types)
{
    static const char *const all[] = {"null", "boolean", "number", "string",
        "array", "object"};
    json_t *rest = json_array();
    for (size_t i = 0; i < 6; i++) {
        bool is = json_is_string(types) &&
                  strcmp(json_string_value(types), all[i]) == 0;
        for (size_t k = 0; k < json_array_size(types); k++) {
            const char *s = json_string_value(json_array_get(types, k));
            is = is || (s && strcmp(s, all[i]) == 0);
        }
        if (!is && json_array_append_new(rest, json_string(all[i])) != 0)
            b->g->nomem = true;
    }
    return make(b, json_pack("{s:o}", "type", rest));
}

/* not {required: [a, b]}: an object without a, or without b. */
static const json_t *not_required(struct er_gbuild *b, const json_t *names)
{
    json_t *options = json_array(), *name;
    size_t i;
    json_array_foreach(names, i, name)
        if (json_is_string(name) &&
            json_array_append_new(options,
                json_pack("{s:s,s:{s:b}}", "type", "object", "properties",
                    json_string_value(name), 0)) != 0)
            b->g->nomem = true;
    return choice_of(b, options);
}

static bool is_whole_type(const json_t *types)
{
    const char *s = json_string_value(types);
    size_t i;
    json_t *t;
    bool whole = s && strcmp(s, "integer") == 0;
    json_array_foreach(types, i, t)
        whole = whole || (json_is_string(t) &&
                             strcmp(json_string_value(t), "integer") == 0);
    return whole;
}

static void add_not(struct expansion *x, struct way *w, const json_t *not)
{
    struct er_gbuild *b = x->b;
    const json_t *type = json_object_get(not, "type");
    const json_t *required = json_object_get(not, "required");
    json_t *any = json_object_get(not, "anyOf");
    json_t *inner;
    size_t i, n = json_object_size(not);
    if (json_is_false(not))
        return;
    if (json_is_true(not) || (json_is_object(not) && n == 0)) {
        er_gs_add(b, &w->todo, make(b, json_false()));
    } else if (n == 1 && type && !is_whole_type(type)) {
        er_gs_add(b, &w->todo, not_type(b, type));
    } else if (n == 1 && json_is_array(required)) {
        er_gs_add(b, &w->todo, not_required(b, required));
    } else if (n == 1 && (json_object_get(not, "enum") ||
                             json_object_get(not, "const"))) {
        er_gs_add(b, &w->done,
            make(b, json_pack("{s:O}", "x-er-not", not)));
    } else if (n == 1 && json_is_array(any)) {
        json_array_foreach(any, i, inner)
            add_not(x, w, inner);
    } else if (n == 1 && json_object_get(not, "not")) {
        er_gs_add(b, &w->todo, json_object_get(not, "not"));
    } else {
        er_gs_unenforced(b, "not");
    }
}

/* a needs b: no a, or both; a needs a schema: no a, or the schema. */
static void add_dependencies(
    struct expansion *x, struct way *w, const json_t *all)
{
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)(uintptr_t)all, key, v) {
        json_t *with = json_is_array(v)
            ? json_pack("{s:O}", "required", v) : json_incref(v);
        er_gs_add(x->b, &w->choices, choice_of(x->b,
            json_pack("[{s:{s:b}},o]", "properties", key, 0, with)));
    }
}

static void add_condition(
    struct expansion *x, struct way *w, const json_t *s)
{
    json_t *cond = json_object_get(s, "if");
    json_t *then = json_object_get(s, "then");
    json_t *other = json_object_get(s, "else");
    json_t *yes, *no;
    if (!then && !other)
        return;
    yes = then ? json_pack("{s:[O,O]}", "allOf", cond, then)
               : json_pack("{s:[O]}", "allOf", cond);
    no = json_pack("{s:O}", "not", cond);
    if (other)
        no = json_pack("{s:[o,O]}", "allOf", no, other);
    er_gs_add(x->b, &w->choices,
        choice_of(x->b, json_pack("[o,o]", yes, no)));
}

static void check_apart(struct expansion *x, const json_t *options)
{
    for (size_t i = 0; i < json_array_size(options); i++)
        for (size_t k = i + 1; k < json_array_size(options); k++)
            if (!er_gs_apart(x->b, json_array_get(options, i),
                    json_array_get(options, k))) {
                er_gs_unenforced(x->b, "oneOf");
                return;
            }
}

static void add_reference(struct expansion *x, struct way *w, const char *ref)
{
    const json_t *target = er_gs_resolve(x->b, ref);
    if (target)
        er_gs_add(x->b, &w->todo, target);
    else
        er_gs_unenforced(x->b, "$ref");
}

static void look_at(struct expansion *x, struct way *w, const json_t *s)
{
    json_t *part;
    size_t i;
    const char *ref = er_json_str(s, "$ref");
    ref = ref ? ref : er_json_str(s, "$dynamicRef");
    ref = ref ? ref : er_json_str(s, "$recursiveRef");
    if (ref)
        add_reference(x, w, ref);
    if (ref && x->b->old_refs)
        return;
    er_gs_add(x->b, &w->done, s);
    json_array_foreach(json_object_get(s, "allOf"), i, part)
        er_gs_add(x->b, &w->todo, part);
    if (json_is_array(json_object_get(s, "anyOf")))
        er_gs_add(x->b, &w->choices, json_object_get(s, "anyOf"));
    if (json_is_array(json_object_get(s, "oneOf"))) {
        check_apart(x, json_object_get(s, "oneOf"));
        er_gs_add(x->b, &w->choices, json_object_get(s, "oneOf"));
    }
    if (json_object_get(s, "not"))
        add_not(x, w, json_object_get(s, "not"));
    if (json_object_get(s, "if"))
        add_condition(x, w, s);
    add_dependencies(x, w, json_object_get(s, "dependencies"));
    add_dependencies(x, w, json_object_get(s, "dependentRequired"));
    add_dependencies(x, w, json_object_get(s, "dependentSchemas"));
}

static bool was_seen(const struct er_gschemas *set, const json_t *s)
{
    for (size_t i = 0; i < set->n; i++)
        if (set->s[i] == s)
            return true;
    return false;
}

static void give_out(struct expansion *x, struct way *w)
{
    struct er_galternatives *out = x->out;
    if (out->n == out->cap) {
        size_t cap = out->cap ? out->cap * 2 : 4;
        struct er_gschemas *more =
            er_arena_alloc(&x->b->arena, cap * sizeof *more);
        if (!more) {
            x->b->g->nomem = true;
            return;
        }
        if (out->n)
            memcpy(more, out->set, out->n * sizeof *more);
        out->set = more;
        out->cap = cap;
    }
    out->set[out->n++] = w->done;
}

static void choose(struct expansion *x, struct way w)
{
    const json_t *options = w.choices.s[--w.choices.n];
    json_t *option;
    size_t i;
    if (er_gs_types(x->b, &w.done) == 0)
        return; /* nothing fits already */
    if (json_is_object(options)) /* one of ours: {"anyOf": …} */
        options = json_object_get(options, "anyOf");
    if (x->depth >= MAX_NESTED || x->out->n >= MAX_ALTERNATIVES) {
        er_gs_unenforced(x->b, "anyOf");
        go(x, w);
        return;
    }
    json_array_foreach(options, i, option) {
        struct way one = {.done = copy_set(x->b, &w.done),
            .choices = copy_set(x->b, &w.choices)};
        er_gs_add(x->b, &one.todo, option);
        if (!x->b->g->nomem)
            go(x, one);
    }
}

static void go(struct expansion *x, struct way w)
{
    struct er_gbuild *b = x->b;
    x->depth++;
    for (size_t i = 0; i < w.todo.n && !b->g->nomem && !b->bad; i++) {
        const json_t *s = w.todo.s[i]; /* first come, first served: the
                                          order of properties */
        if (json_is_true(s) || was_seen(&w.done, s))
            continue;
        if (json_is_false(s)) {
            x->depth--;
            return;
        }
        if (!json_is_object(s)) {
            b->bad = true;
            er_fail(b->err, ERRAND_SCHEMA,
                "a schema must be an object, true or false");
        } else if (++b->work > 200000) {
            b->g->too_large = true;
            b->bad = true;
        } else {
            look_at(x, &w, s);
        }
    }
    if (!b->g->nomem && !b->bad) {
        if (w.choices.n)
            choose(x, w);
        else
            give_out(x, &w);
    }
    x->depth--;
}

bool er_gs_expand(struct er_gbuild *b, const struct er_gschemas *set,
    struct er_galternatives *out)
{
    struct expansion x = {.b = b, .out = out};
    struct way w = {.todo = copy_set(b, set)};
    go(&x, w);
    return !b->g->nomem && !b->bad;
}
