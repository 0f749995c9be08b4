/* From options to a request: what run, chat and batch have in common. */
#ifndef ERRAND_CLI_REQUEST_H
#define ERRAND_CLI_REQUEST_H

#include "base/arena.h"
#include "base/clock.h"
#include "cli.h"

/* Fill in *req from the options, all but prompt, events and user. What it
 * points to is borrowed from argv and the arena. Reads the files of --schema
 * and --functions.
 * Errors  USAGE, IO, SYNTAX, NOMEM */
int er_request_build(const struct er_cli *cli, struct er_arena *arena,
    struct errand_request *req, struct errand_error *err);

/* -p KEY=VALUE options as the text of a JSON object in the arena; NULL
 * without any. A value is read as JSON, else taken as text.
 * Errors  USAGE, NOMEM */
int er_request_params(const struct er_list *pairs, struct er_arena *arena,
    const char **json, struct errand_error *err);

/* Names from "a,b" texts as an array ended by NULL, in the arena; "all" is
 * {"*"}, "none" is NULL. Nothing given: all. Errors  USAGE, NOMEM */
int er_request_tools(const struct er_list *lists, struct er_arena *arena,
    const char *const **names, struct errand_error *err);

/* Budgets as JSON text in the arena; NULL if none are set. */
int er_request_budgets(const struct er_args *args, struct er_arena *arena,
    const char **json, struct errand_error *err);

/* Rules of the policy as {"deny","ask","allow"}; new, NULL: no memory. */
json_t *er_request_policy(const struct er_args *args);

/* Options of errand_resume as JSON text in the arena; NULL: none. */
int er_request_resume(const struct er_args *args, struct er_arena *arena,
    const char **json, struct errand_error *err);

/* Id of the newest conversation into out. Errors NOT_FOUND and the store's */
int er_request_last(
    struct er_cli *cli, char out[ER_ID_SIZE], struct errand_error *err);

#endif
