/* Tokens that stay inside of a JSON string: what its automaton takes, with
 * no quote and no escape in it. Floor-private to the mask. */
#ifndef ERRAND_ENGINE_GRAMMAR_INSIDE_H
#define ERRAND_ENGINE_GRAMMAR_INSIDE_H

#include "engine/grammar_state.h"
#include "engine/grammar_vocab.h"

/* Is the place inside of a string, and of no escape? */
bool er_ginside_is(const er_gstate *s, const struct er_gplace *p);

/* Is there a place that takes any plain text, however long? */
bool er_ginside_takes_all(const er_gstate *s, const struct er_gset *set);

/* Allow the tokens that a place inside of a string takes without leaving it.
 * False: no memory. */
bool er_ginside_mask(er_gstate *s, const struct er_gplace *p,
    const struct er_gvocab *v, uint64_t *bits);

/* Masks of states that were asked before, of one vocabulary. */
struct er_gcache;
void er_gcache_free(struct er_gcache *c); /* NULL is harmless */

#endif
