/* ctx: log lines and facts about the call. What was not granted is not
 * there; asking for it says which permission is missing. */
#include "ctx.h"

#include "base/frame.h"
#include "base/text.h"
#include "host.h"
#include "send.h"

#include <errand/errand.h>
#include <lauxlib.h>
#include <string.h>

enum { LOG_LONGEST = 900 }; /* bytes of one line */

/* Send {"id","log","level"}. The buffer lies in the host's slot: sending
 * does not raise, but the caller's next step may. */
static void send_log(
    struct er_host *h, int level, const char *text, size_t len)
{
    if (h->logs_left <= 0)
        return;
    if (--h->logs_left == 0) {
        text = "(more log lines were dropped)";
        len = strlen(text);
    }
    struct er_buf *out = &h->scratch;
    er_buf_reset(out);
    size_t token = er_frame_begin(out);
    er_buf_addf(out, "{\"id\":%lld,\"log\":", (long long)h->wire.id);
    er_json_add_string(out, text, er_utf8_cut(text, len, LOG_LONGEST));
    er_buf_addf(out, ",\"level\":%d}", level);
    if (er_frame_end(out, token))
        er_send(h->wire.sock, out);
    er_buf_reset(out);
}

/* ctx.log(text [, level]) */
static int ctx_log(lua_State *L)
{
    static const char *const names[] = {
        "error", "warn", "info", "debug", NULL};
    size_t len;
    int level = luaL_checkoption(L, 2, "info", names);
    const char *text = luaL_tolstring(L, 1, &len);
    send_log(er_host_of(L), level, text, len);
    return 0;
}

int er_ctx_print(lua_State *L)
{
    int n = lua_gettop(L);
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    for (int i = 1; i <= n; i++) {
        if (i > 1)
            luaL_addchar(&b, '\t');
        luaL_tolstring(L, i, NULL);
        luaL_addvalue(&b);
    }
    luaL_pushresult(&b);
    size_t len;
    const char *text = lua_tolstring(L, -1, &len);
    send_log(er_host_of(L), ERRAND_LOG_INFO, text, len);
    return 0;
}

/* ctx.cancelled() */
static int ctx_cancelled(lua_State *L)
{
    struct er_host *h = er_host_of(L);
    er_wire_listen(&h->wire);
    if (!er_wire_look(&h->wire))
        return er_host_stop(L);
    lua_pushboolean(L,
        atomic_load(&h->wire.cancelled) || er_host_left_ms(h) == 0);
    return 1;
}

static int ctx_remaining_ms(lua_State *L)
{
    lua_pushinteger(L, er_host_left_ms(er_host_of(L)));
    return 1;
}

/* Members that are there if something was granted; those with a push are
 * made when they are first asked for. */
static const struct part {
    const char *name;
    const char *permission; /* NULL: needs none */
    const char *example;
    void (*push)(lua_State *L);
} parts[] = {
    {"fs", NULL, "read = { \".\" }", NULL},
    {"http", "net", "net = { \"api.example.com\" }", er_http_push},
    {"secret", "secrets", "secrets = { \"name\" }", er_secret_push},
    {"kv", "kv", "kv = true", er_kv_push},
    {"json", NULL, NULL, er_json_push},
    {"text", NULL, NULL, er_text_push},
};

static bool is_granted(const struct er_host *h, const char *permission)
{
    const json_t *p = json_object_get(h->permissions, permission);
    return json_is_true(p) || json_array_size(p) > 0;
}

/* __index of ctx: what is made late, and what was not granted. */
static int ctx_missing(lua_State *L)
{
    const char *key = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2)
                                                    : "";
    const struct part *p = NULL;
    luaL_checktype(L, 1, LUA_TTABLE);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (strcmp(parts[i].name, key) == 0)
            p = &parts[i];
    if (!p)
        return 0;
    if (!p->push || (p->permission &&
                        !is_granted(er_host_of(L), p->permission)))
        return luaL_error(L,
            "ctx.%s is not granted; declare permissions = { %s }", key,
            p->example);
    p->push(L);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, -2);
    lua_rawset(L, 1);
    return 1;
}

void er_ctx_push(lua_State *L, const json_t *request)
{
    const char *key = er_json_str(request, "key");
    const json_t *permissions = json_object_get(request, "permissions");
    lua_createtable(L, 0, 8);
    lua_pushcfunction(L, ctx_log);
    lua_setfield(L, -2, "log");
    lua_pushcfunction(L, ctx_cancelled);
    lua_setfield(L, -2, "cancelled");
    lua_pushcfunction(L, ctx_remaining_ms);
    lua_setfield(L, -2, "remaining_ms");
    lua_pushstring(L, key ? key : "");
    lua_setfield(L, -2, "idempotency_key");
    lua_pushinteger(L, er_json_int(request, "attempt", 1));
    lua_setfield(L, -2, "attempt");
    if (json_array_size(json_object_get(permissions, "read")) > 0 ||
        json_array_size(json_object_get(permissions, "write")) > 0) {
        er_fs_push(L);
        lua_setfield(L, -2, "fs");
    }
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, ctx_missing);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
}
