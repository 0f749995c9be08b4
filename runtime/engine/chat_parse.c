/* The reader's states: where in an answer we are, and what is held back.
 *
 * Bytes are kept in `hold` until it is certain what they are. Each state
 * looks at the front of it and either takes some off or waits; whether it
 * waits depends on the bytes alone, never on how they were cut.
 */
#include "engine/chat_parse.h"

#include "engine/chat_shape.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { HOLD_MAX = 4 << 20, SLICE = 64 << 10, SPACE_MAX = 1024 };

enum state {
    STARTING = 0, /* nothing but reasoning so far: calls may stand here */
    BEHIND = 1,   /* behind a call: more of them, or text */
    INSIDE = 2,   /* behind a call, its tags still open */
    THINKING = 3,
    TALKING = 4,  /* text; calls only behind the family's tag */
};

struct er_chat_parser {
    enum er_chat_family family;
    enum state state;
    bool keep_thinking;
    bool trim;      /* white space in front of what comes is dropped */
    bool long_run;  /* in a run of spaces too long to be held back */
    bool items;     /* further mistral items may follow untagged */
    bool nomem;
    bool ended;
    const char *think_end;
    const char *close[2];
    char **list;    /* known names, or NULL */
    struct er_chat_names names;
    struct er_chat_events ev;
    void *ctx;
    struct er_buf hold;
    struct er_chat_scan scan;
    size_t scan_from;
};

bool er_chat_family_named(const char *name, enum er_chat_family *out)
{
    static const char *const names[] = {"llama3", "hermes", "mistral"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0) {
            *out = (enum er_chat_family)i;
            return true;
        }
    return false;
}

/* --- making and freeing */

static bool copy_names(er_chat_parser *p, const char *const *tools)
{
    size_t n = 0;
    while (tools[n])
        n++;
    p->list = calloc(n + 1, sizeof *p->list);
    if (!p->list)
        return false;
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(tools[i]);
        p->list[i] = malloc(len + 1);
        if (!p->list[i])
            return false;
        memcpy(p->list[i], tools[i], len + 1);
    }
    p->names.list = (const char *const *)p->list;
    return true;
}

er_chat_parser *er_chat_parser_new(enum er_chat_family family,
    const struct er_chat_options *opt, const struct er_chat_events *events,
    void *ctx)
{
    er_chat_parser *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->family = family;
    p->ev = *events;
    p->ctx = ctx;
    p->think_end = "</think>";
    p->scan_from = SIZE_MAX;
    er_buf_init(&p->hold, HOLD_MAX + SLICE);
    if (opt) {
        p->keep_thinking = opt->keep_thinking;
        p->state = opt->thinking_open ? THINKING : STARTING;
        p->trim = opt->thinking_open;
        if (opt->tools && !copy_names(p, opt->tools)) {
            er_chat_parser_free(p);
            return NULL;
        }
    }
    return p;
}

void er_chat_parser_free(er_chat_parser *p)
{
    if (!p)
        return;
    for (size_t i = 0; p->list && p->list[i]; i++)
        free(p->list[i]);
    free(p->list);
    er_buf_release(&p->hold);
    free(p);
}

/* --- giving */

static void drop(er_chat_parser *p, size_t n)
{
    if (n > 0)
        er_buf_drop(&p->hold, n);
    p->scan = (struct er_chat_scan){0};
    p->scan_from = SIZE_MAX;
}

/* Give the first n held bytes as text or as reasoning. */
static void give(er_chat_parser *p, size_t n)
{
    void (*to)(void *, const char *, size_t) =
        p->state == THINKING ? p->ev.reasoning : p->ev.text;
    if (n > 0 && to)
        to(p->ctx, p->hold.data, n);
    drop(p, n);
}

/* Bytes at the end of s[0..n) that begin a character which is not whole. */
static size_t torn(const char *s, size_t n)
{
    for (size_t back = 1; back <= 3 && back <= n; back++) {
        unsigned char c = (unsigned char)s[n - back];
        if ((c & 0xC0) == 0x80)
            continue;
        size_t need = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : c >= 0xC0 ? 2 : 1;
        return need > back ? back : 0;
    }
    return 0;
}

static size_t space(const char *s, size_t n)
{
    size_t i = 0;
    while (i < n && s[i] && strchr(" \t\r\n", s[i]))
        i++;
    return i;
}

/* Bytes at the end of s[0..n) that begin the literal, but are not all. */
static size_t begins_at_end(const char *s, size_t n, const char *literal)
{
    size_t len = strlen(literal), k = n < len - 1 ? n : len - 1;
    while (k > 0 && memcmp(s + n - k, literal, k) != 0)
        k--;
    return k;
}

static const char *find(const char *s, size_t n, const char *literal)
{
    size_t len = strlen(literal);
    const char *end = s + n;
    while ((size_t)(end - s) >= len &&
           (s = memchr(s, literal[0], (size_t)(end - s) - len + 1)) != NULL) {
        if (memcmp(s, literal, len) == 0)
            return s;
        s++;
    }
    return NULL;
}

