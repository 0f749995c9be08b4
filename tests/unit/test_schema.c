/* JSON Schema: messages, bad schemas, repair of arguments, patterns (the
 * cases stand in tests/cases/schema), and the bounds on all of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "tool/schema.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *parse(const char *text)
{
    struct errand_error err = {0};
    json_t *v = er_json_parse(text, strlen(text), ER_JSON_STRICT, &err);
    if (!v)
        fail_msg("%s: %s", text, err.msg);
    return v;
}

static er_schema *compile(const char *text, enum er_draft draft)
{
    struct errand_error err = {0};
    json_t *v = parse(text);
    er_schema *s = er_schema_compile(v, draft, 0, NULL, &err);
    if (!s)
        fail_msg("%s: %s", text, err.msg);
    json_decref(v);
    return s;
}

/* The message of the only error. Borrowed from errors. */
static const char *only_message(const json_t *errors)
{
    assert_int_equal(json_array_size(errors), 1);
    return er_json_str(json_array_get(errors, 0), "message");
}

/* --- cases from files: one JSON object per line */

static int each_case(const char *file, void (*fn)(const json_t *one))
{
    char path[256], *line = NULL;
    size_t cap = 0;
    int n = 0;
    snprintf(path, sizeof path, "tests/cases/schema/%s", file);
    FILE *f = fopen(path, "r");
    if (!f)
        fail_msg("%s: run the tests from the repository's root", path);
    for (; getline(&line, &cap, f) > 0; n++) {
        json_t *one = parse(line);
        fn(one);
        json_decref(one);
    }
    free(line);
    fclose(f);
    return n;
}

static void expect_same(const json_t *one, const json_t *want, json_t *got)
{
    char *w = er_json_sorted(want), *g = er_json_sorted(got);
    if (strcmp(w, g) != 0) {
        char *text = er_json_text(one);
        fail_msg("%s\n  gives %s", text, g);
    }
    free(w);
    free(g);
    json_decref(got);
}

static er_schema *schema_of(const json_t *one)
{
    struct errand_error err = {0};
    er_schema *s = er_schema_compile(json_object_get(one, "schema"),
        ER_DRAFT_2020_12, 0, NULL, &err);
    if (!s)
        fail_msg("%s", err.msg);
    return s;
}

static void message_case(const json_t *one)
{
    er_schema *s = schema_of(one);
    const json_t *want = json_object_get(one, "errors");
    json_t *got = json_array();
    bool ok = er_schema_check(s, json_object_get(one, "instance"), got, 10);
    assert_int_equal(ok, json_array_size(want) == 0);
    expect_same(one, want, got);
    er_schema_free(s);
}

static void test_schema_messages_say_what_and_where(void **state)
{
    (void)state;
    assert_true(each_case("messages.jsonl", message_case) > 40);
}

static void bad_case(const json_t *one)
{
    struct errand_error err = {0};
    enum er_draft draft = json_object_get(one, "draft") ? ER_DRAFT_7
                                                        : ER_DRAFT_2020_12;
    er_schema *s = er_schema_compile(
        json_object_get(one, "schema"), draft, 0, NULL, &err);
    assert_null(s);
    assert_string_equal(err.msg, er_json_str(one, "error"));
    assert_int_equal(err.code, ERRAND_SCHEMA);
}

static void test_schema_bad_ones_are_refused(void **state)
{
    (void)state;
    assert_true(each_case("bad.jsonl", bad_case) >= 40);
}

static void coerce_case(const json_t *one)
{
    er_schema *s = schema_of(one);
    json_t *v = json_deep_copy(json_object_get(one, "instance"));
    int changed = er_schema_coerce(s, &v);
    assert_int_equal(changed, er_json_int(one, "changed", -1));
    expect_same(one, json_object_get(one, "want"), v);
    er_schema_free(s);
}

static void test_schema_coerce_loses_nothing(void **state)
{
    (void)state;
    assert_true(each_case("coerce.jsonl", coerce_case) > 50);
}

