/* The transport: connections, time limits, sizes, and being cancelled or
 * given new work at any moment. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/http.h"
#include "support/peer.h"

#include <dirent.h>
#include <sys/resource.h>

static struct er_loop *loop;
static er_http *http;

struct call {
    er_http_call *c;
    struct er_buf text;
    int bodies, dones, code;
    bool early, retriable;
    long status;
    char msg[232];
    /* what the callbacks do */
    bool close_in_body, enough_in_body, chain_in_body, close_when_done;
    int again; /* times to send it again when done */
    struct call *other;
    int port;
};

static void start(struct call *t, int port, const char *path);

static void on_body(void *ctx, const char *bytes, size_t len)
{
    struct call *t = ctx;
    t->bodies++;
    er_buf_add(&t->text, bytes, len);
    if (t->enough_in_body)
        er_http_enough(t->c);
    if (t->chain_in_body && t->other && !t->other->c)
        start(t->other, t->port, "/chained");
    if (t->close_in_body) {
        er_http_close(t->c);
        t->c = NULL;
    }
}

static void on_done(void *ctx, const struct er_http_result *r)
{
    struct call *t = ctx;
    t->dones++;
    t->code = r->code;
    t->early = r->early;
    t->retriable = r->retriable;
    t->status = er_http_status(t->c);
    if (r->code)
        snprintf(t->msg, sizeof t->msg, "%s", r->error->msg);
    if (t->again > 0) {
        t->again--;
        assert_int_equal(er_http_again(t->c, NULL, 5000, NULL), 0);
        return;
    }
    if (t->close_when_done) {
        er_http_close(t->c);
        t->c = NULL;
    }
    er_loop_stop(loop);
}

/* Where time does not matter: busy machines are slow. */
enum { MOST_MS = 60000 };

static struct er_http_timeouts limits;
static size_t max_bytes = 1 << 20;

static void start(struct call *t, int port, const char *path)
{
    char url[100];
    struct errand_error err = {0};
    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", port, path);
    t->port = port;
    er_buf_init(&t->text, 64 << 20);
    struct er_http_request req = {.url = url,
        .timeouts = limits,
        .max_bytes = max_bytes,
        .direct = true,
        .on_body = on_body,
        .on_done = on_done,
        .ctx = t};
    er_buf_init(&req.body, 1 << 20);
    er_buf_adds(&req.body, "{\"hello\":1}");
    t->c = er_http_start(http, &req, &err);
    if (!t->c)
        fail_msg("%s", err.msg);
}

static void finish(struct call *t)
{
    er_http_close(t->c);
    t->c = NULL;
    er_buf_release(&t->text);
}

static int set_up(void **state)
{
    (void)state;
    struct errand_error err = {0};
    limits = (struct er_http_timeouts){MOST_MS, MOST_MS, MOST_MS, MOST_MS};
    max_bytes = 1 << 20;
    loop = er_loop_new(&err);
    http = er_http_new(loop, &err);
    return loop && http ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    er_http_free(http);
    er_loop_free(loop);
    return 0;
}

static void serve_keep_alive(struct peer *p, int fd)
{
    char text[4096];
    while (peer_request(p, fd, text, sizeof text))
        peer_answer(fd, "200 OK", "X-One: a b \r\n", "pong");
}

static void test_http_answer_and_its_headers(void **state)
{
    (void)state;
    struct peer *p = peer_start(serve_keep_alive, NULL);
    struct call t = {0};
    start(&t, p->port, "/x?y=1");
    assert_int_equal(t.dones, 0); /* nothing from inside the start */
    assert_true(er_loop_run(loop, MOST_MS));
    assert_int_equal(t.code, 0);
    assert_int_equal(t.status, 200);
    assert_string_equal(er_buf_str(&t.text), "pong");
    assert_string_equal(er_http_header(t.c, "x-one"), "a b");
    assert_null(er_http_header(t.c, "x-two"));
    assert_non_null(strstr(p->last, "POST /x?y=1 HTTP/1.1\r\n"));
    assert_non_null(strstr(p->last, "\r\n\r\n{\"hello\":1}"));
    assert_non_null(strstr(p->last, "Accept-Encoding: "));
    finish(&t);
    peer_stop(p);
}

static void test_http_connection_is_used_again(void **state)
{
    (void)state;
    struct peer *p = peer_start(serve_keep_alive, NULL);
    for (int i = 0; i < 20; i++) {
        struct call t = {.again = 4};
        start(&t, p->port, "/");
        assert_true(er_loop_run(loop, MOST_MS));
        assert_int_equal(t.code, 0);
        assert_int_equal(t.dones, 5);
        finish(&t);
    }
    assert_int_equal(atomic_load(&p->connections), 1);
    assert_int_equal(atomic_load(&p->requests), 100);
    peer_stop(p);
}

