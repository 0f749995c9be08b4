/* Reading a part's key-value pairs.
 *
 * A pair is: key (u64 length, bytes), u32 type, value; an array's value is
 * u32 type, u64 count, elements. Arrays of arrays are in the format's
 * definition and in no model; they are refused, and nothing here recurses.
 */
#include "engine/gguf_parts.h"

#include <stdlib.h>
#include <string.h>

bool er_cursor_skip(struct er_cursor *c, uint64_t n)
{
    if (n > er_cursor_left(c))
        return false;
    c->at += n;
    return true;
}

bool er_cursor_u32(struct er_cursor *c, uint32_t *v)
{
    if (er_cursor_left(c) < sizeof *v)
        return false;
    memcpy(v, c->at, sizeof *v);
    c->at += sizeof *v;
    return true;
}

bool er_cursor_u64(struct er_cursor *c, uint64_t *v)
{
    if (er_cursor_left(c) < sizeof *v)
        return false;
    memcpy(v, c->at, sizeof *v);
    c->at += sizeof *v;
    return true;
}

bool er_cursor_str(struct er_cursor *c, struct er_gguf_str *s)
{
    struct er_cursor back = *c;
    uint64_t len;
    if (!er_cursor_u64(c, &len))
        return false;
    *s = (struct er_gguf_str){(const char *)c->at, (size_t)len};
    if (er_cursor_skip(c, len))
        return true;
    *c = back;
    return false;
}

size_t er_gguf_width(uint32_t type)
{
    static const uint8_t widths[] = {[ER_GGUF_U8] = 1, [ER_GGUF_I8] = 1,
        [ER_GGUF_U16] = 2, [ER_GGUF_I16] = 2, [ER_GGUF_U32] = 4,
        [ER_GGUF_I32] = 4, [ER_GGUF_FLOAT32] = 4, [ER_GGUF_BOOL] = 1,
        [ER_GGUF_U64] = 8, [ER_GGUF_I64] = 8, [ER_GGUF_FLOAT64] = 8};
    return type < sizeof widths ? widths[type] : 0;
}

int er_gguf_compare(struct er_gguf_str a, struct er_gguf_str b)
{
    int by = memcmp(a.s, b.s, a.len < b.len ? a.len : b.len);
    return by ? by : (a.len > b.len) - (a.len < b.len);
}

static int cut(const struct er_cursor *c, struct er_gguf_str key,
    struct errand_error *err)
{
    if (err)
        err->at = c->at - c->begin;
    return er_fail(err, ERRAND_SYNTAX,
        "the file ends inside of the value of \"%.*s\" (byte %lld); it is "
        "cut or damaged: fetch it again",
        (int)(key.len < 60 ? key.len : 60), key.s,
        (long long)(c->at - c->begin));
}

static int read_array(struct er_cursor *c, struct er_gguf_value *v,
    struct errand_error *err)
{
    struct er_gguf_str s;
    if (!er_cursor_u32(c, &v->element) || !er_cursor_u64(c, &v->count))
        return cut(c, v->key, err);
    size_t width = er_gguf_width(v->element);
    v->at = c->at;
    if (!width && v->element != ER_GGUF_STRING)
        return er_fail(err, ERRAND_SYNTAX,
            "\"%.*s\" is an array of type %u, which no model has",
            (int)(v->key.len < 60 ? v->key.len : 60), v->key.s, v->element);
    if (width)
        return v->count <= er_cursor_left(c) / width &&
                       er_cursor_skip(c, v->count * width)
                   ? ERRAND_OK
                   : cut(c, v->key, err);
    for (uint64_t i = 0; i < v->count; i++)
        if (!er_cursor_str(c, &s))
            return cut(c, v->key, err);
    return ERRAND_OK;
}

static int read_value(struct er_cursor *c, struct er_gguf_value *v,
    struct errand_error *err)
{
    struct er_gguf_str s;
    if (!er_cursor_str(c, &v->key) || v->key.len > ER_GGUF_KEY)
        return er_fail(err, ERRAND_SYNTAX,
            "a key at byte %lld is longer than the file or 65535 bytes; the "
            "file is cut or damaged", (long long)(c->at - c->begin));
    if (!er_cursor_u32(c, &v->type))
        return cut(c, v->key, err);
    v->at = c->at;
    if (v->type == ER_GGUF_ARRAY)
        return read_array(c, v, err);
    if (v->type == ER_GGUF_STRING)
        return er_cursor_str(c, &s) ? ERRAND_OK : cut(c, v->key, err);
    size_t width = er_gguf_width(v->type);
    if (!width)
        return er_fail(err, ERRAND_SYNTAX,
            "\"%.*s\" has the unknown type %u; types are 0 to 12",
            (int)(v->key.len < 60 ? v->key.len : 60), v->key.s, v->type);
    return er_cursor_skip(c, width) ? ERRAND_OK : cut(c, v->key, err);
}

static int by_key(const void *a, const void *b)
{
    const struct er_gguf_value *x = a, *y = b;
    return er_gguf_compare(x->key, y->key);
}

static int find_twice(const struct er_gguf_value *v, size_t n,
    struct errand_error *err)
{
    for (size_t i = 1; i < n; i++)
        if (er_gguf_compare(v[i - 1].key, v[i].key) == 0)
            return er_fail(err, ERRAND_SYNTAX,
                "the key \"%.*s\" stands twice",
                (int)(v[i].key.len < 100 ? v[i].key.len : 100), v[i].key.s);
    return ERRAND_OK;
}

int er_gguf_read_values(struct er_cursor *c, uint64_t count,
    struct er_gguf_value **values, size_t *n, struct errand_error *err)
{
    size_t room = 0;
    int rc = ERRAND_OK;
    for (uint64_t i = 0; i < count && !rc; i++) {
        if (*n == room) {
            room = room ? room * 2 : 32;
            void *more = realloc(*values, room * sizeof **values);
            if (!more)
                return er_nomem(err);
            *values = more;
        }
        struct er_gguf_value *v = *values + *n;
        *v = (struct er_gguf_value){0};
        rc = read_value(c, v, err);
        *n += !rc;
    }
    if (rc || *n == 0)
        return rc;
    qsort(*values, *n, sizeof **values, by_key);
    return find_twice(*values, *n, err);
}
