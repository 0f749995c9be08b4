/* The store: the transitions of a run, and nothing else.
 *
 * A run moves through its life in transitions; each is one atomic change, and
 * after any of them a kill costs nothing. There is no SQL above this header,
 * so that another database can stand behind the same interface. Two halves:
 *
 *   er_backend  what a database must do, called on one thread, inside
 *               batches (SQLite: sqlite_*.c). tests/unit holds a suite that
 *               any backend must pass.
 *   er_store    the queue in front: one store thread drains what is waiting,
 *               applies it as one batch, flushes once (group commit), and
 *               answers on the loop's thread.
 *
 * A run      ready ──T1──► tools ──last T3──► ready ──T1 without calls──► done
 *            any ──► paused | failed ──claim with force──► ready or tools
 * A call     planned ─T2─► running ─T3─► done | failed
 *            planned ─T3─► done  (pure and read: T2 may be left out)
 *            planned ─► waiting_approval ─► planned | denied
 *            planned ─► denied | failed   (bad arguments, policy, guard)
 *            running ─► unknown ─► done | failed | planned (resolved)
 *            running ─► planned  (every effect class but unsafe)
 *
 * Levels     ER_COMMITTED  survives kill -9 of this process
 *            ER_DURABLE    flushed: survives power loss as well
 * A later flush makes every earlier commit durable too.
 */
#ifndef ERRAND_STORE_STORE_H
#define ERRAND_STORE_STORE_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum er_run_state {
    ER_RUN_READY = 0,  /* the model is to be asked */
    ER_RUN_TOOLS = 1,  /* calls are open */
    ER_RUN_PAUSED = 2, /* waits for a person; reason says why */
    ER_RUN_DONE = 3,
    ER_RUN_FAILED = 4, /* reason says why; can be resumed */
};

enum er_call_state {
    ER_CALL_PLANNED = 0,
    ER_CALL_WAITING = 1, /* for an approval */
    ER_CALL_RUNNING = 2,
    ER_CALL_DONE = 3,
    ER_CALL_FAILED = 4,
    ER_CALL_UNKNOWN = 5, /* may have taken effect */
    ER_CALL_DENIED = 6,
};

/* As stored: "ready", "waiting_approval" ... [any] */
const char *er_run_state_name(int state);
const char *er_call_state_name(int state);

enum er_level { ER_COMMITTED = 0, ER_DURABLE = 1 };

/* --- what goes in. All pointers are borrowed until the op is submitted, and
 * then must stay until it is done: allocate them from the op's arena. */

struct er_new_message {
    const char *role;    /* system, user, assistant, tool */
    const char *content; /* JSON text of the message, model.h's form */
    const char *text;    /* what full-text search indexes; NULL: nothing */
};

struct er_accept {
    const char *conv_id;    /* id to make or to continue */
    bool new_conversation;  /* false: it must exist and have no live run */
    const char *title;      /* of a new conversation; may be NULL */
    const char *run_id;     /* new, from er_id_new */
    const char *client_key; /* or NULL; a known key answers with its run */
    const char *settings;   /* JSON: what the run was asked with */
    const char *owner;      /* this process, er_owner_self */
    int64_t lease_ms;       /* the run is born claimed by owner, epoch 1 */
    const char *parent;     /* a run whose step this one works on, or NULL */
    const char *parent_step; /* that step's path */
    size_t n_messages;
    const struct er_new_message *messages;
};

/* Proof of the right to change a run; every transition carries it. */
struct er_claim {
    char run_id[ER_ID_SIZE];
    int64_t epoch;
};

/* One try at a model turn, for the accounts; failed ones too. */
struct er_attempt {
    const char *model;
    int64_t started_ms, ended_ms;
    int32_t code;      /* errand_code; 0: it answered */
    const char *error; /* its message, or NULL */
    int64_t prompt_tokens, completion_tokens, cached_tokens;
    int64_t cost_micros; /* millionths of the configured currency */
};

/* What a call waits for: an approval of exactly this, and why. */
struct er_approval_note {
    const char *about; /* a digest of what is shown: tool, arguments */
    const char *why;
};

