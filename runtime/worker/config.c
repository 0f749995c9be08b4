/* The op "config": run a configuration file, which is Lua that returns a
 * table, with no permission at all. */
#include "convert.h"
#include "ops.h"

#include "base/text.h"

#include <lauxlib.h>

struct config {
    struct er_chunk *chunk;
    struct er_buf *out;
};

static int config_body(lua_State *L)
{
    struct config *c = lua_touserdata(L, 1);
    er_chunk_push(L, c->chunk);
    lua_call(L, 0, 1);
    if (!lua_istable(L, -1))
        luaL_error(L, "the file must return a table: return { ... }");
    er_buf_adds(c->out, ",\"ok\":true,\"value\":");
    er_convert_write(L, -1, c->out, ER_CONVERT_PLAIN, "configuration");
    return 0;
}

static void write_problem(
    struct er_buf *out, int64_t line, const char *text, size_t len)
{
    er_buf_addf(out, ",\"ok\":false,\"problems\":[{\"line\":%lld,"
        "\"message\":", (long long)line);
    er_json_add_string(out, text, er_utf8_cut(text, len, 1000));
    er_buf_adds(out, "}]");
}

void er_op_config(struct er_host *h, struct er_chunk *chunk,
    const json_t *request, struct er_buf *out)
{
    struct config c = {.chunk = chunk, .out = out};
    int64_t timeout = er_json_int(request, "timeout_ms", ER_OP_LOAD_MS);
    int status = er_host_run(h, config_body, &c, timeout);
    if (status != LUA_OK) {
        struct er_failure f = er_failure_read(h, status, chunk->path);
        er_answer_begin(out, h->wire.id); /* drops a value half written */
        write_problem(out, f.line, f.message, f.len);
    }
    er_chunk_settle(chunk);
}
