/* Local models without memory: a tiny one is loaded, asked and unloaded,
 * with each allocation of any of its threads failing in turn. */
#include "oom/oom.h"

#include "support/local_kit.h"

#include <stdlib.h>
#include <string.h>

static struct local_kit kit;

#define PAINT                                                              \
    "[{\"name\":\"paint\",\"description\":\"Paint\",\"parameters\":{"       \
    "\"type\":\"object\",\"properties\":{\"colour\":{\"enum\":[\"red\","   \
    "\"blue\"]}},\"required\":[\"colour\"]}}]"

struct ending {
    struct er_loop *loop;
    struct errand_error error;
    bool ended;
};

static void on_event(void *ctx, const struct er_model_event *ev)
{
    struct ending *e = ctx;
    if (ev->type == ER_MODEL_ERROR)
        e->error = *ev->error;
    if (ev->type != ER_MODEL_ERROR && ev->type != ER_MODEL_DONE)
        return;
    e->ended = true;
    er_loop_stop(e->loop);
}

static json_t *parse(const char *text, struct errand_error *err)
{
    return er_json_parse(text, strlen(text), ER_JSON_STRICT, err);
}

static int start(struct ending *e, er_models *models,
    const char *tools, const char *schema, struct errand_error *err)
{
    struct er_sampling s;
    er_exchange *x = NULL;
    er_sampling_defaults(&s);
    s.max_tokens = 40;
    s.seed = 1;
    struct er_model_request req = {.sampling = &s, .stream = true,
        .tool_choice = tools ? "required" : NULL};
    req.messages =
        parse("[{\"role\":\"user\",\"content\":\"hello\"}]", err);
    if (tools)
        req.tools = parse(tools, err);
    if (schema)
        req.schema = parse(schema, err);
    int rc = err->code;
    if (rc == ERRAND_OK)
        rc = er_model_start(models, kit.model, &req, on_event, e, &x, err);
    json_decref(req.messages);
    json_decref(req.tools);
    json_decref(req.schema);
    return rc;
}

static int ask(const char *tools, const char *schema,
    struct errand_error *err)
{
    struct ending e = {.loop = er_loop_new(err)};
    json_t *settings = parse("{\"threads\":1,\"prefix_bytes\":0}", err);
    er_models *models = e.loop && settings
        ? er_models_new(e.loop, NULL, NULL, NULL, NULL, err) : NULL;
    int rc = models ? er_models_engine(models, settings, NULL, err)
                    : err->code;
    if (rc == ERRAND_OK)
        rc = start(&e, models, tools, schema, err);
    while (rc == ERRAND_OK && !e.ended)
        er_loop_run(e.loop, 1000);
    if (rc == ERRAND_OK && e.error.code) {
        *err = e.error;
        rc = err->code;
    }
    er_models_free(models);
    er_loop_free(e.loop);
    json_decref(settings);
    return rc;
}

static int case_text(struct errand_error *err)
{
    return ask(NULL, NULL, err);
}

static int case_call(struct errand_error *err)
{
    return ask(PAINT, NULL, err);
}

static int case_schema(struct errand_error *err)
{
    return ask(NULL, "{\"enum\":[\"red\",\"blue\"]}", err);
}

int main(void)
{
    static const int codes[] = {ERRAND_NOMEM, ERRAND_IO, 0};
    static const struct oom_case cases[] = {
        {"text", case_text, codes},
        {"call", case_call, codes},
        {"schema", case_schema, codes},
    };
    local_kit_make(&kit, "hermes", 3);
    int status = oom_main(cases, sizeof cases / sizeof cases[0]);
    local_kit_remove(&kit);
    return status;
}
