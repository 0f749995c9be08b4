/* All tiles of all matrices, shared among threads.
 *
 * Weights are packed when a model is loaded and not when they are first
 * used: it takes about as long as reading the file from memory twice, and
 * the first prompt then needs no second kind of kernel.
 */
#include "engine/weights_pack.h"

#include "engine/memory.h"
#include "engine/pack.h"

#include <stdlib.h>

enum { PER_LAYER = 7, PIECE = 32 /* tiles */ };

struct piece {
    struct er_matrix *m;
    size_t from, to; /* tiles */
};

struct packing {
    struct er_matrix **all; /* [n] */
    size_t n;
    struct piece *pieces;
    size_t n_pieces;
};

static size_t tiles_of(const struct er_matrix *m)
{
    return ((size_t)m->n_out + ER_TILE - 1) / ER_TILE;
}

/* Every matrix that products are made with. */
static size_t collect(struct er_weights *w, uint32_t n_layer,
    struct er_matrix **all)
{
    size_t n = 0;
    for (uint32_t i = 0; i < n_layer; i++) {
        struct er_layer *l = &w->layers[i];
        struct er_matrix *of[PER_LAYER] = {
            &l->q, &l->k, &l->v, &l->o, &l->gate, &l->up, &l->down};
        for (int k = 0; k < PER_LAYER; k++)
            all[n++] = of[k];
    }
    all[n++] = &w->output;
    return n;
}

static void cut(struct packing *p)
{
    for (size_t i = 0; i < p->n; i++) {
        size_t n = p->all[i]->packed ? tiles_of(p->all[i]) : 0;
        for (size_t at = 0; at < n; at += PIECE) {
            size_t to = n - at < PIECE ? n : at + PIECE;
            if (p->pieces)
                p->pieces[p->n_pieces] =
                    (struct piece){p->all[i], at, to};
            p->n_pieces++;
        }
    }
}

static void pack_piece(void *ctx, size_t number, unsigned thread)
{
    const struct packing *p = ctx;
    const struct piece *piece = &p->pieces[number];
    const struct er_matrix *m = piece->m;
    size_t bytes = er_pack_tile_bytes(m->type, m->n_in);
    /* The tiles belong to the weights, which are being made. */
    unsigned char *out = (unsigned char *)(uintptr_t)m->packed;
    size_t last = piece->to * ER_TILE;
    (void)thread;
    for (size_t t = piece->from; t < piece->to; t++)
        er_pack_tile(m, t, out + t * bytes);
    last = last < m->n_out ? last : m->n_out;
    er_memory_let_go(
        (const char *)m->data + piece->from * ER_TILE * m->row_bytes,
        (last - piece->from * ER_TILE) * m->row_bytes);
}

/* Give each matrix its place. */
static int place(
    struct er_weights *w, struct packing *p, struct errand_error *err)
{
    size_t bytes = 0;
    for (size_t i = 0; i < p->n; i++)
        bytes += er_pack_bytes(p->all[i]);
    if (bytes == 0)
        return ERRAND_OK;
    w->tiles = er_memory_take(bytes);
    if (!w->tiles)
        return er_nomem(err);
    w->tiles_bytes = bytes;
    unsigned char *at = w->tiles;
    for (size_t i = 0; i < p->n; i++) {
        size_t own = er_pack_bytes(p->all[i]);
        p->all[i]->packed = own ? at : NULL;
        at += own;
    }
    return ERRAND_OK;
}

static void unplace(struct er_weights *w, struct packing *p)
{
    for (size_t i = 0; i < p->n; i++)
        p->all[i]->packed = NULL;
    er_memory_give(w->tiles, w->tiles_bytes);
    w->tiles = NULL;
    w->tiles_bytes = 0;
}

int er_weights_pack(struct er_weights *w, uint32_t n_layer,
    struct er_threads *threads, struct errand_error *err)
{
    struct packing p = {0};
    p.all = calloc((size_t)n_layer * PER_LAYER + 1, sizeof *p.all);
    if (!p.all)
        return er_nomem(err);
    p.n = collect(w, n_layer, p.all);
    int rc = place(w, &p, err);
    cut(&p);
    if (!rc && p.n_pieces > 0) {
        p.pieces = calloc(p.n_pieces, sizeof *p.pieces);
        rc = p.pieces ? ERRAND_OK : er_nomem(err);
    }
    if (rc) {
        unplace(w, &p);
    } else if (p.n_pieces > 0) {
        p.n_pieces = 0;
        cut(&p);
        er_threads_run(threads, p.n_pieces, pack_piece, &p, NULL);
    }
    free(p.pieces);
    free(p.all);
    return rc;
}
