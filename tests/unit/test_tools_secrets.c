/* Secrets: a tool uses what it never sees. */
#define _GNU_SOURCE /* strcasestr, accept4 */
#include "support/plugin_kit.h"

#include "base/base64.h"
#include "support/peer.h"
#include "tool/fetch_parts.h"

static const char value[] = "s3cr3t/key+with spaces&\xC3\xA9";

struct world {
    struct kit kit;
    struct er_fetch *fetch;
    er_vault *vault;
    json_t *opened;
    struct curl_slist *names;
    struct peer *peer;
};

/* Echoes the request; /to/... redirects to what follows. */
static void serve(struct peer *p, int fd)
{
    char *t = malloc(PEER_REQUEST);
    while (t && peer_request(p, fd, t, PEER_REQUEST)) {
        char head[1800];
        const char *to = strstr(t, " /to/");
        if (to) {
            snprintf(head, sizeof head, "Location: %.*s\r\n",
                (int)strcspn(to + 5, " "), to + 5);
            peer_answer(fd, "307 Go", head, "moved");
        } else {
            peer_answer(fd, "200 OK", "X-Echo: Bearer s3cr3t/key+with "
                "spaces&\xC3\xA9\r\n", t);
        }
    }
    free(t);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct errand_error err = {0};
    char text[200];
    curl_global_init(CURL_GLOBAL_DEFAULT);
    kit_open(&w->kit, NULL, 1);
    w->peer = peer_start(serve, w);
    setenv("TEST_SECRET", value, 1);
    setenv("TEST_SHORT", "1234567", 1);
    unsetenv("TEST_NONE");
    kit_file(&w->kit, "key", "from-a-file\n");
    json_t *config = json_pack(
        "{s:{s:s,s:s},s:{s:s,s:s},s:{s:s,s:s},s:{s:s,s:s},s:{s:s,s:s}}",
        "mine", "env", "TEST_SECRET", "host", "", "file", "file",
        kit_path(&w->kit, "key"), "host", "", "far", "env", "TEST_SECRET",
        "host", "api.example.com", "short", "env", "TEST_SHORT", "host",
        "api.example.com", "none", "env", "TEST_NONE", "host",
        "api.example.com");
    snprintf(text, sizeof text, "http://127.0.0.1:%d", w->peer->port);
    json_object_set_new(
        json_object_get(config, "mine"), "host", json_string(text));
    json_object_set_new(
        json_object_get(config, "file"), "host", json_string(text));
    w->vault = er_vault_new(config, &err);
    if (!w->vault)
        fail_msg("%s", err.msg);
    json_decref(config);
    er_tools_hide(w->kit.tools, w->vault);
    snprintf(text, sizeof text, "other.test:%d:127.0.0.1", w->peer->port);
    w->names = curl_slist_append(NULL, text);
    snprintf(text, sizeof text, "127.0.0.1:%d", w->peer->port);
    w->opened = json_pack("[s]", text);
    snprintf(text, sizeof text, "other.test:%d", w->peer->port);
    json_array_append_new(w->opened, json_string(text));
    struct er_fetch_settings settings = {.private_hosts = w->opened,
        .vault = w->vault,
        .resolve = w->names};
    w->fetch = er_fetch_new(w->kit.loop, &settings, &err);
    assert_int_equal(er_fetch_serve(w->fetch, w->kit.tools, &err), 0);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    er_tools_free(w->kit.tools);
    w->kit.tools = NULL;
    er_fetch_free(w->fetch);
    er_vault_free(w->vault);
    kit_close(&w->kit);
    peer_stop(w->peer);
    curl_slist_free_all(w->names);
    json_decref(w->opened);
    curl_global_cleanup();
    free(w);
    return 0;
}

static void tool(struct world *w, const char *body)
{
    struct er_buf text;
    er_buf_init(&text, 100000);
    er_buf_addf(&text,
        "local at = 'http://127.0.0.1:%d'\nlocal port = %d\n%s",
        w->peer->port, w->peer->port, body);
    kit_tool(&w->kit, "t",
        "permissions = { net = { '*' }, secrets = { 'mine', 'file', 'far', "
        "'short', 'none', 'never' } },",
        er_buf_str(&text));
    kit_load(&w->kit);
    er_buf_release(&text);
}

static void hears(struct world *w, const char *what, bool yes)
{
    pthread_mutex_lock(&w->peer->lock);
    bool there = strstr(w->peer->last, what) != NULL;
    if (there != yes)
        fail_msg("%s in: %s", what, w->peer->last);
    pthread_mutex_unlock(&w->peer->lock);
}

