/* Recordings that answer: which exchange of a file fits a request.
 * docs/recordings.md is the format; replay_play.c gives the events.
 */
#ifndef ERRAND_MODEL_REPLAY_H
#define ERRAND_MODEL_REPLAY_H

#include "model/fingerprint.h"
#include "model/model.h"

struct er_shot {    /* one recorded exchange */
    json_t *events; /* checked: types, fields, an end */
    int64_t turn, delay_ms;
    bool used;
    /* indices into er_replay.shots, ER_NO_SHOT behind the last */
    size_t next_print, next_turn;
    /* kept in the first of a chain: where to look on */
    size_t cursor_print, cursor_turn;
    bool looping;
};

#define ER_NO_SHOT SIZE_MAX

struct er_replay {
    struct er_replay *next; /* kept by model.c */
    char *path;
    struct er_shot *shots;
    size_t count;
    json_t *by_print, *by_turn; /* to the index of the first */
};

/* Read a recording whole and check it. Errors IO, SYNTAX (with the line),
 * TOO_LARGE, NOMEM. [owner] */
struct er_replay *er_replay_open(const char *path, struct errand_error *err);
void er_replay_close(struct er_replay *r);

/* The exchange that answers a request, marked as used: one with the same
 * fingerprint, each once and then from the first again; if there is none,
 * the first unused one of the same turn. NULL: nothing fits.
 * Errors NOT_FOUND. [owner] */
const struct er_shot *er_replay_choose(struct er_replay *r,
    const struct er_fingerprint *print, struct errand_error *err);

#endif
