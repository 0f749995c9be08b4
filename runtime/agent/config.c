/* Finding, merging and checking configuration files. The working folder's
 * file wins over the user's, key by key; providers are merged by name. */
#include "agent/config.h"

#include "base/embedded.h"
#include "base/text.h"
#include "model/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *er_config_user_path(const char *kind, const char *rest)
{
    static const struct {
        const char *kind, *fallback;
    } rows[] = {{"CONFIG", ".config"}, {"DATA", ".local/share"},
        {"STATE", ".local/state"}};
    char name[32];
    snprintf(name, sizeof name, "XDG_%s_HOME", kind);
    const char *base = getenv(name), *home = getenv("HOME");
    struct er_buf path;
    er_buf_init(&path, 4096);
    if (base && base[0] == '/') {
        er_buf_addf(&path, "%s/errand/%s", base, rest);
        return er_buf_take(&path, NULL);
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (home && home[0] && strcmp(rows[i].kind, kind) == 0) {
            er_buf_addf(&path, "%s/%s/errand/%s", home, rows[i].fallback,
                rest);
            return er_buf_take(&path, NULL);
        }
    }
    er_buf_release(&path);
    return NULL;
}

/* --- checking */

static int check(
    const json_t *value, const char *path, struct errand_error *err)
{
    size_t len = 0;
    const char *text = er_embedded("config.schema.json", &len);
    json_t *schema =
        text ? er_json_parse(text, len, ER_JSON_STRICT, err) : NULL;
    er_schema *s = schema
        ? er_schema_compile(schema, ER_DRAFT_2020_12, 0, NULL, err) : NULL;
    json_decref(schema);
    if (!s)
        return er_while(err, "the configuration's schema");
    json_t *errors = json_array();
    int rc = ERRAND_OK;
    if (!er_schema_check(s, value, errors, 1)) {
        const json_t *first = json_array_get(errors, 0);
        const char *at = er_json_str(first, "path");
        const char *what = er_json_str(first, "message");
        rc = er_fail(err, ERRAND_CONFIG, "%s: %s%s%s", path,
            at && at[0] ? at + 1 : "", at && at[0] ? ": " : "",
            what ? what : "does not fit schemas/config.schema.json");
    }
    json_decref(errors);
    er_schema_free(s);
    return rc;
}

/* --- loading */

/* "deny" before "ask" before "allow". */
static bool is_stricter(const json_t *a, const json_t *b)
{
    const char *x = json_string_value(a), *y = json_string_value(b);
    return !y || (x && (strcmp(x, "deny") == 0 ||
                           (strcmp(x, "ask") == 0 && strcmp(y, "deny") != 0)));
}

/* Rules of both files hold, and the stricter default. */
static int merge_policy(json_t *into, json_t *from)
{
    const char *key;
    json_t *v;
    json_object_foreach(from, key, v)
    {
        json_t *old = json_object_get(into, key);
        int rc = 0;
        if (strcmp(key, "default") == 0)
            rc = is_stricter(v, old) ? json_object_set(into, key, v) : 0;
        else if (json_is_array(old) && json_is_array(v))
            rc = json_array_extend(old, v);
        else if (!json_is_array(old))
            rc = json_object_set(into, key, v);
        if (rc != 0)
            return -1;
    }
    return 0;
}

static int merge(json_t *into, json_t *from)
{
    const char *key;
    json_t *v;
    json_object_foreach(from, key, v)
    {
        json_t *old = json_object_get(into, key);
        if (strcmp(key, "policy") == 0 && json_is_object(old)) {
            if (merge_policy(old, v) != 0)
                return -1;
            continue;
        }
        bool by_name = (strcmp(key, "providers") == 0 ||
                           strcmp(key, "plugins") == 0 ||
                           strcmp(key, "engine") == 0) &&
                       json_is_object(old) && json_is_object(v);
        if ((by_name ? json_object_update(old, v)
                     : json_object_set(into, key, v)) != 0)
            return -1;
    }
    return 0;
}

/* A file that merely lies in the working folder, perhaps of a stranger's
 * repository, must not be able to send the user's keys anywhere, nor to
 * allow what the user would be asked about. */
