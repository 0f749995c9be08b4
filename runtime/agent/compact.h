/* Compaction: a conversation that outgrows the model's window goes on with
 * less of its beginning.
 *
 * First old results of tools become handles (read_more reads them on); if
 * that is not enough, a summary takes the place of the old messages. What was
 * done is a row of the conversation of its own, with a member
 *
 *     "compacted": {"from","to","elide"}
 *
 * from and to: the messages that its text stands for; elide: results up to
 * there are handles. The originals stay where they were, and log show shows
 * them all. A conversation is always made from its rows and the newest of
 * these, so a resumed run sees what the run before it saw.
 *
 * A summary is made of the originals that it newly covers, whole, and of what
 * the people said before that, beside the summary before; so nothing is ever
 * a summary of a summary alone. Calls and their results are covered together.
 */
#ifndef ERRAND_AGENT_COMPACT_H
#define ERRAND_AGENT_COMPACT_H

#include "agent/run.h"

enum {
    ER_COMPACT_AT = 85,   /* percent of the window: time to compact */
    ER_COMPACT_TAIL = 25, /* of it stay as they are: the newest messages */
    ER_COMPACT_FEW = 70,  /* handles are enough if they come below that */
    ER_COMPACT_SMALL = 240, /* bytes of a result that stays */
};

/* Tokens that messages take, about: rather too many. [any] */
int64_t er_compact_estimate(const json_t *messages);

/* Rows as objects with "seq" (borrowed), as the model shall see them: what
 * the newest compaction covers is left out, its summary put in. New; NULL:
 * no memory. [any] */
json_t *er_compact_apply(const json_t *rows);

/* Where the tail begins: the seq of its first message, at most tail tokens
 * before the end; 0: there is nothing to leave out. [any] */
int64_t er_compact_border(const json_t *rows, int64_t tail);

/* Before a turn: true if the conversation is compacted first, and er_run_turn
 * is called again afterwards. */
bool er_compact_first(errand_run *run);

/* The model says that its window is full: true if compacting is tried. */
bool er_compact_overflow(errand_run *run);

#endif
