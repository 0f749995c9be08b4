/* Grammars from schemas against what others wrote down: texts that must be
 * taken whole, and texts that must not. Needs the shared suites. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine/grammar.h"
#include "support/lines.h"
#include "support/suites.h"
#include "tool/schema.h"

static bool whole(const er_grammar *g, const char *text)
{
    er_gstate *s = er_gstate_new(g);
    assert_non_null(s);
    bool ok = true;
    for (; *text && ok; text++)
        ok = er_gstate_advance(s, (uint8_t)*text);
    ok = ok && er_gstate_complete(s);
    er_gstate_free(s);
    return ok;
}

static bool whole_value(const er_grammar *g, const json_t *v)
{
    char *text = er_json_text(v);
    bool ok = whole(g, text);
    free(text);
    return ok;
}

static er_grammar *compile(const json_t *schema, const char *what)
{
    struct errand_error err = {0};
    er_grammar *g = er_grammar_schema(schema, NULL, &err);
    if (!g)
        printf("# %s: %s\n", what, err.msg);
    return g;
}

static bool is_listed(const json_t *list, const json_t *v)
{
    size_t i;
    json_t *x;
    json_array_foreach(list, i, x)
        if (json_equal(x, v))
            return true;
    return false;
}

/* --- llama.cpp's */

static size_t check_texts(const er_grammar *g, const json_t *c,
    const char *key, bool want)
{
    size_t i, bad = 0;
    json_t *t;
    json_array_foreach(json_object_get(c, key), i, t) {
        if (is_listed(json_object_get(c, "engine_specific"), t))
            continue;
        if (whole(g, json_string_value(t)) != want) {
            printf("# %s: %s is %s\n", er_json_str(c, "desc"),
                json_string_value(t), want ? "refused" : "taken");
            bad++;
        }
    }
    return bad;
}

static void test_grammar_takes_the_texts_of_llamacpp(void **state)
{
    size_t i, bad = 0;
    json_t *c;
    (void)state;
    json_t *all = suite_load("grammar/llamacpp_schema_cases.json");
    if (!all)
        skip();
    json_array_foreach(all, i, c) {
        er_grammar *g =
            compile(json_object_get(c, "schema"), er_json_str(c, "desc"));
        assert_non_null(g);
        bad += check_texts(g, c, "accept", true);
        bad += check_texts(g, c, "reject", false);
        er_grammar_free(g);
    }
    json_decref(all);
    assert_int_equal(bad, 0);
}

/* --- llguidance's */

static void test_grammar_takes_the_values_of_llguidance(void **state)
{
    size_t i, bad = 0, engines = 0;
    json_t *c;
    (void)state;
    json_t *all = suite_load("grammar/llguidance_cases.json");
    if (!all)
        skip();
    json_array_foreach(all, i, c) {
        const char *name = er_json_str(c, "src");
        if (json_is_false(
                json_object_get(c, "jsonschema_semantics_agree"))) {
            engines++;
            continue;
        }
        er_grammar *g = compile(json_object_get(c, "schema"), name);
        bool want = json_is_true(json_object_get(c, "expect"));
        bool got = g && whole_value(g, json_object_get(c, "instance"));
        if (got != want) {
            char *v = er_json_text(json_object_get(c, "instance"));
            printf("# %s: %s is %s\n", name, v, want ? "refused" : "taken");
            free(v);
            bad++;
        }
        er_grammar_free(g);
    }
    printf("# llguidance: %zu cases, %zu of engines left out\n", i, engines);
    json_decref(all);
    assert_int_equal(bad, 0);
}

/* --- MaskBench */

struct bench {
    size_t right, refused, loose, wrong, failed;
};

/* A schema is right when every test of it comes out as marked by the grammar
 * alone. One with keywords that are not enforced may take too much: then the
 * validator must refuse it. */
