/* What a compiled schema is made of.
 *
 * A schema object becomes a node: a list of rules in the order in which they
 * are cheapest to try, each with a mask of the types it looks at. Everything
 * a check needs is found at compile time: references are pointers, patterns
 * are compiled, numbers are taken apart. Nodes never change afterwards, so
 * that any number of threads may check at once.
 *
 * All of it lies in one arena and dies with the schema.
 */
#ifndef ERRAND_TOOL_SCHEMA_NODE_H
#define ERRAND_TOOL_SCHEMA_NODE_H

#include "base/arena.h"
#include "tool/schema.h"
#include "tool/schema_number.h"

#include <stdint.h>

/* Types as bits. An integer is any number without a fraction: 4.0 is one. */
enum er_type {
    ER_T_NULL = 1,
    ER_T_BOOL = 2,
    ER_T_INT = 4,
    ER_T_REAL = 8, /* with a fraction */
    ER_T_STRING = 16,
    ER_T_ARRAY = 32,
    ER_T_OBJECT = 64,
    ER_T_NUMBER = ER_T_INT | ER_T_REAL,
    ER_T_ANY = 127,
};

static inline unsigned er_type_of(const json_t *v)
{
    switch (json_typeof(v)) {
    case JSON_OBJECT: return ER_T_OBJECT;
    case JSON_ARRAY: return ER_T_ARRAY;
    case JSON_STRING: return ER_T_STRING;
    case JSON_INTEGER: return ER_T_INT;
    case JSON_REAL:
        return er_real_is_whole(json_real_value(v)) ? ER_T_INT : ER_T_REAL;
    case JSON_TRUE:
    case JSON_FALSE: return ER_T_BOOL;
    default: return ER_T_NULL;
    }
}

/* "integer", "object" ... of one bit. */
const char *er_type_name(unsigned type);

/* In the order of checking: the cheap and the telling first. unevaluated*
 * last, because they look at what the others have seen. */
enum er_rule_kind {
    ER_RULE_TYPE,
    ER_RULE_CONST,
    ER_RULE_ENUM,
    ER_RULE_MINIMUM,
    ER_RULE_MAXIMUM,
    ER_RULE_ABOVE, /* exclusiveMinimum */
    ER_RULE_BELOW, /* exclusiveMaximum */
    ER_RULE_MULTIPLE,
    ER_RULE_MIN_LENGTH,
    ER_RULE_MAX_LENGTH,
    ER_RULE_MIN_ITEMS,
    ER_RULE_MAX_ITEMS,
    ER_RULE_MIN_PROPS,
    ER_RULE_MAX_PROPS,
    ER_RULE_REQUIRED,
    ER_RULE_DEP_REQUIRED,
    ER_RULE_OBJECT, /* properties, patternProperties, additional... */
    ER_RULE_ARRAY,  /* prefixItems, items, additionalItems */
    ER_RULE_PATTERN,
    ER_RULE_FORMAT,
    ER_RULE_UNIQUE,
    ER_RULE_CONTAINS,
    ER_RULE_NAMES,
    ER_RULE_DEPENDENCIES,
    ER_RULE_DEP_SCHEMAS,
    ER_RULE_REF,
    ER_RULE_DYNAMIC_REF,
    ER_RULE_ALL,
    ER_RULE_ANY,
    ER_RULE_ONE,
    ER_RULE_NOT,
    ER_RULE_IF,
    ER_RULE_UNEV_ITEMS,
    ER_RULE_UNEV_PROPS,
    ER_RULE_KINDS
};

struct er_node;
struct er_regex;
struct er_idna;

/* A format: is the text one? idna may be NULL for those that do not ask. */
typedef bool er_format_fn(
    const char *s, size_t len, const struct er_idna *idna);

struct er_key {
    const char *s;
    size_t len;
};

struct er_keys {
    struct er_key *at;
    size_t n;
};

struct er_nodes {
    struct er_node **at;
    size_t n;
};

struct er_prop {
    struct er_key key;
    struct er_node *node;
};

struct er_pattern {
    const struct er_regex *regex;
    struct er_node *node;
};

struct er_object {
    struct er_prop *props;
    size_t nprops;
    struct er_pattern *patterns;
    size_t npatterns;
    const json_t *known;  /* "properties" itself, for lookups; or NULL */
    struct er_node *rest; /* additionalProperties, or NULL */
};

struct er_array {
    struct er_nodes prefix;
    struct er_node *rest; /* items after the prefix, or NULL */
};

struct er_contains {
    struct er_node *node;
    size_t min, max;
    bool marks; /* counts for unevaluatedItems (not in 2019-09) */
};

struct er_condition {
    struct er_node *test, *then, *other; /* the last two may be NULL */
};

/* What a property brings with it: names, or a schema. */
struct er_dependent {
    struct er_key key;
    struct er_keys names;
    struct er_node *node; /* or NULL */
};

struct er_dependents {
    struct er_dependent *at;
    size_t n;
};

struct er_dynamic {
    struct er_node *node; /* where it points if nobody in scope differs */
    const char *anchor;   /* NULL: as $ref */
};

struct er_rule {
    enum er_rule_kind kind;
    unsigned types;      /* instances of other types pass */
    const json_t *value; /* of the keyword */
    union {
        unsigned types;
        size_t count;
        struct er_decimal divisor;
        const struct er_regex *regex;
        er_format_fn *format;
        struct er_node *node;
        struct er_nodes nodes;
        struct er_keys names;
        struct er_object object;
        struct er_array array;
        struct er_contains contains;
        struct er_condition condition;
        struct er_dependents dependents;
        struct er_dynamic dynamic;
    } u;
};

/* A $dynamicAnchor of a resource. */
struct er_dynamic_anchor {
    const char *name;
    const json_t *value;
    const char *where;
    struct er_node *node; /* NULL until some $dynamicRef asks for the name */
    struct er_dynamic_anchor *next;
};

/* A schema resource: a document, or a part of one with an $id. */
struct er_resource {
    const char *uri; /* absolute, no fragment; "" if it has none */
    const json_t *root;
    const char *where; /* of the root, for messages */
    unsigned draft;    /* one of er_draft_bit */
    unsigned vocab;    /* er_vocab bits */
    bool entered;      /* some node lies in it */
    struct er_dynamic_anchor *anchors;
    struct er_resource *next;
};

struct er_node {
    const json_t *value;
    struct er_resource *res;
    const char *where; /* "#/properties/a", with the URI before it if far */
    struct er_rule *rules;
    unsigned nrules;
    unsigned types; /* what type, const and enum let pass */
    size_t cost;    /* steps of a look at it */
    bool never;     /* the schema false */
    bool tracks;    /* has unevaluated*: what is seen must be noted */
    uint8_t color;  /* of the search for loops */
    struct er_node *next;
};

struct er_schema {
    struct er_arena arena;
    json_t *held; /* array: the documents nodes point into */
    struct er_node *root;
    struct er_regex *regexes;
    struct er_idna *idna;
    unsigned flags;
};

/* The rule of that kind, or NULL. */
const struct er_rule *er_node_rule(
    const struct er_node *n, enum er_rule_kind kind);

#endif
