/* errand: run a request against a model and its tools, durably.
 *
 * This header is the whole embedding API and the authority on what it does.
 * A program opens a runtime, optionally adds tools of its own as callbacks,
 * starts runs, and drives the loop until they end:
 *
 *     struct errand_error err = {0};
 *     struct errand_options opt = {.size = sizeof opt};
 *     errand *rt = NULL;
 *     if (errand_open(&opt, &rt, &err) != ERRAND_OK) ...
 *     struct errand_request req = {.size = sizeof req, .prompt = "Hi"};
 *     errand_start(rt, &req, NULL, &err);
 *     errand_drive(rt, -1, &err);
 *     errand_close(rt);
 *
 * Conventions
 *   Results   every function that can fail returns an errand_code; 0 is
 *             success. Details go to the errand_error given last, which may
 *             be NULL and is untouched on success.
 *   Text      UTF-8, ended by NUL. Where a length stands beside a pointer,
 *             the length counts and the text may hold any byte.
 *   JSON      UTF-8 text; the shapes stand in schemas/.
 *   Memory    "caller frees" means errand_free(). "borrowed until X" means
 *             do not keep it past X. Everything given to errand is copied.
 *   Growth    structs that cross begin with their size, which the caller
 *             sets to sizeof; fields are only ever added at the end.
 *   Threads   [any]   may be called from every thread.
 *             [owner] the thread that called errand_open, one at a time; or,
 *                     after errand_thread_start, the loop's own callbacks.
 */
#ifndef ERRAND_ERRAND_H
#define ERRAND_ERRAND_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define ERRAND_API __attribute__((visibility("default")))
#define ERRAND_MUST_USE __attribute__((warn_unused_result))
#else
#define ERRAND_API
#define ERRAND_MUST_USE
#endif

#define ERRAND_VERSION "0.1.0"

/* The one table of errors: name, number, text, HTTP status, exit status.
 * Numbers are fixed for ever; new rows go at the end. */
#define ERRAND_CODES(X)                                                   \
    X(OK, 0, "ok", 200, 0)                                                \
    X(NOMEM, 1, "out of memory", 500, 1)                                  \
    X(USAGE, 2, "wrong usage", 400, 2)                                    \
    X(CONFIG, 3, "bad configuration", 500, 2)                             \
    X(NOT_FOUND, 4, "not found", 404, 1)                                  \
    X(EXISTS, 5, "exists already", 409, 1)                                \
    X(RANGE, 6, "out of range", 400, 2)                                   \
    X(TOO_LARGE, 7, "too large", 413, 1)                                  \
    X(SYNTAX, 8, "cannot be parsed", 400, 1)                              \
    X(SCHEMA, 9, "does not fit the schema", 400, 1)                       \
    X(IO, 10, "input or output failed", 500, 1)                           \
    X(STORE, 11, "the store failed", 500, 1)                              \
    X(STORE_NEWER, 12, "the store is from a newer errand", 500, 1)        \
    X(BUSY, 13, "busy", 503, 1)                                           \
    X(FENCED, 14, "another process took the run over", 409, 1)            \
    X(STATE, 15, "not possible in this state", 409, 1)                    \
    X(NETWORK, 16, "the network failed", 502, 1)                          \
    X(TIMEOUT, 17, "timed out", 504, 1)                                   \
    X(PROVIDER, 18, "the model's endpoint refused", 502, 1)               \
    X(PROTOCOL, 19, "the answer breaks the protocol", 502, 1)             \
    X(AUTH, 20, "not authorized", 401, 1)                                 \
    X(RATE_LIMIT, 21, "rate limit", 429, 1)                               \
    X(CONTEXT, 22, "the context window is full", 413, 1)                  \
    X(TOOL, 23, "the tool failed", 500, 1)                                \
    X(WORKER, 24, "the tool's worker died", 500, 1)                       \
    X(DENIED, 25, "denied", 403, 1)                                       \
    X(CANCELLED, 26, "cancelled", 499, 130)                               \
    X(PAUSED, 27, "paused", 202, 3)                                       \
    X(UNSUPPORTED, 28, "not supported", 501, 1)                           \
    X(BUG, 29, "a bug in errand", 500, 1)

enum errand_code {
#define ERRAND_CODE_ENUM(name, num, text, http, exit) ERRAND_##name = num,
    ERRAND_CODES(ERRAND_CODE_ENUM)
#undef ERRAND_CODE_ENUM
};

