/* Runs and conversations as people see them. */
#include "store/queue.h"
#include "store/states.h"

#include <string.h>

#define RUN_COLUMNS                                                       \
    "r.id AS id, c.id AS conversation, r.state AS state,"                 \
    " r.reason AS reason, t.error AS error,"                              \
    " t.settings->>'$.model' AS model,"                                   \
    " (SELECT m.content->>'$.content' FROM messages m WHERE m.id BETWEEN" \
    "   (r.conv<<24)+r.first_seq AND (r.conv<<24)+r.next_seq"             \
    "   AND m.role='user' AND m.run=r.no LIMIT 1) AS prompt,"             \
    " t.answer AS answer, r.created_ms AS created_ms,"                    \
    " r.updated_ms AS updated_ms, r.turns AS turns, r.calls AS calls,"    \
    " r.prompt_tokens AS prompt_tokens,"                                  \
    " r.completion_tokens AS completion_tokens,"                          \
    " r.cost_micros AS cost_micros"
#define RUN_TABLES                                                        \
    " FROM runs r JOIN conversations c ON c.no=r.conv"                    \
    " JOIN run_texts t ON t.run=r.no "

/* Every row of a question as one array; make turns a row into its value. */
static int collect(struct er_sql *sql, sqlite3_stmt *row,
    json_t *(*make)(sqlite3_stmt *row), json_t **out,
    struct errand_error *err)
{
    int code = ERRAND_OK;
    *out = json_array();
    while (code == ERRAND_OK && row) {
        if (json_array_append_new(*out, make(row)) != 0)
            code = er_nomem(err);
        else
            code = er_sql_next(sql, &row, err);
    }
    if (row)
        er_sql_end(row);
    if (code == ERRAND_OK && *out)
        return ERRAND_OK;
    json_decref(*out);
    *out = NULL;
    return code == ERRAND_OK ? er_nomem(err) : code;
}

json_t *er_store_list(er_store *s, int64_t limit, const char *state,
    const char *conv_id, struct errand_error *err)
{
    struct er_sql *sql;
    sqlite3_stmt *row = NULL;
    json_t *list = NULL;
    if (state && er_run_state_of(state) < 0) {
        er_fail(err, ERRAND_USAGE,
            "\"%.40s\" is no state of a run; there are ready, tools, "
            "paused, done and failed",
            state);
        return NULL;
    }
    if (er_store_reader(s, &sql, err) != ERRAND_OK ||
        er_sql_first(sql, ER_Q_LIST,
            "SELECT " RUN_COLUMNS RUN_TABLES
            "WHERE (?1 IS NULL OR r.state=?1) AND (c.id=?2 OR"
            " (?2 IS NULL AND r.parent IS NULL))"
            " ORDER BY r.no DESC LIMIT ?3",
            ER_VALS(er_text(state), er_text(conv_id), er_int(limit)), &row,
            err) != ERRAND_OK)
        return NULL;
    collect(sql, row, er_row_object, &list, err);
    return list;
}

/* --- one conversation */

/* Take value into object under key; NULL, with the object gone, if either is
 * missing. */
static json_t *with(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) == 0)
        return object;
    json_decref(object);
    return NULL;
}

static json_t *message_json(sqlite3_stmt *row)
{
    json_t *m = er_col_parsed(row, 0);
    if (m && !json_is_object(m)) {
        json_decref(m);
        m = with(json_object(), "content", er_col_json(row, 0));
    }
    m = with(m, "seq", er_col_json(row, 1));
    return with(m, "run", er_col_json(row, 2));
}

static const char *effect_name(int effect)
{
    switch (effect) {
    case ERRAND_PURE:
        return "pure";
    case ERRAND_READ:
        return "read";
    case ERRAND_IDEMPOTENT:
        return "idempotent";
    case ERRAND_KEYED:
        return "keyed";
    default:
        return "unsafe";
    }
}

/* The last two columns: arguments, effect. */
static json_t *call_json(sqlite3_stmt *row)
{
    int last = sqlite3_column_count(row) - 1;
    const char *effect = effect_name(sqlite3_column_int(row, last));
    json_t *c = with(
        er_row_object(row), "arguments", er_col_parsed(row, last - 1));
    return with(c, "effect", json_string(effect));
}

static json_t *attempt_json(sqlite3_stmt *row)
{
    json_t *a = er_row_object(row);
    json_int_t code = json_integer_value(json_object_get(a, "code"));
    return with(a, "code", json_string(errand_code_name((int)code)));
}

static int add_list(struct er_sql *sql, json_t *to, const char *key,
    enum er_slot slot, const char *text, int64_t no,
    json_t *(*make)(sqlite3_stmt *row), struct errand_error *err)
{
    sqlite3_stmt *row = NULL;
    json_t *list = NULL;
    int code =
        er_sql_first(sql, slot, text, ER_VALS(er_int(no)), &row, err);
    if (code == ERRAND_OK)
        code = collect(sql, row, make, &list, err);
    if (code == ERRAND_OK && json_object_set_new(to, key, list) != 0)
        code = er_nomem(err);
    return code;
}

