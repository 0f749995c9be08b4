/* Any schema or GBNF, any text: compile, walk, look around.
 *
 * The first byte chooses the kind and the options, then come the grammar up
 * to a NUL byte and the text. Promises held: what er_gstate_takes says is
 * what er_gstate_advance does; a state that is not complete has a byte to go
 * on with; what is forced is taken; a mask says of each byte what
 * er_gstate_takes says; a failure has a message.
 */
#include "engine/grammar.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void promise(bool kept)
{
    if (!kept)
        __builtin_trap();
}

static er_grammar *grammar_of(
    uint8_t kind, const char *s, size_t n, struct errand_error *err)
{
    struct er_grammar_options opt = {.compact = kind & 2,
        .closed = kind & 4, .max_string = kind & 8 ? 20 : 0};
    if (kind & 1)
        return er_grammar_gbnf(s, n, err);
    json_t *schema = er_json_parse(s, n, ER_JSON_LENIENT, err);
    er_grammar *g = schema ? er_grammar_schema(schema, &opt, err) : NULL;
    json_decref(schema);
    return g;
}

static void look_around(er_gstate *s)
{
    char bytes[256];
    const char *pieces[256];
    size_t lens[256], open = 0;
    uint64_t bits[4];
    for (size_t i = 0; i < 256; i++) {
        bytes[i] = (char)i;
        pieces[i] = &bytes[i];
        lens[i] = 1;
    }
    er_gvocab *v = er_gvocab_new(pieces, lens, 256);
    promise(v && er_gstate_mask(s, v, bits));
    for (size_t i = 0; i < 256; i++) {
        bool takes = er_gstate_takes(s, &bytes[i], 1) == 1;
        promise(takes == (bits[i / 64] >> i % 64 & 1));
        open += takes;
    }
    promise(open > 0 || er_gstate_complete(s));
    er_gvocab_free(v);
}

static void walk(er_grammar *g, const char *text, size_t n)
{
    er_gstate *s = er_gstate_new(g);
    struct er_buf b;
    if (!s)
        return;
    size_t takes = er_gstate_takes(s, text, n), i = 0;
    while (i < n && er_gstate_advance(s, (uint8_t)text[i]))
        i++;
    promise(i == takes);
    look_around(s);
    er_buf_init(&b, 200);
    size_t forced = er_gstate_forced(s, &b, 100);
    promise(er_gstate_takes(s, er_buf_str(&b), forced) == forced);
    er_buf_release(&b);
    er_gstate_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct errand_error err = {0};
    if (size < 2)
        return 0;
    const char *s = (const char *)data + 1;
    const char *end = memchr(s, '\0', size - 1);
    size_t n = end ? (size_t)(end - s) : size - 1;
    er_grammar *g = grammar_of(data[0], s, n, &err);
    if (g)
        walk(g, end ? end + 1 : "", end ? size - n - 2 : 0);
    else
        promise(err.code != ERRAND_OK && err.msg[0]);
    er_grammar_free(g);
    return 0;
}
