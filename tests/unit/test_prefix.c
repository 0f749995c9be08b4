/* Kept prefixes: restored to the bit, found only where everything agrees,
 * damage always noticed, the folder kept within its bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine/engine.h"
#include "engine/quant.h"
#include "support/gguf_kit.h"
#include "support/model_kit.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { N = 200, PAGES = 3, WHOLE = 192 };

static char model_path[200], folder[220];
static int32_t ids[N];

static const struct model_kit kit = {.arch = "llama", .type = ER_Q8_0,
    .n_layer = 2, .n_embd = 64, .n_ff = 64, .n_head = 4, .n_head_kv = 2,
    .n_vocab = 260, .context = 512};

static int set_up(void **state)
{
    (void)state;
    gguf_kit_path(model_path, sizeof model_path);
    snprintf(folder, sizeof folder, "%s.kept", model_path);
    model_kit_write(&kit, 5, model_path);
    for (int i = 0; i < N; i++)
        ids[i] = i * 7 % 256;
    return 0;
}

/* Call fn with each kept file; their number. */
static size_t each_file(void (*fn)(const char *path, void *ctx), void *ctx)
{
    DIR *d = opendir(folder);
    struct dirent *e;
    char path[600];
    size_t n = 0;
    while (d && (e = readdir(d))) {
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        n++;
        if (fn)
            fn(path, ctx);
    }
    if (d)
        closedir(d);
    return n;
}

static void remove_file(const char *path, void *ctx)
{
    (void)ctx;
    unlink(path);
}

static int tear_down(void **state)
{
    (void)state;
    each_file(remove_file, NULL);
    rmdir(folder);
    unlink(model_path);
    return 0;
}

static er_local *load(enum er_cache_type cache)
{
    struct er_local_options opt = {.threads = 1, .cache = cache};
    struct errand_error err = {0};
    er_local *m = NULL;
    if (er_local_open(model_path, &opt, &m, &err))
        fail_msg("%s", err.msg);
    return m;
}

static er_session *begin(er_local *m)
{
    er_session *s = NULL;
    assert_int_equal(er_session_new(m, &s, NULL), 0);
    return s;
}

static void keep(er_local *m, uint64_t max_bytes)
{
    struct errand_error err = {0};
    er_session *s = begin(m);
    assert_int_equal(er_session_eval(s, ids, N, NULL, NULL), 0);
    if (er_session_keep(s, folder, max_bytes, &err))
        fail_msg("%s", err.msg);
    er_session_free(s);
}

static uint32_t restored(er_local *m, size_t n)
{
    uint32_t got = 999;
    er_session *s = begin(m);
    assert_int_equal(
        er_session_restore(s, folder, ids, n, &got, NULL), 0);
    assert_int_equal(er_session_length(s), got);
    er_session_free(s);
    return got;
}

static void test_prefix_comes_back_to_the_bit(void **state)
{
    (void)state;
    static const enum er_cache_type types[] = {
        ER_CACHE_F16, ER_CACHE_Q8, ER_CACHE_F32};
    for (int i = 0; i < 3; i++) {
        er_local *m = load(types[i]);
        keep(m, UINT64_MAX);
        er_local_close(m);
        m = load(types[i]); /* as another process would */
        er_session *a = begin(m), *b = begin(m);
        uint32_t n = 0;
        assert_int_equal(er_session_eval(a, ids, N, NULL, NULL), 0);
        assert_int_equal(
            er_session_restore(b, folder, ids, N, &n, NULL), 0);
        assert_int_equal(n, WHOLE);
        assert_int_equal(er_session_eval(b, ids + n, N - n, NULL, NULL), 0);
        assert_memory_equal(er_session_logits(a), er_session_logits(b),
            kit.n_vocab * sizeof(float));
        assert_int_equal(er_session_restore(b, folder, ids, N, &n, NULL),
            ERRAND_STATE);
        er_session_free(a);
        er_session_free(b);
        er_local_close(m);
    }
    assert_int_equal(each_file(NULL, NULL), 3 * PAGES);
}

static void test_prefix_only_where_all_agrees(void **state)
{
    (void)state;
    er_local *m = load(ER_CACHE_F16);
    keep(m, UINT64_MAX);
    assert_int_equal(restored(m, N), WHOLE);
    assert_int_equal(restored(m, WHOLE), WHOLE - 64); /* one is left over */
    assert_int_equal(restored(m, 64), 0);
    ids[100]++;
    assert_int_equal(restored(m, N), 64);
    ids[100]--;
    ids[0]++;
    assert_int_equal(restored(m, N), 0);
    ids[0]--;
    er_local_close(m);
    m = load(ER_CACHE_Q8);
    assert_int_equal(restored(m, N), 0);
    er_local_close(m);
    model_kit_write(&kit, 6, model_path); /* other weights, same shape */
    m = load(ER_CACHE_F16);
    assert_int_equal(restored(m, N), 0);
    er_local_close(m);
}

