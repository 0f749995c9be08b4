/* Structured answers: is the final text JSON that fits the schema? */
#ifndef ERRAND_AGENT_ANSWER_H
#define ERRAND_AGENT_ANSWER_H

#include "base/buf.h"
#include "tool/schema.h"

/* The answer as compact JSON (caller frees with free()), read from text that
 * may stand in a ```json fence; values are coerced where nothing is lost.
 * NULL if it does not fit: problem then says to the model what is wrong. */
char *er_answer_check(const er_schema *schema, const char *text, size_t len,
    struct er_buf *problem);

#endif
