/* Sampling: each cut keeps what it should, draws follow the distribution,
 * seeds repeat, stop strings are found however the text is cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine/sample.h"
#include "engine/stop.h"

#include <math.h>
#include <string.h>

enum { N = 6, DRAWS = 20000 };

/* Probabilities 0.4 0.3 0.15 0.1 0.04 0.01 at temperature 1, mixed up. */
static const double odds[N] = {0.1, 0.4, 0.01, 0.3, 0.15, 0.04};
static float logits[N];

static int set_up(void **state)
{
    (void)state;
    for (int i = 0; i < N; i++)
        logits[i] = (float)log(odds[i]) + 3;
    return 0;
}

static struct er_sampler *sampler(const struct er_sample_options *o)
{
    struct er_sampler *s = NULL;
    struct errand_error err = {0};
    if (er_sampler_new(o, N, &s, &err))
        fail_msg("%s", err.msg);
    return s;
}

/* Shares of many draws; each within four standard deviations of want. */
static void check_shares(
    const struct er_sample_options *o, const double want[N])
{
    struct er_sampler *s = sampler(o);
    int seen[N] = {0};
    for (int i = 0; i < DRAWS; i++)
        seen[er_sampler_pick(s, logits, NULL)]++;
    for (int i = 0; i < N; i++) {
        double share = (double)seen[i] / DRAWS;
        double width = 4 * sqrt(want[i] * (1 - want[i]) / DRAWS);
        if (fabs(share - want[i]) > width + 1e-12)
            fail_msg("token %d: %g, not %g", i, share, want[i]);
    }
    er_sampler_free(s);
}

static struct er_sample_options given(double temperature)
{
    struct er_sample_options o;
    er_sample_options_init(&o);
    o.temperature = temperature;
    o.seed = 42;
    return o;
}

static void test_sample_follows_the_odds(void **state)
{
    (void)state;
    struct er_sample_options o = given(1);
    check_shares(&o, odds);
    o = given(2);
    double sum = 0, want[N];
    for (int i = 0; i < N; i++)
        sum += want[i] = sqrt(odds[i]);
    for (int i = 0; i < N; i++)
        want[i] /= sum;
    check_shares(&o, want);
    o = given(0);
    check_shares(&o, (const double[N]){0, 1, 0, 0, 0, 0});
}

static void test_sample_cuts(void **state)
{
    (void)state;
    struct er_sample_options o = given(1);
    o.top_k = 2;
    check_shares(&o, (const double[N]){0, 4.0 / 7, 0, 3.0 / 7, 0, 0});
    o = given(1);
    o.top_p = 0.75;
    check_shares(&o, (const double[N]){0, 8.0 / 17, 0, 6.0 / 17, 3.0 / 17});
    o.top_k = 3; /* of 0.85: 0.7 and 0.3 are not yet 0.9 of it */
    o.top_p = 0.9;
    check_shares(&o, (const double[N]){0, 8.0 / 17, 0, 6.0 / 17, 3.0 / 17});
    o.top_p = 0.8; /* 0.7 / 0.85 is */
    check_shares(&o, (const double[N]){0, 4.0 / 7, 0, 3.0 / 7, 0, 0});
    o = given(1);
    o.min_p = 0.5;
    check_shares(&o, (const double[N]){0, 4.0 / 7, 0, 3.0 / 7, 0, 0});
    o = given(1);
    o.top_p = 1e-9;
    check_shares(&o, (const double[N]){0, 1, 0, 0, 0, 0});
    o.top_p = 2;
    check_shares(&o, odds);
}

static void test_sample_penalties(void **state)
{
    (void)state;
    struct er_sample_options o = given(0);
    const float l[N] = {2, 1.9f, -1, -1.2f, 0, 0};
    o.repetition_penalty = 1.1;
    struct er_sampler *s = sampler(&o);
    assert_int_equal(er_sampler_pick(s, l, NULL), 0);
    er_sampler_accept(s, 0, false); /* 2 / 1.1 is below 1.9 */
    assert_int_equal(er_sampler_pick(s, l, NULL), 1);
    er_sampler_free(s);
    o = given(0);
    o.frequency_penalty = 0.04;
    s = sampler(&o);
    er_sampler_accept(s, 0, false); /* the prompt does not count */
    er_sampler_accept(s, 0, true);
    er_sampler_accept(s, 0, true);
    assert_int_equal(er_sampler_pick(s, l, NULL), 0);
    er_sampler_accept(s, 0, true);
    assert_int_equal(er_sampler_pick(s, l, NULL), 1);
    er_sampler_free(s);
    o = given(0);
    o.presence_penalty = 0.2;
    o.window = 2;
    s = sampler(&o);
    er_sampler_accept(s, 0, true);
    assert_int_equal(er_sampler_pick(s, l, NULL), 1);
    er_sampler_accept(s, 3, true);
    assert_int_equal(er_sampler_pick(s, l, NULL), 1);
    er_sampler_accept(s, 3, true); /* 0 has left the window */
    assert_int_equal(er_sampler_pick(s, l, NULL), 0);
    er_sampler_free(s);
}

