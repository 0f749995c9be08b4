/* What a script must not have: all that comes to something else when it runs
 * again. The clock and random numbers are steps (ctx.now, ctx.random); pairs
 * and next go in the order of the keys, numbers before texts, where Lua's own
 * order is another in every process. */
#include "script.h"

#include <lauxlib.h>

/* ---------------------------------------------------------------- in order */

static int rank(lua_State *L, int index)
{
    switch (lua_type(L, index)) {
    case LUA_TNUMBER: return 1;
    case LUA_TSTRING: return 2;
    case LUA_TBOOLEAN: return 3;
    default:
        return luaL_error(L, "a %s as a key has no order that is the same in "
            "every run; use texts or numbers", luaL_typename(L, index));
    }
}

static bool is_before(lua_State *L, int a, int b)
{
    int x = rank(L, a), y = rank(L, b);
    if (x != y)
        return x < y;
    if (x == 3)
        return !lua_toboolean(L, a) && lua_toboolean(L, b);
    return lua_compare(L, a, b, LUA_OPLT);
}

static int before(lua_State *L)
{
    lua_pushboolean(L, is_before(L, 1, 2));
    return 1;
}

/* next(t, key): the least key above it, by looking at all. */
static int ordered_next(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 2);
    bool first = lua_isnil(L, 2);
    lua_pushnil(L); /* 3: the best */
    lua_pushnil(L);
    while (lua_next(L, 1)) {
        lua_pop(L, 1);
        rank(L, 4);
        if ((first || is_before(L, 2, 4)) &&
            (lua_isnil(L, 3) || is_before(L, 4, 3))) {
            lua_pushvalue(L, 4);
            lua_replace(L, 3);
        }
    }
    if (lua_isnil(L, 3))
        return 1;
    lua_pushvalue(L, 3);
    lua_pushvalue(L, 3);
    lua_rawget(L, 1);
    return 2;
}

/* The next of the keys that were there, if it still is. Upvalues: the table,
 * its keys, how many were given. */
static int step(lua_State *L)
{
    lua_Integer at = lua_tointeger(L, lua_upvalueindex(3));
    for (;;) {
        lua_rawgeti(L, lua_upvalueindex(2), ++at);
        if (lua_isnil(L, -1))
            return 1;
        lua_pushvalue(L, -1);
        lua_rawget(L, lua_upvalueindex(1));
        if (!lua_isnil(L, -1))
            break;
        lua_pop(L, 2);
    }
    lua_pushinteger(L, at);
    lua_replace(L, lua_upvalueindex(3));
    return 2;
}

/* pairs; the upvalue is table.sort */
static int ordered_pairs(lua_State *L)
{
    luaL_checkany(L, 1);
    if (luaL_getmetafield(L, 1, "__pairs") != LUA_TNIL) {
        lua_pushvalue(L, 1);
        lua_call(L, 1, 3);
        return 3;
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    lua_newtable(L);
    lua_Integer n = 0;
    lua_pushnil(L);
    while (lua_next(L, 1)) {
        lua_pop(L, 1);
        rank(L, 3);
        lua_pushvalue(L, 3);
        lua_rawseti(L, 2, ++n);
    }
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushvalue(L, 2);
    lua_pushcfunction(L, before);
    lua_call(L, 2, 0);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, step, 3);
    lua_pushvalue(L, 1);
    lua_pushnil(L);
    return 3;
}

/* ------------------------------------------------------------- not at all */

/* Upvalues: what was called, what to use. */
static int gone(lua_State *L)
{
    return luaL_error(L, "%s would be something else when the script runs "
        "again; %s is stored", lua_tostring(L, lua_upvalueindex(1)),
        lua_tostring(L, lua_upvalueindex(2)));
}

/* os.date of a given time comes to the same; the upvalue is the original. */
static int dated(lua_State *L)
{
    if (lua_isnoneornil(L, 2))
        return luaL_error(L, "os.date needs a time here, as in "
            "os.date(\"%%Y-%%m-%%d\", ctx.now())");
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, 1);
    return 1;
}

static void forbid(lua_State *L, const char *table, const char *name,
    const char *instead)
{
    lua_getglobal(L, table);
    lua_pushfstring(L, "%s.%s", table, name);
    lua_pushstring(L, instead);
    lua_pushcclosure(L, gone, 2);
    lua_setfield(L, -2, name);
    lua_pop(L, 1);
}

void er_script_globals(lua_State *L)
{
    static const char *const clocks[] = {"time", "clock", NULL};
    for (const char *const *name = clocks; *name; name++)
        forbid(L, "os", *name, "ctx.now()");
    lua_getglobal(L, "os");
    lua_getfield(L, -1, "date");
    lua_pushcclosure(L, dated, 1);
    lua_setfield(L, -2, "date");
    lua_pop(L, 1);
    forbid(L, "math", "random", "ctx.random()");
    forbid(L, "math", "randomseed", "ctx.random()");
    lua_getglobal(L, "table");
    lua_getfield(L, -1, "sort");
    lua_pushcclosure(L, ordered_pairs, 1);
    lua_setglobal(L, "pairs");
    lua_pop(L, 1);
    lua_pushcfunction(L, ordered_next);
    lua_setglobal(L, "next");
}
