/* The loop of the runtime on a local model: tools in workers, several calls
 * of one reply, answers by schema, a kill in the middle of an answer,
 * recordings. The model's weights are random, so what it calls and says is
 * chance; what the grammar leaves of it is asked for until it was seen. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/local_kit.h"

#include <errand/errand.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TRIES = 60 };

static struct local_kit kit;
static char dir[64], db[100], record[100], tools[100], worker[3100];

static const char tool[] =
    "return { name = 'mix', description = 'Mix two colours',\n"
    "  parameters = { type = 'object', properties = {\n"
    "    a = { enum = {'red','blue'} }, b = { enum = {'red','blue'} } },\n"
    "    required = {'a','b'} },\n"
    "  effect = 'pure',\n"
    "  run = function(args) return { mixed = args.a .. args.b } end }\n";

static const char schema[] =
    "{\"type\":\"object\",\"properties\":{\"sure\":{\"type\":\"boolean\"}},"
    "\"required\":[\"sure\"],\"additionalProperties\":false}";

/* ------------------------------------------------------------ the runtime */

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static int set_up(void **state)
{
    (void)state;
    char self[3000] = "", path[200];
    const char *build = getenv("ERRAND_BUILD");
    local_kit_make(&kit, "hermes", 21);
    snprintf(dir, sizeof dir, "/tmp/errand-local-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(db, sizeof db, "%s/e.db", dir);
    snprintf(record, sizeof record, "%s/record", dir);
    snprintf(tools, sizeof tools, "%s/tools", dir);
    mkdir(tools, 0700);
    snprintf(path, sizeof path, "%s/mix.lua", tools);
    write_file(path, tool);
    assert_true(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
    for (int i = 0; i < 3; i++)
        *strrchr(self, '/') = '\0';
    snprintf(worker, sizeof worker, "%s/errand-worker", build ? build : self);
    setenv("HOME", dir, 1);
    unsetenv("XDG_CONFIG_HOME");
    unsetenv("ERRAND_MODEL");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    static const char *const names[] = {"e.db", "e.db-wal", "e.db-shm",
        "e.db.lock", "record", "tools/mix.lua"};
    char path[200];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        unlink(path);
    }
    rmdir(tools);
    rmdir(dir);
    local_kit_remove(&kit);
    return 0;
}

static errand *open_runtime(const char *recorded, const char *replayed)
{
    char engine[400];
    errand *rt = NULL;
    struct errand_error err = {0};
    const char *dirs[] = {tools, NULL};
    snprintf(engine, sizeof engine,
        "{\"threads\":1,\"context\":4096,\"prefix_folder\":\"%s\"}",
        kit.folder);
    struct errand_options opt = {.size = sizeof opt, .store_path = db,
        .config_path = "", .worker_path = worker, .tools_dirs = dirs,
        .engine = engine, .record_path = recorded, .replay_path = replayed};
    if (errand_open(&opt, &rt, &err) != ERRAND_OK)
        fail_msg("errand_open: %s", err.msg);
    return rt;
}

struct told {
    int calls, results, most_calls; /* most: of one reply */
    int64_t cached;
    char *answer, run[40], conversation[40];
    char error[240];
    size_t texts;
    bool cancel; /* at the first piece of text */
    int pipe; /* where the first TEXT is told, for good; or 0 */
};

static void on_event(void *user, const struct errand_event *ev)
{
    struct told *t = user;
    struct errand_error err = {0};
    if (ev->type == ERRAND_EV_STARTED) {
        snprintf(t->run, sizeof t->run, "%s", errand_run_id(ev->run));
        snprintf(t->conversation, sizeof t->conversation, "%s",
            errand_run_conversation(ev->run));
    }
    if (ev->type == ERRAND_EV_TEXT) {
        t->texts++;
        if (t->cancel)
            errand_cancel(ev->run);
        if (t->pipe) {
            (void)!write(t->pipe, ".", 1);
            while (true)
                pause();
        }
    }
    if (ev->type == ERRAND_EV_CALL)
        t->calls++;
    if (ev->type == ERRAND_EV_RESULT)
        t->results++;
    if (ev->type == ERRAND_EV_USAGE) {
        json_t *v = er_json_parse(
            ev->json, strlen(ev->json), ER_JSON_LENIENT, &err);
        t->cached = er_json_int(v, "cached_tokens", -1);
        json_decref(v);
    }
    if (ev->type == ERRAND_EV_DONE)
        t->answer = strndup(ev->text, ev->text_len);
    if (ev->type == ERRAND_EV_FAILED || ev->type == ERRAND_EV_PAUSED)
        snprintf(t->error, sizeof t->error, "%s", ev->text);
}

static void release(struct told *t)
{
    free(t->answer);
    *t = (struct told){0};
}

static struct errand_request request_of(const char *params)
{
    return (struct errand_request){.size = sizeof(struct errand_request),
        .prompt = "Mix something", .model = kit.model, .params = params,
        .on_event = on_event};
}

static void run(errand *rt, struct told *t, struct errand_request req)
{
    struct errand_error err = {0};
    req.user = t;
    if (errand_start(rt, &req, NULL, &err) != ERRAND_OK ||
        errand_drive(rt, 120000, &err) != ERRAND_OK)
        fail_msg("%s", err.msg);
}

/* ------------------------------------------------------------------ tests */

/* How many calls the largest reply of a run has. */
static size_t largest_reply(errand *rt, const char *id)
{
    char *text = NULL;
    size_t most = 0, i;
    json_t *m;
    struct errand_error err = {0};
    assert_int_equal(errand_log_show(rt, id, &text, &err), ERRAND_OK);
    json_t *v = er_json_parse(text, strlen(text), ER_JSON_LENIENT, &err);
    json_array_foreach(json_object_get(v, "messages"), i, m)
    {
        size_t n = json_array_size(json_object_get(m, "tool_calls"));
        most = n > most ? n : most;
    }
    json_decref(v);
    errand_free(text);
    return most;
}

static void test_local_run_calls_tools_and_answers(void **state)
{
    (void)state;
    const char *names[] = {"mix", NULL};
    errand *rt = open_runtime(NULL, NULL);
    bool called = false, parallel = false;
    for (int i = 1; i <= TRIES && !(called && parallel); i++) {
        struct told t = {0};
        char params[100];
        snprintf(params, sizeof params, "{\"max_tokens\":700,\"seed\":%d,"
            "\"temperature\":%s}", i, i % 2 ? "1" : "4");
        struct errand_request req = request_of(params);
        req.tools = names;
        req.schema = schema;
        req.budgets = "{\"max_turns\":4}";
        run(rt, &t, req);
        assert_int_equal(t.calls, t.results);
        if (t.answer) {
            assert_true(strcmp(t.answer, "{\"sure\":true}") == 0 ||
                        strcmp(t.answer, "{\"sure\":false}") == 0);
            called = called || t.calls > 0;
            parallel = parallel || largest_reply(rt, t.run) > 1;
        }
        release(&t);
    }
    assert_true(called);
    assert_true(parallel);
    errand_close(rt);
}

static void test_local_run_names_a_tool(void **state)
{
    (void)state;
    const char *names[] = {"mix", NULL};
    errand *rt = open_runtime(NULL, NULL);
    struct told t = {0};
    struct errand_request req =
        request_of("{\"max_tokens\":2000,\"seed\":5}");
    req.tools = names;
    req.tool_choice = "mix";
    req.budgets = "{\"max_turns\":1}";
    run(rt, &t, req);
    assert_true(t.calls > 0);
    assert_int_equal(t.calls, t.results);
    release(&t);
    errand_close(rt);
}

/* A conversation to go on with: what is asked in it is stored before the
 * model is asked, so that an answer's first word never comes when all is
 * over already. */
static void converse(errand *rt, struct told *t)
{
    run(rt, t, request_of("{\"max_tokens\":2,\"seed\":1}"));
    free(t->answer);
    t->answer = NULL;
    t->texts = 0;
}

/* In a process of its own: asks, writes a byte at the first piece of text,
 * and never comes to the end. */
static void victim(int out)
{
    struct told t = {0};
    errand *rt = open_runtime(NULL, NULL);
    converse(rt, &t);
    t.pipe = out;
    struct errand_request req =
        request_of("{\"max_tokens\":3000,\"seed\":8}");
    req.schema = "{\"type\":\"array\",\"items\":{\"type\":\"integer\"},"
                 "\"minItems\":60,\"maxItems\":60}";
    req.conversation = t.conversation;
    run(rt, &t, req);
    _exit(0);
}

static void test_local_run_goes_on_after_a_kill(void **state)
{
    (void)state;
    int ends[2], status;
    char byte, *ids = NULL;
    struct errand_error err = {0};
    struct told t = {0};
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0)
        victim(ends[1]);
    close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    close(ends[0]);
    assert_true(WIFSIGNALED(status));
    errand *rt = open_runtime(NULL, NULL);
    assert_int_equal(errand_log_resumable(rt, &ids, &err), ERRAND_OK);
    json_t *list = er_json_parse(ids, strlen(ids), ER_JSON_LENIENT, &err);
    assert_int_equal(json_array_size(list), 1);
    assert_int_equal(
        errand_resume(rt, json_string_value(json_array_get(list, 0)), NULL,
            on_event, &t, NULL, &err), ERRAND_OK);
    assert_int_equal(errand_drive(rt, 120000, &err), ERRAND_OK);
    assert_non_null(t.answer);
    json_t *whole =
        er_json_parse(t.answer, strlen(t.answer), ER_JSON_STRICT, &err);
    assert_int_equal(json_array_size(whole), 60);
    json_decref(whole);
    release(&t);
    json_decref(list);
    errand_free(ids);
    errand_close(rt);
}

