/* Keeping and compiling what was sent. */
#include "chunk.h"

#include "base/text.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

static void free_chunk(struct er_chunk *chunk)
{
    if (!chunk)
        return;
    er_buf_release(&chunk->source);
    er_buf_release(&chunk->code);
    free(chunk->path);
    free(chunk);
}

void er_chunks_release(struct er_chunks *c)
{
    for (size_t i = 0; i < ER_CHUNK_KEPT; i++) {
        free_chunk(c->list[i]);
        c->list[i] = NULL;
    }
}

static struct er_chunk *new_chunk(
    json_int_t number, const char *path, const json_t *text)
{
    struct er_chunk *chunk = calloc(1, sizeof *chunk);
    if (!chunk)
        return NULL;
    chunk->number = number;
    chunk->path = er_strdup(path);
    er_buf_init(&chunk->source, ER_CHUNK_SOURCE);
    er_buf_init(&chunk->code, ER_CHUNK_CODE);
    if (!chunk->path || !er_buf_add(&chunk->source, json_string_value(text),
                            json_string_length(text))) {
        free_chunk(chunk);
        return NULL;
    }
    return chunk;
}

bool er_chunk_load(struct er_chunks *c, const json_t *request)
{
    json_int_t number = er_json_int(request, "code", 0);
    const char *path = er_json_str(request, "path");
    const json_t *text = json_object_get(request, "text");
    if (number < 1 || !path || !json_is_string(text))
        return false;
    struct er_chunk *chunk = new_chunk(number, path, text);
    if (!chunk)
        return false;
    free_chunk(c->list[c->next]);
    c->list[c->next] = chunk;
    c->next = (c->next + 1) % ER_CHUNK_KEPT;
    return true;
}

struct er_chunk *er_chunk_find(struct er_chunks *c, const json_t *request)
{
    json_int_t number = er_json_int(request, "code", 0);
    for (size_t i = 0; i < ER_CHUNK_KEPT; i++)
        if (c->list[i] && c->list[i]->number == number)
            return c->list[i];
    return NULL;
}

static int add_code(lua_State *L, const void *p, size_t size, void *ud)
{
    (void)L;
    return er_buf_add(ud, p, size) ? 0 : 1;
}

/* Where the Lua text begins: after a byte order mark and, if the first line
 * is one for the shell, at its line break, so that lines count right. */
static const char *skip_head(const struct er_buf *source)
{
    const char *s = er_buf_str(source);
    if (er_starts_with(s, "\xEF\xBB\xBF"))
        s += 3;
    if (*s == '#')
        s += strcspn(s, "\n");
    return s;
}

void er_chunk_push(lua_State *L, struct er_chunk *chunk)
{
    const char *name = lua_pushfstring(L, "@%s", chunk->path);
    if (chunk->code.len > 0) { /* our own dump, never a file's bytes */
        if (luaL_loadbufferx(
                L, chunk->code.data, chunk->code.len, name, "b") != LUA_OK)
            lua_error(L);
    } else {
        const char *s = skip_head(&chunk->source);
        const char *end = er_buf_str(&chunk->source) + chunk->source.len;
        if (luaL_loadbufferx(L, s, (size_t)(end - s), name, "t") != LUA_OK)
            lua_error(L);
        if (lua_dump(L, add_code, &chunk->code, 0) != 0)
            er_buf_release(&chunk->code); /* works, but uncached */
    }
    lua_remove(L, -2);
}

void er_chunk_settle(struct er_chunk *chunk)
{
    if (chunk->code.len > 0)
        er_buf_release(&chunk->source);
}
