/* Old encodings to UTF-8: those that web pages still come in and that need
 * no tables of the system, for the worker may open no file. */
#include "html.h"

#include "base/text.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum charset { UTF_8, LATIN, LATIN_9, UTF_16_LE, UTF_16_BE };

static bool is_name(const char *s, size_t len, const char *name)
{
    return strlen(name) == len && strncasecmp(s, name, len) == 0;
}

static enum charset charset_named(const char *s, size_t len)
{
    static const struct {
        const char *name;
        enum charset charset;
    } rows[] = {{"iso-8859-1", LATIN}, {"iso8859-1", LATIN},
        {"latin1", LATIN}, {"windows-1252", LATIN}, {"cp1252", LATIN},
        {"iso-8859-15", LATIN_9}, {"utf-16", UTF_16_LE},
        {"utf-16le", UTF_16_LE}, {"utf-16be", UTF_16_BE}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (is_name(s, len, rows[i].name))
            return rows[i].charset;
    return UTF_8;
}

/* The name behind "charset=" in s; *len 0: there is none. */
static const char *find_name(const char *s, size_t n, size_t *len)
{
    static const char mark[] = "charset";
    size_t m = sizeof mark - 1;
    *len = 0;
    for (size_t i = 0; i + m < n; i++) {
        if (strncasecmp(s + i, mark, m) != 0)
            continue;
        i += m;
        while (i < n && (isspace((unsigned char)s[i]) || s[i] == '=' ||
                            s[i] == '"' || s[i] == '\''))
            i++;
        while (i + *len < n && (isalnum((unsigned char)s[i + *len]) ||
                                   strchr("-_", s[i + *len])) &&
               s[i + *len])
            ++*len;
        return s + i;
    }
    return NULL;
}

static enum charset find_charset(
    const char *bytes, size_t len, const char *type)
{
    size_t n;
    const char *name;
    if (len >= 2 && memcmp(bytes, "\xFF\xFE", 2) == 0)
        return UTF_16_LE;
    if (len >= 2 && memcmp(bytes, "\xFE\xFF", 2) == 0)
        return UTF_16_BE;
    if (len >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0)
        return UTF_8;
    name = type ? find_name(type, strlen(type), &n) : NULL;
    if (name && n > 0)
        return charset_named(name, n);
    name = find_name(bytes, len < 1024 ? len : 1024, &n);
    if (name && n > 0) { /* what a <meta> says of UTF-16 cannot be true */
        enum charset c = charset_named(name, n);
        return c == LATIN || c == LATIN_9 ? c : UTF_8;
    }
    return UTF_8;
}

static bool read_latin(
    struct er_buf *out, const char *bytes, size_t len, bool nine)
{
    static const struct {
        unsigned char byte;
        unsigned code;
    } others[] = {{0xa4, 0x20ac}, {0xa6, 0x160}, {0xa8, 0x161},
        {0xb4, 0x17d}, {0xb8, 0x17e}, {0xbc, 0x152}, {0xbd, 0x153},
        {0xbe, 0x178}};
    for (size_t i = 0; i < len && !out->failed; i++) {
        unsigned char c = (unsigned char)bytes[i];
        char utf8[4];
        unsigned long code = c ? er_html_meant(c) : ' ';
        for (size_t k = 0; nine && k < 8; k++)
            if (others[k].byte == c)
                code = others[k].code;
        er_buf_add(out, utf8, er_html_utf8(code, utf8));
    }
    return !out->failed;
}

static bool read_utf16(
    struct er_buf *out, const char *bytes, size_t len, bool big)
{
    const unsigned char *s = (const unsigned char *)bytes;
    for (size_t i = 0; i + 1 < len && !out->failed; i += 2) {
        unsigned long unit = big ? (unsigned)(s[i] << 8 | s[i + 1])
                                 : (unsigned)(s[i + 1] << 8 | s[i]);
        char utf8[4];
        if (unit >= 0xd800 && unit < 0xdc00 && i + 3 < len) {
            unsigned long low = big ? (unsigned)(s[i + 2] << 8 | s[i + 3])
                                    : (unsigned)(s[i + 3] << 8 | s[i + 2]);
            if (low >= 0xdc00 && low < 0xe000) {
                unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                i += 2;
            }
        }
        if (unit != 0xfeff)
            er_buf_add(out, utf8, er_html_utf8(unit, utf8));
    }
    return !out->failed;
}

bool er_charset_read(
    struct er_buf *out, const char *bytes, size_t len, const char *type)
{
    enum charset charset = find_charset(bytes, len, type);
    if (charset == UTF_16_LE || charset == UTF_16_BE)
        return read_utf16(out, bytes, len, charset == UTF_16_BE);
    if (charset != UTF_8)
        return read_latin(out, bytes, len, charset == LATIN_9);
    if (len >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0) {
        bytes += 3;
        len -= 3;
    }
    return er_text_scrub(out, bytes, len);
}
