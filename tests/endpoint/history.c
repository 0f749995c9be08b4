/* What a request's history says: who spoke last, which rounds were played.
 *
 * Two ways to read it. The usual one parses and checks everything. With
 * --fast a request to `rounds` or `text` that is written compactly is only
 * searched: parsing is most of what the endpoint does, and a benchmark is
 * about its clients.
 */
#define _GNU_SOURCE /* memmem */
#include "endpoint.h"

#include "base/text.h"

#include <string.h>

/* --- searching */

static const char tool_role[] = "\"role\":\"tool\"";
static const char user_role[] = "\"role\":\"user\"";

static const char *find(const char *from, const char *end, const char *key)
{
    return memmem(from, (size_t)(end - from), key, strlen(key));
}

static size_t count(const char *from, const char *end, const char *key)
{
    size_t n = 0;
    while ((from = find(from, end, key)) != NULL) {
        from += strlen(key);
        n++;
    }
    return n;
}

static const char *last_user_at(const struct ep_request *r)
{
    const char *at = r->body_text, *end = at + r->body_len, *next;
    while ((next = find(at, end, user_role)) != NULL)
        at = next + 1;
    return at;
}

bool ep_glance(struct ep_request *r)
{
    static const char key[] = "{\"model\":\"";
    const char *end = r->body_text + r->body_len;
    if (r->body_len < sizeof key || memcmp(r->body_text, key, sizeof key - 1))
        return false;
    const char *name = r->body_text + sizeof key - 1;
    const char *quote = memchr(name, '"', (size_t)(end - name));
    if (!quote || !find(quote, end, "\"name\":\"tick\""))
        return false;
    r->full_model = r->model =
        er_arena_strn(r->arena, name, (size_t)(quote - name));
    r->stream = find(quote, end, "\"stream\":true") != NULL;
    r->want_usage = find(quote, end, "\"include_usage\":true") != NULL;
    return er_starts_with(r->model, "rounds-") ||
           er_starts_with(r->model, "text-");
}

/* --- reading */

static const json_t *messages(const struct ep_request *r)
{
    return json_object_get(r->body, "messages");
}

static bool has_role(const json_t *message, const char *role)
{
    const char *s = er_json_str(message, "role");
    return s && strcmp(s, role) == 0;
}

/* The text of a message: a string, or its first text part. */
static const json_t *text_of(const json_t *message)
{
    const json_t *content = json_object_get(message, "content");
    size_t i;
    json_t *part;
    if (json_is_string(content))
        return content;
    json_array_foreach(content, i, part)
        if (json_is_string(json_object_get(part, "text")))
            return json_object_get(part, "text");
    return NULL;
}

const char *ep_last_user(const struct ep_request *r, size_t *len)
{
    const json_t *text = json_object_get(r->body, "prompt");
    for (size_t i = json_array_size(messages(r)); i > 0; i--) {
        const json_t *m = json_array_get(messages(r), i - 1);
        if (has_role(m, "user")) {
            text = text_of(m);
            break;
        }
    }
    *len = json_string_length(text);
    return json_is_string(text) ? json_string_value(text) : "";
}

const char *ep_conversation(const struct ep_request *r)
{
    const json_t *text = json_object_get(r->body, "prompt");
    size_t i;
    json_t *m;
    if (r->session)
        return r->session;
    json_array_foreach(messages(r), i, m)
        if (has_role(m, "user")) {
            text = text_of(m);
            break;
        }
    return json_is_string(text) ? json_string_value(text) : "";
}

size_t ep_results_since_user(const struct ep_request *r)
{
    size_t n = 0;
    if (!r->parsed)
        return count(last_user_at(r), r->body_text + r->body_len, tool_role);
    for (size_t i = json_array_size(messages(r)); i > 0; i--) {
        const json_t *m = json_array_get(messages(r), i - 1);
        if (has_role(m, "user"))
            break;
        n += has_role(m, "tool");
    }
    return n;
}

size_t ep_calls_in_history(const struct ep_request *r)
{
    size_t n = 0, i;
    json_t *m;
    if (!r->parsed)
        return count(r->body_text, r->body_text + r->body_len,
            "\"tool_call_id\":\"");
    json_array_foreach(messages(r), i, m)
        n += json_array_size(json_object_get(m, "tool_calls"));
    return n;
}

static const char *name_of_tool(const json_t *tool)
{
    const char *nested = er_json_str(json_object_get(tool, "function"), "name");
    return nested ? nested : er_json_str(tool, "name");
}

/* "tick" if it is among the tools or there are none, else the first. */
const char *ep_tool_name(const struct ep_request *r)
{
    const json_t *tools = json_object_get(r->body, "tools");
    const char *first = name_of_tool(json_array_get(tools, 0));
    size_t i;
    json_t *tool;
    if (!r->parsed)
        return "tick";
    json_array_foreach(tools, i, tool)
        if (name_of_tool(tool) && !strcmp(name_of_tool(tool), "tick"))
            return "tick";
    return first ? first : "tick";
}
