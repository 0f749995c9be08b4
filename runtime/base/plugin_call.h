/* One call of a plugin's tool: what errand/tool.h promises, kept.
 *
 * Holds the arguments and gathers the answer. The plugin sees the struct
 * errand_tool_call at its beginning and the functions of the one host table.
 * Who makes a call says where lines of the log go.
 */
#ifndef ERRAND_BASE_PLUGIN_CALL_H
#define ERRAND_BASE_PLUGIN_CALL_H

#include "base/buf.h"
#include "base/json.h"

#include <errand/tool.h>

enum {
    ER_PLUGIN_LOGS = 200,      /* lines of one call */
    ER_PLUGIN_LINE = 900,      /* bytes of one */
    ER_PLUGIN_MESSAGE = 4000,  /* bytes of what fail says */
};

/* What the functions of extensions gave; kept until the next question. */
struct er_plugin_heard {
    json_t *value;
    char *text;
    const char **list;
    struct er_buf why;
    struct errand_tool_http_answer http;
};

struct er_plugin_call {
    struct errand_tool_call shown; /* first: what the plugin is given */
    json_t *arguments;             /* held */
    char *text, *key;
    struct er_buf result;  /* of reply; at most 16 MiB */
    struct er_buf message; /* of fail */
    bool answered, failed;
    int64_t deadline_ms; /* of er_mono_ms */
    int logs_left;
    /* A line of the log; len is at most ER_PLUGIN_LINE. May be NULL. */
    void (*log)(void *ctx, int level, const char *text, size_t len);
    void *ctx;
    /* Ask a service of the runtime and wait; params is taken. The answer's
     * value, which the caller drops, or NULL and why. May be NULL: there is
     * nobody to ask. */
    json_t *(*ask)(void *ask_ctx, const char *service, json_t *params,
        struct er_buf *why);
    void *ask_ctx;
    struct er_plugin_heard heard; /* what it was answered last */
    /* Does nobody wait for the answer any more? Called on any thread. May be
     * NULL: then the deadline alone says so. */
    bool (*is_over)(void *over_ctx);
    void *over_ctx;
};

/* arguments: an object, or NULL for {}. The time runs from now. Sets log to
 * nothing. False: out of memory. [any] */
bool er_plugin_call_init(struct er_plugin_call *c, const json_t *arguments,
    const char *key, uint32_t attempt, uint32_t timeout_ms);

void er_plugin_call_release(struct er_plugin_call *c);

/* --- plugin_ask.c: the extensions */

const void *er_plugin_extension(const char *id);
void er_plugin_heard_release(struct er_plugin_heard *h);

/* After run returned: the result (*ok) or why there is none; borrowed as
 * long as the call. Valid UTF-8 is seen to by who passes it on. */
const char *er_plugin_call_end(
    struct er_plugin_call *c, bool *ok, size_t *len);

#endif
