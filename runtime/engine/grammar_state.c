/* Running a grammar: a set of places moves over bytes.
 *
 * Several places at once are alternatives not yet decided. Stacks are chains
 * of frames that are only ever added, so that a place is five numbers, a copy
 * is cheap, and a look ahead is undone by forgetting the newest frames.
 */
#include "engine/grammar_inside.h"

#include <stdlib.h>
#include <string.h>

/* Inside of an escape: what was read, and a high surrogate before it. */
enum { BACKSLASH = 1u, HEX = 2u, NEED_SLASH = 3u, NEED_U = 4u, LOW = 5u };

static uint32_t escape_of(
    uint32_t mode, uint32_t high, uint32_t digits, uint32_t value)
{
    return mode << 28 | high << 16 | digits << 13 | value;
}

static bool grow(void **p, size_t *cap, size_t size)
{
    size_t more = *cap ? *cap * 2 : 16;
    void *q = realloc(*p, more * size);
    if (!q)
        return false;
    *p = q;
    *cap = more;
    return true;
}

/* --- sets */

static bool same_stack(const er_gstate *s, uint32_t a, uint32_t b)
{
    while (a != b) {
        if (!a || !b || s->frame[a].node != s->frame[b].node ||
            s->frame[a].count != s->frame[b].count)
            return false;
        a = s->frame[a].below;
        b = s->frame[b].below;
    }
    return true;
}

static void put(er_gstate *s, struct er_gset *set, struct er_gplace p)
{
    for (size_t i = 0; i < set->n; i++) {
        const struct er_gplace *q = &set->p[i];
        if (q->node == p.node && q->at == p.at && q->count == p.count &&
            q->escape == p.escape && same_stack(s, q->frame, p.frame))
            return;
    }
    if (set->n == ER_G_MAX_PLACES ||
        (set->n == set->cap &&
            !grow((void **)&set->p, &set->cap, sizeof *set->p))) {
        s->failed = true;
        return;
    }
    set->p[set->n++] = p;
}

/* A frame; one of this step that says the same is used again. */
static uint32_t push(er_gstate *s, size_t from, uint32_t node,
    uint32_t count, uint32_t below)
{
    for (size_t i = s->n_frames; i-- > from;)
        if (s->frame[i].node == node && s->frame[i].count == count &&
            s->frame[i].below == below)
            return (uint32_t)i;
    if (s->n_frames == s->cap_frames &&
        !grow((void **)&s->frame, &s->cap_frames, sizeof *s->frame)) {
        s->failed = true;
        return 0;
    }
    s->frame[s->n_frames] = (struct er_gframe){node, count, below};
    return (uint32_t)s->n_frames++;
}

/* --- what is reached without a byte */

static void later(er_gstate *s, uint32_t node, uint32_t frame, uint32_t count)
{
    for (size_t i = 0; i < s->n_work; i++)
        if (s->work[i].node == node && s->work[i].count == count &&
            same_stack(s, s->work[i].frame, frame))
            return;
    if (s->n_work == ER_G_MAX_PLACES ||
        (s->n_work == s->cap_work &&
            !grow((void **)&s->work, &s->cap_work, sizeof *s->work))) {
        s->failed = true;
        return;
    }
    s->work[s->n_work++] =
        (struct er_gplace){.node = node, .frame = frame, .count = count};
}

static void repeat(er_gstate *s, size_t from, struct er_gplace w)
{
    const struct er_gnode *k = &s->g->node[w.node];
    uint32_t done = w.count;
    if (done >= k->min)
        later(s, k->next, w.frame, 0);
    if (done >= k->max)
        return;
    /* Past the minimum an endless one need not count. */
    uint32_t next = k->max == UINT32_MAX && done >= k->min && done >= 1
        ? done : done + 1;
    uint32_t frame = push(s, from, w.node, next, w.frame);
    later(s, done == 0 ? k->other : k->more, frame, 0);
}

