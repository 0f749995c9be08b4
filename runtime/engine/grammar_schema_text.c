/* Texts: patterns, formats, lengths, excluded values, as one automaton. */
#include "engine/grammar_schema.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- automata by name, each made once */

static struct er_gdfa_memo *memo(struct er_gbuild *b, const char *key)
{
    for (size_t i = 0; i < b->n_memo; i++)
        if (strcmp(b->memo[i].key, key) == 0)
            return &b->memo[i];
    if (b->n_memo == b->cap_memo) {
        size_t cap = b->cap_memo ? b->cap_memo * 2 : 16;
        struct er_gdfa_memo *more =
            er_arena_alloc(&b->arena, cap * sizeof *more);
        if (!more) {
            b->g->nomem = true;
            return NULL;
        }
        if (b->n_memo)
            memcpy(more, b->memo, b->n_memo * sizeof *more);
        b->memo = more;
        b->cap_memo = cap;
    }
    struct er_gdfa_memo *m = &b->memo[b->n_memo];
    m->key = er_arena_str(&b->arena, key);
    m->d = NULL;
    if (!m->key) {
        b->g->nomem = true;
        return NULL;
    }
    b->n_memo++;
    return m;
}

static bool is_new(struct er_gbuild *b, size_t before)
{
    return b->n_memo > before;
}

/* A refusal concerns one automaton; no memory concerns all. */
static const struct er_dfa *settle(
    struct er_gbuild *b, const struct er_dfa *d)
{
    b->maker.refused = false;
    b->g->nomem = b->g->nomem || b->maker.nomem;
    return d;
}

static const struct er_dfa *made(struct er_gbuild *b, const char *kind,
    const char *name, const char *pattern, bool search)
{
    char *key = er_arena_alloc(&b->arena, strlen(kind) + strlen(name) + 1);
    if (!key) {
        b->g->nomem = true;
        return NULL;
    }
    memcpy(key, kind, strlen(kind));
    memcpy(key + strlen(kind), name, strlen(name));
    size_t before = b->n_memo;
    struct er_gdfa_memo *m = memo(b, key);
    if (m && is_new(b, before))
        m->d = settle(b,
            er_dfa_pattern(&b->maker, pattern, strlen(pattern), search));
    return m ? m->d : NULL;
}

const struct er_dfa *er_gs_pattern(struct er_gbuild *b, const char *pattern)
{
    return made(b, "p", pattern, pattern, true);
}

/* --- formats */

#define MONTHS_31 "(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])"
#define MONTHS_30 "(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)"
#define LEAP_YEAR "(?:\\d\\d(?:0[48]|[2468][048]|[13579][26])|" \
    "(?:[02468][048]|[13579][26])00)"
#define DATE "(?:\\d{4}-(?:" MONTHS_31 "|" MONTHS_30 \
    "|02-(?:0[1-9]|1\\d|2[0-8]))|" LEAP_YEAR "-02-29)"
#define CLOCK "(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,9})?"
#define ZONE "(?:[zZ]|[+-](?:[01]\\d|2[0-3]):[0-5]\\d)"
#define LABEL "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
#define BYTE "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)"
#define IPV4 BYTE "(?:\\." BYTE "){3}"
#define H16 "[0-9A-Fa-f]{1,4}"
#define HEX "[0-9A-Fa-f]"
#define ATOM "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
#define PCT "%" HEX HEX
#define UNRES "[A-Za-z0-9._~-]"
#define SUB "[!$&'()*+,;=]"
#define PCHAR "(?:" UNRES "|" PCT "|" SUB "|[:@])"
#define URI_TAIL "(?:\\?(?:" PCHAR "|[/?])*)?(?:#(?:" PCHAR "|[/?])*)?"
#define URI_HOST "(?:\\[" HEX "*:[0-9A-Fa-f:.]*\\]|(?:" UNRES "|" PCT \
    "|" SUB ")*)"
