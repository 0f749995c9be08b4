/* The op "describe": load a tool file, run no function of it, and say what
 * it is, or everything that is wrong with it at once.
 *
 * Lua knows the line of a syntax error and of an error while the file runs.
 * For the members of the table it does not; there the line is looked up in
 * the text, which is right for every file that is written in the usual way.
 */
#include "convert.h"
#include "ops.h"
#include "permissions.h"

#include "base/distance.h"
#include "base/frame.h"
#include "base/text.h"

#include <ctype.h>
#include <lauxlib.h>
#include <string.h>

enum {
    PROBLEMS_MOST = 50,
    TIMEOUT_MOST_MS = 3600 * 1000,
};

struct describe {
    struct er_chunk *chunk;
    struct er_buf problems; /* objects, comma between them */
    struct er_buf tool;     /* members, comma between them */
    int count;
};

/* ------------------------------------------------------------- problems */

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* Does "key =" (or ["key"] =) begin at s? */
static bool is_assignment(const char *s, const char *key)
{
    size_t n = strlen(key);
    if (strncmp(s, key, n) != 0 || is_word(s[n]))
        return false;
    for (s += n; *s == '"' || *s == '\'' || *s == ']'; s++)
        ;
    while (*s == ' ' || *s == '\t')
        s++;
    return s[0] == '=' && s[1] != '=';
}

/* The line with the least indentation on which key is given a value: the
 * outermost table's. 0 if there is none. */
static int line_of(const struct er_buf *source, const char *key)
{
    const char *text = er_buf_str(source);
    int line = 1, found = 0;
    size_t indent = 0, least = 0;
    bool at_start = true;
    for (const char *s = text; *s; s++) {
        if (*s == '\n') {
            line++;
            indent = 0;
            at_start = true;
            continue;
        }
        if (at_start && (*s == ' ' || *s == '\t')) {
            indent++;
            continue;
        }
        at_start = false;
        bool word = s == text || !is_word(s[-1]);
        if (word && is_assignment(s, key) && (!found || indent < least)) {
            found = line;
            least = indent;
        }
    }
    return found;
}

/* The last line that begins with return: where the table is. 0: none. */
static int line_of_return(const struct er_buf *source)
{
    int line = 1, found = 0;
    const char *s = er_buf_str(source);
    while (s) {
        if (er_starts_with(s, "return") && !is_word(s[6]))
            found = line;
        s = strchr(s, '\n');
        s = s ? s + 1 : NULL;
        line++;
    }
    return found;
}

static void add_problem(struct describe *d, int64_t line, const char *text,
    size_t len)
{
    if (++d->count > PROBLEMS_MOST)
        return;
    if (d->problems.len)
        er_buf_addc(&d->problems, ',');
    er_buf_addf(&d->problems, "{\"line\":%lld,\"message\":",
        (long long)line);
    er_json_add_string(&d->problems, text, er_utf8_cut(text, len, 1000));
    er_buf_addc(&d->problems, '}');
}

/* A problem with the member key of the tool's table; NULL: with the table,
 * or with what is missing there. */
static void complain(
    struct describe *d, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void complain(
    struct describe *d, const char *key, const char *fmt, ...)
{
    struct er_buf text;
    va_list ap;
    er_buf_init(&text, 4000);
    va_start(ap, fmt);
    er_buf_vaddf(&text, fmt, ap);
    va_end(ap);
    int line = key ? line_of(&d->chunk->source, key)
                   : line_of_return(&d->chunk->source);
    add_problem(d, line, er_buf_str(&text), text.len);
    er_buf_release(&text);
}

/* Begin the member name of the answer's tool. */
static void add_name(struct describe *d, const char *name)
{
    if (d->tool.len)
        er_buf_addc(&d->tool, ',');
    er_buf_addf(&d->tool, "\"%s\":", name);
}

/* -------------------------------------------- members of the tool's table
 *
 * Each finds the member on top of the stack (nil if it is missing). */

static void read_name(lua_State *L, struct describe *d)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    size_t len;
    if (lua_isnil(L, -1)) {
        complain(d, NULL, "name is missing; models call the tool by it");
        return;
    }
    if (lua_type(L, -1) != LUA_TSTRING) {
        complain(d, "name", "name must be a text, not a %s",
            luaL_typename(L, -1));
        return;
    }
    const char *name = lua_tolstring(L, -1, &len);
    if (len < 1 || len > 64 || strspn(name, allowed) != len) {
        complain(d, "name",
            "name '%.80s' must be 1 to 64 of A-Z a-z 0-9 _ -", name);
        return;
    }
    add_name(d, "name");
    er_json_add_string(&d->tool, name, len);
}

