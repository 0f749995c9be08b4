/* A named endpoint: where it is, how it differs, what it costs, its key.
 *
 * Made once from a preset and the configuration (docs/models.md), then read
 * by every exchange. Reading a key is put off until the endpoint is used, so
 * that a missing key harms nobody who does not ask that endpoint.
 */
#ifndef ERRAND_MODEL_ENDPOINT_H
#define ERRAND_MODEL_ENDPOINT_H

#include "base/buf.h"
#include "base/http.h"
#include "base/secret.h"
#include "model/model.h"
#include "model/url.h"
#include "model/wire.h"

#include <curl/curl.h>

struct er_preset;

struct er_prices { /* dollars per million tokens; below 0: not given */
    double input, output, cached;
};

struct er_endpoint {
    struct er_endpoint *next;
    char *name;
    const struct er_preset *preset; /* or NULL */
    enum er_dialect dialect;
    struct er_quirks quirks;
    struct er_http_timeouts timeouts; /* defaults filled in */
    int64_t retries;                   /* attempts after the first */
    int64_t max_parallel;              /* 0: no limit */
    int64_t max_bytes;                 /* of one answer */
    struct er_prices prices;
    char *base_url; /* as configured; NULL: the dialect's own */
    struct er_url_facts facts;
    char *account, *account_env, *gateway; /* workers-ai; or NULL */
    char *key_env, *key_file;              /* or NULL */
    char *session_header;                  /* name, or NULL: none is sent */
    json_t *headers;                       /* name: value; or NULL */
    struct er_secrets secrets;
    /* made when first used */
    char *key;
    bool key_stale;             /* refused: look for a new one */
    bool warned;                /* that the key travels in the open */
    struct curl_slist *sent;    /* the headers of every request */
    struct curl_slist **older;  /* replaced ones; requests may hold them */
    size_t older_count;
    /* kept by remote.c */
    int64_t active;
    struct er_remote *waiting, **waiting_last;
};

/* settings: the object under "providers" (borrowed), or NULL for a preset
 * as it stands. Errors CONFIG, NOMEM; the message names the key. [owner] */
struct er_endpoint *er_endpoint_new(const char *name,
    const json_t *settings, struct errand_error *err);
void er_endpoint_free(struct er_endpoint *ep);

/* Can it be asked: account and key are there, the model's name is one.
 * Errors AUTH, CONFIG, USAGE, NOMEM. [owner] */
int er_endpoint_ready(struct er_endpoint *ep, const char *model,
    struct errand_error *err);

/* Append the URL for a model. After er_endpoint_ready. False: no memory. */
bool er_endpoint_url(
    struct er_endpoint *ep, const char *model, struct er_buf *out);

/* Headers of every request, with the key; they live as long as the endpoint.
 * After er_endpoint_ready. NULL: no memory. */
struct curl_slist *er_endpoint_headers(struct er_endpoint *ep);

/* The key alone, as er_endpoint_ready does it. Errors AUTH, NOMEM. */
int er_endpoint_look_for_key(
    struct er_endpoint *ep, struct errand_error *err);

/* The key was refused: look for a new one before the next request. */
void er_endpoint_key_refused(struct er_endpoint *ep);

/* Money in micro-dollars. */
int64_t er_endpoint_cost(
    const struct er_endpoint *ep, const struct er_usage *usage);

#endif
