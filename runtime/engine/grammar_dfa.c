/* Making deterministic automata: by subsets, by products, by hand. */
#include "engine/grammar_dfa.h"

#include <stdlib.h>
#include <string.h>

/* --- by hand */

static void *refuse(struct er_dfa_maker *m)
{
    m->refused = true;
    return NULL;
}

static void *nomem(struct er_dfa_maker *m)
{
    m->nomem = true;
    return NULL;
}

uint16_t er_dfa_add_state(struct er_dfa_build *b, bool accept)
{
    if (b->n == ER_DFA_MAX_STATES) {
        b->m->refused = true;
        return ER_DFA_DEAD;
    }
    if (b->n == b->cap) {
        size_t cap = b->cap ? b->cap * 2 : 32;
        struct er_dfa_state *more =
            realloc(b->state, cap * sizeof *b->state);
        if (!more) {
            b->m->nomem = true;
            return ER_DFA_DEAD;
        }
        b->state = more;
        b->cap = cap;
    }
    memset(&b->state[b->n], 0, sizeof b->state[b->n]);
    b->state[b->n].accept = accept;
    return (uint16_t)b->n++;
}

bool er_dfa_add_edge(struct er_dfa_build *b, uint16_t from, uint8_t lo,
    uint8_t hi, uint16_t to)
{
    if (from == ER_DFA_DEAD || to == ER_DFA_DEAD)
        return false;
    struct er_dfa_state *s = &b->state[from];
    struct er_dfa_edge *last = s->n ? &s->edge[s->n - 1] : NULL;
    if (last && last->to == to && last->hi + 1 == lo) {
        last->hi = hi;
        return true;
    }
    if ((s->n & (s->n - 1)) == 0) {
        size_t cap = s->n ? s->n * 2u : 1;
        struct er_dfa_edge *more =
            realloc(s->edge, cap * sizeof *more);
        if (!more) {
            b->m->nomem = true;
            return false;
        }
        s->edge = more;
    }
    s->edge[s->n++] = (struct er_dfa_edge){lo, hi, to};
    return true;
}

static void build_free(struct er_dfa_build *b)
{
    for (size_t i = 0; i < b->n; i++)
        free(b->state[i].edge);
    free(b->state);
    b->state = NULL;
    b->n = b->cap = 0;
}

/* Does an edge begin a character? Bytes 0x80..0xBF only go on with one. */
static int32_t weight(const struct er_dfa_edge *e)
{
    return e->lo >= 0x80 && e->hi < 0xC0 ? 0 : 1;
}

/* Shortest way to an end, by rounds until nothing changes; -1: none. */
static void measure_shortest(struct er_dfa_build *b)
{
    bool changed = true;
    for (size_t i = 0; i < b->n; i++)
        b->state[i].shortest = b->state[i].accept ? 0 : -1;
    while (changed) {
        changed = false;
        for (size_t i = b->n; i-- > 0;) {
            struct er_dfa_state *s = &b->state[i];
            for (uint16_t k = 0; k < s->n; k++) {
                int32_t far = b->state[s->edge[k].to].shortest;
                int32_t cost = far + weight(&s->edge[k]);
                if (far < 0 || (s->shortest >= 0 && s->shortest <= cost))
                    continue;
                s->shortest = cost;
                changed = true;
            }
        }
    }
}

/* Edges to states without an end go. */
static void prune(struct er_dfa_build *b)
{
    for (size_t i = 0; i < b->n; i++) {
        struct er_dfa_state *s = &b->state[i];
        uint16_t kept = 0;
        for (uint16_t k = 0; k < s->n; k++)
            if (b->state[s->edge[k].to].shortest >= 0)
                s->edge[kept++] = s->edge[k];
        s->n = kept;
    }
}

/* Longest way, depth first with a stack of its own; a way back into what is
 * still open is a circle: endless. */
static bool measure_longest(struct er_dfa_build *b)
{
    uint8_t *mark = calloc(b->n, 1);
    uint32_t *stack = malloc(b->n * 2 * sizeof *stack);
    size_t depth = 0;
    if (!mark || !stack) {
        free(mark);
        free(stack);
        b->m->nomem = true;
        return false;
    }
    stack[depth++] = 0;
    stack[depth++] = 0;
    mark[0] = 1;
    while (depth) {
        struct er_dfa_state *s = &b->state[stack[depth - 2]];
        uint32_t k = stack[depth - 1];
        if (k > 0) {
            struct er_dfa_edge *e = &s->edge[k - 1];
            int32_t far = b->state[e->to].longest;
            if (mark[e->to] == 1 || far == ER_DFA_ENDLESS)
                s->longest = ER_DFA_ENDLESS;
            else if (s->longest < far + weight(e))
                s->longest = far + weight(e);
        }
        if (k == s->n) {
            mark[stack[depth - 2]] = 2;
            depth -= 2;
            continue;
        }
        stack[depth - 1] = k + 1;
        uint16_t to = s->edge[k].to;
        if (mark[to] == 0) {
            mark[to] = 1;
            stack[depth++] = to;
            stack[depth++] = 0;
        }
    }
    free(mark);
    free(stack);
    return true;
}

