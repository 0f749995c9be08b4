/* Running a script: its tasks, and waiting for the answers. */
#include "script.h"

#include "convert.h"
#include "ops.h"
#include "send.h"

#include "base/clock.h"
#include "base/frame.h"

#include <errno.h>
#include <lauxlib.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

struct er_script *er_script_of(lua_State *L)
{
    return er_host_of(L)->script;
}

/* ------------------------------------------------------------- questions */

static void give_up(lua_State *L)
{
    struct er_host *h = er_host_of(L);
    shutdown(h->wire.sock, SHUT_RDWR); /* nobody is there to work for */
    er_host_stop(L);
}

/* The params, member by member: a schema's empty lists are lists. */
static void write_params(lua_State *L, int index, struct er_buf *out)
{
    bool first = true;
    er_buf_addc(out, '{');
    lua_pushnil(L);
    while (index && lua_next(L, index)) {
        if (lua_type(L, -2) != LUA_TSTRING)
            luaL_error(L, "an option without a name; options are name = "
                "value");
        size_t len;
        const char *key = lua_tolstring(L, -2, &len);
        bool is_list = strcmp(key, "tools") == 0 && lua_istable(L, -1) &&
                       lua_rawlen(L, -1) == 0;
        if (!first)
            er_buf_addc(out, ',');
        first = false;
        er_json_add_string(out, key, len);
        er_buf_addc(out, ':');
        if (is_list)
            er_buf_adds(out, "[]");
        else
            er_convert_write(L, lua_gettop(L), out,
                strcmp(key, "schema") == 0 ? ER_CONVERT_SCHEMA
                                           : ER_CONVERT_PLAIN, key);
        lua_pop(L, 1);
    }
    if (!index)
        lua_pop(L, 1);
    er_buf_addc(out, '}');
}

/* {"id","step","ask","n","params"} */
static void send_frame(lua_State *L, const char *kind, const char *path,
    json_int_t n, int index)
{
    struct er_host *h = er_host_of(L);
    struct er_buf *out = &h->scratch;
    er_buf_reset(out);
    size_t token = er_frame_begin(out);
    er_buf_addf(out, "{\"id\":%lld,\"step\":\"%s\",\"ask\":\"%s\",\"n\":%lld,"
        "\"params\":", (long long)h->wire.id, path, kind, (long long)n);
    write_params(L, index, out);
    er_buf_addc(out, '}');
    if (!er_frame_end(out, token)) {
        er_buf_reset(out);
        luaL_error(L, "the arguments of ctx.%s are over 16 MiB", kind);
    }
    bool sent = er_send(h->wire.sock, out);
    er_buf_reset(out);
    if (!sent)
        give_up(L);
}

struct er_task *er_script_task(lua_State *L, const char *what)
{
    struct er_task *t = er_script_of(L)->current;
    if (t->co != L)
        luaL_error(L, "ctx.%s cannot wait within a coroutine of the script's "
            "own; ctx.map runs things beside each other", what);
    if (!lua_isyieldable(L))
        luaL_error(L, "ctx.%s cannot wait here, within a function that "
            "string.gsub, table.sort or the like calls", what);
    return t;
}

void er_script_number(struct er_task *t, char path[ER_SCRIPT_PATH])
{
    snprintf(path, ER_SCRIPT_PATH, "%.160s%d", t->prefix, ++t->steps);
    t->logs = 0;
}

int er_script_step(lua_State *L, const char *kind, int index,
    lua_KFunction then)
{
    char path[ER_SCRIPT_PATH];
    struct er_task *t = er_script_task(L, kind);
    struct er_host *h = er_host_of(L);
    er_script_number(t, path);
    send_frame(L, kind, path, ++h->wire.asked, index);
    t->waits = h->wire.asked;
    t->ready = false;
    return lua_yieldk(L, 0, 0, then);
}

void er_script_tell(lua_State *L, const char *kind, const char *path,
    int index)
{
    send_frame(L, kind, path, 0, index);
}

void er_script_take(lua_State *L)
{
    struct er_task *t = er_script_of(L)->current;
    const json_t *value = json_object_get(t->answer, "value");
    const char *why = er_json_str(t->answer, "message");
    bool ok = json_is_true(json_object_get(t->answer, "ok")) && value;
    if (ok)
        er_convert_push(L, value);
    else {
        luaL_where(L, 1);
        lua_pushstring(L, why ? why : "the runtime gave no answer");
        lua_concat(L, 2);
    }
    json_decref(t->answer);
    t->answer = NULL;
    if (!ok)
        lua_error(L);
}

