/* Secrets of tools: read, handed out as placeholders, put in, hidden. */
#include "tool/vault.h"

#include "base/base64.h"
#include "base/secret.h"
#include "base/sha256.h"
#include "base/text.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    KEY_BYTES = 32,
    SECRETS_MOST = 64,
    FORM_SHORTEST = 8, /* of an encoded form that is hidden */
    TOKEN_HEX = 32,    /* digits of a placeholder */
};

static const char mark[] = "errand-secret-";

struct secret {
    char *name, *value, *host;
    char *source; /* for messages: "the variable X", "the file Y" */
};

struct er_vault {
    unsigned char key[KEY_BYTES]; /* of the placeholders */
    struct secret *list;
    size_t count;
    struct er_secrets hidden; /* the values in all their forms */
};

static void wipe(char *s)
{
    if (s)
        explicit_bzero(s, strlen(s));
    free(s);
}

void er_vault_free(er_vault *v)
{
    if (!v)
        return;
    for (size_t i = 0; i < v->count; i++) {
        wipe(v->list[i].value);
        free(v->list[i].name);
        free(v->list[i].host);
        free(v->list[i].source);
    }
    free(v->list);
    er_secrets_release(&v->hidden);
    explicit_bzero(v->key, sizeof v->key);
    free(v);
}

/* ------------------------------------------------------- what is hidden */

/* Keep bytes from up to to of out, if they are enough to mean something. */
static bool keep_form(
    er_vault *v, const struct er_buf *out, size_t from, size_t to)
{
    if (out->failed)
        return false;
    return to < from + FORM_SHORTEST ||
           er_secrets_add(&v->hidden, out->data + from, to - from);
}

static void forget_form(struct er_buf *out)
{
    if (out->data)
        explicit_bzero(out->data, out->len);
    er_buf_reset(out);
}

static bool hide_form(er_vault *v, struct er_buf *out, size_t from, size_t to)
{
    bool ok = keep_form(v, out, from, to);
    forget_form(out);
    return ok;
}

/* Into out: base64 of the value with shift unknown bytes before it. */
static void encode_shifted(
    const char *value, size_t shift, bool for_urls, struct er_buf *out)
{
    struct er_buf bytes;
    er_buf_init(&bytes, ER_VAULT_LONGEST + 3);
    er_buf_add(&bytes, "\0\0", shift);
    er_buf_adds(&bytes, value);
    er_base64_add(out, er_buf_str(&bytes), bytes.len);
    if (bytes.failed) /* makes the caller fail too */
        out->failed = true;
    forget_form(&bytes);
    er_buf_release(&bytes);
    for (size_t i = 0; for_urls && i < out->len; i++) {
        if (out->data[i] == '+')
            out->data[i] = '-';
        else if (out->data[i] == '/')
            out->data[i] = '_';
    }
}

/* Base64 depends on what stands around: three places to begin at, each with
 * the end of the text behind it, or with more; in both alphabets. */
static bool hide_base64(er_vault *v, const char *value, struct er_buf *out)
{
    static const size_t skip[3] = {0, 2, 3};
    for (size_t k = 0; k < 6; k++) {
        size_t shift = k % 3, bits = (shift + strlen(value)) * 8;
        encode_shifted(value, shift, k >= 3, out);
        bool ok = keep_form(v, out, skip[shift], out->len) &&
                  keep_form(v, out, skip[shift], (bits + 5) / 6) &&
                  keep_form(v, out, skip[shift], bits / 6);
        forget_form(out);
        if (!ok)
            return false;
    }
    return true;
}

/* As a JSON string, where that differs. */
static bool hide_json_form(
    er_vault *v, const char *value, struct er_buf *out)
{
    er_json_add_string(out, value, strlen(value));
    return hide_form(v, out, 1, out->len ? out->len - 1 : 0);
}

static bool hide_forms(er_vault *v, const char *value)
{
    struct er_buf out;
    if (!value || strlen(value) < ER_VAULT_SHORTEST)
        return true;
    er_buf_init(&out, ER_VAULT_LONGEST * 8);
    bool ok = er_secrets_add(&v->hidden, value, strlen(value)) &&
              hide_json_form(v, value, &out) &&
              hide_base64(v, value, &out);
    er_buf_release(&out);
    return ok;
}

