/* What one JSON document of an answer says.
 *
 * One reading for every shape, streamed or whole: OpenAI's choices, of
 * which all are read (some endpoints put text and calls into two), Workers
 * AI's own members beside or instead of them, its envelope around either.
 */
#include "model/reader.h"

#include <stdlib.h>
#include <string.h>

static bool is_string(const struct er_node *n)
{
    return er_node_is(n, ER_NODE_STRING);
}

static bool is_array(const struct er_node *n)
{
    return er_node_is(n, ER_NODE_ARRAY);
}

static bool is_object(const struct er_node *n)
{
    return er_node_is(n, ER_NODE_OBJECT);
}

/* ------------------------------------------------------------- the ending */

struct reason {
    const char *name;
    enum er_ending ending; /* NONE: the endpoint gave up */
};

static const struct reason reasons[] = {
    {"stop", ER_ENDING_STOP}, {"tool_calls", ER_ENDING_CALLS},
    {"tool-calls", ER_ENDING_CALLS}, {"tool_use", ER_ENDING_CALLS},
    {"function_call", ER_ENDING_CALLS}, {"length", ER_ENDING_LENGTH},
    {"max_tokens", ER_ENDING_LENGTH}, {"model_length", ER_ENDING_LENGTH},
    {"MAX_TOKENS", ER_ENDING_LENGTH}, {"content_filter", ER_ENDING_FILTER},
    {"content-filter", ER_ENDING_FILTER}, {"safety", ER_ENDING_FILTER},
    {"SAFETY", ER_ENDING_FILTER}, {"error", ER_ENDING_NONE},
    {"abort", ER_ENDING_NONE}, {"cancelled", ER_ENDING_NONE},
    {"insufficient_system_resource", ER_ENDING_NONE}};

/* null and "" mean that it goes on; a name nobody knows ends it well. */
static bool read_reason(struct er_reader *r, const struct er_node *object)
{
    const char *name = er_node_str(object, "finish_reason");
    enum er_ending ending = ER_ENDING_STOP;
    if (!name || !*name)
        return false;
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (strcmp(name, reasons[i].name) == 0)
            ending = reasons[i].ending;
    if (ending == ER_ENDING_NONE) {
        struct errand_error err = {0};
        er_fail(&err, ERRAND_PROVIDER,
            "the endpoint broke the answer off: finish_reason \"%s\"", name);
        er_reader_fail(r, true, &err);
    } else if (ending > r->ending) {
        r->ending = ending;
    }
    return true;
}

/* --------------------------------------------------------------- usage */

static int64_t count(
    const struct er_node *object, const char *key, const char *other)
{
    int64_t n = er_node_int(object, key);
    if (n == 0 && other)
        n = er_node_int(object, other);
    return n < 0 ? 0 : n;
}

/* The last one that is not all zeros counts. */
static void read_usage(struct er_reader *r, const struct er_node *object)
{
    const struct er_node *u = er_node_get(object, "usage");
    if (!is_object(u))
        return;
    const struct er_node *prompt = er_node_get(u, "prompt_tokens_details");
    const struct er_node *output = er_node_get(u, "completion_tokens_details");
    struct er_usage usage = {
        .prompt_tokens = count(u, "prompt_tokens", "input_tokens"),
        .completion_tokens = count(u, "completion_tokens", "output_tokens"),
        .cached_tokens = count(prompt, "cached_tokens", NULL),
        .reasoning_tokens = count(output, "reasoning_tokens", NULL)};
    if (usage.cached_tokens == 0)
        usage.cached_tokens = count(u, "prompt_cache_hit_tokens", NULL);
    if (usage.prompt_tokens == 0 && usage.completion_tokens == 0)
        return;
    r->usage = usage;
    r->has_usage = true;
}

/* ---------------------------------------------------------------- text */

static void give_json(struct er_reader *r, const struct er_node *value)
{
    json_t *v = er_node_json(value);
    char *text = v ? er_json_text(v) : NULL;
    json_decref(v);
    if (text) {
        er_reader_text(r, text, strlen(text));
    } else {
        struct errand_error err = {0};
        er_nomem(&err);
        er_reader_fail(r, false, &err);
    }
    free(text);
}

static void give_parts(
    struct er_reader *r, const struct er_node *parts, bool reasoning);

static void give_string(
    struct er_reader *r, const struct er_node *s, bool reasoning)
{
    er_reader_string(r, s, reasoning);
}

/* A content part: {"type":"text","text"} and the like; Mistral puts its
 * reasoning into parts of the type "thinking". */
static void give_part(
    struct er_reader *r, const struct er_node *part, bool reasoning)
{
    const struct er_node *text = er_node_get(part, "text");
    const struct er_node *thinking = er_node_get(part, "thinking");
    if (is_string(part))
        give_string(r, part, reasoning);
    else if (is_string(text))
        give_string(r, text, reasoning);
    else if (is_string(thinking))
        give_string(r, thinking, true);
    else if (is_array(thinking) && !reasoning)
        give_parts(r, thinking, true);
}

