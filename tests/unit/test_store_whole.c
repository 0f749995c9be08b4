/* What any database behind store.h must do with batches and with whole
 * conversations: copying, removing, reading long results. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/store_suite.c"

/* --- batches */

static void test_a_failing_op_undoes_itself_alone(void **state)
{
    struct world *w = *state;
    for (int bad = 0; bad < 3; bad++) {
        struct kit_run r[3];
        struct er_op *ops[3];
        struct errand_error err = {0};
        struct er_backend b;
        char ids[3][24];
        for (int i = 0; i < 3; i++) {
            snprintf(ids[i], sizeof ids[i], "u%d-%d-", bad, i);
            kit_accept(w->s, "q", &r[i]);
        }
        er_store_close(w->s); /* a second writer is not for every backend */
        w->s = NULL;
        for (int i = 0; i < 3; i++) {
            ops[i] = kit_step_op(&r[i], ids[i], 3, ERRAND_PURE);
            struct er_new_call *c = (struct er_new_call *)ops[i]->in.step.calls;
            if (i == bad) /* the third call's id is taken by the first */
                c[2].call_id = c[0].call_id;
        }
        assert_int_equal(w->kind->open(w, &b, &err), ERRAND_OK);
        assert_int_equal(b.ops->begin(b.self, &err), ERRAND_OK);
        for (int i = 0; i < 3; i++)
            assert_int_equal(b.ops->apply(b.self, ops[i]),
                i == bad ? ERRAND_EXISTS : ERRAND_OK);
        assert_int_equal(b.ops->commit(b.self, &err), ERRAND_OK);
        assert_int_equal(b.ops->flush(b.self, &err), ERRAND_OK);
        struct er_store_options opt = {.path = w->path};
        w->s = er_store_over(w->loop, b, &opt, &err);
        for (int i = 0; i < 3; i++) {
            struct er_op *op =
                kit_claim(w->s, r[i].claim.run_id, "o", 0, true);
            er_op_free(ops[i]);
            er_op_free(op);
            char self[128];
            er_owner_self(self);
            op = kit_claim(w->s, r[i].claim.run_id, self, 0, true);
            assert_int_equal(op->out.loaded.n_calls, i == bad ? 0 : 3);
            assert_int_equal(op->out.loaded.n_messages, i == bad ? 1 : 2);
            assert_int_equal(op->out.loaded.run.turns, i == bad ? 0 : 1);
            er_op_free(op);
        }
    }
}

static void test_a_batch_rolled_back_leaves_nothing(void **state)
{
    struct world *w = *state;
    struct kit_run r;
    struct errand_error err = {0};
    struct er_backend b;
    kit_accept(w->s, "q", &r);
    char *before = w->kind->dump(w, r.conv);
    er_store_close(w->s);
    struct er_op *op = kit_step_op(&r, "c", 2, ERRAND_PURE);
    assert_int_equal(w->kind->open(w, &b, &err), ERRAND_OK);
    assert_int_equal(b.ops->begin(b.self, &err), ERRAND_OK);
    assert_int_equal(b.ops->apply(b.self, op), ERRAND_OK);
    b.ops->rollback(b.self);
    er_op_free(op);
    struct er_store_options opt = {.path = w->path};
    w->s = er_store_over(w->loop, b, &opt, &err);
    char *after = w->kind->dump(w, r.conv);
    assert_string_equal(before, after);
    free(before);
    free(after);
}

/* --- whole conversations, whole results */

static int read_part(struct world *w, const char *conv, const char *call,
    int64_t offset, int64_t len, struct er_op **out)
{
    struct er_op *op = er_op_new(ER_OP_READ);
    op->in.read.conv_id = conv;
    op->in.read.call_id = call;
    op->in.read.offset = offset;
    op->in.read.len = len;
    int code = er_store_call(w->s, op);
    if (out)
        *out = op;
    else
        er_op_free(op);
    return code;
}

static const char whole[] =
    "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\xA6\x99z\xF0\x9F\xA6\x99\xC3\xA9 end";