/* --- calls */

static struct er_chat_view view(er_chat_parser *p, size_t at)
{
    bool full = p->hold.len >= HOLD_MAX;
    size_t total = full ? HOLD_MAX : p->hold.len;
    return (struct er_chat_view){.s = p->hold.data,
        .n = total < ER_CHAT_HEAD_MAX ? total : ER_CHAT_HEAD_MAX,
        .total = total, .at = at, .names = &p->names, .scan = &p->scan,
        .scan_from = &p->scan_from, .ended = p->ended, .full = full};
}

/* Hand the calls out, drop what they took, go behind or inside. */
static void accept_calls(er_chat_parser *p, const struct er_chat_match *m)
{
    for (size_t i = 0; p->ev.call && i < m->n_calls; i++)
        p->ev.call(p->ctx, &m->calls[i]);
    drop(p, m->len);
    p->close[0] = m->close[0];
    p->close[1] = m->close[1];
    p->items = m->items;
    p->state = m->close[0] || m->items ? INSIDE : BEHIND;
}

/* Settle a recogniser's answer for what is held. */
static enum er_chat_answer settle(
    er_chat_parser *p, enum er_chat_answer a, struct er_chat_match *m)
{
    if (m->nomem)
        p->nomem = true;
    else if (a == ER_CHAT_YES)
        accept_calls(p, m);
    er_chat_match_release(m);
    return p->nomem ? ER_CHAT_MORE : a;
}

/* --- the states. Each returns true if it got on, false to wait. */

static bool go(er_chat_parser *p, enum state state)
{
    p->state = state;
    p->scan_from = SIZE_MAX;
    return true;
}

/* Drop white space and what splits calls; true if more than that is held. */
static bool skip_separators(er_chat_parser *p)
{
    size_t at = 0;
    while (at < p->hold.len && p->hold.data[at] &&
           strchr(" \t\r\n;,", p->hold.data[at]))
        at++;
    drop(p, at);
    return p->hold.len > 0;
}

/* Does hold[at..) begin with the literal? MORE only while bytes may come. */
static enum er_chat_answer begins(
    er_chat_parser *p, size_t at, const char *literal)
{
    struct er_chat_view v = view(p, at);
    return er_chat_literal_at(&v, literal);
}

static enum er_chat_answer think_begins(er_chat_parser *p, size_t at)
{
    enum er_chat_answer a = begins(p, at, "<think>"), b = ER_CHAT_NO;
    const char *end = "</think>";
    size_t len = strlen("<think>");
    if (p->keep_thinking)
        return ER_CHAT_NO;
    if (p->family == ER_CHAT_MISTRAL && a == ER_CHAT_NO) {
        b = begins(p, at, "[THINK]");
        end = "[/THINK]";
    }
    if (a != ER_CHAT_YES && b != ER_CHAT_YES)
        return a == ER_CHAT_MORE || b == ER_CHAT_MORE ? ER_CHAT_MORE
                                                      : ER_CHAT_NO;
    drop(p, at + len);
    p->think_end = end;
    p->state = THINKING;
    p->trim = true;
    return ER_CHAT_YES;
}

static bool start(er_chat_parser *p)
{
    size_t at = space(p->hold.data, p->hold.len);
    if (p->trim) {
        drop(p, at);
        at = 0;
    }
    if (at == p->hold.len && at <= SPACE_MAX && !p->ended)
        return false;
    if (at == p->hold.len || at > SPACE_MAX)
        return go(p, TALKING);
    enum er_chat_answer think = think_begins(p, at);
    if (think == ER_CHAT_YES)
        return true;
    struct er_chat_match m;
    er_chat_match_init(&m);
    enum er_chat_answer a =
        settle(p, er_chat_opening(p->family, view(p, at), &m), &m);
    if (a == ER_CHAT_NO && think == ER_CHAT_NO)
        return go(p, TALKING);
    return a == ER_CHAT_YES;
}

/* Behind a call: separators and end marks mean nothing. */
static bool behind(er_chat_parser *p)
{
    const char *const *marks = er_chat_end_marks(p->family);
    bool more = false;
    if (!skip_separators(p))
        return false;
    for (size_t i = 0; marks[i]; i++) {
        enum er_chat_answer a = begins(p, 0, marks[i]);
        if (a == ER_CHAT_YES) {
            drop(p, strlen(marks[i]));
            return true;
        }
        more = more || a == ER_CHAT_MORE;
    }
    struct er_chat_match m;
    er_chat_match_init(&m);
    enum er_chat_answer a =
        settle(p, er_chat_opening(p->family, view(p, 0), &m), &m);
    if (a == ER_CHAT_NO && !more)
        return go(p, TALKING);
    return a == ER_CHAT_YES;
}

/* Does what is held begin with an open tag's end? One that was cut off by
 * the end of the answer counts. */
