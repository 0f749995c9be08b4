/* The messages of a request.
 *
 * Each message's bytes depend on itself and on those before it alone: that
 * is what makes request N a prefix of request N+1. Ids are those the
 * provider gave, made fit (wire_id.c), the same for a call and its result.
 * Arguments that are no JSON object are never sent: an endpoint that once
 * gave them refuses to read them again.
 */
#include "model/body.h"

#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *message, const char *key)
{
    const char *text = er_json_str(message, key);
    return text ? text : "";
}

static void add_string(struct er_body *b, const json_t *s)
{
    if (json_is_string(s))
        er_json_add_string(
            b->out, json_string_value(s), json_string_length(s));
    else
        er_buf_adds(b->out, "\"\"");
}

static void add_content(struct er_body *b, const json_t *message)
{
    er_body_key(b, "content");
    add_string(b, json_object_get(message, "content"));
}

/* ------------------------------------------------------------------ names */

static bool is_tool(const struct er_body *b, const char *name)
{
    for (size_t i = 0; i < json_array_size(b->req->tools); i++) {
        const json_t *tool = json_array_get(b->req->tools, i);
        if (strcmp(text_of(tool, "name"), name) == 0)
            return true;
    }
    return false;
}

/* Models call tools by names that are none, and endpoints refuse to read
 * such a name again: what may not stand in one becomes "_". */
static void add_name(struct er_body *b, const char *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    enum { NAME_MAX_LEN = 64 };
    char fit[NAME_MAX_LEN + 1] = "_";
    size_t len = strlen(name);
    if ((len > 0 && len <= NAME_MAX_LEN && strspn(name, allowed) == len) ||
        is_tool(b, name)) {
        er_body_text(b, name);
        return;
    }
    for (size_t i = 0; i < len && i < NAME_MAX_LEN; i++) {
        fit[i] = strchr(allowed, name[i]) ? name[i] : '_';
        fit[i + 1] = '\0';
    }
    er_body_text(b, fit);
}

/* -------------------------------------------------------------------- ids */

/* Has an earlier call of this message the same id? */
static bool taken(struct er_body *b, const json_t *calls, size_t place,
    const char *id)
{
    for (size_t i = 0; i < place; i++) {
        const json_t *call = json_array_get(calls, i);
        const char *told = er_json_str(b->ids, text_of(call, "id"));
        if (told && strcmp(told, id) == 0)
            return true;
    }
    return false;
}

static int learn_id(struct er_body *b, const json_t *calls, size_t place)
{
    const json_t *call = json_array_get(calls, place);
    const char *ours = text_of(call, "id");
    const char *theirs = text_of(call, "provider_id");
    char told[ER_WIRE_ID_SIZE];
    size_t salt = 0;
    do {
        er_wire_id(*theirs ? theirs : ours, b->quirks->mistral_ids, salt,
            told);
    } while (taken(b, calls, place, told) && ++salt <= place);
    if (json_object_set_new(b->ids, ours, json_string(told)) != 0)
        return er_nomem(b->err);
    return ERRAND_OK;
}

static void add_told_id(struct er_body *b, const char *key, const char *ours)
{
    const char *told = er_json_str(b->ids, ours);
    char fit[ER_WIRE_ID_SIZE];
    if (!told) { /* its call is no longer in the conversation */
        er_wire_id(ours, b->quirks->mistral_ids, 0, fit);
        told = fit;
    }
    er_body_member(b, key, told);
}

/* ------------------------------------------------------------------ calls */

static void add_arguments(struct er_body *b, const json_t *call)
{
    const json_t *text = json_object_get(call, "arguments");
    struct errand_error why = {0};
    json_t *object = json_is_string(text)
        ? er_json_parse(json_string_value(text), json_string_length(text),
              ER_JSON_STRICT, &why)
        : NULL;
    bool good = json_is_object(object);
    if (why.code == ERRAND_NOMEM)
        er_body_fail(b, true);
    er_body_key(b, "arguments");
    if (b->quirks->arguments_object && good)
        er_json_add(b->out, object);
    else if (b->quirks->arguments_object)
        er_buf_adds(b->out, "{}");
    else if (good)
        add_string(b, text);
    else
        er_buf_adds(b->out, "\"{}\"");
    json_decref(object);
}

