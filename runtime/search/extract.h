/* A file's bytes as text that can be cut into chunks.
 *
 * Text is taken as it is; other charsets become UTF-8, web pages lose their
 * markup, and for PDF and office files the programs that read them are asked:
 * pdftotext (poppler-utils) and pandoc, where they are installed. They are
 * started with an argument vector, never by a shell, with limits on time,
 * memory and output, and with nothing open but their pipes.
 */
#ifndef ERRAND_SEARCH_EXTRACT_H
#define ERRAND_SEARCH_EXTRACT_H

#include "base/buf.h"
#include "base/error.h"
#include "search/kind.h"

#include <stdbool.h>

enum {
    ER_DOCUMENT_MOST = 64 * 1024 * 1024, /* bytes of a file, and of its text */
    ER_PROGRAM_SECONDS = 60
};

struct er_extract {
    enum er_kind kind;   /* in: by name; out: what it is */
    struct er_buf text;  /* valid UTF-8 without NUL */
    bool converted;      /* text is not the file's bytes */
    char title[301];     /* that the format carries; "" */
};

/* Read bytes, which came from path. False with why in err: SYNTAX (no text
 * in it, binary), UNSUPPORTED (a program is missing; says which), TOOL (it
 * failed), TOO_LARGE, NOMEM. Release text in any case. [any] */
int er_extract(struct er_extract *x, const char *path, const char *bytes,
    size_t len, struct errand_error *err);

/* Run a program and gather what it prints: argv ended by NULL, looked up in
 * PATH; at most out->max bytes and seconds. Errors UNSUPPORTED (there is no
 * such program), TOOL, TOO_LARGE, TIMEOUT, NOMEM. [any] */
int er_program_run(const char *const *argv, int seconds, struct er_buf *out,
    struct errand_error *err);

#endif
