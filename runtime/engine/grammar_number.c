/* Numbers within bounds, as patterns over their decimal digits.
 *
 * A bound is taken as decimal text, so that 0.1 means what its author wrote.
 * Exponents are allowed only where there are no bounds; whole numbers keep
 * to 18 digits, so that every reader can hold them, and no small model runs
 * on for ever.
 */
#include "engine/grammar_number.h"

#include "base/buf.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Places behind the point: so few that a double still tells a number from
 * the bound that it must not reach. */
enum { DIGITS = 18, PLACES = 9 };

/* A bound's absolute value: digits before and behind the point. */
struct decimal {
    char whole[DIGITS + 2];
    char part[40];
    bool negative, huge, zero;
};

/* Shortest text that reads back as f, without exponent. */
static void decimal_of(double f, struct decimal *d)
{
    char text[64];
    double a = fabs(f);
    memset(d, 0, sizeof *d);
    d->negative = f < 0;
    d->zero = !(a > 0);
    d->huge = !(a < 1e18);
    if (d->huge)
        return;
    for (int digits = 0; digits <= 30; digits++) {
        snprintf(text, sizeof text, "%.*f", digits, a);
        double back = strtod(text, NULL);
        if (!(back < a) && !(back > a))
            break;
    }
    size_t n = strspn(text, "0123456789");
    memcpy(d->whole, text, n < DIGITS + 1 ? n : DIGITS + 1);
    if (text[n])
        snprintf(d->part, sizeof d->part, "%s", text + n + 1);
    for (size_t k = strlen(d->part); k > 0 && d->part[k - 1] == '0';)
        d->part[--k] = '\0';
}

static void class_of(struct er_buf *b, int lo, int hi)
{
    if (lo <= hi)
        er_buf_addf(b, lo == hi ? "%d" : "[%d-%d]", lo, hi);
    else
        er_buf_adds(b, "[]");
}

/* Whole numbers of as many digits as w that are >= w (more: any greater
 * length too, up to DIGITS), or <= w. */
static void same_length(struct er_buf *b, const char *w, bool above)
{
    size_t n = strlen(w);
    for (size_t i = 0; i < n; i++) {
        int d = w[i] - '0', lo = above ? d + 1 : (i == 0 && n > 1);
        int hi = above ? 9 : d - 1;
        if (lo > hi)
            continue;
        er_buf_addf(b, "%.*s", (int)i, w);
        class_of(b, lo, hi);
        er_buf_addf(b, "[0-9]{%zu}|", n - i - 1);
    }
}

/* Whole numbers > w or < w, each followed by tail; ends in "|" or is "". */
static void beyond(
    struct er_buf *b, const char *w, bool above, const char *tail)
{
    size_t n = strlen(w);
    er_buf_adds(b, "(?:(?:");
    same_length(b, w, above);
    if (above && n < DIGITS)
        er_buf_addf(b, "[1-9][0-9]{%zu,%d}|", n, DIGITS - 1);
    if (!above && n > 1)
        er_buf_addf(b, "0|[1-9][0-9]{0,%zu}|", n - 2);
    er_buf_addf(b, "[])%s)|", tail);
}

/* Fractions 0.f against 0.F, digits behind the point: f > F or f < F; or
 * equal, with zeros, when allowed. Needs at least one digit. */
static void fraction(
    struct er_buf *b, const char *part, bool above, bool equal)
{
    size_t n = strlen(part);
    er_buf_adds(b, "(?:");
    for (size_t i = 0; i < n; i++) {
        int d = part[i] - '0';
        if (above ? d == 9 : d == 0)
            continue;
        er_buf_addf(b, "%.*s", (int)i, part);
        class_of(b, above ? d + 1 : 0, above ? 9 : d - 1);
        er_buf_adds(b, "[0-9]{0,9}|");
    }
    if (above && n < PLACES)
        er_buf_addf(b, "%s0{0,%zu}[1-9][0-9]{0,9}|", part, PLACES - n - 1);
    for (size_t i = 1; !above && i < n; i++)
        er_buf_addf(b, "%.*s|", (int)i, part); /* shorter is smaller */
    if (equal && n)
        er_buf_addf(b, "%s0{0,9}|", part);
    if (equal && !n)
        er_buf_adds(b, "0{1,9}|");
    er_buf_adds(b, "[])");
}

/* Absolute values above or below a bound. */
static void side(struct er_buf *b, const struct decimal *d, bool above,
    bool equal, bool whole)
{
    bool exact = d->part[0] == '\0';
    er_buf_adds(b, "(?:");
    if (d->huge) {
        if (!above)
            er_buf_addf(b, "(?:0|[1-9][0-9]{0,%d})%s|", DIGITS - 1,
                whole ? "" : "(?:\\.[0-9]{1,9})?");
        er_buf_adds(b, "[])");
        return;
    }
    beyond(b, d->whole, above, whole ? "" : "(?:\\.[0-9]{1,9})?");
    if ((exact && equal) || (!exact && !above))
        er_buf_addf(b, "%s|", d->whole);
    if (!whole) {
        er_buf_addf(b, "%s\\.", d->whole);
        fraction(b, d->part, above, equal);
        er_buf_adds(b, "|");
    }
    er_buf_adds(b, "[])");
}

static const struct er_dfa *pattern_of(
    struct er_dfa_maker *m, struct er_buf *b)
{
    const struct er_dfa *d = NULL;
    if (b->failed)
        m->nomem = true;
    else
        d = er_dfa_pattern(m, b->data, b->len, false);
    er_buf_release(b);
    return d;
}

