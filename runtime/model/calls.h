/* Tool calls put together from the deltas of a stream.
 *
 * Nothing is decided before the end of the answer: a name may come after
 * arguments, arguments that parse may go on, an id may come last.
 */
#ifndef ERRAND_MODEL_CALLS_H
#define ERRAND_MODEL_CALLS_H

#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"
#include "base/json_tree.h"
#include "model/half.h"

#include <stdint.h>

enum { ER_CALLS_MAX = 1000 }; /* calls of one answer */

/* How far a JSON object has come, watched while its text is appended. */
struct er_json_watch {
    int64_t depth;
    bool began, in_string, escaped;
    bool complete; /* the object that opened first is closed */
};

struct er_call {
    struct er_buf id, name, arguments;
    struct er_json_watch watch; /* over arguments */
    struct er_half half;        /* of them */
    bool has_index, legacy;
    int64_t index;
    json_t *extra; /* what the provider wants back with the call, or NULL */
    char made[20]; /* the id made up for it, "" if it has one */
};

struct er_calls {
    struct er_call *list; /* in order of appearance */
    size_t n, cap;
    size_t held, max_bytes; /* bytes kept, and their bound */
};

void er_calls_init(struct er_calls *c, size_t max_bytes);
void er_calls_release(struct er_calls *c);

/* One element of a tool_calls array. at is its place in it; whole: the
 * answer is no stream, every element is a call of its own.
 * Errors PROTOCOL, TOO_LARGE, NOMEM. */
int er_calls_add(struct er_calls *c, const struct er_node *delta, size_t at,
    bool whole, struct errand_error *err);

/* A piece of arguments whose delta held nothing but, perhaps, an index.
 * Errors as above. */
struct er_call_owner {
    bool has_index;
    int64_t index;
};
int er_calls_piece(struct er_calls *c, const struct er_call_owner *owner,
    const char *text, size_t len, struct errand_error *err);

/* The older "function_call" object: one call, no id. Errors as above. */
int er_calls_add_legacy(struct er_calls *c, const struct er_node *delta,
    struct errand_error *err);

/* End of the answer: drop what came to nothing, give empty arguments their
 * "{}", make up missing ids. cut: the answer was cut for its length, so a
 * call without a name is dropped; otherwise it is an error.
 * Errors PROTOCOL, NOMEM. */
int er_calls_end(struct er_calls *c, bool cut, struct errand_error *err);

/* The id to give out; never empty after er_calls_end. */
const char *er_call_id(const struct er_call *call);

#endif
