/* T1, the model's step, and what belongs to a turn beside it: attempts that
 * failed, further messages, events of the stream. */
#include "base/clock.h"
#include "store/sqlite_db.h"

#include <inttypes.h>
#include <stdlib.h>

int er_sqlite_room(int64_t next_seq, size_t n, struct errand_error *err)
{
    if (n <= (size_t)ER_PLACE_MAX && next_seq + (int64_t)n <= ER_PLACE_MAX)
        return ERRAND_OK;
    return er_fail(err, ERRAND_TOO_LARGE,
        "the conversation has no room for %zu more messages; begin a new "
        "one",
        n);
}

/* What the index is to hold of a message: an empty text, as that of a turn
 * that only calls tools, is none. */
static const char *text_to_index(
    struct er_sqlite *db, const struct er_new_message *m)
{
    const char *text = m->text && *m->text ? m->text : NULL;
    db->fresh += text != NULL;
    return text;
}

int er_sqlite_message(struct er_sqlite *db, int64_t conv, int64_t run,
    int64_t seq, const struct er_new_message *m, struct errand_error *err)
{
    return er_sql_run(&db->sql, ER_Q_MESSAGE_INSERT,
        "INSERT INTO messages(id,run,role,calls,content,text)"
        " VALUES(?1,?2,?3,0,?4,?5)",
        ER_VALS(er_int(er_key(conv, seq)), er_int(run), er_text(m->role),
            er_text(m->content), er_text(text_to_index(db, m))),
        err);
}

static int add_attempt(struct er_sqlite *db, int64_t run,
    const struct er_attempt *a, struct errand_error *err)
{
    return er_sql_run(&db->sql, ER_Q_ATTEMPT_INSERT,
        "INSERT INTO attempts(id,model,started_ms,ended_ms,code,error,"
        " prompt_tokens,completion_tokens,cached_tokens,cost_micros)"
        " VALUES(1+coalesce((SELECT max(id) FROM attempts"
        "  WHERE id BETWEEN ?1 AND ?2),?1),?3,?4,?5,?6,?7,?8,?9,?10,?11)",
        ER_VALS(er_int(er_key(run, 0)), er_int(er_key(run, ER_PLACE_MAX)),
            er_text(a->model ? a->model : ""), er_int(a->started_ms),
            er_int(a->ended_ms), er_int(a->code), er_text(a->error),
            er_int(a->prompt_tokens), er_int(a->completion_tokens),
            er_int(a->cached_tokens), er_int(a->cost_micros)),
        err);
}

static int add_turn(struct er_sqlite *db, const struct er_hot *run,
    const struct er_model_step *in, struct errand_error *err)
{
    const struct er_attempt *a = &in->attempt;
    const struct er_new_message *m = &in->message;
    return er_sql_run(&db->sql, ER_Q_TURN_INSERT,
        "INSERT INTO messages(id,run,role,calls,content,text,model,"
        " started_ms,ended_ms,prompt_tokens,completion_tokens,"
        " cached_tokens,cost_micros)"
        " VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13)",
        ER_VALS(er_int(er_key(run->conv, run->next_seq)), er_int(run->no),
            er_text(m->role), er_int((int64_t)in->n_calls),
            er_text(m->content), er_text(text_to_index(db, m)),
            er_text(a->model ? a->model : ""), er_int(a->started_ms),
            er_int(a->ended_ms), er_int(a->prompt_tokens),
            er_int(a->completion_tokens), er_int(a->cached_tokens),
            er_int(a->cost_micros)),
        err);
}

