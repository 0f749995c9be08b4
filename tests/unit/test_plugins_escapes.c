/* What a hostile plugin and a hostile command cannot do: read and change
 * files that were not granted, reach other processes or the network, live
 * on, speak wrongly with the runtime. Each attempt is made by machine code in
 * a worker, and the runtime and the next call are untouched. */
#include "support/orphans.h"
#include "support/plugin_kit.h"

#include <sys/syscall.h>

static bool is_sanitized(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
    return true;
#else
    return false;
#endif
#else
    return false;
#endif
}

/* Without Landlock files are not kept, which errand doctor says. */
static void need_the_cage(void)
{
    if (is_sanitized()) {
        print_message("skip: the sanitizers need an open cage\n");
        skip();
    }
    if (syscall(444, NULL, 0, 1) < 1) {
        print_message("skip: this kernel has no Landlock\n");
        skip();
    }
}

/* dir/in/{file,link -> secret}, dir/outside/{secret,other.so} */
static void make_targets(struct kit *k)
{
    mkdir(kit_path(k, "in"), 0777);
    mkdir(kit_path(k, "outside"), 0777);
    kit_file(k, "in/file", "what it may read");
    kit_file(k, "outside/secret", "what it may not");
    assert_int_equal(
        symlink(kit_path(k, "outside/secret"), kit_path(k, "in/link")), 0);
    struct er_buf bytes;
    char piece[4096];
    size_t n;
    FILE *f = fopen(plugin_path("older"), "rb");
    assert_non_null(f);
    er_buf_init(&bytes, 16 << 20);
    while ((n = fread(piece, 1, sizeof piece, f)) > 0)
        er_buf_add(&bytes, piece, n);
    fclose(f);
    kit_write(k, "outside/other.so", bytes.data, bytes.len);
    er_buf_release(&bytes);
}

static void check_targets(struct kit *k)
{
    char bytes[64] = "";
    FILE *f = fopen(kit_path(k, "in/file"), "r");
    assert_non_null(f);
    assert_non_null(fgets(bytes, sizeof bytes, f));
    fclose(f);
    assert_string_equal(bytes, "what it may read");
    int n = 0;
    DIR *dir = opendir(kit_path(k, "in"));
    while (readdir(dir))
        n++;
    closedir(dir);
    assert_int_equal(n, 4); /* ., .., file, link */
}

static struct kept attempt(struct kit *k, int i)
{
    char args[600];
    snprintf(args, sizeof args,
        "{\"attempt\": %d, \"in\": \"%s/in/file\", \"folder\": \"%s/in\", "
        "\"secret\": \"%s/outside/secret\"}", i, k->dir, k->dir, k->dir);
    return kit_call(k, "hostile", args, 0);
}

static void test_escapes_of_a_plugin_are_held(void **state)
{
    struct kit k;
    char config[200];
    int i, escaped = 0;
    (void)state;
    need_the_cage();
    kit_open(&k, NULL, 1);
    make_targets(&k);
    snprintf(config, sizeof config, "{\"read\": [\"%s/in\"]}", k.dir);
    plugin_load(&k, "hostile", config, false);
    plugin_load(&k, "older", NULL, false);
    for (i = 0;; i++) {
        struct kept kept = attempt(&k, i);
        bool end = kept.status == ER_TOOL_OK && !strcmp(kept.text, "end");
        /* none of them should end the worker either */
        if (!end && (kept.status != ER_TOOL_OK ||
                        !strstr(kept.text, " held"))) {
            print_message("attempt %d: status %d, %s; %s\n", i,
                (int)kept.status, kept.text, kept.detail);
            escaped++;
        }
        free(kept.text);
        if (end)
            break;
        kit_expect(&k, "older", "{}", ER_TOOL_OK, "old and well");
    }
    assert_int_equal(escaped, 0);
    assert_true(i >= 90);
    check_targets(&k);
    kit_close(&k);
}

/* ------------------------------------------- commands, in the same cage */

/* Each a line for sh, whose output must not have the secret, and which must
 * not print ESCAPED. S is the secret's path, D the folder. */
