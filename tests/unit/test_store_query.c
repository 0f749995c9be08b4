/* Questions that people ask: find, list, show, search, resumable, health. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/store_suite.c"

#include <sqlite3.h>

static json_t *search(struct world *w, const char *query)
{
    struct errand_error err = {0};
    json_t *hits = er_store_search(w->s, query, 20, &err);
    if (!hits)
        print_error("search %s: %s\n", query, err.msg);
    assert_non_null(hits);
    return hits;
}

static size_t count(struct world *w, const char *query)
{
    json_t *hits = search(w, query);
    size_t n = json_array_size(hits);
    json_decref(hits);
    return n;
}

static void test_query_finds_ids_by_their_beginning(void **state)
{
    struct world *w = *state;
    struct kit_run a, b;
    char out[ER_ID_SIZE];
    struct errand_error err = {0};
    kit_accept(w->s, "q", &a);
    kit_accept(w->s, "q", &b);
    kit_step(w->s, &a, "call-", 2, ERRAND_PURE, NULL);
    assert_int_equal(er_store_find(w->s, "run", a.claim.run_id, out, &err),
        ERRAND_OK);
    assert_string_equal(out, a.claim.run_id);
    char most[ER_ID_SIZE];
    snprintf(most, sizeof most, "%.35s", b.conv);
    assert_int_equal(
        er_store_find(w->s, "conversation", most, out, &err), ERRAND_OK);
    assert_string_equal(out, b.conv);
    assert_int_equal(
        er_store_find(w->s, "call", "call-", out, &err), ERRAND_USAGE);
    assert_int_equal(
        er_store_find(w->s, "call", "call-1", out, &err), ERRAND_OK);
    static const char *const none[] = {"zzz", "%", "_", "call-%", "'", "\xFF"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        assert_int_equal(er_store_find(w->s, "call", none[i], out, &err),
            ERRAND_NOT_FOUND);
    assert_int_equal(er_store_find(w->s, "run", "", out, &err), ERRAND_USAGE);
    assert_int_equal(
        er_store_conversation_of(w->s, b.claim.run_id, out, &err), ERRAND_OK);
    assert_string_equal(out, b.conv);
    char tool[65];
    assert_int_equal(
        er_store_tool_of(w->s, "call-0", tool, &err), ERRAND_OK);
    assert_string_equal(tool, "tool");
    assert_int_equal(
        er_store_tool_of(w->s, "x", tool, &err), ERRAND_NOT_FOUND);
}

static void test_query_lists_runs_newest_first(void **state)
{
    struct world *w = *state;
    struct kit_run r[3];
    struct errand_error err = {0};
    for (int i = 0; i < 3; i++) {
        char text[16];
        snprintf(text, sizeof text, "q%d", i);
        kit_accept(w->s, text, &r[i]);
    }
    kit_step(w->s, &r[0], "c", 0, 0, NULL);
    kit_stop(w->s, &r[1], ER_RUN_PAUSED);
    json_t *list = er_store_list(w->s, 20, NULL, NULL, &err);
    assert_int_equal(json_array_size(list), 3);
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(er_json_str(json_array_get(list, i), "id"),
            r[2 - i].claim.run_id);
    const json_t *run = json_array_get(list, 2);
    assert_string_equal(er_json_str(run, "state"), "done");
    assert_string_equal(er_json_str(run, "answer"), "the answer");
    assert_string_equal(er_json_str(run, "prompt"), "q0");
    assert_string_equal(er_json_str(run, "model"), "replay:x");
    assert_string_equal(er_json_str(run, "conversation"), r[0].conv);
    assert_int_equal(er_json_int(run, "turns", -1), 1);
    assert_int_equal(er_json_int(run, "prompt_tokens", -1), 10);
    run = json_array_get(list, 1);
    assert_string_equal(er_json_str(run, "reason"), "budget");
    assert_string_equal(er_json_str(run, "error"), "the budget is used up");
    assert_true(json_is_null(json_object_get(run, "answer")));
    json_decref(list);
    list = er_store_list(w->s, 20, "ready", NULL, &err);
    assert_int_equal(json_array_size(list), 1);
    json_decref(list);
    list = er_store_list(w->s, 20, NULL, r[1].conv, &err);
    assert_int_equal(json_array_size(list), 1);
    json_decref(list);
    list = er_store_list(w->s, 2, NULL, NULL, &err);
    assert_int_equal(json_array_size(list), 2);
    json_decref(list);
    assert_null(er_store_list(w->s, 2, "happy", NULL, &err));
    assert_int_equal(err.code, ERRAND_USAGE);
}

static void test_query_shows_a_conversation(void **state)
{
    struct world *w = *state;
    struct kit_run r;
    struct errand_error err = {0};
    kit_accept(w->s, "q", &r);
    struct er_op *op = suite_claimed_op(&r, 7);
    op->in.attempt.attempt.code = ERRAND_TIMEOUT;
    op->in.attempt.attempt.error = "too slow";
    kit_call(w->s, op, NULL);
    kit_step(w->s, &r, "c", 2, ERRAND_READ, NULL);
    kit_finish(w->s, &r, "c1", ER_CALL_FAILED, "no", NULL);
    json_t *conv = er_store_show(w->s, r.conv, &err);
    assert_non_null(conv);
    assert_string_equal(er_json_str(conv, "title"), "a title");
    json_t *messages = json_object_get(conv, "messages");
    assert_int_equal(json_array_size(messages), 3); /* c0 is open */
    assert_int_equal(er_json_int(json_array_get(messages, 2), "seq", 0), 4);
    assert_string_equal(
        er_json_str(json_array_get(messages, 2), "run"), r.claim.run_id);
    json_t *run = json_array_get(json_object_get(conv, "runs"), 0);
    json_t *calls = json_object_get(run, "calls");
    assert_int_equal(json_array_size(calls), 2);
    const json_t *call = json_array_get(calls, 0);
    assert_string_equal(er_json_str(call, "state"), "planned");
    assert_string_equal(er_json_str(call, "effect"), "read");
    assert_int_equal(
        er_json_int(json_object_get(call, "arguments"), "a", 0), 1);
    json_t *attempts = json_object_get(run, "attempts");
    assert_int_equal(json_array_size(attempts), 2);
    assert_string_equal(
        er_json_str(json_array_get(attempts, 0), "code"), "TIMEOUT");
    assert_int_equal(er_json_int(json_array_get(attempts, 1), "seq", 0), 2);
    assert_null(json_object_get(run, "no"));
    json_decref(conv);
    assert_null(er_store_show(w->s, "no such", &err));
    assert_int_equal(err.code, ERRAND_NOT_FOUND);
}