/* What went wrong. Lives by value, allocates nothing. */
struct errand_error {
    int32_t code;   /* an errand_code */
    int32_t detail; /* errno, HTTP status or provider's code; 0 if none */
    int64_t at;     /* byte offset or line where it makes sense, else -1 */
    char msg[232];  /* what failed, the value, what to do next */
};

/* Name ("TIMEOUT"), text, HTTP status and exit status of a code. Unknown
 * codes answer as BUG. Static storage. [any] */
ERRAND_API const char *errand_code_name(int code);
ERRAND_API const char *errand_code_text(int code);
ERRAND_API int errand_code_http(int code);
ERRAND_API int errand_code_exit(int code);

/* Version of the library that runs, as "0.1.0". [any] */
ERRAND_API const char *errand_version(void);

/* Free what errand allocated for the caller. NULL is harmless. [any] */
ERRAND_API void errand_free(void *p);

/* ------------------------------------------------------------ runtime */

typedef struct errand errand;         /* a runtime: one loop, one store */
typedef struct errand_run errand_run; /* a run in this process */

enum errand_sync {
    ERRAND_SYNC_FULL = 0,   /* flushed to the disk: survives power loss */
    ERRAND_SYNC_NORMAL = 1, /* survives kill -9; power loss may lose the
                               newest commits, never consistency */
};

enum errand_log_level {
    ERRAND_LOG_ERROR = 0,
    ERRAND_LOG_WARN = 1,
    ERRAND_LOG_INFO = 2,
    ERRAND_LOG_DEBUG = 3,
};

struct errand_options {
    uint32_t size;          /* sizeof(struct errand_options) */
    uint32_t sync;          /* an errand_sync */
    const char *store_path; /* database file; NULL: ERRAND_STORE, else
                               $XDG_DATA_HOME/errand/errand.db; its folder
                               is made if missing */
    const char *config_path; /* errand.lua to use alone; NULL: the one in
                                the working folder, then the user's; "":
                                none at all */
    const char *const *tools_dirs; /* further folders of tools, ended by
                                      NULL; may be NULL */
    const char *worker_path; /* errand-worker; NULL: beside the program,
                                then the installed one */
    const char *replay_path; /* NULL, or a recording that answers instead of
                                every model */
    const char *record_path; /* NULL, or where each model exchange is
                                recorded */
    void (*log)(void *user, int level, const char *text); /* [owner] or NULL:
                                silent */
    void *log_user;
    const char *const *plugins; /* plugins to load (errand/tool.h), each by
                                   name or file; ended by NULL; may be
                                   NULL */
    const char *const *plugins_dirs; /* further folders of plugins, looked
                                        into first; the same */
    const char *engine; /* JSON object: settings of local models, over those
                           of the configuration; or NULL */
};

/* Open a runtime: read the configuration, open or make the store, find the
 * tools. Costs one worker process. On failure *out is NULL.
 * Errors  CONFIG, STORE, STORE_NEWER, BUSY, IO, NOMEM, SYNTAX, EXISTS (two
 *         tools of one name)
 * Threads [any]; the calling thread becomes the owner */
ERRAND_API ERRAND_MUST_USE int errand_open(
    const struct errand_options *opt, errand **out, struct errand_error *err);

/* Close: interrupts what still runs (it can be resumed), waits for the
 * store's last flush, ends the workers. NULL is harmless. [owner]; with a
 * loop thread it stops the thread first. */
ERRAND_API void errand_close(errand *rt);

/* Drive the loop on this thread until no run is active, errand_stop is
 * called, or timeout_ms is over (-1: no limit; 0: what is ready now).
 * Errors  TIMEOUT if the time is over and runs are active  [owner] */
ERRAND_API ERRAND_MUST_USE int errand_drive(
    errand *rt, int64_t timeout_ms, struct errand_error *err);

/* Make errand_drive return. Async-signal-safe is errand_interrupt only.
 * [any] */
ERRAND_API void errand_stop(errand *rt);

/* Cancel every active run, as Ctrl-C does. Async-signal-safe. [any] */
ERRAND_API void errand_interrupt(errand *rt);

/* Hand the loop to a thread of its own until errand_close. From then on
 * callbacks come on that thread. [owner] */
