/* Exchanges over HTTP: attempts, time limits, what an endpoint does wrong,
 * and what people read about it. The peer is the test's own. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/asking.h"
#include "support/peer.h"

#define SSE "Content-Type: text/event-stream\r\n"
#define JSON "Content-Type: application/json\r\n"
#define HELLO "[{\"role\":\"user\",\"content\":\"ping\"}]"
#define CHUNK(delta, finish)                                               \
    "data: {\"choices\":[{\"index\":0,\"delta\":" delta                    \
    ",\"finish_reason\":" finish "}]}\n\n"
#define PONG_SSE                                                           \
    CHUNK("{\"content\":\"po\"}", "null")                                  \
    CHUNK("{\"content\":\"ng\"}", "\"stop\"") "data: [DONE]\n\n"
#define PONG_JSON                                                          \
    "{\"choices\":[{\"message\":{\"role\":\"assistant\",\"content\":"      \
    "\"pong\"},\"finish_reason\":\"stop\"}],\"usage\":{"                   \
    "\"prompt_tokens\":5,\"completion_tokens\":1}}"

static struct asking a;
static struct peer *p;

/* Ask endpoint "x" at the peer; more are further settings, with a comma in
 * front. */
static void open_with(
    void (*serve)(struct peer *p, int fd), void *arg, const char *more)
{
    char config[1000];
    p = peer_start(serve, arg);
    snprintf(config, sizeof config,
        "{\"x\":{\"base_url\":\"http://127.0.0.1:%d/v1\"%s}}", p->port,
        more ? more : "");
    asking_open(&a, config, NULL, NULL);
    if (!a.models)
        fail_msg("%s", a.error.msg);
    a.stream = true;
}

static void close_all(void)
{
    asking_close(&a);
    peer_stop(p);
}

static void expect_in(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("'%s' is not in: %s", part, text);
}

/* Gives up soon: before the answer and between its pieces, or there only.
 * Whoever wants an answer from this machine allows it the second. */
#define QUICK QUICK_FROM("80")
#define QUICK_THEN QUICK_FROM("60000")
#define QUICK_FROM(first)                                                  \
    ",\"timeouts\":{\"connect_ms\":60000,\"first_byte_ms\":" first         \
    ",\"idle_ms\":80,\"total_ms\":60000},\"retries\":0"

/* ------------------------------------------------- good answers */

struct page {
    const char *status, *headers, *body;
};

static void serve_page(struct peer *peer, int fd)
{
    const struct page *page = peer->arg;
    while (peer_request(peer, fd, NULL, 0))
        peer_answer(fd, page->status, page->headers, page->body);
}

static void expect_pong(const char *headers, const char *body)
{
    struct page page = {"200 OK", headers, body};
    open_with(serve_page, &page, QUICK_THEN);
    assert_true(ask(&a, "x:m", HELLO));
    if (a.error.code)
        fail_msg("%s", a.error.msg);
    assert_string_equal(er_buf_str(&a.text), "pong");
    assert_int_equal(a.finish, ER_FINISH_STOP);
    close_all();
}

static void test_remote_answers_whatever_the_type_says(void **state)
{
    (void)state;
    expect_pong(SSE, PONG_SSE);
    expect_pong(JSON, PONG_JSON); /* though a stream was asked for */
    expect_pong(JSON, PONG_SSE);
    expect_pong(SSE, PONG_JSON);
    expect_pong("", PONG_SSE);
    expect_pong("", PONG_JSON);
    expect_pong("Content-Type: text/html\r\n", PONG_JSON);
    expect_pong("Content-Type: text/event-stream; charset=utf-8\r\n",
        "\xEF\xBB\xBF" PONG_SSE);
}

static void test_remote_request_is_as_it_should_be(void **state)
{
    (void)state;
    struct page page = {"200 OK", JSON, PONG_JSON};
    setenv("TEST_KEY", "sk-test-0123456789", 1);
    open_with(serve_page, &page,
        ",\"api_key_env\":\"TEST_KEY\",\"headers\":{\"X-Team\":\"blue\","
        "\"User-Agent\":\"mine\"},\"session_header\":\"x-user-id\"");
    assert_true(ask(&a, "x:some/model", HELLO));
    assert_int_equal(a.usages, 1);
    assert_int_equal(a.usage.prompt_tokens, 5);
    const char *r = p->last;
    expect_in(r, "POST /v1/chat/completions HTTP/1.1\r\n");
    expect_in(r, "\r\nAuthorization: Bearer sk-test-0123456789\r\n");
    expect_in(r, "\r\nContent-Type: application/json\r\n");
    expect_in(r, "\r\nX-Team: blue\r\n");
    expect_in(r, "\r\nUser-Agent: mine\r\n");
    expect_in(r, "\r\nx-user-id: conversation-1\r\n");
    expect_in(r, "\"model\":\"some/model\"");
    assert_null(strstr(r, "Expect:"));
    assert_null(strstr(r, "User-Agent: errand"));
    unsetenv("TEST_KEY");
    close_all();
}

