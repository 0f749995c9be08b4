/* T2 and T3, one call's life, and a person's word about it. */
#include "base/clock.h"
#include "store/sqlite_db.h"

struct call {
    int64_t no, result_seq, attempt;
    int state, effect;
};

static void fill_call(struct call *c, sqlite3_stmt *row, int column)
{
    *c = (struct call){
        .no = sqlite3_column_int64(row, column),
        .state = er_call_state_of(er_col_text(row, column + 1)),
        .effect = sqlite3_column_int(row, column + 2),
        .result_seq = sqlite3_column_int64(row, column + 3),
        .attempt = sqlite3_column_int64(row, column + 4),
    };
}

static int find_call(struct er_sqlite *db, const char *id, struct call *out,
    struct errand_error *err)
{
    sqlite3_stmt *row = NULL;
    int code = er_sql_first(&db->sql, ER_Q_CALL,
        "SELECT no, state, effect, result_seq, attempt FROM tool_calls"
        " WHERE id=?1",
        ER_VALS(er_text(id)), &row, err);
    if (code != ERRAND_OK)
        return code;
    if (!row)
        return er_fail(
            err, ERRAND_NOT_FOUND, "there is no call %.60s", id);
    fill_call(out, row, 0);
    er_sql_end(row);
    return out->state < 0 ? er_nomem(err) : ERRAND_OK;
}

/* A claimed run and a call that must be one of its own, in one look. */
static int find_both(struct er_sqlite *db, const struct er_claim *claim,
    const char *call_id, struct er_hot *run, struct call *call,
    struct errand_error *err)
{
    sqlite3_stmt *row = NULL;
    int code = er_sql_first(&db->sql, ER_Q_CALL_OF_RUN,
        "SELECT " ER_HOT_COLUMNS ", k.no, k.state, k.effect, k.result_seq,"
        " k.attempt FROM runs r LEFT JOIN tool_calls k ON k.id=?2"
        " WHERE r.id=?1",
        ER_VALS(er_text(claim->run_id), er_text(call_id)), &row, err);
    if (code == ERRAND_OK)
        code = er_sqlite_hot_row(row, claim, run, err);
    if (code == ERRAND_OK)
        fill_call(call, row, ER_HOT_COUNT);
    if (row)
        er_sql_end(row);
    if (code == ERRAND_OK && call->no >> ER_PLACE_BITS != run->no)
        code = er_fail(err, ERRAND_NOT_FOUND,
            "run %.40s has no call %.60s", claim->run_id, call_id);
    if (code == ERRAND_OK && call->state < 0)
        code = er_nomem(err);
    return code;
}

static int no_arrow(const char *call_id, int from, int to,
    struct errand_error *err)
{
    return er_fail(err, ERRAND_STATE, "call %.60s is %s and cannot be %s",
        call_id, er_call_state_name(from), er_call_state_name(to));
}

int er_sqlite_begin_call(struct er_sqlite *db, struct er_op *op)
{
    struct er_hot run;
    struct call call;
    const char *id = op->in.call.call_id;
    int code =
        find_both(db, &op->in.call.claim, id, &run, &call, &op->err);
    if (code != ERRAND_OK)
        return code;
    if (run.state != ER_RUN_TOOLS)
        return er_fail(&op->err, ERRAND_STATE, "run %.40s is %s",
            op->in.call.claim.run_id, er_run_state_name(run.state));
    if (call.state != ER_CALL_PLANNED)
        return no_arrow(id, call.state, ER_CALL_RUNNING, &op->err);
    op->out.attempt = call.attempt + 1;
    return er_sql_run(&db->sql, ER_Q_CALL_BEGIN,
        "UPDATE tool_calls SET state='running', attempt=?2, begun_ms=?3"
        " WHERE no=?1",
        ER_VALS(er_int(call.no), er_int(call.attempt + 1),
            er_int(er_now_ms())),
        &op->err);
}

/* How a call goes on, by an executor or by a person. */
struct change {
    const char *call_id;
    int state;
    const struct er_new_message *message;
    const char *result;
    size_t result_len;
    const char *error;
    const struct er_approval_note *asked; /* or NULL */
    const char *decision;
};

static int check_message(const struct change *to, struct errand_error *err)
{
    bool closed = er_call_is_closed(to->state);
    if (closed == (to->message != NULL))
        return ERRAND_OK;
    return er_fail(err, ERRAND_USAGE, "a call that is %s %s a tool message",
        er_call_state_name(to->state), closed ? "needs" : "takes no");
}

