/* The functions that a request brings: Lua with no permissions, offered to
 * the model beside the tools, for this run alone. */
#ifndef ERRAND_AGENT_FUNCTIONS_H
#define ERRAND_AGENT_FUNCTIONS_H

#include "agent/run.h"

/* Read the list of the run's settings (NULL: none). Errors USAGE, RANGE,
 * SCHEMA, SYNTAX, TOO_LARGE, EXISTS (a name twice), NOMEM. */
int er_functions_read(
    errand_run *run, const json_t *list, struct errand_error *err);
void er_functions_free(errand_run *run);

/* The function or the tool of that name; NULL: there is none. Borrowed as
 * long as the run and the registry. */
const struct er_tool *er_functions_find(
    const errand_run *run, const char *name);

/* Add them to run->tools, which is sorted by name and stays so. Errors EXISTS
 * (a tool that is offered has the name), NOMEM. */
int er_functions_offer(errand_run *run, struct errand_error *err);

#endif
