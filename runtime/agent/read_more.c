/* One store read per call; the store cuts on whole characters. */
#include "read_more.h"

#include "base/buf.h"

#include <string.h>

enum { LENGTH_DEFAULT = 8192, LENGTH_MAX = 32768 };

static const char NAME[] = "read_more";

static const char PARAMETERS[] =
    "{\"type\":\"object\",\"properties\":{"
    "\"handle\":{\"type\":\"string\",\"description\":"
    "\"handle from the place where the result was cut\"},"
    "\"offset\":{\"type\":\"integer\",\"minimum\":0,\"description\":"
    "\"first byte to read\"},"
    "\"length\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":32768,"
    "\"description\":\"how many bytes, 8192 if left out\"}},"
    "\"required\":[\"handle\",\"offset\"],\"additionalProperties\":false}";

/* The registry wants a function; the agent answers read_more itself. */
static void never_run(
    void *user, errand_call *call, const char *args, size_t len)
{
    (void)user;
    (void)args;
    (void)len;
    errand_call_fail(call, "read_more works inside a conversation only");
}

int er_read_more_add(er_tools *tools, struct errand_error *err)
{
    struct errand_tool_def def = {.size = sizeof def,
        .effect = ERRAND_READ,
        .name = NAME,
        .description =
            "Read on in a tool result of this conversation that was cut",
        .parameters = PARAMETERS,
        .run = never_run};
    return er_tools_add(tools, &def, "builtin", err);
}

bool er_read_more_is(const struct er_tool *tool)
{
    return strcmp(tool->name, NAME) == 0 &&
           strcmp(tool->source, "builtin") == 0;
}

struct reading {
    er_tool_done_fn done;
    void *ctx;
};

static void on_read(void *ctx, struct er_op *op)
{
    struct reading *r = ctx;
    struct er_buf text;
    struct er_tool_outcome o = {.detail = ""};
    er_buf_init(&text, LENGTH_MAX + 1024);
    if (op->code == ERRAND_NOT_FOUND) {
        er_buf_addf(&text, "error: there is no result with the handle "
            "\"%.64s\" in this conversation", op->in.read.call_id);
        o.status = ER_TOOL_FAILED;
    } else if (op->code != ERRAND_OK) {
        er_buf_addf(&text, "error: %s", op->err.msg);
        o.status = ER_TOOL_FAILED;
    } else {
        long long from = (long long)op->in.read.offset;
        long long to = from + (long long)op->out.text_len;
        er_buf_add(&text, op->out.text, op->out.text_len);
        er_buf_addf(&text, "\n[bytes %lld to %lld of %lld%s]", from, to,
            (long long)op->out.total_len,
            to >= op->out.total_len ? ", the end" : "");
    }
    o.text = er_buf_str(&text);
    o.len = text.len;
    r->done(r->ctx, &o);
    er_buf_release(&text);
    er_op_free(op);
}

int er_read_more(errand *rt, const char *conv_id, const json_t *args,
    er_tool_done_fn done, void *ctx, struct errand_error *err)
{
    struct er_op *op = er_op_new(ER_OP_READ);
    struct reading *r = op ? er_arena_alloc(&op->arena, sizeof *r) : NULL;
    if (!r) {
        er_op_free(op);
        return er_nomem(err);
    }
    const char *handle = er_json_str(args, "handle");
    *r = (struct reading){.done = done, .ctx = ctx};
    op->level = ER_COMMITTED;
    op->in.read.call_id = er_arena_str(&op->arena, handle ? handle : "");
    op->in.read.conv_id = er_arena_str(&op->arena, conv_id);
    op->in.read.offset = er_json_int(args, "offset", 0);
    op->in.read.len = er_json_int(args, "length", LENGTH_DEFAULT);
    op->done = on_read;
    op->ctx = r;
    er_store_submit(rt->store, op);
    return ERRAND_OK;
}
