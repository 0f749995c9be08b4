/* errand_log_*: the store, for people. */
#include "agent/history.h"
#include "agent/runtime.h"
#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

/* JSON text for the caller; drops the value. */
static int answer(json_t *v, char **json, struct errand_error *err)
{
    if (!v)
        return err->code;
    *json = er_json_text(v);
    json_decref(v);
    return *json ? ERRAND_OK : er_nomem(err);
}

/* Options as an object (new reference); an unknown key is an error. */
static json_t *read_options(const char *text, const char *const *known,
    struct errand_error *err)
{
    const char *key;
    json_t *v;
    json_t *o = text
        ? er_json_parse(text, strlen(text), ER_JSON_STRICT, err)
        : json_object();
    if (o && !json_is_object(o)) {
        er_fail(err, ERRAND_USAGE, "options must be a JSON object");
        json_decref(o);
        return NULL;
    }
    json_object_foreach(o, key, v)
    {
        size_t i = 0;
        while (known[i] && strcmp(known[i], key) != 0)
            i++;
        if (!known[i]) {
            er_fail(err, ERRAND_USAGE, "unknown option \"%.40s\"", key);
            json_decref(o);
            return NULL;
        }
    }
    return o;
}

int errand_log_list(
    errand *rt, const char *options, char **json, struct errand_error *err)
{
    static const char *const known[] = {
        "limit", "state", "conversation", NULL};
    struct errand_error mine = {0};
    err = err ? err : &mine;
    json_t *o = read_options(options, known, err), *rows = NULL;
    char conv[ER_ID_SIZE] = "";
    if (!o)
        return err->code;
    const char *prefix = er_json_str(o, "conversation");
    if (!prefix || er_store_find(rt->store, "conversation", prefix, conv,
                       err) == ERRAND_OK)
        rows = er_store_list(rt->store, er_json_int(o, "limit", 20),
            er_json_str(o, "state"), prefix ? conv : NULL, err);
    json_decref(o);
    return answer(rows, json, err);
}

int errand_log_resumable(
    errand *rt, char **json, struct errand_error *err)
{
    struct errand_error mine = {0};
    err = err ? err : &mine;
    return answer(er_store_resumable(rt->store, err), json, err);
}

/* The conversation that an id of a conversation or a run means. */
static int find_conversation(errand *rt, const char *id,
    char conv[ER_ID_SIZE], struct errand_error *err)
{
    char run[ER_ID_SIZE];
    int rc = er_store_find(rt->store, "conversation", id, conv, err);
    if (rc != ERRAND_NOT_FOUND)
        return rc;
    rc = er_store_find(rt->store, "run", id, run, err);
    if (rc != ERRAND_OK)
        return rc == ERRAND_NOT_FOUND
            ? er_fail(err, rc, "there is no conversation or run \"%.40s\"; "
                  "`errand log list` shows them", id)
            : rc;
    return er_store_conversation_of(rt->store, run, conv, err);
}

int errand_log_show(
    errand *rt, const char *id, char **json, struct errand_error *err)
{
    struct errand_error mine = {0};
    char conv[ER_ID_SIZE];
    err = err ? err : &mine;
    int rc = find_conversation(rt, id, conv, err);
    return rc == ERRAND_OK
        ? answer(er_store_show(rt->store, conv, err), json, err) : rc;
}

int errand_log_search(errand *rt, const char *query, const char *options,
    char **json, struct errand_error *err)
{
    static const char *const known[] = {"limit", NULL};
    struct errand_error mine = {0};
    err = err ? err : &mine;
    json_t *o = read_options(options, known, err);
    if (!o)
        return err->code;
    json_t *hits = er_store_search(
        rt->store, query, er_json_int(o, "limit", 20), err);
    json_decref(o);
    return answer(hits, json, err);
}

static int call_op(errand *rt, struct er_op *op, struct errand_error *err)
{
    int rc = er_store_call(rt->store, op);
    if (rc != ERRAND_OK)
        *err = op->err;
    return rc;
}

int errand_log_fork(errand *rt, const char *id, int64_t seq, char **json,
    struct errand_error *err)
{
    struct errand_error mine = {0};
    char conv[ER_ID_SIZE], copy[ER_ID_SIZE];
    err = err ? err : &mine;
    int rc = find_conversation(rt, id, conv, err);
    struct er_op *op = rc == ERRAND_OK ? er_op_new(ER_OP_FORK) : NULL;
    if (rc != ERRAND_OK)
        return rc;
    if (!op)
        return er_nomem(err);
    er_id_new(copy);
    op->in.fork.conv_id = conv;
    op->in.fork.new_conv_id = copy;
    op->in.fork.last_seq = seq;
    rc = call_op(rt, op, err);
    er_op_free(op);
    return rc == ERRAND_OK
        ? answer(json_pack("{s:s}", "conversation", copy), json, err) : rc;
}