ERRAND_API ERRAND_MUST_USE int errand_thread_start(
    errand *rt, struct errand_error *err);

/* ------------------------------------------------------- tools in C */

enum errand_effect {
    ERRAND_UNSAFE = 0,     /* has side effects: never run twice */
    ERRAND_PURE = 1,       /* depends on its arguments alone */
    ERRAND_READ = 2,       /* reads, changes nothing */
    ERRAND_IDEMPOTENT = 3, /* running it twice is as once */
    ERRAND_KEYED = 4,      /* honours the idempotency key */
};

typedef struct errand_call errand_call; /* one call, until answered */

/* What the policy must know of a tool. */
enum errand_tool_def_flag {
    ERRAND_DEF_EXTERNAL = 1, /* what it returns comes from outside: it
                                 taints the conversation */
    ERRAND_DEF_EGRESS = 2,   /* it sends data out */
};

struct errand_tool_def {
    uint32_t size;
    uint32_t effect;         /* an errand_effect */
    const char *name;        /* [A-Za-z0-9_-]{1,64} */
    const char *description; /* what the model reads */
    const char *parameters;  /* JSON Schema of the arguments, an object */
    int64_t timeout_ms;      /* 0: the default, 30,000 */
    uint32_t sequential;     /* 1: never beside other calls */
    uint32_t flags;          /* errand_tool_def_flag, added up */
    /* Run one call. Answer through errand_call_reply or errand_call_fail,
     * now or later, from any thread, exactly once. args is valid JSON that
     * fits the schema, borrowed until this function returns. Called on the
     * loop's thread: do not block it. */
    void (*run)(void *user, errand_call *call, const char *args, size_t len);
    void *user;
};

/* Add a tool for this runtime. Everything but run and user is copied.
 * Errors  USAGE, SCHEMA, EXISTS  [owner] */
ERRAND_API ERRAND_MUST_USE int errand_add_tool(
    errand *rt, const struct errand_tool_def *def, struct errand_error *err);

struct errand_plugin; /* of errand/tool.h */

/* Add the tools of a plugin that is linked into this program: main_fn is its
 * errand_plugin_main, under another name. config: JSON object or NULL. It
 * runs in this process, on a thread of its own; nothing protects from it.
 * Errors  SYNTAX, UNSUPPORTED, CONFIG, SCHEMA, EXISTS  [owner] */
ERRAND_API ERRAND_MUST_USE int errand_add_plugin(errand *rt,
    const struct errand_plugin *(*main_fn)(void), const char *config,
    struct errand_error *err);

/* Answer a call with text or JSON; copied. The call is gone afterwards.
 * [any] */
ERRAND_API void errand_call_reply(
    errand_call *call, const char *text, size_t len);

/* Answer that the call failed, with what the model should read. [any] */
ERRAND_API void errand_call_fail(errand_call *call, const char *message);

/* Key that stays the same over attempts at the same call; borrowed until
 * the call is answered. [any] */
ERRAND_API const char *errand_call_key(const errand_call *call);

/* --------------------------------------------------------------- runs */

enum errand_event_type {
    ERRAND_EV_STARTED = 0,   /* accepted and stored */
    ERRAND_EV_TEXT = 1,      /* part of the answer */
    ERRAND_EV_REASONING = 2, /* part of the model's reasoning */
    ERRAND_EV_CALL = 3,      /* the model calls a tool */
    ERRAND_EV_RESULT = 4,    /* a call has its result */
    ERRAND_EV_USAGE = 5,     /* tokens of one model turn */
    ERRAND_EV_RETRY = 6,     /* a model request is tried again */
    ERRAND_EV_NOTICE = 7,    /* something a person should know */
    ERRAND_EV_PAUSED = 8,    /* the run stopped and can be resumed */
    ERRAND_EV_DONE = 9,      /* the run has its answer, durably stored */
    ERRAND_EV_FAILED = 10,   /* the run failed; it can be resumed */
    ERRAND_EV_DISCARD = 11,  /* the text since the last turn is void: the
                                model's turn is tried again */
    ERRAND_EV_APPROVAL = 12, /* a call waits for a person's approval */
    ERRAND_EV_STEP = 13,     /* a step of an agent's script began or ended */
};

