/* Methods of texts, lists and dicts: those that change nothing. */
#include "engine/jinja_node.h"

#include <string.h>

struct method {
    const char *name;
    enum er_jkind kind;
    struct er_jv (*run)(struct er_jrun *r, struct er_jv self,
        const struct er_jargs *a, int which);
    int which;
};

static const struct er_jstr *text_arg(
    const struct er_jargs *a, size_t i, const char *name)
{
    struct er_jv v = er_jargs_get(a, i, name, er_jv_none());
    return v.kind == ER_J_STR ? v.u.s : NULL;
}

static int64_t int_arg(const struct er_jargs *a, size_t i, const char *name,
    int64_t fallback)
{
    struct er_jv v = er_jargs_get(a, i, name, er_jv_none());
    return v.kind == ER_J_INT ? v.u.i
        : v.kind == ER_J_BOOL ? (int64_t)v.u.b : fallback;
}

static struct er_jv need_text(struct er_jrun *r, const char *method)
{
    return er_jv_fail(r, "%s() needs a text", method);
}

/* --- texts */

static struct er_jv str_case(struct er_jrun *r, struct er_jv self,
    const struct er_jargs *a, int which)
{
    (void)a;
    return er_jtext_case(r, self.u.s, (enum er_jcase)which);
}

static struct er_jv str_strip(struct er_jrun *r, struct er_jv self,
    const struct er_jargs *a, int which)
{
    return er_jtext_strip(r, self.u.s, text_arg(a, 0, "chars"), which);
}

static bool has_end(const struct er_jstr *s, struct er_jv part, bool front)
{
    if (part.kind != ER_J_STR || part.u.s->n > s->n)
        return false;
    const char *at = front ? s->s : s->s + s->n - part.u.s->n;
    return memcmp(at, part.u.s->s, part.u.s->n) == 0;
}

/* startswith, endswith: a text or a tuple of them. */
static struct er_jv str_ends(struct er_jrun *r, struct er_jv self,
    const struct er_jargs *a, int front)
{
    struct er_jv part = er_jargs_get(a, 0, NULL, er_jv_none());
    if (part.kind == ER_J_TUPLE) {
        for (size_t i = 0; i < part.u.l->n; i++)
            if (has_end(self.u.s, part.u.l->v[i], front))
                return er_jv_bool(true);
        return er_jv_bool(false);
    }
    if (part.kind != ER_J_STR)
        return need_text(r, front ? "startswith" : "endswith");
    return er_jv_bool(has_end(self.u.s, part, front));
}

static struct er_jv str_remove(struct er_jrun *r, struct er_jv self,
    const struct er_jargs *a, int front)
{
    struct er_jv part = er_jargs_get(a, 0, NULL, er_jv_none());
    const struct er_jstr *s = self.u.s;
    if (!has_end(s, part, front))
        return self;
    size_t n = part.u.s->n;
    return front ? er_jv_part(r, s, n, s->n)
                 : er_jv_part(r, s, 0, s->n - n);
}

static struct er_jv str_split(struct er_jrun *r, struct er_jv self,
    const struct er_jargs *a, int right)
{
    return er_jtext_split(r, self.u.s, text_arg(a, 0, "sep"),
        int_arg(a, 1, "maxsplit", -1), right);
}

static struct er_jv str_lines(struct er_jrun *r, struct er_jv self,
    const struct er_jargs *a, int which)
{
    (void)which;
    return er_jtext_lines(
        r, self.u.s, int_arg(a, 0, "keepends", 0) != 0);
}

static struct er_jv str_replace(struct er_jrun *r, struct er_jv self,
    const struct er_jargs *a, int which)
{
    const struct er_jstr *from = text_arg(a, 0, "old");
    const struct er_jstr *to = text_arg(a, 1, "new");
    (void)which;
    if (!from || !to)
        return need_text(r, "replace");
    return er_jtext_replace(
        r, self.u.s, from, to, int_arg(a, 2, "count", -1));
}

static struct er_jv str_format(struct er_jrun *r, struct er_jv self,
    const struct er_jargs *a, int which)
{
    (void)which;
    return er_jtext_format(r, self.u.s, a);
}

static struct er_jv str_join(struct er_jrun *r, struct er_jv self,
    const struct er_jargs *a, int which)
{
    struct er_jbuild b = {0};
    const struct er_jlist *l = er_jv_items(
        r, er_jargs_get(a, 0, NULL, er_jv_undefined(NULL)));
    (void)which;
    for (size_t i = 0; l && i < l->n && er_jv_step(r, 1); i++) {
        if (l->v[i].kind != ER_J_STR)
            return need_text(r, "join");
        if (i)
            er_jb_str(r, &b, self.u.s);
        er_jb_str(r, &b, l->v[i].u.s);
    }
    return er_jb_done(r, &b);
}

