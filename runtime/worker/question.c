/* Asking out of Lua: what goes wrong is raised. */
#include "question.h"

#include "convert.h"
#include "host.h"

#include <lauxlib.h>

static void send_question(
    lua_State *L, struct er_host *h, const char *service, int index)
{
    struct er_buf *out = &h->scratch;
    size_t token = er_wire_begin(&h->wire, out, service);
    er_convert_write(L, index, out, ER_CONVERT_PLAIN, service);
    if (!er_wire_end(&h->wire, out, token))
        luaL_error(L, "the question to %s is over 16 MiB", service);
}

const json_t *er_question_json(
    lua_State *L, const char *service, int index)
{
    struct er_host *h = er_host_of(L);
    const char *why = "";
    send_question(L, h, service, index);
    switch (er_wire_wait(&h->wire, er_host_stop_ms(h))) {
    case ER_WIRE_ANSWERED: break;
    case ER_WIRE_CANCELLED: luaL_error(L, "the call was cancelled"); break;
    default: er_host_stop(L); break;
    }
    const json_t *value = er_wire_value(&h->wire, &why);
    if (!value)
        luaL_error(L, "%s", why);
    return value;
}

int er_question_ask(lua_State *L, const char *service, int index)
{
    er_convert_push(L, er_question_json(L, service, index));
    return 1;
}
