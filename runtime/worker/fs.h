/* What reading (fs.c), writing (fs_write.c) and finding the way
 * (fs_path.c) in ctx.fs share. */
#ifndef ERRAND_WORKER_FS_H
#define ERRAND_WORKER_FS_H

#include "host.h"
#include "roots.h"

#include <sys/stat.h>

/* The path at an index of the stack; raises if it is none. */
const char *er_fs_path(lua_State *L, int index);

/* Open what a path leads to, below the roots. Raises if it leads out of
 * them; -1 and errno if it cannot be opened for another reason. */
int er_fs_open(lua_State *L, const struct er_roots *roots, const char *path,
    int flags);

/* Open the folder that holds what path names, below the roots, and copy the
 * name (room for NAME_MAX + 1). The root itself has no such folder. Raises
 * as er_fs_open. */
int er_fs_open_parent(lua_State *L, const struct er_roots *roots,
    const char *path, char *name);

/* Raise "cannot WHAT 'path': why" by errno. */
int er_fs_fail(lua_State *L, const char *what, const char *path);

/* The type of a file as tools are told it. */
const char *er_fs_type(mode_t mode);

/* Set the functions that change files in the table on top. */
void er_fs_push_writers(lua_State *L);

#endif