static void pattern_case(const json_t *one)
{
    json_t *schema = json_object();
    json_object_set(schema, "pattern", json_object_get(one, "pattern"));
    json_t *wrap = json_pack("{s:o}", "schema", schema);
    er_schema *s = schema_of(wrap);
    for (int yes = 0; yes < 2; yes++) {
        const json_t *list = json_object_get(one, yes ? "yes" : "no");
        for (size_t i = 0; i < json_array_size(list); i++)
            if (er_schema_check(s, json_array_get(list, i), NULL, 0) != yes)
                fail_msg("%s: %s number %zu", er_json_str(one, "pattern"),
                    yes ? "yes" : "no", i);
    }
    er_schema_free(s);
    json_decref(wrap);
}

static void test_schema_patterns_mean_what_ecma_says(void **state)
{
    (void)state;
    assert_true(each_case("patterns.jsonl", pattern_case) > 30);
}

/* --- bounds */

/* Check, expecting to be given up with a message that holds word. */
static void expect_given_up(
    const er_schema *s, const json_t *v, const char *word)
{
    json_t *errors = json_array();
    int64_t start = er_mono_ms();
    assert_false(er_schema_check(s, v, errors, 10));
    assert_true(er_mono_ms() - start < 60000); /* else it takes years */
    assert_non_null(strstr(only_message(errors), "given up"));
    assert_non_null(strstr(only_message(errors), word));
    json_decref(errors);
}

static void test_schema_regex_bomb_is_given_up(void **state)
{
    (void)state;
    static const char *const bombs[] = {
        "{\"pattern\":\"^(a+)+$\"}", "{\"pattern\":\"(a|aa)+$\"}",
        "{\"pattern\":\"^(a*)*[c-z]\"}", "{\"pattern\":\"a*a*a*a*a*[c-z]\"}",
        "{\"pattern\":\"(?=(a+))\\\\1*[c-z]\"}",
        "{\"pattern\":\"(.*)(.*)(.*)[c-z]\"}",
        "{\"pattern\":\"[a-f]{20000}[c-z]\"}",
        "{\"propertyNames\":{\"pattern\":\"^(a+)+$\"}}",
        "{\"patternProperties\":{\"^(a|a)*$\":false}}"};
    char text[30001];
    memset(text, 'a', sizeof text - 2);
    text[sizeof text - 2] = 'b';
    text[sizeof text - 1] = '\0';
    json_t *v = json_string(text), *o = json_pack("{s:i}", text, 1);
    for (size_t i = 0; i < sizeof bombs / sizeof bombs[0]; i++) {
        er_schema *s = compile(bombs[i], ER_DRAFT_2020_12);
        expect_given_up(s, strstr(bombs[i], "ropert") ? o : v, "pattern");
        er_schema_free(s);
    }
    json_decref(v);
    json_decref(o);
}

/* 2^40 ways through references, no two of them a loop. */
static void test_schema_reference_bomb_is_given_up(void **state)
{
    (void)state;
    struct er_buf b;
    er_buf_init(&b, 100000);
    er_buf_adds(&b, "{\"$ref\":\"#/$defs/d0\",\"$defs\":{");
    for (int i = 0; i < 40; i++)
        er_buf_addf(&b,
            "\"d%d\":{\"anyOf\":[{\"$ref\":\"#/$defs/d%d\"},"
            "{\"$ref\":\"#/$defs/d%d\"}]},", i, i + 1, i + 1);
    er_buf_adds(&b, "\"d40\":{\"type\":\"null\"}}}");
    er_schema *s = compile(er_buf_str(&b), ER_DRAFT_2020_12);
    json_t *v = json_integer(1);
    expect_given_up(s, v, "too long");
    assert_int_equal(er_schema_coerce(s, &v), 0);
    er_schema_free(s);
    json_decref(v);
    er_buf_release(&b);
}

static void test_schema_endless_dynamic_loop_is_given_up(void **state)
{
    (void)state;
    er_schema *s = compile(
        "{\"$dynamicAnchor\":\"a\",\"$dynamicRef\":\"#a\",\"$defs\":"
        "{\"b\":{\"$id\":\"b\",\"$dynamicAnchor\":\"a\"}}}",
        ER_DRAFT_2020_12);
    json_t *v = json_integer(1);
    expect_given_up(s, v, "nested too deep");
    er_schema_free(s);
    s = compile("{\"if\":false,\"else\":{\"$ref\":\"#\"}}",
        ER_DRAFT_2020_12);
    expect_given_up(s, v, "nested too deep");
    er_schema_free(s);
    json_decref(v);
}

