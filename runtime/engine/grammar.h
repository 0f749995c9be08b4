/* What a model may write next: constrained decoding over bytes.
 *
 * A JSON Schema or a grammar in GBNF becomes a program of small automata and
 * calls, compiled once and read-only; a state is a place in it: a set of
 * places, each with a stack. It takes one byte at a time, or says which
 * tokens of a vocabulary may come next. No place in a program is without a
 * way to its end, so what a state allows can always be completed.
 *
 * The sampler's order of work: sample freely, ask er_gstate_takes whether the
 * token fits, and only if it does not build the mask and sample again. Where
 * er_gstate_forced has bytes there is nothing to sample at all.
 *
 * Properties come in the order of the schema; white space is bounded; of a
 * name that is not listed and comes twice the last counts. What a
 * schema asks and no automaton of ours enforces (uniqueItems, contains …) is
 * listed by er_grammar_unenforced: then the texts allowed are a superset, and
 * a validator must look at the result.
 */
#ifndef ERRAND_ENGINE_GRAMMAR_H
#define ERRAND_ENGINE_GRAMMAR_H

#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct er_grammar er_grammar; /* read-only, shared by threads */
typedef struct er_gstate er_gstate;   /* one owner */
typedef struct er_gvocab er_gvocab;   /* read-only, shared by threads */

struct er_grammar_options {
    bool compact;  /* ", " and ": " between things and no other white space:
                      most of a call is then forced */
    bool closed;   /* objects that list properties and say nothing of others
                      have no others */
    uint32_t max_string; /* characters of a string whose schema has no
                            maxLength; 0: no bound */
    uint32_t max_items;  /* items of an array without maxItems; 0: no bound */
    const char *before, *between, *after; /* texts around the value; with
                            between, several values may follow one another.
                            NULL: none. Copied */
};

/* A grammar for the texts of values that fit the schema. opt may be NULL.
 * Caller frees. [any]
 * Errors  SCHEMA (no schema at all, or nothing can fit it), TOO_LARGE, NOMEM */
er_grammar *er_grammar_schema(const json_t *schema,
    const struct er_grammar_options *opt, struct errand_error *err);

/* A grammar in GBNF; its rule "root" is the whole text.
 * Errors  SYNTAX with the line, TOO_LARGE, NOMEM */
er_grammar *er_grammar_gbnf(
    const char *text, size_t len, struct errand_error *err);

/* NULL is harmless. Frees it once no state uses it any more. */
void er_grammar_free(er_grammar *g);

/* Keywords that are not enforced, each once, ended by NULL; borrowed as long
 * as the grammar. */
const char *const *er_grammar_unenforced(const er_grammar *g);

/* A state at the grammar's beginning; NULL: no memory. The grammar must
 * outlive it. */
er_gstate *er_gstate_new(const er_grammar *g);
er_gstate *er_gstate_clone(const er_gstate *s);
void er_gstate_free(er_gstate *s);

/* Take one byte. False, and unchanged, if it is not allowed here. */
bool er_gstate_advance(er_gstate *s, uint8_t byte);

/* Would these bytes be taken? How many of them; the state stays. */
size_t er_gstate_takes(er_gstate *s, const char *bytes, size_t n);

/* Is what was taken a whole text? (It may still go on.) */
bool er_gstate_complete(const er_gstate *s);

/* Append what must come next, byte after byte, until there is a choice or an
 * end; at most max bytes. The state stays. Number of bytes. */
size_t er_gstate_forced(er_gstate *s, struct er_buf *out, size_t max);

/* A vocabulary as a trie. pieces[i] of lens[i] bytes is token i; an empty
 * one (control tokens) is never allowed. Copied. NULL: no memory. */
er_gvocab *er_gvocab_new(
    const char *const *pieces, const size_t *lens, size_t n);
void er_gvocab_free(er_gvocab *v);

/* Set bit i (bits[i / 64] >> i % 64) for each token the state takes whole,
 * clear the others. The state stays. False: no memory. */
bool er_gstate_mask(er_gstate *s, const er_gvocab *v, uint64_t *bits);

/* `errand debug grammar`: {"schema","text"} or {"gbnf","text"}, "compact",
 * "closed" -> {"accepted","complete","at"} and, when there are any,
 * "unenforced". Caller drops it; NULL on failure. */
json_t *er_grammar_debug(const json_t *input, struct errand_error *err);

#endif
