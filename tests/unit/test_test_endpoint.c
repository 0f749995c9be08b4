/* The test endpoint does what its README says: answers, faults, scripts, and
 * the strict reading of histories that the other tests rely on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/json.h"
#include "endpoint/spawn.h"

#include <curl/curl.h>
#include <unistd.h>

struct client {
    struct endpoint ep;
    CURL *curl;
    struct er_buf body;
    long status;
    CURLcode rc;
    const char *header; /* one more header, or NULL */
    long timeout_ms;
};

static size_t on_body(char *bytes, size_t size, size_t n, void *ctx)
{
    return er_buf_add(ctx, bytes, size * n) ? size * n : 0;
}

static int setup(void **state)
{
    struct client *c = calloc(1, sizeof *c);
    c->curl = curl_easy_init();
    c->timeout_ms = 30000; /* machines can be busy */
    er_buf_init(&c->body, 1 << 24);
    *state = c;
    return c->curl && endpoint_start(&c->ep, "--count", NULL) ? 0 : -1;
}

static int teardown(void **state)
{
    struct client *c = *state;
    curl_easy_cleanup(c->curl);
    er_buf_release(&c->body);
    int rc = endpoint_stop(&c->ep);
    free(c);
    return rc;
}

static void post(struct client *c, const char *path, const char *body)
{
    char url[300];
    struct curl_slist *headers =
        curl_slist_append(NULL, "Content-Type: application/json");
    if (c->header)
        headers = curl_slist_append(headers, c->header);
    snprintf(url, sizeof url, "http://127.0.0.1:%u%s", c->ep.port, path);
    er_buf_reset(&c->body);
    c->status = 0;
    curl_easy_reset(c->curl);
    curl_easy_setopt(c->curl, CURLOPT_URL, url);
    curl_easy_setopt(c->curl, CURLOPT_PROXY, "");
    curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, &c->body);
    curl_easy_setopt(c->curl, CURLOPT_TIMEOUT_MS, c->timeout_ms);
    c->rc = curl_easy_perform(c->curl);
    curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &c->status);
    curl_slist_free_all(headers);
}

/* A chat with further messages (each with a comma in front) and members. */
static void chat(struct client *c, const char *model, const char *messages,
    const char *members)
{
    struct er_buf b;
    er_buf_init(&b, 1 << 20);
    er_buf_addf(&b, "{\"model\":\"%s\",\"messages\":[{\"role\":\"user\","
        "\"content\":\"one two three\"}%s]%s}", model, messages, members);
    post(c, "/v1/chat/completions", er_buf_str(&b));
    er_buf_release(&b);
}

#define STREAM ",\"stream\":true"
#define CALL(id, args) \
    ",{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"" \
    id "\",\"type\":\"function\",\"function\":{\"name\":\"tick\"," \
    "\"arguments\":\"" args "\"}}]}"
#define RESULT(id) \
    ",{\"role\":\"tool\",\"tool_call_id\":\"" id "\",\"content\":\"ok\"}"

static void has(struct client *c, const char *text)
{
    if (!strstr(er_buf_str(&c->body), text))
        fail_msg("'%s' is not in: %s", text, er_buf_str(&c->body));
}

static void test_test_endpoint_echoes_whole_and_streamed(void **state)
{
    struct client *c = *state;
    chat(c, "echo", "", "");
    assert_int_equal(c->status, 200);
    has(c, "\"content\":\"one two three\"");
    chat(c, "echo", "",
        STREAM ",\"stream_options\":{\"include_usage\":true}");
    has(c, "\"content\":\"one \"");
    has(c, "\"content\":\"three\"");
    has(c, "\"choices\":[],\"usage\":{");
    has(c, "data: [DONE]\n\n");
}

