/* Edit distance with swaps, over short names. */
#include "distance.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

enum { LONGEST = 64 };

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

static bool same(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

size_t er_text_distance(const char *a, const char *b)
{
    size_t la = strlen(a), lb = strlen(b);
    if (la > LONGEST || lb > LONGEST)
        return SIZE_MAX;
    size_t rows[3][LONGEST + 1]; /* row i of the table is rows[i % 3] */
    for (size_t j = 0; j <= lb; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= la; i++) {
        size_t *row = rows[i % 3], *up = rows[(i + 2) % 3];
        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            size_t cost = same(a[i - 1], b[j - 1]) ? 0 : 1;
            row[j] = least(up[j - 1] + cost,
                least(up[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) &&
                same(a[i - 2], b[j - 1]))
                row[j] = least(row[j], rows[(i + 1) % 3][j - 2] + 1);
        }
    }
    return rows[la % 3][lb];
}

bool er_text_similar(const char *a, const char *b)
{
    size_t len = strlen(a) > strlen(b) ? strlen(a) : strlen(b);
    size_t most = len / 3 < 1 ? 1 : len / 3;
    return er_text_distance(a, b) <= most;
}
