/* States, their memory and their deadline. */
#include "host.h"

#include "base/clock.h"
#include "base/frame.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    HOOK_COUNT = 10000, /* instructions: about 0.1 ms */
    GC_PAUSE = 400,     /* percent: most calls end before a collection */
};

/* Its address is the error that says "the deadline has passed". */
static const char stop_mark = 0;

/* Its address is the registry key of math.randomseed. */
static const char seed_mark = 0;

void er_host_init(
    struct er_host *h, int sock, struct er_frame_reader *reader)
{
    *h = (struct er_host){.fd = -1, .fd_2 = -1};
    er_wire_init(&h->wire, sock, reader);
    er_buf_init(&h->scratch, ER_FRAME_MAX);
    if (!getcwd(h->cwd, sizeof h->cwd)) /* removed: nothing lies below it */
        memcpy(h->cwd, "/", 2);
    if (getentropy(&h->seed, sizeof h->seed) != 0)
        h->seed = (uint64_t)er_now_ms() ^ (uint64_t)getpid() << 40;
}

struct er_host *er_host_of(lua_State *L)
{
    struct er_host *h;
    memcpy(&h, lua_getextraspace(L), sizeof h);
    return h;
}

/* The state as every call finds it, but for its random numbers. */
static int open_state(lua_State *L)
{
    er_globals_open(L);
    lua_getglobal(L, "math");
    lua_getfield(L, -1, "randomseed");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &seed_mark);
    lua_settop(L, 0);
    lua_gc(L, LUA_GCCOLLECT);
    lua_gc(L, LUA_GCINC, GC_PAUSE, 0, 0);
    return 0;
}

static bool make_state(struct er_host *h)
{
    if (!er_heap_open(&h->heap, ER_HOST_MEMORY))
        return false;
    lua_State *L = lua_newstate(er_heap_alloc, &h->heap);
    if (L) {
        memcpy(lua_getextraspace(L), &h, sizeof h);
        lua_pushcfunction(L, open_state);
    }
    if (!L || lua_pcall(L, 0, 0, 0) != LUA_OK || !er_heap_keep(&h->heap)) {
        er_heap_close(&h->heap);
        return false;
    }
    h->L = L;
    return true;
}

/* All states come from one image, so each is given random numbers of its
 * own: a counter that began at random, well mixed. */
static bool seed_state(struct er_host *h)
{
    lua_State *L = h->L;
    uint64_t x = h->seed += 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &seed_mark);
    lua_pushinteger(L, (lua_Integer)(x ^ (x >> 31)));
    lua_pushinteger(L, (lua_Integer)h->seed);
    return lua_pcall(L, 2, 0, 0) == LUA_OK;
}

bool er_host_prepare(struct er_host *h)
{
    if (h->is_fresh)
        return true;
    if (h->L)
        er_heap_back(&h->heap);
    else if (!make_state(h))
        return false;
    h->is_fresh = seed_state(h);
    return h->is_fresh;
}

void er_host_note_where(lua_State *L, struct er_host *h)
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
    if (h->stopped || er_mono_ms() >= er_host_stop_ms(h))
        er_host_stop(L);
}

int er_host_stop(lua_State *L)
{
    struct er_host *h = er_host_of(L);
    if (!h->stopped)
        er_host_note_where(L, h);
    h->stopped = true;
    /* from now on every instruction raises: no pcall gets far */
    lua_sethook(L, on_count, LUA_MASKCOUNT | LUA_MASKLINE, 1);
    return raise_stop(L);
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
        er_host_note_where(L, h);
    return 1; /* the error value as it is */
}

int er_host_run(
    struct er_host *h, lua_CFunction fn, void *arg, int64_t timeout_ms)
{
    lua_State *L = h->L;
    h->is_fresh = false;
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

int64_t er_host_stop_ms(const struct er_host *h)
{
    return h->deadline_ms + (h->wire.listens ? ER_WIRE_GRACE_MS : 0);
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
    if (h->fd_2 >= 0)
        close(h->fd_2);
    h->fd_2 = -1;
    if (h->dir)
        closedir(h->dir);
    h->dir = NULL;
    json_decref(h->value);
    h->value = NULL;
}

void er_host_end(struct er_host *h)
{
    h->is_fresh = false;
    h->deadline_ms = 0;
    h->permissions = NULL;
    er_host_close_slots(h);
    er_buf_release(&h->scratch);
}

void er_host_release(struct er_host *h)
{
    er_host_end(h);
    er_heap_close(&h->heap); /* without lua_close: there is no __gc */
    h->L = NULL;
}
