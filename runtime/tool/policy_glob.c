/* Patterns with * and ?. Matched by following all places of the pattern at
 * once, byte by byte, so that no pattern and no value can make it slow:
 * tokens times bytes is the most it costs. */
#include "policy_rule.h"

#include <stdlib.h>
#include <string.h>

bool er_glob_add(struct er_glob *g, enum er_glob_op op, unsigned char byte)
{
    if (g->n == g->room) {
        size_t room = g->room ? g->room * 2 : 32;
        struct er_glob_token *more =
            realloc(g->tokens, room * sizeof *more);
        if (!more)
            return false;
        g->tokens = more;
        g->room = room;
    }
    g->tokens[g->n++] =
        (struct er_glob_token){.op = (unsigned char)op, .byte = byte};
    g->wild = g->wild || op != ER_GLOB_BYTE;
    return true;
}

bool er_glob_add_bytes(struct er_glob *g, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!er_glob_add(g, ER_GLOB_BYTE, (unsigned char)bytes[i]))
            return false;
    return true;
}

void er_glob_release(struct er_glob *g)
{
    free(g->tokens);
    *g = (struct er_glob){0};
}

static unsigned char fold(unsigned char c, bool nocase)
{
    return nocase && c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
}

static bool is_stop(unsigned char c, const struct er_glob_mode *m)
{
    return c && strchr(m->stops, c) != NULL;
}

static bool same_byte(
    const struct er_glob_token *t, unsigned char c,
    const struct er_glob_mode *m)
{
    return fold(t->byte, m->nocase) == fold(c, m->nocase);
}

/* Without wildcards there is but one place to follow. */
static bool match_plain(const struct er_glob *g, size_t from,
    const char *text, size_t len, const struct er_glob_mode *m)
{
    size_t n = g->n - from;
    if (len < n || (len > n && !(m->below && (n == 0 ||
            is_stop((unsigned char)text[n], m) ||
            is_stop((unsigned char)text[n - 1], m)))))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!same_byte(&g->tokens[from + i], (unsigned char)text[i], m))
            return false;
    return true;
}

/* Places that are reached without reading a byte: behind * and **. */
static void spread(const struct er_glob *g, bool *at)
{
    for (size_t i = 0; i < g->n; i++)
        if (at[i] && g->tokens[i].op >= ER_GLOB_NAME)
            at[i + 1] = true;
}

/* Read one byte. start: a character begins with it. */
static bool read_byte(const struct er_glob *g, const bool *at, bool *next,
    unsigned char c, const struct er_glob_mode *m)
{
    bool any = false, open = m->wide || !is_stop(c, m);
    bool inside = (c & 0xc0) == 0x80; /* a character goes on */
    memset(next, 0, (g->n + 1) * sizeof *next);
    for (size_t i = 0; i <= g->n; i++) {
        if (!at[i])
            continue;
        const struct er_glob_token *t = i < g->n ? &g->tokens[i] : NULL;
        if (i > 0 && inside && g->tokens[i - 1].op == ER_GLOB_ONE)
            next[i] = any = true; /* the rest of the one character */
        if (!t)
            continue;
        if (t->op == ER_GLOB_ALL || (t->op == ER_GLOB_NAME && open))
            next[i] = any = true;
        else if (t->op == ER_GLOB_ONE && open && !inside)
            next[i + 1] = any = true;
        else if (t->op == ER_GLOB_BYTE && same_byte(t, c, m))
            next[i + 1] = any = true;
    }
    spread(g, next);
    return any;
}

/* May the match end before text[i]? */
static bool may_end(const char *text, size_t i, size_t len,
    const struct er_glob_mode *m)
{
    return i == len || (m->below && (is_stop((unsigned char)text[i], m) ||
        (i > 0 && is_stop((unsigned char)text[i - 1], m))));
}

bool er_glob_match(const struct er_glob *g, size_t from, const char *text,
    size_t len, const struct er_glob_mode *mode)
{
    bool sets[2][ER_GLOB_TOKENS + 1];
    bool *at = sets[0], *next = sets[1];
    if (!g->wild)
        return match_plain(g, from, text, len, mode);
    if (g->n > ER_GLOB_TOKENS)
        return mode->wide; /* the parser refuses these */
    memset(sets, 0, sizeof sets);
    at[from] = true;
    spread(g, at);
    for (size_t i = 0;; i++) {
        if (at[g->n] && may_end(text, i, len, mode))
            return true;
        if (i == len)
            return false;
        if (!read_byte(g, at, next, (unsigned char)text[i], mode))
            return false;
        bool *swap = at;
        at = next;
        next = swap;
    }
}
