/* Asking the runtime for what this process cannot do itself. */
#ifndef ERRAND_WORKER_QUESTION_H
#define ERRAND_WORKER_QUESTION_H

#include "base/json.h"

#include <lua.h>

/* Ask service, with the table at index as its params, and wait inside the
 * call's deadline. Pushes the answer's value; raises what the runtime has
 * against it. */
int er_question_ask(lua_State *L, const char *service, int index);

/* The same, and the value itself instead of its Lua form: borrowed until
 * the next question, never NULL. */
const json_t *er_question_json(
    lua_State *L, const char *service, int index);

#endif
