/* Where a tool must not get to, and where it does: every spelling in
 * tests/cases/ssrf, redirects inward, and a resolver that changes its mind.
 * A witness on every address of this machine sees who came. */
#define _GNU_SOURCE /* strcasestr, accept4 */
#include "support/tool_kit.h"

#include "base/net_pattern.h"
#include "support/peer.h"
#include "tool/address.h"
#include "tool/fetch_parts.h"

#include <arpa/inet.h>
#include <fcntl.h>

struct world {
    struct kit kit;
    struct er_fetch *fetch;
    struct curl_slist *names;
    json_t *opened;
    int v4, v6, port; /* the witness */
    struct peer *peer; /* a server that the user has opened */
};

/* --------------------------------------------------------------- witness */

static int listen_any(int family, int port)
{
    struct sockaddr_in v4 = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct sockaddr_in6 v6 = {
        .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    struct sockaddr *at = family == AF_INET ? (struct sockaddr *)&v4
                                            : (struct sockaddr *)&v6;
    socklen_t len = family == AF_INET ? sizeof v4 : sizeof v6;
    int fd = socket(
        family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){1}, sizeof(int));
    if (bind(fd, at, len) != 0 || listen(fd, 100) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static void open_witness(struct world *w)
{
    struct sockaddr_in at;
    socklen_t len = sizeof at;
    w->v4 = listen_any(AF_INET, 0);
    assert_true(w->v4 >= 0);
    assert_int_equal(getsockname(w->v4, (struct sockaddr *)&at, &len), 0);
    w->port = ntohs(at.sin_port);
    w->v6 = listen_any(AF_INET6, w->port); /* -1: no IPv6 here */
}

static int came(const struct world *w)
{
    int n = 0, fd;
    while ((fd = accept(w->v4, NULL, NULL)) >= 0) {
        close(fd);
        n++;
    }
    while (w->v6 >= 0 && (fd = accept(w->v6, NULL, NULL)) >= 0) {
        close(fd);
        n++;
    }
    return n;
}

/* ----------------------------------------------------------------- world */

/* /to/STATUS/URL redirects; everything else says what came. */
static void serve(struct peer *p, int fd)
{
    static char text[PEER_THREADS][PEER_REQUEST];
    static atomic_int next;
    char *t = text[atomic_fetch_add(&next, 1) % PEER_THREADS];
    while (peer_request(p, fd, t, PEER_REQUEST)) {
        char status[64], head[1800];
        const char *to = strstr(t, " /to/");
        if (to && to < strchr(t, '\r')) {
            int len = (int)strcspn(to + 9, " ");
            snprintf(status, sizeof status, "%.3s Go", to + 5);
            snprintf(head, sizeof head, "Location: %.*s\r\n", len, to + 9);
            peer_answer(fd, status, head, "moved");
        } else if (strstr(t, "/close")) {
            peer_answer(fd, "200 OK", "Connection: close\r\n", t);
            return;
        } else {
            peer_answer(fd, "200 OK", "X-One: 1\r\nX-One: 2\r\n", t);
        }
    }
}

static void name(struct world *w, const char *host, int port, const char *ip)
{
    char text[200];
    snprintf(text, sizeof text, "%s:%d:%s", host, port, ip);
    w->names = curl_slist_append(w->names, text);
    assert_non_null(w->names);
    if (w->fetch)
        w->fetch->settings.resolve = w->names;
}

static void forget(struct world *w, const char *host, int port)
{
    char text[200];
    snprintf(text, sizeof text, "-%s:%d", host, port);
    w->names = curl_slist_append(w->names, text);
    w->fetch->settings.resolve = w->names;
}

static void name_all(struct world *w)
{
    name(w, "inward.test", w->port, "127.0.0.1");
    name(w, "inward.test.", w->port, "127.0.0.1");
    name(w, "inward6.test", w->port, "[::1]");
    name(w, "both.test", w->port, "127.0.0.1,10.0.0.1,[::1]");
    name(w, "meta.test", w->port, "169.254.169.254");
    name(w, "mapped.test", w->port, "[::ffff:127.0.0.1]");
    name(w, "nat64.test", w->port, "[64:ff9b::7f00:1]");
    /* No name server is asked what these odd names might be. */
    static const char *const odd[] = {"256.0.0.1", "-127.0.0.1", "127..1",
        "4294967297", "127.0.0.0x100000001", "127.0.0.1..", "."};
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
        name(w, odd[i], w->port, "127.0.0.1");
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct errand_error err = {0};
    char entry[64];
    curl_global_init(CURL_GLOBAL_DEFAULT);
    kit_open(&w->kit, NULL, 1);
    open_witness(w);
    name_all(w);
    w->peer = peer_start(serve, w);
    snprintf(entry, sizeof entry, "127.0.0.1:%d", w->peer->port);
    w->opened = json_pack("[s]", entry);
    struct er_fetch_settings settings = {
        .private_hosts = w->opened, .resolve = w->names};
    w->fetch = er_fetch_new(w->kit.loop, &settings, &err);
    assert_non_null(w->fetch);
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
    kit_close(&w->kit);
    peer_stop(w->peer);
    close(w->v4);
    if (w->v6 >= 0)
        close(w->v6);
    curl_slist_free_all(w->names);
    json_decref(w->opened);
    curl_global_cleanup();
    free(w);
    return 0;
}

static const char everywhere[] = "permissions = { net = { '*' } },";

static const char fetching[] =
    "local r = ctx.http.request(args)\n"
    "return { status = r.status, body = r.body, url = r.url, "
    "headers = r.headers }";

static void tool(struct world *w, const char *extra)
{
    kit_tool(&w->kit, "t", extra, fetching);
    kit_load(&w->kit);
}

/* What the tool is told when it asks with these JSON arguments. */
static struct kept ask(struct world *w, const char *args)
{
    return kit_call(&w->kit, "t", args, 20000);
}

static struct kept ask_url(struct world *w, const char *url)
{
    struct er_buf args;
    er_buf_init(&args, 100000);
    er_buf_adds(&args, "{\"url\":");
    er_json_add_string(&args, url, strlen(url));
    er_buf_adds(&args, ",\"timeout_ms\":10000}");
    struct kept kept = ask(w, er_buf_str(&args));
    er_buf_release(&args);
    return kept;
}

/* url, with %W and %P as ports, into out. */
static const char *fill(
    const struct world *w, const char *url, char *out, size_t size)
{
    size_t n = 0;
    for (; *url && n + 8 < size; url++) {
        if (url[0] == '%' && (url[1] == 'W' || url[1] == 'P'))
            n += (size_t)snprintf(out + n, size - n, "%d",
                *++url == 'W' ? w->port : w->peer->port);
        else
            out[n++] = *url;
    }
    out[n] = '\0';
    return out;
}

static void refused(struct world *w, const char *url, const char *says)
{
    char filled[10000];
    fill(w, url, filled, sizeof filled);
    struct kept kept = ask_url(w, filled);
    if (kept.status != ER_TOOL_FAILED || !strstr(kept.text, says))
        fail_msg("%s: status %d, told: %s; expected: %s", filled,
            (int)kept.status, kept.text, says);
    if (came(w) != 0)
        fail_msg("%s: reached the witness; told: %s", filled, kept.text);
    free(kept.text);
}

/* Asks and gives the answer, an object; the caller drops it. */
static json_t *answered(struct world *w, const char *args)
{
    char filled[10000];
    struct kept kept = ask(w, fill(w, args, filled, sizeof filled));
    if (kept.status != ER_TOOL_OK)
        fail_msg("%s: status %d, told: %s", filled, (int)kept.status,
            kept.text);
    json_t *v = er_json_parse(kept.text, kept.len, ER_JSON_STRICT, NULL);
    assert_true(json_is_object(v));
    free(kept.text);
    return v;
}

/* ----------------------------------------------------------------- tests */

static void test_ssrf_no_url_of_the_table_gets_through(void **state)
{
    struct world *w = *state;
    char line[4000];
    int n = 0;
    FILE *f = fopen("tests/cases/ssrf/urls.jsonl", "r");
    assert_non_null(f);
    tool(w, everywhere);
    while (fgets(line, sizeof line, f)) {
        json_t *one =
            er_json_parse(line, strlen(line), ER_JSON_STRICT, NULL);
        assert_non_null(one);
        refused(w, er_json_str(one, "url"), er_json_str(one, "says"));
        json_decref(one);
        n++;
    }
    fclose(f);
    assert_true(n >= 80);
    print_message("# %d urls, none reached the witness\n", n);
}

static void test_ssrf_what_is_allowed_works(void **state)
{
    static const char *const urls[] = {"http://127.0.0.1:%P/hello",
        "HTTP://127.0.0.1:%P/hello", "http://2130706433:%P/hello",
        "http://0x7f.1:%P/hello", "http://127.0.0.1:%P/a/../hello#frag",
        "http://127.0.0.1:%P/to/302//hello",
        "http://127.0.0.1:%P/to/307/../../hello",
        "http://127.0.0.1:%P/to/301/http://127.0.0.1:%P/hello"};
    struct world *w = *state;
    char args[1000];
    tool(w, everywhere);
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        snprintf(args, sizeof args, "{\"url\":\"%s\"}", urls[i]);
        json_t *v = answered(w, args);
        assert_int_equal(er_json_int(v, "status", 0), 200);
        assert_non_null(strstr(er_json_str(v, "body"), "hello"));
        assert_string_equal(
            er_json_str(json_object_get(v, "headers"), "x-one"), "1, 2");
        json_decref(v);
    }
    assert_int_equal(came(w), 0);
}

static void test_ssrf_redirects_do_not_lead_inward(void **state)
{
    static const char *const codes[] = {"301", "302", "303", "307", "308"};
    static const char *const to[] = {"http://127.0.0.1:%W/",
        "http://localhost:%W/", "//127.0.0.1:%W/", "http://[::1]:%W/",
        "http://0:%W/", "http://inward.test:%W/",
        "http://[::ffff:127.0.0.1]:%W/"};
    struct world *w = *state;
    char url[300];
    tool(w, everywhere);
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        for (size_t k = 0; k < sizeof to / sizeof to[0]; k++) {
            snprintf(url, sizeof url, "http://127.0.0.1:%%P/to/%s/%s",
                codes[i], to[k]);
            refused(w, url, "not public (");
        }
    }
    refused(w, "http://127.0.0.1:%P/to/302/file:///etc/passwd",
        "redirected: the url must begin with https:// or http://");
    refused(w, "http://127.0.0.1:%P/to/302/gopher://127.0.0.1:%W/_x",
        "must begin with https:// or http://");
    refused(w, "http://127.0.0.1:%P/to/302/http://u:p@127.0.0.1:%W/",
        "a user or a password");
    refused(w, "http://127.0.0.1:%P/to/302/http://example.com:22/",
        "may not send requests to http://example.com:22");
    refused(w,
        "http://127.0.0.1:%P/to/302/http://127.0.0.1:%P/to/302/"
        "http://127.0.0.1:%W/",
        "not public (loopback)");
    refused(w, "http://127.0.0.1:%P/to/302/http://",
        "redirected to something that is no url");
}