static const char *const lines[] = {
    "cat $S",
    "cat $D/link",
    "cat $D/../outside/secret",
    "cat < $S",
    "cd $D/../outside && cat secret",
    "cat /proc/self/root$S",
    "cat /proc/$PPID/root$S",
    "cat /proc/$PPID/environ && echo ESCAPED",
    "ls $D/../outside && echo ESCAPED",
    "cp $D/file $D/copy && echo ESCAPED",
    "echo x > $D/file && echo ESCAPED",
    "echo x > $D/new && echo ESCAPED",
    "echo x >> $D/file && echo ESCAPED",
    "echo x > /tmp/errand-hostile && echo ESCAPED",
    "rm $D/file && echo ESCAPED",
    "mv $D/file $D/other && echo ESCAPED",
    "mkdir $D/made && echo ESCAPED",
    "ln -s $S $D/own && cat $D/own",
    "ln $S $D/hard && echo ESCAPED",
    "chmod 777 $D/file && echo ESCAPED",
    "touch $D/file && echo ESCAPED",
    "cat /etc/shadow && echo ESCAPED",
    "kill -STOP 1 && echo ESCAPED",
    "kill -9 -1 && echo ESCAPED",
    "setsid sh -c 'echo ESCAPED'",
    "unshare -r true && echo ESCAPED",
    "mount -t tmpfs none $D && echo ESCAPED",
    "chroot / true && echo ESCAPED",
    "nice -n -20 true && renice -n 19 -p $PPID && echo ESCAPED",
    "bash -c 'exec 5<>/dev/tcp/127.0.0.1/22' && echo ESCAPED",
    "/bin/sh -c 'bash -c true' && echo ESCAPED",
    "perl -e 1 && echo ESCAPED",
    "python3 -c 1 && echo ESCAPED",
    "env true && echo ESCAPED",
    "$D/file && echo ESCAPED",
    "printf x | dd of=$D/file && echo ESCAPED",
    "read x < /proc/1/environ && echo ESCAPED",
    "echo 1 > /proc/self/oom_score_adj && echo ESCAPED",
    "ulimit -n 100000 && echo ESCAPED",
    "ulimit -v unlimited && echo ESCAPED",
    "cat <&3 && echo ESCAPED",
};

static void test_escapes_of_a_command_are_held(void **state)
{
    struct kit k;
    char config[300];
    (void)state;
    need_the_cage();
    kit_open(&k, NULL, 1);
    make_targets(&k);
    snprintf(config, sizeof config, "{\"read\": [\"%s/in\"], \"allow\": "
        "[\"sh\", \"cat\", \"cp\", \"ln\", \"ls\", \"rm\", \"mv\", "
        "\"mkdir\", \"chmod\", \"touch\", \"setsid\", \"unshare\", "
        "\"mount\", \"dd\"]}", k.dir);
    plugin_load(&k, "plugins/run_command", config, false);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        char args[900];
        snprintf(args, sizeof args, "{\"argv\": [\"sh\", \"-c\", "
            "\"D=%s/in; S=%s/outside/secret; %s\"], \"seconds\": 10}", k.dir,
            k.dir, lines[i]);
        struct kept kept = kit_call(&k, "run_command", args, 0);
        if (kept.status != ER_TOOL_OK || strstr(kept.text, "ESCAPED") ||
            strstr(kept.text, "what it may not"))
            fail_msg("%s: status %d, %s %s", lines[i], (int)kept.status,
                kept.text, kept.detail);
        free(kept.text);
    }
    check_targets(&k);
    /* Its own worker it can end and stop: its call suffers, no other does. */
    struct kept kept = kit_call(&k, "run_command",
        "{\"argv\": [\"sh\", \"-c\", \"kill -9 $PPID\"]}", 0);
    assert_int_equal(kept.status, ER_TOOL_DIED);
    free(kept.text);
    kept = kit_call(&k, "run_command",
        "{\"argv\": [\"sh\", \"-c\", \"kill -STOP $PPID\"]}", 1500);
    assert_int_equal(kept.status, ER_TOOL_TIMEOUT);
    free(kept.text);
    kit_expect(&k, "run_command",
        "{\"argv\": [\"cat\"], \"input\": \"on\"}", ER_TOOL_OK,
        "{\"status\":0,\"output\":\"on\"}");
    kit_close(&k);
}

/* A bomb of processes and one of memory end with their call. */
static void test_escapes_bombs_of_a_command_end_with_it(void **state)
{
    struct kit k;
    char config[200];
    (void)state;
    need_the_cage();
    kit_open(&k, NULL, 1);
    snprintf(config, sizeof config,
        "{\"read\": [\"%s\"], \"allow\": [\"sh\", \"sleep\", \"tail\"]}",
        k.dir);
    plugin_load(&k, "plugins/run_command", config, false);
    struct kept kept = kit_call(&k, "run_command",
        "{\"argv\": [\"sh\", \"-c\", \"i=0; while [ $i -lt 100 ]; do sleep "
        "600 & i=$((i + 1)); done; echo begun\"], \"seconds\": 10}", 0);
    assert_int_equal(kept.status, ER_TOOL_OK);
    free(kept.text);
    kept = kit_call(&k, "run_command",
        "{\"argv\": [\"tail\", \"/dev/zero\"], \"seconds\": 20}", 0);
    assert_int_equal(kept.status, ER_TOOL_OK);
    assert_null(strstr(kept.text, "\"status\":0"));
    free(kept.text);
    kit_expect(&k, "run_command",
        "{\"argv\": [\"sh\", \"-c\", \"echo on\"]}", ER_TOOL_OK,
        "{\"status\":0,\"output\":\"on\\n\"}");
    kit_close(&k);
}

/* ------------------------------------- speaking wrongly with the runtime */

