/* The steps of a script: what each was asked with, and what it gave.
 *
 * A step is opened before its work begins and closed with its value; both
 * rows travel in the queue before whatever they allow, so that no effect is
 * ever stored that a step does not account for. A step whose work is a run of
 * its own keeps no value: the run's answer is the value. */
#include "base/clock.h"
#include "store/queue.h"
#include "store/sqlite_db.h"

static int check_step(const struct er_hot *run,
    const struct er_script_step_row *s, struct errand_error *err)
{
    if (er_run_is_live(run->state))
        return ERRAND_OK;
    return er_fail(err, ERRAND_STATE, "run %.40s is %s: it takes no steps",
        s->claim.run_id, er_run_state_name(run->state));
}

int er_sqlite_open_step(struct er_sqlite *db, struct er_op *op)
{
    const struct er_script_step_row *s = &op->in.script_step;
    struct er_hot run;
    int code = er_sqlite_hot(db, &s->claim, &run, &op->err);
    if (code == ERRAND_OK)
        code = check_step(&run, s, &op->err);
    if (code != ERRAND_OK)
        return code;
    return er_sql_run(&db->sql, ER_Q_STEP_OPEN,
        "INSERT INTO steps(run,path,kind,digest,about,state,attempt,begun_ms)"
        " VALUES(?1,?2,?3,?4,?5,'open',?6,?7)"
        " ON CONFLICT(run,path) DO UPDATE SET state='open', value=NULL,"
        " child=CASE attempt WHEN ?6 THEN child END, attempt=?6,"
        " ended_ms=NULL",
        ER_VALS(er_int(run.no), er_text(s->path), er_text(s->kind),
            er_text(s->digest), er_text(s->about), er_int(s->attempt),
            er_int(er_now_ms())),
        &op->err);
}

/* What a step keeps for its agent commits with the step: exactly once. */
static int keep(struct er_sqlite *db, struct er_op *op)
{
    const struct er_script_step_row *s = &op->in.script_step;
    if (!s->keep_for)
        return ERRAND_OK;
    struct er_op inner = {.kind = ER_OP_KV_SET, .arena = op->arena};
    inner.in.kv.tool = s->keep_for;
    inner.in.kv.key = s->keep_key;
    inner.in.kv.value = s->keep_value;
    inner.in.kv.external = s->outside;
    int code = er_sqlite_kv_set(db, &inner);
    op->arena = inner.arena;
    if (code != ERRAND_OK)
        op->err = inner.err;
    return code;
}

int er_sqlite_close_step(struct er_sqlite *db, struct er_op *op)
{
    const struct er_script_step_row *s = &op->in.script_step;
    struct er_hot run;
    int code = er_sqlite_hot(db, &s->claim, &run, &op->err);
    if (code == ERRAND_OK)
        code = check_step(&run, s, &op->err);
    if (code != ERRAND_OK)
        return code;
    int64_t now = er_now_ms();
    code = er_sql_run(&db->sql, ER_Q_STEP_CLOSE,
        "INSERT INTO steps(run,path,kind,digest,about,state,attempt,outside,"
        " begun_ms,ended_ms,value) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?9,?10)"
        " ON CONFLICT(run,path) DO UPDATE SET state=?6, outside=?8,"
        " ended_ms=?9, value=?10",
        ER_VALS(er_int(run.no), er_text(s->path), er_text(s->kind),
            er_text(s->digest), er_text(s->about),
            er_text(s->failed ? "failed" : "done"), er_int(s->attempt),
            er_int(s->outside), er_int(now), er_text(s->value)),
        &op->err);
    return code == ERRAND_OK ? keep(db, op) : code;
}

int er_sqlite_adopt(struct er_sqlite *db, int64_t run,
    const struct er_accept *in, struct errand_error *err)
{
    if (!in->parent)
        return ERRAND_OK;
    int code = er_sql_run(&db->sql, ER_Q_RUN_ADOPT,
        "UPDATE runs SET parent=(SELECT no FROM runs WHERE id=?2)"
        " WHERE no=?1",
        ER_VALS(er_int(run), er_text(in->parent)), err);
    if (code != ERRAND_OK)
        return code;
    return er_sql_run(&db->sql, ER_Q_STEP_CHILD,
        "UPDATE steps SET child=?1 WHERE path=?3 AND run="
        "(SELECT no FROM runs WHERE id=?2)",
        ER_VALS(er_int(run), er_text(in->parent), er_text(in->parent_step)),
        err);
}

json_t *er_store_steps(
    er_store *s, const char *run_id, struct errand_error *err)
{
    return er_store_rows(s, ER_Q_STEPS,
        "SELECT s.path AS step, s.kind AS kind, s.digest AS digest,"
        " s.about AS about, s.state AS state, s.attempt AS attempt,"
        " s.outside AS outside, s.begun_ms AS begun_ms,"
        " s.ended_ms AS ended_ms, s.value AS value, c.id AS run,"
        " t.answer AS answer FROM runs r JOIN steps s ON s.run=r.no"
        " LEFT JOIN runs c ON c.no=s.child"
        " LEFT JOIN run_texts t ON t.run=s.child"
        " WHERE r.id=?1 ORDER BY s.no",
        ER_VALS(er_text(run_id)), err);
}
