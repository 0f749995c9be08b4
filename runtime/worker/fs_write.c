/* The part of ctx.fs that changes files, below the folders that
 * permissions.write grants.
 *
 *   fs.write(path, text)    the whole file anew, at once: whoever reads it
 *                           meanwhile sees the old text or the new one
 *   fs.append(path, text)   to the end of a file; it is made if it is missing
 *   fs.mkdir(path)          a folder, and those above it; one that is there
 *                           is fine
 *   fs.rename(from, to)     what is there at `to` is replaced
 *   fs.remove(path)         a file or an empty folder
 *
 * Links are not written through: the path must name the file itself. What
 * guard.h keeps is not changed, made, moved or removed.
 */
#define _GNU_SOURCE /* O_PATH */
#include "fs.h"

#include "base/clock.h"
#include "cage.h"

#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { NEW_FILE = 0666, NEW_FOLDER = 0777 };

/* What a path names: an entry of a folder that lies below a root, or (fd)
 * a file that is a root itself. */
struct target {
    const char *path;
    char name[NAME_MAX + 1];
    bool is_there;
    struct stat st; /* if it is there */
};

/* Find the entry; its folder is open in h->fd. */
static void find_entry(
    lua_State *L, struct er_host *h, const char *what, struct target *t)
{
    h->fd = er_fs_open_parent(L, &h->cage->write, t->path, t->name);
    if (h->fd < 0)
        er_fs_fail(L, what, t->path);
    t->is_there = fstatat(h->fd, t->name, &t->st, AT_SYMLINK_NOFOLLOW) == 0;
    if (!t->is_there && errno != ENOENT)
        er_fs_fail(L, what, t->path);
    if (er_guard_is_fixed(&h->cage->guard, h->fd, t->name))
        luaL_error(L,
            "cannot %s '%s': it belongs to errand's store, configuration or "
            "tools",
            what, t->path);
}

/* A file, and no other thing, may be there. */
static void check_file(lua_State *L, const char *what, const struct target *t)
{
    if (!t->is_there || S_ISREG(t->st.st_mode))
        return;
    const char *is = S_ISDIR(t->st.st_mode)   ? "it is a folder"
                     : S_ISLNK(t->st.st_mode) ? "it is a link; name the file"
                                              : "it is not a file";
    luaL_error(L, "cannot %s '%s': %s", what, t->path, is);
}

static bool write_all(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, text, len);
        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0) {
            text += n;
            len -= (size_t)n;
        }
    }
    return true;
}

/* The root that is this very file, or NULL. */
static const struct er_root *find_file_root(
    struct er_host *h, const char *path)
{
    char absolute[PATH_MAX];
    if (!er_path_absolute(h->cwd, path, absolute))
        return NULL;
    for (size_t i = 0; i < h->cage->write.n; i++) {
        const struct er_root *root = &h->cage->write.list[i];
        if (root->fd >= 0 && !root->is_folder &&
            (strcmp(root->given, absolute) == 0 ||
                (root->real && strcmp(root->real, absolute) == 0)))
            return root;
    }
    return NULL;
}

/* A file that was granted alone: nothing can be put beside it, so it is
 * written in place. */
static void write_root(lua_State *L, struct er_host *h, const char *what,
    const char *path, const char *text, size_t len, int flags)
{
    struct stat st;
    const struct er_root *root = find_file_root(h, path);
    h->fd = open(root->real ? root->real : root->given,
        O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | flags);
    if (h->fd < 0 || fstat(h->fd, &st) != 0)
        er_fs_fail(L, what, path);
    if (!S_ISREG(st.st_mode))
        luaL_error(L, "cannot %s '%s': it is not a file", what, path);
    if (st.st_nlink > 1 || er_guard_is_secret(&h->cage->guard, &st))
        luaL_error(L, "cannot %s '%s': it has other names", what, path);
    if (!(flags & O_APPEND) && ftruncate(h->fd, 0) != 0)
        er_fs_fail(L, what, path);
    if (!write_all(h->fd, text, len))
        er_fs_fail(L, what, path);
    er_host_close_slots(h);
}

/* The new text under a name of its own, in the folder of the old. 0, or
 * errno. */
static int write_beside(int dir, const char *name, mode_t mode,
    const char *text, size_t len)
{
    int fd = openat(dir, name,
        O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0)
        return errno;
    int why = write_all(fd, text, len) ? 0 : errno;
    if (close(fd) != 0 && why == 0)
        why = errno;
    if (why != 0)
        unlinkat(dir, name, 0);
    return why;
}

