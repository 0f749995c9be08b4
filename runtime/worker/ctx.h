/* What a call is given besides its arguments: ctx. */
#ifndef ERRAND_WORKER_CTX_H
#define ERRAND_WORKER_CTX_H

#include "base/json.h"

#include <lua.h>

/* Push the ctx table for a request of op "call": log, idempotency_key,
 * attempt, remaining_ms, and fs if the request grants reading. */
void er_ctx_push(lua_State *L, const json_t *request);

/* The global print: a log line. */
int er_ctx_print(lua_State *L);

/* Push the table fs: read, list, stat. In fs.c. */
void er_fs_push(lua_State *L);

#endif
