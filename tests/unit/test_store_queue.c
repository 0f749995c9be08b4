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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
