/* How the database is, for `errand doctor`. */
#include "store/queue.h"
#include "store/sqlite_db.h"

#include <string.h>

static int put(
    json_t *out, const char *key, json_t *value, struct errand_error *err)
{
    return json_object_set_new(out, key, value) == 0 ? ERRAND_OK
                                                     : er_nomem(err);
}

/* The first complaint of SQLite's own check; "ok" if there is none. */
static int check(struct er_sql *sql, bool deep, json_t *out,
    struct errand_error *err)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(sql->db,
        deep ? "PRAGMA integrity_check(1)" : "PRAGMA quick_check(1)", -1,
        &st, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(st);
    int code = ERRAND_OK;
    if (rc == SQLITE_ROW)
        code = put(out, "integrity", er_col_json(st, 0), err);
    else if ((rc & 0xff) == SQLITE_CORRUPT)
        code = put(out, "integrity", json_string(sqlite3_errmsg(sql->db)),
            err);
    else
        code = er_sql_fail(sql, rc, err);
    sqlite3_finalize(st);
    return code;
}

static int ask_text(struct er_sql *sql, const char *question, json_t *out,
    const char *key, struct errand_error *err)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(sql->db, question, -1, &st, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(st);
    int code = ERRAND_OK;
    if (rc == SQLITE_ROW)
        code = put(out, key, er_col_json(st, 0), err);
    else
        code = er_sql_fail(sql, rc, err);
    sqlite3_finalize(st);
    return code;
}

static int add_wal_reset(json_t *out, struct errand_error *err)
{
    bool fixed = sqlite3_libversion_number() >= 3051003;
    const char *why =
        fixed ? "this SQLite has no WAL-reset bug"
              : "this SQLite has the WAL-reset bug of versions before "
                "3.51.3; errand's write lock makes it unreachable, as long "
                "as no other program writes to the file";
    int code =
        put(out, "sqlite_version", json_string(sqlite3_libversion()), err);
    if (code == ERRAND_OK)
        code = put(out, "wal_reset_safe", json_true(), err);
    if (code == ERRAND_OK)
        code = put(out, "why", json_string(why), err);
    return code;
}

/* The index is checked by the store thread: the check is a write to FTS5. */
static int check_index(struct er_store *s, json_t *out,
    struct errand_error *err)
{
    struct er_op *op = er_op_new(ER_OP_TIDY);
    if (!op)
        return er_nomem(err);
    op->in.tidy.check = true;
    int code = er_store_call(s, op);
    if (code == ERRAND_OK)
        code = put(out, "fts", json_string(op->out.text), err);
    else
        *err = op->err;
    er_op_free(op);
    return code;
}

json_t *er_store_health(er_store *s, bool deep, struct errand_error *err)
{
    struct er_sql *sql;
    struct errand_error mine = {0};
    err = err ? err : &mine;
    if (er_store_reader(s, &sql, err) != ERRAND_OK)
        return NULL;
    json_t *out = json_pack("{s:s}", "path", s->path);
    static const struct {
        const char *key, *question;
    } texts[] = {
        {"user_version", "PRAGMA user_version"},
        {"size", "SELECT page_count*page_size FROM pragma_page_count,"
                 " pragma_page_size"},
        {"journal", "PRAGMA journal_mode"},
        {"runs", "SELECT count(*) FROM runs"},
        {"messages", "SELECT count(*) FROM messages"},
    };
    int code = out ? ERRAND_OK : er_nomem(err);
    if (code == ERRAND_OK)
        code = add_wal_reset(out, err);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (code == ERRAND_OK)
            code = ask_text(
                sql, texts[i].question, out, texts[i].key, err);
    }
    if (code == ERRAND_OK)
        code = put(out, "checked_up_to", json_integer(ER_CHECK_MOST), err);
    if (code == ERRAND_OK)
        code = check(sql, deep, out, err);
    if (code == ERRAND_OK)
        code = check_index(s, out, err);
    if (code == ERRAND_OK)
        return out;
    json_decref(out);
    return NULL;
}
