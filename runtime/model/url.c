/* Addresses of endpoints: see url.h. */
#include "model/url.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool is_loopback(const char *host)
{
    static const char local[] = "localhost";
    size_t n = strlen(host), l = sizeof local - 1;
    if (n >= l && strcasecmp(host + n - l, local) == 0 &&
        (n == l || host[n - l - 1] == '.'))
        return true;
    if (strcmp(host, "[::1]") == 0)
        return true;
    struct in_addr v4;
    if (inet_pton(AF_INET, host, &v4) != 1)
        return false;
    unsigned first = ntohl(v4.s_addr) >> 24;
    return first == 127 || v4.s_addr == 0; /* 0.0.0.0 is this host too */
}

/* A part of the URL, NULL if there is none; *nomem is set if libcurl had no
 * memory for it. */
static char *part(CURLU *u, CURLUPart what, bool *nomem)
{
    char *text = NULL;
    if (curl_url_get(u, what, &text, 0) == CURLUE_OUT_OF_MEMORY)
        *nomem = true;
    return text;
}

static int check_parts(CURLU *u, const char *shown,
    struct er_url_facts *facts, struct errand_error *err)
{
    bool nomem = false;
    char *scheme = part(u, CURLUPART_SCHEME, &nomem);
    char *host = part(u, CURLUPART_HOST, &nomem);
    char *fragment = part(u, CURLUPART_FRAGMENT, &nomem);
    int rc = ERRAND_OK;
    bool plain = scheme && strcmp(scheme, "http") == 0;
    if (nomem)
        rc = er_nomem(err);
    else if (!plain && (!scheme || strcmp(scheme, "https") != 0))
        rc = er_fail(err, ERRAND_CONFIG,
            "'%s' is no address of an endpoint; it must begin with "
            "https:// or http://",
            shown);
    else if (!host || !*host)
        rc = er_fail(err, ERRAND_CONFIG, "'%s' names no host", shown);
    else if (fragment)
        rc = er_fail(err, ERRAND_CONFIG,
            "'%s' has a fragment (#...); leave it out", shown);
    else if (facts)
        *facts = (struct er_url_facts){
            .loopback = is_loopback(host), .plain = plain};
    curl_free(scheme);
    curl_free(host);
    curl_free(fragment);
    return rc;
}

int er_url_check(
    const char *url, struct er_url_facts *facts, struct errand_error *err)
{
    char shown[96];
    er_url_show(url, shown, sizeof shown);
    for (const char *c = url; *c; c++) {
        if ((unsigned char)*c <= ' ' || *c == 0x7f)
            return er_fail(err, ERRAND_CONFIG,
                "'%s' holds a space or a control character", shown);
    }
    CURLU *u = curl_url();
    if (!u)
        return er_nomem(err);
    CURLUcode uc =
        curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME);
    int rc;
    if (uc == CURLUE_OUT_OF_MEMORY)
        rc = er_nomem(err);
    else if (uc != CURLUE_OK)
        rc = er_fail(err, ERRAND_CONFIG,
            "'%s' is no address of an endpoint (%s); write it like "
            "https://host/v1",
            shown, curl_url_strerror(uc));
    else
        rc = check_parts(u, shown, facts, err);
    curl_url_cleanup(u);
    return rc;
}

bool er_url_join(const char *base, const char *path, struct er_buf *out)
{
    size_t end = strcspn(base, "?"), n = strlen(path);
    while (end > 0 && base[end - 1] == '/')
        end--;
    er_buf_add(out, base, end);
    if (end < n || memcmp(base + end - n, path, n) != 0)
        er_buf_add(out, path, n);
    return er_buf_adds(out, base + strcspn(base, "?"));
}

bool er_url_add_model(struct er_buf *out, const char *model)
{
    for (const char *c = model; *c; c++) {
        bool stands = isalnum((unsigned char)*c) || strchr("-._~/@:", *c);
        if (stands)
            er_buf_addc(out, *c);
        else
            er_buf_addf(out, "%%%02X", (unsigned char)*c);
    }
    return !out->failed;
}

static const char *behind_scheme(const char *url)
{
    const char *start = strstr(url, "://");
    return start && start < url + strcspn(url, "/?#") + 1 ? start + 3 : url;
}

const char *er_url_userinfo(const char *url, size_t *len)
{
    const char *start = behind_scheme(url);
    size_t i = strcspn(start, "/?#");
    while (i > 0 && start[i - 1] != '@')
        i--;
    *len = i > 0 ? i - 1 : 0;
    return i > 0 ? start : NULL;
}

void er_url_show(const char *url, char *out, size_t size)
{
    const char *start = behind_scheme(url);
    size_t len;
    const char *user = er_url_userinfo(url, &len);
    const char *from = user ? user + len + 1 : start;
    int scheme = start - url < 16 ? (int)(start - url) : 16;
    int rest = strlen(from) < 4096 ? (int)strcspn(from, "?#") : 4096;
    snprintf(out, size, "%.*s%.*s", scheme, url, rest, from);
    for (char *c = out; *c; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
    }
    er_text_trim_utf8(out);
}
