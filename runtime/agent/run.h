/* One run, alive in this process: the state machine of design.md.
 *
 *   accept ─► turn ─► (T1) ─► calls ─► (T3 …) ─► turn … ─► end
 *
 * A run is never a thread. Each arrow is a callback on the loop: the model's
 * events (run_turn.c), the store's answers, the tools' outcomes (run_call.c).
 * run.c holds what they share: life, store operations, ends.
 *
 * What has an effect outside is written ahead: a call with side effects
 * waits until T1 and its own T2 are flushed. Pure and reading calls have
 * none: they start while T1 is on its way to the disk, and nobody waits for
 * a T3, for the store applies in order. A kill then costs work that is done
 * again (a model's turn, a reading), never a promise. Only so many
 * operations may be on their way, and the answer is told once all of it is
 * flushed. So does a new conversation ask its model while T0 is on its way;
 * nothing is told, and nobody is asked for an approval, before it is there.
 */
#ifndef ERRAND_AGENT_RUN_H
#define ERRAND_AGENT_RUN_H

#include "agent/guard.h"
#include "agent/runtime.h"
#include "base/buf.h"

enum {
    ER_BAD_REPLIES_MAX = 5,  /* replies in a row with nothing but bad calls */
    ER_PROBE_MS = 10000,     /* a tool may look so long for a lost call */
    ER_CALL_TRIES = 2,       /* a re-runnable call whose worker died */
    ER_ARGUMENTS_MAX = 65536, /* bytes of one call's arguments */
    ER_PENDING_MAX = 24       /* operations of a run on their way */
};

struct run_call {
    errand_run *run;
    size_t index;      /* in the reply */
    char id[ER_ID_SIZE];
    char idem_key[33];
    char *name;
    char *arguments;   /* canonical JSON text, valid */
    char *raw;         /* as the model wrote it where it was bad; or NULL */
    json_t *args;      /* parsed and coerced; NULL if it is never run */
    const struct er_tool *tool; /* NULL: unknown */
    int32_t effect, state, attempt;
    er_tool_call *live;   /* in a worker now */
    bool begun;           /* T2 is stored: it counts as running */
    bool probed;          /* its tool was asked whether it took effect */
    bool external;        /* it was given what once came from outside */
    char doubt[200];      /* meanwhile: why nobody knows */
    json_t *result;       /* the tool message, once there is one */
    int64_t started_ms;
    char about[65];       /* digest of what an approval is shown */
    char *why;            /* WAITING: what asks; or NULL */
    const char *decision; /* what was said to it, to be stored; or NULL */
    bool asked;           /* WAITING: somebody was asked here */
    bool is_json;         /* of a step: the result is a value, not a text */
};

/* What the model said in the turn under way. */
struct run_reply {
    struct er_buf text, reasoning;
    struct er_buf logprobs; /* JSON; "" if there are none */
    json_t *calls; /* array of {"id","made","name","arguments"} */
    json_t *extra; /* opaque; or NULL */
    struct er_usage usage;
    enum er_finish finish;
    int64_t started_ms;
};

struct errand_run {
    errand *rt;
    struct errand_run *prev, *next;
    struct er_claim claim;
    char conv_id[ER_ID_SIZE];

    /* what was asked */
    json_t *settings; /* as stored: model, tools, params ... */
    char *model;
    struct er_sampling sampling;
    struct er_budgets budgets;
    json_t *tools;     /* for the model, sorted by name */
    const struct er_tool **functions; /* that the request brought: owned */
    size_t n_functions;
    json_t *schema;    /* of the answer, or NULL */
    er_schema *answer_schema;
    const char *tool_choice; /* from settings, or NULL */
    const char *on_unknown;
    bool stream, prompt_form;
    er_policy *policy;  /* the request's rules and answers to this run */
    bool wait_asks;     /* on_ask is "wait" */
    errand_approval_fn on_approval; /* NULL: nobody can be asked */
    void *approval_user;

    /* of agents and of the steps of scripts */
    struct er_script_run *script; /* its script's, once that began */
    bool is_script;  /* what it does is said by an agent's script */
    bool is_single;  /* it is one call of a tool: run_single.c */
    bool is_confirm; /* of the tool that asks a person */
    bool is_step;    /* it works for a script: nobody but that one waits */
    int32_t single_state;   /* how that call ended */
    char root[ER_ID_SIZE];  /* the run to resume; "": itself */

    /* where it stands */
    json_t *messages;
    er_prompt *prompt; /* made of them so far; or NULL */
    struct er_compacting *compacting; /* under way: compact.c */
    int64_t window;       /* tokens, as an overflow taught; 0: configured */
    int64_t compacted_at; /* next_seq then: not twice for nothing */
    bool overflowed;      /* the model said that its window is full */
    int64_t asked_tokens, took_tokens; /* of the last turn: guessed, told */
    int64_t next_seq; /* of the conversation */
    er_exchange *exchange;
    struct run_reply reply;
    struct run_call *calls; /* of the last reply */
    size_t n_calls, running;
    bool one_by_one; /* a sequential tool is among them */
    struct er_guard guard;
    bool guard_pause;
    char guard_note[200];
    int bad_replies, repairs;
    struct er_spent spent;
    int64_t leg_began_ms;
    struct er_timer timer; /* wall-clock budget */
    int64_t total_turns;   /* with earlier legs */
    bool tainted;          /* text from outside is in the conversation */
    struct er_timer soon;  /* a call was decided: go on with the calls */
    int64_t asking_since;  /* someone thinks about a call; 0: nobody */

