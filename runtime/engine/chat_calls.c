/* Grammars for calls, and the trigger that puts them to work. */
#include "engine/chat_calls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct er_calls {
    enum er_chat_family family;
    enum er_calls_choice choice;
    er_grammar *strict; /* the family's own spacing: most bytes are forced */
    er_grammar *loose;  /* any spacing: for openings the model began */
};

struct er_calls_run {
    const er_calls *c;
    er_gstate *state;
    char *held;  /* the text's end that may be an opener's beginning */
    size_t n_held;
    bool closed; /* no call can open any more: the reply began otherwise */
};

/* --- the schema of a call */

static json_t *moved(const json_t *v, const char *to);

static json_t *moved_list(const json_t *v, const char *to)
{
    json_t *copy = json_array(), *item;
    bool ok = copy != NULL;
    size_t i;
    json_array_foreach(v, i, item)
        ok = ok && json_array_append_new(copy, moved(item, to)) == 0;
    if (ok)
        return copy;
    json_decref(copy);
    return NULL;
}

static json_t *moved_object(const json_t *v, const char *to)
{
    const char *key;
    json_t *copy = json_object(), *item;
    bool ok = copy != NULL;
    json_object_foreach((json_t *)(uintptr_t)v, key, item) {
        const char *ref = json_string_value(item);
        bool is_ref = ref && ref[0] == '#' && strcmp(key, "$ref") == 0 &&
                      (ref[1] == '/' || ref[1] == '\0');
        ok = ok && json_object_set_new(copy, key, is_ref
                ? json_sprintf("%s%s", to, ref + 1) : moved(item, to)) == 0;
    }
    if (ok)
        return copy;
    json_decref(copy);
    return NULL;
}

/* A copy whose references reach from the new root; NULL: no memory. What is
 * lost of it would be a constraint that is. */
static json_t *moved(const json_t *v, const char *to)
{
    if (json_is_array(v))
        return moved_list(v, to);
    if (json_is_object(v))
        return moved_object(v, to);
    return json_incref((json_t *)(uintptr_t)v);
}

static json_t *call_schema(
    const json_t *fn, const char *arguments, size_t i)
{
    char to[80];
    const json_t *parameters = json_object_get(fn, "parameters");
    snprintf(to, sizeof to, "#/anyOf/%zu/properties/%s", i, arguments);
    json_t *args = parameters ? moved(parameters, to)
        : json_pack("{s:s, s:{}, s:b}", "type", "object", "properties",
              "additionalProperties", 0);
    if (json_is_object(args) && !json_object_get(args, "type") &&
        !json_object_get(args, "$ref") &&
        json_object_set_new(args, "type", json_string("object")) != 0) {
        json_decref(args);
        return NULL;
    }
    return json_pack("{s:s, s:{s:{s:O}, s:o}, s:[s,s], s:b}",
        "type", "object", "properties", "name", "const",
        json_object_get(fn, "name"), arguments, args,
        "required", "name", arguments, "additionalProperties", 0);
}

static json_t *calls_schema(enum er_chat_family family, const json_t *tools,
    const char *named, struct errand_error *err)
{
    const char *arguments =
        family == ER_CHAT_LLAMA3 ? "parameters" : "arguments";
    json_t *any = json_array(), *tool;
    size_t i;
    json_array_foreach(tools, i, tool) {
        const json_t *fn = json_object_get(tool, "function");
        fn = json_is_object(fn) ? fn : tool;
        const char *name = er_json_str(fn, "name");
        if (!name) {
            er_fail(err, ERRAND_USAGE, "tools[%zu] has no name", i);
            json_decref(any);
            return NULL;
        }
        if ((!named || strcmp(named, name) == 0) &&
            json_array_append_new(any, call_schema(
                fn, arguments, json_array_size(any))) != 0) {
            er_nomem(err);
            json_decref(any);
            return NULL;
        }
    }
    if (any && json_array_size(any) == 0) {
        er_fail(err, ERRAND_NOT_FOUND, named
                ? "tool_choice names \"%.60s\", which is no tool of the "
                  "request" : "no tools were given to call%s",
            named ? named : "");
        json_decref(any);
        return NULL;
    }
    json_t *schema = any ? json_pack("{s:o}", "anyOf", any) : NULL;
    if (!schema)
        er_nomem(err);
    return schema;
}

/* --- grammars */

static er_grammar *grammar(enum er_chat_family family, const json_t *schema,
    const struct er_calls_options *opt, bool strict,
    struct errand_error *err)
{
    struct er_grammar_options g = {.compact = strict, .closed = true,
        .max_string = opt->max_string ? opt->max_string : 8192,
        .max_items = opt->max_items ? opt->max_items : 256};
    switch (family) {
    case ER_CHAT_HERMES:
        g.before = "<tool_call>\n";
        g.between = "\n</tool_call>\n<tool_call>\n";
        g.after = "\n</tool_call>";
        break;
    case ER_CHAT_MISTRAL:
        g.before = "[TOOL_CALLS][";
        g.between = ", ";
        g.after = "]";
        break;
    default:
        g.between = "; ";
    }
    if (!strict && family == ER_CHAT_HERMES) {
        g.before = "<tool_call>";
        g.between = "</tool_call><tool_call>";
        g.after = "</tool_call>";
    }
    if (opt->single)
        g.between = NULL;
    return er_grammar_schema(schema, &g, err);
}

