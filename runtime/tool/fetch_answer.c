/* An answer as a value for a tool: whatever came, it is text or base64, and
 * free of secrets. */
#include "fetch_parts.h"

#include "base/base64.h"
#include "base/frame.h"
#include "base/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { ESCAPED_MOST = 15 * 1024 * 1024 }; /* bytes of a body in a frame */

struct headers {
    json_t *object;
    int count;
    bool failed;
};

/* name in lower case; one that comes twice gets both values, with a comma
 * between, cookies with a line break: they may hold commas. */
static bool add_header(void *ctx, const char *name, const char *value)
{
    struct headers *h = ctx;
    struct er_buf key, text;
    er_buf_init(&key, 256 * 1024);
    er_buf_init(&text, 512 * 1024);
    for (const char *c = name; *c; c++)
        er_buf_addc(&key, (char)tolower((unsigned char)*c));
    const char *old = er_json_str(h->object, er_buf_str(&key));
    bool cookie = strcmp(er_buf_str(&key), "set-cookie") == 0;
    if (old)
        er_buf_addf(&text, "%s%s", old, cookie ? "\n" : ", ");
    er_text_scrub(&text, value, strlen(value));
    size_t valid = er_utf8_valid_prefix(er_buf_str(&key), key.len);
    if (key.failed || text.failed)
        h->failed = true;
    else if (valid == key.len &&
             json_object_set_new(h->object, er_buf_str(&key),
                 json_string(er_buf_str(&text))) != 0)
        h->failed = true;
    er_buf_release(&key);
    er_buf_release(&text);
    return !h->failed && ++h->count < ER_FETCH_ANSWER_HEADERS;
}

/* Is it text that fits into a frame with its escapes? */
static bool is_text(const struct er_buf *body)
{
    size_t size = body->len;
    const char *s = er_buf_str(body);
    if (er_utf8_valid_prefix(s, body->len) != body->len)
        return false;
    for (size_t i = 0; i < body->len; i++) {
        if ((unsigned char)s[i] < ' ')
            size += 5;
        else if (s[i] == '"' || s[i] == '\\')
            size++;
    }
    return size <= ESCAPED_MOST;
}

static json_t *body_value(struct er_buf *body, bool text)
{
    if (text)
        return json_stringn_nocheck(er_buf_str(body), body->len);
    struct er_buf coded;
    er_buf_init(&coded, ER_FRAME_MAX);
    json_t *value = NULL;
    if (er_base64_add(&coded, er_buf_str(body), body->len))
        value = json_stringn_nocheck(er_buf_str(&coded), coded.len);
    er_buf_release(&coded);
    return value;
}

json_t *er_fetch_answer(const er_vault *vault, const er_http_call *call,
    const char *url, struct er_buf *body)
{
    struct headers h = {.object = json_object()};
    if (h.object)
        er_http_each_header(call, add_header, &h);
    if (body->len > 0)
        body->len = er_vault_hide(vault, body->data, body->len);
    bool text = is_text(body);
    json_t *answer = json_pack("{s:i,s:s}", "status",
        (int)er_http_status(call), "url", url);
    bool ok = answer && h.object && !h.failed &&
              json_object_set(answer, "headers", h.object) == 0 &&
              er_vault_hide_json(vault, &answer) &&
              json_object_set_new(answer, text ? "body" : "body64",
                  body_value(body, text)) == 0;
    json_decref(h.object);
    if (ok)
        return answer;
    json_decref(answer);
    return NULL;
}
