/* The numbers of the suites: logits of every block format and adapter,
 * exactly and rounded, and a real model's greedy story. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/logits_kit.h"
#include "support/suites.h"

struct mode {
    const char *name;
    struct er_local_options opt;
    const char *tolerance, *tolerance_rms; /* keys; rms may be NULL */
};

static const struct mode modes[] = {
    {"exact f32", {.threads = 1, .exact = true, .cache = ER_CACHE_F32,
                      .context = 512},
        "tolerance_float_activations_kv_f32", NULL},
    {"exact f16", {.threads = 1, .exact = true, .context = 512},
        "tolerance_float_activations_kv_f16", NULL},
    {"plain f16", {.threads = 1, .kernels = "plain", .context = 512},
        "tolerance", "tolerance_rms"},
    {"fast f16", {.threads = 2, .context = 512}, "tolerance",
        "tolerance_rms"},
    {"fast f32", {.threads = 1, .cache = ER_CACHE_F32, .context = 512},
        "tolerance", "tolerance_rms"},
};

static const char *const files[] = {"a2u-q8_0", "a2u-q4_0", "a2u-q4_k_m",
    "a1t-f16", "a1t-bf16", "a1t-q4_1", "a1t-q5_0", "a1t-q5_1", "a1t-q2_k",
    "a1t-q3_k", "a1t-q4_k", "a1t-q5_k", "a1t-q6_k", "a1t-iq4_nl",
    "a1t-iq4_xs", "stories260K", "lora-a2u-on-a2u-q8_0-scale1",
    "lora-a2u-on-a2u-q8_0-scale0.5", "lora-a2u-on-a2u-q4_k_m-scale1",
    "lora-a2u-on-a2u-q4_k_m-scale0.5", "lora-a1t-on-a1t-f16-scale1",
    "lora-a1t-on-a1t-f16-scale0.5"};

static er_local *load(const char *folder, const char *file,
    const struct er_local_options *opt)
{
    char path[512], full[512];
    er_local *m = NULL;
    struct errand_error err = {0};
    snprintf(path, sizeof path, "%s/%s", folder, file);
    suite_path(path, full);
    if (er_local_open(full, opt, &m, &err))
        fail_msg("%s: %s", full, err.msg);
    return m;
}

static int32_t *read_ids(const json_t *list, size_t *n)
{
    size_t i;
    json_t *v;
    *n = json_array_size(list);
    int32_t *ids = calloc(*n ? *n : 1, sizeof *ids);
    assert_non_null(ids);
    json_array_foreach(list, i, v)
        ids[i] = (int32_t)json_integer_value(v);
    return ids;
}

static void compare(const json_t *doc, const struct logits *got,
    struct distance *d)
{
    const json_t *rows = json_object_get(doc, "exact"), *row, *x;
    const json_t *at = json_object_get(doc, "positions");
    double *want = calloc(got->n_vocab, sizeof *want);
    size_t i, k;
    json_array_foreach(rows, i, row)
    {
        size_t p = (size_t)json_integer_value(json_array_get(at, i));
        assert_int_equal(json_array_size(row), got->n_vocab);
        json_array_foreach(row, k, x)
            want[k] = json_number_value(x);
        distance_add(d, got->rows + p * got->n_vocab, want, got->n_vocab);
    }
    free(want);
}

static void check_file(const char *name, const struct mode *mode)
{
    char path[200];
    size_t n;
    er_session *s = NULL;
    er_adapter *a = NULL;
    struct errand_error err = {0};
    struct distance d = {0};
    snprintf(path, sizeof path, "engine-formats/%s.json", name);
    json_t *doc = suite_load(path);
    er_local *m = load("engine-formats",
        json_string_value(json_object_get(doc, "model")), &mode->opt);
    const char *lora = json_string_value(json_object_get(doc, "lora"));
    float scale =
        (float)json_number_value(json_object_get(doc, "lora_scale"));
    int32_t *ids = read_ids(json_object_get(doc, "tokens"), &n);
    assert_int_equal(er_session_new(m, &s, &err), 0);
    if (lora) {
        char full[512];
        snprintf(path, sizeof path, "engine-formats/%s", lora);
        suite_path(path, full);
        assert_int_equal(er_adapter_open(m, full, &a, &err), 0);
        assert_int_equal(er_session_adapt(s, &a, &scale, 1, &err), 0);
    }
    struct er_local_info info;
    er_local_info(m, &info);
    struct logits got = logits_of(s, info.n_vocab, ids, n, n);
    compare(doc, &got, &d);
    double most = json_number_value(json_object_get(doc, mode->tolerance));
    double rms = mode->tolerance_rms
                     ? json_number_value(
                           json_object_get(doc, mode->tolerance_rms))
                     : most;
    if (!(d.max <= most && distance_rms(&d) <= rms))
        fail_msg("%s, %s: max %g (at most %g), rms %g (at most %g)", name,
            mode->name, d.max, most, distance_rms(&d), rms);
    printf("# %-32s %-10s max %.2g of %.2g, rms %.2g\n", name, mode->name,
        d.max, most, distance_rms(&d));
    free(got.rows);
    free(ids);
    er_session_free(s);
    er_adapter_close(a);
    er_local_close(m);
    json_decref(doc);
}

static void check_mode(const struct mode *mode)
{
    if (!suite_has("engine-formats/a2u-q8_0.json"))
        return;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        check_file(files[i], mode);
}

