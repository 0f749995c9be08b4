/* The state of one check, shared by the files that take part in it.
 *
 * A check runs at most twice. The first time only the verdict is wanted: it
 * stops at the first rule that is broken and allocates nothing, unless the
 * schema has patterns or unevaluated*. If the value does not fit and errors
 * are asked for, a second run goes through all of it with a report.
 */
#ifndef ERRAND_TOOL_SCHEMA_CHECK_H
#define ERRAND_TOOL_SCHEMA_CHECK_H

#include "base/buf.h"
#include "tool/schema_node.h"
#include "tool/schema_regex.h"

/* Bounds of a check. A step is about one rule looked at, or 16 bytes of text
 * under a pattern; all of them take well under a second. */
enum {
    ER_CHECK_STEPS = 5000000,
    ER_CHECK_DEPTH = 2500, /* schemas within schemas, on the C stack */
};

/* Where we are in the instance: a list from the innermost to the root, whose
 * frames lie on the C stack. */
struct er_path {
    const struct er_path *up;
    const char *key; /* NULL: an item */
    size_t n;        /* length of the key, or index */
};

/* The schema resources entered on the way here, innermost first. */
struct er_scope {
    const struct er_scope *up;
    const struct er_resource *res;
};

/* What unevaluated* must know: properties (by the address of their key) and
 * items (by index) that some schema has looked at, as ranges [from, to). */
struct er_mark {
    uintptr_t from, to;
};

/* Values of the schema, all borrowed: the threads that share a schema must
 * not touch its reference counts. */
struct er_values {
    const json_t **at;
    size_t n, cap;
};

/* Errors, and what is needed to judge how near a choice came. */
struct er_report {
    json_t *errors; /* array */
    size_t max;     /* of the array's length */
    size_t count;   /* errors met, kept or not */
    size_t root;    /* depth of the path it began at */
    size_t deepest; /* of an error's path, below root */
    unsigned want;  /* types that would have been right at the root */
    bool wrong_type, wrong_value; /* at the root */
    const char *tag; /* first property of the root with a wrong const */
    size_t tag_len;
    struct er_values *values; /* or NULL: what the root might have been, */
    struct er_values *tags;   /* and what the tag might have been */
};

struct er_check {
    const er_schema *schema;
    size_t steps; /* left */
    unsigned depth;
    const char *over; /* the limit that ended the check, or NULL */
    const struct er_scope *scope;
    struct er_report *report; /* NULL: only the verdict counts */
    struct er_matcher matcher;
    struct er_mark *marks;
    size_t nmarks, marks_cap;
    size_t base; /* of the schema under way in marks */
};

/* --- schema_check.c */

/* Does v fit n? track: note what is looked at, for an unevaluated* above. */
bool er_eval(struct er_check *c, const struct er_node *n, const json_t *v,
    const struct er_path *at, bool track);

/* The same with nothing said, whatever report is open. */
bool er_eval_quiet(struct er_check *c, const struct er_node *n,
    const json_t *v, const struct er_path *at, bool track);

/* Take n steps; false (and the check is over) if there are not so many. */
bool er_check_steps(struct er_check *c, size_t n);
bool er_check_over(struct er_check *c, const char *limit);

/* May the rest be skipped after something failed? */
static inline bool er_check_done(const struct er_check *c)
{
    return !c->report || c->over || c->report->count >= c->report->max;
}

bool er_check_match(struct er_check *c, const struct er_regex *re,
    const char *s, size_t len);

void er_check_begin(struct er_check *c, const er_schema *s);
void er_check_end(struct er_check *c);

/* --- the rules: schema_check_value.c, schema_check_deep.c, schema_choice.c,
 * schema_seen.c. Each gets values of its types only. */

typedef bool er_check_fn(struct er_check *c, const struct er_node *n,
    const struct er_rule *r, const json_t *v, const struct er_path *at,
    bool track);

er_check_fn er_check_type, er_check_const, er_check_enum, er_check_limit,
    er_check_multiple, er_check_length, er_check_count, er_check_pattern,
    er_check_format, er_check_unique;
er_check_fn er_check_required, er_check_object, er_check_array,
    er_check_contains, er_check_names, er_check_dependents, er_check_ref,
    er_check_dynamic, er_check_all, er_check_not, er_check_if;
er_check_fn er_check_any, er_check_one;
er_check_fn er_check_unev_items, er_check_unev_props;

/* --- schema_seen.c */

void er_mark_range(struct er_check *c, uintptr_t from, uintptr_t to);
void er_mark_key(struct er_check *c, const char *key);

/* --- schema_say.c */

/* Add an error to the report, if one is open; it costs steps. Always
 * false. */
bool er_say(struct er_check *c, const struct er_path *at, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));

/* The errors from index on are about the name of a property: say so. */
void er_say_name(
    struct er_check *c, size_t index, const char *key, size_t len);

size_t er_path_depth(const struct er_path *at);

/* A value in a few words: `string "abc"`, `integer 5`, cut to fit. */
void er_put_found(struct er_buf *b, const json_t *v);
/* Its JSON, cut to about 60 characters. */
void er_put_value(struct er_buf *b, const json_t *v);
/* Values with commas, as many as fit. */
void er_put_list(struct er_buf *b, const struct er_values *values);

/* Add a value, or with list all those of an array. No memory: it is left
 * out. */
void er_values_add(struct er_values *to, const json_t *value, bool list);
/* "integer or null" */
void er_put_types(struct er_buf *b, unsigned types);
/* A name in quotes. */
void er_put_key(struct er_buf *b, const char *key, size_t len);

/* Text of at most about 600 bytes, for a message under way. */
void er_words_init(struct er_buf *b);

#endif
