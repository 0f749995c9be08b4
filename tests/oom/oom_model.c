/* The models' floor without memory: endpoints, recordings, exchanges up to
 * the socket. */
#include "oom/oom.h"

#include "base/json.h"
#include "base/loop.h"
#include "model/endpoint.h"
#include "model/exchange.h"
#include "model/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char config_text[] =
    "{\"mine\":{\"type\":\"openai\",\"base_url\":\"http://127.0.0.1:1/"
    "v1?key=0123456789\",\"api_key_file\":\"/dev/null\","
    "\"headers\":{\"X-Api-Key\":\"0123456789\",\"X-Team\":\"blue\"},"
    "\"quirks\":[\"no_strict\"],\"timeouts\":{\"idle_ms\":5},"
    "\"prices\":{\"input\":1},\"session_header\":\"x-session\"},"
    "\"workers-ai\":{\"account\":\"a\",\"gateway\":\"g\"}}";

static json_t *parse(const char *text, struct errand_error *err)
{
    return er_json_parse(text, strlen(text), ER_JSON_STRICT, err);
}

static int case_endpoint(struct errand_error *err)
{
    json_t *config = parse(config_text, err);
    if (!config)
        return err->code;
    struct er_endpoint *ep = er_endpoint_new(
        "mine", json_object_get(config, "mine"), err);
    json_decref(config);
    if (!ep)
        return err->code;
    struct er_buf url;
    er_buf_init(&url, 1000);
    ep->facts.loopback = true;
    free(ep->key_file);
    ep->key_file = NULL;
    int rc = er_endpoint_ready(ep, "m", err);
    if (rc == ERRAND_OK &&
        (!er_endpoint_url(ep, "m", &url) || !er_endpoint_headers(ep)))
        rc = er_nomem(err);
    er_buf_release(&url);
    er_endpoint_free(ep);
    return rc;
}

/* ------------------------------------------------- exchanges */

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

/* One exchange from new to free; ms: how long to wait for its end before it
 * is cancelled. */
static int exchange(const char *config_json, const char *replay,
    const char *record, const char *model, int64_t ms,
    struct errand_error *err)
{
    struct ending e = {0};
    struct er_sampling sampling;
    er_exchange *x = NULL;
    int rc = ERRAND_OK;
    json_t *config = config_json ? parse(config_json, err) : NULL;
    json_t *messages = parse(
        "[{\"role\":\"user\",\"content\":\"hello\"},{\"role\":\"assistant\","
        "\"content\":\"\",\"tool_calls\":[{\"id\":\"1\",\"name\":\"f\","
        "\"arguments\":\"{}\"}]},{\"role\":\"tool\",\"tool_call_id\":\"1\","
        "\"name\":\"f\",\"content\":\"r\"}]",
        err);
    er_models *models = NULL;
    e.loop = er_loop_new(err);
    if (messages && e.loop && (config || !config_json))
        models =
            er_models_new(e.loop, config, replay, record, NULL, err);
    er_sampling_defaults(&sampling);
    struct er_model_request req = {.messages = messages,
        .sampling = &sampling,
        .stream = true,
        .session_key = "s"};
    if (models)
        rc = er_model_start(models, model, &req, on_event, &e, &x, err);
    else
        rc = err->code;
    if (rc == ERRAND_OK && ms > 0)
        er_loop_run(e.loop, ms);
    if (rc == ERRAND_OK && !e.ended)
        er_model_cancel(x);
    if (rc == ERRAND_OK && e.error.code) {
        *err = e.error;
        rc = err->code;
    }
    er_models_free(models);
    er_loop_free(e.loop);
    json_decref(messages);
    json_decref(config);
    return rc;
}

/* A recording is played and recorded again. */
static int case_replay(struct errand_error *err)
{
    static const char line[] =
        "{\"turn\":1,\"events\":[{\"type\":\"text\",\"text\":\"one two\"},"
        "{\"type\":\"call\",\"name\":\"f\",\"arguments\":{\"x\":1}},"
        "{\"type\":\"usage\",\"prompt_tokens\":1},"
        "{\"type\":\"done\",\"finish\":\"calls\",\"extra\":{\"x\":[\"y\"]}}"
        "]}\n";
    char path[] = "/tmp/errand-oom-XXXXXX";
    int fd = mkstemp(path);
    if (fd < 0 || write(fd, line, sizeof line - 1) != sizeof line - 1)
        return er_fail(err, ERRAND_IO, "cannot write '%s'", path);
    close(fd);
    int rc = exchange(NULL, path, "/dev/null", "any:m", 300, err);
    unlink(path);
    return rc;
}

/* To a closed port: started, put into libcurl, cancelled there. */
static int case_remote(struct errand_error *err)
{
    return exchange(
        "{\"x\":{\"base_url\":\"http://127.0.0.1:1/v1\",\"retries\":0,"
        "\"max_parallel\":1}}",
        NULL, "/dev/null", "x:m", 0, err);
}

#ifdef OOM_WRAP
/* The same to its end, through libcurl and back: to be refused is what
 * should happen. Only where our own allocations fail: libcurl 7.88 loses an
 * address of a few bytes when its own do. */
static int case_refused(struct errand_error *err)
{
    int rc = exchange(
        "{\"x\":{\"base_url\":\"http://127.0.0.1:1/v1\",\"retries\":1,"
        "\"timeouts\":{\"total_ms\":100}}}",
        NULL, "/dev/null", "x:m", 300, err);
    return rc == ERRAND_NETWORK ? ERRAND_OK : rc;
}
#endif

int main(void)
{
#ifdef OOM_WRAP
    static const int refused[] = {ERRAND_NOMEM, ERRAND_TIMEOUT, 0};
#endif
    /* What OpenSSL makes once and keeps is no part of a case. */
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return 1;
    static const struct oom_case cases[] = {
        {"endpoint", case_endpoint, NULL},
        {"replay", case_replay, NULL},
        {"remote", case_remote, NULL},
#ifdef OOM_WRAP
        {"refused", case_refused, refused},
#endif
    };
    return oom_main(cases, sizeof cases / sizeof cases[0]);
}
