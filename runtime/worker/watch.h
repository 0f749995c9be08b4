/* errand-worker as a watcher: who ends what the runtime leaves behind.
 *
 * A worker ends with the runtime, but not the programs that it has started.
 * Where a tool may start some, the runtime keeps one more process of this
 * program, outside of any cage, which knows the groups of such workers. When
 * its socket closes the runtime is gone, and the groups are killed.
 */
#ifndef ERRAND_WORKER_WATCH_H
#define ERRAND_WORKER_WATCH_H

/* Serve on standard input until it closes: each number there (int32, of this
 * machine) is a process group to watch over, a negative one is done with. The
 * exit status. */
int er_watch_serve(void);

#endif
