/* The short cut through streams gives what the long way gives. Random and
 * hostile streams are read twice: once as they are, once by a reader whose
 * short cut is taken away before every event. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "model/reader.h"
#include "support/reader_kit.h"

#include <stdio.h>
#include <time.h>

enum { MAX_BYTES = 1 << 20 };

/* ------------------------------------------------------------- streams */

static uint64_t seed;

static unsigned pick(unsigned n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed >> 33) % n;
}

/* %T: a random literal's contents; %P: random padding; %N: a number. */
static const char *const frames[] = {
    "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"%T\"}}]}",
    "{\"id\":\"c\",\"created\":%N,\"choices\":[{\"delta\":{\"content\":"
    "\"%T\"},\"finish_reason\":null}],\"usage\":null}",
    "{ \"choices\" : [ { \"delta\" : { \"content\" : \"%T\" } } ] } ",
    "{\"choices\":[{\"delta\":{\"content\":\"%T\"}}],\"obfuscation\":\"%P\"}",
    "{\"p\":\"%P\",\"choices\":[{\"delta\":{\"content\":\"%T\"}}]}",
    "{\"response\":\"%T\",\"tool_calls\":[],\"p\":\"%P\"}",
    "{\"response\":\"%T\",\"usage\":{\"prompt_tokens\":%N,"
    "\"completion_tokens\":%N,\"total_tokens\":%N}}",
    "{\"choices\":[{\"delta\":{\"content\":\"%T\"}}],\"usage\":{"
    "\"prompt_tokens\":9,\"completion_tokens\":%N,"
    "\"prompt_tokens_details\":{\"cached_tokens\":%N},"
    "\"completion_tokens_details\":{\"reasoning_tokens\":%N}}}",
    "{\"choices\":[{\"delta\":{\"content\":\"%T\"},\"usage\":{"
    "\"prompt_tokens\":%N}}],\"usage\":{\"completion_tokens\":%N}}",
    "{\"choices\":[{\"delta\":{\"reasoning_content\":\"%T\"}}]}",
    "{\"choices\":[{\"delta\":{\"reasoning\":\"%T\",\"content\":\"\"}}]}",
    "{\"choices\":[{\"delta\":{\"content\":\"\",\"refusal\":\"%T\"}}]}",
    "{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":"
    "{\"arguments\":\"%T\"}}]}}]}",
    "{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":1,\"function\":"
    "{\"arguments\":\"%T\"}}]}}]}",
    "{\"choices\":[{\"delta\":{\"tool_calls\":[{\"function\":"
    "{\"arguments\":\"%T\"}}]}}]}",
    "{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"%T\"}}]}",
    "{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"a\","
    "\"function\":{\"arguments\":\"%T\"}}]}}]}",
    "{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":"
    "{\"name\":\"%P\",\"arguments\":\"%T\"}}]}}]}",
    "{\"choices\":[{\"delta\":{\"function_call\":{\"arguments\":\"%T\"}}}]}",
    /* traps: the string is not the text, or not only the text */
    "{\"content\":\"%T\",\"choices\":[{\"delta\":{\"content\":\"x\"}}]}",
    "{\"choices\":[{\"delta\":{\"content\":\"x\",\"content\":\"%T\"}}]}",
    "{\"choices\":[{\"delta\":{\"content\":\"%T\",\"content\":\"x\"}}]}",
    "{\"choices\":[{\"delta\":{\"content\":\"%T\"}},{\"delta\":{\"content\":"
    "\"x\"}}]}",
    "{\"text\":\"content\",\"choices\":[{\"delta\":{\"content\":\"%T\"}}]}",
    "{\"choices\":[{\"delta\":{\"content\":[{\"type\":\"text\",\"text\":"
    "\"%T\"}]}}]}",
    "{\"choices\":[{\"delta\":{\"content\":\"x\",\"reasoning\":\"%T\"}}]}",
    "{\"choices\":[{\"delta\":{\"content\":\"%T\",\"extra_content\":"
    "{\"p\":\"%P\"}}}]}",
    "{\"choices\":[{\"delta\":{\"content\":\"%T\",\"reasoning_details\":"
    "[{\"type\":\"reasoning.text\",\"text\":\"%P\"}]}}]}",
    "{\"choices\":[{\"delta\":{\"content\":\"%T\"},\"finish_reason\":"
    "\"%P\"}]}",
    "{\"choices\":[{\"text\":\"%T\"}],\"obfuscation\":\"%P\"}",
    "{\"error\":null,\"choices\":[{\"delta\":{\"content\":\"%T\"}}]}",
    "{\"errors\":[{\"text\":\"%T\"}],\"choices\":[{\"delta\":{\"content\":"
    "\"x\"}}]}",
    "{\"choices\":[{\"delta\":{\"role\":\"%T\",\"content\":\"x\"}}]}",
    "{\"success\":true,\"result\":{\"response\":\"%T\"}}",
    "{\"choices\":[{\"delta\":{\"content\":\"%T\"}}],\"usage\":{"
    "\"input_tokens\":%N,\"prompt_tokens\":0,\"completion_tokens\":%N}}",
};

