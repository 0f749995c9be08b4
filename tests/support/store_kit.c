/* See store_kit.h. Included by the tests that use it, because each test is
 * one program from one file. */
#include "support/store_kit.h"

#include "base/json.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void kit_folder_make(char out[64])
{
    const char *tmp = getenv("TMPDIR");
    if (!tmp || strlen(tmp) > 40)
        tmp = "/tmp";
    snprintf(out, 64, "%s/errand-XXXXXX", tmp);
    if (!mkdtemp(out))
        perror(out);
}

void kit_folder_remove(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *e;
    while (dir && (e = readdir(dir))) {
        char name[400];
        snprintf(name, sizeof name, "%s/%s", path, e->d_name);
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
            unlink(name) != 0)
            kit_folder_remove(name);
    }
    if (dir)
        closedir(dir);
    rmdir(path);
}

int kit_call(er_store *s, struct er_op *op, struct errand_error *err)
{
    int code = er_store_call(s, op);
    if (err)
        *err = op->err;
    er_op_free(op);
    return code;
}

const char *kit_message(
    struct er_op *op, const char *role, const char *text)
{
    json_t *m = json_pack("{s:s,s:s}", "role", role, "content", text);
    char *json = er_json_text(m);
    const char *copy = er_arena_str(&op->arena, json);
    free(json);
    json_decref(m);
    return copy;
}

int kit_accept_full(er_store *s, const char *conv, const char *text,
    const char *key, const char *owner, int64_t lease_ms, bool *existed,
    struct kit_run *out)
{
    struct er_op *op = er_op_new(ER_OP_ACCEPT);
    char run_id[ER_ID_SIZE];
    memset(out, 0, sizeof *out);
    er_id_new(run_id);
    if (conv)
        snprintf(out->conv, ER_ID_SIZE, "%s", conv);
    else
        er_id_new(out->conv);
    struct er_new_message m = {"user", kit_message(op, "user", text), text};
    op->in.accept = (struct er_accept){.conv_id = out->conv,
        .new_conversation = conv == NULL,
        .title = "a title",
        .run_id = run_id,
        .client_key = key,
        .settings = "{\"model\":\"replay:x\"}",
        .owner = owner,
        .lease_ms = lease_ms,
        .n_messages = 1,
        .messages = &m};
    int code = er_store_call(s, op);
    out->claim = op->out.run.claim;
    out->seq = op->out.seq;
    if (code == ERRAND_OK)
        snprintf(out->conv, ER_ID_SIZE, "%s", op->out.run.conv_id);
    if (existed)
        *existed = op->out.existed;
    er_op_free(op);
    return code;
}

int kit_accept(er_store *s, const char *text, struct kit_run *out)
{
    char owner[128];
    er_owner_self(owner);
    return kit_accept_full(s, NULL, text, NULL, owner, 60000, NULL, out);
}

struct er_op *kit_step_op(
    const struct kit_run *r, const char *prefix, int n, int effect)
{
    struct er_op *op = er_op_new(ER_OP_STEP);
    struct er_new_call *calls =
        er_arena_alloc(&op->arena, (size_t)(n + 1) * sizeof *calls);
    for (int i = 0; i < n; i++) {
        char id[64];
        snprintf(id, sizeof id, "%s%d", prefix, i);
        calls[i] = (struct er_new_call){
            .call_id = er_arena_str(&op->arena, id),
            .tool = "tool",
            .arguments = "{\"a\":1}",
            .effect = effect,
            .idem_key = "0123456789abcdef0123456789abcdef",
            .state = ER_CALL_PLANNED};
    }
    const char *text = n ? "calling" : "the answer";
    op->in.step = (struct er_model_step){.claim = r->claim,
        .message = {"assistant", kit_message(op, "assistant", text), text},
        .n_calls = (size_t)n,
        .calls = calls,
        .attempt = {.model = "replay:x",
            .started_ms = 1,
            .ended_ms = 2,
            .prompt_tokens = 10,
            .completion_tokens = 5,
            .cost_micros = 3},
        .done = n == 0,
        .answer = n ? NULL : text};
    return op;
}

int kit_step(er_store *s, const struct kit_run *r, const char *prefix,
    int n, int effect, int64_t *seq)
{
    struct er_op *op = kit_step_op(r, prefix, n, effect);
    int code = er_store_call(s, op);
    if (seq)
        *seq = op->out.seq;
    er_op_free(op);
    return code;
}

int kit_begin(er_store *s, const struct kit_run *r, const char *call)
{
    struct er_op *op = er_op_new(ER_OP_BEGIN);
    op->in.call.claim = r->claim;
    op->in.call.call_id = call;
    return kit_call(s, op, NULL);
}

struct er_op *kit_finish_op(const struct kit_run *r, const char *call,
    int state, const char *text)
{
    struct er_op *op = er_op_new(ER_OP_FINISH);
    struct er_new_message *m = er_arena_alloc(&op->arena, sizeof *m);
    json_t *json = json_pack("{s:s,s:s,s:s,s:s}", "role", "tool",
        "tool_call_id", call, "name", "tool", "content", text ? text : "");
    char *whole = er_json_text(json);
    *m = (struct er_new_message){
        "tool", er_arena_str(&op->arena, whole), text};
    free(whole);
    json_decref(json);
    op->in.outcome = (struct er_outcome){.claim = r->claim,
        .call_id = er_arena_str(&op->arena, call),
        .state = state,
        .message = text ? m : NULL};
    return op;
}

int kit_finish(er_store *s, const struct kit_run *r, const char *call,
    int state, const char *text, int64_t *open)
{
    struct er_op *op = kit_finish_op(r, call, state, text);
    int code = er_store_call(s, op);
    if (open)
        *open = op->out.open_calls;
    er_op_free(op);
    return code;
}

int kit_stop(er_store *s, const struct kit_run *r, int state)
{
    struct er_op *op = er_op_new(ER_OP_STOP);
    op->in.stop = (struct er_stop){.claim = r->claim,
        .state = state,
        .reason = "budget",
        .code = ERRAND_PAUSED,
        .error = "the budget is used up"};
    return kit_call(s, op, NULL);
}

struct er_op *kit_claim(er_store *s, const char *run_id, const char *owner,
    int64_t lease_ms, bool force)
{
    struct er_op *op = er_op_new(ER_OP_CLAIM);
    op->in.claim = (struct er_claim_request){.run_id = run_id,
        .owner = owner,
        .lease_ms = lease_ms,
        .force = force};
    er_store_call(s, op);
    return op;
}
