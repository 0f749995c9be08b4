/* What a local model's answer is read as, in every shape, at every cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine/chat_parse.h"
#include "support/chat_kit.h"

#include <stdio.h>
#include <unistd.h>

static const char *const tools[] = {"get_weather", "get", "python", "tick",
    "math.sqrt", "code_interpreter", NULL};

struct row {
    const char *in, *content, *reasoning, *calls;
};

static er_chat_parser *parser(enum er_chat_family family,
    const struct er_chat_options *opt, struct chat_log *log)
{
    chat_log_init(log);
    er_chat_parser *p =
        er_chat_parser_new(family, opt, &chat_log_events, log);
    assert_non_null(p);
    return p;
}

static void check_log(const struct chat_log *log, const struct row *r)
{
    if (strcmp(er_buf_str(&log->content), r->content) != 0 ||
        strcmp(er_buf_str(&log->reasoning), r->reasoning) != 0 ||
        strcmp(er_buf_str(&log->calls), r->calls) != 0)
        fail_msg("%s\n gives content '%s' reasoning '%s' calls '%s'", r->in,
            er_buf_str(&log->content), er_buf_str(&log->reasoning),
            er_buf_str(&log->calls));
    assert_false(log->empty_text);
}

/* In two pieces, cut at a place; then each piece byte by byte. What was said
 * at the cut must be a beginning of what is said in the end. */
static void check_cut(enum er_chat_family family,
    const struct er_chat_options *opt, const struct row *r, size_t cut,
    bool bytes)
{
    struct chat_log log;
    er_chat_parser *p = parser(family, opt, &log);
    size_t len = strlen(r->in);
    if (bytes)
        for (size_t i = 0; i < len; i++)
            er_chat_parser_feed(p, r->in + i, 1);
    else
        er_chat_parser_feed(p, r->in, cut);
    if (!bytes) {
        bool begins = strncmp(r->content, er_buf_str(&log.content),
                          log.content.len) == 0 &&
                      strncmp(r->calls, er_buf_str(&log.calls),
                          log.calls.len) == 0;
        if (!begins)
            fail_msg("%s\n cut at %zu shows '%s'", r->in, cut,
                er_buf_str(&log.content));
        er_chat_parser_feed(p, r->in + cut, len - cut);
    }
    assert_int_equal(er_chat_parser_end(p), ERRAND_OK);
    check_log(&log, r);
    er_chat_parser_free(p);
    chat_log_release(&log);
}

static void check_rows(enum er_chat_family family,
    const struct er_chat_options *opt, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t cut = 0; cut <= strlen(rows[i].in); cut++)
            check_cut(family, opt, &rows[i], cut, false);
        check_cut(family, opt, &rows[i], 0, true);
    }
}

static const struct er_chat_options known = {.tools = tools};

#define CHECK(family, opt, rows) \
    check_rows(family, opt, rows, sizeof(rows) / sizeof((rows)[0]))
#define TEXT(s) {s, s, "", ""}

