/* The reader of rules, and matching: input is a rule, a line end, and the
 * arguments as JSON. What is read must read back the same, what a narrow
 * reading allows a wide one must see, and a rule made from a call matches
 * that call. */
#include "base/text.h"
#include "tool/policy.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        abort();
}

static const struct er_policy_place here = {
    .cwd = "/nowhere/u/project", .home = "/nowhere/u"};

/* Is there an == or != in it? They turn a reading round. */
static bool is_plain(const char *text)
{
    return !strstr(text, "!=");
}

static void match(const char *text, const er_rule *rule, const json_t *args)
{
    bool deny = er_rule_matches(rule, ER_POLICY_DENY, "write_file", args);
    bool ask = er_rule_matches(rule, ER_POLICY_ASK, "write_file", args);
    bool allow = er_rule_matches(rule, ER_POLICY_ALLOW, "write_file", args);
    check(deny == ask);
    if (is_plain(text))
        check(!allow || deny);
}

static void match_exactly(const json_t *args)
{
    char *text = er_rule_exact("write_file", args);
    er_rule *rule = text ? er_rule_parse(text, &here, NULL) : NULL;
    if (rule)
        check(er_rule_matches(rule, ER_POLICY_ALLOW, "write_file", args));
    check(rule || !text || strlen(text) > ER_RULE_MAX / 2);
    er_rule_free(rule);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data;
    const char *end = size ? memchr(bytes, '\n', size) : NULL;
    size_t n = end ? (size_t)(end - bytes) : size;
    struct errand_error err = {0};
    char *text = er_strndup(bytes, n);
    er_rule *rule = er_rule_parse(text, &here, &err);
    check(rule || (err.code == ERRAND_SYNTAX && err.msg[0]) ||
          err.code == ERRAND_TOO_LARGE);
    json_t *args = end ? er_json_parse(end + 1, size - n - 1, ER_JSON_STRICT,
                             NULL) : NULL;
    if (!json_is_object(args)) {
        json_decref(args);
        args = json_object();
    }
    if (rule) {
        check(strcmp(er_rule_text(rule), text) == 0);
        match(text, rule, args);
    }
    match_exactly(args);
    er_rule_free(rule);
    json_decref(args);
    free(text);
    return 0;
}
