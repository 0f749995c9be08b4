/* Choosing the next token from a model's logits.
 *
 * Order  penalties, temperature, min_p, top_k, top_p, draw. The formulas and
 *        where they come from: docs/engine.md.
 * Seeds  the n-th draw is a function of the seed and n alone, so the same
 *        logits give the same text on any number of threads.
 */
#ifndef ERRAND_ENGINE_SAMPLE_H
#define ERRAND_ENGINE_SAMPLE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Below 0 means "not given": off. */
struct er_sample_options {
    double temperature; /* [0, 5]; 0 always takes the best; not given: 0.6 */
    double top_p;       /* [0, 2]; 1 and more: off */
    int32_t top_k;      /* [1, 50]; 0: off */
    double min_p;       /* [0, 1]; of the best token's probability; 0: off */
    double repetition_penalty; /* [0, 2]; 0 and 1: off */
    double frequency_penalty;  /* [0, 2] */
    double presence_penalty;   /* [0, 2] */
    int32_t window;     /* tokens that penalties look back; 0: 256 */
    uint64_t seed;      /* [1, 9999999999]; 0: 1 */
};

/* "Not given" for all. */
void er_sample_options_init(struct er_sample_options *o);

struct er_sampler;

/* Errors  RANGE (names the range), NOMEM. */
int er_sampler_new(const struct er_sample_options *o, uint32_t n_vocab,
    struct er_sampler **out, struct errand_error *err);
void er_sampler_free(struct er_sampler *s); /* NULL is harmless */

/* Tell what stands in the timeline: of the prompt, or of the answer. */
void er_sampler_accept(struct er_sampler *s, int32_t id, bool answer);

/* The next token; it is not accepted yet. allowed: a bit per token, bit
 * id % 32 of word id / 32; NULL: all. -1 if no bit is set. Picking without
 * the mask first and again with it where the token was not allowed gives the
 * distribution that the mask alone would. [owner] */
int32_t er_sampler_pick(
    struct er_sampler *s, const float *logits, const uint32_t *allowed);

struct er_logprob {
    int32_t id;
    double logprob; /* natural logarithm, of the logits as the model gave
                       them */
};

/* The log probability of one token, and the best n (at most 20), best first;
 * of equal ones the lower id. [any] */
double er_logprobs(const float *logits, uint32_t n_vocab, int32_t id,
    struct er_logprob *best, size_t n);

#endif
