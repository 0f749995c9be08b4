/* The runtime's part of consent: rules of the configuration and the store,
 * and what a tool is to the policy. */
#include "agent/consent.h"
#include "agent/grant.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CWD_MOST = 4096 };

static char *present_folder(void)
{
    char *path = malloc(CWD_MOST);
    if (path && !getcwd(path, CWD_MOST)) {
        free(path);
        path = NULL;
    }
    return path;
}

static int add_list(errand *rt, const char *key, enum er_policy_kind kind,
    struct errand_error *err)
{
    const json_t *policy = json_object_get(rt->config.value, "policy");
    char what[32] = "policy.";
    memcpy(what + 7, key, strlen(key) + 1);
    int rc = er_policy_add_all(rt->policy, kind, ER_POLICY_CONFIG,
        json_object_get(policy, key), what, err);
    if (rc != ERRAND_OK && rc != ERRAND_NOMEM)
        err->code = rc = ERRAND_CONFIG;
    return rc == ERRAND_OK ? rc : er_while(err, "errand.lua");
}

int er_consent_open(errand *rt, struct errand_error *err)
{
    static const char *const keys[] = {"deny", "ask", "allow"};
    const json_t *policy = json_object_get(rt->config.value, "policy");
    const char *fallback = er_json_str(policy, "default");
    rt->cwd = present_folder();
    struct er_policy_place place = {.cwd = rt->cwd, .home = getenv("HOME")};
    rt->policy = er_policy_new(&place, NULL, err);
    if (!rt->policy)
        return err->code;
    for (int i = 0; i < 3; i++) {
        enum er_policy_kind kind = (enum er_policy_kind)i;
        int rc = add_list(rt, keys[i], kind, err);
        if (rc != ERRAND_OK)
            return rc;
        if (fallback && strcmp(fallback, keys[i]) == 0)
            er_policy_set_default(rt->policy, kind);
    }
    return ERRAND_OK;
}

void er_consent_close(errand *rt)
{
    er_policy_free(rt->policy);
    json_decref(rt->grants);
    json_decref(rt->grants_now);
    free(rt->cwd);
    rt->policy = NULL;
    rt->cwd = NULL;
}

/* A rule that a newer errand wrote must not keep this one from working: it
 * is left out, and said. */
static void add_always(errand *rt, const json_t *rules)
{
    size_t i;
    json_t *row;
    json_array_foreach(rules, i, row)
    {
        struct errand_error err = {0};
        const char *text = er_json_str(row, "rule");
        if (text && er_policy_add(rt->policy, ER_POLICY_ALLOW,
                        ER_POLICY_ALWAYS, text, &err) != ERRAND_OK)
            er_log(&rt->log, ERRAND_LOG_WARN, "the store: %s", err.msg);
    }
}

int er_consent_need(errand *rt, struct errand_error *err)
{
    if (rt->consent_loaded)
        return ERRAND_OK;
    json_t *rules = er_store_rules(rt->store, err);
    if (!rules)
        return err->code;
    add_always(rt, rules);
    json_decref(rules);
    int rc = er_grant_load(rt, err);
    if (rc != ERRAND_OK)
        return rc;
    rt->consent_loaded = true;
    return ERRAND_OK;
}

/* ------------------------------------------------------------------ tools */

static bool wants(const struct er_tool *tool, const char *permission)
{
    const json_t *v = json_object_get(tool->permissions, permission);
    return json_array_size(v) > 0 || json_object_size(v) > 0 ||
           json_is_true(v);
}

bool er_consent_sends(const struct er_tool *tool)
{
    return tool->egress || wants(tool, "net") || wants(tool, "run");
}

/* May it read files that are not of the project? */
static bool reads_outside(const errand *rt, const struct er_tool *tool)
{
    const json_t *roots = json_object_get(tool->permissions, "read"), *v;
    struct er_policy_place place = {.cwd = rt->cwd};
    size_t i;
    if (json_object_size(roots) > 0)
        return true; /* as the plugin's configuration says: not known here */
    json_array_foreach(roots, i, v)
        if (!json_is_string(v) ||
            !er_policy_is_below(&place, json_string_value(v)))
            return true;
    return false;
}

bool er_consent_is_outside(const errand *rt, const struct er_tool *tool)
{
    return tool->external || wants(tool, "net") || reads_outside(rt, tool);
}

/* ------------------------------------------------------------------ taint */

void er_consent_mark(const struct run_call *c, json_t *message)
{
    if (message && c->tool && c->started_ms &&
        (c->external || er_consent_is_outside(c->run->rt, c->tool)))
        json_object_set_new(message, "trust", json_string("external"));
}

bool er_consent_is_external(const json_t *message)
{
    const char *trust = er_json_str(message, "trust");
    return trust && strcmp(trust, "external") == 0;
}

bool er_consent_has_external(const json_t *messages)
{
    size_t i;
    json_t *m;
    json_array_foreach(messages, i, m)
        if (er_consent_is_external(m))
            return true;
    return false;
}