static json_t *nest(size_t depth)
{
    json_t *v = json_integer(7);
    for (size_t i = 0; i < depth; i++)
        v = json_pack("[o]", v);
    return v;
}

static void test_schema_deep_values_are_checked_or_given_up(void **state)
{
    (void)state;
    er_schema *s = compile("{\"anyOf\":[{\"type\":\"integer\"},"
        "{\"type\":\"array\",\"items\":{\"$ref\":\"#\"}}]}",
        ER_DRAFT_2020_12);
    json_t *v = nest(ER_JSON_DEPTH), *deep = nest(5000);
    assert_true(er_schema_check(s, v, NULL, 0));
    expect_given_up(s, deep, "nested too deep");
    (void)er_schema_coerce(s, &deep);
    er_schema_free(s);
    s = compile("{\"uniqueItems\":true}", ER_DRAFT_2020_12);
    json_t *pair = json_pack("[OO]", deep, deep);
    expect_given_up(s, pair, "too intricate");
    er_schema_free(s);
    json_decref(pair);
    json_decref(v);
    json_decref(deep);
}

static void test_schema_deep_schema_is_refused(void **state)
{
    (void)state;
    struct errand_error err = {0};
    json_t *v = json_object();
    for (int i = 0; i < 5000; i++)
        v = json_pack("{s:o}", "not", v);
    assert_null(er_schema_compile(v, ER_DRAFT_2020_12, 0, NULL, &err));
    assert_non_null(strstr(err.msg, "nested deeper"));
    json_decref(v);
}

/* Everybody complains about everything: only what was asked for is kept. */
static void test_schema_errors_are_at_most_those_asked_for(void **state)
{
    (void)state;
    er_schema *s = compile("{\"items\":{\"type\":\"string\"}}",
        ER_DRAFT_2020_12);
    json_t *v = json_array(), *errors = json_array();
    for (int i = 0; i < 100000; i++)
        json_array_append_new(v, json_integer(i));
    assert_false(er_schema_check(s, v, errors, 3));
    assert_int_equal(json_array_size(errors), 3);
    assert_false(er_schema_check(s, v, errors, 0));
    assert_false(er_schema_check(s, v, NULL, 10));
    assert_false(er_schema_check(s, NULL, errors, 1));
    assert_int_equal(json_array_size(errors), 4);
    er_schema_free(s);
    json_decref(errors);
    json_decref(v);
}

/* --- the rest of the interface */

static void test_schema_knows_its_own_meta_schemas(void **state)
{
    (void)state;
    static const char *const metas[] = {
        "{\"$ref\":\"https://json-schema.org/draft/2020-12/schema\"}",
        "{\"$ref\":\"http://json-schema.org/draft-07/schema#\"}"};
    for (int i = 0; i < 2; i++) {
        er_schema *s = compile(metas[i], (enum er_draft)i);
        json_t *good = parse("{\"properties\":{\"a\":{\"type\":\"null\"}}}");
        json_t *bad = parse("{\"properties\":{\"a\":{\"type\":\"nil\"}}}");
        json_t *errors = json_array();
        assert_true(er_schema_check(s, good, errors, 5));
        assert_false(er_schema_check(s, bad, errors, 5));
        assert_string_equal(er_json_str(json_array_get(errors, 0), "path"),
            "/properties/a/type");
        json_decref(errors);
        json_decref(good);
        json_decref(bad);
        er_schema_free(s);
    }
}

static void test_schema_registry_serves_references(void **state)
{
    (void)state;
    struct errand_error err = {0};
    er_schema_registry *r = er_schema_registry_new();
    json_t *doc = parse("{\"$defs\":{\"n\":{\"type\":\"integer\"}}}");
    json_t *bad = parse("3");
    assert_int_equal(
        er_schema_registry_add(r, "https://x.y/a.json#", doc, &err), 0);
    assert_int_equal(er_schema_registry_add(r, "https://x.y/a#b", doc, &err),
        ERRAND_USAGE);
    assert_int_equal(
        er_schema_registry_add(r, "https://x.y/c", bad, &err), ERRAND_SCHEMA);
    json_t *schema = parse("{\"$ref\":\"https://x.y/a.json#/$defs/n\"}");
    er_schema *s =
        er_schema_compile(schema, ER_DRAFT_2020_12, 0, r, &err);
    assert_non_null(s);
    assert_true(er_schema_check(s, bad, NULL, 0));
    assert_false(er_schema_check(s, doc, NULL, 0));
    er_schema_free(s);
    er_schema_registry_free(r);
    json_decref(schema);
    json_decref(doc);
    json_decref(bad);
}