/* find 0, rfind 1, index 2, rindex 3, count 4 */
static struct er_jv str_find(struct er_jrun *r, struct er_jv self,
    const struct er_jargs *a, int which)
{
    const struct er_jstr *s = self.u.s, *part = text_arg(a, 0, NULL);
    size_t at = 0, found = SIZE_MAX, next;
    int64_t count = 0;
    if (!part)
        return need_text(r, "find");
    while (er_jv_step(r, 1) &&
           (next = er_jtext_find(s, part, at)) != SIZE_MAX) {
        count++;
        found = next;
        at = next + (part->n ? part->n : 1);
        if (which == 0 || which == 2)
            break;
    }
    if (which == 4)
        return er_jv_int(part->n ? count
                                 : (int64_t)er_ju_count(s->s, s->n) + 1);
    if (found == SIZE_MAX && which >= 2)
        return er_jv_fail(r, "index(): the text is not there");
    return er_jv_int(found == SIZE_MAX
            ? -1 : (int64_t)er_ju_count(s->s, found));
}

enum { DIGITS, LETTERS, BOTH, SPACES, UPPERS, LOWERS };

static bool of_class(char c, int which)
{
    bool digit = c >= '0' && c <= '9';
    bool letter = ((c | 32) >= 'a' && (c | 32) <= 'z') ||
                  (unsigned char)c >= 0x80;
    return which == DIGITS ? digit
        : which == LETTERS ? letter
        : which == BOTH    ? digit || letter
                           : c == ' ' || (c >= 9 && c <= 13);
}

static struct er_jv str_class(struct er_jrun *r, struct er_jv self,
    const struct er_jargs *a, int which)
{
    const struct er_jstr *s = self.u.s;
    bool cased = false;
    (void)r;
    (void)a;
    for (size_t i = 0; i < s->n; i++) {
        bool upper = s->s[i] >= 'A' && s->s[i] <= 'Z';
        bool lower = s->s[i] >= 'a' && s->s[i] <= 'z';
        cased = cased || upper || lower;
        if (which >= UPPERS ? (which == UPPERS ? lower : upper)
                            : !of_class(s->s[i], which))
            return er_jv_bool(false);
    }
    return er_jv_bool(which >= UPPERS ? cased : s->n > 0);
}

/* ljust 0, rjust 1, center 2, zfill 3 */
static struct er_jv str_pad(struct er_jrun *r, struct er_jv self,
    const struct er_jargs *a, int which)
{
    const struct er_jstr *s = self.u.s, *fill = text_arg(a, 1, NULL);
    int64_t width = int_arg(a, 0, NULL, 0);
    int64_t pad = width - (int64_t)er_ju_count(s->s, s->n);
    int64_t left = which == 0 ? 0 : which == 2 ? pad / 2 : pad;
    struct er_jbuild b = {0};
    size_t sign = which == 3 && s->n && strchr("+-", s->s[0]) ? 1 : 0;
    er_jb_part(r, &b, s, 0, sign);
    for (int64_t i = 0; i < pad && er_jv_step(r, 1); i++) {
        if (i == left)
            er_jb_part(r, &b, s, sign, s->n);
        if (fill)
            er_jb_str(r, &b, fill);
        else
            er_jb_text(r, &b, which == 3 ? "0" : " ");
    }
    if (pad <= left)
        er_jb_part(r, &b, s, sign, s->n);
    return er_jb_done(r, &b);
}

static struct er_jv str_partition(struct er_jrun *r, struct er_jv self,
    const struct er_jargs *a, int right)
{
    const struct er_jstr *s = self.u.s, *sep = text_arg(a, 0, NULL);
    struct er_jv out = er_jv_list(r, ER_J_TUPLE);
    size_t at, next;
    if (!sep || sep->n == 0)
        return need_text(r, "partition");
    at = next = er_jtext_find(s, sep, 0);
    while (right && next != SIZE_MAX) {
        at = next;
        next = er_jtext_find(s, sep, at + 1);
    }
    bool found = at != SIZE_MAX;
    size_t end = found ? at + sep->n : s->n;
    size_t first = found ? at : right ? 0 : s->n;
    if (!found && right)
        end = 0;
    er_jv_push(r, out, er_jv_part(r, s, 0, first));
    er_jv_push(r, out, er_jv_part(r, s, first, found ? end : first));
    er_jv_push(r, out, er_jv_part(r, s, end, s->n));
    return out;
}

/* --- lists and dicts */

static struct er_jv list_find(struct er_jrun *r, struct er_jv self,
    const struct er_jargs *a, int count)
{
    struct er_jv v = er_jargs_get(a, 0, NULL, er_jv_none());
    int64_t n = 0;
    for (size_t i = 0; i < self.u.l->n && er_jv_step(r, 1); i++) {
        if (!er_jv_equal(r, self.u.l->v[i], v))
            continue;
        if (!count)
            return er_jv_int((int64_t)i);
        n++;
    }
    return count ? er_jv_int(n)
                 : er_jv_fail(r, "index(): the value is not there");
}

