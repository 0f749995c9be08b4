/* The loop against a model's endpoint that is held to providers' rules:
 * tools, bad calls, guards, budgets, resuming, structured answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "support/run_kit.h"

static const char *const ALL[] = {"*", NULL};

/* --- tools of the test */

struct tick {
    int runs, fail_first, hold;
    errand_call *held;
    char last[256], keys[8][40];
};

static void run_tick(
    void *user, errand_call *call, const char *args, size_t len)
{
    struct tick *t = user;
    snprintf(t->last, sizeof t->last, "%.*s", (int)len, args);
    if (t->runs < 8)
        snprintf(t->keys[t->runs], 40, "%s", errand_call_key(call));
    t->runs++;
    if (t->hold) {
        t->held = call;
        return;
    }
    errand_call_reply(call, "ok", 2);
}

static void run_big(
    void *user, errand_call *call, const char *args, size_t len)
{
    static char text[100001];
    (void)user;
    (void)args;
    (void)len;
    for (size_t i = 0; i < sizeof text - 1; i++)
        text[i] = i % 80 == 79 ? '\n' : (char)('a' + i % 26);
    errand_call_reply(call, text, sizeof text - 1);
}

static void add_tool(struct kit *k, const char *name, int effect,
    void (*run)(void *, errand_call *, const char *, size_t), void *user)
{
    struct errand_error err = {0};
    struct errand_tool_def def = {.size = sizeof def,
        .effect = (uint32_t)effect, .name = name, .description = "for tests",
        .parameters = "{\"type\":\"object\",\"properties\":{\"n\":{\"type\":"
                      "\"integer\",\"description\":\"a number\"}},"
                      "\"additionalProperties\":false}",
        .run = run, .user = user};
    if (errand_add_tool(k->rt, &def, &err) != ERRAND_OK)
        fail_msg("errand_add_tool: %s", err.msg);
}

static struct errand_request ask(const char *model, const char *prompt)
{
    return (struct errand_request){
        .prompt = prompt, .model = model, .tools = ALL};
}

/* --- the plain way */

static void test_run_streams_and_stores_an_answer(void **state)
{
    (void)state;
    struct kit k;
    struct told t;
    kit_open(&k, NULL);
    kit_run(&k, &t, ask("echo", "h\xC3\xA9llo, \xF0\x9F\xA6\x99 there"));
    assert_int_equal(t.end, ERRAND_EV_DONE);
    assert_string_equal(t.answer, "h\xC3\xA9llo, \xF0\x9F\xA6\x99 there");
    assert_string_equal(t.text, t.answer);
    assert_int_equal(t.started, 1);
    json_t *c = kit_show(&k, t.run_id);
    const json_t *m = json_object_get(c, "messages");
    assert_int_equal(json_array_size(m), 2);
    assert_string_equal(json_string_value(json_object_get(
        json_array_get(m, 1), "content")), t.answer);
    json_decref(c);
    told_free(&t);
    kit_close(&k);
}

static void test_run_goes_through_rounds_in_call_order(void **state)
{
    (void)state;
    struct kit k;
    struct told t;
    struct tick tick = {0};
    kit_open(&k, NULL);
    add_tool(&k, "tick", ERRAND_PURE, run_tick, &tick);
    kit_run(&k, &t, ask("rounds-4-par-3", "go"));
    assert_int_equal(t.end, ERRAND_EV_DONE);
    assert_string_equal(t.answer, "done after 4 rounds");
    assert_int_equal(tick.runs, 12);
    json_t *c = kit_show(&k, t.conv_id);
    const json_t *m = json_object_get(c, "messages");
    assert_int_equal(json_array_size(m), 1 + 4 * 4 + 1);
    for (size_t i = 0; i < json_array_size(m); i++)
        assert_int_equal(json_integer_value(json_object_get(
            json_array_get(m, i), "seq")), i + 1);
    json_decref(c);
    told_free(&t);
    kit_close(&k);
}

