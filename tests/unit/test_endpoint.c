/* Endpoints: what the configuration may say, where requests go, and that a
 * key shows nowhere but in the one header. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "model/endpoint.h"
#include "model/presets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static struct errand_error err;

static struct er_endpoint *make(const char *name, const char *settings)
{
    err = (struct errand_error){0};
    json_t *s = NULL;
    if (settings) {
        s = er_json_parse(settings, strlen(settings), ER_JSON_STRICT, &err);
        assert_non_null(s);
    }
    struct er_endpoint *ep = er_endpoint_new(name, s, &err);
    json_decref(s);
    if (!ep)
        assert_int_not_equal(err.code, 0);
    return ep;
}

static void expect_refused(
    const char *name, const char *settings, const char *part)
{
    assert_null(make(name, settings));
    assert_int_equal(err.code, ERRAND_CONFIG);
    if (!strstr(err.msg, part))
        fail_msg("'%s' is not in: %s", part, err.msg);
}

static void expect_url(
    const char *name, const char *settings, const char *model,
    const char *want)
{
    struct er_endpoint *ep = make(name, settings);
    if (!ep)
        fail_msg("%s", err.msg);
    struct er_buf url;
    er_buf_init(&url, 10000);
    if (er_endpoint_ready(ep, model, &err) != 0)
        fail_msg("%s", err.msg);
    assert_true(er_endpoint_url(ep, model, &url));
    assert_string_equal(er_buf_str(&url), want);
    er_buf_release(&url);
    er_endpoint_free(ep);
}

static const char *header(struct er_endpoint *ep, const char *name)
{
    size_t n = strlen(name);
    struct curl_slist *h = er_endpoint_headers(ep);
    assert_non_null(h);
    for (; h; h = h->next) {
        if (strncasecmp(h->data, name, n) == 0 && h->data[n] == ':')
            return h->data + n + 1 + strspn(h->data + n + 1, " ");
    }
    return NULL;
}

static int clean_env(void **state)
{
    (void)state;
    static const char *const vars[] = {"OPENAI_API_KEY", "OPENAI_BASE_URL",
        "CLOUDFLARE_ACCOUNT_ID", "CLOUDFLARE_API_TOKEN", "GROQ_API_KEY",
        "TEST_KEY"};
    for (size_t i = 0; i < sizeof vars / sizeof vars[0]; i++)
        unsetenv(vars[i]);
    return 0;
}

static void test_endpoint_names_unknown_keys_and_known_ones(void **state)
{
    (void)state;
    expect_refused("x", "{\"base_uri\":\"http://h\"}",
        "providers.x: unknown key 'base_uri'; known: type base_url "
        "api_key_env api_key_file account account_env gateway headers "
        "session_header quirks timeouts retries max_parallel max_bytes "
        "prices");
    expect_refused("x", "{\"timeouts\":{\"idle\":1}}",
        "timeouts: unknown key 'idle'; known: connect_ms first_byte_ms "
        "idle_ms total_ms");
    expect_refused("x", "{\"prices\":{\"in\":1}}",
        "known: input output cached");
    expect_refused("my-own-endpoint", "{\"quirks\":[\"no_strct\"]}",
        "known: no_strict no_stream_options no_tool_choice no_parallel "
        "no_sampling no_reasoning and others");
    expect_refused("my-own-endpoint", "{\"quirks\":[\"strict\"]}",
        "known: content_null arguments_object max_completion_tokens "
        "developer_role one_system tool_name mistral_ids content_calls "
        "flat_tools and no_...");
    expect_refused("x", "{\"api_key\":\"sk-very-secret\"}", "api_key_env");
    assert_null(strstr(err.msg, "sk-very-secret"));
}

static void test_endpoint_refuses_wrong_values(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"{}", "base_url is missing"},
        {"{\"base_url\":\"ftp://h/v1\"}", "https:// or http://"},
        {"{\"base_url\":\"file:///etc/passwd\"}", "https:// or http://"},
        {"{\"base_url\":\"127.0.0.1:8000\"}", "no address"},
        {"{\"base_url\":\"http://h/v1#x\"}", "fragment"},
        {"{\"base_url\":\"http://h/a b\"}", "space"},
        {"{\"base_url\":\"http://h/\\r\\nX: y\"}", "control character"},
        {"{\"base_url\":7}", "base_url must be a text"},
        {"{\"type\":\"anthropic\"}", "type must be \"openai\""},
        {"{\"retries\":-1}", "retries must be a whole number from 0 to 20"},
        {"{\"retries\":1.5}", "whole number"},
        {"{\"retries\":\"3\"}", "whole number"},
        {"{\"timeouts\":{\"idle_ms\":1e300}}", "timeouts: idle_ms must be"},
        {"{\"timeouts\":5}", "timeouts must be a table"},
        {"{\"prices\":{\"input\":-1}}", "dollars per million"},
        {"{\"headers\":{\"a b\":\"x\"}}", "'a b' is no name of a header"},
        {"{\"headers\":{\"a\":\"x\\r\\nb: y\"}}", "one line of text"},
        {"{\"headers\":{\"a\":1}}", "one line of text"},
        {"{\"headers\":[1]}", "headers must be a table"},
        {"{\"session_header\":\"a:b\"}", "name of a header"},
        {"{\"quirks\":\"no_strict\"}", "quirks must be a list"},
        {"[1]", "its settings must be a table"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect_refused("x", rows[i][0], rows[i][1]);
    expect_refused("a:b", NULL, "cannot name a provider");
    expect_refused("", NULL, "cannot name a provider");
}

static void test_endpoint_takes_every_key(void **state)
{
    (void)state;
    struct er_endpoint *ep = make("my-vllm",
        "{\"type\":\"openai\",\"base_url\":\"http://127.0.0.1:8000/v1\","
        "\"api_key_env\":\"TEST_KEY\",\"api_key_file\":\"/none\","
        "\"headers\":{\"X-Team\":\"blue\"},\"session_header\":\"x-user-id\","
        "\"quirks\":[\"no_strict\",\"mistral_ids\"],"
        "\"timeouts\":{\"connect_ms\":1,\"first_byte_ms\":2,\"idle_ms\":3,"
        "\"total_ms\":4},\"retries\":2,\"max_parallel\":8,"
        "\"max_bytes\":4096,\"prices\":{\"input\":2.5,\"output\":10,"
        "\"cached\":1.25}}");
    if (!ep)
        fail_msg("%s", err.msg);
    assert_true(ep->quirks.no_strict && ep->quirks.mistral_ids);
    assert_false(ep->quirks.no_tool_choice);
    assert_int_equal(ep->timeouts.connect_ms, 1);
    assert_int_equal(ep->timeouts.first_byte_ms, 2);
    assert_int_equal(ep->timeouts.idle_ms, 3);
    assert_int_equal(ep->timeouts.total_ms, 4);
    assert_int_equal(ep->retries, 2);
    assert_int_equal(ep->max_parallel, 8);
    assert_int_equal(ep->max_bytes, 4096);
    assert_true(ep->facts.loopback);
    assert_string_equal(ep->session_header, "x-user-id");
    struct er_usage u = {.prompt_tokens = 1000, .cached_tokens = 400,
        .completion_tokens = 100};
    assert_int_equal(er_endpoint_cost(ep, &u), 1500 + 500 + 1000);
    er_endpoint_free(ep);
}

static void test_endpoint_defaults(void **state)
{
    (void)state;
    /* empty Lua tables arrive as arrays or objects, whichever */
    struct er_endpoint *ep = make("x",
        "{\"base_url\":\"http://h\",\"timeouts\":[],\"quirks\":{},"
        "\"headers\":[],\"prices\":[]}");
    assert_non_null(ep);
    assert_int_equal(ep->timeouts.connect_ms, 10000);
    assert_int_equal(ep->timeouts.first_byte_ms, 120000);
    assert_int_equal(ep->timeouts.idle_ms, 60000);
    assert_int_equal(ep->timeouts.total_ms, 600000);
    struct er_usage u = {.prompt_tokens = 1000};
    assert_int_equal(er_endpoint_cost(ep, &u), 0);
    /* no key is configured, so none is needed */
    assert_int_equal(er_endpoint_ready(ep, "m", &err), 0);
    assert_null(header(ep, "Authorization"));
    er_endpoint_free(ep);
}

