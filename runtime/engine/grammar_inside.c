/* Walking the trie with a string's automaton alone: a byte is one look into
 * a row of 256, and a branch of bytes that change nothing is taken whole. */
#include "engine/grammar_inside.h"

#include <stdlib.h>
#include <string.h>

enum {
    ROWS = 64,  /* a power of two: automaton states with rows at once */
    CACHED = 8, /* masks kept by one state of a grammar */
};

struct row {
    uint32_t state; /* + 1; 0: empty */
    uint32_t asked; /* a state, + 1, that was asked for and is not there */
    uint8_t still;  /* er_gkind of bytes that all lead back to the state */
    uint16_t to[256];
};

struct entry {
    const struct er_dfa *dfa;
    uint32_t state, used;
    uint64_t *bits;
};

struct er_gcache {
    const struct er_gvocab *v;
    uint32_t clock;
    struct entry entry[CACHED];
};

struct inside {
    const struct er_gnode *k;
    const struct er_gvocab *v;
    uint64_t *bits;
    bool bounded; /* lengths matter */
    uint16_t state[ER_G_PIECE + 1];
    uint32_t count[ER_G_PIECE + 1]; /* characters */
    struct row row[ROWS];
};

bool er_ginside_is(const er_gstate *s, const struct er_gplace *p)
{
    return s->g->node[p->node].op == ER_G_STRING && !p->escape;
}

/* Does a place take any token of text? */
static bool takes_any(const er_gstate *s, const struct er_gplace *p)
{
    const struct er_gnode *k = &s->g->node[p->node];
    return er_ginside_is(s, p) && k->dfa->state[p->at].all &&
           (k->max == UINT32_MAX || k->max - p->count >= ER_G_PIECE);
}

bool er_ginside_takes_all(const er_gstate *s, const struct er_gset *set)
{
    for (size_t i = 0; i < set->n; i++)
        if (takes_any(s, &set->p[i]))
            return true;
    return false;
}

/* ------------------------------------------------------------------ rows */

static void fill(struct row *r, const struct er_dfa *d, uint16_t state)
{
    const struct er_dfa_state *s = &d->state[state];
    r->state = state + 1u;
    memset(r->to, 0xFF, sizeof r->to); /* ER_DFA_DEAD */
    for (uint16_t e = 0; e < s->n; e++)
        for (unsigned c = s->edge[e].lo; c <= s->edge[e].hi; c++)
            r->to[c] = s->edge[e].to;
    for (unsigned c = 0; c < 0x20; c++)
        r->to[c] = ER_DFA_DEAD;
    r->to['"'] = r->to['\\'] = ER_DFA_DEAD;
    unsigned moves = 0;
    for (unsigned c = 0; c < 256; c++)
        if (r->to[c] != state)
            moves |= er_gvocab_kind((uint8_t)c);
    r->still = (uint8_t)~moves;
}

/* NULL where a row is not worth it yet: automata of thousands of states pass
 * through most of them once. */
static const struct row *row_of(struct inside *w, uint16_t state)
{
    struct row *r = &w->row[state % ROWS];
    if (r->state == state + 1u)
        return r;
    if (r->asked != state + 1u) {
        r->asked = state + 1u;
        return NULL;
    }
    fill(r, w->k->dfa, state);
    return r;
}

static uint16_t step(struct inside *w, uint16_t state, uint8_t byte)
{
    const struct row *r = row_of(w, state);
    if (r)
        return r->to[byte];
    return er_gvocab_kind(byte) == ER_GK_REST
               ? ER_DFA_DEAD : er_dfa_step(w->k->dfa, state, byte);
}

/* ------------------------------------------------------------------ walk */

static bool fits(const struct inside *w, uint16_t state, uint32_t count)
{
    const struct er_dfa_state *d = &w->k->dfa->state[state];
    if (!w->bounded)
        return true;
    if (count > w->k->max || (uint32_t)d->shortest > w->k->max - count)
        return false;
    return d->longest == ER_DFA_ENDLESS ||
           (uint64_t)count + (uint32_t)d->longest >= w->k->min;
}

/* Does all that is below lead to places that fit? State and count are those
 * behind the node. Lengths can only forbid it near their upper end: a state
 * that comes back to itself has no longest text. */
static bool takes_below(const struct inside *w, const struct row *r,
    const struct er_gtrie_node *k, uint16_t state, uint32_t count)
{
    const struct er_dfa_state *d = &w->k->dfa->state[state];
    uint32_t most = w->k->max, need = k->below + (uint32_t)d->shortest;
    if (d->longest != ER_DFA_ENDLESS ||
        (most != UINT32_MAX && (most < count || most - count < need)))
        return false;
    return (r && (k->kinds & ~r->still) == 0) || (k->plain && d->all);
}

