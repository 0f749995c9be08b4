/* A SQLite connection with its statements kept prepared, and values bound by
 * type. SQL text stands where it is used; a slot names its prepared form. */
#ifndef ERRAND_STORE_SQLITE_SQL_H
#define ERRAND_STORE_SQLITE_SQL_H

#include "base/arena.h"
#include "base/error.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One per statement text in the code. */
enum er_slot {
    ER_Q_BEGIN,
    ER_Q_COMMIT,
    ER_Q_ROLLBACK,
    ER_Q_SAVEPOINT,
    ER_Q_ROLLBACK_TO,
    ER_Q_RELEASE,
    ER_Q_RUN,
    ER_Q_RUN_BY_KEY,
    ER_Q_RUN_CLAIMABLE,
    ER_Q_RUN_OLDEST,
    ER_Q_RUN_LAST,
    ER_Q_RUN_ROW,
    ER_Q_RUN_INSERT,
    ER_Q_RUN_TEXTS_INSERT,
    ER_Q_RUN_CLAIM,
    ER_Q_RUN_CLEAR,
    ER_Q_RUN_EXTEND,
    ER_Q_RUN_STEP,
    ER_Q_RUN_DONE,
    ER_Q_RUN_ANSWER,
    ER_Q_RUN_FINISH,
    ER_Q_RUN_FINISH_STOPPED,
    ER_Q_RUN_BY_NO,
    ER_Q_RUN_APPEND,
    ER_Q_RUN_COST,
    ER_Q_RUN_STOP,
    ER_Q_RUN_ERROR,
    ER_Q_RUN_SUPERSEDE,
    ER_Q_RUN_LIVE,
    ER_Q_RUNS_DELETE,
    ER_Q_RUN_TEXTS_DELETE,
    ER_Q_CONV,
    ER_Q_CONV_INSERT,
    ER_Q_CONV_DELETE,
    ER_Q_CONV_FORK,
    ER_Q_MESSAGE_INSERT,
    ER_Q_TURN_INSERT,
    ER_Q_MESSAGE_MAX,
    ER_Q_MESSAGES,
    ER_Q_MESSAGES_COPY,
    ER_Q_MESSAGES_DELETE,
    ER_Q_MESSAGE_GROUP,
    ER_Q_MESSAGE_COUNT,
    ER_Q_MESSAGE_PART,
    ER_Q_CALL,
    ER_Q_CALL_OF_RUN,
    ER_Q_CALL_INSERT,
    ER_Q_CALL_BEGIN,
    ER_Q_CALL_FINISH,
    ER_Q_CALLS,
    ER_Q_CALLS_OPEN,
    ER_Q_CALLS_DELETE,
    ER_Q_ATTEMPT_MAX,
    ER_Q_ATTEMPT_INSERT,
    ER_Q_ATTEMPTS_DELETE,
    ER_Q_EVENT_MAX,
    ER_Q_EVENT_INSERT,
    ER_Q_EVENTS_DELETE,
    ER_Q_RESULT_INSERT,
    ER_Q_RESULT_PART,
    ER_Q_RESULTS_COPY,
    ER_Q_RESULTS_DELETE,
    ER_Q_ASK,
    ER_Q_DECIDE,
    ER_Q_APPROVALS_DELETE,
    ER_Q_GRANT,
    ER_Q_GRANT_DELETE,
    ER_Q_RULE,
    ER_Q_RULE_DELETE,
    ER_Q_KV_SET,
    ER_Q_KV_DELETE,
    ER_Q_KV_HAS,
    ER_Q_KV_COUNT,
    ER_Q_KV_GET,
    ER_Q_KV_LIST,
    ER_Q_STEP_OPEN,
    ER_Q_STEP_CLOSE,
    ER_Q_STEP_CHILD,
    ER_Q_STEPS_DELETE,
    ER_Q_RUN_ADOPT,
    ER_Q_KIN,
    ER_Q_SETTING_PUT,
    ER_Q_SETTING_DELETE,
    ER_Q_SETTING_GET,
    ER_Q_INDEX_TODO,
    ER_Q_INDEX_ROWS,
    ER_Q_INDEX_INSERT,
    ER_Q_INDEX_MOVE,
    ER_Q_INDEX_CLEAR,
    ER_Q_INDEX_COPY,
    ER_Q_INDEX_FORK,
    ER_Q_INDEX_DELETE,
    /* questions */
    ER_Q_FIND_RUN,
    ER_Q_FIND_CONV,
    ER_Q_FIND_CALL,
    ER_Q_CONV_OF,
    ER_Q_TOOL_OF,
    ER_Q_STATE_OF,
    ER_Q_GRANTS,
    ER_Q_RULES,
    ER_Q_RESUMABLE,
    ER_Q_EVENTS,
    ER_Q_LIST,
    ER_Q_SHOW_CONV,
    ER_Q_SHOW_MESSAGES,
    ER_Q_SHOW_RUNS,
    ER_Q_SHOW_CALLS,
    ER_Q_SHOW_ATTEMPTS,
    ER_Q_SHOW_STEPS,
    ER_Q_STEPS,
    ER_Q_SEARCH,
    ER_Q_CHECK,
    /* documents (runtime/search) */
    ER_D_KNOWN,
    ER_D_NUMBER,
    ER_D_TOUCH,
    ER_D_INSERT,
    ER_D_CHUNK_INSERT,
    ER_D_WORDS_INSERT,
    ER_D_NAMES_INSERT,
    ER_D_DOCUMENT,
    ER_D_CHUNKS,
    ER_D_WORDS_DELETE,
    ER_D_NAMES_DELETE,
    ER_D_CHUNKS_DELETE,
    ER_D_DELETE,
    ER_D_TOTALS_ADD,
    ER_D_TOTALS,
    ER_D_UNDER,
    ER_D_COUNT_WORD,
    ER_D_FILTER,
    ER_D_FIND_WORDS,
    ER_D_FIND_NAMES,
    ER_D_CHUNK,
    ER_D_READ,
    ER_D_BY_PATH,
    ER_D_BY_END,
    ER_D_LIST,
    ER_D_COLLECTIONS,
    ER_D_VERSION,
    ER_SLOTS,
};

