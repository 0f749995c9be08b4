/* From a path that a tool names to a descriptor below a root.
 *
 * A path is made absolute without touching a file; the root it begins with is
 * the folder from which the kernel opens the rest and never leaves
 * (beneath.h). A way over a link that is absolute, or that leads into another
 * root, is looked up once more by its real path, and then opened without any
 * link: who changes the tree meanwhile gets an error, never a file outside.
 *
 * Outside of the roots all answers are one: a tool cannot ask what exists
 * there.
 */
#define _GNU_SOURCE /* O_PATH */
#include "fs.h"

#include "beneath.h"
#include "cage.h"

#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *er_fs_path(lua_State *L, int index)
{
    size_t len;
    const char *path = luaL_checklstring(L, index, &len);
    if (strlen(path) != len || len >= PATH_MAX)
        luaL_error(L, "not a path: it holds a NUL or is too long");
    return len ? path : ".";
}

static const char *verb_of(lua_State *L, const struct er_roots *roots)
{
    return roots == &er_host_of(L)->cage->write ? "write" : "read";
}

static int fail_denied(
    lua_State *L, const struct er_roots *roots, const char *path)
{
    const char *verb = verb_of(L, roots);
    if (roots->n == 0)
        return luaL_error(L,
            "this tool may %s no files; it must declare permissions = "
            "{ %s = { \".\" } }",
            verb, verb);
    return luaL_error(
        L, "'%s' is outside of the folders this tool may %s", path, verb);
}

/* The root that path lies below, the nearest one, and what is left of it. */
static const struct er_root *find_root(const struct er_roots *roots,
    const char *path, bool by_real, const char **rest)
{
    const struct er_root *found = NULL;
    for (size_t i = 0; i < roots->n; i++) {
        const struct er_root *root = &roots->list[i];
        const char *name = by_real ? root->real : root->given;
        const char *left = name ? er_path_below(path, name) : NULL;
        if (left && *left && root->fd >= 0 && !root->is_folder)
            left = NULL;
        if (left && (!found || strlen(left) < strlen(*rest))) {
            found = root;
            *rest = left;
        }
    }
    return found;
}

/* The real path of what is there, or of its folder and its name. */
static bool find_real(const char *path, char *out)
{
    char above[PATH_MAX];
    const char *name = strrchr(path, '/') + 1;
    size_t n = (size_t)(name - path);
    if (realpath(path, out))
        return true;
    if (errno != ENOENT || n >= sizeof above)
        return false;
    memcpy(above, path, n);
    above[n] = '\0';
    if (!realpath(above, out) ||
        strlen(out) + 1 + strlen(name) >= PATH_MAX)
        return false;
    n = strlen(out);
    if (n > 1)
        out[n++] = '/';
    memcpy(out + n, name, strlen(name) + 1);
    return true;
}

/* A file that is a root itself. It is opened by its path, and must be the
 * one that was granted. */
static int open_file_root(const struct er_root *root, int flags)
{
    struct stat granted, got;
    int fd = open(root->real ? root->real : root->given,
        flags | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -1;
    if (fstat(root->fd, &granted) == 0 && fstat(fd, &got) == 0 &&
        granted.st_dev == got.st_dev && granted.st_ino == got.st_ino)
        return fd;
    close(fd);
    errno = EXDEV;
    return -1;
}

/* As er_fs_open, but -1 and EXDEV for what lies outside. path is absolute. */
static int open_below(
    const struct er_roots *roots, const char *path, int flags)
{
    char real[PATH_MAX];
    const char *rest = "";
    const struct er_root *root = find_root(roots, path, false, &rest);
    if (root && root->fd < 0) {
        errno = ENOENT;
        return -1;
    }
    if (root && !root->is_folder)
        return open_file_root(root, flags);
    if (root) {
        int fd = er_beneath_open(root->fd, rest, flags, 0, ER_LINKS_BELOW);
        if (fd >= 0 || (errno != EXDEV && errno != ELOOP))
            return fd;
    }
    root = find_real(path, real) ? find_root(roots, real, true, &rest) : NULL;
    if (!root || root->fd < 0) {
        errno = EXDEV;
        return -1;
    }
    return root->is_folder
               ? er_beneath_open(root->fd, rest, flags, 0, ER_LINKS_NONE)
               : open_file_root(root, flags);
}

int er_fs_open(lua_State *L, const struct er_roots *roots, const char *path,
    int flags)
{
    struct er_host *h = er_host_of(L);
    if (roots->n == 0 || !er_path_absolute(h->cwd, path, h->path))
        fail_denied(L, roots, path);
    int fd = open_below(roots, h->path, flags);
    if (fd < 0 && errno == EXDEV)
        fail_denied(L, roots, path);
    return fd;
}

int er_fs_open_parent(lua_State *L, const struct er_roots *roots,
    const char *path, char *name)
{
    struct er_host *h = er_host_of(L);
    if (roots->n == 0 || !er_path_absolute(h->cwd, path, h->path))
        fail_denied(L, roots, path);
    char *slash = strrchr(h->path, '/');
    size_t n = strlen(slash + 1);
    if (n == 0 || n > NAME_MAX)
        fail_denied(L, roots, path);
    memcpy(name, slash + 1, n + 1);
    slash[slash == h->path] = '\0';
    int fd = open_below(roots, h->path, O_PATH | O_DIRECTORY);
    if (fd < 0 && errno == EXDEV)
        fail_denied(L, roots, path);
    return fd;
}
