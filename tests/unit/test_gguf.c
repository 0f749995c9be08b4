/* Model files: what is read, what is refused and with which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine/gguf.h"
#include "engine/quant.h"
#include "support/gguf_kit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char path[200];

static int set_up(void **state)
{
    (void)state;
    gguf_kit_path(path, sizeof path);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

static const float weights[64] = {1, 2, 3};

static void plain_file(struct gguf_kit *k)
{
    static const char *const words[] = {"a", "bc", ""};
    static const float scores[] = {0.5f, -1};
    gguf_kit_init(k);
    gguf_kit_str(k, "general.architecture", "llama");
    gguf_kit_u32(k, "n", 7);
    gguf_kit_f32(k, "f", 1.5f);
    gguf_kit_bool(k, "yes", 1);
    gguf_kit_strs(k, "words", words, 3);
    gguf_kit_f32s(k, "scores", scores, 2);
    gguf_kit_tensor(k, "b", ER_F32, 16, 2, weights, 128);
    gguf_kit_tensor(k, "a", ER_F32, 8, 0, weights, 32);
}

static void test_gguf_values_and_tensors_are_found(void **state)
{
    (void)state;
    struct gguf_kit k;
    struct er_gguf *g = NULL;
    struct errand_error err = {0};
    plain_file(&k);
    gguf_kit_write(&k, path);
    assert_int_equal(er_gguf_open(path, &g, &err), 0);
    uint64_t n = 3;
    float f = 0;
    bool yes = false;
    struct er_gguf_str s = {0};
    assert_int_equal(er_gguf_get_u64(g, "none", 0, 9, &n, &err), 0);
    assert_int_equal(n, 3);
    assert_int_equal(er_gguf_get_u64(g, "n", 0, 9, &n, &err), 0);
    assert_int_equal(n, 7);
    assert_int_equal(er_gguf_get_f32(g, "f", &f, &err), 0);
    assert_true(f == 1.5f);
    assert_int_equal(er_gguf_get_bool(g, "yes", &yes, &err), 0);
    assert_true(yes);
    assert_int_equal(
        er_gguf_get_str(g, "general.architecture", &s, &err), 0);
    assert_int_equal(s.len, 5);
    assert_int_equal(er_gguf_tensors(g), 2);
    const struct er_tensor *t = er_gguf_tensor(g, "b");
    assert_non_null(t);
    assert_int_equal(t->rows, 2);
    assert_int_equal(t->bytes, 128);
    assert_memory_equal(t->data, weights, 128);
    assert_null(er_gguf_tensor(g, "c"));
    er_gguf_close(g);
    gguf_kit_release(&k);
}

static void test_gguf_arrays_are_walked(void **state)
{
    (void)state;
    struct gguf_kit k;
    struct er_gguf *g = NULL;
    struct er_gguf_array a;
    plain_file(&k);
    gguf_kit_write(&k, path);
    assert_int_equal(er_gguf_open(path, &g, NULL), 0);
    assert_int_equal(er_gguf_get_array(g, "words", &a, NULL), 0);
    assert_int_equal(a.count, 3);
    assert_int_equal(er_gguf_next_str(&a).len, 1);
    assert_memory_equal(er_gguf_next_str(&a).s, "bc", 2);
    assert_int_equal(er_gguf_next_str(&a).len, 0);
    assert_int_equal(a.left, 0);
    assert_int_equal(er_gguf_get_array(g, "scores", &a, NULL), 0);
    assert_true(er_gguf_next_number(&a) == 0.5);
    assert_true(er_gguf_next_number(&a) == -1);
    assert_int_equal(er_gguf_get_array(g, "none", &a, NULL), 0);
    assert_int_equal(a.count, 0);
    er_gguf_close(g);
    gguf_kit_release(&k);
}

static void test_gguf_wrong_types_are_errors(void **state)
{
    (void)state;
    struct gguf_kit k;
    struct er_gguf *g = NULL;
    struct errand_error err = {0};
    uint64_t n = 0;
    float f;
    plain_file(&k);
    gguf_kit_write(&k, path);
    assert_int_equal(er_gguf_open(path, &g, &err), 0);
    assert_int_equal(
        er_gguf_get_u64(g, "f", 0, 9, &n, &err), ERRAND_SYNTAX);
    assert_string_equal(err.msg, "\"f\" is f32; it must be a whole number");
    assert_int_equal(er_gguf_get_f32(g, "n", &f, &err), ERRAND_SYNTAX);
    assert_int_equal(
        er_gguf_get_u64(g, "n", 8, 9, &n, &err), ERRAND_SYNTAX);
    assert_string_equal(err.msg, "\"n\" is 7; it must be from 8 to 9");
    er_gguf_close(g);
    gguf_kit_release(&k);
}

static void refused(struct gguf_kit *k, int code, const char *part)
{
    struct er_gguf *g = NULL;
    struct errand_error err = {0};
    gguf_kit_write(k, path);
    assert_int_equal(er_gguf_open(path, &g, &err), code);
    if (!strstr(err.msg, part))
        fail_msg("\"%s\" does not say \"%s\"", err.msg, part);
    gguf_kit_release(k);
}

static void test_gguf_damage_is_refused_in_words(void **state)
{
    (void)state;
    struct gguf_kit k;
    plain_file(&k);
    k.version = 1;
    refused(&k, ERRAND_UNSUPPORTED, "GGUF version 1");
    plain_file(&k);
    k.n_pairs = UINT64_MAX;
    refused(&k, ERRAND_SYNTAX, "");
    plain_file(&k);
    k.n_tensors = UINT64_MAX / 2;
    refused(&k, ERRAND_SYNTAX, "");
    plain_file(&k);
    gguf_kit_u32(&k, "n", 8);
    refused(&k, ERRAND_SYNTAX, "the key \"n\" stands twice");
    plain_file(&k);
    gguf_kit_u32(&k, "general.alignment", 48);
    refused(&k, ERRAND_SYNTAX, "general.alignment is 48");
    plain_file(&k);
    gguf_kit_u32(&k, "general.alignment", 4);
    refused(&k, ERRAND_SYNTAX, "general.alignment is 4;");
    plain_file(&k);
    gguf_kit_tensor(&k, "a", ER_F32, 8, 0, weights, 32);
    refused(&k, ERRAND_SYNTAX, "tensor \"a\": it stands twice");
    plain_file(&k);
    gguf_kit_tensor(&k, "q", 16, 256, 0, weights, 66);
    refused(&k, ERRAND_UNSUPPORTED, "is IQ2_XXS, a format");
    plain_file(&k);
    gguf_kit_tensor(&k, "q", ER_Q8_0, 33, 0, weights, 34);
    refused(&k, ERRAND_SYNTAX, "33 weights, not a multiple of 32");
    plain_file(&k);
    gguf_kit_tensor(&k, "big", ER_F32, 1 << 20, 0, weights, 32);
    refused(&k, ERRAND_SYNTAX, "ends behind the end of the file");
    plain_file(&k);
    gguf_kit_tensor(&k, "wrap", ER_F32, (uint64_t)1 << 62, 4, weights, 32);
    refused(&k, ERRAND_SYNTAX, "more weights than numbers can count");
}

static void test_gguf_change_while_mapped_is_noticed(void **state)
{
    (void)state;
    struct gguf_kit k;
    struct er_gguf *g = NULL;
    struct errand_error err = {0};
    plain_file(&k);
    gguf_kit_write(&k, path);
    assert_int_equal(er_gguf_open(path, &g, &err), 0);
    assert_int_equal(er_gguf_check(g, &err), 0);
    assert_int_equal(truncate(path, 100), 0);
    assert_int_equal(er_gguf_check(g, &err), ERRAND_STATE);
    assert_non_null(strstr(err.msg, "was changed while in use"));
    er_gguf_close(g);
    gguf_kit_release(&k);
}

static void test_gguf_no_file_is_said(void **state)
{
    (void)state;
    struct er_gguf *g = NULL;
    struct errand_error err = {0};
    assert_int_equal(
        er_gguf_open("/none/x.gguf", &g, &err), ERRAND_NOT_FOUND);
    assert_int_equal(er_gguf_open("/tmp", &g, &err), ERRAND_IO);
    assert_int_equal(truncate(path, 0), 0);
    assert_int_equal(er_gguf_open(path, &g, &err), ERRAND_SYNTAX);
    assert_non_null(strstr(err.msg, "is empty"));
}

static void write_part(const char *file, uint32_t no, const char *tensor)
{
    struct gguf_kit k;
    gguf_kit_init(&k);
    gguf_kit_u32(&k, "split.no", no);
    gguf_kit_u32(&k, "split.count", 2);
    gguf_kit_u32(&k, "split.tensors.count", 2);
    gguf_kit_tensor(&k, tensor, ER_F32, 8, 0, weights, 32);
    gguf_kit_write(&k, file);
    gguf_kit_release(&k);
}

static void test_gguf_parts_look_like_one_file(void **state)
{
    (void)state;
    char one[300], two[300];
    struct er_gguf *g = NULL;
    struct errand_error err = {0};
    snprintf(one, sizeof one, "%s-00001-of-00002.gguf", path);
    snprintf(two, sizeof two, "%s-00002-of-00002.gguf", path);
    write_part(one, 0, "x");
    assert_int_equal(er_gguf_open(one, &g, &err), ERRAND_NOT_FOUND);
    assert_non_null(strstr(err.msg, "part 2 of 2"));
    write_part(two, 1, "y");
    assert_int_equal(er_gguf_open(one, &g, &err), 0);
    assert_int_equal(er_gguf_parts(g), 2);
    assert_int_equal(er_gguf_tensors(g), 2);
    assert_memory_equal(er_gguf_tensor(g, "y")->data, weights, 32);
    er_gguf_close(g);
    assert_int_equal(er_gguf_open(two, &g, &err), ERRAND_USAGE);
    write_part(two, 1, "x");
    assert_int_equal(er_gguf_open(one, &g, &err), ERRAND_SYNTAX);
    unlink(one);
    unlink(two);
}

static void test_half_numbers_go_both_ways(void **state)
{
    (void)state;
    for (uint32_t h = 0; h < 65536; h++) {
        float f = er_f16_to_f32((uint16_t)h);
        if (f == f)
            assert_int_equal(er_f32_to_f16(f), h);
    }
    assert_int_equal(er_f32_to_f16(65519.9f), 0x7BFF);
    assert_int_equal(er_f32_to_f16(65520.0f), 0x7C00);
    assert_int_equal(er_f32_to_f16(0x1p-25f), 0);
    assert_int_equal(er_f32_to_f16(0x1.8p-25f), 1);
    assert_int_equal(er_f32_to_f16(1.0f + 0x1p-11f), 0x3C00);
    assert_int_equal(er_f32_to_f16(1.0f + 0x1.8p-10f), 0x3C02);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_gguf_values_and_tensors_are_found),
        T(test_gguf_arrays_are_walked),
        T(test_gguf_wrong_types_are_errors),
        T(test_gguf_damage_is_refused_in_words),
        T(test_gguf_change_while_mapped_is_noticed),
        T(test_gguf_no_file_is_said),
        T(test_gguf_parts_look_like_one_file),
        T(test_half_numbers_go_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
