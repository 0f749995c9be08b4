/* The provider "local" with a tiny model of random weights: events, limits,
 * calls and answers by schema, cancelling, several at once, kept prefixes. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/text.h"
#include "support/local_kit.h"
#include "support/suites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLOUR                                                             \
    "{\"name\":\"paint\",\"description\":\"Paint it\",\"parameters\":{"      \
    "\"type\":\"object\",\"properties\":{\"colour\":{\"enum\":[\"red\","   \
    "\"green\",\"blue\"]},\"coats\":{\"type\":\"integer\",\"minimum\":1,"  \
    "\"maximum\":9}},\"required\":[\"colour\",\"coats\"]}}"
#define STOP                                                               \
    "{\"name\":\"stop\",\"description\":\"Stop\",\"parameters\":{\"type\":"\
    "\"object\",\"properties\":{}}}"

static struct local_kit kit;

static int set_up(void **state)
{
    (void)state;
    local_kit_make(&kit, "hermes", 7);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    local_kit_remove(&kit);
    return 0;
}

static void expect_ok(struct local_ask *a)
{
    if (local_kit_ask(&kit, a) != ERRAND_OK)
        fail_msg("%s", a->err.msg);
    assert_true(a->done);
}

static void expect_in(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("'%s' is not in: %s", part, text);
}

/* ------------------------------------------------------- text and limits */

static void test_local_answers_with_text(void **state)
{
    (void)state;
    struct local_ask a = {.params = "{\"max_tokens\":40,\"seed\":3}"};
    struct local_ask b = a, c = {.params = "{\"max_tokens\":40,\"seed\":4}"};
    local_kit_open(&kit, NULL);
    expect_ok(&a);
    expect_ok(&b);
    expect_ok(&c);
    assert_true(a.text.len > 0);
    assert_int_equal(
        er_utf8_valid_prefix(a.text.data, a.text.len), a.text.len);
    assert_string_equal(a.text.data, b.text.data);
    assert_string_not_equal(a.text.data, c.text.data);
    assert_int_equal(a.finish, ER_FINISH_LENGTH);
    assert_int_equal(a.usage.completion_tokens, 40);
    assert_int_equal(a.usage.cached_tokens, 0);
    assert_true(a.usage.prompt_tokens > 10);
    assert_int_equal(
        b.usage.cached_tokens, b.usage.prompt_tokens - 1);
    local_ask_release(&a);
    local_ask_release(&b);
    local_ask_release(&c);
    local_kit_close(&kit);
}

static void test_local_says_what_is_wrong(void **state)
{
    (void)state;
    char path[300];
    struct local_ask a = {.params = "{\"max_tokens\":4}"}, b = a, c = a;
    struct local_kit other = kit;
    snprintf(other.model, sizeof other.model, "local:/no/such/file.gguf");
    local_kit_open(&other, NULL);
    assert_int_equal(local_kit_ask(&other, &a), ERRAND_NOT_FOUND);
    expect_in(a.err.msg, "/no/such/file.gguf");
    snprintf(path, sizeof path, "%.200s.text", kit.model + 6);
    FILE *f = fopen(path, "w");
    fputs("no model at all, but long enough to be looked at", f);
    fclose(f);
    snprintf(other.model, sizeof other.model, "local:%.220s", path);
    assert_int_equal(local_kit_ask(&other, &b), ERRAND_SYNTAX);
    expect_in(b.err.msg, path);
    remove(path);
    memcpy(other.model, kit.model, sizeof other.model);
    c.choice = "fly";
    c.tools = "[" COLOUR "]";
    assert_int_equal(local_kit_ask(&other, &c), ERRAND_USAGE);
    expect_in(c.err.msg, "fly");
    local_kit_close(&other);
    local_ask_release(&a);
    local_ask_release(&b);
    local_ask_release(&c);
}

