/* Where calls may stand: the openings of each family. */
#include "engine/chat_shape.h"

#include "engine/chat_value.h"

#include "base/buf.h"
#include "base/json.h"

#include <string.h>

enum { MAX_CODE = 4 << 20 };

const char *er_chat_tag(enum er_chat_family family)
{
    return family == ER_CHAT_HERMES ? "<tool_call>"
        : family == ER_CHAT_MISTRAL ? "[TOOL_CALLS]" : NULL;
}

const char *const *er_chat_end_marks(enum er_chat_family family)
{
    static const char *const llama[] = {
        "<|eot_id|>", "<|eom_id|>", "<|end_of_text|>", NULL};
    static const char *const hermes[] = {"<|im_end|>", "<|endoftext|>", NULL};
    static const char *const mistral[] = {"</s>", NULL};
    return family == ER_CHAT_LLAMA3 ? llama
        : family == ER_CHAT_HERMES ? hermes : mistral;
}

enum er_chat_answer er_chat_literal_at(
    struct er_chat_view *v, const char *literal)
{
    size_t len = strlen(literal), left = v->n - v->at;
    size_t same = left < len ? left : len;
    if (memcmp(v->s + v->at, literal, same) != 0)
        return ER_CHAT_NO;
    if (same < len)
        return er_chat_short(v);
    v->at += len;
    return ER_CHAT_YES;
}

/* A literal, then white space. */
static enum er_chat_answer literal_gap(
    struct er_chat_view *v, const char *literal)
{
    enum er_chat_answer a = er_chat_literal_at(v, literal);
    return a == ER_CHAT_YES ? er_chat_gap(v) : a;
}

/* --- one tag and what stands in it */

static enum er_chat_answer found(
    const struct er_chat_view *v, const char *close, struct er_chat_match *m)
{
    m->len = v->at;
    m->close[0] = close;
    return ER_CHAT_YES;
}

/* Objects that are calls, in a tag or bare. */
static enum er_chat_answer json_value(
    struct er_chat_view *v, struct er_chat_match *m)
{
    char c = v->s[v->at];
    return c == '{' || c == '[' ? er_chat_json_calls(v, m) : ER_CHAT_NO;
}

/* The same, or a list of Python's calls. */
static enum er_chat_answer list_value(
    struct er_chat_view *v, struct er_chat_match *m)
{
    struct er_chat_view again = *v;
    enum er_chat_answer a = json_value(v, m);
    if (a != ER_CHAT_NO || again.s[again.at] != '[' || m->n_calls)
        return a;
    *v = again;
    return er_chat_python_list(v, m);
}

/* Behind "<function=" or "<function name=": a name, a bracket, arguments. */
static enum er_chat_answer function_body(
    struct er_chat_view *v, const char *stop, struct er_chat_match *m)
{
    size_t len;
    enum er_chat_answer a = er_chat_known_at(v, stop, &len);
    if (a != ER_CHAT_YES)
        return a;
    const char *name = v->s + v->at;
    v->at += len;
    if (*stop == '"')
        v->at++;
    if ((a = literal_gap(v, ">")) != ER_CHAT_YES)
        return a;
    if (v->s[v->at] == '{') {
        a = er_chat_arguments(v, name, len, NULL, 0, m);
        return a == ER_CHAT_YES ? found(v, "</function>", m) : a;
    }
    if ((a = er_chat_literal_at(v, "</function>")) != ER_CHAT_YES)
        return a;
    if (!er_chat_add(m, name, len, NULL, 0, NULL, 0))
        return ER_CHAT_NO;
    return found(v, NULL, m);
}

static enum er_chat_answer function_tag(
    struct er_chat_view v, struct er_chat_match *m)
{
    struct er_chat_view named = v;
    enum er_chat_answer a = er_chat_literal_at(&v, "<function=");
    if (a == ER_CHAT_YES)
        return function_body(&v, ">", m);
    enum er_chat_answer b = er_chat_literal_at(&named, "<function name=\"");
    if (b == ER_CHAT_YES)
        return function_body(&named, "\"", m);
    return a == ER_CHAT_MORE ? a : b;
}

