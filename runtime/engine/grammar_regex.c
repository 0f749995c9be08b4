/* ECMAScript's patterns as automata.
 *
 * What a finite automaton can say is read: alternatives, groups, classes,
 * counts, anchors anywhere, look-ahead at the very front. Groups looked back
 * at, word borders, look-behind and Unicode properties are refused, and the
 * caller says so.
 */
#include "engine/grammar_dfa.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_RANGES = 512, MAX_GROUPS = 100, MAX_COUNT = 2000,
       MAX_WORK = 100000 };

struct range {
    uint32_t lo, hi;
};

struct class {
    struct range r[MAX_RANGES];
    size_t n;
    bool full; /* too many */
};

/* A piece of the automaton is its entry; its exits lead to `to`, which is
 * known when it is made: pieces are built from the end backwards. */
struct regex {
    struct er_nfa nfa;
    const char *s;
    size_t n, at, depth, work;
    bool bad;
};

static uint32_t alternatives(struct regex *x, uint32_t to);

static void refuse(struct regex *x)
{
    x->bad = true;
}

static bool fine(const struct regex *x)
{
    return !x->bad && !x->nfa.refused && !x->nfa.nomem;
}

static bool more(const struct regex *x)
{
    return fine(x) && x->at < x->n;
}

static bool sees(const struct regex *x, const char *what)
{
    size_t n = strlen(what);
    return n <= x->n - x->at && memcmp(x->s + x->at, what, n) == 0;
}

static bool take(struct regex *x, const char *what)
{
    bool yes = more(x) && sees(x, what);
    x->at += yes ? strlen(what) : 0;
    return yes;
}

/* --- UTF-8 */

size_t er_utf8_put(uint32_t c, char out[4])
{
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const uint8_t lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = n; i-- > 1; c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3F));
    out[0] = (char)(lead[n] | c);
    return n;
}

static size_t add_range(struct er_utf8_range *out, size_t k, uint32_t lo,
    uint32_t hi)
{
    char a[4], b[4];
    if (k == ER_UTF8_RANGES)
        return k;
    out[k].n = er_utf8_put(lo, a);
    er_utf8_put(hi, b);
    for (size_t i = 0; i < out[k].n; i++) {
        out[k].lo[i] = (uint8_t)a[i];
        out[k].hi[i] = (uint8_t)b[i];
    }
    return k + 1;
}

/* Split until all but the first differing byte cover everything. */
static size_t split_range(struct er_utf8_range *out, size_t k, uint32_t lo,
    uint32_t hi)
{
    static const uint32_t last[] = {0x7F, 0x7FF, 0xFFFF};
    for (size_t i = 0; i < 3; i++)
        if (lo <= last[i] && hi > last[i]) {
            k = split_range(out, k, lo, last[i]);
            return split_range(out, k, last[i] + 1, hi);
        }
    for (unsigned bits = 6; lo >= 0x80 && bits < 24; bits += 6) {
        uint32_t mask = (1u << bits) - 1;
        if ((lo & ~mask) == (hi & ~mask))
            continue;
        if (lo & mask) {
            k = split_range(out, k, lo, lo | mask);
            return split_range(out, k, (lo | mask) + 1, hi);
        }
        if ((hi & mask) != mask) {
            k = split_range(out, k, lo, (hi & ~mask) - 1);
            return split_range(out, k, hi & ~mask, hi);
        }
    }
    return add_range(out, k, lo, hi);
}

size_t er_utf8_ranges(
    uint32_t lo, uint32_t hi, struct er_utf8_range out[ER_UTF8_RANGES])
{
    size_t k = 0;
    hi = hi > 0x10FFFF ? 0x10FFFF : hi;
    if (lo > hi)
        return 0;
    if (lo < 0xD800)
        k = split_range(out, k, lo, hi < 0xD800 ? hi : 0xD7FF);
    if (hi > 0xDFFF)
        k = split_range(out, k, lo > 0xDFFF ? lo : 0xE000, hi);
    return k;
}

