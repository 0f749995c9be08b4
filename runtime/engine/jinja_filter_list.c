/* Filters over lists. What is undefined counts as an empty list. */
#include "engine/jinja_node.h"

#include <string.h>

typedef struct er_jv list_fn(
    struct er_jrun *r, struct er_jv v, const struct er_jargs *a);

static struct er_jv new_list(struct er_jrun *r)
{
    return er_jv_list(r, ER_J_LIST);
}

static bool has(const struct er_jargs *a, size_t i, const char *name)
{
    struct er_jv none = er_jv_undefined(NULL);
    return er_jargs_get(a, i, name, none).kind != ER_J_UNDEFINED;
}

static bool flag(const struct er_jargs *a, size_t i, const char *name)
{
    return er_jv_truth(er_jargs_get(a, i, name, er_jv_bool(false)));
}

/* "a.b" or a number: an attribute as filters name it. */
static struct er_jv by_attribute(
    struct er_jrun *r, struct er_jv v, struct er_jv name)
{
    if (name.kind != ER_J_STR)
        return er_jrun_item(r, v, name);
    struct er_jv dot = er_jv_text(r, ".");
    struct er_jv parts = r->failed
        ? dot : er_jtext_split(r, name.u.s, dot.u.s, -1, false);
    for (size_t i = 0; !r->failed && i < parts.u.l->n; i++) {
        struct er_jv part = parts.u.l->v[i];
        const struct er_jstr *s = part.u.s;
        int64_t index = 0;
        size_t k = 0;
        for (; k < s->n && k < 9 && s->s[k] >= '0' && s->s[k] <= '9'; k++)
            index = index * 10 + (s->s[k] - '0');
        v = er_jrun_item(
            r, v, k && k == s->n ? er_jv_int(index) : part);
    }
    return v;
}

static struct er_jv key_of(struct er_jrun *r, struct er_jv v,
    struct er_jv attribute, bool cased)
{
    if (attribute.kind != ER_J_NONE)
        v = by_attribute(r, v, attribute);
    if (!cased && v.kind == ER_J_STR && !r->failed)
        v = er_jtext_case(r, v.u.s, ER_JC_LOWER);
    return v;
}

/* --- order */

struct sorting {
    struct er_jv *key, *value;
    size_t n;
};

static bool keys_of(struct er_jrun *r, const struct er_jlist *l,
    struct er_jv attribute, bool cased, struct sorting *s)
{
    s->n = l->n;
    s->key = er_jv_alloc(r, l->n * 2 + 1, sizeof *s->key);
    s->value = er_jv_alloc(r, l->n * 2 + 1, sizeof *s->value);
    for (size_t i = 0; i < l->n && !r->failed; i++) {
        s->value[i] = l->v[i];
        s->key[i] = key_of(r, l->v[i], attribute, cased);
    }
    return !r->failed;
}

/* Merge sort: stable, and the steps are counted. */
static void merge_sort(struct er_jrun *r, struct sorting *s, bool reverse)
{
    for (size_t width = 1; width < s->n && !r->failed; width *= 2) {
        struct er_jv *key = s->key + s->n, *value = s->value + s->n;
        for (size_t at = 0; at < s->n; at += width * 2) {
            size_t i = at, mid = at + width < s->n ? at + width : s->n;
            size_t j = mid;
            size_t end = mid + width < s->n ? mid + width : s->n;
            for (size_t k = at; k < end; k++) {
                bool left = i < mid;
                if (left && j < end && er_jv_step(r, 1)) {
                    int c = er_jv_compare(r, s->key[i], s->key[j]);
                    left = reverse ? c >= 0 : c <= 0;
                }
                size_t from = left ? i++ : j++;
                key[k] = s->key[from];
                value[k] = s->value[from];
            }
        }
        memcpy(s->key, key, s->n * sizeof *key);
        memcpy(s->value, value, s->n * sizeof *value);
    }
}

static struct er_jv sort(
    struct er_jrun *r, struct er_jv v, const struct er_jargs *a)
{
    const struct er_jlist *l = er_jv_items(r, v);
    struct er_jv out = new_list(r);
    struct sorting s = {0};
    struct er_jv by = er_jargs_get(a, 2, "attribute", er_jv_none());
    if (!l || !keys_of(r, l, by, flag(a, 1, "case_sensitive"), &s))
        return out;
    merge_sort(r, &s, flag(a, 0, "reverse"));
    for (size_t i = 0; i < s.n; i++)
        er_jv_push(r, out, s.value[i]);
    return out;
}