static void test_test_endpoint_plays_rounds_from_the_history(void **state)
{
    struct client *c = *state;
    chat(c, "rounds-2", "", "");
    has(c, "\"id\":\"call_1\"");
    has(c, "\"arguments\":\"{\\\"n\\\":1}\"");
    chat(c, "rounds-2", CALL("call_1", "{}") RESULT("call_1"), "");
    has(c, "\"id\":\"call_2\"");
    has(c, "\"arguments\":\"{\\\"n\\\":2}\"");
    chat(c, "rounds-2", CALL("call_1", "{}") RESULT("call_1")
        CALL("call_2", "{}") RESULT("call_2"), "");
    has(c, "done after 2 rounds");
    chat(c, "rounds-1-par-3", "", ",\"tools\":[{\"type\":\"function\","
        "\"function\":{\"name\":\"tock\",\"parameters\":{}}}]");
    has(c, "\"name\":\"tock\",\"arguments\":\"{\\\"n\\\":3}\"");
}

static void test_test_endpoint_speaks_workers_ai_in_three_shapes(void **state)
{
    struct client *c = *state;
    static const struct {
        const char *model, *whole, *streamed;
    } rows[] = {
        {"rounds-1", "\"response\":null,\"tool_calls\":[{\"name\":\"tick\","
                     "\"arguments\":{\"n\":1}}]",
            "\"tool_calls\":[{\"name\":\"tick\",\"arguments\":{\"n\":1}}]"},
        {"rounds-1-shape-2", "\"tool_calls\":[{\"id\":\"call_1\"",
            "\"id\":null,\"type\":null"},
        {"rounds-1-shape-3", "\"result\":{\"choices\":[{",
            "\"choices\":[{\"index\":0,\"delta\""},
        {"rounds-1-strings", "\"arguments\":{\"n\":\"1\"}", "\"n\":\"1\""}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char path[200];
        snprintf(path, sizeof path,
            "/client/v4/accounts/a1/ai/run/@cf/meta/%s", rows[i].model);
        post(c, path, "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}");
        has(c, rows[i].whole);
        has(c, "\"success\":true");
        post(c, path, "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]"
            ",\"stream\":true}");
        has(c, rows[i].streamed);
        has(c, "data: [DONE]");
    }
    post(c, "/client/v4/accounts/a1/ai/run/@cf/meta/echo",
        "{\"prompt\":\"say it\",\"raw\":true}");
    has(c, "\"response\":\"say it\"");
}

