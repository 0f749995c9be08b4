/* Chat templates: as jinja2 renders them, bounded, and with every byte's
 * origin kept. The goldens need the shared suites. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine/jinja.h"
#include "support/suites.h"

static const char *const model_names[] = {"bos_token", "eos_token", NULL};

/* Friday, 2024-07-26 12:34:56 */
enum { NOW = 1721997296 };

static int render(const char *text, const json_t *vars,
    struct er_prompt *out, struct errand_error *err)
{
    struct er_jinja_input in = {
        .vars = vars, .trusted = model_names, .now_s = NOW};
    memset(err, 0, sizeof *err);
    er_prompt_init(out);
    er_jinja *t = er_jinja_compile(text, strlen(text), err);
    int rc = t ? er_jinja_render(t, &in, out, err) : err->code;
    er_jinja_free(t);
    return rc;
}

/* Render; vars is JSON. The marked text has «» around what is trusted. */
static char *rendered(const char *text, const char *vars, bool marked)
{
    struct errand_error err;
    struct er_prompt p;
    struct er_buf b;
    json_t *v = er_json_parse(vars, strlen(vars), ER_JSON_LENIENT, NULL);
    assert_non_null(v);
    if (render(text, v, &p, &err) != ERRAND_OK)
        fail_msg("%s\n fails: %s", text, err.msg);
    er_buf_init(&b, 1 << 20);
    size_t at = 0;
    for (size_t i = 0; i < p.n_spans; i++) {
        if (marked && p.spans[i].trusted)
            er_buf_adds(&b, "<");
        er_buf_add(&b, p.text.data + at, p.spans[i].len);
        if (marked && p.spans[i].trusted)
            er_buf_adds(&b, ">");
        at += p.spans[i].len;
    }
    assert_int_equal(at, p.text.len);
    er_prompt_release(&p);
    json_decref(v);
    return er_buf_take(&b, NULL);
}

static void gives(const char *text, const char *vars, const char *want)
{
    char *got = rendered(text, vars, false);
    if (strcmp(got, want) != 0)
        fail_msg("%s\n gives '%s'\n not   '%s'", text, got, want);
    free(got);
}

static void marks(const char *text, const char *vars, const char *want)
{
    char *got = rendered(text, vars, true);
    if (strcmp(got, want) != 0)
        fail_msg("%s\n gives '%s'\n not   '%s'", text, got, want);
    free(got);
}

static void fails(const char *text, int code, const char *want)
{
    struct errand_error err;
    struct er_prompt p;
    json_t *v = json_pack("{s:s,s:i,s:[i,i]}", "s", "text", "i", 1, "l", 1, 2);
    int rc = render(text, v, &p, &err);
    if (rc != code || !strstr(err.msg, want))
        fail_msg("%s\n gives %d '%s'\n not   %d '%s'", text, rc,
            rc ? err.msg : er_buf_str(&p.text), code, want);
    er_prompt_release(&p);
    json_decref(v);
}

/* --- the suites */

static void test_jinja_renders_the_cases_of_the_suite(void **state)
{
    size_t i, bad = 0;
    json_t *c;
    (void)state;
    json_t *all = suite_load("chat/jinja_cases.json");
    if (!all)
        skip();
    json_array_foreach(all, i, c) {
        struct errand_error err;
        struct er_prompt p;
        int rc = render(er_json_str(c, "template"),
            json_object_get(c, "vars"), &p, &err);
        const char *want = er_json_str(c, "expected");
        if (rc != ERRAND_OK || strcmp(er_buf_str(&p.text), want) != 0) {
            printf("# %s: '%s' not '%s'\n", er_json_str(c, "name"),
                rc ? err.msg : er_buf_str(&p.text), want);
            bad++;
        }
        er_prompt_release(&p);
    }
    printf("# %zu of %zu template units\n", i - bad, i);
    assert_int_equal(bad, 0);
    json_decref(all);
}

