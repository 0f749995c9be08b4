/* Policy: the tables of tests/cases/policy, and what does not fit a table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/text.h"
#include "tool/policy.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct er_policy_place here = {
    .cwd = "/people/u/project", .home = "/people/u"};

/* The rows of a table; blank lines are skipped. Caller drops. */
static json_t *read_rows(const char *name)
{
    char path[PATH_MAX], *line = NULL;
    const char *root = getenv("ERRAND_ROOT");
    size_t cap = 0;
    json_t *rows = json_array();
    snprintf(path, sizeof path, "%s/tests/cases/policy/%s",
        root ? root : ".", name);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    while (getline(&line, &cap, f) > 0) {
        json_t *row = line[0] == '{' ? json_loads(line, 0, NULL) : NULL;
        if (line[0] == '{' && !row)
            fail_msg("%s: no JSON: %s", name, line);
        if (row)
            json_array_append_new(rows, row);
    }
    free(line);
    fclose(f);
    return rows;
}

/* "/tmp-links" becomes a folder that is there:
 *   in/a, secret/a, in/out -> secret, alias -> secret */
static char links[64];

static int make_links(void **state)
{
    char path[128], to[128];
    (void)state;
    snprintf(links, sizeof links, "/tmp/errand-policy-XXXXXX");
    if (!mkdtemp(links))
        return -1;
    static const char *const dirs[] = {"in", "secret"};
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", links, dirs[i]);
        if (mkdir(path, 0700) != 0)
            return -1;
    }
    snprintf(to, sizeof to, "%s/secret", links);
    snprintf(path, sizeof path, "%s/in/out", links);
    if (symlink(to, path) != 0)
        return -1;
    snprintf(path, sizeof path, "%s/alias", links);
    return symlink(to, path);
}

static int drop_links(void **state)
{
    static const char *const names[] = {"in/out", "alias"};
    static const char *const dirs[] = {"in", "secret"};
    char path[128];
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", links, names[i]);
        unlink(path);
    }
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", links, dirs[i]);
        rmdir(path);
    }
    return rmdir(links);
}

/* text with "/tmp-links" replaced; caller frees. */
static char *place_links(const char *text)
{
    struct er_buf b;
    const char *at;
    er_buf_init(&b, 1 << 20);
    while ((at = strstr(text, "/tmp-links"))) {
        er_buf_add(&b, text, (size_t)(at - text));
        er_buf_adds(&b, links);
        text = at + strlen("/tmp-links");
    }
    er_buf_adds(&b, text);
    return er_buf_take(&b, NULL);
}

static json_t *args_of(const json_t *row)
{
    const char *text = er_json_str(row, "json");
    char *dumped = text ? NULL
        : json_dumps(json_object_get(row, "args"), JSON_COMPACT);
    char *placed = place_links(text ? text : dumped);
    json_t *v = er_json_parse(placed, strlen(placed), ER_JSON_STRICT, NULL);
    free(dumped);
    free(placed);
    assert_non_null(v);
    return v;
}

static int check_row(const json_t *row)
{
    struct errand_error err = {0};
    const char *title = er_json_str(row, "title");
    char *text = place_links(er_json_str(row, "rule"));
    er_rule *rule = er_rule_parse(text, &here, &err);
    int wrong = 0;
    if (json_is_true(json_object_get(row, "bad"))) {
        wrong = rule != NULL || err.code != ERRAND_SYNTAX || !err.msg[0];
    } else if (!rule) {
        print_error("%s: %s\n", title, err.msg);
        wrong = 1;
    } else {
        json_t *args = args_of(row);
        const char *tool = er_json_str(row, "tool");
        bool deny = er_rule_matches(rule, ER_POLICY_DENY, tool, args);
        bool ask = er_rule_matches(rule, ER_POLICY_ASK, tool, args);
        bool allow = er_rule_matches(rule, ER_POLICY_ALLOW, tool, args);
        wrong = ask != deny ||
                deny != json_is_true(json_object_get(row, "deny")) ||
                allow != json_is_true(json_object_get(row, "allow"));
        if (wrong)
            print_error("deny %d, ask %d, allow %d: ", deny, ask, allow);
        json_decref(args);
    }
    if (wrong)
        print_error("wrong: %s: %s\n", title, text);
    er_rule_free(rule);
    free(text);
    return wrong;
}

