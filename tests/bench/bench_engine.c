/* How fast the local engine computes: tokens per second of a prompt and of
 * an answer, and the weights per second that they are.
 *
 *     bench_engine [FILE [THREADS [KERNELS]]]
 *     bench_engine --once FILE THREADS PROMPT DEPTH BATCH
 *
 * Without FILE: random weights in the shape of four layers of Llama 3.2 1B
 * with a vocabulary of 32,000, one file per format. Medians of 5.
 *
 * --once prints one round as JSON, for the comparison in bench/engine:
 * tokens per second of a prompt, of 16 answered tokens behind DEPTH tokens,
 * of 16 tokens by BATCH at once; seconds to load; GB/s that as many threads
 * read from memory.
 */
#include "engine/engine.h"
#include "engine/quant.h"
#include "support/gguf_kit.h"
#include "support/model_kit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PROMPT = 512, PROMPT_MOST = 2048, ANSWER = 32, ROUNDS = 5 };

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
    static int32_t ids[PROMPT_MOST];
    struct errand_error err = {0};
    double from = now();
    for (size_t i = 0; i < PROMPT_MOST; i++)
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

/* --- one round */

enum { READ_BYTES = 1 << 28, MOST_THREADS = 64, TOKENS = 16 };

struct reader {
    const uint64_t *at;
    size_t n;
    uint64_t sum;
};

static void *read_all(void *arg)
{
    struct reader *r = arg;
    uint64_t a = 0, b = 0, c = 0, d = 0;
    for (size_t i = 0; i + 8 <= r->n; i += 8) {
        a += r->at[i] ^ r->at[i + 4];
        b += r->at[i + 1] ^ r->at[i + 5];
        c += r->at[i + 2] ^ r->at[i + 6];
        d += r->at[i + 3] ^ r->at[i + 7];
    }
    r->sum = a ^ b ^ c ^ d;
    return NULL;
}

static double read_speed(unsigned threads)
{
    struct reader r[MOST_THREADS];
    pthread_t t[MOST_THREADS];
    uint64_t *all = malloc(READ_BYTES), sum = 0;
    threads = threads < MOST_THREADS ? threads : MOST_THREADS;
    if (!all)
        exit(1);
    memset(all, 1, READ_BYTES);
    double from = now();
    for (unsigned i = 0; i < threads; i++) {
        size_t n = READ_BYTES / sizeof *all / threads;
        r[i] = (struct reader){all + i * n, n, 0};
        if (pthread_create(&t[i], NULL, read_all, &r[i]))
            exit(1);
    }
    for (unsigned i = 0; i < threads; i++) {
        pthread_join(t[i], NULL);
        sum += r[i].sum;
    }
    double took = now() - from;
    free(all);
    return READ_BYTES / took / 1e9 + (sum == 1 ? 1e-9 : 0);
}

static void once(char **arg)
{
    unsigned threads = (unsigned)atoi(arg[1]);
    size_t prompt = (size_t)atoi(arg[2]), depth = (size_t)atoi(arg[3]);
    size_t batch = (size_t)atoi(arg[4]);
    struct er_local_options opt = {.threads = threads, .context = 4096};
    struct errand_error err = {0};
    er_local *m = NULL;
    er_session *s = NULL;
    if (prompt > PROMPT_MOST || depth > PROMPT_MOST || batch < 1 ||
        batch > TOKENS)
        exit(2);
    double from = now();
    if (er_local_open(arg[0], &opt, &m, &err) || er_session_new(m, &s, &err))
        fail(&err);
    double load = now() - from, p = run(s, prompt, prompt);
    er_session_truncate(s, 0);
    if (depth)
        run(s, depth, depth);
    double a = run(s, TOKENS, 1), b = run(s, TOKENS / batch * batch, batch);
    er_session_free(s);
    er_local_close(m);
    printf("{\"load_s\":%.3f,\"prompt\":%.2f,\"answer\":%.2f,"
           "\"batch\":%.2f,\"read_gb_s\":%.2f}\n",
        load, (double)prompt / p, TOKENS / a,
        (double)(TOKENS / batch * batch) / b, read_speed(threads));
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
    if (argc == 7 && strcmp(argv[1], "--once") == 0) {
        once(argv + 2);
        return 0;
    }
    unsigned threads = argc > 2 ? (unsigned)atoi(argv[2]) : 2;
    const char *kernels = argc > 3 ? argv[3] : NULL;
    if (argc > 1 && strcmp(argv[1], "-") != 0)
        measure("file", argv[1], threads, kernels);
    else
        random_models(threads, kernels);
    return 0;
}
