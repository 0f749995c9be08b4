/* The key-value cache, in pages of 64 positions.
 *
 * A page holds the keys and values of all layers for 64 positions of one
 * timeline; it is allocated when the timeline reaches it, and shared, by
 * counting, between timelines that have the same beginning. A page that is
 * shared is never written: who writes into one gets a copy first.
 *
 * In a page (numbers are f32, f16 or bytes with a scale per position):
 *   [layer][2: keys, values][key-value head][64 positions][head_dim]
 * and behind them, for q8,
 *   [layer][2][key-value head][64] f32 scales
 */
#ifndef ERRAND_ENGINE_KV_H
#define ERRAND_ENGINE_KV_H

#include "engine/shape.h"

#include <pthread.h>
#include <stdatomic.h>

enum er_kv_type { ER_KV_F16 = 0, ER_KV_Q8 = 1, ER_KV_F32 = 2 };

enum {
    ER_KV_PAGE = 64, /* positions */
    ER_KV_HEAD_MAX = 4096, /* numbers of a head */
};

/* How a page lies; made once per model. */
struct er_kv_layout {
    enum er_kv_type type;
    uint32_t n_layer, n_head, head_dim;
    size_t width;        /* bytes of a number */
    size_t head_bytes;   /* of 64 positions of a head, without scales */
    size_t scales_at;    /* q8: where the scales begin */
    size_t page_bytes;
};

struct er_kv_page {
    atomic_uint holders;
    unsigned char *data; /* [page_bytes], aligned to 64 */
};

/* One timeline's pages. */
struct er_kv {
    const struct er_kv_layout *layout;
    struct er_kv_page **pages; /* [n_pages] */
    uint32_t n_pages, room;
};

/* What attention reads. */
struct er_kv_view {
    const struct er_kv_layout *layout;
    struct er_kv_page *const *pages;
};

/* Errors TOO_LARGE. */
int er_kv_layout_make(const struct er_shape *s, enum er_kv_type type,
    struct er_kv_layout *out, struct errand_error *err);

/* Bytes that n positions take. */
uint64_t er_kv_bytes(const struct er_kv_layout *l, uint64_t n);

void er_kv_release(struct er_kv *kv);

/* Make positions [from, to) writable: missing pages are allocated, shared
 * ones copied. Errors NOMEM; then nothing was lost. */
int er_kv_reserve(struct er_kv *kv, uint32_t from, uint32_t to,
    struct errand_error *err);

/* Let go of the pages behind the first n positions. */
void er_kv_truncate(struct er_kv *kv, uint32_t n);

/* Share the pages of the first n positions of from. kv must be empty.
 * Errors NOMEM. */
int er_kv_share(struct er_kv *kv, const struct er_kv *from, uint32_t n,
    struct errand_error *err);

/* Write one position's keys (which 0) or values (1) of a layer: x [n_head *
 * head_dim]. to_f16: a table's (kernel.h). */
typedef void er_to_f16_fn(const float *x, uint16_t *out, size_t n);
void er_kv_write(const struct er_kv_view *kv, uint32_t layer, int which,
    uint32_t pos, const float *x, er_to_f16_fn *to_f16);

/* Read one position of one head: out [head_dim]. */
void er_kv_read(const struct er_kv_view *kv, uint32_t layer, int which,
    uint32_t head, uint32_t pos, float *out);

static inline size_t er_kv_round_up(size_t n)
{
    return (n + ER_KV_PAGE - 1) / ER_KV_PAGE * ER_KV_PAGE;
}

/* The 64 positions of a head in a page: [64][head_dim]. */
static inline unsigned char *er_kv_head(const struct er_kv_layout *l,
    const struct er_kv_page *p, uint32_t layer, int which, uint32_t head)
{
    size_t at = ((size_t)layer * 2 + (size_t)which) * l->n_head + head;
    return p->data + at * l->head_bytes;
}

/* q8: the scales of those positions: [64]. */
static inline float *er_kv_scales(const struct er_kv_layout *l,
    const struct er_kv_page *p, uint32_t layer, int which, uint32_t head)
{
    size_t at = ((size_t)layer * 2 + (size_t)which) * l->n_head + head;
    return (float *)(void *)(p->data + l->scales_at) + at * ER_KV_PAGE;
}

#endif
