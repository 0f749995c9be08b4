/* The ground floor: buffers, errors, text, JSON, hashes, the loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/loop.h"
#include "base/sha256.h"
#include "base/text.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static void test_buf_never_exceeds_its_maximum(void **state)
{
    (void)state;
    struct er_buf b;
    er_buf_init(&b, 10);
    assert_true(er_buf_adds(&b, "0123456789"));
    assert_string_equal(er_buf_str(&b), "0123456789");
    assert_false(er_buf_addc(&b, 'x'));
    assert_true(b.failed);
    assert_int_equal(b.len, 0);
    assert_false(er_buf_adds(&b, ""));
    er_buf_reset(&b);
    assert_true(er_buf_adds(&b, "again"));
    er_buf_drop(&b, 2);
    assert_string_equal(er_buf_str(&b), "ain");
    er_buf_release(&b);
}

static void test_error_is_cut_on_a_character(void **state)
{
    (void)state;
    struct errand_error err = {0};
    char text[300];
    memset(text, 'a', sizeof text);
    memcpy(text + 230, "\xC3\xA9", 3); /* the cut falls into this one */
    assert_int_equal(er_fail(&err, ERRAND_IO, "%s", text), ERRAND_IO);
    assert_int_equal(strlen(err.msg), 230);
    er_fail(&err, ERRAND_IO, "inner");
    assert_int_equal(er_while(&err, "reading %s", "f"), ERRAND_IO);
    assert_string_equal(err.msg, "reading f: inner");
    assert_int_equal(er_fail(NULL, ERRAND_IO, "x"), ERRAND_IO);
}

