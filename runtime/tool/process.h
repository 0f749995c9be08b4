/* One worker process: start it, talk to it, end it and reap it.
 *
 * The worker leads a session of its own, so that one signal ends it with
 * everything it may have started, and a Ctrl-C at the terminal is not for
 * it. It gets a socket as descriptor 3, an empty environment, nothing to
 * read on 0, nowhere to write on 1, and as 2 a socket whose text goes to
 * the log: a worker never writes on somebody's terminal, and its last words
 * are there when it died.
 *
 * The child is waited for by its number alone; the embedding program's own
 * children and its SIGCHLD are left in peace.
 */
#ifndef ERRAND_TOOL_PROCESS_H
#define ERRAND_TOOL_PROCESS_H

#include "base/buf.h"
#include "base/error.h"
#include "base/frame.h"
#include "base/log.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct er_process {
    pid_t pid;     /* 0: never started, or reaped */
    int sock;      /* non-blocking; -1: closed */
    int err;       /* its standard error, non-blocking; -1: closed */
    bool greeted;  /* its hello came: from then on it may have run things */
    int status;    /* as waitpid gave it, once reaped */
    bool err_over; /* err is at its end */
    bool vanished; /* reaped by somebody else: status unknown */
    struct er_frame_reader in;
    struct er_buf out; /* bytes not yet sent */
    char words[200];   /* the last line it wrote to standard error */
    int lines;         /* it wrote there in the present call */
};

/* Start program in folder cwd (NULL: the present one). The thread that calls
 * this must live as long as the process does (spawner.h). Errors WORKER. */
int er_process_start(struct er_process *p, const char *program,
    const char *cwd, struct errand_error *err);

/* Queue whole frames and send what the socket takes. False: the peer is
 * gone. */
bool er_process_send(struct er_process *p, const char *bytes, size_t len);

/* Send more of what is queued. False: the peer is gone. */
bool er_process_flush(struct er_process *p);

/* Read what stands on its standard error into the log. */
void er_process_hear(struct er_process *p, const struct er_log *log);

/* Is this the hello of a worker that fits us? Errors WORKER. */
int er_process_greet(
    struct er_process *p, const json_t *frame, struct errand_error *err);

/* SIGKILL to its process group. */
void er_process_kill(struct er_process *p);

/* Collect it if it has ended, or wait until it has. True: it is reaped. */
bool er_process_reap(struct er_process *p, bool wait);

/* Append how it ended: "killed by SIGSEGV", "ended with status 1", and its
 * last words. */
void er_process_say_end(const struct er_process *p, struct er_buf *out);

/* Close what it holds; it must be reaped, or never have been started. */
void er_process_release(struct er_process *p);

#endif
