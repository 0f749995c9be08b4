/* `debug parse` for endpoints' answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "model/debug_parse.h"
#include "support/suites.h"

#include <stdlib.h>
#include <string.h>

static void check(const char *format, const char *input, const char *want)
{
    struct errand_error err = {0};
    json_t *in = json_loads(input, 0, NULL);
    assert_non_null(in);
    json_t *got = er_wire_debug_parse(format, in, &err);
    if (!got)
        fail_msg("%s", err.msg);
    char *text = er_json_text(got);
    assert_string_equal(text, want);
    free(text);
    json_decref(got);
    json_decref(in);
}

#define WHOLE                                                             \
    "{\"choices\":[{\"message\":{\"content\":\"a\",\"reasoning\":\"r\","     \
    "\"tool_calls\":[{\"id\":\"1\",\"function\":{\"name\":\"f\","              \
    "\"arguments\":\"{\\\"x\\\":1}\"}},{\"id\":\"2\",\"function\":{"          \
    "\"name\":\"g\",\"arguments\":\"oops\"}}]}}]}"
#define READ                                                              \
    "{\"content\":\"a\",\"reasoning\":\"r\",\"tool_calls\":[{\"name\":\"f\"," \
    "\"arguments\":\"{\\\"x\\\":1}\"},{\"name\":\"g\","                   \
    "\"arguments\":\"oops\"}]}"

static void test_debug_parse_takes_every_form(void **state)
{
    (void)state;
    json_t *text = json_pack("{ss}", "text", WHOLE);
    char *input = json_dumps(text, 0);
    check("openai", input, READ);
    check("openai", "{\"text\":" WHOLE "}", READ);
    check("workers-ai", "{\"text\":{\"result\":" WHOLE "}}", READ);
    check("openai-sse", "{\"stream\":[" WHOLE ",\"data: [DONE]\\n\"]}", READ);
    check("openai-sse",
        "{\"stream\":\"data: {\\\"choices\\\":[{\\\"text\\\":\\\"a\\\"}]}"
        "\\n\\ndata: [DONE]\"}",
        "{\"content\":\"a\",\"reasoning\":\"\",\"tool_calls\":[]}");
    check("workers-ai-sse",
        "{\"stream\":[\"data: {\\\"resp\",\"onse\\\":\\\"a\\\"}\\n\\nda\","
        "\"ta: [DONE]\\n\\n\"]}",
        "{\"content\":\"a\",\"reasoning\":\"\",\"tool_calls\":[]}");
    check("openai-sse",
        "{\"stream\":[\"{\\\"choices\\\":[{\\\"text\\\":\\\"a\\\"}]}\","
        "\"[DONE]\"]}",
        "{\"content\":\"a\",\"reasoning\":\"\",\"tool_calls\":[]}");
    free(input);
    json_decref(text);
}

static void test_debug_parse_shows_what_was_read_before_an_error(void **state)
{
    (void)state;
    check("workers-ai-sse",
        "{\"stream\":[{\"response\":\"a\"},{\"tool_calls\":[{\"name\":\"f\","
        "\"arguments\":{}}]}]}",
        "{\"content\":\"a\",\"reasoning\":\"\",\"tool_calls\":[{\"name\":\"f\","
        "\"arguments\":\"{}\"}],\"error\":{\"code\":\"PROTOCOL\",\"message\":"
        "\"the stream broke off: neither a finish_reason nor [DONE] "
        "came\"}}");
    check("openai", "{\"text\":\"\"}",
        "{\"content\":\"\",\"reasoning\":\"\",\"tool_calls\":[],\"error\":{"
        "\"code\":\"PROTOCOL\",\"message\":\"the endpoint's answer is "
        "empty\"}}");
}

static void test_debug_parse_refuses_bad_cases(void **state)
{
    (void)state;
    struct errand_error err = {0};
    json_t *in = json_pack("{ss}", "text", "x"), *empty = json_object();
    assert_null(er_wire_debug_parse("xml", in, &err));
    assert_int_equal(err.code, ERRAND_USAGE);
    assert_non_null(strstr(err.msg, "\"xml\"; there are"));
    assert_null(er_wire_debug_parse("openai", empty, &err));
    assert_int_equal(err.code, ERRAND_USAGE);
    assert_null(er_wire_debug_parse("openai", NULL, &err));
    assert_null(er_wire_debug_parse(NULL, in, &err));
    json_decref(in);
    json_decref(empty);
}

static json_t *calls_wanted(const json_t *calls)
{
    json_t *all = json_array();
    for (size_t i = 0; i < json_array_size(calls); i++) {
        const json_t *c = json_array_get(calls, i);
        json_array_append_new(all, json_pack("{sO sO}", "name",
            json_object_get(c, "name"), "arguments",
            json_object_get(c, "arguments")));
    }
    return all;
}

static void test_debug_parse_reads_cloudflares_streams(void **state)
{
    (void)state;
    json_t *cases = suite_load("sse/llm_streams.json"), *c, *s;
    size_t i, k;
    if (!cases)
        skip();
    json_array_foreach(cases, i, c)
    {
        json_array_foreach(json_object_get(c, "streams"), k, s)
        {
            const json_t *want = json_object_get(s, "accumulated");
            json_t *in = json_pack(
                "{sO}", "stream", json_object_get(s, "chunks"));
            json_t *got = er_wire_debug_parse("workers-ai-sse", in, NULL);
            json_t *calls = calls_wanted(
                json_object_get(want, "tool_calls"));
            assert_string_equal(
                er_json_str(got, "content"), er_json_str(want, "text"));
            assert_string_equal(er_json_str(got, "reasoning"),
                er_json_str(want, "reasoning"));
            assert_true(json_equal(
                calls, json_object_get(got, "tool_calls")));
            json_decref(calls);
            json_decref(got);
            json_decref(in);
        }
    }
    json_decref(cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_debug_parse_takes_every_form),
        cmocka_unit_test(
            test_debug_parse_shows_what_was_read_before_an_error),
        cmocka_unit_test(test_debug_parse_refuses_bad_cases),
        cmocka_unit_test(test_debug_parse_reads_cloudflares_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
