/* Whatever a model wants to write, its calls are valid: random weights at a
 * temperature that makes them rave, a hundred schemas, three families' ways
 * of calling, all calls held against the validator.
 *
 * ERRAND_TEST_CALLS says how many calls are made; `make prove-calls` makes
 * ten thousand. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine/quant.h"
#include "support/gguf_kit.h"
#include "support/local_kit.h"
#include "support/model_kit.h"
#include "tool/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TOOLS = 100, AT_ONCE = 8, MOST_TOKENS = 400, USUAL_CALLS = 100 };

static const char *const families[][7] = {
    {"<|im_end|>", "<|im_start|>", "<tool_call>", "</tool_call>", NULL},
    {"<|eot_id|>", "<|begin_of_text|>", "<|start_header_id|>",
        "<|end_header_id|>", "<|python_tag|>", "<|eom_id|>", NULL},
    {"</s>", "<s>", "[INST]", "[/INST]", "[TOOL_CALLS]", NULL}};
enum { FAMILIES = sizeof families / sizeof families[0] };

/* Tokens that cross every border there is in a call. */
static const char *const words[] = {"{\"", "\"}", "\"}}", "\":", "\",\"",
    "\":\xC4\xA0\"", ",\xC4\xA0\"", "\"]", "[]", "{}", "]}", "}}", "},{",
    "true", "false", "null", "tr", "ull", "12", "00", "99", "-1", ".5", "e1",
    "0.", "ab", "abc", "-abc", "\\u", "\\\"", "\\\\", "\\n", "u00", "d83d",
    "\xC3\x83\xC2\xA9", "\xC4\xA0", "\xC4\xA0\xC4\xA0", "red", "\"a\"",
    "\"name", "arguments", "2026-", "-01", "T00:", "127.", "@a", ".com",
    "AAA-", "/a", "v1", "{\"kind\":\"", "circle", "[[", "]]", "],[", NULL};

struct tool {
    char *name, *json; /* the whole, as a list of one */
    er_schema *schema;
};

struct proof {
    struct tool tools[TOOLS];
    size_t whole, cut, calls, tokens;
};

/* ----------------------------------------------------------- the tools */

static void read_tool(struct tool *t, const char *line)
{
    struct errand_error err = {0};
    json_t *v = er_json_parse(line, strlen(line), ER_JSON_STRICT, &err);
    assert_non_null(v);
    t->name = strdup(er_json_str(v, "name"));
    t->schema = er_schema_compile(json_object_get(v, "parameters"),
        ER_DRAFT_2020_12, ER_SCHEMA_FORMATS, NULL, &err);
    if (!t->schema)
        fail_msg("%s: %s", t->name, err.msg);
    assert_true(asprintf(&t->json, "[%s]", line) > 0);
    json_decref(v);
}

static int read_tools(void **state)
{
    const char *root = getenv("ERRAND_ROOT");
    char path[1000], *line = NULL;
    size_t cap = 0, n = 0;
    struct proof *p = calloc(1, sizeof *p);
    snprintf(path, sizeof path, "%s/tests/cases/calls/tools.jsonl",
        root ? root : ".");
    FILE *f = fopen(path, "re");
    assert_non_null(p);
    assert_non_null(f);
    while (n < TOOLS && getline(&line, &cap, f) > 0)
        read_tool(&p->tools[n++], line);
    assert_int_equal(n, TOOLS);
    free(line);
    fclose(f);
    *state = p;
    return 0;
}

static int free_tools(void **state)
{
    struct proof *p = *state;
    for (size_t i = 0; i < TOOLS; i++) {
        free(p->tools[i].name);
        free(p->tools[i].json);
        er_schema_free(p->tools[i].schema);
    }
    free(p);
    return 0;
}

/* ----------------------------------------------------------- the calls */

static void make_model(struct local_kit *k, size_t family)
{
    char path[200];
    struct model_kit m = {.arch = "llama", .type = ER_Q8_0, .n_layer = 1,
        .n_embd = 64, .n_ff = 64, .n_head = 2, .n_head_kv = 1,
        .n_vocab = 330, .context = 8192, .words = words,
        .controls = families[family]};
    *k = (struct local_kit){0};
    gguf_kit_path(path, sizeof path);
    model_kit_write(&m, (uint32_t)family + 1, path);
    snprintf(k->model, sizeof k->model, "local:%s", path);
    snprintf(k->folder, sizeof k->folder, "%s.kept", path);
}

