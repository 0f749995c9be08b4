/* GBNF: grammars in the notation of llama.cpp, for what no schema says.
 *
 * name ::= "text" [class] . name ( … ) | … with * + ? {n} {n,} {n,m} behind
 * an item; # begins a comment. A rule ends with its line, but inside of
 * brackets and behind | lines go on.
 */
#include "engine/grammar_program.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_SOURCE = 1 << 20, MAX_DEPTH = 100, MAX_TIMES = 100000 };

enum kind { TEXT, CLASS, NAME, SEQUENCE, CHOICE, REPEAT };

struct item {
    enum kind kind;
    struct item *first; /* of SEQUENCE, CHOICE, REPEAT */
    struct item *next;  /* sibling */
    const char *s;      /* TEXT */
    size_t n;
    const struct er_dfa *dfa; /* CLASS */
    uint32_t rule;            /* NAME */
    uint32_t min, max;        /* REPEAT */
};

struct rule {
    const char *name;
    size_t n;
    unsigned line; /* where it is first used */
    struct item *body;
};

struct reader {
    er_grammar *g;
    struct er_arena arena;
    struct er_dfa_maker maker;
    const char *s;
    size_t n, at;
    unsigned line, depth;
    struct rule *rule; /* as many as the program's */
    size_t cap;
    struct errand_error *err;
    bool failed;
};

static struct item *choice(struct reader *x, bool inside);

static void *fail(struct reader *x, const char *what)
{
    if (!x->failed)
        er_fail(x->err, ERRAND_SYNTAX, "grammar line %u: %s", x->line, what);
    if (!x->failed && x->err)
        x->err->at = x->line;
    x->failed = true;
    return NULL;
}

static void *get(struct reader *x, size_t size)
{
    void *p = er_arena_alloc(&x->arena, size);
    if (!p) {
        x->g->nomem = true;
        x->failed = true;
    }
    return p;
}

