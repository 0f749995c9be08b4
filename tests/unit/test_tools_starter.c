/* The tools that come with errand, called as a model calls them. They see
 * the working folder, so each test works in a folder of its own. */
#include "support/tool_kit.h"

#include <fcntl.h>

static struct {
    char worker[4096], tools[4096];
    int home;
} at_start;

static int setup(void **state)
{
    struct kit *k = calloc(1, sizeof *k);
    struct errand_error err = {0};
    k->loop = er_loop_new(&err);
    er_buf_init(&k->log, 1 << 20);
    snprintf(k->dir, sizeof k->dir, "/tmp/errand-test-XXXXXX");
    assert_non_null(mkdtemp(k->dir));
    assert_int_equal(chdir(k->dir), 0);
    struct er_log log = {.write = kit_log, .user = k};
    k->tools = er_tools_new(k->loop, at_start.worker, 1, &log, &err);
    if (!k->tools)
        fail_msg("%s", err.msg);
    json_t *problems = json_array();
    if (er_tools_load_dir(k->tools, at_start.tools, problems, &err) !=
        ERRAND_OK)
        fail_msg("%s", err.msg);
    assert_int_equal(json_array_size(problems), 0); /* no warning either */
    json_decref(problems);
    *state = k;
    return 0;
}

static int teardown(void **state)
{
    assert_int_equal(fchdir(at_start.home), 0);
    kit_close(*state);
    free(*state);
    return 0;
}

/* Call; the arguments must fit the tool's own schema. */
static struct kept call(struct kit *k, const char *name, const char *args)
{
    const struct er_tool *tool = er_tools_find(k->tools, name);
    json_t *json = er_json_parse(args, strlen(args), ER_JSON_STRICT, NULL);
    assert_non_null(tool);
    assert_true(er_schema_check(tool->schema, json, NULL, 0));
    json_decref(json);
    return kit_call(k, name, args, 0);
}

static void expect(struct kit *k, const char *name, const char *args,
    enum er_tool_status status, const char *text)
{
    struct kept kept = call(k, name, args);
    if (kept.status != status)
        print_message("%s %s: %s\n", args, kept.text, kept.detail);
    assert_string_equal(kept.text, text);
    assert_int_equal(kept.status, status);
    free(kept.text);
}

static void expect_in(struct kit *k, const char *name, const char *args,
    enum er_tool_status status, const char *part)
{
    struct kept kept = call(k, name, args);
    if (!strstr(kept.text, part) || kept.status != status)
        fail_msg("%s: '%s' is not in '%s' (%d)", args, part, kept.text,
            (int)kept.status);
    free(kept.text);
}

static void test_starter_all_are_there(void **state)
{
    static const char *const names[] = {"calculate", "edit_file",
        "http_fetch", "json_query", "list_files", "now", "read_file",
        "recall", "remember", "search_files", "write_file"};
    struct kit *k = *state;
    assert_int_equal(er_tools_count(k->tools), 11);
    for (size_t i = 0; i < 11; i++)
        assert_string_equal(er_tools_at(k->tools, i)->name, names[i]);
    assert_true(er_tools_find(k->tools, "now")->polls);
    assert_int_equal(
        er_tools_find(k->tools, "calculate")->effect, ERRAND_PURE);
    assert_int_equal(
        er_tools_find(k->tools, "read_file")->effect, ERRAND_READ);
}

static void test_starter_the_template_is_a_tool(void **state)
{
    struct kit *k = *state;
    struct errand_error err = {0};
    char path[8192], text[8192];
    snprintf(path, sizeof path, "%s/template.lua", at_start.tools);
    json_t *answer = er_tools_check(k->tools, path, &err);
    assert_true(json_is_true(json_object_get(answer, "ok")));
    assert_int_equal(
        json_array_size(json_object_get(answer, "problems")), 0);
    json_decref(answer);
    FILE *from = fopen(path, "r");
    size_t n = fread(text, 1, sizeof text, from);
    fclose(from);
    kit_write(k, "copied.lua", text, n);
    kit_load(k);
    expect(k, "my_tool", "{\"text\":\"h\xC3\xA9y\",\"times\":2}", ER_TOOL_OK,
        "{\"text\":\"y\xC3\xA9h y\xC3\xA9h\"}");
}

