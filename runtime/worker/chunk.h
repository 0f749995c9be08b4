/* Tool files, compiled once per worker.
 *
 * The cache is keyed by path, and an entry holds as long as the file keeps
 * its inode, size and time. What is cached is bytecode that this process
 * made itself; bytecode from a file is refused.
 */
#ifndef ERRAND_WORKER_CHUNK_H
#define ERRAND_WORKER_CHUNK_H

#include "base/buf.h"
#include "base/error.h"

#include <lua.h>
#include <stdint.h>
#include <time.h>

enum {
    ER_CHUNK_CACHE = 64,             /* files kept compiled */
    ER_CHUNK_SOURCE = 1024 * 1024,   /* bytes of one file */
    ER_CHUNK_CODE = 8 * 1024 * 1024, /* bytes of its bytecode */
};

struct er_chunk {
    char *path;
    uint64_t device, inode;
    int64_t size;
    struct timespec changed;
    char version[17];     /* of sha256 of the file, as hexadecimal */
    struct er_buf source; /* until it is compiled and let go */
    struct er_buf code;
};

struct er_chunks {
    struct er_chunk *list[ER_CHUNK_CACHE];
    size_t next; /* the slot that the next new file takes */
};

/* The file, read again if it changed or if its source is needed. Borrowed
 * until the next call. Errors NOT_FOUND, IO, TOO_LARGE, NOMEM. */
struct er_chunk *er_chunk_find(struct er_chunks *c, const char *path,
    bool with_source, struct errand_error *err);

/* Push its main function; raises the compiler's message. */
void er_chunk_push(lua_State *L, struct er_chunk *chunk);

void er_chunks_release(struct er_chunks *c);

#endif