static void test_local_refuses_what_does_not_fit(void **state)
{
    (void)state;
    char *words = local_kit_words(300);
    struct local_ask a = {.messages = words, .params = "{\"max_tokens\":4}"};
    struct local_ask b = {.params = "{\"max_tokens\":4000}",
        .schema = "{\"type\":\"array\",\"items\":{\"const\":\"again\"},"
                  "\"minItems\":100}"};
    local_kit_open(&kit, "\"context\":128");
    assert_int_equal(local_kit_ask(&kit, &a), ERRAND_CONTEXT);
    expect_in(a.err.msg, " 128,");
    assert_int_equal(a.n_events, 1);
    expect_ok(&b); /* the answer ends where the context does */
    assert_int_equal(
        b.usage.prompt_tokens + b.usage.completion_tokens, 128);
    assert_int_equal(b.finish, ER_FINISH_LENGTH);
    local_kit_close(&kit);
    local_ask_release(&a);
    local_ask_release(&b);
    free(words);
}

static void test_local_ends_at_stop_texts(void **state)
{
    (void)state;
    struct local_ask a = {.params = "{\"max_tokens\":60,\"seed\":3}"}, b = a;
    char stop[8] = "", params[200];
    local_kit_open(&kit, NULL);
    expect_ok(&a);
    /* a letter or sign of the answer, the latest that can be told */
    size_t at = a.text.len;
    while (at > 1 && ((unsigned char)a.text.data[at - 1] >= 0x80 ||
                         (unsigned char)a.text.data[at - 1] < 0x21 ||
                         strchr("\"\\", a.text.data[at - 1])))
        at--;
    assert_true(at > 1);
    stop[0] = a.text.data[at - 1];
    snprintf(params, sizeof params,
        "{\"max_tokens\":60,\"seed\":3,\"stop\":[\"%s\",\"unheard of\"]}",
        stop);
    b.params = params;
    expect_ok(&b);
    assert_int_equal(b.finish, ER_FINISH_STOP);
    assert_int_equal(
        b.text.len, (size_t)(strchr(a.text.data, stop[0]) - a.text.data));
    local_ask_release(&a);
    local_ask_release(&b);
    local_kit_close(&kit);
}

static void test_local_tells_log_probabilities(void **state)
{
    (void)state;
    struct local_ask a = {.params =
        "{\"max_tokens\":9,\"seed\":3,\"temperature\":0,\"logprobs\":3}"};
    struct errand_error err = {0};
    size_t i;
    json_t *t;
    local_kit_open(&kit, NULL);
    expect_ok(&a);
    json_t *v = er_json_parse(
        er_buf_str(&a.logprobs), a.logprobs.len, ER_JSON_STRICT, &err);
    assert_int_equal(json_array_size(v), a.usage.completion_tokens);
    json_array_foreach(v, i, t)
    {
        json_t *best = json_object_get(t, "top_logprobs");
        assert_int_equal(json_array_size(best), 3);
        double own = json_number_value(json_object_get(t, "logprob"));
        double top = json_number_value(
            json_object_get(json_array_get(best, 0), "logprob"));
        assert_true(own <= 0 && own == top); /* temperature 0 */
    }
    json_decref(v);
    local_ask_release(&a);
    local_kit_close(&kit);
}

/* ------------------------------------------------- calls and schemas */

/* Its first call is paint's and fits. */
static void check_paint(const struct local_ask *a)
{
    struct errand_error err = {0};
    const char *args = er_buf_str(&a->calls) + strlen("paint ");
    assert_true(er_starts_with(er_buf_str(&a->calls), "paint {"));
    json_t *v = er_json_parse(
        args, strcspn(args, "\n"), ER_JSON_STRICT, &err);
    assert_non_null(v);
    expect_in("red green blue", er_json_str(v, "colour"));
    json_int_t coats = er_json_int(v, "coats", 0);
    assert_in_range(coats, 1, 9);
    json_decref(v);
}

