/* The worker's end of the socket: frames that are too long, cut off, no JSON,
 * or that ask what may not be asked end it, in good order. */
#include "support/tool_kit.h"

#include "tool/process.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>

static const char lock[] = "{\"id\":0,\"op\":\"lock\",\"kind\":\"lua\"}";

static void send_text(struct er_process *p, const char *text, size_t len)
{
    struct er_buf b;
    er_buf_init(&b, 1 << 20);
    size_t token = er_frame_begin(&b);
    er_buf_add(&b, text, len);
    assert_true(er_frame_end(&b, token));
    er_process_send(p, b.data, b.len);
    er_buf_release(&b);
}

static void open_worker(struct er_process *p)
{
    struct errand_error err = {0};
    if (er_process_start(p, kit_worker(), NULL, &err) != ERRAND_OK)
        fail_msg("%s", err.msg);
}

/* Read its frames until it closes; how many came. */
static int read_to_end(struct er_process *p)
{
    const char *text;
    size_t len;
    int frames = 0;
    for (;;) {
        struct pollfd fd = {.fd = p->sock, .events = POLLIN};
        assert_true(poll(&fd, 1, 20000) > 0); /* else it hangs */
        ssize_t n = er_frame_recv(&p->in, p->sock);
        if (n < 0 && errno == EAGAIN)
            continue;
        while (er_frame_next(&p->in, &text, &len) > 0)
            frames++;
        if (n <= 0)
            return frames;
    }
}

static void close_worker(struct er_process *p, const char *what)
{
    assert_true(er_process_reap(p, true));
    if (!WIFEXITED(p->status) || WEXITSTATUS(p->status) > 1)
        fail_msg("%s: it did not end in good order (%d)", what, p->status);
    er_process_release(p);
}

/* After these frames it ends, having said so many of its own. */
static void expect_end(const char *const *texts, int frames)
{
    struct er_process p;
    open_worker(&p);
    for (int i = 0; texts[i]; i++)
        send_text(&p, texts[i], strlen(texts[i]));
    int got = read_to_end(&p);
    if (got != frames)
        fail_msg("%s: %d frames, not %d", texts[0], got, frames);
    close_worker(&p, texts[0]);
}

static void test_worker_ends_on_what_it_does_not_understand(void **state)
{
    static const struct {
        const char *texts[6];
        int frames; /* the hello, and answers before the end */
    } rows[] = {
        {{"not JSON"}, 1},
        {{"[1]"}, 1},
        {{"\"text\""}, 1},
        {{""}, 1},
        {{"{}"}, 1},
        {{"{\"id\":1}"}, 1},
        {{"{\"id\":\"1\",\"op\":\"lock\",\"kind\":\"lua\"}"}, 1},
        {{"{\"id\":0,\"id\":0,\"op\":\"lock\",\"kind\":\"lua\"}"}, 1},
        {{"{\"id\":1,\"op\":\"call\",\"code\":1}"}, 1}, /* unlocked */
        {{"{\"id\":0,\"op\":\"load\",\"code\":1,\"path\":\"p\","
          "\"text\":\"return 1\"}"}, 1},
        {{"{\"id\":0,\"op\":\"lock\",\"kind\":\"none\"}"}, 2},
        {{lock, lock}, 2}, /* there is no second one */
        {{lock, "{\"id\":1,\"op\":\"format\"}"}, 2},
        {{lock, "{\"id\":1,\"op\":\"call\",\"code\":1}"}, 2},
        {{lock, "{\"id\":0,\"op\":\"load\",\"code\":0,\"path\":\"p\","
                "\"text\":\"return 1\"}"}, 2},
        {{lock, "{\"id\":0,\"op\":\"load\",\"code\":1,\"path\":\"p\"}"}, 2},
        {{lock, "{\"id\":0,\"op\":\"load\",\"code\":1,\"path\":\"p\","
                "\"text\":\"return {}\"}",
             "{\"id\":1,\"op\":\"describe\",\"code\":2}"}, 2},
        {{lock, "{\"id\":0,\"op\":\"load\",\"code\":1,\"path\":\"p\","
                "\"text\":\"return {}\"}",
             "{\"id\":1,\"op\":\"describe\",\"code\":1}",
             "{\"id\":2,\"op\":\"describe\",\"code\":1}", "x"}, 4},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect_end(rows[i].texts, rows[i].frames);
}

/* Raw bytes, and then the socket's end. */
static void expect_bytes(const char *bytes, size_t len, const char *what)
{
    struct er_process p;
    open_worker(&p);
    er_process_send(&p, bytes, len);
    shutdown(p.sock, SHUT_WR);
    read_to_end(&p);
    close_worker(&p, what);
}

static void test_worker_ends_on_frames_that_are_none(void **state)
{
    (void)state;
    expect_bytes("\xff\xff\xff\xff", 4, "four gigabytes");
    expect_bytes("\x01\x00\x00\x01{", 5, "a byte over 16 MiB");
    expect_bytes("\x09\x00\x00\x00{\"id", 8, "cut in the middle");
    expect_bytes("\x09\x00", 2, "cut in the length");
    expect_bytes("", 0, "nothing at all");
    expect_bytes("GET / HTTP/1.1\r\n\r\n", 18, "another protocol");
    expect_bytes("\x03\x00\x00\x00\xff\xfe\xfd", 7, "bytes that are no text");
}

static void test_worker_arguments_nested_too_deep(void **state)
{
    struct er_buf b;
    struct er_process p;
    (void)state;
    er_buf_init(&b, 1 << 20);
    for (int i = 0; i < 100000; i++)
        er_buf_addc(&b, '[');
    open_worker(&p);
    send_text(&p, lock, strlen(lock));
    send_text(&p, b.data, b.len);
    assert_int_equal(read_to_end(&p), 2);
    close_worker(&p, "deep");
    er_buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_worker_ends_on_what_it_does_not_understand),
        cmocka_unit_test(test_worker_ends_on_frames_that_are_none),
        cmocka_unit_test(test_worker_arguments_nested_too_deep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
