/* Patterns: ECMA-262 in, PCRE2 inside, with a bound on the work.
 *
 * JSON Schema speaks ECMA-262 (with its "u" flag). schema_ecma.c reads that
 * grammar and writes what PCRE2 needs to mean the same; what ECMA-262 does
 * not have (inline flags, \Z, possessive repeats) is refused by name.
 *
 * Work is counted in the steps of the check: PCRE2 calls back before each
 * item of a pattern, and each call costs one step and one more for every
 * piece of text that was walked over since the last. So a pattern that
 * explodes ends at a fixed point, the same on every machine. PCRE2's own
 * limits stand behind that. JIT stays off, because it would not call back.
 */
#ifndef ERRAND_TOOL_SCHEMA_REGEX_H
#define ERRAND_TOOL_SCHEMA_REGEX_H

#include "base/buf.h"
#include "tool/schema_compile.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct er_regex;

/* Errors go to c as a bad schema at where/key. Owned by the schema. */
const struct er_regex *er_regex_compile(struct er_compile *c,
    const char *where, const char *key, const char *pattern, size_t len);
void er_regex_free_all(struct er_regex *first);

/* What matching needs besides the pattern; zeroed at first, kept through a
 * check. steps is what may still be spent. */
struct er_matcher {
    struct pcre2_real_match_context_8 *context;
    struct pcre2_real_match_data_8 *data;
    size_t *steps;
    size_t at; /* where the last callback was */
};

enum er_match { ER_MATCH_NO = 0, ER_MATCH_YES = 1, ER_MATCH_GAVE_UP = 2 };

enum er_match er_regex_match(const struct er_regex *re,
    struct er_matcher *m, const char *s, size_t len);
void er_matcher_release(struct er_matcher *m);

/* --- schema_ecma.c */

/* Translate; false with *why (static text) and *at (byte offset) if the
 * pattern is none. [any] */
bool er_ecma_translate(struct er_buf *out, const char *pattern, size_t len,
    const char **why, size_t *at);

#endif
