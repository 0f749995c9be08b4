/* Recordings: what fits a request, what is played, what is refused; and
 * that what was recorded plays as it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "model/fingerprint.h"
#include "model/record.h"
#include "support/asking.h"

#include <sys/stat.h>
#include <unistd.h>

static char path[64], model[80];

static int set_up(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "/tmp/errand-replay-XXXXXX");
    int fd = mkstemp(path);
    close(fd);
    snprintf(model, sizeof model, "replay:%s", path);
    return fd < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

static void write_lines(const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

#define USER(text) "{\"role\":\"user\",\"content\":\"" text "\"}"
#define BOT(text) "{\"role\":\"assistant\",\"content\":\"" text "\"}"

static void print_of(const char *messages, struct er_fingerprint *out)
{
    json_t *m =
        er_json_parse(messages, strlen(messages), ER_JSON_STRICT, NULL);
    assert_non_null(m);
    struct er_model_request req = {.messages = m};
    assert_true(er_fingerprint(&req, out));
    json_decref(m);
}

static void test_fingerprint_is_of_what_was_said(void **state)
{
    (void)state;
    struct er_fingerprint a, b;
    print_of("[" USER("hi") "]", &a);
    /* sha256 of {"messages":[{"content":"hi","role":"user"}],"tools":[]} */
    assert_string_equal(a.hex,
        "8afae19f0f586d0fdeac4f9e7dc4e3d2"
        "c931b044fdeffe90d7ec21f9fe4c7a73");
    assert_int_equal(a.turn, 0);
    static const char call[] =
        "[{\"role\":\"assistant\",\"content\":\"\",\"reasoning\":\"%s\","
        "\"tool_calls\":[{\"id\":\"%s\",\"provider_id\":\"%s\","
        "\"name\":\"f\",\"arguments\":\"%s\"}],\"extra\":{\"x\":1}},"
        "{\"role\":\"tool\",\"tool_call_id\":\"%s\",\"name\":\"f\","
        "\"content\":\"r\"}]";
    char one[600];
    snprintf(one, sizeof one, call, "why", "id1", "p1", "{}", "id1");
    print_of(one, &a);
    assert_int_equal(a.turn, 1);
    snprintf(one, sizeof one, call, "how", "id2", "p2", "{}", "id2");
    print_of(one, &b);
    assert_string_equal(a.hex, b.hex);
    snprintf(one, sizeof one, call, "why", "id1", "p1", "[]", "id1");
    print_of(one, &b);
    assert_string_not_equal(a.hex, b.hex);
}

static void test_replay_plays_events_as_written(void **state)
{
    (void)state;
    write_lines(
        "\n{\"turn\":0,\"note\":\"by hand\",\"events\":["
        "{\"type\":\"reasoning\",\"text\":\"hm\"},"
        "{\"type\":\"text\",\"text\":\"I look  it up \xF0\x9F\xA6\x99\"},"
        "{\"type\":\"call\",\"name\":\"f\",\"arguments\":{\"x\":[1]}},"
        "{\"type\":\"call\",\"name\":\"g\",\"id\":\"i1\"},"
        "{\"type\":\"usage\",\"prompt_tokens\":7,\"cached_tokens\":2}]}\n"
        "{\"turn\":1,\"events\":[{\"type\":\"done\",\"finish\":\"length\","
        "\"extra\":{\"k\":1}}]}");
    struct asking a;
    asking_open(&a, NULL, NULL, NULL);
    assert_true(ask(&a, model, "[" USER("x") "]"));
    assert_string_equal(
        er_buf_str(&a.text), "I look  it up \xF0\x9F\xA6\x99");
    assert_int_equal(a.pieces, 1); /* no stream was asked for */
    assert_string_equal(er_buf_str(&a.reasoning), "hm");
    assert_string_equal(
        er_buf_str(&a.calls), "f({\"x\":[1]})replay_0_2;g({})i1;");
    assert_int_equal(a.usage.prompt_tokens, 7);
    assert_int_equal(a.usage.cached_tokens, 2);
    assert_int_equal(a.finish, ER_FINISH_CALLS);
    assert_int_equal(a.error.code, 0);
    assert_true(ask(&a, model, "[" USER("x") "," BOT("y") "]"));
    assert_int_equal(a.finish, ER_FINISH_LENGTH);
    assert_string_equal(a.extra, "{\"k\":1}");
    asking_close(&a);
}

