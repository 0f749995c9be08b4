/* What a model says, written in the dialect and framing that was asked for.
 *
 * Written by hand into a buffer rather than built as values: a streamed text
 * of 20,000 tokens is 20,000 events, and the endpoint must not be what a
 * benchmark measures.
 */
#include "endpoint.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

struct writer {
    const struct ep_request *r;
    const struct ep_answer *a;
    struct er_buf *out;
    bool chunked;  /* each event is one HTTP chunk */
    long shape;    /* of Workers AI: 1, 2 or 3 */
    size_t opened; /* where the event being written began */
    struct er_buf head; /* of an OpenAI chunk, the same for all */
};

static void adds(struct writer *w, const char *s)
{
    er_buf_adds(w->out, s);
}

static void quoted(struct writer *w, const char *s)
{
    er_json_add_string(w->out, s, strlen(s));
}

/* --- framing of events. A chunk's length stands before it: room is left
 * for six hexadecimal digits. */

static void open_event(struct writer *w)
{
    if (w->chunked)
        adds(w, "000000\r\n");
    w->opened = w->out->len;
    adds(w, "data: ");
}

static void close_event(struct writer *w)
{
    adds(w, "\n\n");
    if (!w->chunked || w->out->failed)
        return;
    size_t len = w->out->len - w->opened;
    char *digits = w->out->data + w->opened - 8;
    for (int i = 5; i >= 0; i--, len >>= 4)
        digits[i] = "0123456789abcdef"[len & 15];
    adds(w, "\r\n");
}

static void event(struct writer *w, const char *text)
{
    open_event(w);
    adds(w, text);
    close_event(w);
}

/* The next piece of a text: up to and with the next space. */
static size_t piece_len(const char *s, size_t len)
{
    const char *space = memchr(s, ' ', len);
    return space ? (size_t)(space - s) + 1 : len;
}

/* --- pieces both dialects share */

static void add_usage(struct writer *w)
{
    const struct ep_answer *a = w->a;
    er_buf_addf(w->out,
        "{\"prompt_tokens\":%ld,\"completion_tokens\":%ld,"
        "\"total_tokens\":%ld}",
        a->prompt_tokens, a->completion_tokens,
        a->prompt_tokens + a->completion_tokens);
}

static void add_call(struct writer *w, const struct ep_call *call)
{
    adds(w, "{\"id\":");
    quoted(w, call->id);
    adds(w, ",\"type\":\"function\",\"function\":{\"name\":");
    quoted(w, call->name);
    adds(w, ",\"arguments\":");
    quoted(w, call->args);
    adds(w, "}}");
}

static void add_calls(struct writer *w)
{
    for (size_t i = 0; i < w->a->n_calls; i++) {
        adds(w, i ? "," : ",\"tool_calls\":[");
        add_call(w, &w->a->calls[i]);
    }
    if (w->a->n_calls)
        adds(w, "]");
}

static void add_content(struct writer *w)
{
    if (w->a->n_calls && w->a->text_len == 0)
        adds(w, "null");
    else
        er_json_add_string(w->out, w->a->text, w->a->text_len);
}

/* --- OpenAI */

static void openai_choices(struct writer *w)
{
    adds(w, "\"choices\":[{\"index\":0,\"message\":"
            "{\"role\":\"assistant\",\"content\":");
    add_content(w);
    if (w->a->reasoning) {
        adds(w, ",\"reasoning_content\":");
        quoted(w, w->a->reasoning);
    }
    adds(w, ",\"refusal\":null");
    add_calls(w);
    adds(w, "},\"logprobs\":null,\"finish_reason\":");
    quoted(w, w->a->finish);
    adds(w, "}],\"usage\":");
    add_usage(w);
}

/* An id that no other reply of a conversation has, and that is the same in
 * each run: there are clients that keep one message per id. */
static void add_id(struct er_buf *out, const struct ep_answer *a)
{
    char id[80] = "chatcmpl-errand";
    if (a->n_calls)
        snprintf(id, sizeof id, "chatcmpl-errand-%s", a->calls[0].id);
    er_text_trim_utf8(id);
    er_buf_adds(out, "{\"id\":");
    er_json_add_string(out, id, strlen(id));
}

static void openai_whole(struct writer *w)
{
    add_id(w->out, w->a);
    adds(w, ",\"object\":\"chat.completion\","
            "\"created\":1700000000,\"model\":");
    quoted(w, w->r->full_model);
    adds(w, ",");
    openai_choices(w);
    adds(w, "}");
}

static void open_chunk(struct writer *w)
{
    open_event(w);
    er_buf_add(w->out, w->head.data, w->head.len);
}