struct er_new_call {
    const char *call_id; /* unique anywhere: also the id in the message */
    const char *tool;
    const char *arguments; /* canonical JSON text, or "{}" if it was bad */
    const char *raw;       /* as the model wrote it, if different; or NULL */
    int32_t effect;        /* errand_effect */
    const char *idem_key;  /* er_idem_key */
    /* A call that is never run (unknown tool, bad arguments, cut reply) is
     * born finished: state FAILED or DENIED and its tool message. */
    int32_t state; /* ER_CALL_PLANNED or ER_CALL_WAITING, FAILED, DENIED */
    struct er_approval_note asked; /* with ER_CALL_WAITING */
    const struct er_new_message *result; /* with FAILED and DENIED */
};

struct er_model_step { /* T1 */
    struct er_claim claim;
    struct er_new_message message; /* the assistant's */
    size_t n_calls;
    const struct er_new_call *calls; /* results' seqs are reserved: the
                                        message's seq + 1 + index */
    struct er_attempt attempt;
    bool done;          /* no calls: the run ends here (state done) */
    const char *answer; /* with done: the final text */
};

struct er_outcome { /* T3 */
    struct er_claim claim;
    const char *call_id;
    int32_t state; /* DONE, FAILED, UNKNOWN, DENIED, WAITING or (back from
                      RUNNING by the effect class) PLANNED */
    const struct er_new_message *message; /* tool message; NULL only with
                                             UNKNOWN, WAITING and PLANNED */
    const char *result; /* the whole result, if the message holds less */
    size_t result_len;
    const char *error; /* with FAILED and UNKNOWN: what happened */
    struct er_approval_note asked; /* with WAITING */
    const char *decision; /* from WAITING: "once", "run", "always", "no" */
};

/* One step of a script; it is known by its path in its run. */
struct er_script_step_row {
    struct er_claim claim; /* of the script's run */
    const char *path, *kind;
    const char *digest; /* of what it is asked with */
    const char *about;  /* the beginning of that, for people */
    int32_t attempt;    /* 1 for the first */
    bool failed, outside; /* CLOSE; outside: its value came from there */
    const char *value; /* CLOSE: JSON; NULL: the answer of the run that did
                          its work */
    /* CLOSE: a value that the agent keeps (ER_OP_KV_SET), or NULL */
    const char *keep_for, *keep_key, *keep_value;
};

struct er_stop { /* pause or fail */
    struct er_claim claim;
    int32_t state;      /* ER_RUN_PAUSED or ER_RUN_FAILED */
    const char *reason; /* budget, approval, unknown, guard, interrupted,
                           error */
    int32_t code;       /* errand_code */
    const char *error;  /* message for people */
};

struct er_claim_request {
    const char *run_id; /* NULL: the oldest run that may go on */
    const char *owner;
    int64_t lease_ms;
    bool force; /* take a paused or failed run as well */
};

/* --- what comes out; from the op's arena, borrowed until it is freed */

struct er_run_row {
    struct er_claim claim; /* epoch as stored */
    char conv_id[ER_ID_SIZE];
    int32_t state;
    const char *reason, *error, *settings, *answer; /* or NULL */
    int32_t code;
    int64_t created_ms, updated_ms;
    int64_t turns, calls; /* so far */
    int64_t prompt_tokens, completion_tokens, cost_micros;
    int64_t first_seq; /* of the messages this run was accepted with */
};

struct er_message_row {
    int64_t seq;
    const char *role, *content; /* JSON text */
    const char *run_id;
};

struct er_call_row {
    const char *call_id, *run_id, *tool, *arguments, *idem_key;
    int64_t asst_seq, result_seq;
    int32_t idx, state, effect, attempt;
    const char *result; /* whole, or NULL */
    size_t result_len;
    const char *error;
    const char *about, *decision; /* of its approval, or NULL */
};

struct er_loaded {
    struct er_run_row run;
    size_t n_messages;
    const struct er_message_row *messages; /* the conversation, by seq */
    size_t n_calls;
    const struct er_call_row *calls; /* of this run, by asst_seq, idx */
};

