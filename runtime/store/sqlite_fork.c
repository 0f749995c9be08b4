/* Whole conversations: copying the beginning of one, removing one. */
#include "base/clock.h"
#include "store/sqlite_db.h"

static int find(struct er_sqlite *db, const char *id, int64_t *no,
    struct errand_error *err)
{
    sqlite3_stmt *row = NULL;
    int code = er_sql_first(&db->sql, ER_Q_CONV,
        "SELECT no FROM conversations WHERE id=?1", ER_VALS(er_text(id)),
        &row, err);
    if (code != ERRAND_OK)
        return code;
    if (!row)
        return er_fail(err, ERRAND_NOT_FOUND,
            "there is no conversation %.60s; errand log list shows those "
            "there are",
            id);
    *no = sqlite3_column_int64(row, 0);
    er_sql_end(row);
    return ERRAND_OK;
}

/* Move *last back until no call before it stands without its result: the
 * last message with calls decides, because before the next model step every
 * call of the one before has its result. */
static int last_border(struct er_sqlite *db, int64_t conv, int64_t *last,
    struct errand_error *err)
{
    sqlite3_stmt *row = NULL;
    int code = er_sql_first(&db->sql, ER_Q_MESSAGE_GROUP,
        "SELECT id, calls, (SELECT count(*) FROM messages r WHERE r.id"
        " BETWEEN m.id+1 AND m.id+m.calls) FROM messages m"
        " WHERE id BETWEEN ?1 AND ?2 AND calls>0 ORDER BY id DESC LIMIT 1",
        ER_VALS(er_int(er_key(conv, 0)), er_int(er_key(conv, *last))), &row,
        err);
    if (code != ERRAND_OK || !row)
        return code;
    int64_t seq = sqlite3_column_int64(row, 0) & ER_PLACE_MAX;
    int64_t calls = sqlite3_column_int64(row, 1);
    int64_t results = sqlite3_column_int64(row, 2);
    er_sql_end(row);
    if (results < calls || seq + calls > *last)
        *last = seq - 1;
    return ERRAND_OK;
}

static int copy_rows(struct er_sqlite *db, int64_t from, int64_t to,
    int64_t last, struct errand_error *err)
{
    int code = er_sql_run(&db->sql, ER_Q_MESSAGES_COPY,
        "INSERT INTO messages(id,run,role,calls,content,text,model)"
        " SELECT id-?1+?2, NULL, role, calls, content, text, model"
        " FROM messages WHERE id BETWEEN ?1 AND ?3",
        ER_VALS(er_int(er_key(from, 0)), er_int(er_key(to, 0)),
            er_int(er_key(from, last))),
        err);
    if (code != ERRAND_OK)
        return code;
    return er_sql_run(&db->sql, ER_Q_RESULTS_COPY,
        "INSERT INTO results(conv,call,body) SELECT ?2, call, body"
        " FROM results WHERE conv=?1 AND call IN (SELECT"
        " content->>'$.tool_call_id' FROM messages"
        " WHERE role='tool' AND id BETWEEN ?3 AND ?4)",
        ER_VALS(er_int(from), er_int(to), er_int(er_key(from, 0)),
            er_int(er_key(from, last))),
        err);
}

/* A fork has no run that would say it waits to be indexed: do it now. */
static int index_copy(
    struct er_sqlite *db, int64_t conv, struct errand_error *err)
{
    struct er_vals range = ER_VALS(
        er_int(er_key(conv, 0)), er_int(er_key(conv, ER_PLACE_MAX)));
    int code = er_sql_run(&db->sql, ER_Q_INDEX_FORK,
        "UPDATE conversations SET indexed_seq=coalesce((SELECT max(id) FROM"
        " messages WHERE id BETWEEN ?1 AND ?2)&16777215,0)"
        " WHERE no=?1>>24",
        range, err);
    if (code != ERRAND_OK)
        return code;
    return er_sql_run(&db->sql, ER_Q_INDEX_COPY,
        "INSERT INTO message_index(rowid,text)"
        " SELECT id, text FROM indexed_messages WHERE id BETWEEN ?1 AND ?2",
        range, err);
}

int er_sqlite_fork(struct er_sqlite *db, struct er_op *op)
{
    const char *id = op->in.fork.conv_id;
    int64_t last = op->in.fork.last_seq, from = 0;
    int code = find(db, id, &from, &op->err);
    if (code != ERRAND_OK)
        return code;
    if (last < 0 || last > ER_PLACE_MAX)
        last = ER_PLACE_MAX;
    code = last_border(db, from, &last, &op->err);
    if (code == ERRAND_OK)
        code = er_sql_run(&db->sql, ER_Q_CONV_FORK,
            "INSERT INTO conversations(id,title,created_ms,forked_from)"
            " SELECT ?2, title, ?3, id FROM conversations WHERE no=?1",
            ER_VALS(er_int(from), er_text(op->in.fork.new_conv_id),
                er_int(er_now_ms())),
            &op->err);
    int64_t to = sqlite3_last_insert_rowid(db->sql.db);
    if (code == ERRAND_OK)
        code = copy_rows(db, from, to, last, &op->err);
    if (code == ERRAND_OK)
        code = index_copy(db, to, &op->err);
    return code;
}

