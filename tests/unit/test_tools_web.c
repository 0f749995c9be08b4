/* What comes back from a request: as a tool sees it, and as http_fetch shows
 * it. Against a peer on the loopback, which the user has opened. */
#define _GNU_SOURCE /* strcasestr, accept4 */
#include "support/tool_kit.h"

#include "support/peer.h"
#include "tool/fetch_parts.h"

struct world {
    struct kit kit;
    struct er_fetch *fetch;
    json_t *opened;
    struct peer *peer;
};

static const char page[] =
    "<html><head><title>A page</title><style>p{}</style></head><body>"
    "<nav><a href=/>Home</a></nav><h1>Caf\xE9</h1><p>Go <a href='b?x=1'>"
    "there</a>.</p><script>alert(1)</script></body></html>";

static void say_many(int fd, const char *head, size_t len)
{
    char line[200];
    char *body = malloc(len);
    memset(body, 'x', len);
    snprintf(line, sizeof line,
        "HTTP/1.1 200 OK\r\n%sContent-Length: %zu\r\n\r\n", head, len);
    peer_say(fd, line);
    peer_send(fd, body, len);
    free(body);
}

/* 300,000 times "a", in gzip. */
static const unsigned char bomb[] = {
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xed, 0xc1,
    0x01, 0x0d, 0x00, 0x00, 0x00, 0xc2, 0xa0, 0xac, 0xef, 0x5f, 0xc2, 0x1e,
    0x0e, 0x28, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0xf8, 0x31, 0x5f, 0xf2, 0x4e, 0xf4, 0xe0, 0x93,
    0x04, 0x00,
};

static bool serve_more(struct peer *p, int fd, const char *t)
{
    if (strstr(t, "/page"))
        return peer_answer(fd, "200 OK",
            "Content-Type: text/html; charset=iso-8859-1\r\n", page);
    if (strstr(t, "/json"))
        return peer_answer(
            fd, "200 OK", "Content-Type: application/json\r\n", "{\"a\":1}");
    if (strstr(t, "/gone"))
        return peer_answer(fd, "404 Not Found",
            "Content-Type: text/html\r\n", "<p>no such page");
    if (strstr(t, "/image"))
        return peer_answer(
            fd, "200 OK", "Content-Type: image/png\r\n", "\x89PNG");
    if (strstr(t, "/bytes"))
        return peer_answer(fd, "200 OK", "", "\xFF\xFE\x01 \x80");
    if (strstr(t, "/gzip")) {
        char head[100];
        snprintf(head, sizeof head,
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
            "Content-Length: %zu\r\n\r\n",
            sizeof bomb);
        peer_say(fd, head);
        return peer_send(fd, (const char *)bomb, sizeof bomb);
    }
    if (strstr(t, "/cookies"))
        return peer_answer(fd, "200 OK",
            "Set-Cookie: a=1, b\r\nSet-Cookie: c=2\r\nX: \xFF\r\n", "");
    if (strstr(t, "/big"))
        say_many(fd, "Content-Type: text/plain\r\n", 50000);
    else if (strstr(t, "/slow"))
        return peer_idle(p, fd, 60000);
    else
        return peer_answer(fd, "200 OK", "", t);
    return true;
}

static void serve(struct peer *p, int fd)
{
    char *t = malloc(PEER_REQUEST);
    while (t && peer_request(p, fd, t, PEER_REQUEST) &&
           serve_more(p, fd, t))
        ;
    free(t);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct errand_error err = {0};
    char entry[64];
    curl_global_init(CURL_GLOBAL_DEFAULT);
    kit_open(&w->kit, NULL, 1);
    w->peer = peer_start(serve, w);
    snprintf(entry, sizeof entry, "127.0.0.1:%d", w->peer->port);
    w->opened = json_pack("[s]", entry);
    struct er_fetch_settings settings = {.private_hosts = w->opened};
    w->fetch = er_fetch_new(w->kit.loop, &settings, &err);
    assert_int_equal(er_fetch_serve(w->fetch, w->kit.tools, &err), 0);
    if (er_tools_load_dir(w->kit.tools, "tools", NULL, &err) != ERRAND_OK)
        fail_msg("%s", err.msg);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    er_tools_free(w->kit.tools);
    w->kit.tools = NULL;
    er_fetch_free(w->fetch);
    kit_close(&w->kit);
    peer_stop(w->peer);
    json_decref(w->opened);
    curl_global_cleanup();
    free(w);
    return 0;
}

