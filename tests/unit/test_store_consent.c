/* What people said yes and no to, in any database behind store.h: approvals
 * of calls, grants of tools' files, rules for always. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/store_suite.c"

/* A run with one call, born waiting. */
static void ask_for(struct world *w, struct kit_run *r, const char *about)
{
    assert_int_equal(kit_accept(w->s, "send it", r), ERRAND_OK);
    struct er_op *op = kit_step_op(r, "c", 1, ERRAND_UNSAFE);
    struct er_new_call *c = (struct er_new_call *)op->in.step.calls;
    c->state = ER_CALL_WAITING;
    c->asked = (struct er_approval_note){about, "it sends data out"};
    assert_int_equal(kit_call(w->s, op, NULL), ERRAND_OK);
}

/* The call as an executor finds it that claims the run. */
static void check_call(struct world *w, const char *run, int state,
    const char *about, const char *decision)
{
    char owner[128];
    er_owner_self(owner);
    struct er_op *op = kit_claim(w->s, run, owner, 60000, true);
    assert_int_equal(op->code, ERRAND_OK);
    const struct er_call_row *c = &op->out.loaded.calls[0];
    int now = 0;
    assert_int_equal(c->state, state);
    assert_string_equal(c->about, about);
    if (decision)
        assert_string_equal(c->decision, decision);
    else
        assert_null(c->decision);
    assert_int_equal(er_store_state_of(w->s, "c0", &now, NULL), ERRAND_OK);
    assert_int_equal(now, state);
    er_op_free(op);
}

static void test_consent_an_approval_is_kept_with_its_call(void **state)
{
    struct world *w = *state;
    struct kit_run r;
    ask_for(w, &r, "digest-1");
    assert_int_equal(kit_stop(w->s, &r, ER_RUN_PAUSED), ERRAND_OK);
    check_call(w, r.claim.run_id, ER_CALL_WAITING, "digest-1", NULL);
    struct er_op *op = er_op_new(ER_OP_RESOLVE);
    op->in.resolve.call_id = "c0";
    op->in.resolve.state = ER_CALL_PLANNED;
    op->in.resolve.decision = "once";
    assert_int_equal(kit_call(w->s, op, NULL), ERRAND_OK);
    check_call(w, r.claim.run_id, ER_CALL_PLANNED, "digest-1", "once");
}

static void test_consent_asking_again_forgets_the_answer(void **state)
{
    struct world *w = *state;
    struct kit_run r;
    ask_for(w, &r, "digest-1");
    struct er_op *op = kit_finish_op(&r, "c0", ER_CALL_PLANNED, NULL);
    op->in.outcome.decision = "run";
    assert_int_equal(kit_call(w->s, op, NULL), ERRAND_OK);
    op = kit_finish_op(&r, "c0", ER_CALL_WAITING, NULL);
    op->in.outcome.asked = (struct er_approval_note){"digest-2", "changed"};
    assert_int_equal(kit_call(w->s, op, NULL), ERRAND_OK);
    check_call(w, r.claim.run_id, ER_CALL_WAITING, "digest-2", NULL);
}

static void test_consent_a_refusal_is_kept_and_shown(void **state)
{
    struct world *w = *state;
    struct kit_run r;
    ask_for(w, &r, "digest-1");
    struct er_op *op = kit_finish_op(&r, "c0", ER_CALL_DENIED, "no, thanks");
    op->in.outcome.decision = "no";
    assert_int_equal(kit_call(w->s, op, NULL), ERRAND_OK);
    json_t *shown = er_store_show(w->s, r.conv, NULL);
    const json_t *c = json_array_get(json_object_get(json_array_get(
        json_object_get(shown, "runs"), 0), "calls"), 0);
    assert_string_equal(er_json_str(c, "asked"), "it sends data out");
    assert_string_equal(er_json_str(c, "decision"), "no");
    assert_true(er_json_int(c, "decided_ms", 0) > 0);
    json_decref(shown);
}