static void close_chunk(struct writer *w, const char *finish)
{
    adds(w, "},\"logprobs\":null,\"finish_reason\":");
    if (finish)
        quoted(w, finish);
    else
        adds(w, "null");
    adds(w, w->r->want_usage ? "}],\"usage\":null}" : "}]}");
    close_event(w);
}

static void openai_pieces(
    struct writer *w, const char *field, const char *text, size_t len)
{
    while (len > 0) {
        size_t n = piece_len(text, len);
        open_chunk(w);
        adds(w, field);
        er_json_add_string(w->out, text, n);
        close_chunk(w, NULL);
        text += n;
        len -= n;
    }
}

static void arguments_delta(
    struct writer *w, size_t index, const char *args, size_t len)
{
    if (len == 0)
        return;
    open_chunk(w);
    er_buf_addf(w->out, "\"tool_calls\":[{\"index\":%zu,"
        "\"function\":{\"arguments\":", index);
    er_json_add_string(w->out, args, len);
    adds(w, "}}]");
    close_chunk(w, NULL);
}

/* Name first, then the arguments in two pieces. */
static void openai_call_deltas(struct writer *w, size_t index)
{
    const struct ep_call *call = &w->a->calls[index];
    open_chunk(w);
    er_buf_addf(w->out, "\"tool_calls\":[{\"index\":%zu,\"id\":", index);
    quoted(w, call->id);
    adds(w, ",\"type\":\"function\",\"function\":{\"name\":");
    quoted(w, call->name);
    adds(w, ",\"arguments\":\"\"}}]");
    close_chunk(w, NULL);
    size_t len = strlen(call->args);
    size_t half = er_utf8_cut(call->args, len, len / 2);
    arguments_delta(w, index, call->args, half);
    arguments_delta(w, index, call->args + half, len - half);
}

static void openai_head(struct writer *w)
{
    er_buf_init(&w->head, 1000);
    add_id(&w->head, w->a);
    er_buf_adds(&w->head,
        ",\"object\":\"chat.completion.chunk\","
        "\"created\":1700000000,\"model\":");
    er_json_add_string(&w->head, w->r->full_model,
        strlen(w->r->full_model));
    er_buf_adds(&w->head, ",\"choices\":[{\"index\":0,\"delta\":{");
}

/* Everything but the usage and [DONE]. */
static void openai_deltas(struct writer *w)
{
    openai_head(w);
    open_chunk(w);
    adds(w, "\"role\":\"assistant\",\"content\":");
    adds(w, w->a->n_calls ? "null" : "\"\"");
    close_chunk(w, NULL);
    if (w->a->reasoning)
        openai_pieces(w, "\"reasoning_content\":", w->a->reasoning,
            strlen(w->a->reasoning));
    openai_pieces(w, "\"content\":", w->a->text, w->a->text_len);
    for (size_t i = 0; i < w->a->n_calls; i++)
        openai_call_deltas(w, i);
    open_chunk(w);
    close_chunk(w, w->a->finish);
    er_buf_release(&w->head);
}

static void openai_stream(struct writer *w)
{
    openai_deltas(w);
    if (w->r->want_usage) {
        open_event(w);
        add_id(w->out, w->a);
        adds(w, ",\"object\":\"chat.completion.chunk\","
                "\"created\":1700000000,\"model\":");
        quoted(w, w->r->full_model);
        adds(w, ",\"choices\":[],\"usage\":");
        add_usage(w);
        adds(w, "}");
        close_event(w);
    }
    event(w, "[DONE]");
}

/* --- Workers AI */

/* Shape 1: no id, arguments as an object where they are one. */
static void native_calls(struct writer *w)
{
    adds(w, "\"tool_calls\":[");
    for (size_t i = 0; i < w->a->n_calls; i++) {
        const struct ep_call *call = &w->a->calls[i];
        json_t *args = er_json_parse(
            call->args, strlen(call->args), ER_JSON_LENIENT, NULL);
        adds(w, i ? ",{\"name\":" : "{\"name\":");
        quoted(w, call->name);
        adds(w, ",\"arguments\":");
        if (args)
            er_json_add(w->out, args);
        else
            quoted(w, call->args);
        adds(w, "}");
        json_decref(args);
    }
    adds(w, "]");
}

static void workers_whole(struct writer *w)
{
    adds(w, "{\"result\":{");
    if (w->shape == 3) {
        openai_choices(w);
    } else {
        adds(w, "\"response\":");
        add_content(w);
        if (w->shape == 1 && w->a->n_calls) {
            adds(w, ",");
            native_calls(w);
        } else {
            add_calls(w);
        }
        adds(w, ",\"usage\":");
        add_usage(w);
    }
    adds(w, "},\"success\":true,\"errors\":[],\"messages\":[]}");
}