bool er_vault_hides(const er_vault *v) { return v && v->hidden.count > 0; }

static int hex_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* How many bytes of text, in a URL's encoding, are the value; 0: it does
 * not stand there. Any character may be encoded or not. */
static size_t url_form_len(const char *text, size_t len, const char *value)
{
    size_t at = 0;
    for (; *value; value++) {
        int high = -1, low = -1;
        if (at < len && (text[at] == *value ||
                            (text[at] == '+' && *value == ' '))) {
            at++;
            continue;
        }
        if (len >= 3 && at <= len - 3 && text[at] == '%') {
            high = hex_of(text[at + 1]);
            low = hex_of(text[at + 2]);
        }
        if (high < 0 || low < 0 ||
            (unsigned char)*value != (unsigned)(high * 16 + low))
            return 0;
        at += 3;
    }
    return at;
}

static size_t hide_url_forms(const char *value, char *text, size_t len)
{
    size_t to = 0;
    for (size_t from = 0; from < len;) {
        bool may = text[from] == value[0] || text[from] == '%' ||
                   text[from] == '+';
        size_t n =
            may ? url_form_len(text + from, len - from, value) : 0;
        if (n > 0)
            memcpy(text + to, "***", 3); /* n is 8 at least */
        else
            text[to] = text[from];
        to += n > 0 ? 3 : 1;
        from += n > 0 ? n : 1;
    }
    text[to] = '\0';
    return to;
}

size_t er_vault_hide(const er_vault *v, char *text, size_t len)
{
    if (!er_vault_hides(v))
        return len;
    len = er_secrets_hide(&v->hidden, ER_VAULT_SHORTEST, text, len);
    bool coded = memchr(text, '%', len) || memchr(text, '+', len);
    for (size_t i = 0; coded && i < v->count; i++) {
        const char *value = v->list[i].value;
        if (value && strlen(value) >= ER_VAULT_SHORTEST)
            len = hide_url_forms(value, text, len);
    }
    return len;
}

/* A copy of s without secrets; NULL: no memory. */
static json_t *hidden_string(const er_vault *v, const char *s, size_t len)
{
    char *copy = er_strndup(s, len);
    if (!copy)
        return NULL;
    size_t n = er_vault_hide(v, copy, len);
    json_t *made = json_stringn(copy, n);
    if (!made) /* a value that was cut out of a character */
        made = json_string("***");
    free(copy);
    return made;
}

static bool hide_object(const er_vault *v, json_t *object)
{
    json_t *made = json_object();
    const char *key;
    json_t *value;
    bool ok = made != NULL;
    json_object_foreach(object, key, value)
    {
        json_t *own = json_incref(value);
        json_t *name = hidden_string(v, key, strlen(key));
        ok = ok && name && er_vault_hide_json(v, &own) &&
             json_object_set(made, json_string_value(name), own) == 0;
        json_decref(own);
        json_decref(name);
        if (!ok)
            break;
    }
    ok = ok && json_object_clear(object) == 0 &&
         json_object_update(object, made) == 0;
    json_decref(made);
    return ok;
}

bool er_vault_hide_json(const er_vault *v, json_t **value)
{
    size_t n = json_array_size(*value);
    if (!er_vault_hides(v))
        return true;
    if (json_is_object(*value))
        return hide_object(v, *value);
    for (size_t i = 0; i < n; i++) {
        json_t *one = json_incref(json_array_get(*value, i));
        bool ok = er_vault_hide_json(v, &one) &&
                  json_array_set(*value, i, one) == 0;
        json_decref(one);
        if (!ok)
            return false;
    }
    if (!json_is_string(*value))
        return true;
    json_t *made = hidden_string(
        v, json_string_value(*value), json_string_length(*value));
    if (!made)
        return false;
    json_decref(*value);
    *value = made;
    return true;
}

/* ---------------------------------------------------------------- reading */

