/* Who answers: one interface over every kind of model.
 *
 * The agent hands over a request in errand's own form and gets a stream of
 * events, whatever the provider is. Nobody above this floor knows what went
 * over the wire.
 *
 * Messages, errand's own form (schemas/message.schema.json): an array of
 *   {"role":"system"|"user","content":string}
 *   {"role":"assistant","content":string,
 *    "reasoning":string?,                   text of its reasoning
 *    "tool_calls":[{"id":string,            unique within the conversation
 *                   "name":string,
 *                   "arguments":string,     JSON text of an object, valid
 *                   "provider_id":string?   id as the provider gave it
 *                  }]?,
 *    "extra":object?}                       opaque, replayed to the provider
 *                                           that sent it (thought signatures)
 *   {"role":"tool","tool_call_id":string,"name":string,"content":string}
 * Every call has exactly one tool message; the agent sees to that.
 *
 * Tools: an array sorted by name of {"name","description","parameters"}.
 */
#ifndef ERRAND_MODEL_MODEL_H
#define ERRAND_MODEL_MODEL_H

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ER_STOPS = 4, ER_STOP_SIZE = 64 };

/* Sampling parameters. A negative number (seed: 0) means "not given": it is
 * then left out of the request. Ranges: er_sampling_parse. */
struct er_sampling {
    int64_t max_tokens; /* default 256 */
    double temperature; /* [0,5], default 0.6 */
    double top_p;       /* [0,2] */
    int64_t top_k;      /* [1,50] */
    int64_t seed;       /* [1,9999999999] */
    double repetition_penalty, frequency_penalty, presence_penalty; /*[0,2]*/
    bool raw;           /* no template: workers-ai's prompt form, local */
    char lora[128];     /* "" if none */
    char stop[ER_STOPS][ER_STOP_SIZE]; /* texts that end an answer; "" behind
                                          the last */
    int64_t logprobs;   /* [1,20]: log probabilities of each token and of so
                           many others; 0: none. Local models */
};

/* Everything "not given" but max_tokens 256 and temperature 0.6. [any] */
void er_sampling_defaults(struct er_sampling *s);

/* Read a JSON object over *s (which holds defaults or an earlier layer).
 * Unknown keys and values out of range are errors that name the range.
 * Errors USAGE, RANGE. [any] */
int er_sampling_parse(
    const json_t *object, struct er_sampling *s, struct errand_error *err);

enum er_finish {
    ER_FINISH_STOP = 0,
    ER_FINISH_CALLS = 1,
    ER_FINISH_LENGTH = 2, /* cut: calls of such a reply are never run */
    ER_FINISH_FILTER = 3, /* the provider withheld the answer */
};

struct er_usage {
    int64_t prompt_tokens, completion_tokens; /* 0 if unknown */
    int64_t cached_tokens, reasoning_tokens;
};

enum er_model_event_type {
    ER_MODEL_TEXT = 0,      /* text, len: a piece of the answer, UTF-8 */
    ER_MODEL_REASONING = 1, /* text, len */
    ER_MODEL_CALL = 2,      /* call: whole; after the stream's end */
    ER_MODEL_USAGE = 3,     /* usage: at most once */
    ER_MODEL_RETRY = 4,     /* error, delay_ms: will be tried again; nothing
                               was delivered yet */
    ER_MODEL_DONE = 5,      /* finish, extra: the last event */
    ER_MODEL_ERROR = 6,     /* error: the last event */
    ER_MODEL_LOGPROBS = 7,  /* text, len: a JSON array, for each token that
                               was sampled {"token","logprob","bytes",
                               "top_logprobs":[{"token","logprob","bytes"}]};
                               once, before usage */
};

struct er_model_call {
    const char *id;        /* provider's id, or made up: never empty */
    bool id_made;          /* the provider gave none */
    const char *name;      /* as the model wrote it; may be unknown */
    const char *arguments; /* as the model wrote it; may be no JSON. Absent,
                              null and "" arrive as "{}" */
    size_t arguments_len;
};

