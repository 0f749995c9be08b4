/* One answer of a local model, from its request to its end. What it does
 * and when is decided by the host, which has several at once; everything
 * here is the engine's thread's, but for making one. */
#ifndef ERRAND_MODEL_LOCAL_JOB_H
#define ERRAND_MODEL_LOCAL_JOB_H

#include "model/local_ask.h"
#include "model/local_guide.h"
#include "model/local_mail.h"
#include "model/local_speech.h"
#include "model/local_warm.h"

#include "engine/sample.h"

struct er_job {
    struct er_job *next;
    struct er_mail *mail;
    struct er_ask ask;
    /* --- made by er_job_prepare */
    struct er_voice *v;
    struct er_tokens prompt;
    bool thinking;  /* the prompt ends inside of reasoning */
    uint32_t limit; /* tokens that the answer may have */
    struct er_sampler *sampler;
    struct er_guide *guide;
    struct er_speech *speech;
    /* --- by er_job_begin */
    struct er_warm_line *line; /* NULL: its turn has not come */
    size_t done;     /* tokens of the prompt that are in the timeline */
    uint32_t cached; /* of them, those that were known */
    /* --- the answer */
    struct er_tokens next_ids; /* chosen, not yet in the timeline */
    uint32_t spoken;           /* tokens of the answer so far */
    struct er_buf logprobs;    /* JSON, "" if nobody asked */
};

/* Takes the request's copy. NULL: no memory, and a is as before. [owner] */
struct er_job *er_job_new(struct er_ask *a, struct er_mail *mail);
void er_job_free(struct er_job *j); /* the mail must have ended */

/* Prompt, grammar, sampler. Errors CONTEXT, before any work, and those of
 * template, schema and parameters. */
int er_job_prepare(
    struct er_job *j, struct er_voice *v, struct errand_error *err);

/* Borrow a timeline. */
int er_job_begin(struct er_job *j, struct er_warm *w,
    const struct er_warm_adapters *with, struct errand_error *err);

/* Evaluate up to n more tokens of the prompt; behind its end the first token
 * is chosen. *over: the answer has ended. */
int er_job_read(struct er_job *j, size_t n, bool *over,
    struct errand_error *err);
bool er_job_is_reading(const struct er_job *j);

/* How many tokens of the prompt stand before what the user said last: others
 * with the same system text and tools begin so. */
uint32_t er_job_common(const struct er_job *j);

/* Choose what comes next after the timeline's end: it then stands in
 * next_ids. *over: nothing, the answer has ended. */
int er_job_choose(struct er_job *j, bool *over, struct errand_error *err);

/* Put next_ids, several, into the timeline. A single one may go there in one
 * step with those of other answers instead; er_job_stepped then. */
int er_job_append(struct er_job *j, struct errand_error *err);
void er_job_stepped(struct er_job *j);

/* The last events: of an answer, or of what went wrong. */
void er_job_end(struct er_job *j);
void er_job_fail(struct er_job *j, const struct errand_error *why);

static inline bool er_job_is_left(const struct er_job *j)
{
    return atomic_load(er_mail_left(j->mail));
}

#endif
