/* Request bodies of both dialects.
 *
 * The order of the members is part of the design: what stays the same in a
 * conversation (model, tools) comes first, then the messages, which only
 * grow, then everything that may change. So request N up to the closing
 * bracket of its messages is a prefix of request N+1, byte by byte.
 */
#include "model/body.h"

#include "model/prompt.h"

#include <string.h>

void er_body_key(struct er_body *b, const char *key)
{
    er_buf_addc(b->out, '"');
    er_buf_adds(b->out, key);
    er_buf_adds(b->out, "\":");
}

void er_body_text(struct er_body *b, const char *text)
{
    er_json_add_string(b->out, text, strlen(text));
}

void er_body_member(struct er_body *b, const char *key, const char *text)
{
    er_body_key(b, key);
    er_body_text(b, text);
}

void er_body_fail(struct er_body *b, bool no_memory)
{
    b->out->failed = true;
    b->out->no_memory = b->out->no_memory || no_memory;
}

static int refuse_raw(struct er_body *b)
{
    const struct er_sampling *s = b->req->sampling;
    const char *which = s && s->raw ? "raw" : s && s->lora[0] ? "lora" : NULL;
    if (!which)
        return ERRAND_OK;
    return er_fail(b->err, ERRAND_USAGE,
        "\"%s\" belongs to the prompt form of workers-ai; leave it out or "
        "ask for that form", which);
}

/* Up to the messages' bracket: what the next request begins with too. */
static int write_beginning(struct er_body *b)
{
    int code = ERRAND_OK;
    er_buf_addc(b->out, '{');
    if (b->dialect == ER_OPENAI) {
        er_body_member(b, "model", b->req->model ? b->req->model : "");
        er_buf_addc(b->out, ',');
    }
    if (er_body_has_tools(b)) {
        code = er_body_tools(b);
        er_buf_addc(b->out, ',');
    }
    er_body_key(b, "messages");
    er_buf_addc(b->out, '[');
    return code;
}

static int write_head(struct er_body *b)
{
    int code = ERRAND_OK;
    if (!er_prompt_resume(b))
        code = write_beginning(b);
    if (code == ERRAND_OK)
        code = er_body_messages(b);
    if (code == ERRAND_OK)
        er_prompt_keep(b);
    json_decref(b->ids);
    b->ids = NULL;
    er_buf_addc(b->out, ']');
    return code;
}

static int write_openai(struct er_body *b)
{
    const struct er_model_request *req = b->req;
    if (req->prompt_form)
        return er_fail(b->err, ERRAND_USAGE,
            "the prompt form is workers-ai's; this endpoint takes messages");
    if (refuse_raw(b) != ERRAND_OK)
        return b->err->code;
    int code = write_head(b);
    if (code == ERRAND_OK)
        code = er_body_tool_choice(b);
    if (b->quirks->no_parallel && er_body_has_tools(b))
        er_buf_adds(b->out, ",\"parallel_tool_calls\":false");
    er_body_sampling(b);
    er_body_schema(b);
    if (req->stream)
        er_buf_adds(b->out, ",\"stream\":true");
    if (req->stream && !b->quirks->no_stream_options)
        er_buf_adds(b->out, ",\"stream_options\":{\"include_usage\":true}");
    er_buf_addc(b->out, '}');
    return code;
}

/* The model page's Messages form. JSON mode cannot stream. */
static int write_workers(struct er_body *b)
{
    if (refuse_raw(b) != ERRAND_OK)
        return b->err->code;
    int code = write_head(b);
    if (code == ERRAND_OK)
        code = er_body_tool_choice(b);
    er_body_sampling(b);
    er_body_schema(b);
    if (b->req->stream && !b->req->schema)
        er_buf_adds(b->out, ",\"stream\":true");
    er_buf_addc(b->out, '}');
    return code;
}

/* ------------------------------------------------------------ prompt form */

static const json_t *last_user_text(const json_t *messages)
{
    for (size_t i = json_array_size(messages); i > 0; i--) {
        const json_t *message = json_array_get(messages, i - 1);
        const char *role = er_json_str(message, "role");
        if (role && strcmp(role, "user") == 0)
            return json_object_get(message, "content");
    }
    return NULL;
}

static size_t characters(const char *s, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++)
        n += ((unsigned char)s[i] & 0xC0) != 0x80;
    return n;
}

static int write_prompt(struct er_body *b)
{
    enum { PROMPT_MAX = 131072 }; /* characters */
    const json_t *prompt = last_user_text(b->req->messages);
    const struct er_sampling *s = b->req->sampling;
    size_t len = json_string_length(prompt);
    if (er_body_has_tools(b))
        return er_fail(b->err, ERRAND_USAGE,
            "the prompt form takes no tools; leave them out");
    if (len == 0)
        return er_fail(b->err, ERRAND_USAGE,
            "the prompt form needs a prompt that is not empty");
    if (characters(json_string_value(prompt), len) > PROMPT_MAX)
        return er_fail(b->err, ERRAND_TOO_LARGE,
            "the prompt has more than %d characters", PROMPT_MAX);
    er_buf_adds(b->out, "{\"prompt\":");
    er_json_add_string(b->out, json_string_value(prompt), len);
    if (s && s->raw)
        er_buf_adds(b->out, ",\"raw\":true");
    if (s && s->lora[0]) {
        er_buf_addc(b->out, ',');
        er_body_member(b, "lora", s->lora);
    }
    er_body_sampling(b);
    er_body_schema(b);
    if (b->req->stream && !b->req->schema)
        er_buf_adds(b->out, ",\"stream\":true");
    er_buf_addc(b->out, '}');
    return ERRAND_OK;
}

int er_wire_body(enum er_dialect dialect, const struct er_quirks *quirks,
    const struct er_model_request *req, struct er_buf *out,
    struct errand_error *err)
{
    static const struct er_quirks none;
    struct errand_error own = {0};
    struct er_body b = {.out = out, .dialect = dialect,
        .quirks = quirks ? quirks : &none, .req = req,
        .err = err ? err : &own};
    int code;
    if (dialect == ER_OPENAI)
        code = write_openai(&b);
    else
        code = req->prompt_form ? write_prompt(&b) : write_workers(&b);
    if (code == ERRAND_OK && out->no_memory)
        code = er_nomem(b.err);
    else if (code == ERRAND_OK && out->failed)
        code = er_fail(b.err, ERRAND_TOO_LARGE,
            "the request is larger than %zu bytes; shorten the "
            "conversation", out->max);
    return code;
}