static void test_query_search_sees_what_was_just_stored(void **state)
{
    struct world *w = *state;
    struct kit_run r;
    kit_accept(w->s, "The quick brown foxes jumped over the caf\xC3\xA9", &r);
    json_t *hits = search(w, "fox cafe"); /* stemmed, without accents */
    assert_int_equal(json_array_size(hits), 1);
    const json_t *hit = json_array_get(hits, 0);
    assert_string_equal(er_json_str(hit, "conversation"), r.conv);
    assert_int_equal(er_json_int(hit, "seq", 0), 1);
    assert_string_equal(er_json_str(hit, "role"), "user");
    assert_non_null(strstr(er_json_str(hit, "snippet"), "\002foxes\003"));
    json_decref(hits);
    assert_int_equal(count(w, "fox elephant"), 0);
    /* a result that fills a gap is found as soon as it is there */
    kit_step(w->s, &r, "c", 2, ERRAND_PURE, NULL);
    kit_finish(w->s, &r, "c1", ER_CALL_DONE, "second zebra", NULL);
    count(w, "zebra");
    kit_finish(w->s, &r, "c0", ER_CALL_DONE, "first zebra", NULL);
    assert_int_equal(count(w, "zebra"), 2);
    /* late results of a stopped run too */
    kit_step(w->s, &r, "d", 1, ERRAND_PURE, NULL);
    kit_begin(w->s, &r, "d0");
    kit_stop(w->s, &r, ER_RUN_PAUSED);
    count(w, "zebra");
    kit_finish(w->s, &r, "d0", ER_CALL_DONE, "third zebra", NULL);
    assert_int_equal(count(w, "zebra"), 3);
}

