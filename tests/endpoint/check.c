/* What providers reject: the history and the request held against the rules.
 *
 * The rules are those of the strictest provider for each point, because a
 * history must be one that all of them accept: every assistant message with
 * calls is followed at once by exactly one tool message per id; ids are
 * unique over the whole request; arguments are a text that is a JSON object;
 * content is a string, null only on the OpenAI route beside calls.
 */
#include "endpoint.h"

#include "base/text.h"

#include <stdarg.h>
#include <string.h>

struct check {
    const struct ep_request *r;
    const char *param;
    const char *why; /* NULL: nothing wrong so far */
    json_t *ids;     /* all ids of calls so far; true: answered */
    size_t open;     /* calls of the last assistant message unanswered */
};

static bool wrong(struct check *c, const char *param, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Keep the first fault; always false. */
static bool wrong(struct check *c, const char *param, const char *fmt, ...)
{
    if (c->why)
        return false;
    struct er_buf b;
    er_buf_init(&b, 1000);
    va_list ap;
    va_start(ap, fmt);
    er_buf_vaddf(&b, fmt, ap);
    va_end(ap);
    c->why = er_arena_str(c->r->arena, b.failed ? fmt : er_buf_str(&b));
    c->param = param;
    er_buf_release(&b);
    return false;
}

static bool is_name(const char *s)
{
    size_t n = s ? strlen(s) : 0;
    return n > 0 && n <= 64 &&
           strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                     "0123456789_-") == n;
}

/* A string; an array of parts only on the OpenAI route. */
static bool check_content(struct check *c, const json_t *content, size_t i)
{
    if (json_is_string(content))
        return true;
    if (c->r->route == EP_WORKERS || !json_is_array(content))
        return wrong(c, "messages",
            "messages[%zu].content must be a string", i);
    size_t k;
    json_t *part;
    json_array_foreach(content, k, part)
        if (!er_json_str(part, "type"))
            return wrong(c, "messages",
                "messages[%zu].content[%zu] has no type", i, k);
    return true;
}

static bool check_arguments(struct check *c, const json_t *call, size_t i)
{
    const json_t *fn = json_object_get(call, "function");
    const json_t *args = json_object_get(fn, "arguments");
    if (!json_is_string(args))
        return wrong(c, "messages",
            "messages[%zu]: function.arguments must be a string", i);
    json_t *value = er_json_parse(json_string_value(args),
        json_string_length(args), ER_JSON_LENIENT, NULL);
    bool ok = json_is_object(value);
    json_decref(value);
    return ok || wrong(c, "messages",
        "messages[%zu]: invalid tool call arguments: not a JSON object", i);
}

static bool check_call(struct check *c, const json_t *call, size_t i)
{
    const char *id = er_json_str(call, "id");
    const char *type = er_json_str(call, "type");
    const json_t *fn = json_object_get(call, "function");
    if (!id || !*id || strlen(id) > 64)
        return wrong(c, "messages",
            "messages[%zu]: a tool call needs an id of 1 to 64 bytes", i);
    if (json_object_get(c->ids, id))
        return wrong(c, "messages",
            "messages[%zu]: tool call id '%s' stands twice", i, id);
    if (!type || strcmp(type, "function") != 0)
        return wrong(c, "messages",
            "messages[%zu]: tool call type must be 'function'", i);
    if (!is_name(er_json_str(fn, "name")))
        return wrong(c, "messages", "messages[%zu]: function.name must "
            "match [a-zA-Z0-9_-]{1,64}", i);
    if (!check_arguments(c, call, i))
        return false;
    json_object_set_new(c->ids, id, json_false());
    c->open++;
    return true;
}

static bool check_assistant(struct check *c, const json_t *m, size_t i)
{
    const json_t *calls = json_object_get(m, "tool_calls");
    const json_t *content = json_object_get(m, "content");
    if (calls && (!json_is_array(calls) || json_array_size(calls) == 0))
        return wrong(c, "messages",
            "messages[%zu].tool_calls must be an array of at least one", i);
    bool may_lack = calls && c->r->route == EP_CHAT;
    if (!(may_lack && (!content || json_is_null(content))) &&
        !check_content(c, content, i))
        return false;
    size_t k;
    json_t *call;
    json_array_foreach(calls, k, call)
        if (!check_call(c, call, i))
            return false;
    return true;
}

static bool check_result(struct check *c, const json_t *m, size_t i)
{
    const char *id = er_json_str(m, "tool_call_id");
    if (!id)
        return wrong(c, "messages", "messages[%zu]: a tool message needs a "
            "tool_call_id", i);
    const json_t *known = json_object_get(c->ids, id);
    if (!known || c->open == 0)
        return wrong(c, "messages", "messages[%zu]: a tool message must "
            "follow an assistant message with that tool call ('%s')", i, id);
    if (json_is_true(known))
        return wrong(c, "messages",
            "messages[%zu]: a second result for '%s'", i, id);
    json_object_set_new(c->ids, id, json_true());
    c->open--;
    return check_content(c, json_object_get(m, "content"), i);
}

static bool check_message(struct check *c, const json_t *m, size_t i)
{
    const char *role = er_json_str(m, "role");
    if (!role)
        return wrong(c, "messages", "messages[%zu] has no role", i);
    if (!strcmp(role, "tool"))
        return check_result(c, m, i);
    if (c->open > 0)
        return wrong(c, "messages", "messages[%zu]: an assistant message "
            "with tool_calls must be followed by a tool message for each; "
            "%zu missing", i, c->open);
    if (!strcmp(role, "assistant"))
        return check_assistant(c, m, i);
    if (strcmp(role, "system") != 0 && strcmp(role, "user") != 0 &&
        (strcmp(role, "developer") != 0 || c->r->route == EP_WORKERS))
        return wrong(c, "messages", "messages[%zu]: unknown role '%.40s'", i,
            role);
    return check_content(c, json_object_get(m, "content"), i);
}

