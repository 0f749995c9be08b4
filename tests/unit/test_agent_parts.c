/* The parts of the agent that need no model and no store: guards, budgets,
 * capped results, history, structured answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/answer.h"
#include "agent/budget.h"
#include "agent/cap.h"
#include "agent/guard.h"
#include "agent/history.h"
#include "base/buf.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static enum er_verdict see(struct er_guard *g, const char *tool,
    const char *args, const char *result, bool failed)
{
    char note[200];
    return er_guard_see(
        g, tool, args, result, strlen(result), failed, note, sizeof note);
}

static void test_guard_warns_then_pauses_on_the_same_call(void **state)
{
    (void)state;
    struct er_guard g = {0};
    static const enum er_verdict want[] = {ER_GUARD_FINE, ER_GUARD_FINE,
        ER_GUARD_WARN, ER_GUARD_WARN, ER_GUARD_PAUSE};
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(see(&g, "read", "{\"a\":1}", "same", false), want[i]);
}

static void test_guard_sees_cycles_of_two_and_three(void **state)
{
    (void)state;
    static const char *const args[] = {"{\"a\":1}", "{\"a\":2}", "{\"a\":3}"};
    for (int length = 2; length <= 3; length++) {
        struct er_guard g = {0};
        enum er_verdict v = ER_GUARD_FINE;
        int i;
        for (i = 0; i < 40 && v != ER_GUARD_PAUSE; i++)
            v = see(&g, "t", args[i % length], "r", false);
        assert_int_equal(i, length * ER_GUARD_PAUSE_CYCLES);
    }
}

static void test_guard_lets_new_results_pass(void **state)
{
    (void)state;
    struct er_guard g = {0};
    char result[16];
    for (int i = 0; i < 100; i++) {
        snprintf(result, sizeof result, "%d", i);
        assert_int_equal(see(&g, "poll", "{}", result, false), 0);
    }
}

static void test_guard_counts_one_error_over_varied_arguments(void **state)
{
    (void)state;
    struct er_guard g = {0};
    char args[32];
    for (int i = 1; i <= ER_GUARD_PAUSE_ERRORS; i++) {
        snprintf(args, sizeof args, "{\"n\":%d}", i);
        enum er_verdict want = i >= ER_GUARD_PAUSE_ERRORS ? ER_GUARD_PAUSE
            : i >= ER_GUARD_WARN_ERRORS ? ER_GUARD_WARN : ER_GUARD_FINE;
        assert_int_equal(see(&g, "t", args, "no such file", true), want);
    }
    assert_int_equal(see(&g, "t", "{}", "fine", false), ER_GUARD_FINE);
    assert_int_equal(g.errors, 0);
}

static void test_budget_says_which_limit_and_how_to_go_on(void **state)
{
    (void)state;
    struct er_budgets b;
    struct errand_error err = {0};
    er_budgets_defaults(&b);
    json_t *v = json_pack("{s:i, s:f}", "max_turns", 3, "max_cost", 0.5);
    assert_int_equal(er_budgets_parse(v, &b, &err), ERRAND_OK);
    assert_int_equal(b.max_cost_micro, 500000);
    json_decref(v);
    struct er_spent s = {.turns = 2};
    assert_true(er_budget_left(&b, &s, 0, &err));
    s.turns = 3;
    assert_false(er_budget_left(&b, &s, 0, &err));
    assert_int_equal(err.code, ERRAND_PAUSED);
    assert_non_null(strstr(err.msg, "3 of 3 model turns"));
    assert_non_null(strstr(err.msg, "max_turns"));
    s = (struct er_spent){.calls = 199};
    assert_true(er_budget_left(&b, &s, 1, &err));
    assert_false(er_budget_left(&b, &s, 2, &err));
    v = json_pack("{s:i}", "max_turn", 3);
    assert_int_equal(er_budgets_parse(v, &b, &err), ERRAND_USAGE);
    assert_non_null(strstr(err.msg, "max_turns"));
    json_decref(v);
    v = json_pack("{s:i}", "max_turns", -1);
    assert_int_equal(er_budgets_parse(v, &b, &err), ERRAND_RANGE);
    json_decref(v);
}

static void test_cap_keeps_head_and_tail_and_names_the_handle(void **state)
{
    (void)state;
    struct er_buf in, out;
    er_buf_init(&in, 1 << 20);
    er_buf_init(&out, 1 << 20);
    for (int i = 0; i < 5000; i++)
        er_buf_addf(&in, "line %d \xC3\xA9\n", i);
    assert_true(er_cap_add(&out, in.data, in.len, 4096, "H"));
    assert_true(out.len <= 4096);
    assert_true(er_starts_with(out.data, "line 0 \xC3\xA9\n"));
    assert_non_null(strstr(out.data, "line 4999 \xC3\xA9\n"));
    assert_non_null(strstr(out.data, "read_more {\"handle\":\"H\""));
    assert_int_equal(er_utf8_valid_prefix(out.data, out.len), out.len);
    er_buf_reset(&out);
    assert_false(er_cap_add(&out, "short\xFF", 6, 4096, "H"));
    assert_string_equal(out.data, "short\xEF\xBF\xBD");
    assert_int_equal(er_cap_bytes(8192, 0.25), 6144);
    assert_int_equal(er_cap_bytes(1000000, 0.25), 32768);
    assert_int_equal(er_cap_bytes(10, 0.25), 1024);
    er_buf_release(&in);
    er_buf_release(&out);
}

static json_t *history_of(const char *const *rows, size_t n)
{
    struct er_message_row r[16];
    struct errand_error err = {0};
    for (size_t i = 0; i < n; i++)
        r[i] = (struct er_message_row){
            .seq = (int64_t)i, .content = rows[i]};
    return er_history_from_rows(r, n, NULL, &err);
}

static void test_history_gives_each_call_exactly_one_result(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "{\"role\":\"user\",\"content\":\"go\"}",
        "{\"role\":\"tool\",\"tool_call_id\":\"x\",\"content\":\"orphan\"}",
        ("{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":["
         "{\"id\":\"a\",\"name\":\"t\",\"arguments\":\"{}\"},"
         "{\"id\":\"b\",\"name\":\"t\",\"arguments\":\"{}\"}]}"),
        ("{\"role\":\"tool\",\"tool_call_id\":\"b\",\"name\":\"t\","
         "\"content\":\"B\"}"),
        "{\"role\":\"assistant\",\"content\":\"\",\"reasoning\":\"hm\"}",
        "{\"role\":\"user\",\"content\":\"and?\"}"};
    json_t *h = history_of(rows, 6);
    assert_non_null(h);
    assert_int_equal(json_array_size(h), 5);
    const json_t *first = json_array_get(h, 2), *second = json_array_get(h, 3);
    assert_string_equal(er_json_str(first, "tool_call_id"), "a");
    assert_non_null(strstr(er_json_str(first, "content"), "interrupted"));
    assert_string_equal(er_json_str(second, "content"), "B");
    assert_string_equal(er_json_str(json_array_get(h, 4), "content"), "and?");
    json_decref(h);
}

static void test_history_leaves_open_calls_to_the_run(void **state)
{
    (void)state;
    struct errand_error err = {0};
    struct er_message_row r[2] = {
        {.seq = 0,
            .content = "{\"role\":\"assistant\",\"content\":\"\","
                       "\"tool_calls\":[{\"id\":\"a\",\"name\":\"t\","
                       "\"arguments\":\"{}\"}]}"},
        {.seq = 1,
            .content = "{\"role\":\"tool\",\"tool_call_id\":\"a\","
                       "\"content\":\"A\"}"}};
    json_t *open = json_pack("[s]", "a");
    json_t *h = er_history_from_rows(r, 2, open, &err);
    assert_int_equal(json_array_size(h), 1);
    json_decref(h);
    json_decref(open);
    r[1].content = "{";
    assert_null(er_history_from_rows(r, 2, NULL, &err));
    assert_int_equal(err.code, ERRAND_STORE);
}

static void check_answer(
    const er_schema *s, const char *text, const char *want)
{
    struct er_buf problem;
    er_buf_init(&problem, 4096);
    char *got = er_answer_check(s, text, strlen(text), &problem);
    if (want)
        assert_string_equal(got, want);
    else
        assert_null(got);
    assert_true(want ? problem.len == 0 : problem.len > 20);
    free(got);
    er_buf_release(&problem);
}

static void test_answer_is_peeled_checked_and_explained(void **state)
{
    (void)state;
    struct errand_error err = {0};
    json_t *schema = json_pack("{s:s, s:{s:{s:s}}, s:[s]}", "type", "object",
        "properties", "n", "type", "integer", "required", "n");
    er_schema *s = er_schema_compile(schema, ER_DRAFT_2020_12, 0, NULL, &err);
    assert_non_null(s);
    check_answer(s, "{\"n\": 4}", "{\"n\":4}");
    check_answer(s, "\n```json\n{\"n\": \"4\"}\n```\n", "{\"n\":4}");
    check_answer(s, "{\"m\": 4}", NULL);
    check_answer(s, "The answer is 4", NULL);
    check_answer(s, "```", NULL);
    er_schema_free(s);
    json_decref(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_guard_warns_then_pauses_on_the_same_call),
        cmocka_unit_test(test_guard_sees_cycles_of_two_and_three),
        cmocka_unit_test(test_guard_lets_new_results_pass),
        cmocka_unit_test(test_guard_counts_one_error_over_varied_arguments),
        cmocka_unit_test(test_budget_says_which_limit_and_how_to_go_on),
        cmocka_unit_test(test_cap_keeps_head_and_tail_and_names_the_handle),
        cmocka_unit_test(test_history_gives_each_call_exactly_one_result),
        cmocka_unit_test(test_history_leaves_open_calls_to_the_run),
        cmocka_unit_test(test_answer_is_peeled_checked_and_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
