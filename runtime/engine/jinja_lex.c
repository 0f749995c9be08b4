/* Templates cut into tokens, white space control included.
 *
 * As jinja2 does it with trim_blocks and lstrip_blocks: the newline behind a
 * block or comment goes, and so do the blanks between the line's beginning
 * and a block or comment; "-" takes all white space on its side, "+" none.
 */
#include "engine/jinja_node.h"

#include <stdlib.h>
#include <string.h>

struct lexer {
    struct er_jrun *r;
    const char *s;
    size_t n, at;
    struct er_jtok *tok;
    size_t n_tok, cap;
};

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool sees(const struct lexer *x, size_t at, const char *what)
{
    size_t n = strlen(what);
    return at <= x->n && n <= x->n - at && memcmp(x->s + at, what, n) == 0;
}

static struct er_jtok *add(struct lexer *x, enum er_jtok_kind kind)
{
    if (x->n_tok == x->cap) {
        size_t cap = x->cap ? x->cap * 2 : 128;
        struct er_jtok *more = er_jv_alloc(x->r, cap, sizeof *more);
        if (!more)
            return NULL;
        if (x->n_tok)
            memcpy(more, x->tok, x->n_tok * sizeof *more);
        x->tok = more;
        x->cap = cap;
    }
    struct er_jtok *t = &x->tok[x->n_tok++];
    t->kind = kind;
    t->line = x->r->line;
    return t;
}

/* Move on, counting lines. */
static void go(struct lexer *x, size_t to)
{
    for (; x->at < to; x->at++)
        x->r->line += x->s[x->at] == '\n';
}

static void skip_space(struct lexer *x)
{
    while (x->at < x->n && is_space(x->s[x->at]))
        go(x, x->at + 1);
}

static void add_data(struct lexer *x, size_t from, size_t to)
{
    if (to <= from)
        return;
    struct er_jtok *t = add(x, ER_JT_DATA);
    if (t) {
        t->s = x->s + from;
        t->n = to - from;
    }
}

/* Where the data before a tag ends: its sign and lstrip_blocks decide. */
static size_t data_end(
    const struct lexer *x, size_t from, size_t tag, bool line_start)
{
    char sign = tag + 2 < x->n ? x->s[tag + 2] : '\0';
    size_t end = tag;
    if (sign == '-') {
        while (end > from && is_space(x->s[end - 1]))
            end--;
        return end;
    }
    if (sign == '+' || x->s[tag + 1] == '{')
        return end;
    while (end > from && is_space(x->s[end - 1]) && x->s[end - 1] != '\n')
        end--;
    bool begins = end > from ? x->s[end - 1] == '\n' : line_start;
    return begins ? end : tag;
}

/* Behind a tag's end: "-" takes all space, trim_blocks the one newline. */
static void after_tag(struct lexer *x, bool minus, bool trim)
{
    if (minus)
        skip_space(x);
    else if (trim && x->at < x->n && x->s[x->at] == '\n')
        go(x, x->at + 1);
}

static size_t find(const struct lexer *x, size_t at, const char *what)
{
    while (at < x->n && !sees(x, at, what))
        at++;
    return at < x->n ? at : SIZE_MAX;
}

static void lex_comment(struct lexer *x)
{
    size_t end = find(x, x->at + 2, "#}");
    if (end == SIZE_MAX) {
        er_jv_fail(x->r, "a comment is not closed: #} is missing");
        return;
    }
    bool minus = end > x->at + 2 && x->s[end - 1] == '-';
    bool plus = end > x->at + 2 && x->s[end - 1] == '+';
    go(x, end + 2);
    after_tag(x, minus, !plus);
}

/* {% raw %}: where the tag ends, or 0 if it is another one. */
static size_t raw_tag(const struct lexer *x, size_t at, const char *name,
    bool *minus_before, bool *minus_after)
{
    size_t p = at + 2;
    *minus_before = p < x->n && x->s[p] == '-';
    p += p < x->n && (x->s[p] == '-' || x->s[p] == '+');
    while (p < x->n && is_space(x->s[p]))
        p++;
    if (!sees(x, p, name))
        return 0;
    p += strlen(name);
    while (p < x->n && is_space(x->s[p]))
        p++;
    *minus_after = p < x->n && x->s[p] == '-';
    p += p < x->n && (x->s[p] == '-' || x->s[p] == '+');
    return sees(x, p, "%}") ? p + 2 : 0;
}

static bool lex_raw(struct lexer *x)
{
    bool before, after, end_before, end_after;
    size_t body = raw_tag(x, x->at, "raw", &before, &after);
    if (!body)
        return false;
    size_t end = body, close = 0;
    while (!close && (end = find(x, end, "{%")) != SIZE_MAX) {
        close = raw_tag(x, end, "endraw", &end_before, &end_after);
        end += close ? 0 : 2;
    }
    if (!close) {
        er_jv_fail(x->r, "raw is not closed: {%% endraw %%} is missing");
        return true;
    }
    go(x, body);
    after_tag(x, after, true);
    size_t stop = end;
    while (end_before && stop > x->at && is_space(x->s[stop - 1]))
        stop--;
    add_data(x, x->at, stop);
    go(x, close);
    after_tag(x, end_after, true);
    return true;
}

