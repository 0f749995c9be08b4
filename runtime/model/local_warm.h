/* Timelines of a model, kept warm, so that no beginning is computed twice.
 *
 * A new answer begins with the longest beginning of its prompt that is known
 * here: of an answer under way, of one that is over, or of pages on disk.
 * Beginnings are shared, not copied. Timelines whose answer is over stay
 * until there are too many; what they hold is written to disk when there is
 * nothing else to do.
 */
#ifndef ERRAND_MODEL_LOCAL_WARM_H
#define ERRAND_MODEL_LOCAL_WARM_H

#include "model/local_voice.h"

#include <stdatomic.h>

struct er_warm;
struct er_warm_line; /* one timeline */

struct er_warm_options {
    const char *folder;  /* NULL: nothing is kept on disk; copied */
    uint64_t max_bytes;  /* there */
    uint64_t max_tokens; /* in memory, of timelines that are over */
};

/* The engine's thread, as all here. NULL: no memory. */
struct er_warm *er_warm_new(
    er_local *m, const struct er_warm_options *opt);
void er_warm_free(struct er_warm *w); /* NULL is harmless; no line is lent */

/* Adapters that are on, and a text that tells them apart. */
struct er_warm_adapters {
    const char *name;
    er_adapter *const *list;
    const float *scales;
    size_t n;
};

/* A timeline that begins as ids does, at least one token short of them; its
 * length tells how much is known. Errors NOMEM. */
int er_warm_lend(struct er_warm *w, const struct er_warm_adapters *with,
    const int32_t *ids, size_t n, struct er_warm_line **out,
    struct errand_error *err);
er_session *er_warm_session(struct er_warm_line *line);

/* The answer is over, and the timeline good for others. */
void er_warm_return(struct er_warm *w, struct er_warm_line *line);

/* Is there so much in a lent timeline that is not on disk? */
bool er_warm_wants(const struct er_warm *w, const struct er_warm_line *line);

/* Write a timeline that is lent; failures only cost time later. The first n
 * tokens are what other prompts may have in common with it. */
void er_warm_keep(struct er_warm *w, struct er_warm_line *line, uint32_t n);

/* Write the newest that is not written yet; false: there is none. */
bool er_warm_keep_one(struct er_warm *w);

#endif
