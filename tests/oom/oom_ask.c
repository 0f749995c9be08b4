/* What stands between a tool and the world, without memory: the policy, which
 * must not allow for want of memory what it denies, and secrets. */
#include "oom/oom.h"

#include "tool/policy.h"
#include "tool/vault.h"

#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------ rules */

static const struct er_policy_place place = {
    .cwd = "/nowhere/u/project", .home = "/nowhere/u"};

static int add_rules(er_policy *p, struct errand_error *err)
{
    static const char *const rules[] = {"write_file(path=docs/**)",
        "send(to[*]=*@example.com)", "http_fetch(url=https://*.a.org/*)",
        "*(**=*secret*)", "f(=={\"a\":[1,2]})"};
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        int rc = er_policy_add(p, (enum er_policy_kind)(i % 3),
            ER_POLICY_CONFIG, rules[i], err);
        if (rc != ERRAND_OK)
            return rc;
    }
    return ERRAND_OK;
}

static int case_policy(struct errand_error *err)
{
    er_policy *p = er_policy_new(&place, NULL, err);
    if (!p)
        return err->code;
    int rc = add_rules(p, err);
    json_t *args = json_pack("{s:s,s:[s]}", "path", "docs/../docs/a", "to",
        "x@example.com");
    char *exact = args ? er_rule_exact("write_file", args) : NULL;
    if (rc == ERRAND_OK && (!args || !exact))
        rc = er_nomem(err);
    if (rc == ERRAND_OK) {
        struct er_policy_question q = {
            .tool = "write_file", .effect = ERRAND_UNSAFE, .args = args};
        struct er_policy_answer a = er_policy_decide(p, &q);
        if (a.kind == ER_POLICY_ALLOW)
            rc = er_fail(err, ERRAND_BUG, "it was allowed for want of memory");
    }
    free(exact);
    json_decref(args);
    er_policy_free(p);
    return rc;
}

/* ---------------------------------------------------------------- secrets */

static int use_secret(const er_vault *v, struct errand_error *err)
{
    char token[ER_VAULT_TOKEN];
    struct er_holder who = {.tool = "t", .call = 7};
    struct er_origin origin = {.tls = true, .port = 443};
    struct er_buf out;
    memcpy(origin.host, "api.example.com", 16);
    int rc = er_vault_token(v, &who, "mine", token, err);
    if (rc != ERRAND_OK)
        return rc;
    er_buf_init(&out, 10000);
    rc = er_vault_fill(
        v, &who, &origin, false, token, strlen(token), &out, err);
    if (rc == ERRAND_OK &&
        er_vault_hide(v, out.data, out.len) != strlen("***"))
        rc = er_fail(err, ERRAND_BUG, "it was not hidden");
    er_buf_release(&out);
    return rc;
}

static int case_vault(struct errand_error *err)
{
    json_t *config = json_pack("{s:{s:s,s:s}}", "mine", "env", "OOM_SECRET",
        "host", "api.example.com");
    if (!config)
        return er_nomem(err);
    er_vault *v = er_vault_new(config, err);
    int rc = v ? use_secret(v, err) : err->code;
    er_vault_free(v);
    json_decref(config);
    return rc;
}

int main(void)
{
    static const int vault_codes[] = {ERRAND_NOMEM, ERRAND_NOT_FOUND, 0};
    static const struct oom_case cases[] = {
        {"policy", case_policy, NULL},
        {"vault", case_vault, vault_codes},
    };
    setenv("OOM_SECRET", "a value that nobody may see", 1);
    return oom_main(cases, sizeof cases / sizeof cases[0]);
}
