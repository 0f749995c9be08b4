/* Sampling parameters: ranges, defaults, layers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/error.h"
#include "model/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int parse(const char *text, struct er_sampling *s,
    struct errand_error *err)
{
    json_t *v = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_non_null(v);
    int code = er_sampling_parse(v, s, err);
    json_decref(v);
    return code;
}

static void check_refused(const char *text, int code, const char *part)
{
    struct er_sampling s, before;
    struct errand_error err = {0};
    er_sampling_defaults(&s);
    before = s;
    assert_int_equal(parse(text, &s, &err), code);
    assert_int_equal(err.code, code);
    if (!strstr(err.msg, part))
        fail_msg("\"%s\" does not say \"%s\"", err.msg, part);
    assert_memory_equal(&s, &before, sizeof s);
}

static void test_sampling_defaults_are_the_model_pages(void **state)
{
    (void)state;
    struct er_sampling s;
    er_sampling_defaults(&s);
    assert_int_equal(s.max_tokens, 256);
    assert_true(s.temperature == 0.6);
    assert_true(s.top_p < 0 && s.top_k < 0 && s.seed == 0);
    assert_true(s.repetition_penalty < 0 && s.frequency_penalty < 0 &&
                s.presence_penalty < 0);
    assert_false(s.raw);
    assert_string_equal(s.lora, "");
}

static void test_sampling_takes_stop_texts(void **state)
{
    (void)state;
    struct er_sampling s;
    struct errand_error err = {0};
    er_sampling_defaults(&s);
    assert_int_equal(parse("{\"stop\":[\"a\",\"bc\"]}", &s, &err), 0);
    assert_string_equal(s.stop[1], "bc");
    assert_int_equal(parse("{\"stop\":\"z\"}", &s, &err), 0);
    assert_string_equal(s.stop[0], "z");
    assert_string_equal(s.stop[1], "");
    check_refused("{\"stop\":\"\"}", ERRAND_USAGE, "1 to 63 bytes");
    check_refused("{\"stop\":[7]}", ERRAND_USAGE, "1 to 63 bytes");
    check_refused("{\"stop\":[\"1\",\"2\",\"3\",\"4\",\"5\"]}", ERRAND_RANGE,
        "more than 4");
}

static void test_sampling_takes_the_ends_of_each_range(void **state)
{
    (void)state;
    struct er_sampling s;
    struct errand_error err = {0};
    er_sampling_defaults(&s);
    assert_int_equal(parse("{\"max_tokens\":1,\"temperature\":0,\"top_p\":0,"
        "\"top_k\":1,\"seed\":1,\"repetition_penalty\":0,"
        "\"frequency_penalty\":0,\"presence_penalty\":0}", &s, &err), 0);
    assert_true(s.max_tokens == 1 && s.temperature == 0 && s.top_p == 0);
    assert_true(s.top_k == 1 && s.seed == 1 && s.presence_penalty == 0);
    assert_int_equal(parse("{\"temperature\":5,\"top_p\":2.0,\"top_k\":50.0,"
        "\"seed\":9999999999,\"repetition_penalty\":2,\"raw\":true,"
        "\"frequency_penalty\":2,\"presence_penalty\":2,\"lora\":\"x\"}",
        &s, &err), 0);
    assert_true(s.temperature == 5 && s.top_p == 2 && s.top_k == 50);
    assert_true(s.seed == 9999999999 && s.repetition_penalty == 2);
    assert_true(s.max_tokens == 1); /* an earlier layer stays */
    assert_true(s.raw);
    assert_string_equal(s.lora, "x");
    assert_int_equal(parse("{\"temperature\":null,\"seed\":null,"
        "\"top_k\":null,\"raw\":null,\"lora\":null}", &s, &err), 0);
    assert_true(s.temperature < 0 && s.seed == 0 && s.top_k == -1);
    assert_false(s.raw);
    assert_string_equal(s.lora, "");
}

static void test_sampling_refuses_and_names_the_range(void **state)
{
    (void)state;
    static const struct {
        const char *name, *below, *above, *range;
    } rows[] = {{"max_tokens", "0", "2147483648", "from 1 to 2147483647"},
        {"temperature", "-0.1", "5.1", "from 0 to 5"},
        {"top_p", "-1", "2.01", "from 0 to 2"},
        {"top_k", "0", "51", "from 1 to 50"},
        {"seed", "0", "10000000000", "from 1 to 9999999999"},
        {"repetition_penalty", "-0.01", "2.5", "from 0 to 2"},
        {"frequency_penalty", "-2", "3", "from 0 to 2"},
        {"presence_penalty", "-2", "3", "from 0 to 2"}};
    char text[100];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(text, sizeof text, "{\"%s\":%s}", rows[i].name,
            rows[i].below);
        check_refused(text, ERRAND_RANGE, rows[i].range);
        check_refused(text, ERRAND_RANGE, rows[i].name);
        snprintf(text, sizeof text, "{\"%s\":%s}", rows[i].name,
            rows[i].above);
        check_refused(text, ERRAND_RANGE, rows[i].range);
        check_refused(text, ERRAND_RANGE, rows[i].above);
        snprintf(text, sizeof text, "{\"%s\":\"1\"}", rows[i].name);
        check_refused(text, ERRAND_USAGE, rows[i].range);
    }
    check_refused("{\"top_k\":1.5}", ERRAND_RANGE, "must be an integer");
    check_refused("{\"max_tokens\":1e300}", ERRAND_RANGE, "1e+300");
}

static void test_sampling_refuses_what_it_does_not_know(void **state)
{
    (void)state;
    char text[200], name[129];
    memset(name, 'x', 128);
    name[128] = '\0';
    check_refused("{\"topp\":1}", ERRAND_USAGE, "\"topp\"; there are");
    check_refused("[]", ERRAND_USAGE, "JSON object");
    check_refused("{\"raw\":1}", ERRAND_USAGE, "true or false");
    check_refused("{\"lora\":1}", ERRAND_USAGE, "a text");
    check_refused("{\"top_p\":1,\"temperature\":9}", ERRAND_RANGE, "9");
    snprintf(text, sizeof text, "{\"lora\":\"%s\"}", name);
    check_refused(text, ERRAND_RANGE, "128 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sampling_defaults_are_the_model_pages),
        cmocka_unit_test(test_sampling_takes_stop_texts),
        cmocka_unit_test(test_sampling_takes_the_ends_of_each_range),
        cmocka_unit_test(test_sampling_refuses_and_names_the_range),
        cmocka_unit_test(test_sampling_refuses_what_it_does_not_know),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