/* ------------------------------------------------------------ calculate */

static const struct {
    const char *expression, *result;
} sums[] = {
    {"1 + 2 * 3", "7"},
    {"(1 + 2) * 3", "9"},
    {"-2 ^ 2", "-4"},
    {"2 ^ 3 ^ 2", "512"},
    {"2 ** 10", "1024"},
    {"2 ^ -2", "0.25"},
    {"--5", "5"},
    {"10 / 4", "2.5"},
    {"10 / 5", "2"},
    {"7 // 2", "3"},
    {"-7 // 2", "-4"},
    {"-7 % 3", "2"},
    {"7.5 % 2", "1.5"},
    {"0.1 + 0.2", "0.3"},
    {"1e3", "1000"},
    {".5 * 4", "2"},
    {"0x1F", "31"},
    {"2 ^ 100", "1267650600228229401496703205376"},
    {"9223372036854775807 + 1", "9223372036854775808"},
    {"-9223372036854775808 * -1", "9223372036854775808"},
    {"-9223372036854775808 // -1", "9223372036854775808"},
    {"123456789012345678901234567890 * 987654321098765432109876543210",
        "121932631137021795226185032733622923332237463801111263526900"},
    {"121932631137021795226185032733622923332237463801111263526900 / "
     "987654321098765432109876543210",
        "123456789012345678901234567890"},
    {"-121932631137021795226185032733622923332237463801111263526900 // 97",
        "-1257037434402286548723557038490957972497293441248569727082"},
    {"25!", "15511210043330985984000000"},
    {"100! / 98!", "9900"},
    {"sqrt(16)", "4"},
    {"sqrt(10^40)", "100000000000000000000"},
    {"sqrt(2)", "1.4142135623731"},
    {"cbrt(-27)", "-3"},
    {"round(2.675, 2)", "2.68"},
    {"round(-2.5)", "-3"},
    {"round(1250, -2)", "1300"},
    {"log(8, 2)", "3"},
    {"log10(10^400)", "400"},
    {"ln(e)", "1"},
    {"sin(pi / 2)", "1"},
    {"MAX(1, 2.5, 2)", "2.5"},
    {"min(3, -2^70, 1)", "-1180591620717411303424"},
    {"avg(1, 2, 3, 4)", "2.5"},
    {"sum(0.5, 0.5)", "1"},
    {"gcd(12, 18) + lcm(4, 6)", "18"},
    {"abs(-9223372036854775808)", "9223372036854775808"},
    {"floor(-2.5) + ceil(2.5) + trunc(-2.5)", "-2"},
    {"6 \xC3\x97 7 \xC3\xB7 2 \xE2\x88\x92 1", "20"},
    {"0 ^ 0", "1"},
};

static void sum_args(struct er_buf *args, const char *expression)
{
    er_buf_init(args, 100000);
    er_buf_adds(args, "{\"expression\":");
    er_json_add_string(args, expression, strlen(expression));
    er_buf_adds(args, "}");
}

static void test_starter_calculate(void **state)
{
    for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++) {
        struct er_buf args;
        sum_args(&args, sums[i].expression);
        expect(*state, "calculate", args.data, ER_TOOL_OK, sums[i].result);
        er_buf_release(&args);
    }
}

