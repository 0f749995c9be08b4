/* Reading the values that are calls. */
#include "engine/chat_value.h"

#include "base/json.h"

#include <string.h>

enum { MAX_NAME = 128, MAX_CALL = 4 << 20 };

void er_chat_match_init(struct er_chat_match *m)
{
    *m = (struct er_chat_match){.n_calls = 0};
    er_arena_init(&m->arena);
}

void er_chat_match_release(struct er_chat_match *m)
{
    er_arena_release(&m->arena);
}

enum er_chat_answer er_chat_short(const struct er_chat_view *v)
{
    bool full = v->full || v->total >= ER_CHAT_HEAD_MAX;
    return v->ended || full ? ER_CHAT_NO : ER_CHAT_MORE;
}

enum er_chat_answer er_chat_gap(struct er_chat_view *v)
{
    struct er_chat_cursor c = {.s = v->s, .n = v->n, .at = v->at};
    er_chat_space(&c);
    v->at = c.at;
    return v->at < v->n ? ER_CHAT_YES : er_chat_short(v);
}

/* --- names */

static bool well_formed(const char *s, size_t n)
{
    struct er_chat_cursor c = {.s = s, .n = n};
    return n > 0 && n <= MAX_NAME && er_chat_name(&c) == n;
}

bool er_chat_known(
    const struct er_chat_names *names, const char *s, size_t n)
{
    if (!names->list)
        return well_formed(s, n);
    for (const char *const *p = names->list; *p; p++)
        if (strlen(*p) == n && memcmp(*p, s, n) == 0)
            return true;
    return false;
}

/* Could s[0..n) still become a known name? */
static bool may_become_known(
    const struct er_chat_names *names, const char *s, size_t n)
{
    if (n == 0)
        return true;
    if (!names->list)
        return well_formed(s, n);
    for (const char *const *p = names->list; *p; p++)
        if (strncmp(*p, s, n) == 0)
            return true;
    return false;
}

enum er_chat_answer er_chat_known_at(
    struct er_chat_view *v, const char *stop, size_t *len)
{
    const char *s = v->s + v->at;
    size_t left = v->n - v->at, n = 0;
    while (n < left && n <= MAX_NAME && (!s[n] || !strchr(stop, s[n])))
        n++;
    *len = n;
    if (n < left && n <= MAX_NAME)
        return er_chat_known(v->names, s, n) ? ER_CHAT_YES : ER_CHAT_NO;
    if (n > MAX_NAME || !may_become_known(v->names, s, n))
        return ER_CHAT_NO;
    return er_chat_short(v);
}

/* --- the calls found */

bool er_chat_add(struct er_chat_match *m, const char *name, size_t name_len,
    const char *args, size_t args_len, const char *id, size_t id_len)
{
    if (m->n_calls == m->cap) {
        size_t cap = m->cap ? m->cap * 2 : 4;
        struct er_chat_call *calls =
            er_arena_alloc(&m->arena, cap * sizeof *calls);
        if (!calls) {
            m->nomem = true;
            return false;
        }
        if (m->n_calls)
            memcpy(calls, m->calls, m->n_calls * sizeof *calls);
        m->calls = calls;
        m->cap = cap;
    }
    struct er_chat_call *call = &m->calls[m->n_calls];
    call->name = er_arena_strn(&m->arena, name, name_len);
    call->arguments = args ? er_arena_strn(&m->arena, args, args_len)
                           : er_arena_str(&m->arena, "{}");
    call->arguments_len = args ? args_len : 2;
    call->id = id && id_len ? er_arena_strn(&m->arena, id, id_len) : NULL;
    bool ok = call->name && call->arguments &&
              (call->id || !id || !id_len);
    m->n_calls += ok;
    m->nomem = m->nomem || !ok;
    return ok;
}

struct span {
    const char *s;
    size_t n;
};

static bool is(struct span v, const char *text)
{
    return v.n == strlen(text) && memcmp(v.s, text, v.n) == 0;
}

