/* Endpoints: preset first, configuration over it, then the checks that need
 * both. The key is looked for when the endpoint is first asked. */
#include "model/endpoint.h"

#include "base/text.h"
#include "model/key.h"
#include "model/presets.h"
#include "model/settings.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { URL_MAX = 8192 };

#define USER_AGENT "User-Agent: errand/" ERRAND_VERSION

static const char cloudflare[] = "https://api.cloudflare.com/client/v4";
static const char ai_gateway[] = "https://gateway.ai.cloudflare.com/v1";

static bool copy_text(char **field, const char *text)
{
    if (text)
        *field = er_strdup(text);
    return !text || *field;
}

static int fill_defaults(struct er_endpoint *ep, struct errand_error *err)
{
    const struct er_preset *p = ep->preset;
    ep->retries = 4;
    ep->max_bytes = 64 << 20;
    ep->prices = (struct er_prices){-1, -1, -1};
    ep->waiting_last = &ep->waiting;
    if (!p)
        return ERRAND_OK;
    ep->dialect = p->dialect;
    if (!copy_text(&ep->base_url, p->base_url) ||
        !copy_text(&ep->key_env, p->key_env))
        return er_nomem(err);
    return er_quirks_set_all(&ep->quirks, p->quirks, err);
}

static void fill_timeouts(struct er_http_timeouts *t)
{
    if (t->connect_ms == 0)
        t->connect_ms = 10 * 1000;
    if (t->first_byte_ms == 0)
        t->first_byte_ms = 120 * 1000;
    if (t->idle_ms == 0)
        t->idle_ms = 60 * 1000;
    if (t->total_ms == 0)
        t->total_ms = 600 * 1000;
}

/* The environment stands above the configuration file. */
static int url_from_env(struct er_endpoint *ep, struct errand_error *err)
{
    const char *var = ep->preset ? ep->preset->url_env : NULL;
    const char *url = var ? getenv(var) : NULL;
    if (!url || !*url)
        return ERRAND_OK;
    if (er_url_check(url, NULL, err) != ERRAND_OK)
        return er_while(err, "%s", var);
    free(ep->base_url);
    ep->base_url = er_strdup(url);
    return ep->base_url ? ERRAND_OK : er_nomem(err);
}

/* What an address holds besides the address: user:password and the query,
 * where some endpoints want their key. */
static bool keep_url_secrets(struct er_endpoint *ep)
{
    const char *url = ep->base_url ? ep->base_url : "";
    size_t len;
    const char *user = er_url_userinfo(url, &len);
    if (user) {
        const char *colon = memchr(user, ':', len);
        const char *pass = colon ? colon + 1 : user;
        if (!er_secrets_add(
                &ep->secrets, pass, (size_t)(user + len - pass)))
            return false;
    }
    const char *q = url + strcspn(url, "?");
    while (*q) {
        q++; /* over '?' or '&' */
        size_t n = strcspn(q, "&"), eq = strcspn(q, "=&");
        if (eq < n && n - eq - 1 >= ER_SECRET_IN_TEXT &&
            !er_secrets_add(&ep->secrets, q + eq + 1, n - eq - 1))
            return false;
        q += n;
    }
    return true;
}

static int finish(struct er_endpoint *ep, bool own_quirks,
    struct errand_error *err)
{
    const struct er_preset *p = ep->preset;
    fill_timeouts(&ep->timeouts);
    int rc = url_from_env(ep, err);
    if (rc != ERRAND_OK)
        return rc;
    if (ep->dialect == ER_OPENAI && !ep->base_url)
        return er_fail(err, ERRAND_CONFIG,
            "base_url is missing; set it to the address before "
            "/chat/completions, for example http://127.0.0.1:8000/v1");
    if (p && p->own_quirks && own_quirks && ep->base_url &&
        strcmp(ep->base_url, p->base_url) == 0)
        rc = er_quirks_set_all(&ep->quirks, p->own_quirks, err);
    if (rc == ERRAND_OK && ep->base_url)
        rc = er_url_check(ep->base_url, &ep->facts, err);
    if (rc == ERRAND_OK && !keep_url_secrets(ep))
        rc = er_nomem(err);
    if (rc == ERRAND_OK && ep->dialect == ER_WORKERS_AI) {
        if ((!ep->session_header &&
                !copy_text(&ep->session_header, "x-session-affinity")) ||
            (!ep->account_env &&
                !copy_text(&ep->account_env, "CLOUDFLARE_ACCOUNT_ID")) ||
            (!ep->key_env &&
                !copy_text(&ep->key_env, "CLOUDFLARE_API_TOKEN")))
            rc = er_nomem(err);
    }
    return rc;
}

static bool is_name(const char *s)
{
    size_t n = 0;
    for (; s[n]; n++) {
        if (!isalnum((unsigned char)s[n]) && !strchr("-_.", s[n]))
            return false;
    }
    return n > 0 && n <= 64;
}

