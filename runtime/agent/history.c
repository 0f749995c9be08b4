/* Building and repairing a conversation. */
#include "history.h"

#include "agent/compact.h"

#include "base/buf.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static const char LOST_RESULT[] =
    "{\"status\":\"interrupted\",\"note\":\"this call has no result; it may "
    "or may not have taken effect\"}";

/* A text that may be no UTF-8, what is wrong in it replaced. */
static bool put_clean(
    json_t *m, const char *key, const char *text, size_t len)
{
    struct er_buf clean;
    if (er_utf8_valid_prefix(text, len) == len)
        return er_json_putn(m, key, text, len);
    er_buf_init(&clean, len > SIZE_MAX / 4 ? SIZE_MAX - 1 : len * 3 + 1);
    bool ok = er_text_scrub(&clean, text, len) &&
              er_json_putn(m, key, er_buf_str(&clean), clean.len);
    er_buf_release(&clean);
    return ok;
}

static json_t *unless_failed(json_t *m, bool ok)
{
    if (ok)
        return m;
    json_decref(m);
    return NULL;
}

json_t *er_message_text(const char *role, const char *text, size_t len)
{
    json_t *m = json_object();
    return unless_failed(m, er_json_put(m, "role", role) &&
                                put_clean(m, "content", text, len));
}

json_t *er_message_result(
    const char *call_id, const char *tool, const char *text, size_t len)
{
    json_t *m = json_object();
    return unless_failed(m, er_json_put(m, "role", "tool") &&
                                put_clean(m, "tool_call_id", call_id,
                                    strlen(call_id)) &&
                                put_clean(m, "name", tool, strlen(tool)) &&
                                put_clean(m, "content", text, len));
}

static bool has_role(const json_t *m, const char *role)
{
    const char *r = er_json_str(m, "role");
    return r && strcmp(r, role) == 0;
}

/* The result for a call among the tool messages behind position i. */
static json_t *result_of(const json_t *raw, size_t i, const char *id)
{
    for (size_t k = i + 1; k < json_array_size(raw); k++) {
        json_t *m = json_array_get(raw, k);
        if (!has_role(m, "tool"))
            return NULL;
        const char *call = er_json_str(m, "tool_call_id");
        if (call && strcmp(call, id) == 0)
            return m;
    }
    return NULL;
}

static bool is_open(const json_t *open, const json_t *calls)
{
    size_t i, k;
    json_t *call, *id;
    json_array_foreach(calls, i, call)
        json_array_foreach(open, k, id)
            if (json_equal(json_object_get(call, "id"), id))
                return true;
    return false;
}

static int add_results(
    json_t *out, const json_t *raw, size_t i, const json_t *calls)
{
    size_t k;
    json_t *call;
    json_array_foreach(calls, k, call)
    {
        const char *id = er_json_str(call, "id");
        const char *name = er_json_str(call, "name");
        json_t *m = id ? result_of(raw, i, id) : NULL;
        int rc = m ? json_array_append(out, m)
            : json_array_append_new(out, er_message_result(id ? id : "",
                  name ? name : "", LOST_RESULT, strlen(LOST_RESULT)));
        if (rc != 0)
            return -1;
    }
    return 0;
}

static int add_assistant(
    json_t *out, const json_t *raw, size_t i, const json_t *open)
{
    json_t *m = json_array_get(raw, i);
    json_t *calls = json_object_get(m, "tool_calls");
    json_t *text = json_object_get(m, "content");
    if (json_array_size(calls) == 0 && json_string_length(text) == 0)
        return 0;
    if (json_array_append(out, m) != 0)
        return -1;
    if (json_array_size(calls) == 0 || is_open(open, calls))
        return 0;
    return add_results(out, raw, i, calls);
}

json_t *er_history_repair(const json_t *raw, const json_t *open)
{
    json_t *out = json_array(), *m;
    size_t i;
    if (!out)
        return NULL;
    json_array_foreach(raw, i, m)
    {
        int rc = 0;
        if (has_role(m, "assistant"))
            rc = add_assistant(out, raw, i, open);
        else if (!has_role(m, "tool")) /* results come with their calls */
            rc = json_array_append(out, m);
        if (rc != 0) {
            json_decref(out);
            return NULL;
        }
    }
    return out;
}

json_t *er_history_from_rows(const struct er_message_row *rows, size_t n,
    const json_t *open, struct errand_error *err)
{
    json_t *raw = json_array(), *out = NULL;
    for (size_t i = 0; raw && i < n; i++) {
        json_t *m = er_json_parse(rows[i].content, strlen(rows[i].content),
            ER_JSON_LENIENT, err);
        if (!m) {
            er_while(err, "message %lld of the conversation",
                (long long)rows[i].seq);
            if (err)
                err->code = ERRAND_STORE;
            json_decref(raw);
            return NULL;
        }
        json_object_set_new(m, "seq", json_integer(rows[i].seq));
        if (json_array_append_new(raw, m) != 0)
            break;
    }
    if (raw && json_array_size(raw) == n) {
        json_t *seen = er_compact_apply(raw);
        out = seen ? er_history_repair(seen, open) : NULL;
        json_decref(seen);
    }
    json_decref(raw);
    if (!out)
        er_nomem(err);
    return out;
}
