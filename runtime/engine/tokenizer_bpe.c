/* Byte-level BPE: one word's bytes become tokens by merging neighbours.
 *
 * Of all neighbours that can be merged the pair of lowest rank goes first,
 * of equal ones the leftmost. Most words are tokens as a whole and need no
 * merging; short ones are merged in an array, long ones (a megabyte of one
 * letter is one word) with a heap, so that time grows as n log n.
 */
#include "engine/tokenizer_parts.h"

#include <stdlib.h>
#include <string.h>

enum { SHORT = 40 }; /* bytes of a word that is merged in an array */

#define NO_RANK UINT32_MAX

/* ------------------------------------------------------------- short */

struct link {
    int32_t id;
    uint32_t rank;   /* of the pair with the next one */
    int32_t becomes; /* what that pair becomes */
};

static void weigh(const struct er_tokenizer *t, struct link *at, bool last)
{
    const struct er_pair *p =
        last ? NULL : er_pair_find(t, at[0].id, at[1].id);
    at->rank = p ? p->rank : NO_RANK;
    at->becomes = p ? p->id : -1;
}

/* Merge a[0..n) in place; the number that is left. */
static size_t merge_short(
    const struct er_tokenizer *t, struct link *a, size_t n)
{
    for (size_t i = 0; i < n; i++)
        weigh(t, &a[i], i + 1 == n);
    for (;;) {
        size_t best = 0;
        for (size_t i = 1; i < n; i++)
            if (a[i].rank < a[best].rank)
                best = i;
        if (n < 2 || a[best].rank == NO_RANK)
            return n;
        a[best].id = a[best].becomes;
        n--;
        memmove(&a[best + 1], &a[best + 2], (n - best - 1) * sizeof *a);
        weigh(t, &a[best], best + 1 == n);
        if (best > 0)
            weigh(t, &a[best - 1], false);
    }
}

/* Bytes to their tokens. False: one has none. */
static bool bytes_short(const struct er_tokenizer *t, const char *s,
    size_t len, struct link *a)
{
    for (size_t i = 0; i < len; i++) {
        a[i].id = t->byte_ids[(unsigned char)s[i]];
        if (a[i].id < 0)
            return false;
    }
    return true;
}

static int word_short(const struct er_tokenizer *t, const char *s,
    size_t len, struct er_tokens *out)
{
    struct link a[SHORT];
    if (!bytes_short(t, s, len, a))
        return ERRAND_UNSUPPORTED;
    size_t n = merge_short(t, a, len);
    for (size_t i = 0; i < n; i++)
        if (!er_tokens_add(out, a[i].id))
            return ERRAND_NOMEM;
    return ERRAND_OK;
}

/* -------------------------------------------------------------- long */

struct symbol {
    int32_t id;      /* -1: merged into the one before */
    uint32_t before, after; /* neighbours; UINT32_MAX: none */
};

struct merge {
    uint32_t rank, left, right;
    int32_t left_id, right_id, becomes;
};

struct heap {
    struct merge *m;
    size_t n, room;
    bool no_memory;
};

static bool earlier(const struct merge *a, const struct merge *b)
{
    return a->rank != b->rank ? a->rank < b->rank : a->left < b->left;
}

static void heap_push(struct heap *h, const struct merge *m)
{
    if (h->n == h->room) {
        size_t room = h->room ? h->room * 2 : 256;
        void *more = realloc(h->m, room * sizeof *h->m);
        if (!more) {
            h->no_memory = true;
            return;
        }
        h->m = more;
        h->room = room;
    }
    size_t i = h->n++;
    for (; i > 0 && earlier(m, &h->m[(i - 1) / 2]); i = (i - 1) / 2)
        h->m[i] = h->m[(i - 1) / 2];
    h->m[i] = *m;
}

static struct merge heap_pop(struct heap *h)
{
    struct merge top = h->m[0], last = h->m[--h->n];
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= h->n)
            break;
        if (child + 1 < h->n && earlier(&h->m[child + 1], &h->m[child]))
            child++;
        if (!earlier(&h->m[child], &last))
            break;
        h->m[i] = h->m[child];
        i = child;
    }
    h->m[i] = last;
    return top;
}

static void offer(const struct er_tokenizer *t, struct heap *h,
    const struct symbol *s, uint32_t left)
{
    uint32_t right = left == UINT32_MAX ? left : s[left].after;
    if (right == UINT32_MAX)
        return;
    const struct er_pair *p = er_pair_find(t, s[left].id, s[right].id);
    if (!p)
        return;
    struct merge m = {p->rank, left, right, s[left].id, s[right].id, p->id};
    heap_push(h, &m);
}

static void merge_long(const struct er_tokenizer *t, struct heap *h,
    struct symbol *s, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        offer(t, h, s, i);
    while (h->n > 0 && !h->no_memory) {
        struct merge m = heap_pop(h);
        if (s[m.left].id != m.left_id || s[m.right].id != m.right_id)
            continue; /* one of the two was merged since */
        s[m.left].id = m.becomes;
        s[m.right].id = -1;
        s[m.left].after = s[m.right].after;
        if (s[m.left].after != UINT32_MAX)
            s[s[m.left].after].before = m.left;
        offer(t, h, s, m.left);
        offer(t, h, s, s[m.left].before);
    }
}

static int word_long(const struct er_tokenizer *t, const char *text,
    size_t len, struct er_tokens *out)
{
    struct heap h = {0};
    struct symbol *s = malloc(len * sizeof *s);
    int rc = s ? ERRAND_OK : ERRAND_NOMEM;
    uint32_t n = (uint32_t)len;
    for (uint32_t i = 0; !rc && i < n; i++) {
        s[i] = (struct symbol){t->byte_ids[(unsigned char)text[i]],
            i ? i - 1 : UINT32_MAX, i + 1 < n ? i + 1 : UINT32_MAX};
        rc = s[i].id < 0 ? ERRAND_UNSUPPORTED : rc;
    }
    if (!rc)
        merge_long(t, &h, s, n);
    rc = h.no_memory ? ERRAND_NOMEM : rc;
    for (uint32_t i = 0; !rc && i < n; i++)
        if (s[i].id >= 0 && !er_tokens_add(out, s[i].id))
            rc = ERRAND_NOMEM;
    free(h.m);
    free(s);
    return rc;
}

/* ----------------------------------------------------------- a word */

/* Do merges of the piece's bytes give the token itself? Asked once for each
 * token; threads that ask at once find the same. */
static bool is_whole(const struct er_tokenizer *t, int32_t id)
{
    struct link a[SHORT];
    size_t len = er_piece_len(t, id);
    uint8_t known = atomic_load_explicit(&t->whole[id], memory_order_relaxed);
    if (known)
        return known == 1;
    bool yes = len <= SHORT && bytes_short(t, er_piece(t, id), len, a) &&
               merge_short(t, a, len) == 1 && a[0].id == id;
    atomic_store_explicit(&t->whole[id], yes ? 1 : 2, memory_order_relaxed);
    return yes;
}

int er_bpe_word(const struct er_tokenizer *t, const char *s, size_t len,
    struct er_tokens *out)
{
    int32_t id = er_word_find(t, s, len);
    if (id >= 0 && (t->whole_words || is_whole(t, id)))
        return er_tokens_add(out, id) ? ERRAND_OK : ERRAND_NOMEM;
    return len <= SHORT ? word_short(t, s, len, out)
                        : word_long(t, s, len, out);
}
