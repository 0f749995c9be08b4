/* ctx.text: other people's text, made readable. Asks nobody.
 *
 *   text.from_html(html [, { base, links, max_bytes, type }])
 *                      text, title, true if there was more
 *   text.to_utf8(bytes [, content_type])   the same text as UTF-8
 */
#include "ctx.h"

#include "base/html.h"
#include "base/text.h"
#include "host.h"

#include <lauxlib.h>

enum {
    BYTES_MOST = 8 * 1024 * 1024,
    TEXT_MOST = 1024 * 1024,
    ROOM = 1024 * 1024 + 300 * 1024, /* text and its links */
};

static const char *check_bytes(lua_State *L, size_t *len)
{
    const char *bytes = luaL_checklstring(L, 1, len);
    if (*len > BYTES_MOST)
        luaL_error(L, "the text is over 8 MiB");
    return bytes;
}

/* Push argument 1 as UTF-8. */
static void push_utf8(lua_State *L, const char *type)
{
    size_t len;
    const char *bytes = check_bytes(L, &len);
    struct er_buf *out = &er_host_of(L)->scratch;
    er_buf_reset(out);
    if (!er_charset_read(out, bytes, len, type)) {
        er_buf_reset(out);
        luaL_error(L, "the text is too large");
    }
    lua_pushlstring(L, er_buf_str(out), out->len);
    er_buf_reset(out);
}

static int text_to_utf8(lua_State *L)
{
    push_utf8(L, luaL_optstring(L, 2, NULL));
    return 1;
}

static const char *text_option(lua_State *L, const char *name)
{
    const char *text = NULL;
    if (lua_istable(L, 2) && lua_getfield(L, 2, name) == LUA_TSTRING)
        text = lua_tostring(L, -1); /* stays on the stack */
    return text;
}

static int text_from_html(lua_State *L)
{
    struct er_html page = {.links = true};
    struct er_buf *out = &er_host_of(L)->scratch;
    lua_Integer most = TEXT_MOST;
    size_t len;
    if (!lua_isnoneornil(L, 2))
        luaL_checktype(L, 2, LUA_TTABLE);
    page.base = text_option(L, "base");
    const char *type = text_option(L, "type");
    if (lua_istable(L, 2)) {
        if (lua_getfield(L, 2, "links") == LUA_TBOOLEAN)
            page.links = lua_toboolean(L, -1);
        if (lua_getfield(L, 2, "max_bytes") == LUA_TNUMBER)
            most = lua_tointeger(L, -1);
    }
    luaL_argcheck(L, most >= 1 && most <= TEXT_MOST, 2,
        "max_bytes must be 1 to 1048576");
    push_utf8(L, type);
    const char *html = lua_tolstring(L, -1, &len);
    struct er_buf text;
    er_buf_init(&text, ROOM);
    bool ok = er_html_text(&page, html, len, (size_t)most, &text);
    er_buf_reset(out);
    ok = ok && er_text_scrub(out, er_buf_str(&text), text.len);
    er_buf_release(&text); /* before anything that may raise */
    if (!ok)
        return luaL_error(L, "out of memory for the page's text");
    lua_pushlstring(L, er_buf_str(out), out->len);
    er_buf_reset(out);
    lua_pushstring(L, page.title);
    lua_pushboolean(L, page.cut);
    return 3;
}

void er_text_push(lua_State *L)
{
    static const luaL_Reg functions[] = {{"from_html", text_from_html},
        {"to_utf8", text_to_utf8}, {NULL, NULL}};
    luaL_newlib(L, functions);
}
