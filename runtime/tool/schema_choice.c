/* anyOf and oneOf, and what to say when none of the choices fits.
 *
 * A list of every choice's complaints helps nobody. So the choices are tried
 * once more, each with a report of its own, and
 *   - if all ask for another type, the types are said in one sentence;
 *   - if all ask for another fixed value, the values are; the same if it is
 *     that of one property ("kind": "circle");
 *   - else the complaints of the nearest choice are: one of the right type
 *     before others, one whose fixed values match before others, then the
 *     one whose first trouble lies deepest.
 */
#include "tool/schema_check.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_TRIED = 64, MAX_KEPT = 8 };

struct choices {
    struct er_report best;
    unsigned want; /* types, all choices together */
    struct er_values values, tags;
    bool only_types, only_values, only_tags;
};

static bool nearer(const struct er_report *a, const struct er_report *b)
{
    if (a->wrong_type != b->wrong_type)
        return !a->wrong_type;
    if (a->wrong_value != b->wrong_value)
        return !a->wrong_value;
    if (!a->tag != !b->tag)
        return !a->tag;
    if (a->deepest != b->deepest)
        return a->deepest > b->deepest;
    return a->count < b->count;
}

/* Run one choice for its complaints; the best so far stays in k. */
static void try_choice(struct er_check *c, struct choices *k,
    const struct er_node *n, const json_t *v, const struct er_path *at)
{
    struct er_report r = {.errors = json_array(), .max = MAX_KEPT,
        .root = er_path_depth(at), .values = &k->values, .tags = &k->tags};
    c->report = &r;
    (void)er_eval(c, n, v, at, false);
    c->report = NULL;
    k->want |= r.want;
    k->only_tags = k->only_tags && !r.wrong_type && !r.wrong_value &&
                   r.tag && (!k->best.tag ||
                       (r.tag_len == k->best.tag_len &&
                           memcmp(r.tag, k->best.tag, r.tag_len) == 0));
    k->only_types = k->only_types && r.wrong_type && !r.wrong_value;
    k->only_values = k->only_values && (r.wrong_value || r.wrong_type);
    if (!k->best.errors || nearer(&r, &k->best)) {
        json_decref(k->best.errors);
        k->best = r;
    } else {
        json_decref(r.errors);
    }
}

static void say_together(struct er_check *c, const struct choices *k,
    const json_t *v, const struct er_path *at)
{
    struct er_buf b;
    er_words_init(&b);
    if (k->only_types) {
        er_buf_adds(&b, "expected ");
        er_put_types(&b, k->want);
        er_buf_adds(&b, ", found ");
        er_put_found(&b, v);
    } else if (k->only_tags) {
        struct er_path tag = {at, k->best.tag, k->best.tag_len};
        er_buf_adds(&b, "must be one of ");
        er_put_list(&b, &k->tags);
        er_buf_adds(&b, ", found ");
        er_put_value(&b, json_object_getn(v, tag.key, tag.n));
        er_say(c, &tag, "%s", er_buf_str(&b));
        er_buf_release(&b);
        return;
    } else {
        er_buf_adds(&b, "must be one of ");
        er_put_list(&b, &k->values);
        if (k->want) {
            er_buf_adds(&b, ", or ");
            er_put_types(&b, k->want);
        }
        er_buf_adds(&b, ", found ");
        er_put_value(&b, v);
    }
    er_say(c, at, "%s", er_buf_str(&b));
    er_buf_release(&b);
}

/* The best choice's errors become those of the report above. */
static void pass_on(struct er_check *c, struct choices *k, size_t many)
{
    struct er_report *to = c->report;
    for (size_t i = 0; i < json_array_size(k->best.errors); i++) {
        json_t *error = json_array_get(k->best.errors, i);
        const char *text = er_json_str(error, "message");
        struct er_buf b;
        er_words_init(&b);
        if (i == 0 && many > 1 && text) {
            er_buf_addf(&b, "%s (closest of %zu choices)", text, many);
            json_object_set_new(
                error, "message", json_string(er_buf_str(&b)));
        }
        er_buf_release(&b);
        if (to->count++ < to->max)
            (void)json_array_append(to->errors, error);
    }
    size_t deepest = k->best.root - to->root + k->best.deepest;
    if (deepest > to->deepest)
        to->deepest = deepest;
}

static void explain(struct er_check *c, const struct er_rule *r,
    const json_t *v, const struct er_path *at)
{
    struct er_report *outer = c->report;
    struct choices k = {
        .only_types = true, .only_values = true, .only_tags = true};
    size_t many = r->u.nodes.n;
    for (size_t i = 0; i < many && i < MAX_TRIED && !c->over; i++)
        try_choice(c, &k, r->u.nodes.at[i], v, at);
    c->report = outer;
    bool here = er_path_depth(at) == outer->root;
    if (many > MAX_TRIED)
        k.only_types = k.only_values = k.only_tags = false;
    if (here && k.best.wrong_type)
        outer->want |= k.want;
    outer->wrong_type |= here && k.best.wrong_type;
    outer->wrong_value |= here && k.best.wrong_value;
    if (k.only_types || k.only_values || k.only_tags)
        say_together(c, &k, v, at);
    else
        pass_on(c, &k, many);
    if (here && outer->values && k.only_values)
        for (size_t i = 0; i < k.values.n; i++)
            er_values_add(outer->values, k.values.at[i], false);
    json_decref(k.best.errors);
    free(k.values.at);
    free(k.tags.at);
}

bool er_check_any(struct er_check *c, const struct er_node *n,
    const struct er_rule *r, const json_t *v, const struct er_path *at,
    bool track)
{
    (void)n;
    bool any = false;
    for (size_t i = 0; i < r->u.nodes.n && !(any && !track); i++)
        any = er_eval_quiet(c, r->u.nodes.at[i], v, at, track) || any;
    if (c->over)
        return false;
    if (!any && c->report)
        explain(c, r, v, at);
    return any;
}

bool er_check_one(struct er_check *c, const struct er_node *n,
    const struct er_rule *r, const json_t *v, const struct er_path *at,
    bool track)
{
    (void)n;
    size_t found = 0, which[2] = {0};
    for (size_t i = 0; i < r->u.nodes.n && found < 2; i++)
        if (er_eval_quiet(c, r->u.nodes.at[i], v, at, track))
            which[found++] = i;
    if (c->over)
        return false;
    if (found == 2)
        return er_say(c, at,
            "fits choice %zu and choice %zu of oneOf, and may fit only one",
            which[0] + 1, which[1] + 1);
    if (found == 0 && c->report)
        explain(c, r, v, at);
    return found == 1;
}
