/* The script of a run: an agent's function, and the steps it asks for.
 *
 * The script runs in a worker and asks for each step by number. A step whose
 * value is stored is answered from the store; any other is begun, and its
 * value stored before the script hears of it. So a script that was killed
 * runs again from its top and soon stands where it stood. What a step does
 * is a run of its own (a question to the model, a call of a tool, another
 * agent, a person's yes), begun with a key that is made of the step, so that
 * it is found again and not begun twice: nothing here knows how to recover
 * anything, runs do.
 *
 * What is not what it was: a script whose step is not the one that is stored
 * under its number was changed, and is stopped with both.
 *
 * What fails outside of the script (the network, a model's endpoint, errand
 * itself) is not told to it: the run ends and can be resumed. What fails in
 * a way that it can do something about (a tool said no, an answer does not
 * fit) is an error in Lua, and stored as the step's.
 */
#ifndef ERRAND_AGENT_SCRIPT_H
#define ERRAND_AGENT_SCRIPT_H

#include "agent/agent_file.h"
#include "agent/run.h"

enum {
    ER_SCRIPTS_AT_ONCE = 16, /* of one depth; others wait in line */
    ER_STEPS_MOST = 1000000, /* of one run */
    ER_STEP_ABOUT = 400,     /* bytes kept of what a step is asked with */
};

struct er_script_step {
    struct er_script_step *next;
    struct er_script_run *script;
    int64_t n; /* of the worker's question */
    char *path, *kind, *about;
    char digest[65];
    json_t *params;
    int32_t attempt;
    errand_run *child; /* that works on it, while it lives */
    bool waits;        /* its child paused */
    bool outside;      /* its value came from there */
    int64_t began_ms, tokens;
    int64_t items, over, failed; /* of a map */
};

struct er_script_run {
    errand_run *run;
    struct er_agent *agent;
    er_script_job *job; /* in a worker */
    struct er_script_run *next; /* in line */
    bool in_line;
    int depth; /* 0: a person asked for it */
    json_t *stored; /* of earlier legs: path -> row */
    size_t unasked; /* of them, values that were not asked for yet */
    size_t answered_before; /* steps that the store answered */
    struct er_script_step *steps; /* open */
    size_t live;      /* children that work */
    int64_t count;    /* steps begun */
    int64_t answered; /* answers given to the worker */
    int64_t seen;     /* of them, those after which it waits again */
    /* how it ends, once nothing of it works any more */
    bool stopping;
    int stop_state, stop_code;
    char *stop_reason, *stop_text;
};

/* Scripts of one depth: so many run, the others wait. */
struct er_script_line {
    size_t running;
    struct er_script_run *first, *last;
};

/* Run the run's script from its top. */
void er_script_go(errand_run *run);

/* The run is cancelled, or lost: kill what works for it. */
void er_script_interrupt(errand_run *run);
void er_script_abandon(errand_run *run);
void er_script_free(errand_run *run);
void er_script_lines_free(errand *rt);

/* --- for script_step.c and script_child.c */

/* Go towards the run's end: nothing more is begun. */
void er_script_stop(struct er_script_run *s, int state, const char *reason,
    int code, const char *text);

/* End the run if it is to end and nothing works any more; or pause it if
 * all that could go on waits for a person. */
void er_script_look(struct er_script_run *s);

/* A question of the worker. False: it is none. */
bool er_script_ask(struct er_script_run *s, int64_t n, const char *kind,
    const char *path, const json_t *params);

/* The step has its value (taken; NULL: no memory), or failed with a text:
 * stored, told, freed. keep: the value is the answer of its run, do not
 * store it again. */
void er_step_done(struct er_script_step *step, json_t *value, bool keep);
void er_step_failed(struct er_script_step *step, const char *text);

/* Forget it without a word to anybody. */
void er_step_free(struct er_script_step *step);

/* Begin the run that does the step's work. */
void er_step_begin_child(struct er_script_step *step);

/* What an answer of the step's run is to the script; NULL: no memory. */
json_t *er_step_value(const char *kind, const json_t *params,
    const char *answer);

/* Settings and texts of the run for a step. Errors USAGE, NOT_FOUND ...:
 * the script's affair; NOMEM. */
struct er_step_wish {
    json_t *settings;
    char *system, *prompt; /* or NULL */
};
int er_step_wish(const struct er_script_step *step, struct er_step_wish *out,
    struct errand_error *err);

#endif