int errand_log_remove(errand *rt, const char *id, struct errand_error *err)
{
    struct errand_error mine = {0};
    char conv[ER_ID_SIZE];
    err = err ? err : &mine;
    int rc = find_conversation(rt, id, conv, err);
    if (rc != ERRAND_OK)
        return rc;
    struct er_op *op = er_op_new(ER_OP_REMOVE);
    if (!op)
        return er_nomem(err);
    op->in.remove.conv_id = conv;
    rc = call_op(rt, op, err);
    er_op_free(op);
    return rc;
}

/* The tool message that a person's word becomes. */
static struct er_new_message *resolved_message(errand *rt, struct er_op *op,
    const char *call, const char *text, struct errand_error *err)
{
    char tool[65] = "";
    if (er_store_tool_of(rt->store, call, tool, err) != ERRAND_OK)
        return NULL;
    if (!text)
        text = "{\"status\":\"done\",\"note\":\"a person confirmed that it "
               "took effect\"}";
    json_t *m = er_message_result(call, tool, text, strlen(text));
    char *content = m ? er_json_text(m) : NULL;
    struct er_new_message *row = er_arena_alloc(&op->arena, sizeof *row);
    json_decref(m);
    if (!content || !row) {
        er_nomem(err);
        free(content);
        return NULL;
    }
    *row = (struct er_new_message){.role = "tool",
        .content = er_arena_str(&op->arena, content),
        .text = er_arena_str(&op->arena, text)};
    free(content);
    return row;
}

/* What a person's word makes of a call. */
struct verdict {
    const char *outcome;
    int from, to;
    const char *decision;
};

static const struct verdict verdicts[] = {
    {"done", ER_CALL_UNKNOWN, ER_CALL_DONE, NULL},
    {"not-done", ER_CALL_UNKNOWN, ER_CALL_PLANNED, NULL},
    {"approve", ER_CALL_WAITING, ER_CALL_PLANNED, "once"},
    {"refuse", ER_CALL_WAITING, ER_CALL_DENIED, "no"},
};

static const struct verdict *find_verdict(
    const char *outcome, struct errand_error *err)
{
    for (size_t i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++)
        if (strcmp(outcome, verdicts[i].outcome) == 0)
            return &verdicts[i];
    er_fail(err, ERRAND_USAGE, "the outcome is \"%.40s\"; it must be done, "
        "not-done, approve or refuse", outcome);
    return NULL;
}

/* An approval is no answer to an unknown outcome, nor the other way round. */
static int check_state(errand *rt, const char *call,
    const struct verdict *v, struct errand_error *err)
{
    int state = 0;
    int rc = er_store_state_of(rt->store, call, &state, err);
    if (rc != ERRAND_OK || state == v->from)
        return rc;
    return er_fail(err, ERRAND_STATE,
        "call %.40s is %s; --%s is for one that is %s", call,
        er_call_state_name(state), v->outcome, er_call_state_name(v->from));
}

static const char *text_for(
    const struct verdict *v, const char *text, struct er_buf *made)
{
    if (v->to != ER_CALL_DENIED)
        return text;
    er_buf_adds(made, "error: a person refused this call; it was not run.");
    if (text)
        er_buf_addf(made, " The reason: %s", text);
    return er_buf_str(made);
}

int errand_log_resolve(errand *rt, const char *call_id, const char *outcome,
    const char *text, struct errand_error *err)
{
    struct errand_error mine = {0};
    char call[ER_ID_SIZE];
    err = err ? err : &mine;
    const struct verdict *v = find_verdict(outcome, err);
    int rc = v ? er_store_find(rt->store, "call", call_id, call, err)
               : err->code;
    if (rc == ERRAND_OK)
        rc = check_state(rt, call, v, err);
    if (rc != ERRAND_OK)
        return rc;
    struct er_op *op = er_op_new(ER_OP_RESOLVE);
    if (!op)
        return er_nomem(err);
    struct er_buf made;
    er_buf_init(&made, 1024 * 1024);
    bool closed = v->to != ER_CALL_PLANNED;
    op->in.resolve.call_id = call;
    op->in.resolve.state = v->to;
    op->in.resolve.decision = v->decision;
    if (closed)
        op->in.resolve.message = resolved_message(
            rt, op, call, text_for(v, text, &made), err);
    rc = closed && !op->in.resolve.message ? err->code
                                           : call_op(rt, op, err);
    er_op_free(op);
    er_buf_release(&made);
    return rc;
}
