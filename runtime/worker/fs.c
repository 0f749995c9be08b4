/* ctx.fs: files below the folders that permissions.read and .write grant.
 *
 *   fs.read(path [, offset [, length]])  text, size of the file
 *   fs.list(path)   { { name, type, size }, ... } sorted by name
 *   fs.stat(path)   { type, size, mtime }, or nil if there is nothing
 * and what changes files (fs_write.c). type is "file", "folder", "link"
 * (list only) or "other". Everything else that goes wrong raises, with the
 * path in the message.
 *
 * Paths are relative to the working folder. The store's own files are not
 * read even inside a granted folder (guard.h). What is neither file nor
 * folder is never opened: a FIFO would wait, a device would act.
 */
#define _GNU_SOURCE /* O_PATH */
#include "fs.h"

#include "cage.h"
#include "ctx.h"

#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    READ_MOST = 8 * 1024 * 1024, /* bytes of one read */
    LIST_MOST = 100000,          /* entries of one folder */
};

const char *er_fs_type(mode_t mode)
{
    if (S_ISREG(mode))
        return "file";
    if (S_ISDIR(mode))
        return "folder";
    return S_ISLNK(mode) ? "link" : "other";
}

/* ----------------------------------------------------------------- read */

/* Look at it before it is opened. */
static void check_file(lua_State *L, struct er_host *h, const char *path)
{
    struct stat st;
    h->fd = er_fs_open(L, &h->cage->read, path, O_PATH);
    if (h->fd < 0 || fstat(h->fd, &st) != 0)
        er_fs_fail(L, "read", path);
    if (S_ISDIR(st.st_mode))
        luaL_error(L, "cannot read '%s': it is a folder", path);
    if (!S_ISREG(st.st_mode))
        luaL_error(L, "cannot read '%s': it is not a file", path);
    er_host_close_slots(h);
}

