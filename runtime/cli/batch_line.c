/* Reading a request from JSON; a wrong key is an error, not a surprise. */
#include "batch_line.h"

#include "similar.h"

#include <stdlib.h>
#include <string.h>

enum kind { TEXT, OBJECT, ANY, TOOLS };

struct key {
    const char *name;
    enum kind kind;
    size_t offset; /* of a const char * in struct errand_request */
};

#define REQ(field) offsetof(struct errand_request, field)

static const struct key keys[] = {
    {"prompt", TEXT, REQ(prompt)},
    {"model", TEXT, REQ(model)},
    {"system", TEXT, REQ(system)},
    {"tools", TOOLS, 0},
    {"tool_choice", TEXT, REQ(tool_choice)},
    {"params", OBJECT, REQ(params)},
    {"budgets", OBJECT, REQ(budgets)},
    {"schema", ANY, REQ(schema)},
    {"functions", ANY, REQ(functions)},
    {"key", TEXT, REQ(client_key)},
    {"id", ANY, 0},
};
enum { N_KEYS = sizeof keys / sizeof keys[0] };

static const struct key *find_key(const char *name)
{
    for (size_t i = 0; i < N_KEYS; i++)
        if (strcmp(keys[i].name, name) == 0)
            return &keys[i];
    return NULL;
}

static int unknown_key(const char *name, struct errand_error *err)
{
    struct er_similar near;
    er_similar_init(&near, name);
    for (size_t i = 0; i < N_KEYS; i++)
        er_similar_offer(&near, keys[i].name);
    const char *best = er_similar_best(&near);
    return er_fail(err, ERRAND_USAGE, "unknown key \"%.40s\"; %s%s%s", name,
        best ? "did you mean \"" : "errand help batch lists the keys",
        best ? best : "", best ? "\"?" : "");
}

/* "tools": an array of names, or "all", or "none". */
static int set_tools(const json_t *value, struct er_arena *arena,
    struct errand_request *req, struct errand_error *err)
{
    const char *word = json_string_value(value);
    if (word && strcmp(word, "none") == 0) {
        req->tools = NULL;
        return ERRAND_OK;
    }
    size_t n = json_array_size(value);
    const char **v = er_arena_alloc(arena, (n + 2) * sizeof *v);
    if (!v)
        return er_nomem(err);
    req->tools = v;
    if (word && strcmp(word, "all") == 0) {
        v[0] = "*";
        return ERRAND_OK;
    }
    bool good = json_is_array(value);
    for (size_t i = 0; i < n && good; i++) {
        const char *name = json_string_value(json_array_get(value, i));
        v[i] = er_arena_str(arena, name);
        good = v[i] != NULL;
    }
    if (!good)
        return er_fail(err, ERRAND_USAGE, "\"tools\" must be an array of "
            "names, \"all\" or \"none\"");
    return ERRAND_OK;
}

static int set_key(const struct key *key, const json_t *value,
    struct er_arena *arena, struct errand_request *req,
    struct errand_error *err)
{
    char *text = NULL;
    if (key->kind == TOOLS)
        return set_tools(value, arena, req, err);
    if (key->kind == TEXT && !json_is_string(value))
        return er_fail(err, ERRAND_USAGE, "\"%s\" must be a text", key->name);
    if (key->kind == TEXT &&
        strlen(json_string_value(value)) != json_string_length(value))
        return er_fail(
            err, ERRAND_USAGE, "\"%s\" holds \\u0000", key->name);
    if (key->kind == OBJECT && !json_is_object(value))
        return er_fail(
            err, ERRAND_USAGE, "\"%s\" must be an object", key->name);
    const char **slot = (const char **)(void *)((char *)req + key->offset);
    if (key->kind == TEXT) {
        *slot = er_arena_str(arena, json_string_value(value));
    } else {
        text = er_json_text(value);
        *slot = er_arena_str(arena, text);
        free(text);
    }
    return *slot ? ERRAND_OK : er_nomem(err);
}

static int read_object(json_t *object, struct er_arena *arena,
    struct errand_request *req, json_t **id, struct errand_error *err)
{
    const char *name;
    json_t *value;
    if (!json_is_object(object))
        return er_fail(err, ERRAND_USAGE,
            "a request must be an object, as {\"prompt\": \"...\"}");
    *id = json_incref(json_object_get(object, "id"));
    json_object_foreach(object, name, value) {
        const struct key *key = find_key(name);
        if (!key)
            return unknown_key(name, err);
        if (strcmp(name, "id") == 0)
            continue;
        int code = set_key(key, value, arena, req, err);
        if (code)
            return code;
    }
    if (!req->prompt || !*req->prompt)
        return er_fail(err, ERRAND_USAGE,
            "the request has no \"prompt\"; it is the one key it needs");
    return ERRAND_OK;
}

int er_batch_line(const char *line, size_t len, struct er_arena *arena,
    struct errand_request *req, json_t **id, struct errand_error *err)
{
    *id = NULL;
    json_t *object = er_json_parse(line, len, ER_JSON_STRICT, err);
    if (!object)
        return ERRAND_SYNTAX;
    int code = read_object(object, arena, req, id, err);
    json_decref(object);
    return code;
}