static void expect_call(const char *family, uint32_t seed)
{
    struct local_kit own = kit;
    char params[80];
    local_kit_make(&kit, family, 11);
    local_kit_open(&kit, NULL);
    snprintf(params, sizeof params,
        "{\"max_tokens\":400,\"temperature\":1.5,\"seed\":%u}", seed);
    struct local_ask a = {.tools = "[" COLOUR "," STOP "]",
        .choice = "paint", .params = params};
    struct local_ask b = {.tools = "[" COLOUR "," STOP "]",
        .choice = "required", .params = params};
    expect_ok(&a);
    if (a.finish != ER_FINISH_LENGTH) {
        assert_int_equal(a.finish, ER_FINISH_CALLS);
        assert_int_equal(a.text.len, 0);
        check_paint(&a);
    }
    assert_true(a.n_calls > 0);
    expect_ok(&b);
    assert_true(b.n_calls > 0);
    local_ask_release(&a);
    local_ask_release(&b);
    local_kit_close(&kit);
    local_kit_remove(&kit);
    kit = own;
}

static void test_local_calls_tools(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 3; seed++) {
        expect_call("llama3", seed);
        expect_call("hermes", seed);
        expect_call("mistral", seed);
    }
}

static void test_local_answers_by_schema(void **state)
{
    (void)state;
    static const char schema[] =
        "{\"type\":\"object\",\"properties\":{\"a\":{\"enum\":[\"x\",\"y\"]},"
        "\"b\":{\"type\":\"boolean\"}},\"required\":[\"a\",\"b\"],"
        "\"additionalProperties\":false}";
    struct local_ask a = {.schema = schema,
        .params = "{\"max_tokens\":100,\"temperature\":2,\"seed\":5}"};
    struct local_ask b = a;
    struct errand_error err = {0};
    b.tools = "[" STOP "]";
    local_kit_open(&kit, NULL);
    expect_ok(&a);
    json_t *v =
        er_json_parse(a.text.data, a.text.len, ER_JSON_STRICT, &err);
    assert_non_null(v);
    assert_int_equal(json_object_size(v), 2);
    json_decref(v);
    expect_ok(&b); /* that, or a call */
    v = er_json_parse(
        er_buf_str(&b.text), b.text.len, ER_JSON_STRICT, &err);
    assert_true(b.n_calls > 0 || v);
    json_decref(v);
    local_ask_release(&a);
    local_ask_release(&b);
    local_kit_close(&kit);
}

static void test_local_without_choice_calls_nothing(void **state)
{
    (void)state;
    struct local_ask a = {.tools = "[" COLOUR "]", .choice = "none",
        .params = "{\"max_tokens\":60,\"seed\":2}"};
    local_kit_open(&kit, NULL);
    expect_ok(&a);
    assert_int_equal(a.n_calls, 0);
    local_ask_release(&a);
    local_kit_close(&kit);
}

/* ------------------------------------------------------ several at once */

enum { MANY = 6 };

static const char *const many_params[MANY] = {
    "{\"max_tokens\":30,\"seed\":1}", "{\"max_tokens\":50,\"seed\":2}",
    "{\"max_tokens\":20,\"seed\":3,\"temperature\":1.2}",
    "{\"max_tokens\":40,\"seed\":4,\"top_k\":20}",
    "{\"max_tokens\":35,\"seed\":5,\"top_p\":0.8}",
    "{\"max_tokens\":45,\"seed\":6,\"repetition_penalty\":1.3}"};

static struct local_ask one_of_many(size_t i)
{
    struct local_ask a = {.params = many_params[i]};
    if (i % 2)
        a.tools = "[" COLOUR "]";
    if (i == 3)
        a.choice = "required";
    return a;
}