static struct er_jv pairs(
    struct er_jrun *r, struct er_jv v, const struct er_jargs *a)
{
    struct er_jargs none = {0};
    (void)a;
    if (v.kind == ER_J_UNDEFINED)
        return new_list(r);
    if (v.kind != ER_J_DICT)
        return er_jv_fail(r, "items: a '%s' is no dict", er_jv_type(v));
    return er_jinja_method(r, v, "items", &none);
}

static struct er_jv dictsort(
    struct er_jrun *r, struct er_jv v, const struct er_jargs *a)
{
    struct er_jv by = er_jargs_get(a, 1, "by", er_jv_none());
    struct er_jv at = er_jv_int(er_jv_is(by, "value") ? 1 : 0);
    struct er_jv items = pairs(r, v, a), out = new_list(r);
    struct sorting s = {0};
    if (r->failed ||
        !keys_of(r, items.u.l, at, flag(a, 0, "case_sensitive"), &s))
        return out;
    merge_sort(r, &s, flag(a, 2, "reverse"));
    for (size_t i = 0; i < s.n; i++)
        er_jv_push(r, out, s.value[i]);
    return out;
}

static struct er_jv extreme(struct er_jrun *r, struct er_jv v,
    const struct er_jargs *a, int sign)
{
    const struct er_jlist *l = er_jv_items(r, v);
    struct er_jv by = er_jargs_get(a, 1, "attribute", er_jv_none());
    bool cased = flag(a, 0, "case_sensitive");
    struct er_jv best = er_jv_undefined("the item"), best_key = best;
    for (size_t i = 0; l && i < l->n && er_jv_step(r, 1); i++) {
        struct er_jv key = key_of(r, l->v[i], by, cased);
        if (i == 0 || er_jv_compare(r, key, best_key) * sign > 0) {
            best = l->v[i];
            best_key = key;
        }
    }
    return best;
}

static struct er_jv max(
    struct er_jrun *r, struct er_jv v, const struct er_jargs *a)
{
    return extreme(r, v, a, 1);
}

static struct er_jv min(
    struct er_jrun *r, struct er_jv v, const struct er_jargs *a)
{
    return extreme(r, v, a, -1);
}

static struct er_jv unique(
    struct er_jrun *r, struct er_jv v, const struct er_jargs *a)
{
    const struct er_jlist *l = er_jv_items(r, v);
    struct er_jv by = er_jargs_get(a, 1, "attribute", er_jv_none());
    struct er_jv out = new_list(r), seen = er_jv_dict(r, ER_J_DICT);
    for (size_t i = 0; l && i < l->n && er_jv_step(r, 1); i++) {
        struct er_jv key =
            key_of(r, l->v[i], by, flag(a, 0, "case_sensitive"));
        if (r->failed || er_jv_find(r, seen.u.d, key))
            continue;
        er_jv_put(r, seen, key, er_jv_none());
        er_jv_push(r, out, l->v[i]);
    }
    return out;
}

static struct er_jv groupby(
    struct er_jrun *r, struct er_jv v, const struct er_jargs *a)
{
    struct er_jv by = er_jargs_get(a, 0, "attribute", er_jv_none());
    struct er_jargs none = {0};
    const struct er_jlist *l = er_jv_items(r, v);
    struct er_jv groups = er_jv_dict(r, ER_J_DICT);
    for (size_t i = 0; l && i < l->n && er_jv_step(r, 1); i++) {
        struct er_jv key = by_attribute(r, l->v[i], by);
        const struct er_jv *group =
            r->failed ? NULL : er_jv_find(r, groups.u.d, key);
        struct er_jv list = group ? *group : new_list(r);
        if (!group)
            er_jv_put(r, groups, key, list);
        er_jv_push(r, list, l->v[i]);
    }
    return r->failed ? groups : dictsort(r, groups, &none);
}

/* --- picking */

