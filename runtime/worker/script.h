/* A script: Lua that asks step by step, and may wait for days.
 *
 * The runtime is asked for every step and keeps what came of it, so that a
 * script can be killed anywhere and run again from its top. Here is the one
 * Lua state it runs in: the script itself and each item of a ctx.map are
 * tasks, coroutines that wait for an answer each; the process sleeps while
 * all wait.
 *
 * Steps are numbered as the script asks them: 1, 2, 3; within a map that is
 * step 3, item 7 asks 3.7.1, 3.7.2. So the number of a step does not depend
 * on which item was faster.
 *
 * Memory    tasks and maps lie in the Lua state and go with it; answers are
 *           freed by er_op_script
 * Errors    raised as Lua errors
 */
#ifndef ERRAND_WORKER_SCRIPT_H
#define ERRAND_WORKER_SCRIPT_H

#include "cage.h"
#include "chunk.h"
#include "host.h"

enum {
    ER_SCRIPT_PATH = 200,      /* bytes of a step's number */
    ER_SCRIPT_ITEMS = 100000,  /* of one map */
    ER_SCRIPT_AT_ONCE = 8,     /* items of a map that run beside each other */
    ER_SCRIPT_AT_ONCE_MOST = 64,
    ER_SCRIPT_MAPS = 6,        /* maps within maps */
    ER_SCRIPT_SLICE_MS = 30000, /* computing between two waits */
};

struct er_map;

struct er_task {
    struct er_task *next;
    lua_State *co;
    int ref;             /* of co and of the task itself, in the registry */
    int self;
    bool ready;          /* may go on */
    int given;           /* values on co that a start is given */
    struct er_map *of;   /* the map whose item it is; NULL: the script */
    lua_Integer item;
    struct er_map *map;  /* that it waits for, or NULL */
    json_int_t waits;    /* number of its question, or 0 */
    json_t *answer;      /* to that */
    int steps, logs;     /* asked so far */
    char prefix[ER_SCRIPT_PATH]; /* of its steps' numbers */
};

struct er_map {
    struct er_task *task; /* that waits for it */
    char path[ER_SCRIPT_PATH];
    int items, fn, results, self; /* in the registry */
    lua_Integer n, next, over, running, at_once;
    lua_Integer bad; /* the first item that failed, or 0 */
    int why;         /* its error, in the registry */
};

struct er_script {
    struct er_host *h;
    struct er_chunk *chunk;
    const json_t *request;
    struct er_buf *out;
    struct er_task *tasks, *current;
    struct er_allowance allowed; /* of processor time */
    int maps;         /* under way */
    json_int_t seen;  /* answers that came */
    bool told;        /* the runtime knows that all wait */
    char where[256];  /* of the error that ends the script */
    const char *refusal;
    size_t refusal_len;
};

struct er_script *er_script_of(lua_State *L);

/* Is L the current task, and may it wait here? Raises if not; what names the
 * caller. */
struct er_task *er_script_task(lua_State *L, const char *what);

/* Ask for a step of this kind with the table at index as its params, and
 * wait: continues in then with the answer in the task. */
int er_script_step(lua_State *L, const char *kind, int index,
    lua_KFunction then);

/* Tell the runtime something that it does not answer. path: the step. */
void er_script_tell(lua_State *L, const char *kind, const char *path,
    int index);

/* The next number of the task's steps, into path. */
void er_script_number(struct er_task *t, char path[ER_SCRIPT_PATH]);

/* Push the value of the task's answer, or raise what is wrong. */
void er_script_take(lua_State *L);

/* items, fn, options on the stack: run fn over the items. */
int er_script_map(lua_State *L);

/* Push ctx, as scripts get it. In script_ctx.c */
void er_script_push_ctx(lua_State *L);

/* Take from the globals what comes to something else in every run. In
 * script_globals.c */
void er_script_globals(lua_State *L);

#endif
