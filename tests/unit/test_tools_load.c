/* Loading: everything that can be wrong with a file, said at once. */
#include "support/tool_kit.h"

#include <time.h>

static int setup(void **state)
{
    struct kit *k = calloc(1, sizeof *k);
    kit_open(k, NULL, 2);
    *state = k;
    return 0;
}

static int teardown(void **state)
{
    kit_close(*state);
    free(*state);
    return 0;
}

/* The problems of a file as "line message\n" each. Caller frees. */
static char *problems_of(struct kit *k, const char *file, bool *ok)
{
    struct errand_error err = {0};
    json_t *answer = er_tools_check(k->tools, kit_path(k, file), &err);
    struct er_buf b;
    size_t i;
    json_t *p;
    if (!answer)
        fail_msg("check: %s", err.msg);
    er_buf_init(&b, 1 << 20);
    json_array_foreach(json_object_get(answer, "problems"), i, p)
        er_buf_addf(&b, "%s%lld %s\n",
            er_json_str(p, "level") ? "warning " : "",
            (long long)er_json_int(p, "line", -1),
            er_json_str(p, "message"));
    *ok = json_is_true(json_object_get(answer, "ok"));
    assert_int_equal(*ok, json_object_get(answer, "tool") != NULL);
    json_decref(answer);
    return er_buf_take(&b, NULL);
}

static void expect_problems(
    struct kit *k, const char *text, const char *expected)
{
    bool ok;
    kit_file(k, "bad.lua", text);
    char *problems = problems_of(k, "bad.lua", &ok);
    assert_string_equal(problems, expected);
    assert_false(ok);
    free(problems);
}

static void test_load_a_syntax_error_has_its_line(void **state)
{
    expect_problems(*state,
        "return {\n  name = \"x\",\n  description = = 1,\n}\n",
        "3 unexpected symbol near '='\n");
}

static void test_load_not_a_table(void **state)
{
    expect_problems(*state, "local x = 1\n",
        "0 the file must return a table: return { name = ..., ... }; it "
        "returns nothing\n");
    expect_problems(*state, "return 'text'\n",
        "1 the file must return a table: return { name = ..., ... }; it "
        "returns string\n");
    expect_problems(*state, "return {}\n",
        "1 description is missing; say what the tool does and when to use "
        "it, the model reads it\n"
        "1 name is missing; models call the tool by it\n"
        "1 run is missing; it is the function that does the work: "
        "run = function(args, ctx) ... end\n");
}

static void test_load_everything_wrong_is_said_at_once(void **state)
{
    expect_problems(*state,
        "-- a tool with many faults\n"
        "return {\n"
        "  name = \"two words\",\n"
        "  desciption = \"misspelt\",\n"
        "  parameters = {\n"
        "    type = \"array\",\n"
        "    properties = { name = { type = \"string\" } },\n"
        "  },\n"
        "  effect = \"harmless\",\n"
        "  timeout_ms = 1.5,\n"
        "  sequential = \"yes\",\n"
        "  permissions = { read = \"docs\", files = { \".\" } },\n"
        "  colour = 1,\n"
        "  run = 5,\n"
        "}\n",
        "2 description is missing; say what the tool does and when to use "
        "it, the model reads it\n"
        "3 name 'two words' must be 1 to 64 of A-Z a-z 0-9 _ -\n"
        "4 desciption is not known; did you mean description?\n"
        "5 parameters must have type = \"object\"\n"
        "9 effect harmless must be \"pure\", \"read\", \"idempotent\", "
        "\"keyed\" or \"unsafe\"\n"
        "10 timeout_ms must be an integer from 1 to 3600000 (an hour)\n"
        "11 sequential must be true or false\n"
        "12 permissions.files is not known; there are: read, write, net, "
        "secrets, kv, run\n"
        "12 permissions.read must be a list of at most 16 paths, such as "
        "{ \".\" }\n"
        "13 colour is not known; there are: name, description, parameters, "
        "effect, timeout_ms, sequential, polls, external, permissions, "
        "examples, run\n"
        "14 run must be a function, not a number\n");
}

