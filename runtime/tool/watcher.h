/* The runtime's end of the process that outlives it by a moment: it kills
 * the groups of workers that may have started programs, should the runtime
 * be killed (worker/watch.h). [owner] */
#ifndef ERRAND_TOOL_WATCHER_H
#define ERRAND_TOOL_WATCHER_H

#include "base/error.h"

#include <stdbool.h>
#include <sys/types.h>

struct er_watcher {
    pid_t pid; /* 0: none */
    int sock;
};

/* Start one. Errors WORKER, NOMEM. */
int er_watcher_start(struct er_watcher *w, const char *program,
    struct errand_error *err);

/* From now on watch over the group that pid leads, or no more. False: the
 * watcher is gone. */
bool er_watcher_add(struct er_watcher *w, pid_t pid);
bool er_watcher_remove(struct er_watcher *w, pid_t pid);

/* End it; there is nothing left to watch over. Harmless if there is none. */
void er_watcher_end(struct er_watcher *w);

#endif
