/* "Did you mean": the nearest of the known names to a wrong one. */
#ifndef ERRAND_CLI_SIMILAR_H
#define ERRAND_CLI_SIMILAR_H

#include <stddef.h>

struct er_similar {
    const char *wrong; /* borrowed while names are offered */
    const char *best;  /* nearest so far, or NULL */
    size_t distance;   /* its distance */
};

void er_similar_init(struct er_similar *s, const char *wrong);

/* Offer a known name; borrowed as long as best is used. */
void er_similar_offer(struct er_similar *s, const char *name);

/* The nearest name, NULL if none is near: more than a third of the letters
 * would have to change. */
const char *er_similar_best(const struct er_similar *s);

#endif
