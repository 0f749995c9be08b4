/* Messages of ours as templates want them: calls in OpenAI's form, ids as
 * the family's template accepts them, and a date that stays the same for as
 * long as the conversation, so that its prompts begin alike. */
#include "model/local_ask.h"

#include "base/clock.h"
#include "base/text.h"
#include "model/body.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ------------------------------------------------------------- messages */

static const char *id_of(const json_t *call)
{
    const char *given = er_json_str(call, "provider_id");
    const char *ours = er_json_str(call, "id");
    return given && *given ? given : ours ? ours : "";
}

/* The id that the call with this id of ours was given. */
static const char *given_id(const json_t *messages, const char *id)
{
    size_t i, k;
    json_t *m, *c;
    json_array_foreach(messages, i, m)
        json_array_foreach(json_object_get(m, "tool_calls"), k, c)
    {
        const char *ours = er_json_str(c, "id");
        if (ours && strcmp(ours, id) == 0)
            return id_of(c);
    }
    return id;
}

static json_t *call_of(const json_t *c)
{
    return json_pack("{s:s, s:s, s:{s:O, s:O}}", "type", "function", "id",
        id_of(c), "function", "name", json_object_get(c, "name"),
        "arguments", json_object_get(c, "arguments"));
}

static bool add_calls(json_t *to, const json_t *m)
{
    json_t *list = json_array(), *c;
    const json_t *calls = json_object_get(m, "tool_calls");
    size_t i;
    json_array_foreach(calls, i, c)
        if (json_array_append_new(list, call_of(c)) != 0) {
            json_decref(list);
            return false;
        }
    if (json_array_size(list) > 0)
        return json_object_set_new(to, "tool_calls", list) == 0;
    json_decref(list);
    return list != NULL;
}

static bool keep(json_t *to, const json_t *from, const char *key,
    const char *as)
{
    const char *s = er_json_str(from, key);
    return !s || json_object_set_new(to, as,
                     json_stringn(s, json_string_length(
                                         json_object_get(from, key)))) == 0;
}

static json_t *message_of(const json_t *messages, const json_t *m)
{
    json_t *to = json_object();
    const char *id = er_json_str(m, "tool_call_id");
    bool ok = keep(to, m, "role", "role") &&
              keep(to, m, "content", "content") &&
              keep(to, m, "name", "name") &&
              keep(to, m, "reasoning", "reasoning_content") &&
              add_calls(to, m);
    if (ok && id)
        ok = er_json_put(to, "tool_call_id", given_id(messages, id));
    if (ok)
        return to;
    json_decref(to);
    return NULL;
}

