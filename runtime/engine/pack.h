/* Weights laid out for kernels: sixteen rows side by side.
 *
 * A *tile* is sixteen rows of a matrix. Four neighbouring bytes of each of
 * the sixteen lie together, 64 bytes in all, so that one instruction takes
 * four weights of all sixteen rows, no sum goes across lanes, and a tile is
 * read from its first byte to its last. Bits stay as the file has them (only
 * Q8_0 is moved from -128..127 to 0..255): a packed matrix is as large as
 * the file's, up to the last tile's empty rows.
 *
 * In a tile of n weights a row, nb = n / block (words are 4 bytes, "[16]"
 * runs over rows):
 *
 *   Q4_0  d [nb][16] f16, to 64; per block: qs words [4][16]
 *   Q8_0  d [nb][16] f16, to 64; per block: qs words [8][16], + 128
 *   Q4_K  per block: d [16] f16, dmin [16] f16, scales bytes [12][16],
 *         qs words [32][16]
 *   Q5_K  the same, and qh words [8][16] in front of qs
 *   Q6_K  d [nb][16] f16, to 64; per block: scales bytes [16][16],
 *         ql words [32][16], qh words [16][16]
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

/* Where the blocks of a tile begin: behind the d of those formats that have
 * them in front. */
static inline size_t er_pack_head(uint32_t type, size_t n_blocks)
{
    bool none = type == ER_Q4_K || type == ER_Q5_K;
    return none ? 0 : (n_blocks * ER_TILE * 2 + 63) / 64 * 64;
}

#endif
