/* A prompt's tokens: control tokens only where the template wrote them.
 *
 * Their names are looked for in trusted bytes, the longest first; what lies
 * between two of them is tokenized as one text, so that a template's newline
 * and a user's word meet as the model learned it.
 */
#include "engine/chat_format.h"

#include <stdlib.h>
#include <string.h>

struct special {
    struct er_gguf_str name;
    int32_t id;
};

struct specials {
    struct special *list;
    size_t n, cap;
};

static int longest_first(const void *a, const void *b)
{
    const struct special *x = a, *y = b;
    return (x->name.len < y->name.len) - (x->name.len > y->name.len);
}

/* Does the file call this one user defined: one token if that counts? */
static bool is_defined(
    const struct er_tokenizer *t, struct er_gguf_str s, int32_t id)
{
    struct er_tokens whole = {0}, parts = {0};
    bool tag = s.len > 2 &&
        ((s.s[0] == '<' && s.s[s.len - 1] == '>') ||
            (s.s[0] == '[' && s.s[s.len - 1] == ']'));
    bool yes = tag &&
        er_tokenizer_encode(t, s.s, s.len, ER_TOKENIZE_CONTINUE, &whole,
            NULL) == ERRAND_OK &&
        er_tokenizer_encode(t, s.s, s.len,
            ER_TOKENIZE_CONTINUE | ER_TOKENIZE_LITERAL, &parts,
            NULL) == ERRAND_OK &&
        whole.n == 1 && whole.ids[0] == id &&
        (parts.n != 1 || parts.ids[0] != id);
    er_tokens_release(&whole);
    er_tokens_release(&parts);
    return yes;
}

static bool find_specials(
    const struct er_tokenizer *t, struct specials *out)
{
    for (int32_t id = 0; id < er_tokenizer_count(t); id++) {
        struct er_gguf_str s = er_tokenizer_piece(t, id);
        if (s.len == 0 ||
            (!er_tokenizer_is_control(t, id) && !is_defined(t, s, id)))
            continue;
        if (out->n == out->cap) {
            size_t cap = out->cap ? out->cap * 2 : 64;
            struct special *more = realloc(out->list, cap * sizeof *more);
            if (!more)
                return false;
            out->list = more;
            out->cap = cap;
        }
        out->list[out->n++] = (struct special){.name = s, .id = id};
    }
    if (out->n)
        qsort(out->list, out->n, sizeof *out->list, longest_first);
    return true;
}

static const struct special *special_at(
    const struct specials *all, const char *s, size_t n)
{
    for (size_t i = 0; i < all->n; i++)
        if (all->list[i].name.len <= n &&
            memcmp(all->list[i].name.s, s, all->list[i].name.len) == 0)
            return &all->list[i];
    return NULL;
}

struct work {
    const struct er_prompt *p;
    const struct er_tokenizer *t;
    struct er_tokens *out;
    struct errand_error *err;
    size_t done; /* bytes that have their tokens */
    bool begun;
};

static int text_up_to(struct work *w, size_t to)
{
    unsigned flags =
        ER_TOKENIZE_LITERAL | (w->begun ? ER_TOKENIZE_CONTINUE : 0u);
    if (to == w->done)
        return ERRAND_OK;
    w->begun = true;
    int rc = er_tokenizer_encode(w->t, w->p->text.data + w->done,
        to - w->done, flags, w->out, w->err);
    w->done = to;
    return rc;
}

static int span(struct work *w, const struct specials *all, size_t from,
    size_t to)
{
    const char *s = w->p->text.data;
    int rc = ERRAND_OK;
    for (size_t at = from; at < to && !rc;) {
        const struct special *k = special_at(all, s + at, to - at);
        if (!k) {
            at++;
            continue;
        }
        rc = text_up_to(w, at);
        if (!rc && !er_tokens_add(w->out, k->id))
            rc = er_nomem(w->err);
        w->begun = true;
        at += k->name.len;
        w->done = at;
    }
    return rc;
}

int er_prompt_tokens(const struct er_prompt *p, const struct er_tokenizer *t,
    struct er_tokens *out, struct errand_error *err)
{
    struct specials all = {0};
    struct work w = {.p = p, .t = t, .out = out, .err = err};
    size_t at = 0;
    int rc = find_specials(t, &all) ? ERRAND_OK : er_nomem(err);
    for (size_t i = 0; i < p->n_spans && !rc; i++) {
        if (p->spans[i].trusted)
            rc = span(&w, &all, at, at + p->spans[i].len);
        at += p->spans[i].len;
    }
    if (!rc)
        rc = text_up_to(&w, p->text.len);
    free(all.list);
    return rc;
}
