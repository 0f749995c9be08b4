/* Objects: listed properties in their order, then others.
 *
 *   A_i  nothing written yet, properties i… remain
 *   B_i  something written: a comma and C_i, or the end if none is required
 *   C_i  one of the properties i… must come: i, or, if i may be left out,
 *        C_(i+1); behind the last, one that is not listed
 *
 * With minProperties or maxProperties the number written so far is part of
 * the place.
 *
 * Of properties that are not listed no automaton remembers which came before,
 * so one name may come twice; the last then counts, and whoever reads the
 * text must take it so. A least number of them may be missed by that, and is
 * said not to be enforced.
 */
#include "engine/grammar_schema.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_PATTERNS = 5, MAX_PLACES = 40000 };

struct property {
    const char *name;
    bool required;
    struct er_gschemas value;
    uint32_t rule; /* + 1; 0: not made yet */
};

struct object {
    struct er_gbuild *b;
    const struct er_gschemas *set;
    struct property *p;
    size_t n, cap;
    const char *pattern[MAX_PATTERNS];
    const struct er_dfa *pattern_dfa[MAX_PATTERNS];
    size_t n_patterns;
    uint32_t min, max;
    uint32_t first; /* a rule: one property that is not listed; + 1 */
    uint32_t close;
};

/* --- what is said of a name */

static bool matches(struct er_gbuild *b, const char *pattern,
    const char *name)
{
    const struct er_dfa *d = er_gs_pattern(b, pattern);
    if (!d)
        er_gs_unenforced(b, "patternProperties");
    return d && er_dfa_accepts(d, name, strlen(name));
}

static bool is_closed(const struct object *o, const json_t *s)
{
    return o->b->opt.closed && json_object_get(s, "properties") &&
           !json_object_get(s, "additionalProperties") &&
           !json_object_get(s, "patternProperties");
}

/* Everything that one member says of a property of this name. */
static void add_said(struct object *o, const json_t *s, const char *name,
    struct er_gschemas *out)
{
    const json_t *own =
        json_object_get(json_object_get(s, "properties"), name);
    const json_t *rest = json_object_get(s, "additionalProperties");
    const char *pattern;
    json_t *v;
    bool known = own != NULL;
    if (own)
        er_gs_add(o->b, out, own);
    json_object_foreach(json_object_get(s, "patternProperties"), pattern, v)
        if (matches(o->b, pattern, name)) {
            known = true;
            er_gs_add(o->b, out, v);
        }
    if (!known && rest)
        er_gs_add(o->b, out, rest);
}

static struct property *property(struct object *o, const char *name)
{
    for (size_t i = 0; i < o->n; i++)
        if (strcmp(o->p[i].name, name) == 0)
            return &o->p[i];
    if (o->n == o->cap) {
        size_t cap = o->cap ? o->cap * 2 : 16;
        struct property *more =
            er_arena_alloc(&o->b->arena, cap * sizeof *more);
        if (!more) {
            o->b->g->nomem = true;
            return NULL;
        }
        if (o->n)
            memcpy(more, o->p, o->n * sizeof *more);
        o->p = more;
        o->cap = cap;
    }
    o->p[o->n].name = name;
    return &o->p[o->n++];
}

static void list_properties(struct object *o)
{
    const char *name;
    json_t *v;
    size_t i;
    for (size_t k = 0; k < o->set->n && !o->b->g->nomem; k++)
        json_object_foreach(
            json_object_get(o->set->s[k], "properties"), name, v)
            property(o, name);
    for (size_t k = 0; k < o->set->n && !o->b->g->nomem; k++)
        json_array_foreach(json_object_get(o->set->s[k], "required"), i, v) {
            struct property *p = json_is_string(v)
                ? property(o, json_string_value(v)) : NULL;
            if (p)
                p->required = true;
        }
    for (i = 0; i < o->n && !o->b->g->nomem; i++)
        for (size_t k = 0; k < o->set->n; k++)
            add_said(o, o->set->s[k], o->p[i].name, &o->p[i].value);
}

static void list_patterns(struct object *o)
{
    const char *pattern;
    json_t *v;
    for (size_t k = 0; k < o->set->n; k++)
        json_object_foreach(json_object_get(
            o->set->s[k], "patternProperties"), pattern, v) {
            size_t i = 0;
            while (i < o->n_patterns && strcmp(o->pattern[i], pattern) != 0)
                i++;
            if (i < o->n_patterns)
                continue;
            const struct er_dfa *d = er_gs_pattern(o->b, pattern);
            if (!d || i == MAX_PATTERNS) {
                er_gs_unenforced(o->b, "patternProperties");
                continue;
            }
            o->pattern[i] = pattern;
            o->pattern_dfa[i] = d;
            o->n_patterns++;
        }
}

/* --- properties that are not listed */

