/* URIs and IRIs (RFC 3986, 3987) and URI templates (RFC 6570). */
#include "tool/schema_format.h"

#include <stdint.h>
#include <string.h>

#define UNUSED(x) (void)(x)

struct reader {
    const char *s;
    size_t len, i;
    bool iri; /* characters beyond ASCII may stand for themselves */
};

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_one_of(char c, const char *set) { return c && strchr(set, c); }

/* The character at i, decoded; *size its bytes. */
static uint32_t character(const struct reader *r, size_t *size)
{
    unsigned char b = (unsigned char)r->s[r->i];
    size_t more = b < 0xC0 ? 0 : b < 0xE0 ? 1 : b < 0xF0 ? 2 : 3;
    uint32_t c = more ? b & (0x3Fu >> more) : b;
    *size = 1;
    for (; *size <= more && r->i + *size < r->len; ++*size)
        c = c << 6 | ((unsigned char)r->s[r->i + *size] & 0x3Fu);
    return c;
}

/* ucschar of RFC 3987, which RFC 6570 uses too. */
static bool is_ucs(uint32_t c)
{
    if (c < 0x10000)
        return (c >= 0xA0 && c <= 0xD7FF) || (c >= 0xF900 && c <= 0xFDCF) ||
               (c >= 0xFDF0 && c <= 0xFFEF);
    return c < 0xF0000 && (c & 0xFFFF) <= 0xFFFD &&
           (c < 0xE0000 || c >= 0xE1000);
}

static bool is_private(uint32_t c)
{
    return (c >= 0xE000 && c <= 0xF8FF) ||
           (c >= 0xF0000 && (c & 0xFFFF) <= 0xFFFD);
}

/* One character of a part: unreserved, sub-delims, %XX, or one of extra. */
static bool part_char(struct reader *r, const char *extra, bool query)
{
    char c = r->s[r->i];
    if (c == '%') {
        if (r->len - r->i < 3 || !is_hex(r->s[r->i + 1]) ||
            !is_hex(r->s[r->i + 2]))
            return false;
        r->i += 3;
        return true;
    }
    if (c & 0x80) {
        size_t size;
        uint32_t u = character(r, &size);
        if (!r->iri || !(is_ucs(u) || (query && is_private(u))))
            return false;
        r->i += size;
        return true;
    }
    if (!is_letter(c) && !is_digit(c) && !is_one_of(c, "-._~!$&'()*+,;=") &&
        !is_one_of(c, extra))
        return false;
    r->i++;
    return true;
}

static bool part(struct reader *r, size_t end, const char *extra, bool query)
{
    struct reader inner = *r;
    inner.len = end;
    while (inner.i < end)
        if (!part_char(&inner, extra, query))
            return false;
    r->i = end;
    return true;
}

static size_t find(const struct reader *r, size_t end, const char *stop)
{
    size_t i = r->i;
    while (i < end && !is_one_of(r->s[i], stop))
        i++;
    return i;
}

/* "[v1.x]" or "[IPv6]" at i, up to end. */
static bool literal(struct reader *r, size_t close)
{
    size_t from = r->i + 1;
    const char *s = r->s;
    if ((s[from] | 0x20) != 'v')
        return er_format_ipv6(s + from, close - from, NULL);
    size_t i = from + 1;
    while (i < close && is_hex(s[i]))
        i++;
    if (i == from + 1 || i + 1 >= close || s[i] != '.')
        return false;
    struct reader inner = {s, close, i + 1, false};
    while (inner.i < close)
        if (s[inner.i] == '%' || !part_char(&inner, ":", false))
            return false;
    return true;
}

static bool authority(struct reader *r, size_t end)
{
    size_t at = find(r, end, "@");
    if (at < end) {
        if (!part(r, at, ":", false))
            return false;
        r->i = at + 1;
    }
    if (r->i < end && r->s[r->i] == '[') {
        size_t close = find(r, end, "]");
        if (close == end || !literal(r, close))
            return false;
        r->i = close + 1;
    } else if (!part(r, find(r, end, ":"), "", false)) {
        return false;
    }
    if (r->i < end && r->s[r->i++] != ':')
        return false;
    while (r->i < end && is_digit(r->s[r->i]))
        r->i++;
    return r->i == end;
}

