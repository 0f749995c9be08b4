/* The models: who answers is chosen by the name in the request. */
#include "endpoint.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* --- options in a name */

static const char *find_word(const char *name, const char *word)
{
    size_t len = strlen(word);
    const char *at = name;
    while ((at = strstr(at, word)) != NULL) {
        bool begins = at == name || at[-1] == '-';
        if (begins && (at[len] == '-' || at[len] == '\0'))
            return at + len;
        at += len;
    }
    return NULL;
}

bool ep_has_word(const char *name, const char *word)
{
    return find_word(name, word) != NULL;
}

long ep_option(const char *name, const char *word, long fallback)
{
    const char *p = find_word(name, word);
    if (!p || *p != '-' || p[1] < '0' || p[1] > '9')
        return fallback;
    long n = strtol(p + 1, NULL, 10);
    return n > 10000000 ? 10000000 : n;
}

/* --- saying things */

void ep_say(const struct ep_request *r, struct ep_answer *a,
    const char *text, size_t len)
{
    a->text = er_arena_strn(r->arena, text, len);
    a->text_len = len;
    a->completion_tokens = (long)(len / 4 + 1);
}

static void say(
    const struct ep_request *r, struct ep_answer *a, const char *text)
{
    ep_say(r, a, text, strlen(text));
}

/* Room for count calls with ids that no call of the history has. */
static void make_calls(const struct ep_request *r, struct ep_answer *a,
    const char *tool, size_t count)
{
    size_t before = ep_calls_in_history(r);
    a->calls = er_arena_alloc(r->arena, count * sizeof *a->calls);
    a->n_calls = a->calls ? count : 0;
    a->finish = "tool_calls";
    a->completion_tokens = (long)(10 * count);
    for (size_t i = 0; i < a->n_calls; i++) {
        char id[40];
        snprintf(id, sizeof id, "call_%zu", before + i + 1);
        a->calls[i].id = er_arena_str(r->arena, id);
        a->calls[i].name = tool;
        a->calls[i].args = "{}";
    }
}

void ep_add_calls(const struct ep_request *r, struct ep_answer *a,
    const char *tool, size_t first, size_t count)
{
    bool strings = ep_has_word(r->model, "strings");
    make_calls(r, a, tool, count);
    for (size_t i = 0; i < a->n_calls; i++) {
        char args[40];
        snprintf(args, sizeof args, strings ? "{\"n\":\"%zu\"}" : "{\"n\":%zu}",
            first + i + 1);
        a->calls[i].args = er_arena_str(r->arena, args);
    }
}

/* --- the models */

static void echo(struct ep_server *s, const struct ep_request *r,
    const char *name, struct ep_answer *a)
{
    (void)s, (void)name;
    size_t len;
    const char *text = ep_last_user(r, &len);
    ep_say(r, a, text, len);
}

static void rounds(struct ep_server *s, const struct ep_request *r,
    const char *name, struct ep_answer *a)
{
    (void)s;
    size_t n = (size_t)ep_option(name, "rounds", 1);
    size_t par = (size_t)ep_option(name, "par", 1);
    size_t results = ep_results_since_user(r);
    char text[60];
    if (par > 0 && results < n * par) {
        ep_add_calls(r, a, ep_tool_name(r), results, par);
        return;
    }
    snprintf(text, sizeof text, "done after %zu rounds", n);
    say(r, a, text);
}

static void text(struct ep_server *s, const struct ep_request *r,
    const char *name, struct ep_answer *a)
{
    (void)s;
    static const char words[] = "the quick brown fox jumps over a lazy dog. ";
    size_t n = (size_t)ep_option(name, "text", 100);
    struct er_buf b;
    er_buf_init(&b, 128 << 20);
    const char *w = words;
    for (size_t i = 0; i < n; i++) {
        const char *stop = strchr(w, ' ') + 1;
        er_buf_add(&b, w, (size_t)(stop - w) - (i + 1 == n));
        w = *stop ? stop : words;
    }
    ep_say(r, a, er_buf_str(&b), b.len);
    a->completion_tokens = (long)n;
    er_buf_release(&b);
}

