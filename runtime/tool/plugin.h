/* Plugins on the runtime's side: what the files behind them share. */
#ifndef ERRAND_TOOL_PLUGIN_H
#define ERRAND_TOOL_PLUGIN_H

#include "base/plugin.h"
#include "tool/parts.h"

/* A description (of a worker, or of our own eyes) that was judged. */
struct er_plugin_verdict {
    bool ok;
    int code;          /* of what kind the errors are */
    json_t *problems;  /* array of {"line","message"[,"level"]} */
    json_t *plugin;    /* {"name","release","abi"}, or NULL */
    json_t *tools;     /* array; permissions are resolved */
    er_schema **schemas; /* of each of them; NULL where taken */
};

/* answer: as protocol.md has it for a plugin. config: an object or NULL.
 * with_config: hold it against the plugin's schema. Errors NOMEM alone; the
 * verdict is to be released in any case. */
int er_plugin_judge(struct er_plugin_verdict *v, const json_t *answer,
    const json_t *config, bool with_config, struct errand_error *err);
void er_plugin_verdict_release(struct er_plugin_verdict *v);

/* What a tool asks for, with lists out of the configuration put in their
 * places; nothing that is not understood is passed on. NULL: nothing, or
 * a problem was added. who names the tool in it. */
json_t *er_plugin_permissions(const json_t *asked, const json_t *config,
    const char *who, json_t *problems);

/* --- plugin_inproc.c: plugins inside this process, on threads of their
 * own. */

struct er_inproc;

/* Begin to run a plugin here: init is called on its thread, and the calls
 * wait for it. config: an object or NULL. Errors NOMEM, IO (no thread). */
struct er_inproc *er_inproc_new(er_tools *t, const struct errand_plugin *p,
    const json_t *config, struct errand_error *err);

/* What a callback's run and user must be for its tool of that name; NULL: it
 * has none. Owned by the plugin. */
void *er_inproc_user(struct er_inproc *p, const char *tool);
void er_inproc_run(
    void *user, errand_call *call, const char *args, size_t len);

/* Let all of them end, and wait a little. A thread that does not come back
 * is left alone with what it needs. */
void er_inproc_free_all(er_tools *t);

#endif