/* Opaque members that the provider wants back. */
static void add_opaque(struct er_body *b, const json_t *extra)
{
    static const char *const keys[] = {"extra_content", "reasoning_details"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const json_t *value = json_object_get(extra, keys[i]);
        if (!value)
            continue;
        er_buf_addc(b->out, ',');
        er_body_key(b, keys[i]);
        er_json_add(b->out, value);
    }
}

static void add_call(
    struct er_body *b, const json_t *call, const json_t *extra)
{
    er_buf_addc(b->out, '{');
    add_told_id(b, "id", text_of(call, "id"));
    er_buf_adds(b->out, ",\"type\":\"function\",\"function\":{");
    er_body_key(b, "name");
    add_name(b, text_of(call, "name"));
    er_buf_addc(b->out, ',');
    add_arguments(b, call);
    er_buf_addc(b->out, '}');
    add_opaque(b, extra);
    er_buf_addc(b->out, '}');
}

/* --------------------------------------------------------------- messages */

/* Thinking models want their reasoning back beside the calls it led to. */
static void add_reasoning(
    struct er_body *b, const json_t *message, const json_t *extra)
{
    const json_t *text = json_object_get(message, "reasoning");
    const json_t *opaque = json_object_get(extra, "message");
    const char *as = er_json_str(extra, "reasoning_as");
    if (b->quirks->no_reasoning || b->dialect != ER_OPENAI ||
        !json_is_string(text) || json_string_length(text) == 0 ||
        json_object_get(opaque, "reasoning_details"))
        return;
    er_buf_addc(b->out, ',');
    er_body_key(b, as ? as : "reasoning_content");
    add_string(b, text);
}

/* What the provider that is asked wants back with the message, or NULL. */
static const json_t *own_extra(const struct er_body *b, const json_t *message)
{
    const json_t *extra = json_object_get(message, "extra");
    const char *from = er_json_str(extra, "provider"), *to = b->req->provider;
    return from && to && strcmp(from, to) != 0 ? NULL : extra;
}

static int add_assistant(struct er_body *b, const json_t *message)
{
    const json_t *calls = json_object_get(message, "tool_calls");
    const json_t *extra = own_extra(b, message);
    const json_t *extras = json_object_get(extra, "calls");
    size_t n = json_array_size(calls);
    bool null = n > 0 && b->quirks->content_null &&
                b->dialect == ER_OPENAI && !*text_of(message, "content");
    er_buf_adds(b->out, "{\"role\":\"assistant\",");
    if (null)
        er_buf_adds(b->out, "\"content\":null");
    else
        add_content(b, message);
    if (n > 0) {
        add_reasoning(b, message, extra);
        er_buf_adds(b->out, ",\"tool_calls\":[");
        for (size_t i = 0; i < n; i++) {
            if (learn_id(b, calls, i) != ERRAND_OK)
                return b->err->code;
            if (i > 0)
                er_buf_addc(b->out, ',');
            add_call(b, json_array_get(calls, i),
                json_array_get(extras, i));
        }
        er_buf_addc(b->out, ']');
    }
    add_opaque(b, json_object_get(extra, "message"));
    er_buf_addc(b->out, '}');
    return ERRAND_OK;
}

static void add_tool(struct er_body *b, const json_t *message)
{
    const char *name = text_of(message, "name");
    er_buf_adds(b->out, "{\"role\":\"tool\",");
    add_told_id(b, "tool_call_id", text_of(message, "tool_call_id"));
    if (b->dialect == ER_WORKERS_AI || b->quirks->tool_name) {
        er_buf_addc(b->out, ',');
        er_body_key(b, b->quirks->tool_name ? "tool_name" : "name");
        add_name(b, name);
    }
    er_buf_addc(b->out, ',');
    add_content(b, message);
    er_buf_addc(b->out, '}');
}

/* The ai-utils dialect: a call is an assistant's JSON text of its own, a
 * result has a name and no id. */
