/* JSON to Lua and back; keys are sorted so that equal values are equal
 * bytes, since Lua keeps no order. */
#include "convert.h"

#include <lauxlib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { DEEPEST = 100 };

/* Its address is the registry key of the metatable that marks arrays. */
static const char array_mark = 0;

/* --------------------------------------------------- errand.null, .array */

static int null_text(lua_State *L)
{
    lua_pushliteral(L, "null");
    return 1;
}

/* errand.array([t]): mark t, or a new table, as an array. */
static int make_array(lua_State *L)
{
    if (lua_isnoneornil(L, 1))
        lua_settop(L, 0);
    if (lua_gettop(L) == 0)
        lua_newtable(L);
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &array_mark);
    lua_setmetatable(L, 1);
    return 1;
}

void er_convert_open(lua_State *L)
{
    lua_createtable(L, 0, 2);
    lua_pushliteral(L, "array");
    lua_setfield(L, -2, "__name");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &array_mark);

    lua_createtable(L, 0, 2);
    lua_pushlightuserdata(L, NULL); /* all light userdata share one */
    lua_createtable(L, 0, 2);
    lua_pushcfunction(L, null_text);
    lua_setfield(L, -2, "__tostring");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
    lua_setfield(L, -2, "null");
    lua_pushcfunction(L, make_array);
    lua_setfield(L, -2, "array");
    lua_setglobal(L, "errand");
}

static bool is_marked(lua_State *L, int index)
{
    if (!lua_getmetatable(L, index))
        return false;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &array_mark);
    bool marked = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return marked;
}

/* ---------------------------------------------------------- JSON to Lua */