/* Names that are none of the listed ones, as propertyNames wants them. */
static const struct er_dfa *other_names(
    struct object *o, uint32_t *min, uint32_t *max)
{
    struct er_gbuild *b = o->b;
    const struct er_dfa *d = b->any;
    struct er_gschemas names = {0};
    struct er_galternatives alts = {0};
    struct er_gtext t;
    struct er_dfa_text *texts =
        er_arena_alloc(&b->arena, (o->n + 1) * sizeof *texts);
    *min = 0;
    *max = UINT32_MAX;
    for (size_t i = 0; texts && i < o->n; i++)
        texts[i] = (struct er_dfa_text){o->p[i].name, strlen(o->p[i].name)};
    if (texts && o->n)
        d = er_gs_meet(b, d, er_dfa_texts(&b->maker, texts, o->n), true,
            "additionalProperties");
    for (size_t k = 0; k < o->set->n; k++)
        if (json_object_get(o->set->s[k], "propertyNames"))
            er_gs_add(b, &names,
                json_object_get(o->set->s[k], "propertyNames"));
    if (names.n == 0 || !er_gs_expand(b, &names, &alts))
        return d;
    if (alts.n != 1 || !(er_gs_types(b, &alts.set[0]) & ER_GT_STRING)) {
        if (alts.n)
            er_gs_unenforced(b, "propertyNames");
        return alts.n ? d : NULL;
    }
    if (er_gs_text(b, &alts.set[0], &t)) {
        d = er_gs_meet(b, d, t.d, false, "propertyNames");
        *min = t.min;
        *max = t.max;
    }
    return d;
}

static bool is_named(
    struct er_gbuild *b, const struct object *o, const char *name)
{
    for (size_t k = 0; k < o->set->n; k++) {
        const json_t *s = json_object_get(o->set->s[k], "propertyNames");
        if (json_is_object(s) &&
            (json_object_get(s, "enum") || json_object_get(s, "const"))) {
            json_t *v = json_string(name);
            b->g->nomem = b->g->nomem || !v;
            bool fits = !v || er_gs_fits(b, s, v);
            json_decref(v);
            if (!fits)
                return false;
        }
    }
    return true;
}

/* What holds for names that match just the patterns in mask; false if there
 * may be none. */
static bool said_of_others(
    struct object *o, unsigned mask, struct er_gschemas *out)
{
    bool any_rest = false;
    for (size_t k = 0; k < o->set->n; k++) {
        const json_t *s = o->set->s[k];
        const json_t *mine = json_object_get(s, "patternProperties");
        const json_t *rest = json_object_get(s, "additionalProperties");
        bool known = false;
        for (size_t i = 0; i < o->n_patterns; i++) {
            const json_t *v = json_object_get(mine, o->pattern[i]);
            if (!v || !(mask >> i & 1))
                continue;
            known = true;
            er_gs_add(o->b, out, v);
        }
        any_rest = any_rest || rest;
        if (!known && rest)
            er_gs_add(o->b, out, rest);
        if (!known && is_closed(o, s))
            return false;
    }
    for (size_t k = 0; k < o->set->n; k++) {
        const json_t *u =
            json_object_get(o->set->s[k], "unevaluatedProperties");
        if (u && mask == 0 && !any_rest)
            er_gs_add(o->b, out, u);
    }
    for (size_t i = 0; i < out->n; i++)
        if (json_is_false(out->s[i]))
            return false;
    return true;
}

/* "name": value, for the names of one combination of patterns. */
static uint32_t others_of(struct object *o, unsigned mask,
    const struct er_dfa *names, uint32_t min, uint32_t max)
{
    struct er_gbuild *b = o->b;
    struct er_gschemas value = {0};
    if (!names || !said_of_others(o, mask, &value))
        return ER_G_NONE;
    for (size_t i = 0; i < o->n_patterns; i++)
        names = er_gs_meet(b, names, o->pattern_dfa[i], !(mask >> i & 1),
            "patternProperties");
    if (er_dfa_empty(names))
        return ER_G_NONE;
    uint32_t v = er_gs_colon(b, er_gs_value(b, &value, 0));
    return er_gprogram_text(b->g, "\"", 1,
        er_gprogram_string(b->g, names, min, max, v));
}

static void make_others(struct object *o)
{
    struct er_gbuild *b = o->b;
    struct er_gschemas value = {0};
    uint32_t min, max, entry = ER_G_NONE;
    bool some = o->n_patterns > 0 || said_of_others(o, 0, &value);
    if (!some)
        return;
    const struct er_dfa *names = other_names(o, &min, &max);
    for (unsigned mask = 0; mask < 1u << o->n_patterns; mask++)
        entry = er_gprogram_split(
            b->g, entry, others_of(o, mask, names, min, max));
    if (entry == ER_G_NONE)
        return;
    uint32_t rule = er_gprogram_rule(b->g);
    if (b->g->nomem)
        return;
    b->g->rule[rule] = entry;
    o->first = rule + 1;
}

