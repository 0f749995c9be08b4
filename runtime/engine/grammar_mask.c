/* Which tokens may come next: a walk over the vocabulary's trie.
 *
 * The trie lies flat, in depth-first order: a node says how far its own
 * subtree reaches, so leaving a branch is one addition. Inside of a string
 * almost every token is allowed, and those that are plain text are marked
 * beforehand: where the string takes anything, they are added at once, and
 * only the others (quotes, backslashes, split characters) are walked.
 */
#include "engine/grammar_state.h"

#include <stdlib.h>
#include <string.h>

struct trie_node {
    uint32_t reach; /* nodes of the subtree, this one included */
    bool plain;     /* its tokens, and those below, are plain text */
    uint32_t token; /* + 1; 0: none ends here */
    uint8_t byte;
    uint8_t depth;  /* bytes down to here, at most MAX_PIECE */
};

enum { MAX_PIECE = 250, LENGTHS = 32 };

struct trie {
    struct trie_node *node;
    size_t n, cap;
};

struct er_gvocab {
    size_t n;
    struct trie all, rest;    /* rest: without plain tokens */
    uint64_t *plain[LENGTHS]; /* plain tokens of at most k + 1 characters */
    size_t words;
    uint32_t *same;  /* per token: another with the same bytes, + 1 */
};

struct piece {
    const char *s;
    size_t n;
    uint32_t token;
};

static int by_bytes(const void *a, const void *b)
{
    const struct piece *x = a, *y = b;
    size_t n = x->n < y->n ? x->n : y->n;
    int c = n ? memcmp(x->s, y->s, n) : 0;
    if (c)
        return c;
    return x->n != y->n ? (x->n > y->n) - (x->n < y->n)
                        : (x->token > y->token) - (x->token < y->token);
}

static bool trie_add(struct trie *t, uint8_t byte, uint8_t depth)
{
    if (t->n == t->cap) {
        size_t cap = t->cap ? t->cap * 2 : 4096;
        struct trie_node *more = realloc(t->node, cap * sizeof *more);
        if (!more)
            return false;
        t->node = more;
        t->cap = cap;
    }
    t->node[t->n++] =
        (struct trie_node){.byte = byte, .depth = depth, .reach = 1};
    return true;
}

static bool is_plain(const struct er_gvocab *v, uint32_t token)
{
    return v->plain[LENGTHS - 1][token / 64] >> token % 64 & 1;
}

/* From the leaves up: a child lies behind its parent, within its reach. */
static void mark_subtrees(const struct er_gvocab *v, struct trie *t)
{
    for (size_t i = t->n; i-- > 0;) {
        struct trie_node *k = &t->node[i];
        k->plain = !k->token || is_plain(v, k->token - 1);
        for (size_t c = i + 1; c < i + k->reach; c += t->node[c].reach)
            k->plain = k->plain && t->node[c].plain;
    }
}

/* Pieces come sorted, so the nodes come in depth-first order. */
static bool build(struct er_gvocab *v, struct trie *t,
    const struct piece *p, size_t n)
{
    uint32_t path[MAX_PIECE];
    const struct piece *last = NULL;
    for (size_t i = 0; i < n; i++) {
        size_t common = 0;
        while (last && common < last->n && common < p[i].n &&
               last->s[common] == p[i].s[common])
            common++;
        for (size_t k = common; k < p[i].n; k++) {
            path[k] = (uint32_t)t->n;
            if (!trie_add(t, (uint8_t)p[i].s[k], (uint8_t)(k + 1)))
                return false;
        }
        struct trie_node *end = &t->node[path[p[i].n - 1]];
        if (end->token)
            v->same[p[i].token] = end->token;
        end->token = p[i].token + 1;
        last = &p[i];
    }
    /* How far each subtree reaches: up to the next node not below it. */
    uint32_t open[MAX_PIECE + 1];
    size_t depth = 0;
    for (size_t i = 0; i <= t->n; i++) {
        size_t d = i < t->n ? t->node[i].depth : 0;
        while (depth > 0 && d <= t->node[open[depth - 1]].depth) {
            depth--;
            t->node[open[depth]].reach = (uint32_t)(i - open[depth]);
        }
        if (i < t->n)
            open[depth++] = (uint32_t)i;
    }
    mark_subtrees(v, t);
    return true;
}

/* Whole characters, none that a JSON string must escape: how many; 0: no. */
static size_t plain_characters(const char *s, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n;) {
        unsigned char c = (unsigned char)s[i];
        size_t len = c < 0x80 ? 1 : c < 0xC2 ? 0 : c < 0xE0 ? 2
            : c < 0xF0 ? 3 : c < 0xF5 ? 4 : 0;
        if (c < 0x20 || c == '"' || c == '\\' || len == 0 || len > n - i)
            return 0;
        for (size_t k = 1; k < len; k++)
            if (((unsigned char)s[i + k] & 0xC0) != 0x80)
                return 0;
        /* Overlong forms, surrogates, beyond Unicode: not plain. */
        unsigned char d = len > 1 ? (unsigned char)s[i + 1] : 0;
        if ((c == 0xE0 && d < 0xA0) || (c == 0xED && d > 0x9F) ||
            (c == 0xF0 && d < 0x90) || (c == 0xF4 && d > 0x8F))
            return 0;
        i += len;
        count++;
    }
    return count;
}

