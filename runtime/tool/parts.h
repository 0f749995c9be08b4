/* What the files behind tools.h share. */
#ifndef ERRAND_TOOL_PARTS_H
#define ERRAND_TOOL_PARTS_H

#include "tool/pool.h"
#include "tool/services.h"
#include "tool/tools.h"

enum {
    ER_TOOL_TIMEOUT_MS = 30 * 1000,  /* of a tool that names none */
    ER_TOOL_TIMEOUT_MOST = 3600 * 1000,
    ER_TOOL_RESULT_MOST = 16 * 1024 * 1024,
    ER_TOOL_LOAD_MS = 2000, /* to load one file */
};

/* A registered tool. The public part first: the rest owns what it points
 * to. */
struct er_entry {
    struct er_tool tool;
    char *name, *description, *source, *path, *version;
    json_t *parameters, *permissions;
    er_schema *schema;
    struct er_profile *profile; /* of its workers; NULL: found at its call */
    struct er_code *code;       /* of a Lua tool */
    bool is_plugin;             /* the workers need the tool's name */
    bool is_function;           /* of a request: function.c */
    void (*run)(
        void *user, errand_call *call, const char *args, size_t len);
    void *user;
};

struct er_hub; /* callback.c: where answers from other threads arrive */
struct er_inproc; /* plugin_inproc.c */

struct er_tools {
    struct er_loop *loop;
    char *worker_path, *cwd;
    struct er_log log;     /* hides what the vault knows, if there is one */
    struct er_log own_log; /* the embedding program's, then */
    const er_vault *vault; /* or NULL */
    struct er_pool *pool;
    struct er_hub *hub;
    struct er_inproc *inproc; /* plugins in this process */
    struct er_entry **list; /* sorted by name */
    size_t count, room;
    struct er_service services[ER_SERVICES_MOST];
    size_t service_count;
    bool closing; /* no call starts any more */
};

enum er_call_kind { ER_CALL_LUA = 0, ER_CALL_CALLBACK = 1 };

struct er_tool_call {
    enum er_call_kind kind;
    er_tools *tools;
    const struct er_tool *tool;
    er_tool_done_fn done;
    void *ctx;
    struct er_job job;     /* LUA */
    const struct er_tool_trace *trace; /* or NULL */
    bool tainted;          /* as the request says */
    bool external;         /* a service gave it something from outside */
    struct er_ask *asks;   /* its questions that wait for an answer */
    int asks_open, asks_all;
    errand_call *callback; /* CALLBACK */
};

/* --- call.c */

/* Tell who watches the call what happens; step is taken. */
void er_call_trace(const er_tool_call *call, json_t *step);

/* Tell a call's owner its outcome, cleaned of secrets; the call is gone. */
void er_call_hand_over(er_tool_call *call, const struct er_tool_outcome *o);

/* --- registry.c */

/* What a tool is made of; everything is copied, JSON is shared. */
struct er_tool_parts {
    const char *name, *description, *source, *path, *version;
    json_t *parameters, *permissions;
    struct er_tool tool; /* effect, flags, timeout */
    er_schema *schema;   /* compiled already, taken; NULL: compile it */
    struct er_code *code; /* of a Lua tool; shared */
    struct er_profile *profile; /* as in er_entry */
    bool is_plugin;
    void (*run)(
        void *user, errand_call *call, const char *args, size_t len);
    void *user;
};

/* A tool that stands in no registry. Errors SCHEMA, NOMEM. */
struct er_entry *er_tools_entry(
    const struct er_tool_parts *parts, struct errand_error *err);
void er_tools_entry_free(struct er_entry *entry); /* NULL is harmless */

/* Errors SCHEMA, EXISTS (both named), NOMEM. */
int er_tools_insert(er_tools *t, const struct er_tool_parts *parts,
    struct errand_error *err);

/* --- load.c */

/* Ask a worker one thing (op) about code that lies at path, and wait. The
 * caller drops the answer. Errors WORKER, TIMEOUT, PROTOCOL, NOMEM. */
json_t *er_tools_ask_code(er_tools *t, const char *op, struct er_code *code,
    const char *path, struct errand_error *err);

/* --- describe.c */

/* What a worker said of a tool file, judged: {"ok","problems","tool"}.
 * text is the file's, whose hash is the tool's version. *schema is its
 * compiled schema (caller frees), NULL if it is not ok. *code is of what kind
 * the errors are. NULL: out of memory. */
json_t *er_tool_judge(const json_t *answer, const char *path,
    const struct er_code *text, er_schema **schema, int *code,
    struct errand_error *err);

/* Parts of a tool that was judged ok: borrowed from judged and path. */
bool er_tool_read_parts(
    const json_t *tool, const char *path, struct er_tool_parts *parts);

bool er_tool_is_warning(const json_t *problem);

/* --- check.c */

/* Add warnings {"line","message","level":"warning"} about a schema of
 * parameters that some endpoints refuse. */
void er_tool_warn(const json_t *parameters, json_t *problems);

/* --- plugin.c */

/* er_tools_check for a plugin. */
json_t *er_plugin_check(
    er_tools *t, const char *path, struct errand_error *err);

/* --- callback.c */

struct er_hub *er_hub_new(struct er_loop *loop);
/* Keep the hub itself for a thread that may outlive the registry. */
void er_hub_hold(struct er_hub *hub);
void er_hub_let_go(struct er_hub *hub);
/* Post to the loop; false: it is gone. [any] */
bool er_hub_post(struct er_hub *hub, struct er_post *node);
/* Calls under way end as CANCELLED; answers that come later are dropped. */
void er_hub_close(struct er_hub *hub);

/* Start the call on the loop. Errors NOMEM. */
int er_callback_start(struct er_hub *hub, er_tool_call *call,
    const struct er_tool_request *req, struct errand_error *err);
void er_callback_cancel(errand_call *callback);

/* For those that answer from another thread. Facts of the call, for as long
 * as it is not answered. [any] */
int64_t er_callback_timeout_ms(const errand_call *callback);
uint32_t er_callback_attempt(const errand_call *callback);
bool er_callback_is_over(const errand_call *callback); /* nobody waits */

#endif
