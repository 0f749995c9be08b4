/* `errand debug grammar`: is a text a beginning of, or a whole, allowed
 * answer, and where does it stop being one? */
#include "engine/grammar.h"

#include <string.h>

static er_grammar *grammar_of(const json_t *input, struct errand_error *err)
{
    const json_t *schema = json_object_get(input, "schema");
    const json_t *gbnf = json_object_get(input, "gbnf");
    struct er_grammar_options opt = {
        .compact = json_is_true(json_object_get(input, "compact")),
        .closed = json_is_true(json_object_get(input, "closed"))};
    if (json_is_string(gbnf))
        return er_grammar_gbnf(
            json_string_value(gbnf), json_string_length(gbnf), err);
    if (schema)
        return er_grammar_schema(schema, &opt, err);
    er_fail(err, ERRAND_USAGE,
        "a case needs \"schema\", or \"gbnf\" with a grammar as text");
    return NULL;
}

static json_t *answer(
    const er_grammar *g, const json_t *text, struct errand_error *err)
{
    const char *s = json_string_value(text);
    size_t n = json_string_length(text), at = 0;
    const char *const *list = er_grammar_unenforced(g);
    er_gstate *state = er_gstate_new(g);
    if (!state) {
        er_nomem(err);
        return NULL;
    }
    while (at < n && er_gstate_advance(state, (uint8_t)s[at]))
        at++;
    json_t *v = json_pack("{s:b,s:b,s:I}", "accepted", at == n, "complete",
        at == n && er_gstate_complete(state), "at", (json_int_t)at);
    er_gstate_free(state);
    json_t *names = *list ? json_array() : NULL;
    for (; *list; list++)
        json_array_append_new(names, json_string(*list));
    if (names)
        json_object_set_new(v, "unenforced", names);
    if (!v)
        er_nomem(err);
    return v;
}

json_t *er_grammar_debug(const json_t *input, struct errand_error *err)
{
    const json_t *text = json_object_get(input, "text");
    if (!json_is_string(text)) {
        er_fail(err, ERRAND_USAGE, "a case needs \"text\", a string");
        return NULL;
    }
    er_grammar *g = grammar_of(input, err);
    json_t *v = g ? answer(g, text, err) : NULL;
    er_grammar_free(g);
    return v;
}