/* --- inside of tags */

static void add_utf8(struct er_jbuild *b, struct er_jrun *r, uint32_t c)
{
    char u[4];
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = n; i-- > 1; c >>= 6)
        u[i] = (char)(0x80 | (c & 0x3F));
    u[0] = (char)(lead[n] | c);
    er_jb_add(r, b, u, n, true);
}

/* Digits behind \x, \u, \U; false if they are not there. */
static bool escape_code(
    struct lexer *x, size_t end, size_t n, struct er_jbuild *b)
{
    uint32_t c = 0;
    if (n > end - x->at)
        return false;
    for (size_t i = 0; i < n; i++) {
        char h = x->s[x->at + i];
        uint32_t v = is_digit(h) ? (uint32_t)(h - '0')
            : (h | 32) >= 'a' && (h | 32) <= 'f'
            ? (uint32_t)((h | 32) - 'a' + 10) : 16;
        if (v > 15)
            return false;
        c = c << 4 | v;
    }
    if (c > 0x10FFFF || (c >= 0xD800 && c < 0xE000))
        c = 0xFFFD;
    x->at += n;
    add_utf8(b, x->r, c);
    return true;
}

static void lex_escape(struct lexer *x, size_t end, struct er_jbuild *b)
{
    static const char map[] = "n\nt\tr\r\\\\''\"\"a\ab\bf\fv\v0\0";
    char c = x->s[x->at++];
    if (c == '\n') {
        x->r->line++;
        return;
    }
    if ((c == 'x' && escape_code(x, end, 2, b)) ||
        (c == 'u' && escape_code(x, end, 4, b)) ||
        (c == 'U' && escape_code(x, end, 8, b)))
        return;
    for (size_t i = 0; i + 1 < sizeof map; i += 2)
        if (map[i] == c) {
            er_jb_add(x->r, b, &map[i + 1], 1, true);
            return;
        }
    er_jb_add(x->r, b, "\\", 1, true);
    er_jb_add(x->r, b, &c, 1, true);
}

static void lex_string(struct lexer *x)
{
    char quote = x->s[x->at];
    size_t end = x->at + 1;
    struct er_jbuild b = {0};
    while (end < x->n && x->s[end] != quote)
        end += x->s[end] == '\\' ? 2 : 1;
    if (end >= x->n) {
        er_jv_fail(x->r, "a string is not closed: %c is missing", quote);
        return;
    }
    struct er_jtok *t = add(x, ER_JT_STRING);
    x->at++;
    while (x->at < end && !x->r->failed) {
        if (x->s[x->at] == '\\') {
            x->at++;
            lex_escape(x, end, &b);
        } else {
            er_jb_add(x->r, &b, x->s + x->at, 1, true);
            go(x, x->at + 1);
        }
    }
    x->at = end + 1;
    if (t) {
        t->s = b.s ? b.s : "";
        t->n = b.n;
    }
}

/* Digits into out, underscores left out. */
static size_t digits(struct lexer *x, char *out, size_t n, size_t max)
{
    while (x->at < x->n && n < max &&
           (is_digit(x->s[x->at]) ||
               (x->s[x->at] == '_' && x->at + 1 < x->n &&
                   is_digit(x->s[x->at + 1])))) {
        if (x->s[x->at] != '_')
            out[n++] = x->s[x->at];
        x->at++;
    }
    return n;
}

static bool exponent_follows(const struct lexer *x)
{
    size_t p = x->at + 1;
    if (x->at >= x->n || (x->s[x->at] | 32) != 'e')
        return false;
    p += p < x->n && (x->s[p] == '+' || x->s[p] == '-');
    return p < x->n && is_digit(x->s[p]);
}

static void lex_number(struct lexer *x)
{
    char text[80];
    bool real = false;
    size_t n = digits(x, text, 0, 40);
    bool member = x->n_tok && x->tok[x->n_tok - 1].kind == ER_JT_OP &&
                  x->tok[x->n_tok - 1].s[0] == '.';
    if (!member && x->at + 1 < x->n && x->s[x->at] == '.' &&
        is_digit(x->s[x->at + 1])) {
        real = true;
        text[n++] = x->s[x->at++];
        n = digits(x, text, n, 60);
    }
    if (!member && exponent_follows(x)) {
        real = true;
        text[n++] = x->s[x->at++];
        if (!is_digit(x->s[x->at]))
            text[n++] = x->s[x->at++];
        n = digits(x, text, n, 70);
    }
    const char *from = text;
    while (!real && n > 1 && *from == '0') {
        from++;
        n--;
    }
    json_t *v = NULL;
    char array[84] = "[";
    memcpy(array + 1, from, n);
    array[n + 1] = ']';
    struct errand_error why = {0};
    json_t *list = er_json_parse(array, n + 2, ER_JSON_STRICT, &why);
    v = json_array_get(list, 0);
    struct er_jtok *t = add(x, real ? ER_JT_FLOAT : ER_JT_INT);
    if (why.code == ERRAND_NOMEM)
        er_jv_nomem(x->r);
    else if (!v)
        er_jv_fail(x->r, "the number %.*s is too large", (int)n, from);
    else if (t && real)
        t->f = json_number_value(v);
    else if (t)
        t->i = json_integer_value(v);
    json_decref(list);
}

