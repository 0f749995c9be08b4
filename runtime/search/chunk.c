/* Filling chunks with pieces, and cutting up pieces that are too large. */
#include "search/chunk.h"

#include "base/text.h"
#include "search/cutter.h"

#include <stdlib.h>
#include <string.h>

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_word(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80;
}

/* A word of up to seven letters is one token as a rule, a longer one one per
 * five; a number one per three digits; each mark is one. Letters outside of
 * ASCII take two bytes and are rarer: three bytes a token. */
size_t er_tokens_guess(const char *text, size_t len)
{
    size_t n = 0, at = 0;
    while (at < len) {
        size_t from = at, wide = 0;
        unsigned char c = (unsigned char)text[at];
        if (is_word(c)) {
            while (at < len && is_word((unsigned char)text[at]))
                wide += (unsigned char)text[at++] >= 0x80;
            size_t plain = at - from - wide;
            n += (plain > 7 ? plain / 5 : plain > 0) + (wide + 2) / 3;
        } else if (c >= '0' && c <= '9') {
            while (at < len && text[at] >= '0' && text[at] <= '9')
                at++;
            n += (at - from + 2) / 3;
        } else {
            n += !is_space(text[at++]);
        }
    }
    return n;
}

size_t er_line_end(const char *text, size_t len, size_t at)
{
    const char *nl = at < len ? memchr(text + at, '\n', len - at) : NULL;
    return nl ? (size_t)(nl - text) + 1 : len;
}

bool er_is_blank(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!is_space(text[i]))
            return false;
    return true;
}

/* ---------------------------------------------------------------- filling */

void er_cutter_add(struct er_cutter *c, const struct er_chunk *chunk)
{
    struct er_chunks *out = c->out;
    if (c->code != ERRAND_OK)
        return;
    if (out->n >= ER_CHUNKS_MOST) {
        c->code = er_fail(c->err, ERRAND_TOO_LARGE,
            "more than %d chunks; split it into smaller files",
            (int)ER_CHUNKS_MOST);
        return;
    }
    if (out->n == out->room) {
        size_t room = out->room ? out->room * 2 : 16;
        struct er_chunk *more = realloc(out->v, room * sizeof *more);
        if (!more) {
            c->code = er_nomem(c->err);
            return;
        }
        out->v = more;
        out->room = room;
    }
    out->v[out->n++] = *chunk;
}

static int64_t count_lines(const char *text, size_t from, size_t to)
{
    int64_t n = 0;
    for (const char *p = text + from, *end = text + to;
         p < end && (p = memchr(p, '\n', (size_t)(end - p))); p++)
        n++;
    return n;
}

void er_cutter_end(struct er_cutter *c, size_t end)
{
    size_t seen = c->start;
    while (seen < end && is_space(c->text[seen]))
        seen++;
    if (seen < end) {
        /* the line that a reader looks for is the first with something */
        struct er_chunk chunk = {.start = c->start, .end = end,
            .line = c->line + count_lines(c->text, c->start, seen),
            .heading = c->heading, .text = c->text + c->start,
            .len = end - c->start};
        er_cutter_add(c, &chunk);
    } else if (end > c->start && c->out->n > 0 &&
               c->out->v[c->out->n - 1].end == c->start) {
        struct er_chunk *last = &c->out->v[c->out->n - 1];
        last->end = end; /* space belongs to what stands before it */
        last->len = end - last->start;
    } else {
        return; /* at the beginning: to what comes */
    }
    c->line += count_lines(c->text, c->start, end);
    c->start = end;
    c->tokens = 0;
    c->body = false;
}

/* ------------------------------------------------------- large pieces */

/* Ends of sentences in the scripts of Europe and East Asia. */
static size_t sentence_mark(const char *s, size_t len)
{
    static const char *const wide[] = {"。", "！", "？", "…"};
    if (*s == '.' || *s == '!' || *s == '?')
        return len == 1 || is_space(s[1]) ||
                       ((s[1] == '"' || s[1] == ')' || s[1] == '\'') &&
                           (len == 2 || is_space(s[2])))
                   ? 1
                   : 0;
    for (size_t i = 0; i < sizeof wide / sizeof wide[0]; i++)
        if (len >= 3 && memcmp(s, wide[i], 3) == 0)
            return 3;
    return 0;
}

