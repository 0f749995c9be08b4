/* Spinning: as long as it finds something, and with looks that grow rare
 * when it does not; and a loop that looks does all that it does asleep. */
#include "base/clock.h"
#include "base/loop.h"
#include "base/spin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* How many of n waits look, when each look ends so. */
static int count_looks(struct er_spin *s, int n, bool found)
{
    int looks = 0;
    for (int i = 0; i < n; i++) {
        if (!er_spin_begin(s))
            continue;
        er_spin_end(s, found);
        looks++;
    }
    return looks;
}

static void test_spin_goes_on_while_it_finds(void **state)
{
    struct er_spin s = {.possible = true};
    (void)state;
    assert_int_equal(count_looks(&s, 1000, true), 1000);
}

static void test_spin_in_vain_grows_rare(void **state)
{
    struct er_spin s = {.possible = true};
    (void)state;
    assert_int_equal(count_looks(&s, 2 + 4 + 8 + 16 + 32, false), 5);
    assert_int_equal(count_looks(&s, 6400, false), 100);
}

static void test_spin_comes_back_when_it_finds(void **state)
{
    struct er_spin s = {.possible = true};
    (void)state;
    count_looks(&s, 6400, false);
    assert_true(count_looks(&s, 64, true) >= 1);
    assert_int_equal(count_looks(&s, 100, true), 100);
}

static void test_spin_never_with_one_processor(void **state)
{
    struct er_spin s = {.possible = false};
    (void)state;
    assert_int_equal(count_looks(&s, 100, true), 0);
}

struct turn {
    struct er_loop *loop;
    struct er_timer timer;
    struct er_post post;
    int fired;
};

static void on_fired(void *ctx)
{
    struct turn *t = ctx;
    t->fired++;
    er_loop_expect(t->loop, 0);
    er_loop_stop(t->loop);
}

/* What comes while it looks is run, and a stop then is a stop. */
static void test_spin_loop_hears_while_it_looks(void **state)
{
    struct turn t = {.loop = er_loop_new(NULL)};
    (void)state;
    assert_non_null(t.loop);
    t.post = (struct er_post){.run = on_fired, .ctx = &t};
    er_loop_expect(t.loop, er_mono_ns() + INT64_C(60000000000));
    er_loop_post(t.loop, &t.post);
    assert_true(er_loop_run(t.loop, -1));
    assert_int_equal(t.fired, 1);
    er_loop_expect(t.loop, er_mono_ns() + INT64_C(60000000000));
    er_timer_start(t.loop, &t.timer, 1, on_fired, &t, NULL);
    assert_true(er_loop_run(t.loop, -1));
    assert_int_equal(t.fired, 2);
    er_timer_stop(&t.timer);
    er_loop_free(t.loop);
}

/* Nothing comes: it goes to sleep, and wakes when its time is over. */
static void test_spin_loop_sleeps_after_it_looked(void **state)
{
    struct er_loop *loop = er_loop_new(NULL);
    (void)state;
    assert_non_null(loop);
    er_loop_expect(loop, er_mono_ns() + 1000000);
    int64_t from = er_mono_ms();
    assert_false(er_loop_run(loop, 20));
    assert_true(er_mono_ms() - from >= 20);
    er_loop_expect(loop, er_mono_ns() + INT64_C(60000000000));
    assert_false(er_loop_run(loop, 0)); /* what is ready now, and no more */
    er_loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spin_goes_on_while_it_finds),
        cmocka_unit_test(test_spin_in_vain_grows_rare),
        cmocka_unit_test(test_spin_comes_back_when_it_finds),
        cmocka_unit_test(test_spin_never_with_one_processor),
        cmocka_unit_test(test_spin_loop_hears_while_it_looks),
        cmocka_unit_test(test_spin_loop_sleeps_after_it_looked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
