/* The globals a tool sees: an allow-list, and wrappers that keep a stop a
 * stop.
 *
 * Gone are everything that loads code (dofile, load, loadfile, require,
 * string.dump), that reaches the process (io, os but for its clock, package,
 * debug) and collectgarbage. Replaced are
 *   pcall, xpcall, coroutine.resume, coroutine.close
 *                 catch errors, but not the deadline's
 *   setmetatable  refuses __gc: finalizers run with the hook switched off
 *   print         writes to the log
 * and added is `errand` (convert.h).
 */
#include "convert.h"
#include "ctx.h"
#include "host.h"

#include <lauxlib.h>
#include <lualib.h>

/* After the protected function came back: stack is the mark true, then what
 * it gave, or (status is an error) the error on top. */
static int after_pcall(lua_State *L, int status, lua_KContext below)
{
    er_host_check(L);
    if (status == LUA_OK || status == LUA_YIELD)
        return lua_gettop(L) - (int)below;
    lua_pushboolean(L, 0);
    lua_insert(L, -2);
    return 2;
}

static int guarded_pcall(lua_State *L)
{
    luaL_checkany(L, 1);
    lua_pushboolean(L, 1);
    lua_insert(L, 1); /* true f args... */
    int status =
        lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, 0, after_pcall);
    return after_pcall(L, status, 0);
}

/* A message handler that does not run for the deadline: it would be called
 * from within the hook, where no hook runs, and could loop for ever. */
static int guarded_handler(lua_State *L)
{
    if (er_host_of(L)->stopped)
        return 1; /* the error value as it is */
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

static int guarded_xpcall(lua_State *L)
{
    luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_pushvalue(L, 2);
    lua_pushcclosure(L, guarded_handler, 1);
    lua_replace(L, 2);
    lua_pushboolean(L, 1);
    lua_pushvalue(L, 1); /* f handler args... true f */
    lua_rotate(L, 3, 2); /* f handler true f args... */
    int status =
        lua_pcallk(L, lua_gettop(L) - 4, LUA_MULTRET, 2, 2, after_pcall);
    return after_pcall(L, status, 2);
}

/* Call the original, which is the upvalue; then see whether it caught a
 * stop. For functions that do not yield across themselves. */
static int guarded_call(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    er_host_check(L);
    return lua_gettop(L);
}

static int checked_setmetatable(lua_State *L)
{
    if (lua_type(L, 2) == LUA_TTABLE) {
        lua_pushliteral(L, "__gc");
        if (lua_rawget(L, 2) != LUA_TNIL)
            return luaL_error(L, "a tool cannot have __gc metamethods");
        lua_pop(L, 1);
    }
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, 1);
    return 1;
}

/* Put a closure of fn over the field's old value in its place. */
static void wrap_field(lua_State *L, const char *name, lua_CFunction fn)
{
    lua_getfield(L, -1, name);
    lua_pushcclosure(L, fn, 1);
    lua_setfield(L, -2, name);
}

static void remove_field(lua_State *L, const char *name)
{
    lua_pushnil(L);
    lua_setfield(L, -2, name);
}

static void open_base(lua_State *L)
{
    static const char *const gone[] = {"dofile", "loadfile", "load",
        "collectgarbage", "warn", NULL};
    lua_pushcfunction(L, luaopen_base);
    lua_call(L, 0, 1); /* the table of globals */
    for (const char *const *name = gone; *name; name++)
        remove_field(L, *name);
    lua_pushcfunction(L, guarded_pcall);
    lua_setfield(L, -2, "pcall");
    lua_pushcfunction(L, guarded_xpcall);
    lua_setfield(L, -2, "xpcall");
    lua_pushcfunction(L, er_ctx_print);
    lua_setfield(L, -2, "print");
    wrap_field(L, "setmetatable", checked_setmetatable);
    lua_pop(L, 1);
}

static void open_string(lua_State *L)
{
    lua_pushcfunction(L, luaopen_string);
    lua_call(L, 0, 1);
    remove_field(L, "dump");
    lua_setglobal(L, "string");
    lua_pushliteral(L, "");
    lua_getmetatable(L, -1);
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 2);
}

static void open_coroutine(lua_State *L)
{
    lua_pushcfunction(L, luaopen_coroutine);
    lua_call(L, 0, 1);
    wrap_field(L, "resume", guarded_call);
    wrap_field(L, "close", guarded_call);
    lua_setglobal(L, "coroutine");
}

static void open_os(lua_State *L)
{
    static const char *const kept[] = {
        "time", "date", "clock", "difftime", NULL};
    lua_pushcfunction(L, luaopen_os);
    lua_call(L, 0, 1);
    lua_createtable(L, 0, 4);
    for (const char *const *name = kept; *name; name++) {
        lua_getfield(L, -2, *name);
        lua_setfield(L, -2, *name);
    }
    lua_setglobal(L, "os");
    lua_pop(L, 1);
}

/* Without the old functions that only some builds of Lua have. */
static void open_math(lua_State *L)
{
    static const char *const old[] = {"atan2", "cosh", "frexp", "ldexp",
        "log10", "pow", "sinh", "tanh", NULL};
    lua_pushcfunction(L, luaopen_math);
    lua_call(L, 0, 1);
    for (const char *const *name = old; *name; name++)
        remove_field(L, *name);
    lua_setglobal(L, "math");
}

int er_globals_open(lua_State *L)
{
    static const struct {
        const char *name;
        lua_CFunction open;
    } whole[] = {{"table", luaopen_table}, {"utf8", luaopen_utf8}};
    open_base(L);
    open_string(L);
    open_coroutine(L);
    open_os(L);
    open_math(L);
    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++) {
        lua_pushcfunction(L, whole[i].open);
        lua_call(L, 0, 1);
        lua_setglobal(L, whole[i].name);
    }
    er_convert_open(L);
    return 0;
}