static void back(er_gstate *s, struct er_gset *to, struct er_gplace w)
{
    if (w.frame == 0) {
        put(s, to, (struct er_gplace){.node = 0});
        return;
    }
    const struct er_gframe f = s->frame[w.frame];
    later(s, f.node, f.below, f.count);
}

static void arrive(
    er_gstate *s, size_t from, struct er_gset *to, struct er_gplace w)
{
    const struct er_gnode *k = &s->g->node[w.node];
    switch (k->op) {
    case ER_G_RETURN:
        back(s, to, w);
        break;
    case ER_G_SPLIT:
        later(s, k->next, w.frame, 0);
        later(s, k->other, w.frame, 0);
        break;
    case ER_G_CALL:
        later(s, s->g->rule[k->other],
            k->next == 0 ? w.frame : push(s, from, k->next, 0, w.frame), 0);
        break;
    case ER_G_REPEAT:
        repeat(s, from, w);
        break;
    case ER_G_RAW:
        if (k->dfa->state[0].n)
            put(s, to, (struct er_gplace){.node = w.node, .frame = w.frame});
        if (k->dfa->state[0].accept)
            later(s, k->next, w.frame, 0);
        break;
    case ER_G_FAIL:
        break;
    default:
        put(s, to, (struct er_gplace){.node = w.node, .frame = w.frame});
    }
}

static void closure(er_gstate *s, size_t from, struct er_gset *to,
    uint32_t node, uint32_t frame)
{
    s->n_work = 0;
    later(s, node, frame, 0);
    for (size_t i = 0; i < s->n_work && !s->failed; i++)
        arrive(s, from, to, s->work[i]);
}

/* --- strings */

static bool length_fits(
    const struct er_gnode *k, uint16_t state, uint32_t count)
{
    const struct er_dfa_state *d = &k->dfa->state[state];
    if (d->shortest < 0 || count > k->max ||
        (uint32_t)d->shortest > k->max - count)
        return false;
    return d->longest == ER_DFA_ENDLESS ||
           (uint64_t)count + (uint32_t)d->longest >= k->min;
}

/* A whole character, decoded from an escape. */
static bool take_code(const struct er_gnode *k, uint32_t code,
    uint16_t state, uint32_t count, uint16_t *out)
{
    char u[4];
    size_t n = er_utf8_put(code, u);
    *out = er_dfa_run(k->dfa, state, u, n);
    return *out != ER_DFA_DEAD && length_fits(k, *out, count + 1);
}

/* Can a sequence of byte ranges be walked from here to a state that fits? */
static bool range_fits(const struct er_gnode *k, uint16_t state,
    uint32_t count, const struct er_utf8_range *u, size_t i)
{
    const struct er_dfa_state *d = &k->dfa->state[state];
    if (i == u->n)
        return length_fits(k, state, count + 1);
    for (uint16_t e = 0; e < d->n; e++)
        if (d->edge[e].lo <= u->hi[i] && d->edge[e].hi >= u->lo[i] &&
            range_fits(k, d->edge[e].to, count, u, i + 1))
            return true;
    return false;
}

static bool codes_fit(const struct er_gnode *k, uint16_t state,
    uint32_t count, uint32_t lo, uint32_t hi)
{
    struct er_utf8_range u[ER_UTF8_RANGES];
    lo = lo ? lo : 1; /* no NUL */
    size_t n = er_utf8_ranges(lo, hi, u);
    for (size_t i = 0; i < n; i++)
        if (range_fits(k, state, count, &u[i], 0))
            return true;
    return false;
}

static uint32_t plane(uint32_t high)
{
    return 0x10000 + (high << 10);
}

