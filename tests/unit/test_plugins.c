/* Plugins: loading, what crosses the border and back, and every way in which
 * a file is none. Each in a worker and in this process. */
/* The same source, linked into this program. Before cmocka.h, which has a
 * macro fail. */
#define errand_plugin_main er_test_plugin_main
#include "plugins/answers.c"
#undef errand_plugin_main

#include "support/plugin_kit.h"

enum how { APART, HERE, BUILT_IN };

static void open_answers(struct kit *k, enum how how, const char *config)
{
    struct errand_error err = {0};
    kit_open(k, NULL, 1);
    if (how != BUILT_IN) {
        plugin_load(k, "answers", config, how == HERE);
        return;
    }
    json_t *value = config ? er_json_parse(config, strlen(config),
                                 ER_JSON_STRICT, NULL)
                           : NULL;
    int rc = er_tools_add_plugin(
        k->tools, er_test_plugin_main, value, &err);
    json_decref(value);
    if (rc != ERRAND_OK)
        fail_msg("%s", err.msg);
}

/* ------------------------------------------------------------ what crosses */

static void look_at(struct kit *k, const char *value, const char *at,
    const char *expected)
{
    char args[400];
    snprintf(args, sizeof args, "{\"value\": %s, \"at\": \"%s\"}", value, at);
    kit_expect(k, "look", args, ER_TOOL_OK, expected);
}

static void check_places(struct kit *k)
{
    look_at(k, "5", "/value", "{\"kind\":3,\"integer\":5,\"number\":5,"
        "\"boolean\":-1,\"count\":0,\"text\":null}");
    look_at(k, "2.0", "/value", "{\"kind\":3,\"integer\":2,\"number\":2,"
        "\"boolean\":-1,\"count\":0,\"text\":null}");
    look_at(k, "0.25", "/value", "{\"kind\":4,\"integer\":-1,\"number\":0.25,"
        "\"boolean\":-1,\"count\":0,\"text\":null}");
    look_at(k, "1e300", "/value", "{\"kind\":4,\"integer\":-1,"
        "\"number\":1e+300,\"boolean\":-1,\"count\":0,\"text\":null}");
    look_at(k, "true", "/value", "{\"kind\":2,\"integer\":-1,\"number\":-1.5,"
        "\"boolean\":1,\"count\":0,\"text\":null}");
    look_at(k, "null", "/value", "{\"kind\":1,\"integer\":-1,\"number\":-1.5,"
        "\"boolean\":-1,\"count\":0,\"text\":null}");
    look_at(k, "\"a\\u0000b\"", "/value", "{\"kind\":5,\"integer\":-1,"
        "\"number\":-1.5,\"boolean\":-1,\"count\":0,"
        "\"text\":\"a\\u0000b\"}");
    look_at(k, "[1,[2,\"x\"]]", "/value/1/1", "{\"kind\":5,\"integer\":-1,"
        "\"number\":-1.5,\"boolean\":-1,\"count\":0,\"text\":\"x\"}");
    look_at(k, "[1,2]", "/value", "{\"kind\":6,\"integer\":-1,"
        "\"number\":-1.5,\"boolean\":-1,\"count\":2,\"text\":null}");
    look_at(k, "{\"a/b~c\":{\"\":7}}", "/value/a~1b~0c/",
        "{\"kind\":3,\"integer\":7,\"number\":7,\"boolean\":-1,"
        "\"count\":0,\"text\":null}");
}

