/* What any database behind store.h must do, as scenarios that know nothing
 * of SQL. See tests/support/store_suite.h for how a backend takes part. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/store_suite.c"

/* --- a run's life */

/* What a run of one turn with three calls reads like. */
static void check_loaded(const struct er_loaded *l, const char *run_id)
{
    assert_int_equal(l->run.claim.epoch, 2);
    assert_int_equal(l->run.state, ER_RUN_READY);
    assert_int_equal(l->run.turns, 1);
    assert_int_equal(l->run.calls, 3);
    assert_int_equal(l->run.prompt_tokens, 10);
    assert_int_equal(l->run.cost_micros, 3);
    assert_int_equal(l->run.first_seq, 1);
    assert_string_equal(l->run.settings, "{\"model\":\"replay:x\"}");
    assert_int_equal(l->n_messages, 5);
    static const char *const roles[] = {
        "user", "assistant", "tool", "tool", "tool"};
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(l->messages[i].seq, i + 1);
        assert_string_equal(l->messages[i].role, roles[i]);
        assert_string_equal(l->messages[i].run_id, run_id);
    }
    assert_non_null(strstr(l->messages[2].content, "r0"));
    assert_non_null(strstr(l->messages[4].content, "r2"));
    assert_int_equal(l->n_calls, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(l->calls[i].idx, i);
        assert_int_equal(l->calls[i].asst_seq, 2);
        assert_int_equal(l->calls[i].result_seq, 3 + i);
        assert_int_equal(l->calls[i].state, ER_CALL_DONE);
        assert_int_equal(l->calls[i].attempt, 1);
        assert_string_equal(l->calls[i].run_id, run_id);
    }
}

static void test_life_is_told_in_order(void **state)
{
    struct world *w = *state;
    struct kit_run r;
    int64_t seq = 0, open = 0;
    assert_int_equal(kit_accept(w->s, "hello", &r), ERRAND_OK);
    assert_int_equal(r.seq, 1);
    assert_int_equal(r.claim.epoch, 1);
    assert_int_equal(
        kit_step(w->s, &r, "c", 3, ERRAND_UNSAFE, &seq), ERRAND_OK);
    assert_int_equal(seq, 2);
    for (int i = 2; i >= 0; i--) { /* results come in another order */
        char id[16], text[16];
        snprintf(id, sizeof id, "c%d", i);
        snprintf(text, sizeof text, "r%d", i);
        assert_int_equal(kit_begin(w->s, &r, id), ERRAND_OK);
        assert_int_equal(kit_finish(w->s, &r, id, ER_CALL_DONE, text, &open),
            ERRAND_OK);
        assert_int_equal(open, i);
    }
    struct er_op *op =
        kit_claim(w->s, r.claim.run_id, ELSEWHERE, 1000, false);
    assert_int_equal(op->code, ERRAND_BUSY);
    er_op_free(op);
    char self[128];
    er_owner_self(self);
    op = kit_claim(w->s, r.claim.run_id, self, 1000, false);
    assert_int_equal(op->code, ERRAND_OK);
    check_loaded(&op->out.loaded, r.claim.run_id);
    r.claim = op->out.loaded.run.claim;
    er_op_free(op);
    assert_int_equal(kit_step(w->s, &r, "d", 0, 0, &seq), ERRAND_OK);
    assert_int_equal(seq, 6);
    assert_int_equal(kit_step(w->s, &r, "e", 0, 0, &seq), ERRAND_STATE);
    op = kit_claim(w->s, r.claim.run_id, self, 1000, true);
    assert_int_equal(op->code, ERRAND_STATE);
    er_op_free(op);
}

