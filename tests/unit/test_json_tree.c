/* Nodes: they take what er_json_parse takes, and mean the same by it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/tree_kit.h"

#include <stdlib.h>

static const char *const texts[] = {
    "{\"id\":\"chatcmpl-1\",\"created\":1700000000,\"choices\":[{\"index\":0,"
    "\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":"
    "\"{\\\"n\"}}]},\"logprobs\":null,\"finish_reason\":null}]}",
    "[true,false,null,0,-0,7,-12,1.5,-2e3,123456789012345678,"
    "1234567890123456789,9223372036854775808,1E2,0.1]",
    "\xEF\xBB\xBF {\"a\" : [ ] , \"b\" : { } , \"a\" : \"\\u00e9\\ud83d"
    "\\ude00\\ud800 \xff \\u0000.\" }\n",
    "\"plain\"", "{\"\\u0061b\":{\"a\\nb\":[[[\"\\\\\"]]]}}", "  12  ", "",
};

static void check(const char *text, size_t len)
{
    if (!tree_agrees(text, len))
        fail_msg("%.*s", (int)len, text);
}

/* The texts, every beginning of them, and every byte made another. */
static void test_json_tree_agrees_with_the_parser(void **state)
{
    static const char bytes[] = "\"\\{}[],:0e.-ntf \n\x01\x80";
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        size_t len = strlen(texts[i]);
        char *text = malloc(len + 1);
        memcpy(text, texts[i], len + 1);
        for (size_t k = 0; k <= len; k++)
            check(text, k);
        for (size_t k = 0; k < len; k++) {
            for (size_t b = 0; b < sizeof bytes; b++) {
                text[k] = bytes[b]; /* the NUL as well */
                check(text, len);
            }
            text[k] = texts[i][k];
        }
        free(text);
    }
}

static void test_json_tree_is_as_deep_as_the_parser(void **state)
{
    char text[4 * ER_JSON_DEPTH];
    (void)state;
    for (size_t n = ER_JSON_DEPTH - 1; n <= ER_JSON_DEPTH + 1; n++) {
        memset(text, '[', n);
        memset(text + n, ']', n);
        check(text, 2 * n);
    }
}

static void test_json_tree_answers_for_what_is_not_there(void **state)
{
    static const char text[] =
        "{\"n\":3.0,\"big\":1e300,\"s\":\"x\",\"a\":[1,2],\"n\":4}";
    struct er_tree t = {0};
    (void)state;
    const struct er_node *n = er_tree_parse(&t, text, sizeof text - 1);
    assert_non_null(n);
    assert_int_equal(er_node_int(n, "n"), 4); /* the last one counts */
    assert_int_equal(er_node_int(n, "big"), 0);
    assert_int_equal(er_node_int(n, "s"), 0);
    assert_int_equal(er_node_int(n, "none"), 0);
    assert_string_equal(er_node_str(n, "s"), "x");
    assert_null(er_node_str(n, "a"));
    assert_null(er_node_get(er_node_get(n, "s"), "x"));
    assert_int_equal(er_node_count(er_node_get(n, "a")), 2);
    assert_int_equal(er_node_count(n), 0);
    assert_null(er_node_first(er_node_get(n, "none")));
    n = er_tree_parse(&t, "{\"m\":2.0}", 9); /* another one, same tree */
    assert_int_equal(er_node_int(n, "m"), 2);
    assert_null(er_node_get(n, "s"));
    er_tree_release(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_tree_agrees_with_the_parser),
        cmocka_unit_test(test_json_tree_is_as_deep_as_the_parser),
        cmocka_unit_test(test_json_tree_answers_for_what_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
