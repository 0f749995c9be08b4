/* How well and how fast documents are found.
 *
 *   build/tests/bench/bench_search FOLDER [quality|speed] [CHUNKS]
 *
 * Quality: the Cranfield collection of the suites (1,400 abstracts, 225
 * questions, graded) as Markdown files through the same door as any other,
 * its nDCG@10 and recall@10 beside the figures that come with it. The
 * ranking's few settings are one for all queries; they were tried on this
 * very collection, two or three values each, so a tenth of the gain may be
 * luck.
 *
 * Speed, each beside its rival in the same run: indexing beside plain FTS5
 * inserts of the same chunks into one table; searches over 100,000 chunks,
 * in time of the processor, for the pages are in memory. Their texts are
 * sentences of the collection in random order.
 */
#include "support/suites.h"

#include "search/chunk.h"
#include "search/docs.h"
#include "search/docs_db.h"

#include <math.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { DOCS_MOST = 2000, QUERIES_MOST = 400, BEST = 10 };

static double now(void)
{
    struct timespec t = {0};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu_now(void)
{
    struct timespec t = {0};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what, const struct errand_error *err)
{
    fprintf(stderr, "%s: %s\n", what, err ? err->msg : "failed");
    exit(1);
}

static void write_file(const char *path, const char *text, size_t len)
{
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(text, 1, len, f) != len || fclose(f) != 0)
        die(path, NULL);
}

static char *read_whole(const char *path, size_t *len)
{
    struct er_buf b;
    FILE *f = fopen(path, "rb");
    if (!f)
        return NULL;
    er_buf_init(&b, 1 << 28);
    while (er_buf_reserve(&b, 65536)) {
        size_t n = fread(b.data + b.len, 1, 65536, f);
        if (n == 0)
            break;
        b.len += n;
        b.data[b.len] = '\0';
    }
    fclose(f);
    return er_buf_take(&b, len);
}

/* Lines of JSON of a file of the suites, one after the other. */
static void each_line(
    const char *name, void (*fn)(void *ctx, json_t *line), void *ctx)
{
    char path[512];
    size_t len = 0;
    suite_path(name, path);
    char *text = read_whole(path, &len);
    if (!text)
        die(path, NULL);
    for (char *p = text; *p;) {
        size_t n = strcspn(p, "\n");
        json_t *line = n ? json_loadb(p, n, 0, NULL) : NULL;
        if (line)
            fn(ctx, line);
        json_decref(line);
        p += n + (p[n] == '\n');
    }
    free(text);
}

/* ---------------------------------------------------------------- quality */

struct quality {
    const char *folder;
    er_docs *docs;
    int (*grades)[DOCS_MOST]; /* [query][document] */
    int n;
    double ndcg, recall, seconds;
};

static void write_document(void *ctx, json_t *line)
{
    struct quality *q = ctx;
    struct er_buf b;
    char path[512];
    er_buf_init(&b, 1 << 20);
    er_buf_addf(&b, "# %s\n\n%s\n", er_json_str(line, "title"),
        er_json_str(line, "text"));
    snprintf(path, sizeof path, "%s/cranfield/%s.md", q->folder,
        er_json_str(line, "_id"));
    write_file(path, er_buf_str(&b), b.len);
    er_buf_release(&b);
}

static void read_grades(struct quality *q)
{
    char path[512];
    size_t len = 0;
    int query, doc, grade;
    suite_path("retrieval/cranfield/qrels.tsv", path);
    char *text = read_whole(path, &len);
    for (char *p = text; p && (p = strchr(p, '\n')); p++)
        if (sscanf(p + 1, "%d\t%d\t%d", &query, &doc, &grade) == 3 &&
            query < QUERIES_MOST && doc < DOCS_MOST)
            q->grades[query][doc] = grade;
    free(text);
}

static int by_grade(const void *a, const void *b)
{
    return *(const int *)b - *(const int *)a;
}

static void judge(struct quality *q, int query, const json_t *hits)
{
    int ideal[DOCS_MOST];
    const int *grades = q->grades[query];
    double dcg = 0, best = 0, found = 0, relevant = 0;
    size_t i;
    json_t *hit;
    json_array_foreach(hits, i, hit)
    {
        const char *slash = strrchr(er_json_str(hit, "path"), '/');
        int doc = atoi(slash + 1);
        dcg += grades[doc] / log2((double)i + 2);
        found += grades[doc] > 0;
    }
    memcpy(ideal, grades, sizeof ideal);
    qsort(ideal, DOCS_MOST, sizeof *ideal, by_grade);
    for (int k = 0; k < DOCS_MOST; k++) {
        relevant += grades[k] > 0;
        best += k < BEST ? ideal[k] / log2(k + 2.0) : 0;
    }
    q->ndcg += best > 0 ? dcg / best : 0;
    q->recall += relevant > 0 ? found / relevant : 0;
    q->n++;
}

