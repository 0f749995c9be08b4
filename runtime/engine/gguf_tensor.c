/* The table of tensors: what lies where, checked before anything is read. */
#include "engine/gguf_parts.h"
#include "engine/quant.h"

#include <stdlib.h>
#include <string.h>

static int bad(const struct er_tensor *t, struct errand_error *err,
    const char *what)
{
    return er_fail(err, ERRAND_SYNTAX, "tensor \"%.*s\": %s",
        (int)t->name.len, t->name.s, what);
}

static int read_shape(struct er_cursor *c, struct er_tensor *t,
    struct errand_error *err)
{
    if (!er_cursor_u32(c, &t->n_dims))
        return bad(t, err, "the file ends inside of its shape");
    if (t->n_dims < 1 || t->n_dims > ER_GGUF_DIMS)
        return er_fail(err, ERRAND_SYNTAX,
            "tensor \"%.*s\" has %u dimensions; they must be 1 to 4",
            (int)t->name.len, t->name.s, t->n_dims);
    uint64_t total = 1;
    for (uint32_t i = 0; i < ER_GGUF_DIMS; i++) {
        t->ne[i] = 1;
        if (i < t->n_dims && !er_cursor_u64(c, &t->ne[i]))
            return bad(t, err, "the file ends inside of its shape");
        if (t->ne[i] == 0)
            return bad(t, err, "a dimension is 0");
        if (__builtin_mul_overflow(total, t->ne[i], &total) ||
            total > INT64_MAX)
            return bad(t, err, "more weights than numbers can count");
    }
    t->rows = total / t->ne[0];
    return ERRAND_OK;
}

static int read_type(struct er_cursor *c, struct er_tensor *t,
    struct errand_error *err)
{
    if (!er_cursor_u32(c, &t->type) || !er_cursor_u64(c, &t->offset))
        return bad(t, err, "the file ends inside of its entry");
    const struct er_quant *q = er_quant_get(t->type);
    if (!q)
        return er_fail(err, ERRAND_SYNTAX,
            "tensor \"%.*s\" has type %u, which no format has",
            (int)t->name.len, t->name.s, t->type);
    if (!q->bytes)
        return er_fail(err, ERRAND_UNSUPPORTED,
            "tensor \"%.*s\" is %s, a format that errand does not read; take "
            "the model as Q4_K_M or Q8_0", (int)t->name.len, t->name.s,
            q->name);
    if (t->ne[0] % q->block)
        return er_fail(err, ERRAND_SYNTAX,
            "tensor \"%.*s\" has rows of %llu weights, not a multiple of %u "
            "as %s needs", (int)t->name.len, t->name.s,
            (unsigned long long)t->ne[0], q->block, q->name);
    if (__builtin_mul_overflow(
            t->ne[0] / q->block, (uint64_t)q->bytes, &t->row_bytes) ||
        __builtin_mul_overflow(t->row_bytes, t->rows, &t->bytes))
        return bad(t, err, "more bytes than numbers can count");
    return ERRAND_OK;
}

static int read_tensor(struct er_cursor *c, struct er_tensor *t,
    struct errand_error *err)
{
    if (!er_cursor_str(c, &t->name) || t->name.len > ER_GGUF_NAME)
        return er_fail(err, ERRAND_SYNTAX,
            "a tensor's name at byte %lld is longer than the file or %d "
            "bytes; the file is cut or damaged",
            (long long)(c->at - c->begin), ER_GGUF_NAME);
    int rc = read_shape(c, t, err);
    return rc ? rc : read_type(c, t, err);
}

/* Behind the table: give each tensor its place in the mapping. */
static int place(struct er_gguf *g, struct er_cursor *c, size_t first,
    uint64_t alignment, struct errand_error *err)
{
    uint64_t head = (uint64_t)(c->at - c->begin);
    uint64_t size = (uint64_t)(c->end - c->begin);
    uint64_t data = (head + alignment - 1) / alignment * alignment;
    for (size_t i = first; i < g->n_tensors; i++) {
        struct er_tensor *t = &g->tensors[i];
        if (t->offset % alignment)
            return bad(t, err, "its offset is not aligned");
        if (data > size || t->offset > size - data ||
            t->bytes > size - data - t->offset)
            return er_fail(err, ERRAND_SYNTAX,
                "tensor \"%.*s\" ends behind the end of the file (%llu "
                "bytes); it is cut or damaged: fetch it again",
                (int)t->name.len, t->name.s, (unsigned long long)size);
        t->data = c->begin + data + t->offset;
    }
    return ERRAND_OK;
}

int er_gguf_read_tensors(struct er_gguf *g, struct er_cursor *c,
    uint64_t count, uint32_t part, uint64_t alignment,
    struct errand_error *err)
{
    size_t first = g->n_tensors, room = first;
    for (uint64_t i = 0; i < count; i++) {
        if (g->n_tensors == room) {
            room = room ? room * 2 : 64;
            void *more = realloc(g->tensors, room * sizeof *g->tensors);
            if (!more)
                return er_nomem(err);
            g->tensors = more;
        }
        struct er_tensor *t = &g->tensors[g->n_tensors];
        *t = (struct er_tensor){.part = part};
        int rc = read_tensor(c, t, err);
        if (rc)
            return rc;
        g->n_tensors++;
    }
    return place(g, c, first, alignment, err);
}

static int by_name(const void *a, const void *b)
{
    const struct er_tensor *x = a, *y = b;
    return er_gguf_compare(x->name, y->name);
}

static int by_place(const void *a, const void *b)
{
    const struct er_tensor *x = a, *y = b;
    if (x->part != y->part)
        return x->part < y->part ? -1 : 1;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

int er_gguf_sort_tensors(struct er_gguf *g, struct errand_error *err)
{
    struct er_tensor *t = g->tensors;
    if (g->n_tensors == 0)
        return ERRAND_OK;
    qsort(t, g->n_tensors, sizeof *t, by_place);
    for (size_t i = 1; i < g->n_tensors; i++)
        if (t[i].part == t[i - 1].part &&
            t[i].offset - t[i - 1].offset < t[i - 1].bytes)
            return bad(&t[i], err, "it lies over another tensor");
    qsort(t, g->n_tensors, sizeof *t, by_name);
    for (size_t i = 1; i < g->n_tensors; i++)
        if (by_name(&t[i - 1], &t[i]) == 0)
            return bad(&t[i], err, "it stands twice");
    return ERRAND_OK;
}

size_t er_gguf_tensors(const struct er_gguf *g)
{
    return g->n_tensors;
}

const struct er_tensor *er_gguf_tensor_at(const struct er_gguf *g, size_t i)
{
    return i < g->n_tensors ? &g->tensors[i] : NULL;
}

const struct er_tensor *er_gguf_tensor(
    const struct er_gguf *g, const char *name)
{
    struct er_tensor key = {.name = {name, strlen(name)}};
    if (g->n_tensors == 0)
        return NULL;
    return bsearch(
        &key, g->tensors, g->n_tensors, sizeof key, by_name);
}
