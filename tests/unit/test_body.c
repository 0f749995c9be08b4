/* Request bodies of both dialects: their exact bytes, quirk by quirk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/error.h"
#include "base/text.h"
#include "model/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *json(const char *text)
{
    json_error_t why;
    json_t *v = json_loads(text, JSON_DECODE_ANY, &why);
    if (!v)
        fail_msg("%s in %s", why.text, text);
    return v;
}

/* A request whose sampling is "not given" throughout. */
struct asked {
    struct er_model_request req;
    struct er_sampling sampling;
    struct er_quirks quirks;
    enum er_dialect dialect;
};

static struct asked ask(
    enum er_dialect dialect, const char *messages, const char *tools)
{
    struct asked a = {.dialect = dialect};
    er_sampling_defaults(&a.sampling);
    a.sampling.max_tokens = -1;
    a.sampling.temperature = -1;
    a.req.model = "m";
    a.req.messages = json(messages);
    a.req.tools = tools ? json(tools) : NULL;
    return a;
}

static char *body_of(struct asked *a)
{
    struct er_buf out;
    struct errand_error err = {0};
    er_buf_init(&out, 1 << 20);
    a->req.sampling = &a->sampling;
    if (er_wire_body(a->dialect, &a->quirks, &a->req, &out, &err) != 0)
        fail_msg("%s", err.msg);
    return er_buf_take(&out, NULL);
}

static void drop(struct asked *a)
{
    json_decref(a->req.messages);
    json_decref(a->req.tools);
    json_decref(a->req.schema);
}

static void check(struct asked *a, const char *want)
{
    char *got = body_of(a);
    assert_string_equal(got, want);
    json_decref(json(got));
    free(got);
    drop(a);
}

static void check_fails(struct asked *a, int code, const char *part)
{
    struct er_buf out;
    struct errand_error err = {0};
    er_buf_init(&out, 1 << 20);
    a->req.sampling = &a->sampling;
    assert_int_equal(
        er_wire_body(a->dialect, &a->quirks, &a->req, &out, &err), code);
    assert_int_equal(err.code, code);
    if (!strstr(err.msg, part))
        fail_msg("\"%s\" does not say \"%s\"", err.msg, part);
    er_buf_release(&out);
    drop(a);
}

static const char hi[] = "[{\"role\":\"user\",\"content\":\"hi\"}]";
static const char tool[] =
    "[{\"name\":\"f\",\"description\":\"d\",\"parameters\":{\"type\":"
    "\"object\",\"properties\":{\"a\":{\"type\":\"string\"}}}}]";
static const char called[] =
    "[{\"role\":\"user\",\"content\":\"hi\"},"
    "{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{\"id\":\"a1\","
    "\"name\":\"f\",\"arguments\":\"{\\\"a\\\":\\\"b\\\"}\","
    "\"provider_id\":\"call_7\"}]},"
    "{\"role\":\"tool\",\"tool_call_id\":\"a1\",\"name\":\"f\","
    "\"content\":\"ok\"}]";

static void test_body_openai_smallest(void **state)
{
    (void)state;
    struct asked a = ask(ER_OPENAI, hi, NULL);
    check(&a, "{\"model\":\"m\",\"messages\":[{\"role\":\"user\","
              "\"content\":\"hi\"}]}");
    a = ask(ER_OPENAI, hi, "[]");
    check(&a, "{\"model\":\"m\",\"messages\":[{\"role\":\"user\","
              "\"content\":\"hi\"}]}");
    a = ask(ER_OPENAI, "[]", NULL);
    check_fails(&a, ERRAND_USAGE, "no messages");
    a = ask(ER_OPENAI, "[{\"role\":\"boss\",\"content\":\"\"}]", NULL);
    check_fails(&a, ERRAND_USAGE, "boss");
}


/* ---------------------------------------------------------------- openai */

#define USER "{\"role\":\"user\",\"content\":\"hi\"}"
#define RESULT                                                            \
    "{\"role\":\"tool\",\"tool_call_id\":\"call_7\",\"content\":\"ok\"}"
#define CALL(arguments)                                                   \
    "\"tool_calls\":[{\"id\":\"call_7\",\"type\":\"function\","             \
    "\"function\":{\"name\":\"f\",\"arguments\":" arguments "}}]"
