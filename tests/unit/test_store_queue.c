/* The queue: order, levels, answers on the loop, batches under load. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/store_kit.c"

struct world {
    char folder[64], path[80];
    struct er_loop *loop;
    er_store *store;
};

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct errand_error err = {0};
    kit_folder_make(w->folder);
    snprintf(w->path, sizeof w->path, "%s/e.db", w->folder);
    w->loop = er_loop_new(&err);
    struct er_store_options opt = {.path = w->path};
    w->store = er_store_open(w->loop, &opt, &err);
    if (!w->store)
        print_error("%s\n", err.msg);
    *state = w;
    return w->store ? 0 : -1;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    er_store_close(w->store);
    er_loop_free(w->loop);
    kit_folder_remove(w->folder);
    free(w);
    return 0;
}

static void test_store_queue_one_run_from_request_to_answer(void **state)
{
    struct world *w = *state;
    struct kit_run r;
    int64_t seq = 0, open = 0;
    assert_int_equal(kit_accept(w->store, "hello", &r), ERRAND_OK);
    assert_int_equal(r.seq, 1);
    assert_int_equal(r.claim.epoch, 1);
    assert_int_equal(
        kit_step(w->store, &r, "c", 2, ERRAND_UNSAFE, &seq), ERRAND_OK);
    assert_int_equal(seq, 2);
    assert_int_equal(kit_begin(w->store, &r, "c0"), ERRAND_OK);
    assert_int_equal(kit_begin(w->store, &r, "c1"), ERRAND_OK);
    assert_int_equal(
        kit_finish(w->store, &r, "c1", ER_CALL_DONE, "one", &open),
        ERRAND_OK);
    assert_int_equal(open, 1);
    assert_int_equal(
        kit_finish(w->store, &r, "c0", ER_CALL_DONE, "zero", &open),
        ERRAND_OK);
    assert_int_equal(open, 0);
    assert_int_equal(
        kit_step(w->store, &r, "d", 0, 0, &seq), ERRAND_OK);
    assert_int_equal(seq, 5);
}

struct order {
    int seen, n;
    struct er_loop *loop;
};

struct numbered {
    struct order *order;
    int i;
};

static void on_done(void *ctx, struct er_op *op)
{
    struct numbered *n = ctx;
    assert_int_equal(op->code, ERRAND_OK);
    assert_int_equal(n->order->seen, n->i);
    if (++n->order->seen == n->order->n)
        er_loop_stop(n->order->loop);
    er_op_free(op);
}

static void test_store_queue_answers_in_order_on_the_loop(void **state)
{
    struct world *w = *state;
    enum { N = 2000 };
    static struct numbered numbers[N];
    struct order order = {0, N, w->loop};
    for (int i = 0; i < N; i++) {
        struct er_op *op = er_op_new(ER_OP_PUT);
        numbers[i] = (struct numbered){&order, i};
        op->in.put.key = "k";
        op->in.put.value = "v";
        op->done = on_done;
        op->ctx = &numbers[i];
        er_store_submit(w->store, op);
    }
    assert_int_equal(order.seen, 0); /* never from inside submit */
    assert_true(er_loop_run(w->loop, 10000));
    assert_int_equal(order.seen, N);
}

static void test_store_queue_close_finishes_what_was_submitted(void **state)
{
    struct world *w = *state;
    enum { N = 100 };
    static struct numbered numbers[N];
    struct order order = {0, N, w->loop};
    for (int i = 0; i < N; i++) {
        struct er_op *op = er_op_new(ER_OP_PUT);
        numbers[i] = (struct numbered){&order, i};
        op->in.put.key = "k";
        op->in.put.value = "v";
        op->done = on_done;
        op->ctx = &numbers[i];
        er_store_submit(w->store, op);
    }
    er_store_close(w->store);
    w->store = NULL;
    assert_int_equal(order.seen, N);
}

/* --- batches, seen from a backend that does nothing */

struct still {
    int begun, flushed, applied, seen;
    struct er_loop *loop;
};

static int still_begin(void *self, struct errand_error *err)
{
    (void)err;
    ((struct still *)self)->begun++;
    return ERRAND_OK;
}

static int still_apply(void *self, struct er_op *op)
{
    ((struct still *)self)->applied++;
    return op->code = ERRAND_OK;
}

static int still_commit(void *self, struct errand_error *err)
{
    (void)self;
    (void)err;
    return ERRAND_OK;
}

static int still_flush(void *self, struct errand_error *err)
{
    (void)err;
    ((struct still *)self)->flushed++;
    return ERRAND_OK;
}

static void still_close(void *self) { (void)self; }

static const struct er_backend_ops still_ops = {
    .begin = still_begin,
    .apply = still_apply,
    .commit = still_commit,
    .rollback = still_close,
    .flush = still_flush,
    .close = still_close,
};

static void on_still(void *ctx, struct er_op *op)
{
    struct still *b = ctx;
    b->seen++;
    if (!op->patient)
        er_loop_stop(b->loop);
    er_op_free(op);
}

static void submit_still(er_store *s, struct still *b, bool patient)
{
    struct er_op *op = er_op_new(ER_OP_PUT);
    op->patient = patient;
    op->level = patient ? ER_COMMITTED : ER_DURABLE;
    op->done = on_still;
    op->ctx = b;
    er_store_submit(s, op);
}

static void test_store_queue_patient_ops_wait_for_company(void **state)
{
    (void)state;
    struct errand_error err = {0};
    struct still b = {.loop = er_loop_new(&err)};
    struct er_store_options opt = {.path = NULL};
    er_store *s = er_store_over(
        b.loop, (struct er_backend){&still_ops, &b}, &opt, &err);
    for (int i = 0; i < 20; i++)
        submit_still(s, &b, true);
    submit_still(s, &b, false); /* takes the twenty along */
    assert_true(er_loop_run(b.loop, 10000));
    assert_int_equal(b.begun, 1);
    assert_int_equal(b.flushed, 1);
    assert_int_equal(b.seen, 21);
    submit_still(s, &b, true); /* alone: its patience runs out */
    er_loop_run(b.loop, 0);
    for (int i = 0; i < 1000 && b.seen < 22; i++)
        er_loop_run(b.loop, 5);
    assert_int_equal(b.seen, 22);
    assert_int_equal(b.begun, 2);
    assert_int_equal(b.flushed, 1); /* it asked for no flush */
    for (int i = 0; i < 200; i++) /* a crowd does not wait */
        submit_still(s, &b, true);
    er_store_close(s);
    assert_int_equal(b.seen, 222);
    assert_int_equal(b.applied, 222);
    er_loop_free(b.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_store_queue_one_run_from_request_to_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_store_queue_answers_in_order_on_the_loop, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_store_queue_close_finishes_what_was_submitted, set_up,
            tear_down),
        cmocka_unit_test(test_store_queue_patient_ops_wait_for_company),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
