/* Who may what: asked once for each file. */
#include "agent/grant.h"

#include "agent/consent.h"
#include "base/embedded.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static bool asks_for_something(const struct er_tool *tool)
{
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)tool->permissions, key, v)
        if (json_array_size(v) > 0 || json_object_size(v) > 0 ||
            json_is_true(v))
            return true;
    return false;
}

/* The file's place, whatever it was called; caller frees. */
static char *place_of(const struct er_tool *tool)
{
    char *real = tool->path ? realpath(tool->path, NULL) : NULL;
    return real ? real : er_strdup(tool->path ? tool->path : tool->name);
}

static bool fits(
    const json_t *grant, const struct er_tool *tool, const char *asked)
{
    const char *version = er_json_str(grant, "version");
    const char *permissions = er_json_str(grant, "permissions");
    return version && permissions && strcmp(version, tool->version) == 0 &&
           strcmp(permissions, asked) == 0;
}

const char *er_grant_of(const errand *rt, const struct er_tool *tool)
{
    if (strcmp(tool->source, "callback") == 0 ||
        strcmp(tool->source, "builtin") == 0 || !asks_for_something(tool))
        return "nothing asked";
    if (!tool->from_folder && er_is_shipped(tool->version))
        return "shipped";
    if (!tool->from_folder && strcmp(tool->source, "plugin") == 0)
        return "named";
    char *place = place_of(tool);
    char *asked = er_json_sorted(tool->permissions);
    const char *why = NULL;
    if (place && asked) {
        if (fits(json_object_get(rt->grants_now, place), tool, asked))
            why = "run";
        else if (fits(json_object_get(rt->grants, place), tool, asked))
            why = "stored";
    }
    free(place);
    free(asked);
    return why;
}

int er_grant_check(
    const errand *rt, const struct er_tool *tool, struct errand_error *err)
{
    if (er_grant_of(rt, tool))
        return ERRAND_OK;
    char *asked = er_json_text(tool->permissions);
    int rc = er_fail(err, ERRAND_DENIED,
        "the tool %.40s asks for %.60s: `errand tools grant %.40s` grants "
        "it, --grant %.40s for once, -t leaves it out",
        tool->name, asked ? asked : "permissions", tool->name, tool->name);
    free(asked);
    return rc;
}

int er_grant_load(errand *rt, struct errand_error *err)
{
    size_t i;
    json_t *row, *rows = er_store_grants(rt->store, err);
    if (!rows)
        return err->code;
    rt->grants = json_object();
    if (!rt->grants_now)
        rt->grants_now = json_object();
    json_array_foreach(rows, i, row)
        if (er_json_str(row, "path"))
            json_object_set(rt->grants, er_json_str(row, "path"), row);
    json_decref(rows);
    return rt->grants && rt->grants_now ? ERRAND_OK : er_nomem(err);
}

/* ------------------------------------------------------------ by hand */

static int store_grant(errand *rt, const char *place, const char *version,
    const char *permissions, struct errand_error *err)
{
    struct er_op *op = er_op_new(ER_OP_GRANT);
    if (!op)
        return er_nomem(err);
    op->in.grant.path = er_arena_str(&op->arena, place);
    op->in.grant.version = er_arena_str(&op->arena, version);
    op->in.grant.permissions = er_arena_str(&op->arena, permissions);
    int rc = er_store_call(rt->store, op);
    if (rc != ERRAND_OK)
        *err = op->err;
    er_op_free(op);
    return rc;
}

static int grant(errand *rt, const struct er_tool *tool, bool once,
    struct errand_error *err)
{
    char *place = place_of(tool), *asked = NULL;
    int rc = place ? ERRAND_OK : er_nomem(err);
    if (rc == ERRAND_OK && tool->permissions)
        asked = er_json_sorted(tool->permissions);
    if (rc == ERRAND_OK && asked && !once)
        rc = store_grant(rt, place, tool->version, asked, err);
    json_t *row = json_pack("{s:s, s:s}", "version", tool->version,
        "permissions", asked ? asked : "{}");
    if (rc == ERRAND_OK &&
        json_object_set_new(
            once ? rt->grants_now : rt->grants, place, row) != 0)
        rc = er_nomem(err);
    free(place);
    free(asked);
    return rc;
}

static const struct er_tool *find_tool(
    errand *rt, const char *name, struct errand_error *err)
{
    int rc = er_runtime_need_tools(rt, err);
    if (rc == ERRAND_OK)
        rc = er_consent_need(rt, err);
    const struct er_tool *t =
        rc == ERRAND_OK ? er_tools_find(rt->tools, name) : NULL;
    if (rc == ERRAND_OK && !t)
        er_fail(err, ERRAND_NOT_FOUND,
            "there is no tool \"%.64s\"; `errand tools list` shows all",
            name);
    return t;
}

/* Every tool that lacks something. */
static int grant_all(errand *rt, bool once, struct errand_error *err)
{
    int rc = er_runtime_need_tools(rt, err);
    if (rc == ERRAND_OK)
        rc = er_consent_need(rt, err);
    size_t n = rc == ERRAND_OK ? er_tools_count(rt->tools) : 0;
    for (size_t i = 0; i < n && rc == ERRAND_OK; i++) {
        const struct er_tool *t = er_tools_at(rt->tools, i);
        if (!er_grant_of(rt, t))
            rc = grant(rt, t, once, err);
    }
    return rc;
}

int errand_tools_grant(
    errand *rt, const char *name, int once, struct errand_error *err)
{
    struct errand_error mine = {0};
    err = err ? err : &mine;
    if (strcmp(name, "*") == 0)
        return grant_all(rt, once != 0, err);
    const struct er_tool *t = find_tool(rt, name, err);
    return t ? grant(rt, t, once != 0, err) : err->code;
}

int errand_tools_revoke(
    errand *rt, const char *name, struct errand_error *err)
{
    struct errand_error mine = {0};
    err = err ? err : &mine;
    const struct er_tool *t = find_tool(rt, name, err);
    if (!t)
        return err->code;
    char *place = place_of(t);
    int rc = place ? ERRAND_OK : er_nomem(err);
    if (rc == ERRAND_OK && !json_object_get(rt->grants, place))
        rc = er_fail(err, ERRAND_NOT_FOUND,
            "%.64s was not granted anything; `errand tools list` shows "
            "what is", name);
    if (rc == ERRAND_OK)
        rc = store_grant(rt, place, NULL, NULL, err);
    if (rc == ERRAND_OK)
        json_object_del(rt->grants, place);
    free(place);
    return rc;
}