static void test_local_says_the_same_beside_others(void **state)
{
    (void)state;
    struct local_ask alone[MANY], beside[MANY];
    for (size_t i = 0; i < MANY; i++) {
        local_kit_open(&kit, "\"prefix_bytes\":0");
        alone[i] = one_of_many(i);
        expect_ok(&alone[i]);
        local_kit_close(&kit);
    }
    local_kit_open(&kit, "\"prefix_bytes\":0,\"parallel\":4");
    for (size_t i = 0; i < MANY; i++) {
        beside[i] = one_of_many(i);
        assert_int_equal(local_kit_begin(&kit, &beside[i]), ERRAND_OK);
    }
    local_kit_drive(&kit);
    for (size_t i = 0; i < MANY; i++) {
        assert_string_equal(
            er_buf_str(&alone[i].text), er_buf_str(&beside[i].text));
        assert_string_equal(
            er_buf_str(&alone[i].calls), er_buf_str(&beside[i].calls));
        local_ask_release(&alone[i]);
        local_ask_release(&beside[i]);
    }
    local_kit_close(&kit);
}

static void test_local_stops_at_once(void **state)
{
    (void)state;
    char *words = local_kit_words(900);
    struct local_ask a = {.params = "{\"max_tokens\":4000}",
        .schema = "{\"type\":\"array\",\"items\":{\"type\":\"integer\"},"
                  "\"minItems\":60}", .cancel_at = 1};
    struct local_ask b = {.messages = words}, c = {
        .params = "{\"max_tokens\":8}"};
    local_kit_open(&kit, NULL);
    assert_int_equal(local_kit_begin(&kit, &a), ERRAND_OK);
    local_kit_drive(&kit);
    assert_true(a.cancelled);
    assert_int_equal(local_kit_begin(&kit, &b), ERRAND_OK);
    er_model_cancel(b.x); /* before or while the prompt is read */
    kit.open--;
    expect_ok(&c);
    assert_int_equal(b.n_events, 0);
    struct local_ask d = {.messages = words}, e = d;
    assert_int_equal(local_kit_begin(&kit, &d), ERRAND_OK);
    assert_int_equal(local_kit_begin(&kit, &e), ERRAND_OK);
    local_kit_close(&kit); /* both under way */
    local_ask_release(&a);
    local_ask_release(&b);
    local_ask_release(&c);
    local_ask_release(&d);
    local_ask_release(&e);
    free(words);
}

/* ------------------------------------------------------ models of others */

static void open_suite(struct local_kit *k, const char *file)
{
    char path[512];
    suite_path(file, path);
    *k = kit;
    snprintf(k->model, sizeof k->model, "local:%.250s", path);
    local_kit_open(k, "\"prefix_bytes\":0");
}

static void test_local_tells_the_small_models_story(void **state)
{
    (void)state;
    static const char file[] = "engine-formats/stories260K.gguf";
    struct local_kit k;
    if (!suite_has(file))
        skip();
    json_t *golden = suite_load("engine-formats/stories260K.json");
    const char *story = er_json_str(golden, "greedy_text");
    assert_non_null(story);
    open_suite(&k, file);
    struct local_ask a = {.messages = "[{\"role\":\"user\",\"content\":\"\"}]",
        .params = "{\"raw\":true,\"temperature\":0,\"max_tokens\":120}"};
    assert_int_equal(local_kit_ask(&k, &a), ERRAND_OK);
    const char *said = er_buf_str(&a.text);
    story += strspn(story, " ");
    said += strspn(said, " ");
    assert_true(strlen(said) > 200);
    assert_int_equal(strncmp(said, story, strlen(said)), 0);
    local_ask_release(&a);
    local_kit_close(&k);
    json_decref(golden);
}