/* --------------------------------------------------------------- waiting */

/* Hand an answer to the task that waits for it. */
static void deliver(struct er_script *s, json_t *frame)
{
    json_int_t n = er_json_int(frame, "n", -1);
    bool ours = er_json_int(frame, "id", -1) == s->h->wire.id;
    for (struct er_task *t = s->tasks; ours && t; t = t->next) {
        if (t->waits != n)
            continue;
        json_decref(t->answer);
        t->answer = frame;
        t->waits = 0;
        t->ready = true;
        s->seen++;
        s->told = false;
        return;
    }
    json_decref(frame);
}

/* Take in what came already; false: nothing did. */
static bool take_frames(lua_State *L, struct er_script *s)
{
    const char *text;
    size_t len;
    bool any = false;
    int got;
    while ((got = er_frame_next(s->h->wire.reader, &text, &len)) > 0) {
        json_t *frame = er_json_parse(text, len, ER_JSON_STRICT, NULL);
        if (!er_wire_is_late(frame)) {
            json_decref(frame);
            give_up(L);
        }
        deliver(s, frame);
        any = true;
    }
    if (got < 0)
        give_up(L);
    return any;
}

/* Say, once for each answer, that nothing goes on without another. */
static void say_waiting(lua_State *L, struct er_script *s)
{
    if (s->told)
        return;
    s->told = true;
    lua_createtable(L, 0, 1);
    lua_pushinteger(L, s->seen);
    lua_setfield(L, -2, "seen");
    er_script_tell(L, "wait", "", lua_gettop(L));
    lua_pop(L, 1);
}

/* Sleep until an answer came. A person's time is not the script's. */
static void wait_for_answers(lua_State *L, struct er_script *s)
{
    struct er_host *h = s->h;
    h->deadline_ms = INT64_MAX;
    while (!take_frames(L, s)) {
        struct pollfd p = {.fd = h->wire.sock, .events = POLLIN};
        int n = poll(&p, 1, 0);
        if (n == 0) {
            say_waiting(L, s);
            n = poll(&p, 1, -1);
        }
        if (n < 0 && errno != EINTR)
            give_up(L);
        ssize_t got = n > 0 ? er_frame_recv(h->wire.reader, h->wire.sock) : 1;
        if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN))
            give_up(L);
    }
    h->deadline_ms = er_mono_ms() + ER_SCRIPT_SLICE_MS;
    er_platform_allow_cpu(ER_SCRIPT_SLICE_MS, &s->allowed);
}

/* ----------------------------------------------------------------- tasks */

/* A new task whose coroutine stands on top of the stack; taken off. */
static struct er_task *new_task(lua_State *L, struct er_script *s)
{
    struct er_task *t = lua_newuserdatauv(L, sizeof *t, 0);
    *t = (struct er_task){.co = lua_tothread(L, -2), .ready = true};
    t->self = luaL_ref(L, LUA_REGISTRYINDEX);
    t->ref = luaL_ref(L, LUA_REGISTRYINDEX);
    struct er_task **at = &s->tasks;
    while (*at)
        at = &(*at)->next;
    *at = t;
    return t;
}

static void end_task(lua_State *L, struct er_script *s, struct er_task *t)
{
    struct er_task **at = &s->tasks;
    while (*at != t)
        at = &(*at)->next;
    *at = t->next;
    json_decref(t->answer);
    t->answer = NULL;
    luaL_unref(L, LUA_REGISTRYINDEX, t->ref);
    luaL_unref(L, LUA_REGISTRYINDEX, t->self);
}

static void start_item(lua_State *L, struct er_script *s, struct er_map *m)
{
    lua_State *co = lua_newthread(L);
    struct er_task *t = new_task(L, s);
    t->of = m;
    t->item = m->next++;
    m->running++;
    snprintf(t->prefix, sizeof t->prefix, "%.160s.%lld.", m->path,
        (long long)t->item);
    lua_rawgeti(L, LUA_REGISTRYINDEX, m->fn);
    lua_rawgeti(L, LUA_REGISTRYINDEX, m->items);
    lua_rawgeti(L, -1, t->item);
    lua_remove(L, -2);
    lua_pushinteger(L, t->item);
    lua_xmove(L, co, 3);
    t->given = 2;
}

static void fill_map(lua_State *L, struct er_script *s, struct er_map *m)
{
    while (m->next <= m->n && m->running < m->at_once)
        start_item(L, s, m);
    if (m->over == m->n)
        m->task->ready = true;
}