static void test_ssrf_redirects_have_an_end(void **state)
{
    struct world *w = *state;
    char url[3000] = "/end";
    tool(w, everywhere);
    for (int i = 0; i < 6; i++) {
        char longer[3000];
        snprintf(longer, sizeof longer, "/to/302/%.2900s", url);
        memcpy(url, longer, sizeof url);
    }
    char full[3100];
    snprintf(full, sizeof full, "http://127.0.0.1:%%P%s", url);
    refused(w, full, "redirected too often");
    int before = atomic_load(&w->peer->requests);
    assert_int_equal(before, 6);
    json_t *v = answered(w,
        "{\"url\":\"http://127.0.0.1:%P/to/302/http://127.0.0.1:%W/\","
        "\"redirects\":0}");
    assert_int_equal(er_json_int(v, "status", 0), 302);
    json_decref(v);
    assert_int_equal(came(w), 0);
}

/* The name is public when it is first asked for and private the next time:
 * here 127.0.0.2 plays the public address. */
static const char *pretend(const struct sockaddr *to)
{
    struct sockaddr_in v4;
    memcpy(&v4, to, sizeof v4);
    if (to->sa_family == AF_INET &&
        ntohl(v4.sin_addr.s_addr) == 0x7f000002)
        return NULL;
    return er_address_why(to);
}