static const char *const literals[] = {"a", " word", "\xCF\x80",
    "\xF0\x9F\xA6\x99", "\\n", "\\\"", "\\\\", "\\/", "\\u00e9",
    "\\ud83e\\udd99", "\\u0000", "\\ud83e", "\\udd99", "\\ud83ex",
    "\\ud83e\\u0041", "\\uD800\\uDBFF", "\\u12G4", "\\u12", "\\x", "\\",
    "\xFF", "\xC3", "\xE2\x82", "\xED\xA0\x80", "\x01", "\t", "\x7f",
    "content\\\":\\\"b", "\",\"finish_reason\":\"stop", "\"", "\"}",
    "\"}}]}", "}", "{\\\"x\\\":1}", "{", "}", "[DONE]", "\\u007f", "\\b\\f",
    "data: ", "   ", "null", "0"};

static const char *const numbers[] = {"1", "7", "42", "0", "01", "-1",
    "1.5", "1e3", "999999999999999", "1234567890123456", "9", "10",
    "18446744073709551616", "", "\"3\"", "730421", "52"};

static void add_literal(struct er_buf *out, bool tame)
{
    unsigned n = pick(4);
    for (unsigned i = 0; i < n; i++)
        er_buf_adds(out, literals[tame ? pick(10)
                                       : pick(sizeof literals /
                                              sizeof *literals)]);
}

static void add_event(struct er_buf *out, const char *frame, bool tame)
{
    er_buf_adds(out, "data: ");
    for (const char *p = frame; *p; p++) {
        if (*p != '%') {
            er_buf_addc(out, *p);
            continue;
        }
        p++;
        if (*p == 'T')
            add_literal(out, tame);
        else if (*p == 'P' && tame)
            er_buf_addf(out, "p%u", pick(1000));
        else if (*p == 'P')
            add_literal(out, pick(2));
        else
            er_buf_adds(out, numbers[tame ? pick(3)
                                          : pick(sizeof numbers /
                                                 sizeof *numbers)]);
    }
    er_buf_adds(out, "\n\n");
}

/* Where each event ends is kept, so that the second reader can be fed one
 * event at a time. */
struct made {
    struct er_buf bytes;
    size_t end[64];
    size_t n;
};

static void make(struct made *m)
{
    unsigned frame = pick(sizeof frames / sizeof *frames);
    unsigned events = 12 + pick(40);
    er_buf_init(&m->bytes, MAX_BYTES);
    for (m->n = 0; m->n < events; m->n++) {
        if (pick(25) == 0)
            frame = pick(sizeof frames / sizeof *frames);
        bool tame = m->n < 10 || pick(3) > 0;
        add_event(&m->bytes, frames[frame], tame);
        m->end[m->n] = m->bytes.len;
    }
    er_buf_adds(&m->bytes, "data: [DONE]\n\n");
    m->end[m->n++] = m->bytes.len;
    if (pick(3) == 0) { /* one byte is another; not one that ends events */
        size_t at = pick((unsigned)m->bytes.len - 20);
        char *c = &m->bytes.data[at];
        if (*c != '\n' && *c != '\r')
            *c = (char)(' ' + pick(95));
    }
}

/* ------------------------------------------------------------ comparison */

static size_t proven; /* streams whose short cut was in use at their end */

static json_t *read_made(
    const struct made *m, enum er_dialect dialect, bool long_way)
{
    json_t *events = json_array();
    struct er_reader r;
    size_t from = 0;
    er_reader_init(&r, dialect, ER_SSE, MAX_BYTES, kit_on_event, events);
    for (size_t i = 0; i < m->n; i++) {
        if (long_way) {
            er_shortcut_release(&r.fast);
            er_shortcut_init(&r.fast, MAX_BYTES);
        }
        er_reader_feed(&r, m->bytes.data + from, m->end[i] - from);
        from = m->end[i];
    }
    proven += r.fast.state == ER_SHORTCUT_PROVEN;
    er_reader_end(&r);
    er_reader_release(&r);
    return events;
}

