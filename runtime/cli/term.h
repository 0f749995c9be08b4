/* The terminal: the answer's way to standard output, everything else's to
 * standard error.
 *
 * Standard output is fully buffered; on a terminal er_term_tick, called
 * every few milliseconds, lets out what waits. What goes to a terminal is
 * cleaned of control characters, because models and tools wrote it. Colour
 * and the progress line exist on a terminal only.
 */
#ifndef ERRAND_CLI_TERM_H
#define ERRAND_CLI_TERM_H

#include "base/buf.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum er_style {
    ER_PLAIN = 0,
    ER_DIM = 1,
    ER_BOLD = 2,
    ER_RED = 3,
};

struct er_term {
    bool out_tty, err_tty;
    bool color;       /* on standard error */
    bool quiet;       /* no notes, no progress */
    int width;        /* columns of standard error; 80 if it is no terminal */
    bool mid_line;    /* a terminal's line was begun on standard output */
    bool pending;     /* standard output holds unflushed text */
    char progress[256]; /* the line that stands on standard error, or "" */
    int64_t flush_ms; /* when standard output was flushed last */
    int64_t drawn_ms; /* when the progress line was drawn last */
    int failed;       /* errno of the first failed write, else 0 */
    struct er_buf scratch;
};

void er_term_init(struct er_term *t);
void er_term_release(struct er_term *t);

/* Text to standard output. */
void er_term_out(struct er_term *t, const char *text, size_t len);
void er_term_outs(struct er_term *t, const char *text);
void er_term_outf(struct er_term *t, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* End the line on standard output if one was begun on a terminal. */
void er_term_end_line(struct er_term *t);

/* Flush if 20 ms went by since the last time; er_term_flush: now. */
void er_term_tick(struct er_term *t);
void er_term_flush(struct er_term *t);

/* Flush and say why if it fails: false if what was printed did not arrive.
 * A reader that went away is no failure. */
bool er_term_finish(struct er_term *t);

/* A line to standard error, in a style; not if quiet. */
void er_term_note(struct er_term *t, enum er_style style, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));

/* "errand: ..." to standard error, always. */
void er_term_error(struct er_term *t, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void er_term_verror(struct er_term *t, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

/* Part of a line to standard error, in a style: reasoning. */
void er_term_aside(struct er_term *t, enum er_style style, const char *text,
    size_t len);

/* Draw the progress line (at most ten times a second), wipe it away. Does
 * nothing where standard error is no terminal. */
void er_term_progress(struct er_term *t, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void er_term_clear(struct er_term *t);

/* True if a progress line may be shown. */
bool er_term_has_progress(const struct er_term *t);

/* Columns that a text takes, counting one per character. */
size_t er_term_columns(const char *text);

#endif
