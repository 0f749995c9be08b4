/* What kept beginnings save: the time to the first token of a prompt of some
 * 2,000 tokens of system text and tools, in a process that knows nothing and
 * in a second one that finds its pages on disk.
 *
 *     bench_prefix [FILE]
 *
 * Without FILE: random weights, eight layers of 1024, Q8_0. Each process is
 * timed from its beginning, with loading, by the clock and by the time that
 * its threads computed, which does not suffer from what else the machine does;
 * medians of 3 pairs, each with a folder of its own.
 */
#include "base/clock.h"
#include "engine/quant.h"
#include "support/gguf_kit.h"
#include "support/local_kit.h"
#include "support/model_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PAIRS = 3 };

struct result {
    int64_t ms, cpu_ms, prompt, cached;
};

struct asking {
    struct er_loop *loop;
    int64_t began_ms;
    struct result result;
};

static void fail(const struct errand_error *err)
{
    fprintf(stderr, "bench_prefix: %s\n", err->msg);
    _exit(1);
}

static int64_t cpu_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void on_event(void *ctx, const struct er_model_event *ev)
{
    struct asking *a = ctx;
    if (ev->type == ER_MODEL_ERROR)
        fail(ev->error);
    if ((ev->type == ER_MODEL_TEXT || ev->type == ER_MODEL_REASONING) &&
        a->result.ms == 0) {
        a->result.ms = er_mono_ms() - a->began_ms;
        a->result.cpu_ms = cpu_ms();
    }
    if (ev->type == ER_MODEL_USAGE) {
        a->result.prompt = ev->usage->prompt_tokens;
        a->result.cached = ev->usage->cached_tokens;
    }
    if (ev->type == ER_MODEL_DONE)
        er_loop_stop(a->loop);
}

/* System text and tools; the question differs from time to time. */
static json_t *messages_of(size_t words, int n)
{
    char question[60];
    struct er_buf text;
    er_buf_init(&text, 1 << 20);
    for (size_t i = 0; i < words; i++)
        er_buf_addf(&text, "Rule %zu: be brief. ", i);
    snprintf(question, sizeof question, "Question %d?", n);
    json_t *list = json_pack("[{s:s,s:s},{s:s,s:s}]", "role", "system",
        "content", er_buf_str(&text), "role", "user", "content", question);
    er_buf_release(&text);
    return list;
}

/* In a process of its own. */
static void child(const struct local_kit *k, size_t words, int n, int out)
{
    struct errand_error err = {0};
    struct asking a = {.began_ms = er_mono_ms(), .loop = er_loop_new(&err)};
    struct er_sampling s;
    er_exchange *x;
    json_t *settings = json_pack("{s:s}", "prefix_folder", k->folder);
    er_models *m = er_models_new(a.loop, NULL, NULL, NULL, NULL, &err);
    er_sampling_defaults(&s);
    s.max_tokens = 2;
    struct er_model_request req = {
        .messages = messages_of(words, n), .sampling = &s, .stream = true};
    if (!m || er_models_engine(m, settings, NULL, &err) ||
        er_model_start(m, k->model, &req, on_event, &a, &x, &err))
        fail(&err);
    er_loop_run(a.loop, -1);
    er_models_free(m);
    _exit(write(out, &a.result, sizeof a.result) != sizeof a.result);
}

static struct result measure(const struct local_kit *k, size_t words, int n)
{
    struct result r = {0};
    int ends[2], status;
    if (pipe(ends) != 0)
        exit(1);
    pid_t pid = fork();
    if (pid == 0)
        child(k, words, n, ends[1]);
    close(ends[1]);
    if (read(ends[0], &r, sizeof r) != sizeof r)
        exit(1);
    close(ends[0]);
    waitpid(pid, &status, 0);
    return r;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    struct local_kit k = {0};
    char path[200];
    double shares[PAIRS], cpu[PAIRS];
    size_t words = argc > 1 ? 300 : 95; /* about 2,000 tokens; bytes, if the
                                           vocabulary has no words */
    struct model_kit shape = {.arch = "llama", .type = ER_Q8_0,
        .n_layer = 8, .n_embd = 1024, .n_ff = 2816, .n_head = 16,
        .n_head_kv = 8, .n_vocab = 262, .context = 8192};
    gguf_kit_path(path, sizeof path);
    if (argc == 1)
        model_kit_write(&shape, 1, path);
    snprintf(k.model, sizeof k.model, "local:%.200s",
        argc > 1 ? argv[1] : path);
    for (int i = 0; i < PAIRS; i++) {
        snprintf(k.folder, sizeof k.folder, "%.200s.%d", path, i);
        struct result a = measure(&k, words, 1), b = measure(&k, words, 2);
        local_kit_forget(&k);
        shares[i] = 100.0 * (double)b.ms / (double)a.ms;
        cpu[i] = 100.0 * (double)b.cpu_ms / (double)a.cpu_ms;
        printf("%lld tokens: first token after %lld ms (%lld computed), then "
               "after %lld ms (%lld) with %lld of them known: %.1f %% "
               "(%.1f %%)\n", (long long)a.prompt, (long long)a.ms,
            (long long)a.cpu_ms, (long long)b.ms, (long long)b.cpu_ms,
            (long long)b.cached, shares[i], cpu[i]);
    }
    qsort(shares, PAIRS, sizeof *shares, by_value);
    qsort(cpu, PAIRS, sizeof *cpu, by_value);
    printf("median: %.1f %% of the first process's time, %.1f %% of what it "
           "computed\n", shares[PAIRS / 2], cpu[PAIRS / 2]);
    unlink(path);
    return 0;
}
