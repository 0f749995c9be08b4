/* What an endpoint says when it refuses, in every shape it says it:
 *
 *   {"error":{"code","message","type"}}   OpenAI, OpenRouter, llama-server
 *   {"error":"text"}                      Ollama
 *   {"errors":[{"code","message"}],"success":false}   Cloudflare; "errors"
 *                                         has been seen as one object too
 *   {"object":"error","message","code"}, {"type":"error",...}, {"detail"}
 *   plain text, HTML, nothing at all
 *
 * and what that means: the code for our side, and whether the same request
 * can do better next time.
 */
#include "model/reader.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What was found, before it is judged. */
struct said {
    const char *message, *type, *name; /* name: a code that is a text */
    int64_t code;                      /* 0: none */
    long status;                       /* of HTTP, 0: none */
};

/* ---------------------------------------------------------------- finding */

static bool filled(const json_t *v)
{
    if (json_is_string(v))
        return json_string_length(v) > 0;
    if (json_is_object(v) || json_is_array(v))
        return json_object_size(v) + json_array_size(v) > 0;
    return v && !json_is_null(v) && !json_is_false(v);
}

/* "3040: Capacity temporarily exceeded": Cloudflare's numbers come in front
 * of the text as well. */
static int64_t number_in_front(const char *text)
{
    char *end;
    if (!text || *text < '1' || *text > '9')
        return 0;
    long n = strtol(text, &end, 10);
    return end - text <= 5 && *end == ':' ? n : 0;
}

static void take_code(struct said *s, const json_t *code)
{
    char *end;
    if (json_is_integer(code)) {
        s->code = json_integer_value(code);
    } else if (json_is_string(code) && json_string_length(code) > 0) {
        const char *text = json_string_value(code);
        long n = strtol(text, &end, 10);
        if (*end == '\0' && end - text < 9)
            s->code = n;
        else
            s->name = text;
    }
}

/* The members of one error object. */
static void take_object(struct said *s, const json_t *e)
{
    const char *message = er_json_str(e, "message");
    const json_t *inner = json_object_get(e, "error");
    if (!message)
        message = er_json_str(e, "detail");
    if (!message)
        message = json_string_value(inner);
    if (message && *message)
        s->message = message;
    if (er_json_str(e, "type"))
        s->type = er_json_str(e, "type");
    take_code(s, json_object_get(e, "code"));
    if (s->code == 0 && !s->name)
        take_code(s, json_object_get(e, "status"));
    if (json_is_object(inner))
        take_object(s, inner);
}

static void take(struct said *s, const json_t *e)
{
    if (json_is_array(e))
        e = json_array_get(e, 0);
    if (json_is_string(e))
        s->message = json_string_value(e);
    else if (json_is_object(e))
        take_object(s, e);
    if (s->code == 0)
        s->code = number_in_front(s->message);
}

/* FastAPI's {"detail": "text"} or [{"loc","msg"}]. */
static void take_detail(struct said *s, const json_t *detail)
{
    const json_t *first = json_array_get(detail, 0);
    s->message = json_is_string(detail) ? json_string_value(detail)
                                        : er_json_str(first, "msg");
}

static bool is_text(const json_t *doc, const char *key, const char *want)
{
    const char *text = er_json_str(doc, key);
    return text && strcmp(text, want) == 0;
}

/* Is there an error in the document? anything: all of it is one. */
static bool find_error(const json_t *doc, bool anything, struct said *s)
{
    const json_t *error = json_object_get(doc, "error");
    const json_t *errors = json_object_get(doc, "errors");
    const json_t *success = json_object_get(doc, "success");
    if (filled(error)) {
        take(s, error);
        if (s->code == 0 && !s->name)
            take_code(s, json_object_get(doc, "code"));
        return true;
    }
    if (filled(errors) && !json_is_true(success)) {
        take(s, errors);
        return true;
    }
    if (is_text(doc, "object", "error") || is_text(doc, "type", "error")) {
        take(s, doc);
        return true;
    }
    if (anything && json_object_get(doc, "detail"))
        take_detail(s, json_object_get(doc, "detail"));
    else if (anything)
        take(s, doc);
    return anything || json_is_false(success);
}

/* ---------------------------------------------------------------- judging */

/* One of the words, in either case. */
static bool contains(const char *text, const char *const *words)
{
    for (; text && *words; words++)
        for (const char *p = text; *p; p++)
            if (strncasecmp(p, *words, strlen(*words)) == 0)
                return true;
    return false;
}

static bool is_context(const struct said *s)
{
    static const char *const names[] = {"exceed_context_size",
        "context_length_exceeded", "context_window_exceeded", NULL};
    static const char *const phrases[] = {"context window",
        "context length", "context size", "context limit",
        "prompt is too long", NULL};
    if (contains(s->type, names) || contains(s->name, names))
        return true;
    bool fits = s->status == 0 || s->status == 400 || s->status == 413 ||
                s->status == 422 || s->status == 500;
    return fits && contains(s->message, phrases);
}

struct kind {
    const char *word;
    long status;
};

/* Errors in a stream that name their type only. */
static long status_of_type(const struct said *s)
{
    static const struct kind kinds[] = {{"rate_limit", 429},
        {"too_many_requests", 429}, {"quota", 429}, {"overloaded", 529},
        {"timeout", 408}, {"authentication", 401}, {"invalid_api_key", 401},
        {"permission", 403}, {"invalid_request", 400},
        {"badrequest", 400}, {"not_found", 404}, {"server_error", 500},
        {"internal", 500}, {"api_error", 500}, {"unavailable", 503},
        {"upstream", 502}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const char *const words[] = {kinds[i].word, NULL};
        if (contains(s->name, words) || contains(s->type, words))
            return kinds[i].status;
    }
    return 0;
}