static void test_policy_rules_match_as_the_table_says(void **state)
{
    (void)state;
    json_t *rows = read_rows("rules.jsonl"), *row;
    size_t i;
    int wrong = 0;
    json_array_foreach(rows, i, row)
        wrong += check_row(row);
    assert_int_equal(wrong, 0);
    assert_true(json_array_size(rows) >= 120);
    json_decref(rows);
}

/* ------------------------------------------------------------- decisions */

static void add(er_policy *p, const json_t *row, const char *key,
    enum er_policy_kind kind, enum er_policy_level level)
{
    struct errand_error err = {0};
    if (er_policy_add_all(p, kind, level, json_object_get(row, key), key,
            &err) != ERRAND_OK)
        fail_msg("%s", err.msg);
}

static int effect_of(const json_t *row)
{
    static const char *const names[] = {
        "unsafe", "pure", "read", "idempotent", "keyed"};
    const char *name = er_json_str(row, "effect");
    for (int i = 0; name && i < 5; i++)
        if (strcmp(name, names[i]) == 0)
            return i;
    return ERRAND_UNSAFE;
}

static int kind_of(const char *name)
{
    for (int i = 0; i < 3; i++)
        if (strcmp(name, er_policy_kind_name((enum er_policy_kind)i)) == 0)
            return i;
    fail_msg("no kind: %s", name);
    return -1;
}

static int check_decision(const json_t *row)
{
    er_policy *base = er_policy_new(&here, NULL, NULL);
    er_policy *p = er_policy_new(&here, base, NULL);
    json_t *args = json_pack("{s:s}", "to", "bob");
    add(base, row, "deny", ER_POLICY_DENY, ER_POLICY_CONFIG);
    add(base, row, "ask", ER_POLICY_ASK, ER_POLICY_CONFIG);
    add(base, row, "allow", ER_POLICY_ALLOW, ER_POLICY_CONFIG);
    add(base, row, "always", ER_POLICY_ALLOW, ER_POLICY_ALWAYS);
    add(p, row, "flag_deny", ER_POLICY_DENY, ER_POLICY_FLAG);
    add(p, row, "flag_ask", ER_POLICY_ASK, ER_POLICY_FLAG);
    add(p, row, "flag_allow", ER_POLICY_ALLOW, ER_POLICY_FLAG);
    add(p, row, "answer", ER_POLICY_ALLOW, ER_POLICY_ANSWER);
    if (er_json_str(row, "default"))
        er_policy_set_default(base,
            (enum er_policy_kind)kind_of(er_json_str(row, "default")));
    struct er_policy_question q = {.tool = "send", .effect = effect_of(row),
        .egress = json_is_true(json_object_get(row, "egress")),
        .tainted = json_is_true(json_object_get(row, "tainted")),
        .args = args};
    struct er_policy_answer a = er_policy_decide(p, &q);
    char why[300];
    er_policy_say(&a, why, sizeof why);
    bool taint = json_is_true(json_object_get(row, "taint"));
    int wrong = (int)a.kind != kind_of(er_json_str(row, "want")) ||
                a.taint != taint || !why[0];
    if (wrong)
        print_error("wrong: %s: %s, %s\n", er_json_str(row, "title"),
            er_policy_kind_name(a.kind), why);
    json_decref(args);
    er_policy_free(p);
    er_policy_free(base);
    return wrong;
}

static void test_policy_decides_as_the_table_says(void **state)
{
    (void)state;
    json_t *rows = read_rows("decisions.jsonl"), *row;
    size_t i;
    int wrong = 0;
    json_array_foreach(rows, i, row)
        wrong += check_decision(row);
    assert_int_equal(wrong, 0);
    assert_true(json_array_size(rows) >= 30);
    json_decref(rows);
}

/* ------------------------------------------------------------- the rest */