static void test_endpoint_presets_are_sound(void **state)
{
    (void)state;
    const struct er_preset *p;
    for (size_t i = 0; (p = er_preset_at(i)); i++) {
        struct er_endpoint *ep = make(p->name, NULL);
        if (!ep)
            fail_msg("%s: %s", p->name, err.msg);
        er_endpoint_free(ep);
    }
    struct er_endpoint *ep = make("mistral", NULL);
    assert_true(ep->quirks.mistral_ids && ep->quirks.no_stream_options);
    er_endpoint_free(ep);
    ep = make("mistral", "{\"quirks\":[\"no_strict\"]}");
    assert_true(ep->quirks.no_strict);
    assert_false(ep->quirks.mistral_ids);
    er_endpoint_free(ep);
}

static void test_endpoint_openai_quirk_holds_at_its_own_address(void **state)
{
    (void)state;
    struct er_endpoint *ep = make("openai", NULL);
    assert_true(ep->quirks.max_completion_tokens);
    er_endpoint_free(ep);
    ep = make("openai", "{\"base_url\":\"http://127.0.0.1:1/v1\"}");
    assert_false(ep->quirks.max_completion_tokens);
    er_endpoint_free(ep);
    ep = make("openai", "{\"quirks\":[]}");
    assert_false(ep->quirks.max_completion_tokens);
    er_endpoint_free(ep);
}

