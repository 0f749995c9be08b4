/* ctx.fs: what is written, where it may be written, and what is guarded
 * inside granted folders. */
#define _GNU_SOURCE /* O_PATH */
#include "support/tool_kit.h"

#include "worker/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

static int setup(void **state)
{
    struct kit *k = calloc(1, sizeof *k);
    kit_open(k, NULL, 2);
    *state = k;
    return 0;
}

static int teardown(void **state)
{
    kit_close(*state);
    free(*state);
    return 0;
}

/* A tool "t" that does fs.<op>(a, b) in the kit's folder, and says how it
 * went. lists: its permissions, where @ is the folder. */
static void open_tool(struct kit *k, const char *lists)
{
    char extra[700];
    struct er_buf b;
    er_buf_init(&b, sizeof extra - 1);
    er_buf_adds(&b, "permissions = { ");
    for (; *lists; lists++) {
        if (*lists == '@')
            er_buf_adds(&b, k->dir);
        else
            er_buf_addc(&b, *lists);
    }
    er_buf_adds(&b, " },");
    assert_false(b.failed);
    memcpy(extra, b.data, b.len + 1);
    er_buf_release(&b);
    kit_tool(k, "t", extra,
        "local a = args.a and args.dir .. args.a\n"
        "local b = args.b\n"
        "if args.op == 'rename' then b = args.dir .. b end\n"
        "local ok, v = pcall(ctx.fs[args.op], a, b)\n"
        "if ok then return v == nil and 'done' or v end\n"
        "return (v:gsub('^.-:%d+: ', ''):gsub(args.dir, ''))");
    kit_load(k);
}

/* What fs.<op>(dir .. a, b) gives. Caller frees. */
static char *do_fs(
    struct kit *k, const char *op, const char *a, const char *b)
{
    struct er_buf args;
    er_buf_init(&args, 4000);
    er_buf_addf(&args, "{\"op\":\"%s\",\"dir\":\"%s/\",\"a\":\"%s\"", op,
        k->dir, a);
    if (b)
        er_buf_addf(&args, ",\"b\":\"%s\"", b);
    er_buf_addc(&args, '}');
    struct kept kept = kit_call(k, "t", args.data, 0);
    er_buf_release(&args);
    if (kept.status != ER_TOOL_OK)
        fail_msg("%s %s: %d %s (%s)", op, a, (int)kept.status, kept.text,
            kept.detail);
    return kept.text;
}

static void expect_fs(struct kit *k, const char *op, const char *a,
    const char *b, const char *in_answer)
{
    char *text = do_fs(k, op, a, b);
    if (!strstr(text, in_answer))
        fail_msg("%s %s: '%s' is not in '%s'", op, a, in_answer, text);
    free(text);
}

static void expect_file(struct kit *k, const char *name, const char *text)
{
    char bytes[1000];
    FILE *f = fopen(kit_path(k, name), "r");
    if (!f)
        fail_msg("%s is missing", name);
    size_t n = fread(bytes, 1, sizeof bytes - 1, f);
    bytes[n] = '\0';
    fclose(f);
    assert_string_equal(bytes, text);
}

static bool is_missing(struct kit *k, const char *name)
{
    struct stat st;
    return lstat(kit_path(k, name), &st) != 0;
}

static void make_folder(struct kit *k, const char *name)
{
    assert_int_equal(mkdir(kit_path(k, name), 0755), 0);
}

