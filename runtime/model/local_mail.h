/* One answer's way from the engine's thread to the loop's.
 *
 * The engine sends events as it makes them; they are copied, queued, and
 * given out on the loop's thread in order. Pieces of text that queue up while
 * the loop is busy are joined. Whoever asked may go away at any time: then
 * nothing is given out any more, and the engine sees the flag and stops. The
 * end of an answer needs no memory, so that running out of it can be said.
 */
#ifndef ERRAND_MODEL_LOCAL_MAIL_H
#define ERRAND_MODEL_LOCAL_MAIL_H

#include "model/model.h"

#include <stdatomic.h>

struct er_mail;

/* give is called on the loop's thread, for DONE or ERROR last. It is the
 * engine's and the loop's until each has let go. NULL: no memory. [owner] */
struct er_mail *er_mail_new(
    struct er_loop *loop, er_model_event_fn give, void *ctx);

/* The loop's side goes: nothing is given any more. [owner] */
void er_mail_leave(struct er_mail *m);

/* True once the loop's side is gone. [any] */
const atomic_bool *er_mail_left(const struct er_mail *m);

/* TEXT, REASONING, CALL, LOGPROBS and USAGE. What cannot be kept for lack of
 * memory turns the answer's end into that error. The engine's thread. */
void er_mail_send(struct er_mail *m, const struct er_model_event *ev);

/* DONE or ERROR; the engine's side goes. */
void er_mail_end(struct er_mail *m, const struct er_model_event *ev);

#endif