/* One hexadecimal digit of \uXXXX; p is changed to where it leads. */
static bool take_hex(
    const struct er_gnode *k, struct er_gplace *p, uint8_t byte)
{
    uint32_t mode = p->escape >> 28, high = p->escape >> 16 & 0x3FF;
    uint32_t digits = (p->escape >> 13 & 7) + 1;
    uint8_t c = byte | 32;
    if (!(byte >= '0' && byte <= '9') && !(c >= 'a' && c <= 'f'))
        return false;
    uint32_t v = byte <= '9' ? byte - (uint32_t)'0' : c - 'a' + 10u;
    v |= (p->escape & 0x1FFF) << 4;
    unsigned open = 4 * (4 - digits);
    uint32_t lo = v << open, hi = lo | ((1u << open) - 1);
    uint16_t to = 0, state = (uint16_t)p->at;
    if (mode == LOW) {
        lo = lo < 0xDC00 ? 0xDC00 : lo;
        hi = hi > 0xDFFF ? 0xDFFF : hi;
        if (lo > hi)
            return false;
        lo = plane(high) + (lo - 0xDC00);
        hi = plane(high) + (hi - 0xDC00);
    }
    bool surrogate = mode == HEX && hi >= 0xD800 && lo <= 0xDBFF;
    bool astral = surrogate && codes_fit(k, state, p->count,
        plane((lo > 0xD800 ? lo : 0xD800) - 0xD800),
        plane((hi < 0xDBFF ? hi : 0xDBFF) - 0xD800) + 0x3FF);
    if (digits < 4) {
        p->escape = escape_of(mode, high, digits, v);
        return astral || codes_fit(k, state, p->count, lo, hi);
    }
    if (surrogate) {
        p->escape = escape_of(NEED_SLASH, v - 0xD800, 0, 0);
        return astral;
    }
    if (lo == 0 || !take_code(k, lo, state, p->count, &to))
        return false;
    p->at = to;
    p->count++;
    p->escape = 0;
    return true;
}