static void test_run_each_request_is_a_prefix_of_the_next(void **state)
{
    (void)state;
    struct kit k;
    struct told t;
    struct tick tick = {0};
    kit_open(&k, NULL);
    add_tool(&k, "tick", ERRAND_PURE, run_tick, &tick);
    kit_run(&k, &t, ask("rounds-5", "go"));
    assert_int_equal(t.end, ERRAND_EV_DONE);
    FILE *f = fopen(k.log, "r");
    char *line = NULL, *before = NULL;
    size_t cap = 0, n = 0;
    while (getline(&line, &cap, f) > 0) {
        if (before) {
            char *end = strrchr(before, ']'); /* of its messages */
            assert_non_null(end);
            assert_memory_equal(before, line, (size_t)(end - before));
        }
        free(before);
        before = strdup(line);
        n++;
    }
    assert_int_equal(n, 6);
    free(before);
    free(line);
    fclose(f);
    told_free(&t);
    kit_close(&k);
}

static void test_run_continues_a_conversation(void **state)
{
    (void)state;
    struct kit k;
    struct told a, b;
    struct tick tick = {0};
    kit_open(&k, NULL);
    add_tool(&k, "tick", ERRAND_PURE, run_tick, &tick);
    struct errand_request req = ask("rounds-2", "first");
    req.system = "be brief";
    kit_run(&k, &a, req);
    kit_reopen(&k);
    add_tool(&k, "tick", ERRAND_PURE, run_tick, &tick);
    req = ask("rounds-1", "second");
    req.conversation = a.conv_id;
    kit_run(&k, &b, req);
    assert_int_equal(b.end, ERRAND_EV_DONE);
    assert_string_equal(a.conv_id, b.conv_id);
    json_t *all = kit_requests(&k);
    const json_t *last = json_array_get(all, json_array_size(all) - 1);
    assert_int_equal(
        json_array_size(json_object_get(last, "messages")), 6 + 1 + 3);
    json_decref(all);
    told_free(&a);
    told_free(&b);
    kit_close(&k);
}

static void test_run_client_key_gives_the_same_run(void **state)
{
    (void)state;
    struct kit k;
    struct told a, b;
    kit_open(&k, NULL);
    struct errand_request req = ask("echo", "once");
    req.client_key = "key-1";
    kit_run(&k, &a, req);
    kit_run(&k, &b, req);
    assert_int_equal(b.end, ERRAND_EV_DONE);
    assert_string_equal(a.run_id, b.run_id);
    assert_string_equal(b.answer, "once");
    json_t *all = kit_requests(&k);
    assert_int_equal(json_array_size(all), 1);
    json_decref(all);
    told_free(&a);
    told_free(&b);
    kit_close(&k);
}

/* --- what models do wrong */

static void test_run_answers_bad_arguments(void **state)
{
    (void)state;
    struct kit k;
    struct told t;
    struct tick tick = {0};
    kit_open(&k, NULL);
    add_tool(&k, "tick", ERRAND_UNSAFE, run_tick, &tick);
    kit_run(&k, &t, ask("bad-args", "go"));
    assert_int_equal(t.end, ERRAND_EV_DONE);
    assert_int_equal(tick.runs, 1);
    assert_non_null(strstr(told_at(&t, ERRAND_EV_RESULT, 0),
        "cannot be read"));
    told_free(&t);
    kit_run(&k, &t, ask("unknown-tool", "go"));
    assert_int_equal(t.end, ERRAND_EV_DONE);
    assert_non_null(strstr(told_at(&t, ERRAND_EV_RESULT, 0),
        "there is no tool"));
    told_free(&t);
    kit_run(&k, &t, ask("cut-length", "go"));
    assert_int_equal(t.end, ERRAND_EV_DONE);
    assert_int_equal(tick.runs, 1); /* a cut call is never run */
    told_free(&t);
    kit_close(&k);
}

static const char MISFIT[] =
    "{\"match\":{\"turn\":1},\"answer\":{\"calls\":[{\"name\":\"tick\","
    "\"arguments\":{\"n\":\"4\"}},{\"name\":\"tick\",\"arguments\":"
    "{\"n\":\"four\"}},{\"name\":\"tick\",\"arguments\":{\"m\":1}},"
    "{\"name\":\"tick\",\"arguments\":\"[1]\"},{\"name\":\"tick\","
    "\"arguments\":\"{\\\"n\\\":1,\\\"n\\\":2}\"},{\"name\":\"tick\","
    "\"arguments\":\"{\\\"n\\\":18446744073709551616}\"}]}}\n"
    "{\"match\":{\"turn\":2},\"answer\":{\"content\":\"fine\"}}\n";