struct er_endpoint *er_endpoint_new(
    const char *name, const json_t *settings, struct errand_error *err)
{
    if (!is_name(name)) {
        er_fail(err, ERRAND_CONFIG,
            "'%.64s' cannot name a provider; use up to 64 of A-Z a-z 0-9 "
            "- _ .",
            name);
        return NULL;
    }
    struct er_endpoint *ep = calloc(1, sizeof *ep);
    if (!ep || !(ep->name = er_strdup(name))) {
        free(ep);
        er_nomem(err);
        return NULL;
    }
    ep->preset = er_preset_find(name);
    bool own_quirks = !json_object_get(settings, "quirks");
    int rc = fill_defaults(ep, err);
    if (rc == ERRAND_OK && settings)
        rc = er_settings_read(ep, settings, err);
    if (rc == ERRAND_OK)
        rc = finish(ep, own_quirks, err);
    if (rc != ERRAND_OK) {
        er_while(err, "providers.%s", name);
        er_endpoint_free(ep);
        return NULL;
    }
    return ep;
}

void er_endpoint_free(struct er_endpoint *ep)
{
    if (!ep)
        return;
    free(ep->name);
    free(ep->base_url);
    free(ep->account);
    free(ep->account_env);
    free(ep->gateway);
    free(ep->key_env);
    free(ep->key_file);
    free(ep->session_header);
    json_decref(ep->headers);
    er_secrets_release(&ep->secrets);
    if (ep->key)
        explicit_bzero(ep->key, strlen(ep->key));
    free(ep->key);
    curl_slist_free_all(ep->sent);
    for (size_t i = 0; i < ep->older_count; i++)
        curl_slist_free_all(ep->older[i]);
    free(ep->older);
    free(ep);
}

/* ------------------------------------------------------------ the key */

/* *out stays NULL if none is there and none is needed. */
static int find_key(
    struct er_endpoint *ep, char **out, struct errand_error *err)
{
    const char *value = ep->key_env ? getenv(ep->key_env) : NULL;
    if (value && *value)
        return er_key_take(value, ep->key_env, out, err);
    if (ep->key_file)
        return er_key_read(ep->key_file, out, err);
    if (!ep->key_env || ep->facts.loopback)
        return ERRAND_OK;
    const char *name;
    json_t *v;
    json_object_foreach(ep->headers, name, v)
    {
        if (strcasecmp(name, "authorization") == 0)
            return ERRAND_OK;
    }
    const char *from = ep->preset ? ep->preset->key_from : NULL;
    return er_fail(err, ERRAND_AUTH,
        "%s needs a key: set %s in the environment, or api_key_file in "
        "providers[\"%s\"]%s%s",
        ep->name, ep->key_env, ep->name, from ? "; keys: " : "",
        from ? from : "");
}

/* Requests under way may still hold the old headers. */
static bool retire_headers(struct er_endpoint *ep)
{
    if (!ep->sent)
        return true;
    struct curl_slist **grown =
        realloc(ep->older, (ep->older_count + 1) * sizeof *grown);
    if (!grown)
        return false;
    ep->older = grown;
    ep->older[ep->older_count++] = ep->sent;
    ep->sent = NULL;
    return true;
}

int er_endpoint_look_for_key(
    struct er_endpoint *ep, struct errand_error *err)
{
    if (ep->key && !ep->key_stale)
        return ERRAND_OK;
    char *key = NULL;
    int rc = find_key(ep, &key, err);
    if (rc != ERRAND_OK || !key)
        return rc;
    ep->key_stale = false;
    if (ep->key && strcmp(ep->key, key) == 0) {
        free(key);
        return ERRAND_OK;
    }
    if (!er_secrets_add(&ep->secrets, key, strlen(key)) ||
        !retire_headers(ep)) {
        free(key);
        return er_nomem(err);
    }
    free(ep->key);
    ep->key = key;
    return ERRAND_OK;
}

void er_endpoint_key_refused(struct er_endpoint *ep)
{
    ep->key_stale = true;
}

/* ------------------------------------------------------ what is sent */

static bool has_header(const json_t *headers, const char *line)
{
    size_t n = strcspn(line, ":");
    const char *name;
    json_t *v;
    json_object_foreach((json_t *)headers, name, v)
    {
        if (strlen(name) == n && strncasecmp(name, line, n) == 0)
            return true;
    }
    return false;
}

static bool add_header(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer)
        *list = longer;
    return longer != NULL;
}

static bool add_named(
    struct curl_slist **list, const char *name, const char *value)
{
    struct er_buf line;
    er_buf_init(&line, 64 * 1024);
    /* libcurl's form of a header without value is "Name;" */
    er_buf_addf(&line, *value ? "%s: %s" : "%s;", name, value);
    bool ok = !line.failed && add_header(list, er_buf_str(&line));
    if (line.data)
        explicit_bzero(line.data, line.cap);
    er_buf_release(&line);
    return ok;
}

