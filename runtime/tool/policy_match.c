/* Holding a call against a rule. Wide and narrow reading: see policy.h. */
#include "base/buf.h"
#include "base/text.h"
#include "policy_rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct matching {
    const struct er_rule *rule;
    const struct er_condition *c;
    bool wide;
    size_t values, hits;
};

static const struct er_glob_mode host_mode = {.stops = "", .nocase = true};

/* ----------------------------------------------------------------- paths */

/* A path against the pattern, whose beginning may stand in another place:
 * where its links lead. */
static bool path_fits(const struct er_condition *c, const char *folder,
    const char *path, bool wide)
{
    struct er_glob_mode mode = {.wide = wide, .stops = "/", .below = true};
    size_t n = strlen(folder), len = strlen(path);
    if (!folder[0] || strcmp(folder, "/") == 0)
        return er_glob_match(&c->path, 0, path, len, &mode);
    if (len < n || memcmp(path, folder, n) != 0)
        return false;
    if (c->folder_tokens == c->path.n)
        return path[n] == '\0' || path[n] == '/';
    return er_glob_match(
        &c->path, c->folder_tokens, path + n, len - n, &mode);
}

static bool text_fits(
    const struct er_condition *c, const char *s, size_t len, bool wide);

static bool path_matches(
    const struct matching *m, const char *s, size_t len)
{
    const struct er_condition *c = m->c;
    char *value = er_place_lexical(&m->rule->place, s, len);
    char *real = value ? er_place_real(value) : NULL;
    char *folder = er_place_real(c->folder[0] ? c->folder : "/");
    bool hit = m->wide; /* what cannot be told is not allowed */
    if (real && folder) {
        bool plain = path_fits(c, c->folder, value, m->wide);
        bool there = path_fits(c, folder, real, m->wide) ||
                     path_fits(c, c->folder, real, m->wide);
        hit = m->wide ? plain || there || path_fits(c, folder, value, true)
                      : plain && there;
    } else if (value == NULL && !m->rule->place.cwd) {
        hit = false;
    }
    free(value);
    free(real);
    free(folder);
    return hit || (m->wide && text_fits(c, s, len, true));
}

/* ------------------------------------------------------------------ URLs */

static bool rest_fits(
    const struct er_condition *c, const char *path, bool wide)
{
    struct er_glob_mode mode = {.wide = wide, .stops = "/?#", .below = true};
    return er_glob_match(&c->rest, 0, path, strlen(path), &mode);
}

static bool url_matches(const struct matching *m, const char *s, size_t len)
{
    const struct er_condition *c = m->c;
    struct er_place_url url;
    bool hit = m->wide;
    if (er_place_url(s, len, &url)) {
        hit = er_glob_match(&c->scheme, 0, url.scheme, strlen(url.scheme),
                  &host_mode) &&
              er_glob_match(
                  &c->host, 0, url.host, strlen(url.host), &host_mode) &&
              er_glob_match(
                  &c->port, 0, url.port, strlen(url.port), &host_mode);
        if (m->wide)
            hit = hit && (rest_fits(c, url.path, true) ||
                             rest_fits(c, url.decoded, true));
        else
            hit = hit && !url.odd && rest_fits(c, url.path, false) &&
                  rest_fits(c, url.decoded, false);
    }
    er_place_url_release(&url);
    return hit;
}

/* ----------------------------------------------------------------- texts */

static bool text_fits(
    const struct er_condition *c, const char *s, size_t len, bool wide)
{
    struct er_glob_mode mode = {.wide = wide, .stops = "/"};
    if (er_glob_match(&c->glob, 0, s, len, &mode))
        return true;
    for (size_t from = 0; wide && from < len;) { /* any name of a path */
        const char *slash = memchr(s + from, '/', len - from);
        size_t n = slash ? (size_t)(slash - s) - from : len - from;
        if (n < len && er_glob_match(&c->glob, 0, s + from, n, &mode))
            return true;
        from += n + 1;
    }
    return false;
}

static bool string_matches(
    const struct matching *m, const char *s, size_t len)
{
    switch (m->c->kind) {
    case ER_PATTERN_PATH: return path_matches(m, s, len);
    case ER_PATTERN_URL: return url_matches(m, s, len);
    default: return text_fits(m->c, s, len, m->wide);
    }
}

