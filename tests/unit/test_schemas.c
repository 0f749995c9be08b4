/* The schemas of schemas/: they compile, take their own examples, refuse
 * what has a member too many, and agree with the code that they describe. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/embedded.h"
#include "base/json.h"
#include "model/endpoint.h"
#include "model/model.h"
#include "model/presets.h"
#include "model/wire.h"
#include "tool/schema.h"

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

static json_t *document(const char *name)
{
    const char *text = er_embedded(name, NULL);
    if (!text)
        fail_msg("%s is not embedded", name);
    return parse(text);
}

static int open_registry(void **state)
{
    er_schema_registry *all = er_schema_registry_new();
    const char *name;
    for (size_t i = 0; (name = er_embedded_name(i)); i++) {
        json_t *doc = document(name);
        const char *id = er_json_str(doc, "$id");
        if (!id || !strstr(id, name) ||
            er_schema_registry_add(all, id, doc, NULL) != ERRAND_OK)
            fail_msg("%s: its $id does not name it", name);
        json_decref(doc);
    }
    *state = all;
    return 0;
}

static int close_registry(void **state)
{
    er_schema_registry_free(*state);
    return 0;
}

static er_schema *compile(const er_schema_registry *all, const char *name)
{
    struct errand_error err = {0};
    json_t *doc = document(name);
    er_schema *s =
        er_schema_compile(doc, ER_DRAFT_2020_12, 0, all, &err);
    json_decref(doc);
    if (!s)
        fail_msg("%s: %s", name, err.msg);
    return s;
}

/* Fails the test with the first error. */
static void assert_fits(
    const er_schema *s, const json_t *value, const char *what)
{
    json_t *errors = json_array();
    if (!er_schema_check(s, value, errors, 1)) {
        const json_t *first = json_array_get(errors, 0);
        fail_msg("%s: %s: %s", what, er_json_str(first, "path"),
            er_json_str(first, "message"));
    }
    json_decref(errors);
}

static void test_schemas_take_their_own_examples(void **state)
{
    const char *name;
    for (size_t i = 0; (name = er_embedded_name(i)); i++) {
        json_t *doc = document(name);
        er_schema *s = compile(*state, name);
        const json_t *examples = json_object_get(doc, "examples");
        assert_true(json_array_size(examples) > 0);
        assert_non_null(er_json_str(doc, "title"));
        assert_non_null(er_json_str(doc, "description"));
        for (size_t k = 0; k < json_array_size(examples); k++)
            assert_fits(s, json_array_get(examples, k), name);
        er_schema_free(s);
        json_decref(doc);
    }
}

/* What errand writes is closed; what others send is not. */
static void test_schemas_of_ours_refuse_a_member_too_many(void **state)
{
    const char *name;
    for (size_t i = 0; (name = er_embedded_name(i)); i++) {
        json_t *doc = document(name);
        er_schema *s = compile(*state, name);
        json_t *example =
            json_array_get(json_object_get(doc, "examples"), 0);
        json_object_set_new(example, "unheard_of", json_true());
        bool open = strstr(name, "-response") != NULL;
        if (er_schema_check(s, example, NULL, 0) != open)
            fail_msg("%s %s unheard_of", name, open ? "refuses" : "takes");
        er_schema_free(s);
        json_decref(doc);
    }
}

/* ------------------------------------------------------------- requests */

static const char messages[] =
    "[{\"role\":\"system\",\"content\":\"Be brief.\"},"
    "{\"role\":\"user\",\"content\":\"Two times, please.\"},"
    "{\"role\":\"assistant\",\"content\":\"\",\"reasoning\":\"hm\","
    "\"extra\":{\"calls\":[{\"extra_content\":{\"g\":1}}]},"
    "\"tool_calls\":[{\"id\":\"019a\",\"name\":\"now\",\"arguments\":\"{}\","
    "\"provider_id\":\"call_0\"},{\"id\":\"019b\",\"name\":\"not a name\","
    "\"arguments\":\"{\\\"zone\\\":\\\"UTC\\\"}\"}]},"
    "{\"role\":\"tool\",\"tool_call_id\":\"019a\",\"name\":\"now\","
    "\"content\":\"12:00\"},"
    "{\"role\":\"tool\",\"tool_call_id\":\"019b\",\"name\":\"not a name\","
    "\"content\":\"error\"}]";

static const char tools[] =
    "[{\"name\":\"bare\",\"description\":\"d\",\"parameters\":"
    "{\"type\":\"object\"}},"
    "{\"name\":\"now\",\"description\":\"the time\",\"parameters\":"
    "{\"type\":\"object\",\"properties\":{\"zone\":{\"enum\":[\"UTC\"]}}}}]";