static int change_call(struct er_sqlite *db, const struct er_hot *run,
    const struct call *call, const struct change *to,
    struct errand_error *err)
{
    int code = er_sql_run(&db->sql, ER_Q_CALL_FINISH,
        "UPDATE tool_calls SET state=?2, ended_ms=?3, error=?4 WHERE no=?1",
        ER_VALS(er_int(call->no), er_text(er_call_state_name(to->state)),
            er_int(er_now_ms()), er_text(to->error)),
        err);
    if (code == ERRAND_OK && to->message)
        code = er_sqlite_message(db, run->conv, run->no, call->result_seq,
            to->message, err);
    if (code == ERRAND_OK && to->message && to->result)
        code = er_sql_run(&db->sql, ER_Q_RESULT_INSERT,
            "INSERT INTO results(conv,call,body) VALUES(?1,?2,?3)",
            ER_VALS(er_int(run->conv), er_text(to->call_id),
                er_blob(to->result, to->result_len)),
            err);
    if (code == ERRAND_OK && to->state == ER_CALL_WAITING)
        code = er_sqlite_ask(db, call->no, to->asked, err);
    if (code == ERRAND_OK && call->state == ER_CALL_WAITING)
        code = er_sqlite_decide(db, call->no, to->decision, err);
    return code;
}

/* The run, when one of its calls has closed. */
static int close_one(struct er_sqlite *db, const struct er_hot *run,
    int64_t *open, struct errand_error *err)
{
    *open = run->open_calls - 1;
    bool live = run->state == ER_RUN_TOOLS;
    const char *state = er_run_state_name(
        live && *open == 0 ? ER_RUN_READY : run->state);
    if (live)
        return er_sql_run(&db->sql, ER_Q_RUN_FINISH,
            "UPDATE runs SET open_calls=?2, state=?3, updated_ms=?4"
            " WHERE no=?1",
            ER_VALS(er_int(run->no), er_int(*open), er_text(state),
                er_int(er_now_ms())),
            err);
    return er_sql_run(&db->sql, ER_Q_RUN_FINISH_STOPPED,
        "UPDATE runs SET open_calls=?2, todo=todo|2, updated_ms=?3"
        " WHERE no=?1",
        ER_VALS(er_int(run->no), er_int(*open), er_int(er_now_ms())), err);
}

static int change_both(struct er_sqlite *db, const struct er_hot *run,
    const struct call *call, const struct change *to, int64_t *open,
    struct errand_error *err)
{
    int code = check_message(to, err);
    if (code == ERRAND_OK)
        code = change_call(db, run, call, to, err);
    *open = run->open_calls;
    if (code == ERRAND_OK && to->message)
        code = close_one(db, run, open, err);
    return code;
}

/* A paused or failed run takes outcomes too, as long as nobody claimed it
 * since: what came back late is not lost. */
int er_sqlite_finish(struct er_sqlite *db, struct er_op *op)
{
    const struct er_outcome *in = &op->in.outcome;
    struct er_hot run;
    struct call call;
    int code =
        find_both(db, &in->claim, in->call_id, &run, &call, &op->err);
    if (code != ERRAND_OK)
        return code;
    if (!er_call_may_finish(call.state, in->state, call.effect))
        return no_arrow(in->call_id, call.state, in->state, &op->err);
    struct change to = {in->call_id, in->state, in->message, in->result,
        in->result_len, in->error, &in->asked, in->decision};
    return change_both(
        db, &run, &call, &to, &op->out.open_calls, &op->err);
}

static int run_of(struct er_sqlite *db, int64_t no, struct er_hot *out,
    struct errand_error *err)
{
    sqlite3_stmt *row = NULL;
    int code = er_sql_first(&db->sql, ER_Q_RUN_BY_NO,
        "SELECT conv, state, open_calls FROM runs WHERE no=?1",
        ER_VALS(er_int(no)), &row, err);
    if (code != ERRAND_OK)
        return code;
    if (!row)
        return er_fail(err, ERRAND_STORE, "a call without its run");
    *out = (struct er_hot){
        .no = no,
        .conv = sqlite3_column_int64(row, 0),
        .state = er_run_state_of(er_col_text(row, 1)),
        .open_calls = sqlite3_column_int64(row, 2),
    };
    er_sql_end(row);
    return out->state < 0 ? er_nomem(err) : ERRAND_OK;
}

int er_sqlite_resolve(struct er_sqlite *db, struct er_op *op)
{
    const char *id = op->in.resolve.call_id;
    int state = op->in.resolve.state;
    struct er_hot run;
    struct call call;
    int code = find_call(db, id, &call, &op->err);
    if (code == ERRAND_OK)
        code = run_of(db, call.no >> ER_PLACE_BITS, &run, &op->err);
    if (code != ERRAND_OK)
        return code;
    if (!er_call_may_resolve(call.state, state))
        return no_arrow(id, call.state, state, &op->err);
    struct change to = {
        .call_id = id, .state = state, .message = op->in.resolve.message,
        .decision = op->in.resolve.decision};
    return change_both(
        db, &run, &call, &to, &op->out.open_calls, &op->err);
}
