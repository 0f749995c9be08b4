/* Applying the ops of a batch; one that fails is undone alone.
 *
 * With a savepoint SQLite keeps a copy of each page before an op changes it,
 * which costs a third of the op. Nearly every op either works or is refused
 * before it has changed anything, so a batch does without. If one fails
 * halfway, the batch is rolled back and its ops are applied once more, each
 * with a savepoint: the write lock is held all the while, so they come to
 * the same. If SQLite itself rolled back (disk full, I/O error), the batch is
 * poisoned: it refuses further ops and its commit fails with the first error.
 */
#include "store/sqlite_db.h"

#include <stdlib.h>
#include <string.h>

int er_sqlite_begin(struct er_sqlite *db, struct errand_error *err)
{
    db->applied = 0;
    db->careful = false;
    return er_sql_run(
        &db->sql, ER_Q_BEGIN, "BEGIN IMMEDIATE", ER_NO_VALS, err);
}

int er_sqlite_roll_back(struct er_sqlite *db, struct errand_error *err)
{
    if (sqlite3_get_autocommit(db->sql.db))
        return ERRAND_OK; /* SQLite did it already */
    return er_sql_run(
        &db->sql, ER_Q_ROLLBACK, "ROLLBACK", ER_NO_VALS, err);
}

static int poison(struct er_sqlite *db, const struct errand_error *err)
{
    if (!db->poisoned)
        db->poison = *err;
    db->poisoned = true;
    return err->code;
}

static int run_op(struct er_sqlite *db, struct er_op *op)
{
    static int (*const run[])(struct er_sqlite *, struct er_op *) = {
        [ER_OP_ACCEPT] = er_sqlite_accept,
        [ER_OP_CLAIM] = er_sqlite_claim,
        [ER_OP_EXTEND] = er_sqlite_extend,
        [ER_OP_STEP] = er_sqlite_step,
        [ER_OP_BEGIN] = er_sqlite_begin_call,
        [ER_OP_FINISH] = er_sqlite_finish,
        [ER_OP_ATTEMPT] = er_sqlite_attempt,
        [ER_OP_APPEND] = er_sqlite_append,
        [ER_OP_STOP] = er_sqlite_stop,
        [ER_OP_EVENTS] = er_sqlite_events,
        [ER_OP_RESOLVE] = er_sqlite_resolve,
        [ER_OP_FORK] = er_sqlite_fork,
        [ER_OP_REMOVE] = er_sqlite_remove,
        [ER_OP_READ] = er_sqlite_read,
        [ER_OP_PUT] = er_sqlite_put,
        [ER_OP_TIDY] = er_sqlite_tidy,
        [ER_OP_GRANT] = er_sqlite_grant,
        [ER_OP_RULE] = er_sqlite_rule,
        [ER_OP_KV_SET] = er_sqlite_kv_set,
        [ER_OP_KV_GET] = er_sqlite_kv_get,
        [ER_OP_KV_LIST] = er_sqlite_kv_list,
        [ER_OP_OPEN_STEP] = er_sqlite_open_step,
        [ER_OP_CLOSE_STEP] = er_sqlite_close_step,
    };
    if ((size_t)op->kind >= sizeof run / sizeof run[0])
        return er_fail(&op->err, ERRAND_BUG, "no op %d", (int)op->kind);
    return run[op->kind](db, op);
}

/* Run it; *changed tells whether there is something to undo. */
static int try_op(struct er_sqlite *db, struct er_op *op, bool *changed)
{
    int64_t before = sqlite3_total_changes64(db->sql.db);
    int code = run_op(db, op);
    *changed = sqlite3_total_changes64(db->sql.db) != before ||
               sqlite3_get_autocommit(db->sql.db);
    return code;
}

/* --- with a savepoint */

static int undo(struct er_sqlite *db, struct errand_error *err)
{
    if (sqlite3_get_autocommit(db->sql.db))
        return er_fail(err, ERRAND_STORE, "the batch was rolled back");
    return er_sql_run(&db->sql, ER_Q_ROLLBACK_TO, "ROLLBACK TO op",
        ER_NO_VALS, err);
}

static int apply_carefully(struct er_sqlite *db, struct er_op *op)
{
    bool changed;
    if (er_sql_run(&db->sql, ER_Q_SAVEPOINT, "SAVEPOINT op", ER_NO_VALS,
            &op->err) != ERRAND_OK)
        return poison(db, &op->err);
    int code = try_op(db, op, &changed);
    struct errand_error err = op->err;
    if (code != ERRAND_OK && changed && undo(db, &err) != ERRAND_OK)
        return poison(db, &op->err);
    if (er_sql_run(&db->sql, ER_Q_RELEASE, "RELEASE op", ER_NO_VALS, &err) !=
        ERRAND_OK)
        poison(db, &err);
    return code;
}

/* --- without */

static int remember(struct er_sqlite *db, struct er_op *op)
{
    if (db->applied == db->room) {
        size_t room = db->room ? db->room * 2 : 64;
        struct er_op **ops = realloc(db->ops, room * sizeof(struct er_op *));
        if (!ops)
            return er_nomem(&op->err);
        db->ops = ops;
        db->room = room;
    }
    db->ops[db->applied++] = op;
    return ERRAND_OK;
}

static void reset(struct er_op *op)
{
    memset(&op->out, 0, sizeof op->out);
    op->err = (struct errand_error){.at = -1};
}

/* op failed halfway. Everything once more, with savepoints. */
static int start_over(struct er_sqlite *db, struct er_op *op)
{
    struct errand_error err = op->err;
    size_t n = db->applied - 1; /* op is the last */
    if (sqlite3_get_autocommit(db->sql.db) && n > 0)
        return poison(db, &op->err);
    if (er_sqlite_roll_back(db, &err) != ERRAND_OK ||
        er_sqlite_begin(db, &err) != ERRAND_OK)
        return poison(db, &op->err);
    if (n == 0)
        return op->err.code;
    db->careful = true;
    for (size_t i = 0; i < n && !db->poisoned; i++) {
        reset(db->ops[i]);
        db->ops[i]->code = apply_carefully(db, db->ops[i]);
    }
    if (db->poisoned)
        return op->err.code;
    reset(op);
    return apply_carefully(db, op);
}

static int apply_one(struct er_sqlite *db, struct er_op *op)
{
    bool changed;
    if (db->careful)
        return apply_carefully(db, op);
    if (remember(db, op) != ERRAND_OK)
        return op->err.code;
    int code = try_op(db, op, &changed);
    if (code != ERRAND_OK && changed)
        return start_over(db, op);
    if (code != ERRAND_OK)
        db->applied--;
    return code;
}

int er_sqlite_apply(void *self, struct er_op *op)
{
    struct er_sqlite *db = self;
    memset(&op->out, 0, sizeof op->out);
    if (db->poisoned) {
        op->err = db->poison;
        op->code = db->poison.code;
    } else {
        op->code = apply_one(db, op);
    }
    return op->code;
}
