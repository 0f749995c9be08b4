/* Reading code and holding it. */
#include "code.h"

#include "base/frame.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/text.h"
#include "pool_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_SIZE = 32 * 1024 };

static int fail_open(const char *path, struct errand_error *err)
{
    int code = errno == ENOENT || errno == ENOTDIR ? ERRAND_NOT_FOUND
                                                   : ERRAND_IO;
    return er_fail_errno(err, code, "cannot read %s", path);
}

static int fail_large(const char *name, struct errand_error *err)
{
    return er_fail(err, ERRAND_TOO_LARGE,
        "%s is over 1 MiB: a tool is one small file", name);
}

/* All bytes of fd into out. */
static int read_all(
    int fd, const char *path, struct er_buf *out, struct errand_error *err)
{
    for (;;) {
        if (!er_buf_reserve(out, READ_SIZE))
            return out->no_memory ? er_nomem(err) : fail_large(path, err);
        ssize_t n = read(fd, out->data + out->len, READ_SIZE);
        if (n < 0 && errno != EINTR)
            return fail_open(path, err);
        if (n == 0)
            return ERRAND_OK;
        if (n > 0)
            out->len += (size_t)n;
        out->data[out->len] = '\0';
    }
}

static int read_file(
    const char *path, struct er_buf *out, struct errand_error *err)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return fail_open(path, err);
    int rc;
    if (fstat(fd, &st) != 0)
        rc = fail_open(path, err);
    else if (!S_ISREG(st.st_mode))
        rc = er_fail(err, ERRAND_IO,
            "cannot read %s: it is not a file", path);
    else
        rc = read_all(fd, path, out, err);
    close(fd);
    return rc;
}

struct er_code *er_code_read(
    struct er_pool *pool, const char *path, struct errand_error *err)
{
    struct er_buf text;
    struct er_code *code = NULL;
    er_buf_init(&text, ER_CODE_MOST + READ_SIZE);
    if (read_file(path, &text, err) == ERRAND_OK)
        code = er_code_new(pool, path, er_buf_str(&text), text.len, err);
    er_buf_release(&text);
    return code;
}

/* JSON carries no other bytes, and neither does what a model reads. */
static int check_text(const char *name, const char *text, size_t len,
    struct errand_error *err)
{
    size_t good = er_utf8_valid_prefix(text, len), line = 1;
    if (len > ER_CODE_MOST)
        return fail_large(name, err);
    if (len > 0 && text[0] == '\x1b')
        return er_fail(err, ERRAND_SYNTAX,
            "it is bytecode; a tool is Lua text");
    if (good == len)
        return ERRAND_OK;
    for (size_t i = 0; i < good; i++)
        line += text[i] == '\n';
    return er_fail(err, ERRAND_SYNTAX,
        "byte 0x%02X on line %zu is not UTF-8; save the file as UTF-8",
        (unsigned)(unsigned char)text[good], line);
}

static bool write_frame(struct er_code *code, const char *name,
    const char *text, size_t len)
{
    struct er_buf *out = &code->frame;
    er_buf_init(out, (size_t)ER_CODE_MOST * 8);
    size_t token = er_frame_begin(out);
    er_buf_addf(out, "{\"id\":0,\"op\":\"load\",\"code\":%llu,\"path\":",
        (unsigned long long)code->number);
    er_json_add_string(out, name, strlen(name));
    er_buf_adds(out, ",\"text\":");
    er_json_add_string(out, text, len);
    er_buf_addc(out, '}');
    return er_frame_end(out, token);
}

struct er_code *er_code_new(struct er_pool *pool, const char *name,
    const char *text, size_t len, struct errand_error *err)
{
    if (check_text(name, text, len, err) != ERRAND_OK)
        return NULL;
    struct er_code *code = calloc(1, sizeof *code);
    if (code) {
        code->holders = 1;
        code->number = ++pool->last_code;
        er_sha256_hex(text, len, code->sha256);
    }
    if (!code || !write_frame(code, name, text, len)) {
        er_code_drop(code);
        er_nomem(err);
        return NULL;
    }
    return code;
}

struct er_code *er_code_hold(struct er_code *code)
{
    if (code)
        code->holders++;
    return code;
}

void er_code_drop(struct er_code *code)
{
    if (!code || --code->holders > 0)
        return;
    er_buf_release(&code->frame);
    free(code);
}

bool er_code_is_kept(const struct er_code_ring *ring, uint64_t number)
{
    for (size_t i = 0; i < ER_CODE_KEPT; i++)
        if (ring->kept[i] == number)
            return true;
    return false;
}

void er_code_sent(struct er_code_ring *ring, uint64_t number)
{
    ring->kept[ring->next] = number;
    ring->next = (ring->next + 1) % ER_CODE_KEPT;
}
