/* Statements are prepared once and kept: parsing SQL costs more than running
 * most of what the store runs. */
#include "store/sqlite_sql.h"

#include <string.h>

void er_sql_close(struct er_sql *sql)
{
    for (int i = 0; i < ER_SLOTS; i++) {
        sqlite3_finalize(sql->stmts[i]);
        sql->stmts[i] = NULL;
    }
    sqlite3_close_v2(sql->db);
    sql->db = NULL;
}

static int explain(
    struct er_sql *sql, int code, const char *advice, struct errand_error *err)
{
    return er_fail(err, code, "the store %.80s: %.60s; %s", sql->path,
        sql->db ? sqlite3_errmsg(sql->db) : "cannot be opened", advice);
}

int er_sql_fail(struct er_sql *sql, int rc, struct errand_error *err)
{
    if (rc == SQLITE_IOERR_NOMEM)
        return er_nomem(err);
    switch (rc & 0xff) {
    case SQLITE_NOMEM:
        return er_nomem(err);
    case SQLITE_FULL:
        return explain(sql, ERRAND_IO,
            "make room on its disk and try again, nothing was lost", err);
    case SQLITE_IOERR:
        return explain(sql, ERRAND_IO, "check its disk and try again", err);
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
        return explain(sql, ERRAND_IO,
            "make the file and its folder writable or give another path",
            err);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return explain(sql, ERRAND_BUSY,
            "another program holds it, try again when it is done", err);
    case SQLITE_NOTADB:
        return er_fail(err, ERRAND_STORE,
            "%.120s is not a database; move it away or give the store "
            "another path",
            sql->path);
    case SQLITE_CORRUPT:
        return explain(sql, ERRAND_STORE,
            "it is damaged: keep a copy, then restore a backup or recover "
            "it with sqlite3's .recover",
            err);
    case SQLITE_TOOBIG:
        return explain(sql, ERRAND_TOO_LARGE, "store less at once", err);
    case SQLITE_CONSTRAINT:
        return explain(sql, ERRAND_EXISTS, "ids must be new", err);
    default:
        return explain(sql, ERRAND_STORE, "see errand doctor", err);
    }
}

static int bind(sqlite3_stmt *st, int at, const struct er_val *v)
{
    switch (v->type) {
    case ER_VAL_INT:
        return sqlite3_bind_int64(st, at, v->i);
    case ER_VAL_TEXT:
        return sqlite3_bind_text(st, at, v->p, -1, SQLITE_STATIC);
    case ER_VAL_BLOB:
        return sqlite3_bind_blob64(st, at, v->p, v->len, SQLITE_STATIC);
    default:
        return sqlite3_bind_null(st, at);
    }
}

static int prepare(struct er_sql *sql, enum er_slot slot, const char *text,
    struct er_vals vals, sqlite3_stmt **out, struct errand_error *err)
{
    sqlite3_stmt *st = sql->stmts[slot];
    int rc = SQLITE_OK;
    if (!st) {
        rc = sqlite3_prepare_v3(
            sql->db, text, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL);
        sql->stmts[slot] = st;
    }
    for (size_t i = 0; i < vals.n && rc == SQLITE_OK; i++)
        rc = bind(st, (int)i + 1, &vals.v[i]);
    *out = st;
    return rc == SQLITE_OK ? ERRAND_OK : er_sql_fail(sql, rc, err);
}

int er_sql_first(struct er_sql *sql, enum er_slot slot, const char *text,
    struct er_vals vals, sqlite3_stmt **row, struct errand_error *err)
{
    int code = prepare(sql, slot, text, vals, row, err);
    if (code == ERRAND_OK)
        return er_sql_next(sql, row, err);
    *row = NULL;
    return code;
}

int er_sql_next(
    struct er_sql *sql, sqlite3_stmt **row, struct errand_error *err)
{
    int rc = sqlite3_step(*row);
    if (rc == SQLITE_ROW)
        return ERRAND_OK;
    int code = rc == SQLITE_DONE ? ERRAND_OK : er_sql_fail(sql, rc, err);
    sqlite3_reset(*row);
    *row = NULL;
    return code;
}

void er_sql_end(sqlite3_stmt *row) { sqlite3_reset(row); }

int er_sql_run(struct er_sql *sql, enum er_slot slot, const char *text,
    struct er_vals vals, struct errand_error *err)
{
    sqlite3_stmt *row = NULL;
    int code = er_sql_first(sql, slot, text, vals, &row, err);
    while (code == ERRAND_OK && row)
        code = er_sql_next(sql, &row, err);
    return code;
}

int er_sql_exec(
    struct er_sql *sql, const char *text, struct errand_error *err)
{
    int rc = sqlite3_exec(sql->db, text, NULL, NULL, NULL);
    return rc == SQLITE_OK ? ERRAND_OK : er_sql_fail(sql, rc, err);
}

int er_sql_int(struct er_sql *sql, const char *text, int64_t *out,
    struct errand_error *err)
{
    sqlite3_stmt *st = NULL;
    *out = 0;
    int rc = sqlite3_prepare_v2(sql->db, text, -1, &st, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(st);
    if (rc == SQLITE_ROW)
        *out = sqlite3_column_int64(st, 0);
    int code = ERRAND_OK;
    if (rc != SQLITE_OK && rc != SQLITE_ROW && rc != SQLITE_DONE)
        code = er_sql_fail(sql, rc, err);
    sqlite3_finalize(st);
    return code;
}

const char *er_col_text(sqlite3_stmt *row, int column)
{
    const char *s = (const char *)sqlite3_column_text(row, column);
    return s ? s : "";
}

const char *er_col_copy(
    sqlite3_stmt *row, int column, struct er_arena *arena, bool *nomem)
{
    if (sqlite3_column_type(row, column) == SQLITE_NULL)
        return NULL;
    const char *s = sqlite3_column_blob(row, column);
    size_t len = (size_t)sqlite3_column_bytes(row, column);
    char *copy = s || len == 0 ? er_arena_strn(arena, s ? s : "", len) : NULL;
    if (!copy)
        *nomem = true;
    return copy;
}