static void serve_close(struct peer *p, int fd)
{
    char text[4000];
    if (peer_request(p, fd, text, sizeof text))
        peer_answer(fd, "200 OK", "Connection: close\r\n", "public");
}

static void test_ssrf_a_resolver_that_changes_its_mind(void **state)
{
    struct world *w = *state;
    struct peer p = {.serve = serve_close};
    struct sockaddr_in at = {.sin_family = AF_INET,
        .sin_port = 0,
        .sin_addr.s_addr = htonl(0x7f000002)};
    socklen_t len = sizeof at;
    int inner = -1;
    pthread_mutex_init(&p.lock, NULL);
    p.listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(p.listen_fd, (struct sockaddr *)&at, len), 0);
    assert_int_equal(listen(p.listen_fd, 100), 0);
    assert_int_equal(
        getsockname(p.listen_fd, (struct sockaddr *)&at, &len), 0);
    p.port = ntohs(at.sin_port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    inner = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(inner, (struct sockaddr *)&at, len), 0);
    assert_int_equal(listen(inner, 100), 0);
    assert_int_equal(
        pthread_create(&p.acceptor, NULL, peer_accept_main, &p), 0);
    w->fetch->settings.why = pretend;
    tool(w, everywhere);

    char url[100];
    snprintf(url, sizeof url, "http://rebind.test:%d/", p.port);
    for (int i = 0; i < 5; i++) {
        name(w, "rebind.test", p.port, "127.0.0.2");
        struct kept kept = ask_url(w, url);
        assert_int_equal(kept.status, ER_TOOL_OK);
        assert_non_null(strstr(kept.text, "public"));
        free(kept.text);
        forget(w, "rebind.test", p.port);
        name(w, "rebind.test", p.port, "127.0.0.1");
        refused(w, url, "rebind.test leads to an address that is not public "
                        "(loopback)");
        forget(w, "rebind.test", p.port);
    }
    /* Both at once: the private one is passed over. */
    name(w, "rebind.test", p.port, "127.0.0.1,127.0.0.2");
    struct kept kept = ask_url(w, url);
    assert_int_equal(kept.status, ER_TOOL_OK);
    free(kept.text);
    assert_true(accept(inner, NULL, NULL) < 0); /* nobody ever came */
    assert_int_equal(atomic_load(&p.requests), 6);
    close(inner);
    atomic_store(&p.stop, true);
    pthread_join(p.acceptor, NULL);
    for (int i = 0; i < p.thread_count; i++)
        pthread_join(p.threads[i], NULL);
    close(p.listen_fd);
}