static void read_description(lua_State *L, struct describe *d)
{
    size_t len;
    const char *text = lua_type(L, -1) == LUA_TSTRING
                           ? lua_tolstring(L, -1, &len)
                           : NULL;
    if (lua_isnil(L, -1)) {
        complain(d, NULL,
            "description is missing; say what the tool does and when to use "
            "it, the model reads it");
    } else if (!text) {
        complain(d, "description", "description must be a text, not a %s",
            luaL_typename(L, -1));
    } else if (strspn(text, " \t\r\n") == len) {
        complain(d, "description", "description is empty");
    } else {
        add_name(d, "description");
        er_json_add_string(&d->tool, text, len);
    }
}

/* Protected: the table on top as a schema, into the buffer given. */
static int write_schema(lua_State *L)
{
    struct er_buf *out = lua_touserdata(L, 2);
    er_convert_write(L, 1, out, ER_CONVERT_SCHEMA, "parameters");
    return 0;
}

/* Add the table on top as member name, or the problem with it. */
static void add_table(
    lua_State *L, struct describe *d, const char *name, lua_CFunction write)
{
    struct er_buf json;
    er_buf_init(&json, ER_FRAME_MAX / 2);
    lua_pushcfunction(L, write);
    lua_pushvalue(L, -2);
    lua_pushlightuserdata(L, &json);
    if (lua_pcall(L, 2, 0, 0) == LUA_OK) {
        add_name(d, name);
        er_buf_add(&d->tool, er_buf_str(&json), json.len);
    } else {
        const char *why = lua_tostring(L, -1);
        complain(d, name, "%s", why ? why : "out of memory");
        lua_pop(L, 1);
    }
    er_buf_release(&json);
}

static void read_parameters(lua_State *L, struct describe *d)
{
    if (lua_isnil(L, -1)) { /* a tool without arguments */
        add_name(d, "parameters");
        er_buf_adds(&d->tool, "{\"properties\":{},\"type\":\"object\"}");
        return;
    }
    if (!lua_istable(L, -1)) {
        complain(d, "parameters",
            "parameters must be a table, a JSON Schema, not a %s",
            luaL_typename(L, -1));
        return;
    }
    lua_pushliteral(L, "type");
    lua_rawget(L, -2);
    const char *type = lua_tostring(L, -1);
    if (!type || strcmp(type, "object") != 0)
        complain(d, "parameters",
            "parameters must have type = \"object\"");
    lua_pop(L, 1);
    add_table(L, d, "parameters", write_schema);
}

static void read_effect(lua_State *L, struct describe *d)
{
    static const char *const effects[] = {
        "unsafe", "pure", "read", "idempotent", "keyed", NULL};
    const char *effect = lua_type(L, -1) == LUA_TSTRING
                             ? lua_tostring(L, -1)
                             : NULL;
    if (lua_isnil(L, -1))
        effect = "unsafe";
    for (size_t i = 0; effect && effects[i]; i++) {
        if (strcmp(effect, effects[i]) == 0) {
            add_name(d, "effect");
            er_json_add_string(&d->tool, effect, strlen(effect));
            return;
        }
    }
    complain(d, "effect",
        "effect%s%.40s must be \"pure\", \"read\", \"idempotent\", "
        "\"keyed\" or \"unsafe\"",
        effect ? " " : "", effect ? effect : "");
}

static void read_timeout(lua_State *L, struct describe *d)
{
    lua_Integer ms = lua_tointeger(L, -1);
    if (lua_isnil(L, -1))
        return;
    if (!lua_isinteger(L, -1) || ms < 1 || ms > TIMEOUT_MOST_MS) {
        complain(d, "timeout_ms",
            "timeout_ms must be an integer from 1 to %d (an hour)",
            TIMEOUT_MOST_MS);
        return;
    }
    add_name(d, "timeout_ms");
    er_buf_addf(&d->tool, "%lld", (long long)ms);
}

static void read_flag(lua_State *L, struct describe *d, const char *name)
{
    if (lua_isnil(L, -1))
        return;
    if (!lua_isboolean(L, -1)) {
        complain(d, name, "%s must be true or false", name);
        return;
    }
    add_name(d, name);
    er_buf_adds(&d->tool, lua_toboolean(L, -1) ? "true" : "false");
}

static void read_sequential(lua_State *L, struct describe *d)
{
    read_flag(L, d, "sequential");
}

static void read_polls(lua_State *L, struct describe *d)
{
    read_flag(L, d, "polls");
}

static void read_external(lua_State *L, struct describe *d)
{
    read_flag(L, d, "external");
}

static void complain_text(void *ctx, const char *key, const char *text)
{
    struct describe *d = ctx;
    complain(d, key, "%s", text);
}

static void read_permissions(lua_State *L, struct describe *d)
{
    struct er_complaints complaints = {.say = complain_text, .ctx = d};
    struct er_buf json;
    if (lua_isnil(L, -1))
        return;
    if (!lua_istable(L, -1)) {
        complain(d, "permissions", "permissions must be a table, not a %s",
            luaL_typename(L, -1));
        return;
    }
    er_buf_init(&json, 256 * 1024);
    if (er_permissions_read(L, &complaints, &json)) {
        add_name(d, "permissions");
        er_buf_add(&d->tool, er_buf_str(&json), json.len);
    }
    if (json.failed)
        complain(d, "permissions", "permissions are over 256 KiB");
    er_buf_release(&json);
}