static struct er_jv dict_get(struct er_jrun *r, struct er_jv self,
    const struct er_jargs *a, int which)
{
    const struct er_jv *v = er_jv_find(
        r, self.u.d, er_jargs_get(a, 0, NULL, er_jv_none()));
    (void)which;
    return v ? *v : er_jargs_get(a, 1, "default", er_jv_none());
}

enum { KEYS, VALUES, ITEMS, COPY };

static struct er_jv dict_list(struct er_jrun *r, struct er_jv self,
    const struct er_jargs *a, int which)
{
    struct er_jv out = er_jv_list(r, ER_J_LIST);
    (void)a;
    if (which == COPY)
        return self;
    for (size_t i = 0; i < self.u.d->n && er_jv_step(r, 1); i++) {
        const struct er_jpair *p = &self.u.d->p[i];
        struct er_jv v = which == KEYS ? p->key : p->value;
        if (which == ITEMS) {
            v = er_jv_list(r, ER_J_TUPLE);
            er_jv_push(r, v, p->key);
            er_jv_push(r, v, p->value);
        }
        er_jv_push(r, out, v);
    }
    return out;
}

static const struct method methods[] = {
    {"upper", ER_J_STR, str_case, ER_JC_UPPER},
    {"lower", ER_J_STR, str_case, ER_JC_LOWER},
    {"casefold", ER_J_STR, str_case, ER_JC_LOWER},
    {"title", ER_J_STR, str_case, ER_JC_TITLE},
    {"capitalize", ER_J_STR, str_case, ER_JC_CAPITALIZE},
    {"swapcase", ER_J_STR, str_case, ER_JC_SWAP},
    {"strip", ER_J_STR, str_strip, 3}, {"lstrip", ER_J_STR, str_strip, 1},
    {"rstrip", ER_J_STR, str_strip, 2},
    {"startswith", ER_J_STR, str_ends, 1},
    {"endswith", ER_J_STR, str_ends, 0},
    {"removeprefix", ER_J_STR, str_remove, 1},
    {"removesuffix", ER_J_STR, str_remove, 0},
    {"split", ER_J_STR, str_split, 0}, {"rsplit", ER_J_STR, str_split, 1},
    {"splitlines", ER_J_STR, str_lines, 0},
    {"replace", ER_J_STR, str_replace, 0},
    {"format", ER_J_STR, str_format, 0}, {"join", ER_J_STR, str_join, 0},
    {"find", ER_J_STR, str_find, 0}, {"rfind", ER_J_STR, str_find, 1},
    {"index", ER_J_STR, str_find, 2}, {"rindex", ER_J_STR, str_find, 3},
    {"count", ER_J_STR, str_find, 4},
    {"isdigit", ER_J_STR, str_class, DIGITS},
    {"isdecimal", ER_J_STR, str_class, DIGITS},
    {"isnumeric", ER_J_STR, str_class, DIGITS},
    {"isalpha", ER_J_STR, str_class, LETTERS},
    {"isalnum", ER_J_STR, str_class, BOTH},
    {"isspace", ER_J_STR, str_class, SPACES},
    {"isupper", ER_J_STR, str_class, UPPERS},
    {"islower", ER_J_STR, str_class, LOWERS},
    {"ljust", ER_J_STR, str_pad, 0}, {"rjust", ER_J_STR, str_pad, 1},
    {"center", ER_J_STR, str_pad, 2}, {"zfill", ER_J_STR, str_pad, 3},
    {"partition", ER_J_STR, str_partition, 0},
    {"rpartition", ER_J_STR, str_partition, 1},
    {"index", ER_J_LIST, list_find, 0}, {"count", ER_J_LIST, list_find, 1},
    {"index", ER_J_TUPLE, list_find, 0},
    {"count", ER_J_TUPLE, list_find, 1},
    {"get", ER_J_DICT, dict_get, 0}, {"keys", ER_J_DICT, dict_list, KEYS},
    {"values", ER_J_DICT, dict_list, VALUES},
    {"items", ER_J_DICT, dict_list, ITEMS},
    {"copy", ER_J_DICT, dict_list, COPY},
};

static const struct method *find(enum er_jkind kind, const char *name)
{
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (methods[i].kind == kind && strcmp(methods[i].name, name) == 0)
            return &methods[i];
    return NULL;
}

bool er_jinja_has_method(struct er_jv v, const char *name)
{
    return find(v.kind, name) != NULL;
}

struct er_jv er_jinja_method(struct er_jrun *r, struct er_jv self,
    const char *name, const struct er_jargs *a)
{
    const struct method *m = find(self.kind, name);
    return m ? m->run(r, self, a, m->which)
             : er_jv_fail(r, "there is no method '%.60s'", name);
}