static void serve_thoughts(struct peer *peer, int fd)
{
    while (peer_request(peer, fd, peer->arg, 20000))
        peer_answer(fd, "200 OK", JSON,
            "{\"choices\":[{\"finish_reason\":\"stop\",\"message\":{"
            "\"content\":\"pong\",\"extra_content\":{\"google\":{"
            "\"thought_signature\":\"sign\"}}}}]}");
}

#define SAID_BY(provider)                                                  \
    "[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\","       \
    "\"content\":\"b\",\"extra\":{\"message\":{\"extra_content\":{"         \
    "\"google\":{\"thought_signature\":\"sign\"}}}" provider                 \
    "}},{\"role\":\"user\",\"content\":\"c\"}]"

/* What a provider wants back goes to it and to nobody else. */
static void test_remote_gives_extra_back_to_its_provider(void **state)
{
    (void)state;
    static char seen[20000];
    static const struct {
        const char *messages;
        bool goes;
    } rows[] = {{SAID_BY(",\"provider\":\"x\""), true},
        {SAID_BY(",\"provider\":\"y\""), false}, {SAID_BY(""), true}};
    for (size_t i = 0; i < 3; i++) {
        open_with(serve_thoughts, seen, NULL);
        assert_true(ask(&a, "x:m", rows[i].messages));
        if (a.error.code)
            fail_msg("%s", a.error.msg);
        expect_in(a.extra, "\"provider\":\"x\"");
        expect_in(a.extra, "thought_signature");
        assert_int_equal(strstr(seen, "thought_signature") != NULL,
            rows[i].goes);
        close_all();
    }
}

/* An empty stream, and then what is asked for without one. */
static void serve_empty_stream(struct peer *peer, int fd)
{
    atomic_int *seen = peer->arg; /* streams, answers without */
    char text[10000];
    while (peer_request(peer, fd, text, sizeof text)) {
        bool stream = strstr(text, "\"stream\":true") != NULL;
        atomic_fetch_add(&seen[stream ? 0 : 1], 1);
        if (stream)
            peer_answer(fd, "200 OK", SSE,
                "data: {\"response\":\"\"}\n\ndata: [DONE]\n\n");
        else
            peer_answer(fd, "200 OK", JSON,
                atomic_load(&seen[2])
                    ? "{\"result\":{\"response\":\"\"},\"success\":true}"
                    : "{\"result\":{\"response\":\"pong\"},"
                      "\"success\":true}");
    }
}

static void test_remote_workers_ai_empty_stream(void **state)
{
    (void)state;
    atomic_int seen[3] = {0};
    for (int still = 0; still <= 1; still++) {
        atomic_store(&seen[0], 0);
        atomic_store(&seen[1], 0);
        atomic_store(&seen[2], still);
        open_with(serve_empty_stream, seen,
            ",\"type\":\"workers-ai\",\"account\":\"acct\"");
        assert_true(ask(&a, "x:@cf/meta/llama-3.2-3b-instruct", HELLO));
        if (a.error.code)
            fail_msg("%s", a.error.msg);
        assert_string_equal(er_buf_str(&a.text), still ? "" : "pong");
        assert_int_equal(a.retries, 1);
        expect_in(a.retry_error.msg, "the stream ended without an answer");
        assert_int_equal(atomic_load(&seen[0]), 1); /* once, whatever comes */
        assert_int_equal(atomic_load(&seen[1]), 1);
        close_all();
    }
    atomic_store(&seen[0], 0); /* other endpoints may have nothing to say */
    open_with(serve_empty_stream, seen, NULL);
    assert_true(ask(&a, "x:m", HELLO));
    assert_int_equal(a.retries, 0);
    assert_int_equal(atomic_load(&seen[0]), 1);
    close_all();
}

static void test_remote_workers_ai_request(void **state)
{
    (void)state;
    struct page page = {"200 OK", JSON,
        "{\"result\":{\"response\":\"pong\"},\"success\":true,"
        "\"errors\":[],\"messages\":[]}"};
    open_with(serve_page, &page,
        ",\"type\":\"workers-ai\",\"account\":\"acct\"");
    a.stream = false;
    assert_true(ask(&a, "x:@cf/meta/llama-3.2-3b-instruct", HELLO));
    assert_string_equal(er_buf_str(&a.text), "pong");
    expect_in(p->last, "POST /v1/accounts/acct/ai/run/"
                       "@cf/meta/llama-3.2-3b-instruct HTTP/1.1\r\n");
    expect_in(p->last, "\r\nx-session-affinity: conversation-1\r\n");
    close_all();
}