static void test_chat_parse_llama_json(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"{\"name\": \"get_weather\", \"parameters\": {\"city\": \"Oslo\"}}",
            "", "", "get_weather {\"city\": \"Oslo\"}\n"},
        {" \n{\"name\":\"tick\",\"arguments\":{\"n\":18446744073709551616}}\n",
            "", "", "tick {\"n\":18446744073709551616}\n"},
        {"<|python_tag|>{\"type\": \"function\", \"name\": \"tick\", "
         "\"parameters\": {}}<|eom_id|>", "", "", "tick {}\n"},
        {"{\"type\":\"function\",\"function\":{\"name\":\"get\","
         "\"parameters\":{\"a\":\"}\"}},\"id\":\"x1\"}", "", "",
            "get {\"a\":\"}\"} x1\n"},
        {"{\"function\": \"tick\", \"parameters\": {\"n\": 1}}", "", "",
            "tick {\"n\": 1}\n"},
        {"{\"parameters\": {\"n\": 1}, \"name\": \"tick\"}", "", "",
            "tick {\"n\": 1}\n"},
        {"{\"name\":\"tick\",\"parameters\":{\"n\":1}}; {\"name\":\"get\","
         "\"parameters\":{}}\n{\"name\":\"tick\",\"parameters\":{\"n\":2}}",
            "", "", "tick {\"n\":1}\nget {}\ntick {\"n\":2}\n"},
        {"[{\"name\":\"tick\",\"parameters\":{}}, {\"name\":\"get\","
         "\"arguments\":{\"a\":[1,{}]}}]<|eot_id|>", "", "",
            "tick {}\nget {\"a\":[1,{}]}\n"},
        {"```json\n{\"name\": \"tick\", \"parameters\": {}}\n```", "", "",
            "tick {}\n"},
        {"```\n[{\"name\": \"tick\", \"parameters\": null}]\n```\n", "", "",
            "tick {}\n"},
        {"{\"name\": \"tick\"}", "", "", "tick {}\n"},
        {"{\"name\":\"tick\",\"parameters\":\"{\\\"n\\\": 4}\"}", "", "",
            "tick {\"n\": 4}\n"},
        {"{'name': 'tick', 'parameters': {'ok': True, 'x': None}}", "", "",
            "tick {\"ok\":true,\"x\":null}\n"},
        {"{\"name\":\"tick\",\"parameters\":{\"n\": 1,, }}", "", "",
            "tick {\"n\": 1,, }\n"},
        {"{\"name\":\"tick\",\"parameters\":{}} That is all.",
            "That is all.", "", "tick {}\n"},
        {"{\"name\":\"tick\",\"parameters\":{}}{\"name\":\"nope\","
         "\"parameters\":{}}", "{\"name\":\"nope\",\"parameters\":{}}", "",
            "tick {}\n"}};
    CHECK(ER_CHAT_LLAMA3, &known, rows);
}

static void test_chat_parse_llama_python(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"[get_weather(city='San Francisco', metric='celsius'), "
         "get_weather(city='Seattle', metric='celsius')]<|eot_id|>", "", "",
            "get_weather {\"city\":\"San Francisco\",\"metric\":\"celsius\"}\n"
            "get_weather {\"city\":\"Seattle\",\"metric\":\"celsius\"}\n"},
        {"<|python_tag|>[tick(), math.sqrt(x=-1.5e3)]", "", "",
            "tick {}\nmath.sqrt {\"x\":-1.5e3}\n"},
        {"[ tick ( a = True , b = False, c = None, d = [1, 'x', (2,)], "
         "e = {'k': {\"q\": .5}}, ) ]", "", "",
            "tick {\"a\":true,\"b\":false,\"c\":null,\"d\":[1,\"x\",[2]],"
            "\"e\":{\"k\":{\"q\":0.5}}}\n"},
        {"[tick(s='it\\'s \"q\" \\n \\u00e9 \\ud83e\\udd99 \\d ]) {')]", "",
            "", "tick {\"s\":\"it's \\\"q\\\" \\n \xC3\xA9 \xF0\x9F\xA6\x99 "
            "\\\\d ]) {\"}\n"},
        {"[tick(s=\"\"\"a \"quoted\" 'one'\nline\"\"\", t='')]", "", "",
            "tick {\"s\":\"a \\\"quoted\\\" 'one'\\nline\",\"t\":\"\"}\n"},
        {"[tick(n=1_000, m=+2)]", "", "", "tick {\"n\":1000,\"m\":2}\n"},
        {"[tick({\"n\": 1})]", "", "", "tick {\"n\":1}\n"},
        {"get_weather.call(city=\"Oslo\", days=3)", "", "",
            "get_weather {\"city\":\"Oslo\",\"days\":3}\n"},
        {"<|python_tag|>code_interpreter.call(code=\"print('hey')\")<|eom_id|>",
            "", "", "code_interpreter {\"code\":\"print('hey')\"}\n"},
        {"<|python_tag|>tick(n=1)", "", "", "tick {\"n\":1}\n"},
        {"<|python_tag|># code\nprint('hey')<|eom_id|>", "", "",
            "python {\"code\":\"# code\\nprint('hey')\"}\n"},
        {"<function=tick>{\"n\": 1}</function>", "", "",
            "tick {\"n\": 1}\n"},
        {"<function=tick>{\"n\": 1}</function>\n<function=get></function>"
         "<|eom_id|>", "", "", "tick {\"n\": 1}\nget {}\n"},
        {"<function=tick>{\"n\": 1}</func", "", "", "tick {\"n\": 1}\n"}};
    CHECK(ER_CHAT_LLAMA3, &known, rows);
}

