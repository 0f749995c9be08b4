/* Scripted answers: a file of JSON lines, played in order per conversation.
 *
 * A conversation is named by the session header, or else by its first user
 * text; each has its own place in the script, so runs in parallel do not
 * mix. A request takes the first line that its conversation has not used
 * yet and whose match fits.
 */
#include "endpoint.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct line {
    json_t *value;
    const json_t *match; /* borrowed from value, or NULL */
    bool repeat;
};

struct ep_script {
    struct line *lines;
    size_t n;
    json_t *places; /* conversation -> {"turn": n, "used": {"3": true}} */
};

static bool check_line(const json_t *v)
{
    static const char *const kinds[] = {"answer", "body", "chunks", "steps"};
    size_t n = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        n += json_object_get(v, kinds[i]) != NULL;
    return json_is_object(v) && n == 1;
}

static int add_line(struct ep_script *s, const char *text, size_t len,
    const char *path, struct errand_error *err)
{
    json_t *v = er_json_parse(text, len, ER_JSON_LENIENT, err);
    if (!v)
        return er_while(err, "%s: line %zu", path, s->n + 1);
    struct line *lines = realloc(s->lines, (s->n + 1) * sizeof *lines);
    if (!lines || !check_line(v)) {
        json_decref(v);
        if (lines)
            s->lines = lines;
        return er_fail(err, ERRAND_USAGE, "%s: line %zu: give one of "
            "answer, body, chunks, steps", path, s->n + 1);
    }
    s->lines = lines;
    lines[s->n++] = (struct line){.value = v,
        .match = json_object_get(v, "match"),
        .repeat = json_is_true(json_object_get(v, "repeat"))};
    return ERRAND_OK;
}

struct ep_script *ep_script_open(const char *path, struct errand_error *err)
{
    FILE *f = fopen(path, "r");
    if (!f) {
        er_fail_errno(err, ERRAND_IO, "cannot open the script '%s'", path);
        return NULL;
    }
    struct ep_script *s = calloc(1, sizeof *s);
    char *text = NULL;
    size_t cap = 0;
    ssize_t len;
    int rc = s ? ERRAND_OK : er_nomem(err);
    while (rc == ERRAND_OK && (len = getline(&text, &cap, f)) >= 0)
        if (strspn(text, " \t\r\n") < (size_t)len)
            rc = add_line(s, text, (size_t)len, path, err);
    free(text);
    fclose(f);
    if (s)
        s->places = json_object();
    if (rc != ERRAND_OK) {
        ep_script_free(s);
        return NULL;
    }
    return s;
}

void ep_script_free(struct ep_script *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n; i++)
        json_decref(s->lines[i].value);
    free(s->lines);
    json_decref(s->places);
    free(s);
}

/* --- which line */

static bool same(const json_t *match, const char *key, const char *value)
{
    const char *want = er_json_str(match, key);
    return !want || strcmp(want, value) == 0;
}

/* The content of the request's last message holds the text. */
static bool last_contains(const struct ep_request *r, const json_t *match)
{
    const char *want = er_json_str(match, "contains");
    const json_t *list = json_object_get(r->body, "messages");
    size_t n = json_array_size(list);
    if (!want)
        return true;
    const char *text = n == 0 ? er_json_str(r->body, "prompt")
        : er_json_str(json_array_get(list, n - 1), "content");
    return text && strstr(text, want) != NULL;
}

static bool fits(
    const struct ep_request *r, const json_t *match, json_int_t turn)
{
    return !match ||
           (er_json_int(match, "turn", turn) == turn &&
               same(match, "model", r->model) &&
               same(match, "conversation", ep_conversation(r)) &&
               last_contains(r, match));
}

static json_t *place_of(struct ep_script *s, const struct ep_request *r)
{
    const char *key = ep_conversation(r);
    json_t *place = json_object_get(s->places, key);
    if (!place) {
        place = json_pack("{s:i,s:{}}", "turn", 0, "used");
        json_object_set_new(s->places, key, place);
    }
    return place;
}