static struct er_jv count(
    struct er_jrun *r, struct er_jv v, const struct er_jargs *a)
{
    (void)a;
    if (v.kind == ER_J_STR)
        return er_jv_int((int64_t)er_ju_count(v.u.s->s, v.u.s->n));
    if (v.kind == ER_J_DICT)
        return er_jv_int((int64_t)v.u.d->n);
    const struct er_jlist *l = er_jv_items(r, v);
    return er_jv_int(l ? (int64_t)l->n : 0);
}

static struct er_jv first(
    struct er_jrun *r, struct er_jv v, const struct er_jargs *a)
{
    const struct er_jlist *l = er_jv_items(r, v);
    (void)a;
    return l && l->n ? l->v[0] : er_jv_undefined("the first item");
}

static struct er_jv last(
    struct er_jrun *r, struct er_jv v, const struct er_jargs *a)
{
    const struct er_jlist *l = er_jv_items(r, v);
    (void)a;
    return l && l->n ? l->v[l->n - 1] : er_jv_undefined("the last item");
}

static struct er_jv list(
    struct er_jrun *r, struct er_jv v, const struct er_jargs *a)
{
    const struct er_jlist *l = er_jv_items(r, v);
    struct er_jv out = new_list(r);
    (void)a;
    for (size_t i = 0; l && i < l->n && er_jv_step(r, 1); i++)
        er_jv_push(r, out, l->v[i]);
    return out;
}

static struct er_jv reverse(
    struct er_jrun *r, struct er_jv v, const struct er_jargs *a)
{
    const struct er_jlist *l = er_jv_items(r, v);
    struct er_jv out = new_list(r);
    struct er_jbuild b = {0};
    (void)a;
    for (size_t i = l ? l->n : 0; i-- > 0 && er_jv_step(r, 1);) {
        if (v.kind == ER_J_STR)
            er_jb_str(r, &b, l->v[i].u.s);
        else
            er_jv_push(r, out, l->v[i]);
    }
    return v.kind == ER_J_STR ? er_jb_done(r, &b) : out;
}

static struct er_jv join(
    struct er_jrun *r, struct er_jv v, const struct er_jargs *a)
{
    const struct er_jlist *l = er_jv_items(r, v);
    struct er_jv sep = er_jargs_get(a, 0, "d", er_jv_text(r, ""));
    struct er_jv by = er_jargs_get(a, 1, "attribute", er_jv_none());
    struct er_jbuild b = {0};
    for (size_t i = 0; l && i < l->n && er_jv_step(r, 1); i++) {
        if (i)
            er_jb_show(r, &b, sep);
        er_jb_show(r, &b, by.kind == ER_J_NONE
                ? l->v[i] : by_attribute(r, l->v[i], by));
    }
    return er_jb_done(r, &b);
}

static struct er_jv sum(
    struct er_jrun *r, struct er_jv v, const struct er_jargs *a)
{
    const struct er_jlist *l = er_jv_items(r, v);
    struct er_jv by = er_jargs_get(a, 0, "attribute", er_jv_none());
    struct er_jv out = er_jargs_get(a, 1, "start", er_jv_int(0));
    for (size_t i = 0; l && i < l->n && er_jv_step(r, 1); i++)
        out = er_jrun_binary(r, ER_JO_ADD, out,
            by.kind == ER_J_NONE ? l->v[i]
                                 : by_attribute(r, l->v[i], by));
    return out;
}

static struct er_jv batch(
    struct er_jrun *r, struct er_jv v, const struct er_jargs *a)
{
    const struct er_jlist *l = er_jv_items(r, v);
    struct er_jv size = er_jargs_get(a, 0, "linecount", er_jv_int(0));
    struct er_jv out = new_list(r), row = out;
    if (size.kind != ER_J_INT || size.u.i < 1)
        return er_jv_fail(r, "batch: needs a size of at least 1");
    for (size_t i = 0; l && i < l->n && er_jv_step(r, 1); i++) {
        if (i % (uint64_t)size.u.i == 0) {
            row = new_list(r);
            er_jv_push(r, out, row);
        }
        er_jv_push(r, row, l->v[i]);
    }
    bool fill = has(a, 1, "fill_with");
    while (!r->failed && fill && row.u.l != out.u.l &&
           row.u.l->n < (uint64_t)size.u.i && er_jv_step(r, 1))
        er_jv_push(r, row,
            er_jargs_get(a, 1, "fill_with", er_jv_none()));
    return out;
}