static void test_endpoint_urls(void **state)
{
    (void)state;
    expect_url("x", "{\"base_url\":\"http://h:8/v1\"}", "m",
        "http://h:8/v1/chat/completions");
    expect_url("x", "{\"base_url\":\"http://h:8/v1/\"}", "m",
        "http://h:8/v1/chat/completions");
    expect_url("x", "{\"base_url\":\"http://h/d/chat/completions\"}", "m",
        "http://h/d/chat/completions");
    expect_url("x", "{\"base_url\":\"https://h/d?api-version=1\"}", "m",
        "https://h/d/chat/completions?api-version=1");
    setenv("OPENAI_API_KEY", "k", 1);
    setenv("OPENAI_BASE_URL", "http://proxy/v1", 1);
    expect_url("openai", NULL, "m", "http://proxy/v1/chat/completions");
    expect_url("openai", "{\"base_url\":\"http://h/v1\"}", "m",
        "http://proxy/v1/chat/completions");
    setenv("OPENAI_BASE_URL", "proxy", 1);
    expect_refused("openai", NULL, "OPENAI_BASE_URL: 'proxy'");
}

static void test_endpoint_workers_ai_urls(void **state)
{
    (void)state;
    setenv("CLOUDFLARE_API_TOKEN", "token-0123", 1);
    const char *model = "@cf/meta/llama-3.2-3b-instruct";
    struct er_endpoint *ep = make("workers-ai", NULL);
    assert_int_equal(er_endpoint_ready(ep, model, &err), ERRAND_AUTH);
    assert_non_null(strstr(err.msg, "CLOUDFLARE_ACCOUNT_ID"));
    er_endpoint_free(ep);
    setenv("CLOUDFLARE_ACCOUNT_ID", "acct1", 1);
    expect_url("workers-ai", NULL, model,
        "https://api.cloudflare.com/client/v4/accounts/acct1/ai/run/"
        "@cf/meta/llama-3.2-3b-instruct");
    expect_url("workers-ai", "{\"account\":\"a2\",\"gateway\":\"gw\"}",
        model,
        "https://gateway.ai.cloudflare.com/v1/a2/gw/workers-ai/"
        "@cf/meta/llama-3.2-3b-instruct");
    expect_url("mine",
        "{\"type\":\"workers-ai\",\"base_url\":\"http://127.0.0.1:9\"}",
        "@cf/a b?c#d",
        "http://127.0.0.1:9/accounts/acct1/ai/run/@cf/a%20b%3Fc%23d");
    ep = make("workers-ai", NULL);
    static const char *const bad[] = {
        "", "../../x", "@cf/./x", "@cf//x", "@cf/x/", ".."};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(
            er_endpoint_ready(ep, bad[i], &err), ERRAND_USAGE);
    assert_string_equal(ep->session_header, "x-session-affinity");
    er_endpoint_free(ep);
    ep = make("workers-ai", "{\"account\":\"a/../b\"}");
    assert_int_equal(er_endpoint_ready(ep, model, &err), ERRAND_CONFIG);
    er_endpoint_free(ep);
}

static void test_endpoint_key_is_wanted_or_not(void **state)
{
    (void)state;
    struct er_endpoint *ep = make("openai", NULL);
    assert_int_equal(er_endpoint_ready(ep, "m", &err), ERRAND_AUTH);
    assert_non_null(strstr(err.msg, "set OPENAI_API_KEY"));
    setenv("OPENAI_API_KEY", "  sk-abcdefgh\n", 1);
    assert_int_equal(er_endpoint_ready(ep, "m", &err), 0);
    assert_string_equal(header(ep, "Authorization"), "Bearer sk-abcdefgh");
    assert_string_equal(header(ep, "Content-Type"), "application/json");
    er_endpoint_free(ep);
    unsetenv("OPENAI_API_KEY");
    static const char *const local[] = {"http://localhost:1/v1",
        "http://127.0.0.53/v1", "http://[::1]:8000/v1", "http://0.0.0.0:8/",
        "http://a.localhost/"};
    for (size_t i = 0; i < sizeof local / sizeof local[0]; i++) {
        char s[100];
        snprintf(s, sizeof s, "{\"base_url\":\"%s\"}", local[i]);
        ep = make("openai", s);
        assert_non_null(ep);
        assert_int_equal(er_endpoint_ready(ep, "m", &err), 0);
        assert_null(header(ep, "Authorization"));
        er_endpoint_free(ep);
    }
    ep = make("groq", "{\"headers\":{\"authorization\":\"Basic abcd\"}}");
    assert_int_equal(er_endpoint_ready(ep, "m", &err), 0);
    assert_string_equal(header(ep, "Authorization"), "Basic abcd");
    er_endpoint_free(ep);
}

