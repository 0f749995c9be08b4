/* What no tool may touch, even inside a folder that was granted to it: the
 * store's files, which it may not even read, and what decides about the next
 * run: configuration files and the folders of tools.
 *
 * It goes by what a file is (device and inode) and, for what is not there
 * yet, by folder and name. The paths are looked up each time: the store's
 * files come and go.
 */
#ifndef ERRAND_WORKER_GUARD_H
#define ERRAND_WORKER_GUARD_H

#include "base/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

enum { ER_GUARD_MOST = 128 };

struct er_guard {
    char **secret; /* absolute paths */
    char **fixed;
    size_t secrets, fixeds;
};

/* Take the lists "secret" and "fixed" of a lock request. False: out of
 * memory, or they are no lists of texts. */
bool er_guard_open(struct er_guard *g, const json_t *request);
void er_guard_release(struct er_guard *g);

/* Is this file one of the secret ones? */
bool er_guard_is_secret(const struct er_guard *g, const struct stat *st);

/* Must the name in the open folder dir not be made, changed or removed?
 * Whether it is there does not matter. */
bool er_guard_is_fixed(const struct er_guard *g, int dir, const char *name);

/* Does anything that is guarded lie below this folder? */
bool er_guard_is_above(const struct er_guard *g, const struct stat *folder);

#endif
