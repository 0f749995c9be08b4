/* What kind of pattern it is: a text, a path (it has a /) or a URL (it has
 * ://), and what must be known of it before values are held against it. */
#include "base/text.h"
#include "policy_rule.h"

#include <stdlib.h>
#include <string.h>

static bool is_byte(const struct er_glob *g, size_t i, char c)
{
    return i < g->n && g->tokens[i].op == ER_GLOB_BYTE &&
           g->tokens[i].byte == (unsigned char)c;
}

static bool copy_tokens(
    struct er_glob *to, const struct er_glob *from, size_t first, size_t end)
{
    for (size_t i = first; i < end; i++)
        if (!er_glob_add(to, (enum er_glob_op)from->tokens[i].op,
                from->tokens[i].byte))
            return false;
    return true;
}

/* Place of "://", or n. */
static size_t scheme_end(const struct er_glob *g)
{
    for (size_t i = 0; i < g->n; i++)
        if (is_byte(g, i, ':') && is_byte(g, i + 1, '/') &&
            is_byte(g, i + 2, '/'))
            return i;
    return g->n;
}

static bool is_home(const struct er_glob *g)
{
    return is_byte(g, 0, '~') && (g->n == 1 || is_byte(g, 1, '/'));
}

static bool is_path(const struct er_glob *g)
{
    if (is_home(g) || (g->n == 1 && is_byte(g, 0, '.')) ||
        (g->n == 2 && is_byte(g, 0, '.') && is_byte(g, 1, '.')))
        return true;
    for (size_t i = 0; i < g->n; i++)
        if (is_byte(g, i, '/'))
            return true;
    return false;
}

/* ----------------------------------------------------------------- paths */

/* The pattern with what it is relative to in front. Errors SYNTAX, NOMEM */
static int make_absolute(const struct er_glob *g, struct er_glob *out,
    const struct er_policy_place *place, struct errand_error *err)
{
    const char *base = NULL;
    size_t first = 0;
    if (is_home(g)) {
        base = place->home;
        first = 1;
        if (!base)
            return er_fail(err, ERRAND_SYNTAX,
                "~ means nothing here: HOME is not set");
    } else if (!is_byte(g, 0, '/')) {
        base = place->cwd;
        if (!base)
            return er_fail(err, ERRAND_SYNTAX,
                "the working folder is not known; write a path from /");
    }
    bool ok = !base || (er_glob_add_bytes(out, base, strlen(base)) &&
                           er_glob_add_bytes(out, "/", 1));
    return ok && copy_tokens(out, g, first, g->n) ? ERRAND_OK
                                                  : er_nomem(err);
}

static bool is_dots(const struct er_glob *g, size_t from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!is_byte(g, from + i, '.'))
            return false;
    return n == 1 || n == 2;
}

/* Drop the last name; false: it has wildcards. */
static bool step_up(struct er_glob *g)
{
    while (g->n > 0 && !is_byte(g, g->n - 1, '/')) {
        if (g->tokens[g->n - 1].op != ER_GLOB_BYTE)
            return false;
        g->n--;
    }
    if (g->n > 0)
        g->n--;
    return true;
}

/* Names one by one, as er_place_lexical does it for values. */
static int settle(
    const struct er_glob *g, struct er_glob *out, struct errand_error *err)
{
    size_t i = 0;
    while (i < g->n) {
        size_t from = i;
        while (i < g->n && !is_byte(g, i, '/'))
            i++;
        size_t n = i++ - from;
        if (n == 0 || (n == 1 && is_dots(g, from, 1)))
            continue;
        if (n == 2 && is_dots(g, from, 2)) {
            if (!step_up(out))
                return er_fail(err, ERRAND_SYNTAX,
                    "\"..\" behind a wildcard means nothing");
            continue;
        }
        if (!er_glob_add_bytes(out, "/", 1) ||
            !copy_tokens(out, g, from, from + n))
            return er_nomem(err);
    }
    if (out->n == 0 && !er_glob_add_bytes(out, "/", 1))
        return er_nomem(err);
    return ERRAND_OK;
}

/* The beginning that has no wildcards, in whole names. */
static int find_folder(struct er_condition *c, struct errand_error *err)
{
    size_t end = 0, n = 0;
    while (n < c->path.n && c->path.tokens[n].op == ER_GLOB_BYTE) {
        if (is_byte(&c->path, n, '/'))
            end = n;
        n++;
    }
    if (n == c->path.n)
        end = n;
    c->folder = malloc(end + 1);
    if (!c->folder)
        return er_nomem(err);
    for (size_t i = 0; i < end; i++)
        c->folder[i] = (char)c->path.tokens[i].byte;
    c->folder[end] = '\0';
    c->folder_tokens = end;
    return ERRAND_OK;
}