/* text with each %P as the peer's port; the caller frees. */
static char *fill(const struct world *w, const char *text)
{
    struct er_buf b;
    const char *at;
    er_buf_init(&b, 100000);
    while ((at = strstr(text, "%P")) != NULL) {
        er_buf_addf(
            &b, "%.*s%d", (int)(at - text), text, w->peer->port);
        text = at + 2;
    }
    er_buf_adds(&b, text);
    return er_buf_take(&b, NULL);
}

static void expect(struct world *w, const char *name, const char *args,
    enum er_tool_status status, const char *text)
{
    char *a = fill(w, args), *t = fill(w, text);
    kit_expect(&w->kit, name, a, status, t);
    free(a);
    free(t);
}

static void expect_in(struct world *w, const char *name, const char *args,
    enum er_tool_status status, const char *part)
{
    char *a = fill(w, args);
    struct kept kept = kit_call(&w->kit, name, a, 0);
    if (kept.status != status || !strstr(kept.text, part))
        fail_msg("%s: %d, %s; expected %s", a, (int)kept.status, kept.text,
            part);
    free(kept.text);
    free(a);
}

static void test_web_http_fetch(void **state)
{
    struct world *w = *state;
    expect(w, "http_fetch", "{\"url\":\"http://127.0.0.1:%P/page\"}",
        ER_TOOL_OK,
        "Title: A page\n\n# Caf\xC3\xA9\n\nGo there[1].\n\nLinks:\n"
        "[1] http://127.0.0.1:%P/b?x=1");
    expect(w, "http_fetch", "{\"url\":\"http://127.0.0.1:%P/json\"}",
        ER_TOOL_OK, "{\"a\":1}");
    expect_in(w, "http_fetch",
        "{\"url\":\"http://127.0.0.1:%P/page\",\"raw\":true}", ER_TOOL_OK,
        "<nav><a href=/>Home</a></nav><h1>Caf\xC3\xA9</h1>");
    expect(w, "http_fetch", "{\"url\":\"http://127.0.0.1:%P/gone\"}",
        ER_TOOL_FAILED,
        "http://127.0.0.1:%P/gone answered with status 404: no such page");
    expect(w, "http_fetch", "{\"url\":\"http://127.0.0.1:%P/image\"}",
        ER_TOOL_FAILED,
        "http://127.0.0.1:%P/image: that is no text but image/png, 4 bytes");
    expect_in(w, "http_fetch", "{\"url\":\"http://127.0.0.1:%P/big\"}",
        ER_TOOL_OK,
        "xxx\n(30000 bytes more: call again with start = 20001)");
    expect_in(w, "http_fetch",
        "{\"url\":\"http://127.0.0.1:%P/big\",\"start\":49999}", ER_TOOL_OK,
        "xx");
    expect(w, "http_fetch",
        "{\"url\":\"http://127.0.0.1:%P/big\",\"start\":50001}",
        ER_TOOL_FAILED, "start 50001 is behind the end: there are 50000 "
        "bytes");
    expect_in(w, "http_fetch", "{\"url\":\"http://127.0.0.1:9/\"}",
        ER_TOOL_FAILED, "may not send requests to");
    expect_in(w, "http_fetch", "{\"url\":\"http://10.0.0.1/\"}",
        ER_TOOL_FAILED, "10.0.0.1 is not public (private); only the user "
        "can open it");
    expect_in(w, "http_fetch", "{\"url\":\"ftp://e.org/\"}", ER_TOOL_FAILED,
        "must begin with https:// or http://");
}

static void one_tool(struct world *w, const char *body)
{
    struct errand_error err = {0};
    kit_tool(&w->kit, "t", "permissions = { net = { '*' } },", body);
    if (er_tools_load_dir(w->kit.tools, w->kit.dir, NULL, &err) !=
        ERRAND_OK)
        fail_msg("%s", err.msg);
}

static void test_web_bytes_and_headers(void **state)
{
    struct world *w = *state;
    one_tool(w,
        "local at = 'http://127.0.0.1:' .. args.port\n"
        "local r = ctx.http.get(at .. '/bytes')\n"
        "local h = ctx.http.get(at .. '/cookies').headers\n"
        "local p = ctx.http.post(at .. '/', '\\xFF\\x80')\n"
        "return { #r.body, r.body:byte(1), r.body:byte(-1), "
        "h['set-cookie'], h.x, p.body:sub(-2) == '\\xFF\\x80', "
        "p.body:find('POST / HTTP/1.1', 1, true) == 1 }");
    expect(w, "t", "{\"port\":%P}", ER_TOOL_OK,
        "[5,255,128,\"a=1, b\\nc=2\",\"\xEF\xBF\xBD\",true,true]");
}