static bool check_messages(struct check *c)
{
    const json_t *list = json_object_get(c->r->body, "messages");
    const json_t *prompt = json_object_get(c->r->body, "prompt");
    if (!list && c->r->route == EP_WORKERS && json_is_string(prompt))
        return json_string_length(prompt) > 0 ||
               wrong(c, "prompt", "'/prompt' must not be empty");
    if (!json_is_array(list) || json_array_size(list) == 0)
        return wrong(c, "messages",
            "messages must be an array of at least one message");
    size_t i;
    json_t *m;
    json_array_foreach(list, i, m)
        if (!check_message(c, m, i))
            return false;
    return c->open == 0 || wrong(c, "messages", "an assistant message with "
        "tool_calls must be followed by a tool message for each; %zu "
        "missing at the end", c->open);
}

/* Form A of Workers AI is flat; form B and OpenAI nest it. */
static const json_t *function_of(const struct check *c, const json_t *tool)
{
    const json_t *fn = json_object_get(tool, "function");
    return !fn && c->r->route == EP_WORKERS ? tool : fn;
}

static bool check_tool(
    struct check *c, const json_t *tool, size_t i, json_t *names)
{
    const json_t *fn = function_of(c, tool);
    const char *name = er_json_str(fn, "name");
    const json_t *parameters = json_object_get(fn, "parameters");
    if (fn != tool && (!er_json_str(tool, "type") ||
        strcmp(er_json_str(tool, "type"), "function") != 0))
        return wrong(c, "tools", "tools[%zu].type must be 'function'", i);
    if (!is_name(name))
        return wrong(c, "tools",
            "tools[%zu]: name must match [a-zA-Z0-9_-]{1,64}", i);
    if (json_object_get(names, name))
        return wrong(c, "tools", "tools[%zu]: '%s' stands twice", i, name);
    json_object_set_new(names, name, json_true());
    if (parameters && !json_is_object(parameters))
        return wrong(c, "tools",
            "tools[%zu]: parameters must be an object", i);
    if (c->r->route == EP_WORKERS &&
        (!er_json_str(fn, "description") ||
         !er_json_str(parameters, "type") ||
         !json_is_object(json_object_get(parameters, "properties"))))
        return wrong(c, "tools", "tools[%zu]: needs description, "
            "parameters.type and parameters.properties", i);
    return true;
}

static bool check_tools(struct check *c)
{
    const json_t *tools = json_object_get(c->r->body, "tools");
    if (!tools)
        return !json_object_get(c->r->body, "tool_choice") ||
               wrong(c, "tool_choice",
                   "tool_choice is only allowed when tools are given");
    if (!json_is_array(tools) || json_array_size(tools) == 0)
        return wrong(c, "tools", "tools must be an array of at least one");
    json_t *names = json_object();
    size_t i;
    json_t *tool;
    bool ok = true;
    json_array_foreach(tools, i, tool)
        ok = ok && check_tool(c, tool, i, names);
    json_decref(names);
    return ok;
}

static bool check_numbers(struct check *c)
{
    static const struct {
        const char *name;
        double min, max_openai, max_workers;
    } rows[] = {{"temperature", 0, 2, 5}, {"top_p", 0, 1, 2},
        {"top_k", 1, 1e9, 50}, {"max_tokens", 1, 1e9, 1e9},
        {"max_completion_tokens", 1, 1e9, 1e9},
        {"frequency_penalty", -2, 2, 2}, {"presence_penalty", -2, 2, 2},
        {"repetition_penalty", 0, 2, 2}, {"seed", -9.3e18, 9.3e18, 1e10}};
    bool workers = c->r->route == EP_WORKERS;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const json_t *v = json_object_get(c->r->body, rows[i].name);
        double max = workers ? rows[i].max_workers : rows[i].max_openai;
        if (!v || (json_is_null(v) && !workers))
            continue;
        if (!json_is_number(v))
            return wrong(c, rows[i].name, "'/%s' must be a number",
                rows[i].name);
        if (json_number_value(v) < rows[i].min)
            return wrong(c, rows[i].name, "'/%s' must be >= %g",
                rows[i].name, rows[i].min);
        if (json_number_value(v) > max)
            return wrong(
                c, rows[i].name, "'/%s' must be <= %g", rows[i].name, max);
    }
    return true;
}

static bool check_body(struct check *c)
{
    const struct ep_request *r = c->r;
    if (er_utf8_valid_prefix(r->body_text, r->body_len) != r->body_len)
        return wrong(c, "", "the body is not UTF-8");
    if (!json_is_object(r->body))
        return wrong(c, "", "the body is not a JSON object");
    if (r->route == EP_CHAT && !er_json_str(r->body, "model"))
        return wrong(c, "model", "model must be a string");
    const json_t *stream = json_object_get(r->body, "stream");
    if (stream && !json_is_boolean(stream) && !json_is_null(stream))
        return wrong(c, "stream", "stream must be true or false");
    if (r->route == EP_CHAT && !json_is_true(stream) &&
        json_object_get(r->body, "stream_options"))
        return wrong(c, "stream_options",
            "stream_options is only allowed when stream is true");
    return check_numbers(c) && check_tools(c) && check_messages(c);
}

const char *ep_check(const struct ep_request *r, const char **param)
{
    struct check c = {.r = r, .param = "", .ids = json_object()};
    check_body(&c);
    json_decref(c.ids);
    *param = c.param;
    return c.why;
}