/* The first line's worth of a file; NULL: none, or over the limit. */
static char *read_file(const char *path)
{
    char bytes[ER_VAULT_LONGEST + 2];
    size_t n = 0;
    ssize_t got = 1;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return NULL;
    while (n < sizeof bytes &&
           (got = read(fd, bytes + n, sizeof bytes - n)) > 0)
        n += (size_t)got;
    close(fd);
    while (n > 0 && (bytes[n - 1] == '\n' || bytes[n - 1] == '\r'))
        n--;
    bool fits = got >= 0 && n > 0 && n <= ER_VAULT_LONGEST &&
                memchr(bytes, '\0', n) == NULL;
    char *copy = fits ? er_strndup(bytes, n) : NULL;
    explicit_bzero(bytes, sizeof bytes);
    return copy;
}

static char *say_source(const char *kind, const char *what)
{
    struct er_buf b;
    er_buf_init(&b, 5000);
    er_buf_addf(&b, "%s %.4000s", kind, what);
    return er_buf_take(&b, NULL);
}

static int read_one(er_vault *v, const char *name, const json_t *one,
    struct errand_error *err)
{
    struct secret *s = &v->list[v->count++];
    const char *env = er_json_str(one, "env");
    const char *file = er_json_str(one, "file");
    const char *host = er_json_str(one, "host");
    if (!host || !er_net_pattern_ok(host) || strcmp(host, "*") == 0)
        return er_fail(err, ERRAND_CONFIG,
            "secrets.%.40s: host '%.80s' must name where it may be sent, "
            "such as api.example.com or http://127.0.0.1:8080",
            name, host ? host : "");
    const char *value = env ? getenv(env) : NULL;
    s->name = er_strdup(name);
    s->host = er_strdup(host);
    s->source = env ? say_source("the variable", env)
                    : say_source("the file", file ? file : "");
    if (env && value && strlen(value) <= ER_VAULT_LONGEST)
        s->value = er_strdup(value);
    else if (!env && file)
        s->value = read_file(file);
    if (!s->name || !s->host || !s->source || !hide_forms(v, s->value))
        return er_nomem(err);
    return ERRAND_OK;
}

er_vault *er_vault_new(const json_t *config, struct errand_error *err)
{
    er_vault *v = calloc(1, sizeof *v);
    size_t n = json_object_size(config);
    if (n > SECRETS_MOST) {
        free(v);
        er_fail(err, ERRAND_CONFIG, "secrets: %zu are more than %d", n,
            SECRETS_MOST);
        return NULL;
    }
    if (v)
        v->list = calloc(n ? n : 1, sizeof *v->list);
    if (!v || !v->list || getentropy(v->key, sizeof v->key) != 0) {
        er_vault_free(v);
        er_nomem(err);
        return NULL;
    }
    const char *name;
    json_t *one;
    json_object_foreach((json_t *)(uintptr_t)config, name, one)
    {
        if (read_one(v, name, one, err) != ERRAND_OK) {
            er_vault_free(v);
            return NULL;
        }
    }
    return v;
}

/* ----------------------------------------------------------- placeholders */

/* Known to us alone: nobody without the key can make one, and what was
 * heard in one call is worth nothing in another. Without allocating, so that
 * it is the same whatever memory there is. */
static void make_token(const er_vault *v, const struct er_holder *who,
    const char *name, char out[ER_VAULT_TOKEN])
{
    char text[260];
    unsigned char digest[32];
    struct er_sha256 sum;
    size_t n = sizeof mark - 1;
    int len = snprintf(text, sizeof text, "%.100s\n%lld\n%.100s", who->tool,
        (long long)who->call, name);
    er_sha256_init(&sum);
    er_sha256_add(&sum, v->key, sizeof v->key);
    er_sha256_add(&sum, text, len > 0 ? (size_t)len : 0);
    er_sha256_end(&sum, digest);
    memcpy(out, mark, n);
    er_hex(digest, TOKEN_HEX / 2, out + n);
    out[n + TOKEN_HEX] = '\0';
}