static bool build_headers(struct er_endpoint *ep, struct curl_slist **list)
{
    static const char *const always[] = {
        "Content-Type: application/json",
        "Accept: application/json, text/event-stream",
        USER_AGENT,
        "Expect:", /* no waiting for 100 Continue */
    };
    for (size_t i = 0; i < sizeof always / sizeof always[0]; i++) {
        if (!has_header(ep->headers, always[i]) &&
            !add_header(list, always[i]))
            return false;
    }
    if (ep->key && !has_header(ep->headers, "Authorization:")) {
        char value[ER_KEY_MAX + 8];
        snprintf(value, sizeof value, "Bearer %s", ep->key);
        bool ok = add_named(list, "Authorization", value);
        explicit_bzero(value, sizeof value);
        if (!ok)
            return false;
    }
    const char *name;
    json_t *v;
    json_object_foreach(ep->headers, name, v)
    {
        if (!add_named(list, name, json_string_value(v)))
            return false;
    }
    return true;
}

struct curl_slist *er_endpoint_headers(struct er_endpoint *ep)
{
    struct curl_slist *list = NULL;
    if (!ep->sent) {
        if (build_headers(ep, &list))
            ep->sent = list;
        else
            curl_slist_free_all(list);
    }
    return ep->sent;
}

static const char *account_of(const struct er_endpoint *ep)
{
    const char *a = ep->account;
    if (!a && ep->account_env)
        a = getenv(ep->account_env);
    return a && *a ? a : NULL;
}

static int check_account(
    const struct er_endpoint *ep, struct errand_error *err)
{
    const char *a = account_of(ep);
    if (!a)
        return er_fail(err, ERRAND_AUTH,
            "%s needs an account: set %s in the environment, or account in "
            "providers[\"%s\"]",
            ep->name, ep->account_env, ep->name);
    const char *parts[] = {a, ep->gateway};
    for (int i = 0; i < 2; i++) {
        if (parts[i] && !is_name(parts[i]))
            return er_fail(err, ERRAND_CONFIG,
                "%s: '%.64s' cannot be an %s; use A-Z a-z 0-9 - _ .",
                ep->name, parts[i], i ? "AI Gateway" : "account");
    }
    return ERRAND_OK;
}

/* A model's name becomes a part of the address at workers-ai: it must not
 * lead elsewhere on that host. */
static int check_model(const struct er_endpoint *ep, const char *model,
    struct errand_error *err)
{
    if (!*model)
        return er_fail(err, ERRAND_USAGE,
            "no model is named; write %s:NAME", ep->name);
    if (strlen(model) > 512)
        return er_fail(err, ERRAND_USAGE,
            "the model's name is longer than 512 bytes: '%.40s...'", model);
    const char *c = model;
    while (ep->dialect == ER_WORKERS_AI) {
        size_t n = strcspn(c, "/");
        if (n == 0 || strncmp(c, ".", n) == 0 || strncmp(c, "..", n) == 0)
            return er_fail(err, ERRAND_USAGE,
                "'%.120s' is no model of %s; write it like "
                "@cf/meta/llama-3.2-3b-instruct",
                model, ep->name);
        if (!c[n])
            break;
        c += n + 1;
    }
    return ERRAND_OK;
}

int er_endpoint_ready(
    struct er_endpoint *ep, const char *model, struct errand_error *err)
{
    int rc = check_model(ep, model, err);
    if (rc == ERRAND_OK && ep->dialect == ER_WORKERS_AI)
        rc = check_account(ep, err);
    if (rc == ERRAND_OK)
        rc = er_endpoint_look_for_key(ep, err);
    return rc;
}

static bool workers_ai_url(
    struct er_endpoint *ep, const char *model, struct er_buf *out)
{
    struct er_buf path;
    er_buf_init(&path, URL_MAX);
    if (ep->gateway)
        er_buf_addf(&path, "/%s/%s/workers-ai/", account_of(ep), ep->gateway);
    else
        er_buf_addf(&path, "/accounts/%s/ai/run/", account_of(ep));
    er_url_add_model(&path, model);
    const char *base = ep->base_url;
    if (!base)
        base = ep->gateway ? ai_gateway : cloudflare;
    bool ok = !path.failed && er_url_join(base, er_buf_str(&path), out);
    er_buf_release(&path);
    return ok;
}

bool er_endpoint_url(
    struct er_endpoint *ep, const char *model, struct er_buf *out)
{
    if (ep->dialect == ER_WORKERS_AI)
        return workers_ai_url(ep, model, out);
    return er_url_join(ep->base_url, "/chat/completions", out);
}

/* A dollar per million tokens is a micro-dollar per token. */
int64_t er_endpoint_cost(
    const struct er_endpoint *ep, const struct er_usage *u)
{
    const struct er_prices *p = &ep->prices;
    double input = p->input > 0 ? p->input : 0;
    double output = p->output > 0 ? p->output : 0;
    double cached = p->cached >= 0 ? p->cached : input;
    int64_t fresh = u->prompt_tokens - u->cached_tokens;
    double cost = (double)(fresh > 0 ? fresh : 0) * input +
                  (double)u->cached_tokens * cached +
                  (double)u->completion_tokens * output;
    return cost < 9e15 ? llround(cost) : (int64_t)9e15;
}