struct errand_event {
    uint32_t size;
    uint32_t type;    /* an errand_event_type */
    errand_run *run;  /* borrowed until the end event returned */
    const char *text; /* TEXT, REASONING: the piece; DONE: the whole answer;
                         others: a short line for people; never NULL */
    size_t text_len;
    const char *json; /* CALL, RESULT, USAGE, RETRY, PAUSED, DONE, FAILED,
                         STARTED, APPROVAL, STEP: details, as in
                         schemas/event.schema.json; else NULL. Borrowed until
                         the callback returns */
    int32_t code;     /* FAILED, PAUSED: an errand_code; else 0 */
    uint32_t reserved;
};

typedef void (*errand_event_fn)(void *user, const struct errand_event *ev);

/* A call that the policy asks about. All texts are borrowed until the
 * callback returns; run lives on at least until the call is decided. */
struct errand_approval {
    uint32_t size;
    uint32_t tainted;      /* 1: text from outside is in the conversation */
    errand_run *run;
    const char *call;      /* its id, for errand_approve */
    const char *tool;
    const char *arguments; /* JSON: exactly what will run */
    const char *why;       /* the rule, or what else asks; for people */
    const char *rule;      /* that "always" means unless told otherwise: this
                              call with these arguments */
};

/* Asked once for each call, on the loop's thread; must not block. Answer
 * with errand_approve, from here or later. Other calls go on meanwhile. */
typedef void (*errand_approval_fn)(
    void *user, const struct errand_approval *what);

enum errand_decision {
    ERRAND_REFUSE = 0,  /* text, if not NULL, is the reason for the model */
    ERRAND_ONCE = 1,    /* this call */
    ERRAND_FOR_RUN = 2, /* this tool for the rest of the run */
    ERRAND_ALWAYS = 3,  /* text is a rule of the policy that this call fits;
                           NULL: the approval's own. Kept in the store */
};

struct errand_request {
    uint32_t size;
    uint32_t flags;           /* errand_request_flag */
    const char *prompt;       /* the user's text; required */
    size_t prompt_len;        /* 0: prompt ends at its NUL */
    const char *conversation; /* id (or its unique beginning) to continue;
                                 NULL: a new one */
    const char *model;        /* provider:name; NULL: as configured */
    const char *system;       /* system text of a new conversation, or NULL */
    const char *const *tools; /* names, ended by NULL; NULL: none. "*" is
                                 every tool there is */
    const char *params;       /* JSON object: sampling parameters, NULL */
    const char *budgets;      /* JSON object: max_turns, max_calls,
                                 max_tokens, max_seconds, max_cost; NULL */
    const char *schema;       /* JSON Schema the answer must fit, or NULL */
    const char *tool_choice;  /* auto, none, required, or a tool's name */
    const char *client_key;   /* idempotency key: the same key answers with
                                 the run that has it; or NULL */
    const char *on_unknown;   /* a call of unknown outcome: "ask" (pause,
                                 the default), "fail", "retry" */
    errand_event_fn on_event; /* or NULL */
    void *user;
    const char *const *allow; /* rules of the policy (docs/policy.md) for */
    const char *const *ask;   /* this run, each list ended by NULL; or NULL */
    const char *const *deny;
    const char *on_ask; /* a call that the policy asks about where nobody can
                           be asked: "deny" (the default: the model is told
                           so) or "wait" (the run pauses, reason approval) */
    errand_approval_fn on_approval; /* asks a person, given user; NULL: the
                                       runtime's, errand_on_approval */
    const char *functions; /* JSON array of {"name","code"}: Lua that returns
                              function(args, ctx), run with no permissions;
                              also "description", "parameters" (a JSON Schema)
                              and "timeout_ms"; or NULL */
    const char *agent; /* name or path of an agent (docs/agents.md), or NULL.
                          Its settings stand where the request says nothing;
                          params may hold its parameters as well; tools NULL
                          are its tools; the prompt may be empty if it needs
                          none */
};

enum errand_request_flag {
    ERRAND_REQ_NO_STREAM = 1, /* ask for whole replies */
    ERRAND_REQ_PROMPT = 2,    /* the endpoint's prompt form (workers-ai) */
};

/* Accept a request. The STARTED event says that its message and its run are
 * durably stored; the answer comes as further events. *out (may be NULL) is
 * borrowed until the end event (PAUSED, DONE or FAILED) has returned.
 * Errors  USAGE, RANGE, NOT_FOUND, SCHEMA, CONFIG; those found later come as
 *         FAILED events  [any] with a loop thread, else [owner] */
