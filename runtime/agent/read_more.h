/* read_more: the built-in tool that reads on in a result that was cut. */
#ifndef ERRAND_AGENT_READ_MORE_H
#define ERRAND_AGENT_READ_MORE_H

#include "agent/runtime.h"

/* Put it into the registry. Errors as er_tools_add */
int er_read_more_add(er_tools *tools, struct errand_error *err);

bool er_read_more_is(const struct er_tool *tool);

/* Read from the store: done comes from the loop, as from er_tools_call. Only
 * results of this conversation can be read. Errors NOMEM */
int er_read_more(errand *rt, const char *conv_id, const json_t *args,
    er_tool_done_fn done, void *ctx, struct errand_error *err);

#endif
