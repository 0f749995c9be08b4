/* 200 runs at once, and in their middle a plugin that segfaults, aborts,
 * exits, hangs and floods: only its own call fails, as its effect says, and
 * its worker is back for the next call. */
#include <setjmp.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/run_kit.h"

enum { RUNS = 200 };

/* Which tool a run calls, and how it must end. */
static const struct bad {
    const char *tool;
    int end;        /* of the run */
    const char *has; /* in its call's result; NULL: it has none */
} bad[] = {
    {"segv", ERRAND_EV_PAUSED, NULL}, /* unsafe: nobody knows */
    {"exits", ERRAND_EV_PAUSED, NULL},
    {"hangs", ERRAND_EV_PAUSED, NULL},
    {"floods", ERRAND_EV_PAUSED, NULL},
    {"too_long", ERRAND_EV_PAUSED, NULL},
    {"closes", ERRAND_EV_PAUSED, NULL},
    {"aborts", ERRAND_EV_DONE, "did not answer"}, /* read: tried again */
    {"spins", ERRAND_EV_DONE, "did not answer"},
    {"keeps", ERRAND_EV_DONE, "kept"}, /* its probe finds that it was done */
    {"loses", ERRAND_EV_DONE, "the second time"}, /* that it was not */
    {"doubts", ERRAND_EV_PAUSED, NULL}, /* or cannot tell */
};

enum { BAD = sizeof bad / sizeof bad[0], EVERY = RUNS / BAD };

/* The kit's runtime again, with plugins. */
static void open_with_plugins(struct kit *k)
{
    char rogue[4096], answers[4096], worker[4096];
    const char *build = getenv("ERRAND_BUILD");
    struct errand_error err = {0};
    build = build ? build : "build";
    snprintf(rogue, sizeof rogue, "%s/tests/plugins/rogue.so", build);
    snprintf(answers, sizeof answers, "%s/tests/plugins/answers.so", build);
    snprintf(worker, sizeof worker, "%s/errand-worker", build);
    const char *plugins[] = {rogue, answers, NULL};
    struct errand_options opt = {.size = sizeof opt, .store_path = k->db,
        .config_path = "", .worker_path = worker, .plugins = plugins};
    errand_close(k->rt);
    if (errand_open(&opt, &k->rt, &err) != ERRAND_OK)
        fail_msg("errand_open: %s", err.msg);
}

/* A model that calls the tool its prompt ends with, then is done. */
static char *write_script(void)
{
    static const char *const good[] = {"good", "echo"};
    static char text[8192];
    size_t n = 0;
    for (int i = 0; i < BAD + 2; i++) {
        const char *tool = i < BAD ? bad[i].tool : good[i - BAD];
        n += (size_t)snprintf(text + n, sizeof text - n,
            "{\"match\":{\"turn\":1,\"contains\":\"call %s.\"},"
            "\"answer\":{\"calls\":[{\"name\":\"%s\","
            "\"arguments\":{}}]}}\n", tool, tool);
    }
    snprintf(text + n, sizeof text - n,
        "{\"match\":{\"turn\":2},\"answer\":{\"content\":\"done\"}}\n");
    return text;
}

static const struct bad *bad_of(int run)
{
    return run % EVERY == EVERY / 2 ? &bad[run / EVERY] : NULL;
}

static void check_call(struct kit *k, struct told *t, const struct bad *b)
{
    json_t *shown = kit_show(k, t->conv_id);
    char *text = json_dumps(shown, JSON_COMPACT);
    bool is_unknown = strstr(text, "\"unknown\"") != NULL;
    if (is_unknown != (b->has == NULL))
        fail_msg("%s: %s", b->tool, text);
    if (b->has && !strstr(text, b->has))
        fail_msg("%s: %s", b->tool, text);
    free(text);
    json_decref(shown);
}

static void test_plugins_crash_among_200_runs(void **state)
{
    static struct told told[RUNS];
    static const char *tools[RUNS][2];
    char prompts[RUNS][64];
    struct errand_error err = {0};
    struct kit k;
    (void)state;
    kit_open(&k, write_script());
    open_with_plugins(&k);
    for (int i = 0; i < RUNS; i++) {
        const struct bad *b = bad_of(i);
        tools[i][0] = b ? b->tool : i % 2 ? "echo" : "good";
        snprintf(prompts[i], sizeof prompts[i], "run %d: call %s.", i,
            tools[i][0]);
        kit_start(&k, &told[i], (struct errand_request){
            .prompt = prompts[i], .model = "script", .tools = tools[i]});
    }
    if (errand_drive(k.rt, 120000, &err) != ERRAND_OK)
        fail_msg("errand_drive: %s", err.msg);
    for (int i = 0; i < RUNS; i++) {
        const struct bad *b = bad_of(i);
        int end = b ? b->end : ERRAND_EV_DONE;
        if (told[i].end != end)
            fail_msg("run %d (%s) ended with %d: %s", i, tools[i][0],
                told[i].end, told[i].error ? told[i].error : "");
        if (b)
            check_call(&k, &told[i], b);
        else
            assert_string_equal(told[i].answer, "done");
    }
    for (int i = 0; i < RUNS; i++)
        told_free(&told[i]);
    /* and the worker is back */
    struct told t;
    static const char *const good[] = {"good", NULL};
    kit_run(&k, &t, (struct errand_request){
        .prompt = "again: call good.", .model = "script", .tools = good});
    assert_int_equal(t.end, ERRAND_EV_DONE);
    told_free(&t);
    kit_close(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plugins_crash_among_200_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