/* Shape 2 in a stream: an opening delta, the arguments, and the empty
 * sentinel that some deployments send behind each call. */
static void workers_call_deltas(struct writer *w, size_t index)
{
    const struct ep_call *call = &w->a->calls[index];
    open_event(w);
    adds(w, "{\"response\":\"\",\"tool_calls\":[{\"id\":");
    quoted(w, call->id);
    er_buf_addf(w->out, ",\"type\":\"function\",\"index\":%zu,"
        "\"function\":{\"name\":", index);
    quoted(w, call->name);
    adds(w, "}}]}");
    close_event(w);
    open_event(w);
    er_buf_addf(w->out, "{\"response\":\"\",\"tool_calls\":[{\"index\":%zu,"
        "\"function\":{\"arguments\":", index);
    quoted(w, call->args);
    adds(w, "}}]}");
    close_event(w);
    open_event(w);
    er_buf_addf(w->out, "{\"response\":\"\",\"tool_calls\":[{\"id\":null,"
        "\"type\":null,\"index\":%zu,\"function\":{\"name\":null,"
        "\"arguments\":\"\"}}]}", index);
    close_event(w);
}

static void workers_stream(struct writer *w)
{
    const char *text = w->a->text;
    size_t len = w->a->text_len;
    if (w->shape == 3)
        openai_deltas(w);
    while (w->shape != 3 && len > 0) {
        size_t n = piece_len(text, len);
        open_event(w);
        adds(w, "{\"response\":");
        er_json_add_string(w->out, text, n);
        adds(w, ",\"p\":\"abdefghij\"}");
        close_event(w);
        text += n;
        len -= n;
    }
    if (w->shape == 1 && w->a->n_calls) {
        open_event(w);
        adds(w, "{\"response\":\"\",");
        native_calls(w);
        adds(w, "}");
        close_event(w);
    }
    for (size_t i = 0; w->shape == 2 && i < w->a->n_calls; i++)
        workers_call_deltas(w, i);
    open_event(w);
    adds(w, "{\"response\":\"\",\"usage\":");
    add_usage(w);
    adds(w, "}");
    close_event(w);
    event(w, "[DONE]");
}

/* --- both */

static void render(const struct ep_request *r, const struct ep_answer *a,
    bool events, bool chunked, struct er_buf *out)
{
    struct writer w = {.r = r, .a = a, .out = out, .chunked = chunked,
        .shape = ep_option(r->model, "shape", 1)};
    if (r->route == EP_WORKERS)
        (events ? workers_stream : workers_whole)(&w);
    else
        (events ? openai_stream : openai_whole)(&w);
}

void ep_render_body(const struct ep_request *r, const struct ep_answer *a,
    bool events, struct er_buf *out)
{
    render(r, a, events, false, out);
}

void ep_render(const struct ep_request *r, const struct ep_answer *a,
    struct ep_plan *p)
{
    size_t from = p->bytes.len;
    if (r->stream) {
        ep_plan_head(p, 200, "text/event-stream", -1, "");
        render(r, a, true, true, &p->bytes);
        er_buf_adds(&p->bytes, "0\r\n\r\n");
        ep_plan_send_from(p, from);
        return;
    }
    struct er_buf body;
    er_buf_init(&body, 128 << 20);
    render(r, a, false, false, &body);
    ep_plan_whole(p, 200, "application/json", "", er_buf_str(&body),
        body.len);
    er_buf_release(&body);
}

void ep_render_error(const struct ep_request *r, int status, long code,
    const char *message, const char *param, const char *headers,
    struct ep_plan *p)
{
    struct er_buf b;
    er_buf_init(&b, 64 << 10);
    if (r->route == EP_WORKERS) {
        er_buf_adds(&b, "{\"result\":null,\"success\":false,\"errors\":"
                        "[{\"message\":");
        er_json_add_string(&b, message, strlen(message));
        er_buf_addf(&b, ",\"code\":%ld}],\"messages\":[]}", code);
    } else {
        er_buf_adds(&b, "{\"error\":{\"message\":");
        er_json_add_string(&b, message, strlen(message));
        er_buf_addf(&b, ",\"type\":\"%s\",\"param\":",
            status == 429 ? "rate_limit_error"
            : status < 500 ? "invalid_request_error" : "server_error");
        if (*param)
            er_json_add_string(&b, param, strlen(param));
        else
            er_buf_adds(&b, "null");
        er_buf_addf(&b, ",\"code\":%ld}}", code);
    }
    ep_plan_whole(p, status, "application/json", headers, er_buf_str(&b),
        b.len);
    er_buf_release(&b);
}