static bool take_escape(
    const struct er_gnode *k, struct er_gplace *p, uint8_t byte)
{
    static const char map[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
    uint32_t mode = p->escape >> 28, high = p->escape >> 16 & 0x3FF;
    uint16_t to;
    if (mode == HEX || mode == LOW)
        return take_hex(k, p, byte);
    if (mode == NEED_SLASH || mode == NEED_U) {
        p->escape = escape_of(mode == NEED_U ? LOW : NEED_U, high, 0, 0);
        return byte == (mode == NEED_U ? 'u' : '\\');
    }
    if (byte == 'u') {
        p->escape = escape_of(HEX, 0, 0, 0);
        return codes_fit(k, (uint16_t)p->at, p->count, 1, 0x10FFFF);
    }
    for (size_t i = 0; i + 1 < sizeof map; i += 2)
        if ((uint8_t)map[i] == byte &&
            take_code(k, (uint8_t)map[i + 1], (uint16_t)p->at, p->count,
                &to)) {
            p->at = to;
            p->count++;
            p->escape = 0;
            return true;
        }
    return false;
}

static void step_string(er_gstate *s, size_t from, struct er_gset *to,
    struct er_gplace p, uint8_t byte)
{
    const struct er_gnode *k = &s->g->node[p.node];
    if (p.escape) {
        if (take_escape(k, &p, byte))
            put(s, to, p);
        return;
    }
    if (byte == '"') {
        if (k->dfa->state[p.at].accept && p.count >= k->min)
            closure(s, from, to, k->next, p.frame);
        return;
    }
    if (byte == '\\') {
        p.escape = escape_of(BACKSLASH, 0, 0, 0);
        if (codes_fit(k, (uint16_t)p.at, p.count, 1, 0x10FFFF))
            put(s, to, p);
        return;
    }
    if (byte < 0x20)
        return;
    uint16_t next = er_dfa_step(k->dfa, (uint16_t)p.at, byte);
    p.count += (byte & 0xC0) != 0x80;
    if (next == ER_DFA_DEAD || !length_fits(k, next, p.count))
        return;
    p.at = next;
    /* A count beyond every bound need not be told apart. */
    if (k->max == UINT32_MAX && p.count > k->min)
        p.count = k->min;
    put(s, to, p);
}

/* --- bytes */

static void step_place(er_gstate *s, size_t from, struct er_gset *to,
    struct er_gplace p, uint8_t byte)
{
    const struct er_gnode *k = &s->g->node[p.node];
    if (k->op == ER_G_STRING) {
        step_string(s, from, to, p, byte);
    } else if (k->op == ER_G_TEXT) {
        if ((uint8_t)k->text[p.at] != byte)
            return;
        if (++p.at == k->n)
            closure(s, from, to, k->next, p.frame);
        else
            put(s, to, p);
    } else if (k->op == ER_G_RAW) {
        uint16_t next = er_dfa_step(k->dfa, (uint16_t)p.at, byte);
        if (next == ER_DFA_DEAD)
            return;
        p.at = next;
        if (k->dfa->state[next].n)
            put(s, to, p);
        if (k->dfa->state[next].accept)
            closure(s, from, to, k->next, p.frame);
    }
}

/* Most bytes are plain ones inside of a string that is the only place: they
 * need nothing of what a set needs. */
static bool plain_step(er_gstate *s, const struct er_gset *from,
    struct er_gset *to, uint8_t byte)
{
    const struct er_gnode *k = &s->g->node[from->p[0].node];
    struct er_gplace p = from->p[0];
    if (k->op != ER_G_STRING || p.escape || byte < 0x20 || byte == '"' ||
        byte == '\\' || to->cap == 0)
        return false;
    uint16_t next = er_dfa_step(k->dfa, (uint16_t)p.at, byte);
    p.count += (byte & 0xC0) != 0x80;
    if (next == ER_DFA_DEAD || !length_fits(k, next, p.count))
        return true;
    if (k->max == UINT32_MAX && p.count > k->min)
        p.count = k->min;
    p.at = next;
    to->p[0] = p;
    to->n = 1;
    return true;
}

bool er_gstate_step(er_gstate *s, const struct er_gset *from,
    struct er_gset *to, uint8_t byte)
{
    size_t frames = s->n_frames;
    to->n = 0;
    if (from->n == 1 && plain_step(s, from, to, byte))
        return to->n > 0;
    for (size_t i = 0; i < from->n && !s->failed; i++)
        step_place(s, frames, to, from->p[i], byte);
    return to->n > 0 && !s->failed;
}

/* --- the state */

er_gstate *er_gstate_new(const er_grammar *g)
{
    er_gstate *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->g = g;
    if (grow((void **)&s->frame, &s->cap_frames, sizeof *s->frame)) {
        s->n_frames = 1;
        closure(s, 1, &s->now, g->rule[g->root], 0);
    }
    if (s->n_frames && !s->failed)
        return s;
    er_gstate_free(s);
    return NULL;
}

void er_gstate_free(er_gstate *s)
{
    if (!s)
        return;
    free(s->now.p);
    free(s->next.p);
    free(s->frame);
    free(s->work);
    er_gcache_free(s->cache);
    free(s);
}

er_gstate *er_gstate_clone(const er_gstate *s)
{
    er_gstate *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->g = s->g;
    c->now.p = malloc((s->now.n + 1) * sizeof *c->now.p);
    c->frame = malloc(s->n_frames * sizeof *c->frame);
    if (!c->now.p || !c->frame) {
        er_gstate_free(c);
        return NULL;
    }
    if (s->now.n)
        memcpy(c->now.p, s->now.p, s->now.n * sizeof *c->now.p);
    memcpy(c->frame, s->frame, s->n_frames * sizeof *c->frame);
    c->now.n = s->now.n;
    c->now.cap = s->now.n + 1;
    c->n_frames = c->cap_frames = s->n_frames;
    return c;
}

/* Frames that no place stands on any more go: once there are many. */
static void sweep(er_gstate *s)
{
    if (s->n_frames < 4096)
        return;
    uint32_t *moved = calloc(s->n_frames, sizeof *moved);
    if (!moved)
        return;
    for (size_t i = 0; i < s->now.n; i++)
        for (uint32_t f = s->now.p[i].frame; f && !moved[f];
             f = s->frame[f].below)
            moved[f] = 1;
    uint32_t n = 1;
    for (size_t f = 1; f < s->n_frames; f++) {
        if (!moved[f])
            continue;
        s->frame[n] = s->frame[f];
        s->frame[n].below = moved[s->frame[f].below];
        moved[f] = n++;
    }
    for (size_t i = 0; i < s->now.n; i++)
        s->now.p[i].frame = moved[s->now.p[i].frame];
    s->n_frames = n;
    free(moved);
}

bool er_gstate_advance(er_gstate *s, uint8_t byte)
{
    size_t frames = s->n_frames;
    if (!er_gstate_step(s, &s->now, &s->next, byte)) {
        s->n_frames = frames;
        s->failed = false;
        return false;
    }
    struct er_gset swap = s->now;
    s->now = s->next;
    s->next = swap;
    sweep(s);
    return true;
}

size_t er_gstate_takes(er_gstate *s, const char *bytes, size_t n)
{
    size_t frames = s->n_frames, i = 0;
    struct er_gset set[2] = {{0}, {0}};
    const struct er_gset *from = &s->now;
    while (i < n && er_gstate_step(s, from, &set[i & 1], (uint8_t)bytes[i])) {
        from = &set[i & 1];
        i++;
    }
    free(set[0].p);
    free(set[1].p);
    s->n_frames = frames;
    s->failed = false;
    return i;
}

bool er_gstate_complete(const er_gstate *s)
{
    for (size_t i = 0; i < s->now.n; i++)
        if (s->now.p[i].node == 0)
            return true;
    return false;
}

/* The one byte that can come at a place: its value, -1 for a choice, -2 for
 * the text's end. */
static int only_byte(const er_gstate *s, const struct er_gplace *p)
{
    const struct er_gnode *k = &s->g->node[p->node];
    if (k->op == ER_G_RETURN)
        return -2;
    if (k->op == ER_G_TEXT)
        return (uint8_t)k->text[p->at];
    const struct er_dfa_state *d = &k->dfa->state[p->at];
    if (k->op == ER_G_RAW)
        return d->n == 1 && d->edge[0].lo == d->edge[0].hi
            ? d->edge[0].lo : -1;
    if (p->escape)
        return -1;
    bool full = d->n == 0 || p->count >= k->max;
    if (full)
        return '"';
    bool one = d->n == 1 && d->edge[0].lo == d->edge[0].hi && !d->accept &&
               d->edge[0].lo >= 0x20 && d->edge[0].lo < 0x80 &&
               d->edge[0].lo != '"' && d->edge[0].lo != '\\';
    return one ? d->edge[0].lo : -1;
}

static int forced_byte(const er_gstate *s, const struct er_gset *set)
{
    int only = -1;
    for (size_t i = 0; i < set->n; i++) {
        int c = only_byte(s, &set->p[i]);
        if (c < 0 || (i > 0 && c != only))
            return -1;
        only = c;
    }
    return only;
}

size_t er_gstate_forced(er_gstate *s, struct er_buf *out, size_t max)
{
    size_t frames = s->n_frames, n = 0;
    struct er_gset set[2] = {{0}, {0}};
    const struct er_gset *from = &s->now;
    int c;
    while (n < max && (c = forced_byte(s, from)) >= 0 &&
           er_gstate_step(s, from, &set[n & 1], (uint8_t)c)) {
        char byte = (char)c;
        if (!er_buf_add(out, &byte, 1))
            break;
        from = &set[n & 1];
        n++;
    }
    free(set[0].p);
    free(set[1].p);
    s->n_frames = frames;
    s->failed = false;
    return n;
}
