/* What plugins ask errand for, and how they hear that nobody waits any more:
 * each in a worker and in this process. */
#define _GNU_SOURCE /* strcasestr, accept4 */
#include <errand/tool.h> /* before cmocka.h, which has a macro fail */

#include "support/plugin_kit.h"

#include "support/peer.h"
#include "tool/fetch.h"
#include "tool/services.h"

static const char value[] = "s3cr3t-of-the-test";

struct world {
    struct kit kit;
    struct er_fetch *fetch;
    er_vault *vault;
    json_t *opened, *kept; /* ports; values */
    struct peer *peer;
    struct er_ask *held;
    char config[200], url[100];
};

/* Echoes the request; /to redirects to /there; /bytes is no text. */
static void serve(struct peer *p, int fd)
{
    char *t = malloc(PEER_REQUEST);
    while (t && peer_request(p, fd, t, PEER_REQUEST)) {
        const char *line = strchr(t, '\n');
        if (strncmp(t, "GET /to ", 8) == 0)
            peer_answer(fd, "302 Go", "Location: /there\r\n", "moved");
        else if (strncmp(t, "GET /bytes ", 11) == 0)
            peer_answer(fd, "200 OK", "X-Echo: two\r\n", "a\377b");
        else if (strncmp(t, "POST", 4) == 0)
            peer_answer(fd, "201 Made", "X-Echo: one\r\n",
                strstr(t, "\r\n\r\n") + 4);
        else
            peer_answer(fd, "200 OK", "X-Echo: " "s3cr3t-of-the-test\r\n",
                line ? "well" : "");
    }
    free(t);
}

/* The service kv, on a JSON object; "never" is not answered. */
static void on_kv(void *ctx, struct er_ask *ask)
{
    struct world *w = ctx;
    const char *op = er_json_str(ask->params, "op");
    const char *key = er_json_str(ask->params, "key"), *name;
    json_t *kept = json_object_get(w->kept, key ? key : ""), *list, *v;
    if (strcmp(op, "get") == 0 && strcmp(key, "never") == 0) {
        w->held = ask;
    } else if (strcmp(op, "get") == 0) {
        er_ask_reply(ask, kept ? json_pack("{s:O}", "value", kept)
                               : json_object());
    } else if (strcmp(op, "set") == 0 && strcmp(key, "full") == 0) {
        er_ask_refuse(ask, "kv: there is no room");
    } else if (strcmp(op, "set") == 0) {
        json_object_set(w->kept, key, json_object_get(ask->params, "value"));
        er_ask_reply(ask, json_object());
    } else if (strcmp(op, "delete") == 0) {
        int was = json_object_del(w->kept, key) == 0;
        er_ask_reply(ask, json_pack("{s:b}", "deleted", was));
    } else {
        const char *prefix = er_json_str(ask->params, "prefix");
        const char *after = er_json_str(ask->params, "after");
        list = json_array();
        json_object_foreach(w->kept, name, v)
            if (strncmp(name, prefix, strlen(prefix)) == 0 &&
                (!after || strcmp(name, after) > 0))
                json_array_append_new(list, json_string(name));
        er_ask_reply(ask, json_pack("{s:o}", "keys", list));
    }
}

static void on_kv_cancel(void *ctx, struct er_ask *ask)
{
    struct world *w = ctx;
    assert_ptr_equal(w->held, ask);
    w->held = NULL;
}

static void open_services(struct world *w)
{
    struct errand_error err = {0};
    char port[64];
    snprintf(port, sizeof port, "127.0.0.1:%d", w->peer->port);
    w->opened = json_pack("[s]", port);
    json_t *secrets = json_pack("{s:{s:s,s:s}}", "mine", "env",
        "TEST_SECRET", "host", w->url);
    w->vault = er_vault_new(secrets, &err);
    json_decref(secrets);
    assert_non_null(w->vault);
    er_tools_hide(w->kit.tools, w->vault);
    struct er_fetch_settings settings = {
        .private_hosts = w->opened, .vault = w->vault};
    w->fetch = er_fetch_new(w->kit.loop, &settings, &err);
    assert_int_equal(er_fetch_serve(w->fetch, w->kit.tools, &err), 0);
    struct er_service kv = {.name = "kv", .permission = "kv",
        .example = "kv = true", .start = on_kv, .cancel = on_kv_cancel,
        .ctx = w};
    assert_int_equal(er_services_add(w->kit.tools, &kv, &err), ERRAND_OK);
}

static void open_world(struct world *w, bool inproc)
{
    *w = (struct world){.kept = json_object()};
    curl_global_init(CURL_GLOBAL_DEFAULT);
    setenv("TEST_SECRET", value, 1);
    kit_open(&w->kit, NULL, 1);
    w->peer = peer_start(serve, w);
    snprintf(w->url, sizeof w->url, "http://127.0.0.1:%d", w->peer->port);
    snprintf(w->config, sizeof w->config, "{\"net\": [\"%s\"]}", w->url);
    open_services(w);
    plugin_load(&w->kit, "asks", w->config, inproc);
}