/* Tags that some models put around the object instead of their own. */
static enum er_chat_answer wrapper(
    struct er_chat_view v, struct er_chat_match *m)
{
    static const char *const tags[][2] = {{"<tool_call>", "</tool_call>"},
        {"<function_call>", "</function_call>"}, {"<tool>", "</tool>"},
        {"<tools>", "</tools>"}, {"<response>", "</response>"},
        {"<json>", "</json>"}, {"<xml>", "</xml>"}, {"<JSON>", "</JSON>"}};
    enum er_chat_answer all = ER_CHAT_NO;
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
        struct er_chat_view w = v;
        enum er_chat_answer a = er_chat_literal_at(&w, tags[i][0]);
        if (a == ER_CHAT_MORE)
            all = a;
        if (a != ER_CHAT_YES)
            continue;
        if ((a = er_chat_gap(&w)) == ER_CHAT_YES)
            a = json_value(&w, m);
        return a == ER_CHAT_YES ? found(&w, tags[i][1], m) : a;
    }
    return all;
}

/* The word behind ``` must be one that a call could be put under. */
static enum er_chat_answer fence_word(struct er_chat_view *v)
{
    static const char *const words[] = {
        "", "json", "xml", "python", "tool_call", "tool_calls", "tool_code"};
    struct er_chat_cursor c = {.s = v->s, .n = v->n, .at = v->at};
    size_t n = er_chat_name(&c);
    bool whole = v->at + n < v->n, fits = false;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        bool begins = strncmp(words[i], v->s + v->at, n) == 0;
        fits = fits || (begins && (!whole || strlen(words[i]) == n));
    }
    if (!fits)
        return ER_CHAT_NO;
    v->at += n;
    return er_chat_gap(v);
}

static enum er_chat_answer fence(struct er_chat_view v,
    enum er_chat_family family, struct er_chat_match *m)
{
    enum er_chat_answer a = er_chat_literal_at(&v, "```");
    if (a == ER_CHAT_YES && v.at == v.n)
        return er_chat_short(&v);
    if (a == ER_CHAT_YES)
        a = fence_word(&v);
    if (a != ER_CHAT_YES)
        return a;
    if (family == ER_CHAT_HERMES && v.s[v.at] == '<') {
        a = wrapper(v, m);
        m->close[1] = "```";
        return a;
    }
    a = family == ER_CHAT_LLAMA3 ? list_value(&v, m) : json_value(&v, m);
    return a == ER_CHAT_YES ? found(&v, "```", m) : a;
}

/* --- Llama: what stands behind <|python_tag|> */

/* Cut end marks and white space off the end of a text that is whole. */
static size_t trimmed(const char *s, size_t n)
{
    const char *const *marks = er_chat_end_marks(ER_CHAT_LLAMA3);
    for (bool again = true; again;) {
        again = false;
        while (n > 0 && strchr(" \t\r\n", s[n - 1]) && s[n - 1])
            n--;
        for (size_t i = 0; marks[i]; i++) {
            size_t len = strlen(marks[i]);
            if (n >= len && !memcmp(s + n - len, marks[i], len)) {
                n -= len;
                again = true;
            }
        }
    }
    return n;
}

/* Code as it is, for a tool that runs it; known to be whole at the end. */
static enum er_chat_answer raw_code(
    const struct er_chat_view *v, struct er_chat_match *m)
{
    static const char *const runners[] = {
        "python", "ipython", "code_interpreter"};
    size_t i = 0, n = sizeof runners / sizeof runners[0];
    while (i < n &&
           !er_chat_known(v->names, runners[i], strlen(runners[i])))
        i++;
    if (i == n || v->full)
        return ER_CHAT_NO;
    if (!v->ended)
        return ER_CHAT_MORE;
    struct er_buf args;
    er_buf_init(&args, MAX_CODE * 6);
    const char *code = v->s + v->at;
    er_buf_adds(&args, "{\"code\":");
    er_json_add_string(&args, code, trimmed(code, v->total - v->at));
    er_buf_adds(&args, "}");
    m->nomem = m->nomem || args.failed;
    bool ok = !args.failed && er_chat_add(m, runners[i], strlen(runners[i]),
                                  args.data, args.len, NULL, 0);
    er_buf_release(&args);
    m->len = v->total;
    return ok ? ER_CHAT_YES : ER_CHAT_NO;
}

static enum er_chat_answer python_tag(
    struct er_chat_view v, struct er_chat_match *m)
{
    enum er_chat_answer a = literal_gap(&v, "<|python_tag|>");
    if (a != ER_CHAT_YES)
        return a;
    struct er_chat_view value = v;
    a = list_value(&value, m);
    if (a == ER_CHAT_NO && !m->n_calls) {
        value = v;
        a = er_chat_python_call(&value, true, m);
    }
    if (a == ER_CHAT_YES)
        return found(&value, NULL, m);
    m->n_calls = 0;
    return a == ER_CHAT_NO && !m->nomem ? raw_code(&v, m) : a;
}

