/* The plugins that come with errand, each in a worker as users have it. */
#include "support/plugin_kit.h"

#include "base/sha256.h"

#include <sqlite3.h>

/* Load a shipped plugin; what it reads is the kit's folder. */
static void open_shipped(struct kit *k, const char *name, const char *more)
{
    char path[64], config[600];
    kit_open(k, NULL, 1);
    snprintf(path, sizeof path, "plugins/%s", name);
    snprintf(config, sizeof config, "{\"read\": [\"%s\"]%s}", k->dir, more);
    plugin_load(k, path, config, false);
}

/* {"path": "DIR/name", …more} */
static const char *with_path(
    struct kit *k, const char *name, const char *more)
{
    static char args[4][2000];
    static int next;
    char *s = args[next++ % 4];
    snprintf(s, sizeof args[0], "{\"path\": \"%s/%s\"%s}", k->dir, name,
        more);
    return s;
}

static void expect_words(struct kit *k, const char *tool, const char *args,
    enum er_tool_status status, const char *words)
{
    struct kept kept = kit_call(k, tool, args, 0);
    if (kept.status != status || !strstr(kept.text, words))
        fail_msg("%s %s: status %d, %s; %s", tool, args, (int)kept.status,
            kept.text, kept.detail);
    free(kept.text);
}

/* --------------------------------------------------------------- hash_file */

static void test_plugins_hash_file_agrees_with_ours(void **state)
{
    static const size_t sizes[] = {
        0, 1, 55, 56, 63, 64, 65, 119, 120, 65535, 65536, 65537, 300000};
    struct kit k;
    (void)state;
    open_shipped(&k, "hash_file", "");
    char *bytes = malloc(300000);
    assert_non_null(bytes);
    for (size_t i = 0; i < 300000; i++)
        bytes[i] = (char)(i * 7 + i / 251);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        char hex[65], expected[200];
        kit_write(&k, "data", bytes, sizes[i]);
        er_sha256_hex(bytes, sizes[i], hex);
        snprintf(expected, sizeof expected,
            "{\"sha256\":\"%s\",\"bytes\":%zu}", hex, sizes[i]);
        kit_expect(&k, "hash_file", with_path(&k, "data", ""), ER_TOOL_OK,
            expected);
    }
    free(bytes);
    kit_close(&k);
}

static void test_plugins_hash_file_says_what_is_wrong(void **state)
{
    struct kit k;
    (void)state;
    open_shipped(&k, "hash_file", "");
    expect_words(&k, "hash_file", with_path(&k, "none", ""), ER_TOOL_FAILED,
        "there is no such file");
    expect_words(&k, "hash_file", with_path(&k, ".", ""), ER_TOOL_FAILED,
        "it is not a file");
    kit_close(&k);
}

/* --------------------------------------------------------------- sql_query */