static const struct {
    const char *expression, *message;
} wrong_sums[] = {
    {"", "the expression is empty"},
    {"1 / 0", "division by zero"},
    {"1 % 0.0", "division by zero"},
    {"0 ^ -1", "division by zero"},
    {"1 +", "expected a number, found the end"},
    {"1 2", "unexpected a number at 3; an operator is missing"},
    {"(1 + 2", "expected ')', found the end"},
    {"1,000", "unexpected ',' at 2; write numbers without separators: 1000"},
    {"20%", "% is the remainder; for 20 percent of 50 write 50 * 20 / 100"},
    {"2 & 3", "'&' at 3 is not part of an expression"},
    {"12abc", "'12abc' at 1 is not a number"},
    {"x + 1", "'x' at 1 is not known; write numbers, or pi, e, tau"},
    {"foo(1)", "there is no function 'foo'"},
    {"sqrt", "write sqrt(...)"},
    {"sqrt(1, 2)", "sqrt takes 1 value, not 2"},
    {"sqrt(-1)", "sqrt of a negative number"},
    {"ln(0)", "log of a number that is not positive"},
    {"asin(2)", "the result is not a number"},
    {"10 ^ 400 * 0.5", "a number is too large for anything but whole-number "
                       "arithmetic"},
    {"9 ^ 99999", "the result has more than 10000 digits"},
    {"5000!", "factorial of more than 3248 has more than 10000 digits"},
    {"2.5!", "factorial needs whole numbers"},
    {"1e999", "the result is too large"},
};

static void test_starter_calculate_says_what_is_wrong(void **state)
{
    for (size_t i = 0; i < sizeof wrong_sums / sizeof wrong_sums[0]; i++) {
        struct er_buf args;
        sum_args(&args, wrong_sums[i].expression);
        expect(*state, "calculate", args.data, ER_TOOL_FAILED,
            wrong_sums[i].message);
        er_buf_release(&args);
    }
    struct er_buf deep, args;
    er_buf_init(&deep, 100000);
    for (int i = 0; i < 9000; i++)
        er_buf_addc(&deep, '(');
    sum_args(&args, deep.data);
    expect(*state, "calculate", args.data, ER_TOOL_FAILED,
        "nested deeper than 100");
    er_buf_release(&args);
    er_buf_release(&deep);
}

/* ------------------------------------------------------------------ now */

static void test_starter_now(void **state)
{
    struct kit *k = *state;
    int64_t before = er_now_ms() / 1000;
    struct kept kept = call(k, "now", "{\"offset\":\"UTC\"}");
    int64_t after = er_now_ms() / 1000;
    json_t *answer =
        er_json_parse(kept.text, kept.len, ER_JSON_STRICT, NULL);
    int64_t unix_time = er_json_int(answer, "unix", 0);
    char iso[21];
    assert_true(unix_time >= before && unix_time <= after);
    er_time_iso(unix_time * 1000, iso);
    assert_string_equal(er_json_str(answer, "time"), iso);
    assert_non_null(strstr(er_json_str(answer, "weekday"), "day"));
    json_decref(answer);
    free(kept.text);
    expect_in(k, "now", "{\"offset\":\"+05:30\"}", ER_TOOL_OK, "+05:30\"");
    expect_in(k, "now", "{\"offset\":\"-8\"}", ER_TOOL_OK, "-08:00\"");
    expect_in(k, "now", "{\"offset\":\"utc+2\"}", ER_TOOL_OK, "+02:00\"");
    expect_in(k, "now", "{}", ER_TOOL_OK, "\"time\":\"20");
    expect(k, "now", "{\"offset\":\"Berlin\"}", ER_TOOL_FAILED,
        "'Berlin' is not an offset from UTC; write it like +02:00, -05:30 "
        "or UTC");
    expect_in(k, "now", "{\"offset\":\"+15:00\"}", ER_TOOL_FAILED, "not an");
}

/* ---------------------------------------------------------------- files */

