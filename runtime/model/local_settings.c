/* One table of numbers, two texts. */
#include "model/local_settings.h"

#include "base/buf.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

struct number {
    const char *key;
    size_t at, size;
    int64_t least, most;
};

#define ROW(field) #field, offsetof(struct er_local_settings, field), \
    sizeof(((struct er_local_settings *)0)->field)
static const struct number numbers[] = {
    {ROW(context), 64, 1 << 24},
    {ROW(threads), 1, 256},
    {ROW(parallel), 1, ER_PARALLEL_MAX},
    {ROW(prefix_bytes), 0, (int64_t)1 << 50},
};
#undef ROW

static int read_number(struct er_local_settings *s, const struct number *n,
    const json_t *v, struct errand_error *err)
{
    json_int_t x = json_is_integer(v) ? json_integer_value(v) : -1;
    if (x < n->least || x > n->most)
        return er_fail(err, ERRAND_CONFIG,
            "engine.%s must be a whole number from %lld to %lld", n->key,
            (long long)n->least, (long long)n->most);
    char *field = (char *)s + n->at;
    if (n->size == sizeof(uint32_t))
        memcpy(field, &(uint32_t){(uint32_t)x}, sizeof(uint32_t));
    else
        memcpy(field, &(uint64_t){(uint64_t)x}, sizeof(uint64_t));
    return ERRAND_OK;
}

static int read_cache(struct er_local_settings *s, const json_t *v,
    struct errand_error *err)
{
    const char *text = json_string_value(v);
    if (text && strcmp(text, "f16") == 0)
        s->cache = ER_CACHE_F16;
    else if (text && strcmp(text, "q8") == 0)
        s->cache = ER_CACHE_Q8;
    else
        return er_fail(err, ERRAND_CONFIG,
            "engine.cache must be \"f16\" or \"q8\"");
    return ERRAND_OK;
}

static int read_folder(struct er_local_settings *s, const json_t *v,
    struct errand_error *err)
{
    const char *text = json_string_value(v);
    if (!text || !*text)
        return er_fail(
            err, ERRAND_CONFIG, "engine.prefix_folder must be a folder");
    char *copy = er_strdup(text);
    if (!copy)
        return er_nomem(err);
    free(s->prefix_folder);
    s->prefix_folder = copy;
    return ERRAND_OK;
}

static int read_one(struct er_local_settings *s, const char *key,
    const json_t *v, struct errand_error *err)
{
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (strcmp(key, numbers[i].key) == 0)
            return read_number(s, &numbers[i], v, err);
    if (strcmp(key, "cache") == 0)
        return read_cache(s, v, err);
    if (strcmp(key, "prefix_folder") == 0)
        return read_folder(s, v, err);
    return er_fail(err, ERRAND_CONFIG,
        "unknown key engine.%.40s; known: context threads parallel cache "
        "prefix_bytes prefix_folder", key);
}

/* $XDG_CACHE_HOME/errand/prefixes; NULL: no place, or no memory. */
static char *default_folder(void)
{
    const char *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    struct er_buf path;
    er_buf_init(&path, 4096);
    if (base && base[0] == '/')
        er_buf_addf(&path, "%s/errand/prefixes", base);
    else if (home && home[0])
        er_buf_addf(&path, "%s/.cache/errand/prefixes", home);
    char *folder = path.len > 0 ? er_buf_take(&path, NULL) : NULL;
    er_buf_release(&path);
    return folder;
}

int er_local_settings_read(struct er_local_settings *s, const json_t *object,
    struct errand_error *err)
{
    const char *key;
    json_t *v;
    *s = (struct er_local_settings){.parallel = 16,
        .prefix_bytes = (uint64_t)2 << 30,
        .prefix_folder = default_folder()};
    int rc = ERRAND_OK;
    json_object_foreach((json_t *)(uintptr_t)object, key, v)
        if (rc == ERRAND_OK)
            rc = read_one(s, key, v, err);
    if (rc != ERRAND_OK)
        er_local_settings_release(s);
    return rc;
}

void er_local_settings_release(struct er_local_settings *s)
{
    free(s->prefix_folder);
    s->prefix_folder = NULL;
}
