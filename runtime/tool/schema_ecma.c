/* ECMA-262 patterns, rewritten for PCRE2.
 *
 * A full reader of the grammar, not a search-and-replace: what comes out
 * holds no construct that was not understood. It is a little more patient
 * than the "u" flag: escaped punctuation and lone braces stand for
 * themselves, as in patterns people write.
 *
 * What differs and is rewritten: \s and . (ECMA's blanks and line ends),
 * \u and \cX, \p{Long_Names}, \N back references, [] and [^].
 */
#include "tool/schema_regex.h"

#include "base/text.h"

#include <string.h>

enum { MAX_GROUP_DEPTH = 100, MAX_REPEAT = 65535 };

#define BLANKS "\\t-\\r\\x{20}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}" \
    "\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}"
#define NO_BLANKS "\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{9f}" \
    "\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}" \
    "\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}" \
    "\\x{3001}-\\x{fefe}\\x{ff00}-\\x{10ffff}"
#define ANYTHING "[\\x{0}-\\x{10ffff}]"
#define NOTHING "[^\\x{0}-\\x{10ffff}]"

struct ecma {
    const char *p;
    size_t n, i;
    struct er_buf *out;
    const char *why;
    size_t groups; /* capturing groups in the whole pattern */
    unsigned depth;
};

/* One character, or a set such as \d. */
struct atom {
    uint32_t c;
    const char *set; /* text for the inside of a class, or NULL */
    bool property;   /* \p{...}: its text was put out already */
};

static bool fail(struct ecma *e, const char *why)
{
    if (!e->why)
        e->why = why;
    return false;
}

static bool puts_out(struct ecma *e, const char *s)
{
    return er_buf_adds(e->out, s);
}

static int peek(const struct ecma *e, size_t ahead)
{
    return e->n - e->i > ahead ? (unsigned char)e->p[e->i + ahead] : -1;
}

static bool eat(struct ecma *e, const char *s)
{
    size_t len = strlen(s);
    if (e->n - e->i < len || memcmp(e->p + e->i, s, len) != 0)
        return false;
    e->i += len;
    return true;
}

static bool is_digit(int c) { return c >= '0' && c <= '9'; }