static void test_chat_parse_llama_text_stays_text(void **state)
{
    (void)state;
    static const struct row rows[] = {TEXT("Hello, world!\nWhat's up?"),
        TEXT("\n\n  spaces in front"), TEXT("  \n "), TEXT(""),
        TEXT("{\"name\": \"nope\", \"parameters\": {}}"),
        TEXT("{\"name\": \"getter\", \"parameters\": {}}"),
        TEXT("{\"name\": \"tick\", \"parameters\": {\"n\": 1}"),
        TEXT("{\"name\": \"tick\", \"results\": [1]}"),
        TEXT("{\"type\": \"object\", \"name\": \"tick\"}"),
        TEXT("{\"type\": 1}"), TEXT("{\"answer\": 42}"), TEXT("{}"),
        TEXT("{\"name\""), TEXT("[1] is a citation"), TEXT("[]"),
        TEXT("[{\"name\":\"tick\",\"parameters\":{}}, {\"a\":1}]"),
        TEXT("[tick(1, 2)]"), TEXT("[tick(n=1), nope()]"),
        TEXT("[tick(n=x)]"), TEXT("[tick] is a tool"), TEXT("[tick(n=01)]"),
        TEXT("tick(n=1) would do it"), TEXT("tick.call"), TEXT("get.caller()"),
        TEXT("tick.call(1)"), TEXT("```c\nint main(void);\n```"),
        TEXT("```json\n{\"a\": 1}\n```"), TEXT("```"), TEXT("`tick`"),
        TEXT("<function=nope>{}</function>"), TEXT("<function=tick>x"),
        TEXT("<b>bold</b>"), TEXT("<"), TEXT("<|python_tag"),
        TEXT("Call {\"name\": \"tick\", \"parameters\": {}}"),
        TEXT("it ends with <|eot"),
        {"it ends with its mark<|eot_id|>", "it ends with its mark", "", ""},
        TEXT("a mark <|eot_id|> in the middle"),
        TEXT("h\xC3\xA9 \xF0\x9F\xA6\x99")};
    CHECK(ER_CHAT_LLAMA3, &known, rows);
}

static void test_chat_parse_hermes(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"<tool_call>\n{\"name\": \"tick\", \"arguments\": {\"n\": 1}}\n"
         "</tool_call>\n<tool_call>\n{\"name\": \"get\", \"arguments\": {}}\n"
         "</tool_call><|im_end|>", "", "", "tick {\"n\": 1}\nget {}\n"},
        {"Let me see.\n<tool_call>{\"name\":\"tick\",\"arguments\":{}}"
         "</tool_call>\nDone.", "Let me see.\nDone.", "", "tick {}\n"},
        {"<tool_call>{\"name\":\"tick\",\"arguments\":{\"s\":"
         "\"</tool_call>\"}}", "", "", "tick {\"s\":\"</tool_call>\"}\n"},
        {"<tool_call>{\"name\":\"tick\",\"arguments\":{}}\n{\"name\":\"get\","
         "\"arguments\":{}}</tool_c", "", "", "tick {}\nget {}\n"},
        {"<tool_call>[{\"name\":\"tick\",\"arguments\":{}}]</tool_call>", "",
            "", "tick {}\n"},
        {"Use <tool_call> tags, then <tool_call>{\"name\":\"nope\","
         "\"arguments\":{}}</tool_call> and <tool_call>{\"name\":\"tick\","
         "\"arguments\":{}}</tool_call>",
            "Use <tool_call> tags, then <tool_call>{\"name\":\"nope\","
            "\"arguments\":{}}</tool_call> and ", "", "tick {}\n"},
        {"<tools>\n  {\"name\": \"tick\", \"arguments\": {}}\n</tools>", "",
            "", "tick {}\n"},
        {"```xml\n<response>\n {\"name\": \"tick\", \"arguments\": {}}\n"
         "</response>\n```", "", "", "tick {}\n"},
        {"```json\n\n   <function_call> {\"name\": \"tick\", \"arguments\": "
         "{}} </function_call> \n``` ", "", "", "tick {}\n"},
        {"<function name=\"tick\">\n{\"n\": 1}\n</function>", "", "",
            "tick {\"n\": 1}\n"},
        {"{\n  \"name\": \"tick\", \"arguments\": {\"n\": 1}}", "", "",
            "tick {\"n\": 1}\n"},
        {"<think>\nhm, <tool_call>?\n</think>\n\n<tool_call>\n{\"name\": "
         "\"tick\", \"arguments\": {}}\n</tool_call>", "",
            "hm, <tool_call>?", "tick {}\n"},
        {"<think>\n\n</think>\n\nHello", "Hello", "", ""},
        {"<think>one  two </th > </think>text", "text", "one  two </th >",
            ""},
        {" <think>never closed ", "", "never closed", ""},
        TEXT("I'm\nthinking</think>Hello"), TEXT("<tool_call>nah"),
        TEXT("<tool_call>"), TEXT("a < b and <tool"), TEXT("<json>{}</json>"),
        TEXT("<tool>none</tool>"), TEXT("```\ncode\n```"),
        TEXT("[get_weather(city='x')]"),
        {"bye<|im_end|>", "bye", "", ""}};
    CHECK(ER_CHAT_HERMES, &known, rows);
}

