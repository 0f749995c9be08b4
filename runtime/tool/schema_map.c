/* A small open-addressing map from pointer pairs to pointers. */
#include "tool/schema_compile.h"

#include <stdlib.h>

static size_t slot_of(const struct er_map *m, const void *a, const void *b)
{
    uint64_t h = (uint64_t)(uintptr_t)a * 0x9E3779B97F4A7C15u;
    h ^= (uint64_t)(uintptr_t)b * 0xC2B2AE3D27D4EB4Fu;
    size_t i = (size_t)(h >> 17) & (m->cap - 1);
    while (m->slots[i].a && (m->slots[i].a != a || m->slots[i].b != b))
        i = (i + 1) & (m->cap - 1);
    return i;
}

void *er_map_get(const struct er_map *m, const void *a, const void *b)
{
    return m->cap ? m->slots[slot_of(m, a, b)].value : NULL;
}

static bool grow(struct er_map *m)
{
    struct er_map more = {.cap = m->cap ? m->cap * 2 : 32, .n = m->n};
    more.slots = calloc(more.cap, sizeof *more.slots);
    if (!more.slots)
        return false;
    for (size_t i = 0; i < m->cap; i++)
        if (m->slots[i].a)
            more.slots[slot_of(&more, m->slots[i].a, m->slots[i].b)] =
                m->slots[i];
    free(m->slots);
    *m = more;
    return true;
}

bool er_map_put(struct er_map *m, const void *a, const void *b, void *value)
{
    if (m->n * 2 >= m->cap && !grow(m))
        return false;
    struct er_map_slot *s = &m->slots[slot_of(m, a, b)];
    m->n += !s->a;
    *s = (struct er_map_slot){a, b, value};
    return true;
}

void er_map_release(struct er_map *m) { free(m->slots); }
