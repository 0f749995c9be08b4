/* The retry policy, rule by rule. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "model/retry.h"

static const int64_t now_s = 784111777; /* Sun, 06 Nov 1994 08:49:37 GMT */

static void test_retry_header_decides_before_the_status(void **state)
{
    (void)state;
    struct er_retry_headers h = {.should_retry = "true"};
    assert_true(er_retry_wanted(&h, false));
    h.should_retry = "False";
    assert_false(er_retry_wanted(&h, true));
    h.should_retry = "maybe";
    assert_true(er_retry_wanted(&h, true));
    assert_false(er_retry_wanted(&h, false));
    h.should_retry = NULL;
    assert_true(er_retry_wanted(&h, true));
}

static void test_retry_statuses(void **state)
{
    (void)state;
    static const long again[] = {408, 409, 429, 500, 502, 503, 504, 529};
    static const long never[] = {400, 401, 403, 404, 413, 417, 422};
    for (size_t i = 0; i < sizeof again / sizeof again[0]; i++)
        assert_true(er_retry_status(again[i]));
    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++)
        assert_false(er_retry_status(never[i]));
}

static int64_t after(const char *value)
{
    struct er_retry_headers h = {.retry_after = value};
    return er_retry_delay_ms(&h, 1, now_s, 0);
}

static int64_t after_ms(const char *value)
{
    struct er_retry_headers h = {
        .retry_after_ms = value, .retry_after = "20"};
    return er_retry_delay_ms(&h, 1, now_s, 0);
}

static void test_retry_waits_as_long_as_the_headers_ask(void **state)
{
    (void)state;
    assert_int_equal(after("0"), 0);
    assert_int_equal(after("7"), 7000);
    assert_int_equal(after("1.5"), 1500);
    assert_int_equal(after("60"), 60000);
    assert_int_equal(after("7 "), 7000);
    assert_int_equal(after_ms("300"), 300);
    assert_int_equal(after_ms("300.75"), 300);
    assert_int_equal(after_ms("nonsense"), 20000); /* the next header */
}

static void test_retry_waits_until_an_http_date(void **state)
{
    (void)state;
    assert_int_equal(after("Sun, 06 Nov 1994 08:49:47 GMT"), 10000);
    assert_int_equal(after("Sunday, 06-Nov-94 08:50:37 GMT"), 60000);
    assert_int_equal(after("Sun Nov  6 08:49:38 1994"), 1000);
    assert_int_equal(after("Sun, 06 Nov 1994 08:49:37 GMT"), 0);
    /* past, or too far ahead: its own back-off */
    assert_int_equal(after("Sun, 06 Nov 1994 08:49:36 GMT"), 500);
    assert_int_equal(after("Sun, 06 Nov 1994 08:51:00 GMT"), 500);
}

static void test_retry_ignores_what_it_cannot_use(void **state)
{
    (void)state;
    static const char *const bad[] = {"-5", "abc", "", "61", "1e3", "0x10",
        "99999999999999999999999999", "5 minutes", "+3", "60.5"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(after(bad[i]), 500);
}

static void test_retry_doubles_up_to_eight_seconds(void **state)
{
    (void)state;
    const struct er_retry_headers none = {0};
    static const int64_t want[] = {500, 1000, 2000, 4000, 8000, 8000, 8000};
    for (int i = 0; i < 7; i++) {
        int64_t longest = er_retry_delay_ms(&none, i + 1, now_s, 0);
        int64_t shortest =
            er_retry_delay_ms(&none, i + 1, now_s, UINT32_MAX);
        assert_int_equal(longest, want[i]);
        assert_int_equal(shortest, want[i] - want[i] / 4);
    }
    assert_int_equal(er_retry_delay_ms(&none, 1 << 30, now_s, 0), 8000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_retry_header_decides_before_the_status),
        cmocka_unit_test(test_retry_statuses),
        cmocka_unit_test(test_retry_waits_as_long_as_the_headers_ask),
        cmocka_unit_test(test_retry_waits_until_an_http_date),
        cmocka_unit_test(test_retry_ignores_what_it_cannot_use),
        cmocka_unit_test(test_retry_doubles_up_to_eight_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