/* First without the mask, again with it where the token is not allowed: the
 * distribution of the mask alone. */
static void test_sample_mask_after_refusal(void **state)
{
    (void)state;
    struct er_sample_options o = given(1);
    struct er_sampler *s = sampler(&o);
    uint32_t mask = 1u << 0 | 1u << 3 | 1u << 2, none = 0;
    int seen[N] = {0};
    for (int i = 0; i < DRAWS; i++) {
        int32_t id = er_sampler_pick(s, logits, NULL);
        if (!(mask >> id & 1))
            id = er_sampler_pick(s, logits, &mask);
        seen[id]++;
    }
    for (int i = 0; i < N; i++) {
        double want = mask >> i & 1 ? odds[i] / 0.41 : 0;
        assert_true(fabs((double)seen[i] / DRAWS - want) < 0.015);
    }
    assert_int_equal(er_sampler_pick(s, logits, &none), -1);
    er_sampler_free(s);
}

static void test_sample_seed_repeats(void **state)
{
    (void)state;
    struct er_sample_options o = given(1.5);
    struct er_sampler *a = sampler(&o), *b = sampler(&o);
    o.seed = 43;
    struct er_sampler *c = sampler(&o);
    int other = 0;
    for (int i = 0; i < 200; i++) {
        int32_t id = er_sampler_pick(a, logits, NULL);
        assert_int_equal(id, er_sampler_pick(b, logits, NULL));
        other += id != er_sampler_pick(c, logits, NULL);
    }
    assert_true(other > 50);
    er_sampler_free(a);
    er_sampler_free(b);
    er_sampler_free(c);
}

static void test_sample_ranges_are_named(void **state)
{
    (void)state;
    struct errand_error err = {0};
    struct er_sampler *s = NULL;
    struct er_sample_options o = given(5.5);
    assert_int_equal(er_sampler_new(&o, N, &s, &err), ERRAND_RANGE);
    assert_string_equal(err.msg, "temperature must be from 0 to 5, not 5.5");
    o = given(1);
    o.top_k = 51;
    assert_int_equal(er_sampler_new(&o, N, &s, &err), ERRAND_RANGE);
    assert_string_equal(err.msg, "top_k must be from 1 to 50, not 51");
    o = given(1);
    o.seed = 10000000000;
    assert_int_equal(er_sampler_new(&o, N, &s, &err), ERRAND_RANGE);
}

static void test_sample_log_probabilities(void **state)
{
    (void)state;
    struct er_logprob best[3];
    double p = er_logprobs(logits, N, 5, best, 3);
    assert_true(fabs(p - log(0.04)) < 1e-6);
    assert_int_equal(best[0].id, 1);
    assert_int_equal(best[1].id, 3);
    assert_int_equal(best[2].id, 4);
    assert_true(fabs(best[1].logprob - log(0.3)) < 1e-6);
    const float same[3] = {1, 1, 1};
    er_logprobs(same, 3, 0, best, 2);
    assert_int_equal(best[0].id, 0);
    assert_int_equal(best[1].id, 1);
}

static void check_stop(const char *const *strings, const char *text,
    const char *want, bool stops)
{
    size_t n = strlen(text);
    for (size_t piece = 1; piece <= n; piece++) {
        struct er_stop s;
        struct er_buf out;
        er_stop_init(&s, strings);
        er_buf_init(&out, 1000);
        for (size_t at = 0; at < n; at += piece) {
            size_t k = n - at < piece ? n - at : piece;
            assert_true(er_stop_add(&s, text + at, k, &out));
            assert_int_equal(strncmp(er_buf_str(&out), want, out.len), 0);
        }
        assert_true(er_stop_end(&s, &out));
        assert_string_equal(er_buf_str(&out), want);
        assert_int_equal(s.stopped, stops);
        er_buf_release(&out);
        er_stop_release(&s);
    }
}

static void test_stop_strings_however_cut(void **state)
{
    (void)state;
    static const char *const one[] = {"\n\n", NULL};
    static const char *const two[] = {"abcX", "bc", "", NULL};
    check_stop(one, "a\nb\n\nc", "a\nb", true);
    check_stop(one, "a\nb\n", "a\nb\n", false);
    check_stop(two, "zzabcX", "zz", true);
    check_stop(two, "zzabcd", "zza", true);
    check_stop(two, "zzabc", "zza", true);
    check_stop(two, "zzab", "zzab", false);
    check_stop(NULL, "all of it", "all of it", false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sample_follows_the_odds),
        cmocka_unit_test(test_sample_cuts),
        cmocka_unit_test(test_sample_penalties),
        cmocka_unit_test(test_sample_mask_after_refusal),
        cmocka_unit_test(test_sample_seed_repeats),
        cmocka_unit_test(test_sample_ranges_are_named),
        cmocka_unit_test(test_sample_log_probabilities),
        cmocka_unit_test(test_stop_strings_however_cut),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