static void test_logits_exact_f32_cache(void **state)
{
    (void)state;
    check_mode(&modes[0]);
}

static void test_logits_exact_f16_cache(void **state)
{
    (void)state;
    check_mode(&modes[1]);
}

static void test_logits_rounded_plain(void **state)
{
    (void)state;
    check_mode(&modes[2]);
}

static void test_logits_rounded_best_kernels(void **state)
{
    (void)state;
    check_mode(&modes[3]);
    check_mode(&modes[4]);
}

/* --- llama.cpp's own logits of three prompts, per format */

static size_t greedy(const float *logits, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        best = logits[i] > logits[best] ? i : best;
    return best;
}

/* How many of the listed greedy tokens come out. */
static size_t go_on(er_session *s, size_t n_vocab, const json_t *want)
{
    size_t i;
    json_t *x;
    json_array_foreach(want, i, x)
    {
        int32_t id = (int32_t)greedy(er_session_logits(s), n_vocab);
        if (id != json_integer_value(x))
            break;
        assert_int_equal(er_session_eval(s, &id, 1, NULL, NULL), 0);
    }
    return i;
}

static void check_golden(const char *name, const json_t *cases,
    const struct er_local_options *opt, double most)
{
    char file[100];
    size_t i, n, k;
    json_t *c, *x;
    snprintf(file, sizeof file, "%s.gguf", name);
    er_local *m = load("engine", file, opt);
    struct er_local_info info;
    er_local_info(m, &info);
    json_array_foreach(cases, i, c)
    {
        er_session *s = NULL;
        struct distance d = {0};
        int32_t *ids = read_ids(json_object_get(c, "tokens"), &n);
        const json_t *want = json_object_get(c, "logits");
        double *row = calloc(info.n_vocab, sizeof *row);
        json_array_foreach(want, k, x)
            row[k] = json_number_value(x);
        assert_int_equal(er_session_new(m, &s, NULL), 0);
        assert_int_equal(er_session_eval(s, ids, n, NULL, NULL), 0);
        distance_add(&d, er_session_logits(s), row, info.n_vocab);
        if (!(d.max <= most))
            fail_msg("%s prompt %zu: max %g, at most %g", name, i, d.max,
                most);
        const json_t *greedy24 = json_object_get(c, "greedy24");
        size_t same = go_on(s, info.n_vocab, greedy24);
        printf("# %s %s prompt %zu: max %.3g, rms %.3g of at most %g, "
               "%zu tokens the same\n", name,
            opt->exact ? "exact" : "fast", i, d.max, distance_rms(&d), most,
            same);
        if (opt->exact)
            assert_int_equal(same, json_array_size(greedy24));
        free(row);
        free(ids);
        er_session_free(s);
    }
    er_local_close(m);
}

static void test_logits_goldens(void **state)
{
    (void)state;
    static const struct er_local_options exact = {
        .exact = true, .cache = ER_CACHE_F32, .threads = 1};
    static const struct er_local_options fast = {.threads = 1};
    json_t *doc = suite_load("engine/goldens.json"), *value;
    const char *name;
    if (!doc)
        return;
    json_object_foreach(json_object_get(doc, "models"), name, value)
    {
        const json_t *deq =
            json_object_get(value, "llama_cpp_f32_on_dequantised");
        const json_t *own = json_object_get(value, "llama_cpp");
        if (deq)
            check_golden(name, deq, &exact, 0.001);
        check_golden(name, own, &fast, strstr(name, "f16") ? 0.05 : 1.1);
    }
    json_decref(doc);
}

/* --- the story */

static void check_story(const struct er_local_options *opt)
{
    json_t *doc = suite_load("engine-formats/stories260K.json");
    er_session *s = NULL;
    struct er_buf text;
    struct er_local_info info;
    size_t n;
    if (!doc)
        return;
    er_local *m = load("engine-formats", "stories260K.gguf", opt);
    er_local_info(m, &info);
    int32_t *ids = read_ids(json_object_get(doc, "greedy_ids"), &n), id = 1;
    assert_int_equal(er_session_new(m, &s, NULL), 0);
    er_buf_init(&text, 10000);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(er_session_eval(s, &id, 1, NULL, NULL), 0);
        id = (int32_t)greedy(er_session_logits(s), info.n_vocab);
        assert_int_equal(id, ids[i]);
    }
    assert_true(er_tokenizer_decode(
        er_local_tokenizer(m), ids, n, false, &text));
    assert_string_equal(er_buf_str(&text),
        json_string_value(json_object_get(doc, "greedy_text")));
    er_buf_release(&text);
    free(ids);
    er_session_free(s);
    er_local_close(m);
    json_decref(doc);
}

static void test_story_is_told_as_it_was(void **state)
{
    (void)state;
    static const struct er_local_options exact = {
        .exact = true, .cache = ER_CACHE_F32, .threads = 1, .context = 512};
    static const struct er_local_options fast = {.threads = 2,
        .context = 512};
    check_story(&exact);
    check_story(&fast);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_logits_exact_f32_cache),
        cmocka_unit_test(test_logits_exact_f16_cache),
        cmocka_unit_test(test_logits_rounded_plain),
        cmocka_unit_test(test_logits_rounded_best_kernels),
        cmocka_unit_test(test_logits_goldens),
        cmocka_unit_test(test_story_is_told_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
