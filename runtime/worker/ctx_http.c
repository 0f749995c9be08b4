/* ctx.http and ctx.secret: both are done by the runtime.
 *
 *   http.request{ url, method, headers, body, json, timeout_ms, max_bytes,
 *                 redirects }       { status, headers, body, url }
 *   http.get(url [, options])      the same with method = "GET"
 *   http.post(url, body [, options])
 *   secret(name)                   a text that stands for the value
 * What is not text goes over as base64 and arrives as the bytes it was.
 */
#include "ctx.h"

#include "base/base64.h"
#include "base/text.h"
#include "host.h"
#include "question.h"

#include <lauxlib.h>
#include <string.h>

/* The body at the top of the stack into the params at index, as text if it
 * is one; pops it. */
static void set_body(lua_State *L, int params)
{
    size_t len;
    const char *body = lua_tolstring(L, -1, &len);
    if (er_utf8_valid_prefix(body, len) == len) {
        lua_setfield(L, params, "body");
        return;
    }
    struct er_buf *out = &er_host_of(L)->scratch;
    er_buf_reset(out);
    if (!er_base64_add(out, body, len))
        luaL_error(L, "the body is over 16 MiB");
    lua_pushlstring(L, er_buf_str(out), out->len);
    er_buf_reset(out);
    lua_setfield(L, params, "body64");
    lua_pop(L, 1);
}

/* The table at index 1 as params, on top. */
static void push_params(lua_State *L)
{
    static const char *const names[] = {"url", "method", "headers", "body",
        "json", "timeout_ms", "max_bytes", "redirects", NULL};
    lua_createtable(L, 0, 8);
    int params = lua_gettop(L);
    lua_pushnil(L);
    while (lua_next(L, 1)) {
        const char *key = lua_type(L, -2) == LUA_TSTRING
                              ? lua_tostring(L, -2)
                              : "(no text)";
        size_t i = 0;
        while (names[i] && strcmp(names[i], key) != 0)
            i++;
        if (!names[i])
            luaL_error(L, "http.request: %s is not known; there are: url, "
                "method, headers, body, json, timeout_ms, max_bytes, "
                "redirects", key);
        bool is_body = strcmp(key, "body") == 0;
        if (is_body && lua_type(L, -1) != LUA_TSTRING)
            luaL_error(L, "http.request: body must be a text, not a %s; "
                "json takes any value", luaL_typename(L, -1));
        if (is_body)
            set_body(L, params);
        else
            lua_setfield(L, params, key);
    }
}

/* A body that came as base64 back to bytes, in the answer on top. */
static void read_body(lua_State *L)
{
    size_t len, got;
    luaL_Buffer b;
    if (lua_getfield(L, -1, "body64") != LUA_TSTRING) {
        lua_pop(L, 1);
        return;
    }
    const char *text = lua_tolstring(L, -1, &len);
    char *to = luaL_buffinitsize(L, &b, er_base64_room(len));
    if (!er_base64_read(text, len, to, &got))
        luaL_error(L, "the runtime's answer cannot be read");
    luaL_pushresultsize(&b, got);
    lua_setfield(L, -3, "body");
    lua_pop(L, 1);
    lua_pushnil(L);
    lua_setfield(L, -2, "body64");
}

static int http_request(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    push_params(L);
    er_question_ask(L, "http", 2);
    read_body(L);
    return 1;
}

/* A copy of the options at index (or an empty table) in place of all. */
static void only_options(lua_State *L, int index)
{
    if (!lua_isnoneornil(L, index))
        luaL_checktype(L, index, LUA_TTABLE);
    lua_createtable(L, 0, 8);
    int copy = lua_gettop(L);
    if (lua_istable(L, index)) {
        lua_pushnil(L);
        while (lua_next(L, index)) {
            lua_pushvalue(L, -2);
            lua_insert(L, -2);
            lua_rawset(L, copy);
        }
    }
}

static int http_get(lua_State *L)
{
    luaL_checkstring(L, 1);
    lua_settop(L, 2);
    only_options(L, 2);
    lua_pushvalue(L, 1);
    lua_setfield(L, -2, "url");
    lua_replace(L, 1);
    return http_request(L);
}

static int http_post(lua_State *L)
{
    luaL_checkstring(L, 1);
    if (!lua_isnoneornil(L, 2))
        luaL_checkstring(L, 2);
    lua_settop(L, 3);
    only_options(L, 3);
    lua_pushvalue(L, 1);
    lua_setfield(L, -2, "url");
    lua_pushliteral(L, "POST");
    lua_setfield(L, -2, "method");
    if (!lua_isnil(L, 2)) {
        lua_pushvalue(L, 2);
        lua_setfield(L, -2, "body");
    }
    lua_replace(L, 1);
    return http_request(L);
}

void er_http_push(lua_State *L)
{
    static const luaL_Reg functions[] = {{"request", http_request},
        {"get", http_get}, {"post", http_post}, {NULL, NULL}};
    luaL_newlib(L, functions);
}

static int secret(lua_State *L)
{
    luaL_checkstring(L, 1);
    lua_createtable(L, 0, 1);
    lua_pushvalue(L, 1);
    lua_setfield(L, -2, "name");
    return er_question_ask(L, "secret", lua_gettop(L));
}

void er_secret_push(lua_State *L) { lua_pushcfunction(L, secret); }