static void test_starter_read_file(void **state)
{
    struct kit *k = *state;
    kit_file(k, "a.txt", "one\ntwo\r\nthree");
    kit_file(k, "empty.txt", "");
    kit_write(k, "image.bin", "\x89PNG\0\0\0\xFF", 8);
    expect(k, "read_file", "{\"path\":\"a.txt\"}", ER_TOOL_OK,
        "one\ntwo\nthree");
    expect(k, "read_file", "{\"path\":\"./a.txt\",\"from_line\":2}",
        ER_TOOL_OK, "two\nthree");
    expect(k, "read_file",
        "{\"path\":\"a.txt\",\"from_line\":2,\"to_line\":2}", ER_TOOL_OK,
        "two\n(lines 2 to 2; the file goes on)");
    expect(k, "read_file", "{\"path\":\"a.txt\",\"from_line\":9}",
        ER_TOOL_FAILED, "'a.txt' has only 3 lines");
    expect(k, "read_file",
        "{\"path\":\"a.txt\",\"from_line\":3,\"to_line\":2}", ER_TOOL_FAILED,
        "to_line 2 is before from_line 3");
    expect(k, "read_file", "{\"path\":\"empty.txt\"}", ER_TOOL_OK,
        "(the file is empty)");
    expect(k, "read_file", "{\"path\":\"image.bin\"}", ER_TOOL_FAILED,
        "'image.bin' is not text: a binary file of 8 bytes");
    expect(k, "read_file", "{\"path\":\"none.txt\"}", ER_TOOL_FAILED,
        "cannot read 'none.txt': No such file or directory");
    expect(k, "read_file", "{\"path\":\".\"}", ER_TOOL_FAILED,
        "cannot read '.': it is a folder");
    expect(k, "read_file", "{\"path\":\"../x\"}", ER_TOOL_FAILED,
        "'../x' is outside of the folders this tool may read");
}

static void test_starter_read_file_in_parts(void **state)
{
    struct kit *k = *state;
    struct er_buf big;
    er_buf_init(&big, 1 << 24);
    for (int i = 1; i <= 100000; i++)
        er_buf_addf(&big, "this is line %06d\n", i);
    kit_write(k, "big.txt", big.data, big.len);
    expect_in(k, "read_file", "{\"path\":\"big.txt\"}", ER_TOOL_OK,
        "the file goes on: call again with from_line = ");
    struct kept kept = call(k, "read_file",
        "{\"path\":\"big.txt\",\"from_line\":99999}");
    assert_string_equal(
        kept.text, "this is line 099999\nthis is line 100000");
    free(kept.text);
    er_buf_reset(&big);
    for (int i = 0; i < 3000; i++)
        er_buf_adds(&big, "\xC3\xA9");
    kit_write(k, "wide.txt", big.data, big.len);
    kept = call(k, "read_file", "{\"path\":\"wide.txt\"}");
    assert_non_null(strstr(kept.text, "(4000 bytes more on this line)"));
    assert_int_equal(er_utf8_valid_prefix(kept.text, kept.len), kept.len);
    free(kept.text);
    er_buf_release(&big);
}

static void make_tree(struct kit *k)
{
    assert_int_equal(mkdir(kit_path(k, "src"), 0700), 0);
    assert_int_equal(mkdir(kit_path(k, "src/deep"), 0700), 0);
    assert_int_equal(mkdir(kit_path(k, ".git"), 0700), 0);
    kit_file(k, "README.md", "# Title\nA word here.\n");
    kit_file(k, "src/main.c", "int main(void)\n{\n  return 0; // Word\n}\n");
    kit_file(k, "src/deep/util.c", "/* a word, a WORD */\n\n\n\nword\n");
    kit_file(k, ".git/config", "word\n");
    kit_write(k, "src/blob.o", "word\0word", 9);
    assert_int_equal(symlink("..", kit_path(k, "src/up")), 0);
}

