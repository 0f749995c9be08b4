/* JSON Schema: 2020-12 and draft 7, over jansson values.
 *
 * A schema is compiled once and may then check instances from any thread.
 * Schemas come from tool files, models and strangers: compiling and checking
 * are bounded in depth and steps, and patterns run under PCRE2's limits, so
 * that no schema and no instance can hold errand up.
 */
#ifndef ERRAND_TOOL_SCHEMA_H
#define ERRAND_TOOL_SCHEMA_H

#include "base/error.h"
#include "base/json.h"

#include <stdbool.h>
#include <stddef.h>

enum er_draft { ER_DRAFT_2020_12 = 0, ER_DRAFT_7 = 1 };

enum er_schema_flag {
    ER_SCHEMA_FORMATS = 1, /* assert "format"; else it is an annotation */
};

typedef struct er_schema er_schema;

/* Documents that $ref may name by URI; no network is ever asked. */
typedef struct er_schema_registry er_schema_registry;
er_schema_registry *er_schema_registry_new(void);
void er_schema_registry_free(er_schema_registry *r);
/* The value is shared, not copied: do not change it. */
int er_schema_registry_add(er_schema_registry *r, const char *uri,
    const json_t *document, struct errand_error *err);

/* Compile. draft is what counts where "$schema" says nothing. registry may
 * be NULL and is borrowed for the life of the schema; the meta-schemas are
 * always there. The schema value is shared (a reference is taken).
 * Errors  SCHEMA (what is wrong and where, as a JSON pointer), NOMEM. [any]
 */
er_schema *er_schema_compile(const json_t *schema, enum er_draft draft,
    unsigned flags, const er_schema_registry *registry,
    struct errand_error *err);
void er_schema_free(er_schema *s);

/* Hold an instance against the schema. If errors is not NULL, objects
 * {"path","message"} are added to that array, at most max_errors: path is
 * the JSON pointer into the instance, message says what was expected and
 * what was found. True if valid. Exceeded limits count as not valid and say
 * so. [any] */
bool er_schema_check(const er_schema *s, const json_t *instance,
    json_t *errors, size_t max_errors);

/* Change values in place where nothing can be lost and the schema asks for
 * another type: "4" -> 4, "true" -> true, 4.0 -> 4 for an integer, 4 -> "4"
 * never; a JSON text for an object or array ("[1]" -> [1]); a missing
 * property is never invented; null for an optional property that may not be
 * null is dropped. Follows properties, items, $ref and single-choice
 * allOf/anyOf. Returns how many values changed. [any] */
int er_schema_coerce(const er_schema *s, json_t **instance);

/* errand_debug_schema: {"schema","instance"} -> {"valid","errors"}. */
json_t *er_schema_debug(const json_t *input, enum er_draft draft,
    unsigned flags, struct errand_error *err);

#endif