static void check_places_that_are_not(struct kit *k)
{
    static const char *const wrong[] = {"/nothing", "value", "/value/2",
        "/value/-1", "/value/01", "/value/0x0", "/value/0/0", "/value/",
        "/value~2", "/value/99999999999999999999"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        look_at(k, "[1,2]", wrong[i], "{\"kind\":0,\"integer\":-1,"
            "\"number\":-1.5,\"boolean\":-1,\"count\":0,\"text\":null}");
}

static void check_answers(struct kit *k)
{
    kit_expect(k, "echo", "{\"b\":[1,{}],\"a\":\"\\u20ac\"}", ER_TOOL_OK,
        "{\"b\":[1,{}],\"a\":\"\xe2\x82\xac\"}");
    kit_expect(k, "refuse", "{}", ER_TOOL_FAILED, "try a smaller one");
    kit_expect(k, "silent", "{}", ER_TOOL_FAILED, "the tool gave no answer");
    kit_expect(k, "twice", "{}", ER_TOOL_OK, "first");
    assert_non_null(strstr(er_buf_str(&k->log), "answered twice"));
    kit_expect(k, "large", "{}", ER_TOOL_FAILED,
        "the result is over 16 MiB, or memory ran out");
    struct kept kept = kit_call(k, "broken_text", "{}", 0);
    assert_int_equal(kept.status, ER_TOOL_OK);
    assert_int_equal(kept.len, 7);
    assert_memory_equal(kept.text, "a\xef\xbf\xbd" "b\0c", 7);
    free(kept.text);
    kit_expect(k, "threaded", "{}", ER_TOOL_OK, "from a thread");
}

static void check_log(struct kit *k)
{
    kit_expect(k, "chatty", "{}", ER_TOOL_OK, "said");
    for (int i = 0; i < 50; i++)
        er_loop_run(k->loop, 1);
    int lines = 0;
    for (const char *s = er_buf_str(&k->log);
         (s = strstr(s, "tool: a line")) != NULL; s++)
        lines++;
    assert_int_equal(lines, 199);
    assert_non_null(strstr(er_buf_str(&k->log), "more log lines"));
}

static void check_all(enum how how)
{
    struct kit k;
    open_answers(&k, how, "{\"greeting\": \"hello\"}");
    check_places(&k);
    check_places_that_are_not(&k);
    check_answers(&k);
    check_log(&k);
    struct kept kept = kit_call(&k, "facts", "{}", 0);
    assert_string_equal(kept.text, "size 1 key key-1 attempt 1 timeout 5000 "
        "left 1 cancelled 0 abi 65537 extension 0 self hello");
    free(kept.text);
    kit_close(&k);
}

static void test_plugins_cross_in_a_worker(void **state)
{
    (void)state;
    check_all(APART);
}

static void test_plugins_cross_in_this_process(void **state)
{
    (void)state;
    check_all(HERE);
}

static void test_plugins_cross_when_built_in(void **state)
{
    (void)state;
    check_all(BUILT_IN);
}

struct probed {
    struct er_loop *loop;
    bool done;
    enum er_tool_status status;
    enum er_tool_probe probe;
    char text[64];
};

static void on_probed(void *ctx, const struct er_tool_outcome *o)
{
    struct probed *p = ctx;
    p->done = true;
    p->status = o->status;
    p->probe = o->probe;
    snprintf(p->text, sizeof p->text, "%s", o->text);
    er_loop_stop(p->loop);
}

static void test_plugins_words_on_standard_error_reach_the_log(void **state)
{
    struct kit k;
    (void)state;
    open_answers(&k, APART, NULL);
    kit_expect(&k, "chatty", "{}", ER_TOOL_OK, "said");
    int64_t until = er_mono_ms() + 20000;
    while (!strstr(er_buf_str(&k.log), "a word on standard error") &&
           er_mono_ms() < until)
        er_loop_run(k.loop, 5);
    assert_non_null(strstr(er_buf_str(&k.log), "a word on standard error"));
    kit_close(&k);
}

static void test_plugins_are_registered_as_they_say(void **state)
{
    struct kit k;
    (void)state;
    open_answers(&k, APART, NULL);
    assert_int_equal(er_tools_count(k.tools), 10);
    const struct er_tool *t = er_tools_find(k.tools, "facts");
    assert_string_equal(t->source, "plugin");
    assert_int_equal(t->effect, ERRAND_READ);
    assert_int_equal(t->timeout_ms, 5000);
    assert_int_equal(strlen(t->version), 16);
    assert_null(t->permissions);
    assert_non_null(strstr(t->path, "answers.so"));
    assert_true(er_tools_find(k.tools, "refuse")->sequential);
    assert_true(er_tools_find(k.tools, "silent")->polls);
    assert_true(er_tools_find(k.tools, "threaded")->probes);
    assert_false(er_tools_find(k.tools, "echo")->probes);
    assert_int_equal(er_tools_find(k.tools, "echo")->timeout_ms, 30000);
    kit_close(&k);
}

static void test_plugins_probe_tells_what_became_of_a_call(void **state)
{
    static const struct {
        const char *key;
        enum er_tool_probe probe;
        const char *text;
    } rows[] = {{"done-1", ER_PROBE_DONE, "it was done"},
        {"not-1", ER_PROBE_NOT_DONE, ""}, {"who-1", ER_PROBE_UNKNOWN, ""}};
    struct kit k;
    (void)state;
    open_answers(&k, APART, NULL);
    for (size_t i = 0; i < 3; i++) {
        struct probed p = {.loop = k.loop};
        struct er_tool_request req = {
            .tool = er_tools_find(k.tools, "threaded"),
            .idem_key = rows[i].key, .attempt = 1, .probe = true};
        assert_int_equal(er_tools_call(
            k.tools, &req, on_probed, &p, NULL, NULL), ERRAND_OK);
        while (!p.done)
            er_loop_run(k.loop, -1);
        assert_int_equal(p.status, ER_TOOL_OK);
        assert_int_equal(p.probe, rows[i].probe);
        assert_string_equal(p.text, rows[i].text);
    }
    kit_close(&k);
}

/* ------------------------------------------------------------ configuration */

static void check_configuration(bool inproc)
{
    struct kit k;
    kit_open(&k, NULL, 1);
    plugin_refused(&k, plugin_path("answers"), "{\"greeting\": 5}", inproc,
        ERRAND_CONFIG, "plugins.answers.greeting");
    plugin_refused(&k, plugin_path("answers"), "{\"other\": 5}", inproc,
        ERRAND_CONFIG, "other");
    plugin_refused(&k, plugin_path("rogue"), "{\"any\": 5}", inproc,
        ERRAND_CONFIG, "takes no configuration");
    assert_int_equal(er_tools_count(k.tools), 0);
    plugin_load(&k, "answers", "{\"greeting\": \"no\"}", inproc);
    struct kept kept = kit_call(&k, "echo", "{}", 0);
    assert_int_equal(kept.status, ER_TOOL_FAILED);
    assert_non_null(strstr(kept.text, "the tool's plugin refuses to start"));
    assert_non_null(
        strstr(inproc ? kept.text : kept.detail, "not in the mood"));
    free(kept.text);
    kit_close(&k);
}

static void test_plugins_configuration_is_checked_and_handed_on(void **state)
{
    (void)state;
    check_configuration(false);
    check_configuration(true);
}

/* ------------------------------------------------------ older, newer, other */

static void check_versions(bool inproc)
{
    struct kit k;
    kit_open(&k, NULL, 1);
    plugin_load(&k, "older", NULL, inproc);
    plugin_load(&k, "newer", NULL, inproc);
    kit_expect(&k, "older", "{}", ER_TOOL_OK, "old and well");
    kit_expect(&k, "newer", "{}", ER_TOOL_OK, "new and well");
    plugin_refused(&k, plugin_path("other"), NULL, inproc,
        ERRAND_UNSUPPORTED, "3.7");
    plugin_refused(&k, plugin_path("other"), NULL, inproc,
        ERRAND_UNSUPPORTED, "this errand has 1.1");
    kit_close(&k);
}

static void test_plugins_of_other_versions(void **state)
{
    (void)state;
    check_versions(false);
    check_versions(true);
}

static void test_plugins_in_cpp(void **state)
{
    struct kit k;
    (void)state;
    for (int inproc = 0; inproc < 2; inproc++) {
        kit_open(&k, NULL, 1);
        plugin_load(&k, "in_cpp", NULL, inproc);
        kit_expect(&k, "reverse", "{\"text\": \"abc\"}", ER_TOOL_OK, "cba");
        kit_expect(&k, "reverse", "{\"text\": \"\"}", ER_TOOL_FAILED,
            "there is nothing to reverse");
        kit_close(&k);
    }
}

/* ----------------------------------------------------------- wrong files */

static void check_wrong_files(bool inproc)
{
    struct kit k;
    kit_open(&k, NULL, 1);
    kit_file(&k, "text.so", "int main(void) { return 0; }\n");
    kit_file(&k, "empty.so", "");
    kit_write(&k, "cut.so", "\177ELF\2\1\1", 7);
    mkdir(kit_path(&k, "folder.so"), 0777);
    plugin_refused(&k, kit_path(&k, "none.so"), NULL, inproc,
        inproc ? ERRAND_NOT_FOUND : ERRAND_NOT_FOUND, "cannot read");
    plugin_refused(&k, kit_path(&k, "text.so"), NULL, inproc, ERRAND_SYNTAX,
        "not a shared object");
    plugin_refused(&k, kit_path(&k, "empty.so"), NULL, inproc, ERRAND_SYNTAX,
        "not a shared object");
    plugin_refused(&k, kit_path(&k, "cut.so"), NULL, inproc, ERRAND_SYNTAX,
        "cannot be loaded");
    plugin_refused(&k, kit_path(&k, "folder.so"), NULL, inproc,
        ERRAND_SYNTAX, "not a file");
    plugin_refused(&k, plugin_path("no_entry"), NULL, inproc, ERRAND_SYNTAX,
        "has no function errand_plugin_main");
    plugin_refused(&k, plugin_path("no_symbol"), NULL, inproc, ERRAND_SYNTAX,
        "nobody_has_this");
    plugin_refused(&k, plugin_path("returns_null"), NULL, inproc,
        ERRAND_SYNTAX, "returned NULL");
    assert_int_equal(er_tools_count(k.tools), 0);
    kit_close(&k);
}

static void test_plugins_that_are_none(void **state)
{
    (void)state;
    check_wrong_files(false);
    check_wrong_files(true);
}

static void test_plugins_with_everything_wrong(void **state)
{
    static const char *const expected[] = {"plugin: name must be",
        "plugin: configuration must be a JSON object",
        "tool 1: the size of its struct errand_tool is 16",
        "tool 2: name is NULL", "a name: name must be 1 to 64",
        "a name: description is missing", "a name: effect 9",
        "a name: timeout_ms 3600001", "a name: run is NULL",
        "a name: parameters is not JSON",
        "a name: permissions must be a JSON object",
        "schema: two tools of the plugin have this name",
        "schema: parameters: ", "schema: permissions.reads is not known",
        "schema: permissions.run must be a list",
        "schema: permissions.kv must be true, false, or the name"};
    struct kit k;
    struct errand_error err = {0};
    (void)state;
    kit_open(&k, NULL, 1);
    json_t *report =
        er_tools_check(k.tools, plugin_path("all_wrong"), &err);
    assert_non_null(report);
    assert_true(json_is_false(json_object_get(report, "ok")));
    char *text = er_json_text(json_object_get(report, "problems"));
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        if (!strstr(text, expected[i]))
            fail_msg("not said: %s\n%s", expected[i], text);
    free(text);
    json_decref(report);
    plugin_refused(&k, plugin_path("all_wrong"), NULL, false, ERRAND_SCHEMA,
        "name must be");
    kit_close(&k);
}

static void test_plugins_check_says_what_a_good_one_is(void **state)
{
    struct kit k;
    struct errand_error err = {0};
    (void)state;
    kit_open(&k, NULL, 1);
    json_t *report = er_tools_check(k.tools, plugin_path("answers"), &err);
    assert_true(json_is_true(json_object_get(report, "ok")));
    assert_int_equal(json_array_size(json_object_get(report, "tools")), 10);
    const json_t *about = json_object_get(report, "plugin");
    assert_string_equal(er_json_str(about, "name"), "answers");
    assert_string_equal(er_json_str(about, "release"), "2.5");
    assert_string_equal(er_json_str(about, "abi"), "1.1");
    json_decref(report);
    kit_close(&k);
}

static void test_plugins_share_no_name_with_others(void **state)
{
    struct kit k;
    (void)state;
    kit_open(&k, NULL, 1);
    plugin_load(&k, "older", NULL, false);
    plugin_refused(&k, plugin_path("older"), NULL, false, ERRAND_EXISTS,
        "two tools are named older, rename one: ");
    plugin_refused(&k, plugin_path("older"), NULL, true, ERRAND_EXISTS,
        "older.so and ");
    kit_tool(&k, "newer", "parameters = { type = 'object' },", "return 1");
    kit_load(&k);
    plugin_refused(&k, plugin_path("newer"), NULL, false, ERRAND_EXISTS,
        "newer.lua");
    kit_close(&k);
}

/* A file that changed is another tool: it is not run unseen. */
static void test_plugins_that_change_are_not_run(void **state)
{
    struct kit k;
    struct er_buf bytes;
    char piece[4096];
    size_t n;
    (void)state;
    kit_open(&k, NULL, 1);
    er_buf_init(&bytes, 16 << 20);
    FILE *in = fopen(plugin_path("older"), "rb");
    while (in && (n = fread(piece, 1, sizeof piece, in)) > 0)
        er_buf_add(&bytes, piece, n);
    fclose(in);
    kit_write(&k, "own.so", bytes.data, bytes.len);
    assert_int_equal(plugin_try(&k, kit_path(&k, "own.so"), NULL, false,
        NULL), ERRAND_OK);
    assert_int_equal(unlink(kit_path(&k, "own.so")), 0);
    er_buf_addc(&bytes, '\n');
    kit_write(&k, "own.so", bytes.data, bytes.len);
    struct kept kept = kit_call(&k, "older", "{}", 0);
    assert_int_equal(kept.status, ER_TOOL_FAILED);
    assert_non_null(strstr(kept.text, "changed after it was loaded"));
    free(kept.text);
    er_buf_release(&bytes);
    kit_close(&k);
}

/* -------------------------------------------------------- in this process */

/* The loop goes on while a plugin works, and its deadline holds. */
static void test_plugins_inproc_never_block_the_loop(void **state)
{
    struct kit k;
    struct kept slow = {0};
    (void)state;
    kit_open(&k, NULL, 1);
    plugin_load(&k, "rogue", NULL, true);
    plugin_load(&k, "answers", NULL, true);
    kit_start(&k, "hangs", "{}", 2000, &slow);
    kit_expect(&k, "echo", "{}", ER_TOOL_OK, "{}");
    assert_false(slow.done);
    kit_wait(&k, &slow);
    assert_int_equal(slow.status, ER_TOOL_TIMEOUT);
    free(slow.text);
    kit_close(&k); /* its thread is left behind, and we live */
}

static void test_plugins_inproc_calls_wait_in_line(void **state)
{
    enum { CALLS = 50 };
    struct kit k;
    struct kept kept[CALLS] = {{0}};
    int counter = 0;
    (void)state;
    kit_open(&k, NULL, 1);
    plugin_load(&k, "answers", NULL, true);
    for (int i = 0; i < CALLS; i++) {
        kept[i].counter = &counter;
        kit_start(&k, "echo", "{}", 0, &kept[i]);
    }
    for (int i = 0; i < CALLS; i++) {
        kit_wait(&k, &kept[i]);
        assert_int_equal(kept[i].order, i + 1);
        free(kept[i].text);
    }
    kit_close(&k);
}

static void test_plugins_inproc_end_with_calls_in_line(void **state)
{
    struct kit k;
    struct kept kept[3] = {{0}};
    (void)state;
    kit_open(&k, NULL, 1);
    plugin_load(&k, "answers", NULL, true);
    for (int i = 0; i < 3; i++)
        kit_start(&k, "echo", "{}", 0, &kept[i]);
    kit_close(&k);
    for (int i = 0; i < 3; i++) {
        assert_true(kept[i].done);
        assert_int_equal(kept[i].status, ER_TOOL_CANCELLED);
        free(kept[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plugins_cross_in_a_worker),
        cmocka_unit_test(test_plugins_cross_in_this_process),
        cmocka_unit_test(test_plugins_cross_when_built_in),
        cmocka_unit_test(
            test_plugins_words_on_standard_error_reach_the_log),
        cmocka_unit_test(test_plugins_are_registered_as_they_say),
        cmocka_unit_test(test_plugins_probe_tells_what_became_of_a_call),
        cmocka_unit_test(test_plugins_configuration_is_checked_and_handed_on),
        cmocka_unit_test(test_plugins_of_other_versions),
        cmocka_unit_test(test_plugins_in_cpp),
        cmocka_unit_test(test_plugins_that_are_none),
        cmocka_unit_test(test_plugins_with_everything_wrong),
        cmocka_unit_test(test_plugins_check_says_what_a_good_one_is),
        cmocka_unit_test(test_plugins_share_no_name_with_others),
        cmocka_unit_test(test_plugins_that_change_are_not_run),
        cmocka_unit_test(test_plugins_inproc_never_block_the_loop),
        cmocka_unit_test(test_plugins_inproc_calls_wait_in_line),
        cmocka_unit_test(test_plugins_inproc_end_with_calls_in_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