ERRAND_API ERRAND_MUST_USE int errand_start(errand *rt,
    const struct errand_request *req, errand_run **out,
    struct errand_error *err);

/* Go on with a run that paused, failed or was interrupted. run_id may be
 * its unique beginning. Options (JSON object or NULL): budgets, on_unknown,
 * on_ask, policy ({"allow","ask","deny"}: further rules).
 * Errors  NOT_FOUND, STATE (done, or alive elsewhere), BUSY  as above */
ERRAND_API ERRAND_MUST_USE int errand_resume(errand *rt, const char *run_id,
    const char *options, errand_event_fn on_event, void *user,
    errand_run **out, struct errand_error *err);

/* Cancel a run at once, in the middle of anything; it ends PAUSED with code
 * CANCELLED and can be resumed. [owner], or [any] with a loop thread */
ERRAND_API void errand_cancel(errand_run *run);

/* Who asks for runs that were started without an on_approval of their own,
 * resumed ones included. NULL: nobody. [owner], before they begin */
ERRAND_API void errand_on_approval(
    errand *rt, errand_approval_fn fn, void *user);

/* Decide about a call that waits. Kept durably before it runs: a kill in
 * between loses nothing and asks nothing twice. If the run is taken up by
 * another process where the tool is another one by then, it asks again.
 * Errors NOT_FOUND, STATE (it does not wait), USAGE (the rule) [owner], or
 * [any] with a loop thread */
ERRAND_API ERRAND_MUST_USE int errand_approve(errand_run *run,
    const char *call_id, int decision, const char *text,
    struct errand_error *err);

/* Ids of a run and its conversation; borrowed as long as the run. [owner] */
ERRAND_API const char *errand_run_id(const errand_run *run);
ERRAND_API const char *errand_run_conversation(const errand_run *run);

/* ---------------------------------------------------- store, for people
 *
 * Each takes a JSON object of options (NULL: none) and answers with JSON
 * that the caller frees. Ids may be given by their unique beginning.
 * Errors  NOT_FOUND, USAGE, STORE, BUSY, STATE. [owner] */

/* Runs, newest first. Options: limit (20), state, conversation.
 * Answer: array of runs, schemas/run.schema.json. */
ERRAND_API ERRAND_MUST_USE int errand_log_list(errand *rt,
    const char *options, char **json, struct errand_error *err);

/* Ids of runs that may go on: ready to work and owned by no living process,
 * oldest first. Answer: array of strings. */
ERRAND_API ERRAND_MUST_USE int errand_log_resumable(
    errand *rt, char **json, struct errand_error *err);

/* A run or conversation with its messages, calls and attempts. */
ERRAND_API ERRAND_MUST_USE int errand_log_show(errand *rt, const char *id,
    char **json, struct errand_error *err);

/* Full-text search over messages. Options: limit (20).
 * Answer: array of {conversation, seq, role, snippet}. */
ERRAND_API ERRAND_MUST_USE int errand_log_search(errand *rt,
    const char *query, const char *options, char **json,
    struct errand_error *err);

/* Copy a conversation up to message seq (-1: all) into a new one.
 * Answer: {conversation}. */
ERRAND_API ERRAND_MUST_USE int errand_log_fork(errand *rt, const char *id,
    int64_t seq, char **json, struct errand_error *err);

/* Settle a call by hand. Of unknown outcome: "done" (with the result that
 * text holds, may be NULL) or "not-done" (it may run again). One that waits
 * for approval: "approve" or "refuse" (with the reason that text holds, may
 * be NULL). errand_resume goes on with its run. */
ERRAND_API ERRAND_MUST_USE int errand_log_resolve(errand *rt,
    const char *call_id, const char *outcome, const char *text,
    struct errand_error *err);

/* Remove a conversation with its runs, calls and results. */
ERRAND_API ERRAND_MUST_USE int errand_log_remove(
    errand *rt, const char *id, struct errand_error *err);

/* --------------------------------------------------- tools, for people */

/* Array of tools: name, description, parameters, effect, source, path. */
ERRAND_API ERRAND_MUST_USE int errand_tools_list(
    errand *rt, char **json, struct errand_error *err);

