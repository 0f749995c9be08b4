/* Worker processes: in line, killed, dead, lying, and gone at the end. */
#include "support/orphans.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

static struct kit *open_kit(const char *worker, int max)
{
    struct kit *k = calloc(1, sizeof *k);
    kit_open(k, worker, max);
    return k;
}

static void close_kit(struct kit *k)
{
    kit_close(k);
    free(k);
}

static void expect_no_children(void)
{
    errno = 0;
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static void test_pool_two_hundred_calls_over_four_workers(void **state)
{
    enum { CALLS = 200, WORKERS = 4 };
    (void)state;
    struct kit *k = open_kit(NULL, WORKERS);
    struct kept kept[CALLS];
    int counter = 0;
    pid_t pids[16];
    memset(kept, 0, sizeof kept);
    kit_tool(k, "t", "", "return args.i * 2");
    kit_load(k);
    for (int i = 0; i < CALLS; i++) {
        char args[32];
        kept[i].counter = &counter;
        snprintf(args, sizeof args, "{\"i\":%d}", i);
        kit_start(k, "t", args, 0, &kept[i]);
        assert_false(kept[i].done); /* never from within */
    }
    assert_int_equal(our_children(pids, 16), WORKERS);
    for (int i = 0; i < CALLS; i++) {
        char text[32];
        kit_wait(k, &kept[i]);
        snprintf(text, sizeof text, "%d", 2 * i);
        assert_string_equal(kept[i].text, text);
        /* they start in order: whoever is done, of those that came before
         * it at most WORKERS - 1 are still running */
        assert_true(kept[i].order >= i + 1 - (WORKERS - 1));
        free(kept[i].text);
    }
    assert_int_equal(our_children(pids, 16), WORKERS);
    close_kit(k);
    expect_no_children();
}

static void test_pool_one_worker_keeps_the_order(void **state)
{
    enum { CALLS = 50 };
    (void)state;
    struct kit *k = open_kit(NULL, 1);
    struct kept kept[CALLS];
    int counter = 0;
    memset(kept, 0, sizeof kept);
    kit_tool(k, "t", "", "return 1");
    kit_load(k);
    for (int i = 0; i < CALLS; i++) {
        kept[i].counter = &counter;
        kit_start(k, "t", "{}", 0, &kept[i]);
    }
    for (int i = 0; i < CALLS; i++) {
        kit_wait(k, &kept[i]);
        assert_int_equal(kept[i].order, i + 1);
        free(kept[i].text);
    }
    close_kit(k);
}

/* A tool that says when it runs, and then runs for ever. */
#define LOOP "ctx.log('in the loop') while true do end"

static void wait_for_loops(struct kit *k, int n)
{
    static const char words[] = "in the loop";
    int64_t until = er_mono_ms() + 60000;
    for (;;) {
        int seen = 0;
        const char *at = er_buf_str(&k->log);
        while ((at = strstr(at, words)) != NULL)
            seen++, at += sizeof words - 1;
        if (seen >= n)
            return;
        assert_true(er_mono_ms() < until);
        er_loop_run(k->loop, 5);
    }
}

static void test_pool_no_process_before_it_is_needed(void **state)
{
    (void)state;
    struct kit *k = open_kit(NULL, 4);
    expect_no_children();
    close_kit(k);
}

static void test_pool_a_worker_killed_from_outside(void **state)
{
    (void)state;
    struct kit *k = open_kit(NULL, 1);
    struct kept kept = {0};
    pid_t pids[4];
    kit_tool(k, "loop", "", LOOP);
    kit_tool(k, "fine", "", "return 'fine'");
    kit_load(k);
    kit_start(k, "loop", "{}", 60000, &kept);
    wait_for_loops(k, 1);
    assert_int_equal(our_children(pids, 4), 1);
    assert_int_equal(kill(pids[0], SIGTERM), 0);
    kit_wait(k, &kept);
    assert_int_equal(kept.status, ER_TOOL_DIED);
    assert_true(kept.started);
    if (!strstr(kept.detail, "killed by SIGTERM"))
        fail_msg("no signal in '%s'", kept.detail);
    free(kept.text);
    kit_expect(k, "fine", "{}", ER_TOOL_OK, "fine");
    close_kit(k);
    expect_no_children();
}

static void test_pool_an_idle_worker_killed_from_outside(void **state)
{
    (void)state;
    struct kit *k = open_kit(NULL, 1);
    pid_t pids[4];
    kit_tool(k, "fine", "", "return 'fine'");
    kit_load(k);
    for (int i = 0; i < 3; i++) {
        kit_expect(k, "fine", "{}", ER_TOOL_OK, "fine");
        assert_int_equal(our_children(pids, 4), 1);
        assert_int_equal(kill(pids[0], SIGKILL), 0);
        siginfo_t info; /* until it is dead, but not reaped */
        waitid(P_PID, (id_t)pids[0], &info, WEXITED | WNOWAIT);
    }
    kit_expect(k, "fine", "{}", ER_TOOL_OK, "fine");
    close_kit(k);
}

static void test_pool_a_stopped_worker_is_killed_at_the_deadline(
    void **state)
{
    (void)state;
    struct kit *k = open_kit(NULL, 1);
    struct kept kept = {0};
    pid_t pids[4];
    kit_tool(k, "fine", "", "return 'fine'");
    kit_load(k);
    assert_int_equal(our_children(pids, 4), 1);
    assert_int_equal(kill(pids[0], SIGSTOP), 0);
    kit_start(k, "fine", "{}", 100, &kept);
    kit_wait(k, &kept);
    assert_int_equal(kept.status, ER_TOOL_TIMEOUT);
    free(kept.text);
    kit_expect(k, "fine", "{}", ER_TOOL_OK, "fine");
    close_kit(k);
    expect_no_children();
}

static void test_pool_cancel_kills_what_runs(void **state)
{
    (void)state;
    struct kit *k = open_kit(NULL, 1);
    struct kept running = {0}, waiting = {0}, last = {0};
    kit_tool(k, "loop", "", LOOP);
    kit_tool(k, "fine", "", "return 'fine'");
    kit_load(k);
    er_tool_call *first = kit_start(k, "loop", "{}", 60000, &running);
    er_tool_call *second = kit_start(k, "loop", "{}", 60000, &waiting);
    kit_start(k, "fine", "{}", 60000, &last);
    wait_for_loops(k, 1);
    int64_t began = er_mono_ms();
    er_tools_cancel(second);
    er_tools_cancel(first);
    er_tools_cancel(first); /* twice is once */
    assert_false(running.done);
    assert_false(waiting.done);
    kit_wait(k, &running);
    kit_wait(k, &waiting);
    kit_wait(k, &last);
    assert_true(er_mono_ms() - began < 50000); /* not at its deadline */
    assert_int_equal(running.status, ER_TOOL_CANCELLED);
    assert_true(running.started);
    assert_int_equal(waiting.status, ER_TOOL_CANCELLED);
    assert_false(waiting.started);
    assert_int_equal(last.status, ER_TOOL_OK);
    free(running.text);
    free(waiting.text);
    free(last.text);
    close_kit(k);
    expect_no_children();
}

static void test_pool_free_ends_calls_that_run_and_wait(void **state)
{
    (void)state;
    struct kit *k = open_kit(NULL, 2);
    struct kept kept[4];
    memset(kept, 0, sizeof kept);
    kit_tool(k, "loop", "", LOOP);
    kit_load(k);
    for (int i = 0; i < 4; i++)
        kit_start(k, "loop", "{}", 60000, &kept[i]);
    wait_for_loops(k, 2);
    close_kit(k);
    for (int i = 0; i < 4; i++) {
        assert_true(kept[i].done);
        assert_int_equal(kept[i].status, ER_TOOL_CANCELLED);
        assert_int_equal(kept[i].started, i < 2);
        free(kept[i].text);
    }
    expect_no_children();
}

/* Whoever hears of the end and calls again is told that it is the end. */
struct again {
    struct kit *kit;
    const struct er_tool *tool;
    int dones, rc;
};

static void call_again(void *ctx, const struct er_tool_outcome *o)
{
    struct again *a = ctx;
    struct er_tool_request req = {.tool = a->tool};
    struct errand_error err = {0};
    assert_int_equal(o->status, ER_TOOL_CANCELLED);
    a->dones++;
    a->rc = er_tools_call(a->kit->tools, &req, call_again, a, NULL, &err);
}

static void test_pool_free_starts_no_call(void **state)
{
    (void)state;
    struct kit *k = open_kit(NULL, 1);
    kit_tool(k, "loop", "", "while true do end");
    kit_load(k);
    struct again a = {.kit = k, .tool = er_tools_find(k->tools, "loop")};
    struct er_tool_request req = {.tool = a.tool};
    for (int i = 0; i < 2; i++)
        assert_int_equal(
            er_tools_call(k->tools, &req, call_again, &a, NULL, NULL), 0);
    er_loop_run(k->loop, 10);
    close_kit(k);
    assert_int_equal(a.dones, 2);
    assert_int_equal(a.rc, ERRAND_STATE);
    expect_no_children();
}

/* ------------------------------------------------------ workers that lie */

static char liar_path[] = "/tmp/errand-liar-XXXXXX";

/* A kit whose worker says hello properly, answers describe, and then does
 * what the script says. $reply: frame of the JSON given. */
static struct kit *open_liar(const char *script, int workers)
{
    static const char head[] =
        "#!/bin/bash\n"
        "frame() { local n=${#1} h; printf -v h '\\\\x%02x\\\\x%02x\\\\x00"
        "\\\\x00' $((n & 255)) $((n >> 8)); printf \"$h\" >&3; "
        "printf '%s' \"$1\" >&3; }\n"
        "request() { IFS= read -r -d '}' -u 3 _; }\n"
        "hello() { frame '{\"hello\":\"0\",\"protocol\":2}'; request; "
        "frame '{\"id\":0,\"ok\":true}'; }\n"
        "describe() { hello; request; request; frame '{\"id\":1,\"ok\":true,"
        "\"tool\":{\"name\":\"liar\",\"description\":\"d\",\"parameters\":{"
        "\"type\":\"object\"},\"version\":\"0123456789abcdef\"},"
        "\"problems\":[]}'; }\n";
    memcpy(liar_path + strlen(liar_path) - 6, "XXXXXX", 6);
    int fd = mkstemp(liar_path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, head, sizeof head - 1), sizeof head - 1);
    assert_int_equal(
        write(fd, script, strlen(script)), (ssize_t)strlen(script));
    assert_int_equal(fchmod(fd, 0700), 0);
    close(fd);
    struct kit *k = open_kit(liar_path, workers);
    kit_file(k, "liar.lua", "");
    return k;
}

