/* How runs enter this process: those of people (errand_start, errand_resume)
 * and those that work for the steps of a script. */
#ifndef ERRAND_AGENT_START_H
#define ERRAND_AGENT_START_H

#include "agent/agent_file.h"
#include "agent/run.h"

/* A run that works for another; everything is copied. */
struct er_child {
    json_t *settings;           /* as a run's */
    const char *system;         /* or NULL */
    const char *prompt;         /* or NULL: "" */
    const char *key;            /* the same for the same step, always */
    const char *parent, *step;  /* whose step it works on */
    errand_event_fn on_event;
    void *user;
    errand_approval_fn on_approval; /* as the parent's */
    void *approval_user;
};

/* Begin it, or go on with the one that has the key. Its events come from the
 * loop, never from within. Errors as errand_start. */
int er_child_start(errand *rt, const struct er_child *child,
    errand_run **out, struct errand_error *err);

/* Settings and texts of a run of this agent; the caller frees the texts, of
 * which either may be NULL. Errors as er_agent_input, CONFIG (no model). */
int er_agent_wish_run(errand *rt, const struct er_agent *agent,
    const struct er_agent_wish *wish, json_t *settings, char **system,
    char **prompt, struct errand_error *err);

#endif
