/* Addresses: IPv4, IPv6, mail. */
#include "tool/schema_format.h"

#include <string.h>

#define UNUSED(x) (void)(x)

enum { MAX_LOCAL = 64, MAX_LABEL = 63, MAX_DOMAIN = 253 };

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Four numbers to 255 without leading zeros. */
bool er_format_ipv4(const char *s, size_t len, const struct er_idna *idna)
{
    UNUSED(idna);
    int parts = 0;
    size_t i = 0;
    for (; parts < 4; parts++) {
        size_t from = i;
        int v = 0;
        if (parts > 0 && (i == len || s[i++] != '.'))
            return false;
        from = i;
        for (; i < len && is_digit(s[i]) && i - from < 3; i++)
            v = v * 10 + (s[i] - '0');
        if (i == from || v > 255 || (i - from > 1 && s[from] == '0'))
            return false;
    }
    return i == len;
}

/* Eight groups, the last two perhaps as IPv4, one run of them as "::". */
bool er_format_ipv6(const char *s, size_t len, const struct er_idna *idna)
{
    int groups = 0;
    bool gap = false;
    size_t i = 0;
    if (len >= 2 && s[0] == ':' && s[1] == ':') {
        gap = true;
        i = 2;
    }
    while (i < len) {
        size_t from = i;
        while (i < len && is_hex(s[i]))
            i++;
        if (i < len && s[i] == '.') {
            groups += 2;
            return er_format_ipv4(s + from, len - from, idna) &&
                   (gap ? groups < 8 : groups == 8);
        }
        if (i == from || i - from > 4 || ++groups > 8)
            return false;
        if (i == len)
            break;
        if (s[i++] != ':' || i == len)
            return false;
        if (s[i] == ':') {
            if (gap)
                return false;
            gap = true;
            i++;
        }
    }
    return gap ? groups < 8 : groups == 8;
}

/* --- mail: RFC 5321, and RFC 6531 for texts beyond ASCII */

static bool is_atom_char(char c, bool unicode)
{
    return is_letter(c) || is_digit(c) || (unicode && (c & 0x80)) ||
           (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

static bool dot_atom(const char *s, size_t len, bool unicode)
{
    bool dot = true; /* none at the beginning, none twice */
    for (size_t i = 0; i < len; i++) {
        if (s[i] == '.') {
            if (dot)
                return false;
            dot = true;
        } else {
            if (!is_atom_char(s[i], unicode))
                return false;
            dot = false;
        }
    }
    return !dot;
}

static bool quoted(const char *s, size_t len, bool unicode)
{
    if (len < 2 || s[len - 1] != '"')
        return false;
    for (size_t i = 1; i < len - 1; i++) {
        if (s[i] == '\\' && ++i == len - 1)
            return false;
        bool high = s[i] & 0x80;
        if (high ? !unicode : s[i] < 0x20 || s[i] == 0x7F)
            return false;
        if (s[i] == '"' && s[i - 1] != '\\')
            return false;
    }
    return true;
}

static bool domain(const char *s, size_t len, bool unicode)
{
    size_t from = 0;
    if (len > MAX_DOMAIN)
        return false;
    for (size_t i = 0; i <= len; i++) {
        if (i < len && s[i] != '.') {
            if (!is_letter(s[i]) && !is_digit(s[i]) && s[i] != '-' &&
                !(unicode && (s[i] & 0x80)))
                return false;
            continue;
        }
        if (i == from || i - from > MAX_LABEL || s[from] == '-' ||
            s[i - 1] == '-')
            return false;
        from = i + 1;
    }
    return true;
}

static bool address(
    const char *s, size_t len, bool unicode, const struct er_idna *idna)
{
    size_t at = len;
    while (at > 0 && s[at - 1] != '@')
        at--;
    if (at < 2 || at == len || at - 1 > MAX_LOCAL)
        return false;
    bool local = s[0] == '"' ? quoted(s, at - 1, unicode)
                             : dot_atom(s, at - 1, unicode);
    const char *d = s + at;
    size_t n = len - at;
    if (!local)
        return false;
    if (*d != '[')
        return domain(d, n, unicode);
    if (n < 3 || d[n - 1] != ']')
        return false;
    if (n > 7 && memcmp(d + 1, "IPv6:", 5) == 0)
        return er_format_ipv6(d + 6, n - 7, idna);
    return er_format_ipv4(d + 1, n - 2, idna);
}

bool er_format_email(const char *s, size_t len, const struct er_idna *idna)
{
    return address(s, len, false, idna);
}

bool er_format_idn_email(
    const char *s, size_t len, const struct er_idna *idna)
{
    return address(s, len, true, idna);
}
