/* JSON to Lua and back.
 *
 *   JSON              in Lua                     back
 *   null              errand.null                null
 *   true, false       boolean                    the same
 *   4                 integer                    4
 *   4.0, 1e9          float                      4.0, 1000000000.0
 *   "text"            string, \u0000 included    the same; bytes that are
 *                                                not UTF-8 become U+FFFD
 *   [1,2], []         table, marked as array     the same
 *   {"a":1}, {}       table                      the same, keys sorted
 * A table of the tool's own is an array if its keys are 1..n, an object if
 * they are texts; an empty one is an object, errand.array() or
 * errand.array(t) makes it an array. Errors, with the path of the value:
 * NaN, infinities, mixed keys, holes, functions, tables in themselves.
 */
#ifndef ERRAND_WORKER_CONVERT_H
#define ERRAND_WORKER_CONVERT_H

#include "base/buf.h"
#include "base/json.h"

#include <lua.h>

/* Sets the global `errand`: null, array. */
void er_convert_open(lua_State *L);

/* Push value. Raises if memory ends. */
void er_convert_push(lua_State *L, const json_t *value);

enum er_convert_mode {
    ER_CONVERT_PLAIN = 0,
    ER_CONVERT_SCHEMA = 1, /* required = {} and its like are arrays */
    ER_CONVERT_NAMES = 2,  /* each member is a schema */
};

/* Append the value at index as JSON; raises what is wrong. what names the
 * whole in messages ("result"). */
void er_convert_write(lua_State *L, int index, struct er_buf *out,
    enum er_convert_mode mode, const char *what);

#endif
