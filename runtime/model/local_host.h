/* A local model at work: one thread that owns it and drives several answers
 * at once.
 *
 * Requests come through a queue. In each round the thread lets new ones in,
 * reads a piece of one prompt, and takes one step of all answers that are
 * being written, in one batch. What an answer says does not depend on what
 * else is under way. Cancelled ones leave within a token. With nothing to do
 * it writes timelines to disk, then sleeps.
 */
#ifndef ERRAND_MODEL_LOCAL_HOST_H
#define ERRAND_MODEL_LOCAL_HOST_H

#include "model/local_job.h"
#include "model/local_settings.h"

struct er_host;

/* Start the thread with its first job; it loads the model, and whoever asks
 * before that is done waits in the queue. path is copied; the job is taken
 * on success. Errors NOMEM, IO. [owner] */
int er_host_new(const char *path, const struct er_local_settings *settings,
    struct er_job *first, struct er_host **out, struct errand_error *err);

/* Stop what is under way, write what is worth it, unload, end the thread.
 * NULL is harmless. [owner] */
void er_host_free(struct er_host *h);

const char *er_host_path(const struct er_host *h);

/* Take a job. False: the model could not be loaded and the host is of no use
 * any more; the job is the caller's as before. [owner] */
bool er_host_submit(struct er_host *h, struct er_job *j);

#endif
