/* Cutting a text into words, as the patterns of byte-level BPE do.
 *
 * Written by hand, one walk forward without going back, because a regular
 * expression takes most of the time that tokenizing takes. The patterns:
 *
 * gpt-2    's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+
 *          |\s+(?!\S)|\s+
 * llama3   (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}
 *          | ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
 * qwen2    as llama3 with \p{N} in place of \p{N}{1,3}
 * smollm   every \p{N} is a word; between them as gpt-2
 *
 * Source   the patterns' definitions in the tokenizers of these models
 * Checked  tests/unit/test_tokenizer.c, against vectors and PCRE2
 */
#include "engine/tokenizer_parts.h"

/* A walk over a text. */
struct walk {
    const struct er_tokenizer *t;
    const char *s;
    size_t len;
};

/* Class of the character at byte at and its length; at the end -1 and 0. */
static int look(const struct walk *w, size_t at, size_t *n)
{
    *n = 0;
    if (at >= w->len)
        return -1;
    return (int)er_class_at(w->t, w->s + at, w->len - at, n);
}

/* Behind all characters of this class from at. */
static size_t run(const struct walk *w, size_t at, int class)
{
    size_t n;
    while (look(w, at, &n) == class)
        at += n;
    return at;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* Length of 's 't 're 've 'm 'll 'd at the beginning; 0: none. */
static size_t contraction(const struct walk *w, bool any_case)
{
    if (w->s[0] != '\'' || w->len < 2)
        return 0;
    char a = any_case ? lower(w->s[1]) : w->s[1];
    if (a == 's' || a == 't' || a == 'm' || a == 'd')
        return 2;
    if (w->len < 3)
        return 0;
    char b = any_case ? lower(w->s[2]) : w->s[2];
    return (a == 'r' && b == 'e') || (a == 'v' && b == 'e') ||
                   (a == 'l' && b == 'l')
               ? 3
               : 0;
}

/* White space at the beginning: all but the last character where something
 * follows it, so that a word takes its space. */
static size_t spaces(const struct walk *w)
{
    size_t at = 0, last = 0, n;
    while (look(w, at, &n) == ER_SPACE) {
        last = at;
        at += n;
    }
    return at < w->len && last > 0 ? last : at;
}

static size_t next_gpt2(const struct walk *w)
{
    size_t n, at = contraction(w, false);
    if (at)
        return at;
    at = w->s[0] == ' ';
    int class = look(w, at, &n);
    if (class >= 0 && class != ER_SPACE)
        return run(w, at, class);
    return spaces(w);
}

/* Up to and behind the last line break in the white space at the beginning;
 * 0: there is none. */
static size_t breaks(const struct walk *w)
{
    size_t at = 0, end = 0, n;
    while (look(w, at, &n) == ER_SPACE) {
        char c = w->s[at];
        at += n;
        if (c == '\n' || c == '\r')
            end = at;
    }
    return end;
}

/* " ?[^\s\p{L}\p{N}]+[\r\n]*" whose first such character stands at at. */
static size_t symbols(const struct walk *w, size_t at)
{
    at = run(w, at, ER_OTHER);
    while (at < w->len && (w->s[at] == '\r' || w->s[at] == '\n'))
        at++;
    return at;
}

static size_t numbers(const struct walk *w, int most)
{
    size_t at = 0, n;
    for (int i = 0; i < most && look(w, at, &n) == ER_NUMBER; i++)
        at += n;
    return at;
}

static size_t next_llama3(const struct walk *w, int digits)
{
    size_t n, m, at = contraction(w, true);
    if (at)
        return at;
    int class = look(w, 0, &n);
    if (class == ER_LETTER)
        return run(w, n, ER_LETTER);
    if (class == ER_NUMBER)
        return numbers(w, digits);
    int next = look(w, n, &m);
    bool is_break = w->s[0] == '\r' || w->s[0] == '\n';
    if (!is_break && next == ER_LETTER)
        return run(w, n, ER_LETTER);
    if (class == ER_OTHER)
        return symbols(w, 0);
    if (w->s[0] == ' ' && next == ER_OTHER)
        return symbols(w, 1);
    at = breaks(w);
    return at ? at : spaces(w);
}

static size_t next_smollm(const struct walk *w)
{
    size_t n, end = 0;
    int class = look(w, 0, &n);
    if (class == ER_NUMBER)
        return n;
    /* Words are short and white space ends with them: look only so far as
     * this word may reach, two runs of one class. */
    while (class >= 0 && class != ER_NUMBER) {
        int was = class;
        end += n;
        class = look(w, end, &n);
        if (class != was && end > 1 && class != ER_NUMBER && was != ER_SPACE)
            break;
    }
    struct walk part = {w->t, w->s, class == ER_NUMBER ? end : w->len};
    return next_gpt2(&part);
}

size_t er_split_next(const struct er_tokenizer *t, const char *s, size_t len)
{
    struct walk w = {t, s, len};
    switch (t->pre) {
    case ER_PRE_LLAMA3: return next_llama3(&w, 3);
    case ER_PRE_QWEN2: return next_llama3(&w, 1);
    case ER_PRE_SMOLLM: return next_smollm(&w);
    default: return next_gpt2(&w);
    }
}