/* A value as a text: of a string its characters, else JSON. */
static char *text_of(const json_t *v, size_t *len)
{
    char number[32];
    if (json_is_string(v)) {
        *len = json_string_length(v);
        char *copy = malloc(*len + 1);
        if (copy)
            memcpy(copy, json_string_value(v), *len + 1);
        return copy;
    }
    double real = json_is_real(v) ? json_real_value(v) : 0.5;
    char *text;
    if (real == (double)(long long)real && real > -9e15 && real < 9e15) {
        snprintf(number, sizeof number, "%lld", (long long)real);
        text = er_strdup(number);
    } else {
        text = er_json_sorted(v);
    }
    *len = text ? strlen(text) : 0;
    return text;
}

static bool value_matches(const struct matching *m, const json_t *v)
{
    size_t len = 0;
    char *text = NULL;
    bool hit = m->wide; /* also where there is no memory */
    if (m->c->kind == ER_PATTERN_JSON) {
        text = er_json_sorted(v);
        if (text)
            hit = strcmp(text, m->c->json) == 0;
    } else if ((text = text_of(v, &len))) {
        size_t plain = strlen(text);
        if (plain == len)
            hit = string_matches(m, text, len);
        else /* a NUL: some readers end there */
            hit = m->wide && (string_matches(m, text, plain) ||
                                 text_fits(m->c, text, len, true));
    }
    free(text);
    return hit;
}

/* ------------------------------------------------------ finding the value */

static void see(struct matching *m, const json_t *v)
{
    m->values++;
    m->hits += value_matches(m, v) != m->c->negated;
}

static void see_anywhere(struct matching *m, const json_t *v)
{
    size_t i;
    const char *key;
    json_t *inner;
    if (json_is_array(v)) {
        json_array_foreach(v, i, inner)
            see_anywhere(m, inner);
    } else if (json_is_object(v)) {
        json_object_foreach((json_t *)v, key, inner)
            see_anywhere(m, inner);
    } else {
        see(m, v);
    }
}

static void see_end(struct matching *m, const json_t *v)
{
    size_t i;
    json_t *inner;
    if (!json_is_array(v) || m->c->kind == ER_PATTERN_JSON) {
        see(m, v);
        return;
    }
    json_array_foreach(v, i, inner)
        see_end(m, inner);
}

static void walk(struct matching *m, size_t step, const json_t *v)
{
    size_t i;
    const char *key;
    json_t *inner;
    if (!v)
        return;
    if (step == m->c->n_steps) {
        see_end(m, v);
        return;
    }
    const struct er_step *s = &m->c->steps[step];
    if (s->kind == ER_STEP_ANYWHERE) {
        see_anywhere(m, v);
    } else if (s->kind == ER_STEP_MEMBER) {
        walk(m, step + 1, json_object_getn(v, s->member, s->member_len));
    } else if (s->kind == ER_STEP_INDEX) {
        walk(m, step + 1, json_array_get(v, s->index));
    } else if (json_is_array(v)) {
        json_array_foreach(v, i, inner)
            walk(m, step + 1, inner);
    } else {
        json_object_foreach((json_t *)v, key, inner)
            walk(m, step + 1, inner);
    }
}

static bool condition_holds(const struct er_rule *rule,
    const struct er_condition *c, bool restricts, const json_t *args)
{
    /* "not what I allow" restricts, and is read the other way round */
    struct matching m = {
        .rule = rule, .c = c, .wide = restricts != c->negated};
    walk(&m, 0, args);
    if (!restricts)
        return m.values > 0 && m.hits == m.values;
    return m.hits > 0 || (c->negated && m.values == 0);
}

bool er_rule_names(const er_rule *rule, const char *tool)
{
    struct er_glob_mode mode = {.stops = ""};
    return er_glob_match(&rule->tool, 0, tool, strlen(tool), &mode);
}

bool er_rule_matches(const er_rule *rule, enum er_policy_kind kind,
    const char *tool, const json_t *args)
{
    bool restricts = kind != ER_POLICY_ALLOW;
    if (!er_rule_names(rule, tool))
        return false;
    for (size_t i = 0; i < rule->n; i++)
        if (!condition_holds(rule, &rule->conditions[i], restricts, args))
            return false;
    return true;
}
