/* Web pages as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/html.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static char *text_of(struct er_html *page, const char *html, size_t most)
{
    struct er_buf out;
    er_buf_init(&out, 4 << 20);
    /* in a block of its own size, so that reading over the end is seen */
    size_t len = strlen(html);
    char *exact = malloc(len ? len : 1);
    memcpy(exact, html, len);
    assert_true(er_html_text(page, exact, len, most, &out));
    free(exact);
    return er_buf_take(&out, NULL);
}

static const struct {
    const char *html, *text;
} pages[] = {
    {"", ""},
    {"plain text", "plain text"},
    {"  a \n\t b  ", "a b"},
    {"<p>one</p><p>two</p>", "one\n\ntwo"},
    {"<P CLASS=x>one<br>two<BR/>three", "one\ntwo\nthree"},
    {"a<b>b</b>c <i> d </i> e", "abc d e"},
    {"<div>a</div><div>b</div>", "a\nb"},
    {"<h1>Top</h1>x<h3>Sub</h3>y", "# Top\n\nx\n\n### Sub\n\ny"},
    {"<h2></h2>x", "x"},
    {"<ul><li>a<li>b</ul>c", "- a\n- b\n\nc"},
    {"x<ol><li>a</li><li>b<ul><li>c</li></ul></li></ol>",
        "x\n\n1. a\n2. b\n  - c"},
    {"<ul><li></li><li>a</li></ul>", "- a"},
    {"<table><tr><th>A<th>B</tr><tr><td>1</td><td>2</td></table>",
        "A | B\n1 | 2"},
    {"<pre>a\n  b\n\nc</pre>d", "```\na\n  b\n\nc\n```\n\nd"},
    {"a<hr>b", "a\n\n---\n\nb"},
    {"<script>if (a < b) alert('</p>')</script>x", "x"},
    {"<SCRIPT>x</SCRIPT >y<style>p{}</style>z", "yz"},
    {"<script>never closed", ""},
    {"<nav><a href='/'>Home</a><nav>x</nav></nav>text", "text"},
    {"<nav>never closed <p>text", "never closed\n\ntext"},
    {"<footer>f</footer><svg><text>t</text></svg>x", "x"},
    {"a<!-- c > d -->b<!-->c<!--->d<!-- e --!>f-->g", "abcdg"},
    {"<!DOCTYPE html><?xml version='1'?>x", "x"},
    {"1 < 2 && 3 > 2 <4> </ x>", "1 < 2 && 3 > 2 <4> </ x>"},
    {"&lt;b&gt; &amp;amp; &quot;&#39;&apos; &copy;&nbsp;x&eacute;",
        "<b> &amp; \"'' \xC2\xA9 x\xC3\xA9"},
    {"&#x41;&#66;&#x1F999;&#150;&#0;&#xD800;&#99999999;",
        "AB\xF0\x9F\xA6\x99\xE2\x80\x93\xEF\xBF\xBD\xEF\xBF\xBD"
        "\xEF\xBF\xBD"},
    {"&unknown; & &; &#; &#x; &amp", "&unknown; & &; &#; &#x; &amp"},
    {"soft\xC2\xADhyphen&shy;ated a\xC2\xA0 \xC2\xA0" "b",
        "softhyphenated a b"},
    {"<img src=x alt='A  cat'> sits", "[image: A cat] sits"},
    {"<img src=x alt=''>a<img src=y>b", "ab"},
    {"<p title='a > b' x=\"'\">quoted</p>", "quoted"},
    {"<p x='never closed>text", ""},
    {"<title> The\n T&amp;tle </title><p>x", "x"},
    {"<blockquote>q</blockquote>a", "q\n\na"},
    {"<dl><dt>t<dd>d</dl>", "t\nd"},
    {"<", "<"},
    {"a<", "a<"},
    {"</", "</"},
    {"<a", ""},
    {"<!", ""},
    {"<a href=", ""},
    {"\x01\x02 a\x7f" "b", "a b"},
};

static void test_html_to_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        struct er_html page = {.links = true};
        char *text = text_of(&page, pages[i].html, 1 << 20);
        if (strcmp(text, pages[i].text) != 0)
            fail_msg("%s:\n%s\nexpected:\n%s", pages[i].html, text,
                pages[i].text);
        assert_false(page.cut);
        free(text);
    }
}

static void test_html_title_and_links(void **state)
{
    struct er_html page = {
        .base = "https://e.org/a/b?q#f", .links = true};
    (void)state;
    char *text = text_of(&page,
        "<title>A &lt; B</title><title>other</title>"
        "<a href='/x?a=1&amp;b=2'>one</a> <a href=c#d>two</a> <a href='#'>"
        "no</a> <a href='mailto:a@b'>mail</a> <a href='javascript:x()'>js"
        "</a> <a href='//h.org/'></a><a href='  ../up '>three</a>",
        1 << 20);
    assert_string_equal(page.title, "A < B");
    assert_string_equal(text,
        "one[1] two[2] no mail js three[3]\n\nLinks:\n"
        "[1] https://e.org/x?a=1&b=2\n[2] https://e.org/a/c\n"
        "[3] https://e.org/up");
    free(text);
    page = (struct er_html){.base = "https://e.org", .links = false};
    text = text_of(&page, "<a href=x>one</a>", 1 << 20);
    assert_string_equal(text, "one");
    free(text);
}

