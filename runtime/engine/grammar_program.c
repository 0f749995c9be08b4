/* Building programs, and taking out of them what can never end. */
#include "engine/grammar_program.h"

#include <stdlib.h>
#include <string.h>

static uint32_t add(er_grammar *g, const struct er_gnode *node)
{
    if (g->nomem || g->too_large)
        return ER_G_NONE;
    if (g->n == ER_G_MAX_NODES) {
        g->too_large = true;
        return ER_G_NONE;
    }
    if (g->n == g->cap) {
        size_t cap = g->cap ? g->cap * 2 : 64;
        struct er_gnode *more = realloc(g->node, cap * sizeof *more);
        if (!more) {
            g->nomem = true;
            return ER_G_NONE;
        }
        g->node = more;
        g->cap = cap;
    }
    g->node[g->n] = *node;
    return (uint32_t)g->n++;
}

er_grammar *er_gprogram_new(void)
{
    er_grammar *g = calloc(1, sizeof *g);
    if (!g)
        return NULL;
    er_arena_init(&g->keep);
    g->unenforced = calloc(64, sizeof *g->unenforced);
    add(g, &(struct er_gnode){.op = ER_G_RETURN});
    add(g, &(struct er_gnode){.op = ER_G_FAIL});
    if (g->unenforced && !g->nomem)
        return g;
    er_grammar_free(g);
    return NULL;
}

void er_grammar_free(er_grammar *g)
{
    if (!g)
        return;
    er_arena_release(&g->keep);
    free(g->node);
    free(g->rule);
    free(g->unenforced);
    free(g);
}

const char *const *er_grammar_unenforced(const er_grammar *g)
{
    return g->unenforced;
}

uint32_t er_gprogram_text(
    er_grammar *g, const char *s, size_t n, uint32_t next)
{
    if (n == 0 || next == ER_G_NONE)
        return next;
    char *copy = er_arena_strn(&g->keep, s, n);
    if (!copy)
        g->nomem = true;
    return add(g, &(struct er_gnode){.op = ER_G_TEXT, .next = next,
        .text = copy, .n = (uint32_t)n});
}

uint32_t er_gprogram_raw(
    er_grammar *g, const struct er_dfa *d, uint32_t next)
{
    if (!d || er_dfa_empty(d) || next == ER_G_NONE)
        return ER_G_NONE;
    return add(g,
        &(struct er_gnode){.op = ER_G_RAW, .next = next, .dfa = d});
}

uint32_t er_gprogram_string(er_grammar *g, const struct er_dfa *d,
    uint32_t min, uint32_t max, uint32_t next)
{
    if (!d || er_dfa_empty(d) || min > max || next == ER_G_NONE ||
        (uint32_t)d->state[0].shortest > max ||
        (d->state[0].longest != ER_DFA_ENDLESS &&
            (uint32_t)d->state[0].longest < min))
        return ER_G_NONE;
    return add(g, &(struct er_gnode){.op = ER_G_STRING, .next = next,
        .dfa = d, .min = min, .max = max});
}

uint32_t er_gprogram_split(er_grammar *g, uint32_t a, uint32_t b)
{
    if (a == ER_G_NONE || a == b)
        return b;
    if (b == ER_G_NONE)
        return a;
    return add(g,
        &(struct er_gnode){.op = ER_G_SPLIT, .next = a, .other = b});
}

uint32_t er_gprogram_call(er_grammar *g, uint32_t rule, uint32_t next)
{
    if (next == ER_G_NONE)
        return next;
    return add(g,
        &(struct er_gnode){.op = ER_G_CALL, .next = next, .other = rule});
}

uint32_t er_gprogram_repeat(er_grammar *g, uint32_t first, uint32_t more,
    uint32_t min, uint32_t max, uint32_t next)
{
    if (next == ER_G_NONE || min > max)
        return ER_G_NONE;
    if (max == 0)
        return next;
    return add(g, &(struct er_gnode){.op = ER_G_REPEAT, .next = next,
        .other = first, .more = more, .min = min, .max = max});
}

uint32_t er_gprogram_rule(er_grammar *g)
{
    if (g->n_rules == g->cap_rules) {
        size_t cap = g->cap_rules ? g->cap_rules * 2 : 32;
        uint32_t *more = realloc(g->rule, cap * sizeof *more);
        if (!more) {
            g->nomem = true;
            return 0;
        }
        g->rule = more;
        g->cap_rules = cap;
    }
    g->rule[g->n_rules] = ER_G_NONE;
    return (uint32_t)g->n_rules++;
}

void er_gprogram_unenforced(er_grammar *g, const char *keyword)
{
    for (size_t i = 0; i < g->n_unenforced; i++)
        if (strcmp(g->unenforced[i], keyword) == 0)
            return;
    char *copy = er_arena_str(&g->keep, keyword);
    if (!copy)
        g->nomem = true;
    else if (g->n_unenforced < 63)
        g->unenforced[g->n_unenforced++] = copy;
}

/* --- what can end */