static void serve_once_then_close(struct peer *p, int fd)
{
    if (peer_request(p, fd, NULL, 0))
        peer_answer(fd, "200 OK", "", "pong");
}

/* The server closes idle connections, promising to keep them. */
static void test_http_closed_idle_connections_do_no_harm(void **state)
{
    (void)state;
    struct peer *p = peer_start(serve_once_then_close, NULL);
    for (int i = 0; i < 10; i++) {
        struct call t = {0};
        start(&t, p->port, "/");
        assert_true(er_loop_run(loop, MOST_MS));
        assert_int_equal(t.code, 0);
        finish(&t);
        if (i % 2)
            er_loop_run(loop, 5);
    }
    peer_stop(p);
}

static void test_http_refused_connection_says_what_to_do(void **state)
{
    (void)state;
    int port, fd = peer_bind(&port);
    struct call t = {0};
    start(&t, port, "/");
    assert_true(er_loop_run(loop, MOST_MS));
    assert_int_equal(t.code, ERRAND_NETWORK);
    assert_true(t.retriable);
    assert_string_equal(t.msg,
        "cannot connect: Connection refused; is the server running?");
    finish(&t);
    close(fd);
}

static void serve_reset(struct peer *p, int fd)
{
    peer_request(p, fd, NULL, 0);
    peer_reset(fd);
}

static void test_http_reset_connection_is_retriable(void **state)
{
    (void)state;
    struct peer *p = peer_start(serve_reset, NULL);
    struct call t = {0};
    start(&t, p->port, "/");
    assert_true(er_loop_run(loop, MOST_MS));
    assert_int_equal(t.code, ERRAND_NETWORK);
    assert_true(t.retriable);
    finish(&t);
    peer_stop(p);
}

static void serve_nothing(struct peer *p, int fd)
{
    peer_request(p, fd, NULL, 0);
    peer_idle(p, fd, 60000);
}

static void serve_headers_only(struct peer *p, int fd)
{
    peer_request(p, fd, NULL, 0);
    peer_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
    peer_idle(p, fd, 60000);
}

static void serve_half(struct peer *p, int fd)
{
    peer_request(p, fd, NULL, 0);
    peer_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345");
    peer_idle(p, fd, 60000);
}

static void serve_trickle(struct peer *p, int fd)
{
    peer_request(p, fd, NULL, 0);
    peer_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n");
    while (peer_say(fd, "x") && peer_idle(p, fd, 20))
        ;
}

static void expect_timeout(void (*serve)(struct peer *, int),
    const char *part, int64_t least, bool retriable)
{
    struct peer *p = peer_start(serve, NULL);
    struct call t = {0};
    start(&t, p->port, "/");
    int64_t began = er_mono_ms();
    assert_true(er_loop_run(loop, MOST_MS));
    int64_t took = er_mono_ms() - began;
    assert_int_equal(t.code, ERRAND_TIMEOUT);
    if (!strstr(t.msg, part))
        fail_msg("'%s' is not in: %s", part, t.msg);
    assert_true(took >= least);
    assert_int_equal(t.retriable, retriable);
    finish(&t);
    peer_stop(p);
}

static void test_http_each_time_limit_holds(void **state)
{
    (void)state;
    limits = (struct er_http_timeouts){MOST_MS, 60, MOST_MS, MOST_MS};
    expect_timeout(serve_nothing, "no answer within 60 ms", 60, true);
    expect_timeout(
        serve_headers_only, "no answer within 60 ms", 60, true);
    limits = (struct er_http_timeouts){MOST_MS, MOST_MS, 60, MOST_MS};
    expect_timeout(serve_half, "nothing for 60 ms", 60, true);
    limits = (struct er_http_timeouts){MOST_MS, MOST_MS, MOST_MS, 100};
    expect_timeout(serve_nothing, "total_ms", 100, false);
    expect_timeout(serve_trickle, "total_ms", 100, false);
}

static void serve_endless(struct peer *p, int fd)
{
    static char block[65536];
    memset(block, 'x', sizeof block);
    peer_request(p, fd, NULL, 0);
    peer_say(fd, "HTTP/1.1 200 OK\r\n\r\n");
    while (peer_send(fd, block, sizeof block))
        ;
}

