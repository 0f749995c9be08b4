/* Text from files and standard input, bounded and checked. */
#ifndef ERRAND_CLI_INPUT_H
#define ERRAND_CLI_INPUT_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct er_cli;

/* Most bytes of one file or of standard input that become a prompt. */
enum { ER_INPUT_MAX = 16 * 1024 * 1024 };

/* Append a file's text to out; "-" is standard input. It must be UTF-8
 * without NUL. Errors  IO, NOT_FOUND, TOO_LARGE, SYNTAX */
int er_input_file(
    const char *path, struct er_buf *out, struct errand_error *err);

/* Append standard input, whole. Says on standard error that it waits if
 * nothing comes for two seconds. Errors as er_input_file. */
int er_input_stdin(
    struct er_cli *cli, struct er_buf *out, struct errand_error *err);

/* True if standard input is no terminal: a pipe, a file, nothing. */
bool er_input_is_piped(void);

/* Lines of a descriptor, read ahead in large pieces. */
struct er_lines {
    int fd;
    struct er_buf buf; /* what was read and not given out yet */
    size_t pos;        /* of the next line in buf */
    bool eof;
    int64_t number; /* of the line given last, from 1 */
};

void er_lines_init(struct er_lines *l, int fd);
void er_lines_release(struct er_lines *l);

/* The next line without its end, NUL-terminated, borrowed until the next
 * call. 1: a line; 0: the end; -1: err says why (a line over 64 MiB is
 * skipped: the next call goes on behind it). */
int er_lines_next(struct er_lines *l, const char **line, size_t *len,
    struct errand_error *err);

/* True if er_lines_next would answer without waiting. */
bool er_lines_ready(const struct er_lines *l);

/* True if a text holds nothing but white space. */
bool er_input_is_blank(const char *text, size_t len);

#endif