/* A state from which a circle cannot be left alive was pruned; one that a
 * circle reaches later is endless too: spread it. */
static void spread_endless(struct er_dfa_build *b)
{
    bool changed = true;
    while (changed) {
        changed = false;
        for (size_t i = b->n; i-- > 0;) {
            struct er_dfa_state *s = &b->state[i];
            for (uint16_t k = 0; k < s->n; k++)
                if (s->longest != ER_DFA_ENDLESS &&
                    b->state[s->edge[k].to].longest == ER_DFA_ENDLESS) {
                    s->longest = ER_DFA_ENDLESS;
                    changed = true;
                }
        }
    }
}

static const struct er_dfa *keep(struct er_dfa_build *b)
{
    struct er_dfa *d = er_arena_alloc(b->m->keep, sizeof *d);
    struct er_dfa_state *s =
        er_arena_alloc(b->m->keep, b->n * sizeof *s);
    if (!d || !s)
        return nomem(b->m);
    for (size_t i = 0; i < b->n; i++) {
        struct er_dfa_edge *e = NULL;
        s[i] = b->state[i];
        if (s[i].n) {
            e = er_arena_alloc(b->m->keep, s[i].n * sizeof *e);
            if (!e)
                return nomem(b->m);
            memcpy(e, s[i].edge, s[i].n * sizeof *e);
        }
        s[i].edge = e;
    }
    d->state = s;
    d->n = b->n;
    return d;
}

const struct er_dfa *er_dfa_finish(struct er_dfa_build *b)
{
    const struct er_dfa *d = NULL;
    if (!b->m->refused && !b->m->nomem && b->n) {
        measure_shortest(b);
        prune(b);
        if (measure_longest(b)) {
            spread_endless(b);
            d = keep(b);
        }
    }
    build_free(b);
    return d;
}

/* --- by subsets */

struct subsets {
    const struct er_nfa *nfa;
    struct er_dfa_build build;
    uint32_t **set;   /* per state: its nodes, ascending, with their number
                         in front */
    uint32_t *table;  /* hash of sets to states, +1 */
    size_t table_cap;
    uint32_t *seen;   /* per node: the round it was met in */
    uint32_t round;
    uint32_t *work, *list; /* nodes to visit; nodes of the set */
    size_t n_list;
};