static void check_body(const er_schema *s, enum er_dialect dialect,
    const struct er_quirks *quirks, const struct er_model_request *req,
    const char *what)
{
    struct errand_error err = {0};
    struct er_buf out;
    er_buf_init(&out, 1 << 20);
    if (er_wire_body(dialect, quirks, req, &out, &err) != ERRAND_OK)
        fail_msg("%s: %s", what, err.msg);
    json_t *body = parse(er_buf_str(&out));
    assert_fits(s, body, what);
    json_decref(body);
    er_buf_release(&out);
}

/* Each quirk alone, then all of them. */
static void check_quirks(const er_schema *s, enum er_dialect dialect,
    const struct er_model_request *req)
{
    enum { N = sizeof(struct er_quirks) / sizeof(bool) };
    struct er_quirks q = {0};
    check_body(s, dialect, &q, req, "no quirk");
    for (size_t i = 0; i < N; i++) {
        char what[32];
        memset(&q, 0, sizeof q);
        memcpy((char *)&q + i * sizeof(bool), &(bool){true}, sizeof(bool));
        snprintf(what, sizeof what, "quirk %zu", i);
        check_body(s, dialect, &q, req, what);
    }
    memset(&q, 1, sizeof q);
    q.content_calls = false;
    check_body(s, dialect, &q, req, "all quirks");
}

static void test_schemas_fit_the_requests_that_are_sent(void **state)
{
    struct er_sampling all = {.max_tokens = 256, .temperature = 0.6,
        .top_p = 1, .top_k = 50, .seed = 1, .repetition_penalty = 1,
        .frequency_penalty = 2, .presence_penalty = 0};
    struct er_sampling few;
    er_sampling_defaults(&few);
    json_t *schema = parse("{\"type\":\"object\"}");
    er_schema *openai = compile(*state, "openai-request.schema.json");
    er_schema *workers = compile(*state, "workers-ai-request.schema.json");
    for (unsigned bits = 0; bits < 16; bits++) {
        struct er_model_request req = {.model = "m",
            .messages = parse(messages),
            .tools = bits & 1 ? parse(tools) : NULL,
            .tool_choice = bits & 1 ? bits & 2 ? "now" : "required" : NULL,
            .schema = bits & 4 ? schema : NULL,
            .sampling = bits & 8 ? &all : &few,
            .stream = bits & 2};
        check_quirks(openai, ER_OPENAI, &req);
        check_quirks(workers, ER_WORKERS_AI, &req);
        json_decref(req.messages);
        json_decref(req.tools);
    }
    struct er_model_request prompt = {.model = "m",
        .messages = parse(messages), .sampling = &few, .prompt_form = true};
    few.raw = true;
    check_body(workers, ER_WORKERS_AI, NULL, &prompt, "prompt form");
    json_decref(prompt.messages);
    er_schema_free(openai);
    er_schema_free(workers);
    json_decref(schema);
}

/* -------------------------------------------------------------- answers */

static void on_event(void *ctx, const struct er_model_event *ev)
{
    int *ended = ctx;
    if (ev->type == ER_MODEL_ERROR)
        fail_msg("%s", ev->error->msg);
    *ended += ev->type == ER_MODEL_DONE;
}

static void test_schemas_examples_of_answers_are_read(void **state)
{
    static const struct {
        const char *name;
        enum er_dialect dialect;
    } rows[] = {{"openai-response.schema.json", ER_OPENAI},
        {"workers-ai-response.schema.json", ER_WORKERS_AI}};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        json_t *doc = document(rows[i].name), *example;
        size_t k;
        json_array_foreach(json_object_get(doc, "examples"), k, example)
        {
            int ended = 0;
            char *text = er_json_text(example);
            er_reader *r = er_reader_new(
                rows[i].dialect, ER_WHOLE, 1 << 20, on_event, &ended);
            er_reader_feed(r, text, strlen(text));
            assert_int_equal(er_reader_end(r), ERRAND_OK);
            assert_int_equal(ended, 1);
            er_reader_free(r);
            free(text);
        }
        json_decref(doc);
    }
}

/* -------------------------------------------------------- configuration */

