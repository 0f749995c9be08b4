/* Rules about a value itself. */
#include "tool/schema_check.h"

#include <stdlib.h>
#include <string.h>

#define UNUSED(x) (void)(x)

bool er_check_type(struct er_check *c, const struct er_node *n,
    const struct er_rule *r, const json_t *v, const struct er_path *at,
    bool track)
{
    UNUSED(n), UNUSED(track);
    if (er_type_of(v) & r->u.types)
        return true;
    struct er_report *report = c->report;
    if (!report)
        return false;
    if (er_path_depth(at) == report->root) {
        report->wrong_type = true;
        report->want |= r->u.types;
    }
    struct er_buf b;
    er_words_init(&b);
    er_buf_adds(&b, "expected ");
    er_put_types(&b, r->u.types);
    er_buf_adds(&b, ", found ");
    er_put_found(&b, v);
    er_say(c, at, "%s", er_buf_str(&b));
    er_buf_release(&b);
    return false;
}

/* Note that another value would have been right here. */
static void note_value(struct er_report *report, const struct er_path *at,
    const json_t *value, bool list)
{
    size_t depth = er_path_depth(at);
    struct er_values *to = report->values;
    if (depth == report->root) {
        report->wrong_value = true;
    } else {
        if (depth != report->root + 1 || !at->key || report->tag)
            return;
        report->tag = at->key;
        report->tag_len = at->n;
        to = report->tags;
    }
    if (to)
        er_values_add(to, value, list);
}

bool er_check_const(struct er_check *c, const struct er_node *n,
    const struct er_rule *r, const json_t *v, const struct er_path *at,
    bool track)
{
    UNUSED(n), UNUSED(track);
    if (er_value_same(r->value, v, &c->steps))
        return true;
    if (!er_check_steps(c, 1) || !c->report)
        return false;
    note_value(c->report, at, r->value, false);
    struct er_buf b;
    er_words_init(&b);
    er_buf_adds(&b, "must be ");
    er_put_value(&b, r->value);
    er_buf_adds(&b, ", found ");
    er_put_value(&b, v);
    er_say(c, at, "%s", er_buf_str(&b));
    er_buf_release(&b);
    return false;
}

bool er_check_enum(struct er_check *c, const struct er_node *n,
    const struct er_rule *r, const json_t *v, const struct er_path *at,
    bool track)
{
    UNUSED(n), UNUSED(track);
    size_t many = json_array_size(r->value);
    for (size_t i = 0; i < many; i++)
        if (er_value_same(json_array_get(r->value, i), v, &c->steps))
            return true;
    if (!er_check_steps(c, 1) || !c->report)
        return false;
    note_value(c->report, at, r->value, true);
    struct er_values all = {0};
    er_values_add(&all, r->value, true);
    struct er_buf b;
    er_words_init(&b);
    er_buf_adds(&b, many == 1 ? "must be " : "must be one of ");
    er_put_list(&b, &all);
    er_buf_adds(&b, ", found ");
    er_put_value(&b, v);
    er_say(c, at, "%s", er_buf_str(&b));
    er_buf_release(&b);
    free(all.at);
    return false;
}

bool er_check_limit(struct er_check *c, const struct er_node *n,
    const struct er_rule *r, const json_t *v, const struct er_path *at,
    bool track)
{
    UNUSED(n), UNUSED(track);
    static const char *const words[] = {
        "less than the minimum ", "greater than the maximum ",
        "not greater than ", "not less than "};
    int cmp = er_number_cmp(v, r->value);
    bool ok = r->kind == ER_RULE_MINIMUM   ? cmp >= 0
              : r->kind == ER_RULE_MAXIMUM ? cmp <= 0
              : r->kind == ER_RULE_ABOVE   ? cmp > 0
                                           : cmp < 0;
    if (ok || !c->report)
        return ok;
    struct er_buf b;
    er_words_init(&b);
    er_put_value(&b, v);
    er_buf_addf(&b, " is %s", words[r->kind - ER_RULE_MINIMUM]);
    er_put_value(&b, r->value);
    er_say(c, at, "%s", er_buf_str(&b));
    er_buf_release(&b);
    return false;
}

bool er_check_multiple(struct er_check *c, const struct er_node *n,
    const struct er_rule *r, const json_t *v, const struct er_path *at,
    bool track)
{
    UNUSED(n), UNUSED(track);
    bool ok;
    if (json_is_integer(v) && json_is_integer(r->value))
        ok = json_integer_value(v) % json_integer_value(r->value) == 0;
    else
        ok = er_check_steps(c, 16) &&
             er_decimal_divides(er_decimal_of(v), r->u.divisor);
    if (ok || !c->report)
        return ok;
    struct er_buf b;
    er_words_init(&b);
    er_put_value(&b, v);
    er_buf_adds(&b, " is not a multiple of ");
    er_put_value(&b, r->value);
    er_say(c, at, "%s", er_buf_str(&b));
    er_buf_release(&b);
    return false;
}

/* Code points of valid UTF-8. */
static size_t characters(const char *s, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++)
        n += ((unsigned char)s[i] & 0xC0) != 0x80;
    return n;
}

