/* States, their memory and their deadline. */
#include "host.h"

#include "base/clock.h"
#include "base/frame.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HOOK_COUNT = 10000 }; /* instructions: about 0.1 ms */

/* Its address is the error that says "the deadline has passed". */
static const char stop_mark = 0;

void er_host_init(struct er_host *h, int sock)
{
    *h = (struct er_host){.sock = sock, .fd = -1};
    er_buf_init(&h->scratch, ER_FRAME_MAX);
}

/* Count what the state holds. Lua relies on shrinking never to fail. */
static void *count_alloc(void *ud, void *ptr, size_t osize, size_t nsize)
{
    struct er_host *h = ud;
    if (!ptr)
        osize = 0; /* Lua gives a type there */
    if (nsize == 0) {
        free(ptr);
        h->used -= osize;
        return NULL;
    }
    if (nsize > osize && nsize - osize > ER_HOST_MEMORY - h->used)
        return NULL;
    void *p = realloc(ptr, nsize);
    if (!p)
        return nsize <= osize ? ptr : NULL;
    h->used = h->used - osize + nsize;
    return p;
}

struct er_host *er_host_of(lua_State *L)
{
    struct er_host *h;
    memcpy(&h, lua_getextraspace(L), sizeof h);
    return h;
}

bool er_host_prepare(struct er_host *h)
{
    if (h->L)
        return true;
    h->used = 0;
    lua_State *L = lua_newstate(count_alloc, h);
    if (!L)
        return false;
    memcpy(lua_getextraspace(L), &h, sizeof h);
    lua_pushcfunction(L, er_globals_open);
    if (lua_pcall(L, 0, 0, 0) != LUA_OK) {
        lua_close(L);
        return false;
    }
    h->L = L;
    return true;
}

/* Remember where the innermost Lua code stands. */
static void note_where(lua_State *L, struct er_host *h)
{
    lua_Debug ar;
    h->where[0] = '\0';
    for (int level = 0; lua_getstack(L, level, &ar); level++) {
        if (!lua_getinfo(L, "Sl", &ar) || ar.currentline <= 0)
            continue;
        const char *path = ar.source[0] == '@' ? ar.source + 1 : ar.source;
        struct er_buf b;
        er_buf_init(&b, sizeof h->where - 1);
        if (er_buf_addf(&b, "%s:%d", path, ar.currentline))
            memcpy(h->where, b.data, b.len + 1);
        er_buf_release(&b);
        return;
    }
}

static int raise_stop(lua_State *L)
{
    lua_pushlightuserdata(L, (void *)(uintptr_t)&stop_mark);
    return lua_error(L);
}

static void on_count(lua_State *L, lua_Debug *ar)
{
    struct er_host *h = er_host_of(L);
    (void)ar;
    if (!h->stopped && er_mono_ms() < h->deadline_ms)
        return;
    if (!h->stopped)
        note_where(L, h);
    h->stopped = true;
    /* from now on every instruction raises: no pcall gets far */
    lua_sethook(L, on_count, LUA_MASKCOUNT | LUA_MASKLINE, 1);
    raise_stop(L);
}

void er_host_check(lua_State *L)
{
    if (er_host_of(L)->stopped)
        raise_stop(L);
}

static int on_error(lua_State *L)
{
    struct er_host *h = er_host_of(L);
    if (!h->stopped)
        note_where(L, h);
    return 1; /* the error value as it is */
}

int er_host_run(
    struct er_host *h, lua_CFunction fn, void *arg, int64_t timeout_ms)
{
    lua_State *L = h->L;
    h->stopped = false;
    h->where[0] = '\0';
    h->deadline_ms = er_mono_ms() + timeout_ms;
    lua_sethook(L, on_count, LUA_MASKCOUNT, HOOK_COUNT);
    lua_settop(L, 0);
    lua_pushcfunction(L, on_error);
    lua_pushcfunction(L, fn);
    lua_pushlightuserdata(L, arg);
    int status = lua_pcall(L, 1, 0, 1);
    if (h->stopped && status == LUA_OK) { /* swallowed after all */
        lua_pushnil(L);
        status = LUA_ERRRUN;
    }
    return status;
}

int64_t er_host_left_ms(const struct er_host *h)
{
    int64_t left = h->deadline_ms - er_mono_ms();
    return left > 0 ? left : 0;
}

void er_host_close_slots(struct er_host *h)
{
    if (h->fd >= 0)
        close(h->fd);
    h->fd = -1;
    if (h->dir)
        closedir(h->dir);
    h->dir = NULL;
}

void er_host_end(struct er_host *h)
{
    if (h->L)
        lua_close(h->L);
    h->L = NULL;
    h->deadline_ms = 0;
    h->permissions = NULL;
    er_host_close_slots(h);
    for (size_t i = 0; i < h->root_count; i++)
        free(h->roots[i]);
    h->root_count = 0;
    h->roots_known = false;
    er_buf_release(&h->scratch);
}