static struct item *make(struct reader *x, enum kind kind)
{
    struct item *i = get(x, sizeof *i);
    if (i)
        i->kind = kind;
    return i;
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* Blanks and comments; lines too when they may go on. */
static void space(struct reader *x, bool lines)
{
    while (x->at < x->n) {
        char c = x->s[x->at];
        if (c == '#') {
            while (x->at < x->n && x->s[x->at] != '\n')
                x->at++;
        } else if (c == ' ' || c == '\t' || c == '\r' ||
                   (c == '\n' && lines)) {
            x->line += c == '\n';
            x->at++;
        } else {
            return;
        }
    }
}

static bool take(struct reader *x, char c)
{
    bool yes = x->at < x->n && x->s[x->at] == c;
    x->at += yes;
    return yes;
}

/* The rule of this name, new if it was not heard of. */
static uint32_t rule_named(struct reader *x, const char *s, size_t n)
{
    size_t count = x->g->n_rules;
    for (size_t i = 0; i < count; i++)
        if (x->rule[i].n == n && memcmp(x->rule[i].name, s, n) == 0)
            return (uint32_t)i;
    if (count == x->cap) {
        size_t cap = x->cap ? x->cap * 2 : 32;
        struct rule *more = get(x, cap * sizeof *more);
        if (!more)
            return 0;
        if (count)
            memcpy(more, x->rule, count * sizeof *more);
        x->rule = more;
        x->cap = cap;
    }
    x->rule[count] = (struct rule){.name = s, .n = n, .line = x->line};
    return er_gprogram_rule(x->g);
}

/* --- items */

static size_t hex(const char *s, size_t n, size_t digits, uint32_t *out)
{
    *out = 0;
    if (digits > n)
        return 0;
    for (size_t i = 0; i < digits; i++) {
        char c = s[i];
        uint32_t v = c >= '0' && c <= '9' ? (uint32_t)(c - '0')
            : (c | 32) >= 'a' && (c | 32) <= 'f'
            ? (uint32_t)((c | 32) - 'a' + 10) : 99;
        if (v > 15)
            return 0;
        *out = *out << 4 | v;
    }
    return digits;
}

static size_t escape(struct reader *x, char out[4])
{
    static const char map[] = "n\nr\rt\t\\\\\"\"[[]]";
    char c = x->at < x->n ? x->s[x->at++] : '\0';
    size_t left = x->n - x->at;
    uint32_t code = 0;
    size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    for (size_t i = 0; i + 1 < sizeof map; i += 2)
        if (map[i] == c) {
            out[0] = map[i + 1];
            return 1;
        }
    if (!digits || !hex(x->s + x->at, left, digits, &code) ||
        code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) {
        fail(x, "an escape is not known; there are \\n \\r \\t \\\\ \\\" "
                "\\[ \\] \\xHH \\uHHHH");
        return 0;
    }
    x->at += digits;
    return er_utf8_put(code, out);
}

static struct item *text_item(struct reader *x)
{
    struct item *i = make(x, TEXT);
    char *s = get(x, x->n - x->at + 1);
    while (i && s && !x->failed && x->at < x->n && x->s[x->at] != '"') {
        if (x->s[x->at] == '\n')
            return fail(x, "a text is not closed: \" is missing");
        if (take(x, '\\'))
            i->n += escape(x, s + i->n);
        else
            s[i->n++] = x->s[x->at++];
    }
    if (!x->failed && !take(x, '"'))
        return fail(x, "a text is not closed: \" is missing");
    if (i)
        i->s = s;
    return i;
}

static struct item *class_item(struct reader *x)
{
    struct item *i = make(x, CLASS);
    size_t from = x->at - 1;
    while (x->at < x->n && x->s[x->at] != ']' && x->s[x->at] != '\n')
        x->at += x->s[x->at] == '\\' ? 2 : 1;
    if (x->at >= x->n || !take(x, ']'))
        return fail(x, "a class is not closed: ] is missing");
    if (i)
        i->dfa = er_dfa_pattern(
            &x->maker, x->s + from, x->at - from, false);
    return i && i->dfa ? i : fail(x, "a class cannot be read");
}

static struct item *one(struct reader *x)
{
    if (take(x, '"'))
        return text_item(x);
    if (take(x, '['))
        return class_item(x);
    if (take(x, '.')) {
        struct item *i = make(x, CLASS);
        if (i)
            i->dfa = er_dfa_pattern(&x->maker, "[^]", 3, false);
        return i;
    }
    if (take(x, '(')) {
        struct item *i = choice(x, true);
        space(x, true);
        return take(x, ')') ? i : fail(x, "a bracket is not closed: ) is "
                                          "missing");
    }
    size_t from = x->at;
    while (x->at < x->n && is_word(x->s[x->at]))
        x->at++;
    if (x->at == from)
        return fail(x, "expected a text, a class, a name or a bracket");
    struct item *i = make(x, NAME);
    if (i)
        i->rule = rule_named(x, x->s + from, x->at - from);
    return i;
}

static bool number(struct reader *x, uint32_t *out)
{
    size_t from = x->at;
    *out = 0;
    while (x->at < x->n && x->s[x->at] >= '0' && x->s[x->at] <= '9') {
        *out = *out * 10 + (uint32_t)(x->s[x->at++] - '0');
        if (*out > MAX_TIMES)
            fail(x, "a count is too large: at most 100000");
        if (x->failed)
            return false;
    }
    return x->at > from;
}

static bool times(struct reader *x, uint32_t *min, uint32_t *max)
{
    *min = *max = 1;
    if (take(x, '*') || take(x, '+')) {
        *min = x->s[x->at - 1] == '+';
        *max = UINT32_MAX;
        return true;
    }
    if (take(x, '?')) {
        *min = 0;
        return true;
    }
    if (!take(x, '{'))
        return false;
    bool ok = number(x, min);
    *max = *min;
    if (take(x, ',') && !number(x, max))
        *max = UINT32_MAX;
    if (!ok || *max < *min || !take(x, '}'))
        fail(x, "a count is {n}, {n,} or {n,m}");
    return true;
}

static bool starts_rule(const struct reader *x)
{
    size_t at = x->at;
    while (at < x->n && is_word(x->s[at]))
        at++;
    if (at == x->at)
        return false;
    while (at < x->n && (x->s[at] == ' ' || x->s[at] == '\t'))
        at++;
    return at + 2 < x->n && memcmp(x->s + at, "::=", 3) == 0;
}

static struct item *sequence(struct reader *x, bool inside)
{
    struct item *seq = make(x, SEQUENCE), **last = seq ? &seq->first : NULL;
    while (seq && !x->failed) {
        uint32_t min, max;
        space(x, inside);
        if (x->at >= x->n || strchr("|)\n", x->s[x->at]) || starts_rule(x))
            break;
        struct item *i = one(x);
        if (i && !x->failed && times(x, &min, &max)) {
            struct item *r = make(x, REPEAT);
            if (!r)
                break;
            r->first = i;
            r->min = min;
            r->max = max;
            i = r;
        }
        if (!i)
            break;
        *last = i;
        last = &i->next;
    }
    return x->failed ? NULL : seq;
}

static struct item *choice(struct reader *x, bool inside)
{
    struct item *all = make(x, CHOICE), **last = all ? &all->first : NULL;
    bool more = all != NULL;
    if (++x->depth > MAX_DEPTH)
        return fail(x, "brackets nest too deeply");
    while (more && !x->failed) {
        *last = sequence(x, inside);
        if (!*last)
            break;
        last = &(*last)->next;
        more = take(x, '|');
        if (more)
            space(x, true);
    }
    x->depth--;
    return x->failed ? NULL : all;
}

/* --- rules */

static void read_rule(struct reader *x)
{
    size_t from = x->at;
    while (x->at < x->n && is_word(x->s[x->at]))
        x->at++;
    if (x->at == from) {
        fail(x, "expected a rule: name ::= …");
        return;
    }
    uint32_t rule = rule_named(x, x->s + from, x->at - from);
    space(x, false);
    if (x->n - x->at < 3 || memcmp(x->s + x->at, "::=", 3) != 0) {
        fail(x, "expected ::= behind the rule's name");
        return;
    }
    x->at += 3;
    space(x, true);
    struct item *body = choice(x, false);
    if (x->failed)
        return;
    if (x->at < x->n && x->s[x->at] == ')')
        fail(x, "a bracket is closed that was not opened");
    else if (x->rule[rule].body)
        fail(x, "a rule is defined twice");
    else
        x->rule[rule].body = body;
}

static uint32_t emit(struct reader *x, const struct item *i, uint32_t next);

static uint32_t emit_sequence(
    struct reader *x, const struct item *i, uint32_t next)
{
    if (!i)
        return next;
    /* Long sequences are built from their end without going deep. */
    size_t n = 0;
    for (const struct item *k = i; k; k = k->next)
        n++;
    const struct item **list = get(x, n * sizeof *list);
    if (!list)
        return ER_G_NONE;
    n = 0;
    for (const struct item *k = i; k; k = k->next)
        list[n++] = k;
    while (n-- > 0)
        next = emit(x, list[n], next);
    return next;
}

static uint32_t emit(struct reader *x, const struct item *i, uint32_t next)
{
    uint32_t at = ER_G_NONE;
    switch (i->kind) {
    case TEXT:
        return er_gprogram_text(x->g, i->s, i->n, next);
    case CLASS:
        return er_gprogram_raw(x->g, i->dfa, next);
    case NAME:
        return er_gprogram_call(x->g, i->rule, next);
    case SEQUENCE:
        return emit_sequence(x, i->first, next);
    case CHOICE:
        for (const struct item *k = i->first; k; k = k->next)
            at = er_gprogram_split(x->g, at, emit(x, k, next));
        return at;
    default:
        at = emit(x, i->first, 0);
        return er_gprogram_repeat(x->g, at, at, i->min, i->max, next);
    }
}

static void read_all(struct reader *x)
{
    space(x, true);
    while (x->at < x->n && !x->failed) {
        read_rule(x);
        space(x, true);
    }
    bool root = false;
    for (size_t i = 0; i < x->g->n_rules && !x->failed; i++) {
        const struct rule *r = &x->rule[i];
        x->line = r->line;
        if (!r->body)
            fail(x, "a name is used that no rule defines");
        else
            x->g->rule[i] = emit(x, r->body, 0);
        if (r->n == 4 && memcmp(r->name, "root", 4) == 0) {
            root = true;
            x->g->root = (uint32_t)i;
        }
    }
    if (!root)
        fail(x, "there is no rule named root");
}

static int settle(struct reader *x, struct errand_error *err)
{
    er_grammar *g = x->g;
    if (g->nomem || x->maker.nomem)
        return er_nomem(err);
    if (g->too_large)
        return er_fail(err, ERRAND_TOO_LARGE, "the grammar is too large");
    if (x->failed)
        return err->code;
    long rule = er_gprogram_left_recursion(g);
    if (rule >= 0)
        return er_fail(err, ERRAND_SYNTAX, "grammar line %u: the rule "
            "\"%.*s\" begins with itself; put what is repeated behind",
            x->rule[rule].line, (int)(x->rule[rule].n > 40
                ? 40 : x->rule[rule].n), x->rule[rule].name);
    if (!er_gprogram_finish(g))
        return g->nomem ? er_nomem(err)
            : er_fail(err, ERRAND_SYNTAX,
                  "no text fits the grammar: its root never ends");
    return ERRAND_OK;
}

er_grammar *er_grammar_gbnf(
    const char *text, size_t len, struct errand_error *err)
{
    struct errand_error mine = {0};
    struct reader x = {.s = text, .n = len, .line = 1};
    err = err ? err : &mine;
    if (len > MAX_SOURCE) {
        er_fail(err, ERRAND_TOO_LARGE,
            "a grammar of %zu bytes: at most %d are read", len, MAX_SOURCE);
        return NULL;
    }
    x.err = err;
    x.g = er_gprogram_new();
    if (!x.g) {
        er_nomem(err);
        return NULL;
    }
    er_arena_init(&x.arena);
    x.maker.keep = &x.g->keep;
    read_all(&x);
    int rc = settle(&x, err);
    er_arena_release(&x.arena);
    if (rc == ERRAND_OK)
        return x.g;
    er_grammar_free(x.g);
    return NULL;
}