static const char *plural(size_t n) { return n == 1 ? "" : "s"; }

bool er_check_length(struct er_check *c, const struct er_node *n,
    const struct er_rule *r, const json_t *v, const struct er_path *at,
    bool track)
{
    UNUSED(n), UNUSED(track);
    size_t bytes = json_string_length(v), want = r->u.count;
    bool least = r->kind == ER_RULE_MIN_LENGTH;
    if (!least && bytes <= want) /* no need to count */
        return true;
    if (!er_check_steps(c, bytes / 256))
        return false;
    size_t len = characters(json_string_value(v), bytes);
    if (least ? len >= want : len <= want)
        return true;
    return er_say(c, at, "must have at %s %zu character%s, has %zu",
        least ? "least" : "most", want, plural(want), len);
}

bool er_check_count(struct er_check *c, const struct er_node *n,
    const struct er_rule *r, const json_t *v, const struct er_path *at,
    bool track)
{
    UNUSED(n), UNUSED(track);
    bool items = json_is_array(v), least = r->kind == ER_RULE_MIN_ITEMS ||
                                           r->kind == ER_RULE_MIN_PROPS;
    size_t has = items ? json_array_size(v) : json_object_size(v);
    size_t want = r->u.count;
    if (least ? has >= want : has <= want)
        return true;
    const char *what = items ? want == 1 ? "item" : "items"
                       : want == 1 ? "property"
                                   : "properties";
    return er_say(c, at, "must have at %s %zu %s, has %zu",
        least ? "least" : "most", want, what, has);
}

bool er_check_pattern(struct er_check *c, const struct er_node *n,
    const struct er_rule *r, const json_t *v, const struct er_path *at,
    bool track)
{
    UNUSED(n), UNUSED(track);
    if (er_check_match(
            c, r->u.regex, json_string_value(v), json_string_length(v)))
        return true;
    if (c->over || !c->report)
        return false;
    struct er_buf b;
    er_words_init(&b);
    er_put_value(&b, v);
    er_buf_adds(&b, " does not match the pattern ");
    er_put_value(&b, r->value);
    er_say(c, at, "%s", er_buf_str(&b));
    er_buf_release(&b);
    return false;
}

bool er_check_format(struct er_check *c, const struct er_node *n,
    const struct er_rule *r, const json_t *v, const struct er_path *at,
    bool track)
{
    UNUSED(n), UNUSED(track);
    size_t len = json_string_length(v);
    if (!er_check_steps(c, 1 + len / 64))
        return false;
    if (r->u.format(json_string_value(v), len, c->schema->idna))
        return true;
    if (!c->report)
        return false;
    struct er_buf b;
    er_words_init(&b);
    er_put_value(&b, v);
    er_buf_addf(&b, " is no valid %.40s", json_string_value(r->value));
    er_say(c, at, "%s", er_buf_str(&b));
    er_buf_release(&b);
    return false;
}

/* --- uniqueItems: pairs while there are few, hashes when there are many */

enum { FEW_ITEMS = 12 };

static bool twins(struct er_check *c, const json_t *v, size_t i, size_t j,
    const struct er_path *at)
{
    if (!er_value_same(
            json_array_get(v, i), json_array_get(v, j), &c->steps))
        return false;
    er_say(c, at, "items %zu and %zu are equal, and all must differ",
        i < j ? i : j, i < j ? j : i);
    return true;
}

static bool unique_few(
    struct er_check *c, const json_t *v, const struct er_path *at)
{
    for (size_t i = 1; i < json_array_size(v); i++)
        for (size_t j = 0; j < i; j++)
            if (twins(c, v, j, i, at))
                return false;
    return er_check_steps(c, 1);
}

struct hashed {
    uint64_t hash;
    size_t index;
};

static int by_hash(const void *a, const void *b)
{
    const struct hashed *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static bool unique_many(
    struct er_check *c, const json_t *v, const struct er_path *at)
{
    size_t n = json_array_size(v);
    struct hashed *all = calloc(n, sizeof *all);
    if (!all)
        return er_check_over(c, "out of memory while checking");
    for (size_t i = 0; i < n; i++)
        all[i] = (struct hashed){
            er_value_hash(json_array_get(v, i), &c->steps), i};
    bool ok = er_check_steps(c, 1);
    if (ok)
        qsort(all, n, sizeof *all, by_hash);
    for (size_t i = 1; i < n && ok; i++)
        for (size_t j = i; j > 0 && ok && all[j - 1].hash == all[i].hash; j--)
            ok = !twins(c, v, all[j - 1].index, all[i].index, at) &&
                 er_check_steps(c, 1);
    free(all);
    return ok;
}

bool er_check_unique(struct er_check *c, const struct er_node *n,
    const struct er_rule *r, const json_t *v, const struct er_path *at,
    bool track)
{
    UNUSED(n), UNUSED(r), UNUSED(track);
    return json_array_size(v) <= FEW_ITEMS ? unique_few(c, v, at)
                                           : unique_many(c, v, at);
}
