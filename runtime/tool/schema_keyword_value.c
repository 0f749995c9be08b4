/* Keywords that speak of a value itself: type, enum, limits, texts. */
#include "tool/schema_compile.h"

#include "tool/schema_format.h"
#include "tool/schema_regex.h"

#include <string.h>

static const struct {
    const char *name;
    unsigned types;
} type_names[] = {
    {"null", ER_T_NULL}, {"boolean", ER_T_BOOL}, {"integer", ER_T_INT},
    {"number", ER_T_NUMBER}, {"string", ER_T_STRING},
    {"array", ER_T_ARRAY}, {"object", ER_T_OBJECT},
};

bool er_kw_wrong(struct er_compile *c, const struct er_build *b,
    const struct er_keyword *k, const char *what, const json_t *value)
{
    return er_schema_bad(c, b->node->where, k->name, "must be %s, not %s",
        what, er_type_name(er_type_of(value)));
}

static bool add_type(struct er_compile *c, const struct er_build *b,
    const struct er_keyword *k, const json_t *name, unsigned *types)
{
    const char *s = json_string_value(name);
    if (!s)
        return er_kw_wrong(c, b, k, "the name of a type or a list of names",
            name);
    for (size_t i = 0; i < sizeof type_names / sizeof type_names[0]; i++) {
        if (strcmp(s, type_names[i].name) == 0) {
            *types |= type_names[i].types;
            return true;
        }
    }
    return er_schema_bad(c, b->node->where, k->name,
        "\"%.40s\" is no type; there are null, boolean, integer, number, "
        "string, array, object", s);
}

bool er_kw_type(struct er_compile *c, struct er_build *b,
    const struct er_keyword *k, const json_t *value)
{
    unsigned types = 0;
    size_t n = json_array_size(value);
    if (json_is_array(value) && n == 0)
        return er_schema_bad(c, b->node->where, k->name,
            "is an empty list, so that nothing could fit");
    for (size_t i = 0; i < n; i++)
        if (!add_type(c, b, k, json_array_get(value, i), &types))
            return false;
    if (!json_is_array(value) && !add_type(c, b, k, value, &types))
        return false;
    struct er_rule *r = er_build_rule(b, k->kind);
    r->value = value;
    r->u.types = types;
    b->node->types &= types;
    return true;
}

bool er_kw_const(struct er_compile *c, struct er_build *b,
    const struct er_keyword *k, const json_t *value)
{
    (void)c;
    er_build_rule(b, k->kind)->value = value;
    b->node->types &= er_type_of(value);
    return true;
}

bool er_kw_enum(struct er_compile *c, struct er_build *b,
    const struct er_keyword *k, const json_t *value)
{
    unsigned types = 0;
    if (!json_is_array(value))
        return er_kw_wrong(c, b, k, "a list of values", value);
    for (size_t i = 0; i < json_array_size(value); i++)
        types |= er_type_of(json_array_get(value, i));
    er_build_rule(b, k->kind)->value = value;
    b->node->types &= types;
    return true;
}

bool er_kw_limit(struct er_compile *c, struct er_build *b,
    const struct er_keyword *k, const json_t *value)
{
    if (!json_is_number(value))
        return er_kw_wrong(c, b, k, "a number", value);
    er_build_rule(b, k->kind)->value = value;
    return true;
}

bool er_kw_multiple(struct er_compile *c, struct er_build *b,
    const struct er_keyword *k, const json_t *value)
{
    if (!json_is_number(value))
        return er_kw_wrong(c, b, k, "a number", value);
    if (json_number_value(value) <= 0)
        return er_schema_bad(c, b->node->where, k->name,
            "must be greater than 0");
    struct er_rule *r = er_build_rule(b, k->kind);
    r->value = value;
    r->u.divisor = er_decimal_of(value);
    return true;
}

/* A whole number from 0, which may be written 2.0. */
static bool read_count(struct er_compile *c, const struct er_build *b,
    const struct er_keyword *k, const json_t *value, size_t *out)
{
    if (er_type_of(value) != ER_T_INT || json_number_value(value) < 0)
        return er_schema_bad(c, b->node->where, k->name,
            "must be a whole number from 0");
    double d = json_number_value(value);
    if (json_is_integer(value))
        *out = (size_t)json_integer_value(value);
    else
        *out = d >= 9e15 ? SIZE_MAX : (size_t)d;
    return true;
}

