/* Calls that are valid by construction: what opens one, what may follow, and
 * that the reader of answers finds what the grammar let through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine/chat_calls.h"
#include "support/chat_kit.h"

#include <stdio.h>

static const char tools_text[] =
    "[{\"type\":\"function\",\"function\":{\"name\":\"get_weather\","
    "\"parameters\":{\"type\":\"object\",\"properties\":{\"city\":{\"type\":"
    "\"string\"},\"days\":{\"$ref\":\"#/$defs/n\"}},\"required\":[\"city\"],"
    "\"$defs\":{\"n\":{\"type\":\"integer\",\"minimum\":1}}}}},"
    "{\"name\":\"tick\"}]";

static er_calls *calls(
    enum er_chat_family family, const struct er_calls_options *opt)
{
    struct errand_error err = {0};
    er_calls *c = NULL;
    json_t *tools = er_json_parse(
        tools_text, sizeof tools_text - 1, ER_JSON_STRICT, &err);
    if (er_calls_new(family, tools, opt, &c, &err) != ERRAND_OK)
        fail_msg("%s", err.msg);
    json_decref(tools);
    return c;
}

/* Byte by byte: how many are taken; constrained says from which byte on. */
static size_t taken(const er_calls *c, const char *text, bool *may_end,
    size_t *constrained)
{
    er_calls_run *r = er_calls_run_new(c);
    size_t n = 0;
    assert_non_null(r);
    *constrained = SIZE_MAX;
    while (text[n]) {
        if (er_calls_state(r) && *constrained == SIZE_MAX)
            *constrained = n;
        if (!er_calls_take(r, text + n, 1))
            break;
        n++;
    }
    *may_end = er_calls_may_end(r);
    er_calls_run_free(r);
    return n;
}

static void takes(const er_calls *c, const char *text, size_t n,
    bool end, size_t from)
{
    bool may_end;
    size_t constrained, got = taken(c, text, &may_end, &constrained);
    if (got != n || may_end != end || constrained != from)
        fail_msg("%s: %zu bytes, end %d, constrained from %zd", text, got,
            may_end, (ssize_t)constrained);
}

#define WEATHER "{\"name\": \"get_weather\", \"parameters\": "
#define ALL(text) sizeof(text) - 1

static void test_chat_calls_llama3(void **state)
{
    static const char one[] = WEATHER "{\"city\": \"Oslo\", \"days\": 2}}";
    static const char two[] = WEATHER "{\"city\": \"\"}}; {\"name\": "
        "\"tick\", \"parameters\": {}}";
    (void)state;
    er_calls *c = calls(ER_CHAT_LLAMA3, NULL);
    takes(c, one, ALL(one), true, 8);
    takes(c, two, ALL(two), true, 8);
    takes(c, "  \n<|python_tag|>{\"name\": \"tick\"", 32, false, 25);
    takes(c, "Hello {\"name\": \"x\"}", 19, true, SIZE_MAX);
    takes(c, "{\"name\": \"nope", 10, false, 8);
    takes(c, WEATHER "{\"city\": 5", sizeof WEATHER - 1 + 9, false, 8);
    takes(c, WEATHER "{\"city\": \"x\", \"days\": 0",
        sizeof WEATHER - 1 + 22, false, 8);
    er_calls_free(c);
    struct er_calls_options required = {.choice = ER_CALLS_REQUIRED};
    c = calls(ER_CHAT_LLAMA3, &required);
    takes(c, one, ALL(one), true, 0);
    takes(c, "Hello", 0, false, 0);
    er_calls_free(c);
    struct er_calls_options named = {.named = "tick", .single = true};
    c = calls(ER_CHAT_LLAMA3, &named);
    takes(c, WEATHER, 10, false, 0);
    takes(c, "{\"name\": \"tick\", \"parameters\": {}};", 34, true, 0);
    er_calls_free(c);
    struct er_calls_options none = {.choice = ER_CALLS_NONE};
    c = calls(ER_CHAT_LLAMA3, &none);
    takes(c, "{\"name\": \"nope\"}", 16, true, SIZE_MAX);
    er_calls_free(c);
}