static void finish_whole(struct world *w, struct kit_run *r, const char *call)
{
    struct er_op *op = kit_finish_op(r, call, ER_CALL_DONE, "cut");
    op->in.outcome.result = whole;
    op->in.outcome.result_len = sizeof whole - 1;
    assert_int_equal(kit_call(w->s, op, NULL), ERRAND_OK);
}

static void test_whole_results_are_read_in_parts(void **state)
{
    struct world *w = *state;
    struct kit_run r;
    kit_accept(w->s, "q", &r);
    kit_step(w->s, &r, "c", 2, ERRAND_PURE, NULL);
    finish_whole(w, &r, "c0");
    for (int64_t len = 1; len < 9; len++) {
        char all[sizeof whole + 8] = "";
        for (int64_t at = 0; at < (int64_t)sizeof whole - 1; at += len) {
            struct er_op *op;
            assert_int_equal(
                read_part(w, r.conv, "c0", at, len, &op), ERRAND_OK);
            assert_int_equal(op->out.total_len, sizeof whole - 1);
            assert_true(strlen(all) + op->out.text_len < sizeof all);
            memcpy(all + strlen(all), op->out.text, op->out.text_len);
            er_op_free(op);
        }
        assert_string_equal(all, whole); /* each character once */
    }
    struct er_op *op;
    assert_int_equal(read_part(w, r.conv, "c0", 1000, 5, &op), ERRAND_OK);
    assert_int_equal(op->out.text_len, 0);
    er_op_free(op);
    assert_int_equal(
        read_part(w, r.conv, "c0", INT64_MAX, INT64_MAX, NULL), ERRAND_OK);
    assert_int_equal(read_part(w, r.conv, "c0", -1, 5, NULL), ERRAND_RANGE);
    assert_int_equal(
        read_part(w, r.conv, "c1", 0, 5, NULL), ERRAND_NOT_FOUND);
    struct kit_run other;
    kit_accept(w->s, "q", &other);
    assert_int_equal(
        read_part(w, other.conv, "c0", 0, 5, NULL), ERRAND_NOT_FOUND);
}

static int fork_at(struct world *w, const char *conv, const char *copy,
    int64_t seq)
{
    struct er_op *op = er_op_new(ER_OP_FORK);
    op->in.fork.conv_id = conv;
    op->in.fork.new_conv_id = copy;
    op->in.fork.last_seq = seq;
    return kit_call(w->s, op, NULL);
}

/* Messages of a conversation without runs: make one and look. */
static size_t fork_length(struct world *w, const char *conv)
{
    struct kit_run r;
    char self[128];
    er_owner_self(self);
    assert_int_equal(
        kit_accept_full(w->s, conv, "on", NULL, self, 1000, NULL, &r),
        ERRAND_OK);
    struct er_op *op = kit_claim(w->s, r.claim.run_id, self, 1000, false);
    size_t n = op->out.loaded.n_messages;
    for (size_t i = 0; i < n; i++)
        assert_int_equal(op->out.loaded.messages[i].seq, i + 1);
    assert_int_equal(r.seq, n);
    er_op_free(op);
    return n - 1;
}

