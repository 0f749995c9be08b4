/* Filters on single values; those over lists are in jinja_filter_list.c. */
#include "engine/jinja_node.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct er_jv filter_fn(struct er_jrun *r, struct er_jv v,
    const struct er_jargs *a, int which);

static struct er_jv none(void)
{
    return er_jv_none();
}

static const struct er_jstr *text_of(struct er_jrun *r, struct er_jv v)
{
    struct er_jv s = er_jv_string(r, v);
    return s.kind == ER_J_STR && !r->failed ? s.u.s : NULL;
}

static struct er_jv to_case(struct er_jrun *r, struct er_jv v,
    const struct er_jargs *a, int which)
{
    const struct er_jstr *s = text_of(r, v);
    (void)a;
    return s ? er_jtext_case(r, s, (enum er_jcase)which) : none();
}

static struct er_jv trim(struct er_jrun *r, struct er_jv v,
    const struct er_jargs *a, int which)
{
    const struct er_jstr *s = text_of(r, v);
    struct er_jv chars = er_jargs_get(a, 0, "chars", none());
    (void)which;
    return s ? er_jtext_strip(
                   r, s, chars.kind == ER_J_STR ? chars.u.s : NULL, 3)
             : none();
}

static struct er_jv replace(struct er_jrun *r, struct er_jv v,
    const struct er_jargs *a, int which)
{
    const struct er_jstr *s = text_of(r, v);
    const struct er_jstr *from =
        text_of(r, er_jargs_get(a, 0, "old", er_jv_undefined(NULL)));
    const struct er_jstr *to =
        text_of(r, er_jargs_get(a, 1, "new", er_jv_undefined(NULL)));
    struct er_jv count = er_jargs_get(a, 2, "count", none());
    (void)which;
    return s && from && to
        ? er_jtext_replace(r, s, from, to,
              count.kind == ER_J_INT ? count.u.i : -1)
        : none();
}

static struct er_jv string(struct er_jrun *r, struct er_jv v,
    const struct er_jargs *a, int which)
{
    (void)a;
    (void)which;
    return er_jv_string(r, v);
}

static struct er_jv safe(struct er_jrun *r, struct er_jv v,
    const struct er_jargs *a, int which)
{
    const struct er_jstr *s = text_of(r, v);
    struct er_jstr *copy = er_jv_alloc(r, 1, sizeof *copy);
    (void)a;
    (void)which;
    if (!s || !copy)
        return none();
    *copy = *s;
    copy->safe = true;
    return (struct er_jv){.kind = ER_J_STR, .u.s = copy};
}

static struct er_jv escape(struct er_jrun *r, struct er_jv v,
    const struct er_jargs *a, int which)
{
    static const char *const to[] = {"&amp;", "&lt;", "&gt;", "&#34;",
        "&#39;"};
    const struct er_jstr *s = text_of(r, v);
    struct er_jbuild b = {0};
    (void)a;
    (void)which;
    for (size_t i = 0; s && i < s->n && er_jv_step(r, 1); i++) {
        const char *p = s->s[i] ? strchr("&<>\"'", s->s[i]) : NULL;
        size_t k = !p ? 0 : *p == '&' ? 0 : *p == '<' ? 1 : *p == '>' ? 2
            : *p == '"' ? 3 : 4;
        if (p)
            er_jb_add(r, &b, to[k], strlen(to[k]), s->t[i]);
        else
            er_jb_part(r, &b, s, i, i + 1);
    }
    return er_jb_done(r, &b);
}

static struct er_jv fallback(struct er_jrun *r, struct er_jv v,
    const struct er_jargs *a, int which)
{
    struct er_jv other = er_jargs_get(
        a, 0, "default_value", er_jv_text(r, ""));
    bool falsy = er_jv_truth(
        er_jargs_get(a, 1, "boolean", er_jv_bool(false)));
    (void)which;
    return v.kind == ER_J_UNDEFINED || (falsy && !er_jv_truth(v)) ? other
                                                                  : v;
}

/* --- numbers */

static struct er_jv absolute(struct er_jrun *r, struct er_jv v,
    const struct er_jargs *a, int which)
{
    (void)a;
    (void)which;
    if (v.kind == ER_J_FLOAT)
        return er_jv_float(fabs(v.u.f));
    if (v.kind == ER_J_INT && v.u.i != INT64_MIN)
        return er_jv_int(v.u.i < 0 ? -v.u.i : v.u.i);
    if (v.kind == ER_J_BOOL)
        return er_jv_int(v.u.b);
    return er_jv_fail(r, "abs: a '%s' is no number", er_jv_type(v));
}

