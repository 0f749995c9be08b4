/* What tools keep, in any database behind store.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/store_suite.c"

static struct er_op *op_of(
    enum er_op_kind kind, const char *tool, const char *key)
{
    struct er_op *op = er_op_new(kind);
    assert_non_null(op);
    op->in.kv.tool = tool;
    op->in.kv.key = key;
    return op;
}

static int set(
    struct world *w, const char *tool, const char *key, const char *value)
{
    struct er_op *op = op_of(ER_OP_KV_SET, tool, key);
    op->in.kv.value = value;
    assert_int_equal(op->level, ER_DURABLE);
    return kit_call(w->s, op, NULL);
}

static void holds(struct world *w, const char *tool, const char *key,
    const char *value)
{
    struct er_op *op = op_of(ER_OP_KV_GET, tool, key);
    assert_int_equal(er_store_call(w->s, op), ERRAND_OK);
    if (value)
        assert_string_equal(op->out.text, value);
    else
        assert_null(op->out.text);
    er_op_free(op);
}

static bool drop(struct world *w, const char *tool, const char *key)
{
    struct er_op *op = op_of(ER_OP_KV_SET, tool, key);
    assert_int_equal(er_store_call(w->s, op), ERRAND_OK);
    bool existed = op->out.existed;
    er_op_free(op);
    return existed;
}

static void lists(struct world *w, const char *tool, const char *prefix,
    const char *after, const char *keys)
{
    struct er_op *op = op_of(ER_OP_KV_LIST, tool, prefix);
    op->in.kv.after = after;
    assert_int_equal(er_store_call(w->s, op), ERRAND_OK);
    assert_string_equal(op->out.text, keys);
    er_op_free(op);
}

static void test_kv_a_value_is_there_until_it_is_changed(void **state)
{
    struct world *w = *state;
    holds(w, "t", "k", NULL);
    assert_int_equal(set(w, "t", "k", "1"), ERRAND_OK);
    holds(w, "t", "k", "1");
    assert_int_equal(set(w, "t", "k", "{\"a\":[]}"), ERRAND_OK);
    holds(w, "t", "k", "{\"a\":[]}");
    assert_true(drop(w, "t", "k"));
    assert_false(drop(w, "t", "k"));
    holds(w, "t", "k", NULL);
}

static void test_kv_each_tool_has_its_own(void **state)
{
    struct world *w = *state;
    assert_int_equal(set(w, "a", "k", "1"), ERRAND_OK);
    assert_int_equal(set(w, "b", "k", "2"), ERRAND_OK);
    assert_int_equal(set(w, "ab", "k2", "3"), ERRAND_OK);
    holds(w, "a", "k", "1");
    holds(w, "b", "k", "2");
    assert_true(drop(w, "a", "k"));
    holds(w, "b", "k", "2");
    lists(w, "a", "", NULL, "[]");
    lists(w, "b", "", NULL, "[\"k\"]");
}

static void test_kv_keys_are_listed_in_order(void **state)
{
    static const char *const keys[] = {"b", "a/2", "a/1", "a", "B",
        "a/\xC3\xA9", "a/\"q\"", "%", "a_", "a/10"};
    struct world *w = *state;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        assert_int_equal(set(w, "t", keys[i], "0"), ERRAND_OK);
    lists(w, "t", "", NULL, "[\"%\",\"B\",\"a\",\"a/\\\"q\\\"\",\"a/1\","
                            "\"a/10\",\"a/2\",\"a/\xC3\xA9\",\"a_\",\"b\"]");
    lists(w, "t", "a/", NULL, "[\"a/\\\"q\\\"\",\"a/1\",\"a/10\",\"a/2\","
                              "\"a/\xC3\xA9\"]");
    lists(w, "t", "a/", "a/10", "[\"a/2\",\"a/\xC3\xA9\"]");
    lists(w, "t", "a/", "b", "[]");
    lists(w, "t", "%", NULL, "[\"%\"]");
    lists(w, "t", "zz", NULL, "[]");
}

static void refuses(struct world *w, const char *key, const char *value,
    int code, const char *says)
{
    struct errand_error err = {0};
    struct er_op *op = op_of(ER_OP_KV_SET, "t", key);
    op->in.kv.value = value;
    assert_int_equal(kit_call(w->s, op, &err), code);
    if (!strstr(err.msg, says))
        fail_msg("%s; expected %s", err.msg, says);
}

static void test_kv_has_limits(void **state)
{
    struct world *w = *state;
    char *text = malloc(ER_KV_VALUE + 2);
    memset(text, '1', ER_KV_VALUE + 1);
    text[ER_KV_VALUE] = '\0';
    assert_int_equal(set(w, "t", "most", text), ERRAND_OK);
    holds(w, "t", "most", text);
    text[ER_KV_VALUE] = '1';
    text[ER_KV_VALUE + 1] = '\0';
    refuses(w, "k", text, ERRAND_TOO_LARGE,
        "the value of 'k' has 65537 bytes as JSON; 65536 are the most");
    text[ER_KV_KEY] = '\0';
    assert_int_equal(set(w, "t", text, "1"), ERRAND_OK);
    text[ER_KV_KEY] = '1';
    text[ER_KV_KEY + 1] = '\0';
    refuses(w, text, "1", ERRAND_TOO_LARGE,
        "the key has 257 bytes; 256 are the most");
    refuses(w, "", "1", ERRAND_USAGE, "the key is empty");
    free(text);
}

static void submit_next(struct world *w, int i)
{
    struct er_op *op = er_op_new(ER_OP_KV_SET);
    char key[32];
    snprintf(key, sizeof key, "key-%05d", i);
    op->in.kv.tool = "t";
    op->in.kv.key = er_arena_str(&op->arena, key);
    op->in.kv.value = "0";
    op->level = ER_COMMITTED;
    assert_int_equal(er_store_call(w->s, op), ERRAND_OK);
    er_op_free(op);
}

static void test_kv_has_an_end(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < ER_KV_KEYS; i++)
        submit_next(w, i);
    refuses(w, "one more", "1", ERRAND_TOO_LARGE,
        "t keeps 10000 keys already, which are the most; delete some");
    assert_int_equal(set(w, "t", "key-00007", "\"changed\""), ERRAND_OK);
    assert_int_equal(set(w, "u", "one more", "1"), ERRAND_OK);
    assert_true(drop(w, "t", "key-00008"));
    assert_int_equal(set(w, "t", "one more", "1"), ERRAND_OK);
    struct er_op *op = op_of(ER_OP_KV_LIST, "t", "key-");
    assert_int_equal(er_store_call(w->s, op), ERRAND_OK);
    json_t *keys = er_json_parse(
        op->out.text, op->out.text_len, ER_JSON_STRICT, NULL);
    assert_int_equal(json_array_size(keys), ER_KV_LIST);
    json_decref(keys);
    er_op_free(op);
}

static void test_kv_is_there_after_the_store_was_closed(void **state)
{
    struct world *w = *state;
    struct errand_error err = {0};
    struct er_backend b;
    struct er_store_options opt = {.path = w->path};
    assert_int_equal(set(w, "t", "k", "\"kept\""), ERRAND_OK);
    er_store_close(w->s);
    assert_int_equal(w->kind->open(w, &b, &err), ERRAND_OK);
    w->s = er_store_over(w->loop, b, &opt, &err);
    assert_non_null(w->s);
    holds(w, "t", "k", "\"kept\"");
}

#define ON_BACKENDS(f)                                                    \
    cmocka_unit_test_prestate_setup_teardown(f, suite_set_up,             \
        suite_tear_down, (void *)&suite_backends[0])

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BACKENDS(test_kv_a_value_is_there_until_it_is_changed),
        ON_BACKENDS(test_kv_each_tool_has_its_own),
        ON_BACKENDS(test_kv_keys_are_listed_in_order),
        ON_BACKENDS(test_kv_has_limits),
        ON_BACKENDS(test_kv_has_an_end),
        ON_BACKENDS(test_kv_is_there_after_the_store_was_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
