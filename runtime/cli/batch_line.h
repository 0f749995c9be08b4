/* One line of a batch file: a request as a JSON object. */
#ifndef ERRAND_CLI_BATCH_LINE_H
#define ERRAND_CLI_BATCH_LINE_H

#include "base/arena.h"
#include "base/json.h"

#include <errand/errand.h>

/* Read a line over *req, which holds what the command line said. What it
 * points to lies in the arena. *id gets the "id" member (new reference) or
 * NULL.
 * Errors  SYNTAX, USAGE, NOMEM: they name the key */
int er_batch_line(const char *line, size_t len, struct er_arena *arena,
    struct errand_request *req, json_t **id, struct errand_error *err);

#endif
