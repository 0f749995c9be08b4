/* Recording exchanges: docs/recordings.md is the format.
 *
 * A take collects the events of one exchange; when it ends, one line is
 * appended to the file in one write, so that several exchanges and several
 * processes can record into the same file.
 */
#ifndef ERRAND_MODEL_RECORD_H
#define ERRAND_MODEL_RECORD_H

#include "base/secret.h"
#include "model/model.h"

struct er_recorder;
struct er_take;

/* Open for appending, made if missing. Errors IO, NOMEM. [owner] */
struct er_recorder *er_recorder_new(const char *path,
    const struct er_log *log, struct errand_error *err);
void er_recorder_free(struct er_recorder *r);

/* secrets: hidden in all texts, borrowed as long as the take; may be NULL.
 * NULL: no memory. [owner] */
struct er_take *er_take_new(struct er_recorder *r, const char *model,
    const struct er_model_request *req, const struct er_secrets *secrets);

/* Without DONE or ERROR seen, nothing was written. NULL is harmless. */
void er_take_free(struct er_take *t);

/* DONE and ERROR write the line. A recording that cannot be written is told
 * to the log once and never fails the exchange. */
void er_take_event(struct er_take *t, const struct er_model_event *ev);

#endif
