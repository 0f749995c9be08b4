/* Tokens to text, at once and as they come. */
#include "engine/tokenizer_parts.h"

#include "base/text.h"

#include <string.h>

static bool inside(const struct er_tokenizer *t, int32_t id)
{
    return id >= 0 && id < t->n;
}

struct er_gguf_str er_tokenizer_piece(
    const struct er_tokenizer *t, int32_t id)
{
    if (!inside(t, id))
        return (struct er_gguf_str){"", 0};
    return (struct er_gguf_str){er_piece(t, id), er_piece_len(t, id)};
}

bool er_tokenizer_is_control(const struct er_tokenizer *t, int32_t id)
{
    return inside(t, id) && (t->kinds[id] == ER_TOKEN_CONTROL ||
                                t->kinds[id] == ER_TOKEN_UNKNOWN);
}

bool er_tokenizer_is_end(const struct er_tokenizer *t, int32_t id)
{
    return inside(t, id) && t->ends[id];
}

int32_t er_tokenizer_control(const struct er_tokenizer *t, const char *name)
{
    size_t len = strlen(name);
    if (len == 0)
        return -1;
    unsigned char first = (unsigned char)*name;
    for (uint32_t i = t->special_at[first]; i < t->special_at[first + 1]; i++)
        if (t->specials[i].len == len &&
            memcmp(t->specials[i].s, name, len) == 0)
            return t->specials[i].id;
    return -1;
}

bool er_tokenizer_decode(const struct er_tokenizer *t, const int32_t *ids,
    size_t n, bool special, struct er_buf *out)
{
    bool prefix = t->spm && t->space_prefix; /* a space may stand in front */
    bool ok = true;
    for (size_t i = 0; i < n && ok; i++) {
        struct er_gguf_str p = er_tokenizer_piece(t, ids[i]);
        bool control = er_tokenizer_is_control(t, ids[i]);
        if (control) {
            prefix = t->spm && t->space_prefix;
            ok = !special || er_buf_add(out, p.s, p.len);
            continue;
        }
        size_t skip = prefix && p.len > 0 && p.s[0] == ' ';
        ok = er_buf_add(out, p.s + skip, p.len - skip);
        prefix = false;
    }
    return ok;
}

/* Bytes of the character that begins at s and may still become one; 0: it
 * cannot, or it is whole. */
static size_t unfinished(const char *s, size_t len)
{
    unsigned char lead = (unsigned char)s[0];
    size_t want = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC2 ? 2 : 1;
    char whole[4] = {0};
    if (lead > 0xF4 || len >= want)
        return 0;
    /* The least and the greatest continuation: one of them fits, or none. */
    for (int c = 0x80; c <= 0xBF; c += 0x3F) {
        memcpy(whole, s, len);
        memset(whole + len, c, want - len);
        if (er_utf8_valid_prefix(whole, want) == want)
            return len;
    }
    return 0;
}

/* Text up to where the last, unfinished character begins. */
static size_t finished(const char *s, size_t len)
{
    for (size_t back = 1; back <= 3 && back <= len; back++) {
        const char *at = s + len - back;
        if (((unsigned char)*at & 0xC0) != 0x80)
            return unfinished(at, back) ? len - back : len;
    }
    return len;
}

bool er_detok_add(struct er_detok *d, const struct er_tokenizer *t,
    int32_t id, struct er_buf *out)
{
    struct er_gguf_str p = er_tokenizer_piece(t, id);
    struct er_buf all;
    if (er_tokenizer_is_control(t, id) || p.len == 0)
        return true;
    er_buf_init(&all, p.len + sizeof d->held);
    er_buf_add(&all, d->held, d->n);
    er_buf_add(&all, p.s, p.len);
    size_t whole = all.failed ? 0 : finished(all.data, all.len);
    bool ok = !all.failed && er_text_scrub(out, all.data, whole);
    if (ok) {
        d->n = (uint32_t)(all.len - whole);
        memcpy(d->held, all.data + whole, d->n);
    }
    er_buf_release(&all);
    return ok;
}

bool er_detok_end(struct er_detok *d, struct er_buf *out)
{
    bool ok = d->n == 0 || er_buf_adds(out, "\xEF\xBF\xBD");
    d->n = 0;
    return ok;
}
