/* Pages of the key-value cache. */
#include "engine/kv.h"

#include "engine/quant.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int er_kv_layout_make(const struct er_shape *s, enum er_kv_type type,
    struct er_kv_layout *out, struct errand_error *err)
{
    static const size_t widths[] = {
        [ER_KV_F16] = 2, [ER_KV_Q8] = 1, [ER_KV_F32] = 4};
    uint64_t heads = (uint64_t)s->n_layer * 2 * s->n_head_kv;
    *out = (struct er_kv_layout){.type = type, .n_layer = s->n_layer,
        .n_head = s->n_head_kv, .head_dim = s->head_dim,
        .width = widths[type]};
    out->head_bytes = ER_KV_PAGE * s->head_dim * out->width;
    out->scales_at = heads * out->head_bytes;
    out->page_bytes = out->scales_at;
    if (type == ER_KV_Q8)
        out->page_bytes += heads * ER_KV_PAGE * sizeof(float);
    if (out->page_bytes > (uint64_t)1 << 36)
        return er_fail(err, ERRAND_TOO_LARGE,
            "64 positions would need %zu bytes of cache", out->page_bytes);
    out->page_bytes = (out->page_bytes + 63) / 64 * 64;
    return ERRAND_OK;
}

uint64_t er_kv_bytes(const struct er_kv_layout *l, uint64_t n)
{
    return (n + ER_KV_PAGE - 1) / ER_KV_PAGE * l->page_bytes;
}

static struct er_kv_page *page_new(const struct er_kv_layout *l)
{
    struct er_kv_page *p = malloc(sizeof *p);
    void *data = NULL;
    if (!p || posix_memalign(&data, 64, l->page_bytes)) {
        free(p);
        return NULL;
    }
    memset(data, 0, l->page_bytes);
    *p = (struct er_kv_page){.holders = 1, .data = data};
    return p;
}

static void page_drop(struct er_kv_page *p)
{
    if (!p || atomic_fetch_sub(&p->holders, 1) != 1)
        return;
    free(p->data);
    free(p);
}

void er_kv_release(struct er_kv *kv)
{
    er_kv_truncate(kv, 0);
    free(kv->pages);
    kv->pages = NULL;
    kv->room = 0;
}

static bool make_room(struct er_kv *kv, uint32_t n)
{
    if (n <= kv->room)
        return true;
    uint32_t room = n + n / 2 + 4;
    void *more = realloc(kv->pages, room * sizeof(struct er_kv_page *));
    if (!more)
        return false;
    kv->pages = more;
    kv->room = room;
    return true;
}

/* A page of one's own in place of a shared one. */
static bool page_own(struct er_kv *kv, uint32_t i)
{
    struct er_kv_page *old = kv->pages[i];
    if (atomic_load(&old->holders) == 1)
        return true;
    struct er_kv_page *p = page_new(kv->layout);
    if (!p)
        return false;
    memcpy(p->data, old->data, kv->layout->page_bytes);
    kv->pages[i] = p;
    page_drop(old);
    return true;
}

int er_kv_reserve(struct er_kv *kv, uint32_t from, uint32_t to,
    struct errand_error *err)
{
    uint32_t n = (uint32_t)(er_kv_round_up(to) / ER_KV_PAGE);
    if (!make_room(kv, n))
        return er_nomem(err);
    for (uint32_t i = from / ER_KV_PAGE; i < n && i < kv->n_pages; i++)
        if (!page_own(kv, i))
            return er_nomem(err);
    while (kv->n_pages < n) {
        struct er_kv_page *p = page_new(kv->layout);
        if (!p)
            return er_nomem(err);
        kv->pages[kv->n_pages++] = p;
    }
    return ERRAND_OK;
}

void er_kv_truncate(struct er_kv *kv, uint32_t n)
{
    uint32_t keep = (uint32_t)(er_kv_round_up(n) / ER_KV_PAGE);
    while (kv->n_pages > keep)
        page_drop(kv->pages[--kv->n_pages]);
}

int er_kv_share(struct er_kv *kv, const struct er_kv *from, uint32_t n,
    struct errand_error *err)
{
    uint32_t pages = (uint32_t)(er_kv_round_up(n) / ER_KV_PAGE);
    pages = pages < from->n_pages ? pages : from->n_pages;
    if (!make_room(kv, pages))
        return er_nomem(err);
    for (uint32_t i = 0; i < pages; i++) {
        atomic_fetch_add(&from->pages[i]->holders, 1);
        kv->pages[i] = from->pages[i];
    }
    kv->n_pages = pages;
    return ERRAND_OK;
}

static void write_q8(int8_t *out, float *scale, const float *x, uint32_t n)
{
    float most = 0;
    for (uint32_t i = 0; i < n; i++)
        most = fabsf(x[i]) > most ? fabsf(x[i]) : most;
    float back = most > 0 ? 127.0f / most : 0;
    *scale = most / 127.0f;
    for (uint32_t i = 0; i < n; i++) {
        float v = rintf(x[i] * back);
        out[i] = (int8_t)(v > 127 ? 127 : v >= -127 ? v : -127);
    }
}

void er_kv_write(const struct er_kv_view *kv, uint32_t layer, int which,
    uint32_t pos, const float *x, er_to_f16_fn *to_f16)
{
    const struct er_kv_layout *l = kv->layout;
    const struct er_kv_page *p = kv->pages[pos / ER_KV_PAGE];
    size_t in = pos % ER_KV_PAGE, n = l->head_dim;
    for (uint32_t h = 0; h < l->n_head; h++, x += n) {
        unsigned char *at =
            er_kv_head(l, p, layer, which, h) + in * n * l->width;
        if (l->type == ER_KV_F32) {
            memcpy(at, x, n * sizeof *x);
        } else if (l->type == ER_KV_Q8) {
            write_q8((int8_t *)at, &er_kv_scales(l, p, layer, which, h)[in],
                x, l->head_dim);
        } else {
            to_f16(x, (uint16_t *)(void *)at, n);
        }
    }
}

void er_kv_read(const struct er_kv_view *kv, uint32_t layer, int which,
    uint32_t head, uint32_t pos, float *out)
{
    const struct er_kv_layout *l = kv->layout;
    const struct er_kv_page *p = kv->pages[pos / ER_KV_PAGE];
    size_t in = pos % ER_KV_PAGE, n = l->head_dim;
    const unsigned char *at =
        er_kv_head(l, p, layer, which, head) + in * n * l->width;
    if (l->type == ER_KV_F32) {
        memcpy(out, at, n * sizeof *out);
    } else if (l->type == ER_KV_Q8) {
        float d = er_kv_scales(l, p, layer, which, head)[in];
        for (size_t i = 0; i < n; i++)
            out[i] = d * (float)((const int8_t *)at)[i];
    } else {
        const uint16_t *half = (const uint16_t *)(const void *)at;
        for (size_t i = 0; i < n; i++)
            out[i] = er_f16_to_f32(half[i]);
    }
}
