/* Questions: what a tool asks the runtime for while it runs, and what
 * becomes of a question when the call ends first. */
#include "support/tool_kit.h"

#include "tool/parts.h"
#include "tool/services.h"

/* A service that answers as it is told to. */
struct echo {
    struct kit kit;
    struct er_ask *held; /* not answered yet */
    int started, cancelled;
    bool hold; /* keep it instead of answering */
    struct er_timer later;
};

static void echo_start(void *ctx, struct er_ask *ask)
{
    struct echo *e = ctx;
    e->started++;
    assert_true(ask->until_ms > 0);
    assert_string_equal(ask->tool->name, "t");
    if (e->hold) {
        e->held = ask;
        er_loop_stop(e->kit.loop);
    } else {
        er_ask_reply(ask, json_pack("{s:O}", "value",
            json_object_get(ask->params, "key")));
    }
}

static void echo_cancel(void *ctx, struct er_ask *ask)
{
    struct echo *e = ctx;
    assert_ptr_equal(e->held, ask);
    e->held = NULL;
    e->cancelled++;
}

static int setup(void **state)
{
    struct echo *e = calloc(1, sizeof *e);
    struct errand_error err = {0};
    struct er_service s = {.name = "kv",
        .permission = "kv",
        .example = "kv = true",
        .start = echo_start,
        .cancel = echo_cancel,
        .ctx = e};
    kit_open(&e->kit, NULL, 1);
    assert_int_equal(er_services_add(e->kit.tools, &s, &err), ERRAND_OK);
    assert_int_equal(er_services_add(e->kit.tools, &s, &err), ERRAND_EXISTS);
    *state = e;
    return 0;
}

static int teardown(void **state)
{
    struct echo *e = *state;
    kit_close(&e->kit);
    free(e);
    return 0;
}

/* Load the tool t with this body, granted what permissions says. */
static void one_tool(
    struct kit *k, const char *permissions, const char *body)
{
    kit_tool(k, "t", "", body);
    kit_load(k);
    struct er_entry *entry = (struct er_entry *)k->tools->list[0];
    json_decref(entry->permissions);
    entry->permissions = er_json_parse(
        permissions, strlen(permissions), ER_JSON_STRICT, NULL);
    assert_non_null(entry->permissions);
    entry->tool.permissions = entry->permissions;
}

static void test_services_a_question_is_answered(void **state)
{
    struct echo *e = *state;
    one_tool(&e->kit, "{\"kv\":true}",
        "return { ctx.kv.get('a'), ctx.kv.get('b\\0c'), "
        "ctx.kv == ctx.kv }");
    kit_expect(&e->kit, "t", "{}", ER_TOOL_OK,
        "[\"a\",\"b\\u0000c\",true]");
    assert_int_equal(e->started, 2);
    assert_int_equal(e->cancelled, 0);
}

static void test_services_name_the_permission_that_is_missing(void **state)
{
    struct echo *e = *state;
    one_tool(&e->kit, "{\"net\":[\"a\"]}",
        "local t = {}\n"
        "for _, name in ipairs{'kv', 'fs', 'secret', 'http', 'nothing'} do\n"
        "  local ok, why = pcall(function() return ctx[name] end)\n"
        "  t[#t + 1] = ok and type(why) or why:gsub('^.-: ', '')\n"
        "end\n"
        "return table.concat(t, '\\n')");
    kit_expect(&e->kit, "t", "{}", ER_TOOL_OK,
        "ctx.kv is not granted; declare permissions = { kv = true }\n"
        "ctx.fs is not granted; declare permissions = { read = { \".\" } }\n"
        "ctx.secret is not granted; declare permissions = "
        "{ secrets = { \"name\" } }\n"
        "table\nnil");
}

/* The worker is made to believe that it has kv; the runtime knows better. */
static void test_services_the_runtime_decides_what_is_granted(void **state)
{
    struct echo *e = *state;
    one_tool(&e->kit, "{\"kv\":true,\"net\":[\"a\"]}",
        "local ok, why = pcall(ctx.kv.get, 'a')\n"
        "local yes, other = pcall(ctx.http.get, 'https://a/')\n"
        "return why .. '|' .. other");
    struct kept kept = {0};
    kit_start(&e->kit, "t", "{}", 0, &kept);
    struct er_entry *entry = e->kit.tools->list[0];
    json_object_del(entry->permissions, "kv");
    kit_wait(&e->kit, &kept);
    assert_string_equal(kept.text,
        "kv is not granted to t; declare permissions = { kv = true }|"
        "there is no service 'http'");
    assert_int_equal(e->started, 0);
    free(kept.text);
}

static void test_services_have_limits(void **state)
{
    struct echo *e = *state;
    one_tool(&e->kit, "{\"kv\":true}",
        "local ok, why = pcall(ctx.kv.get, ('x'):rep(5 * 1024 * 1024))\n"
        "if ok then return 'a question of 5 MiB went through' end\n"
        "for i = 2, 10000 do ctx.kv.get('k') end\n"
        "local ok2, why2 = pcall(ctx.kv.get, 'k')\n"
        "return why .. '|' .. tostring(why2)");
    kit_expect(&e->kit, "t", "{}", ER_TOOL_OK,
        "the question is over 4 MiB|one call may ask 10000 times");
    assert_int_equal(e->started, 9999);
}

/* A tool that asks on and on and takes no no is ended. */
static void test_services_end_a_flood(void **state)
{
    struct echo *e = *state;
    one_tool(&e->kit, "{\"kv\":true}",
        "while true do pcall(ctx.kv.get, 'k') end");
    struct kept kept = kit_call(&e->kit, "t", "{}", 20000);
    assert_int_equal(kept.status, ER_TOOL_DIED);
    assert_string_equal(
        kept.detail, "the worker asked what cannot be asked");
    free(kept.text);
}

