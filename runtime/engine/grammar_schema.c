/* JSON Schema to a program: the front, values by kind, arrays, listed values
 * and white space. */
#include "engine/grammar_schema.h"

#include <stdlib.h>
#include <string.h>

/* --- white space */

/* Nothing, a blank, or a new line with its indentation. */
uint32_t er_gs_space(struct er_gbuild *b, uint32_t next)
{
    static const char pattern[] = "|\\x20|\\n[\\x20\\t]{0,40}";
    if (b->opt.compact || next == ER_G_NONE)
        return next;
    if (!b->space_dfa)
        b->space_dfa = er_dfa_pattern(
            &b->maker, pattern, sizeof pattern - 1, false);
    return er_gprogram_raw(b->g, b->space_dfa, next);
}

uint32_t er_gs_comma(struct er_gbuild *b, uint32_t next)
{
    if (b->opt.compact)
        return er_gprogram_text(b->g, ", ", 2, next);
    return er_gprogram_text(b->g, ",", 1, er_gs_space(b, next));
}

uint32_t er_gs_colon(struct er_gbuild *b, uint32_t next)
{
    if (b->opt.compact)
        return er_gprogram_text(b->g, ": ", 2, next);
    return er_gs_space(
        b, er_gprogram_text(b->g, ":", 1, er_gs_space(b, next)));
}

/* --- listed values */

/* Digits of \uXXXX as most writers have them: in lower case. */
static void lower_escapes(char *text)
{
    for (; *text; text++) {
        if (*text != '\\')
            continue;
        text++;
        for (size_t i = 1; *text == 'u' && i <= 4; i++)
            if (text[i] >= 'A' && text[i] <= 'F')
                text[i] = (char)(text[i] | 32);
    }
}

static uint32_t scalar(struct er_gbuild *b, const json_t *v, size_t flags,
    uint32_t next)
{
    char *text = json_dumps(v, flags | JSON_ENCODE_ANY | JSON_COMPACT);
    if (!text) {
        b->g->nomem = true;
        return ER_G_NONE;
    }
    if (flags & JSON_ENSURE_ASCII)
        lower_escapes(text);
    uint32_t at = er_gprogram_text(b->g, text, strlen(text), next);
    free(text);
    return at;
}

static bool has_beyond_ascii(const json_t *v)
{
    const char *s = json_string_value(v);
    size_t n = json_string_length(v);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)s[i] >= 0x80)
            return true;
    return false;
}

static uint32_t array_literal(
    struct er_gbuild *b, const json_t *v, uint32_t next)
{
    uint32_t at =
        er_gs_space(b, er_gprogram_text(b->g, "]", 1, next));
    for (size_t i = json_array_size(v); i-- > 0;) {
        at = er_gs_literal(b, json_array_get(v, i), at);
        if (i)
            at = er_gs_comma(b, at);
    }
    return er_gprogram_text(b->g, "[", 1, er_gs_space(b, at));
}

static uint32_t object_literal(
    struct er_gbuild *b, const json_t *v, uint32_t next)
{
    const char *key;
    json_t *item;
    size_t n = json_object_size(v), i = 0;
    const char **keys = calloc(n + 1, sizeof *keys);
    uint32_t at =
        er_gs_space(b, er_gprogram_text(b->g, "}", 1, next));
    if (!keys) {
        b->g->nomem = true;
        return ER_G_NONE;
    }
    json_object_foreach((json_t *)(uintptr_t)v, key, item)
        keys[i++] = key;
    while (i-- > 0) {
        json_t *name = json_string(keys[i]);
        b->g->nomem = b->g->nomem || !name;
        at = er_gs_colon(
            b, er_gs_literal(b, json_object_get(v, keys[i]), at));
        at = er_gs_literal(b, name, at);
        json_decref(name);
        if (i)
            at = er_gs_comma(b, at);
    }
    free(keys);
    return er_gprogram_text(b->g, "{", 1, er_gs_space(b, at));
}

uint32_t er_gs_literal(struct er_gbuild *b, const json_t *v, uint32_t next)
{
    if (next == ER_G_NONE || !v)
        return ER_G_NONE;
    if (json_is_array(v))
        return array_literal(b, v, next);
    if (json_is_object(v))
        return object_literal(b, v, next);
    uint32_t at = scalar(b, v, 0, next);
    if (json_is_string(v) && has_beyond_ascii(v))
        return er_gprogram_split(
            b->g, at, scalar(b, v, JSON_ENSURE_ASCII, next));
    if (json_is_real(v) && json_real_value(v) > -1e15 &&
        json_real_value(v) < 1e15) {
        json_int_t whole = (json_int_t)json_real_value(v);
        json_t *i = json_integer(whole);
        bool same = !((double)whole < json_real_value(v)) &&
                    !((double)whole > json_real_value(v));
        if (same)
            at = er_gprogram_split(b->g, at, scalar(b, i, 0, next));
        json_decref(i);
    }
    return at;
}

