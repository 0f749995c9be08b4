/* Limits of a reader, its life, and what cannot be said as a stream of the
 * corpus. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "model/reader.h"
#include "support/reader_kit.h"

#include <malloc.h>
#include <stdio.h>

#define TEXT(text)                                                        \
    "data: {\"choices\":[{\"delta\":{\"content\":\"" text "\"}}]}\n\n"
#define DONE "data: [DONE]\n\n"

static json_t *last_of(const json_t *events)
{
    return json_array_get(events, json_array_size(events) - 1);
}

static void check_error(const json_t *events, const char *code)
{
    const char *got = json_string_value(
        json_object_get(last_of(events), "error"));
    if (!got || strcmp(got, code) != 0)
        fail_msg("got %s, want %s", json_dumps(last_of(events), 0), code);
    const char *text = json_string_value(
        json_object_get(last_of(events), "message"));
    assert_true(strlen(text) > 10);
}

static void add_call(struct er_buf *out, unsigned index, const char *more)
{
    er_buf_addf(out, "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{"
        "\"index\":%u,\"id\":\"id%u\",\"function\":{\"name\":\"f\","
        "\"arguments\":\"%s\"}}]}}]}\n\n", index, index, more);
}

static json_t *read_buf(const struct er_buf *b, size_t max_bytes)
{
    return kit_read(
        ER_OPENAI, ER_SSE, max_bytes, b->data, b->len, 0, 4096);
}

static void test_reader_refuses_endless_calls(void **state)
{
    (void)state;
    struct er_buf b;
    er_buf_init(&b, 1 << 24);
    for (unsigned i = 0; i < 1000; i++)
        add_call(&b, i, "{}");
    size_t thousand = b.len;
    er_buf_adds(&b, DONE);
    json_t *events = read_buf(&b, 1 << 20);
    assert_int_equal(json_array_size(events), 1001);
    json_decref(events);
    b.len = thousand;
    for (unsigned i = 1000; i < 10000; i++)
        add_call(&b, i, "{}");
    er_buf_adds(&b, DONE);
    events = read_buf(&b, 1 << 20);
    assert_int_equal(json_array_size(events), 1);
    check_error(events, "PROTOCOL");
    json_decref(events);
    er_buf_release(&b);
}

/* Each row: pieces of a text, and what they come to. */
static const struct {
    const char *pieces[5], *want;
} cut_characters[] = {
    {{"a\\ud83d", "\\ude00b"}, "a\xF0\x9F\x98\x80" "b"},
    {{"\\uD83D", "", "\\uDE00"}, "\xF0\x9F\x98\x80"},
    {{"\\ud83d\\ude00\\ud83d", "\\ude01"},
        "\xF0\x9F\x98\x80\xF0\x9F\x98\x81"},
    {{"a\xF0\x9F", "\x98\x80" "b"}, "a\xF0\x9F\x98\x80" "b"},
    {{"\xF0", "\x9F", "\x98", "\x80"}, "\xF0\x9F\x98\x80"},
    {{"x\xC3", "\xA4y"}, "x\xC3\xA4y"},
    {{"\xE2\x82", "\xAC\xE2", "\x82\xAC"}, "\xE2\x82\xAC\xE2\x82\xAC"},
    /* what is never completed is U+FFFD, once, where it stood */
    {{"a\\ud83d", "b"}, "a\xEF\xBF\xBD" "b"},
    {{"a\\ud83d"}, "a\xEF\xBF\xBD"},
    {{"\\ude00", "b"}, "\xEF\xBF\xBD" "b"},
    {{"\\ud83d", "\\ud83d\\ude00"},
        "\xEF\xBF\xBD\xF0\x9F\x98\x80"},
    {{"a\xF0\x9F", "b"}, "a\xEF\xBF\xBD" "b"},
    {{"a\xE2\x82", "\\u20ac"}, "a\xEF\xBF\xBD\xE2\x82\xAC"},
    /* and what only looks like it is left alone */
    {{"a\\\\ud83d", "\\\\ude00"}, "a\\ud83d\\ude00"},
    {{"\\ufffd", "\\ude00"}, "\xEF\xBF\xBD\xEF\xBF\xBD"},
    {{"\xEF\xBF\xBD", "b"}, "\xEF\xBF\xBD" "b"},
};

/* All the text, reasoning, or arguments of the one call. */
static void collect(const json_t *events, struct er_buf *out)
{
    size_t i;
    json_t *event, *call;
    json_array_foreach(events, i, event) {
        const char *text = er_json_str(event, "text");
        if (!text)
            text = er_json_str(event, "reasoning");
        call = json_object_get(event, "call");
        er_buf_adds(out, call ? er_json_str(call, "arguments")
                              : text ? text : "");
    }
}

