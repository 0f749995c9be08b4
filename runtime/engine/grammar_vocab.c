/* Building a vocabulary's trie. See grammar_vocab.h for its form. */
#include "engine/grammar_vocab.h"

#include <stdlib.h>
#include <string.h>

enum er_gkind er_gvocab_kind(uint8_t c)
{
    if (c >= 'a' && c <= 'z')
        return ER_GK_LOWER;
    if (c >= 'A' && c <= 'Z')
        return ER_GK_UPPER;
    if (c >= '0' && c <= '9')
        return ER_GK_DIGIT;
    if (c < 0x20 || c == '"' || c == '\\')
        return ER_GK_REST;
    return c >= 0x80 ? ER_GK_WIDE
        : c == ' ' ? ER_GK_SPACE
        : c == '-' || c == '_' ? ER_GK_DASH : ER_GK_PUNCT;
}

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

static bool trie_add(struct er_gtrie *t, uint8_t byte, uint8_t depth)
{
    if (t->n == t->cap) {
        size_t cap = t->cap ? t->cap * 2 : 4096;
        struct er_gtrie_node *more = realloc(t->node, cap * sizeof *more);
        if (!more)
            return false;
        t->node = more;
        t->cap = cap;
    }
    t->node[t->n++] =
        (struct er_gtrie_node){.byte = byte, .depth = depth, .reach = 1};
    return true;
}

static bool is_plain(const struct er_gvocab *v, uint32_t token)
{
    return v->plain[token / 64] >> token % 64 & 1;
}

/* From the leaves up: a child lies behind its parent, within its reach. */
static void mark_subtrees(const struct er_gvocab *v, struct er_gtrie *t)
{
    for (size_t i = t->n; i-- > 0;) {
        struct er_gtrie_node *k = &t->node[i];
        k->plain = !k->token || is_plain(v, k->token - 1);
        for (size_t c = i + 1; c < i + k->reach; c += t->node[c].reach) {
            k->plain = k->plain && t->node[c].plain;
            k->kinds |= t->node[c].kinds;
            k->kinds |= (uint8_t)er_gvocab_kind(t->node[c].byte);
            uint8_t deep = (uint8_t)(t->node[c].below + 1);
            k->below = deep > k->below ? deep : k->below;
        }
    }
}

/* The tokens of every subtree, side by side. */
static bool put_in_order(struct er_gtrie *t)
{
    t->order = calloc(t->n + 1, sizeof *t->order);
    if (!t->order)
        return false;
    for (size_t i = 0; i < t->n; i++) {
        t->node[i].first = (uint32_t)t->n_order;
        if (t->node[i].token)
            t->order[t->n_order++] = t->node[i].token;
    }
    return true;
}

/* Pieces come sorted, so the nodes come in depth-first order. */
static bool build(struct er_gvocab *v, struct er_gtrie *t,
    const struct piece *p, size_t n)
{
    uint32_t path[ER_G_PIECE];
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
        struct er_gtrie_node *end = &t->node[path[p[i].n - 1]];
        if (end->token)
            v->same[p[i].token] = end->token;
        end->token = p[i].token + 1;
        last = &p[i];
    }
    /* How far each subtree reaches: up to the next node not below it. */
    uint32_t open[ER_G_PIECE + 1];
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
    return put_in_order(t);
}

/* Bytes of s that are whole characters which a JSON string holds as they
 * are; *split: what follows is the beginning of one more, and the end. */
static size_t text_bytes(const char *s, size_t n, bool *split)
{
    *split = false;
    for (size_t i = 0, len; i < n; i += len) {
        unsigned char c = (unsigned char)s[i];
        len = c < 0x80 ? 1 : c < 0xC2 ? 0 : c < 0xE0 ? 2
            : c < 0xF0 ? 3 : c < 0xF5 ? 4 : 0;
        if (len == 0 || er_gvocab_kind(c) == ER_GK_REST)
            return i;
        size_t here = len < n - i ? len : n - i;
        for (size_t k = 1; k < here; k++)
            if (((unsigned char)s[i + k] & 0xC0) != 0x80)
                return i;
        /* Overlong forms, surrogates, beyond Unicode: no characters. */
        unsigned char d = here > 1 ? (unsigned char)s[i + 1] : 0x90;
        if ((c == 0xE0 && d < 0xA0 && here > 1) ||
            (c == 0xED && d > 0x9F) || (c == 0xF0 && d < 0x90) ||
            (c == 0xF4 && d > 0x8F && here > 1))
            return i;
        *split = here < len;
        if (*split)
            return i;
    }
    return n;
}

/* Characters begun in s. */
static size_t characters(const char *s, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += ((unsigned char)s[i] & 0xC0) != 0x80;
    return count;
}

static bool mark_text(struct er_gvocab *v, const struct piece *p, size_t n)
{
    bool split;
    v->plain = calloc(v->words + 1, sizeof *v->plain);
    for (size_t k = 0; k <= ER_G_LENGTHS; k++)
        if (!(v->text[k] = calloc(v->words + 1, sizeof **v->text)))
            return false;
    for (size_t i = 0; v->plain && i < n; i++) {
        bool whole = text_bytes(p[i].s, p[i].n, &split) == p[i].n;
        uint64_t bit = 1ull << p[i].token % 64;
        size_t word = p[i].token / 64, k = characters(p[i].s, p[i].n) - 1;
        v->plain[word] |= whole ? bit : 0;
        for (k = k < ER_G_LENGTHS ? k : ER_G_LENGTHS;
             (whole || split) && k <= ER_G_LENGTHS; k++)
            v->text[k][word] |= bit;
    }
    return v->plain != NULL;
}

/* Can a token end the string that it stands in, or escape? */
static bool leaves(const struct piece *p)
{
    size_t i = 0;
    while (i < p->n && er_gvocab_kind((uint8_t)p->s[i]) != ER_GK_REST)
        i++;
    return i < p->n && (p->s[i] == '"' || p->s[i] == '\\');
}

static bool make(struct er_gvocab *v, struct piece *p, size_t n)
{
    size_t rest = 0;
    qsort(p, n, sizeof *p, by_bytes);
    if (!mark_text(v, p, n) || !build(v, &v->all, p, n))
        return false;
    for (size_t i = 0; i < n; i++)
        if (leaves(&p[i]))
            p[rest++] = p[i];
    return build(v, &v->leave, p, rest);
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
        if (lens[i] > 0 && lens[i] <= ER_G_PIECE)
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
    free(v->plain);
    for (size_t k = 0; k <= ER_G_LENGTHS; k++)
        free(v->text[k]);
    free(v->all.node);
    free(v->all.order);
    free(v->leave.node);
    free(v->leave.order);
    free(v->same);
    free(v);
}