/* Key of a call: hex(sha256(conv, asst_seq, idx, tool))[0..32): the same for
 * every attempt, and different for two equal calls. [any] */
void er_idem_key(const char *conv_id, int64_t asst_seq, int idx,
    const char *tool, char out[33]);

/* This process as a lease owner: host, boot, process, its start; so that a
 * dead owner on this machine is known without waiting for its lease. [any] */
void er_owner_self(char out[128]);

/* True if the owner is certainly gone. [any] */
bool er_owner_is_dead(const char *owner);

enum { ER_FIRST_SEQ = 1 }; /* of a conversation's messages */

/* ----------------------------------------------------------- operations */

enum er_op_kind {
    ER_OP_ACCEPT = 0,   /* T0: in.accept -> out.run, out.existed */
    ER_OP_CLAIM = 1,    /* in.claim -> out.loaded; NOT_FOUND, STATE, BUSY */
    ER_OP_EXTEND = 2,   /* in.extend: lease_ms from now */
    ER_OP_STEP = 3,     /* T1: in.step -> out.seq of the message */
    ER_OP_BEGIN = 4,    /* T2: in.call -> out.attempt */
    ER_OP_FINISH = 5,   /* T3: in.outcome -> out.open_calls left */
    ER_OP_ATTEMPT = 6,  /* in.attempt: a model attempt that failed */
    ER_OP_APPEND = 7,   /* in.append: further messages of a live run */
    ER_OP_STOP = 8,     /* in.stop */
    ER_OP_EVENTS = 9,   /* T4: in.events, JSON lines for replay over SSE */
    ER_OP_RESOLVE = 10, /* in.resolve: a person settles a call */
    ER_OP_FORK = 11,    /* in.fork -> out.conv_id */
    ER_OP_REMOVE = 12,  /* in.remove: a conversation and all it owns */
    ER_OP_READ = 13,    /* in.read -> out.text: part of a whole result */
    ER_OP_PUT = 14,     /* in.put: one value in the small settings table */
    ER_OP_TIDY = 15,    /* in.tidy: finish what was put off (the full-text
                           index) -> out.text: what is wrong with it */
    ER_OP_GRANT = 16,   /* in.grant: what a tool's file may do */
    ER_OP_RULE = 17,    /* in.rule: a rule of the policy, for always */
    ER_OP_KV_SET = 18,  /* in.kv: a value of a tool; without one it goes, and
                           out.existed says whether there was one */
    ER_OP_KV_GET = 19,  /* in.kv -> out.text, NULL: there is none */
    ER_OP_KV_LIST = 20, /* in.kv: keys that begin with key, behind after ->
                           out.text: a JSON array in the order of bytes, of
                           ER_KV_LIST at most */
    ER_OP_OPEN_STEP = 21, /* in.script_step: its work begins, maybe again */
    ER_OP_CLOSE_STEP = 22, /* in.script_step: it has its value; one that was
                              never opened is made closed */
};

/* Every op but CLAIM, READ fails with FENCED if the claim's epoch is not the
 * stored one, and with STATE where the diagram above has no such arrow;
 * then it changed nothing. */
