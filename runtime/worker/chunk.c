/* Reading, compiling and keeping tool files. */
#include "chunk.h"

#include "base/sha256.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_SIZE = 32 * 1024 };

static void free_chunk(struct er_chunk *chunk)
{
    if (!chunk)
        return;
    er_buf_release(&chunk->source);
    er_buf_release(&chunk->code);
    free(chunk->path);
    free(chunk);
}

void er_chunks_release(struct er_chunks *c)
{
    for (size_t i = 0; i < ER_CHUNK_CACHE; i++) {
        free_chunk(c->list[i]);
        c->list[i] = NULL;
    }
}

static struct er_chunk **slot_of(struct er_chunks *c, const char *path)
{
    for (size_t i = 0; i < ER_CHUNK_CACHE; i++)
        if (c->list[i] && strcmp(c->list[i]->path, path) == 0)
            return &c->list[i];
    return NULL;
}

static bool is_current(const struct er_chunk *chunk, const struct stat *st)
{
    return chunk->device == (uint64_t)st->st_dev &&
           chunk->inode == (uint64_t)st->st_ino &&
           chunk->size == (int64_t)st->st_size &&
           chunk->changed.tv_sec == st->st_mtim.tv_sec &&
           chunk->changed.tv_nsec == st->st_mtim.tv_nsec;
}

static int fail_open(const char *path, struct errand_error *err)
{
    int code = errno == ENOENT || errno == ENOTDIR ? ERRAND_NOT_FOUND
                                                   : ERRAND_IO;
    return er_fail_errno(err, code, "cannot read %s", path);
}

/* All bytes of fd into out. */
static int read_all(
    int fd, const char *path, struct er_buf *out, struct errand_error *err)
{
    for (;;) {
        if (!er_buf_reserve(out, READ_SIZE))
            return er_fail(err, ERRAND_TOO_LARGE,
                "%s is over 1 MiB: a tool is one small file", path);
        ssize_t n = read(fd, out->data + out->len, READ_SIZE);
        if (n < 0 && errno != EINTR)
            return fail_open(path, err);
        if (n == 0)
            return ERRAND_OK;
        if (n > 0)
            out->len += (size_t)n;
        out->data[out->len] = '\0';
    }
}

static struct er_chunk *new_chunk(const char *path, const struct stat *st)
{
    struct er_chunk *chunk = calloc(1, sizeof *chunk);
    if (!chunk)
        return NULL;
    chunk->path = er_strdup(path);
    chunk->device = (uint64_t)st->st_dev;
    chunk->inode = (uint64_t)st->st_ino;
    chunk->size = (int64_t)st->st_size;
    chunk->changed = st->st_mtim;
    er_buf_init(&chunk->source, ER_CHUNK_SOURCE + READ_SIZE);
    er_buf_init(&chunk->code, ER_CHUNK_CODE);
    if (!chunk->path) {
        free_chunk(chunk);
        return NULL;
    }
    return chunk;
}

static struct er_chunk *read_chunk(
    int fd, const char *path, struct errand_error *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0) {
        fail_open(path, err);
        return NULL;
    }
    if (!S_ISREG(st.st_mode)) {
        er_fail(err, ERRAND_IO, "cannot read %s: it is not a file", path);
        return NULL;
    }
    struct er_chunk *chunk = new_chunk(path, &st);
    if (!chunk) {
        er_nomem(err);
        return NULL;
    }
    if (read_all(fd, path, &chunk->source, err) != ERRAND_OK) {
        free_chunk(chunk);
        return NULL;
    }
    char hex[65];
    er_sha256_hex(er_buf_str(&chunk->source), chunk->source.len, hex);
    memcpy(chunk->version, hex, 16);
    return chunk;
}

struct er_chunk *er_chunk_find(struct er_chunks *c, const char *path,
    bool with_source, struct errand_error *err)
{
    struct stat st;
    struct er_chunk **slot = slot_of(c, path);
    if (slot && !with_source && stat(path, &st) == 0 &&
        is_current(*slot, &st))
        return *slot;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        fail_open(path, err);
        return NULL;
    }
    struct er_chunk *chunk = read_chunk(fd, path, err);
    close(fd);
    if (!chunk)
        return NULL;
    if (!slot) {
        slot = &c->list[c->next];
        c->next = (c->next + 1) % ER_CHUNK_CACHE;
    }
    free_chunk(*slot);
    *slot = chunk;
    return chunk;
}

static int add_code(lua_State *L, const void *p, size_t size, void *ud)
{
    (void)L;
    return er_buf_add(ud, p, size) ? 0 : 1;
}

/* Where the Lua text begins: after a byte order mark and, if the first line
 * is one for the shell, at its line break, so that lines count right. */
static const char *skip_head(const struct er_buf *source)
{
    const char *s = er_buf_str(source);
    if (er_starts_with(s, "\xEF\xBB\xBF"))
        s += 3;
    if (*s == '#')
        s += strcspn(s, "\n");
    return s;
}

void er_chunk_push(lua_State *L, struct er_chunk *chunk)
{
    const char *name = lua_pushfstring(L, "@%s", chunk->path);
    if (chunk->code.len > 0) { /* our own dump, never a file's bytes */
        if (luaL_loadbufferx(
                L, chunk->code.data, chunk->code.len, name, "b") != LUA_OK)
            lua_error(L);
    } else {
        const char *s = skip_head(&chunk->source);
        const char *end = er_buf_str(&chunk->source) + chunk->source.len;
        if (luaL_loadbufferx(L, s, (size_t)(end - s), name, "t") != LUA_OK)
            lua_error(L);
        if (lua_dump(L, add_code, &chunk->code, 0) != 0)
            er_buf_release(&chunk->code); /* works, but uncached */
    }
    lua_remove(L, -2);
}