static void lex_name(struct lexer *x)
{
    size_t from = x->at;
    while (x->at < x->n && is_word(x->s[x->at]))
        x->at++;
    struct er_jtok *t = add(x, ER_JT_NAME);
    char *name = er_jv_alloc(x->r, x->at - from + 1, 1);
    if (t && name) {
        memcpy(name, x->s + from, x->at - from);
        t->s = name;
        t->n = x->at - from;
    }
}

static void lex_op(struct lexer *x, char *stack, size_t *depth)
{
    static const char *const ops[] = {"//", "**", "==", "!=", ">=", "<=",
        "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">",
        "<", "=", ".", ":", "|", ",", ";"};
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        if (!sees(x, x->at, ops[i]))
            continue;
        char c = ops[i][0];
        struct er_jtok *t = add(x, ER_JT_OP);
        if (t) {
            t->s = ops[i];
            t->n = strlen(ops[i]);
        }
        x->at += strlen(ops[i]);
        if (strchr("([{", c) && *depth == ER_JINJA_MAX_DEPTH)
            er_jv_fail(x->r, "brackets nest too deeply");
        else if (strchr("([{", c))
            stack[(*depth)++] = c;
        else if (strchr(")]}", c) && *depth > 0)
            (*depth)--;
        return;
    }
    er_jv_fail(x->r, "unexpected character '%.*s'",
        (int)er_ju_len(x->s, x->n, x->at), x->s + x->at);
}

static void lex_inside(struct lexer *x, bool block)
{
    char stack[ER_JINJA_MAX_DEPTH];
    size_t depth = 0;
    const char *end = block ? "%}" : "}}";
    while (!x->r->failed) {
        skip_space(x);
        if (x->at >= x->n) {
            er_jv_fail(x->r, "a tag is not closed: %s is missing", end);
            return;
        }
        char c = x->s[x->at];
        size_t sign = c == '-' || (block && c == '+');
        if (depth == 0 && sees(x, x->at + sign, end)) {
            add(x, block ? ER_JT_BLOCK_END : ER_JT_VAR_END);
            x->at += sign + 2;
            after_tag(x, c == '-', block && c != '+');
            return;
        }
        if (c == '"' || c == '\'')
            lex_string(x);
        else if (is_digit(c))
            lex_number(x);
        else if (is_word(c))
            lex_name(x);
        else
            lex_op(x, stack, &depth);
    }
}

static size_t next_tag(const struct lexer *x, size_t at)
{
    for (; at + 1 < x->n; at++)
        if (x->s[at] == '{' && (x->s[at + 1] == '{' ||
                                   x->s[at + 1] == '%' ||
                                   x->s[at + 1] == '#'))
            return at;
    return x->n;
}

static void lex_all(struct lexer *x)
{
    while (x->at < x->n && !x->r->failed) {
        size_t from = x->at, tag = next_tag(x, x->at);
        bool line_start = from == 0 || x->s[from - 1] == '\n';
        add_data(x, from,
            tag < x->n ? data_end(x, from, tag, line_start) : tag);
        go(x, tag);
        if (tag >= x->n)
            break;
        if (x->s[tag + 1] == '#') {
            lex_comment(x);
            continue;
        }
        bool block = x->s[tag + 1] == '%';
        if (block && lex_raw(x))
            continue;
        add(x, block ? ER_JT_BLOCK : ER_JT_VAR);
        x->at += 2;
        if (x->at < x->n && (x->s[x->at] == '-' || x->s[x->at] == '+'))
            x->at++;
        lex_inside(x, block);
    }
}

/* \r\n and \r become \n; one newline at the very end goes. */
static char *normalise(
    struct er_jrun *r, const char *text, size_t len, size_t *n)
{
    char *s = er_jv_alloc(r, len + 1, 1);
    size_t k = 0;
    for (size_t i = 0; s && i < len; i++) {
        if (text[i] == '\r' && i + 1 < len && text[i + 1] == '\n')
            continue;
        s[k++] = text[i] == '\r' ? '\n' : text[i];
    }
    *n = k && s[k - 1] == '\n' ? k - 1 : k;
    return s;
}

struct er_jtok *er_jinja_lex(
    struct er_jrun *r, const char *text, size_t len, size_t *n)
{
    struct lexer x = {.r = r};
    r->line = 1;
    x.s = normalise(r, text, len, &x.n);
    if (!x.s)
        return NULL;
    lex_all(&x);
    add(&x, ER_JT_END);
    *n = x.n_tok;
    return r->failed ? NULL : x.tok;
}