/* --- classes */

static void class_add(struct class *c, uint32_t lo, uint32_t hi)
{
    if (c->n == MAX_RANGES) {
        c->full = true;
        return;
    }
    c->r[c->n++] = (struct range){lo, hi};
}

static int by_low(const void *a, const void *b)
{
    const struct range *x = a, *y = b;
    return (x->lo > y->lo) - (x->lo < y->lo);
}

static void class_sort(struct class *c)
{
    size_t k = 0;
    qsort(c->r, c->n, sizeof c->r[0], by_low);
    for (size_t i = 1; i < c->n; i++) {
        if (c->r[i].lo <= c->r[k].hi + 1) {
            if (c->r[i].hi > c->r[k].hi)
                c->r[k].hi = c->r[i].hi;
        } else {
            c->r[++k] = c->r[i];
        }
    }
    c->n = c->n ? k + 1 : 0;
}

static void class_invert(struct class *c)
{
    struct class out = {.n = 0, .full = c->full};
    uint32_t next = 0;
    class_sort(c);
    for (size_t i = 0; i < c->n; i++) {
        if (c->r[i].lo > next)
            class_add(&out, next, c->r[i].lo - 1);
        next = c->r[i].hi + 1;
    }
    if (next <= 0x10FFFF)
        class_add(&out, next, 0x10FFFF);
    *c = out;
}

/* \d \w \s and their opposites; false for another letter. */
static bool class_named(struct class *c, char letter)
{
    static const struct range space[] = {{9, 13}, {32, 32}, {0xA0, 0xA0},
        {0x1680, 0x1680}, {0x2000, 0x200A}, {0x2028, 0x2029},
        {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000},
        {0xFEFF, 0xFEFF}};
    struct class part = {.n = 0};
    switch (letter | 32) {
    case 'd':
        class_add(&part, '0', '9');
        break;
    case 'w':
        class_add(&part, '0', '9');
        class_add(&part, 'A', 'Z');
        class_add(&part, '_', '_');
        class_add(&part, 'a', 'z');
        break;
    case 's':
        for (size_t i = 0; i < sizeof space / sizeof space[0]; i++)
            class_add(&part, space[i].lo, space[i].hi);
        break;
    default:
        return false;
    }
    if (letter < 'a')
        class_invert(&part);
    for (size_t i = 0; i < part.n; i++)
        class_add(c, part.r[i].lo, part.r[i].hi);
    return true;
}

static uint32_t class_node(struct regex *x, struct class *c, uint32_t to)
{
    uint32_t entry = UINT32_MAX;
    class_sort(c);
    if (c->full)
        refuse(x);
    for (size_t i = 0; i < c->n && !x->bad; i++) {
        struct er_utf8_range u[ER_UTF8_RANGES];
        size_t n = er_utf8_ranges(c->r[i].lo, c->r[i].hi, u);
        for (size_t k = 0; k < n; k++) {
            uint32_t node = to;
            for (size_t b = u[k].n; b-- > 0;)
                node = er_nfa_add(&x->nfa, ER_NFA_BYTES, u[k].lo[b],
                    u[k].hi[b], node, 0);
            entry = entry == UINT32_MAX
                ? node
                : er_nfa_add(&x->nfa, ER_NFA_SPLIT, 0, 0, entry, node);
        }
    }
    /* An empty class matches nothing: an edge that no byte takes. */
    return entry != UINT32_MAX
        ? entry : er_nfa_add(&x->nfa, ER_NFA_BYTES, 1, 0, to, 0);
}

static uint32_t one_char(struct regex *x)
{
    size_t left = x->n - x->at;
    unsigned char c = (unsigned char)x->s[x->at];
    size_t n = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
    uint32_t code = n == 1 ? c : c & (0xFFu >> (n + 1));
    if (n > left || (c >= 0x80 && c < 0xC0)) {
        refuse(x);
        return 0;
    }
    for (size_t i = 1; i < n; i++)
        code = code << 6 | ((unsigned char)x->s[x->at + i] & 0x3F);
    x->at += n;
    return code;
}

