/* Any template over a conversation: an error with its line, or a prompt whose
 * spans cover it exactly; and what came in with the messages never becomes
 * trusted. Every text of the context holds the mark "@@", and templates that
 * could write it themselves are left out, so a trusted "@@" is a leak.
 */
#include "engine/jinja.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char vars[] =
    "{\"messages\":[{\"role\":\"system\",\"content\":\" @@Be nice@@ \"},"
    "{\"role\":\"user\",\"content\":\"@@1 + 1?\\n@@\"},"
    "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"function\":"
    "{\"name\":\"@@add\",\"arguments\":{\"@@a\":1,\"b\":[1.5,true]}}}]},"
    "{\"role\":\"tool\",\"content\":\"@@2@@\"}],\"tools\":[{\"@@x\":1}],"
    "\"add_generation_prompt\":true}";

static void check(bool ok)
{
    if (!ok)
        __builtin_trap();
}

static void check_spans(const struct er_prompt *p)
{
    size_t at = 0;
    for (size_t i = 0; i < p->n_spans; i++) {
        const struct er_prompt_span *s = &p->spans[i];
        check(s->len > 0 && s->len <= p->text.len - at);
        for (size_t k = 1; s->trusted && k < s->len; k++)
            check(memcmp(p->text.data + at + k - 1, "@@", 2) != 0);
        at += s->len;
    }
    check(at == p->text.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct errand_error err = {0};
    const char *text = (const char *)data;
    /* What could make an @ of its own. */
    if (memchr(text, '@', size) || memchr(text, '\\', size) ||
        memchr(text, '%', size) == NULL)
        return 0;
    er_jinja *t = er_jinja_compile(text, size, &err);
    check(t || err.code != ERRAND_OK);
    if (!t)
        return 0;
    json_t *v = er_json_parse(vars, sizeof vars - 1, ER_JSON_STRICT, NULL);
    struct er_jinja_input in = {.vars = v, .now_s = 1721997296};
    struct er_prompt p;
    er_prompt_init(&p);
    if (er_jinja_render(t, &in, &p, &err) == ERRAND_OK)
        check_spans(&p);
    else
        check(err.code != ERRAND_OK && err.msg[0]);
    er_prompt_release(&p);
    er_jinja_free(t);
    json_decref(v);
    return 0;
}
