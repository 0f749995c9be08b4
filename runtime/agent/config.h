/* The configuration: errand.lua of the user and of the working folder,
 * merged, checked against schemas/config.schema.json, with defaults.
 */
#ifndef ERRAND_AGENT_CONFIG_H
#define ERRAND_AGENT_CONFIG_H

#include "agent/budget.h"
#include "base/error.h"
#include "base/json.h"
#include "model/model.h"
#include "tool/tools.h"

struct er_config {
    json_t *value;          /* the merged table, an object */
    json_t *folder_plugins; /* object: names of plugins that the working
                               folder's own file speaks of */
    const char *model;      /* NULL: none is configured */
    const char *system;     /* NULL: none */
    const char *on_unknown; /* ask, fail, retry */
    struct er_sampling sampling;
    struct er_budgets budgets;
    bool window_known;     /* the configuration says it */
    int64_t window_tokens; /* context window that results are capped for */
    double result_share;   /* of it, what one result may take */
};

/* Read and merge. path as errand_options.config_path. tools evaluates the
 * files in a worker and starts none if there is no file.
 * Errors CONFIG (file, key, what is expected), SYNTAX, NOT_FOUND, IO */
int er_config_load(struct er_config *c, const char *path, er_tools *tools,
    struct errand_error *err);
void er_config_release(struct er_config *c);

/* $XDG_<kind>_HOME/errand/<rest>, or the default below $HOME. kind: CONFIG,
 * DATA or STATE. Caller frees with free(); NULL: no memory or no home. */
char *er_config_user_path(const char *kind, const char *rest);

#endif
