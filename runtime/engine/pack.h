/* Weights laid out for kernels: sixteen rows side by side.
 *
 * A *tile* is sixteen rows of a matrix. Four neighbouring bytes of each of
 * the sixteen lie together, 64 bytes in all, so that one instruction takes
 * four weights of all sixteen rows, no sum goes across lanes, and a tile is
 * read from its first byte to its last. Bits stay as the file has them (only
 * Q8_0 is moved from -128..127 to 0..255): a packed matrix is as large as
 * the file's, up to the last tile's empty rows.
 *
 * A tile is blocks one behind the other (words are 4 bytes, "[16]" runs over
 * rows); blocks of 32 weights go by eights (the last ones of a row may be
 * fewer), behind the scales of all eight:
 *
 *   Q4_0  d [8][16] f16, to 64; per block: qs words [4][16]
 *   Q8_0  d [8][16] f16, to 64; per block: qs words [8][16], + 128
 *   Q4_K  per block: d [16] f16, dmin [16] f16, scales bytes [12][16],
 *         qs words [32][16]
 *   Q5_K  the same, and qh words [8][16] in front of qs
 *   Q6_K  in front of all blocks: d [blocks][16] f16, to 64;
 *         per block: scales bytes [16][16], ql words [32][16],
 *         qh words [16][16]
 *
 * The other formats are not packed; their matrices keep NULL.
 */
#ifndef ERRAND_ENGINE_PACK_H
#define ERRAND_ENGINE_PACK_H

#include "engine/quant.h"
#include "engine/weights.h"

enum { ER_TILE = 16 }; /* rows */

/* Bytes of one tile, a multiple of 64; 0: this format is not packed. */
size_t er_pack_tile_bytes(uint32_t type, size_t n_in);

/* Tile number tile of m, to out. */
void er_pack_tile(const struct er_matrix *m, size_t tile, unsigned char *out);

/* Bytes of a whole matrix; 0: it is not packed. */
size_t er_pack_bytes(const struct er_matrix *m);

enum { ER_PACK_EIGHT = 8 };

/* Bytes of the scales in front of n blocks. */
static inline size_t er_pack_head(size_t n)
{
    return (n * ER_TILE * 2 + 63) / 64 * 64;
}

#endif