struct er_sql {
    sqlite3 *db;
    const char *path; /* for messages; borrowed from the owner */
    sqlite3_stmt *stmts[ER_SLOTS];
};

/* Finalize the statements and close. [owner] */
void er_sql_close(struct er_sql *sql);

/* --- values */

enum er_val_type { ER_VAL_NULL, ER_VAL_INT, ER_VAL_TEXT, ER_VAL_BLOB };

struct er_val {
    enum er_val_type type;
    int64_t i;
    const void *p;
    size_t len;
};

/* Borrowed until the statement is reset; NULL is SQL's NULL. */
static inline struct er_val er_text(const char *s)
{
    return (struct er_val){.type = s ? ER_VAL_TEXT : ER_VAL_NULL, .p = s};
}

static inline struct er_val er_blob(const void *p, size_t len)
{
    return (struct er_val){
        .type = p ? ER_VAL_BLOB : ER_VAL_NULL, .p = p, .len = len};
}

static inline struct er_val er_int(int64_t i)
{
    return (struct er_val){.type = ER_VAL_INT, .i = i};
}

struct er_vals {
    size_t n;
    const struct er_val *v;
};

#define ER_VALS(...)                                                      \
    ((struct er_vals){                                                    \
        sizeof((struct er_val[]){__VA_ARGS__}) / sizeof(struct er_val),   \
        (const struct er_val[]){__VA_ARGS__}})
#define ER_NO_VALS ((struct er_vals){0, NULL})

/* --- statements. All return an errand_code with err set. */

/* Run to the end; rows are dropped. */
int er_sql_run(struct er_sql *sql, enum er_slot slot, const char *text,
    struct er_vals vals, struct errand_error *err);

/* Begin; *row is the statement at its first row, or NULL if there is none.
 * After the last row it is reset; before that er_sql_end must be called. */
int er_sql_first(struct er_sql *sql, enum er_slot slot, const char *text,
    struct er_vals vals, sqlite3_stmt **row, struct errand_error *err);
int er_sql_next(
    struct er_sql *sql, sqlite3_stmt **row, struct errand_error *err);
void er_sql_end(sqlite3_stmt *row);

/* Run text that is used once. */
int er_sql_exec(
    struct er_sql *sql, const char *text, struct errand_error *err);

/* First column of the first row as a number; 0 if there is none. */
int er_sql_int(struct er_sql *sql, const char *text, int64_t *out,
    struct errand_error *err);

/* What SQLite's result means to errand, with what to do about it. */
int er_sql_fail(struct er_sql *sql, int rc, struct errand_error *err);

/* Column as text ("" for NULL and without memory); borrowed until the next
 * step. */
const char *er_col_text(sqlite3_stmt *row, int column);

/* Column copied into an arena; NULL for NULL, and sets *nomem. */
const char *er_col_copy(
    sqlite3_stmt *row, int column, struct er_arena *arena, bool *nomem);

#endif