/* Grant a tool ("*": every one) what it asks for: durably, until its file
 * changes, or (once is 1) while this runtime is open. A run with a tool that
 * lacks its grant is refused with DENIED. Errors NOT_FOUND. [owner] */
ERRAND_API ERRAND_MUST_USE int errand_tools_grant(
    errand *rt, const char *name, int once, struct errand_error *err);

/* Take a stored grant back. Errors NOT_FOUND. [owner] */
ERRAND_API ERRAND_MUST_USE int errand_tools_revoke(
    errand *rt, const char *name, struct errand_error *err);

/* Everything that is wrong with a tool file, at once.
 * Answer: {"ok":bool,"problems":[{"line","message"}],"tool":{...}}; of a
 * plugin "plugin":{...} and "tools":[...] instead of "tool". */
ERRAND_API ERRAND_MUST_USE int errand_tools_check(
    errand *rt, const char *path, char **json, struct errand_error *err);

/* Call one tool by hand, with arguments as JSON text; nothing is stored.
 * Blocks and drives the loop. Answer: {"ok":bool,"result" or "error"}. */
ERRAND_API ERRAND_MUST_USE int errand_tools_call(errand *rt,
    const char *name, const char *args, char **json,
    struct errand_error *err);

/* The same, and tell what happens on the way. on_step is called with one
 * JSON object each time, borrowed until it returns: {"step","at_ms",...}.
 * Steps are tool (its file and version), grant (why it may), arguments (as
 * they were coerced, and whether they fit), worker (its process; started for
 * this call?), asks and answered (what it asks the runtime for), log, ended
 * (how, and how long it took). */
ERRAND_API ERRAND_MUST_USE int errand_tools_trace(errand *rt,
    const char *name, const char *args,
    void (*on_step)(void *user, const char *json), void *user, char **json,
    struct errand_error *err);

/* ---------------------------------------------------------- documents
 *
 * Text from files, cut into chunks and indexed for full-text search, in a
 * database beside the store's. docs/search.md tells of it. */

/* Told on the calling thread: what was done so far, as JSON of the answer's
 * shape with "files","total","bytes"; or {"problem","path"} for a file that
 * could not be read. Return 0 to go on, other values to stop. */
typedef int (*errand_index_fn)(void *user, const char *json);

/* Index files and folders (n paths): new and changed files are read, those
 * that are gone are removed. Blocks; what is done so far stays, whatever
 * happens. Options: collection ("default"), jobs (threads; one per
 * processor), again (unchanged files too), hidden (names with a dot).
 * Answer: {"added","changed","unchanged","removed","skipped","chunks"}.
 * Errors NOT_FOUND, IO, BUSY, CANCELLED. [any] */
ERRAND_API ERRAND_MUST_USE int errand_index(errand *rt,
    const char *const *paths, size_t n, const char *options,
    errand_index_fn on_progress, void *user, char **json,
    struct errand_error *err);

/* Chunks that fit a query, best first. In it "words in quotes" must occur
 * and -words must not. Options: limit (10), collection, path (a file, a
 * folder or a glob), kind, per_document (most chunks of one).
 * Answer: array as in schemas/hit.schema.json. Errors USAGE, RANGE. [owner],
 * or [any] with a loop thread */
ERRAND_API ERRAND_MUST_USE int errand_search(errand *rt, const char *query,
    const char *options, char **json, struct errand_error *err);

/* What is indexed. Options: collection, path, limit (1000; 0: no documents).
 * Answer: {"path","collections","documents"}. As errand_search. */
ERRAND_API ERRAND_MUST_USE int errand_documents(errand *rt,
    const char *options, char **json, struct errand_error *err);

/* Forget documents. Options: path (a file or folder), collection; one at
 * least. Answer: {"removed"}. Errors NOT_FOUND, USAGE. As errand_search. */
ERRAND_API ERRAND_MUST_USE int errand_documents_remove(errand *rt,
    const char *options, char **json, struct errand_error *err);

/* Answers with sources. errand_cite_ask makes of a question and what
 * errand_search answered {"prompt","schema"}: the schema allows an answer to
 * cite these passages and no other. errand_cite_check holds such an answer
 * ({"answer","citations":[{"id","quote"}]}) against the passages: each
 * citation gets "ok", or "problem" too, and "path", "heading", "line".
 * Errors SYNTAX, USAGE. [any] */
