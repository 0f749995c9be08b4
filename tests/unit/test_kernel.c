/* Kernels against the plain ones: every format, remainders of every kind in
 * rows, tokens and widths; unpacking against decoding; threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine/kernel.h"
#include "engine/kernel_unpack.h"
#include "engine/kv.h"
#include "engine/pack.h"
#include "engine/threads.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint32_t types[] = {ER_Q4_0, ER_Q4_1, ER_Q5_0, ER_Q5_1, ER_Q8_0,
    ER_Q2_K, ER_Q3_K, ER_Q4_K, ER_Q5_K, ER_Q6_K, ER_IQ4_NL, ER_IQ4_XS};
enum { TYPES = sizeof types / sizeof types[0] };

static uint32_t seed = 9;

static uint32_t draw(void)
{
    seed = seed * 1664525u + 1013904223u;
    return seed >> 8;
}

static float unit(void) { return (float)draw() / 8388608.0f - 1.0f; }

/* Random blocks whose f16 scales are finite and small. */
static void *random_rows(uint32_t type, size_t weights, size_t *bytes)
{
    const struct er_quant *q = er_quant_get(type);
    *bytes = weights / q->block * q->bytes;
    unsigned char *data = malloc(*bytes);
    float row[256];
    assert_non_null(data);
    for (size_t at = 0; at < *bytes; at += q->bytes)
        for (bool fine = false; !fine;) {
            for (size_t i = 0; i < q->bytes; i++)
                data[at + i] = (unsigned char)draw();
            q->decode(data + at, row, q->block);
            fine = true;
            for (uint32_t i = 0; i < q->block; i++)
                fine = fine && fabsf(row[i]) < 1e4f;
        }
    return data;
}

static void test_unpack_is_decode(void **state)
{
    (void)state;
    for (size_t k = 0; k < TYPES; k++) {
        size_t n = 512, bytes, per = er_unpack_unit(types[k]);
        float want[512], s[32], m[32];
        uint8_t u[512];
        void *row = random_rows(types[k], n, &bytes);
        er_quant_get(types[k])->decode(row, want, n);
        er_unpack(types[k], row, n, u, s, m);
        for (size_t i = 0; i < n; i++) {
            float got = s[i / per] * (float)u[i] - m[i / per];
            float size = fabsf(s[i / per]) * 256 + fabsf(m[i / per]);
            assert_true(fabsf(got - want[i]) <= 1e-6f * size);
        }
        free(row);
    }
}

struct setting {
    struct er_matrix m;
    struct er_acts x;
    size_t n;
};

static void *take(size_t bytes)
{
    void *p = NULL;
    assert_int_equal(posix_memalign(&p, 64, bytes + 64), 0);
    memset(p, 0, bytes + 64);
    return p;
}

/* y [n][n_out] by one table; the caller frees. */
static float *product(const struct er_kernels *k, struct setting *s,
    size_t from, size_t to)
{
    float *y = take(s->n * s->m.n_out * sizeof *y);
    float *scratch = take(8 * s->m.n_in * sizeof *scratch);
    for (size_t t = 0; t < s->n; t++)
        k->round(&s->x, t);
    k->rounded[s->m.type](
        &s->m, from, to, &s->x, y, s->m.n_out, scratch);
    free(scratch);
    return y;
}

/* A packed matrix gives the bits of one that is not. */
static void hold_packed(const struct er_kernels *k, struct setting *s)
{
    size_t bytes = er_pack_bytes(&s->m), n = s->n * s->m.n_out;
    size_t tile = er_pack_tile_bytes(s->m.type, s->m.n_in);
    if (!k->tiles || bytes == 0)
        return;
    assert_int_equal(tile % 64, 0);
    unsigned char *packed = take(bytes);
    float *want = product(k, s, 0, s->m.n_out);
    for (size_t i = 0; i < bytes / tile; i++)
        er_pack_tile(&s->m, i, packed + i * tile);
    s->m.packed = packed;
    float *got = product(k, s, 0, s->m.n_out);
    assert_memory_equal(got, want, n * sizeof *got);
    s->m.packed = NULL;
    free(want);
    free(got);
    free(packed);
}