struct er_op {
    enum er_op_kind kind;
    enum er_level level; /* when done is called; set by er_op_new from the
                            kind: EVENTS, EXTEND, READ, KV_GET, KV_LIST and
                            TIDY committed, the rest durable; callers lower
                            it where they may */
    bool patient; /* nobody waits for the answer: it may wait up to
                     ER_PATIENCE_MS for company, so that many are one commit.
                     Any other op takes those before it along. Set by
                     er_op_new for EVENTS and EXTEND; callers may set it */
    struct er_arena arena;
    union {
        struct er_accept accept;
        struct er_claim_request claim;
        struct {
            struct er_claim claim;
            int64_t lease_ms;
        } extend;
        struct er_model_step step;
        struct {
            struct er_claim claim;
            const char *call_id;
        } call;
        struct er_outcome outcome;
        struct {
            struct er_claim claim;
            struct er_attempt attempt;
        } attempt;
        struct {
            struct er_claim claim;
            size_t n;
            const struct er_new_message *messages;
        } append;
        struct er_stop stop;
        struct {
            struct er_claim claim;
            size_t n;
            const char *const *events;
        } events;
        struct {
            const char *call_id;
            int32_t state; /* DONE, FAILED, DENIED or PLANNED */
            const struct er_new_message *message; /* as in er_outcome */
            const char *decision; /* as in er_outcome */
        } resolve;
        struct {
            const char *conv_id, *new_conv_id;
            int64_t last_seq; /* -1: all; never splits calls from results */
        } fork;
        struct {
            const char *conv_id;
        } remove;
        struct {
            const char *call_id; /* must belong to conv_id */
            const char *conv_id;
            int64_t offset, len; /* bytes; cut to whole characters */
        } read;
        struct {
            const char *key, *value; /* value NULL removes */
        } put;
        struct {
            const char *path, *version; /* of the tool's file */
            const char *permissions;    /* JSON; NULL takes them back */
        } grant;
        struct {
            const char *rule;
            bool remove;
        } rule;
        struct {
            const char *tool, *key; /* a LIST's key may be "" */
            const char *value;      /* SET: JSON text */
            const char *after;      /* LIST: or NULL */
            bool external;          /* SET: it came from outside */
        } kv;
        struct er_script_step_row script_step;
        struct {
            bool check; /* hold the index against the messages as well */
        } tidy;
    } in;
    struct {
        struct er_run_row run;   /* ACCEPT */
        bool existed;            /* ACCEPT: the client key was known; KV_SET */
        bool external;           /* KV_GET, KV_LIST: some of it did */
        struct er_loaded loaded; /* CLAIM */
        int64_t seq;             /* ACCEPT: of its first message; STEP;
                                    APPEND: of its first message */
        int64_t open_calls;      /* FINISH: calls not finished yet, those
                                    WAITING and UNKNOWN included */
        int64_t attempt;         /* BEGIN */
        const char *text;        /* READ; KV_GET, KV_LIST; TIDY: "ok" or
                                    what is wrong */
        size_t text_len;
        int64_t total_len; /* READ: length of the whole */
    } out;
    int code; /* result: an errand_code, and */
    struct errand_error err;
    void (*done)(void *ctx, struct er_op *op); /* on the loop's thread */
    void *ctx;
    struct er_post post; /* the queue's own, from here on */
    struct er_op *next;
};

enum { ER_PATIENCE_MS = 2 };

/* What a tool may keep; more fails with TOO_LARGE. */
enum {
    ER_KV_KEY = 256,          /* bytes of a key, 1 at least */
    ER_KV_VALUE = 64 * 1024,  /* bytes of a value's JSON text */
    ER_KV_KEYS = 10000,       /* of one tool */
    ER_KV_LIST = 1000,        /* keys of one answer */
};

/* A new op with its arena; NULL: no memory. [any] */
struct er_op *er_op_new(enum er_op_kind kind);

/* Free an op that was done or never submitted. NULL is harmless. [any] */
void er_op_free(struct er_op *op);

/* ---------------------------------------------------------------- store */

typedef struct er_store er_store;

struct er_store_options {
    const char *path; /* database file; its folder must exist or be makeable*/
    enum errand_sync sync; /* NORMAL: every op is answered once committed */
    const struct er_log *log;
};

/* Open: takes the lock, migrates, checks after an unclean stop, starts the
 * store thread.
 * Errors  STORE, STORE_NEWER, BUSY, IO, NOMEM. [owner] */
er_store *er_store_open(struct er_loop *loop,
    const struct er_store_options *opt, struct errand_error *err);

/* Finishes what was submitted (done is called from here), then closes. Not
 * from inside a done, and before the loop is freed. NULL is harmless.
 * [owner] */
void er_store_close(er_store *s);

/* Submit an op; op->done comes later, on the loop's thread, never from
 * inside this call, in the order of submission among ops of one level. done
 * then owns the op and frees it with er_op_free. Cannot fail. [owner] */
void er_store_submit(er_store *s, struct er_op *op);

/* The same and wait, without a loop: for commands and tests. op->done is not
 * called. Returns op->code. [owner] */
int er_store_call(er_store *s, struct er_op *op);

