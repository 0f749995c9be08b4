/* The engine against a reference in double precision, in every block format
 * and odd shapes; and what a session promises: the same bits however a prompt
 * is cut, for any number of threads, alone or in a batch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine/kernel.h"
#include "support/gguf_kit.h"
#include "support/logits_kit.h"
#include "support/model_kit.h"

#include <pthread.h>
#include <unistd.h>

enum { N = 21, CUT = 140, BIG = 300 };

static char path[200];
static int32_t ids[BIG];

static int set_up(void **state)
{
    (void)state;
    uint32_t seed = 7;
    gguf_kit_path(path, sizeof path);
    for (int i = 0; i < BIG; i++) {
        seed = seed * 1664525u + 1013904223u;
        ids[i] = (int32_t)((seed >> 10) % 256);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

static er_local *load(const struct er_local_options *opt)
{
    er_local *m = NULL;
    struct errand_error err = {0};
    if (er_local_open(path, opt, &m, &err))
        fail_msg("%s", err.msg);
    return m;
}

static er_session *begin(er_local *m)
{
    er_session *s = NULL;
    assert_int_equal(er_session_new(m, &s, NULL), 0);
    return s;
}

static size_t vocab(const er_local *m)
{
    struct er_local_info info;
    er_local_info(m, &info);
    return info.n_vocab;
}

static const struct model_kit small = {.arch = "llama", .type = ER_Q8_0,
    .n_layer = 2, .n_embd = 64, .n_ff = 96, .n_head = 4, .n_head_kv = 2,
    .n_vocab = 259, .context = 512};

/* ----------------------------------------------------- against reference */

/* Distance of the engine's logits, by this table, from the reference's. */
static struct distance distance_of(
    const struct er_local_options *opt, const double *want)
{
    struct distance d = {0};
    er_local *m = load(opt);
    er_session *s = begin(m);
    struct logits got = logits_of(s, vocab(m), ids, N, N);
    distance_add(&d, got.rows, want, N * got.n_vocab);
    free(got.rows);
    er_session_free(s);
    er_local_close(m);
    return d;
}

/* Exact: float rounding alone. Rounded to 8 bits: what rounding activations
 * in blocks of 32 does to these shapes, at most; and each fast table must
 * give what the plain one gives, but for the order of float sums. */
static void hold(const struct model_kit *kit, const char *name)
{
    static const char *const tables[] = {"plain", "avx2", "avx512"};
    model_kit_write(kit, 11, path);
    double *want = reference_logits(path, ids, N);
    struct er_local_options opt = {
        .threads = 1, .exact = true, .cache = ER_CACHE_F32};
    struct distance d = distance_of(&opt, want);
    if (!(d.max < 2e-3 && distance_rms(&d) < 1e-4))
        fail_msg("%s exact: max %g, rms %g", name, d.max, distance_rms(&d));
    for (int i = 0; i < 3; i++) {
        if (!er_kernels_named(tables[i]))
            continue;
        opt = (struct er_local_options){
            .threads = 1, .kernels = tables[i], .cache = ER_CACHE_F32};
        d = distance_of(&opt, want);
        if (!(d.max < 1.5 && distance_rms(&d) < 0.15))
            fail_msg("%s %s: max %g, rms %g", name, tables[i], d.max,
                distance_rms(&d));
        opt.exact = true;
        d = distance_of(&opt, want);
        if (!(d.max < 2e-3 && distance_rms(&d) < 1e-4))
            fail_msg("%s %s exact: max %g, rms %g", name, tables[i], d.max,
                distance_rms(&d));
    }
    free(want);
}

static void test_engine_every_format(void **state)
{
    (void)state;
    static const uint32_t types[] = {ER_F32, ER_F16, ER_BF16, ER_Q4_0,
        ER_Q4_1, ER_Q5_0, ER_Q5_1, ER_Q8_0, ER_Q2_K, ER_Q3_K, ER_Q4_K,
        ER_Q5_K, ER_Q6_K, ER_IQ4_NL, ER_IQ4_XS};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        struct model_kit kit = small;
        kit.type = types[i];
        kit.n_layer = 1;
        kit.n_embd = 256;
        kit.n_ff = 512;
        hold(&kit, er_quant_get(types[i])->name);
    }
}

