/* The file that a user begins with: errand tools new, errand agents new. */
#ifndef ERRAND_CLI_NEW_FILE_H
#define ERRAND_CLI_NEW_FILE_H

#include "base/buf.h"
#include "cli.h"

/* Whether a tool or an agent may be called so. */
bool er_cli_is_name(const char *name);

/* Write text to DIR/NAME.EXT, which must not be there, make DIR if it is
 * not, and print the file's path, which path keeps too (an empty buffer;
 * the caller releases it). */
int er_cli_new_file(struct er_cli *cli, const char *dir, const char *name,
    const char *ext, const struct er_buf *text, struct er_buf *path,
    struct errand_error *err);

#endif