static void test_append_goes_behind_reserved_places(void **state)
{
    struct world *w = *state;
    struct kit_run r;
    kit_accept(w->s, "q", &r);
    kit_step(w->s, &r, "c", 2, ERRAND_PURE, NULL);
    struct er_op *op = suite_append_op(&r, "later");
    assert_int_equal(er_store_call(w->s, op), ERRAND_OK);
    assert_int_equal(op->out.seq, 5);
    er_op_free(op);
    kit_finish(w->s, &r, "c1", ER_CALL_DONE, "b", NULL);
    kit_finish(w->s, &r, "c0", ER_CALL_DONE, "a", NULL);
    int64_t seq;
    assert_int_equal(
        kit_step(w->s, &r, "d", 0, 0, &seq), ERRAND_OK);
    assert_int_equal(seq, 7);
    assert_int_equal(
        kit_call(w->s, suite_append_op(&r, "x"), NULL), ERRAND_STATE);
}

static void test_born_finished_calls_have_their_messages(void **state)
{
    struct world *w = *state;
    struct kit_run r;
    kit_accept(w->s, "q", &r);
    for (int open = 0; open < 2; open++) {
        struct er_op *op =
            kit_step_op(&r, open ? "b" : "a", 2, ERRAND_UNSAFE);
        struct er_new_call *calls =
            (struct er_new_call *)op->in.step.calls;
        struct er_new_message m = {
            "tool", "{\"role\":\"tool\",\"content\":\"bad\"}", "bad"};
        calls[0].state = ER_CALL_FAILED;
        calls[0].result = &m;
        if (!open) {
            calls[1].state = ER_CALL_DENIED;
            calls[1].result = &m;
        }
        assert_int_equal(er_store_call(w->s, op), ERRAND_OK);
        er_op_free(op);
    }
    /* the first turn left nothing open, so a second one could follow */
    int64_t open = 9;
    assert_int_equal(kit_step(w->s, &r, "x", 0, 0, NULL), ERRAND_STATE);
    assert_int_equal(kit_begin(w->s, &r, "b1"), ERRAND_OK);
    assert_int_equal(
        kit_finish(w->s, &r, "b1", ER_CALL_DONE, "r", &open), ERRAND_OK);
    assert_int_equal(open, 0);
    assert_int_equal(kit_step(w->s, &r, "x", 0, 0, NULL), ERRAND_OK);
}

static void test_ten_thousand_calls_in_one_reply(void **state)
{
    struct world *w = *state;
    struct kit_run r;
    enum { N = 10000 };
    int64_t open = 0;
    kit_accept(w->s, "q", &r);
    assert_int_equal(
        kit_step(w->s, &r, "c", N, ERRAND_PURE, NULL), ERRAND_OK);
    assert_int_equal(
        kit_finish(w->s, &r, "c9999", ER_CALL_DONE, "r", &open), ERRAND_OK);
    assert_int_equal(open, N - 1);
    kit_stop(w->s, &r, ER_RUN_FAILED);
    struct kit_run next;
    assert_int_equal(kit_accept_full(w->s, r.conv, "go on", NULL, ELSEWHERE,
                         1000, NULL, &next),
        ERRAND_OK);
    assert_int_equal(next.seq, 3 + N);
}

/* --- what may follow what */

/* Bring a fresh call of an effect class into a state. */
static void call_in_state(struct world *w, struct kit_run *r, int from,
    int effect, const char *prefix, char id[64])
{
    kit_accept(w->s, "q", r);
    snprintf(id, 64, "%s0", prefix);
    kit_step(w->s, r, prefix, 1, effect, NULL);
    if (from == ER_CALL_WAITING || from == ER_CALL_DENIED)
        assert_int_equal(kit_finish(w->s, r, id, from,
                             from == ER_CALL_DENIED ? "no" : NULL, NULL),
            ERRAND_OK);
    if (from == ER_CALL_RUNNING || from == ER_CALL_UNKNOWN ||
        from == ER_CALL_DONE || from == ER_CALL_FAILED)
        assert_int_equal(kit_begin(w->s, r, id), ERRAND_OK);
    if (from == ER_CALL_UNKNOWN)
        assert_int_equal(
            kit_finish(w->s, r, id, from, NULL, NULL), ERRAND_OK);
    if (from == ER_CALL_DONE || from == ER_CALL_FAILED)
        assert_int_equal(
            kit_finish(w->s, r, id, from, "r", NULL), ERRAND_OK);
}

/* Rows: from, columns: to, in the order of er_call_state. y: yes, n: no,
 * e: by the effect class, unsafe may not; p: pure and read alone. */
