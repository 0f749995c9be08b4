/* Documents: indexed, found, read, changed, removed; and what goes wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "search/docs.h"
#include "search/docs_db.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64];

static char *place(const char *name)
{
    static char path[200];
    snprintf(path, sizeof path, "%.60s/%.100s", folder, name);
    return path;
}

static void put(const char *name, const char *text, size_t len)
{
    FILE *f = fopen(place(name), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

static void puts_file(const char *name, const char *text)
{
    put(name, text, strlen(text));
}

static er_docs *open_docs(void)
{
    struct errand_error err = {0};
    char store[200];
    snprintf(store, sizeof store, "%.60s/store.db", folder);
    er_docs *d = er_docs_open(store, NULL, &err);
    if (!d)
        print_message("%s\n", err.msg);
    assert_non_null(d);
    return d;
}

static struct er_index_progress index_path(er_docs *d, const char *name)
{
    struct errand_error err = {0};
    struct er_index_progress p;
    char path[200];
    const char *paths[] = {path};
    struct er_index_request req = {.paths = paths, .n = 1, .jobs = 3};
    snprintf(path, sizeof path, "%s", place(name));
    int code = er_docs_index(d, &req, &p, &err);
    if (code != ERRAND_OK)
        print_message("%s\n", err.msg);
    assert_int_equal(code, ERRAND_OK);
    return p;
}

static json_t *find_with(er_docs *d, struct er_docs_query q)
{
    struct errand_error err = {0};
    json_t *hits = er_docs_search(d, &q, &err);
    if (!hits)
        print_message("%s\n", err.msg);
    assert_non_null(hits);
    return hits;
}

/* How many hits; the end of the best one's path must be as said. */
static size_t find(er_docs *d, const char *text, const char *best)
{
    json_t *hits = find_with(d, (struct er_docs_query){.text = text});
    size_t n = json_array_size(hits);
    if (best) {
        const char *path = er_json_str(json_array_get(hits, 0), "path");
        assert_non_null(path);
        assert_string_equal(strrchr(path, '/') + 1, best);
    }
    json_decref(hits);
    return n;
}

/* What the indexes hold is what the chunks say. */
static void check_sound(er_docs *d)
{
    static const char *const empty[] = {
        "SELECT count(*) FROM chunks WHERE id>>16 NOT IN"
        " (SELECT id FROM documents)",
        "SELECT (SELECT chunks FROM totals) - (SELECT count(*) FROM chunks)",
        "SELECT (SELECT words FROM totals) -"
        " coalesce((SELECT sum(words) FROM documents), 0)",
        "SELECT coalesce((SELECT sum(chunks) FROM documents), 0) -"
        " (SELECT count(*) FROM chunks)"};
    struct errand_error err = {0};
    for (size_t i = 0; i < sizeof empty / sizeof empty[0]; i++) {
        int64_t n = -1;
        assert_int_equal(er_sql_int(&d->sql, empty[i], &n, &err), 0);
        assert_int_equal(n, 0);
    }
}

static int begin(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/errand-docs-XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(mkdir(place("in"), 0700), 0);
    return 0;
}

static int end(void **state)
{
    char command[100];
    (void)state;
    snprintf(command, sizeof command, "rm -r '%.60s'", folder);
    return system(command);
}

static void test_docs_life(void **state)
{
    (void)state;
    er_docs *d = open_docs();
    puts_file("in/a.md", "# Garden\n\nTomatoes go out in May.\n");
    puts_file("in/b.txt", "Nothing of interest stands here.\n");
    struct er_index_progress p = index_path(d, "in");
    assert_int_equal(p.added, 2);
    assert_int_equal(find(d, "tomato", "a.md"), 1);
    assert_int_equal(find(d, "interesting garden", "a.md"), 2);
    check_sound(d);
    p = index_path(d, "in"); /* within two seconds it is read again */
    assert_int_equal(p.unchanged, 2);
    assert_int_equal(p.chunks, 0);
    puts_file("in/a.md", "# Garden\n\nLeeks are sown in March.\n");
    p = index_path(d, "in");
    assert_int_equal(p.changed, 1);
    assert_int_equal(find(d, "tomato", NULL), 0);
    assert_int_equal(find(d, "leek", "a.md"), 1);
    check_sound(d);
    assert_int_equal(unlink(place("in/b.txt")), 0);
    p = index_path(d, "in");
    assert_int_equal(p.removed, 1);
    assert_int_equal(find(d, "interest", NULL), 0);
    er_docs_close(d);
    d = open_docs();
    assert_int_equal(find(d, "leek", "a.md"), 1);
    size_t removed = 0;
    assert_int_equal(
        er_docs_remove(d, place("in"), NULL, &removed, NULL), ERRAND_OK);
    assert_int_equal(removed, 1);
    assert_int_equal(find(d, "leek", NULL), 0);
    assert_int_equal(er_docs_remove(d, place("in"), NULL, &removed, NULL),
        ERRAND_NOT_FOUND);
    check_sound(d);
    er_docs_close(d);
}