/* What a tool file with these permissions is said to be. */
static void expect_permissions(
    struct kit *k, const char *members, const char *json)
{
    char extra[300];
    struct errand_error err = {0};
    snprintf(extra, sizeof extra, "permissions = { %s },", members);
    kit_tool(k, "t", extra, "return 1");
    json_t *answer = er_tools_check(k->tools, kit_path(k, "t.lua"), &err);
    assert_non_null(answer);
    json_t *tool = json_object_get(answer, "tool");
    char *text = er_json_text(json_object_get(tool, "permissions"));
    assert_string_equal(text ? text : "(wrong)", json);
    free(text);
    json_decref(answer);
}

static void test_load_permissions(void **state)
{
    struct kit *k = *state;
    expect_permissions(k, "", "{}");
    expect_permissions(k, "read = {}, kv = false, net = {}", "{}");
    expect_permissions(k,
        "write = { 'out', 'b' }, read = { '.' }, kv = true, "
        "secrets = { 'weather' }, run = { 'git', '/bin/true' }, "
        "net = { '*.example.com', 'https://h:8443', 'http://[::1]:80' }",
        "{\"kv\":true,\"net\":[\"*.example.com\",\"https://h:8443\","
        "\"http://[::1]:80\"],\"read\":[\".\"],"
        "\"run\":[\"git\",\"/bin/true\"],\"secrets\":[\"weather\"],"
        "\"write\":[\"out\",\"b\"]}");
}

