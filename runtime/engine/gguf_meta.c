/* Looking up metadata: a key's value, of the type that is asked for. */
#include "engine/gguf_parts.h"

#include <stdlib.h>
#include <string.h>

static int by_key(const void *key, const void *value)
{
    const struct er_gguf_str *k = key;
    const struct er_gguf_value *v = value;
    return er_gguf_compare(*k, v->key);
}

static const struct er_gguf_value *get(
    const struct er_gguf *g, const char *key)
{
    struct er_gguf_str want = {key, strlen(key)};
    if (g->n_values == 0)
        return NULL;
    return bsearch(&want, g->values, g->n_values, sizeof *g->values, by_key);
}

bool er_gguf_has(const struct er_gguf *g, const char *key)
{
    return get(g, key) != NULL;
}

static int wrong(const struct er_gguf_value *v, const char *want,
    struct errand_error *err)
{
    static const char *const names[] = {"u8", "i8", "u16", "i16", "u32",
        "i32", "f32", "a bool", "a string", "an array", "u64", "i64", "f64"};
    return er_fail(err, ERRAND_SYNTAX, "\"%.*s\" is %s; it must be %s",
        (int)(v->key.len < 80 ? v->key.len : 80), v->key.s, names[v->type],
        want);
}

/* An integer of the type at p; what is negative has its sign in *below. */
static uint64_t integer(uint32_t type, const unsigned char *p, bool *below)
{
    uint64_t u = 0;
    int64_t i = 0;
    size_t width = er_gguf_width(type);
    memcpy(&u, p, width);
    *below = false;
    if (type != ER_GGUF_I8 && type != ER_GGUF_I16 && type != ER_GGUF_I32 &&
        type != ER_GGUF_I64)
        return u;
    unsigned shift = 64 - 8 * (unsigned)width;
    u <<= shift;
    memcpy(&i, &u, sizeof i);
    *below = i < 0;
    return *below ? 0 : u >> shift;
}

static bool is_integer(uint32_t type)
{
    return er_gguf_width(type) && type != ER_GGUF_FLOAT32 &&
           type != ER_GGUF_FLOAT64 && type != ER_GGUF_BOOL;
}

int er_gguf_get_u64(const struct er_gguf *g, const char *key, uint64_t min,
    uint64_t max, uint64_t *value, struct errand_error *err)
{
    const struct er_gguf_value *v = get(g, key);
    bool below;
    if (!v)
        return ERRAND_OK;
    if (!is_integer(v->type))
        return wrong(v, "a whole number", err);
    uint64_t n = integer(v->type, v->at, &below);
    if (below || n < min || n > max)
        return er_fail(err, ERRAND_SYNTAX,
            "\"%s\" is %s%llu; it must be from %llu to %llu", key,
            below ? "negative, not " : "", (unsigned long long)n,
            (unsigned long long)min, (unsigned long long)max);
    *value = n;
    return ERRAND_OK;
}

int er_gguf_get_f32(const struct er_gguf *g, const char *key, float *value,
    struct errand_error *err)
{
    const struct er_gguf_value *v = get(g, key);
    double d;
    if (!v)
        return ERRAND_OK;
    if (v->type == ER_GGUF_FLOAT32) {
        memcpy(value, v->at, sizeof *value);
        return ERRAND_OK;
    }
    if (v->type != ER_GGUF_FLOAT64)
        return wrong(v, "a real number", err);
    memcpy(&d, v->at, sizeof d);
    *value = (float)d;
    return ERRAND_OK;
}

int er_gguf_get_bool(const struct er_gguf *g, const char *key, bool *value,
    struct errand_error *err)
{
    const struct er_gguf_value *v = get(g, key);
    if (!v)
        return ERRAND_OK;
    if (v->type != ER_GGUF_BOOL)
        return wrong(v, "true or false", err);
    *value = *v->at != 0;
    return ERRAND_OK;
}

static struct er_gguf_str text(const unsigned char *at)
{
    uint64_t len;
    memcpy(&len, at, sizeof len);
    return (struct er_gguf_str){(const char *)at + sizeof len, (size_t)len};
}

int er_gguf_get_str(const struct er_gguf *g, const char *key,
    struct er_gguf_str *value, struct errand_error *err)
{
    const struct er_gguf_value *v = get(g, key);
    if (!v)
        return ERRAND_OK;
    if (v->type != ER_GGUF_STRING)
        return wrong(v, "a string", err);
    *value = text(v->at);
    return ERRAND_OK;
}

int er_gguf_get_array(const struct er_gguf *g, const char *key,
    struct er_gguf_array *value, struct errand_error *err)
{
    const struct er_gguf_value *v = get(g, key);
    *value = (struct er_gguf_array){.type = UINT32_MAX};
    if (!v)
        return ERRAND_OK;
    if (v->type != ER_GGUF_ARRAY)
        return wrong(v, "an array", err);
    *value = (struct er_gguf_array){
        .type = v->element, .count = v->count, .at = v->at, .left = v->count};
    return ERRAND_OK;
}

struct er_gguf_str er_gguf_next_str(struct er_gguf_array *a)
{
    struct er_gguf_str s = text(a->at);
    a->at = (const unsigned char *)s.s + s.len;
    a->left--;
    return s;
}

double er_gguf_next_number(struct er_gguf_array *a)
{
    const unsigned char *p = a->at;
    float f;
    double d;
    bool below;
    a->at += er_gguf_width(a->type);
    a->left--;
    if (a->type == ER_GGUF_FLOAT32) {
        memcpy(&f, p, sizeof f);
        return (double)f;
    }
    if (a->type == ER_GGUF_FLOAT64) {
        memcpy(&d, p, sizeof d);
        return d;
    }
    uint64_t n = integer(a->type, p, &below);
    return below ? -1.0 : (double)n; /* indices and kinds: below 0 is wrong */
}
