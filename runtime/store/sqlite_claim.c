/* The right to change a run: claims, leases, stops, and the check that every
 * other transition begins with.
 *
 * Each claim raises the run's epoch. An executor that lost its lease carries
 * an older one, so whatever it still tries is refused as FENCED.
 */
#include "base/clock.h"
#include "store/sqlite_db.h"
#include "store/sqlite_load.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int no_run(const char *id, struct errand_error *err)
{
    return er_fail(err, ERRAND_NOT_FOUND,
        "there is no run %.60s; errand log list shows those there are", id);
}

int er_sqlite_hot_row(sqlite3_stmt *row, const struct er_claim *claim,
    struct er_hot *out, struct errand_error *err)
{
    if (!row)
        return no_run(claim->run_id, err);
    *out = (struct er_hot){
        .no = sqlite3_column_int64(row, 0),
        .conv = sqlite3_column_int64(row, 1),
        .epoch = sqlite3_column_int64(row, 2),
        .state = er_run_state_of(er_col_text(row, 3)),
        .next_seq = sqlite3_column_int64(row, 4),
        .open_calls = sqlite3_column_int64(row, 5),
        .calls = sqlite3_column_int64(row, 6),
    };
    if (out->state < 0) /* the name could not be read: no memory */
        return er_nomem(err);
    if (out->epoch == claim->epoch)
        return ERRAND_OK;
    return er_fail(err, ERRAND_FENCED,
        "run %.40s was taken over (claim %" PRId64 ", now %" PRId64 ")",
        claim->run_id, claim->epoch, out->epoch);
}

int er_sqlite_hot(struct er_sqlite *db, const struct er_claim *claim,
    struct er_hot *out, struct errand_error *err)
{
    sqlite3_stmt *row = NULL;
    int code = er_sql_first(&db->sql, ER_Q_RUN,
        "SELECT " ER_HOT_COLUMNS " FROM runs r WHERE r.id=?1",
        ER_VALS(er_text(claim->run_id)), &row, err);
    if (code == ERRAND_OK)
        code = er_sqlite_hot_row(row, claim, out, err);
    if (row)
        er_sql_end(row);
    return code;
}

struct candidate {
    char id[ER_ID_SIZE];
    int state;
    bool free, last; /* nobody else's; its conversation has not gone on */
};

static bool is_free(sqlite3_stmt *row, const struct er_claim_request *in,
    bool named, int64_t now)
{
    if (sqlite3_column_type(row, 2) == SQLITE_NULL)
        return true;
    const char *owner = er_col_text(row, 2);
    if (strcmp(owner, in->owner) == 0)
        return named; /* its own: only if it is asked for */
    return sqlite3_column_int64(row, 3) <= now || er_owner_is_dead(owner);
}

static void fill(struct candidate *c, sqlite3_stmt *row,
    const struct er_claim_request *in, int64_t now)
{
    snprintf(c->id, sizeof c->id, "%s", er_col_text(row, 0));
    c->state = er_run_state_of(er_col_text(row, 1));
    c->free = is_free(row, in, in->run_id != NULL, now);
    c->last = sqlite3_column_int64(row, 4) != 0;
}

#define CANDIDATE                                                         \
    "SELECT r.id, r.state, r.owner, r.lease_until,"                       \
    " r.no=(SELECT max(no) FROM runs WHERE conv=r.conv) FROM runs r "

static int find_named(struct er_sqlite *db,
    const struct er_claim_request *in, struct candidate *c,
    struct errand_error *err)
{
    sqlite3_stmt *row = NULL;
    int code = er_sql_first(&db->sql, ER_Q_RUN_CLAIMABLE,
        CANDIDATE "WHERE r.id=?1", ER_VALS(er_text(in->run_id)), &row, err);
    if (code != ERRAND_OK)
        return code;
    if (!row)
        return no_run(in->run_id, err);
    fill(c, row, in, er_now_ms());
    er_sql_end(row);
    return ERRAND_OK;
}

static int find_oldest(struct er_sqlite *db,
    const struct er_claim_request *in, struct candidate *c,
    struct errand_error *err)
{
    sqlite3_stmt *row = NULL;
    int64_t now = er_now_ms();
    int code = er_sql_first(&db->sql, ER_Q_RUN_OLDEST,
        CANDIDATE "WHERE r.todo IN (1,3) AND r.parent IS NULL"
        " ORDER BY r.no", ER_NO_VALS, &row,
        err);
    while (code == ERRAND_OK && row) {
        fill(c, row, in, now);
        if (c->free) {
            er_sql_end(row);
            return ERRAND_OK;
        }
        code = er_sql_next(&db->sql, &row, err);
    }
    if (code != ERRAND_OK)
        return code;
    return er_fail(err, ERRAND_NOT_FOUND, "no run waits to go on");
}

