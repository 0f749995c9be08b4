/* Requests held against the published schemas of both APIs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/error.h"
#include "model/wire.h"
#include "support/suites.h"
#include "tool/schema.h"

#include <stdlib.h>
#include <string.h>

static json_t *json(const char *text)
{
    json_t *v = json_loads(text, 0, NULL);
    assert_non_null(v);
    return v;
}

/* A conversation with all there can be in one. */
static const char messages[] =
    "[{\"role\":\"system\",\"content\":\"Be brief\"},"
    "{\"role\":\"user\",\"content\":\"hi\"},"
    "{\"role\":\"assistant\",\"content\":\"hello\"},"
    "{\"role\":\"user\",\"content\":\"two things\"},"
    "{\"role\":\"assistant\",\"content\":\"\",\"reasoning\":\"hm\","
    "\"tool_calls\":[{\"id\":\"1\",\"name\":\"f\",\"arguments\":\"{}\"},"
    "{\"id\":\"2\",\"name\":\"no such tool\",\"arguments\":\"oops\","
    "\"provider_id\":\"functions.f:0\"}],"
    "\"extra\":{\"calls\":[{\"extra_content\":{\"google\":{"
    "\"thought_signature\":\"s\"}}}]}},"
    "{\"role\":\"tool\",\"tool_call_id\":\"1\",\"name\":\"f\","
    "\"content\":\"1\"},"
    "{\"role\":\"tool\",\"tool_call_id\":\"2\",\"name\":\"no such tool\","
    "\"content\":\"there is no such tool\"}]";
static const char tools[] =
    "[{\"name\":\"f\",\"description\":\"d\",\"parameters\":{\"type\":"
    "\"object\",\"properties\":{\"a\":{\"type\":[\"string\",\"null\"]},"
    "\"b\":{\"enum\":[1]}}}},{\"name\":\"g\"}]";

static void check_body(const er_schema *schema, enum er_dialect dialect,
    const struct er_quirks *quirks, const struct er_model_request *req)
{
    struct er_buf out;
    struct errand_error err = {0};
    json_t *errors = json_array();
    er_buf_init(&out, 1 << 20);
    if (er_wire_body(dialect, quirks, req, &out, &err) != ERRAND_OK)
        fail_msg("%s", err.msg);
    json_t *body = json(out.data);
    if (!er_schema_check(schema, body, errors, 10))
        fail_msg("%s\n%s", out.data, json_dumps(errors, 0));
    json_decref(errors);
    json_decref(body);
    er_buf_release(&out);
}

/* Every combination of what a request can ask for. */
static size_t check_all(const er_schema *schema, enum er_dialect dialect,
    const struct er_quirks *quirks)
{
    static const char *const choices[] = {NULL, "auto", "none", "required",
        "f"};
    struct er_sampling sampling[2];
    er_sampling_defaults(&sampling[0]);
    bool openai = dialect == ER_OPENAI; /* its ranges are narrower */
    sampling[1] = (struct er_sampling){.max_tokens = 1,
        .temperature = openai ? 2 : 5, .top_p = openai ? 1 : 2,
        .top_k = 50, .seed = 9999999999, .repetition_penalty = 2,
        .frequency_penalty = 2, .presence_penalty = 2};
    json_t *m = json(messages), *t = json(tools);
    json_t *schemas[] = {NULL, json("{\"type\":\"object\"}")};
    size_t n = 0;
    for (unsigned i = 0; i < 5 * 2 * 2 * 2 * 2; i++) {
        struct er_model_request req = {.model = "m", .messages = m,
            .tool_choice = choices[i % 5], .tools = i / 5 % 2 ? t : NULL,
            .sampling = &sampling[i / 10 % 2], .stream = i / 20 % 2,
            .schema = schemas[i / 40 % 2]};
        check_body(schema, dialect, quirks, &req);
        n++;
    }
    json_decref(m);
    json_decref(t);
    json_decref(schemas[1]);
    return n;
}

static er_schema *compile(json_t *schema)
{
    struct errand_error err = {0};
    er_schema *s = er_schema_compile(
        schema, ER_DRAFT_2020_12, 0, NULL, &err);
    if (!s)
        fail_msg("%s", err.msg);
    return s;
}

static void test_body_fits_openais_schema(void **state)
{
    (void)state;
    const struct er_quirks rows[] = {{0}, {.content_null = true},
        {.max_completion_tokens = true}, {.developer_role = true},
        {.one_system = true}, {.no_strict = true, .no_parallel = true},
        {.no_stream_options = true, .no_tool_choice = true},
        {.tool_name = true, .mistral_ids = true}, {.no_reasoning = true}};
    json_t *doc = suite_load("api/openai/chat.schema.json");
    if (!doc)
        skip();
    json_object_set_new(
        doc, "$ref", json_string("#/$defs/CreateChatCompletionRequest"));
    er_schema *schema = compile(doc);
    size_t n = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        n += check_all(schema, ER_OPENAI, &rows[i]);
    json_t *bad = json("{\"model\":\"m\",\"messages\":[{\"role\":\"tool\"}]}");
    assert_false(er_schema_check(schema, bad, NULL, 0));
    print_message("# %zu requests fit\n", n);
    json_decref(bad);
    er_schema_free(schema);
    json_decref(doc);
}

static void check_prompt_form(const er_schema *schema)
{
    struct er_sampling sampling;
    struct er_quirks none = {0};
    er_sampling_defaults(&sampling);
    sampling.raw = true;
    memcpy(sampling.lora, "my-lora", 8);
    struct er_model_request req = {.messages = json(messages),
        .sampling = &sampling, .stream = true, .prompt_form = true};
    check_body(schema, ER_WORKERS_AI, &none, &req);
    json_decref(req.messages);
}

static void test_body_fits_workers_ais_schema(void **state)
{
    (void)state;
    const struct er_quirks rows[] = {{0}, {.flat_tools = true},
        {.content_null = true}, {.content_calls = true}};
    json_t *doc =
        suite_load("api/workers-ai/llama-3.2-3b-instruct.schema.json");
    if (!doc)
        skip();
    er_schema *schema = compile(
        json_object_get(json_object_get(doc, "schema"), "input"));
    size_t n = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        n += check_all(schema, ER_WORKERS_AI, &rows[i]);
    check_prompt_form(schema);
    json_t *bad = json("{\"messages\":[{\"role\":\"user\",\"content\":null}]}");
    assert_false(er_schema_check(schema, bad, NULL, 0));
    print_message("# %zu requests fit\n", n + 1);
    json_decref(bad);
    er_schema_free(schema);
    json_decref(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_body_fits_openais_schema),
        cmocka_unit_test(test_body_fits_workers_ais_schema),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