static void test_consent_goes_with_its_conversation(void **state)
{
    struct world *w = *state;
    struct kit_run r;
    ask_for(w, &r, "digest-1");
    kit_stop(w->s, &r, ER_RUN_PAUSED);
    struct er_op *op = er_op_new(ER_OP_REMOVE);
    op->in.remove.conv_id = r.conv;
    assert_int_equal(kit_call(w->s, op, NULL), ERRAND_OK);
    ask_for(w, &r, "digest-2"); /* its number may be the same */
    check_call(w, r.claim.run_id, ER_CALL_WAITING, "digest-2", NULL);
}

static int grant(struct world *w, const char *path, const char *version,
    const char *permissions)
{
    struct er_op *op = er_op_new(ER_OP_GRANT);
    op->in.grant.path = path;
    op->in.grant.version = version;
    op->in.grant.permissions = permissions;
    return kit_call(w->s, op, NULL);
}

static void test_consent_the_last_grant_of_a_file_counts(void **state)
{
    struct world *w = *state;
    assert_int_equal(grant(w, "/t/b.lua", "v1", "{}"), ERRAND_OK);
    assert_int_equal(grant(w, "/t/a.lua", "v1", "{\"kv\":true}"), 0);
    assert_int_equal(grant(w, "/t/b.lua", "v2", "{\"run\":[]}"), 0);
    json_t *list = er_store_grants(w->s, NULL);
    assert_int_equal(json_array_size(list), 2);
    const json_t *b = json_array_get(list, 1);
    assert_string_equal(er_json_str(b, "path"), "/t/b.lua");
    assert_string_equal(er_json_str(b, "version"), "v2");
    assert_string_equal(er_json_str(b, "permissions"), "{\"run\":[]}");
    assert_true(er_json_int(b, "granted_ms", 0) > 0);
    json_decref(list);
    assert_int_equal(grant(w, "/t/b.lua", NULL, NULL), ERRAND_OK);
    assert_int_equal(grant(w, "/t/b.lua", NULL, NULL), ERRAND_OK);
    list = er_store_grants(w->s, NULL);
    assert_int_equal(json_array_size(list), 1);
    json_decref(list);
}

static int rule(struct world *w, const char *text, bool remove)
{
    struct er_op *op = er_op_new(ER_OP_RULE);
    op->in.rule.rule = text;
    op->in.rule.remove = remove;
    return kit_call(w->s, op, NULL);
}

static void test_consent_rules_stay_in_order_and_once(void **state)
{
    struct world *w = *state;
    assert_int_equal(rule(w, "b(*)", false), ERRAND_OK);
    assert_int_equal(rule(w, "a(*)", false), ERRAND_OK);
    assert_int_equal(rule(w, "b(*)", false), ERRAND_OK);
    json_t *list = er_store_rules(w->s, NULL);
    assert_int_equal(json_array_size(list), 2);
    assert_string_equal(
        er_json_str(json_array_get(list, 0), "rule"), "b(*)");
    json_decref(list);
    assert_int_equal(rule(w, "b(*)", true), ERRAND_OK);
    list = er_store_rules(w->s, NULL);
    assert_int_equal(json_array_size(list), 1);
    json_decref(list);
}

#define ON_BACKENDS(f)                                                    \
    cmocka_unit_test_prestate_setup_teardown(f, suite_set_up,             \
        suite_tear_down, (void *)&suite_backends[0])

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BACKENDS(test_consent_an_approval_is_kept_with_its_call),
        ON_BACKENDS(test_consent_asking_again_forgets_the_answer),
        ON_BACKENDS(test_consent_a_refusal_is_kept_and_shown),
        ON_BACKENDS(test_consent_goes_with_its_conversation),
        ON_BACKENDS(test_consent_the_last_grant_of_a_file_counts),
        ON_BACKENDS(test_consent_rules_stay_in_order_and_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