static void test_web_what_can_be_asked(void **state)
{
    struct world *w = *state;
    one_tool(w,
        "args.url = args.url or 'http://127.0.0.1:' .. args.port .. '/'\n"
        "args.port = nil\n"
        "return ctx.http.request(args).body or 'nothing'");
    static const struct {
        const char *args, *says;
    } rows[] = {
        {"{\"url\":5}", "url must be a text"},
        {"{\"port\":1,\"method\":\"TRACE\"}", "method 'TRACE' must be GET"},
        {"{\"port\":1,\"headers\":{\"Host\":\"x\"}}",
            "the header Host is set by errand itself"},
        {"{\"port\":1,\"headers\":{\"transfer-encoding\":\"chunked\"}}",
            "is set by errand itself"},
        {"{\"port\":1,\"headers\":{\"Proxy-Authorization\":\"x\"}}",
            "is set by errand itself"},
        {"{\"port\":1,\"headers\":{\"a\":\"x\\r\\nb: c\"}}",
            "header 'a' must be a name with a text of one line"},
        {"{\"port\":1,\"headers\":{\"a b\":\"x\"}}", "header 'a b' must be"},
        {"{\"port\":1,\"headers\":{\"a:\":\"x\"}}", "header 'a:' must be"},
        {"{\"port\":1,\"headers\":[1]}", "headers must be a table of texts"},
        {"{\"port\":1,\"body\":\"a\",\"json\":1}", "only one of them"},
        {"{\"port\":1,\"timeout_ms\":0}", "timeout_ms must be 1 to 3600000"},
        {"{\"port\":1,\"max_bytes\":9000000}",
            "max_bytes must be 1 to 8388608"},
        {"{\"port\":1,\"redirects\":6}", "redirects must be 0 to 5"},
        {"{\"port\":1,\"reditects\":1}", "reditects is not known"},
        {"{\"port\":1,\"body\":{}}", "body must be a text, not a table"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect_in(w, "t", rows[i].args, ER_TOOL_FAILED, rows[i].says);
    static const char *const methods[] = {
        "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
    for (size_t i = 0; i < 6; i++) {
        char args[100], line[50];
        snprintf(args, sizeof args, "{\"port\":%%P,\"method\":\"%s\"}",
            methods[i]);
        snprintf(line, sizeof line, "%s / HTTP/1.1\r\n", methods[i]);
        expect_in(w, "t", args, ER_TOOL_OK, line);
    }
    expect(w, "t", "{\"port\":%P,\"method\":\"HEAD\"}", ER_TOOL_OK, "");
}

static void test_web_limits(void **state)
{
    struct world *w = *state;
    one_tool(w,
        "return #ctx.http.get('http://127.0.0.1:' .. args.port .. args.path,"
        " { max_bytes = args.max, timeout_ms = args.ms }).body");
    expect(w, "t", "{\"port\":%P,\"path\":\"/big\",\"max\":50000}",
        ER_TOOL_OK, "50000");
    expect_in(w, "t", "{\"port\":%P,\"path\":\"/big\",\"max\":49999}",
        ER_TOOL_FAILED, "is over 49999 bytes; max_bytes can raise that to "
        "8388608");
    expect_in(w, "t", "{\"port\":%P,\"path\":\"/slow\",\"ms\":50}",
        ER_TOOL_FAILED, "gave no whole answer in time");
    expect(w, "t", "{\"port\":%P,\"path\":\"/gzip\",\"max\":300000}",
        ER_TOOL_OK, "300000");
    expect_in(w, "t", "{\"port\":%P,\"path\":\"/gzip\",\"max\":299999}",
        ER_TOOL_FAILED, "is over 299999 bytes"); /* not those that came */
}

/* A call that ends takes its request along. */
static void test_web_a_request_ends_with_its_call(void **state)
{
    struct world *w = *state;
    one_tool(w,
        "return ctx.http.get('http://127.0.0.1:' .. args.port .. '/slow')");
    struct kept kept = {0};
    char *args = fill(w, "{\"port\":%P}");
    er_tool_call *call = kit_start(&w->kit, "t", args, 0, &kept);
    while (atomic_load(&w->peer->requests) == 0)
        er_loop_run(w->kit.loop, 10);
    er_tools_cancel(call);
    kit_wait(&w->kit, &kept);
    assert_int_equal(kept.status, ER_TOOL_CANCELLED);
    free(kept.text);
    free(args);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_web_http_fetch),
        T(test_web_bytes_and_headers),
        T(test_web_what_can_be_asked),
        T(test_web_limits),
        T(test_web_a_request_ends_with_its_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