static void close_world(struct world *w)
{
    er_tools_free(w->kit.tools);
    w->kit.tools = NULL;
    er_fetch_free(w->fetch);
    er_vault_free(w->vault);
    kit_close(&w->kit);
    peer_stop(w->peer);
    json_decref(w->opened);
    json_decref(w->kept);
    curl_global_cleanup();
}

/* --------------------------------------------------------------- requests */

static void fetches(struct world *w, const char *path, const char *more,
    enum er_tool_status status, const char *text)
{
    char args[500];
    snprintf(args, sizeof args, "{\"url\": \"%s%s\"%s%s}", w->url, path,
        *more ? ", " : "", more);
    struct kept kept = kit_call(&w->kit, "fetch", args, 0);
    if (kept.status != status || !strstr(kept.text, text))
        fail_msg("%s: status %d, %s; %s", args, (int)kept.status, kept.text,
            kept.detail);
    free(kept.text);
}

static void check_requests(struct world *w)
{
    fetches(w, "/", "", ER_TOOL_OK, "200 4 *** well");
    fetches(w, "/to", "", ER_TOOL_OK, "200 4 *** well");
    fetches(w, "/to", "\"flags\": 1", ER_TOOL_OK, "302 5  moved");
    fetches(w, "/bytes", "", ER_TOOL_OK, "200 3 two a\xef\xbf\xbd" "b");
    fetches(w, "/", "\"body\": \"a\\u0000b\"", ER_TOOL_OK, "201 ");
    fetches(w, "/", "\"body\": \"abc\"", ER_TOOL_OK, "201 3 one abc");
    fetches(w, "/", "\"method\": \"DELETE\"", ER_TOOL_OK, "200 ");
    fetches(w, "/", "\"max_bytes\": 2", ER_TOOL_FAILED, "over 2 bytes");
    fetches(w, "/", "\"method\": \"NO\"", ER_TOOL_FAILED, "must be GET");
    fetches(w, "/", "\"timeout_ms\": 4000000000", ER_TOOL_FAILED, "timeout_ms");

    struct kept kept = kit_call(&w->kit, "fetch", "{}", 0);
    assert_int_equal(kept.status, ER_TOOL_FAILED);
    assert_non_null(strstr(kept.text, "the url cannot be read"));
    free(kept.text);
    kept = kit_call(
        &w->kit, "fetch", "{\"url\": \"https://elsewhere.test/\"}", 0);
    assert_int_equal(kept.status, ER_TOOL_FAILED);
    assert_non_null(strstr(kept.text, "elsewhere.test"));
    free(kept.text);
}

/* A header that is older or newer than this errand's, and one that is none. */
static void check_sizes(struct world *w)
{
    char more[64];
    snprintf(more, sizeof more, "\"size\": %zu, \"secret\": \"mine\"",
        offsetof(struct errand_tool_http_request, headers));
    fetches(w, "/", more, ER_TOOL_OK, "200 4 ***"); /* they came later */
    pthread_mutex_lock(&w->peer->lock);
    assert_null(strstr(w->peer->last, "X-Token"));
    pthread_mutex_unlock(&w->peer->lock);
    fetches(w, "/", "\"size\": 4096", ER_TOOL_OK, "200 4 ***");
    fetches(w, "/", "\"size\": 8", ER_TOOL_FAILED, "size is wrong");
    fetches(w, "/", "\"size\": 0", ER_TOOL_FAILED, "size is wrong");
}

static void check_secrets(struct world *w)
{
    fetches(w, "/", "\"secret\": \"mine\"", ER_TOOL_OK, "200 4 *** well");
    pthread_mutex_lock(&w->peer->lock);
    assert_non_null(strstr(w->peer->last, "X-Token: s3cr3t-of-the-test"));
    pthread_mutex_unlock(&w->peer->lock);
    fetches(w, "/", "\"secret\": \"other\"", ER_TOOL_FAILED,
        "the secret 'other' is not granted");
}

static void check_kept(struct world *w)
{
    kit_expect(&w->kit, "keep", "{\"steps\": [\"get a\", "
        "\"set a [1,\\\"x\\\"]\", \"get a\", \"set ab {}\", "
        "\"set b null\", \"get b\", \"list *\", \"list a\", "
        "\"list a a\", \"remove a\", \"remove a\", \"list *\"]}",
        ER_TOOL_OK, "|0|0|1 [1,\"x\"]|0|0|1 null|3 a ab b|2 a ab|1 ab|1|0"
        "|2 ab b");
    kit_expect(&w->kit, "keep", "{\"steps\": [\"set full 1\", \"get ab\"]}",
        ER_TOOL_OK, "|-1 kv: there is no room|1 {}");
    struct kept kept =
        kit_call(&w->kit, "keep", "{\"steps\": [\"set a {\"]}", 0);
    assert_non_null(strstr(kept.text, "|-1 kv: the value is no JSON: "));
    free(kept.text);
    kept = kit_call(&w->kit, "bare", "{}", 0);
    assert_int_equal(kept.status, ER_TOOL_FAILED);
    assert_non_null(strstr(kept.text, "kv is not granted to bare"));
    free(kept.text);
}