static void test_engine_odd_shapes(void **state)
{
    (void)state;
    static const struct model_kit kits[] = {
        {.arch = "llama", .type = ER_F32, .n_layer = 2, .n_embd = 36,
            .n_ff = 53, .n_head = 3, .n_head_kv = 1, .n_vocab = 261,
            .context = 64, .tied = true},
        {.arch = "llama", .type = ER_F16, .n_layer = 1, .n_embd = 40,
            .n_ff = 17, .n_head = 4, .n_head_kv = 4, .n_vocab = 256,
            .context = 64, .n_rot = 4},
        {.arch = "llama", .type = ER_Q4_0, .n_layer = 1, .n_embd = 96,
            .n_ff = 160, .n_head = 6, .n_head_kv = 3, .n_vocab = 257,
            .context = 64, .head_dim = 32},
        {.arch = "llama", .type = ER_Q8_0, .n_layer = 1, .n_embd = 32,
            .n_ff = 32, .n_head = 1, .n_head_kv = 1, .n_vocab = 300,
            .context = 64},
        {.arch = "qwen2", .type = ER_Q5_0, .n_layer = 2, .n_embd = 64,
            .n_ff = 96, .n_head = 4, .n_head_kv = 2, .n_vocab = 270,
            .context = 64},
        {.arch = "qwen3", .type = ER_Q5_1, .n_layer = 2, .n_embd = 64,
            .n_ff = 96, .n_head = 4, .n_head_kv = 2, .head_dim = 32,
            .n_vocab = 258, .context = 64, .tied = true},
    };
    for (size_t i = 0; i < sizeof kits / sizeof kits[0]; i++)
        hold(&kits[i], kits[i].arch);
}

static void test_engine_rope_is_stretched(void **state)
{
    (void)state;
    struct model_kit kit = small;
    kit.type = ER_F32;
    kit.factors = true;
    hold(&kit, "factors");
    kit.scaling = "linear";
    kit.factor = 4;
    hold(&kit, "linear and factors");
    kit.factors = false;
    kit.scaling = "yarn";
    kit.factor = 8;
    kit.original = 32;
    hold(&kit, "yarn");
    kit.arch = "qwen2";
    hold(&kit, "yarn, halves");
}

/* --------------------------------------------------------- same bits */

static void same_rows(const struct logits *a, const struct logits *b)
{
    assert_int_equal(a->n, b->n);
    assert_memory_equal(
        a->rows, b->rows, a->n * a->n_vocab * sizeof *a->rows);
}

static struct logits run(const struct er_local_options *opt, size_t piece)
{
    er_local *m = load(opt);
    er_session *s = begin(m);
    struct logits l = logits_of(s, vocab(m), ids, CUT, piece);
    er_session_free(s);
    er_local_close(m);
    return l;
}

static void check_same_bits(const struct model_kit *kit)
{
    static const struct er_local_options opts[] = {
        {.threads = 1}, {.threads = 1, .cache = ER_CACHE_Q8},
        {.threads = 1, .exact = true}};
    static const size_t pieces[] = {1, 7, 64, 129};
    model_kit_write(kit, 3, path);
    for (size_t o = 0; o < 3; o++) {
        struct er_local_options opt = opts[o];
        struct logits whole = run(&opt, CUT);
        for (size_t i = 0; i < 4; i++) {
            opt.threads = 1 + (unsigned)(i % 3);
            struct logits cut = run(&opt, pieces[i]);
            same_rows(&whole, &cut);
            free(cut.rows);
        }
        free(whole.rows);
    }
}

