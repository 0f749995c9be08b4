/* Conversations that outgrow the window: what every request then holds,
 * against an endpoint that refuses what the strictest provider would. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/run_kit.h"

#include "agent/compact.h"

#include <stdlib.h>
#include <string.h>

enum { WINDOW = 4096, APART = 20 };

static void use_window(struct kit *k, int tokens)
{
    FILE *f = fopen(k->config, "w");
    assert_non_null(f);
    fprintf(f, "return { context = { window = %d } }\n", tokens);
    fclose(f);
    k->sync = ERRAND_SYNC_NORMAL; /* many turns: no disk is waited for */
    kit_reopen(k);
}

static bool is_summary_request(const json_t *body)
{
    const json_t *m = json_object_get(body, "messages");
    const char *text = json_string_value(
        json_object_get(json_array_get(m, 0), "content"));
    return text && strstr(text, "You shorten conversations");
}

/* Tokens of all texts of a request, counted as too many: three bytes each. */
static size_t tokens_of(const json_t *body)
{
    char *text = json_dumps(json_object_get(body, "messages"), JSON_COMPACT);
    size_t n = strlen(text) / 3;
    free(text);
    return n;
}

static void test_compact_many_turns_through_a_small_window(void **state)
{
    (void)state;
    const char *wanted = getenv("ERRAND_TEST_TURNS"); /* 400 take a while */
    const int TURNS = wanted ? atoi(wanted) : 120;
    struct kit k;
    struct told t;
    char conv[64] = "", prompt[160];
    size_t i, last = 0, between = APART, summaries = 0;
    json_t *body;
    kit_open(&k, NULL);
    use_window(&k, WINDOW);
    for (int turn = 0; turn < TURNS; turn++) {
        snprintf(prompt, sizeof prompt, "Turn %d: the number of the day is "
            "%d, remember it.", turn, turn * 7919 % 1000);
        struct errand_request req = {.prompt = prompt, .model = "echo",
            .conversation = conv[0] ? conv : NULL,
            .system = conv[0] ? NULL : "Be brief."};
        kit_run(&k, &t, req);
        if (t.end != ERRAND_EV_DONE)
            fail_msg("turn %d: %s", turn, t.error);
        assert_non_null(strstr(t.answer, prompt));
        snprintf(conv, sizeof conv, "%s", t.conv_id);
        told_free(&t);
    }
    json_t *bodies = kit_requests(&k);
    json_array_foreach(bodies, i, body)
    {
        if (tokens_of(body) > WINDOW)
            fail_msg("request %zu holds %zu tokens", i, tokens_of(body));
        between++;
        if (!is_summary_request(body))
            continue;
        if (between < APART)
            fail_msg("request %zu: %zu after the last summary", i, between);
        between = 0;
        summaries++;
        last = i;
    }
    assert_true(last > 0);
    assert_true(summaries >= 2 && (int)summaries <= TURNS / APART);
    assert_int_equal(json_array_size(bodies), (size_t)TURNS + summaries);
    json_decref(bodies);
    json_t *c = kit_show(&k, conv); /* every original is there */
    json_t *m, *rows = json_object_get(c, "messages");
    size_t originals = 0;
    json_array_foreach(rows, i, m)
        originals += json_object_get(m, "compacted") == NULL;
    assert_int_equal(originals, 1 + 2 * TURNS);
    print_message("%d turns, %zu summaries\n", TURNS, summaries);
    json_decref(c);
    kit_close(&k);
}

/* --- results of tools, within one run */

static void run_long(
    void *user, errand_call *call, const char *args, size_t len)
{
    static char text[1501];
    (void)user;
    memset(text, 'x', sizeof text - 1);
    memcpy(text, args, len < 100 ? len : 100);
    errand_call_reply(call, text, sizeof text - 1);
}

