/* Rules that look into a value, or hand it on to other schemas. */
#include "tool/schema_check.h"

#include <string.h>

#define UNUSED(x) (void)(x)

bool er_check_required(struct er_check *c, const struct er_node *n,
    const struct er_rule *r, const json_t *v, const struct er_path *at,
    bool track)
{
    UNUSED(n), UNUSED(track);
    bool ok = true;
    for (size_t i = 0; i < r->u.names.n; i++) {
        const struct er_key *k = &r->u.names.at[i];
        if (json_object_getn(v, k->s, k->len))
            continue;
        ok = false;
        if (er_check_done(c))
            break;
        struct er_buf b;
        er_words_init(&b);
        er_put_key(&b, k->s, k->len);
        er_say(c, at, "missing required property %s", er_buf_str(&b));
        er_buf_release(&b);
    }
    return ok && er_check_steps(c, r->u.names.n / 8);
}

static void say_missing(struct er_check *c, const struct er_path *at,
    const struct er_key *name, const struct er_key *because)
{
    struct er_buf b;
    er_words_init(&b);
    er_buf_adds(&b, "missing property ");
    er_put_key(&b, name->s, name->len);
    er_buf_adds(&b, ", which is required because there is ");
    er_put_key(&b, because->s, because->len);
    er_say(c, at, "%s", er_buf_str(&b));
    er_buf_release(&b);
}

static bool dependent_names(struct er_check *c,
    const struct er_dependent *d, const json_t *v, const struct er_path *at)
{
    bool ok = true;
    for (size_t i = 0; i < d->names.n; i++) {
        const struct er_key *k = &d->names.at[i];
        if (json_object_getn(v, k->s, k->len))
            continue;
        ok = false;
        if (er_check_done(c))
            break;
        say_missing(c, at, k, &d->key);
    }
    return ok && er_check_steps(c, d->names.n / 8);
}

bool er_check_dependents(struct er_check *c, const struct er_node *n,
    const struct er_rule *r, const json_t *v, const struct er_path *at,
    bool track)
{
    UNUSED(n);
    bool ok = true;
    for (size_t i = 0; i < r->u.dependents.n; i++) {
        const struct er_dependent *d = &r->u.dependents.at[i];
        if (!json_object_getn(v, d->key.s, d->key.len))
            continue;
        bool good = d->node ? er_eval(c, d->node, v, at, track)
                            : dependent_names(c, d, v, at);
        ok = ok && good;
        if (!ok && er_check_done(c))
            break;
    }
    return ok;
}

/* --- objects */

static void say_unknown(struct er_check *c, const struct er_object *o,
    const struct er_path *at, const char *key, size_t len)
{
    struct er_buf b;
    er_words_init(&b);
    er_buf_adds(&b, "unknown property ");
    er_put_key(&b, key, len);
    for (size_t i = 0; i < o->nprops && b.len < 300; i++) {
        er_buf_adds(&b, i ? ", " : "; known are ");
        er_put_key(&b, o->props[i].key.s, o->props[i].key.len);
        if (b.len >= 300 && i + 1 < o->nprops)
            er_buf_adds(&b, ", ...");
    }
    if (!o->nprops && !o->npatterns)
        er_buf_adds(&b, "; there must be none");
    er_say(c, at, "%s", er_buf_str(&b));
    er_buf_release(&b);
}

/* A property that "properties" does not name. */
static bool other_property(struct er_check *c, const struct er_object *o,
    const char *key, size_t len, const json_t *value,
    const struct er_path *at, bool track, bool known)
{
    struct er_path below = {at, key, len};
    bool ok = true, seen = known;
    for (size_t i = 0; i < o->npatterns && (ok || !er_check_done(c)); i++) {
        if (!er_check_match(c, o->patterns[i].regex, key, len))
            continue;
        seen = true;
        ok = er_eval(c, o->patterns[i].node, value, &below, false) && ok;
    }
    if (c->over)
        return false;
    if (!seen && o->rest && o->rest->never) {
        if (c->report)
            say_unknown(c, o, at, key, len);
        return false;
    }
    if (!seen && o->rest) {
        seen = true;
        ok = er_eval(c, o->rest, value, &below, false) && ok;
    }
    if (seen && track && !known)
        er_mark_key(c, key);
    return ok;
}

