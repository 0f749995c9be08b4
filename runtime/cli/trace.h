/* What happens in a call by hand (tools call --trace): a line for each step
 * on standard error, or all of them as JSON. */
#ifndef ERRAND_CLI_TRACE_H
#define ERRAND_CLI_TRACE_H

#include "cli.h"

struct er_tracer {
    struct er_term *term;
    json_t *steps;  /* with --json: an array; else NULL */
};

/* For errand_tools_trace; user is a struct er_tracer. */
void er_trace_step(void *user, const char *json);

#endif
