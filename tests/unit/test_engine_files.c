/* Bad model files: every recipe of the suites gives what it should, and what
 * loads can be tokenized for, evaluated, and asked for four tokens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine/engine.h"
#include "support/gguf_kit.h"
#include "support/suites.h"

#include <unistd.h>

static bool sample_four(er_session *s, int32_t n_vocab)
{
    for (int i = 0; i < 4; i++) {
        const float *logits = er_session_logits(s);
        int32_t best = 0;
        for (int32_t k = 1; k < n_vocab; k++)
            best = logits[k] > logits[best] ? k : best;
        if (er_session_eval(s, &best, 1, NULL, NULL))
            return false;
    }
    return true;
}

static bool use(er_local *m, struct errand_error *err)
{
    static const char text[] = "<|eot_id|>hello \xF0\x9F\x99\x82\n 12";
    const struct er_tokenizer *t = er_local_tokenizer(m);
    struct er_tokens ids = {0};
    er_session *s = NULL;
    struct er_buf out;
    er_buf_init(&out, 1 << 24);
    bool ok = er_tokenizer_encode(t, text, sizeof text - 1,
                  ER_TOKENIZE_SPECIAL, &ids, err) == 0 &&
              er_session_new(m, &s, err) == 0 &&
              er_session_eval(s, ids.ids, ids.n, NULL, err) == 0 &&
              sample_four(s, er_tokenizer_count(t)) &&
              er_tokenizer_decode(t, er_session_tokens(s),
                  er_session_length(s), true, &out);
    er_buf_release(&out);
    er_tokens_release(&ids);
    er_session_free(s);
    return ok;
}

/* "loads", "fails" or "refused" */
static const char *outcome(const char *path, struct errand_error *err)
{
    struct er_local_options opt = {.threads = 1, .context = 64};
    er_local *m = NULL;
    if (er_local_open(path, &opt, &m, err))
        return err->msg[0] && err->code ? "refused" : "silent";
    const char *what = use(m, err) ? "loads" : "fails";
    er_local_close(m);
    return what;
}

static bool is_right(const char *expect, const char *what)
{
    if (strcmp(expect, "loads") == 0)
        return strcmp(what, "loads") == 0;
    if (strcmp(expect, "loads_or_clean_error") == 0)
        return strcmp(what, "silent") != 0;
    return strcmp(what, "refused") == 0;
}

static void test_files_of_the_suites(void **state)
{
    (void)state;
    json_t *doc = suite_load("gguf/recipes.json"), *c;
    size_t i, right = 0;
    char path[200], file[200];
    if (!doc)
        return;
    gguf_kit_path(path, sizeof path);
    json_array_foreach(json_object_get(doc, "cases"), i, c)
    {
        struct errand_error err = {0};
        snprintf(file, sizeof file, "gguf/files/%s", er_json_str(c, "file"));
        assert_true(suite_gunzip(file, path));
        const char *what = outcome(path, &err);
        bool ok = is_right(er_json_str(c, "expect"), what);
        if (!ok)
            printf("# %s: %s, not %s; %s\n", er_json_str(c, "id"), what,
                er_json_str(c, "expect"), err.msg);
        right += ok;
    }
    printf("# recipes: %zu of %zu\n", right, i);
    assert_int_equal(right, i);
    unlink(path);
    json_decref(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_of_the_suites),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
