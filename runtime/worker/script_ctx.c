/* ctx, as scripts get it: every member is a step, or tells of one.
 *
 * Nothing here reaches anything by itself: files, the network and the clock
 * are behind tools, so that all a script knows was stored. */
#include "ctx.h"
#include "script.h"

#include "base/text.h"

#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LOG_MOST = 2000 };

static int after(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    (void)ctx;
    er_script_take(L);
    return 1;
}

/* A text or a table with it under key, and further options: one table, on
 * top. */
static void options(lua_State *L, const char *what, const char *key)
{
    bool is_text = lua_type(L, 1) == LUA_TSTRING;
    if (!is_text && !lua_istable(L, 1))
        luaL_error(L, "ctx.%s takes a text, or a table with %s = \"...\"",
            what, key);
    lua_newtable(L);
    int to = lua_gettop(L);
    if (is_text) {
        lua_pushvalue(L, 1);
        lua_setfield(L, to, key);
    }
    int from = is_text ? 2 : 1;
    if (from == 2 && lua_isnoneornil(L, 2))
        return;
    luaL_checktype(L, from, LUA_TTABLE);
    lua_pushnil(L);
    while (lua_next(L, from)) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, to);
    }
}

static int ctx_ask(lua_State *L)
{
    lua_settop(L, 2);
    options(L, "ask", "prompt");
    return er_script_step(L, "ask", lua_gettop(L), after);
}

static int ctx_search(lua_State *L)
{
    lua_settop(L, 2);
    options(L, "search", "query");
    return er_script_step(L, "search", lua_gettop(L), after);
}

/* name, arguments: {first = name, second = arguments} */
static void pair(lua_State *L, const char *first, const char *second)
{
    luaL_checktype(L, 1, LUA_TSTRING);
    lua_createtable(L, 0, 2);
    lua_pushvalue(L, 1);
    lua_setfield(L, -2, first);
    if (lua_isnoneornil(L, 2))
        lua_newtable(L);
    else
        lua_pushvalue(L, 2);
    lua_setfield(L, -2, second);
}

static int ctx_tool(lua_State *L)
{
    lua_settop(L, 2);
    if (!lua_isnil(L, 2))
        luaL_checktype(L, 2, LUA_TTABLE);
    pair(L, "tool", "arguments");
    return er_script_step(L, "tool", lua_gettop(L), after);
}

static int ctx_agent(lua_State *L)
{
    lua_settop(L, 2);
    if (lua_type(L, 2) == LUA_TSTRING) { /* the prompt alone */
        lua_createtable(L, 0, 1);
        lua_insert(L, 2);
        lua_setfield(L, 2, "prompt");
    } else if (!lua_isnil(L, 2)) {
        luaL_checktype(L, 2, LUA_TTABLE);
    }
    pair(L, "agent", "input");
    return er_script_step(L, "agent", lua_gettop(L), after);
}

/* yes or no, and the reason that was given */
static int after_confirm(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    (void)ctx;
    er_script_take(L);
    lua_getfield(L, -1, "yes");
    lua_getfield(L, -2, "reason");
    return 2;
}

static int ctx_confirm(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TSTRING);
    lua_settop(L, 1);
    lua_createtable(L, 0, 1);
    lua_pushvalue(L, 1);
    lua_setfield(L, -2, "question");
    return er_script_step(L, "confirm", 2, after_confirm);
}

static int ctx_now(lua_State *L)
{
    lua_settop(L, 0);
    lua_newtable(L);
    return er_script_step(L, "now", 1, after);
}

/* The stored number is of 53 bits; the range is made of it here. */
static int after_random(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    (void)ctx;
    er_script_take(L);
    double x = lua_tonumber(L, -1) / 9007199254740992.0;
    if (lua_isnoneornil(L, 1)) {
        lua_pushnumber(L, x);
        return 1;
    }
    lua_Integer low = 1, high = lua_tointeger(L, 1);
    if (!lua_isnoneornil(L, 2)) {
        low = high;
        high = lua_tointeger(L, 2);
    }
    double span = (double)high - (double)low + 1;
    lua_pushinteger(L, low + (lua_Integer)floor(x * span));
    return 1;
}

