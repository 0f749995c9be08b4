/* The plugin host: one plugin for the life of this process.
 *
 * A worker of the kind "plugin" loads one shared object, after it locked
 * itself in, and runs its tools. Nothing here stops a plugin that does not
 * return: the runtime kills the process at the deadline.
 */
#ifndef ERRAND_WORKER_PLUGIN_H
#define ERRAND_WORKER_PLUGIN_H

#include "base/buf.h"
#include "base/json.h"
#include "base/plugin.h"
#include "wire.h"

#include <pthread.h>

struct er_plugin_host {
    struct er_wire wire;
    pthread_mutex_t sending, reading; /* threads of one call share it */
    int64_t deadline_ms; /* of the call, as er_mono_ms counts */
    json_t *config; /* for init, from the lock; or NULL */
    const struct errand_plugin *plugin; /* NULL: not loaded */
    char version[17];
    void *self; /* what init left */
    bool is_ready;
    bool is_refused; /* init said no: it is not asked again */
    struct er_buf refusal;
};

/* lock: the request that locked this process, borrowed for the call. */
void er_plugin_host_init(struct er_plugin_host *h, int sock,
    struct er_frame_reader *reader, const json_t *lock);

/* Work on a request, which has a path: append the members of the answer to
 * out behind its id. False: there is no such op. */
bool er_plugin_host_work(struct er_plugin_host *h, const json_t *request,
    const char *op, struct er_buf *out);

/* The socket is closed, in good order: fini. */
void er_plugin_host_end(struct er_plugin_host *h);

#endif