static void test_chat_parse_mistral(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"[TOOL_CALLS][{\"name\": \"tick\", \"arguments\": {\"n\": 1}, "
         "\"id\": \"abcdefghi\"}]</s>", "", "",
            "tick {\"n\": 1} abcdefghi\n"},
        {"[TOOL_CALLS] [{\"name\":\"tick\",\"arguments\":{}},{\"name\":"
         "\"get\",\"arguments\":{}}]", "", "", "tick {}\nget {}\n"},
        {"[TOOL_CALLS]tick[CALL_ID]abcdefghi[ARGS]{\"n\": 1}[TOOL_CALLS]get"
         "[CALL_ID]123456789[ARGS]{}</s>", "", "",
            "tick {\"n\": 1} abcdefghi\nget {} 123456789\n"},
        {"[TOOL_CALLS]tick[ARGS]{\"n\": 1}get[ARGS]{}", "", "",
            "tick {\"n\": 1}\nget {}\n"},
        {"[TOOL_CALLS]tick{\"n\": 1}", "", "", "tick {\"n\": 1}\n"},
        {"I will look.[TOOL_CALLS]tick[ARGS]{}", "I will look.", "",
            "tick {}\n"},
        {"[{\"name\": \"tick\", \"arguments\": {}}]", "", "", "tick {}\n"},
        {"[THINK]hm [/THINK]Hello", "Hello", "hm", ""},
        {"[TOOL_CALLS]tick[ARGS]{} and more", "and more", "", "tick {}\n"},
        TEXT("[TOOL_CALLS]nope[ARGS]{}"), TEXT("[TOOL_CALLS]"),
        TEXT("[1, 2]"), TEXT("[TOOL"), TEXT("tick[ARGS]{}"),
        TEXT("[TOOL_CALLS]tick[ARGS]{\"n\":"),
        TEXT("{\"name\":\"tick\",\"arguments\":{}}")};
    CHECK(ER_CHAT_MISTRAL, &known, rows);
}

