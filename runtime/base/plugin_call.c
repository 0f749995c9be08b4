/* The functions behind struct errand_tool_host. */
#include "base/plugin_call.h"

#include "base/clock.h"
#include "base/frame.h"
#include "base/text.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* The plugin was given the address of the first member. */
static struct er_plugin_call *of(struct errand_tool_call *shown)
{
    return (struct er_plugin_call *)(void *)shown;
}

/* ------------------------------------------------------------ the answer */

static void send_line(struct er_plugin_call *c, int level, const char *text,
    size_t len)
{
    if (!c->log || c->logs_left <= 0)
        return;
    if (--c->logs_left == 0) {
        text = "(more log lines were dropped)";
        len = strlen(text);
    }
    c->log(c->ctx, level, text, er_utf8_cut(text, len, ER_PLUGIN_LINE));
}

static void host_log(struct errand_tool_call *call, int32_t level,
    const char *text, size_t len)
{
    if (level < ERRAND_TOOL_LOG_ERROR || level > ERRAND_TOOL_LOG_DEBUG)
        level = ERRAND_TOOL_LOG_INFO;
    send_line(of(call), level, text ? text : "", text ? len : 0);
}

/* True once: the first answer counts. */
static bool may_answer(struct er_plugin_call *c)
{
    static const char twice[] = "the tool answered twice; the first counts";
    bool first = !c->answered;
    c->answered = true;
    if (!first)
        send_line(c, ERRAND_TOOL_LOG_ERROR, twice, sizeof twice - 1);
    return first;
}

static void host_add(
    struct errand_tool_call *call, const char *bytes, size_t len)
{
    if (bytes && !of(call)->answered)
        er_buf_add(&of(call)->result, bytes, len);
}

static void host_add_text(
    struct errand_tool_call *call, const char *bytes, size_t len)
{
    if (!of(call)->answered)
        er_json_add_string(
            &of(call)->result, bytes ? bytes : "", bytes ? len : 0);
}

static void host_reply(
    struct errand_tool_call *call, const char *bytes, size_t len)
{
    struct er_plugin_call *c = of(call);
    if (may_answer(c) && bytes)
        er_buf_add(&c->result, bytes, len);
}

static void host_fail(
    struct errand_tool_call *call, const char *message, size_t len)
{
    struct er_plugin_call *c = of(call);
    if (!may_answer(c))
        return;
    c->failed = true;
    if (message)
        er_buf_add(&c->message, message,
            er_utf8_cut(message, len, ER_PLUGIN_MESSAGE));
}

/* --------------------------------------------------------- the arguments */

/* The next part of a pointer, unescaped, into key; false if it is too long
 * or wrong. */
static bool next_part(const char **place, char key[256])
{
    size_t n = 0;
    const char *s = *place + 1; /* behind the slash */
    for (; *s && *s != '/'; s++) {
        char c = *s;
        if (c == '~' && (s[1] == '0' || s[1] == '1'))
            c = *++s == '0' ? '~' : '/';
        else if (c == '~')
            return false;
        if (n + 1 >= 256)
            return false;
        key[n++] = c;
    }
    key[n] = '\0';
    *place = s;
    return true;
}

static json_t *element(const json_t *array, const char *key)
{
    size_t i = 0, digits = strspn(key, "0123456789");
    if (digits == 0 || digits > 9 || key[digits] ||
        (key[0] == '0' && digits > 1))
        return NULL;
    for (; *key; key++)
        i = i * 10 + (size_t)(*key - '0');
    return json_array_get(array, i);
}

static json_t *at(struct errand_tool_call *call, const char *place)
{
    json_t *value = of(call)->arguments;
    char key[256];
    if (!place)
        return NULL;
    while (value && *place) {
        if (*place != '/' || !next_part(&place, key))
            return NULL;
        value = json_is_array(value) ? element(value, key)
                                     : json_object_get(value, key);
    }
    return value;
}

/* Whole numbers that a real holds exactly. */
static bool is_whole(const json_t *value)
{
    double d = json_real_value(value);
    return json_is_real(value) && d >= -9007199254740992.0 &&
           d <= 9007199254740992.0 && (double)(int64_t)d == d;
}

static int32_t host_kind(struct errand_tool_call *call, const char *place)
{
    const json_t *value = at(call, place);
    if (!value)
        return ERRAND_TOOL_MISSING;
    switch (json_typeof(value)) {
    case JSON_NULL: return ERRAND_TOOL_NULL;
    case JSON_TRUE:
    case JSON_FALSE: return ERRAND_TOOL_BOOLEAN;
    case JSON_INTEGER: return ERRAND_TOOL_INTEGER;
    case JSON_REAL:
        return is_whole(value) ? ERRAND_TOOL_INTEGER : ERRAND_TOOL_NUMBER;
    case JSON_STRING: return ERRAND_TOOL_TEXT;
    case JSON_ARRAY: return ERRAND_TOOL_ARRAY;
    case JSON_OBJECT: return ERRAND_TOOL_OBJECT;
    }
    return ERRAND_TOOL_MISSING;
}