static void serve_endless_headers(struct peer *p, int fd)
{
    peer_request(p, fd, NULL, 0);
    peer_say(fd, "HTTP/1.1 200 OK\r\n");
    while (peer_say(fd, "X-More: and more and more and more and more\r\n"))
        ;
}

static void test_http_size_of_an_answer_is_bounded(void **state)
{
    (void)state;
    void (*const serve[])(struct peer *, int) = {
        serve_endless, serve_endless_headers};
    for (int i = 0; i < 2; i++) {
        struct peer *p = peer_start(serve[i], NULL);
        struct call t = {0};
        start(&t, p->port, "/");
        assert_true(er_loop_run(loop, MOST_MS));
        assert_true(t.code != 0);
        if (i == 0) {
            assert_int_equal(t.code, ERRAND_TOO_LARGE);
            assert_true(t.text.len <= 1 << 20);
        }
        finish(&t);
        peer_stop(p);
    }
}

static void serve_bomb(struct peer *p, int fd)
{
    peer_request(p, fd, NULL, 0);
    peer_say(fd, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n");
    peer_send(fd, p->answer, p->answer_len);
}

/* gzip of zeros: stored as fixed-Huffman runs of 258, one byte for about a
 * hundred; made by hand so that the test needs no compressor. */
static size_t make_bomb(unsigned char *out, size_t runs)
{
    static const unsigned char head[] = {
        0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3};
    uint64_t bits = 0;
    int n = 0;
    size_t len = sizeof head;
    memcpy(out, head, len);
#define PUT(value, count)                                                 \
    do {                                                                  \
        bits |= (uint64_t)(value) << n;                                   \
        n += (count);                                                     \
        while (n >= 8) {                                                  \
            out[len++] = (unsigned char)bits;                             \
            bits >>= 8;                                                   \
            n -= 8;                                                       \
        }                                                                 \
    } while (0)
    PUT(1, 1);                     /* last block */
    PUT(1, 2);                     /* fixed codes */
    PUT(0x0c, 8);                  /* literal 0: 00110000, reversed */
    for (size_t i = 0; i < runs; i++) {
        PUT(0xa3, 8);              /* length 258: 11000101, reversed */
        PUT(0, 5);                 /* distance 1 */
    }
#undef PUT
    return len;
}

static void test_http_size_counts_what_was_unpacked(void **state)
{
    (void)state;
    unsigned char *bomb = malloc(200000);
    size_t len = make_bomb(bomb, 100000); /* 25 MB out of 160 KB */
    struct peer *p = peer_start(serve_bomb, NULL);
    p->answer = (const char *)bomb;
    p->answer_len = len;
    struct call t = {0};
    start(&t, p->port, "/");
    assert_true(er_loop_run(loop, MOST_MS));
    assert_int_equal(t.code, ERRAND_TOO_LARGE);
    assert_true(t.text.len > 0 && t.text.len <= 1 << 20);
    finish(&t);
    peer_stop(p);
    free(bomb);
}

static void test_http_close_at_any_moment(void **state)
{
    (void)state;
    struct peer *p = peer_start(serve_half, NULL);
    struct call before = {0}, during = {.close_in_body = true}, later = {0};
    start(&before, p->port, "/");
    finish(&before); /* before anything was done */
    start(&during, p->port, "/");
    start(&later, p->port, "/");
    assert_false(er_loop_run(loop, 100));
    assert_int_equal(during.bodies, 1);
    assert_int_equal(during.dones, 0);
    assert_int_equal(later.bodies, 1);
    finish(&later); /* in the middle of the answer */
    assert_false(er_loop_run(loop, 20));
    assert_int_equal(later.dones, 0);
    er_buf_release(&during.text);
    struct call freed = {0};
    start(&freed, p->port, "/");
    er_loop_run(loop, 20);
    er_http_free(http); /* with a call under way */
    http = NULL;
    er_buf_release(&freed.text);
    peer_stop(p);
}

static void test_http_new_work_from_inside_a_callback(void **state)
{
    (void)state;
    struct peer *p = peer_start(serve_keep_alive, NULL);
    struct call second = {0};
    struct call first = {.chain_in_body = true, .other = &second};
    start(&first, p->port, "/");
    while (!second.dones && er_loop_run(loop, MOST_MS))
        ;
    assert_int_equal(first.dones, 1);
    assert_int_equal(second.dones, 1);
    assert_string_equal(er_buf_str(&second.text), "pong");
    finish(&first);
    finish(&second);
    peer_stop(p);
}

static void serve_chunks_then(struct peer *p, int fd)
{
    while (peer_request(p, fd, NULL, 0)) {
        peer_say(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                     "4\r\ndone\r\n");
        peer_idle(p, fd, *(int *)p->arg);
        peer_say(fd, "0\r\n\r\n");
    }
}

/* What comes after the last word is read if it comes soon, so that the
 * connection can be kept, and not waited for if it does not. */
static void test_http_enough_does_not_wait_for_the_rest(void **state)
{
    (void)state;
    int delay = 30;
    struct peer *p = peer_start(serve_chunks_then, &delay);
    struct call t = {.enough_in_body = true, .close_when_done = true};
    start(&t, p->port, "/");
    assert_true(er_loop_run(loop, MOST_MS));
    assert_int_equal(t.code, 0);
    assert_true(t.early);
    er_buf_release(&t.text);
    er_loop_run(loop, 800);
    delay = 60000;
    struct call u = {.enough_in_body = true, .close_when_done = true};
    start(&u, p->port, "/");
    assert_true(er_loop_run(loop, MOST_MS));
    assert_true(u.early);
    assert_int_equal(atomic_load(&p->connections), 1);
    er_buf_release(&u.text);
    int64_t began = er_mono_ms();
    er_loop_run(loop, 1200); /* it is given up after a second */
    assert_true(er_mono_ms() - began >= 1200);
    struct call w = {.enough_in_body = true, .close_when_done = true};
    start(&w, p->port, "/");
    assert_true(er_loop_run(loop, MOST_MS));
    assert_int_equal(atomic_load(&p->connections), 2);
    er_buf_release(&w.text);
    peer_stop(p);
}

static void serve_redirect(struct peer *p, int fd)
{
    while (peer_request(p, fd, NULL, 0))
        peer_answer(
            fd, "302 Found", "Location: file:///etc/passwd\r\n", "");
}

static void test_http_redirects_are_not_followed(void **state)
{
    (void)state;
    struct peer *p = peer_start(serve_redirect, NULL);
    struct call t = {0};
    start(&t, p->port, "/");
    assert_true(er_loop_run(loop, MOST_MS));
    assert_int_equal(t.code, 0);
    assert_int_equal(t.status, 302);
    assert_int_equal(t.text.len, 0);
    finish(&t);
    peer_stop(p);
}

static int open_descriptors(void)
{
    int n = 0;
    DIR *d = opendir("/proc/self/fd");
    while (d && readdir(d))
        n++;
    closedir(d);
    return n;
}

/* One thread that answers every request on any number of connections. */
struct crowd {
    int listen_fd, port;
    atomic_bool stop;
    pthread_t thread;
    int accepted;
};

static void *crowd_main(void *ctx)
{
    struct crowd *s = ctx;
    static const char answer[] =
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npong";
    struct pollfd *fds = calloc(3000, sizeof *fds);
    nfds_t n = 1;
    fds[0] = (struct pollfd){.fd = s->listen_fd, .events = POLLIN};
    while (!atomic_load(&s->stop)) {
        if (poll(fds, n, 10) <= 0)
            continue;
        for (nfds_t i = n - 1; i > 0; i--) {
            char buf[2048];
            if (!fds[i].revents)
                continue;
            if (recv(fds[i].fd, buf, sizeof buf, 0) > 0) {
                peer_send(fds[i].fd, answer, sizeof answer - 1);
                continue;
            }
            close(fds[i].fd);
            fds[i] = fds[--n];
        }
        if (fds[0].revents && n < 3000) {
            fds[n++] = (struct pollfd){.events = POLLIN,
                .fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC)};
            s->accepted++;
        }
    }
    for (nfds_t i = 0; i < n; i++)
        close(fds[i].fd);
    free(fds);
    return NULL;
}

