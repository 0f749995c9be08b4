/* Which provider answers a model's name, and the life of them all.
 *
 * Nothing is opened before it is needed: an endpoint is made when its name
 * is first used, libcurl when something is first sent.
 */
#include "model/exchange.h"

#include "base/text.h"
#include "model/endpoint.h"
#include "model/local.h"
#include "model/presets.h"
#include "model/record.h"
#include "model/remote.h"
#include "model/replay.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------- life */

static int check_reserved(const char *name, struct errand_error *err)
{
    if (strcmp(name, "replay") != 0 && strcmp(name, "local") != 0)
        return ERRAND_OK;
    return er_fail(err, ERRAND_CONFIG,
        "providers.%s: '%s' is no endpoint and takes no settings; choose "
        "another name",
        name, name);
}

static int add_endpoint(struct er_models *m, const char *name,
    const json_t *settings, struct errand_error *err)
{
    struct errand_error own = {0};
    err = err ? err : &own;
    int rc = check_reserved(name, err);
    if (rc != ERRAND_OK)
        return rc;
    struct er_endpoint *ep = er_endpoint_new(name, settings, err);
    if (!ep)
        return err->code;
    ep->next = m->endpoints;
    m->endpoints = ep;
    return ERRAND_OK;
}

static int read_config(struct er_models *m, const json_t *config,
    struct errand_error *err)
{
    if (!config || (json_is_array(config) && json_array_size(config) == 0))
        return ERRAND_OK;
    if (!json_is_object(config))
        return er_fail(err, ERRAND_CONFIG,
            "providers must be a table of endpoints by name");
    const char *name;
    json_t *settings;
    json_object_foreach((json_t *)config, name, settings)
    {
        int rc = add_endpoint(m, name, settings, err);
        if (rc != ERRAND_OK)
            return rc;
    }
    return ERRAND_OK;
}

static struct er_replay *replay_of(
    struct er_models *m, const char *path, struct errand_error *err)
{
    struct er_replay *r = m->replays;
    while (r && strcmp(r->path, path) != 0)
        r = r->next;
    if (r)
        return r;
    r = er_replay_open(path, err);
    if (r) {
        r->next = m->replays;
        m->replays = r;
    }
    return r;
}

er_models *er_models_new(struct er_loop *loop, const json_t *config,
    const char *replay_path, const char *record_path,
    const struct er_log *log, struct errand_error *err)
{
    struct er_models *m = calloc(1, sizeof *m);
    if (!m) {
        er_nomem(err);
        return NULL;
    }
    m->loop = loop;
    m->log = log;
    bool ok = read_config(m, config, err) == ERRAND_OK;
    if (ok && !(m->locals = er_locals_new(loop))) {
        er_nomem(err);
        ok = false;
    }
    if (ok && replay_path)
        ok = (m->replay_all = replay_of(m, replay_path, err)) != NULL;
    if (ok && record_path)
        ok = (m->recorder = er_recorder_new(record_path, log, err)) != NULL;
    if (ok)
        return m;
    er_models_free(m);
    return NULL;
}

int er_models_engine(er_models *m, const json_t *settings,
    const char *folder, struct errand_error *err)
{
    return er_locals_settings(m->locals, settings, folder, err);
}

void er_models_free(er_models *m)
{
    if (!m)
        return;
    while (m->exchanges) {
        struct er_exchange *x = m->exchanges;
        assert(x->emitting == 0);
        x->destroy(x);
    }
    er_locals_free(m->locals);
    er_http_free(m->http);
    while (m->endpoints) {
        struct er_endpoint *next = m->endpoints->next;
        er_endpoint_free(m->endpoints);
        m->endpoints = next;
    }
    while (m->replays) {
        struct er_replay *next = m->replays->next;
        er_replay_close(m->replays);
        m->replays = next;
    }
    er_recorder_free(m->recorder);
    free(m);
}

/* ------------------------------------------------- names */

struct name {
    char provider[65];
    const char *model; /* behind the colon */
};

static int split(
    const char *text, struct name *out, struct errand_error *err)
{
    const char *colon = text ? strchr(text, ':') : NULL;
    if (!text || !*text)
        return er_fail(err, ERRAND_USAGE,
            "no model is named; write it as provider:name, for example "
            "openai:gpt-4.1-mini");
    if (!colon || colon == text)
        return er_fail(err, ERRAND_USAGE,
            "the model '%.80s' has no provider; write it as provider:name, "
            "for example openai:gpt-4.1-mini",
            text);
    size_t n = (size_t)(colon - text);
    if (n >= sizeof out->provider)
        return er_fail(err, ERRAND_USAGE,
            "'%.40s...' is too long for a provider's name", text);
    memcpy(out->provider, text, n);
    out->provider[n] = '\0';
    out->model = colon + 1;
    if (!*out->model)
        return er_fail(err, ERRAND_USAGE,
            "'%s' names a provider and no model; write it as provider:name",
            text);
    return ERRAND_OK;
}

