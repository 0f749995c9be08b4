/* One spelling for the many that a path or a URL has. */
#include "base/buf.h"
#include "base/text.h"
#include "policy_rule.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_MOST = 64 * 1024 };

/* ----------------------------------------------------------------- paths */

/* Drop the last name. */
static void step_up(struct er_buf *b)
{
    while (b->len > 0 && b->data[b->len - 1] != '/')
        b->len--;
    if (b->len > 0)
        b->len--;
    if (b->data)
        b->data[b->len] = '\0';
}

static void add_names(struct er_buf *b, const char *path, size_t len)
{
    size_t i = 0;
    while (i < len) {
        size_t from = i;
        while (i < len && path[i] != '/')
            i++;
        size_t n = i++ - from;
        if (n == 0 || (n == 1 && path[from] == '.'))
            continue;
        if (n == 2 && path[from] == '.' && path[from + 1] == '.') {
            step_up(b);
            continue;
        }
        er_buf_addc(b, '/');
        er_buf_add(b, path + from, n);
    }
}

char *er_place_lexical(
    const struct er_policy_place *place, const char *path, size_t len)
{
    struct er_buf b;
    bool absolute = len > 0 && path[0] == '/';
    if (!absolute && !place->cwd)
        return NULL;
    er_buf_init(&b, PATH_MOST * 2);
    if (!absolute)
        add_names(&b, place->cwd, strlen(place->cwd));
    add_names(&b, path, len);
    if (b.len == 0)
        er_buf_addc(&b, '/');
    return er_buf_take(&b, NULL);
}

char *er_place_real(const char *lexical)
{
    size_t len = strlen(lexical), cut = len;
    char *head = er_strndup(lexical, len), *real = NULL;
    while (head && cut > 0) { /* the longest beginning that exists */
        head[cut] = '\0';
        real = realpath(head, NULL);
        if (real)
            break;
        while (cut > 0 && head[cut - 1] != '/')
            cut--;
        if (cut > 0)
            cut--;
    }
    free(head);
    struct er_buf b;
    er_buf_init(&b, PATH_MOST * 2);
    if (real && strcmp(real, "/") != 0)
        er_buf_adds(&b, real);
    er_buf_adds(&b, lexical + cut);
    if (b.len == 0)
        er_buf_addc(&b, '/');
    free(real);
    return er_buf_take(&b, NULL);
}

bool er_policy_is_below(
    const struct er_policy_place *place, const char *path)
{
    char *lexical = er_place_lexical(place, path, strlen(path));
    char *real = lexical ? er_place_real(lexical) : NULL;
    char *folder = place->cwd ? er_place_real(place->cwd) : NULL;
    size_t n = folder ? strlen(folder) : 0;
    bool below = real && folder &&
                 (n == 1 || (strncmp(real, folder, n) == 0 &&
                     (real[n] == '/' || real[n] == '\0')));
    free(lexical);
    free(real);
    free(folder);
    return below;
}

/* ------------------------------------------------------------------ URLs */

static char *lower(const char *text, size_t len)
{
    char *copy = er_strndup(text, len);
    for (size_t i = 0; copy && i < len; i++)
        if (copy[i] >= 'A' && copy[i] <= 'Z')
            copy[i] = (char)(copy[i] + 32);
    return copy;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool is_unreserved(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || (c && strchr("-._~", c));
}

/* Decode %XX: all of them, or only those that need none. */
static char *decode(const char *text, size_t len, bool all, size_t *out_len)
{
    struct er_buf b;
    er_buf_init(&b, PATH_MOST * 4);
    for (size_t i = 0; i < len; i++) {
        int high = i + 2 < len && text[i] == '%' ? hex_value(text[i + 1]) : -1;
        int low = high >= 0 ? hex_value(text[i + 2]) : -1;
        unsigned char c = (unsigned char)(high * 16 + low);
        if (low < 0 || (!all && !is_unreserved(c))) {
            er_buf_addc(&b, text[i]);
        } else {
            er_buf_addc(&b, (char)c);
            i += 2;
        }
    }
    return er_buf_take(&b, out_len);
}

/* The path with its dots resolved, then query and fragment as they are. */
static char *settle_path(const char *text, size_t len, bool all)
{
    size_t n = 0, decoded_len = 0;
    while (n < len && text[n] != '?' && text[n] != '#')
        n++;
    char *decoded = decode(text, n, all, &decoded_len);
    char *rest = decode(text + n, len - n, all, NULL);
    struct er_buf b;
    er_buf_init(&b, PATH_MOST * 8);
    if (decoded && rest) {
        bool slash = decoded_len > 0 && decoded[decoded_len - 1] == '/';
        add_names(&b, decoded, decoded_len);
        if (b.len == 0 || slash)
            er_buf_addc(&b, '/');
        er_buf_adds(&b, rest);
    }
    free(decoded);
    free(rest);
    char *path = er_buf_take(&b, NULL);
    return path;
}

static const char *default_port(const char *scheme)
{
    static const char *const rows[][2] = {{"http", "80"}, {"https", "443"},
        {"ws", "80"}, {"wss", "443"}, {"ftp", "21"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(scheme, rows[i][0]) == 0)
            return rows[i][1];
    return "";
}

/* user@host:port */
static void read_authority(
    const char *text, size_t len, struct er_place_url *out)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] == '@') {
            out->odd = true;
            text += i + 1;
            len -= i + 1;
            i = (size_t)-1; /* the last one counts: begin again */
        }
    size_t host = 0;
    if (len > 0 && text[0] == '[')
        while (host < len && text[host] != ']')
            host++;
    while (host < len && text[host] != ':')
        host++;
    const char *port = host < len ? text + host + 1 : "";
    size_t port_len = host < len ? len - host - 1 : 0;
    while (port_len > 1 && port[0] == '0') {
        port++;
        port_len--;
    }
    while (host > 0 && text[host - 1] == '.') /* the root's dot */
        host--;
    for (size_t i = 0; i < host; i++)
        out->odd = out->odd || text[i] == '%';
    char *plain = decode(text, host, true, NULL);
    out->host = plain ? lower(plain, strlen(plain)) : NULL;
    free(plain);
    out->port = port_len ? er_strndup(port, port_len)
                         : er_strdup(default_port(out->scheme));
}

bool er_place_url(const char *text, size_t len, struct er_place_url *out)
{
    size_t colon = 0, end;
    *out = (struct er_place_url){0};
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] <= ' ' || text[i] == 127 ||
            text[i] == '\\')
            return false; /* readers of URLs differ about these */
    while (colon < len && (is_unreserved((unsigned char)text[colon]) ||
                              text[colon] == '+'))
        colon++;
    if (colon == 0 || len - colon < 4 || memcmp(text + colon, "://", 3) != 0)
        return false;
    out->scheme = lower(text, colon);
    text += colon + 3;
    len -= colon + 3;
    for (end = 0; end < len && !strchr("/?#", text[end]); end++)
        ;
    if (!out->scheme)
        return false;
    read_authority(text, end, out);
    out->path = settle_path(text + end, len - end, false);
    out->decoded = settle_path(text + end, len - end, true);
    return out->host && out->host[0] && out->port && out->path &&
           out->decoded;
}

void er_place_url_release(struct er_place_url *url)
{
    free(url->scheme);
    free(url->host);
    free(url->port);
    free(url->path);
    free(url->decoded);
    *url = (struct er_place_url){0};
}
