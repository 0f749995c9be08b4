/* Scripts of agents: reading their files, and running one in a worker.
 *
 * A script asks its owner for every step and waits as long as it takes; its
 * own computing between two waits is bounded, by the worker and by the
 * system. It has no permissions: its workers may touch nothing, are shared
 * with no tool, and do not count among the tools' processes, for a script
 * waits for tools. How many run beside each other is the owner's affair.
 */
#ifndef ERRAND_TOOL_SCRIPT_H
#define ERRAND_TOOL_SCRIPT_H

#include "tool/tools.h"

typedef struct er_script_file er_script_file; /* an agent's file, as read */
typedef struct er_script_job er_script_job;   /* one script under way */

/* Read an agent's file and what its table holds: {"ok":true,"agent":{...},
 * "script":bool}, or {"ok":false,"problems":[{"line","message"}]}; new, into
 * *what. The file itself stays for running it; several may hold it. NULL and
 * NOT_FOUND, IO, TOO_LARGE, SYNTAX (no UTF-8), WORKER, NOMEM. Blocks a
 * moment. [owner] */
er_script_file *er_script_read(er_tools *t, const char *path, json_t **what,
    struct errand_error *err);
er_script_file *er_script_hold(er_script_file *file);
void er_script_drop(er_script_file *file); /* NULL is harmless */

/* Of its bytes: 64 hex digits. */
const char *er_script_sha256(const er_script_file *file);

struct er_script_owner {
    /* It asks for a step: answer n with er_script_reply or er_script_refuse,
     * now or later; 0 is told only. params is borrowed for the call. False:
     * that was no question; its worker is killed. */
    bool (*ask)(void *ctx, int64_t n, const char *kind, const char *step,
        const json_t *params);
    /* It is over, exactly once, from the loop; the job is gone then. OK:
     * text is the JSON text of its result. FAILED: what it raised. */
    void (*done)(void *ctx, const struct er_tool_outcome *outcome);
    void *ctx;
};

/* Run it with this input. Errors NOMEM, TOO_LARGE, STATE. [owner] */
int er_script_start(er_tools *t, er_script_file *file, const json_t *input,
    const struct er_script_owner *owner, er_script_job **out,
    struct errand_error *err);

/* Answer question n; value is borrowed. [owner] */
void er_script_reply(er_script_job *job, int64_t n, const json_t *value);
void er_script_refuse(er_script_job *job, int64_t n, const char *message);

/* Kill it; done comes with CANCELLED. [owner] */
void er_script_cancel(er_script_job *job);

#endif