    /* how it begins */
    bool accepted; /* T0 is on the disk, and told */
    bool early;    /* the model was asked before that */
    bool asks_later; /* calls wait for approval that were not asked about */
    struct run_said *said, *last_said;  /* meanwhile: to be told after it */

    /* how it ends */
    bool held; /* the next turn waits for the store */
    bool cancelled;
    bool dead;      /* the store refused: write nothing more */
    bool ending;    /* an end is stored or being stored */
    bool told;      /* the end event was given */
    size_t pending; /* store operations and tool calls that will call back */
    errand_event_fn on_event;
    void *user;
};

/* --- run.c */

/* A run with its settings read; nothing is stored yet. Errors as
 * errand_start. */
errand_run *er_run_new(errand *rt, json_t *settings, errand_event_fn on_event,
    void *user, struct errand_error *err);
void er_run_free(errand_run *run);

/* Link it in, so that errand_drive waits for it. */
void er_run_link(errand_run *run);

/* An operation of this run, claim filled in by the caller; NULL: no memory
 * (the run was failed then). */
struct er_op *er_run_op(errand_run *run, enum er_op_kind kind);

/* Submit it. done is called only if it worked and the run lives; a failed
 * operation ends the run here. done may be NULL. */
void er_run_submit(errand_run *run, struct er_op *op,
    void (*done)(errand_run *run, struct er_op *op));

/* Store the end and tell it: paused or failed, with its reason. */
void er_run_stop(errand_run *run, int state, const char *reason,
    const struct errand_error *why);
void er_run_fail(errand_run *run, const struct errand_error *why);
void er_run_pause(errand_run *run, const char *reason,
    const struct errand_error *why);

/* The same with a longer text. */
void er_run_stop_saying(errand_run *run, int state, const char *reason,
    int code, const char *text);

/* The run that people resume: this one, or the one it is a step of. */
const char *er_run_root(const errand_run *run);

/* The store has the answer: tell it, the run is over. */
void er_run_done(errand_run *run, const char *answer);

/* The end without the store: it refused, or another process owns the run. */
void er_run_abandon(errand_run *run, const struct errand_error *why);

/* Free the run if its end was told and nothing will call back. */
void er_run_collect(errand_run *run);

/* Stop working now: cancels the exchange and the calls, then pauses. */
void er_run_cancel(errand_run *run);

/* --- run_turn.c: ask the model, store what it said (T1) */
void er_run_turn(errand_run *run);

/* Begin to gather what the model, or who speaks for it, says. */
void er_run_begin_reply(errand_run *run);

/* Store what was gathered. answer: the run's, if it ends here; without one
 * the calls are run. False: no memory, and the run was failed. */
bool er_run_store_reply(errand_run *run, const char *answer);

/* --- run_single.c: a run that is one call of a tool, as a script makes it */
void er_single_go(errand_run *run);

/* --- run_call.c: run the calls of the last reply (T2, T3) */

/* Judge the reply's calls before T1: unknown tools, bad arguments, cut
 * replies are answered at once. Errors NOMEM */
int er_run_plan(errand_run *run, struct errand_error *err);

/* Answer a call instead of running it: born FAILED or DENIED. Errors NOMEM */
int er_run_refuse(struct run_call *c, int state, const char *text,
    struct errand_error *err);

/* The call has its result, good or bad, for the model to read. */
void er_run_finish_call(struct run_call *c, int state, const char *text,
    size_t len, const char *error);

/* Store the state of a call that has no result. */
void er_run_store_call(struct run_call *c, const char *error);

/* Does any call wait for an approval? */
bool er_run_has_waiting(errand_run *run);

/* Start what may start; goes on to the next turn when all have results. */
void er_run_dispatch(errand_run *run);
void er_run_free_calls(errand_run *run);

/* Calls of a loaded run become calls of this one. Errors NOMEM, STATE */
int er_run_take_calls(errand_run *run, const struct er_loaded *loaded,
    struct errand_error *err);

/* --- compact.c */
void er_compact_free(struct er_compacting *c); /* NULL is harmless */

/* --- run_event.c: what the embedder hears. Before STARTED nothing is told
 * but the end of a run that could not be accepted: it is kept. */
void er_run_forget_said(errand_run *run);
void er_emit_text(errand_run *run, int type, const char *text, size_t len);
void er_emit_note(errand_run *run, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void er_emit_started(errand_run *run);
void er_emit_call(errand_run *run, const struct run_call *call);
void er_emit_result(errand_run *run, const struct run_call *call,
    const char *text, int64_t took_ms);
void er_emit_approval(errand_run *run, const struct errand_approval *what);
void er_emit_usage(errand_run *run, const struct er_usage *u, int64_t cost);
void er_emit_retry(
    errand_run *run, const struct errand_error *why, int64_t delay_ms);
void er_emit_step(errand_run *run, const char *details);
void er_emit_forward(errand_run *run, const struct errand_event *ev);
void er_emit_end(errand_run *run, int type, const char *reason,
    const char *text, const struct errand_error *why);

#endif