/* The values that an alternative lists, those that fit all of it; *is says
 * whether it lists any. */
static uint32_t listed(struct er_gbuild *b, const struct er_gschemas *set,
    uint32_t next, bool *is)
{
    uint32_t at = ER_G_NONE;
    *is = false;
    for (size_t k = 0; k < set->n && !*is; k++) {
        json_t *one = json_object_get(set->s[k], "const");
        json_t *list = json_object_get(set->s[k], "enum");
        json_t *all = one ? json_pack("[O]", one) : json_incref(list);
        b->g->nomem = b->g->nomem || (one && !all);
        *is = json_is_array(all);
        for (size_t i = *is ? json_array_size(all) : 0; i-- > 0;) {
            const json_t *v = json_array_get(all, i);
            bool fits = true;
            for (size_t j = 0; fits && j < set->n; j++)
                fits = er_gs_fits(b, set->s[j], v);
            if (fits)
                at = er_gprogram_split(
                    b->g, er_gs_literal(b, v, next), at);
        }
        json_decref(all);
    }
    return at;
}

/* --- arrays */

struct array {
    uint32_t min, max, close;
    size_t prefix; /* places with schemas of their own */
};

static const json_t *prefix_of(const json_t *s)
{
    const json_t *p = json_object_get(s, "prefixItems");
    const json_t *items = json_object_get(s, "items");
    return json_is_array(p) ? p : json_is_array(items) ? items : NULL;
}

static const json_t *rest_of(const json_t *s)
{
    const json_t *items = json_object_get(s, "items");
    return json_is_array(items) ? json_object_get(s, "additionalItems")
        : items ? items : NULL;
}

/* What holds for the item at a place; SIZE_MAX: behind all prefixes. */
static uint32_t item(struct er_gbuild *b, const struct er_gschemas *set,
    size_t i, uint32_t next)
{
    struct er_gschemas value = {0};
    for (size_t k = 0; k < set->n; k++) {
        const json_t *prefix = prefix_of(set->s[k]);
        const json_t *v = i < json_array_size(prefix)
            ? json_array_get(prefix, i) : rest_of(set->s[k]);
        if (v)
            er_gs_add(b, &value, v);
    }
    return er_gs_value(b, &value, next);
}

static void array_bounds(struct er_gbuild *b, const struct er_gschemas *set,
    struct array *a)
{
    static const char *const beyond[] = {"contains", "minContains",
        "unevaluatedItems"};
    bool unique = false;
    for (size_t k = 0; k < set->n; k++) {
        const json_t *s = set->s[k];
        uint32_t min = er_gs_count(s, "minItems", 0);
        uint32_t max = er_gs_count(s, "maxItems", UINT32_MAX);
        size_t n = json_array_size(prefix_of(s));
        a->min = min > a->min ? min : a->min;
        a->max = max < a->max ? max : a->max;
        a->prefix = n > a->prefix ? n : a->prefix;
        unique = unique || json_is_true(json_object_get(s, "uniqueItems"));
        for (size_t i = 0; i < 3; i++)
            if (json_object_get(s, beyond[i]) &&
                !json_is_true(json_object_get(s, beyond[i])))
                er_gs_unenforced(b, beyond[i]);
    }
    if (unique && a->max > 1)
        er_gs_unenforced(b, "uniqueItems");
    if (a->max == UINT32_MAX && b->opt.max_items)
        a->max = a->min > b->opt.max_items ? a->min : b->opt.max_items;
}

/* Behind `done` items, which are all of the prefix. */
static uint32_t rest_items(struct er_gbuild *b,
    const struct er_gschemas *set, const struct array *a)
{
    uint32_t done = (uint32_t)a->prefix;
    uint32_t one = item(b, set, SIZE_MAX, 0);
    uint32_t more = er_gs_comma(b, one);
    uint32_t max = a->max == UINT32_MAX ? a->max
        : a->max > done ? a->max - done : 0;
    return er_gprogram_repeat(b->g, done ? more : one, more,
        a->min > done ? a->min - done : 0, max, a->close);
}