static void test_remote_loopback_ignores_proxies(void **state)
{
    (void)state;
    struct page page = {"200 OK", JSON, PONG_JSON};
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("all_proxy", "http://127.0.0.1:1", 1);
    open_with(serve_page, &page, QUICK_THEN);
    assert_true(ask(&a, "x:m", HELLO));
    assert_int_equal(a.error.code, 0);
    unsetenv("http_proxy");
    unsetenv("all_proxy");
    close_all();
}

/* ... and every other address uses them; no_proxy is heeded. */
static void test_remote_other_hosts_use_proxies(void **state)
{
    (void)state;
    struct page page = {"200 OK", JSON, PONG_JSON};
    char proxy[64];
    p = peer_start(serve_page, &page);
    snprintf(proxy, sizeof proxy, "http://127.0.0.1:%d", p->port);
    setenv("http_proxy", proxy, 1);
    asking_open(&a,
        "{\"x\":{\"base_url\":\"http://errand.invalid/v1\",\"retries\":0}}",
        NULL, NULL);
    assert_true(ask(&a, "x:m", HELLO));
    assert_int_equal(a.error.code, 0);
    expect_in(p->last,
        "POST http://errand.invalid/v1/chat/completions HTTP/1.1\r\n");
    setenv("no_proxy", "errand.invalid", 1);
    assert_true(ask(&a, "x:m", HELLO));
    assert_int_equal(a.error.code, ERRAND_NETWORK);
    expect_in(a.error.msg, "is the host's name right");
    unsetenv("http_proxy");
    unsetenv("no_proxy");
    close_all();
}

static void serve_count(struct peer *peer, int fd)
{
    while (peer_request(peer, fd, NULL, 0)) {
        char body[20];
        peer_say(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" SSE
                     "\r\n");
        snprintf(body, sizeof body, "%zx\r\n", sizeof PONG_SSE - 1);
        peer_say(fd, body);
        peer_say(fd, PONG_SSE "\r\n0\r\n\r\n");
    }
}

static void test_remote_streams_share_one_connection(void **state)
{
    (void)state;
    open_with(serve_count, NULL, NULL);
    for (int i = 0; i < 50; i++) {
        assert_true(ask(&a, "x:m", HELLO));
        assert_string_equal(er_buf_str(&a.text), "pong");
    }
    assert_int_equal(atomic_load(&p->connections), 1);
    close_all();
}

/* ------------------------------------------------- attempts */

/* Answer the first requests with one page, then with pong. */
struct turns {
    struct page page;
    int times;
    atomic_int seen;
};

static void serve_turns(struct peer *peer, int fd)
{
    struct turns *t = peer->arg;
    while (peer_request(peer, fd, NULL, 0)) {
        if (atomic_fetch_add(&t->seen, 1) < t->times)
            peer_answer(
                fd, t->page.status, t->page.headers, t->page.body);
        else
            peer_answer(fd, "200 OK", SSE, PONG_SSE);
    }
}

static void expect_retries(const char *status, const char *headers,
    const char *body, int times, int64_t least_ms, int64_t most_ms)
{
    struct turns t = {.page = {status, headers, body}, .times = times};
    open_with(serve_turns, &t, NULL);
    assert_true(ask(&a, "x:m", HELLO));
    if (a.error.code)
        fail_msg("%s", a.error.msg);
    assert_string_equal(er_buf_str(&a.text), "pong");
    assert_int_equal(a.retries, times);
    assert_true(a.took_ms >= least_ms);
    assert_in_range(a.delay_ms, least_ms / times, most_ms);
    close_all();
}

static void expect_no_retry(const char *status, const char *headers,
    const char *body, int code, const char *part)
{
    struct turns t = {.page = {status, headers, body}, .times = 1};
    open_with(serve_turns, &t, NULL);
    assert_true(ask(&a, "x:m", HELLO));
    assert_int_equal(a.retries, 0);
    assert_int_equal(a.error.code, code);
    expect_in(a.error.msg, part);
    assert_int_equal(atomic_load(&t.seen), 1);
    close_all();
}

#define E1 "{\"error\":{\"message\":\"E1\",\"type\":\"t\"}}"