static void test_fork_never_splits_calls_from_results(void **state)
{
    struct world *w = *state;
    struct kit_run r;
    kit_accept(w->s, "q", &r); /* 1 */
    kit_step(w->s, &r, "c", 2, ERRAND_PURE, NULL); /* 2, 3, 4 */
    finish_whole(w, &r, "c0");
    kit_finish(w->s, &r, "c1", ER_CALL_DONE, "r", NULL);
    kit_step(w->s, &r, "d", 1, ERRAND_PURE, NULL); /* 5, 6 open */
    kit_call(w->s, suite_append_op(&r, "behind"), NULL); /* 7, 8 */
    static const struct {
        int64_t at;
        size_t want;
    } rows[] = {{1, 1}, {2, 1}, {3, 1}, {4, 4}, {5, 4}, {6, 4}, {7, 4},
        {8, 4}, {-1, 4}, {1000000000, 4}, {0, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char id[16];
        snprintf(id, sizeof id, "fork %zu", i);
        assert_int_equal(fork_at(w, r.conv, id, rows[i].at), ERRAND_OK);
        assert_int_equal(fork_length(w, id), rows[i].want);
    }
    assert_int_equal(fork_at(w, r.conv, "fork 0", -1), ERRAND_EXISTS);
    assert_int_equal(fork_at(w, "no such", "f", -1), ERRAND_NOT_FOUND);
    /* the copy stands alone: the original may go */
    kit_finish(w->s, &r, "d0", ER_CALL_DONE, "r", NULL);
    kit_stop(w->s, &r, ER_RUN_PAUSED);
    struct er_op *op = er_op_new(ER_OP_REMOVE);
    op->in.remove.conv_id = r.conv;
    assert_int_equal(kit_call(w->s, op, NULL), ERRAND_OK);
    assert_int_equal(read_part(w, "fork 3", "c0", 0, 5, NULL), ERRAND_OK);
    assert_int_equal(
        read_part(w, "fork 0", "c0", 0, 5, NULL), ERRAND_NOT_FOUND);
    assert_int_equal(fork_at(w, "fork 3", "again", 3), ERRAND_OK);
    assert_int_equal(fork_length(w, "again"), 1);
}

static int remove_conv(struct world *w, const char *conv)
{
    struct er_op *op = er_op_new(ER_OP_REMOVE);
    op->in.remove.conv_id = conv;
    return kit_call(w->s, op, NULL);
}

static void test_remove_takes_everything(void **state)
{
    struct world *w = *state;
    struct kit_run r, keep;
    kit_accept(w->s, "keep", &keep);
    for (int i = 0; i < 2; i++) { /* the same ids again the second time */
        kit_accept_full(
            w->s, NULL, "q", "key", ELSEWHERE, 60000, NULL, &r);
        assert_int_equal(r.seq, 1);
        assert_int_equal(
            kit_step(w->s, &r, "c", 2, ERRAND_PURE, NULL), ERRAND_OK);
        finish_whole(w, &r, "c0");
        kit_call(w->s, suite_claimed_op(&r, 6), NULL);
        kit_call(w->s, suite_claimed_op(&r, 7), NULL);
        assert_int_equal(remove_conv(w, r.conv), ERRAND_BUSY);
        kit_stop(w->s, &r, ER_RUN_FAILED);
        assert_int_equal(remove_conv(w, r.conv), ERRAND_OK);
        assert_int_equal(remove_conv(w, r.conv), ERRAND_NOT_FOUND);
        assert_int_equal(
            read_part(w, r.conv, "c0", 0, 5, NULL), ERRAND_NOT_FOUND);
        assert_int_equal(kit_begin(w->s, &r, "c1"), ERRAND_NOT_FOUND);
    }
    assert_int_equal(
        kit_step(w->s, &keep, "d", 0, 0, NULL), ERRAND_OK);
    char dead[128];
    suite_dead_owner(dead);
    kit_accept_full(w->s, NULL, "q", NULL, dead, 600000, NULL, &r);
    assert_int_equal(remove_conv(w, r.conv), ERRAND_OK);
}

#define ON(kind, f)                                                       \
    cmocka_unit_test_prestate_setup_teardown(f, suite_set_up,             \
        suite_tear_down, (void *)&suite_backends[kind])

/* Every scenario; a further backend is one further line in main. */
#define SUITE(kind)                                                       \
    ON(kind, test_a_failing_op_undoes_itself_alone), \
    ON(kind, test_a_batch_rolled_back_leaves_nothing), \
    ON(kind, test_whole_results_are_read_in_parts), \
    ON(kind, test_fork_never_splits_calls_from_results), \
    ON(kind, test_remove_takes_everything)

int main(void)
{
    const struct CMUnitTest tests[] = {SUITE(0)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
