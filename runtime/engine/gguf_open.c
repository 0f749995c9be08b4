/* Opening a model file: its head, its pairs, its tensors, its parts. */
#include "engine/gguf_parts.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct head {
    uint32_t version;
    uint64_t n_tensors, n_values;
};

static int read_head(struct er_cursor *c, struct head *h,
    struct errand_error *err)
{
    uint32_t magic;
    if (!er_cursor_u32(c, &magic) || memcmp(c->begin, "GGUF", 4) != 0)
        return er_fail(err, ERRAND_SYNTAX,
            "not a GGUF file: it does not begin with \"GGUF\"");
    if (!er_cursor_u32(c, &h->version) || !er_cursor_u64(c, &h->n_tensors) ||
        !er_cursor_u64(c, &h->n_values))
        return er_fail(err, ERRAND_SYNTAX,
            "the file ends inside of its head; fetch it again");
    if (h->version != 0 && (h->version & 0xFFFF) == 0)
        return er_fail(err, ERRAND_UNSUPPORTED,
            "a big-endian GGUF file; take the little-endian one");
    if (h->version < 2 || h->version > 3)
        return er_fail(err, ERRAND_UNSUPPORTED,
            "GGUF version %u; errand reads 2 and 3", h->version);
    return ERRAND_OK;
}

static const struct er_gguf_value *find(
    const struct er_gguf_value *v, size_t n, const char *key)
{
    struct er_gguf_str want = {key, strlen(key)};
    for (size_t i = 0; i < n; i++)
        if (er_gguf_compare(v[i].key, want) == 0)
            return &v[i];
    return NULL;
}

static int read_alignment(const struct er_gguf_value *v, size_t n,
    uint64_t *alignment, struct errand_error *err)
{
    const struct er_gguf_value *a = find(v, n, "general.alignment");
    uint32_t value;
    *alignment = ER_GGUF_ALIGNMENT;
    if (!a)
        return ERRAND_OK;
    if (a->type != ER_GGUF_U32)
        return er_fail(err, ERRAND_SYNTAX,
            "general.alignment has type %u; it must be a u32", a->type);
    memcpy(&value, a->at, sizeof value);
    if (value < 8 || (value & (value - 1)) || value > 1u << 20)
        return er_fail(err, ERRAND_SYNTAX,
            "general.alignment is %u; it must be a power of two from 8 up to "
            "1 MiB", value);
    *alignment = value;
    return ERRAND_OK;
}

static int read_part(struct er_gguf *g, uint32_t part,
    struct er_gguf_value **values, size_t *n, struct errand_error *err)
{
    const struct er_map *m = &g->maps[part];
    struct er_cursor c = {m->data, m->data, m->data + m->size};
    struct head h = {0};
    uint64_t alignment = ER_GGUF_ALIGNMENT;
    int rc = read_head(&c, &h, err);
    if (!rc)
        rc = er_gguf_read_values(&c, h.n_values, values, n, err);
    if (!rc)
        rc = read_alignment(*values, *n, &alignment, err);
    if (!rc)
        rc = er_gguf_read_tensors(
            g, &c, h.n_tensors, part, alignment, err);
    if (part == 0)
        g->version = h.version;
    return rc;
}

/* Path of part no (from 0) of n beside the first one; NULL: not so named. */
static char *part_path(const char *first, uint32_t no, uint32_t n)
{
    char tail[40], want[40];
    size_t len = strlen(first);
    int t = snprintf(tail, sizeof tail, "-%05u-of-%05u.gguf", no + 1, n);
    snprintf(want, sizeof want, "-%05u-of-%05u.gguf", 1u, n);
    if (t < 0 || len < (size_t)t || strcmp(first + len - t, want) != 0)
        return NULL;
    char *path = er_strdup(first);
    if (path)
        memcpy(path + len - t, tail, (size_t)t);
    return path;
}