static void check_cut(size_t row, const char *before, const char *after)
{
    struct er_buf b, got;
    er_buf_init(&b, 1 << 20);
    er_buf_init(&got, 1 << 20);
    for (int i = 0; i < 5 && cut_characters[row].pieces[i]; i++)
        er_buf_addf(&b, "data: {\"choices\":[{\"delta\":{%s%s%s}}]}\n\n",
            before, cut_characters[row].pieces[i], after);
    er_buf_adds(&b, DONE);
    for (size_t step = 0; step < 2; step++) {
        json_t *events = kit_read(
            ER_OPENAI, ER_SSE, 1 << 20, b.data, b.len, 0, step);
        er_buf_reset(&got);
        collect(events, &got);
        if (strcmp(er_buf_str(&got), cut_characters[row].want) != 0)
            fail_msg("row %zu after %s: got %s", row, before,
                er_buf_str(&got));
        json_decref(events);
    }
    er_buf_release(&b);
    er_buf_release(&got);
}

static void test_reader_joins_characters_cut_in_two(void **state)
{
    (void)state;
    size_t n = sizeof cut_characters / sizeof cut_characters[0];
    for (size_t row = 0; row < n; row++) {
        check_cut(row, "\"content\":\"", "\"");
        check_cut(row, "\"reasoning_content\":\"", "\"");
        check_cut(row, "\"tool_calls\":[{\"index\":0,\"id\":\"i\","
            "\"function\":{\"name\":\"f\",\"arguments\":\"", "\"}}]");
    }
}

/* A long stream is read by the short cut: halves in its middle as well. */
static void test_reader_joins_characters_in_long_streams(void **state)
{
    (void)state;
    struct er_buf b, got, want;
    er_buf_init(&b, 1 << 20);
    er_buf_init(&got, 1 << 20);
    er_buf_init(&want, 1 << 20);
    for (int i = 0; i < 40; i++) {
        bool cut = i % 7 == 6;
        er_buf_adds(&b,
            cut ? TEXT("a\\ud83d") TEXT("\\ude00b") : TEXT("word "));
        er_buf_adds(&want, cut ? "a\xF0\x9F\x98\x80" "b" : "word ");
        if (i == 30) {
            er_buf_adds(&b, TEXT("x\\ud83d"));
            er_buf_adds(&want, "x\xEF\xBF\xBD");
        }
    }
    er_buf_adds(&b, DONE);
    json_t *events = read_buf(&b, 1 << 20);
    collect(events, &got);
    assert_string_equal(er_buf_str(&got), er_buf_str(&want));
    json_decref(events);
    er_buf_release(&b);
    er_buf_release(&got);
    er_buf_release(&want);
}

static void test_reader_bounds_what_it_keeps(void **state)
{
    (void)state;
    enum { LIMIT = 10000 };
    char piece[1001];
    struct er_buf b;
    memset(piece, 'x', 1000);
    piece[1000] = '\0';
    er_buf_init(&b, 1 << 24);
    for (int i = 0; i < 12; i++) /* arguments of one call */
        er_buf_addf(&b, "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{"
            "\"index\":0,\"function\":{\"arguments\":\"%s\"}}]}}]}\n\n",
            piece);
    json_t *events = read_buf(&b, LIMIT);
    check_error(events, "TOO_LARGE");
    json_decref(events);
    er_buf_reset(&b);
    for (unsigned i = 0; i < 12; i++) /* of several */
        add_call(&b, i, piece);
    events = read_buf(&b, LIMIT);
    check_error(events, "TOO_LARGE");
    json_decref(events);
    er_buf_reset(&b);
    for (int i = 0; i < 12; i++)
        er_buf_addf(&b, "data: {\"choices\":[{\"delta\":{"
            "\"reasoning_details\":[{\"type\":\"x\",\"data\":\"%s\"}]}}]}"
            "\n\n", piece);
    events = read_buf(&b, LIMIT);
    check_error(events, "TOO_LARGE");
    json_decref(events);
    er_buf_reset(&b);
    er_buf_adds(&b, "data: {\"a\":\""); /* one event */
    for (int i = 0; i < 12; i++)
        er_buf_adds(&b, piece);
    events = read_buf(&b, LIMIT);
    check_error(events, "TOO_LARGE");
    json_decref(events);
    events = kit_read( /* one document */
        ER_OPENAI, ER_WHOLE, LIMIT, b.data + 6, b.len - 6, 0, 100);
    check_error(events, "TOO_LARGE");
    json_decref(events);
    er_buf_release(&b);
}

static void count(void *ctx, const struct er_model_event *ev)
{
    *(size_t *)ctx += ev->len;
}

static void test_reader_passes_endless_text_on(void **state)
{
    (void)state;
    enum { PIECES = 300000 };
    static const char event[] = TEXT("a quick brown fox");
    size_t seen = 0;
    er_reader *r = er_reader_new(ER_OPENAI, ER_SSE, 4096, count, &seen);
    for (int i = 0; i < 1000; i++)
        er_reader_feed(r, event, sizeof event - 1);
    struct mallinfo2 before = mallinfo2();
    for (int i = 1000; i < PIECES; i++)
        assert_int_equal(er_reader_feed(r, event, sizeof event - 1), 0);
    struct mallinfo2 after = mallinfo2();
    assert_int_equal(seen, 17 * (size_t)PIECES);
    assert_true(after.uordblks <= before.uordblks + 4096);
    er_reader_free(r);
}

