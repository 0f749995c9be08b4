/* What a plugin's tool asks for. It stands in the plugin as JSON, and a list
 * may be left to the user: {"run": {"config": "allow"}} is what the plugin's
 * configuration has under "allow", and {"config": "read", "else": ["."]}
 * says what holds without. The result looks as a Lua tool's would. */
#include "plugin.h"

#include <string.h>

enum { MOST = 16 }; /* of one list */

static const struct key {
    const char *name;
    bool is_flag; /* or, of values that are shared, their name */
    bool is_program;
} keys[] = {{"kv", true, false}, {"net", false, false},
    {"read", false, false}, {"run", false, true}, {"secrets", false, false},
    {"write", false, false}};

enum { KEYS = sizeof keys / sizeof keys[0] };

static void complain(json_t *problems, const char *who, const char *key,
    const char *what)
{
    struct er_buf text;
    er_buf_init(&text, 1000);
    er_buf_addf(&text, "%.64s: permissions.%.60s %s", who, key, what);
    json_array_append_new(problems,
        json_pack("{s:i,s:s}", "line", 0, "message", er_buf_str(&text)));
    er_buf_release(&text);
}

/* "git", or the whole path of a program. */
static bool is_program(const char *s)
{
    return s[0] == '/' || (*s && !strchr(s, '/'));
}

static bool is_list(const json_t *list, bool programs)
{
    size_t i;
    json_t *item;
    if (!json_is_array(list) || json_array_size(list) > MOST)
        return false;
    json_array_foreach(list, i, item)
    {
        const char *s = json_string_value(item);
        if (!s || !*s || strlen(s) != json_string_length(item) ||
            (programs && !is_program(s)))
            return false;
    }
    return true;
}

/* The list that is meant: itself, or one out of the configuration. NULL:
 * none. Borrowed. */
static const json_t *meant(const json_t *asked, const json_t *config)
{
    const char *from = er_json_str(asked, "config");
    if (!json_is_object(asked))
        return asked;
    const json_t *list = from ? json_object_get(config, from) : NULL;
    return list ? list : json_object_get(asked, "else");
}

static bool is_form(const json_t *asked)
{
    size_t n = json_object_size(asked);
    return !json_is_object(asked) ||
           (er_json_str(asked, "config") &&
               n == 1u + (json_object_get(asked, "else") != NULL));
}

static const struct key *find(const char *name)
{
    for (size_t i = 0; i < KEYS; i++)
        if (strcmp(keys[i].name, name) == 0)
            return &keys[i];
    return NULL;
}

/* One member, into out. False: it is wrong, and a problem says so. */
static bool resolve(const struct key *key, const json_t *asked,
    const json_t *config, const char *who, json_t *out, json_t *problems)
{
    const json_t *list = meant(asked, config);
    bool is_name = key->is_flag && json_array_size(asked) == 1 &&
                   is_list(asked, false);
    if (key->is_flag && !is_name && !json_is_boolean(asked)) {
        complain(problems, who, key->name, "must be true, false, or the name "
            "of values that tools share, such as [\"memory\"]");
        return false;
    }
    if (key->is_flag && !is_name)
        return !json_is_true(asked) ||
               json_object_set_new(out, key->name, json_true()) == 0;
    if (!is_form(asked) || (list && !is_list(list, key->is_program))) {
        complain(problems, who, key->name, key->is_program
                ? "must be a list of at most 16 programs, by name or by "
                  "whole path, or {\"config\": \"KEY\"}"
                : "must be a list of at most 16 texts, or "
                  "{\"config\": \"KEY\"}");
        return false;
    }
    return json_array_size(list) == 0 ||
           json_object_set(out, key->name, (json_t *)list) == 0;
}

json_t *er_plugin_permissions(const json_t *asked, const json_t *config,
    const char *who, json_t *problems)
{
    const char *name;
    json_t *value, *out = json_object();
    bool ok = out != NULL;
    json_object_foreach((json_t *)asked, name, value)
    {
        const struct key *key = find(name);
        if (!key)
            complain(problems, who, name,
                "is not known; there are: read, write, net, secrets, kv, "
                "run");
        if (!key || !resolve(key, value, config, who, out, problems))
            ok = false;
    }
    if (ok && json_object_size(out) > 0)
        return out;
    json_decref(out);
    return NULL;
}