static int open_part(struct er_gguf *g, uint32_t no, uint32_t n,
    struct errand_error *err)
{
    struct er_gguf_value *values = NULL;
    size_t n_values = 0;
    char *path = part_path(g->maps[0].path, no, n);
    if (!path)
        return er_fail(err, ERRAND_SYNTAX,
            "the file is the first of %u parts, but is not named "
            "...-00001-of-%05u.gguf", n, n);
    int rc = er_map_open(&g->maps[no], path, err);
    if (!rc) {
        g->n_maps = no + 1;
        rc = read_part(g, no, &values, &n_values, err);
    }
    if (rc)
        er_while(err, "part %u of %u", no + 1, n);
    free(values);
    free(path);
    return rc;
}

static int open_parts(struct er_gguf *g, struct errand_error *err)
{
    uint64_t no = 0, n = 1, tensors = 0;
    int rc = er_gguf_get_u64(
        g, "split.count", 0, ER_GGUF_PARTS, &n, err);
    if (!rc)
        rc = er_gguf_get_u64(g, "split.no", 0, ER_GGUF_PARTS, &no, err);
    if (!rc)
        rc = er_gguf_get_u64(
            g, "split.tensors.count", 0, UINT64_MAX, &tensors, err);
    if (rc || n <= 1)
        return rc;
    if (no != 0)
        return er_fail(err, ERRAND_USAGE,
            "this is part %u of %u; open the first one, "
            "...-00001-of-%05u.gguf", (unsigned)no + 1, (unsigned)n,
            (unsigned)n);
    void *more = realloc(g->maps, n * sizeof *g->maps);
    if (!more)
        return er_nomem(err);
    g->maps = more;
    for (uint32_t i = 1; i < n && !rc; i++)
        rc = open_part(g, i, (uint32_t)n, err);
    if (!rc && tensors != 0 && tensors != g->n_tensors)
        return er_fail(err, ERRAND_SYNTAX,
            "the parts hold %zu tensors, the first one promises %llu",
            g->n_tensors, (unsigned long long)tensors);
    return rc;
}

static int open_all(struct er_gguf *g, const char *path,
    struct errand_error *err)
{
    g->maps = calloc(1, sizeof *g->maps);
    if (!g->maps)
        return er_nomem(err);
    int rc = er_map_open(g->maps, path, err);
    if (rc)
        return rc;
    g->n_maps = 1;
    rc = read_part(g, 0, &g->values, &g->n_values, err);
    if (!rc)
        rc = open_parts(g, err);
    if (!rc)
        rc = er_gguf_sort_tensors(g, err);
    return rc ? er_while(err, "%.140s", path) : ERRAND_OK;
}

int er_gguf_open(
    const char *path, struct er_gguf **out, struct errand_error *err)
{
    struct er_gguf *g = calloc(1, sizeof *g);
    if (!g)
        return er_nomem(err);
    int rc = open_all(g, path, err);
    if (rc) {
        er_gguf_close(g);
        return rc;
    }
    *out = g;
    return ERRAND_OK;
}

void er_gguf_close(struct er_gguf *g)
{
    if (!g)
        return;
    for (uint32_t i = 0; i < g->n_maps; i++)
        er_map_close(&g->maps[i]);
    free(g->maps);
    free(g->values);
    free(g->tensors);
    free(g);
}

int er_gguf_check(const struct er_gguf *g, struct errand_error *err)
{
    int rc = ERRAND_OK;
    for (uint32_t i = 0; i < g->n_maps && !rc; i++)
        rc = er_map_check(&g->maps[i], err);
    return rc;
}

uint64_t er_gguf_bytes(const struct er_gguf *g)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < g->n_maps; i++)
        bytes += g->maps[i].size;
    return bytes;
}

uint32_t er_gguf_version(const struct er_gguf *g)
{
    return g->version;
}

uint32_t er_gguf_parts(const struct er_gguf *g)
{
    return g->n_maps;
}
