/* Code that the runtime sent, compiled once per worker.
 *
 * A ring of the last ER_CHUNK_KEPT: the runtime keeps the same ring and
 * sends again what fell out (tool/code.h). What is cached is bytecode that
 * this process made itself; bytecode from outside is refused.
 */
#ifndef ERRAND_WORKER_CHUNK_H
#define ERRAND_WORKER_CHUNK_H

#include "base/buf.h"
#include "base/json.h"

#include <lua.h>

enum {
    ER_CHUNK_KEPT = 64,
    ER_CHUNK_SOURCE = 1024 * 1024,   /* bytes of one text */
    ER_CHUNK_CODE = 8 * 1024 * 1024, /* bytes of its bytecode */
};

struct er_chunk {
    json_int_t number;
    char *path;           /* for messages */
    struct er_buf source; /* until it is compiled and let go */
    struct er_buf code;
};

struct er_chunks {
    struct er_chunk *list[ER_CHUNK_KEPT];
    size_t next; /* the slot that the next takes */
};

/* The op "load": keep what the request brings. False: it breaks the
 * protocol, or there is no memory. */
bool er_chunk_load(struct er_chunks *c, const json_t *request);

/* The code that the request names; NULL: it was never sent. Borrowed until
 * the next load. */
struct er_chunk *er_chunk_find(struct er_chunks *c, const json_t *request);

/* Push its main function; raises the compiler's message. */
void er_chunk_push(lua_State *L, struct er_chunk *chunk);

/* The source is not needed any more if it was compiled. */
void er_chunk_settle(struct er_chunk *chunk);

void er_chunks_release(struct er_chunks *c);

#endif