static void test_starter_list_files(void **state)
{
    struct kit *k = *state;
    make_tree(k);
    expect(k, "list_files", "{}", ER_TOOL_OK, "README.md\t21\nsrc/");
    expect(k, "list_files", "{\"path\":\"src\",\"recursive\":true}",
        ER_TOOL_OK,
        "blob.o\t9\ndeep/\ndeep/util.c\t29\nmain.c\t39\nup\tlink");
    expect(k, "list_files", "{\"recursive\":true,\"pattern\":\"*.c\"}",
        ER_TOOL_OK, "src/deep/util.c\t29\nsrc/main.c\t39");
    expect(k, "list_files", "{\"pattern\":\"src/**/*.c\"}", ER_TOOL_OK,
        "src/deep/util.c\t29\nsrc/main.c\t39");
    expect(k, "list_files", "{\"pattern\":\"src/*.c\"}", ER_TOOL_OK,
        "src/main.c\t39");
    expect(k, "list_files", "{\"pattern\":\"**/util.?\"}", ER_TOOL_OK,
        "src/deep/util.c\t29");
    expect(k, "list_files", "{\"pattern\":\"[x]\"}", ER_TOOL_OK,
        "(nothing found)");
    expect(k, "list_files", "{\"hidden\":true}", ER_TOOL_OK,
        ".git/\nREADME.md\t21\nsrc/");
    expect(k, "list_files", "{\"path\":\"nowhere\"}", ER_TOOL_FAILED,
        "cannot list 'nowhere': No such file or directory");
    expect_in(k, "list_files", "{\"path\":\"/etc\"}", ER_TOOL_FAILED,
        "outside of the folders");
    expect_in(k, "list_files", "{\"path\":\"src/up\"}", ER_TOOL_OK, "src/");
}

/* A pattern of many stars against a long name takes no time. */
static void test_starter_list_files_no_pattern_takes_long(void **state)
{
    struct kit *k = *state;
    char name[201];
    memset(name, 'a', 200);
    name[200] = '\0';
    kit_file(k, name, "");
    int64_t began = er_mono_ms();
    expect(k, "list_files",
        "{\"pattern\":\"*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b\"}", ER_TOOL_OK,
        "(nothing found)");
    assert_true(er_mono_ms() - began < 20000); /* else it takes years */
}

static void test_starter_list_files_is_bounded(void **state)
{
    struct kit *k = *state;
    char name[32];
    for (int i = 0; i < 600; i++) {
        snprintf(name, sizeof name, "f%03d", i);
        kit_file(k, name, "");
    }
    expect_in(k, "list_files", "{}", ER_TOOL_OK,
        "f499\t0\n(500 of 600 entries; narrow it with path or pattern)");
}

static void test_starter_search_files(void **state)
{
    struct kit *k = *state;
    make_tree(k);
    expect(k, "search_files", "{\"text\":\"word\"}", ER_TOOL_OK,
        "README.md:2: A word here.\n"
        "src/deep/util.c:1: /* a word, a WORD */\n"
        "src/deep/util.c:5: word");
    expect(k, "search_files",
        "{\"text\":\"WORD\",\"ignore_case\":true,\"files\":\"*.c\"}",
        ER_TOOL_OK,
        "src/deep/util.c:1: /* a word, a WORD */\n"
        "src/deep/util.c:5: word\n"
        "src/main.c:3:   return 0; // Word");
    expect(k, "search_files",
        "{\"text\":\"^word$\",\"is_pattern\":true}", ER_TOOL_OK,
        "src/deep/util.c:5: word");
    expect(k, "search_files",
        "{\"text\":\"return\",\"context\":1,\"path\":\"src/main.c\"}",
        ER_TOOL_OK,
        "src/main.c-2- {\n"
        "src/main.c:3:   return 0; // Word\n"
        "src/main.c-4- }");
    expect(k, "search_files",
        "{\"text\":\"word\",\"context\":1,\"path\":\"src/deep\"}",
        ER_TOOL_OK,
        "src/deep/util.c:1: /* a word, a WORD */\n"
        "src/deep/util.c-2- \n"
        "--\n"
        "src/deep/util.c-4- \n"
        "src/deep/util.c:5: word");
    expect(k, "search_files", "{\"text\":\"word\",\"max_matches\":1}",
        ER_TOOL_OK,
        "README.md:2: A word here.\n"
        "(there are more matches; narrow it with path, files or text)");
    expect(k, "search_files", "{\"text\":\"zebra\"}", ER_TOOL_OK,
        "(nothing found in 4 files)");
    expect(k, "search_files", "{\"text\":\"(\",\"is_pattern\":true}",
        ER_TOOL_FAILED,
        "'(' is not a Lua pattern: unfinished capture");
    expect(k, "search_files", "{\"text\":\"x\",\"path\":\"none\"}",
        ER_TOOL_FAILED, "there is no 'none'");
    expect_in(k, "search_files", "{\"text\":\"x\",\"path\":\"..\"}",
        ER_TOOL_FAILED, "outside of the folders");
}