static void test_html_links_are_whole(void **state)
{
    static const struct {
        const char *base, *href, *url;
    } rows[] = {
        {"https://e.org", "x", "https://e.org/x"},
        {"https://e.org/", "x", "https://e.org/x"},
        {"https://e.org/a/b", "x", "https://e.org/a/x"},
        {"https://e.org/a/b/", "../../../x", "https://e.org/x"},
        {"https://e.org/a/b", ".", "https://e.org/a/"},
        {"https://e.org/a/b", "..", "https://e.org/"},
        {"https://e.org/a/b", "./c/./d/../e?x=../y",
            "https://e.org/a/c/e?x=../y"},
        {"https://e.org/a/b?q", "?r", "https://e.org/a/b?r"},
        {"https://e.org/a", "//f.org/b", "https://f.org/b"},
        {"https://e.org/a", "HTTP://F.org/b#c", "HTTP://F.org/b"},
        {NULL, "https://f.org", "https://f.org"},
        {NULL, "/x", NULL},
        {"https://e.org", "#x", NULL},
        {"https://e.org", "", NULL},
        {"https://e.org", "tel:1", NULL},
        {"https://e.org", "a b", NULL},
        {"ftp://e.org/", "x", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char out[ER_HTML_LINK + 1];
        bool ok = er_html_link(
            rows[i].base, rows[i].href, strlen(rows[i].href), out);
        if (ok != (rows[i].url != NULL) ||
            (ok && strcmp(out, rows[i].url) != 0))
            fail_msg("%s %s: %s", rows[i].base, rows[i].href,
                ok ? out : "none");
    }
}

static void test_html_is_cut_at_its_limit(void **state)
{
    struct er_html page = {.links = true};
    struct er_buf html;
    (void)state;
    er_buf_init(&html, 1 << 20);
    for (int i = 0; i < 1000; i++)
        er_buf_adds(&html, "\xC3\xA9 ");
    char *text = text_of(&page, er_buf_str(&html), 100);
    assert_true(page.cut);
    assert_true(strlen(text) <= 100 && strlen(text) > 90);
    assert_int_equal(
        er_utf8_valid_prefix(text, strlen(text)), strlen(text));
    free(text);
    er_buf_release(&html);
}

/* What a page can do to make it slow: it stays linear. */
static void test_html_has_no_slow_page(void **state)
{
    static const char *const pieces[] = {"<nav>", "<!--", "<a href='", "<",
        "&", "<svg><script>", "</script", "<title>", "<ul>", "<pre>",
        "<svg></svg><select>", "<img alt='a", "<!-- -- >"};
    (void)state;
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        struct er_html page = {.links = true};
        struct er_buf html;
        er_buf_init(&html, 8 << 20);
        while (er_buf_adds(&html, pieces[i]) && html.len < (2u << 20))
            ;
        char *text = text_of(&page, er_buf_str(&html), 1 << 20);
        assert_non_null(text);
        free(text);
        er_buf_release(&html);
    }
}

static void test_html_charsets(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        const char *type, *text;
    } rows[] = {
        {"caf\xC3\xA9", 5, NULL, "caf\xC3\xA9"},
        {"\xEF\xBB\xBF" "a", 4, "text/html; charset=iso-8859-1", "a"},
        {"caf\xE9", 4, "text/html; charset=ISO-8859-1", "caf\xC3\xA9"},
        {"caf\xE9\x80", 5, "text/html;charset=\"windows-1252\"",
            "caf\xC3\xA9\xE2\x82\xAC"},
        {"\xA4", 1, "x; charset=iso-8859-15", "\xE2\x82\xAC"},
        {"<meta charset='latin1'>\xE9", 24, "text/html",
            "<meta charset='latin1'>\xC3\xA9"},
        {"<meta charset=utf-16>x", 22, NULL, "<meta charset=utf-16>x"},
        {"\xFF\xFEh\0i\0", 6, NULL, "hi"},
        {"\xFE\xFF\0h\0i", 6, NULL, "hi"},
        {"\xFF\xFE\x3E\xD8\x99\xDD", 6, NULL, "\xF0\x9F\xA6\x99"},
        {"\xFF\xFE\x3E\xD8", 4, NULL, "\xEF\xBF\xBD"},
        {"a\xFF" "b", 3, "text/plain; charset=shift_jis",
            "a\xEF\xBF\xBD" "b"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct er_buf out;
        er_buf_init(&out, 1000);
        assert_true(er_charset_read(
            &out, rows[i].bytes, rows[i].len, rows[i].type));
        assert_string_equal(er_buf_str(&out), rows[i].text);
        er_buf_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_html_to_text),
        cmocka_unit_test(test_html_title_and_links),
        cmocka_unit_test(test_html_links_are_whole),
        cmocka_unit_test(test_html_is_cut_at_its_limit),
        cmocka_unit_test(test_html_has_no_slow_page),
        cmocka_unit_test(test_html_charsets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
