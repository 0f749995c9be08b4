/* unevaluatedItems and unevaluatedProperties.
 *
 * While such a rule waits at the end of a schema, the rules before it note
 * what they look at as ranges on one stack: indices of items, addresses of
 * keys. A schema that fails takes its notes back by shortening the stack.
 * The rule then sorts what was noted since its schema began, joins it, and
 * looks each property or item up in it.
 */
#include "tool/schema_check.h"

#include <stdlib.h>
#include <string.h>

#define UNUSED(x) (void)(x)

void er_mark_range(struct er_check *c, uintptr_t from, uintptr_t to)
{
    if (from >= to || !er_check_steps(c, 1))
        return;
    if (c->nmarks == c->marks_cap) {
        size_t cap = c->marks_cap ? c->marks_cap * 2 : 32;
        struct er_mark *more = realloc(c->marks, cap * sizeof *more);
        if (!more) {
            er_check_over(c, "out of memory while checking");
            return;
        }
        c->marks = more;
        c->marks_cap = cap;
    }
    c->marks[c->nmarks++] = (struct er_mark){from, to};
}

void er_mark_key(struct er_check *c, const char *key)
{
    er_mark_range(c, (uintptr_t)key, (uintptr_t)key + 1);
}

static int by_start(const void *a, const void *b)
{
    const struct er_mark *x = a, *y = b;
    return x->from < y->from ? -1 : x->from > y->from;
}

/* Sort the marks from base on and join those that touch. */
static void join(struct er_check *c, size_t base)
{
    struct er_mark *m = c->marks;
    size_t out = base;
    if (c->nmarks == base || !er_check_steps(c, (c->nmarks - base) / 2))
        return;
    qsort(m + base, c->nmarks - base, sizeof *m, by_start);
    for (size_t i = base + 1; i < c->nmarks; i++) {
        if (m[i].from > m[out].to)
            m[++out] = m[i];
        else if (m[i].to > m[out].to)
            m[out].to = m[i].to;
    }
    c->nmarks = out + 1;
}

static bool seen(const struct er_check *c, size_t base, uintptr_t what)
{
    size_t low = base, high = c->nmarks;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (c->marks[mid].to <= what)
            low = mid + 1;
        else
            high = mid;
    }
    return low < c->nmarks && c->marks[low].from <= what;
}

/* Nothing above needs to look any more: all of it counts as seen. */
static void mark_all(struct er_check *c, size_t base)
{
    c->nmarks = base;
    er_mark_range(c, 0, UINTPTR_MAX);
}

bool er_check_unev_items(struct er_check *c, const struct er_node *n,
    const struct er_rule *r, const json_t *v, const struct er_path *at,
    bool track)
{
    UNUSED(n), UNUSED(track);
    size_t base = c->base;
    bool ok = true;
    join(c, base);
    for (size_t i = 0; i < json_array_size(v); i++) {
        if (!er_check_steps(c, 1) || seen(c, base, i))
            continue;
        struct er_path below = {at, NULL, i};
        if (r->u.node->never)
            ok = er_say(c, at, "item %zu is one too many", i);
        else
            ok = er_eval(c, r->u.node, json_array_get(v, i), &below,
                     false) && ok;
        if (!ok && er_check_done(c))
            return false;
    }
    mark_all(c, base);
    return ok && !c->over;
}

static bool unknown(
    struct er_check *c, const struct er_path *at, const char *key, size_t len)
{
    if (!c->report)
        return false;
    struct er_buf b;
    er_words_init(&b);
    er_put_key(&b, key, len);
    er_say(c, at, "unknown property %s", er_buf_str(&b));
    er_buf_release(&b);
    return false;
}

bool er_check_unev_props(struct er_check *c, const struct er_node *n,
    const struct er_rule *r, const json_t *v, const struct er_path *at,
    bool track)
{
    UNUSED(n), UNUSED(track);
    size_t base = c->base;
    bool ok = true;
    join(c, base);
    void *it = json_object_iter((json_t *)v);
    for (; it; it = json_object_iter_next((json_t *)v, it)) {
        const char *key = json_object_iter_key(it);
        size_t len = json_object_iter_key_len(it);
        if (!er_check_steps(c, 1) || seen(c, base, (uintptr_t)key))
            continue;
        struct er_path below = {at, key, len};
        if (r->u.node->never)
            ok = unknown(c, at, key, len);
        else
            ok = er_eval(c, r->u.node, json_object_iter_value(it), &below,
                     false) && ok;
        if (!ok && er_check_done(c))
            return false;
    }
    mark_all(c, base);
    return ok && !c->over;
}