/* Keep the value or the error on top of the item's stack. */
static void end_item(lua_State *L, struct er_script *s, struct er_task *t,
    bool ok, int values)
{
    struct er_map *m = t->of;
    lua_settop(t->co, ok && values == 0 ? 0 : lua_gettop(t->co));
    if (ok && values == 0)
        lua_pushnil(t->co);
    else if (ok)
        lua_settop(t->co, lua_gettop(t->co) - values + 1);
    lua_xmove(t->co, L, 1);
    if (ok) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, m->results);
        lua_insert(L, -2);
        lua_rawseti(L, -2, t->item);
        lua_pop(L, 1);
    } else if (m->bad == 0 || t->item < m->bad) {
        m->bad = t->item;
        luaL_unref(L, LUA_REGISTRYINDEX, m->why);
        m->why = luaL_ref(L, LUA_REGISTRYINDEX);
        er_host_note_where(t->co, s->h);
        memcpy(s->where, s->h->where, sizeof s->where);
    } else {
        lua_pop(L, 1);
    }
    m->running--;
    m->over++;
    lua_createtable(L, 0, 2);
    lua_pushinteger(L, t->item);
    lua_setfield(L, -2, "item");
    lua_pushboolean(L, ok);
    lua_setfield(L, -2, "ok");
    er_script_tell(L, "item", m->path, lua_gettop(L));
    lua_pop(L, 1);
    end_task(L, s, t);
    fill_map(L, s, m);
}

/* Let it go on. True: it was the script itself, and it is over; its values
 * are on top of L. */
static bool go_on(lua_State *L, struct er_script *s, struct er_task *t)
{
    int values = 0, given = t->given;
    t->given = 0;
    t->ready = false;
    s->current = t;
    int status = lua_resume(t->co, L, given, &values);
    er_host_check(L);
    if (status == LUA_YIELD && (t->waits || t->map))
        return false;
    if (status == LUA_YIELD) {
        lua_pop(t->co, values);
        lua_pushliteral(t->co,
            "coroutine.yield outside of a coroutine of the script's own");
    }
    bool ok = status == LUA_OK;
    if (t->of) {
        end_item(L, s, t, ok, values);
        return false;
    }
    if (!ok) {
        er_host_note_where(t->co, s->h);
        memcpy(s->where, s->h->where, sizeof s->where);
        lua_xmove(t->co, L, 1);
        lua_error(L);
    }
    luaL_checkstack(L, values + 2, NULL);
    lua_xmove(t->co, L, values);
    lua_settop(L, lua_gettop(L) - values + (values > 2 ? 2 : values));
    for (; values < 2; values++)
        lua_pushnil(L);
    return true;
}

static struct er_task *next_ready(struct er_script *s)
{
    struct er_task *t = s->tasks;
    while (t && !t->ready)
        t = t->next;
    return t;
}

/* ------------------------------------------------------------------ map */

/* How many items at once: the option at_once. */
static lua_Integer at_once(lua_State *L, int index)
{
    if (lua_isnoneornil(L, index))
        return ER_SCRIPT_AT_ONCE;
    luaL_checktype(L, index, LUA_TTABLE);
    lua_pushnil(L);
    while (lua_next(L, index)) {
        if (lua_type(L, -2) != LUA_TSTRING ||
            strcmp(lua_tostring(L, -2), "at_once") != 0)
            luaL_error(L, "ctx.map has one option: at_once");
        lua_pop(L, 1);
    }
    lua_getfield(L, index, "at_once");
    lua_Integer n = lua_isnil(L, -1) ? ER_SCRIPT_AT_ONCE
                                     : luaL_checkinteger(L, -1);
    lua_pop(L, 1);
    if (n < 1 || n > ER_SCRIPT_AT_ONCE_MOST)
        luaL_error(L, "at_once is %I; it must be 1 to %d", (LUAI_UACINT)n,
            ER_SCRIPT_AT_ONCE_MOST);
    return n;
}

static int after_map(lua_State *L, int status, lua_KContext ctx)
{
    struct er_script *s = er_script_of(L);
    struct er_map *m = s->current->map;
    (void)status;
    (void)ctx;
    s->current->map = NULL;
    s->maps--;
    lua_rawgeti(L, LUA_REGISTRYINDEX, m->bad ? m->why : m->results);
    luaL_unref(L, LUA_REGISTRYINDEX, m->items);
    luaL_unref(L, LUA_REGISTRYINDEX, m->fn);
    luaL_unref(L, LUA_REGISTRYINDEX, m->results);
    luaL_unref(L, LUA_REGISTRYINDEX, m->why);
    luaL_unref(L, LUA_REGISTRYINDEX, m->self);
    return m->bad ? lua_error(L) : 1;
}