static int left;

static void on_crowd_body(void *ctx, const char *bytes, size_t len)
{
    (void)ctx;
    assert_int_equal(len, 4);
    assert_memory_equal(bytes, "pong", 4);
}

static void on_crowd_done(void *ctx, const struct er_http_result *r)
{
    struct call *t = ctx;
    if (r->code)
        fail_msg("%s", r->error->msg);
    if (--t->again > 0) {
        assert_int_equal(er_http_again(t->c, NULL, 30000, NULL), 0);
        return;
    }
    er_http_close(t->c);
    if (--left == 0)
        er_loop_stop(loop);
}

/* So many calls at once, each of so many requests; answers how many
 * connections it took. */
static int ask_crowd(int count, int each)
{
    struct crowd s = {.listen_fd = peer_listen(&s.port)};
    assert_int_equal(pthread_create(&s.thread, NULL, crowd_main, &s), 0);
    struct call *calls = calloc((size_t)count, sizeof *calls);
    char url[100];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/v1", s.port);
    left = count;
    for (int i = 0; i < count; i++) {
        calls[i].again = each;
        struct er_http_request req = {.url = url,
            .timeouts = {30000, 30000, 30000, 30000},
            .max_bytes = 100,
            .direct = true,
            .on_body = on_crowd_body,
            .on_done = on_crowd_done,
            .ctx = &calls[i]};
        er_buf_init(&req.body, 100);
        er_buf_adds(&req.body, "{}");
        calls[i].c = er_http_start(http, &req, NULL);
        assert_non_null(calls[i].c);
    }
    assert_true(er_loop_run(loop, 30000));
    assert_int_equal(left, 0);
    er_http_free(http);
    http = NULL;
    atomic_store(&s.stop, true);
    pthread_join(s.thread, NULL);
    free(calls);
    return s.accepted;
}