/* --- putting it together */

static uint32_t less(uint32_t x, uint32_t y)
{
    return x == UINT32_MAX ? x : x > y ? x - y : 0;
}

/* Further ones behind `done` that were written. */
static uint32_t more_others(struct object *o, uint32_t done)
{
    struct er_gbuild *b = o->b;
    if (!o->first)
        return done >= o->min ? o->close : ER_G_NONE;
    uint32_t body =
        er_gs_comma(b, er_gprogram_call(b->g, o->first - 1, 0));
    uint32_t left = o->max < done ? 0 : less(o->max, done);
    return er_gprogram_repeat(
        b->g, body, body, o->min > done ? o->min - done : 0, left, o->close);
}

static uint32_t one_property(struct object *o, size_t i, uint32_t next)
{
    struct er_gbuild *b = o->b;
    struct property *p = &o->p[i];
    if (next == ER_G_NONE || !is_named(b, o, p->name))
        return ER_G_NONE;
    if (!p->rule)
        p->rule = er_gs_rule(b, &p->value) + 1;
    json_t *key = json_string(p->name);
    b->g->nomem = b->g->nomem || !key;
    uint32_t at = er_gs_literal(b, key,
        er_gs_colon(b, er_gprogram_call(b->g, p->rule - 1, next)));
    json_decref(key);
    return at;
}

struct row {
    uint32_t a, b, c;
};

static void last_row(struct object *o, struct row *r, uint32_t done)
{
    er_grammar *g = o->b->g;
    uint32_t others = ER_G_NONE;
    if (o->first && done < o->max)
        others = er_gprogram_call(g, o->first - 1, more_others(o, done + 1));
    uint32_t close = done >= o->min ? o->close : ER_G_NONE;
    r->c = others;
    r->a = er_gprogram_split(g, others, close);
    r->b = er_gprogram_split(
        g, er_gs_comma(o->b, others), close);
}

/* Row i from row i + 1: `less` has done, `one` has done + 1 properties. */
static void row_of(struct object *o, size_t i, uint32_t done, bool rest_free,
    const struct row *same, const struct row *one, struct row *out)
{
    er_grammar *g = o->b->g;
    bool free = !o->p[i].required;
    uint32_t it =
        done < o->max ? one_property(o, i, one->b) : ER_G_NONE;
    uint32_t close =
        free && rest_free && done >= o->min ? o->close : ER_G_NONE;
    out->a = er_gprogram_split(g, it, free ? same->a : ER_G_NONE);
    out->c = er_gprogram_split(g, it, free ? same->c : ER_G_NONE);
    out->b = er_gprogram_split(g, er_gs_comma(o->b, out->c), close);
}

static uint32_t listed(struct object *o)
{
    bool counted = o->min > 0 || o->max != UINT32_MAX;
    size_t wide = counted ? o->n + 1 : 1;
    if (counted && o->n * o->n > MAX_PLACES) {
        er_gs_unenforced(o->b, "minProperties");
        o->min = 0;
        o->max = UINT32_MAX;
        counted = false;
        wide = 1;
    }
    struct row *now = er_arena_alloc(&o->b->arena, wide * 2 * sizeof *now);
    if (!now) {
        o->b->g->nomem = true;
        return ER_G_NONE;
    }
    struct row *next = now + wide;
    bool rest_free = true;
    for (size_t d = 0; d < wide; d++)
        last_row(o, &now[d], (uint32_t)d);
    for (size_t i = o->n; i-- > 0 && !o->b->g->nomem;) {
        for (size_t d = 0; d < (counted ? i + 1 : 1); d++)
            row_of(o, i, (uint32_t)d, rest_free, &now[d],
                &now[counted ? d + 1 : 0], &next[d]);
        rest_free = rest_free && !o->p[i].required;
        struct row *swap = now;
        now = next;
        next = swap;
    }
    return now[0].a;
}

uint32_t er_gs_object(
    struct er_gbuild *b, const struct er_gschemas *set, uint32_t next)
{
    struct object o = {.b = b, .set = set, .max = UINT32_MAX};
    for (size_t k = 0; k < set->n; k++) {
        uint32_t min = er_gs_count(set->s[k], "minProperties", 0);
        uint32_t max = er_gs_count(set->s[k], "maxProperties", UINT32_MAX);
        o.min = min > o.min ? min : o.min;
        o.max = max < o.max ? max : o.max;
    }
    list_properties(&o);
    list_patterns(&o);
    make_others(&o);
    if (o.first && o.min > 1)
        er_gs_unenforced(b, "minProperties");
    uint32_t end = er_gprogram_text(b->g, "}", 1, next);
    o.close = er_gs_space(b, end);
    uint32_t body = listed(&o);
    /* An empty object needs no space inside. */
    return er_gprogram_text(b->g, "{", 1, er_gs_space(b, body));
}
