/* Gathering what is replayed unread. Streamed reasoning details come in
 * pieces: those of one kind and place are joined, so that what goes back is
 * what an answer that was not streamed would have held. */
#include "model/extra.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void er_extra_init(struct er_extra *x, size_t max_bytes)
{
    *x = (struct er_extra){.max_bytes = max_bytes};
    er_buf_init(&x->tail, max_bytes);
}

void er_extra_release(struct er_extra *x)
{
    json_decref(x->content);
    json_decref(x->details);
    er_buf_release(&x->tail);
    er_extra_init(x, x->max_bytes);
}

static int hold(
    struct er_extra *x, const json_t *value, struct errand_error *err)
{
    char *text = er_json_text(value);
    if (!text)
        return er_nomem(err);
    size_t len = strlen(text);
    free(text);
    if (len > x->max_bytes - x->held)
        return er_fail(err, ERRAND_TOO_LARGE,
            "the answer's reasoning details hold more than %zu bytes",
            x->max_bytes);
    x->held += len;
    return ERRAND_OK;
}

/* The member of a detail that grows, NULL if none does. */
static const char *growing(const json_t *detail)
{
    const char *type = er_json_str(detail, "type");
    if (!type)
        return NULL;
    if (strcmp(type, "reasoning.text") == 0)
        return "text";
    return strcmp(type, "reasoning.summary") == 0 ? "summary" : NULL;
}

static bool same(const json_t *a, const json_t *b, const char *key)
{
    json_t *left = json_object_get(a, key), *right = json_object_get(b, key);
    return left && right ? json_equal(left, right) : left == right;
}

/* Put the tail behind the last detail's text. */
static int flush(struct er_extra *x)
{
    size_t n = json_array_size(x->details);
    if (n == 0 || x->tail.len == 0)
        return 0;
    json_t *last = json_array_get(x->details, n - 1);
    const char *key = growing(last);
    const json_t *before = json_object_get(last, key);
    struct er_buf text;
    er_buf_init(&text, SIZE_MAX / 4);
    if (json_is_string(before))
        er_buf_add(
            &text, json_string_value(before), json_string_length(before));
    er_buf_add(&text, x->tail.data, x->tail.len);
    int rc = text.failed ? -1 : json_object_set_new(last, key,
        json_stringn(er_buf_str(&text), text.len));
    er_buf_release(&text);
    er_buf_reset(&x->tail);
    return rc;
}

static int merge(struct er_extra *x, json_t *last, const json_t *piece)
{
    const char *grows = growing(last), *key;
    json_t *value;
    json_object_foreach((json_t *)piece, key, value)
    {
        bool tail = strcmp(key, grows) == 0 && json_is_string(value);
        bool ok = json_is_null(value) ? true
            : tail ? er_buf_add(&x->tail, json_string_value(value),
                         json_string_length(value))
                   : json_object_set(last, key, value) == 0;
        if (!ok)
            return -1;
    }
    return 0;
}

static int take_detail(struct er_extra *x, const json_t *piece)
{
    size_t n = json_array_size(x->details);
    json_t *last = n ? json_array_get(x->details, n - 1) : NULL;
    if (last && growing(piece) && same(last, piece, "type") &&
        same(last, piece, "index"))
        return merge(x, last, piece);
    if (flush(x) != 0)
        return -1;
    return json_array_append_new(x->details, json_deep_copy(piece));
}

static int take_content(
    struct er_extra *x, const struct er_node *node, struct errand_error *err)
{
    json_t *content = er_node_json(node);
    if (!content)
        return er_nomem(err);
    int code = hold(x, content, err);
    if (code == ERRAND_OK) {
        json_decref(x->content);
        x->content = json_incref(content);
    }
    json_decref(content);
    return code;
}

static int take_details(
    struct er_extra *x, const struct er_node *node, struct errand_error *err)
{
    size_t i;
    json_t *details = er_node_json(node), *piece;
    if (!details)
        return er_nomem(err);
    int code = hold(x, details, err);
    if (code == ERRAND_OK && !x->details)
        x->details = json_array();
    json_array_foreach(details, i, piece)
        if (code == ERRAND_OK && take_detail(x, piece) != 0)
            code = er_nomem(err);
    json_decref(details);
    return code;
}

int er_extra_take(struct er_extra *x, const struct er_node *message,
    struct errand_error *err)
{
    const struct er_node *content = er_node_get(message, "extra_content");
    const struct er_node *details =
        er_node_get(message, "reasoning_details");
    int code = ERRAND_OK;
    if (er_node_is(content, ER_NODE_OBJECT) && content->first)
        code = take_content(x, content, err);
    if (code == ERRAND_OK && er_node_first(details))
        code = take_details(x, details, err);
    return code;
}

static json_t *build_message(const struct er_extra *x)
{
    json_t *message = json_object();
    if (x->content && json_object_set(
            message, "extra_content", x->content) != 0)
        goto fail;
    if (x->details && json_object_set(
            message, "reasoning_details", x->details) != 0)
        goto fail;
    return message;
fail:
    json_decref(message);
    return NULL;
}

static json_t *build_calls(const struct er_calls *calls)
{
    json_t *list = json_array();
    for (size_t i = 0; i < calls->n; i++) {
        json_t *extra = calls->list[i].extra;
        json_t *entry = extra ? json_pack("{sO}", "extra_content", extra)
                              : json_null();
        if (json_array_append_new(list, entry) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

json_t *er_extra_build(
    struct er_extra *x, const struct er_calls *calls, bool *failed)
{
    bool with_calls = false;
    for (size_t i = 0; i < calls->n; i++)
        with_calls = with_calls || calls->list[i].extra;
    *failed = false;
    if (!x->content && !x->details && !with_calls && !x->as_reasoning)
        return NULL;
    json_t *all = json_object();
    int rc = all ? flush(x) : -1;
    if (rc == 0 && (x->content || x->details))
        rc = json_object_set_new(all, "message", build_message(x));
    if (rc == 0 && with_calls)
        rc = json_object_set_new(all, "calls", build_calls(calls));
    if (rc == 0 && x->as_reasoning)
        rc = json_object_set_new(
            all, "reasoning_as", json_string("reasoning"));
    if (rc == 0)
        return all;
    json_decref(all);
    *failed = true;
    return NULL;
}
