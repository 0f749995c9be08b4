/* What a call is given besides its arguments: ctx. */
#ifndef ERRAND_WORKER_CTX_H
#define ERRAND_WORKER_CTX_H

#include "base/json.h"

#include <lua.h>

/* Push the ctx table for a request of op "call": log, idempotency_key,
 * attempt, remaining_ms, cancelled, and fs if the request grants reading. */
void er_ctx_push(lua_State *L, const json_t *request);

/* The global print: a log line. */
int er_ctx_print(lua_State *L);

/* Push the table fs: read, list, stat. In fs.c. */
void er_fs_push(lua_State *L);

/* What is made when it is first asked for; each in its own file. */
void er_http_push(lua_State *L);   /* table: request, get, post */
void er_secret_push(lua_State *L); /* function */
void er_kv_push(lua_State *L);     /* table: get, set, delete, list */
void er_json_push(lua_State *L);   /* table: decode, encode */
void er_text_push(lua_State *L);   /* table: from_html, to_utf8 */

#endif
