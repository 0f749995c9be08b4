/* Answers of endpoints, as they came over the line: the project's own
 * corpus (tests/cases/streams) and published ones. Each is read as given,
 * byte by byte and cut in two at every place, and always gives the same
 * events. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/reader_kit.h"
#include "support/suites.h"

#include <glob.h>
#include <stdio.h>

enum { MAX_BYTES = 1 << 20 };

struct stream {
    enum er_dialect dialect;
    enum er_framing framing;
    char *bytes;
    size_t len;
};

static char *show(const json_t *v) { return json_dumps(v, JSON_ENCODE_ANY); }

static json_t *read_cut(const struct stream *s, size_t head, size_t step)
{
    return kit_read(
        s->dialect, s->framing, MAX_BYTES, s->bytes, s->len, head, step);
}

static void check_cut(const struct stream *s, const json_t *want,
    const char *name, size_t head, size_t step)
{
    json_t *got = read_cut(s, head, step);
    if (!json_equal(got, (json_t *)want))
        fail_msg("%s cut at %zu, then every %zu: got %s, want %s", name,
            head, step, show(got), show(want));
    json_decref(got);
}

static void check_cuts(
    const struct stream *s, const json_t *want, const char *name)
{
    check_cut(s, want, name, 0, 1);
    check_cut(s, want, name, 0, 7);
    for (size_t i = 1; i < s->len; i++)
        check_cut(s, want, name, i, 0);
}

/* ------------------------------------------------------------ own corpus */

static char *from_hex(const char *hex, size_t *len)
{
    char *bytes = malloc(strlen(hex) / 2 + 1);
    unsigned byte;
    for (*len = 0; sscanf(hex + 2 * *len, "%2x", &byte) == 1; (*len)++)
        bytes[*len] = (char)byte;
    return bytes;
}

/* "bytes" is a text or an array of texts to join; "hex" is what no text can
 * hold. */
static char *bytes_of(const json_t *c, size_t *len)
{
    const json_t *bytes = json_object_get(c, "bytes");
    const char *hex = json_string_value(json_object_get(c, "hex"));
    struct er_buf all;
    er_buf_init(&all, MAX_BYTES);
    if (hex)
        return from_hex(hex, len);
    if (json_is_string(bytes))
        er_buf_add(
            &all, json_string_value(bytes), json_string_length(bytes));
    for (size_t i = 0; i < json_array_size(bytes); i++) {
        const json_t *part = json_array_get(bytes, i);
        er_buf_add(&all, json_string_value(part), json_string_length(part));
    }
    return er_buf_take(&all, len);
}

static struct stream stream_of(const json_t *c)
{
    const char *dialect = json_string_value(json_object_get(c, "dialect"));
    const char *framing = json_string_value(json_object_get(c, "framing"));
    struct stream s = {0};
    assert_non_null(dialect);
    assert_non_null(framing);
    s.dialect = strcmp(dialect, "openai") == 0 ? ER_OPENAI : ER_WORKERS_AI;
    s.framing = strcmp(framing, "sse") == 0 ? ER_SSE : ER_WHOLE;
    s.bytes = bytes_of(c, &s.len);
    assert_non_null(s.bytes);
    return s;
}

/* Does the event say what is wanted? A message is compared by a part of it,
 * detail and retriable only where the case names them. */
static bool event_fits(const json_t *got, const json_t *want)
{
    const char *key;
    json_t *value;
    if (!json_object_get(want, "error"))
        return json_equal((json_t *)got, (json_t *)want);
    json_object_foreach((json_t *)want, key, value)
    {
        const json_t *has = json_object_get(got, key);
        bool part = strcmp(key, "message") == 0;
        if (part && (!json_is_string(has) ||
                !strstr(json_string_value(has), json_string_value(value))))
            return false;
        if (!part && !json_equal((json_t *)has, value))
            return false;
    }
    return true;
}

static bool events_fit(const json_t *got, const json_t *want)
{
    if (json_array_size(got) != json_array_size(want))
        return false;
    for (size_t i = 0; i < json_array_size(got); i++)
        if (!event_fits(json_array_get(got, i), json_array_get(want, i)))
            return false;
    return true;
}

static void check_file(const char *path)
{
    json_error_t why;
    json_t *c = json_load_file(path, JSON_ALLOW_NUL, &why);
    if (!c)
        fail_msg("%s:%d: %s", path, why.line, why.text);
    struct stream s = stream_of(c);
    json_t *want = json_object_get(c, "events"), *got = read_cut(&s, 0, 0);
    if (!json_is_string(json_object_get(c, "about")))
        fail_msg("%s does not say what it is about", path);
    if (!json_is_array(want) || !events_fit(got, want))
        fail_msg("%s: got %s, want %s", path, show(got), show(want));
    check_cuts(&s, got, path);
    json_decref(got);
    free(s.bytes);
    json_decref(c);
}

