/* Functions that come with a request: offered, called, kept with the run,
 * and without any permission. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/run_kit.h"

#include <stdio.h>
#include <string.h>

static struct errand_request ask(const char *model, const char *functions)
{
    return (struct errand_request){
        .prompt = "go", .model = model, .functions = functions};
}

/* The model calls the first tool with {"n":1}, and then says it is done. */
static void expect_result(
    struct kit *k, const char *functions, const char *in_result)
{
    struct told t;
    kit_run(k, &t, ask("rounds-1", functions));
    assert_int_equal(t.end, ERRAND_EV_DONE);
    assert_int_equal(told_count(&t, ERRAND_EV_RESULT), 1);
    const char *result = told_at(&t, ERRAND_EV_RESULT, 0);
    if (!strstr(result, in_result))
        fail_msg("'%s' is not in %s", in_result, result);
    told_free(&t);
}

static void test_functions_are_called(void **state)
{
    struct kit k;
    (void)state;
    kit_open(&k, NULL);
    expect_result(&k,
        "[{\"name\":\"a\",\"code\":\"return function(args) return args.n + "
        "41 end\"}]", "\"result\":\"42\"");
    expect_result(&k,
        "[{\"name\":\"a\",\"code\":\"return { run = function(args) return "
        "{ got = args.n } end }\"}]", "{\\\"got\\\":1}");
    /* the code is wrong: the model is told, the run goes on */
    expect_result(&k, "[{\"name\":\"a\",\"code\":\"return function(\"}]",
        "expected near");
    expect_result(&k, "[{\"name\":\"a\",\"code\":\"return 5\"}]",
        "the code does not return a function");
    expect_result(&k,
        "[{\"name\":\"a\",\"code\":\"return function() while true do end "
        "end\",\"timeout_ms\":50}]", "took too long");
    kit_close(&k);
}

static void test_functions_have_no_permissions(void **state)
{
    struct kit k;
    (void)state;
    kit_open(&k, NULL);
    expect_result(&k,
        "[{\"name\":\"a\",\"code\":\"return function(args, ctx) return "
        "ctx.fs.read('/etc/passwd') end\"}]", "ctx.fs is not granted");
    expect_result(&k,
        "[{\"name\":\"a\",\"code\":\"return { permissions = { read = { '/' } "
        "}, run = function(args, ctx) return ctx.fs.read('/etc/passwd') end "
        "}\"}]", "ctx.fs is not granted");
    expect_result(&k,
        "[{\"name\":\"a\",\"code\":\"return function() return "
        "os.execute == nil and io == nil end\"}]", "true");
    kit_close(&k);
}

static void test_functions_are_offered_as_they_say(void **state)
{
    struct kit k;
    struct told t;
    (void)state;
    kit_open(&k, NULL);
    kit_run(&k, &t, ask("rounds-0",
        "[{\"name\":\"b\",\"code\":\"return print\",\"description\":\"does "
        "b\",\"parameters\":{\"type\":\"object\",\"properties\":{\"n\":{"
        "\"type\":\"integer\"}}}},{\"name\":\"a\",\"code\":\"return "
        "print\"}]"));
    assert_int_equal(t.end, ERRAND_EV_DONE);
    json_t *requests = kit_requests(&k);
    char *tools = json_dumps(
        json_object_get(json_array_get(requests, 0), "tools"),
        JSON_COMPACT | JSON_SORT_KEYS);
    assert_non_null(tools);
    const char *a = strstr(tools, "\"description\":\"a\"");
    const char *b = strstr(tools, "\"description\":\"does b\"");
    assert_true(a && b && a < b); /* sorted by name */
    free(tools);
    json_decref(requests);
    told_free(&t);
    kit_close(&k);
}

static void test_functions_stay_with_their_run(void **state)
{
    struct kit k;
    struct told t, u;
    (void)state;
    kit_open(&k, NULL);
    struct errand_request req = ask("rounds-3",
        "[{\"name\":\"a\",\"code\":\"return function(args) return 'kept ' "
        ".. args.n end\"}]");
    req.budgets = "{\"max_turns\":2}";
    kit_run(&k, &t, req);
    assert_int_equal(t.end, ERRAND_EV_PAUSED);
    kit_reopen(&k);
    kit_resume(&k, &u, t.run_id, NULL);
    assert_int_equal(u.end, ERRAND_EV_DONE);
    assert_string_equal(u.answer, "done after 3 rounds");
    int n = told_count(&u, ERRAND_EV_RESULT);
    assert_true(n >= 1);
    assert_non_null(strstr(told_at(&u, ERRAND_EV_RESULT, n - 1), "kept 3"));
    told_free(&t);
    told_free(&u);
    kit_close(&k);
}

static void test_functions_that_are_wrong(void **state)
{
    static const struct {
        const char *functions, *message;
        int code;
    } rows[] = {
        {"{", "functions", ERRAND_SYNTAX},
        {"{}", "must be an array", ERRAND_USAGE},
        {"[5]", "functions[0]: a function must be an object", ERRAND_USAGE},
        {"[{\"code\":\"return 1\"}]", "the name '' must be", ERRAND_USAGE},
        {"[{\"name\":\"a b\",\"code\":\"\"}]", "the name 'a b'",
            ERRAND_USAGE},
        {"[{\"name\":\"a\"}]", "a has no code", ERRAND_USAGE},
        {"[{\"name\":\"a\",\"code\":5}]", "code must be a text",
            ERRAND_USAGE},
        {"[{\"name\":\"a\",\"code\":\"\",\"permissions\":{}}]",
            "permissions is not known", ERRAND_USAGE},
        {"[{\"name\":\"a\",\"code\":\"\"},{\"name\":\"a\",\"code\":\"\"}]",
            "functions[1]: two functions are named a", ERRAND_EXISTS},
        {"[{\"name\":\"read_more\",\"code\":\"\"}]",
            "has the name of a tool", ERRAND_EXISTS},
        {"[{\"name\":\"a\",\"code\":\"\\u001bLua\"}]", "bytecode",
            ERRAND_SYNTAX},
        {"[{\"name\":\"a\",\"code\":\"\",\"timeout_ms\":0}]", "timeout_ms 0",
            ERRAND_RANGE},
        {"[{\"name\":\"a\",\"code\":\"\",\"parameters\":{}}]",
            "must have \"type\":\"object\"", ERRAND_SCHEMA},
    };
    struct kit k;
    (void)state;
    kit_open(&k, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct errand_error err = {0};
        struct errand_request req = ask("openai:echo", rows[i].functions);
        req.size = sizeof req;
        int rc = errand_start(k.rt, &req, NULL, &err);
        if (rc != rows[i].code || !strstr(err.msg, rows[i].message))
            fail_msg("%s: %d %s", rows[i].functions, rc, err.msg);
    }
    kit_close(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_functions_are_called),
        cmocka_unit_test(test_functions_have_no_permissions),
        cmocka_unit_test(test_functions_are_offered_as_they_say),
        cmocka_unit_test(test_functions_stay_with_their_run),
        cmocka_unit_test(test_functions_that_are_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