bool er_kw_count(struct er_compile *c, struct er_build *b,
    const struct er_keyword *k, const json_t *value)
{
    struct er_rule *r = er_build_rule(b, k->kind);
    r->value = value;
    return read_count(c, b, k, value, &r->u.count);
}

static struct er_contains *contains(struct er_build *b)
{
    bool old = b->used[ER_RULE_CONTAINS];
    struct er_contains *it =
        &er_build_rule(b, ER_RULE_CONTAINS)->u.contains;
    if (!old) {
        it->min = 1;
        it->max = SIZE_MAX;
    }
    return it;
}

bool er_kw_contains_count(struct er_compile *c, struct er_build *b,
    const struct er_keyword *k, const json_t *value)
{
    struct er_contains *it = contains(b);
    return read_count(c, b, k, value,
        strcmp(k->name, "minContains") == 0 ? &it->min : &it->max);
}

bool er_kw_contains(struct er_compile *c, struct er_build *b,
    const struct er_keyword *k, const json_t *value)
{
    struct er_contains *it = contains(b);
    er_build_rule(b, ER_RULE_CONTAINS)->value = value;
    it->marks = b->node->res->draft == ER_D2020;
    it->node = er_build_child(c, b,
        er_schema_below(c, b->node->where, k->name, strlen(k->name)), value);
    return it->node;
}

bool er_kw_pattern(struct er_compile *c, struct er_build *b,
    const struct er_keyword *k, const json_t *value)
{
    if (!json_is_string(value))
        return er_kw_wrong(c, b, k, "a regular expression", value);
    struct er_rule *r = er_build_rule(b, k->kind);
    r->value = value;
    r->u.regex = er_regex_compile(c, b->node->where, k->name,
        json_string_value(value), json_string_length(value));
    return r->u.regex;
}

bool er_kw_format(struct er_compile *c, struct er_build *b,
    const struct er_keyword *k, const json_t *value)
{
    if (!json_is_string(value))
        return er_kw_wrong(c, b, k, "the name of a format", value);
    bool asserts = c->s->flags & ER_SCHEMA_FORMATS ||
                   b->node->res->vocab & ER_V_FORMAT_ASSERTION;
    er_format_fn *fn =
        asserts ? er_format_find(json_string_value(value)) : NULL;
    if (!fn) /* an annotation, or a format nobody knows */
        return true;
    struct er_rule *r = er_build_rule(b, k->kind);
    r->value = value;
    r->u.format = fn;
    return er_format_prepare(c, fn);
}

bool er_kw_unique(struct er_compile *c, struct er_build *b,
    const struct er_keyword *k, const json_t *value)
{
    if (!json_is_boolean(value))
        return er_kw_wrong(c, b, k, "true or false", value);
    if (json_is_true(value))
        er_build_rule(b, k->kind)->value = value;
    return true;
}

bool er_kw_names(struct er_compile *c, struct er_build *b,
    const struct er_keyword *k, const json_t *value, struct er_keys *out)
{
    if (!json_is_array(value))
        return er_kw_wrong(c, b, k, "a list of property names", value);
    out->n = json_array_size(value);
    out->at = er_schema_take(c, out->n, sizeof *out->at);
    if (!out->at)
        return false;
    for (size_t i = 0; i < out->n; i++) {
        const json_t *name = json_array_get(value, i);
        if (!json_is_string(name))
            return er_kw_wrong(c, b, k, "a list of property names", name);
        out->at[i] = (struct er_key){
            json_string_value(name), json_string_length(name)};
        b->key_bytes += out->at[i].len;
    }
    return true;
}

bool er_kw_required(struct er_compile *c, struct er_build *b,
    const struct er_keyword *k, const json_t *value)
{
    struct er_rule *r = er_build_rule(b, k->kind);
    r->value = value;
    return er_kw_names(c, b, k, value, &r->u.names);
}

/* $id and its like are read before compiling; here they only must be texts. */
bool er_kw_text(struct er_compile *c, struct er_build *b,
    const struct er_keyword *k, const json_t *value)
{
    return json_is_string(value) || er_kw_wrong(c, b, k, "a text", value);
}