int er_calls_new(enum er_chat_family family, const json_t *tools,
    const struct er_calls_options *opt, er_calls **out,
    struct errand_error *err)
{
    struct errand_error mine = {0};
    struct er_calls_options none = {.choice = ER_CALLS_AUTO};
    er_calls *c = calloc(1, sizeof *c);
    err = err ? err : &mine;
    opt = opt ? opt : &none;
    if (!c)
        return er_nomem(err);
    c->family = family;
    c->choice = opt->named ? ER_CALLS_REQUIRED : opt->choice;
    *out = c;
    if (c->choice == ER_CALLS_NONE)
        return ERRAND_OK;
    json_t *schema = calls_schema(family, tools, opt->named, err);
    if (schema) {
        c->strict = grammar(family, schema, opt, true, err);
        c->loose = c->strict ? grammar(family, schema, opt, false, err)
                             : NULL;
    }
    json_decref(schema);
    if (c->loose)
        return ERRAND_OK;
    er_calls_free(c);
    *out = NULL;
    return err->code;
}

void er_calls_free(er_calls *c)
{
    if (!c)
        return;
    er_grammar_free(c->strict);
    er_grammar_free(c->loose);
    free(c);
}

const char *const *er_calls_unenforced(const er_calls *c)
{
    static const char *const none[] = {NULL};
    return c->strict ? er_grammar_unenforced(c->strict) : none;
}

/* --- an answer */

const char *er_calls_opener(enum er_chat_family family)
{
    return family == ER_CHAT_HERMES ? "<tool_call>"
        : family == ER_CHAT_MISTRAL ? "[TOOL_CALLS]" : "{\"name\":";
}

enum { HELD = 256 };

er_calls_run *er_calls_run_new(const er_calls *c)
{
    er_calls_run *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->c = c;
    r->held = malloc(HELD);
    if (c->choice == ER_CALLS_REQUIRED)
        r->state = er_gstate_new(c->strict);
    if (r->held && (r->state || c->choice != ER_CALLS_REQUIRED))
        return r;
    er_calls_run_free(r);
    return NULL;
}

void er_calls_run_free(er_calls_run *r)
{
    if (!r)
        return;
    er_gstate_free(r->state);
    free(r->held);
    free(r);
}

er_gstate *er_calls_state(er_calls_run *r)
{
    return r->state;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static bool advance_all(er_gstate *g, const char *s, size_t n)
{
    size_t i = 0;
    while (g && i < n && er_gstate_advance(g, (uint8_t)s[i]))
        i++;
    return g && i == n;
}

/* The constrained state behind an opener and what came with it in the same
 * token; NULL: it fits neither spacing, and stays text. */
static er_gstate *entered(const er_calls *c, const char *rest, size_t n)
{
    const char *opener = er_calls_opener(c->family);
    const er_grammar *both[] = {c->strict, c->loose};
    for (size_t i = 0; i < 2; i++) {
        er_gstate *g = er_gstate_new(both[i]);
        if (advance_all(g, opener, strlen(opener)) &&
            advance_all(g, rest, n))
            return g;
        er_gstate_free(g);
    }
    return NULL;
}

/* One byte of free text: does it complete an opener? Llama's stands at the
 * reply's beginning, behind white space and its tag; the others' anywhere. */
static bool watch(er_calls_run *r, char byte)
{
    static const char tag[] = "<|python_tag|>";
    const char *opener = er_calls_opener(r->c->family);
    bool first = r->c->family == ER_CHAT_LLAMA3;
    size_t n = strlen(opener);
    if (first && r->n_held == 0 && is_space(byte))
        return false;
    if (!first && r->n_held == n) {
        memmove(r->held, r->held + 1, n - 1);
        r->n_held = n - 1;
    }
    r->held[r->n_held++] = byte;
    if (first && r->n_held == sizeof tag - 1 &&
        memcmp(r->held, tag, r->n_held) == 0) {
        r->n_held = 0;
        return false;
    }
    bool is_tag = first && r->n_held < sizeof tag &&
                  memcmp(r->held, tag, r->n_held) == 0;
    bool is_opener =
        r->n_held <= n && memcmp(r->held, opener, r->n_held) == 0;
    r->closed = first && !is_tag && !is_opener;
    return is_opener && r->n_held == n;
}

bool er_calls_take(er_calls_run *r, const char *bytes, size_t n)
{
    if (r->state) {
        if (er_gstate_takes(r->state, bytes, n) != n)
            return false;
        return advance_all(r->state, bytes, n);
    }
    for (size_t i = 0; i < n && !r->closed; i++) {
        if (r->c->choice == ER_CALLS_NONE)
            return true;
        if (!watch(r, bytes[i]))
            continue;
        r->n_held = 0;
        r->state = entered(r->c, bytes + i + 1, n - i - 1);
        r->closed = r->c->family == ER_CHAT_LLAMA3 && !r->state;
        if (r->state)
            return true;
    }
    return true;
}

bool er_calls_may_end(const er_calls_run *r)
{
    return !r->state || er_gstate_complete(r->state);
}