static void test_chat_calls_hermes_and_mistral(void **state)
{
    static const char two[] = "Let me see.\n<tool_call>\n{\"name\": \"tick\","
        " \"arguments\": {}}\n</tool_call>\n<tool_call>\n{\"name\": "
        "\"get_weather\", \"arguments\": {\"city\": \"x\"}}\n</tool_call>";
    static const char mistral[] = "[TOOL_CALLS][{\"name\": \"tick\", "
        "\"arguments\": {}}, {\"name\": \"tick\", \"arguments\": {}}]";
    (void)state;
    er_calls *c = calls(ER_CHAT_HERMES, NULL);
    takes(c, two, ALL(two), true, 23);
    takes(c, "<tool_call>\n{\"name\": \"no", 22, false, 11);
    takes(c, "a <tool> b <tool_cal", 20, true, SIZE_MAX);
    er_calls_free(c);
    c = calls(ER_CHAT_MISTRAL, NULL);
    takes(c, mistral, ALL(mistral), true, 12);
    takes(c, "ok[TOOL_CALLS]{", 14, false, 14);
    er_calls_free(c);
}

/* A token that holds the opener and what follows it in other spacing. */
static void test_chat_calls_opener_inside_a_token(void **state)
{
    (void)state;
    er_calls *c = calls(ER_CHAT_LLAMA3, NULL);
    er_calls_run *r = er_calls_run_new(c);
    assert_true(er_calls_take(r, "{\"", 2));
    assert_true(er_calls_take(r, "name\":\"", 7));
    assert_non_null(er_calls_state(r));
    assert_false(er_calls_take(r, "x", 1));
    assert_true(er_calls_take(r, "tick\",\"parameters\":{}}", 22));
    assert_true(er_calls_may_end(r));
    er_calls_run_free(r);
    er_calls_free(c);
}

/* Whatever is forced and then chosen is read back as a call. */
static void test_chat_calls_are_read_back(void **state)
{
    static const char *const names[] = {"get_weather", "tick", NULL};
    static const struct er_chat_options known = {.tools = names};
    (void)state;
    for (int family = 0; family < 3; family++) {
        struct er_calls_options opt = {.named = "tick"};
        er_calls *c = calls((enum er_chat_family)family, &opt);
        er_calls_run *r = er_calls_run_new(c);
        struct chat_log log;
        struct er_buf text;
        er_buf_init(&text, 4096);
        er_gstate_forced(er_calls_state(r), &text, 4096);
        assert_true(text.len > 10);
        assert_true(er_calls_take(r, text.data, text.len));
        if (!er_calls_may_end(r)) { /* mistral: ] or another */
            er_buf_adds(&text, "]");
            assert_true(er_calls_take(r, "]", 1));
        }
        assert_true(er_calls_may_end(r));
        chat_log_init(&log);
        er_chat_parser *p = er_chat_parser_new(
            (enum er_chat_family)family, &known, &chat_log_events, &log);
        er_chat_parser_feed(p, text.data, text.len);
        er_chat_parser_end(p);
        assert_string_equal(er_buf_str(&log.calls), "tick {}\n");
        assert_string_equal(er_buf_str(&log.content), "");
        er_chat_parser_free(p);
        chat_log_release(&log);
        er_buf_release(&text);
        er_calls_run_free(r);
        er_calls_free(c);
    }
}

static void test_chat_calls_refuse_bad_tools(void **state)
{
    struct errand_error err = {0};
    er_calls *c = NULL;
    json_t *bad = json_pack("[{s:s}]", "x", "y");
    json_t *one = json_pack("[{s:s}]", "name", "a");
    struct er_calls_options opt = {.named = "b"};
    (void)state;
    assert_int_equal(
        er_calls_new(ER_CHAT_LLAMA3, bad, NULL, &c, &err), ERRAND_USAGE);
    assert_int_equal(er_calls_new(ER_CHAT_LLAMA3, one, &opt, &c, &err),
        ERRAND_NOT_FOUND);
    json_decref(bad);
    json_decref(one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chat_calls_llama3),
        cmocka_unit_test(test_chat_calls_hermes_and_mistral),
        cmocka_unit_test(test_chat_calls_opener_inside_a_token),
        cmocka_unit_test(test_chat_calls_are_read_back),
        cmocka_unit_test(test_chat_calls_refuse_bad_tools),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