static bool is_letter(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int hex_value(int c)
{
    if (is_digit(c))
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Exactly count digits; -1 if they are not there. */
static int32_t fixed_hex(struct ecma *e, int count)
{
    int32_t v = 0;
    for (int k = 0; k < count; k++) {
        int d = hex_value(peek(e, (size_t)k));
        if (d < 0)
            return -1;
        v = v * 16 + d;
    }
    e->i += (size_t)count;
    return v;
}

static bool braced_hex(struct ecma *e, uint32_t *c)
{
    uint32_t v = 0;
    size_t digits = 0;
    for (; hex_value(peek(e, 0)) >= 0; e->i++, digits++) {
        v = v * 16 + (uint32_t)hex_value(peek(e, 0));
        if (v > 0x10FFFF)
            return fail(e, "\\u{...} beyond 10FFFF");
    }
    if (digits == 0 || !eat(e, "}"))
        return fail(e, "\\u{...} needs hexadecimal digits");
    *c = v;
    return true;
}

/* Behind "\u". A surrogate pair is one character. */
static bool unicode_escape(struct ecma *e, uint32_t *c)
{
    if (eat(e, "{"))
        return braced_hex(e, c);
    int32_t v = fixed_hex(e, 4);
    if (v < 0)
        return fail(e, "\\u needs four hexadecimal digits");
    *c = (uint32_t)v;
    size_t back = e->i;
    if (v >= 0xD800 && v < 0xDC00 && eat(e, "\\u")) {
        int32_t low = fixed_hex(e, 4);
        if (low >= 0xDC00 && low < 0xE000)
            *c = 0x10000 + (((uint32_t)v - 0xD800) << 10) +
                 ((uint32_t)low - 0xDC00);
        else
            e->i = back;
    }
    return true;
}

/* An escape that stands for one character; e->i is behind its letter. */
static bool char_escape(struct ecma *e, int letter, uint32_t *c)
{
    static const char from[] = "tnvfr", to[] = "\t\n\v\f\r";
    const char *simple = letter ? strchr(from, letter) : NULL;
    if (simple) {
        *c = (uint32_t)to[simple - from];
    } else if (letter == '0' && !is_digit(peek(e, 0))) {
        *c = 0;
    } else if (letter == 'c') {
        if (!is_letter(peek(e, 0)))
            return fail(e, "\\c needs a letter");
        *c = (uint32_t)peek(e, 0) % 32;
        e->i++;
    } else if (letter == 'x') {
        int32_t v = fixed_hex(e, 2);
        if (v < 0)
            return fail(e, "\\x needs two hexadecimal digits");
        *c = (uint32_t)v;
    } else if (letter == 'u') {
        return unicode_escape(e, c);
    } else if (is_letter(letter) || is_digit(letter)) {
        return fail(e, "an escape that ECMA-262 does not have");
    } else {
        *c = (uint32_t)letter;
    }
    return true;
}

static const struct {
    const char *name, *brief;
} categories[] = {
    {"Letter", "L"}, {"Cased_Letter", "L&"}, {"LC", "L&"},
    {"Uppercase_Letter", "Lu"}, {"Lowercase_Letter", "Ll"},
    {"Titlecase_Letter", "Lt"}, {"Modifier_Letter", "Lm"},
    {"Other_Letter", "Lo"}, {"Mark", "M"}, {"Combining_Mark", "M"},
    {"Nonspacing_Mark", "Mn"}, {"Spacing_Mark", "Mc"},
    {"Enclosing_Mark", "Me"}, {"Number", "N"}, {"Decimal_Number", "Nd"},
    {"digit", "Nd"}, {"Letter_Number", "Nl"}, {"Other_Number", "No"},
    {"Punctuation", "P"}, {"punct", "P"}, {"Connector_Punctuation", "Pc"},
    {"Dash_Punctuation", "Pd"}, {"Open_Punctuation", "Ps"},
    {"Close_Punctuation", "Pe"}, {"Initial_Punctuation", "Pi"},
    {"Final_Punctuation", "Pf"}, {"Other_Punctuation", "Po"},
    {"Symbol", "S"}, {"Math_Symbol", "Sm"}, {"Currency_Symbol", "Sc"},
    {"Modifier_Symbol", "Sk"}, {"Other_Symbol", "So"}, {"Separator", "Z"},
    {"Space_Separator", "Zs"}, {"Line_Separator", "Zl"},
    {"Paragraph_Separator", "Zp"}, {"Other", "C"}, {"Control", "Cc"},
    {"cntrl", "Cc"}, {"Format", "Cf"}, {"Surrogate", "Cs"},
    {"Private_Use", "Co"}, {"Unassigned", "Cn"},
};

static const char *brief_name(const char *name)
{
    for (size_t i = 0; i < sizeof categories / sizeof categories[0]; i++)
        if (strcmp(categories[i].name, name) == 0)
            return categories[i].brief;
    return name;
}

/* Behind \p or \P: "{Name}" or "{Key=Value}". */
static bool property(struct ecma *e, bool negated)
{
    char text[64] = "";
    size_t n = 0;
    if (!eat(e, "{"))
        return fail(e, "\\p needs {a property}");
    for (; peek(e, 0) >= 0 && peek(e, 0) != '}'; e->i++) {
        int c = peek(e, 0);
        if (n == sizeof text - 1 ||
            !(is_letter(c) || is_digit(c) || c == '_' || c == '='))
            return fail(e, "\\p{...} does not name a property");
        text[n++] = (char)c;
    }
    if (!eat(e, "}") || n == 0)
        return fail(e, "\\p needs {a property}");
    char *value = strchr(text, '=');
    const char *prefix = "", *name = text;
    if (value) {
        *value++ = '\0';
        name = value;
        if (strcmp(text, "Script") == 0 || strcmp(text, "sc") == 0)
            prefix = "sc:";
        else if (strcmp(text, "Script_Extensions") == 0 ||
                 strcmp(text, "scx") == 0)
            prefix = "scx:";
        else if (strcmp(text, "General_Category") != 0 &&
                 strcmp(text, "gc") != 0)
            return fail(e, "\\p{...} does not name a property");
    }
    if (strcmp(name, "Assigned") == 0) {
        name = "Cn";
        negated = !negated;
    }
    name = *prefix ? name : brief_name(name);
    return er_buf_addf(e->out, "\\%c{%s%s}", negated ? 'P' : 'p', prefix,
        name);
}

/* The set that \d and its like stand for; NULL: the letter is none. */
static const char *set_of(int letter)
{
    switch (letter) {
    case 'd': return "0-9";
    case 'D': return "\\D";
    case 'w': return "0-9A-Za-z_";
    case 'W': return "\\W";
    case 's': return BLANKS;
    case 'S': return NO_BLANKS;
    default: return NULL;
    }
}

static bool put_char(struct ecma *e, uint32_t c)
{
    return er_buf_addf(e->out, "\\x{%x}", (unsigned)c);
}

static bool is_surrogate(uint32_t c) { return c >= 0xD800 && c < 0xE000; }

/* One character as it stands; e->i moves behind it. */
static bool plain_char(struct ecma *e, uint32_t *c)
{
    unsigned char b = (unsigned char)e->p[e->i++];
    *c = b;
    if (b < 0x80)
        return true;
    int more = b >= 0xF0 ? 3 : b >= 0xE0 ? 2 : 1;
    *c = b & (0x3Fu >> more);
    for (; more > 0; more--, e->i++) {
        if (peek(e, 0) < 0x80 || peek(e, 0) > 0xBF)
            return fail(e, "bytes that are not UTF-8");
        *c = *c << 6 | ((uint32_t)peek(e, 0) & 0x3F);
    }
    return true;
}

/* --- classes */

static bool class_atom(struct ecma *e, struct atom *a)
{
    *a = (struct atom){0};
    if (peek(e, 0) != '\\')
        return plain_char(e, &a->c);
    e->i++;
    int letter = peek(e, 0);
    if (letter < 0)
        return fail(e, "\\ at the end");
    if (letter >= 0x80)
        return plain_char(e, &a->c);
    e->i++;
    a->set = set_of(letter);
    a->property = letter == 'p' || letter == 'P';
    if (a->property)
        return property(e, letter == 'P');
    if (a->set)
        return puts_out(e, a->set);
    if (letter == 'b') {
        a->c = 8;
        return true;
    }
    return char_escape(e, letter, &a->c);
}

/* Surrogates are in no text: a range loses them. */
static bool put_range(struct ecma *e, uint32_t from, uint32_t to)
{
    if (from > to)
        return fail(e, "a range out of order");
    if (is_surrogate(from))
        from = 0xE000;
    if (is_surrogate(to))
        to = 0xD7FF;
    if (from > to)
        return true;
    return put_char(e, from) &&
           (from == to || (puts_out(e, "-") && put_char(e, to)));
}

static bool class_member(struct ecma *e)
{
    struct atom a, b;
    if (!class_atom(e, &a))
        return false;
    bool set = a.set || a.property;
    if (peek(e, 0) != '-' || peek(e, 1) == ']' || peek(e, 1) < 0)
        return set || put_range(e, a.c, a.c);
    e->i++;
    if (set) /* a dash behind a set is a dash */
        return put_char(e, '-');
    size_t before = e->i;
    if (peek(e, 0) == '\\' &&
        (set_of(peek(e, 1)) || (peek(e, 1) | 0x20) == 'p')) {
        e->i = before; /* and before one too */
        return put_range(e, a.c, a.c) && put_char(e, '-');
    }
    return class_atom(e, &b) && put_range(e, a.c, b.c);
}

/* Behind '['. */
static bool class(struct ecma *e)
{
    bool negated = eat(e, "^");
    if (eat(e, "]"))
        return puts_out(e, negated ? ANYTHING : NOTHING);
    size_t start = e->out->len;
    puts_out(e, negated ? "[^" : "[");
    size_t empty = e->out->len;
    while (peek(e, 0) >= 0 && peek(e, 0) != ']')
        if (!class_member(e))
            return false;
    if (!eat(e, "]"))
        return fail(e, "a class without its ]");
    if (e->out->len > empty)
        return puts_out(e, "]");
    if (e->out->failed)
        return false;
    e->out->len = start; /* nothing but surrogates was in it */
    return puts_out(e, negated ? ANYTHING : NOTHING);
}

/* --- escapes outside of classes */

static bool back_reference(struct ecma *e, int first)
{
    size_t n = (size_t)(first - '0');
    for (; is_digit(peek(e, 0)) && n < 10000; e->i++)
        n = n * 10 + (size_t)(peek(e, 0) - '0');
    if (n > e->groups)
        return fail(e, "a back reference to a group that is not there");
    return er_buf_addf(e->out, "\\g{%zu}", n);
}

static bool group_name(struct ecma *e)
{
    size_t from = e->i;
    while (is_letter(peek(e, 0)) || peek(e, 0) == '_' ||
           (is_digit(peek(e, 0)) && e->i > from))
        e->i++;
    if (e->i == from || e->i - from > 32 || peek(e, 0) != '>')
        return fail(e, "a group name must be up to 32 of A-Z, a-z, 0-9, _");
    er_buf_add(e->out, e->p + from, e->i - from);
    e->i++;
    return puts_out(e, ">");
}

static bool escape(struct ecma *e)
{
    int letter = peek(e, 0);
    uint32_t c;
    if (letter < 0)
        return fail(e, "\\ at the end");
    if (letter >= 0x80)
        return plain_char(e, &c) && put_char(e, c);
    e->i++;
    if (letter == 'b' || letter == 'B')
        return puts_out(e, letter == 'b' ? "\\b" : "\\B");
    if (letter == 'p' || letter == 'P')
        return property(e, letter == 'P');
    if (letter == 'k')
        return eat(e, "<") ? puts_out(e, "\\k<") && group_name(e)
                           : fail(e, "\\k needs <a name>");
    if (letter >= '1' && letter <= '9')
        return back_reference(e, letter);
    const char *set = set_of(letter);
    if (set)
        return puts_out(e, "[") && puts_out(e, set) && puts_out(e, "]");
    if (!char_escape(e, letter, &c))
        return false;
    return is_surrogate(c) ? puts_out(e, NOTHING) : put_char(e, c);
}

/* --- groups and repeats */

static bool alternatives(struct ecma *e);

static bool group(struct ecma *e)
{
    if (eat(e, "?<="))
        puts_out(e, "(?<=");
    else if (eat(e, "?<!"))
        puts_out(e, "(?<!");
    else if (eat(e, "?:"))
        puts_out(e, "(?:");
    else if (eat(e, "?="))
        puts_out(e, "(?=");
    else if (eat(e, "?!"))
        puts_out(e, "(?!");
    else if (eat(e, "?<")) {
        puts_out(e, "(?<");
        if (!group_name(e))
            return false;
    } else if (peek(e, 0) == '?') {
        return fail(e, "a group that ECMA-262 does not have");
    } else {
        puts_out(e, "(");
    }
    if (++e->depth > MAX_GROUP_DEPTH)
        return fail(e, "groups nested too deep");
    if (!alternatives(e))
        return false;
    if (!eat(e, ")"))
        return fail(e, "a group without its )");
    e->depth--;
    return puts_out(e, ")");
}

/* Length of a {n}, {n,} or {n,m} at e->i; 0 if there is none. */
static size_t braces(struct ecma *e, size_t *low, size_t *high)
{
    size_t k = 1, *bound = low;
    bool digits = false;
    *low = *high = 0;
    for (; peek(e, k) >= 0 && peek(e, k) != '}'; k++) {
        int c = peek(e, k);
        if (c == ',' && bound == low && digits) {
            bound = high;
            digits = false;
        } else if (is_digit(c) && *bound <= MAX_REPEAT) {
            *bound = *bound * 10 + (size_t)(c - '0');
            digits = true;
        } else if (!is_digit(c)) {
            return 0;
        }
    }
    if (peek(e, k) < 0 || (bound == low && !digits))
        return 0;
    if (bound == low)
        *high = *low;
    else if (!digits)
        *high = SIZE_MAX;
    return k + 1;
}

static bool quantifier(struct ecma *e)
{
    int c = peek(e, 0);
    size_t low, high, len = 1;
    if (c == '{') {
        len = braces(e, &low, &high);
        if (len == 0)
            return true;
        if (low > MAX_REPEAT || (high > MAX_REPEAT && high != SIZE_MAX))
            return fail(e, "a repeat count over 65535");
        if (low > high)
            return fail(e, "a repeat {n,m} with n over m");
    } else if (c != '*' && c != '+' && c != '?') {
        return true;
    }
    er_buf_add(e->out, e->p + e->i, len);
    e->i += len;
    if (eat(e, "?"))
        puts_out(e, "?");
    c = peek(e, 0);
    if (c == '*' || c == '+' || c == '?' ||
        (c == '{' && braces(e, &low, &high)))
        return fail(e, "a repeat of a repeat");
    return true;
}

static bool term(struct ecma *e)
{
    uint32_t c;
    size_t low, high;
    switch (peek(e, 0)) {
    case '(': e->i++; return group(e) && quantifier(e);
    case '[': e->i++; return class(e) && quantifier(e);
    case '\\': e->i++; return escape(e) && quantifier(e);
    case '^': e->i++; return puts_out(e, "^");
    case '$': e->i++; return puts_out(e, "$");
    case '.':
        e->i++;
        return puts_out(e, "[^\\n\\r\\x{2028}\\x{2029}]") && quantifier(e);
    case '*':
    case '+':
    case '?': return fail(e, "nothing to repeat");
    case '{':
        if (braces(e, &low, &high))
            return fail(e, "nothing to repeat");
        break;
    default: break;
    }
    return plain_char(e, &c) && put_char(e, c) && quantifier(e);
}

static bool alternatives(struct ecma *e)
{
    while (peek(e, 0) >= 0 && peek(e, 0) != ')') {
        if (eat(e, "|"))
            puts_out(e, "|");
        else if (!term(e))
            return false;
    }
    return true;
}

static size_t count_groups(const char *p, size_t n)
{
    size_t groups = 0;
    bool in_class = false;
    for (size_t i = 0; i < n; i++) {
        if (p[i] == '\\')
            i++;
        else if (in_class)
            in_class = p[i] != ']';
        else if (p[i] == '[')
            in_class = true;
        else if (p[i] == '(' &&
                 (n - i < 2 || p[i + 1] != '?' ||
                     (n - i > 3 && p[i + 2] == '<' && p[i + 3] != '=' &&
                         p[i + 3] != '!')))
            groups++;
    }
    return groups;
}

bool er_ecma_translate(struct er_buf *out, const char *pattern, size_t len,
    const char **why, size_t *at)
{
    struct ecma e = {.p = pattern, .n = len, .out = out,
        .groups = count_groups(pattern, len)};
    bool ok = alternatives(&e);
    if (ok && e.i < e.n)
        ok = fail(&e, "a ) without its group");
    *why = e.why;
    *at = e.i;
    return ok && !out->failed;
}