static bool hex_digits(struct regex *x, size_t n, uint32_t *out)
{
    uint32_t c = 0;
    if (n > x->n - x->at)
        return false;
    for (size_t i = 0; i < n; i++) {
        char h = x->s[x->at + i];
        if (h >= '0' && h <= '9')
            c = c << 4 | (uint32_t)(h - '0');
        else if ((h | 32) >= 'a' && (h | 32) <= 'f')
            c = c << 4 | (uint32_t)((h | 32) - 'a' + 10);
        else
            return false;
    }
    x->at += n;
    *out = c;
    return true;
}

static uint32_t unicode_escape(struct regex *x)
{
    uint32_t c = 0, low = 0;
    if (take(x, "{")) {
        size_t n = 0;
        while (x->at + n < x->n && x->s[x->at + n] != '}')
            n++;
        if (n == 0 || n > 6 || !hex_digits(x, n, &c) || !take(x, "}"))
            refuse(x);
    } else if (!hex_digits(x, 4, &c)) {
        refuse(x);
    }
    if (c >= 0xD800 && c < 0xDC00 && sees(x, "\\u")) {
        x->at += 2;
        if (!hex_digits(x, 4, &low) || low < 0xDC00 || low > 0xDFFF)
            refuse(x);
        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
    }
    if (c > 0x10FFFF)
        refuse(x);
    return c;
}

/* Behind a backslash: a class (true) or one character. */
static bool escape(struct regex *x, struct class *c, uint32_t *out,
    bool in_class)
{
    static const char map[] = "n\nt\tr\rf\fv\v";
    char e = x->s[x->at];
    if (class_named(c, e)) {
        x->at++;
        return true;
    }
    for (size_t i = 0; i + 1 < sizeof map; i += 2)
        if (map[i] == e) {
            x->at++;
            *out = (uint32_t)map[i + 1];
            return false;
        }
    if (e == 'u' || e == 'x') {
        x->at++;
        if (e == 'u')
            *out = unicode_escape(x);
        else if (!hex_digits(x, 2, out))
            refuse(x);
        return false;
    }
    if (e == 'c' && x->at + 1 < x->n) {
        *out = (uint32_t)(x->s[x->at + 1] & 31);
        x->at += 2;
        return false;
    }
    if (e == '0' || (e == 'b' && in_class)) {
        x->at++;
        *out = e == '0' ? 0 : 8;
        return false;
    }
    if (strchr("bBkpP123456789", e))
        refuse(x);
    *out = one_char(x);
    return false;
}

static bool class_item(struct regex *x, struct class *c, uint32_t *out)
{
    if (take(x, "\\")) {
        if (x->at < x->n)
            return escape(x, c, out, true);
        refuse(x);
        return false;
    }
    *out = one_char(x);
    return false;
}

static uint32_t class_piece(struct regex *x, uint32_t to)
{
    struct class c;
    c.n = 0;
    c.full = false;
    bool inverted = take(x, "^");
    while (more(x) && !sees(x, "]")) {
        uint32_t lo = 0, hi = 0;
        if (class_item(x, &c, &lo))
            continue;
        hi = lo;
        if (sees(x, "-") && x->at + 1 < x->n && x->s[x->at + 1] != ']') {
            x->at++;
            if (class_item(x, &c, &hi)) { /* as [a-\d]: the dash itself */
                class_add(&c, '-', '-');
                hi = lo;
            }
        }
        if (hi < lo)
            refuse(x);
        class_add(&c, lo, hi);
    }
    if (!take(x, "]"))
        refuse(x);
    if (inverted)
        class_invert(&c);
    return class_node(x, &c, to);
}

