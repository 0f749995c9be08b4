/* ctx.kv: values that outlive the call, kept by the runtime in its store.
 *
 *   kv.get(key)                 the value, or nil
 *   kv.set(key, value)          on the disk when it returns
 *   kv.delete(key)              true if there was one
 *   kv.list([prefix [, after]]) keys that begin so, in order, at most 1,000
 * Each tool has keys of its own.
 */
#include "ctx.h"

#include "convert.h"
#include "question.h"

#include <lauxlib.h>

/* Params {op, key} on top; the key is argument 1. */
static int push_params(lua_State *L, const char *op)
{
    luaL_checkstring(L, 1);
    lua_createtable(L, 0, 4);
    lua_pushstring(L, op);
    lua_setfield(L, -2, "op");
    lua_pushvalue(L, 1);
    lua_setfield(L, -2, "key");
    return lua_gettop(L);
}

static int kv_get(lua_State *L)
{
    int params = push_params(L, "get");
    const json_t *found =
        json_object_get(er_question_json(L, "kv", params), "value");
    if (!found)
        return 0;
    er_convert_push(L, found);
    return 1;
}

static int kv_set(lua_State *L)
{
    if (lua_isnoneornil(L, 2))
        return luaL_error(L, "kv.set: no value; kv.delete(key) removes a "
            "key, errand.null is a value");
    int params = push_params(L, "set");
    lua_pushvalue(L, 2);
    lua_setfield(L, params, "value");
    er_question_json(L, "kv", params);
    return 0;
}

static int kv_delete(lua_State *L)
{
    int params = push_params(L, "delete");
    const json_t *answer = er_question_json(L, "kv", params);
    lua_pushboolean(L, json_is_true(json_object_get(answer, "deleted")));
    return 1;
}

static int kv_list(lua_State *L)
{
    luaL_optstring(L, 1, "");
    luaL_optstring(L, 2, "");
    lua_settop(L, 2);
    lua_createtable(L, 0, 3);
    lua_pushliteral(L, "list");
    lua_setfield(L, 3, "op");
    for (int i = 1; i <= 2; i++) {
        if (lua_isnil(L, i))
            continue;
        lua_pushvalue(L, i);
        lua_setfield(L, 3, i == 1 ? "prefix" : "after");
    }
    er_convert_push(
        L, json_object_get(er_question_json(L, "kv", 3), "keys"));
    return 1;
}

void er_kv_push(lua_State *L)
{
    static const luaL_Reg functions[] = {{"get", kv_get}, {"set", kv_set},
        {"delete", kv_delete}, {"list", kv_list}, {NULL, NULL}};
    luaL_newlib(L, functions);
}
