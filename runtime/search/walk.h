/* Which files lie under some paths. */
#ifndef ERRAND_SEARCH_WALK_H
#define ERRAND_SEARCH_WALK_H

#include "base/arena.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct er_file {
    const char *path; /* absolute, without symbolic links in its folders */
    int64_t size, mtime_ns;
    bool named; /* it was asked for itself, not found in a folder */
};

struct er_files {
    size_t n, room;
    struct er_file *v;    /* sorted by path, each once */
    const char **roots;   /* the paths themselves, made absolute */
    size_t n_roots;
    struct er_arena arena;
};

enum { ER_FILES_MOST = 2000000 };

/* Gather the regular files at and under paths. In folders what begins with a
 * dot is left out unless hidden, and so are symbolic links, node_modules and
 * __pycache__. A path that is not there becomes a root without files; a
 * folder that cannot be read fails. Errors IO, TOO_LARGE, NOMEM. [any] */
int er_files_walk(struct er_files *f, const char *const *paths, size_t n,
    bool hidden, struct errand_error *err);
void er_files_release(struct er_files *f);

/* path absolute, by its folder's real name if there is no such file; caller
 * frees with free(); NULL: no memory. [any] */
char *er_path_absolute(const char *path);

#endif