/* "name arguments": the tool's, and what its schema takes. */
static void check_call(const struct tool *t, const char *call, size_t len)
{
    struct errand_error err = {0};
    const char *space = memchr(call, ' ', len);
    assert_non_null(space);
    if (strlen(t->name) != (size_t)(space - call) ||
        strncmp(t->name, call, strlen(t->name)) != 0)
        fail_msg("%s was to be called: %.*s", t->name, (int)len, call);
    len -= (size_t)(space + 1 - call);
    json_t *args = er_json_parse(space + 1, len, ER_JSON_STRICT, &err);
    json_t *errors = json_array();
    if (!args)
        fail_msg("%s: %s: %.*s", t->name, err.msg, (int)len, space + 1);
    if (!er_schema_check(t->schema, args, errors, 1))
        fail_msg("%s: %s: %.*s", t->name, json_dumps(errors, 0), (int)len,
            space + 1);
    json_decref(errors);
    json_decref(args);
}

static void check(
    struct proof *p, const struct tool *t, struct local_ask *a)
{
    const char *call = er_buf_str(&a->calls), *end;
    if (a->err.code)
        fail_msg("%s: %s", t->name, a->err.msg);
    assert_true(a->done);
    assert_in_range(a->usage.completion_tokens, 1, MOST_TOKENS);
    p->tokens += (size_t)a->usage.completion_tokens;
    for (; (end = strchr(call, '\n')); call = end + 1) {
        check_call(t, call, (size_t)(end - call));
        p->calls++;
    }
    if (a->finish == ER_FINISH_LENGTH) {
        assert_int_equal(a->usage.completion_tokens, MOST_TOKENS);
        p->cut++;
        return;
    }
    assert_int_equal(a->finish, ER_FINISH_CALLS);
    assert_true(a->n_calls > 0);
    p->whole++;
}

static void ask(struct proof *p, struct local_kit *k, const struct tool *t,
    size_t from, size_t n)
{
    struct local_ask asks[AT_ONCE] = {{0}};
    char params[AT_ONCE][100];
    for (size_t i = 0; i < n; i++) {
        snprintf(params[i], sizeof params[i], "{\"temperature\":1.5,"
            "\"seed\":%zu,\"max_tokens\":%d}", from + i + 1, MOST_TOKENS);
        asks[i].params = params[i];
        asks[i].tools = t->json;
        asks[i].choice = i % 2 ? "required" : t->name;
        if (local_kit_begin(k, &asks[i]))
            fail_msg("%s: %s", t->name, asks[i].err.msg);
    }
    local_kit_drive(k);
    for (size_t i = 0; i < n; i++) {
        check(p, t, &asks[i]);
        local_ask_release(&asks[i]);
    }
}

static void test_calls_of_a_raving_model_are_valid(void **state)
{
    struct proof *p = *state;
    const char *wanted = getenv("ERRAND_TEST_CALLS");
    size_t all = wanted ? strtoul(wanted, NULL, 10) : USUAL_CALLS;
    for (size_t family = 0; family < FAMILIES; family++) {
        struct local_kit k;
        make_model(&k, family);
        local_kit_open(&k, "\"parallel\":8,\"prefix_bytes\":0");
        for (size_t t = 0; t < TOOLS; t++) {
            size_t end = all * (t * FAMILIES + family + 1) / TOOLS / FAMILIES;
            size_t at = all * (t * FAMILIES + family) / TOOLS / FAMILIES;
            for (; at < end; at += AT_ONCE)
                ask(p, &k, &p->tools[t], at,
                    end - at < AT_ONCE ? end - at : AT_ONCE);
        }
        local_kit_close(&k);
        local_kit_remove(&k);
    }
    printf("# %zu answers of %zu tokens: %zu whole, %zu cut and said so; "
           "%zu calls, all valid\n", p->whole + p->cut, p->tokens, p->whole,
        p->cut, p->calls);
    assert_int_equal(p->whole + p->cut, all);
    assert_true(p->whole > p->cut);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls_of_a_raving_model_are_valid),
    };
    return cmocka_run_group_tests(tests, read_tools, free_tools);
}
