/* Opening: what is no store, what is too new, what was left open, what must
 * be brought up to date; and two processes at one store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/store_kit.c"

#include "base/clock.h"
#include "store/disk.h"
#include "store/sqlite_db.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/wait.h>

struct place {
    char folder[64], path[120];
};

static int set_up(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    kit_folder_make(p->folder);
    snprintf(p->path, sizeof p->path, "%s/e.db", p->folder);
    *state = p;
    return 0;
}

static int tear_down(void **state)
{
    struct place *p = *state;
    kit_folder_remove(p->folder);
    free(p);
    return 0;
}

static int open_code(const char *path, struct errand_error *err)
{
    struct er_backend b;
    memset(err, 0, sizeof *err);
    int code = er_sqlite_open(path, NULL, NULL, &b, err);
    if (code == ERRAND_OK)
        b.ops->close(b.self);
    return code;
}

static void write_file(const char *path, const void *bytes, size_t len)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, len, f), len);
    fclose(f);
}

static void run_sql(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    char *msg = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &msg) != SQLITE_OK)
        print_error("%s: %s\n", sql, msg);
    assert_null(msg);
    sqlite3_close(db);
}

static int64_t ask(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *st = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    int64_t n = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    sqlite3_close(db);
    return n;
}

static int mode_of(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return (int)(st.st_mode & 0777);
}

static void test_store_open_makes_private_files(void **state)
{
    struct place *p = *state;
    struct errand_error err;
    struct er_backend b;
    char deep[160], name[200];
    snprintf(deep, sizeof deep, "%s/one/two/e.db", p->folder);
    assert_int_equal(er_sqlite_open(deep, NULL, NULL, &b, &err), ERRAND_OK);
    static const char *const ends[] = {"", "-wal", "-shm", ".lock", ".open"};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        snprintf(name, sizeof name, "%s%s", deep, ends[i]);
        assert_int_equal(mode_of(name), 0600);
    }
    *strrchr(deep, '/') = '\0';
    assert_int_equal(mode_of(deep), 0700);
    b.ops->close(b.self);
    /* closed in order, nothing of the WAL is left */
    snprintf(name, sizeof name, "%s/e.db-wal", deep);
    assert_int_not_equal(access(name, F_OK), 0);
    snprintf(name, sizeof name, "%s/e.db", deep);
    assert_int_equal(
        ask(name, "PRAGMA application_id"), 0x45525244); /* ERRD */
}

static void test_store_open_refuses_what_is_no_store(void **state)
{
    struct place *p = *state;
    struct errand_error err;
    char text[9000];
    memset(text, 'x', sizeof text);
    memcpy(text, "Dear diary,\n", 12);
    write_file(p->path, text, sizeof text);
    assert_int_equal(open_code(p->path, &err), ERRAND_STORE);
    assert_non_null(strstr(err.msg, "is not a database"));
    FILE *f = fopen(p->path, "rb"); /* and leaves it as it is */
    char again[sizeof text + 1];
    assert_int_equal(fread(again, 1, sizeof again, f), sizeof text);
    fclose(f);
    assert_memory_equal(text, again, sizeof text);
    unlink(p->path);

    run_sql(p->path, "CREATE TABLE cakes(a)");
    assert_int_equal(open_code(p->path, &err), ERRAND_STORE);
    assert_non_null(strstr(err.msg, "another program"));
    unlink(p->path);
    run_sql(p->path, "PRAGMA application_id=7");
    assert_int_equal(open_code(p->path, &err), ERRAND_STORE);
    assert_int_equal(ask(p->path, "PRAGMA application_id"), 7);
}

static void test_store_open_refuses_the_future(void **state)
{
    struct place *p = *state;
    struct errand_error err;
    assert_int_equal(open_code(p->path, &err), ERRAND_OK);
    run_sql(p->path, "PRAGMA user_version=99");
    assert_int_equal(open_code(p->path, &err), ERRAND_STORE_NEWER);
    assert_non_null(strstr(err.msg, "version 99"));
    assert_non_null(strstr(err.msg, "newer errand"));
    assert_int_equal(ask(p->path, "PRAGMA user_version"), 99);
}

