/* Documents by URI: those the caller gave, and the built-in meta-schemas. */
#include "tool/schema_compile.h"

#include <stdlib.h>
#include <string.h>

struct er_schema_registry {
    json_t *documents; /* object: URI without fragment -> document */
};

er_schema_registry *er_schema_registry_new(void)
{
    er_schema_registry *r = calloc(1, sizeof *r);
    if (r)
        r->documents = json_object();
    if (r && !r->documents) {
        free(r);
        return NULL;
    }
    return r;
}

void er_schema_registry_free(er_schema_registry *r)
{
    if (!r)
        return;
    json_decref(r->documents);
    free(r);
}

int er_schema_registry_add(er_schema_registry *r, const char *uri,
    const json_t *document, struct errand_error *err)
{
    size_t len = strcspn(uri, "#");
    if (uri[len] == '#' && uri[len + 1])
        return er_fail(err, ERRAND_USAGE,
            "a schema document cannot be registered as %.120s: leave out "
            "the fragment", uri);
    if (!json_is_object(document) && !json_is_boolean(document))
        return er_fail(err, ERRAND_SCHEMA,
            "%.120s is not a schema: it must be an object or a boolean", uri);
    if (json_object_setn_new(
            r->documents, uri, len, json_incref((json_t *)document)))
        return er_nomem(err);
    return ERRAND_OK;
}

static const json_t *parse_meta(struct er_compile *c, const char *text)
{
    json_t *doc = er_json_parse(text, strlen(text), ER_JSON_STRICT, c->err);
    if (!doc || json_array_append_new(c->s->held, doc)) {
        er_schema_nomem(c);
        return NULL;
    }
    return doc;
}

const json_t *er_schema_find(struct er_compile *c, const char *uri)
{
    if (c->registry) {
        const json_t *doc = json_object_get(c->registry->documents, uri);
        if (doc)
            return doc;
    }
    const char *text = er_schema_meta(uri);
    return text ? parse_meta(c, text) : NULL;
}