static void fails_with(struct world *w, const char *args, const char *says)
{
    struct kept kept = kit_call(&w->kit, "t", args, 0);
    if (kept.status != ER_TOOL_FAILED || !strstr(kept.text, says))
        fail_msg("status %d: %s; expected %s", (int)kept.status, kept.text,
            says);
    assert_null(strstr(kept.text, "s3cr3t"));
    assert_null(strstr(kept.detail, "s3cr3t"));
    free(kept.text);
}

static void test_secrets_are_sent_and_never_seen(void **state)
{
    struct world *w = *state;
    tool(w,
        "local s = ctx.secret('mine')\n"
        "local r = ctx.http.request{ url = at .. '/p?key=' .. s, headers = "
        "{ authorization = 'Bearer ' .. s }, body = 'a=' .. s .. '&b=' .. "
        "s .. '&f=' .. ctx.secret('file') }\n"
        "return { s = s, r = r }");
    struct kept kept = kit_call(&w->kit, "t", "{}", 0);
    assert_int_equal(kept.status, ER_TOOL_OK);
    hears(w, "POST /p?key=s3cr3t%2Fkey%2Bwith%20spaces%26%C3%A9 HTTP", true);
    hears(w, "authorization: Bearer s3cr3t/key+with spaces&\xC3\xA9", true);
    hears(w, "a=s3cr3t/key+with spaces&\xC3\xA9&b=s3cr3t/key+with spaces&"
             "\xC3\xA9&f=from-a-file", true);
    assert_null(strstr(kept.text, "s3cr3t"));
    assert_null(strstr(kept.text, "from-a-file"));
    assert_non_null(strstr(kept.text, "\"x-echo\":\"Bearer ***\""));
    assert_non_null(strstr(kept.text, "/p?key=***"));
    assert_non_null(strstr(kept.text, "a=***&b=***&f=***"));
    assert_non_null(strstr(kept.text, "errand-secret-"));
    free(kept.text);
}

static void test_secrets_stay_with_their_host(void **state)
{
    struct world *w = *state;
    tool(w,
        "local r = { url = args.url or at, headers = {} }\n"
        "r.headers['x-key'] = ctx.secret(args.name or 'mine')\n"
        "if args.body then r.headers = nil\n"
        "  r.body = ctx.secret('mine') end\n"
        "if args.to then r.url = at .. '/to/http://other.test:' .. port end\n"
        "return ctx.http.request(r)");
    fails_with(w, "{\"name\":\"far\"}",
        "the secret 'far' is bound to api.example.com and is not sent to "
        "http://127.0.0.1:");
    fails_with(w, "{\"name\":\"far\",\"url\":\"http://api.example.com/\"}",
        "is not sent to http://api.example.com");
    fails_with(w, "{\"body\":true,\"to\":true}",
        "redirected: the secret 'mine' is bound to http://127.0.0.1:");
    hears(w, "Host: other.test", false);
    struct kept kept = kit_call(&w->kit, "t", "{\"to\":true}", 0);
    assert_int_equal(kept.status, ER_TOOL_OK); /* without the header */
    hears(w, "Host: other.test", true);
    hears(w, "s3cr3t", false);
    hears(w, "errand-secret-", false);
    free(kept.text);
}

static void test_secrets_that_cannot_be_had(void **state)
{
    struct world *w = *state;
    tool(w, "return ctx.secret(args.name)");
    fails_with(w, "{\"name\":\"never\"}",
        "there is no secret 'never'; define it in errand.lua");
    fails_with(w, "{\"name\":\"none\"}",
        "the secret 'none' has no value: the variable TEST_NONE gives none");
    fails_with(w, "{\"name\":\"short\"}", "under 8 bytes");
    fails_with(w, "{\"name\":\"other\"}",
        "the secret 'other' is not granted to t; declare permissions = { "
        "secrets = { \"other\" } }");
}

/* What a model read in one call and wrote into another is just text. */
static void test_secrets_placeholders_die_with_their_call(void **state)
{
    struct world *w = *state;
    tool(w,
        "if args.body then return ctx.http.post(at, args.body).status end\n"
        "return ctx.secret('mine')");
    struct kept kept = kit_call(&w->kit, "t", "{}", 0);
    char args[300];
    snprintf(args, sizeof args, "{\"body\":\"%.100s\"}", kept.text);
    kit_expect(&w->kit, "t", args, ER_TOOL_OK, "200");
    hears(w, kept.text, true);
    hears(w, "s3cr3t", false);
    free(kept.text);
}