static void test_http_thousand_calls_at_once(void **state)
{
    (void)state;
    enum { CALLS = 1000, EACH = 5 };
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_max < 2 * CALLS + 100) {
        print_message("skip: only %lu descriptors are allowed here\n",
            (unsigned long)files.rlim_max);
        skip();
    }
    files.rlim_cur = files.rlim_max < 8192 ? files.rlim_max : 8192;
    setrlimit(RLIMIT_NOFILE, &files);
    er_http_free(http);
    int before = open_descriptors();
    http = er_http_new(loop, NULL);
    assert_non_null(http);
    assert_true(ask_crowd(CALLS, EACH) <= CALLS); /* all were kept */
    assert_int_equal(open_descriptors(), before);
}

/* As in a process that may open so many files: a quarter is left to others,
 * calls beyond the rest wait. */
static void limit_files(rlim_t most)
{
    struct rlimit files, few;
    getrlimit(RLIMIT_NOFILE, &files);
    few = files;
    few.rlim_cur = most;
    er_http_free(http);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    http = er_http_new(loop, NULL);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
    assert_non_null(http);
}

static void test_http_waits_for_descriptors(void **state)
{
    (void)state;
    limit_files(100);
    assert_true(ask_crowd(300, 3) <= 75);
}

static void wait_for_connections(struct peer *p, int n)
{
    int64_t until = er_mono_ms() + MOST_MS;
    while (atomic_load(&p->connections) < n && er_mono_ms() < until)
        er_loop_run(loop, 10);
}

static void test_http_closes_calls_that_wait(void **state)
{
    (void)state;
    enum { CALLS = 40, AT_ONCE = 24 };
    struct peer *p = peer_start(serve_half, NULL);
    struct call calls[CALLS] = {0};
    limit_files(32);
    for (int i = 0; i < CALLS; i++)
        start(&calls[i], p->port, "/");
    wait_for_connections(p, AT_ONCE);
    er_loop_run(loop, 100); /* there come no more */
    assert_int_equal(atomic_load(&p->connections), AT_ONCE);
    finish(&calls[CALLS - 1]); /* waits, as the last */
    finish(&calls[AT_ONCE]);   /* waits, as the first */
    finish(&calls[0]);         /* makes room for one */
    wait_for_connections(p, AT_ONCE + 1);
    for (int i = 0; i < 6000 && calls[AT_ONCE + 1].bodies == 0; i++)
        er_loop_run(loop, 10);
    assert_int_equal(atomic_load(&p->connections), AT_ONCE + 1);
    assert_int_equal(calls[AT_ONCE + 1].bodies, 1);
    er_http_free(http); /* with some that wait */
    http = NULL;
    for (int i = 0; i < CALLS; i++)
        er_buf_release(&calls[i].text);
    peer_stop(p);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_http_answer_and_its_headers),
        T(test_http_connection_is_used_again),
        T(test_http_closed_idle_connections_do_no_harm),
        T(test_http_refused_connection_says_what_to_do),
        T(test_http_reset_connection_is_retriable),
        T(test_http_each_time_limit_holds),
        T(test_http_size_of_an_answer_is_bounded),
        T(test_http_size_counts_what_was_unpacked),
        T(test_http_close_at_any_moment),
        T(test_http_new_work_from_inside_a_callback),
        T(test_http_enough_does_not_wait_for_the_rest),
        T(test_http_redirects_are_not_followed),
        T(test_http_thousand_calls_at_once),
        T(test_http_waits_for_descriptors),
        T(test_http_closes_calls_that_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