uint32_t er_gs_array(
    struct er_gbuild *b, const struct er_gschemas *set, uint32_t next)
{
    struct array a = {.max = UINT32_MAX};
    array_bounds(b, set, &a);
    if (a.prefix > 1000) {
        b->g->too_large = true;
        return ER_G_NONE;
    }
    a.close = er_gs_space(b, er_gprogram_text(b->g, "]", 1, next));
    uint32_t at = rest_items(b, set, &a);
    for (size_t i = a.prefix; i-- > 0;) {
        uint32_t it = i < a.max ? item(b, set, i, at) : ER_G_NONE;
        if (i > 0)
            it = er_gs_comma(b, it);
        at = er_gprogram_split(
            b->g, it, i >= a.min ? a.close : ER_G_NONE);
    }
    return er_gprogram_text(b->g, "[", 1, er_gs_space(b, at));
}

/* --- rules */

static bool same_set(const struct er_gschemas *x, const struct er_gschemas *y)
{
    if (x->n != y->n)
        return false;
    for (size_t i = 0; i < x->n; i++)
        if (x->s[i] != y->s[i])
            return false;
    return true;
}

static int by_address(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t) * (const json_t *const *)a;
    uintptr_t y = (uintptr_t) * (const json_t *const *)b;
    return (x > y) - (x < y);
}

/* true says nothing; {} neither. */
static void drop_empty(struct er_gschemas *set)
{
    size_t n = 0;
    for (size_t i = 0; i < set->n; i++)
        if (!json_is_true(set->s[i]) &&
            !(json_is_object(set->s[i]) &&
                json_object_size(set->s[i]) == 0))
            set->s[n++] = set->s[i];
    set->n = n;
}

/* Sets and their rules stand in a table; a hash finds them. */
static size_t slot_of(
    const struct er_gbuild *b, const struct er_gschemas *set)
{
    uint64_t h = 1469598103934665603u;
    for (size_t i = 0; i < set->n; i++)
        h = (h ^ (uintptr_t)set->s[i]) * 1099511628211u;
    size_t at = (size_t)(h >> 17) % ER_GS_SLOTS;
    while (b->slot[at] && !same_set(&b->set[b->slot[at] - 1], set))
        at = (at + 1) % ER_GS_SLOTS;
    return at;
}

uint32_t er_gs_rule(struct er_gbuild *b, struct er_gschemas *set)
{
    struct er_gschemas sorted = {0};
    drop_empty(set);
    for (size_t i = 0; i < set->n; i++)
        er_gs_add(b, &sorted, set->s[i]);
    if (sorted.n > 1)
        qsort(sorted.s, sorted.n, sizeof *sorted.s, by_address);
    size_t at = slot_of(b, &sorted);
    if (b->slot[at])
        return b->rule_of[b->slot[at] - 1];
    if (b->n_sets == ER_GS_MAX_SETS) {
        b->g->too_large = true;
        return 0;
    }
    uint32_t rule = er_gprogram_rule(b->g);
    b->set[b->n_sets] = sorted;
    b->rule_of[b->n_sets++] = rule;
    b->slot[at] = (uint32_t)b->n_sets;
    return rule;
}

uint32_t er_gs_value(
    struct er_gbuild *b, struct er_gschemas *set, uint32_t next)
{
    return er_gprogram_call(b->g, er_gs_rule(b, set), next);
}

/* --- alternatives */

static uint32_t constant(
    const struct er_gschemas *set, struct er_gbuild *b, const char *text)
{
    json_t *v = er_json_parse(text, strlen(text), ER_JSON_STRICT, NULL);
    uint32_t at = ER_G_NONE;
    bool fits = v != NULL;
    for (size_t i = 0; fits && i < set->n; i++)
        fits = er_gs_fits(b, set->s[i], v);
    if (fits)
        at = er_gprogram_text(b->g, text, strlen(text), 0);
    json_decref(v);
    return at;
}

/* What an alternative comes to: one of its kinds of value. */
static uint32_t alternative(
    struct er_gbuild *b, const struct er_gschemas *set)
{
    er_grammar *g = b->g;
    bool is = false;
    uint32_t at = listed(b, set, 0, &is);
    if (is)
        return at;
    unsigned types = er_gs_types(b, set);
    if (types & ER_GT_OBJECT)
        at = er_gprogram_split(g, er_gs_object(b, set, 0), at);
    if (types & ER_GT_ARRAY)
        at = er_gprogram_split(g, er_gs_array(b, set, 0), at);
    if (types & ER_GT_STRING)
        at = er_gprogram_split(g, er_gs_string(b, set, 0), at);
    if (types & ER_GT_INTEGER)
        at = er_gprogram_split(g,
            er_gs_number(b, set, !(types & ER_GT_NUMBER), 0), at);
    else if (types & ER_GT_NUMBER)
        er_gs_unenforced(b, "type");
    if (types & ER_GT_BOOL) {
        at = er_gprogram_split(g, constant(set, b, "true"), at);
        at = er_gprogram_split(g, constant(set, b, "false"), at);
    }
    if (types & ER_GT_NULL)
        at = er_gprogram_split(g, constant(set, b, "null"), at);
    return at;
}