/* However the value gets into a result, an error or a log line. */
static void test_secrets_are_hidden_everywhere(void **state)
{
    struct world *w = *state;
    struct er_buf coded;
    json_t *args = json_object();
    er_buf_init(&coded, 10000);
    tool(w,
        "ctx.log('log ' .. args.plain)\nprint(args.b0)\n"
        "if args.fail then error('bad ' .. args.plain .. args.b1) end\n"
        "local t = {}\nt[args.plain] = args\nreturn t");
    json_object_set_new(args, "plain", json_string(value));
    static const char *const around[] = {"", "u", "us"};
    for (size_t i = 0; i < 3; i++) {
        char name[4] = {'b', (char)('0' + i), '\0'};
        char text[100];
        snprintf(text, sizeof text, "%s%s%s", around[i], value,
            i == 1 ? ":more" : "");
        er_base64_add(&coded, text, strlen(text));
        json_object_set_new(args, name, json_string(er_buf_str(&coded)));
        er_buf_reset(&coded);
    }
    json_object_set_new(args, "url",
        json_string("s3cr3t%2fkey%2bwith+spaces%26%c3%a9 "
                    "s3cr3t/key+with%20spaces&%C3%A9"));
    char *text = er_json_text(args);
    struct kept kept = kit_call(&w->kit, "t", text, 0);
    free(text);
    assert_int_equal(kept.status, ER_TOOL_OK);
    static const char *const never[] = {"s3cr3t", "S3cr3t", "czNjcjN0",
        "zM2NyM3", "MzY3Iz", NULL};
    for (size_t i = 0; never[i]; i++)
        if (strstr(kept.text, never[i]) || strstr(w->kit.log.data, never[i]))
            fail_msg("%s in %s or %s", never[i], kept.text,
                w->kit.log.data);
    assert_non_null(strstr(kept.text, "{\"***\":{"));
    assert_non_null(strstr(kept.text, "\"b0\":\"***\""));
    assert_non_null(strstr(w->kit.log.data, "log ***"));
    free(kept.text);
    json_object_set_new(args, "fail", json_true());
    text = er_json_text(args);
    fails_with(w, text, "bad ***");
    free(text);
    json_decref(args);
    er_buf_release(&coded);
}

static void tell(void *user, errand_call *call, const char *args, size_t len)
{
    (void)user;
    if (strstr(args, "no"))
        errand_call_fail(call, "no s3cr3t/key+with spaces&\xC3\xA9 here");
    else
        errand_call_reply(call, args, len);
}

/* The embedding program's own tools, and plugins in this process. */
static void test_secrets_are_hidden_in_what_callbacks_say(void **state)
{
    struct world *w = *state;
    struct errand_error err = {0};
    struct errand_tool_def def = {.size = sizeof def, .name = "own",
        .description = "a test", .run = tell};
    assert_int_equal(
        er_tools_add(w->kit.tools, &def, "callback", &err), ERRAND_OK);
    plugin_load(&w->kit, "answers", NULL, true);
    json_t *args = json_pack("{s:s}", "it", value);
    char *text = er_json_text(args);
    kit_expect(&w->kit, "own", text, ER_TOOL_OK, "{\"it\":\"***\"}");
    kit_expect(&w->kit, "echo", text, ER_TOOL_OK, "{\"it\":\"***\"}");
    kit_expect(&w->kit, "own", "{\"no\":1}", ER_TOOL_FAILED, "no *** here");
    free(text);
    json_decref(args);
}

static void test_secrets_of_a_wrong_configuration(void **state)
{
    static const char *const hosts[] = {"*", "", "https://", "a b", "x/y"};
    (void)state;
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        struct errand_error err = {0};
        json_t *config = json_pack(
            "{s:{s:s,s:s}}", "a", "env", "TEST_SECRET", "host", hosts[i]);
        assert_null(er_vault_new(config, &err));
        assert_int_equal(err.code, ERRAND_CONFIG);
        assert_non_null(strstr(err.msg, "secrets.a: host"));
        json_decref(config);
    }
    er_vault *v = er_vault_new(NULL, NULL);
    assert_non_null(v);
    assert_false(er_vault_hides(v));
    er_vault_free(v);
    er_vault_free(NULL);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_secrets_are_sent_and_never_seen),
        T(test_secrets_stay_with_their_host),
        T(test_secrets_that_cannot_be_had),
        T(test_secrets_placeholders_die_with_their_call),
        T(test_secrets_are_hidden_everywhere),
        T(test_secrets_are_hidden_in_what_callbacks_say),
        cmocka_unit_test(test_secrets_of_a_wrong_configuration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