static struct er_endpoint *known(struct er_models *m, const char *provider)
{
    struct er_endpoint *ep = m->endpoints;
    while (ep && strcmp(ep->name, provider) != 0)
        ep = ep->next;
    return ep;
}

static int fail_unknown(struct er_models *m, const char *provider,
    struct errand_error *err)
{
    struct er_buf names;
    er_buf_init(&names, 100); /* what an error has room for */
    er_buf_adds(&names, "local openai workers-ai replay");
    for (struct er_endpoint *ep = m->endpoints; ep; ep = ep->next) {
        bool listed = strcmp(ep->name, "openai") == 0 ||
                      strcmp(ep->name, "workers-ai") == 0;
        if (!listed && strlen(ep->name) + 1 < names.max - names.len)
            er_buf_addf(&names, " %s", ep->name);
    }
    er_fail(err, ERRAND_USAGE,
        "there is no provider '%s'; known: %s; others are given a base_url "
        "under providers in errand.lua",
        provider, er_buf_str(&names));
    er_buf_release(&names);
    return ERRAND_USAGE;
}

/* The endpoint, ready to be asked. */
static int endpoint_of(struct er_models *m, const struct name *name,
    struct er_endpoint **out, struct errand_error *err)
{
    struct er_endpoint *ep = known(m, name->provider);
    if (!ep) {
        if (!er_preset_find(name->provider))
            return fail_unknown(m, name->provider, err);
        int rc = add_endpoint(m, name->provider, NULL, err);
        if (rc != ERRAND_OK)
            return rc;
        ep = m->endpoints;
    }
    int rc = er_endpoint_ready(ep, name->model, err);
    if (rc != ERRAND_OK)
        return rc;
    if (ep->key && ep->facts.plain && !ep->facts.loopback && !ep->warned) {
        ep->warned = true;
        er_log(m->log, ERRAND_LOG_WARN,
            "%s: the key is sent without encryption; use https in base_url",
            ep->name);
    }
    *out = ep;
    return ERRAND_OK;
}

/* *replay is set if a recording answers, *ep if an endpoint does; neither:
 * a local model. */
static int resolve(struct er_models *m, const char *model,
    struct name *name, struct er_replay **replay, struct er_endpoint **ep,
    struct errand_error *err)
{
    int rc = split(model, name, err);
    if (rc != ERRAND_OK)
        return rc;
    *replay = m->replay_all;
    if (*replay)
        return ERRAND_OK;
    if (strcmp(name->provider, "local") == 0)
        return ERRAND_OK;
    if (strcmp(name->provider, "replay") != 0)
        return endpoint_of(m, name, ep, err);
    struct errand_error own = {0};
    err = err ? err : &own;
    *replay = replay_of(m, name->model, err);
    return *replay ? ERRAND_OK : err->code;
}

int er_models_check(
    er_models *m, const char *model, struct errand_error *err)
{
    struct name name;
    struct er_replay *replay = NULL;
    struct er_endpoint *ep = NULL;
    char *path = NULL;
    int rc = resolve(m, model, &name, &replay, &ep, err);
    if (rc == ERRAND_OK && !replay && !ep)
        rc = er_locals_find(m->locals, name.model, &path, err);
    free(path);
    return rc;
}

int er_models_describe(er_models *m, const char *model, char **json,
    struct errand_error *err)
{
    struct name name;
    *json = NULL;
    int rc = split(model, &name, err);
    if (rc != ERRAND_OK || strcmp(name.provider, "local") != 0)
        return rc;
    return er_locals_describe(m->locals, name.model, json, err);
}

int er_model_start(er_models *m, const char *model,
    const struct er_model_request *req, er_model_event_fn on_event,
    void *ctx, er_exchange **out, struct errand_error *err)
{
    struct name name;
    struct er_replay *replay = NULL;
    struct er_endpoint *ep = NULL;
    struct er_exchange *x = NULL;
    int rc = resolve(m, model, &name, &replay, &ep, err);
    if (rc != ERRAND_OK)
        return rc;
    if (replay)
        rc = er_replay_start(
            m, replay, model, req, on_event, ctx, &x, err);
    else if (!ep)
        rc = er_locals_start(m, m->locals, model, name.model, req, on_event,
            ctx, &x, err);
    else
        rc = er_remote_start(
            m, ep, model, name.model, req, on_event, ctx, &x, err);
    if (out)
        *out = x;
    return rc;
}

int64_t er_models_cost(
    er_models *m, const char *model, const struct er_usage *usage)
{
    struct name name;
    if (split(model, &name, NULL) != ERRAND_OK)
        return 0;
    const struct er_endpoint *ep = known(m, name.provider);
    return ep ? er_endpoint_cost(ep, usage) : 0;
}

const char *er_models_library(void) { return curl_version(); }
