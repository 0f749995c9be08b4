/* Kept beginnings through the provider: what is damaged is noticed, removed
 * and computed again, and the answer is the same in any case. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/local_kit.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAD = 320, PAGES_MOST = 64 };

static struct local_kit kit;
static char *words;
static struct local_ask first;

static int set_up(void **state)
{
    (void)state;
    local_kit_make(&kit, "llama3", 31);
    words = local_kit_words(30);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    local_ask_release(&first);
    local_kit_remove(&kit);
    free(words);
    return 0;
}

/* One answer by providers of their own, as in another process. */
static void ask(struct local_ask *a)
{
    *a = (struct local_ask){
        .messages = words, .params = "{\"max_tokens\":12,\"seed\":3}"};
    local_kit_open(&kit, NULL);
    if (local_kit_ask(&kit, a) != ERRAND_OK)
        fail_msg("%s", a->err.msg);
    local_kit_close(&kit);
}

static void page_path(const char *name, char out[600])
{
    snprintf(out, 600, "%s/%.100s", kit.folder, name);
}

/* Names of the kept pages. */
static size_t list(char names[PAGES_MOST][80])
{
    struct dirent *e;
    size_t n = 0;
    DIR *d = opendir(kit.folder);
    assert_non_null(d);
    while ((e = readdir(d)) && n < PAGES_MOST)
        if (strstr(e->d_name, ".kv"))
            snprintf(names[n++], 80, "%.79s", e->d_name);
    closedir(d);
    return n;
}

static void flip(const char *path, off_t at)
{
    char c;
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &c, 1, at), 1);
    c ^= 0x10;
    assert_int_equal(pwrite(fd, &c, 1, at), 1);
    close(fd);
}

static void cut(const char *path, off_t bytes)
{
    assert_int_equal(truncate(path, bytes), 0);
}

static void lengthen(const char *path)
{
    FILE *f = fopen(path, "a");
    assert_non_null(f);
    fputc('x', f);
    fclose(f);
}

static off_t size_of(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_size;
}

/* Damage number kind of the page at path; other is another page. */
static void damage(int kind, const char *path, const char *other)
{
    off_t size = size_of(path);
    char text[1300];
    switch (kind) {
    case 0: flip(path, 0); break;         /* magic */
    case 1: flip(path, 8); break;         /* version */
    case 2: flip(path, 16); break;        /* size */
    case 3: flip(path, 24); break;        /* checksum */
    case 4: flip(path, 40); break;        /* key */
    case 5: flip(path, 80); break;        /* a token */
    case 6: flip(path, HEAD); break;      /* the first number */
    case 7: flip(path, size - 1); break;  /* the last */
    case 8: cut(path, size / 2); break;
    case 9: lengthen(path); break;
    case 10: cut(path, 0); break;
    default:
        snprintf(text, sizeof text, "cp '%s' '%s'", other, path);
        assert_int_equal(system(text), 0);
    }
}

static void test_local_kept_damage_is_noticed(void **state)
{
    (void)state;
    char names[PAGES_MOST][80], path[600], other[600];
    struct local_ask a;
    ask(&first);
    assert_int_equal(first.usage.cached_tokens, 0);
    for (int kind = 0; kind < 12; kind++) {
        size_t n = list(names);
        assert_true(n >= 3);
        for (size_t i = 0; i < n; i++) { /* each page: which is first? */
            page_path(names[i], path);
            page_path(names[(i + 1) % n], other);
            damage(kind, path, other);
        }
        ask(&a);
        assert_int_equal(a.usage.cached_tokens, 0);
        assert_string_equal(a.text.data, first.text.data);
        local_ask_release(&a);
        ask(&a); /* they were written anew */
        assert_in_range(a.usage.cached_tokens,
            (a.usage.prompt_tokens - 1) / 64 * 64,
            a.usage.prompt_tokens - 1);
        assert_string_equal(a.text.data, first.text.data);
        local_ask_release(&a);
    }
}

static void test_local_kept_stays_within_its_bytes(void **state)
{
    (void)state;
    char names[PAGES_MOST][80], path[600], engine[80];
    struct local_ask a;
    size_t n = list(names);
    page_path(names[0], path);
    snprintf(engine, sizeof engine, "\"prefix_bytes\":%lld",
        (long long)size_of(path) * 2);
    local_kit_open(&kit, engine);
    char *more = local_kit_words(60);
    a = (struct local_ask){
        .messages = more, .params = "{\"max_tokens\":4}"};
    assert_int_equal(local_kit_ask(&kit, &a), ERRAND_OK);
    local_kit_close(&kit);
    assert_true(n > 2);
    assert_int_equal(list(names), 2);
    local_ask_release(&a);
    free(more);
}

static void test_local_kept_lives_without_a_folder(void **state)
{
    (void)state;
    struct local_ask a;
    local_kit_forget(&kit);
    FILE *f = fopen(kit.folder, "w"); /* a file where the folder would be */
    assert_non_null(f);
    fclose(f);
    ask(&a);
    assert_int_equal(a.usage.cached_tokens, 0);
    assert_string_equal(a.text.data, first.text.data);
    local_ask_release(&a);
    unlink(kit.folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_local_kept_damage_is_noticed),
        cmocka_unit_test(test_local_kept_stays_within_its_bytes),
        cmocka_unit_test(test_local_kept_lives_without_a_folder),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
