/* The conversation in memory: an array of messages in model.h's form, kept
 * such that every provider accepts it.
 */
#ifndef ERRAND_AGENT_HISTORY_H
#define ERRAND_AGENT_HISTORY_H

#include "base/json.h"
#include "store/store.h"

/* Messages as objects (new reference); NULL: no memory. */
json_t *er_message_text(const char *role, const char *text, size_t len);
json_t *er_message_result(
    const char *call_id, const char *tool, const char *text, size_t len);

/* A conversation as providers accept it (new reference): each call of an
 * assistant message is followed by exactly one result in call order; a call
 * without one gets a fixed text, a result without a call is dropped, an
 * assistant message with neither text nor calls is dropped. open holds the
 * ids of the current run's calls whose results are still to come (array of
 * strings, may be NULL): the history then ends with their assistant message
 * and the results it has are left out. NULL: no memory. */
json_t *er_history_repair(const json_t *messages, const json_t *open);

/* Rows of a conversation, parsed and repaired.
 * Errors STORE (a row that is no message), NOMEM */
json_t *er_history_from_rows(const struct er_message_row *rows, size_t n,
    const json_t *open, struct errand_error *err);

#endif