static void test_remote_tries_again_as_asked(void **state)
{
    (void)state;
    const char *soon = JSON "retry-after-ms: 30\r\n";
    expect_retries("429 Too Many Requests", soon, E1, 3, 90, 2000);
    expect_retries("500 Oops", soon, E1, 1, 30, 1000);
    expect_retries("529 Overloaded", soon, "<html>busy</html>", 1, 30, 1000);
    expect_retries("408 Timeout", soon, "", 1, 30, 1000);
    expect_retries("409 Conflict", soon, E1, 1, 30, 1000);
    expect_retries("503 Unavailable", JSON "Retry-After: 0\r\n", E1, 2, 0,
        1000);
    expect_retries("429 Too Many Requests",
        JSON "retry-after-ms: 300\r\nRetry-After: 9\r\n", E1, 1, 300, 2000);
    expect_retries(
        "429 Too Many Requests", JSON "Retry-After: -5\r\n", E1, 1, 375,
        2000); /* its own back-off */
    expect_retries("400 Bad",
        JSON "x-should-retry: true\r\nretry-after-ms: 20\r\n", E1, 1, 20,
        1000);
    /* an error that comes in place of a stream's first token */
    expect_retries("200 OK", SSE "retry-after-ms: 20\r\n",
        "data: {\"error\":{\"message\":\"busy\",\"code\":503}}\n\n", 1, 20,
        1000);
}

static void test_remote_does_not_try_again_in_vain(void **state)
{
    (void)state;
    expect_no_retry("400 Bad Request", JSON, E1, ERRAND_PROVIDER, "E1");
    expect_no_retry("401 Unauthorized", JSON, E1, ERRAND_AUTH,
        "it wants a key: set api_key_env");
    expect_no_retry("403 Forbidden", JSON, E1, ERRAND_AUTH, "E1");
    expect_no_retry("422 No", JSON, E1, ERRAND_PROVIDER, "E1");
    expect_no_retry("503 Unavailable", JSON "x-should-retry: false\r\n", E1,
        ERRAND_PROVIDER, "E1");
    expect_no_retry("429 Too Many Requests", JSON,
        "{\"success\":false,\"errors\":[{\"code\":3036,\"message\":"
        "\"daily\"}],\"result\":null}",
        ERRAND_RATE_LIMIT, "daily");
    expect_no_retry("302 Found", "Location: http://elsewhere/\r\n", "",
        ERRAND_PROVIDER, "redirect");
    expect_no_retry("200 OK", "Content-Type: text/html\r\n",
        "\n<!doctype html><html>Sign in", ERRAND_PROTOCOL,
        "web page; is base_url right?");
}

static void test_remote_gives_up_after_the_attempts_allowed(void **state)
{
    (void)state;
    struct turns t = {
        .page = {"500 Oops", JSON "retry-after-ms: 1\r\n", E1}, .times = 99};
    open_with(serve_turns, &t, ",\"retries\":2");
    assert_true(ask(&a, "x:m", HELLO));
    assert_int_equal(a.retries, 2);
    assert_int_equal(atomic_load(&t.seen), 3);
    assert_int_equal(a.error.code, ERRAND_PROVIDER);
    expect_in(a.error.msg, "x (http://127.0.0.1:");
    expect_in(a.error.msg, "/v1/chat/completions): ");
    expect_in(a.error.msg, "HTTP 500");
    close_all();
}

static void test_remote_does_not_wait_past_its_time(void **state)
{
    (void)state;
    struct turns t = {
        .page = {"429 Busy", JSON "retry-after: 30\r\n", E1}, .times = 99};
    open_with(serve_turns, &t, ",\"timeouts\":{\"total_ms\":2000}");
    assert_true(ask(&a, "x:m", HELLO));
    assert_int_equal(a.retries, 0);
    assert_int_equal(a.error.code, ERRAND_RATE_LIMIT);
    close_all();
}

static void test_remote_refused_connection(void **state)
{
    (void)state;
    int port, fd = peer_bind(&port);
    char config[200];
    snprintf(config, sizeof config,
        "{\"x\":{\"base_url\":\"http://u:pass@127.0.0.1:%d/v1?k=v\","
        "\"retries\":1}}",
        port);
    asking_open(&a, config, NULL, NULL);
    assert_true(ask(&a, "x:m", HELLO));
    assert_int_equal(a.retries, 1);
    assert_int_equal(a.error.code, ERRAND_NETWORK);
    expect_in(a.error.msg, "/v1/chat/completions): cannot connect: "
                           "Connection refused; is the server running?");
    assert_null(strstr(a.error.msg, "pass"));
    assert_null(strstr(a.error.msg, "k=v"));
    asking_close(&a);
    snprintf(config, sizeof config,
        "{\"x\":{\"base_url\":\"http://127.0.0.1:%d/v1\"}}", port);
    asking_open(&a, config, NULL, NULL);
    assert_true(ask(&a, "x:m", HELLO));
    assert_int_equal(a.retries, 2); /* of four: nobody will come there */
    assert_int_equal(a.delay_ms, 400);
    assert_int_equal(a.error.code, ERRAND_NETWORK);
    asking_close(&a);
    close(fd);
}