static void close_liar(struct kit *k)
{
    char once[64];
    snprintf(once, sizeof once, "%s.once", liar_path);
    unlink(once);
    unlink(liar_path);
    close_kit(k);
    expect_no_children();
}

/* The script runs for the call; how does it end? */
static void expect_lie(const char *script, enum er_tool_status status,
    const char *in_detail)
{
    struct er_buf all;
    er_buf_init(&all, 10000);
    er_buf_addf(&all, "describe\nrequest\n%s\n", script);
    struct kit *k = open_liar(all.data, 1);
    er_buf_release(&all);
    kit_load(k);
    struct kept kept =
        kit_call(k, "liar", "{}", status == ER_TOOL_TIMEOUT ? 300 : 9000);
    if (kept.status != status || !strstr(kept.detail, in_detail))
        fail_msg("%s: %d '%s'", script, (int)kept.status, kept.detail);
    assert_true(kept.started);
    free(kept.text);
    close_liar(k);
}

static void test_pool_workers_that_break_the_protocol(void **state)
{
    (void)state;
    expect_lie("printf 'HTTP/1.1 200 OK' >&3; sleep 5", ER_TOOL_DIED,
        "a frame over 16 MiB");
    expect_lie("frame 'not JSON'; sleep 5", ER_TOOL_DIED, "no JSON");
    expect_lie("frame '[1]'; sleep 5", ER_TOOL_DIED, "no object");
    expect_lie("frame ''; sleep 5", ER_TOOL_DIED, "no JSON");
    expect_lie("frame '{\"id\":99,\"ok\":true,\"result\":1}'; sleep 5",
        ER_TOOL_DIED, "what it was not asked");
    expect_lie("frame '{\"id\":2}'", ER_TOOL_DIED, "neither result");
    expect_lie("frame '{\"id\":2,\"ok\":true}'", ER_TOOL_DIED, "neither");
    expect_lie("printf '\\x09\\x00\\x00\\x00{\"id' >&3; exit 3",
        ER_TOOL_DIED, "ended with status 3");
    expect_lie("exit 0", ER_TOOL_DIED, "ended with status 0");
    expect_lie("echo 'I die' >&2; kill -ABRT $$", ER_TOOL_DIED,
        "killed by SIGABRT; its last words: I die");
    expect_lie("kill -9 $$", ER_TOOL_DIED, "killed by SIGKILL");
    expect_lie("exec 3>&-; sleep 5", ER_TOOL_DIED, "killed by SIGKILL");
    expect_lie("sleep 5", ER_TOOL_TIMEOUT, "killed at its deadline");
    expect_lie("sleep 5 & sleep 5", ER_TOOL_TIMEOUT, "deadline");
}