static void test_fs_changes_files_below_its_root(void **state)
{
    struct kit *k = *state;
    struct stat st;
    make_folder(k, "out");
    kit_file(k, "out/run.sh", "old");
    assert_int_equal(chmod(kit_path(k, "out/run.sh"), 0750), 0);
    open_tool(k, "write = { '@/out' }");
    expect_fs(k, "write", "out/a.txt", "one", "done");
    expect_file(k, "out/a.txt", "one");
    expect_fs(k, "write", "out/a.txt", "two", "done");
    expect_file(k, "out/a.txt", "two");
    expect_fs(k, "append", "out/a.txt", " more", "done");
    expect_file(k, "out/a.txt", "two more");
    expect_fs(k, "append", "out/new.txt", "x", "done");
    expect_file(k, "out/new.txt", "x");
    expect_fs(k, "write", "out/run.sh", "new", "done");
    assert_int_equal(stat(kit_path(k, "out/run.sh"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0750); /* it stays a program */
    expect_fs(k, "mkdir", "out/p/q/r", NULL, "done");
    expect_fs(k, "mkdir", "out/p/q/r", NULL, "done");
    expect_fs(k, "write", "out/p/q/r/deep", "d", "done");
    expect_fs(k, "rename", "out/p/q/r/deep", "out/up", "done");
    expect_file(k, "out/up", "d");
    expect_fs(k, "remove", "out/p/q", NULL, "not empty");
    expect_fs(k, "remove", "out/p/q/r", NULL, "done");
    expect_fs(k, "remove", "out/up", NULL, "done");
    assert_true(is_missing(k, "out/p/q/r"));
    assert_true(is_missing(k, "out/up"));
    expect_fs(k, "remove", "out/up", NULL, "No such file");
    expect_fs(k, "write", "out/none/x", "y", "No such file");
    expect_fs(k, "write", "out/p", "y", "it is a folder");
    expect_fs(k, "mkdir", "out/a.txt", NULL, "a file is there");
}

static void test_fs_a_write_leaves_nothing_beside(void **state)
{
    struct kit *k = *state;
    make_folder(k, "out");
    open_tool(k, "write = { '@/out' }, read = { '@/out' }");
    for (int i = 0; i < 20; i++)
        expect_fs(k, "write", "out/a.txt", "text", "done");
    char *text = do_fs(k, "list", "out", NULL);
    assert_string_equal(
        text, "[{\"name\":\"a.txt\",\"size\":4,\"type\":\"file\"}]");
    free(text);
}

static void test_fs_a_root_that_is_missing_is_made(void **state)
{
    struct kit *k = *state;
    open_tool(k, "write = { '@/fresh' }");
    expect_fs(k, "write", "fresh/a.txt", "one", "done");
    expect_file(k, "fresh/a.txt", "one");
}

/* The worker holds the folder that was there; another comes in its place. */
static void test_fs_a_root_that_was_replaced(void **state)
{
    struct kit *k = *state;
    make_folder(k, "out");
    kit_file(k, "alone.txt", "first");
    open_tool(k, "write = { '@/out' }, read = { '@/alone.txt' }");
    expect_fs(k, "write", "out/a.txt", "one", "done");
    expect_fs(k, "read", "alone.txt", NULL, "first");
    assert_int_equal(
        rename(kit_path(k, "out"), kit_path(k, "old")), 0);
    make_folder(k, "out");
    kit_file(k, "next.txt", "second");
    assert_int_equal(
        rename(kit_path(k, "next.txt"), kit_path(k, "alone.txt")), 0);
    expect_fs(k, "write", "out/b.txt", "two", "done");
    expect_file(k, "out/b.txt", "two");
    expect_fs(k, "read", "alone.txt", NULL, "second");
}

static void test_fs_a_file_as_root(void **state)
{
    struct kit *k = *state;
    kit_file(k, "notes.txt", "old");
    kit_file(k, "other.txt", "other");
    open_tool(k, "write = { '@/notes.txt' }");
    expect_fs(k, "write", "notes.txt", "new", "done");
    expect_fs(k, "append", "notes.txt", "er", "done");
    expect_file(k, "notes.txt", "newer");
    expect_fs(k, "write", "other.txt", "x", "outside");
    expect_fs(k, "remove", "notes.txt", NULL, "outside");
    expect_fs(k, "write", "notes.txt/x", "x", "Not a directory");
}

static void test_fs_nothing_outside_is_changed(void **state)
{
    static const char *const rows[][4] = {
        {"write", "x.txt", "bad", "outside"},
        {"write", "out/../x.txt", "bad", "outside"},
        {"write", "out/p/../../x.txt", "bad", "outside"},
        {"write", "outer/x.txt", "bad", "outside"},
        {"write", "out/up/x.txt", "bad", "outside"},
        {"write", "out/root/tmp/errand-escape", "bad", "outside"},
        {"write", "out/far", "bad", "it is a link"},
        {"append", "out/far", "bad", "it is a link"},
        {"append", "out/hard", "bad", "it has other names"},
        {"append", "out/pipe", "bad", "it is not a file"},
        {"write", "out/pipe", "bad", "it is not a file"},
        {"mkdir", "made", NULL, "outside"},
        {"mkdir", "out/up/made", NULL, "outside"},
        {"remove", "victim.txt", NULL, "outside"},
        {"remove", "out/up/victim.txt", NULL, "outside"},
        {"remove", "out", NULL, "outside"},
        {"rename", "victim.txt", "out/got", "outside"},
        {"rename", "out/p", "gone", "outside"},
        {"rename", "out/p", "out/up/gone", "outside"},
        {"read", "victim.txt", NULL, "may read no files"},
    };
    struct kit *k = *state;
    make_folder(k, "out");
    make_folder(k, "out/p");
    make_folder(k, "outer");
    kit_file(k, "victim.txt", "whole");
    assert_int_equal(symlink("..", kit_path(k, "out/up")), 0);
    assert_int_equal(symlink("/", kit_path(k, "out/root")), 0);
    assert_int_equal(symlink("../victim.txt", kit_path(k, "out/far")), 0);
    assert_int_equal(mkfifo(kit_path(k, "out/pipe"), 0600), 0);
    assert_int_equal(
        link(kit_path(k, "victim.txt"), kit_path(k, "out/hard")), 0);
    open_tool(k, "write = { '@/out' }");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect_fs(k, rows[i][0], rows[i][1], rows[i][2], rows[i][3]);
    expect_file(k, "victim.txt", "whole");
    assert_true(is_missing(k, "x.txt"));
    assert_true(is_missing(k, "made"));
    assert_true(is_missing(k, "gone"));
    /* over a hard link: the other name keeps its text */
    expect_fs(k, "write", "out/hard", "mine", "done");
    expect_file(k, "victim.txt", "whole");
    expect_fs(k, "remove", "out/far", NULL, "done"); /* the link itself */
    expect_file(k, "victim.txt", "whole");
}

/* Links that stay inside lead where they lead; also absolute ones, and ones
 * from root to root. */
static void test_fs_links_inside_are_followed(void **state)
{
    struct kit *k = *state;
    make_folder(k, "a");
    make_folder(k, "a/deep");
    make_folder(k, "b");
    kit_file(k, "a/deep/x.txt", "in a");
    kit_file(k, "b/y.txt", "in b");
    assert_int_equal(symlink("deep", kit_path(k, "a/short")), 0);
    assert_int_equal(
        symlink(kit_path(k, "a/deep"), kit_path(k, "a/absolute")), 0);
    assert_int_equal(symlink("../b", kit_path(k, "a/to_b")), 0);
    assert_int_equal(symlink(k->dir, kit_path(k, "a/out")), 0);
    open_tool(k, "read = { '@/a', '@/b' }, write = { '@/a' }");
    expect_fs(k, "read", "a/short/x.txt", NULL, "in a");
    expect_fs(k, "read", "a/absolute/x.txt", NULL, "in a");
    expect_fs(k, "read", "a/to_b/y.txt", NULL, "in b");
    expect_fs(k, "read", "a/out/a/deep/x.txt", NULL, "in a");
    expect_fs(k, "read", "a/out/t.lua", NULL, "outside");
    expect_fs(k, "write", "a/absolute/new.txt", "n", "done");
    expect_file(k, "a/deep/new.txt", "n");
    expect_fs(k, "write", "a/to_b/new.txt", "n", "outside");
}

/* ------------------------------------------------------------- the guard */

static void guard_store(struct kit *k)
{
    struct errand_error err = {0};
    char db[200], wal[200], journal[200], tools[200], future[200];
    snprintf(db, sizeof db, "%s/errand.db", k->dir);
    snprintf(wal, sizeof wal, "%s/errand.db-wal", k->dir);
    snprintf(journal, sizeof journal, "%s/errand.db-journal", k->dir);
    snprintf(tools, sizeof tools, "%s/tools", k->dir);
    snprintf(future, sizeof future, "%s/agents", k->dir);
    const char *secret[] = {db, wal, journal, NULL};
    const char *fixed[] = {tools, future, NULL};
    assert_int_equal(
        er_tools_guard(k->tools, secret, fixed, &err), ERRAND_OK);
}

static void test_fs_the_store_and_the_tools_are_guarded(void **state)
{
    static const char *const rows[][4] = {
        {"read", "errand.db", NULL, "belongs to errand's store"},
        {"read", "hard.db", NULL, "belongs to errand's store"},
        {"read", "soft.db", NULL, "belongs to errand's store"},
        {"write", "errand.db", "x", "it belongs to"},
        {"write", "hard.db", "x", "it belongs to"},
        {"append", "errand.db", "x", "it belongs to"},
        {"append", "hard.db", "x", "it belongs to"},
        {"append", "soft.db", "x", "it is a link"},
        {"remove", "errand.db", NULL, "it belongs to"},
        {"rename", "errand.db", "gone.db", "it belongs to"},
        {"rename", "a.txt", "errand.db", "it belongs to"},
        {"write", "errand.db-wal", "x", "it belongs to"},
        {"write", "errand.db-journal", "x", "it belongs to"},
        {"rename", "a.txt", "errand.db-journal", "it belongs to"},
        {"write", "tools/evil.lua", "x", "it belongs to"},
        {"write", "tools/sub/evil.lua", "x", "it belongs to"},
        {"append", "tools/good.lua", "x", "it belongs to"},
        {"remove", "tools/good.lua", NULL, "it belongs to"},
        {"mkdir", "tools/more", NULL, "it belongs to"},
        {"rename", "a.txt", "tools/a.lua", "it belongs to"},
        {"rename", "tools", "elsewhere", "it belongs to"},
        {"mkdir", "agents", NULL, "it belongs to"},
        {"write", "agents", "x", "it belongs to"},
        {"write", "errand.lua", "x", "it belongs to"},
        {"write", "sub/errand.lua", "x", "it belongs to"},
        {"write", "sub/ERRAND.lua", "x", "it belongs to"},
        {"rename", "a.txt", "errand.lua", "it belongs to"},
        {"write", "via/evil.lua", "x", "it belongs to"},
    };
    struct kit *k = *state;
    make_folder(k, "tools");
    make_folder(k, "tools/sub");
    make_folder(k, "sub");
    kit_file(k, "tools/good.lua", "good");
    kit_file(k, "errand.db", "the store");
    kit_file(k, "a.txt", "a");
    assert_int_equal(symlink("tools", kit_path(k, "via")), 0);
    assert_int_equal(symlink("errand.db", kit_path(k, "soft.db")), 0);
    assert_int_equal(
        link(kit_path(k, "errand.db"), kit_path(k, "hard.db")), 0);
    guard_store(k);
    open_tool(k, "read = { '@' }, write = { '@' }");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect_fs(k, rows[i][0], rows[i][1], rows[i][2], rows[i][3]);
    expect_file(k, "errand.db", "the store");
    expect_file(k, "tools/good.lua", "good");
    expect_fs(k, "write", "b.txt", "b", "done"); /* the rest is free */
    /* the store's files may come later */
    kit_file(k, "errand.db-wal", "log");
    expect_fs(k, "read", "errand.db-wal", NULL, "belongs to errand's store");
}

static void test_fs_folders_above_the_guarded_stay(void **state)
{
    struct kit *k = *state;
    char db[200];
    struct errand_error err = {0};
    make_folder(k, "data");
    make_folder(k, "data/deep");
    make_folder(k, "data/free");
    kit_file(k, "data/deep/errand.db", "the store");
    snprintf(db, sizeof db, "%s/data/deep/errand.db", k->dir);
    const char *secret[] = {db, NULL};
    assert_int_equal(er_tools_guard(k->tools, secret, NULL, &err), 0);
    open_tool(k, "write = { '@' }");
    expect_fs(k, "rename", "data", "moved", "lie in it");
    expect_fs(k, "rename", "data/deep", "moved", "lie in it");
    expect_fs(k, "rename", "data/free", "moved", "done");
}

/* --------------------------------------------- kernels without openat2 */

static void test_fs_the_walk_follows_no_link(void **state)
{
    static const struct {
        const char *path;
        int why; /* 0: it opens */
    } rows[] = {
        {"a/b/x.txt", 0},
        {"a//b///x.txt", 0},
        {"", 0},
        {".", 0},
        {"a/./b", 0},
        {"a/none", ENOENT},
        {"a/b/x.txt/y", ENOTDIR},
        {"../x", EXDEV},
        {"a/../a", EXDEV},
        {"link/x.txt", ELOOP},
        {"a/out/x", ELOOP},
        {"a/b/soft", ELOOP},
    };
    struct kit *k = *state;
    make_folder(k, "a");
    make_folder(k, "a/b");
    kit_file(k, "a/b/x.txt", "x");
    assert_int_equal(symlink("a/b", kit_path(k, "link")), 0);
    assert_int_equal(symlink("/", kit_path(k, "a/out")), 0);
    assert_int_equal(symlink("x.txt", kit_path(k, "a/b/soft")), 0);
    int root = open(k->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_true(root >= 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (int j = 0; j < 2; j++) {
            int fd = er_beneath_walk(
                root, rows[i].path, j ? O_PATH : O_RDONLY, 0);
            int why = fd < 0 ? errno : 0;
            if (why != rows[i].why)
                fail_msg("%s: %s", rows[i].path, strerror(why));
            if (fd >= 0)
                close(fd);
        }
    }
    close(root);
}

/* Another process swaps a folder for a link again and again: what is read is
 * the file inside or an error, never the one outside. It rests a moment with
 * the folder in its place: the kernel refuses while names change under it. */
static void test_fs_a_race_of_links(void **state)
{
    struct kit *k = *state;
    char inside[200], spare[200], swap[200];
    make_folder(k, "out");
    make_folder(k, "out/dir");
    make_folder(k, "secret");
    kit_file(k, "out/dir/x.txt", "inside");
    kit_file(k, "secret/x.txt", "outside");
    assert_int_equal(symlink("../secret", kit_path(k, "out/link")), 0);
    snprintf(inside, sizeof inside, "%s/out/dir", k->dir);
    snprintf(spare, sizeof spare, "%s/out/spare", k->dir);
    snprintf(swap, sizeof swap, "%s/out/link", k->dir);
    char extra[300];
    snprintf(extra, sizeof extra,
        "permissions = { read = { '%s/out' }, write = { '%s/out' } },",
        k->dir, k->dir);
    kit_tool(k, "t", extra,
        "local good, bad, tries = 0, 0, 0\n"
        "repeat\n"
        "  tries = tries + 1\n"
        "  local ok, v = pcall(ctx.fs.read, args.dir .. '/out/dir/x.txt')\n"
        "  if ok and v == 'inside' then good = good + 1 end\n"
        "  if ok and v ~= 'inside' then bad = bad + 1 end\n"
        "  pcall(ctx.fs.write, args.dir .. '/out/dir/y.txt', 'y')\n"
        "until tries >= 3000 and (good > 0 or ctx.remaining_ms() < 9000)\n"
        "return { bad = bad, some = good > 0 }");
    kit_load(k);
    pid_t swapper = fork();
    assert_true(swapper >= 0);
    if (swapper == 0) {
        for (;;) {
            if (rename(inside, spare) != 0 || rename(swap, inside) != 0 ||
                rename(inside, swap) != 0 || rename(spare, inside) != 0)
                _exit(1);
            usleep(100);
        }
    }
    char args[200];
    snprintf(args, sizeof args, "{\"dir\":\"%s\"}", k->dir);
    struct kept kept = kit_call(k, "t", args, 60000);
    kill(swapper, SIGKILL);
    waitpid(swapper, NULL, 0);
    if (strcmp(kept.text, "{\"bad\":0,\"some\":true}") != 0)
        fail_msg("%s %s", kept.text, kept.detail);
    free(kept.text);
    assert_true(is_missing(k, "secret/y.txt"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_fs_changes_files_below_its_root),
        TEST(test_fs_a_write_leaves_nothing_beside),
        TEST(test_fs_a_root_that_is_missing_is_made),
        TEST(test_fs_a_root_that_was_replaced),
        TEST(test_fs_a_file_as_root),
        TEST(test_fs_nothing_outside_is_changed),
        TEST(test_fs_links_inside_are_followed),
        TEST(test_fs_the_store_and_the_tools_are_guarded),
        TEST(test_fs_folders_above_the_guarded_stay),
        TEST(test_fs_the_walk_follows_no_link),
        TEST(test_fs_a_race_of_links),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
