/* SentencePiece: a whole text becomes tokens by merging neighbours.
 *
 * Begin with characters; of all neighbours that together are a token, the
 * pair whose token scores highest is merged first, of equal ones the
 * leftmost. A character that is no token becomes the tokens of its bytes.
 * Spaces are written as U+2581 in the vocabulary; here pieces and text have
 * plain spaces instead, and a U+2581 in the text counts as one.
 */
#include "engine/tokenizer_parts.h"

#include <stdlib.h>
#include <string.h>

struct symbol {
    uint32_t at, len; /* bytes of the text; len 0: merged into another */
    uint32_t before, after; /* neighbours; UINT32_MAX: none */
};

struct merge {
    float score;
    uint32_t left, right, len;
};

struct spm {
    const struct er_tokenizer *t;
    char *text;
    uint32_t len;
    struct symbol *s;
    uint32_t n;
    struct merge *heap;
    size_t n_heap, room;
};

static bool earlier(const struct merge *a, const struct merge *b)
{
    return a->score != b->score ? a->score > b->score : a->left < b->left;
}

static bool heap_push(struct spm *w, struct merge m)
{
    if (w->n_heap == w->room) {
        size_t room = w->room ? w->room * 2 : 256;
        void *more = realloc(w->heap, room * sizeof *w->heap);
        if (!more)
            return false;
        w->heap = more;
        w->room = room;
    }
    size_t i = w->n_heap++;
    for (; i > 0 && earlier(&m, &w->heap[(i - 1) / 2]); i = (i - 1) / 2)
        w->heap[i] = w->heap[(i - 1) / 2];
    w->heap[i] = m;
    return true;
}

static struct merge heap_pop(struct spm *w)
{
    struct merge top = w->heap[0], last = w->heap[--w->n_heap];
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= w->n_heap)
            break;
        if (child + 1 < w->n_heap &&
            earlier(&w->heap[child + 1], &w->heap[child]))
            child++;
        if (!earlier(&w->heap[child], &last))
            break;
        w->heap[i] = w->heap[child];
        i = child;
    }
    w->heap[i] = last;
    return top;
}

static bool offer(struct spm *w, uint32_t left)
{
    uint32_t right = left == UINT32_MAX ? left : w->s[left].after;
    if (right == UINT32_MAX)
        return true;
    uint32_t len = w->s[left].len + w->s[right].len;
    int32_t id = er_word_find(w->t, w->text + w->s[left].at, len);
    if (id < 0)
        return true;
    return heap_push(
        w, (struct merge){w->t->scores[id], left, right, len});
}

/* Bytes of the character that lead begins, by its first byte alone. */
static uint32_t char_len(unsigned char lead)
{
    return lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

static bool cut_characters(struct spm *w)
{
    w->s = malloc(((size_t)w->len + 1) * sizeof *w->s);
    if (!w->s)
        return false;
    for (uint32_t at = 0; at < w->len; w->n++) {
        uint32_t n = char_len((unsigned char)w->text[at]);
        n = n < w->len - at ? n : w->len - at;
        w->s[w->n] = (struct symbol){
            at, n, w->n ? w->n - 1 : UINT32_MAX, w->n + 1};
        at += n;
    }
    if (w->n > 0)
        w->s[w->n - 1].after = UINT32_MAX;
    return true;
}

static bool merge_all(struct spm *w)
{
    for (uint32_t i = 0; i < w->n; i++)
        if (!offer(w, i))
            return false;
    while (w->n_heap > 0) {
        struct merge m = heap_pop(w);
        struct symbol *l = &w->s[m.left], *r = &w->s[m.right];
        if (l->len == 0 || r->len == 0 || l->len + r->len != m.len)
            continue; /* one of the two was merged since */
        l->len = m.len;
        r->len = 0;
        l->after = r->after;
        if (l->after != UINT32_MAX)
            w->s[l->after].before = m.left;
        if (!offer(w, l->before) || !offer(w, m.left))
            return false;
    }
    return true;
}

static int put(const struct spm *w, const struct symbol *s,
    struct er_tokens *out)
{
    int32_t id = er_word_find(w->t, w->text + s->at, s->len);
    if (id >= 0)
        return er_tokens_add(out, id) ? ERRAND_OK : ERRAND_NOMEM;
    for (uint32_t i = 0; i < s->len; i++) {
        id = w->t->byte_ids[(unsigned char)w->text[s->at + i]];
        id = id >= 0 ? id : w->t->unknown;
        if (id < 0)
            return ERRAND_UNSUPPORTED;
        if (!er_tokens_add(out, id))
            return ERRAND_NOMEM;
    }
    return ERRAND_OK;
}

/* The text with a space in front, U+2581 as a space. */
static bool copy(struct spm *w, const char *s, size_t len, bool prefix)
{
    w->text = malloc(len + 2);
    if (!w->text)
        return false;
    if (prefix)
        w->text[w->len++] = ' ';
    for (size_t i = 0; i < len; i++) {
        bool is_mark = len - i >= 3 && memcmp(s + i, "\xE2\x96\x81", 3) == 0;
        w->text[w->len++] = is_mark ? ' ' : s[i];
        i += is_mark ? 2 : 0;
    }
    return true;
}

int er_spm_text(const struct er_tokenizer *t, const char *s, size_t len,
    bool prefix, struct er_tokens *out)
{
    struct spm w = {.t = t};
    int rc = copy(&w, s, len, prefix) && cut_characters(&w) && merge_all(&w)
                 ? ERRAND_OK
                 : ERRAND_NOMEM;
    for (uint32_t i = 0; i < w.n && !rc; i++)
        if (w.s[i].len > 0)
            rc = put(&w, &w.s[i], out);
    free(w.text);
    free(w.s);
    free(w.heap);
    return rc;
}
