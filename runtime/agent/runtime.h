/* The runtime behind errand.h: what one process holds while it works.
 *
 * One loop, one store, the tools, the models, and the runs that are alive
 * here. Everything in this folder runs on the loop's thread.
 */
#ifndef ERRAND_AGENT_RUNTIME_H
#define ERRAND_AGENT_RUNTIME_H

#include "agent/config.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/loop.h"
#include "model/model.h"
#include "search/docs.h"
#include "store/store.h"
#include "tool/fetch.h"
#include "tool/policy.h"
#include "tool/tools.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

enum {
    ER_LEASE_MS = 30000,       /* a run is ours so long without a word */
    ER_LEASE_EXTEND_MS = 10000 /* and we speak this often */
};

struct errand {
    struct er_loop *loop;
    struct er_log log;
    struct er_config config;
    er_store *store;
    er_tools *tools;
    er_vault *vault;        /* secrets of tools */
    struct er_fetch *fetch; /* requests of tools */
    er_models *models;
    char *store_path;       /* the store's file */
    er_docs *docs;          /* documents; NULL: not opened yet */
    char owner[128];
    char *default_model; /* what a request without a model asks; or NULL */
    er_policy *policy;   /* of errand.lua, and what is always allowed */
    char *cwd;           /* the working folder; NULL if it cannot be told */
    json_t *grants;      /* by path, as stored; NULL: not read yet */
    json_t *grants_now;  /* the same, for this process alone */
    bool consent_loaded; /* what the store knows of it was read */
    errand_approval_fn on_approval;
    void *approval_user;
    bool tools_loaded;
    char **tools_dirs; /* from the options, ended by NULL; may be NULL */
    char **plugins, **plugins_dirs; /* from the options, ended by NULL */
    struct er_agent *agents; /* files that were read: agent_file.h */
    struct er_script_line *lines; /* scripts that wait: script.h */
    struct errand_run *runs; /* alive here, newest first */
    size_t active;           /* of them, those whose end was not told */
    bool closing;            /* errand_close: nothing new may begin */
    struct er_timer lease_timer;
    bool threaded; /* a loop thread was started */
    pthread_t thread;
};

/* Read the tools' folders on first use. Errors as er_tools_load_dir. */
int er_runtime_need_tools(errand *rt, struct errand_error *err);

/* The documents, opened on first use; NULL with err set. In docs.c. */
er_docs *er_runtime_docs(errand *rt, struct errand_error *err);

/* What tools may ask for, from the configuration: once, after the tools.
 * Errors CONFIG, NOMEM. In services.c. */
int er_runtime_open_services(errand *rt, struct errand_error *err);

/* After the tools are gone. */
void er_runtime_close_services(errand *rt);

/* Run fn on the loop's thread and wait for it: at once when this is that
 * thread or no loop thread was started. Returns fn's code. */
int er_runtime_call(errand *rt, int (*fn)(void *arg), void *arg);

/* A run began or ended; errand_drive returns when none is active. */
void er_runtime_run_began(errand *rt);
void er_runtime_run_ended(errand *rt);

#endif