/* A connection that is kept open is looked at again before it is used. */
static void test_ssrf_a_kept_connection_is_no_way_around(void **state)
{
    struct world *w = *state;
    char entry[64], url[100];
    name(w, "kept.test", w->peer->port, "127.0.0.1");
    snprintf(entry, sizeof entry, "kept.test:%d", w->peer->port);
    snprintf(url, sizeof url, "http://kept.test:%d/x", w->peer->port);
    json_t *opened = json_pack("[s]", entry);
    w->fetch->settings.private_hosts = opened;
    tool(w, everywhere);
    struct kept kept = ask_url(w, url);
    assert_int_equal(kept.status, ER_TOOL_OK);
    free(kept.text);
    kept = ask_url(w, url);
    free(kept.text);
    assert_int_equal(atomic_load(&w->peer->requests), 2);
    assert_int_equal(atomic_load(&w->peer->connections), 1);
    w->fetch->settings.private_hosts = NULL;
    refused(w, url, "kept.test leads to an address that is not public");
    assert_int_equal(atomic_load(&w->peer->requests), 2);
    json_decref(opened);
}

/* Only the user's own word opens a private address; a tool's does not. */
static void test_ssrf_a_tool_cannot_open_anything_itself(void **state)
{
    struct world *w = *state;
    char extra[200];
    snprintf(extra, sizeof extra, "permissions = { net = { "
        "'http://127.0.0.1:%d', 'http://localhost:%d' } },", w->port,
        w->port);
    tool(w, extra);
    refused(w, "http://127.0.0.1:%W/", "only the user can open it, in "
        "errand.lua: http = { private = { \"127.0.0.1:");
    refused(w, "http://localhost:%W/", "only the user can open it");
    refused(w, "http://127.0.0.1:%P/", "t may not send requests to "
        "http://127.0.0.1:");
    refused(w, "https://example.com/", "declare permissions = { net = { "
        "\"https://example.com\" } }");
}

