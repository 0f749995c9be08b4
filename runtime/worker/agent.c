/* The op "agent": load an agent's file, run no function of it, and say what
 * its table holds. Whether that is right is judged by the runtime, which has
 * the schema of agents. */
#include "convert.h"
#include "ops.h"

#include "base/text.h"

#include <lauxlib.h>
#include <string.h>

struct reading {
    struct er_chunk *chunk;
    struct er_buf *out;
};

/* The member on top as "key":value; an empty list of tools is a list. */
static void add_member(
    lua_State *L, struct er_buf *out, const char *key, size_t len)
{
    bool is_schema =
        strcmp(key, "parameters") == 0 || strcmp(key, "schema") == 0;
    bool is_list = strcmp(key, "tools") == 0 && lua_istable(L, -1) &&
                   lua_rawlen(L, -1) == 0;
    if (out->data[out->len - 1] != '{')
        er_buf_addc(out, ',');
    er_json_add_string(out, key, len);
    er_buf_addc(out, ':');
    if (is_list)
        er_buf_adds(out, "[]");
    else
        er_convert_write(L, lua_gettop(L), out,
            is_schema ? ER_CONVERT_SCHEMA : ER_CONVERT_PLAIN, key);
}

static int read_body(lua_State *L)
{
    struct reading *r = lua_touserdata(L, 1);
    bool script = false;
    er_chunk_push(L, r->chunk);
    lua_call(L, 0, 1);
    if (!lua_istable(L, -1))
        return luaL_error(L, "the file must return a table: return { "
            "description = ..., ... }; it returns %s",
            lua_isnil(L, -1) ? "nothing" : luaL_typename(L, -1));
    er_buf_adds(r->out, ",\"ok\":true,\"agent\":{");
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        size_t len;
        if (lua_type(L, -2) != LUA_TSTRING)
            luaL_error(L, "the table has a value without a name; every "
                "member is name = value");
        const char *key = lua_tolstring(L, -2, &len);
        if (strcmp(key, "run") != 0)
            add_member(L, r->out, key, len);
        else if (lua_isfunction(L, -1))
            script = true;
        else
            luaL_error(L, "run must be a function, not a %s",
                luaL_typename(L, -1));
        lua_pop(L, 1);
    }
    er_buf_addf(r->out, "},\"script\":%s", script ? "true" : "false");
    return 0;
}

void er_op_agent(struct er_host *h, struct er_chunk *chunk,
    const json_t *request, struct er_buf *out)
{
    struct reading r = {.chunk = chunk, .out = out};
    int64_t timeout = er_json_int(request, "timeout_ms", ER_OP_LOAD_MS);
    int status = er_host_run(h, read_body, &r, timeout);
    if (status != LUA_OK) {
        struct er_failure f = er_failure_read(h, status, chunk->path);
        er_answer_begin(out, h->wire.id);
        er_buf_addf(out, ",\"ok\":false,\"problems\":[{\"line\":%lld,"
            "\"message\":", (long long)f.line);
        er_json_add_string(
            out, f.message, er_utf8_cut(f.message, f.len, 1000));
        er_buf_adds(out, "}]");
    }
    er_chunk_settle(chunk);
}
