/* What one JSON document of an answer says.
 *
 * One reading for every shape, streamed or whole: OpenAI's choices, of
 * which all are read (some endpoints put text and calls into two), Workers
 * AI's own members beside or instead of them, its envelope around either.
 */
#include "model/reader.h"

#include <stdlib.h>
#include <string.h>

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
static bool read_reason(struct er_reader *r, const json_t *object)
{
    const char *name = er_json_str(object, "finish_reason");
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
    const json_t *object, const char *key, const char *other)
{
    int64_t n = er_json_int(object, key, 0);
    if (n == 0 && other)
        n = er_json_int(object, other, 0);
    return n < 0 ? 0 : n;
}

/* The last one that is not all zeros counts. */
static void read_usage(struct er_reader *r, const json_t *object)
{
    const json_t *u = json_object_get(object, "usage");
    const json_t *prompt = json_object_get(u, "prompt_tokens_details");
    const json_t *output = json_object_get(u, "completion_tokens_details");
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

static void give_json(struct er_reader *r, const json_t *value)
{
    char *text = er_json_text(value);
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
    struct er_reader *r, const json_t *parts, bool reasoning);

static void give_string(struct er_reader *r, const json_t *s, bool reasoning)
{
    const char *text = json_string_value(s);
    if (reasoning)
        er_reader_reasoning(r, text, json_string_length(s));
    else
        er_reader_text(r, text, json_string_length(s));
}

/* A content part: {"type":"text","text"} and the like; Mistral puts its
 * reasoning into parts of the type "thinking". */
static void give_part(
    struct er_reader *r, const json_t *part, bool reasoning)
{
    const json_t *text = json_object_get(part, "text");
    const json_t *thinking = json_object_get(part, "thinking");
    if (json_is_string(part))
        give_string(r, part, reasoning);
    else if (json_is_string(text))
        give_string(r, text, reasoning);
    else if (json_is_string(thinking))
        give_string(r, thinking, true);
    else if (json_is_array(thinking) && !reasoning)
        give_parts(r, thinking, true);
}

static void give_parts(
    struct er_reader *r, const json_t *parts, bool reasoning)
{
    for (size_t i = 0; i < json_array_size(parts); i++)
        give_part(r, json_array_get(parts, i), reasoning);
}

/* Text in any of the forms it comes in: nothing, a string, parts, or (JSON
 * mode) the value itself. */
static void give_content(struct er_reader *r, const json_t *content)
{
    if (json_is_string(content))
        give_string(r, content, false);
    else if (json_is_array(content))
        give_parts(r, content, false);
    else if (content && !json_is_null(content))
        give_json(r, content);
}

static void read_reasoning(struct er_reader *r, const json_t *message)
{
    const json_t *text = json_object_get(message, "reasoning_content");
    if (!json_is_string(text) || json_string_length(text) == 0) {
        text = json_object_get(message, "reasoning");
        if (!json_is_string(text) || json_string_length(text) == 0)
            return;
        r->extra.as_reasoning = true;
    }
    give_string(r, text, true);
}

/* ---------------------------------------------------------------- calls */

static bool read_calls(
    struct er_reader *r, const json_t *object, bool whole)
{
    const json_t *calls = json_object_get(object, "tool_calls");
    struct errand_error err = {0};
    int code = ERRAND_OK;
    if (!calls || json_is_null(calls) || json_is_false(calls))
        return false;
    if (json_is_object(calls))
        code = er_calls_add(&r->calls, calls, 0, whole, &err);
    else if (!json_is_array(calls))
        code = er_fail(&err, ERRAND_PROTOCOL,
            "the endpoint sent tool_calls that are no array");
    r->call_lists += json_is_object(calls) || json_array_size(calls) > 0;
    for (size_t i = 0; i < json_array_size(calls) && !code; i++)
        code = er_calls_add(
            &r->calls, json_array_get(calls, i), i, whole, &err);
    if (code != ERRAND_OK)
        er_reader_fail(r, false, &err);
    return true;
}

static void read_legacy_call(struct er_reader *r, const json_t *object)
{
    const json_t *call = json_object_get(object, "function_call");
    struct errand_error err = {0};
    if (json_is_object(call) &&
        er_calls_add_legacy(&r->calls, call, &err) != ERRAND_OK)
        er_reader_fail(r, false, &err);
}

/* -------------------------------------------------------------- documents */

/* A message, or what a delta adds to it. */
static void read_message(
    struct er_reader *r, const json_t *message, bool whole)
{
    struct errand_error err = {0};
    read_reasoning(r, message);
    give_content(r, json_object_get(message, "content"));
    const json_t *refusal = json_object_get(message, "refusal");
    if (json_is_string(refusal))
        give_string(r, refusal, false);
    read_calls(r, message, whole);
    read_legacy_call(r, message);
    if (er_extra_take(&r->extra, message, &err) != ERRAND_OK)
        er_reader_fail(r, false, &err);
}

static bool read_choice(
    struct er_reader *r, const json_t *choice, bool whole)
{
    const json_t *message = json_object_get(choice, "message");
    const json_t *delta = json_object_get(choice, "delta");
    const json_t *text = json_object_get(choice, "text");
    if (json_is_object(delta))
        read_message(r, delta, false);
    else if (json_is_object(message))
        read_message(r, message, whole);
    else if (json_is_string(text))
        give_string(r, text, false);
    bool ended = read_reason(r, choice);
    read_usage(r, choice);
    return ended || json_is_object(delta) || json_is_object(message) ||
           json_is_string(text);
}

static bool read_choices(
    struct er_reader *r, const json_t *doc, bool whole)
{
    const json_t *choices = json_object_get(doc, "choices");
    bool said = false;
    for (size_t i = 0; i < json_array_size(choices) && !r->over; i++)
        said |= read_choice(r, json_array_get(choices, i), whole);
    return said;
}

/* Workers AI's own members; what the choices held already they would only
 * repeat. */
static bool read_native(struct er_reader *r, const json_t *doc, bool whole,
    bool text_given, bool calls_given)
{
    const json_t *response = json_object_get(doc, "response");
    bool said = response != NULL;
    if (!text_given) {
        read_reasoning(r, doc);
        if (json_is_array(response))
            give_json(r, response);
        else
            give_content(r, response);
    }
    if (!calls_given)
        said |= read_calls(r, doc, whole);
    said |= read_reason(r, doc);
    return said;
}

bool er_answer_read(struct er_reader *r, const json_t *doc, bool whole)
{
    const json_t *result = json_object_get(doc, "result");
    bool native = r->dialect == ER_WORKERS_AI;
    unsigned texts = r->texts, lists = r->call_lists;
    if (native && json_is_string(result)) {
        give_string(r, result, false);
        return true;
    }
    if (native && json_is_object(result))
        doc = result;
    bool said = read_choices(r, doc, whole);
    if (native && !r->over)
        said |= read_native(
            r, doc, whole, r->texts > texts, r->call_lists > lists);
    read_usage(r, doc);
    return said;
}