static void test_schema_formats_count_only_when_asked(void **state)
{
    (void)state;
    json_t *schema = parse("{\"format\":\"date\"}");
    json_t *v = json_string("2024-02-30");
    for (unsigned flags = 0; flags < 2; flags++) {
        er_schema *s =
            er_schema_compile(schema, ER_DRAFT_2020_12, flags, NULL, NULL);
        assert_int_equal(er_schema_check(s, v, NULL, 0), flags == 0);
        er_schema_free(s);
    }
    json_decref(schema);
    json_decref(v);
}

static void test_schema_debug_answers_a_case(void **state)
{
    (void)state;
    struct errand_error err = {0};
    json_t *in = parse("{\"schema\":{\"type\":\"string\"},\"instance\":1}");
    json_t *out = er_schema_debug(in, ER_DRAFT_2020_12, 0, &err);
    expect_same(in, json_true(), json_boolean(json_is_false(
                                     json_object_get(out, "valid"))));
    assert_string_equal(only_message(json_object_get(out, "errors")),
        "expected string, found integer 1");
    json_decref(out);
    json_object_del(in, "instance");
    assert_null(er_schema_debug(in, ER_DRAFT_2020_12, 0, &err));
    assert_int_equal(err.code, ERRAND_USAGE);
    json_decref(in);
    in = parse("{\"schema\":{\"type\":\"x\"},\"instance\":1}");
    assert_null(er_schema_debug(in, ER_DRAFT_2020_12, 0, &err));
    assert_int_equal(err.code, ERRAND_SCHEMA);
    json_decref(in);
}

struct shared {
    const er_schema *schema;
    const json_t *good, *bad;
    int wrong;
};

static void *check_often(void *ctx)
{
    struct shared *sh = ctx;
    for (int i = 0; i < 500; i++) {
        json_t *errors = json_array();
        sh->wrong += !er_schema_check(sh->schema, sh->good, errors, 5);
        sh->wrong += er_schema_check(sh->schema, sh->bad, errors, 5);
        sh->wrong += json_array_size(errors) != 2;
        json_decref(errors);
    }
    return NULL;
}

static void test_schema_is_shared_by_threads(void **state)
{
    (void)state;
    er_schema *s = compile("{\"properties\":{\"a\":{\"pattern\":\"^x+$\"},"
        "\"b\":{\"anyOf\":[{\"const\":1},{\"const\":2}]}},"
        "\"unevaluatedProperties\":false}", ER_DRAFT_2020_12);
    json_t *good = parse("{\"a\":\"xx\",\"b\":2}");
    json_t *bad = parse("{\"a\":\"xy\",\"b\":3}");
    struct shared sh[4];
    pthread_t t[4];
    for (int i = 0; i < 4; i++) {
        sh[i] = (struct shared){s, good, bad, 0};
        assert_int_equal(
            pthread_create(&t[i], NULL, check_often, &sh[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(t[i], NULL);
        assert_int_equal(sh[i].wrong, 0);
    }
    er_schema_free(s);
    json_decref(good);
    json_decref(bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_schema_messages_say_what_and_where),
        cmocka_unit_test(test_schema_bad_ones_are_refused),
        cmocka_unit_test(test_schema_coerce_loses_nothing),
        cmocka_unit_test(test_schema_patterns_mean_what_ecma_says),
        cmocka_unit_test(test_schema_regex_bomb_is_given_up),
        cmocka_unit_test(test_schema_reference_bomb_is_given_up),
        cmocka_unit_test(test_schema_endless_dynamic_loop_is_given_up),
        cmocka_unit_test(test_schema_deep_values_are_checked_or_given_up),
        cmocka_unit_test(test_schema_deep_schema_is_refused),
        cmocka_unit_test(test_schema_errors_are_at_most_those_asked_for),
        cmocka_unit_test(test_schema_knows_its_own_meta_schemas),
        cmocka_unit_test(test_schema_registry_serves_references),
        cmocka_unit_test(test_schema_formats_count_only_when_asked),
        cmocka_unit_test(test_schema_debug_answers_a_case),
        cmocka_unit_test(test_schema_is_shared_by_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