static void test_starter_search_files_cuts_long_lines(void **state)
{
    struct kit *k = *state;
    struct er_buf line;
    er_buf_init(&line, 1 << 20);
    for (int i = 0; i < 2000; i++)
        er_buf_adds(&line, "\xC3\xA9");
    er_buf_adds(&line, "needle");
    for (int i = 0; i < 2000; i++)
        er_buf_adds(&line, "\xC3\xA9");
    kit_write(k, "long.txt", line.data, line.len);
    struct kept kept = call(k, "search_files", "{\"text\":\"needle\"}");
    assert_non_null(strstr(kept.text, "needle"));
    assert_true(kept.len < 400);
    assert_int_equal(er_utf8_valid_prefix(kept.text, kept.len), kept.len);
    free(kept.text);
    er_buf_release(&line);
}

static void holds(struct kit *k, const char *name, const char *text)
{
    char bytes[10000];
    FILE *f = fopen(kit_path(k, name), "rb");
    assert_non_null(f);
    size_t n = fread(bytes, 1, sizeof bytes - 1, f);
    bytes[n] = '\0';
    fclose(f);
    assert_string_equal(bytes, text);
}

static void test_starter_write_file(void **state)
{
    struct kit *k = *state;
    expect(k, "write_file", "{\"path\":\"a.txt\",\"text\":\"one\\n\"}",
        ER_TOOL_OK, "wrote 4 bytes to a.txt");
    holds(k, "a.txt", "one\n");
    expect(k, "write_file", "{\"path\":\"a.txt\",\"text\":\"two\"}",
        ER_TOOL_FAILED,
        "'a.txt' is there already, with 4 bytes; use mode = \"overwrite\" "
        "to replace it, or edit_file");
    expect(k, "write_file",
        "{\"path\":\"a.txt\",\"text\":\"two\\n\",\"mode\":\"append\"}",
        ER_TOOL_OK, "appended 4 bytes to a.txt");
    holds(k, "a.txt", "one\ntwo\n");
    expect(k, "write_file",
        "{\"path\":\"a.txt\",\"text\":\"\",\"mode\":\"overwrite\"}",
        ER_TOOL_OK, "wrote 0 bytes to a.txt, which had 8");
    holds(k, "a.txt", "");
    expect(k, "write_file",
        "{\"path\":\"new/deep/b.txt\",\"text\":\"b\"}", ER_TOOL_OK,
        "wrote 1 bytes to new/deep/b.txt");
    holds(k, "new/deep/b.txt", "b");
    expect(k, "write_file", "{\"path\":\"new\",\"text\":\"b\"}",
        ER_TOOL_FAILED, "'new' is a folder");
    expect_in(k, "write_file", "{\"path\":\"../out.txt\",\"text\":\"b\"}",
        ER_TOOL_FAILED, "../out.txt");
    expect_in(k, "write_file", "{\"path\":\"/tmp/out\",\"text\":\"b\"}",
        ER_TOOL_FAILED, "/tmp/out");
}

