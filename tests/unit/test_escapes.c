/* What tools try in order to get out, harm the runtime, or never end: the
 * attempts of the suites and our own (tests/cases/escapes). Each is
 * contained: its own call ends as it should, no worker dies of it, nothing
 * outside is changed, and the next call works. */
#include "support/tool_kit.h"

#include "support/suites.h"

#include <errno.h>

enum { CASES_MOST = 256, SHORT_MS = 200, LONG_MS = 20000 };

struct attempt {
    char name[200];
    char expect[40];
    char grants[200]; /* members of the tool's table */
    const char *body;
    size_t len;
    struct kept kept;
    bool is_loaded;
};

static struct kit *open_kit(int max)
{
    struct kit *k = calloc(1, sizeof *k);
    kit_open(k, NULL, max);
    return k;
}

static void close_kit(struct kit *k)
{
    kit_close(k);
    free(k);
}

/* The tools lie in a folder of their own: those that are no Lua at all are
 * errors of loading, and end there. */
static void write_tool(struct kit *k, int i, const struct attempt *a)
{
    char name[32];
    struct er_buf body;
    er_buf_init(&body, 1 << 20);
    er_buf_add(&body, a->body, a->len);
    snprintf(name, sizeof name, "t%d", i);
    kit_tool(k, name, a->grants, er_buf_str(&body));
    er_buf_release(&body);
}

static bool is_text(const struct kept *kept)
{
    return er_utf8_valid_prefix(kept->text, kept->len) == kept->len;
}

static bool is_no(const struct kept *kept)
{
    return kept->status == ER_TOOL_FAILED ||
           (kept->status == ER_TOOL_OK &&
               (strcmp(kept->text, "false") == 0 ||
                   strcmp(kept->text, "null") == 0));
}

/* Did it end as its expectation says? */
static bool ended_well(const struct attempt *a)
{
    const struct kept *kept = &a->kept;
    const char *e = a->expect;
    bool ok = kept->status == ER_TOOL_OK;
    if (!a->is_loaded)
        return strcmp(e, "false") != 0 && strncmp(e, "ok ", 3) != 0;
    if (kept->status == ER_TOOL_DIED || kept->status == ER_TOOL_NOT_RUN ||
        !is_text(kept))
        return false;
    if (strcmp(e, "false") == 0)
        return ok && strcmp(kept->text, "false") == 0;
    if (strcmp(e, "refused") == 0)
        return is_no(kept);
    if (strcmp(e, "stopped") == 0 || strcmp(e, "memory") == 0)
        return !ok;
    if (strncmp(e, "ok ", 3) == 0)
        return ok && strstr(kept->text, e + 3) != NULL;
    return strcmp(e, "ended") == 0;
}

/* Run all, several at once, and say which did not end well. */
static int run_all(struct kit *k, struct attempt *list, int n)
{
    char name[32], args[200];
    int bad = 0;
    snprintf(args, sizeof args, "{\"dir\":\"%s\"}", k->dir);
    for (int i = 0; i < n; i++)
        write_tool(k, i, &list[i]);
    (void)!er_tools_load_dir(k->tools, k->dir, NULL, NULL);
    for (int i = 0; i < n; i++) {
        const char *e = list[i].expect;
        bool is_endless = strcmp(e, "stopped") == 0 ||
                          strcmp(e, "memory") == 0 ||
                          strcmp(e, "ended") == 0;
        snprintf(name, sizeof name, "t%d", i);
        list[i].is_loaded = er_tools_find(k->tools, name) != NULL;
        if (list[i].is_loaded)
            kit_start(k, name, args, is_endless ? SHORT_MS : LONG_MS,
                &list[i].kept);
    }
    for (int i = 0; i < n; i++) {
        struct attempt *a = &list[i];
        if (a->is_loaded) {
            int64_t until = er_mono_ms() + 120000;
            while (!a->kept.done && er_mono_ms() < until)
                er_loop_run(k->loop, 1000);
            assert_true(a->kept.done);
        }
        if (!ended_well(a)) {
            print_message("%s: expected %s, got status %d, %.300s (%s)\n",
                a->name, a->expect, (int)a->kept.status,
                a->kept.text ? a->kept.text : "", a->kept.detail);
            bad++;
        }
        free(a->kept.text);
    }
    return bad;
}

/* ------------------------------------------------------------ our own */