/* Refuse while a living process works on the conversation. */
static int check_idle(struct er_sqlite *db, int64_t conv,
    struct errand_error *err)
{
    sqlite3_stmt *row = NULL;
    int64_t now = er_now_ms();
    bool busy = false;
    int code = er_sql_first(&db->sql, ER_Q_RUN_LIVE,
        "SELECT owner, lease_until, id FROM runs WHERE conv=?1"
        " AND todo IN (1,3)",
        ER_VALS(er_int(conv)), &row, err);
    while (code == ERRAND_OK && row && !busy) {
        busy = sqlite3_column_type(row, 0) != SQLITE_NULL &&
               sqlite3_column_int64(row, 1) > now &&
               !er_owner_is_dead(er_col_text(row, 0));
        if (busy)
            code = er_fail(err, ERRAND_BUSY,
                "run %.40s of this conversation is under way; stop it first",
                er_col_text(row, 2));
        else
            code = er_sql_next(&db->sql, &row, err);
    }
    if (row)
        er_sql_end(row);
    return code;
}

/* The first conversation, but conv itself, of runs that did the work of
 * conv's; *out 0: none is left. */
static int next_kin(struct er_sqlite *db, int64_t conv, int64_t *out,
    struct errand_error *err)
{
    sqlite3_stmt *row = NULL;
    int code = er_sql_first(&db->sql, ER_Q_KIN,
        "WITH RECURSIVE kin(no, conv) AS (SELECT no, conv FROM runs"
        " WHERE conv=?1 UNION SELECT c.no, c.conv FROM kin"
        " JOIN runs c ON c.parent=kin.no)"
        " SELECT max(conv) FROM kin WHERE conv<>?1 LIMIT 1",
        ER_VALS(er_int(conv)), &row, err);
    *out = 0;
    if (code != ERRAND_OK || !row)
        return code;
    *out = sqlite3_column_int64(row, 0);
    er_sql_end(row);
    return ERRAND_OK;
}

static int remove_rows(struct er_sqlite *db, int64_t conv,
    struct errand_error *err)
{
    static const struct {
        enum er_slot slot;
        const char *sql;
    } steps[] = {
        {ER_Q_APPROVALS_DELETE,
            "DELETE FROM approvals WHERE no IN (SELECT k.no FROM runs r"
            " JOIN approvals k ON k.no BETWEEN r.no<<24 AND"
            " (r.no<<24)+16777215 WHERE r.conv=?1)"},
        {ER_Q_CALLS_DELETE, "DELETE FROM tool_calls WHERE no IN (SELECT k.no"
                            " FROM runs r JOIN tool_calls k ON k.no BETWEEN"
                            " r.no<<24 AND (r.no<<24)+16777215"
                            " WHERE r.conv=?1)"},
        {ER_Q_ATTEMPTS_DELETE,
            "DELETE FROM attempts WHERE id IN (SELECT k.id FROM runs r"
            " JOIN attempts k ON k.id BETWEEN r.no<<24 AND"
            " (r.no<<24)+16777215 WHERE r.conv=?1)"},
        {ER_Q_EVENTS_DELETE,
            "DELETE FROM events WHERE id IN (SELECT k.id FROM runs r"
            " JOIN events k ON k.id BETWEEN r.no<<24 AND"
            " (r.no<<24)+16777215 WHERE r.conv=?1)"},
        {ER_Q_STEPS_DELETE, "DELETE FROM steps WHERE run IN"
                            " (SELECT no FROM runs WHERE conv=?1)"},
        {ER_Q_RUN_TEXTS_DELETE, "DELETE FROM run_texts WHERE run IN"
                                " (SELECT no FROM runs WHERE conv=?1)"},
        {ER_Q_RUNS_DELETE, "DELETE FROM runs WHERE conv=?1"},
        {ER_Q_RESULTS_DELETE, "DELETE FROM results WHERE conv=?1"},
        {ER_Q_MESSAGES_DELETE, "DELETE FROM messages WHERE id BETWEEN"
                               " ?1<<24 AND (?1<<24)+16777215"},
        {ER_Q_CONV_DELETE, "DELETE FROM conversations WHERE no=?1"},
    };
    int code = ERRAND_OK;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (code == ERRAND_OK)
            code = er_sql_run(&db->sql, steps[i].slot, steps[i].sql,
                ER_VALS(er_int(conv)), err);
    }
    return code;
}

int er_sqlite_remove(struct er_sqlite *db, struct er_op *op)
{
    int64_t conv = 0, kin = 0;
    int code = find(db, op->in.remove.conv_id, &conv, &op->err);
    if (code == ERRAND_OK)
        code = check_idle(db, conv, &op->err);
    do {
        if (code == ERRAND_OK)
            code = next_kin(db, conv, &kin, &op->err);
        if (code == ERRAND_OK)
            code = er_sqlite_unindex(db, kin ? kin : conv, &op->err);
        if (code == ERRAND_OK)
            code = remove_rows(db, kin ? kin : conv, &op->err);
    } while (code == ERRAND_OK && kin);
    return code;
}