static int64_t open_file(lua_State *L, struct er_host *h, const char *path)
{
    struct stat st;
    er_host_close_slots(h); /* of a read that raised and was caught */
    check_file(L, h, path);
    h->fd = er_fs_open(
        L, &h->cage->read, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (h->fd < 0 || fstat(h->fd, &st) != 0)
        er_fs_fail(L, "read", path);
    if (!S_ISREG(st.st_mode))
        luaL_error(L, "cannot read '%s': it is not a file", path);
    if (er_guard_is_secret(&h->cage->guard, &st))
        luaL_error(L, "cannot read '%s': it belongs to errand's store", path);
    return st.st_size;
}

static void close_file(struct er_host *h)
{
    close(h->fd);
    h->fd = -1;
}

/* Read up to want bytes at offset into a Lua string on the stack. */
static void push_bytes(lua_State *L, struct er_host *h, const char *path,
    int64_t offset, size_t want)
{
    luaL_Buffer b;
    char *to = luaL_buffinitsize(L, &b, want ? want : 1);
    size_t have = 0;
    while (have < want) {
        ssize_t n = pread(
            h->fd, to + have, want - have, (off_t)(offset + (off_t)have));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            er_fs_fail(L, "read", path);
        if (n == 0)
            break;
        have += (size_t)n;
    }
    luaL_pushresultsize(&b, have);
}

static int fs_read(lua_State *L)
{
    struct er_host *h = er_host_of(L);
    const char *path = er_fs_path(L, 1);
    lua_Integer offset = luaL_optinteger(L, 2, 0);
    lua_Integer length = luaL_optinteger(L, 3, -1);
    luaL_argcheck(L, offset >= 0, 2, "must not be negative");
    int64_t size = open_file(L, h, path);
    int64_t want = size > offset ? size - offset : 0;
    if (length >= 0 && want > length)
        want = length;
    if (want > READ_MOST) {
        close_file(h);
        return luaL_error(L,
            "'%s' has %d MiB; read at most 8 MiB at once: "
            "fs.read(path, offset, length)",
            path, (int)(size / (1024 * 1024)));
    }
    push_bytes(L, h, path, offset, (size_t)want);
    close_file(h);
    lua_pushinteger(L, size);
    return 2;
}

/* ----------------------------------------------------------------- list */

/* All names of h->dir into h->scratch, each with its NUL. */
static size_t collect_names(
    lua_State *L, struct er_host *h, const char *path)
{
    size_t n = 0;
    struct dirent *entry;
    er_buf_reset(&h->scratch);
    while ((errno = 0, entry = readdir(h->dir)) != NULL) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            continue;
        if (++n > LIST_MOST)
            luaL_error(L, "'%s' has over 100000 entries", path);
        if (!er_buf_add(&h->scratch, name, strlen(name) + 1))
            luaL_error(L, "'%s' has too many entries", path);
    }
    if (errno)
        er_fs_fail(L, "list", path);
    return n;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Push a userdata with pointers to the collected names, sorted. */
static const char **push_sorted(lua_State *L, struct er_host *h, size_t n)
{
    const char **names =
        lua_newuserdatauv(L, (n ? n : 1) * sizeof *names, 0);
    const char *p = er_buf_str(&h->scratch);
    for (size_t i = 0; i < n; i++) {
        names[i] = p;
        p += strlen(p) + 1;
    }
    qsort(names, n, sizeof *names, by_name);
    return names;
}

static void push_entry(lua_State *L, struct er_host *h, const char *name)
{
    struct stat st;
    bool known = fstatat(dirfd(h->dir), name, &st, AT_SYMLINK_NOFOLLOW) == 0;
    lua_createtable(L, 0, 3);
    lua_pushstring(L, name);
    lua_setfield(L, -2, "name");
    lua_pushstring(L, known ? er_fs_type(st.st_mode) : "other");
    lua_setfield(L, -2, "type");
    lua_pushinteger(L, known ? (lua_Integer)st.st_size : 0);
    lua_setfield(L, -2, "size");
}

static int fs_list(lua_State *L)
{
    struct er_host *h = er_host_of(L);
    const char *path = er_fs_path(L, 1);
    er_host_close_slots(h);
    h->fd = er_fs_open(L, &h->cage->read, path, O_RDONLY | O_DIRECTORY);
    if (h->fd < 0)
        return er_fs_fail(L, "list", path);
    h->dir = fdopendir(h->fd);
    if (!h->dir)
        return er_fs_fail(L, "list", path);
    h->fd = -1; /* closed with the folder */
    size_t n = collect_names(L, h, path);
    const char **names = push_sorted(L, h, n);
    lua_createtable(L, (int)n, 0);
    for (size_t i = 0; i < n; i++) {
        push_entry(L, h, names[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    closedir(h->dir);
    h->dir = NULL;
    return 1;
}

/* ----------------------------------------------------------------- stat */

static int fs_stat(lua_State *L)
{
    struct er_host *h = er_host_of(L);
    const char *path = er_fs_path(L, 1);
    struct stat st;
    er_host_close_slots(h);
    h->fd = er_fs_open(L, &h->cage->read, path, O_PATH);
    if (h->fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return 0;
    if (h->fd < 0 || fstat(h->fd, &st) != 0)
        return er_fs_fail(L, "look at", path);
    close_file(h);
    lua_createtable(L, 0, 3);
    lua_pushstring(L, er_fs_type(st.st_mode));
    lua_setfield(L, -2, "type");
    lua_pushinteger(L, (lua_Integer)st.st_size);
    lua_setfield(L, -2, "size");
    lua_pushinteger(L, (lua_Integer)st.st_mtime);
    lua_setfield(L, -2, "mtime");
    return 1;
}

void er_fs_push(lua_State *L)
{
    static const luaL_Reg functions[] = {{"read", fs_read},
        {"list", fs_list}, {"stat", fs_stat}, {NULL, NULL}};
    luaL_newlib(L, functions);
    er_fs_push_writers(L);
}
