/* The store without memory: opening, every transition, every question. What
 * fails must say so and change nothing, and the file must stay sound. */
#include "oom/oom.h"

#include "support/store_kit.c"

/* Without allocating: listing a folder needs memory. */
static void clean_up(const char *folder, const char *path)
{
    static const char *const ends[] = {
        "", "-wal", "-shm", "-journal", ".lock", ".open"};
    char name[100];
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        snprintf(name, sizeof name, "%s%s", path, ends[i]);
        unlink(name);
    }
    rmdir(folder);
}

/* --- a backend, and every kind of op on it, one batch each */

struct bench {
    struct er_backend b;
    struct errand_error *err;
    int code;
};

/* Do an op (NULL: it could not be made) in a batch of its own, and free it;
 * after the first failure nothing more is done. */
static void apply(struct bench *x, struct er_op *op)
{
    if (x->code == ERRAND_OK && !op)
        x->code = er_nomem(x->err);
    if (x->code == ERRAND_OK)
        x->code = x->b.ops->begin(x->b.self, x->err);
    if (x->code == ERRAND_OK) {
        int code = x->b.ops->apply(x->b.self, op);
        x->code = x->b.ops->commit(x->b.self, x->err);
        if (code != ERRAND_OK) {
            *x->err = op->err;
            x->code = code;
        }
    }
    if (x->code == ERRAND_OK)
        x->code = x->b.ops->flush(x->b.self, x->err);
    er_op_free(op);
}

static const struct er_new_message user = {
    "user", "{\"role\":\"user\",\"content\":\"hello\"}", "hello"};
static const struct er_new_message result = {
    "tool", "{\"role\":\"tool\",\"tool_call_id\":\"c\"}", "a result"};
static const struct er_claim claim = {"run", 1};

static struct er_op *accept_op(const char *conv, const char *run, bool new)
{
    struct er_op *op = er_op_new(ER_OP_ACCEPT);
    if (op)
        op->in.accept = (struct er_accept){.conv_id = conv,
            .new_conversation = new,
            .title = "t",
            .run_id = run,
            .client_key = run,
            .owner = "elsewhere/boot/1/1",
            .lease_ms = 1000,
            .n_messages = 1,
            .messages = &user};
    return op;
}

static struct er_op *step_op(void)
{
    static const struct er_new_call calls[] = {
        {.call_id = "c",
            .tool = "t",
            .arguments = "{}",
            .idem_key = "k1",
            .effect = ERRAND_UNSAFE},
        {.call_id = "d", .tool = "t", .arguments = "{}", .idem_key = "k2"}};
    struct er_op *op = er_op_new(ER_OP_STEP);
    if (op)
        op->in.step = (struct er_model_step){.claim = claim,
            .message = {"assistant", "{\"role\":\"assistant\"}", "calling"},
            .n_calls = 2,
            .calls = calls,
            .attempt.model = "m"};
    return op;
}

static struct er_op *finish_op(void)
{
    struct er_op *op = er_op_new(ER_OP_FINISH);
    if (op)
        op->in.outcome = (struct er_outcome){.claim = claim,
            .call_id = "c",
            .state = ER_CALL_DONE,
            .message = &result,
            .result = "the whole result",
            .result_len = 16};
    return op;
}

/* Those that no run carries. */
static void fill_small(struct er_op *op)
{
    switch (op->kind) {
    case ER_OP_PUT:
        op->in.put.key = "k";
        op->in.put.value = "v";
        break;
    case ER_OP_GRANT:
        op->in.grant.path = "tools/t.lua";
        op->in.grant.version = "0123456789abcdef";
        op->in.grant.permissions = "{}";
        break;
    case ER_OP_RULE:
        op->in.rule.rule = "t(*)";
        break;
    case ER_OP_KV_SET:
    case ER_OP_KV_GET:
    case ER_OP_KV_LIST:
        op->in.kv.tool = "t";
        op->in.kv.key = "k";
        op->in.kv.value = op->kind == ER_OP_KV_SET ? "{\"a\":1}" : NULL;
        break;
    default:
        op->in.tidy.check = true;
        break;
    }
}

/* The kinds that need few words. */
static struct er_op *short_op(enum er_op_kind kind)
{
    static const char *const event[] = {"{}"};
    struct er_op *op = er_op_new(kind);
    if (!op)
        return NULL;
    switch (kind) {
    case ER_OP_BEGIN:
        op->in.call.claim = claim;
        op->in.call.call_id = "c";
        break;
    case ER_OP_ATTEMPT:
        op->in.attempt.claim = claim;
        break;
    case ER_OP_APPEND:
        op->in.append.claim = claim;
        op->in.append.n = 1;
        op->in.append.messages = &user;
        break;
    case ER_OP_EVENTS:
        op->in.events.claim = claim;
        op->in.events.n = 1;
        op->in.events.events = event;
        break;
    case ER_OP_EXTEND:
        op->in.extend.claim = claim;
        break;
    case ER_OP_STOP:
        op->in.stop.claim = claim;
        op->in.stop.state = ER_RUN_PAUSED;
        op->in.stop.error = "why";
        break;
    case ER_OP_READ:
        op->in.read.conv_id = "conv";
        op->in.read.call_id = "c";
        op->in.read.len = 5;
        break;
    case ER_OP_FORK:
        op->in.fork.conv_id = "conv";
        op->in.fork.new_conv_id = "copy";
        op->in.fork.last_seq = -1;
        break;
    case ER_OP_REMOVE:
        op->in.remove.conv_id = "copy";
        break;
    case ER_OP_CLAIM:
        op->in.claim.owner = "elsewhere/boot/1/1";
        op->in.claim.run_id = "next";
        break;
    default:
        fill_small(op);
        break;
    }
    return op;
}