static const struct line *pick(
    struct ep_script *s, const struct ep_request *r)
{
    json_t *place = place_of(s, r);
    json_t *used = json_object_get(place, "used");
    json_int_t turn = er_json_int(place, "turn", 0) + 1;
    json_object_set_new(place, "turn", json_integer(turn));
    for (size_t i = 0; i < s->n; i++) {
        char key[24];
        snprintf(key, sizeof key, "%zu", i);
        if (json_object_get(used, key) ||
            !fits(r, s->lines[i].match, turn))
            continue;
        if (!s->lines[i].repeat)
            json_object_set_new(used, key, json_true());
        return &s->lines[i];
    }
    return NULL;
}

/* --- playing it */

static const char *make_id(const struct ep_request *r, size_t n)
{
    char id[40];
    snprintf(id, sizeof id, "call_%zu", n);
    return er_arena_str(r->arena, id);
}

/* {"name", "arguments": text or value, "id"?} */
static void take_call(const struct ep_request *r, const json_t *v,
    size_t number, struct ep_call *call)
{
    const json_t *args = json_object_get(v, "arguments");
    const char *id = er_json_str(v, "id");
    const char *name = er_json_str(v, "name");
    char *text = json_is_string(args) ? NULL
        : er_json_text(args ? args : json_object_get(v, "parameters"));
    call->id = id ? id : make_id(r, number);
    call->name = name ? name : "";
    call->args = json_is_string(args) ? json_string_value(args)
        : text ? er_arena_str(r->arena, text) : "{}";
    free(text);
}

static void play_answer(const struct ep_request *r, const json_t *v,
    struct ep_plan *p)
{
    const json_t *calls = json_object_get(v, "calls");
    const json_t *content = json_object_get(v, "content");
    const json_t *usage = json_object_get(v, "usage");
    const char *finish = er_json_str(v, "finish");
    struct ep_answer a = {.text = json_is_string(content)
            ? json_string_value(content) : "",
        .text_len = json_string_length(content),
        .reasoning = er_json_str(v, "reasoning"),
        .n_calls = json_array_size(calls)};
    a.finish = finish ? finish : a.n_calls ? "tool_calls" : "stop";
    a.prompt_tokens =
        (long)er_json_int(usage, "prompt_tokens", (json_int_t)r->body_len / 4);
    a.completion_tokens = (long)er_json_int(usage, "completion_tokens",
        (json_int_t)(a.text_len / 4 + 10 * a.n_calls + 1));
    a.calls = er_arena_alloc(r->arena, (a.n_calls + 1) * sizeof *a.calls);
    size_t before = ep_calls_in_history(r);
    for (size_t i = 0; i < a.n_calls; i++)
        take_call(r, json_array_get(calls, i), before + i + 1, &a.calls[i]);
    ep_render(r, &a, p);
}

static void header_lines(const json_t *headers, struct er_buf *out)
{
    const char *key;
    json_t *value;
    er_buf_init(out, 64 << 10);
    json_object_foreach((json_t *)headers, key, value)
        if (json_is_string(value))
            er_buf_addf(out, "%s: %s\r\n", key, json_string_value(value));
}

static const char *type_of(const json_t *headers, const char *fallback)
{
    const char *key;
    json_t *value;
    (void)key;
    json_object_foreach((json_t *)headers, key, value)
        if (!strcasecmp(key, "content-type") && json_is_string(value))
            return json_string_value(value);
    return fallback;
}

static void play_body(const json_t *v, struct ep_plan *p)
{
    const json_t *body = json_object_get(v, "body");
    const json_t *headers = json_object_get(v, "headers");
    struct er_buf lines;
    json_t *rest = json_is_object(headers) ? json_copy((json_t *)headers)
                                           : json_object();
    const char *type = type_of(headers, "application/json");
    json_object_del(rest, "content-type");
    json_object_del(rest, "Content-Type");
    header_lines(rest, &lines);
    char *text = json_is_string(body) ? NULL : er_json_text(body);
    ep_plan_whole(p, (int)er_json_int(v, "status", 200), type,
        er_buf_str(&lines), text ? text : json_string_value(body),
        text ? strlen(text) : json_string_length(body));
    free(text);
    er_buf_release(&lines);
    json_decref(rest);
}

