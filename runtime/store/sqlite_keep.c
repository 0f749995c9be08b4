/* Small things that are kept: whole results read in parts, settings, and the
 * work that was put off. */
#include "base/text.h"
#include "store/sqlite_db.h"

#include <string.h>

enum { READ_MOST = 16 * 1024 * 1024, CHARACTER_MOST = 4 };

/* Is a character of UTF-8 still going on in this byte? */
static bool goes_on(char byte) { return ((unsigned char)byte & 0xc0) == 0x80; }

/* Set the op's text to the characters that begin within want bytes; bytes
 * holds a few more, so that the last one is whole. */
static int cut_text(
    struct er_op *op, const char *bytes, size_t got, size_t want)
{
    size_t from = 0, end = want < got ? want : got;
    while (from < got && from < CHARACTER_MOST - 1 && goes_on(bytes[from]))
        from++; /* it began in the part before */
    while (end < got && end < want + CHARACTER_MOST - 1 && goes_on(bytes[end]))
        end++;
    if (from >= want || from > end)
        end = from; /* none begins here */
    op->out.text = er_arena_strn(&op->arena, bytes + from, end - from);
    op->out.text_len = end - from;
    return op->out.text ? ERRAND_OK : er_nomem(&op->err);
}

int er_sqlite_read(struct er_sqlite *db, struct er_op *op)
{
    int64_t offset = op->in.read.offset, len = op->in.read.len;
    if (offset < 0 || len < 0)
        return er_fail(&op->err, ERRAND_RANGE,
            "offset and length of a part must not be negative");
    if (len > READ_MOST)
        len = READ_MOST;
    sqlite3_stmt *row = NULL;
    int code = er_sql_first(&db->sql, ER_Q_RESULT_PART,
        "SELECT length(s.body), substr(s.body, 1+?3, ?4) FROM results s"
        " JOIN conversations c ON c.no=s.conv WHERE c.id=?1 AND s.call=?2",
        ER_VALS(er_text(op->in.read.conv_id), er_text(op->in.read.call_id),
            er_int(offset), er_int(len + CHARACTER_MOST)),
        &row, &op->err);
    if (code == ERRAND_OK && !row) /* the message has all of it */
        code = er_sql_first(&db->sql, ER_Q_MESSAGE_PART,
            "SELECT length(CAST(m.content->>'$.content' AS BLOB)),"
            " substr(CAST(m.content->>'$.content' AS BLOB), 1+?3, ?4)"
            " FROM conversations c JOIN messages m ON m.id BETWEEN"
            " c.no<<24 AND (c.no<<24)+16777215 WHERE c.id=?1 AND"
            " m.role='tool' AND m.content->>'$.tool_call_id'=?2 LIMIT 1",
            ER_VALS(er_text(op->in.read.conv_id),
                er_text(op->in.read.call_id), er_int(offset),
                er_int(len + CHARACTER_MOST)),
            &row, &op->err);
    if (code != ERRAND_OK)
        return code;
    if (!row)
        return er_fail(&op->err, ERRAND_NOT_FOUND,
            "this conversation holds no further text of call %.60s",
            op->in.read.call_id);
    op->out.total_len = sqlite3_column_int64(row, 0);
    const char *bytes = sqlite3_column_blob(row, 1);
    code = cut_text(op, bytes ? bytes : "",
        (size_t)sqlite3_column_bytes(row, 1), (size_t)len);
    er_sql_end(row);
    return code;
}

int er_sqlite_put(struct er_sqlite *db, struct er_op *op)
{
    const char *key = op->in.put.key, *value = op->in.put.value;
    if (!value)
        return er_sql_run(&db->sql, ER_Q_SETTING_DELETE,
            "DELETE FROM settings WHERE key=?1", ER_VALS(er_text(key)),
            &op->err);
    return er_sql_run(&db->sql, ER_Q_SETTING_PUT,
        "INSERT INTO settings(key,value) VALUES(?1,?2)"
        " ON CONFLICT(key) DO UPDATE SET value=excluded.value",
        ER_VALS(er_text(key), er_text(value)), &op->err);
}

int er_sqlite_tidy(struct er_sqlite *db, struct er_op *op)
{
    bool left = false;
    int code = er_sqlite_index(db, INT64_MAX, &left, &op->err);
    if (code != ERRAND_OK)
        return code;
    db->fresh = 0;
    op->out.text = "ok";
    if (!op->in.tidy.check)
        return ERRAND_OK;
    /* rank 1: hold every indexed message against its terms */
    int rc = sqlite3_exec(db->sql.db,
        "INSERT INTO message_index(message_index,rank)"
        " VALUES('integrity-check',1)",
        NULL, NULL, NULL);
    if ((rc & 0xff) == SQLITE_CORRUPT)
        op->out.text = "the full-text index does not agree with the messages";
    else if (rc != SQLITE_OK)
        return er_sql_fail(&db->sql, rc, &op->err);
    return ERRAND_OK;
}
