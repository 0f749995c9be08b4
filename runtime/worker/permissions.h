/* What a tool asks for: reading the member `permissions` of its table. */
#ifndef ERRAND_WORKER_PERMISSIONS_H
#define ERRAND_WORKER_PERMISSIONS_H

#include "base/buf.h"

#include <lua.h>

/* Told of each thing that is wrong; key is the word to look up in the text,
 * or NULL. */
struct er_complaints {
    void (*say)(void *ctx, const char *key, const char *text);
    void *ctx;
};

/* Check the table on top of the stack, and append it to out as JSON: the
 * lists that hold something, sorted by key, and "kv":true. False if anything
 * was wrong; out is not to be used then. Raises nothing but out of memory. */
bool er_permissions_read(
    lua_State *L, const struct er_complaints *c, struct er_buf *out);

#endif
