/* Templates without memory: read and run, or said so. */
#include "oom/oom.h"

#include "base/json.h"
#include "engine/jinja.h"

#include <string.h>

static const char vars[] =
    "{\"messages\":[{\"role\":\"user\",\"content\":\" hi \"},{\"role\":"
    "\"assistant\",\"tool_calls\":[{\"function\":{\"name\":\"f\","
    "\"arguments\":{\"a\":[1,2.5,null,\"\xC3\xA9\"]}}}]}],\"tools\":[{\"n\":"
    "2},{\"n\":1}],\"bos_token\":\"<s>\"}";

static const char text[] =
    "{%- macro say(x, end='!') -%}{{ x | trim ~ end }}{%- endmacro -%}\n"
    "{%- set ns = namespace(n=0, list=[]) -%}\n"
    "{{ bos_token }}{% for m in messages if m.role != 'x' %}\n"
    "{%- set ns.n = ns.n + loop.index -%}\n"
    "{% if m.content is defined and m.content is string -%}\n"
    "{{ say(m.content, end='?') | upper }}\n"
    "{%- elif m['tool_calls'] %}{% for c in m.tool_calls -%}\n"
    "{{ c.function.name }}{{ c.function.arguments | tojson(indent=2) }}\n"
    "{%- for k, v in c.function.arguments.items() %} {{ k }}={{ v[1:] }}\n"
    "{%- endfor %}{% endfor %}{% endif %}{% endfor -%}\n"
    "{{ tools | sort(attribute='n') | map(attribute='n') | join(', ') }}\n"
    "{{- 'a,b'.split(',') | reverse | list }}{{ ns.n }}\n"
    "{{- strftime_now('%d %b %Y') }}{{ {'x': [1]} | string | length }}";

static int render(const char *source, struct errand_error *err)
{
    struct er_prompt out;
    json_t *v = er_json_parse(vars, sizeof vars - 1, ER_JSON_STRICT, err);
    er_jinja *t = v ? er_jinja_compile(source, strlen(source), err) : NULL;
    struct er_jinja_input in = {.vars = v, .now_s = 1721997296};
    int rc = t ? ERRAND_OK : err->code;
    er_prompt_init(&out);
    if (t)
        rc = er_jinja_render(t, &in, &out, err);
    if (rc == ERRAND_OK && !strstr(er_buf_str(&out.text), "HI?"))
        rc = er_fail(err, ERRAND_BUG, "another text: %.100s",
            er_buf_str(&out.text));
    er_prompt_release(&out);
    er_jinja_free(t);
    json_decref(v);
    return rc;
}

static int case_whole(struct errand_error *err) { return render(text, err); }

static int case_raises(struct errand_error *err)
{
    int rc = render("{{ raise_exception('no ' ~ 'way') }}", err);
    if (rc == ERRAND_SYNTAX && strstr(err->msg, "no way"))
        return ERRAND_OK;
    return rc;
}

int main(void)
{
    static const struct oom_case cases[] = {
        {.name = "whole", .run = case_whole},
        {.name = "raises", .run = case_raises}};
    return oom_main(cases, sizeof cases / sizeof cases[0]);
}
