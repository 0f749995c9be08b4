/* Compaction over rows: what is left out, and what stands in its place. */
#include "agent/compact.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

enum { BYTES_A_TOKEN = 3, TOKENS_A_MESSAGE = 8, TEXT_MOST = 4 * 1024 * 1024 };

static bool has_role(const json_t *m, const char *role)
{
    const char *r = er_json_str(m, "role");
    return r && strcmp(r, role) == 0;
}

static int64_t tokens_of(const json_t *m)
{
    size_t i, bytes = json_string_length(json_object_get(m, "content"));
    json_t *call;
    bytes += json_string_length(json_object_get(m, "reasoning"));
    json_array_foreach(json_object_get(m, "tool_calls"), i, call)
        bytes += 40 + json_string_length(json_object_get(call, "name")) +
                 json_string_length(json_object_get(call, "arguments"));
    return (int64_t)(bytes / BYTES_A_TOKEN) + TOKENS_A_MESSAGE;
}

int64_t er_compact_estimate(const json_t *messages)
{
    size_t i;
    json_t *m;
    int64_t n = 0;
    json_array_foreach(messages, i, m)
        n += tokens_of(m);
    return n;
}

static int64_t seq_of(const json_t *m) { return er_json_int(m, "seq", 0); }

static const json_t *newest(const json_t *rows)
{
    for (size_t i = json_array_size(rows); i > 0; i--) {
        json_t *c = json_array_get(rows, i - 1);
        if (json_object_get(c, "compacted"))
            return c;
    }
    return NULL;
}

int64_t er_compact_border(const json_t *rows, int64_t tail)
{
    int64_t sum = 0, user = 0, any = 0;
    for (size_t i = json_array_size(rows); i > 1; i--) {
        const json_t *m = json_array_get(rows, i - 1);
        if (has_role(m, "system") || json_object_get(m, "compacted"))
            continue;
        sum += tokens_of(m);
        if (sum > tail && any)
            break;
        if (has_role(m, "user"))
            user = seq_of(m);
        if (!has_role(m, "tool")) /* never a result without its call */
            any = seq_of(m);
    }
    return user ? user : any;
}

/* --------------------------------------------------------------- applying */

/* The result as a handle; it is stored whole. NULL: no memory. */
static json_t *as_handle(const json_t *m)
{
    const json_t *content = json_object_get(m, "content");
    const char *id = er_json_str(m, "tool_call_id");
    size_t len = json_string_length(content);
    struct er_buf b;
    if (len <= ER_COMPACT_SMALL)
        return json_copy((json_t *)m);
    er_buf_init(&b, 4096);
    er_buf_add(&b, json_string_value(content),
        er_utf8_cut(json_string_value(content), len, ER_COMPACT_SMALL / 3));
    er_buf_addf(&b, "\n[%zu bytes; the rest is left out by now, read it with "
        "read_more {\"handle\":\"%s\",\"offset\":0}]", len, id ? id : "");
    json_t *out = json_copy((json_t *)m);
    if (!er_json_putn(out, "content", er_buf_str(&b), b.len)) {
        json_decref(out);
        out = NULL;
    }
    er_buf_release(&b);
    return out;
}

/* The text that stands for what was left out, before the first that stays:
 * in it if that is the user's, else as a message of its own. */
static int put_summary(
    json_t *out, const json_t *c, const json_t *first, bool *merged)
{
    const json_t *covers = json_object_get(c, "compacted");
    const char *text = er_json_str(c, "content");
    const char *asked = er_json_str(covers, "request");
    bool user = first && has_role(first, "user");
    struct er_buf b;
    er_buf_init(&b, TEXT_MOST);
    er_buf_addf(&b, "[What was said before, summarized; messages %lld to "
        "%lld.]\n%s\n[End of the summary.]\n",
        (long long)er_json_int(covers, "from", 0),
        (long long)er_json_int(covers, "to", 0), text ? text : "");
    if (user)
        er_buf_addf(&b, "\n%s", er_json_str(first, "content"));
    else if (asked)
        er_buf_addf(&b, "\nThe request that is worked on:\n%s", asked);
    json_t *m = user ? json_copy((json_t *)first) : json_object();
    bool ok = !b.failed && er_json_put(m, "role", "user") &&
              er_json_putn(m, "content", er_buf_str(&b), b.len) &&
              json_array_append(out, m) == 0;
    json_decref(m);
    er_buf_release(&b);
    *merged = user;
    return ok ? 0 : -1;
}

json_t *er_compact_apply(const json_t *rows)
{
    const json_t *c = newest(rows);
    const json_t *covers = json_object_get(c, "compacted");
    int64_t from = er_json_int(covers, "from", 0);
    int64_t to = er_json_int(covers, "to", 0);
    int64_t elide = er_json_int(covers, "elide", 0);
    json_t *out = json_array(), *m;
    bool placed = to == 0;
    int rc = out ? 0 : -1;
    size_t i;
    json_array_foreach(rows, i, m)
    {
        int64_t seq = seq_of(m);
        bool merged = false;
        if (rc != 0)
            break;
        if (json_object_get(m, "compacted") ||
            (to > 0 && seq >= from && seq <= to && !has_role(m, "system")))
            continue;
        if (!placed && !has_role(m, "system")) {
            rc = put_summary(out, c, m, &merged);
            placed = true;
        }
        if (rc == 0 && !merged)
            rc = elide > 0 && has_role(m, "tool") && seq <= elide
                ? json_array_append_new(out, as_handle(m))
                : json_array_append(out, m);
    }
    if (rc == 0)
        return out;
    json_decref(out);
    return NULL;
}
