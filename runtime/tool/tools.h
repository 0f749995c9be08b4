/* What may be called: the registry of tools, and calling one.
 *
 * A tool is a Lua file, run in a worker process, or a callback that the
 * embedding program added. The registry checks descriptions once; a call
 * goes to a warm worker, is killed at its deadline, and always ends in
 * exactly one outcome.
 */
#ifndef ERRAND_TOOL_TOOLS_H
#define ERRAND_TOOL_TOOLS_H

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/loop.h"
#include "tool/schema.h"
#include "tool/vault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct er_tools er_tools;         /* registry and workers */
typedef struct er_tool_call er_tool_call; /* one call under way */
struct errand_plugin;                     /* of errand/tool.h */

struct er_tool {
    const char *name, *description;
    const json_t *parameters; /* JSON Schema, an object */
    const er_schema *schema;  /* compiled from it */
    int32_t effect;           /* errand_effect */
    bool sequential;          /* never beside other calls */
    bool polls;               /* the same answer twice is expected: guards
                                 look away */
    bool external;            /* says itself: what it returns is from outside */
    bool egress;              /* says itself: it sends data out */
    int64_t timeout_ms;
    const char *source;  /* "lua", "plugin", "callback", "builtin",
                            "function" */
    const char *path;    /* file, or NULL */
    const char *version; /* sha256 of the file, first 16 hex digits; "" */
    const json_t *permissions; /* as declared, or NULL */
    bool probes;      /* it can tell whether a call took effect */
    bool from_folder; /* the working folder's configuration asked for it and
                         may have widened its permissions: what came with
                         errand is no reason to grant them */
};

/* worker_path: the errand-worker program. workers_max: processes for Lua
 * (0: 4). No process is started before it is needed.
 * A program that is missing is an error of the first call that needs it.
 * Errors NOMEM. [owner] */
er_tools *er_tools_new(struct er_loop *loop, const char *worker_path,
    int workers_max, const struct er_log *log, struct errand_error *err);

/* Take the vault's values out of results, reasons and log lines from now
 * on. The vault is borrowed until the tools are freed. [owner] */
void er_tools_hide(er_tools *t, const er_vault *vault);

/* Ends the workers. Calls that are under way get their done, CANCELLED,
 * before this returns; not to be called from within a done. NULL is
 * harmless. [owner] */
void er_tools_free(er_tools *t);

/* Load every *.lua of a folder (a missing folder is no error; template.lua
 * and names that begin with . or _ are skipped). Blocks while a worker reads
 * the files. A file that is wrong is an error that names file and line; the
 * others of the folder are loaded all the same, and problems (may be NULL)
 * gets {"path","line","message"} for each.
 * Errors  SYNTAX, SCHEMA, EXISTS (both paths named), WORKER, IO. [owner] */
int er_tools_load_dir(er_tools *t, const char *dir, json_t *problems,
    struct errand_error *err);

/* A plugin (errand/tool.h) to load. */
struct er_plugin_wish {
    const char *path;     /* the shared object */
    const json_t *config; /* for its init: an object or NULL */
    bool inproc;          /* into this process, which is then at its mercy */
    bool from_folder;     /* see struct er_tool */
};

/* Load a plugin and register its tools. Blocks while a worker reads it.
 * Errors  NOT_FOUND, SYNTAX (no shared object, no entry point, a symbol is
 *         missing, a wrong description), UNSUPPORTED (another major version
 *         of tool.h), CONFIG, SCHEMA, EXISTS (both named), WORKER. [owner] */
int er_tools_load_plugin(er_tools *t, const struct er_plugin_wish *wish,
    struct errand_error *err);

/* The same for one that is linked into this program; it runs in this
 * process, on a thread of its own. [owner] */
int er_tools_add_plugin(er_tools *t,
    const struct errand_plugin *(*main_fn)(void), const json_t *config,
    struct errand_error *err);

/* Does the name of a file say that it is a plugin? */
bool er_tool_is_plugin(const char *path);

/* Everything wrong with one file, as errand_tools_check answers: {"ok",
 * "problems","tool"}; "tool" only if it is right; of a plugin {"ok",
 * "problems","plugin","tools"}. A problem with "level":
 * "warning" does not make it wrong. NULL and WORKER if no worker answers.
 * The caller drops the answer. [owner] */
json_t *er_tools_check(
    er_tools *t, const char *path, struct errand_error *err);

/* The tool of one file, which stands in no registry and must live until its
 * calls are done. NULL and why. [owner] */
const struct er_tool *er_tools_open_file(
    er_tools *t, const char *path, struct errand_error *err);
void er_tools_close_file(const struct er_tool *tool); /* NULL is harmless */

/* Run a configuration file (Lua, in a worker without permissions) and get
 * the table it returns. Errors SYNTAX, NOT_FOUND, WORKER. [owner] */
json_t *er_tools_eval_config(
    er_tools *t, const char *path, struct errand_error *err);

