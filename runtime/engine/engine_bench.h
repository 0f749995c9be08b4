/* errand models bench: how fast a model file is on this machine. */
#ifndef ERRAND_ENGINE_ENGINE_BENCH_H
#define ERRAND_ENGINE_ENGINE_BENCH_H

#include "base/json.h"

#include <stdbool.h>
#include <stdint.h>

struct er_bench {
    unsigned threads;        /* 0: as many as there are cores */
    uint32_t prompt, answer; /* tokens, each at least 1 */
    uint32_t rounds;         /* medians are taken over; at least 1 */
    bool (*go_on)(void *ctx, double done); /* 0 to 1; may be NULL; false ends
                                it, CANCELLED */
    void *ctx;
};

/* Load the file, then in each round read a prompt and write an answer, token
 * by token. The tokens are of no meaning; a forward pass takes as long for
 * any. Answer: schemas/model-bench.schema.json without its path. Caller drops
 * it. Errors  as er_local_open, CONTEXT, CANCELLED. [any], blocks */
json_t *er_local_bench(
    const char *path, const struct er_bench *b, struct errand_error *err);

#endif
