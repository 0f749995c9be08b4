/* Lossless repair of arguments, guided by the schema.
 *
 * Models write "4" where 4 is asked for, and a JSON text where a list is.
 * What can be read in one way only is changed; all else stays for the check
 * to complain of. The types a place accepts are those of its schema and of
 * all that apply with it; children are looked for where there is no choice.
 */
#include "tool/schema_check.h"

#include <math.h>
#include <string.h>

enum {
    MAX_DEPTH = 300,
    MAX_APPLIED = 32,   /* schemas that speak of one value */
    MAX_LOOKAHEAD = 12, /* references and choices looked through for types */
};

struct coerce {
    struct er_check check; /* its steps bound the work */
    int changed;
};

/* The schemas that apply to a value without any choice. */
struct applied {
    const struct er_node *at[MAX_APPLIED];
    size_t n;
};

/* What some schema may let pass; too much rather than too little. */
static unsigned accepted(
    struct coerce *c, const struct er_node *n, unsigned depth)
{
    unsigned types = n->never ? 0 : n->types;
    if (depth > MAX_LOOKAHEAD || !er_check_steps(&c->check, 1))
        return types;
    for (unsigned i = 0; i < n->nrules; i++) {
        const struct er_rule *r = &n->rules[i];
        unsigned any = 0;
        switch (r->kind) {
        case ER_RULE_REF:
            types &= accepted(c, r->u.node, depth + 1);
            break;
        case ER_RULE_DYNAMIC_REF: /* with several targets nothing is sure */
            if (!r->u.dynamic.anchor)
                types &= accepted(c, r->u.dynamic.node, depth + 1);
            break;
        case ER_RULE_ALL:
            for (size_t k = 0; k < r->u.nodes.n; k++)
                types &= accepted(c, r->u.nodes.at[k], depth + 1);
            break;
        case ER_RULE_ANY:
        case ER_RULE_ONE:
            for (size_t k = 0; k < r->u.nodes.n; k++)
                any |= accepted(c, r->u.nodes.at[k], depth + 1);
            types &= any;
            break;
        default:
            break;
        }
    }
    return types;
}

/* The one choice that a value other than null has, or NULL. */
static const struct er_node *only_choice(
    struct coerce *c, const struct er_nodes *nodes)
{
    const struct er_node *found = NULL;
    for (size_t i = 0; i < nodes->n; i++) {
        if (!(accepted(c, nodes->at[i], 0) & ~(unsigned)ER_T_NULL))
            continue;
        if (found)
            return NULL;
        found = nodes->at[i];
    }
    return found;
}

static void apply(
    struct coerce *c, struct applied *a, const struct er_node *n)
{
    for (size_t i = 0; i < a->n; i++)
        if (a->at[i] == n)
            return;
    if (a->n == MAX_APPLIED || !er_check_steps(&c->check, 1))
        return;
    a->at[a->n++] = n;
    for (unsigned i = 0; i < n->nrules; i++) {
        const struct er_rule *r = &n->rules[i];
        if (r->kind == ER_RULE_REF) {
            apply(c, a, r->u.node);
        } else if (r->kind == ER_RULE_DYNAMIC_REF) {
            if (!r->u.dynamic.anchor)
                apply(c, a, r->u.dynamic.node);
        } else if (r->kind == ER_RULE_ALL) {
            for (size_t k = 0; k < r->u.nodes.n; k++)
                apply(c, a, r->u.nodes.at[k]);
        } else if (r->kind == ER_RULE_ANY || r->kind == ER_RULE_ONE) {
            const struct er_node *one = only_choice(c, &r->u.nodes);
            if (one)
                apply(c, a, one);
        }
    }
}

/* A whole real as an integer, if it is that integer exactly. */
static json_t *whole(double d)
{
    if (!er_real_is_whole(d) || d >= 9223372036854775808.0 ||
        d < -9223372036854775808.0 || (d == 0 && signbit(d)))
        return NULL;
    return json_integer((json_int_t)d);
}

