/* One timeline: tokens, their cache, the logits behind the last one. */
#include "engine/engine_parts.h"

#include <stdlib.h>
#include <string.h>

int er_session_new(
    er_local *m, er_session **out, struct errand_error *err)
{
    er_session *s = calloc(1, sizeof *s);
    if (!s)
        return er_nomem(err);
    s->model = m;
    s->kv.layout = &m->layout;
    s->logits = malloc(m->shape.n_vocab * sizeof *s->logits);
    if (!s->logits) {
        free(s);
        return er_nomem(err);
    }
    *out = s;
    return ERRAND_OK;
}

void er_session_free(er_session *s)
{
    if (!s)
        return;
    er_kv_release(&s->kv);
    er_tokens_release(&s->tokens);
    free(s->logits);
    free(s);
}

int er_session_adapt(er_session *s, er_adapter *const *adapters,
    const float *scales, size_t n, struct errand_error *err)
{
    if (s->tokens.n > 0)
        return er_fail(err, ERRAND_STATE, "adapters can be changed only "
            "while the timeline is empty; it has %zu tokens", s->tokens.n);
    if (n > ER_ADAPTERS)
        return er_fail(err, ERRAND_TOO_LARGE,
            "%zu adapters; at most %d can be on at once", n, ER_ADAPTERS);
    for (size_t i = 0; i < n; i++)
        s->loras[i] = (struct er_lora_use){adapters[i]->lora, scales[i]};
    s->n_loras = n;
    return ERRAND_OK;
}

uint32_t er_session_length(const er_session *s)
{
    return (uint32_t)s->tokens.n;
}

const int32_t *er_session_tokens(const er_session *s)
{
    return s->tokens.ids;
}

const float *er_session_logits(const er_session *s)
{
    return s->has_logits ? s->logits : NULL;
}

void er_session_truncate(er_session *s, uint32_t n)
{
    if (n >= s->tokens.n)
        return;
    s->tokens.n = n;
    s->has_logits = false;
    er_kv_truncate(&s->kv, n);
}

uint32_t er_session_match(
    const er_session *s, const int32_t *ids, size_t n)
{
    uint32_t i = 0;
    while (i < n && i < s->tokens.n && s->tokens.ids[i] == ids[i])
        i++;
    return i;
}

int er_session_fork(const er_session *s, uint32_t n, er_session **out,
    struct errand_error *err)
{
    er_session *f = NULL;
    n = n < s->tokens.n ? n : (uint32_t)s->tokens.n;
    int rc = er_session_new(s->model, &f, err);
    if (rc)
        return rc;
    memcpy(f->loras, s->loras, sizeof f->loras);
    f->n_loras = s->n_loras;
    for (uint32_t i = 0; i < n && !rc; i++)
        if (!er_tokens_add(&f->tokens, s->tokens.ids[i]))
            rc = er_nomem(err);
    if (!rc)
        rc = er_kv_share(&f->kv, &s->kv, n, err);
    if (rc) {
        er_session_free(f);
        return rc;
    }
    if (n == s->tokens.n && s->has_logits) {
        memcpy(f->logits, s->logits,
            s->model->shape.n_vocab * sizeof *f->logits);
        f->has_logits = true;
    }
    *out = f;
    return ERRAND_OK;
}

/* ------------------------------------------------------------- passes */

static int check_ids(const er_local *m, const int32_t *ids, size_t n,
    struct errand_error *err)
{
    for (size_t i = 0; i < n; i++)
        if (ids[i] < 0 || (uint32_t)ids[i] >= m->shape.n_vocab)
            return er_fail(err, ERRAND_RANGE,
                "token %d is not of the vocabulary; ids are 0 to %u",
                ids[i], m->shape.n_vocab - 1);
    return ERRAND_OK;
}

static int check_room(const er_session *s, size_t n, struct errand_error *err)
{
    uint32_t context = s->model->context;
    if (s->tokens.n <= context && n <= context - s->tokens.n)
        return ERRAND_OK;
    return er_fail(err, ERRAND_CONTEXT,
        "%zu tokens are more than the context of %u; make the prompt shorter "
        "or the context longer", s->tokens.n + n, context);
}

static struct er_run run_of(er_session *s, struct er_kv_view *view, size_t n)
{
    *view = (struct er_kv_view){&s->model->layout, s->kv.pages};
    return (struct er_run){.kv = view, .loras = s->loras,
        .n_loras = s->n_loras, .pos = (uint32_t)s->tokens.n,
        .n = (uint32_t)n};
}

/* Tokens' room first, so that nothing can fail once the pass is done. */
static int reserve(er_session *s, size_t n, struct errand_error *err)
{
    uint32_t at = (uint32_t)s->tokens.n;
    size_t before = s->tokens.n;
    for (size_t i = 0; i < n; i++)
        if (!er_tokens_add(&s->tokens, 0)) {
            s->tokens.n = before;
            return er_nomem(err);
        }
    s->tokens.n = before;
    return er_kv_reserve(&s->kv, at, at + (uint32_t)n, err);
}

