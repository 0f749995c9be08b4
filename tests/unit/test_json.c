/* Parsing JSON: what is taken, what is refused and where, what it means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/json.h"

#include <dirent.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *parse(
    const char *s, enum er_json_mode mode, struct errand_error *err)
{
    memset(err, 0, sizeof *err);
    return er_json_parse(s, strlen(s), mode, err);
}

static void test_json_says_what_is_wrong_and_where(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int at;
        const char *says;
    } rows[] = {
        {"", 0, "ends too early"}, {"  ", 2, "ends too early"},
        {"[1,]", 3, "a value was expected, found ']'"},
        {"[1 2]", 3, "',' or ']' was expected, found '2'"},
        {"{\"a\" 1}", 5, "':' was expected, found '1'"},
        {"{a:1}", 1, "a key in quotes was expected, found 'a'"},
        {"{\"a\":1,}", 7, "a key in quotes was expected"},
        {"{\"a\":1", 6, "',' or '}' was expected"},
        {"[\"abc", 1, "a string without end"},
        {"[\"a\nb\"]", 3, "control character"},
        {"[\"\\q\"]", 2, "no such escape"},
        {"[\"\\u12g4\"]", 2, "four hexadecimal digits"},
        {"[\"\\", 2, "ends inside a string"},
        {"[\"\xff\"]", 2, "not UTF-8"},
        {"[\"ok \\ud800 \"]", 5, "half of a surrogate pair"},
        {"[01]", 1, "not a number"}, {"[1.]", 1, "not a number"},
        {"[-]", 1, "not a number"}, {"[1e]", 1, "not a number"},
        {"[1e400]", 1, "does not fit"},
        {"[9223372036854775808]", 1, "does not fit"},
        {"{\"a\":1,\"a\":2}", 7, "stands twice"},
        {"{\"\\u0000\":1}", 1, "\\u0000"}, {"1 2", 2, "the end was"},
        {"nul", 0, "a value was expected, found 'n'"},
        {"\xEF\xBB\xBF[]", 0, "a value was expected"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct errand_error err;
        assert_null(parse(rows[i].text, ER_JSON_STRICT, &err));
        assert_int_equal(err.code, ERRAND_SYNTAX);
        if (err.at != rows[i].at || !strstr(err.msg, rows[i].says))
            fail_msg("%s: %s", rows[i].text, err.msg);
    }
}

static void test_json_keeps_what_a_string_means(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
        enum er_json_mode mode;
    } rows[] = {
        {"\"\\u0041\\u00e9\\u20ac\\ud83e\\udd99\"",
            "A\xC3\xA9\xE2\x82\xAC\xF0\x9F\xA6\x99", ER_JSON_STRICT},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t",
            ER_JSON_STRICT},
        {"\"\xF0\x9F\xA6\x99 plain\"", "\xF0\x9F\xA6\x99 plain",
            ER_JSON_STRICT},
        {"\"\\ud83ex\"", "\xEF\xBF\xBDx", ER_JSON_LENIENT},
        {"\"\\ud83e\\u0041\"", "\xEF\xBF\xBD" "A", ER_JSON_LENIENT},
        {"\"\\udd99\"", "\xEF\xBF\xBD", ER_JSON_LENIENT},
        {"\"a\xff" "b\"", "a\xEF\xBF\xBD" "b", ER_JSON_LENIENT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct errand_error err;
        json_t *v = parse(rows[i].text, rows[i].mode, &err);
        assert_non_null(v);
        assert_string_equal(json_string_value(v), rows[i].want);
        json_decref(v);
    }
}

static void test_json_numbers_do_not_depend_on_the_locale(void **state)
{
    (void)state;
    struct errand_error err;
    const char *old = setlocale(LC_NUMERIC, NULL);
    char saved[64];
    snprintf(saved, sizeof saved, "%s", old);
    if (!setlocale(LC_NUMERIC, "de_DE.UTF-8") &&
        !setlocale(LC_NUMERIC, "fr_FR.UTF-8"))
        print_message("no locale with a comma is here: tried with C\n");
    json_t *v = parse("[2.5,-1e-2,0.1]", ER_JSON_STRICT, &err);
    char *text = v ? er_json_text(v) : NULL;
    setlocale(LC_NUMERIC, saved);
    assert_non_null(text);
    assert_string_equal(text, "[2.5,-0.01,0.1]");
    free(text);
    json_decref(v);
}

static const char *const decided[] = {
    /* strict refuses what only lenient takes */
    "y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json",
    /* neither takes it: jansson's keys end at a NUL */
    "y_object_escaped_null_in_key.json"};

