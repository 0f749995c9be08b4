/* errand_models_* and the debug calls that need a model file. */
#include "base/json.h"
#include "engine/chat_format.h"
#include "engine/engine.h"
#include "engine/engine_bench.h"
#include "engine/engine_debug.h"
#include "engine/find.h"

#include <stdlib.h>
#include <string.h>

struct errand_debug_model {
    struct er_debug_model *inner;
    er_chat_format *format; /* instead of it, with flag 4 */
};

enum { TEMPLATE_ALONE = 4 };

/* In the order of the names, as folders have none. */
static bool add_found(void *ctx, const struct er_found *f)
{
    json_t *list = ctx;
    size_t at = json_array_size(list);
    while (at > 0 &&
           strcmp(er_json_str(json_array_get(list, at - 1), "name"),
               f->name) > 0)
        at--;
    json_array_insert_new(list, at, json_pack("{s:s, s:s, s:I, s:s}", "name",
        f->name, "source", f->source, "bytes", (json_int_t)f->bytes, "path",
        f->path));
    return true;
}

static int answer(json_t *v, char **json, struct errand_error *err)
{
    if (!v)
        return err->code;
    *json = er_json_text(v);
    json_decref(v);
    return *json ? ERRAND_OK : er_nomem(err);
}

int errand_models_list(char **json, struct errand_error *err)
{
    struct errand_error mine = {0};
    json_t *list = json_array();
    err = err ? err : &mine;
    if (!list)
        return er_nomem(err);
    er_find_each(add_found, list);
    return answer(list, json, err);
}

int errand_models_info(const char *model, uint32_t context, char **json,
    struct errand_error *err)
{
    char *path = NULL;
    int rc = er_find_model(model, &path, err);
    if (!rc)
        rc = er_local_describe(path, context, ER_CACHE_F16, json, err);
    free(path);
    return rc;
}

static bool go_on(void *ctx, double done)
{
    const struct errand_bench *opt = ctx;
    return opt->on_progress(opt->user, done) == 0;
}

int errand_models_bench(const char *model, const struct errand_bench *opt,
    char **json, struct errand_error *err)
{
    struct errand_error mine = {0};
    struct errand_bench o = {0};
    char *path = NULL;
    if (opt)
        o = *opt;
    struct er_bench b = {.threads = o.threads,
        .prompt = o.prompt ? o.prompt : 512,
        .answer = o.answer ? o.answer : 64,
        .rounds = o.rounds ? o.rounds : 3,
        .go_on = o.on_progress ? go_on : NULL, .ctx = &o};
    err = err ? err : &mine;
    int rc = er_find_model(model, &path, err);
    if (rc != ERRAND_OK)
        return rc;
    json_t *v = er_local_bench(path, &b, err);
    if (v && json_object_set_new(v, "path", json_string(path)) != 0) {
        json_decref(v);
        v = NULL;
        er_nomem(err);
    }
    free(path);
    return answer(v, json, err);
}

int errand_debug_model_open(const char *model, const char *const *adapters,
    unsigned flags, errand_debug_model **out, struct errand_error *err)
{
    char *path = NULL;
    errand_debug_model *d = calloc(1, sizeof *d);
    if (!d)
        return er_nomem(err);
    int rc = er_find_model(model, &path, err);
    if (!rc && (flags & TEMPLATE_ALONE))
        rc = er_chat_format_open(path, &d->format, err);
    else if (!rc)
        rc = er_debug_model_open(
            path, adapters, flags, &d->inner, err);
    free(path);
    if (rc)
        free(d);
    else
        *out = d;
    return rc;
}

void errand_debug_model_close(errand_debug_model *model)
{
    if (!model)
        return;
    er_debug_model_close(model->inner);
    er_chat_format_free(model->format);
    free(model);
}

static json_t *read_case(const char *input, struct errand_error *err)
{
    json_t *v = er_json_parse(input, strlen(input), ER_JSON_LENIENT, err);
    if (v && !json_is_object(v)) {
        er_fail(err, ERRAND_USAGE, "the case must be a JSON object");
        json_decref(v);
        return NULL;
    }
    return v;
}

int errand_debug_tokenize(errand_debug_model *model, const char *input,
    unsigned flags, char **json, struct errand_error *err)
{
    struct errand_error mine = {0};
    err = err ? err : &mine;
    json_t *v = read_case(input, err);
    if (!v)
        return err->code;
    json_t *out = er_debug_tokenize(model->inner, v, flags & 1, err);
    json_decref(v);
    return answer(out, json, err);
}

int errand_debug_logits(errand_debug_model *model, const char *input,
    char **json, struct errand_error *err)
{
    struct errand_error mine = {0};
    err = err ? err : &mine;
    json_t *v = read_case(input, err);
    if (!v)
        return err->code;
    json_t *out = er_debug_logits(model->inner, v, err);
    json_decref(v);
    return answer(out, json, err);
}

int errand_debug_render(errand_debug_model *model, const char *input,
    char **json, struct errand_error *err)
{
    struct errand_error mine = {0};
    err = err ? err : &mine;
    if (!model->format)
        return er_fail(err, ERRAND_STATE,
            "the model was opened without its template; use flag 4");
    json_t *v = read_case(input, err);
    if (!v)
        return err->code;
    json_t *out = er_chat_debug_render(model->format, v, err);
    json_decref(v);
    return answer(out, json, err);
}
