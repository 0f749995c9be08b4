/* JSON Schema without memory: compiling, checking, coercing. */
#include "oom/oom.h"

#include "base/error.h"
#include "base/json.h"
#include "tool/schema.h"

#include <string.h>

static const char rich[] =
    "{\"$id\":\"http://a.b/c\",\"$dynamicAnchor\":\"n\",\"type\":\"object\","
    "\"properties\":{\"kids\":{\"items\":{\"$dynamicRef\":\"#n\"}},"
    "\"v\":{\"$ref\":\"d#x\"},\"w\":{\"pattern\":\"^(a|b)+$\"},"
    "\"h\":{\"format\":\"idn-hostname\"},"
    "\"k\":{\"anyOf\":[{\"const\":1},{\"enum\":[2,\"3\"]}]},"
    "\"u\":{\"uniqueItems\":true}},"
    "\"patternProperties\":{\"^x\":{\"maxLength\":1}},"
    "\"propertyNames\":{\"minLength\":1},"
    "\"dependentRequired\":{\"x\":[\"v\"]},"
    "\"unevaluatedProperties\":false,"
    "\"$defs\":{\"d\":{\"$id\":\"d\",\"$anchor\":\"x\","
    "\"type\":[\"integer\",\"null\"]},"
    "\"m\":{\"$ref\":\"https://json-schema.org/draft/2020-12/schema\"}}}";

static const char good[] =
    "{\"kids\":[{\"v\":1}],\"v\":null,\"w\":\"abab\",\"h\":\"a.b\","
    "\"k\":\"3\",\"u\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15],\"x1\":\"\"}";

static const char bad[] =
    "{\"kids\":[{\"v\":\"1\"}],\"v\":\"2\",\"w\":\"c\",\"h\":\"-\","
    "\"k\":4,\"u\":[1,1],\"x1\":\"ab\",\"y\":0}";

static json_t *parse(const char *text, struct errand_error *err)
{
    return er_json_parse(text, strlen(text), ER_JSON_STRICT, err);
}

static er_schema *compile(struct errand_error *err)
{
    json_t *v = parse(rich, err);
    er_schema *s = v ? er_schema_compile(v, ER_DRAFT_2020_12,
                           ER_SCHEMA_FORMATS, NULL, err)
                     : NULL;
    json_decref(v);
    return s;
}

static int case_compile(struct errand_error *err)
{
    er_schema *s = compile(err);
    er_schema_free(s);
    return s ? ERRAND_OK : err->code;
}

/* Without memory a check says no: never a yes that is none. */
static int case_check(struct errand_error *err)
{
    er_schema *s = compile(err);
    json_t *yes = s ? parse(good, err) : NULL;
    json_t *no = yes ? parse(bad, err) : NULL;
    json_t *errors = json_array();
    int rc = s && yes && no ? ERRAND_OK : err->code;
    if (rc == ERRAND_OK && er_schema_check(s, no, errors, 50))
        rc = er_fail(err, ERRAND_BUG, "it fits, which it should not");
    if (rc == ERRAND_OK && !er_schema_check(s, yes, errors, 50))
        rc = er_nomem(err);
    if (rc == ERRAND_OK && json_array_size(errors) != 7)
        rc = er_nomem(err);
    json_decref(errors);
    json_decref(yes);
    json_decref(no);
    er_schema_free(s);
    return rc;
}

static int case_coerce(struct errand_error *err)
{
    er_schema *s = compile(err);
    json_t *v = s ? parse(bad, err) : NULL;
    int rc = v ? ERRAND_OK : err->code;
    if (v && er_schema_coerce(s, &v) != 2)
        rc = er_nomem(err);
    json_decref(v);
    er_schema_free(s);
    return rc;
}

static int case_registry(struct errand_error *err)
{
    er_schema_registry *r = er_schema_registry_new();
    json_t *doc = r ? parse("{\"type\":\"string\"}", err) : NULL;
    json_t *ref = doc ? parse("{\"$ref\":\"http://x/y\"}", err) : NULL;
    er_schema *s = NULL;
    if (ref && er_schema_registry_add(r, "http://x/y", doc, err) == 0)
        s = er_schema_compile(ref, ER_DRAFT_7, 0, r, err);
    int rc = s ? ERRAND_OK : r ? err->code : er_nomem(err);
    er_schema_free(s);
    json_decref(ref);
    json_decref(doc);
    er_schema_registry_free(r);
    return rc;
}

static int case_debug(struct errand_error *err)
{
    json_t *in = parse("{\"schema\":{\"type\":\"null\"},\"instance\":1}", err);
    json_t *out = in ? er_schema_debug(in, ER_DRAFT_2020_12, 0, err) : NULL;
    int rc = out ? ERRAND_OK : err->code;
    json_decref(out);
    json_decref(in);
    return rc;
}

int main(void)
{
    static const struct oom_case cases[] = {
        {"compile", case_compile, NULL},
        {"check", case_check, NULL},
        {"coerce", case_coerce, NULL},
        {"registry", case_registry, NULL},
        {"debug", case_debug, NULL},
    };
    return oom_main(cases, sizeof cases / sizeof cases[0]);
}