static void test_replay_streams_words_and_waits(void **state)
{
    (void)state;
    write_lines("{\"delay_ms\":5,\"events\":[{\"type\":\"text\",\"text\":"
                "\" one two  three\"}]}\n");
    struct asking a;
    asking_open(&a, NULL, NULL, NULL);
    a.stream = true;
    assert_true(ask(&a, model, "[]"));
    assert_int_equal(a.pieces, 3);
    assert_string_equal(er_buf_str(&a.text), " one two  three");
    assert_true(a.took_ms >= 4 * 5);
    asking_close(&a);
}

static void test_replay_prefers_the_same_question(void **state)
{
    (void)state;
    struct er_fingerprint b;
    char lines[1000];
    print_of("[" USER("b") "]", &b);
    snprintf(lines, sizeof lines,
        "{\"turn\":0,\"events\":[{\"type\":\"text\",\"text\":\"first\"}]}\n"
        "{\"turn\":0,\"fingerprint\":\"%s\",\"events\":"
        "[{\"type\":\"text\",\"text\":\"b1\"}]}\n"
        "{\"turn\":0,\"events\":[{\"type\":\"text\",\"text\":\"last\"}]}\n"
        "{\"turn\":0,\"fingerprint\":\"%s\",\"events\":"
        "[{\"type\":\"text\",\"text\":\"b2\"}]}\n",
        b.hex, b.hex);
    write_lines(lines);
    static const char *const want[][2] = {
        {"b", "b1"},    {"other", "first"}, {"b", "b2"}, {"b", "b1"},
        {"b", "b2"},    {"other", "last"},  {"b", "b1"},
    };
    struct asking a;
    asking_open(&a, NULL, path, NULL);
    char messages[100];
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        snprintf(messages, sizeof messages,
            "[{\"role\":\"user\",\"content\":\"%s\"}]", want[i][0]);
        assert_true(ask(&a, "any:model", messages));
        assert_string_equal(er_buf_str(&a.text), want[i][1]);
    }
    assert_int_equal(
        asking_begin(&a, "any:model", "[" USER("other") "]", NULL),
        ERRAND_NOT_FOUND);
    assert_non_null(strstr(a.error.msg, "no answer left for turn 0"));
    assert_non_null(strstr(a.error.msg, "--record"));
    assert_int_equal(
        asking_begin(&a, "any:model", "[" BOT("y") "]", NULL),
        ERRAND_NOT_FOUND);
    assert_non_null(strstr(a.error.msg, "turn 1"));
    asking_close(&a);
}

static void test_replay_needs_no_endpoint(void **state)
{
    (void)state;
    write_lines("{\"events\":[]}\n");
    struct asking a;
    asking_open(&a, NULL, path, NULL);
    assert_int_equal(er_models_check(a.models, "openai:m", &a.error), 0);
    assert_int_equal(er_models_check(a.models, "nobody:m", &a.error), 0);
    assert_int_equal(
        er_models_check(a.models, "m", &a.error), ERRAND_USAGE);
    assert_true(ask(&a, "nobody:m", "[]"));
    assert_int_equal(a.finish, ER_FINISH_STOP);
    asking_close(&a);
}

static void test_replay_is_cancelled_at_any_event(void **state)
{
    (void)state;
    write_lines("{\"events\":[{\"type\":\"text\",\"text\":\"a b c\"},"
                "{\"type\":\"call\",\"name\":\"f\"}]}\n");
    for (int at = 0; at <= 5; at++) {
        struct asking a;
        asking_open(&a, NULL, path, NULL);
        a.stream = true;
        a.cancel_at = at;
        assert_int_equal(asking_begin(&a, "any:m", "[]", NULL), 0);
        if (at == 0) { /* before anything came */
            er_model_cancel(a.x);
            er_loop_run(a.loop, 5);
        } else {
            asking_end(&a, 2000);
            er_loop_run(a.loop, 2);
        }
        assert_int_equal(a.events, at);
        asking_close(&a);
    }
}