static void test_policy_an_exact_rule_matches_its_call_alone(void **state)
{
    (void)state;
    json_t *args = json_pack("{s:s, s:[i,f,n,b], s:{s:s}}", "text",
        "a\n\"*?\\),(\xC3\xA9", "list", 1, 2.5, 1, "o", "k", "v");
    char *text = er_rule_exact("write-file", args);
    er_rule *rule = er_rule_parse(text, &here, NULL);
    assert_non_null(rule);
    assert_true(er_rule_matches(rule, ER_POLICY_ALLOW, "write-file", args));
    json_object_set_new(args, "more", json_true());
    assert_false(er_rule_matches(rule, ER_POLICY_ALLOW, "write-file", args));
    assert_false(er_rule_is_bare(rule));
    er_rule_free(rule);
    free(text);
    json_decref(args);
}

static void test_policy_a_bare_deny_hides_the_tool(void **state)
{
    (void)state;
    er_policy *p = er_policy_new(&here, NULL, NULL);
    assert_int_equal(er_policy_add(p, ER_POLICY_DENY, ER_POLICY_CONFIG,
        "write_*", NULL), ERRAND_OK);
    assert_int_equal(er_policy_add(p, ER_POLICY_DENY, ER_POLICY_CONFIG,
        "run(argv[0]=rm)", NULL), ERRAND_OK);
    assert_non_null(er_policy_hides(p, "write_file"));
    assert_null(er_policy_hides(p, "run"));
    assert_true(er_policy_drop(p, ER_POLICY_CONFIG, "write_*"));
    assert_false(er_policy_drop(p, ER_POLICY_CONFIG, "write_*"));
    assert_null(er_policy_hides(p, "write_file"));
    assert_non_null(er_policy_at(p, 0));
    assert_null(er_policy_at(p, 1));
    er_policy_free(p);
}

static void test_policy_the_last_default_is_the_strictest(void **state)
{
    (void)state;
    er_policy *p = er_policy_new(&here, NULL, NULL);
    struct er_policy_question q = {.tool = "send", .args = NULL};
    er_policy_set_default(p, ER_POLICY_ASK);
    er_policy_set_default(p, ER_POLICY_ALLOW);
    assert_int_equal(er_policy_decide(p, &q).kind, ER_POLICY_ASK);
    er_policy_set_default(p, ER_POLICY_DENY);
    er_policy_set_default(p, ER_POLICY_ASK);
    assert_int_equal(er_policy_decide(p, &q).kind, ER_POLICY_DENY);
    er_policy_free(p);
}

static void test_policy_errors_name_the_place(void **state)
{
    (void)state;
    struct errand_error err = {0};
    assert_null(er_rule_parse("send(to=bob", &here, &err));
    assert_int_equal(err.code, ERRAND_SYNTAX);
    assert_int_equal(err.at, 11);
    assert_non_null(strstr(err.msg, "character 12 of \"send(to=bob\""));
}

/* As slow as it gets: the longest pattern with wildcards, a long value. */
static void test_policy_no_pattern_is_slow(void **state)
{
    (void)state;
    char rule[1200] = "f(a=", *value = malloc(65537);
    for (size_t i = 0; i < 250; i++)
        memcpy(rule + strlen(rule), "*a", 3);
    memcpy(rule + strlen(rule), "b)", 3);
    memset(value, 'a', 65536);
    value[65536] = '\0';
    json_t *args = json_pack("{s:s}", "a", value);
    er_rule *r = er_rule_parse(rule, &here, NULL);
    assert_non_null(r);
    assert_false(er_rule_matches(r, ER_POLICY_ALLOW, "f", args));
    er_rule_free(r);
    json_decref(args);
    free(value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_policy_rules_match_as_the_table_says),
        cmocka_unit_test(test_policy_decides_as_the_table_says),
        cmocka_unit_test(test_policy_an_exact_rule_matches_its_call_alone),
        cmocka_unit_test(test_policy_a_bare_deny_hides_the_tool),
        cmocka_unit_test(test_policy_the_last_default_is_the_strictest),
        cmocka_unit_test(test_policy_errors_name_the_place),
        cmocka_unit_test(test_policy_no_pattern_is_slow),
    };
    return cmocka_run_group_tests(tests, make_links, drop_links);
}