static void calls(struct ep_server *s, const struct ep_request *r,
    const char *name, struct ep_answer *a)
{
    (void)s;
    if (ep_results_since_user(r) > 0)
        say(r, a, "done");
    else
        ep_add_calls(r, a, ep_tool_name(r), 0,
            (size_t)ep_option(name, "calls", 1));
}

static void bad_args(struct ep_server *s, const struct ep_request *r,
    const char *name, struct ep_answer *a)
{
    (void)s, (void)name;
    size_t results = ep_results_since_user(r);
    if (results >= 2) {
        say(r, a, "done");
        return;
    }
    ep_add_calls(r, a, ep_tool_name(r), results, 1);
    if (results == 0 && a->n_calls)
        a->calls[0].args = "{\"n\": 1,, oops";
}

static void unknown_tool(struct ep_server *s, const struct ep_request *r,
    const char *name, struct ep_answer *a)
{
    (void)s, (void)name;
    if (ep_results_since_user(r) > 0)
        say(r, a, "done");
    else
        ep_add_calls(r, a, "no_such_tool", 0, 1);
}

/* The first reply is cut by the token limit in the middle of its call. */
static void cut_length(struct ep_server *s, const struct ep_request *r,
    const char *name, struct ep_answer *a)
{
    (void)name;
    if (ep_results_since_user(r) > 0 || ep_attempt(s, r) > 1) {
        say(r, a, "done");
        return;
    }
    ep_add_calls(r, a, ep_tool_name(r), 0, 1);
    if (a->n_calls)
        a->calls[0].args = "{\"n\":";
    a->finish = "length";
}

static void think(struct ep_server *s, const struct ep_request *r,
    const char *name, struct ep_answer *a)
{
    echo(s, r, name, a);
    a->reasoning = "let me think about it";
}

static void empty(struct ep_server *s, const struct ep_request *r,
    const char *name, struct ep_answer *a)
{
    (void)s, (void)name;
    say(r, a, "");
}

static const struct model {
    const char *word;
    void (*answer)(struct ep_server *s, const struct ep_request *r,
        const char *name, struct ep_answer *a);
} models[] = {{"echo", echo}, {"ok", echo}, {"rounds", rounds},
    {"text", text}, {"calls", calls}, {"bad-args", bad_args},
    {"unknown-tool", unknown_tool}, {"cut-length", cut_length},
    {"think", think}, {"empty", empty}};

static bool begins_with_word(const char *name, const char *word)
{
    size_t len = strlen(word);
    return strncmp(name, word, len) == 0 &&
           (name[len] == '\0' || name[len] == '-');
}

bool ep_model(struct ep_server *s, const struct ep_request *r,
    const char *name, struct ep_answer *a)
{
    *a = (struct ep_answer){.text = "", .finish = "stop",
        .prompt_tokens = (long)(r->body_len / 4)};
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++)
        if (begins_with_word(name, models[i].word)) {
            models[i].answer(s, r, name, a);
            return true;
        }
    return false;
}

long ep_attempt(struct ep_server *s, const struct ep_request *r)
{
    struct er_buf key;
    er_buf_init(&key, 1 << 20);
    er_buf_addf(&key, "%s\n%s", r->model, ep_conversation(r));
    ep_pool_pause();
    json_t *n = json_object_get(s->attempts, er_buf_str(&key));
    if (!n) {
        n = json_integer(0);
        json_object_set_new(s->attempts, er_buf_str(&key), n);
    }
    ep_pool_resume();
    er_buf_release(&key);
    json_integer_set(n, json_integer_value(n) + 1);
    return (long)json_integer_value(n);
}

/* --- who answers */

static void list_models(const struct ep_request *r, struct ep_plan *p)
{
    struct er_buf b;
    (void)r;
    er_buf_init(&b, 64 << 10);
    er_buf_adds(&b, "{\"object\":\"list\",\"data\":[");
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++)
        er_buf_addf(&b, "%s{\"id\":\"%s\",\"object\":\"model\","
            "\"created\":1700000000,\"owned_by\":\"errand\"}",
            i ? "," : "", models[i].word);
    er_buf_adds(&b, "]}");
    ep_plan_whole(p, 200, "application/json", "", er_buf_str(&b), b.len);
    er_buf_release(&b);
}

