/* Cases in, answers out. Logits are computed with the kernels that answers
 * are computed with, in a timeline of its own for each case. */
#include "engine/engine_debug.h"

#include "engine/engine_parts.h"

#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct er_debug_model {
    struct er_gguf *file; /* of the vocabulary alone */
    struct er_tokenizer *tokenizer;
    er_local *model;
    er_adapter *adapters[ER_ADAPTERS];
    float scales[ER_ADAPTERS];
    size_t n_adapters;
};

/* "FILE=SCALE", split at the last '='. */
static int add_adapter(struct er_debug_model *d, const char *text,
    struct errand_error *err)
{
    const char *gap = strrchr(text, '=');
    char *end = NULL;
    double scale = gap ? strtod(gap + 1, &end) : 1;
    if (gap && (end == gap + 1 || *end || !isfinite(scale)))
        return er_fail(err, ERRAND_USAGE,
            "\"%.80s\": want FILE=SCALE, as in style.gguf=0.5", text);
    if (d->n_adapters == ER_ADAPTERS)
        return er_fail(err, ERRAND_TOO_LARGE,
            "at most %d adapters can be on at once", ER_ADAPTERS);
    char *path =
        er_strndup(text, gap ? (size_t)(gap - text) : strlen(text));
    if (!path)
        return er_nomem(err);
    int rc =
        er_adapter_open(d->model, path, &d->adapters[d->n_adapters], err);
    free(path);
    d->scales[d->n_adapters] = (float)scale;
    d->n_adapters += !rc;
    return rc;
}

static int open_all(struct er_debug_model *d, const char *path,
    const char *const *adapters, unsigned flags, struct errand_error *err)
{
    bool exact = flags & ER_DEBUG_EXACT;
    struct er_local_options opt = {.context = ER_CONTEXT_DEFAULT,
        .exact = exact, .cache = exact ? ER_CACHE_F32 : ER_CACHE_F16};
    if (flags & ER_DEBUG_VOCABULARY) {
        int rc = er_gguf_open(path, &d->file, err);
        return rc ? rc : er_tokenizer_new(d->file, &d->tokenizer, err);
    }
    int rc = er_local_open(path, &opt, &d->model, err);
    for (; !rc && adapters && *adapters; adapters++)
        rc = add_adapter(d, *adapters, err);
    return rc;
}

int er_debug_model_open(const char *path, const char *const *adapters,
    unsigned flags, struct er_debug_model **out, struct errand_error *err)
{
    struct er_debug_model *d = calloc(1, sizeof *d);
    if (!d)
        return er_nomem(err);
    int rc = open_all(d, path, adapters, flags, err);
    if (rc) {
        er_debug_model_close(d);
        return rc;
    }
    *out = d;
    return ERRAND_OK;
}

void er_debug_model_close(struct er_debug_model *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < d->n_adapters; i++)
        er_adapter_close(d->adapters[i]);
    er_local_close(d->model);
    er_tokenizer_free(d->tokenizer);
    er_gguf_close(d->file);
    free(d);
}

json_t *er_debug_tokenize(struct er_debug_model *d, const json_t *input,
    bool special, struct errand_error *err)
{
    const json_t *text = json_object_get(input, "text");
    const struct er_tokenizer *t =
        d->model ? er_local_tokenizer(d->model) : d->tokenizer;
    struct er_tokens ids = {0};
    if (!json_is_string(text)) {
        er_fail(err, ERRAND_USAGE, "the case needs \"text\", a string");
        return NULL;
    }
    if (er_tokenizer_encode(t, json_string_value(text),
            json_string_length(text), special ? ER_TOKENIZE_SPECIAL : 0,
            &ids, err))
        return NULL;
    json_t *out = json_array();
    for (size_t i = 0; i < ids.n; i++)
        json_array_append_new(out, json_integer(ids.ids[i]));
    er_tokens_release(&ids);
    out = json_pack("{s:o}", "tokens", out);
    if (!out)
        er_nomem(err);
    return out;
}

struct logits_case {
    er_session *session;
    int32_t *ids;
    bool *wanted;
    json_t **rows; /* [n] of the tokens whose logits are wanted */
    size_t n, n_vocab;
};

static void keep_row(void *ctx, size_t index, const float *logits)
{
    struct logits_case *c = ctx;
    json_t *row = json_array();
    for (size_t i = 0; i < c->n_vocab; i++) {
        double x = (double)logits[i];
        json_array_append_new(
            row, isfinite(x) ? json_real(x) : json_null());
    }
    c->rows[index] = row;
}

static int read_numbers(struct logits_case *c, const json_t *input,
    struct errand_error *err)
{
    const json_t *ids = json_object_get(input, "tokens"), *v;
    const json_t *at = json_object_get(input, "positions");
    size_t i;
    c->n = json_array_size(ids);
    if (c->n == 0 || !json_is_array(at))
        return er_fail(err, ERRAND_USAGE, "the case needs \"tokens\", ids, "
            "and \"positions\", places in them from 0");
    c->ids = calloc(c->n, sizeof *c->ids);
    c->wanted = calloc(c->n, sizeof *c->wanted);
    c->rows = calloc(c->n, sizeof(json_t *));
    if (!c->ids || !c->wanted || !c->rows)
        return er_nomem(err);
    json_array_foreach(ids, i, v)
    {
        json_int_t id = json_is_integer(v) ? json_integer_value(v) : -1;
        c->ids[i] = id < 0 || id > INT32_MAX ? -1 : (int32_t)id;
    }
    json_array_foreach(at, i, v)
    {
        json_int_t p = json_is_integer(v) ? json_integer_value(v) : -1;
        if (p < 0 || (size_t)p >= c->n)
            return er_fail(err, ERRAND_RANGE,
                "position %lld is not among the %zu tokens",
                (long long)p, c->n);
        c->wanted[p] = true;
    }
    return ERRAND_OK;
}

static json_t *collect(struct logits_case *c, const json_t *positions)
{
    json_t *out = json_array(), *v;
    size_t i;
    json_array_foreach(positions, i, v)
        json_array_append(out, c->rows[json_integer_value(v)]);
    return json_pack("{s:o}", "logits", out);
}

static int run_case(struct er_debug_model *d, struct logits_case *c,
    const json_t *input, struct errand_error *err)
{
    int rc = read_numbers(c, input, err);
    if (!rc)
        rc = er_session_new(d->model, &c->session, err);
    if (!rc)
        rc = er_session_adapt(
            c->session, d->adapters, d->scales, d->n_adapters, err);
    struct er_eval opt = {
        .wanted = c->wanted, .on_logits = keep_row, .ctx = c};
    c->n_vocab = d->model->shape.n_vocab;
    return rc ? rc : er_session_eval(c->session, c->ids, c->n, &opt, err);
}

json_t *er_debug_logits(struct er_debug_model *d, const json_t *input,
    struct errand_error *err)
{
    struct logits_case c = {0};
    json_t *out = NULL;
    if (run_case(d, &c, input, err) == ERRAND_OK) {
        out = collect(&c, json_object_get(input, "positions"));
        if (!out)
            er_nomem(err);
    }
    for (size_t i = 0; c.rows && i < c.n; i++)
        json_decref(c.rows[i]);
    free(c.rows);
    free(c.ids);
    free(c.wanted);
    er_session_free(c.session);
    return out;
}
