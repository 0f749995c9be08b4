/* One table says which keys an endpoint has; reading, the list of known keys
 * in errors, and docs/models.md follow it.
 *
 * Lua cannot tell an empty list from an empty table, so an empty array is
 * taken where an object is wanted and the other way round.
 */
#include "model/settings.h"

#include "base/text.h"
#include "model/presets.h"

#include <ctype.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct setting {
    const char *key;
    int (*read)(struct er_endpoint *ep, const struct setting *s,
        const json_t *value, struct errand_error *err);
    size_t offset; /* of what read fills in */
    int64_t least, most;
};

static int fail_type(
    const struct setting *s, const char *want, struct errand_error *err)
{
    return er_fail(err, ERRAND_CONFIG, "%s must be %s", s->key, want);
}

static int read_text(struct er_endpoint *ep, const struct setting *s,
    const json_t *value, struct errand_error *err)
{
    const char *text = json_string_value(value);
    if (!text)
        return fail_type(s, "a text", err);
    if (strlen(text) != json_string_length(value))
        return fail_type(s, "a text without NUL", err);
    char **field = (char **)((char *)ep + s->offset);
    char *copy = *text ? er_strdup(text) : NULL;
    if (*text && !copy)
        return er_nomem(err);
    free(*field);
    *field = copy;
    return ERRAND_OK;
}

static int read_whole(const struct setting *s, const json_t *value,
    int64_t *out, struct errand_error *err)
{
    double real = json_number_value(value);
    if (!json_is_number(value) || real != floor(real) ||
        real < (double)s->least || real > (double)s->most)
        return er_fail(err, ERRAND_CONFIG,
            "%s must be a whole number from %lld to %lld", s->key,
            (long long)s->least, (long long)s->most);
    *out = (int64_t)real;
    return ERRAND_OK;
}

static int read_count(struct er_endpoint *ep, const struct setting *s,
    const json_t *value, struct errand_error *err)
{
    return read_whole(
        s, value, (int64_t *)(void *)((char *)ep + s->offset), err);
}

static int read_type(struct er_endpoint *ep, const struct setting *s,
    const json_t *value, struct errand_error *err)
{
    const char *text = json_string_value(value);
    if (text && strcmp(text, "openai") == 0)
        ep->dialect = ER_OPENAI;
    else if (text && strcmp(text, "workers-ai") == 0)
        ep->dialect = ER_WORKERS_AI;
    else
        return fail_type(s, "\"openai\" or \"workers-ai\"", err);
    return ERRAND_OK;
}

static int read_base_url(struct er_endpoint *ep, const struct setting *s,
    const json_t *value, struct errand_error *err)
{
    int rc = read_text(ep, s, value, err);
    if (rc == ERRAND_OK && ep->base_url)
        rc = er_url_check(ep->base_url, NULL, err);
    return rc;
}

static int read_key(struct er_endpoint *ep, const struct setting *s,
    const json_t *value, struct errand_error *err)
{
    (void)ep;
    (void)value;
    return er_fail(err, ERRAND_CONFIG,
        "%s: a key has no place in the configuration; put it into an "
        "environment variable and name that in api_key_env, or into a file "
        "and name that in api_key_file",
        s->key);
}

static bool is_empty(const json_t *value)
{
    return (json_is_array(value) && json_array_size(value) == 0) ||
           (json_is_object(value) && json_object_size(value) == 0);
}

static bool is_header_name(const char *name)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";
    if (!*name)
        return false;
    for (; *name; name++) {
        if (!isalnum((unsigned char)*name) && !strchr(marks, *name))
            return false;
    }
    return true;
}

static bool is_header_value(const json_t *value)
{
    const char *v = json_string_value(value);
    if (!v || strlen(v) != json_string_length(value))
        return false;
    for (; *v; v++) {
        if ((unsigned char)*v < ' ' || *v == 0x7f)
            return false;
    }
    return true;
}

/* Names of headers whose values are as good as a key. */
static bool is_secret_header(const char *name)
{
    static const char *const parts[] = {
        "auth", "key", "token", "secret", "cookie", "password"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        size_t n = strlen(parts[i]);
        for (const char *c = name; *c; c++) {
            if (strncasecmp(c, parts[i], n) == 0)
                return true;
        }
    }
    return false;
}

static int keep_header_secret(struct er_endpoint *ep, const char *name,
    const char *value, struct errand_error *err)
{
    if (!is_secret_header(name))
        return ERRAND_OK;
    const char *space = strrchr(value, ' '); /* "Bearer x", "Basic x" */
    const char *part = space ? space + 1 : value;
    if (!er_secrets_add(&ep->secrets, part, strlen(part)))
        return er_nomem(err);
    return ERRAND_OK;
}

static int read_headers(struct er_endpoint *ep, const struct setting *s,
    const json_t *value, struct errand_error *err)
{
    if (is_empty(value))
        return ERRAND_OK;
    if (!json_is_object(value))
        return fail_type(s, "a table of names and texts", err);
    const char *name;
    json_t *v;
    json_object_foreach((json_t *)value, name, v)
    {
        if (!is_header_name(name))
            return er_fail(err, ERRAND_CONFIG,
                "headers: '%.64s' is no name of a header", name);
        if (!is_header_value(v))
            return er_fail(err, ERRAND_CONFIG,
                "headers: the value of '%.64s' must be one line of text",
                name);
        int rc = keep_header_secret(ep, name, json_string_value(v), err);
        if (rc != ERRAND_OK)
            return rc;
    }
    ep->headers = json_deep_copy(value);
    return ep->headers ? ERRAND_OK : er_nomem(err);
}

