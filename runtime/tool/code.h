/* Lua code as the runtime read it: what is described, granted and run are
 * the same bytes, whatever becomes of the file meanwhile.
 *
 * Workers open no tool files; each is sent the code once, in a frame "load",
 * and keeps the last ER_CODE_KEPT. That a worker has it is known without
 * asking: both sides keep the same ring.
 */
#ifndef ERRAND_TOOL_CODE_H
#define ERRAND_TOOL_CODE_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    ER_CODE_MOST = 1024 * 1024, /* bytes of one file */
    ER_CODE_KEPT = 64,          /* by one worker: worker/chunk.h */
};

struct er_pool;

/* Several may hold it; it goes with the last. [owner] */
struct er_code {
    int holders;
    uint64_t number;     /* no other code of this pool has it */
    struct er_buf frame; /* the whole frame "load" */
    char sha256[65];
};

/* What a worker has. */
struct er_code_ring {
    uint64_t kept[ER_CODE_KEPT];
    size_t next;
};

/* Read a file; name is its path. NULL and NOT_FOUND, IO, TOO_LARGE, SYNTAX
 * (no UTF-8), NOMEM. */
struct er_code *er_code_read(
    struct er_pool *pool, const char *path, struct errand_error *err);

/* Code that lies in no file; name stands in messages. Errors TOO_LARGE,
 * SYNTAX, NOMEM. */
struct er_code *er_code_new(struct er_pool *pool, const char *name,
    const char *text, size_t len, struct errand_error *err);

struct er_code *er_code_hold(struct er_code *code);
void er_code_drop(struct er_code *code); /* NULL is harmless */

bool er_code_is_kept(const struct er_code_ring *ring, uint64_t number);

/* The worker was sent it. */
void er_code_sent(struct er_code_ring *ring, uint64_t number);

#endif