/* The text as a JSON number, blanks around it cut; NULL if it is none. */
static json_t *number_in(struct er_jrun *r, const struct er_jstr *s)
{
    struct er_jv t = er_jtext_strip(r, s, NULL, 3);
    char text[72] = "[";
    size_t n, k = 1;
    if (r->failed || t.u.s->n == 0 || t.u.s->n > 64)
        return NULL;
    const char *p = t.u.s->s;
    n = t.u.s->n;
    if (*p == '+' || *p == '-') {
        if (*p == '-')
            text[k++] = '-';
        p++;
        n--;
    }
    while (n > 1 && *p == '0' && p[1] >= '0' && p[1] <= '9') {
        p++;
        n--;
    }
    if (n && *p == '.')
        text[k++] = '0';
    memcpy(text + k, p, n);
    k += n;
    if (n && p[n - 1] == '.')
        text[k++] = '0';
    text[k++] = ']';
    json_t *list = er_json_parse(text, k, ER_JSON_STRICT, NULL);
    json_t *v = json_is_number(json_array_get(list, 0))
        ? json_incref(json_array_get(list, 0)) : NULL;
    json_decref(list);
    return v;
}

static bool based(struct er_jrun *r, const struct er_jstr *s, int64_t base,
    int64_t *out)
{
    struct er_jv t = er_jtext_strip(r, s, NULL, 3);
    char text[72], *end;
    if (r->failed || t.u.s->n == 0 || t.u.s->n >= sizeof text ||
        base < 2 || base > 36)
        return false;
    memcpy(text, t.u.s->s, t.u.s->n);
    text[t.u.s->n] = '\0';
    const char *from = text;
    if (text[0] == '0' && ((base == 2 && (text[1] | 32) == 'b') ||
                              (base == 8 && (text[1] | 32) == 'o')))
        from += 2;
    *out = strtoll(from, &end, (int)base);
    return end != from && *end == '\0';
}

static struct er_jv to_int(struct er_jrun *r, struct er_jv v,
    const struct er_jargs *a, int which)
{
    struct er_jv other = er_jargs_get(a, 0, "default", er_jv_int(0));
    struct er_jv base = er_jargs_get(a, 1, "base", er_jv_int(10));
    int64_t i = 0;
    (void)which;
    if (v.kind == ER_J_INT)
        return v;
    if (v.kind == ER_J_BOOL)
        return er_jv_int(v.u.b);
    if (v.kind == ER_J_FLOAT)
        return fabs(v.u.f) < 9e18 ? er_jv_int((int64_t)v.u.f) : other;
    if (v.kind != ER_J_STR)
        return other;
    if (base.kind == ER_J_INT && base.u.i != 10)
        return based(r, v.u.s, base.u.i, &i) ? er_jv_int(i) : other;
    json_t *n = number_in(r, v.u.s);
    if (json_is_integer(n))
        other = er_jv_int(json_integer_value(n));
    else if (n && fabs(json_number_value(n)) < 9e18)
        other = er_jv_int((int64_t)json_number_value(n));
    json_decref(n);
    return other;
}

static struct er_jv to_float(struct er_jrun *r, struct er_jv v,
    const struct er_jargs *a, int which)
{
    struct er_jv other = er_jargs_get(a, 0, "default", er_jv_float(0));
    (void)which;
    if (er_jv_is_number(v))
        return er_jv_float(er_jv_double(v));
    if (v.kind != ER_J_STR)
        return other;
    json_t *n = number_in(r, v.u.s);
    if (n)
        other = er_jv_float(json_number_value(n));
    json_decref(n);
    return other;
}

/* Half to even, as Python's round() does; "ceil" and "floor" too. */
static struct er_jv rounded(struct er_jrun *r, struct er_jv v,
    const struct er_jargs *a, int which)
{
    struct er_jv digits = er_jargs_get(a, 0, "precision", er_jv_int(0));
    struct er_jv how = er_jargs_get(a, 1, "method", none());
    (void)which;
    if (!er_jv_is_number(v) || digits.kind != ER_J_INT ||
        digits.u.i < -300 || digits.u.i > 300)
        return er_jv_fail(r, "round: a '%s' is no number", er_jv_type(v));
    double scale = pow(10, (double)digits.u.i), x = er_jv_double(v) * scale;
    x = er_jv_is(how, "ceil") ? ceil(x)
        : er_jv_is(how, "floor") ? floor(x) : rint(x);
    return er_jv_float(x / scale);
}

/* --- layout */