static void test_query_search_takes_any_text(void **state)
{
    struct world *w = *state;
    struct kit_run r;
    kit_accept(w->s, "it's a \"quoted\" NOT near (text) a-b col:x *", &r);
    static const char *const hostile[] = {"\"", "\"\"", "'", "*", "a*", "(",
        ")", "NEAR(a b)", "AND", "OR NOT", "col:x", "text:it", "^a", "-a",
        "+", "{text}:a", "\\", "\xFF\xFE", "\xF0\x9F", "a\"b", "\"a", ";--",
        "  ", "", "\t\n", "\xF0\x9F\xA6\x99", "rank", "message_index",
        "'; DROP TABLE runs; --", "%s%n", "?1", "NULL", "\x01\x02\x03"};
    for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++)
        count(w, hostile[i]);
    assert_int_equal(count(w, "quoted"), 1);
    assert_int_equal(count(w, "\"quoted\""), 1);
    assert_int_equal(count(w, "NOT"), 1);
    assert_int_equal(count(w, "AND"), 0);
    assert_int_equal(count(w, "a-b"), 1);
    assert_int_equal(count(w, "col:x *"), 1);
    char many[4000];
    for (size_t i = 0; i < sizeof many - 1; i++)
        many[i] = i % 2 ? ' ' : '"';
    many[sizeof many - 1] = '\0';
    count(w, many);
    struct errand_error err = {0};
    char huge[9000];
    memset(huge, 'x', sizeof huge - 1);
    huge[sizeof huge - 1] = '\0';
    assert_null(er_store_search(w->s, huge, 20, &err));
    assert_int_equal(err.code, ERRAND_TOO_LARGE);
}

static void test_query_index_follows_forks_and_removals(void **state)
{
    struct world *w = *state;
    struct kit_run r, other;
    kit_accept(w->s, "the only walrus", &r);
    kit_accept(w->s, "no such animal", &other);
    kit_stop(w->s, &r, ER_RUN_PAUSED);
    assert_int_equal(count(w, "walrus"), 1);
    struct er_op *op = er_op_new(ER_OP_FORK);
    op->in.fork.conv_id = r.conv;
    op->in.fork.new_conv_id = "copy";
    op->in.fork.last_seq = -1;
    assert_int_equal(kit_call(w->s, op, NULL), ERRAND_OK);
    assert_int_equal(count(w, "walrus"), 2);
    struct kit_run more; /* what is added to a fork is indexed too */
    kit_accept_full(
        w->s, "copy", "walrus again", NULL, ELSEWHERE, 0, NULL, &more);
    assert_int_equal(count(w, "walrus"), 3);
    for (int i = 0; i < 2; i++) {
        op = er_op_new(ER_OP_REMOVE);
        op->in.remove.conv_id = i ? "copy" : r.conv;
        assert_int_equal(kit_call(w->s, op, NULL), ERRAND_OK);
        assert_int_equal(count(w, "walrus"), i ? 0 : 2);
    }
    kit_accept(w->s, "a gnu in the place of the walrus", &r);
    assert_int_equal(count(w, "gnu"), 1);
    struct errand_error err = {0};
    json_t *h = er_store_health(w->s, true, &err);
    assert_string_equal(er_json_str(h, "fts"), "ok");
    json_decref(h);
}

static void test_query_resumable_are_those_nobody_runs(void **state)
{
    struct world *w = *state;
    struct kit_run mine, lapsed, dead, done, paused;
    struct errand_error err = {0};
    char gone[128];
    suite_dead_owner(gone);
    kit_accept(w->s, "q", &mine);
    kit_accept_full(w->s, NULL, "q", NULL, ELSEWHERE, -1, NULL, &lapsed);
    kit_accept_full(w->s, NULL, "q", NULL, gone, 600000, NULL, &dead);
    kit_step(w->s, &dead, "c", 1, ERRAND_UNSAFE, NULL);
    kit_accept_full(w->s, NULL, "q", NULL, ELSEWHERE, 600000, NULL, &done);
    kit_accept_full(w->s, NULL, "q", NULL, gone, 0, NULL, &done);
    kit_step(w->s, &done, "d", 0, 0, NULL);
    kit_accept_full(w->s, NULL, "q", NULL, gone, 0, NULL, &paused);
    kit_stop(w->s, &paused, ER_RUN_PAUSED);
    json_t *list = er_store_resumable(w->s, &err);
    assert_int_equal(json_array_size(list), 2);
    assert_string_equal(
        json_string_value(json_array_get(list, 0)), lapsed.claim.run_id);
    assert_string_equal(
        json_string_value(json_array_get(list, 1)), dead.claim.run_id);
    json_decref(list);
}

