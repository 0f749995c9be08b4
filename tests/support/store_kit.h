/* Short ways to drive a store in tests: each makes an op, calls it, checks
 * nothing and leaves the op for the caller to look at and free. */
#ifndef ERRAND_TESTS_SUPPORT_STORE_KIT_H
#define ERRAND_TESTS_SUPPORT_STORE_KIT_H

#include "store/backend.h"

/* A run that was accepted, and its claim. */
struct kit_run {
    char conv[ER_ID_SIZE];
    struct er_claim claim;
    int64_t seq; /* of its first message */
};

/* A folder of its own under TMPDIR or /tmp, removed with its files by
 * kit_folder_remove. */
void kit_folder_make(char out[64]);
void kit_folder_remove(const char *path);

/* Call and free; the error is copied to err if it is not NULL. */
int kit_call(er_store *s, struct er_op *op, struct errand_error *err);

/* A new conversation with one user message. */
int kit_accept(er_store *s, const char *text, struct kit_run *out);

/* The same with everything said; NULL conv makes a new one. */
int kit_accept_full(er_store *s, const char *conv, const char *text,
    const char *key, const char *owner, int64_t lease_ms, bool *existed,
    struct kit_run *out);

/* T1 with n calls of one effect, named id0.. under prefix; n 0: done. */
int kit_step(er_store *s, const struct kit_run *r, const char *prefix,
    int n, int effect, int64_t *seq);

/* The op of kit_step, not called yet. */
struct er_op *kit_step_op(
    const struct kit_run *r, const char *prefix, int n, int effect);

int kit_begin(er_store *s, const struct kit_run *r, const char *call);

/* T3; text is the tool message's content where the state has one. */
int kit_finish(er_store *s, const struct kit_run *r, const char *call,
    int state, const char *text, int64_t *open);
struct er_op *kit_finish_op(const struct kit_run *r, const char *call,
    int state, const char *text);

int kit_stop(er_store *s, const struct kit_run *r, int state);

/* CLAIM; the op stays with the caller, out.loaded in it. */
struct er_op *kit_claim(er_store *s, const char *run_id, const char *owner,
    int64_t lease_ms, bool force);

/* A user or other message's JSON, from the op's arena. */
const char *kit_message(
    struct er_op *op, const char *role, const char *text);

#endif
