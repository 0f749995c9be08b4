/* Which tokens may come next: a walk over the vocabulary's trie.
 *
 * A token is allowed if one of the places takes it whole, whatever the others
 * do, so each is asked alone. At a place inside of a string most tokens stay
 * inside: those are found by the string's automaton alone, and kept, as the
 * next token often stands at the same state (grammar_inside.c). Only tokens
 * with a quote or a backslash in them need the whole machinery of places, and
 * they are few.
 */
#include "engine/grammar_inside.h"

#include <stdlib.h>
#include <string.h>

struct walk {
    er_gstate *s;
    const er_gvocab *v;
    uint64_t *bits;
    struct er_gset set[ER_G_PIECE + 1]; /* by depth; [0] is not ours */
    size_t frames[ER_G_PIECE + 1];
};

/* From the places in set[0]. */
static void go(struct walk *w, const struct er_gtrie *t)
{
    for (size_t i = 0; i < t->n;) {
        const struct er_gtrie_node *k = &t->node[i];
        size_t d = k->depth;
        w->s->n_frames = w->frames[d - 1];
        if (!er_gstate_step(w->s, &w->set[d - 1], &w->set[d], k->byte)) {
            i += k->reach;
            if (w->s->failed)
                return;
            continue;
        }
        w->frames[d] = w->s->n_frames;
        if (k->plain && er_ginside_takes_all(w->s, &w->set[d])) {
            er_gvocab_allow_all(w->v, t, i, w->bits);
            i += k->reach;
            continue;
        }
        if (k->token)
            er_gvocab_allow(w->v, w->bits, k->token);
        i++;
    }
}

/* Each place inside of a string alone, then the others together. */
static bool ask_places(struct walk *w)
{
    const struct er_gset *now = &w->s->now;
    struct er_gset others = {.p = calloc(now->n + 1, sizeof *others.p)};
    bool ok = others.p != NULL, inside = false;
    for (size_t i = 0; ok && i < now->n; i++) {
        if (er_ginside_is(w->s, &now->p[i])) {
            ok = er_ginside_mask(w->s, &now->p[i], w->v, w->bits);
            inside = true;
        } else {
            others.p[others.n++] = now->p[i];
        }
    }
    if (ok && others.n) {
        w->set[0] = others;
        go(w, &w->v->all);
    }
    w->s->n_frames = w->frames[0];
    /* What leaves a string: with all places at once, as they part again. */
    if (ok && inside && !w->s->failed) {
        w->set[0] = *now;
        go(w, &w->v->leave);
    }
    free(others.p);
    return ok && !w->s->failed;
}

bool er_gstate_mask(er_gstate *s, const er_gvocab *v, uint64_t *bits)
{
    struct walk *w = calloc(1, sizeof *w);
    if (!w)
        return false;
    memset(bits, 0, v->words * sizeof *bits);
    w->s = s;
    w->v = v;
    w->bits = bits;
    w->frames[0] = s->n_frames;
    bool ok = ask_places(w);
    s->failed = false;
    s->n_frames = w->frames[0];
    for (size_t d = 1; d <= ER_G_PIECE; d++)
        free(w->set[d].p);
    free(w);
    return ok;
}