/* --- pieces */

static uint32_t dot(struct regex *x, uint32_t to)
{
    struct class c = {.n = 0};
    class_add(&c, '\n', '\n');
    class_add(&c, '\r', '\r');
    class_add(&c, 0x2028, 0x2029);
    class_invert(&c);
    return class_node(x, &c, to);
}

static uint32_t group(struct regex *x, uint32_t to)
{
    if (take(x, "?") && !take(x, ":")) {
        bool named = take(x, "<") && more(x) && !sees(x, "=") &&
                     !sees(x, "!");
        while (named && more(x) && !sees(x, ">"))
            x->at++;
        if (!named || !take(x, ">"))
            refuse(x);
    }
    if (++x->depth > MAX_GROUPS)
        refuse(x);
    uint32_t entry = x->bad ? 0 : alternatives(x, to);
    x->depth--;
    if (!take(x, ")"))
        refuse(x);
    return entry;
}

static uint32_t atom(struct regex *x, uint32_t to)
{
    struct class c;
    uint32_t code = 0;
    c.n = 0;
    c.full = false;
    if (++x->work > MAX_WORK)
        refuse(x);
    if (take(x, "("))
        return group(x, to);
    if (take(x, "["))
        return class_piece(x, to);
    if (take(x, "."))
        return dot(x, to);
    if (take(x, "^"))
        return er_nfa_add(&x->nfa, ER_NFA_BEGIN, 0, 0, to, 0);
    if (take(x, "$"))
        return er_nfa_add(&x->nfa, ER_NFA_END, 0, 0, to, 0);
    if (strchr("*+?", x->s[x->at]))
        refuse(x);
    if (take(x, "\\")) {
        if (x->at >= x->n)
            refuse(x);
        else if (escape(x, &c, &code, false))
            return class_node(x, &c, to);
    } else {
        code = one_char(x);
    }
    class_add(&c, code, code);
    return class_node(x, &c, to);
}

static bool count_of(struct regex *x, uint32_t *out)
{
    size_t from = x->at;
    *out = 0;
    while (x->at < x->n && x->s[x->at] >= '0' && x->s[x->at] <= '9') {
        *out = *out * 10 + (uint32_t)(x->s[x->at++] - '0');
        if (*out > MAX_COUNT)
            refuse(x);
        if (x->bad)
            return false;
    }
    return x->at > from;
}

/* How often the piece before stands; UINT32_MAX: any number. */
static bool quantifier(struct regex *x, uint32_t *min, uint32_t *max)
{
    size_t from = x->at;
    *min = *max = 1;
    if (!more(x))
        return false;
    if (take(x, "*")) {
        *min = 0;
        *max = UINT32_MAX;
    } else if (take(x, "+")) {
        *max = UINT32_MAX;
    } else if (take(x, "?")) {
        *min = 0;
    } else if (take(x, "{")) {
        bool ok = count_of(x, min);
        *max = *min;
        if (ok && take(x, ",") && !count_of(x, max))
            *max = UINT32_MAX;
        if (!ok || !take(x, "}") || *max < *min) {
            x->at = from; /* a brace like any other character */
            *min = *max = 1;
            return false;
        }
    } else {
        return false;
    }
    take(x, "?"); /* lazy: the same texts */
    return true;
}

/* The piece at `from` again, leading to `to`. */
static uint32_t again(struct regex *x, size_t from, uint32_t to)
{
    size_t after = x->at;
    x->at = from;
    uint32_t entry = atom(x, to);
    x->at = after;
    return entry;
}

