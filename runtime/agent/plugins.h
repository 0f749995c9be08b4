/* Which plugins to load, where they are, and with what configuration. */
#ifndef ERRAND_AGENT_PLUGINS_H
#define ERRAND_AGENT_PLUGINS_H

#include "agent/runtime.h"

/* What the options ask for, copied. Errors NOMEM. */
int er_plugins_keep(errand *rt, const struct errand_options *opt,
    struct errand_error *err);
void er_plugins_release(errand *rt);

/* Load those of the options and of the configuration; once. Errors as
 * er_tools_load_plugin, NOT_FOUND with the places that were looked at. */
int er_plugins_load(errand *rt, struct errand_error *err);

#endif