/* ---------------------------------------------------- queries for people
 *
 * On a read-only connection of the calling thread; each answers JSON (new
 * reference) in the shapes of schemas/, or NULL with err set.
 * Errors  NOT_FOUND, USAGE (an id's beginning that is not unique), STORE */

/* Full id of a run, conversation or call from its unique beginning. kind:
 * "run", "conversation", "call". [owner] */
int er_store_find(er_store *s, const char *kind, const char *prefix,
    char out[ER_ID_SIZE], struct errand_error *err);

/* The conversation of a run; the tool (name, cut at 64 bytes) of a call.
 * Errors NOT_FOUND, STORE. [owner] */
int er_store_conversation_of(er_store *s, const char *run_id,
    char out[ER_ID_SIZE], struct errand_error *err);
int er_store_tool_of(er_store *s, const char *call_id, char out[65],
    struct errand_error *err);

/* Array of runs, newest first: {"id","conversation","state","reason",
 * "error","model","prompt","answer","created_ms","updated_ms","turns",
 * "calls","prompt_tokens","completion_tokens","cost_micros"}. */
json_t *er_store_list(er_store *s, int64_t limit, const char *state,
    const char *conv_id, struct errand_error *err);

/* {"id","title","created_ms","forked_from","messages":[...with "seq","run"
 * ...],"runs":[...each as in the list, but with
 *   "calls":[{"id","tool","arguments","raw","effect","state","attempt",
 *     "seq","index","result_seq","key","begun_ms","ended_ms","error",
 *     "result_len","asked","decision","decided_ms"}]
 *                              result_len: of the whole result, if kept;
 *                              asked: why it waited for an approval
 *   "attempts":[{"seq","model","started_ms","ended_ms","code","error",
 *     "prompt_tokens","completion_tokens","cached_tokens","cost_micros"}]
 *                              seq: of the message it gave, or null
 *   "steps":[as er_store_steps, without "digest", "value" and "answer"; of
 *     scripts alone]]} */
json_t *er_store_show(
    er_store *s, const char *conv_id, struct errand_error *err);

/* Ids of runs that may go on: those that no living process owns and that are
 * ready or tools, oldest first. Array of strings. */
json_t *er_store_resumable(er_store *s, struct errand_error *err);

/* Array of {"conversation","seq","role","snippet"}, best first; the query is
 * plain words, each quoted before FTS5 sees it. Matches in the snippet stand
 * between U+0002 and U+0003. */
json_t *er_store_search(er_store *s, const char *query, int64_t limit,
    struct errand_error *err);

/* Events of a run (ER_OP_EVENTS) behind number after (0: all), in order:
 * array of {"n","event"}, event the text that was given. */
json_t *er_store_events(er_store *s, const char *run_id, int64_t after,
    int64_t limit, struct errand_error *err);

/* The steps of a script's run, in the order they were first asked: array of
 * {"step","kind","digest","about","state":"open"|"done"|"failed","attempt",
 * "outside","begun_ms","ended_ms","value": JSON text or null,"run","answer"};
 * the last two of the run that did its work, or null. */
json_t *er_store_steps(
    er_store *s, const char *run_id, struct errand_error *err);

/* Array of {"path","version","permissions","granted_ms"}, by path. */
json_t *er_store_grants(er_store *s, struct errand_error *err);

/* Array of {"rule","made_ms"}, oldest first. */
json_t *er_store_rules(er_store *s, struct errand_error *err);

/* State of a call. Errors NOT_FOUND, STORE. */
int er_store_state_of(er_store *s, const char *call_id, int *state,
    struct errand_error *err);

/* One value of the settings table as a new string, or NULL (err untouched if
 * there is none). Caller frees with free(). */
char *er_store_get(er_store *s, const char *key, struct errand_error *err);

/* For `doctor`: {"path","sqlite_version","wal_reset_safe","why",
 * "user_version","size","integrity":"ok"|text,"fts":"ok"|text,"journal",
 * "runs","messages"}. deep runs integrity_check instead of quick_check. */
json_t *er_store_health(er_store *s, bool deep, struct errand_error *err);

#endif