static void test_escapes_wrong_frames_cost_their_call_alone(void **state)
{
    static const struct {
        const char *tool, *args, *detail;
    } rows[] = {{"too_long", "{}", "over 16 MiB"},
        {"cut_short", "{}", "died"},
        {"closes", "{}", "died"},
        {"closes_and_hangs", "{}", "died"},
        {"log_storm", "{}", "was not asked"},
        {"says", "{\"frame\": \"no JSON\"}", "no JSON"},
        {"says", "{\"frame\": \"[1]\"}", "no object"},
        {"says", "{\"frame\": \"{\\\"id\\\":1,\\\"id\\\":1}\"}", "no JSON"},
        {"says", "{\"frame\": \"\"}", "no JSON"},
        {"says", "{\"frame\": \"{}\"}", "was not asked"},
        {"says", "{\"frame\": \"{\\\"id\\\":0,\\\"ok\\\":true,"
                 "\\\"enforced\\\":{}}\"}", "was not asked"},
        {"says", "{\"frame\": \"{\\\"hello\\\":\\\"1\\\","
                 "\\\"protocol\\\":2}\"}", "was not asked"},
        {"says", "{\"frame\": \"{\\\"id\\\":999999,\\\"ok\\\":true,"
                 "\\\"result\\\":1}\"}", "was not asked"},
        {"segv", "{}", "SIGSEGV"}, {"aborts", "{}", "about to abort"},
        {"exits", "{}", "ended with status 0"}};
    struct kit k;
    (void)state;
    if (is_sanitized()) {
        print_message("skip: the sanitizers catch signals themselves\n");
        skip();
    }
    kit_open(&k, NULL, 1);
    plugin_load(&k, "rogue", NULL, false);
    plugin_load(&k, "older", NULL, false);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct kept kept = kit_call(&k, rows[i].tool, rows[i].args, 0);
        if (kept.status != ER_TOOL_DIED || !kept.started ||
            !strstr(kept.detail, rows[i].detail))
            fail_msg("%s %s: status %d, %s; %s", rows[i].tool, rows[i].args,
                (int)kept.status, kept.text, kept.detail);
        free(kept.text);
        kit_expect(&k, "older", "{}", ER_TOOL_OK, "old and well");
        kit_expect(&k, "good", "{}", ER_TOOL_OK, "good");
    }
    kit_close(&k);
}

static void test_escapes_deadlines_hold(void **state)
{
    static const char *const tools[] = {"hangs", "spins", "floods"};
    struct kit k;
    (void)state;
    kit_open(&k, NULL, 1);
    plugin_load(&k, "rogue", NULL, false);
    for (size_t i = 0; i < sizeof tools / sizeof tools[0]; i++) {
        struct kept kept = kit_call(&k, tools[i], "{}", 200);
        assert_int_equal(kept.status, ER_TOOL_TIMEOUT);
        assert_true(kept.started);
        free(kept.text);
        kit_expect(&k, "good", "{}", ER_TOOL_OK, "good");
    }
    assert_true(k.log.len < 400 * 1024); /* the flood is not ours */
    assert_non_null(strstr(k.log.data, "(more lines were dropped)"));
    kit_close(&k);
}

static pid_t begin_deaf(struct kit *k)
{
    static struct kept kept;
    plugin_load(k, "rogue", NULL, false);
    kit_expect(k, "good", "{}", ER_TOOL_OK, "good");
    kit_start(k, "deaf", "{}", 60000, &kept);
    er_loop_run(k->loop, 50);
    return newest_worker();
}

/* A command that goes on, and starts others that stop their whole group. */
static pid_t begin_command(struct kit *k)
{
    static struct kept kept;
    char config[200];
    pid_t worker = 0;
    snprintf(config, sizeof config,
        "{\"read\": [\"%s\"], \"allow\": [\"sh\", \"sleep\"]}", k->dir);
    plugin_load(k, "plugins/run_command", config, false);
    kit_start(k, "run_command", "{\"argv\": [\"sh\", \"-c\", \"sleep 600 & "
        "sleep 600 & kill -STOP 0; sleep 600\"], \"seconds\": 600}", 600000,
        &kept);
    while (!worker || group_count(worker) < 4) {
        er_loop_run(k->loop, 10);
        worker = newest_worker();
    }
    return worker;
}

/* Whatever a plugin and its programs do: they end with the runtime. */
static void test_escapes_nothing_outlives_the_runtime(void **state)
{
    (void)state;
    killed_runtime_leaves_nothing(begin_deaf);
    killed_runtime_leaves_nothing(begin_command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_escapes_of_a_plugin_are_held),
        cmocka_unit_test(test_escapes_of_a_command_are_held),
        cmocka_unit_test(test_escapes_bombs_of_a_command_end_with_it),
        cmocka_unit_test(test_escapes_wrong_frames_cost_their_call_alone),
        cmocka_unit_test(test_escapes_deadlines_hold),
        cmocka_unit_test(test_escapes_nothing_outlives_the_runtime),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