static void test_store_open_says_where_it_cannot_write(void **state)
{
    struct place *p = *state;
    struct errand_error err;
    char path[160];
    snprintf(path, sizeof path, "%s/file/e.db", p->folder);
    write_file(p->path, "", 0);
    snprintf(path, sizeof path, "%s/e.db", p->path); /* a file as folder */
    assert_int_equal(open_code(path, &err), ERRAND_IO);
    assert_non_null(strstr(err.msg, "another path"));
    unlink(p->path);
    assert_int_equal(mkdir(p->path, 0700), 0); /* a folder as file */
    assert_int_equal(open_code(p->path, &err), ERRAND_IO);
    rmdir(p->path);
    if (access("/proc/self", F_OK) == 0) { /* not even root writes there */
        assert_int_equal(
            open_code("/proc/self/errand/e.db", &err), ERRAND_IO);
        assert_non_null(strstr(err.msg, "/proc/self/errand"));
        assert_int_equal(open_code("/proc/e.db", &err), ERRAND_IO);
    }
}

static void test_store_open_refuses_a_read_only_folder(void **state)
{
    struct place *p = *state;
    struct errand_error err;
    if (geteuid() == 0) {
        print_message("root may write in a read-only folder: skipped\n");
        skip();
    }
    chmod(p->folder, 0500);
    assert_int_equal(open_code(p->path, &err), ERRAND_IO);
    chmod(p->folder, 0700);
}

/* --- after a kill */

/* A child that opens, stores one run and is killed in the middle. */
static void be_killed(const char *path)
{
    pid_t pid = fork();
    if (pid == 0) {
        struct errand_error err = {0};
        struct er_loop *loop = er_loop_new(&err);
        struct er_store_options opt = {.path = path};
        er_store *s = er_store_open(loop, &opt, &err);
        struct kit_run r;
        if (!s || kit_accept(s, "remember me", &r) != ERRAND_OK)
            _exit(1);
        raise(SIGKILL);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    assert_true(WIFSIGNALED(status));
}

static void damage(const char *path)
{
    int fd = open(path, O_RDWR);
    char junk[2048];
    memset(junk, 0x5a, sizeof junk);
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    for (off_t at = 4096; at + 4096 <= st.st_size; at += 4096)
        assert_int_equal(
            pwrite(fd, junk, sizeof junk, at + 100), sizeof junk);
    close(fd);
}

static void test_store_open_after_a_kill_keeps_what_was_stored(void **state)
{
    struct place *p = *state;
    struct errand_error err = {0};
    for (int i = 1; i <= 3; i++) {
        be_killed(p->path);
        assert_int_equal(open_code(p->path, &err), ERRAND_OK);
        assert_int_equal(ask(p->path, "SELECT count(*) FROM runs"), i);
        assert_int_equal(
            ask(p->path, "SELECT count(*) FROM message_index"), i);
    }
}

/* The WAL that the killed one left holds a page or two; the damage is in the
 * others, which it closed in order before. */
static void test_store_open_checks_after_a_kill(void **state)
{
    struct place *p = *state;
    struct errand_error err = {0};
    be_killed(p->path);
    assert_int_equal(open_code(p->path, &err), ERRAND_OK);
    be_killed(p->path);
    damage(p->path);
    assert_int_equal(open_code(p->path, &err), ERRAND_STORE);
    assert_non_null(strstr(err.msg, "damaged"));
    assert_non_null(strstr(err.msg, "backup"));
    assert_int_equal(open_code(p->path, &err), ERRAND_STORE); /* still */
}

/* Killed while the first one makes the database: the rest is cleared away. */
static void test_store_open_makes_it_whole_or_not_at_all(void **state)
{
    struct place *p = *state;
    struct errand_error err;
    char rest[160];
    static const char *const ends[] = {".new", ".new-journal", ".new-wal"};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        snprintf(rest, sizeof rest, "%s%s", p->path, ends[i]);
        write_file(rest, "half of a database", 18);
    }
    write_file(p->path, "", 0); /* an empty file is as none */
    assert_int_equal(open_code(p->path, &err), ERRAND_OK);
    assert_int_equal(mode_of(p->path), 0600);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        snprintf(rest, sizeof rest, "%s%s", p->path, ends[i]);
        assert_int_not_equal(access(rest, F_OK), 0);
    }
}

