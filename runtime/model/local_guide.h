/* What an answer may be: its next token allowed, forced, or free.
 *
 * One or two tracks run beside each other: calls of tools in the family's own
 * shape, and an answer that fits a schema. A token is allowed if a track that
 * is still alive takes its bytes; a track that does not take what was chosen
 * is dead from there on. With neither tools nor a schema all is free.
 *
 * Where the prompt left the model in the middle of its reasoning, all is
 * free up to the end of that.
 */
#ifndef ERRAND_MODEL_LOCAL_GUIDE_H
#define ERRAND_MODEL_LOCAL_GUIDE_H

#include "model/local_ask.h"
#include "model/local_voice.h"

struct er_guide;

/* thinking: the prompt ended inside of reasoning. The voice must outlive it.
 * Errors USAGE, SCHEMA, TOO_LARGE, NOMEM. */
int er_guide_new(struct er_voice *v, const struct er_ask *a, bool thinking,
    struct er_guide **out, struct errand_error *err);
void er_guide_free(struct er_guide *g); /* NULL is harmless */

/* Is every token allowed, but for the end perhaps? */
bool er_guide_is_free(const struct er_guide *g);

/* May this token come next? An end may where an answer may end. */
bool er_guide_allows(struct er_guide *g, int32_t id);

/* Bits of the allowed tokens, bit id % 32 of word id / 32; [n_vocab / 32 +
 * 1] words, borrowed until the next call. NULL: no memory. */
const uint32_t *er_guide_mask(struct er_guide *g);

/* Append tokens that must come next, as the model would have written them;
 * none where there is a choice. False: no memory. */
bool er_guide_forced(struct er_guide *g, struct er_tokens *out);

/* Take an allowed token, no end. */
void er_guide_take(struct er_guide *g, int32_t id);

#endif