static const char arrows[7][8] = {
    /*           P W R D F U X */
    /* planned */ "nynpyny",
    /* waiting */ "ynnnnny",
    /* running */ "ennyyyn",
    /* done    */ "nnnnnnn",
    /* failed  */ "nnnnnnn",
    /* unknown */ "ynnyynn",
    /* denied  */ "nnnnnnn",
};

static bool wanted(int from, int to, int effect)
{
    switch (arrows[from][to]) {
    case 'y':
        return true;
    case 'e':
        return effect != ERRAND_UNSAFE;
    case 'p':
        return effect == ERRAND_PURE || effect == ERRAND_READ;
    default:
        return false;
    }
}

static void check_arrow(struct world *w, int from, int to, int effect)
{
    char prefix[48], id[64];
    struct kit_run r;
    struct errand_error err = {0};
    snprintf(prefix, sizeof prefix, "m%d-%d-%d-", from, to, effect);
    call_in_state(w, &r, from, effect, prefix, id);
    char *before = w->kind->dump(w, r.conv);
    struct er_op *op =
        kit_finish_op(&r, id, to, suite_is_closed(to) ? "r" : NULL);
    int code = kit_call(w->s, op, &err);
    char *after = w->kind->dump(w, r.conv);
    bool yes = wanted(from, to, effect);
    if (code != (yes ? ERRAND_OK : ERRAND_STATE))
        print_error("%s -> %s, effect %d: %s\n", er_call_state_name(from),
            er_call_state_name(to), effect, err.msg);
    assert_int_equal(code, yes ? ERRAND_OK : ERRAND_STATE);
    if (yes)
        assert_string_not_equal(before, after);
    else
        assert_string_equal(before, after);
    free(before);
    free(after);
}

static void test_calls_move_along_the_arrows_only(void **state)
{
    for (int from = 0; from < 7; from++) {
        for (int to = 0; to < 7; to++) {
            for (int effect = 0; effect < 5; effect++)
                check_arrow(*state, from, to, effect);
        }
    }
}

static void test_begin_wants_a_planned_call(void **state)
{
    struct world *w = *state;
    for (int from = 0; from < 7; from++) {
        char prefix[48], id[64];
        struct kit_run r;
        snprintf(prefix, sizeof prefix, "b%d-", from);
        call_in_state(w, &r, from, ERRAND_UNSAFE, prefix, id);
        char *before = w->kind->dump(w, r.conv);
        bool yes = from == ER_CALL_PLANNED;
        assert_int_equal(
            kit_begin(w->s, &r, id), yes ? ERRAND_OK : ERRAND_STATE);
        char *after = w->kind->dump(w, r.conv);
        if (!yes)
            assert_string_equal(before, after);
        free(before);
        free(after);
    }
}

static void test_a_second_attempt_counts(void **state)
{
    struct world *w = *state;
    struct kit_run r;
    kit_accept(w->s, "q", &r);
    kit_step(w->s, &r, "k", 1, ERRAND_KEYED, NULL);
    for (int attempt = 1; attempt <= 3; attempt++) {
        struct er_op *op = er_op_new(ER_OP_BEGIN);
        op->in.call.claim = r.claim;
        op->in.call.call_id = "k0";
        assert_int_equal(er_store_call(w->s, op), ERRAND_OK);
        assert_int_equal(op->out.attempt, attempt);
        er_op_free(op);
        assert_int_equal(
            kit_finish(w->s, &r, "k0", ER_CALL_PLANNED, NULL, NULL),
            ERRAND_OK);
    }
}