static char *read_file(const char *path)
{
    struct er_buf b;
    FILE *f = fopen(path, "rb");
    if (!f)
        fail_msg("%s: %s", path, strerror(errno));
    er_buf_init(&b, 1 << 22);
    while (er_buf_reserve(&b, 65536)) {
        size_t n = fread(b.data + b.len, 1, 65536, f);
        if (n == 0)
            break;
        b.len += n;
        b.data[b.len] = '\0';
    }
    fclose(f);
    return er_buf_take(&b, NULL);
}

/* The next part of a head, up to "|" or the end of the line, trimmed. */
static const char *take_part(const char *s, char *out, size_t room)
{
    size_t n = strcspn(s, "|\n"), len = n;
    const char *next = s + n + (s[n] == '|');
    while (len > 0 && *s == ' ')
        s++, len--;
    while (len > 0 && s[len - 1] == ' ')
        len--;
    assert_true(len < room);
    memcpy(out, s, len);
    out[len] = '\0';
    return next;
}

static void set_grants(struct kit *k, struct attempt *a, const char *what)
{
    a->grants[0] = '\0';
    if (*what)
        snprintf(a->grants, sizeof a->grants,
            "permissions = { %s = { '%s/in' } },", what, k->dir);
}

static int parse_cases(struct kit *k, const char *text, struct attempt *list)
{
    int n = 0;
    for (const char *s = text; *s;) {
        char grants[40];
        struct attempt *a = &list[n++];
        assert_true(n <= CASES_MOST);
        assert_int_equal(strncmp(s, "== ", 3), 0);
        s = take_part(s + 3, a->expect, sizeof a->expect);
        s = take_part(s, grants, sizeof grants);
        s = take_part(s, a->name, sizeof a->name);
        set_grants(k, a, grants);
        a->body = s + (*s == '\n');
        const char *end = strstr(s, "\n== ");
        s = end ? end + 1 : s + strlen(s);
        a->len = (size_t)(s - a->body);
    }
    return n;
}

static void lay_out(struct kit *k)
{
    struct errand_error err = {0};
    char db[200], journal[200];
    assert_int_equal(mkdir(kit_path(k, "in"), 0700), 0);
    kit_file(k, "in/x.txt", "inside");
    kit_file(k, "outside.txt", "whole");
    kit_file(k, "in/errand.db", "the store");
    assert_int_equal(symlink("..", kit_path(k, "in/up")), 0);
    assert_int_equal(symlink("/", kit_path(k, "in/root")), 0);
    assert_int_equal(symlink("../outside.txt", kit_path(k, "in/far")), 0);
    assert_int_equal(
        link(kit_path(k, "outside.txt"), kit_path(k, "in/hard")), 0);
    assert_int_equal(mkfifo(kit_path(k, "in/pipe"), 0600), 0);
    snprintf(db, sizeof db, "%s/in/errand.db", k->dir);
    snprintf(journal, sizeof journal, "%s/in/errand.db-journal", k->dir);
    const char *secret[] = {db, journal, NULL};
    assert_int_equal(er_tools_guard(k->tools, secret, NULL, &err), 0);
}

static void expect_text(struct kit *k, const char *name, const char *text)
{
    char *is = read_file(kit_path(k, name));
    assert_string_equal(is, text);
    free(is);
}

static void expect_unharmed(struct kit *k)
{
    struct stat st;
    expect_text(k, "outside.txt", "whole");
    expect_text(k, "in/x.txt", "inside");
    expect_text(k, "in/errand.db", "the store");
    assert_int_not_equal(stat(kit_path(k, "made"), &st), 0);
    assert_int_not_equal(stat(kit_path(k, "in/made"), &st), 0);
    assert_int_not_equal(stat(kit_path(k, "in/errand.lua"), &st), 0);
    assert_int_not_equal(stat(kit_path(k, "in/errand.db-journal"), &st), 0);
}

static void test_escapes_of_our_own(void **state)
{
    static struct attempt list[CASES_MOST];
    (void)state;
    struct kit *k = open_kit(4);
    char *text = read_file("tests/cases/escapes/lua.txt");
    lay_out(k);
    int n = parse_cases(k, text, list);
    assert_true(n >= 60);
    int bad = run_all(k, list, n);
    assert_int_equal(bad, 0);
    expect_unharmed(k);
    free(text);
    close_kit(k);
}

/* ----------------------------------------------------- those of the suites */

