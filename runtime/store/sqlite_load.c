/* Reading a run back: once when it is claimed, never while it runs. */
#include "store/sqlite_load.h"

#include <stdio.h>
#include <string.h>

int er_sqlite_run_row(struct er_sqlite *db, const char *run_id,
    struct er_arena *arena, struct er_run_row *out,
    struct errand_error *err)
{
    sqlite3_stmt *row = NULL;
    int code = er_sql_first(&db->sql, ER_Q_RUN_ROW,
        "SELECT r.id, r.epoch, c.id, r.state, r.reason, t.error, t.settings,"
        " t.answer, r.code, r.created_ms, r.updated_ms, r.turns, r.calls,"
        " r.prompt_tokens, r.completion_tokens, r.cost_micros, r.first_seq"
        " FROM runs r JOIN conversations c ON c.no=r.conv"
        " JOIN run_texts t ON t.run=r.no WHERE r.id=?1",
        ER_VALS(er_text(run_id)), &row, err);
    if (code != ERRAND_OK)
        return code;
    if (!row)
        return er_fail(
            err, ERRAND_NOT_FOUND, "there is no run %.60s", run_id);
    bool nomem = false;
    snprintf(out->claim.run_id, ER_ID_SIZE, "%s", er_col_text(row, 0));
    out->claim.epoch = sqlite3_column_int64(row, 1);
    snprintf(out->conv_id, ER_ID_SIZE, "%s", er_col_text(row, 2));
    out->state = er_run_state_of(er_col_text(row, 3));
    out->reason = er_col_copy(row, 4, arena, &nomem);
    out->error = er_col_copy(row, 5, arena, &nomem);
    out->settings = er_col_copy(row, 6, arena, &nomem);
    out->answer = er_col_copy(row, 7, arena, &nomem);
    out->code = sqlite3_column_int(row, 8);
    out->created_ms = sqlite3_column_int64(row, 9);
    out->updated_ms = sqlite3_column_int64(row, 10);
    out->turns = sqlite3_column_int64(row, 11);
    out->calls = sqlite3_column_int64(row, 12);
    out->prompt_tokens = sqlite3_column_int64(row, 13);
    out->completion_tokens = sqlite3_column_int64(row, 14);
    out->cost_micros = sqlite3_column_int64(row, 15);
    out->first_seq = sqlite3_column_int64(row, 16);
    er_sql_end(row);
    return nomem || out->state < 0 ? er_nomem(err) : ERRAND_OK;
}

/* One more place in an arena's array of *n things; NULL: no memory. The old
 * array stays in the arena, which is freed whole. */
static void *grow(struct er_arena *arena, void *array, size_t n, size_t size)
{
    if (n & (n - 1)) /* sizes are powers of two: only then it is full */
        return array;
    size_t room = n == 0 ? 1 : 2 * n;
    if (room > SIZE_MAX / size)
        return NULL;
    void *bigger = er_arena_alloc(arena, room * size);
    if (bigger && n)
        memcpy(bigger, array, n * size);
    return bigger;
}

static void fill_message(struct er_message_row *m, sqlite3_stmt *row,
    struct er_arena *arena, bool *nomem)
{
    m->seq = sqlite3_column_int64(row, 0) & ER_PLACE_MAX;
    m->role = er_col_copy(row, 1, arena, nomem);
    m->content = er_col_copy(row, 2, arena, nomem);
    m->run_id = er_col_copy(row, 3, arena, nomem);
}

static int load_messages(struct er_sqlite *db, int64_t conv,
    struct er_arena *arena, struct er_loaded *out, struct errand_error *err)
{
    struct er_message_row *list = NULL;
    sqlite3_stmt *row = NULL;
    bool nomem = false;
    int code = er_sql_first(&db->sql, ER_Q_MESSAGES,
        "SELECT m.id, m.role, m.content, r.id FROM messages m"
        " LEFT JOIN runs r ON r.no=m.run"
        " WHERE m.id BETWEEN ?1 AND ?2 ORDER BY m.id",
        ER_VALS(er_int(er_key(conv, 0)), er_int(er_key(conv, ER_PLACE_MAX))),
        &row, err);
    while (code == ERRAND_OK && row) {
        list = grow(arena, list, out->n_messages, sizeof *list);
        if (list)
            fill_message(&list[out->n_messages++], row, arena, &nomem);
        if (!list || nomem) {
            er_sql_end(row);
            return er_nomem(err);
        }
        code = er_sql_next(&db->sql, &row, err);
    }
    out->messages = list;
    return code;
}

static void fill_call(struct er_call_row *c, sqlite3_stmt *row,
    struct er_arena *arena, bool *nomem)
{
    c->call_id = er_col_copy(row, 0, arena, nomem);
    c->tool = er_col_copy(row, 1, arena, nomem);
    c->arguments = er_col_copy(row, 2, arena, nomem);
    c->idem_key = er_col_copy(row, 3, arena, nomem);
    c->asst_seq = sqlite3_column_int64(row, 4);
    c->result_seq = sqlite3_column_int64(row, 5);
    c->idx = sqlite3_column_int(row, 6);
    c->state = er_call_state_of(er_col_text(row, 7));
    c->effect = sqlite3_column_int(row, 8);
    c->attempt = sqlite3_column_int(row, 9);
    c->result = er_col_copy(row, 10, arena, nomem);
    c->result_len = (size_t)sqlite3_column_bytes(row, 10);
    c->error = er_col_copy(row, 11, arena, nomem);
    c->about = er_col_copy(row, 12, arena, nomem);
    c->decision = er_col_copy(row, 13, arena, nomem);
    if (c->state < 0)
        *nomem = true;
}

static int load_calls(struct er_sqlite *db, const char *run_id,
    struct er_arena *arena, struct er_loaded *out, struct errand_error *err)
{
    struct er_call_row *list = NULL;
    sqlite3_stmt *row = NULL;
    bool nomem = false;
    int code = er_sql_first(&db->sql, ER_Q_CALLS,
        "SELECT k.id, k.tool, k.args, k.idem_key, k.asst_seq, k.result_seq,"
        " k.idx, k.state, k.effect, k.attempt, s.body, k.error,"
        " a.about, a.decision FROM runs r JOIN tool_calls k ON"
        " k.no BETWEEN r.no<<24 AND (r.no<<24)+16777215"
        " LEFT JOIN approvals a ON a.no=k.no"
        " LEFT JOIN results s ON s.conv=r.conv AND s.call=k.id"
        " WHERE r.id=?1 ORDER BY k.no",
        ER_VALS(er_text(run_id)), &row, err);
    while (code == ERRAND_OK && row) {
        list = grow(arena, list, out->n_calls, sizeof *list);
        if (list)
            fill_call(&list[out->n_calls++], row, arena, &nomem);
        if (!list || nomem) {
            er_sql_end(row);
            return er_nomem(err);
        }
        for (size_t i = 0; i < out->n_calls; i++)
            list[i].run_id = out->run.claim.run_id;
        code = er_sql_next(&db->sql, &row, err);
    }
    out->calls = list;
    return code;
}

int er_sqlite_load(struct er_sqlite *db, const char *run_id,
    struct er_arena *arena, struct er_loaded *out, struct errand_error *err)
{
    struct er_hot hot;
    int code = er_sqlite_run_row(db, run_id, arena, &out->run, err);
    if (code == ERRAND_OK)
        code = er_sqlite_hot(db, &out->run.claim, &hot, err);
    if (code == ERRAND_OK)
        code = load_messages(db, hot.conv, arena, out, err);
    if (code == ERRAND_OK)
        code = load_calls(db, run_id, arena, out, err);
    return code;
}
