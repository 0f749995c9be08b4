/* An endpoint's address: is it usable, where does it lead, how is it shown.
 *
 * Pure functions over text, with libcurl's parser as the judge, so that what
 * is checked here is what is connected to later.
 */
#ifndef ERRAND_MODEL_URL_H
#define ERRAND_MODEL_URL_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>

struct er_url_facts {
    bool loopback; /* leads to this machine: no key, no proxy needed */
    bool plain;    /* http: a key would travel in the open */
};

/* Check a base URL and learn what matters of it (facts may be NULL). http
 * and https only, with a host, without a fragment. Errors CONFIG, NOMEM */
int er_url_check(
    const char *url, struct er_url_facts *facts, struct errand_error *err);

/* Append base with path put behind its own path and before its query; a base
 * that ends in path already stays as it is. False if out failed. */
bool er_url_join(const char *base, const char *path, struct er_buf *out);

/* Append a model's name as path segments: '/', '@', ':' and the unreserved
 * characters stand, everything else is %-encoded. False if out failed. */
bool er_url_add_model(struct er_buf *out, const char *model);

/* The "user:password" in url, or NULL; *len is its length. Borrowed. */
const char *er_url_userinfo(const char *url, size_t *len);

/* url for people: without user, password and query, cut to fit. */
void er_url_show(const char *url, char *out, size_t size);

#endif