static void test_schemas_configuration_agrees_on_parameters(void **state)
{
    static const char *const cases[] = {"{}", "{\"max_tokens\":1}",
        "{\"max_tokens\":0}", "{\"temperature\":5}", "{\"temperature\":5.1}",
        "{\"temperature\":-1}", "{\"top_p\":2}", "{\"top_p\":2.5}",
        "{\"top_k\":1}", "{\"top_k\":0}", "{\"top_k\":51}", "{\"seed\":1}",
        "{\"seed\":0}", "{\"seed\":9999999999}", "{\"seed\":10000000000}",
        "{\"repetition_penalty\":2}", "{\"repetition_penalty\":2.1}",
        "{\"frequency_penalty\":-0.1}", "{\"presence_penalty\":2}",
        "{\"stop\":\"x\"}", "{\"stop\":\"\"}", "{\"stop\":[\"a\",\"b\"]}",
        "{\"stop\":[1]}", "{\"logprobs\":20}", "{\"logprobs\":0}",
        "{\"raw\":true}", "{\"raw\":1}", "{\"lora\":\"x\"}",
        "{\"stream\":true}", "{\"temprature\":1}"};
    er_schema *s = compile(*state, "config.schema.json");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct errand_error err = {0};
        struct er_sampling into;
        er_sampling_defaults(&into);
        json_t *params = parse(cases[i]);
        json_t *config = json_pack("{s:o}", "params", params);
        bool code = er_sampling_parse(params, &into, &err) == ERRAND_OK;
        if (er_schema_check(s, config, NULL, 0) != code)
            fail_msg("%s: the code %s it (%s)", cases[i],
                code ? "takes" : "refuses", err.msg);
        json_decref(config);
    }
    er_schema_free(s);
}

static void test_schemas_configuration_knows_every_quirk(void **state)
{
    (void)state;
    json_t *doc = document("config.schema.json");
    json_t *v = json_object_get(doc, "$defs");
    v = json_object_get(json_object_get(v, "provider"), "properties");
    v = json_object_get(json_object_get(v, "quirks"), "items");
    v = json_object_get(v, "enum");
    assert_int_equal(
        json_array_size(v), sizeof(struct er_quirks) / sizeof(bool));
    for (size_t i = 0; i < json_array_size(v); i++) {
        struct er_quirks q = {0};
        struct errand_error err = {0};
        const json_t *name = json_array_get(v, i);
        if (er_quirks_set(&q, json_string_value(name),
                json_string_length(name), &err) != ERRAND_OK)
            fail_msg("%s", err.msg);
    }
    json_decref(doc);
}

static void test_schemas_configuration_agrees_on_endpoints(void **state)
{
    static const char *const cases[] = {"{}",
        "{\"type\":\"openai\"}", "{\"type\":\"other\"}",
        "{\"retries\":20}", "{\"retries\":21}", "{\"retries\":1.5}",
        "{\"max_parallel\":100000}", "{\"max_parallel\":-1}",
        "{\"max_bytes\":1024}", "{\"max_bytes\":1}",
        "{\"timeouts\":{\"connect_ms\":1}}",
        "{\"timeouts\":{\"connect\":1}}",
        "{\"timeouts\":{\"idle_ms\":86400001}}",
        "{\"prices\":{\"input\":0.1,\"output\":1000000}}",
        "{\"prices\":{\"input\":-1}}", "{\"prices\":{\"in\":1}}",
        "{\"headers\":{\"X-A\":\"b\"}}", "{\"headers\":{\"X-A\":1}}",
        "{\"quirks\":[\"one_system\"]}", "{\"quirks\":[\"many\"]}",
        "{\"quirks\":{}}", "{\"session_header\":\"x-session\"}",
        "{\"unheard_of\":1}"};
    er_schema *s = compile(*state, "config.schema.json");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct errand_error err = {0};
        json_t *settings = parse(cases[i]);
        json_object_set_new(
            settings, "base_url", json_string("http://127.0.0.1:1/v1"));
        json_t *config = json_pack(
            "{s:{s:o}}", "providers", "lab", settings);
        struct er_endpoint *ep = er_endpoint_new("lab", settings, &err);
        if (er_schema_check(s, config, NULL, 0) != (ep != NULL))
            fail_msg("%s: the code %s it (%s)", cases[i],
                ep ? "takes" : "refuses", err.msg);
        er_endpoint_free(ep);
        json_decref(config);
    }
    er_schema_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_schemas_take_their_own_examples),
        cmocka_unit_test(test_schemas_of_ours_refuse_a_member_too_many),
        cmocka_unit_test(test_schemas_fit_the_requests_that_are_sent),
        cmocka_unit_test(test_schemas_examples_of_answers_are_read),
        cmocka_unit_test(test_schemas_configuration_agrees_on_parameters),
        cmocka_unit_test(test_schemas_configuration_knows_every_quirk),
        cmocka_unit_test(test_schemas_configuration_agrees_on_endpoints),
    };
    return cmocka_run_group_tests(tests, open_registry, close_registry);
}
