/* Are two schemas apart, so that oneOf of them is anyOf? And does a value
 * that a schema lists fit the others? Both are asked of what can be decided
 * at a glance; no is always a safe answer to the first, yes to the second is
 * given only when it is certain or said to be unenforced. */
#include "engine/grammar_schema.h"

#include <math.h>
#include <string.h>

enum { DEEP = 6 };

static unsigned type_bits(const char *name)
{
    static const struct {
        const char *name;
        unsigned bits;
    } types[] = {{"null", ER_GT_NULL}, {"boolean", ER_GT_BOOL},
        {"integer", ER_GT_INTEGER}, {"number", ER_GT_INTEGER | ER_GT_NUMBER},
        {"string", ER_GT_STRING}, {"array", ER_GT_ARRAY},
        {"object", ER_GT_OBJECT}};
    for (size_t i = 0; name && i < sizeof types / sizeof types[0]; i++)
        if (strcmp(name, types[i].name) == 0)
            return types[i].bits;
    return 0;
}

static unsigned types_of(const json_t *type)
{
    unsigned bits = 0;
    size_t i;
    json_t *t;
    if (!type)
        return ER_GT_ALL;
    if (json_is_string(type))
        return type_bits(json_string_value(type));
    json_array_foreach(type, i, t)
        bits |= type_bits(json_string_value(t));
    return bits;
}

static unsigned type_of_value(const json_t *v)
{
    if (json_is_real(v)) {
        double f = json_real_value(v);
        return f < floor(f) || f > floor(f) ? ER_GT_NUMBER : ER_GT_INTEGER;
    }
    return json_is_null(v) ? ER_GT_NULL
        : json_is_boolean(v) ? ER_GT_BOOL
        : json_is_integer(v) ? ER_GT_INTEGER
        : json_is_string(v)  ? ER_GT_STRING
        : json_is_array(v)   ? ER_GT_ARRAY : ER_GT_OBJECT;
}

unsigned er_gs_types(struct er_gbuild *b, const struct er_gschemas *set)
{
    unsigned bits = ER_GT_ALL;
    for (size_t i = 0; i < set->n; i++) {
        const json_t *type = json_object_get(set->s[i], "type");
        unsigned mine = types_of(type);
        if (type && mine == 0 && !b->bad) {
            b->bad = true;
            er_fail(b->err, ERRAND_SCHEMA, "unknown type \"%.40s\" in the "
                "schema: one of null, boolean, integer, number, string, "
                "array, object", json_is_string(type)
                    ? json_string_value(type) : "?");
        }
        bits &= mine;
    }
    return bits;
}

static bool same_value(const json_t *x, const json_t *y)
{
    if (json_is_number(x) && json_is_number(y)) {
        double a = json_number_value(x), c = json_number_value(y);
        return !(a < c) && !(a > c);
    }
    return json_equal(x, y);
}

static bool listed(const json_t *list, const json_t *v)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
        if (same_value(item, v))
            return true;
    return false;
}

/* --- does a value fit? */

static bool number_fits(const json_t *s, const json_t *v)
{
    const json_t *min = json_object_get(s, "minimum");
    const json_t *max = json_object_get(s, "maximum");
    const json_t *over = json_object_get(s, "exclusiveMinimum");
    const json_t *under = json_object_get(s, "exclusiveMaximum");
    double f = json_number_value(v);
    if (json_is_number(min) && f < json_number_value(min))
        return false;
    if (json_is_number(max) && f > json_number_value(max))
        return false;
    if (json_is_number(over) && f <= json_number_value(over))
        return false;
    return !json_is_number(under) || f < json_number_value(under);
}

static size_t characters(const char *s, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += ((unsigned char)s[i] & 0xC0) != 0x80;
    return count;
}