static void every_op(struct bench *x)
{
    static const enum er_op_kind middle[] = {
        ER_OP_ATTEMPT, ER_OP_EVENTS, ER_OP_EXTEND, ER_OP_READ, ER_OP_STOP};
    static const enum er_op_kind last[] = {ER_OP_CLAIM, ER_OP_FORK,
        ER_OP_TIDY, ER_OP_REMOVE, ER_OP_PUT, ER_OP_GRANT, ER_OP_RULE,
        ER_OP_KV_SET, ER_OP_KV_GET, ER_OP_KV_LIST,
        ER_OP_TIDY};
    apply(x, accept_op("conv", "run", true));
    apply(x, step_op());
    apply(x, short_op(ER_OP_BEGIN));
    apply(x, short_op(ER_OP_APPEND));
    apply(x, finish_op());
    for (size_t i = 0; i < sizeof middle / sizeof middle[0]; i++)
        apply(x, short_op(middle[i]));
    apply(x, accept_op("conv", "next", false)); /* closes call d */
    for (size_t i = 0; i < sizeof last / sizeof last[0]; i++)
        apply(x, short_op(last[i]));
}

static int case_backend(struct errand_error *err)
{
    struct bench x = {.err = err};
    char folder[64], path[80];
    kit_folder_make(folder);
    snprintf(path, sizeof path, "%s/e.db", folder);
    x.code = er_sqlite_open(path, NULL, NULL, &x.b, err);
    if (x.code == ERRAND_OK) {
        every_op(&x);
        x.b.ops->close(x.b.self);
    }
    clean_up(folder, path);
    return x.code;
}

/* --- the queue and its questions */

static int ask(json_t *answer, int code)
{
    bool got = answer != NULL;
    json_decref(answer);
    return got ? ERRAND_OK : code;
}

static int ask_all(er_store *s, struct errand_error *err)
{
    char id[ER_ID_SIZE];
    int code = ask(er_store_list(s, 9, NULL, NULL, err), err->code);
    if (code == ERRAND_OK)
        code = ask(er_store_show(s, "conv", err), err->code);
    if (code == ERRAND_OK)
        code = ask(er_store_search(s, "hello", 9, err), err->code);
    if (code == ERRAND_OK)
        code = ask(er_store_resumable(s, err), err->code);
    if (code == ERRAND_OK)
        code = ask(er_store_events(s, "run", 0, 9, err), err->code);
    if (code == ERRAND_OK)
        code = ask(er_store_health(s, true, err), err->code);
    if (code == ERRAND_OK)
        code = er_store_find(s, "run", "ru", id, err);
    if (code == ERRAND_OK)
        free(er_store_get(s, "k", err));
    return code == ERRAND_OK ? err->code : code;
}

static int call(er_store *s, struct er_op *op, struct errand_error *err)
{
    if (!op)
        return er_nomem(err);
    int code = er_store_call(s, op);
    if (code != ERRAND_OK)
        *err = op->err;
    er_op_free(op);
    return code;
}

static int case_store(struct errand_error *err)
{
    char folder[64], path[80];
    kit_folder_make(folder);
    snprintf(path, sizeof path, "%s/e.db", folder);
    struct er_loop *loop = er_loop_new(err);
    struct er_store_options opt = {.path = path};
    er_store *s = loop ? er_store_open(loop, &opt, err) : NULL;
    int code = s ? call(s, accept_op("conv", "run", true), err) : err->code;
    if (code == ERRAND_OK)
        code = call(s, step_op(), err);
    if (code == ERRAND_OK)
        code = call(s, short_op(ER_OP_EVENTS), err);
    if (code == ERRAND_OK)
        code = ask_all(s, err);
    er_store_close(s);
    er_loop_free(loop);
    clean_up(folder, path);
    return code;
}

int main(void)
{
    if (access("/dev/shm", W_OK) == 0) /* thousands of flushes */
        setenv("TMPDIR", "/dev/shm", 1);
    static const int store_codes[] = {ERRAND_NOMEM, ERRAND_IO, 0};
    static const struct oom_case cases[] = {
        {"backend", case_backend, NULL},
        {"store", case_store, store_codes},
    };
    return oom_main(cases, sizeof cases / sizeof cases[0]);
}