static void test_docs_queries(void **state)
{
    (void)state;
    er_docs *d = open_docs();
    puts_file("in/one.c", "int er_docs_open(void)\n{\n    return 1;\n}\n");
    puts_file("in/two.md", "# Two\n\nThe docs are open all day; x86-64.\n");
    puts_file("in/three.md", "# Three\n\nAll docs, and the day is open.\n");
    index_path(d, "in");
    find(d, "er_docs_op", "one.c");
    find(d, "docs_ope", "one.c"); /* a part of a name */
    find(d, "x86-64", "two.md");
    find(d, "86-6", "two.md");
    assert_int_equal(find(d, "\"open all day\"", "two.md"), 1);
    assert_int_equal(find(d, "day -open", NULL), 0);
    assert_int_equal(find(d, "docs -three", NULL), 2);
    assert_int_equal(find(d, "", NULL), 0);
    assert_int_equal(find(d, "\" - -- \"\"\" ( OR NOT *", NULL), 0);
    assert_int_equal(find(d, "the", NULL) > 0, true);
    assert_int_equal(find(d, "\xff\xfe open", NULL) > 0, true);
    json_t *hits = find_with(
        d, (struct er_docs_query){.text = "open", .kind = "code"});
    assert_int_equal(json_array_size(hits), 1);
    json_decref(hits);
    hits = find_with(
        d, (struct er_docs_query){.text = "open", .path = "*.md"});
    assert_int_equal(json_array_size(hits), 2);
    json_decref(hits);
    hits = find_with(
        d, (struct er_docs_query){.text = "open", .collection = "no"});
    assert_int_equal(json_array_size(hits), 0);
    json_decref(hits);
    struct er_docs_query bad = {.text = "a", .kind = "poem"};
    struct errand_error err = {0};
    assert_null(er_docs_search(d, &bad, &err));
    assert_int_equal(err.code, ERRAND_USAGE);
    er_docs_close(d);
}