static void give_parts(
    struct er_reader *r, const struct er_node *parts, bool reasoning)
{
    const struct er_node *part = er_node_first(parts);
    for (; part; part = part->next)
        give_part(r, part, reasoning);
}

/* Text in any of the forms it comes in: nothing, a string, parts, or (JSON
 * mode) the value itself. */
static void give_content(struct er_reader *r, const struct er_node *content)
{
    if (is_string(content))
        give_string(r, content, false);
    else if (is_array(content))
        give_parts(r, content, false);
    else if (content && !er_node_is(content, ER_NODE_NULL))
        give_json(r, content);
}

static void read_reasoning(
    struct er_reader *r, const struct er_node *message)
{
    const struct er_node *text = er_node_get(message, "reasoning_content");
    if (!is_string(text) || text->len == 0) {
        text = er_node_get(message, "reasoning");
        if (!is_string(text) || text->len == 0)
            return;
        r->extra.as_reasoning = true;
    }
    give_string(r, text, true);
}

/* ---------------------------------------------------------------- calls */

static bool read_calls(
    struct er_reader *r, const struct er_node *object, bool whole)
{
    const struct er_node *calls = er_node_get(object, "tool_calls");
    struct errand_error err = {0};
    int code = ERRAND_OK;
    if (!calls || er_node_is(calls, ER_NODE_NULL) ||
        er_node_is(calls, ER_NODE_FALSE))
        return false;
    if (is_object(calls))
        code = er_calls_add(&r->calls, calls, 0, whole, &err);
    else if (!is_array(calls))
        code = er_fail(&err, ERRAND_PROTOCOL,
            "the endpoint sent tool_calls that are no array");
    const struct er_node *call = er_node_first(calls);
    r->call_lists += is_object(calls) || call;
    for (size_t i = 0; call && !code; call = call->next)
        code = er_calls_add(&r->calls, call, i++, whole, &err);
    if (code != ERRAND_OK)
        er_reader_fail(r, false, &err);
    return true;
}

static void read_legacy_call(struct er_reader *r, const struct er_node *object)
{
    const struct er_node *call = er_node_get(object, "function_call");
    struct errand_error err = {0};
    if (is_object(call) &&
        er_calls_add_legacy(&r->calls, call, &err) != ERRAND_OK)
        er_reader_fail(r, false, &err);
}

/* -------------------------------------------------------------- documents */

/* A message, or what a delta adds to it. */
static void read_message(
    struct er_reader *r, const struct er_node *message, bool whole)
{
    struct errand_error err = {0};
    read_reasoning(r, message);
    give_content(r, er_node_get(message, "content"));
    const struct er_node *refusal = er_node_get(message, "refusal");
    if (is_string(refusal))
        give_string(r, refusal, false);
    read_calls(r, message, whole);
    read_legacy_call(r, message);
    if (er_extra_take(&r->extra, message, &err) != ERRAND_OK)
        er_reader_fail(r, false, &err);
}

static bool read_choice(
    struct er_reader *r, const struct er_node *choice, bool whole)
{
    const struct er_node *message = er_node_get(choice, "message");
    const struct er_node *delta = er_node_get(choice, "delta");
    const struct er_node *text = er_node_get(choice, "text");
    if (is_object(delta))
        read_message(r, delta, false);
    else if (is_object(message))
        read_message(r, message, whole);
    else if (is_string(text))
        give_string(r, text, false);
    bool ended = read_reason(r, choice);
    read_usage(r, choice);
    return ended || is_object(delta) || is_object(message) ||
           is_string(text);
}

static bool read_choices(
    struct er_reader *r, const struct er_node *doc, bool whole)
{
    const struct er_node *choices = er_node_get(doc, "choices");
    bool said = false;
    const struct er_node *choice = er_node_first(choices);
    for (; choice && !r->over; choice = choice->next)
        said |= read_choice(r, choice, whole);
    return said;
}

/* Workers AI's own members; what the choices held already they would only
 * repeat. */
static bool read_native(struct er_reader *r, const struct er_node *doc,
    bool whole, bool text_given, bool calls_given)
{
    const struct er_node *response = er_node_get(doc, "response");
    bool said = response != NULL;
    if (!text_given) {
        read_reasoning(r, doc);
        if (is_array(response))
            give_json(r, response);
        else
            give_content(r, response);
    }
    if (!calls_given)
        said |= read_calls(r, doc, whole);
    said |= read_reason(r, doc);
    return said;
}

bool er_answer_read(struct er_reader *r, const struct er_node *doc, bool whole)
{
    const struct er_node *result = er_node_get(doc, "result");
    bool native = r->dialect == ER_WORKERS_AI;
    unsigned texts = r->texts, lists = r->call_lists;
    if (native && is_string(result)) {
        give_string(r, result, false);
        return true;
    }
    if (native && is_object(result))
        doc = result;
    bool said = read_choices(r, doc, whole);
    if (native && !r->over)
        said |= read_native(
            r, doc, whole, r->texts > texts, r->call_lists > lists);
    read_usage(r, doc);
    return said;
}
