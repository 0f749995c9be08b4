/* What people said yes and no to: approvals of calls, grants of tools' files,
 * rules that hold for always. */
#include "base/clock.h"
#include "store/sqlite_db.h"

int er_sqlite_ask(struct er_sqlite *db, int64_t no,
    const struct er_approval_note *asked, struct errand_error *err)
{
    const char *about = asked && asked->about ? asked->about : "";
    const char *why = asked && asked->why ? asked->why : "";
    return er_sql_run(&db->sql, ER_Q_ASK,
        "INSERT INTO approvals(no,about,why) VALUES(?1,?2,?3)"
        " ON CONFLICT(no) DO UPDATE SET about=excluded.about,"
        " why=excluded.why, decision=NULL, decided_ms=NULL",
        ER_VALS(er_int(no), er_text(about), er_text(why)), err);
}

int er_sqlite_decide(struct er_sqlite *db, int64_t no, const char *decision,
    struct errand_error *err)
{
    if (!decision)
        return ERRAND_OK;
    return er_sql_run(&db->sql, ER_Q_DECIDE,
        "UPDATE approvals SET decision=?2, decided_ms=?3 WHERE no=?1",
        ER_VALS(er_int(no), er_text(decision), er_int(er_now_ms())), err);
}

int er_sqlite_grant(struct er_sqlite *db, struct er_op *op)
{
    if (!op->in.grant.permissions)
        return er_sql_run(&db->sql, ER_Q_GRANT_DELETE,
            "DELETE FROM grants WHERE path=?1",
            ER_VALS(er_text(op->in.grant.path)), &op->err);
    return er_sql_run(&db->sql, ER_Q_GRANT,
        "INSERT INTO grants(path,version,permissions,granted_ms)"
        " VALUES(?1,?2,?3,?4) ON CONFLICT(path) DO UPDATE SET"
        " version=excluded.version, permissions=excluded.permissions,"
        " granted_ms=excluded.granted_ms",
        ER_VALS(er_text(op->in.grant.path), er_text(op->in.grant.version),
            er_text(op->in.grant.permissions), er_int(er_now_ms())),
        &op->err);
}

int er_sqlite_rule(struct er_sqlite *db, struct er_op *op)
{
    if (op->in.rule.remove)
        return er_sql_run(&db->sql, ER_Q_RULE_DELETE,
            "DELETE FROM rules WHERE rule=?1",
            ER_VALS(er_text(op->in.rule.rule)), &op->err);
    return er_sql_run(&db->sql, ER_Q_RULE,
        "INSERT INTO rules(rule,made_ms) VALUES(?1,?2)"
        " ON CONFLICT(rule) DO NOTHING",
        ER_VALS(er_text(op->in.rule.rule), er_int(er_now_ms())), &op->err);
}