/* A name that an argument gives, NUL-terminated; NULL after a failure. */
static char *name_arg(
    struct er_jrun *r, const struct er_jargs *a, size_t i, const char *what)
{
    struct er_jv v = er_jargs_get(a, i, NULL, er_jv_none());
    if (v.kind != ER_J_STR) {
        er_jv_fail(r, "%s: needs a name", what);
        return NULL;
    }
    char *name = er_jv_alloc(r, v.u.s->n + 1, 1);
    if (name)
        memcpy(name, v.u.s->s, v.u.s->n);
    return name;
}

/* map and select see nothing in what is false: None too. */
static const struct er_jlist *items_if_any(struct er_jrun *r, struct er_jv v)
{
    return er_jv_items(r, er_jv_truth(v) ? v : er_jv_undefined(NULL));
}

/* The arguments behind the first skip ones. */
static struct er_jargs behind(const struct er_jargs *a, size_t skip)
{
    return (struct er_jargs){.v = a->n > skip ? a->v + skip : NULL,
        .n = a->n > skip ? a->n - skip : 0, .named = a->named};
}

static struct er_jv map(
    struct er_jrun *r, struct er_jv v, const struct er_jargs *a)
{
    const struct er_jlist *l = items_if_any(r, v);
    struct er_jv out = new_list(r);
    struct er_jv by = er_jargs_get(a, 99, "attribute", er_jv_none());
    struct er_jv other = er_jargs_get(a, 99, "default", er_jv_none());
    struct er_jargs rest = behind(a, 1);
    bool attribute = by.kind != ER_J_NONE;
    char *name = attribute ? NULL : name_arg(r, a, 0, "map");
    if (name && !er_jinja_has_filter(name))
        return er_jv_fail(r, "there is no filter named '%.60s'", name);
    for (size_t i = 0; l && i < l->n && er_jv_step(r, 1); i++) {
        struct er_jv item = attribute
            ? by_attribute(r, l->v[i], by)
            : er_jinja_filter(r, name, l->v[i], &rest);
        if (attribute && item.kind == ER_J_UNDEFINED &&
            has(a, 99, "default"))
            item = other;
        er_jv_push(r, out, item);
    }
    return out;
}

static struct er_jv chosen(struct er_jrun *r, struct er_jv v,
    const struct er_jargs *a, bool want, bool attribute)
{
    const struct er_jlist *l = items_if_any(r, v);
    struct er_jv out = new_list(r);
    size_t skip = attribute;
    struct er_jv by = er_jargs_get(a, 0, NULL, er_jv_none());
    char *name = a->n > skip ? name_arg(r, a, skip, "select") : NULL;
    struct er_jargs rest = behind(a, skip + 1);
    if (name && !er_jinja_has_test(name) && strcmp(name, "==") != 0)
        return er_jv_fail(r, "there is no test named '%.60s'", name);
    for (size_t i = 0; l && i < l->n && er_jv_step(r, 1); i++) {
        struct er_jv item =
            attribute ? by_attribute(r, l->v[i], by) : l->v[i];
        if (r->failed)
            break;
        bool yes = !name ? er_jv_truth(item)
            : er_jinja_test(
                  r, strcmp(name, "==") == 0 ? "eq" : name, item, &rest);
        if (yes == want)
            er_jv_push(r, out, l->v[i]);
    }
    return out;
}

static struct er_jv reject(
    struct er_jrun *r, struct er_jv v, const struct er_jargs *a)
{
    return chosen(r, v, a, false, false);
}

static struct er_jv rejectattr(
    struct er_jrun *r, struct er_jv v, const struct er_jargs *a)
{
    return chosen(r, v, a, false, true);
}

static struct er_jv choose(
    struct er_jrun *r, struct er_jv v, const struct er_jargs *a)
{
    return chosen(r, v, a, true, false);
}

static struct er_jv selectattr(
    struct er_jrun *r, struct er_jv v, const struct er_jargs *a)
{
    return chosen(r, v, a, true, true);
}

struct er_jv er_jlist_filter(struct er_jrun *r, int which, struct er_jv v,
    const struct er_jargs *a)
{
    static list_fn *const table[] = {batch, count, dictsort, first, groupby,
        pairs, join, last, list, map, max, min, reject, rejectattr, reverse,
        choose, selectattr, sort, sum, unique};
    return table[which](r, v, a);
}