/* Those that "properties" names; *found counts them. */
static bool named_properties(struct er_check *c, const struct er_object *o,
    const json_t *v, const struct er_path *at, bool track, size_t *found)
{
    bool ok = true;
    for (size_t i = 0; i < o->nprops; i++) {
        const struct er_prop *p = &o->props[i];
        const json_t *value = json_object_getn(v, p->key.s, p->key.len);
        if (!value)
            continue;
        ++*found;
        struct er_path below = {at, p->key.s, p->key.len};
        ok = er_eval(c, p->node, value, &below, false) && ok;
        if (track)
            er_mark_key(c, json_object_iter_key(json_object_iter_at(
                               (json_t *)v, p->key.s)));
        if (!ok && er_check_done(c))
            break;
    }
    return ok && er_check_steps(c, o->nprops / 8);
}

bool er_check_object(struct er_check *c, const struct er_node *n,
    const struct er_rule *r, const json_t *v, const struct er_path *at,
    bool track)
{
    UNUSED(n);
    const struct er_object *o = &r->u.object;
    size_t found = 0;
    bool ok = named_properties(c, o, v, at, track, &found);
    if (!ok && er_check_done(c))
        return false;
    if (!o->npatterns && (!o->rest || found == json_object_size(v)))
        return ok;
    void *it = json_object_iter((json_t *)v);
    for (; it; it = json_object_iter_next((json_t *)v, it)) {
        const char *key = json_object_iter_key(it);
        size_t len = json_object_iter_key_len(it);
        if (!er_check_steps(c, 1 + len / 64))
            return false;
        bool known = o->known && json_object_getn(o->known, key, len);
        if (known && !o->npatterns)
            continue;
        ok = other_property(c, o, key, len, json_object_iter_value(it), at,
                 track, known) && ok;
        if (!ok && er_check_done(c))
            break;
    }
    return ok;
}

bool er_check_names(struct er_check *c, const struct er_node *n,
    const struct er_rule *r, const json_t *v, const struct er_path *at,
    bool track)
{
    UNUSED(n), UNUSED(track);
    bool ok = true;
    void *it = json_object_iter((json_t *)v);
    for (; it; it = json_object_iter_next((json_t *)v, it)) {
        const char *key = json_object_iter_key(it);
        size_t len = json_object_iter_key_len(it);
        if (!er_check_steps(c, 1 + len / 64))
            return false;
        json_t *name = json_stringn_nocheck(key, len);
        if (!name)
            return er_check_over(c, "out of memory while checking");
        size_t before = c->report ? json_array_size(c->report->errors) : 0;
        ok = er_eval(c, r->u.node, name, at, false) && ok;
        json_decref(name);
        if (c->report)
            er_say_name(c, before, key, len);
        if (!ok && er_check_done(c))
            break;
    }
    return ok;
}

/* --- arrays */

bool er_check_array(struct er_check *c, const struct er_node *n,
    const struct er_rule *r, const json_t *v, const struct er_path *at,
    bool track)
{
    UNUSED(n);
    const struct er_array *a = &r->u.array;
    size_t many = json_array_size(v), prefix = a->prefix.n, i;
    bool ok = er_check_steps(c, many / 16);
    if (!a->rest && many > prefix)
        many = prefix;
    for (i = 0; i < many; i++) {
        const struct er_node *node = i < prefix ? a->prefix.at[i] : a->rest;
        struct er_path below = {at, NULL, i};
        if (node->never && i >= prefix) {
            ok = er_say(c, at, "must have at most %zu item%s, has %zu",
                prefix, prefix == 1 ? "" : "s", json_array_size(v));
            break;
        }
        ok = er_eval(c, node, json_array_get(v, i), &below, false) && ok;
        if (!ok && er_check_done(c))
            break;
    }
    if (ok && track)
        er_mark_range(c, 0, i);
    return ok;
}