static int said(int rc, struct errand_error *err)
{
    if (rc == ERRAND_CANCELLED)
        return er_fail(err, rc, "the model was stopped");
    return rc ? er_nomem(err) : ERRAND_OK;
}

static void accept(er_session *s, const int32_t *ids, size_t n,
    const float *logits)
{
    for (size_t i = 0; i < n; i++)
        er_tokens_add(&s->tokens, ids[i]);
    s->has_logits = logits != NULL;
    if (logits)
        memcpy(s->logits, logits,
            s->model->shape.n_vocab * sizeof *s->logits);
}

/* One batch of a longer run: ids[from .. from + n). */
static int eval_batch(er_session *s, const int32_t *ids, size_t from,
    size_t n, bool last, const struct er_eval *opt, struct errand_error *err)
{
    bool wanted[ER_BATCH] = {0};
    struct er_kv_view view;
    const float *logits = NULL;
    int rc = reserve(s, n, err);
    if (rc)
        return rc;
    struct er_run run = run_of(s, &view, n);
    for (size_t i = 0; opt->wanted && i < n; i++)
        wanted[i] = opt->wanted[from + i];
    bool extra = last && !wanted[n - 1];
    wanted[n - 1] = wanted[n - 1] || last;
    struct er_batch b = {.ids = ids + from, .n = n, .runs = &run,
        .n_runs = 1, .wanted = wanted};
    rc = said(er_forward_run(
                  s->model->forward, &b, opt->cancel, &logits), err);
    if (rc)
        return rc;
    size_t row = 0, width = s->model->shape.n_vocab;
    for (size_t i = 0; i < n; i++)
        if (wanted[i]) {
            if (opt->on_logits && !(extra && i == n - 1))
                opt->on_logits(opt->ctx, from + i, logits + row * width);
            row++;
        }
    accept(s, ids + from, n, last ? logits + (row - 1) * width : NULL);
    return ERRAND_OK;
}

int er_session_eval(er_session *s, const int32_t *ids, size_t n,
    const struct er_eval *opt, struct errand_error *err)
{
    static const struct er_eval none = {0};
    er_local *m = s->model;
    opt = opt ? opt : &none;
    int rc = check_room(s, n, err);
    if (!rc)
        rc = check_ids(m, ids, n, err);
    for (size_t at = 0, k; at < n && !rc; at += k) {
        k = n - at < ER_BATCH ? n - at : ER_BATCH;
        pthread_mutex_lock(&m->lock);
        rc = er_gguf_check(m->file, err);
        if (!rc)
            rc = eval_batch(s, ids, at, k, at + k == n, opt, err);
        pthread_mutex_unlock(&m->lock);
        if (!rc && opt->on_progress)
            opt->on_progress(opt->ctx, at + k, n);
    }
    return rc;
}

static int check_step(er_session *const *sessions, const int32_t *ids,
    size_t n, struct errand_error *err)
{
    er_local *m = n ? sessions[0]->model : NULL;
    if (n == 0 || n > ER_BATCH)
        return er_fail(err, ERRAND_RANGE,
            "%zu sessions in one step; it must be 1 to %d", n, ER_BATCH);
    int rc = check_ids(m, ids, n, err);
    for (size_t i = 0; i < n && !rc; i++) {
        for (size_t k = 0; k < i; k++)
            if (sessions[k] == sessions[i])
                return er_fail(err, ERRAND_USAGE,
                    "a session stands twice in one step");
        if (sessions[i]->model != m)
            return er_fail(err, ERRAND_USAGE,
                "the sessions of one step must be of one model");
        rc = check_room(sessions[i], 1, err);
        if (!rc)
            rc = reserve(sessions[i], 1, err);
    }
    return rc ? rc : er_gguf_check(m->file, err);
}

int er_session_step(er_session *const *sessions, const int32_t *ids,
    size_t n, const atomic_bool *cancel, struct errand_error *err)
{
    struct er_kv_view views[ER_BATCH];
    struct er_run runs[ER_BATCH];
    bool wanted[ER_BATCH];
    const float *logits = NULL;
    int rc = check_step(sessions, ids, n, err);
    if (rc)
        return rc;
    er_local *m = sessions[0]->model;
    for (size_t i = 0; i < n; i++) {
        runs[i] = run_of(sessions[i], &views[i], 1);
        wanted[i] = true;
    }
    struct er_batch b = {
        .ids = ids, .n = n, .runs = runs, .n_runs = n, .wanted = wanted};
    pthread_mutex_lock(&m->lock);
    rc = said(er_forward_run(m->forward, &b, cancel, &logits), err);
    for (size_t i = 0; i < n && !rc; i++)
        accept(sessions[i], &ids[i], 1, logits + i * m->shape.n_vocab);
    pthread_mutex_unlock(&m->lock);
    return rc;
}