static void test_utf8_valid_prefix_stops_at_bad_bytes(void **state)
{
    (void)state;
    static const struct {
        const char *s;
        size_t want;
    } rows[] = {
        {"plain ascii, quite long", 23}, {"h\xC3\xA9", 3}, {"\xC0\x80", 0},
        {"\xED\xA0\x80", 0}, {"a\xF4\x90\x80\x80", 1},
        {"\xF0\x9F\xA6\x99", 4}, {"\xE2\x82", 0}, {"\xFF", 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(
            er_utf8_valid_prefix(rows[i].s, strlen(rows[i].s)),
            rows[i].want);
}

static void test_plain_text_cannot_move_a_terminal(void **state)
{
    (void)state;
    struct er_buf b;
    er_buf_init(&b, 100);
    const char evil[] = "a\x1b[2Jb\x1b]0;t\x07" "c\rd\x7f\xC2\x9B" "e\nf\tg";
    assert_true(er_text_plain(&b, evil, sizeof evil - 1));
    assert_string_equal(er_buf_str(&b), "abcde\nf\tg");
    er_buf_release(&b);
}

static json_t *parse(const char *s, enum er_json_mode mode)
{
    struct errand_error err = {0};
    return er_json_parse(s, strlen(s), mode, &err);
}

static void check_lenient(const char *in, const char *want)
{
    json_t *v = parse(in, ER_JSON_LENIENT);
    assert_non_null(v);
    char *text = er_json_text(v);
    assert_string_equal(text, want);
    free(text);
    json_decref(v);
}

static void test_json_decided_answers(void **state)
{
    (void)state;
    assert_null(parse("18446744073709551616", ER_JSON_STRICT));
    assert_null(parse("{\"a\":1,\"a\":2}", ER_JSON_STRICT));
    assert_null(parse("\"\\ud800\"", ER_JSON_STRICT));
    assert_null(parse("[1e400]", ER_JSON_LENIENT));
    check_lenient("[18446744073709551616]", "[1.8446744073709552e+19]");
    check_lenient("[-9223372036854775808]", "[-9223372036854775808]");
    check_lenient("[-9223372036854775809]", "[-9.223372036854776e+18]");
    check_lenient("{\"a\":1,\"a\":2}", "{\"a\":2}");
    check_lenient("[\"\\ud800x\\ud83e\\udd99\"]",
        "[\"\xEF\xBF\xBDx\xF0\x9F\xA6\x99\"]");
    check_lenient("\xEF\xBB\xBF[\"\xFF\"]", "[\"\xEF\xBF\xBD\"]");
    check_lenient("[\"a\\u0000b\"]", "[\"a\\u0000b\"]");
    check_lenient("[0.6,1.0,1e3,0.1]", "[0.6,1.0,1000.0,0.1]");
}

static void test_json_depth_is_bounded(void **state)
{
    (void)state;
    char deep[4 * ER_JSON_DEPTH];
    size_t n = ER_JSON_DEPTH + 1;
    memset(deep, '[', n);
    memset(deep + n, ']', n);
    struct errand_error err = {0};
    assert_null(er_json_parse(deep, 2 * n, ER_JSON_LENIENT, &err));
    assert_int_equal(err.code, ERRAND_SYNTAX);
    assert_int_equal(err.at, ER_JSON_DEPTH);
    json_t *v = er_json_parse(deep + 1, 2 * n - 2, ER_JSON_STRICT, &err);
    assert_non_null(v);
    json_decref(v);
}

static void test_json_sorted_ignores_order(void **state)
{
    (void)state;
    json_t *v = parse("{\"b\":1,\"a\":{\"d\":2,\"c\":3}}", ER_JSON_STRICT);
    char *text = er_json_sorted(v);
    assert_string_equal(text, "{\"a\":{\"c\":3,\"d\":2},\"b\":1}");
    free(text);
    json_decref(v);
}

static void test_sha256_known_digests(void **state)
{
    (void)state;
    char hex[65];
    er_sha256_hex("abc", 3, hex);
    assert_string_equal(hex,
        "ba7816bf8f01cfea414140de5dae2223"
        "b00361a396177a9cb410ff61f20015ad");
    struct er_sha256 s;
    unsigned char out[32];
    er_sha256_init(&s);
    for (int i = 0; i < 1000000; i++)
        er_sha256_add(&s, "a", 1);
    er_sha256_end(&s, out);
    er_hex(out, 32, hex);
    assert_string_equal(hex,
        "cdc76e5c9914fb9281a1c7e284d73e67"
        "f1809a48a497200e046d39ccc7112cd0");
}

static void test_ids_sort_by_time(void **state)
{
    (void)state;
    char a[ER_ID_SIZE], b[ER_ID_SIZE], date[12], iso[21];
    er_id_new(a);
    int64_t until = er_mono_ms() + 3;
    while (er_mono_ms() < until)
        ;
    er_id_new(b);
    assert_int_equal(strlen(a), 36);
    assert_true(strcmp(a, b) < 0);
    assert_int_equal(a[14], '7');
    er_time_date(1721952000000, date);
    assert_string_equal(date, "26 Jul 2024");
    er_time_iso(0, iso);
    assert_string_equal(iso, "1970-01-01T00:00:00Z");
}

static void test_arena_pieces_are_zero_and_apart(void **state)
{
    (void)state;
    struct er_arena a;
    er_arena_init(&a);
    char *big = er_arena_alloc(&a, 100000);
    char *s = er_arena_str(&a, "text");
    assert_int_equal(big[99999], 0);
    memset(big, 1, 100000);
    assert_string_equal(s, "text");
    assert_null(er_arena_str(&a, NULL));
    er_arena_release(&a);
}

struct loop_test {
    struct er_loop *loop;
    struct er_post post;
    struct er_timer timer;
    int posted, fired, woken;
};

static void on_posted(void *ctx) { ((struct loop_test *)ctx)->posted++; }
static void on_wake(void *ctx) { ((struct loop_test *)ctx)->woken++; }

static void on_fire(void *ctx)
{
    struct loop_test *t = ctx;
    t->fired++;
    if (t->posted && t->woken)
        er_loop_stop(t->loop);
    else
        assert_int_equal(
            er_timer_start(t->loop, &t->timer, 1, on_fire, t, NULL), 0);
}

static void *other_thread(void *ctx)
{
    struct loop_test *t = ctx;
    er_loop_post(t->loop, &t->post);
    er_loop_wake(t->loop);
    return NULL;
}

static void test_loop_takes_posts_wakes_and_timers(void **state)
{
    (void)state;
    struct errand_error err = {0};
    struct loop_test t = {0};
    t.loop = er_loop_new(&err);
    assert_non_null(t.loop);
    t.post = (struct er_post){.run = on_posted, .ctx = &t};
    er_loop_on_wake(t.loop, on_wake, &t);
    assert_int_equal(
        er_timer_start(t.loop, &t.timer, 1, on_fire, &t, &err), 0);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, other_thread, &t), 0);
    assert_true(er_loop_run(t.loop, 5000));
    pthread_join(thread, NULL);
    assert_int_equal(t.posted, 1);
    assert_int_equal(t.woken, 1);
    assert_true(t.fired >= 1);
    er_timer_stop(&t.timer);
    assert_false(er_loop_run(t.loop, 2)); /* time over */
    er_loop_free(t.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buf_never_exceeds_its_maximum),
        cmocka_unit_test(test_error_is_cut_on_a_character),
        cmocka_unit_test(test_utf8_valid_prefix_stops_at_bad_bytes),
        cmocka_unit_test(test_plain_text_cannot_move_a_terminal),
        cmocka_unit_test(test_json_decided_answers),
        cmocka_unit_test(test_json_depth_is_bounded),
        cmocka_unit_test(test_json_sorted_ignores_order),
        cmocka_unit_test(test_sha256_known_digests),
        cmocka_unit_test(test_ids_sort_by_time),
        cmocka_unit_test(test_arena_pieces_are_zero_and_apart),
        cmocka_unit_test(test_loop_takes_posts_wakes_and_timers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