static enum er_chat_answer closes(er_chat_parser *p)
{
    enum er_chat_answer all = ER_CHAT_NO;
    for (int i = 0; i < 2; i++) {
        const char *close = p->close[i];
        enum er_chat_answer a = close ? begins(p, 0, close) : ER_CHAT_NO;
        bool cut = close && p->ended && p->hold.len < strlen(close) &&
                   !memcmp(p->hold.data, close, p->hold.len);
        if (a == ER_CHAT_YES || cut) {
            drop(p, cut ? p->hold.len : strlen(close));
            p->close[0] = i == 0 ? p->close[1] : NULL;
            p->close[1] = NULL;
            p->state = p->close[0] ? INSIDE : BEHIND;
            return ER_CHAT_YES;
        }
        if (a == ER_CHAT_MORE)
            all = a;
    }
    return all;
}

/* Inside open tags: an end of them, or one more value. */
static bool inside(er_chat_parser *p)
{
    if (!skip_separators(p))
        return false;
    enum er_chat_answer end = closes(p);
    if (end == ER_CHAT_YES)
        return true;
    struct er_chat_match m;
    er_chat_match_init(&m);
    enum er_chat_answer a = er_chat_inside(p->items, view(p, 0), &m);
    m.close[0] = p->close[0];
    m.close[1] = p->close[1];
    m.items = p->items;
    a = settle(p, a, &m);
    if (a == ER_CHAT_NO && end == ER_CHAT_NO)
        return go(p, BEHIND);
    return a == ER_CHAT_YES;
}

/* Reasoning without the white space around it. */
static bool think(er_chat_parser *p)
{
    if (p->trim) {
        drop(p, space(p->hold.data, p->hold.len));
        p->trim = p->hold.len == 0;
    }
    const char *s = p->hold.data;
    size_t n = p->hold.len;
    const char *end = find(s, n, p->think_end);
    size_t stop = end ? (size_t)(end - s)
        : p->ended ? n : n - begins_at_end(s, n, p->think_end);
    size_t run = 0; /* of white space in front of stop */
    while (run < stop && s[stop - run - 1] &&
           strchr(" \t\r\n", s[stop - run - 1]))
        run++;
    bool keep = run > SPACE_MAX || (p->long_run && run == stop);
    p->long_run = keep && !end;
    size_t most = keep ? stop : stop - run;
    if (!end && !p->ended)
        most -= torn(s, most);
    give(p, most);
    if (!end)
        return false;
    drop(p, stop - most + strlen(p->think_end));
    p->state = STARTING;
    p->trim = true;
    return true;
}

/* How much of hold is text for certain, with no tag in it. An end mark that
 * is the last thing of all is none. */
static size_t sure_text(const er_chat_parser *p)
{
    const char *const *marks = er_chat_end_marks(p->family);
    const char *s = p->hold.data, *tag = er_chat_tag(p->family);
    size_t n = p->hold.len, kept = 0;
    for (size_t i = 0; marks[i]; i++) {
        size_t len = strlen(marks[i]);
        size_t k = n >= len && !memcmp(s + n - len, marks[i], len)
            ? len : begins_at_end(s, n, marks[i]);
        if (p->ended && k < len)
            k = 0;
        kept = k > kept ? k : kept;
    }
    if (p->ended)
        return n - kept;
    size_t k = tag ? begins_at_end(s, n, tag) : 0;
    kept = k > kept ? k : kept;
    return n - kept - (kept ? 0 : torn(s, n));
}

static bool talk(er_chat_parser *p)
{
    const char *tag = er_chat_tag(p->family);
    const char *at = tag ? find(p->hold.data, p->hold.len, tag) : NULL;
    if (!at) {
        give(p, sure_text(p));
        return false;
    }
    give(p, (size_t)(at - p->hold.data));
    struct er_chat_match m;
    er_chat_match_init(&m);
    enum er_chat_answer a =
        settle(p, er_chat_tagged(p->family, view(p, 0), &m), &m);
    if (a == ER_CHAT_NO)
        give(p, strlen(tag));
    return a != ER_CHAT_MORE;
}

static bool step(er_chat_parser *p)
{
    if (p->hold.len == 0)
        return false;
    switch (p->state) {
    case STARTING:
        return start(p);
    case BEHIND:
        return behind(p);
    case INSIDE:
        return inside(p);
    case THINKING:
        return think(p);
    case TALKING:
        return talk(p);
    }
    return false;
}

/* --- in and end */

static int run(er_chat_parser *p)
{
    while (!p->nomem && step(p))
        ;
    return p->nomem ? ERRAND_NOMEM : ERRAND_OK;
}

int er_chat_parser_feed(er_chat_parser *p, const char *bytes, size_t len)
{
    int rc = p->nomem ? ERRAND_NOMEM : ERRAND_OK;
    while (len > 0 && rc == ERRAND_OK) {
        size_t n = len < SLICE ? len : SLICE;
        if (!er_buf_add(&p->hold, bytes, n)) {
            p->nomem = true;
            return ERRAND_NOMEM;
        }
        bytes += n;
        len -= n;
        rc = run(p);
    }
    return rc;
}

int er_chat_parser_end(er_chat_parser *p)
{
    p->ended = true;
    return run(p);
}
