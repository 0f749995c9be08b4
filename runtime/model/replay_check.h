/* One line of a recording, checked. */
#ifndef ERRAND_MODEL_REPLAY_CHECK_H
#define ERRAND_MODEL_REPLAY_CHECK_H

#include "model/replay.h"

/* Read a line into *s (events, turn, delay_ms) and its fingerprint (a new
 * reference, or NULL if the line has none). Afterwards every event has its
 * fields in the right types, arguments are texts, and the last event is done
 * or error. Errors SYNTAX, NOMEM. [any] */
int er_replay_check(const char *line, size_t len, struct er_shot *s,
    json_t **print, struct errand_error *err);

/* Numbers of names that events hold; -1: unknown. */
int er_replay_finish(const char *name);
int er_replay_code(const char *name);

#endif
