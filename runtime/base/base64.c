/* Three bytes are four characters. */
#include "base/base64.h"

#include <stdint.h>
#include <string.h>

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool er_base64_add(struct er_buf *out, const void *bytes, size_t len)
{
    const unsigned char *s = bytes;
    if (!er_buf_reserve(out, (len / 3 + 1) * 4))
        return false;
    for (size_t i = 0; i < len; i += 3) {
        size_t n = len - i < 3 ? len - i : 3;
        uint32_t v = (uint32_t)s[i] << 16;
        v |= n > 1 ? (uint32_t)s[i + 1] << 8 : 0;
        v |= n > 2 ? (uint32_t)s[i + 2] : 0;
        char four[4] = {alphabet[v >> 18], alphabet[v >> 12 & 63],
            n > 1 ? alphabet[v >> 6 & 63] : '=',
            n > 2 ? alphabet[v & 63] : '='};
        er_buf_add(out, four, 4);
    }
    return !out->failed;
}

size_t er_base64_room(size_t len) { return len / 4 * 3 + 3; }

static int value_of(char c)
{
    const char *at = c ? strchr(alphabet, c) : NULL;
    return at ? (int)(at - alphabet) : -1;
}

bool er_base64_read(const char *text, size_t len, char *out, size_t *got)
{
    size_t n = 0;
    *got = 0;
    if (len % 4 != 0)
        return false;
    for (size_t i = 0; i < len; i += 4) {
        uint32_t v = 0;
        int pad = 0;
        for (size_t k = 0; k < 4; k++) {
            int one = value_of(text[i + k]);
            if (one < 0 && (text[i + k] != '=' || k < 2 || i + 4 < len))
                return false;
            if (one >= 0 && pad > 0)
                return false;
            pad += one < 0;
            v = v << 6 | (uint32_t)(one < 0 ? 0 : one);
        }
        for (int k = 0; k < 3 - pad; k++)
            out[n++] = (char)(v >> (16 - 8 * k) & 0xff);
    }
    *got = n;
    return true;
}
