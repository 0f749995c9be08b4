/* Grammars without memory: compiling, running, masks, forced text. A mask
 * that is given is the right one, or none is given. */
#include "oom/oom.h"

#include "engine/grammar.h"

#include <string.h>

static const char schema_text[] =
    "{\"type\":\"object\",\"properties\":{\"id\":{\"type\":\"string\","
    "\"pattern\":\"^[a-z]{2,4}-[0-9]+$\",\"maxLength\":9},\"n\":{\"type\":"
    "\"integer\",\"minimum\":3,\"maximum\":250},\"kind\":{\"enum\":[\"a\",1,"
    "null]},\"more\":{\"type\":\"array\",\"items\":{\"anyOf\":[{\"type\":"
    "\"boolean\"},{\"$ref\":\"#\"}]},\"maxItems\":3}},\"required\":[\"id\"],"
    "\"additionalProperties\":{\"type\":\"number\"},\"maxProperties\":4}";

static const char instance[] =
    "{\"id\": \"ab-12\", \"n\": 77, \"more\": [true, {\"id\": \"xyz-1\"}], "
    "\"z\\u00e9\": 1.5}";

static const char *const pieces[] = {"{", "\"", "\": ", "ab", "-1", "2", "}",
    "]", "true", ", \"", "\\u", "\xC3", "\xA9", " ", "nul"};
enum { PIECES = sizeof pieces / sizeof pieces[0] };

static er_gvocab *vocabulary(void)
{
    size_t lens[PIECES];
    for (size_t i = 0; i < PIECES; i++)
        lens[i] = strlen(pieces[i]);
    return er_gvocab_new(pieces, lens, PIECES);
}

static int check_mask(
    er_gstate *s, const er_gvocab *v, struct errand_error *err)
{
    uint64_t bits[1];
    if (!er_gstate_mask(s, v, bits))
        return er_nomem(err);
    for (size_t i = 0; i < PIECES; i++) {
        size_t n = strlen(pieces[i]);
        bool in = bits[0] >> i & 1;
        if (in && er_gstate_takes(s, pieces[i], n) != n &&
            er_gstate_takes(s, pieces[i], n) != n)
            return er_nomem(err); /* no memory to look ahead */
    }
    return ERRAND_OK;
}

/* The text byte by byte, a mask before each; a byte that is refused for lack
 * of memory leaves the state as it was. */
static int walk(const er_grammar *g, const char *text, bool masks,
    struct errand_error *err)
{
    er_gvocab *v = masks ? vocabulary() : NULL;
    er_gstate *s = er_gstate_new(g), *copy = NULL;
    struct er_buf forced;
    int rc = s && (v || !masks) ? ERRAND_OK : er_nomem(err);
    er_buf_init(&forced, 4096);
    for (size_t i = 0; text[i] && rc == ERRAND_OK; i++) {
        if (v && i % 5 == 0)
            rc = check_mask(s, v, err);
        if (rc == ERRAND_OK && i == 9 && !(copy = er_gstate_clone(s)))
            rc = er_nomem(err);
        if (rc == ERRAND_OK)
            er_gstate_forced(s, &forced, 64);
        if (rc == ERRAND_OK && !er_gstate_advance(s, (uint8_t)text[i]))
            rc = er_nomem(err);
    }
    if (rc == ERRAND_OK && !er_gstate_complete(s))
        rc = er_fail(err, ERRAND_BUG, "not complete");
    er_buf_release(&forced);
    er_gstate_free(s);
    er_gstate_free(copy);
    er_gvocab_free(v);
    return rc;
}

static int with_schema(const struct er_grammar_options *opt,
    const char *text, bool masks, struct errand_error *err)
{
    json_t *schema = er_json_parse(
        schema_text, strlen(schema_text), ER_JSON_STRICT, err);
    er_grammar *g = schema ? er_grammar_schema(schema, opt, err) : NULL;
    int rc = g ? ERRAND_OK : err->code;
    if (g && text)
        rc = walk(g, text, masks, err);
    er_grammar_free(g);
    json_decref(schema);
    return rc;
}

static int case_compile(struct errand_error *err)
{
    return with_schema(NULL, NULL, false, err);
}

static int case_calls(struct errand_error *err)
{
    static const struct er_grammar_options opt = {.compact = true,
        .closed = true, .before = "[", .between = "; ", .after = "]",
        .max_string = 100, .max_items = 5};
    return with_schema(
        &opt, "[{\"id\": \"ab-1\"}; {\"id\": \"cd-2\"}]", false, err);
}

static int case_masks(struct errand_error *err)
{
    return with_schema(NULL, instance, true, err);
}

static int case_gbnf(struct errand_error *err)
{
    static const char text[] =
        "root ::= item (\", \" item){1,3} # a list\n"
        "item ::= \"x\" [0-9a-f]+ | [^\\n\"]{2}\n";
    er_grammar *g = er_grammar_gbnf(text, strlen(text), err);
    int rc = g ? walk(g, "x1f, ab, x0", true, err) : err->code;
    er_grammar_free(g);
    return rc;
}

int main(void)
{
    static const struct oom_case cases[] = {
        {.name = "compile", .run = case_compile},
        {.name = "calls", .run = case_calls},
        {.name = "masks", .run = case_masks},
        {.name = "gbnf", .run = case_gbnf}};
    return oom_main(cases, sizeof cases / sizeof cases[0]);
}
