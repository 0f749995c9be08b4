/* The chat reader without memory: it says so, or reads what it always reads;
 * a call never turns into text because there was no memory to see it. */
#include "oom/oom.h"

#include "support/chat_kit.h"

static int read_all(enum er_chat_family family, const char *in,
    const char *content, const char *calls)
{
    static const char *const names[] = {"tick", "get", "python", NULL};
    const struct er_chat_options opt = {.tools = names};
    struct chat_log log;
    chat_log_init(&log);
    er_chat_parser *p =
        er_chat_parser_new(family, &opt, &chat_log_events, &log);
    int rc = p ? ERRAND_OK : ERRAND_NOMEM;
    size_t len = strlen(in);
    for (size_t i = 0; i < len && rc == ERRAND_OK; i += 7)
        rc = er_chat_parser_feed(p, in + i, len - i < 7 ? len - i : 7);
    if (rc == ERRAND_OK)
        rc = er_chat_parser_end(p);
    if (rc == ERRAND_OK && (log.content.failed || log.calls.failed))
        rc = ERRAND_NOMEM;
    if (rc == ERRAND_OK && (strcmp(er_buf_str(&log.content), content) != 0 ||
                               strcmp(er_buf_str(&log.calls), calls) != 0))
        rc = ERRAND_BUG;
    er_chat_parser_free(p);
    chat_log_release(&log);
    return rc;
}

static int told(int rc, struct errand_error *err)
{
    return rc == ERRAND_OK ? rc
        : rc == ERRAND_NOMEM ? er_nomem(err)
        : er_fail(err, rc, "read as something else");
}

static int case_llama(struct errand_error *err)
{
    return told(read_all(ER_CHAT_LLAMA3,
        "{\"name\":\"tick\",\"parameters\":{\"n\":1}}; {'name': 'get', "
        "'parameters': {'a': 'b', 'c': [True]}}\n{\"name\":\"tick\","
        "\"parameters\":\"{}\"} text", "text", "tick {\"n\":1}\n"
        "get {\"a\":\"b\",\"c\":[true]}\ntick {}\n"), err);
}

static int case_python(struct errand_error *err)
{
    return told(read_all(ER_CHAT_LLAMA3,
        "[tick(a='x', b={'k': None}), get()]", "",
        "tick {\"a\":\"x\",\"b\":{\"k\":null}}\nget {}\n"), err);
}

static int case_code(struct errand_error *err)
{
    return told(read_all(ER_CHAT_LLAMA3, "<|python_tag|>print('hey')", "",
        "python {\"code\":\"print('hey')\"}\n"), err);
}

static int case_hermes(struct errand_error *err)
{
    return told(read_all(ER_CHAT_HERMES,
        "See <tool_call>{\"name\":\"tick\",\"arguments\":{oops}}"
        "</tool_call><tool_call>[{\"name\":\"get\",\"id\":\"x\"}]"
        "</tool_call>", "See ", "tick {oops}\nget {} x\n"), err);
}

static int case_debug(struct errand_error *err)
{
    static const char text[] = "{\"text\":\"[TOOL_CALLS]f[ARGS]{}\","
                               "\"tools\":[\"f\"]}";
    json_t *in = er_json_parse(text, strlen(text), ER_JSON_STRICT, err);
    json_t *out = in ? er_chat_debug_parse("mistral", in, err) : NULL;
    bool right = out &&
        json_array_size(json_object_get(out, "tool_calls")) == 1;
    int rc = right ? ERRAND_OK : out ? ERRAND_BUG : err->code;
    json_decref(out);
    json_decref(in);
    return rc;
}

int main(void)
{
    static const struct oom_case cases[] = {
        {.name = "llama", .run = case_llama},
        {.name = "python", .run = case_python},
        {.name = "code", .run = case_code},
        {.name = "hermes", .run = case_hermes},
        {.name = "debug", .run = case_debug}};
    return oom_main(cases, sizeof cases / sizeof cases[0]);
}