static void test_engine_same_bits_however_cut(void **state)
{
    (void)state;
    static const uint32_t types[] = {ER_F16, ER_Q8_0, ER_Q4_K, ER_Q6_K};
    for (size_t i = 0; i < 4; i++) {
        struct model_kit kit = small;
        kit.type = types[i];
        kit.n_layer = 1;
        kit.n_embd = kit.n_ff = 256;
        check_same_bits(&kit);
    }
}

static void test_engine_same_bits_in_a_batch(void **state)
{
    (void)state;
    struct er_local_options opt = {.threads = 2};
    model_kit_write(&small, 3, path);
    er_local *m = load(&opt);
    er_session *s[4], *alone = begin(m);
    size_t n = vocab(m);
    for (int i = 0; i < 4; i++) {
        s[i] = begin(m);
        assert_int_equal(er_session_eval(
            s[i], ids + i, (size_t)(10 + 30 * i), NULL, NULL), 0);
    }
    int32_t next[4] = {1, 2, 3, 4};
    assert_int_equal(er_session_step(s, next, 4, NULL, NULL), 0);
    assert_int_equal(er_session_eval(alone, ids + 2, 70, NULL, NULL), 0);
    assert_int_equal(er_session_eval(alone, &next[2], 1, NULL, NULL), 0);
    assert_memory_equal(er_session_logits(alone), er_session_logits(s[2]),
        n * sizeof(float));
    er_session *twice[2] = {s[0], s[0]};
    assert_int_equal(
        er_session_step(twice, next, 2, NULL, NULL), ERRAND_USAGE);
    for (int i = 0; i < 4; i++)
        er_session_free(s[i]);
    er_session_free(alone);
    er_local_close(m);
}

/* ------------------------------------------------------------ sessions */

static void test_session_fork_and_truncate(void **state)
{
    (void)state;
    model_kit_write(&small, 3, path);
    er_local *m = load(NULL);
    er_session *a = begin(m), *b = NULL, *c = begin(m);
    size_t n = vocab(m) * sizeof(float);
    assert_int_equal(er_session_eval(a, ids, 100, NULL, NULL), 0);
    assert_int_equal(er_session_fork(a, 70, &b, NULL), 0);
    assert_int_equal(er_session_length(b), 70);
    assert_null(er_session_logits(b));
    /* b writes into a page that a has too. */
    assert_int_equal(er_session_eval(b, ids + 200, 20, NULL, NULL), 0);
    assert_int_equal(er_session_eval(c, ids, 70, NULL, NULL), 0);
    assert_int_equal(er_session_eval(c, ids + 200, 20, NULL, NULL), 0);
    assert_memory_equal(er_session_logits(b), er_session_logits(c), n);
    er_session_truncate(c, 70);
    assert_null(er_session_logits(c));
    assert_int_equal(er_session_match(c, ids, 100), 70);
    assert_int_equal(er_session_eval(c, ids + 70, 30, NULL, NULL), 0);
    assert_memory_equal(er_session_logits(a), er_session_logits(c), n);
    er_session_free(a);
    er_session_free(b);
    er_session_free(c);
    er_local_close(m);
}

static void test_session_overflow_is_said_before_work(void **state)
{
    (void)state;
    struct er_local_options opt = {.context = 50};
    struct errand_error err = {0};
    model_kit_write(&small, 3, path);
    er_local *m = load(&opt);
    er_session *s = begin(m);
    assert_int_equal(er_session_eval(s, ids, 40, NULL, NULL), 0);
    assert_int_equal(
        er_session_eval(s, ids, 11, NULL, &err), ERRAND_CONTEXT);
    assert_non_null(strstr(err.msg, "51 tokens are more than the context of "
                                    "50"));
    assert_int_equal(er_session_length(s), 40);
    assert_non_null(er_session_logits(s));
    int32_t wrong = 259;
    assert_int_equal(
        er_session_eval(s, &wrong, 1, NULL, &err), ERRAND_RANGE);
    er_session_free(s);
    er_local_close(m);
}

static void stop_now(void *ctx, size_t done, size_t n)
{
    (void)done;
    (void)n;
    atomic_store((atomic_bool *)ctx, true);
}