#define ARGS "\"{\\\"a\\\":\\\"b\\\"}\""
#define OPENAI_TOOLS                                                      \
    "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\","         \
    "\"description\":\"d\",\"parameters\":{\"type\":\"object\","            \
    "\"properties\":{\"a\":{\"type\":\"string\"}}}}}],"

static void test_body_openai_calls_and_results(void **state)
{
    (void)state;
    struct asked a = ask(ER_OPENAI, called, tool);
    check(&a, "{\"model\":\"m\"," OPENAI_TOOLS "\"messages\":[" USER
              ",{\"role\":\"assistant\",\"content\":\"\"," CALL(ARGS)
              "}," RESULT "]}");
    a = ask(ER_OPENAI, called, NULL);
    a.quirks.content_null = true;
    check(&a, "{\"model\":\"m\",\"messages\":[" USER
              ",{\"role\":\"assistant\",\"content\":null," CALL(ARGS)
              "}," RESULT "]}");
    a = ask(ER_OPENAI, called, NULL);
    a.quirks.arguments_object = true;
    check(&a, "{\"model\":\"m\",\"messages\":[" USER
              ",{\"role\":\"assistant\",\"content\":\"\","
              CALL("{\"a\":\"b\"}") "}," RESULT "]}");
    a = ask(ER_OPENAI, called, NULL);
    a.quirks.tool_name = true;
    check(&a, "{\"model\":\"m\",\"messages\":[" USER
              ",{\"role\":\"assistant\",\"content\":\"\"," CALL(ARGS)
              "},{\"role\":\"tool\",\"tool_call_id\":\"call_7\","
              "\"tool_name\":\"f\",\"content\":\"ok\"}]}");
}

static void test_body_tool_choice(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"auto", "\"auto\""}, {"none", "\"none\""},
        {"required", "\"required\""},
        {"f", "{\"type\":\"function\",\"function\":{\"name\":\"f\"}}"}};
    for (size_t i = 0; i < 8; i++) {
        char want[500];
        struct asked a = ask(ER_OPENAI, hi, tool);
        a.req.tool_choice = rows[i / 2][0];
        a.quirks.no_parallel = i % 2;
        snprintf(want, sizeof want,
            "{\"model\":\"m\"," OPENAI_TOOLS "\"messages\":[" USER
            "],\"tool_choice\":%s%s}", rows[i / 2][1],
            i % 2 ? ",\"parallel_tool_calls\":false" : "");
        check(&a, want);
    }
    struct asked a = ask(ER_OPENAI, hi, tool);
    a.req.tool_choice = "g";
    check_fails(&a, ERRAND_USAGE, "\"g\", which is none of the tools");
    a = ask(ER_OPENAI, hi, tool);
    a.req.tool_choice = "required";
    a.quirks.no_tool_choice = true;
    check(&a, "{\"model\":\"m\"," OPENAI_TOOLS "\"messages\":[" USER "]}");
    a = ask(ER_OPENAI, hi, NULL); /* without tools it would be refused */
    a.req.tool_choice = "none";
    a.quirks.no_parallel = true;
    check(&a, "{\"model\":\"m\",\"messages\":[" USER "]}");
}

static void test_body_stream(void **state)
{
    (void)state;
    struct asked a = ask(ER_OPENAI, hi, NULL);
    a.req.stream = true;
    check(&a, "{\"model\":\"m\",\"messages\":[" USER "],\"stream\":true,"
              "\"stream_options\":{\"include_usage\":true}}");
    a = ask(ER_OPENAI, hi, NULL);
    a.req.stream = true;
    a.quirks.no_stream_options = true;
    check(&a, "{\"model\":\"m\",\"messages\":[" USER "],\"stream\":true}");
    a = ask(ER_WORKERS_AI, hi, NULL);
    a.req.stream = true;
    check(&a, "{\"messages\":[" USER "],\"stream\":true}");
}

