/* The socket while a request is worked on: questions to the runtime and
 * their answers, and the news that nobody waits for the result any more.
 * Knows neither Lua nor plugins.
 *
 * A tool that looks whether its call was cancelled says so to the runtime,
 * once: then it has ER_WIRE_GRACE_MS after that, or after its deadline, to
 * end by itself; any other is killed at once. One question is asked at a
 * time. While it waits nothing else can come but that news and answers to
 * questions of calls before, which ended at their deadline; anything else is
 * a runtime that speaks otherwise, and then this process is of no use.
 */
#ifndef ERRAND_WORKER_WIRE_H
#define ERRAND_WORKER_WIRE_H

#include "base/frame.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { ER_WIRE_GRACE_MS = 2000 };

struct er_wire {
    int sock;
    struct er_frame_reader *reader; /* what comes from it; borrowed */
    json_int_t id;                  /* of the request */
    json_int_t asked;               /* questions of it */
    json_t *answer;                 /* to the last one: a frame, held */
    bool listens;                   /* the runtime knows that it looks */
    atomic_bool cancelled;          /* the runtime said so */
};

enum er_wire_got {
    ER_WIRE_ANSWERED = 1,
    ER_WIRE_CANCELLED = 2, /* while it waited, not before */
    ER_WIRE_LATE = 3,      /* until_ms has passed */
    ER_WIRE_GONE = 4,      /* so has the runtime: the socket is shut down */
};

void er_wire_init(
    struct er_wire *w, int sock, struct er_frame_reader *reader);

/* Another request begins; the one before is over. */
void er_wire_next(struct er_wire *w, json_int_t id);

/* Begin the frame of a question in out; behind it comes its params' JSON,
 * then end, which sends it. False: it is over 16 MiB. */
size_t er_wire_begin(
    struct er_wire *w, struct er_buf *out, const char *service);
bool er_wire_end(struct er_wire *w, struct er_buf *out, size_t token);

/* Wait for the answer, until er_mono_ms is until_ms. */
enum er_wire_got er_wire_wait(struct er_wire *w, int64_t until_ms);

/* The answer's value, or NULL and *why; both borrowed until the next
 * question. */
const json_t *er_wire_value(const struct er_wire *w, const char **why);

/* Tell the runtime that the tool looks; only the first time sends. */
void er_wire_listen(struct er_wire *w);

/* Read what has come. False: the runtime has gone. */
bool er_wire_look(struct er_wire *w);

/* Is it news for a call that has ended meanwhile? */
bool er_wire_is_late(const json_t *frame);

#endif
