/* `errand debug parse` for a family's format: a case in, an answer out. */
#include "engine/chat_parse.h"

#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_TEXT = 64 << 20 };

struct answer {
    struct er_buf content, reasoning;
    json_t *calls;
    bool nomem;
};

static void on_text(void *ctx, const char *text, size_t len)
{
    er_buf_add(&((struct answer *)ctx)->content, text, len);
}

static void on_reasoning(void *ctx, const char *text, size_t len)
{
    er_buf_add(&((struct answer *)ctx)->reasoning, text, len);
}

/* The bytes as a JSON string, what is no UTF-8 replaced. */
static json_t *string_of(const char *s, size_t len)
{
    struct er_buf b;
    er_buf_init(&b, MAX_TEXT * 4u);
    json_t *v = er_json_add_string(&b, s, len)
        ? er_json_parse(b.data, b.len, ER_JSON_LENIENT, NULL) : NULL;
    er_buf_release(&b);
    return v;
}

static void on_call(void *ctx, const struct er_chat_call *call)
{
    struct answer *a = ctx;
    json_t *v = json_pack("{s:o,s:o}",
        "name", string_of(call->name, strlen(call->name)),
        "arguments", string_of(call->arguments, call->arguments_len));
    if (json_array_append_new(a->calls, v) != 0)
        a->nomem = true;
}

/* A tool's name: a text, {"name"} or {"function":{"name"}}. */
static const char *tool_name(const json_t *tool)
{
    const json_t *fn = json_object_get(tool, "function");
    if (json_is_string(tool))
        return json_string_value(tool);
    return er_json_str(json_is_object(fn) ? fn : tool, "name");
}

/* Names ended by NULL; *out is NULL if there are none. */
static int tool_names(
    const json_t *tools, const char ***out, struct errand_error *err)
{
    size_t n = json_array_size(tools), i;
    json_t *tool;
    *out = NULL;
    if (tools && !json_is_null(tools) && !json_is_array(tools))
        return er_fail(err, ERRAND_USAGE,
            "\"tools\" must be an array of definitions or names");
    if (n == 0)
        return ERRAND_OK;
    *out = calloc(n + 1, sizeof **out);
    if (!*out)
        return er_nomem(err);
    json_array_foreach(tools, i, tool) {
        (*out)[i] = tool_name(tool);
        if (!(*out)[i])
            return er_fail(err, ERRAND_USAGE, "tools[%zu] has no name", i);
    }
    return ERRAND_OK;
}

static int feed_string(
    er_chat_parser *p, const json_t *piece, struct errand_error *err)
{
    if (!json_is_string(piece))
        return er_fail(err, ERRAND_USAGE, "a case needs \"text\", a string, "
            "or \"stream\", an array of strings");
    int rc = er_chat_parser_feed(
        p, json_string_value(piece), json_string_length(piece));
    return rc == ERRAND_OK ? rc : er_nomem(err);
}

static int feed_input(
    er_chat_parser *p, const json_t *input, struct errand_error *err)
{
    const json_t *text = json_object_get(input, "text");
    const json_t *stream = json_object_get(input, "stream");
    size_t i;
    json_t *piece;
    int rc = ERRAND_OK;
    if (text || !json_is_array(stream))
        rc = feed_string(p, text ? text : stream, err);
    else
        json_array_foreach(stream, i, piece)
            if (rc == ERRAND_OK)
                rc = feed_string(p, piece, err);
    if (rc == ERRAND_OK && er_chat_parser_end(p) != ERRAND_OK)
        rc = er_nomem(err);
    return rc;
}

static json_t *result(struct answer *a, struct errand_error *err)
{
    json_t *v = a->nomem || a->content.failed || a->reasoning.failed ? NULL
        : json_pack("{s:o,s:o,s:O}",
              "content", string_of(er_buf_str(&a->content), a->content.len),
              "reasoning",
              string_of(er_buf_str(&a->reasoning), a->reasoning.len),
              "tool_calls", a->calls);
    if (!v)
        er_nomem(err);
    return v;
}

static json_t *parse(enum er_chat_family family, const json_t *input,
    const char *const *names, struct errand_error *err)
{
    static const struct er_chat_events events = {
        .text = on_text, .reasoning = on_reasoning, .call = on_call};
    struct er_chat_options opt = {.tools = names,
        .thinking_open =
            json_is_true(json_object_get(input, "thinking_open"))};
    struct answer a = {.calls = json_array()};
    er_buf_init(&a.content, MAX_TEXT);
    er_buf_init(&a.reasoning, MAX_TEXT);
    er_chat_parser *p = er_chat_parser_new(family, &opt, &events, &a);
    json_t *v = NULL;
    if (!p || !a.calls)
        er_nomem(err);
    else if (feed_input(p, input, err) == ERRAND_OK)
        v = result(&a, err);
    er_chat_parser_free(p);
    json_decref(a.calls);
    er_buf_release(&a.content);
    er_buf_release(&a.reasoning);
    return v;
}

json_t *er_chat_debug_parse(
    const char *format, const json_t *input, struct errand_error *err)
{
    enum er_chat_family family;
    const char **names = NULL;
    json_t *v = NULL;
    if (!er_chat_family_named(format, &family)) {
        er_fail(err, ERRAND_USAGE, "unknown format '%.40s': one of llama3, "
            "hermes, mistral", format);
        return NULL;
    }
    if (tool_names(json_object_get(input, "tools"), &names, err) == ERRAND_OK)
        v = parse(family, input, (const char *const *)names, err);
    free(names);
    return v;
}
