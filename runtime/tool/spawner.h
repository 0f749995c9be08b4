/* A thread that starts processes, for as long as there may be some.
 *
 * On Linux a worker asks to be killed when the thread that started it ends
 * (PR_SET_PDEATHSIG), and nothing that it does can keep it from that: not a
 * signal that it blocks, not that it was stopped. But the thread that drives
 * the loop may end, and another take over, while the runtime lives on. So
 * workers are started by this one, which lives as long as the pool does.
 */
#ifndef ERRAND_TOOL_SPAWNER_H
#define ERRAND_TOOL_SPAWNER_H

#include "base/error.h"

struct er_spawner;

/* Errors NOMEM, WORKER (no thread). */
struct er_spawner *er_spawner_new(struct errand_error *err);

/* What it started must have ended. NULL is harmless. */
void er_spawner_free(struct er_spawner *s);

/* Run fn(arg) on the thread and wait for it. [owner] */
void er_spawner_run(struct er_spawner *s, void (*fn)(void *arg), void *arg);

#endif
