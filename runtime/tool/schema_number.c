/* Exact comparison, division and equality of JSON values. */
#include "tool/schema_number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__extension__ typedef unsigned __int128 wide;

enum { MAX_DEPTH = 1024 };

static const double TWO_63 = 9223372036854775808.0;

bool er_real_is_whole(double d) { return isfinite(d) && d == trunc(d); }

static int cmp_int_real(json_int_t i, double d)
{
    if (d >= TWO_63)
        return -1;
    if (d < -TWO_63)
        return 1;
    json_int_t t = (json_int_t)d; /* toward zero */
    if (i != t)
        return i < t ? -1 : 1;
    double rest = d - (double)t;
    return rest > 0 ? -1 : rest < 0 ? 1 : 0;
}

int er_number_cmp(const json_t *a, const json_t *b)
{
    if (json_is_integer(a) && json_is_integer(b)) {
        json_int_t x = json_integer_value(a), y = json_integer_value(b);
        return x < y ? -1 : x > y ? 1 : 0;
    }
    if (json_is_integer(a))
        return cmp_int_real(json_integer_value(a), json_real_value(b));
    if (json_is_integer(b))
        return -cmp_int_real(json_integer_value(b), json_real_value(a));
    double x = json_real_value(a), y = json_real_value(b);
    return x < y ? -1 : x > y ? 1 : 0;
}

static void normalize(struct er_decimal *d)
{
    if (d->digits == 0)
        d->exp = 0;
    while (d->digits && d->digits % 10 == 0) {
        d->digits /= 10;
        d->exp++;
    }
}

bool er_decimal_read(const char *s, size_t len, struct er_decimal *out)
{
    struct er_decimal d = {0};
    size_t i = 0;
    bool point = false;
    long exp = 0;
    if (i < len && s[i] == '-') {
        d.negative = true;
        i++;
    }
    for (; i < len && s[i] != 'e' && s[i] != 'E'; i++) {
        if (s[i] < '0' || s[i] > '9') { /* the point, of any locale */
            point = true;
            continue;
        }
        unsigned digit = (unsigned)(s[i] - '0');
        exp -= point;
        if (d.digits > (UINT64_MAX - digit) / 10)
            return false;
        d.digits = d.digits * 10 + digit;
    }
    if (i < len) {
        char text[16] = "";
        if (len - i - 1 >= sizeof text)
            return false;
        memcpy(text, s + i + 1, len - i - 1);
        exp += strtol(text, NULL, 10);
    }
    if (exp < -100000 || exp > 100000)
        return false;
    d.exp = (int)exp;
    normalize(&d);
    *out = d;
    return true;
}

struct er_decimal er_decimal_of_real(double r)
{
    struct er_decimal d = {0};
    char text[64];
    for (int precision = 14; precision <= 16; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, r);
        if (strtod(text, NULL) == r)
            break;
    }
    (void)er_decimal_read(text, strlen(text), &d); /* 17 digits fit */
    return d;
}

struct er_decimal er_decimal_of(const json_t *number)
{
    if (json_is_real(number))
        return er_decimal_of_real(json_real_value(number));
    json_int_t i = json_integer_value(number);
    struct er_decimal d = {.negative = i < 0};
    d.digits = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
    normalize(&d);
    return d;
}

bool er_decimal_divides(struct er_decimal a, struct er_decimal b)
{
    if (a.digits == 0)
        return true;
    if (b.digits == 0 || a.exp < b.exp) /* a.digits has no factor 10 left */
        return false;
    uint64_t rest = a.digits % b.digits;
    for (int i = a.exp - b.exp; i > 0 && rest; i--)
        rest = (uint64_t)((wide)rest * 10 % b.digits);
    return rest == 0;
}

static bool take(size_t *steps, size_t n)
{
    if (*steps < n) {
        *steps = 0;
        return false;
    }
    *steps -= n;
    return true;
}

static bool same(const json_t *a, const json_t *b, size_t *steps, int depth);

static bool same_object(
    const json_t *a, const json_t *b, size_t *steps, int depth)
{
    if (json_object_size(a) != json_object_size(b))
        return false;
    void *it = json_object_iter((json_t *)a);
    for (; it; it = json_object_iter_next((json_t *)a, it)) {
        const json_t *other = json_object_getn(
            b, json_object_iter_key(it), json_object_iter_key_len(it));
        if (!other || !same(json_object_iter_value(it), other, steps, depth))
            return false;
    }
    return true;
}

static bool same_array(
    const json_t *a, const json_t *b, size_t *steps, int depth)
{
    size_t n = json_array_size(a);
    if (n != json_array_size(b))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!same(json_array_get(a, i), json_array_get(b, i), steps, depth))
            return false;
    return true;
}

static bool same(const json_t *a, const json_t *b, size_t *steps, int depth)
{
    if (!take(steps, 1))
        return false;
    if (depth > MAX_DEPTH) {
        *steps = 0;
        return false;
    }
    if (json_is_number(a) && json_is_number(b))
        return er_number_cmp(a, b) == 0;
    if (json_typeof(a) != json_typeof(b))
        return false;
    if (json_is_string(a)) {
        size_t n = json_string_length(a);
        return n == json_string_length(b) && take(steps, n / 128) &&
               memcmp(json_string_value(a), json_string_value(b), n) == 0;
    }
    if (json_is_array(a))
        return same_array(a, b, steps, depth + 1);
    if (json_is_object(a))
        return same_object(a, b, steps, depth + 1);
    return true;
}

bool er_value_same(const json_t *a, const json_t *b, size_t *steps)
{
    return same(a, b, steps, 0);
}

static uint64_t mix(uint64_t h, uint64_t x)
{
    h ^= x;
    h *= 0x9E3779B97F4A7C15u;
    return h ^ (h >> 29);
}

static uint64_t hash_bytes(const char *s, size_t n)
{
    uint64_t h = n + 1;
    for (size_t i = 0; i < n; i++)
        h = mix(h, (unsigned char)s[i]);
    return h;
}

/* Integers beyond 2^53 may share a hash; equality is looked at anyway. */
static uint64_t hash_number(const json_t *v)
{
    double d = json_number_value(v);
    uint64_t bits;
    if (d == 0)
        d = 0; /* -0.0 */
    memcpy(&bits, &d, sizeof bits);
    return mix(7, bits);
}

static uint64_t hash(const json_t *v, size_t *steps, int depth)
{
    if (!take(steps, 1 + json_string_length(v) / 16) || depth > MAX_DEPTH) {
        *steps = 0;
        return 0;
    }
    if (json_is_number(v))
        return hash_number(v);
    if (json_is_string(v))
        return hash_bytes(json_string_value(v), json_string_length(v));
    uint64_t h = (uint64_t)json_typeof(v) + 11;
    if (json_is_array(v))
        for (size_t i = 0; i < json_array_size(v); i++)
            h = mix(h, hash(json_array_get(v, i), steps, depth + 1));
    if (!json_is_object(v))
        return h;
    void *it = json_object_iter((json_t *)v);
    for (; it; it = json_object_iter_next((json_t *)v, it)) /* any order */
        h += mix(hash_bytes(json_object_iter_key(it),
                     json_object_iter_key_len(it)),
            hash(json_object_iter_value(it), steps, depth + 1));
    return h;
}

uint64_t er_value_hash(const json_t *v, size_t *steps)
{
    return hash(v, steps, 0);
}
