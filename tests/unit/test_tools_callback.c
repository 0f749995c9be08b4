/* Tools of the embedding program: answered now, later, too late, from any
 * thread, or never. */
#include "support/tool_kit.h"

#include <pthread.h>

struct tool {
    errand_call *call; /* the newest, not answered yet */
    char args[200];
    size_t args_len;
    int calls;
};

static int setup(void **state)
{
    struct kit *k = calloc(1, sizeof *k);
    kit_open(k, NULL, 1);
    *state = k;
    return 0;
}

static int teardown(void **state)
{
    struct kit *k = *state;
    if (k->tools)
        kit_close(k);
    free(k);
    return 0;
}

static void note(
    struct tool *t, errand_call *call, const char *args, size_t len)
{
    t->call = call;
    t->calls++;
    t->args_len = len;
    snprintf(t->args, sizeof t->args, "%s", args);
}

static void answer_now(
    void *user, errand_call *call, const char *args, size_t len)
{
    note(user, call, args, len);
    errand_call_reply(call, "a\0b", 3);
}

static void refuse(
    void *user, errand_call *call, const char *args, size_t len)
{
    note(user, call, args, len);
    errand_call_fail(call, "no \xFF way");
}

static void keep_it(
    void *user, errand_call *call, const char *args, size_t len)
{
    note(user, call, args, len);
}

static void *answer_soon(void *arg)
{
    errand_call *call = arg;
    char text[100];
    usleep(2000);
    snprintf(text, sizeof text, "key %s", errand_call_key(call));
    errand_call_reply(call, text, strlen(text));
    return NULL;
}

static void answer_from_thread(
    void *user, errand_call *call, const char *args, size_t len)
{
    pthread_t thread;
    note(user, call, args, len);
    assert_int_equal(pthread_create(&thread, NULL, answer_soon, call), 0);
    pthread_detach(thread);
}

typedef void (*run_fn)(
    void *user, errand_call *call, const char *args, size_t len);

static void add(struct kit *k, const char *name, run_fn run, void *user)
{
    struct errand_error err = {0};
    struct errand_tool_def def = {.size = sizeof def,
        .name = name,
        .description = "a test",
        .effect = ERRAND_KEYED,
        .parameters = "{\"type\":\"object\"}",
        .run = run,
        .user = user};
    if (er_tools_add(k->tools, &def, "callback", &err) != ERRAND_OK)
        fail_msg("add: %s", err.msg);
}

static void test_callback_answers_at_once(void **state)
{
    struct kit *k = *state;
    struct tool t = {0};
    add(k, "now", answer_now, &t);
    const struct er_tool *tool = er_tools_find(k->tools, "now");
    assert_string_equal(tool->source, "callback");
    assert_null(tool->path);
    assert_int_equal(tool->effect, ERRAND_KEYED);
    assert_int_equal(tool->timeout_ms, 30000);
    struct kept kept = {0};
    kit_start(k, "now", "{\"b\":1,\"a\":\"x\"}", 0, &kept);
    assert_int_equal(t.calls, 0); /* run and done come from the loop */
    assert_false(kept.done);
    kit_wait(k, &kept);
    assert_int_equal(kept.status, ER_TOOL_OK);
    assert_true(kept.started);
    assert_int_equal(kept.len, 3);
    assert_memory_equal(kept.text, "a\0b", 4);
    assert_string_equal(t.args, "{\"b\":1,\"a\":\"x\"}");
    assert_int_equal(t.args_len, strlen(t.args));
    free(kept.text);
}

static void test_callback_refuses(void **state)
{
    struct kit *k = *state;
    struct tool t = {0};
    add(k, "no", refuse, &t);
    kit_expect(k, "no", "{}", ER_TOOL_FAILED, "no \xEF\xBF\xBD way");
}

static void test_callback_answers_from_many_threads(void **state)
{
    enum { CALLS = 100 };
    struct kit *k = *state;
    struct tool t = {0};
    struct kept kept[CALLS];
    memset(kept, 0, sizeof kept);
    add(k, "thread", answer_from_thread, &t);
    for (int i = 0; i < CALLS; i++)
        kit_start(k, "thread", "{}", 0, &kept[i]);
    for (int i = 0; i < CALLS; i++) {
        kit_wait(k, &kept[i]);
        assert_string_equal(kept[i].text, "key key-1");
        assert_int_equal(kept[i].status, ER_TOOL_OK);
        free(kept[i].text);
    }
    assert_int_equal(t.calls, CALLS);
}

static void test_callback_late_answer_is_ignored(void **state)
{
    struct kit *k = *state;
    struct tool t = {0};
    add(k, "slow", keep_it, &t);
    int64_t began = er_mono_ms();
    struct kept kept = kit_call(k, "slow", "{}", 30);
    assert_true(er_mono_ms() - began >= 25);
    assert_int_equal(kept.status, ER_TOOL_TIMEOUT);
    assert_true(kept.started);
    free(kept.text);
    assert_string_equal(errand_call_key(t.call), "key-1");
    errand_call_reply(t.call, "too late", 8);
    er_loop_run(k->loop, 20);
}

