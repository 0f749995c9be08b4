/* The op "call": run a tool's function and write what it gave. */
#include "convert.h"
#include "ctx.h"
#include "ops.h"

#include "base/frame.h"
#include "base/text.h"

#include <lauxlib.h>
#include <string.h>

enum {
    LOG_LINES = 200,      /* of one call */
    MESSAGE_MOST = 4000,  /* bytes of what the model is told */
    DETAIL_MOST = 1000,   /* bytes of what the user is told */
};

struct call {
    struct er_chunk *chunk;
    const json_t *request;
    struct er_buf *out;
    const char *refusal; /* the tool's own no; lives in the state */
    size_t refusal_len;
};

/* The file gave a table with a function run, or (code that came with a
 * request) the function itself: leave it on the stack. */
static void push_run(lua_State *L, struct call *c)
{
    er_chunk_push(L, c->chunk);
    lua_call(L, 0, 1);
    bool is_function = json_is_true(json_object_get(c->request, "function"));
    if (is_function && lua_isfunction(L, -1))
        return;
    if (is_function && !lua_istable(L, -1))
        luaL_error(L, "the code does not return a function");
    if (!lua_istable(L, -1))
        luaL_error(L, "the file does not return a table");
    lua_pushliteral(L, "run");
    if (lua_rawget(L, -2) != LUA_TFUNCTION)
        luaL_error(L, "the tool has no function run");
}

/* run(args, ctx); its value as JSON, or `return nil, "message"`. */
static int call_body(lua_State *L)
{
    struct call *c = lua_touserdata(L, 1);
    const json_t *args = json_object_get(c->request, "arguments");
    push_run(L, c);
    if (json_is_object(args))
        er_convert_push(L, args);
    else
        lua_newtable(L);
    er_ctx_push(L, c->request);
    lua_call(L, 2, 2);
    if (lua_isnil(L, -2) && lua_type(L, -1) == LUA_TSTRING) {
        c->refusal = lua_tolstring(L, -1, &c->refusal_len);
        lua_rawsetp(L, LUA_REGISTRYINDEX, c); /* keep it alive */
        return 0;
    }
    er_buf_adds(c->out, ",\"ok\":true,\"result\":");
    er_convert_write(L, -2, c->out, ER_CONVERT_PLAIN, "result");
    return 0;
}

void er_answer_refusal(struct er_buf *out, const char *text, size_t len,
    const char *detail, bool stopped)
{
    er_buf_adds(out, ",\"ok\":false,\"message\":");
    er_json_add_string(out, text, er_utf8_cut(text, len, MESSAGE_MOST));
    er_buf_adds(out, ",\"detail\":");
    er_json_add_string(out, detail,
        er_utf8_cut(detail, strlen(detail), DETAIL_MOST));
    if (stopped)
        er_buf_adds(out, ",\"timeout\":true");
}

void er_answer_failure(struct er_host *h, const char *path, int status,
    struct er_buf *out)
{
    struct er_failure f = er_failure_read(h, status, path);
    struct er_buf detail;
    er_buf_init(&detail, 8192);
    if (f.line > 0)
        er_buf_addf(&detail, "%s:%lld: ", path, (long long)f.line);
    else
        er_buf_addf(&detail, "%s: ", path);
    er_buf_add(&detail, f.message, er_utf8_cut(f.message, f.len, 2000));
    er_answer_refusal(out, f.message, f.len, er_buf_str(&detail), f.stopped);
    er_buf_release(&detail);
}

static void run(struct er_host *h, struct call *c)
{
    int64_t timeout = er_json_int(c->request, "timeout_ms", 30000);
    int status = er_host_run(h, call_body, c, timeout);
    if (status == LUA_OK && !c->refusal)
        return;
    er_answer_begin(c->out, h->wire.id); /* drops a result half written */
    if (status == LUA_OK)
        er_answer_refusal(c->out, c->refusal, c->refusal_len, "", false);
    else
        er_answer_failure(h, c->chunk->path, status, c->out);
}

void er_op_call(struct er_host *h, struct er_chunk *chunk,
    const json_t *request, struct er_buf *out)
{
    struct call c = {.chunk = chunk, .request = request, .out = out};
    h->permissions = json_object_get(request, "permissions");
    h->logs_left = LOG_LINES;
    run(h, &c);
    er_chunk_settle(chunk);
}
