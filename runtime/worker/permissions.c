/* Permissions are a promise to the person who grants them, so nothing in
 * them is guessed: a key or a value that is not understood is an error, never
 * a narrower or a wider grant. */
#include "permissions.h"

#include "base/distance.h"
#include "base/json.h"
#include "host.h"

#include <lauxlib.h>
#include <string.h>

static bool is_path(const char *s) { return *s != '\0'; }

/* "git", or the whole path of a program. */
static bool is_program(const char *s)
{
    return s[0] == '/' || (*s && !strchr(s, '/'));
}

/* "api.example.com", "*.example.com", "h:8443", "https://h:8443", "[::1]":
 * what is between is for the part that connects to say. */
static bool is_host(const char *s)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789.-_*:[]";
    if (strncmp(s, "http://", 7) == 0)
        s += 7;
    else if (strncmp(s, "https://", 8) == 0)
        s += 8;
    return *s && s[strspn(s, letters)] == '\0';
}

static bool is_word(const char *s)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    size_t n = strlen(s);
    return n > 0 && n <= 64 && strspn(s, letters) == n;
}

static const struct key {
    const char *name;
    bool (*fits)(const char *s); /* one of a list */
    const char *what;            /* it must be */
    bool flag;                   /* true and false do as well */
    lua_Integer most;            /* of a list */
} keys[] = {
    {"kv", is_word,
        "true, or the name of a store that tools share, such as "
        "{ \"memory\" }", true, 1},
    {"net", is_host,
        "a list of at most 16 hosts, such as { \"api.example.com\" }",
        false, ER_HOST_ROOTS},
    {"read", is_path, "a list of at most 16 paths, such as { \".\" }",
        false, ER_HOST_ROOTS},
    {"run", is_program,
        "a list of at most 16 programs, such as { \"git\" }", false,
        ER_HOST_ROOTS},
    {"secrets", is_word,
        "a list of at most 16 names of secrets, such as { \"weather\" }",
        false, ER_HOST_ROOTS},
    {"write", is_path, "a list of at most 16 paths, such as { \"./out\" }",
        false, ER_HOST_ROOTS},
};

enum { KEYS = sizeof keys / sizeof keys[0] };

static const struct key *find_key(const char *name)
{
    for (size_t i = 0; i < KEYS; i++)
        if (strcmp(name, keys[i].name) == 0)
            return &keys[i];
    return NULL;
}

static void say(const struct er_complaints *c, const char *name,
    const char *what, const char *which, const char *end)
{
    struct er_buf text;
    er_buf_init(&text, 1000);
    er_buf_addf(
        &text, "permissions.%.60s %s %s%s", name, what, which, end);
    c->say(c->ctx, name, er_buf_str(&text));
    er_buf_release(&text);
}

static void say_unknown(const struct er_complaints *c, const char *name)
{
    for (size_t i = 0; i < KEYS; i++) {
        if (er_text_similar(name, keys[i].name)) {
            say(c, name, "is not known; did you mean", keys[i].name, "?");
            return;
        }
    }
    say(c, name, "is not known; there are:",
        "read, write, net, secrets, kv, run", "");
}

/* Are the keys of the table at the top 1 to n, the values texts that fit? */
static bool is_list(lua_State *L, const struct key *key)
{
    lua_Integer n = (lua_Integer)lua_rawlen(L, -1), seen = 0;
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        size_t len = 0;
        const char *text = lua_type(L, -1) == LUA_TSTRING
                               ? lua_tolstring(L, -1, &len)
                               : NULL;
        bool ok = lua_isinteger(L, -2) && text && strlen(text) == len &&
                  key->fits(text);
        lua_pop(L, 1);
        seen++;
        if (!ok) {
            lua_pop(L, 1);
            return false;
        }
    }
    return seen == n && n <= key->most;
}

/* The value on top fits the key. */
static bool check_value(
    lua_State *L, const struct key *key, const struct er_complaints *c)
{
    bool ok = (key->flag && lua_isboolean(L, -1)) ||
              (lua_istable(L, -1) && is_list(L, key));
    if (!ok)
        say(c, key->name, "must be", key->what, "");
    return ok;
}

static bool check(lua_State *L, const struct er_complaints *c)
{
    bool ok = true;
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        const char *name = lua_type(L, -2) == LUA_TSTRING
                               ? lua_tostring(L, -2)
                               : "(no text)";
        const struct key *key = find_key(name);
        if (!key)
            say_unknown(c, name);
        if (!key || !check_value(L, key, c))
            ok = false;
        lua_pop(L, 1);
    }
    return ok;
}

static void write_list(lua_State *L, struct er_buf *out)
{
    lua_Integer n = (lua_Integer)lua_rawlen(L, -1);
    er_buf_addc(out, '[');
    for (lua_Integer i = 1; i <= n; i++) {
        size_t len;
        lua_rawgeti(L, -1, i);
        const char *text = lua_tolstring(L, -1, &len);
        if (i > 1)
            er_buf_addc(out, ',');
        er_json_add_string(out, text, len);
        lua_pop(L, 1);
    }
    er_buf_addc(out, ']');
}

/* The table, which was checked. */
static void write(lua_State *L, struct er_buf *out)
{
    const char *comma = "";
    er_buf_addc(out, '{');
    for (size_t i = 0; i < KEYS; i++) {
        lua_pushstring(L, keys[i].name);
        lua_rawget(L, -2);
        bool is_kv = lua_isboolean(L, -1) && lua_toboolean(L, -1);
        if (is_kv || (lua_istable(L, -1) && lua_rawlen(L, -1) > 0)) {
            er_buf_addf(out, "%s\"%s\":", comma, keys[i].name);
            if (is_kv)
                er_buf_adds(out, "true");
            else
                write_list(L, out);
            comma = ",";
        }
        lua_pop(L, 1);
    }
    er_buf_addc(out, '}');
}

bool er_permissions_read(
    lua_State *L, const struct er_complaints *c, struct er_buf *out)
{
    if (!check(L, c))
        return false;
    write(L, out);
    return true;
}
