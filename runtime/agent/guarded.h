/* Which files no tool may touch, whatever is granted to it. */
#ifndef ERRAND_AGENT_GUARDED_H
#define ERRAND_AGENT_GUARDED_H

#include "agent/runtime.h"

/* Tell the tools: the store's files, which are secret, and what decides about
 * the next run: configuration and the folders of tools. config_path and
 * store_path may be NULL. Errors NOMEM. */
int er_guarded_tell(errand *rt, const char *store_path,
    const char *config_path, struct errand_error *err);

#endif
