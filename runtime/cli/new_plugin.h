/* errand tools new NAME --c. */
#ifndef ERRAND_CLI_NEW_PLUGIN_H
#define ERRAND_CLI_NEW_PLUGIN_H

#include "cli.h"

/* Write the source of a plugin to start from; name is one of a tool. Gives
 * the exit status. */
int er_cli_new_plugin(struct er_cli *cli, const char *name);

#endif