static void test_starter_edit_file(void **state)
{
    struct kit *k = *state;
    kit_file(k, "a.txt", "one\ntwo\n  three\ntwo\n%1 .*\n");
    expect(k, "edit_file",
        "{\"path\":\"a.txt\",\"old_text\":\"one\\ntwo\","
        "\"new_text\":\"1\\n2\"}",
        ER_TOOL_OK, "changed a.txt at line 1");
    holds(k, "a.txt", "1\n2\n  three\ntwo\n%1 .*\n");
    expect(k, "edit_file",
        "{\"path\":\"a.txt\",\"old_text\":\"%1 .*\","
        "\"new_text\":\"%0\"}",
        ER_TOOL_OK, "changed a.txt at line 5");
    holds(k, "a.txt", "1\n2\n  three\ntwo\n%0\n");
    expect(k, "edit_file",
        "{\"path\":\"a.txt\",\"old_text\":\"t\",\"new_text\":\"T\"}",
        ER_TOOL_FAILED,
        "the text is in a.txt 2 times, at lines 3, 4: give more lines "
        "around it, or all = true");
    expect(k, "edit_file",
        "{\"path\":\"a.txt\",\"old_text\":\"t\",\"new_text\":\"T\","
        "\"all\":true}",
        ER_TOOL_OK, "changed a.txt at 2 places");
    holds(k, "a.txt", "1\n2\n  Three\nTwo\n%0\n");
    expect(k, "edit_file",
        "{\"path\":\"a.txt\",\"old_text\":\"nine\",\"new_text\":\"\"}",
        ER_TOOL_FAILED,
        "the text is not in a.txt; read the file again and copy the text "
        "exactly");
    expect(k, "edit_file",
        "{\"path\":\"a.txt\",\"old_text\":\"2\\nThree\","
        "\"new_text\":\"\"}",
        ER_TOOL_FAILED,
        "the text is not in a.txt; it is there with other spaces or line "
        "breaks: copy it exactly");
    expect(k, "edit_file",
        "{\"path\":\"a.txt\",\"old_text\":\"x\",\"new_text\":\"x\"}",
        ER_TOOL_FAILED, "old_text and new_text are the same");
    expect(k, "edit_file",
        "{\"path\":\"b.txt\",\"old_text\":\"x\",\"new_text\":\"y\"}",
        ER_TOOL_FAILED, "'b.txt' is not there; write_file makes it");
}

static const char shop[] =
    "{\"items\":[{\"name\":\"pen\",\"price\":2,\"tags\":[]},"
    "{\"name\":\"ink\",\"price\":12.5,\"tags\":[\"blue\",\"b\"]},"
    "{\"name\":\"pad\",\"price\":12,\"old\":true,\"tags\":null}],"
    "\"open\":false,\"a b\":{\"c\":null},\"none\":[],\"nothing\":{}}";

static void ask_shop(struct kit *k, const char *query,
    enum er_tool_status status, const char *text)
{
    json_t *args = json_pack("{s:s,s:s}", "json", shop, "query", query);
    char *written = er_json_text(args);
    struct kept kept = call(k, "json_query", written);
    if (kept.status != status || strcmp(kept.text, text) != 0)
        fail_msg("%s: %s, expected %s", query, kept.text, text);
    free(kept.text);
    free(written);
    json_decref(args);
}

static void test_starter_json_query(void **state)
{
    static const char *const rows[][2] = {
        {".open", "false"}, {"open", "false"}, {"$.open", "false"},
        {".items[0].name", "\"pen\""}, {".items[-1].name", "\"pad\""},
        {".items[*].name", "[\"pen\",\"ink\",\"pad\"]"},
        {".items[1:].name", "[\"ink\",\"pad\"]"},
        {".items[:-2].name", "[\"pen\"]"},
        {".items[?price > 10].name", "[\"ink\",\"pad\"]"},
        {".items[?price<=2].name", "[\"pen\"]"},
        {".items[?name == 'ink'].price", "[12.5]"},
        {".items[?name = ink].price", "[12.5]"},
        {".items[?name ~ \"P\"].name", "[\"pen\",\"pad\"]"},
        {".items[?old].name", "[\"pad\"]"},
        {".items[?tags == null].name", "[\"pad\"]"},
        {".items[?name > 5]", "[]"},
        {"..name", "[\"pen\",\"ink\",\"pad\"]"},
        {"[\"a b\"].c", "null"}, {"['a b']", "{\"c\":null}"},
        {".none", "[]"}, {".nothing", "{}"},
        {".items | length", "3"}, {".none | length", "0"},
        {". | keys",
            "[\"a b\",\"items\",\"none\",\"nothing\",\"open\"]"},
        {".items[*].price | sum", "26.5"},
        {".items[*].price | max", "12.5"}, {".none | min", "null"},
        {".items[*].name | sort | first", "\"ink\""},
        {".items[0] | keys | last", "\"tags\""},
        {".items[1].tags | values", "[\"blue\",\"b\"]"},
        {"..tags[*] | unique", "[\"blue\",\"b\"]"},
        {".items[0].name | length", "3"}};
    struct kit *k = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        ask_shop(k, rows[i][0], ER_TOOL_OK, rows[i][1]);
    ask_shop(k, ".", ER_TOOL_OK,
        "{\"a b\":{\"c\":null},\"items\":[{\"name\":\"pen\",\"price\":2,"
        "\"tags\":[]},{\"name\":\"ink\",\"price\":12.5,\"tags\":[\"blue\","
        "\"b\"]},{\"name\":\"pad\",\"old\":true,\"price\":12,\"tags\":null"
        "}],\"none\":[],\"nothing\":{},\"open\":false}");
}