ERRAND_API ERRAND_MUST_USE int errand_cite_ask(const char *question,
    const char *hits, char **json, struct errand_error *err);
ERRAND_API ERRAND_MUST_USE int errand_cite_check(const char *answer,
    const char *hits, char **json, struct errand_error *err);

/* -------------------------------------------------- agents, for people */

/* Array of the agents that are found by name: their tables with "name",
 * "path" and "script"; of a file that is wrong {"name","path","problem"}.
 * [owner] */
ERRAND_API ERRAND_MUST_USE int errand_agents_list(
    errand *rt, char **json, struct errand_error *err);

/* Everything that is wrong with an agent, by name or path.
 * Answer: {"ok":bool,"problems":[{"line","message"}],"agent":{...}}.
 * Errors NOT_FOUND, WORKER. [owner] */
ERRAND_API ERRAND_MUST_USE int errand_agents_check(errand *rt,
    const char *name, char **json, struct errand_error *err);

/* -------------------------------------------------- policy, for people */

/* The rules that hold for every run: array of {"kind","rule","from"}, from
 * "configuration" or "always". [owner] */
ERRAND_API ERRAND_MUST_USE int errand_policy_list(
    errand *rt, char **json, struct errand_error *err);

/* What becomes of a call. options (JSON object or NULL): policy, as
 * errand_resume's; tainted. Answer: {"decision":"allow"|"ask"|"deny","why",
 * "kind","rule","from"}; the last three if a rule decided. Errors also USAGE,
 * SYNTAX, NOT_FOUND. [owner] */
ERRAND_API ERRAND_MUST_USE int errand_policy_check(errand *rt,
    const char *tool, const char *args, const char *options, char **json,
    struct errand_error *err);

/* Forget a rule that was an answer for always. Errors NOT_FOUND. [owner] */
ERRAND_API ERRAND_MUST_USE int errand_policy_forget(
    errand *rt, const char *rule, struct errand_error *err);

/* ---------------------------------------------------------- inspection */

/* Versions, limits, paths, state of the store.
 * Answer: {"ok":bool,"checks":[{"name","ok","value","hint"}]}. [owner] */
ERRAND_API ERRAND_MUST_USE int errand_doctor(
    errand *rt, char **json, struct errand_error *err);

/* What is read out of a model's answer. format: llama3, hermes, mistral,
 * openai, openai-sse, workers-ai, workers-ai-sse. input: {"text" or
 * "stream","tools"}. Answer: {"content","reasoning","tool_calls"}. [any] */
ERRAND_API ERRAND_MUST_USE int errand_debug_parse(const char *format,
    const char *input, char **json, struct errand_error *err);

/* Hold an instance against a JSON Schema. input: {"schema","instance"};
 * draft: "2020-12" (or NULL) or "7". flags: 1 asserts formats.
 * Answer: {"valid","errors":[{"path","message"}]}. [any] */
ERRAND_API ERRAND_MUST_USE int errand_debug_schema(const char *input,
    const char *draft, unsigned flags, char **json,
    struct errand_error *err);

/* Hold a text against what a grammar allows. input: {"schema","text"} or
 * {"gbnf","text"}. Answer: {"accepted","complete","at"}: is the text a
 * beginning of an allowed one, is it whole, and the byte of the first
 * refusal. "unenforced" lists keywords that the grammar leaves to the
 * validator, which then has its say in "complete". [any] */
ERRAND_API ERRAND_MUST_USE int errand_debug_grammar(
    const char *input, char **json, struct errand_error *err);

/* -------------------------------------------------------- local models */

/* Model files in the folders that errand and others keep them in.
 * Answer: [{"name","source","bytes","path"}]. [any] */
ERRAND_API ERRAND_MUST_USE int errand_models_list(
    char **json, struct errand_error *err);

/* What a model file is and needs: shapes, quantization, template, memory,
 * licence. model: a path or a name. context: tokens that the memory is
 * counted for; 0: what would be used. [any] */
ERRAND_API ERRAND_MUST_USE int errand_models_info(const char *model,
    uint32_t context, char **json, struct errand_error *err);

struct errand_bench {
    uint32_t size;
    uint32_t threads;        /* 0: as many as there are cores */
    uint32_t prompt, answer; /* tokens; 0: 512 and 64 */
    uint32_t rounds;         /* 0: 3 */
    uint32_t reserved;
    /* Called between tokens with 0 to 1; not 0 ends the whole with
     * CANCELLED. May be NULL. */
    int (*on_progress)(void *user, double done);
    void *user;
};