static void test_messages_belong_to_closed_calls(void **state)
{
    struct world *w = *state;
    struct kit_run r;
    kit_accept(w->s, "q", &r);
    kit_step(w->s, &r, "c", 1, ERRAND_UNSAFE, NULL);
    kit_begin(w->s, &r, "c0");
    assert_int_equal(
        kit_finish(w->s, &r, "c0", ER_CALL_DONE, NULL, NULL), ERRAND_USAGE);
    assert_int_equal(kit_finish(w->s, &r, "c0", ER_CALL_UNKNOWN, "x", NULL),
        ERRAND_USAGE);
    assert_int_equal(kit_finish(w->s, &r, "no such", ER_CALL_DONE, "x", NULL),
        ERRAND_NOT_FOUND);
    struct kit_run other;
    kit_accept(w->s, "q", &other);
    assert_int_equal(kit_finish(w->s, &other, "c0", ER_CALL_DONE, "x", NULL),
        ERRAND_NOT_FOUND); /* a call of another run */
}

static void test_stop_and_go_on(void **state)
{
    struct world *w = *state;
    struct kit_run r;
    char self[128];
    er_owner_self(self);
    kit_accept(w->s, "q", &r);
    kit_step(w->s, &r, "c", 1, ERRAND_UNSAFE, NULL);
    kit_begin(w->s, &r, "c0");
    assert_int_equal(kit_stop(w->s, &r, ER_RUN_READY), ERRAND_USAGE);
    assert_int_equal(kit_stop(w->s, &r, ER_RUN_PAUSED), ERRAND_OK);
    struct er_op *op = kit_claim(w->s, r.claim.run_id, self, 1000, false);
    assert_int_equal(op->code, ERRAND_STATE);
    er_op_free(op);
    assert_int_equal(kit_begin(w->s, &r, "c0"), ERRAND_STATE);
    /* what comes back late is kept */
    assert_int_equal(
        kit_finish(w->s, &r, "c0", ER_CALL_DONE, "late", NULL), ERRAND_OK);
    op = kit_claim(w->s, r.claim.run_id, self, 1000, true);
    assert_int_equal(op->code, ERRAND_OK);
    assert_int_equal(op->out.loaded.run.state, ER_RUN_READY);
    assert_int_equal(op->out.loaded.n_messages, 3);
    assert_null(op->out.loaded.run.reason);
    r.claim = op->out.loaded.run.claim;
    er_op_free(op);
    assert_int_equal(kit_stop(w->s, &r, ER_RUN_FAILED), ERRAND_OK);
    op = kit_claim(w->s, r.claim.run_id, self, 1000, true);
    r.claim = op->out.loaded.run.claim;
    er_op_free(op);
    assert_int_equal(kit_step(w->s, &r, "d", 0, 0, NULL), ERRAND_OK);
    assert_int_equal(kit_stop(w->s, &r, ER_RUN_PAUSED), ERRAND_STATE);
}

/* --- claims */

static void test_a_zombie_is_fenced(void **state)
{
    struct world *w = *state;
    char dead[128], self[128];
    suite_dead_owner(dead);
    er_owner_self(self);
    for (int kind = 0; kind < 8; kind++) {
        struct kit_run r;
        char prefix[48];
        kit_accept_full(w->s, NULL, "q", NULL, dead, 600000, NULL, &r);
        snprintf(prefix, sizeof prefix, "f%d-", kind);
        kit_step(w->s, &r, prefix, 1, ERRAND_PURE, NULL);
        struct er_op *op = kit_claim(w->s, r.claim.run_id, self, 1000, false);
        assert_int_equal(op->code, ERRAND_OK);
        er_op_free(op);
        char *before = w->kind->dump(w, r.conv);
        assert_int_equal(
            kit_call(w->s, suite_claimed_op(&r, kind), NULL), ERRAND_FENCED);
        char *after = w->kind->dump(w, r.conv);
        assert_string_equal(before, after);
        free(before);
        free(after);
    }
}

