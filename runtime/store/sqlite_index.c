/* The full-text index over messages, kept a little behind.
 *
 * Indexing inside every transition would double what a commit writes, so the
 * store thread does it when it rests, many messages at once, and a search
 * asks for the rest first. conversations.indexed_seq says up to which message
 * a conversation is indexed; it stops before a reserved place that is still
 * empty. The index's content is a view that shows exactly those messages: so
 * its integrity can be checked at any time, and taking one out gives FTS5 the
 * very text that was put in.
 */
#include "store/sqlite_db.h"

struct todo {
    int64_t conv, from; /* the first message that is not indexed */
    bool live;
};

/* The next conversation behind conv that has something to index. */
static int next_todo(struct er_sqlite *db, int64_t conv, struct todo *out,
    struct errand_error *err)
{
    sqlite3_stmt *row = NULL;
    int code = er_sql_first(&db->sql, ER_Q_INDEX_TODO,
        "SELECT c.no, c.indexed_seq, max(r.todo & 1) FROM runs r"
        " JOIN conversations c ON c.no=r.conv"
        " WHERE r.todo IN (2,3) AND r.conv>?1"
        " GROUP BY c.no ORDER BY c.no LIMIT 1",
        ER_VALS(er_int(conv)), &row, err);
    out->conv = 0;
    if (code != ERRAND_OK || !row)
        return code;
    *out = (struct todo){
        .conv = sqlite3_column_int64(row, 0),
        .from = sqlite3_column_int64(row, 1) + 1,
        .live = sqlite3_column_int(row, 2) != 0,
    };
    er_sql_end(row);
    return ERRAND_OK;
}

static int add_row(struct er_sqlite *db, sqlite3_stmt *row,
    struct errand_error *err)
{
    if (sqlite3_column_type(row, 1) == SQLITE_NULL)
        return ERRAND_OK;
    return er_sql_run(&db->sql, ER_Q_INDEX_INSERT,
        "INSERT INTO message_index(rowid,text) VALUES(?1,?2)",
        ER_VALS(er_int(sqlite3_column_int64(row, 0)),
            er_text(er_col_text(row, 1))),
        err);
}

/* Index a conversation up to its first gap or limit messages. */
static int index_one(struct er_sqlite *db, const struct todo *t,
    int64_t limit, int64_t *count, struct errand_error *err)
{
    sqlite3_stmt *row = NULL;
    int64_t next = er_key(t->conv, t->from);
    *count = 0;
    int code = er_sql_first(&db->sql, ER_Q_INDEX_ROWS,
        "SELECT id, text FROM messages WHERE id BETWEEN ?1 AND ?2"
        " ORDER BY id",
        ER_VALS(er_int(next), er_int(er_key(t->conv, ER_PLACE_MAX))), &row,
        err);
    while (code == ERRAND_OK && row && *count < limit &&
           sqlite3_column_int64(row, 0) == next) {
        code = add_row(db, row, err);
        next++;
        ++*count;
        if (code == ERRAND_OK)
            code = er_sql_next(&db->sql, &row, err);
    }
    if (row)
        er_sql_end(row);
    if (code != ERRAND_OK || *count == 0)
        return code;
    return er_sql_run(&db->sql, ER_Q_INDEX_MOVE,
        "UPDATE conversations SET indexed_seq=?2 WHERE no=?1",
        ER_VALS(er_int(t->conv), er_int((next - 1) & ER_PLACE_MAX)), err);
}

int er_sqlite_index(struct er_sqlite *db, int64_t limit, bool *left,
    struct errand_error *err)
{
    struct todo t;
    int64_t count = 0;
    int code = next_todo(db, 0, &t, err);
    while (code == ERRAND_OK && t.conv != 0 && limit > 0) {
        code = index_one(db, &t, limit, &count, err);
        limit -= count;
        if (code == ERRAND_OK && limit > 0) /* as far as there is */
            code = er_sql_run(&db->sql, ER_Q_INDEX_CLEAR,
                "UPDATE runs SET todo=0 WHERE conv=?1 AND todo=2",
                ER_VALS(er_int(t.conv)), err);
        if (code == ERRAND_OK && limit > 0)
            code = next_todo(db, t.conv, &t, err);
    }
    *left = code == ERRAND_OK && limit <= 0;
    return code;
}

int er_sqlite_unindex(
    struct er_sqlite *db, int64_t conv, struct errand_error *err)
{
    return er_sql_run(&db->sql, ER_Q_INDEX_DELETE,
        "INSERT INTO message_index(message_index,rowid,text)"
        " SELECT 'delete', id, text FROM indexed_messages"
        " WHERE id BETWEEN ?1 AND ?2",
        ER_VALS(er_int(er_key(conv, 0)), er_int(er_key(conv, ER_PLACE_MAX))),
        err);
}