static const char *host_text(
    struct errand_tool_call *call, const char *place, size_t *len)
{
    const json_t *value = at(call, place);
    if (len)
        *len = json_string_length(value);
    return json_string_value(value);
}

static int64_t host_integer(
    struct errand_tool_call *call, const char *place, int64_t fallback)
{
    const json_t *value = at(call, place);
    if (json_is_integer(value))
        return json_integer_value(value);
    return is_whole(value) ? (int64_t)json_real_value(value) : fallback;
}

static double host_number(
    struct errand_tool_call *call, const char *place, double fallback)
{
    const json_t *value = at(call, place);
    return json_is_number(value) ? json_number_value(value) : fallback;
}

static int32_t host_boolean(
    struct errand_tool_call *call, const char *place, int32_t fallback)
{
    const json_t *value = at(call, place);
    return json_is_boolean(value) ? json_is_true(value) : fallback;
}

static uint32_t host_count(struct errand_tool_call *call, const char *place)
{
    const json_t *value = at(call, place);
    size_t n = json_is_array(value) ? json_array_size(value)
                                    : json_object_size(value);
    return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

/* ---------------------------------------------------------------- the rest */

static int64_t host_remaining_ms(struct errand_tool_call *call)
{
    int64_t left = of(call)->deadline_ms - er_mono_ms();
    return left > 0 ? left : 0;
}

static int32_t host_cancelled(struct errand_tool_call *call)
{
    const struct er_plugin_call *c = of(call);
    return (c->is_over && c->is_over(c->over_ctx)) ||
           host_remaining_ms(call) == 0;
}

static const void *host_extension(
    struct errand_tool_call *call, const char *id)
{
    (void)call;
    return id ? er_plugin_extension(id) : NULL;
}

static const struct errand_tool_host host = {
    .size = sizeof host,
    .abi = ERRAND_TOOL_ABI,
    .reply = host_reply,
    .fail = host_fail,
    .add = host_add,
    .add_text = host_add_text,
    .kind = host_kind,
    .text = host_text,
    .integer = host_integer,
    .number = host_number,
    .boolean = host_boolean,
    .count = host_count,
    .remaining_ms = host_remaining_ms,
    .cancelled = host_cancelled,
    .log = host_log,
    .extension = host_extension,
};

bool er_plugin_call_init(struct er_plugin_call *c, const json_t *arguments,
    const char *key, uint32_t attempt, uint32_t timeout_ms)
{
    *c = (struct er_plugin_call){.logs_left = ER_PLUGIN_LOGS,
        .deadline_ms = er_mono_ms() + timeout_ms};
    er_buf_init(&c->result, ER_FRAME_MAX);
    er_buf_init(&c->message, ER_PLUGIN_MESSAGE);
    er_buf_init(&c->heard.why, ER_PLUGIN_MESSAGE);
    c->arguments = json_is_object(arguments)
        ? json_incref((json_t *)arguments) : json_object();
    c->text = c->arguments ? er_json_text(c->arguments) : NULL;
    c->key = er_strdup(key ? key : "");
    size_t len = c->text ? strlen(c->text) : 0;
    if (!c->text || !c->key || len > UINT32_MAX) {
        er_plugin_call_release(c);
        return false;
    }
    c->shown = (struct errand_tool_call){.size = sizeof c->shown,
        .attempt = attempt,
        .timeout_ms = timeout_ms,
        .arguments_len = (uint32_t)len,
        .host = &host,
        .arguments = c->text,
        .key = c->key,
        .context = c};
    return true;
}

void er_plugin_call_release(struct er_plugin_call *c)
{
    json_decref(c->arguments);
    free(c->text);
    free(c->key);
    er_buf_release(&c->result);
    er_buf_release(&c->message);
    er_plugin_heard_release(&c->heard);
    c->arguments = NULL;
    c->text = c->key = NULL;
}

const char *er_plugin_call_end(
    struct er_plugin_call *c, bool *ok, size_t *len)
{
    static const char silent[] = "the tool gave no answer",
                      large[] = "the result is over 16 MiB, or memory "
                                "ran out",
                      mute[] = "the tool failed and does not say why";
    const char *text = er_buf_str(&c->result);
    *ok = c->answered && !c->failed && !c->result.failed;
    *len = c->result.len;
    if (*ok)
        return text;
    if (!c->answered)
        text = silent;
    else if (!c->failed)
        text = large;
    else
        text = c->message.len ? er_buf_str(&c->message) : mute;
    *len = strlen(text);
    return text;
}