static void test_run_checks_and_coerces_arguments(void **state)
{
    (void)state;
    struct kit k;
    struct told t;
    struct tick tick = {0};
    kit_open(&k, MISFIT);
    add_tool(&k, "tick", ERRAND_PURE, run_tick, &tick);
    kit_run(&k, &t, ask("script", "go"));
    assert_int_equal(t.end, ERRAND_EV_DONE);
    assert_int_equal(tick.runs, 1);
    assert_string_equal(tick.last, "{\"n\":4}");
    json_t *c = kit_show(&k, t.conv_id);
    const json_t *m = json_object_get(c, "messages");
    static const char *const want[] = {
        "ok", "/n", "unknown property", "not a JSON object", "twice",
        "does not fit"};
    for (size_t i = 0; i < 6; i++) {
        const char *text = json_string_value(json_object_get(
            json_array_get(m, 2 + i), "content"));
        if (!text || !strstr(text, want[i]))
            fail_msg("result %zu is \"%s\", not like \"%s\"", i,
                text ? text : "(none)", want[i]);
    }
    json_decref(c);
    told_free(&t);
    kit_close(&k);
}

/* The lock that every commit needs. */
static int lock_store(struct kit *k)
{
    char path[128];
    snprintf(path, sizeof path, "%s.lock", k->db);
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    return fd;
}

static size_t count_requests(struct kit *k)
{
    json_t *all = kit_requests(k);
    size_t n = json_array_size(all);
    json_decref(all);
    return n;
}

/* While the request waits for the disk its model is asked and what has no
 * effect is run; nothing is told, and nothing with an effect is run. */
static void test_run_tells_nothing_before_it_is_stored(void **state)
{
    (void)state;
    static const int effects[] = {ERRAND_PURE, ERRAND_UNSAFE};
    for (int e = 0; e < 2; e++) {
        struct kit k;
        struct told t;
        struct tick tick = {0};
        struct errand_error err = {0};
        kit_open(&k, NULL);
        add_tool(&k, "tick", effects[e], run_tick, &tick);
        int fd = lock_store(&k);
        kit_start(&k, &t, ask("rounds-2", "go"));
        while (effects[e] == ERRAND_PURE ? tick.runs < 2
                                         : count_requests(&k) < 1)
            assert_int_equal(errand_drive(k.rt, 5, &err), ERRAND_TIMEOUT);
        for (int i = 0; i < 4; i++)
            assert_int_equal(errand_drive(k.rt, 5, &err), ERRAND_TIMEOUT);
        assert_int_equal(t.n, 0);
        assert_int_equal(tick.runs, effects[e] == ERRAND_PURE ? 2 : 0);
        close(fd);
        assert_int_equal(errand_drive(k.rt, 30000, &err), ERRAND_OK);
        assert_int_equal(t.end, ERRAND_EV_DONE);
        assert_string_equal(t.answer, "done after 2 rounds");
        assert_int_equal(t.types[0], ERRAND_EV_STARTED);
        assert_int_equal(told_count(&t, ERRAND_EV_STARTED), 1);
        assert_int_equal(told_count(&t, ERRAND_EV_RESULT), 2);
        assert_int_equal(t.types[t.n - 1], ERRAND_EV_DONE);
        assert_int_equal(tick.runs, 2);
        told_free(&t);
        kit_close(&k);
    }
}

static void test_run_guard_pauses_a_model_in_circles(void **state)
{
    (void)state;
    struct kit k;
    struct told t;
    struct tick tick = {0};
    kit_open(&k, "{\"repeat\":true,\"answer\":{\"calls\":[{\"name\":\"tick\","
                 "\"arguments\":{\"n\":1}}]}}\n");
    add_tool(&k, "tick", ERRAND_READ, run_tick, &tick);
    kit_run(&k, &t, ask("script", "go"));
    assert_int_equal(t.end, ERRAND_EV_PAUSED);
    assert_int_equal(tick.runs, 5);
    assert_non_null(strstr(t.error, "repeats itself"));
    assert_non_null(strstr(told_at(&t, ERRAND_EV_RESULT, 2), "same call"));
    told_free(&t);
    kit_run(&k, &t, ask("unknown-tool-then-unknown-tool", "x"));
    told_free(&t);
    kit_close(&k);
}

/* --- budgets, pausing, resuming */

