/* Frames: cut anywhere, never larger than allowed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/frame.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void add_text(struct er_buf *out, const char *text)
{
    size_t token = er_frame_begin(out);
    er_buf_adds(out, text);
    assert_true(er_frame_end(out, token));
}

static void test_frame_is_length_then_json(void **state)
{
    (void)state;
    struct er_buf out;
    er_buf_init(&out, 1000);
    json_t *value = json_pack("{s:i}", "a", 1);
    assert_true(er_frame_add(&out, value));
    assert_int_equal(out.len, 4 + 7);
    assert_memory_equal(out.data, "\x07\0\0\0{\"a\":1}", 11);
    json_decref(value);
    er_buf_release(&out);
}

/* Three frames, fed with a cut at every offset, and byte by byte. */
static void test_frame_survives_every_cut(void **state)
{
    (void)state;
    static const char *const texts[] = {"{\"id\":1}", "", "{\"id\":333}"};
    struct er_buf out;
    er_buf_init(&out, 1000);
    for (size_t i = 0; i < 3; i++)
        add_text(&out, texts[i]);
    for (size_t cut = 0; cut <= out.len; cut++) {
        struct er_frame_reader r;
        const char *json;
        size_t len, seen = 0;
        er_frame_reader_init(&r);
        for (int half = 0; half < 2; half++) {
            assert_true(er_frame_feed(&r, out.data + (half ? cut : 0),
                half ? out.len - cut : cut));
            while (er_frame_next(&r, &json, &len) == 1) {
                assert_int_equal(len, strlen(texts[seen]));
                assert_memory_equal(json, texts[seen], len);
                seen++;
            }
        }
        assert_int_equal(seen, 3);
        er_frame_reader_release(&r);
    }
    struct er_frame_reader r;
    const char *json;
    size_t len, seen = 0;
    er_frame_reader_init(&r);
    for (size_t i = 0; i < out.len; i++) {
        assert_true(er_frame_feed(&r, out.data + i, 1));
        seen += er_frame_next(&r, &json, &len) == 1;
    }
    assert_int_equal(seen, 3);
    er_frame_reader_release(&r);
    er_buf_release(&out);
}

static void test_frame_over_the_limit_is_refused(void **state)
{
    (void)state;
    static const unsigned char largest[] = {0, 0, 0, 1}; /* 16 MiB */
    static const unsigned char over[] = {1, 0, 0, 1};
    static const unsigned char huge[] = {0xFF, 0xFF, 0xFF, 0xFF};
    struct er_frame_reader r;
    const char *json;
    size_t len;
    er_frame_reader_init(&r);
    assert_true(er_frame_feed(&r, largest, 4));
    assert_int_equal(er_frame_next(&r, &json, &len), 0);
    assert_true(r.buf.cap < 100000); /* nothing is allocated by promise */
    er_frame_reader_release(&r);
    assert_true(er_frame_feed(&r, over, 4));
    assert_int_equal(er_frame_next(&r, &json, &len), -1);
    er_frame_reader_release(&r);
    assert_true(er_frame_feed(&r, huge, 4));
    assert_int_equal(er_frame_next(&r, &json, &len), -1);
    er_frame_reader_release(&r);
}

static void test_frame_end_refuses_what_is_too_long(void **state)
{
    (void)state;
    struct er_buf out;
    er_buf_init(&out, (size_t)ER_FRAME_MAX * 2);
    char *text = malloc(ER_FRAME_MAX + 1);
    assert_non_null(text);
    memset(text, ' ', ER_FRAME_MAX + 1);
    size_t token = er_frame_begin(&out);
    er_buf_add(&out, text, ER_FRAME_MAX);
    assert_true(er_frame_end(&out, token));
    er_buf_addc(&out, ' ');
    assert_false(er_frame_end(&out, token));
    free(text);
    er_buf_release(&out);
}

static void test_frame_recv_reads_large_frames_and_the_end(void **state)
{
    (void)state;
    int fds[2];
    struct er_frame_reader r;
    struct er_buf out;
    const char *json;
    size_t len;
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
    er_frame_reader_init(&r);
    er_buf_init(&out, 1 << 21);
    size_t token = er_frame_begin(&out);
    er_buf_addc(&out, '"');
    while (out.len < 1000000)
        er_buf_adds(&out, "0123456789");
    er_buf_addc(&out, '"');
    assert_true(er_frame_end(&out, token));
    size_t sent = 0;
    int got = 0;
    while (!got) {
        ssize_t n = write(fds[1], out.data + sent, out.len - sent);
        sent += n > 0 ? (size_t)n : 0;
        assert_true(er_frame_recv(&r, fds[0]) > 0);
        got = er_frame_next(&r, &json, &len);
    }
    assert_int_equal(got, 1);
    assert_int_equal(len, out.len - 4);
    assert_memory_equal(json, out.data + 4, len);
    assert_int_equal(er_frame_recv(&r, fds[0]), -1);
    assert_int_equal(errno, EAGAIN);
    assert_true(r.buf.cap < 300000); /* a large frame's memory is let go */
    close(fds[1]);
    assert_int_equal(er_frame_recv(&r, fds[0]), 0);
    close(fds[0]);
    er_frame_reader_release(&r);
    er_buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frame_is_length_then_json),
        cmocka_unit_test(test_frame_survives_every_cut),
        cmocka_unit_test(test_frame_over_the_limit_is_refused),
        cmocka_unit_test(test_frame_end_refuses_what_is_too_long),
        cmocka_unit_test(test_frame_recv_reads_large_frames_and_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