#define URI_AUTH "(?:(?:" UNRES "|" PCT "|" SUB "|:)*@)?" URI_HOST \
    "(?::\\d{0,5})?"
#define URI "[A-Za-z][A-Za-z0-9+.-]*:(?://" URI_AUTH "(?:/" PCHAR \
    "*)*|/(?:" PCHAR "+(?:/" PCHAR "*)*)?|" PCHAR "+(?:/" PCHAR \
    "*)*|)" URI_TAIL
#define PART_NC "(?:" UNRES "|" PCT "|" SUB "|@)"
#define URI_REF "(?:" URI "|(?://" URI_AUTH "(?:/" PCHAR "*)*|/(?:" PCHAR \
    "+(?:/" PCHAR "*)*)?|" PART_NC "+(?:/" PCHAR "*)*|)" URI_TAIL ")"

static const struct {
    const char *name, *pattern;
} formats[] = {
    {"date", DATE},
    {"time", CLOCK ZONE},
    {"date-time", DATE "[tT]" CLOCK ZONE},
    {"duration", "P(?:\\d{1,9}W|(?:\\d{1,9}Y(?:\\d{1,9}M(?:\\d{1,9}D)?)?|"
        "\\d{1,9}M(?:\\d{1,9}D)?|\\d{1,9}D)(?:T(?:\\d{1,9}H(?:\\d{1,9}M"
        "(?:\\d{1,9}S)?)?|\\d{1,9}M(?:\\d{1,9}S)?|\\d{1,9}S))?|"
        "T(?:\\d{1,9}H(?:\\d{1,9}M(?:\\d{1,9}S)?)?|\\d{1,9}M"
        "(?:\\d{1,9}S)?|\\d{1,9}S))"},
    {"email", ATOM "(?:\\." ATOM ")*@(?:" LABEL "(?:\\." LABEL ")*|"
        "\\[" IPV4 "\\])"},
    {"hostname", LABEL "(?:\\." LABEL ")*"},
    {"ipv4", IPV4},
    {"ipv6", "(?:(?:" H16 ":){7}" H16 "|(?:" H16 ":){6}" IPV4
        "|(?:" H16 ":){1,7}:|(?:" H16 ":){1,6}:" H16
        "|(?:" H16 ":){1,5}(?::" H16 "){2}|(?:" H16 ":){1,4}(?::" H16
        "){3}|(?:" H16 ":){1,3}(?::" H16 "){4}|(?:" H16 ":){1,2}(?::" H16
        "){5}|" H16 ":(?::" H16 "){6}|:(?:(?::" H16 "){1,7}|:))"},
    {"uuid", HEX "{8}-" HEX "{4}-" HEX "{4}-" HEX "{4}-" HEX "{12}"},
    {"uri", URI},
    {"uri-reference", URI_REF},
    {"json-pointer", "(?:/(?:[^~/]|~[01])*)*"},
};

/* What is asserted elsewhere and has no automaton here. */
static const char *const other_formats[] = {"idn-email", "idn-hostname",
    "iri", "iri-reference", "uri-template", "regex",
    "relative-json-pointer"};

const struct er_dfa *er_gs_format(struct er_gbuild *b, const char *format)
{
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
        if (strcmp(formats[i].name, format) == 0)
            return made(b, "f", format, formats[i].pattern, false);
    return NULL;
}

static bool is_other_format(const char *format)
{
    for (size_t i = 0; i < sizeof other_formats / sizeof *other_formats; i++)
        if (strcmp(other_formats[i], format) == 0)
            return true;
    return false;
}

/* --- one automaton of many */

const struct er_dfa *er_gs_meet(struct er_gbuild *b, const struct er_dfa *x,
    const struct er_dfa *y, bool without, const char *keyword)
{
    if (!x || !y)
        return x;
    if (x == b->any && !without)
        return y;
    const struct er_dfa *d = settle(b, without
            ? er_dfa_without(&b->maker, x, y)
            : er_dfa_meet(&b->maker, x, y));
    if (d)
        return d;
    er_gs_unenforced(b, keyword);
    return x;
}