static char *read_template(const char *name)
{
    const char *folder = getenv("ERRAND_SUITES");
    char path[600];
    struct er_buf b;
    snprintf(path, sizeof path, "%s/chat/templates/%s",
        folder && *folder ? folder : "../shared/suites", name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    er_buf_init(&b, 1 << 20);
    assert_true(er_buf_reserve(&b, 65536));
    b.len = fread(b.data, 1, 65536, f);
    b.data[b.len] = '\0';
    fclose(f);
    return er_buf_take(&b, NULL);
}

static void test_jinja_renders_the_templates_of_models(void **state)
{
    size_t i;
    json_t *g;
    (void)state;
    json_t *doc = suite_load("chat/goldens.json");
    if (!doc)
        skip();
    json_array_foreach(json_object_get(doc, "goldens"), i, g) {
        struct errand_error err;
        struct er_prompt p;
        char *text = read_template(er_json_str(g, "template"));
        json_t *vars = json_object_get(json_object_get(doc, "contexts"),
            er_json_str(g, "context"));
        int rc = render(text, vars, &p, &err);
        const char *error = er_json_str(g, "error");
        if (error) {
            assert_int_equal(rc, ERRAND_SYNTAX);
            assert_non_null(strstr(err.msg, strchr(error, ':') + 2));
        } else if (rc != ERRAND_OK) {
            fail_msg("%s %s: %s", er_json_str(g, "template"),
                er_json_str(g, "context"), err.msg);
        } else {
            assert_string_equal(
                er_buf_str(&p.text), er_json_str(g, "expected"));
        }
        er_prompt_release(&p);
        free(text);
    }
    printf("# %zu goldens\n", i);
    json_decref(doc);
}

static void test_jinja_renders_builtin_templates(void **state)
{
    size_t i;
    json_t *c;
    (void)state;
    json_t *all = suite_load("chat/builtin_template_cases.json");
    if (!all)
        skip();
    json_array_foreach(all, i, c) {
        struct errand_error err;
        struct er_prompt p;
        int rc = render(er_json_str(c, "template"), c, &p, &err);
        const char *want = er_json_str(c, "jinja2_3.1.6_output");
        want = want ? want : er_json_str(c, "expected_jinja");
        want = want ? want : er_json_str(c, "expected_llama_builtin");
        if (rc != ERRAND_OK || strcmp(er_buf_str(&p.text), want) != 0)
            fail_msg("%s: '%s' not '%s'", er_json_str(c, "name"),
                rc ? err.msg : er_buf_str(&p.text), want);
        er_prompt_release(&p);
    }
    json_decref(all);
}

/* --- by hand */

static void test_jinja_cuts_white_space(void **state)
{
    (void)state;
    gives("a\n  {% if true %}\n  b\n  {% endif %}\nc\n", "{}",
        "a\n  b\nc");
    gives("a  {%- if true -%}  b  {%- endif +%}\nc", "{}", "ab\nc");
    gives("x\n  {%+ if true %}y{% endif %}", "{}", "x\n  y");
    gives("a\n  {# note #}\nb", "{}", "a\nb");
    gives("a {#- note -#}  b", "{}", "ab");
    gives("a\r\nb\r\n", "{}", "a\nb");
    gives("{% raw %}{{ x }} {% if %}{% endraw %}", "{}", "{{ x }} {% if %}");
    gives("  {{ 1 }}\n", "{}", "  1");
    gives("a {% if true %} b{% endif %}", "{}", "a  b");
}

static void test_jinja_computes(void **state)
{
    (void)state;
    gives("{{ 7 // 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 2 ** 10 }} {{ 7 / 2 }}",
        "{}", "3 -4 2 1024 3.5");
    gives("{{ 1e16 }} {{ 1e-5 }} {{ 0.1 + 0.2 }} {{ 100.0 }} {{ 1.5e300 }}",
        "{}", "1e+16 1e-05 0.30000000000000004 100.0 1.5e+300");
    gives("{{ 1 < 2 < 3 }} {{ 1 < 2 > 3 }} {{ not 1 in [2] }}", "{}",
        "True False True");
    gives("{{ 'a' 'b' ~ 1 ~ none }}", "{}", "ab1None");
    gives("{{ [1, 'a', \"it's\", (1,), {'k': 1.0}] }}", "{}",
        "[1, 'a', \"it's\", (1,), {'k': 1.0}]");
    gives("{{ 'h\xC3\xA9llo'[1] }}{{ 'h\xC3\xA9llo'|length }}"
          "{{ 'h\xC3\xA9llo'[::-1] }}{{ '\xC3\xA9'|upper }}", "{}",
        "\xC3\xA9""5oll\xC3\xA9h\xC3\x89");
    gives("{{ '%s is %d, %.2f' % ('x', 3, 2) }} {{ '%s'|format(1) }}", "{}",
        "x is 3, 2.00 1");
    gives("{{ 'a\\n\\x41\\u00e9\\q' }}", "{}", "a\nA\xC3\xA9\\q");
    gives("{{ strftime_now('%d %b %Y %H:%M') }}", "{}",
        "26 Jul 2024 12:34");
    gives("{{ x.a.b is defined }}{{ x['a'].b }}", "{\"x\":{\"a\":{}}}",
        "False");
}

static void test_jinja_runs_statements(void **state)
{
    (void)state;
    gives("{% for i in range(9) if i is odd %}{% if i == 7 %}{% break %}"
          "{% endif %}{% if i == 3 %}{% continue %}{% endif %}{{ i }}"
          "{{ loop.index }}{% endfor %}", "{}", "1153");
    gives("{% set x = 1 %}{% for i in [1] %}{% set x = 2 %}{% endfor %}"
          "{{ x }}", "{}", "1");
    gives("{% set x %}a{{ 1 }}{% endset %}{{ x|length }}", "{}", "2");
    gives("{% set x | upper | replace('A', 'b') %}aa{% endset %}{{ x }}",
        "{}", "bb");
    gives("{% filter upper %}a{{ 'b' }}{% endfilter %}", "{}", "AB");
    gives("{% for k in l recursive %}{{ k.n }}{% if k.c %}({{ loop(k.c) }})"
          "{% endif %}{% endfor %}",
        "{\"l\":[{\"n\":1,\"c\":[{\"n\":2},{\"n\":3}]},{\"n\":4}]}",
        "1(23)4");
    gives("{% macro f(a, b=a) %}{{ a }}{{ b }}{{ varargs }}{% endmacro %}"
          "{{ f(1) }}{{ f(1, 2, 3) }}", "{}", "11()12(3,)");
    gives("{% macro w() %}[{{ caller() }}]{% endmacro %}"
          "{% call w() %}x{% endcall %}", "{}", "[x]");
    gives("{% for i in [1,2,3] %}{{ loop.cycle('a','b') }}"
          "{{ loop.revindex }}{{ loop.previtem is defined }} {% endfor %}",
        "{}", "a3False b2True a1True ");
    gives("{% with a = 1, b = 2 %}{{ a + b }}{% endwith %}{{ a }}", "{}",
        "3");
    gives("{% generation %}x{% endgeneration %}", "{}", "x");
    gives("{{ {'b':1,'a':[true,none]}|tojson(indent=1, sort_keys=true) }}",
        "{}", "{\n \"a\": [\n  true,\n  null\n ],\n \"b\": 1\n}");
    gives("{{ l|map(attribute='a.b')|join(',') }}"
          "{{ l|groupby('g')|length }}",
        "{\"l\":[{\"a\":{\"b\":1},\"g\":1},{\"a\":{\"b\":2},\"g\":1}]}",
        "1,21");
}

static void test_jinja_names_the_line_of_an_error(void **state)
{
    (void)state;
    fails("a\nb {{ nope.x }}", ERRAND_SYNTAX,
        "template line 2: 'nope' is undefined");
    fails("\n\n{% if %}", ERRAND_SYNTAX, "line 3: expected a value, got %}");
    fails("{% if s %}\nx", ERRAND_SYNTAX, "expected {% endif %}");
    fails("\n{{ s | nope }}", ERRAND_SYNTAX,
        "line 2: there is no filter named 'nope'");
    fails("{{ s is nope }}", ERRAND_SYNTAX, "no test named 'nope'");
    fails("{{ 'x }}", ERRAND_SYNTAX, "line 1: a string is not closed");
    fails("{{ s", ERRAND_SYNTAX, "a tag is not closed: }} is missing");
    fails("x\n{# y", ERRAND_SYNTAX, "line 2: a comment is not closed");
    fails("{% include 'x' %}", ERRAND_SYNTAX, "a statement that chat");
    fails("{{ s + 1 }}", ERRAND_SYNTAX, "'str' and 'int'");
    fails("\n{{ raise_exception('No ' ~ s) }}", ERRAND_SYNTAX,
        "template line 2: No text");
    fails("{{ l.append(3) }}", ERRAND_SYNTAX, "'append' is undefined");
    fails("{% set s.x = 1 %}", ERRAND_SYNTAX, "only of a namespace");
    fails("{{ 1 // 0 }}", ERRAND_SYNTAX, "division by zero");
    fails("{{ 99999999999999999999 }}", ERRAND_SYNTAX, "too large");
    fails("{{ ''.__class__.__mro__ }}", ERRAND_SYNTAX, "is undefined");
}

static void test_jinja_is_bounded(void **state)
{
    char deep[5000];
    (void)state;
    fails("{% for i in range(99999999999) %}{% endfor %}", ERRAND_SYNTAX,
        "range: more than 100000");
    fails("{% set l = range(9999) %}{% for i in l %}{% if 7 in l[9:] %}"
          "{% endif %}{% endfor %}", ERRAND_TOO_LARGE, "");
    fails("{% set l = range(9999) %}{% for i in l %}{% if -1 in l %}"
          "{% endif %}{% endfor %}", ERRAND_TOO_LARGE, "steps");
    fails("{{ 'x' * 99999999 }}", ERRAND_TOO_LARGE, "");
    fails("{% set ns = namespace(s='xxxxxxxx') %}{% for i in range(99) %}"
          "{% set ns.s = ns.s + ns.s %}{% endfor %}", ERRAND_TOO_LARGE, "");
    fails("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        ERRAND_TOO_LARGE, "levels of nesting");
    fails("{% set ns = namespace(l=[]) %}{% for i in range(9999) %}"
          "{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l }}", ERRAND_TOO_LARGE,
        "levels of nesting");
    fails("{{ 2 ** 99999999 }}", ERRAND_SYNTAX, "too large");
    memset(deep, '(', sizeof deep);
    memcpy(deep, "{{ ", 3);
    deep[sizeof deep - 1] = '\0';
    fails(deep, ERRAND_SYNTAX, "nest");
    memset(deep, '-', sizeof deep);
    memcpy(deep, "{{ ", 3);
    memcpy(deep + sizeof deep - 6, "1 }}", 5);
    fails(deep, ERRAND_TOO_LARGE, "levels of nesting");
}

/* --- who wrote it */

static void test_jinja_keeps_who_wrote_what(void **state)
{
    static const char vars[] =
        "{\"bos_token\":\"|B|\",\"u\":\" |im_start| \",\"r\":\"user\","
        "\"l\":[\"|x|\",\"y\"],\"o\":{\"|k|\":\"|v|\"}}";
    (void)state;
    marks("{{ bos_token }}{{ r }}\n{{ u }}.", vars,
        "<|B|>user<\n> |im_start| <.>");
    marks("{{ bos_token + u|trim + '!' }}", vars, "<|B|>|im_start|<!>");
    marks("{{ (u ~ '|end|').strip() }}", vars, "|im_start| <|end|>");
    marks("{{ u|upper }}{{ u|replace('im', 'xx') }}", vars,
        " |IM_START|  |<xx>_start| ");
    marks("{{ u.split('_')|join('-') }}", vars, " |im<->start| ");
    marks("{{ o|tojson }}", vars, "<{\">|k|<\": \">|v|<\"}>");
    marks("{{ l }}{{ l|string|length }}", vars,
        "<['>|x|<', '>y<']12>");
    marks("{{ '|{}|'.format(u|trim) }}{{ '%s|' % l[0] }}", vars,
        "<|>|im_start|<|>|x|<|>");
    marks("{{ u[1:4] }}{{ u|trim|reverse }}{{ u|trim|first }}", vars,
        "|im|trats_mi||");
    marks("{% macro f(x) %}|{{ x }}|{% endmacro %}{{ f(u|trim) }}", vars,
        "<|>|im_start|<|>");
    marks("{% set x %}|{{ r }}{% endset %}{{ x|upper }}", vars, "<|>USER");
    marks("{% for k, v in o.items() %}{{ k }}={{ v }}{% endfor %}", vars,
        "|k|<=>|v|");
    marks("{{ u|trim|indent(2, true) }}{{ u|trim|truncate(4, true, '') }}",
        vars, "<  >|im_start||im_");
    marks("{{ u|trim|title }}{{ u|urlencode }}{{ u|e }}", vars,
        "|Im_Start|%20%7Cim_start%7C%20 |im_start| ");
    gives("{{ '<'|safe + '<\"' + 'x' }}", "{}", "<&lt;&#34;x");
    marks("{{ l|map('upper')|list|sort|last }}{{ l|max }}", vars, "|X||x|");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jinja_renders_the_cases_of_the_suite),
        cmocka_unit_test(test_jinja_renders_the_templates_of_models),
        cmocka_unit_test(test_jinja_renders_builtin_templates),
        cmocka_unit_test(test_jinja_cuts_white_space),
        cmocka_unit_test(test_jinja_computes),
        cmocka_unit_test(test_jinja_runs_statements),
        cmocka_unit_test(test_jinja_names_the_line_of_an_error),
        cmocka_unit_test(test_jinja_is_bounded),
        cmocka_unit_test(test_jinja_keeps_who_wrote_what),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