static void test_starter_json_query_says_what_is_wrong(void **state)
{
    struct kit *k = *state;
    ask_shop(k, ".item", ER_TOOL_FAILED,
        "there is no member 'item'; there are: a b, items, none, nothing, "
        "open");
    ask_shop(k, ".open.x", ER_TOOL_FAILED,
        "'x' is asked of a boolean; only objects have members");
    ask_shop(k, ".items[9]", ER_TOOL_FAILED,
        "there is no item 9 in a list of 3");
    ask_shop(k, ".items[x]", ER_TOOL_FAILED,
        "what stands in [ ] at byte 8 is not known; there are: [0], [1:3], "
        "[*], [\"name\"], [?name > 1]");
    ask_shop(k, ".items[?price > ]", ER_TOOL_FAILED,
        "nothing to compare with at byte 17");
    ask_shop(k, ".items | sum", ER_TOOL_FAILED,
        "sum wants numbers; there is an object");
    ask_shop(k, ".items | count", ER_TOOL_FAILED,
        "'count' is not known; after a bar there are: length, keys, values, "
        "sort, unique, sum, min, max, first, last");
    ask_shop(k, ".items!", ER_TOOL_FAILED,
        "cannot read the path at byte 7: '!'");
    ask_shop(k, "['x", ER_TOOL_FAILED,
        "the text that begins at byte 2 has no end");
    expect(k, "json_query", "{\"query\":\".\"}", ER_TOOL_FAILED,
        "give either path, a file, or json, the text itself");
    expect_in(k, "json_query", "{\"query\":\".\",\"json\":\"[1,\"}",
        ER_TOOL_FAILED, "json is not valid JSON at byte 3: ");
}

static void test_starter_json_query_of_a_file(void **state)
{
    struct kit *k = *state;
    kit_file(k, "shop.json", shop);
    expect(k, "json_query",
        "{\"query\":\".items[0].price\",\"path\":\"shop.json\"}",
        ER_TOOL_OK, "2");
    expect_in(k, "json_query",
        "{\"query\":\".\",\"path\":\"other.json\"}", ER_TOOL_FAILED,
        "other.json");
    kit_file(k, "bad.json", "{");
    expect_in(k, "json_query", "{\"query\":\".\",\"path\":\"bad.json\"}",
        ER_TOOL_FAILED, "bad.json is not valid JSON at byte 1: ");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_starter_all_are_there),
        TEST(test_starter_write_file),
        TEST(test_starter_edit_file),
        TEST(test_starter_json_query),
        TEST(test_starter_json_query_says_what_is_wrong),
        TEST(test_starter_json_query_of_a_file),
        TEST(test_starter_the_template_is_a_tool),
        TEST(test_starter_calculate),
        TEST(test_starter_calculate_says_what_is_wrong),
        TEST(test_starter_now),
        TEST(test_starter_read_file),
        TEST(test_starter_read_file_in_parts),
        TEST(test_starter_list_files),
        TEST(test_starter_list_files_no_pattern_takes_long),
        TEST(test_starter_list_files_is_bounded),
        TEST(test_starter_search_files),
        TEST(test_starter_search_files_cuts_long_lines),
    };
    if (!realpath(kit_worker(), at_start.worker) ||
        !realpath("tools", at_start.tools))
        return 1; /* run from the repository's root */
    at_start.home = open(".", O_RDONLY);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