static void test_body_sampling(void **state)
{
    (void)state;
    static const char all[] =
        ",\"temperature\":0.6,\"top_p\":0.95,\"top_k\":40,"
        "\"seed\":9999999999,\"repetition_penalty\":1.1,"
        "\"frequency_penalty\":0.0,\"presence_penalty\":2.0}";
    const struct er_sampling full = {.max_tokens = 256, .temperature = 0.6,
        .top_p = 0.95, .top_k = 40, .seed = 9999999999,
        .repetition_penalty = 1.1, .presence_penalty = 2};
    char want[500];
    struct asked a = ask(ER_OPENAI, hi, NULL);
    a.sampling = full;
    snprintf(want, sizeof want,
        "{\"model\":\"m\",\"messages\":[" USER "],\"max_tokens\":256%s", all);
    check(&a, want);
    a = ask(ER_OPENAI, hi, NULL);
    a.sampling = full;
    a.quirks.max_completion_tokens = true;
    a.quirks.no_sampling = true;
    check(&a, "{\"model\":\"m\",\"messages\":[" USER
              "],\"max_completion_tokens\":256}");
    a = ask(ER_WORKERS_AI, hi, NULL);
    a.sampling = full;
    snprintf(want, sizeof want,
        "{\"messages\":[" USER "],\"max_tokens\":256%s", all);
    check(&a, want);
}

#define CLOSED                                                            \
    "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}},"   \
    "\"required\":[\"a\"],\"additionalProperties\":false}"
#define OPEN "{\"type\":\"object\",\"properties\":{\"a\":" CLOSED "}}"

static void test_body_schema(void **state)
{
    (void)state;
    static const char head[] =
        "{\"model\":\"m\",\"messages\":[" USER "],\"response_format\":{"
        "\"type\":\"json_schema\",\"json_schema\":{\"name\":\"answer\",";
    char want[700];
    struct asked a = ask(ER_OPENAI, hi, NULL);
    a.req.schema = json(CLOSED);
    snprintf(want, sizeof want, "%s\"strict\":true,\"schema\":" CLOSED "}}}",
        head);
    check(&a, want);
    a = ask(ER_OPENAI, hi, NULL);
    a.req.schema = json(OPEN); /* strict would be refused */
    snprintf(want, sizeof want, "%s\"strict\":false,\"schema\":" OPEN "}}}",
        head);
    check(&a, want);
    a = ask(ER_OPENAI, hi, NULL);
    a.req.schema = json(CLOSED);
    a.quirks.no_strict = true;
    snprintf(want, sizeof want, "%s\"schema\":" CLOSED "}}}", head);
    check(&a, want);
    a = ask(ER_WORKERS_AI, hi, NULL); /* bare, and it cannot stream */
    a.req.schema = json(CLOSED);
    a.req.stream = true;
    check(&a, "{\"messages\":[" USER "],\"response_format\":{\"type\":"
              "\"json_schema\",\"json_schema\":" CLOSED "}}");
}

static void test_body_system(void **state)
{
    (void)state;
    static const char three[] =
        "[{\"role\":\"system\",\"content\":\"A\"},"
        "{\"role\":\"system\",\"content\":\"B\"}," USER ","
        "{\"role\":\"system\",\"content\":\"C\"}]";
    struct asked a = ask(ER_OPENAI, three, NULL);
    check(&a, "{\"model\":\"m\",\"messages\":["
              "{\"role\":\"system\",\"content\":\"A\"},"
              "{\"role\":\"system\",\"content\":\"B\"}," USER ","
              "{\"role\":\"system\",\"content\":\"C\"}]}");
    a = ask(ER_OPENAI, three, NULL);
    a.quirks.developer_role = true;
    a.quirks.one_system = true;
    check(&a, "{\"model\":\"m\",\"messages\":["
              "{\"role\":\"developer\",\"content\":\"A\\n\\nB\"}," USER ","
              "{\"role\":\"user\",\"content\":\"C\"}]}");
}

/* ----------------------------------------------- arguments, names and ids */

static char *with_call(const char *id, const char *provider_id,
    const char *name, const char *arguments)
{
    json_t *call = json_pack("{ss ss ss}", "id", id, "name", name,
        "arguments", arguments);
    if (provider_id)
        json_object_set_new(
            call, "provider_id", json_string(provider_id));
    json_t *all = json_pack("[{ss ss} {ss ss s[o]} {ss ss ss ss}]", "role",
        "user", "content", "hi", "role", "assistant", "content", "",
        "tool_calls", call, "role", "tool", "tool_call_id", id, "name", name,
        "content", "ok");
    char *text = json_dumps(all, 0);
    json_decref(all);
    return text;
}

