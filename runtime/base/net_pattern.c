/* Patterns of hosts: see net_pattern.h. Text alone; nothing is resolved. */
#include "base/net_pattern.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { PLAIN_PORT = 80, TLS_PORT = 443, FREE_PORTS = 1024 };

struct parsed {
    bool any;      /* "*" alone */
    bool below;    /* "*." in front */
    bool has_port; /* written; else the scheme's */
    struct er_origin origin;
};

static bool is_label_char(char c)
{
    return isalnum((unsigned char)c) || c == '-' || c == '_';
}

/* A name of labels, or an IPv4 address: no empty label, one dot at the end
 * at most. */
static bool is_name(const char *s, size_t len)
{
    size_t label = 0;
    for (size_t i = 0; i < len; i++) {
        if (s[i] == '.' && (label == 0 || label > 63))
            return false;
        if (s[i] != '.' && !is_label_char(s[i]))
            return false;
        label = s[i] == '.' ? 0 : label + 1;
    }
    return len > 0 && label <= 63;
}

static bool is_v6(const char *s, size_t len)
{
    if (len < 4 || s[0] != '[' || s[len - 1] != ']')
        return false;
    for (size_t i = 1; i + 1 < len; i++)
        if (!isxdigit((unsigned char)s[i]) && s[i] != ':' && s[i] != '.')
            return false;
    return true;
}

/* Lower case, without the trailing dot. */
static bool set_host(struct er_origin *o, const char *s, size_t len)
{
    if (len > 1 && s[len - 1] == '.')
        len--;
    if (len == 0 || len >= sizeof o->host)
        return false;
    for (size_t i = 0; i < len; i++)
        o->host[i] = (char)tolower((unsigned char)s[i]);
    o->host[len] = '\0';
    return true;
}

/* The ":8443" at s, or nothing, and then the end. */
static bool read_port(const char *s, struct parsed *p)
{
    int port = 0;
    if (!*s)
        return true;
    if (*s != ':' || !s[1] || strlen(s) > 6)
        return false;
    for (s++; *s; s++) {
        if (!isdigit((unsigned char)*s))
            return false;
        port = port * 10 + (*s - '0');
    }
    p->origin.port = port;
    p->has_port = true;
    return port >= 1 && port <= 65535;
}

static bool parse(const char *s, struct parsed *p)
{
    *p = (struct parsed){.origin = {.tls = true, .port = TLS_PORT}};
    if (strcmp(s, "*") == 0) {
        p->any = true;
        return true;
    }
    if (strncasecmp(s, "https://", 8) == 0) {
        s += 8;
    } else if (strncasecmp(s, "http://", 7) == 0) {
        s += 7;
        p->origin.tls = false;
        p->origin.port = PLAIN_PORT;
    }
    if (strncmp(s, "*.", 2) == 0) {
        p->below = true;
        s += 2;
    }
    size_t len = *s == '[' ? strcspn(s, "]") + (strchr(s, ']') != NULL)
                           : strcspn(s, ":");
    bool v6 = *s == '[';
    if (v6 ? p->below || !is_v6(s, len) : !is_name(s, len))
        return false;
    return set_host(&p->origin, s, len) && read_port(s + len, p);
}

bool er_net_pattern_ok(const char *pattern)
{
    struct parsed p;
    return parse(pattern, &p);
}

static bool host_fits(const struct parsed *p, const char *host)
{
    const char *want = p->origin.host;
    if (!p->below)
        return strcmp(host, want) == 0;
    size_t n = strlen(host), w = strlen(want);
    return n > w + 1 && host[n - w - 1] == '.' &&
           strcmp(host + n - w, want) == 0;
}

static int own_port(const struct er_origin *o)
{
    return o->tls ? TLS_PORT : PLAIN_PORT;
}

bool er_net_pattern_fits(
    const char *pattern, const struct er_origin *origin)
{
    struct parsed p;
    if (!parse(pattern, &p))
        return false;
    if (p.any)
        return origin->port == own_port(origin) ||
               origin->port >= FREE_PORTS;
    return origin->tls == p.origin.tls && origin->port == p.origin.port &&
           host_fits(&p, origin->host);
}

bool er_net_names(const char *entry, const struct er_origin *origin)
{
    struct parsed p;
    return parse(entry, &p) && !p.any && !p.below && p.has_port &&
           strstr(entry, "://") == NULL &&
           p.origin.port == origin->port &&
           strcmp(p.origin.host, origin->host) == 0;
}

bool er_origin_same(const struct er_origin *a, const struct er_origin *b)
{
    return a->tls == b->tls && a->port == b->port &&
           strcmp(a->host, b->host) == 0;
}

void er_origin_show(const struct er_origin *o, char *out, size_t size)
{
    const char *scheme = o->tls ? "https" : "http";
    if (o->port == own_port(o))
        snprintf(out, size, "%s://%s", scheme, o->host);
    else
        snprintf(out, size, "%s://%s:%d", scheme, o->host, o->port);
}