static void test_local_run_can_be_replayed(void **state)
{
    (void)state;
    struct told t = {0}, u = {0};
    struct errand_request req =
        request_of("{\"max_tokens\":30,\"seed\":9}");
    errand *rt = open_runtime(record, NULL);
    run(rt, &t, req);
    errand_close(rt);
    rt = open_runtime(NULL, record);
    run(rt, &u, req);
    errand_close(rt);
    assert_non_null(t.answer);
    assert_string_equal(t.answer, u.answer);
    release(&t);
    release(&u);
}

static void test_local_run_counts_what_was_known(void **state)
{
    (void)state;
    struct told t = {0}, u = {0};
    char *words = local_kit_words(60);
    struct errand_request req =
        request_of("{\"max_tokens\":10,\"seed\":9}");
    req.system = words;
    errand *rt = open_runtime(NULL, NULL);
    run(rt, &t, req);
    errand_close(rt);
    rt = open_runtime(NULL, NULL);
    run(rt, &u, req);
    errand_close(rt);
    assert_true(u.cached >= 320);
    assert_string_equal(t.answer, u.answer);
    release(&t);
    release(&u);
    free(words);
}

static void test_local_run_pauses_when_cancelled(void **state)
{
    (void)state;
    struct errand_error err = {0};
    struct told t = {0}, u = {0};
    struct errand_request req =
        request_of("{\"max_tokens\":300,\"seed\":2}");
    errand *rt = open_runtime(NULL, NULL);
    converse(rt, &t);
    t.cancel = true;
    req.conversation = t.conversation;
    run(rt, &t, req);
    assert_int_equal(t.texts, 1);
    assert_null(t.answer);
    assert_int_equal(errand_resume(rt, t.run, NULL, on_event, &u, NULL,
        &err), ERRAND_OK);
    assert_int_equal(errand_drive(rt, 120000, &err), ERRAND_OK);
    assert_non_null(u.answer);
    release(&t);
    release(&u);
    errand_close(rt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_local_run_calls_tools_and_answers),
        cmocka_unit_test(test_local_run_names_a_tool),
        cmocka_unit_test(test_local_run_goes_on_after_a_kill),
        cmocka_unit_test(test_local_run_can_be_replayed),
        cmocka_unit_test(test_local_run_counts_what_was_known),
        cmocka_unit_test(test_local_run_pauses_when_cancelled),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