static void test_leases_of_the_dead_and_the_living(void **state)
{
    struct world *w = *state;
    struct kit_run dead_run, living, lapsed;
    char dead[128], self[128];
    suite_dead_owner(dead);
    er_owner_self(self);
    assert_true(er_owner_is_dead(dead));
    assert_false(er_owner_is_dead(self));
    assert_false(er_owner_is_dead(ELSEWHERE));
    assert_false(er_owner_is_dead("nonsense"));
    kit_accept_full(w->s, NULL, "q", NULL, ELSEWHERE, 600000, NULL, &living);
    kit_accept_full(w->s, NULL, "q", NULL, ELSEWHERE, 0, NULL, &lapsed);
    kit_accept_full(w->s, NULL, "q", NULL, dead, 600000, NULL, &dead_run);
    /* the oldest that may go on: not the living one's */
    struct er_op *op = kit_claim(w->s, NULL, self, 600000, false);
    assert_int_equal(op->code, ERRAND_OK);
    assert_string_equal(
        op->out.loaded.run.claim.run_id, lapsed.claim.run_id);
    lapsed.claim = op->out.loaded.run.claim;
    er_op_free(op);
    op = kit_claim(w->s, NULL, self, 600000, false);
    assert_string_equal(
        op->out.loaded.run.claim.run_id, dead_run.claim.run_id);
    er_op_free(op);
    /* its own are under way: they are not offered again */
    op = kit_claim(w->s, NULL, self, 600000, false);
    assert_int_equal(op->code, ERRAND_NOT_FOUND);
    er_op_free(op);
    op = kit_claim(w->s, living.claim.run_id, self, 1000, true);
    assert_int_equal(op->code, ERRAND_BUSY); /* force is no theft */
    er_op_free(op);
    op = kit_claim(w->s, "no such run", self, 1000, false);
    assert_int_equal(op->code, ERRAND_NOT_FOUND);
    er_op_free(op);
    /* the living one's lease can be moved to the past, and then taken */
    op = er_op_new(ER_OP_EXTEND);
    op->in.extend.claim = living.claim;
    op->in.extend.lease_ms = -1;
    assert_int_equal(kit_call(w->s, op, NULL), ERRAND_OK);
    op = kit_claim(w->s, living.claim.run_id, self, 1000, false);
    assert_int_equal(op->code, ERRAND_OK);
    assert_int_equal(op->out.loaded.run.claim.epoch, 2);
    er_op_free(op);
}

/* --- requests */

static void test_a_client_key_answers_with_its_run(void **state)
{
    struct world *w = *state;
    struct kit_run first, second;
    bool existed = true;
    assert_int_equal(kit_accept_full(w->s, NULL, "q", "key-1", ELSEWHERE,
                         1000, &existed, &first),
        ERRAND_OK);
    assert_false(existed);
    char *before = w->kind->dump(w, first.conv);
    assert_int_equal(kit_accept_full(w->s, NULL, "other", "key-1", ELSEWHERE,
                         1000, &existed, &second),
        ERRAND_OK);
    assert_true(existed);
    assert_string_equal(second.claim.run_id, first.claim.run_id);
    assert_string_equal(second.conv, first.conv);
    char *after = w->kind->dump(w, first.conv);
    assert_string_equal(before, after);
    free(before);
    free(after);
    kit_accept_full(
        w->s, NULL, "q", "key-2", ELSEWHERE, 1000, &existed, &second);
    assert_false(existed);
    kit_accept_full(
        w->s, NULL, "q", NULL, ELSEWHERE, 1000, &existed, &second);
    kit_accept_full(
        w->s, NULL, "q", NULL, ELSEWHERE, 1000, &existed, &second);
    assert_false(existed); /* no key is no key */
}

static void test_conversations_must_be_new_or_free(void **state)
{
    struct world *w = *state;
    struct kit_run r, next;
    kit_accept(w->s, "q", &r);
    struct er_op *op = er_op_new(ER_OP_ACCEPT);
    op->in.accept = (struct er_accept){.conv_id = r.conv,
        .new_conversation = true,
        .run_id = "another run",
        .owner = ELSEWHERE};
    assert_int_equal(kit_call(w->s, op, NULL), ERRAND_EXISTS);
    op = er_op_new(ER_OP_ACCEPT);
    op->in.accept = (struct er_accept){.conv_id = "a new one",
        .new_conversation = true,
        .run_id = r.claim.run_id, /* used already */
        .owner = ELSEWHERE};
    assert_int_equal(kit_call(w->s, op, NULL), ERRAND_EXISTS);
    assert_int_equal(kit_accept_full(w->s, "a new one", "q", NULL, ELSEWHERE,
                         1000, NULL, &next),
        ERRAND_NOT_FOUND); /* the refused one left nothing */
    assert_int_equal(kit_accept_full(w->s, r.conv, "q", NULL, ELSEWHERE, 1000,
                         NULL, &next),
        ERRAND_BUSY);
    kit_step(w->s, &r, "c", 0, 0, NULL);
    assert_int_equal(kit_accept_full(w->s, r.conv, "q", NULL, ELSEWHERE, 1000,
                         NULL, &next),
        ERRAND_OK);
    assert_int_equal(next.seq, 3);
}

