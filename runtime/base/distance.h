/* How far two names are apart, for "did you mean". */
#ifndef ERRAND_BASE_DISTANCE_H
#define ERRAND_BASE_DISTANCE_H

#include <stdbool.h>
#include <stddef.h>

/* Letters to add, drop, change or swap to get from a to b; upper and lower
 * case count as the same. Names over 64 bytes are infinitely far
 * (SIZE_MAX). [any] */
size_t er_text_distance(const char *a, const char *b);

/* Close enough to be what was meant: a third of the letters may be wrong. */
bool er_text_similar(const char *a, const char *b);

#endif