/* A run's calls and attempts; its number stands in it until then. */
static int add_details(
    struct er_sql *sql, json_t *run, struct errand_error *err)
{
    int64_t no = json_integer_value(json_object_get(run, "no"));
    json_object_del(run, "no");
    int code = add_list(sql, run, "calls", ER_Q_SHOW_CALLS,
        "SELECT k.id AS id, k.tool AS tool, k.raw AS raw, k.state AS state,"
        " k.attempt AS attempt, k.asst_seq AS seq, k.idx AS \"index\","
        " k.result_seq AS result_seq, k.idem_key AS key,"
        " k.begun_ms AS begun_ms, k.ended_ms AS ended_ms, k.error AS error,"
        " (SELECT length(s.body) FROM results s JOIN runs r ON r.conv=s.conv"
        "  WHERE r.no=?1 AND s.call=k.id) AS result_len,"
        " a.why AS asked, a.decision AS decision,"
        " a.decided_ms AS decided_ms,"
        " k.args AS arguments, k.effect AS effect"
        " FROM tool_calls k LEFT JOIN approvals a ON a.no=k.no"
        " WHERE k.no BETWEEN ?1<<24 AND (?1<<24)+16777215 ORDER BY k.no",
        no, call_json, err);
    if (code == ERRAND_OK)
        code = add_list(sql, run, "steps", ER_Q_SHOW_STEPS,
            "SELECT s.path AS step, s.kind AS kind, s.about AS about,"
            " s.state AS state, s.attempt AS attempt, s.outside AS outside,"
            " s.begun_ms AS begun_ms, s.ended_ms AS ended_ms, c.id AS run"
            " FROM steps s LEFT JOIN runs c ON c.no=s.child WHERE s.run=?1"
            " ORDER BY s.no",
            no, er_row_object, err);
    if (code != ERRAND_OK)
        return code;
    if (json_array_size(json_object_get(run, "steps")) == 0)
        json_object_del(run, "steps");
    return add_list(sql, run, "attempts", ER_Q_SHOW_ATTEMPTS,
        "SELECT m.id&16777215 AS seq, m.model AS model,"
        " m.started_ms AS started_ms, m.ended_ms AS ended_ms, 0 AS code,"
        " NULL AS error, m.prompt_tokens AS prompt_tokens,"
        " m.completion_tokens AS completion_tokens,"
        " m.cached_tokens AS cached_tokens, m.cost_micros AS cost_micros"
        " FROM runs r JOIN messages m ON m.id BETWEEN"
        " (r.conv<<24)+r.first_seq AND (r.conv<<24)+r.next_seq"
        " AND m.run=r.no WHERE r.no=?1 AND m.started_ms IS NOT NULL"
        " UNION ALL SELECT NULL, model, started_ms, ended_ms, code, error,"
        " prompt_tokens, completion_tokens, cached_tokens, cost_micros"
        " FROM attempts WHERE id BETWEEN ?1<<24 AND (?1<<24)+16777215"
        " ORDER BY 3, 1",
        no, attempt_json, err);
}

static int fill_conversation(struct er_sql *sql, json_t *conv, int64_t no,
    struct errand_error *err)
{
    int code = add_list(sql, conv, "messages", ER_Q_SHOW_MESSAGES,
        "SELECT m.content, m.id&16777215, r.id FROM messages m"
        " LEFT JOIN runs r ON r.no=m.run"
        " WHERE m.id BETWEEN ?1<<24 AND (?1<<24)+16777215 ORDER BY m.id",
        no, message_json, err);
    if (code == ERRAND_OK)
        code = add_list(sql, conv, "runs", ER_Q_SHOW_RUNS,
            "SELECT " RUN_COLUMNS ", r.no AS no" RUN_TABLES
            "WHERE r.conv=?1 ORDER BY r.no",
            no, er_row_object, err);
    size_t i;
    json_t *run;
    json_array_foreach (json_object_get(conv, "runs"), i, run) {
        if (code == ERRAND_OK)
            code = add_details(sql, run, err);
    }
    return code;
}

/* All the questions see the same moment. */
static json_t *show_inside(
    struct er_sql *sql, const char *conv_id, struct errand_error *err)
{
    sqlite3_stmt *row = NULL;
    if (er_sql_first(sql, ER_Q_SHOW_CONV,
            "SELECT id AS id, title AS title, created_ms AS created_ms,"
            " forked_from AS forked_from, no AS no FROM conversations"
            " WHERE id=?1",
            ER_VALS(er_text(conv_id)), &row, err) != ERRAND_OK)
        return NULL;
    if (!row) {
        er_fail(err, ERRAND_NOT_FOUND,
            "there is no conversation %.60s; errand log list shows those "
            "there are",
            conv_id);
        return NULL;
    }
    json_t *conv = er_row_object(row);
    er_sql_end(row);
    if (!conv) {
        er_nomem(err);
        return NULL;
    }
    int64_t no = json_integer_value(json_object_get(conv, "no"));
    json_object_del(conv, "no");
    if (fill_conversation(sql, conv, no, err) == ERRAND_OK)
        return conv;
    json_decref(conv);
    return NULL;
}

json_t *er_store_show(
    er_store *s, const char *conv_id, struct errand_error *err)
{
    struct er_sql *sql;
    if (er_store_reader(s, &sql, err) != ERRAND_OK ||
        er_sql_exec(sql, "BEGIN", err) != ERRAND_OK)
        return NULL;
    json_t *conv = show_inside(sql, conv_id, err);
    sqlite3_exec(sql->db, "COMMIT", NULL, NULL, NULL);
    return conv;
}