/* Files that no tool may touch, whatever it is granted. secret: the store's,
 * neither read nor changed; fixed: what decides about the next run, not
 * changed; a folder stands for all in it. Paths need not exist; the lists
 * end with NULL. Errors NOMEM. [owner] */
int er_tools_guard(er_tools *t, const char *const *secret,
    const char *const *fixed, struct errand_error *err);

/* What the system enforces on Lua tools here: {"enforced":{"limits":true,
 * "no_new_privs":true,"landlock":7,"seccomp":true},"missing":[…]}; missing
 * says in plain words what it cannot. Starts a worker and waits for it. The
 * caller drops it. Errors WORKER, NOMEM. [owner] */
json_t *er_tools_cage(er_tools *t, struct errand_error *err);

/* Add a callback tool; see errand_add_tool. Errors USAGE, SCHEMA, EXISTS. */
int er_tools_add(er_tools *t, const struct errand_tool_def *def,
    const char *source, struct errand_error *err);

/* A function that came with a request: {"name","code"} and, if they are
 * given, "description", "parameters", "timeout_ms". code is Lua that returns
 * function(args, ctx), or a table with it as run; it gets no permissions. It
 * stands in no registry and must live until its calls are done. NULL and
 * USAGE, RANGE, SCHEMA, SYNTAX (no UTF-8), TOO_LARGE, NOMEM. [owner] */
const struct er_tool *er_tools_function(
    er_tools *t, const json_t *function, struct errand_error *err);
void er_tools_function_free(const struct er_tool *tool);

/* NULL if there is none. Borrowed as long as the registry. [owner] */
const struct er_tool *er_tools_find(const er_tools *t, const char *name);

/* All tools, sorted by name. */
size_t er_tools_count(const er_tools *t);
const struct er_tool *er_tools_at(const er_tools *t, size_t i);

/* Closest known names to a wrong one, for "did you mean": up to max. */
size_t er_tools_similar(const er_tools *t, const char *name,
    const char **out, size_t max);

enum er_tool_status {
    ER_TOOL_OK = 0,        /* text is the result */
    ER_TOOL_FAILED = 1,    /* the tool said no: text is for the model */
    ER_TOOL_TIMEOUT = 2,   /* killed at its deadline: outcome unknown */
    ER_TOOL_DIED = 3,      /* its worker died: outcome unknown */
    ER_TOOL_CANCELLED = 4, /* cancelled: outcome unknown */
    ER_TOOL_NOT_RUN = 5,   /* no worker could be started: it never ran */
};

/* Did a call take effect? */
enum er_tool_probe {
    ER_PROBE_UNKNOWN = 0,
    ER_PROBE_DONE = 1,
    ER_PROBE_NOT_DONE = 2, /* and it will not any more */
};

struct er_tool_outcome {
    enum er_tool_status status;
    const char *text; /* borrowed until the callback returns */
    size_t len;
    const char *detail; /* for the user: file and line, signal ...; or "" */
    int64_t took_ms;
    bool is_json; /* OK: text is the JSON text of a value */
    bool started; /* false: it certainly never ran, whatever the status */
    bool external; /* it was given what once came from outside */
    enum er_tool_probe probe; /* of a probe that is OK; text: the result */
};

typedef void (*er_tool_done_fn)(
    void *ctx, const struct er_tool_outcome *outcome);

/* Who wants to see what happens on the way: the worker that has the call
 * {"step":"worker","pid","started","waited_ms"}, questions {"step":"asks",
 * "n","service","params"} and {"step":"answered","n","ok","message"}, lines
 * {"step":"log","level","text"}. Free of secrets. */
struct er_tool_trace {
    void (*step)(void *ctx, const json_t *step);
    void *ctx;
};

struct er_tool_request {
    const struct er_tool_trace *trace; /* or NULL; borrowed for the call */
    const struct er_tool *tool;
    const json_t *arguments; /* checked against tool->schema already */
    const char *idem_key;
    int32_t attempt;    /* 1 for the first */
    int64_t timeout_ms; /* 0: the tool's own */
    bool tainted; /* who asks has read text from outside */
    bool probe; /* do not run it: ask a tool that probes whether the call with
                   this key took effect */
};

/* Start a call; it waits in line if all workers are busy (its time runs from
 * its own start). done comes later from the loop, exactly once, and the call
 * is gone then. A result over 16 MiB is a failure.
 * Errors NOMEM, TOO_LARGE (arguments over 16 MiB), STATE (from a done within
 * er_tools_free). [owner] */
int er_tools_call(er_tools *t, const struct er_tool_request *req,
    er_tool_done_fn done, void *ctx, er_tool_call **out,
    struct errand_error *err);

/* Kill it; done comes with CANCELLED (from the loop). A tool that looks
 * whether it was cancelled is told, and has two seconds: what it answers
 * then is its outcome. [owner] */
void er_tools_cancel(er_tool_call *call);

#endif
