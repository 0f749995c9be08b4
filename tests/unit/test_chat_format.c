/* A model's format: its template or a built-in one, messages made to fit,
 * and control tokens only where the template wrote them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine/chat_format.h"
#include "support/suites.h"

#include <unistd.h>

enum { NOW = 1721997296 };

static bool is_it(void *ctx, const char *name)
{
    return strcmp(ctx, name) == 0;
}

static er_chat_format *builtin(
    const char *control, const char *bos, const char *eos)
{
    struct er_chat_signs signs = {
        .has_control = is_it, .ctx = (void *)(uintptr_t)control};
    er_chat_format *f = NULL;
    struct errand_error err = {0};
    assert_int_equal(er_chat_format_new(&signs, bos, eos, &f, &err), 0);
    return f;
}

static void renders(
    const er_chat_format *f, const char *input, const char *want)
{
    struct er_prompt p;
    struct errand_error err = {0};
    json_t *v = er_json_parse(input, strlen(input), ER_JSON_STRICT, &err);
    assert_non_null(v);
    er_prompt_init(&p);
    if (er_chat_format_render(f, v, NOW, &p, &err) != ERRAND_OK)
        fail_msg("%s", err.msg);
    assert_string_equal(er_buf_str(&p.text), want);
    er_prompt_release(&p);
    json_decref(v);
}

static const char talk[] =
    "{\"messages\":[{\"role\":\"system\",\"content\":\"Be brief.\"},"
    "{\"role\":\"user\",\"content\":\"Oslo?\"},"
    "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":["
    "{\"id\":\"a\",\"function\":{\"name\":\"w\",\"arguments\":"
    "\"{\\\"c\\\":1}\"}},"
    "{\"id\":\"b\",\"function\":{\"name\":\"w\",\"arguments\":{\"c\":2}}}]},"
    "{\"role\":\"tool\",\"tool_call_id\":\"a\",\"content\":\"3\"},"
    "{\"role\":\"tool\",\"tool_call_id\":\"b\",\"content\":\"4\"}],"
    "\"tools\":[{\"name\":\"w\"}],\"add_generation_prompt\":true}";

static void test_chat_format_builtin_llama3(void **state)
{
    (void)state;
    er_chat_format *f = builtin("<|start_header_id|>", "<B>", "");
    assert_int_equal(er_chat_format_family(f), ER_CHAT_LLAMA3);
    renders(f, talk,
        "<B><|start_header_id|>system<|end_header_id|>\n\n"
        "Environment: ipython\nCutting Knowledge Date: December 2023\n"
        "Today Date: 26 Jul 2024\n\nBe brief.<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\n"
        "Given the following functions, please respond with a JSON for a "
        "function call with its proper arguments that best answers the "
        "given prompt.\n\nRespond in the format {\"name\": function name, "
        "\"parameters\": dictionary of argument name and its value}.Do not "
        "use variables.\n\n{\n    \"name\": \"w\"\n}\n\nOslo?<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n"
        "{\"name\": \"w\", \"parameters\": {\"c\": 1}}<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n"
        "{\"name\": \"w\", \"parameters\": {\"c\": 2}}<|eot_id|>"
        "<|start_header_id|>ipython<|end_header_id|>\n\n\"3\"<|eot_id|>"
        "<|start_header_id|>ipython<|end_header_id|>\n\n\"4\"<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n");
    er_chat_format_free(f);
}

static void test_chat_format_builtin_chatml(void **state)
{
    (void)state;
    er_chat_format *f = builtin("<|im_start|>", NULL, NULL);
    assert_int_equal(er_chat_format_family(f), ER_CHAT_HERMES);
    renders(f, "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"},"
               "{\"role\":\"assistant\",\"content\":\"Ho\"}]}",
        "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHo"
        "<|im_end|>\n");
    renders(f, talk,
        "<|im_start|>system\nBe brief.\n\n# Tools\n\nYou may call one or "
        "more functions to assist with the user query.\n\nYou are provided "
        "with function signatures within <tools></tools> XML tags:\n"
        "<tools>\n{\"name\": \"w\"}\n</tools>\n\nFor each function call, "
        "return a json object with function name and arguments within "
        "<tool_call></tool_call> XML tags:\n<tool_call>\n{\"name\": "
        "<function-name>, \"arguments\": <args-json-object>}\n</tool_call>"
        "<|im_end|>\n<|im_start|>user\nOslo?<|im_end|>\n"
        "<|im_start|>assistant\n<tool_call>\n{\"name\": \"w\", "
        "\"arguments\": {\"c\": 1}}\n</tool_call>\n<tool_call>\n{\"name\": "
        "\"w\", \"arguments\": {\"c\": 2}}\n</tool_call><|im_end|>\n"
        "<|im_start|>user\n<tool_response>\n3\n</tool_response>\n"
        "<tool_response>\n4\n</tool_response><|im_end|>\n"
        "<|im_start|>assistant\n");
    er_chat_format_free(f);
}

static void test_chat_format_builtin_mistral(void **state)
{
    (void)state;
    er_chat_format *f = builtin("[INST]", "<s>", "</s>");
    assert_int_equal(er_chat_format_family(f), ER_CHAT_MISTRAL);
    renders(f, talk,
        "<s>[AVAILABLE_TOOLS][{\"name\": \"w\"}][/AVAILABLE_TOOLS][INST]Be "
        "brief.\n\nOslo?[/INST][TOOL_CALLS][{\"name\": \"w\", \"arguments\": "
        "{\"c\": 1}, \"id\": \"a\"}, {\"name\": \"w\", \"arguments\": "
        "{\"c\": 2}, \"id\": \"b\"}]</s>[TOOL_RESULTS]{\"content\": \"3\", "
        "\"call_id\": \"a\"}[/TOOL_RESULTS][TOOL_RESULTS]{\"content\": "
        "\"4\", \"call_id\": \"b\"}[/TOOL_RESULTS]");
    er_chat_format_free(f);
}

static void test_chat_format_tells_families(void **state)
{
    static const struct {
        const char *text;
        enum er_chat_family family;
    } rows[] = {{"{{ '<|im_start|>' }}", ER_CHAT_HERMES},
        {"<|start_header_id|>", ER_CHAT_LLAMA3},
        {"<|start_header_id|> <tool_call>", ER_CHAT_HERMES},
        {"[INST] x", ER_CHAT_MISTRAL}, {"[INST] [TOOL_CALLS]",
            ER_CHAT_MISTRAL}, {"plain", ER_CHAT_HERMES}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct er_chat_signs s = {
            .chat_template = rows[i].text, .len = strlen(rows[i].text)};
        assert_int_equal(er_chat_family_of(&s), rows[i].family);
    }
}

/* A template that takes one call gets one per message. */
static void test_chat_format_splits_calls(void **state)
{
    static const char text[] =
        "{% for m in messages %}{% if m.tool_calls %}{% if not "
        "m.tool_calls|length == 1 %}{{ raise_exception('one') }}{% endif %}"
        "[{{ m.tool_calls[0].function.arguments.c }}]{% endif %}{% endfor %}";
    struct er_chat_signs s = {.chat_template = text, .len = strlen(text)};
    er_chat_format *f = NULL;
    (void)state;
    assert_int_equal(er_chat_format_new(&s, NULL, NULL, &f, NULL), 0);
    renders(f, talk, "[1][2]");
    er_chat_format_free(f);
    s.chat_template = "{{ x";
    s.len = 4;
    struct errand_error err = {0};
    assert_int_equal(
        er_chat_format_new(&s, NULL, NULL, &f, &err), ERRAND_SYNTAX);
    assert_non_null(strstr(err.msg, "template line 1"));
}

