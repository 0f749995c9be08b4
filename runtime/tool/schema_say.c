/* Words for what is wrong, for a model and for a person.
 *
 * Values are shown cut to about sixty characters: enough to recognise them,
 * never enough to fill a context window.
 */
#include "tool/schema_check.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 60, MAX_WORDS = 8192, MAX_PATH = 1 << 20, LIST_SHOWN = 300 };

void er_words_init(struct er_buf *b) { er_buf_init(b, MAX_WORDS); }

const char *er_type_name(unsigned type)
{
    switch (type) {
    case ER_T_NULL: return "null";
    case ER_T_BOOL: return "boolean";
    case ER_T_INT: return "integer";
    case ER_T_STRING: return "string";
    case ER_T_ARRAY: return "array";
    case ER_T_OBJECT: return "object";
    default: return "number";
    }
}

void er_put_types(struct er_buf *b, unsigned types)
{
    static const unsigned order[] = {ER_T_STRING, ER_T_NUMBER, ER_T_INT,
        ER_T_BOOL, ER_T_ARRAY, ER_T_OBJECT, ER_T_NULL};
    bool any = false;
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        if ((types & order[i]) != order[i])
            continue;
        types &= ~order[i];
        er_buf_adds(b, !any ? "" : types ? ", " : " or ");
        er_buf_adds(b, er_type_name(order[i]));
        any = true;
    }
}

static void put_string(struct er_buf *b, const char *s, size_t len)
{
    size_t shown = er_utf8_cut(s, len, SHOWN);
    er_json_add_string(b, s, shown);
    if (shown < len && b->len > 0 && !b->failed) {
        b->len--; /* the quote */
        er_buf_adds(b, "...\"");
    }
}

void er_put_key(struct er_buf *b, const char *key, size_t len)
{
    put_string(b, key, len);
}

/* JSON until b is SHOWN bytes long or more. */
static void preview(struct er_buf *b, const json_t *v)
{
    if (b->len >= SHOWN)
        return;
    if (json_is_string(v)) {
        put_string(b, json_string_value(v), json_string_length(v));
    } else if (json_is_array(v)) {
        er_buf_addc(b, '[');
        for (size_t i = 0; i < json_array_size(v) && b->len < SHOWN; i++) {
            er_buf_adds(b, i ? "," : "");
            preview(b, json_array_get(v, i));
        }
        er_buf_addc(b, ']');
    } else if (json_is_object(v)) {
        const char *sep = "";
        er_buf_addc(b, '{');
        void *it = json_object_iter((json_t *)v);
        for (; it && b->len < SHOWN;
             it = json_object_iter_next((json_t *)v, it), sep = ",") {
            er_buf_adds(b, sep);
            put_string(b, json_object_iter_key(it),
                json_object_iter_key_len(it));
            er_buf_addc(b, ':');
            preview(b, json_object_iter_value(it));
        }
        er_buf_addc(b, '}');
    } else {
        er_json_add(b, v);
    }
}

void er_put_value(struct er_buf *b, const json_t *v)
{
    struct er_buf text;
    er_words_init(&text);
    if (json_is_string(v)) {
        put_string(b, json_string_value(v), json_string_length(v));
        return;
    }
    preview(&text, v);
    if (text.len > SHOWN) {
        er_buf_add(b, er_buf_str(&text),
            er_utf8_cut(text.data, text.len, SHOWN));
        er_buf_adds(b, "...");
    } else {
        er_buf_add(b, er_buf_str(&text), text.len);
    }
    er_buf_release(&text);
}

void er_values_add(struct er_values *to, const json_t *value, bool list)
{
    size_t n = list ? json_array_size(value) : 1;
    if (n > to->cap - to->n) {
        size_t cap = (to->n + n) * 2;
        const json_t **more = realloc(to->at, cap * sizeof *more);
        if (!more)
            return;
        to->at = more;
        to->cap = cap;
    }
    for (size_t i = 0; i < n; i++)
        to->at[to->n++] = list ? json_array_get(value, i) : value;
}

void er_put_list(struct er_buf *b, const struct er_values *values)
{
    size_t n = values->n, stop = b->len + LIST_SHOWN;
    if (n == 0)
        er_buf_adds(b, "nothing");
    for (size_t i = 0; i < n; i++) {
        er_buf_adds(b, i ? ", " : "");
        if (b->len >= stop) {
            er_buf_addf(b, "... (%zu in all)", n);
            break;
        }
        er_put_value(b, values->at[i]);
    }
}

void er_put_found(struct er_buf *b, const json_t *v)
{
    er_buf_adds(b, er_type_name(er_type_of(v)));
    if (json_is_null(v))
        return;
    er_buf_addc(b, ' ');
    er_put_value(b, v);
}

size_t er_path_depth(const struct er_path *at)
{
    size_t depth = 0;
    for (; at; at = at->up)
        depth++;
    return depth;
}

static void put_path(struct er_buf *b, const struct er_path *at)
{
    if (!at)
        return;
    put_path(b, at->up);
    er_buf_addc(b, '/');
    if (!at->key) {
        er_buf_addf(b, "%zu", at->n);
        return;
    }
    for (size_t i = 0; i < at->n; i++) {
        char c = at->key[i];
        if (c == '~' || c == '/')
            er_buf_adds(b, c == '~' ? "~0" : "~1");
        else
            er_buf_addc(b, c);
    }
}

static void keep(struct er_report *report, const struct er_path *at,
    const char *message)
{
    struct er_buf path;
    er_buf_init(&path, MAX_PATH);
    put_path(&path, at);
    json_t *error = json_object();
    json_object_set_new(error, "path", json_string(er_buf_str(&path)));
    json_object_set_new(error, "message", json_string(message));
    if (json_object_size(error) == 2)
        (void)json_array_append_new(report->errors, error);
    else
        json_decref(error);
    er_buf_release(&path);
}

void er_say_name(
    struct er_check *c, size_t index, const char *key, size_t len)
{
    json_t *errors = c->report->errors;
    for (; index < json_array_size(errors); index++) {
        json_t *error = json_array_get(errors, index);
        const char *text = er_json_str(error, "message");
        struct er_buf b;
        er_words_init(&b);
        er_buf_adds(&b, "bad name for property ");
        er_put_key(&b, key, len);
        er_buf_addf(&b, ": %s", text ? text : "");
        json_object_set_new(error, "message", json_string(er_buf_str(&b)));
        er_buf_release(&b);
    }
}

bool er_say(struct er_check *c, const struct er_path *at, const char *fmt,
    ...)
{
    struct er_report *report = c->report;
    if (!report)
        return false;
    size_t depth = er_path_depth(at) - report->root;
    if (depth > report->deepest)
        report->deepest = depth;
    if (report->count++ >= report->max || !er_check_steps(c, 64 + depth))
        return false;
    struct er_buf b;
    va_list ap;
    va_start(ap, fmt);
    er_words_init(&b);
    er_buf_vaddf(&b, fmt, ap);
    keep(report, at, er_buf_str(&b));
    er_buf_release(&b);
    va_end(ap);
    return false;
}