uint32_t er_gs_count(const json_t *schema, const char *key, uint32_t other)
{
    const json_t *v = json_object_get(schema, key);
    double f = json_number_value(v);
    if (!json_is_number(v) || f < 0)
        return other;
    return f >= 1e9 ? (other ? other : 1000000000u) : (uint32_t)ceil(f);
}

static void add_excluded(
    struct er_gbuild *b, const json_t *not, struct er_gtext *out)
{
    const json_t *one = json_object_get(not, "const");
    const json_t *list = json_object_get(not, "enum");
    size_t i, n = 0;
    json_t *v;
    struct er_dfa_text *texts = er_arena_alloc(
        &b->arena, (json_array_size(list) + 1) * sizeof *texts);
    if (!texts) {
        b->g->nomem = true;
        return;
    }
    if (json_is_string(one))
        texts[n++] = (struct er_dfa_text){
            json_string_value(one), json_string_length(one)};
    json_array_foreach(list, i, v)
        if (json_is_string(v))
            texts[n++] = (struct er_dfa_text){
                json_string_value(v), json_string_length(v)};
    if (n)
        out->d = er_gs_meet(b, out->d,
            settle(b, er_dfa_texts(&b->maker, texts, n)), true, "not");
}

static void add_text(
    struct er_gbuild *b, const json_t *s, struct er_gtext *out)
{
    const char *pattern = er_json_str(s, "pattern");
    const char *format = er_json_str(s, "format");
    uint32_t min = er_gs_count(s, "minLength", 0);
    uint32_t max = er_gs_count(s, "maxLength", UINT32_MAX);
    const struct er_dfa *d;
    out->min = min > out->min ? min : out->min;
    out->max = max < out->max ? max : out->max;
    if (pattern) {
        d = er_gs_pattern(b, pattern);
        if (!d)
            er_gs_unenforced(b, "pattern");
        out->d = er_gs_meet(b, out->d, d, false, "pattern");
    }
    if (format) {
        d = er_gs_format(b, format);
        if (!d && is_other_format(format))
            er_gs_unenforced(b, "format");
        out->d = er_gs_meet(b, out->d, d, false, "format");
    }
    if (json_object_get(s, "x-er-not"))
        add_excluded(b, json_object_get(s, "x-er-not"), out);
}

bool er_gs_text(struct er_gbuild *b, const struct er_gschemas *set,
    struct er_gtext *out)
{
    *out = (struct er_gtext){.d = b->any, .max = UINT32_MAX};
    for (size_t i = 0; i < set->n && !b->g->nomem; i++)
        add_text(b, set->s[i], out);
    return !b->g->nomem;
}

uint32_t er_gs_string(
    struct er_gbuild *b, const struct er_gschemas *set, uint32_t next)
{
    struct er_gtext t;
    if (!er_gs_text(b, set, &t))
        return ER_G_NONE;
    if (t.max == UINT32_MAX && b->opt.max_string)
        t.max = t.min > b->opt.max_string ? t.min : b->opt.max_string;
    return er_gprogram_text(b->g, "\"", 1,
        er_gprogram_string(b->g, t.d, t.min, t.max, next));
}

/* --- numbers */

/* A multiple as whole / 10^scale; false if it is none in reach. */
static bool decimal_step(double f, uint32_t *step, unsigned *scale)
{
    double scaled = f;
    *scale = 0;
    while (*scale < 9 && fabs(scaled - rint(scaled)) > 1e-9 * scaled)
        scaled = f * pow(10, (double)++*scale);
    if (*scale == 9 || !(scaled >= 0.5) || scaled > ER_DFA_MAX_STATES)
        return false;
    *step = (uint32_t)rint(scaled);
    return true;
}