/* Every state a call may have when its run stops for good. */
static void test_a_stopped_run_is_superseded_in_valid_history(void **state)
{
    struct world *w = *state;
    struct kit_run r, next;
    char self[128];
    er_owner_self(self);
    kit_accept(w->s, "q", &r);
    kit_step(w->s, &r, "s", 5, ERRAND_UNSAFE, NULL);
    kit_finish(w->s, &r, "s1", ER_CALL_WAITING, NULL, NULL);
    kit_begin(w->s, &r, "s2");
    kit_begin(w->s, &r, "s3");
    kit_finish(w->s, &r, "s3", ER_CALL_UNKNOWN, NULL, NULL);
    kit_begin(w->s, &r, "s4");
    kit_finish(w->s, &r, "s4", ER_CALL_DONE, "done", NULL);
    kit_stop(w->s, &r, ER_RUN_PAUSED);
    assert_int_equal(kit_accept_full(
                         w->s, r.conv, "new", NULL, self, 1000, NULL, &next),
        ERRAND_OK);
    assert_int_equal(next.seq, 8);
    struct er_op *op = kit_claim(w->s, next.claim.run_id, self, 1000, false);
    const struct er_loaded *l = &op->out.loaded;
    assert_int_equal(l->n_messages, 8);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(l->messages[i].seq, i + 1);
    assert_non_null(strstr(l->messages[2].content, "interrupted"));
    assert_non_null(strstr(l->messages[2].content, "\"s0\""));
    assert_non_null(strstr(l->messages[3].content, "not run"));
    assert_non_null(strstr(l->messages[4].content, "may have taken effect"));
    assert_non_null(strstr(l->messages[5].content, "may have taken effect"));
    assert_non_null(strstr(l->messages[6].content, "done"));
    assert_int_equal(l->n_calls, 0); /* those are the old run's */
    er_op_free(op);
    /* the old one neither goes on nor takes late results */
    op = kit_claim(w->s, r.claim.run_id, self, 1000, true);
    assert_int_equal(op->code, ERRAND_STATE);
    er_op_free(op);
    assert_int_equal(
        kit_finish(w->s, &r, "s2", ER_CALL_DONE, "late", NULL),
        ERRAND_FENCED);
    op = er_op_new(ER_OP_RESOLVE);
    op->in.resolve.call_id = "s3";
    op->in.resolve.state = ER_CALL_PLANNED;
    assert_int_equal(kit_call(w->s, op, NULL), ERRAND_STATE);
}

static int resolve(struct world *w, const char *call, int state)
{
    struct er_op *op = er_op_new(ER_OP_RESOLVE);
    struct er_new_message m = {
        "tool", "{\"role\":\"tool\",\"content\":\"by hand\"}", "by hand"};
    op->in.resolve.call_id = call;
    op->in.resolve.state = state;
    op->in.resolve.message = suite_is_closed(state) ? &m : NULL;
    return kit_call(w->s, op, NULL);
}