static int finish_path(struct er_condition *c,
    const struct er_policy_place *place, struct errand_error *err)
{
    struct er_glob whole = {0};
    int rc = make_absolute(&c->glob, &whole, place, err);
    if (rc == ERRAND_OK)
        rc = settle(&whole, &c->path, err);
    if (rc == ERRAND_OK)
        rc = find_folder(c, err);
    er_glob_release(&whole);
    return rc;
}

/* ------------------------------------------------------------------ URLs */

/* "example.com*" would be true of example.com.evil.org. */
static bool is_open_ended(const struct er_glob *host)
{
    const struct er_glob_token *t = host->tokens;
    return host->n > 1 && t[host->n - 1].op != ER_GLOB_BYTE &&
           !(t[0].op == ER_GLOB_BYTE && t[0].byte >= '0' &&
               t[0].byte <= '9');
}

static bool finish_port(struct er_condition *c, size_t colon, size_t end)
{
    static const char *const ports[][2] = {{"http", "80"}, {"https", "443"},
        {"ws", "80"}, {"wss", "443"}, {"ftp", "21"}};
    if (colon < end)
        return copy_tokens(&c->port, &c->glob, colon + 1, end);
    struct er_glob_mode mode = {.stops = "", .nocase = true};
    for (size_t i = 0; i < sizeof ports / sizeof ports[0]; i++)
        if (!c->scheme.wild && er_glob_match(&c->scheme, 0, ports[i][0],
                                   strlen(ports[i][0]), &mode))
            return er_glob_add_bytes(
                &c->port, ports[i][1], strlen(ports[i][1]));
    return er_glob_add(&c->port, ER_GLOB_ALL, 0);
}

static int finish_url(struct er_condition *c, size_t scheme,
    struct errand_error *err)
{
    const struct er_glob *g = &c->glob;
    size_t from = scheme + 3, end = from;
    while (end < g->n && !is_byte(g, end, '/') && !is_byte(g, end, '#') &&
           !is_byte(g, end, '?'))
        end++;
    size_t colon = end;
    for (size_t i = from; i < end; i++) {
        if (is_byte(g, i, '@'))
            return er_fail(err, ERRAND_SYNTAX,
                "a URL's pattern takes no user name; leave out what stands "
                "before @");
        if (is_byte(g, i, ':') && !is_byte(g, from, '['))
            colon = i;
        if (is_byte(g, i, ']'))
            colon = is_byte(g, i + 1, ':') ? i + 1 : end;
    }
    bool ok = copy_tokens(&c->scheme, g, 0, scheme) &&
              copy_tokens(&c->host, g, from, colon) &&
              copy_tokens(&c->rest, g, end, g->n) &&
              finish_port(c, colon, end);
    if (!ok)
        return er_nomem(err);
    if (c->host.n == 0)
        return er_fail(err, ERRAND_SYNTAX, "the URL's pattern has no host");
    if (is_open_ended(&c->host))
        return er_fail(err, ERRAND_SYNTAX,
            "a host that ends in a wildcard is true of strangers' hosts too; "
            "write the / behind it, as in https://example.com/*");
    return ERRAND_OK;
}

int er_pattern_finish(struct er_condition *c,
    const struct er_policy_place *place, struct errand_error *err)
{
    size_t scheme = scheme_end(&c->glob);
    if (c->glob.wild && c->glob.n > ER_GLOB_TOKENS / 2)
        return er_fail(err, ERRAND_TOO_LARGE,
            "a pattern with wildcards has at most %d characters",
            ER_GLOB_TOKENS / 2);
    if (scheme > 0 && scheme < c->glob.n) {
        c->kind = ER_PATTERN_URL;
        return finish_url(c, scheme, err);
    }
    if (!is_path(&c->glob))
        return ERRAND_OK;
    c->kind = ER_PATTERN_PATH;
    int rc = finish_path(c, place, err);
    if (rc == ERRAND_OK && c->path.wild && c->path.n > ER_GLOB_TOKENS)
        rc = er_fail(err, ERRAND_TOO_LARGE,
            "the path of a pattern with wildcards is too long");
    return rc;
}