static int check_step(const struct er_hot *run,
    const struct er_model_step *in, struct errand_error *err)
{
    if (run->state != ER_RUN_READY)
        return er_fail(err, ERRAND_STATE,
            "run %.40s is %s: no model turn is due", in->claim.run_id,
            er_run_state_name(run->state));
    if (in->done && in->n_calls > 0)
        return er_fail(err, ERRAND_USAGE, "a step with calls is not done");
    if (in->n_calls > (size_t)(ER_PLACE_MAX - run->calls))
        return er_fail(err, ERRAND_TOO_LARGE,
            "run %.40s has made too many calls", in->claim.run_id);
    for (size_t i = 0; i < in->n_calls; i++) {
        const struct er_new_call *c = &in->calls[i];
        bool open = c->state == ER_CALL_PLANNED || c->state == ER_CALL_WAITING;
        if (!open && c->state != ER_CALL_FAILED && c->state != ER_CALL_DENIED)
            return er_fail(err, ERRAND_USAGE, "no call begins as %s",
                er_call_state_name(c->state));
        if (open != (c->result == NULL))
            return er_fail(err, ERRAND_USAGE,
                "a call that begins as %s %s a tool message",
                er_call_state_name(c->state), open ? "takes no" : "needs");
    }
    return er_sqlite_room(run->next_seq, in->n_calls + 1, err);
}

static int add_call(struct er_sqlite *db, const struct er_hot *run,
    const struct er_new_call *c, int64_t i, struct errand_error *err)
{
    int64_t seq = run->next_seq;
    bool open = c->result == NULL;
    int code = er_sql_run(&db->sql, ER_Q_CALL_INSERT,
        "INSERT INTO tool_calls(no,id,asst_seq,idx,result_seq,tool,args,raw,"
        " effect,idem_key,state,ended_ms)"
        " VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12)",
        ER_VALS(er_int(er_key(run->no, run->calls + i)),
            er_text(c->call_id), er_int(seq), er_int(i),
            er_int(seq + 1 + i), er_text(c->tool), er_text(c->arguments),
            er_text(c->raw), er_int(c->effect), er_text(c->idem_key),
            er_text(er_call_state_name(c->state)),
            open ? er_text(NULL) : er_int(er_now_ms())),
        err);
    if (code == ERRAND_OK && !open)
        code = er_sqlite_message(
            db, run->conv, run->no, seq + 1 + i, c->result, err);
    if (code == ERRAND_OK && c->state == ER_CALL_WAITING)
        code = er_sqlite_ask(
            db, er_key(run->no, run->calls + i), &c->asked, err);
    return code;
}

static int move_run(struct er_sqlite *db, const struct er_hot *run,
    const struct er_model_step *in, int64_t open, struct errand_error *err)
{
    const struct er_attempt *a = &in->attempt;
    int64_t n = (int64_t)in->n_calls;
    if (!in->done)
        return er_sql_run(&db->sql, ER_Q_RUN_STEP,
            "UPDATE runs SET state=?2, next_seq=?3, open_calls=?4,"
            " calls=calls+?5, turns=turns+1, updated_ms=?6,"
            " prompt_tokens=prompt_tokens+?7,"
            " completion_tokens=completion_tokens+?8,"
            " cost_micros=cost_micros+?9 WHERE no=?1",
            ER_VALS(er_int(run->no), er_text(open ? "tools" : "ready"),
                er_int(run->next_seq + 1 + n), er_int(open), er_int(n),
                er_int(er_now_ms()), er_int(a->prompt_tokens),
                er_int(a->completion_tokens), er_int(a->cost_micros)),
            err);
    int code = er_sql_run(&db->sql, ER_Q_RUN_DONE,
        "UPDATE runs SET state='done', todo=2, owner=NULL, lease_until=0,"
        " next_seq=?2, turns=turns+1, updated_ms=?3,"
        " prompt_tokens=prompt_tokens+?4,"
        " completion_tokens=completion_tokens+?5,"
        " cost_micros=cost_micros+?6 WHERE no=?1",
        ER_VALS(er_int(run->no), er_int(run->next_seq + 1),
            er_int(er_now_ms()), er_int(a->prompt_tokens),
            er_int(a->completion_tokens), er_int(a->cost_micros)),
        err);
    if (code != ERRAND_OK)
        return code;
    return er_sql_run(&db->sql, ER_Q_RUN_ANSWER,
        "UPDATE run_texts SET answer=?2, error=NULL WHERE run=?1",
        ER_VALS(er_int(run->no), er_text(in->answer)), err);
}

