/* Requests and answers without memory. A missing allocation must never
 * change what is said: an answer is whole or an error, a request too. */
#include "oom/oom.h"

#include "base/error.h"
#include "model/debug_parse.h"
#include "model/wire.h"

#include <stdlib.h>
#include <string.h>

/* What an answer came to, to be compared with what it should come to. */
struct outcome {
    size_t text, reasoning, calls, arguments;
    bool done, extra;
    struct errand_error error;
};

static void on_event(void *ctx, const struct er_model_event *ev)
{
    struct outcome *o = ctx;
    if (ev->type == ER_MODEL_TEXT)
        o->text += ev->len;
    if (ev->type == ER_MODEL_REASONING)
        o->reasoning += ev->len;
    if (ev->type == ER_MODEL_CALL) {
        o->calls++;
        o->arguments += ev->call->arguments_len;
    }
    if (ev->type == ER_MODEL_DONE) {
        o->done = true;
        o->extra = ev->extra != NULL;
    }
    if (ev->type == ER_MODEL_ERROR)
        o->error = *ev->error;
}

static int read_all(enum er_dialect dialect, enum er_framing framing,
    const char *bytes, size_t step, const struct outcome *want,
    struct errand_error *err)
{
    struct outcome got = {0};
    er_reader *r = er_reader_new(
        dialect, framing, 1 << 20, on_event, &got);
    if (!r)
        return er_nomem(err);
    size_t len = strlen(bytes);
    for (size_t at = 0; at < len; at += step)
        er_reader_feed(r, bytes + at, len - at < step ? len - at : step);
    int code = er_reader_end(r);
    er_reader_free(r);
    if (code != ERRAND_OK) {
        *err = got.error;
        return code;
    }
    bool same = got.done && got.text == want->text &&
                got.reasoning == want->reasoning &&
                got.calls == want->calls &&
                got.arguments == want->arguments && got.extra == want->extra;
    return same ? ERRAND_OK
                : er_fail(err, ERRAND_BUG, "the answer is not the same");
}

#define DELTA(members)                                                    \
    "data: {\"choices\":[{\"delta\":{" members "}}],\"usage\":{"              \
    "\"prompt_tokens\":5,\"completion_tokens\":3}}\n\n"
#define TEXT DELTA("\"content\":\"a\\u00e9\"")
#define PIECE                                                             \
    DELTA("\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":"         \
          "\" \"}}]")
#define EIGHT(x) x x x x x x x x

static int case_stream(struct errand_error *err)
{
    static const char bytes[] =
        DELTA("\"reasoning\":\"hm\",\"reasoning_details\":[{\"type\":"
              "\"reasoning.text\",\"text\":\"h\"}]")
        DELTA("\"reasoning_details\":[{\"type\":\"reasoning.text\",\"text\":"
              "\"m\"}],\"extra_content\":{\"a\":1}")
        EIGHT(TEXT)
        DELTA("\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"extra_content\":{"
              "\"b\":2},\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]")
        EIGHT(PIECE)
        DELTA("\"tool_calls\":[{\"index\":1,\"function\":{\"name\":\"g\","
              "\"arguments\":{\"x\":[1,2]}}}]")
        "data: [DONE]\n\n";
    const struct outcome want = {.text = 24, .reasoning = 2, .calls = 2,
        .arguments = 10 + 11, .extra = true};
    return read_all(ER_OPENAI, ER_SSE, bytes, 100, &want, err);
}

static int case_whole(struct errand_error *err)
{
    static const char bytes[] =
        "{\"success\":true,\"result\":{\"response\":{\"a\":[1]},"
        "\"big\":123456789012345678901234567890,\"tool_calls\":[{"
        "\"name\":\"f\",\"arguments\":{\"x\":1}}]}}";
    const struct outcome want = {.text = 9, .calls = 1, .arguments = 7};
    return read_all(ER_WORKERS_AI, ER_WHOLE, bytes, 50, &want, err);
}