/* ------------------------------------------------- half an answer */

enum half { STALL, CUT, RESET, TRICKLE };

struct halves {
    const char *bytes;
    enum half then;
};

static void serve_half(struct peer *peer, int fd)
{
    const struct halves *h = peer->arg;
    if (!peer_request(peer, fd, NULL, 0))
        return;
    if (h->bytes)
        peer_say(fd, h->bytes);
    if (h->then == STALL)
        peer_idle(peer, fd, 60000);
    if (h->then == RESET)
        peer_reset(fd);
    while (h->then == TRICKLE && peer_say(fd, ": still here\n"))
        peer_idle(peer, fd, 15);
}

#define BEGUN "HTTP/1.1 200 OK\r\n" SSE "\r\n" CHUNK("{\"content\":\"po\"}", \
    "null")

static void test_remote_half_answers_end_in_one_clear_error(void **state)
{
    (void)state;
    struct halves h = {BEGUN, STALL};
    open_with(serve_half, &h, QUICK_THEN);
    assert_true(ask(&a, "x:m", HELLO));
    assert_string_equal(er_buf_str(&a.text), "po");
    assert_int_equal(a.error.code, ERRAND_TIMEOUT);
    expect_in(a.error.msg, "nothing for 80 ms");
    expect_in(a.error.msg, "; the answer is incomplete");
    close_all();
    h.then = CUT;
    open_with(serve_half, &h, NULL); /* retries are allowed, and useless */
    assert_true(ask(&a, "x:m", HELLO));
    assert_int_equal(a.retries, 0);
    assert_int_equal(a.error.code, ERRAND_PROTOCOL);
    expect_in(a.error.msg, "the answer is incomplete");
    close_all();
    h.then = RESET;
    open_with(serve_half, &h, NULL);
    assert_true(ask(&a, "x:m", HELLO));
    assert_int_equal(a.retries, 0);
    assert_int_not_equal(a.error.code, 0);
    expect_in(a.error.msg, "the answer is incomplete");
    close_all();
}

static void test_remote_silence_is_bounded(void **state)
{
    (void)state;
    struct halves h = {NULL, STALL};
    open_with(serve_half, &h, QUICK);
    assert_true(ask(&a, "x:m", HELLO));
    assert_int_equal(a.error.code, ERRAND_TIMEOUT);
    expect_in(a.error.msg, "no answer within 80 ms");
    close_all();
    h = (struct halves){"HTTP/1.1 200 OK\r\nContent-", STALL};
    open_with(serve_half, &h, QUICK);
    assert_true(ask(&a, "x:m", HELLO));
    assert_int_equal(a.error.code, ERRAND_TIMEOUT);
    close_all();
    /* comments keep a connection alive, and the whole is still bounded */
    h = (struct halves){"HTTP/1.1 200 OK\r\n" SSE "\r\n", TRICKLE};
    open_with(serve_half, &h,
        ",\"timeouts\":{\"idle_ms\":60000,\"total_ms\":300}");
    assert_true(ask(&a, "x:m", HELLO));
    assert_int_equal(a.error.code, ERRAND_TIMEOUT);
    expect_in(a.error.msg, "total_ms");
    assert_true(a.took_ms >= 290);
    close_all();
}

static void test_remote_broken_before_a_token_is_tried_again(void **state)
{
    (void)state;
    static const enum half ways[] = {STALL, CUT, RESET};
    for (size_t i = 0; i < 3; i++) {
        struct halves h = {"HTTP/1.1 200 OK\r\n" SSE "\r\n", ways[i]};
        open_with(serve_half, &h,
            ways[i] == STALL
                ? ",\"retries\":1,\"timeouts\":{\"first_byte_ms\":80}"
                : ",\"retries\":1");
        assert_true(ask(&a, "x:m", HELLO));
        assert_int_equal(a.retries, 1);
        assert_int_not_equal(a.error.code, 0);
        close_all();
    }
}

