/* Any schema, any instance: compile, check, coerce, check again.
 *
 * The input is a byte that chooses draft and formats, the schema up to the
 * first line end, and the instance. Beyond crashes and leaks, four promises are
 * held: the verdict does not depend on whether errors are asked for; there
 * are errors if and only if it is no; what fits still fits after coercion;
 * a second coercion finds nothing left to do.
 */
#include "base/json.h"
#include "tool/schema.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void promise(bool kept)
{
    if (!kept)
        abort();
}

static void run(const er_schema *s, json_t *v)
{
    json_t *errors = json_array();
    bool fits = er_schema_check(s, v, NULL, 0);
    promise(er_schema_check(s, v, errors, 5) == fits);
    promise((json_array_size(errors) == 0) == fits);
    promise(json_array_size(errors) <= 5);
    json_incref(v);
    er_schema_coerce(s, &v);
    if (fits)
        promise(er_schema_check(s, v, NULL, 0));
    promise(er_schema_coerce(s, &v) == 0);
    json_decref(v);
    json_decref(errors);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    const char *text = (const char *)data + 1;
    const char *end = memchr(text, '\n', size - 1);
    if (!end)
        return 0;
    struct errand_error err = {0};
    size_t n = (size_t)(end - text);
    json_t *schema = er_json_parse(text, n, ER_JSON_LENIENT, &err);
    json_t *v = er_json_parse(end + 1, size - n - 2, ER_JSON_LENIENT, &err);
    er_schema *s = NULL;
    if (schema && v)
        s = er_schema_compile(schema,
            data[0] & 1 ? ER_DRAFT_7 : ER_DRAFT_2020_12,
            data[0] & 2 ? ER_SCHEMA_FORMATS : 0, NULL, &err);
    if (schema && v && !s)
        promise(err.code != 0 && err.msg[0]);
    if (s)
        run(s, v);
    er_schema_free(s);
    json_decref(v);
    json_decref(schema);
    return 0;
}