/* Does the text say exactly the number v? */
static bool says(const char *s, size_t len, const json_t *v)
{
    struct er_decimal text, value = er_decimal_of(v);
    return er_decimal_read(s, len, &text) && text.exp == value.exp &&
           text.digits == value.digits && text.negative == value.negative;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* What the text says in JSON, if it is of a type that is wanted. */
static json_t *read_text(const json_t *v, unsigned want)
{
    const char *s = json_string_value(v);
    size_t len = json_string_length(v);
    json_t *out = er_json_parse(s, len, ER_JSON_STRICT, NULL);
    if (!out)
        return NULL;
    unsigned type = er_type_of(out);
    bool ok = type & want && type != ER_T_STRING;
    if (!json_is_object(out) && !json_is_array(out))
        ok = ok && !is_blank(s[0]) && !is_blank(s[len - 1]);
    if (json_is_number(out))
        ok = ok && says(s, len, out);
    if (ok)
        return out;
    json_decref(out);
    return NULL;
}

/* A new value to stand for v, or NULL to leave it. */
static json_t *convert(const json_t *v, unsigned want)
{
    if (json_is_string(v) && !(want & ER_T_STRING)) {
        json_t *read = read_text(v, want);
        json_t *exact = read ? convert(read, want) : NULL;
        if (!exact)
            return read;
        json_decref(read);
        return exact;
    }
    if (json_is_real(v) && (want & ER_T_NUMBER) == ER_T_INT)
        return whole(json_real_value(v));
    return NULL;
}

static json_t *coerce(
    struct coerce *c, const struct er_node *n, json_t *v, unsigned depth);

static bool is_required(const struct applied *a, const struct er_key *key)
{
    for (size_t i = 0; i < a->n; i++) {
        const struct er_rule *r = er_node_rule(a->at[i], ER_RULE_REQUIRED);
        for (size_t k = 0; r && k < r->u.names.n; k++)
            if (r->u.names.at[k].len == key->len &&
                memcmp(r->u.names.at[k].s, key->s, key->len) == 0)
                return true;
    }
    return false;
}

static void named(struct coerce *c, const struct applied *a,
    const struct er_object *o, json_t *v, unsigned depth)
{
    for (size_t i = 0; i < o->nprops && !c->check.over; i++) {
        const struct er_prop *p = &o->props[i];
        json_t *old = json_object_getn(v, p->key.s, p->key.len);
        if (!old)
            continue;
        json_t *new = coerce(c, p->node, old, depth + 1);
        if (new)
            json_object_setn_new_nocheck(v, p->key.s, p->key.len, new);
        else if (json_is_null(old) && !is_required(a, &p->key) &&
                 !er_eval(&c->check, p->node, old, NULL, false) &&
                 !c->check.over &&
                 json_object_deln(v, p->key.s, p->key.len) == 0)
            c->changed++;
    }
}

static void others(
    struct coerce *c, const struct er_object *o, json_t *v, unsigned depth)
{
    void *it = json_object_iter(v);
    for (; it && !c->check.over; it = json_object_iter_next(v, it)) {
        const char *key = json_object_iter_key(it);
        size_t len = json_object_iter_key_len(it);
        const struct er_node *node = o->rest;
        if (o->known && json_object_getn(o->known, key, len))
            continue;
        for (size_t i = 0; i < o->npatterns; i++)
            if (er_check_match(&c->check, o->patterns[i].regex, key, len))
                node = o->patterns[i].node;
        if (!node)
            continue;
        json_t *new = coerce(c, node, json_object_iter_value(it), depth + 1);
        if (new)
            json_object_iter_set_new(v, it, new);
    }
}

static void items(
    struct coerce *c, const struct er_array *a, json_t *v, unsigned depth)
{
    for (size_t i = 0; i < json_array_size(v) && !c->check.over; i++) {
        const struct er_node *n = i < a->prefix.n ? a->prefix.at[i] : a->rest;
        if (!n)
            return;
        json_t *new = coerce(c, n, json_array_get(v, i), depth + 1);
        if (new)
            json_array_set_new(v, i, new);
    }
}

static void inside(struct coerce *c, const struct er_node *n, json_t *v,
    unsigned depth)
{
    struct applied a = {.n = 0};
    if (depth > MAX_DEPTH || (!json_is_object(v) && !json_is_array(v)))
        return;
    apply(c, &a, n);
    for (size_t i = 0; i < a.n; i++) {
        const struct er_rule *r = er_node_rule(a.at[i],
            json_is_object(v) ? ER_RULE_OBJECT : ER_RULE_ARRAY);
        if (r && json_is_object(v)) {
            named(c, &a, &r->u.object, v, depth);
            others(c, &r->u.object, v, depth);
        } else if (r) {
            items(c, &r->u.array, v, depth);
        }
    }
}

/* The value that is to stand in place of v, new; NULL if v stays, itself
 * perhaps changed inside. */
static json_t *coerce(
    struct coerce *c, const struct er_node *n, json_t *v, unsigned depth)
{
    json_t *new = NULL;
    if (!er_check_steps(&c->check, 1))
        return NULL;
    if (json_is_string(v) || json_is_real(v))
        new = convert(v, accepted(c, n, 0));
    c->changed += new != NULL;
    inside(c, n, new ? new : v, depth);
    return new;
}

int er_schema_coerce(const er_schema *s, json_t **instance)
{
    struct coerce c = {.changed = 0};
    er_check_begin(&c.check, s);
    json_t *new = *instance ? coerce(&c, s->root, *instance, 0) : NULL;
    if (new) {
        json_decref(*instance);
        *instance = new;
    }
    er_check_end(&c.check);
    return c.changed;
}