/* "A-then-B": A for the first attempts ("times-N", else 1), then B. */
static const char *name_now(struct ep_server *s, const struct ep_request *r)
{
    const char *then = strstr(r->model, "-then-");
    if (!then)
        return r->model;
    char *first = er_arena_strn(
        r->arena, r->model, (size_t)(then - r->model));
    long times = ep_option(first, "times", 1);
    return ep_attempt(s, r) <= times ? first : then + strlen("-then-");
}

static void sleep_first(
    const char *name, const struct ep_request *r, struct ep_plan *p)
{
    long ms = ep_option(name, "delay", r->delay_ms);
    if (ms > 0)
        ep_plan_step(p, (struct ep_step){.type = EP_SLEEP, .ms = ms});
}

static void choose(
    struct ep_server *s, struct ep_request *r, struct ep_plan *p)
{
    struct ep_answer a;
    const char *name = name_now(s, r);
    sleep_first(name, r, p);
    if (s->script && er_starts_with(name, "script"))
        ep_script_answer(s->script, r, p);
    else if (ep_model(s, r, name, &a))
        ep_render(r, &a, p);
    else if (ep_fault(s, r, name, p))
        return;
    else if (s->script)
        ep_script_answer(s->script, r, p);
    else
        ep_render_error(r, r->route == EP_WORKERS ? 400 : 404, 5007,
            "No such model", "model", "", p);
}

/* The model, the framing: from the body or the path. */
static void look(struct ep_request *r)
{
    r->body = er_json_parse(
        r->body_text, r->body_len, ER_JSON_LENIENT, NULL);
    r->parsed = true;
    const char *name = er_json_str(r->body, "model");
    if (r->route == EP_WORKERS) {
        name = strstr(r->path, "/ai/run/");
        name = name ? name + strlen("/ai/run/")
                    : strstr(r->path, "/workers-ai/") + strlen("/workers-ai/");
    }
    r->full_model = name ? name : "";
    const char *slash = strrchr(r->full_model, '/');
    r->model = slash ? slash + 1 : r->full_model;
    r->stream = json_is_true(json_object_get(r->body, "stream"));
    r->want_usage = json_is_true(json_object_get(
        json_object_get(r->body, "stream_options"), "include_usage"));
}

static void answer_post(
    struct ep_server *s, struct ep_request *r, struct ep_plan *p)
{
    const char *param = "";
    if (s->fast && r->route == EP_CHAT && ep_glance(r)) {
        choose(s, r, p);
        return;
    }
    ep_pool_begin();
    look(r);
    const char *why = ep_check(r, &param);
    if (why)
        ep_render_error(r, 400, 5006, why, param, "", p);
    else
        choose(s, r, p);
    s->totals.rejected += why != NULL;
    json_decref(r->body);
    ep_pool_end();
}

static bool has_key(const struct ep_server *s, const struct ep_request *r)
{
    return !s->key || (r->auth && er_starts_with(r->auth, "Bearer ") &&
                          strcmp(r->auth + 7, s->key) == 0);
}

void ep_answer_request(
    struct ep_server *s, const struct ep_request *req, struct ep_plan *p)
{
    struct ep_request r = *req;
    if (!has_key(s, &r))
        ep_render_error(&r, 401, 10000, "Authentication error", "", "", p);
    else if (s->hub && ep_hub(s, &r, p))
        return;
    else if (r.route == EP_MODELS && strcmp(r.method, "GET") == 0)
        list_models(&r, p);
    else if (r.route > EP_WORKERS)
        ep_render_error(&r, 404, 7003, "No such route", "", "", p);
    else if (strcmp(r.method, "POST") != 0)
        ep_render_error(&r, 405, 7001, "Method not allowed", "", "", p);
    else
        answer_post(s, &r, p);
}
