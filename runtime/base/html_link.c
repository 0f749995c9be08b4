/* Links of a page: whole URLs of http and https, or nothing. */
#include "html.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* Bytes of "https://host" in a URL; 0: it is none. */
static size_t origin_len(const char *url)
{
    size_t n = strncasecmp(url, "https://", 8) == 0  ? 8
               : strncasecmp(url, "http://", 7) == 0 ? 7
                                                     : 0;
    return n ? n + strcspn(url + n, "/?#") : 0;
}

static bool has_scheme(const char *s, size_t len)
{
    size_t i = 0;
    while (i < len && (isalnum((unsigned char)s[i]) || s[i] == '+' ||
                          s[i] == '-' || s[i] == '.'))
        i++;
    return i > 0 && i < len && s[i] == ':';
}

/* Take "." and ".." out of the path that begins at path; its query stays. */
static void tidy_path(char *path)
{
    char *to = path, *from = path;
    while (*from && *from != '?' && *from != '#') {
        size_t n = 1 + strcspn(from + 1, "/?#");
        bool up = n == 3 && from[1] == '.' && from[2] == '.';
        bool here = n == 2 && from[1] == '.';
        bool last = from[n] != '/';
        while (up && to > path && *--to != '/')
            ;
        if ((up || here) && last)
            *to++ = '/';
        if (!up && !here) {
            memmove(to, from, n);
            to += n;
        }
        from += n;
    }
    memmove(to, from, strlen(from) + 1);
}

/* How much of base stands before href. */
static size_t stem_len(const char *base, const char *href, size_t len)
{
    size_t origin = origin_len(base);
    if (len > 1 && href[0] == '/' && href[1] == '/')
        return strcspn(base, "/");
    if (href[0] == '/')
        return origin;
    size_t path = origin + strcspn(base + origin, "?#");
    if (href[0] == '?')
        return path;
    while (path > origin && base[path - 1] != '/')
        path--;
    return path;
}

bool er_html_link(const char *base, const char *href, size_t len,
    char out[ER_HTML_LINK + 1])
{
    bool whole = has_scheme(href, len);
    size_t stem = 0;
    bool slash = false;
    if (len == 0 || href[0] == '#')
        return false;
    if (!whole) {
        size_t origin = base ? origin_len(base) : 0;
        if (!origin)
            return false;
        stem = stem_len(base, href, len);
        slash = stem == origin && href[0] != '/';
    }
    if (stem + slash + len > ER_HTML_LINK)
        return false;
    memcpy(out, base ? base : "", stem);
    if (slash)
        out[stem] = '/';
    memcpy(out + stem + slash, href, len);
    out[stem + slash + len] = '\0';
    out[strcspn(out, "#")] = '\0';
    for (char *c = out; *c; c++)
        if ((unsigned char)*c <= ' ' || *c == 0x7f)
            return false;
    size_t origin = origin_len(out);
    if (origin && out[origin] == '/')
        tidy_path(out + origin);
    return origin > 0;
}