int er_sqlite_step(struct er_sqlite *db, struct er_op *op)
{
    const struct er_model_step *in = &op->in.step;
    struct er_hot run;
    int code = er_sqlite_hot(db, &in->claim, &run, &op->err);
    if (code == ERRAND_OK)
        code = check_step(&run, in, &op->err);
    if (code != ERRAND_OK)
        return code;
    int64_t open = 0;
    for (size_t i = 0; i < in->n_calls; i++)
        open += in->calls[i].result == NULL;
    code = add_turn(db, &run, in, &op->err);
    for (size_t i = 0; i < in->n_calls && code == ERRAND_OK; i++)
        code = add_call(db, &run, &in->calls[i], (int64_t)i, &op->err);
    if (code == ERRAND_OK)
        code = move_run(db, &run, in, open, &op->err);
    op->out.seq = run.next_seq;
    return code;
}

int er_sqlite_attempt(struct er_sqlite *db, struct er_op *op)
{
    const struct er_attempt *a = &op->in.attempt.attempt;
    struct er_hot run;
    int code =
        er_sqlite_hot(db, &op->in.attempt.claim, &run, &op->err);
    if (code == ERRAND_OK)
        code = add_attempt(db, run.no, a, &op->err);
    if (code != ERRAND_OK)
        return code;
    return er_sql_run(&db->sql, ER_Q_RUN_COST,
        "UPDATE runs SET prompt_tokens=prompt_tokens+?2,"
        " completion_tokens=completion_tokens+?3,"
        " cost_micros=cost_micros+?4 WHERE no=?1",
        ER_VALS(er_int(run.no), er_int(a->prompt_tokens),
            er_int(a->completion_tokens), er_int(a->cost_micros)),
        &op->err);
}

int er_sqlite_append(struct er_sqlite *db, struct er_op *op)
{
    struct er_hot run;
    size_t n = op->in.append.n;
    int code = er_sqlite_hot(db, &op->in.append.claim, &run, &op->err);
    if (code == ERRAND_OK && !er_run_is_live(run.state))
        code = er_fail(&op->err, ERRAND_STATE,
            "run %.40s is %s: it takes no messages",
            op->in.append.claim.run_id, er_run_state_name(run.state));
    if (code == ERRAND_OK)
        code = er_sqlite_room(run.next_seq, n, &op->err);
    for (size_t i = 0; i < n && code == ERRAND_OK; i++)
        code = er_sqlite_message(db, run.conv, run.no,
            run.next_seq + (int64_t)i, &op->in.append.messages[i],
            &op->err);
    op->out.seq = run.next_seq;
    if (code != ERRAND_OK)
        return code;
    return er_sql_run(&db->sql, ER_Q_RUN_APPEND,
        "UPDATE runs SET next_seq=?2, updated_ms=?3 WHERE no=?1",
        ER_VALS(er_int(run.no), er_int(run.next_seq + (int64_t)n),
            er_int(er_now_ms())),
        &op->err);
}

int er_sqlite_events(struct er_sqlite *db, struct er_op *op)
{
    struct er_hot run;
    int code = er_sqlite_hot(db, &op->in.events.claim, &run, &op->err);
    for (size_t i = 0; i < op->in.events.n && code == ERRAND_OK; i++)
        code = er_sql_run(&db->sql, ER_Q_EVENT_INSERT,
            "INSERT INTO events(id,event) VALUES(1+coalesce((SELECT max(id)"
            " FROM events WHERE id BETWEEN ?1 AND ?2),?1),?3)",
            ER_VALS(er_int(er_key(run.no, 0)),
                er_int(er_key(run.no, ER_PLACE_MAX)),
                er_text(op->in.events.events[i])),
            &op->err);
    return code;
}