static void test_endpoint_bad_keys_are_not_shown(void **state)
{
    (void)state;
    setenv("OPENAI_API_KEY", "sk-secret\r\nX-Evil: 1", 1);
    struct er_endpoint *ep = make("openai", NULL);
    assert_int_equal(er_endpoint_ready(ep, "m", &err), ERRAND_AUTH);
    assert_non_null(strstr(err.msg, "OPENAI_API_KEY"));
    assert_null(strstr(err.msg, "sk-secret"));
    er_endpoint_free(ep);
}

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static void test_endpoint_key_file_is_read_again_when_refused(void **state)
{
    (void)state;
    char path[] = "/tmp/errand-key-XXXXXX", settings[200];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    snprintf(settings, sizeof settings,
        "{\"base_url\":\"https://h/v1\",\"api_key_file\":\"%s\"}", path);
    struct er_endpoint *ep = make("x", settings);
    assert_int_equal(er_endpoint_ready(ep, "m", &err), ERRAND_AUTH);
    assert_non_null(strstr(err.msg, "holds no key"));
    write_file(path, "first-key-1\n");
    assert_int_equal(er_endpoint_ready(ep, "m", &err), 0);
    struct curl_slist *old = er_endpoint_headers(ep);
    assert_string_equal(header(ep, "Authorization"), "Bearer first-key-1");
    write_file(path, "second-key\n");
    assert_int_equal(er_endpoint_ready(ep, "m", &err), 0);
    assert_ptr_equal(er_endpoint_headers(ep), old);
    er_endpoint_key_refused(ep);
    assert_int_equal(er_endpoint_ready(ep, "m", &err), 0);
    assert_string_equal(header(ep, "Authorization"), "Bearer second-key");
    char text[] = "first-key-1 and second-key";
    er_secrets_hide(
        &ep->secrets, ER_SECRET_IN_TEXT, text, sizeof text - 1);
    assert_string_equal(text, "*** and ***");
    er_endpoint_free(ep);
    unlink(path);
}

static void test_secrets_are_hidden_wherever_they_stand(void **state)
{
    (void)state;
    struct er_endpoint *ep = make("x",
        "{\"base_url\":\"http://me:passw0rd@h/v1?key=querykey&v=12\","
        "\"headers\":{\"X-Api-Key\":\"headerkey\",\"X-Team\":\"blueteam\"}}");
    assert_non_null(ep);
    char text[] = "passw0rd querykey headerkey blueteam v=12 headerkeyx";
    size_t len = er_secrets_hide(
        &ep->secrets, ER_SECRET_IN_TEXT, text, sizeof text - 1);
    assert_string_equal(text, "*** *** *** blueteam v=12 ***x");
    assert_int_equal(len, strlen(text));
    /* a key that the end of the message cuts */
    struct errand_error e = {0};
    char long_text[300];
    memset(long_text, 'a', sizeof long_text);
    memcpy(long_text + 226, "headerkey", 10);
    er_fail(&e, ERRAND_AUTH, "%s", long_text);
    assert_non_null(strstr(e.msg, "heade"));
    er_secrets_hide_error(&ep->secrets, &e);
    assert_null(strstr(e.msg, "head"));
    er_endpoint_free(ep);
}

static void test_url_is_shown_without_what_is_private(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"https://u:p@host:1/v1?key=k", "https://host:1/v1"},
        {"http://host/a@b/c", "http://host/a@b/c"},
        {"http://u@x:p@host", "http://host"},
        {"host?u=http://x", "host"},
        {"http://h/\x1b[2J", "http://h/?[2J"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char out[40];
        er_url_show(rows[i][0], out, sizeof out);
        assert_string_equal(out, rows[i][1]);
    }
    char small[8];
    er_url_show("https://host/v1", small, sizeof small);
    assert_string_equal(small, "https:/");
}

#define T(name) cmocka_unit_test_setup(name, clean_env)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_endpoint_names_unknown_keys_and_known_ones),
        T(test_endpoint_refuses_wrong_values),
        T(test_endpoint_takes_every_key),
        T(test_endpoint_defaults),
        T(test_endpoint_presets_are_sound),
        T(test_endpoint_openai_quirk_holds_at_its_own_address),
        T(test_endpoint_urls),
        T(test_endpoint_workers_ai_urls),
        T(test_endpoint_key_is_wanted_or_not),
        T(test_endpoint_bad_keys_are_not_shown),
        T(test_endpoint_key_file_is_read_again_when_refused),
        T(test_secrets_are_hidden_wherever_they_stand),
        T(test_url_is_shown_without_what_is_private),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
