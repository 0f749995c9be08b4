/* Chunks: they cover the text, are cut where readers would, and know where
 * they stand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "search/chunk.h"
#include "search/kind.h"

#include <stdlib.h>
#include <string.h>

static void cut(struct er_chunks *c, enum er_kind kind, const char *text)
{
    struct errand_error err = {0};
    er_chunks_init(c);
    int code = er_chunk_text(c, kind, text, strlen(text), &err);
    if (code != ERRAND_OK)
        print_message("%s\n", err.msg);
    assert_int_equal(code, ERRAND_OK);
}

/* Nothing is left out, nothing stands twice. */
static void check_cover(const struct er_chunks *c, const char *text)
{
    size_t at = 0;
    for (size_t i = 0; i < c->n; i++) {
        assert_int_equal(c->v[i].start, at);
        assert_true(c->v[i].end > at);
        assert_ptr_equal(c->v[i].text, text + at);
        assert_int_equal(c->v[i].len, c->v[i].end - at);
        at = c->v[i].end;
    }
    assert_int_equal(at, strlen(text));
}

static char *repeat(const char *word, size_t n)
{
    struct er_buf b;
    er_buf_init(&b, 1 << 24);
    for (size_t i = 0; i < n; i++)
        er_buf_adds(&b, word);
    return er_buf_take(&b, NULL);
}

static void test_chunk_headings(void **state)
{
    static const char text[] =
        "# Guide\n\nSome words that introduce it, and some more so that the "
        "section is not a small one: it has to stand for itself and say "
        "what it says in more than thirty tokens of text.\n\n"
        "## First part ##\n\nText of it.\n\n```\n# no heading\n```\n"
        "Second part\n-----------\n\nMore.\n### Deep\nLast.\n";
    struct er_chunks c;
    (void)state;
    cut(&c, ER_KIND_MARKDOWN, text);
    check_cover(&c, text);
    assert_int_equal(c.n, 3);
    assert_string_equal(c.title, "Guide");
    assert_string_equal(c.v[0].heading, "Guide");
    assert_string_equal(c.v[1].heading, "Guide > First part");
    assert_non_null(strstr(c.v[1].text, "# no heading"));
    assert_string_equal(c.v[2].heading, "Guide > Second part");
    assert_int_equal(c.v[0].line, 1);
    assert_int_equal(c.v[1].line, 5);
    assert_int_equal(c.v[2].line, 12);
    er_chunks_release(&c);
}

static void test_chunk_long_texts(void **state)
{
    static const struct {
        enum er_kind kind;
        const char *piece;
        size_t n;
    } cases[] = {
        {ER_KIND_TEXT, "A sentence of seven words stands here. ", 500},
        {ER_KIND_TEXT, "word ", 3000},
        {ER_KIND_TEXT, "letters", 3000},
        {ER_KIND_TEXT, "No full stop\n\n\n", 900},
        {ER_KIND_TEXT, "\xE6\x96\x87\xE5\xAD\x97\xE3\x80\x82", 3000},
        {ER_KIND_MARKDOWN, "# A\n\ntext\n", 700},
        {ER_KIND_MARKDOWN, "- a point of a list\n", 900},
        {ER_KIND_CODE, "int f(int a)\n{\n    return a + 1;\n}\n\n", 300},
        {ER_KIND_CODE, "    x = y;\n", 2000},
        {ER_KIND_CSV, "1,\"two\nlines\",3\n", 800},
        {ER_KIND_CSV, "\"never closed,", 4000},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *text = repeat(cases[i].piece, cases[i].n);
        struct er_chunks c;
        cut(&c, cases[i].kind, text);
        check_cover(&c, text);
        assert_true(c.n > 1);
        for (size_t k = 0; k < c.n; k++) {
            size_t n = er_tokens_guess(c.v[k].text, c.v[k].len);
            assert_true(n > 0);
            /* letters without end are cut by bytes */
            assert_true(n <= ER_CHUNK_MOST + ER_CHUNK_TOKENS || i == 2);
        }
        er_chunks_release(&c);
        free(text);
    }
}

static void test_chunk_code_and_tables(void **state)
{
    char *body = repeat("    work(and, some, more);\n", 20);
    struct er_buf text;
    struct er_chunks c;
    (void)state;
    er_buf_init(&text, 1 << 20);
    er_buf_addf(&text, "#include <a.h>\n\nint first(void)\n{\n%s}\n\n"
        "int second(void)\n{\n%s}\n", body, body);
    cut(&c, ER_KIND_CODE, er_buf_str(&text));
    assert_int_equal(c.n, 2);
    assert_string_equal(c.v[0].heading, "int first(void)");
    assert_string_equal(c.v[1].heading, "int second(void)");
    er_chunks_release(&c);
    cut(&c, ER_KIND_CSV, "name,\"age\"\nann,3\n");
    assert_int_equal(c.n, 1);
    assert_string_equal(c.v[0].heading, "name, age");
    er_chunks_release(&c);
    er_buf_release(&text);
    free(body);
}

static void test_chunk_records(void **state)
{
    static const char text[] =
        "{\"title\": \"One\", \"text\": \"a\\nb\", \"n\": {\"x\": [1, \"y\"]}}"
        "\n\nno json\n{\"a\": null}\n";
    struct er_chunks c;
    (void)state;
    cut(&c, ER_KIND_JSONL, text);
    assert_int_equal(c.n, 2);
    assert_string_equal(c.v[0].heading, "One");
    assert_int_equal(c.v[0].line, 1);
    assert_string_equal(
        c.v[0].text, "title: One\ntext: a\nb\nn.x: 1, y\n");
    assert_int_equal(c.v[1].line, 3);
    assert_string_equal(c.v[1].text, "no json\na: null\n");
    assert_int_equal(c.v[1].end, strlen(text));
    er_chunks_release(&c);
}

static void test_chunk_nothing(void **state)
{
    static const char *const texts[] = {"", " ", "\n\n\t\n", "   \r\n"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        for (int kind = ER_KIND_TEXT; kind <= ER_KIND_OFFICE; kind++) {
            struct er_chunks c;
            cut(&c, (enum er_kind)kind, texts[i]);
            assert_int_equal(c.n, 0);
            er_chunks_release(&c);
        }
}

static void test_kind_names(void **state)
{
    static const struct {
        const char *path;
        enum er_kind kind;
    } cases[] = {{"a/b.md", ER_KIND_MARKDOWN}, {"x.HTML", ER_KIND_HTML},
        {"Makefile", ER_KIND_CODE}, {"a.tar.gz", ER_KIND_UNKNOWN},
        {"a.b/c", ER_KIND_UNKNOWN}, {"log.jsonl", ER_KIND_JSONL},
        {"t.CSV", ER_KIND_CSV}, {".c", ER_KIND_CODE}, {"", 0}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(er_kind_of_name(cases[i].path), cases[i].kind);
    for (int k = 1; k <= ER_KIND_OFFICE; k++)
        assert_int_equal(er_kind_named(er_kind_name((enum er_kind)k)), k);
    assert_true(er_kind_is_binary("ab\0c", 4));
    assert_false(er_kind_is_binary("a\tb\n", 4));
    assert_false(er_kind_is_binary("\xFF\xFE" "a\0", 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chunk_headings),
        cmocka_unit_test(test_chunk_long_texts),
        cmocka_unit_test(test_chunk_code_and_tables),
        cmocka_unit_test(test_chunk_records),
        cmocka_unit_test(test_chunk_nothing),
        cmocka_unit_test(test_kind_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