static void test_pool_workers_that_do_not_start(void **state)
{
    static const struct {
        const char *script, *message;
    } rows[] = {
        {"exit 7", "could not start: ended with status 7"},
        {"frame '{\"id\":1,\"ok\":true}'; sleep 5", "did not say hello"},
        {"frame '{\"hello\":\"9.0\",\"protocol\":1}'; sleep 5",
            "errand-worker 9.0 does not fit"},
        {"echo 'library missing' >&2; exit 127",
            "its last words: library missing"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct errand_error err = {0};
        struct kit *k = open_liar(rows[i].script, 1);
        int rc = er_tools_load_dir(k->tools, k->dir, NULL, &err);
        assert_int_equal(rc, ERRAND_WORKER);
        if (!strstr(err.msg, rows[i].message))
            fail_msg("'%s' is not in '%s'", rows[i].message, err.msg);
        close_liar(k);
    }
}

/* It described a tool and never starts again: calls were never run. */
static void test_pool_calls_that_found_no_worker_were_not_run(void **state)
{
    (void)state;
    struct kit *k = open_liar(
        "[ -e \"$0.once\" ] && exit 9\n: > \"$0.once\"\ndescribe\nexit 0\n", 1);
    kit_load(k);
    struct kept kept[3];
    memset(kept, 0, sizeof kept);
    pid_t pids[4];
    while (our_children(pids, 4) > 0) /* its end is noticed */
        er_loop_run(k->loop, 10);
    for (int i = 0; i < 3; i++)
        kit_start(k, "liar", "{}", 1000, &kept[i]);
    for (int i = 0; i < 3; i++) {
        kit_wait(k, &kept[i]);
        assert_int_equal(kept[i].status, ER_TOOL_NOT_RUN);
        assert_false(kept[i].started);
        assert_non_null(strstr(kept[i].detail, "ended with status 9"));
        free(kept[i].text);
    }
    close_liar(k);
}

/* The end of a worker's standard error is heard while files are loaded,
 * beside the loop; what is opened next must be watched all the same. */
static void test_pool_a_worker_without_standard_error(void **state)
{
    (void)state;
    struct kit *k = open_liar("exec 2>&-\nsleep 0.1\nhello\n"
        "while IFS= read -r -d '}' -u 3 r; do\n"
        "id=${r##*\\\"id\\\":}; id=${id%%,*}\n"
        "case $r in\n"
        "*describe*) frame '{\"id\":'$id',\"ok\":true,\"tool\":{\"name\":"
        "\"liar\",\"description\":\"d\",\"parameters\":{\"type\":"
        "\"object\"},\"version\":\"0123456789abcdef\"},\"problems\":[]}' "
        ";;\n"
        "*call*) frame '{\"id\":'$id',\"ok\":true,\"result\":1}' ;;\n"
        "esac\ndone\n", 2);
    kit_load(k);
    struct kept kept[2];
    memset(kept, 0, sizeof kept);
    for (int i = 0; i < 2; i++)
        kit_start(k, "liar", "{}", 30000, &kept[i]);
    for (int i = 0; i < 2; i++) {
        kit_wait(k, &kept[i]);
        if (kept[i].status != ER_TOOL_OK)
            fail_msg("%d: %s", i, kept[i].detail);
        free(kept[i].text);
    }
    close_liar(k);
}

/* Files are asked for together: the one that kills the worker is the one
 * that is reported, those before and behind it are loaded. */
static void test_pool_a_file_that_kills_its_worker(void **state)
{
    (void)state;
    struct errand_error err = {0};
    struct kit *k = open_liar(
        "tool() { frame '{\"id\":'$1',\"ok\":true,\"tool\":{\"name\":\"'$2'\","
        "\"description\":\"d\",\"parameters\":{\"type\":\"object\"},"
        "\"version\":\"0123456789abcdef\"},\"problems\":[]}'; }\n"
        "hello\nrequest\nrequest\n"
        "[ -e \"$0.once\" ] && { tool 3 third; request; exit; }\n"
        ": > \"$0.once\"\ntool 1 first\nrequest\nrequest\nkill -ABRT $$\n", 1);
    kit_file(k, "a.lua", "");
    kit_file(k, "b.lua", "");
    int rc = er_tools_load_dir(k->tools, k->dir, NULL, &err);
    assert_int_equal(rc, ERRAND_WORKER);
    if (!strstr(err.msg, "b.lua: ") || !strstr(err.msg, "SIGABRT"))
        fail_msg("'%s'", err.msg);
    assert_non_null(er_tools_find(k->tools, "first"));
    assert_non_null(er_tools_find(k->tools, "third"));
    assert_int_equal(er_tools_count(k->tools), 2);
    close_liar(k);
}

static void test_pool_a_flood_of_log_lines_is_survived(void **state)
{
    (void)state;
    expect_lie("for ((i = 0; i < 2000; i++)); do frame "
               "'{\"id\":2,\"log\":\"x\",\"level\":99}'; done; frame "
               "'{\"id\":2,\"ok\":false,\"message\":\"m\",\"detail\":\"d\"}'",
        ER_TOOL_FAILED, "d");
}

/* -------------------------------------------------------------- profiles */

static void test_pool_equal_grants_share_a_worker(void **state)
{
    (void)state;
    struct kit *k = open_kit(NULL, 4);
    pid_t pids[8];
    kit_tool(k, "none_1", "", "return 1");
    kit_tool(k, "none_2", "permissions = { kv = true },", "return 1");
    kit_tool(k, "read_1", "permissions = { read = { '/tmp' } },", "return 1");
    kit_tool(k, "read_2", "permissions = { read = { '/tmp' } },", "return 1");
    kit_tool(k, "write", "permissions = { write = { '/tmp' } },", "return 1");
    kit_load(k);
    kit_expect(k, "none_1", "{}", ER_TOOL_OK, "1");
    kit_expect(k, "none_2", "{}", ER_TOOL_OK, "1");
    assert_int_equal(our_children(pids, 8), 1);
    kit_expect(k, "read_1", "{}", ER_TOOL_OK, "1");
    kit_expect(k, "read_2", "{}", ER_TOOL_OK, "1");
    assert_int_equal(our_children(pids, 8), 2);
    kit_expect(k, "write", "{}", ER_TOOL_OK, "1");
    assert_int_equal(our_children(pids, 8), 3);
    close_kit(k);
    expect_no_children();
}

/* More profiles than processes: all are served, and none is starved by
 * another's long line. */
static void test_pool_profiles_take_turns(void **state)
{
    enum { CALLS = 60, KINDS = 3 };
    static const char *const names[KINDS] = {"a", "b", "c"};
    (void)state;
    for (int max = 1; max <= 2; max++) {
        struct kit *k = open_kit(NULL, max);
        struct kept kept[CALLS];
        pid_t pids[8];
        memset(kept, 0, sizeof kept);
        kit_tool(k, "a", "", "return 'a'");
        kit_tool(k, "b", "permissions = { read = { '.' } },", "return 'b'");
        kit_tool(k, "c", "permissions = { read = { '/' } },", "return 'c'");
        kit_load(k);
        for (int i = 0; i < CALLS; i++)
            kit_start(k, names[i % KINDS], "{}", 0, &kept[i]);
        for (int i = 0; i < CALLS; i++) {
            kit_wait(k, &kept[i]);
            assert_string_equal(kept[i].text, names[i % KINDS]);
            free(kept[i].text);
        }
        int left = our_children(pids, 8);
        assert_true(left >= 1 && left <= max + KINDS); /* some die yet */
        close_kit(k);
        expect_no_children();
    }
}

/* A job waits while all processes are busy with other profiles' work. */
static void test_pool_a_profile_waits_for_a_busy_process(void **state)
{
    (void)state;
    struct kit *k = open_kit(NULL, 1);
    struct kept slow = {0}, other = {0};
    kit_tool(k, "slow", "",
        "local t = os.clock() while os.clock() - t < 0.05 do end return 's'");
    kit_tool(k, "other", "permissions = { read = { '.' } },", "return 'o'");
    kit_load(k);
    kit_start(k, "slow", "{}", 0, &slow);
    kit_start(k, "other", "{}", 0, &other);
    kit_wait(k, &other);
    assert_true(slow.done); /* it was never killed for the other */
    assert_int_equal(slow.status, ER_TOOL_OK);
    assert_string_equal(other.text, "o");
    free(slow.text);
    free(other.text);
    close_kit(k);
}

/* It cannot be locked: its own jobs fail as never run, others go on. */
static void test_pool_a_worker_that_cannot_lock_itself(void **state)
{
    (void)state;
    struct kit *k = open_liar(
        "[ -e \"$0.once\" ] && { frame '{\"hello\":\"0\",\"protocol\":2}'; "
        "request; frame '{\"id\":0,\"ok\":false,\"message\":\"no cage\"}'; "
        "sleep 5; }\n: > \"$0.once\"\ndescribe\nexit 0\n", 1);
    kit_load(k);
    er_loop_run(k->loop, 50);
    struct kept kept = kit_call(k, "liar", "{}", 3000);
    assert_int_equal(kept.status, ER_TOOL_NOT_RUN);
    assert_false(kept.started);
    assert_non_null(strstr(kept.detail, "cannot lock itself in: no cage"));
    free(kept.text);
    close_liar(k);
}

/* ---------------------------------------------------------- what is left */

static void test_pool_leaves_no_descriptor_and_no_zombie(void **state)
{
    (void)state;
    int before = kit_open_files();
    for (int round = 0; round < 5; round++) {
        struct kit *k = open_kit(NULL, 3);
        struct kept kept[6];
        memset(kept, 0, sizeof kept);
        kit_tool(k, "t", "", "return 1");
        kit_tool(k, "bad", "", "return ('a'):rep(1 << 40)");
        kit_load(k);
        for (int i = 0; i < 6; i++)
            kit_start(k, i % 2 ? "t" : "bad", "{}", 0, &kept[i]);
        for (int i = 0; i < 6; i++) {
            kit_wait(k, &kept[i]);
            free(kept[i].text);
        }
        close_kit(k);
        expect_no_children();
    }
    assert_int_equal(kit_open_files(), before);
}

/* What a worker has open and in its environment, as seen from outside. */
static void test_pool_a_worker_inherits_nothing(void **state)
{
    (void)state;
    char path[64];
    int fds = 0;
    pid_t pids[4];
    int extra = dup(0); /* without FD_CLOEXEC */
    struct kit *k = open_kit(NULL, 1);
    kit_tool(k, "fine", "", "return 'fine'");
    kit_load(k);
    kit_expect(k, "fine", "{}", ER_TOOL_OK, "fine");
    assert_int_equal(our_children(pids, 4), 1);
    snprintf(path, sizeof path, "/proc/%ld/fd", (long)pids[0]);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir)) != NULL;)
        fds += e->d_name[0] != '.';
    closedir(dir);
    assert_int_equal(fds, 4);
    snprintf(path, sizeof path, "/proc/%ld/environ", (long)pids[0]);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_int_equal(fgetc(f), EOF);
    fclose(f);
    assert_int_equal(getsid(pids[0]), pids[0]);
    close(extra);
    close_kit(k);
}