static void check_all(bool inproc)
{
    struct world w;
    open_world(&w, inproc);
    check_requests(&w);
    check_sizes(&w);
    check_secrets(&w);
    check_kept(&w);
    json_object_set_new(w.kept, "a", json_pack("[s]", "in C++"));
    plugin_load(&w.kit, "in_cpp", NULL, inproc);
    kit_expect(
        &w.kit, "recall_it", "{}", ER_TOOL_OK, "[\"in C++\"]");
    const struct er_tool *bare = er_tools_find(w.kit.tools, "bare");
    assert_true(bare->external && bare->egress);
    const struct er_tool *keep = er_tools_find(w.kit.tools, "keep");
    assert_false(keep->external || keep->egress);
    close_world(&w);
}

static void test_plugins_ask_from_a_worker(void **state)
{
    (void)state;
    check_all(false);
}

static void test_plugins_ask_from_this_process(void **state)
{
    (void)state;
    check_all(true);
}

/* -------------------------------------------------------------- cancelling */

static er_tool_call *start_working(
    struct world *w, const char *tool, int64_t timeout_ms, struct kept *kept)
{
    er_buf_reset(&w->kit.log);
    er_tool_call *call = kit_start(&w->kit, tool, "{}", timeout_ms, kept);
    int64_t until = er_mono_ms() + 60000;
    while (!strstr(er_buf_str(&w->kit.log), "at work") &&
           er_mono_ms() < until)
        er_loop_run(w->kit.loop, 5);
    return call;
}

static void test_plugins_hear_that_they_were_cancelled(void **state)
{
    struct world w;
    struct kept kept = {0}, late = {0}, deaf = {0};
    (void)state;
    open_world(&w, false);
    er_tool_call *call = start_working(&w, "patient", 0, &kept);
    er_tools_cancel(call);
    kit_wait(&w.kit, &kept); /* and what it answers counts */
    assert_int_equal(kept.status, ER_TOOL_OK);
    assert_string_equal(kept.text, "tidied up");
    start_working(&w, "patient", 300, &late);
    kit_wait(&w.kit, &late);
    assert_int_equal(late.status, ER_TOOL_OK);
    assert_string_equal(late.text, "tidied up");
    call = start_working(&w, "stubborn", 0, &deaf);
    er_tools_cancel(call);
    kit_wait(&w.kit, &deaf);
    assert_int_equal(deaf.status, ER_TOOL_CANCELLED);
    free(kept.text);
    free(late.text);
    free(deaf.text);
    close_world(&w);
}

static void test_plugins_cancelled_twice_have_no_time(void **state)
{
    struct world w;
    struct kept kept = {0};
    (void)state;
    open_world(&w, false);
    er_tool_call *call = start_working(&w, "stubborn", 0, &kept);
    er_tools_cancel(call);
    er_tools_cancel(call);
    kit_wait(&w.kit, &kept);
    assert_int_equal(kept.status, ER_TOOL_CANCELLED);
    free(kept.text);
    close_world(&w);
}

/* While one thread of the call waits for an answer. */
static void check_asking(bool inproc)
{
    struct world w;
    struct kept kept = {0};
    open_world(&w, inproc);
    er_tool_call *call = kit_start(&w.kit, "asking", "{}", 0, &kept);
    int64_t until = er_mono_ms() + 60000;
    while (!w.held && er_mono_ms() < until)
        er_loop_run(w.kit.loop, 5);
    er_tools_cancel(call);
    kit_wait(&w.kit, &kept);
    assert_null(w.held);
    if (!inproc) {
        assert_int_equal(kept.status, ER_TOOL_OK);
        assert_string_equal(kept.text, "the call was cancelled");
    } else { /* nobody waits for it: it may end when it likes */
        assert_int_equal(kept.status, ER_TOOL_CANCELLED);
    }
    free(kept.text);
    close_world(&w);
}

static void test_plugins_questions_end_with_the_call(void **state)
{
    (void)state;
    check_asking(false);
    check_asking(true);
}

/* The runtime goes away while a plugin in it waits for an answer. */
static void test_plugins_questions_end_with_the_runtime(void **state)
{
    struct world w;
    struct kept kept = {0};
    (void)state;
    open_world(&w, true);
    kit_start(&w.kit, "asking", "{}", 0, &kept);
    int64_t until = er_mono_ms() + 60000;
    while (!w.held && er_mono_ms() < until)
        er_loop_run(w.kit.loop, 5);
    close_world(&w);
    assert_true(kept.done);
    assert_int_equal(kept.status, ER_TOOL_CANCELLED);
    free(kept.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plugins_ask_from_a_worker),
        cmocka_unit_test(test_plugins_ask_from_this_process),
        cmocka_unit_test(test_plugins_hear_that_they_were_cancelled),
        cmocka_unit_test(test_plugins_cancelled_twice_have_no_time),
        cmocka_unit_test(test_plugins_questions_end_with_the_call),
        cmocka_unit_test(test_plugins_questions_end_with_the_runtime),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
