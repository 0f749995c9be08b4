/* The connection that answers questions: it cannot write, it never
 * checkpoints, and it is opened when the first question comes. Here is the
 * small change: ids, settings, events; and rows as JSON. */
#include "base/buf.h"
#include "base/text.h"
#include "store/queue.h"
#include "store/states.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int er_store_reader_init(
    struct er_store *s, const char *path, struct errand_error *err)
{
    if (!path)
        return ERRAND_OK;
    s->path = er_strdup(path);
    s->reader.path = s->path;
    return s->path ? ERRAND_OK : er_nomem(err);
}

void er_store_reader_close(struct er_store *s)
{
    er_sql_close(&s->reader);
    free(s->path);
    s->path = NULL;
}

int er_store_reader(
    struct er_store *s, struct er_sql **out, struct errand_error *err)
{
    *out = &s->reader;
    if (s->reader.db)
        return ERRAND_OK;
    if (!s->path)
        return er_fail(err, ERRAND_UNSUPPORTED,
            "this store answers no questions: it is not in a file");
    int rc = sqlite3_open_v2(s->path, &s->reader.db,
        SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX |
            SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE,
        NULL);
    if (rc == SQLITE_OK) {
        sqlite3_db_config(
            s->reader.db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        sqlite3_busy_timeout(s->reader.db, 5000);
        rc = sqlite3_exec(s->reader.db,
            "PRAGMA trusted_schema=OFF;PRAGMA cell_size_check=ON", NULL,
            NULL, NULL);
    }
    if (rc == SQLITE_OK)
        return ERRAND_OK;
    int code = er_sql_fail(&s->reader, rc, err);
    er_sql_close(&s->reader);
    return code;
}

/* --- rows as JSON */

static json_t *text_json(const char *s, size_t len)
{
    json_t *v = json_stringn(s, len);
    if (v)
        return v;
    struct er_buf clean; /* not UTF-8 */
    er_buf_init(&clean, 3 * len + 1);
    if (er_text_scrub(&clean, s, len))
        v = json_stringn(er_buf_str(&clean), clean.len);
    er_buf_release(&clean);
    return v;
}

json_t *er_col_json(sqlite3_stmt *row, int column)
{
    switch (sqlite3_column_type(row, column)) {
    case SQLITE_INTEGER:
        return json_integer(sqlite3_column_int64(row, column));
    case SQLITE_NULL:
        return json_null();
    default:
        break;
    }
    const char *s = sqlite3_column_blob(row, column);
    int len = sqlite3_column_bytes(row, column);
    return text_json(s ? s : "", (size_t)len);
}

json_t *er_col_parsed(sqlite3_stmt *row, int column)
{
    const char *s = er_col_text(row, column);
    json_t *v = er_json_parse(s, strlen(s), ER_JSON_LENIENT, NULL);
    return v ? v : er_col_json(row, column);
}

json_t *er_row_object(sqlite3_stmt *row)
{
    json_t *o = json_object();
    for (int i = 0; o && i < sqlite3_column_count(row); i++) {
        if (json_object_set_new(
                o, sqlite3_column_name(row, i), er_col_json(row, i)) != 0) {
            json_decref(o);
            return NULL;
        }
    }
    return o;
}

/* --- ids */

/* What may stand behind any id. */
#define LAST_CHARACTER "\xF4\x8F\xBF\xBF"

static const struct {
    const char *kind, *sql;
    enum er_slot slot;
} finders[] = {
    {"run",
        "SELECT id FROM runs WHERE id>=?1 AND id<?2 ORDER BY id LIMIT 2",
        ER_Q_FIND_RUN},
    {"conversation",
        "SELECT id FROM conversations WHERE id>=?1 AND id<?2"
        " ORDER BY id LIMIT 2",
        ER_Q_FIND_CONV},
    {"call",
        "SELECT id FROM tool_calls WHERE id>=?1 AND id<?2"
        " ORDER BY id LIMIT 2",
        ER_Q_FIND_CALL},
};

/* The whole id is sorted before every longer one: it is found first. */
static int pick(struct er_sql *sql, sqlite3_stmt *row, const char *kind,
    const char *prefix, char out[ER_ID_SIZE], struct errand_error *err)
{
    if (!row)
        return er_fail(err, ERRAND_NOT_FOUND,
            "there is no %s %.60s; errand log list shows those there are",
            kind, prefix);
    int n = snprintf(out, ER_ID_SIZE, "%s", er_col_text(row, 0));
    int code = ERRAND_OK;
    if (n >= ER_ID_SIZE)
        code = er_fail(err, ERRAND_STORE, "the id %.60s is too long", prefix);
    bool whole = strcmp(out, prefix) == 0;
    if (code == ERRAND_OK && !whole)
        code = er_sql_next(sql, &row, err);
    if (code == ERRAND_OK && row && !whole)
        code = er_fail(err, ERRAND_USAGE,
            "more than one %s begins with %.60s; give more of the id", kind,
            prefix);
    if (row)
        er_sql_end(row);
    return code;
}

int er_store_find(er_store *s, const char *kind, const char *prefix,
    char out[ER_ID_SIZE], struct errand_error *err)
{
    struct er_sql *sql;
    char behind[128];
    size_t i = 0, n = sizeof finders / sizeof finders[0];
    while (i < n && strcmp(finders[i].kind, kind) != 0)
        i++;
    if (i == n)
        return er_fail(err, ERRAND_BUG, "no kind %.40s", kind);
    if (*prefix == '\0' || strlen(prefix) > 100)
        return er_fail(err, ERRAND_USAGE,
            "\"%.40s\" is no beginning of the id of a %s", prefix, kind);
    snprintf(behind, sizeof behind, "%s" LAST_CHARACTER, prefix);
    int code = er_store_reader(s, &sql, err);
    sqlite3_stmt *row = NULL;
    if (code == ERRAND_OK)
        code = er_sql_first(sql, finders[i].slot, finders[i].sql,
            ER_VALS(er_text(prefix), er_text(behind)), &row, err);
    return code == ERRAND_OK ? pick(sql, row, kind, prefix, out, err) : code;
}

static int look_up(er_store *s, enum er_slot slot, const char *text,
    const char *id, char *out, size_t size, struct errand_error *err)
{
    struct er_sql *sql;
    sqlite3_stmt *row = NULL;
    int code = er_store_reader(s, &sql, err);
    if (code == ERRAND_OK)
        code = er_sql_first(
            sql, slot, text, ER_VALS(er_text(id)), &row, err);
    if (code != ERRAND_OK)
        return code;
    if (!row)
        return er_fail(err, ERRAND_NOT_FOUND, "there is no %.60s", id);
    snprintf(out, size, "%s", er_col_text(row, 0));
    er_text_trim_utf8(out);
    er_sql_end(row);
    return ERRAND_OK;
}

int er_store_conversation_of(er_store *s, const char *run_id,
    char out[ER_ID_SIZE], struct errand_error *err)
{
    return look_up(s, ER_Q_CONV_OF,
        "SELECT c.id FROM runs r JOIN conversations c ON c.no=r.conv"
        " WHERE r.id=?1",
        run_id, out, ER_ID_SIZE, err);
}

int er_store_tool_of(er_store *s, const char *call_id, char out[65],
    struct errand_error *err)
{
    return look_up(s, ER_Q_TOOL_OF, "SELECT tool FROM tool_calls WHERE id=?1",
        call_id, out, 65, err);
}

int er_store_state_of(er_store *s, const char *call_id, int *state,
    struct errand_error *err)
{
    char name[32];
    int code = look_up(s, ER_Q_STATE_OF,
        "SELECT state FROM tool_calls WHERE id=?1", call_id, name,
        sizeof name, err);
    if (code == ERRAND_OK)
        *state = er_call_state_of(name);
    return code;
}

/* --- small lists */

json_t *er_store_rows(er_store *s, enum er_slot slot, const char *text,
    struct er_vals vals, struct errand_error *err)
{
    struct er_sql *sql;
    sqlite3_stmt *row = NULL;
    int code = er_store_reader(s, &sql, err);
    if (code == ERRAND_OK)
        code = er_sql_first(sql, slot, text, vals, &row, err);
    json_t *list = code == ERRAND_OK ? json_array() : NULL;
    while (code == ERRAND_OK && row) {
        if (json_array_append_new(list, er_row_object(row)) != 0)
            code = er_nomem(err);
        else
            code = er_sql_next(sql, &row, err);
    }
    if (row)
        er_sql_end(row);
    if (code == ERRAND_OK)
        return list;
    json_decref(list);
    return NULL;
}

json_t *er_store_grants(er_store *s, struct errand_error *err)
{
    return er_store_rows(s, ER_Q_GRANTS,
        "SELECT path, version, permissions, granted_ms FROM grants"
        " ORDER BY path", ER_NO_VALS, err);
}

json_t *er_store_rules(er_store *s, struct errand_error *err)
{
    return er_store_rows(s, ER_Q_RULES,
        "SELECT rule, made_ms FROM rules ORDER BY no", ER_NO_VALS, err);
}

json_t *er_store_resumable(er_store *s, struct errand_error *err)
{
    struct er_sql *sql;
    sqlite3_stmt *row = NULL;
    int code = er_store_reader(s, &sql, err);
    if (code == ERRAND_OK)
        code = er_sql_first(sql, ER_Q_RESUMABLE,
            "SELECT id, owner, lease_until FROM runs WHERE todo IN (1,3)"
            " AND parent IS NULL"
            " ORDER BY no",
            ER_NO_VALS, &row, err);
    json_t *list = code == ERRAND_OK ? json_array() : NULL;
    int64_t now = er_now_ms();
    while (code == ERRAND_OK && row) {
        bool owned = sqlite3_column_type(row, 1) != SQLITE_NULL &&
                     sqlite3_column_int64(row, 2) > now &&
                     !er_owner_is_dead(er_col_text(row, 1));
        if (!owned && json_array_append_new(list, er_col_json(row, 0)) != 0)
            code = er_nomem(err);
        else
            code = er_sql_next(sql, &row, err);
    }
    if (row)
        er_sql_end(row);
    if (code == ERRAND_OK)
        return list;
    json_decref(list);
    return NULL;
}

json_t *er_store_events(er_store *s, const char *run_id, int64_t after,
    int64_t limit, struct errand_error *err)
{
    struct er_sql *sql;
    sqlite3_stmt *row = NULL;
    int code = er_store_reader(s, &sql, err);
    if (code == ERRAND_OK)
        code = er_sql_first(sql, ER_Q_EVENTS,
            "SELECT e.id&16777215 AS n, e.event AS event FROM runs r"
            " JOIN events e ON e.id BETWEEN (r.no<<24)+?2+1 AND"
            " (r.no<<24)+16777215 WHERE r.id=?1 ORDER BY e.id LIMIT ?3",
            ER_VALS(er_text(run_id), er_int(after < 0 ? 0 : after),
                er_int(limit)),
            &row, err);
    json_t *list = code == ERRAND_OK ? json_array() : NULL;
    while (code == ERRAND_OK && row) {
        if (json_array_append_new(list, er_row_object(row)) != 0)
            code = er_nomem(err);
        else
            code = er_sql_next(sql, &row, err);
    }
    if (row)
        er_sql_end(row);
    if (code == ERRAND_OK)
        return list;
    json_decref(list);
    return NULL;
}

char *er_store_get(er_store *s, const char *key, struct errand_error *err)
{
    struct er_sql *sql;
    sqlite3_stmt *row = NULL;
    if (er_store_reader(s, &sql, err) != ERRAND_OK ||
        er_sql_first(sql, ER_Q_SETTING_GET,
            "SELECT value FROM settings WHERE key=?1",
            ER_VALS(er_text(key)), &row, err) != ERRAND_OK ||
        !row)
        return NULL;
    char *value = er_strdup(er_col_text(row, 0));
    er_sql_end(row);
    if (!value)
        er_nomem(err);
    return value;
}