static int check_candidate(const struct candidate *c, bool force,
    struct errand_error *err)
{
    if (c->state < 0)
        return er_nomem(err);
    if (c->state == ER_RUN_DONE)
        return er_fail(err, ERRAND_STATE,
            "run %.40s is done; send a new request to its conversation",
            c->id);
    if (!c->free)
        return er_fail(err, ERRAND_BUSY,
            "run %.40s is under way in another process; wait for it", c->id);
    if (er_run_is_live(c->state))
        return ERRAND_OK;
    if (!force)
        return er_fail(err, ERRAND_STATE,
            "run %.40s is %s; errand resume %.40s goes on with it", c->id,
            er_run_state_name(c->state), c->id);
    if (!c->last)
        return er_fail(err, ERRAND_STATE,
            "run %.40s cannot go on: its conversation has gone on without "
            "it; errand log fork copies an earlier part",
            c->id);
    return ERRAND_OK;
}

int er_sqlite_claim(struct er_sqlite *db, struct er_op *op)
{
    const struct er_claim_request *in = &op->in.claim;
    struct candidate c = {{0}, 0, false, false};
    int code = in->run_id ? find_named(db, in, &c, &op->err)
                          : find_oldest(db, in, &c, &op->err);
    if (code == ERRAND_OK)
        code = check_candidate(&c, in->force, &op->err);
    if (code != ERRAND_OK)
        return code;
    int64_t now = er_now_ms();
    code = er_sql_run(&db->sql, ER_Q_RUN_CLAIM,
        "UPDATE runs SET epoch=epoch+1, owner=?2, lease_until=?3,"
        " updated_ms=?4 WHERE id=?1",
        ER_VALS(er_text(c.id), er_text(in->owner),
            er_int(now + in->lease_ms), er_int(now)),
        &op->err);
    if (code == ERRAND_OK && !er_run_is_live(c.state))
        code = er_sql_run(&db->sql, ER_Q_RUN_CLEAR,
            "UPDATE runs SET todo=todo|1, code=0, reason=NULL, state="
            " CASE open_calls WHEN 0 THEN 'ready' ELSE 'tools' END"
            " WHERE id=?1",
            ER_VALS(er_text(c.id)), &op->err);
    if (code != ERRAND_OK)
        return code;
    return er_sqlite_load(db, c.id, &op->arena, &op->out.loaded, &op->err);
}

int er_sqlite_extend(struct er_sqlite *db, struct er_op *op)
{
    struct er_hot run;
    const struct er_claim *claim = &op->in.extend.claim;
    int code = er_sqlite_hot(db, claim, &run, &op->err);
    if (code != ERRAND_OK)
        return code;
    if (!er_run_is_live(run.state))
        return er_fail(&op->err, ERRAND_STATE,
            "run %.40s is %s: its lease is over", claim->run_id,
            er_run_state_name(run.state));
    return er_sql_run(&db->sql, ER_Q_RUN_EXTEND,
        "UPDATE runs SET lease_until=?2 WHERE no=?1",
        ER_VALS(er_int(run.no), er_int(er_now_ms() + op->in.extend.lease_ms)),
        &op->err);
}

int er_sqlite_stop(struct er_sqlite *db, struct er_op *op)
{
    const struct er_stop *in = &op->in.stop;
    struct er_hot run;
    int code = er_sqlite_hot(db, &in->claim, &run, &op->err);
    if (code != ERRAND_OK)
        return code;
    if (in->state != ER_RUN_PAUSED && in->state != ER_RUN_FAILED)
        return er_fail(&op->err, ERRAND_USAGE,
            "a run stops as paused or failed, not as %s",
            er_run_state_name(in->state));
    if (run.state == ER_RUN_DONE)
        return er_fail(&op->err, ERRAND_STATE, "run %.40s is done",
            in->claim.run_id);
    code = er_sql_run(&db->sql, ER_Q_RUN_STOP,
        "UPDATE runs SET state=?2, todo=2, owner=NULL, lease_until=0,"
        " code=?3, reason=?4, updated_ms=?5 WHERE no=?1",
        ER_VALS(er_int(run.no), er_text(er_run_state_name(in->state)),
            er_int(in->code), er_text(in->reason), er_int(er_now_ms())),
        &op->err);
    if (code != ERRAND_OK)
        return code;
    return er_sql_run(&db->sql, ER_Q_RUN_ERROR,
        "UPDATE run_texts SET error=?2 WHERE run=?1",
        ER_VALS(er_int(run.no), er_text(in->error)), &op->err);
}