static uint32_t repeated(struct regex *x, size_t from, uint32_t min,
    uint32_t max, uint32_t to)
{
    uint32_t entry = to;
    if (max == UINT32_MAX) {
        uint32_t loop = er_nfa_add(&x->nfa, ER_NFA_SPLIT, 0, 0, to, to);
        uint32_t body = again(x, from, loop);
        if (!x->nfa.nomem && !x->nfa.refused)
            x->nfa.node[loop].a = body;
        entry = loop;
    }
    for (uint32_t i = min; max != UINT32_MAX && i < max && fine(x); i++)
        entry = er_nfa_add(&x->nfa, ER_NFA_SPLIT, 0, 0,
            again(x, from, entry), to);
    for (uint32_t i = 0; i < min && fine(x); i++)
        entry = again(x, from, entry);
    return entry;
}

/* Where the bracket that opens at `from` closes; 0 if it does not. */
static size_t close_of(const char *s, size_t n, size_t from)
{
    size_t depth = 0;
    bool class = false;
    for (size_t i = from; i < n; i++) {
        if (s[i] == '\\')
            i++;
        else if (class)
            class = s[i] != ']';
        else if (s[i] == '[')
            class = true;
        else if (s[i] == '(')
            depth++;
        else if (s[i] == ')' && --depth == 0)
            return i;
    }
    return 0;
}

/* Step over an atom without reading it: nested groups would be read twice at
 * each level. */
static void skip_atom(struct regex *x)
{
    char c = x->s[x->at];
    size_t end = x->at;
    if (c == '(') {
        end = close_of(x->s, x->n, x->at);
    } else if (c == '[') {
        for (end++; end < x->n && x->s[end] != ']'; end++)
            end += x->s[end] == '\\';
    } else if (c == '\\' && end + 1 < x->n) {
        char e = x->s[++end];
        end += e == 'x' ? 2 : e == 'c' ? 1 : e == 'u' ? 4 : 0;
        if (e == 'u' && x->at + 2 < x->n && x->s[x->at + 2] == '{')
            for (end = x->at + 3; end < x->n && x->s[end] != '}'; end++)
                ;
        if (e == 'u' && end + 6 < x->n && x->s[end + 1] == '\\' &&
            x->s[end + 2] == 'u' && strchr("dD", x->s[x->at + 2]) &&
            strchr("89abAB", x->s[x->at + 3]))
            end += 6;
        if ((unsigned char)e >= 0xC0)
            end += e == '\\' ? 0 : (unsigned char)e < 0xE0 ? 1
                : (unsigned char)e < 0xF0 ? 2 : 3;
    } else {
        while (end + 1 < x->n && ((unsigned char)x->s[end + 1] & 0xC0) == 0x80)
            end++;
    }
    if (end >= x->n || (c == '(' && end == 0) || strchr("*+?", c))
        refuse(x);
    else
        x->at = end + 1;
}

/* A sequence is built from its end: first find where the pieces begin. */
static uint32_t sequence(struct regex *x, uint32_t to)
{
    struct piece {
        size_t from;
        uint32_t min, max;
    } *list = NULL;
    size_t n = 0, cap = 0;
    while (more(x) && !sees(x, "|") && !sees(x, ")")) {
        if (n == cap) {
            cap = cap ? cap * 2 : 16;
            struct piece *grown = realloc(list, cap * sizeof *list);
            if (!grown) {
                x->nfa.nomem = true;
                break;
            }
            list = grown;
        }
        list[n].from = x->at;
        skip_atom(x);
        quantifier(x, &list[n].min, &list[n].max);
        n++;
    }
    while (n-- > 0 && fine(x))
        to = repeated(x, list[n].from, list[n].min, list[n].max, to);
    free(list);
    return to;
}

static uint32_t alternatives(struct regex *x, uint32_t to)
{
    uint32_t entry = sequence(x, to);
    while (take(x, "|"))
        entry = er_nfa_add(
            &x->nfa, ER_NFA_SPLIT, 0, 0, entry, sequence(x, to));
    return entry;
}

/* --- whole patterns */

