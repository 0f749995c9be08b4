/* Packing: words of sixteen rows turned side by side. */
#include "engine/pack.h"

#include <string.h>

/* A field of a block: where it lies in the file's block and how wide the
 * pieces are that are turned. */
struct field {
    size_t at, bytes, piece;
};

enum { FIELDS = 5 };

/* Fields in the order in which a tile has them. Of those with eight above 0
 * the first one stands in front: of as many blocks, or of all (SIZE_MAX). */
static const struct form {
    uint32_t type;
    size_t eight;
    struct field fields[FIELDS];
} forms[] = {
    {ER_Q4_0, ER_PACK_EIGHT, {{0, 2, 2}, {2, 16, 4}}},
    {ER_Q8_0, ER_PACK_EIGHT, {{0, 2, 2}, {2, 32, 4}}},
    {ER_Q4_K, 0, {{0, 2, 2}, {2, 2, 2}, {4, 12, 1}, {16, 128, 4}}},
    {ER_Q5_K, 0,
        {{0, 2, 2}, {2, 2, 2}, {4, 12, 1}, {16, 32, 4}, {48, 128, 4}}},
    {ER_Q6_K, SIZE_MAX,
        {{208, 2, 2}, {192, 16, 1}, {0, 128, 4}, {128, 64, 4}}},
};

static const struct form *form_of(uint32_t type)
{
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        if (forms[i].type == type)
            return &forms[i];
    return NULL;
}

/* How many of n blocks share what stands in front of them. */
static size_t share(const struct form *f, size_t n)
{
    return f->eight < n ? f->eight : n;
}

size_t er_pack_tile_bytes(uint32_t type, size_t n_in)
{
    const struct form *f = form_of(type);
    const struct er_quant *q = er_quant_get(type);
    if (!f)
        return 0;
    size_t n = n_in / q->block, heads = 0;
    for (size_t left = n; f->eight && left > 0; left -= share(f, left))
        heads += er_pack_head(share(f, left));
    return heads + n * (q->bytes - (f->eight ? 2 : 0)) * ER_TILE;
}

size_t er_pack_bytes(const struct er_matrix *m)
{
    size_t tiles = ((size_t)m->n_out + ER_TILE - 1) / ER_TILE;
    return tiles * er_pack_tile_bytes(m->type, m->n_in);
}

/* Sixteen rows' pieces of one field, side by side. rows are the blocks. */
static void turn(const unsigned char *const rows[ER_TILE],
    const struct field *f, unsigned char *out)
{
    for (size_t r = 0; r < ER_TILE; r++) {
        const unsigned char *from = rows[r] + f->at;
        unsigned char *to = out + r * f->piece;
        size_t n = f->bytes / f->piece;
        if (f->piece == 4)
            for (size_t i = 0; i < n; i++)
                memcpy(to + i * 64, from + i * 4, 4);
        else if (f->piece == 2)
            memcpy(to, from, 2);
        else
            for (size_t i = 0; i < n; i++)
                to[i * 16] = from[i];
    }
}

static void lift(unsigned char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        bytes[i] ^= 0x80;
}

static void pack_block(const struct form *form,
    const unsigned char *const rows[ER_TILE], unsigned char *head,
    unsigned char *block)
{
    for (size_t i = 0; i < FIELDS && form->fields[i].bytes; i++) {
        const struct field *f = &form->fields[i];
        unsigned char *out = head && i == 0 ? head : block;
        turn(rows, f, out);
        if (out == block)
            block += f->bytes * ER_TILE;
        if (form->type == ER_Q8_0 && i > 0)
            lift(out, f->bytes * ER_TILE);
    }
}

/* Block b of sixteen rows; rows behind the last are zeros. */
static void find_rows(const struct er_matrix *m, size_t tile, size_t b,
    const unsigned char *rows[ER_TILE])
{
    static const unsigned char zeros[256];
    const struct er_quant *q = er_quant_get(m->type);
    for (size_t r = 0; r < ER_TILE; r++) {
        size_t row = tile * ER_TILE + r;
        rows[r] = row < m->n_out ? (const unsigned char *)m->data +
                                       row * m->row_bytes + b * q->bytes
                                 : zeros;
    }
}

void er_pack_tile(const struct er_matrix *m, size_t tile, unsigned char *out)
{
    const struct form *f = form_of(m->type);
    const struct er_quant *q = er_quant_get(m->type);
    size_t n = m->n_in / q->block, b = 0;
    size_t bytes = (q->bytes - (f->eight ? 2 : 0)) * ER_TILE;
    const unsigned char *rows[ER_TILE];
    while (b < n) {
        size_t k = f->eight ? share(f, n - b) : 1;
        unsigned char *head = f->eight ? out : NULL;
        out += f->eight ? er_pack_head(k) : 0;
        for (; k > 0; k--, b++, out += bytes) {
            find_rows(m, tile, b, rows);
            pack_block(f, rows, head, out);
            head = head ? head + ER_TILE * 2 : NULL;
        }
    }
}