static bool text_fits(
    struct er_gbuild *b, const json_t *s, const json_t *v)
{
    const char *text = json_string_value(v);
    size_t len = json_string_length(v), n = characters(text, len);
    const char *pattern = er_json_str(s, "pattern");
    const char *format = er_json_str(s, "format");
    const struct er_dfa *d = pattern ? er_gs_pattern(b, pattern) : NULL;
    const struct er_dfa *f = format ? er_gs_format(b, format) : NULL;
    return n >= er_gs_count(s, "minLength", 0) &&
           n <= er_gs_count(s, "maxLength", UINT32_MAX) &&
           (!d || er_dfa_accepts(d, text, len)) &&
           (!f || er_dfa_accepts(f, text, len));
}

/* Keywords for arrays and objects that a listed value is not held against. */
static bool says_more(const json_t *s)
{
    static const char *const keys[] = {"properties", "required", "items",
        "additionalProperties", "patternProperties", "minItems", "maxItems",
        "prefixItems", "minProperties", "maxProperties", "contains",
        "uniqueItems", "propertyNames"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (json_object_get(s, keys[i]))
            return true;
    return false;
}

bool er_gs_fits(struct er_gbuild *b, const json_t *s, const json_t *v)
{
    const json_t *type = json_object_get(s, "type");
    const json_t *list = json_object_get(s, "enum");
    const json_t *one = json_object_get(s, "const");
    const json_t *not = json_object_get(s, "x-er-not");
    if (type && !(types_of(type) & type_of_value(v)))
        return false;
    if ((json_is_array(list) && !listed(list, v)) ||
        (one && !same_value(one, v)))
        return false;
    if (not && ((json_object_get(not, "const") &&
                    same_value(json_object_get(not, "const"), v)) ||
                   listed(json_object_get(not, "enum"), v)))
        return false;
    if (json_is_number(v))
        return number_fits(s, v);
    if (json_is_string(v))
        return text_fits(b, s, v);
    if ((json_is_array(v) || json_is_object(v)) && says_more(s))
        er_gs_unenforced(b, "enum");
    return true;
}

/* --- apart */

static bool apart(
    struct er_gbuild *b, const json_t *x, const json_t *y, unsigned depth);

static const json_t *followed(struct er_gbuild *b, const json_t *s)
{
    for (int i = 0; i < 8; i++) {
        const char *ref =
            json_is_object(s) ? er_json_str(s, "$ref") : NULL;
        if (!ref)
            break;
        s = er_gs_resolve(b, ref);
    }
    return s;
}

static bool listed_apart(
    struct er_gbuild *b, const json_t *x, const json_t *y)
{
    const json_t *one = json_object_get(x, "const");
    const json_t *list = json_object_get(x, "enum");
    size_t i;
    json_t *v;
    if (one)
        return !er_gs_fits(b, y, one);
    if (!json_is_array(list))
        return false;
    json_array_foreach(list, i, v)
        if (er_gs_fits(b, y, v))
            return false;
    return true;
}

static bool requires(const json_t *s, const char *name)
{
    size_t i;
    json_t *r;
    json_array_foreach(json_object_get(s, "required"), i, r)
        if (json_is_string(r) && strcmp(json_string_value(r), name) == 0)
            return true;
    return false;
}

/* Is the property forbidden: false itself, or not listed where only listed
 * ones may be? */
static bool forbids(const json_t *s, const char *name)
{
    const json_t *p =
        json_object_get(json_object_get(s, "properties"), name);
    if (p)
        return json_is_false(p);
    return json_is_false(json_object_get(s, "additionalProperties")) &&
           !json_object_get(s, "patternProperties");
}

static bool objects_apart(struct er_gbuild *b, const json_t *x,
    const json_t *y, unsigned depth)
{
    size_t i;
    json_t *r;
    json_array_foreach(json_object_get(x, "required"), i, r) {
        const char *name = json_string_value(r);
        if (!name)
            continue;
        if (forbids(y, name))
            return true;
        const json_t *px =
            json_object_get(json_object_get(x, "properties"), name);
        const json_t *py =
            json_object_get(json_object_get(y, "properties"), name);
        if (requires(y, name) && px && py && apart(b, px, py, depth + 1))
            return true;
    }
    return false;
}

static bool numbers_apart(const json_t *x, const json_t *y)
{
    const json_t *max = json_object_get(x, "maximum");
    const json_t *under = json_object_get(x, "exclusiveMaximum");
    const json_t *min = json_object_get(y, "minimum");
    const json_t *over = json_object_get(y, "exclusiveMinimum");
    const json_t *top = json_is_number(under) ? under : max;
    const json_t *low = json_is_number(over) ? over : min;
    if (!json_is_number(top) || !json_is_number(low))
        return false;
    double t = json_number_value(top), l = json_number_value(low);
    return t < l || (!(t > l) && (json_is_number(under) ||
                                     json_is_number(over)));
}

static bool texts_apart(
    struct er_gbuild *b, const json_t *x, const json_t *y)
{
    struct er_gschemas both = {0};
    struct er_gtext t;
    const char *px = er_json_str(x, "pattern");
    const char *py = er_json_str(y, "pattern");
    const char *fx = er_json_str(x, "format");
    const char *fy = er_json_str(y, "format");
    if (er_gs_count(x, "maxLength", UINT32_MAX) <
            er_gs_count(y, "minLength", 0) ||
        er_gs_count(y, "maxLength", UINT32_MAX) <
            er_gs_count(x, "minLength", 0))
        return true;
    if ((!px && !fx) || (!py && !fy))
        return false;
    er_gs_add(b, &both, x);
    er_gs_add(b, &both, y);
    return er_gs_text(b, &both, &t) && er_dfa_empty(t.d);
}

/* Every option of x apart from y? */
static bool options_apart(struct er_gbuild *b, const json_t *options,
    const json_t *y, unsigned depth)
{
    size_t i;
    json_t *o;
    if (json_array_size(options) == 0)
        return false;
    json_array_foreach(options, i, o)
        if (!apart(b, o, y, depth + 1))
            return false;
    return true;
}

/* Some part of x apart from y? */
static bool parts_apart(struct er_gbuild *b, const json_t *parts,
    const json_t *y, unsigned depth)
{
    size_t i;
    json_t *o;
    json_array_foreach(parts, i, o)
        if (apart(b, o, y, depth + 1))
            return true;
    return false;
}

static bool one_way(struct er_gbuild *b, const json_t *x, const json_t *y,
    unsigned common, unsigned depth)
{
    if (listed_apart(b, x, y))
        return true;
    if (common == ER_GT_OBJECT && objects_apart(b, x, y, depth))
        return true;
    if (!(common & ~(unsigned)(ER_GT_INTEGER | ER_GT_NUMBER)) &&
        numbers_apart(x, y))
        return true;
    return options_apart(b, json_object_get(x, "anyOf"), y, depth) ||
           options_apart(b, json_object_get(x, "oneOf"), y, depth) ||
           parts_apart(b, json_object_get(x, "allOf"), y, depth);
}

static bool apart(
    struct er_gbuild *b, const json_t *x, const json_t *y, unsigned depth)
{
    x = followed(b, x);
    y = followed(b, y);
    if (json_is_false(x) || json_is_false(y))
        return true;
    if (depth > DEEP || !json_is_object(x) || !json_is_object(y) || x == y ||
        ++b->work > 100000)
        return false;
    unsigned common = types_of(json_object_get(x, "type")) &
                      types_of(json_object_get(y, "type"));
    if (common == 0 || one_way(b, x, y, common, depth) ||
        one_way(b, y, x, common, depth))
        return true;
    return common == ER_GT_STRING && texts_apart(b, x, y);
}

bool er_gs_apart(struct er_gbuild *b, const json_t *x, const json_t *y)
{
    return apart(b, x, y, 0);
}
