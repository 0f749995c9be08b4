/* From a Lua error to words: the model gets the message, the user the place
 * as well. Runs outside of protected calls, so it only looks at values that
 * exist and never makes one. */
#include "ops.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* Length of "name:12: " at the start of text, 0 if there is none; *line gets
 * the number. name is the path, or "..." and its end, as Lua shortens. */
static size_t position_len(const char *text, const char *path, int64_t *line)
{
    const char *p = text;
    size_t n = strlen(path);
    if (strncmp(text, "...", 3) == 0) {
        const char *colon = strstr(text, ":");
        size_t tail = colon ? (size_t)(colon - text) - 3 : 0;
        if (!colon || tail > n || strncmp(text + 3, path + n - tail, tail))
            return 0;
        p = colon;
    } else if (strncmp(text, path, n) == 0) {
        p = text + n;
    } else {
        return 0;
    }
    if (*p != ':')
        return 0;
    char *end;
    long number = strtol(p + 1, &end, 10);
    if (end == p + 1 || end[0] != ':' || end[1] != ' ')
        return 0;
    *line = number;
    return (size_t)(end + 2 - text);
}

/* The line in "path:12", which the host noted. */
static int64_t noted_line(const struct er_host *h, const char *path)
{
    size_t n = strlen(path);
    if (strncmp(h->where, path, n) != 0 || h->where[n] != ':')
        return 0;
    return strtol(h->where + n + 1, NULL, 10);
}

static void read_text(struct er_failure *f, const char *text, size_t len,
    const char *path)
{
    size_t skip = 0, more;
    while ((more = position_len(text + skip, path, &f->line)) > 0)
        skip += more; /* coroutine.wrap puts another one in front */
    f->message = text + skip;
    f->len = len - skip;
}

/* error{message = "..."}: raw access, no metamethod runs here. */
static bool read_table(lua_State *L, struct er_failure *f)
{
    static const char key[] = "message";
    if (!lua_checkstack(L, 4))
        return false;
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        bool found = lua_type(L, -2) == LUA_TSTRING &&
                     strcmp(lua_tostring(L, -2), key) == 0 &&
                     lua_type(L, -1) == LUA_TSTRING;
        if (found) {
            f->message = lua_tolstring(L, -1, &f->len);
            f->from_tool = true;
            lua_pop(L, 2);
            return true;
        }
        lua_pop(L, 1);
    }
    return false;
}

static void say(struct er_failure *f, const char *text)
{
    f->message = text;
    f->len = strlen(text);
}

struct er_failure er_failure_read(
    struct er_host *h, int status, const char *path)
{
    lua_State *L = h->L;
    struct er_failure f = {.line = noted_line(h, path)};
    f.stopped = h->stopped;
    if (f.stopped) {
        say(&f, "stopped: it took too long");
    } else if (status == LUA_ERRMEM) {
        say(&f, "out of memory: a tool may use 32 MiB");
    } else if (lua_type(L, -1) == LUA_TSTRING) {
        size_t len;
        const char *text = lua_tolstring(L, -1, &len);
        read_text(&f, text, len, path);
    } else if (!lua_istable(L, -1) || !read_table(L, &f)) {
        say(&f, "an error was raised that is neither a text nor a table "
                "with a message");
    }
    return f;
}