/* Protected: the list on top, into the buffer given. */
static int write_examples(lua_State *L)
{
    struct er_buf *out = lua_touserdata(L, 2);
    er_convert_write(L, 1, out, ER_CONVERT_PLAIN, "examples");
    return 0;
}

/* Calls with what they give, for `tools check` to try; looked into there. */
static void read_examples(lua_State *L, struct describe *d)
{
    if (lua_isnil(L, -1))
        return;
    if (!lua_istable(L, -1) || lua_rawlen(L, -1) == 0) {
        complain(d, "examples", "examples must be a list: { { arguments = "
            "{ ... }, result = ... }, ... }");
        return;
    }
    add_table(L, d, "examples", write_examples);
    add_name(d, "examples_line");
    er_buf_addf(&d->tool, "%d", line_of(&d->chunk->source, "examples"));
}

static void read_run(lua_State *L, struct describe *d)
{
    if (lua_isnil(L, -1))
        complain(d, NULL,
            "run is missing; it is the function that does the work: "
            "run = function(args, ctx) ... end");
    else if (!lua_isfunction(L, -1))
        complain(d, "run", "run must be a function, not a %s",
            luaL_typename(L, -1));
}

/* The members a tool's table may have, in the order of the answer. */
static const struct member {
    const char *name;
    void (*read)(lua_State *L, struct describe *d);
} members[] = {
    {"name", read_name},
    {"description", read_description},
    {"parameters", read_parameters},
    {"effect", read_effect},
    {"timeout_ms", read_timeout},
    {"sequential", read_sequential},
    {"polls", read_polls},
    {"external", read_external},
    {"permissions", read_permissions},
    {"examples", read_examples},
    {"run", read_run},
};

enum { MEMBERS = sizeof members / sizeof members[0] };

static void check_key(lua_State *L, struct describe *d)
{
    if (lua_type(L, -1) != LUA_TSTRING) {
        complain(d, NULL,
            "the table has a value without a name; every member is "
            "name = value");
        return;
    }
    const char *key = lua_tostring(L, -1), *meant = NULL;
    for (size_t i = 0; i < MEMBERS; i++) {
        if (strcmp(key, members[i].name) == 0)
            return;
        if (!meant && er_text_similar(key, members[i].name))
            meant = members[i].name;
    }
    if (meant)
        complain(d, key, "%.60s is not known; did you mean %s?", key, meant);
    else
        complain(d, key,
            "%.60s is not known; there are: name, description, parameters, "
            "effect, timeout_ms, sequential, polls, external, permissions, "
            "examples, run",
            key);
}

static int describe_body(lua_State *L)
{
    struct describe *d = lua_touserdata(L, 1);
    er_chunk_push(L, d->chunk);
    lua_call(L, 0, 1);
    if (!lua_istable(L, -1)) {
        complain(d, NULL,
            "the file must return a table: return { name = ..., ... }; it "
            "returns %s",
            lua_isnil(L, -1) ? "nothing" : luaL_typename(L, -1));
        return 0;
    }
    for (size_t i = 0; i < MEMBERS; i++) {
        lua_pushstring(L, members[i].name);
        lua_rawget(L, -2);
        members[i].read(L, d);
        lua_pop(L, 1);
    }
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        lua_pop(L, 1);
        check_key(L, d);
    }
    return 0;
}

static void write_answer(struct describe *d, struct er_buf *out)
{
    if (d->count == 0) {
        er_buf_adds(out, ",\"ok\":true,\"tool\":{");
        er_buf_add(out, er_buf_str(&d->tool), d->tool.len);
        er_buf_adds(out, "},\"problems\":[]");
        return;
    }
    er_buf_adds(out, ",\"ok\":false,\"problems\":[");
    er_buf_add(out, er_buf_str(&d->problems), d->problems.len);
    er_buf_addc(out, ']');
}

void er_op_describe(struct er_host *h, struct er_chunk *chunk,
    const json_t *request, struct er_buf *out)
{
    struct describe d = {.chunk = chunk};
    er_buf_init(&d.problems, 256 * 1024);
    er_buf_init(&d.tool, ER_FRAME_MAX / 2);
    int64_t timeout = er_json_int(request, "timeout_ms", ER_OP_LOAD_MS);
    int status = er_host_run(h, describe_body, &d, timeout);
    if (status != LUA_OK) {
        struct er_failure f = er_failure_read(h, status, chunk->path);
        add_problem(&d, f.line, f.message, f.len);
    }
    if (d.tool.failed && d.count == 0)
        complain(&d, NULL, "the description is over 8 MiB");
    write_answer(&d, out);
    er_chunk_settle(chunk);
    er_buf_release(&d.problems);
    er_buf_release(&d.tool);
}