/* Any characters, again and again, then what `to` says. */
static uint32_t any_then(struct regex *x, uint32_t to)
{
    struct class c = {.n = 0};
    uint32_t loop = er_nfa_add(&x->nfa, ER_NFA_SPLIT, 0, 0, to, to);
    class_add(&c, 0, 0x10FFFF);
    uint32_t body = class_node(x, &c, loop);
    if (!x->nfa.nomem && !x->nfa.refused)
        x->nfa.node[loop].b = body;
    return loop;
}

/* What accepts all that follows: a loop whose node says so. */
static uint32_t accept_all(struct regex *x)
{
    uint32_t end = er_nfa_add(&x->nfa, ER_NFA_ACCEPT_ALL, 0, 0, 0, 0);
    x->nfa.all = any_then(x, end);
    return x->nfa.all;
}

static const struct er_dfa *compile(struct er_dfa_maker *m, const char *s,
    size_t n, bool front, bool back)
{
    struct regex x = {.s = s, .n = n};
    const struct er_dfa *d = NULL;
    uint32_t end = back ? accept_all(&x)
                        : er_nfa_add(&x.nfa, ER_NFA_ACCEPT, 0, 0, 0, 0);
    uint32_t entry = alternatives(&x, end);
    if (x.at < x.n)
        refuse(&x);
    if (front)
        entry = any_then(&x, entry);
    if (x.bad)
        x.nfa.refused = true;
    d = er_dfa_make(m, &x.nfa, entry);
    free(x.nfa.node);
    return d;
}

/* ^(?=…)(?!…)rest: each look-ahead is an automaton of its own. */
static const struct er_dfa *with_lookahead(
    struct er_dfa_maker *m, const char *s, size_t n)
{
    const struct er_dfa *all = er_dfa_any(m);
    size_t at = 1;
    while (all && at + 3 < n && memcmp(s + at, "(?", 2) == 0 &&
           (s[at + 2] == '=' || s[at + 2] == '!')) {
        size_t end = close_of(s, n, at);
        if (end == 0) {
            m->refused = true;
            return NULL;
        }
        const struct er_dfa *part =
            compile(m, s + at + 3, end - at - 3, false, true);
        all = s[at + 2] == '=' ? er_dfa_meet(m, all, part)
                               : er_dfa_without(m, all, part);
        at = end + 1;
    }
    if (!all || memchr(s + at, '|', n - at))
        return all ? (m->refused = true, NULL) : NULL;
    return er_dfa_meet(m, all, compile(m, s + at, n - at, false, true));
}

const struct er_dfa *er_dfa_pattern(
    struct er_dfa_maker *m, const char *pattern, size_t len, bool search)
{
    if (m->nomem || m->refused)
        return NULL;
    if (search && len > 4 && memcmp(pattern, "^(?", 3) == 0 &&
        (pattern[3] == '=' || pattern[3] == '!'))
        return with_lookahead(m, pattern, len);
    return compile(m, pattern, len, search, search);
}

const struct er_dfa *er_dfa_any(struct er_dfa_maker *m)
{
    return er_dfa_pattern(m, "", 0, true);
}

const struct er_dfa *er_dfa_texts(
    struct er_dfa_maker *m, const struct er_dfa_text *texts, size_t n)
{
    struct er_nfa nfa = {0};
    uint32_t end = er_nfa_add(&nfa, ER_NFA_ACCEPT, 0, 0, 0, 0);
    uint32_t entry = er_nfa_add(&nfa, ER_NFA_BYTES, 1, 0, end, 0);
    for (size_t i = 0; i < n; i++) {
        uint32_t node = end;
        for (size_t k = texts[i].n; k-- > 0;) {
            uint8_t c = (uint8_t)texts[i].s[k];
            node = er_nfa_add(&nfa, ER_NFA_BYTES, c, c, node, 0);
        }
        entry = er_nfa_add(&nfa, ER_NFA_SPLIT, 0, 0, entry, node);
    }
    const struct er_dfa *d = er_dfa_make(m, &nfa, entry);
    free(nfa.node);
    return d;
}
