/* `errand debug parse`: what is read out of a model's answer. */
#ifndef ERRAND_MODEL_DEBUG_PARSE_H
#define ERRAND_MODEL_DEBUG_PARSE_H

#include "base/error.h"
#include "base/json.h"

/* format: openai, openai-sse, workers-ai, workers-ai-sse. input: {"text":
 * the whole answer as a string (or as the JSON it is)} or {"stream": the
 * same as a string, or an array of pieces that are fed one by one; a piece
 * that is no string is one event's JSON}.
 *
 * The answer: {"content","reasoning","tool_calls":[{"name","arguments"}]},
 * arguments as a string, the JSON text that the model wrote. When the
 * reading failed there is also "error":{"code","message"}, and the rest is
 * what had been read by then, calls included. The caller drops it. NULL on
 * failure. Errors USAGE, NOMEM. [any] */
json_t *er_wire_debug_parse(
    const char *format, const json_t *input, struct errand_error *err);

#endif