static void test_streams_of_the_corpus(void **state)
{
    (void)state;
    glob_t found;
    assert_int_equal(
        glob("tests/cases/streams/*.json", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++)
        check_file(found.gl_pathv[i]);
    print_message("# %zu streams at every cut\n", (size_t)found.gl_pathc);
    assert_true(found.gl_pathc >= 160);
    globfree(&found);
}

/* ---------------------------------------------- Cloudflare's client tests */

static json_t *value_of(const json_t *text)
{
    json_t *v = json_loads(json_string_value(text), JSON_DECODE_ANY, NULL);
    return v ? v : json_incref((json_t *)text);
}

static void check_call(
    const json_t *got, const json_t *want, const char *name)
{
    json_t *has = value_of(json_object_get(got, "arguments"));
    json_t *wants = value_of(json_object_get(want, "arguments"));
    bool ok = json_equal(json_object_get(got, "id"),
                  json_object_get(want, "id")) &&
              json_equal(json_object_get(got, "name"),
                  json_object_get(want, "name")) &&
              json_equal(has, wants);
    if (!ok)
        fail_msg("%s: got call %s, want %s", name, show(got), show(want));
    json_decref(has);
    json_decref(wants);
}

/* What the events come to: text, reasoning, calls, prompt tokens, end. */
static void check_accumulated(
    const json_t *events, const json_t *want, const char *name)
{
    struct er_buf text, reasoning;
    er_buf_init(&text, MAX_BYTES);
    er_buf_init(&reasoning, MAX_BYTES);
    const json_t *calls = json_object_get(want, "tool_calls");
    const json_t *end = NULL, *tokens = NULL;
    size_t n = 0;
    for (size_t i = 0; i < json_array_size(events); i++) {
        const json_t *e = json_array_get(events, i), *v;
        if ((v = json_object_get(e, "text")))
            er_buf_adds(&text, json_string_value(v));
        if ((v = json_object_get(e, "reasoning")))
            er_buf_adds(&reasoning, json_string_value(v));
        if ((v = json_object_get(e, "call")))
            check_call(v, json_array_get(calls, n++), name);
        if ((v = json_object_get(e, "usage")))
            tokens = json_object_get(v, "prompt");
        end = e;
    }
    assert_string_equal(er_buf_str(&text),
        json_string_value(json_object_get(want, "text")));
    assert_string_equal(er_buf_str(&reasoning),
        json_string_value(json_object_get(want, "reasoning")));
    er_buf_release(&text);
    er_buf_release(&reasoning);
    assert_int_equal(n, json_array_size(calls));
    bool whole = json_is_true(json_object_get(want, "saw_done")) ||
                 json_is_string(json_object_get(want, "finish_reason"));
    if (json_is_null(json_object_get(end, "error")) ||
        whole != (json_object_get(end, "done") != NULL))
        fail_msg("%s ends with %s", name, show(end));
    const json_t *usage = json_object_get(want, "usage");
    if (whole)
        assert_int_equal(json_integer_value(tokens),
            json_integer_value(json_object_get(usage, "prompt_tokens")));
}

static struct stream joined(const json_t *chunks)
{
    struct stream s = {.dialect = ER_WORKERS_AI, .framing = ER_SSE};
    struct er_buf all;
    er_buf_init(&all, MAX_BYTES);
    for (size_t i = 0; i < json_array_size(chunks); i++)
        er_buf_adds(&all, json_string_value(json_array_get(chunks, i)));
    s.bytes = er_buf_take(&all, &s.len);
    return s;
}

static void test_streams_of_cloudflares_client(void **state)
{
    (void)state;
    json_t *cases = suite_load("sse/llm_streams.json"), *c, *one;
    size_t i, k, n = 0;
    if (!cases)
        skip();
    json_array_foreach(cases, i, c)
    {
        const char *name = json_string_value(json_object_get(c, "name"));
        json_array_foreach(json_object_get(c, "streams"), k, one)
        {
            struct stream s = joined(json_object_get(one, "chunks"));
            json_t *events = read_cut(&s, 0, 0);
            check_accumulated(
                events, json_object_get(one, "accumulated"), name);
            check_cuts(&s, events, name);
            json_decref(events);
            free(s.bytes);
            n++;
        }
    }
    print_message("# %zu published streams at every cut\n", n);
    json_decref(cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_streams_of_the_corpus),
        cmocka_unit_test(test_streams_of_cloudflares_client),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
