/* Asking local models in tests: a tiny one of random weights, several
 * answers at once, each with its own settings. */
#ifndef TESTS_LOCAL_KIT_H
#define TESTS_LOCAL_KIT_H

#include "base/buf.h"
#include "base/json.h"
#include "model/model.h"

enum { LOCAL_KIT_MOST_MS = 120000 };

/* What is asked, and what came of it. */
struct local_ask {
    const char *messages; /* JSON; NULL: one word of the user */
    const char *tools, *schema, *choice, *params, *key;
    size_t cancel_at;     /* cancel when so many events have come; 0: no */
    /* --- what came */
    struct er_buf text, reasoning, calls; /* "name arguments\n" each */
    struct er_buf logprobs;
    size_t n_calls, n_texts, n_events;
    struct er_usage usage;
    bool done, cancelled;
    enum er_finish finish;
    struct errand_error err;
    er_exchange *x;
    struct local_kit *kit;
};

struct local_kit {
    char model[260], folder[240]; /* "local:PATH"; of kept prefixes */
    struct er_loop *loop;
    er_models *models;
    size_t open; /* answers that have not ended */
};

/* A new model file of a family ("llama3", "hermes", "mistral"), and a folder
 * for prefixes that is not there yet. */
void local_kit_make(struct local_kit *k, const char *family, uint32_t seed);
/* Remove both. */
void local_kit_remove(struct local_kit *k);

/* Remove what was kept on disk. */
void local_kit_forget(struct local_kit *k);

/* Providers on it; engine: further settings as JSON members, or NULL. */
void local_kit_open(struct local_kit *k, const char *engine);
void local_kit_close(struct local_kit *k);

/* Begin; the code of er_model_start. */
int local_kit_begin(struct local_kit *k, struct local_ask *a);
/* Drive until all that began have ended. */
void local_kit_drive(struct local_kit *k);
/* One, to its end; its error's code. */
int local_kit_ask(struct local_kit *k, struct local_ask *a);
void local_ask_release(struct local_ask *a);

/* JSON of one user message of n words. The caller frees. */
char *local_kit_words(size_t n);

#endif