/* What the suites call it, in our words. */
static const char *expectation_of(const char *theirs)
{
    static const char *const words[][2] = {{"returns_false", "false"},
        {"error_or_false", "refused"}, {"killed", "stopped"},
        {"killed_or_oom", "stopped"}, {"oom", "memory"},
        {"oom_or_error", "memory"}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(theirs, words[i][0]) == 0)
            return words[i][1];
    return "ended";
}

static void test_escapes_of_the_suites(void **state)
{
    static struct attempt list[CASES_MOST];
    (void)state;
    json_t *doc = suite_load("lua/lua_escape_attempts.json"), *it;
    size_t i;
    int n = 0;
    if (!doc)
        skip();
    struct kit *k = open_kit(4);
    json_array_foreach(json_object_get(doc, "attempts"), i, it)
    {
        struct attempt *a = &list[n++];
        assert_true(n <= CASES_MOST);
        snprintf(a->name, sizeof a->name, "%s", er_json_str(it, "id"));
        snprintf(a->expect, sizeof a->expect, "%s",
            expectation_of(er_json_str(it, "expect")));
        a->body = er_json_str(it, "lua");
        a->len = strlen(a->body);
    }
    assert_true(n >= 100);
    assert_int_equal(run_all(k, list, n), 0);
    close_kit(k);
    json_decref(doc);
}

/* One worker, the attempt and then the probe: nothing was left behind. */
static void test_escapes_leave_nothing_behind(void **state)
{
    (void)state;
    json_t *doc = suite_load("lua/lua_escape_attempts.json"), *it;
    size_t i;
    if (!doc)
        skip();
    json_array_foreach(json_object_get(doc, "attempts"), i, it)
    {
        const char *probe = er_json_str(it, "probe");
        if (!probe)
            continue;
        struct kit *k = open_kit(1);
        kit_tool(k, "attempt", "", er_json_str(it, "lua"));
        kit_tool(k, "probe", "", probe);
        kit_load(k);
        struct kept first = kit_call(k, "attempt", "{}", SHORT_MS);
        free(first.text);
        struct kept second = kit_call(k, "probe", "{}", 0);
        if (strcmp(second.text, er_json_str(it, "probe_expect")) != 0)
            fail_msg("%s: %s", er_json_str(it, "id"), second.text);
        free(second.text);
        close_kit(k);
    }
    json_decref(doc);
}

/* While one tool does its worst, others get their answers. */
static void test_escapes_cost_only_their_own_call(void **state)
{
    enum { OTHERS = 40, BAD = 6 };
    static const char *const worst[BAD] = {"while true do end",
        "return ('a'):rep(30):find(('a?'):rep(30) .. ('a'):rep(30) .. 'b')",
        "local s = 'x' while true do s = s .. s end",
        "table.move({}, 1, math.maxinteger - 1, 2)",
        "for i = 1, 1000 do ctx.log(('x'):rep(1000000)) end",
        "while true do pcall(string.rep, 'x', 1 << 29) end"};
    (void)state;
    struct kit *k = open_kit(2);
    struct kept bad[BAD], good[OTHERS];
    memset(bad, 0, sizeof bad);
    memset(good, 0, sizeof good);
    for (int i = 0; i < BAD; i++) {
        char name[8];
        snprintf(name, sizeof name, "bad%d", i);
        kit_tool(k, name, "", worst[i]);
    }
    kit_tool(k, "good", "", "return args.i");
    kit_load(k);
    for (int i = 0; i < OTHERS; i++) {
        char text[32];
        if (i % 7 == 0) {
            snprintf(text, sizeof text, "bad%d", i / 7);
            kit_start(k, text, "{}", SHORT_MS, &bad[i / 7]);
        }
        snprintf(text, sizeof text, "{\"i\":%d}", i);
        kit_start(k, "good", text, 0, &good[i]);
    }
    for (int i = 0; i < OTHERS; i++) {
        char text[32];
        kit_wait(k, &good[i]);
        snprintf(text, sizeof text, "%d", i);
        assert_int_equal(good[i].status, ER_TOOL_OK);
        assert_string_equal(good[i].text, text);
        free(good[i].text);
    }
    for (int i = 0; i < BAD; i++) {
        kit_wait(k, &bad[i]);
        assert_int_not_equal(bad[i].status, ER_TOOL_DIED);
        free(bad[i].text);
    }
    close_kit(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_escapes_of_our_own),
        cmocka_unit_test(test_escapes_of_the_suites),
        cmocka_unit_test(test_escapes_leave_nothing_behind),
        cmocka_unit_test(test_escapes_cost_only_their_own_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