/* What belongs to one origin does not go to another. */
static void test_ssrf_headers_stay_with_their_origin(void **state)
{
    struct world *w = *state;
    char entry[64];
    name(w, "other.test", w->peer->port, "127.0.0.1");
    snprintf(entry, sizeof entry, "other.test:%d", w->peer->port);
    json_array_append_new(w->opened, json_string(entry));
    tool(w, everywhere);
    json_t *v = answered(w,
        "{\"url\":\"http://127.0.0.1:%P/to/307//x\",\"headers\":"
        "{\"authorization\":\"Bearer 1\",\"cookie\":\"a=b\",\"x-mine\":"
        "\"m\"},\"body\":\"the body\",\"method\":\"post\"}");
    const char *body = er_json_str(v, "body");
    assert_non_null(strstr(body, "POST /x HTTP/1.1"));
    assert_non_null(strstr(body, "authorization: Bearer 1"));
    assert_non_null(strstr(body, "the body"));
    json_decref(v);
    v = answered(w,
        "{\"url\":\"http://127.0.0.1:%P/to/307/http://other.test:%P/x\","
        "\"headers\":{\"authorization\":\"Bearer 1\",\"cookie\":\"a=b\","
        "\"x-mine\":\"m\"},\"json\":{\"a\":[]}}");
    body = er_json_str(v, "body");
    assert_non_null(strstr(body, "POST /x HTTP/1.1"));
    assert_null(strcasestr(body, "authorization"));
    assert_null(strcasestr(body, "cookie"));
    assert_null(strcasestr(body, "x-mine"));
    assert_non_null(strstr(body, "Content-Type: application/json"));
    assert_non_null(strstr(body, "{\"a\":[]}"));
    json_decref(v);
    v = answered(w, /* and not when it comes back either */
        "{\"url\":\"http://127.0.0.1:%P/to/302/http://other.test:%P/to/302/"
        "http://127.0.0.1:%P/x\",\"headers\":{\"x-mine\":\"m\"},"
        "\"body\":\"b\"}");
    body = er_json_str(v, "body");
    assert_non_null(strstr(body, "GET /x HTTP/1.1"));
    assert_null(strcasestr(body, "x-mine"));
    assert_null(strcasestr(body, "content-length"));
    json_decref(v);
}

static void test_ssrf_no_proxy_no_netrc_no_cookies(void **state)
{
    struct world *w = *state;
    char proxy[100], netrc[200];
    snprintf(proxy, sizeof proxy, "http://127.0.0.1:%d", w->port);
    setenv("http_proxy", proxy, 1);
    setenv("https_proxy", proxy, 1);
    setenv("ALL_PROXY", proxy, 1);
    kit_file(&w->kit, ".netrc", "machine 127.0.0.1 login me password p\n");
    snprintf(netrc, sizeof netrc, "%s", w->kit.dir);
    char *home = er_strdup(getenv("HOME"));
    setenv("HOME", netrc, 1);
    tool(w, everywhere);
    json_t *v = answered(w, "{\"url\":\"http://127.0.0.1:%P/x\"}");
    assert_null(strcasestr(er_json_str(v, "body"), "authorization"));
    json_decref(v);
    assert_int_equal(came(w), 0);
    unsetenv("http_proxy");
    unsetenv("https_proxy");
    unsetenv("ALL_PROXY");
    if (home)
        setenv("HOME", home, 1);
    free(home);
}

/* ------------------------------------------------------- pure functions */