/* A member of the written body, by path from its messages. */
static char *written(struct asked *a, const char *what)
{
    char *body = body_of(a);
    json_t *doc = json(body);
    json_t *messages = json_object_get(doc, "messages");
    json_t *call = json_array_get(
        json_object_get(json_array_get(messages, 1), "tool_calls"), 0);
    json_t *function = json_object_get(call, "function");
    json_t *v = strcmp(what, "id") == 0 ? json_object_get(call, "id")
        : strcmp(what, "tool_call_id") == 0
            ? json_object_get(json_array_get(messages, 2), what)
            : json_object_get(function, what);
    char *text = json_dumps(v, JSON_ENCODE_ANY);
    json_decref(doc);
    free(body);
    return text;
}

static void check_call(const char *id, const char *provider_id,
    const char *name, const char *arguments, struct er_quirks quirks,
    const char *what, const char *want)
{
    char *messages = with_call(id, provider_id, name, arguments);
    struct asked a = ask(ER_OPENAI, messages, NULL);
    a.quirks = quirks;
    char *got = written(&a, what);
    assert_string_equal(got, want);
    free(got);
    free(messages);
    drop(&a);
}

static void test_body_bad_arguments_are_never_sent(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "{\"x\": oops", "null", "[1]",
        "\"text\"", "42", "{} {}", "{\"a\":1,\"a\":2}"};
    const struct er_quirks none = {0}, object = {.arguments_object = true};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        check_call("a", NULL, "f", bad[i], none, "arguments", "\"{}\"");
        check_call("a", NULL, "f", bad[i], object, "arguments", "{}");
    }
    check_call("a", NULL, "f", "{ \"b\": 1 }", none, "arguments",
        "\"{ \\\"b\\\": 1 }\"");
}

static void test_body_names_fit(void **state)
{
    (void)state;
    const struct er_quirks none = {0};
    char longest[66], name[90];
    memset(name, 'n', sizeof name);
    name[80] = '\0';
    longest[0] = '"';
    memset(longest + 1, 'n', 64);
    check_call("a", NULL, "get weather!", "{}", none, "name",
        "\"get_weather_\"");
    check_call("a", NULL, "", "{}", none, "name", "\"_\"");
    char *messages = with_call("a", NULL, name, "{}");
    struct asked a = ask(ER_OPENAI, messages, NULL);
    char *got = written(&a, "name");
    assert_int_equal(strlen(got), 66);
    assert_memory_equal(got, longest, 65);
    free(got);
    free(messages);
    drop(&a);
}

static void check_id_pair(const char *id, const char *provider_id,
    struct er_quirks quirks, char out[100])
{
    char *messages = with_call(id, provider_id, "f", "{}");
    struct asked a = ask(ER_OPENAI, messages, NULL);
    a.quirks = quirks;
    char *call = written(&a, "id"), *result = written(&a, "tool_call_id");
    assert_string_equal(call, result);
    snprintf(out, 100, "%.*s", (int)strlen(call) - 2, call + 1);
    free(call);
    free(result);
    free(messages);
    drop(&a);
}

static void test_body_ids_fit_and_agree(void **state)
{
    (void)state;
    const struct er_quirks none = {0}, mistral = {.mistral_ids = true};
    char got[100], again[100], id[80];
    check_id_pair("ours", "functions.f:0", none, got);
    assert_string_equal(got, "functions.f:0");
    check_id_pair("ours", NULL, none, got);
    assert_string_equal(got, "ours");
    memset(id, 'x', sizeof id);
    id[64] = '\0';
    check_id_pair("ours", id, none, got);
    assert_string_equal(got, id);
    id[64] = 'x';
    id[65] = '\0';
    check_id_pair("ours", id, none, got);
    assert_true(strlen(got) <= 64 && strncmp(got, "tc_", 3) == 0);
    check_id_pair("ours", id, none, again);
    assert_string_equal(got, again);
    check_id_pair("ours", "aB3dE6gH9", mistral, got);
    assert_string_equal(got, "aB3dE6gH9");
    check_id_pair("ours", "call_7", mistral, got);
    assert_int_equal(strlen(got), 9);
    assert_int_equal(strspn(got, "0123456789abcdefghijklmnopqrstuvwxyz"
                                 "ABCDEFGHIJKLMNOPQRSTUVWXYZ"), 9);
}