struct cloudflare {
    int code;
    long status;
};

static long status_of_code(int64_t code)
{
    static const struct cloudflare known[] = {{5007, 400}, {5004, 400},
        {5006, 400}, {3039, 400}, {3003, 400}, {7003, 404}, {5018, 403},
        {5016, 403}, {3023, 403}, {3041, 403}, {10000, 401}, {3042, 404},
        {5019, 405}, {5005, 405}, {3007, 408}, {3008, 408}, {3006, 413},
        {3036, 429}, {3040, 429}, {8001, 400}, {8006, 400}};
    if (code >= 400 && code <= 599)
        return (long)code;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i].code == code)
            return known[i].status;
    return 0;
}

static int code_of(long status)
{
    switch (status) {
    case 401:
    case 403: return ERRAND_AUTH;
    case 408: return ERRAND_TIMEOUT;
    case 413: return ERRAND_TOO_LARGE;
    case 429: return ERRAND_RATE_LIMIT;
    default: return ERRAND_PROVIDER;
    }
}

enum { DAILY_LIMIT = 3036 }; /* asking again the same day is no use */

static bool may_retry(const struct said *s, long status, int code)
{
    if (s->code == DAILY_LIMIT || code == ERRAND_CONTEXT)
        return false;
    return status == 408 || status == 409 || status == 429 || status >= 500;
}

/* ----------------------------------------------------------------- telling */

/* Free of control characters and of keys: endpoints repeat what they were
 * given. */
static void clean(struct er_buf *out, const char *message)
{
    struct er_buf plain;
    er_buf_init(&plain, 8192);
    size_t len = strlen(message);
    er_text_plain(&plain, message, er_utf8_cut(message, len, 2000));
    const char *p = er_buf_str(&plain), *key;
    while ((key = strstr(p, "sk-"))) {
        er_buf_add(out, p, (size_t)(key - p) + 3);
        p = key + 3;
        size_t n = strcspn(p, " \t\n\"',;)]}");
        if (n > 8) {
            er_buf_adds(out, "***");
            p += n;
        }
    }
    er_buf_adds(out, p);
    for (char *c = out->data; c && *c; c++)
        if (*c == '\n' || *c == '\t')
            *c = ' ';
    while (out->len > 0 && strchr(" .", out->data[out->len - 1]))
        out->data[--out->len] = '\0';
    er_buf_release(&plain);
}

static const char *hint_of(int code, const struct said *s)
{
    if (s->code == DAILY_LIMIT)
        return "; the day's allowance is used up, try tomorrow";
    switch (code) {
    case ERRAND_AUTH: return "; check the key and what it may do";
    case ERRAND_CONTEXT: return "; shorten the conversation";
    default: return "";
    }
}

/* Fill in err from what was said; returns its code. */
static int judge(
    const struct said *s, bool *retriable, struct errand_error *err)
{
    long status = s->status;
    if (status == 0)
        status = status_of_code(s->code);
    if (status == 0)
        status = status_of_type(s);
    int code = is_context(s) ? ERRAND_CONTEXT : code_of(status);
    struct er_buf text;
    er_buf_init(&text, 16384);
    clean(&text, s->message ? s->message : "");
    const char *name = s->name ? s->name : s->type ? s->type : "";
    char where[80] = "";
    if (s->status)
        snprintf(where, sizeof where, " (HTTP %ld)", s->status);
    else if (*name)
        snprintf(where, sizeof where, " (%.60s)", name);
    const char *why = text.len ? text.data : "it gave no reason";
    size_t cut = er_utf8_cut(why, strlen(why), 140);
    er_fail(err, code, "the endpoint refused%s: %.*s%s", where, (int)cut,
        why, hint_of(code, s));
    er_buf_release(&text);
    int64_t detail = s->code ? s->code : s->status;
    if (err && detail > 0 && detail <= INT32_MAX)
        err->detail = (int32_t)detail;
    *retriable = may_retry(s, status, code);
    return code;
}

bool er_error_read(const json_t *doc, long status, bool named,
    bool *retriable, struct errand_error *err)
{
    struct said s = {.status = status};
    if (!json_is_object(doc) || !find_error(doc, named, &s))
        return false;
    judge(&s, retriable, err);
    return true;
}

/* A body that is no JSON: text for people, or a page. */
static int judge_text(long status, const char *body, size_t len,
    bool *retriable, struct errand_error *err)
{
    struct said s = {.status = status};
    size_t skip = 0;
    while (skip < len && memchr(" \t\r\n", body[skip], 4))
        skip++;
    char *copy = er_strndup(body + skip, len - skip < 2000 ? len - skip
                                                           : 2000);
    if (status >= 300 && status < 400)
        s.message = "it redirects, which is not followed; set the base URL "
                    "to where it leads";
    else if (copy && copy[0] == '<')
        s.message = "it answered with a web page; check the base URL";
    else if (copy && copy[0])
        s.message = copy;
    int code = judge(&s, retriable, err);
    free(copy);
    return code;
}

int er_wire_error(enum er_dialect dialect, long status, const char *body,
    size_t len, bool *retriable, struct errand_error *err)
{
    (void)dialect; /* gateways answer in either form */
    json_t *doc = er_json_parse(body, len, ER_JSON_LENIENT, NULL);
    struct errand_error own = {0};
    err = err ? err : &own;
    if (er_error_read(doc, status, true, retriable, err)) {
        json_decref(doc);
        return err->code;
    }
    json_decref(doc);
    return judge_text(status, body, len, retriable, err);
}
