/* T0: a request becomes messages and a run, before anybody hears of it. */
#include "base/clock.h"
#include "base/json.h"
#include "store/sqlite_db.h"
#include "store/sqlite_load.h"

#include <stdlib.h>
#include <string.h>

/* The run that a known client key stands for. */
static int known_key(struct er_sqlite *db, struct er_op *op, bool *known)
{
    sqlite3_stmt *row = NULL;
    const char *key = op->in.accept.client_key;
    *known = false;
    if (!key)
        return ERRAND_OK;
    int code = er_sql_first(&db->sql, ER_Q_RUN_BY_KEY,
        "SELECT id FROM runs WHERE client_key=?1", ER_VALS(er_text(key)),
        &row, &op->err);
    if (code != ERRAND_OK || !row)
        return code;
    *known = op->out.existed = true;
    const char *id = er_arena_str(&op->arena, er_col_text(row, 0));
    er_sql_end(row);
    if (!id)
        return er_nomem(&op->err);
    code = er_sqlite_run_row(db, id, &op->arena, &op->out.run, &op->err);
    op->out.seq = op->out.run.first_seq;
    return code;
}

static int conv_no(struct er_sqlite *db, const char *id, int64_t *no,
    struct errand_error *err)
{
    sqlite3_stmt *row = NULL;
    int code = er_sql_first(&db->sql, ER_Q_CONV,
        "SELECT no FROM conversations WHERE id=?1", ER_VALS(er_text(id)),
        &row, err);
    *no = 0;
    if (code == ERRAND_OK && row) {
        *no = sqlite3_column_int64(row, 0);
        er_sql_end(row);
    }
    return code;
}

static int new_conversation(struct er_sqlite *db,
    const struct er_accept *in, int64_t *no, struct errand_error *err)
{
    int code = er_sql_run(&db->sql, ER_Q_CONV_INSERT,
        "INSERT INTO conversations(id,title,created_ms) VALUES(?1,?2,?3)",
        ER_VALS(er_text(in->conv_id), er_text(in->title),
            er_int(er_now_ms())),
        err);
    *no = sqlite3_last_insert_rowid(db->sql.db);
    return code;
}

/* What a call is told that nobody will finish any more. */
static char *interrupted_message(const char *id, const char *tool, bool ran)
{
    json_t *m = json_pack("{s:s,s:s,s:s,s:s}", "role", "tool",
        "tool_call_id", id, "name", tool, "content",
        ran ? "{\"status\":\"unknown\",\"note\":\"interrupted; may have "
              "taken effect; verify before repeating\"}"
            : "{\"status\":\"interrupted\",\"note\":\"it was not run\"}");
    char *text = m ? er_json_text(m) : NULL;
    json_decref(m);
    return text;
}

struct open_call {
    int64_t no, seq;
    bool ran;
    const char *message;
};

static int close_call(struct er_sqlite *db, int64_t conv, int64_t run,
    const struct open_call *c, struct errand_error *err)
{
    struct er_new_message m = {"tool", c->message, NULL};
    int code = er_sqlite_message(db, conv, run, c->seq, &m, err);
    if (code != ERRAND_OK)
        return code;
    return er_sql_run(&db->sql, ER_Q_CALL_FINISH,
        "UPDATE tool_calls SET state=?2, ended_ms=?3, error=?4 WHERE no=?1",
        ER_VALS(er_int(c->no), er_text("failed"), er_int(er_now_ms()),
            er_text(c->ran ? "interrupted; may have taken effect"
                           : "interrupted before it ran")),
        err);
}

/* The first open call of run from the one numbered so on; no 0: none. */
static int next_open(struct er_sqlite *db, int64_t run, int64_t from,
    struct er_arena *arena, struct open_call *out, struct errand_error *err)
{
    sqlite3_stmt *row = NULL;
    int code = er_sql_first(&db->sql, ER_Q_CALLS_OPEN,
        "SELECT no, result_seq, id, tool, state FROM tool_calls WHERE"
        " no BETWEEN ?1 AND ?2 AND state IN"
        " ('planned','waiting_approval','running','unknown') LIMIT 1",
        ER_VALS(er_int(from), er_int(er_key(run, ER_PLACE_MAX))), &row, err);
    out->no = 0;
    if (code != ERRAND_OK || !row)
        return code;
    int state = er_call_state_of(er_col_text(row, 4));
    out->no = sqlite3_column_int64(row, 0);
    out->seq = sqlite3_column_int64(row, 1);
    out->ran = state == ER_CALL_RUNNING || state == ER_CALL_UNKNOWN;
    char *text = interrupted_message(
        er_col_text(row, 2), er_col_text(row, 3), out->ran);
    out->message = er_arena_str(arena, text);
    free(text);
    er_sql_end(row);
    return out->message && state >= 0 ? ERRAND_OK : er_nomem(err);
}

/* The conversation goes on without its last run: each call of it that is
 * open gets an answer, so that providers accept the history, and the run's
 * epoch rises, so that nobody goes on with it. */
static int supersede(struct er_sqlite *db, int64_t conv, int64_t run,
    struct er_op *op)
{
    struct open_call c = {0};
    int code =
        next_open(db, run, er_key(run, 0), &op->arena, &c, &op->err);
    while (code == ERRAND_OK && c.no != 0) {
        code = close_call(db, conv, run, &c, &op->err);
        if (code == ERRAND_OK)
            code = next_open(
                db, run, c.no + 1, &op->arena, &c, &op->err);
    }
    if (code != ERRAND_OK)
        return code;
    return er_sql_run(&db->sql, ER_Q_RUN_SUPERSEDE,
        "UPDATE runs SET epoch=epoch+1, open_calls=0, todo=todo|2"
        " WHERE no=?1",
        ER_VALS(er_int(run)), &op->err);
}