static void test_query_settings_and_events(void **state)
{
    struct world *w = *state;
    struct kit_run r;
    struct errand_error err = {0};
    assert_null(er_store_get(w->s, "k", &err));
    assert_int_equal(err.code, ERRAND_OK);
    static const char *const values[] = {"one", "two", NULL};
    for (int i = 0; i < 3; i++) {
        struct er_op *op = er_op_new(ER_OP_PUT);
        op->in.put.key = "k";
        op->in.put.value = values[i];
        assert_int_equal(kit_call(w->s, op, NULL), ERRAND_OK);
        char *got = er_store_get(w->s, "k", &err);
        if (values[i])
            assert_string_equal(got, values[i]);
        else
            assert_null(got);
        free(got);
    }
    kit_accept(w->s, "q", &r);
    static const char *const lines[] = {"{\"a\":1}", "{\"b\":2}", "three"};
    for (int i = 0; i < 2; i++) {
        struct er_op *op = er_op_new(ER_OP_EVENTS);
        op->in.events.claim = r.claim;
        op->in.events.n = 3;
        op->in.events.events = lines;
        assert_int_equal(kit_call(w->s, op, NULL), ERRAND_OK);
    }
    json_t *list = er_store_events(w->s, r.claim.run_id, 0, 100, &err);
    assert_int_equal(json_array_size(list), 6);
    assert_string_equal(er_json_str(json_array_get(list, 5), "event"),
        "three");
    int64_t n = er_json_int(json_array_get(list, 3), "n", -1);
    json_decref(list);
    list = er_store_events(w->s, r.claim.run_id, n, 1, &err);
    assert_int_equal(json_array_size(list), 1);
    assert_int_equal(er_json_int(json_array_get(list, 0), "n", -1), n + 1);
    json_decref(list);
}

static void test_query_health_of_a_sound_store(void **state)
{
    struct world *w = *state;
    struct kit_run r;
    struct errand_error err = {0};
    kit_accept(w->s, "q", &r);
    for (int deep = 0; deep < 2; deep++) {
        json_t *h = er_store_health(w->s, deep, &err);
        assert_non_null(h);
        assert_string_equal(er_json_str(h, "path"), w->path);
        assert_string_equal(er_json_str(h, "integrity"), "ok");
        assert_string_equal(er_json_str(h, "fts"), "ok");
        assert_string_equal(er_json_str(h, "journal"), "wal");
        assert_int_equal(er_json_int(h, "runs", 0), 1);
        assert_int_equal(er_json_int(h, "messages", 0), 1);
        assert_true(json_is_true(json_object_get(h, "wal_reset_safe")));
        assert_int_equal(er_json_int(h, "user_version", 0), 5);
        assert_true(er_json_int(h, "size", 0) > 4096);
        json_decref(h);
    }
}

/* A conversation whose text was changed behind the index's back. */
static void test_query_health_sees_a_wrong_index(void **state)
{
    struct world *w = *state;
    struct kit_run r;
    struct errand_error err = {0};
    kit_accept(w->s, "original words", &r);
    count(w, "original");
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(w->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "UPDATE messages SET text='other'",
                         NULL, NULL, NULL),
        SQLITE_OK);
    sqlite3_close(db);
    json_t *h = er_store_health(w->s, false, &err);
    assert_non_null(h);
    assert_string_not_equal(er_json_str(h, "fts"), "ok");
    json_decref(h);
}

#define ON(f)                                                             \
    cmocka_unit_test_prestate_setup_teardown(f, suite_set_up,             \
        suite_tear_down, (void *)&suite_backends[0])

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON(test_query_finds_ids_by_their_beginning),
        ON(test_query_lists_runs_newest_first),
        ON(test_query_shows_a_conversation),
        ON(test_query_search_sees_what_was_just_stored),
        ON(test_query_search_takes_any_text),
        ON(test_query_index_follows_forks_and_removals),
        ON(test_query_resumable_are_those_nobody_runs),
        ON(test_query_settings_and_events),
        ON(test_query_health_of_a_sound_store),
        ON(test_query_health_sees_a_wrong_index),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