/* Two names of one file are one store with one lock. */
static void test_store_open_follows_links_to_one_lock(void **state)
{
    struct place *p = *state;
    struct errand_error err;
    char link[200], folder[160], lock[240];
    snprintf(link, sizeof link, "%s/link.db", p->folder);
    snprintf(folder, sizeof folder, "%s/here", p->folder);
    assert_int_equal(open_code(p->path, &err), ERRAND_OK);
    assert_int_equal(symlink(p->path, link), 0);
    assert_int_equal(symlink(p->folder, folder), 0);
    assert_int_equal(open_code(link, &err), ERRAND_OK);
    snprintf(lock, sizeof lock, "%s.lock", link);
    assert_int_not_equal(access(lock, F_OK), 0);
    snprintf(link, sizeof link, "%s/other.db", folder);
    assert_int_equal(open_code(link, &err), ERRAND_OK);
    snprintf(lock, sizeof lock, "%s/other.db.lock", p->folder);
    assert_int_equal(access(lock, F_OK), 0);
    unlink(folder);
}

/* --- migrations */

static const struct er_migration steps[] = {
    {"CREATE TABLE a(x)"},
    {"CREATE TABLE b(x); INSERT INTO b SELECT x FROM a"},
    {"CREATE TABLE c(x); INSERT INTO nowhere VALUES(1)"}, /* wrong */
};

static int migrate(const char *path, size_t n, struct errand_error *err)
{
    struct er_sqlite db = {.path = (char *)path, .sql.path = path};
    memset(err, 0, sizeof *err);
    assert_int_equal(sqlite3_open(path, &db.sql.db), SQLITE_OK);
    int code = er_sqlite_check_version(&db, n, err);
    if (code == ERRAND_OK)
        code = er_sqlite_migrate(&db, steps, n, err);
    er_sql_close(&db.sql);
    return code;
}

static void test_store_open_migrates_after_a_backup(void **state)
{
    struct place *p = *state;
    struct errand_error err;
    char backup[140];
    snprintf(backup, sizeof backup, "%s.v1.backup", p->path);
    assert_int_equal(migrate(p->path, 1, &err), ERRAND_OK);
    assert_int_not_equal(access(backup, F_OK), 0); /* nothing to lose yet */
    run_sql(p->path, "INSERT INTO a VALUES(41),(42)");
    for (int i = 0; i < 2; i++) { /* twice: the second has nothing to do */
        assert_int_equal(migrate(p->path, 2, &err), ERRAND_OK);
        assert_int_equal(ask(p->path, "PRAGMA user_version"), 2);
        assert_int_equal(ask(p->path, "SELECT count(*) FROM b"), 2);
    }
    assert_int_equal(mode_of(backup), 0600);
    assert_int_equal(ask(backup, "PRAGMA user_version"), 1);
    assert_int_equal(ask(backup, "SELECT sum(x) FROM a"), 83);
    /* one that fails leaves the version before, whole */
    assert_int_equal(migrate(p->path, 3, &err), ERRAND_STORE);
    assert_non_null(strstr(err.msg, "version 3"));
    assert_int_equal(ask(p->path, "PRAGMA user_version"), 2);
    assert_int_equal(
        ask(p->path, "SELECT count(*) FROM sqlite_schema WHERE name='c'"),
        0);
    assert_int_equal(migrate(p->path, 1, &err), ERRAND_STORE_NEWER);
}

/* --- two processes */

enum { WRITERS = 3, RUNS_EACH = 40 };

/* Store runs and write each acknowledged id to the pipe. */
static void write_runs(const char *path, int out)
{
    struct errand_error err = {0};
    struct er_loop *loop = er_loop_new(&err);
    struct er_store_options opt = {.path = path};
    er_store *s = er_store_open(loop, &opt, &err);
    if (!s) {
        fprintf(stderr, "%s\n", err.msg);
        _exit(1);
    }
    for (int i = 0; i < RUNS_EACH; i++) {
        struct kit_run r;
        char prefix[60], call[64];
        if (kit_accept(s, "from one of many", &r) != ERRAND_OK)
            _exit(2);
        snprintf(prefix, sizeof prefix, "%s-", r.claim.run_id);
        snprintf(call, sizeof call, "%s0", prefix);
        if (kit_step(s, &r, prefix, 1, ERRAND_PURE, NULL) != ERRAND_OK ||
            kit_finish(s, &r, call, ER_CALL_DONE, "r", NULL) != ERRAND_OK ||
            kit_step(s, &r, "x", 0, 0, NULL) != ERRAND_OK)
            _exit(3);
        if (write(out, r.claim.run_id, 36) != 36)
            _exit(4);
    }
    er_store_close(s);
    er_loop_free(loop);
    _exit(0);
}

