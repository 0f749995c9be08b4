/* Part by part; see query.h. */
#include "search/query.h"

#include "base/text.h"
#include "search/index_text.h"

#include <string.h>

enum part_kind { SHOULD, MUST, MUST_NOT };

struct reading {
    struct er_query *q;
    struct er_words *w;
    enum part_kind kind;
    er_word last;    /* the word before in this part; 0: none that counts */
    bool small_too;  /* nothing but small words were found */
    struct er_phrase *phrase;
};

static void add_term(struct reading *r, er_word word, bool must_not)
{
    struct er_query *q = r->q;
    for (size_t i = 0; i < q->n_terms; i++) {
        if (q->terms[i].word != word || q->terms[i].must_not != must_not)
            continue;
        q->terms[i].count++;
        return;
    }
    if (q->n_terms < ER_QUERY_TERMS)
        q->terms[q->n_terms++] = (struct er_term){
            .word = word, .count = 1, .must_not = must_not};
}

static bool on_word(void *ctx, const struct er_token *t)
{
    struct reading *r = ctx;
    struct er_query *q = r->q;
    if (r->phrase && r->phrase->n < ER_PHRASE_WORDS)
        r->phrase->words[r->phrase->n++] = t->word;
    if (er_words_is_stop(r->w, t->word) && !r->small_too &&
        r->kind != MUST_NOT) {
        r->last = 0;
        return true;
    }
    add_term(r, t->word, r->kind == MUST_NOT);
    if (r->last && r->kind != MUST_NOT && q->n_pairs < ER_QUERY_TERMS) {
        q->pairs[q->n_pairs].first = r->last;
        q->pairs[q->n_pairs++].second = t->word;
    }
    r->last = t->word;
    return true;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Punctuation of a sentence is no part of a name. */
static void trim_name(const char **s, size_t *len)
{
    while (*len > 0 && strchr(".,;:!?()[]{}<>'\"`", **s)) {
        ++*s;
        --*len;
    }
    while (*len > 0 && strchr(".,;:!?()[]{}<>'\"`", (*s)[*len - 1]))
        --*len;
}

static bool add_name(struct er_query *q, const char *s, size_t len)
{
    size_t chars = 0;
    trim_name(&s, &len);
    for (size_t i = 0; i < len; i++)
        chars += ((unsigned char)s[i] & 0xc0) != 0x80;
    if (chars < 3 || len > 200 || q->n_names == ER_QUERY_NAMES)
        return true; /* a trigram needs three */
    char *copy = er_arena_strn(&q->arena, s, len);
    for (size_t i = 0; copy && i < len; i++)
        if (copy[i] >= 'A' && copy[i] <= 'Z')
            copy[i] |= 0x20;
    if (copy)
        q->names[q->n_names++] = (struct er_name){
            .text = copy, .len = len, .odd = er_index_is_name(s, len)};
    return copy != NULL;
}

/* The part at at; behind it. */
static size_t read_part(
    struct reading *r, const char *s, size_t len, size_t at, bool *ok)
{
    bool minus = s[at] == '-' && at + 1 < len && !is_space(s[at + 1]);
    size_t from = at + minus, end;
    bool quoted = s[from] == '"';
    r->kind = minus ? MUST_NOT : quoted ? MUST : SHOULD;
    r->phrase = NULL;
    if (quoted) {
        const char *close = memchr(s + from + 1, '"', len - from - 1);
        end = close ? (size_t)(close - s) : len;
        if (!minus && r->q->n_phrases < ER_QUERY_PHRASES) {
            r->phrase = &r->q->phrases[r->q->n_phrases];
            r->phrase->n = 0;
        }
        from++;
        r->last = 0;
    } else {
        for (end = from; end < len && !is_space(s[end]) && s[end] != '"';)
            end++;
    }
    *ok = er_words_read(r->w, s + from, end - from, on_word, r);
    if (r->phrase && r->phrase->n > 0)
        r->q->n_phrases++;
    if (*ok && !minus && !r->small_too)
        *ok = add_name(r->q, s + from, end - from);
    if (quoted || minus)
        r->last = 0;
    return end + (quoted && end < len);
}

static bool read_all(struct reading *r, const char *text, size_t len)
{
    bool ok = true;
    size_t at = 0;
    r->last = 0;
    r->q->n_phrases = 0;
    while (ok && at < len) {
        if (is_space(text[at]))
            at++;
        else
            at = read_part(r, text, len, at, &ok);
    }
    return ok;
}

bool er_query_read(struct er_query *q, struct er_words *w, const char *text)
{
    struct reading r = {.q = q, .w = w};
    *q = (struct er_query){.n_terms = 0};
    er_arena_init(&q->arena);
    size_t len = strlen(text);
    len = er_utf8_cut(text, len, ER_QUERY_BYTES);
    if (!read_all(&r, text, len))
        return false;
    bool any = false;
    for (size_t i = 0; i < q->n_terms; i++)
        any = any || !q->terms[i].must_not;
    if (any)
        return true;
    r.small_too = true;
    q->n_terms = 0;
    return read_all(&r, text, len);
}

void er_query_release(struct er_query *q) { er_arena_release(&q->arena); }