static void test_a_person_settles_a_call(void **state)
{
    struct world *w = *state;
    static const char may[7][8] = {"nnnnnnn", "ynnnnny", "nnnnnnn", "nnnnnnn",
        "nnnnnnn", "ynnyynn", "nnnnnnn"};
    for (int from = 0; from < 7; from++) {
        for (int to = 0; to < 7; to++) {
            char prefix[48], id[64];
            struct kit_run r;
            snprintf(prefix, sizeof prefix, "p%d-%d-", from, to);
            call_in_state(w, &r, from, ERRAND_UNSAFE, prefix, id);
            kit_stop(w->s, &r, ER_RUN_PAUSED);
            bool yes = may[from][to] == 'y';
            assert_int_equal(
                resolve(w, id, to), yes ? ERRAND_OK : ERRAND_STATE);
            struct er_op *op =
                kit_claim(w->s, r.claim.run_id, "o", 1000, true);
            bool open = !suite_is_closed(yes ? to : from);
            assert_int_equal(op->out.loaded.run.state,
                open ? ER_RUN_TOOLS : ER_RUN_READY);
            assert_int_equal(op->out.loaded.n_messages, open ? 2 : 3);
            er_op_free(op);
        }
    }
    assert_int_equal(resolve(w, "no such", ER_CALL_DONE), ERRAND_NOT_FOUND);
}

static void test_text_is_kept_as_it_is(void **state)
{
    struct world *w = *state;
    struct kit_run r;
    char self[128];
    er_owner_self(self);
    size_t len = 1 << 20;
    char *big = malloc(len + 1);
    memset(big, 'x', len);
    big[len] = '\0';
    const char *const texts[] = {"'; DROP TABLE runs; --", "\"%s%n\"", "",
        "\xF0\x9F\xA6\x99 \xC3\xA9\n\t\x01", big};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_int_equal(kit_accept(w->s, texts[i], &r), ERRAND_OK);
        struct er_op *op = kit_claim(w->s, r.claim.run_id, self, 0, false);
        assert_int_equal(op->code, ERRAND_OK);
        const char *want = kit_message(op, "user", texts[i]);
        assert_string_equal(op->out.loaded.messages[0].content, want);
        er_op_free(op);
    }
    free(big);
}

static void test_attempts_add_to_the_accounts(void **state)
{
    struct world *w = *state;
    struct kit_run r;
    kit_accept(w->s, "q", &r);
    for (int i = 0; i < 3; i++) {
        struct er_op *op = er_op_new(ER_OP_ATTEMPT);
        op->in.attempt.claim = r.claim;
        op->in.attempt.attempt = (struct er_attempt){.model = "m:x",
            .code = ERRAND_RATE_LIMIT,
            .error = "429",
            .prompt_tokens = 7,
            .cost_micros = 11};
        assert_int_equal(kit_call(w->s, op, NULL), ERRAND_OK);
    }
    kit_step(w->s, &r, "c", 0, 0, NULL);
    char *dump = w->kind->dump(w, r.conv);
    assert_non_null(strstr(dump, "\"prompt_tokens\":31"));
    assert_non_null(strstr(dump, "\"cost_micros\":36"));
    assert_non_null(strstr(dump, "RATE_LIMIT"));
    free(dump);
}

#define ON(kind, f)                                                       \
    cmocka_unit_test_prestate_setup_teardown(f, suite_set_up,             \
        suite_tear_down, (void *)&suite_backends[kind])

/* Every scenario; a further backend is one further line in main. */
#define SUITE(kind)                                                       \
    ON(kind, test_life_is_told_in_order), \
    ON(kind, test_append_goes_behind_reserved_places), \
    ON(kind, test_born_finished_calls_have_their_messages), \
    ON(kind, test_ten_thousand_calls_in_one_reply), \
    ON(kind, test_calls_move_along_the_arrows_only), \
    ON(kind, test_begin_wants_a_planned_call), \
    ON(kind, test_a_second_attempt_counts), \
    ON(kind, test_messages_belong_to_closed_calls), \
    ON(kind, test_stop_and_go_on), \
    ON(kind, test_a_zombie_is_fenced), \
    ON(kind, test_leases_of_the_dead_and_the_living), \
    ON(kind, test_a_client_key_answers_with_its_run), \
    ON(kind, test_conversations_must_be_new_or_free), \
    ON(kind, test_a_stopped_run_is_superseded_in_valid_history), \
    ON(kind, test_a_person_settles_a_call), \
    ON(kind, test_text_is_kept_as_it_is), \
    ON(kind, test_attempts_add_to_the_accounts)

int main(void)
{
    const struct CMUnitTest tests[] = {SUITE(0)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