static void hold(const struct er_kernels *k, uint32_t type, uint32_t n_in,
    uint32_t n_out, size_t n)
{
    size_t bytes, wide = n * n_in;
    void *data = random_rows(type, (size_t)n_in * n_out, &bytes);
    float *f = take(wide * sizeof *f);
    struct setting s = {.n = n,
        .m = {.data = data, .type = type, .n_out = n_out, .n_in = n_in,
            .row_bytes = bytes / n_out},
        .x = {.n = n, .width = n_in, .f = f, .r = take(wide * sizeof *f),
            .q = take(wide), .d = take(wide / 32 * sizeof *f),
            .sums = take(wide / 32 * 3 * sizeof(int32_t))}};
    for (size_t i = 0; i < wide; i++)
        f[i] = unit();
    size_t from = n_out > 4 ? 1 : 0;
    float *want = product(er_kernels_named("plain"), &s, from, n_out);
    float *got = product(k, &s, from, n_out);
    float *row = take(n_in * sizeof *row);
    for (size_t i = from; i < n_out; i++) {
        double size = 0;
        er_quant_get(type)->decode(
            (char *)data + i * s.m.row_bytes, row, n_in);
        for (size_t j = 0; j < n_in; j++)
            size += fabs((double)row[j]);
        for (size_t t = 0; t < n; t++) {
            double by = fabs((double)got[t * n_out + i] -
                             (double)want[t * n_out + i]);
            if (!(by <= 4e-6 * size))
                fail_msg("%s %s [%u][%u], %zu tokens: row %zu is %g, not %g",
                    k->name, er_quant_get(type)->name, n_out, n_in, n, i,
                    (double)got[t * n_out + i], (double)want[t * n_out + i]);
        }
    }
    hold_packed(k, &s);
    free(row);
    free(want);
    free(got);
    free(s.x.r);
    free(s.x.q);
    free(s.x.d);
    free(s.x.sums);
    free(f);
    free(data);
}

static void hold_table(const char *name)
{
    static const uint32_t outs[] = {1, 7, 33}, blocks[] = {1, 2, 3, 16, 17};
    static const size_t tokens[] = {1, 3, 8, 15, 33};
    const struct er_kernels *k = er_kernels_named(name);
    if (!k) {
        printf("# skip: this machine has no kernels %s\n", name);
        return;
    }
    for (size_t i = 0; i < TYPES; i++)
        for (size_t o = 0; o < 3; o++)
            for (size_t b = 0; b < 5; b++)
                for (size_t t = 0; t < 5; t++)
                    hold(k, types[i],
                        blocks[b] * er_quant_get(types[i])->block, outs[o],
                        tokens[t]);
}

static void test_kernel_avx512(void **state)
{
    (void)state;
    hold_table("avx512");
}

static void test_kernel_avx2(void **state)
{
    (void)state;
    hold_table("avx2");
}

static void test_kernel_silu(void **state)
{
    (void)state;
    static const char *const names[] = {"plain", "avx2", "avx512"};
    for (int k = 0; k < 3; k++) {
        const struct er_kernels *table = er_kernels_named(names[k]);
        float gate[37], up[37], was[37];
        for (int i = 0; i < 37; i++) {
            gate[i] = was[i] = 20 * unit();
            up[i] = unit();
        }
        gate[3] = was[3] = -200;
        gate[4] = was[4] = 200;
        if (!table)
            continue;
        table->silu(gate, up, 37);
        for (int i = 0; i < 37; i++) {
            double x = (double)was[i];
            double want = x / (1 + exp(-x)) * (double)up[i];
            assert_true(
                fabs((double)gate[i] - want) <= 1e-6 * (fabs(want) + 1e-6));
        }
    }
}