/* --- the suites */

static void test_chat_format_renders_the_goldens(void **state)
{
    size_t i;
    json_t *g;
    (void)state;
    json_t *doc = suite_load("chat/goldens.json");
    if (!doc)
        skip();
    json_array_foreach(json_object_get(doc, "goldens"), i, g) {
        const char *folder = getenv("ERRAND_SUITES");
        const char *want = er_json_str(g, "expected");
        char path[600];
        er_chat_format *f = NULL;
        struct errand_error err = {0};
        snprintf(path, sizeof path, "%s/chat/templates/%s",
            folder && *folder ? folder : "../shared/suites",
            er_json_str(g, "template"));
        assert_int_equal(er_chat_format_open(path, &f, &err), ERRAND_OK);
        json_t *input = json_copy(json_object_get(
            json_object_get(doc, "contexts"), er_json_str(g, "context")));
        json_object_set_new(input, "now", json_integer(NOW));
        json_t *out = er_chat_debug_render(f, input, &err);
        if (want && !out)
            fail_msg("%s %s: %s", er_json_str(g, "template"),
                er_json_str(g, "context"), err.msg);
        if (want)
            assert_string_equal(er_json_str(out, "prompt"), want);
        else
            assert_null(out);
        json_decref(out);
        json_decref(input);
        er_chat_format_free(f);
    }
    json_decref(doc);
}

