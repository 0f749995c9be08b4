/* Reading, with the checks that a prompt needs. */
#include "input.h"

#include "base/text.h"
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 1 << 16, NOTICE_MS = 2000 };

static const size_t MAX_LINE = (size_t)64 << 20;

bool er_input_is_piped(void) { return isatty(STDIN_FILENO) == 0; }

bool er_input_is_blank(const char *text, size_t len)
{
    return strspn(text, " \t\r\n") >= len;
}

/* Read on until the end. */
static int read_all(
    int fd, const char *what, struct er_buf *out, struct errand_error *err)
{
    size_t begin = out->len;
    for (;;) {
        char piece[PIECE];
        ssize_t n = read(fd, piece, sizeof piece);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return er_fail_errno(err, ERRAND_IO, "cannot read %.100s", what);
        if (n == 0)
            return ERRAND_OK;
        if (out->len - begin + (size_t)n > ER_INPUT_MAX)
            return er_fail(err, ERRAND_TOO_LARGE,
                "%.100s is larger than %d MiB, too much for a prompt; give a "
                "part of it", what, ER_INPUT_MAX / (1024 * 1024));
        if (!er_buf_add(out, piece, (size_t)n))
            return er_nomem(err);
    }
}

static int check_text(
    const char *what, const char *s, size_t len, struct errand_error *err)
{
    size_t good = er_utf8_valid_prefix(s, len);
    const char *nul = memchr(s, '\0', good);
    if (nul)
        good = (size_t)(nul - s);
    else if (good == len)
        return ERRAND_OK;
    er_fail(err, ERRAND_SYNTAX,
        "%.100s is no UTF-8 text: byte 0x%02x at offset %zu; convert it "
        "first (iconv -t UTF-8), or leave it out if it is binary", what,
        (unsigned)(unsigned char)s[good], good);
    err->at = (int64_t)good;
    return ERRAND_SYNTAX;
}

static int read_checked(
    int fd, const char *what, struct er_buf *out, struct errand_error *err)
{
    size_t begin = out->len;
    int code = read_all(fd, what, out, err);
    if (code)
        return code;
    return check_text(what, er_buf_str(out) + begin, out->len - begin, err);
}

int er_input_file(
    const char *path, struct er_buf *out, struct errand_error *err)
{
    if (strcmp(path, "-") == 0)
        return read_checked(STDIN_FILENO, "standard input", out, err);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return er_fail_errno(err,
            errno == ENOENT ? ERRAND_NOT_FOUND : ERRAND_IO,
            "cannot open %.150s", path);
    int code = read_checked(fd, path, out, err);
    close(fd);
    return code;
}

int er_input_stdin(
    struct er_cli *cli, struct er_buf *out, struct errand_error *err)
{
    struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
    if (poll(&p, 1, NOTICE_MS) == 0)
        er_term_note(&cli->term, ER_PLAIN, "reading standard input until it "
            "ends (Ctrl-D; or start errand with < /dev/null)");
    return read_checked(STDIN_FILENO, "standard input", out, err);
}

/* -------------------------------------------------------------- lines */

void er_lines_init(struct er_lines *l, int fd)
{
    *l = (struct er_lines){.fd = fd};
    er_buf_init(&l->buf, MAX_LINE + PIECE);
}

void er_lines_release(struct er_lines *l) { er_buf_release(&l->buf); }

bool er_lines_ready(const struct er_lines *l)
{
    size_t left = l->buf.len - l->pos;
    return l->eof ||
           (left > 0 && memchr(l->buf.data + l->pos, '\n', left) != NULL);
}

/* Read one piece. False at a failure. */
static bool fill(struct er_lines *l, struct errand_error *err)
{
    er_buf_drop(&l->buf, l->pos);
    l->pos = 0;
    if (!er_buf_reserve(&l->buf, PIECE)) {
        er_nomem(err);
        return false;
    }
    ssize_t n;
    do {
        n = read(l->fd, l->buf.data + l->buf.len, PIECE);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        er_fail_errno(err, ERRAND_IO, "cannot read the next line");
        l->eof = true;
        return false;
    }
    if (n == 0)
        l->eof = true;
    l->buf.len += (size_t)n;
    l->buf.data[l->buf.len] = '\0';
    return true;
}

/* Throw away the rest of a line that is too long. */
static int skip(struct er_lines *l, struct errand_error *err)
{
    const char *end = NULL;
    do {
        l->pos = l->buf.len;
        if (!fill(l, err))
            return -1;
        end = memchr(l->buf.data, '\n', l->buf.len);
    } while (!end && !l->eof);
    l->pos = end ? (size_t)(end - l->buf.data) + 1 : l->buf.len;
    er_fail(err, ERRAND_TOO_LARGE, "line %lld is longer than 64 MiB",
        (long long)l->number);
    return -1;
}

int er_lines_next(struct er_lines *l, const char **line, size_t *len,
    struct errand_error *err)
{
    size_t seen = 0;
    for (;;) {
        size_t left = l->buf.len - l->pos;
        char *start = l->buf.data ? l->buf.data + l->pos : NULL;
        char *end = left > seen ? memchr(start + seen, '\n', left - seen)
                                : NULL;
        if (end || (l->eof && left > 0)) {
            *len = end ? (size_t)(end - start) : left;
            start[*len] = '\0';
            *line = start;
            l->pos += *len + (end ? 1 : 0);
            l->number++;
            return 1;
        }
        if (l->eof)
            return 0;
        seen = left;
        if (left >= MAX_LINE) {
            l->number++;
            return skip(l, err);
        }
        if (!fill(l, err))
            return -1;
    }
}