static void test_chat_parse_options(void **state)
{
    (void)state;
    static const char *const none[] = {NULL};
    static const struct er_chat_options any = {.tools = NULL};
    static const struct er_chat_options nothing = {.tools = none};
    static const struct er_chat_options open = {
        .tools = tools, .thinking_open = true};
    static const struct er_chat_options keep = {
        .tools = tools, .keep_thinking = true};
    static const struct row any_rows[] = {
        {"{\"name\": \"what_ever-1.x\", \"parameters\": {}}", "", "",
            "what_ever-1.x {}\n"},
        {"[a(b=1)]", "", "", "a {\"b\":1}\n"},
        {"brave_search.call(query=\"x\")", "", "",
            "brave_search {\"query\":\"x\"}\n"},
        TEXT("{\"name\": \"Bob\"}"), TEXT("{\"name\": \"two words\"}"),
        TEXT("Hello"), TEXT("e.g. this")};
    static const struct row nothing_rows[] = {
        TEXT("{\"name\": \"tick\", \"parameters\": {}}"),
        TEXT("<|python_tag|>print(1)"), TEXT("[tick()]")};
    static const struct row open_rows[] = {
        {" I'm\nthinking\n</think>\n<tool_call>{\"name\":\"tick\","
         "\"arguments\":{}}</tool_call>", "", "I'm\nthinking", "tick {}\n"}};
    static const struct row keep_rows[] = {TEXT("<think>x</think>y")};
    CHECK(ER_CHAT_LLAMA3, &any, any_rows);
    CHECK(ER_CHAT_LLAMA3, &nothing, nothing_rows);
    CHECK(ER_CHAT_HERMES, &open, open_rows);
    CHECK(ER_CHAT_HERMES, &keep, keep_rows);
}

/* Text that cannot be a call is shown at once: here after how many bytes. */
static void test_chat_parse_holds_no_longer_than_it_must(void **state)
{
    (void)state;
    static const struct {
        enum er_chat_family family;
        const char *in;
        size_t shown_after;
    } rows[] = {{ER_CHAT_LLAMA3, "Hello", 1}, {ER_CHAT_LLAMA3, "tower", 2},
        {ER_CHAT_LLAMA3, "{\"answer", 4}, {ER_CHAT_LLAMA3, "{\"arrow", 5},
        {ER_CHAT_LLAMA3, "{\"name\":\"x", 10},
        {ER_CHAT_LLAMA3, "[1", 2}, {ER_CHAT_LLAMA3, "[Note", 2},
        {ER_CHAT_LLAMA3, "```c", 4}, {ER_CHAT_HERMES, "a<too", 1},
        {ER_CHAT_HERMES, "<tap", 3}, {ER_CHAT_MISTRAL, "[X", 2}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct chat_log log;
        er_chat_parser *p = parser(rows[i].family, &known, &log);
        size_t n = 0;
        while (log.content.len == 0 && rows[i].in[n])
            er_chat_parser_feed(p, rows[i].in + n++, 1);
        if (n != rows[i].shown_after)
            fail_msg("'%s' shows after %zu", rows[i].in, n);
        er_chat_parser_free(p);
        chat_log_release(&log);
    }
}

/* Whole characters, however the bytes come. */
static size_t torn_pieces;

static void count_torn(void *ctx, const char *text, size_t len)
{
    (void)ctx;
    torn_pieces += ((unsigned char)text[0] & 0xC0) == 0x80 ||
                   (unsigned char)text[len - 1] >= 0xC0;
}

static void test_chat_parse_gives_whole_characters(void **state)
{
    (void)state;
    static const char in[] = "<think>\xC3\xA9\xF0\x9F\xA6\x99</think>"
                             "\xF0\x9F\xA6\x99 h\xC3\xA9llo \xE2\x82\xAC";
    static const struct er_chat_events events = {
        .text = count_torn, .reasoning = count_torn};
    er_chat_parser *p =
        er_chat_parser_new(ER_CHAT_HERMES, NULL, &events, NULL);
    torn_pieces = 0;
    for (size_t i = 0; i < sizeof in - 1; i++)
        er_chat_parser_feed(p, in + i, 1);
    er_chat_parser_end(p);
    assert_int_equal(torn_pieces, 0);
    er_chat_parser_free(p);
}

/* A long call in small pieces takes time in proportion to its length; one
 * that is longer than may be held back is text, for every cut the same. */
static void test_chat_parse_is_bounded(void **state)
{
    (void)state;
    enum { SMALL = 1 << 20, LARGE = 5 << 20 };
    static const size_t sizes[] = {SMALL, LARGE}, pieces[] = {7, 100000};
    char *text = malloc(LARGE + 100);
    assert_non_null(text);
    for (size_t i = 0; i < 4; i++) {
        size_t size = sizes[i / 2], piece = pieces[i % 2];
        size_t n = (size_t)snprintf(
            text, 100, "{\"name\":\"tick\",\"parameters\":{\"s\":\"");
        memset(text + n, 'x', size);
        n += size;
        n += (size_t)snprintf(text + n, 10, "\"}}");
        struct chat_log log;
        er_chat_parser *p = parser(ER_CHAT_LLAMA3, &known, &log);
        for (size_t at = 0; at < n; at += piece)
            assert_int_equal(er_chat_parser_feed(p, text + at,
                n - at < piece ? n - at : piece), ERRAND_OK);
        er_chat_parser_end(p);
        assert_int_equal(log.n_calls, size == SMALL);
        assert_int_equal(log.content.len, size == SMALL ? 0 : n);
        er_chat_parser_free(p);
        chat_log_release(&log);
    }
    free(text);
}