static void test_ssrf_public_addresses_are_public(void **state)
{
    static const char *const public[] = {"1.1.1.1", "8.8.8.8", "9.9.9.9",
        "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
        "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255",
        "172.32.0.0", "192.0.1.0", "192.167.255.255", "192.169.0.0",
        "198.17.255.255", "198.20.0.0", "223.255.255.255",
        "2606:4700:4700::1111", "2001:4860:4860::8888", "2a00::1",
        "[2606:4700::1]", "64:ff9b::808:808", "2002:808:808::1",
        "2001:0:808:808:0:0:f7f7:f7f7", "2001:200::1", NULL};
    (void)state;
    for (size_t i = 0; public[i]; i++)
        if (er_address_why_text(public[i]))
            fail_msg("%s: %s", public[i], er_address_why_text(public[i]));
    assert_null(er_address_why_text("example.com"));
    struct sockaddr_storage odd = {.ss_family = AF_UNIX};
    assert_non_null(er_address_why((struct sockaddr *)&odd));
}

static void test_ssrf_patterns(void **state)
{
    static const struct {
        const char *pattern;
        bool tls;
        const char *host;
        int port;
        bool fits;
    } rows[] = {
        {"example.com", true, "example.com", 443, true},
        {"EXAMPLE.com.", true, "example.com", 443, true},
        {"example.com", false, "example.com", 80, false},
        {"example.com", true, "example.com", 8443, false},
        {"example.com", true, "a.example.com", 443, false},
        {"example.com:8443", true, "example.com", 8443, true},
        {"example.com:8443", false, "example.com", 8443, false},
        {"http://example.com", false, "example.com", 80, true},
        {"http://example.com", true, "example.com", 443, false},
        {"https://example.com:9", true, "example.com", 9, true},
        {"*.example.com", true, "a.example.com", 443, true},
        {"*.example.com", true, "a.b.example.com", 443, true},
        {"*.example.com", true, "example.com", 443, false},
        {"*.example.com", true, "badexample.com", 443, false},
        {"*.example.com", true, ".example.com", 443, false},
        {"http://*.example.com:81", false, "a.example.com", 81, true},
        {"[2001:db8::1]:8443", true, "[2001:db8::1]", 8443, true},
        {"*", true, "example.com", 443, true},
        {"*", false, "example.com", 80, true},
        {"*", false, "example.com", 443, false},
        {"*", true, "example.com", 1024, true},
        {"*", true, "example.com", 1023, false},
        {"", true, "example.com", 443, false},
        {"*.", true, "a.", 443, false},
        {"*:443", true, "example.com", 443, false},
        {"ftp://example.com", true, "example.com", 443, false},
        {"example.com/", true, "example.com", 443, false},
        {"user@example.com", true, "example.com", 443, false},
        {"example.com:", true, "example.com", 443, false},
        {"example.com:0", true, "example.com", 0, false},
        {"example.com:65536", true, "example.com", 65536, false},
        {"example.com:443x", true, "example.com", 443, false},
        {"exa mple.com", true, "exa mple.com", 443, false},
        {"a..b", true, "a..b", 443, false},
        {"[::1", true, "[::1", 443, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct er_origin o = {.tls = rows[i].tls, .port = rows[i].port};
        snprintf(o.host, sizeof o.host, "%s", rows[i].host);
        if (er_net_pattern_fits(rows[i].pattern, &o) != rows[i].fits)
            fail_msg("pattern %s, host %s:%d", rows[i].pattern, o.host,
                o.port);
    }
    struct er_origin o = {.tls = false, .host = "127.0.0.1", .port = 8080};
    assert_true(er_net_names("127.0.0.1:8080", &o));
    assert_false(er_net_names("127.0.0.1", &o));
    assert_false(er_net_names("127.0.0.1:80", &o));
    assert_false(er_net_names("*", &o));
    assert_false(er_net_names("*.0.0.1:8080", &o));
    assert_false(er_net_names("http://127.0.0.1:8080", &o));
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ssrf_public_addresses_are_public),
        cmocka_unit_test(test_ssrf_patterns),
        T(test_ssrf_no_url_of_the_table_gets_through),
        T(test_ssrf_what_is_allowed_works),
        T(test_ssrf_redirects_do_not_lead_inward),
        T(test_ssrf_redirects_have_an_end),
        T(test_ssrf_a_resolver_that_changes_its_mind),
        T(test_ssrf_a_kept_connection_is_no_way_around),
        T(test_ssrf_a_tool_cannot_open_anything_itself),
        T(test_ssrf_headers_stay_with_their_origin),
        T(test_ssrf_no_proxy_no_netrc_no_cookies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
