/* The folders and files that a worker was granted, held open since before
 * it was locked: a path is looked up below them, never from the top. */
#ifndef ERRAND_WORKER_ROOTS_H
#define ERRAND_WORKER_ROOTS_H

#include "base/json.h"

#include <stdbool.h>
#include <stddef.h>

enum { ER_ROOTS_MOST = 64 };

struct er_root {
    char *given; /* as it was asked for; absolute, without . and .. */
    char *real;  /* links followed; NULL: nothing is there */
    int fd;      /* O_PATH; -1: nothing is there */
    bool is_folder;
};

struct er_roots {
    struct er_root *list;
    size_t n;
};

/* Open a list of paths (NULL: none); one that leads nowhere grants nothing.
 * make: a folder that is missing is made. False: out of memory, or the list
 * is no list of at most ER_ROOTS_MOST texts. */
bool er_roots_open(struct er_roots *roots, const json_t *list, bool make);

/* Open programs: whole paths, or names in the usual folders of programs. */
bool er_roots_open_programs(struct er_roots *roots, const json_t *list);

void er_roots_release(struct er_roots *roots);

/* The absolute form of path in out, a buffer of PATH_MAX: from the folder
 * cwd, without empty parts, "." and "..", and no slash at its end. False: it
 * does not fit. Touches no file. */
bool er_path_absolute(const char *cwd, const char *path, char *out);

/* What of path lies below root ("" if it is root itself), or NULL. Both
 * absolute. */
const char *er_path_below(const char *path, const char *root);

#endif