static void test_replay_closes_with_an_exchange_under_way(void **state)
{
    (void)state;
    write_lines("{\"delay_ms\":5000,\"events\":[]}\n");
    struct asking a;
    asking_open(&a, NULL, path, NULL);
    assert_int_equal(asking_begin(&a, "any:m", "[]", NULL), 0);
    asking_close(&a);
}

static void test_replay_refuses_bad_lines_with_their_number(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"", "is empty"},
        {"\n \n", "is empty"},
        {"{\"events\":[]}\n{\"events\":", "line 2: not valid JSON"},
        {"[]", "line 1: a line must be a JSON object"},
        {"{}", "needs \"events\""},
        {"{\"event\":[]}", "unknown key 'event'"},
        {"{\"events\":[],\"turn\":-1}", "\"turn\" must be a number"},
        {"{\"events\":[],\"delay_ms\":\"x\"}", "\"delay_ms\" must be"},
        {"{\"events\":[],\"fingerprint\":\"ab\"}", "64 hexadecimal"},
        {"{\"events\":[1]}", "an event must be an object"},
        {"{\"events\":[{\"type\":\"txt\"}]}", "no event has the type 'txt'"},
        {"{\"events\":[{\"type\":\"text\"}]}", "needs \"text\""},
        {"{\"events\":[{\"type\":\"text\",\"text\":1}]}", "must be a text"},
        {"{\"events\":[{\"type\":\"text\",\"text\":\"\",\"x\":1}]}",
            "cannot have"},
        {"{\"events\":[{\"type\":\"call\",\"name\":\"f\","
         "\"arguments\":[]}]}",
            "a text or an object"},
        {"{\"events\":[{\"type\":\"done\",\"finish\":\"end\"}]}",
            "stop, calls, length or filter"},
        {"{\"events\":[{\"type\":\"error\",\"code\":\"OK\","
         "\"message\":\"\"}]}",
            "name of an error"},
        {"{\"events\":[{\"type\":\"done\",\"finish\":\"stop\"},"
         "{\"type\":\"text\",\"text\":\"\"}]}",
            "behind done"},
    };
    struct errand_error err;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        write_lines(rows[i][0]);
        struct asking a;
        asking_open(&a, NULL, path, NULL);
        assert_null(a.models);
        if (!strstr(a.error.msg, rows[i][1]))
            fail_msg("'%s' is not in: %s", rows[i][1], a.error.msg);
        assert_non_null(strstr(a.error.msg, "recording"));
        asking_close(&a);
    }
    unlink(path);
    struct asking a;
    asking_open(&a, NULL, NULL, NULL);
    assert_int_equal(er_models_check(a.models, model, &err), ERRAND_IO);
    assert_non_null(strstr(err.msg, "No such file"));
    asking_close(&a);
}

/* ------------------------------------------------- recording */

static char *read_all(void)
{
    static char text[100000];
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    return text;
}

static void take(struct er_recorder *r, const struct er_secrets *secrets,
    const struct er_model_event *events, size_t count)
{
    struct er_model_request req = {0};
    struct er_take *t = er_take_new(r, "openai:m", &req, secrets);
    assert_non_null(t);
    for (size_t i = 0; i < count; i++)
        er_take_event(t, &events[i]);
    er_take_free(t);
}

