/* A model's calls, valid by construction, in its own shape.
 *
 * With `auto` the model writes what it likes until it opens a call the way
 * its family does; from then on every byte is constrained: a tool's name,
 * then arguments that fit its schema, then the end or another call. With
 * `required` or a tool's name it is constrained from the first byte.
 *
 *   llama3   {"name": "…", "parameters": {…}}, at the reply's beginning
 *   hermes   <tool_call>\n{"name": "…", "arguments": {…}}\n</tool_call>
 *   mistral  [TOOL_CALLS][{"name": "…", "arguments": {…}}]
 *
 * Bytes include the names of control tokens that belong to the shape
 * ([TOOL_CALLS], <tool_call>): the sampler hands them on when it picks such
 * a token.
 */
#ifndef ERRAND_ENGINE_CHAT_CALLS_H
#define ERRAND_ENGINE_CHAT_CALLS_H

#include "engine/chat_parse.h"
#include "engine/grammar.h"

enum er_calls_choice {
    ER_CALLS_AUTO = 0,
    ER_CALLS_REQUIRED = 1,
    ER_CALLS_NONE = 2, /* never constrained; nothing triggers */
};

struct er_calls_options {
    enum er_calls_choice choice;
    const char *named; /* required, and this tool alone; or NULL */
    bool single;       /* one call, no more */
    uint32_t max_string, max_items; /* where a schema has no bound; 0: 8192
                                       characters and 256 items */
};

typedef struct er_calls er_calls;         /* read-only, shared */
typedef struct er_calls_run er_calls_run; /* one answer; one owner */

/* tools: definitions, {"type":"function","function":{…}} or the function
 * alone. opt may be NULL.
 * Errors  USAGE (a definition), NOT_FOUND (named), SCHEMA, TOO_LARGE, NOMEM */
int er_calls_new(enum er_chat_family family, const json_t *tools,
    const struct er_calls_options *opt, er_calls **out,
    struct errand_error *err);
void er_calls_free(er_calls *c); /* no run may be left; NULL is harmless */

/* Keywords of the tools' schemas that are left to the validator. */
const char *const *er_calls_unenforced(const er_calls *c);

/* What opens a call of the family. */
const char *er_calls_opener(enum er_chat_family family);

er_calls_run *er_calls_run_new(const er_calls *c); /* NULL: no memory */
void er_calls_run_free(er_calls_run *r);

/* The state that the next bytes must fit; NULL while the text is free. */
er_gstate *er_calls_state(er_calls_run *r);

/* Take what was sampled. False, with nothing changed, if it does not fit. */
bool er_calls_take(er_calls_run *r, const char *bytes, size_t n);

/* May the answer end here? */
bool er_calls_may_end(const er_calls_run *r);

#endif
