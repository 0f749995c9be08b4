/* What follows the messages in a request: everything that may differ from
 * one request of a conversation to the next without costing its cache. */
#include "model/body.h"

#include <string.h>

static bool is(const char *a, const char *b) { return strcmp(a, b) == 0; }

static bool names_tool(const struct er_body *b, const char *name)
{
    for (size_t i = 0; i < json_array_size(b->req->tools); i++) {
        const char *tool = er_json_str(
            json_array_get(b->req->tools, i), "name");
        if (tool && is(tool, name))
            return true;
    }
    return false;
}

int er_body_tool_choice(struct er_body *b)
{
    const char *choice = b->req->tool_choice;
    if (!choice || b->quirks->no_tool_choice || !er_body_has_tools(b))
        return ERRAND_OK;
    er_buf_addc(b->out, ',');
    if (is(choice, "auto") || is(choice, "none") || is(choice, "required")) {
        er_body_member(b, "tool_choice", choice);
        return ERRAND_OK;
    }
    if (!names_tool(b, choice))
        return er_fail(b->err, ERRAND_USAGE,
            "tool_choice is \"%.64s\", which is none of the tools; it must "
            "be auto, none, required or a tool's name", choice);
    er_body_key(b, "tool_choice");
    er_buf_adds(b->out, "{\"type\":\"function\",\"function\":{");
    er_body_member(b, "name", choice);
    er_buf_adds(b->out, "}}");
    return ERRAND_OK;
}

static void add_integer(struct er_body *b, const char *key, int64_t value)
{
    er_buf_addc(b->out, ',');
    er_body_key(b, key);
    er_buf_addf(b->out, "%lld", (long long)value);
}

static void add_number(struct er_body *b, const char *key, double value)
{
    if (value < 0)
        return;
    json_t *number = json_real(value);
    er_buf_addc(b->out, ',');
    er_body_key(b, key);
    if (!number || !er_json_add(b->out, number))
        er_body_fail(b, !number);
    json_decref(number);
}

static void add_stop(struct er_body *b, const struct er_sampling *s)
{
    if (!s->stop[0][0] || b->dialect != ER_OPENAI)
        return;
    er_buf_addc(b->out, ',');
    er_body_key(b, "stop");
    er_buf_addc(b->out, '[');
    for (size_t i = 0; i < ER_STOPS && s->stop[i][0]; i++) {
        if (i > 0)
            er_buf_addc(b->out, ',');
        er_body_text(b, s->stop[i]);
    }
    er_buf_addc(b->out, ']');
}

void er_body_sampling(struct er_body *b)
{
    const struct er_sampling *s = b->req->sampling;
    if (!s)
        return;
    if (s->max_tokens >= 0)
        add_integer(b,
            b->quirks->max_completion_tokens ? "max_completion_tokens"
                                             : "max_tokens",
            s->max_tokens);
    if (b->quirks->no_sampling)
        return;
    add_number(b, "temperature", s->temperature);
    add_number(b, "top_p", s->top_p);
    if (s->top_k >= 0)
        add_integer(b, "top_k", s->top_k);
    if (s->seed > 0)
        add_integer(b, "seed", s->seed);
    add_number(b, "repetition_penalty", s->repetition_penalty);
    add_number(b, "frequency_penalty", s->frequency_penalty);
    add_number(b, "presence_penalty", s->presence_penalty);
    add_stop(b, s);
}

/* ------------------------------------------------------- response_format */

static bool all_required(const json_t *schema)
{
    const json_t *required = json_object_get(schema, "required");
    const char *name;
    json_t *property;
    json_object_foreach(
        json_object_get(schema, "properties"), name, property)
    {
        bool found = false;
        for (size_t i = 0; i < json_array_size(required) && !found; i++) {
            const char *r = json_string_value(json_array_get(required, i));
            found = r && is(r, name);
        }
        if (!found)
            return false;
    }
    return true;
}

/* OpenAI refuses "strict" unless every object in the schema is closed and
 * all its properties are required. */
static bool strict_fits(const json_t *schema)
{
    const char *key;
    json_t *member;
    size_t i;
    if (json_is_array(schema)) {
        json_array_foreach((json_t *)schema, i, member)
            if (!strict_fits(member))
                return false;
        return true;
    }
    if (!json_is_object(schema))
        return true;
    const json_t *type = json_object_get(schema, "type");
    const json_t *closed = json_object_get(schema, "additionalProperties");
    bool object = json_object_get(schema, "properties") ||
        (json_is_string(type) && is(json_string_value(type), "object"));
    if (object && (!json_is_false(closed) || !all_required(schema)))
        return false;
    json_object_foreach((json_t *)schema, key, member)
        if (!is(key, "const") && !is(key, "enum") && !is(key, "default") &&
            !strict_fits(member))
            return false;
    return true;
}

void er_body_schema(struct er_body *b)
{
    const json_t *schema = b->req->schema;
    if (!schema)
        return;
    er_buf_adds(b->out, ",\"response_format\":{\"type\":\"json_schema\","
                        "\"json_schema\":");
    if (b->dialect == ER_WORKERS_AI) { /* takes the bare schema */
        er_json_add(b->out, schema);
    } else {
        er_buf_adds(b->out, "{\"name\":\"answer\",");
        if (!b->quirks->no_strict)
            er_buf_adds(b->out, strict_fits(schema) ? "\"strict\":true,"
                                                    : "\"strict\":false,");
        er_body_key(b, "schema");
        er_json_add(b->out, schema);
        er_buf_addc(b->out, '}');
    }
    er_buf_addc(b->out, '}');
}
