/* URLs of tools: libcurl's parser is the judge of what is host and what is
 * not, so that what is checked is what is connected to. */
#include "fetch_parts.h"

#include "base/text.h"
#include "tool/address.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Nothing that two parsers could read in two ways. */
static int check_text(const char *url, struct errand_error *err)
{
    if (strlen(url) > ER_FETCH_URL_MOST)
        return er_fail(err, ERRAND_USAGE, "the url is over %d KiB",
            ER_FETCH_URL_MOST / 1024);
    for (const char *c = url; *c; c++) {
        if ((unsigned char)*c <= ' ' || *c == 0x7f)
            return er_fail(err, ERRAND_USAGE,
                "the url holds a space or a control character at byte %d; "
                "%%-encode it",
                (int)(c - url));
        if (*c == '\\')
            return er_fail(err, ERRAND_USAGE,
                "the url holds a backslash; %%-encode it as %%5C");
        if ((unsigned char)*c >= 0x80 && c - url < (long)strcspn(url, "?#"))
            return er_fail(err, ERRAND_USAGE,
                "the url holds a character that is not ASCII; %%-encode it, "
                "and write host names as xn--...");
    }
    return ERRAND_OK;
}

static bool set_port(struct er_origin *o, const char *port)
{
    o->port = port ? atoi(port) : o->tls ? 443 : 80;
    return o->port >= 1 && o->port <= 65535;
}

/* Lower case, no dot at the end: "EXAMPLE.com." is example.com. */
static bool set_host(struct er_origin *o, const char *host)
{
    size_t n = strlen(host);
    if (n > 1 && host[n - 1] == '.')
        n--;
    if (n == 0 || n >= sizeof o->host || host[n - 1] == '.')
        return false;
    for (size_t i = 0; i < n; i++)
        o->host[i] = (char)(host[i] >= 'A' && host[i] <= 'Z'
                                ? host[i] - 'A' + 'a'
                                : host[i]);
    o->host[n] = '\0';
    return true;
}

/* A part of u, NULL if there is none. */
static char *part(CURLU *u, CURLUPart what)
{
    char *text = NULL;
    return curl_url_get(u, what, &text, 0) == CURLUE_OK ? text : NULL;
}

static int read_parts(CURLU *u, struct er_origin *o, struct errand_error *err)
{
    char *scheme = part(u, CURLUPART_SCHEME), *host = part(u, CURLUPART_HOST);
    char *port = part(u, CURLUPART_PORT), *user = part(u, CURLUPART_USER);
    char *password = part(u, CURLUPART_PASSWORD);
    int rc = ERRAND_OK;
    o->tls = scheme && strcmp(scheme, "https") == 0;
    if (!o->tls && (!scheme || strcmp(scheme, "http") != 0))
        rc = er_fail(err, ERRAND_USAGE,
            "the url must begin with https:// or http://, not %.20s",
            scheme ? scheme : "with nothing");
    else if (user || password)
        rc = er_fail(err, ERRAND_USAGE,
            "the url holds a user or a password; send them as a header");
    else if (!host || !set_host(o, host) || !set_port(o, port))
        rc = er_fail(err, ERRAND_USAGE, "the url names no host");
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_free(user);
    curl_free(password);
    return rc;
}

static int read_once(const char *url, struct er_origin *origin,
    char **normal, struct errand_error *err)
{
    *origin = (struct er_origin){.tls = false};
    *normal = NULL;
    int rc = check_text(url, err);
    if (rc != ERRAND_OK)
        return rc;
    CURLU *u = curl_url();
    if (!u)
        return er_nomem(err);
    CURLUcode uc =
        curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME);
    if (uc == CURLUE_OUT_OF_MEMORY)
        rc = er_nomem(err);
    else if (uc != CURLUE_OK)
        rc = er_fail(err, ERRAND_USAGE, "the url cannot be read: %s",
            curl_url_strerror(uc));
    else
        rc = read_parts(u, origin, err);
    if (rc == ERRAND_OK)
        curl_url_set(u, CURLUPART_HOST, origin->host, 0);
    if (rc == ERRAND_OK &&
        curl_url_get(u, CURLUPART_URL, normal, 0) != CURLUE_OK)
        rc = er_nomem(err);
    curl_url_cleanup(u);
    return rc;
}

/* Twice: what a first reading leaves (a host without its last dot) may be a
 * number to the second, and libcurl reads it once more when it connects. */
int er_fetch_read_url(const char *url, struct er_origin *origin,
    char **normal, struct errand_error *err)
{
    char *first = NULL;
    int rc = read_once(url, origin, &first, err);
    *normal = NULL;
    if (rc == ERRAND_OK)
        rc = read_once(first, origin, normal, err);
    curl_free(first);
    return rc;
}

char *er_fetch_redirect(const char *base, const char *location)
{
    char *to = NULL;
    CURLU *u = curl_url();
    if (u && curl_url_set(u, CURLUPART_URL, base, 0) == CURLUE_OK &&
        curl_url_set(u, CURLUPART_URL, location, CURLU_NON_SUPPORT_SCHEME) ==
            CURLUE_OK &&
        curl_url_get(u, CURLUPART_URL, &to, 0) != CURLUE_OK)
        to = NULL;
    curl_url_cleanup(u);
    return to;
}

/* ---------------------------------------------------------------- permits */

bool er_fetch_is_opened(
    const struct er_fetch *f, const struct er_origin *origin)
{
    size_t i;
    json_t *one;
    json_array_foreach((json_t *)(uintptr_t)f->settings.private_hosts, i, one)
    {
        const char *entry = json_string_value(one);
        if (entry && er_net_names(entry, origin))
            return true;
    }
    return false;
}

static bool is_granted(
    const struct er_tool *tool, const struct er_origin *origin)
{
    const json_t *net = json_object_get(tool->permissions, "net");
    for (size_t i = 0; i < json_array_size(net); i++) {
        const char *pattern = json_string_value(json_array_get(net, i));
        if (pattern && er_net_pattern_fits(pattern, origin))
            return true;
    }
    return false;
}

int er_fetch_permit(const struct er_fetch *f, const struct er_tool *tool,
    const struct er_origin *origin, struct errand_error *err)
{
    char shown[ER_HOST_SIZE + 32];
    er_origin_show(origin, shown, sizeof shown);
    if (!is_granted(tool, origin))
        return er_fail(err, ERRAND_DENIED,
            "%.40s may not send requests to %.80s; declare permissions = { "
            "net = { \"%.80s\" } }",
            tool->name, shown, shown);
    const char *why = er_address_why_text(origin->host);
    if (why && f->settings.why == er_address_why &&
        !er_fetch_is_opened(f, origin))
        return er_fail(err, ERRAND_DENIED,
            "%.80s is not public (%s); only the user can open it, in "
            "errand.lua: http = { private = { \"%.80s:%d\" } }",
            origin->host, why, origin->host, origin->port);
    return ERRAND_OK;
}
