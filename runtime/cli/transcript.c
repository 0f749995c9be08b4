/* Writing a conversation down. */
#include "transcript.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = er_json_str(object, key);
    return text ? text : "";
}

void er_ago(int64_t ms, int64_t now_ms, char out[24])
{
    static const struct {
        int64_t seconds;
        const char *name;
    } units[] = {
        {86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
    int64_t s = (now_ms - ms) / 1000;
    if (s < 1 || ms <= 0) {
        snprintf(out, 24, "%s", ms <= 0 ? "" : "now");
        return;
    }
    size_t i = 0;
    while (s < units[i].seconds)
        i++;
    snprintf(out, 24, "%lld %s ago", (long long)(s / units[i].seconds),
        units[i].name);
}

/* -------------------------------------------------------------- Markdown */

/* A block that its content cannot end: its fence is longer than any row of
 * backticks inside. */
static void fenced(struct er_buf *out, const char *kind, const char *text)
{
    size_t longest = 2, row = 0, len = strlen(text);
    for (const char *p = text; *p; p++) {
        row = *p == '`' ? row + 1 : 0;
        if (row > longest)
            longest = row;
    }
    for (size_t i = 0; i <= longest; i++)
        er_buf_addc(out, '`');
    er_buf_addf(out, "%s\n%s%s", kind, text,
        len > 0 && text[len - 1] == '\n' ? "" : "\n");
    for (size_t i = 0; i <= longest; i++)
        er_buf_addc(out, '`');
    er_buf_adds(out, "\n\n");
}

static void markdown_message(const json_t *m, struct er_buf *out)
{
    const char *role = text_of(m, "role"), *content = text_of(m, "content");
    const json_t *call;
    size_t i;
    if (strcmp(role, "tool") == 0) {
        er_buf_addf(out, "### Result of %s\n\n", text_of(m, "name"));
        fenced(out, "", content);
        return;
    }
    char first = role[0];
    er_buf_addf(out, "## %c%s\n\n",
        first >= 'a' && first <= 'z' ? first - 'a' + 'A' : '?',
        first ? role + 1 : "");
    if (*content)
        er_buf_addf(out, "%s\n\n", content);
    json_array_foreach(json_object_get(m, "tool_calls"), i, call) {
        er_buf_addf(out, "### Call of %s\n\n", text_of(call, "name"));
        fenced(out, "json", text_of(call, "arguments"));
    }
}

void er_transcript_markdown(const json_t *conversation, struct er_buf *out)
{
    const char *title = text_of(conversation, "title");
    const json_t *message;
    char date[21];
    size_t i;
    er_time_iso(er_json_int(conversation, "created_ms", 0), date);
    er_buf_addf(out, "# %.*s\n\nConversation %s, begun %s.\n\n",
        *title ? (int)strcspn(title, "\r\n") : 12,
        *title ? title : "Conversation", text_of(conversation, "id"), date);
    json_array_foreach(json_object_get(conversation, "messages"), i, message)
        markdown_message(message, out);
}

/* -------------------------------------------------------------- terminal */

static void indented(struct er_buf *out, const char *text)
{
    while (*text) {
        size_t len = strcspn(text, "\n");
        er_buf_adds(out, "    ");
        er_buf_add(out, text, len);
        er_buf_addc(out, '\n');
        text += len + (text[len] == '\n');
    }
}

static void text_message(const json_t *m, struct er_buf *out)
{
    const json_t *call;
    size_t i;
    er_buf_addf(out, "\n%3lld  %s %s\n", (long long)er_json_int(m, "seq", 0),
        text_of(m, "role"), text_of(m, "name"));
    indented(out, text_of(m, "content"));
    json_array_foreach(json_object_get(m, "tool_calls"), i, call)
        er_buf_addf(out, "    > %s %s\n", text_of(call, "name"),
            text_of(call, "arguments"));
}

static void text_call(const json_t *call, struct er_buf *out)
{
    const char *id = text_of(call, "id"), *error = text_of(call, "error");
    const char *state = text_of(call, "state");
    er_buf_addf(out, "  call %s  %s %s%s%s\n",
        *id ? id : text_of(call, "call"), text_of(call, "tool"), state,
        *error ? ": " : "", error);
}

static void text_run(const json_t *run, struct er_buf *out)
{
    const json_t *call;
    size_t i;
    char ago[24];
    const char *reason = text_of(run, "reason"), *error;
    er_ago(er_json_int(run, "updated_ms", 0), er_now_ms(), ago);
    er_buf_addf(out, "run %s  %s%s%s  %s  %s\n", text_of(run, "id"),
        text_of(run, "state"), *reason ? ", " : "", reason,
        text_of(run, "model"), ago);
    error = text_of(run, "error");
    if (*error)
        er_buf_addf(out, "  %s\n", error);
    json_array_foreach(json_object_get(run, "calls"), i, call)
        text_call(call, out);
}

void er_transcript_text(const json_t *conversation, struct er_buf *out)
{
    const json_t *item;
    size_t i;
    er_buf_addf(out, "conversation %s  %.*s\n", text_of(conversation, "id"),
        (int)strcspn(text_of(conversation, "title"), "\r\n"),
        text_of(conversation, "title"));
    json_array_foreach(json_object_get(conversation, "runs"), i, item)
        text_run(item, out);
    json_array_foreach(json_object_get(conversation, "messages"), i, item)
        text_message(item, out);
}