struct er_model_event {
    enum er_model_event_type type;
    const char *text; /* borrowed until the callback returns, as all here */
    size_t len;
    const struct er_model_call *call;
    const struct er_usage *usage;
    enum er_finish finish;
    const json_t *extra; /* opaque object to replay, or NULL */
    const struct errand_error *error;
    int64_t delay_ms;
};

typedef void (*er_model_event_fn)(
    void *ctx, const struct er_model_event *ev);

/* What was written of a conversation's requests, kept for the next one: one
 * for each conversation under way. Its messages must be in one list that only
 * grows, none of them changed once it is there; another list begins anew.
 * NULL: no memory. [owner] */
typedef struct er_prompt er_prompt;
er_prompt *er_prompt_new(void);
void er_prompt_free(er_prompt *p);

struct er_model_request {
    const char *model;       /* the name after "provider:" */
    const char *provider;    /* who is asked, set by er_model_start: what
                                another one wants back is left out */
    json_t *messages;        /* borrowed until er_model_start returns, as all
                                here */
    json_t *tools;           /* NULL or empty: no tools */
    const char *tool_choice; /* NULL or "auto", "none", "required", a name */
    json_t *schema;          /* JSON Schema the answer must fit, or NULL */
    const struct er_sampling *sampling;
    bool stream;
    bool prompt_form;        /* workers-ai: the last user text as prompt */
    const char *session_key; /* same for all requests of a conversation */
    er_prompt *prompt;       /* or NULL */
};

typedef struct er_models er_models;     /* all providers of a runtime */
typedef struct er_exchange er_exchange; /* one request under way */

/* config: the "providers" object of the configuration (docs/config.md), may
 * be NULL; its text is checked here. replay_path answers every model from a
 * recording; record_path records every exchange. Either may be NULL.
 * Built-in providers: openai, workers-ai, local, replay.
 * Errors CONFIG, IO, NOMEM. [owner] */
er_models *er_models_new(struct er_loop *loop, const json_t *config,
    const char *replay_path, const char *record_path,
    const struct er_log *log, struct errand_error *err);

/* How local models are run: the "engine" object of the configuration (may be
 * NULL), and the folder of the models that came with errand, which is
 * searched last (may be NULL). Before the first of them is asked.
 * Errors CONFIG, NOMEM. [owner] */
int er_models_engine(er_models *models, const json_t *settings,
    const char *folder, struct errand_error *err);

/* Cancels what is under way, unloads local models. NULL is harmless.
 * [owner] */
void er_models_free(er_models *models);

/* Versions of libcurl and what it is built with, as text. [any] */
const char *er_models_library(void);

/* Check "provider:name" without asking anybody: is there such a provider,
 * is its key set? Errors USAGE, CONFIG, AUTH. [owner] */
int er_models_check(
    er_models *models, const char *model, struct errand_error *err);

/* What a local model's file is and needs, as JSON; the caller frees. *json is
 * NULL for models of other providers. Errors NOT_FOUND, SYNTAX,
 * UNSUPPORTED, NOMEM. [owner] */
int er_models_describe(er_models *models, const char *model, char **json,
    struct errand_error *err);

/* Send a request; model in "provider:name" form. Events come later, from
 * the loop, never from inside this call; the last is DONE or ERROR, and the
 * exchange is gone when that callback returns. Retries happen inside.
 * Errors USAGE, CONFIG, AUTH, NOMEM: then no event follows. [owner] */
int er_model_start(er_models *models, const char *model,
    const struct er_model_request *req, er_model_event_fn on_event,
    void *ctx, er_exchange **out, struct errand_error *err);

/* Stop at once; no further event. The exchange is gone. [owner] */
void er_model_cancel(er_exchange *x);

/* Money in micro-dollars for a usage, from the endpoint's configured prices
 * (per million tokens); 0 if none are configured. [owner] */
int64_t er_models_cost(
    er_models *models, const char *model, const struct er_usage *usage);

#endif