static bool mark_plain(struct er_gvocab *v, const struct piece *p, size_t n)
{
    for (size_t k = 0; k < LENGTHS; k++)
        if (!(v->plain[k] = calloc(v->words + 1, sizeof **v->plain)))
            return false;
    for (size_t i = 0; i < n; i++) {
        size_t count = plain_characters(p[i].s, p[i].n);
        for (size_t k = count ? count - 1 : LENGTHS; k < LENGTHS; k++)
            v->plain[k][p[i].token / 64] |= 1ull << p[i].token % 64;
    }
    return true;
}

static bool make(struct er_gvocab *v, struct piece *p, size_t n)
{
    size_t rest = 0;
    qsort(p, n, sizeof *p, by_bytes);
    if (!mark_plain(v, p, n) || !build(v, &v->all, p, n))
        return false;
    for (size_t i = 0; i < n; i++) {
        size_t count = plain_characters(p[i].s, p[i].n);
        if (count == 0 || count > LENGTHS)
            p[rest++] = p[i];
    }
    return build(v, &v->rest, p, rest);
}

er_gvocab *er_gvocab_new(
    const char *const *pieces, const size_t *lens, size_t n)
{
    er_gvocab *v = calloc(1, sizeof *v);
    struct piece *p = calloc(n + 1, sizeof *p);
    size_t k = 0;
    bool ok = v && p && n < UINT32_MAX;
    if (ok) {
        v->n = n;
        v->words = (n + 63) / 64;
        v->same = calloc(n + 1, sizeof *v->same);
        ok = v->same != NULL;
    }
    for (size_t i = 0; ok && i < n; i++)
        if (lens[i] > 0 && lens[i] <= MAX_PIECE)
            p[k++] = (struct piece){pieces[i], lens[i], (uint32_t)i};
    ok = ok && make(v, p, k);
    free(p);
    if (ok)
        return v;
    er_gvocab_free(v);
    return NULL;
}

void er_gvocab_free(er_gvocab *v)
{
    if (!v)
        return;
    for (size_t k = 0; k < LENGTHS; k++)
        free(v->plain[k]);
    free(v->all.node);
    free(v->rest.node);
    free(v->same);
    free(v);
}

/* --- the mask */

struct walk {
    er_gstate *s;
    const er_gvocab *v;
    uint64_t *bits;
    struct er_gset set[MAX_PIECE + 1]; /* by depth; [0] is not ours */
    size_t frames[MAX_PIECE + 1];
};

/* How many characters of any kind a place takes; 0: it is choosy. */
static uint32_t takes_any(const er_gstate *s, const struct er_gplace *p)
{
    const struct er_gnode *k = &s->g->node[p->node];
    if (k->op != ER_G_STRING || p->escape || !k->dfa->state[p->at].all)
        return 0;
    return k->max == UINT32_MAX ? LENGTHS : k->max - p->count;
}

static void allow(struct walk *w, uint32_t token)
{
    for (; token; token = w->v->same[token - 1])
        w->bits[(token - 1) / 64] |= 1ull << (token - 1) % 64;
}

/* Is there a place that takes any text, however long? */
static bool takes_all(const struct walk *w, const struct er_gset *set)
{
    for (size_t i = 0; i < set->n; i++)
        if (takes_any(w->s, &set->p[i]) >= LENGTHS)
            return true;
    return false;
}

static void allow_subtree(
    struct walk *w, const struct trie *t, size_t from, size_t to)
{
    for (; from < to; from++)
        if (t->node[from].token)
            allow(w, t->node[from].token);
}

static void go(struct walk *w, const struct trie *t, size_t base)
{
    for (size_t i = 0; i < t->n;) {
        const struct trie_node *k = &t->node[i];
        size_t d = k->depth;
        w->s->n_frames = w->frames[d - 1];
        if (!er_gstate_step(w->s, &w->set[d - 1], &w->set[d], k->byte)) {
            i += k->reach;
            if (w->s->failed)
                return;
            continue;
        }
        w->frames[d] = w->s->n_frames;
        if (k->plain && takes_all(w, &w->set[d])) {
            allow_subtree(w, t, i, i + k->reach);
            i += k->reach;
            continue;
        }
        if (k->token)
            allow(w, k->token);
        i++;
    }
    w->s->n_frames = base;
}

bool er_gstate_mask(er_gstate *s, const er_gvocab *v, uint64_t *bits)
{
    struct walk *w = calloc(1, sizeof *w);
    uint32_t any = 0;
    if (!w)
        return false;
    memset(bits, 0, v->words * sizeof *bits);
    for (size_t i = 0; i < s->now.n; i++) {
        uint32_t n = takes_any(s, &s->now.p[i]);
        any = n > any ? n : any;
    }
    if (any)
        memcpy(bits, v->plain[(any > LENGTHS ? LENGTHS : any) - 1],
            v->words * sizeof *bits);
    w->s = s;
    w->v = v;
    w->bits = bits;
    w->set[0] = s->now;
    w->frames[0] = s->n_frames;
    /* Tokens left out of rest are at most LENGTHS long: one place that takes
     * as many allows them all; and what a shorter allowance does not cover
     * is refused, if there is no other place. */
    bool covered = any >= LENGTHS || (any && s->now.n == 1);
    go(w, covered ? &v->rest : &v->all, s->n_frames);
    bool ok = !s->failed;
    s->failed = false;
    s->n_frames = w->frames[0];
    for (size_t d = 1; d <= MAX_PIECE; d++)
        free(w->set[d].p);
    free(w);
    return ok;
}