static void test_callback_cancel_before_and_after_it_began(void **state)
{
    struct kit *k = *state;
    struct tool t = {0};
    struct kept early = {0}, late = {0};
    add(k, "slow", keep_it, &t);
    er_tool_call *call = kit_start(k, "slow", "{}", 0, &early);
    er_tools_cancel(call);
    er_tools_cancel(call);
    assert_false(early.done);
    kit_wait(k, &early);
    assert_int_equal(early.status, ER_TOOL_CANCELLED);
    assert_false(early.started);
    assert_int_equal(t.calls, 0);
    call = kit_start(k, "slow", "{}", 0, &late);
    er_loop_run(k->loop, 5);
    assert_int_equal(t.calls, 1);
    er_tools_cancel(call);
    errand_call_reply(t.call, "crossing", 8);
    kit_wait(k, &late);
    assert_int_equal(late.status, ER_TOOL_CANCELLED);
    assert_true(late.started);
    free(early.text);
    free(late.text);
    er_loop_run(k->loop, 5);
}

/* Answers after the registry, and after the loop, are gone. */
static void test_callback_answer_after_the_end(void **state)
{
    struct kit *k = *state;
    struct tool a = {0}, b = {0}, c = {0};
    struct kept kept[3];
    memset(kept, 0, sizeof kept);
    add(k, "a", keep_it, &a);
    add(k, "b", keep_it, &b);
    add(k, "c", keep_it, &c);
    kit_start(k, "a", "{}", 0, &kept[0]);
    kit_start(k, "b", "{}", 0, &kept[1]);
    er_loop_run(k->loop, 5);
    kit_start(k, "c", "{}", 0, &kept[2]); /* never gets to run */
    errand_call_reply(a.call, "under way", 9);
    er_tools_free(k->tools);
    k->tools = NULL;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(kept[i].status, ER_TOOL_CANCELLED);
        assert_int_equal(kept[i].started, i < 2);
        free(kept[i].text);
    }
    assert_int_equal(c.calls, 0);
    er_loop_free(k->loop);
    errand_call_reply(b.call, "far too late", 12);
    er_buf_release(&k->log);
    kit_remove_files(k->dir);
}

static void too_large(
    void *user, errand_call *call, const char *args, size_t len)
{
    note(user, call, args, len);
    size_t n = ((size_t)16 << 20) + 1;
    char *text = calloc(1, n);
    assert_non_null(text);
    errand_call_reply(call, text, n);
    free(text);
}

static void test_callback_result_over_the_limit(void **state)
{
    struct kit *k = *state;
    struct tool t = {0};
    add(k, "large", too_large, &t);
    kit_expect(k, "large", "{}", ER_TOOL_FAILED,
        "the result is over 16 MiB, or memory ran out");
}

static void expect_refused(struct kit *k, struct errand_tool_def def,
    int code, const char *message)
{
    struct errand_error err = {0};
    assert_int_equal(er_tools_add(k->tools, &def, "callback", &err), code);
    if (!strstr(err.msg, message))
        fail_msg("'%s' is not in '%s'", message, err.msg);
    assert_int_equal(er_tools_add(k->tools, &def, "callback", NULL), code);
}

static void test_callback_wrong_definitions(void **state)
{
    struct kit *k = *state;
    const struct errand_tool_def good = {.size = sizeof good,
        .name = "x",
        .description = "d",
        .parameters = "{\"type\":\"object\"}",
        .run = keep_it};
    struct errand_tool_def d = good;
    d.size = 8;
    expect_refused(k, d, ERRAND_USAGE, "size");
    d = good, d.name = NULL;
    expect_refused(k, d, ERRAND_USAGE, "name");
    d = good, d.name = "two words";
    expect_refused(k, d, ERRAND_USAGE, "two words");
    d = good, d.run = NULL;
    expect_refused(k, d, ERRAND_USAGE, "no run");
    d = good, d.description = "";
    expect_refused(k, d, ERRAND_USAGE, "no description");
    d = good, d.effect = 5;
    expect_refused(k, d, ERRAND_USAGE, "effect 5");
    d = good, d.timeout_ms = -1;
    expect_refused(k, d, ERRAND_USAGE, "timeout_ms -1");
    d = good, d.parameters = "{";
    expect_refused(k, d, ERRAND_SCHEMA, "parameters of x");
    d = good, d.parameters = "{\"type\":\"array\"}";
    expect_refused(k, d, ERRAND_SCHEMA, "\"type\":\"object\"");
    d = good, d.parameters = "{\"type\":\"object\",\"required\":5}";
    expect_refused(k, d, ERRAND_SCHEMA, "parameters of x");
    assert_int_equal(er_tools_count(k->tools), 0);
    d = good;
    assert_int_equal(er_tools_add(k->tools, &d, "callback", NULL), 0);
    expect_refused(k, d, ERRAND_EXISTS, "callback and callback");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_callback_answers_at_once),
        TEST(test_callback_refuses),
        TEST(test_callback_answers_from_many_threads),
        TEST(test_callback_late_answer_is_ignored),
        TEST(test_callback_cancel_before_and_after_it_began),
        TEST(test_callback_answer_after_the_end),
        TEST(test_callback_result_over_the_limit),
        TEST(test_callback_wrong_definitions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
