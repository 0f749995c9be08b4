/* How fast text becomes tokens: MB of mixed text per second on one thread,
 * with Llama 3's vocabulary of 128k.
 *
 *     bench_tokenizer [FILE...]
 *
 * Without FILE: prose in several scripts, code, JSON and numbers, made here
 * from words of these, 8 MB in all. Time is this thread's alone; the median
 * of 7 rounds.
 */
#include "engine/gguf.h"
#include "engine/tokenizer.h"
#include "support/suites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 7, MOST = 8 << 20 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(
    const char *what, const struct er_tokenizer *t, const struct er_buf *text)
{
    double seconds[ROUNDS];
    struct er_tokens ids = {0};
    for (int i = 0; i < ROUNDS; i++) {
        double from = now();
        ids.n = 0;
        if (er_tokenizer_encode(t, er_buf_str(text), text->len,
                ER_TOKENIZE_LITERAL, &ids, NULL))
            abort();
        seconds[i] = now() - from;
    }
    qsort(seconds, ROUNDS, sizeof *seconds, by_value);
    printf("%-24s %6.2f MB, %.2f bytes per token: %6.1f MB/s\n", what,
        (double)text->len / 1e6, (double)text->len / (double)ids.n,
        (double)text->len / 1e6 / seconds[ROUNDS / 2]);
    er_tokens_release(&ids);
}

/* Texts of one kind, in words that come in any order. */
struct kind {
    const char *name, *words, *between;
};

static const struct kind kinds[] = {
    {"prose", "the of and a to in is that it was for on are with as his they "
              "be at one have this from or had by but some what there we can "
              "out other were all your when up use how said each she which "
              "their time will way about many then them would write like so "
              "these her long make thing see him two has look more day could "
              "go come did my sound no most number who over know water than "
              "call first people may down side been now find conversation, "
              "government. approximately don't Washington, electricity; "
              "unbelievable! (perhaps) \"quoted\" I've we'll 1995, 42", " "},
    {"scripts", "und die Straße führt über Brücken; naïve café déjà vu señor "
                "московский университет и другие города привет "
                "\xE6\x9D\xB1\xE4\xBA\xAC\xE3\x81\xAE\xE5\xA4\xA9\xE6\xB0\x97 "
                "\xE4\xBD\xA0\xE5\xA5\xBD\xE4\xB8\x96\xE7\x95\x8C Ελληνικά "
                "\xF0\x9F\x98\x80 \xF0\x9F\x9A\x80 עברית العربية", " "},
    {"code", "static int main(void)\n{ return x->next; } if (p != NULL) "
             "for(i=0;i<n;i++)\n\t #include <stdio.h>\n def __init__(self, "
             "value=None):\n self.value = value\n printf(\"%d\\n\", n); "
             "/* comment */ // note\n const auto& size_t uint32_t "
             "camelCaseName snake_case_name 0xFF 1.5e-3 && || += == ", " "},
    {"json", "{\"name\":\"get_weather\",\"arguments\":{\"city\":\"Oslo\"}} "
             "\"id\":12345 \"ok\":true, [1,2.5,-3] \"created\":\"2026-11-23\" "
             "{\"a\":null} \"list\":[\"x\",\"y\"] \"url\":\"https://a.b/c\"",
        ","},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static void add(struct er_buf *out, const struct kind *k, uint32_t *seed,
    size_t bytes)
{
    const char *words[200];
    size_t lens[200], n = 0, end = out->len + bytes;
    for (const char *w = k->words; *w && n < 200; n++) {
        words[n] = w;
        lens[n] = strcspn(w, " ");
        w += lens[n] + (w[lens[n]] == ' ');
    }
    while (out->len < end) {
        *seed = *seed * 1664525u + 1013904223u;
        size_t i = (*seed >> 8) % n;
        er_buf_add(out, words[i], lens[i]);
        er_buf_adds(out, (*seed >> 4) % 97 ? k->between : "\n\n");
    }
}

static void made_texts(const struct er_tokenizer *t)
{
    struct er_buf one, all;
    uint32_t seed = 5;
    er_buf_init(&one, MOST * 2);
    er_buf_init(&all, MOST * 2);
    for (size_t i = 0; i < KINDS; i++) {
        er_buf_reset(&one);
        add(&one, &kinds[i], &seed, MOST / 8);
        measure(kinds[i].name, t, &one);
    }
    while (all.len < MOST)
        for (size_t i = 0; i < KINDS; i++)
            add(&all, &kinds[i], &seed, 2000);
    measure("all mixed", t, &all);
    er_buf_release(&one);
    er_buf_release(&all);
}

static void one_file(const struct er_tokenizer *t, const char *path)
{
    struct er_buf text;
    char piece[65536];
    size_t n;
    FILE *f = fopen(path, "rb");
    er_buf_init(&text, (size_t)1 << 30);
    while (f && (n = fread(piece, 1, sizeof piece, f)) > 0)
        er_buf_add(&text, piece, n);
    if (f)
        fclose(f);
    if (text.len > 0)
        measure(path, t, &text);
    er_buf_release(&text);
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
        fprintf(stderr, "bench_tokenizer: %s\n", err.msg);
        return 1;
    }
    er_gguf_close(g);
    unlink(path);
    if (argc == 1)
        made_texts(t);
    for (int i = 1; i < argc; i++)
        one_file(t, argv[i]);
    er_tokenizer_free(t);
    return 0;
}
