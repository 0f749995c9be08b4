/* Reading an answer for somebody who looks on. */
#include "model/debug_parse.h"

#include "model/reader.h"

#include <stdlib.h>
#include <string.h>

enum { ANSWER_MAX = 256 << 20 };

struct format {
    const char *name;
    enum er_dialect dialect;
    enum er_framing framing;
};

static const struct format formats[] = {
    {"openai", ER_OPENAI, ER_WHOLE},
    {"openai-sse", ER_OPENAI, ER_SSE},
    {"workers-ai", ER_WORKERS_AI, ER_WHOLE},
    {"workers-ai-sse", ER_WORKERS_AI, ER_SSE},
};

static const struct format *format_named(const char *name)
{
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
        if (name && strcmp(formats[i].name, name) == 0)
            return &formats[i];
    return NULL;
}

/* -------------------------------------------------------------- gathering */

struct gathered {
    struct er_buf content, reasoning;
    struct errand_error error; /* code 0: the answer is good */
};

static void on_event(void *ctx, const struct er_model_event *ev)
{
    struct gathered *g = ctx;
    if (ev->type == ER_MODEL_TEXT)
        er_buf_add(&g->content, ev->text, ev->len);
    else if (ev->type == ER_MODEL_REASONING)
        er_buf_add(&g->reasoning, ev->text, ev->len);
    else if (ev->type == ER_MODEL_ERROR)
        g->error = *ev->error;
}

static json_t *calls_of(const struct er_reader *r)
{
    json_t *list = json_array();
    for (size_t i = 0; i < r->calls.n; i++) {
        const struct er_call *c = &r->calls.list[i];
        json_t *call = json_pack("{ss so}", "name", er_buf_str(&c->name),
            "arguments", json_stringn(er_buf_str(&c->arguments),
                c->arguments.len));
        if (json_array_append_new(list, call) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *answer_of(
    const struct er_reader *r, const struct gathered *g)
{
    json_t *answer = json_object();
    int rc = json_object_set_new(answer, "content",
        json_stringn(er_buf_str(&g->content), g->content.len));
    rc |= json_object_set_new(answer, "reasoning",
        json_stringn(er_buf_str(&g->reasoning), g->reasoning.len));
    rc |= json_object_set_new(answer, "tool_calls", calls_of(r));
    if (g->error.code)
        rc |= json_object_set_new(answer, "error",
            json_pack("{ss ss}", "code", errand_code_name(g->error.code),
                "message", g->error.msg));
    if (rc == 0 && !g->content.failed && !g->reasoning.failed)
        return answer;
    json_decref(answer);
    return NULL;
}

/* ---------------------------------------------------------------- feeding */

static void feed_event(struct er_reader *r, const char *data, size_t len)
{
    er_reader_feed(r, "data: ", 6);
    er_reader_feed(r, data, len);
    er_reader_feed(r, "\n\n", 2);
}

/* Strings are bytes, or with as_event an event's data each; what is JSON
 * stands for itself. */
static bool feed_piece(
    struct er_reader *r, const json_t *piece, bool as_event, bool sse)
{
    char *made = json_is_string(piece) ? NULL : er_json_text(piece);
    const char *text = made ? made : json_string_value(piece);
    size_t len = made ? strlen(made) : json_string_length(piece);
    if (!text)
        return false;
    if (made ? sse : as_event)
        feed_event(r, text, len);
    else
        er_reader_feed(r, text, len);
    free(made);
    return true;
}

/* Do the pieces lack their framing, each an event's JSON? */
static bool are_bare(const json_t *stream)
{
    const char *first = json_string_value(json_array_get(stream, 0));
    return first && first[strspn(first, " \t\r\n")] == '{';
}

static bool feed(struct er_reader *r, const json_t *input)
{
    const json_t *text = json_object_get(input, "text");
    const json_t *stream = json_object_get(input, "stream");
    bool sse = r->framing == ER_SSE, bare = sse && are_bare(stream);
    bool ok = true;
    if (!stream)
        return feed_piece(r, text, false, false);
    if (!json_is_array(stream))
        return feed_piece(r, stream, false, sse);
    for (size_t i = 0; i < json_array_size(stream) && ok; i++)
        ok = feed_piece(r, json_array_get(stream, i), bare, sse);
    return ok;
}

json_t *er_wire_debug_parse(
    const char *format, const json_t *input, struct errand_error *err)
{
    const struct format *f = format_named(format);
    struct gathered g = {0};
    struct er_reader r;
    if (!f) {
        er_fail(err, ERRAND_USAGE,
            "there is no format \"%.40s\"; there are llama3, hermes, "
            "mistral, openai, openai-sse, workers-ai and workers-ai-sse",
            format ? format : "");
        return NULL;
    }
    if (!json_object_get(input, "text") &&
        !json_object_get(input, "stream")) {
        er_fail(err, ERRAND_USAGE,
            "a case must be an object with \"text\" or \"stream\"");
        return NULL;
    }
    er_buf_init(&g.content, ANSWER_MAX);
    er_buf_init(&g.reasoning, ANSWER_MAX);
    er_reader_init(
        &r, f->dialect, f->framing, ANSWER_MAX, on_event, &g);
    json_t *answer = NULL;
    if (feed(&r, input)) {
        er_reader_end(&r);
        answer = answer_of(&r, &g);
    }
    if (!answer)
        er_nomem(err);
    er_reader_release(&r);
    er_buf_release(&g.content);
    er_buf_release(&g.reasoning);
    return answer;
}
