/* Words as numbers become texts again; names are gathered in a small table
 * that forgets when the chunk ends. */
#include "search/index_text.h"

#include "base/text.h"

#include <stdint.h>
#include <string.h>

/* ------------------------------------------------------------------- head */

bool er_index_head(struct er_buf *out, const char *path, const char *title,
    const char *heading)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    const char *dot = strrchr(base, '.');
    size_t n = dot && dot > base ? (size_t)(dot - base) : strlen(base);
    size_t from = out->len;
    if (*title && strncmp(heading, title, strlen(title)) != 0)
        er_buf_addf(out, "%s\n", title);
    er_buf_adds(out, heading);
    /* the title of a file that has none is its name */
    if (strncmp(title, base, n) != 0)
        er_buf_addf(out, "%s%.*s", out->len > from ? "\n" : "", (int)n, base);
    return !out->failed;
}

/* ------------------------------------------------------------------ words */

struct writing {
    const struct er_words *w;
    struct er_buf *out;
    size_t n;
};

static bool add_word(void *ctx, const struct er_token *token)
{
    struct writing *a = ctx;
    if (a->out->len)
        er_buf_addc(a->out, ' ');
    a->n++;
    return er_buf_adds(a->out, er_words_text(a->w, token->word));
}

bool er_index_words(struct er_words *w, const char *head, size_t head_len,
    const char *text, size_t len, struct er_buf *out, size_t *n)
{
    struct writing a = {.w = w, .out = out};
    bool ok = er_words_read(w, head, head_len, add_word, &a) &&
              er_words_read(w, text, len, add_word, &a);
    *n = a.n;
    return ok;
}

/* ------------------------------------------------------------------ names */

enum { NAME_LEAST = 3, NAME_MOST = 200, NAMES_BYTES = 16384, SLOTS = 1024 };

static bool is_letter(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '_' || c >= 0x80;
}

/* A mark that joins letters to one name. */
static bool joins(unsigned char c)
{
    return c && strchr(".-:/@#$+", c) != NULL;
}

bool er_index_is_name(const char *s, size_t len)
{
    bool letter = false, digit = false, mark = false;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        bool capital = c >= 'A' && c <= 'Z';
        digit = digit || (c >= '0' && c <= '9');
        letter = letter || capital || (c >= 'a' && c <= 'z');
        mark = mark || c == '_' || (capital && i > 0 && s[i - 1] >= 'a') ||
               (i > 0 && i + 1 < len && c != '-' && c != '+' && joins(c));
    }
    return letter && (digit || mark);
}

/* What the index keeps of prose: such names, words with a capital, and what
 * is not ASCII, for there a run of letters may be many words. */
static bool is_odd(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c >= 0x80 || (c >= 'A' && c <= 'Z'))
            return true;
    }
    return er_index_is_name(s, len);
}

struct names {
    struct er_buf *out;
    uint16_t slots[SLOTS]; /* place in out + 1 of a name's beginning */
    size_t from;
};

static void add_name(struct names *names, const char *s, size_t len)
{
    char lower[NAME_MOST];
    uint32_t hash = 2166136261u;
    len = er_utf8_cut(s, len, sizeof lower);
    for (size_t i = 0; i < len; i++) {
        lower[i] = s[i] >= 'A' && s[i] <= 'Z' ? (char)(s[i] | 0x20) : s[i];
        hash = (hash ^ (unsigned char)lower[i]) * 16777619u;
    }
    size_t at = hash % SLOTS;
    for (int tries = 0; tries < 8 && names->slots[at]; tries++) {
        const char *have =
            names->out->data + names->from + names->slots[at] - 1;
        if (strncmp(have, lower, len) == 0 && have[len] == '\n')
            return;
        at = (at + 1) % SLOTS;
    }
    size_t place = names->out->len - names->from;
    if (place + len + 1 >= NAMES_BYTES)
        return;
    names->slots[at] = (uint16_t)(place + 1);
    er_buf_add(names->out, lower, len);
    er_buf_addc(names->out, '\n');
}

bool er_index_names(enum er_kind kind, const char *text, size_t len,
    struct er_buf *out)
{
    struct names names = {.out = out, .from = out->len};
    const unsigned char *s = (const unsigned char *)text;
    size_t at = 0;
    while (at < len && !out->failed) {
        size_t from = at;
        while (at < len && (is_letter(s[at]) ||
                               (at > from && joins(s[at]) && at + 1 < len &&
                                   is_letter(s[at + 1]))))
            at++;
        if (at - from >= NAME_LEAST &&
            (kind == ER_KIND_CODE ||
                is_odd(text + from, at - from)))
            add_name(&names, text + from, at - from);
        at += at == from;
    }
    return !out->failed;
}