static void test_run_budget_pauses_and_resuming_goes_on(void **state)
{
    (void)state;
    struct kit k;
    struct told t, u;
    struct tick tick = {0};
    kit_open(&k, NULL);
    add_tool(&k, "tick", ERRAND_PURE, run_tick, &tick);
    struct errand_request req = ask("rounds-6", "go");
    req.budgets = "{\"max_turns\":4}";
    kit_run(&k, &t, req);
    assert_int_equal(t.end, ERRAND_EV_PAUSED);
    assert_int_equal(t.code, ERRAND_PAUSED);
    assert_non_null(strstr(t.error, "4 of 4 model turns"));
    kit_reopen(&k);
    add_tool(&k, "tick", ERRAND_PURE, run_tick, &tick);
    kit_resume(&k, &u, t.run_id, NULL);
    assert_int_equal(u.end, ERRAND_EV_DONE);
    assert_string_equal(u.answer, "done after 6 rounds");
    assert_int_equal(tick.runs, 6);
    told_free(&t);
    told_free(&u);
    req.budgets = "{\"max_calls\":2}";
    req.model = "rounds-2-par-2";
    kit_run(&k, &t, req);
    assert_int_equal(t.end, ERRAND_EV_PAUSED);
    assert_int_equal(tick.runs, 8);
    kit_resume(&k, &u, t.run_id, NULL);
    assert_int_equal(u.end, ERRAND_EV_DONE);
    assert_int_equal(tick.runs, 10);
    told_free(&t);
    told_free(&u);
    kit_close(&k);
}

static void test_run_cancelled_in_a_tool_can_be_resumed(void **state)
{
    (void)state;
    static const int effects[] = {ERRAND_READ, ERRAND_KEYED};
    for (int e = 0; e < 2; e++) {
        struct kit k;
        struct told t, u;
        struct tick tick = {.hold = 1};
        struct errand_error err = {0};
        kit_open(&k, NULL);
        add_tool(&k, "tick", effects[e], run_tick, &tick);
        kit_start(&k, &t, ask("rounds-1", "go"));
        while (!tick.held)
            assert_int_equal(errand_drive(k.rt, 20, &err), ERRAND_TIMEOUT);
        errand_interrupt(k.rt);
        assert_int_equal(errand_drive(k.rt, 5000, &err), ERRAND_OK);
        assert_int_equal(t.end, ERRAND_EV_PAUSED);
        assert_int_equal(t.code, ERRAND_CANCELLED);
        errand_call_reply(tick.held, "late", 4); /* is ignored */
        tick.hold = 0;
        kit_resume(&k, &u, t.run_id, NULL);
        assert_int_equal(u.end, ERRAND_EV_DONE);
        assert_int_equal(tick.runs, 2);
        assert_string_equal(tick.keys[0], tick.keys[1]);
        told_free(&t);
        told_free(&u);
        kit_close(&k);
    }
}

/* Interrupt an unsafe call; t gets the paused run. */
static void interrupt_unsafe(struct kit *k, struct told *t, struct tick *tick)
{
    struct errand_error err = {0};
    kit_open(k, NULL);
    add_tool(k, "tick", ERRAND_UNSAFE, run_tick, tick);
    kit_start(k, t, ask("rounds-1", "go"));
    while (!tick->held)
        assert_int_equal(errand_drive(k->rt, 20, &err), ERRAND_TIMEOUT);
    errand_interrupt(k->rt);
    assert_int_equal(errand_drive(k->rt, 5000, &err), ERRAND_OK);
    assert_int_equal(t->end, ERRAND_EV_PAUSED);
    errand_call_reply(tick->held, "late", 4);
    tick->hold = 0;
}

static void test_run_unsafe_outcome_is_asked_for_and_settled(void **state)
{
    (void)state;
    static const char *const outcomes[] = {"done", "not-done"};
    for (int i = 0; i < 2; i++) {
        struct kit k;
        struct told t, u, v;
        struct tick tick = {.hold = 1};
        struct errand_error err = {0};
        char call[40];
        interrupt_unsafe(&k, &t, &tick);
        kit_resume(&k, &u, t.run_id, NULL);
        assert_int_equal(u.end, ERRAND_EV_PAUSED);
        assert_int_equal(tick.runs, 1);
        assert_int_equal(sscanf(u.error, "call %39s", call), 1);
        assert_int_equal(errand_log_resolve(k.rt, call, outcomes[i], NULL,
            &err), ERRAND_OK);
        kit_resume(&k, &v, t.run_id, NULL);
        assert_int_equal(v.end, ERRAND_EV_DONE);
        assert_int_equal(tick.runs, i == 0 ? 1 : 2);
        told_free(&t);
        told_free(&u);
        told_free(&v);
        kit_close(&k);
    }
}