static void visit(struct subsets *x, uint32_t node, bool begin, bool end)
{
    size_t n = 0;
    x->work[n++] = node;
    while (n) {
        uint32_t i = x->work[--n];
        const struct er_nfa_node *k = &x->nfa->node[i];
        if (x->seen[i] == x->round)
            continue;
        x->seen[i] = x->round;
        if (k->kind == ER_NFA_SPLIT) {
            x->work[n++] = k->b;
            x->work[n++] = k->a;
        } else if ((k->kind == ER_NFA_BEGIN && begin) ||
                   (k->kind == ER_NFA_END && end)) {
            x->work[n++] = k->a;
        } else if (k->kind != ER_NFA_BEGIN) {
            x->list[x->n_list++] = i;
        }
    }
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static bool accepting(struct subsets *x, bool *all)
{
    size_t n = x->n_list;
    bool accept = false;
    *all = false;
    for (size_t i = 0; i < n; i++)
        if (x->nfa->node[x->list[i]].kind == ER_NFA_ACCEPT_ALL)
            *all = true;
    x->round++;
    for (size_t i = 0; i < n; i++)
        visit(x, x->list[i], false, true);
    for (size_t i = n; i < x->n_list; i++) {
        uint8_t kind = x->nfa->node[x->list[i]].kind;
        accept = accept || kind == ER_NFA_ACCEPT ||
                 kind == ER_NFA_ACCEPT_ALL;
    }
    x->n_list = n;
    return accept;
}

static size_t hash_of(const uint32_t *list, size_t n)
{
    uint64_t h = 1469598103934665603u;
    for (size_t i = 0; i < n; i++)
        h = (h ^ list[i]) * 1099511628211u;
    return (size_t)(h ^ h >> 29);
}

/* The state of the set in x->list; a new one if it is new. */
static uint16_t state_of(struct subsets *x)
{
    bool all = false;
    for (size_t i = 0; i < x->n_list && !all; i++)
        all = x->nfa->node[x->list[i]].kind == ER_NFA_ACCEPT_ALL;
    if (all) { /* one state, whatever else is in it */
        x->n_list = 0;
        x->round++;
        visit(x, x->nfa->all, false, false);
    }
    qsort(x->list, x->n_list, sizeof *x->list, by_number);
    size_t at = hash_of(x->list, x->n_list) % x->table_cap;
    for (; x->table[at]; at = (at + 1) % x->table_cap) {
        const uint32_t *set = x->set[x->table[at] - 1];
        if (set[0] == x->n_list &&
            memcmp(set + 1, x->list, x->n_list * sizeof *set) == 0)
            return (uint16_t)(x->table[at] - 1);
    }
    uint32_t *set = malloc((x->n_list + 1) * sizeof *set);
    if (!set) {
        x->build.m->nomem = true;
        return ER_DFA_DEAD;
    }
    set[0] = (uint32_t)x->n_list;
    memcpy(set + 1, x->list, x->n_list * sizeof *set);
    uint16_t s = er_dfa_add_state(&x->build, accepting(x, &all));
    if (s == ER_DFA_DEAD) {
        free(set);
        return s;
    }
    x->build.state[s].all = all;
    x->set[s] = set;
    x->table[at] = s + 1u;
    return s;
}

/* Bytes at which some edge of the set begins or stops. */
static void borders(
    const struct subsets *x, const uint32_t *set, bool border[257])
{
    memset(border, 0, 257);
    for (uint32_t i = 1; i <= set[0]; i++) {
        const struct er_nfa_node *k = &x->nfa->node[set[i]];
        if (k->kind != ER_NFA_BYTES)
            continue;
        border[k->lo] = true;
        border[k->hi + 1] = true;
    }
}

static void expand(struct subsets *x, uint16_t s)
{
    bool border[257];
    const uint32_t *set = x->set[s];
    borders(x, set, border);
    for (unsigned lo = 0, hi; lo < 256; lo = hi) {
        hi = lo + 1;
        while (hi < 256 && !border[hi])
            hi++;
        x->round++;
        x->n_list = 0;
        for (uint32_t i = 1; i <= set[0]; i++) {
            const struct er_nfa_node *k = &x->nfa->node[set[i]];
            if (k->kind == ER_NFA_BYTES && k->lo <= lo && k->hi >= lo)
                visit(x, k->a, false, false);
        }
        if (x->n_list == 0)
            continue;
        uint16_t to = state_of(x);
        if (!er_dfa_add_edge(
                &x->build, s, (uint8_t)lo, (uint8_t)(hi - 1), to))
            return;
    }
}

static bool subsets_init(struct subsets *x)
{
    size_t n = x->nfa->n;
    x->table_cap = ER_DFA_MAX_STATES * 2 + 1;
    x->set = calloc(ER_DFA_MAX_STATES, sizeof *x->set);
    x->table = calloc(x->table_cap, sizeof *x->table);
    x->seen = calloc(n, sizeof *x->seen);
    x->work = malloc(n * 3 * sizeof *x->work);
    x->list = malloc(n * 3 * sizeof *x->list);
    return x->set && x->table && x->seen && x->work && x->list;
}

static void subsets_release(struct subsets *x, size_t n)
{
    for (size_t i = 0; x->set && i < n; i++)
        free(x->set[i]);
    free(x->set);
    free(x->table);
    free(x->seen);
    free(x->work);
    free(x->list);
}

const struct er_dfa *er_dfa_make(
    struct er_dfa_maker *m, const struct er_nfa *nfa, uint32_t start)
{
    struct subsets x = {.nfa = nfa, .build = {.m = m}};
    const struct er_dfa *d = NULL;
    if (nfa->nomem)
        return nomem(m);
    if (nfa->refused)
        return refuse(m);
    if (!subsets_init(&x)) {
        m->nomem = true;
    } else {
        x.round = 1;
        visit(&x, start, true, false);
        state_of(&x);
        for (size_t s = 0; s < x.build.n && !m->refused && !m->nomem; s++)
            expand(&x, (uint16_t)s);
    }
    size_t n = x.build.n;
    d = er_dfa_finish(&x.build);
    subsets_release(&x, n);
    return d;
}

uint32_t er_nfa_add(struct er_nfa *nfa, enum er_nfa_kind kind, uint8_t lo,
    uint8_t hi, uint32_t a, uint32_t b)
{
    if (nfa->n == ER_DFA_MAX_NODES || nfa->refused || nfa->nomem) {
        nfa->refused = true;
        return 0;
    }
    if (nfa->n == nfa->cap) {
        size_t cap = nfa->cap ? nfa->cap * 2 : 64;
        struct er_nfa_node *more =
            realloc(nfa->node, cap * sizeof *more);
        if (!more) {
            nfa->nomem = true;
            return 0;
        }
        nfa->node = more;
        nfa->cap = cap;
    }
    nfa->node[nfa->n] = (struct er_nfa_node){
        .kind = (uint8_t)kind, .lo = lo, .hi = hi, .a = a, .b = b};
    return (uint32_t)nfa->n++;
}

/* --- by products */

struct product {
    const struct er_dfa *a, *b;
    bool without;
    struct er_dfa_build build;
    uint32_t *pair;  /* per state: a's state << 16 | b's */
    uint32_t *table; /* hash to state, +1 */
    size_t cap;
};

static uint16_t pair_state(struct product *x, uint16_t a, uint16_t b)
{
    uint32_t key = (uint32_t)a << 16 | b;
    size_t at = (key * 2654435761u) % x->cap;
    for (; x->table[at]; at = (at + 1) % x->cap)
        if (x->pair[x->table[at] - 1] == key)
            return (uint16_t)(x->table[at] - 1);
    bool in_b = b != ER_DFA_DEAD && x->b->state[b].accept;
    bool all_b = b != ER_DFA_DEAD && x->b->state[b].all;
    const struct er_dfa_state *sa = &x->a->state[a];
    uint16_t s =
        er_dfa_add_state(&x->build, sa->accept && in_b != x->without);
    if (s == ER_DFA_DEAD)
        return s;
    x->build.state[s].all =
        sa->all && (x->without ? b == ER_DFA_DEAD : all_b);
    x->pair[s] = key;
    x->table[at] = s + 1u;
    return s;
}

/* The edge of b over a byte, as a range cut to it; a gap is dead. */
static uint16_t range_of(const struct er_dfa *d, uint16_t state,
    unsigned byte, unsigned *hi)
{
    if (state == ER_DFA_DEAD)
        return ER_DFA_DEAD;
    const struct er_dfa_state *s = &d->state[state];
    for (uint16_t i = 0; i < s->n; i++) {
        const struct er_dfa_edge *e = &s->edge[i];
        if (byte > e->hi)
            continue;
        if (byte < e->lo) {
            *hi = *hi < e->lo - 1u ? *hi : e->lo - 1u;
            return ER_DFA_DEAD;
        }
        *hi = *hi < e->hi ? *hi : e->hi;
        return e->to;
    }
    return ER_DFA_DEAD;
}

static void pair_expand(struct product *x, uint16_t s)
{
    uint16_t a = (uint16_t)(x->pair[s] >> 16);
    uint16_t b = (uint16_t)(x->pair[s] & 0xFFFF);
    const struct er_dfa_state *sa = &x->a->state[a];
    for (uint16_t i = 0; i < sa->n; i++)
        for (unsigned lo = sa->edge[i].lo, hi; lo <= sa->edge[i].hi;
             lo = hi + 1) {
            hi = sa->edge[i].hi;
            uint16_t to_b = range_of(x->b, b, lo, &hi);
            if (to_b == ER_DFA_DEAD && !x->without)
                continue;
            uint16_t to = pair_state(x, sa->edge[i].to, to_b);
            if (!er_dfa_add_edge(
                    &x->build, s, (uint8_t)lo, (uint8_t)hi, to))
                return;
        }
}

static const struct er_dfa *product(struct er_dfa_maker *m,
    const struct er_dfa *a, const struct er_dfa *b, bool without)
{
    struct product x = {.a = a, .b = b, .without = without,
        .build = {.m = m}, .cap = ER_DFA_MAX_STATES * 2 + 1};
    if (!a || !b || m->nomem || m->refused)
        return NULL;
    x.pair = malloc(ER_DFA_MAX_STATES * sizeof *x.pair);
    x.table = calloc(x.cap, sizeof *x.table);
    if (!x.pair || !x.table) {
        m->nomem = true;
    } else {
        pair_state(&x, 0, 0);
        for (size_t s = 0; s < x.build.n && !m->refused && !m->nomem; s++)
            pair_expand(&x, (uint16_t)s);
    }
    free(x.pair);
    free(x.table);
    return er_dfa_finish(&x.build);
}

const struct er_dfa *er_dfa_meet(struct er_dfa_maker *m,
    const struct er_dfa *a, const struct er_dfa *b)
{
    return product(m, a, b, false);
}

const struct er_dfa *er_dfa_without(struct er_dfa_maker *m,
    const struct er_dfa *a, const struct er_dfa *b)
{
    return product(m, a, b, true);
}

/* --- asking */

uint16_t er_dfa_run(
    const struct er_dfa *d, uint16_t state, const char *s, size_t n)
{
    for (size_t i = 0; i < n && state != ER_DFA_DEAD; i++)
        state = er_dfa_step(d, state, (uint8_t)s[i]);
    return state;
}

bool er_dfa_accepts(const struct er_dfa *d, const char *s, size_t n)
{
    uint16_t state = er_dfa_run(d, 0, s, n);
    return state != ER_DFA_DEAD && d->state[state].accept;
}

bool er_dfa_empty(const struct er_dfa *d)
{
    return d->state[0].shortest < 0;
}