int er_script_map(lua_State *L)
{
    struct er_script *s = er_script_of(L);
    struct er_task *t = er_script_task(L, "map");
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_Integer n = luaL_len(L, 1), many = at_once(L, 3);
    if (n > ER_SCRIPT_ITEMS)
        return luaL_error(L, "%I items; ctx.map takes %d at most",
            (LUAI_UACINT)n, ER_SCRIPT_ITEMS);
    if (strlen(t->prefix) > 120 || s->maps >= 10000)
        return luaL_error(L, "too many maps within maps");
    struct er_map *m = lua_newuserdatauv(L, sizeof *m, 0);
    *m = (struct er_map){.task = t, .n = n, .next = 1, .at_once = many,
        .why = LUA_NOREF};
    m->self = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_createtable(L, n < 100000 ? (int)n : 0, 0);
    m->results = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_pushvalue(L, 1);
    m->items = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_pushvalue(L, 2);
    m->fn = luaL_ref(L, LUA_REGISTRYINDEX);
    er_script_number(t, m->path);
    lua_createtable(L, 0, 1);
    lua_pushinteger(L, n);
    lua_setfield(L, -2, "items");
    er_script_tell(L, "map", m->path, lua_gettop(L));
    s->maps++;
    t->map = m;
    t->ready = false;
    fill_map(L, s, m);
    return lua_yieldk(L, 0, 0, after_map);
}

/* ---------------------------------------------------------------- the op */

/* The file gave a table with a function run: leave that on the stack. */
static void push_run(lua_State *L, struct er_script *s)
{
    er_chunk_push(L, s->chunk);
    lua_call(L, 0, 1);
    if (!lua_istable(L, -1))
        luaL_error(L, "the file does not return a table");
    lua_pushliteral(L, "run");
    if (lua_rawget(L, -2) != LUA_TFUNCTION)
        luaL_error(L, "the agent has no function run");
    lua_remove(L, -2);
}

static void start_script(lua_State *L, struct er_script *s)
{
    const json_t *input = json_object_get(s->request, "input");
    er_script_globals(L);
    lua_State *co = lua_newthread(L);
    struct er_task *t = new_task(L, s);
    s->current = t;
    push_run(L, s);
    er_script_push_ctx(L);
    if (json_is_object(input))
        er_convert_push(L, input);
    else
        lua_newtable(L);
    lua_xmove(L, co, 3);
    t->given = 2;
}

static int script_body(lua_State *L)
{
    struct er_script *s = lua_touserdata(L, 1);
    start_script(L, s);
    bool over = false;
    while (!over) {
        struct er_task *t = next_ready(s);
        if (t)
            over = go_on(L, s, t);
        else
            wait_for_answers(L, s);
    }
    if (lua_isnil(L, -2) && lua_type(L, -1) == LUA_TSTRING) {
        s->refusal = lua_tolstring(L, -1, &s->refusal_len);
        lua_rawsetp(L, LUA_REGISTRYINDEX, s); /* keep it alive */
        return 0;
    }
    er_buf_adds(s->out, ",\"ok\":true,\"result\":");
    if (lua_isnil(L, -2))
        er_buf_adds(s->out, "\"\"");
    else
        er_convert_write(L, -2, s->out, ER_CONVERT_PLAIN, "result");
    return 0;
}

void er_op_script(struct er_host *h, struct er_chunk *chunk,
    const json_t *request, struct er_buf *out)
{
    struct er_script s = {
        .h = h, .chunk = chunk, .request = request, .out = out};
    h->script = &s;
    h->logs_left = 1000;
    int status = er_host_run(h, script_body, &s, ER_SCRIPT_SLICE_MS);
    if (s.where[0])
        memcpy(h->where, s.where, sizeof h->where);
    if (status != LUA_OK || s.refusal)
        er_answer_begin(out, h->wire.id); /* drops a result half written */
    if (status != LUA_OK)
        er_answer_failure(h, chunk->path, status, out);
    else if (s.refusal)
        er_answer_refusal(out, s.refusal, s.refusal_len, "", false);
    for (struct er_task *t = s.tasks; t; t = t->next)
        json_decref(t->answer);
    h->script = NULL;
    er_chunk_settle(chunk);
}
