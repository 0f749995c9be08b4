/* The engine without memory: a file opened and read, a model loaded, a
 * prompt evaluated, a timeline forked, kept and restored. */
#include "oom/oom.h"

#include "base/error.h"
#include "engine/engine.h"
#include "engine/quant.h"
#include "support/gguf_kit.h"
#include "support/model_kit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *model_path(void)
{
    static char path[200];
    return path;
}

static int case_describe(struct errand_error *err)
{
    char *json = NULL;
    int rc = er_local_describe(
        model_path(), 64, ER_CACHE_F16, &json, err);
    errand_free(json);
    return rc;
}

static int evaluate(er_local *m, struct errand_error *err)
{
    static const char text[] = "The quick brown fox";
    er_session *s = NULL, *fork = NULL;
    struct er_tokens ids = {0};
    int rc = er_tokenizer_encode(
        er_local_tokenizer(m), text, strlen(text), 0, &ids, err);
    if (rc == ERRAND_OK)
        rc = er_session_new(m, &s, err);
    if (rc == ERRAND_OK)
        rc = er_session_eval(s, ids.ids, ids.n, NULL, err);
    if (rc == ERRAND_OK)
        rc = er_session_fork(s, 5, &fork, err);
    if (rc == ERRAND_OK)
        rc = er_session_eval(fork, ids.ids, 2, NULL, err);
    if (rc == ERRAND_OK) {
        er_session *both[] = {s, fork};
        rc = er_session_step(both, ids.ids, 2, NULL, err);
    }
    if (rc == ERRAND_OK && !er_session_logits(s))
        rc = er_fail(err, ERRAND_BUG, "no logits");
    er_session_free(fork);
    er_session_free(s);
    er_tokens_release(&ids);
    return rc;
}

static int with_cache(enum er_cache_type cache, struct errand_error *err)
{
    struct er_local_options opt = {
        .threads = 1, .context = 64, .cache = cache};
    er_local *m = NULL;
    int rc = er_local_open(model_path(), &opt, &m, err);
    if (rc == ERRAND_OK)
        rc = evaluate(m, err);
    er_local_close(m);
    return rc;
}

static int case_f16(struct errand_error *err)
{
    return with_cache(ER_CACHE_F16, err);
}

static int case_q8(struct errand_error *err)
{
    return with_cache(ER_CACHE_Q8, err);
}

int main(void)
{
    static const struct oom_case cases[] = {
        {.name = "describe", .run = case_describe},
        {.name = "f16", .run = case_f16}, {.name = "q8", .run = case_q8}};
    static const struct model_kit m = {.arch = "llama", .type = ER_Q8_0,
        .n_layer = 1, .n_embd = 32, .n_ff = 32, .n_head = 2,
        .n_head_kv = 1, .n_vocab = 258, .context = 64};
    char *path = (char *)(uintptr_t)model_path();
    gguf_kit_path(path, 200);
    model_kit_write(&m, 3, path);
    int status = oom_main(cases, sizeof cases / sizeof cases[0]);
    unlink(path);
    return status;
}