static void test_body_same_ids_in_one_message_are_told_apart(void **state)
{
    (void)state;
    struct asked a = ask(ER_OPENAI,
        "[" USER ",{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":["
        "{\"id\":\"1\",\"provider_id\":\"x\",\"name\":\"f\","
        "\"arguments\":\"{}\"},{\"id\":\"2\",\"provider_id\":\"x\","
        "\"name\":\"f\",\"arguments\":\"{}\"}]},"
        "{\"role\":\"tool\",\"tool_call_id\":\"1\",\"content\":\"a\"},"
        "{\"role\":\"tool\",\"tool_call_id\":\"2\",\"content\":\"b\"},"
        "{\"role\":\"tool\",\"tool_call_id\":\"gone\",\"content\":\"c\"}]",
        NULL);
    char *body = body_of(&a), id[2][100];
    json_t *doc = json(body), *messages = json_object_get(doc, "messages");
    json_t *calls = json_object_get(json_array_get(messages, 1),
        "tool_calls");
    for (size_t i = 0; i < 2; i++) {
        json_t *call = json_array_get(calls, i);
        json_t *result = json_array_get(messages, 2 + i);
        assert_true(json_equal(json_object_get(call, "id"),
            json_object_get(result, "tool_call_id")));
        snprintf(id[i], sizeof id[i], "%s",
            json_string_value(json_object_get(call, "id")));
    }
    assert_string_equal(id[0], "x");
    assert_string_not_equal(id[0], id[1]);
    assert_string_equal(json_string_value(json_object_get(
        json_array_get(messages, 4), "tool_call_id")), "gone");
    json_decref(doc);
    free(body);
    drop(&a);
}

/* ---------------------------------------------------------------- replay */

#define THOUGHT "{\"google\":{\"thought_signature\":\"s\"}}"

static const char thinking[] =
    "[" USER ",{\"role\":\"assistant\",\"content\":\"\",\"reasoning\":\"hm\","
    "\"tool_calls\":[{\"id\":\"call_7\",\"name\":\"f\",\"arguments\":\"{}\"}],"
    "\"extra\":%s}]";

static void check_thinking(
    const char *extra, struct er_quirks quirks, const char *assistant)
{
    char messages[600], want[900];
    snprintf(messages, sizeof messages, thinking, extra);
    snprintf(want, sizeof want, "{\"model\":\"m\",\"messages\":[" USER
        ",{\"role\":\"assistant\",\"content\":\"\"%s]}", assistant);
    struct asked a = ask(ER_OPENAI, messages, NULL);
    a.quirks = quirks;
    check(&a, want);
}

static void test_body_replays_what_was_sent_along(void **state)
{
    (void)state;
    const struct er_quirks none = {0}, quiet = {.no_reasoning = true};
    check_thinking("null", none,
        ",\"reasoning_content\":\"hm\"," CALL("\"{}\"") "}");
    check_thinking("null", quiet, "," CALL("\"{}\"") "}");
    check_thinking("{\"reasoning_as\":\"reasoning\"}", none,
        ",\"reasoning\":\"hm\"," CALL("\"{}\"") "}");
    check_thinking("{\"message\":{\"reasoning_details\":[{\"a\":1}]}}", none,
        "," CALL("\"{}\"") ",\"reasoning_details\":[{\"a\":1}]}");
    check_thinking("{\"message\":{\"extra_content\":" THOUGHT "},\"calls\":["
                   "{\"extra_content\":" THOUGHT "}]}", quiet,
        ",\"tool_calls\":[{\"id\":\"call_7\",\"type\":\"function\","
        "\"function\":{\"name\":\"f\",\"arguments\":\"{}\"},"
        "\"extra_content\":" THOUGHT "}],\"extra_content\":" THOUGHT "}");
}

/* -------------------------------------------------------------- workers ai */

static void test_body_workers_calls_and_results(void **state)
{
    (void)state;
    struct asked a = ask(ER_WORKERS_AI, called, tool);
    a.quirks.content_null = true; /* never null here */
    check(&a, "{\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\","
              "\"description\":\"d\",\"parameters\":{\"type\":\"object\","
              "\"properties\":{\"a\":{\"type\":\"string\",\"description\":"
              "\"\"}}}}}],\"messages\":[" USER
              ",{\"role\":\"assistant\",\"content\":\"\"," CALL(ARGS)
              "},{\"role\":\"tool\",\"tool_call_id\":\"call_7\","
              "\"name\":\"f\",\"content\":\"ok\"}]}");
}

static void test_body_workers_flat_tools_are_filled_in(void **state)
{
    (void)state;
    struct asked a = ask(ER_WORKERS_AI, hi,
        "[{\"name\":\"f\",\"parameters\":{\"required\":[\"a\"],"
        "\"properties\":{\"a\":{\"enum\":[1,2]},\"b\":{\"anyOf\":[{\"type\":"
        "\"null\"},{\"type\":\"number\"}]},\"c\":{\"type\":[\"null\","
        "\"array\"],\"description\":\"C\"},\"d\":{\"const\":true},\"e\":true}}"
        "},{\"name\":\"g\"}]");
    a.quirks.flat_tools = true;
    a.req.tool_choice = "g";
    check(&a, "{\"tools\":[{\"name\":\"f\",\"description\":\"\","
        "\"parameters\":{\"required\":[\"a\"],\"properties\":{"
        "\"a\":{\"enum\":[1,2],\"type\":\"integer\",\"description\":\"\"},"
        "\"b\":{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"number\"}],"
        "\"type\":\"number\",\"description\":\"\"},"
        "\"c\":{\"type\":\"array\",\"description\":\"C\"},"
        "\"d\":{\"const\":true,\"type\":\"boolean\",\"description\":\"\"},"
        "\"e\":{\"type\":\"string\",\"description\":\"\"}},"
        "\"type\":\"object\"}},{\"name\":\"g\",\"description\":\"\","
        "\"parameters\":{\"type\":\"object\",\"properties\":{}}}],"
        "\"messages\":[" USER "],\"tool_choice\":{\"type\":\"function\","
        "\"function\":{\"name\":\"g\"}}}");
}

static void test_body_calls_as_content(void **state)
{
    (void)state;
    struct asked a = ask(ER_WORKERS_AI, called, NULL);
    a.quirks.content_calls = true;
    check(&a, "{\"messages\":[" USER ",{\"role\":\"assistant\",\"content\":"
              "\"{\\\"name\\\":\\\"f\\\",\\\"arguments\\\":{\\\"a\\\":"
              "\\\"b\\\"}}\"},{\"role\":\"tool\",\"name\":\"f\","
              "\"content\":\"ok\"}]}");
    a = ask(ER_WORKERS_AI,
        "[" USER ",{\"role\":\"assistant\",\"content\":\"so\",\"tool_calls\":["
        "{\"id\":\"1\",\"name\":\"f\",\"arguments\":\"oops\"},"
        "{\"id\":\"2\",\"name\":\"g\",\"arguments\":\"{}\"}]}]", NULL);
    a.quirks.content_calls = true;
    check(&a, "{\"messages\":[" USER
              ",{\"role\":\"assistant\",\"content\":\"so\"},"
              "{\"role\":\"assistant\",\"content\":\"{\\\"name\\\":\\\"f\\\","
              "\\\"arguments\\\":{}}\"},{\"role\":\"assistant\",\"content\":"
              "\"{\\\"name\\\":\\\"g\\\",\\\"arguments\\\":{}}\"}]}");
}

static void test_body_prompt_form(void **state)
{
    (void)state;
    static const char two[] = "[{\"role\":\"system\",\"content\":\"S\"},"
                              "{\"role\":\"user\",\"content\":\"one\"},"
                              "{\"role\":\"user\",\"content\":\"two\"}]";
    struct asked a = ask(ER_WORKERS_AI, two, NULL);
    a.req.prompt_form = true;
    a.req.stream = true;
    a.sampling.raw = true;
    a.sampling.max_tokens = 9;
    snprintf(a.sampling.lora, sizeof a.sampling.lora, "my-lora");
    check(&a, "{\"prompt\":\"two\",\"raw\":true,\"lora\":\"my-lora\","
              "\"max_tokens\":9,\"stream\":true}");
    a = ask(ER_WORKERS_AI, two, tool);
    a.req.prompt_form = true;
    check_fails(&a, ERRAND_USAGE, "takes no tools");
    a = ask(ER_WORKERS_AI, "[{\"role\":\"user\",\"content\":\"\"}]", NULL);
    a.req.prompt_form = true;
    check_fails(&a, ERRAND_USAGE, "not empty");
    a = ask(ER_OPENAI, two, NULL);
    a.req.prompt_form = true;
    check_fails(&a, ERRAND_USAGE, "prompt form is workers-ai's");
    a = ask(ER_WORKERS_AI, two, NULL);
    a.sampling.raw = true;
    check_fails(&a, ERRAND_USAGE, "\"raw\" belongs");
    a = ask(ER_OPENAI, two, NULL);
    snprintf(a.sampling.lora, sizeof a.sampling.lora, "my-lora");
    check_fails(&a, ERRAND_USAGE, "\"lora\" belongs");
}

static void test_body_prompt_has_a_limit(void **state)
{
    (void)state;
    enum { LIMIT = 131072 };
    char *text = malloc(2 * (LIMIT + 1) + 1);
    for (size_t i = 0; i <= LIMIT; i++)
        memcpy(text + 2 * i, "\xC3\xA9", 2);
    text[2 * (size_t)(LIMIT + 1)] = '\0';
    struct asked a = ask(ER_WORKERS_AI, hi, NULL);
    json_t *message = json_array_get(a.req.messages, 0);
    a.req.prompt_form = true;
    json_object_set_new(message, "content", json_stringn(text, 2 * LIMIT));
    free(body_of(&a));
    json_object_set_new(message, "content", json_string(text));
    check_fails(&a, ERRAND_TOO_LARGE, "131072 characters");
    free(text);
}

/* --------------------------------------------------------------- all bodies */

static void test_body_scrubs_what_is_no_utf8(void **state)
{
    (void)state;
    struct asked a = ask(ER_OPENAI, hi, NULL);
    json_object_set_new(json_array_get(a.req.messages, 0), "content",
        json_stringn_nocheck("a\xFFz\x01\xC3", 5));
    check(&a, "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":"
              "\"a\xEF\xBF\xBDz\\u0001\xEF\xBF\xBD\"}]}");
}

static void test_body_is_bounded(void **state)
{
    (void)state;
    struct asked a = ask(ER_OPENAI, hi, NULL);
    struct errand_error err = {0};
    for (size_t max = 1; max < 56; max++) {
        struct er_buf out;
        er_buf_init(&out, max);
        assert_int_equal(er_wire_body(ER_OPENAI, NULL, &a.req, &out, &err),
            ERRAND_TOO_LARGE);
        er_buf_release(&out);
    }
    drop(&a);
}

/* Up to the closing bracket of its messages. */
static size_t prefix_len(const char *body)
{
    json_t *doc = json(body);
    char *messages = json_dumps(json_object_get(doc, "messages"),
        JSON_COMPACT);
    const char *at = strstr(body, messages);
    assert_non_null(at);
    size_t len = (size_t)(at - body) + strlen(messages) - 1;
    free(messages);
    json_decref(doc);
    return len;
}

static void add_turn(json_t *messages, int turn, char *content)
{
    json_t *m = NULL;
    if (turn % 4 == 0)
        m = json_pack("{ss ss}", "role", "user", "content", content);
    if (turn % 4 == 1)
        m = json_pack("{ss ss ss s[{ss ss s{si} ss}]}", "role", "assistant",
            "content", "", "reasoning", "hm", "tool_calls", "id", content,
            "name", "f", "extra", "x", turn, "arguments", "{\"n\":1}");
    if (turn % 4 == 2)
        m = json_pack("{ss ss ss ss}", "role", "tool", "tool_call_id",
            content, "name", "f", "content", "r");
    if (turn % 4 == 3)
        m = json_pack(
            "{ss ss}", "role", turn % 8 == 3 ? "assistant" : "system",
            "content", content);
    assert_int_equal(json_array_append_new(messages, m), 0);
}

/* Parameters, streaming and tool_choice change all the time; the prefix
 * does not. */
static void check_prefix(enum er_dialect dialect, struct er_quirks quirks)
{
    struct asked a = ask(dialect, "[]", tool);
    char *last = NULL, content[40];
    size_t len = 0;
    er_prompt *prompt = er_prompt_new();
    a.quirks = quirks;
    for (int turn = 0; turn < 24; turn++) {
        snprintf(content, sizeof content, "t%d \"\\ \xC3\xA9",
            turn % 4 == 2 ? turn - 1 : turn);
        add_turn(a.req.messages, turn, content);
        a.req.stream = turn % 3;
        a.req.tool_choice = turn % 2 ? "required" : NULL;
        a.sampling.max_tokens = 100 + turn;
        char *body = body_of(&a);
        if (last && strncmp(body, last, len) != 0)
            fail_msg("%.*s is no beginning of %s", (int)len, last, body);
        free(last);
        last = body;
        len = prefix_len(body);
        a.req.prompt = prompt; /* what is kept says the same */
        char *again = body_of(&a);
        a.req.prompt = NULL;
        assert_string_equal(body, again);
        free(again);
    }
    assert_true(len > 500);
    er_prompt_free(prompt);
    free(last);
    drop(&a);
}

static void test_body_next_request_begins_with_the_last(void **state)
{
    (void)state;
    const struct er_quirks rows[] = {{0}, {.content_null = true},
        {.one_system = true}, {.mistral_ids = true}, {.tool_name = true},
        {.content_calls = true}, {.flat_tools = true},
        {.arguments_object = true}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check_prefix(ER_OPENAI, rows[i]);
        check_prefix(ER_WORKERS_AI, rows[i]);
    }
}

/* With and without what was kept: the same. */
static void check_kept(struct asked *a, er_prompt *prompt)
{
    a->req.prompt = NULL;
    char *want = body_of(a);
    a->req.prompt = prompt;
    for (int i = 0; i < 2; i++) {
        char *have = body_of(a);
        assert_string_equal(have, want);
        free(have);
    }
    free(want);
}

static void test_body_keeps_nothing_that_has_changed(void **state)
{
    (void)state;
    static const char talk[] = "[{\"role\":\"user\",\"content\":\"a\"},"
                               "{\"role\":\"user\",\"content\":\"b\"}]";
    struct asked a = ask(ER_OPENAI, talk, tool);
    er_prompt *prompt = er_prompt_new();
    check_kept(&a, prompt);
    a.req.model = "another";
    check_kept(&a, prompt);
    a.quirks.developer_role = true;
    json_array_insert_new(a.req.messages, 0,
        json("{\"role\":\"system\",\"content\":\"s\"}"));
    check_kept(&a, prompt);
    a.dialect = ER_WORKERS_AI;
    check_kept(&a, prompt);
    json_t *tools = a.req.tools;
    a.req.tools = NULL;
    check_kept(&a, prompt);
    a.req.tools = tools;
    check_kept(&a, prompt);
    json_t *same_end = json_copy(a.req.messages); /* compacted */
    json_array_set_new(
        same_end, 1, json("{\"role\":\"user\",\"content\":\"c\"}"));
    json_decref(a.req.messages);
    a.req.messages = same_end;
    check_kept(&a, prompt);
    er_prompt_free(prompt);
    drop(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_body_keeps_nothing_that_has_changed),
        cmocka_unit_test(test_body_openai_smallest),
        cmocka_unit_test(test_body_openai_calls_and_results),
        cmocka_unit_test(test_body_tool_choice),
        cmocka_unit_test(test_body_stream),
        cmocka_unit_test(test_body_sampling),
        cmocka_unit_test(test_body_schema),
        cmocka_unit_test(test_body_system),
        cmocka_unit_test(test_body_bad_arguments_are_never_sent),
        cmocka_unit_test(test_body_names_fit),
        cmocka_unit_test(test_body_ids_fit_and_agree),
        cmocka_unit_test(test_body_same_ids_in_one_message_are_told_apart),
        cmocka_unit_test(test_body_replays_what_was_sent_along),
        cmocka_unit_test(test_body_workers_calls_and_results),
        cmocka_unit_test(test_body_workers_flat_tools_are_filled_in),
        cmocka_unit_test(test_body_calls_as_content),
        cmocka_unit_test(test_body_prompt_form),
        cmocka_unit_test(test_body_prompt_has_a_limit),
        cmocka_unit_test(test_body_scrubs_what_is_no_utf8),
        cmocka_unit_test(test_body_is_bounded),
        cmocka_unit_test(test_body_next_request_begins_with_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
