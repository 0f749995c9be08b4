/* Counting words; see rank.h. Numbers of words index arrays that live as
 * long as one ranking. */
#include "search/rank.h"

#include "search/index_text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    FEEDBACK_TEXTS = 5,
    FEEDBACK_WORDS = 20,
    FEEDBACK_TERMS = 3,  /* of a query; a shorter one means what it says */
    FEEDBACK_POOL = 20,  /* candidates; with fewer nothing stands out */
    WORD_LEAST = 3,      /* letters of a word that feedback may add */
};

static const double K1 = 1.2, B = 0.75, PAIR_WEIGHT = 0.3,
                    FEEDBACK_SHARE = 0.5;

struct sequence {
    er_word *v;
    size_t n, room;
};

struct ranking {
    struct er_candidate *c;
    size_t n;
    const struct er_query *q;
    const struct er_collection *all;
    struct er_words *w;
    struct sequence words; /* of all candidates */
    size_t n_words;        /* numbers there are, and one */
    uint32_t *df;          /* [n_words]: candidates that have it */
    uint32_t *tf;          /* [n_words]: in the one being looked at */
    double *weight;        /* [n_words]: of feedback; 0: none */
};

static bool keep_word(void *ctx, const struct er_token *token)
{
    struct sequence *s = ctx;
    if (s->n == s->room) {
        size_t room = s->room ? s->room * 2 : 16384;
        er_word *more = realloc(s->v, room * sizeof *more);
        if (!more)
            return false;
        s->v = more;
        s->room = room;
    }
    s->v[s->n++] = token->word;
    return true;
}

static bool read_candidate(struct ranking *r, struct er_candidate *c)
{
    struct er_buf head;
    er_buf_init(&head, 16384);
    c->from = r->words.n;
    bool ok = er_index_head(&head, c->path, c->title, c->heading) &&
              er_words_read(r->w, er_buf_str(&head), head.len, keep_word,
                  &r->words);
    c->n_head = r->words.n - c->from;
    ok = ok && er_words_read(r->w, c->text, c->len, keep_word, &r->words);
    c->n_text = r->words.n - c->from - c->n_head;
    er_buf_release(&head);
    return ok;
}

/* Weight of a word that df of n have. */
static double rarity(double n, double df)
{
    return log(1 + (n - df + 0.5) / (df + 0.5));
}

static double saturate(const struct ranking *r, double tf, size_t len)
{
    double average = r->all->average > 1 ? r->all->average : 1;
    return tf * (K1 + 1) / (tf + K1 * (1 - B + B * (double)len / average));
}

static void count(const struct ranking *r, const struct er_candidate *c,
    bool up)
{
    for (size_t i = 0; i < c->n_head + c->n_text; i++) {
        er_word word = r->words.v[c->from + i];
        if (up)
            r->tf[word]++;
        else
            r->tf[word] = 0;
    }
}

static double pairs_of(const struct ranking *r, const struct er_candidate *c)
{
    double sum = 0;
    const er_word *v = r->words.v + c->from;
    size_t len = c->n_head + c->n_text;
    for (size_t p = 0; p < r->q->n_pairs; p++) {
        er_word a = r->q->pairs[p].first, b = r->q->pairs[p].second;
        double tf = 0, weight = 0;
        if (r->tf[a] == 0 || r->tf[b] == 0)
            continue;
        for (size_t i = 0; i + 1 < len; i++)
            tf += v[i] == a && v[i + 1] == b;
        for (size_t t = 0; t < r->q->n_terms && tf > 0; t++)
            if (r->q->terms[t].word == a || r->q->terms[t].word == b)
                weight += rarity(r->all->chunks, r->q->terms[t].df);
        sum += tf > 0 ? weight * saturate(r, tf, len) : 0;
    }
    return sum;
}

static void score(struct ranking *r, struct er_candidate *c)
{
    count(r, c, true);
    c->words = 0;
    for (size_t t = 0; t < r->q->n_terms; t++) {
        const struct er_term *term = &r->q->terms[t];
        uint32_t tf = term->must_not ? 0 : r->tf[term->word];
        if (tf > 0)
            c->words += term->count * rarity(r->all->chunks, term->df) *
                        saturate(r, tf, c->n_head + c->n_text);
    }
    c->pairs = PAIR_WEIGHT * pairs_of(r, c);
    c->score = c->words + c->pairs;
    for (size_t i = 0; i < c->n_head + c->n_text; i++) {
        er_word word = r->words.v[c->from + i];
        r->df[word] += r->tf[word] > 0;
        r->tf[word] = 0;
    }
}