/* No memory to tell is noted in m. */
static bool is_json(struct span v, struct er_chat_match *m)
{
    struct errand_error err = {0};
    json_t *value = er_json_parse(v.s, v.n, ER_JSON_LENIENT, &err);
    m->nomem = m->nomem || err.code == ERRAND_NOMEM;
    json_decref(value);
    return value != NULL;
}

/* A JSON object inside a text: some models write arguments that way. */
static bool object_in_string(
    struct span v, struct er_buf *out, struct er_chat_match *m)
{
    struct er_chat_cursor c = {.s = v.s, .n = v.n};
    return er_chat_string(&c, out) && out->len > 0 && out->data[0] == '{' &&
           is_json((struct span){out->data, out->len}, m);
}

/* Python's literals as JSON. */
static bool as_json(struct span v, struct er_buf *out)
{
    struct er_chat_cursor c = {.s = v.s, .n = v.n};
    return er_chat_value(&c, out) && c.at == c.n;
}

/* Arguments as JSON where they are that or can be; as written where not, so
 * that whoever checks them can tell the model what is wrong. */
static bool write_arguments(
    struct span args, struct er_buf *out, struct er_chat_match *m)
{
    if (is(args, "null") || is(args, "None"))
        return er_buf_adds(out, "{}");
    if (object_in_string(args, out, m))
        return true;
    if (out->failed || m->nomem)
        return false;
    er_buf_reset(out);
    if (is_json(args, m))
        return er_buf_add(out, args.s, args.n);
    if (as_json(args, out))
        return true;
    if (out->failed || m->nomem)
        return false;
    er_buf_reset(out);
    return er_buf_add(out, args.s, args.n);
}

static bool add_with_arguments(struct er_chat_match *m, struct span name,
    struct span args, struct span id)
{
    struct er_buf out;
    er_buf_init(&out, MAX_CALL * 6);
    bool ok = write_arguments(args, &out, m);
    m->nomem = m->nomem || !ok;
    ok = ok && er_chat_add(
                   m, name.s, name.n, out.data, out.len, id.s, id.n);
    er_buf_release(&out);
    return ok;
}

/* --- objects that are calls */

struct members {
    struct span name, function, args, id;
    bool type_fits; /* there is no "type", or it says "function" */
    bool others;    /* keys that a call does not have */
};

static struct span inner(struct span quoted)
{
    return quoted.n < 2 ? (struct span){"", 0}
                        : (struct span){quoted.s + 1, quoted.n - 2};
}

static void take_member(struct members *m, struct span key, struct span v)
{
    bool quoted = v.n >= 2 && (v.s[0] == '"' || v.s[0] == '\'');
    if (is(key, "name") && quoted)
        m->name = inner(v);
    else if (is(key, "function"))
        m->function = v;
    else if (is(key, "arguments") || (is(key, "parameters") && !m->args.s))
        m->args = v;
    else if (is(key, "id") && quoted)
        m->id = inner(v);
    else if (is(key, "type"))
        m->type_fits = quoted && is(inner(v), "function");
    else if (!is(key, "parameters") && !is(key, "id"))
        m->others = true;
}

/* Spans of the members; false if it is no object. */
static bool read_members(struct span object, struct members *m)
{
    struct er_chat_cursor c = {.s = object.s, .n = object.n};
    *m = (struct members){.type_fits = true};
    if (!er_chat_take(&c, '{'))
        return false;
    for (;;) {
        er_chat_space(&c);
        if (er_chat_take(&c, '}'))
            return c.at == c.n;
        size_t from = c.at;
        if (c.at >= c.n || !strchr("\"'", c.s[c.at]) || !er_chat_skip(&c))
            return false;
        struct span key = inner((struct span){c.s + from, c.at - from});
        er_chat_space(&c);
        if (!er_chat_take(&c, ':'))
            return false;
        er_chat_space(&c);
        from = c.at;
        if (!er_chat_skip(&c))
            return false;
        take_member(m, key, (struct span){c.s + from, c.at - from});
        er_chat_space(&c);
        if (!er_chat_take(&c, ',') && (c.at >= c.n || c.s[c.at] != '}'))
            return false;
    }
}

