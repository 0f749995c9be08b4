/* The two ends of the wire, as pure functions: a request's body out, the
 * bytes of an answer in. No socket, no clock; the HTTP side (http.c) and
 * `errand debug parse` both stand on this.
 */
#ifndef ERRAND_MODEL_WIRE_H
#define ERRAND_MODEL_WIRE_H

#include "base/buf.h"
#include "model/model.h"

/* How an endpoint differs from the specification: wire-format quirks, one
 * flag each, set from the configuration by name (docs/config.md). */
struct er_quirks {
    bool content_null;          /* assistant content with calls is null, not
                                   "" (openai) */
    bool arguments_object;      /* calls' arguments as an object */
    bool max_completion_tokens; /* instead of max_tokens */
    bool developer_role;        /* system texts have the role developer */
    bool one_system;            /* only one system message is accepted */
    bool no_strict;             /* leave "strict" out */
    bool no_stream_options;     /* leave "stream_options" out */
    bool no_tool_choice;        /* leave "tool_choice" out */
    bool no_parallel;           /* say parallel_tool_calls: false */
    bool tool_name;             /* tool messages carry "tool_name" */
    bool mistral_ids;           /* ids of exactly 9 of [A-Za-z0-9] */
    bool content_calls;         /* ai-utils dialect: calls as JSON in the
                                   content, tool results without ids */
    bool flat_tools;            /* workers-ai tool form A */
    bool no_sampling;           /* leave sampling parameters out but
                                   max_tokens */
    bool no_reasoning;          /* never replay reasoning_content */
};

enum er_dialect { ER_OPENAI = 0, ER_WORKERS_AI = 1 };

/* Write the request body of a dialect: canonical, byte-stable, so that
 * request N up to the closing bracket of its messages is a prefix of request
 * N+1. Errors NOMEM, TOO_LARGE, USAGE. [any] */
int er_wire_body(enum er_dialect dialect, const struct er_quirks *quirks,
    const struct er_model_request *req, struct er_buf *out,
    struct errand_error *err);

/* Reads one answer and gives events. Give bytes as they come, cut anywhere;
 * the events are the same for every cut. The framing is a first guess, from
 * the content type: the first byte of the answer corrects it. */
typedef struct er_reader er_reader;

enum er_framing {
    ER_WHOLE = 0, /* one JSON document */
    ER_SSE = 1,   /* text/event-stream */
};

/* NULL: no memory. max_bytes bounds what is kept at any time (text pieces
 * are passed on, not kept). [any] */
er_reader *er_reader_new(enum er_dialect dialect, enum er_framing framing,
    size_t max_bytes, er_model_event_fn on_event, void *ctx);
void er_reader_free(er_reader *r);

/* Take bytes in. After DONE or ERROR was given further bytes are ignored.
 * Returns the code of the ERROR event if there was one, else OK. The reader
 * must not be freed from inside its events. */
int er_reader_feed(er_reader *r, const char *bytes, size_t len);

/* The connection ended in good order: calls, usage and DONE, or an ERROR
 * that says what is missing. Returns as er_reader_feed. */
int er_reader_end(er_reader *r);

/* True once TEXT, REASONING or CALL was given: no retry any more. */
bool er_reader_delivered(const er_reader *r);

/* After an ERROR: may asking again help? False for what the same request
 * will always meet (a full context, a refused key). */
bool er_reader_retriable(const er_reader *r);

/* Read the body of an HTTP answer whose status is not 2xx into err: code
 * (AUTH, RATE_LIMIT, CONTEXT, PROVIDER ...), detail = provider's code or
 * status, message cut and free of control characters. retriable tells what
 * C1 and C2 say of it, without x-should-retry. [any] */
int er_wire_error(enum er_dialect dialect, long status, const char *body,
    size_t len, bool *retriable, struct errand_error *err);

#endif