static struct er_jv indent(struct er_jrun *r, struct er_jv v,
    const struct er_jargs *a, int which)
{
    const struct er_jstr *s = text_of(r, v);
    struct er_jv width = er_jargs_get(a, 0, "width", er_jv_int(4));
    bool first = er_jv_truth(er_jargs_get(a, 1, "first", none()));
    bool blank = er_jv_truth(er_jargs_get(a, 2, "blank", none()));
    struct er_jbuild b = {0};
    struct er_jv pad = width;
    (void)which;
    if (width.kind != ER_J_STR)
        pad = er_jrun_binary(r, ER_JO_MUL, er_jv_text(r, " "), width);
    for (size_t at = 0, line = 0; s && !r->failed && er_jv_step(r, 1);
         line++) {
        const char *nl = memchr(s->s + at, '\n', s->n - at);
        size_t end = nl ? (size_t)(nl - s->s) : s->n;
        if ((line == 0 && first) || (line > 0 && (blank || end > at)))
            er_jb_str(r, &b, pad.u.s);
        er_jb_part(r, &b, s, at, end);
        if (!nl)
            break;
        er_jb_part(r, &b, s, end, end + 1);
        at = end + 1;
    }
    return er_jb_done(r, &b);
}

static struct er_jv truncate(struct er_jrun *r, struct er_jv v,
    const struct er_jargs *a, int which)
{
    const struct er_jstr *s = text_of(r, v);
    struct er_jv max = er_jargs_get(a, 0, "length", er_jv_int(255));
    bool kill = er_jv_truth(er_jargs_get(a, 1, "killwords", none()));
    struct er_jv end = er_jargs_get(a, 2, "end", er_jv_text(r, "..."));
    struct er_jv leeway = er_jargs_get(a, 3, "leeway", er_jv_int(5));
    (void)which;
    if (!s || r->failed || max.kind != ER_J_INT || end.kind != ER_J_STR ||
        leeway.kind != ER_J_INT)
        return er_jv_fail(r, "truncate: wrong arguments");
    int64_t n = (int64_t)er_ju_count(s->s, s->n);
    int64_t keep = max.u.i - (int64_t)er_ju_count(end.u.s->s, end.u.s->n);
    if (n - max.u.i <= leeway.u.i)
        return er_jv_part(r, s, 0, s->n);
    size_t cut = er_ju_at(s->s, s->n, keep > 0 ? (size_t)keep : 0);
    size_t word = cut;
    while (!kill && word > 0 && s->s[word - 1] != ' ')
        word--;
    struct er_jbuild b = {0};
    er_jb_part(r, &b, s, 0, !kill && word > 0 ? word - 1 : cut);
    er_jb_str(r, &b, end.u.s);
    return er_jb_done(r, &b);
}

static struct er_jv center(struct er_jrun *r, struct er_jv v,
    const struct er_jargs *a, int which)
{
    struct er_jv width = er_jargs_get(a, 0, "width", er_jv_int(80));
    struct er_jargs one = {.v = &width, .n = 1};
    (void)which;
    return er_jinja_method(r, er_jv_string(r, v), "center", &one);
}

static struct er_jv wordcount(struct er_jrun *r, struct er_jv v,
    const struct er_jargs *a, int which)
{
    const struct er_jstr *s = text_of(r, v);
    int64_t n = 0;
    bool inside = false;
    (void)a;
    (void)which;
    for (size_t i = 0; s && i < s->n; i++) {
        char c = s->s[i];
        bool word = ((c | 32) >= 'a' && (c | 32) <= 'z') ||
                    (c >= '0' && c <= '9') || c == '_' ||
                    (unsigned char)c >= 0x80;
        n += word && !inside;
        inside = word;
    }
    return er_jv_int(n);
}

static struct er_jv percent(struct er_jrun *r, struct er_jv v,
    const struct er_jargs *a, int which)
{
    const struct er_jstr *s = text_of(r, v);
    (void)which;
    return s ? er_jtext_percent(r, s, a) : none();
}

static struct er_jv attr(struct er_jrun *r, struct er_jv v,
    const struct er_jargs *a, int which)
{
    struct er_jv name = er_jargs_get(a, 0, "name", none());
    (void)which;
    if (name.kind != ER_J_STR)
        return er_jv_fail(r, "attr: needs a name");
    char *copy = er_jv_alloc(r, name.u.s->n + 1, 1);
    if (!copy)
        return none();
    memcpy(copy, name.u.s->s, name.u.s->n);
    return er_jrun_attr(r, v, copy);
}