/* YES with the call added; NO if the object is none. An object that only
 * has a name is a call of a tool that is known, not of any word. */
static enum er_chat_answer object_call(struct span object,
    const struct er_chat_names *names, struct er_chat_match *out)
{
    struct members m, nested;
    if (!read_members(object, &m) || !m.type_fits)
        return ER_CHAT_NO;
    if (m.function.n > 0 && m.function.s[0] == '{') {
        if (!read_members(m.function, &nested) || nested.function.s)
            return ER_CHAT_NO;
        m.name = nested.name;
        m.args = nested.args.s ? nested.args : m.args;
        m.others = nested.others;
    } else if (m.function.n >= 2 && !m.name.s) {
        m.name = inner(m.function);
    }
    if (!m.name.s || !er_chat_known(names, m.name.s, m.name.n))
        return ER_CHAT_NO;
    if (!m.args.s && (m.others || !names->list))
        return ER_CHAT_NO;
    bool ok = m.args.s ? add_with_arguments(out, m.name, m.args, m.id)
        : er_chat_add(out, m.name.s, m.name.n, NULL, 0, m.id.s, m.id.n);
    return ok ? ER_CHAT_YES : ER_CHAT_NO;
}

/* Behind the opening bracket of an array that is whole. */
static enum er_chat_answer array_calls(struct span array,
    const struct er_chat_names *names, struct er_chat_match *out)
{
    struct er_chat_cursor c = {.s = array.s, .n = array.n, .at = 1};
    for (;;) {
        er_chat_space(&c);
        size_t from = c.at;
        if (c.at >= c.n || c.s[c.at] != '{' || !er_chat_skip(&c) ||
            object_call((struct span){c.s + from, c.at - from}, names, out) !=
                ER_CHAT_YES)
            return ER_CHAT_NO;
        er_chat_space(&c);
        if (er_chat_take(&c, ']'))
            return c.at == c.n ? ER_CHAT_YES : ER_CHAT_NO;
        if (!er_chat_take(&c, ',') && !er_chat_take(&c, ';'))
            return ER_CHAT_NO;
    }
}

/* --- early refusal: the first key, and the name if it comes first */

/* At a quote: which of the words is it? NO as soon as none begins so. */
static enum er_chat_answer word_at(
    struct er_chat_view *v, const char *const *words, size_t *which)
{
    char q = v->s[v->at];
    for (size_t i = 0; words[i]; i++) {
        struct er_chat_view w = *v;
        size_t len = strlen(words[i]), left = w.n - w.at - 1;
        size_t same = left < len ? left : len;
        if (memcmp(w.s + w.at + 1, words[i], same) != 0)
            continue;
        if (left <= len)
            return er_chat_short(v);
        if (w.s[w.at + 1 + len] != q)
            continue;
        v->at += len + 2;
        *which = i;
        return ER_CHAT_YES;
    }
    return ER_CHAT_NO;
}

/* A quoted text that is a known name, or may become one. */
static enum er_chat_answer quoted_name(struct er_chat_view *v)
{
    size_t len;
    char stop[2] = {v->s[v->at], '\0'};
    if (stop[0] != '"' && stop[0] != '\'')
        return ER_CHAT_NO;
    v->at++;
    return er_chat_known_at(v, stop, &len);
}

enum { KEY_NAME = 0, KEY_TYPE = 1, KEY_FUNCTION = 2 };

static enum er_chat_answer first_key(struct er_chat_view *v, size_t *which)
{
    static const char *const keys[] = {
        "name", "type", "function", "arguments", "parameters", "id", NULL};
    enum er_chat_answer a;
    v->at++;
    if ((a = er_chat_gap(v)) != ER_CHAT_YES)
        return a;
    if (v->s[v->at] != '"' && v->s[v->at] != '\'')
        return ER_CHAT_NO;
    if ((a = word_at(v, keys, which)) != ER_CHAT_YES ||
        (a = er_chat_gap(v)) != ER_CHAT_YES)
        return a;
    if (v->s[v->at] != ':')
        return ER_CHAT_NO;
    v->at++;
    return er_chat_gap(v);
}