/* --- the suite */

static json_t *load_suite(const char *file)
{
    char path[1000];
    const char *dir = getenv("ERRAND_SUITES"), *root = getenv("ERRAND_ROOT");
    if (dir)
        snprintf(path, sizeof path, "%s/%s", dir, file);
    else
        snprintf(path, sizeof path, "%s/../shared/suites/%s",
            root ? root : ".", file);
    json_t *v = json_load_file(path, 0, NULL);
    if (!v) {
        print_message("no test material at %s\n", path);
        skip();
    }
    return v;
}

static bool family_of(const char *template, enum er_chat_family *out)
{
    *out = strstr(template, "Hermes") || strstr(template, "Qwen")
        ? ER_CHAT_HERMES
        : strstr(template, "istral") ? ER_CHAT_MISTRAL : ER_CHAT_LLAMA3;
    return *out != ER_CHAT_LLAMA3 || strstr(template, "meta-llama");
}

/* Arguments are the same if they are the same JSON. */
static bool same_call(const json_t *want, const char *name, size_t name_len,
    const char *args, size_t args_len)
{
    const char *wanted = er_json_str(want, "arguments");
    json_t *a = er_json_parse(wanted, strlen(wanted), ER_JSON_LENIENT, NULL);
    json_t *b = er_json_parse(args, args_len, ER_JSON_LENIENT, NULL);
    const char *want_name = er_json_str(want, "name");
    bool same = a && b && json_equal(a, b) && strlen(want_name) == name_len &&
                memcmp(want_name, name, name_len) == 0;
    json_decref(a);
    json_decref(b);
    return same;
}

static bool as_expected(const struct chat_log *log, const json_t *expect)
{
    const json_t *calls = json_object_get(expect, "tool_calls");
    const char *line = er_buf_str(&log->calls);
    if (strcmp(er_buf_str(&log->content), er_json_str(expect, "content")) ||
        strcmp(er_buf_str(&log->reasoning),
            er_json_str(expect, "reasoning_content")) ||
        log->n_calls != json_array_size(calls))
        return false;
    for (size_t i = 0; i < log->n_calls; i++) {
        size_t len = strcspn(line, "\n"), name = strcspn(line, " ");
        if (!same_call(json_array_get(calls, i), line, name, line + name + 1,
                len - name - 1))
            return false;
        line += len + 1;
    }
    return true;
}

/* Every tool of the suite is known, unless calls are not to be parsed. */
static bool suite_case(const json_t *suite, const json_t *c, size_t cut)
{
    static const char *const none[] = {NULL};
    const char *names[20] = {NULL};
    size_t n = 0;
    const char *key;
    json_t *tool;
    json_object_foreach(json_object_get(suite, "tools"), key, tool)
        names[n++] = er_json_str(tool, "name");
    const json_t *parse = json_object_get(c, "parse_tool_calls");
    struct er_chat_options opt = {.tools = names,
        .thinking_open =
            json_is_true(json_object_get(c, "thinking_forced_open"))};
    if (json_is_false(parse))
        opt.tools = none;
    enum er_chat_family family;
    family_of(er_json_str(c, "template"), &family);
    struct chat_log log;
    er_chat_parser *p = parser(family, &opt, &log);
    const char *text = er_json_str(c, "output");
    er_chat_parser_feed(p, text, cut);
    er_chat_parser_feed(p, text + cut, strlen(text) - cut);
    if (!json_is_true(json_object_get(c, "is_partial")))
        er_chat_parser_end(p);
    bool ok = as_expected(&log, json_object_get(c, "expect"));
    er_chat_parser_free(p);
    chat_log_release(&log);
    return ok;
}