static void test_record_writes_one_line_without_secrets(void **state)
{
    (void)state;
    struct errand_error err = {0};
    struct er_secrets secrets = {0};
    assert_true(er_secrets_add(&secrets, "sk-secret-key", 13));
    struct er_recorder *r = er_recorder_new(path, NULL, &err);
    assert_non_null(r);
    json_t *extra = json_pack("{s:[s]}", "x", "is sk-secret-key here");
    static const char args[] = "{\"k\":\"sk-secret-key\"}";
    struct er_model_call call = {.id = "c1",
        .name = "f",
        .arguments = args,
        .arguments_len = sizeof args - 1};
    struct er_usage usage = {3, 4, 0, 0};
    const struct er_model_event events[] = {
        {.type = ER_MODEL_RETRY, .error = &err, .delay_ms = 9},
        {.type = ER_MODEL_REASONING, .text = "so", .len = 2},
        {.type = ER_MODEL_TEXT, .text = "my key is sk-sec", .len = 16},
        {.type = ER_MODEL_TEXT, .text = "ret-key.", .len = 8},
        {.type = ER_MODEL_CALL, .call = &call},
        {.type = ER_MODEL_USAGE, .usage = &usage},
        {.type = ER_MODEL_DONE, .finish = ER_FINISH_CALLS, .extra = extra},
    };
    take(r, &secrets, events, 7);
    take(r, &secrets, events, 6); /* cancelled: nothing is written */
    er_recorder_free(r);
    json_decref(extra);
    er_secrets_release(&secrets);
    const char *line = read_all();
    assert_null(strstr(line, "secret"));
    assert_string_equal(strstr(line, "\"events\""),
        "\"events\":[{\"type\":\"reasoning\",\"text\":\"so\"},"
        "{\"type\":\"text\",\"text\":\"my key is ***.\"},"
        "{\"type\":\"call\",\"id\":\"c1\",\"name\":\"f\","
        "\"arguments\":\"{\\\"k\\\":\\\"***\\\"}\"},"
        "{\"type\":\"usage\",\"prompt_tokens\":3,\"completion_tokens\":4},"
        "{\"type\":\"done\",\"finish\":\"calls\","
        "\"extra\":{\"x\":[\"is *** here\"]}}]}\n");
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void test_record_of_a_replay_is_that_replay(void **state)
{
    (void)state;
    char second[80];
    snprintf(second, sizeof second, "%s-2", path);
    unlink(second);
    write_lines(
        "{\"events\":[{\"type\":\"text\",\"text\":\"a b \\u0000c\"},"
        "{\"type\":\"call\",\"name\":\"f\",\"id\":\"x\","
        "\"arguments\":\"{}\"}]}\n"
        "{\"turn\":1,\"events\":[{\"type\":\"error\",\"code\":\"RATE_LIMIT\","
        "\"detail\":429,\"message\":\"slow down\"}]}\n");
    static const char *const asks[] = {
        "[" USER("x") "]", "[" USER("x") "," BOT("y") "]"};
    char calls[2][100];
    for (int round = 0; round < 2; round++) {
        struct asking a;
        asking_open(
            &a, NULL, round ? second : path, round ? NULL : second);
        assert_non_null(a.models);
        a.stream = true;
        assert_true(ask(&a, "any:m", asks[0]));
        assert_int_equal(a.text.len, 6);
        snprintf(calls[round], 100, "%s", er_buf_str(&a.calls));
        assert_true(ask(&a, "any:m", asks[1]));
        assert_int_equal(a.error.code, ERRAND_RATE_LIMIT);
        assert_int_equal(a.error.detail, 429);
        assert_string_equal(a.error.msg, "slow down");
        asking_close(&a);
    }
    assert_string_equal(calls[0], calls[1]);
    unlink(second);
}

static void on_log(void *user, int level, const char *text)
{
    (void)level;
    er_buf_addf(user, "%s\n", text);
}

static void test_record_tells_when_the_disk_is_full(void **state)
{
    (void)state;
    struct errand_error err = {0};
    struct er_buf said;
    er_buf_init(&said, 4096);
    struct er_log log = {on_log, &said};
    struct er_recorder *r = er_recorder_new("/dev/full", &log, &err);
    assert_non_null(r);
    const struct er_model_event done = {.type = ER_MODEL_DONE};
    take(r, NULL, &done, 1);
    take(r, NULL, &done, 1);
    assert_string_equal(er_buf_str(&said),
        "recording failed: No space left on device; exchanges are missing "
        "in the recording\n");
    er_recorder_free(r);
    er_buf_release(&said);
    assert_null(er_recorder_new("/no/such/folder/x", NULL, &err));
    assert_int_equal(err.code, ERRAND_IO);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_fingerprint_is_of_what_was_said),
        T(test_replay_plays_events_as_written),
        T(test_replay_streams_words_and_waits),
        T(test_replay_prefers_the_same_question),
        T(test_replay_needs_no_endpoint),
        T(test_replay_is_cancelled_at_any_event),
        T(test_replay_closes_with_an_exchange_under_way),
        T(test_replay_refuses_bad_lines_with_their_number),
        T(test_record_writes_one_line_without_secrets),
        T(test_record_of_a_replay_is_that_replay),
        T(test_record_tells_when_the_disk_is_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
