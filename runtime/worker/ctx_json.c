/* ctx.json: JSON text to values and back, without asking anybody.
 *
 *   json.decode(text)   the value; null is errand.null; raises what is wrong
 *   json.encode(value)  its text, keys sorted
 */
#include "ctx.h"

#include "convert.h"
#include "host.h"

#include <lauxlib.h>

enum { TEXT_MOST = 8 * 1024 * 1024 };

static int json_read(lua_State *L)
{
    struct er_host *h = er_host_of(L);
    struct errand_error err = {0};
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);
    if (len > TEXT_MOST)
        return luaL_error(L, "the text is over 8 MiB");
    json_decref(h->value); /* the slot: what follows may raise */
    h->value = er_json_parse(text, len, ER_JSON_LENIENT, &err);
    if (!h->value)
        return luaL_error(L, "%s", err.msg);
    er_convert_push(L, h->value);
    json_decref(h->value);
    h->value = NULL;
    return 1;
}

static int json_write(lua_State *L)
{
    struct er_buf *out = &er_host_of(L)->scratch;
    luaL_checkany(L, 1);
    er_buf_reset(out);
    er_convert_write(L, 1, out, ER_CONVERT_PLAIN, "value");
    if (out->failed)
        return luaL_error(L, "the text is over 16 MiB");
    lua_pushlstring(L, er_buf_str(out), out->len);
    er_buf_reset(out);
    return 1;
}

void er_json_push(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"decode", json_read}, {"encode", json_write}, {NULL, NULL}};
    luaL_newlib(L, functions);
}