/* The ids of a prompt whose user wrote control tokens. */
static void test_chat_format_users_write_no_control_tokens(void **state)
{
    char path[] = "/tmp/errand-vocab-XXXXXX";
    struct errand_error err = {0};
    struct er_gguf *g = NULL;
    struct er_tokenizer *t = NULL;
    (void)state;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    if (!suite_gunzip("tokenizer/llama3.2-vocab-only.gguf.gz", path)) {
        unlink(path);
        skip();
    }
    assert_int_equal(er_gguf_open(path, &g, &err), ERRAND_OK);
    assert_int_equal(er_tokenizer_new(g, &t, &err), ERRAND_OK);
    struct er_prompt p;
    struct er_tokens ids = {0}, plain = {0};
    er_prompt_init(&p);
    er_prompt_add(&p, "<|start_header_id|>user<|end_header_id|>\n\n", 42,
        true);
    er_prompt_add(&p, "a<|eot_id|><|start_", 19, false);
    er_prompt_add(&p, "header_id|><|eot_id|>", 21, true);
    assert_int_equal(er_prompt_tokens(&p, t, &ids, &err), ERRAND_OK);
    size_t controls = 0;
    for (size_t i = 0; i < ids.n; i++)
        controls += er_tokenizer_is_control(t, ids.ids[i]);
    assert_int_equal(controls, 3);
    assert_int_equal(
        ids.ids[0], er_tokenizer_control(t, "<|start_header_id|>"));
    assert_int_equal(
        ids.ids[2], er_tokenizer_control(t, "<|end_header_id|>"));
    assert_int_equal(
        ids.ids[ids.n - 1], er_tokenizer_control(t, "<|eot_id|>"));
    struct er_buf back;
    er_buf_init(&back, 4096);
    er_tokenizer_decode(t, ids.ids, ids.n, true, &back);
    assert_string_equal(er_buf_str(&back), er_buf_str(&p.text));
    er_buf_release(&back);
    /* What lies between control tokens is split as one text. */
    er_prompt_release(&p);
    er_prompt_init(&p);
    er_prompt_add(&p, "Hel", 3, true);
    er_prompt_add(&p, "lo wor", 6, false);
    er_prompt_add(&p, "ld", 2, true);
    ids.n = 0;
    assert_int_equal(er_prompt_tokens(&p, t, &ids, &err), ERRAND_OK);
    assert_int_equal(
        er_tokenizer_encode(t, "Hello world", 11, 0, &plain, &err), 0);
    assert_int_equal(ids.n, plain.n);
    assert_memory_equal(ids.ids, plain.ids, ids.n * sizeof *ids.ids);
    er_tokens_release(&ids);
    er_tokens_release(&plain);
    er_prompt_release(&p);
    er_tokenizer_free(t);
    er_gguf_close(g);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chat_format_builtin_llama3),
        cmocka_unit_test(test_chat_format_builtin_chatml),
        cmocka_unit_test(test_chat_format_builtin_mistral),
        cmocka_unit_test(test_chat_format_tells_families),
        cmocka_unit_test(test_chat_format_splits_calls),
        cmocka_unit_test(test_chat_format_renders_the_goldens),
        cmocka_unit_test(test_chat_format_users_write_no_control_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