static void test_store_open_many_processes_write_at_once(void **state)
{
    struct place *p = *state;
    struct errand_error err = {0};
    int fds[2];
    pid_t pids[WRITERS];
    assert_int_equal(pipe(fds), 0);
    for (int i = 0; i < WRITERS; i++) {
        pids[i] = fork();
        if (pids[i] == 0)
            write_runs(p->path, fds[1]);
    }
    close(fds[1]);
    char *ids = calloc(WRITERS * RUNS_EACH + 1, 36);
    size_t len = 0;
    ssize_t n;
    while ((n = read(fds[0], ids + len, 36 * 100)) > 0)
        len += (size_t)n;
    close(fds[0]);
    for (int i = 0; i < WRITERS; i++) {
        int status = 0;
        waitpid(pids[i], &status, 0);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
    assert_int_equal(len, 36 * WRITERS * RUNS_EACH);
    struct er_loop *loop = er_loop_new(&err);
    struct er_store_options opt = {.path = p->path};
    er_store *s = er_store_open(loop, &opt, &err);
    for (size_t i = 0; i < WRITERS * RUNS_EACH; i++) {
        char id[ER_ID_SIZE] = "", conv[ER_ID_SIZE];
        memcpy(id, ids + 36 * i, 36);
        assert_int_equal(
            er_store_conversation_of(s, id, conv, &err), ERRAND_OK);
    }
    json_t *list = er_store_list(s, 1000, "done", NULL, &err);
    assert_int_equal(json_array_size(list), WRITERS * RUNS_EACH);
    json_decref(list);
    json_t *h = er_store_health(s, true, &err);
    assert_string_equal(er_json_str(h, "integrity"), "ok");
    assert_string_equal(er_json_str(h, "fts"), "ok");
    assert_int_equal(
        er_json_int(h, "messages", 0), 4 * WRITERS * RUNS_EACH);
    json_decref(h);
    er_store_close(s);
    er_loop_free(loop);
    free(ids);
}

static void test_store_open_waits_for_the_lock_with_a_bound(void **state)
{
    struct place *p = *state;
    struct errand_error err = {0};
    int one, two;
    assert_int_equal(
        er_disk_open_beside(p->path, ".lock", &one, &err), ERRAND_OK);
    assert_int_equal(
        er_disk_open_beside(p->path, ".lock", &two, &err), ERRAND_OK);
    assert_int_equal(er_disk_lock(one, 0, p->path, &err), ERRAND_OK);
    int64_t began = er_mono_ms();
    assert_int_equal(er_disk_lock(two, 120, p->path, &err), ERRAND_BUSY);
    int64_t took = er_mono_ms() - began;
    assert_true(took >= 120);
    assert_non_null(strstr(err.msg, "another errand process"));
    er_disk_unlock(one);
    assert_int_equal(er_disk_lock(two, 0, p->path, &err), ERRAND_OK);
    close(one);
    close(two);
}

/* A writer that is killed with the lock in its hand does not keep it. */
static void test_store_open_a_dead_writer_holds_no_lock(void **state)
{
    struct place *p = *state;
    struct errand_error err = {0};
    pid_t pid = fork();
    if (pid == 0) {
        struct er_backend b;
        if (er_sqlite_open(p->path, NULL, NULL, &b, &err) != ERRAND_OK ||
            b.ops->begin(b.self, &err) != ERRAND_OK)
            _exit(1);
        raise(SIGKILL);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(open_code(p->path, &err), ERRAND_OK);
}

#define PLACED(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACED(test_store_open_makes_private_files),
        PLACED(test_store_open_refuses_what_is_no_store),
        PLACED(test_store_open_refuses_the_future),
        PLACED(test_store_open_says_where_it_cannot_write),
        PLACED(test_store_open_refuses_a_read_only_folder),
        PLACED(test_store_open_after_a_kill_keeps_what_was_stored),
        PLACED(test_store_open_checks_after_a_kill),
        PLACED(test_store_open_makes_it_whole_or_not_at_all),
        PLACED(test_store_open_follows_links_to_one_lock),
        PLACED(test_store_open_migrates_after_a_backup),
        PLACED(test_store_open_many_processes_write_at_once),
        PLACED(test_store_open_waits_for_the_lock_with_a_bound),
        PLACED(test_store_open_a_dead_writer_holds_no_lock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
