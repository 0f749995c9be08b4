/* What is legal in a tool's parameters and yet refused by some endpoints:
 * every property should say its type and what it is for. */
#include "parts.h"

#include <string.h>

enum { DEEPEST = 8 };

static void warn(json_t *problems, const char *path, const char *what)
{
    struct er_buf text;
    er_buf_init(&text, 1000);
    er_buf_addf(&text, "%.300s has no %s; some models' endpoints need it",
        path, what);
    json_array_append_new(problems,
        json_pack("{s:i,s:s,s:s}", "line", 0, "message", er_buf_str(&text),
            "level", "warning"));
    er_buf_release(&text);
}

/* Is the type said in another way? */
static bool has_type(const json_t *schema)
{
    static const char *const others[] = {
        "type", "enum", "const", "$ref", "anyOf", "oneOf", "allOf", NULL};
    for (size_t i = 0; others[i]; i++)
        if (json_object_get(schema, others[i]))
            return true;
    return false;
}

static void look_into(
    const json_t *schema, const char *path, int depth, json_t *problems)
{
    const char *name;
    json_t *property;
    if (depth > DEEPEST)
        return;
    json_object_foreach(
        json_object_get(schema, "properties"), name, property)
    {
        struct er_buf here;
        er_buf_init(&here, 1000);
        er_buf_addf(&here, "%.300s.%.80s", path, name);
        if (!has_type(property))
            warn(problems, er_buf_str(&here), "type");
        if (!json_object_get(property, "description"))
            warn(problems, er_buf_str(&here), "description");
        look_into(property, er_buf_str(&here), depth + 1, problems);
        er_buf_release(&here);
    }
}

void er_tool_warn(const json_t *parameters, json_t *problems)
{
    look_into(parameters, "parameters", 0, problems);
}