static void say_contains(struct er_check *c, const struct er_rule *r,
    const struct er_path *at, size_t found, size_t many)
{
    const struct er_contains *k = &r->u.contains;
    struct er_buf b;
    er_words_init(&b);
    bool few = found < k->min;
    size_t bound = few ? k->min : k->max;
    er_buf_addf(&b, "at %s %zu item%s must fit ", few ? "least" : "most",
        bound, bound == 1 ? "" : "s");
    er_put_value(&b, r->value);
    er_buf_addf(&b, ", %zu of %zu do%s", found, many,
        found == 1 ? "es" : "");
    er_say(c, at, "%s", er_buf_str(&b));
    er_buf_release(&b);
}

bool er_check_contains(struct er_check *c, const struct er_node *n,
    const struct er_rule *r, const json_t *v, const struct er_path *at,
    bool track)
{
    UNUSED(n);
    const struct er_contains *k = &r->u.contains;
    size_t found = 0, many = json_array_size(v);
    if (!er_check_steps(c, many / 16))
        return false;
    bool all = c->report || (track && k->marks) || k->max != SIZE_MAX;
    for (size_t i = 0; i < many && !c->over; i++) {
        struct er_path below = {at, NULL, i};
        if (!er_eval_quiet(c, k->node, json_array_get(v, i), &below, false))
            continue;
        found++;
        if (track && k->marks)
            er_mark_range(c, i, i + 1);
        if (!all && found >= k->min)
            return true;
    }
    if (found >= k->min && found <= k->max)
        return !c->over;
    if (c->report && !c->over)
        say_contains(c, r, at, found, many);
    return false;
}

/* --- other schemas for the same value */

bool er_check_ref(struct er_check *c, const struct er_node *n,
    const struct er_rule *r, const json_t *v, const struct er_path *at,
    bool track)
{
    UNUSED(n);
    return er_eval(c, r->u.node, v, at, track);
}

static const struct er_node *anchored(
    const struct er_resource *res, const char *name)
{
    for (const struct er_dynamic_anchor *a = res->anchors; a; a = a->next)
        if (strcmp(a->name, name) == 0)
            return a->node;
    return NULL;
}

/* The outermost resource on the way here that has the anchor decides. */
bool er_check_dynamic(struct er_check *c, const struct er_node *n,
    const struct er_rule *r, const json_t *v, const struct er_path *at,
    bool track)
{
    UNUSED(n);
    const struct er_node *to = r->u.dynamic.node;
    size_t steps = 0;
    if (r->u.dynamic.anchor) {
        for (const struct er_scope *s = c->scope; s; s = s->up, steps++) {
            const struct er_node *other =
                anchored(s->res, r->u.dynamic.anchor);
            if (other)
                to = other;
        }
    }
    return er_check_steps(c, steps / 4) && er_eval(c, to, v, at, track);
}

bool er_check_all(struct er_check *c, const struct er_node *n,
    const struct er_rule *r, const json_t *v, const struct er_path *at,
    bool track)
{
    UNUSED(n);
    bool ok = true;
    for (size_t i = 0; i < r->u.nodes.n; i++) {
        ok = er_eval(c, r->u.nodes.at[i], v, at, track) && ok;
        if (!ok && er_check_done(c))
            break;
    }
    return ok;
}

bool er_check_not(struct er_check *c, const struct er_node *n,
    const struct er_rule *r, const json_t *v, const struct er_path *at,
    bool track)
{
    UNUSED(n), UNUSED(track);
    if (!er_eval_quiet(c, r->u.node, v, at, false))
        return !c->over;
    if (!c->report)
        return false;
    struct er_buf b;
    er_words_init(&b);
    er_put_value(&b, v);
    er_buf_adds(&b, " must not fit ");
    er_put_value(&b, r->value);
    er_say(c, at, "%s", er_buf_str(&b));
    er_buf_release(&b);
    return false;
}

bool er_check_if(struct er_check *c, const struct er_node *n,
    const struct er_rule *r, const json_t *v, const struct er_path *at,
    bool track)
{
    UNUSED(n);
    const struct er_condition *k = &r->u.condition;
    const struct er_node *next =
        er_eval_quiet(c, k->test, v, at, track) ? k->then : k->other;
    if (c->over)
        return false;
    return !next || er_eval(c, next, v, at, track);
}
