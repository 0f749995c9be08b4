/* The tools of a request.
 *
 * OpenAI's schema of a tool is loose; Workers AI wants a type and properties
 * in every schema, and a type and a description in every property, and
 * refuses the whole request otherwise. What a tool's author left out is
 * filled in from what he wrote; nothing that he wrote is changed but a list
 * of types, which becomes its first.
 */
#include "model/body.h"

#include <string.h>

bool er_body_has_tools(const struct er_body *b)
{
    return json_array_size(b->req->tools) > 0;
}

static const char *type_of_value(const json_t *value)
{
    switch (value ? json_typeof(value) : JSON_NULL) {
    case JSON_OBJECT: return "object";
    case JSON_ARRAY: return "array";
    case JSON_INTEGER: return "integer";
    case JSON_REAL: return "number";
    case JSON_TRUE:
    case JSON_FALSE: return "boolean";
    default: return "string";
    }
}

/* First type that is not null, of a list of them. */
static const char *first_type(const json_t *types)
{
    for (size_t i = 0; i < json_array_size(types); i++) {
        const char *name = json_string_value(json_array_get(types, i));
        if (name && strcmp(name, "null") != 0)
            return name;
    }
    return "string";
}

/* The type of a schema, as one name. */
static const char *type_of(const json_t *schema)
{
    static const char *const unions[] = {"anyOf", "oneOf", "allOf"};
    const json_t *type = json_object_get(schema, "type");
    if (json_is_string(type))
        return json_string_value(type);
    if (json_is_array(type))
        return first_type(type);
    for (size_t u = 0; u < 3; u++) {
        const json_t *list = json_object_get(schema, unions[u]);
        for (size_t i = 0; i < json_array_size(list); i++) {
            const json_t *one = json_object_get(
                json_array_get(list, i), "type");
            const char *name = json_string_value(one);
            if (name && strcmp(name, "null") != 0)
                return name;
        }
    }
    if (json_object_get(schema, "const"))
        return type_of_value(json_object_get(schema, "const"));
    if (json_object_get(schema, "enum"))
        return type_of_value(
            json_array_get(json_object_get(schema, "enum"), 0));
    if (json_object_get(schema, "properties") ||
        json_object_get(schema, "$ref"))
        return "object";
    return json_object_get(schema, "items") ? "array" : "string";
}

/* A property with what Workers AI wants in it. */
static json_t *full_property(const json_t *property)
{
    json_t *full = json_is_object(property) ? json_copy((json_t *)property)
                                            : json_object();
    int rc = full ? 0 : -1;
    if (rc == 0 && !json_is_string(json_object_get(full, "type")))
        rc = json_object_set_new(full, "type", json_string(type_of(full)));
    if (rc == 0 && !json_is_string(json_object_get(full, "description")))
        rc = json_object_set_new(full, "description", json_string(""));
    if (rc == 0)
        return full;
    json_decref(full);
    return NULL;
}

static json_t *full_properties(const json_t *properties)
{
    json_t *all = json_object(), *property;
    const char *name;
    json_object_foreach((json_t *)properties, name, property)
        if (json_object_set_new(all, name, full_property(property)) != 0) {
            json_decref(all);
            return NULL;
        }
    return all;
}

/* A tool's parameters; fill: for Workers AI. */
static json_t *parameters_of(const json_t *tool, bool fill)
{
    const json_t *given = json_object_get(tool, "parameters");
    json_t *full = json_is_object(given) ? json_copy((json_t *)given)
                                         : json_object();
    int rc = full ? 0 : -1;
    const json_t *properties = json_object_get(full, "properties");
    if (rc == 0 && !json_is_string(json_object_get(full, "type")))
        rc = json_object_set_new(full, "type", json_string("object"));
    if (rc == 0 && !json_is_object(properties))
        rc = json_object_set_new(full, "properties", json_object());
    else if (rc == 0 && fill)
        rc = json_object_set_new(
            full, "properties", full_properties(properties));
    if (rc == 0)
        return full;
    json_decref(full);
    return NULL;
}

static int add_tool(struct er_body *b, const json_t *tool)
{
    bool workers = b->dialect == ER_WORKERS_AI;
    bool flat = workers && b->quirks->flat_tools;
    const char *name = er_json_str(tool, "name");
    const char *description = er_json_str(tool, "description");
    if (!name || !*name)
        return er_fail(b->err, ERRAND_USAGE, "a tool has no name");
    json_t *parameters = parameters_of(tool, workers);
    if (!parameters)
        return er_nomem(b->err);
    er_buf_adds(b->out, flat ? "{" : "{\"type\":\"function\",\"function\":{");
    er_body_member(b, "name", name);
    if (description || workers) {
        er_buf_addc(b->out, ',');
        er_body_member(b, "description", description ? description : "");
    }
    er_buf_addc(b->out, ',');
    er_body_key(b, "parameters");
    er_json_add(b->out, parameters);
    er_buf_adds(b->out, flat ? "}" : "}}");
    json_decref(parameters);
    return ERRAND_OK;
}

int er_body_tools(struct er_body *b)
{
    const json_t *tools = b->req->tools;
    int code = ERRAND_OK;
    er_body_key(b, "tools");
    er_buf_addc(b->out, '[');
    for (size_t i = 0; i < json_array_size(tools) && !code; i++) {
        if (i > 0)
            er_buf_addc(b->out, ',');
        code = add_tool(b, json_array_get(tools, i));
    }
    er_buf_addc(b->out, ']');
    return code;
}