static void add_content_calls(struct er_body *b, const json_t *message)
{
    const json_t *calls = json_object_get(message, "tool_calls");
    size_t n = json_array_size(calls);
    bool first = true;
    if (n == 0 || *text_of(message, "content")) {
        er_buf_adds(b->out, "{\"role\":\"assistant\",");
        add_content(b, message);
        er_buf_addc(b->out, '}');
        first = false;
    }
    for (size_t i = 0; i < n; i++) {
        const json_t *call = json_array_get(calls, i);
        struct er_buf text;
        er_buf_init(&text, b->out->max);
        struct er_quirks plain = {.arguments_object = true};
        struct er_body inner = *b;
        inner.out = &text;
        inner.quirks = &plain;
        er_buf_adds(&text, "{\"name\":");
        add_name(&inner, text_of(call, "name"));
        er_buf_addc(&text, ',');
        add_arguments(&inner, call);
        er_buf_addc(&text, '}');
        er_buf_adds(b->out, first ? "" : ",");
        er_buf_adds(b->out, "{\"role\":\"assistant\",\"content\":");
        er_json_add_string(b->out, er_buf_str(&text), text.len);
        er_buf_addc(b->out, '}');
        if (text.failed)
            er_body_fail(b, text.no_memory);
        er_buf_release(&text);
        first = false;
    }
}

static void add_named_result(struct er_body *b, const json_t *message)
{
    er_buf_adds(b->out, "{\"role\":\"tool\",\"name\":");
    add_name(b, text_of(message, "name"));
    er_buf_addc(b->out, ',');
    add_content(b, message);
    er_buf_addc(b->out, '}');
}

static void add_plain(
    struct er_body *b, const char *role, const json_t *message)
{
    er_buf_addc(b->out, '{');
    er_body_member(b, "role", role);
    er_buf_addc(b->out, ',');
    add_content(b, message);
    er_buf_addc(b->out, '}');
}

static const char *system_role(const struct er_body *b)
{
    return b->quirks->developer_role ? "developer" : "system";
}

static int add_message(struct er_body *b, const json_t *message, bool later)
{
    const char *role = text_of(message, "role");
    if (strcmp(role, "system") == 0) {
        bool as_user = later && b->quirks->one_system;
        add_plain(b, as_user ? "user" : system_role(b), message);
    } else if (strcmp(role, "user") == 0) {
        add_plain(b, role, message);
    } else if (strcmp(role, "assistant") == 0 && b->quirks->content_calls) {
        add_content_calls(b, message);
    } else if (strcmp(role, "assistant") == 0) {
        return add_assistant(b, message);
    } else if (strcmp(role, "tool") == 0 && b->quirks->content_calls) {
        add_named_result(b, message);
    } else if (strcmp(role, "tool") == 0) {
        add_tool(b, message);
    } else {
        return er_fail(b->err, ERRAND_USAGE,
            "a message has the role \"%.40s\"; it must be system, user, "
            "assistant or tool", role);
    }
    return ERRAND_OK;
}

static bool is_system(const json_t *message)
{
    return strcmp(text_of(message, "role"), "system") == 0;
}

/* Several system texts at the beginning, for an endpoint that takes one.
 * Returns how many messages they were. */
static size_t add_one_system(struct er_body *b, const json_t *messages)
{
    size_t n = 0;
    while (is_system(json_array_get(messages, n)))
        n++;
    if (n < 2)
        return 0;
    struct er_buf text;
    er_buf_init(&text, b->out->max);
    for (size_t i = 0; i < n; i++) {
        const json_t *message = json_array_get(messages, i);
        er_buf_adds(&text, i ? "\n\n" : "");
        er_buf_adds(&text, text_of(message, "content"));
    }
    er_buf_addc(b->out, '{');
    er_body_member(b, "role", system_role(b));
    er_buf_addc(b->out, ',');
    er_body_key(b, "content");
    er_json_add_string(b->out, er_buf_str(&text), text.len);
    er_buf_addc(b->out, '}');
    if (text.failed)
        er_body_fail(b, text.no_memory);
    er_buf_release(&text);
    return n;
}

int er_body_messages(struct er_body *b)
{
    const json_t *messages = b->req->messages;
    size_t n = json_array_size(messages), i = b->written;
    if (n == 0)
        return er_fail(
            b->err, ERRAND_USAGE, "the request has no messages");
    if (!b->ids)
        b->ids = json_object();
    if (!b->ids)
        return er_nomem(b->err);
    if (b->quirks->one_system && i == 0)
        i = add_one_system(b, messages);
    int code = ERRAND_OK;
    for (; i < n && code == ERRAND_OK; i++) {
        if (i > 0)
            er_buf_addc(b->out, ',');
        code = add_message(b, json_array_get(messages, i), i > 0);
    }
    return code;
}