static void test_test_endpoint_refuses_what_providers_refuse(void **state)
{
    struct client *c = *state;
    static const struct {
        const char *messages, *members, *why;
    } rows[] = {
        {CALL("a", "{}"), "", "must be followed by a tool message"},
        {CALL("a", "{}") ",{\"role\":\"user\",\"content\":\"x\"}", "",
            "must be followed by a tool message"},
        {RESULT("a"), "", "must follow an assistant message"},
        {CALL("a", "{}") RESULT("b"), "", "must follow an assistant"},
        {CALL("a", "{}") RESULT("a") RESULT("a"), "", "must follow"},
        {CALL("a", "{}") RESULT("a") CALL("a", "{}") RESULT("a"), "",
            "stands twice"},
        {CALL("a", "{oops") RESULT("a"), "", "not a JSON object"},
        {CALL("a", "[1]") RESULT("a"), "", "not a JSON object"},
        {CALL("", "{}") RESULT(""), "", "needs an id"},
        {",{\"role\":\"assistant\",\"content\":null}", "", "must be a string"},
        {",{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[]}", "",
            "at least one"},
        {",{\"role\":\"robot\",\"content\":\"x\"}", "", "unknown role"},
        {"", ",\"temperature\":2.5", "must be <= 2"},
        {"", ",\"tools\":[]", "at least one"},
        {"", ",\"tool_choice\":\"auto\"", "only allowed when tools"},
        {"", ",\"stream_options\":{}", "only allowed when stream"},
        {"", ",\"tools\":[{\"type\":\"function\",\"function\":"
             "{\"name\":\"a.b\"}}]", "must match"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        chat(c, "echo", rows[i].messages, rows[i].members);
        assert_int_equal(c->status, 400);
        has(c, "\"type\":\"invalid_request_error\"");
        has(c, rows[i].why);
    }
    chat(c, "echo", CALL("a", "{}") RESULT("a"), "");
    assert_int_equal(c->status, 200);
    post(c, "/client/v4/accounts/a/ai/run/echo", "{\"messages\":[{\"role\":"
        "\"user\",\"content\":\"x\"}" CALL("a", "{}") RESULT("a") "]}");
    assert_int_equal(c->status, 400);
    has(c, "\"success\":false");
    has(c, "content must be a string\",\"code\":5006");
    post(c, "/v1/chat/completions", "{\"model\":\"echo\"");
    assert_int_equal(c->status, 400);
}

static void test_test_endpoint_spoils_answers_as_asked(void **state)
{
    struct client *c = *state;
    static const struct {
        const char *model;
        CURLcode rc;
        long status;
        const char *holds;
    } rows[] = {{"status-500", CURLE_OK, 500, "server_error"},
        {"status-529", CURLE_OK, 529, "529"},
        {"html", CURLE_OK, 200, "<h1>"},
        {"half-json", CURLE_OK, 200, "\"choices\""},
        {"wrong-type", CURLE_OK, 200, "one "},
        {"stall-before", CURLE_OPERATION_TIMEDOUT, 0, ""},
        {"stall-mid", CURLE_OPERATION_TIMEDOUT, 200, "chatcmpl"},
        {"endless", CURLE_OPERATION_TIMEDOUT, 200, "and so on"},
        {"cut", CURLE_PARTIAL_FILE, 200, "chatcmpl"},
        {"reset", CURLE_RECV_ERROR, 200, "chatcmpl"},
        {"refuse", CURLE_GOT_NOTHING, 0, ""},
        {"error-in-stream", CURLE_OK, 200, "data: {\"error\":"},
        {"no-done", CURLE_OK, 200, "one "},
        {"plain-json", CURLE_OK, 200, "\"content\":\"one two three\""},
        {"nonsense", CURLE_OK, 404, "No such model"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        er_buf_release(&c->body);
        er_buf_init(&c->body, 1 << 20); /* endless ends here or in time */
        c->timeout_ms =
            rows[i].rc == CURLE_OPERATION_TIMEDOUT ? 2000 : 30000;
        chat(c, rows[i].model, "", STREAM);
        bool full = c->rc == CURLE_WRITE_ERROR && c->body.failed;
        if (c->rc != rows[i].rc && !full)
            fail_msg("%s: curl says %d", rows[i].model, (int)c->rc);
        assert_int_equal(c->status, rows[i].status);
        if (!full)
            has(c, rows[i].holds);
    }
}

static void test_test_endpoint_fails_first_and_then_works(void **state)
{
    struct client *c = *state;
    chat(c, "status-503-times-2-then-text-3", "", "");
    assert_int_equal(c->status, 503);
    chat(c, "status-503-times-2-then-text-3", "", "");
    assert_int_equal(c->status, 503);
    chat(c, "status-503-times-2-then-text-3", "", "");
    assert_int_equal(c->status, 200);
    has(c, "\"content\":\"the quick brown\"");
    c->header = "x-session-affinity: another";
    chat(c, "status-503-times-2-then-text-3", "", "");
    assert_int_equal(c->status, 503);
}

static void test_test_endpoint_models_that_err_recover(void **state)
{
    struct client *c = *state;
    chat(c, "bad-args", "", "");
    has(c, "\"arguments\":\"{\\\"n\\\": 1,, oops\"");
    chat(c, "bad-args", CALL("call_1", "{}") RESULT("call_1"), "");
    has(c, "\"arguments\":\"{\\\"n\\\":2}\"");
    chat(c, "unknown-tool", "", "");
    has(c, "\"name\":\"no_such_tool\"");
    chat(c, "cut-length", "", "");
    has(c, "\"finish_reason\":\"length\"");
    chat(c, "cut-length", "", "");
    has(c, "\"content\":\"done\"");
    chat(c, "calls-10000", "", "");
    has(c, "\"id\":\"call_10000\"");
    chat(c, "think", "", "");
    has(c, "\"reasoning_content\":\"let me");
}

static void test_test_endpoint_delays(void **state)
{
    struct client *c = *state;
    double seconds = 0;
    chat(c, "trickle-1-of-empty", "", "");
    assert_int_equal(c->rc, CURLE_OK);
    curl_easy_getinfo(c->curl, CURLINFO_TOTAL_TIME, &seconds);
    assert_true(seconds >= 0.3); /* over 300 bytes, one per millisecond */
    chat(c, "echo-delay-50", "", "");
    assert_int_equal(c->status, 200);
    curl_easy_getinfo(c->curl, CURLINFO_TOTAL_TIME, &seconds);
    assert_true(seconds >= 0.05);
    c->header = "x-delay-ms: 50";
    chat(c, "echo", "", "");
    curl_easy_getinfo(c->curl, CURLINFO_TOTAL_TIME, &seconds);
    assert_true(seconds >= 0.05);
}

/* Write a script, start an endpoint of its own over it. */
static void with_script(struct client *c, const char *text, char *path)
{
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    endpoint_stop(&c->ep);
    assert_true(endpoint_start(
        &c->ep, "--count", "--script", path, "--key", "k1", NULL));
    unlink(path);
    c->header = "Authorization: Bearer k1";
}

static void test_test_endpoint_plays_scripts_per_conversation(void **state)
{
    struct client *c = *state;
    char path[] = "/tmp/errand-script-XXXXXX";
    with_script(c,
        "{\"match\":{\"turn\":1},\"answer\":{\"calls\":[{\"name\":\"tick\","
        "\"arguments\":{\"a\":[1,2]}}]}}\n"
        "{\"match\":{\"contains\":\"ok\"},\"answer\":{\"content\":\"second\","
        "\"usage\":{\"prompt_tokens\":7}}}\n\n"
        "{\"status\":418,\"headers\":{\"x-a\":\"b\"},\"body\":{\"tea\":1}}\n"
        "{\"chunks\":[\"data: 1\\n\\n\",{\"data\":\"rest\",\"delay_ms\":20}],"
        "\"end\":\"cut\"}\n"
        "{\"steps\":[{\"send\":\"HTTP/1.1 200 OK\\r\\n\\r\\nbare\"},"
        "{\"close\":true}]}\n", path);
    chat(c, "script", "", "");
    has(c, "\"arguments\":\"{\\\"a\\\":[1,2]}\"");
    chat(c, "script", CALL("call_1", "{}") RESULT("call_1"), "");
    has(c, "second");
    has(c, "\"prompt_tokens\":7");
    chat(c, "script", "", "");
    assert_int_equal(c->status, 418);
    has(c, "{\"tea\":1}");
    chat(c, "script", "", "");
    assert_int_equal(c->rc, CURLE_PARTIAL_FILE);
    has(c, "data: 1\n\nrest");
    chat(c, "script", "", "");
    assert_int_equal(c->rc, CURLE_OK);
    has(c, "bare");
    chat(c, "script", "", "");
    assert_int_equal(c->status, 500);
    c->header = NULL;
    chat(c, "script", "", "");
    assert_int_equal(c->status, 401);
}

static void test_test_endpoint_logs_bodies_and_counts(void **state)
{
    struct client *c = *state;
    char path[] = "/tmp/errand-log-XXXXXX", line[400] = "";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    endpoint_stop(&c->ep);
    assert_true(
        endpoint_start(&c->ep, "--count", "--log", path, NULL));
    chat(c, "echo", "", "");
    chat(c, "echo", RESULT("x"), "");
    assert_int_equal(endpoint_stop(&c->ep), 0);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_non_null(fgets(line, sizeof line, f));
    fclose(f);
    unlink(path);
    assert_string_equal(line, "{\"model\":\"echo\",\"messages\":[{\"role\":"
        "\"user\",\"content\":\"one two three\"}]}\n");
    assert_non_null(strstr(c->ep.totals, "{\"requests\":2,\"rejected\":1,"));
    assert_true(endpoint_start(&c->ep, NULL));
}

#define TICK ",\"tools\":[{\"type\":\"function\",\"function\":" \
    "{\"name\":\"tick\",\"parameters\":{}}}]"

/* Searching a request and reading it give the same answers. */
static void test_test_endpoint_fast_says_the_same(void **state)
{
    struct client *c = *state;
    static const char *const models[] = {
        "rounds-2", "rounds-1-par-3", "rounds-3-delay-1", "text-7"};
    static const char *const histories[] = {"", CALL("call_1", "{}")
        RESULT("call_1"), CALL("call_1", "{}") RESULT("call_1")
        ",{\"role\":\"user\",\"content\":\"more\"}"};
    for (int streamed = 0; streamed < 2; streamed++)
        for (size_t i = 0; i < 12; i++) {
            const char *members = streamed ? TICK STREAM
                ",\"stream_options\":{\"include_usage\":true}" : TICK;
            chat(c, models[i % 4], histories[i / 4], members);
            char *want = er_buf_take(&c->body, NULL);
            endpoint_stop(&c->ep);
            assert_true(endpoint_start(&c->ep, "--fast", NULL));
            chat(c, models[i % 4], histories[i / 4], members);
            assert_string_equal(er_buf_str(&c->body), want);
            free(want);
            endpoint_stop(&c->ep);
            assert_true(endpoint_start(&c->ep, NULL));
        }
}

/* The rival of the benchmarks does the requests that it counts, in order,
 * with histories that the endpoint accepts. */
static void test_test_endpoint_bare_curl_makes_its_requests(void **state)
{
    struct client *c = *state;
    static const struct {
        const char *options, *counts, *totals;
    } rows[] = {
        {"--conversations 5 --rounds 3", "\"rounds\":15,\"requests\":20,",
            "\"requests\":20,\"rejected\":0,\"connections\":1,"},
        {"--conversations 9 --parallel 4 --rounds 2 --stream --delay 1",
            "\"rounds\":18,\"requests\":27,",
            "\"requests\":27,\"rejected\":0,\"connections\":4,"},
        {"--rounds 0 --tokens 50 --stream", "\"texts\":51,",
            "\"requests\":1,\"rejected\":0,"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char path[3100], command[3600], line[600] = "";
        endpoint_path(path, sizeof path);
        *strrchr(path, '/') = '\0';
        snprintf(command, sizeof command,
            "%s/bench/bench_curl --url http://127.0.0.1:%u %s", path,
            c->ep.port, rows[i].options);
        FILE *f = popen(command, "r");
        assert_non_null(f);
        assert_non_null(fgets(line, sizeof line, f));
        assert_int_equal(pclose(f), 0);
        assert_non_null(strstr(line, rows[i].counts));
        assert_non_null(strstr(line, "\"failed\":0}"));
        assert_int_equal(endpoint_stop(&c->ep), 0);
        assert_non_null(strstr(c->ep.totals, rows[i].totals));
        assert_true(endpoint_start(&c->ep, "--count", NULL));
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_test_endpoint_echoes_whole_and_streamed),
        TEST(test_test_endpoint_plays_rounds_from_the_history),
        TEST(test_test_endpoint_speaks_workers_ai_in_three_shapes),
        TEST(test_test_endpoint_refuses_what_providers_refuse),
        TEST(test_test_endpoint_spoils_answers_as_asked),
        TEST(test_test_endpoint_fails_first_and_then_works),
        TEST(test_test_endpoint_models_that_err_recover),
        TEST(test_test_endpoint_delays),
        TEST(test_test_endpoint_plays_scripts_per_conversation),
        TEST(test_test_endpoint_logs_bodies_and_counts),
        TEST(test_test_endpoint_fast_says_the_same),
        TEST(test_test_endpoint_bare_curl_makes_its_requests)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
