/* Edit distance with swaps of neighbours, on short names only. */
#include "similar.h"

#include <string.h>

enum { NAME_MAX_LEN = 64 };

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

/* Steps from a to b: insert, delete, replace, swap two neighbours. */
static size_t distance(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b);
    size_t rows[3][NAME_MAX_LEN + 1];
    if (n > NAME_MAX_LEN || m > NAME_MAX_LEN)
        return NAME_MAX_LEN;
    for (size_t j = 0; j <= m; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *now = rows[i % 3], *up = rows[(i - 1) % 3];
        const size_t *up2 = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t change = a[i - 1] != b[j - 1];
            now[j] = least(up[j - 1] + change,
                least(up[j] + 1, now[j - 1] + 1));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
                a[i - 2] == b[j - 1])
                now[j] = least(now[j], up2[j - 2] + 1);
        }
    }
    return rows[n % 3][m];
}

void er_similar_init(struct er_similar *s, const char *wrong)
{
    *s = (struct er_similar){.wrong = wrong, .distance = NAME_MAX_LEN};
}

void er_similar_offer(struct er_similar *s, const char *name)
{
    size_t d = distance(s->wrong, name);
    size_t len = strlen(s->wrong);
    if (len >= 3 && strncmp(name, s->wrong, len) == 0)
        d = least(d, 1); /* the beginning of a name */
    if (d < s->distance) {
        s->best = name;
        s->distance = d;
    }
}

const char *er_similar_best(const struct er_similar *s)
{
    if (!s->best)
        return NULL;
    size_t longest = strlen(s->best), len = strlen(s->wrong);
    if (len > longest)
        longest = len;
    return s->distance <= (longest + 2) / 3 ? s->best : NULL;
}