/* How fast a model file is on this machine: load it, read a prompt and write
 * an answer in several rounds. model: a path or a name. opt may be NULL.
 * Blocks. Answer: schemas/model-bench.schema.json. [any] */
ERRAND_API ERRAND_MUST_USE int errand_models_bench(const char *model,
    const struct errand_bench *opt, char **json, struct errand_error *err);

/* The catalogue of names that errand_models_pull knows. Answer: [{"name",
 * "repo","file","license"}]. [any] */
ERRAND_API ERRAND_MUST_USE int errand_models_known(
    char **json, struct errand_error *err);

enum errand_pull_phase {
    ERRAND_PULL_FETCH = 0, /* bytes come */
    ERRAND_PULL_CHECK = 1, /* those that are there already are read */
};

struct errand_progress {
    uint32_t size;
    uint32_t phase;      /* an errand_pull_phase */
    const char *file;    /* its name; borrowed for the call */
    int64_t done, total; /* bytes; total -1: unknown */
};

struct errand_pull {
    uint32_t size;
    uint32_t reserved;
    const char *dir;    /* where to; NULL: hub.dir of the configuration, else
                           the first folder of ERRAND_MODELS, else
                           $XDG_DATA_HOME/errand/models */
    const char *sha256; /* what an address must give; NULL: as the hub says */
    /* Called several times a second while it works; not 0 ends the whole
     * with CANCELLED. May be NULL. */
    int (*on_progress)(void *user, const struct errand_progress *p);
    void *user;
};

/* Fetch model files. what: a name of the catalogue, OWNER/NAME[:QUANT] or
 * OWNER/NAME/FILE.gguf at the hub (a Hugging Face style endpoint: ERRAND_HUB
 * or HF_ENDPOINT, else hub.url of the configuration), or an address. Goes on
 * where an earlier one stopped, checks sizes, room and checksums, and puts a
 * file in its place only when it is whole. opt may be NULL. Blocks. Answer:
 * schemas/model-pull.schema.json.
 * Errors  USAGE, NOT_FOUND, AUTH, EXISTS, BUSY, TOO_LARGE (no room), IO,
 *         NETWORK, TIMEOUT, PROTOCOL (checksum, no GGUF file), CANCELLED
 * Threads [owner] */
ERRAND_API ERRAND_MUST_USE int errand_models_pull(errand *rt,
    const char *what, const struct errand_pull *opt, char **json,
    struct errand_error *err);

/* A model file opened to look into. model: a path or a name. adapters: LoRA
 * files as "FILE=SCALE", ended by NULL; may be NULL. flags: 1 reads the
 * vocabulary alone; 2 computes in f32 throughout, slowly; 4 reads the chat
 * template alone, and then a file that holds nothing else will do. Blocks
 * while it loads. [any] */
typedef struct errand_debug_model errand_debug_model;
ERRAND_API ERRAND_MUST_USE int errand_debug_model_open(const char *model,
    const char *const *adapters, unsigned flags, errand_debug_model **out,
    struct errand_error *err);
ERRAND_API void errand_debug_model_close(errand_debug_model *model);

/* The prompt that messages come to. input: {"messages","tools",
 * "add_generation_prompt"} and what else the template asks for; "now",
 * seconds since 1970, stands for the clock. Answer: {"prompt"}. Needs flag
 * 4. [any] */
ERRAND_API ERRAND_MUST_USE int errand_debug_render(
    errand_debug_model *model, const char *input, char **json,
    struct errand_error *err);

/* A text's tokens. input: {"text"}; flags: 1 lets control tokens in the text
 * count. Answer: {"tokens"}. [owner] */
ERRAND_API ERRAND_MUST_USE int errand_debug_tokenize(
    errand_debug_model *model, const char *input, unsigned flags, char **json,
    struct errand_error *err);

/* Logits behind tokens. input: {"tokens","positions"}. Answer: {"logits"},
 * a row per position. Blocks while it computes. [owner] */
ERRAND_API ERRAND_MUST_USE int errand_debug_logits(
    errand_debug_model *model, const char *input, char **json,
    struct errand_error *err);

#ifdef __cplusplus
}
#endif
#endif
