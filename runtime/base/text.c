/* UTF-8 and other small text work. */
#include "text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Length of the valid character at s, 0 if there is none. */
static size_t char_len(const unsigned char *s, size_t len)
{
    unsigned c = s[0];
    if (c < 0x80)
        return 1;
    size_t n = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
    if (c < 0xC2 || c > 0xF4 || n > len)
        return 0;
    unsigned lo = 0x80, hi = 0xBF;
    if (c == 0xE0)
        lo = 0xA0; /* overlong */
    if (c == 0xED)
        hi = 0x9F; /* surrogates */
    if (c == 0xF0)
        lo = 0x90;
    if (c == 0xF4)
        hi = 0x8F; /* over U+10FFFF */
    if (s[1] < lo || s[1] > hi)
        return 0;
    for (size_t i = 2; i < n; i++)
        if ((s[i] & 0xC0) != 0x80)
            return 0;
    return n;
}

size_t er_utf8_valid_prefix(const char *s, size_t len)
{
    const unsigned char *u = (const unsigned char *)s;
    size_t i = 0;
    while (i < len) {
        if (len - i >= 8) { /* eight ASCII bytes at a time */
            uint64_t w;
            memcpy(&w, u + i, 8);
            if (!(w & 0x8080808080808080u)) {
                i += 8;
                continue;
            }
        }
        size_t n = char_len(u + i, len - i);
        if (n == 0)
            break;
        i += n;
    }
    return i;
}

size_t er_utf8_cut(const char *s, size_t len, size_t want)
{
    if (want >= len)
        return len;
    while (want > 0 && ((unsigned char)s[want] & 0xC0) == 0x80)
        want--;
    return want;
}

void er_text_trim_utf8(char *s)
{
    s[er_utf8_valid_prefix(s, strlen(s))] = '\0';
}

bool er_text_scrub(struct er_buf *out, const char *s, size_t len)
{
    size_t i = 0;
    while (i < len) {
        size_t n = er_utf8_valid_prefix(s + i, len - i);
        er_buf_add(out, s + i, n);
        i += n;
        if (i == len)
            break;
        er_buf_adds(out, "\xEF\xBF\xBD");
        i++;
        while (i < len && ((unsigned char)s[i] & 0xC0) == 0x80)
            i++;
    }
    return !out->failed;
}

/* Bytes of the ANSI sequence at s (which starts with ESC). */
static size_t ansi_len(const char *s, size_t len)
{
    size_t i = 1;
    if (i == len)
        return i;
    if (s[i] == '[') { /* CSI: parameters, then a final byte */
        for (i++; i < len; i++)
            if (s[i] >= 0x40 && s[i] <= 0x7E)
                return i + 1;
        return len;
    }
    if (s[i] == ']' || s[i] == 'P' || s[i] == '_' || s[i] == '^') {
        for (i++; i < len; i++) { /* a string, ended by BEL or ST */
            if (s[i] == 0x07)
                return i + 1;
            if (s[i] == 0x1B && i + 1 < len && s[i + 1] == '\\')
                return i + 2;
        }
        return len;
    }
    return i + 1;
}

bool er_text_plain(struct er_buf *out, const char *s, size_t len)
{
    for (size_t i = 0; i < len;) {
        unsigned char c = (unsigned char)s[i];
        if (c == 0x1B) {
            i += ansi_len(s + i, len - i);
            continue;
        }
        if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7F) {
            i++;
            continue;
        }
        size_t n = char_len((const unsigned char *)s + i, len - i);
        if (n == 0) {
            er_buf_adds(out, "\xEF\xBF\xBD");
            i++;
            continue;
        }
        bool c1 = n == 2 && c == 0xC2 && (unsigned char)s[i + 1] < 0xA0;
        if (!c1)
            er_buf_add(out, s + i, n);
        i += n;
    }
    return !out->failed;
}

char *er_strndup(const char *s, size_t len)
{
    if (!s || len == SIZE_MAX)
        return NULL;
    char *copy = malloc(len + 1);
    if (!copy)
        return NULL;
    memcpy(copy, s, len);
    copy[len] = '\0';
    return copy;
}

char *er_strdup(const char *s) { return s ? er_strndup(s, strlen(s)) : NULL; }

bool er_starts_with(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

void er_hex(const unsigned char *bytes, size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * len] = '\0';
}
