/* How fast the local engine computes: tokens per second of a prompt and of
 * an answer, and the weights per second that they are.
 *
 *     bench_engine [FILE [THREADS [KERNELS]]]
 *
 * Without FILE: random weights in the shape of four layers of Llama 3.2 1B
 * with a vocabulary of 32,000, one file per format. Medians of 5.
 */
#include "engine/engine.h"
#include "engine/quant.h"
#include "support/gguf_kit.h"
#include "support/model_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PROMPT = 512, ANSWER = 32, ROUNDS = 5 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double v[ROUNDS])
{
    qsort(v, ROUNDS, sizeof *v, by_value);
    return v[ROUNDS / 2];
}

static void fail(const struct errand_error *err)
{
    fprintf(stderr, "bench_engine: %s\n", err->msg);
    exit(1);
}

/* Seconds for n tokens of a timeline, in pieces. */
static double run(er_session *s, size_t n, size_t piece)
{
    static int32_t ids[PROMPT];
    struct errand_error err = {0};
    double from = now();
    for (size_t i = 0; i < PROMPT; i++)
        ids[i] = (int32_t)(i * 37 % 250);
    for (size_t at = 0; at < n; at += piece)
        if (er_session_eval(s, ids, piece, NULL, &err))
            fail(&err);
    return now() - from;
}

static void measure(const char *name, const char *path, unsigned threads,
    const char *kernels)
{
    struct er_local_options opt = {
        .threads = threads, .context = 1024, .kernels = kernels};
    struct errand_error err = {0};
    struct er_local_info info;
    double prompt[ROUNDS], answer[ROUNDS], from = now();
    er_local *m = NULL;
    if (er_local_open(path, &opt, &m, &err))
        fail(&err);
    double load = now() - from;
    er_local_info(m, &info);
    for (int i = 0; i < ROUNDS; i++) {
        er_session *s = NULL;
        if (er_session_new(m, &s, &err))
            fail(&err);
        prompt[i] = run(s, PROMPT, PROMPT);
        answer[i] = run(s, ANSWER, 1);
        er_session_free(s);
    }
    double p = PROMPT / median(prompt), a = ANSWER / median(answer);
    /* The embedding is looked up, not multiplied with. */
    double weights =
        (double)info.parameters - (double)info.n_vocab * info.n_embd;
    printf("%-6s %-7s %u threads: load %.2f s, prompt %7.1f tokens/s "
           "(%5.1f G weights/s), answer %6.1f tokens/s (%4.1f GB/s)\n",
        name, info.kernels, info.threads, load, p, p * weights / 1e9, a,
        a * (double)info.file_bytes / 1e9);
    er_local_close(m);
}

static void random_models(unsigned threads, const char *kernels)
{
    static const uint32_t types[] = {ER_Q4_K, ER_Q6_K, ER_Q8_0, ER_Q4_0};
    char path[200];
    gguf_kit_path(path, sizeof path);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        struct model_kit kit = {.arch = "llama", .type = types[i],
            .n_layer = 4, .n_embd = 2048, .n_ff = 8192, .n_head = 32,
            .n_head_kv = 8, .n_vocab = 32000, .context = 4096};
        model_kit_write(&kit, 1, path);
        measure(er_quant_get(types[i])->name, path, threads, kernels);
    }
    unlink(path);
}

int main(int argc, char **argv)
{
    unsigned threads = argc > 2 ? (unsigned)atoi(argv[2]) : 2;
    const char *kernels = argc > 3 ? argv[3] : NULL;
    if (argc > 1 && strcmp(argv[1], "-") != 0)
        measure("file", argv[1], threads, kernels);
    else
        random_models(threads, kernels);
    return 0;
}
