/* The Lua host: a state for one call, and what no tool can get around.
 *
 * Every call gets a fresh lua_State (heap.h), so that no tool sees what
 * another left behind. The state has a limit of memory, a deadline that the
 * tool's own pcall cannot swallow, and only the globals of globals.c. It is
 * made fresh after an answer was sent, when nobody waits for it.
 *
 * Code that raises holds nothing that must be freed: what it opens lies in
 * the slots of struct er_host, and er_host_end closes them.
 *
 * This is the soft stop. C code (a pattern that backtracks, a table that is
 * moved) runs past the hook; then the runtime kills the process.
 */
#ifndef ERRAND_WORKER_HOST_H
#define ERRAND_WORKER_HOST_H

#include "base/buf.h"
#include "base/json.h"
#include "heap.h"
#include "wire.h"

#include <dirent.h>
#include <limits.h>
#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    ER_HOST_MEMORY = 32 * 1024 * 1024, /* bytes one state may hold */
    ER_HOST_ROOTS = 16, /* entries of a list of permissions */
};

struct er_script;

struct er_host {
    struct er_heap heap;
    lua_State *L;   /* the one state, made fresh again and again */
    bool is_fresh;  /* nothing ran in it yet */
    uint64_t seed;  /* for the state's random numbers; never the same */
    int64_t deadline_ms; /* of er_mono_ms; 0: not running */
    bool stopped; /* the deadline passed: sticks until er_host_end */
    char where[256]; /* "path:line" of the last error or stop, or "" */

    /* the request that is worked on */
    struct er_wire wire;
    char cwd[PATH_MAX]; /* the working folder, as it was at the start */
    const struct er_cage *cage; /* what the process may touch; borrowed */
    int logs_left;
    const json_t *permissions; /* borrowed from the request, or NULL */
    struct er_script *script; /* that is run, or NULL: script.h */

    /* slots of code that may raise */
    int fd, fd_2; /* -1: none */
    DIR *dir;
    struct er_buf scratch;
    json_t *value; /* that is turned into Lua's */
    char path[PATH_MAX]; /* that is looked up */
};

void er_host_init(
    struct er_host *h, int sock, struct er_frame_reader *reader);

/* Make a fresh state if there is none. False: out of memory. */
bool er_host_prepare(struct er_host *h);

/* The host a state (or a coroutine of it) belongs to. */
struct er_host *er_host_of(lua_State *L);

/* Run fn(arg) in the ready state, protected, for at most timeout_ms. arg is
 * fn's one argument, a light userdata. LUA_OK, or an error status with the
 * error value on top of h->L. */
int er_host_run(
    struct er_host *h, lua_CFunction fn, void *arg, int64_t timeout_ms);

/* Remember where the innermost Lua code of a state stands, in h->where. */
void er_host_note_where(lua_State *L, struct er_host *h);

/* The deadline has passed in C code: raise as the hook would. */
int er_host_stop(lua_State *L);

/* Milliseconds until the deadline, at least 0. */
int64_t er_host_left_ms(const struct er_host *h);

/* When it is stopped: at the deadline; a tool that listens (wire.h) a little
 * later. As er_mono_ms counts. */
int64_t er_host_stop_ms(const struct er_host *h);

/* If the deadline has passed: raise, again and again. For the wrappers that
 * catch errors. */
void er_host_check(lua_State *L);

/* Close what raising code left open. */
void er_host_close_slots(struct er_host *h);

/* Give the state up and close all slots. */
void er_host_end(struct er_host *h);

void er_host_release(struct er_host *h);

/* Pushes nothing; fills the globals of a new state. In globals.c. */
int er_globals_open(lua_State *L);

#endif