/* Each request has its own adapters, beside each other in one batch. */
static void test_local_adapts_each_request(void **state)
{
    (void)state;
    char lora[512], params[6][700];
    const char *scales[6] = {"", "=1", "=0.5", "", "=1", "=0.5"};
    struct local_ask a[6];
    struct local_kit k;
    if (!suite_has("engine-formats/a1t-f16.gguf"))
        skip();
    open_suite(&k, "engine-formats/a1t-f16.gguf");
    suite_path("engine-formats/lora-a1t.gguf", lora);
    for (size_t i = 0; i < 6; i++) {
        snprintf(params[i], sizeof params[i], "{\"raw\":true,"
            "\"temperature\":2,\"seed\":1,\"max_tokens\":40,"
            "\"lora\":\"%s%s\"}",
            *scales[i] ? lora : "", scales[i]);
        a[i] = (struct local_ask){.params = params[i]};
        if (strlen(lora) > 110)
            skip(); /* longer than a parameter may be */
        assert_int_equal(local_kit_begin(&k, &a[i]), ERRAND_OK);
    }
    local_kit_drive(&k);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(a[i].err.code, ERRAND_OK);
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(
            er_buf_str(&a[i].text), er_buf_str(&a[i + 3].text));
    assert_string_not_equal(
        er_buf_str(&a[0].text), er_buf_str(&a[1].text));
    for (size_t i = 0; i < 6; i++)
        local_ask_release(&a[i]);
    struct local_ask wrong = {.params = "{\"lora\":\"nothing-of-that\"}"};
    assert_int_equal(local_kit_ask(&k, &wrong), ERRAND_NOT_FOUND);
    expect_in(wrong.err.msg, "nothing-of-that");
    local_ask_release(&wrong);
    local_kit_close(&k);
}

/* --------------------------------------------------------- kept prefixes */

static void test_local_shares_beginnings(void **state)
{
    (void)state;
    char *words = local_kit_words(100);
    struct local_ask a[4];
    local_kit_open(&kit, "\"prefix_bytes\":0");
    for (size_t i = 0; i < 4; i++) {
        a[i] = (struct local_ask){
            .messages = words, .params = many_params[i]};
        assert_int_equal(local_kit_begin(&kit, &a[i]), ERRAND_OK);
    }
    local_kit_drive(&kit);
    int64_t n = a[0].usage.prompt_tokens;
    assert_int_equal(a[0].usage.cached_tokens, 0);
    for (size_t i = 1; i < 4; i++)
        assert_int_equal(a[i].usage.cached_tokens, n - 1);
    for (size_t i = 0; i < 4; i++)
        local_ask_release(&a[i]);
    local_kit_close(&kit);
    free(words);
}

static void test_local_keeps_beginnings_on_disk(void **state)
{
    (void)state;
    char *words = local_kit_words(100);
    struct local_ask a = {.messages = words,
        .params = "{\"max_tokens\":10,\"seed\":1}"}, b = a, c = a;
    local_kit_forget(&kit);
    local_kit_open(&kit, NULL);
    expect_ok(&a);
    local_kit_close(&kit);
    local_kit_open(&kit, NULL); /* as another process would */
    expect_ok(&b);
    local_kit_close(&kit);
    local_kit_open(&kit, "\"cache\":\"q8\""); /* other numbers */
    expect_ok(&c);
    local_kit_close(&kit);
    int64_t n = a.usage.prompt_tokens;
    assert_int_equal(a.usage.cached_tokens, 0);
    assert_in_range(b.usage.cached_tokens, (n - 1) / 64 * 64, n - 1);
    assert_int_equal(c.usage.cached_tokens, 0);
    assert_string_equal(a.text.data, b.text.data);
    local_ask_release(&a);
    local_ask_release(&b);
    local_ask_release(&c);
    free(words);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_local_answers_with_text),
        cmocka_unit_test(test_local_says_what_is_wrong),
        cmocka_unit_test(test_local_refuses_what_does_not_fit),
        cmocka_unit_test(test_local_ends_at_stop_texts),
        cmocka_unit_test(test_local_tells_log_probabilities),
        cmocka_unit_test(test_local_calls_tools),
        cmocka_unit_test(test_local_answers_by_schema),
        cmocka_unit_test(test_local_without_choice_calls_nothing),
        cmocka_unit_test(test_local_says_the_same_beside_others),
        cmocka_unit_test(test_local_stops_at_once),
        cmocka_unit_test(test_local_tells_the_small_models_story),
        cmocka_unit_test(test_local_adapts_each_request),
        cmocka_unit_test(test_local_shares_beginnings),
        cmocka_unit_test(test_local_keeps_beginnings_on_disk),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
