/* What stands between stdio and the rest of the command line. */
#include "term.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { FLUSH_MS = 20, DRAW_MS = 100 };

static const size_t MAX_TEXT = (size_t)1 << 30;

static bool is_set(const char *name)
{
    const char *value = getenv(name);
    return value && *value;
}

static int columns(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20)
        return size.ws_col;
    return 80;
}

void er_term_init(struct er_term *t)
{
    const char *kind = getenv("TERM");
    bool dumb = kind && strcmp(kind, "dumb") == 0;
    *t = (struct er_term){.width = 80};
    t->out_tty = isatty(STDOUT_FILENO) == 1;
    t->err_tty = isatty(STDERR_FILENO) == 1 && !dumb;
    t->color = t->err_tty && !is_set("NO_COLOR");
    if (t->err_tty)
        t->width = columns();
    er_buf_init(&t->scratch, MAX_TEXT);
    setvbuf(stdout, NULL, _IOFBF, 1 << 16);
}

void er_term_release(struct er_term *t) { er_buf_release(&t->scratch); }

/* ------------------------------------------------------ standard output */

static void write_out(struct er_term *t, const char *text, size_t len)
{
    if (t->failed || len == 0)
        return;
    if (fwrite(text, 1, len, stdout) != len)
        t->failed = errno ? errno : EIO;
    t->pending = true;
}

void er_term_out(struct er_term *t, const char *text, size_t len)
{
    if (len == 0)
        return;
    er_term_clear(t);
    if (!t->out_tty) {
        write_out(t, text, len);
        return;
    }
    er_buf_reset(&t->scratch);
    er_text_plain(&t->scratch, text, len);
    write_out(t, er_buf_str(&t->scratch), t->scratch.len);
    if (t->scratch.len > 0)
        t->mid_line = t->scratch.data[t->scratch.len - 1] != '\n';
    er_term_tick(t);
}

void er_term_outs(struct er_term *t, const char *text)
{
    er_term_out(t, text, strlen(text));
}

void er_term_outf(struct er_term *t, const char *fmt, ...)
{
    struct er_buf line;
    va_list ap;
    er_buf_init(&line, MAX_TEXT);
    va_start(ap, fmt);
    er_buf_vaddf(&line, fmt, ap);
    va_end(ap);
    er_term_out(t, er_buf_str(&line), line.len);
    er_buf_release(&line);
}

void er_term_end_line(struct er_term *t)
{
    if (t->out_tty && t->mid_line)
        er_term_outs(t, "\n");
}

void er_term_flush(struct er_term *t)
{
    if (t->pending && !t->failed && fflush(stdout) != 0)
        t->failed = errno ? errno : EIO;
    t->pending = false;
    t->flush_ms = er_mono_ms();
}

void er_term_tick(struct er_term *t)
{
    if (t->pending && er_mono_ms() - t->flush_ms >= FLUSH_MS)
        er_term_flush(t);
}

bool er_term_finish(struct er_term *t)
{
    er_term_clear(t);
    er_term_end_line(t);
    er_term_flush(t);
    if (!t->failed || t->failed == EPIPE)
        return true;
    struct errand_error err = {0};
    errno = t->failed;
    er_fail_errno(&err, ERRAND_IO, "cannot write to standard output (what "
        "was answered is in the store: errand log list)");
    er_term_error(t, "%s", err.msg);
    return false;
}

/* ------------------------------------------------------- standard error */

static const char *style_begin(const struct er_term *t, enum er_style style)
{
    static const char *const codes[] = {
        [ER_PLAIN] = "",
        [ER_DIM] = "\x1b[2m",
        [ER_BOLD] = "\x1b[1m",
        [ER_RED] = "\x1b[31m",
    };
    return t->color ? codes[style] : "";
}

static const char *style_end(const struct er_term *t, enum er_style style)
{
    return t->color && style != ER_PLAIN ? "\x1b[0m" : "";
}

/* Get both streams ready for a line on standard error. */
static void make_way(struct er_term *t)
{
    er_term_clear(t);
    er_term_end_line(t);
    er_term_flush(t);
}

/* Text to standard error, cleaned for a terminal. */
static void put_err(struct er_term *t, const char *text, size_t len)
{
    if (!t->err_tty) {
        fwrite(text, 1, len, stderr);
        return;
    }
    er_buf_reset(&t->scratch);
    er_text_plain(&t->scratch, text, len);
    fwrite(er_buf_str(&t->scratch), 1, t->scratch.len, stderr);
}

void er_term_note(struct er_term *t, enum er_style style, const char *fmt,
    ...)
{
    struct er_buf line;
    va_list ap;
    if (t->quiet)
        return;
    er_buf_init(&line, MAX_TEXT);
    va_start(ap, fmt);
    er_buf_vaddf(&line, fmt, ap);
    va_end(ap);
    make_way(t);
    fputs(style_begin(t, style), stderr);
    put_err(t, er_buf_str(&line), line.len);
    fprintf(stderr, "%s\n", style_end(t, style));
    er_buf_release(&line);
}

void er_term_verror(struct er_term *t, const char *fmt, va_list ap)
{
    struct er_buf line;
    er_buf_init(&line, MAX_TEXT);
    er_buf_vaddf(&line, fmt, ap);
    make_way(t);
    fprintf(stderr, "%serrand:%s ", style_begin(t, ER_RED),
        style_end(t, ER_RED));
    put_err(t, er_buf_str(&line), line.len);
    fputc('\n', stderr);
    er_buf_release(&line);
}

void er_term_error(struct er_term *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    er_term_verror(t, fmt, ap);
    va_end(ap);
}

void er_term_aside(struct er_term *t, enum er_style style, const char *text,
    size_t len)
{
    er_term_clear(t);
    fputs(style_begin(t, style), stderr);
    put_err(t, text, len);
    fputs(style_end(t, style), stderr);
}

/* --------------------------------------------------------- progress line */

bool er_term_has_progress(const struct er_term *t)
{
    return t->err_tty && !t->quiet;
}

void er_term_progress(struct er_term *t, const char *fmt, ...)
{
    int64_t now = er_mono_ms();
    if (!er_term_has_progress(t) || (t->out_tty && t->mid_line) ||
        now - t->drawn_ms < DRAW_MS)
        return;
    char line[sizeof t->progress];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    if (n < 0)
        return;
    er_text_trim_utf8(line);
    size_t len = strlen(line), room = (size_t)t->width - 1;
    line[er_utf8_cut(line, len, len < room ? len : room)] = '\0';
    if (strcmp(line, t->progress) == 0)
        return;
    er_term_flush(t);
    fprintf(stderr, "\r\x1b[K%s%s%s", style_begin(t, ER_DIM), line,
        style_end(t, ER_DIM));
    memcpy(t->progress, line, sizeof line);
    t->drawn_ms = now;
}

void er_term_clear(struct er_term *t)
{
    if (!t->progress[0])
        return;
    fputs("\r\x1b[K", stderr);
    t->progress[0] = '\0';
}

size_t er_term_columns(const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xC0) != 0x80;
    return n;
}