/* At an opening brace: can this be a call? */
static enum er_chat_answer may_be_call(struct er_chat_view v)
{
    static const char *const types[] = {"function", NULL};
    size_t which;
    for (int nested = 0; nested < 2; nested++) {
        enum er_chat_answer a = first_key(&v, &which);
        if (a != ER_CHAT_YES)
            return a;
        if (which == KEY_NAME)
            return quoted_name(&v);
        if (which == KEY_TYPE)
            return v.s[v.at] == '"' || v.s[v.at] == '\''
                ? word_at(&v, types, &which) : ER_CHAT_NO;
        if (which != KEY_FUNCTION)
            return ER_CHAT_YES;
        if (v.s[v.at] != '{')
            return quoted_name(&v);
    }
    return ER_CHAT_NO;
}

/* --- values in the view */

/* The whole of the bracketed value at the view's place. */
static enum er_chat_answer whole(struct er_chat_view *v, struct span *out)
{
    if (*v->scan_from != v->at) {
        *v->scan = (struct er_chat_scan){0};
        *v->scan_from = v->at;
    }
    size_t len = er_chat_scan(v->scan, v->s + v->at, v->total - v->at);
    if (len == 0)
        return v->ended || v->full ? ER_CHAT_NO : ER_CHAT_MORE;
    *out = (struct span){v->s + v->at, len};
    v->at += len;
    v->n = v->at > v->n ? v->at : v->n;
    return ER_CHAT_YES;
}

enum er_chat_answer er_chat_json_calls(
    struct er_chat_view *v, struct er_chat_match *m)
{
    struct span value;
    struct er_chat_view first = *v;
    bool array = v->s[v->at] == '[';
    enum er_chat_answer a = ER_CHAT_YES;
    if (array) {
        first.at++;
        a = er_chat_gap(&first);
    }
    if (a == ER_CHAT_YES && first.s[first.at] != '{')
        return ER_CHAT_NO;
    if (a == ER_CHAT_YES)
        a = may_be_call(first);
    if (a == ER_CHAT_YES)
        a = whole(v, &value);
    if (a != ER_CHAT_YES)
        return a;
    return array ? array_calls(value, v->names, m)
                 : object_call(value, v->names, m);
}

enum er_chat_answer er_chat_arguments(struct er_chat_view *v, const char *name,
    size_t name_len, const char *id, size_t id_len, struct er_chat_match *m)
{
    struct span value;
    if (v->s[v->at] != '{')
        return ER_CHAT_NO;
    enum er_chat_answer a = whole(v, &value);
    if (a != ER_CHAT_YES)
        return a;
    return add_with_arguments(m, (struct span){name, name_len}, value,
               (struct span){id, id_len}) ? ER_CHAT_YES : ER_CHAT_NO;
}

/* --- Python's calls */

/* name=value, … up to the closing bracket, as one JSON object. A single
 * dict stands for all of them. */
static bool keywords(struct er_chat_cursor *c, struct er_buf *out)
{
    er_chat_space(c);
    if (c->at < c->n && c->s[c->at] == '{') {
        bool ok = er_chat_value(c, out);
        er_chat_space(c);
        return ok && er_chat_take(c, ')');
    }
    er_buf_addc(out, '{');
    for (size_t n = 0;; n++) {
        er_chat_space(c);
        if (er_chat_take(c, ')'))
            return er_buf_addc(out, '}');
        size_t len = er_chat_name(c);
        if (len == 0)
            return false;
        if (n > 0)
            er_buf_addc(out, ',');
        er_json_add_string(out, c->s + c->at, len);
        c->at += len;
        er_chat_space(c);
        if (!er_chat_take(c, '='))
            return false;
        er_buf_addc(out, ':');
        er_chat_space(c);
        if (!er_chat_value(c, out))
            return false;
        er_chat_space(c);
        if (!er_chat_take(c, ',') && (c->at >= c->n || c->s[c->at] != ')'))
            return false;
    }
}