static int ctx_random(lua_State *L)
{
    lua_Integer low = 1, high = 1;
    lua_settop(L, 2);
    if (!lua_isnil(L, 1))
        high = luaL_checkinteger(L, 1);
    if (!lua_isnil(L, 2)) {
        low = high;
        high = luaL_checkinteger(L, 2);
    }
    if (low > high || (double)high - (double)low >= 9007199254740992.0)
        return luaL_error(L, "ctx.random: from %I to %I is no range",
            (LUAI_UACINT)low, (LUAI_UACINT)high);
    lua_newtable(L);
    return er_script_step(L, "random", 3, after_random);
}

/* A key that was never set is what the second argument says. */
static int after_get(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    (void)ctx;
    er_script_take(L);
    lua_getfield(L, -1, "value");
    if (lua_isnil(L, -1))
        lua_pushvalue(L, 2);
    return 1;
}

static int state_get(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TSTRING);
    lua_settop(L, 2);
    lua_createtable(L, 0, 1);
    lua_pushvalue(L, 1);
    lua_setfield(L, -2, "key");
    return er_script_step(L, "state_get", 3, after_get);
}

static int after_set(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    (void)ctx;
    er_script_take(L);
    return 0;
}

static int state_set(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TSTRING);
    lua_settop(L, 2);
    pair(L, "key", "value");
    if (lua_isnil(L, 2)) { /* it goes */
        lua_pushnil(L);
        lua_setfield(L, -2, "value");
    }
    return er_script_step(L, "state_set", 3, after_set);
}

/* ctx.log(text [, level]): told, not answered; between step 3 and 4 it is
 * 3#1, 3#2, so that a new line of a log moves no step. */
static int ctx_log(lua_State *L)
{
    static const char *const names[] = {
        "error", "warn", "info", "debug", NULL};
    struct er_task *t = er_script_of(L)->current;
    char path[ER_SCRIPT_PATH];
    size_t len;
    int level = luaL_checkoption(L, 2, "info", names);
    const char *text = luaL_tolstring(L, 1, &len);
    snprintf(path, sizeof path, "%.160s%d#%d", t->prefix, t->steps,
        ++t->logs);
    lua_createtable(L, 0, 2);
    lua_pushlstring(L, text, er_utf8_cut(text, len, LOG_MOST));
    lua_setfield(L, -2, "text");
    lua_pushstring(L, names[level]);
    lua_setfield(L, -2, "level");
    er_script_tell(L, "log", path, lua_gettop(L));
    return 0;
}

/* __index of ctx: what tools have and scripts have not. */
static int missing(lua_State *L)
{
    const char *key = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2)
                                                    : "";
    static const char *const tools[] = {"fs", "http", "kv", "secret", NULL};
    for (const char *const *name = tools; *name; name++)
        if (strcmp(key, *name) == 0)
            return luaL_error(L, "ctx.%s is for tools; a script reaches "
                "nothing itself: ctx.tool(name, arguments)", key);
    return luaL_error(L, "there is no ctx.%s; there are ask, tool, agent, "
        "map, search, confirm, state, log, now, random, json, "
        "text", key);
}

void er_script_push_ctx(lua_State *L)
{
    static const luaL_Reg functions[] = {{"ask", ctx_ask},
        {"tool", ctx_tool}, {"agent", ctx_agent}, {"map", er_script_map},
        {"search", ctx_search},
        {"confirm", ctx_confirm}, {"log", ctx_log}, {"now", ctx_now},
        {"random", ctx_random}, {NULL, NULL}};
    static const luaL_Reg state[] = {
        {"get", state_get}, {"set", state_set}, {NULL, NULL}};
    luaL_newlib(L, functions);
    luaL_newlib(L, state);
    lua_setfield(L, -2, "state");
    er_json_push(L);
    lua_setfield(L, -2, "json");
    er_text_push(L);
    lua_setfield(L, -2, "text");
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, missing);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
}