/* --- Mistral: name[CALL_ID]id[ARGS]{…} */

/* [CALL_ID] and an id, if they are there. */
static enum er_chat_answer call_id(
    struct er_chat_view *v, const char **id, size_t *len)
{
    enum er_chat_answer a = er_chat_literal_at(v, "[CALL_ID]");
    *len = 0;
    if (a != ER_CHAT_YES)
        return a;
    *id = v->s + v->at;
    while (v->at + *len < v->n && !strchr("[{", (*id)[*len]))
        ++*len;
    if (v->at + *len == v->n)
        return er_chat_short(v);
    v->at += *len;
    return *len <= 64 ? ER_CHAT_YES : ER_CHAT_NO;
}

static enum er_chat_answer item(
    struct er_chat_view *v, bool first, struct er_chat_match *m)
{
    const char *name = v->s + v->at, *id = NULL;
    size_t len, id_len;
    enum er_chat_answer a = er_chat_known_at(v, "[{ \t\r\n", &len);
    if (a != ER_CHAT_YES)
        return a;
    v->at += len;
    if ((a = er_chat_gap(v)) != ER_CHAT_YES)
        return a;
    enum er_chat_answer has_id = call_id(v, &id, &id_len);
    if (has_id == ER_CHAT_MORE)
        return has_id;
    enum er_chat_answer has_args = er_chat_literal_at(v, "[ARGS]");
    if (has_args == ER_CHAT_MORE)
        return has_args;
    if (!first && has_id == ER_CHAT_NO && has_args == ER_CHAT_NO)
        return ER_CHAT_NO;
    if ((a = er_chat_gap(v)) != ER_CHAT_YES)
        return a;
    return er_chat_arguments(v, name, len, id, id_len, m);
}

/* --- the families */

enum er_chat_answer er_chat_tagged(enum er_chat_family family,
    struct er_chat_view v, struct er_chat_match *m)
{
    enum er_chat_answer a = literal_gap(&v, er_chat_tag(family));
    if (a != ER_CHAT_YES)
        return a;
    m->items = family == ER_CHAT_MISTRAL;
    a = strchr("{[", v.s[v.at]) && v.s[v.at] ? json_value(&v, m)
        : m->items ? item(&v, true, m) : ER_CHAT_NO;
    const char *close = m->items ? NULL : "</tool_call>";
    return a == ER_CHAT_YES ? found(&v, close, m) : a;
}

enum er_chat_answer er_chat_inside(
    bool items, struct er_chat_view v, struct er_chat_match *m)
{
    struct er_chat_view again = v;
    enum er_chat_answer a = json_value(&v, m);
    if (a == ER_CHAT_NO && items && !m->n_calls) {
        v = again;
        a = item(&v, false, m);
    }
    m->len = v.at;
    return a;
}

/* What all families but Mistral may begin with, by its first byte. */
static enum er_chat_answer marked(enum er_chat_family family,
    struct er_chat_view v, struct er_chat_match *m)
{
    enum er_chat_answer a = ER_CHAT_NO, b = ER_CHAT_NO;
    if (v.s[v.at] == '`')
        return fence(v, family, m);
    if (v.s[v.at] != '<')
        return ER_CHAT_NO;
    if ((a = function_tag(v, m)) == ER_CHAT_YES)
        return a;
    b = family == ER_CHAT_LLAMA3 ? python_tag(v, m) : wrapper(v, m);
    return b == ER_CHAT_NO ? a : b;
}

enum er_chat_answer er_chat_opening(enum er_chat_family family,
    struct er_chat_view v, struct er_chat_match *m)
{
    char c = v.s[v.at];
    enum er_chat_answer a = ER_CHAT_NO;
    if (family == ER_CHAT_MISTRAL) {
        struct er_chat_view tagged = v;
        a = er_chat_tagged(family, tagged, m);
        if (a != ER_CHAT_NO || c != '[' || m->n_calls)
            return a;
        a = json_value(&v, m);
    } else if (c == '<' || c == '`') {
        return marked(family, v, m);
    } else if (family == ER_CHAT_LLAMA3) {
        struct er_chat_view call = v;
        a = list_value(&v, m);
        if (a == ER_CHAT_NO && !m->n_calls) {
            v = call;
            a = er_chat_python_call(&v, false, m);
        }
    } else {
        a = json_value(&v, m);
    }
    return a == ER_CHAT_YES ? found(&v, NULL, m) : a;
}
