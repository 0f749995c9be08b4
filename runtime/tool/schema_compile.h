/* The state of one compilation, shared by the files that take part in it:
 * schema_resource.c finds $id and anchors, schema_ref.c resolves references,
 * schema_keyword.c turns keywords into rules, schema_compile.c drives.
 */
#ifndef ERRAND_TOOL_SCHEMA_COMPILE_H
#define ERRAND_TOOL_SCHEMA_COMPILE_H

#include "tool/schema_node.h"

/* 2019-09 is understood where a 2020-12 or draft 7 schema refers to one, all
 * but its $recursiveRef. */
enum er_draft_bit {
    ER_D7 = 1,
    ER_D2019 = 2,
    ER_D2020 = 4,
    ER_D_LATER = ER_D2019 | ER_D2020,
    ER_D_ALL = 7,
};

enum er_vocab {
    ER_V_CORE = 1,
    ER_V_APPLICATOR = 2,
    ER_V_UNEVALUATED = 4,
    ER_V_VALIDATION = 8,
    ER_V_FORMAT_ASSERTION = 16,
    ER_V_OTHER = 32, /* meta-data, content, annotations: nothing to do */
    ER_V_USUAL = 15 | ER_V_OTHER,
};

/* Bounds on what a stranger's schema may ask for. */
enum {
    ER_SCHEMA_MAX_DEPTH = 600, /* of the document; parsed JSON has 512 */
    ER_SCHEMA_MAX_NODES = 200000,
};

/* A pointer pair to a pointer. */
struct er_map {
    struct er_map_slot {
        const void *a, *b;
        void *value;
    } *slots;
    size_t cap, n;
};

void *er_map_get(const struct er_map *m, const void *a, const void *b);
bool er_map_put(struct er_map *m, const void *a, const void *b, void *value);
void er_map_release(struct er_map *m);

/* What a URI, or a URI with an anchor, names. */
struct er_target {
    const json_t *value;
    struct er_resource *res;
    const char *where;
    const char *dynamic; /* its name, if it is a $dynamicAnchor */
};

struct er_compile {
    er_schema *s;
    const er_schema_registry *registry;
    struct errand_error *err;
    bool failed;
    unsigned draft;   /* er_draft_bit where "$schema" is silent */
    json_t *by_uri;   /* "uri" or "uri#anchor" to an index in targets */
    struct er_target *targets;
    size_t ntargets, targets_cap;
    struct er_map nodes; /* value, resource -> node */
    struct er_map roots; /* value -> resource whose root it is */
    struct er_resource *resources;
    struct er_node *first, **last; /* all nodes; compiled up to done */
    size_t nnodes;
    const char **dynamic; /* names that some $dynamicRef asks for */
    size_t ndynamic, dynamic_cap;
};

/* Fail with "schema at WHERE/KEY: ..."; key may be NULL. Always false. */
bool er_schema_bad(struct er_compile *c, const char *where, const char *key,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
bool er_schema_nomem(struct er_compile *c);

/* Arena memory; NULL sets the error. */
void *er_schema_take(struct er_compile *c, size_t n, size_t size);

/* where + "/" + key, escaped as a JSON pointer; NULL: no memory. */
const char *er_schema_below(
    struct er_compile *c, const char *where, const char *key, size_t len);
const char *er_schema_item(
    struct er_compile *c, const char *where, size_t index);

/* --- schema_resource.c */

/* Take a document in: find its resources and anchors. uri is where it comes
 * from. NULL on failure. */
struct er_resource *er_schema_document(struct er_compile *c,
    const json_t *document, const char *uri, unsigned draft);

/* Index of what uri (absolute, "#anchor" included) names; NULL if nothing
 * known so far. */
struct er_target *er_schema_known(struct er_compile *c, const char *uri);

/* --- schema_dialect.c */

/* Draft and vocabularies that a "$schema" names. */
bool er_schema_dialect(struct er_compile *c, const char *where,
    const char *uri, unsigned *draft, unsigned *vocab);

/* --- schema_ref.c */

bool er_schema_ref(struct er_compile *c, const struct er_node *from,
    const char *key, const char *ref, struct er_target *out);

/* --- schema_meta.c, schema_registry.c */

/* Text of a built-in meta-schema, or NULL. */
const char *er_schema_meta(const char *uri);

/* A document by its URI: registry first, then the built-in ones (parsed and
 * held by the schema). NULL if there is none or no memory (c->failed). */
const json_t *er_schema_find(struct er_compile *c, const char *uri);

/* --- schema_keyword.c */

enum er_shape {
    ER_SHAPE_VALUE,  /* no schema in it */
    ER_SHAPE_ONE,    /* a schema */
    ER_SHAPE_MANY,   /* an array of schemas */
    ER_SHAPE_MAP,    /* an object of schemas */
    ER_SHAPE_EITHER, /* a schema or an array of schemas */
    ER_SHAPE_DEPS,   /* an object of schemas or arrays of names */
};

struct er_build; /* the rules of a node under way */
struct er_keyword;

typedef bool er_keyword_fn(struct er_compile *c, struct er_build *b,
    const struct er_keyword *k, const json_t *value);

struct er_keyword {
    const char *name;
    unsigned drafts, vocab;
    enum er_shape shape;
    er_keyword_fn *compile; /* NULL: nothing to check */
    enum er_rule_kind kind;
};

struct er_build {
    struct er_node *node;
    const struct er_keyword *keyword; /* under way */
    struct er_rule rules[ER_RULE_KINDS];
    bool used[ER_RULE_KINDS];
    size_t key_bytes; /* of names to look up in each instance */
};

/* The keyword as it counts in this resource, or NULL. */
const struct er_keyword *er_keyword_find(
    const struct er_resource *res, const char *name);

/* In draft 7 $ref hides what stands beside it. */
bool er_schema_only_ref(const struct er_resource *res, const json_t *value);

/* --- schema_compile.c */

/* The node of a schema value, made and queued if it is new. NULL: failed. */
struct er_node *er_schema_node(struct er_compile *c, const json_t *value,
    struct er_resource *res, const char *where);

/* A rule of the node under way; zeroed but for kind and types when it is
 * asked for the first time. */
struct er_rule *er_build_rule(struct er_build *b, enum er_rule_kind kind);

/* Node of a subschema at where/key[/index]. */
struct er_node *er_build_child(struct er_compile *c, struct er_build *b,
    const char *where, const json_t *value);

/* --- schema_keyword_value.c, schema_keyword_deep.c */

er_keyword_fn er_kw_type, er_kw_const, er_kw_enum, er_kw_limit,
    er_kw_multiple, er_kw_count, er_kw_pattern, er_kw_format, er_kw_unique,
    er_kw_required, er_kw_text;
er_keyword_fn er_kw_ref, er_kw_dynamic_ref, er_kw_recursive_ref, er_kw_list,
    er_kw_one, er_kw_properties, er_kw_patterns, er_kw_additional,
    er_kw_items, er_kw_prefix, er_kw_additional_items, er_kw_contains,
    er_kw_contains_count, er_kw_condition, er_kw_dependents, er_kw_defs,
    er_kw_content;

/* "must be WHAT, not an integer". Always false. */
bool er_kw_wrong(struct er_compile *c, const struct er_build *b,
    const struct er_keyword *k, const char *what, const json_t *value);

/* An array of texts. */
bool er_kw_names(struct er_compile *c, struct er_build *b,
    const struct er_keyword *k, const json_t *value, struct er_keys *out);

/* --- schema_loop.c */

/* Refuse schemas that come back to themselves without going deeper. */
bool er_schema_no_loops(struct er_compile *c);

#endif