static bool ends(const er_grammar *g, const bool *end, uint32_t i)
{
    const struct er_gnode *k = &g->node[i];
    switch (k->op) {
    case ER_G_RETURN:
        return true;
    case ER_G_FAIL:
        return false;
    case ER_G_SPLIT:
        return end[k->next] || end[k->other];
    case ER_G_CALL:
        return end[k->next] && end[g->rule[k->other]];
    case ER_G_REPEAT:
        return end[k->next] && (k->min == 0 || end[k->other]) &&
               (k->min <= 1 || end[k->more]);
    default:
        return end[k->next];
    }
}

bool er_gprogram_finish(er_grammar *g)
{
    bool *end = calloc(g->n, sizeof *end), changed = true;
    if (!end || g->nomem) {
        free(end);
        g->nomem = true;
        return false;
    }
    while (changed) {
        changed = false;
        for (uint32_t i = 0; i < g->n; i++)
            if (!end[i] && ends(g, end, i))
                end[i] = changed = true;
    }
    for (uint32_t i = 0; i < g->n; i++) {
        struct er_gnode *k = &g->node[i];
        if (k->op == ER_G_SPLIT && !end[k->next])
            k->next = k->other;
        else if (k->op == ER_G_SPLIT && !end[k->other])
            k->other = k->next;
        else if (k->op == ER_G_REPEAT && !end[k->other])
            k->max = 0;
        else if (k->op == ER_G_REPEAT && !end[k->more] && k->max > 1)
            k->max = 1;
    }
    bool left = g->n_rules && end[g->rule[g->root]];
    free(end);
    return left;
}

/* --- left recursion: a rule reached from its own beginning */

struct walk {
    const er_grammar *g;
    bool *empty;    /* per node: can come to RETURN without a byte */
    uint8_t *mark;  /* per rule: 1 open, 2 done */
};

static bool is_empty(const struct walk *w, uint32_t i)
{
    const struct er_gnode *k = &w->g->node[i];
    switch (k->op) {
    case ER_G_RETURN:
        return true;
    case ER_G_SPLIT:
        return w->empty[k->next] || w->empty[k->other];
    case ER_G_RAW:
        return k->dfa->state[0].accept && w->empty[k->next];
    case ER_G_CALL:
        return w->empty[w->g->rule[k->other]] && w->empty[k->next];
    case ER_G_REPEAT:
        return w->empty[k->next] && (k->min == 0 || w->empty[k->other]);
    default:
        return false;
    }
}

/* Rules that a rule may begin with: those behind what can be empty too. */
static void first_rules(
    const struct walk *w, uint32_t start, bool *seen, uint32_t *out, size_t *n)
{
    size_t depth = 0;
    uint32_t *stack = malloc(w->g->n * 4 * sizeof *stack);
    *n = 0;
    if (stack)
        stack[depth++] = start;
    memset(seen, 0, w->g->n);
    while (depth) {
        uint32_t i = stack[--depth];
        const struct er_gnode *k = &w->g->node[i];
        if (seen[i])
            continue;
        seen[i] = true;
        bool through = k->op == ER_G_SPLIT ||
            (k->op == ER_G_RAW && k->dfa->state[0].accept) ||
            (k->op == ER_G_CALL && w->empty[w->g->rule[k->other]]) ||
            (k->op == ER_G_REPEAT && (k->min == 0 || w->empty[k->other]));
        if (k->op == ER_G_CALL)
            out[(*n)++] = k->other;
        if (through)
            stack[depth++] = k->next;
        if (k->op == ER_G_SPLIT || k->op == ER_G_REPEAT)
            stack[depth++] = k->other;
        if (k->op == ER_G_REPEAT && w->empty[k->other])
            stack[depth++] = k->more;
    }
    free(stack);
}

static bool loops(struct walk *w, uint32_t rule, unsigned depth)
{
    bool found = depth > 2000;
    size_t n = 0;
    bool *seen = malloc(w->g->n);
    uint32_t *list = malloc(w->g->n * sizeof *list);
    w->mark[rule] = 1;
    if (seen && list && !found)
        first_rules(w, w->g->rule[rule], seen, list, &n);
    for (size_t i = 0; i < n && !found; i++)
        found = w->mark[list[i]] == 1 ||
                (w->mark[list[i]] == 0 && loops(w, list[i], depth + 1));
    w->mark[rule] = 2;
    free(seen);
    free(list);
    return found;
}

long er_gprogram_left_recursion(const er_grammar *g)
{
    struct walk w = {.g = g};
    long bad = -1;
    bool changed = true;
    w.empty = calloc(g->n, sizeof *w.empty);
    w.mark = calloc(g->n_rules + 1, 1);
    while (w.empty && w.mark && changed) {
        changed = false;
        for (uint32_t i = 0; i < g->n; i++)
            if (!w.empty[i] && is_empty(&w, i))
                w.empty[i] = changed = true;
    }
    for (uint32_t i = 0; w.empty && w.mark && i < g->n_rules && bad < 0; i++)
        if (w.mark[i] == 0 && loops(&w, i, 0))
            bad = (long)i;
    free(w.empty);
    free(w.mark);
    return bad;
}
