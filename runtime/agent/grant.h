/* Grants: what a tool's file asks for, somebody must have said yes to, once.
 *
 * A grant is for a file as it is: its path, the beginning of its SHA-256 and
 * its permissions. A file that has changed asks again. Who need not be asked:
 * tools without permissions, those of the embedding program, the files that
 * come with errand (known by their hash), and plugins that the user named;
 * unless the working folder's configuration had a word in it. */
#ifndef ERRAND_AGENT_GRANT_H
#define ERRAND_AGENT_GRANT_H

#include "agent/runtime.h"

/* Why the tool has what it asks for: "nothing asked", "shipped", "named",
 * "run", "stored"; NULL: it was not granted. */
const char *er_grant_of(const errand *rt, const struct er_tool *tool);

/* Errors DENIED: with what to type. */
int er_grant_check(
    const errand *rt, const struct er_tool *tool, struct errand_error *err);

/* Read what the store keeps. Errors STORE, NOMEM */
int er_grant_load(errand *rt, struct errand_error *err);

#endif