static bool scheme(struct reader *r)
{
    size_t i = 0;
    while (i < r->len && (is_letter(r->s[i]) ||
                             (i && (is_digit(r->s[i]) ||
                                       is_one_of(r->s[i], "+-.")))))
        i++;
    if (i == 0 || i == r->len || r->s[i] != ':')
        return false;
    r->i = i + 1;
    return true;
}

static bool uri(const char *s, size_t len, bool iri, bool relative)
{
    struct reader r = {s, len, 0, iri};
    bool absolute = scheme(&r);
    if (!absolute && !relative)
        return false;
    size_t end = find(&r, len, "?#");
    if (end - r.i >= 2 && s[r.i] == '/' && s[r.i + 1] == '/') {
        r.i += 2;
        if (!authority(&r, find(&r, end, "/")))
            return false;
    } else if (!absolute) { /* no colon in the first segment */
        if (!part(&r, find(&r, end, "/"), "@", false))
            return false;
    }
    if (!part(&r, end, ":@/", false))
        return false;
    if (r.i < len && s[r.i] == '?') {
        r.i++;
        if (!part(&r, find(&r, len, "#"), ":@/?", true))
            return false;
    }
    if (r.i < len && s[r.i] == '#') {
        r.i++;
        return part(&r, len, ":@/?", false);
    }
    return r.i == len;
}

bool er_format_uri(const char *s, size_t len, const struct er_idna *idna)
{
    UNUSED(idna);
    return uri(s, len, false, false);
}

bool er_format_uri_reference(
    const char *s, size_t len, const struct er_idna *idna)
{
    UNUSED(idna);
    return uri(s, len, false, true);
}

bool er_format_iri(const char *s, size_t len, const struct er_idna *idna)
{
    UNUSED(idna);
    return uri(s, len, true, false);
}

bool er_format_iri_reference(
    const char *s, size_t len, const struct er_idna *idna)
{
    UNUSED(idna);
    return uri(s, len, true, true);
}

/* --- templates */

static bool percent(struct reader *r)
{
    if (r->len - r->i < 3 || r->s[r->i] != '%' || !is_hex(r->s[r->i + 1]) ||
        !is_hex(r->s[r->i + 2]))
        return false;
    r->i += 3;
    return true;
}

static bool name_char(struct reader *r)
{
    char c = r->i < r->len ? r->s[r->i] : '\0';
    if (c == '%')
        return percent(r);
    if (!is_letter(c) && !is_digit(c) && c != '_')
        return false;
    r->i++;
    return true;
}

/* A name with its modifier: "a.b", "a*", "a:12". */
static bool varspec(struct reader *r)
{
    if (!name_char(r))
        return false;
    while (r->i < r->len) {
        if (r->s[r->i] == '.') {
            r->i++;
            if (!name_char(r))
                return false;
        } else if (!name_char(r)) {
            break;
        }
    }
    if (r->i < r->len && r->s[r->i] == '*') {
        r->i++;
    } else if (r->i < r->len && r->s[r->i] == ':') {
        size_t from = ++r->i;
        while (r->i < r->len && is_digit(r->s[r->i]))
            r->i++;
        return r->i > from && r->i - from <= 4 && r->s[from] != '0';
    }
    return true;
}

static bool expression(struct reader *r)
{
    r->i++; /* the brace */
    if (r->i < r->len && is_one_of(r->s[r->i], "+#./;?&"))
        r->i++;
    for (;;) {
        if (!varspec(r) || r->i == r->len)
            return false;
        char c = r->s[r->i++];
        if (c == '}')
            return true;
        if (c != ',')
            return false;
    }
}

static bool template_literal(struct reader *r)
{
    char c = r->s[r->i];
    if (c == '%')
        return percent(r);
    if (c & 0x80) {
        size_t size;
        uint32_t u = character(r, &size);
        r->i += size;
        return is_ucs(u) || is_private(u);
    }
    r->i++;
    return c > 0x20 && c != 0x7F && !is_one_of(c, "\"<>\\^`{|}");
}

bool er_format_uri_template(
    const char *s, size_t len, const struct er_idna *idna)
{
    UNUSED(idna);
    struct reader r = {s, len, 0, true};
    while (r.i < len)
        if (!(s[r.i] == '{' ? expression(&r) : template_literal(&r)))
            return false;
    return true;
}
