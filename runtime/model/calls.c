/* Which call a delta belongs to, and what it does to it.
 *
 * The key is a non-empty id, else the index, else the call that came last;
 * null and "" count as absent everywhere. Endpoints that number badly are
 * told apart by what a beginning looks like: a delta with a name never goes
 * on with arguments that are complete.
 */
#include "model/calls.h"

#include "base/sha256.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void er_calls_init(struct er_calls *c, size_t max_bytes)
{
    *c = (struct er_calls){.max_bytes = max_bytes};
}

static void release_call(struct er_call *call)
{
    er_buf_release(&call->id);
    er_buf_release(&call->name);
    er_buf_release(&call->arguments);
    json_decref(call->extra);
}

void er_calls_release(struct er_calls *c)
{
    for (size_t i = 0; i < c->n; i++)
        release_call(&c->list[i]);
    free(c->list);
    *c = (struct er_calls){.max_bytes = c->max_bytes};
}

const char *er_call_id(const struct er_call *call)
{
    return call->id.len ? call->id.data : call->made;
}

/* What one delta says. */
struct delta {
    const char *id, *name; /* NULL if absent, null or "" */
    const struct er_node *arguments, *extra;
    bool has_index;
    int64_t index;
    size_t at;
};

static const char *filled(const struct er_node *object, const char *key)
{
    const char *text = er_node_str(object, key);
    return text && *text ? text : NULL;
}

static const struct er_node *present(
    const struct er_node *object, const char *key)
{
    const struct er_node *v = er_node_get(object, key);
    return er_node_is(v, ER_NODE_NULL) ? NULL : v;
}

static struct delta read_delta(const struct er_node *json, size_t at)
{
    const struct er_node *function = er_node_get(json, "function");
    struct delta d = {.id = filled(json, "id"), .at = at};
    d.name = filled(function, "name");
    if (!d.name)
        d.name = filled(json, "name");
    d.arguments = present(function, "arguments");
    if (!d.arguments)
        d.arguments = present(json, "arguments");
    if (er_node_is(d.arguments, ER_NODE_STRING) && d.arguments->len == 0)
        d.arguments = NULL;
    d.extra = present(json, "extra_content");
    if (!er_node_is(d.extra, ER_NODE_OBJECT))
        d.extra = NULL;
    const struct er_node *index = er_node_get(json, "index");
    if (er_node_is(index, ER_NODE_INTEGER)) {
        d.has_index = true;
        d.index = index->number;
    }
    return d;
}

/* Could d be the beginning of another call than this one? */
static bool begins_anew(const struct er_call *call, const struct delta *d)
{
    return d->name && d->arguments && call->name.len > 0 &&
           call->watch.complete;
}

static struct er_call *by_id(struct er_calls *c, const struct delta *d)
{
    for (size_t i = c->n; i > 0; i--) {
        struct er_call *call = &c->list[i - 1];
        if (strcmp(er_buf_str(&call->id), d->id) != 0)
            continue;
        bool other = d->name && d->has_index && call->has_index &&
                     call->index != d->index;
        return other ? NULL : call;
    }
    return NULL;
}

static struct er_call *by_index(struct er_calls *c, int64_t index)
{
    for (size_t i = c->n; i > 0; i--)
        if (c->list[i - 1].has_index && c->list[i - 1].index == index)
            return &c->list[i - 1];
    return NULL;
}

static struct er_call *latest(struct er_calls *c)
{
    return c->n ? &c->list[c->n - 1] : NULL;
}

/* A call that lacks what d brings first: its id, or its index. */
static struct er_call *adopt(struct er_calls *c, const struct delta *d)
{
    struct er_call *call = d->has_index ? by_index(c, d->index) : NULL;
    if (!call) {
        call = latest(c);
        if (!call || d->name || (d->has_index && call->has_index))
            return NULL;
    }
    if (d->id && call->id.len > 0)
        return NULL; /* the same index and a new id: a new call */
    return begins_anew(call, d) ? NULL : call;
}

/* Neither id nor index. */
static struct er_call *by_place(struct er_calls *c, const struct delta *d)
{
    struct er_call *call = latest(c);
    if (!call || !d->name || call->name.len == 0)
        return call;
    bool same = strcmp(call->name.data, d->name) == 0;
    bool piece = !d->arguments || er_node_is(d->arguments, ER_NODE_STRING);
    return same && piece && d->at == 0 && !call->watch.complete ? call
                                                                : NULL;
}

