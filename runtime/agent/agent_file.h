/* Agents: files that say who answers, with what, and perhaps how.
 *
 * An agent is a Lua file that returns a table (schemas/agent.schema.json):
 * settings, and a function run if it is a script. It is named by its path,
 * or by its name: NAME.lua in ./agents, in the user's folder, or among those
 * that came with errand, in this order. A file is read once and kept as long
 * as it does not change.
 */
#ifndef ERRAND_AGENT_AGENT_FILE_H
#define ERRAND_AGENT_AGENT_FILE_H

#include "agent/runtime.h"
#include "tool/script.h"

enum { ER_AGENT_DEPTH = 8 }; /* agents that work for agents */

struct er_agent {
    struct er_agent *next; /* of those that are kept */
    int holders;
    char *name, *path;
    bool is_script;
    const json_t *table;   /* as the file returns it */
    er_script_file *file;
    er_schema *parameters; /* compiled; NULL: it takes none */
    json_t *what;          /* holds the table */
    int64_t stamp[4];      /* of the file: it was not changed since */
};

/* Find, read and judge one. NULL and NOT_FOUND (with the places, or a name
 * that is near), SYNTAX, SCHEMA (file, line and what is wrong), IO, WORKER,
 * NOMEM. [owner] */
struct er_agent *er_agent_load(
    errand *rt, const char *name, struct errand_error *err);
void er_agent_drop(struct er_agent *agent); /* NULL is harmless */

/* Forget those that are kept. */
void er_agents_close(errand *rt);

/* Everything wrong with a file: {"ok","problems":[{"line","message"}],
 * "agent"}; new. NULL and NOMEM, WORKER. [owner] */
json_t *er_agent_check(
    errand *rt, const char *path, struct errand_error *err);

/* What a run of it needs, made from its table and what the request says. */
struct er_agent_wish {
    const json_t *given; /* object of -p: its own parameters, and for a
                            request also sampling; or NULL */
    const char *prompt;
    size_t prompt_len;
    bool strict; /* given holds its own parameters alone */
};

/* Split given: *input gets {"prompt", parameters, with their defaults},
 * *params the sampling parameters (NULL: none). Errors USAGE (what is
 * missing or unknown, and what there is), SCHEMA, NOMEM */
int er_agent_input(const struct er_agent *agent,
    const struct er_agent_wish *wish, json_t **input, json_t **params,
    struct errand_error *err);

/* Add the agent's settings to those of a run, where the run says nothing
 * itself: model, tools, params, budgets, schema, policy ... and who it is.
 * input as above. Errors NOMEM */
int er_agent_settle(const struct er_agent *agent, json_t *settings,
    const json_t *input, struct errand_error *err);

/* The agent's text key ("system", "prompt") with {{name}} replaced; NULL: it
 * has none, or no memory. The caller frees it. */
char *er_agent_text(
    const struct er_agent *agent, const char *key, const json_t *input);

#endif
