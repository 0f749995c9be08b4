/* Granting tools what they ask for, before a command uses them. */
#ifndef ERRAND_CLI_GRANTER_H
#define ERRAND_CLI_GRANTER_H

#include "cli.h"

/* Grant what --grant names, for this process. Then, if ask is true and a
 * person is there, ask about those of the tools (names, or {"*"}; NULL:
 * none) that lack something. 0, or the exit status after the reason was
 * said. */
int er_granter_run(
    struct er_cli *cli, const char *const *tools, bool ask);

#endif