static int leave_last_run(struct er_sqlite *db, int64_t conv,
    struct er_op *op)
{
    sqlite3_stmt *row = NULL;
    int code = er_sql_first(&db->sql, ER_Q_RUN_LAST,
        "SELECT no, state, id FROM runs WHERE conv=?1"
        " ORDER BY no DESC LIMIT 1",
        ER_VALS(er_int(conv)), &row, &op->err);
    if (code != ERRAND_OK || !row)
        return code;
    int64_t no = sqlite3_column_int64(row, 0);
    int state = er_run_state_of(er_col_text(row, 1));
    if (state < 0)
        code = er_nomem(&op->err);
    else if (er_run_is_live(state))
        code = er_fail(&op->err, ERRAND_BUSY,
            "run %.40s of this conversation is not finished; wait for it, "
            "or go on with errand resume %.40s",
            er_col_text(row, 2), er_col_text(row, 2));
    er_sql_end(row);
    if (code != ERRAND_OK || state == ER_RUN_DONE)
        return code;
    return supersede(db, conv, no, op);
}

static int next_seq(struct er_sqlite *db, int64_t conv, int64_t *out,
    struct errand_error *err)
{
    sqlite3_stmt *row = NULL;
    int code = er_sql_first(&db->sql, ER_Q_MESSAGE_MAX,
        "SELECT max(id) FROM messages WHERE id BETWEEN ?1 AND ?2",
        ER_VALS(er_int(er_key(conv, 0)), er_int(er_key(conv, ER_PLACE_MAX))),
        &row, err);
    *out = ER_FIRST_SEQ;
    if (code != ERRAND_OK || !row)
        return code;
    if (sqlite3_column_type(row, 0) != SQLITE_NULL)
        *out = (sqlite3_column_int64(row, 0) & ER_PLACE_MAX) + 1;
    er_sql_end(row);
    return ERRAND_OK;
}

static int find_conversation(struct er_sqlite *db, struct er_op *op,
    int64_t *conv, int64_t *seq)
{
    const struct er_accept *in = &op->in.accept;
    int code = conv_no(db, in->conv_id, conv, &op->err);
    *seq = ER_FIRST_SEQ;
    if (code != ERRAND_OK)
        return code;
    if (in->new_conversation && *conv != 0)
        return er_fail(&op->err, ERRAND_EXISTS,
            "there is a conversation %.40s already", in->conv_id);
    if (in->new_conversation)
        return new_conversation(db, in, conv, &op->err);
    if (*conv == 0)
        return er_fail(&op->err, ERRAND_NOT_FOUND,
            "there is no conversation %.40s; errand log list shows those "
            "there are",
            in->conv_id);
    code = leave_last_run(db, *conv, op);
    if (code == ERRAND_OK)
        code = next_seq(db, *conv, seq, &op->err);
    return code;
}

static int add_run(struct er_sqlite *db, struct er_op *op, int64_t conv,
    int64_t seq, int64_t *no)
{
    const struct er_accept *in = &op->in.accept;
    int64_t now = er_now_ms();
    int code = er_sql_run(&db->sql, ER_Q_RUN_INSERT,
        "INSERT INTO runs(id,conv,state,todo,owner,epoch,lease_until,"
        " first_seq,next_seq,created_ms,updated_ms,client_key)"
        " VALUES(?1,?2,'ready',3,?3,1,?4,?5,?6,?7,?7,?8)",
        ER_VALS(er_text(in->run_id), er_int(conv), er_text(in->owner),
            er_int(now + in->lease_ms), er_int(seq),
            er_int(seq + (int64_t)in->n_messages), er_int(now),
            er_text(in->client_key)),
        &op->err);
    *no = sqlite3_last_insert_rowid(db->sql.db);
    if (code != ERRAND_OK)
        return code;
    return er_sql_run(&db->sql, ER_Q_RUN_TEXTS_INSERT,
        "INSERT INTO run_texts(run,settings) VALUES(?1,?2)",
        ER_VALS(er_int(*no), er_text(in->settings ? in->settings : "{}")),
        &op->err);
}

int er_sqlite_accept(struct er_sqlite *db, struct er_op *op)
{
    const struct er_accept *in = &op->in.accept;
    bool known;
    int64_t conv = 0, seq = 0, run = 0;
    int code = known_key(db, op, &known);
    if (code != ERRAND_OK || known)
        return code;
    code = find_conversation(db, op, &conv, &seq);
    if (code == ERRAND_OK)
        code = er_sqlite_room(seq, in->n_messages, &op->err);
    if (code == ERRAND_OK)
        code = add_run(db, op, conv, seq, &run);
    if (code == ERRAND_OK)
        code = er_sqlite_adopt(db, run, in, &op->err);
    for (size_t i = 0; i < in->n_messages && code == ERRAND_OK; i++)
        code = er_sqlite_message(db, conv, run, seq + (int64_t)i,
            &in->messages[i], &op->err);
    if (code == ERRAND_OK)
        code = er_sqlite_run_row(
            db, in->run_id, &op->arena, &op->out.run, &op->err);
    op->out.seq = seq;
    return code;
}
