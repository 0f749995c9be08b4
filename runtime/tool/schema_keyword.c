/* The table of keywords: in which drafts they count, to which vocabulary
 * they belong, where schemas lie in them, and who compiles them.
 *
 * "dependencies" and "definitions" are understood in every draft, because
 * schemas in the wild go on using them. "$defs" is not in draft 7, where a
 * reference reaches it all the same.
 */
#include "tool/schema_compile.h"

#include <stdlib.h>
#include <string.h>

#define ALL ER_D_ALL
#define LATER ER_D_LATER
#define NEW ER_D2020
#define OLD (ER_D7 | ER_D2019)
#define APPLY ER_V_APPLICATOR
#define VALID ER_V_VALIDATION

/* Sorted by name. */
static const struct er_keyword keywords[] = {
    {"$anchor", LATER, ER_V_CORE, ER_SHAPE_VALUE, er_kw_text, 0},
    {"$defs", LATER, ER_V_CORE, ER_SHAPE_MAP, er_kw_defs, 0},
    {"$dynamicAnchor", NEW, ER_V_CORE, ER_SHAPE_VALUE, er_kw_text, 0},
    {"$dynamicRef", NEW, ER_V_CORE, ER_SHAPE_VALUE, er_kw_dynamic_ref,
        ER_RULE_DYNAMIC_REF},
    {"$id", ALL, ER_V_CORE, ER_SHAPE_VALUE, er_kw_text, 0},
    {"$recursiveRef", ER_D2019, ER_V_CORE, ER_SHAPE_VALUE,
        er_kw_recursive_ref, 0},
    {"$ref", ALL, ER_V_CORE, ER_SHAPE_VALUE, er_kw_ref, ER_RULE_REF},
    {"$schema", ALL, ER_V_CORE, ER_SHAPE_VALUE, er_kw_text, 0},
    {"additionalItems", OLD, APPLY, ER_SHAPE_ONE, er_kw_additional_items,
        ER_RULE_ARRAY},
    {"additionalProperties", ALL, APPLY, ER_SHAPE_ONE, er_kw_additional,
        ER_RULE_OBJECT},
    {"allOf", ALL, APPLY, ER_SHAPE_MANY, er_kw_list, ER_RULE_ALL},
    {"anyOf", ALL, APPLY, ER_SHAPE_MANY, er_kw_list, ER_RULE_ANY},
    {"const", ALL, VALID, ER_SHAPE_VALUE, er_kw_const, ER_RULE_CONST},
    {"contains", ALL, APPLY, ER_SHAPE_ONE, er_kw_contains,
        ER_RULE_CONTAINS},
    {"contentSchema", LATER, ER_V_OTHER, ER_SHAPE_ONE, er_kw_content, 0},
    {"definitions", ALL, ER_V_CORE, ER_SHAPE_MAP, er_kw_defs, 0},
    {"dependencies", ALL, APPLY, ER_SHAPE_DEPS, er_kw_dependents,
        ER_RULE_DEPENDENCIES},
    {"dependentRequired", LATER, VALID, ER_SHAPE_VALUE, er_kw_dependents,
        ER_RULE_DEP_REQUIRED},
    {"dependentSchemas", LATER, APPLY, ER_SHAPE_MAP, er_kw_dependents,
        ER_RULE_DEP_SCHEMAS},
    {"else", ALL, APPLY, ER_SHAPE_ONE, er_kw_condition, ER_RULE_IF},
    {"enum", ALL, VALID, ER_SHAPE_VALUE, er_kw_enum, ER_RULE_ENUM},
    {"exclusiveMaximum", ALL, VALID, ER_SHAPE_VALUE, er_kw_limit,
        ER_RULE_BELOW},
    {"exclusiveMinimum", ALL, VALID, ER_SHAPE_VALUE, er_kw_limit,
        ER_RULE_ABOVE},
    {"format", ALL, ER_V_CORE, ER_SHAPE_VALUE, er_kw_format,
        ER_RULE_FORMAT},
    {"if", ALL, APPLY, ER_SHAPE_ONE, er_kw_condition, ER_RULE_IF},
    {"items", ALL, APPLY, ER_SHAPE_EITHER, er_kw_items, ER_RULE_ARRAY},
    {"maxContains", LATER, VALID, ER_SHAPE_VALUE, er_kw_contains_count,
        ER_RULE_CONTAINS},
    {"maxItems", ALL, VALID, ER_SHAPE_VALUE, er_kw_count,
        ER_RULE_MAX_ITEMS},
    {"maxLength", ALL, VALID, ER_SHAPE_VALUE, er_kw_count,
        ER_RULE_MAX_LENGTH},
    {"maxProperties", ALL, VALID, ER_SHAPE_VALUE, er_kw_count,
        ER_RULE_MAX_PROPS},
    {"maximum", ALL, VALID, ER_SHAPE_VALUE, er_kw_limit, ER_RULE_MAXIMUM},
    {"minContains", LATER, VALID, ER_SHAPE_VALUE, er_kw_contains_count,
        ER_RULE_CONTAINS},
    {"minItems", ALL, VALID, ER_SHAPE_VALUE, er_kw_count,
        ER_RULE_MIN_ITEMS},
    {"minLength", ALL, VALID, ER_SHAPE_VALUE, er_kw_count,
        ER_RULE_MIN_LENGTH},
    {"minProperties", ALL, VALID, ER_SHAPE_VALUE, er_kw_count,
        ER_RULE_MIN_PROPS},
    {"minimum", ALL, VALID, ER_SHAPE_VALUE, er_kw_limit, ER_RULE_MINIMUM},
    {"multipleOf", ALL, VALID, ER_SHAPE_VALUE, er_kw_multiple,
        ER_RULE_MULTIPLE},
    {"not", ALL, APPLY, ER_SHAPE_ONE, er_kw_one, ER_RULE_NOT},
    {"oneOf", ALL, APPLY, ER_SHAPE_MANY, er_kw_list, ER_RULE_ONE},
    {"pattern", ALL, VALID, ER_SHAPE_VALUE, er_kw_pattern, ER_RULE_PATTERN},
    {"patternProperties", ALL, APPLY, ER_SHAPE_MAP, er_kw_patterns,
        ER_RULE_OBJECT},
    {"prefixItems", NEW, APPLY, ER_SHAPE_MANY, er_kw_prefix,
        ER_RULE_ARRAY},
    {"properties", ALL, APPLY, ER_SHAPE_MAP, er_kw_properties,
        ER_RULE_OBJECT},
    {"propertyNames", ALL, APPLY, ER_SHAPE_ONE, er_kw_one, ER_RULE_NAMES},
    {"required", ALL, VALID, ER_SHAPE_VALUE, er_kw_required,
        ER_RULE_REQUIRED},
    {"then", ALL, APPLY, ER_SHAPE_ONE, er_kw_condition, ER_RULE_IF},
    {"type", ALL, VALID, ER_SHAPE_VALUE, er_kw_type, ER_RULE_TYPE},
    {"unevaluatedItems", LATER, ER_V_UNEVALUATED, ER_SHAPE_ONE, er_kw_one,
        ER_RULE_UNEV_ITEMS},
    {"unevaluatedProperties", LATER, ER_V_UNEVALUATED, ER_SHAPE_ONE,
        er_kw_one, ER_RULE_UNEV_PROPS},
    {"uniqueItems", ALL, VALID, ER_SHAPE_VALUE, er_kw_unique,
        ER_RULE_UNIQUE},
};

static int by_name(const void *name, const void *keyword)
{
    return strcmp(name, ((const struct er_keyword *)keyword)->name);
}

const struct er_keyword *er_keyword_find(
    const struct er_resource *res, const char *name)
{
    size_t n = sizeof keywords / sizeof keywords[0];
    const struct er_keyword *k =
        bsearch(name, keywords, n, sizeof keywords[0], by_name);
    if (!k || !(k->drafts & res->draft))
        return NULL;
    /* in 2019-09 unevaluated* belong to the applicators */
    unsigned vocab = res->vocab;
    if (res->draft == ER_D2019 && (vocab & ER_V_APPLICATOR))
        vocab |= ER_V_UNEVALUATED;
    return k->vocab & vocab ? k : NULL;
}

bool er_schema_only_ref(const struct er_resource *res, const json_t *value)
{
    return res->draft == ER_D7 &&
           json_is_string(json_object_get(value, "$ref"));
}