static struct er_call *find(struct er_calls *c, const struct delta *d)
{
    if (d->id) {
        struct er_call *call = by_id(c, d);
        return call ? call : adopt(c, d);
    }
    return d->has_index ? adopt(c, d) : by_place(c, d);
}

static struct er_call *begin(struct er_calls *c, struct errand_error *err)
{
    if (c->n == ER_CALLS_MAX) {
        er_fail(err, ERRAND_PROTOCOL,
            "the model made more than %d calls in one answer; ask for "
            "fewer at a time", ER_CALLS_MAX);
        return NULL;
    }
    if (c->n == c->cap) {
        size_t cap = c->cap ? c->cap * 2 : 4;
        struct er_call *list = realloc(c->list, cap * sizeof *list);
        if (!list) {
            er_nomem(err);
            return NULL;
        }
        c->list = list;
        c->cap = cap;
    }
    struct er_call *call = &c->list[c->n++];
    *call = (struct er_call){0};
    er_buf_init(&call->id, c->max_bytes);
    er_buf_init(&call->name, c->max_bytes);
    er_buf_init(&call->arguments, c->max_bytes);
    return call;
}

static int hold(struct er_calls *c, size_t len, struct errand_error *err)
{
    if (len > c->max_bytes - c->held)
        return er_fail(err, ERRAND_TOO_LARGE,
            "the model's calls hold more than %zu bytes; ask for smaller "
            "arguments", c->max_bytes);
    c->held += len;
    return ERRAND_OK;
}

/* Put text in the place of what b holds. */
static int set(struct er_calls *c, struct er_buf *b, const char *text,
    size_t len, struct errand_error *err)
{
    c->held -= b->len;
    er_buf_reset(b);
    int code = hold(c, len, err);
    if (code == ERRAND_OK && !er_buf_add(b, text, len))
        code = er_nomem(err);
    return code;
}

static void watch(struct er_json_watch *w, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char ch = text[i];
        if (w->escaped) {
            w->escaped = false;
        } else if (w->in_string) {
            w->escaped = ch == '\\';
            w->in_string = ch != '"';
        } else if (ch == '"') {
            w->in_string = true;
        } else if (ch == '{' || ch == '[') {
            w->began = true;
            w->complete = false;
            w->depth++;
        } else if (ch == '}' || ch == ']') {
            w->depth--;
            w->complete = w->began && w->depth == 0;
        }
    }
}

static int append_arguments(struct er_calls *c, struct er_call *call,
    const char *text, size_t len, struct errand_error *err)
{
    int code = hold(c, len, err);
    if (code == ERRAND_OK && len > 0 &&
        !er_half_end(&call->half, &call->arguments))
        code = er_nomem(err);
    if (code == ERRAND_OK && !er_buf_add(&call->arguments, text, len))
        code = er_nomem(err);
    watch(&call->watch, text, len);
    return code;
}

/* A piece whose characters may lie in two. */
static int join_arguments(struct er_calls *c, struct er_call *call,
    const struct er_node *piece, struct errand_error *err)
{
    size_t before = call->arguments.len;
    int code = hold(c, piece->len, err);
    if (code == ERRAND_OK &&
        !er_half_join(&call->half, piece, &call->arguments))
        code = er_nomem(err);
    if (code == ERRAND_OK && call->arguments.len > before)
        watch(&call->watch, call->arguments.data + before,
            call->arguments.len - before);
    return code;
}

static int add_arguments(struct er_calls *c, struct er_call *call,
    const struct er_node *arguments, struct errand_error *err)
{
    if (er_node_is(arguments, ER_NODE_STRING))
        return er_half_matters(&call->half, arguments)
                   ? join_arguments(c, call, arguments, err)
                   : append_arguments(
                         c, call, arguments->text, arguments->len, err);
    json_t *value = er_node_json(arguments);
    char *text = value ? er_json_text(value) : NULL;
    json_decref(value);
    if (!text)
        return er_nomem(err);
    int code = set(c, &call->arguments, text, strlen(text), err);
    call->watch = (struct er_json_watch){.began = true, .complete = true};
    free(text);
    return code;
}

static int add_extra(struct er_calls *c, struct er_call *call,
    const struct er_node *extra, struct errand_error *err)
{
    json_t *value = er_node_json(extra);
    if (!value)
        return er_nomem(err);
    int code = hold(c, extra->raw_len, err);
    if (code == ERRAND_OK) {
        json_decref(call->extra);
        call->extra = json_incref(value);
    }
    json_decref(value);
    return code;
}