static int fs_write(lua_State *L)
{
    struct er_host *h = er_host_of(L);
    struct target t = {.path = er_fs_path(L, 1)};
    size_t len;
    char beside[64];
    const char *text = luaL_checklstring(L, 2, &len);
    er_host_close_slots(h);
    if (find_file_root(h, t.path)) {
        write_root(L, h, "write", t.path, text, len, 0);
        return 0;
    }
    find_entry(L, h, "write", &t);
    check_file(L, "write", &t);
    snprintf(beside, sizeof beside, ".errand-%ld-%llx.tmp", (long)getpid(),
        (unsigned long long)(h->seed ^ (uint64_t)er_mono_ms()));
    int why = write_beside(h->fd, beside,
        t.is_there ? t.st.st_mode & 0777 : NEW_FILE, text, len);
    if (why == 0 && renameat(h->fd, beside, h->fd, t.name) != 0) {
        why = errno;
        unlinkat(h->fd, beside, 0);
    }
    if (why != 0) {
        errno = why;
        er_fs_fail(L, "write", t.path);
    }
    er_host_close_slots(h);
    return 0;
}

static int fs_append(lua_State *L)
{
    struct er_host *h = er_host_of(L);
    struct target t = {.path = er_fs_path(L, 1)};
    size_t len;
    const char *text = luaL_checklstring(L, 2, &len);
    er_host_close_slots(h);
    if (find_file_root(h, t.path)) {
        write_root(L, h, "append to", t.path, text, len, O_APPEND);
        return 0;
    }
    find_entry(L, h, "append to", &t);
    check_file(L, "append to", &t);
    int fd = openat(h->fd, t.name,
        O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY |
            O_CLOEXEC,
        NEW_FILE);
    if (fd < 0 || fstat(fd, &t.st) != 0)
        er_fs_fail(L, "append to", t.path);
    er_host_close_slots(h);
    h->fd = fd;
    if (!S_ISREG(t.st.st_mode))
        luaL_error(L, "cannot append to '%s': it is not a file", t.path);
    if (t.st.st_nlink > 1) /* it could be anything, elsewhere */
        luaL_error(L, "cannot append to '%s': it has other names", t.path);
    if (!write_all(fd, text, len))
        er_fs_fail(L, "append to", t.path);
    er_host_close_slots(h);
    return 0;
}

/* Is there a folder already? Raises if there is something else. */
static bool is_folder(lua_State *L, struct er_host *h, const char *path)
{
    struct stat st;
    h->fd = er_fs_open(L, &h->cage->write, path, O_PATH);
    if (h->fd < 0)
        return false;
    bool ok = fstat(h->fd, &st) == 0 && S_ISDIR(st.st_mode);
    er_host_close_slots(h);
    if (!ok)
        luaL_error(L, "cannot make the folder '%s': a file is there", path);
    return true;
}

static int fs_mkdir(lua_State *L)
{
    struct er_host *h = er_host_of(L);
    char path[PATH_MAX];
    const char *given = er_fs_path(L, 1);
    er_host_close_slots(h);
    if (is_folder(L, h, given))
        return 0;
    if (!er_path_absolute(h->cwd, given, path))
        return luaL_error(L, "not a path: it is too long");
    for (char *p = path + 1;; p++) { /* the whole way, part by part */
        p += strcspn(p, "/");
        char rest = *p;
        *p = '\0';
        const char *below = NULL;
        for (size_t i = 0; i < h->cage->write.n && !below; i++)
            below = er_path_below(path, h->cage->write.list[i].given);
        if (below && *below && !is_folder(L, h, path)) {
            struct target t = {.path = path};
            find_entry(L, h, "make the folder", &t);
            if (mkdirat(h->fd, t.name, NEW_FOLDER) != 0 && errno != EEXIST)
                return er_fs_fail(L, "make the folder", given);
            er_host_close_slots(h);
        }
        *p = rest;
        if (!rest)
            break;
    }
    if (!is_folder(L, h, given))
        return er_fs_fail(L, "make the folder", given);
    return 0;
}

static int fs_remove(lua_State *L)
{
    struct er_host *h = er_host_of(L);
    struct target t = {.path = er_fs_path(L, 1)};
    er_host_close_slots(h);
    find_entry(L, h, "remove", &t);
    int flags = t.is_there && S_ISDIR(t.st.st_mode) ? AT_REMOVEDIR : 0;
    if (unlinkat(h->fd, t.name, flags) != 0)
        er_fs_fail(L, "remove", t.path);
    er_host_close_slots(h);
    return 0;
}

static int fs_rename(lua_State *L)
{
    struct er_host *h = er_host_of(L);
    struct target from = {.path = er_fs_path(L, 1)},
                  to = {.path = er_fs_path(L, 2)};
    er_host_close_slots(h);
    find_entry(L, h, "rename", &from);
    if (from.is_there && S_ISDIR(from.st.st_mode) &&
        er_guard_is_above(&h->cage->guard, &from.st))
        luaL_error(L,
            "cannot rename '%s': errand's store, configuration or tools lie "
            "in it",
            from.path);
    h->fd_2 = h->fd;
    h->fd = -1;
    find_entry(L, h, "rename to", &to);
    if (renameat(h->fd_2, from.name, h->fd, to.name) != 0)
        er_fs_fail(L, "rename", from.path);
    er_host_close_slots(h);
    return 0;
}

void er_fs_push_writers(lua_State *L)
{
    static const luaL_Reg functions[] = {{"write", fs_write},
        {"append", fs_append}, {"mkdir", fs_mkdir}, {"remove", fs_remove},
        {"rename", fs_rename}, {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
}
