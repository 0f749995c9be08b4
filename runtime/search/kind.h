/* What kind of document a file is: by its name, then by its bytes. */
#ifndef ERRAND_SEARCH_KIND_H
#define ERRAND_SEARCH_KIND_H

#include <stdbool.h>
#include <stddef.h>

enum er_kind {
    ER_KIND_UNKNOWN = 0, /* or binary: not read */
    ER_KIND_TEXT = 1,
    ER_KIND_MARKDOWN = 2,
    ER_KIND_HTML = 3,
    ER_KIND_CODE = 4,
    ER_KIND_JSONL = 5,
    ER_KIND_CSV = 6,
    ER_KIND_PDF = 7,
    ER_KIND_OFFICE = 8,
};

/* "text", "markdown" ... [any] */
const char *er_kind_name(enum er_kind kind);

/* The kind with this name; UNKNOWN: there is none. [any] */
enum er_kind er_kind_named(const char *name);

/* What a file's name says; UNKNOWN: nothing. [any] */
enum er_kind er_kind_of_name(const char *path);

/* True if bytes are no text: a NUL or many control characters among the
 * first ones, and no mark of UTF-16. [any] */
bool er_kind_is_binary(const char *bytes, size_t len);

#endif