/* A beginning is kept to the token, for whoever goes on otherwise. */
static void test_prefix_keeps_a_beginning_whole(void **state)
{
    (void)state;
    enum { AT = 64 + 37 };
    struct errand_error err = {0};
    er_local *m = load(ER_CACHE_F16);
    each_file(remove_file, NULL);
    er_session *a = begin(m), *b = begin(m);
    uint32_t n = 0;
    assert_int_equal(er_session_eval(a, ids, N, NULL, NULL), 0);
    assert_int_equal(er_session_keep_beginning(
        a, AT, folder, UINT64_MAX, &err), 0);
    assert_int_equal(each_file(NULL, NULL), 2);
    assert_int_equal(er_session_kept(b, folder, ids, N), AT);
    assert_int_equal(er_session_restore(b, folder, ids, N, &n, NULL), 0);
    assert_int_equal(n, AT);
    assert_int_equal(er_session_eval(b, ids + n, N - n, NULL, NULL), 0);
    assert_memory_equal(er_session_logits(a), er_session_logits(b),
        kit.n_vocab * sizeof(float));
    er_session_free(a);
    er_session_free(b);
    ids[AT]++; /* another goes on otherwise */
    assert_int_equal(restored(m, N), AT);
    ids[AT]--;
    ids[AT - 1]++;
    assert_int_equal(restored(m, N), 64);
    ids[AT - 1]--;
    assert_int_equal(restored(m, AT), 64); /* one is left over */
    er_local_close(m);
}

struct damage {
    long at;      /* byte to flip; -1: cut; -2: longer; -3: empty */
    size_t which; /* file that is damaged, of those that are seen */
    size_t seen;
};

static void damage_file(const char *path, void *ctx)
{
    struct damage *d = ctx;
    struct stat st;
    if (d->seen++ != d->which || stat(path, &st) != 0)
        return;
    if (d->at < 0) {
        off_t sizes[] = {st.st_size - 1, st.st_size + 1, 0};
        assert_int_equal(truncate(path, sizes[-1 - d->at]), 0);
        return;
    }
    long at = d->at < st.st_size ? d->at : (long)st.st_size - 1;
    FILE *f = fopen(path, "r+b");
    fseek(f, at, SEEK_SET);
    int c = fgetc(f);
    fseek(f, at, SEEK_SET);
    fputc(c ^ 1, f);
    fclose(f);
}

static void test_prefix_damage_is_noticed(void **state)
{
    (void)state;
    /* magic, version, tokens, size, checksum, key, an id, the page's first
     * byte, one in the middle, the last; cut, longer, empty */
    static const long places[] = {
        0, 8, 12, 16, 24, 40, 70, 320, 9000, 1 << 30, -1, -2, -3};
    er_local *m = load(ER_CACHE_F16);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        for (size_t which = 0; which < PAGES; which++) {
            keep(m, UINT64_MAX);
            assert_int_equal(each_file(NULL, NULL), PAGES);
            struct damage d = {.at = places[i], .which = which};
            each_file(damage_file, &d);
            uint32_t n = restored(m, N); /* it and those behind it go */
            assert_true(n < WHOLE);
            assert_int_equal(each_file(NULL, NULL), n / 64);
        }
    er_local_close(m);
}

/* A page under another page's name. */
static void take_names(const char *path, void *ctx)
{
    char (*names)[600] = ctx;
    int i = names[0][0] ? names[1][0] ? 2 : 1 : 0;
    snprintf(names[i], 600, "%s", path);
}

static void test_prefix_files_cannot_be_swapped(void **state)
{
    (void)state;
    char names[3][600] = {{0}};
    er_local *m = load(ER_CACHE_F16);
    keep(m, UINT64_MAX);
    each_file(take_names, names);
    assert_int_equal(rename(names[0], names[1]), 0);
    assert_true(restored(m, N) < WHOLE);
    er_local_close(m);
}

static void add_size(const char *path, void *ctx)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    *(uint64_t *)ctx += (uint64_t)st.st_size;
}

static void test_prefix_folder_keeps_its_bytes(void **state)
{
    (void)state;
    uint64_t all = 0, left = 0;
    er_local *m = load(ER_CACHE_F16);
    keep(m, UINT64_MAX);
    each_file(add_size, &all);
    keep(m, all - 1); /* the last page goes: the first are the newest */
    each_file(add_size, &left);
    assert_int_equal(left, all / PAGES * (PAGES - 1));
    assert_int_equal(restored(m, N), WHOLE - 64);
    keep(m, 0);
    assert_int_equal(each_file(NULL, NULL), 0);
    er_local_close(m);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_prefix_comes_back_to_the_bit),
        T(test_prefix_only_where_all_agrees),
        T(test_prefix_keeps_a_beginning_whole),
        T(test_prefix_damage_is_noticed),
        T(test_prefix_files_cannot_be_swapped),
        T(test_prefix_folder_keeps_its_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
