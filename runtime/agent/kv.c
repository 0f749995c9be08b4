/* From a tool's question to an op of the store and back. The op outlives the
 * question if the call ends first: then its answer is nobody's. What was set
 * is flushed before the tool hears of it. A value that a tainted conversation
 * sets, or a tool that reads from outside, taints whoever gets it later. */
#include "agent/kv.h"
#include "agent/consent.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

struct wait {
    struct er_ask *ask; /* NULL: nobody waits any more */
};

static json_t *answer_of(const struct er_op *op)
{
    if (op->kind == ER_OP_KV_SET && op->in.kv.value)
        return json_object();
    if (op->kind == ER_OP_KV_SET)
        return json_pack("{s:b}", "deleted", op->out.existed);
    if (!op->out.text)
        return json_object();
    json_t *value = er_json_parse(
        op->out.text, op->out.text_len, ER_JSON_STRICT, NULL);
    const char *name = op->kind == ER_OP_KV_LIST ? "keys" : "value";
    return json_pack("{s:o}", name, value); /* NULL if value is */
}

static void on_done(void *ctx, struct er_op *op)
{
    struct wait *w = ctx;
    if (w->ask && op->out.external)
        er_ask_is_external(w->ask);
    if (w->ask && op->code != ERRAND_OK)
        er_ask_refuse(w->ask, "kv: %s", op->err.msg);
    else if (w->ask)
        er_ask_reply(w->ask, answer_of(op));
    er_op_free(op);
    free(w);
}

/* A text of the params without NUL in it; NULL: there is none such. */
static const char *text_of(const json_t *params, const char *name)
{
    const json_t *v = json_object_get(params, name);
    const char *text = json_string_value(v);
    return text && strlen(text) == json_string_length(v) ? text : NULL;
}

static bool copy_text(struct er_op *op, const char *text, const char **out)
{
    *out = er_arena_str(&op->arena, text);
    return *out || !text;
}

/* The value as JSON text in the op's arena. */
static bool copy_value(struct er_op *op, const json_t *value)
{
    char *text = value ? er_json_sorted(value) : NULL;
    bool ok = copy_text(op, text, &op->in.kv.value);
    ok = ok && (text || !value);
    free(text);
    return ok;
}

/* Whose keys: the tool's own, or those of a name that tools share, which is
 * marked with what no tool's name can hold. */
static bool copy_space(struct er_op *op, const struct er_tool *tool)
{
    const json_t *granted = json_object_get(tool->permissions, "kv");
    const char *shared = json_string_value(json_array_get(granted, 0));
    struct er_buf name;
    er_buf_init(&name, 200);
    er_buf_addf(&name, "%s%.100s", shared ? "@" : "",
        shared ? shared : tool->name);
    bool ok = !name.failed &&
              copy_text(op, er_buf_str(&name), &op->in.kv.tool);
    er_buf_release(&name);
    return ok;
}

static bool fill(
    struct er_op *op, const errand *rt, const struct er_ask *ask)
{
    const json_t *p = ask->params;
    bool list = op->kind == ER_OP_KV_LIST;
    const char *key = text_of(p, list ? "prefix" : "key");
    const json_t *value = json_object_get(p, "value");
    op->in.kv.external =
        ask->tainted || er_consent_is_outside(rt, ask->tool);
    return copy_space(op, ask->tool) &&
           copy_text(op, key ? key : "", &op->in.kv.key) &&
           copy_text(op, text_of(p, "after"), &op->in.kv.after) &&
           (op->kind != ER_OP_KV_SET || copy_value(op, value));
}

/* Which op is asked for; why not, in *wrong. */
static enum er_op_kind kind_of(const json_t *params, const char **wrong)
{
    const char *name = er_json_str(params, "op");
    const json_t *prefix = json_object_get(params, "prefix");
    *wrong = NULL;
    if (name && strcmp(name, "list") == 0) {
        if (prefix && !text_of(params, "prefix"))
            *wrong = "kv: the prefix must be a text without NUL";
        return ER_OP_KV_LIST;
    }
    if (!text_of(params, "key"))
        *wrong = "kv: the key must be a text without NUL";
    if (name && strcmp(name, "get") == 0)
        return ER_OP_KV_GET;
    if (!name || (strcmp(name, "set") != 0 && strcmp(name, "delete") != 0))
        *wrong = "kv: op must be get, set, delete or list";
    else if ((strcmp(name, "set") == 0) !=
             (json_object_get(params, "value") != NULL))
        *wrong = "kv: set takes a value, delete none";
    return ER_OP_KV_SET;
}

static void on_ask(void *ctx, struct er_ask *ask)
{
    errand *rt = ctx;
    const char *wrong;
    enum er_op_kind kind = kind_of(ask->params, &wrong);
    if (wrong) {
        er_ask_refuse(ask, "%s", wrong);
        return;
    }
    struct wait *w = calloc(1, sizeof *w);
    struct er_op *op = er_op_new(kind);
    if (!w || !op || !fill(op, rt, ask)) {
        free(w);
        er_op_free(op);
        er_ask_refuse(ask, "out of memory");
        return;
    }
    w->ask = ask;
    ask->state = w;
    op->done = on_done;
    op->ctx = w;
    er_store_submit(rt->store, op);
}

static void on_cancel(void *ctx, struct er_ask *ask)
{
    struct wait *w = ask->state;
    (void)ctx;
    w->ask = NULL;
}

int er_kv_serve(errand *rt, struct errand_error *err)
{
    const struct er_service kv = {.name = "kv",
        .permission = "kv",
        .example = "kv = true",
        .start = on_ask,
        .cancel = on_cancel,
        .ctx = rt};
    return er_services_add(rt->tools, &kv, err);
}
