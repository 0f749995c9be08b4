/* `errand debug schema`: one schema, one instance, one answer. */
#include "tool/schema.h"

enum { MAX_ERRORS = 100 };

static json_t *answer(const er_schema *s, const json_t *instance)
{
    json_t *errors = json_array(), *out = json_object();
    bool valid = er_schema_check(s, instance, errors, MAX_ERRORS);
    if (!errors || json_object_set_new(out, "valid", json_boolean(valid)) ||
        json_object_set(out, "errors", errors)) {
        json_decref(out);
        out = NULL;
    }
    json_decref(errors);
    return out;
}

json_t *er_schema_debug(const json_t *input, enum er_draft draft,
    unsigned flags, struct errand_error *err)
{
    const json_t *schema = json_object_get(input, "schema");
    const json_t *instance = json_object_get(input, "instance");
    if (!schema || !instance) {
        er_fail(err, ERRAND_USAGE,
            "a case needs both \"schema\" and \"instance\", but \"%s\" is "
            "missing", schema ? "instance" : "schema");
        return NULL;
    }
    er_schema *s = er_schema_compile(schema, draft, flags, NULL, err);
    if (!s)
        return NULL;
    json_t *out = answer(s, instance);
    er_schema_free(s);
    if (!out)
        er_nomem(err);
    return out;
}