static void bench_one(const json_t *c, struct bench *b)
{
    const json_t *schema = json_object_get(c, "schema");
    const char *id = er_json_str(c, "id");
    struct errand_error err = {0};
    er_grammar *g = compile(schema, id);
    bool refused = false, taken = false, wrong = false;
    size_t i;
    json_t *t;
    if (!g) {
        b->failed++;
        return;
    }
    bool enforced = er_grammar_unenforced(g)[0] == NULL;
    er_schema *s = enforced ? NULL
        : er_schema_compile(schema, ER_DRAFT_2020_12, ER_SCHEMA_FORMATS,
              NULL, &err);
    json_array_foreach(json_object_get(c, "tests"), i, t) {
        json_t *v = json_object_get(t, "data");
        bool valid = json_is_true(json_object_get(t, "valid"));
        bool got = whole_value(g, v);
        refused = refused || (valid && !got);
        taken = taken || (!valid && got);
        if (!valid && got && (enforced || er_schema_check(s, v, NULL, 0))) {
            wrong = true;
            printf("# %s takes what is invalid\n", id);
        }
        if (valid && !got)
            printf("# %s refuses what is valid\n", id);
    }
    b->right += !refused && !taken;
    b->refused += refused;
    b->loose += taken;
    b->wrong += wrong;
    er_schema_free(s);
    er_grammar_free(g);
}

static void test_grammar_does_maskbench(void **state)
{
    struct bench b = {0};
    size_t i;
    json_t *c;
    (void)state;
    json_t *all = suite_lines("grammar/maskbench.jsonl");
    if (!all)
        skip();
    json_array_foreach(all, i, c)
        bench_one(c, &b);
    printf("# MaskBench: %zu of %zu right; %zu refuse what is valid, %zu "
           "leave something to the validator, %zu cannot be made; %zu take "
           "what is invalid\n", b.right, i, b.refused, b.loose, b.failed,
        b.wrong);
    json_decref(all);
    assert_int_equal(b.wrong, 0);
    assert_true(b.right * 100 >= i * 85);
}

/* --- BFCL: tools and their calls */

static const json_t *tool_named(const json_t *tools, const char *name)
{
    size_t i;
    json_t *t;
    json_array_foreach(tools, i, t) {
        const json_t *f = json_object_get(t, "function");
        if (strcmp(er_json_str(f, "name"), name) == 0)
            return f;
    }
    return NULL;
}

/* The value with its keys in the schema's order: calls are written so, and
 * some of the suite's are not. New. */
static json_t *in_order(const json_t *schema, json_t *v)
{
    const char *key;
    json_t *x, *out, *list = json_object_get(schema, "properties");
    size_t i;
    if (json_is_array(v)) {
        out = json_array();
        json_array_foreach(v, i, x)
            json_array_append_new(
                out, in_order(json_object_get(schema, "items"), x));
        return out;
    }
    if (!json_is_object(v))
        return json_incref(v);
    out = json_object();
    json_object_foreach(list, key, x)
        if (json_object_get(v, key))
            json_object_set_new(
                out, key, in_order(x, json_object_get(v, key)));
    json_object_foreach(v, key, x)
        if (!json_object_get(out, key))
            json_object_set(out, key, x);
    return out;
}

static bool takes_call(const json_t *tools, const json_t *call)
{
    const json_t *f = tool_named(tools, er_json_str(call, "name"));
    if (!f)
        return false;
    er_grammar *g = compile(
        json_object_get(f, "parameters"), er_json_str(call, "name"));
    json_t *v = in_order(json_object_get(f, "parameters"),
        json_object_get(call, "arguments"));
    bool ok = g && whole_value(g, v);
    json_decref(v);
    er_grammar_free(g);
    return ok;
}

static void test_grammar_takes_the_calls_of_bfcl(void **state)
{
    size_t i, k, j, bad = 0, yes = 0, no = 0;
    json_t *c, *calls, *call;
    (void)state;
    json_t *all = suite_lines("bfcl/grammar.jsonl");
    if (!all)
        skip();
    json_array_foreach(all, i, c) {
        const json_t *tools = json_object_get(c, "tools");
        json_array_foreach(json_object_get(c, "accept_calls"), k, calls)
            json_array_foreach(calls, j, call) {
                yes++;
                if (takes_call(tools, call))
                    continue;
                printf("# %s: a call is refused\n", er_json_str(c, "id"));
                bad++;
            }
        json_array_foreach(json_object_get(c, "reject"), k, call) {
            no++;
            if (!takes_call(tools, json_object_get(call, "call")))
                continue;
            printf("# %s: %s is taken\n", er_json_str(c, "id"),
                er_json_str(call, "kind"));
            bad++;
        }
    }
    printf("# BFCL: %zu calls to take, %zu to refuse\n", yes, no);
    json_decref(all);
    assert_int_equal(bad, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grammar_takes_the_texts_of_llamacpp),
        cmocka_unit_test(test_grammar_takes_the_values_of_llguidance),
        cmocka_unit_test(test_grammar_does_maskbench),
        cmocka_unit_test(test_grammar_takes_the_calls_of_bfcl),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