static void test_shortcut_gives_what_the_long_way_gives(void **state)
{
    (void)state;
    const char *given = getenv("ERRAND_SEED");
    seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL) * 7919;
    print_message("# ERRAND_SEED=%llu\n", (unsigned long long)seed);
    enum { STREAMS = 3000 };
    for (int i = 0; i < STREAMS; i++) {
        struct made m;
        make(&m);
        enum er_dialect dialect = pick(2) ? ER_OPENAI : ER_WORKERS_AI;
        json_t *fast = read_made(&m, dialect, false);
        json_t *slow = read_made(&m, dialect, true);
        if (!json_equal(fast, slow)) {
            char *a = json_dumps(fast, 0), *b = json_dumps(slow, 0);
            fail_msg("stream %d: %s\nshort cut: %s\nlong way:  %s", i,
                m.bytes.data, a, b);
        }
        json_decref(fast);
        json_decref(slow);
        er_buf_release(&m.bytes);
    }
    print_message("# %zu of %d streams took it\n", proven, STREAMS);
    assert_true(proven > STREAMS / 4);
}

/* ------------------------------------------------- forms that take turns */

#define ARGUMENTS(before, piece)                                          \
    "{\"choices\":[{\"delta\":{\"tool_calls\":[{" before                   \
    "\"function\":{\"arguments\":\"" piece "\"}}]}}]}"
#define LEGACY(piece)                                                     \
    "{\"choices\":[{\"delta\":{\"function_call\":{\"arguments\":\"" piece    \
    "\"}}}]}"
#define NAMED(before)                                                     \
    "{\"choices\":[{\"delta\":{\"tool_calls\":[{" before                   \
    "\"function\":{\"name\":\"f\"}}]}}]}"
#define USAGE(count)                                                      \
    "{\"choices\":[{\"delta\":{\"content\":\"a\"}}],\"usage\":{"          \
    "\"input_tokens\":7,\"completion_tokens\":" count "}}"

/* The first event, the form ten times, what comes between, the form again:
 * what the form does must not depend on what came between. */
static void check_turns(
    const char *first, const char *form, const char *between)
{
    struct made m = {0};
    const char *events[16] = {first};
    for (size_t i = 1; i < 16; i++)
        events[i] = i == 12 ? between : form;
    er_buf_init(&m.bytes, MAX_BYTES);
    for (m.n = 0; m.n < 16; m.n++) {
        er_buf_addf(&m.bytes, "data: %s\n\n", events[m.n]);
        m.end[m.n] = m.bytes.len;
    }
    er_buf_adds(&m.bytes, "data: [DONE]\n\n");
    m.end[m.n++] = m.bytes.len;
    json_t *fast = read_made(&m, ER_OPENAI, false);
    json_t *slow = read_made(&m, ER_OPENAI, true);
    if (!json_equal(fast, slow))
        fail_msg("%s\nshort cut: %s\nlong way:  %s", m.bytes.data,
            json_dumps(fast, 0), json_dumps(slow, 0));
    json_decref(fast);
    json_decref(slow);
    er_buf_release(&m.bytes);
}

static void test_shortcut_keeps_calls_apart(void **state)
{
    (void)state;
    static const char other[] = NAMED("\"index\":0,\"id\":\"b\",");
    check_turns(NAMED("\"index\":0,\"id\":\"a\","),
        ARGUMENTS("\"index\":0,", "x"), other);
    check_turns(NAMED("\"index\":0,\"id\":\"a\","),
        ARGUMENTS("\"index\":0,\"id\":\"a\",", "x"), other);
    check_turns(NAMED("\"index\":1,\"id\":\"a\","),
        ARGUMENTS("\"index\":1,", "x"), other);
    check_turns(NAMED("\"id\":\"a\","), ARGUMENTS("", "x"), other);
    check_turns(NAMED("\"id\":\"a\","), LEGACY("x"), other);
    check_turns("{\"choices\":[{\"delta\":{\"function_call\":{\"name\":"
                "\"f\"}}}]}", LEGACY("x"), other);
    check_turns(NAMED("\"index\":0,\"id\":\"a\","),
        ARGUMENTS("\"index\":0,\"extra_content\":{\"a\":1},", "x"), other);
}

static void test_shortcut_keeps_usage(void **state)
{
    (void)state;
    check_turns(USAGE("1"), USAGE("2"),
        "{\"usage\":{\"input_tokens\":99,\"prompt_tokens\":88}}");
    check_turns(USAGE("1"), USAGE("2"), USAGE("0"));
}

