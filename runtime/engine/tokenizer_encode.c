/* A text to tokens: control tokens are cut out first, where they count, and
 * what lies between them is tokenized piece by piece. */
#include "engine/tokenizer_parts.h"

#include <stdlib.h>
#include <string.h>

void er_tokens_release(struct er_tokens *list)
{
    free(list->ids);
    *list = (struct er_tokens){0};
}

bool er_tokens_add(struct er_tokens *list, int32_t id)
{
    if (list->n == list->room) {
        size_t room = list->room ? list->room * 2 : 64;
        void *more = realloc(list->ids, room * sizeof *list->ids);
        if (!more)
            return false;
        list->ids = more;
        list->room = room;
    }
    list->ids[list->n++] = id;
    return true;
}

static bool counts(
    const struct er_tokenizer *t, const struct er_special *s, unsigned flags)
{
    if (t->kinds[s->id] == ER_TOKEN_USER)
        return !(flags & ER_TOKENIZE_LITERAL);
    return (flags & ER_TOKENIZE_SPECIAL) != 0;
}

/* The longest special token at the beginning of the text, or NULL. */
static const struct er_special *special_at(const struct er_tokenizer *t,
    const char *s, size_t len, unsigned flags)
{
    unsigned char first = (unsigned char)*s;
    uint32_t end = t->special_at[first + 1];
    for (uint32_t i = t->special_at[first]; i < end; i++) {
        const struct er_special *p = &t->specials[i];
        if (p->len <= len && memcmp(p->s, s, p->len) == 0 &&
            counts(t, p, flags))
            return p;
    }
    return NULL;
}

static int plain(const struct er_tokenizer *t, const char *s, size_t len,
    bool prefix, struct er_tokens *out)
{
    int rc = ERRAND_OK;
    if (len == 0)
        return rc;
    if (t->spm)
        return er_spm_text(t, s, len, prefix && t->space_prefix, out);
    for (size_t at = 0; at < len && !rc;) {
        size_t n = er_split_next(t, s + at, len - at);
        rc = er_bpe_word(t, s + at, n, out);
        at += n;
    }
    return rc;
}

static int encode(const struct er_tokenizer *t, const char *s, size_t len,
    unsigned flags, struct er_tokens *out)
{
    bool prefix = !(flags & ER_TOKENIZE_CONTINUE);
    size_t from = 0;
    int rc = ERRAND_OK;
    bool any = (flags & (ER_TOKENIZE_SPECIAL | ER_TOKENIZE_LITERAL)) !=
               ER_TOKENIZE_LITERAL;
    for (size_t at = 0; any && at < len && !rc;) {
        const struct er_special *p = special_at(t, s + at, len - at, flags);
        if (!p) {
            at++;
            continue;
        }
        rc = plain(t, s + from, at - from, prefix, out);
        if (!rc && !er_tokens_add(out, p->id))
            rc = ERRAND_NOMEM;
        prefix = true;
        from = at += p->len;
    }
    return rc ? rc : plain(t, s + from, len - from, prefix, out);
}

int er_tokenizer_encode(const struct er_tokenizer *t, const char *text,
    size_t len, unsigned flags, struct er_tokens *out,
    struct errand_error *err)
{
    size_t before = out->n;
    if (len >= INT32_MAX)
        return er_fail(err, ERRAND_TOO_LARGE,
            "a text of %zu bytes cannot be tokenized; at most 2 GiB", len);
    int rc = encode(t, text, len, flags, out);
    if (!rc)
        return rc;
    out->n = before;
    if (rc == ERRAND_NOMEM)
        return er_nomem(err);
    return er_fail(err, rc, "the text holds a byte that the model's "
        "vocabulary has no token for; the model file is not complete");
}
