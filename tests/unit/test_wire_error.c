/* What endpoints say when they refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/error.h"
#include "base/text.h"
#include "model/wire.h"
#include "support/suites.h"

#include <stdlib.h>
#include <string.h>

struct row {
    long status;
    const char *body;
    int code, detail;
    bool retriable;
    const char *part; /* of the message */
};

static void check(enum er_dialect dialect, const struct row *r)
{
    struct errand_error err = {0};
    bool retriable = !r->retriable;
    int code = er_wire_error(
        dialect, r->status, r->body, strlen(r->body), &retriable, &err);
    if (code != r->code || err.code != code || err.detail != r->detail ||
        retriable != r->retriable || !strstr(err.msg, r->part))
        fail_msg("%ld %s: %s %d %s: %s", r->status, r->body,
            errand_code_name(code), err.detail,
            retriable ? "retriable" : "final", err.msg);
    for (const char *p = err.msg; *p; p++)
        assert_true((unsigned char)*p >= 0x20 && *p != 0x7F);
}

static void test_error_openais_shapes(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {400, "{\"error\":{\"message\":\"E1\",\"type\":\"t\",\"param\":null,"
              "\"code\":null}}", ERRAND_PROVIDER, 400, false,
            "refused (HTTP 400): E1"},
        {401, "{\"error\":{\"message\":\"Incorrect API key provided: "
              "sk-abcdef0123456789.\",\"code\":\"invalid_api_key\"}}",
            ERRAND_AUTH, 401, false, "sk-***; check the key"},
        {403, "{\"error\":{\"message\":\"no\"}}", ERRAND_AUTH, 403, false,
            "no"},
        {404, "{\"error\":{\"message\":\"no model x\"}}", ERRAND_PROVIDER,
            404, false, "no model x"},
        {408, "", ERRAND_TIMEOUT, 408, true, "HTTP 408"},
        {409, "{}", ERRAND_PROVIDER, 409, true, "no reason"},
        {413, "{\"error\":{\"message\":\"too big\"}}", ERRAND_TOO_LARGE, 413,
            false, "too big"},
        {422, "{\"detail\":[{\"loc\":[\"body\"],\"msg\":\"field required\"}]}",
            ERRAND_PROVIDER, 422, false, "field required"},
        {422, "{\"detail\":\"nope\"}", ERRAND_PROVIDER, 422, false, "nope"},
        {429, "{\"error\":{\"message\":\"slow\",\"code\":"
              "\"rate_limit_exceeded\"}}", ERRAND_RATE_LIMIT, 429, true,
            "slow"},
        {500, "{\"error\":\"model runner stopped\"}", ERRAND_PROVIDER, 500,
            true, "model runner stopped"},
        {502, "<html><body>Bad Gateway</body></html>", ERRAND_PROVIDER, 502,
            true, "web page"},
        {503, "no healthy upstream", ERRAND_PROVIDER, 503, true,
            "no healthy upstream"},
        {529, "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\","
              "\"message\":\"Overloaded\"}}", ERRAND_PROVIDER, 529, true,
            "Overloaded"},
        {400, "{\"object\":\"error\",\"message\":\"bad n\",\"code\":40303}",
            ERRAND_PROVIDER, 40303, false, "bad n"},
        {400, "{\"message\":\"plain\"}", ERRAND_PROVIDER, 400, false,
            "plain"},
        {302, "", ERRAND_PROVIDER, 302, false, "redirects"},
        {999, "{}", ERRAND_PROVIDER, 999, true, "HTTP 999"},
        {500, "[1,2]", ERRAND_PROVIDER, 500, true, "[1,2]"},
        {500, "{\"error\":{\"message\":", ERRAND_PROVIDER, 500, true,
            "{\"error\""},
        {400, "\x1b[31mred\x1b[0m\r\n\tx\x07", ERRAND_PROVIDER, 400, false,
            ": red  x"},
        {500, "{\"error\":{\"error\":{\"message\":\"deep\"}}}",
            ERRAND_PROVIDER, 500, true, "deep"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check(ER_OPENAI, &rows[i]);
}

static void test_error_full_contexts(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {400, "{\"error\":{\"message\":\"too long\",\"type\":"
              "\"invalid_request_error\",\"code\":"
              "\"context_length_exceeded\"}}", ERRAND_CONTEXT, 400, false,
            "too long; shorten"},
        {400, "{\"error\":{\"code\":400,\"message\":\"request (9000 tokens) "
              "exceeds the available context size (4096 tokens)\",\"type\":"
              "\"exceed_context_size_error\",\"n_prompt_tokens\":9000,"
              "\"n_ctx\":4096}}", ERRAND_CONTEXT, 400, false, "4096"},
        {400, "{\"object\":\"error\",\"message\":\"This model's maximum "
              "context length is 4096 tokens\",\"code\":400}",
            ERRAND_CONTEXT, 400, false, "4096"},
        {413, "prompt is too long: 210000 tokens > 200000 maximum",
            ERRAND_CONTEXT, 413, false, "210000"},
        {400, "{\"errors\":[{\"code\":5021,\"message\":\"exceeded this model "
              "context window limit (8192)\"}],\"success\":false}",
            ERRAND_CONTEXT, 5021, false, "8192"},
        {429, "{\"error\":{\"message\":\"limit on context length per "
              "minute\"}}", ERRAND_RATE_LIMIT, 429, true, "per minute"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check(ER_OPENAI, &rows[i]);
}

static void test_error_cloudflares_envelope(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {400, "{\"errors\":[{\"message\":\"AiError: Bad input: Error: "
              "'/temperature' must be <= 5\",\"code\":5006}],\"success\":"
              "false,\"result\":{},\"messages\":[]}", ERRAND_PROVIDER, 5006,
            false, "must be <= 5"},
        {429, "{\"success\":false,\"errors\":[{\"code\":3036,\"message\":"
              "\"daily free allocation\"}]}", ERRAND_RATE_LIMIT, 3036, false,
            "tomorrow"},
        {429, "{\"success\":false,\"errors\":{\"code\":3040,\"message\":"
              "\"out of capacity\"}}", ERRAND_RATE_LIMIT, 3040, true,
            "capacity"},
        {429, "3040: Capacity temporarily exceeded, please try again.",
            ERRAND_RATE_LIMIT, 429, true, "Capacity"},
        {429, "{\"errors\":[{\"message\":\"3036: You have used up\"}]}",
            ERRAND_RATE_LIMIT, 3036, false, "tomorrow"},
        {404, "{\"success\":false,\"errors\":[{\"code\":7003,\"message\":"
              "\"Could not route to /x\"}],\"result\":null}",
            ERRAND_PROVIDER, 7003, false, "Could not route"},
        {500, "{\"success\":false,\"errors\":[],\"result\":null}",
            ERRAND_PROVIDER, 500, true, "no reason"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check(ER_WORKERS_AI, &rows[i]);
}

/* Every code of the published table, with the status it comes with. */
static void test_error_published_codes(void **state)
{
    (void)state;
    json_t *doc = suite_load("api/workers-ai/errors.json"), *e;
    size_t i;
    if (!doc)
        skip();
    json_array_foreach(json_object_get(doc, "errors"), i, e)
    {
        char body[300];
        struct errand_error err = {0};
        bool retriable;
        int code = (int)json_integer_value(json_object_get(e, "code"));
        long http = (long)json_integer_value(json_object_get(e, "http"));
        snprintf(body, sizeof body, "{\"success\":false,\"errors\":[{"
            "\"code\":%d,\"message\":\"x\"}]}", code);
        er_wire_error(ER_WORKERS_AI, http, body, strlen(body), &retriable,
            &err);
        assert_int_equal(err.detail, code);
        bool want = code != 3036 && (http == 408 || http == 429);
        assert_int_equal(retriable, want);
        int kind = http == 403 ? ERRAND_AUTH
            : http == 408      ? ERRAND_TIMEOUT
            : http == 413      ? ERRAND_TOO_LARGE
            : http == 429      ? ERRAND_RATE_LIMIT : ERRAND_PROVIDER;
        assert_int_equal(err.code, kind);
    }
    assert_true(i >= 16);
    json_decref(doc);
}

static void test_error_messages_are_cut_whole(void **state)
{
    (void)state;
    char body[4000];
    struct errand_error err = {0};
    bool retriable;
    for (size_t pad = 0; pad < 4; pad++) {
        memset(body, 'a', pad);
        for (size_t i = pad; i + 4 < sizeof body; i += 4)
            memcpy(body + i, "\xF0\x9F\xA6\x99", 5);
        er_wire_error(ER_OPENAI, 401, body, strlen(body), &retriable, &err);
        assert_non_null(strstr(err.msg, "; check the key"));
        assert_int_equal(er_utf8_valid_prefix(err.msg, strlen(err.msg)),
            strlen(err.msg));
    }
    assert_int_equal(
        er_wire_error(ER_OPENAI, 500, "", 0, &retriable, NULL),
        ERRAND_PROVIDER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_error_openais_shapes),
        cmocka_unit_test(test_error_full_contexts),
        cmocka_unit_test(test_error_cloudflares_envelope),
        cmocka_unit_test(test_error_published_codes),
        cmocka_unit_test(test_error_messages_are_cut_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
