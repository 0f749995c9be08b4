/* Punycode: both ways, over arrays of code points on the stack. */
#include "tool/schema_punycode.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum {
    BASE = 36, TMIN = 1, TMAX = 26, SKEW = 38, DAMP = 700,
    FIRST_BIAS = 72, FIRST_N = 128,
    MAX_POINTS = 256,
};

static const size_t TOO_LONG = SIZE_MAX / 2;

static uint32_t adapt(uint32_t delta, uint32_t points, bool first)
{
    uint32_t k = 0;
    delta = first ? delta / DAMP : delta / 2;
    delta += delta / points;
    for (; delta > (BASE - TMIN) * TMAX / 2; k += BASE)
        delta /= BASE - TMIN;
    return k + (BASE - TMIN + 1) * delta / (delta + SKEW);
}

static uint32_t threshold(uint32_t k, uint32_t bias)
{
    return k <= bias ? TMIN : k >= bias + TMAX ? TMAX : k - bias;
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0' + 26;
    c |= 0x20;
    return c >= 'a' && c <= 'z' ? c - 'a' : -1;
}

static char char_of(uint32_t d)
{
    return (char)(d < 26 ? 'a' + d : '0' + d - 26);
}

/* One generalised integer, added to *i; moves *at. */
static bool read_delta(const char *s, size_t len, size_t *at, uint32_t bias,
    uint32_t *i)
{
    uint32_t w = 1;
    for (uint32_t k = BASE;; k += BASE) {
        int d = *at < len ? digit_of(s[*at]) : -1;
        if (d < 0 || (uint32_t)d > (UINT32_MAX - *i) / w)
            return false;
        ++*at;
        *i += (uint32_t)d * w;
        uint32_t t = threshold(k, bias);
        if ((uint32_t)d < t)
            return true;
        if (w > UINT32_MAX / (BASE - t))
            return false;
        w *= BASE - t;
    }
}

static size_t decode(
    const char *s, size_t len, uint32_t out[MAX_POINTS])
{
    size_t basic = len, n_out = 0, at;
    while (basic > 0 && s[basic - 1] != '-')
        basic--;
    for (at = 0; at + 1 < basic; at++)
        out[n_out++] = (unsigned char)(s[at] >= 'A' && s[at] <= 'Z'
                                           ? s[at] | 0x20 : s[at]);
    uint32_t n = FIRST_N, i = 0, bias = FIRST_BIAS;
    for (at = basic; at < len; i++) {
        uint32_t old = i;
        if (!read_delta(s, len, &at, bias, &i) || n_out == MAX_POINTS)
            return 0;
        uint32_t points = (uint32_t)n_out + 1;
        bias = adapt(i - old, points, old == 0);
        if (i / points > 0x10FFFF - n)
            return 0;
        n += i / points;
        i %= points;
        if (n >= 0xD800 && n < 0xE000)
            return 0;
        memmove(out + i + 1, out + i, (n_out - i) * sizeof *out);
        out[i] = n;
        n_out++;
    }
    return n_out;
}

/* Append the digits of delta. */
static bool write_delta(
    char *out, size_t size, size_t *n, uint32_t delta, uint32_t bias)
{
    uint32_t q = delta;
    for (uint32_t k = BASE;; k += BASE) {
        uint32_t t = threshold(k, bias);
        if (*n == size)
            return false;
        if (q < t)
            break;
        out[(*n)++] = char_of(t + (q - t) % (BASE - t));
        q = (q - t) / (BASE - t);
    }
    out[(*n)++] = char_of(q);
    return true;
}

/* The least code point that is n or more. */
static uint32_t next_point(const uint32_t *p, size_t len, uint32_t n)
{
    uint32_t least = UINT32_MAX;
    for (size_t i = 0; i < len; i++)
        if (p[i] >= n && p[i] < least)
            least = p[i];
    return least;
}

static size_t encode(
    const uint32_t *p, size_t len, char *out, size_t size)
{
    size_t n_out = 0;
    for (size_t i = 0; i < len; i++)
        if (p[i] < 0x80 && n_out < size)
            out[n_out++] = (char)p[i];
    uint32_t basic = (uint32_t)n_out, done = basic;
    uint32_t n = FIRST_N, delta = 0, bias = FIRST_BIAS;
    if (basic && n_out < size)
        out[n_out++] = '-';
    while (done < len) {
        uint32_t m = next_point(p, len, n);
        if (m - n > (UINT32_MAX - delta) / (done + 1))
            return TOO_LONG;
        delta += (m - n) * (done + 1);
        n = m;
        for (size_t i = 0; i < len; i++) {
            delta += p[i] < n;
            if (p[i] != n)
                continue;
            if (!write_delta(out, size, &n_out, delta, bias))
                return TOO_LONG;
            bias = adapt(delta, done + 1, done == basic);
            delta = 0;
            done++;
        }
        delta++;
        n++;
    }
    return n_out;
}

static size_t put_utf8(char *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const unsigned char lead[] = {0, 0xC0, 0xE0, 0xF0};
    out[0] = (char)(lead[more] | c >> (6 * more));
    for (size_t i = 1; i <= more; i++)
        out[i] = (char)(0x80 | ((c >> (6 * (more - i))) & 0x3F));
    return more + 1;
}

size_t er_punycode_decode(
    const char *s, size_t len, char *out, size_t out_size)
{
    uint32_t points[MAX_POINTS];
    char again[MAX_POINTS];
    size_t total = 0, n = decode(s, len, points);
    bool ascii = true;
    for (size_t i = 0; i < n; i++)
        ascii = ascii && points[i] < 0x80;
    if (n == 0 || ascii || encode(points, n, again, sizeof again) != len)
        return 0;
    for (size_t i = 0; i < len; i++)
        if (again[i] != (s[i] >= 'A' && s[i] <= 'Z' ? s[i] | 0x20 : s[i]))
            return 0;
    for (size_t i = 0; i < n; i++) {
        if (out_size - total < 4)
            return 0;
        total += put_utf8(out + total, points[i]);
    }
    return total;
}

/* Code points of valid UTF-8; 0 if there are too many. */
static size_t points_of(
    const char *s, size_t len, uint32_t out[MAX_POINTS])
{
    size_t n = 0;
    for (size_t i = 0; i < len; n++) {
        unsigned char b = (unsigned char)s[i];
        size_t more = b < 0xC0 ? 0 : b < 0xE0 ? 1 : b < 0xF0 ? 2 : 3;
        if (n == MAX_POINTS || len - i <= more)
            return 0;
        out[n] = more ? b & (0x3Fu >> more) : b;
        for (size_t k = 1; k <= more; k++)
            out[n] = out[n] << 6 | ((unsigned char)s[i + k] & 0x3Fu);
        i += more + 1;
    }
    return n;
}

size_t er_punycode_length(const char *s, size_t len)
{
    uint32_t points[MAX_POINTS];
    char text[MAX_POINTS];
    size_t n = points_of(s, len, points);
    return n ? encode(points, n, text, sizeof text) : TOO_LONG;
}