/* Numbers on one side of a bound. */
static const struct er_dfa *bound(struct er_dfa_maker *m, double f,
    bool least, bool equal, bool whole)
{
    static const char any_whole[] = "(?:0|[1-9][0-9]{0,17})";
    static const char any_part[] = "(?:\\.[0-9]{1,9})?";
    static const char below_zero[] = "(?:0\\.0{0,9}[1-9][0-9]{0,9}|"
        "[1-9][0-9]{0,17}(?:\\.[0-9]{1,9})?)";
    struct decimal d;
    struct er_buf b;
    decimal_of(f, &d);
    er_buf_init(&b, 1 << 16);
    const char *minus = whole ? "-[1-9][0-9]{0,17}" : NULL;
    if (least && d.negative) { /* every n >= 0, and -|x| with |x| <= |f| */
        er_buf_addf(&b, "%s%s|-", any_whole, whole ? "" : any_part);
        side(&b, &d, false, equal, whole);
    } else if (least) {
        side(&b, &d, true, equal, whole);
    } else if (!d.negative) {
        side(&b, &d, false, equal, whole);
        if (minus)
            er_buf_addf(&b, "|%s", minus);
        else
            er_buf_addf(&b, "|-%s", below_zero);
    } else {
        er_buf_adds(&b, "-");
        side(&b, &d, true, equal, whole);
    }
    return pattern_of(m, &b);
}

const struct er_dfa *er_grammar_number(
    struct er_dfa_maker *m, const struct er_number *n)
{
    static const char plain[] = "-?(?:0|[1-9][0-9]{0,17})"
        "(?:\\.[0-9]{1,20})?(?:[eE][+-]?(?:[0-9]{1,2}|[12][0-8][0-9]))?";
    static const char plain_whole[] = "-?(?:0|[1-9][0-9]{0,17})";
    /* With bounds: the same without exponents, and -0 is not written. */
    static const char bounded[] =
        "(?:0|[1-9][0-9]{0,17})(?:\\.[0-9]{1,9})?|"
        "-(?:0\\.0{0,9}[1-9][0-9]{0,9}|"
        "[1-9][0-9]{0,17}(?:\\.[0-9]{1,9})?)";
    static const char bounded_whole[] =
        "0|[1-9][0-9]{0,17}|-[1-9][0-9]{0,17}";
    /* A multiple has to be exact: no more digits than a double holds. */
    static const char stepped[] =
        "(?:0|[1-9][0-9]{0,13})(?:\\.[0-9]{1,9})?|"
        "-(?:0\\.0{0,9}[1-9][0-9]{0,9}|"
        "[1-9][0-9]{0,13}(?:\\.[0-9]{1,9})?)";
    bool bounds = n->has_min || n->has_max || n->step;
    const char *base = bounds ? (n->whole ? bounded_whole : bounded)
                              : (n->whole ? plain_whole : plain);
    if (n->step && !n->whole)
        base = stepped;
    const struct er_dfa *d = er_dfa_pattern(m, base, strlen(base), false);
    if (n->has_min)
        d = er_dfa_meet(
            m, d, bound(m, n->min, true, !n->above_min, n->whole));
    if (n->has_max)
        d = er_dfa_meet(
            m, d, bound(m, n->max, false, !n->below_max, n->whole));
    if (n->step)
        d = er_dfa_meet(m, d, er_dfa_multiple(m, n->step, n->scale));
    return d;
}

/* --- multiples */

struct multiple {
    struct er_dfa_build b;
    uint32_t step;
    unsigned scale;
};

static uint32_t shifted(uint32_t rest, unsigned digits, uint32_t step)
{
    for (; digits > 0; digits--)
        rest = rest * 10 % step;
    return rest;
}

/* Rows of states, `step` each: digits before the point; behind it, one row
 * per place; the last place again for further zeros. */
static uint16_t row(const struct multiple *x, unsigned i, uint32_t rest)
{
    return (uint16_t)(2 + i * x->step + rest);
}

static void digits_to(struct multiple *x, uint16_t from, unsigned i,
    uint32_t rest)
{
    for (uint8_t c = 0; c < 10; c++)
        er_dfa_add_edge(&x->b, from, (uint8_t)('0' + c),
            (uint8_t)('0' + c), row(x, i, (rest * 10 + c) % x->step));
}

const struct er_dfa *er_dfa_multiple(
    struct er_dfa_maker *m, uint32_t step, unsigned scale)
{
    struct multiple x = {.b = {.m = m}, .step = step, .scale = scale};
    unsigned rows = scale + 3;
    if (m->nomem || m->refused)
        return NULL;
    if (step == 0 || scale > 12 || step > ER_DFA_MAX_STATES / rows) {
        m->refused = true;
        return NULL;
    }
    er_dfa_add_state(&x.b, false);
    er_dfa_add_state(&x.b, false);
    for (unsigned i = 0; i < rows; i++)
        for (uint32_t rest = 0; rest < step; rest++) {
            unsigned place = i == 0 ? 0 : i - 1;
            bool digit = i != 1; /* row 1: just behind the point */
            er_dfa_add_state(&x.b, digit && shifted(rest,
                scale - (place > scale ? scale : place), step) == 0);
        }
    er_dfa_add_edge(&x.b, 0, '-', '-', 1);
    digits_to(&x, 0, 0, 0);
    digits_to(&x, 1, 0, 0);
    for (uint32_t rest = 0; rest < step; rest++) {
        er_dfa_add_edge(&x.b, row(&x, 0, rest), '.', '.', row(&x, 1, rest));
        digits_to(&x, row(&x, 0, rest), 0, rest);
        for (unsigned i = 1; i <= scale; i++)
            digits_to(&x, row(&x, i, rest), i + 1, rest);
        for (unsigned i = scale + 1; i < rows; i++)
            er_dfa_add_edge(&x.b, row(&x, i, rest), '0', '0',
                row(&x, scale + 2, rest));
    }
    return er_dfa_finish(&x.b);
}