static int apply(struct er_calls *c, struct er_call *call,
    const struct delta *d, struct errand_error *err)
{
    int code = ERRAND_OK;
    if (d->has_index) {
        call->has_index = true;
        call->index = d->index;
    }
    if (d->id && call->id.len == 0)
        code = set(c, &call->id, d->id, strlen(d->id), err);
    if (code == ERRAND_OK && d->name)
        code = set(c, &call->name, d->name, strlen(d->name), err);
    if (code == ERRAND_OK && d->arguments)
        code = add_arguments(c, call, d->arguments, err);
    if (code == ERRAND_OK && d->extra)
        code = add_extra(c, call, d->extra, err);
    return code;
}

int er_calls_add(struct er_calls *c, const struct er_node *delta, size_t at,
    bool whole, struct errand_error *err)
{
    if (er_node_is(delta, ER_NODE_NULL))
        return ERRAND_OK;
    if (!er_node_is(delta, ER_NODE_OBJECT))
        return er_fail(err, ERRAND_PROTOCOL,
            "the endpoint sent a tool call that is no object");
    struct delta d = read_delta(delta, at);
    if (!d.id && !d.name && !d.arguments && !d.extra)
        return ERRAND_OK; /* the all-null chunk that ends a call */
    struct er_call *call = whole ? NULL : find(c, &d);
    if (!call)
        call = begin(c, err);
    return call ? apply(c, call, &d, err) : err->code;
}

int er_calls_piece(struct er_calls *c, const struct er_call_owner *owner,
    const char *text, size_t len, struct errand_error *err)
{
    struct delta d = {
        .has_index = owner->has_index, .index = owner->index};
    if (len == 0)
        return ERRAND_OK;
    struct er_call *call = find(c, &d);
    if (!call)
        call = begin(c, err);
    if (!call)
        return err->code;
    int code = apply(c, call, &d, err);
    return code ? code : append_arguments(c, call, text, len, err);
}

int er_calls_add_legacy(struct er_calls *c, const struct er_node *delta,
    struct errand_error *err)
{
    struct delta d = read_delta(delta, 0);
    struct er_call *call = NULL;
    for (size_t i = 0; i < c->n; i++)
        if (c->list[i].legacy)
            call = &c->list[i];
    if (!call) {
        if (!d.name && !d.arguments)
            return ERRAND_OK;
        call = begin(c, err);
        if (!call)
            return err->code;
        call->legacy = true;
    }
    d.id = NULL;
    d.has_index = false;
    return apply(c, call, &d, err);
}

/* The same answer gives the same ids, whoever reads it again. */
static void make_id(struct er_call *call, size_t place)
{
    struct er_sha256 s;
    unsigned char digest[32];
    char hex[65];
    uint64_t at = place;
    er_sha256_init(&s);
    er_sha256_add(&s, &at, sizeof at);
    er_sha256_add(&s, call->name.data, call->name.len + 1);
    er_sha256_add(&s, call->arguments.data, call->arguments.len);
    er_sha256_end(&s, digest);
    er_hex(digest, sizeof digest, hex);
    snprintf(call->made, sizeof call->made, "tc_%.16s", hex);
}

static bool says_nothing(const struct er_buf *arguments)
{
    const char *text = er_buf_str(arguments);
    size_t skip = strspn(text, " \t\r\n");
    return skip == arguments->len || strcmp(text, "null") == 0;
}

/* Take calls without a name out. */
static void drop_nameless(struct er_calls *c)
{
    size_t kept = 0;
    for (size_t i = 0; i < c->n; i++) {
        if (c->list[i].name.len == 0)
            release_call(&c->list[i]);
        else
            c->list[kept++] = c->list[i];
    }
    c->n = kept;
}

int er_calls_end(struct er_calls *c, bool cut, struct errand_error *err)
{
    if (cut)
        drop_nameless(c);
    for (size_t i = 0; i < c->n; i++) {
        struct er_call *call = &c->list[i];
        if (call->name.len == 0)
            return er_fail(err, ERRAND_PROTOCOL,
                "the endpoint sent a tool call without a name (id \"%.64s\")"
                "; ask again", er_buf_str(&call->id));
        if (!er_half_end(&call->half, &call->arguments))
            return er_nomem(err);
        if (says_nothing(&call->arguments)) {
            er_buf_reset(&call->arguments);
            if (!er_buf_adds(&call->arguments, "{}"))
                return er_nomem(err);
        }
        if (call->id.len == 0)
            make_id(call, i);
    }
    return ERRAND_OK;
}