static void test_load_permissions_that_are_wrong(void **state)
{
    static const char *const rows[][2] = {
        {"red = { '.' }", "permissions.red is not known; did you mean read?"},
        {"env = { 'A' }",
            "permissions.env is not known; there are: read, write, net, "
            "secrets, kv, run"},
        {"kv = 1", "permissions.kv must be true, or the name of a store "
                   "that tools share, such as { \"memory\" }"},
        {"kv = { 'a', 'b' }",
            "permissions.kv must be true, or the name of a store that tools "
            "share, such as { \"memory\" }"},
        {"kv = { '@a' }",
            "permissions.kv must be true, or the name of a store that tools "
            "share, such as { \"memory\" }"},
        {"net = { 'a b' }",
            "permissions.net must be a list of at most 16 hosts, such as "
            "{ \"api.example.com\" }"},
        {"net = { 'ftp://a' }",
            "permissions.net must be a list of at most 16 hosts, such as "
            "{ \"api.example.com\" }"},
        {"run = { 'a/b' }",
            "permissions.run must be a list of at most 16 programs, such as "
            "{ \"git\" }"},
        {"secrets = { 'a b' }",
            "permissions.secrets must be a list of at most 16 names of "
            "secrets, such as { \"weather\" }"},
        {"write = { '' }",
            "permissions.write must be a list of at most 16 paths, such as "
            "{ \"./out\" }"},
        {"read = { a = '.' }",
            "permissions.read must be a list of at most 16 paths, such as "
            "{ \".\" }"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[300], problem[300];
        snprintf(text, sizeof text,
            "return { name = 't', description = 'd',\n"
            "permissions = { %s },\nrun = function() end }\n",
            rows[i][0]);
        snprintf(problem, sizeof problem, "2 %s\n", rows[i][1]);
        expect_problems(*state, text, problem);
    }
}

static void test_load_an_error_while_the_file_runs(void **state)
{
    expect_problems(*state, "local t = nil\nlocal x = t.field\nreturn {}\n",
        "2 attempt to index a nil value (local 't')\n");
    expect_problems(*state, "\nos.execute('true')\n",
        "2 attempt to call a nil value (field 'execute')\n");
    expect_problems(*state, "error{message = 'not today'}\n",
        "1 not today\n");
    expect_problems(*state, "error(nil)\n",
        "1 an error was raised that is neither a text nor a table with a "
        "message\n");
}

static void test_load_a_file_that_never_ends(void **state)
{
    int64_t began = er_mono_ms();
    expect_problems(*state, "\nwhile true do end\n",
        "2 stopped: it took too long\n");
    assert_true(er_mono_ms() - began < 30000);
}

static void test_load_bytecode_is_refused(void **state)
{
    bool ok;
    kit_write(*state, "bad.lua", "\x1bLua\x54\0\x19\x93", 8);
    char *problems = problems_of(*state, "bad.lua", &ok);
    assert_false(ok);
    assert_string_equal(
        problems, "0 it is bytecode; a tool is Lua text\n");
    free(problems);
    kit_file(*state, "bad.lua", "return {\n -- caf\xe9\n}\n");
    problems = problems_of(*state, "bad.lua", &ok);
    assert_false(ok);
    assert_string_equal(problems,
        "0 byte 0xE9 on line 2 is not UTF-8; save the file as UTF-8\n");
    free(problems);
    kit_file(*state, "bad.lua", "# not the first byte\n\x1bLua\n");
    problems = problems_of(*state, "bad.lua", &ok);
    assert_false(ok);
    free(problems);
}

static void test_load_a_schema_that_is_none(void **state)
{
    bool ok;
    kit_tool(*state, "bad",
        "parameters = { type = 'object', properties = { x = { type = "
        "'strng' } } },",
        "");
    char *problems = problems_of(*state, "bad.lua", &ok);
    assert_false(ok);
    assert_non_null(strstr(problems, "0 parameters: "));
    free(problems);
    kit_tool(*state, "bad",
        "parameters = { type = 'object', properties = { f = print } },", "");
    problems = problems_of(*state, "bad.lua", &ok);
    assert_string_equal(problems,
        "4 parameters.properties.f: a function cannot be JSON\n");
    free(problems);
}

static void test_load_warns_of_what_endpoints_refuse(void **state)
{
    bool ok;
    kit_tool(*state, "fine",
        "parameters = { type = 'object', properties = { x = {}, y = { type "
        "= 'object', description = 'd', properties = { z = { enum = { 1 } "
        "} } } } },",
        "");
    char *problems = problems_of(*state, "fine.lua", &ok);
    assert_true(ok);
    assert_string_equal(problems,
        "warning 0 parameters.x has no description; some models' endpoints "
        "need it\n"
        "warning 0 parameters.x has no type; some models' endpoints need "
        "it\n"
        "warning 0 parameters.y.z has no description; some models' "
        "endpoints need it\n");
    free(problems);
}

static void test_load_empty_lists_of_a_schema_are_lists(void **state)
{
    struct kit *k = *state;
    kit_tool(k, "lists",
        "parameters = { type = 'object', required = {}, properties = { "
        "required = { description = 'a name', type = 'array', items = {}, "
        "default = errand.array() } } },",
        "");
    kit_load(k);
    const struct er_tool *tool = er_tools_find(k->tools, "lists");
    char *text = er_json_text(tool->parameters);
    assert_string_equal(text,
        "{\"properties\":{\"required\":{\"default\":[],\"description\":\"a "
        "name\",\"items\":{},\"type\":\"array\"}},\"required\":[],"
        "\"type\":\"object\"}");
    free(text);
}

static void test_load_defaults_are_the_careful_ones(void **state)
{
    struct kit *k = *state;
    kit_tool(k, "plain", "", "return 1");
    kit_load(k);
    const struct er_tool *tool = er_tools_find(k->tools, "plain");
    assert_int_equal(tool->effect, ERRAND_UNSAFE);
    assert_int_equal(tool->timeout_ms, 30000);
    assert_false(tool->sequential);
    assert_null(tool->permissions);
    char *text = er_json_text(tool->parameters);
    assert_string_equal(text, "{\"properties\":{},\"type\":\"object\"}");
    free(text);
}

static void test_load_a_wrong_file_does_not_stop_the_others(void **state)
{
    struct kit *k = *state;
    struct errand_error err = {0};
    json_t *problems = json_array();
    kit_tool(k, "a_good", "", "return 1");
    kit_file(k, "b_bad.lua", "\nreturn {");
    kit_file(k, "c_bad.lua", "return 1");
    kit_tool(k, "d_good", "", "return 2");
    kit_file(k, "template.lua", "not Lua at all");
    kit_file(k, "_draft.lua", "not Lua at all");
    kit_file(k, ".hidden.lua", "not Lua at all");
    kit_file(k, "notes.txt", "not Lua at all");
    int rc = er_tools_load_dir(k->tools, k->dir, problems, &err);
    assert_int_equal(rc, ERRAND_SYNTAX);
    assert_int_equal(err.code, ERRAND_SYNTAX);
    assert_int_equal(err.at, 2);
    assert_non_null(strstr(err.msg, "b_bad.lua:2: "));
    assert_int_equal(er_tools_count(k->tools), 2);
    assert_int_equal(json_array_size(problems), 2);
    const json_t *first = json_array_get(problems, 0);
    assert_string_equal(
        er_json_str(first, "path"), kit_path(k, "b_bad.lua"));
    assert_int_equal(er_json_int(first, "line", 0), 2);
    json_decref(problems);
    kit_expect(k, "d_good", "{}", ER_TOOL_OK, "2");
}

static void test_load_two_of_one_name_names_both_paths(void **state)
{
    struct kit *k = *state;
    struct errand_error err = {0};
    kit_tool(k, "first", "", "return 1");
    kit_load(k);
    kit_remove_files(k->dir);
    assert_int_equal(mkdir(k->dir, 0700), 0);
    kit_file(k, "other.lua",
        "return { name = 'first', description = 'd', run = function() end "
        "}");
    int rc = er_tools_load_dir(k->tools, k->dir, NULL, &err);
    assert_int_equal(rc, ERRAND_EXISTS);
    assert_non_null(strstr(err.msg, "first.lua"));
    assert_non_null(strstr(err.msg, "other.lua"));
    assert_int_equal(er_tools_count(k->tools), 1);
}

static void test_load_a_missing_folder_is_no_error(void **state)
{
    struct kit *k = *state;
    assert_int_equal(
        er_tools_load_dir(k->tools, "/nonexistent", NULL, NULL), ERRAND_OK);
    kit_file(k, "file", "");
    struct errand_error err = {0};
    assert_int_equal(er_tools_load_dir(
                         k->tools, kit_path(k, "file"), NULL, &err),
        ERRAND_IO);
}

static void test_load_a_missing_file_says_so(void **state)
{
    bool ok;
    char *problems = problems_of(*state, "none.lua", &ok);
    assert_false(ok);
    assert_non_null(strstr(problems, "cannot read"));
    assert_non_null(strstr(problems, "No such file"));
    free(problems);
}

static void test_load_a_byte_order_mark_and_a_shell_line(void **state)
{
    struct kit *k = *state;
    kit_file(k, "bom.lua",
        "\xEF\xBB\xBF#!/usr/bin/env lua\nreturn { name = 'bom', description "
        "= 'd', run = function() error('here') end }");
    kit_load(k);
    struct kept kept = kit_call(k, "bom", "{}", 0);
    assert_int_equal(kept.status, ER_TOOL_FAILED);
    assert_string_equal(kept.text, "here");
    assert_non_null(strstr(kept.detail, "bom.lua:2: here"));
    free(kept.text);
}

static void test_load_a_missing_worker_is_named(void **state)
{
    (void)state;
    struct errand_error err = {0};
    struct er_loop *loop = er_loop_new(&err);
    er_tools *t = er_tools_new(loop, "/nonexistent/worker", 1, NULL, &err);
    assert_non_null(t); /* who has no Lua tools needs no worker */
    assert_null(er_tools_eval_config(t, "tools/now.lua", &err));
    assert_int_equal(err.code, ERRAND_NOT_FOUND);
    assert_non_null(strstr(err.msg, "/nonexistent/worker"));
    er_tools_free(t);
    er_loop_free(loop);
}

static void test_load_similar_names(void **state)
{
    struct kit *k = *state;
    const char *names[3];
    kit_tool(k, "read_file", "", "");
    kit_tool(k, "list_files", "", "");
    kit_tool(k, "calculate", "", "");
    kit_load(k);
    assert_int_equal(er_tools_similar(k->tools, "readfile", names, 3), 1);
    assert_string_equal(names[0], "read_file");
    assert_int_equal(er_tools_similar(k->tools, "Lits_Files", names, 3), 1);
    assert_string_equal(names[0], "list_files");
    assert_int_equal(er_tools_similar(k->tools, "send_mail", names, 3), 0);
    assert_string_equal(er_tools_at(k->tools, 0)->name, "calculate");
    assert_null(er_tools_at(k->tools, 3));
    assert_null(er_tools_find(k->tools, "read"));
}

static void test_load_config_is_a_table(void **state)
{
    struct kit *k = *state;
    struct errand_error err = {0};
    kit_file(k, "errand.lua",
        "local ms = 1000\n"
        "return { model = 'local:x', timeout_ms = 30 * ms, list = "
        "errand.array(), nothing = errand.null, deep = { a = { 1, 2.5 } } "
        "}\n");
    json_t *value = er_tools_eval_config(
        k->tools, kit_path(k, "errand.lua"), &err);
    if (!value)
        fail_msg("config: %s", err.msg);
    char *text = er_json_text(value);
    assert_string_equal(text,
        "{\"deep\":{\"a\":[1,2.5]},\"list\":[],\"model\":\"local:x\","
        "\"nothing\":null,\"timeout_ms\":30000}");
    free(text);
    json_decref(value);
}

static void expect_config_error(
    struct kit *k, const char *text, int code, const char *message)
{
    struct errand_error err = {0};
    if (text)
        kit_file(k, "c.lua", text);
    const char *path = kit_path(k, text ? "c.lua" : "none.lua");
    assert_null(er_tools_eval_config(k->tools, path, &err));
    assert_int_equal(err.code, code);
    if (!strstr(err.msg, message))
        fail_msg("'%s' is not in '%s'", message, err.msg);
}

static void test_load_config_errors_have_file_and_line(void **state)
{
    struct kit *k = *state;
    expect_config_error(k, NULL, ERRAND_NOT_FOUND, "No such file");
    expect_config_error(k, "return {\n  a = ,\n}", ERRAND_SYNTAX,
        "c.lua:2: unexpected symbol near ','");
    expect_config_error(
        k, "return 5", ERRAND_SYNTAX, "the file must return a table");
    expect_config_error(k, "\nlocal key = os.getenv('KEY')\nreturn {}",
        ERRAND_SYNTAX, "c.lua:2: attempt to call a nil value");
    expect_config_error(k, "return { f = function() end }", ERRAND_SYNTAX,
        "configuration.f: a function cannot be JSON");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_load_a_syntax_error_has_its_line),
        TEST(test_load_not_a_table),
        TEST(test_load_everything_wrong_is_said_at_once),
        TEST(test_load_permissions),
        TEST(test_load_permissions_that_are_wrong),
        TEST(test_load_an_error_while_the_file_runs),
        TEST(test_load_a_file_that_never_ends),
        TEST(test_load_bytecode_is_refused),
        TEST(test_load_a_schema_that_is_none),
        TEST(test_load_warns_of_what_endpoints_refuse),
        TEST(test_load_empty_lists_of_a_schema_are_lists),
        TEST(test_load_defaults_are_the_careful_ones),
        TEST(test_load_a_wrong_file_does_not_stop_the_others),
        TEST(test_load_two_of_one_name_names_both_paths),
        TEST(test_load_a_missing_folder_is_no_error),
        TEST(test_load_a_missing_file_says_so),
        TEST(test_load_a_byte_order_mark_and_a_shell_line),
        TEST(test_load_a_missing_worker_is_named),
        TEST(test_load_similar_names),
        TEST(test_load_config_is_a_table),
        TEST(test_load_config_errors_have_file_and_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
