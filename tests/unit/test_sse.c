/* Event-stream framing: the standard's cases, and bytes cut anywhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "model/sse.h"
#include "support/suites.h"

#include <stdlib.h>

static bool on_event(void *ctx, const char *event, const char *data,
    size_t len, const char *id)
{
    json_t *e = json_pack(
        "{ss ss% ss}", "event", event, "data", data, len, "id", id);
    assert_non_null(e);
    json_array_append_new(ctx, e);
    return true;
}

/* Feed in pieces: head bytes first, then step at a time (0: the rest).
 * Each piece lies in a block of its own. */
static json_t *read_all(const char *bytes, size_t len, size_t head,
    size_t step, bool lenient, int64_t *retry)
{
    json_t *events = json_array();
    struct er_sse s;
    er_sse_init(&s, 100000, on_event, events);
    for (size_t at = 0; at < len;) {
        size_t n = at == 0 && head ? head : step ? step : len - at;
        if (n > len - at)
            n = len - at;
        char *piece = malloc(n);
        memcpy(piece, bytes + at, n);
        assert_true(er_sse_feed(&s, piece, n));
        free(piece);
        at += n;
    }
    assert_true(er_sse_end(&s, lenient));
    if (retry)
        *retry = s.retry_ms;
    er_sse_release(&s);
    return events;
}

static void check_same(json_t *got, const json_t *want, const char *name)
{
    if (!json_equal(got, (json_t *)want)) {
        char *text = json_dumps(got, JSON_ENCODE_ANY);
        char *wanted = json_dumps(want, JSON_ENCODE_ANY);
        fail_msg("%s: got %s, want %s", name, text, wanted);
    }
    json_decref(got);
}

static void check_every_cut(
    const char *bytes, size_t len, const json_t *want, const char *name)
{
    check_same(read_all(bytes, len, 0, 0, false, NULL), want, name);
    check_same(read_all(bytes, len, 0, 1, false, NULL), want, name);
    for (size_t i = 1; i < len; i++)
        check_same(read_all(bytes, len, i, 0, false, NULL), want, name);
}

static void test_sse_published_cases(void **state)
{
    (void)state;
    json_t *cases = suite_load("sse/sse_cases.json"), *c;
    size_t i, n = 0;
    if (!cases)
        skip();
    json_array_foreach(cases, i, c)
    {
        size_t len;
        const char *name = json_string_value(json_object_get(c, "name"));
        char *bytes = suite_base64(
            json_string_value(json_object_get(c, "bytes_b64")), &len);
        check_every_cut(bytes, len, json_object_get(c, "events"), name);
        json_t *retry = json_object_get(c, "retry");
        size_t last = json_array_size(retry);
        int64_t got;
        json_decref(read_all(bytes, len, 0, 0, false, &got));
        assert_int_equal(got, last == 0 ? -1
            : json_integer_value(json_array_get(retry, last - 1)));
        free(bytes);
        n++;
    }
    print_message("# %zu published cases at every cut\n", n);
    json_decref(cases);
}

static void check_text(const char *bytes, bool lenient, const char *want)
{
    json_t *events = json_loads(want, 0, NULL);
    assert_non_null(events);
    size_t len = strlen(bytes);
    for (size_t head = 0; head < len; head++)
        check_same(
            read_all(bytes, len, head, 0, lenient, NULL), events, bytes);
    check_same(read_all(bytes, len, 0, 1, lenient, NULL), events, bytes);
    json_decref(events);
}

#define EV(data) "{\"event\":\"message\",\"data\":\"" data "\",\"id\":\"\"}"

static void test_sse_line_ends_may_be_mixed_and_cut(void **state)
{
    (void)state;
    check_text("data: a\r\n\r\ndata: b\r\rdata: c\n\n", false,
        "[" EV("a") "," EV("b") "," EV("c") "]");
    check_text("data: a\r\ndata: b\n\r\n", false, "[" EV("a\\nb") "]");
    check_text("data:a\r\n\rdata:b\n\r", false, "[" EV("a") "," EV("b") "]");
}

static void test_sse_one_space_is_stripped(void **state)
{
    (void)state;
    check_text("data:a\n\ndata: a\n\ndata:  a\n\ndata\n\ndata:\n\n", false,
        "[" EV("a") "," EV("a") "," EV(" a") "," EV("") "," EV("") "]");
}

static void test_sse_part_of_a_mark_is_part_of_the_line(void **state)
{
    (void)state;
    check_text("\xEF\xBB\xBF" "data: a\n\n", false, "[" EV("a") "]");
    check_text("\xEF\xBB" "data: a\n\ndata: b\n\n", false,
        "[" EV("b") "]");
    check_text("\xEF" ":\ndata: b\n\n", false, "[" EV("b") "]");
}

static void test_sse_last_event_without_blank_line(void **state)
{
    (void)state;
    check_text("data: a\n\ndata: b", false, "[" EV("a") "]");
    check_text("data: a\n\ndata: b", true, "[" EV("a") "," EV("b") "]");
    check_text("data: a\n\ndata: b\n", true, "[" EV("a") "," EV("b") "]");
    check_text("data: a\r\ndata: b\r", true, "[" EV("a\\nb") "]");
    check_text("data: a\n\n", true, "[" EV("a") "]");
}