static int case_error(struct errand_error *err)
{
    static const char body[] = "{\"error\":{\"message\":\"sk-0123456789ab "
                               "is no key\",\"code\":\"x\"}}";
    struct errand_error said = {0};
    bool retriable;
    int code = er_wire_error(
        ER_OPENAI, 401, body, strlen(body), &retriable, &said);
    return code == ERRAND_AUTH && !retriable && said.msg[0]
        ? ERRAND_OK : er_fail(err, ERRAND_BUG, "another error: %s", said.msg);
}

static const char messages[] =
    "[{\"role\":\"system\",\"content\":\"a\"},"
    "{\"role\":\"system\",\"content\":\"b\"},"
    "{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{\"id\":\"1\","
    "\"name\":\"f\",\"arguments\":\"{\\\"x\\\":[1,2,{}]}\"}]},"
    "{\"role\":\"tool\",\"tool_call_id\":\"1\",\"name\":\"f\","
    "\"content\":\"r\"}]";
static const char tools[] =
    "[{\"name\":\"f\",\"parameters\":{\"properties\":{\"x\":{\"enum\":[1]}}}}"
    "]";

static int write_body(enum er_dialect dialect,
    const struct er_quirks *quirks, const char *part,
    struct errand_error *err)
{
    struct er_sampling sampling;
    struct er_buf out;
    er_sampling_defaults(&sampling);
    er_buf_init(&out, 1 << 20);
    struct er_model_request req = {.model = "m", .sampling = &sampling,
        .tool_choice = "f", .prompt = er_prompt_new()};
    req.messages = er_json_parse(
        messages, strlen(messages), ER_JSON_STRICT, err);
    req.tools = req.messages
        ? er_json_parse(tools, strlen(tools), ER_JSON_STRICT, err) : NULL;
    int code = req.tools ? er_wire_body(dialect, quirks, &req, &out, err)
                         : err->code;
    if (code == ERRAND_OK && !strstr(er_buf_str(&out), part))
        code = er_fail(err, ERRAND_BUG, "another request: %s",
            er_buf_str(&out));
    er_buf_reset(&out); /* once more, with what was kept */
    if (code == ERRAND_OK)
        code = er_wire_body(dialect, quirks, &req, &out, err);
    if (code == ERRAND_OK && !strstr(er_buf_str(&out), part))
        code = er_fail(err, ERRAND_BUG, "another request: %s",
            er_buf_str(&out));
    er_prompt_free(req.prompt);
    json_decref(req.messages);
    json_decref(req.tools);
    er_buf_release(&out);
    return code;
}

static int case_openai_body(struct errand_error *err)
{
    const struct er_quirks quirks = {.one_system = true};
    return write_body(ER_OPENAI, &quirks,
        "\"arguments\":\"{\\\"x\\\":[1,2,{}]}\"", err);
}

static int case_workers_body(struct errand_error *err)
{
    const struct er_quirks quirks = {.content_calls = true};
    return write_body(ER_WORKERS_AI, &quirks,
        "\\\"arguments\\\":{\\\"x\\\":[1,2,{}]}", err);
}

static int case_debug_parse(struct errand_error *err)
{
    static const char input[] =
        "{\"stream\":[{\"choices\":[{\"delta\":{\"content\":\"a\","
        "\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":"
        "\"{}\"}}]}}]},\"data: [DONE]\\n\\n\"]}";
    json_t *in = er_json_parse(input, strlen(input), ER_JSON_STRICT, err);
    json_t *out = in ? er_wire_debug_parse("openai-sse", in, err) : NULL;
    int code = out ? ERRAND_OK : err->code;
    const json_t *failed = json_object_get(out, "error");
    if (failed && strcmp(er_json_str(failed, "code"), "NOMEM") != 0)
        code = er_fail(err, ERRAND_BUG, "%s", er_json_str(failed, "message"));
    json_decref(in);
    json_decref(out);
    return code;
}

int main(void)
{
    const struct oom_case cases[] = {
        {"stream", case_stream, NULL}, {"whole", case_whole, NULL},
        {"error", case_error, NULL},
        {"openai_body", case_openai_body, NULL},
        {"workers_body", case_workers_body, NULL},
        {"debug_parse", case_debug_parse, NULL},
    };
    return oom_main(cases, sizeof cases / sizeof cases[0]);
}