/* Each chunk is one HTTP chunk: a text, or {"data": text, "delay_ms": n}.
 * With "end": "cut" the last chunk that ends the body is left out. */
static void play_chunks(const json_t *v, struct ep_plan *p)
{
    const json_t *chunks = json_object_get(v, "chunks");
    const char *type = type_of(
        json_object_get(v, "headers"), "text/event-stream");
    size_t from = p->bytes.len, i;
    json_t *chunk;
    ep_plan_head(p, (int)er_json_int(v, "status", 200), type, -1, "");
    json_array_foreach(chunks, i, chunk) {
        const json_t *data = json_is_string(chunk) ? chunk
            : json_object_get(chunk, "data");
        json_int_t ms = er_json_int(chunk, "delay_ms", 0);
        if (ms > 0) {
            ep_plan_send_from(p, from);
            ep_plan_step(p,
                (struct ep_step){.type = EP_SLEEP, .ms = (long)ms});
            from = p->bytes.len;
        }
        if (json_string_length(data) == 0)
            continue;
        er_buf_addf(&p->bytes, "%zx\r\n", json_string_length(data));
        er_buf_add(&p->bytes, json_string_value(data),
            json_string_length(data));
        er_buf_adds(&p->bytes, "\r\n");
    }
    const char *end = er_json_str(v, "end");
    if (!end)
        er_buf_adds(&p->bytes, "0\r\n\r\n");
    ep_plan_send_from(p, from);
    if (end)
        ep_plan_step(p, (struct ep_step){
            .type = !strcmp(end, "reset") ? EP_RESET
                : !strcmp(end, "stall") ? EP_STALL : EP_CLOSE});
}

/* Raw bytes, no HTTP of ours: {"send"}, {"delay_ms"}, {"close"}, {"reset"},
 * {"stall"}. */
static void play_steps(const json_t *v, struct ep_plan *p)
{
    size_t i;
    json_t *s;
    json_array_foreach(json_object_get(v, "steps"), i, s) {
        const json_t *send = json_object_get(s, "send");
        json_int_t ms = er_json_int(s, "delay_ms", 0);
        size_t from = p->bytes.len;
        if (ms > 0)
            ep_plan_step(p,
                (struct ep_step){.type = EP_SLEEP, .ms = (long)ms});
        if (json_is_string(send)) {
            er_buf_add(&p->bytes, json_string_value(send),
                json_string_length(send));
            ep_plan_send_from(p, from);
        }
        if (json_object_get(s, "stall"))
            ep_plan_step(p, (struct ep_step){.type = EP_STALL});
        if (json_object_get(s, "close"))
            ep_plan_step(p, (struct ep_step){.type = EP_CLOSE});
        if (json_object_get(s, "reset"))
            ep_plan_step(p, (struct ep_step){.type = EP_RESET});
    }
}

void ep_script_answer(struct ep_script *script, const struct ep_request *r,
    struct ep_plan *p)
{
    ep_pool_pause();
    const struct line *line = pick(script, r);
    ep_pool_resume();
    if (!line) {
        ep_render_error(r, 500, 500, "the script has no line left for this "
            "request", "", "x-should-retry: false\r\n", p);
        return;
    }
    json_int_t ms = er_json_int(line->value, "delay_ms", 0);
    if (ms > 0)
        ep_plan_step(p, (struct ep_step){.type = EP_SLEEP, .ms = (long)ms});
    const json_t *answer = json_object_get(line->value, "answer");
    if (answer)
        play_answer(r, answer, p);
    else if (json_object_get(line->value, "body"))
        play_body(line->value, p);
    else if (json_object_get(line->value, "chunks"))
        play_chunks(line->value, p);
    else
        play_steps(line->value, p);
}
