/* Length-prefixed JSON over a stream. */
#include "frame.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

enum {
    READ_SIZE = 64 * 1024,      /* asked of the kernel at once */
    KEEP_SIZE = 256 * 1024,     /* an idle reader keeps no more */
    FIRST_READ = 4 * 1024,      /* what most frames fit in */
};

static const size_t READER_MAX = (size_t)ER_FRAME_MAX + ER_FRAME_HEAD +
                                 READ_SIZE;

void er_frame_reader_init(struct er_frame_reader *r)
{
    er_buf_init(&r->buf, READER_MAX * 2);
    r->at = 0;
}

void er_frame_reader_release(struct er_frame_reader *r)
{
    er_buf_release(&r->buf);
    r->at = 0;
}

/* Forget what was handed out; a large buffer that is empty is given back. */
static void drop_used(struct er_frame_reader *r)
{
    if (r->at == 0)
        return;
    if (r->at < r->buf.len)
        er_buf_drop(&r->buf, r->at);
    else if (r->buf.cap > KEEP_SIZE)
        er_buf_release(&r->buf);
    else
        er_buf_reset(&r->buf);
    r->at = 0;
}

bool er_frame_feed(struct er_frame_reader *r, const void *bytes, size_t len)
{
    drop_used(r);
    return er_buf_add(&r->buf, bytes, len);
}

ssize_t er_frame_recv(struct er_frame_reader *r, int fd)
{
    drop_used(r);
    size_t want = r->buf.len < FIRST_READ ? FIRST_READ : READ_SIZE;
    if (!er_buf_reserve(&r->buf, want)) {
        errno = ENOMEM;
        return -1;
    }
    ssize_t n;
    do
        n = read(fd, r->buf.data + r->buf.len, r->buf.cap - r->buf.len - 1);
    while (n < 0 && errno == EINTR);
    if (n > 0) {
        r->buf.len += (size_t)n;
        r->buf.data[r->buf.len] = '\0';
    }
    return n;
}

int er_frame_next(
    struct er_frame_reader *r, const char **json, size_t *len)
{
    size_t have = r->buf.len - r->at;
    if (have < ER_FRAME_HEAD)
        return 0;
    const unsigned char *p = (const unsigned char *)r->buf.data + r->at;
    uint32_t size = (uint32_t)p[0] | (uint32_t)p[1] << 8 |
                    (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
    if (size > ER_FRAME_MAX)
        return -1;
    if (have - ER_FRAME_HEAD < size)
        return 0;
    *json = (const char *)p + ER_FRAME_HEAD;
    *len = size;
    r->at += ER_FRAME_HEAD + size;
    return 1;
}

size_t er_frame_begin(struct er_buf *out)
{
    size_t token = out->len;
    er_buf_add(out, "\0\0\0\0", ER_FRAME_HEAD);
    return token;
}

bool er_frame_end(struct er_buf *out, size_t token)
{
    if (out->failed || out->len < token + ER_FRAME_HEAD)
        return false;
    size_t size = out->len - token - ER_FRAME_HEAD;
    if (size > ER_FRAME_MAX)
        return false;
    for (size_t i = 0; i < ER_FRAME_HEAD; i++)
        out->data[token + i] = (char)(unsigned char)(size >> (8 * i));
    return true;
}

bool er_frame_add(struct er_buf *out, const json_t *value)
{
    size_t token = er_frame_begin(out);
    return er_json_add(out, value) && er_frame_end(out, token);
}
