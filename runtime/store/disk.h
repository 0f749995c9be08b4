/* What lies around a database file: its folder, its locks, its file system.
 */
#ifndef ERRAND_STORE_DISK_H
#define ERRAND_STORE_DISK_H

#include "base/error.h"

#include <stdbool.h>

/* path with end behind it; NULL: no memory. Caller frees with free(). [any] */
char *er_disk_name(const char *path, const char *end);

/* path without symbolic links, so that everybody who means one file locks the
 * same name. Its folder must exist. NULL on failure. Caller frees with
 * free(). [any] */
char *er_disk_resolve(const char *path, struct errand_error *err);

/* Make the folder that path lies in, with its parents, mode 0700. [any] */
int er_disk_make_folder(const char *path, struct errand_error *err);

/* Refuse a file on a network file system, where SQLite's shared memory and
 * locks do not hold; disk_*.c, one per system. Errors STORE. [any] */
int er_disk_check_local(const char *path, struct errand_error *err);

/* Open (and make, mode 0600) path with suffix behind it. *fd is -1 on
 * failure. [any] */
int er_disk_open_beside(
    const char *path, const char *suffix, int *fd, struct errand_error *err);

/* Make an empty file, mode 0600, unless there is one. [any] */
int er_disk_touch(const char *path, struct errand_error *err);

/* Lock fd against every other holder, waiting at most wait_ms; BUSY when
 * that is over. [any] */
int er_disk_lock(
    int fd, int64_t wait_ms, const char *path, struct errand_error *err);
void er_disk_unlock(int fd);

#endif