static void ask(void *ctx, json_t *line)
{
    struct quality *q = ctx;
    struct errand_error err = {0};
    struct er_docs_query query = {.text = er_json_str(line, "text"),
        .limit = BEST, .per_document = 1, .collection = "cranfield"};
    double begin = now();
    json_t *hits = er_docs_search(q->docs, &query, &err);
    q->seconds += now() - begin;
    if (!hits)
        die("search", &err);
    judge(q, atoi(er_json_str(line, "_id")), hits);
    json_decref(hits);
}

static void index_folder(
    er_docs *docs, const char *path, const char *collection)
{
    struct errand_error err = {0};
    struct er_index_progress done;
    struct er_index_request req = {
        .paths = &path, .n = 1, .collection = collection};
    if (er_docs_index(docs, &req, &done, &err) != ERRAND_OK)
        die("index", &err);
    printf("  %zu documents, %zu chunks\n", done.added, done.chunks);
}

static void show_figures(void)
{
    const char *name;
    json_t *row;
    json_t *all = suite_load("retrieval/cranfield/bm25_reference.json");
    json_object_foreach(all, name, row)
        printf("  %.4f           %s\n",
            json_number_value(json_object_get(row, "nDCG@10")), name);
    json_decref(all);
}

static void measure_quality(const char *folder, er_docs *docs)
{
    struct quality q = {.folder = folder, .docs = docs};
    char path[512];
    if (!suite_has("retrieval/cranfield/corpus.jsonl"))
        return;
    q.grades = calloc(QUERIES_MOST, sizeof *q.grades);
    snprintf(path, sizeof path, "%s/cranfield", folder);
    mkdir(path, 0700);
    printf("quality: Cranfield, 225 questions\n");
    each_line("retrieval/cranfield/corpus.jsonl", write_document, &q);
    index_folder(docs, path, "cranfield");
    read_grades(&q);
    each_line("retrieval/cranfield/queries.jsonl", ask, &q);
    printf("  nDCG@10 recall@10\n  %.4f  %.4f   errand search (%.1f ms a "
           "question)\n", q.ndcg / q.n, q.recall / q.n,
        q.seconds / q.n * 1e3);
    show_figures();
    free(q.grades);
}

/* ------------------------------------------------------------------ speed */

struct sentences {
    char *text[20000];
    size_t n;
    char *queries[QUERIES_MOST];
    size_t n_queries;
};

static void keep_sentences(void *ctx, json_t *line)
{
    struct sentences *s = ctx;
    const char *p = er_json_str(line, "text");
    while (p && *p && s->n < 20000) {
        const char *end = strstr(p, " . ");
        size_t n = end ? (size_t)(end - p) + 3 : strlen(p);
        if (n > 20)
            s->text[s->n++] = strndup(p, n);
        p += n;
    }
}

static void keep_query(void *ctx, json_t *line)
{
    struct sentences *s = ctx;
    if (s->n_queries < QUERIES_MOST)
        s->queries[s->n_queries++] = strdup(er_json_str(line, "text"));
}