static int read_session_header(struct er_endpoint *ep,
    const struct setting *s, const json_t *value, struct errand_error *err)
{
    int rc = read_text(ep, s, value, err);
    if (rc == ERRAND_OK && ep->session_header &&
        !is_header_name(ep->session_header))
        return fail_type(s, "the name of a header", err);
    return rc;
}

static int read_quirks(struct er_endpoint *ep, const struct setting *s,
    const json_t *value, struct errand_error *err)
{
    ep->quirks = (struct er_quirks){0}; /* in place of the preset's */
    if (is_empty(value))
        return ERRAND_OK;
    if (!json_is_array(value))
        return fail_type(s, "a list of names", err);
    size_t i;
    json_t *v;
    json_array_foreach((json_t *)value, i, v)
    {
        if (!json_is_string(v))
            return fail_type(s, "a list of names", err);
        int rc = er_quirks_set(&ep->quirks, json_string_value(v),
            json_string_length(v), err);
        if (rc != ERRAND_OK)
            return rc;
    }
    return ERRAND_OK;
}

static int read_table(struct er_endpoint *ep, const struct setting *rows,
    const json_t *value, const char *what, struct errand_error *err);

enum { DAY_MS = 24 * 3600 * 1000 };

#define IN(field) offsetof(struct er_endpoint, field)

static int read_timeouts(struct er_endpoint *ep, const struct setting *s,
    const json_t *value, struct errand_error *err)
{
    static const struct setting rows[] = {
        {"connect_ms", read_count, IN(timeouts.connect_ms), 0, DAY_MS},
        {"first_byte_ms", read_count, IN(timeouts.first_byte_ms), 0,
            DAY_MS},
        {"idle_ms", read_count, IN(timeouts.idle_ms), 0, DAY_MS},
        {"total_ms", read_count, IN(timeouts.total_ms), 0, DAY_MS},
        {NULL, NULL, 0, 0, 0},
    };
    return read_table(ep, rows, value, s->key, err);
}

static int read_price(struct er_endpoint *ep, const struct setting *s,
    const json_t *value, struct errand_error *err)
{
    double price = json_number_value(value);
    if (!json_is_number(value) || !(price >= 0 && price <= 1e6))
        return fail_type(
            s, "dollars per million tokens, 0 to 1000000", err);
    *(double *)(void *)((char *)ep + s->offset) = price;
    return ERRAND_OK;
}

static int read_prices(struct er_endpoint *ep, const struct setting *s,
    const json_t *value, struct errand_error *err)
{
    static const struct setting rows[] = {
        {"input", read_price, IN(prices.input), 0, 0},
        {"output", read_price, IN(prices.output), 0, 0},
        {"cached", read_price, IN(prices.cached), 0, 0},
        {NULL, NULL, 0, 0, 0},
    };
    return read_table(ep, rows, value, s->key, err);
}

static const struct setting settings[] = {
    {"type", read_type, 0, 0, 0},
    {"base_url", read_base_url, IN(base_url), 0, 0},
    {"api_key_env", read_text, IN(key_env), 0, 0},
    {"api_key_file", read_text, IN(key_file), 0, 0},
    {"account", read_text, IN(account), 0, 0},
    {"account_env", read_text, IN(account_env), 0, 0},
    {"gateway", read_text, IN(gateway), 0, 0},
    {"headers", read_headers, 0, 0, 0},
    {"session_header", read_session_header, IN(session_header), 0, 0},
    {"quirks", read_quirks, 0, 0, 0},
    {"timeouts", read_timeouts, 0, 0, 0},
    {"retries", read_count, IN(retries), 0, 20},
    {"max_parallel", read_count, IN(max_parallel), 0, 100000},
    {"max_bytes", read_count, IN(max_bytes), 1024, 1 << 30},
    {"prices", read_prices, 0, 0, 0},
    {NULL, NULL, 0, 0, 0},
};

/* Understood only in order to say why they are not taken. */
static const struct setting refused[] = {
    {"api_key", read_key, 0, 0, 0},
    {"key", read_key, 0, 0, 0},
    {"token", read_key, 0, 0, 0},
    {NULL, NULL, 0, 0, 0},
};

static const struct setting *find(
    const struct setting *rows, const char *key)
{
    for (; rows->key; rows++) {
        if (strcmp(rows->key, key) == 0)
            return rows;
    }
    return NULL;
}

static int fail_unknown(const struct setting *rows, const char *key,
    struct errand_error *err)
{
    struct er_buf known;
    er_buf_init(&known, 1000);
    for (const struct setting *s = rows; s->key; s++)
        er_buf_addf(&known, "%s%s", s == rows ? "" : " ", s->key);
    er_fail(err, ERRAND_CONFIG, "unknown key '%.24s'; known: %s", key,
        er_buf_str(&known));
    er_buf_release(&known);
    return ERRAND_CONFIG;
}

static int read_table(struct er_endpoint *ep, const struct setting *rows,
    const json_t *value, const char *what, struct errand_error *err)
{
    if (is_empty(value))
        return ERRAND_OK;
    if (!json_is_object(value))
        return er_fail(err, ERRAND_CONFIG, "%s must be a table", what);
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)value, key, v)
    {
        const struct setting *s = find(rows, key);
        if (!s && rows == settings)
            s = find(refused, key);
        int rc = s ? s->read(ep, s, v, err) : fail_unknown(rows, key, err);
        if (rc != ERRAND_OK)
            return rows == settings ? rc : er_while(err, "%s", what);
    }
    return ERRAND_OK;
}

int er_settings_read(struct er_endpoint *ep, const json_t *value,
    struct errand_error *err)
{
    return read_table(ep, settings, value, "its settings", err);
}
