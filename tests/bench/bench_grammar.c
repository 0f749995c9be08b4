/* What a grammar costs: compiling a schema, and the mask of allowed tokens
 * behind every token of valid texts, over Llama 3's vocabulary of 128k.
 *
 *     bench_grammar [WORST [EVERY]]
 *
 * Schemas and values are MaskBench's and BFCL's of the suites. Times are of
 * this thread alone, so that other work on the machine counts little; a mask
 * that took long is taken again, and the better time counts. WORST: how many
 * schemas with the slowest masks are named; EVERY: only each so many-th.
 */
#include "engine/gguf.h"
#include "engine/grammar.h"
#include "engine/tokenizer.h"
#include "support/lines.h"
#include "support/suites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 1 << 20, AGAIN = 3 };

struct figures {
    double *us;
    size_t n;
};

struct slow {
    double us;
    char id[80], before[60];
};

struct bench {
    const struct er_tokenizer *t;
    er_gvocab *vocab;
    uint64_t *bits;
    struct figures mask, take, compile;
    struct slow *slow; /* one per schema */
    size_t n_slow, every;
};

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void note(struct figures *f, double us)
{
    if (f->n < MOST)
        f->us[f->n++] = us;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void show(const char *what, struct figures *f)
{
    double sum = 0;
    for (size_t i = 0; i < f->n; i++)
        sum += f->us[i];
    qsort(f->us, f->n, sizeof *f->us, by_value);
    printf("%-8s %7zu times: mean %7.1f us, median %7.1f, 99th of 100 %7.1f, "
           "worst %8.1f\n", what, f->n, sum / (double)f->n,
        f->us[f->n / 2], f->us[f->n * 99 / 100], f->us[f->n - 1]);
}

static double one_mask(struct bench *b, er_gstate *s)
{
    double best = 1e18;
    for (int i = 0; i < AGAIN && (i == 0 || best > 300); i++) {
        double from = now_us();
        if (!er_gstate_mask(s, b->vocab, b->bits))
            abort();
        double us = now_us() - from;
        best = us < best ? us : best;
    }
    return best;
}

/* The mask at every token of the text, as a sampler would need it. */
static void walk(struct bench *b, const er_grammar *g, const char *id,
    const char *text)
{
    struct er_tokens ids = {0};
    er_gstate *s = er_gstate_new(g);
    struct slow *slow = &b->slow[b->n_slow];
    size_t done = 0;
    if (!s || er_tokenizer_encode(b->t, text, strlen(text),
                  ER_TOKENIZE_LITERAL, &ids, NULL))
        abort();
    for (size_t i = 0; i < ids.n; i++) {
        struct er_gguf_str piece = er_tokenizer_piece(b->t, ids.ids[i]);
        double from = now_us();
        bool fits = er_gstate_takes(s, piece.s, piece.len) == piece.len;
        note(&b->take, now_us() - from);
        if (!fits)
            break;
        double us = one_mask(b, s);
        note(&b->mask, us);
        if (us > slow->us) {
            slow->us = us;
            snprintf(slow->id, sizeof slow->id, "%s", id);
            snprintf(slow->before, sizeof slow->before, "%.*s",
                (int)(done < 59 ? done : 59),
                text + (done < 59 ? 0 : done - 59));
        }
        for (size_t k = 0; k < piece.len; k++)
            if (!er_gstate_advance(s, (uint8_t)piece.s[k]))
                abort();
        done += piece.len;
    }
    er_gstate_free(s);
    er_tokens_release(&ids);
}

static er_grammar *compile(struct bench *b, const json_t *schema)
{
    double best = 1e18;
    er_grammar *g = NULL;
    for (int i = 0; i < AGAIN && (i == 0 || best > 1000); i++) {
        er_grammar_free(g);
        double from = now_us();
        g = er_grammar_schema(schema, NULL, NULL);
        double us = now_us() - from;
        best = us < best ? us : best;
    }
    note(&b->compile, best);
    return g;
}

static void schema(struct bench *b, const char *id, const json_t *schema,
    const json_t *values)
{
    er_grammar *g = compile(b, schema);
    json_t *v;
    size_t i;
    json_array_foreach(values, i, v) {
        char *text = er_json_text(v);
        if (g && text)
            walk(b, g, id, text);
        free(text);
    }
    b->n_slow++;
    er_grammar_free(g);
}

static void maskbench(struct bench *b, const json_t *all)
{
    size_t i, k;
    json_t *c, *t;
    json_array_foreach(all, i, c) {
        if (i % b->every)
            continue;
        json_t *values = json_array();
        json_array_foreach(json_object_get(c, "tests"), k, t)
            if (json_is_true(json_object_get(t, "valid")))
                json_array_append(values, json_object_get(t, "data"));
        schema(b, er_json_str(c, "id"), json_object_get(c, "schema"),
            values);
        json_decref(values);
    }
}

static void bfcl(struct bench *b, const json_t *all)
{
    size_t i, k;
    json_t *c, *t;
    json_array_foreach(all, i, c)
        json_array_foreach(json_object_get(c, "tools"), k, t) {
            if (i % b->every)
                break;
            const json_t *f = json_object_get(t, "function");
            schema(b, er_json_str(c, "id"),
                json_object_get(f ? f : t, "parameters"), NULL);
        }
}

static int by_time(const void *a, const void *b)
{
    double x = ((const struct slow *)a)->us, y = ((const struct slow *)b)->us;
    return (x < y) - (x > y);
}

static er_gvocab *vocabulary(const struct er_tokenizer *t)
{
    size_t n = (size_t)er_tokenizer_count(t);
    const char **pieces = calloc(n, sizeof *pieces);
    size_t *lens = calloc(n, sizeof *lens);
    for (size_t i = 0; pieces && lens && i < n; i++) {
        struct er_gguf_str s = er_tokenizer_piece(t, (int32_t)i);
        pieces[i] = s.s;
        lens[i] = er_tokenizer_is_control(t, (int32_t)i) ? 0 : s.len;
    }
    double from = now_us();
    er_gvocab *v = er_gvocab_new(pieces, lens, n);
    printf("vocabulary of %zu tokens: %.1f ms\n", n, (now_us() - from) / 1e3);
    free((void *)pieces);
    free(lens);
    return v;
}

static void run(struct bench *b, size_t worst)
{
    json_t *masks = suite_lines("grammar/maskbench.jsonl");
    json_t *tools = suite_lines("bfcl/grammar.jsonl");
    b->slow = calloc(100000, sizeof *b->slow);
    b->mask.us = calloc(MOST, sizeof(double));
    b->take.us = calloc(MOST, sizeof(double));
    b->compile.us = calloc(MOST, sizeof(double));
    b->bits = calloc((size_t)er_tokenizer_count(b->t) / 64 + 1, 8);
    if (!b->slow || !b->mask.us || !b->take.us || !b->compile.us || !b->bits)
        abort();
    maskbench(b, masks);
    bfcl(b, tools);
    show("compile", &b->compile);
    show("take", &b->take);
    show("mask", &b->mask);
    qsort(b->slow, b->n_slow, sizeof *b->slow, by_time);
    for (size_t i = 0; i < worst && i < b->n_slow; i++)
        printf("%8.1f us %s behind %s\n", b->slow[i].us, b->slow[i].id,
            b->slow[i].before);
    json_decref(masks);
    json_decref(tools);
    free(b->slow);
    free(b->mask.us);
    free(b->take.us);
    free(b->compile.us);
    free(b->bits);
}

int main(int argc, char **argv)
{
    char path[] = "/tmp/bench-vocab-XXXXXX";
    struct errand_error err = {0};
    struct er_gguf *g = NULL;
    struct er_tokenizer *t = NULL;
    int fd = mkstemp(path);
    if (fd < 0 || !suite_gunzip("tokenizer/llama3.2-vocab-only.gguf.gz", path))
        return 0;
    close(fd);
    if (er_gguf_open(path, &g, &err) || er_tokenizer_new(g, &t, &err)) {
        fprintf(stderr, "bench_grammar: %s\n", err.msg);
        return 1;
    }
    struct bench b = {.t = t, .vocab = vocabulary(t),
        .every = argc > 2 ? strtoul(argv[2], NULL, 10) : 1};
    if (b.vocab && b.every > 0)
        run(&b, argc > 1 ? strtoul(argv[1], NULL, 10) : 0);
    er_gvocab_free(b.vocab);
    er_tokenizer_free(t);
    er_gguf_close(g);
    unlink(path);
    return 0;
}
