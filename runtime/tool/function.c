/* Functions that come with a request: Lua code that is in no file, with no
 * permissions. They are tools like others, but stand in no registry: the run
 * that brought them owns them.
 *
 * Nothing of the code is run before the model calls it: what the model must
 * know of it stands beside the code.
 */
#include "base/text.h"
#include "parts.h"

#include <stdlib.h>
#include <string.h>

enum { NAME_MOST = 64 };

static bool is_name(const char *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    size_t len = strlen(name);
    return len > 0 && len <= NAME_MOST && strspn(name, allowed) == len;
}

/* Members that are not known, or of another type. */
static int check_members(const json_t *function, struct errand_error *err)
{
    static const struct {
        const char *name;
        json_type type;
        const char *what;
    } known[] = {{"name", JSON_STRING, "a text"},
        {"code", JSON_STRING, "a text, Lua that returns a function"},
        {"description", JSON_STRING, "a text"},
        {"parameters", JSON_OBJECT, "a JSON Schema"},
        {"timeout_ms", JSON_INTEGER, "an integer"}};
    const char *key;
    json_t *value;
    if (!json_is_object(function))
        return er_fail(err, ERRAND_USAGE,
            "a function must be an object {\"name\",\"code\"}");
    json_object_foreach((json_t *)function, key, value)
    {
        size_t i = 0, n = sizeof known / sizeof known[0];
        while (i < n && strcmp(known[i].name, key) != 0)
            i++;
        if (i == n)
            return er_fail(err, ERRAND_USAGE,
                "%.40s is not known; there are: name, code, description, "
                "parameters, timeout_ms", key);
        if (json_typeof(value) != known[i].type)
            return er_fail(err, ERRAND_USAGE, "%s must be %s", key,
                known[i].what);
    }
    return ERRAND_OK;
}

static int check(const json_t *function, struct errand_error *err)
{
    int rc = check_members(function, err);
    if (rc != ERRAND_OK)
        return rc;
    const char *name = er_json_str(function, "name");
    int64_t timeout =
        er_json_int(function, "timeout_ms", ER_TOOL_TIMEOUT_MS);
    const json_t *parameters = json_object_get(function, "parameters");
    const char *type = er_json_str(parameters, "type");
    if (!name || !is_name(name))
        return er_fail(err, ERRAND_USAGE,
            "the name '%.80s' must be 1 to 64 of A-Z a-z 0-9 _ -",
            name ? name : "");
    if (!er_json_str(function, "code"))
        return er_fail(err, ERRAND_USAGE, "%s has no code", name);
    if (timeout < 1 || timeout > ER_TOOL_TIMEOUT_MOST)
        return er_fail(err, ERRAND_RANGE,
            "timeout_ms %lld of %s must be 1 to %d (an hour)",
            (long long)timeout, name, ER_TOOL_TIMEOUT_MOST);
    if (parameters && (!type || strcmp(type, "object") != 0))
        return er_fail(err, ERRAND_SCHEMA,
            "parameters of %s must have \"type\":\"object\"", name);
    return ERRAND_OK;
}

static struct er_code *code_of(
    er_tools *t, const json_t *function, struct errand_error *err)
{
    char path[NAME_MOST + 16] = "functions/";
    const json_t *code = json_object_get(function, "code");
    const char *name = er_json_str(function, "name");
    memcpy(path + strlen(path), name, strlen(name) + 1);
    return er_code_new(t->pool, path, json_string_value(code),
        json_string_length(code), err);
}

const struct er_tool *er_tools_function(
    er_tools *t, const json_t *function, struct errand_error *err)
{
    struct errand_error mine = {0};
    err = err ? err : &mine;
    if (check(function, err) != ERRAND_OK)
        return NULL;
    const char *name = er_json_str(function, "name");
    const char *description = er_json_str(function, "description");
    json_t *parameters = json_object_get(function, "parameters");
    struct er_code *code = code_of(t, function, err);
    if (!code) {
        er_while(err, "functions/%.64s", name);
        return NULL;
    }
    json_t *open = parameters ? json_incref(parameters)
                              : json_pack("{s:s}", "type", "object");
    char version[17] = "";
    memcpy(version, code->sha256, 16);
    struct er_tool_parts parts = {.name = name,
        .description = description ? description : name,
        .source = "function",
        .version = version,
        .parameters = open,
        .code = code,
        .tool = {.effect = ERRAND_PURE,
            .timeout_ms =
                er_json_int(function, "timeout_ms", ER_TOOL_TIMEOUT_MS)}};
    struct er_entry *e = open ? er_tools_entry(&parts, err) : NULL;
    if (!open)
        er_nomem(err);
    json_decref(open);
    er_code_drop(code);
    if (!e)
        return NULL;
    e->is_function = true;
    return &e->tool;
}

void er_tools_function_free(const struct er_tool *tool)
{
    er_tools_entry_free((struct er_entry *)(uintptr_t)tool);
}