/* ----------------------------------------------------- one form at a time */

/* Does a stream of this frame come to be read by the short cut? */
static enum er_shortcut_state state_after(
    const char *frame, enum er_dialect dialect, unsigned events)
{
    json_t *got = json_array();
    struct er_reader r;
    struct er_buf bytes;
    er_buf_init(&bytes, MAX_BYTES);
    er_buf_adds(&bytes, "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{"
                        "\"index\":0,\"id\":\"a\",\"function\":{\"name\":"
                        "\"f\"}}]}}]}\n\n");
    seed = 1;
    for (unsigned i = 0; i < events; i++)
        add_event(&bytes, frame, true);
    er_reader_init(&r, dialect, ER_SSE, MAX_BYTES, kit_on_event, got);
    er_reader_feed(&r, bytes.data, bytes.len);
    enum er_shortcut_state found = r.fast.state;
    er_reader_release(&r);
    er_buf_release(&bytes);
    json_decref(got);
    return found;
}

static void test_shortcut_is_taken_where_it_counts(void **state)
{
    (void)state;
    for (int i = 0; i <= 15; i++) {
        if (i == 11) /* the text is a refusal, which is not looked for */
            continue;
        bool native = i == 5 || i == 6 || i == 15;
        enum er_shortcut_state got = state_after(
            frames[i], native ? ER_WORKERS_AI : ER_OPENAI, 40);
        if (got != ER_SHORTCUT_PROVEN)
            fail_msg("not taken: %s", frames[i]);
    }
}

static void test_shortcut_waits_for_long_answers(void **state)
{
    (void)state;
    assert_int_equal(
        state_after(frames[0], ER_OPENAI, 3), ER_SHORTCUT_LEARNING);
}

#define LAST_WORDS                                                            \
    "{\"choices\":[{\"delta\":{\"content\":\"a%T\"},\"usage\":{"              \
    "\"prompt_tokens\":1}}],\"finish_reason\":\"x\",\"text\":\"y\"}"

static void test_shortcut_refuses_what_it_cannot_prove(void **state)
{
    (void)state;
    static const struct {
        const char *frame;
        enum er_dialect dialect;
        enum er_shortcut_state state;
    } traps[] = {
        {"{\"choices\":[{\"delta\":{\"content\":\"a%T\",\"content\":\"x\"}}]}",
            ER_OPENAI, ER_SHORTCUT_REFUTED},
        {"{\"content\":\"a%T\",\"choices\":[{\"delta\":{\"content\":\"x\"}}]}",
            ER_OPENAI, ER_SHORTCUT_REFUTED},
        /* what stands at the top is read by one of the dialects only */
        {LAST_WORDS, ER_WORKERS_AI, ER_SHORTCUT_REFUTED},
        {LAST_WORDS, ER_OPENAI, ER_SHORTCUT_PROVEN},
    };
    for (size_t i = 0; i < sizeof traps / sizeof *traps; i++)
        assert_int_equal(
            state_after(traps[i].frame, traps[i].dialect, 40),
            traps[i].state);
}

static void test_shortcut_gives_text_in_place(void **state)
{
    (void)state;
    struct er_template t;
    struct er_filling f = {0};
    struct er_buf scratch;
    static const char event[] = "{\"content\":\"one\"}";
    er_template_init(&t);
    er_buf_init(&scratch, 100);
    er_template_learn(&t, event, sizeof event - 1);
    assert_int_equal(t.holes, 1);
    static const char other[] = "{\"content\":\"other\"}";
    assert_true(er_template_match(&t, other, sizeof other - 1, &scratch, &f));
    assert_ptr_equal(f.text, other + 12);
    assert_int_equal(f.text_len, 5);
    for (size_t n = 0; n < sizeof other - 1; n++) /* any beginning of it */
        assert_false(er_template_match(&t, other, n, &scratch, &f));
    assert_false(er_template_match(
        &t, "{\"content\":\"a\"}}", 16, &scratch, &f));
    er_template_release(&t);
    er_buf_release(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shortcut_gives_what_the_long_way_gives),
        cmocka_unit_test(test_shortcut_keeps_calls_apart),
        cmocka_unit_test(test_shortcut_keeps_usage),
        cmocka_unit_test(test_shortcut_is_taken_where_it_counts),
        cmocka_unit_test(test_shortcut_waits_for_long_answers),
        cmocka_unit_test(test_shortcut_refuses_what_it_cannot_prove),
        cmocka_unit_test(test_shortcut_gives_text_in_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