/* The last word came: what the connection does afterwards does not matter. */
static void test_remote_whole_answers_survive_a_bad_end(void **state)
{
    (void)state;
    static const char *const bytes[] = {
        "HTTP/1.1 200 OK\r\n" SSE "\r\n" PONG_SSE,
        "HTTP/1.1 200 OK\r\n" SSE "Content-Length: 9999\r\n\r\n" PONG_SSE,
        "HTTP/1.1 200 OK\r\n" SSE "Transfer-Encoding: chunked\r\n\r\n"
        "fff\r\n" CHUNK("{\"content\":\"pong\"}", "\"stop\""),
    };
    static const enum half ways[] = {STALL, CUT, RESET};
    for (size_t i = 0; i < 9; i++) {
        struct halves h = {bytes[i / 3], ways[i % 3]};
        open_with(serve_half, &h, QUICK_THEN);
        assert_true(ask(&a, "x:m", HELLO));
        if (a.error.code)
            fail_msg("%zu: %s", i, a.error.msg);
        assert_string_equal(er_buf_str(&a.text), "pong");
        close_all();
    }
}

/* ------------------------------------------------- too much */

static void serve_endless(struct peer *peer, int fd)
{
    if (!peer_request(peer, fd, NULL, 0))
        return;
    peer_say(fd, "HTTP/1.1 200 OK\r\n" SSE "\r\n");
    while (!atomic_load(&peer->stop) &&
           peer_say(fd, CHUNK("{\"content\":\"word word word \"}", "null")))
        ;
}

static void test_remote_endless_text_is_cut(void **state)
{
    (void)state;
    open_with(serve_endless, NULL, ",\"max_bytes\":4000000");
    assert_true(ask(&a, "x:m", HELLO));
    assert_int_equal(a.error.code, ERRAND_TOO_LARGE);
    assert_int_equal(a.retries, 0);
    assert_true(a.text.len > 100000 && a.text.len < 4000000);
    close_all();
}