static void test_compact_leaves_results_out_first(void **state)
{
    (void)state;
    static const char *const all[] = {"tick", NULL};
    struct kit k;
    struct told t;
    struct errand_error err = {0};
    size_t i, handles = 0, asked = 0;
    json_t *body;
    kit_open(&k, NULL);
    use_window(&k, WINDOW);
    struct errand_tool_def def = {.size = sizeof def,
        .effect = ERRAND_READ, .name = "tick", .description = "for tests",
        .parameters = "{\"type\":\"object\",\"properties\":{\"n\":{\"type\":"
                      "\"integer\",\"description\":\"a number\"}}}",
        .run = run_long};
    assert_int_equal(errand_add_tool(k.rt, &def, &err), ERRAND_OK);
    kit_run(&k, &t, (struct errand_request){.prompt = "go",
        .model = "rounds-4-par-3", .tools = all});
    if (t.end != ERRAND_EV_DONE)
        for (int j = 0; j < t.n; j++)
            print_message("%d %.150s\n", t.types[j], t.details[j]);
    assert_int_equal(t.end, ERRAND_EV_DONE);
    json_t *bodies = kit_requests(&k);
    json_array_foreach(bodies, i, body)
    {
        char *text = json_dumps(body, JSON_COMPACT);
        handles += strstr(text, "read_more {") != NULL;
        asked += is_summary_request(body);
        assert_true(tokens_of(body) <= WINDOW);
        free(text);
    }
    assert_true(handles > 0);
    assert_true(asked <= 1);
    json_decref(bodies);
    told_free(&t);
    kit_close(&k);
}

/* --- rows */

static json_t *row(int seq, const char *role, const char *text)
{
    return json_pack("{s:i, s:s, s:s}", "seq", seq, "role", role, "content",
        text);
}

static void test_compact_never_parts_a_call_from_its_result(void **state)
{
    (void)state;
    json_t *rows = json_array();
    json_array_append_new(rows, row(1, "user", "do it"));
    for (int i = 0; i < 20; i++) {
        json_array_append_new(rows, json_pack("{s:i,s:s,s:s,s:[{s:s,s:s,s:s}]"
            "}", "seq", 2 + 2 * i, "role", "assistant", "content", "",
            "tool_calls", "id", "a", "name", "t", "arguments", "{}"));
        json_array_append_new(rows, row(3 + 2 * i, "tool", "some result"));
    }
    for (int64_t tail = 1; tail < 400; tail += 7) {
        int64_t at = er_compact_border(rows, tail);
        assert_true(at > 1);
        assert_int_equal(at % 2, 0); /* an assistant's message */
    }
    json_decref(rows);
}

static void test_compact_puts_the_summary_where_roles_alternate(void **state)
{
    (void)state;
    json_t *rows = json_array();
    json_array_append_new(rows, row(1, "system", "s"));
    json_array_append_new(rows, row(2, "user", "first"));
    json_array_append_new(rows, row(3, "assistant", "one"));
    json_array_append_new(rows, row(4, "user", "second"));
    json_array_append_new(rows, row(5, "assistant", "two"));
    json_t *c = row(6, "user", "it was said");
    json_object_set_new(c, "compacted", json_pack("{s:i,s:i,s:i}", "from", 1,
        "to", 3, "elide", 3));
    json_array_append_new(rows, c);
    json_t *seen = er_compact_apply(rows);
    assert_int_equal(json_array_size(seen), 3);
    const char *text = json_string_value(
        json_object_get(json_array_get(seen, 1), "content"));
    assert_non_null(strstr(text, "it was said"));
    assert_non_null(strstr(text, "second"));
    assert_null(strstr(text, "first"));
    json_decref(seen);
    json_decref(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compact_many_turns_through_a_small_window),
        cmocka_unit_test(test_compact_leaves_results_out_first),
        cmocka_unit_test(test_compact_never_parts_a_call_from_its_result),
        cmocka_unit_test(test_compact_puts_the_summary_where_roles_alternate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
