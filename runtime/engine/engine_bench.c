/* Measuring a model. Medians, because other work on a machine only ever
 * makes a round slower, and means would carry that. */
#include "engine/engine_bench.h"

#include "engine/engine.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

struct bench {
    const struct er_bench *want;
    er_local *model;
    int32_t *ids;        /* [prompt] */
    double *prompt_s, *answer_s; /* [rounds], seconds */
    uint64_t done, all;  /* tokens, over all rounds */
    atomic_bool cancel;
    struct errand_error *err;
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void tell(struct bench *b, uint64_t more)
{
    double done = (double)(b->done + more) / (double)b->all;
    if (b->want->go_on && !b->want->go_on(b->want->ctx, done))
        atomic_store(&b->cancel, true);
}

static void on_progress(void *ctx, size_t done, size_t n)
{
    (void)n;
    tell(ctx, done);
}

static int read_prompt(struct bench *b, er_session *s, double *seconds)
{
    struct er_eval opt = {
        .cancel = &b->cancel, .on_progress = on_progress, .ctx = b};
    double from = now();
    int rc = er_session_eval(s, b->ids, b->want->prompt, &opt, b->err);
    *seconds = now() - from;
    b->done += b->want->prompt;
    return rc;
}

static int write_answer(struct bench *b, er_session *s, double *seconds)
{
    struct er_eval opt = {.cancel = &b->cancel};
    double from = now();
    int rc = ERRAND_OK;
    for (uint32_t i = 0; rc == ERRAND_OK && i < b->want->answer; i++) {
        rc = er_session_eval(s, b->ids + i % b->want->prompt, 1, &opt,
            b->err);
        tell(b, i);
    }
    *seconds = now() - from;
    b->done += b->want->answer;
    return rc;
}

static int run(struct bench *b)
{
    int rc = ERRAND_OK;
    for (uint32_t i = 0; rc == ERRAND_OK && i < b->want->rounds; i++) {
        er_session *s = NULL;
        rc = er_session_new(b->model, &s, b->err);
        if (rc == ERRAND_OK)
            rc = read_prompt(b, s, &b->prompt_s[i]);
        if (rc == ERRAND_OK)
            rc = write_answer(b, s, &b->answer_s[i]);
        er_session_free(s);
    }
    return rc;
}

/* ------------------------------------------------------------ the answer */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* {"tokens","per_second","rounds"}: the median, and what it is one of. */
static json_t *speed(double *seconds, uint32_t rounds, uint32_t tokens)
{
    json_t *each = json_array();
    for (uint32_t i = 0; i < rounds; i++)
        json_array_append_new(each, json_real(tokens / seconds[i]));
    qsort(seconds, rounds, sizeof *seconds, by_value);
    return json_pack("{s:i, s:f, s:o}", "tokens", (int)tokens, "per_second",
        tokens / seconds[rounds / 2], "rounds", each);
}

/* The most memory that this process has held; Linux counts KiB. */
static json_int_t peak(void)
{
    struct rusage use;
    return getrusage(RUSAGE_SELF, &use) == 0
               ? (json_int_t)use.ru_maxrss * 1024 : 0;
}

static json_t *report(struct bench *b, double load_s)
{
    struct er_local_info i;
    const struct er_bench *w = b->want;
    er_local_info(b->model, &i);
    return json_pack("{s:o?, s:o?, s:s, s:I, s:s, s:i, s:i, s:f, s:o, s:o, "
                     "s:I, s:I, s:I, s:I}",
        "name", json_stringn(i.name.s, i.name.len), "architecture",
        json_stringn(i.arch.s, i.arch.len), "quantization", i.quantization,
        "parameters", (json_int_t)i.parameters, "kernels", i.kernels,
        "threads", (int)i.threads, "context", (int)i.context, "load_ms",
        load_s * 1000, "prompt", speed(b->prompt_s, w->rounds, w->prompt),
        "answer", speed(b->answer_s, w->rounds, w->answer), "file_bytes",
        (json_int_t)i.file_bytes, "cache_bytes", (json_int_t)i.cache_bytes,
        "work_bytes", (json_int_t)i.work_bytes, "peak_bytes", peak());
}

static int prepare(struct bench *b)
{
    const struct er_bench *w = b->want;
    struct er_local_info info;
    er_local_info(b->model, &info);
    if (info.context_trained > 0 && info.context > info.context_trained)
        return er_fail(b->err, ERRAND_CONTEXT, "%u tokens are more than the "
            "%u that the model was trained for; measure with fewer",
            (unsigned)info.context, (unsigned)info.context_trained);
    b->ids = calloc(w->prompt, sizeof *b->ids);
    b->prompt_s = calloc(w->rounds, sizeof *b->prompt_s);
    b->answer_s = calloc(w->rounds, sizeof *b->answer_s);
    if (!b->ids || !b->prompt_s || !b->answer_s)
        return er_nomem(b->err);
    for (uint32_t i = 0; i < w->prompt; i++)
        b->ids[i] = (int32_t)((uint64_t)i * 7919 % info.n_vocab);
    b->all = (uint64_t)w->rounds * ((uint64_t)w->prompt + w->answer);
    return ERRAND_OK;
}

json_t *er_local_bench(
    const char *path, const struct er_bench *want, struct errand_error *err)
{
    struct errand_error mine = {0};
    struct bench b = {.want = want, .err = &mine};
    struct er_local_options opt = {.threads = want->threads,
        .context = want->prompt + want->answer};
    double from = now();
    json_t *out = NULL;
    int rc = er_local_open(path, &opt, &b.model, &mine);
    double load_s = now() - from;
    if (rc == ERRAND_OK)
        rc = prepare(&b);
    if (rc == ERRAND_OK)
        rc = run(&b);
    if (rc == ERRAND_OK && !(out = report(&b, load_s)))
        rc = er_nomem(&mine);
    if (rc != ERRAND_OK && err)
        *err = mine;
    er_local_close(b.model);
    free(b.ids);
    free(b.prompt_s);
    free(b.answer_s);
    return out;
}