static void test_run_unknown_outcome_by_policy(void **state)
{
    (void)state;
    static const struct {
        const char *options;
        int runs;
    } rows[] = {{"{\"on_unknown\":\"fail\"}", 1},
        {"{\"on_unknown\":\"retry\"}", 2}};
    for (int i = 0; i < 2; i++) {
        struct kit k;
        struct told t, u;
        struct tick tick = {.hold = 1};
        interrupt_unsafe(&k, &t, &tick);
        kit_resume(&k, &u, t.run_id, rows[i].options);
        assert_int_equal(u.end, ERRAND_EV_DONE);
        assert_int_equal(tick.runs, rows[i].runs);
        told_free(&t);
        told_free(&u);
        kit_close(&k);
    }
}

static void test_run_failed_by_the_endpoint_can_be_resumed(void **state)
{
    (void)state;
    struct kit k;
    struct told t, u;
    struct tick tick = {0};
    kit_open(&k, NULL);
    add_tool(&k, "tick", ERRAND_PURE, run_tick, &tick);
    kit_run(&k, &t, ask("status-401-then-rounds-2", "go"));
    assert_int_equal(t.end, ERRAND_EV_FAILED);
    assert_true(t.error && strlen(t.error) > 10);
    kit_resume(&k, &u, t.run_id, NULL);
    assert_int_equal(u.end, ERRAND_EV_DONE);
    assert_int_equal(tick.runs, 2);
    struct errand_error err = {0};
    assert_int_equal(errand_resume(k.rt, t.run_id, NULL, NULL, NULL, NULL,
        &err), ERRAND_STATE);
    told_free(&t);
    told_free(&u);
    kit_close(&k);
}

/* --- results and answers */

static const char READS_ON[] =
    "{\"match\":{\"turn\":1},\"answer\":{\"calls\":[{\"name\":\"big\","
    "\"arguments\":{}}]}}\n"
    "{\"match\":{\"turn\":2},\"answer\":{\"content\":\"seen\"}}\n";

static void test_run_caps_results_and_keeps_the_whole(void **state)
{
    (void)state;
    struct kit k;
    struct told t;
    kit_open(&k, READS_ON);
    add_tool(&k, "big", ERRAND_READ, run_big, NULL);
    kit_run(&k, &t, ask("script", "go"));
    assert_int_equal(t.end, ERRAND_EV_DONE);
    json_t *c = kit_show(&k, t.conv_id);
    const char *shown = json_string_value(json_object_get(
        json_array_get(json_object_get(c, "messages"), 2), "content"));
    assert_true(strlen(shown) < 33000);
    const char *handle = strstr(shown, "{\"handle\":\"");
    assert_non_null(handle);
    json_decref(c);
    told_free(&t);
    kit_close(&k);
}

static const char REPAIRS[] =
    "{\"match\":{\"turn\":1},\"answer\":{\"content\":\"it is four\"}}\n"
    "{\"match\":{\"turn\":2,\"contains\":\"JSON\"},\"answer\":{\"content\":"
    "\"```json\\n{\\\"n\\\": 4}\\n```\"}}\n";

static void test_run_repairs_a_structured_answer_once(void **state)
{
    (void)state;
    struct kit k;
    struct told t;
    kit_open(&k, REPAIRS);
    struct errand_request req = ask("script", "how many?");
    req.tools = NULL;
    req.schema = "{\"type\":\"object\",\"properties\":{\"n\":{\"type\":"
                 "\"integer\"}},\"required\":[\"n\"]}";
    kit_run(&k, &t, req);
    assert_int_equal(t.end, ERRAND_EV_DONE);
    assert_string_equal(t.answer, "{\"n\":4}");
    assert_int_equal(told_count(&t, ERRAND_EV_DISCARD), 1);
    told_free(&t);
    req.model = "echo";
    kit_run(&k, &t, req);
    assert_int_equal(t.end, ERRAND_EV_FAILED);
    assert_int_equal(t.code, ERRAND_SCHEMA);
    told_free(&t);
    kit_close(&k);
}