static void test_chat_parse_suite(void **state)
{
    (void)state;
    json_t *suite = load_suite("chat/parse_cases.json"), *c;
    size_t i, ours = 0, passed = 0, others = 0, others_passed = 0;
    json_array_foreach(json_object_get(suite, "cases"), i, c) {
        enum er_chat_family family;
        bool named = family_of(er_json_str(c, "template"), &family);
        size_t len = strlen(er_json_str(c, "output")), cut = 0;
        while (cut <= len && suite_case(suite, c, cut))
            cut++;
        ours += named;
        others += !named;
        passed += named && cut > len;
        others_passed += !named && cut > len;
        if (named && cut <= len)
            print_message("%s fails, cut at %zu\n", er_json_str(c, "id"), cut);
        else if (cut <= len)
            print_message("other family, not read: %s %s\n",
                er_json_str(c, "id"), er_json_str(c, "template"));
    }
    print_message("llama3, hermes, mistral: %zu of %zu; other families: %zu "
        "of %zu\n", passed, ours, others_passed, others);
    json_decref(suite);
    assert_true(ours > 0);
    assert_int_equal(passed, ours);
}

/* --- the debug command */

static void check_debug(const char *format, const char *in, const char *want)
{
    struct errand_error err = {0};
    json_t *input = er_json_parse(in, strlen(in), ER_JSON_STRICT, &err);
    json_t *out = er_chat_debug_parse(format, input, &err);
    json_decref(input);
    if (!want) {
        assert_null(out);
        assert_int_equal(err.code, ERRAND_USAGE);
        return;
    }
    assert_non_null(out);
    char *text = er_json_text(out);
    assert_string_equal(text, want);
    free(text);
    json_decref(out);
}

static void test_chat_parse_debug(void **state)
{
    (void)state;
    check_debug("llama3", "{\"text\":\"[f(a=1)]\"}",
        "{\"content\":\"\",\"reasoning\":\"\",\"tool_calls\":"
        "[{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1}\"}]}");
    check_debug("llama3", "{\"text\":\"[f(a=1)]\",\"tools\":[{\"type\":"
        "\"function\",\"function\":{\"name\":\"g\"}}]}",
        "{\"content\":\"[f(a=1)]\",\"reasoning\":\"\",\"tool_calls\":[]}");
    check_debug("hermes", "{\"stream\":[\"<think>a</th\",\"ink>b\"],"
        "\"tools\":[{\"name\":\"g\"}]}",
        "{\"content\":\"b\",\"reasoning\":\"a\",\"tool_calls\":[]}");
    check_debug("mistral", "{\"stream\":\"[TOOL_CALLS]g[ARGS]{}\","
        "\"tools\":[\"g\"]}", "{\"content\":\"\",\"reasoning\":\"\","
        "\"tool_calls\":[{\"name\":\"g\",\"arguments\":\"{}\"}]}");
    check_debug("hermes", "{\"text\":\"a</think>b\",\"thinking_open\":true}",
        "{\"content\":\"b\",\"reasoning\":\"a\",\"tool_calls\":[]}");
    check_debug("llama4", "{\"text\":\"x\"}", NULL);
    check_debug("llama3", "{}", NULL);
    check_debug("llama3", "{\"stream\":[1]}", NULL);
    check_debug("llama3", "{\"text\":\"x\",\"tools\":{}}", NULL);
    check_debug("llama3", "{\"text\":\"x\",\"tools\":[{}]}", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chat_parse_llama_json),
        cmocka_unit_test(test_chat_parse_llama_python),
        cmocka_unit_test(test_chat_parse_llama_text_stays_text),
        cmocka_unit_test(test_chat_parse_hermes),
        cmocka_unit_test(test_chat_parse_mistral),
        cmocka_unit_test(test_chat_parse_options),
        cmocka_unit_test(test_chat_parse_holds_no_longer_than_it_must),
        cmocka_unit_test(test_chat_parse_gives_whole_characters),
        cmocka_unit_test(test_chat_parse_is_bounded),
        cmocka_unit_test(test_chat_parse_suite),
        cmocka_unit_test(test_chat_parse_debug)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