/* The bracketed keywords at c, added as a call. */
static bool add_python(struct er_chat_cursor *c, struct span name,
    struct er_chat_match *m)
{
    struct er_buf args;
    er_buf_init(&args, MAX_CALL * 6);
    bool ok = er_chat_take(c, '(') && keywords(c, &args);
    m->nomem = m->nomem || args.failed;
    ok = ok && !args.failed &&
         er_chat_add(m, name.s, name.n, args.data, args.len, NULL, 0);
    er_buf_release(&args);
    return ok;
}

static enum er_chat_answer list_calls(struct span list,
    const struct er_chat_names *names, struct er_chat_match *m)
{
    struct er_chat_cursor c = {.s = list.s, .n = list.n, .at = 1};
    for (;;) {
        er_chat_space(&c);
        struct span name = {c.s + c.at, er_chat_name(&c)};
        c.at += name.n;
        if (!er_chat_known(names, name.s, name.n))
            return ER_CHAT_NO;
        er_chat_space(&c);
        if (!add_python(&c, name, m))
            return ER_CHAT_NO;
        er_chat_space(&c);
        bool comma = er_chat_take(&c, ',');
        er_chat_space(&c);
        if (er_chat_take(&c, ']'))
            return c.at == c.n ? ER_CHAT_YES : ER_CHAT_NO;
        if (!comma)
            return ER_CHAT_NO;
    }
}

enum er_chat_answer er_chat_python_list(
    struct er_chat_view *v, struct er_chat_match *m)
{
    struct er_chat_view first = *v;
    struct span value;
    size_t len;
    enum er_chat_answer a;
    first.at++;
    if ((a = er_chat_gap(&first)) != ER_CHAT_YES ||
        (a = er_chat_known_at(&first, "( \t\r\n", &len)) != ER_CHAT_YES)
        return a;
    first.at += len;
    if ((a = er_chat_gap(&first)) != ER_CHAT_YES)
        return a;
    if (first.s[first.at] != '(')
        return ER_CHAT_NO;
    a = whole(v, &value);
    return a == ER_CHAT_YES ? list_calls(value, v->names, m) : a;
}

/* A name with .call, or without where that will do. */
static enum er_chat_answer call_name(
    const struct er_chat_view *v, bool bare, size_t *name_len, size_t *len)
{
    static const char call[] = ".call(";
    struct er_chat_cursor c = {.s = v->s, .n = v->n, .at = v->at};
    size_t n = er_chat_name(&c), tail = sizeof call - 2;
    const char *s = v->s + v->at;
    if (v->at + n == v->n) {
        size_t i = n < 2 * MAX_NAME ? n : 0;
        bool hope = i > 0 && may_become_known(v->names, s, i);
        for (; i > 0 && !hope; i--) /* a known name and a piece of .call? */
            hope = n - i <= tail && er_chat_known(v->names, s, i) &&
                   !memcmp(s + i, call, n - i);
        return hope ? er_chat_short(v) : ER_CHAT_NO;
    }
    if (s[n] != '(')
        return ER_CHAT_NO;
    *len = n;
    *name_len = n;
    if (n > tail && !memcmp(s + n - tail, call, tail) &&
        er_chat_known(v->names, s, n - tail)) {
        *name_len = n - tail;
        return ER_CHAT_YES;
    }
    return bare && er_chat_known(v->names, s, n) ? ER_CHAT_YES : ER_CHAT_NO;
}

enum er_chat_answer er_chat_python_call(
    struct er_chat_view *v, bool bare, struct er_chat_match *m)
{
    size_t name_len, len;
    struct span value, name = {v->s + v->at, 0};
    enum er_chat_answer a = call_name(v, bare, &name_len, &len);
    if (a != ER_CHAT_YES)
        return a;
    v->at += len;
    name.n = name_len;
    if ((a = whole(v, &value)) != ER_CHAT_YES)
        return a;
    struct er_chat_cursor c = {.s = value.s, .n = value.n};
    return add_python(&c, name, m) && c.at == c.n ? ER_CHAT_YES : ER_CHAT_NO;
}