static unsigned random_next(unsigned *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* Files of some forty sections, so many that they come to n chunks. */
static void write_texts(
    const struct sentences *s, const char *folder, size_t n)
{
    enum { SECTIONS = 40 };
    unsigned state = 7;
    char path[512];
    for (size_t file = 0; file * SECTIONS < n; file++) {
        struct er_buf b;
        er_buf_init(&b, 1 << 24);
        for (int k = 0; k < SECTIONS; k++) {
            size_t from = b.len;
            er_buf_addf(&b, "# part %u of %zu\n\n", random_next(&state), file);
            while (er_tokens_guess(b.data + from, b.len - from) < 230)
                er_buf_adds(&b, s->text[random_next(&state) % s->n]);
            er_buf_adds(&b, "\n\n");
        }
        snprintf(path, sizeof path, "%.400s/%06zu.md", folder, file);
        write_file(path, er_buf_str(&b), b.len);
        er_buf_release(&b);
    }
}

/* The rival: the same texts into one FTS5 table as its manual says, chunk by
 * chunk, in one transaction. */
static double plain_inserts(
    er_docs *docs, const char *folder, const char *tokenize)
{
    char path[512], sql[200];
    sqlite3 *db = NULL;
    sqlite3_stmt *from = NULL, *to = NULL;
    snprintf(path, sizeof path, "%s/plain.db", folder);
    unlink(path);
    if (sqlite3_open(path, &db) != SQLITE_OK)
        die(path, NULL);
    sqlite3_exec(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL", 0,
        0, 0);
    snprintf(sql, sizeof sql,
        "CREATE VIRTUAL TABLE t USING fts5(text, tokenize='%s')", tokenize);
    sqlite3_exec(db, sql, 0, 0, 0);
    sqlite3_prepare_v2(
        docs->sql.db, "SELECT text FROM chunks", -1, &from, NULL);
    double begin = now(), cpu = cpu_now();
    sqlite3_exec(db, "BEGIN", 0, 0, 0);
    sqlite3_prepare_v2(db, "INSERT INTO t VALUES(?1)", -1, &to, NULL);
    while (sqlite3_step(from) == SQLITE_ROW) {
        sqlite3_bind_text(to, 1, (const char *)sqlite3_column_text(from, 0),
            sqlite3_column_bytes(from, 0), SQLITE_STATIC);
        sqlite3_step(to);
        sqlite3_reset(to);
    }
    sqlite3_exec(db, "COMMIT", 0, 0, 0);
    double took = now() - begin;
    printf("  plain (%s): %.2f s of processor\n", tokenize, cpu_now() - cpu);
    sqlite3_finalize(from);
    sqlite3_finalize(to);
    sqlite3_close(db);
    unlink(path);
    return took;
}

static int by_size(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void time_searches(
    er_docs *docs, const struct sentences *s, const char *what, int words)
{
    double took[QUERIES_MOST];
    size_t n = 0;
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < s->n_queries; i++) {
            struct errand_error err = {0};
            char *text = strdup(s->queries[i]), *p = text;
            for (int k = 0; words && *p && k < words + 2; k++)
                p += strcspn(p, " ") + (strchr(p, ' ') != NULL);
            *p = words ? '\0' : *p;
            struct er_docs_query q = {
                .text = text, .collection = "speed", .limit = 10};
            double begin = cpu_now();
            json_t *hits = er_docs_search(docs, &q, &err);
            took[i] = (cpu_now() - begin) * 1e3;
            if (!hits)
                die("search", &err);
            json_decref(hits);
            free(text);
            n = i + 1;
        }
    qsort(took, n, sizeof *took, by_size);
    printf("  %-28s median %6.1f ms, 95 %% %6.1f ms, worst %6.1f ms\n", what,
        took[n / 2], took[n * 95 / 100], took[n - 1]);
}

/* A search of what plain FTS5 offers, over the same table of words. */
static void time_plain(er_docs *docs, const struct sentences *s)
{
    double took[QUERIES_MOST];
    sqlite3_stmt *st = NULL;
    sqlite3_prepare_v2(docs->sql.db, "SELECT rowid FROM word_index WHERE "
        "word_index MATCH ?1 ORDER BY rank LIMIT 10", -1, &st, NULL);
    for (size_t i = 0; i < s->n_queries; i++) {
        struct er_buf b;
        er_buf_init(&b, 65536);
        for (const char *p = s->queries[i]; *p;) {
            size_t n = strcspn(p, " ");
            if (n > 3)
                er_buf_addf(&b, "%s\"%.*s\"", b.len ? " OR " : "", (int)n, p);
            p += n + (p[n] == ' ');
        }
        double begin = cpu_now();
        sqlite3_bind_text(st, 1, er_buf_str(&b), -1, SQLITE_STATIC);
        while (sqlite3_step(st) == SQLITE_ROW)
            ;
        sqlite3_reset(st);
        took[i] = (cpu_now() - begin) * 1e3;
        er_buf_release(&b);
    }
    sqlite3_finalize(st);
    qsort(took, s->n_queries, sizeof *took, by_size);
    printf("  %-28s median %6.1f ms\n", "plain FTS5, all words",
        took[s->n_queries / 2]);
}

static void measure_speed(const char *folder, er_docs *docs, size_t chunks)
{
    struct sentences *s = calloc(1, sizeof *s);
    char path[512];
    if (!s || !suite_has("retrieval/cranfield/corpus.jsonl"))
        return;
    snprintf(path, sizeof path, "%s/speed", folder);
    mkdir(path, 0700);
    each_line("retrieval/cranfield/corpus.jsonl", keep_sentences, s);
    each_line("retrieval/cranfield/queries.jsonl", keep_query, s);
    write_texts(s, path, chunks);
    printf("speed: %zu chunks\n", chunks);
    double begin = now(), cpu = cpu_now();
    index_folder(docs, path, "speed");
    double mine = now() - begin;
    printf("  %.2f s of processor\n", cpu_now() - cpu);
    double plain = plain_inserts(docs, folder, "unicode61");
    double porter = plain_inserts(docs, folder, "porter");
    printf("  indexing %.2f s; plain FTS5 inserts %.2f s (ratio %.2f), with "
           "porter %.2f s (ratio %.2f)\n", mine, plain, plain / mine, porter,
        porter / mine);
    time_searches(docs, s, "questions as they are", 0);
    time_searches(docs, s, "their first words", 3);
    time_plain(docs, s);
}

int main(int argc, char **argv)
{
    struct errand_error err = {0};
    char store[512];
    if (argc < 2) {
        fprintf(stderr, "bench_search FOLDER [quality|speed] [CHUNKS]\n");
        return 2;
    }
    snprintf(store, sizeof store, "%s/bench.db", argv[1]);
    mkdir(argv[1], 0700);
    er_docs *docs = er_docs_open(store, NULL, &err);
    if (!docs)
        die("open", &err);
    const char *what = argc > 2 ? argv[2] : "";
    size_t chunks = argc > 3 ? (size_t)atoi(argv[3]) : 100000;
    if (strcmp(what, "speed") != 0)
        measure_quality(argv[1], docs);
    if (strcmp(what, "quality") != 0)
        measure_speed(argv[1], docs, chunks);
    er_docs_close(docs);
    return 0;
}