static void serve_one_endless_event(struct peer *peer, int fd)
{
    static const char many[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    if (!peer_request(peer, fd, NULL, 0))
        return;
    peer_say(fd, "HTTP/1.1 200 OK\r\n" SSE "\r\ndata: {\"x\":\"");
    while (!atomic_load(&peer->stop) && peer_say(fd, many))
        ;
}

static void test_remote_endless_event_is_cut(void **state)
{
    (void)state;
    open_with(serve_one_endless_event, NULL, ",\"max_bytes\":1000000");
    assert_true(ask(&a, "x:m", HELLO));
    assert_int_equal(a.error.code, ERRAND_TOO_LARGE);
    close_all();
}

static void serve_many_calls(struct peer *peer, int fd)
{
    char line[300];
    if (!peer_request(peer, fd, NULL, 0))
        return;
    peer_say(fd, "HTTP/1.1 200 OK\r\n" SSE "\r\n");
    for (int i = 0; i < 10000; i++) {
        snprintf(line, sizeof line,
            CHUNK("{\"tool_calls\":[{\"index\":%d,\"id\":\"c%d\","
                  "\"function\":{\"name\":\"f\",\"arguments\":"
                  "\"{\\\"n\\\":%d}\"}}]}",
                "null"),
            i, i, i);
        peer_say(fd, line);
    }
    peer_say(fd, CHUNK("{}", "\"tool_calls\"") "data: [DONE]\n\n");
}

static void test_remote_ten_thousand_calls(void **state)
{
    (void)state;
    open_with(serve_many_calls, NULL, NULL);
    assert_true(ask(&a, "x:m", HELLO));
    if (a.error.code) /* bounded: refused in words, or all of them */
        expect_in(a.error.msg, "calls");
    else
        assert_int_equal(a.call_count, 10000);
    close_all();
}

/* ------------------------------------------------- secrets */

static void serve_echo_key(struct peer *peer, int fd)
{
    char text[8192], body[1000], status[40];
    while (peer_request(peer, fd, text, sizeof text)) {
        const char *key = strstr(text, "Bearer ") + 7;
        int n = (int)strcspn(key, "\r");
        const char *kind = peer->arg;
        snprintf(status, sizeof status, "%s",
            *kind == 's' ? "200 OK" : kind);
        if (*kind == 's')
            snprintf(body, sizeof body,
                "data: {\"error\":{\"message\":\"bad %.*s\",\"code\":401}}"
                "\n\n", n, key);
        else
            snprintf(body, sizeof body,
                "{\"error\":{\"message\":\"%0*d no such key: %.*s\"}}",
                *kind == '4' ? 1 : 130, 0, n, key);
        peer_answer(fd, status, *kind == 's' ? SSE : JSON, body);
    }
}

static void test_remote_echoed_keys_are_hidden(void **state)
{
    (void)state;
    static char kinds[][20] = {"401 Unauthorized", "500 Oops", "stream"};
    for (size_t i = 0; i < 3; i++) {
        setenv("TEST_KEY", "my-very-own-key-0123456789", 1);
        open_with(serve_echo_key, kinds[i],
            ",\"api_key_env\":\"TEST_KEY\",\"retries\":0");
        assert_true(ask(&a, "x:m", HELLO));
        assert_int_not_equal(a.error.code, 0);
        assert_null(strstr(a.error.msg, "my-v"));
        if (i == 0)
            expect_in(a.error.msg, "is the key in TEST_KEY right?");
        unsetenv("TEST_KEY");
        close_all();
    }
}

/* ------------------------------------------------- cancelling, waiting */

static void serve_slow_words(struct peer *peer, int fd)
{
    if (!peer_request(peer, fd, NULL, 0))
        return;
    peer_say(fd, "HTTP/1.1 200 OK\r\n" SSE "\r\n");
    for (int i = 0; i < 3; i++) {
        peer_say(fd, CHUNK("{\"content\":\"w\"}", "null"));
        peer_idle(peer, fd, 5);
    }
    peer_say(fd, CHUNK("{}", "\"stop\"") "data: [DONE]\n\n");
    peer_idle(peer, fd, 60000);
}

static void test_remote_is_cancelled_at_any_event(void **state)
{
    (void)state;
    for (int at = 1; at <= 4; at++) {
        open_with(serve_slow_words, NULL, NULL);
        a.cancel_at = at;
        assert_int_equal(asking_begin(&a, "x:m", HELLO, NULL), 0);
        asking_end(&a, ASKING_MOST_MS);
        er_loop_run(a.loop, 10);
        assert_int_equal(a.events, at);
        close_all();
    }
    struct turns t = {.page = {"500 Oops", JSON, E1}, .times = 9};
    open_with(serve_turns, &t, NULL);
    a.cancel_at = 1; /* inside the retry event */
    assert_int_equal(asking_begin(&a, "x:m", HELLO, NULL), 0);
    asking_end(&a, ASKING_MOST_MS);
    assert_int_equal(a.retries, 1);
    er_loop_run(a.loop, 10);
    assert_int_equal(a.events, 1);
    close_all();
}

static void test_remote_is_cancelled_from_outside(void **state)
{
    (void)state;
    struct turns t = {.page = {"500 Oops", JSON, E1}, .times = 9};
    open_with(serve_turns, &t, NULL);
    assert_int_equal(asking_begin(&a, "x:m", HELLO, NULL), 0);
    er_model_cancel(a.x); /* before it was sent */
    assert_int_equal(asking_begin(&a, "x:m", HELLO, NULL), 0);
    for (int i = 0; i < 6000 && a.retries == 0; i++)
        er_loop_run(a.loop, 10);
    assert_int_equal(a.retries, 1);
    er_model_cancel(a.x); /* while it waits for the next attempt */
    er_loop_run(a.loop, 20);
    assert_int_equal(a.events, 1);
    assert_int_equal(asking_begin(&a, "x:m", HELLO, NULL), 0);
    close_all(); /* with one under way */
}

static void serve_counting(struct peer *peer, int fd)
{
    atomic_int *now = peer->arg; /* [0] at once, [1] the most */
    while (peer_request(peer, fd, NULL, 0)) {
        int n = atomic_fetch_add(&now[0], 1) + 1;
        if (n > atomic_load(&now[1]))
            atomic_store(&now[1], n);
        peer_idle(peer, fd, 20);
        atomic_fetch_sub(&now[0], 1);
        peer_answer(fd, "200 OK", JSON, PONG_JSON);
    }
}

static void test_remote_keeps_to_the_places_an_endpoint_has(void **state)
{
    (void)state;
    enum { MANY = 9 };
    atomic_int now[2] = {0};
    open_with(serve_counting, now, ",\"max_parallel\":2");
    struct asking each[MANY];
    for (int i = 0; i < MANY; i++) {
        each[i] = (struct asking){.loop = a.loop, .models = a.models};
        assert_int_equal(asking_begin(&each[i], "x:m", HELLO, NULL), 0);
    }
    er_model_cancel(each[0].x); /* one that runs, */
    er_model_cancel(each[4].x); /* one that waits, */
    er_model_cancel(each[8].x); /* and the last */
    for (int i = 0; i < MANY; i++) {
        if (i % 4 != 0) {
            assert_true(asking_end(&each[i], 5000));
            assert_string_equal(er_buf_str(&each[i].text), "pong");
        }
        asking_reset(&each[i]);
    }
    assert_int_equal(atomic_load(&now[1]), 2);
    /* and closing with some that wait */
    for (int i = 0; i < 3; i++)
        assert_int_equal(asking_begin(&each[i], "x:m", HELLO, NULL), 0);
    close_all();
}

/* ------------------------------------------------- names and recordings */

static void test_models_explain_wrong_names(void **state)
{
    (void)state;
    static const struct {
        const char *model, *part;
        int code;
    } rows[] = {
        {"gpt-4", "provider:name", ERRAND_USAGE},
        {"", "no model is named", ERRAND_USAGE},
        {"openai:", "names a provider and no model", ERRAND_USAGE},
        {":m", "has no provider", ERRAND_USAGE},
        {"nobody:m", "no provider 'nobody'; known: local openai workers-ai "
                     "replay mine; others are given a base_url",
            ERRAND_USAGE},
        {"openai:m", "set OPENAI_API_KEY", ERRAND_AUTH},
        {"mine:m", NULL, 0},
        {"ollama:m", NULL, 0},
    };
    unsetenv("OPENAI_API_KEY");
    unsetenv("OPENAI_BASE_URL");
    asking_open(
        &a, "{\"mine\":{\"base_url\":\"http://10.0.0.1/v1\"}}", NULL, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(
            er_models_check(a.models, rows[i].model, &a.error),
            rows[i].code);
        if (rows[i].part)
            expect_in(a.error.msg, rows[i].part);
        if (rows[i].code)
            assert_int_equal(
                asking_begin(&a, rows[i].model, HELLO, NULL), rows[i].code);
    }
    struct er_usage u = {1000, 0, 0, 0};
    assert_int_equal(er_models_cost(a.models, "mine:m", &u), 0);
    asking_close(&a);
    asking_open(&a, "{\"replay\":{}}", NULL, NULL);
    assert_null(a.models);
    expect_in(a.error.msg, "providers.replay");
    asking_close(&a);
    asking_open(&a, "[]", NULL, NULL); /* Lua's empty table */
    assert_non_null(a.models);
    asking_close(&a);
}

static void test_remote_recording_plays_without_the_endpoint(void **state)
{
    (void)state;
    char path[] = "/tmp/errand-record-XXXXXX";
    close(mkstemp(path));
    struct page page = {"200 OK", SSE, PONG_SSE};
    p = peer_start(serve_page, &page);
    char config[200];
    snprintf(config, sizeof config,
        "{\"x\":{\"base_url\":\"http://127.0.0.1:%d/v1\"}}", p->port);
    asking_open(&a, config, NULL, path);
    assert_true(ask(&a, "x:m", HELLO));
    close_all();
    asking_open(&a, NULL, path, NULL);
    assert_true(ask(&a, "x:m", HELLO));
    assert_string_equal(er_buf_str(&a.text), "pong");
    asking_close(&a);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_remote_answers_whatever_the_type_says),
        cmocka_unit_test(test_remote_request_is_as_it_should_be),
        cmocka_unit_test(test_remote_workers_ai_request),
        cmocka_unit_test(test_remote_workers_ai_empty_stream),
        cmocka_unit_test(test_remote_gives_extra_back_to_its_provider),
        cmocka_unit_test(test_remote_loopback_ignores_proxies),
        cmocka_unit_test(test_remote_other_hosts_use_proxies),
        cmocka_unit_test(test_remote_streams_share_one_connection),
        cmocka_unit_test(test_remote_tries_again_as_asked),
        cmocka_unit_test(test_remote_does_not_try_again_in_vain),
        cmocka_unit_test(test_remote_gives_up_after_the_attempts_allowed),
        cmocka_unit_test(test_remote_does_not_wait_past_its_time),
        cmocka_unit_test(test_remote_refused_connection),
        cmocka_unit_test(test_remote_half_answers_end_in_one_clear_error),
        cmocka_unit_test(test_remote_silence_is_bounded),
        cmocka_unit_test(test_remote_broken_before_a_token_is_tried_again),
        cmocka_unit_test(test_remote_whole_answers_survive_a_bad_end),
        cmocka_unit_test(test_remote_endless_text_is_cut),
        cmocka_unit_test(test_remote_endless_event_is_cut),
        cmocka_unit_test(test_remote_ten_thousand_calls),
        cmocka_unit_test(test_remote_echoed_keys_are_hidden),
        cmocka_unit_test(test_remote_is_cancelled_at_any_event),
        cmocka_unit_test(test_remote_is_cancelled_from_outside),
        cmocka_unit_test(test_remote_keeps_to_the_places_an_endpoint_has),
        cmocka_unit_test(test_models_explain_wrong_names),
        cmocka_unit_test(test_remote_recording_plays_without_the_endpoint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