static void test_docs_read(void **state)
{
    struct errand_error err = {0};
    (void)state;
    er_docs *d = open_docs();
    puts_file("in/a.md", "# A\n\nFirst text.\n\n# B\n\nSecond text.\n");
    index_path(d, "in");
    assert_int_equal(unlink(place("in/a.md")), 0); /* gone meanwhile */
    json_t *c = er_docs_chunk(d, "1.1", &err);
    assert_string_equal(er_json_str(c, "heading"), "B");
    assert_int_equal(er_json_int(c, "line", 0), 5);
    assert_string_equal(er_json_str(c, "text"), "# B\n\nSecond text.\n");
    json_decref(c);
    static const char *const names[] = {"1", "1.0", "a.md", "in/a.md"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        json_t *t = er_docs_read(d, names[i], -1, 1000, &err);
        assert_int_equal(
            json_array_size(json_object_get(t, "chunks")), 2);
        assert_true(json_is_null(json_object_get(t, "next")));
        json_decref(t);
    }
    json_t *t = er_docs_read(d, "1", 0, 1, &err);
    assert_int_equal(er_json_int(t, "next", 0), 1);
    json_decref(t);
    static const char *const none[] = {
        "2", "1.7", "b.md", "x", "", "1.", "-1", "1.99999999999999999"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        assert_null(er_docs_read(d, none[i], -1, 1000, &err));
    assert_null(er_docs_chunk(d, "1", &err));
    assert_int_equal(err.code, ERRAND_USAGE);
    er_docs_close(d);
}

static void test_docs_bad_input(void **state)
{
    struct errand_error err = {0};
    struct er_index_progress p;
    (void)state;
    er_docs *d = open_docs();
    p = index_path(d, "in"); /* an empty folder */
    assert_int_equal(p.total, 0);
    put("in/binary", "ELF\0\1\2\3", 7);
    put("in/broken.txt", "caf\xE9 and \xFF words", 15);
    put("in/nul.txt.md", "", 0);
    puts_file("in/page.html", "<title>Page</title><h1>Top</h1><p>b&auml;r"
                              "<script>secret()</script>");
    puts_file("in/table.csv", "name,born\nAda,1815\n");
    puts_file("in/lines.jsonl", "{\"title\":\"Rec\",\"x\":\"deep \\u00e9\"}\n");
    p = index_path(d, "in");
    assert_int_equal(p.skipped, 1);
    assert_int_equal(p.added, 5);
    find(d, "words", "broken.txt");
    find(d, "bar", "page.html"); /* accents do not matter */
    assert_int_equal(find(d, "secret", NULL), 0);
    find(d, "born 1815", "table.csv");
    find(d, "deep", "lines.jsonl");
    json_t *hits = find_with(d, (struct er_docs_query){.text = "bar"});
    assert_true(json_is_null(
        json_object_get(json_array_get(hits, 0), "line")));
    json_decref(hits);
    const char *missing[] = {"/nowhere/at/all"};
    struct er_index_request req = {.paths = missing, .n = 1};
    assert_int_equal(er_docs_index(d, &req, &p, &err), ERRAND_NOT_FOUND);
    /* text that became binary is forgotten */
    put("in/broken.txt", "\0\0\0\0", 4);
    p = index_path(d, "in");
    assert_int_equal(p.removed, 1);
    assert_int_equal(find(d, "words", NULL), 0);
    check_sound(d);
    er_docs_close(d);
}

/* 5 MB in one file and 500 files: found, and in the order of the files. */
static void test_docs_large(void **state)
{
    struct er_buf big;
    (void)state;
    er_buf_init(&big, 8 << 20);
    while (big.len < 5 << 20)
        er_buf_addf(&big, "Sentence %zu speaks of nothing.\n\n", big.len);
    er_buf_adds(&big, "The needle lies at the end.\n");
    put("in/big.txt", big.data, big.len);
    er_buf_release(&big);
    for (int i = 0; i < 500; i++) {
        char name[40], text[80];
        snprintf(name, sizeof name, "in/n%03d.txt", i);
        snprintf(text, sizeof text, "File of number%d and others.\n", i);
        puts_file(name, text);
    }
    er_docs *d = open_docs();
    struct er_index_progress p = index_path(d, "in");
    assert_int_equal(p.added, 501);
    find(d, "needle", "big.txt");
    find(d, "number457", "n457.txt");
    json_t *all = er_docs_list(d, NULL, NULL, 1000, NULL);
    json_t *rows = json_object_get(all, "documents");
    for (size_t i = 0; i < json_array_size(rows); i++)
        assert_int_equal(
            er_json_int(json_array_get(rows, i), "id", 0), i + 1);
    json_decref(all);
    check_sound(d);
    er_docs_close(d);
}

static bool kill_self(void *ctx, const struct er_index_progress *p)
{
    size_t *after = ctx;
    if (p->files >= *after)
        kill(getpid(), SIGKILL);
    return true;
}

/* Killed at any point: what is committed is whole, and the rest follows. */
static void test_docs_killed(void **state)
{
    (void)state;
    for (int i = 0; i < 300; i++) {
        char name[40], text[200];
        snprintf(name, sizeof name, "in/k%03d.md", i);
        snprintf(text, sizeof text, "# Killed %d\n\nword%d again\n", i, i);
        puts_file(name, text);
    }
    er_docs_close(open_docs());
    for (size_t after = 0; after <= 300; after += 60) {
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            struct er_index_progress p;
            const char *paths[] = {place("in")};
            struct er_index_request req = {.paths = paths, .n = 1,
                .again = true, .progress = kill_self, .ctx = &after};
            char store[200];
            snprintf(store, sizeof store, "%.60s/store.db", folder);
            er_docs *d = er_docs_open(store, NULL, NULL);
            int code = d ? er_docs_index(d, &req, &p, NULL) : 1;
            _exit(code);
        }
        int status = 0;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        er_docs *d = open_docs();
        check_sound(d);
        er_docs_close(d);
    }
    er_docs *d = open_docs();
    index_path(d, "in");
    check_sound(d);
    for (int i = 0; i < 300; i += 37) {
        char word[20], name[20];
        snprintf(word, sizeof word, "word%d", i);
        snprintf(name, sizeof name, "k%03d.md", i);
        assert_int_equal(find(d, word, name), 1);
    }
    er_docs_close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_docs_life, begin, end),
        cmocka_unit_test_setup_teardown(test_docs_queries, begin, end),
        cmocka_unit_test_setup_teardown(test_docs_read, begin, end),
        cmocka_unit_test_setup_teardown(test_docs_bad_input, begin, end),
        cmocka_unit_test_setup_teardown(test_docs_large, begin, end),
        cmocka_unit_test_setup_teardown(test_docs_killed, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
