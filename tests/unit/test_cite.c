/* Sources: the schema allows the passages that were given, quotations are
 * found where they stand, and what is made up is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "search/cite.h"
#include "tool/schema.h"

#include <stdlib.h>
#include <string.h>

static const char HITS[] =
    "[{\"id\":\"1.0\",\"path\":\"/a/b.md\",\"heading\":\"Top\",\"line\":3,"
    "\"kind\":\"markdown\",\"text\":\"# Top\\n\\nLeeks are sown in\\n  "
    "March; \\u201csoon\\u201d.\\n\"},"
    "{\"id\":\"2.4\",\"path\":\"/a/c.html\",\"heading\":\"\",\"line\":null,"
    "\"kind\":\"html\",\"text\":\"Tomatoes go out in May.\"}]";

static json_t *parse(const char *text)
{
    json_t *v = er_json_parse(text, strlen(text), ER_JSON_STRICT, NULL);
    assert_non_null(v);
    return v;
}

static void test_cite_find(void **state)
{
    static const struct {
        const char *text, *quote;
        int start, end;
    } cases[] = {
        {"Leeks are sown", "are", 6, 9},
        {"Leeks are\n  sown", "leeks ARE sown", 0, 16},
        {"a \xE2\x80\x9Cword\xE2\x80\x9D", "\"word\"", 2, 12},
        {"one two", " two ", 4, 7},
        {"one two", " two", 4, 7},
        {"one two", "one  three", -1, 0},
        {"one two", "", -1, 0},
        {"one two", "on", -1, 0},
        {"one two", "one two three", -1, 0},
        {"", "word", -1, 0},
        {"aab aac", "aac", 4, 7},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t start = 0, end = 0;
        bool found = er_cite_find(cases[i].text, strlen(cases[i].text),
            cases[i].quote, strlen(cases[i].quote), &start, &end);
        assert_int_equal(found, cases[i].start >= 0);
        if (found) {
            assert_int_equal(start, cases[i].start);
            assert_int_equal(end, cases[i].end);
        }
    }
}

static void test_cite_check(void **state)
{
    struct errand_error err = {0};
    (void)state;
    json_t *hits = parse(HITS);
    json_t *answer = parse(
        "{\"answer\":\"In March.\",\"citations\":["
        "{\"id\":\"1.0\",\"quote\":\"sown in March; \\\"soon\\\"\"},"
        "{\"id\":\"2.4\",\"quote\":\"in June\"},"
        "{\"id\":\"9.9\",\"quote\":\"in May\"}]}");
    json_t *out = er_cite_check(answer, hits, &err);
    json_t *all = json_object_get(out, "citations");
    json_t *c = json_array_get(all, 0);
    assert_true(json_is_true(json_object_get(c, "ok")));
    assert_int_equal(er_json_int(c, "line", 0), 5);
    assert_string_equal(er_json_str(c, "path"), "/a/b.md");
    c = json_array_get(all, 1);
    assert_true(json_is_false(json_object_get(c, "ok")));
    assert_non_null(er_json_str(c, "problem"));
    assert_true(json_is_null(json_object_get(c, "line")));
    c = json_array_get(all, 2);
    assert_true(json_is_false(json_object_get(c, "ok")));
    assert_null(json_object_get(c, "path"));
    json_decref(out);
    json_decref(answer);
    answer = parse("{\"answer\":1,\"citations\":[]}");
    assert_null(er_cite_check(answer, hits, &err));
    assert_int_equal(err.code, ERRAND_USAGE);
    json_decref(answer);
    json_decref(hits);
}

static void test_cite_schema(void **state)
{
    static const struct {
        const char *answer;
        bool fits;
    } cases[] = {
        {"{\"answer\":\"a\",\"citations\":[]}", true},
        {"{\"answer\":\"a\",\"citations\":[{\"id\":\"1.0\",\"quote\":\"q\"}]}",
            true},
        {"{\"answer\":\"a\",\"citations\":[{\"id\":\"1.1\",\"quote\":\"q\"}]}",
            false},
        {"{\"answer\":\"a\"}", false},
    };
    struct errand_error err = {0};
    (void)state;
    json_t *hits = parse(HITS);
    json_t *schema = er_cite_schema(hits);
    er_schema *s = er_schema_compile(
        schema, ER_DRAFT_2020_12, 0, NULL, &err);
    assert_non_null(s);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *v = parse(cases[i].answer);
        assert_int_equal(er_schema_check(s, v, NULL, 0), cases[i].fits);
        json_decref(v);
    }
    er_schema_free(s);
    json_decref(schema);
    char *prompt = er_cite_prompt("When?", hits);
    assert_non_null(strstr(prompt, "[2.4] c.html"));
    free(prompt);
    json_decref(hits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cite_find),
        cmocka_unit_test(test_cite_check),
        cmocka_unit_test(test_cite_schema),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
