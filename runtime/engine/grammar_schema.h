/* From a JSON Schema to a program: floor-private to grammar_schema*.c.
 *
 * A rule stands for a conjunction: the set of all (sub)schemas that a value
 * at some place must fit. That makes $ref, allOf, overlapping properties and
 * recursion one thing: properties of two members become the set of both, and
 * a set that was met before is the rule that was made for it.
 */
#ifndef ERRAND_ENGINE_GRAMMAR_SCHEMA_H
#define ERRAND_ENGINE_GRAMMAR_SCHEMA_H

#include "engine/grammar_number.h"
#include "engine/grammar_program.h"

enum {
    ER_GT_NULL = 1,
    ER_GT_BOOL = 2,
    ER_GT_INTEGER = 4,
    ER_GT_NUMBER = 8, /* those that are no integers */
    ER_GT_STRING = 16,
    ER_GT_ARRAY = 32,
    ER_GT_OBJECT = 64,
    ER_GT_ALL = 127,
};

enum { ER_GS_MAX_SETS = 8192, ER_GS_SLOTS = 20011 };

/* Schemas that all hold, each an object or false. */
struct er_gschemas {
    const json_t **s;
    size_t n, cap;
};

struct er_gdfa_memo {
    char *key;
    const struct er_dfa *d;
};

struct er_gbuild {
    er_grammar *g;
    struct er_arena arena; /* dies with the compilation */
    struct er_dfa_maker maker;
    const json_t *root;
    struct er_grammar_options opt;
    bool old_refs; /* before 2019-09: nothing counts beside $ref */
    json_t *made;  /* schemas written by ourselves: array */
    struct er_gschemas *set; /* those that have rules */
    uint32_t *rule_of;       /* per set */
    uint32_t *slot;          /* hash: set + 1 */
    size_t n_sets;
    struct er_gdfa_memo *memo;
    size_t n_memo, cap_memo;
    const struct er_dfa *space_dfa, *any;
    struct errand_error *err;
    bool bad; /* the schema is none; err says why */
    size_t work;
};

/* Sets. */
bool er_gs_add(struct er_gbuild *b, struct er_gschemas *set,
    const json_t *schema);
uint32_t er_gs_rule(struct er_gbuild *b, struct er_gschemas *set);
void er_gs_unenforced(struct er_gbuild *b, const char *keyword);

/* The alternatives a set comes to: each a set without $ref, allOf, anyOf,
 * oneOf, if, not. Calls back for each; false from a full stop. */
struct er_galternatives {
    struct er_gschemas *set;
    size_t n, cap;
};
bool er_gs_expand(struct er_gbuild *b, const struct er_gschemas *set,
    struct er_galternatives *out);
/* Can no value fit both? True only if that is certain. */
bool er_gs_apart(struct er_gbuild *b, const json_t *x, const json_t *y);
const json_t *er_gs_resolve(struct er_gbuild *b, const char *ref);

/* What one alternative says of types and single values. */
unsigned er_gs_types(struct er_gbuild *b, const struct er_gschemas *set);
bool er_gs_fits(struct er_gbuild *b, const json_t *schema, const json_t *v);

/* Emission: each gives the entry of what writes such a value, then next. */
uint32_t er_gs_space(struct er_gbuild *b, uint32_t next);
uint32_t er_gs_comma(struct er_gbuild *b, uint32_t next);
uint32_t er_gs_colon(struct er_gbuild *b, uint32_t next);
uint32_t er_gs_literal(struct er_gbuild *b, const json_t *v, uint32_t next);
uint32_t er_gs_value(struct er_gbuild *b, struct er_gschemas *set,
    uint32_t next); /* a call of the set's rule */
uint32_t er_gs_string(
    struct er_gbuild *b, const struct er_gschemas *set, uint32_t next);
uint32_t er_gs_number(struct er_gbuild *b, const struct er_gschemas *set,
    bool whole, uint32_t next);
uint32_t er_gs_array(
    struct er_gbuild *b, const struct er_gschemas *set, uint32_t next);
uint32_t er_gs_object(
    struct er_gbuild *b, const struct er_gschemas *set, uint32_t next);

/* Automata of patterns and formats, each made once; NULL: not enforceable
 * (or no memory: maker says). */
const struct er_dfa *er_gs_pattern(struct er_gbuild *b, const char *pattern);
const struct er_dfa *er_gs_format(struct er_gbuild *b, const char *format);
/* What a schema asks of a text; bounds of its length come back too. */
struct er_gtext {
    const struct er_dfa *d;
    uint32_t min, max;
};
bool er_gs_text(struct er_gbuild *b, const struct er_gschemas *set,
    struct er_gtext *out);
const struct er_dfa *er_gs_meet(struct er_gbuild *b, const struct er_dfa *x,
    const struct er_dfa *y, bool without, const char *keyword);
uint32_t er_gs_count(const json_t *schema, const char *key, uint32_t other);

#endif
