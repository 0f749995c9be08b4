/* What the worker can be asked: each op writes one answer frame. */
#ifndef ERRAND_WORKER_OPS_H
#define ERRAND_WORKER_OPS_H

#include "chunk.h"
#include "host.h"

/* Begin an answer in out, whatever was there: the frame's head and the id.
 * The frame starts at byte 0. */
void er_answer_begin(struct er_buf *out, json_int_t id);

/* Each takes the code that the request names, and appends the members after
 * the id to out, which er_answer_begin has begun. */
void er_op_call(struct er_host *h, struct er_chunk *chunk,
    const json_t *request, struct er_buf *out);
void er_op_describe(struct er_host *h, struct er_chunk *chunk,
    const json_t *request, struct er_buf *out);
void er_op_config(struct er_host *h, struct er_chunk *chunk,
    const json_t *request, struct er_buf *out);

void er_op_agent(struct er_host *h, struct er_chunk *chunk,
    const json_t *request, struct er_buf *out);
void er_op_script(struct er_host *h, struct er_chunk *chunk,
    const json_t *request, struct er_buf *out);

/* --- what went wrong, as members of an answer; in call.c */

/* Said by the code itself. */
void er_answer_refusal(struct er_buf *out, const char *text, size_t len,
    const char *detail, bool stopped);

/* Raised: the error stands on top of the state; status is what er_host_run
 * gave. */
void er_answer_failure(struct er_host *h, const char *path, int status,
    struct er_buf *out);

/* Time of describe and config if the request gives none. */
enum { ER_OP_LOAD_MS = 2000 };

/* --- reading error values, in failure.c */

/* What went wrong in Lua. All borrowed: text from the state. */
struct er_failure {
    const char *message; /* without position */
    size_t len;
    int64_t line;   /* of the file, 0: unknown */
    bool stopped;   /* by the deadline */
    bool from_tool; /* error{message=...}: said on purpose */
};

/* Explain the error on top of the state; status is what er_host_run gave,
 * path the file that ran. Raises nothing. */
struct er_failure er_failure_read(
    struct er_host *h, int status, const char *path);

#endif
