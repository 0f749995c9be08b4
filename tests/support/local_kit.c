/* Local models for tests: see local_kit.h for what a file here is good for. */
#include "support/local_kit.h"

#include "base/clock.h"
#include "engine/quant.h"
#include "support/gguf_kit.h"
#include "support/model_kit.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ------------------------------------------------------------ the model */

static const char *const llama3[] = {"<|eot_id|>", "<|begin_of_text|>",
    "<|start_header_id|>", "<|end_header_id|>", "<|python_tag|>",
    "<|eom_id|>", NULL};
static const char *const hermes[] = {
    "<|im_end|>", "<|im_start|>", "<tool_call>", "</tool_call>", NULL};
static const char *const mistral[] = {
    "</s>", "<s>", "[INST]", "[/INST]", "[TOOL_CALLS]", NULL};

void local_kit_make(struct local_kit *k, const char *family, uint32_t seed)
{
    char path[200];
    struct model_kit m = {.arch = "llama", .type = ER_Q8_0, .n_layer = 2,
        .n_embd = 64, .n_ff = 64, .n_head = 4, .n_head_kv = 2,
        .n_vocab = 262, .context = 8192};
    m.controls = strcmp(family, "llama3") == 0 ? llama3
        : strcmp(family, "hermes") == 0 ? hermes : mistral;
    *k = (struct local_kit){0};
    gguf_kit_path(path, sizeof path);
    model_kit_write(&m, seed, path);
    snprintf(k->model, sizeof k->model, "local:%s", path);
    snprintf(k->folder, sizeof k->folder, "%s.kept", path);
}

void local_kit_forget(struct local_kit *k)
{
    char path[600];
    struct dirent *e;
    DIR *d = opendir(k->folder);
    while (d && (e = readdir(d))) {
        snprintf(path, sizeof path, "%s/%s", k->folder, e->d_name);
        unlink(path);
    }
    if (d)
        closedir(d);
    rmdir(k->folder);
}

void local_kit_remove(struct local_kit *k)
{
    local_kit_forget(k);
    unlink(k->model + strlen("local:"));
}

/* --------------------------------------------------------------- asking */

static void fatal(const char *what, const struct errand_error *err)
{
    printf("# %s: %s\n", what, err->msg);
    abort();
}

void local_kit_open(struct local_kit *k, const char *engine)
{
    char text[1000];
    struct errand_error err = {0};
    snprintf(text, sizeof text,
        "{\"threads\":1,\"prefix_folder\":\"%s\"%s%s}", k->folder,
        engine ? "," : "", engine ? engine : "");
    json_t *settings =
        er_json_parse(text, strlen(text), ER_JSON_STRICT, &err);
    k->loop = er_loop_new(&err);
    k->models = er_models_new(k->loop, NULL, NULL, NULL, NULL, &err);
    if (!settings || !k->models ||
        er_models_engine(k->models, settings, NULL, &err))
        fatal("cannot open", &err);
    json_decref(settings);
    k->open = 0;
}

void local_kit_close(struct local_kit *k)
{
    er_models_free(k->models);
    er_loop_free(k->loop);
    k->models = NULL;
    k->loop = NULL;
}

static void end(struct local_ask *a)
{
    a->x = NULL;
    if (--a->kit->open == 0)
        er_loop_stop(a->kit->loop);
}

static void on_event(void *ctx, const struct er_model_event *ev)
{
    struct local_ask *a = ctx;
    if (a->done || a->cancelled)
        abort(); /* nothing comes after the end */
    a->n_events++;
    if (ev->type == ER_MODEL_TEXT) {
        a->n_texts++;
        er_buf_add(&a->text, ev->text, ev->len);
    } else if (ev->type == ER_MODEL_REASONING) {
        er_buf_add(&a->reasoning, ev->text, ev->len);
    } else if (ev->type == ER_MODEL_CALL) {
        a->n_calls++;
        er_buf_addf(&a->calls, "%s %.*s\n", ev->call->name,
            (int)ev->call->arguments_len, ev->call->arguments);
    } else if (ev->type == ER_MODEL_LOGPROBS) {
        er_buf_add(&a->logprobs, ev->text, ev->len);
    } else if (ev->type == ER_MODEL_USAGE) {
        a->usage = *ev->usage;
    } else {
        a->done = true;
        a->finish = ev->finish;
        if (ev->error)
            a->err = *ev->error;
        end(a);
        return;
    }
    if (a->n_events == a->cancel_at) {
        a->cancelled = true;
        er_model_cancel(a->x);
        end(a);
    }
}

static json_t *parsed(const char *text)
{
    struct errand_error err = {0};
    if (!text)
        return NULL;
    json_t *v = er_json_parse(text, strlen(text), ER_JSON_STRICT, &err);
    if (!v)
        fatal(text, &err);
    return v;
}

int local_kit_begin(struct local_kit *k, struct local_ask *a)
{
    struct er_sampling s;
    json_t *params = parsed(a->params);
    er_sampling_defaults(&s);
    if (params && er_sampling_parse(params, &s, &a->err))
        fatal(a->params, &a->err);
    json_decref(params);
    struct er_model_request req = {.sampling = &s, .stream = true,
        .tool_choice = a->choice, .session_key = a->key,
        .messages = parsed(a->messages
                ? a->messages
                : "[{\"role\":\"user\",\"content\":\"hello\"}]"),
        .tools = parsed(a->tools), .schema = parsed(a->schema)};
    er_buf_init(&a->text, 1 << 24);
    er_buf_init(&a->reasoning, 1 << 24);
    er_buf_init(&a->calls, 1 << 24);
    er_buf_init(&a->logprobs, 1 << 24);
    a->kit = k;
    k->open++;
    int rc = er_model_start(
        k->models, k->model, &req, on_event, a, &a->x, &a->err);
    if (rc != ERRAND_OK)
        k->open--;
    json_decref(req.messages);
    json_decref(req.tools);
    json_decref(req.schema);
    return rc;
}

void local_kit_drive(struct local_kit *k)
{
    int64_t until = er_mono_ms() + LOCAL_KIT_MOST_MS;
    while (k->open > 0) {
        er_loop_run(k->loop, 1000);
        if (er_mono_ms() > until)
            fatal("no end", &(struct errand_error){0});
    }
}

int local_kit_ask(struct local_kit *k, struct local_ask *a)
{
    int rc = local_kit_begin(k, a);
    if (rc != ERRAND_OK)
        return rc;
    local_kit_drive(k);
    return a->err.code;
}

void local_ask_release(struct local_ask *a)
{
    er_buf_release(&a->text);
    er_buf_release(&a->reasoning);
    er_buf_release(&a->calls);
    er_buf_release(&a->logprobs);
}

char *local_kit_words(size_t n)
{
    struct er_buf b;
    er_buf_init(&b, 1 << 24);
    er_buf_adds(&b, "[{\"role\":\"user\",\"content\":\"");
    for (size_t i = 0; i < n; i++)
        er_buf_addf(&b, "word%zu ", i);
    er_buf_adds(&b, "\"}]");
    return er_buf_take(&b, NULL);
}