static struct er_jv urlencode(struct er_jrun *r, struct er_jv v,
    const struct er_jargs *a, int which)
{
    static const char hex[] = "0123456789ABCDEF";
    const struct er_jstr *s = text_of(r, v);
    struct er_jbuild b = {0};
    (void)a;
    (void)which;
    for (size_t i = 0; s && i < s->n && er_jv_step(r, 1); i++) {
        unsigned char c = (unsigned char)s->s[i];
        bool keep = ((c | 32) >= 'a' && (c | 32) <= 'z') ||
                    (c >= '0' && c <= '9') || (c && strchr("_.-~/", c));
        char code[3] = {'%', hex[c >> 4], hex[c & 15]};
        if (keep)
            er_jb_part(r, &b, s, i, i + 1);
        else
            er_jb_add(r, &b, code, 3, s->t[i]);
    }
    return er_jb_done(r, &b);
}

/* --- tojson */

static struct er_jv tojson(struct er_jrun *r, struct er_jv v,
    const struct er_jargs *a, int which)
{
    struct er_jv ascii = er_jargs_get(a, 9, "ensure_ascii", none());
    struct er_jv width = er_jargs_get(a, 0, "indent", none());
    struct er_jv seps = er_jargs_get(a, 9, "separators", none());
    struct er_jv sorted = er_jargs_get(a, 9, "sort_keys", none());
    struct er_jv item = er_jv_text(r, ", "), key = er_jv_text(r, ": ");
    struct er_jbuild b = {0};
    (void)which;
    if (width.kind == ER_J_INT || width.kind == ER_J_BOOL) {
        width = er_jrun_binary(r, ER_JO_MUL, er_jv_text(r, " "), width);
        item = er_jv_text(r, ",");
    } else if (width.kind == ER_J_STR) {
        item = er_jv_text(r, ",");
    }
    if (er_jv_is_seq(seps) && seps.u.l->n == 2 &&
        seps.u.l->v[0].kind == ER_J_STR && seps.u.l->v[1].kind == ER_J_STR) {
        item = seps.u.l->v[0];
        key = seps.u.l->v[1];
    }
    if (r->failed)
        return none();
    struct er_jjson how = {.ascii = er_jv_truth(ascii),
        .sorted = er_jv_truth(sorted),
        .indent = width.kind == ER_J_STR ? width.u.s : NULL,
        .item = item.u.s, .key = key.u.s};
    er_jb_json(r, &b, &how, v, 0);
    return er_jb_done(r, &b);
}

static struct er_jv over_list(struct er_jrun *r, struct er_jv v,
    const struct er_jargs *a, int which)
{
    return er_jlist_filter(r, which, v, a);
}

static const struct {
    const char *name;
    filter_fn *run;
    int which;
} filters[] = {{"abs", absolute, 0}, {"attr", attr, 0},
    {"capitalize", to_case, ER_JC_CAPITALIZE}, {"center", center, 0},
    {"d", fallback, 0}, {"default", fallback, 0}, {"e", escape, 0},
    {"escape", escape, 0}, {"float", to_float, 0},
    {"forceescape", escape, 0}, {"format", percent, 0},
    {"indent", indent, 0}, {"int", to_int, 0},
    {"lower", to_case, ER_JC_LOWER}, {"replace", replace, 0},
    {"round", rounded, 0}, {"safe", safe, 0}, {"string", string, 0},
    {"title", to_case, ER_JC_TITLE}, {"tojson", tojson, 0},
    {"trim", trim, 0}, {"truncate", truncate, 0},
    {"upper", to_case, ER_JC_UPPER}, {"urlencode", urlencode, 0},
    {"wordcount", wordcount, 0},
    /* the order of er_jlist_filter's table */
    {"batch", over_list, 0}, {"count", over_list, 1},
    {"dictsort", over_list, 2}, {"first", over_list, 3},
    {"groupby", over_list, 4}, {"items", over_list, 5},
    {"join", over_list, 6}, {"last", over_list, 7},
    {"length", over_list, 1}, {"list", over_list, 8},
    {"map", over_list, 9}, {"max", over_list, 10}, {"min", over_list, 11},
    {"reject", over_list, 12}, {"rejectattr", over_list, 13},
    {"reverse", over_list, 14}, {"select", over_list, 15},
    {"selectattr", over_list, 16}, {"sort", over_list, 17},
    {"sum", over_list, 18}, {"unique", over_list, 19}};

bool er_jinja_has_filter(const char *name)
{
    for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++)
        if (strcmp(filters[i].name, name) == 0)
            return true;
    return false;
}

struct er_jv er_jinja_filter(struct er_jrun *r, const char *name,
    struct er_jv v, const struct er_jargs *a)
{
    for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++)
        if (strcmp(filters[i].name, name) == 0)
            return filters[i].run(r, v, a, filters[i].which);
    return er_jv_fail(r, "there is no filter named '%.60s'", name);
}