static json_t *messages_of(const json_t *messages)
{
    json_t *list = json_array(), *m;
    size_t i;
    json_array_foreach(messages, i, m)
        if (json_array_append_new(list, message_of(messages, m)) != 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static json_t *tools_of(const json_t *tools)
{
    json_t *list = json_array(), *t;
    size_t i;
    json_array_foreach(tools, i, t)
        if (json_array_append_new(list, json_pack("{s:s, s:o}", "type",
                "function", "function", json_deep_copy(t))) != 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

/* ----------------------------------------------------------- the request */

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0'
        : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* When a conversation began: its id, a UUIDv7, begins with that. */
static int64_t began_ms(const char *key)
{
    int64_t ms = 0;
    if (!key || strlen(key) != ER_ID_SIZE - 1 || key[14] != '7')
        return er_now_ms();
    for (int i = 0; i < 13; i++) {
        int d = hex_digit(key[i]);
        if (d >= 0)
            ms = ms * 16 + d;
        else if (i != 8)
            return er_now_ms();
    }
    return ms;
}

static int64_t local_s(int64_t ms)
{
    time_t t = (time_t)(ms / 1000);
    struct tm tm;
    return localtime_r(&t, &tm) ? (int64_t)t + tm.tm_gmtoff : (int64_t)t;
}

static const char *last_user_text(const json_t *messages)
{
    for (size_t i = json_array_size(messages); i-- > 0;) {
        const json_t *m = json_array_get(messages, i);
        const char *role = er_json_str(m, "role");
        if (role && strcmp(role, "user") == 0)
            return er_json_str(m, "content");
    }
    return "";
}

static bool is_choice(const struct er_model_request *req)
{
    static const char *const words[] = {"auto", "none", "required"};
    const char *c = req->tool_choice;
    size_t i;
    json_t *t;
    for (i = 0; i < 3; i++)
        if (strcmp(c, words[i]) == 0)
            return true;
    json_array_foreach(req->tools, i, t)
    {
        const char *name = er_json_str(t, "name");
        if (name && strcmp(name, c) == 0)
            return true;
    }
    return false;
}

int er_ask_init(struct er_ask *a, const struct er_model_request *req,
    struct errand_error *err)
{
    *a = (struct er_ask){.now_s = local_s(began_ms(req->session_key))};
    if (req->sampling)
        a->sampling = *req->sampling;
    else
        er_sampling_defaults(&a->sampling);
    if (req->tool_choice && json_array_size(req->tools) > 0 &&
        !is_choice(req))
        return er_fail(err, ERRAND_USAGE,
            "tool_choice is \"%.64s\", which is none of the tools; it must "
            "be auto, none, required or a tool's name", req->tool_choice);
    a->messages = messages_of(req->messages);
    a->choice = er_strdup(req->tool_choice ? req->tool_choice : "auto");
    bool ok = a->messages && a->choice;
    if (json_array_size(req->tools) > 0)
        ok = (a->tools = tools_of(req->tools)) && ok;
    if (req->schema)
        ok = (a->schema = json_deep_copy(req->schema)) && ok;
    if (a->sampling.raw)
        ok = (a->plain = er_strdup(last_user_text(req->messages))) && ok;
    if (ok)
        return ERRAND_OK;
    er_ask_release(a);
    return er_nomem(err);
}

void er_ask_release(struct er_ask *a)
{
    json_decref(a->messages);
    json_decref(a->tools);
    json_decref(a->schema);
    free(a->choice);
    free(a->plain);
    *a = (struct er_ask){0};
}

json_t *er_ask_other(const struct er_ask *a)
{
    json_t *list = json_copy(a->messages);
    for (size_t i = json_array_size(list); i-- > 0;) {
        const json_t *m = json_array_get(list, i);
        const char *role = er_json_str(m, "role");
        const char *said = er_json_str(m, "content");
        if (!role || strcmp(role, "user") != 0)
            continue;
        json_t *other = json_pack("{s:s, s:s}", "role", "user", "content",
            said && said[0] == 'A' ? "B" : "A");
        if (json_array_set_new(list, i, other) == 0)
            return list;
        break;
    }
    json_decref(list);
    return NULL;
}

/* ---------------------------------------------------- for the template */

static bool shorten(json_t *object, const char *key)
{
    char id[ER_WIRE_ID_SIZE];
    const char *given = er_json_str(object, key);
    if (!given)
        return true;
    er_wire_id(given, true, 0, id);
    return er_json_put(object, key, id);
}

/* Mistral's templates raise on ids that are not 9 letters and digits. */
static bool shorten_ids(json_t *messages)
{
    size_t i, k;
    json_t *m, *c;
    json_array_foreach(messages, i, m)
    {
        if (!shorten(m, "tool_call_id"))
            return false;
        json_array_foreach(json_object_get(m, "tool_calls"), k, c)
            if (!shorten(c, "id"))
                return false;
    }
    return true;
}

json_t *er_ask_input(const struct er_ask *a, enum er_chat_family family)
{
    if (family == ER_CHAT_MISTRAL && !shorten_ids(a->messages))
        return NULL;
    json_t *in = json_pack("{s:O, s:b}", "messages", a->messages,
        "add_generation_prompt", 1);
    if (in && a->tools && json_object_set(in, "tools", a->tools) != 0) {
        json_decref(in);
        return NULL;
    }
    return in;
}
