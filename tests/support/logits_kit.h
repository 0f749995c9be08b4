/* Logits out of the engine for a list of tokens, and their distance from
 * others. */
#ifndef TESTS_LOGITS_KIT_H
#define TESTS_LOGITS_KIT_H

#include "engine/engine.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct logits {
    float *rows; /* [n][n_vocab] of every token */
    size_t n, n_vocab;
};

static inline void logits_keep(void *ctx, size_t index, const float *row)
{
    struct logits *l = ctx;
    memcpy(l->rows + index * l->n_vocab, row, l->n_vocab * sizeof *row);
}

/* Evaluate ids in pieces of `piece` tokens. The caller frees rows. */
static inline struct logits logits_of(
    er_session *s, size_t n_vocab, const int32_t *ids, size_t n, size_t piece)
{
    struct logits l = {.n = n, .n_vocab = n_vocab};
    struct errand_error err = {0};
    bool *wanted = malloc(n);
    l.rows = calloc(n * n_vocab, sizeof *l.rows);
    if (!wanted || !l.rows)
        abort();
    memset(wanted, 1, n);
    for (size_t at = 0; at < n; at += piece) {
        size_t k = n - at < piece ? n - at : piece;
        struct logits part = l;
        part.rows += at * n_vocab;
        struct er_eval opt = {
            .wanted = wanted, .on_logits = logits_keep, .ctx = &part};
        if (er_session_eval(s, ids + at, k, &opt, &err)) {
            printf("# %s\n", err.msg);
            abort();
        }
    }
    free(wanted);
    return l;
}

struct distance {
    double max, sum; /* sum of squares */
    size_t n;
};

static inline void distance_add(
    struct distance *d, const float *a, const double *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double x = fabs((double)a[i] - b[i]);
        d->max = x > d->max || x != x ? x : d->max;
        d->sum += x * x;
    }
    d->n += n;
}

static inline double distance_rms(const struct distance *d)
{
    return sqrt(d->sum / (double)(d->n ? d->n : 1));
}

#endif
