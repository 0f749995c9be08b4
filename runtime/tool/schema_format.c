/* The table of formats, and those that are a few lines each. */
#include "tool/schema_format.h"

#include "tool/schema_idna.h"
#include "tool/schema_regex.h"

#include <string.h>

#define UNUSED(x) (void)(x)

static bool is_hostname(
    const char *s, size_t len, const struct er_idna *idna)
{
    return er_idna_is_host(idna, s, len, false);
}

static bool is_idn_hostname(
    const char *s, size_t len, const struct er_idna *idna)
{
    return er_idna_is_host(idna, s, len, true);
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
           (c >= 'A' && c <= 'F');
}

static bool is_uuid(const char *s, size_t len, const struct er_idna *idna)
{
    UNUSED(idna);
    if (len != 36)
        return false;
    for (size_t i = 0; i < len; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? s[i] != '-' : !is_hex(s[i]))
            return false;
    }
    return true;
}

static bool is_pointer(const char *s, size_t len, const struct er_idna *idna)
{
    UNUSED(idna);
    if (len && s[0] != '/')
        return false;
    for (size_t i = 0; i < len; i++)
        if (s[i] == '~' &&
            (i + 1 == len || (s[i + 1] != '0' && s[i + 1] != '1')))
            return false;
    return true;
}

static bool is_relative_pointer(
    const char *s, size_t len, const struct er_idna *idna)
{
    size_t n = 0;
    while (n < len && s[n] >= '0' && s[n] <= '9')
        n++;
    if (n == 0 || (n > 1 && s[0] == '0'))
        return false;
    if (len == n + 1 && s[n] == '#')
        return true;
    return is_pointer(s + n, len - n, idna);
}

static bool is_regex(const char *s, size_t len, const struct er_idna *idna)
{
    UNUSED(idna);
    struct er_buf out;
    const char *why;
    size_t at;
    er_buf_init(&out, 1 << 20);
    bool ok = er_ecma_translate(&out, s, len, &why, &at);
    er_buf_release(&out);
    return ok;
}

static const struct {
    const char *name;
    er_format_fn *fn;
} formats[] = {
    {"date", er_format_date},
    {"time", er_format_time},
    {"date-time", er_format_date_time},
    {"duration", er_format_duration},
    {"email", er_format_email},
    {"idn-email", er_format_idn_email},
    {"hostname", is_hostname},
    {"idn-hostname", is_idn_hostname},
    {"ipv4", er_format_ipv4},
    {"ipv6", er_format_ipv6},
    {"uri", er_format_uri},
    {"uri-reference", er_format_uri_reference},
    {"iri", er_format_iri},
    {"iri-reference", er_format_iri_reference},
    {"uri-template", er_format_uri_template},
    {"uuid", is_uuid},
    {"json-pointer", is_pointer},
    {"relative-json-pointer", is_relative_pointer},
    {"regex", is_regex},
};

er_format_fn *er_format_find(const char *name)
{
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
        if (strcmp(formats[i].name, name) == 0)
            return formats[i].fn;
    return NULL;
}

bool er_format_prepare(struct er_compile *c, er_format_fn *fn)
{
    bool asks = fn == is_hostname || fn == is_idn_hostname;
    if (asks && !c->s->idna)
        c->s->idna = er_idna_new();
    return !asks || c->s->idna || er_schema_nomem(c);
}