static void test_services_are_told_when_the_call_is_cancelled(void **state)
{
    struct echo *e = *state;
    struct kept kept = {0};
    one_tool(&e->kit, "{\"kv\":true}", "return ctx.kv.get('a')");
    e->hold = true;
    er_tool_call *call = kit_start(&e->kit, "t", "{}", 0, &kept);
    while (!e->held)
        er_loop_run(e->kit.loop, 1000);
    er_tools_cancel(call);
    kit_wait(&e->kit, &kept);
    assert_int_equal(kept.status, ER_TOOL_CANCELLED);
    assert_int_equal(e->cancelled, 1);
    free(kept.text);
}

static void test_services_are_told_at_the_deadline(void **state)
{
    struct echo *e = *state;
    one_tool(&e->kit, "{\"kv\":true}",
        "while true do pcall(ctx.kv.get, 'a') end");
    e->hold = true;
    struct kept kept = kit_call(&e->kit, "t", "{}", 100);
    assert_int_equal(kept.status, ER_TOOL_TIMEOUT);
    assert_int_equal(e->cancelled, 1);
    free(kept.text);
}

/* An answer that comes when the call is over belongs to nobody: the next
 * call of the same worker must not get it. */
static void test_services_a_late_answer_is_nobodys(void **state)
{
    struct echo *e = *state;
    one_tool(&e->kit, "{\"kv\":true}", "return ctx.kv.get(args.key)");
    for (int i = 0; i < 50; i++) {
        struct kept kept = {0};
        e->hold = true;
        kit_start(&e->kit, "t", "{\"key\":\"old\"}", 5, &kept);
        int64_t until = er_mono_ms() + 20000;
        while (!e->held && !kept.done && er_mono_ms() < until)
            er_loop_run(e->kit.loop, 100);
        while (!kept.done && er_mono_ms() < until) {
            struct er_ask *ask = e->held;
            int64_t due = ask ? ask->until_ms : 0;
            while (ask && er_mono_ms() < due)
                ;
            if (ask) { /* at the last moment: it may cross the end */
                e->held = NULL;
                er_ask_reply(ask, json_pack("{s:s}", "value", "old"));
            }
            er_loop_run(e->kit.loop, 1000);
        }
        assert_true(kept.done);
        assert_int_not_equal(kept.status, ER_TOOL_DIED);
        free(kept.text);
        e->hold = false;
        kit_expect(
            &e->kit, "t", "{\"key\":\"new\"}", ER_TOOL_OK, "new");
    }
}

static void test_services_end_with_the_runtime(void **state)
{
    struct echo *e = *state;
    struct kept kept = {0};
    one_tool(&e->kit, "{\"kv\":true}", "return ctx.kv.get('a')");
    e->hold = true;
    kit_start(&e->kit, "t", "{}", 0, &kept);
    while (!e->held)
        er_loop_run(e->kit.loop, 1000);
    er_tools_free(e->kit.tools);
    e->kit.tools = NULL;
    assert_int_equal(kept.status, ER_TOOL_CANCELLED);
    assert_int_equal(e->cancelled, 1);
    free(kept.text);
}

static void test_services_json_for_tools(void **state)
{
    struct echo *e = *state;
    one_tool(&e->kit, "{}",
        "local v = ctx.json.decode(args.text)\n"
        "return ctx.json.encode(v)");
    kit_expect(&e->kit, "t",
        "{\"text\":\" {\\\"b\\\":[],\\\"a\\\":{},\\\"c\\\":[null,1.5]}\"}",
        ER_TOOL_OK, "{\"a\":{},\"b\":[],\"c\":[null,1.5]}");
    struct kept kept = kit_call(&e->kit, "t", "{\"text\":\"[1,\"}", 0);
    assert_int_equal(kept.status, ER_TOOL_FAILED);
    assert_non_null(strstr(kept.text, "not valid JSON at byte "));
    free(kept.text);
}

/* It is told in the middle of a question, and may ask on to tidy up. */
static void test_services_a_question_ends_when_its_call_is_cancelled(
    void **state)
{
    struct echo *e = *state;
    struct kept kept = {0};
    one_tool(&e->kit, "{\"kv\":true}",
        "ctx.cancelled()\n"
        "local ok, why = pcall(ctx.kv.get, 'a')\n"
        "return { ok, why, ctx.cancelled(), ctx.kv.get('b') }");
    e->hold = true;
    er_tool_call *call = kit_start(&e->kit, "t", "{}", 0, &kept);
    int64_t until = er_mono_ms() + 60000;
    while (!e->held && er_mono_ms() < until)
        er_loop_run(e->kit.loop, 5);
    assert_non_null(e->held);
    e->hold = false;
    er_tools_cancel(call);
    assert_int_equal(e->cancelled, 1);
    kit_wait(&e->kit, &kept);
    assert_string_equal(
        kept.text, "[false,\"the call was cancelled\",true,\"b\"]");
    free(kept.text);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_services_a_question_is_answered),
        T(test_services_name_the_permission_that_is_missing),
        T(test_services_the_runtime_decides_what_is_granted),
        T(test_services_have_limits),
        T(test_services_end_a_flood),
        T(test_services_are_told_when_the_call_is_cancelled),
        T(test_services_are_told_at_the_deadline),
        T(test_services_a_late_answer_is_nobodys),
        T(test_services_end_with_the_runtime),
        T(test_services_json_for_tools),
        T(test_services_a_question_ends_when_its_call_is_cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
