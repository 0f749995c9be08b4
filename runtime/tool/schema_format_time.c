/* Dates, times and durations (RFC 3339). */
#include "tool/schema_format.h"

#include <string.h>

#define UNUSED(x) (void)(x)

struct reader {
    const char *s;
    size_t len, i;
};

static bool eat(struct reader *r, const char *any_of)
{
    if (r->i == r->len || !r->s[r->i] || !strchr(any_of, r->s[r->i]))
        return false;
    r->i++;
    return true;
}

/* Exactly count digits with a value up to max; -1 else. */
static int number(struct reader *r, int count, int max)
{
    int v = 0;
    for (; count > 0; count--, r->i++) {
        if (r->i == r->len || r->s[r->i] < '0' || r->s[r->i] > '9')
            return -1;
        v = v * 10 + (r->s[r->i] - '0');
    }
    return v <= max ? v : -1;
}

static bool some_digits(struct reader *r)
{
    size_t from = r->i;
    while (r->i < r->len && r->s[r->i] >= '0' && r->s[r->i] <= '9')
        r->i++;
    return r->i > from;
}

static bool date(struct reader *r)
{
    static const int days[] = {
        31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int y = number(r, 4, 9999);
    int m = y >= 0 && eat(r, "-") ? number(r, 2, 12) : -1;
    int d = m >= 1 && eat(r, "-") ? number(r, 2, 31) : -1;
    if (d < 1)
        return false;
    bool leap = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
    return d <= days[m - 1] + (m == 2 && leap);
}

/* A leap second is the last of a day in UTC. */
static bool time_of_day(struct reader *r)
{
    int h = number(r, 2, 23);
    int m = h >= 0 && eat(r, ":") ? number(r, 2, 59) : -1;
    int s = m >= 0 && eat(r, ":") ? number(r, 2, 60) : -1;
    int minutes = h * 60 + m;
    if (s < 0 || (eat(r, ".") && !some_digits(r)))
        return false;
    if (!eat(r, "Zz")) {
        bool east = r->i < r->len && r->s[r->i] == '+';
        if (!eat(r, "+-"))
            return false;
        int oh = number(r, 2, 23);
        int om = oh >= 0 && eat(r, ":") ? number(r, 2, 59) : -1;
        if (om < 0)
            return false;
        minutes += (east ? -1 : 1) * (oh * 60 + om);
    }
    return s < 60 || (minutes + 2880) % 1440 == 1439;
}

bool er_format_date(const char *s, size_t len, const struct er_idna *idna)
{
    UNUSED(idna);
    struct reader r = {s, len, 0};
    return date(&r) && r.i == len;
}

bool er_format_time(const char *s, size_t len, const struct er_idna *idna)
{
    UNUSED(idna);
    struct reader r = {s, len, 0};
    return time_of_day(&r) && r.i == len;
}

bool er_format_date_time(
    const char *s, size_t len, const struct er_idna *idna)
{
    UNUSED(idna);
    struct reader r = {s, len, 0};
    return date(&r) && eat(&r, "Tt") && time_of_day(&r) && r.i == len;
}

/* Numbers with units, each unit the next of the list: RFC 3339 lets none be
 * left out between the first and the last. How many, or -1. */
static int units(struct reader *r, const char *order)
{
    const char *next = NULL;
    int n = 0;
    for (; r->i < r->len && r->s[r->i] != 'T'; n++) {
        if (!some_digits(r) || r->i == r->len || !r->s[r->i])
            return -1;
        const char *unit = strchr(order, r->s[r->i++]);
        if (!unit || (next && unit != next))
            return -1;
        next = unit + 1;
    }
    return n;
}

bool er_format_duration(const char *s, size_t len, const struct er_idna *idna)
{
    UNUSED(idna);
    struct reader r = {s, len, 0};
    if (!eat(&r, "P"))
        return false;
    if (some_digits(&r) && eat(&r, "W"))
        return r.i == len;
    r.i = 1;
    int days = units(&r, "YMD");
    if (days < 0)
        return false;
    if (!eat(&r, "T"))
        return days > 0;
    return units(&r, "HMS") > 0 && r.i == len;
}