static void go(struct inside *w)
{
    const struct er_gtrie *t = &w->v->all;
    for (size_t i = 0; i < t->n;) {
        const struct er_gtrie_node *k = &t->node[i];
        size_t d = k->depth;
        uint16_t to = step(w, w->state[d - 1], k->byte);
        uint32_t count = w->count[d - 1] + ((k->byte & 0xC0) != 0x80);
        if (to == ER_DFA_DEAD || !fits(w, to, count)) {
            i += k->reach;
            continue;
        }
        if (k->reach > 1 && takes_below(w, row_of(w, to), k, to, count)) {
            er_gvocab_allow_all(w->v, t, i, w->bits);
            i += k->reach;
            continue;
        }
        w->state[d] = to;
        w->count[d] = count;
        if (k->token)
            er_gvocab_allow(w->v, w->bits, k->token);
        i++;
    }
}

/* ----------------------------------------------------------------- cache */

void er_gcache_free(struct er_gcache *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < CACHED; i++)
        free(c->entry[i].bits);
    free(c);
}

/* The entry of a state; if it is not known, the one that was not used for
 * longest, emptied. NULL: no memory. */
static struct entry *look_up(er_gstate *s, const struct er_gvocab *v,
    const struct er_dfa *dfa, uint32_t state, bool *known)
{
    struct er_gcache *c = s->cache;
    if (c && c->v != v) {
        er_gcache_free(c);
        c = NULL;
    }
    c = s->cache = c ? c : calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->v = v;
    struct entry *e = &c->entry[0];
    *known = false;
    for (size_t i = 0; i < CACHED && !*known; i++) {
        *known = c->entry[i].dfa == dfa && c->entry[i].state == state;
        if (*known || c->entry[i].used < e->used)
            e = &c->entry[i];
    }
    e->used = ++c->clock;
    if (!e->bits)
        e->bits = calloc(v->words, sizeof *e->bits);
    return e->bits ? e : NULL;
}

static bool walk_to(const struct er_gnode *k, const struct er_gplace *p,
    const struct er_gvocab *v, bool bounded, uint64_t *bits)
{
    struct inside *w = calloc(1, sizeof *w);
    if (!w)
        return false;
    w->k = k;
    w->v = v;
    w->bits = bits;
    w->bounded = bounded;
    w->state[0] = (uint16_t)p->at;
    w->count[0] = p->count;
    go(w);
    free(w);
    return true;
}

static void add(uint64_t *bits, const uint64_t *more, size_t words)
{
    for (size_t i = 0; i < words; i++)
        bits[i] |= more[i];
}

/* Can a token be too long or too short here? */
static bool is_bounded(const struct er_gnode *k, const struct er_gplace *p)
{
    uint32_t farthest = 0;
    bool ends = false;
    if (k->max == UINT32_MAX && p->count >= k->min)
        return false;
    for (size_t i = 0; i < k->dfa->n; i++) {
        const struct er_dfa_state *d = &k->dfa->state[i];
        ends = ends || d->longest != ER_DFA_ENDLESS;
        if (d->shortest > 0 && (uint32_t)d->shortest > farthest)
            farthest = (uint32_t)d->shortest;
    }
    return (ends && p->count < k->min) ||
           (k->max != UINT32_MAX &&
               k->max - p->count < ER_G_PIECE + farthest);
}

bool er_ginside_mask(er_gstate *s, const struct er_gplace *p,
    const struct er_gvocab *v, uint64_t *bits)
{
    const struct er_gnode *k = &s->g->node[p->node];
    uint32_t left = k->max == UINT32_MAX ? k->max : k->max - p->count;
    if (k->dfa->state[p->at].all &&
        (left >= ER_G_PIECE || left <= ER_G_LENGTHS)) {
        if (left > 0)
            add(bits, v->text[left <= ER_G_LENGTHS ? left - 1 : ER_G_LENGTHS],
                v->words);
        return true;
    }
    if (is_bounded(k, p))
        return walk_to(k, p, v, true, bits);
    bool known = false;
    struct entry *e = look_up(s, v, k->dfa, p->at, &known);
    if (!e)
        return false;
    if (!known) {
        memset(e->bits, 0, v->words * sizeof *e->bits);
        e->dfa = NULL;
        if (!walk_to(k, p, v, false, e->bits))
            return false;
        e->dfa = k->dfa;
        e->state = p->at;
    }
    add(bits, e->bits, v->words);
    return true;
}
