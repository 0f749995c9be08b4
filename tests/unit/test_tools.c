/* Loading tools and calling them through a worker. */
#include "support/tool_kit.h"

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

static void test_tools_a_lua_file_is_loaded_and_called(void **state)
{
    struct kit *k = *state;
    kit_file(k, "word_count.lua",
        "return {\n"
        "  name = \"word_count\",\n"
        "  description = \"Count the words of a text\",\n"
        "  parameters = {\n"
        "    type = \"object\",\n"
        "    properties = {\n"
        "      text = { type = \"string\", description = \"the text\" },\n"
        "    },\n"
        "    required = { \"text\" },\n"
        "  },\n"
        "  effect = \"pure\",\n"
        "  timeout_ms = 5000,\n"
        "  sequential = true,\n"
        "  run = function(args, ctx)\n"
        "    local n = 0\n"
        "    for _ in args.text:gmatch(\"%S+\") do n = n + 1 end\n"
        "    return { words = n }\n"
        "  end,\n"
        "}\n");
    kit_load(k);
    assert_int_equal(er_tools_count(k->tools), 1);
    const struct er_tool *tool = er_tools_find(k->tools, "word_count");
    assert_non_null(tool);
    assert_ptr_equal(tool, er_tools_at(k->tools, 0));
    assert_string_equal(tool->description, "Count the words of a text");
    assert_int_equal(tool->effect, ERRAND_PURE);
    assert_int_equal(tool->timeout_ms, 5000);
    assert_true(tool->sequential);
    assert_false(tool->polls);
    assert_string_equal(tool->source, "lua");
    assert_int_equal(strlen(tool->version), 16);
    char *schema = er_json_text(tool->parameters);
    assert_string_equal(schema,
        "{\"properties\":{\"text\":{\"description\":\"the text\","
        "\"type\":\"string\"}},\"required\":[\"text\"],"
        "\"type\":\"object\"}");
    free(schema);
    kit_expect(k, "word_count", "{\"text\":\"one two  three\"}", ER_TOOL_OK,
        "{\"words\":3}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_tools_a_lua_file_is_loaded_and_called, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
