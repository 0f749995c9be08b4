/* HTTP for tools, done by the runtime: the services "http" and "secret".
 *
 * A request goes where the tool's permissions.net lets it, never to an
 * address that is not public (address.h) unless the user's configuration
 * names exactly that host and port, and follows redirects one by one, each
 * held against both again. What a name resolves to is looked at when the
 * socket is opened, for every connection. Secrets are put in on the way out
 * and taken out on the way back (vault.h).
 */
#ifndef ERRAND_TOOL_FETCH_H
#define ERRAND_TOOL_FETCH_H

#include "base/http.h"
#include "tool/services.h"
#include "tool/vault.h"

enum {
    ER_FETCH_TIMEOUT_MS = 30 * 1000,        /* if the tool names none */
    ER_FETCH_BYTES = 1024 * 1024,           /* the same */
    ER_FETCH_BYTES_MOST = 8 * 1024 * 1024,
    ER_FETCH_REDIRECTS = 5,
    ER_FETCH_URL_MOST = 8 * 1024,
    ER_FETCH_HEADERS_MOST = 64,             /* sent */
    ER_FETCH_HEADER_BYTES = 32 * 1024,      /* sent, with what is put in */
    ER_FETCH_ANSWER_HEADERS = 200,
    ER_FETCH_BODY_MOST = 4 * 1024 * 1024,
};

struct er_fetch;

struct er_fetch_settings {
    const json_t *private_hosts; /* "host:port" texts, borrowed; or NULL */
    const er_vault *vault;       /* borrowed; or NULL */
    /* For tests. NULL: er_address_why and the system's resolver. */
    const char *(*why)(const struct sockaddr *to);
    struct curl_slist *resolve; /* borrowed */
};

/* Nothing is opened before the first request. Errors NOMEM. [owner] */
struct er_fetch *er_fetch_new(struct er_loop *loop,
    const struct er_fetch_settings *settings, struct errand_error *err);

/* Every question must be gone. NULL is harmless. [owner] */
void er_fetch_free(struct er_fetch *f);

/* Add both services. Errors as er_services_add. [owner] */
int er_fetch_serve(
    struct er_fetch *f, er_tools *t, struct errand_error *err);

#endif
