/* What the gguf files share. */
#ifndef ERRAND_ENGINE_GGUF_PARTS_H
#define ERRAND_ENGINE_GGUF_PARTS_H

#include "engine/gguf.h"
#include "engine/gguf_map.h"

enum {
    ER_GGUF_PARTS = 512,     /* files of one model */
    ER_GGUF_KEY = 65535,     /* bytes of a key, by the format's definition */
    ER_GGUF_NAME = 127,      /* bytes of a tensor's name */
    ER_GGUF_ALIGNMENT = 32,  /* of the data, unless the file says other */
};

struct er_gguf_value {
    struct er_gguf_str key;
    uint32_t type;
    uint32_t element; /* type of an array's elements */
    uint64_t count;   /* elements of an array */
    const unsigned char *at; /* the bytes behind type and count */
};

struct er_gguf {
    struct er_map *maps; /* [n_maps] */
    uint32_t n_maps;
    uint32_t version;
    struct er_gguf_value *values; /* [n_values] of the first part, by key */
    size_t n_values;
    struct er_tensor *tensors; /* [n_tensors] of all parts, by name */
    size_t n_tensors;
};

/* Reading forward through a mapping; at never passes end. */
struct er_cursor {
    const unsigned char *begin, *at, *end;
};

static inline size_t er_cursor_left(const struct er_cursor *c)
{
    return (size_t)(c->end - c->at);
}

/* Each gives false where the file ends first, and reads nothing then. */
bool er_cursor_u32(struct er_cursor *c, uint32_t *v);
bool er_cursor_u64(struct er_cursor *c, uint64_t *v);
bool er_cursor_str(struct er_cursor *c, struct er_gguf_str *s);
bool er_cursor_skip(struct er_cursor *c, uint64_t n);

/* Bytes of a number of this type; 0 for strings, arrays and unknown ones. */
size_t er_gguf_width(uint32_t type);

int er_gguf_compare(struct er_gguf_str a, struct er_gguf_str b);

/* The key-value pairs of a part into values (taken by the caller), sorted;
 * a key twice is an error. */
int er_gguf_read_values(struct er_cursor *c, uint64_t count,
    struct er_gguf_value **values, size_t *n, struct errand_error *err);

/* The tensors of part number part, appended to g. */
int er_gguf_read_tensors(struct er_gguf *g, struct er_cursor *c,
    uint64_t count, uint32_t part, uint64_t alignment,
    struct errand_error *err);

/* Sort the tensors by name and hold them against one another. */
int er_gguf_sort_tensors(struct er_gguf *g, struct errand_error *err);

#endif