static pid_t begin_stuck(struct kit *k)
{
    static struct kept kept;
    pid_t pids[4] = {0};
    kit_tool(k, "stuck", "",
        "return (('a'):rep(30):find(('a?'):rep(30) .. ('a'):rep(30) .. "
        "'b'))");
    kit_load(k);
    kit_start(k, "stuck", "{}", 60000, &kept);
    er_loop_run(k->loop, 50);
    our_children(pids, 4);
    return pids[0];
}

static pid_t begin_stopped(struct kit *k)
{
    pid_t pid = begin_stuck(k);
    kill(pid, SIGSTOP);
    return pid;
}

/* The runtime is killed: its worker goes with it, even out of a loop that
 * no hook can stop, and even if it was stopped. */
static void test_pool_workers_do_not_outlive_the_runtime(void **state)
{
    (void)state;
    killed_runtime_leaves_nothing(begin_stuck);
    killed_runtime_leaves_nothing(begin_stopped);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pool_two_hundred_calls_over_four_workers),
        cmocka_unit_test(test_pool_one_worker_keeps_the_order),
        cmocka_unit_test(test_pool_no_process_before_it_is_needed),
        cmocka_unit_test(test_pool_a_worker_killed_from_outside),
        cmocka_unit_test(test_pool_an_idle_worker_killed_from_outside),
        cmocka_unit_test(
            test_pool_a_stopped_worker_is_killed_at_the_deadline),
        cmocka_unit_test(test_pool_cancel_kills_what_runs),
        cmocka_unit_test(test_pool_free_ends_calls_that_run_and_wait),
        cmocka_unit_test(test_pool_free_starts_no_call),
        cmocka_unit_test(test_pool_workers_that_break_the_protocol),
        cmocka_unit_test(test_pool_workers_that_do_not_start),
        cmocka_unit_test(test_pool_calls_that_found_no_worker_were_not_run),
        cmocka_unit_test(test_pool_a_worker_without_standard_error),
        cmocka_unit_test(test_pool_a_file_that_kills_its_worker),
        cmocka_unit_test(test_pool_a_flood_of_log_lines_is_survived),
        cmocka_unit_test(test_pool_equal_grants_share_a_worker),
        cmocka_unit_test(test_pool_profiles_take_turns),
        cmocka_unit_test(test_pool_a_profile_waits_for_a_busy_process),
        cmocka_unit_test(test_pool_a_worker_that_cannot_lock_itself),
        cmocka_unit_test(test_pool_leaves_no_descriptor_and_no_zombie),
        cmocka_unit_test(test_pool_a_worker_inherits_nothing),
        cmocka_unit_test(test_pool_workers_do_not_outlive_the_runtime),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