/* Behind the sentence, or the line, that begins at from. */
static size_t sentence_end(const char *s, size_t from, size_t to)
{
    size_t at = from;
    while (at < to) {
        size_t n = s[at] == '\n' ? 1 : sentence_mark(s + at, to - at);
        if (n == 0) {
            at++;
            continue;
        }
        at += n;
        while (at < to && (s[at] == '"' || s[at] == ')' || s[at] == '\''))
            at++;
        while (at < to && is_space(s[at]))
            at++;
        return at;
    }
    return to;
}

/* Where at most ER_CHUNK_TOKENS of a sentence that is too long end: behind a
 * word, or within one that has no end. */
static size_t words_end(const char *s, size_t from, size_t to)
{
    size_t at = from, tokens = 0, last = from;
    while (at < to && tokens <= ER_CHUNK_TOKENS) {
        size_t begin = at;
        last = at;
        while (at < to && !is_space(s[at]) && at - begin < 4096)
            at++;
        if (at - begin == 4096)
            at = begin + er_utf8_cut(s + begin, to - begin, 4096);
        tokens += er_tokens_guess(s + begin, at - begin);
        while (at < to && is_space(s[at]))
            at++;
    }
    return tokens > ER_CHUNK_TOKENS && last > from ? last : at;
}

static void cut_up(struct er_cutter *c, size_t from, size_t end)
{
    while (from < end && c->code == ERRAND_OK) {
        size_t to = sentence_end(c->text, from, end);
        size_t tokens = er_tokens_guess(c->text + from, to - from);
        if (tokens > ER_CHUNK_MOST) {
            to = words_end(c->text, from, to);
            tokens = er_tokens_guess(c->text + from, to - from);
        }
        if (c->tokens > 0 && c->tokens + tokens > ER_CHUNK_TOKENS)
            er_cutter_end(c, from);
        c->tokens += tokens;
        c->body = true;
        from = to;
    }
}

void er_cutter_piece(struct er_cutter *c, size_t from, size_t end)
{
    size_t tokens = er_tokens_guess(c->text + from, end - from);
    if (c->code != ERRAND_OK || end <= from)
        return;
    if (c->tokens >= ER_CHUNK_TOKENS ||
        (c->tokens > 0 && tokens <= ER_CHUNK_MOST &&
            c->tokens + tokens > ER_CHUNK_MOST))
        er_cutter_end(c, from);
    if (tokens > ER_CHUNK_MOST) {
        cut_up(c, from, end);
        return;
    }
    c->tokens += tokens;
    c->body = c->body || tokens > 0;
}

/* ------------------------------------------------------------------ whole */

void er_chunks_init(struct er_chunks *c)
{
    *c = (struct er_chunks){.n = 0};
    er_arena_init(&c->arena);
}

void er_chunks_release(struct er_chunks *c)
{
    free(c->v);
    er_arena_release(&c->arena);
    er_chunks_init(c);
}

int er_chunk_text(struct er_chunks *out, enum er_kind kind, const char *text,
    size_t len, struct errand_error *err)
{
    struct er_cutter c = {.out = out, .text = text, .len = len, .line = 1,
        .heading = "", .err = err};
    switch (kind) {
    case ER_KIND_MARKDOWN:
    case ER_KIND_HTML:
    case ER_KIND_OFFICE:
        er_cut_marked(&c);
        break;
    case ER_KIND_CODE:
        er_cut_code(&c);
        break;
    case ER_KIND_CSV:
        er_cut_csv(&c);
        break;
    case ER_KIND_JSONL:
        er_cut_jsonl(&c);
        break;
    default:
        er_cut_plain(&c);
    }
    if (c.code == ERRAND_OK)
        er_cutter_end(&c, len);
    return c.code;
}