static void test_run_refuses_bad_requests_at_once(void **state)
{
    (void)state;
    struct kit k;
    kit_open(&k, NULL);
    static const char *const no_such[] = {"no_such_tool", NULL};
    const struct {
        struct errand_request req;
        int code;
        const char *says;
    } rows[] = {
        {{.prompt = ""}, ERRAND_USAGE, "prompt"},
        {{.prompt = "x"}, ERRAND_CONFIG, "model"},
        {{.prompt = "x", .model = "gpt-4"}, ERRAND_USAGE, "provider"},
        {{.prompt = "x", .model = "nobody:x"}, 0, "nobody"},
        {{.prompt = "x", .model = "openai:echo", .tools = no_such},
            ERRAND_NOT_FOUND, "no_such_tool"},
        {{.prompt = "x", .model = "openai:echo",
             .params = "{\"temperature\":9}"}, ERRAND_RANGE, "5"},
        {{.prompt = "x", .model = "openai:echo", .params = "{\"heat\":9}"},
            ERRAND_USAGE, "heat"},
        {{.prompt = "x", .model = "openai:echo", .schema = "{\"type\":3}"},
            ERRAND_SCHEMA, "type"},
        {{.prompt = "x", .model = "openai:echo", .conversation = "zzz"},
            ERRAND_NOT_FOUND, "zzz"},
        {{.prompt = "x", .model = "openai:echo", .on_unknown = "hope"},
            ERRAND_USAGE, "hope"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct errand_error err = {0};
        struct errand_request req = rows[i].req;
        req.size = sizeof req;
        int code = errand_start(k.rt, &req, NULL, &err);
        if (code == ERRAND_OK || (rows[i].code && code != rows[i].code) ||
            !strstr(err.msg, rows[i].says))
            fail_msg("row %zu: %d %s", i, code, err.msg);
    }
    kit_close(&k);
}

/* --- many at once, threads */

static void test_run_hundred_at_once(void **state)
{
    (void)state;
    static struct told t[100];
    struct kit k;
    struct tick tick = {0};
    struct errand_error err = {0};
    kit_open(&k, NULL);
    add_tool(&k, "tick", ERRAND_PURE, run_tick, &tick);
    for (int i = 0; i < 100; i++)
        kit_start(&k, &t[i], ask("rounds-2-delay-20", "go"));
    assert_int_equal(errand_drive(k.rt, 30000, &err), ERRAND_OK);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(t[i].end, ERRAND_EV_DONE);
        told_free(&t[i]);
    }
    assert_int_equal(tick.runs, 200);
    kit_close(&k);
}

static void test_run_on_a_loop_thread(void **state)
{
    (void)state;
    static struct told t;
    struct kit k;
    struct errand_error err = {0};
    kit_open(&k, NULL);
    assert_int_equal(errand_thread_start(k.rt, &err), ERRAND_OK);
    kit_start(&k, &t, ask("echo", "from afar"));
    for (int i = 0; i < 6000 && !t.end; i++)
        usleep(10000);
    assert_int_equal(t.end, ERRAND_EV_DONE);
    assert_int_equal(errand_drive(k.rt, 0, &err), ERRAND_STATE);
    kit_close(&k);
    told_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run_streams_and_stores_an_answer),
        cmocka_unit_test(test_run_goes_through_rounds_in_call_order),
        cmocka_unit_test(test_run_each_request_is_a_prefix_of_the_next),
        cmocka_unit_test(test_run_continues_a_conversation),
        cmocka_unit_test(test_run_client_key_gives_the_same_run),
        cmocka_unit_test(test_run_answers_bad_arguments),
        cmocka_unit_test(test_run_checks_and_coerces_arguments),
        cmocka_unit_test(test_run_tells_nothing_before_it_is_stored),
        cmocka_unit_test(test_run_guard_pauses_a_model_in_circles),
        cmocka_unit_test(test_run_budget_pauses_and_resuming_goes_on),
        cmocka_unit_test(test_run_cancelled_in_a_tool_can_be_resumed),
        cmocka_unit_test(test_run_unsafe_outcome_is_asked_for_and_settled),
        cmocka_unit_test(test_run_unknown_outcome_by_policy),
        cmocka_unit_test(test_run_failed_by_the_endpoint_can_be_resumed),
        cmocka_unit_test(test_run_caps_results_and_keeps_the_whole),
        cmocka_unit_test(test_run_repairs_a_structured_answer_once),
        cmocka_unit_test(test_run_refuses_bad_requests_at_once),
        cmocka_unit_test(test_run_hundred_at_once),
        cmocka_unit_test(test_run_on_a_loop_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
