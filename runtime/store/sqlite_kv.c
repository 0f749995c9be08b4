/* What tools keep: values by key, each tool for itself. */
#include "base/buf.h"
#include "base/text.h"
#include "store/sqlite_db.h"

#include <string.h>

/* Does it fit? An empty key is for listing alone. */
static int check_key(const char *key, struct errand_error *err)
{
    size_t len = strlen(key);
    if (len == 0)
        return er_fail(err, ERRAND_USAGE, "the key is empty");
    if (len > ER_KV_KEY)
        return er_fail(err, ERRAND_TOO_LARGE,
            "the key has %zu bytes; %d are the most", len, ER_KV_KEY);
    return ERRAND_OK;
}

static int has_key(
    struct er_sqlite *db, struct er_op *op, bool *there)
{
    sqlite3_stmt *row = NULL;
    int code = er_sql_first(&db->sql, ER_Q_KV_HAS,
        "SELECT 1 FROM kv WHERE tool=?1 AND key=?2",
        ER_VALS(er_text(op->in.kv.tool), er_text(op->in.kv.key)), &row,
        &op->err);
    *there = row != NULL;
    if (row)
        er_sql_end(row);
    return code;
}

/* Room for one key more? */
static int check_room(struct er_sqlite *db, struct er_op *op)
{
    sqlite3_stmt *row = NULL;
    int64_t n = 0;
    int code = er_sql_first(&db->sql, ER_Q_KV_COUNT,
        "SELECT count(*) FROM kv WHERE tool=?1",
        ER_VALS(er_text(op->in.kv.tool)), &row, &op->err);
    if (row) {
        n = sqlite3_column_int64(row, 0);
        er_sql_end(row);
    }
    if (code == ERRAND_OK && n >= ER_KV_KEYS)
        code = er_fail(&op->err, ERRAND_TOO_LARGE,
            "%.60s keeps %d keys already, which are the most; delete some",
            op->in.kv.tool, ER_KV_KEYS);
    return code;
}

int er_sqlite_kv_set(struct er_sqlite *db, struct er_op *op)
{
    const char *tool = op->in.kv.tool, *key = op->in.kv.key;
    const char *value = op->in.kv.value;
    int code = check_key(key, &op->err);
    if (code == ERRAND_OK && value && strlen(value) > ER_KV_VALUE)
        code = er_fail(&op->err, ERRAND_TOO_LARGE,
            "the value of '%.60s' has %zu bytes as JSON; %d are the most",
            key, strlen(value), ER_KV_VALUE);
    if (code == ERRAND_OK)
        code = has_key(db, op, &op->out.existed);
    if (code != ERRAND_OK)
        return code;
    if (!value)
        return er_sql_run(&db->sql, ER_Q_KV_DELETE,
            "DELETE FROM kv WHERE tool=?1 AND key=?2",
            ER_VALS(er_text(tool), er_text(key)), &op->err);
    if (!op->out.existed)
        code = check_room(db, op);
    if (code != ERRAND_OK)
        return code;
    return er_sql_run(&db->sql, ER_Q_KV_SET,
        "INSERT INTO kv(tool,key,value,external) VALUES(?1,?2,?3,?4)"
        " ON CONFLICT(tool,key) DO UPDATE SET value=excluded.value,"
        " external=excluded.external",
        ER_VALS(er_text(tool), er_text(key), er_text(value),
            er_int(op->in.kv.external)),
        &op->err);
}

int er_sqlite_kv_get(struct er_sqlite *db, struct er_op *op)
{
    sqlite3_stmt *row = NULL;
    int code = check_key(op->in.kv.key, &op->err);
    op->out.text = NULL;
    if (code == ERRAND_OK)
        code = er_sql_first(&db->sql, ER_Q_KV_GET,
            "SELECT value,external FROM kv WHERE tool=?1 AND key=?2",
            ER_VALS(er_text(op->in.kv.tool), er_text(op->in.kv.key)), &row,
            &op->err);
    if (code != ERRAND_OK || !row)
        return code;
    const char *text = (const char *)sqlite3_column_text(row, 0);
    op->out.external = sqlite3_column_int64(row, 1) != 0;
    op->out.text = text ? er_arena_str(&op->arena, text) : NULL;
    op->out.text_len = op->out.text ? strlen(op->out.text) : 0;
    er_sql_end(row);
    return op->out.text ? ERRAND_OK : er_nomem(&op->err);
}

/* The rows as an array, as long as they begin with the op's key. */
static int add_keys(struct er_sqlite *db, sqlite3_stmt *row,
    struct er_op *op, struct er_buf *out)
{
    int code = ERRAND_OK;
    er_buf_addc(out, '[');
    while (code == ERRAND_OK && row) {
        const char *key = (const char *)sqlite3_column_text(row, 0);
        if (!key || !er_starts_with(key, op->in.kv.key))
            break;
        op->out.external |= sqlite3_column_int64(row, 1) != 0;
        if (out->len > 1)
            er_buf_addc(out, ',');
        er_json_add_string(out, key, strlen(key));
        code = er_sql_next(&db->sql, &row, &op->err);
    }
    if (row)
        er_sql_end(row);
    er_buf_addc(out, ']');
    return code;
}

int er_sqlite_kv_list(struct er_sqlite *db, struct er_op *op)
{
    const char *after = op->in.kv.after ? op->in.kv.after : "";
    struct er_buf out;
    sqlite3_stmt *row = NULL;
    int code = er_sql_first(&db->sql, ER_Q_KV_LIST,
        "SELECT key,external FROM kv WHERE tool=?1 AND key>=?2 AND key>?3"
        " ORDER BY key LIMIT ?4",
        ER_VALS(er_text(op->in.kv.tool), er_text(op->in.kv.key),
            er_text(after), er_int(ER_KV_LIST)),
        &row, &op->err);
    if (code != ERRAND_OK)
        return code;
    er_buf_init(&out, (size_t)ER_KV_LIST * (ER_KV_KEY * 6 + 3) + 3);
    code = add_keys(db, row, op, &out);
    op->out.text = er_arena_str(&op->arena, er_buf_str(&out));
    op->out.text_len = out.len;
    if (code == ERRAND_OK && (out.failed || !op->out.text))
        code = er_nomem(&op->err);
    er_buf_release(&out);
    return code;
}