static void test_session_cancel_keeps_what_is_done(void **state)
{
    (void)state;
    atomic_bool cancel = false;
    struct er_eval opt = {
        .cancel = &cancel, .on_progress = stop_now, .ctx = &cancel};
    model_kit_write(&small, 3, path);
    er_local *m = load(NULL);
    er_session *s = begin(m), *other = begin(m);
    assert_int_equal(
        er_session_eval(s, ids, BIG, &opt, NULL), ERRAND_CANCELLED);
    uint32_t done = er_session_length(s);
    assert_true(done > 0 && done < BIG);
    assert_int_equal(
        er_session_eval(s, ids + done, 5, &opt, NULL), ERRAND_CANCELLED);
    atomic_store(&cancel, false);
    assert_int_equal(
        er_session_eval(s, ids + done, BIG - done, NULL, NULL), 0);
    assert_int_equal(er_session_eval(other, ids, BIG, NULL, NULL), 0);
    assert_memory_equal(er_session_logits(s), er_session_logits(other),
        vocab(m) * sizeof(float));
    er_session_free(s);
    er_session_free(other);
    er_local_close(m);
}

static void test_session_notices_a_cut_file(void **state)
{
    (void)state;
    struct errand_error err = {0};
    model_kit_write(&small, 3, path);
    er_local *m = load(NULL);
    er_session *s = begin(m);
    assert_int_equal(er_session_eval(s, ids, 3, NULL, NULL), 0);
    assert_int_equal(truncate(path, 1000), 0);
    assert_int_equal(er_session_eval(s, ids, 3, NULL, &err), ERRAND_STATE);
    assert_non_null(strstr(err.msg, "was changed while in use"));
    assert_int_equal(er_session_step(&s, ids, 1, NULL, &err), ERRAND_STATE);
    er_session_free(s);
    er_local_close(m);
}

static void test_memory_is_checked_before_loading(void **state)
{
    (void)state;
    struct er_local_options opt = {.memory = 200000};
    struct errand_error err = {0};
    er_local *m = NULL;
    model_kit_write(&small, 3, path);
    assert_int_equal(er_local_open(path, &opt, &m, &err), ERRAND_TOO_LARGE);
    assert_non_null(strstr(err.msg, "1 MiB are there"));
    opt = (struct er_local_options){.kernels = "abacus"};
    assert_int_equal(
        er_local_open(path, &opt, &m, &err), ERRAND_UNSUPPORTED);
}

static void *use_one(void *arg)
{
    er_session *s = arg;
    for (int i = 0; i < 20; i++)
        if (er_session_eval(s, ids + i, 1, NULL, NULL))
            return NULL;
    return s;
}

static void test_model_is_shared_by_threads(void **state)
{
    (void)state;
    pthread_t threads[3];
    struct er_local_options opt = {.threads = 2};
    model_kit_write(&small, 3, path);
    er_local *m = load(&opt);
    er_session *s[3];
    for (int i = 0; i < 3; i++) {
        s[i] = begin(m);
        assert_int_equal(
            pthread_create(&threads[i], NULL, use_one, s[i]), 0);
    }
    for (int i = 0; i < 3; i++) {
        void *ok = NULL;
        pthread_join(threads[i], &ok);
        assert_ptr_equal(ok, s[i]);
        assert_memory_equal(er_session_logits(s[i]),
            er_session_logits(s[0]), vocab(m) * sizeof(float));
    }
    for (int i = 0; i < 3; i++)
        er_session_free(s[i]);
    er_local_close(m);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_engine_every_format),
        T(test_engine_odd_shapes),
        T(test_engine_rope_is_stretched),
        T(test_engine_same_bits_however_cut),
        T(test_engine_same_bits_in_a_batch),
        T(test_session_fork_and_truncate),
        T(test_session_overflow_is_said_before_work),
        T(test_session_cancel_keeps_what_is_done),
        T(test_session_notices_a_cut_file),
        T(test_memory_is_checked_before_loading),
        T(test_model_is_shared_by_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
