/* The local engine: a model file in, the next token's odds out.
 *
 * Two things. A *model* is a loaded file: read-only, shared by all. A
 * *session* is one mutable timeline of tokens with its cache. Nobody outside
 * of the engine sees a tensor: the boundary is kept this narrow so that what
 * lies behind it can change for speed.
 *
 *     er_local *m; er_session *s;
 *     er_local_open("llama.gguf", NULL, &m, &err);
 *     er_session_new(m, &s, &err);
 *     er_session_eval(s, ids, n, NULL, &err);
 *     const float *logits = er_session_logits(s);
 *
 * Threads   a model may be used by all threads; passes of its sessions are
 *           done one after the other. A session has one owner.
 */
#ifndef ERRAND_ENGINE_ENGINE_H
#define ERRAND_ENGINE_ENGINE_H

#include "engine/tokenizer.h"

#include <stdatomic.h>

typedef struct er_local er_local;     /* a loaded model */
typedef struct er_session er_session; /* one timeline */
typedef struct er_adapter er_adapter; /* a loaded LoRA adapter */

enum er_cache_type { ER_CACHE_F16 = 0, ER_CACHE_Q8 = 1, ER_CACHE_F32 = 2 };

struct er_local_options {
    unsigned threads;  /* 0: as many as there are cores */
    uint32_t context;  /* longest timeline, tokens; 0: the model's own, at
                          most 8192 */
    enum er_cache_type cache;
    bool exact;          /* no rounding of activations: slow, for checks */
    const char *kernels; /* NULL: the best of this machine */
    uint64_t memory;     /* bytes that may be used; 0: what the machine has */
    void (*progress)(void *ctx, double done); /* 0 to 1; may be NULL */
    void *progress_ctx;
};

/* Load a model. opt may be NULL. Memory is checked before it is taken.
 * Errors  NOT_FOUND, IO, SYNTAX, UNSUPPORTED, TOO_LARGE, NOMEM. [any] */
int er_local_open(const char *path, const struct er_local_options *opt,
    er_local **out, struct errand_error *err);
void er_local_close(er_local *m); /* no session may be left; NULL is fine */

struct er_local_info {
    struct er_gguf_str name, arch, license, chat_template; /* "" if none */
    char quantization[32]; /* of most weights: "Q4_K" */
    uint32_t n_layer, n_embd, n_ff, n_head, n_head_kv, head_dim, n_vocab;
    uint32_t context_trained, context;
    uint64_t parameters;
    uint64_t file_bytes, cache_bytes, work_bytes; /* sum: what it needs */
    const char *kernels;
    unsigned threads;
};

/* Texts are borrowed from the model. */
void er_local_info(const er_local *m, struct er_local_info *out);

const struct er_tokenizer *er_local_tokenizer(const er_local *m);

/* The file behind it: for what else is written there, such as the template.
 */
const struct er_gguf *er_local_file(const er_local *m);

/* What a file is, without loading it: no memory is checked or taken; kernels
 * and threads stay empty. json: caller frees with free(). */
int er_local_describe(const char *path, uint32_t context,
    enum er_cache_type cache, char **json, struct errand_error *err);

/* Load an adapter for this model. Close it before the model, and after the
 * sessions that use it. */
int er_adapter_open(const er_local *m, const char *path, er_adapter **out,
    struct errand_error *err);
void er_adapter_close(er_adapter *a); /* NULL is harmless */

/* --- sessions */

int er_session_new(
    er_local *m, er_session **out, struct errand_error *err);
void er_session_free(er_session *s); /* NULL is harmless */

/* Which adapters are on, and how strongly. The timeline must be empty, since
 * its cache depends on them. At most 8. Errors STATE, TOO_LARGE. */
int er_session_adapt(er_session *s, er_adapter *const *adapters,
    const float *scales, size_t n, struct errand_error *err);

uint32_t er_session_length(const er_session *s);
const int32_t *er_session_tokens(const er_session *s); /* [length] */

struct er_eval {
    const atomic_bool *cancel; /* true: stop within one token; may be NULL */
    const bool *wanted; /* [n] tokens whose logits go to on_logits */
    void (*on_logits)(void *ctx, size_t index, const float *logits);
    void (*on_progress)(void *ctx, size_t done, size_t n); /* may be NULL */
    void *ctx;
};

/* Append n tokens to the timeline. opt may be NULL. The logits after the
 * last one stay with the session. After CANCELLED the timeline holds what
 * was finished; after other failures too.
 * Errors  CONTEXT (before any work), RANGE (an id), STATE (the file was
 *         changed), CANCELLED, NOMEM. [owner] */
int er_session_eval(er_session *s, const int32_t *ids, size_t n,
    const struct er_eval *opt, struct errand_error *err);

/* One token for each of several sessions of one model, in one pass; at most
 * 256. All or none. */
int er_session_step(er_session *const *sessions, const int32_t *ids,
    size_t n, const atomic_bool *cancel, struct errand_error *err);

/* After the last token: [n_vocab]; NULL if the timeline is empty or was cut
 * since. Borrowed until the next change. */
const float *er_session_logits(const er_session *s);

/* Keep the first n tokens. */
void er_session_truncate(er_session *s, uint32_t n);

/* How many of these tokens the timeline begins with. */
uint32_t er_session_match(
    const er_session *s, const int32_t *ids, size_t n);

/* A new timeline that begins with the first n tokens of s; their cache is
 * shared and not copied. */
int er_session_fork(const er_session *s, uint32_t n, er_session **out,
    struct errand_error *err);

/* --- prefixes on disk: pages of 64 tokens, one file each, in a folder. A
 * page is found by what it depends on (weights, tokenizer, adapters, cache,
 * rotation, this engine's version, all tokens up to its end) and used only
 * if it is whole. */

/* Keep the timeline's whole pages, at most max_bytes in the folder (made if
 * it is missing); those that were not used for longest go first.
 * Errors IO, NOMEM. [owner] */
int er_session_keep(const er_session *s, const char *folder,
    uint64_t max_bytes, struct errand_error *err);

/* Keep the beginning of n tokens, to the token: its last page's part as
 * well, for what many prompts have in common. Whoever begins so finds all of
 * it. n is at most the length. Errors IO, NOMEM. [owner] */
int er_session_keep_beginning(const er_session *s, uint32_t n,
    const char *folder, uint64_t max_bytes, struct errand_error *err);

/* How many tokens er_session_restore would most likely restore: looks only
 * whether the files are there. [owner] */
uint32_t er_session_kept(const er_session *s, const char *folder,
    const int32_t *ids, size_t n_ids);

/* Begin an empty timeline with what is kept of these tokens; at least the
 * last one is left to be evaluated. *n gets the tokens restored. A page that
 * is damaged ends it, and is removed with those behind it.
 * Errors NOMEM, STATE. [owner] */
int er_session_restore(er_session *s, const char *folder, const int32_t *ids,
    size_t n_ids, uint32_t *n, struct errand_error *err);

#endif