/* --- attention */

static void hold_attention(const struct er_kernels *k, enum er_kv_type type,
    uint32_t width, uint32_t group, uint32_t n)
{
    struct er_shape shape = {
        .n_layer = 1, .n_head_kv = 2, .n_head = 2 * group,
        .head_dim = width};
    struct er_kv_layout layout;
    struct er_kv kv = {.layout = &layout};
    size_t wide = (size_t)group * width, stride = er_kv_round_up(n);
    float *q = take(wide * sizeof *q), *row = take(2 * width * sizeof *row);
    float *want = take(wide * sizeof *q), *got = take(wide * sizeof *q);
    float *scores = take(group * stride * sizeof *scores);
    assert_int_equal(er_kv_layout_make(&shape, type, &layout, NULL), 0);
    assert_int_equal(er_kv_reserve(&kv, 0, n, NULL), 0);
    struct er_kv_view view = {&layout, kv.pages};
    for (uint32_t p = 0; p < n; p++)
        for (int which = 0; which < 2; which++) {
            for (uint32_t i = 0; i < 2 * width; i++)
                row[i] = unit();
            er_kv_write(&view, 0, which, p, row, k->to_f16);
        }
    for (size_t i = 0; i < wide; i++)
        q[i] = unit();
    struct er_attend a = {.q = q, .out = want, .scores = scores, .kv = &view,
        .head = 1, .n_group = group, .head_dim = width, .n_pos = n,
        .scale = 0.3f};
    er_attend_plain(&a);
    a.out = got;
    k->attend(&a);
    for (size_t i = 0; i < wide; i++)
        if (!(fabsf(got[i] - want[i]) <= 2e-5f))
            fail_msg("%s, heads of %u, %u at once, %u positions: %g, not %g",
                k->name, width, group, n, (double)got[i], (double)want[i]);
    er_kv_release(&kv);
    free(q);
    free(row);
    free(want);
    free(got);
    free(scores);
}

static void test_kernel_attention(void **state)
{
    (void)state;
    static const char *const names[] = {"avx2", "avx512"};
    static const uint32_t widths[] = {12, 16, 48, 64, 128, 528};
    static const uint32_t positions[] = {1, 16, 17, 64, 130};
    for (int k = 0; k < 2; k++)
        for (int type = 0; type < 3; type++)
            for (int w = 0; w < 6; w++)
                for (int p = 0; p < 5; p++)
                    for (uint32_t g = 1; g < 7 && er_kernels_named(names[k]);
                         g += g < 3 ? 2 : 1)
                        hold_attention(er_kernels_named(names[k]),
                            (enum er_kv_type)type, widths[w], g,
                            positions[p]);
}

/* --- threads */

static void count_piece(void *ctx, size_t piece, unsigned thread)
{
    atomic_uint *seen = ctx;
    assert_true(thread < 3);
    atomic_fetch_add(&seen[piece], 1);
}

static void test_threads_do_each_piece_once(void **state)
{
    (void)state;
    struct er_threads *t = NULL;
    static atomic_uint seen[500];
    assert_int_equal(er_threads_new(3, &t, NULL), 0);
    for (size_t n = 0; n < 500; n += 7) {
        for (size_t i = 0; i < 500; i++)
            atomic_store(&seen[i], 0);
        assert_true(er_threads_run(t, n, count_piece, seen, NULL));
        for (size_t i = 0; i < 500; i++)
            assert_int_equal(atomic_load(&seen[i]), i < n);
    }
    atomic_bool cancel = true;
    assert_false(er_threads_run(t, 500, count_piece, seen, &cancel));
    er_threads_free(t);
    er_threads_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unpack_is_decode),
        cmocka_unit_test(test_kernel_avx512),
        cmocka_unit_test(test_kernel_avx2),
        cmocka_unit_test(test_kernel_silu),
        cmocka_unit_test(test_kernel_attention),
        cmocka_unit_test(test_threads_do_each_piece_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
