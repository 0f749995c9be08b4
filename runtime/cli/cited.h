/* A model's answer from passages that were found, with its sources. */
#ifndef ERRAND_CLI_CITED_H
#define ERRAND_CLI_CITED_H

#include "cli.h"

/* Ask, check the citations, print. hits: what errand_search answered; taken.
 * Gives the exit status. */
int er_cited_answer(struct er_cli *cli, const char *question, char *hits);

/* A path as seen from the working folder, where it lies below it. */
const char *er_path_from_here(const char *path);

#endif