static int check_stays_here(const json_t *value, struct errand_error *err)
{
    const char *name, *keys[] = {"base_url", "gateway"};
    const char *users[] = {"secrets", "http", "hub"};
    json_t *p;
    const json_t *policy = json_object_get(value, "policy");
    if (json_array_size(json_object_get(policy, "allow")) > 0)
        return er_fail(err, ERRAND_CONFIG,
            "errand.lua of the working folder allows calls; it may deny and "
            "ask. Put policy.allow into the user's errand.lua, or say "
            "--config errand.lua if you trust it");
    if (json_object_get(json_object_get(value, "engine"), "prefix_folder"))
        return er_fail(err, ERRAND_CONFIG,
            "errand.lua of the working folder sets engine.prefix_folder, "
            "which is for the user alone; put it into the user's errand.lua, "
            "or say --config errand.lua if you trust it");
    for (size_t i = 0; i < sizeof users / sizeof users[0]; i++)
        if (json_object_size(json_object_get(value, users[i])) > 0)
            return er_fail(err, ERRAND_CONFIG,
                "errand.lua of the working folder sets %s, which is for the "
                "user alone; put it into the user's errand.lua, or say "
                "--config errand.lua if you trust it",
                users[i]);
    json_object_foreach(json_object_get(value, "providers"), name, p)
    {
        for (size_t i = 0; i < 2; i++) {
            struct er_url_facts facts = {0};
            const char *url = er_json_str(p, keys[i]);
            if (!url)
                continue;
            int rc = er_url_check(url, &facts, err);
            if (rc != ERRAND_OK)
                return er_while(err, "errand.lua: providers.%.40s", name);
            if (!facts.loopback)
                return er_fail(err, ERRAND_CONFIG,
                    "errand.lua of the working folder sets %s of provider "
                    "%.40s to another machine; put it into the user's "
                    "errand.lua, or say --config errand.lua if you trust it",
                    keys[i], name);
        }
    }
    return ERRAND_OK;
}

/* Nor may it bring code into this process, or pass for the user where what
 * a plugin may touch is taken from its configuration. */
static int check_plugins(
    struct er_config *c, const json_t *value, struct errand_error *err)
{
    const char *name;
    size_t i;
    json_t *row, *rows = json_object_get(value, "plugins");
    json_object_foreach(rows, name, row)
    {
        if (json_is_true(json_object_get(row, "inproc")))
            return er_fail(err, ERRAND_CONFIG,
                "errand.lua of the working folder sets inproc of plugin "
                "%.40s; put it into the user's errand.lua, or say --config "
                "errand.lua if you trust it", name);
        json_object_set_new(c->folder_plugins, name, json_true());
    }
    json_array_foreach(rows, i, row)
        json_object_set_new(
            c->folder_plugins, json_string_value(row), json_true());
    return ERRAND_OK;
}

static int load_file(struct er_config *c, const char *path, bool trusted,
    er_tools *tools, struct errand_error *err)
{
    json_t *v = er_tools_eval_config(tools, path, err);
    if (!v)
        return err ? err->code : ERRAND_CONFIG;
    int rc = check(v, path, err);
    if (rc == ERRAND_OK && !trusted)
        rc = check_stays_here(v, err);
    if (rc == ERRAND_OK && !trusted)
        rc = check_plugins(c, v, err);
    if (rc == ERRAND_OK && merge(c->value, v) != 0)
        rc = er_nomem(err);
    json_decref(v);
    return rc;
}

static int load_files(struct er_config *c, const char *path, er_tools *tools,
    struct errand_error *err)
{
    if (path && !path[0])
        return ERRAND_OK;
    if (path) {
        if (access(path, R_OK) != 0)
            return er_fail_errno(
                err, ERRAND_NOT_FOUND, "cannot read configuration %s", path);
        return load_file(c, path, true, tools, err);
    }
    char *user = er_config_user_path("CONFIG", "errand.lua");
    int rc = ERRAND_OK;
    if (user && access(user, F_OK) == 0)
        rc = load_file(c, user, true, tools, err);
    free(user);
    if (rc == ERRAND_OK && access("errand.lua", F_OK) == 0)
        rc = load_file(c, "errand.lua", false, tools, err);
    return rc;
}

static int read_values(struct er_config *c, struct errand_error *err)
{
    const json_t *v, *context = json_object_get(c->value, "context");
    int rc = ERRAND_OK;
    c->model = er_json_str(c->value, "model");
    if (getenv("ERRAND_MODEL"))
        c->model = getenv("ERRAND_MODEL");
    c->system = er_json_str(c->value, "system");
    c->on_unknown = er_json_str(c->value, "on_unknown");
    if (!c->on_unknown)
        c->on_unknown = "ask";
    c->window_tokens = er_json_int(context, "window", 32768);
    c->window_known = json_object_get(context, "window") != NULL;
    v = json_object_get(context, "result_share");
    c->result_share = v ? json_number_value(v) : 0.25;
    er_sampling_defaults(&c->sampling);
    er_budgets_defaults(&c->budgets);
    if ((v = json_object_get(c->value, "params")))
        rc = er_sampling_parse(v, &c->sampling, err);
    if (rc == ERRAND_OK && (v = json_object_get(c->value, "budgets")))
        rc = er_budgets_parse(v, &c->budgets, err);
    return rc == ERRAND_OK ? rc : er_while(err, "the configuration");
}

int er_config_load(struct er_config *c, const char *path, er_tools *tools,
    struct errand_error *err)
{
    *c = (struct er_config){
        .value = json_object(), .folder_plugins = json_object()};
    if (!c->value || !c->folder_plugins)
        return er_nomem(err);
    int rc = load_files(c, path, tools, err);
    if (rc == ERRAND_OK)
        rc = read_values(c, err);
    return rc;
}

void er_config_release(struct er_config *c)
{
    json_decref(c->value);
    json_decref(c->folder_plugins);
    *c = (struct er_config){0};
}
