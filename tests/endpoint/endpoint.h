/* The test endpoint: what its files share.
 *
 * A request comes in over HTTP (http.c), is held against what providers
 * reject (check.c), and is answered by its model's name (models.c, faults.c)
 * or by a script (script.c). Every answer, good or broken, becomes a plan: a
 * list of steps that the connection plays (plan.c). What a model says is
 * kept apart from how a dialect writes it (render.c).
 *
 * Everything that belongs to one request lives in its arena.
 */
#ifndef ERRAND_TESTS_ENDPOINT_ENDPOINT_H
#define ERRAND_TESTS_ENDPOINT_ENDPOINT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* --- plan.c: what a connection does to answer */

enum ep_step_type {
    EP_SEND = 0,    /* bytes[off, off + len) */
    EP_SLEEP = 1,   /* ms */
    EP_TRICKLE = 2, /* the bytes one by one, ms between them */
    EP_REPEAT = 3,  /* the bytes for ever */
    EP_STALL = 4,   /* nothing more, until the peer closes */
    EP_CLOSE = 5,
    EP_RESET = 6,   /* close with RST */
};

struct ep_step {
    enum ep_step_type type;
    size_t off, len;
    long ms;
};

struct ep_plan {
    struct er_buf bytes;
    struct ep_step *steps;
    size_t n, cap, at; /* at: the step being played */
    size_t head_len;   /* bytes of the HTTP head in front */
    bool close;        /* no keep-alive after this answer */
};

void ep_plan_init(struct ep_plan *p);
void ep_plan_reset(struct ep_plan *p);
void ep_plan_release(struct ep_plan *p);
void ep_plan_step(struct ep_plan *p, struct ep_step step);

/* A SEND of everything appended to bytes since `from`. */
void ep_plan_send_from(struct ep_plan *p, size_t from);

/* Append an HTTP head. length < 0 says chunked. headers: further whole
 * lines, each with its \r\n, or "". */
void ep_plan_head(struct ep_plan *p, int status, const char *content_type,
    long length, const char *headers);

/* A whole answer with a body in one SEND. */
void ep_plan_whole(struct ep_plan *p, int status, const char *content_type,
    const char *headers, const char *body, size_t len);

/* --- the request */

enum ep_route {
    EP_CHAT = 0,    /* /v1/chat/completions */
    EP_WORKERS = 1, /* /client/v4/accounts/{a}/ai/run/{model} */
    EP_MODELS = 2,
    EP_NOWHERE = 3,
};

struct ep_request {
    enum ep_route route;
    const char *method, *path;
    const char *model;   /* its last path component */
    const char *full_model;
    const char *session; /* x-session-affinity, or NULL */
    const char *auth;    /* authorization, or NULL */
    const char *host, *range; /* the same */
    long delay_ms;       /* x-delay-ms */
    const char *body_text;
    size_t body_len;
    json_t *body;
    bool parsed; /* body was read; else body_text is searched */
    bool stream, want_usage;
    struct er_arena *arena;
};

/* --- check.c */

/* NULL if a provider would take it; else why not, in the arena; *param names
 * the field. */
const char *ep_check(const struct ep_request *r, const char **param);

/* --- what a model says */

struct ep_call {
    const char *id, *name;
    const char *args; /* as the model wrote it: may be no JSON */
};

struct ep_answer {
    const char *text;
    size_t text_len;
    const char *reasoning;
    struct ep_call *calls;
    size_t n_calls;
    const char *finish; /* "stop", "tool_calls", "length" … */
    long prompt_tokens, completion_tokens;
};

/* --- render.c: an answer in the dialect and framing that was asked for */

void ep_render(const struct ep_request *r, const struct ep_answer *a,
    struct ep_plan *p);
/* The body alone, and as which type it goes out. With `events`, as an event
 * stream: not chunked. */
void ep_render_body(const struct ep_request *r, const struct ep_answer *a,
    bool events, struct er_buf *out);
void ep_render_error(const struct ep_request *r, int status, long code,
    const char *message, const char *param, const char *headers,
    struct ep_plan *p);

/* --- models.c */

struct ep_server;

void ep_answer_request(
    struct ep_server *s, const struct ep_request *r, struct ep_plan *p);

/* Number behind a word of the name: "rounds-4-par-2" has rounds 4, par 2. */
long ep_option(const char *name, const char *word, long fallback);
bool ep_has_word(const char *name, const char *word);

/* --- history.c: what the request's history says */

/* Take model and framing by a glance at the text, unparsed; false if that
 * would not do. */
bool ep_glance(struct ep_request *r);
const char *ep_last_user(const struct ep_request *r, size_t *len);
size_t ep_results_since_user(const struct ep_request *r);
size_t ep_calls_in_history(const struct ep_request *r);
const char *ep_tool_name(const struct ep_request *r);
/* Which conversation it belongs to: session, else first user text. */
const char *ep_conversation(const struct ep_request *r);

/* Build calls n = first+1 … first+count of a tool. */
void ep_add_calls(const struct ep_request *r, struct ep_answer *a,
    const char *tool, size_t first, size_t count);
void ep_say(const struct ep_request *r, struct ep_answer *a,
    const char *text, size_t len);

/* A model that answers by itself; false if there is none of that name. */
bool ep_model(struct ep_server *s, const struct ep_request *r,
    const char *name, struct ep_answer *a);

/* --- faults.c: false if there is no fault of that name */

bool ep_fault(struct ep_server *s, const struct ep_request *r,
    const char *name, struct ep_plan *p);

/* --- hub.c: model files; false if the path is none of the hub's */

bool ep_hub(
    struct ep_server *s, const struct ep_request *r, struct ep_plan *p);

/* --- pool.c: jansson's memory while a request is answered. What outlives
 * the request is made between pause and resume. */

void ep_pool_install(void);
void ep_pool_begin(void);
void ep_pool_end(void);
void ep_pool_pause(void);
void ep_pool_resume(void);

/* --- script.c */

struct ep_script;

struct ep_script *ep_script_open(const char *path, struct errand_error *err);
void ep_script_free(struct ep_script *s);
void ep_script_answer(struct ep_script *script, const struct ep_request *r,
    struct ep_plan *p);

/* --- http.c and main.c */

struct ep_totals {
    unsigned long requests, rejected, connections, open, max_open;
    unsigned long long bytes_in, bytes_out;
};

struct ep_server {
    struct event_base *base;
    struct ep_totals totals;
    struct ep_script *script; /* or NULL */
    json_t *attempts;         /* conversation and model -> how many */
    const char *key;          /* required bearer key, or NULL */
    const char *hub;          /* folder of model files, or NULL */
    FILE *log, *log_heads;    /* or NULL */
    bool fast;                /* search instead of parsing where it does */
    unsigned long serial;     /* ids of answers */
};

/* Count this request of a conversation to a model: 1 for the first. */
long ep_attempt(struct ep_server *s, const struct ep_request *r);

/* Take a connection over. */
void ep_accept(struct ep_server *s, int fd);
void ep_close_all(struct ep_server *s);

#endif
