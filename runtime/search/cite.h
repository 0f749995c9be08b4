/* Answers with sources: what may be cited, and whether it says what is said.
 *
 * A model gets passages with their ids and answers with a text and citations:
 * an id, which the schema allows only among those given, and the words it
 * relies on. Each quotation is then looked for in its passage: letters,
 * digits and marks must be the same; spaces, line breaks, capitals and the
 * kind of quotation marks need not.
 */
#ifndef ERRAND_SEARCH_CITE_H
#define ERRAND_SEARCH_CITE_H

#include "base/error.h"
#include "base/json.h"

#include <stddef.h>

/* The JSON Schema of an answer with sources among hits (an array as
 * er_docs_search gives): {"answer", "citations":[{"id","quote"}]}. NULL: no
 * memory. [any] */
json_t *er_cite_schema(const json_t *hits);

/* What the model is told: the question, the passages with their ids, what to
 * do. NULL: no memory. Caller frees with free(). [any] */
char *er_cite_prompt(const char *question, const json_t *hits);

/* Hold an answer against the passages: a copy of it, with every citation
 * checked: "ok", and "problem" if not; of a passage that is known also
 * "path", "heading", "line" (of the quotation, or null), "start" and "end"
 * (bytes of the passage's text, of a quotation that was found).
 * Errors USAGE (no answer of that shape), NOMEM. [any] */
json_t *er_cite_check(
    const json_t *answer, const json_t *hits, struct errand_error *err);

/* Where a quotation stands in a text: true, and its bytes. [any] */
bool er_cite_find(const char *text, size_t len, const char *quote,
    size_t quote_len, size_t *start, size_t *end);

#endif