static int by_score(const void *a, const void *b)
{
    const struct er_candidate *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    return (x->id > y->id) - (x->id < y->id);
}

/* -------------------------------------------------------------- feedback */

struct added {
    er_word word;
    double share, value;
};

/* Gather what the best have, into weight; the words themselves in list. */
static size_t gather(struct ranking *r, struct added *list, size_t room)
{
    size_t best = r->n < FEEDBACK_TEXTS ? r->n : FEEDBACK_TEXTS, n = 0;
    double most = 0;
    for (size_t i = 0; i < best; i++)
        most += r->c[i].score;
    for (size_t i = 0; i < best && most > 0; i++) {
        const struct er_candidate *c = &r->c[i];
        size_t len = c->n_head + c->n_text;
        for (size_t k = 0; k < len; k++) {
            er_word word = r->words.v[c->from + k];
            if (r->df[word] < 2 || er_words_is_stop(r->w, word) ||
                strlen(er_words_text(r->w, word)) < WORD_LEAST)
                continue;
            if (r->weight[word] == 0 && n < room)
                list[n++].word = word;
            r->weight[word] += c->score / most / (double)len;
        }
    }
    return n;
}

static int by_value(const void *a, const void *b)
{
    const struct added *x = a, *y = b;
    if (x->value != y->value)
        return x->value < y->value ? 1 : -1;
    return (x->word > y->word) - (x->word < y->word);
}

static double rarity_of(const struct ranking *r, er_word word)
{
    for (size_t t = 0; t < r->q->n_terms; t++)
        if (r->q->terms[t].word == word)
            return rarity(r->all->chunks, r->q->terms[t].df);
    return rarity((double)r->n, r->df[word]);
}

static void mix(struct ranking *r, const struct added *list, size_t n)
{
    double terms = 0, shares = 0;
    for (size_t t = 0; t < r->q->n_terms; t++)
        terms += r->q->terms[t].must_not ? 0 : r->q->terms[t].count;
    for (size_t k = 0; k < n; k++)
        shares += list[k].share;
    if (terms <= 0 || shares <= 0)
        return;
    for (size_t i = 0; i < r->n; i++) {
        struct er_candidate *c = &r->c[i];
        double more = 0;
        count(r, c, true);
        for (size_t k = 0; k < n; k++)
            if (r->tf[list[k].word] > 0)
                more += list[k].share / shares *
                        rarity_of(r, list[k].word) *
                        saturate(r, r->tf[list[k].word],
                            c->n_head + c->n_text);
        count(r, c, false);
        c->score = (1 - FEEDBACK_SHARE) * (c->words + c->pairs) / terms +
                   FEEDBACK_SHARE * more;
    }
}

static bool feed_back(struct ranking *r)
{
    enum { ROOM = 4096 };
    size_t asked = 0;
    for (size_t t = 0; t < r->q->n_terms; t++)
        asked += !r->q->terms[t].must_not;
    if (asked < FEEDBACK_TERMS || r->n < FEEDBACK_POOL)
        return true;
    struct added *list = calloc(ROOM, sizeof *list);
    if (!list)
        return false;
    size_t n = gather(r, list, ROOM);
    for (size_t k = 0; k < n; k++) {
        list[k].share = r->weight[list[k].word];
        list[k].value = list[k].share *
                        rarity((double)r->n, r->df[list[k].word]);
    }
    qsort(list, n, sizeof *list, by_value);
    mix(r, list, n < FEEDBACK_WORDS ? n : FEEDBACK_WORDS);
    free(list);
    return true;
}

/* ------------------------------------------------------------------ whole */

bool er_rank_words(struct er_candidate *c, size_t n,
    const struct er_query *q, const struct er_collection *all,
    struct er_words *w)
{
    struct ranking r = {.c = c, .n = n, .q = q, .all = all, .w = w};
    bool ok = true;
    for (size_t i = 0; i < n && ok; i++)
        ok = read_candidate(&r, &c[i]);
    r.n_words = er_words_count(w) + 1;
    r.df = ok ? calloc(r.n_words, sizeof *r.df) : NULL;
    r.tf = ok ? calloc(r.n_words, sizeof *r.tf) : NULL;
    r.weight = ok ? calloc(r.n_words, sizeof *r.weight) : NULL;
    ok = ok && r.df && r.tf && r.weight;
    for (size_t i = 0; i < n && ok; i++)
        score(&r, &c[i]);
    if (ok && n > 1) {
        qsort(c, n, sizeof *c, by_score);
        ok = feed_back(&r);
        qsort(c, n, sizeof *c, by_score);
    }
    free(r.words.v);
    free(r.df);
    free(r.tf);
    free(r.weight);
    return ok;
}