static void test_reader_takes_one_great_event(void **state)
{
    (void)state;
    enum { LEN = 3000000 };
    struct er_buf b;
    er_buf_init(&b, 1 << 24);
    er_buf_adds(&b, "data: {\"choices\":[{\"delta\":{\"content\":\"");
    for (int i = 0; i < LEN / 100; i++)
        er_buf_addf(&b, "%0100d", i);
    er_buf_adds(&b, "\"}}]}\n\n" DONE);
    size_t seen = 0;
    er_reader *r = er_reader_new(ER_OPENAI, ER_SSE, 1 << 24, count, &seen);
    for (size_t at = 0; at < b.len; at += 16384)
        er_reader_feed(
            r, b.data + at, b.len - at < 16384 ? b.len - at : 16384);
    assert_int_equal(er_reader_end(r), 0);
    assert_int_equal(seen, LEN);
    er_reader_free(r);
    er_buf_release(&b);
}

static void test_reader_says_when_something_was_delivered(void **state)
{
    (void)state;
    size_t seen = 0;
    er_reader *r = er_reader_new(ER_OPENAI, ER_SSE, 4096, count, &seen);
    static const char empty[] = ": hi\n\n" TEXT("");
    er_reader_feed(r, empty, sizeof empty - 1);
    assert_false(er_reader_delivered(r));
    er_reader_feed(r, TEXT("a"), sizeof TEXT("a") - 1);
    assert_true(er_reader_delivered(r));
    er_reader_free(r);
    struct er_buf b;
    er_buf_init(&b, 4096);
    add_call(&b, 0, "{}");
    r = er_reader_new(ER_OPENAI, ER_SSE, 4096, count, &seen);
    er_reader_feed(r, b.data, b.len);
    assert_false(er_reader_delivered(r)); /* it may yet be asked again */
    er_reader_feed(r, DONE, sizeof DONE - 1);
    assert_true(er_reader_delivered(r));
    er_reader_free(r);
    er_buf_release(&b);
    er_reader_free(NULL);
}

static void test_reader_ends_once(void **state)
{
    (void)state;
    json_t *events = json_array();
    er_reader *r = er_reader_new(
        ER_OPENAI, ER_SSE, 4096, kit_on_event, events);
    static const char fault[] = "data: {\"error\":{\"code\":500}}\n\n";
    assert_int_equal(
        er_reader_feed(r, fault, sizeof fault - 1), ERRAND_PROVIDER);
    assert_int_equal(
        er_reader_feed(r, TEXT("a"), sizeof TEXT("a") - 1), ERRAND_PROVIDER);
    assert_int_equal(er_reader_end(r), ERRAND_PROVIDER);
    assert_int_equal(er_reader_end(r), ERRAND_PROVIDER);
    assert_int_equal(json_array_size(events), 1);
    assert_true(er_reader_retriable(r));
    er_reader_free(r);
    json_decref(events);
    events = json_array();
    r = er_reader_new(ER_OPENAI, ER_SSE, 4096, kit_on_event, events);
    er_reader_feed(r, DONE, sizeof DONE - 1);
    assert_int_equal(json_array_size(events), 1); /* at once, not at EOF */
    assert_int_equal(er_reader_end(r), 0);
    assert_int_equal(er_reader_end(r), 0);
    assert_int_equal(json_array_size(events), 1);
    er_reader_free(r);
    json_decref(events);
}

/* Deeply nested, and arguments that are repeated by name: work stays
 * linear. */
static void test_reader_is_not_held_up(void **state)
{
    (void)state;
    struct er_buf b;
    er_buf_init(&b, 1 << 26);
    er_buf_adds(&b, "data: {\"choices\":");
    for (int i = 0; i < 100000; i++)
        er_buf_adds(&b, "[");
    er_buf_adds(&b, "\n\n" DONE);
    json_t *events = read_buf(&b, 1 << 20);
    check_error(events, "PROTOCOL");
    json_decref(events);
    er_buf_reset(&b);
    for (unsigned i = 0; i < 20000; i++)
        er_buf_adds(&b, "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{"
            "\"index\":0,\"function\":{\"name\":\"f\",\"arguments\":\"[\"}}"
            "]}}]}\n\n");
    er_buf_adds(&b, DONE);
    events = read_buf(&b, 1 << 20);
    assert_int_equal(json_array_size(events), 2);
    json_decref(events);
    er_buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reader_refuses_endless_calls),
        cmocka_unit_test(test_reader_joins_characters_cut_in_two),
        cmocka_unit_test(test_reader_joins_characters_in_long_streams),
        cmocka_unit_test(test_reader_bounds_what_it_keeps),
        cmocka_unit_test(test_reader_passes_endless_text_on),
        cmocka_unit_test(test_reader_takes_one_great_event),
        cmocka_unit_test(test_reader_says_when_something_was_delivered),
        cmocka_unit_test(test_reader_ends_once),
        cmocka_unit_test(test_reader_is_not_held_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
