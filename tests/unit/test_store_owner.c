/* Keys of calls, owners of leases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/sha256.h"
#include "store/store.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_store_key_is_of_the_place_not_the_arguments(void **state)
{
    (void)state;
    char a[33], b[33], hex[65];
    er_idem_key("conv", 2, 0, "tool", a);
    static const char parts[] = "conv\0" "2\0" "0\0" "tool";
    er_sha256_hex(parts, sizeof parts, hex);
    snprintf(b, sizeof b, "%.32s", hex);
    assert_string_equal(a, b);
    assert_int_equal(strlen(a), 32);
    assert_int_equal(strspn(a, "0123456789abcdef"), 32);
    static const struct {
        const char *conv;
        int64_t seq;
        int idx;
        const char *tool;
    } others[] = {{"conv", 2, 1, "tool"}, {"conv", 20, 0, "tool"},
        {"conv", 3, 0, "tool"}, {"conw", 2, 0, "tool"},
        {"conv", 2, 0, "tools"}, {"conv2", 2, 0, "tool"}};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        er_idem_key(others[i].conv, others[i].seq, others[i].idx,
            others[i].tool, b);
        assert_string_not_equal(a, b);
    }
}

static void test_store_owner_dies_with_its_process(void **state)
{
    (void)state;
    char mine[128], child[128] = "", again[128];
    int fds[2];
    er_owner_self(mine);
    er_owner_self(again);
    assert_string_equal(mine, again);
    assert_false(er_owner_is_dead(mine));
    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    if (pid == 0) {
        er_owner_self(child);
        if (write(fds[1], child, sizeof child) != sizeof child)
            _exit(1);
        pause();
    }
    assert_int_equal(read(fds[0], child, sizeof child), sizeof child);
    assert_string_not_equal(child, mine);
    assert_false(er_owner_is_dead(child));
    kill(pid, SIGKILL);
    siginfo_t info; /* dead, but left for somebody to ask after */
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    bool proc = access("/proc/self/stat", R_OK) == 0;
    assert_int_equal(er_owner_is_dead(child), proc);
    waitpid(pid, NULL, 0);
    assert_int_equal(er_owner_is_dead(child), proc);
    if (!proc)
        print_message("no /proc: only leases tell who is dead\n");
    close(fds[0]);
    close(fds[1]);
}

static void test_store_owner_in_doubt_is_alive(void **state)
{
    (void)state;
    char mine[128], text[200];
    er_owner_self(mine);
    static const char *const odd[] = {"", "/", "//", "///", "x", "x/y",
        "x/y/1/1", "a/b/c/d/e"};
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
        assert_false(er_owner_is_dead(odd[i]));
    snprintf(text, sizeof text, "%s/second-store", mine); /* more behind */
    assert_false(er_owner_is_dead(text));
    for (size_t len = 0; len < strlen(mine); len++) { /* cut anywhere */
        snprintf(text, sizeof text, "%.*s", (int)len, mine);
        er_owner_is_dead(text); /* reads within its bounds */
    }
    if (access("/proc/sys/kernel/random/boot_id", R_OK) != 0)
        skip();
    char *boot = strchr(mine, '/') + 1; /* the same host, an earlier boot */
    boot[0] = boot[0] == 'f' ? 'e' : 'f';
    assert_true(er_owner_is_dead(mine));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_store_key_is_of_the_place_not_the_arguments),
        cmocka_unit_test(test_store_owner_dies_with_its_process),
        cmocka_unit_test(test_store_owner_in_doubt_is_alive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
