/* The fingerprint is the SHA-256 of {"messages":[...],"tools":[...]} with
 * keys sorted and no space, where each message keeps what it says: role,
 * content, name, and the name and arguments of its calls. Ids are left out,
 * because they are made anew in each run, and so are reasoning and what
 * providers want sent back: they do not change the question.
 */
#include "model/fingerprint.h"

#include "base/sha256.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static bool keep(json_t *to, const json_t *from, const char *key)
{
    json_t *v = json_object_get(from, key);
    return !v || json_object_set(to, key, v) == 0;
}

static json_t *strip_call(const json_t *call)
{
    json_t *out = json_object();
    if (out && keep(out, call, "name") && keep(out, call, "arguments"))
        return out;
    json_decref(out);
    return NULL;
}

static json_t *strip_message(const json_t *message)
{
    json_t *out = json_object(), *calls = NULL;
    if (!out || !keep(out, message, "role") ||
        !keep(out, message, "content") || !keep(out, message, "name"))
        goto failed;
    const json_t *from = json_object_get(message, "tool_calls");
    if (json_array_size(from) > 0) {
        calls = json_array();
        for (size_t i = 0; i < json_array_size(from); i++) {
            if (json_array_append_new(
                    calls, strip_call(json_array_get(from, i))) != 0)
                goto failed;
        }
        if (json_object_set(out, "tool_calls", calls) != 0)
            goto failed;
    }
    json_decref(calls);
    return out;
failed:
    json_decref(calls);
    json_decref(out);
    return NULL;
}

/* Hash the parts one by one, so that no text of the whole is made. */
static bool add_sorted(struct er_sha256 *s, json_t *value)
{
    char *text = value ? er_json_sorted(value) : NULL;
    if (text)
        er_sha256_add(s, text, strlen(text));
    free(text);
    return text != NULL;
}

static bool add_list(struct er_sha256 *s, const json_t *list, bool messages)
{
    bool ok = true;
    er_sha256_add(s, "[", 1);
    for (size_t i = 0; ok && i < json_array_size(list); i++) {
        json_t *v = json_array_get(list, i);
        v = messages ? strip_message(v) : json_incref(v);
        if (i > 0)
            er_sha256_add(s, ",", 1);
        ok = add_sorted(s, v);
        json_decref(v);
    }
    er_sha256_add(s, "]", 1);
    return ok;
}

bool er_fingerprint(
    const struct er_model_request *req, struct er_fingerprint *out)
{
    static const char head[] = "{\"messages\":", mid[] = ",\"tools\":";
    struct er_sha256 s;
    unsigned char digest[32];
    er_sha256_init(&s);
    er_sha256_add(&s, head, sizeof head - 1);
    if (!add_list(&s, req->messages, true))
        return false;
    er_sha256_add(&s, mid, sizeof mid - 1);
    if (!add_list(&s, req->tools, false))
        return false;
    er_sha256_add(&s, "}", 1);
    er_sha256_end(&s, digest);
    er_hex(digest, sizeof digest, out->hex);
    out->turn = 0;
    for (size_t i = 0; i < json_array_size(req->messages); i++) {
        const char *role =
            er_json_str(json_array_get(req->messages, i), "role");
        out->turn += role && strcmp(role, "assistant") == 0;
    }
    return true;
}