static void make_database(struct kit *k, const char *name)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(kit_path(k, name), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db,
        "CREATE TABLE city(id INTEGER PRIMARY KEY, name TEXT, size REAL);"
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
        "WHERE i < 500) INSERT INTO city SELECT i, 'city ' || i, i * 0.5 "
        "FROM n; CREATE VIEW small AS SELECT * FROM city WHERE size < 2;"
        "CREATE TABLE wide(text TEXT, data BLOB);"
        "INSERT INTO wide VALUES(hex(zeroblob(10000)), x'00ff'),"
        "(NULL, NULL)", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void test_plugins_sql_query_reads(void **state)
{
    struct kit k;
    (void)state;
    open_shipped(&k, "sql_query", "");
    make_database(&k, "a b%?.db");
    expect_words(&k, "sql_query", with_path(&k, "a b%?.db", ""), ER_TOOL_OK,
        "[\"table\",\"city\",\"CREATE TABLE city(");
    kit_expect(&k, "sql_query", with_path(&k, "a b%?.db",
        ", \"query\": \"SELECT id, name, size FROM city WHERE id IN (?1, ?2)"
        " OR name = ?3 -- a comment\", \"values\": [1, 2.0, \"city 3\"]"),
        ER_TOOL_OK, "{\"columns\":[\"id\",\"name\",\"size\"],\"rows\":"
        "[[1,\"city 1\",0.5],[2,\"city 2\",1],[3,\"city 3\",1.5]],"
        "\"row_count\":3}");
    kit_expect(&k, "sql_query", with_path(&k, "a b%?.db",
        ", \"query\": \"SELECT count(*) AS n, max(size) FROM small\""),
        ER_TOOL_OK, "{\"columns\":[\"n\",\"max(size)\"],\"rows\":[[3,1.5]],"
        "\"row_count\":1}");
    expect_words(&k, "sql_query", with_path(&k, "a b%?.db",
        ", \"query\": \"SELECT * FROM city\""), ER_TOOL_OK,
        "\"row_count\":100,\"more\":\"there are more rows");
    expect_words(&k, "sql_query", with_path(&k, "a b%?.db",
        ", \"rows\": 1000, \"query\": \"SELECT * FROM city\""), ER_TOOL_OK,
        "\"row_count\":500}");
    expect_words(&k, "sql_query", with_path(&k, "a b%?.db",
        ", \"query\": \"SELECT * FROM wide\""), ER_TOOL_OK,
        "\"(2 bytes)\"],[null,null]],\"row_count\":2,\"cut\":");
    kit_close(&k);
}

/* None of it is a SELECT, or it is more than one. */
static void test_plugins_sql_query_refuses(void **state)
{
    static const char *const queries[] = {"DELETE FROM city",
        "INSERT INTO city VALUES(900, 'x', 1)", "UPDATE city SET name = ''",
        "DROP TABLE city", "CREATE TABLE x(a)", "CREATE TEMP TABLE x(a)",
        "ATTACH '/tmp/errand-other.db' AS other", "DETACH main", "VACUUM",
        "VACUUM INTO '/tmp/errand-copy.db'", "PRAGMA journal_mode = DELETE",
        "PRAGMA writable_schema = 1", "PRAGMA table_info(city)", "BEGIN",
        "COMMIT", "REINDEX", "ANALYZE", "SAVEPOINT a",
        "SELECT load_extension('/tmp/x.so')",
        "SELECT fts3_tokenizer('simple')", "SELECT writefile('/tmp/x', 'y')",
        "WITH x AS (SELECT 1) DELETE FROM city",
        "WITH x AS (SELECT 1) INSERT INTO city SELECT 901, 'y', 2",
        "EXPLAIN DELETE FROM city", "SELECT 1; DELETE FROM city",
        "SELECT 1; SELECT 2", "", "   -- nothing", "SELECT", "SELECT * FROM",
        "CREATE TRIGGER t AFTER INSERT ON city BEGIN SELECT 1; END"};
    struct kit k;
    struct er_buf before, after;
    (void)state;
    open_shipped(&k, "sql_query", "");
    make_database(&k, "db");
    for (int pass = 0; pass < 2; pass++) {
        struct er_buf *b = pass ? &after : &before;
        char piece[4096];
        size_t n;
        er_buf_init(b, 8 << 20);
        for (size_t i = 0; pass && i < sizeof queries / sizeof queries[0];
             i++) {
            char more[300];
            snprintf(more, sizeof more, ", \"query\": \"%s\"", queries[i]);
            expect_words(&k, "sql_query", with_path(&k, "db", more),
                ER_TOOL_FAILED, "the query ");
        }
        FILE *f = fopen(kit_path(&k, "db"), "rb");
        while ((n = fread(piece, 1, sizeof piece, f)) > 0)
            er_buf_add(b, piece, n);
        fclose(f);
    }
    assert_int_equal(before.len, after.len);
    assert_memory_equal(before.data, after.data, after.len);
    assert_int_not_equal(access("/tmp/errand-copy.db", F_OK), 0);
    er_buf_release(&before);
    er_buf_release(&after);
    kit_close(&k);
}

static void test_plugins_sql_query_has_limits(void **state)
{
    struct kit k;
    (void)state;
    open_shipped(&k, "sql_query", "");
    make_database(&k, "db");
    struct kept kept = kit_call(&k, "sql_query", with_path(&k, "db",
        ", \"query\": \"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT "
        "i + 1 FROM n) SELECT count(*) FROM n\""), 4000);
    assert_int_equal(kept.status, ER_TOOL_FAILED);
    assert_non_null(strstr(kept.text, "took too long and was stopped"));
    free(kept.text);
    expect_words(&k, "sql_query", with_path(&k, "db",
        ", \"query\": \"SELECT zeroblob(1000000000)\""), ER_TOOL_FAILED,
        "too big");
    expect_words(&k, "sql_query", with_path(&k, "db",
        ", \"query\": \"SELECT ?1\""), ER_TOOL_FAILED,
        "the statement has 1 parameters, and values has 0");
    kit_file(&k, "text", "this is no database, only a text of some length");
    expect_words(&k, "sql_query", with_path(&k, "text", ""), ER_TOOL_FAILED,
        "not a SQLite database");
    expect_words(&k, "sql_query", with_path(&k, "none", ""), ER_TOOL_FAILED,
        "there is no such file");
    kit_close(&k);
}

/* ------------------------------------------------------------- run_command */

/* Under sanitizers the cage is open where they need it, and they fork. */
static void open_commands(struct kit *k)
{
    open_shipped(k, "run_command", ", \"allow\": [\"echo\", \"cat\", \"sh\", "
        "\"sleep\", \"false\", \"seq\", \"pwd\", \"env\", \"kill\"]");
}

static void test_plugins_run_command_answers(void **state)
{
    struct kit k;
    char args[300];
    (void)state;
    open_commands(&k);
    kit_expect(&k, "run_command",
        "{\"argv\": [\"echo\", \"a  b\", \"$HOME; rm -rf / | x\", \"*\"]}",
        ER_TOOL_OK,
        "{\"status\":0,\"output\":\"a  b $HOME; rm -rf / | x *\\n\"}");
    kit_expect(&k, "run_command", "{\"argv\": [\"false\"]}", ER_TOOL_OK,
        "{\"status\":1,\"output\":\"\"}");
    kit_expect(&k, "run_command",
        "{\"argv\": [\"cat\"], \"input\": \"one\\ntwo\"}", ER_TOOL_OK,
        "{\"status\":0,\"output\":\"one\\ntwo\"}");
    kit_expect(&k, "run_command",
        "{\"argv\": [\"sh\", \"-c\", \"echo o; echo e >&2; exit 7\"]}",
        ER_TOOL_OK, "{\"status\":7,\"output\":\"o\\n\",\"errors\":\"e\\n\"}");
    expect_words(&k, "run_command",
        "{\"argv\": [\"sh\", \"-c\", \"kill -9 $$\"]}", ER_TOOL_OK,
        "{\"status\":");
    snprintf(args, sizeof args, "{\"argv\": [\"pwd\"], \"folder\": \"%s\"}",
        k.dir);
    expect_words(&k, "run_command", args, ER_TOOL_OK, k.dir);
    kit_expect(&k, "run_command", "{\"argv\": [\"env\"]}", ER_TOOL_OK,
        "{\"status\":0,\"output\":\"PATH=/usr/local/bin:/usr/bin:/bin:"
        "/usr/sbin:/sbin\\nLANG=C.UTF-8\\nHOME=/nonexistent\\nPAGER=cat\\n"
        "TERM=dumb\\n\"}");
    kit_close(&k);
}

static void test_plugins_run_command_refuses(void **state)
{
    struct kit k;
    (void)state;
    open_commands(&k);
    expect_words(&k, "run_command", "{\"argv\": [\"rm\"]}", ER_TOOL_FAILED,
        "rm is not allowed here; there are: echo cat sh");
    expect_words(&k, "run_command", "{\"argv\": [\"/bin/echo\"]}",
        ER_TOOL_FAILED, "not allowed");
    expect_words(&k, "run_command", "{\"argv\": [\"../echo\"]}",
        ER_TOOL_FAILED, "not allowed");
    expect_words(&k, "run_command", "{\"argv\": [\"\"]}", ER_TOOL_FAILED,
        "not allowed");
    expect_words(&k, "run_command", "{\"argv\": [\"echo\", \"a\\u0000b\"]}",
        ER_TOOL_FAILED, "without a NUL");
    plugin_refused(&k, plugin_path("plugins/run_command"), "{}", false,
        ERRAND_CONFIG, "plugins.run_command");
    plugin_refused(&k, plugin_path("plugins/run_command"),
        "{\"allow\": [\"bin/sh\"]}", false, ERRAND_SYNTAX,
        "permissions.run must be a list of at most 16 programs");
    kit_close(&k);
}

static void test_plugins_run_command_has_limits(void **state)
{
    struct kit k;
    (void)state;
    open_commands(&k);
    kit_expect(&k, "run_command",
        "{\"argv\": [\"sh\", \"-c\", \"echo begun; sleep 600\"], "
        "\"seconds\": 1}", ER_TOOL_OK,
        "{\"ended\":\"killed: it took too long\",\"output\":\"begun\\n\"}");
    struct kept kept = kit_call(
        &k, "run_command", "{\"argv\": [\"seq\", \"100000\"]}", 0);
    assert_int_equal(kept.status, ER_TOOL_OK);
    assert_true(kept.len < 80 * 1024);
    assert_non_null(strstr(kept.text, "\"1\\n2\\n3\\n"));
    assert_non_null(strstr(kept.text, "bytes were left out here"));
    assert_non_null(strstr(kept.text, "\\n99999\\n100000\\n\"}"));
    free(kept.text);
    kit_close(&k);
}

/* A zombie that nobody waits for is dead. */
static bool is_alive(long pid)
{
    char path[64], state = 'Z';
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    FILE *f = fopen(path, "r");
    if (f && fscanf(f, "%*d %*s %c", &state) != 1)
        state = 'Z';
    if (f)
        fclose(f);
    return state != 'Z';
}

/* Its own end is not the end of what it started: that is killed too. */
static void test_plugins_run_command_leaves_nothing_behind(void **state)
{
    struct kit k;
    (void)state;
    open_commands(&k);
    struct kept kept = kit_call(&k, "run_command",
        "{\"argv\": [\"sh\", \"-c\", \"sleep 600 & echo $!\"]}", 0);
    assert_int_equal(kept.status, ER_TOOL_OK);
    const char *output = strstr(kept.text, "\"output\":\"");
    assert_non_null(output);
    long pid = atol(output + strlen("\"output\":\""));
    assert_true(pid > 1);
    int64_t until = er_mono_ms() + 20000;
    while (is_alive(pid) && er_mono_ms() < until)
        er_loop_run(k.loop, 5);
    assert_false(is_alive(pid));
    free(kept.text);
    kit_expect(&k, "run_command", "{\"argv\": [\"echo\", \"next\"]}",
        ER_TOOL_OK, "{\"status\":0,\"output\":\"next\\n\"}");
    kit_close(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plugins_hash_file_agrees_with_ours),
        cmocka_unit_test(test_plugins_hash_file_says_what_is_wrong),
        cmocka_unit_test(test_plugins_sql_query_reads),
        cmocka_unit_test(test_plugins_sql_query_refuses),
        cmocka_unit_test(test_plugins_sql_query_has_limits),
        cmocka_unit_test(test_plugins_run_command_answers),
        cmocka_unit_test(test_plugins_run_command_refuses),
        cmocka_unit_test(test_plugins_run_command_has_limits),
        cmocka_unit_test(test_plugins_run_command_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