static void make_rule(struct er_gbuild *b, size_t k)
{
    struct er_galternatives alts = {0};
    uint32_t at = ER_G_NONE;
    if (!er_gs_expand(b, &b->set[k], &alts))
        return;
    for (size_t i = 0; i < alts.n && !b->g->nomem && !b->bad; i++)
        at = er_gprogram_split(b->g, at, alternative(b, &alts.set[i]));
    b->g->rule[b->rule_of[k]] = at;
}

static bool begin(struct er_gbuild *b)
{
    const char *dialect = json_is_object(b->root)
        ? er_json_str(b->root, "$schema") : NULL;
    er_arena_init(&b->arena);
    b->maker.keep = &b->g->keep;
    b->old_refs = dialect && strstr(dialect, "draft-0");
    b->made = json_array();
    b->set = calloc(ER_GS_MAX_SETS, sizeof *b->set);
    b->rule_of = calloc(ER_GS_MAX_SETS, sizeof *b->rule_of);
    b->slot = calloc(ER_GS_SLOTS, sizeof *b->slot);
    b->any = er_dfa_any(&b->maker);
    return b->made && b->set && b->rule_of && b->slot && b->any;
}

static void end(struct er_gbuild *b)
{
    er_arena_release(&b->arena);
    json_decref(b->made);
    free(b->set);
    free(b->rule_of);
    free(b->slot);
}

static int settle(struct er_gbuild *b, struct errand_error *err)
{
    if (b->bad && !b->g->too_large)
        return err->code;
    if (b->g->too_large)
        return er_fail(err, ERRAND_TOO_LARGE, "the schema is too large to "
            "be made into a grammar; split it, or say less in it");
    if (b->g->nomem || b->maker.nomem)
        return er_nomem(err);
    if (!er_gprogram_finish(b->g))
        return b->g->nomem ? er_nomem(err)
            : er_fail(err, ERRAND_SCHEMA, "no value can fit the schema");
    return ERRAND_OK;
}

static size_t length(const char *s)
{
    return s ? strlen(s) : 0;
}

/* The value's rule with texts around it, as the root. */
static uint32_t framed(struct er_gbuild *b, uint32_t value)
{
    const struct er_grammar_options *o = &b->opt;
    er_grammar *g = b->g;
    if (!o->before && !o->between && !o->after)
        return value;
    uint32_t rule = er_gprogram_rule(g);
    if (g->nomem)
        return value;
    uint32_t at = er_gprogram_text(g, o->after, length(o->after), 0);
    if (o->between) {
        uint32_t more = er_gprogram_text(g, o->between,
            length(o->between), er_gprogram_call(g, value, 0));
        at = er_gprogram_repeat(g, more, more, 0, UINT32_MAX, at);
    }
    at = er_gprogram_call(g, value, at);
    if (g->nomem || g->too_large)
        return value; /* perhaps there is no rule to fill in */
    g->rule[rule] = er_gprogram_text(g, o->before, length(o->before), at);
    return rule;
}

er_grammar *er_grammar_schema(const json_t *schema,
    const struct er_grammar_options *opt, struct errand_error *err)
{
    struct errand_error mine = {0};
    struct er_gbuild b = {.root = schema};
    struct er_gschemas root = {0};
    err = err ? err : &mine;
    b.err = err;
    b.opt = opt ? *opt : (struct er_grammar_options){0};
    b.g = er_gprogram_new();
    if (!b.g) {
        er_nomem(err);
        return NULL;
    }
    if (begin(&b)) {
        er_gs_add(&b, &root, schema);
        b.g->root = framed(&b, er_gs_rule(&b, &root));
        for (size_t k = 0; k < b.n_sets && !b.g->nomem && !b.bad &&
             !b.g->too_large; k++)
            make_rule(&b, k);
    } else {
        b.g->nomem = true;
    }
    int rc = settle(&b, err);
    end(&b);
    if (rc == ERRAND_OK)
        return b.g;
    er_grammar_free(b.g);
    return NULL;
}
