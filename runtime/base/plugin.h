/* A plugin seen from errand's side: load it, and say what it is.
 *
 * The same eyes serve the worker, which loads plugins in a process of their
 * own, and the runtime, for those that are trusted to run inside it. Nothing
 * of a plugin is run here but its constructors and errand_plugin_main; but
 * that is already code of somebody else in this process.
 *
 * Every field is read through these functions, which look at its struct's
 * size first: a plugin may be older or newer than this errand.
 */
#ifndef ERRAND_BASE_PLUGIN_H
#define ERRAND_BASE_PLUGIN_H

#include "base/buf.h"
#include "base/error.h"

#include <errand/tool.h>

enum {
    ER_PLUGIN_TOOLS = 256,             /* of one plugin */
    ER_PLUGIN_FILE = 256 * 1024 * 1024 /* bytes of its file */
};

/* Load a shared object and find its description. It stays loaded for the
 * life of the process. version: beginning of the file's SHA-256; if expected
 * is not NULL or "" and differs, the file is not loaded. NULL on failure.
 * Errors  NOT_FOUND, IO, TOO_LARGE, SYNTAX (no shared object, a symbol is
 *         missing, no entry point), STATE (another version), UNSUPPORTED
 *         (another major version)
 * Threads [any] */
const struct errand_plugin *er_plugin_load(const char *path,
    const char *expected, char version[17], struct errand_error *err);

/* Is it one that this errand can read? what names it in messages. Errors
 * SYNTAX, UNSUPPORTED. [any] */
int er_plugin_accept(const struct errand_plugin *p, const char *what,
    struct errand_error *err);

/* Append the members of an answer (protocol.md, "describe" of a plugin):
 * ,"ok":…,"plugin":{…},"tools":[…],"problems":[…]. p was accepted. [any] */
bool er_plugin_describe(const struct errand_plugin *p, const char *version,
    struct er_buf *out);

/* Its tool of that name, or NULL. */
const struct errand_tool *er_plugin_tool(
    const struct errand_plugin *p, const char *name);

/* Optional functions; NULL: not there. */
int32_t (*er_plugin_probe(const struct errand_tool *t))(
    void *self, struct errand_tool_call *call);
int32_t (*er_plugin_init(const struct errand_plugin *p))(
    void **self, struct errand_tool_call *call);
void (*er_plugin_fini(const struct errand_plugin *p))(void *self);

#endif
