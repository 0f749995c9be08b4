/* Files written whole or not at all. */
#ifndef ERRAND_CLI_WRITE_H
#define ERRAND_CLI_WRITE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* A file under way: written beside its place, moved there at the end. */
struct er_write {
    FILE *file;
    char path[4096];
    char temporary[4096 + 32]; /* "" if path is no regular file */
};

/* Errors  IO, USAGE (name too long) */
int er_write_begin(
    struct er_write *w, const char *path, struct errand_error *err);

/* Flush and move into place. Errors IO; then the old file is untouched. */
int er_write_commit(struct er_write *w, struct errand_error *err);

/* Leave no trace; harmless after commit. */
void er_write_cancel(struct er_write *w);

/* All three at once. */
int er_write_file(const char *path, const char *text, size_t len,
    struct errand_error *err);

#endif