static bool is_decided(const char *name)
{
    for (size_t i = 0; i < sizeof decided / sizeof decided[0]; i++) {
        if (strcmp(name, decided[i]) == 0)
            return true;
    }
    return false;
}

static bool takes(const char *path, enum er_json_mode mode)
{
    struct errand_error err = {0};
    struct er_buf b;
    char piece[4096];
    size_t n;
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    er_buf_init(&b, 1 << 20);
    while ((n = fread(piece, 1, sizeof piece, f)) > 0)
        assert_true(er_buf_add(&b, piece, n));
    fclose(f);
    json_t *v = er_json_parse(er_buf_str(&b), b.len, mode, &err);
    assert_true(v || err.code == ERRAND_SYNTAX);
    bool took = v != NULL;
    json_decref(v);
    er_buf_release(&b);
    return took;
}

static const char *suite(char *path, size_t size)
{
    const char *root = getenv("ERRAND_ROOT"), *s = getenv("ERRAND_SUITES");
    if (s)
        snprintf(path, size, "%s/json-parsing/test_parsing", s);
    else
        snprintf(path, size, "%s/../shared/suites/json-parsing/test_parsing",
            root ? root : ".");
    return path;
}

static void test_json_agrees_with_the_test_suite(void **state)
{
    (void)state;
    char folder[3000], path[4000];
    DIR *dir = opendir(suite(folder, sizeof folder));
    if (!dir) {
        print_message("no JSONTestSuite in %s\n", folder);
        skip();
    }
    int good = 0, bad = 0;
    for (struct dirent *e; (e = readdir(dir));) {
        char kind = e->d_name[0];
        if (e->d_name[1] != '_' || is_decided(e->d_name))
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        bool strict = takes(path, ER_JSON_STRICT);
        bool lenient = takes(path, ER_JSON_LENIENT);
        if ((kind == 'y' && !(strict && lenient)) ||
            (kind == 'n' && strict) || (strict && !lenient))
            fail_msg("%s: strict %d, lenient %d", e->d_name, strict, lenient);
        good += kind == 'y';
        bad += kind == 'n';
    }
    closedir(dir);
    assert_int_equal(good, 92);
    assert_int_equal(bad, 188);
}

static void test_json_last_of_a_repeated_key_wins(void **state)
{
    (void)state;
    static const char text[] = "{\"a\":1,\"b\":{\"c\":1,\"c\":2},\"a\":3}";
    static const char big[] = "{\"a\":12345678901234567890}";
    assert_null(er_json_parse(text, strlen(text), ER_JSON_STRICT, NULL));
    json_t *v = er_json_parse(text, strlen(text), ER_JSON_LAST, NULL);
    char *said = er_json_text(v);
    assert_string_equal(said, "{\"a\":3,\"b\":{\"c\":2}}");
    free(said);
    json_decref(v);
    assert_null(er_json_parse(big, strlen(big), ER_JSON_LAST, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_last_of_a_repeated_key_wins),
        cmocka_unit_test(test_json_says_what_is_wrong_and_where),
        cmocka_unit_test(test_json_keeps_what_a_string_means),
        cmocka_unit_test(test_json_numbers_do_not_depend_on_the_locale),
        cmocka_unit_test(test_json_agrees_with_the_test_suite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