static void push_array(lua_State *L, const json_t *value)
{
    size_t n = json_array_size(value);
    lua_createtable(L, n > INT_MAX ? INT_MAX : (int)n, 0);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &array_mark);
    lua_setmetatable(L, -2);
    for (size_t i = 0; i < n; i++) {
        er_convert_push(L, json_array_get(value, i));
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

static void push_object(lua_State *L, const json_t *value)
{
    const char *key;
    json_t *member;
    size_t n = json_object_size(value);
    lua_createtable(L, 0, n > INT_MAX ? INT_MAX : (int)n);
    json_object_foreach((json_t *)value, key, member)
    {
        lua_pushstring(L, key);
        er_convert_push(L, member);
        lua_rawset(L, -3);
    }
}

void er_convert_push(lua_State *L, const json_t *value)
{
    luaL_checkstack(L, 4, "the arguments are nested too deep");
    switch (json_typeof(value)) {
    case JSON_OBJECT: push_object(L, value); break;
    case JSON_ARRAY: push_array(L, value); break;
    case JSON_STRING:
        lua_pushlstring(
            L, json_string_value(value), json_string_length(value));
        break;
    case JSON_INTEGER: lua_pushinteger(L, json_integer_value(value)); break;
    case JSON_REAL: lua_pushnumber(L, json_real_value(value)); break;
    case JSON_TRUE: lua_pushboolean(L, 1); break;
    case JSON_FALSE: lua_pushboolean(L, 0); break;
    case JSON_NULL: lua_pushlightuserdata(L, NULL); break;
    }
}

/* ---------------------------------------------------------- Lua to JSON */

/* Where the writer stands: a chain of keys, for messages. */
struct step {
    const struct step *up;
    const char *key; /* NULL: position */
    lua_Integer position;
    int depth;
};

struct writer {
    lua_State *L;
    struct er_buf *out;
    const char *what;
};

static void push_path(struct writer *w, const struct step *s)
{
    lua_State *L = w->L;
    if (!s) {
        lua_pushstring(L, w->what);
        return;
    }
    push_path(w, s->up);
    if (s->key)
        lua_pushfstring(L, "%s.%s", lua_tostring(L, -1), s->key);
    else
        lua_pushfstring(L, "%s[%I]", lua_tostring(L, -1),
            (LUAI_UACINT)s->position);
    lua_remove(L, -2);
}

/* Raise "result.items[3]: message". */
static void fail(struct writer *w, const struct step *s, const char *message)
{
    lua_State *L = w->L;
    luaL_checkstack(L, 8, NULL);
    push_path(w, s);
    lua_pushfstring(L, "%s: %s", lua_tostring(L, -1), message);
    lua_error(L);
}

static void check_room(struct writer *w)
{
    if (w->out->failed)
        luaL_error(w->L, "the %s is over 16 MiB", w->what);
}

static void write_value(struct writer *w, int index, const struct step *s,
    enum er_convert_mode mode);

static void write_number(struct writer *w, int index, const struct step *s)
{
    if (lua_isinteger(w->L, index)) {
        er_buf_addf(w->out, "%lld", (long long)lua_tointeger(w->L, index));
        return;
    }
    double d = lua_tonumber(w->L, index);
    if (isnan(d))
        fail(w, s, "not a number (NaN) cannot be JSON");
    if (isinf(d))
        fail(w, s, "an infinite number cannot be JSON");
    json_t *real = json_real(d);
    if (!real || !er_json_add(w->out, real))
        w->out->failed = true;
    json_decref(real);
}

static void write_array(struct writer *w, int index, lua_Integer n,
    const struct step *s, enum er_convert_mode mode)
{
    er_buf_addc(w->out, '[');
    for (lua_Integer i = 1; i <= n; i++) {
        struct step here = {.up = s, .position = i,
            .depth = s ? s->depth + 1 : 1};
        if (i > 1)
            er_buf_addc(w->out, ',');
        lua_rawgeti(w->L, index, i);
        write_value(w, lua_gettop(w->L), &here, mode);
        lua_pop(w->L, 1);
        check_room(w);
    }
    er_buf_addc(w->out, ']');
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Push a userdata with pointers to the keys, sorted. The strings live as
 * long as the table, which is on the stack. */
static const char **push_keys(lua_State *L, int index, size_t n)
{
    const char **keys =
        lua_newuserdatauv(L, (n ? n : 1) * sizeof *keys, 0);
    size_t i = 0;
    lua_pushnil(L);
    while (lua_next(L, index)) {
        lua_pop(L, 1);
        if (i < n)
            keys[i++] = lua_tostring(L, -1);
    }
    qsort(keys, n, sizeof *keys, by_bytes);
    return keys;
}

static bool one_of(const char *key, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(key, *list) == 0)
            return true;
    return false;
}

/* How a schema's member is written. */
static enum er_convert_mode member_mode(
    enum er_convert_mode mode, const char *key)
{
    static const char *const names[] = {"properties", "patternProperties",
        "$defs", "definitions", "dependentSchemas", NULL};
    static const char *const plain[] = {
        "enum", "const", "default", "examples", "required", NULL};
    if (mode == ER_CONVERT_PLAIN)
        return mode;
    if (mode == ER_CONVERT_NAMES)
        return ER_CONVERT_SCHEMA;
    if (one_of(key, names))
        return ER_CONVERT_NAMES;
    return one_of(key, plain) ? ER_CONVERT_PLAIN : ER_CONVERT_SCHEMA;
}

/* An empty table there can only be meant as an array. */
static bool is_list_key(enum er_convert_mode mode, const char *key)
{
    static const char *const lists[] = {"required", "enum", "examples",
        "allOf", "anyOf", "oneOf", "prefixItems", NULL};
    return mode == ER_CONVERT_SCHEMA && one_of(key, lists);
}

static bool is_empty_table(lua_State *L, int index)
{
    if (!lua_istable(L, index))
        return false;
    lua_pushnil(L);
    if (!lua_next(L, index))
        return true;
    lua_pop(L, 2);
    return false;
}

static void write_object(struct writer *w, int index, size_t n,
    const struct step *s, enum er_convert_mode mode)
{
    lua_State *L = w->L;
    const char **keys = push_keys(L, index, n);
    er_buf_addc(w->out, '{');
    for (size_t i = 0; i < n; i++) {
        struct step here = {.up = s, .key = keys[i],
            .depth = s ? s->depth + 1 : 1};
        if (i)
            er_buf_addc(w->out, ',');
        er_json_add_string(w->out, keys[i], strlen(keys[i]));
        er_buf_addc(w->out, ':');
        lua_pushstring(L, keys[i]);
        lua_rawget(L, index);
        int value = lua_gettop(L);
        if (is_list_key(mode, keys[i]) && is_empty_table(L, value))
            er_buf_adds(w->out, "[]");
        else
            write_value(w, value, &here, member_mode(mode, keys[i]));
        lua_pop(L, 1);
        check_room(w);
    }
    er_buf_addc(w->out, '}');
    lua_pop(L, 1); /* the keys */
}

/* What kinds of keys a table has. */
struct shape {
    size_t texts, positions, others;
    lua_Integer last; /* largest position */
};

static struct shape look_at(
    struct writer *w, int index, const struct step *s)
{
    lua_State *L = w->L;
    struct shape shape = {0};
    lua_pushnil(L);
    while (lua_next(L, index)) {
        lua_pop(L, 1);
        if (lua_type(L, -1) == LUA_TSTRING) {
            size_t len;
            const char *key = lua_tolstring(L, -1, &len);
            if (strlen(key) != len || er_utf8_valid_prefix(key, len) != len)
                fail(w, s, "a key is not UTF-8 text without NUL");
            shape.texts++;
        } else if (lua_isinteger(L, -1) && lua_tointeger(L, -1) > 0) {
            lua_Integer at = lua_tointeger(L, -1);
            shape.last = at > shape.last ? at : shape.last;
            shape.positions++;
        } else {
            shape.others++;
        }
    }
    return shape;
}

static void write_table(struct writer *w, int index, const struct step *s,
    enum er_convert_mode mode)
{
    struct shape shape = look_at(w, index, s);
    if (s && s->depth >= DEEPEST)
        fail(w, NULL,
            "nested deeper than 100, or a table that holds itself");
    if (shape.others)
        fail(w, s, "keys must be texts, or the positions 1, 2, 3 ...");
    if (shape.positions && shape.texts)
        fail(w, s, "the table mixes positions and names as keys");
    if (shape.positions && (size_t)shape.last != shape.positions)
        fail(w, s, "the list has a hole; write errand.null there");
    if (shape.texts && is_marked(w->L, index))
        fail(w, s, "a list (errand.array) cannot have names as keys");
    if (shape.positions || (!shape.texts && is_marked(w->L, index)))
        write_array(w, index, shape.last, s, mode);
    else
        write_object(w, index, shape.texts, s, mode);
}

static void write_value(struct writer *w, int index, const struct step *s,
    enum er_convert_mode mode)
{
    lua_State *L = w->L;
    luaL_checkstack(L, 8, "the result is nested too deep");
    int type = lua_type(L, index);
    if (type == LUA_TNIL || type == LUA_TNONE ||
        (type == LUA_TLIGHTUSERDATA && !lua_touserdata(L, index))) {
        er_buf_adds(w->out, "null");
    } else if (type == LUA_TBOOLEAN) {
        er_buf_adds(w->out, lua_toboolean(L, index) ? "true" : "false");
    } else if (type == LUA_TNUMBER) {
        write_number(w, index, s);
    } else if (type == LUA_TSTRING) {
        size_t len;
        const char *text = lua_tolstring(L, index, &len);
        er_json_add_string(w->out, text, len);
    } else if (type == LUA_TTABLE) {
        write_table(w, index, s, mode);
    } else {
        fail(w, s,
            type == LUA_TFUNCTION ? "a function cannot be JSON"
                                  : "a value of this type cannot be JSON");
    }
    check_room(w);
}

void er_convert_write(lua_State *L, int index, struct er_buf *out,
    enum er_convert_mode mode, const char *what)
{
    struct writer w = {.L = L, .out = out, .what = what};
    write_value(&w, lua_absindex(L, index), NULL, mode);
}
