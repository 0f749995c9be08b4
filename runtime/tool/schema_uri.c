/* Resolving references: take both apart, put the parts together. */
#include "tool/schema_uri.h"

#include <stdbool.h>
#include <string.h>

struct part {
    const char *s; /* NULL: not there */
    size_t n;
};

struct uri {
    struct part scheme, authority, path, query;
};

static bool is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Bytes of a scheme at s, its colon not counted; 0: none. */
static size_t scheme_len(const char *s, size_t n)
{
    size_t i = 0;
    if (n == 0 || !is_alpha(s[0]))
        return 0;
    while (i < n && (is_alpha(s[i]) || (s[i] >= '0' && s[i] <= '9') ||
                        s[i] == '+' || s[i] == '-' || s[i] == '.'))
        i++;
    return i < n && s[i] == ':' ? i : 0;
}

static struct uri split(const char *s, size_t n)
{
    struct uri u = {0};
    size_t k = scheme_len(s, n);
    if (k) {
        u.scheme = (struct part){s, k};
        s += k + 1;
        n -= k + 1;
    }
    const char *q = memchr(s, '?', n);
    if (q) {
        u.query = (struct part){q + 1, n - (size_t)(q - s) - 1};
        n = (size_t)(q - s);
    }
    if (n >= 2 && s[0] == '/' && s[1] == '/') {
        const char *end = memchr(s + 2, '/', n - 2);
        size_t len = end ? (size_t)(end - s) - 2 : n - 2;
        u.authority = (struct part){s + 2, len};
        s += 2 + len;
        n -= 2 + len;
    }
    u.path = (struct part){s, n};
    return u;
}

/* "." and ".." taken out of an absolute path, in place. */
static size_t remove_dots(char *path, size_t n)
{
    size_t out = 0, i = 0;
    while (i < n) { /* path[i] is a slash */
        size_t end = i + 1;
        while (end < n && path[end] != '/')
            end++;
        size_t len = end - i - 1;
        bool one = len == 1 && path[i + 1] == '.';
        bool two = len == 2 && path[i + 1] == '.' && path[i + 2] == '.';
        if (two)
            while (out > 0 && path[--out] != '/')
                ;
        if (!one && !two) {
            memmove(path + out, path + i, end - i);
            out += end - i;
        } else if (end == n) {
            path[out++] = '/';
        }
        i = end;
    }
    return out;
}

static void put(char **at, struct part p)
{
    if (p.n)
        memcpy(*at, p.s, p.n);
    *at += p.n;
}

/* The path of ref merged with that of base (5.2.3). */
static void put_merged(char **at, const struct uri *base, struct part ref)
{
    struct part dir = base->path;
    if (base->authority.s && dir.n == 0)
        *(*at)++ = '/';
    while (dir.n > 0 && dir.s[dir.n - 1] != '/')
        dir.n--;
    put(at, dir);
    put(at, ref);
}

static char *compose(char *at, const struct uri *u, const struct uri *base,
    bool merge)
{
    if (u->scheme.s) {
        put(&at, u->scheme);
        *at++ = ':';
    }
    if (u->authority.s) {
        put(&at, (struct part){"//", 2});
        put(&at, u->authority);
    }
    char *path = at;
    if (merge)
        put_merged(&at, base, u->path);
    else
        put(&at, u->path);
    if (at > path && *path == '/')
        at = path + remove_dots(path, (size_t)(at - path));
    if (u->query.s) {
        *at++ = '?';
        put(&at, u->query);
    }
    *at = '\0';
    return at;
}

char *er_uri_resolve(struct er_arena *a, const char *base, const char *ref,
    const char **fragment)
{
    const char *hash = strchr(ref, '#');
    size_t n = hash ? (size_t)(hash - ref) : strlen(ref);
    if (fragment)
        *fragment = hash ? hash + 1 : NULL;
    size_t base_len = strcspn(base, "#");
    char *out = er_arena_alloc(a, base_len + n + 8);
    if (!out)
        return NULL;
    struct uri b = split(base, base_len), u = split(ref, n);
    bool merge = false;
    if (n == 0) {
        memcpy(out, base, base_len);
        return out;
    }
    if (!u.scheme.s) {
        u.scheme = b.scheme;
        if (!u.authority.s) {
            u.authority = b.authority;
            if (u.path.n == 0) {
                u.path = b.path;
                if (!u.query.s)
                    u.query = b.query;
            } else {
                merge = u.path.s[0] != '/';
            }
        }
    }
    compose(out, &u, &b, merge);
    return out;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

char *er_uri_decode(struct er_arena *a, const char *s)
{
    char *out = er_arena_str(a, s);
    if (!out)
        return NULL;
    char *to = out;
    for (; *s; s++) {
        if (*s == '%' && hex(s[1]) >= 0 && hex(s[2]) >= 0) {
            *to++ = (char)(hex(s[1]) * 16 + hex(s[2]));
            s += 2;
        } else {
            *to++ = *s;
        }
    }
    *to = '\0';
    return out;
}