static uint32_t common_divisor(uint32_t a, uint32_t b)
{
    while (b) {
        uint32_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static void add_step(
    struct er_gbuild *b, const json_t *s, struct er_number *n)
{
    const json_t *v = json_object_get(s, "multipleOf");
    uint32_t step = 1;
    unsigned scale = 0;
    if (!json_is_number(v) || !(json_number_value(v) > 0))
        return;
    bool ok = decimal_step(json_number_value(v), &step, &scale);
    uint64_t x = step, y = n->step ? n->step : step;
    for (unsigned i = scale; n->step && i < n->scale; i++)
        x *= 10;
    for (unsigned i = n->scale; n->step && i < scale; i++)
        y *= 10;
    scale = n->step && n->scale > scale ? n->scale : scale;
    ok = ok && x < UINT32_MAX && y < UINT32_MAX;
    if (ok)
        x = x / common_divisor((uint32_t)x, (uint32_t)y) * y;
    if (!ok || x > ER_DFA_MAX_STATES / (scale + 3)) {
        er_gs_unenforced(b, "multipleOf");
        return;
    }
    bool all = x == 1 && scale == 0 && n->whole;
    n->step = all ? 0 : (uint32_t)x;
    n->scale = scale;
}

static void add_least(struct er_number *n, double f, bool above)
{
    if (!n->has_min || f > n->min || (!(f < n->min) && above)) {
        n->min = f;
        n->above_min = above;
    }
    n->has_min = true;
}

static void add_most(struct er_number *n, double f, bool below)
{
    if (!n->has_max || f < n->max || (!(f > n->max) && below)) {
        n->max = f;
        n->below_max = below;
    }
    n->has_max = true;
}

/* Draft 4 has exclusiveMinimum: true beside minimum. */
static void add_bounds(const json_t *s, struct er_number *n)
{
    const json_t *min = json_object_get(s, "minimum");
    const json_t *max = json_object_get(s, "maximum");
    const json_t *over = json_object_get(s, "exclusiveMinimum");
    const json_t *under = json_object_get(s, "exclusiveMaximum");
    if (json_is_number(min))
        add_least(n, json_number_value(min), json_is_true(over));
    if (json_is_number(max))
        add_most(n, json_number_value(max), json_is_true(under));
    if (json_is_number(over))
        add_least(n, json_number_value(over), true);
    if (json_is_number(under))
        add_most(n, json_number_value(under), true);
}

static bool excludes_numbers(const json_t *not)
{
    size_t i;
    json_t *v;
    json_array_foreach(json_object_get(not, "enum"), i, v)
        if (json_is_number(v))
            return true;
    return json_is_number(json_object_get(not, "const"));
}

uint32_t er_gs_number(struct er_gbuild *b, const struct er_gschemas *set,
    bool whole, uint32_t next)
{
    struct er_number n = {.whole = whole};
    char key[160];
    for (size_t i = 0; i < set->n; i++) {
        add_bounds(set->s[i], &n);
        add_step(b, set->s[i], &n);
        if (excludes_numbers(json_object_get(set->s[i], "x-er-not")))
            er_gs_unenforced(b, "not");
    }
    snprintf(key, sizeof key, "n%d%d%d%d%d %.17g %.17g %u %u", n.whole,
        n.has_min, n.above_min, n.has_max, n.below_max, n.min, n.max,
        n.step, n.scale);
    size_t before = b->n_memo;
    struct er_gdfa_memo *m = memo(b, key);
    if (m && is_new(b, before))
        m->d = settle(b, er_grammar_number(&b->maker, &n));
    if (m && !m->d && !b->g->nomem) {
        struct er_number plain = {.whole = whole};
        er_gs_unenforced(b, "multipleOf");
        m->d = settle(b, er_grammar_number(&b->maker, &plain));
    }
    return m ? er_gprogram_raw(b->g, m->d, next) : ER_G_NONE;
}