static void test_sse_comments_are_never_kept(void **state)
{
    (void)state;
    struct er_sse s;
    json_t *events = json_array();
    er_sse_init(&s, 64, on_event, events);
    assert_true(er_sse_feed(&s, ":", 1));
    for (int i = 0; i < 1000; i++)
        assert_true(er_sse_feed(&s, " OPENROUTER PROCESSING", 22));
    assert_int_equal(s.line.len, 0);
    assert_true(er_sse_feed(&s, "\ndata: x\n\n", 10));
    assert_int_equal(json_array_size(events), 1);
    er_sse_release(&s);
    json_decref(events);
}

static void test_sse_is_bounded(void **state)
{
    (void)state;
    char line[201];
    memset(line, 'x', sizeof line);
    memcpy(line, "data:", 5);
    line[200] = '\n';
    for (size_t step = 1; step < 201; step++) {
        struct er_sse s;
        json_t *events = json_array();
        bool ok = true;
        er_sse_init(&s, 100, on_event, events);
        for (size_t at = 0; at < 201 && ok; at += step)
            ok = er_sse_feed(
                &s, line + at, step < 201 - at ? step : 201 - at);
        assert_false(ok);
        assert_true(s.too_large);
        assert_true(s.line.cap <= 101);
        assert_false(er_sse_end(&s, true));
        assert_int_equal(json_array_size(events), 0);
        er_sse_release(&s);
        json_decref(events);
    }
    struct er_sse s; /* many lines of one event */
    json_t *events = json_array();
    er_sse_init(&s, 100, on_event, events);
    int fed = 0;
    while (er_sse_feed(&s, "data: 123456789\n", 16))
        fed++;
    assert_int_equal(fed, 10);
    assert_true(s.too_large);
    er_sse_release(&s);
    json_decref(events);
}

static bool stop_at_second(void *ctx, const char *event, const char *data,
    size_t len, const char *id)
{
    (void)event, (void)data, (void)len, (void)id;
    return ++*(int *)ctx < 2;
}

static void test_sse_callback_can_stop(void **state)
{
    (void)state;
    struct er_sse s;
    int seen = 0;
    er_sse_init(&s, 100, stop_at_second, &seen);
    assert_false(er_sse_feed(&s, "data:1\n\ndata:2\n\ndata:3\n\n", 24));
    assert_false(er_sse_feed(&s, "data:4\n\n", 8));
    assert_false(er_sse_end(&s, true));
    assert_int_equal(seen, 2);
    er_sse_release(&s);
}

static const char *fed_from, *fed_to;

static bool in_place(void *ctx, const char *event, const char *data,
    size_t len, const char *id)
{
    (void)event, (void)id;
    *(bool *)ctx = data >= fed_from && data + len <= fed_to;
    return true;
}

static void test_sse_whole_events_are_not_copied(void **state)
{
    (void)state;
    static const char bytes[] = "data: {\"a\":1}\n\n";
    struct er_sse s;
    bool lies_in_place = false;
    fed_from = bytes;
    fed_to = bytes + sizeof bytes - 1;
    er_sse_init(&s, 1000, in_place, &lies_in_place);
    assert_true(er_sse_feed(&s, bytes, sizeof bytes - 1));
    assert_true(lies_in_place);
    assert_int_equal(s.data.cap, 0);
    er_sse_release(&s);
}

static bool on_stray(void *ctx, const char *line, size_t len)
{
    json_array_append_new(ctx, json_stringn(line, len));
    return true;
}

static void test_sse_lines_of_json_are_shown(void **state)
{
    (void)state;
    static const char bytes[] = "data: 1\n\n{\"error\":\"x\"}\nnoise\n";
    for (size_t step = 1; step < sizeof bytes; step++) {
        struct er_sse s;
        json_t *seen = json_array();
        er_sse_init(&s, 1000, on_event, seen);
        s.on_stray = on_stray;
        for (size_t at = 0; at < sizeof bytes - 1; at += step)
            er_sse_feed(&s, bytes + at,
                step < sizeof bytes - 1 - at ? step : sizeof bytes - 1 - at);
        assert_int_equal(json_array_size(seen), 2);
        assert_string_equal(json_string_value(json_array_get(seen, 1)),
            "{\"error\":\"x\"}");
        er_sse_release(&s);
        json_decref(seen);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sse_published_cases),
        cmocka_unit_test(test_sse_line_ends_may_be_mixed_and_cut),
        cmocka_unit_test(test_sse_one_space_is_stripped),
        cmocka_unit_test(test_sse_part_of_a_mark_is_part_of_the_line),
        cmocka_unit_test(test_sse_last_event_without_blank_line),
        cmocka_unit_test(test_sse_comments_are_never_kept),
        cmocka_unit_test(test_sse_is_bounded),
        cmocka_unit_test(test_sse_callback_can_stop),
        cmocka_unit_test(test_sse_whole_events_are_not_copied),
        cmocka_unit_test(test_sse_lines_of_json_are_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