static const struct secret *find(const er_vault *v, const char *name)
{
    for (size_t i = 0; v && i < v->count; i++)
        if (strcmp(v->list[i].name, name) == 0)
            return &v->list[i];
    return NULL;
}

int er_vault_token(const er_vault *v, const struct er_holder *who,
    const char *name, char out[ER_VAULT_TOKEN], struct errand_error *err)
{
    const struct secret *s = find(v, name);
    if (!s)
        return er_fail(err, ERRAND_NOT_FOUND,
            "there is no secret '%.40s'; define it in errand.lua: secrets = "
            "{ %.40s = { env = \"NAME\", host = \"api.example.com\" } }",
            name, name);
    if (!s->value || !s->value[0])
        return er_fail(err, ERRAND_NOT_FOUND,
            "the secret '%.40s' has no value: %.120s gives none", name,
            s->source);
    if (strlen(s->value) < ER_VAULT_SHORTEST)
        return er_fail(err, ERRAND_RANGE,
            "the secret '%.40s' has under %d bytes: so short a value cannot "
            "be kept out of texts",
            name, ER_VAULT_SHORTEST);
    make_token(v, who, s->name, out);
    return ERRAND_OK;
}

struct tokens {
    char text[SECRETS_MOST][ER_VAULT_TOKEN];
};

/* The secret whose placeholder begins at text, if it is one of these. */
static const struct secret *secret_at(const er_vault *v,
    const struct tokens *tokens, const char *text, size_t len)
{
    size_t n = sizeof mark - 1 + TOKEN_HEX;
    for (size_t i = 0; len >= n && i < v->count; i++)
        if (v->list[i].value && memcmp(text, tokens->text[i], n) == 0)
            return &v->list[i];
    return NULL;
}

/* Where the next mark is, or len. */
static size_t next_mark(const char *text, size_t at, size_t len)
{
    size_t n = sizeof mark - 1;
    while (at + n <= len && memcmp(text + at, mark, n) != 0)
        at++;
    return at + n <= len ? at : len;
}

static void add_encoded(struct er_buf *out, const char *value)
{
    for (const char *c = value; *c; c++) {
        if (isalnum((unsigned char)*c) || strchr("-._~", *c))
            er_buf_addc(out, *c);
        else
            er_buf_addf(out, "%%%02X", (unsigned)(unsigned char)*c);
    }
}

static int put_in(const struct secret *s, const struct er_origin *origin,
    bool in_url, struct er_buf *out, struct errand_error *err)
{
    char to[ER_HOST_SIZE + 32];
    if (er_net_pattern_fits(s->host, origin)) {
        if (in_url)
            add_encoded(out, s->value);
        else
            er_buf_adds(out, s->value);
        return ERRAND_OK;
    }
    er_origin_show(origin, to, sizeof to);
    return er_fail(err, ERRAND_DENIED,
        "the secret '%.40s' is bound to %.80s and is not sent to %.80s",
        s->name, s->host, to);
}

int er_vault_fill(const er_vault *v, const struct er_holder *who,
    const struct er_origin *origin, bool in_url, const char *text,
    size_t len, struct er_buf *out, struct errand_error *err)
{
    struct tokens tokens;
    size_t from = 0, i = v ? next_mark(text, 0, len) : len;
    for (size_t k = 0; i < len && k < v->count; k++)
        make_token(v, who, v->list[k].name, tokens.text[k]);
    for (; i < len; i = next_mark(text, i + 1, len)) {
        const struct secret *s = secret_at(v, &tokens, text + i, len - i);
        if (!s)
            continue;
        er_buf_add(out, text + from, i - from);
        int rc = put_in(s, origin, in_url, out, err);
        if (rc != ERRAND_OK)
            return rc;
        from = i + sizeof mark - 1 + TOKEN_HEX;
        i = from - 1;
    }
    er_buf_add(out, text + from, len - from);
    if (!out->failed)
        return ERRAND_OK;
    return out->no_memory ? er_nomem(err)
                          : er_fail(err, ERRAND_TOO_LARGE,
                                "the request is too large");
}
