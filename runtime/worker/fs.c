/* ctx.fs: reading below the folders that permissions.read grants.
 *
 *   fs.read(path [, offset [, length]])  text, size of the file
 *   fs.list(path)   { { name, type, size }, ... } sorted by name
 *   fs.stat(path)   { type, size, mtime }, or nil if there is nothing
 * type is "file", "folder", "link" (list only) or "other". Everything else
 * that goes wrong raises, with the path in the message.
 *
 * Paths are relative to the working folder. The real path, links followed,
 * must lie in a granted folder: said before anything else, so that a tool
 * cannot ask what exists elsewhere.
 */
#include "ctx.h"
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    READ_MOST = 8 * 1024 * 1024, /* bytes of one read */
    LIST_MOST = 100000,          /* entries of one folder */
};

/* ------------------------------------------------------- what is granted */

/* Real paths of the roots; one that does not exist grants nothing. */
static void find_roots(struct er_host *h)
{
    const json_t *read = json_object_get(h->permissions, "read");
    h->roots_known = true;
    for (size_t i = 0; i < json_array_size(read); i++) {
        const char *root = json_string_value(json_array_get(read, i));
        char *real = root ? realpath(root, NULL) : NULL;
        if (real && h->root_count < ER_HOST_ROOTS)
            h->roots[h->root_count++] = real;
        else
            free(real);
    }
}

static bool is_below(const char *path, const char *root)
{
    size_t n = strlen(root);
    if (n == 1) /* "/" */
        return true;
    return strncmp(path, root, n) == 0 && (path[n] == '/' || !path[n]);
}

static bool is_granted(struct er_host *h, const char *real)
{
    if (!h->roots_known)
        find_roots(h);
    for (size_t i = 0; i < h->root_count; i++)
        if (is_below(real, h->roots[i]))
            return true;
    return false;
}

/* Real path of the nearest ancestor that exists, into h->real. */
static bool find_ancestor(struct er_host *h, const char *path)
{
    char part[PATH_MAX];
    size_t n = strlen(path);
    while (n > 0) {
        while (n > 0 && path[n - 1] != '/')
            n--;
        while (n > 1 && path[n - 1] == '/')
            n--;
        if (n == 0)
            return realpath(".", h->real) != NULL;
        memcpy(part, path, n);
        part[n] = '\0';
        if (realpath(part, h->real))
            return true;
        if (n == 1)
            return false;
    }
    return false;
}

static int fail_denied(lua_State *L, const char *path)
{
    return luaL_error(
        L, "'%s' is outside of the folders this tool may read", path);
}

static int fail_errno(lua_State *L, const char *what, const char *path)
{
    int saved = errno;
    char text[96] = "";
    if (strerror_r(saved, text, sizeof text) != 0)
        text[0] = '\0';
    return luaL_error(L, "cannot %s '%s': %s", what, path, text);
}

/* The path argument: its real path in h->real. False: nothing is there, and
 * that may be said. Raises if it is not granted. */
static bool resolve(lua_State *L, struct er_host *h, const char **path)
{
    size_t len;
    *path = luaL_checklstring(L, 1, &len);
    if (strlen(*path) != len || len >= PATH_MAX)
        luaL_error(L, "not a path: it holds a NUL or is too long");
    const char *name = len ? *path : ".";
    bool there = realpath(name, h->real) != NULL;
    int why = errno;
    if (!there && !find_ancestor(h, name))
        fail_denied(L, *path);
    if (!is_granted(h, h->real))
        fail_denied(L, *path);
    errno = why;
    return there;
}

/* ----------------------------------------------------------------- read */

static int64_t open_file(
    lua_State *L, struct er_host *h, const char *path)
{
    struct stat st;
    er_host_close_slots(h); /* of a read that raised and was caught */
    h->fd = open(h->real, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    if (h->fd < 0 || fstat(h->fd, &st) != 0)
        fail_errno(L, "read", path);
    if (S_ISDIR(st.st_mode))
        luaL_error(L, "cannot read '%s': it is a folder", path);
    if (!S_ISREG(st.st_mode))
        luaL_error(L, "cannot read '%s': it is not a file", path);
    return st.st_size;
}

static void close_file(struct er_host *h)
{
    close(h->fd);
    h->fd = -1;
}

/* Read up to want bytes at offset into a Lua string on the stack. */
static void push_bytes(
    lua_State *L, struct er_host *h, int64_t offset, size_t want)
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
            fail_errno(L, "read", h->real);
        if (n == 0)
            break;
        have += (size_t)n;
    }
    luaL_pushresultsize(&b, have);
}

static int fs_read(lua_State *L)
{
    struct er_host *h = er_host_of(L);
    const char *path;
    lua_Integer offset = luaL_optinteger(L, 2, 0);
    lua_Integer length = luaL_optinteger(L, 3, -1);
    luaL_argcheck(L, offset >= 0, 2, "must not be negative");
    if (!resolve(L, h, &path))
        return fail_errno(L, "read", path);
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
    push_bytes(L, h, offset, (size_t)want);
    close_file(h);
    lua_pushinteger(L, size);
    return 2;
}

/* ----------------------------------------------------------------- list */

static const char *mode_name(mode_t mode)
{
    if (S_ISREG(mode))
        return "file";
    if (S_ISDIR(mode))
        return "folder";
    return S_ISLNK(mode) ? "link" : "other";
}

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
        fail_errno(L, "list", path);
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
    lua_pushstring(L, known ? mode_name(st.st_mode) : "other");
    lua_setfield(L, -2, "type");
    lua_pushinteger(L, known ? (lua_Integer)st.st_size : 0);
    lua_setfield(L, -2, "size");
}

static int fs_list(lua_State *L)
{
    struct er_host *h = er_host_of(L);
    const char *path;
    if (!resolve(L, h, &path))
        return fail_errno(L, "list", path);
    er_host_close_slots(h);
    h->dir = opendir(h->real);
    if (!h->dir)
        return fail_errno(L, "list", path);
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
    const char *path;
    struct stat st;
    if (!resolve(L, h, &path)) {
        if (errno == ENOENT || errno == ENOTDIR)
            return 0;
        return fail_errno(L, "look at", path);
    }
    if (stat(h->real, &st) != 0)
        return fail_errno(L, "look at", path);
    lua_createtable(L, 0, 3);
    lua_pushstring(L, mode_name(st.st_mode));
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
}
